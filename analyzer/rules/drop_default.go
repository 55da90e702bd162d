package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var dropDefault = &analyzer.Rule{
	ID: "drop-default", Since: "0.1", Breaks: analyzer.OldCode,
	Title:  "a column loses its default",
	Why:    "Old code that leaves the column out in an INSERT is refused (error 1364 in strict mode; 0 or an empty text otherwise). On MySQL ALTER COLUMN … DROP DEFAULT does this to a nullable column too, and to an AUTO_INCREMENT column, which then has to be named.",
	Fix:    "Release code that always names the column first. For a nullable column use MODIFY without a DEFAULT: it means DEFAULT NULL.",
	Covers: []string{"drop-default"},
	Examples: []analyzer.Example{
		{
			Name: "NOT NULL", Catalogue: "drop-default",
			Old: "CREATE TABLE users (age INT NOT NULL DEFAULT 1)", Migrate: "ALTER TABLE users ALTER COLUMN age DROP DEFAULT",
			Want: []string{"old-code users.age: omit"},
		},
		{
			Name: "nullable, by DROP DEFAULT",
			Old:  "CREATE TABLE users (age INT DEFAULT 1)", Migrate: "ALTER TABLE users ALTER COLUMN age DROP DEFAULT",
			Want: []string{"old-code users.age: omit"},
		},
		{
			Name: "loose", SQLMode: "loose",
			Old: "CREATE TABLE users (age INT NOT NULL DEFAULT 1)", Migrate: "ALTER TABLE users ALTER COLUMN age DROP DEFAULT",
			Want: []string{"old-code users.age: omit"},
		},
		{
			Name: "of a column that counts itself",
			Old:  "CREATE TABLE users (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY)", Migrate: "ALTER TABLE users ALTER COLUMN id DROP DEFAULT",
			Want: []string{"old-code users.id: omit"},
		},
		{
			Name: "of a column that counts itself, on MariaDB", Server: schema.Server{MariaDB: true, Major: 10, Minor: 11},
			Old: "CREATE TABLE users (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY)", Migrate: "ALTER TABLE users ALTER COLUMN id DROP DEFAULT",
		},
		{Name: "nullable, by MODIFY", Old: "CREATE TABLE users (age INT DEFAULT 1)", Migrate: "ALTER TABLE users MODIFY age INT"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnDefault)
		if !ok || needsValue(p, c.Old) || !needsValue(p, c.New) {
			return
		}
		if c.Old.Nullable && !c.New.Nullable || c.Old.AutoIncrement && !c.New.AutoIncrement {
			p.Accept() // the rule for that attribute tells it
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		p.Report(analyzer.Hazard{
			Breaks: oldCode, Hits: o, Use: analyzer.Omit, What: n.String() + " loses its default",
			If: "old code puts rows without naming it (1364, or another value in loose mode)",
		})
	},
}
