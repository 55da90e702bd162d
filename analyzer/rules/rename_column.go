package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var renameColumn = &analyzer.Rule{
	ID: "rename-column", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a column is renamed",
	Why:    "Old code names the old column after the migration, new code the new one before it (error 1054; if two columns change names, no error but each other's values). No order works.",
	Fix:    "Add the new column, write both, fill old rows, read the new one, stop writing the old one, drop it: over several releases. For readers a VIRTUAL column AS (old) can serve the new name meanwhile.",
	Covers: []string{"rename-column", "swap-column-names"},
	Examples: []analyzer.Example{
		{
			Name: "renamed", Catalogue: "rename-column",
			Old: "CREATE TABLE users (id INT, nick TEXT)", Migrate: "ALTER TABLE users RENAME COLUMN nick TO alias",
			Want: []string{"new-code users.alias: read, write", "old-code users.nick: read, write"},
		},
		{
			Name: "two columns change names", Catalogue: "swap-column-names",
			Old: "CREATE TABLE users (a INT, b INT)", Migrate: "ALTER TABLE users RENAME COLUMN a TO b, RENAME COLUMN b TO a",
			Want: []string{"new-code users.a: read, write", "new-code users.b: read, write", "old-code users.a: read, write", "old-code users.b: read, write"},
		},
		{Name: "there and back", Old: "CREATE TABLE users (a INT)", Migrate: "ALTER TABLE users RENAME COLUMN a TO b; ALTER TABLE users RENAME COLUMN b TO a", Want: []string{"new-code users.a: read, write (between)", "old-code users.a: read, write (between)"}},
		{Name: "changed in place", Old: "CREATE TABLE users (a INT)", Migrate: "ALTER TABLE users MODIFY a BIGINT"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		r, ok := c.(*schema.RenameColumn)
		if !ok {
			return
		}
		o, n := ends(p, r.Table, r.Old, r.New)
		what := o.String() + " is renamed to " + n.String()
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: readWrite, What: what})
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: readWrite, What: what})
		if needsValue(p, r.Old) {
			// Neither version names the other's column; that it is not there comes first, so this adds no place of its own.
			p.Report(analyzer.Hazard{Breaks: newCode, Hits: column(r.Table.Name, r.Old.Name), Use: analyzer.Omit, Caution: true, What: what,
				If: "new code puts rows without naming " + r.Old.Name + " (1364)"})
		}
	},
}
