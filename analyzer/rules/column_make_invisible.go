package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var columnMakeInvisible = &analyzer.Rule{
	ID: "column-make-invisible", Since: "0.1", Breaks: analyzer.OldCode,
	Title:  "a column becomes INVISIBLE",
	Why:    "SELECT * loses the column, and an INSERT without a list of columns has one value too many (1136). Code that names the column does not notice.",
	Fix:    "Release code that names its columns first.",
	Covers: []string{"column-make-invisible"},
	Examples: []analyzer.Example{
		{
			Name: "hidden", Catalogue: "column-make-invisible",
			Old: "CREATE TABLE users (id INT, age INT)", Migrate: "ALTER TABLE users MODIFY age INT INVISIBLE",
			Want: []string{"old-code users.age: read, write"},
		},
		{Name: "shown", Old: "CREATE TABLE users (id INT, age INT INVISIBLE)", Migrate: "ALTER TABLE users MODIFY age INT"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnVisibility)
		if !ok || !c.New.Invisible {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: readWrite, What: n.String() + " becomes INVISIBLE", If: "old code relies on SELECT * or inserts without a list of columns"})
	},
}
