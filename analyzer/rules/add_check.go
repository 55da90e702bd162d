package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var addCheck = &analyzer.Rule{
	ID: "add-check", Since: "0.1", Breaks: analyzer.OldCode | analyzer.Running,
	Title:  "a CHECK is added",
	Why:    "Old code may write rows that it refuses (error 3819, MariaDB 4025). NULL passes. The migration fails on rows that exist and do not pass.",
	Fix:    "Release code that keeps the rule first, clean the rows, then add the CHECK. On MySQL it can be added NOT ENFORCED first.",
	Covers: []string{"add-check", "check-not-enforced", "add-column-with-check"},
	Examples: []analyzer.Example{
		{
			Name: "on a column that exists", Catalogue: "add-check",
			Old: "CREATE TABLE users (age INT)", Migrate: "ALTER TABLE users ADD CONSTRAINT c CHECK (age > 0)",
			Want: []string{"old-code users: write", "running check users.c"},
		},
		{
			Name: "on a new column", Catalogue: "add-column-with-check",
			Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN age INT, ADD CONSTRAINT c CHECK (age > 0)",
			Want: []string{"old-code users: write (caution)", "running check users.c"},
		},
		{
			Name: "on a new column whose default does not pass",
			Old:  "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN age INT NOT NULL DEFAULT 0, ADD CONSTRAINT c CHECK (age > 0)",
			Want: []string{"old-code users: write", "running check users.c"},
		},
		{
			Name: "on a new column whose default passes",
			Old:  "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN age INT NOT NULL DEFAULT 0, ADD CONSTRAINT c CHECK (age >= 0)",
			Want: []string{"old-code users: write (caution)", "running check users.c"},
		},
		{
			Name: "on a new column that NULL does not pass",
			Old:  "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN age INT, ADD CONSTRAINT c CHECK (COALESCE(age, 0) > 0)",
			Want: []string{"old-code users: write", "running check users.c"},
		},
		{
			Name: "enforced", Catalogue: "check-not-enforced",
			Old: "CREATE TABLE users (age INT, CONSTRAINT c CHECK (age > 0) NOT ENFORCED)", Migrate: "ALTER TABLE users ALTER CHECK c ENFORCED",
			Want: []string{"old-code users: write", "running check users.c"},
		},
		{Name: "not enforced", Old: "CREATE TABLE users (age INT)", Migrate: "ALTER TABLE users ADD CONSTRAINT c CHECK (age > 0) NOT ENFORCED"},
		{Name: "ignored", Server: schema.Server{Major: 5, Minor: 7}, Old: "CREATE TABLE users (age INT)", Migrate: "ALTER TABLE users ADD CONSTRAINT c CHECK (age > 0)"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		switch c := ch.(type) {
		case *schema.AddCheck:
			p.Accept()
			addsCheck(p, c.Table, c.Check)
		case *schema.ChangeCheck:
			if c.Old.Expr == c.New.Expr && c.Old.NotEnforced && !c.New.NotEnforced {
				addsCheck(p, c.Table, c.New)
			}
		}
	},
}

// addsCheck reports an enforced CHECK. CHECK is parsed and ignored before MySQL 8.0.16.
func addsCheck(p *analyzer.Pass, t *schema.Table, k *schema.Check) {
	if k.NotEnforced || !p.Server.MariaDB && !p.MySQL(8, 0, 16) {
		return
	}
	// Old code leaves new columns out. Of a CHECK over new columns alone it can be told whether such a row passes.
	fresh := true
	var added []*schema.Column
	for _, name := range k.Columns {
		if c := t.Column(name); c != nil {
			added = append(added, c)
			fresh = fresh && p.AddedColumn(t.Name, c.Name) != nil
		}
	}
	kept := fresh && len(added) > 0 && omittedPasses(p, added, k.Expr)
	what := t.Name + " gets CHECK " + k.Expr
	p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(p.OldTable(t.Name)), Use: analyzer.Write, Caution: kept, What: what, If: "old code writes rows that do not pass (3819, MariaDB 4025)"})
	h := analyzer.Hazard{
		Breaks: running, Hits: schema.Object{Kind: schema.KindCheck, Table: t.Name, Name: k.Name},
		What: "the migration fails on rows that do not pass (3819, MariaDB 4025): " + what, If: "there are such rows",
	}
	if !fresh && p.OldTable(t.Name) == t.Name && p.CanAsk(t.Name) {
		h.Preflight = "SELECT 1 FROM " + quote(t.Name) + " WHERE NOT (" + k.Expr + ") LIMIT 1"
		for _, name := range k.Columns {
			if c := t.Column(name); c == nil || !p.CanAsk(t.Name, c.Name) || p.OldColumn(t.Name, c.Name) != c.Name {
				h.Preflight = "" // it cannot be asked before the migration
			}
		}
	}
	p.Report(h)
}
