package python

// starExprsOrYield reads what may stand on the right of "=".
func (p *parser) starExprsOrYield() Expr {
	if p.kind == tYield {
		return p.yield()
	}
	return p.starExprs()
}

// starExprs reads one expression, or a tuple without parentheses.
func (p *parser) starExprs() Expr {
	start := p.start()
	x := p.starOrExpr()
	if p.kind != tComma {
		return x
	}
	return p.tuple(start, x)
}

// tuple reads the rest of a tuple whose first element is x. It ends before whatever cannot
// start another element.
func (p *parser) tuple(start int32, x Expr) Expr {
	base := len(p.exprs)
	p.exprs = append(p.exprs, x)
	for p.accept(tComma) && startsExpr[p.kind] {
		p.exprs = append(p.exprs, p.starOrNamed())
	}
	elts := p.takeExprs(base)
	return &TupleExpr{p.span(start), elts}
}

// targets reads the targets of a for clause: no operator "in" is part of them.
func (p *parser) targets() Expr {
	start := p.start()
	x := p.starTarget()
	if p.kind != tComma {
		return x
	}
	base := len(p.exprs)
	p.exprs = append(p.exprs, x)
	for p.accept(tComma) && startsExpr[p.kind] {
		p.exprs = append(p.exprs, p.starTarget())
	}
	elts := p.takeExprs(base)
	return &TupleExpr{p.span(start), elts}
}

func (p *parser) starTarget() Expr {
	if p.kind == tStar {
		return p.star()
	}
	return p.bitOr()
}

func (p *parser) star() Expr {
	start := p.start()
	p.next()
	x := p.bitOr()
	return &StarExpr{p.span(start), x}
}

func (p *parser) starOrExpr() Expr {
	if p.kind == tStar {
		return p.star()
	}
	return p.expr()
}

func (p *parser) starOrNamed() Expr {
	if p.kind == tStar {
		return p.star()
	}
	return p.namedExpr()
}

func (p *parser) namedExpr() Expr {
	if p.kind != tName || p.peek(1) != tWalrus {
		return p.expr()
	}
	start := p.start()
	w := &WalrusExpr{Target: &NameExpr{Name: p.ident()}}
	w.Target.Span = p.span(start)
	p.next()
	w.X = p.expr()
	w.Span = p.span(start)
	return w
}

func (p *parser) yield() Expr {
	start := p.start()
	p.next()
	y := &YieldExpr{}
	if p.accept(tFrom) {
		y.From = true
		y.X = p.expr()
	} else if startsExpr[p.kind] {
		y.X = p.starExprs()
	}
	y.Span = p.span(start)
	return y
}

// expr reads an expression that is neither starred nor a walrus nor a yield.
func (p *parser) expr() Expr {
	if p.kind == tLambda {
		return p.lambda()
	}
	h := p.enter()
	start := p.start()
	x := p.binary(precOr)
	if p.kind == tIf {
		p.next()
		c := &CondExpr{Then: x}
		c.Cond = p.binary(precOr)
		p.expect(tElse, "'else'")
		c.Else = p.expr()
		c.Span = p.span(start)
		x = c
	}
	p.leave(h)
	return x
}

// disjunction reads an expression without "if … else": what comprehensions iterate and test.
// A lambda is not in the grammar there any more, but was up to Python 3.8.
func (p *parser) disjunction() Expr {
	if p.kind == tLambda {
		return p.lambda()
	}
	h := p.enter()
	x := p.binary(precOr)
	p.leave(h)
	return x
}

// bitOr reads an expression without comparisons and Boolean operators.
func (p *parser) bitOr() Expr {
	h := p.enter()
	x := p.binary(precBitOr)
	p.leave(h)
	return x
}

func (p *parser) lambda() Expr {
	h := p.enter()
	start := p.start()
	p.next()
	l := &LambdaExpr{Params: p.params(tColon)}
	p.expect(tColon, "':'")
	l.Body = p.expr()
	l.Span = p.span(start)
	p.leave(h)
	return l
}

// binary reads operands joined by operators that bind at least as tight as prec.
func (p *parser) binary(prec uint8) Expr {
	start := p.start()
	var x Expr
	if p.kind == tNot && prec <= precNot {
		h := p.enter()
		p.next()
		u := &UnaryExpr{Op: OpNot, X: p.binary(precNot)}
		u.Span = p.span(start)
		p.leave(h)
		x = u
	} else {
		x = p.unary()
	}
	for {
		b := binary[p.kind]
		if b.prec < prec || b.prec == 0 {
			return x
		}
		switch b.prec {
		case precOr, precAnd:
			x = p.boolean(start, x, b.prec)
		case precCompare:
			if p.kind == tNot && p.peek(1) != tIn {
				return x
			}
			x = p.compare(start, x)
		default:
			p.next()
			h := p.height
			p.height = 0
			y := p.binary(b.prec + 1)
			p.height = max(p.height, h)
			p.grow(1)
			x = &BinExpr{p.span(start), b.op, x, y}
		}
	}
}

// boolean reads the rest of a chain of the same Boolean operator.
func (p *parser) boolean(start int32, x Expr, prec uint8) Expr {
	k := p.kind
	base := len(p.exprs)
	p.exprs = append(p.exprs, x)
	h := p.height
	for p.accept(k) {
		p.height = 0
		p.exprs = append(p.exprs, p.binary(prec+1))
		h = max(h, p.height)
	}
	p.height = h
	p.grow(1)
	xs := p.takeExprs(base)
	return &BoolExpr{p.span(start), binary[k].op, xs}
}

// compare reads the rest of a chain of comparisons.
func (p *parser) compare(start int32, x Expr) Expr {
	c := &CompareExpr{X: x, Ops: make([]Op, 0, 1)}
	base := len(p.exprs)
	h := p.height
	for binary[p.kind].prec == precCompare {
		op := binary[p.kind].op
		switch p.kind {
		case tIs:
			p.next()
			if p.accept(tNot) {
				op = OpIsNot
			}
		case tNot:
			p.next()
			p.expect(tIn, "'in'")
		default:
			p.next()
		}
		c.Ops = append(c.Ops, op)
		p.height = 0
		p.exprs = append(p.exprs, p.binary(precBitOr))
		h = max(h, p.height)
	}
	p.height = h
	p.grow(1)
	c.Ys = p.takeExprs(base)
	c.Span = p.span(start)
	return c
}

// unary reads a factor: signs, and ** which binds tighter than a sign on its left.
func (p *parser) unary() Expr {
	var op Op
	switch p.kind {
	case tMinus:
		op = OpNeg
	case tPlus:
		op = OpPos
	case tTilde:
		op = OpInvert
	default:
		start := p.start()
		x := p.primary()
		if p.kind == tDoubleStar {
			h := p.enter()
			p.next()
			y := p.unary()
			p.leave(h)
			x = &BinExpr{p.span(start), OpPow, x, y}
		}
		return x
	}
	start := p.start()
	h := p.enter()
	p.next()
	x := p.unary()
	p.leave(h)
	return &UnaryExpr{p.span(start), op, x}
}

// primary reads an atom and the attributes, calls and subscripts behind it.
func (p *parser) primary() Expr {
	start := p.start()
	if p.kind == tName && p.text() == "await" {
		switch p.peek(1) {
		case tName, tNumber, tString, tFStart, tLParen, tLBracket, tLBrace, tEllipsis, tNone, tTrue, tFalse:
			h := p.enter()
			p.next()
			x := p.primary()
			p.leave(h)
			return &AwaitExpr{p.span(start), x}
		}
	}
	x := p.atom()
	for {
		switch p.kind {
		case tDot:
			p.next()
			if p.kind == tTrue || p.kind == tFalse || p.kind == tNone {
				p.python2 = true // they were ordinary names
				p.kind = tName
			}
			a := &AttrExpr{X: x, Name: p.ident()}
			a.Span = p.span(start)
			x = a
		case tLParen:
			c := &CallExpr{Fn: x}
			c.Args, c.Keywords = p.args()
			c.Span = p.span(start)
			x = c
		case tLBracket:
			i := &IndexExpr{X: x}
			i.Index = p.index()
			i.Span = p.span(start)
			x = i
		default:
			return x
		}
		p.grow(1)
	}
}

// args reads the arguments of a call or class in parentheses.
func (p *parser) args() ([]Expr, []Keyword) {
	open := p.start()
	p.next()
	var keywords []Keyword
	base := len(p.exprs)
	for p.kind != tRParen {
		start := p.start()
		switch {
		case p.kind == tStar:
			p.exprs = append(p.exprs, p.starArg())
		case p.kind == tDoubleStar:
			p.next()
			x := p.expr()
			keywords = append(keywords, Keyword{p.span(start), "", x})
		case p.kind == tName && p.peek(1) == tAssign:
			name := p.ident()
			p.next()
			x := p.expr()
			keywords = append(keywords, Keyword{p.span(start), name, x})
		default:
			x := p.namedExpr()
			if p.isFor() {
				c := p.comprehension(GeneratorComp, x, nil)
				c.Span = p.span(start)
				if p.kind == tRParen && len(p.exprs) == base && len(keywords) == 0 {
					// The parentheses of the call are also those of the generator.
					c.Span = Span{open, p.toks[p.i].end}
				}
				x = c
			}
			p.exprs = append(p.exprs, x)
		}
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRParen, "')'")
	return p.takeExprs(base), keywords
}

// index reads what stands in brackets behind a primary.
func (p *parser) index() Expr {
	p.next()
	start := p.start()
	x := p.slice()
	_, starred := x.(*StarExpr)
	if p.kind == tComma || starred {
		base := len(p.exprs)
		p.exprs = append(p.exprs, x)
		for p.accept(tComma) && p.kind != tRBracket {
			p.exprs = append(p.exprs, p.slice())
		}
		elts := p.takeExprs(base)
		x = &TupleExpr{p.span(start), elts}
	}
	p.expect(tRBracket, "']'")
	return x
}

// starArg reads *x where x may be any expression, as in calls and subscripts.
func (p *parser) starArg() Expr {
	start := p.start()
	p.next()
	x := p.expr()
	return &StarExpr{p.span(start), x}
}

func (p *parser) slice() Expr {
	if p.kind == tStar {
		return p.starArg()
	}
	start := p.start()
	var lower Expr
	if p.kind != tColon {
		lower = p.namedExpr()
		if p.kind != tColon {
			return lower
		}
	}
	p.next()
	s := &SliceExpr{Lower: lower}
	if startsExpr[p.kind] {
		s.Upper = p.expr()
	}
	if p.accept(tColon) && startsExpr[p.kind] {
		s.Step = p.expr()
	}
	s.Span = p.span(start)
	return s
}

func (p *parser) atom() Expr {
	t := p.toks[p.i]
	span := Span{t.start, t.end}
	switch t.kind {
	case tName:
		p.next()
		return &NameExpr{span, p.src[t.start:t.end]}
	case tNumber:
		p.next()
		return p.number(span)
	case tString, tFStart:
		return p.strings()
	case tNone:
		p.next()
		return &NoneLit{span}
	case tTrue:
		p.next()
		return &BoolLit{span, true}
	case tFalse:
		p.next()
		return &BoolLit{span, false}
	case tEllipsis:
		p.next()
		return &EllipsisLit{span}
	case tLParen:
		return p.paren()
	case tLBracket:
		return p.list()
	case tLBrace:
		return p.braces()
	case tBacktick:
		p.next()
		x := p.starExprs()
		p.expect(tBacktick, "'`'")
		return &ReprExpr{p.span(t.start), x}
	}
	p.fail("invalid syntax")
	return nil
}

// paren reads a tuple, a generator expression or an expression in parentheses.
func (p *parser) paren() Expr {
	start := p.start()
	p.next()
	var x Expr
	switch p.kind {
	case tRParen:
		p.next()
		return &TupleExpr{Span: p.span(start)}
	case tYield:
		x = p.yield()
		p.expect(tRParen, "')'")
		return x
	}
	x = p.starOrNamed()
	if p.isFor() {
		c := p.comprehension(GeneratorComp, x, nil)
		p.expect(tRParen, "')'")
		c.Span = p.span(start)
		return c
	}
	if p.kind == tComma {
		x = p.tuple(start, x)
		p.expect(tRParen, "')'")
		x.(*TupleExpr).Span = p.span(start)
		return x
	}
	if _, ok := x.(*StarExpr); ok {
		p.fail("cannot use a starred expression here")
	}
	p.expect(tRParen, "')'")
	return x
}

func (p *parser) list() Expr {
	start := p.start()
	p.next()
	base := len(p.exprs)
	for p.kind != tRBracket {
		x := p.starOrNamed()
		if p.isFor() && len(p.exprs) == base {
			c := p.comprehension(ListComp, x, nil)
			p.expect(tRBracket, "']'")
			c.Span = p.span(start)
			return c
		}
		p.exprs = append(p.exprs, x)
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRBracket, "']'")
	elts := p.takeExprs(base)
	return &ListExpr{p.span(start), elts}
}

// braces reads a dictionary, a set or a comprehension of either.
func (p *parser) braces() Expr {
	start := p.start()
	p.next()
	if p.accept(tRBrace) {
		return &DictExpr{Span: p.span(start)}
	}
	if p.kind != tDoubleStar {
		x := p.starOrNamed()
		if p.kind != tColon {
			return p.set(start, x)
		}
		p.next()
		y := p.expr()
		if p.isFor() {
			c := p.comprehension(DictComp, x, y)
			p.expect(tRBrace, "'}'")
			c.Span = p.span(start)
			return c
		}
		return p.dict(start, x, y)
	}
	p.next()
	return p.dict(start, nil, p.bitOr())
}

// dict reads the rest of a dictionary whose first item has been read. Keys and values take
// turns on the stack.
func (p *parser) dict(start int32, key, value Expr) Expr {
	base := len(p.exprs)
	p.exprs = append(p.exprs, key, value)
	for p.accept(tComma) && p.kind != tRBrace {
		if p.accept(tDoubleStar) {
			p.exprs = append(p.exprs, nil, p.bitOr())
			continue
		}
		p.exprs = append(p.exprs, p.expr())
		p.expect(tColon, "':'")
		p.exprs = append(p.exprs, p.expr())
	}
	p.expect(tRBrace, "'}'")
	n := (len(p.exprs) - base) / 2
	both := make([]Expr, 2*n)
	for i := range n {
		both[i] = p.exprs[base+2*i]
		both[n+i] = p.exprs[base+2*i+1]
	}
	p.exprs = p.exprs[:base]
	return &DictExpr{p.span(start), both[:n:n], both[n:]}
}

func (p *parser) set(start int32, x Expr) Expr {
	if p.isFor() {
		c := p.comprehension(SetComp, x, nil)
		p.expect(tRBrace, "'}'")
		c.Span = p.span(start)
		return c
	}
	base := len(p.exprs)
	p.exprs = append(p.exprs, x)
	for p.accept(tComma) && p.kind != tRBrace {
		p.exprs = append(p.exprs, p.starOrNamed())
	}
	p.expect(tRBrace, "'}'")
	elts := p.takeExprs(base)
	return &SetExpr{p.span(start), elts}
}

// isFor reports whether a comprehension's for clause comes next.
func (p *parser) isFor() bool {
	return p.kind == tFor || p.kind == tName && p.peek(1) == tFor && p.text() == "async"
}

// comprehension reads the for clauses behind an element. The caller sets the span.
func (p *parser) comprehension(kind CompKind, x, y Expr) *CompExpr {
	c := &CompExpr{Kind: kind, X: x, Y: y}
	for p.isFor() {
		start := p.start()
		f := CompFor{Async: p.kind == tName}
		if f.Async {
			p.next()
		}
		p.next()
		f.Target = p.targets()
		p.expect(tIn, "'in'")
		base := len(p.exprs)
		at := p.start()
		f.Iter = p.disjunction()
		if kind == ListComp && p.kind == tComma {
			// Python 2's [x for x in 1, 2].
			p.python2 = true
			p.exprs = append(p.exprs, f.Iter)
			for p.accept(tComma) && startsExpr[p.kind] {
				p.exprs = append(p.exprs, p.disjunction())
			}
			elts := p.takeExprs(base)
			f.Iter = &TupleExpr{p.span(at), elts}
		}
		for p.accept(tIf) {
			p.exprs = append(p.exprs, p.disjunction())
		}
		f.Ifs = p.takeExprs(base)
		f.Span = p.span(start)
		c.Fors = append(c.Fors, f)
	}
	return c
}
