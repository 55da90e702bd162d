package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var charVarchar = &analyzer.Rule{
	ID: "char-varchar", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "CHAR becomes VARCHAR or back",
	Why:    "CHAR cuts blanks at the end when it is read, VARCHAR keeps them. Nothing fails, but values may compare differently, in every order.",
	Fix:    "Look for values that end in blanks, and for code that relies on their being cut.",
	Covers: []string{"char-varchar"},
	Examples: []analyzer.Example{
		{
			Name: "same length", Catalogue: "char-varchar",
			Old: "CREATE TABLE users (s CHAR(20))", Migrate: "ALTER TABLE users MODIFY s VARCHAR(20)",
			Want: []string{"new-code users.s: read (caution)", "old-code users.s: read (caution)"},
		},
		{
			Name: "longer as well",
			Old:  "CREATE TABLE users (s CHAR(20))", Migrate: "ALTER TABLE users MODIFY s VARCHAR(30)",
			Want: []string{"new-code users.s: read (caution)", "old-code users.s: read (caution)"},
		},
		{Name: "VARCHAR only", Old: "CREATE TABLE users (s VARCHAR(20))", Migrate: "ALTER TABLE users MODIFY s VARCHAR(30)"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnType)
		if !ok {
			return
		}
		k := kindOf(c)
		if k == stringPadding {
			p.Accept()
		} else if k != stringWiden && k != stringNarrow {
			return
		}
		if (c.Old.Type.Name == "char") == (c.New.Type.Name == "char") {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		h := analyzer.Hazard{Use: analyzer.Read, Caution: true, What: change(n, c), If: "blanks at the end of a value matter"}
		h.Breaks, h.Hits = oldCode, o
		p.Report(h)
		h.Breaks, h.Hits = newCode, n
		p.Report(h)
	},
}
