package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var addColumnNotNullNoDefault = &analyzer.Rule{
	ID: "add-column-not-null-no-default", Since: "0.1", Breaks: analyzer.OldCode | analyzer.Running,
	Title:  "a column is added that every INSERT must name",
	Why:    "The column is NOT NULL and has no default. Old code does not know it, so its INSERT is refused with error 1364 in strict mode. In loose mode the row silently gets 0 or an empty text.",
	Fix:    "Give the column a DEFAULT. Or add it nullable, deploy code that writes it, fill old rows, and make it NOT NULL one release later.",
	Covers: []string{"add-column-not-null-no-default"},
	Examples: []analyzer.Example{
		{
			Name: "strict", Catalogue: "add-column-not-null-no-default",
			Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN age INT NOT NULL",
			Want: []string{"old-code users.age: omit"},
		},
		{
			Name: "loose", SQLMode: "loose",
			Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN age INT NOT NULL",
			Want: []string{"old-code users.age: omit (caution)"},
		},
		{
			Name: "loose, but a point has no value of its own", SQLMode: "loose",
			Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN home POINT NOT NULL",
			Want: []string{"old-code users.home: omit", "running users.home"},
		},
		{
			Name: "a date cannot be zero",
			Old:  "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN born DATE NOT NULL",
			Want: []string{"old-code users.born: omit", "running users.born"},
		},
		{Name: "with a default", Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN age INT NOT NULL DEFAULT 0"},
		{Name: "ENUM", Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN state ENUM('a','b') NOT NULL"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		add, ok := c.(*schema.AddColumn)
		if !ok || !needsValue(p, add.Column) {
			return
		}
		t, col := add.Table.Name, add.Column
		h := analyzer.Hazard{
			Breaks: oldCode, Hits: column(p.OldTable(t), col.Name), Use: analyzer.Omit,
			What: t + "." + col.Name + " is added NOT NULL without a default, so rows that do not name it are refused (1364)",
		}
		if !refusesOmission(p, col) {
			h.Caution = true
			h.What = t + "." + col.Name + " is added NOT NULL without a default"
			h.If = "0 or an empty text is no true value for the rows that old code writes"
		}
		p.Report(h)
		if n := col.Type.Name; (n == "date" || n == "datetime") && !p.Server.MariaDB {
			// NO_ZERO_DATE is part of MySQL's default mode (tested on MySQL 9.7: 1292; MariaDB 10.11 stores the zero date).
			p.Report(analyzer.Hazard{
				Breaks: running, Hits: column(t, col.Name), What: "rows that exist would get the zero date, which NO_ZERO_DATE refuses (1292)",
				If: t + " holds rows", Preflight: "SELECT 1 FROM " + quote(t) + " LIMIT 1",
			})
		}
		if isSpatial(col.Type) && !p.Server.MariaDB {
			// Tested on MySQL 9.7: 1138; MariaDB 10.11 takes it.
			p.Report(analyzer.Hazard{
				Breaks: running, Hits: column(t, col.Name), What: "rows that exist would get no geometry, which NOT NULL refuses (1138)",
				If: t + " holds rows", Preflight: "SELECT 1 FROM " + quote(t) + " LIMIT 1",
			})
		}
	},
}
