package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var addIndex = &analyzer.Rule{
	ID: "add-index", Since: "0.1", Breaks: analyzer.NewCode,
	Title:  "a key is added",
	Why:    "Nobody breaks, unless new code names the key in an index hint before it exists (error 1176). Queries that need it are slow until then.",
	Fix:    "Run the migration first if new queries need the key to be fast.",
	Covers: []string{"add-index"},
	Examples: []analyzer.Example{
		{
			Name: "plain", Catalogue: "add-index",
			Old: "CREATE TABLE users (nick INT)", Migrate: "ALTER TABLE users ADD KEY k (nick)",
			Want: []string{"new-code key users.k: hint (caution)"},
		},
		{Name: "dropped", Old: "CREATE TABLE users (nick INT, KEY k (nick))", Migrate: "ALTER TABLE users DROP KEY k"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.AddKey)
		if !ok || c.Key.Kind != schema.PlainKey {
			return
		}
		p.Accept()
		if c.Key.Implicit {
			return
		}
		p.Report(analyzer.Hazard{
			Breaks: newCode, Hits: key(c.Table.Name, c.Key.Name), Use: analyzer.Hint, Caution: true,
			What: "key " + c.Key.Name + " of " + c.Table.Name + " is added", If: "new code names it in an index hint (1176), or is too slow without it",
		})
	},
}
