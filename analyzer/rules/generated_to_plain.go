package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var generatedToPlain = &analyzer.Rule{
	ID: "generated-to-plain", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "a generated column becomes an ordinary one",
	Why:    "Before the migration new code cannot assign it (error 3105, MariaDB 1906). After it, the rows of old code, which does not assign it, hold no value, and readers find nothing.",
	Fix:    "Keep it filled by a trigger until old code is gone, or add a new column and move over.",
	Covers: []string{"generated-to-plain"},
	Examples: []analyzer.Example{
		{
			Name: "stored", Catalogue: "generated-to-plain",
			Old: "CREATE TABLE users (id INT, twice INT AS (id + id) STORED)", Migrate: "ALTER TABLE users MODIFY twice INT",
			Want: []string{"new-code users.twice: write", "old-code users.twice: read, omit"},
		},
		{Name: "dropped", Old: "CREATE TABLE users (id INT, twice INT AS (id + id) STORED)", Migrate: "ALTER TABLE users DROP COLUMN twice"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnGenerated)
		if !ok || c.Old.Generated == nil || c.New.Generated != nil {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		what := n.String() + " is not computed any more"
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: analyzer.Read | analyzer.Omit, What: what, If: "old code reads it, or puts rows, which hold no value in it now"})
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: analyzer.Write, What: what, If: "new code assigns it (3105, MariaDB 1906)"})
		if !c.Old.Generated.Stored {
			p.Report(analyzer.Hazard{Breaks: running, Hits: n, What: "a VIRTUAL column cannot become an ordinary one (3106, MariaDB 1907): " + n.String(), Refused: true})
		}
	},
}
