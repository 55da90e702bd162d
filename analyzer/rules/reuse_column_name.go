package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var reuseColumnName = &analyzer.Rule{
	ID: "reuse-column-name", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "a column is dropped and added again under the same name",
	Why:    "Nothing fails in any order: old code reads and writes a column that means something else, and so does new code before the migration. The values are lost without a warning.",
	Fix:    "Give the new column another name, or change the old one with MODIFY if it means the same.",
	Covers: []string{"reuse-column-name"},
	Examples: []analyzer.Example{
		{
			Name: "dropped and added", Catalogue: "reuse-column-name",
			Old: "CREATE TABLE users (id INT, age INT)", Migrate: "ALTER TABLE users DROP COLUMN age; ALTER TABLE users ADD COLUMN age INT",
			Want: []string{"new-code users.age: read, write", "old-code users.age: read, write"},
		},
		{Name: "modified", Old: "CREATE TABLE users (id INT, age INT)", Migrate: "ALTER TABLE users MODIFY age BIGINT"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		r, ok := c.(*schema.RecreateColumn)
		if !ok {
			return
		}
		o, n := ends(p, r.Table, r.Old, r.New)
		what := o.String() + " is dropped and added again, with another meaning and without its values"
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: readWrite, What: what})
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: readWrite, What: what})
		p.Report(analyzer.Hazard{
			Breaks: running, Hits: o, What: "the values of " + o.String() + " are lost for good",
			If: "somebody needs them", Preflight: "SELECT 1 FROM " + quote(o.Table) + " WHERE " + quote(o.Name) + " IS NOT NULL LIMIT 1",
		})
	},
}
