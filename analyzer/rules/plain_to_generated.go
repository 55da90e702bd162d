package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var plainToGenerated = &analyzer.Rule{
	ID: "plain-to-generated", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "an ordinary column becomes a generated one",
	Why:    "Old code that assigns the column is refused (error 3105; MariaDB 1906, ignored in loose mode). Its values are replaced by computed ones. New code does not assign the column, so the rows that it writes before the migration have no value in it, or are refused (1364).",
	Fix:    "Give the column a default or make it nullable, release code that neither assigns nor reads it, compare the stored values with the computed ones, convert, then read it. Or add a generated column under another name.",
	Covers: []string{"plain-to-generated"},
	Examples: []analyzer.Example{
		{
			Name: "stored", Catalogue: "plain-to-generated",
			Old: "CREATE TABLE users (id INT, twice INT)", Migrate: "ALTER TABLE users MODIFY twice INT AS (id + id) STORED",
			Want: []string{"new-code users.twice: read, omit", "old-code users.twice: read (caution)", "old-code users.twice: write", "running users.twice"},
		},
		{Name: "added", Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN twice INT AS (id + id) STORED"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnGenerated)
		if !ok || c.Old.Generated != nil || c.New.Generated == nil {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		what := n.String() + " becomes a generated column"
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: analyzer.Write, What: what, If: "old code assigns it (3105, MariaDB 1906)"})
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: analyzer.Read, Caution: true, What: what, If: "the computed values differ from those that were stored"})
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: analyzer.Read | analyzer.Omit, What: what, If: "new code puts rows without naming it before it is computed (1364, or no value in it), or reads such rows"})
		h := analyzer.Hazard{Breaks: running, Hits: n, What: "the stored values of " + n.String() + " are replaced by computed ones", If: "they differ"}
		if !c.New.Generated.Stored {
			h.What, h.If, h.Refused = "an ordinary column cannot become VIRTUAL (3106, MariaDB 1907): "+n.String(), "", true
		}
		p.Report(h)
	},
}
