package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var indexVisibility = &analyzer.Rule{
	ID: "index-visibility", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a key becomes invisible or visible",
	Why:    "Queries do not use an INVISIBLE (MariaDB: IGNORED) key: they may become slow, and FORCE INDEX on it fails (error 1176). It is still unique if it was.",
	Fix:    "Release code that does not need the key before hiding it.",
	Covers: []string{"index-visibility"},
	Examples: []analyzer.Example{
		{
			Name: "hidden", Catalogue: "index-visibility",
			Old: "CREATE TABLE users (nick INT, KEY k (nick))", Migrate: "ALTER TABLE users ALTER INDEX k INVISIBLE",
			Want: []string{"old-code users.nick: read"},
		},
		{
			Name: "shown",
			Old:  "CREATE TABLE users (nick INT, KEY k (nick) INVISIBLE)", Migrate: "ALTER TABLE users ALTER INDEX k VISIBLE",
			Want: []string{"new-code key users.k: hint (caution)"},
		},
		{Name: "added", Old: "CREATE TABLE users (nick INT)", Migrate: "ALTER TABLE users ADD KEY k (nick)"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ChangeKey)
		if !ok || keyChangeOf(c) != visibilityChange {
			return
		}
		if c.New.Invisible {
			losesKey(p, p.OldTable(c.Table.Name), c.Old, "key "+c.New.Name+" of "+c.Table.Name+" becomes invisible")
			return
		}
		p.Report(analyzer.Hazard{
			Breaks: newCode, Hits: key(c.Table.Name, c.New.Name), Use: analyzer.Hint, Caution: true,
			What: "key " + c.New.Name + " of " + c.Table.Name + " becomes visible", If: "new code names it in an index hint (1176), or is too slow without it",
		})
	},
}
