package rules

import (
	"slices"
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var addForeignKey = &analyzer.Rule{
	ID: "add-foreign-key", Since: "0.1", Breaks: analyzer.OldCode | analyzer.Running,
	Title:  "a foreign key is added",
	Why:    "Old code may write a child row without a parent (error 1452), or delete or change a parent row that has children (1451; with CASCADE the children go too). The migration fails on orphans, unless foreign_key_checks is off: then they stay unnoticed.",
	Fix:    "Release code that keeps the rule first, remove orphans, create the key of the child columns, then add the foreign key.",
	Covers: []string{"add-foreign-key"},
	Examples: []analyzer.Example{
		{
			Name: "on a column that exists", Catalogue: "add-foreign-key",
			Old:     "CREATE TABLE users (id INT NOT NULL PRIMARY KEY); CREATE TABLE posts (user_id INT, KEY k (user_id))",
			Migrate: "ALTER TABLE posts ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id)",
			Want:    []string{"old-code posts.user_id: write, omit", "old-code users: update, delete", "running foreign-key posts.fk"},
		},
		{
			Name:    "on a new column that is NULL for old code",
			Old:     "CREATE TABLE users (id INT NOT NULL PRIMARY KEY); CREATE TABLE posts (id INT)",
			Migrate: "ALTER TABLE posts ADD COLUMN user_id INT, ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id)",
			Want:    []string{"old-code users: update, delete (caution)"},
		},
		{
			Name:    "on a new column and one that old code changes",
			Old:     "CREATE TABLE users (id INT, team INT, PRIMARY KEY (team, id)); CREATE TABLE posts (team INT)",
			Migrate: "ALTER TABLE posts ADD COLUMN user_id INT, ADD CONSTRAINT fk FOREIGN KEY (team, user_id) REFERENCES users (team, id)",
			Want:    []string{"old-code posts: update (caution)", "old-code users: update, delete (caution)"},
		},
		{
			Name:    "dropped",
			Old:     "CREATE TABLE users (id INT NOT NULL PRIMARY KEY); CREATE TABLE posts (user_id INT, KEY k (user_id), CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id))",
			Migrate: "ALTER TABLE posts DROP FOREIGN KEY fk",
		},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.AddForeignKey)
		if !ok {
			return
		}
		t, f := c.Table.Name, c.FK
		what := t + " gets the foreign key " + analyzer.ForeignKeyText(f)
		fresh := false // a column that old code leaves NULL: such a row has no parent to look for
		for _, name := range f.Columns {
			if col := p.AddedColumn(t, name); col != nil && col.Nullable && col.Default != nil && col.Default.Null {
				fresh = true
			}
		}
		if !fresh && len(f.Columns) > 0 {
			o := table(p.OldTable(t))
			if len(f.Columns) == 1 {
				o = column(o.Table, p.OldColumn(t, f.Columns[0]))
			}
			p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: analyzer.Write | analyzer.Omit, What: what, If: "old code writes a row without a parent (1452)"})
			h := analyzer.Hazard{Breaks: running, Hits: schema.Object{Kind: schema.KindForeignKey, Table: t, Name: f.Name}, What: "the migration fails on rows without a parent (1452): " + what, If: "there are such rows", Preflight: orphans(p, t, f)}
			if !p.Old.ForeignKeyChecks() {
				h.What = "rows without a parent stay unnoticed, for foreign_key_checks is off: " + what
			}
			p.Report(h)
		}
		if known := slices.ContainsFunc(f.Columns, func(name string) bool { return p.AddedColumn(t, name) == nil }); fresh && known {
			p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(p.OldTable(t)), Use: analyzer.Update, Caution: true, Mediated: true, What: what, If: "new code has written rows with a parent, and old code changes what refers to it (1452)"})
		}
		if p.AddedTable(f.RefTable) {
			return
		}
		h := analyzer.Hazard{Breaks: oldCode, Hits: table(p.OldTable(f.RefTable)), Use: analyzer.Update | analyzer.Delete, What: what, If: "old code deletes or changes a parent row that has children (1451)"}
		if fresh {
			h.Caution, h.Mediated, h.If = true, true, "new code has written children, and "+h.If
		}
		p.Report(h)
	},
}

// orphans gives a preflight query for child rows without a parent.
func orphans(p *analyzer.Pass, t string, f *schema.ForeignKey) string {
	if len(f.Columns) != len(f.RefColumns) || strings.Contains(f.RefTable, ".") {
		return ""
	}
	var on, notNull []string
	for i, name := range f.Columns {
		if !p.CanAsk(p.OldTable(t), p.OldColumn(t, name)) {
			return ""
		}
		child := "c." + quote(p.OldColumn(t, name))
		on = append(on, child+" = p."+quote(p.OldColumn(f.RefTable, f.RefColumns[i])))
		notNull = append(notNull, child+" IS NOT NULL")
	}
	if !p.CanAsk(p.OldTable(f.RefTable), p.OldColumn(f.RefTable, f.RefColumns[0])) {
		return ""
	}
	parent := quote(p.OldTable(f.RefTable))
	return "SELECT 1 FROM " + quote(p.OldTable(t)) + " c LEFT JOIN " + parent + " p ON " + strings.Join(on, " AND ") +
		" WHERE " + strings.Join(notNull, " AND ") + " AND p." + quote(p.OldColumn(f.RefTable, f.RefColumns[0])) + " IS NULL LIMIT 1"
}
