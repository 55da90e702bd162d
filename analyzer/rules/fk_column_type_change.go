package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var fkColumnTypeChange = &analyzer.Rule{
	ID: "fk-column-type-change", Since: "0.1", Breaks: analyzer.Running,
	Title:  "a column of a foreign key changes its type or character set",
	Why:    "Both sides of a foreign key must have the same type. While it exists the server refuses to change one of them (3780; MariaDB 1832, 1833), even to make a VARCHAR longer; that is a gap. With foreign_key_checks off the statement may pass and leave a foreign key over two types.",
	Fix:    "Drop the foreign key, change both sides, add it again. In between nothing keeps the rule.",
	Covers: []string{"fk-column-type-change"},
	Examples: []analyzer.Example{
		{
			Name: "the child's column", Catalogue: "fk-column-type-change",
			Old:     "CREATE TABLE users (id INT NOT NULL PRIMARY KEY); CREATE TABLE posts (user_id INT, KEY k (user_id), CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id))",
			Migrate: "SET foreign_key_checks = 0; ALTER TABLE posts MODIFY user_id BIGINT",
			Want:    []string{"running posts.user_id"},
		},
		{
			Name:    "the parent's column",
			Old:     "CREATE TABLE users (id INT NOT NULL PRIMARY KEY); CREATE TABLE posts (user_id INT, KEY k (user_id), CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id))",
			Migrate: "SET foreign_key_checks = 0; ALTER TABLE users MODIFY id BIGINT NOT NULL",
			Want:    []string{"running users.id"},
		},
		{Name: "no foreign key", Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users MODIFY id BIGINT"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		var t, name string
		switch c := ch.(type) {
		case *schema.ColumnType:
			t, name = c.Table.Name, c.New.Name
		case *schema.ColumnCollation:
			t, name = c.Table.Name, c.New.Name
		default:
			return
		}
		for _, other := range p.New.Tables() {
			for _, f := range other.ForeignKeys {
				if !(other.Name == t && contains(f.Columns, name) || f.RefTable == t && contains(f.RefColumns, name)) {
					continue
				}
				old := p.Old.Table(p.OldTable(other.Name))
				if old == nil || old.ForeignKey(f.Name) == nil {
					continue // it comes with this statement
				}
				p.Report(analyzer.Hazard{
					Breaks: running, Hits: column(t, name),
					What: "foreign key " + f.Name + " of " + other.Name + " does not let " + t + "." + name + " change its type (3780; MariaDB 1832, 1833)",
					If:   "the server refuses it although foreign_key_checks is off",
				})
				return
			}
		}
	},
}
