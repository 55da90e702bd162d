package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var columnComment = &analyzer.Rule{
	ID: "column-comment", Since: "0.1",
	Title:  "a column's comment changes",
	Why:    "The server ignores comments. A few tools keep types in them.",
	Fix:    "Nothing to do.",
	Covers: []string{"column-comment"},
	Examples: []analyzer.Example{
		{Name: "comment", Catalogue: "column-comment", Old: "CREATE TABLE users (age INT)", Migrate: "ALTER TABLE users MODIFY age INT COMMENT 'in years'"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		if _, ok := c.(*schema.ColumnComment); ok {
			p.Accept()
		}
	},
}
