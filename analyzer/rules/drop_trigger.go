package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var dropTrigger = &analyzer.Rule{
	ID: "drop-trigger", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "a trigger is dropped",
	Why:    "Old code that writes the table may rely on the trigger: derived values and audit rows stop without an error, a row that it completed is refused (1048, 1364, 1451). New code that runs before the migration still fires it: what both do is done twice, or its body fails. Code that only reads is not concerned.",
	Fix:    "Deploy code that works with the trigger and without it, then drop the trigger in a later release. If that is so already, ignore the hazard and say why.",
	Covers: []string{"drop-trigger"},
	Examples: []analyzer.Example{
		{
			Name: "dropped trigger", Catalogue: "drop-trigger",
			Old: "CREATE TABLE users (id INT); CREATE TRIGGER counted BEFORE INSERT ON users FOR EACH ROW SET NEW.id = 1", Migrate: "DROP TRIGGER counted",
			Want: []string{"new-code users: write, delete", "old-code users: write, delete"},
		},
		{Name: "with its table", Old: "CREATE TABLE users (id INT); CREATE TRIGGER counted BEFORE INSERT ON users FOR EACH ROW SET NEW.id = 1", Migrate: "DROP TABLE users"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		if c, ok := ch.(*schema.ChangeTrigger); ok && c.New == nil {
			triggerHazards(p, c.Old, "is dropped", "old code relies on what it does", "it does what new code does too, or its body fails for what new code writes")
		}
	},
}
