package rules

import (
	"slices"
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var storedObjectNamesColumn = &analyzer.Rule{
	ID: "stored-object-names-column", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a trigger, view or routine still names a column or table that goes",
	Why:    "The server does not look into stored objects when the column or table goes. A stale trigger then refuses every write that fires it (1054, 1146, 1136), a stale view every use (1356), and so does what is built on them: for old code and new code alike. SELECT * in a view names the columns that the table had when the view was made.",
	Fix:    "Create the trigger, view or routine again without the name, in an earlier step of the same migration.",
	Covers: []string{"drop-column-used-by-trigger-view-routine", "trigger-stale", "view-select-star"},
	Examples: []analyzer.Example{
		{
			Name: "view", Catalogue: "drop-column-used-by-trigger-view-routine",
			Old: "CREATE TABLE users (id INT, nick TEXT); CREATE VIEW nicks AS SELECT nick FROM users", Migrate: "ALTER TABLE users DROP COLUMN nick",
			Want: []string{"new-code view nicks: read, write, delete", "old-code view nicks: read, write, delete"},
		},
		{
			Name: "view of all columns", Catalogue: "view-select-star",
			Old: "CREATE TABLE users (id INT, nick TEXT); CREATE VIEW all_users AS SELECT * FROM users", Migrate: "ALTER TABLE users DROP COLUMN nick",
			Want: []string{"new-code view all_users: read, write, delete", "old-code view all_users: read, write, delete"},
		},
		{
			Name: "trigger", Catalogue: "trigger-stale",
			Old:     "CREATE TABLE users (id INT, nick TEXT); CREATE TRIGGER lowered BEFORE INSERT ON users FOR EACH ROW SET NEW.nick = LOWER(NEW.nick)",
			Migrate: "ALTER TABLE users DROP COLUMN nick",
			Want:    []string{"new-code users: write, delete", "old-code users: write, delete"},
		},
		{
			Name:    "trigger of another table",
			Old:     "CREATE TABLE users (id INT); CREATE TABLE log (id INT); CREATE TRIGGER logged AFTER INSERT ON users FOR EACH ROW INSERT INTO log (id) VALUES (NEW.id)",
			Migrate: "DROP TABLE log",
			Want:    []string{"new-code users: write, delete", "old-code users: write, delete"},
		},
		{
			Name:    "view of a view",
			Old:     "CREATE TABLE users (id INT, nick TEXT); CREATE VIEW nicks AS SELECT nick FROM users; CREATE VIEW names AS SELECT * FROM nicks",
			Migrate: "DROP VIEW nicks",
			Want:    []string{"new-code view names: read, write, delete", "old-code view names: read, write, delete"},
		},
		{Name: "another name", Old: "CREATE TABLE users (id INT, nick TEXT); CREATE VIEW ids AS SELECT id FROM users", Migrate: "ALTER TABLE users DROP COLUMN nick"},
		{Name: "a trigger of the table that goes", Old: "CREATE TABLE users (id INT); CREATE TRIGGER counted BEFORE INSERT ON users FOR EACH ROW SET NEW.id = 1", Migrate: "DROP TABLE users"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		var t, name, gone string
		switch c := ch.(type) {
		case *schema.DropColumn:
			t, name = c.Table.Name, c.Column.Name
			gone = t + "." + name
		case *schema.RenameColumn:
			t, name = p.OldTable(c.Table.Name), c.Old.Name
			gone = t + "." + name
		case *schema.DropTable:
			t, gone = c.Table.Name, c.Table.Name
		case *schema.RenameTable:
			t, gone = c.Old.Name, c.Old.Name
		case *schema.ChangeView:
			if c.New != nil && (c.Old == nil || !losesColumn(c)) {
				return
			}
			t, gone = c.Old.Name, "view "+c.Old.Name
			if c.New != nil {
				gone = "what view " + t + " was"
			}
		case *schema.ChangeRoutine:
			if c.Old == nil || c.New != nil && schema.Meaning(c.Old.Parameters) == schema.Meaning(c.New.Parameters) && schema.Meaning(c.Old.Returns) == schema.Meaning(c.New.Returns) {
				return
			}
			t, gone = c.Old.Name, c.Object().String()
			if c.New != nil {
				gone = "what " + gone + " was"
			}
		default:
			return
		}
		reportStored(p, mentions(p, t, name), "still names "+gone, "the word in it means that")
	},
}

// losesColumn reports whether a view that is defined anew lacks a column that it had, as far as can be told.
func losesColumn(c *schema.ChangeView) bool {
	if c.Old.Columns == nil || c.New.Columns == nil {
		return true
	}
	for _, name := range c.Old.Columns {
		if !contains(c.New.Columns, name) {
			return true
		}
	}
	return false
}

// mentions gives the stored objects of the new schema in whose text a table or view of the old schema stands and, unless
// it is "", a column of it: by its name, or as one of all columns.
func mentions(p *analyzer.Pass, t, column string) []analyzer.Mention {
	var list []analyzer.Mention
	seen := map[schema.Object]bool{}
	add := func(m analyzer.Mention) {
		if !seen[m.Object] {
			seen[m.Object] = true
			list = append(list, m)
		}
	}
	now := p.NewTable(t)
	if column == "" {
		for _, m := range p.Mentions(t) {
			add(m)
		}
		return list
	}
	for _, m := range p.Mentions(column) {
		if m.Object.Table == now || len(m.Text) > maxBody || word(m.Text, t) || word(m.Text, now) {
			add(m)
		}
	}
	for _, name := range []string{t, now} {
		for _, m := range p.Mentions(name) {
			if len(m.Text) > maxBody || strings.Contains(m.Text, "*") || word(m.Text, "natural") || positional(m.Text, name) {
				add(m)
			}
		}
	}
	return list
}

// positional reports whether a text puts rows into a table without naming its columns.
func positional(text, t string) bool {
	words, ok := scan(text)
	if !ok {
		return word(text, "insert") || word(text, "replace")
	}
	for i, w := range words {
		if i == 0 || !strings.EqualFold(w.text, t) || w.quote == '\'' || w.quote == '"' {
			continue
		}
		into := words[i-1].is("INTO") || words[i-1].is("INSERT") || words[i-1].is("REPLACE") || words[i-1].is("IGNORE")
		if into && (i+1 == len(words) || words[i+1].quote != 0 || words[i+1].text != "(" && !words[i+1].is("SET")) {
			return true
		}
	}
	return false
}

// maxBody bounds the texts that are looked into for each hazard: a longer one is taken to do everything.
const maxBody = 1 << 16

// reportStored reports the hazards of those who use stored objects, themselves or through others that are built on them: who
// reads a view, writes the table of a trigger, calls a routine. They are hazards of old and new code alike.
func reportStored(p *analyzer.Pass, list []analyzer.Mention, what, cond string) {
	direct := len(list)
	list = slices.Clone(list)
	seen := map[schema.Object]bool{}
	for _, m := range list {
		seen[m.Object] = true
	}
	for i := 0; i < len(list); i++ {
		m := list[i]
		if m.Object.Kind == schema.KindView || m.Object.Kind == schema.KindRoutine {
			for _, n := range p.Mentions(m.Object.Name) {
				if !seen[n.Object] {
					seen[n.Object] = true
					list = append(list, n)
				}
			}
		}
	}
	for i, m := range list {
		h := analyzer.Hazard{Use: anyUse, What: m.Object.String() + " " + what, If: cond}
		if i >= direct {
			h.What = m.Object.String() + " is built on what " + what
		}
		old, new := m.Object, m.Object
		switch m.Object.Kind {
		case schema.KindTrigger:
			h.Use = analyzer.Write | analyzer.Delete
			old, new = table(p.OldTable(m.Object.Table)), table(m.Object.Table)
		case schema.KindEvent:
			h.Caution = true // no code waits for it
		}
		h.Breaks, h.Hits = newCode, new
		p.Report(h)
		if m.Object.Kind != schema.KindTrigger || p.Old.Table(old.Table) != nil {
			h.Breaks, h.Hits = oldCode, old
			p.Report(h)
		}
	}
}
