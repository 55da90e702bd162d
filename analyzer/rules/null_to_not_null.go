package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var nullToNotNull = &analyzer.Rule{
	ID: "null-to-not-null", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "a column becomes NOT NULL",
	Why:    "Old code may write NULL (error 1048), or leave the column out where it has no default (1364). The migration fails on rows that hold NULL (1138, MariaDB 1265), and stops half-way; with a loose sql_mode of its own it turns them into 0 or an empty text.",
	Fix:    "Release code that always writes a value, fill the rows that hold NULL, and make the column NOT NULL one release later. A DEFAULT helps those who leave the column out, not those who write NULL.",
	Covers: []string{"null-to-not-null"},
	Examples: []analyzer.Example{
		{
			Name: "without a default", Catalogue: "null-to-not-null",
			Old: "CREATE TABLE users (age INT)", Migrate: "ALTER TABLE users MODIFY age INT NOT NULL",
			Want: []string{"old-code users.age: omit", "old-code users.age: write", "running users.age"},
		},
		{
			Name: "with a default",
			Old:  "CREATE TABLE users (age INT)", Migrate: "ALTER TABLE users MODIFY age INT NOT NULL DEFAULT 0",
			Want: []string{"old-code users.age: write", "running users.age"},
		},
		{
			Name: "loose", SQLMode: "loose",
			Old: "CREATE TABLE users (age INT)", Migrate: "ALTER TABLE users MODIFY age INT NOT NULL",
			Want: []string{"old-code users.age: omit (caution)", "old-code users.age: write", "running users.age"},
		},
		{
			Name: "a CHECK refuses what is left out until then", SQLMode: "loose",
			Old: "CREATE TABLE users (age INT, CONSTRAINT known CHECK (age IS NOT NULL))", Migrate: "ALTER TABLE users MODIFY age INT NOT NULL",
			Want: []string{"new-code users.age: omit", "old-code users.age: omit (caution)", "old-code users.age: write", "running users.age"},
		},
		{Name: "the other way", Old: "CREATE TABLE users (age INT NOT NULL)", Migrate: "ALTER TABLE users MODIFY age INT"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnNullability)
		if !ok || c.New.Nullable {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		what := n.String() + " becomes NOT NULL"
		if c.New.Generated == nil {
			p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: analyzer.Write, What: what, If: "old code writes NULL (1048)"})
		} else {
			p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(o.Table), Use: analyzer.Write, What: what, If: "its expression gives NULL for a row that old code writes (1048)"})
		}
		if needsValue(p, c.New) && !needsValue(p, c.Old) {
			p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: analyzer.Omit, Caution: !refusesOmission(p, c.New), What: what + " without a default", If: "old code puts rows without naming it (1364)"})
		}
		if got, _, _ := whenOmitted(p, c.Old); got == omittedNull && !refusesOmission(p, c.New) {
			if old := p.Old.Table(o.Table); old != nil && omittedRefusable(p, old, c.Old) {
				p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: analyzer.Omit, What: what, If: "a CHECK, a foreign key or a computed column refuses NULL, which rows of new code that leave it out have until then (1452, 3819)"})
			}
		}
		p.Report(analyzer.Hazard{
			Breaks: running, Hits: n, What: "the migration fails on rows that hold NULL (1138, MariaDB 1265), or changes them in loose mode: " + what, If: "there are such rows",
			Preflight: "SELECT 1 FROM " + quote(o.Table) + " WHERE " + quote(o.Name) + " IS NULL LIMIT 1",
		})
	},
}
