package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var dropColumnNotNullNoDefault = &analyzer.Rule{
	ID: "drop-column-not-null-no-default", Since: "0.1", Breaks: analyzer.NewCode,
	Title:  "a column is dropped that every INSERT had to name",
	Why:    "New code does not name the column any more. As long as it is there, NOT NULL and without a default, the INSERTs of new code are refused with error 1364 in strict mode. Old code names the column, so the other order does not work either.",
	Fix:    "Make the column nullable or give it a DEFAULT in one release (that is cheap), and drop it in the next.",
	Covers: []string{"drop-column-not-null-no-default"},
	Examples: []analyzer.Example{
		{
			Name: "strict", Catalogue: "drop-column-not-null-no-default",
			Old: "CREATE TABLE users (id INT, age INT NOT NULL)", Migrate: "ALTER TABLE users DROP COLUMN age",
			Want: []string{"new-code users.age: omit"},
		},
		{
			Name: "loose", SQLMode: "loose",
			Old: "CREATE TABLE users (id INT, age INT NOT NULL)", Migrate: "ALTER TABLE users DROP COLUMN age",
			Want: []string{"new-code users.age: omit (caution)"},
		},
		{Name: "nullable", Old: "CREATE TABLE users (id INT, age INT)", Migrate: "ALTER TABLE users DROP COLUMN age"},
		{Name: "with a default", Old: "CREATE TABLE users (id INT, age INT NOT NULL DEFAULT 1)", Migrate: "ALTER TABLE users DROP COLUMN age"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		drop, ok := c.(*schema.DropColumn)
		if !ok || !needsValue(p, drop.Column) {
			return
		}
		o := column(p.NewTable(drop.Table.Name), drop.Column.Name)
		h := analyzer.Hazard{
			Breaks: newCode, Hits: o, Use: analyzer.Omit,
			What: o.String() + " is NOT NULL without a default until it is dropped, so rows that do not name it are refused (1364)",
		}
		if !refusesOmission(p, drop.Column) {
			h.Caution = true
			h.What = o.String() + " gets 0 or an empty text in the rows of new code until it is dropped"
			h.If = "somebody still reads it"
		}
		p.Report(h)
	},
}
