package rules

import (
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var addPrimaryKey = &analyzer.Rule{
	ID: "add-primary-key", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "a primary key is added",
	Why:    "Old code may write rows that it refuses: duplicates (error 1062), NULL (1048), rows without a value in its columns (1364), for they become NOT NULL. New code that relies on the key in an upsert inserts duplicates as long as it is not there, on which the migration then fails. MySQL refuses a query of new code that groups by the columns of the key and selects others as long as it is not there (1055).",
	Fix:    "Release code that writes unique values first, without relying on the key; clean the rows; add the key; then deploy code that relies on it.",
	Covers: []string{"add-primary-key"},
	Examples: []analyzer.Example{
		{
			Name: "on columns that exist", Catalogue: "add-primary-key",
			Old: "CREATE TABLE users (id INT NOT NULL)", Migrate: "ALTER TABLE users ADD PRIMARY KEY (id)",
			Want: []string{"new-code users: read", "new-code users: write", "old-code users: write", "running key users.PRIMARY"},
		},
		{
			Name: "on a column that was unique", SQLMode: "loose",
			Old: "CREATE TABLE users (id INT NOT NULL, UNIQUE KEY u (id))", Migrate: "ALTER TABLE users DROP KEY u, ADD PRIMARY KEY (id)",
			Want: []string{"new-code users: write", "old-code users: write", "running key users.PRIMARY"},
		},
		{Name: "on a new column that counts itself", Old: "CREATE TABLE users (name TEXT)", Migrate: "ALTER TABLE users ADD COLUMN id INT NOT NULL AUTO_INCREMENT PRIMARY KEY"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.AddKey)
		if !ok || c.Key.Kind != schema.PrimaryKey {
			return
		}
		p.Accept()
		groupsNew(p, c.Table.Name, c.Key, c.Table.Name+" gets the primary key ("+strings.Join(columns(c.Key), ", ")+")")
		if cannotCollide(p, c.Table, c.Key) {
			return
		}
		addsUnique(p, c.Table, c.Key)
	},
}
