package python

import (
	"slices"
	"strings"
)

// expr compiles an expression.
func (c *compiler) expr(x Expr) expr {
	switch x := x.(type) {
	case *NameExpr:
		return c.name(x)
	case *NoneLit:
		return constant(None)
	case *BoolLit:
		return constant(Bool(x.Value))
	case *EllipsisLit:
		return constant(EllipsisType{})
	case *IntLit:
		if x.Big != nil {
			return constant(&BigInt{x.Big})
		}
		return constant(Int(x.Value))
	case *FloatLit:
		return constant(Float(x.Value))
	case *ImagLit:
		return c.unknown(x, "complex numbers are not modelled")
	case *StringLit:
		if x.Unresolved {
			return c.unknown(x, "the string has an escape \\N{…} of a character that is not known")
		}
		return constant(Str(x.Value))
	case *BytesLit:
		return constant(Bytes(x.Value))
	case *FStringExpr:
		if x.Template {
			return c.unknown(x, "template strings are not modelled")
		}
		return c.fstring(x)
	case *FormatExpr:
		return c.fstring(&FStringExpr{Span: x.Span, Parts: []Expr{x}})
	case *AttrExpr:
		obj, name, off := c.expr(x.X), x.Name, x.End-1
		return func(fr *frame) (Value, error) {
			o, err := obj(fr)
			if err != nil {
				return nil, err
			}
			fr.at = off
			return fr.ev.getAttr(o, name)
		}
	case *IndexExpr:
		obj, key, off := c.expr(x.X), c.expr(x.Index), x.Start
		return func(fr *frame) (Value, error) {
			o, err := obj(fr)
			if err != nil {
				return nil, err
			}
			k, err := key(fr)
			if err != nil {
				return nil, err
			}
			fr.at = off
			return fr.ev.index(o, k)
		}
	case *SliceExpr:
		parts := []expr{constant(None), constant(None), constant(None)}
		for i, e := range []Expr{x.Lower, x.Upper, x.Step} {
			if e != nil {
				parts[i] = c.expr(e)
			}
		}
		return func(fr *frame) (Value, error) {
			vs, err := evalAll(fr, parts)
			if err != nil {
				return nil, err
			}
			return &Slice{vs[0], vs[1], vs[2]}, nil
		}
	case *CallExpr:
		return c.call(x, false)
	case *UnaryExpr:
		return c.unary(x)
	case *BinExpr:
		a, b, op, off := c.expr(x.X), c.expr(x.Y), c.op(x.Op), x.Start
		return func(fr *frame) (Value, error) {
			l, err := a(fr)
			if err != nil {
				return nil, err
			}
			r, err := b(fr)
			if err != nil {
				return nil, err
			}
			if i, ok := l.(Int); ok {
				if j, ok := r.(Int); ok {
					switch op {
					case OpAdd:
						if s := i + j; (s > i) == (j > 0) {
							return s, nil
						}
					case OpSub:
						if s := i - j; (s < i) == (j > 0) {
							return s, nil
						}
					}
				}
			}
			fr.at = off
			return fr.ev.binary(op, l, r)
		}
	case *BoolExpr:
		return c.boolean(x)
	case *CompareExpr:
		return c.comparison(x)
	case *CondExpr:
		cond, then, els, off := c.expr(x.Cond), c.expr(x.Then), c.expr(x.Else), x.Cond.Range().Start
		return func(fr *frame) (Value, error) {
			v, err := cond(fr)
			if err != nil {
				return nil, err
			}
			t, err := fr.ev.truth(v)
			if err != nil {
				return nil, err
			}
			if u, ok := t.(*Unknown); ok {
				return fr.forkExpr(u, off, then, els)
			}
			if t.(Bool) {
				return then(fr)
			}
			return els(fr)
		}
	case *LambdaExpr:
		co, mk := c.makeFunc(x, "<lambda>", x.Params)
		co.lambda = x.Body
		return func(fr *frame) (Value, error) {
			f, err := mk(fr)
			if err != nil {
				return nil, err
			}
			return f, nil
		}
	case *TupleExpr:
		if consts := constants(x.Elts); consts != nil {
			return constant(&Tuple{Items: consts})
		}
		items := c.splat(x.Elts)
		return func(fr *frame) (Value, error) {
			vs, u, err := items(fr)
			if err != nil {
				return nil, err
			}
			if u != nil {
				return u.derive(), nil
			}
			return &Tuple{Items: vs}, fr.ev.alloc(16 * len(vs))
		}
	case *ListExpr:
		items := c.splat(x.Elts)
		return func(fr *frame) (Value, error) {
			vs, u, err := items(fr)
			if err != nil {
				return nil, err
			}
			return &List{Items: vs, taint: u, epoch: fr.ev.epoch}, fr.ev.alloc(16 * len(vs))
		}
	case *SetExpr:
		items := c.splat(x.Elts)
		return func(fr *frame) (Value, error) {
			vs, u, err := items(fr)
			if err != nil {
				return nil, err
			}
			s := &Set{table: table{taint: u, epoch: fr.ev.epoch}}
			for _, v := range vs {
				if err := s.Add(fr.ev, v); err != nil {
					return nil, err
				}
			}
			return s, nil
		}
	case *DictExpr:
		keys, vals := make([]expr, len(x.Keys)), c.exprs(x.Values)
		for i, k := range x.Keys {
			if k != nil {
				keys[i] = c.expr(k)
			}
		}
		return func(fr *frame) (Value, error) {
			d := &Dict{table: table{epoch: fr.ev.epoch}}
			for i, k := range keys {
				if k == nil {
					v, err := vals[i](fr)
					if err != nil {
						return nil, err
					}
					if err := fr.ev.dictUpdate(d, v); err != nil {
						return nil, err
					}
					continue
				}
				kv, err := k(fr)
				if err != nil {
					return nil, err
				}
				v, err := vals[i](fr)
				if err != nil {
					return nil, err
				}
				if err := d.Store(fr.ev, kv, v); err != nil {
					return nil, err
				}
			}
			return d, nil
		}
	case *CompExpr:
		return c.comprehension(x, false)
	case *AwaitExpr:
		return c.expr(x.X)
	case *YieldExpr:
		return c.yield(x)
	case *StarExpr:
		return c.expr(x.X)
	case *WalrusExpr:
		v, store := c.expr(x.X), c.store(x.Target.Name)
		return func(fr *frame) (Value, error) {
			r, err := v(fr)
			if err != nil {
				return nil, err
			}
			return r, store(fr, r)
		}
	case *ReprExpr:
		v := c.expr(x.X)
		return func(fr *frame) (Value, error) {
			r, err := v(fr)
			if err != nil {
				return nil, err
			}
			return fr.ev.repr(r)
		}
	}
	return c.unknown(x, "the expression is not modelled")
}

func constant(v Value) expr {
	return func(*frame) (Value, error) { return v, nil }
}

// constants gives the values of literals, or nil if one is none.
func constants(elts []Expr) []Value {
	out := make([]Value, 0, len(elts))
	for _, e := range elts {
		switch e := e.(type) {
		case *StringLit:
			if e.Unresolved {
				return nil
			}
			out = append(out, Str(e.Value))
		case *IntLit:
			if e.Big != nil {
				return nil
			}
			out = append(out, Int(e.Value))
		case *NoneLit:
			out = append(out, None)
		case *BoolLit:
			out = append(out, Bool(e.Value))
		default:
			return nil
		}
	}
	return out
}

func (c *compiler) unknown(n Node, why string) expr {
	off := n.Range().Start
	return func(fr *frame) (Value, error) {
		return NewUnknown(fr.file.PosAt(int(off)), why), nil
	}
}

func (c *compiler) name(x *NameExpr) expr {
	name, off := x.Name, x.Start
	r := c.sc.resolve(name)
	switch r.kind {
	case refLocal:
		n := r.n
		return func(fr *frame) (Value, error) {
			if v := fr.locals[n]; v != nil {
				return v, nil
			}
			fr.at = off
			return nil, fr.ev.unbound(name)
		}
	case refCell:
		n := r.n
		return func(fr *frame) (Value, error) {
			if cl, ok := fr.locals[n].(*cell); ok && cl.v != nil {
				return cl.v, nil
			}
			fr.at = off
			return nil, fr.ev.unbound(name)
		}
	case refFree:
		n := r.n
		return func(fr *frame) (Value, error) {
			if n < len(fr.free) && fr.free[n].v != nil {
				return fr.free[n].v, nil
			}
			fr.at = off
			return nil, fr.ev.Raisef("NameError", "cannot access free variable '%s' where it is not associated with a value in enclosing scope", name)
		}
	case refName:
		n := r.n
		return func(fr *frame) (Value, error) {
			if v, ok := fr.ns.Load(name); ok {
				return v, nil
			}
			if n >= 0 && n < len(fr.free) && fr.free[n].v != nil {
				return fr.free[n].v, nil
			}
			fr.at = off
			return fr.global(name)
		}
	}
	c.code.names = append(c.code.names, name)
	return func(fr *frame) (Value, error) {
		if v, ok := fr.globals.Attrs.Load(name); ok {
			return v, nil
		}
		fr.at = off
		return fr.global(name)
	}
}

// global looks a name up in the globals and the builtins.
func (fr *frame) global(name string) (Value, error) {
	ns := fr.globals.Attrs
	if v, ok := ns.Load(name); ok {
		return v, nil
	}
	if v := fr.ev.builtin(name); v != nil {
		return v, nil
	}
	switch name {
	case "__class__":
		if fr.fn != nil && fr.fn.class != nil && fr.fn.class.v != nil {
			return fr.fn.class.v, nil
		}
	case "__file__", "__loader__", "__spec__", "__builtins__", "__path__":
		return NewUnknown(fr.ev.Pos(), name+" depends on where the program runs"), nil
	}
	if ns.taint != nil {
		return ns.taint.derive(), nil
	}
	return nil, fr.ev.Raisef("NameError", "name '%s' is not defined", name)
}

func (c *compiler) unary(x *UnaryExpr) expr {
	v, op, off := c.expr(x.X), x.Op, x.Start
	if op == OpNot {
		return func(fr *frame) (Value, error) {
			r, err := v(fr)
			if err != nil {
				return nil, err
			}
			return fr.ev.not(r)
		}
	}
	if op == OpNeg {
		if i, ok := x.X.(*IntLit); ok && i.Big == nil {
			return constant(Int(-i.Value))
		}
	}
	return func(fr *frame) (Value, error) {
		r, err := v(fr)
		if err != nil {
			return nil, err
		}
		fr.at = off
		return fr.ev.unary(op, r)
	}
}

func (c *compiler) boolean(x *BoolExpr) expr {
	return c.boolTail(x.Xs, x.Op)
}

// boolTail compiles the operands from the first on; those behind an unknown one may or may not be evaluated.
func (c *compiler) boolTail(xs []Expr, op Op) expr {
	first, off := c.expr(xs[0]), xs[0].Range().Start
	if len(xs) == 1 {
		return first
	}
	rest := c.boolTail(xs[1:], op)
	return func(fr *frame) (Value, error) {
		v, err := first(fr)
		if err != nil {
			return nil, err
		}
		t, err := fr.ev.truth(v)
		if err != nil {
			return nil, err
		}
		if u, ok := t.(*Unknown); ok {
			self := constant(v)
			if v, ok := v.(*Unknown); ok {
				self = constant(v.derive())
				if op == OpAnd { // what is false of the unknown is still unknown, but for the common use as a condition
					return fr.forkExpr(u, off, rest, constant(falseOf(v)))
				}
			}
			if op == OpAnd {
				return fr.forkExpr(u, off, rest, self)
			}
			return fr.forkExpr(u, off, self, rest)
		}
		if bool(t.(Bool)) == (op == OpOr) {
			return v, nil
		}
		return rest(fr)
	}
}

// falseOf gives an Unknown of which it is known that it is false. It keeps Empty, for that is what a value without rows
// would be.
func falseOf(u *Unknown) Value {
	f := *u
	f.Prefix = ""
	return &f
}

func (c *compiler) comparison(x *CompareExpr) expr {
	if len(x.Ops) == 1 {
		a, b, op, off := c.expr(x.X), c.expr(x.Ys[0]), x.Ops[0], x.Start
		return func(fr *frame) (Value, error) {
			l, err := a(fr)
			if err != nil {
				return nil, err
			}
			r, err := b(fr)
			if err != nil {
				return nil, err
			}
			if i, ok := l.(Int); ok {
				if j, ok := r.(Int); ok {
					switch op {
					case OpLt:
						return Bool(i < j), nil
					case OpGt:
						return Bool(i > j), nil
					case OpLtE:
						return Bool(i <= j), nil
					case OpGtE:
						return Bool(i >= j), nil
					case OpEq:
						return Bool(i == j), nil
					case OpNotEq:
						return Bool(i != j), nil
					}
				}
			}
			fr.at = off
			return fr.ev.compare(op, l, r)
		}
	}
	first, ys := c.expr(x.X), c.exprs(x.Ys)
	ops, off := x.Ops, x.Start
	var tail func(fr *frame, l Value, i int) (Value, error)
	tail = func(fr *frame, l Value, i int) (Value, error) {
		r, err := ys[i](fr)
		if err != nil {
			return nil, err
		}
		fr.at = off
		v, err := fr.ev.compare(ops[i], l, r)
		if err != nil || i == len(ys)-1 {
			return v, err
		}
		t, err := fr.ev.truth(v)
		if err != nil {
			return nil, err
		}
		if u, ok := t.(*Unknown); ok {
			return fr.forkExpr(u, off, func(fr *frame) (Value, error) { return tail(fr, r, i+1) }, constant(v))
		}
		if !t.(Bool) {
			return v, nil
		}
		return tail(fr, r, i+1)
	}
	return func(fr *frame) (Value, error) {
		l, err := first(fr)
		if err != nil {
			return nil, err
		}
		return tail(fr, l, 0)
	}
}

// splat compiles a list of expressions that may hold *x. The Unknown is set if such an x is not known; what is known
// before it is given.
func (c *compiler) splat(elts []Expr) func(fr *frame) ([]Value, *Unknown, error) {
	xs := make([]expr, len(elts))
	stars := make([]bool, len(elts))
	any := false
	for i, e := range elts {
		if s, ok := e.(*StarExpr); ok {
			xs[i], stars[i], any = c.expr(s.X), true, true
			continue
		}
		xs[i] = c.expr(e)
	}
	if !any {
		return func(fr *frame) ([]Value, *Unknown, error) {
			vs, err := evalAll(fr, xs)
			return vs, nil, err
		}
	}
	return func(fr *frame) ([]Value, *Unknown, error) {
		out := make([]Value, 0, len(xs))
		var unknown *Unknown
		for i, x := range xs {
			v, err := x(fr)
			if err != nil {
				return nil, nil, err
			}
			if !stars[i] {
				if unknown == nil {
					out = append(out, v)
				} else if !unknown.Acts && fr.ev.mayAct(v) {
					unknown = &Unknown{Pos: unknown.Pos, Why: unknown.Why, Data: unknown.Data, Acts: true}
				}
				continue
			}
			vs, u, err := fr.ev.list(v)
			if err != nil {
				return nil, nil, err
			}
			if unknown == nil {
				out = append(out, vs...)
			}
			if u != nil && unknown == nil {
				unknown = u.derive()
			}
			if len(out) > fr.ev.budget.Object {
				return nil, nil, fr.ev.abort("a container of %d items", len(out))
			}
		}
		return out, unknown, nil
	}
}

func (c *compiler) call(x *CallExpr, discard bool) expr {
	off := x.Start
	args := c.splat(x.Args)
	type kwx struct {
		name string
		x    expr
	}
	kws := make([]kwx, len(x.Keywords))
	for i := range x.Keywords {
		kws[i] = kwx{x.Keywords[i].Name, c.expr(x.Keywords[i].X)}
	}
	keywords := func(fr *frame, splat *Unknown) ([]Kwarg, *Unknown, error) {
		if len(kws) == 0 {
			return nil, splat, nil
		}
		out := make([]Kwarg, 0, len(kws))
		for _, k := range kws {
			v, err := k.x(fr)
			if err != nil {
				return nil, nil, err
			}
			if k.name != "" {
				out = append(out, Kwarg{k.name, v})
				continue
			}
			ks, u, err := fr.ev.kwargs(v)
			if err != nil {
				return nil, nil, err
			}
			if u != nil && splat == nil {
				splat = u
			}
			out = append(out, ks...)
		}
		return out, splat, nil
	}
	// A method call does not make a bound method where it can be avoided.
	if at, ok := x.Fn.(*AttrExpr); ok {
		obj, name, aoff := c.expr(at.X), at.Name, at.End-1
		return func(fr *frame) (Value, error) {
			o, err := obj(fr)
			if err != nil {
				return nil, err
			}
			fr.at = aoff
			fn, self, err := fr.ev.method(o, name)
			if err != nil {
				return nil, err
			}
			as, splat, err := args(fr)
			if err != nil {
				return nil, err
			}
			ks, splat, err := keywords(fr, splat)
			if err != nil {
				return nil, err
			}
			fr.at = off
			return fr.ev.invoke(fn, self, as, ks, splat, fr, off, name, discard)
		}
	}
	fn, name := c.expr(x.Fn), ""
	if n, ok := x.Fn.(*NameExpr); ok {
		name = n.Name
	}
	return func(fr *frame) (Value, error) {
		f, err := fn(fr)
		if err != nil {
			return nil, err
		}
		as, splat, err := args(fr)
		if err != nil {
			return nil, err
		}
		ks, splat, err := keywords(fr, splat)
		if err != nil {
			return nil, err
		}
		fr.at = off
		return fr.ev.invoke(f, nil, as, ks, splat, fr, off, name, discard)
	}
}

// invoke calls fn, with self as the first argument if it is not nil.
func (ev *Eval) invoke(fn, self Value, args []Value, kw []Kwarg, splat *Unknown, fr *frame, off int32, name string, discard bool) (Value, error) {
	if f, ok := fn.(*Func); ok && splat == nil {
		if self != nil {
			args = slices.Insert(args, 0, self)
		}
		return ev.callFunc(f, args, kw, nil)
	}
	if self != nil {
		if m, ok := fn.(*method); ok {
			if splat != nil {
				return splat.derive(), nil
			}
			return m.fn(ev, self, &Call{Args: args, Kw: kw, file: fr.file, off: off})
		}
		args = slices.Insert(args, 0, self)
	}
	call := &Call{Args: args, Kw: kw, Splat: splat, file: fr.file, off: off}
	if u, ok := fn.(*Unknown); ok {
		call.Callee = name
		return ev.callUnknown(u, call, discard)
	}
	return ev.call(fn, call)
}

// kwargs gives the keyword arguments that **v passes.
func (ev *Eval) kwargs(v Value) ([]Kwarg, *Unknown, error) {
	switch d := v.(type) {
	case *Unknown:
		return nil, d.derive(), nil
	case *Dict:
		out := make([]Kwarg, 0, d.live)
		for _, e := range d.entries {
			if e.key == nil {
				continue
			}
			k, ok := e.key.(Str)
			if !ok {
				return nil, nil, ev.Raisef("TypeError", "keywords must be strings")
			}
			out = append(out, Kwarg{string(k), e.val})
		}
		return out, d.taint, nil
	}
	d := NewDict()
	if err := ev.dictUpdate(d, v); err != nil {
		return nil, nil, err
	}
	return ev.kwargs(d)
}

func (c *compiler) fstring(x *FStringExpr) expr {
	type part struct {
		lit  string
		x    expr
		conv byte
		spec expr
	}
	parts := make([]part, len(x.Parts))
	for i, p := range x.Parts {
		switch p := p.(type) {
		case *StringLit:
			if p.Unresolved {
				parts[i].x = c.unknown(p, "the string has an escape \\N{…} of a character that is not known")
				continue
			}
			parts[i].lit = p.Value
		case *FormatExpr:
			parts[i].x = c.expr(p.X)
			parts[i].conv = p.Conversion
			if p.Spec != nil {
				parts[i].spec = c.fstring(p.Spec)
			}
		}
	}
	off := x.Start
	return func(fr *frame) (Value, error) {
		var b strings.Builder
		var unknown *Unknown
		var around hole
		ev := fr.ev
		for i := range parts {
			p := &parts[i]
			if p.x == nil {
				if unknown == nil {
					b.WriteString(p.lit)
				} else {
					around.after(p.lit)
				}
				continue
			}
			v, err := p.x(fr)
			if err != nil {
				return nil, err
			}
			fr.at = off
			var spec Value = Str("")
			if p.spec != nil {
				if spec, err = p.spec(fr); err != nil {
					return nil, err
				}
			}
			s, err := ev.convertFormat(v, p.conv, spec)
			if err != nil {
				return nil, err
			}
			if u, ok := s.(*Unknown); ok {
				around.piece(v, p.conv == 0 && spec == Value(Str("")))
				if unknown == nil {
					b.WriteString(u.Prefix)
					unknown = u
				}
				continue
			}
			if unknown == nil {
				b.WriteString(string(s.(Str)))
			} else {
				around.after(string(s.(Str)))
			}
			if b.Len() > ev.budget.Object {
				return nil, ev.abort("a string of %d bytes", b.Len())
			}
		}
		if unknown != nil {
			return around.in(unknown.withPrefix(b.String())), nil
		}
		return Str(b.String()), ev.alloc(b.Len())
	}
}

// A hole collects what is known of a text of which one whole piece is not.
type hole struct {
	unknown *Unknown
	pieces  int
	suffix  strings.Builder
}

// maxSuffix bounds what is kept of a text after its hole.
const maxSuffix = 1 << 16

// piece says that v stands in the text and is not known. plain says that its text is used as it is.
func (h *hole) piece(v Value, plain bool) {
	h.pieces++
	if u, ok := v.(*Unknown); ok && plain && u.Prefix == "" {
		h.unknown = u
	} else {
		h.pieces = 2
	}
}

// after says that the text goes on with s.
func (h *hole) after(s string) {
	if h.pieces == 1 && h.suffix.Len() <= maxSuffix {
		h.suffix.WriteString(s)
	}
}

// in puts the hole into the Unknown for the text, if there is just one.
func (h *hole) in(u *Unknown) *Unknown {
	if h.pieces == 1 && h.suffix.Len() <= maxSuffix {
		u.Hole, u.Suffix = h.unknown, h.suffix.String()
	}
	return u
}

// withPrefix gives the Unknown for a string that begins with text and goes on with what u stands for.
func (u *Unknown) withPrefix(text string) *Unknown {
	return &Unknown{Pos: u.Pos, Why: u.Why, Data: u.Data, Prefix: text}
}

// comprehension compiles a list, set or dict comprehension in the frame of its surroundings, or a generator expression.
// discard says that its value is not used: it is a loop.
func (c *compiler) comprehension(x *CompExpr, discard bool) expr {
	first := c.expr(x.Fors[0].Iter)
	off := x.Start
	if x.Kind == GeneratorComp {
		co := c.inner(x, "<genexpr>", nil)
		co.comp = x
		co.isComp = true
		closure := c.closureOf(co)
		return func(fr *frame) (Value, error) {
			v, err := first(fr)
			if err != nil {
				return nil, err
			}
			fr.at = off
			it, err := fr.ev.iter(v)
			if err != nil {
				return nil, err
			}
			f := &Func{code: co, free: closure(fr), globals: fr.globals}
			if fr.fn != nil {
				f.class = fr.fn.class
			}
			return fr.ev.newGenExpr(f, it, fr)
		}
	}
	sym := c.sym.byNode[x]
	sc := newScope(sym, c.sc)
	in := &compiler{file: c.file, sc: sc, sym: sym, code: c.code, qual: c.qual}
	in.sym.byNode = c.sym.byNode
	var cells []int
	for n := range sc.cells {
		cells = append(cells, sc.slots[n])
	}
	var slots []int
	for _, s := range sc.slots {
		slots = append(slots, s)
	}
	key := in.expr(x.X)
	if call, ok := x.X.(*CallExpr); ok && discard {
		key = in.call(call, true)
	}
	var val expr
	if x.Y != nil {
		val = in.expr(x.Y)
	}
	type result struct {
		list *List
		set  *Set
		dict *Dict
	}
	add := func(fr *frame, r *result) error {
		k, err := key(fr)
		if err != nil {
			return err
		}
		switch x.Kind {
		case ListComp:
			if len(r.list.Items) >= fr.ev.budget.Object {
				return fr.ev.abort("a container of %d items", len(r.list.Items))
			}
			if r.list.epoch != fr.ev.epoch {
				fr.ev.Touch(r.list)
			}
			r.list.Items = append(r.list.Items, k)
			return fr.ev.alloc(16)
		case SetComp:
			return r.set.Add(fr.ev, k)
		}
		v, err := val(fr)
		if err != nil {
			return err
		}
		return r.dict.Store(fr.ev, k, v)
	}
	taint := func(fr *frame, r *result, u *Unknown, acts bool) {
		switch x.Kind {
		case ListComp:
			r.list.taint = taintOf(u, r.list.taint, acts)
		case SetComp:
			r.set.taint = taintOf(u, r.set.taint, acts)
		default:
			r.dict.taint = taintOf(u, r.dict.taint, acts)
		}
	}
	loop := in.compLoop(x.Fors, 0)
	return func(fr *frame) (Value, error) {
		v, err := first(fr)
		if err != nil {
			return nil, err
		}
		fr.at = off
		if fr.epoch != fr.ev.epoch {
			fr.ev.Touch(fr)
		}
		for _, i := range cells {
			fr.locals[i] = &cell{epoch: fr.ev.epoch}
		}
		var r result
		var out Value
		switch x.Kind {
		case ListComp:
			r.list = &List{epoch: fr.ev.epoch}
			out = r.list
		case SetComp:
			r.set = &Set{table: table{epoch: fr.ev.epoch}}
			out = r.set
		default:
			r.dict = &Dict{table: table{epoch: fr.ev.epoch}}
			out = r.dict
		}
		err = loop(fr, v, func(fr *frame) error { return add(fr, &r) }, func(u *Unknown, acts bool) { taint(fr, &r, u, acts) })
		if fr.epoch != fr.ev.epoch {
			fr.ev.Touch(fr)
		}
		for _, s := range slots {
			fr.locals[s] = nil
		}
		if err != nil {
			return nil, err
		}
		return out, nil
	}
}

type compRun func(fr *frame, v Value, add func(fr *frame) error, taint func(u *Unknown, acts bool)) error

// compLoop compiles the loops of a comprehension from the i-th on.
func (c *compiler) compLoop(fors []CompFor, i int) compRun {
	target := c.target(fors[i].Target)
	ifs := c.exprs(fors[i].Ifs)
	off := fors[i].Iter.Range().Start
	var next compRun
	var iterable expr
	if i+1 < len(fors) {
		iterable = c.expr(fors[i+1].Iter)
		next = c.compLoop(fors, i+1)
	}
	return func(fr *frame, v Value, add func(fr *frame) error, taint func(u *Unknown, acts bool)) error {
		ev := fr.ev
		it, err := ev.iter(v)
		if err != nil {
			return err
		}
		one := func(fr *frame, x Value) error {
			if err := target(fr, x); err != nil {
				return err
			}
			var unknown *Unknown
			for _, f := range ifs {
				r, err := f(fr)
				if err != nil {
					return err
				}
				t, err := ev.truth(r)
				if err != nil {
					return err
				}
				if u, ok := t.(*Unknown); ok {
					if unknown == nil {
						unknown = u
					}
					continue
				}
				if !t.(Bool) {
					return nil
				}
			}
			body := add
			if next != nil {
				body = func(fr *frame) error {
					v, err := iterable(fr)
					if err != nil {
						return err
					}
					return next(fr, v, add, taint)
				}
			}
			if unknown == nil {
				return body(fr)
			}
			// Whether the element is there is not known: it is tried for its effects, and the result is not known.
			taint(unknown, ev.mayAct(x))
			_, err := fr.forkExpr(unknown, off, func(fr *frame) (Value, error) { return None, body(fr) }, constant(None))
			return err
		}
		for {
			if err := ev.step(); err != nil {
				return err
			}
			x, ok, err := it.next(ev)
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			if err := one(fr, x); err != nil {
				return err
			}
		}
		if u := it.taint(); u != nil {
			e := elementOf(u)
			taint(u, u.Acts)
			r := fr.loopUnknown(u, off, func(fr *frame) ctl {
				if err := one(fr, e); err != nil {
					return fr.fail(err)
				}
				return ctlNext
			})
			if r == ctlRaise {
				return fr.err
			}
		}
		return nil
	}
}

// generatorBody compiles a generator expression; its first iterator is in the frame's generator.
func (c *compiler) generatorBody(x *CompExpr) stmt {
	key := c.expr(x.X)
	loop := c.compLoop(x.Fors, 0)
	return func(fr *frame) ctl {
		err := loop(fr, fr.gen.source, func(fr *frame) error {
			v, err := key(fr)
			if err != nil {
				return err
			}
			_, err = fr.gen.yield(fr, v)
			return err
		}, func(u *Unknown, acts bool) {
			fr.gen.unknown = taintOf(u, fr.gen.unknown, acts)
		})
		if err != nil {
			return fr.fail(err)
		}
		fr.ret = None
		return ctlReturn
	}
}

func (c *compiler) yield(x *YieldExpr) expr {
	v := constant(None)
	if x.X != nil {
		v = c.expr(x.X)
	}
	if !x.From {
		return func(fr *frame) (Value, error) {
			r, err := v(fr)
			if err != nil {
				return nil, err
			}
			if fr.gen == nil {
				return nil, fr.ev.Raisef("SyntaxError", "'yield' outside function")
			}
			return fr.gen.yield(fr, r)
		}
	}
	return func(fr *frame) (Value, error) {
		r, err := v(fr)
		if err != nil {
			return nil, err
		}
		if fr.gen == nil {
			return nil, fr.ev.Raisef("SyntaxError", "'yield' outside function")
		}
		it, err := fr.ev.iter(r)
		if err != nil {
			return nil, err
		}
		for {
			if err := fr.ev.step(); err != nil {
				return nil, err
			}
			x, ok, err := it.next(fr.ev)
			if err != nil {
				return nil, err
			}
			if !ok {
				break
			}
			sent, err := fr.gen.yield(fr, x)
			inner, isGen := r.(*Generator)
			if err != nil {
				if !isGen || isGiveUp(err) {
					return nil, err
				}
				inner.thrown = err
			} else if isGen && sent != None {
				inner.sent = sent
			}
		}
		if u := it.taint(); u != nil {
			fr.gen.unknown = taintOf(u, fr.gen.unknown, u.Acts)
			return u.derive(), nil
		}
		if g, ok := r.(*Generator); ok && g.result != nil {
			return g.result, nil
		}
		return None, nil
	}
}
