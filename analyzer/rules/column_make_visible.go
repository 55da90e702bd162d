package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var columnMakeVisible = &analyzer.Rule{
	ID: "column-make-visible", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "an INVISIBLE column becomes visible",
	Why:    "SELECT * gains the column, and an INSERT without a list of columns has one value too few (1136). Code that names its columns does not notice.",
	Fix:    "Run the migration before new code that relies on SELECT *; have old code name its columns.",
	Covers: []string{"column-make-visible"},
	Examples: []analyzer.Example{
		{
			Name: "shown", Catalogue: "column-make-visible",
			Old: "CREATE TABLE users (id INT, age INT INVISIBLE)", Migrate: "ALTER TABLE users MODIFY age INT",
			Want: []string{"new-code users.age: read, write", "old-code users: position (caution)"},
		},
		{Name: "hidden", Old: "CREATE TABLE users (id INT, age INT)", Migrate: "ALTER TABLE users MODIFY age INT INVISIBLE"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnVisibility)
		if !ok || c.New.Invisible {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		what := n.String() + " becomes visible"
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: readWrite, What: what, If: "new code relies on SELECT * or inserts without a list of columns"})
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(o.Table), Use: analyzer.Position, Caution: true, What: what, If: "old code reads SELECT * by position or inserts without a list of columns (1136)"})
	},
}
