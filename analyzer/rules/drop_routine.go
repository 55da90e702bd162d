package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var dropRoutine = &analyzer.Rule{
	ID: "drop-routine", Since: "0.1", Breaks: analyzer.OldCode,
	Title:  "a procedure or function is dropped",
	Why:    "Old code that is still running calls a routine that is gone (error 1305), itself or through a trigger or a view.",
	Fix:    "Deploy code that does not call the routine first, everywhere, and drop it in a later release.",
	Covers: []string{"drop-routine"},
	Examples: []analyzer.Example{
		{
			Name: "dropped procedure", Catalogue: "drop-routine",
			Old: "CREATE TABLE users (id INT); CREATE PROCEDURE tidy() DELETE FROM users WHERE id < 0", Migrate: "DROP PROCEDURE tidy",
			Want: []string{"old-code routine tidy: read, write, delete"},
		},
		{Name: "added", Old: "CREATE TABLE users (id INT)", Migrate: "CREATE PROCEDURE tidy() DELETE FROM users WHERE id < 0"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		if c, ok := ch.(*schema.ChangeRoutine); ok && c.New == nil {
			p.Report(analyzer.Hazard{Breaks: oldCode, Hits: c.Object(), Use: anyUse, What: c.Object().String() + " is dropped"})
		}
	},
}
