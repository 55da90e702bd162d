package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var changeIndex = &analyzer.Rule{
	ID: "change-index", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a key that is not unique changes",
	Why:    "No query fails; queries that relied on the key as it was may become slow.",
	Fix:    "Add the new key under a new name, wait, drop the old one.",
	Covers: []string{"change-index", "index-order-only", "varchar-widen-index-too-long"},
	Examples: []analyzer.Example{
		{
			Name: "other columns", Catalogue: "change-index",
			Old: "CREATE TABLE users (a INT, b INT, KEY k (a))", Migrate: "ALTER TABLE users DROP KEY k, ADD KEY k (a, b)",
			Want: []string{"old-code key users.k: read (caution)"},
		},
		{
			Name: "MariaDB makes it a prefix key", Catalogue: "varchar-widen-index-too-long", Server: schema.Server{MariaDB: true, Major: 10, Minor: 11},
			Old:     "CREATE TABLE users (s VARCHAR(100), KEY k (s)) CHARACTER SET utf8mb4",
			Migrate: "ALTER TABLE users MODIFY s VARCHAR(1000)",
			Want:    []string{"old-code key users.k: read (caution)"},
		},
		{Name: "another order of the same keys", Catalogue: "index-order-only", Old: "CREATE TABLE users (a INT, b INT, KEY k (a), KEY l (b))", Migrate: "ALTER TABLE users DROP KEY k, ADD KEY k (a)"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ChangeKey)
		if !ok || keyChangeOf(c) != plainChange {
			return
		}
		t := p.OldTable(c.Table.Name)
		p.Report(analyzer.Hazard{
			Breaks: oldCode, Hits: key(t, c.Old.Name), Use: analyzer.Read, Caution: true,
			What: "key " + c.New.Name + " of " + c.Table.Name + ": " + analyzer.KeyText(c.Old) + " → " + analyzer.KeyText(c.New), If: "old code needs it as it was to be fast",
		})
	},
}
