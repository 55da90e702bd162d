package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var jsonToText = &analyzer.Rule{
	ID: "json-to-text", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "JSON becomes a text",
	Why:    "Before the migration the column refuses what is no valid JSON (3140). After it nothing does, and old readers may meet what they cannot parse.",
	Fix:    "Run the migration first; write other texts only when all readers are new.",
	Covers: []string{"json-to-text"},
	Examples: []analyzer.Example{
		{
			Name: "to LONGTEXT", Catalogue: "json-to-text",
			Old: "CREATE TABLE users (d JSON)", Migrate: "ALTER TABLE users MODIFY d LONGTEXT",
			Want: []string{"new-code users.d: read", "new-code users.d: write", "old-code users.d: read (caution)"},
		},
		{Name: "a text", Old: "CREATE TABLE users (d TEXT)", Migrate: "ALTER TABLE users MODIFY d LONGTEXT"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		if c, ok := c.(*schema.ColumnType); ok && kindOf(c) == jsonBecomesText {
			widened(p, c, "what is no valid JSON (3140)", "old code parses it as JSON")
			if !p.Server.MariaDB {
				_, n := ends(p, c.Table, c.Old, c.New)
				p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: analyzer.Read, What: change(n, c), If: "new code compares the whole text, which MySQL's JSON does not keep"})
			}
		}
	},
}
