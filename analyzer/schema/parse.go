package schema

import (
	"fmt"
	"strings"
)

// maxDDL bounds the length of a statement that is parsed. The yacc parser's memory grows with its input, and the input is
// a stranger's. No real definition comes near it: MySQL's own limit for a .frm was 64 KB, and 4,096 columns fit well.
const maxDDL = 1 << 20

// maxDepth bounds how deep parentheses may nest in a statement that is parsed.
const maxDepth = 200

// A bailout carries an *Error up to Apply. Reading and applying a statement stop at the first error, as the server does.
type bailout struct{ err *Error }

// A cursor reads the tokens that one server sees of a statement.
type cursor struct {
	st     *Statement
	src    string
	mode   lexMode
	server Server
	ts     []token // without comments, version comments unwrapped; the last is tokEOF
	i      int
	// objects are what the statement may touch, as far as it has been read: they go into errors. Nil: unknown yet.
	objects []Object
	gaps    []*Error // definitions that could not be read, though the rest of the statement could
}

// newCursor cuts a statement into tokens. It bails out on text that no server reads.
func newCursor(st *Statement, server Server, mode lexMode) *cursor {
	c := &cursor{st: st, src: st.SQL, mode: mode, server: server}
	c.ts = make([]token, 0, min(len(st.SQL)/6+4, 1<<10)) // definitions have about six bytes a token
	l := lexer{src: st.SQL, mode: mode, runs: server.runs}
	depth := 0
	for {
		t := l.next()
		if t.bad != "" {
			c.fail(t.start, 0, "%s", t.bad)
		}
		switch t.kind {
		case tokComment, tokVersionOpen, tokVersionClose:
			continue
		case tokEOF:
			for n := len(c.ts); n > 0 && c.ts[n-1].is(c.src, ";"); n-- {
				c.ts = c.ts[:n-1]
			}
			c.ts = append(c.ts, t)
			return c
		case tokOp:
			switch c.src[t.start] {
			case '(':
				if depth++; depth > maxDepth {
					c.fail(t.start, 0, "parentheses nest too deep")
				}
			case ')':
				depth--
			}
		}
		c.ts = append(c.ts, t)
	}
}

// runs tells whether the server executes a version comment (manual: Comments; MariaDB: Comment Syntax). MariaDB leaves out
// versions from 50700 to 99999, which mean MySQL's own.
func (v Server) runs(version int, mariadb bool) bool {
	if mariadb && !v.MariaDB {
		return false
	}
	if v.MariaDB && version >= 50700 && version <= 99999 {
		return false
	}
	patch := v.Patch
	if patch == 0 {
		patch = 99
	}
	return version <= v.Major*10000+v.Minor*100+patch
}

// fail bails out. Code is the server's error number, 0 if it is this package that gives up.
func (c *cursor) fail(off, code int, format string, args ...any) {
	panic(bailout{&Error{Pos: c.st.PosAt(off), Code: code, Msg: fmt.Sprintf(format, args...), Objects: c.objects}})
}

// gap notes a definition that cannot be read, and about is what it concerns.
func (c *cursor) gap(e *Error, about ...Object) {
	n := *e
	n.Objects = about
	c.gaps = append(c.gaps, &n)
}

// peek gives the token n places ahead.
func (c *cursor) peek(n int) token {
	if c.i+n < len(c.ts) {
		return c.ts[c.i+n]
	}
	return c.ts[len(c.ts)-1]
}

// off gives the offset of the current token.
func (c *cursor) off() int { return c.peek(0).start }

// done tells whether all tokens are read.
func (c *cursor) done() bool { return c.peek(0).kind == tokEOF }

// at tells whether the next tokens are these words or operators.
func (c *cursor) at(words ...string) bool {
	for n, w := range words {
		if !c.peek(n).is(c.src, w) {
			return false
		}
	}
	return true
}

// accept reads these words or operators if all of them are next.
func (c *cursor) accept(words ...string) bool {
	if !c.at(words...) {
		return false
	}
	c.i += len(words)
	return true
}

// acceptAny reads one of these words if it is next, and gives it.
func (c *cursor) acceptAny(words ...string) string {
	for _, w := range words {
		if c.accept(w) {
			return w
		}
	}
	return ""
}

// expect reads these words or bails out.
func (c *cursor) expect(words ...string) {
	for _, w := range words {
		if !c.accept(w) {
			c.unexpected(w)
		}
	}
}

// unexpected bails out at the current token.
func (c *cursor) unexpected(want string) {
	t := c.peek(0)
	if t.kind == tokEOF {
		c.fail(t.start, 0, "the statement ends where %s should stand", want)
	}
	c.fail(t.start, 0, "cannot read %s here: want %s", clip(t.text(c.src), 40), want)
}

// clip shortens a text for a message.
func clip(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= n {
		return fmt.Sprintf("%q", s)
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return fmt.Sprintf("%q…", s[:n])
}

// end bails out unless all tokens are read.
func (c *cursor) end() {
	if !c.done() {
		c.unexpected("the end of the statement")
	}
}

// name reads an identifier.
func (c *cursor) name() string {
	t := c.peek(0)
	if t.kind != tokWord && t.kind != tokIdent {
		c.unexpected("a name")
	}
	c.i++
	name := t.name(c.src)
	if name == "" { // servers refuse it of tables, columns and keys (tested on MariaDB 10.11: 1103, 1166, 1280)
		c.fail(t.start, 0, "a name is empty")
	}
	return name
}

// A qname is a name that may be qualified with a database.
type qname struct {
	db, name string
	at       int // offset
}

// qname reads a name that may be qualified.
func (c *cursor) qname() qname {
	q := qname{at: c.off()}
	q.name = c.name()
	if c.at(".") {
		c.i++
		q.db = q.name
		q.name = c.name()
	}
	return q
}

// skipParens goes behind the parenthesis that closes the one under the cursor, and gives the tokens between.
func (c *cursor) skipParens() []token {
	if !c.at("(") {
		c.unexpected("(")
	}
	c.i++
	from := c.i
	for depth := 1; ; c.i++ {
		switch {
		case c.done():
			c.unexpected(")")
		case c.at("("):
			depth++
		case c.at(")"):
			if depth--; depth == 0 {
				c.i++
				return c.ts[from : c.i-1]
			}
		}
	}
}

// sub gives a cursor over some of the tokens.
func (c *cursor) sub(ts []token) *cursor {
	d := *c
	end := token{kind: tokEOF}
	if len(ts) > 0 {
		end.start = ts[len(ts)-1].end
	}
	end.end = end.start
	d.ts = append(ts[:len(ts):len(ts)], end)
	d.i = 0
	return &d
}

// text gives the tokens' canonical text: one space between words, identifiers in backquotes where they were, and so on.
// It is what remains for text that is kept but not understood: bodies, schedules.
func (c *cursor) textOf(ts []token) string {
	if len(ts) == 0 {
		return ""
	}
	var b strings.Builder
	for i, t := range ts {
		if i > 0 && spaced(c.src, ts[i-1], t) {
			b.WriteByte(' ')
		}
		switch t.kind {
		case tokString:
			b.WriteString(quoteString(t.value(c.src, c.mode)))
		case tokIdent:
			b.WriteString(quoteName(t.name(c.src)))
		default:
			b.WriteString(t.text(c.src))
		}
	}
	return b.String()
}

// spaced tells whether canonical text has a space between two tokens.
func spaced(src string, a, b token) bool {
	switch {
	case a.is(src, "(") || a.is(src, ".") || b.is(src, ")") || b.is(src, ".") || b.is(src, ",") || b.is(src, ";"):
		return false
	case b.kind == tokVariable:
		return a.end != b.start // 'root'@'%'
	case b.is(src, "("):
		return a.end != b.start // f(x), but IN (x)
	}
	return true
}

// split cuts tokens at the commas that stand in no parentheses.
func split(src string, ts []token) [][]token {
	var parts [][]token
	depth, from := 0, 0
	for i, t := range ts {
		if t.kind != tokOp {
			continue
		}
		switch src[t.start:t.end] {
		case "(":
			depth++
		case ")":
			depth--
		case ",":
			if depth == 0 {
				parts = append(parts, ts[from:i])
				from = i + 1
			}
		}
	}
	if from < len(ts) || len(parts) > 0 {
		parts = append(parts, ts[from:])
	}
	return parts
}
