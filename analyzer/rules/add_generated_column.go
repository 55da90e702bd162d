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
		{Name: "ordinary column", Old: "CREATE TABLE users (id INT)", Migrate: "ALTER TABLE users ADD COLUMN age INT"},
	},
	Check: func(p *analyzer.Pass, c schema.Change) {
		add, ok := c.(*schema.AddColumn)
		if !ok || add.Column.Generated == nil {
			return
		}
		t, col := add.Table.Name, add.Column
		p.Report(analyzer.Hazard{
			Breaks: oldCode, Hits: table(p.OldTable(t)), Use: analyzer.Write, Caution: !canRaise(col.Generated.Expr),
			What: t + "." + col.Name + " is computed for every row that is written",
			If:   "its expression fails for a value that old code writes",
		})
		if col.Generated.Stored {
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
		"coalesce", "ifnull", "nullif", "if", "md5", "sha1", "sha2", "crc32", "char_length", "length":
		return true
	}
	return false
}
