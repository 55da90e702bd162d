package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var dropCheck = &analyzer.Rule{
	ID: "drop-check", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a CHECK is dropped",
	Why:    "Before the migration new code cannot write what it refuses (error 3819, MariaDB 4025). After it, old readers may meet values that it kept out.",
	Fix:    "Run the migration first; write other values only when all readers are new.",
	Covers: []string{"drop-check", "check-not-enforced"},
	Examples: []analyzer.Example{
		{
			Name: "dropped", Catalogue: "drop-check",
			Old: "CREATE TABLE users (age INT, CONSTRAINT c CHECK (age > 0))", Migrate: "ALTER TABLE users DROP CHECK c",
			Want: []string{"new-code users: write", "old-code users: read (caution)"},
		},
		{
			Name: "not enforced any more", Catalogue: "check-not-enforced",
			Old: "CREATE TABLE users (age INT, CONSTRAINT c CHECK (age > 0))", Migrate: "ALTER TABLE users ALTER CHECK c NOT ENFORCED",
			Want: []string{"new-code users: write", "old-code users: read (caution)"},
		},
		{Name: "its column goes too", Old: "CREATE TABLE users (id INT, age INT, CONSTRAINT c CHECK (age > 0))", Migrate: "ALTER TABLE users DROP CHECK c, DROP COLUMN age"},
		{
			Name: "its column goes too, with a default that does not pass",
			Old:  "CREATE TABLE users (id INT, age INT NOT NULL DEFAULT 0, CONSTRAINT c CHECK (age > 0))", Migrate: "ALTER TABLE users DROP CHECK c, DROP COLUMN age",
			Want: []string{"new-code users: write"},
		},
		{Name: "it was not enforced", Old: "CREATE TABLE users (age INT, CONSTRAINT c CHECK (age > 0) NOT ENFORCED)", Migrate: "ALTER TABLE users DROP CHECK c"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		switch c := ch.(type) {
		case *schema.DropCheck:
			p.Accept()
			dropsCheck(p, c.Table.Name, c.Check)
		case *schema.ChangeCheck:
			if c.Old.Expr == c.New.Expr && !c.Old.NotEnforced && c.New.NotEnforced {
				dropsCheck(p, p.OldTable(c.Table.Name), c.Old)
			}
		}
	},
}

// dropsCheck reports that an enforced CHECK of an old table goes.
func dropsCheck(p *analyzer.Pass, t string, k *schema.Check) {
	if k.NotEnforced || !p.Server.MariaDB && !p.MySQL(8, 0, 16) {
		return
	}
	what := "CHECK " + k.Expr + " of " + t + " goes"
	gone := len(k.Columns) > 0 && p.Old.Table(t) != nil // with its columns: new code leaves them out
	var dropped []*schema.Column
	for _, name := range k.Columns {
		if !gone {
			break
		}
		c := p.Old.Table(t).Column(name)
		gone = gone && c != nil && p.DroppedColumn(t, c.Name)
		dropped = append(dropped, c)
	}
	if gone {
		if n := p.NewTable(t); !omittedPasses(p, dropped, k.Expr) && p.New.Table(n) != nil {
			p.Report(analyzer.Hazard{Breaks: newCode, Hits: table(n), Use: analyzer.Write, What: what, If: "what rows get without its columns does not pass (3819, MariaDB 4025)"})
		}
		return
	}
	if n := p.NewTable(t); p.New.Table(n) != nil {
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: table(n), Use: analyzer.Write, What: what, If: "new code writes rows that do not pass (3819, MariaDB 4025)"})
	}
	p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(t), Use: analyzer.Read, Caution: true, Mediated: true, What: what, If: "new code has written such rows and old code does not expect them"})
}
