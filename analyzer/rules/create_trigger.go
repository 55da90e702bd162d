package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var createTrigger = &analyzer.Rule{
	ID: "create-trigger", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a trigger is added",
	Why:    "The trigger runs for every write, also of old code: where its body fails or refuses a row, that write fails (1644, or the error of what it does). New code that runs before the migration does without what the trigger sees to: a value that it fills in, rows that it writes or removes elsewhere. What a body does is not worked out. Code that only reads is not concerned.",
	Fix:    "Add the trigger in a release of its own, with code that works with it and without it. If that is so already, ignore the hazard and say why.",
	Covers: []string{"create-trigger"},
	Examples: []analyzer.Example{
		{
			Name: "a trigger on a table that exists", Catalogue: "create-trigger",
			Old:     "CREATE TABLE users (id INT); CREATE TABLE log (id INT)",
			Migrate: "CREATE TRIGGER logged AFTER INSERT ON users FOR EACH ROW INSERT INTO log (id) VALUES (NEW.id)",
			Want:    []string{"new-code users: write, delete", "old-code users: write, delete"},
		},
		{
			Name: "a trigger on a new table", Migrate: "CREATE TABLE users (id INT); CREATE TRIGGER counted BEFORE INSERT ON users FOR EACH ROW SET @n = 1",
			Want: []string{"new-code users: write, delete (between)"},
		},
		{Name: "dropped", Old: "CREATE TABLE users (id INT); CREATE TRIGGER counted BEFORE INSERT ON users FOR EACH ROW SET @n = 1", Migrate: "DROP TRIGGER counted"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		if c, ok := ch.(*schema.ChangeTrigger); ok && c.Old == nil {
			triggerHazards(p, c.New, "is added", "its body fails or refuses what old code writes", "new code relies on what it does")
		}
	},
}

// triggerHazards reports that a trigger is another one for whoever writes its table, in the old schema and in the new one. A table that
// only one of them has is known to one code only, and that is told of the table.
func triggerHazards(p *analyzer.Pass, g *schema.Trigger, what, old, new string) {
	p.Accept()
	o := p.OldTable(g.Table)
	if p.New.Table(g.Table) == nil {
		o = g.Table // the trigger went with its table
	}
	if p.New.Table(p.NewTable(o)) == nil || p.Old.Table(o) == nil || p.AddedTable(g.Table) {
		return
	}
	h := analyzer.Hazard{Use: analyzer.Write | analyzer.Delete, What: "trigger " + g.Name + " of " + g.Table + " " + what}
	h.Breaks, h.Hits, h.If = oldCode, table(o), old
	p.Report(h)
	h.Breaks, h.Hits, h.If = newCode, table(p.NewTable(o)), new
	p.Report(h)
}
