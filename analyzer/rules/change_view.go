package rules

import (
	"slices"
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var changeView = &analyzer.Rule{
	ID: "change-view", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a view is defined anew",
	Why:    "A column that the view loses is missed by old code, one that it gains by new code that runs before the migration (error 1054). A check option refuses rows outside of the filter (1369). Any other definition may show other rows without an error, take no more writes (1471, 1288), or lack the rights of its definer (1449, 1356).",
	Fix:    "Only add columns in one release, and remove columns in a later one. Give a view with another meaning another name.",
	Covers: []string{"view-change-columns", "view-change-where", "view-check-option", "view-definer-security"},
	Examples: []analyzer.Example{
		{
			Name: "a column more", Catalogue: "view-change-columns",
			Old: "CREATE TABLE users (id INT, nick TEXT); CREATE VIEW v AS SELECT id FROM users", Migrate: "CREATE OR REPLACE VIEW v AS SELECT id, nick FROM users",
			Want: []string{"new-code view v: read, write"},
		},
		{
			Name: "a column less",
			Old:  "CREATE TABLE users (id INT, nick TEXT); CREATE VIEW v AS SELECT id, nick FROM users", Migrate: "CREATE OR REPLACE VIEW v AS SELECT id FROM users",
			Want: []string{"old-code view v: read, write"},
		},
		{
			Name: "other rows", Catalogue: "view-change-where",
			Old: "CREATE TABLE users (id INT, gone INT); CREATE VIEW v AS SELECT id FROM users", Migrate: "CREATE OR REPLACE VIEW v AS SELECT id FROM users WHERE gone = 0",
			Want: []string{"new-code view v: read, write, delete", "old-code view v: read, write, delete"},
		},
		{
			Name: "a check option", Catalogue: "view-check-option",
			Old: "CREATE TABLE users (id INT); CREATE VIEW v AS SELECT id FROM users WHERE id > 0", Migrate: "CREATE OR REPLACE VIEW v AS SELECT id FROM users WHERE id > 0 WITH CHECK OPTION",
			Want: []string{"old-code view v: write"},
		},
		{
			Name: "no check option any more",
			Old:  "CREATE TABLE users (id INT); CREATE VIEW v AS SELECT id FROM users WHERE id > 0 WITH CHECK OPTION", Migrate: "CREATE OR REPLACE VIEW v AS SELECT id FROM users WHERE id > 0",
			Want: []string{"new-code view v: write"},
		},
		{
			Name: "with the rights of who asks", Catalogue: "view-definer-security",
			Old: "CREATE TABLE users (id INT); CREATE VIEW v AS SELECT id FROM users", Migrate: "ALTER SQL SECURITY INVOKER VIEW v AS SELECT id FROM users",
			Want: []string{"new-code view v: read, write, delete", "old-code view v: read, write, delete"},
		},
		{Name: "added", Old: "CREATE TABLE users (id INT)", Migrate: "CREATE VIEW ids AS SELECT id FROM users"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ChangeView)
		if !ok || c.Old == nil || c.New == nil {
			return
		}
		o, n := c.Old, c.New
		hits := view(n.Name)
		if o.Algorithm != n.Algorithm || o.Security != n.Security || o.Definer != n.Definer {
			otherView(p, n, "is defined with other rights or another algorithm", "its definer lacks a right (1449, 1356), or it can no longer be written (1471, 1288)")
			return
		}
		same := schema.Meaning(o.Select) == schema.Meaning(n.Select) && slices.Equal(o.Columns, n.Columns)
		if same {
			// Only the check option differs.
			h := analyzer.Hazard{Hits: hits, Use: analyzer.Write, What: "view " + n.Name + " has another check option", If: "a row that code writes is outside of its filter (1369)"}
			if n.CheckOption != "" {
				h.Breaks = oldCode
			}
			if o.CheckOption != "" {
				h.Breaks |= newCode
			}
			p.Report(h)
			return
		}
		if o.CheckOption == n.CheckOption && plainView(o) && plainView(n) && schema.Meaning(tailOf(o)) == schema.Meaning(tailOf(n)) {
			p.Accept() // another order of its columns, unless one is gone or new
			for _, name := range o.Columns {
				if !contains(n.Columns, name) {
					p.Report(analyzer.Hazard{Breaks: oldCode, Hits: hits, Use: readWrite, What: "view " + n.Name + " loses " + name})
				}
			}
			for _, name := range n.Columns {
				if !contains(o.Columns, name) {
					p.Report(analyzer.Hazard{Breaks: newCode, Hits: hits, Use: readWrite, What: "view " + n.Name + " gains " + name})
				}
			}
			return
		}
		otherView(p, n, "is defined anew", "it shows other rows or columns, or can no longer be written (1471, 1288)")
	},
}

func otherView(p *analyzer.Pass, v *schema.View, what, cond string) {
	p.Report(analyzer.Hazard{Breaks: oldCode | newCode, Hits: view(v.Name), Use: anyUse, What: "view " + v.Name + " " + what, If: cond})
}

// plainView reports that a view shows some columns of one table as they are, under their own names, perhaps with a filter.
func plainView(v *schema.View) bool {
	list, tail, ok := cutView(v)
	if !ok || len(v.Tables) != 1 || len(list) != len(v.Columns) {
		return false
	}
	for i, name := range list {
		if !strings.EqualFold(name, v.Columns[i]) {
			return false
		}
	}
	for _, w := range tail {
		if w.quote == 0 && (w.text == "(" || w.text == "," || w.is("JOIN") || w.is("GROUP") || w.is("HAVING") || w.is("LIMIT") || w.is("UNION") || w.is("EXCEPT") || w.is("INTERSECT")) {
			return false
		}
	}
	return true
}

// cutView gives the column names between SELECT and FROM, and what follows; it says no to anything but names there.
func cutView(v *schema.View) (list []string, tail []token, ok bool) {
	words, ok := scan(v.Select)
	if !ok || len(words) == 0 || !words[0].is("SELECT") {
		return nil, nil, false
	}
	words = words[1:]
	for {
		for len(words) > 2 && words[0].name && words[1].quote == 0 && words[1].text == "." {
			words = words[2:]
		}
		if len(words) < 2 || !words[0].name && words[0].quote != '`' {
			return nil, nil, false
		}
		list = append(list, words[0].text)
		switch {
		case words[1].is("FROM"):
			return list, words[2:], true
		case words[1].quote == 0 && words[1].text == ",":
			words = words[2:]
		default:
			return nil, nil, false
		}
	}
}

// tailOf gives what follows FROM in the text of a plain view.
func tailOf(v *schema.View) string {
	_, tail, _ := cutView(v)
	var b strings.Builder
	for _, w := range tail {
		b.WriteString(string(w.quote) + w.text + string(w.quote) + " ")
	}
	return b.String()
}
