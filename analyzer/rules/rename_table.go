package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var renameTable = &analyzer.Rule{
	ID: "rename-table", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a table is renamed",
	Why:    "Old code asks for the old name after the migration, new code for the new name before it (error 1146, or the rows of another table that has taken the name). No order works.",
	Fix:    "Keep the old name alive for one release: RENAME TABLE old TO new and CREATE VIEW old AS SELECT * FROM new, then drop the view in the next release. A simple view can be read and written. Grants do not follow a rename.",
	Covers: []string{"rename-table", "swap-tables"},
	Examples: []analyzer.Example{
		{
			Name: "renamed", Catalogue: "rename-table",
			Old: "CREATE TABLE users (id INT)", Migrate: "RENAME TABLE users TO people",
			Want: []string{"new-code people: read, write, delete", "old-code users: read, write, delete"},
		},
		{
			Name: "two tables change places", Catalogue: "swap-tables",
			Old:     "CREATE TABLE users (id INT); CREATE TABLE users_new (id INT)",
			Migrate: "RENAME TABLE users TO users_old, users_new TO users",
			Want: []string{
				"new-code users: read, write, delete", "new-code users_old: read, write, delete",
				"old-code users: read, write, delete", "old-code users_new: read, write, delete",
			},
		},
		{Name: "there and back", Old: "CREATE TABLE users (id INT)", Migrate: "RENAME TABLE users TO tmp; RENAME TABLE tmp TO users", Want: []string{"new-code users: read, write, delete (between)", "old-code users: read, write, delete (between)"}},
		{Name: "changed in place", Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN nick TEXT"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		r, ok := c.(*schema.RenameTable)
		if !ok {
			return
		}
		what := r.Old.Name + " is renamed to " + r.New.Name
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(r.Old.Name), Use: anyUse, What: what})
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: table(r.New.Name), Use: anyUse, What: what})
	},
}
