package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var createTable = &analyzer.Rule{
	ID: "create-table", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a table is added",
	Why:    "New code that runs before the migration asks for a table that does not exist yet (error 1146). Old code does not know the table.",
	Fix:    "Run the migration before the new code. CREATE TABLE IF NOT EXISTS hides a leftover table of another shape: compare its definition first.",
	Covers: []string{"create-table", "create-table-with-fk-to-existing", "table-split"},
	Examples: []analyzer.Example{
		{
			Name: "new table", Catalogue: "create-table",
			Migrate: "CREATE TABLE users (id INT NOT NULL PRIMARY KEY)",
			Want:    []string{"new-code users: read, write, delete"},
		},
		{
			Name: "foreign key to a table that exists", Catalogue: "create-table-with-fk-to-existing",
			Old:     "CREATE TABLE users (id INT NOT NULL PRIMARY KEY)",
			Migrate: "CREATE TABLE posts (id INT NOT NULL PRIMARY KEY, user_id INT, CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id))",
			Want:    []string{"new-code posts: read, write, delete", "old-code users: update, delete (caution)"},
		},
		{
			Name: "the columns of a table move into a new one", Catalogue: "table-split",
			Old:     "CREATE TABLE users (id INT NOT NULL PRIMARY KEY, street TEXT)",
			Migrate: "CREATE TABLE addresses (user_id INT NOT NULL PRIMARY KEY, street TEXT); ALTER TABLE users DROP COLUMN street",
			Want:    []string{"new-code addresses: read, write, delete"},
		},
		{Name: "nothing is added", Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN nick TEXT"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		add, ok := c.(*schema.AddTable)
		if !ok {
			return
		}
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: table(add.Table.Name), Use: anyUse, What: add.Table.Name + " is added"})
		for _, f := range add.Table.ForeignKeys {
			parent := p.OldTable(f.RefTable)
			if f.RefTable == add.Table.Name || p.Old.Table(parent) == nil {
				continue
			}
			p.Report(analyzer.Hazard{
				Breaks: oldCode, Hits: table(parent), Use: analyzer.Update | analyzer.Delete, Caution: true, Mediated: true,
				What: add.Table.Name + " refers to " + f.RefTable + " by a foreign key",
				If:   "new code has put rows into " + add.Table.Name + " and old code deletes the rows of " + f.RefTable + " that they refer to (1451)",
			})
		}
	},
}
