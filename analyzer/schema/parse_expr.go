package schema

import (
	"slices"
	"strings"
)

// An expression is the text of an expression in canonical form, so that what a developer writes and what
// SHOW CREATE TABLE prints compare as equal where they mean the same: function names and keywords in lower case, names in
// backquotes and without their table, only the parentheses that are needed, one spelling of each operator.
type expression struct {
	text string
	refs []string // columns that it names, as written, each once
	// level is how tightly its outermost operator binds; an operand that binds more loosely gets parentheses.
	level int
	// subquery: it holds a SELECT.
	subquery bool
	calls    []string // functions that it calls, canonical
	// logical: its value is true or false. MySQL prints what else stands where a condition belongs as 0 <> x.
	logical bool
	// opposite is the canonical text of NOT this, where the servers have one; oppositeLevel its level.
	opposite      string
	oppositeLevel int
}

// Levels of operators (manual: Operator Precedence), loosest first.
const (
	levelOr = iota + 1
	levelXor
	levelAnd
	levelNot
	levelCompare
	levelBitOr
	levelBitAnd
	levelShift
	levelAdd
	levelMul
	levelXorBits
	levelUnary
	levelCollate
	levelPrimary
)

// An exprReader reads one expression by operator precedence.
type exprReader struct {
	*cursor
	refs     []string
	calls    []string
	subquery bool
	depth    int
}

// readExpr gives the canonical form of the tokens of an expression. An expression that it has no grammar for keeps its tokens:
// the text then is right, but compares as equal only to the same spelling.
func (c *cursor) readExpr(ts []token) expression {
	if len(ts) == 0 {
		c.unexpected("an expression")
	}
	r := exprReader{cursor: c.sub(ts)}
	e, ok := r.try()
	if !ok {
		r = exprReader{cursor: c.sub(ts)}
		e = r.raw(ts)
	}
	e.refs, e.calls, e.subquery = r.refs, r.calls, r.subquery
	return e
}

// try reads the whole expression; false if there is something in it that the grammar here does not know.
func (r *exprReader) try() (e expression, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			if _, is := p.(bailout); !is {
				panic(p)
			}
			ok = false
		}
	}()
	e = r.binary(levelOr)
	r.end()
	return e, true
}

// raw gives the tokens' text, and takes for a column each name that is not called.
func (r *exprReader) raw(ts []token) expression {
	for i, t := range ts {
		called := i+1 < len(ts) && ts[i+1].is(r.src, "(")
		switch {
		case t.is(r.src, "select"):
			r.subquery = true
		case t.kind == tokWord && r.src[t.start] == '_' && i+1 < len(ts) && ts[i+1].kind == tokString: // an introducer
		case t.kind == tokIdent && !called, t.kind == tokWord && !called && !exprWords[strings.ToLower(t.text(r.src))]:
			r.ref(t.name(r.src))
		case called && t.kind == tokWord:
			r.calls = append(r.calls, strings.ToLower(t.text(r.src)))
		}
	}
	return expression{text: r.textOf(ts), level: levelOr}
}

// exprWords are words that name no column in an expression. It is only read.
var exprWords = wordSet("and as asc binary between by case cast charset character collate div desc distinct else end escape exists false from group having in int integer " +
	"interval is json like limit mod not null on or order over partition regexp rlike row rows select separator set signed sounds then true unknown unsigned using when " +
	"where xor year quarter month week day hour minute second microsecond char decimal date time datetime double float member of array array")

func wordSet(s string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		m[w] = true
	}
	return m
}

func (r *exprReader) ref(name string) {
	if !slices.ContainsFunc(r.refs, func(s string) bool { return strings.EqualFold(s, name) }) {
		r.refs = append(r.refs, name)
	}
}

// in gives e's text as an operand of an operator of that level.
func (e expression) in(level int) string {
	if e.level < level {
		return "(" + e.text + ")"
	}
	return e.text
}

func (r *exprReader) enter() {
	if r.depth++; r.depth > maxDepth {
		r.fail(r.off(), 0, "the expression nests too deep")
	}
}

// binary reads operators of that level and tighter ones.
func (r *exprReader) binary(level int) expression {
	r.enter()
	defer func() { r.depth-- }()
	if level == levelNot {
		if r.accept("not") {
			return r.negate(r.binary(levelNot))
		}
		return r.compare()
	}
	if level > levelXorBits {
		return r.unary()
	}
	left := r.binary(level + 1)
	for {
		op := r.operator(level)
		if op == "" {
			return left
		}
		if level == levelAdd && r.at("interval") {
			r.i++
			n := r.binary(levelOr)
			unit := strings.ToLower(r.name())
			left = expression{text: left.in(level) + " " + op + " interval " + n.in(levelAdd+1) + " " + unit, level: level}
			continue
		}
		right := r.binary(level + 1)
		switch level {
		case levelOr, levelAnd:
			left, right = r.operand(left), r.operand(right)
			both := expression{text: left.in(level) + " " + op + " " + right.in(level), level: level, logical: true} // associative
			// The servers turn NOT (a AND b) into NOT a OR NOT b.
			l, r := r.negate(left), r.negate(right)
			if both.opposite, both.oppositeLevel = l.in(levelOr)+" or "+r.in(levelOr), levelOr; level == levelOr {
				both.opposite, both.oppositeLevel = l.in(levelAnd)+" and "+r.in(levelAnd), levelAnd
			}
			left = both
		case levelXor:
			left, right = r.condition(left), r.condition(right)
			left = expression{text: left.in(level) + " xor " + right.in(level+1), level: level, logical: true}
		default:
			left = expression{text: left.in(level) + " " + op + " " + right.in(level+1), level: level}
		}
	}
}

// condition gives an expression as the server keeps it where a condition belongs.
func (r *exprReader) condition(e expression) expression {
	if e.logical || !r.server.atLeast(8, 0) {
		return e
	}
	return expression{text: "0 <> " + e.in(levelCompare+1), level: levelCompare, logical: true, opposite: "0 = " + e.in(levelCompare+1), oppositeLevel: levelCompare}
}

// operand gives an expression as the server keeps it as an operand of AND or OR.
func (r *exprReader) operand(e expression) expression {
	if e.logical || !r.server.MariaDB {
		return r.condition(e)
	}
	return comparison(e.in(levelCompare+1), "<>", "0")
}

// negate gives NOT e, as the servers keep it.
func (r *exprReader) negate(e expression) expression {
	switch {
	case e.opposite != "":
		return expression{text: e.opposite, level: e.oppositeLevel, logical: true, opposite: e.text, oppositeLevel: e.level}
	case !e.logical && r.server.MariaDB:
		return comparison(e.in(levelCompare+1), "=", "0")
	case !e.logical && r.server.atLeast(8, 0):
		return r.negate(r.condition(e))
	}
	return expression{text: "not " + e.in(levelNot), level: levelNot, logical: true, opposite: e.text, oppositeLevel: e.level}
}

// comparison gives l op r.
func comparison(l, op, r string) expression {
	e := expression{text: l + " " + op + " " + r, level: levelCompare, logical: true}
	if o := oppositeOf[op]; o != "" {
		e.opposite, e.oppositeLevel = l+" "+o+" "+r, levelCompare
	}
	return e
}

// oppositeOf gives the comparison that NOT makes of one. It is only read.
var oppositeOf = map[string]string{"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}

// operator reads an operator of that level and gives its canonical spelling; "" if none is next.
func (r *exprReader) operator(level int) string {
	ops := func(canonical string, spellings ...string) string {
		for _, s := range spellings {
			if r.accept(s) {
				return canonical
			}
		}
		return ""
	}
	switch level {
	case levelOr:
		return ops("or", "or", "||")
	case levelXor:
		return ops("xor", "xor")
	case levelAnd:
		return ops("and", "and", "&&")
	case levelBitOr:
		return ops("|", "|")
	case levelBitAnd:
		return ops("&", "&")
	case levelShift:
		return r.acceptAny("<<", ">>")
	case levelAdd:
		return r.acceptAny("+", "-")
	case levelMul:
		if op := ops("%", "%", "mod"); op != "" {
			return op
		}
		return r.acceptAny("*", "/", "div")
	case levelXorBits:
		return r.acceptAny("^")
	}
	return ""
}

// compare reads comparisons, LIKE, IN, BETWEEN, IS and their negations.
func (r *exprReader) compare() expression {
	left := r.binary(levelBitOr)
	for {
		l := left.in(levelCompare)
		op := ""
		for _, o := range [...]string{"=", "<=>", ">=", ">", "<=", "<", "<>", "!="} {
			if r.accept(o) {
				if op = o; o == "!=" {
					op = "<>"
				}
				break
			}
		}
		if op != "" {
			left = comparison(l, op, r.binary(levelBitOr).in(levelCompare+1))
			continue
		}
		if r.accept("is") {
			not := ""
			if r.accept("not") {
				not = "not "
			}
			w := r.acceptAny("null", "true", "false", "unknown")
			if w == "" {
				r.unexpected("NULL, TRUE or FALSE")
			}
			if w != "null" && w != "unknown" {
				l = r.condition(left).in(levelCompare)
			} else {
				w = "null"
			}
			opposite := "not "
			if not != "" {
				opposite = ""
			}
			left = expression{text: l + " is " + not + w, level: levelCompare, logical: true, opposite: l + " is " + opposite + w, oppositeLevel: levelCompare}
			continue
		}
		start := r.i
		not := r.accept("not")
		var e expression
		switch {
		case r.accept("like"):
			e.text = l + " like " + r.binary(levelBitOr).in(levelCompare+1)
			if r.accept("escape") {
				e.text += " escape " + r.unary().in(levelPrimary)
			}
		case r.accept("regexp"), r.accept("rlike"):
			right := r.binary(levelBitOr)
			if r.server.atLeast(8, 0) { // SHOW CREATE TABLE prints the function
				r.calls = append(r.calls, "regexp_like")
				e = expression{text: "regexp_like(" + left.text + "," + right.text + ")", level: levelPrimary}
			} else {
				e.text = l + " regexp " + right.in(levelCompare+1)
			}
		case r.accept("between"):
			low := r.binary(levelBitOr)
			r.expect("and")
			e.text = l + " between " + low.in(levelCompare+1) + " and " + r.binary(levelBitOr).in(levelCompare+1)
		case r.at("in", "("):
			r.i++
			in := r.skipParens()
			if list := split(r.src, in); len(list) == 1 {
				e = comparison(l, "=", r.nested(in).in(levelCompare+1))
				break
			}
			e.text = l + " in (" + r.list(in) + ")"
		default:
			r.i = start
			return left
		}
		if e.level == 0 {
			e.level = levelCompare
		}
		e.logical = true
		if not {
			e = r.negate(e)
		}
		left = e
	}
}

// list gives expressions separated by commas.
func (r *exprReader) list(ts []token) string {
	if len(ts) == 0 {
		return ""
	}
	var parts []string
	for _, p := range split(r.src, ts) {
		parts = append(parts, r.nested(p).text)
	}
	return strings.Join(parts, ",")
}

// nested reads an expression inside this one.
func (r *exprReader) nested(ts []token) expression {
	in := exprReader{cursor: r.sub(ts), refs: r.refs, calls: r.calls, depth: r.depth + 1}
	in.enter()
	e := in.binary(levelOr)
	in.end()
	r.refs, r.calls = in.refs, in.calls
	r.subquery = r.subquery || in.subquery
	return e
}

// unary reads signs, ~, ! and BINARY.
func (r *exprReader) unary() expression {
	r.enter()
	defer func() { r.depth-- }()
	switch {
	case r.accept("-"):
		e := r.unary()
		if e.level == levelPrimary && e.text != "" && isDigit(e.text[0]) {
			return expression{text: "-" + e.text, level: levelPrimary}
		}
		if e.level == levelPrimary && len(e.text) > 1 && e.text[0] == '-' && isDigit(e.text[1]) {
			return expression{text: e.text[1:], level: levelPrimary}
		}
		return expression{text: "-" + e.in(levelCollate), level: levelUnary}
	case r.accept("+"):
		return r.unary()
	case r.accept("~"):
		return expression{text: "~" + r.unary().in(levelCollate), level: levelUnary}
	case r.accept("!"):
		return r.negate(r.unary())
	case r.at("binary") && !r.peek(1).is(r.src, "("):
		r.i++
		return expression{text: "cast(" + r.unary().text + " as char charset binary)", level: levelPrimary}
	}
	e := r.primary()
	for {
		switch {
		case r.accept("collate"):
			e = expression{text: e.in(levelCollate) + " collate " + canonicalCollation(r.nameOrString()), level: levelCollate}
		case r.at("->>") || r.at("->"):
			unquote := r.accept("->>")
			if !unquote {
				r.i++
			}
			path := r.primary()
			e = expression{text: "json_extract(" + e.text + "," + path.text + ")", level: levelPrimary}
			if unquote {
				e.text = "json_unquote(" + e.text + ")"
			}
		default:
			return e
		}
	}
}

// nameOrString reads a name that may be a string: a charset, a collation.
func (c *cursor) nameOrString() string {
	if t := c.peek(0); t.kind == tokString {
		c.i++
		return t.value(c.src, c.mode)
	}
	return c.name()
}

// primary reads a literal, a column, a call, CASE or something in parentheses.
func (r *exprReader) primary() expression {
	t := r.peek(0)
	switch t.kind {
	case tokNumber:
		r.i++
		return expression{text: strings.ToLower(t.text(r.src)), level: levelPrimary}
	case tokBits:
		r.i++
		return expression{text: canonicalBits(t.text(r.src)), level: levelPrimary}
	case tokString:
		var b strings.Builder
		for r.peek(0).kind == tokString { // 'a' 'b' is 'ab'
			b.WriteString(r.peek(0).value(r.src, r.mode))
			r.i++
		}
		return expression{text: quoteString(b.String()), level: levelPrimary}
	case tokIdent:
		return r.column()
	case tokOp:
		if !r.at("(") {
			r.unexpected("an operand")
		}
		in := r.skipParens()
		if len(in) > 0 && (in[0].is(r.src, "select") || in[0].is(r.src, "with")) {
			r.subquery = true
			r.unexpected("an expression without a subquery")
		}
		if len(split(r.src, in)) > 1 {
			return expression{text: "(" + r.list(in) + ")", level: levelPrimary}
		}
		return r.nested(in)
	case tokWord:
	default:
		r.unexpected("an operand")
	}
	w := strings.ToLower(t.text(r.src))
	if w[0] == '_' && r.peek(1).kind == tokString || w[0] == '_' && r.peek(1).kind == tokBits {
		r.i++
		set := canonicalCharset(w[1:])
		e := r.primary()
		// The server prints every string with the connection's charset before it; only binary changes what is meant.
		if set == "binary" || e.text[0] != '\'' {
			e.text = "_" + set + " " + e.text
			e.level = levelCollate
		}
		return e
	}
	switch w {
	case "null", "true", "false":
		r.i++
		return expression{text: w, level: levelPrimary, logical: w != "null"}
	case "default":
		r.unexpected("an operand")
	case "case":
		return r.caseWhen()
	case "current_timestamp", "localtime", "localtimestamp", "current_date", "current_time", "utc_date", "utc_time", "utc_timestamp", "current_user":
		if !r.peek(1).is(r.src, "(") {
			r.i++
			return r.called(w, "")
		}
	case "date", "time", "timestamp":
		if r.peek(1).kind == tokString {
			r.i++
			e := r.primary()
			return expression{text: w + e.text, level: levelPrimary}
		}
	case "interval":
		if !r.peek(1).is(r.src, "(") {
			r.i++
			n := r.binary(levelOr)
			unit := strings.ToLower(r.name())
			return expression{text: "interval " + n.in(levelAdd+1) + " " + unit, level: levelCollate}
		}
	case "exists", "match", "select":
		r.subquery = r.subquery || w != "match"
		r.unexpected("an expression without it")
	}
	if r.peek(1).is(r.src, "(") {
		return r.call(w)
	}
	if exprWords[w] && !notReserved[w] {
		r.unexpected("an operand")
	}
	return r.column()
}

// notReserved are exprWords that can name a column without quotes. It is only read.
var notReserved = wordSet("array as date day datetime end escape hour json member microsecond minute month quarter row second separator signed sounds time unknown week year")

// column reads a column's name and drops its qualifiers.
func (r *exprReader) column() expression {
	name := r.name()
	for r.at(".") {
		r.i++
		name = r.name()
	}
	r.ref(name)
	return expression{text: quoteName(name), level: levelPrimary}
}

// caseWhen reads CASE … END.
func (r *exprReader) caseWhen() expression {
	r.expect("case")
	text := "case"
	simple := !r.at("when")
	if simple {
		text += " " + r.binary(levelOr).text
	}
	for r.accept("when") {
		when := r.binary(levelOr)
		if !simple {
			when = r.condition(when)
		}
		text += " when " + when.text
		r.expect("then")
		text += " then " + r.binary(levelOr).text
	}
	if r.accept("else") {
		text += " else " + r.binary(levelOr).text
	}
	r.expect("end")
	return expression{text: text + " end", level: levelPrimary}
}

// call reads a function call. The forms with keywords between their operands are CAST, CONVERT, EXTRACT, TRIM, POSITION and SUBSTRING … FROM.
func (r *exprReader) call(name string) expression {
	r.i++
	in := r.skipParens()
	c := exprReader{cursor: r.sub(in), refs: r.refs, calls: r.calls, depth: r.depth + 1}
	c.enter()
	defer func() { r.refs, r.calls, r.subquery = c.refs, c.calls, r.subquery || c.subquery }()
	switch name {
	case "cast", "convert":
		e := c.binary(levelOr)
		switch {
		case c.accept("using"):
			set := canonicalCharset(c.nameOrString())
			c.end()
			return expression{text: "convert(" + e.text + " using " + set + ")", level: levelPrimary}
		case name == "cast":
			c.expect("as")
		default:
			c.expect(",")
		}
		return expression{text: "cast(" + e.text + " as " + c.castType() + ")", level: levelPrimary}
	case "extract":
		unit := strings.ToLower(c.name())
		c.expect("from")
		e := c.binary(levelOr)
		c.end()
		return expression{text: "extract(" + unit + " from " + e.text + ")", level: levelPrimary}
	case "values", "match", "group_concat", "count", "json_table", "json_value":
		r.unexpected("an expression without it")
	case "date_add", "adddate", "date_sub", "subdate":
		if args := split(r.src, in); len(args) == 2 && args[1][0].is(r.src, "interval") {
			a, b := c.nested(args[0]), c.nested(args[1])
			op := " + "
			if strings.Contains(name, "sub") {
				op = " - "
			}
			return expression{text: a.in(levelAdd) + op + b.text, level: levelAdd}
		}
	case "mod":
		if args := split(r.src, in); len(args) == 2 {
			a, b := c.nested(args[0]), c.nested(args[1])
			return expression{text: a.in(levelMul) + " % " + b.in(levelMul+1), level: levelMul}
		}
	case "datediff":
		if args := split(r.src, in); len(args) == 2 {
			a, b := c.nested(args[0]), c.nested(args[1])
			return expression{text: "to_days(" + a.text + ") - to_days(" + b.text + ")", level: levelAdd}
		}
	case "isnull":
		if args := split(r.src, in); len(args) == 1 {
			x := c.nested(args[0]).in(levelCompare)
			return expression{text: x + " is null", level: levelCompare, logical: true, opposite: x + " is not null", oppositeLevel: levelCompare}
		}
	case "date", "time":
		if len(split(r.src, in)) == 1 {
			return expression{text: "cast(" + c.list(in) + " as " + name + ")", level: levelPrimary}
		}
	case "if":
		if args := split(r.src, in); len(args) == 3 {
			when := r.condition(c.nested(args[0])).text
			return c.called(name, when+","+c.nested(args[1]).text+","+c.nested(args[2]).text)
		}
	}
	return c.called(name, c.list(in))
}

// called gives the call of a function under its canonical name.
func (r *exprReader) called(name, args string) expression {
	if s, ok := functionNames[name]; ok {
		name = s
	}
	r.calls = append(r.calls, name)
	return expression{text: name + "(" + args + ")", level: levelPrimary, logical: logicalFunctions[name]}
}

// logicalFunctions give true or false to MySQL. It is only read.
var logicalFunctions = wordSet("regexp_like json_contains json_contains_path json_overlaps st_contains st_within st_intersects st_equals st_disjoint st_touches st_crosses st_overlaps")

// changing are functions whose value depends on more than their arguments; MySQL refuses them in generated columns, functional
// keys and checks (manual: CREATE TABLE and Generated Columns). It is only read.
var changing = wordSet("now sysdate curdate curtime utc_date utc_time utc_timestamp unix_timestamp rand uuid uuid_short user current_user session_user system_user " +
	"current_role database schema version connection_id last_insert_id found_rows row_count get_lock release_lock is_free_lock is_used_lock sleep benchmark load_file " +
	"statement_digest statement_digest_text random_bytes master_pos_wait icu_version")

// changes gives a function of the expression whose value depends on more than its arguments, "" if there is none.
func (e expression) changes() string {
	for _, f := range e.calls {
		if changing[f] && !(f == "unix_timestamp" && len(e.refs) > 0) {
			return f
		}
	}
	return ""
}

// functionNames gives of synonyms the one that servers print. It is only read.
var functionNames = map[string]string{
	"current_timestamp": "now", "localtime": "now", "localtimestamp": "now",
	"current_date": "curdate", "current_time": "curtime",
	"substring": "substr", "mid": "substr", "lcase": "lower", "ucase": "upper", "character_length": "char_length",
	"ceil": "ceiling", "power": "pow", "day": "dayofmonth", "sha": "sha1", "octet_length": "length",
}

// castType reads the type of a CAST and gives its canonical text.
func (c *exprReader) castType() string {
	w := strings.ToLower(c.name())
	switch w {
	case "signed", "unsigned":
		if !c.accept("integer") {
			c.accept("int")
		}
		if c.accept("array") {
			w += " array"
		}
		c.end()
		return w
	case "integer", "int":
		w = "signed"
	case "dec", "numeric":
		w = "decimal"
	case "nchar":
		w = "char"
	}
	if c.at("(") {
		var args []string
		for _, t := range c.skipParens() {
			if !t.is(c.src, ",") {
				args = append(args, t.text(c.src))
			}
		}
		w += "(" + strings.Join(args, ",") + ")"
	} else if w == "decimal" {
		w = "decimal(10,0)"
	}
	if c.accept("character", "set") || c.accept("char", "set") || c.accept("charset") {
		// The server prints the connection's charset where none was written.
		if set := canonicalCharset(c.nameOrString()); set != "utf8mb4" && set != "utf8mb3" {
			w += " charset " + set
		}
	}
	if c.accept("array") {
		w += " array"
	}
	c.end()
	return w
}

// canonicalBits gives x'41' as 0x41 and 0b01 as b'01'.
func canonicalBits(s string) string {
	switch {
	case s[0] == 'x' || s[0] == 'X':
		return "0x" + strings.ToLower(s[2:len(s)-1])
	case len(s) > 1 && s[1] == 'b':
		return "b'" + s[2:] + "'"
	case s[0] == 'b' || s[0] == 'B':
		return "b'" + s[2:len(s)-1] + "'"
	}
	return strings.ToLower(s)
}
