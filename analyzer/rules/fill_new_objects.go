package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var fillNewObjects = &analyzer.Rule{
	ID: "fill-new-objects", Since: "0.1", Breaks: analyzer.OldCode,
	Title: "a migration fills what the same release adds",
	Why:   "Old code knows neither the new table nor the new column, so filling them does not touch what it uses. Rows that old code writes afterwards are not filled. Other changes of rows are not judged, and make the verdict unproven.",
	Fix:   "Fill again after the last old process is gone, or have new code cope with rows that are not filled.",
	Examples: []analyzer.Example{
		{
			Name: "a new column is filled",
			Old:  "CREATE TABLE users (id INT, name TEXT)", Migrate: "ALTER TABLE users ADD COLUMN nick TEXT; UPDATE users SET nick = lower(name)",
		},
		{
			Name:    "a timestamp moves along",
			Old:     "CREATE TABLE users (id INT, changed TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)",
			Migrate: "ALTER TABLE users ADD COLUMN nick TEXT; UPDATE users SET nick = 'x'",
			Want:    []string{"old-code users.changed: read (caution)"},
		},
		{Name: "a new table is filled", Old: "CREATE TABLE users (id INT)", Migrate: "CREATE TABLE ids (id INT); INSERT INTO ids SELECT id FROM users"},
	},
	CheckStep: func(p *analyzer.Pass, st schema.Statement) {
		name, set, ok := target(st.SQL)
		if !ok {
			return
		}
		t := p.Old.Table(name)
		if t == nil || triggered(p.Old, t.Name) {
			return
		}
		if isNewTable(p, t) {
			p.Accept()
			return
		}
		if len(set) == 0 {
			return
		}
		for _, name := range set {
			if c := t.Column(name); c == nil || !isNewColumn(p, t, c) {
				return
			}
		}
		p.Accept()
		for _, c := range t.Columns {
			if c.OnUpdate != "" && !contains(set, c.Name) && !isNewColumn(p, t, c) {
				p.Report(analyzer.Hazard{
					Breaks: oldCode, Hits: column(t.Name, c.Name), Use: analyzer.Read, Caution: true,
					What: t.Name + "." + c.Name + " is set to the time of the migration in every row that it fills",
					If:   "somebody takes it for the time of a real change",
				})
			}
		}
	},
}
