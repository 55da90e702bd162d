package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var stringToEnum = &analyzer.Rule{
	ID: "string-to-enum", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "a text becomes an ENUM",
	Why:    "Old code may write other texts (error 1265 in strict mode, an empty text otherwise). The migration fails on rows that hold them.",
	Fix:    "Have code write only the members first, clean the rows, then convert.",
	Covers: []string{"enum-to-varchar"},
	Examples: []analyzer.Example{
		{
			Name: "from VARCHAR", Catalogue: "enum-to-varchar",
			Old: "CREATE TABLE users (e VARCHAR(20))", Migrate: "ALTER TABLE users MODIFY e ENUM('a','b')",
			Want: []string{"old-code users.e: write", "running users.e"},
		},
		{
			Name: "a member is longer than the text was",
			Old:  "CREATE TABLE users (e VARCHAR(2))", Migrate: "ALTER TABLE users MODIFY e ENUM('long','b')",
			Want: []string{"new-code users.e: write", "old-code users.e: write", "running users.e"},
		},
		{Name: "the other way", Old: "CREATE TABLE users (e ENUM('a','b'))", Migrate: "ALTER TABLE users MODIFY e VARCHAR(20)"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		if c, ok := c.(*schema.ColumnType); ok && kindOf(c) == stringBecomesEnum {
			like := *c.Old
			like.Type.Name = "enum"
			if needsValue(p, c.Old) && !needsValue(p, c.New) {
				// An ENUM that is NOT NULL takes its first member where a text is refused.
				_, n := ends(p, c.Table, c.Old, c.New)
				p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: analyzer.Omit, Caution: !p.Strict(), What: change(n, c), If: "new code puts rows without naming it (1364)"})
			}
			for _, m := range c.New.Type.Members {
				if n := c.Old.Type.Length; (c.Old.Type.Name == "char" || c.Old.Type.Name == "varchar") && len([]rune(m)) > n {
					_, o := ends(p, c.Table, c.Old, c.New)
					p.Report(analyzer.Hazard{Breaks: newCode, Hits: o, Use: analyzer.Write, What: change(o, c), If: "new code writes a member that is longer than the old column (1406)"})
					break
				}
			}
			narrowed(p, c, "1265, or an empty text in loose mode", rows(p, c, "NOT ("+holdsMember(&like, c.New.Type.Members)+")"))
		}
	},
}
