package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var createView = &analyzer.Rule{
	ID: "create-view", Since: "0.1", Breaks: analyzer.NewCode,
	Title:  "a view is added",
	Why:    "New code that runs before the migration asks for a view that does not exist yet (error 1146). Old code does not know the view.",
	Fix:    "Run the migration before the new code.",
	Covers: []string{"create-view"},
	Examples: []analyzer.Example{
		{
			Name: "new view", Catalogue: "create-view",
			Old: "CREATE TABLE users (id INT, nick TEXT)", Migrate: "CREATE VIEW nicks AS SELECT nick FROM users",
			Want: []string{"new-code view nicks: read, write, delete"},
		},
		{Name: "the same again", Old: "CREATE TABLE users (id INT); CREATE VIEW ids AS SELECT id FROM users", Migrate: "CREATE OR REPLACE VIEW ids AS SELECT id FROM users"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ChangeView)
		if !ok || c.Old != nil {
			return
		}
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: view(c.New.Name), Use: anyUse, What: "view " + c.New.Name + " is added"})
	},
}
