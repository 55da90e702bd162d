package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var changeRoutine = &analyzer.Rule{
	ID: "change-routine", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a procedure or function does something else",
	Why:    "A call has another number of parameters (error 1318), gets other columns or another type, or does something else without an error: for old code after the migration, for new code before it. What a body does is not worked out.",
	Fix:    "Give the new routine another name, and drop the old one when nobody calls it. If old and new code work with either, ignore the hazard and say why.",
	Covers: []string{"change-routine-signature", "routine-body"},
	Examples: []analyzer.Example{
		{
			Name: "another parameter", Catalogue: "change-routine-signature",
			Old:     "CREATE TABLE users (id INT); CREATE PROCEDURE tidy() DELETE FROM users WHERE id < 0",
			Migrate: "DROP PROCEDURE tidy; CREATE PROCEDURE tidy(IN below INT) DELETE FROM users WHERE id < below",
			Want:    []string{"new-code routine tidy: read, write, delete", "old-code routine tidy: read, write, delete"},
		},
		{
			Name: "another body", Catalogue: "routine-body",
			Old:     "CREATE TABLE users (id INT); CREATE PROCEDURE tidy() DELETE FROM users WHERE id < 0",
			Migrate: "DROP PROCEDURE tidy; CREATE PROCEDURE tidy() DELETE FROM users WHERE id < 1",
			Want:    []string{"new-code routine tidy: read, write, delete", "old-code routine tidy: read, write, delete"},
		},
		{Name: "added", Old: "CREATE TABLE users (id INT)", Migrate: "CREATE PROCEDURE tidy() DELETE FROM users WHERE id < 0"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		if c, ok := ch.(*schema.ChangeRoutine); ok && c.Old != nil && c.New != nil {
			p.Report(analyzer.Hazard{
				Breaks: oldCode | newCode, Hits: c.Object(), Use: anyUse, What: c.Object().String() + " is defined anew",
				If: "code was written for the other definition (1318)",
			})
		}
	},
}
