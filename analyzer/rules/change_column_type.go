package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var changeColumnType = &analyzer.Rule{
	ID: "change-column-type", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "a column changes to another kind of type",
	Why:    "Each version of the code expects its own kind of value. Some writes are refused (1366, 1292, 1264), others convert silently: '007' becomes 7, numbers as text sort as text, a DATE loses its time, a TIMESTAMP moves with the time zone, FLOAT and DECIMAL compare differently.",
	Fix:    "Add a new column of the wanted type, write both, fill old rows, switch readers, drop the old column: over several releases.",
	Covers: []string{"string-to-number", "number-to-string", "float-double-decimal", "temporal-type"},
	Examples: []analyzer.Example{
		{
			Name: "text to number", Catalogue: "string-to-number",
			Old: "CREATE TABLE users (v VARCHAR(20))", Migrate: "ALTER TABLE users MODIFY v INT",
			Want: []string{"new-code users.v: read, write", "old-code users.v: read, write", "running users.v"},
		},
		{
			Name: "number to text", Catalogue: "number-to-string",
			Old: "CREATE TABLE users (v INT)", Migrate: "ALTER TABLE users MODIFY v VARCHAR(20)",
			Want: []string{"new-code users.v: read, write", "old-code users.v: read, write", "running users.v"},
		},
		{
			Name: "FLOAT to DECIMAL", Catalogue: "float-double-decimal",
			Old: "CREATE TABLE users (v FLOAT)", Migrate: "ALTER TABLE users MODIFY v DECIMAL(10,2)",
			Want: []string{"new-code users.v: read, write", "old-code users.v: read, write", "running users.v"},
		},
		{
			Name: "DATETIME to DATE", Catalogue: "temporal-type",
			Old: "CREATE TABLE users (v DATETIME)", Migrate: "ALTER TABLE users MODIFY v DATE",
			Want: []string{"new-code users.v: read, write", "old-code users.v: read, write", "running users.v"},
		},
		{Name: "wider", Old: "CREATE TABLE users (v INT)", Migrate: "ALTER TABLE users MODIFY v BIGINT"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnType)
		if !ok || kindOf(c) != otherType {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		what := change(n, c)
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: readWrite, What: what})
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: readWrite, What: what})
		p.Report(analyzer.Hazard{Breaks: running, Hits: n, What: "the migration fails on values that it cannot convert, or changes them: " + what, If: "there are such rows"})
	},
}
