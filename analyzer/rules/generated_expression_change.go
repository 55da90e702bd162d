package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var generatedExpressionChange = &analyzer.Rule{
	ID: "generated-expression-change", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "the expression of a generated column changes",
	Why:    "Each version reads values that it does not expect, without an error. The new expression may fail for what old code writes.",
	Fix:    "Add a second generated column, switch the readers, drop the first.",
	Covers: []string{"generated-expression-change"},
	Examples: []analyzer.Example{
		{
			Name: "another expression", Catalogue: "generated-expression-change",
			Old: "CREATE TABLE users (id INT, v INT AS (id + 1) STORED)", Migrate: "ALTER TABLE users MODIFY v INT AS (id + 2) STORED",
			Want: []string{"new-code users.v: read", "old-code users: write", "old-code users.v: read"},
		},
		{Name: "added", Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN v INT AS (id) STORED"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnGenerated)
		if !ok || c.Old.Generated == nil || c.New.Generated == nil {
			return
		}
		p.Accept()
		o, n := ends(p, c.Table, c.Old, c.New)
		if c.Old.Generated.Stored != c.New.Generated.Stored {
			p.Report(analyzer.Hazard{Breaks: running, Hits: n, What: "a column cannot change between VIRTUAL and STORED (3106, MariaDB 1907): " + n.String(), Refused: true})
		}
		if c.Old.Generated.Expr == c.New.Generated.Expr {
			return
		}
		what := n.String() + " is computed in another way"
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: analyzer.Read, What: what})
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: analyzer.Read, What: what})
		p.Report(analyzer.Hazard{
			Breaks: oldCode, Hits: table(o.Table), Use: analyzer.Write, Caution: !canFail(c.Table, c.New), What: what,
			If: "the new expression fails for a value that old code writes",
		})
	},
}
