package rules

import (
	"strconv"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var sridChange = &analyzer.Rule{
	ID: "srid-change", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "a spatial column's SRID changes",
	Why:    "A column with an SRID refuses values of another one (error 3643). Without one, a spatial index cannot be used. The migration fails on rows of another SRID.",
	Fix:    "Release code that writes values of the wanted SRID first, test ST_SRID of all rows, then add it.",
	Covers: []string{"srid-change"},
	Examples: []analyzer.Example{
		{
			Name: "added", Catalogue: "srid-change",
			Old: "CREATE TABLE places (p POINT NOT NULL)", Migrate: "ALTER TABLE places MODIFY p POINT NOT NULL SRID 4326",
			Want: []string{"old-code places.p: write", "running places.p"},
		},
		{
			Name: "removed",
			Old:  "CREATE TABLE places (p POINT NOT NULL SRID 4326)", Migrate: "ALTER TABLE places MODIFY p POINT NOT NULL",
			Want: []string{"new-code places.p: write"},
		},
		{Name: "another change", Old: "CREATE TABLE places (p POINT)", Migrate: "ALTER TABLE places MODIFY p POINT NOT NULL"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnSRID)
		if !ok {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		what := "the SRID of " + n.String() + " changes"
		if c.New.SRID >= 0 {
			p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: analyzer.Write, What: what, If: "old code writes values of another SRID (3643)"})
			p.Report(analyzer.Hazard{
				Breaks: running, Hits: n, What: "the migration fails on values of another SRID (3643): " + n.String(), If: "there are such rows",
				Preflight: "SELECT 1 FROM " + quote(o.Table) + " WHERE ST_SRID(" + quote(o.Name) + ") <> " + strconv.Itoa(c.New.SRID) + " LIMIT 1",
			})
		}
		if c.Old.SRID >= 0 {
			p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: analyzer.Write, What: what, If: "new code writes values of another SRID (3643)"})
		}
	},
}
