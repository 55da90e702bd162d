package rules

import (
	"strconv"
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var charsetWiden = &analyzer.Rule{
	ID: "charset-widen", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "a column's character set holds more characters",
	Why:    "Before the migration new code cannot store the new characters (error 1366 in strict mode, a question mark otherwise), nor compare the column with them (3854, MariaDB 1267). After it, comparing the column with one that was not converted can fail (1267, 1271) or miss the index. A TINYTEXT, TEXT or MEDIUMTEXT holds a number of bytes: what takes more of them in the new character set may not fit any more (1406), unless CONVERT TO CHARACTER SET makes the type larger too.",
	Fix:    "Run the migration first. Convert columns that are joined together. Make a TEXT larger in the same statement.",
	Covers: []string{"charset-widen", "charset-other"},
	Examples: []analyzer.Example{
		{
			Name: "utf8mb3 to utf8mb4", Catalogue: "charset-widen",
			Old:     "CREATE TABLE users (s VARCHAR(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci)",
			Migrate: "ALTER TABLE users MODIFY s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
			Want:    []string{"new-code users.s: read, write", "old-code users.s: read (caution)"},
		},
		{
			Name:    "latin1 to utf8mb4",
			Old:     "CREATE TABLE users (s VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_bin)",
			Migrate: "ALTER TABLE users MODIFY s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", Catalogue: "charset-other",
			Want: []string{"new-code users.s: read, write", "old-code users.s: read (caution)"},
		},
		{
			Name:    "a text that is measured in bytes",
			Old:     "CREATE TABLE users (s TEXT CHARACTER SET latin1 COLLATE latin1_bin)",
			Migrate: "ALTER TABLE users MODIFY s TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
			Want:    []string{"new-code users.s: read, write", "old-code users.s: read (caution)", "old-code users.s: write", "running users.s"},
		},
		{
			Name:    "a text that becomes larger with it",
			Old:     "CREATE TABLE users (s TEXT) CHARSET latin1",
			Migrate: "ALTER TABLE users CONVERT TO CHARACTER SET utf8mb4",
			Want:    []string{"new-code users.s: read, write", "old-code users.s: read (caution)"},
		},
		{
			Name:    "characters that take as many bytes",
			Old:     "CREATE TABLE users (s TEXT CHARACTER SET utf8mb3 COLLATE utf8mb3_bin)",
			Migrate: "ALTER TABLE users MODIFY s TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
			Want:    []string{"new-code users.s: read, write", "old-code users.s: read (caution)"},
		},
		{
			Name:    "narrowed",
			Old:     "CREATE TABLE users (s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci)",
			Migrate: "ALTER TABLE users MODIFY s VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_general_ci",
		},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnCollation)
		if !ok || c.Old.Charset == c.New.Charset || !holds(c.New.Charset, c.Old.Charset) {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		what := n.String() + ": " + c.Old.Charset + " → " + c.New.Charset
		// A query that only compares with such a character fails too (tested on MySQL 9.7: 3854; MariaDB 10.11: 1267).
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: readWrite, What: what, If: "new code writes, or compares with, characters that " + c.Old.Charset + " does not have (1366, 3854)"})
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: analyzer.Read, Caution: true, What: what, If: "old code compares it with a column of another collation (1267, 1271)"})
		if outgrows(c.Old, c.New) {
			most, _ := capacity(c.New)
			p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: analyzer.Write, What: what, If: "old code writes a text that takes more than " + strconv.Itoa(most) + " bytes in " + c.New.Charset + " (1406)"})
			h := analyzer.Hazard{Breaks: running, Hits: n, What: "the migration fails on texts that do not fit, or cuts them: " + what, If: "there are such rows"}
			if p.CanAsk(o.Table, o.Name) {
				h.Preflight = "SELECT 1 FROM " + quote(o.Table) + " WHERE LENGTH(CONVERT(" + quote(o.Name) + " USING " + quote(c.New.Charset) + ")) > " + strconv.Itoa(most) + " LIMIT 1"
			}
			p.Report(h)
		}
	},
}

// outgrows reports whether a text that the old column holds may take more bytes in the new character set than the new type has. VARCHAR and
// CHAR count characters (manual: String Type Storage Requirements).
func outgrows(old, new *schema.Column) bool {
	switch new.Type.Name {
	case "tinytext", "text", "mediumtext":
	default:
		return false
	}
	from, _ := capacity(old)
	if old.Type.Name == "char" || old.Type.Name == "varchar" {
		from = max(old.Type.Length, 1)
	}
	to, _ := capacity(new)
	each := analyzer.CharBytes(new.Charset) // of a character that took one byte
	switch {
	case old.Charset == "ascii" && each != 2 && !strings.HasPrefix(new.Charset, "utf16") && new.Charset != "utf32":
		each = 1
	case (old.Charset == "utf8" || old.Charset == "utf8mb3") && (new.Charset == "utf8mb4" || new.Charset == "utf8" || new.Charset == "utf8mb3"):
		each = 1
		from, _ = capacity(old)
	}
	return from*each > to
}

// holds reports whether every character of charset small has a place in charset large.
func holds(large, small string) bool {
	if large == "" || small == "" || large == "binary" || small == "binary" {
		return false
	}
	switch large {
	case small, "utf8mb4", "utf16", "utf16le", "utf32":
		return true
	case "utf8", "utf8mb3", "ucs2":
		switch small {
		case "ascii", "latin1", "latin2", "latin5", "latin7", "utf8", "utf8mb3", "ucs2", "cp1250", "cp1251", "cp1256", "cp1257", "greek", "hebrew", "koi8r", "koi8u":
			return true
		}
	}
	return small == "ascii" && large != "swe7"
}
