package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var recreateTable = &analyzer.Rule{
	ID: "recreate-table", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title: "a table is dropped and created again",
	Why:   "The name stays, the rows are gone. Old code finds an empty table and gets no error; new code that runs before the migration finds the old rows. Between the two statements there is no table at all.",
	Fix:   "Change the table with ALTER TABLE, or create the new one under another name, copy the rows and rename both in one statement.",
	Examples: []analyzer.Example{
		{
			Name: "same shape, no rows",
			Old:  "CREATE TABLE users (id INT)", Migrate: "DROP TABLE users; CREATE TABLE users (id INT)",
			Want: []string{"new-code users: read, write, delete", "old-code users: read, write, delete"},
		},
		{Name: "changed in place", Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN nick TEXT"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		r, ok := c.(*schema.RecreateTable)
		if !ok {
			return
		}
		what := r.New.Name + " is dropped and created again, without its rows"
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(r.Old.Name), Use: anyUse, What: what})
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: table(r.New.Name), Use: anyUse, What: what, If: "the old rows mean something else to new code"})
		p.Report(analyzer.Hazard{
			Breaks: running, Hits: table(r.Old.Name), What: "the rows of " + r.Old.Name + " are lost for good",
			If: "it holds rows that somebody needs", Preflight: "SELECT 1 FROM " + quote(r.Old.Name) + " LIMIT 1",
		})
	},
}
