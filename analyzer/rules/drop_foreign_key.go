package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var dropForeignKey = &analyzer.Rule{
	ID: "drop-foreign-key", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a foreign key is dropped",
	Why:    "Old code that leaves it to ON DELETE CASCADE or SET NULL to clean up silently leaves orphans. New code that writes children without a parent, or deletes parents with children, is refused before the migration (errors 1452, 1451).",
	Fix:    "Have code delete the children itself first, then drop the foreign key, then deploy code that relies on its absence.",
	Covers: []string{"drop-foreign-key"},
	Examples: []analyzer.Example{
		{
			Name: "it only refused", Catalogue: "drop-foreign-key",
			Old:     "CREATE TABLE users (id INT NOT NULL PRIMARY KEY); CREATE TABLE posts (user_id INT, KEY k (user_id), CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id))",
			Migrate: "ALTER TABLE posts DROP FOREIGN KEY fk",
			Want:    []string{"new-code posts.user_id: write", "new-code users: update, delete"},
		},
		{
			Name: "it cleaned up", Catalogue: "drop-foreign-key",
			Old:     "CREATE TABLE users (id INT NOT NULL PRIMARY KEY); CREATE TABLE posts (user_id INT, KEY k (user_id), CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE)",
			Migrate: "ALTER TABLE posts DROP FOREIGN KEY fk",
			Want:    []string{"new-code posts.user_id: write", "new-code users: update, delete", "old-code users: update, delete"},
		},
		{
			Name:    "added",
			Old:     "CREATE TABLE users (id INT NOT NULL PRIMARY KEY); CREATE TABLE posts (user_id INT, KEY k (user_id))",
			Migrate: "ALTER TABLE posts ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id)",
		},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.DropForeignKey)
		if !ok {
			return
		}
		p.Accept()
		f := c.FK
		t := c.Table.Name
		what := "the foreign key " + analyzer.ForeignKeyText(f) + " of " + t + " is dropped"
		if analyzer.Action(f.OnDelete) != "" || analyzer.Action(f.OnUpdate) != "" {
			p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(f.RefTable), Use: analyzer.Update | analyzer.Delete, What: what, If: "old code leaves it to the foreign key to clean up children"})
		}
		child := p.NewTable(t)
		if len(f.Columns) > 0 && !withoutParent(p, c) && p.New.Table(child) != nil {
			p.Report(analyzer.Hazard{Breaks: newCode, Hits: childHits(child, f.Columns), Use: analyzer.Write, What: what, If: "new code writes a row without a parent (1452)"})
		}
		if parent := p.NewTable(f.RefTable); p.New.Table(parent) != nil {
			p.Report(analyzer.Hazard{Breaks: newCode, Hits: table(parent), Use: analyzer.Update | analyzer.Delete, What: what, If: "new code deletes or changes a parent row that has children (1451)"})
		}
	},
}

// withoutParent reports that the only column of the foreign key goes too, and that what rows get without it needs no parent.
func withoutParent(p *analyzer.Pass, c *schema.DropForeignKey) bool {
	if len(c.FK.Columns) != 1 || !p.DroppedColumn(c.Table.Name, c.FK.Columns[0]) {
		return false
	}
	col := c.Table.Column(c.FK.Columns[0])
	if col == nil {
		return false
	}
	what, _, _ := whenOmitted(p, col)
	return what == omittedNull || what == omittedRefused
}
