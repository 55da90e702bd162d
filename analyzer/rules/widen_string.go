package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var widenString = &analyzer.Rule{
	ID: "widen-string", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a text or binary string type grows",
	Why:    "Before the migration new code cannot store the longer values (error 1406 in strict mode, cut off otherwise).",
	Fix:    "Run the migration first. Write longer values only when all readers cope with them.",
	Covers: []string{"varchar-widen-within-length-byte", "varchar-widen-cross-255-bytes", "text-blob-size"},
	Examples: []analyzer.Example{
		{
			Name: "within 255 bytes", Catalogue: "varchar-widen-within-length-byte",
			Old: "CREATE TABLE users (s VARCHAR(20))", Migrate: "ALTER TABLE users MODIFY s VARCHAR(40)",
			Want: []string{"new-code users.s: write", "old-code users.s: read (caution)"},
		},
		{
			Name: "across 255 bytes", Catalogue: "varchar-widen-cross-255-bytes",
			Old: "CREATE TABLE users (s VARCHAR(20))", Migrate: "ALTER TABLE users MODIFY s VARCHAR(400)",
			Want: []string{"new-code users.s: write", "old-code users.s: read (caution)"},
		},
		{
			Name: "TEXT to LONGTEXT", Catalogue: "text-blob-size",
			Old: "CREATE TABLE users (s TEXT)", Migrate: "ALTER TABLE users MODIFY s LONGTEXT",
			Want: []string{"new-code users.s: write", "old-code users.s: read (caution)"},
		},
		{Name: "narrowed", Old: "CREATE TABLE users (s TEXT)", Migrate: "ALTER TABLE users MODIFY s TINYTEXT"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		if c, ok := c.(*schema.ColumnType); ok && kindOf(c) == stringWiden {
			widened(p, c, "1406, or cut off in loose mode", "old code has a buffer or a check of the old length")
		}
	},
}
