package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var autoIncrementDrop = &analyzer.Rule{
	ID: "auto-increment-drop", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a column loses AUTO_INCREMENT",
	Why:    "Old code that leaves the column out in an INSERT, or writes NULL to get a number, is refused (errors 1364, 1048). Code that always gives the number does not notice.",
	Fix:    "Release code that always gives the number first. If old code does so already, show it (evidence) or ignore the finding with that reason.",
	Covers: []string{"auto-increment-drop"},
	Examples: []analyzer.Example{
		{
			Name: "removed", Catalogue: "auto-increment-drop",
			Old: "CREATE TABLE users (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY)", Migrate: "ALTER TABLE users MODIFY id INT NOT NULL",
			Want: []string{"new-code users.id: insert (caution)", "old-code users.id: omit"},
		},
		{Name: "added", Old: "CREATE TABLE users (id INT NOT NULL PRIMARY KEY)", Migrate: "ALTER TABLE users MODIFY id INT NOT NULL AUTO_INCREMENT"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnAutoIncrement)
		if !ok || c.New.AutoIncrement {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		p.Report(analyzer.Hazard{
			Breaks: newCode, Hits: n, Use: analyzer.Insert, Caution: true, What: n.String() + " has AUTO_INCREMENT until the migration",
			If: "new code writes an explicit 0, for which the server puts a number of its own",
		})
		p.Report(analyzer.Hazard{
			Breaks: oldCode, Hits: o, Use: analyzer.Omit, What: n.String() + " loses AUTO_INCREMENT",
			If: "old code leaves it to the server to give the number (1364, 1048)",
		})
	},
}
