package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var changePrimaryKey = &analyzer.Rule{
	ID: "change-primary-key", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "a primary key changes its columns",
	Why:    "Other rows than before are duplicates: each version may write rows that the other key refuses (1062), and INSERT … ON DUPLICATE KEY UPDATE and REPLACE change other rows than were meant. MySQL refuses a query that groups by the columns of one key and selects others where the other is there (1055).",
	Fix:    "Add the new key as a UNIQUE one first, move the code, then swap the keys.",
	Covers: []string{"change-primary-key", "drop-column-in-unique"},
	Examples: []analyzer.Example{
		{
			Name: "other columns", Catalogue: "change-primary-key",
			Old: "CREATE TABLE users (a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (a))", Migrate: "ALTER TABLE users DROP PRIMARY KEY, ADD PRIMARY KEY (b)",
			Want: []string{"new-code users: read", "new-code users: write", "old-code users: read", "old-code users: write", "running key users.PRIMARY"},
		},
		{
			Name: "one more column",
			Old:  "CREATE TABLE users (a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (a))", Migrate: "ALTER TABLE users DROP PRIMARY KEY, ADD PRIMARY KEY (a, b)",
			Want: []string{"new-code users: write", "old-code users: read", "old-code users: write", "running key users.PRIMARY"},
		},
		{
			Name: "one more column, on MariaDB", Server: schema.Server{MariaDB: true, Major: 10, Minor: 11},
			Old: "CREATE TABLE users (a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (a))", Migrate: "ALTER TABLE users DROP PRIMARY KEY, ADD PRIMARY KEY (a, b)",
			Want: []string{"new-code users: write", "old-code users: write", "running key users.PRIMARY"},
		},
		{Name: "another key", Old: "CREATE TABLE users (a INT, b INT, KEY k (a))", Migrate: "ALTER TABLE users DROP KEY k, ADD KEY k (b)"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		if c, ok := ch.(*schema.ChangeKey); ok && keyChangeOf(c) == primaryChange {
			changesUnique(p, c)
		}
	},
}
