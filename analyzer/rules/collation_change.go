package rules

import (
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var collationChange = &analyzer.Rule{
	ID: "collation-change", Since: "0.1", Breaks: analyzer.OldCode | analyzer.NewCode | analyzer.Running,
	Title:  "a column's collation changes",
	Why:    "What is equal and what comes first changes for every comparison, without an error: lookups, DISTINCT, GROUP BY, joins, unique keys. Each version is written for its own rules. Comparing with a column of another collation can fail (1267, 1271). A unique key may not hold under the new rules (1062).",
	Fix:    "If the values are such that both collations agree, ignore this finding with that reason. Otherwise add a column with the new collation and move over.",
	Covers: []string{"collation-change"},
	Examples: []analyzer.Example{
		{
			Name: "sensitive to case", Catalogue: "collation-change",
			Old:     "CREATE TABLE users (s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci)",
			Migrate: "ALTER TABLE users MODIFY s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
			Want:    []string{"new-code users.s: read, write", "old-code users.s: read, write"},
		},
		{
			Name:    "unique key",
			Old:     "CREATE TABLE users (s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, UNIQUE KEY u (s))",
			Migrate: "ALTER TABLE users MODIFY s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
			Want:    []string{"new-code users.s: read, write", "old-code users.s: read, write", "running users.s"},
		},
		{
			Name:    "a unique key, and blanks at the end that counted",
			Old:     "CREATE TABLE users (s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci, UNIQUE KEY u (s))",
			Migrate: "ALTER TABLE users MODIFY s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
			Want:    []string{"new-code users.s: read, write", "old-code users.s: read, write", "running users.s"},
		},
		{
			Name:    "a collation of the same name in another character set",
			Old:     "CREATE TABLE users (s VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_general_ci, UNIQUE KEY u (s))",
			Migrate: "ALTER TABLE users MODIFY s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
			Want:    []string{"new-code users.s: read, write", "old-code users.s: read, write", "running users.s"},
		},
		{
			Name:    "the same rules in a larger character set",
			Old:     "CREATE TABLE users (s VARCHAR(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci)",
			Migrate: "ALTER TABLE users MODIFY s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
		},
	},
	Check: func(p *analyzer.Pass, ch schema.Change) {
		c, ok := ch.(*schema.ColumnCollation)
		if !ok {
			return
		}
		if c.Old.Charset == "" || c.New.Charset == "" {
			p.Accept() // the type becomes or ceases to be a text, which is judged as a change of type
			return
		}
		if sameRules(c.Old, c.New) {
			return
		}
		o, n := ends(p, c.Table, c.Old, c.New)
		what := n.String() + ": " + c.Old.Collation + " → " + c.New.Collation
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: readWrite, What: what, If: "the values compare differently in the two"})
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: readWrite, What: what, If: "the values compare differently in the two"})
		for _, k := range c.Table.Keys {
			if unique(k) && contains(columns(k), c.New.Name) && (suffix(c.New.Collation) != "bin" || countsBlanks(c.Old.Collation)) {
				name := quote(c.Old.Name)
				h := analyzer.Hazard{Breaks: running, Hits: n, What: "the migration fails on rows that key " + k.Name + " takes for equal under the new collation (1062): " + what, If: "there are such rows"}
				if len(k.Parts) == 1 {
					h.Preflight = "SELECT 1 FROM " + quote(o.Table) + " GROUP BY CONVERT(" + name + " USING " + quote(c.New.Charset) + ") COLLATE " + quote(c.New.Collation) + " HAVING COUNT(*) > 1 LIMIT 1"
				}
				p.Report(h)
			}
		}
	},
}

// sameRules reports whether two columns of different character sets compare the same values alike: by the code of a character, by one table
// of Unicode, or with nothing but ASCII. Collations of other sets share a name with those, and no more: ä is another letter than a in
// latin1_general_ci, and the same one in utf8mb4_general_ci (tested on MySQL 9.7 and MariaDB 10.11: 1062).
func sameRules(old, new *schema.Column) bool {
	if old.Collation == "" || suffix(old.Collation) != suffix(new.Collation) {
		return false
	}
	switch {
	case suffix(old.Collation) == "bin", unicode(old.Charset) && unicode(new.Charset):
		return true
	}
	return suffix(old.Collation) == "general_ci" && (old.Charset == "ascii" || new.Charset == "ascii")
}

func unicode(charset string) bool {
	switch charset {
	case "utf8", "utf8mb3", "utf8mb4", "ucs2", "utf16", "utf16le", "utf32":
		return true
	}
	return false
}

// countsBlanks reports whether blanks at the end of a text count when it is compared (manual: Collation Pad Attributes; on MariaDB "nopad").
func countsBlanks(collation string) bool {
	return strings.Contains(collation, "_0900_") || strings.Contains(collation, "nopad")
}

// suffix gives a collation without its character set: "general_ci".
func suffix(collation string) string {
	_, rest, _ := strings.Cut(collation, "_")
	return rest
}
