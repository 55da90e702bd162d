package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var enumRenameValue = &analyzer.Rule{
	ID: "enum-rename-value", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "a member of an ENUM or SET is replaced by another",
	Why:    "Each version writes a member that the other schema does not have (1265), and finds no rows for the member that it knows. Rows that hold the old text are not changed to the new one: the migration fails on them.",
	Fix:    "Append the new member, read both, change the rows, remove the old member: over several releases.",
	Covers: []string{"enum-rename-value"},
	Examples: []analyzer.Example{
		{
			Name: "replaced", Catalogue: "enum-rename-value",
			Old: "CREATE TABLE users (e ENUM('a','b'))", Migrate: "ALTER TABLE users MODIFY e ENUM('a','c')",
			Want: []string{"new-code users.e: read, write", "old-code users.e: read, write", "running users.e"},
		},
		{Name: "appended", Old: "CREATE TABLE users (e ENUM('a','b'))", Migrate: "ALTER TABLE users MODIFY e ENUM('a','b','c')"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnType)
		if !ok || kindOf(c) != members {
			return
		}
		d := memberDiff(c.Old.Type.Members, c.New.Type.Members)
		if !d.replaced {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		what := change(n, c)
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: readWrite, What: what})
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: readWrite, What: what})
		p.Report(analyzer.Hazard{
			Breaks: running, Hits: n, What: "the migration fails on rows that hold a member which goes (1265), or empties them: " + what, If: "there are such rows",
			Preflight: rows(p, c, holdsMember(c.Old, d.removed)),
		})
	},
}
