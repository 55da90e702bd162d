package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var changeUniqueIndex = &analyzer.Rule{
	ID: "change-unique-index", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "a key becomes unique, ceases to be, or is unique over other columns",
	Why:    "Other rows than before are duplicates: each version may write rows that the other key refuses (1062), and upserts change other rows than were meant. Dropping a column of a composite unique key does this without a word on MySQL.",
	Fix:    "Do it in steps: stop relying on the old key, change it under a new name, then rely on the new one.",
	Covers: []string{"unique-to-nonunique", "drop-column-in-unique"},
	Examples: []analyzer.Example{
		{
			Name: "becomes unique", Catalogue: "unique-to-nonunique",
			Old: "CREATE TABLE users (nick INT, KEY k (nick))", Migrate: "ALTER TABLE users DROP KEY k, ADD UNIQUE KEY k (nick)",
			Want: []string{"new-code users: write", "old-code users: write", "running key users.k"},
		},
		{
			Name: "ceases to be unique",
			Old:  "CREATE TABLE users (nick INT, UNIQUE KEY k (nick))", Migrate: "ALTER TABLE users DROP KEY k, ADD KEY k (nick)",
			Want: []string{"new-code users: write", "old-code users: write"},
		},
		{
			Name: "loses a column that is dropped", Catalogue: "drop-column-in-unique",
			Old: "CREATE TABLE users (a INT, b INT, UNIQUE KEY u (a, b))", Migrate: "ALTER TABLE users DROP COLUMN b",
			Want: []string{"new-code users: write", "old-code users: write", "running key users.u"},
		},
		{Name: "another order", Old: "CREATE TABLE users (a INT, b INT, UNIQUE KEY u (a, b))", Migrate: "ALTER TABLE users DROP KEY u, ADD UNIQUE KEY u (b, a)"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ChangeKey)
		if !ok {
			return
		}
		if k := keyChangeOf(c); k == uniqueChange || k == becomesUnique {
			changesUnique(p, c)
		}
	},
}

func changesUnique(p *analyzer.Pass, c *schema.ChangeKey) {
	t := c.Table.Name
	what := "key " + c.New.Name + " of " + t + ": " + analyzer.KeyText(c.Old) + " → " + analyzer.KeyText(c.New)
	p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(p.OldTable(t)), Use: analyzer.Write, What: what, If: "old code writes what the new key refuses (1062), or relies on the old one in an upsert"})
	p.Report(analyzer.Hazard{Breaks: newCode, Hits: table(t), Use: analyzer.Write, What: what, If: "new code writes what the old key refuses (1062), or relies on the new one in an upsert"})
	groupsOld(p, p.OldTable(t), c.Old, what)
	groupsNew(p, t, c.New, what)
	if unique(c.New) {
		p.Report(analyzer.Hazard{
			Breaks: running, Hits: key(t, c.New.Name), What: "the migration fails on rows that are alike (1062): " + what, If: "there are such rows",
			Preflight: duplicates(p, c.Table, c.New),
		})
	}
}
