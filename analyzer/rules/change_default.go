package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var changeDefault = &analyzer.Rule{
	ID: "change-default", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a column's default changes",
	Why:    "Nothing fails. Rows that leave the column out get the old default before the migration and the new one after it, whichever code writes them. Rows that exist keep their value.",
	Fix:    "If both values are fine, nothing. Otherwise have code write the value itself.",
	Covers: []string{"change-default", "default-to-expression"},
	Examples: []analyzer.Example{
		{
			Name: "another value", Catalogue: "change-default",
			Old: "CREATE TABLE users (age INT NOT NULL DEFAULT 1)", Migrate: "ALTER TABLE users ALTER COLUMN age SET DEFAULT 2",
			Want: []string{"new-code users.age: omit (caution)", "old-code users.age: omit (caution)"},
		},
		{
			Name: "an expression", Catalogue: "default-to-expression",
			Old: "CREATE TABLE users (age INT DEFAULT 1)", Migrate: "ALTER TABLE users ALTER COLUMN age SET DEFAULT (1 + 1)",
			Want: []string{"new-code users.age: omit (caution)", "old-code users.age: omit (caution)"},
		},
		{
			Name: "of a unique column",
			Old:  "CREATE TABLE users (seen DATETIME DEFAULT CURRENT_TIMESTAMP, UNIQUE KEY u (seen))", Migrate: "ALTER TABLE users ALTER COLUMN seen SET DEFAULT NULL",
			Want: []string{"new-code users.seen: omit", "old-code users.seen: omit (caution)"},
		},
		{Name: "a first default", Old: "CREATE TABLE users (age INT NOT NULL)", Migrate: "ALTER TABLE users ALTER COLUMN age SET DEFAULT 2"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnDefault)
		if !ok || needsValue(p, c.Old) != needsValue(p, c.New) {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		if needsValue(p, c.Old) {
			p.Accept() // it has none before and after: only how that is written differs
			return
		}
		h := analyzer.Hazard{
			Use: analyzer.Omit, Caution: true, What: n.String() + ": " + analyzer.DefaultText(c.Old) + " → " + analyzer.DefaultText(c.New),
			If: "the other value is wrong for a row that leaves the column out",
		}
		old := p.Old.Table(o.Table)
		for _, side := range []struct {
			breaks analyzer.Breaks
			hits   schema.Object
			table  *schema.Table
			column *schema.Column
		}{{oldCode, o, c.Table, c.New}, {newCode, n, old, c.Old}} {
			h := h
			h.Breaks, h.Hits = side.breaks, side.hits
			if side.table == nil || omittedRefusable(p, side.table, side.column) {
				h.Caution, h.If = false, "a key, a CHECK, a foreign key or a computed column refuses that value (1062, 1452, 3819)"
			}
			p.Report(h)
		}
	},
}
