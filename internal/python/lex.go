package python

import (
	"strings"
	"unicode/utf8"
)

// Limits of CPython's own tokenizer.
const (
	maxIndents = 100 // levels of indentation
	maxFString = 150 // f-strings within f-strings
)

// Classes of bytes for the lexer's main switch.
const (
	cOther = iota
	cSpace
	cNewline
	cIdent // an ASCII letter or _
	cDigit
	cQuote
	cHash
	cBackslash
	cOp
)

var class = [256]uint8{
	' ': cSpace, '\t': cSpace, '\f': cSpace, '\n': cNewline,
	'"': cQuote, '\'': cQuote, '#': cHash, '\\': cBackslash,
	'(': cOp, ')': cOp, '[': cOp, ']': cOp, '{': cOp, '}': cOp, ',': cOp, ':': cOp, ';': cOp,
	'.': cOp, '=': cOp, '@': cOp, '`': cOp, '+': cOp, '-': cOp, '*': cOp, '/': cOp, '%': cOp,
	'<': cOp, '>': cOp, '|': cOp, '^': cOp, '&': cOp, '~': cOp, '!': cOp,
	'0': cDigit, '1': cDigit, '2': cDigit, '3': cDigit, '4': cDigit, '5': cDigit, '6': cDigit,
	'7': cDigit, '8': cDigit, '9': cDigit,
	'a': cIdent, 'b': cIdent, 'c': cIdent, 'd': cIdent, 'e': cIdent, 'f': cIdent, 'g': cIdent,
	'h': cIdent, 'i': cIdent, 'j': cIdent, 'k': cIdent, 'l': cIdent, 'm': cIdent, 'n': cIdent,
	'o': cIdent, 'p': cIdent, 'q': cIdent, 'r': cIdent, 's': cIdent, 't': cIdent, 'u': cIdent,
	'v': cIdent, 'w': cIdent, 'x': cIdent, 'y': cIdent, 'z': cIdent,
	'A': cIdent, 'B': cIdent, 'C': cIdent, 'D': cIdent, 'E': cIdent, 'F': cIdent, 'G': cIdent,
	'H': cIdent, 'I': cIdent, 'J': cIdent, 'K': cIdent, 'L': cIdent, 'M': cIdent, 'N': cIdent,
	'O': cIdent, 'P': cIdent, 'Q': cIdent, 'R': cIdent, 'S': cIdent, 'T': cIdent, 'U': cIdent,
	'V': cIdent, 'W': cIdent, 'X': cIdent, 'Y': cIdent, 'Z': cIdent, '_': cIdent,
}

// fmode is what the lexer is inside of when it is inside an f-string: literal text, the
// expression of a replacement field, or its format spec.
type fmode struct {
	what   uint8
	quote  byte
	triple bool
	raw    bool
	depth  int // open brackets outside of this mode
}

const (
	fText = iota
	fField
	fSpec
)

// lexer turns a source into tokens, all at once: a parser that can look at any token needs
// no other trick where Python's grammar is not LL(1).
type lexer struct {
	src     string
	pos     int
	toks    []token
	indents []indent
	depth   int // open brackets
	modes   []fmode
	nested  int // f-strings among modes
	python2 bool
}

// indent is the width of a line's indentation with tabs of eight columns, and of one. Two lines
// can only be compared if both measures agree.
type indent struct{ col, alt int32 }

// bailout is what lexer and parser panic with; [Parse] recovers it.
type bailout struct {
	offset int
	msg    string
}

func (l *lexer) fail(offset int, msg string) { panic(bailout{offset, msg}) }

func (l *lexer) emit(k kind, start, end int) {
	l.toks = append(l.toks, token{int32(start), int32(end), k})
}

// run appends all tokens, the last being tEOF. The source has \n as its only line end and
// no NUL.
func (l *lexer) run() {
	src := l.src
	l.indents = append(l.indents, indent{})
	l.pos = l.lineStart(0)
	for l.pos < len(src) {
		if n := len(l.modes); n > 0 && l.modes[n-1].what != fField {
			l.fstringText()
			continue
		}
		i := l.pos
		c := src[i]
		switch class[c] {
		case cSpace:
			l.pos++
		case cIdent:
			l.name(i)
		case cOp:
			l.operator(i, c)
		case cNewline:
			l.pos++
			if l.depth > 0 || len(l.modes) > 0 {
				continue
			}
			l.emit(tNewline, i, i+1)
			l.pos = l.lineStart(l.pos)
		case cQuote:
			l.str(i, i, false)
		case cDigit:
			l.number(i)
		case cHash:
			l.comment(i)
		case cBackslash:
			if i+1 >= len(src) {
				l.fail(i, "unexpected end of file after \\")
			}
			if src[i+1] != '\n' {
				l.fail(i, "unexpected character after \\")
			}
			l.pos = i + 2
		default:
			if c < utf8.RuneSelf {
				l.fail(i, "invalid character")
			}
			l.name(i)
		}
	}
	if l.depth > 0 || len(l.modes) > 0 {
		l.fail(len(src), "unexpected end of file: a bracket or f-string is not closed")
	}
	if n := len(l.toks); n > 0 && l.toks[n-1].kind != tNewline && l.toks[n-1].kind != tDedent {
		l.emit(tNewline, len(src), len(src))
	}
	for range l.indents[1:] {
		l.emit(tDedent, len(src), len(src))
	}
	l.emit(tEOF, len(src), len(src))
}

// comment skips to the end of the line.
func (l *lexer) comment(i int) {
	n := strings.IndexByte(l.src[i:], '\n')
	if n < 0 {
		l.pos = len(l.src)
		return
	}
	l.pos = i + n
}

// lineStart measures the indentation of the first line at or after i that is not blank, emits
// tIndent or tDedent, and returns where its first token is.
func (l *lexer) lineStart(i int) int {
	src := l.src
	var col, alt int32
	var cont *indent // indentation before a continuation line counts, that behind it does not
	var contIndent indent
	for ; i < len(src); i++ {
		switch src[i] {
		case ' ':
			col++
			alt++
			continue
		case '\t':
			col = (col/8 + 1) * 8
			alt++
			continue
		case '\f':
			col, alt = 0, 0
			continue
		case '\n':
			col, alt = 0, 0
			cont = nil
			continue
		case '#':
			n := strings.IndexByte(src[i:], '\n')
			if n < 0 {
				return len(src)
			}
			i += n - 1
			continue
		case '\\':
			if i+1 < len(src) && src[i+1] == '\n' {
				if cont == nil || *cont == (indent{}) {
					contIndent = indent{col, alt}
					cont = &contIndent
				}
				col, alt = 0, 0
				i++
				continue
			}
		}
		break
	}
	if i >= len(src) {
		return i
	}
	now := indent{col, alt}
	if cont != nil && *cont != (indent{}) {
		now = *cont
	}
	top := l.indents[len(l.indents)-1]
	switch {
	case now.col == top.col:
		if now.alt != top.alt {
			l.fail(i, "inconsistent use of tabs and spaces")
		}
	case now.col > top.col:
		if now.alt <= top.alt {
			l.fail(i, "inconsistent use of tabs and spaces")
		}
		if len(l.indents) >= maxIndents {
			l.fail(i, "too many levels of indentation")
		}
		l.indents = append(l.indents, now)
		l.emit(tIndent, i, i)
	default:
		for now.col < l.indents[len(l.indents)-1].col {
			l.indents = l.indents[:len(l.indents)-1]
			l.emit(tDedent, i, i)
		}
		if top = l.indents[len(l.indents)-1]; now.col != top.col {
			l.fail(i, "unindent does not match any outer indentation level")
		} else if now.alt != top.alt {
			l.fail(i, "inconsistent use of tabs and spaces")
		}
	}
	return i
}

// name reads an identifier, a keyword, or the prefix of a string.
func (l *lexer) name(start int) {
	src := l.src
	i := start
	for i < len(src) {
		c := src[i]
		if k := class[c]; k == cIdent || k == cDigit {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			break
		}
		r, n := utf8.DecodeRuneInString(src[i:])
		if !identRune(r) {
			l.fail(i, "invalid character, or one that has more than one spelling (NFKC)")
		}
		i += n
	}
	n := i - start
	if n <= 2 && i < len(src) && class[src[i]] == cQuote && l.prefix(start, i) {
		return
	}
	k := tName
	if n >= 2 && n <= 8 {
		k = keyword(src[start:i])
	}
	l.emit(k, start, i)
	l.pos = i
}

// identRune reports whether a character beyond ASCII is accepted in an identifier. CPython
// normalises identifiers to NFKC, so that two spellings can be one name. Only letters that
// are their own normal form, whatever stands beside them, are accepted: with others the file would
// be read wrongly. That leaves out combining marks, ligatures, full-width letters and whole scripts.
func identRune(r rune) bool {
	switch {
	case r < 0x180: // Latin
		return r >= 0xc0 && r != 0xd7 && r != 0xf7 && r != 0x132 && r != 0x133 && r != 0x13f &&
			r != 0x140 && r != 0x149 && r != 0x17f
	case r < 0x400: // Greek
		return 0x391 <= r && r <= 0x3c9 && r != 0x3a2
	case r < 0x460: // Cyrillic
		return true
	}
	return 0x5d0 <= r && r <= 0x5ea || // Hebrew
		0x621 <= r && r <= 0x63a || 0x641 <= r && r <= 0x64a || // Arabic
		0x3041 <= r && r <= 0x3096 || 0x30a1 <= r && r <= 0x30fa || // kana
		0x4e00 <= r && r <= 0x9fff || // Han
		0xac00 <= r && r <= 0xd7a3 // Hangul
}

// prefix reads the string that starts with a prefix, if it is one.
func (l *lexer) prefix(start, quote int) bool {
	format := false
	seen := [2]byte{}
	for i := start; i < quote; i++ {
		c := l.src[i] | 0x20
		switch c {
		case 'f', 't':
			format = true
		case 'r', 'b', 'u':
		default:
			return false
		}
		seen[i-start] = c
	}
	switch seen {
	case [2]byte{'u', 'r'}:
		l.python2 = true
	case [2]byte{'r', 'b'}, [2]byte{'b', 'r'}, [2]byte{'r', 'f'}, [2]byte{'f', 'r'},
		[2]byte{'r', 't'}, [2]byte{'t', 'r'}:
	default:
		if quote-start == 2 {
			return false
		}
	}
	l.str(start, quote, format)
	return true
}

// str reads a string whose prefix starts at start and whose quotes start at i.
func (l *lexer) str(start, i int, format bool) {
	src := l.src
	q := src[i]
	triple := i+2 < len(src) && src[i+1] == q && src[i+2] == q
	if triple {
		i += 3
	} else {
		i++
	}
	if format {
		if l.nested >= maxFString {
			l.fail(start, "f-strings are nested too deeply")
		}
		l.nested++
		raw := false
		for j := start; src[j] != q; j++ {
			raw = raw || src[j]|0x20 == 'r'
		}
		l.modes = append(l.modes, fmode{fText, q, triple, raw, l.depth})
		l.emit(tFStart, start, i)
		l.pos = i
		return
	}
	for i < len(src) {
		switch c := src[i]; {
		case c == '\\':
			i += 2
			continue
		case c == q:
			if !triple {
				l.emit(tString, start, i+1)
				l.pos = i + 1
				return
			}
			if i+2 < len(src) && src[i+1] == q && src[i+2] == q {
				l.emit(tString, start, i+3)
				l.pos = i + 3
				return
			}
		case c == '\n' && !triple:
			l.fail(start, "unterminated string literal")
		}
		i++
	}
	l.fail(start, "unterminated string literal")
}

// fstringText reads literal text of an f-string, or of a format spec within one, and the
// brace or quotes that end it. Doubled braces are text, except in a spec, where "}}" is the end
// of two fields, and "{{" is text or the start of a set, depending on the version of Python.
func (l *lexer) fstringText() {
	src := l.src
	m := l.modes[len(l.modes)-1]
	start := l.pos
	i := start
	for i < len(src) {
		switch c := src[i]; c {
		case '\\':
			i++
			if i < len(src) && (src[i] == '{' || src[i] == '}') {
				continue
			}
			if !m.raw && strings.HasPrefix(src[i:], "N{") {
				end := strings.IndexAny(src[i:], "}\n\"'")
				if end >= 0 && src[i+end] == '}' {
					i += end
				}
			}
		case m.quote:
			n := 1
			if m.triple {
				if !strings.HasPrefix(src[i+1:], src[i:i+1]) || i+2 >= len(src) || src[i+2] != c {
					break
				}
				n = 3
			}
			if m.what == fSpec {
				l.fail(i, "f-string: expecting '}'")
			}
			l.text(start, i)
			l.emit(tFEnd, i, i+n)
			l.pos = i + n
			l.modes = l.modes[:len(l.modes)-1]
			l.nested--
			return
		case '\n':
			if !m.triple {
				l.fail(i, "unterminated f-string literal")
			}
		case '{':
			if i+1 < len(src) && src[i+1] == '{' {
				if m.what == fSpec {
					l.fail(i, "f-string: '{{' in a format spec differs between versions of Python")
				}
				i++
				break
			}
			l.text(start, i)
			l.emit(tFOpen, i, i+1)
			l.pos = i + 1
			l.modes = append(l.modes, fmode{fField, m.quote, m.triple, m.raw, l.depth})
			if len(l.modes) > 4*maxFString {
				l.fail(i, "f-strings are nested too deeply")
			}
			return
		case '}':
			if m.what == fText {
				if i+1 < len(src) && src[i+1] == '}' {
					i++
					break
				}
				l.fail(i, "f-string: single '}' is not allowed")
			}
			l.text(start, i)
			l.emit(tFClose, i, i+1)
			l.pos = i + 1
			l.modes = l.modes[:len(l.modes)-2] // the spec and its field
			return
		}
		i++
	}
	l.fail(len(src), "unterminated f-string literal")
}

func (l *lexer) text(start, end int) {
	if start < end {
		l.emit(tFMiddle, start, end)
	}
}

// number reads a number as far as it goes; its value is computed by the parser.
func (l *lexer) number(start int) {
	src := l.src
	i := start
	at := func(i int) byte {
		if i < len(src) {
			return src[i]
		}
		return 0
	}
	digits := func(ok func(c byte) bool) {
		for ok(at(i)) || at(i) == '_' && ok(at(i+1)) {
			i++
		}
	}
	radix := func(ok func(c byte) bool) bool {
		if !ok(at(i+2)) && !(at(i+2) == '_' && ok(at(i+3))) {
			return false
		}
		i += 2
		digits(ok)
		return true
	}
	done := false
	if at(i) == '0' {
		switch at(i+1) | 0x20 {
		case 'x':
			done = radix(isHex)
		case 'o':
			done = radix(isOctal)
		case 'b':
			done = radix(isBinary)
		}
		if !done && class[at(i+1)] == cIdent && strings.IndexByte("xXoObB", at(i+1)) >= 0 {
			l.fail(i, "invalid number")
		}
	}
	if !done {
		digits(isDecimal)
		if at(i) == '.' {
			i++
			if isDecimal(at(i)) {
				digits(isDecimal)
			}
		}
		if at(i)|0x20 == 'e' {
			j := i + 1
			if at(j) == '+' || at(j) == '-' {
				j++
			}
			if isDecimal(at(j)) {
				i = j
				digits(isDecimal)
			}
		}
		if at(i)|0x20 == 'j' {
			i++
			done = true
		}
	}
	if at(i)|0x20 == 'l' && strings.IndexByte(src[start:i], '.') < 0 {
		i++
		l.python2 = true
	}
	// A keyword may follow at once ("1if x else y"), nothing else that looks like a word.
	if class[at(i)] == cIdent || class[at(i)] == cDigit {
		j := i
		for class[at(j)] == cIdent {
			j++
		}
		switch keyword(src[i:j]) {
		case tAnd, tElse, tFor, tIf, tIn, tIs, tNot, tOr:
		default:
			l.fail(start, "invalid number")
		}
	}
	l.emit(tNumber, start, i)
	l.pos = i
}

func isDecimal(c byte) bool { return '0' <= c && c <= '9' }
func isOctal(c byte) bool   { return '0' <= c && c <= '7' }
func isBinary(c byte) bool  { return c == '0' || c == '1' }
func isHex(c byte) bool     { return isDecimal(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

// operator reads an operator or delimiter.
func (l *lexer) operator(i int, c byte) {
	src := l.src
	var c1, c2 byte
	if i+1 < len(src) {
		c1 = src[i+1]
	}
	if i+2 < len(src) {
		c2 = src[i+2]
	}
	k, n := tEOF, 1
	// or1 chooses between an operator and its augmented assignment.
	or1 := func(plain, assign kind) {
		k = plain
		if c1 == '=' {
			k, n = assign, 2
		}
	}
	// or2 does so for an operator that can be doubled.
	or2 := func(plain, assign, double, doubleAssign kind) {
		if c1 != c {
			or1(plain, assign)
			return
		}
		k, n = double, 2
		if c2 == '=' {
			k, n = doubleAssign, 3
		}
	}
	switch c {
	case '(':
		k = tLParen
		l.depth++
	case '[':
		k = tLBracket
		l.depth++
	case '{':
		k = tLBrace
		l.depth++
	case ')':
		k = tRParen
		l.closing(i)
	case ']':
		k = tRBracket
		l.closing(i)
	case '}':
		if m := l.field(); m != nil {
			l.modes = l.modes[:len(l.modes)-1]
			k = tFClose
			break
		}
		k = tRBrace
		l.closing(i)
	case ',':
		k = tComma
	case ';':
		k = tSemi
	case ':':
		if m := l.field(); m != nil {
			spec := *m
			spec.what = fSpec
			l.modes = append(l.modes, spec)
			k = tFColon
			break
		}
		or1(tColon, tWalrus)
	case '.':
		switch {
		case isDecimal(c1):
			l.number(i)
			return
		case c1 == '.' && c2 == '.':
			k, n = tEllipsis, 3
		default:
			k = tDot
		}
	case '=':
		or1(tAssign, tEq)
	case '!':
		switch {
		case c1 == '=':
			k, n = tNotEq, 2
		case l.field() != nil:
			k = tFBang
		default:
			l.fail(i, "invalid character")
		}
	case '@':
		or1(tAt, tAtEq)
	case '`':
		k = tBacktick
		l.python2 = true
	case '+':
		or1(tPlus, tPlusEq)
	case '-':
		if c1 == '>' {
			k, n = tArrow, 2
			break
		}
		or1(tMinus, tMinusEq)
	case '*':
		or2(tStar, tStarEq, tDoubleStar, tDoubleStarEq)
	case '/':
		or2(tSlash, tSlashEq, tDoubleSlash, tDoubleSlashEq)
	case '%':
		or1(tPercent, tPercentEq)
	case '<':
		if c1 == '>' {
			k, n = tNotEq, 2
			l.python2 = true
			break
		}
		or2(tLt, tLtE, tLShift, tLShiftEq)
	case '>':
		or2(tGt, tGtE, tRShift, tRShiftEq)
	case '|':
		or1(tBar, tBarEq)
	case '^':
		or1(tCaret, tCaretEq)
	case '&':
		or1(tAmp, tAmpEq)
	case '~':
		k = tTilde
	}
	l.emit(k, i, i+n)
	l.pos = i + n
}

// field returns the replacement field that the lexer is in, if no bracket is open within it.
func (l *lexer) field() *fmode {
	if n := len(l.modes); n > 0 && l.modes[n-1].depth == l.depth {
		return &l.modes[n-1]
	}
	return nil
}

// closing counts a closing bracket. Whether it is the right one is left to the parser.
func (l *lexer) closing(i int) {
	if l.depth == 0 || l.field() != nil {
		l.fail(i, "unmatched closing bracket")
	}
	l.depth--
}
