package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var dropColumn = &analyzer.Rule{
	ID: "drop-column", Since: "0.1", Breaks: analyzer.OldCode | analyzer.Running,
	Title:  "a column is dropped",
	Why:    "Old code names the column in its queries (error 1054): an ORM does so for every column of its model, used or not. Its values are gone for good.",
	Fix:    "Release code that neither reads nor writes the column, and whose model does not declare it; drop it one release later.",
	Covers: []string{"drop-column", "drop-column-name-capture", "drop-column-indexed", "drop-generated-column", "drop-column-with-dependents"},
	Examples: []analyzer.Example{
		{
			Name: "nullable", Catalogue: "drop-column",
			Old: "CREATE TABLE users (id INT, nick TEXT)", Migrate: "ALTER TABLE users DROP COLUMN nick",
			Want: []string{"old-code users.nick: read, write", "running users.nick"},
		},
		{
			Name: "the name also stands in an outer query", Catalogue: "drop-column-name-capture",
			Old: "CREATE TABLE a (x INT); CREATE TABLE b (id INT, x INT)", Migrate: "ALTER TABLE b DROP COLUMN x",
			Want: []string{"old-code b.x: read, write", "running b.x"},
		},
		{
			Name: "with its key", Catalogue: "drop-column-indexed",
			Old: "CREATE TABLE users (id INT, age INT, KEY k (age))", Migrate: "ALTER TABLE users DROP COLUMN age",
			Want: []string{"old-code users.age: read, write", "running users.age"},
		},
		{
			Name: "generated", Catalogue: "drop-generated-column",
			Old: "CREATE TABLE users (id INT, twice INT AS (id + id) VIRTUAL)", Migrate: "ALTER TABLE users DROP COLUMN twice",
			Want: []string{"old-code users.twice: read, write"},
		},
		{Name: "added", Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN nick TEXT"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		drop, ok := c.(*schema.DropColumn)
		if !ok {
			return
		}
		t, col := drop.Table.Name, drop.Column
		o := column(t, col.Name)
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: readWrite, What: o.String() + " is dropped"})
		if col.Generated == nil {
			p.Report(analyzer.Hazard{
				Breaks: running, Hits: o, What: "the values of " + o.String() + " are lost for good",
				If: "somebody needs them", Preflight: "SELECT 1 FROM " + quote(t) + " WHERE " + quote(col.Name) + " IS NOT NULL LIMIT 1",
			})
		}
	},
}
