package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var widenInteger = &analyzer.Rule{
	ID: "widen-integer", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "an integer type grows",
	Why:    "Before the migration new code cannot store the larger values (error 1264 in strict mode, clipped otherwise). After it, old readers with a narrower type may overflow on what new code has stored.",
	Fix:    "Run the migration first; write larger values only when all readers are new. For a key with foreign keys on it, both sides have to change.",
	Covers: []string{"widen-integer"},
	Examples: []analyzer.Example{
		{
			Name: "INT to BIGINT", Catalogue: "widen-integer",
			Old: "CREATE TABLE users (n INT)", Migrate: "ALTER TABLE users MODIFY n BIGINT",
			Want: []string{"new-code users.n: write", "old-code users.n: read (caution)"},
		},
		{Name: "narrowed", Old: "CREATE TABLE users (n INT)", Migrate: "ALTER TABLE users MODIFY n SMALLINT"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		if c, ok := c.(*schema.ColumnType); ok && kindOf(c) == integerWiden {
			widened(p, c, "1264, or clipped in loose mode", "old code holds it in a narrower type")
		}
	},
}
