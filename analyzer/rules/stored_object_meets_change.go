package rules

import (
	"slices"
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var storedObjectMeetsChange = &analyzer.Rule{
	ID: "stored-object-meets-change", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title: "a trigger, view or routine that stays was written for the old schema",
	Why:   "What the server keeps is old code that no deployment replaces. A trigger that fills a table without a column that is now mandatory fails (1364), one that fills it without a list of columns fails as soon as there is one more (1136), and so does one that writes a value which the table no longer takes. Then every write that fires it fails, of old code and of new code alike.",
	Fix:   "Create the trigger, view or routine again for the new schema, in the same migration.",
	Examples: []analyzer.Example{
		{
			Name:    "a trigger fills a table that gets a mandatory column",
			Old:     "CREATE TABLE users (id INT); CREATE TABLE log (id INT); CREATE TRIGGER logged AFTER INSERT ON users FOR EACH ROW INSERT INTO log (id) VALUES (NEW.id)",
			Migrate: "ALTER TABLE log ADD COLUMN who INT NOT NULL",
			Want:    []string{"new-code users: write, delete", "old-code users: write, delete"},
		},
		{
			Name:    "a trigger fills a table by position",
			Old:     "CREATE TABLE users (id INT); CREATE TABLE log (id INT); CREATE TRIGGER logged AFTER INSERT ON users FOR EACH ROW INSERT INTO log VALUES (NEW.id)",
			Migrate: "ALTER TABLE log ADD COLUMN who INT",
			Want:    []string{"new-code users: write, delete", "old-code users: write, delete"},
		},
		{
			Name:    "a column is added that the trigger need not name",
			Old:     "CREATE TABLE users (id INT); CREATE TABLE log (id INT); CREATE TRIGGER logged AFTER INSERT ON users FOR EACH ROW INSERT INTO log (id) VALUES (NEW.id)",
			Migrate: "ALTER TABLE log ADD COLUMN who INT",
		},
	},
	CheckHazard: func(p *analyzer.Pass, h analyzer.Hazard) {
		if h.Breaks&oldCode == 0 || h.Mediated {
			return
		}
		switch h.Change.(type) {
		case *schema.DropColumn, *schema.RenameColumn, *schema.DropTable, *schema.RenameTable, *schema.ChangeTrigger, *schema.ChangeRoutine:
			return // storedObjectNamesColumn tells of what goes, and those of triggers and routines of whoever uses them
		}
		t, column := h.Hits.Table, ""
		if h.Hits.Kind == schema.KindView {
			t = h.Hits.Name
		}
		if h.Hits.Kind == schema.KindColumn {
			column = h.Hits.Name
		}
		if t == "" {
			return
		}
		now := p.NewTable(t)
		var list []analyzer.Mention
		seen := map[schema.Object]bool{}
		for _, m := range slices.Concat(p.Mentions(t), p.Mentions(now), p.Triggers(now)) {
			if !seen[m.Object] && inOld(p, m.Object) && meets(p, m, h, t, now, column) {
				list = append(list, m)
			}
			seen[m.Object] = true
		}
		reportStored(p, list, "was written for the old schema: "+h.What, "it does what no longer works")
	},
}

// inOld reports whether the old schema has a stored object of that name: what is new is told of as such.
func inOld(p *analyzer.Pass, o schema.Object) bool {
	switch o.Kind {
	case schema.KindView:
		return p.Old.View(o.Name) != nil
	case schema.KindTrigger:
		return p.Old.Trigger(o.Name) != nil
	}
	return true
}

// meets reports whether a stored object may do what the hazard says of old code.
func meets(p *analyzer.Pass, m analyzer.Mention, h analyzer.Hazard, t, now, column string) bool {
	text := m.Text
	if len(text) > maxBody {
		return true
	}
	byPosition := strings.Contains(text, "*") || positional(text, t) || positional(text, now)
	switch {
	case h.Use == analyzer.Position:
		// The server keeps the columns of a view's SELECT * by their names.
		return byPosition && m.Object.Kind != schema.KindView
	case h.Use == analyzer.Hint:
		return word(text, h.Hits.Name)
	case h.Caution && h.Use == analyzer.Read:
		// An added column makes a name ambiguous or takes it over. The names in a view are bound already.
		_, added := h.Change.(*schema.AddColumn)
		return added && column != "" && unqualified(text, column) && m.Object.Kind != schema.KindView
	case h.Caution && (p.Strict() || h.Use&(analyzer.Write|analyzer.Omit) == 0):
		return false
	case h.Caution && h.Use == analyzer.Omit:
		// A body runs in the sql_mode in which it was created, so that services are not in strict mode does not help
		// (manual: CREATE PROCEDURE and CREATE FUNCTION Statements).
		nt := p.New.Table(now)
		c := (*schema.Column)(nil)
		if nt != nil {
			c = nt.Column(column)
		}
		if c != nil && !needsValue(p, c) {
			return false
		}
	}
	if m.Object.Kind == schema.KindView {
		return h.Use&analyzer.Read != 0 && (column == "" || word(text, column) || strings.Contains(text, "*")) && computes(text)
	}
	fills := word(text, "insert") || word(text, "replace")
	own := m.Object.Kind == schema.KindTrigger && m.Object.Table == now
	writes := fills || word(text, "update") || word(text, "delete") || own && word(text, "set") && word(text, "new")
	switch {
	case column == "":
		return writes
	case h.Use&analyzer.Omit != 0 && fills && !own:
		return true
	}
	return word(text, column) || byPosition
}

// computes reports whether a SELECT does more than to list columns of tables.
func computes(text string) bool {
	words, ok := scan(text)
	if !ok {
		return true
	}
	for _, w := range words {
		if w.quote == '\'' || w.quote == '"' || w.quote == 0 && !w.name && !strings.Contains(",.*;", w.text) || w.is("UNION") || w.is("GROUP") || w.is("DISTINCT") || w.is("WHERE") || w.is("ON") || w.is("USING") || w.is("NATURAL") {
			return true
		}
	}
	return false
}

// unqualified reports whether a name stands in a text without that of a table before it.
func unqualified(text, name string) bool {
	words, ok := scan(text)
	if !ok {
		return word(text, name)
	}
	for i, w := range words {
		if w.quote != '\'' && strings.EqualFold(w.text, name) && (i == 0 || words[i-1].text != "." || words[i-1].quote != 0) {
			return true
		}
	}
	return false
}
