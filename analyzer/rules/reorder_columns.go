package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var reorderColumns = &analyzer.Rule{
	ID: "reorder-columns", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "columns change their order",
	Why:    "Code that names its columns does not notice. Code that reads SELECT * by position or inserts without a list of columns silently mixes up values, in every order.",
	Fix:    "Do not reorder columns; new ones can stand at the end.",
	Covers: []string{"reorder-columns"},
	Examples: []analyzer.Example{
		{
			Name: "moved to the front", Catalogue: "reorder-columns",
			Old: "CREATE TABLE users (id INT, nick TEXT)", Migrate: "ALTER TABLE users MODIFY nick TEXT FIRST",
			Want: []string{"new-code users: position (caution)", "old-code users: position (caution)"},
		},
		{Name: "changed in its place", Old: "CREATE TABLE users (id INT, nick TEXT)", Migrate: "ALTER TABLE users MODIFY nick LONGTEXT"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		r, ok := c.(*schema.ReorderColumns)
		if !ok {
			return
		}
		h := analyzer.Hazard{
			Use: analyzer.Position, Caution: true, What: "the columns of " + r.New.Name + " stand in another order",
			If: "rows are read by position or inserted without a list of columns",
		}
		h.Breaks, h.Hits = oldCode, table(r.Old.Name)
		p.Report(h)
		h.Breaks, h.Hits = newCode, table(r.New.Name)
		p.Report(h)
	},
}
