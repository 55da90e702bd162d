package python

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits on the digits of integers. Converting decimals takes quadratic time, and CPython
// refuses more than 4,300 of them; the other bases are bounded for the same reason.
const (
	maxDecimalDigits = 4300
	maxDigits        = 20000
)

// number gives the value of the number at span.
func (p *parser) number(at Span) Expr {
	text := p.src[at.Start:at.End]
	if len(text) < 19 && (text[0] != '0' || len(text) == 1) {
		n := int64(0)
		for i := 0; ; i++ {
			if i == len(text) {
				return &IntLit{Span: at, Value: n}
			}
			c := text[i]
			if !isDecimal(c) {
				break
			}
			n = n*10 + int64(c-'0')
		}
	}
	if strings.IndexByte(text, '_') >= 0 {
		text = strings.ReplaceAll(text, "_", "")
	}
	last := text[len(text)-1] | 0x20
	if last == 'l' {
		text = text[:len(text)-1]
	}
	if len(text) > 1 && text[0] == '0' {
		switch text[1] | 0x20 {
		case 'x':
			return p.integer(at, text[2:], 16)
		case 'o':
			return p.integer(at, text[2:], 8)
		case 'b':
			return p.integer(at, text[2:], 2)
		}
	}
	if last == 'j' {
		return &ImagLit{at, p.float(at, text[:len(text)-1])}
	}
	if strings.ContainsAny(text, ".eE") {
		return &FloatLit{at, p.float(at, text)}
	}
	if text[0] == '0' && strings.Trim(text, "0") != "" {
		p.python2 = true
		return p.integer(at, text, 8)
	}
	return p.integer(at, text, 10)
}

func (p *parser) float(at Span, text string) float64 {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil && err.(*strconv.NumError).Err != strconv.ErrRange {
		p.failAt(at.Start, "invalid number")
	}
	return x // out of range is infinity, as in Python
}

func (p *parser) integer(at Span, digits string, base int) Expr {
	if n, err := strconv.ParseInt(digits, base, 64); err == nil {
		return &IntLit{Span: at, Value: n}
	}
	if base == 10 && len(digits) > maxDecimalDigits || len(digits) > maxDigits {
		p.failAt(at.Start, "integer has too many digits")
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok {
		p.failAt(at.Start, "invalid number")
	}
	return &IntLit{Span: at, Big: n}
}

// piece is a decoded part of a string literal.
type piece struct {
	Span
	value      string
	unresolved bool
}

// literal collects the pieces and fields of adjacent string literals.
type literal struct {
	p       *parser
	base    int // of the parts on p.exprs
	pending piece
	have    bool            // pending holds something
	buf     strings.Builder // the text of pending if it has more than one piece
}

func (l *literal) add(x piece) {
	if !l.have {
		l.pending, l.have = x, true
		return
	}
	if l.buf.Len() == 0 {
		l.buf.WriteString(l.pending.value)
	}
	l.buf.WriteString(x.value)
	l.pending.End = x.End
	l.pending.unresolved = l.pending.unresolved || x.unresolved
}

// take returns the text collected since the last call.
func (l *literal) take() piece {
	x := l.pending
	if l.buf.Len() > 0 {
		x.value = l.buf.String()
		l.buf = strings.Builder{}
	}
	l.pending, l.have = piece{}, false
	return x
}

// flush makes the text so far a part of an f-string.
func (l *literal) flush() {
	if x := l.take(); x.value != "" {
		l.p.exprs = append(l.p.exprs, &StringLit{Span: x.Span, Value: x.value, Unresolved: x.unresolved})
	}
}

// strings reads one string literal, or several that are implicitly concatenated.
func (p *parser) strings() Expr {
	start := p.start()
	l := literal{p: p, base: len(p.exprs)}
	var isBytes, isStr, format, template, unicode bool
	for first := true; ; first = false {
		if p.kind == tFStart {
			isStr, format = true, true
			template = p.fstring(&l) || template
		} else if p.kind == tString {
			x, prefix := p.str()
			if prefix.bytes {
				isBytes = true
			} else {
				isStr = true
			}
			if first {
				unicode = prefix.unicode
			}
			l.add(x)
		} else {
			break
		}
	}
	if isBytes && isStr {
		p.failAt(start, "cannot mix bytes and nonbytes literals")
	}
	if format {
		l.flush()
		parts := p.takeExprs(l.base)
		return &FStringExpr{p.span(start), parts, template}
	}
	x := l.take()
	if isBytes {
		return &BytesLit{p.span(start), x.value}
	}
	return &StringLit{p.span(start), x.value, x.unresolved, unicode}
}

// fstring reads an f-string or t-string, and says whether it is the latter.
func (p *parser) fstring(l *literal) (template bool) {
	prefix := parsePrefix(p.text())
	p.next()
	p.fstringParts(l, prefix, tFEnd)
	p.expect(tFEnd, "the end of an f-string")
	return prefix.template
}

// fstringParts reads text and replacement fields up to a token of the kind end. Parts that are
// complete are on p.exprs.
func (p *parser) fstringParts(l *literal, prefix prefix, end kind) {
	for p.kind != end {
		switch p.kind {
		case tFMiddle:
			t := p.toks[p.i]
			text := p.src[t.start:t.end]
			x := piece{Span: Span{t.start, t.end}}
			if end == tFEnd {
				x.value, x.unresolved = p.unescapeBraces(t.start, text, prefix)
			} else {
				x.value, x.unresolved = p.unescape(t.start, text, prefix)
			}
			p.next()
			l.add(x)
		case tFOpen:
			p.field(l, prefix)
		default:
			p.fail("f-string: invalid syntax")
		}
	}
}

// field reads a replacement field.
func (p *parser) field(l *literal, prefix prefix) {
	h := p.enter()
	start := p.start()
	p.next()
	open := p.end
	f := &FormatExpr{X: p.starExprsOrYield()}
	f.Text = strings.TrimSpace(p.src[open:p.end])
	debug := p.kind == tAssign
	if debug {
		p.next()
		text := p.src[open:p.start()]
		// CPython takes comments out of this text; here it is then not known.
		l.add(piece{Span{open, p.start()}, text, strings.IndexByte(text, '#') >= 0})
	}
	l.flush()
	if p.accept(tFBang) {
		switch s := p.ident(); s {
		case "r", "s", "a":
			f.Conversion = s[0]
		default:
			p.fail("f-string: invalid conversion character")
		}
	}
	if p.kind == tFColon {
		at := p.start()
		p.next()
		spec := literal{p: p, base: len(p.exprs)}
		p.fstringParts(&spec, prefix, tFClose)
		spec.flush()
		f.Spec = &FStringExpr{Span: Span{at, p.start()}, Parts: p.takeExprs(spec.base)}
	} else if debug && f.Conversion == 0 {
		f.Conversion = 'r'
	}
	p.expect(tFClose, "'}' in an f-string")
	f.Span = p.span(start)
	p.exprs = append(p.exprs, f)
	p.leave(h)
}

// prefix is what stands before the quotes of a string.
type prefix struct{ raw, bytes, unicode, template bool }

func parsePrefix(text string) prefix {
	x := prefix{}
	for i := 0; i < len(text); i++ {
		switch text[i] | 0x20 {
		case 'r':
			x.raw = true
		case 'b':
			x.bytes = true
		case 'u':
			x.unicode = true
		case 't':
			x.template = true
		case 'f':
		default:
			return x
		}
	}
	return x
}

// str decodes the string that is the current token.
func (p *parser) str() (piece, prefix) {
	t := p.toks[p.i]
	text := p.src[t.start:t.end]
	var prefix prefix
	i := 0
	if c := text[0]; c != '"' && c != '\'' {
		prefix = parsePrefix(text)
		for i = 1; text[i] != '"' && text[i] != '\''; i++ {
		}
	}
	n := 1
	if q := text[i]; len(text) >= i+6 && text[i+1] == q && text[i+2] == q {
		n = 3
	}
	x := piece{Span: Span{t.start, t.end}}
	x.value, x.unresolved = p.unescape(t.start+int32(i+n), text[i+n:len(text)-n], prefix)
	p.next()
	return x, prefix
}

// unescapeBraces decodes literal text of an f-string, in which braces are doubled.
func (p *parser) unescapeBraces(at int32, text string, prefix prefix) (string, bool) {
	if strings.IndexByte(text, '{') < 0 && strings.IndexByte(text, '}') < 0 {
		return p.unescape(at, text, prefix)
	}
	// The braces of \N{…} are single, and the lexer has seen to it that all others are double.
	// So the text is cut behind the first of each pair.
	var b strings.Builder
	unresolved := false
	start := 0
	flush := func(end int) {
		s, u := p.unescape(at+int32(start), text[start:end], prefix)
		b.WriteString(s)
		unresolved = unresolved || u
	}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			if prefix.raw {
				continue
			}
			if strings.HasPrefix(text[i:], `\N{`) {
				if n := strings.IndexByte(text[i:], '}'); n >= 0 {
					i += n
				}
			} else if i+1 < len(text) && text[i+1] != '{' && text[i+1] != '}' {
				i++
			}
		case '{', '}':
			if i+1 < len(text) && text[i+1] == text[i] {
				flush(i + 1)
				i++
				start = i + 1
			}
		}
	}
	flush(len(text))
	return b.String(), unresolved
}

// unescape decodes the text of a literal that starts at offset at. The second result says
// that a character could not be resolved.
func (p *parser) unescape(at int32, text string, prefix prefix) (string, bool) {
	i := strings.IndexByte(text, '\\')
	if i < 0 || prefix.raw && !prefix.unicode {
		p.checkBytes(at, text, prefix)
		return text, false
	}
	unresolved := false
	b := make([]byte, 0, len(text))
	for {
		p.checkBytes(at, text[:i], prefix)
		b = append(b, text[:i]...)
		text = text[i:]
		at += int32(i)
		if text == "" {
			return string(b), unresolved
		}
		n, ok := 0, true
		if prefix.raw {
			b, n = rawUnicodeEscape(b, text)
		} else {
			b, n, ok = p.escape(b, at, text, prefix)
		}
		unresolved = unresolved || !ok
		text = text[n:]
		at += int32(n)
		if i = strings.IndexByte(text, '\\'); i < 0 {
			i = len(text)
		}
	}
}

// checkBytes rejects what is not ASCII in a bytes literal.
func (p *parser) checkBytes(at int32, text string, prefix prefix) {
	if !prefix.bytes {
		return
	}
	for i := 0; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			p.failAt(at+int32(i), "bytes can only contain ASCII literal characters")
		}
	}
}

// rawUnicodeEscape decodes the \u that Python 2 decodes even in ur"".
func rawUnicodeEscape(b []byte, text string) ([]byte, int) {
	if strings.HasPrefix(text, `\u`) {
		if r, ok := hexRune(text, 2, 4); ok {
			return appendRune(b, r), 6
		}
	}
	if len(text) > 1 && text[1] == '\\' {
		return append(b, `\\`...), 2
	}
	return append(b, '\\'), 1
}

// escape decodes the escape sequence at the start of text onto b, and returns its length. The
// last result is false if it names a character that is not known.
func (p *parser) escape(b []byte, at int32, text string, prefix prefix) ([]byte, int, bool) {
	if len(text) < 2 {
		return append(b, '\\'), len(text), true
	}
	switch c := text[1]; c {
	case '\n':
		return b, 2, true
	case '\\', '\'', '"':
		return append(b, c), 2, true
	case 'a':
		return append(b, '\a'), 2, true
	case 'b':
		return append(b, '\b'), 2, true
	case 'f':
		return append(b, '\f'), 2, true
	case 'n':
		return append(b, '\n'), 2, true
	case 'r':
		return append(b, '\r'), 2, true
	case 't':
		return append(b, '\t'), 2, true
	case 'v':
		return append(b, '\v'), 2, true
	case '0', '1', '2', '3', '4', '5', '6', '7':
		r, n := rune(0), 1
		for n < 4 && n < len(text) && isOctal(text[n]) {
			r = r*8 + rune(text[n]-'0')
			n++
		}
		if prefix.bytes {
			return append(b, byte(r)), n, true
		}
		return appendRune(b, r), n, true
	case 'x':
		r, ok := hexRune(text, 2, 2)
		if !ok {
			p.failAt(at, `invalid \x escape`)
		}
		if prefix.bytes {
			return append(b, byte(r)), 4, true
		}
		return appendRune(b, r), 4, true
	case 'u', 'U', 'N':
		if prefix.bytes {
			break
		}
		if out, n, ok := unicodeEscape(b, text); n > 0 {
			return out, n, ok
		}
		if prefix.unicode {
			p.failAt(at, "invalid Unicode escape")
		}
		// An error in Python 3. In Python 2 a string without u has no such escapes.
		p.python2 = true
	}
	return append(b, '\\'), 1, true
}

// unicodeEscape decodes \uXXXX, \UXXXXXXXX or \N{NAME}. The length is 0 if it is malformed.
func unicodeEscape(b []byte, text string) ([]byte, int, bool) {
	switch text[1] {
	case 'u':
		if r, ok := hexRune(text, 2, 4); ok {
			return appendRune(b, r), 6, true
		}
	case 'U':
		if r, ok := hexRune(text, 2, 8); ok && r <= utf8.MaxRune {
			return appendRune(b, r), 10, true
		}
	case 'N':
		end := strings.IndexByte(text, '}')
		if end < 4 || text[2] != '{' {
			return b, 0, true
		}
		r, ok := runeNames(strings.ToUpper(text[3:end]))
		if !ok {
			r = utf8.RuneError
		}
		return utf8.AppendRune(b, r), end + 1, ok
	}
	return b, 0, true
}

// hexRune reads n hexadecimal digits of text from index i.
func hexRune(text string, i, n int) (rune, bool) {
	if len(text) < i+n {
		return 0, false
	}
	x, err := strconv.ParseUint(text[i:i+n], 16, 32)
	if err != nil || x > utf8.MaxRune {
		return 0, false
	}
	return rune(x), true
}

// appendRune appends r as UTF-8. A surrogate, which a Python string may hold, becomes the
// three bytes that the same rule gives for it.
func appendRune(b []byte, r rune) []byte {
	if 0xD800 <= r && r <= 0xDFFF {
		return append(b, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F)
	}
	return utf8.AppendRune(b, r)
}

// runeNames resolves the few character names that sources use most. The others stay unresolved:
// the whole table would be larger than the rest of this package.
func runeNames(name string) (rune, bool) {
	const latin = "LATIN SMALL LETTER "
	if rest, ok := strings.CutPrefix(name, latin); ok && len(rest) == 1 && 'A' <= rest[0] && rest[0] <= 'Z' {
		return rune(rest[0] | 0x20), true
	}
	switch name {
	case "NO-BREAK SPACE":
		return '\u00a0', true
	case "COPYRIGHT SIGN":
		return '\u00a9', true
	case "REGISTERED SIGN":
		return '\u00ae', true
	case "DEGREE SIGN":
		return '\u00b0', true
	case "POUND SIGN":
		return '\u00a3', true
	case "SECTION SIGN":
		return '\u00a7', true
	case "MICRO SIGN":
		return '\u00b5', true
	case "EURO SIGN":
		return '\u20ac', true
	case "EN DASH":
		return '\u2013', true
	case "EM DASH":
		return '\u2014', true
	case "LEFT SINGLE QUOTATION MARK":
		return '\u2018', true
	case "RIGHT SINGLE QUOTATION MARK":
		return '\u2019', true
	case "LEFT DOUBLE QUOTATION MARK":
		return '\u201c', true
	case "RIGHT DOUBLE QUOTATION MARK":
		return '\u201d', true
	case "BULLET":
		return '\u2022', true
	case "HORIZONTAL ELLIPSIS":
		return '\u2026', true
	case "SNOWMAN":
		return '\u2603', true
	case "REPLACEMENT CHARACTER":
		return '\ufffd', true
	}
	return 0, false
}
