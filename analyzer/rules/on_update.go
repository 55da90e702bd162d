package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var onUpdate = &analyzer.Rule{
	ID: "on-update", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "ON UPDATE CURRENT_TIMESTAMP is added or removed",
	Why:    "Nothing fails. A time begins to move with every update, or stops to. Readers that ask for what changed since then, and optimistic locks, go wrong silently.",
	Fix:    "If anything reads the time to find changes, have code write it itself first.",
	Covers: []string{"on-update-add-drop"},
	Examples: []analyzer.Example{
		{
			Name: "removed", Catalogue: "on-update-add-drop",
			Old:     "CREATE TABLE users (t TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)",
			Migrate: "ALTER TABLE users MODIFY t TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP",
			Want:    []string{"new-code users.t: read (caution)", "old-code users.t: read (caution)"},
		},
		{Name: "another change", Old: "CREATE TABLE users (age INT)", Migrate: "ALTER TABLE users MODIFY age BIGINT"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnOnUpdate)
		if !ok {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		what := n.String() + " moves with every update"
		if c.New.OnUpdate == "" {
			what = n.String() + " does not move with updates any more"
		}
		h := analyzer.Hazard{Use: analyzer.Read, Caution: true, What: what, If: "somebody reads it to find out what changed"}
		h.Breaks, h.Hits = oldCode, o
		p.Report(h)
		h.Breaks, h.Hits = newCode, n
		p.Report(h)
	},
}
