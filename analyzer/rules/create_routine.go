package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var createRoutine = &analyzer.Rule{
	ID: "create-routine", Since: "0.1", Breaks: analyzer.NewCode,
	Title:  "a procedure or function is added",
	Why:    "New code that runs before the migration calls a routine that does not exist yet (error 1305). Old code does not know it.",
	Fix:    "Run the migration before the new code.",
	Covers: []string{"create-routine"},
	Examples: []analyzer.Example{
		{
			Name: "new procedure", Catalogue: "create-routine",
			Old: "CREATE TABLE users (id INT)", Migrate: "CREATE PROCEDURE tidy() DELETE FROM users WHERE id < 0",
			Want: []string{"new-code routine tidy: read, write, delete"},
		},
		{Name: "dropped", Old: "CREATE TABLE users (id INT); CREATE PROCEDURE tidy() DELETE FROM users WHERE id < 0", Migrate: "DROP PROCEDURE tidy"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		if c, ok := ch.(*schema.ChangeRoutine); ok && c.Old == nil {
			p.Report(analyzer.Hazard{Breaks: newCode, Hits: c.Object(), Use: anyUse, What: c.Object().String() + " is added"})
		}
	},
}
