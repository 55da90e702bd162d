package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var enumReorder = &analyzer.Rule{
	ID: "enum-reorder", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "the members of an ENUM or SET change their order",
	Why:    "Code that uses the texts does not notice. Code that uses the numbers, or sorts by the column, gets other results without an error.",
	Fix:    "Leave the order alone; it does not matter to those who use the texts.",
	Covers: []string{"enum-reorder"},
	Examples: []analyzer.Example{
		{
			Name: "exchanged", Catalogue: "enum-reorder",
			Old: "CREATE TABLE users (e ENUM('a','b'))", Migrate: "ALTER TABLE users MODIFY e ENUM('b','a')",
			Want: []string{"new-code users.e: read, write (caution)", "old-code users.e: read, write (caution)"},
		},
		{Name: "appended", Old: "CREATE TABLE users (e ENUM('a','b'))", Migrate: "ALTER TABLE users MODIFY e ENUM('a','b','c')"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnType)
		if !ok || kindOf(c) != members {
			return
		}
		if d := memberDiff(c.Old.Type.Members, c.New.Type.Members); d.reordered && len(d.added) == 0 {
			numbers(p, c)
		}
	},
}
