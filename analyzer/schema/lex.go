package schema

import (
	"strings"
	"unicode/utf8"
)

// A tokenKind says what a token is.
type tokenKind uint8

const (
	tokEOF          tokenKind = iota
	tokWord                   // a bare identifier or a keyword
	tokIdent                  // `x`, or "x" under ANSI_QUOTES
	tokString                 // 'x', "x", N'x'; an introducer such as _utf8mb4 is a word before it
	tokBits                   // x'41', 0x41, b'01', 0b01
	tokNumber                 // 1, 1.5, .5, 1e-3; a sign is an operator
	tokVariable               // @x, @'x', @`x`, @@global.x; also the host of an account: 'root'@'%'
	tokPlaceholder            // ?, :name, %s, %(name)s: the values that a client fills in
	tokOp                     // an operator or a punctuation mark; ; too, unless a delimiter is set
	tokDelim                  // the delimiter, if one is set
	tokComment                // -- x, # x, /* x */, /*+ x */
	tokVersionOpen            // /*! or /*!50017 or /*M!: what follows is SQL for some servers
	tokVersionClose           // the */ of a tokVersionOpen
	tokIllegal                // a byte that cannot begin a token
)

// A token is a piece of SQL text. Whitespace stands between tokens; comments are tokens.
type token struct {
	kind       tokenKind
	start, end int // byte offsets into the text
	version    int // of tokVersionOpen: 50017; 0 if it names none
	mariadb    bool
	bad        string // why it is malformed: "string is not closed"; such a token goes up to the end of the text
}

// lexMode holds what the server's sql_mode changes about reading SQL.
type lexMode uint8

const (
	ansiQuotes         lexMode = 1 << iota // "x" is an identifier
	noBackslashEscapes                     // a backslash in a string is a backslash
)

// A lexer cuts SQL into tokens. It never fails and never looks at a byte more than a few times: what is not closed is a
// token with its reason in bad, and what cannot begin a token is tokIllegal.
//
// See the MySQL manual, "Language Structure" (Literal Values, Schema Object Names, Comments).
type lexer struct {
	src   string
	mode  lexMode
	delim string // ends statements: ";", "$$", "//"; "" if there is none and ; is an operator
	// runs tells whether the server executes a version comment. One that it does not is a tokComment as a whole,
	// because its text need not be SQL. Nil: all are executed.
	runs  func(version int, mariadb bool) bool
	pos   int
	depth int // version comments that are open
}

// tokens gives all tokens of a text without the comments and without tokEOF.
func tokens(src string, mode lexMode) []token {
	l := lexer{src: src, mode: mode}
	var ts []token
	for t := l.next(); t.kind != tokEOF; t = l.next() {
		if t.kind != tokComment {
			ts = append(ts, t)
		}
	}
	return ts
}

// text gives the token's text as it stands in the source.
func (t token) text(src string) string { return src[t.start:t.end] }

// name gives what a tokWord or a tokIdent names.
func (t token) name(src string) string {
	s := src[t.start:t.end]
	if t.kind == tokIdent {
		return unquote(s)
	}
	return s
}

// is tells whether the token is that word, in any case, or that operator. A quoted identifier is no word.
func (t token) is(src, word string) bool {
	return (t.kind == tokWord || t.kind == tokOp) && t.end-t.start == len(word) && strings.EqualFold(src[t.start:t.end], word)
}

// value gives a tokString's value: without quotes, escapes resolved.
// N'…' is decoded like '…'; the charset of an introducer is not looked at.
func (t token) value(src string, mode lexMode) string {
	s := src[t.start:t.end]
	if s != "" && (s[0] == 'N' || s[0] == 'n') {
		s = s[1:]
	}
	if s == "" {
		return ""
	}
	if mode&noBackslashEscapes != 0 || strings.IndexByte(s, '\\') < 0 {
		return unquote(s)
	}
	q := s[0]
	s = s[1:]
	if s != "" && s[len(s)-1] == q && t.bad == "" {
		s = s[:len(s)-1]
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == q {
			i++ // doubled
		}
		if c != '\\' || i+1 == len(s) {
			b.WriteByte(c)
			continue
		}
		i++
		switch s[i] { // manual, "String Literals", table of special character escape sequences
		case '0':
			b.WriteByte(0)
		case 'b':
			b.WriteByte('\b')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'Z':
			b.WriteByte(26)
		case '%', '_': // kept with the backslash: they mean something to LIKE
			b.WriteByte('\\')
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// unquote removes the quotes around s and halves doubled ones inside.
func unquote(s string) string {
	if s == "" {
		return ""
	}
	q := s[:1]
	s = s[1:]
	s = strings.TrimSuffix(s, q)
	return strings.ReplaceAll(s, q+q, q)
}

// quoteName gives an identifier in backquotes.
func quoteName(name string) string {
	if strings.IndexByte(name, '`') >= 0 {
		name = strings.ReplaceAll(name, "`", "``")
	}
	return "`" + name + "`"
}

// quoteString gives a string literal as SHOW CREATE TABLE prints it: quotes are doubled, and of the bytes that
// need it the backslash, NUL, newline and carriage return are escaped.
func quoteString(s string) string {
	if !strings.ContainsAny(s, "'\\\x00\n\r") {
		return "'" + s + "'"
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	b.WriteByte('\'')
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\'':
			b.WriteString("''")
		case '\\':
			b.WriteString(`\\`)
		case 0:
			b.WriteString(`\0`)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		default:
			b.WriteByte(s[i])
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// isSpace tells whether the server reads c as whitespace.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// isWord tells whether c can stand in a bare identifier. Every byte of a character beyond ASCII can.
func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= utf8.RuneSelf
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// at gives the byte n places after the current one, 0 beyond the end.
func (l *lexer) at(n int) byte {
	if l.pos+n < len(l.src) {
		return l.src[l.pos+n]
	}
	return 0
}

// next gives the next token; at the end of the text a tokEOF, again and again.
func (l *lexer) next() token {
	for l.pos < len(l.src) && isSpace(l.src[l.pos]) {
		l.pos++
	}
	start := l.pos
	if start >= len(l.src) {
		t := token{kind: tokEOF, start: len(l.src), end: len(l.src)}
		if l.depth > 0 {
			t.bad = "version comment is not closed"
		}
		return t
	}
	if l.delim != "" && l.depth == 0 && strings.HasPrefix(l.src[start:], l.delim) {
		return l.take(tokDelim, len(l.delim))
	}
	c := l.src[start]
	switch c {
	case '\'':
		return l.quoted(tokString, 0)
	case '"':
		if l.mode&ansiQuotes != 0 {
			return l.quoted(tokIdent, 0)
		}
		return l.quoted(tokString, 0)
	case '`':
		return l.quoted(tokIdent, 0)
	case '#':
		return l.line()
	case '-':
		// "--" begins a comment only with whitespace or a control character behind it: 5--1 is 6.
		if l.at(1) == '-' && (start+2 == len(l.src) || l.src[start+2] <= ' ') {
			return l.line()
		}
		if l.at(1) == '>' {
			if l.at(2) == '>' {
				return l.take(tokOp, 3)
			}
			return l.take(tokOp, 2)
		}
		return l.take(tokOp, 1)
	case '/':
		if l.at(1) == '*' {
			return l.block()
		}
		return l.take(tokOp, 1)
	case '*':
		if l.at(1) == '/' && l.depth > 0 {
			l.depth--
			return l.take(tokVersionClose, 2)
		}
		return l.take(tokOp, 1)
	case '@':
		return l.variable()
	case '?':
		return l.take(tokPlaceholder, 1)
	case ':':
		if l.at(1) == '=' {
			return l.take(tokOp, 2)
		}
		// A label's colon follows its name at once: "done:BEGIN".
		if c := l.at(1); isWord(c) && !isDigit(c) && (start == 0 || !isWord(l.src[start-1]) && l.src[start-1] != '`') {
			return l.word(tokPlaceholder, 1)
		}
		return l.take(tokOp, 1)
	case '%':
		if n := l.percent(); n > 0 {
			return l.take(tokPlaceholder, n)
		}
		return l.take(tokOp, 1)
	case '.':
		if isDigit(l.at(1)) && (start == 0 || !isWord(l.src[start-1]) && l.src[start-1] != '`' && l.src[start-1] != '"') {
			return l.number()
		}
		return l.take(tokOp, 1)
	case '<':
		if l.at(1) == '=' && l.at(2) == '>' {
			return l.take(tokOp, 3)
		}
		if c := l.at(1); c == '=' || c == '>' || c == '<' {
			return l.take(tokOp, 2)
		}
		return l.take(tokOp, 1)
	case '>':
		if c := l.at(1); c == '=' || c == '>' {
			return l.take(tokOp, 2)
		}
		return l.take(tokOp, 1)
	case '!':
		if l.at(1) == '=' {
			return l.take(tokOp, 2)
		}
		return l.take(tokOp, 1)
	case '&', '|':
		if l.at(1) == c {
			return l.take(tokOp, 2)
		}
		return l.take(tokOp, 1)
	case '\\':
		if isWord(l.at(1)) { // \N is NULL; \G and its like are for the client
			return l.take(tokOp, 2)
		}
		return l.take(tokOp, 1)
	case '(', ')', ',', ';', '=', '+', '^', '~', '[', ']', '{', '}':
		return l.take(tokOp, 1)
	case 'N', 'n':
		if l.at(1) == '\'' {
			return l.quoted(tokString, 1)
		}
	case 'x', 'X', 'b', 'B':
		if l.at(1) == '\'' {
			return l.quoted(tokBits, 1)
		}
	}
	switch {
	case isDigit(c):
		return l.number()
	case isWord(c):
		return l.word(tokWord, 0)
	}
	t := l.take(tokIllegal, 1)
	t.bad = "unexpected character"
	if c == 0 {
		t.bad = "NUL byte"
	}
	return t
}

// take gives a token of the next n bytes.
func (l *lexer) take(kind tokenKind, n int) token {
	t := token{kind: kind, start: l.pos, end: l.pos + n}
	l.pos += n
	return t
}

// quoted reads up to the closing quote. prefix is the number of bytes before the opening one. A quote is escaped by
// doubling it and, in strings but not in names, by a backslash.
func (l *lexer) quoted(kind tokenKind, prefix int) token {
	start := l.pos
	q := l.src[start+prefix]
	escapes := kind != tokIdent && l.mode&noBackslashEscapes == 0
	for i := start + prefix + 1; i < len(l.src); i++ {
		switch c := l.src[i]; {
		case c == '\\' && escapes:
			i++
		case c == q:
			if i+1 < len(l.src) && l.src[i+1] == q {
				i++
				continue
			}
			l.pos = i + 1
			return token{kind: kind, start: start, end: l.pos}
		}
	}
	l.pos = len(l.src)
	bad := "string is not closed"
	if kind == tokIdent {
		bad = "quoted name is not closed"
	}
	return token{kind: kind, start: start, end: l.pos, bad: bad}
}

// line reads a comment up to the end of its line.
func (l *lexer) line() token {
	n := strings.IndexByte(l.src[l.pos:], '\n')
	if n < 0 {
		n = len(l.src) - l.pos
	}
	return l.take(tokComment, n)
}

// block reads a comment between /* and */, or only the opening of a version comment that the server executes.
func (l *lexer) block() token {
	start := l.pos
	t := token{kind: tokComment, start: start}
	n := 0
	switch {
	case l.at(2) == '!':
		n = 3
	case l.at(2) == 'M' && l.at(3) == '!':
		n, t.mariadb = 4, true
	}
	if n > 0 {
		// Five or six digits; fewer belong to the SQL. Six came with MariaDB 10 and MySQL 8.0.
		d := 0
		for d < 6 && isDigit(l.at(n+d)) {
			d++
		}
		if d >= 5 {
			for _, c := range []byte(l.src[start+n : start+n+d]) {
				t.version = t.version*10 + int(c-'0')
			}
			n += d
		}
		if l.runs == nil || l.runs(t.version, t.mariadb) {
			l.depth++
			l.pos += n
			t.kind, t.end = tokVersionOpen, l.pos
			return t
		}
	} else {
		n = 2
	}
	// In a version comment that is skipped plain comments nest one deep; nowhere else (manual, "Comments").
	end := start + n
	for {
		i := strings.Index(l.src[end:], "*/")
		if i < 0 {
			l.pos = len(l.src)
			t.end, t.bad = l.pos, "comment is not closed"
			return t
		}
		inner := -1
		if n > 2 {
			inner = strings.Index(l.src[end:end+i], "/*")
		}
		end += i + 2
		if inner < 0 {
			l.pos = end
			t.end = end
			return t
		}
	}
}

// variable reads a user or a system variable, or the host part of an account.
func (l *lexer) variable() token {
	switch c := l.at(1); c {
	case '\'', '"':
		return l.quoted(tokVariable, 1)
	case '`':
		t := l.quoted(tokIdent, 1)
		t.kind = tokVariable
		return t
	}
	n := 1
	if l.at(1) == '@' {
		n = 2
	}
	for isWord(l.at(n)) || l.at(n) == '.' {
		n++
	}
	return l.take(tokVariable, n)
}

// word reads a bare identifier that begins after prefix bytes. It ends before a delimiter: END$$.
func (l *lexer) word(kind tokenKind, prefix int) token {
	n := prefix
	for isWord(l.at(n)) && l.pos+n < len(l.src) {
		n++
	}
	if l.delim != "" && isWord(l.delim[0]) && l.depth == 0 {
		if i := strings.Index(l.src[l.pos:min(l.pos+n+len(l.delim)-1, len(l.src))], l.delim); i > 0 {
			n = i
		}
	}
	return l.take(kind, n)
}

// number reads a number. What begins with a digit and goes on as a name is a name: 1st. After a point it always is: t.1
func (l *lexer) number() token {
	n := 0
	if l.at(0) == '0' && (l.at(1) == 'x' || l.at(1) == 'b') {
		hex := l.at(1) == 'x'
		for n = 2; isHex(l.at(n), hex); n++ {
		}
		if n > 2 && !isWord(l.at(n)) {
			return l.take(tokBits, n)
		}
		return l.word(tokWord, 0)
	}
	if l.pos > 0 && l.src[l.pos-1] == '.' && l.at(0) != '.' {
		return l.word(tokWord, 0)
	}
	for n = 0; isDigit(l.at(n)); n++ {
	}
	if l.at(n) == '.' {
		for n++; isDigit(l.at(n)); n++ {
		}
	}
	if c := l.at(n); c == 'e' || c == 'E' {
		m := n + 1
		if c := l.at(m); c == '+' || c == '-' {
			m++
		}
		if isDigit(l.at(m)) {
			for n = m; isDigit(l.at(n)); n++ {
			}
		}
	}
	if isWord(l.at(n)) && strings.IndexByte(l.src[l.pos:l.pos+n], '.') < 0 && (l.delim == "" || !strings.HasPrefix(l.src[l.pos+n:], l.delim)) {
		return l.word(tokWord, 0)
	}
	return l.take(tokNumber, n)
}

// isHex tells whether c is a digit of 0x… or, without hex, of 0b….
func isHex(c byte, hex bool) bool {
	if !hex {
		return c == '0' || c == '1'
	}
	return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// percent gives the length of the Python placeholder that begins here, 0 if there is none. "a%s" is a remainder.
func (l *lexer) percent() int {
	if l.at(1) == 's' {
		if isWord(l.at(2)) || l.pos > 0 && (isWord(l.src[l.pos-1]) || l.src[l.pos-1] == ')' || l.src[l.pos-1] == '`') {
			return 0
		}
		return 2
	}
	if l.at(1) != '(' {
		return 0
	}
	n := 2
	for isWord(l.at(n)) {
		n++
	}
	if n > 2 && l.at(n) == ')' && l.at(n+1) == 's' && !isWord(l.at(n+2)) {
		return n + 2
	}
	return 0
}
