package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var integerDisplayWidth = &analyzer.Rule{
	ID: "integer-display-width", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode,
	Title:  "the display width of an integer changes",
	Why:    "The width does not change what the column holds. But some drivers take TINYINT(1) for a boolean, and ZEROFILL changes the text that a client gets.",
	Fix:    "Nothing to do, unless a driver turns TINYINT(1) into booleans.",
	Covers: []string{"integer-display-width"},
	Examples: []analyzer.Example{
		{
			Name: "TINYINT(1) to TINYINT", Catalogue: "integer-display-width",
			Old: "CREATE TABLE users (n TINYINT(1))", Migrate: "ALTER TABLE users MODIFY n TINYINT",
			Want: []string{"new-code users.n: read (caution)", "old-code users.n: read (caution)"},
		},
		{Name: "widened", Old: "CREATE TABLE users (n INT)", Migrate: "ALTER TABLE users MODIFY n BIGINT"},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnType)
		if !ok || kindOf(c) != integerWidth {
			return
		}
		p.Accept()
		boolean := func(t schema.Type) bool { return t.Name == "tinyint" && t.Length == 1 }
		if boolean(c.Old.Type) == boolean(c.New.Type) && c.Old.Type.Zerofill == c.New.Type.Zerofill {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		h := analyzer.Hazard{Use: analyzer.Read, Caution: true, What: change(n, c), If: "the driver takes TINYINT(1) for a boolean, or code reads the number as text with leading zeros"}
		h.Breaks, h.Hits = oldCode, o
		p.Report(h)
		h.Breaks, h.Hits = newCode, n
		p.Report(h)
	},
}
