package rules

import (
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var changeForeignKey = &analyzer.Rule{
	ID: "change-foreign-key", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a foreign key changes its target, columns or actions",
	Why:    "With another target each version may write children that the other schema refuses (1452). With another action a delete of a parent fails where it worked (1451), or silently takes the children along where it failed.",
	Fix:    "Have both versions delete the children themselves, or fill both parents, before the foreign key changes.",
	Covers: []string{"change-fk-action", "change-fk-target"},
	Examples: []analyzer.Example{
		{
			Name: "another action", Catalogue: "change-fk-action",
			Old:     "CREATE TABLE users (id INT NOT NULL PRIMARY KEY); CREATE TABLE posts (user_id INT, KEY k (user_id), CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id))",
			Migrate: "ALTER TABLE posts DROP FOREIGN KEY fk; ALTER TABLE posts ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE",
			Want:    []string{"new-code users: update, delete", "old-code users: update, delete"},
		},
		{
			Name: "another target", Catalogue: "change-fk-target",
			Old:     "CREATE TABLE users (id INT NOT NULL PRIMARY KEY); CREATE TABLE people (id INT NOT NULL PRIMARY KEY); CREATE TABLE posts (user_id INT, KEY k (user_id), CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id))",
			Migrate: "ALTER TABLE posts DROP FOREIGN KEY fk; ALTER TABLE posts ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES people (id)",
			Want: []string{
				"new-code posts.user_id: write", "new-code users: update, delete", "old-code people: update, delete", "old-code posts.user_id: write",
			},
		},
		{
			Name:    "RESTRICT is NO ACTION",
			Old:     "CREATE TABLE users (id INT NOT NULL PRIMARY KEY); CREATE TABLE posts (user_id INT, KEY k (user_id), CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE NO ACTION)",
			Migrate: "ALTER TABLE posts DROP FOREIGN KEY fk; ALTER TABLE posts ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE RESTRICT",
		},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ChangeForeignKey)
		if !ok {
			return
		}
		p.Accept()
		o, n := c.Old, c.New
		t := c.Table.Name
		what := "the foreign key of " + t + ": " + analyzer.ForeignKeyText(o) + " → " + analyzer.ForeignKeyText(n)
		if p.NewTable(o.RefTable) == n.RefTable && sameColumns(p, t, o.Columns, n.Columns) && sameColumns(p, n.RefTable, o.RefColumns, n.RefColumns) {
			if analyzer.Action(o.OnDelete) == analyzer.Action(n.OnDelete) && analyzer.Action(o.OnUpdate) == analyzer.Action(n.OnUpdate) {
				return // another name, or another word for the same action; rename-foreign-key
			}
			h := analyzer.Hazard{Use: analyzer.Update | analyzer.Delete, What: what, If: "parent rows that have children are deleted or changed (1451, or children go along)"}
			h.Breaks, h.Hits = oldCode, table(o.RefTable)
			p.Report(h)
			h.Breaks, h.Hits = newCode, table(n.RefTable)
			p.Report(h)
			return
		}
		if len(o.Columns) == 0 || len(n.Columns) == 0 {
			return
		}
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: childHits(p.OldTable(t), o.Columns), Use: analyzer.Write, What: what, If: "old code writes a row without a parent in the new target (1452)"})
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: childHits(t, n.Columns), Use: analyzer.Write, What: what, If: "new code writes a row without a parent in the old target (1452)"})
		if !p.AddedTable(n.RefTable) {
			p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(p.OldTable(n.RefTable)), Use: analyzer.Update | analyzer.Delete, What: what, If: "old code deletes or changes a parent row that has children (1451)"})
		}
		if parent := p.NewTable(o.RefTable); p.New.Table(parent) != nil {
			p.Report(analyzer.Hazard{Breaks: newCode, Hits: table(parent), Use: analyzer.Update | analyzer.Delete, What: what, If: "new code deletes or changes a parent row that has children (1451)"})
		}
	},
}

// sameColumns reports whether columns of an old and a new definition are the same, renames aside.
func sameColumns(p *analyzer.Pass, table string, old, new []string) bool {
	if len(old) != len(new) {
		return false
	}
	for i := range old {
		if !strings.EqualFold(old[i], p.OldColumn(table, new[i])) {
			return false
		}
	}
	return true
}
