package rules

import (
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var addFulltextIndex = &analyzer.Rule{
	ID: "add-fulltext-index", Since: "0.1", Breaks: analyzer.NewCode,
	Title:  "a FULLTEXT key is added",
	Why:    "MATCH … AGAINST needs a FULLTEXT key on exactly its columns (error 1191 without). After the first such key, columns of the table cannot be added instantly any more, even when it is dropped again, until the table is rebuilt.",
	Fix:    "Run the migration before the new code.",
	Covers: []string{"add-fulltext-index"},
	Examples: []analyzer.Example{
		{
			Name: "added", Catalogue: "add-fulltext-index",
			Old: "CREATE TABLE users (t TEXT)", Migrate: "ALTER TABLE users ADD FULLTEXT KEY f (t)",
			Want: []string{"new-code users.t: read"},
		},
		{
			Name: "over other columns",
			Old:  "CREATE TABLE users (t TEXT, u TEXT, FULLTEXT KEY f (t))", Migrate: "ALTER TABLE users DROP KEY f, ADD FULLTEXT KEY f (t, u)",
			Want: []string{"new-code users.t: read"},
		},
		{
			Name: "under the name of another key",
			Old:  "CREATE TABLE users (id INT, t TEXT, UNIQUE KEY f (id))", Migrate: "ALTER TABLE users DROP KEY f, ADD FULLTEXT KEY f (t)",
			Want: []string{"new-code users.t: read"},
		},
		{Name: "plain", Old: "CREATE TABLE users (nick INT)", Migrate: "ALTER TABLE users ADD KEY k (nick)"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		var t string
		var k *schema.Key
		switch c := ch.(type) {
		case *schema.AddKey:
			t, k = c.Table.Name, c.Key
		case *schema.ChangeKey:
			kind := keyChangeOf(c)
			if kind != fulltextChange && (kind != becomesUnique || c.New.Kind != schema.FulltextKey) {
				return
			}
			t, k = c.Table.Name, c.New
		default:
			return
		}
		if k.Kind != schema.FulltextKey || len(k.Parts) == 0 {
			return
		}
		p.Report(analyzer.Hazard{
			Breaks: newCode, Hits: column(t, k.Parts[0].Column), Use: analyzer.Read,
			What: t + " gets the FULLTEXT key " + k.Name + " (" + strings.Join(columns(k), ", ") + ")", If: "new code uses MATCH … AGAINST on its columns (1191)",
		})
	},
}
