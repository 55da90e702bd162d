package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var notNullToNull = &analyzer.Rule{
	ID: "not-null-to-null", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a column accepts NULL",
	Why:    "Before the migration new code cannot write NULL (error 1048) or leave the column out (1364). After it, old readers may meet a NULL that new code has written, and fail or count wrongly.",
	Fix:    "Run the migration first; write NULLs only when all readers are new, also after a rollback.",
	Covers: []string{"not-null-to-null"},
	Examples: []analyzer.Example{
		{
			Name: "relaxed", Catalogue: "not-null-to-null",
			Old: "CREATE TABLE users (age INT NOT NULL)", Migrate: "ALTER TABLE users MODIFY age INT",
			Want: []string{"new-code users.age: omit", "new-code users.age: write", "old-code users.age: read (caution)"},
		},
		{
			Name: "it had a default",
			Old:  "CREATE TABLE users (age INT NOT NULL DEFAULT 1)", Migrate: "ALTER TABLE users MODIFY age INT DEFAULT 1",
			Want: []string{"new-code users.age: write", "old-code users.age: read (caution)"},
		},
		{
			Name: "a CHECK refuses what is left out now", SQLMode: "loose",
			Old: "CREATE TABLE users (age INT NOT NULL, CONSTRAINT known CHECK (age IS NOT NULL))", Migrate: "ALTER TABLE users MODIFY age INT",
			Want: []string{"new-code users.age: omit (caution)", "new-code users.age: write", "old-code users.age: omit", "old-code users.age: read (caution)"},
		},
		{Name: "the other way", Old: "CREATE TABLE users (age INT)", Migrate: "ALTER TABLE users MODIFY age INT NOT NULL"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnNullability)
		if !ok || !c.New.Nullable {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		what := n.String() + " accepts NULL"
		if c.New.Generated == nil {
			p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: analyzer.Write, What: what, If: "new code writes NULL (1048)"})
		}
		if needsValue(p, c.Old) && !needsValue(p, c.New) {
			p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: analyzer.Omit, Caution: !refusesOmission(p, c.Old), What: what, If: "new code puts rows without naming it (1364)"})
		}
		if got, _, _ := whenOmitted(p, c.New); got == omittedNull && !refusesOmission(p, c.Old) && omittedRefusable(p, c.Table, c.New) {
			p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: analyzer.Omit, What: what, If: "a CHECK, a foreign key or a computed column refuses NULL in rows of old code that leave it out (1452, 3819)"})
		}
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: analyzer.Read, Caution: true, Mediated: true, What: what, If: "new code has written NULL and old code does not expect it"})
	},
}
