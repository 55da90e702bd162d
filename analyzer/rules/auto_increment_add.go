package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var autoIncrementAdd = &analyzer.Rule{
	ID: "auto-increment-add", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "a column gets AUTO_INCREMENT",
	Why:    "Before the migration the INSERTs of new code that leave the column out are refused (error 1364). After it, an explicit 0 becomes a new number; the migration itself renumbers a row that holds 0.",
	Fix:    "Run the migration before the new code.",
	Covers: []string{"auto-increment-add"},
	Examples: []analyzer.Example{
		{
			Name: "added", Catalogue: "auto-increment-add",
			Old: "CREATE TABLE users (id INT NOT NULL PRIMARY KEY)", Migrate: "ALTER TABLE users MODIFY id INT NOT NULL AUTO_INCREMENT",
			Want: []string{"new-code users.id: omit", "old-code users.id: insert (caution)", "running users.id"},
		},
		{Name: "removed", Old: "CREATE TABLE users (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY)", Migrate: "ALTER TABLE users MODIFY id INT NOT NULL"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnAutoIncrement)
		if !ok || !c.New.AutoIncrement {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		what := n.String() + " gets AUTO_INCREMENT"
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: analyzer.Omit, What: what, If: "new code puts rows without naming it (1364, or always the same number)"})
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: analyzer.Insert, Caution: true, What: what, If: "old code writes an explicit 0, which becomes a new number"})
		p.Report(analyzer.Hazard{
			Breaks: running, Hits: n, What: "a row with 0 in " + n.String() + " gets a new number", If: "there is one",
			Preflight: "SELECT 1 FROM " + quote(o.Table) + " WHERE " + quote(o.Name) + " = 0 LIMIT 1",
		})
	},
}
