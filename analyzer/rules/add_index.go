package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var addIndex = &analyzer.Rule{
	ID: "add-index", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a key is added",
	Why:    "Nobody breaks, unless new code names the key in an index hint before it exists (error 1176). Queries that need it are slow until then. On MariaDB a key over a geometry makes comparisons with other types fail (1416).",
	Fix:    "Run the migration first if new queries need the key to be fast.",
	Covers: []string{"add-index"},
	Examples: []analyzer.Example{
		{
			Name: "plain", Catalogue: "add-index",
			Old: "CREATE TABLE users (nick INT)", Migrate: "ALTER TABLE users ADD KEY k (nick)",
			Want: []string{"new-code key users.k: hint (caution)"},
		},
		{
			Name: "over a geometry, on MariaDB", Server: schema.Server{MariaDB: true, Major: 10, Minor: 11},
			Old: "CREATE TABLE users (home POINT)", Migrate: "ALTER TABLE users ADD KEY k (home)",
			Want: []string{"new-code key users.k: hint (caution)", "old-code users.home: read"},
		},
		{Name: "dropped", Old: "CREATE TABLE users (nick INT, KEY k (nick))", Migrate: "ALTER TABLE users DROP KEY k"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.AddKey)
		if !ok {
			return
		}
		for _, o := range geometries(p, c.Table, c.Key) {
			if p.AddedColumn(o.Table, o.Name) == nil {
				o.Table, o.Name = p.OldTable(o.Table), p.OldColumn(o.Table, o.Name)
				p.Report(analyzer.Hazard{
					Breaks: oldCode, Hits: o, Use: analyzer.Read, What: "key " + c.Key.Name + " of " + c.Table.Name + " is added over a geometry",
					If: "old code compares it with what is none: MariaDB then looks for that in the key (1416)",
				})
			}
		}
		if c.Key.Kind != schema.PlainKey {
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

// geometries gives the columns of a key on MariaDB that hold geometries: a comparison with any other value, which has no
// effect without the key, fails with it (tested on 10.11: 1416). MySQL has no such keys but spatial ones.
func geometries(p *analyzer.Pass, t *schema.Table, k *schema.Key) []schema.Object {
	var list []schema.Object
	for _, name := range columns(k) {
		if c := t.Column(name); c != nil && p.Server.MariaDB && k.Kind != schema.FulltextKey && k.Kind != schema.SpatialKey {
			switch c.Type.Name {
			case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
				list = append(list, column(t.Name, c.Name))
			}
		}
	}
	return list
}
