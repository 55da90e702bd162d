package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var truncateTable = &analyzer.Rule{
	ID: "truncate-table", Since: "0.1", Breaks: analyzer.OldCode | analyzer.Running,
	Title:  "a migration empties a table",
	Why:    "TRUNCATE removes all rows and restarts AUTO_INCREMENT. Old code gets no error and finds nothing. It cannot be rolled back: it commits.",
	Fix:    "Deploy code that does not need the rows first, or delete in batches those rows that nobody needs.",
	Covers: []string{"truncate-table"},
	Examples: []analyzer.Example{
		{
			Name: "a table that old code knows", Catalogue: "truncate-table",
			Old: "CREATE TABLE users (id INT)", Migrate: "TRUNCATE TABLE users",
			Want: []string{"old-code users: read, write, delete", "running users"},
		},
		{Name: "a table of this release", Migrate: "CREATE TABLE users (id INT); TRUNCATE users"},
	},
	Check: nil,
	CheckStep: func(p *analyzer.Pass, st schema.Statement) {
		words, ok := scan(st.SQL)
		if !ok || len(words) == 0 || !words[0].is("TRUNCATE") {
			return
		}
		words = words[1:]
		if len(words) > 0 && words[0].is("TABLE") {
			words = words[1:]
		}
		if len(words) != 1 || !words[0].name {
			return
		}
		t := p.Old.Table(words[0].text)
		if t == nil {
			return
		}
		if isNewTable(p, t) {
			p.Accept()
			return
		}
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(t.Name), Use: anyUse, What: "all rows of " + t.Name + " are removed"})
		p.Report(analyzer.Hazard{
			Breaks: running, Hits: table(t.Name), What: "all rows of " + t.Name + " are removed and cannot be rolled back",
			If: "it holds rows that somebody needs", Preflight: "SELECT 1 FROM " + quote(t.Name) + " LIMIT 1",
		})
	},
}
