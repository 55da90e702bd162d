package rules

import (
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var dropUniqueIndex = &analyzer.Rule{
	ID: "drop-unique-index", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a unique key is dropped",
	Why:    "Old code that relies on it (INSERT … ON DUPLICATE KEY UPDATE, REPLACE, INSERT IGNORE) silently inserts duplicates after the migration. New code that writes duplicates is refused before it (1062).",
	Fix:    "Deploy code that does not rely on the key, drop it, then deploy code that writes duplicates.",
	Covers: []string{"drop-unique-index"},
	Examples: []analyzer.Example{
		{
			Name: "dropped", Catalogue: "drop-unique-index",
			Old: "CREATE TABLE users (nick INT, UNIQUE KEY u (nick))", Migrate: "ALTER TABLE users DROP KEY u",
			Want: []string{"new-code users: write", "old-code users: write"},
		},
		{
			Name: "a narrower one stays",
			Old:  "CREATE TABLE users (id INT NOT NULL PRIMARY KEY, nick INT, UNIQUE KEY u (id, nick))", Migrate: "ALTER TABLE users DROP KEY u",
		},
		{
			Name: "its column goes too",
			Old:  "CREATE TABLE users (id INT, nick INT, UNIQUE KEY u (nick))", Migrate: "ALTER TABLE users DROP COLUMN nick",
			Want: []string{"old-code users: write"},
		},
		{
			Name: "its column goes too, with a default",
			Old:  "CREATE TABLE users (id INT, nick INT NOT NULL DEFAULT 0, UNIQUE KEY u (nick))", Migrate: "ALTER TABLE users DROP COLUMN nick",
			Want: []string{"new-code users: write", "old-code users: write"},
		},
		{Name: "not unique", Old: "CREATE TABLE users (nick INT, KEY k (nick))", Migrate: "ALTER TABLE users DROP KEY k"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		if c, ok := ch.(*schema.DropKey); ok && c.Key.Kind == schema.UniqueKey {
			dropsUnique(p, c)
		}
	},
}

func dropsUnique(p *analyzer.Pass, c *schema.DropKey) {
	p.Accept()
	t := c.Table.Name
	groupsOld(p, t, c.Key, "the primary key of "+t+" is dropped")
	if old, new := p.Old.Table(t), p.New.Table(p.NewTable(t)); old != nil && new != nil && staysUnique(p, old, new, c.Key) {
		return // what it refuses is refused by another key
	}
	gone, apart := len(c.Key.Parts) > 0, false
	for _, name := range columns(c.Key) {
		gone = gone && p.DroppedColumn(t, name)
		if col := c.Table.Column(name); col != nil && p.DroppedColumn(t, col.Name) && omittedCannotCollide(p, col) {
			apart = true
		}
	}
	what := "the unique key " + c.Key.Name + " (" + strings.Join(columns(c.Key), ", ") + ") of " + t + " is dropped"
	p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(t), Use: analyzer.Write, What: what, If: "old code relies on it in an upsert, which inserts duplicates now"})
	if !gone || !apart {
		// With its columns gone, new code leaves them out: it writes nothing that the key refuses if one is NULL or a number of its own then.
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: table(p.NewTable(t)), Use: analyzer.Write, What: what, If: "new code writes what it refuses (1062)"})
	}
}
