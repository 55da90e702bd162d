package rules

import (
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var addUniqueIndex = &analyzer.Rule{
	ID: "add-unique-index", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "a unique key is added",
	Why:    "Old code may write duplicates (error 1062), and its INSERT … ON DUPLICATE KEY UPDATE, REPLACE and INSERT IGNORE now match the new key and change other rows than were meant. New code that relies on the key inserts duplicates as long as it is not there, on which the migration then fails.",
	Fix:    "Stop writing duplicates, without relying on the key; remove the duplicates; add the key; then deploy code that relies on it.",
	Covers: []string{"add-unique-index", "add-column-unique"},
	Examples: []analyzer.Example{
		{
			Name: "on columns that exist", Catalogue: "add-unique-index",
			Old: "CREATE TABLE users (id INT, nick INT)", Migrate: "ALTER TABLE users ADD UNIQUE KEY u (nick)",
			Want: []string{"new-code users: write", "old-code users: write", "running key users.u"},
		},
		{
			Name: "on a new column that is NULL for old code", Catalogue: "add-column-unique",
			Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN nick INT UNIQUE",
		},
		{
			Name: "on a new column and one that old code changes",
			Old:  "CREATE TABLE users (id INT, nick INT)", Migrate: "ALTER TABLE users ADD COLUMN team INT, ADD UNIQUE KEY u (team, nick)",
			Want: []string{"old-code users: update (caution)"},
		},
		{
			Name: "on a new column that is always the same for old code",
			Old:  "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN nick INT NOT NULL DEFAULT 0, ADD UNIQUE KEY u (nick)",
			Want: []string{"new-code users: write", "old-code users: write", "running key users.u"},
		},
		{
			Name: "wider than one that stays",
			Old:  "CREATE TABLE users (id INT NOT NULL PRIMARY KEY, nick INT)", Migrate: "ALTER TABLE users ADD UNIQUE KEY u (id, nick)",
		},
		{
			Name: "on the beginning of a unique column",
			Old:  "CREATE TABLE users (nick VARCHAR(20), UNIQUE KEY u (nick))", Migrate: "ALTER TABLE users ADD UNIQUE KEY v (nick(3))",
			Want: []string{"new-code users: write", "old-code users: write", "running key users.v"},
		},
		{Name: "not unique", Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD KEY k (id)"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		if c, ok := ch.(*schema.AddKey); ok && c.Key.Kind == schema.UniqueKey {
			p.Accept()
			if !cannotCollide(p, c.Table, c.Key) {
				addsUnique(p, c.Table, c.Key)
			} else {
				collidesLater(p, c.Table, c.Key)
			}
		}
	},
}

// collidesLater reports that rows of new code may collide in a key in which rows of old code do not, for old code leaves a column of it NULL.
func collidesLater(p *analyzer.Pass, t *schema.Table, k *schema.Key) {
	var fresh, known []string
	for _, name := range columns(k) {
		if c := p.AddedColumn(t.Name, name); c != nil {
			fresh = append(fresh, name)
		} else {
			known = append(known, name)
		}
	}
	if old := p.Old.Table(p.OldTable(t.Name)); len(fresh) == 0 || len(known) == 0 || old == nil || staysUnique(p, old, t, k) {
		return
	}
	p.Report(analyzer.Hazard{
		Breaks: oldCode, Hits: table(p.OldTable(t.Name)), Use: analyzer.Update, Caution: true, Mediated: true,
		What: t.Name + " gets the unique key " + k.Name + " (" + strings.Join(columns(k), ", ") + ")",
		If:   "new code has written rows that are alike in " + strings.Join(fresh, ", ") + ", and old code makes them alike in " + strings.Join(known, ", ") + ", too (1062)",
	})
}

func addsUnique(p *analyzer.Pass, t *schema.Table, k *schema.Key) {
	name := "unique key " + k.Name
	if k.Kind == schema.PrimaryKey {
		name = "primary key"
	}
	what := t.Name + " gets the " + name + " (" + strings.Join(columns(k), ", ") + ")"
	p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(p.OldTable(t.Name)), Use: analyzer.Write, What: what, If: "old code writes rows that are alike in its columns (1062), or upserts that now match it"})
	p.Report(analyzer.Hazard{Breaks: newCode, Hits: table(t.Name), Use: analyzer.Write, What: what, If: "new code relies on it in an upsert"})
	p.Report(analyzer.Hazard{
		Breaks: running, Hits: key(t.Name, k.Name), What: "the migration fails on rows that are alike (1062): " + what, If: "there are such rows",
		Preflight: duplicates(p, t, k),
	})
}
