package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var enumAppend = &analyzer.Rule{
	ID: "enum-append", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "an ENUM or SET gets more members",
	Why:    "Before the migration new code cannot store the new member (error 1265 in strict mode, an empty text otherwise). After it, old readers may meet a member that they do not know; a typed ENUM of an ORM raises an error. A member that does not stand at the end changes the numbers of those behind it.",
	Fix:    "Append the member in one release, make all readers cope with it, write it in the next.",
	Covers: []string{"enum-append", "enum-insert-middle", "set-append-remove"},
	Examples: []analyzer.Example{
		{
			Name: "at the end", Catalogue: "enum-append",
			Old: "CREATE TABLE users (e ENUM('a','b'))", Migrate: "ALTER TABLE users MODIFY e ENUM('a','b','c')",
			Want: []string{"new-code users.e: write", "old-code users.e: read (caution)"},
		},
		{
			Name: "in the middle", Catalogue: "enum-insert-middle",
			Old: "CREATE TABLE users (e ENUM('a','b'))", Migrate: "ALTER TABLE users MODIFY e ENUM('a','c','b')",
			Want: []string{"new-code users.e: read, write (caution)", "new-code users.e: write", "old-code users.e: read (caution)", "old-code users.e: read, write (caution)"},
		},
		{
			Name: "SET", Catalogue: "set-append-remove",
			Old: "CREATE TABLE users (e SET('a','b'))", Migrate: "ALTER TABLE users MODIFY e SET('a','b','c')",
			Want: []string{"new-code users.e: write", "old-code users.e: read (caution)"},
		},
		{Name: "one less", Old: "CREATE TABLE users (e ENUM('a','b'))", Migrate: "ALTER TABLE users MODIFY e ENUM('a')"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnType)
		if !ok || kindOf(c) != members {
			return
		}
		d := memberDiff(c.Old.Type.Members, c.New.Type.Members)
		if len(d.added) == 0 || d.replaced {
			return
		}
		widened(p, c, "1265, or an empty text in loose mode", "old code does not know the member")
		if !d.appended {
			numbers(p, c)
		}
	},
}

// numbers reports that members have other numbers than before.
func numbers(p *analyzer.Pass, c *schema.ColumnType) {
	o, n := ends(p, c.Table, c.Old, c.New)
	h := analyzer.Hazard{Use: readWrite, Caution: true, What: "members of " + n.String() + " get other numbers", If: "code uses their numbers or sorts by the column"}
	h.Breaks, h.Hits = oldCode, o
	p.Report(h)
	h.Breaks, h.Hits = newCode, n
	p.Report(h)
}
