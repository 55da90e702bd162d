package rules

import (
	"strconv"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var narrowInteger = &analyzer.Rule{
	ID: "narrow-integer", Since: "0.1", Breaks: analyzer.OldCode | analyzer.Running,
	Title:  "an integer type shrinks",
	Why:    "Old code may write values that do not fit any more (error 1264 in strict mode, clipped otherwise). The migration itself fails on such rows, or clips them without a word if its own sql_mode is loose.",
	Fix:    "Constrain the writers first, look at MIN and MAX, and shrink the column in strict mode one release later.",
	Covers: []string{"narrow-integer"},
	Examples: []analyzer.Example{
		{
			Name: "INT to SMALLINT", Catalogue: "narrow-integer",
			Old: "CREATE TABLE users (n INT)", Migrate: "ALTER TABLE users MODIFY n SMALLINT",
			Want: []string{"old-code users.n: write", "running users.n"},
		},
		{Name: "widened", Old: "CREATE TABLE users (n INT)", Migrate: "ALTER TABLE users MODIFY n BIGINT"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		if c, ok := c.(*schema.ColumnType); ok && kindOf(c) == integerNarrow {
			bits := uint(8 * integers(c.New.Type))
			lo, hi := strconv.FormatInt(-1<<(bits-1), 10), strconv.FormatUint(1<<(bits-1)-1, 10)
			if c.New.Type.Unsigned {
				lo, hi = "0", strconv.FormatUint(1<<bits-1, 10)
			}
			narrowed(p, c, "1264, or clipped in loose mode", rows(p, c, quote(c.Old.Name)+" NOT BETWEEN "+lo+" AND "+hi))
		}
	},
}
