package rules

import (
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var addGeneratedColumn = &analyzer.Rule{
	ID: "add-generated-column", Since: "0.1", Breaks: analyzer.OldCode | analyzer.Running,
	Title:  "a generated column is added whose expression can fail",
	Why:    "The expression is computed for every row that old code writes, although old code never names the column. A value for which it overflows or cannot be converted refuses the whole INSERT (1264, 3141, 1365, 1406). Adding a STORED column, or a key on a VIRTUAL one, computes it for all rows that exist.",
	Fix:    "Make the expression total: a wide result type, NULLIF, IFNULL, IF(JSON_VALID(x), …).",
	Covers: []string{"add-column-virtual-generated", "add-column-stored-generated"},
	Examples: []analyzer.Example{
		{
			Name: "cannot fail", Catalogue: "add-column-virtual-generated",
			Old: "CREATE TABLE users (id INT, name VARCHAR(40))", Migrate: "ALTER TABLE users ADD COLUMN lower_name VARCHAR(40) AS (LOWER(name)) VIRTUAL",
			Want: []string{"old-code users: write (caution)"},
		},
		{
			Name: "cannot fail, stored", Catalogue: "add-column-stored-generated",
			Old: "CREATE TABLE users (id INT, name VARCHAR(40))", Migrate: "ALTER TABLE users ADD COLUMN lower_name VARCHAR(40) AS (LOWER(name)) STORED",
			Want: []string{"old-code users: write (caution)", "running users.lower_name"},
		},
		{
			Name: "can overflow",
			Old:  "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN twice INT AS (id * 2) STORED",
			Want: []string{"old-code users: write", "running users.twice"},
		},
		{
			Name: "too long for its type",
			Old:  "CREATE TABLE users (id INT, name VARCHAR(40))", Migrate: "ALTER TABLE users ADD COLUMN lower_name VARCHAR(20) AS (LOWER(name)) VIRTUAL",
			Want: []string{"old-code users: write"},
		},
		{
			Name: "a number as text",
			Old:  "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN lower_id VARCHAR(10) AS (LOWER(id)) VIRTUAL",
			Want: []string{"old-code users: write"},
		},
		{
			Name:    "too long, of a table with partitions",
			Old:     "CREATE TABLE users (id INT, name VARCHAR(40)) PARTITION BY HASH (id) PARTITIONS 2",
			Migrate: "ALTER TABLE users ADD COLUMN lower_name VARCHAR(20) AS (LOWER(name)) VIRTUAL",
			Want:    []string{"old-code users: write", "running users.lower_name"},
		},
		{
			Name: "without a place for NULL",
			Old:  "CREATE TABLE users (id INT, name VARCHAR(40))", Migrate: "ALTER TABLE users ADD COLUMN lower_name VARCHAR(40) AS (LOWER(name)) VIRTUAL NOT NULL",
			Want: []string{"old-code users: write"},
		},
		{Name: "ordinary column", Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN age INT"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		add, ok := c.(*schema.AddColumn)
		if !ok || add.Column.Generated == nil {
			return
		}
		t, col := add.Table.Name, add.Column
		p.Report(analyzer.Hazard{
			Breaks: oldCode, Hits: table(p.OldTable(t)), Use: analyzer.Write, Caution: !canFail(add.Table, col),
			What: t + "." + col.Name + " is computed for every row that is written",
			If:   "its expression fails for a value that old code writes",
		})
		// What is not stored is computed, too, of a table with partitions, or one that the statement copies for something else (tested on
		// MariaDB 10.11: 1264, 1366).
		if col.Generated.Stored || canFail(add.Table, col) && (add.Table.Partition != nil || len(p.Changes) > 1) {
			p.Report(analyzer.Hazard{
				Breaks: running, Hits: column(t, col.Name), What: t + "." + col.Name + " is computed for all rows that exist",
				If: "its expression fails for one of them", Preflight: "",
			})
		}
	},
}

// canRaise reports whether an expression, in canonical text with quoted names, contains something that can fail:
// arithmetic, conversions, JSON. Only a short list of functions on texts is trusted.
func canRaise(expr string) bool {
	words, ok := scan(expr)
	if !ok {
		return true
	}
	for i, w := range words {
		switch {
		case w.quote != 0:
		case w.name:
			call := i+1 < len(words) && words[i+1].text == "(" && words[i+1].quote == 0
			number := strings.Trim(w.text, "0123456789") == ""
			if !number && !(call && total(w.text)) {
				return true // an operator such as DIV or CASE, or a function that is not trusted
			}
		case strings.Contains("(),.", w.text):
		default:
			return true // an operator
		}
	}
	return false
}

func total(function string) bool {
	switch strings.ToLower(function) {
	case "lower", "upper", "lcase", "ucase", "trim", "ltrim", "rtrim", "left", "right", "substr", "substring", "reverse",
		"coalesce", "ifnull", "nullif", "md5", "sha1", "sha2", "crc32", "char_length", "length":
		return true
	}
	return false
}

// canFail reports whether the value of a generated column can be refused: its expression can raise, its NULL has no place, or
// its type does not hold each result for sure. Only functions of texts that are stored in a text are trusted.
func canFail(t *schema.Table, col *schema.Column) bool {
	if !col.Nullable || canRaise(col.Generated.Expr) {
		return true
	}
	words, _ := scan(col.Generated.Expr)
	length, _ := capacity(col)
	if col.Charset == "" || col.Type.Name == "enum" || col.Type.Name == "set" {
		// Only the length of a text fits a number for sure: LENGTH(`name`).
		lengths := len(words) == 4 && (strings.EqualFold(words[0].text, "char_length") || strings.EqualFold(words[0].text, "length"))
		return !lengths || integers(col.Type) < 4 || !text(t.Column(words[2].text))
	}
	length /= max(analyzer.CharBytes(col.Charset), 1)
	numbers := false
	for _, w := range words {
		switch {
		case w.quote == '`':
			c := t.Column(w.text)
			if !text(c) || c.Charset != col.Charset || c.Collation != col.Collation {
				return true
			}
			if from, _ := capacity(c); from/max(analyzer.CharBytes(c.Charset), 1) > length {
				return true
			}
		case w.quote == '\'':
			if len(w.text) > length || strings.ContainsFunc(w.text, func(r rune) bool { return r >= 0x80 }) {
				return true
			}
		case w.quote != 0:
			return true
		case w.is("LEFT"), w.is("RIGHT"), w.is("SUBSTR"), w.is("SUBSTRING"):
			numbers = true
		case w.is("MD5"), w.is("SHA1"), w.is("SHA2"):
			if length < 128 && !(w.is("MD5") && length >= 32) && !(w.is("SHA1") && length >= 40) {
				return true
			}
		case w.is("CRC32"), w.is("CHAR_LENGTH"), w.is("LENGTH"):
			if length < 20 {
				return true
			}
		case w.name && strings.Trim(w.text, "0123456789") == "" && (!numbers || len(w.text) > length):
			return true
		}
	}
	return false
}

// text reports whether a column holds texts, and is no ENUM or SET.
func text(c *schema.Column) bool {
	return c != nil && c.Charset != "" && c.Type.Name != "enum" && c.Type.Name != "set" && c.Type.Name != "json"
}
