package rules

import (
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var dropFulltextIndex = &analyzer.Rule{
	ID: "drop-fulltext-index", Since: "0.1", Breaks: analyzer.OldCode,
	Title:  "a FULLTEXT key is dropped",
	Why:    "MATCH … AGAINST on its columns fails without it (error 1191).",
	Fix:    "Release code that does not use MATCH on the columns first.",
	Covers: []string{"drop-fulltext-index"},
	Examples: []analyzer.Example{
		{
			Name: "dropped", Catalogue: "drop-fulltext-index",
			Old: "CREATE TABLE users (t TEXT, FULLTEXT KEY f (t))", Migrate: "ALTER TABLE users DROP KEY f",
			Want: []string{"old-code users.t: read"},
		},
		{
			Name: "another key under its name",
			Old:  "CREATE TABLE users (id INT, t TEXT, FULLTEXT KEY f (t))", Migrate: "ALTER TABLE users DROP KEY f, ADD UNIQUE KEY f (id)",
			Want: []string{"old-code users.t: read"},
		},
		{Name: "plain", Old: "CREATE TABLE users (nick INT, KEY k (nick))", Migrate: "ALTER TABLE users DROP KEY k"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		var t string
		var k *schema.Key
		switch c := ch.(type) {
		case *schema.DropKey:
			t, k = c.Table.Name, c.Key
		case *schema.ChangeKey:
			kind := keyChangeOf(c)
			if kind != fulltextChange && (kind != becomesUnique || c.Old.Kind != schema.FulltextKey) {
				return
			}
			t, k = p.OldTable(c.Table.Name), c.Old
			if k.Kind != schema.FulltextKey {
				losesKey(p, t, k, "key "+k.Name+" of "+t+" becomes a FULLTEXT one")
				return
			}
		default:
			return
		}
		if k.Kind != schema.FulltextKey || len(k.Parts) == 0 {
			return
		}
		p.Report(analyzer.Hazard{
			Breaks: oldCode, Hits: column(t, k.Parts[0].Column), Use: analyzer.Read,
			What: "the FULLTEXT key " + k.Name + " (" + strings.Join(columns(k), ", ") + ") of " + t + " is dropped", If: "old code uses MATCH … AGAINST on its columns (1191)",
		})
	},
}
