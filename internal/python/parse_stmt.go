package python

import "strings"

func (p *parser) add(s Stmt) { p.stmts = append(p.stmts, s) }

// statement reads one compound statement, or one line of simple statements, onto p.stmts.
func (p *parser) statement() {
	start := p.start()
	switch p.kind {
	case tIf:
		p.add(p.ifStmt())
	case tWhile:
		p.next()
		s := &WhileStmt{Cond: p.namedExpr()}
		s.Body = p.block()
		s.Else = p.elseBlock()
		s.Span = p.span(start)
		p.add(s)
	case tFor:
		p.add(p.forStmt(start, false))
	case tTry:
		p.add(p.tryStmt())
	case tWith:
		p.add(p.withStmt(start, false))
	case tDef:
		p.add(p.funcStmt(start, nil, false))
	case tClass:
		p.add(p.classStmt(nil))
	case tAt:
		p.decorated()
	case tIndent:
		p.fail("unexpected indent")
	case tName:
		switch p.text() {
		case "async":
			switch p.peek(1) {
			case tDef:
				p.next()
				p.add(p.funcStmt(start, nil, true))
				return
			case tFor:
				p.next()
				p.add(p.forStmt(start, true))
				return
			case tWith:
				p.next()
				p.add(p.withStmt(start, true))
				return
			}
		case "match":
			if p.isMatch() {
				p.add(p.matchStmt())
				return
			}
		}
		p.simpleLine()
	default:
		p.simpleLine()
	}
}

// simpleLine reads simple statements up to the end of the line.
func (p *parser) simpleLine() {
	for {
		p.add(p.simple())
		if p.kind == tSemi {
			p.next()
			if p.kind == tNewline {
				break
			}
			continue
		}
		if p.kind != tNewline {
			p.fail("invalid syntax")
		}
		break
	}
	p.skipNewline()
}

// skipNewline goes past the line end without making it the end of a node.
func (p *parser) skipNewline() {
	end := p.end
	p.next()
	p.end = end
}

// block reads ":" and an indented block, or what stands on the same line.
func (p *parser) block() []Stmt {
	p.expect(tColon, "':'")
	base := len(p.stmts)
	if p.kind != tNewline {
		p.simpleLine()
		return p.takeStmts(base)
	}
	p.skipNewline()
	if p.kind != tIndent {
		p.fail("expected an indented block")
	}
	p.skipNewline()
	h := p.enter()
	for p.kind != tDedent {
		if p.kind == tEOF {
			p.fail("unexpected end of file")
		}
		p.statement()
	}
	p.skipNewline()
	p.leave(h)
	return p.takeStmts(base)
}

func (p *parser) elseBlock() []Stmt {
	if p.kind != tElse {
		return nil
	}
	p.next()
	return p.block()
}

// simple reads a simple statement.
func (p *parser) simple() Stmt {
	start := p.start()
	switch p.kind {
	case tPass:
		p.next()
		return &PassStmt{p.span(start)}
	case tBreak:
		p.next()
		return &BreakStmt{p.span(start)}
	case tContinue:
		p.next()
		return &ContinueStmt{p.span(start)}
	case tReturn:
		p.next()
		s := &ReturnStmt{}
		if startsExpr[p.kind] {
			s.X = p.starExprs()
		}
		s.Span = p.span(start)
		return s
	case tRaise:
		return p.raiseStmt()
	case tGlobal:
		p.next()
		names := p.names()
		return &GlobalStmt{p.span(start), names}
	case tDel:
		return p.delStmt()
	case tAssert:
		p.next()
		s := &AssertStmt{Cond: p.expr()}
		if p.accept(tComma) {
			s.Msg = p.expr()
		}
		s.Span = p.span(start)
		return s
	case tImport:
		return p.importStmt()
	case tFrom:
		return p.importFrom()
	case tName:
		if s := p.softStmt(); s != nil {
			return s
		}
	}
	return p.exprStmt()
}

// softStmt reads a statement that starts with a soft keyword, or returns nil without reading.
func (p *parser) softStmt() Stmt {
	start := p.start()
	next := p.peek(1)
	switch p.text() {
	case "nonlocal":
		if next == tName {
			p.next()
			names := p.names()
			return &NonlocalStmt{p.span(start), names}
		}
	case "type":
		if next == tName && (p.peek(2) == tAssign || p.peek(2) == tLBracket) {
			return p.typeAlias()
		}
	case "print":
		if startsPrint[next] {
			return p.printStmt()
		}
	case "exec":
		if startsPrint[next] && next != tRShift && next != tNot {
			return p.execStmt()
		}
		if next == tLParen && p.toks[p.matching(p.i+1)+1].kind == tIn {
			return p.execStmt() // exec (code) in namespace
		}
	}
	return nil
}

func (p *parser) names() []string {
	names := []string{p.ident()}
	for p.accept(tComma) {
		names = append(names, p.ident())
	}
	return names
}

// exprStmt reads an expression statement or an assignment of any kind.
func (p *parser) exprStmt() Stmt {
	start := p.start()
	paren := p.kind == tLParen
	x := p.starExprsOrYield()
	switch {
	case p.kind == tAssign:
		base := len(p.exprs)
		for p.accept(tAssign) {
			p.exprs = append(p.exprs, x)
			x = p.starExprsOrYield()
		}
		s := &AssignStmt{Targets: p.takeExprs(base), X: x}
		s.Span = p.span(start)
		return s
	case augmented[p.kind] != OpNone:
		s := &AugAssignStmt{Target: x, Op: augmented[p.kind]}
		p.next()
		s.X = p.starExprsOrYield()
		s.Span = p.span(start)
		return s
	case p.kind == tColon:
		p.next()
		_, isName := x.(*NameExpr)
		s := &AnnAssignStmt{Target: x, Simple: isName && !paren}
		s.Annotation = p.expr()
		if p.accept(tAssign) {
			s.X = p.starExprsOrYield()
		}
		s.Span = p.span(start)
		return s
	}
	return &ExprStmt{p.span(start), x}
}

func (p *parser) delStmt() Stmt {
	start := p.start()
	p.next()
	base := len(p.exprs)
	for startsExpr[p.kind] {
		p.exprs = append(p.exprs, p.expr())
		if !p.accept(tComma) {
			break
		}
	}
	if len(p.exprs) == base {
		p.fail("expected an expression")
	}
	s := &DelStmt{Targets: p.takeExprs(base)}
	s.Span = p.span(start)
	return s
}

func (p *parser) raiseStmt() Stmt {
	start := p.start()
	p.next()
	s := &RaiseStmt{}
	if startsExpr[p.kind] {
		s.X = p.expr()
		switch {
		case p.accept(tFrom):
			s.Cause = p.expr()
		case p.accept(tComma):
			p.python2 = true
			s.Arg = p.expr()
			if p.accept(tComma) {
				s.Traceback = p.expr()
			}
		}
	}
	s.Span = p.span(start)
	return s
}

// printStmt reads Python 2's print.
func (p *parser) printStmt() Stmt {
	start := p.start()
	p.python2 = true
	p.next()
	s := &PrintStmt{}
	base := len(p.exprs)
	if p.accept(tRShift) {
		s.Dest = p.expr()
		if p.kind != tComma {
			s.Span = p.span(start)
			return s
		}
		p.next()
	}
	for startsExpr[p.kind] {
		p.exprs = append(p.exprs, p.expr())
		s.NoNewline = p.accept(tComma)
		if !s.NoNewline {
			break
		}
	}
	s.Xs = p.takeExprs(base)
	s.Span = p.span(start)
	return s
}

// execStmt reads Python 2's exec.
func (p *parser) execStmt() Stmt {
	start := p.start()
	p.python2 = true
	p.next()
	s := &ExecStmt{X: p.bitOr()}
	if p.accept(tIn) {
		s.Globals = p.expr()
		if p.accept(tComma) {
			s.Locals = p.expr()
		}
	}
	s.Span = p.span(start)
	return s
}

func (p *parser) typeAlias() Stmt {
	start := p.start()
	p.next()
	at := p.start()
	s := &TypeAliasStmt{Name: &NameExpr{Name: p.ident()}}
	s.Name.Span = p.span(at)
	s.TypeParams = p.typeParams()
	p.expect(tAssign, "'='")
	s.X = p.expr()
	s.Span = p.span(start)
	return s
}

// typeParams reads type parameters in brackets, if there are any.
func (p *parser) typeParams() []TypeParam {
	if !p.accept(tLBracket) {
		return nil
	}
	var out []TypeParam
	for p.kind != tRBracket {
		t := TypeParam{}
		start := p.start()
		switch p.kind {
		case tStar:
			t.Stars = 1
			p.next()
		case tDoubleStar:
			t.Stars = 2
			p.next()
		}
		t.Name = p.ident()
		if p.accept(tColon) {
			t.Bound = p.expr()
		}
		if p.accept(tAssign) {
			t.Default = p.starOrExpr()
		}
		t.Span = p.span(start)
		out = append(out, t)
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRBracket, "']'")
	return out
}

func (p *parser) importStmt() Stmt {
	start := p.start()
	p.next()
	s := &ImportStmt{}
	for {
		at := p.start()
		a := Alias{Name: p.dottedName()}
		if p.accept(tAs) {
			a.AsName = p.ident()
		}
		a.Span = p.span(at)
		s.Names = append(s.Names, a)
		if !p.accept(tComma) {
			break
		}
	}
	s.Span = p.span(start)
	return s
}

// dottedName reads a.b.c, without space that may stand between.
func (p *parser) dottedName() string {
	start := p.start()
	first := p.ident()
	if p.kind != tDot {
		return first
	}
	n := len(first)
	for p.accept(tDot) {
		n += 1 + len(p.ident())
	}
	name := p.src[start:p.end]
	if len(name) == n {
		return name
	}
	// There is space, or a continuation line, between the parts.
	var parts []string
	for i := p.i - 1; i >= 0 && p.toks[i].start >= start; i-- {
		if t := p.toks[i]; t.kind == tName {
			parts = append([]string{p.src[t.start:t.end]}, parts...)
		}
	}
	return strings.Join(parts, ".")
}

func (p *parser) importFrom() Stmt {
	start := p.start()
	p.next()
	s := &ImportFromStmt{}
	for {
		if p.accept(tDot) {
			s.Level++
		} else if p.accept(tEllipsis) {
			s.Level += 3
		} else {
			break
		}
	}
	if p.kind == tName || s.Level == 0 {
		s.Module = p.dottedName()
	}
	p.expect(tImport, "'import'")
	if p.kind == tStar {
		at := p.start()
		p.next()
		s.Names = []Alias{{Span: p.span(at), Name: "*"}}
		s.Span = p.span(start)
		return s
	}
	paren := p.accept(tLParen)
	for {
		at := p.start()
		a := Alias{Name: p.ident()}
		if p.accept(tAs) {
			a.AsName = p.ident()
		}
		a.Span = p.span(at)
		s.Names = append(s.Names, a)
		if !p.accept(tComma) || paren && p.kind == tRParen {
			break
		}
	}
	if paren {
		p.expect(tRParen, "')'")
	}
	s.Span = p.span(start)
	return s
}

// ifStmt reads an if statement. The elif clauses are read in a loop and nested afterwards.
func (p *parser) ifStmt() Stmt {
	start := p.start()
	h := p.height
	p.height = 0
	p.next()
	first := &IfStmt{Cond: p.namedExpr()}
	first.Start = start
	first.Body = p.block()
	chain := []*IfStmt{first}
	for p.kind == tElif {
		s := &IfStmt{Elif: true}
		s.Start = p.start()
		p.next()
		s.Cond = p.namedExpr()
		s.Body = p.block()
		chain[len(chain)-1].Else = []Stmt{s}
		chain = append(chain, s)
	}
	chain[len(chain)-1].Else = p.elseBlock()
	for _, s := range chain {
		s.End = p.end
	}
	p.grow(len(chain)) // the last clause is below all others
	p.height = max(p.height, h)
	return first
}

func (p *parser) forStmt(start int32, async bool) Stmt {
	p.next()
	s := &ForStmt{Target: p.targets(), Async: async}
	p.expect(tIn, "'in'")
	s.Iter = p.starExprs()
	s.Body = p.block()
	s.Else = p.elseBlock()
	s.Span = p.span(start)
	return s
}

func (p *parser) tryStmt() Stmt {
	start := p.start()
	p.next()
	s := &TryStmt{}
	s.Body = p.block()
	for p.kind == tExcept {
		s.Handlers = append(s.Handlers, p.handler(&s.Star))
	}
	if len(s.Handlers) > 0 {
		s.Else = p.elseBlock()
	}
	if p.accept(tFinally) {
		s.Finally = p.block()
	} else if len(s.Handlers) == 0 {
		p.fail("expected 'except' or 'finally'")
	}
	s.Span = p.span(start)
	return s
}

func (p *parser) handler(star *bool) Handler {
	start := p.start()
	p.next()
	h := Handler{}
	if p.accept(tStar) {
		*star = true
	}
	if p.kind != tColon {
		at := p.start()
		h.Type = p.expr()
		if p.kind == tComma {
			p.handlerComma(&h, at, *star)
		} else if p.accept(tAs) {
			// Python 2 allowed any target here.
			p.handlerTarget(&h, p.bitOr())
		}
	}
	h.Body = p.block()
	h.Span = p.span(start)
	return h
}

// handlerComma reads what follows the comma in "except A, …"; see [Handler].
func (p *parser) handlerComma(h *Handler, start int32, star bool) {
	base := len(p.exprs)
	p.exprs = append(p.exprs, h.Type)
	trailing := false
	for p.accept(tComma) {
		if trailing = p.kind == tColon; trailing {
			break
		}
		p.exprs = append(p.exprs, p.expr())
	}
	types := p.takeExprs(base)
	if len(types) == 2 && !trailing && !star {
		old := false
		switch x := types[1].(type) {
		case *NameExpr:
			old = x.Name[0] < 'A' || x.Name[0] > 'Z'
		case *TupleExpr, *ListExpr, *IndexExpr:
			old = true
		}
		if old {
			h.Comma = true
			p.handlerTarget(h, types[1])
			return
		}
	}
	h.Type = &TupleExpr{p.span(start), types}
}

func (p *parser) handlerTarget(h *Handler, x Expr) {
	if n, ok := x.(*NameExpr); ok {
		h.Name = n.Name
		return
	}
	p.python2 = true
	h.Target = x
}

func (p *parser) withStmt(start int32, async bool) Stmt {
	p.next()
	s := &WithStmt{Async: async}
	if p.kind == tLParen {
		s.Items = p.parenItems()
	}
	if s.Items == nil {
		for {
			s.Items = append(s.Items, p.withItem())
			if !p.accept(tComma) {
				break
			}
		}
	}
	s.Body = p.block()
	s.Span = p.span(start)
	return s
}

func (p *parser) withItem() WithItem {
	start := p.start()
	w := WithItem{X: p.expr()}
	if p.accept(tAs) {
		w.Target = p.starTarget()
	}
	w.Span = p.span(start)
	return w
}

// parenItems reads the items of a parenthesised with statement. If the parenthesis is part
// of an expression instead, it reads nothing and returns nil.
func (p *parser) parenItems() []WithItem {
	if p.toks[p.matching(p.i)+1].kind != tColon {
		return nil
	}
	at := p.i
	p.next()
	var items []WithItem
	for startsExpr[p.kind] && p.kind != tStar {
		items = append(items, p.withItem())
		if !p.accept(tComma) {
			break
		}
	}
	if p.kind != tRParen || len(items) == 0 {
		// with (yield), with (x := f()), with (a for a in b), with (*a, b), with ().
		p.seek(at)
		return nil
	}
	p.next()
	return items
}

// matching returns the index of the token that closes the bracket at token i.
func (p *parser) matching(i int) int {
	depth := 0
	for ; i < len(p.toks)-1; i++ {
		switch p.toks[i].kind {
		case tLParen, tLBracket, tLBrace, tFOpen:
			depth++
		case tRParen, tRBracket, tRBrace, tFClose:
			depth--
			if depth == 0 {
				return i
			}
		}
	}
	return len(p.toks) - 2
}

func (p *parser) decorated() {
	var decorators []Expr
	for p.accept(tAt) {
		decorators = append(decorators, p.namedExpr())
		if p.kind != tNewline {
			p.fail("invalid syntax")
		}
		p.skipNewline()
	}
	start := p.start()
	switch {
	case p.kind == tDef:
		p.add(p.funcStmt(start, decorators, false))
	case p.kind == tClass:
		p.add(p.classStmt(decorators))
	case p.isSoft("async") && p.peek(1) == tDef:
		p.next()
		p.add(p.funcStmt(start, decorators, true))
	default:
		p.fail("expected a function or class definition")
	}
}

func (p *parser) funcStmt(start int32, decorators []Expr, async bool) Stmt {
	p.next()
	s := &FuncStmt{Decorators: decorators, Async: async}
	at := p.start()
	s.Name = p.ident()
	s.NameSpan = p.span(at)
	s.TypeParams = p.typeParams()
	p.expect(tLParen, "'('")
	s.Params = p.params(tRParen)
	p.expect(tRParen, "')'")
	if p.accept(tArrow) {
		s.Returns = p.expr()
	}
	s.Body = p.block()
	s.Span = p.span(start)
	return s
}

// params reads the parameters of a function, or of a lambda if close is tColon.
func (p *parser) params(close kind) []Param {
	var out []Param
	kind := PlainParam
	for p.kind != close {
		start := p.start()
		q := Param{Kind: kind}
		switch p.kind {
		case tSlash:
			p.next()
			for i := range out {
				out[i].Kind = PosOnlyParam
			}
			if !p.accept(tComma) {
				return out
			}
			continue
		case tStar:
			p.next()
			kind = KwOnlyParam
			if p.kind == tComma {
				p.next()
				continue
			}
			q.Kind = VarParam
			start = p.start()
			q.Name = p.ident()
			if close == tRParen && p.accept(tColon) {
				q.Annotation = p.starOrExpr()
			}
		case tDoubleStar:
			p.next()
			q.Kind = KwVarParam
			start = p.start()
			q.Name = p.ident()
			if close == tRParen && p.accept(tColon) {
				q.Annotation = p.expr()
			}
		case tLParen:
			p.python2 = true
			q.Tuple = p.starTarget()
		default:
			q.Name = p.ident()
			if close == tRParen && p.accept(tColon) {
				q.Annotation = p.expr()
			}
		}
		q.Span = p.span(start)
		if p.accept(tAssign) {
			q.Default = p.expr()
		}
		out = append(out, q)
		if !p.accept(tComma) {
			break
		}
	}
	return out
}

func (p *parser) classStmt(decorators []Expr) Stmt {
	start := p.start()
	p.next()
	s := &ClassStmt{Decorators: decorators}
	at := p.start()
	s.Name = p.ident()
	s.NameSpan = p.span(at)
	s.TypeParams = p.typeParams()
	if p.kind == tLParen {
		s.Bases, s.Keywords = p.args()
	}
	s.Body = p.block()
	s.Span = p.span(start)
	return s
}
