package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var dropPrimaryKey = &analyzer.Rule{
	ID: "drop-primary-key", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a primary key is dropped",
	Why:    "Old code that relies on it (INSERT … ON DUPLICATE KEY UPDATE, REPLACE, INSERT IGNORE) silently inserts duplicates after the migration. New code that relies on its absence is refused before it (1062). MySQL refuses a query that groups by the columns of the key and selects others once it is gone (1055).",
	Fix:    "Deploy code that does not rely on the key, drop it, then deploy code that writes duplicates.",
	Covers: []string{"drop-primary-key"},
	Examples: []analyzer.Example{
		{
			Name: "dropped", Catalogue: "drop-primary-key",
			Old: "CREATE TABLE users (id INT NOT NULL PRIMARY KEY)", Migrate: "ALTER TABLE users DROP PRIMARY KEY",
			Want: []string{"new-code users: write", "old-code users: read", "old-code users: write"},
		},
		{
			Name: "dropped, where nobody minds what a GROUP BY selects", SQLMode: "loose",
			Old: "CREATE TABLE users (id INT NOT NULL PRIMARY KEY)", Migrate: "ALTER TABLE users DROP PRIMARY KEY",
			Want: []string{"new-code users: write", "old-code users: write"},
		},
		{
			Name: "another unique key of its columns comes",
			Old:  "CREATE TABLE users (id INT NOT NULL PRIMARY KEY)", Migrate: "ALTER TABLE users DROP PRIMARY KEY, ADD UNIQUE KEY u (id)",
		},
		{
			Name: "another unique key of its columns comes, which take NULL",
			Old:  "CREATE TABLE users (id INT NOT NULL PRIMARY KEY)", Migrate: "ALTER TABLE users DROP PRIMARY KEY, MODIFY id INT NULL, ADD UNIQUE KEY u (id)",
			Want: []string{"old-code users: read"},
		},
		{Name: "another key", Old: "CREATE TABLE users (id INT, KEY k (id))", Migrate: "ALTER TABLE users DROP KEY k"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		if c, ok := ch.(*schema.DropKey); ok && c.Key.Kind == schema.PrimaryKey {
			dropsUnique(p, c)
		}
	},
}
