package rules

import (
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// A token is a word, a quoted name, a literal or one other character of a statement.
type token struct {
	text  string // without quotes
	name  bool   // it can be a name
	quote byte   // 0, '`', '\'' or '"'
}

// is reports whether the token is that keyword, which is given in upper case.
func (t token) is(keyword string) bool { return t.quote == 0 && strings.EqualFold(t.text, keyword) }

// scan cuts a statement into tokens. It says no to whatever it is not sure of: comments, a backslash outside of a
// literal, an open quote, and double quotes, which are names or strings by sql_mode.
func scan(sql string) ([]token, bool) {
	var list []token
	for i := 0; i < len(sql); {
		c := sql[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ';':
			i++
		case c == '#', c == '\\', strings.HasPrefix(sql[i:], "--"), strings.HasPrefix(sql[i:], "/*"):
			return nil, false
		case c == '`' || c == '\'' || c == '"':
			var b strings.Builder
			j := i + 1
			for ; j < len(sql); j++ {
				if sql[j] == '\\' && c != '`' {
					j++
					continue
				}
				if sql[j] == c {
					if j+1 < len(sql) && sql[j+1] == c {
						j++
					} else {
						break
					}
				}
				b.WriteByte(sql[j])
			}
			if j >= len(sql) {
				return nil, false
			}
			list = append(list, token{b.String(), c == '`', c})
			i = j + 1
		case isWord(c):
			j := i
			for j < len(sql) && isWord(sql[j]) {
				j++
			}
			list = append(list, token{text: sql[i:j], name: true})
			i = j
		default:
			list = append(list, token{text: sql[i : i+1]})
			i++
		}
	}
	return list, true
}

// target gives the table that a simple INSERT … INTO, REPLACE INTO or one-table UPDATE changes, and the columns that an UPDATE sets.
// It says no to every other statement, and to names with a database.
func target(sql string) (name string, set []string, ok bool) {
	words, ok := scan(sql)
	if !ok || len(words) < 3 {
		return "", nil, false
	}
	verb, words := words[0], words[1:]
	switch {
	case verb.is("INSERT"), verb.is("REPLACE"):
		for len(words) > 0 && (words[0].is("LOW_PRIORITY") || words[0].is("HIGH_PRIORITY") || words[0].is("DELAYED") || words[0].is("IGNORE")) {
			words = words[1:]
		}
		if len(words) > 0 && words[0].is("INTO") {
			words = words[1:]
		}
		if len(words) < 2 || !words[0].name || words[1].text == "." && words[1].quote == 0 {
			return "", nil, false
		}
		return words[0].text, nil, true
	case verb.is("UPDATE"):
		for len(words) > 0 && (words[0].is("LOW_PRIORITY") || words[0].is("IGNORE")) {
			words = words[1:]
		}
		if len(words) < 4 || !words[0].name || !words[1].is("SET") {
			return "", nil, false
		}
		name, words = words[0].text, words[2:]
		depth, atStart := 0, true
		for i := 0; i < len(words); i++ {
			w := words[i]
			switch {
			case depth == 0 && (w.is("WHERE") || w.is("ORDER") || w.is("LIMIT")):
				return name, set, len(set) > 0 && !atStart
			case atStart:
				// column =, or table.column =
				if i+3 < len(words) && words[i+1].text == "." && words[i+1].quote == 0 && strings.EqualFold(w.text, name) {
					i += 2
					w = words[i]
				}
				if !w.name || i+1 >= len(words) || words[i+1].text != "=" || words[i+1].quote != 0 {
					return "", nil, false
				}
				set = append(set, w.text)
				atStart = false
				i++
			case w.quote != 0:
			case w.text == "(":
				depth++
			case w.text == ")":
				depth--
			case w.text == "," && depth == 0:
				atStart = true
			}
		}
		return name, set, len(set) > 0 && !atStart && depth == 0
	}
	return "", nil, false
}

// isNewTable reports whether a table, as it stands before a statement, is surely unknown to old code: it was created by
// the pending migrations. A table whose origin is unknown is not.
func isNewTable(p *analyzer.Pass, t *schema.Table) bool {
	if t.Origin == "" || p.Deployed == nil {
		return false
	}
	return p.Deployed.Table(t.Name) == nil && deployedTable(p, t) == nil
}

func isNewColumn(p *analyzer.Pass, t *schema.Table, c *schema.Column) bool {
	old := deployedTable(p, t)
	if old == nil || c.Origin == "" || old.Column(c.Name) != nil {
		return false
	}
	for _, o := range old.Columns {
		if o.Origin == c.Origin {
			return false
		}
	}
	return true
}

// deployedTable gives the table of the deployed schema that became t; nil if it is not known.
func deployedTable(p *analyzer.Pass, t *schema.Table) *schema.Table {
	for _, o := range p.Deployed.Tables() {
		if o.Origin != "" && o.Origin == t.Origin {
			return o
		}
	}
	return nil
}

func triggered(s *schema.Schema, table string) bool {
	for _, t := range s.Triggers() {
		if t.Table == table {
			return true
		}
	}
	return false
}
