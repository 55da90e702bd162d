package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var changeCheck = &analyzer.Rule{
	ID: "change-check", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "a CHECK changes its expression",
	Why:    "Each version may write rows that the CHECK of the other schema refuses (error 3819, MariaDB 4025). Whether one expression follows from the other is not worked out.",
	Fix:    "If it only becomes stricter, release code that keeps it first. If it only becomes looser, migrate first. Say so by ignoring this finding with that reason, or change it in two releases.",
	Covers: []string{"change-check"},
	Examples: []analyzer.Example{
		{
			Name: "another expression", Catalogue: "change-check",
			Old:     "CREATE TABLE users (age INT, CONSTRAINT c CHECK (age > 0))",
			Migrate: "ALTER TABLE users DROP CHECK c, ADD CONSTRAINT c CHECK (age > 17)",
			Want:    []string{"new-code users: write", "old-code users: write", "running check users.c"},
		},
		{Name: "the same", Old: "CREATE TABLE users (age INT, CONSTRAINT c CHECK (age > 0))", Migrate: "ALTER TABLE users DROP CHECK c, ADD CONSTRAINT c CHECK (age > 0)"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ChangeCheck)
		if !ok {
			return
		}
		p.Accept()
		if c.Old.Expr == c.New.Expr {
			return // enforced or not: add-check and drop-check
		}
		t := c.Table.Name
		what := "CHECK of " + t + ": " + c.Old.Expr + " → " + c.New.Expr
		ignored := !p.Server.MariaDB && !p.MySQL(8, 0, 16)
		if !c.New.NotEnforced && !ignored {
			p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(p.OldTable(t)), Use: analyzer.Write, What: what, If: "old code writes rows that do not pass the new one"})
			p.Report(analyzer.Hazard{
				Breaks: running, Hits: schema.Object{Kind: schema.KindCheck, Table: t, Name: c.New.Name},
				What: "the migration fails on rows that do not pass (3819, MariaDB 4025): " + what, If: "there are such rows",
			})
		}
		if !c.Old.NotEnforced && !ignored {
			p.Report(analyzer.Hazard{Breaks: newCode, Hits: table(t), Use: analyzer.Write, What: what, If: "new code writes rows that do not pass the old one"})
		}
	},
}
