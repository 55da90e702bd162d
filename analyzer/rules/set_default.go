package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var setDefault = &analyzer.Rule{
	ID: "set-default", Since: "0.1", Breaks: analyzer.NewCode,
	Title:  "a column gets a default",
	Why:    "Before the migration the INSERTs of new code that leave the column out are refused (error 1364 in strict mode; otherwise the row gets 0 or an empty text instead of the default).",
	Fix:    "Run the migration before the new code.",
	Covers: []string{"set-default"},
	Examples: []analyzer.Example{
		{
			Name: "strict", Catalogue: "set-default",
			Old: "CREATE TABLE users (age INT NOT NULL)", Migrate: "ALTER TABLE users ALTER COLUMN age SET DEFAULT 3",
			Want: []string{"new-code users.age: omit"},
		},
		{Name: "it had one", Old: "CREATE TABLE users (age INT NOT NULL DEFAULT 1)", Migrate: "ALTER TABLE users ALTER COLUMN age SET DEFAULT 3"},
		{Name: "dropped", Old: "CREATE TABLE users (age INT NOT NULL DEFAULT 1)", Migrate: "ALTER TABLE users ALTER COLUMN age DROP DEFAULT"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnDefault)
		if !ok || !needsValue(p, c.Old) || needsValue(p, c.New) {
			return
		}
		if !c.Old.Nullable && c.New.Nullable || !c.Old.AutoIncrement && c.New.AutoIncrement {
			p.Accept() // the rule for that attribute tells it
			return
		}
		_, n := ends(p, c.Table, c.Old, c.New)
		p.Report(analyzer.Hazard{
			Breaks: newCode, Hits: n, Use: analyzer.Omit, What: n.String() + " gets " + analyzer.DefaultText(c.New),
			If: "new code puts rows without naming it (1364, or another value in loose mode)",
		})
	},
}
