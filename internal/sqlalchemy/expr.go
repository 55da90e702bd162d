package sqlalchemy

import (
	"strconv"
	"strings"

	"instep/internal/python"
)

// An Expr is a piece of SQL: text(), a literal, a function, a column, or what operators make of them. It is kept flat, as
// text with holes for columns, because the same expression is rendered with the table's name in a query and without it in
// a CHECK.
type Expr struct {
	python.Object
	parts []part
	prec  prec
	typ   *Type
	// value is what a literal was made from; nil for everything else.
	value any
	label string
	// function: the expression is a function's call.
	function bool
	// unary: the expression is a unary operator's, DESC and ASC left out.
	unary bool
	// desc: DESC, ASC and the like were applied.
	Unknown *Unknown
}

// A part is text, a column or a value.
type part struct {
	text    string
	column  *Column
	table   string // qualifies a column that is only a name
	name    string // of a column that is only a name
	bind    bool   // a value that is sent beside the text
	literal string // its SQL, if it is known
	key     string // of a bindparam or a :name in text()
	unknown *Unknown
	alias   *alias // the column belongs to an alias
}

// An alias stands for a table under another name.
type alias struct{ name string }

// prec is an operator's precedence; a lower one is put in parentheses under a higher one.
type prec int

const (
	precComma   prec = -1
	precOr      prec = 2
	precAnd     prec = 3
	precNot     prec = 4
	precCompare prec = 5
	precAdd     prec = 7
	precMul     prec = 8
	precUnary   prec = 9
	precAtom    prec = 100
)

// Text gives what text() gives: SQL in which :name is a parameter and \: is a colon.
func Text(sql string) *Expr {
	e := &Expr{prec: precAtom}
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 {
			e.parts = append(e.parts, part{text: b.String()})
			b.Reset()
		}
	}
	for i := 0; i < len(sql); i++ {
		switch {
		case sql[i] == '\\' && i+1 < len(sql) && sql[i+1] == ':':
			b.WriteByte(':')
			i++
		case sql[i] == ':' && (i == 0 || !isWord(sql[i-1]) && sql[i-1] != ':' && sql[i-1] != '\\') && i+1 < len(sql) && isWord(sql[i+1]):
			j := i + 1
			for j < len(sql) && isWord(sql[j]) {
				j++
			}
			if j < len(sql) && sql[j] == ':' {
				b.WriteByte(':')
				continue
			}
			flush()
			e.parts = append(e.parts, part{bind: true, key: sql[i+1 : j]})
			i = j - 1
		default:
			b.WriteByte(sql[i])
		}
	}
	flush()
	return e
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// UnknownExpr gives an expression of which nothing is known.
func UnknownExpr(u *Unknown) *Expr {
	return &Expr{parts: []part{{unknown: u}}, prec: precAtom, Unknown: u}
}

// rawExpr gives SQL that is rendered as it is.
func rawExpr(sql string) *Expr { return &Expr{parts: raw(sql), prec: precAtom} }

func raw(sql string) []part { return []part{{text: sql}} }

func columnExpr(c *Column) *Expr {
	return &Expr{parts: []part{{column: c}}, prec: precAtom, typ: c.Type}
}

// Literal gives a value as it is sent to the server. v is a string, a bool, an int64, a float64, nil (NULL), or an *Unknown.
func Literal(v any) *Expr {
	p := part{bind: true}
	switch v := v.(type) {
	case nil:
		p = part{text: "NULL"}
	case string:
		p.literal = quoteString(v)
	case bool:
		p.literal = "0"
		if v {
			p.literal = "1"
		}
	case int:
		p.literal = strconv.Itoa(v)
	case int64:
		p.literal = strconv.FormatInt(v, 10)
	case float64:
		p.literal = strconv.FormatFloat(v, 'g', -1, 64)
	case *Unknown:
		p.unknown = v
	}
	return &Expr{parts: []part{p}, prec: precAtom, value: v}
}

// quoteString gives the SQL literal of a string, as the library writes it for MySQL.
func quoteString(s string) string {
	s = strings.ReplaceAll(s, "'", "''")
	return "'" + strings.ReplaceAll(s, `\`, `\\`) + "'"
}

func concat(groups ...[]part) []part {
	var out []part
	for _, g := range groups {
		out = append(out, g...)
	}
	return out
}

func joinExprs(es []*Expr, sep string) []part {
	var out []part
	for i, e := range es {
		if i > 0 {
			out = append(out, part{text: sep})
		}
		out = append(out, e.parts...)
	}
	return out
}

// group puts the expression in parentheses if it binds weaker than p, or as weak if equal is set.
func (e *Expr) group(p prec, equal bool) []part {
	if e.prec < p || equal && e.prec == p {
		return concat(raw("("), e.parts, raw(")"))
	}
	return e.parts
}

// Binary gives an operator between two expressions.
func Binary(left *Expr, op string, right *Expr) *Expr {
	p, associative := precCompare, false
	switch op {
	case "AND":
		p, associative = precAnd, true
	case "OR":
		p, associative = precOr, true
	case "+":
		p, associative = precAdd, true
	case "-":
		p = precAdd
	case "*":
		p, associative = precMul, true
	case "/", "%":
		p = precMul
	}
	return &Expr{prec: p, parts: concat(left.group(p, !associative), raw(" "+op+" "), right.group(p, !associative))}
}

// Func gives the call of an SQL function.
func Func(name string, args ...*Expr) *Expr {
	switch low := strings.ToLower(name); low {
	case "current_date", "current_time", "current_timestamp", "current_user", "localtime", "localtimestamp", "session_user", "user":
		if len(args) == 0 {
			return &Expr{parts: raw(strings.ToUpper(low)), prec: precAtom, function: true}
		}
	case "sysdate":
		return &Expr{parts: raw("SYSDATE()"), prec: precAtom, function: true}
	case "random":
		name = "rand"
	}
	return &Expr{parts: concat(raw(name+"("), joinExprs(args, ", "), raw(")")), prec: precAtom, function: true}
}

// columns gives the table's columns that the expression names, each once.
func (e *Expr) columns() []*Column {
	var out []*Column
	for _, p := range e.parts {
		if p.column != nil && !contains(out, p.column) {
			out = append(out, p.column)
		}
	}
	return out
}

// sqlMode says how an expression is rendered.
type sqlMode struct {
	tables bool              // columns are qualified with their table
	values map[string]string // SQL of named parameters
}

// expr renders an expression with its values in place; "?" stands for those that are not known.
func (c *compiler) expr(e *Expr, mode sqlMode) string {
	var b strings.Builder
	for _, p := range e.parts {
		switch {
		case p.unknown != nil:
			c.unknown(p.unknown)
			b.WriteByte('?')
		case p.column != nil:
			if mode.tables && p.alias != nil {
				b.WriteString(quote(p.alias.name) + ".")
			} else if mode.tables && p.column.Table != nil {
				b.WriteString(c.table(p.column.Table) + ".")
			}
			b.WriteString(c.column(p.column))
		case p.name != "":
			if mode.tables && p.table != "" {
				b.WriteString(quote(p.table) + ".")
			}
			b.WriteString(quote(p.name))
		case p.bind:
			v, ok := mode.values[p.key]
			switch {
			case p.key != "" && ok:
				b.WriteString(v)
			case p.literal != "":
				b.WriteString(p.literal)
			default:
				c.unknown(&Unknown{Why: "no value is given for the parameter " + p.key})
				b.WriteByte('?')
			}
		default:
			b.WriteString(p.text)
		}
	}
	return b.String()
}
