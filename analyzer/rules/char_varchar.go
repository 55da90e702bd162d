package rules

import (
	"slices"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var charVarchar = &analyzer.Rule{
	ID: "char-varchar", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "CHAR becomes VARCHAR or back",
	Why:    "CHAR cuts blanks at the end when it is read, VARCHAR keeps them. Values may compare differently, in every order. Where two texts that differ in such blanks alone are no duplicates of each other, as in MySQL's default collation, they are as CHAR, so that a unique key refuses them (1062); a foreign key or a CHECK may refuse what is left (1452, 3819).",
	Fix:    "Look for values that end in blanks, and for code that relies on their being cut.",
	Covers: []string{"char-varchar"},
	Examples: []analyzer.Example{
		{
			Name: "same length", Catalogue: "char-varchar",
			Old: "CREATE TABLE users (s CHAR(20))", Migrate: "ALTER TABLE users MODIFY s VARCHAR(20)",
			Want: []string{"new-code users.s: read (caution)", "old-code users.s: read (caution)"},
		},
		{
			Name: "longer as well",
			Old:  "CREATE TABLE users (s CHAR(20))", Migrate: "ALTER TABLE users MODIFY s VARCHAR(30)",
			Want: []string{"new-code users.s: read (caution)", "old-code users.s: read (caution)"},
		},
		{
			Name: "in a unique key",
			Old:  "CREATE TABLE users (s VARCHAR(20), UNIQUE KEY u (s))", Migrate: "ALTER TABLE users MODIFY s CHAR(30)",
			Want: []string{"new-code users.s: read (caution)", "old-code users.s: read (caution)", "old-code users.s: write", "running users.s"},
		},
		{
			Name: "CHAR becomes VARCHAR in a unique key",
			Old:  "CREATE TABLE users (s CHAR(20), UNIQUE KEY u (s))", Migrate: "ALTER TABLE users MODIFY s VARCHAR(20)",
			Want: []string{"new-code users.s: read (caution)", "new-code users.s: write", "old-code users.s: read (caution)"},
		},
		{
			Name: "in a unique key that does not count blanks",
			Old:  "CREATE TABLE users (s VARCHAR(20) COLLATE utf8mb4_general_ci, UNIQUE KEY u (s))", Migrate: "ALTER TABLE users MODIFY s CHAR(20) COLLATE utf8mb4_general_ci",
			Want: []string{"new-code users.s: read (caution)", "old-code users.s: read (caution)"},
		},
		{
			Name: "under a CHECK", Server: schema.Server{MariaDB: true, Major: 10, Minor: 11},
			Old: "CREATE TABLE users (s VARCHAR(20), CONSTRAINT c CHECK (CHAR_LENGTH(s) > 2))", Migrate: "ALTER TABLE users MODIFY s CHAR(20)",
			Want: []string{"new-code users.s: read (caution)", "old-code users.s: read (caution)", "old-code users.s: write", "running users.s"},
		},
		{Name: "VARCHAR only", Old: "CREATE TABLE users (s VARCHAR(20))", Migrate: "ALTER TABLE users MODIFY s VARCHAR(30)"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnType)
		if !ok {
			return
		}
		k := kindOf(c)
		if k == stringPadding {
			p.Accept()
		} else if k != stringWiden && k != stringNarrow {
			return
		}
		if (c.Old.Type.Name == "char") == (c.New.Type.Name == "char") {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		h := analyzer.Hazard{Use: analyzer.Read, Caution: true, What: change(n, c), If: "blanks at the end of a value matter"}
		h.Breaks, h.Hits = oldCode, o
		p.Report(h)
		h.Breaks, h.Hits = newCode, n
		p.Report(h)
		if c.New.Type.Name == "char" {
			if refusesCut(p.New, p.New.Table(n.Table), c.New.Name, c.Old.Collation) {
				const cond = "a key, a foreign key or a CHECK refuses a text without the blanks at its end (1062, 1452, 3819)"
				p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: analyzer.Write, What: change(n, c), If: cond})
				p.Report(analyzer.Hazard{Breaks: running, Hits: n, What: "the migration fails on texts with blanks at the end: " + change(n, c), If: cond, Preflight: rows(p, c, quote(o.Name)+" LIKE '% '")})
			}
			return
		}
		if refusesCut(p.Old, p.Old.Table(o.Table), c.Old.Name, c.New.Collation) {
			p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: analyzer.Write, What: change(n, c), If: "a key, a foreign key or a CHECK refuses a text without the blanks at its end, as long as they are cut (1062, 1452, 3819)"})
		}
	},
}

// refusesCut reports whether a table of s may refuse a text whose blanks at the end a CHAR cuts, and that it takes with them. collation is
// that by which the text is compared where it is not cut.
func refusesCut(s *schema.Schema, t *schema.Table, name, collation string) bool {
	if t == nil {
		return true
	}
	for _, k := range t.Keys {
		if unique(k) && countsBlanks(collation) && (contains(columns(k), name) || slices.ContainsFunc(k.Parts, func(part schema.KeyPart) bool { return contains(part.Columns, name) })) {
			return true
		}
	}
	for _, k := range t.Checks {
		if contains(k.Columns, name) && !k.NotEnforced {
			return true
		}
	}
	for _, child := range s.Tables() {
		for _, f := range child.ForeignKeys {
			if countsBlanks(collation) && (child == t && contains(f.Columns, name) || f.RefTable == t.Name && contains(f.RefColumns, name)) {
				return true
			}
		}
	}
	return slices.ContainsFunc(t.Columns, func(g *schema.Column) bool {
		return g.Generated != nil && contains(g.Generated.Columns, name) && canFail(t, g)
	})
}
