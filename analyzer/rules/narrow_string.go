package rules

import (
	"strconv"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var narrowString = &analyzer.Rule{
	ID: "narrow-string", Since: "0.1", Breaks: analyzer.OldCode | analyzer.Running,
	Title:  "a text or binary string type shrinks",
	Why:    "Old code may write values that are too long now (error 1406 in strict mode, cut off otherwise). The migration fails on such rows, or cuts them if its own sql_mode is loose.",
	Fix:    "Release code that keeps the shorter limit, clean the rows, and shrink the column in strict mode one release later.",
	Covers: []string{"varchar-narrow", "text-blob-size"},
	Examples: []analyzer.Example{
		{
			Name: "VARCHAR", Catalogue: "varchar-narrow",
			Old: "CREATE TABLE users (s VARCHAR(40))", Migrate: "ALTER TABLE users MODIFY s VARCHAR(20)",
			Want: []string{"old-code users.s: write", "running users.s"},
		},
		{
			Name: "LONGTEXT to TEXT", Catalogue: "text-blob-size",
			Old: "CREATE TABLE users (s LONGTEXT)", Migrate: "ALTER TABLE users MODIFY s TEXT",
			Want: []string{"old-code users.s: write", "running users.s"},
		},
		{Name: "widened", Old: "CREATE TABLE users (s TEXT)", Migrate: "ALTER TABLE users MODIFY s LONGTEXT"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		if c, ok := c.(*schema.ColumnType); ok && kindOf(c) == stringNarrow {
			bytes, _ := capacity(c.New)
			condition := "LENGTH(" + quote(c.Old.Name) + ") > " + strconv.Itoa(bytes)
			if n := c.New.Type.Name; n == "char" || n == "varchar" {
				condition = "CHAR_LENGTH(" + quote(c.Old.Name) + ") > " + strconv.Itoa(c.New.Type.Length)
			}
			narrowed(p, c, "1406, or cut off in loose mode", rows(p, c, condition))
		}
	},
}
