package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var enumToString = &analyzer.Rule{
	ID: "enum-to-string", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "an ENUM becomes a text",
	Why:    "Before the migration new code can only store the members (error 1265). After it, old readers may meet other texts, and sorting goes by text instead of number.",
	Fix:    "Run the migration first; write other texts only when all readers are new.",
	Covers: []string{"enum-to-varchar"},
	Examples: []analyzer.Example{
		{
			Name: "to VARCHAR", Catalogue: "enum-to-varchar",
			Old: "CREATE TABLE users (e ENUM('a','b'))", Migrate: "ALTER TABLE users MODIFY e VARCHAR(20)",
			Want: []string{"new-code users.e: write", "old-code users.e: read (caution)"},
		},
		{
			Name: "NOT NULL without a default",
			Old:  "CREATE TABLE users (e ENUM('a','b') NOT NULL)", Migrate: "ALTER TABLE users MODIFY e VARCHAR(20) NOT NULL",
			Want: []string{"new-code users.e: write", "old-code users.e: omit", "old-code users.e: read (caution)"},
		},
		{Name: "too short", Old: "CREATE TABLE users (e ENUM('long','b'))", Migrate: "ALTER TABLE users MODIFY e VARCHAR(2)"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		if c, ok := c.(*schema.ColumnType); ok && kindOf(c) == enumBecomesString {
			widened(p, c, "1265, or an empty text in loose mode", "old code does not know the value, or uses numbers")
			if needsValue(p, c.New) && !needsValue(p, c.Old) {
				// An ENUM that is NOT NULL takes its first member where a text is refused.
				o, n := ends(p, c.Table, c.Old, c.New)
				p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: analyzer.Omit, Caution: !refusesOmission(p, c.New), What: change(n, c) + ", without a default", If: "old code puts rows without naming it (1364)"})
			}
		}
	},
}
