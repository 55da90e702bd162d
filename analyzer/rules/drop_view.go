package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var dropView = &analyzer.Rule{
	ID: "drop-view", Since: "0.1", Breaks: analyzer.OldCode,
	Title:  "a view is dropped",
	Why:    "Old code that is still running reads, or writes through, a view that is gone (error 1146). No rows are lost.",
	Fix:    "Deploy code that does not use the view first, everywhere, and drop it in a later release.",
	Covers: []string{"drop-view"},
	Examples: []analyzer.Example{
		{
			Name: "dropped view", Catalogue: "drop-view",
			Old: "CREATE TABLE users (id INT); CREATE VIEW ids AS SELECT id FROM users", Migrate: "DROP VIEW ids",
			Want: []string{"old-code view ids: read, write, delete"},
		},
		{
			Name: "dropped and created again",
			Old:  "CREATE TABLE users (id INT); CREATE VIEW ids AS SELECT id FROM users", Migrate: "DROP VIEW ids; CREATE VIEW ids AS SELECT id FROM users",
			Want: []string{"old-code view ids: read, write, delete (between)"},
		},
		{Name: "added", Old: "CREATE TABLE users (id INT)", Migrate: "CREATE VIEW ids AS SELECT id FROM users"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ChangeView)
		if !ok || c.New != nil {
			return
		}
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: view(c.Old.Name), Use: anyUse, What: "view " + c.Old.Name + " is dropped"})
	},
}
