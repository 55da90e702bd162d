package rules

import (
	"strconv"
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// omitted is what a row gets in a column that the code which puts it does not name.
type omitted int

const (
	omittedValue   omitted = iota // a value, the same in each row as far as is known
	omittedNull                   // NULL
	omittedNumber                 // a number of its own
	omittedRefused                // there is no such row: it is refused, which is a hazard of its own
)

// whenOmitted tells what a row gets in the column, and the value if it is a literal.
func whenOmitted(p *analyzer.Pass, c *schema.Column) (what omitted, value string, literal bool) {
	switch {
	case c.Generated != nil:
		return omittedValue, "", false
	case c.AutoIncrement:
		return omittedNumber, "", false
	case refusesOmission(p, c):
		return omittedRefused, "", false
	case c.Default != nil && c.Default.Null && c.Nullable:
		return omittedNull, "", false
	case c.Default != nil && !c.Default.Null && !c.Default.Dropped && !c.Default.Expr:
		return omittedValue, c.Default.Value, true
	case c.Default == nil && !c.Nullable && (integers(c.Type) > 0 || c.Type.Name == "decimal"):
		return omittedValue, "0", true // manual: Data Type Default Values
	}
	return omittedValue, "", false
}

// omittedCannotCollide reports that rows which do not name the column are no duplicates in it.
func omittedCannotCollide(p *analyzer.Pass, c *schema.Column) bool {
	what, _, _ := whenOmitted(p, c)
	return what != omittedValue
}

// omittedPasses reports that a row which names none of the columns passes an expression of a CHECK that names no others.
// NULL passes a CHECK, but not every expression of NULL is NULL.
func omittedPasses(p *analyzer.Pass, columns []*schema.Column, expr string) bool {
	nulls := true
	for _, c := range columns {
		what, _, _ := whenOmitted(p, c)
		if what == omittedRefused {
			return true
		}
		nulls = nulls && what == omittedNull
	}
	if nulls {
		return nullPasses(expr)
	}
	if len(columns) != 1 {
		return false
	}
	_, value, literal := whenOmitted(p, columns[0])
	return literal && literalPasses(columns[0], value, expr)
}

// nullPasses reports whether an expression, in canonical text, is NULL where all columns in it are NULL: it compares
// and computes, each part of an AND or OR with some column, and calls only functions that give NULL for NULL.
func nullPasses(expr string) bool {
	words, ok := scan(expr)
	if !ok || strings.Contains(expr, "<=>") {
		return false
	}
	if mixedList(words) {
		return false
	}
	named := false // in this part
	for i, w := range words {
		switch {
		case w.quote == '`':
			named = true
		case w.quote == '\'':
		case w.quote != 0:
			return false
		case w.is("AND"), w.is("OR"):
			if !named {
				return false
			}
			named = false
		case w.is("NOT"), w.is("IN"), w.is("LIKE"):
		case w.name:
			call := i+1 < len(words) && words[i+1].text == "(" && words[i+1].quote == 0
			if strings.Trim(w.text, "0123456789") != "" && !(call && nullForNull(w.text)) {
				return false
			}
		case strings.Contains("(),.<>=!+-*/%", w.text):
		default:
			return false
		}
	}
	return named
}

// mixedList reports whether a list after IN has both texts and numbers. MySQL then finds that NULL is not in it, where it
// should not know (tested on 9.7: 3819).
func mixedList(words []token) bool {
	for i, w := range words {
		if !w.is("IN") {
			continue
		}
		texts, others := false, false
		for _, w := range words[i+1:] {
			if w.quote == 0 && w.text == ")" {
				break
			}
			texts = texts || w.quote == '\''
			others = others || w.quote != '\'' && (w.name || w.quote == '`') && !strings.HasPrefix(w.text, "_")
		}
		if texts && others {
			return true
		}
	}
	return false
}

func nullForNull(function string) bool {
	switch strings.ToLower(function) {
	case "lower", "upper", "lcase", "ucase", "trim", "ltrim", "rtrim", "left", "right", "substr", "substring", "reverse", "abs",
		"char_length", "character_length", "length", "octet_length", "json_valid", "json_type", "json_length", "regexp_like", "mod", "md5", "sha1":
		return true
	}
	return false
}

// literalPasses reports that a value passes an expression that only compares the column with a number, or looks for it in a
// list of literals.
func literalPasses(c *schema.Column, value, expr string) bool {
	words, ok := scan(expr)
	if !ok || len(words) < 3 || words[0].quote != '`' || !strings.EqualFold(words[0].text, c.Name) {
		return false
	}
	words = words[1:]
	number := integers(c.Type) > 0 || c.Type.Name == "decimal"
	if words[0].is("IN") {
		found := false
		for _, w := range words[1:] {
			switch {
			case w.quote == '\'' && !number, w.quote == 0 && w.name && number && strings.Trim(w.text, "0123456789") == "":
				found = found || w.text == value
			case w.quote == 0 && (w.text == "(" || w.text == ")" || w.text == ","):
			default:
				return false // also a list of numbers and texts, for one of them may not convert
			}
		}
		return found
	}
	var operator, right string
	for _, w := range words {
		switch {
		case w.quote != 0:
			return false
		case right == "" && strings.Contains("<>=!", w.text):
			operator += w.text
		default:
			right += w.text
		}
	}
	// Short numbers are exact.
	a, errA := strconv.ParseFloat(value, 64)
	b, errB := strconv.ParseFloat(right, 64)
	if !number || errA != nil || errB != nil || len(value) > 15 || len(right) > 15 || strings.ContainsAny(value+right, "xXpPeEnN_") {
		return false
	}
	switch operator {
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	case ">=":
		return a >= b
	case "=":
		return a == b
	case "<>", "!=":
		return a != b
	}
	return false
}

// omittedRefusable reports that the table may refuse a row which does not name the column for what it gets there: a key, a CHECK, a
// foreign key or a computed column depends on it.
func omittedRefusable(p *analyzer.Pass, t *schema.Table, c *schema.Column) bool {
	what, _, _ := whenOmitted(p, c)
	for _, k := range t.Keys {
		if !unique(k) || what != omittedValue {
			continue
		}
		if contains(columns(k), c.Name) {
			return true
		}
		for _, part := range k.Parts {
			if contains(part.Columns, c.Name) {
				return true
			}
		}
	}
	for _, f := range t.ForeignKeys {
		if contains(f.Columns, c.Name) && what != omittedNull {
			return true
		}
	}
	for _, k := range t.Checks {
		if contains(k.Columns, c.Name) && !k.NotEnforced && !(len(k.Columns) == 1 && omittedPasses(p, []*schema.Column{c}, k.Expr)) {
			return true
		}
	}
	for _, g := range t.Columns {
		if g.Generated != nil && contains(g.Generated.Columns, c.Name) && canFail(t, g) {
			return true
		}
	}
	return false
}
