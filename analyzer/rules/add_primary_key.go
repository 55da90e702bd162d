package rules

import (
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var addPrimaryKey = &analyzer.Rule{
	ID: "add-primary-key", Since: "0.1", Breaks: analyzer.OldCode | analyzer.Running,
	Title:  "a primary key is added",
	Why:    "Old code may write rows that it refuses: duplicates (error 1062), NULL (1048), rows without a value in its columns (1364), for they become NOT NULL. The migration fails on such rows.",
	Fix:    "Release code that writes unique values first, clean the rows, then add the key.",
	Covers: []string{"add-primary-key"},
	Examples: []analyzer.Example{
		{
			Name: "on columns that exist", Catalogue: "add-primary-key",
			Old: "CREATE TABLE users (id INT NOT NULL)", Migrate: "ALTER TABLE users ADD PRIMARY KEY (id)",
			Want: []string{"old-code users: write", "running key users.PRIMARY"},
		},
		{Name: "on a new column that counts itself", Old: "CREATE TABLE users (name TEXT)", Migrate: "ALTER TABLE users ADD COLUMN id INT NOT NULL AUTO_INCREMENT PRIMARY KEY"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.AddKey)
		if !ok || c.Key.Kind != schema.PrimaryKey {
			return
		}
		p.Accept()
		if cannotCollide(p, c.Table, c.Key) {
			return
		}
		what := c.Table.Name + " gets the primary key (" + strings.Join(columns(c.Key), ", ") + ")"
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(p.OldTable(c.Table.Name)), Use: analyzer.Write, What: what, If: "old code writes rows that are alike in its columns (1062)"})
		p.Report(analyzer.Hazard{
			Breaks: running, Hits: key(c.Table.Name, c.Key.Name), What: "the migration fails on rows that are alike (1062): " + what, If: "there are such rows",
			Preflight: duplicates(p, c.Table, c.Key),
		})
	},
}
