package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var renameForeignKey = &analyzer.Rule{
	ID: "rename-foreign-key", Since: "0.1", Breaks: analyzer.OldCode,
	Title:  "a foreign key is renamed",
	Why:    "The name of a constraint stands in no query, only in the messages of errors 1451 and 1452.",
	Fix:    "Nothing to do, unless code takes the name out of a message.",
	Covers: []string{"rename-foreign-key"},
	Examples: []analyzer.Example{
		{
			Name: "renamed", Catalogue: "rename-foreign-key",
			Old:     "CREATE TABLE users (id INT NOT NULL PRIMARY KEY); CREATE TABLE posts (user_id INT, KEY k (user_id), CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id))",
			Migrate: "ALTER TABLE posts DROP FOREIGN KEY fk, ADD CONSTRAINT fk2 FOREIGN KEY (user_id) REFERENCES users (id)",
			Want:    []string{"old-code foreign-key posts.fk: hint (caution)"},
		},
		{
			Name:    "another action",
			Old:     "CREATE TABLE users (id INT NOT NULL PRIMARY KEY); CREATE TABLE posts (user_id INT, KEY k (user_id), CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id))",
			Migrate: "ALTER TABLE posts DROP FOREIGN KEY fk; ALTER TABLE posts ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE",
		},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ChangeForeignKey)
		if !ok || c.Old.Name == c.New.Name {
			return
		}
		t := p.OldTable(c.Table.Name)
		p.Report(analyzer.Hazard{
			Breaks: oldCode, Hits: schema.Object{Kind: schema.KindForeignKey, Table: t, Name: c.Old.Name}, Use: analyzer.Hint, Caution: true,
			What: "foreign key " + c.Old.Name + " of " + t + " is renamed to " + c.New.Name, If: "old code takes the name out of a message",
		})
	},
}
