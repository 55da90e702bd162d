package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var textToJSON = &analyzer.Rule{
	ID: "text-to-json", Since: "0.1", Breaks: analyzer.OldCode | analyzer.Running,
	Title:  "a text becomes JSON",
	Why:    "The new column refuses what is no valid JSON, the empty text too (error 3140, MariaDB 4025), also in loose mode. MySQL stores JSON in its own form: order of keys and blanks change, so comparisons of whole texts and signatures stop matching.",
	Fix:    "Have code write valid JSON first, test all rows with JSON_VALID, then convert. Keep text that is signed as text.",
	Covers: []string{"text-to-json"},
	Examples: []analyzer.Example{
		{
			Name: "MySQL", Catalogue: "text-to-json",
			Old: "CREATE TABLE users (d LONGTEXT)", Migrate: "ALTER TABLE users MODIFY d JSON",
			Want: []string{"old-code users.d: read, write", "running users.d"},
		},
		{Name: "the other way", Old: "CREATE TABLE users (d JSON)", Migrate: "ALTER TABLE users MODIFY d LONGTEXT"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnType)
		if !ok || kindOf(c) != textBecomesJSON {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		use, cond := readWrite, "old code writes what is no valid JSON (3140) or compares the whole text"
		if p.Server.MariaDB {
			use, cond = analyzer.Write, "old code writes what is no valid JSON (4025)"
		}
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: use, What: change(n, c), If: cond})
		p.Report(analyzer.Hazard{
			Breaks: running, Hits: n, What: "the migration fails on rows that are no valid JSON: " + change(n, c), If: "there are such rows",
			Preflight: rows(p, c, "NOT JSON_VALID("+quote(c.Old.Name)+")"),
		})
	},
}
