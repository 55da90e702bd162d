package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var addSpatialIndex = &analyzer.Rule{
	ID: "add-spatial-index", Since: "0.1", Breaks: analyzer.OldCode,
	Title:  "a SPATIAL key is added",
	Why:    "It refuses values that are no geometry of its kind, which the column alone accepts (error 1416). Queries are slow until it exists.",
	Fix:    "Release code that writes only real geometries first.",
	Covers: []string{"add-spatial-index"},
	Examples: []analyzer.Example{
		{
			Name: "added", Catalogue: "add-spatial-index",
			Old: "CREATE TABLE places (p POINT NOT NULL)", Migrate: "ALTER TABLE places ADD SPATIAL KEY s (p)",
			Want: []string{"old-code places: write"},
		},
		{Name: "plain", Old: "CREATE TABLE users (nick INT)", Migrate: "ALTER TABLE users ADD KEY k (nick)"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.AddKey)
		if !ok || c.Key.Kind != schema.SpatialKey {
			return
		}
		p.Report(analyzer.Hazard{
			Breaks: oldCode, Hits: table(p.OldTable(c.Table.Name)), Use: analyzer.Write,
			What: "SPATIAL key " + c.Key.Name + " of " + c.Table.Name + " is added", If: "old code writes values that it refuses (1416)",
		})
	},
}
