package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var changeTrigger = &analyzer.Rule{
	ID: "change-trigger", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title: "a trigger does something else",
	Why:   "Every write of the table runs the old body before the migration and the new one after it, whichever code writes. What a body does is not worked out: it may fail for the code that was not written for it. Between DROP TRIGGER and CREATE TRIGGER there is none. Code that only reads is not concerned.",
	Fix:   "Change the trigger in a release of its own, with code that works with either body. MariaDB knows CREATE OR REPLACE TRIGGER, which leaves no gap.",
	Examples: []analyzer.Example{
		{
			Name: "another body",
			Old:  "CREATE TABLE users (id INT); CREATE TRIGGER counted BEFORE INSERT ON users FOR EACH ROW SET NEW.id = 1", Migrate: "DROP TRIGGER counted; CREATE TRIGGER counted BEFORE INSERT ON users FOR EACH ROW SET NEW.id = 2",
			Want: []string{"new-code users: write, delete", "old-code users: write, delete"},
		},
		{Name: "added", Old: "CREATE TABLE users (id INT)", Migrate: "CREATE TRIGGER counted BEFORE INSERT ON users FOR EACH ROW SET NEW.id = 1"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ChangeTrigger)
		if !ok || c.Old == nil || c.New == nil {
			return
		}
		triggerHazards(p, c.New, "does something else", "its new body fails or refuses what old code writes", "its old body fails or refuses what new code writes")
		if p.OldTable(c.New.Table) != c.Old.Table {
			triggerHazards(p, c.Old, "moves to "+c.New.Table, "old code relies on what it does", "its old body fails or refuses what new code writes")
		}
	},
}
