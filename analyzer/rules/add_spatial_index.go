package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var addSpatialIndex = &analyzer.Rule{
	ID: "add-spatial-index", Since: "0.1", Breaks: analyzer.OldCode,
	Title:  "a SPATIAL key is added",
	Why:    "Its column must be NOT NULL, so old code cannot write NULL into it; it could not before either. Queries are slow until it exists.",
	Fix:    "Run the migration first if new queries need the key to be fast.",
	Covers: []string{"add-spatial-index"},
	Examples: []analyzer.Example{
		{
			Name: "added", Catalogue: "add-spatial-index",
			Old: "CREATE TABLE places (p POINT NOT NULL)", Migrate: "ALTER TABLE places ADD SPATIAL KEY s (p)",
			Want: []string{"old-code places: write (caution)"},
		},
		{Name: "plain", Old: "CREATE TABLE users (nick INT)", Migrate: "ALTER TABLE users ADD KEY k (nick)"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.AddKey)
		if !ok || c.Key.Kind != schema.SpatialKey {
			return
		}
		p.Report(analyzer.Hazard{
			Breaks: oldCode, Hits: table(p.OldTable(c.Table.Name)), Use: analyzer.Write, Caution: true,
			What: "SPATIAL key " + c.Key.Name + " of " + c.Table.Name + " is added", If: "old code writes values that it refuses",
		})
	},
}
