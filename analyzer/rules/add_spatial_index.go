package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var addSpatialIndex = &analyzer.Rule{
	ID: "add-spatial-index", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
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
		{
			Name: "another key under its name",
			Old:  "CREATE TABLE users (id INT, home POINT NOT NULL SRID 0, SPATIAL KEY k (home))", Migrate: "ALTER TABLE users DROP KEY k, ADD KEY k (id)",
			Want: []string{"new-code users: write"},
		},
		{Name: "plain", Old: "CREATE TABLE users (nick INT)", Migrate: "ALTER TABLE users ADD KEY k (nick)"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		var t *schema.Table
		var k *schema.Key
		switch c := ch.(type) {
		case *schema.AddKey:
			t, k = c.Table, c.Key
		case *schema.ChangeKey:
			// Another key under its name. That it goes is otherwise for drop-index to say.
			t, k = c.Table, c.New
			if c.Old.Kind == schema.SpatialKey && k.Kind != schema.SpatialKey {
				p.Report(analyzer.Hazard{
					Breaks: newCode, Hits: table(t.Name), Use: analyzer.Write,
					What: "SPATIAL key " + k.Name + " of " + t.Name + " is there until it is dropped", If: "new code writes values that it refuses (1416)",
				})
			}
			if c.Old.Kind == schema.SpatialKey {
				return
			}
		default:
			return
		}
		if k.Kind != schema.SpatialKey {
			return
		}
		p.Report(analyzer.Hazard{
			Breaks: oldCode, Hits: table(p.OldTable(t.Name)), Use: analyzer.Write,
			What: "SPATIAL key " + k.Name + " of " + t.Name + " is added", If: "old code writes values that it refuses (1416)",
		})
	},
}
