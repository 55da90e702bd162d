package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var renameIndex = &analyzer.Rule{
	ID: "rename-index", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a key is renamed",
	Why:    "Only index hints name keys: FORCE, USE and IGNORE INDEX fail with error 1176 for a name that does not exist.",
	Fix:    "Search the code for the name. If nothing names it, nothing to do.",
	Covers: []string{"rename-index"},
	Examples: []analyzer.Example{
		{
			Name: "renamed", Catalogue: "rename-index",
			Old: "CREATE TABLE users (nick INT, KEY k (nick))", Migrate: "ALTER TABLE users RENAME KEY k TO l",
			Want: []string{"new-code key users.l: hint (caution)", "old-code key users.k: hint (caution)"},
		},
		{Name: "added", Old: "CREATE TABLE users (nick INT)", Migrate: "ALTER TABLE users ADD KEY k (nick)"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.RenameKey)
		if !ok {
			return
		}
		t := c.Table.Name
		h := analyzer.Hazard{Use: analyzer.Hint, Caution: true, What: "key " + c.Old.Name + " of " + t + " is renamed to " + c.New.Name, If: "an index hint names it (1176)"}
		h.Breaks, h.Hits = oldCode, key(p.OldTable(t), c.Old.Name)
		p.Report(h)
		h.Breaks, h.Hits = newCode, key(t, c.New.Name)
		p.Report(h)
	},
}
