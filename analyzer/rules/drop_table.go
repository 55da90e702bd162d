package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var dropTable = &analyzer.Rule{
	ID: "drop-table", Since: "0.1", Breaks: analyzer.OldCode | analyzer.Running,
	Title:  "a table is dropped",
	Why:    "Old code that is still running reads or writes a table that is gone (error 1146). Its rows are gone for good: only a backup brings them back.",
	Fix:    "Deploy code that does not use the table first, everywhere, and drop it in a later release. A rename to a tombstone name one release earlier can be undone.",
	Covers: []string{"drop-table", "table-merge"},
	Examples: []analyzer.Example{
		{
			Name: "dropped table", Catalogue: "drop-table",
			Old: "CREATE TABLE users (id INT)", Migrate: "DROP TABLE users",
			Want: []string{"old-code users: read, write, delete", "running users"},
		},
		{
			Name: "two tables become one", Catalogue: "table-merge",
			Old:     "CREATE TABLE users (id INT); CREATE TABLE nicks (user_id INT, nick TEXT)",
			Migrate: "ALTER TABLE users ADD COLUMN nick TEXT; DROP TABLE nicks",
			Want:    []string{"old-code nicks: read, write, delete", "running nicks"},
		},
		{Name: "created and dropped again", Migrate: "CREATE TABLE tmp (id INT); DROP TABLE tmp", Want: []string{"running tmp"}},
		{Name: "another change", Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN nick TEXT"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		drop, ok := c.(*schema.DropTable)
		if !ok {
			return
		}
		name := drop.Table.Name
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(name), Use: anyUse, What: name + " is dropped"})
		p.Report(analyzer.Hazard{
			Breaks: running, Hits: table(name), What: "the rows of " + name + " are lost for good",
			If: "it holds rows that somebody needs", Preflight: "SELECT 1 FROM " + quote(name) + " LIMIT 1",
		})
	},
}
