package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var temporalFractionalSeconds = &analyzer.Rule{
	ID: "temporal-fractional-seconds", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "the fraction of seconds of a time type changes",
	Why:    "A fraction that does not fit is rounded (MySQL) or cut off (MariaDB) without an error, so a time that was stored is not found again.",
	Fix:    "Grow: migrate first. Shrink: release code that does not rely on the fraction first.",
	Covers: []string{"temporal-fsp"},
	Examples: []analyzer.Example{
		{
			Name: "more", Catalogue: "temporal-fsp",
			Old: "CREATE TABLE users (d DATETIME)", Migrate: "ALTER TABLE users MODIFY d DATETIME(6)",
			Want: []string{"new-code users.d: write", "old-code users.d: read (caution)"},
		},
		{
			Name: "less", Catalogue: "temporal-fsp",
			Old: "CREATE TABLE users (d DATETIME(6))", Migrate: "ALTER TABLE users MODIFY d DATETIME",
			Want: []string{"old-code users.d: write", "running users.d"},
		},
		{Name: "another type", Old: "CREATE TABLE users (d DATETIME)", Migrate: "ALTER TABLE users MODIFY d DATE"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnType)
		if !ok || kindOf(c) != temporalDigits {
			return
		}
		p.Accept()
		from, to := max(c.Old.Type.Length, 0), max(c.New.Type.Length, 0)
		switch {
		case to > from:
			widened(p, c, "the fraction is rounded without an error", "old code parses the longer text")
		case to < from:
			narrowed(p, c, "the fraction is rounded without an error", rows(p, c, "MICROSECOND("+quote(c.Old.Name)+") <> 0"))
		}
	},
}
