package rules

import (
	"instep/analyzer"
	"instep/analyzer/schema"
)

var charsetNarrow = &analyzer.Rule{
	ID: "charset-narrow", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "a column's character set loses characters",
	Why:    "Old code may write characters that the new character set does not have (error 1366 in strict mode, a question mark otherwise), and even a SELECT fails that compares with such a text (3854, MariaDB 1267). The migration fails on such rows, or destroys them if its own sql_mode is loose.",
	Fix:    "Release code that keeps to the smaller set first, clean the rows, then convert. Between two sets that each have characters of their own no order works.",
	Covers: []string{"charset-narrow"},
	Examples: []analyzer.Example{
		{
			Name: "utf8mb4 to latin1", Catalogue: "charset-narrow",
			Old:     "CREATE TABLE users (s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)",
			Migrate: "ALTER TABLE users MODIFY s VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_bin",
			Want:    []string{"old-code users.s: read, write", "running users.s"},
		},
		{
			Name:    "latin1 to latin2",
			Old:     "CREATE TABLE users (s VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_general_ci)",
			Migrate: "ALTER TABLE users MODIFY s VARCHAR(20) CHARACTER SET latin2 COLLATE latin2_general_ci",
			Want:    []string{"new-code users.s: read, write", "old-code users.s: read, write", "running users.s"},
		},
		{
			Name:    "a text that is measured in bytes",
			Old:     "CREATE TABLE users (s TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)",
			Migrate: "ALTER TABLE users MODIFY s TEXT CHARACTER SET latin1 COLLATE latin1_bin",
			Want:    []string{"new-code users.s: write", "old-code users.s: read, write", "running users.s"},
		},
		{
			Name:    "widened",
			Old:     "CREATE TABLE users (s VARCHAR(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin)",
			Migrate: "ALTER TABLE users MODIFY s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
		},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnCollation)
		if !ok || c.Old.Charset == "" || c.New.Charset == "" || holds(c.New.Charset, c.Old.Charset) {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		what := n.String() + ": " + c.Old.Charset + " → " + c.New.Charset
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: readWrite, What: what, If: "old code uses characters that " + c.New.Charset + " does not have (1366, 3854)"})
		if !holds(c.Old.Charset, c.New.Charset) {
			p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: readWrite, What: what, If: "new code uses characters that " + c.Old.Charset + " does not have (1366, 3854)"})
		}
		if outgrows(c.New, c.Old) {
			p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: analyzer.Write, What: what, If: "new code writes a text that takes more bytes in " + c.Old.Charset + " than the column holds (1406)"})
		}
		name := quote(c.Old.Name)
		p.Report(analyzer.Hazard{
			Breaks: running, Hits: n, What: "the migration fails on characters that " + c.New.Charset + " does not have, or destroys them: " + what, If: "there are such rows",
			Preflight: "SELECT 1 FROM " + quote(o.Table) + " WHERE " + name + " <> CONVERT(CONVERT(" + name + " USING " + quote(c.New.Charset) + ") USING " + quote(c.Old.Charset) + ") LIMIT 1",
		})
	},
}
