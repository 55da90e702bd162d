package python

import (
	"slices"
	"strings"
	"sync"
)

// Syntax is compiled to closures: names become slots of a frame once, and a function's body is compiled when it is
// called first. Compiled code holds nothing of an evaluation, so evaluations share it through the Cache.

type (
	expr func(fr *frame) (Value, error)
	stmt func(fr *frame) ctl
	// assign stores a value into a target.
	assign func(fr *frame, v Value) error
	// ctl is how a statement ended. The order matters: see join.
	ctl uint8
)

const (
	ctlNext ctl = iota
	ctlContinue
	ctlBreak
	ctlReturn // the value is in frame.ret
	ctlRaise  // the error is in frame.err
)

// frame is one activation of a function, class body or module.
type frame struct {
	ev      *Eval
	code    *code
	file    *File
	at      int32 // offset of the statement or call being evaluated
	epoch   uint32
	locals  []Value // nil: unbound
	free    []*cell
	ns      *Namespace // names of a class body or module
	globals *Module
	fn      *Func
	class   *cell // of a class body: will hold the class
	gen     *Generator
	ret     Value
	err     error
	back    *frame
}

// Save implements Mutable.
func (fr *frame) Save() any { return slices.Clone(fr.locals) }

// Restore implements Mutable.
func (fr *frame) Restore(state any) { copy(fr.locals, state.([]Value)) }

// Merge implements Merger.
func (fr *frame) Merge(ev *Eval, before, a, b any, why *Unknown) {
	x, y := a.([]Value), b.([]Value)
	for i := range fr.locals {
		if _, ok := x[i].(*cell); ok {
			fr.locals[i] = y[i]
			continue
		}
		fr.locals[i] = ev.merge(x[i], y[i], why)
	}
}

func (fr *frame) setEpoch(e uint32) { fr.epoch = e }

func (c *cell) Save() any         { return []Value{c.v} }
func (c *cell) Restore(state any) { c.v = state.([]Value)[0] }
func (c *cell) setEpoch(e uint32) { c.epoch = e }
func (c *cell) Merge(ev *Eval, before, a, b any, why *Unknown) {
	c.v = ev.merge(a.([]Value)[0], b.([]Value)[0], why)
}

// code is a compiled function, lambda, generator expression, class body or module.
type code struct {
	name   string
	qual   string
	file   *File
	node   Node
	doc    Value
	sym    *symbols
	parent *scope
	params []Param
	free   []string
	gen    bool
	lambda Expr
	stmts  []Stmt
	comp   *CompExpr
	once   sync.Once
	// compiled:
	body   stmt
	slots  []paramSlot
	tuples []assign // for Python 2's tuple parameters, by index of params; nil otherwise
	cells  []int    // slots that hold cells
	nslots int
	plain  int      // number of parameters if all are plain and without stars, else -1
	names  []string // globals that it uses
	weight int
	isComp bool
}

type paramSlot struct {
	slot int
	cell bool
}

type compiler struct {
	file *File
	sc   *scope
	sym  *symbols
	code *code
	qual string
}

// compileModule compiles a file.
func compileModule(f *File) *code {
	sym := newSymbols(moduleScope, map[Node]*symbols{})
	(&collector{sym}).stmts(f.Body)
	return &code{name: "<module>", file: f, sym: sym, stmts: f.Body}
}

// compiled makes the code ready to run.
func (co *code) compiled() *code {
	co.once.Do(func() {
		sc := newScope(co.sym, co.parent)
		sc.free = co.free
		c := &compiler{file: co.file, sc: sc, sym: co.sym, code: co, qual: co.qual}
		co.plain = len(co.params)
		for i := range co.params {
			p := &co.params[i]
			if p.Kind != PlainParam && p.Kind != PosOnlyParam || p.Tuple != nil {
				co.plain = -1
			}
			var ps paramSlot
			if p.Tuple != nil {
				ps.slot = sc.nslots
				sc.nslots++
			} else {
				r := sc.resolve(p.Name)
				ps = paramSlot{r.n, r.kind == refCell}
			}
			co.slots = append(co.slots, ps)
		}
		for i := range co.params {
			if t := co.params[i].Tuple; t != nil {
				if co.tuples == nil {
					co.tuples = make([]assign, len(co.params))
				}
				co.tuples[i] = c.target(t)
			}
		}
		switch {
		case co.lambda != nil:
			x := c.expr(co.lambda)
			off := co.lambda.Range().Start
			co.body = func(fr *frame) ctl {
				fr.at = off
				v, err := x(fr)
				if err != nil {
					fr.err = err
					return ctlRaise
				}
				fr.ret = v
				return ctlReturn
			}
		case co.comp != nil:
			co.body = c.generatorBody(co.comp)
		default:
			co.body = c.block(co.stmts)
		}
		co.nslots = sc.nslots
		co.weight = 10 + sc.nslots
		for n, i := range sc.slots {
			if sc.cells[n] {
				co.cells = append(co.cells, i)
			}
		}
	})
	return co
}

// inner makes the code of a nested scope. The symbols were collected with the outermost one.
func (c *compiler) inner(n Node, name string, params []Param) *code {
	sym := c.sym.byNode[n]
	co := &code{name: name, file: c.file, node: n, sym: sym, parent: c.sc, params: params, doc: None}
	co.qual = name
	if c.qual != "" {
		co.qual = c.qual + "." + name
		if c.sym.kind == funcScope {
			co.qual = c.qual + ".<locals>." + name
		}
	}
	for f := range sym.freeNames() {
		if c.sc.provides(f) {
			co.free = append(co.free, f)
		}
	}
	slices.Sort(co.free)
	co.gen = sym.yields && sym.kind == funcScope
	return co
}

// closureOf gives the cells that a nested scope takes from this frame.
func (c *compiler) closureOf(co *code) func(fr *frame) []*cell {
	if len(co.free) == 0 {
		return func(*frame) []*cell { return nil }
	}
	refs := make([]ref, len(co.free))
	for i, n := range co.free {
		refs[i] = c.outer(n)
	}
	return func(fr *frame) []*cell {
		cells := make([]*cell, len(refs))
		for i, r := range refs {
			switch r.kind {
			case refCell:
				cells[i], _ = fr.locals[r.n].(*cell)
			case refFree:
				cells[i] = fr.free[r.n]
			}
			if cells[i] == nil {
				cells[i] = new(cell)
			}
		}
		return cells
	}
}

// outer resolves a name as nested functions see it: names of a class body are not seen.
func (c *compiler) outer(name string) ref {
	if c.sc.sym.kind == classScope {
		return ref{refFree, c.sc.freeIndex(name)}
	}
	return c.sc.resolve(name)
}

func (fr *frame) fail(err error) ctl {
	fr.err = err
	return ctlRaise
}

type posStmt struct {
	run stmt
	off int32
}

// block compiles statements in sequence.
func (c *compiler) block(list []Stmt) stmt {
	ss := make([]posStmt, 0, len(list))
	for _, s := range list {
		if f := c.stmt(s); f != nil {
			ss = append(ss, posStmt{f, s.Range().Start})
		}
	}
	switch len(ss) {
	case 0:
		return func(fr *frame) ctl { return ctlNext }
	case 1:
		s := ss[0]
		return func(fr *frame) ctl {
			fr.at = s.off
			if err := fr.ev.step(); err != nil {
				return fr.fail(err)
			}
			return s.run(fr)
		}
	}
	return func(fr *frame) ctl {
		for i := range ss {
			s := &ss[i]
			fr.at = s.off
			if err := fr.ev.step(); err != nil {
				return fr.fail(err)
			}
			if c := s.run(fr); c != ctlNext {
				return c
			}
		}
		return ctlNext
	}
}

// stmt compiles a statement; nil means that it does nothing.
func (c *compiler) stmt(s Stmt) stmt {
	switch s := s.(type) {
	case *ExprStmt:
		switch s.X.(type) {
		case *StringLit, *IntLit, *EllipsisLit, *NoneLit:
			return nil
		}
		var x expr
		switch e := s.X.(type) {
		case *CallExpr:
			x = c.call(e, true)
		case *CompExpr:
			x = c.comprehension(e, true)
		default:
			x = c.expr(e)
		}
		return func(fr *frame) ctl {
			v, err := x(fr)
			if err != nil {
				return fr.fail(err)
			}
			if it, ok := v.(*iterValue); ok && (it.name == "map" || it.name == "filter") {
				fr.ev.lostMap(it, fr.file.Pos(s))
			}
			return ctlNext
		}
	case *AssignStmt:
		x := c.expr(s.X)
		if len(s.Targets) == 1 {
			if n, ok := s.Targets[0].(*NameExpr); ok {
				if r := c.sc.resolve(n.Name); r.kind == refLocal {
					return func(fr *frame) ctl {
						v, err := x(fr)
						if err != nil {
							return fr.fail(err)
						}
						if fr.epoch != fr.ev.epoch {
							fr.ev.Touch(fr)
						}
						fr.locals[r.n] = v
						return ctlNext
					}
				}
			}
		}
		ts := make([]assign, len(s.Targets))
		for i, t := range s.Targets {
			ts[i] = c.target(t)
		}
		return func(fr *frame) ctl {
			v, err := x(fr)
			if err != nil {
				return fr.fail(err)
			}
			for _, t := range ts {
				if err := t(fr, v); err != nil {
					return fr.fail(err)
				}
			}
			return ctlNext
		}
	case *AugAssignStmt:
		return c.augAssign(s)
	case *AnnAssignStmt:
		return c.annAssign(s)
	case *ReturnStmt:
		if s.X == nil {
			return func(fr *frame) ctl {
				fr.ret = None
				return ctlReturn
			}
		}
		x := c.expr(s.X)
		return func(fr *frame) ctl {
			v, err := x(fr)
			if err != nil {
				return fr.fail(err)
			}
			fr.ret = v
			return ctlReturn
		}
	case *DelStmt:
		dels := make([]func(fr *frame) error, len(s.Targets))
		for i, t := range s.Targets {
			dels[i] = c.del(t)
		}
		return func(fr *frame) ctl {
			for _, d := range dels {
				if err := d(fr); err != nil {
					return fr.fail(err)
				}
			}
			return ctlNext
		}
	case *PassStmt, *GlobalStmt, *NonlocalStmt:
		return nil
	case *BreakStmt:
		return func(*frame) ctl { return ctlBreak }
	case *ContinueStmt:
		return func(*frame) ctl { return ctlContinue }
	case *RaiseStmt:
		return c.raise(s)
	case *AssertStmt:
		return c.assert(s)
	case *ImportStmt:
		return c.importStmt(s)
	case *ImportFromStmt:
		return c.importFrom(s)
	case *IfStmt:
		cond := c.expr(s.Cond)
		off := s.Cond.Range().Start
		body := c.block(s.Body)
		els := c.block(s.Else)
		yields := c.code.gen && (hasYield(s.Body) || hasYield(s.Else))
		return func(fr *frame) ctl {
			v, err := cond(fr)
			if err != nil {
				return fr.fail(err)
			}
			b, ok := v.(Bool)
			if !ok {
				t, err := fr.ev.truth(v)
				if err != nil {
					return fr.fail(err)
				}
				if u, ok := t.(*Unknown); ok {
					if yields {
						return fr.stopGenerator(u)
					}
					return fr.fork(u, off, body, els)
				}
				b = t.(Bool)
			}
			if b {
				return body(fr)
			}
			return els(fr)
		}
	case *WhileStmt:
		return c.while(s)
	case *ForStmt:
		return c.forStmt(s)
	case *TryStmt:
		return c.try(s)
	case *WithStmt:
		return c.with(s, s.Items)
	case *FuncStmt:
		return c.function(s)
	case *ClassStmt:
		return c.class(s)
	case *MatchStmt:
		return c.match(s)
	case *TypeAliasStmt:
		t := c.target(s.Name)
		off := s.Start
		return func(fr *frame) ctl {
			if err := t(fr, NewUnknown(fr.file.PosAt(int(off)), "a type alias is not evaluated")); err != nil {
				return fr.fail(err)
			}
			return ctlNext
		}
	case *PrintStmt:
		xs := c.exprs(s.Xs)
		return func(fr *frame) ctl {
			args, err := evalAll(fr, xs)
			if err != nil {
				return fr.fail(err)
			}
			if err := fr.ev.print(args, " ", "\n"); err != nil {
				return fr.fail(err)
			}
			return ctlNext
		}
	case *ExecStmt:
		x := c.expr(s.X)
		off := s.Start
		return func(fr *frame) ctl {
			if _, err := x(fr); err != nil {
				return fr.fail(err)
			}
			fr.ev.Gap(Gap{Pos: fr.file.PosAt(int(off)), What: "exec", Why: "exec runs text as code, which is never done"})
			return ctlNext
		}
	}
	return nil
}

// hasYield tells whether statements yield, not counting nested functions.
func hasYield(list []Stmt) bool {
	s := newSymbols(funcScope, map[Node]*symbols{})
	(&collector{s}).stmts(list)
	return s.yields
}

func (c *compiler) exprs(list []Expr) []expr {
	out := make([]expr, len(list))
	for i, x := range list {
		out[i] = c.expr(x)
	}
	return out
}

func evalAll(fr *frame, xs []expr) ([]Value, error) {
	out := make([]Value, len(xs))
	for i, x := range xs {
		v, err := x(fr)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (c *compiler) target(x Expr) assign {
	switch x := x.(type) {
	case *NameExpr:
		return c.store(x.Name)
	case *AttrExpr:
		obj, name, off := c.expr(x.X), x.Name, x.Start
		return func(fr *frame, v Value) error {
			o, err := obj(fr)
			if err != nil {
				return err
			}
			fr.at = off
			return fr.ev.setAttr(o, name, v)
		}
	case *IndexExpr:
		obj, key, off := c.expr(x.X), c.expr(x.Index), x.Start
		return func(fr *frame, v Value) error {
			o, err := obj(fr)
			if err != nil {
				return err
			}
			k, err := key(fr)
			if err != nil {
				return err
			}
			fr.at = off
			return fr.ev.setIndex(o, k, v)
		}
	case *TupleExpr:
		return c.unpack(x.Elts)
	case *ListExpr:
		return c.unpack(x.Elts)
	case *StarExpr:
		return c.target(x.X)
	}
	return func(fr *frame, v Value) error { return fr.ev.Raisef("SyntaxError", "cannot assign") }
}

func (c *compiler) unpack(elts []Expr) assign {
	ts := make([]assign, len(elts))
	star := -1
	for i, e := range elts {
		if _, ok := e.(*StarExpr); ok {
			star = i
		}
		ts[i] = c.target(e)
	}
	return func(fr *frame, v Value) error {
		vals, err := fr.ev.unpack(v, len(ts), star)
		if err != nil {
			return err
		}
		for i, t := range ts {
			if err := t(fr, vals[i]); err != nil {
				return err
			}
		}
		return nil
	}
}

// unpack gives n values of an iterable; the one at star is a list of the rest.
func (ev *Eval) unpack(v Value, n, star int) ([]Value, error) {
	var items []Value
	switch x := v.(type) {
	case *Tuple:
		items = x.Items
	case *List:
		if x.taint != nil {
			return ev.unpackUnknown(x.taint, n, star), nil
		}
		items = x.Items
	case *Unknown:
		return ev.unpackUnknown(x, n, star), nil
	default:
		it, err := ev.iter(v)
		if err != nil {
			if r, ok := err.(*Raise); ok && r.Exc.Cls == exceptionClass("TypeError") {
				return nil, ev.Raisef("TypeError", "cannot unpack non-iterable %s object", v.TypeName())
			}
			return nil, err
		}
		for star >= 0 || len(items) <= n {
			x, ok, err := it.next(ev)
			if err != nil {
				return nil, err
			}
			if !ok {
				if u := it.taint(); u != nil {
					return ev.unpackUnknown(u, n, star), nil
				}
				break
			}
			items = append(items, x)
			if err := ev.work(1); err != nil {
				return nil, err
			}
		}
	}
	if star < 0 {
		switch {
		case len(items) > n:
			return nil, ev.Raisef("ValueError", "too many values to unpack (expected %d)", n)
		case len(items) < n:
			return nil, ev.Raisef("ValueError", "not enough values to unpack (expected %d, got %d)", n, len(items))
		}
		return items, nil
	}
	if len(items) < n-1 {
		return nil, ev.Raisef("ValueError", "not enough values to unpack (expected at least %d, got %d)", n-1, len(items))
	}
	out := make([]Value, 0, n)
	out = append(out, items[:star]...)
	rest := len(items) - (n - 1)
	out = append(out, &List{Items: slices.Clone(items[star : star+rest]), epoch: ev.epoch})
	return append(out, items[star+rest:]...), nil
}

func (ev *Eval) unpackUnknown(u *Unknown, n, star int) []Value {
	out := make([]Value, n)
	for i := range out {
		out[i] = u.derive()
		if i == star {
			out[i] = &List{taint: u.derive()}
		}
	}
	return out
}

func (c *compiler) store(name string) assign {
	r := c.sc.resolve(name)
	switch r.kind {
	case refLocal:
		return func(fr *frame, v Value) error {
			if fr.epoch != fr.ev.epoch {
				fr.ev.Touch(fr)
			}
			fr.locals[r.n] = v
			return nil
		}
	case refCell:
		return func(fr *frame, v Value) error {
			cl, ok := fr.locals[r.n].(*cell)
			if !ok {
				cl = new(cell)
				fr.locals[r.n] = cl
			}
			cl.set(fr.ev, v)
			return nil
		}
	case refFree:
		return func(fr *frame, v Value) error {
			fr.free[r.n].set(fr.ev, v)
			return nil
		}
	case refName:
		return func(fr *frame, v Value) error {
			fr.ns.Store(fr.ev, name, v)
			return nil
		}
	}
	return func(fr *frame, v Value) error {
		fr.globals.Attrs.Store(fr.ev, name, v)
		return nil
	}
}

func (c *cell) set(ev *Eval, v Value) {
	if c.epoch != ev.epoch {
		ev.Touch(c)
	}
	c.v = v
}

func (c *compiler) del(x Expr) func(fr *frame) error {
	switch x := x.(type) {
	case *NameExpr:
		r := c.sc.resolve(x.Name)
		name := x.Name
		return func(fr *frame) error {
			switch r.kind {
			case refLocal:
				if fr.locals[r.n] == nil {
					return fr.ev.unbound(name)
				}
				fr.ev.Touch(fr)
				fr.locals[r.n] = nil
			case refCell:
				fr.locals[r.n].(*cell).set(fr.ev, nil)
			case refFree:
				fr.free[r.n].set(fr.ev, nil)
			default:
				ns := fr.globals.Attrs
				if r.kind == refName {
					ns = fr.ns
				}
				if !ns.Delete(fr.ev, name) {
					return fr.ev.Raisef("NameError", "name '%s' is not defined", name)
				}
			}
			return nil
		}
	case *AttrExpr:
		obj := c.expr(x.X)
		return func(fr *frame) error {
			o, err := obj(fr)
			if err != nil {
				return err
			}
			return fr.ev.delAttr(o, x.Name)
		}
	case *IndexExpr:
		obj, key := c.expr(x.X), c.expr(x.Index)
		return func(fr *frame) error {
			o, err := obj(fr)
			if err != nil {
				return err
			}
			k, err := key(fr)
			if err != nil {
				return err
			}
			return fr.ev.setIndex(o, k, nil)
		}
	case *TupleExpr:
		return c.delAll(x.Elts)
	case *ListExpr:
		return c.delAll(x.Elts)
	}
	return func(fr *frame) error { return nil }
}

func (c *compiler) delAll(elts []Expr) func(fr *frame) error {
	var ds []func(fr *frame) error
	for _, e := range elts {
		ds = append(ds, c.del(e))
	}
	return func(fr *frame) error {
		for _, d := range ds {
			if err := d(fr); err != nil {
				return err
			}
		}
		return nil
	}
}

func (ev *Eval) unbound(name string) error {
	return ev.Raisef("UnboundLocalError", "cannot access local variable '%s' where it is not associated with a value", name)
}

func (c *compiler) augAssign(s *AugAssignStmt) stmt {
	val, op := c.expr(s.X), c.op(s.Op)
	switch t := s.Target.(type) {
	case *NameExpr:
		load, store := c.name(t), c.store(t.Name)
		return func(fr *frame) ctl {
			a, err := load(fr)
			if err != nil {
				return fr.fail(err)
			}
			b, err := val(fr)
			if err != nil {
				return fr.fail(err)
			}
			r, err := fr.ev.inplace(op, a, b)
			if err != nil {
				return fr.fail(err)
			}
			if err := store(fr, r); err != nil {
				return fr.fail(err)
			}
			return ctlNext
		}
	case *AttrExpr:
		obj := c.expr(t.X)
		return func(fr *frame) ctl {
			o, err := obj(fr)
			if err != nil {
				return fr.fail(err)
			}
			a, err := fr.ev.getAttr(o, t.Name)
			if err != nil {
				return fr.fail(err)
			}
			b, err := val(fr)
			if err != nil {
				return fr.fail(err)
			}
			r, err := fr.ev.inplace(op, a, b)
			if err != nil {
				return fr.fail(err)
			}
			if err := fr.ev.setAttr(o, t.Name, r); err != nil {
				return fr.fail(err)
			}
			return ctlNext
		}
	case *IndexExpr:
		obj, key := c.expr(t.X), c.expr(t.Index)
		return func(fr *frame) ctl {
			o, err := obj(fr)
			if err != nil {
				return fr.fail(err)
			}
			k, err := key(fr)
			if err != nil {
				return fr.fail(err)
			}
			a, err := fr.ev.index(o, k)
			if err != nil {
				return fr.fail(err)
			}
			b, err := val(fr)
			if err != nil {
				return fr.fail(err)
			}
			r, err := fr.ev.inplace(op, a, b)
			if err != nil {
				return fr.fail(err)
			}
			if err := fr.ev.setIndex(o, k, r); err != nil {
				return fr.fail(err)
			}
			return ctlNext
		}
	}
	return nil
}

func (c *compiler) annAssign(s *AnnAssignStmt) stmt {
	n, isName := s.Target.(*NameExpr)
	record := c.sym.kind != funcScope && isName && s.Simple
	if s.X == nil && !record {
		return nil
	}
	var x expr
	var t assign
	if s.X != nil {
		x, t = c.expr(s.X), c.target(s.Target)
	}
	var ann expr
	text := ""
	if record {
		ann = c.expr(s.Annotation)
		text = c.file.Text(s.Annotation)
	}
	return func(fr *frame) ctl {
		if x != nil {
			v, err := x(fr)
			if err != nil {
				return fr.fail(err)
			}
			if err := t(fr, v); err != nil {
				return fr.fail(err)
			}
		}
		if record {
			// Annotations are evaluated leniently: as text if they raise, for they may be meant for a type checker only.
			v, err := ann(fr)
			if err != nil {
				if _, ok := err.(*Raise); !ok {
					return fr.fail(err)
				}
				v = Str(text)
			}
			a, ok := fr.ns.Load("__annotations__")
			d, isDict := a.(*Dict)
			if !ok || !isDict {
				d = NewDict()
				fr.ns.Store(fr.ev, "__annotations__", d)
			}
			if err := d.Store(fr.ev, Str(n.Name), v); err != nil {
				return fr.fail(err)
			}
		}
		return ctlNext
	}
}

func (c *compiler) raise(s *RaiseStmt) stmt {
	if s.X == nil {
		return func(fr *frame) ctl {
			if n := len(fr.ev.excs); n > 0 {
				return fr.fail(&Raise{Exc: fr.ev.excs[n-1], Pos: fr.ev.Pos()})
			}
			return fr.fail(fr.ev.Raisef("RuntimeError", "No active exception to reraise"))
		}
	}
	x := c.expr(s.X)
	var cause, arg expr
	if s.Cause != nil {
		cause = c.expr(s.Cause)
	}
	if s.Arg != nil {
		arg = c.expr(s.Arg)
	}
	off := s.Start
	return func(fr *frame) ctl {
		ev := fr.ev
		v, err := x(fr)
		if err != nil {
			return fr.fail(err)
		}
		var args []Value
		if arg != nil {
			a, err := arg(fr)
			if err != nil {
				return fr.fail(err)
			}
			args = []Value{a}
		}
		fr.at = off
		if cls, ok := v.(*Class); ok {
			if v, err = ev.call(cls, &Call{Args: args, file: fr.file, off: off}); err != nil {
				return fr.fail(err)
			}
		}
		var cv Value
		if cause != nil {
			if cv, err = cause(fr); err != nil {
				return fr.fail(err)
			}
		}
		switch v := v.(type) {
		case *Unknown:
			exc := NewInstance(exceptionClass("Exception"))
			exc.Attrs.store("args", &Tuple{Items: []Value{v}})
			return fr.fail(&Raise{Exc: exc, Pos: ev.Pos(), Unknown: v})
		case *Instance:
			if v.Cls.Derives(exceptionClass("BaseException")) {
				if cv != nil {
					v.Attrs.Store(ev, "__cause__", cv)
				}
				if n := len(ev.excs); n > 0 && ev.excs[n-1] != v {
					v.Attrs.Store(ev, "__context__", ev.excs[n-1])
				}
				return fr.fail(&Raise{Exc: v, Pos: ev.Pos()})
			}
		}
		return fr.fail(ev.Raisef("TypeError", "exceptions must derive from BaseException"))
	}
}

func (c *compiler) assert(s *AssertStmt) stmt {
	cond := c.expr(s.Cond)
	off := s.Cond.Range().Start
	var msg expr
	if s.Msg != nil {
		msg = c.expr(s.Msg)
	}
	fails := func(fr *frame) ctl {
		var args []Value
		if msg != nil {
			m, err := msg(fr)
			if err != nil {
				return fr.fail(err)
			}
			args = []Value{m}
		}
		return fr.fail(fr.ev.Raise(exceptionClass("AssertionError"), args...))
	}
	return func(fr *frame) ctl {
		v, err := cond(fr)
		if err != nil {
			return fr.fail(err)
		}
		t, err := fr.ev.truth(v)
		if err != nil {
			return fr.fail(err)
		}
		if u, ok := t.(*Unknown); ok {
			return fr.fork(u, off, func(*frame) ctl { return ctlNext }, fails)
		}
		if t.(Bool) {
			return ctlNext
		}
		return fails(fr)
	}
}

func (c *compiler) while(s *WhileStmt) stmt {
	cond := c.expr(s.Cond)
	off := s.Cond.Range().Start
	body, els := c.block(s.Body), c.block(s.Else)
	yields := c.code.gen && hasYield(s.Body)
	return func(fr *frame) ctl {
		ev := fr.ev
		base := len(ev.pending)
		for n := 0; ; n++ {
			if err := ev.step(); err != nil {
				return fr.fail(err)
			}
			fr.at = off
			v, err := cond(fr)
			if err != nil {
				return ev.endLoop(fr, base, fr.fail(err))
			}
			b, ok := v.(Bool)
			if !ok {
				t, err := ev.truth(v)
				if err != nil {
					return ev.endLoop(fr, base, fr.fail(err))
				}
				if u, ok := t.(*Unknown); ok {
					if yields {
						return fr.stopGenerator(u)
					}
					r := fr.loopUnknown(u, off, func(fr *frame) ctl {
						if r := body(fr); r != ctlNext {
							return r
						}
						if _, err := cond(fr); err != nil {
							return fr.fail(err)
						}
						return ctlNext
					})
					if r == ctlNext {
						r = els(fr)
					}
					return ev.endLoop(fr, base, r)
				}
				b = t.(Bool)
			}
			if !b {
				return ev.endLoop(fr, base, els(fr))
			}
			r := body(fr)
			if len(ev.pending) > base {
				r = ev.settle(fr, base, ctlContinue, r)
				if n > 2 && len(ev.pending) > base && (r == ctlNext || r == ctlContinue) {
					// Whether the loop goes on has been unknown several times: take the rest as a loop of unknown length.
					r = fr.loopUnknown(ev.pending[len(ev.pending)-1].why, off, body)
					return ev.endLoop(fr, base, r)
				}
			}
			switch r {
			case ctlBreak:
				return ev.endLoop(fr, base, ctlNext)
			case ctlReturn, ctlRaise:
				return ev.endLoop(fr, base, r)
			}
		}
	}
}

// endLoop joins the paths that left a loop by break with the one that ends it now.
func (ev *Eval) endLoop(fr *frame, base int, r ctl) ctl {
	if len(ev.pending) > base {
		return ev.settle(fr, base, ctlBreak, r)
	}
	return r
}

func (c *compiler) forStmt(s *ForStmt) stmt {
	iter, target := c.expr(s.Iter), c.target(s.Target)
	off := s.Iter.Range().Start
	body, els := c.block(s.Body), c.block(s.Else)
	yields := c.code.gen && hasYield(s.Body)
	return func(fr *frame) ctl {
		ev := fr.ev
		v, err := iter(fr)
		if err != nil {
			return fr.fail(err)
		}
		fr.at = off
		it, err := ev.iter(v)
		if err != nil {
			return fr.fail(err)
		}
		base := len(ev.pending)
		effects := len(ev.effects)
		for {
			if err := ev.step(); err != nil {
				return fr.fail(err)
			}
			x, ok, err := it.next(ev)
			if err != nil {
				return ev.endLoop(fr, base, fr.fail(err))
			}
			if !ok {
				break
			}
			if err := target(fr, x); err != nil {
				return ev.endLoop(fr, base, fr.fail(err))
			}
			r := body(fr)
			if len(ev.pending) > base {
				r = ev.settle(fr, base, ctlContinue, r)
			}
			switch r {
			case ctlBreak:
				return ev.endLoop(fr, base, ctlNext)
			case ctlReturn, ctlRaise:
				return ev.endLoop(fr, base, r)
			}
		}
		if st, ok := v.(*Set); ok && st.live > 1 && len(ev.effects) > effects {
			ev.Note(fr.file.PosAt(int(off)), "the order of a set is not defined; it is taken as sorted")
		}
		if u := it.taint(); u != nil {
			if yields {
				return fr.stopGenerator(u)
			}
			elem := elementOf(u)
			r := fr.loopUnknown(u, off, func(fr *frame) ctl {
				if err := target(fr, elem); err != nil {
					return fr.fail(err)
				}
				return body(fr)
			})
			if r != ctlNext {
				return ev.endLoop(fr, base, r)
			}
		}
		return ev.endLoop(fr, base, els(fr))
	}
}

// elementOf gives what an iteration over something unknown yields.
func elementOf(u *Unknown) *Unknown {
	return &Unknown{Pos: u.Pos, Why: u.Why, Data: u.Data, Acts: u.Acts}
}

func (c *compiler) importStmt(s *ImportStmt) stmt {
	var ss []stmt
	for i := range s.Names {
		a := s.Names[i]
		store := c.store(a.bindName())
		off := a.Start
		ss = append(ss, func(fr *frame) ctl {
			fr.at = off
			m, err := fr.ev.importModule(a.Name)
			if err == nil && a.AsName == "" {
				if top, _, dotted := strings.Cut(a.Name, "."); dotted {
					m, err = fr.ev.importModule(top)
				}
			}
			if err == nil {
				err = store(fr, m)
			}
			if err != nil {
				return fr.fail(err)
			}
			return ctlNext
		})
	}
	return func(fr *frame) ctl {
		for _, f := range ss {
			if r := f(fr); r != ctlNext {
				return r
			}
		}
		return ctlNext
	}
}

func (c *compiler) importFrom(s *ImportFromStmt) stmt {
	stores := make([]assign, len(s.Names))
	for i := range s.Names {
		if s.Names[i].Name != "*" {
			stores[i] = c.store(s.Names[i].bindName())
		}
	}
	off := s.Start
	return func(fr *frame) ctl {
		fr.at = off
		ev := fr.ev
		name, err := ev.absoluteName(fr.globals, s.Module, s.Level)
		if err != nil {
			return fr.fail(err)
		}
		m, err := ev.importModule(name)
		if err != nil {
			return fr.fail(err)
		}
		for i := range s.Names {
			fr.at = s.Names[i].Start
			if s.Names[i].Name == "*" {
				ns := fr.ns
				if ns == nil {
					ns = fr.globals.Attrs
				}
				if err := ev.importStar(m, ns); err != nil {
					return fr.fail(err)
				}
				continue
			}
			v, err := ev.importName(m, name, s.Names[i].Name)
			if err == nil {
				err = stores[i](fr, v)
			}
			if err != nil {
				return fr.fail(err)
			}
		}
		return ctlNext
	}
}

// paramDefaults compiles the defaults of parameters.
func (c *compiler) paramDefaults(ps []Param) func(fr *frame) ([]Value, error) {
	var xs []expr
	any := false
	for i := range ps {
		if ps[i].Default == nil {
			xs = append(xs, nil)
			continue
		}
		any = true
		xs = append(xs, c.expr(ps[i].Default))
	}
	if !any {
		return func(*frame) ([]Value, error) { return nil, nil }
	}
	return func(fr *frame) ([]Value, error) {
		out := make([]Value, len(xs))
		for i, x := range xs {
			if x == nil {
				continue
			}
			v, err := x(fr)
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	}
}

func (c *compiler) makeFunc(n Node, name string, params []Param) (*code, func(fr *frame) (*Func, error)) {
	co := c.inner(n, name, params)
	defaults := c.paramDefaults(params)
	closure := c.closureOf(co)
	return co, func(fr *frame) (*Func, error) {
		d, err := defaults(fr)
		if err != nil {
			return nil, err
		}
		f := &Func{code: co, defaults: d, free: closure(fr), globals: fr.globals}
		if fr.class != nil {
			f.class = fr.class
		} else if fr.fn != nil {
			f.class = fr.fn.class
		}
		return f, nil
	}
}

func docOf(body []Stmt) Value {
	if len(body) > 0 {
		if x, ok := body[0].(*ExprStmt); ok {
			if s, ok := x.X.(*StringLit); ok {
				return Str(s.Value)
			}
		}
	}
	return None
}

func (c *compiler) function(s *FuncStmt) stmt {
	decorators := c.exprs(s.Decorators)
	co, mk := c.makeFunc(s, s.Name, s.Params)
	co.stmts = s.Body
	co.doc = docOf(s.Body)
	store := c.store(s.Name)
	off := s.NameSpan.Start
	return func(fr *frame) ctl {
		decs, err := evalAll(fr, decorators)
		if err != nil {
			return fr.fail(err)
		}
		f, err := mk(fr)
		if err != nil {
			return fr.fail(err)
		}
		var v Value = f
		for i := len(decs) - 1; i >= 0; i-- {
			fr.at = off
			if v, err = fr.ev.decorate(decs[i], v, fr.file, off); err != nil {
				return fr.fail(err)
			}
		}
		if err := store(fr, v); err != nil {
			return fr.fail(err)
		}
		return ctlNext
	}
}

// decorate applies a decorator. One that cannot be read gives something unknown that may act, but is taken not to call
// what it decorates at once.
func (ev *Eval) decorate(dec, v Value, file *File, off int32) (Value, error) {
	if u, ok := dec.(*Unknown); ok {
		return &Unknown{Pos: file.PosAt(int(off)), Why: u.Why, Data: u.Data, Acts: u.Acts || ev.mayAct(v)}, nil
	}
	return ev.call(dec, &Call{Args: []Value{v}, file: file, off: off})
}

func (c *compiler) class(s *ClassStmt) stmt {
	decorators, bases := c.exprs(s.Decorators), c.splat(s.Bases)
	type kwx struct {
		name string
		x    expr
	}
	var kws []kwx
	for i := range s.Keywords {
		kws = append(kws, kwx{s.Keywords[i].Name, c.expr(s.Keywords[i].X)})
	}
	co := c.inner(s, s.Name, nil)
	co.stmts = s.Body
	co.doc = docOf(s.Body)
	closure := c.closureOf(co)
	store := c.store(s.Name)
	off := s.NameSpan.Start
	return func(fr *frame) ctl {
		ev := fr.ev
		decs, err := evalAll(fr, decorators)
		if err != nil {
			return fr.fail(err)
		}
		bs, splat, err := bases(fr)
		if err != nil {
			return fr.fail(err)
		}
		var kw []Kwarg
		for _, k := range kws {
			v, err := k.x(fr)
			if err != nil {
				return fr.fail(err)
			}
			kw = append(kw, Kwarg{k.name, v})
		}
		ns := &Namespace{epoch: ev.epoch}
		ns.store("__module__", Str(fr.globals.Name))
		ns.store("__qualname__", Str(co.qual))
		if co.doc != None {
			ns.store("__doc__", co.doc)
		}
		inner := &frame{ev: ev, code: co.compiled(), file: fr.file, free: closure(fr), ns: ns, globals: fr.globals, class: &cell{}, back: fr, epoch: ev.epoch, at: off}
		inner.fn = fr.fn
		inner.locals = make([]Value, co.nslots)
		if err := ev.enter(co); err != nil {
			return fr.fail(err)
		}
		ev.fr = inner
		base := len(ev.pending)
		r := co.body(inner)
		if len(ev.pending) > base {
			r = ev.settle(inner, base, ctlReturn, r)
		}
		ev.leave(co)
		ev.fr = fr
		if r == ctlRaise {
			return fr.fail(inner.err)
		}
		fr.at = off
		cls, err := ev.makeClass(s.Name, bs, splat, ns, kw, fr.file.PosAt(int(off)))
		if err != nil {
			return fr.fail(err)
		}
		inner.class.v = cls
		for i := len(decs) - 1; i >= 0; i-- {
			if cls, err = ev.decorate(decs[i], cls, fr.file, off); err != nil {
				return fr.fail(err)
			}
		}
		if err := store(fr, cls); err != nil {
			return fr.fail(err)
		}
		return ctlNext
	}
}
