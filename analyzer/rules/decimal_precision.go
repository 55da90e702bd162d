package rules

import (
	"strconv"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var decimalPrecision = &analyzer.Rule{
	ID: "decimal-precision", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "the digits of a DECIMAL change",
	Why:    "More digits: new code cannot store them before the migration. Fewer digits: old code cannot store them after it. Digits behind the point are rounded with no more than a note; strict mode does not stop that.",
	Fix:    "Grow: migrate first. Shrink: release code that needs fewer digits first. To give digits behind the point for digits before it, grow first.",
	Covers: []string{"decimal-precision"},
	Examples: []analyzer.Example{
		{
			Name: "more digits", Catalogue: "decimal-precision",
			Old: "CREATE TABLE users (d DECIMAL(8,2))", Migrate: "ALTER TABLE users MODIFY d DECIMAL(10,2)",
			Want: []string{"new-code users.d: write", "old-code users.d: read (caution)"},
		},
		{
			Name: "fewer digits", Catalogue: "decimal-precision",
			Old: "CREATE TABLE users (d DECIMAL(10,4))", Migrate: "ALTER TABLE users MODIFY d DECIMAL(8,2)",
			Want: []string{"old-code users.d: write", "running users.d"},
		},
		{
			Name: "more behind the point, fewer before it",
			Old:  "CREATE TABLE users (d DECIMAL(8,2))", Migrate: "ALTER TABLE users MODIFY d DECIMAL(8,4)",
			Want: []string{"new-code users.d: write", "old-code users.d: read (caution)", "old-code users.d: write", "running users.d"},
		},
		{Name: "no decimal", Old: "CREATE TABLE users (d INT)", Migrate: "ALTER TABLE users MODIFY d BIGINT"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnType)
		if !ok || kindOf(c) != decimalDigits {
			return
		}
		p.Accept()
		digits := func(t schema.Type) (before, behind int) {
			precision, scale := t.Length, t.Scale
			if precision < 0 {
				precision = 10 // manual: Fixed-Point Types
			}
			if scale < 0 {
				scale = 0
			}
			return precision - scale, scale
		}
		ob, os := digits(c.Old.Type)
		nb, ns := digits(c.New.Type)
		if nb > ob || ns > os {
			widened(p, c, "1264, or rounded", "old code reads it with fewer digits")
		}
		if nb < ob || ns < os {
			name := quote(c.Old.Name)
			narrowed(p, c, "1264, or rounded", rows(p, c, name+" <> ROUND("+name+", "+strconv.Itoa(ns)+") OR ABS("+name+") >= 1e"+strconv.Itoa(nb)))
		}
	},
}
