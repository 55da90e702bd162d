package python

import (
	"strings"
)

// MaxSize is the size in bytes of the largest source that [Parse] reads. A tree takes up
// to some fifty times the memory of its source.
const MaxSize = 8 << 20

// MaxDepth bounds the height of the trees that [Parse] returns, and so the recursion of
// whoever walks them.
const MaxDepth = 10000

// maxNesting bounds the recursion of the parser itself. CPython gives up at 200 open
// brackets and 100 levels of indentation.
const maxNesting = 1000

// SyntaxError says why and where a file cannot be read.
type SyntaxError struct {
	Pos Pos
	Msg string
}

// Error returns the message without the position.
func (e *SyntaxError) Error() string { return e.Msg }

// Parse reads a source file. The error is always a *SyntaxError, and the file is then nil.
//
// The text may have a byte order mark, an encoding cookie, any of the three line ends and
// form feeds. File.Source is what remains after decoding, with \n as its only line end.
func Parse(filename string, src []byte) (file *File, err error) {
	f := &File{Name: filename}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case bailout:
			file, err = nil, &SyntaxError{Pos: f.PosAt(r.offset), Msg: r.msg}
		default:
			panic(r)
		}
	}()
	text, badAt, why := decode(src)
	f.Source = text
	f.lines = lineTable(text)
	if why != "" {
		return nil, &SyntaxError{Pos: f.PosAt(badAt), Msg: why}
	}
	// Real sources have a token for every four to six bytes.
	l := lexer{src: text, toks: make([]token, 0, len(text)/5+16)}
	l.run()
	p := parser{src: text, toks: l.toks, python2: l.python2}
	p.kind = p.toks[0].kind
	for p.kind != tEOF {
		p.statement()
	}
	f.Body = p.takeStmts(0)
	f.Python2 = p.python2
	return f, nil
}

// lineTable returns the offsets at which lines start.
func lineTable(src string) []int32 {
	lines := make([]int32, 1, strings.Count(src, "\n")+1)
	for i := 0; ; {
		n := strings.IndexByte(src[i:], '\n')
		if n < 0 {
			return lines
		}
		i += n + 1
		lines = append(lines, int32(i))
	}
}

// parser is a recursive-descent parser; binary operators are parsed by precedence.
type parser struct {
	src     string
	toks    []token
	i       int  // the current token
	kind    kind // its kind
	end     int32
	python2 bool

	// depth is the recursion of the parser. height is an upper bound of the height of the trees built so far
	// in the innermost enclosing expression or block: siblings count with their maximum, chains such as
	// a.b.c or a + b + c with their length.
	depth, height int

	// Scratch stacks on which lists grow before they are copied out at their exact size.
	exprs []Expr
	stmts []Stmt
}

func (p *parser) fail(msg string) { p.failAt(p.start(), msg) }

func (p *parser) failAt(offset int32, msg string) { panic(bailout{int(offset), msg}) }

// start returns where the current token starts.
func (p *parser) start() int32 { return p.toks[p.i].start }

// peek returns the kind of the n-th token after the current one.
func (p *parser) peek(n int) kind {
	if p.i+n < len(p.toks) {
		return p.toks[p.i+n].kind
	}
	return tEOF
}

// text returns the source of the current token.
func (p *parser) text() string {
	t := p.toks[p.i]
	return p.src[t.start:t.end]
}

// next goes to the next token. p.end is then where the one before it ended.
func (p *parser) next() {
	p.end = p.toks[p.i].end
	if p.kind != tEOF {
		p.i++
		p.kind = p.toks[p.i].kind
	}
}

// seek goes back or forth to a token.
func (p *parser) seek(i int) {
	p.i = i
	p.kind = p.toks[i].kind
}

func (p *parser) accept(k kind) bool {
	if p.kind == k {
		p.next()
		return true
	}
	return false
}

func (p *parser) expect(k kind, what string) {
	if p.kind != k {
		p.fail("expected " + what)
	}
	p.next()
}

// span returns the span from start to the end of the last token read.
func (p *parser) span(start int32) Span { return Span{start, p.end} }

// enter counts one level of recursion, and returns the height to hand to leave.
func (p *parser) enter() int {
	p.depth++
	if p.depth > maxNesting {
		p.fail("nested too deeply")
	}
	h := p.height
	p.height = 0
	return h
}

func (p *parser) leave(height int) {
	p.depth--
	p.grow(4) // no level adds more than this: a call, its keyword, a comprehension, a clause
	p.height = max(p.height, height)
}

// grow adds to the height of the tree being built.
func (p *parser) grow(n int) {
	p.height += n
	if p.height > MaxDepth {
		p.fail("nested too deeply")
	}
}

// takeExprs copies out what is on the expression stack above base, and drops it there.
func (p *parser) takeExprs(base int) []Expr {
	if len(p.exprs) == base {
		return nil
	}
	out := make([]Expr, len(p.exprs)-base)
	copy(out, p.exprs[base:])
	p.exprs = p.exprs[:base]
	return out
}

// takeStmts does the same for statements.
func (p *parser) takeStmts(base int) []Stmt {
	if len(p.stmts) == base {
		return nil
	}
	out := make([]Stmt, len(p.stmts)-base)
	copy(out, p.stmts[base:])
	p.stmts = p.stmts[:base]
	return out
}

// ident reads an identifier.
func (p *parser) ident() string {
	if p.kind != tName {
		p.fail("expected a name")
	}
	s := p.text()
	p.next()
	return s
}

// isSoft reports whether the current token is the name s.
func (p *parser) isSoft(s string) bool { return p.kind == tName && p.text() == s }
