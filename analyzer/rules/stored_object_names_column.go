package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var storedObjectNamesColumn = &analyzer.Rule{
	ID: "stored-object-names-column", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a trigger, view or routine still names a column or table that goes",
	Why:    "The server does not look into stored objects when the column or table goes. A stale trigger then refuses every write to its table (1054, 1146), a stale view every use (1356): of old code and of new code alike.",
	Fix:    "Create the trigger, view or routine again without the name, in an earlier step of the same migration.",
	Covers: []string{"drop-column-used-by-trigger-view-routine"},
	Examples: []analyzer.Example{
		{
			Name: "view", Catalogue: "drop-column-used-by-trigger-view-routine",
			Old: "CREATE TABLE users (id INT, nick TEXT); CREATE VIEW nicks AS SELECT nick FROM users", Migrate: "ALTER TABLE users DROP COLUMN nick",
			Want: []string{"new-code view nicks: read, write, delete", "old-code view nicks: read, write, delete"},
		},
		{Name: "another name", Old: "CREATE TABLE users (id INT, nick TEXT); CREATE VIEW ids AS SELECT id FROM users", Migrate: "ALTER TABLE users DROP COLUMN nick"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		var t, name, gone string
		switch c := c.(type) {
		case *schema.DropColumn:
			t, name = c.Table.Name, c.Column.Name
			gone = t + "." + name
		case *schema.RenameColumn:
			t, name = c.Table.Name, c.Old.Name
			gone = t + "." + name
		case *schema.DropTable:
			t, name = c.Table.Name, c.Table.Name
			gone = t
		case *schema.RenameTable:
			t, name = c.Old.Name, c.Old.Name
			gone = t
		default:
			return
		}
		for _, m := range p.Mentions(name) {
			if m.Object.Table == t || word(m.Text, t) || word(m.Text, p.OldTable(t)) || word(m.Text, p.NewTable(t)) {
				p.Report(analyzer.Hazard{
					Breaks: oldCode | newCode, Hits: m.Object, Use: anyUse,
					What: m.Object.String() + " still names " + gone, If: "the word in it means that",
				})
			}
		}
	},
}
