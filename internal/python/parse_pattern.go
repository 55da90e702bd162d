package python

// isMatch reports whether a line that starts with the name match is a match statement: the
// line ends with a colon, and an indented block that starts with case follows.
func (p *parser) isMatch() bool {
	if !startsExpr[p.peek(1)] {
		return false
	}
	i := p.i
	for p.toks[i].kind != tNewline && p.toks[i].kind != tEOF {
		i++
	}
	if p.toks[i-1].kind != tColon || i+2 >= len(p.toks) || p.toks[i+1].kind != tIndent {
		return false
	}
	t := p.toks[i+2]
	return t.kind == tName && p.src[t.start:t.end] == "case"
}

func (p *parser) matchStmt() Stmt {
	start := p.start()
	p.next()
	at := p.start()
	s := &MatchStmt{Subject: p.starOrNamed()}
	if p.kind == tComma {
		s.Subject = p.tuple(at, s.Subject)
	}
	p.expect(tColon, "':'")
	p.skipNewline()
	p.skipNewline() // the indent
	h := p.enter()
	for p.kind != tDedent {
		s.Cases = append(s.Cases, p.matchCase())
	}
	p.leave(h)
	p.skipNewline()
	s.Span = p.span(start)
	return s
}

func (p *parser) matchCase() MatchCase {
	start := p.start()
	if !p.isSoft("case") {
		p.fail("expected 'case'")
	}
	p.next()
	c := MatchCase{Pattern: p.patterns()}
	if p.accept(tIf) {
		c.Guard = p.namedExpr()
	}
	c.Body = p.block()
	c.Span = p.span(start)
	return c
}

// patterns reads one pattern, or a sequence without brackets.
func (p *parser) patterns() Pattern {
	start := p.start()
	x := p.starOrPattern()
	_, starred := x.(*StarPattern)
	if p.kind != tComma && !starred {
		return x
	}
	list := []Pattern{x}
	for p.accept(tComma) && p.kind != tColon && p.kind != tIf {
		list = append(list, p.starOrPattern())
	}
	return &SequencePattern{p.span(start), list}
}

func (p *parser) starOrPattern() Pattern {
	if p.kind != tStar {
		return p.pattern()
	}
	start := p.start()
	p.next()
	name := p.ident()
	if name == "_" {
		name = ""
	}
	return &StarPattern{p.span(start), name}
}

func (p *parser) pattern() Pattern {
	h := p.enter()
	start := p.start()
	x := p.closedPattern()
	if p.kind == tBar {
		list := []Pattern{x}
		for p.accept(tBar) {
			list = append(list, p.closedPattern())
		}
		x = &OrPattern{p.span(start), list}
	}
	if p.accept(tAs) {
		name := p.ident()
		x = &AsPattern{p.span(start), x, name}
	}
	p.leave(h)
	return x
}

func (p *parser) closedPattern() Pattern {
	start := p.start()
	switch p.kind {
	case tNone, tTrue, tFalse:
		x := p.atom()
		return &SingletonPattern{p.span(start), x}
	case tNumber, tMinus, tString, tFStart:
		x := p.binary(precArith) // 1, -1, 1+2j, "a" "b"
		return &ValuePattern{p.span(start), x}
	case tLParen, tLBracket:
		return p.groupPattern()
	case tLBrace:
		return p.mappingPattern()
	case tName:
	default:
		p.fail("invalid pattern")
	}
	if k := p.peek(1); k != tDot && k != tLParen {
		name := p.ident()
		if name == "_" {
			name = ""
		}
		return &AsPattern{p.span(start), nil, name}
	}
	x := p.patternName()
	if p.kind == tLParen {
		return p.classPattern(start, x)
	}
	return &ValuePattern{p.span(start), x}
}

// patternName reads a dotted name.
func (p *parser) patternName() Expr {
	start := p.start()
	x := p.atom()
	h := p.enter()
	for p.accept(tDot) {
		a := &AttrExpr{X: x, Name: p.ident()}
		a.Span = p.span(start)
		x = a
		p.grow(1)
	}
	p.leave(h)
	return x
}

// groupPattern reads a sequence in brackets, or a pattern in parentheses.
func (p *parser) groupPattern() Pattern {
	start := p.start()
	close := tRParen
	if p.kind == tLBracket {
		close = tRBracket
	}
	p.next()
	var list []Pattern
	comma := close == tRBracket
	for p.kind != close {
		list = append(list, p.starOrPattern())
		if !p.accept(tComma) {
			break
		}
		comma = true
	}
	p.expect(close, "a closing bracket")
	if !comma && len(list) == 1 {
		if _, starred := list[0].(*StarPattern); !starred {
			return list[0]
		}
	}
	return &SequencePattern{p.span(start), list}
}

func (p *parser) mappingPattern() Pattern {
	start := p.start()
	p.next()
	m := &MappingPattern{}
	for p.kind != tRBrace {
		if p.accept(tDoubleStar) {
			m.Rest = p.ident()
		} else {
			var key Expr
			if p.kind == tName {
				key = p.patternName()
			} else {
				h := p.enter()
				key = p.binary(precArith)
				p.leave(h)
			}
			p.expect(tColon, "':'")
			m.Keys = append(m.Keys, key)
			m.Patterns = append(m.Patterns, p.pattern())
		}
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRBrace, "'}'")
	m.Span = p.span(start)
	return m
}

func (p *parser) classPattern(start int32, class Expr) Pattern {
	p.next()
	c := &ClassPattern{Class: class}
	for p.kind != tRParen {
		if p.kind == tName && p.peek(1) == tAssign {
			c.KwNames = append(c.KwNames, p.ident())
			p.next()
			c.KwPatterns = append(c.KwPatterns, p.pattern())
		} else {
			c.Patterns = append(c.Patterns, p.pattern())
		}
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRParen, "')'")
	c.Span = p.span(start)
	return c
}
