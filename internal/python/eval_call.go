package python

import (
	"iter"
	"slices"
)

// A Func is a function of Python.
type Func struct {
	code     *code
	defaults []Value // by parameter; nil where there is none
	free     []*cell
	globals  *Module
	class    *cell // the class in whose body it stands
	attrs    *Namespace
}

// TypeName implements Value.
func (*Func) TypeName() string { return "function" }

// Name is the function's name.
func (f *Func) Name() string { return f.code.name }

// Pos is where the function is defined.
func (f *Func) Pos() Pos { return f.code.file.Pos(f.code.node) }

// method is a method of a built-in type, found by name; it gets its self apart.
type method struct {
	name string
	fn   methodFn
}

type methodFn func(ev *Eval, self Value, call *Call) (Value, error)

// TypeName implements Value.
func (*method) TypeName() string { return "method_descriptor" }

// step counts one unit of work.
func (ev *Eval) step() error {
	ev.steps++
	if ev.steps >= ev.budget.Steps {
		return ev.abort("%d steps", ev.budget.Steps)
	}
	if ev.steps&0xffff == 0 && ev.cfg.Context != nil && ev.cfg.Context.Err() != nil {
		return ev.abort("the time given")
	}
	return nil
}

// work counts n units of work.
func (ev *Eval) work(n int) error {
	ev.steps += n
	if ev.steps >= ev.budget.Steps {
		return ev.abort("%d steps", ev.budget.Steps)
	}
	return nil
}

// alloc counts bytes.
func (ev *Eval) alloc(n int) error {
	ev.bytes += n
	if ev.bytes > ev.budget.Bytes {
		return ev.abort("%d bytes", ev.budget.Bytes)
	}
	return nil
}

// enter begins a call.
func (ev *Eval) enter(co *code) error {
	if ev.depth >= ev.budget.Depth {
		return ev.abort("%d calls within calls", ev.budget.Depth)
	}
	ev.depth++
	return ev.step()
}

func (ev *Eval) leave(co *code) { ev.depth-- }

// callFunc calls a function of Python. splat stands for further arguments that are not known.
func (ev *Eval) callFunc(f *Func, args []Value, kw []Kwarg, splat *Unknown) (Value, error) {
	co := f.code.compiled()
	fr := &frame{ev: ev, code: co, file: co.file, free: f.free, globals: f.globals, fn: f, epoch: ev.epoch, back: ev.fr}
	fr.locals = make([]Value, co.nslots)
	if co.plain == len(args) && len(kw) == 0 && splat == nil {
		for i, v := range args {
			fr.locals[co.slots[i].slot] = v
		}
	} else if err := ev.bind(f, fr, args, kw, splat); err != nil {
		return nil, err
	}
	for _, i := range co.cells {
		fr.locals[i] = &cell{v: fr.locals[i], epoch: ev.epoch}
	}
	for i, t := range co.tuples {
		if t != nil {
			if err := t(fr, fr.locals[co.slots[i].slot]); err != nil {
				return nil, err
			}
		}
	}
	if co.gen {
		return ev.newGenerator(fr), nil
	}
	if err := ev.enter(co); err != nil {
		return nil, err
	}
	back := ev.fr
	ev.fr = fr
	base := len(ev.pending)
	r := co.body(fr)
	if len(ev.pending) > base {
		r = ev.settle(fr, base, ctlReturn, r)
	}
	ev.fr = back
	ev.leave(co)
	switch r {
	case ctlReturn:
		return fr.ret, nil
	case ctlRaise:
		return nil, fr.err
	}
	return None, nil
}

// bind gives arguments to parameters.
func (ev *Eval) bind(f *Func, fr *frame, args []Value, kw []Kwarg, splat *Unknown) error {
	co := f.code
	ps := co.params
	positional, star, starKw := 0, -1, -1
	for i := range ps {
		switch ps[i].Kind {
		case PosOnlyParam, PlainParam:
			positional++
		case VarParam:
			star = i
		case KwVarParam:
			starKw = i
		}
	}
	n := min(len(args), positional)
	for i := 0; i < n; i++ {
		fr.locals[co.slots[i].slot] = args[i]
	}
	if star >= 0 && ps[star].Name != "" {
		rest := slices.Clone(args[n:])
		var v Value = &Tuple{Items: rest}
		if splat != nil {
			v = splat.derive()
		}
		fr.locals[co.slots[star].slot] = v
	} else if len(args) > n {
		return ev.Raisef("TypeError", "%s() takes %d positional argument%s but %d %s given", co.qual, positional, plural(positional), len(args), wasWere(len(args)))
	}
	var extra *Dict
	if starKw >= 0 {
		extra = &Dict{table: table{epoch: ev.epoch, taint: splat}}
		fr.locals[co.slots[starKw].slot] = extra
	}
next:
	for _, k := range kw {
		for i := range ps {
			if ps[i].Name == k.Name && (ps[i].Kind == PlainParam || ps[i].Kind == KwOnlyParam) {
				if fr.locals[co.slots[i].slot] != nil {
					return ev.Raisef("TypeError", "%s() got multiple values for argument '%s'", co.qual, k.Name)
				}
				fr.locals[co.slots[i].slot] = k.Value
				continue next
			}
		}
		if extra == nil {
			return ev.Raisef("TypeError", "%s() got an unexpected keyword argument '%s'", co.qual, k.Name)
		}
		if _, ok := extra.Load(k.Name); ok {
			return ev.Raisef("TypeError", "%s() got multiple values for keyword argument '%s'", co.qual, k.Name)
		}
		if err := extra.Store(ev, Str(k.Name), k.Value); err != nil {
			return err
		}
	}
	var missing []string
	kwOnly := false
	for i := range ps {
		if ps[i].Kind == VarParam || ps[i].Kind == KwVarParam || fr.locals[co.slots[i].slot] != nil {
			continue
		}
		switch {
		case splat != nil:
			fr.locals[co.slots[i].slot] = splat.derive()
		case f.defaults != nil && f.defaults[i] != nil:
			fr.locals[co.slots[i].slot] = f.defaults[i]
		default:
			kwOnly = ps[i].Kind == KwOnlyParam
			missing = append(missing, "'"+ps[i].Name+"'")
		}
	}
	if missing != nil {
		kind := "positional"
		if kwOnly {
			kind = "keyword-only"
		}
		return ev.Raisef("TypeError", "%s() missing %d required %s argument%s: %s", co.qual, len(missing), kind, plural(len(missing)), andList(missing))
	}
	return nil
}

func andList(names []string) string {
	switch len(names) {
	case 1:
		return names[0]
	case 2:
		return names[0] + " and " + names[1]
	}
	out := ""
	for i, n := range names {
		if i == len(names)-1 {
			out += "and "
		}
		out += n
		if i < len(names)-1 {
			out += ", "
		}
	}
	return out
}

// call calls a value.
func (ev *Eval) call(fn Value, call *Call) (Value, error) {
	switch f := fn.(type) {
	case *Func:
		return ev.callFunc(f, call.Args, call.Kw, call.Splat)
	case *Native:
		if call.Splat != nil {
			if !f.Pure {
				ev.Gap(Gap{Pos: call.Pos(), What: "call of " + f.Name + " with arguments that are not known", Why: call.Splat.Why})
			}
			return call.Splat.derive(), nil
		}
		if err := ev.step(); err != nil {
			return nil, err
		}
		return f.Fn(ev, call)
	case *BoundMethod:
		if m, ok := f.Fn.(*method); ok {
			if call.Splat != nil {
				return call.Splat.derive(), nil
			}
			return m.fn(ev, f.Self, call)
		}
		return ev.call(f.Fn, call.unshift(f.Self))
	case *method:
		if len(call.Args) == 0 {
			return nil, ev.Raisef("TypeError", "unbound method needs an argument")
		}
		return f.fn(ev, unbase(call.Args[0]), call.shift())
	case *Class:
		return ev.instantiate(f, call)
	case *Unknown:
		return ev.callUnknown(f, call, false)
	case *staticMethod:
		return ev.call(f.fn, call)
	case Caller:
		if call.Splat != nil {
			if p, ok := fn.(interface{ Pure() bool }); ok && p.Pure() {
				return call.Splat.derive(), nil
			}
			ev.Gap(Gap{Pos: call.Pos(), What: "call of " + fn.TypeName() + " with arguments that are not known", Why: call.Splat.Why})
			return call.Splat.derive(), nil
		}
		if o, ok := fn.(objecter); ok && o.object().Cls != nil {
			if m, k, ok := o.object().Cls.find("__call__"); ok && k.python {
				return ev.call(m, call.unshift(fn))
			}
		}
		if err := ev.step(); err != nil {
			return nil, err
		}
		return f.Call(ev, call)
	}
	if c := ClassOf(fn); c != nil {
		if m, ok := c.Lookup("__call__"); ok {
			if err := ev.step(); err != nil {
				return nil, err
			}
			return ev.call(m, call.unshift(fn))
		}
		if u := c.isPartial(); u != nil {
			return ev.callUnknown(&Unknown{Pos: u.Pos, Why: u.Why, Acts: true}, call, false)
		}
	}
	return nil, ev.Raisef("TypeError", "'%s' object is not callable", fn.TypeName())
}

// callUnknown applies the rule of escape: code that cannot be read must not get a handle.
func (ev *Eval) callUnknown(u *Unknown, call *Call, discard bool) (Value, error) {
	if err := ev.step(); err != nil {
		return nil, err
	}
	ev.unknowns++
	ev.lastUnknown = u
	if u.Acts {
		ev.Gap(Gap{Pos: call.Pos(), What: "call of code that may change the schema", Why: u.Why})
		return &Unknown{Pos: u.Pos, Why: u.Why, Data: u.Data, Acts: true}, nil
	}
	for _, a := range call.Args {
		ev.escape(a, u, call)
	}
	for _, k := range call.Kw {
		ev.escape(k.Value, u, call)
	}
	if call.Splat != nil && call.Splat.Acts {
		ev.escape(call.Splat, u, call)
	}
	if ev.cfg.UnknownCall != nil {
		ev.cfg.UnknownCall(ev, u, call, discard)
	}
	return u.derive(), nil
}

// escape reports a handle that reaches unknown code, and marks what that code may change.
func (ev *Eval) escape(v Value, u *Unknown, call *Call) {
	r := &reacher{ev: ev, seen: map[any]bool{}}
	if name := r.reach(v, 0); name != "" {
		ev.Gap(Gap{Pos: call.Pos(), What: name + " is passed to code that cannot be read", Why: u.Why, Value: v})
	}
	// A container that is passed may be changed.
	switch v := v.(type) {
	case *List:
		ev.Touch(v)
		v.taint = taintOf(u, v.taint, ev.mayAct(v))
		v.Items = nil
	case *Dict:
		ev.Touch(v)
		v.taint = taintOf(u, v.taint, ev.mayAct(v))
		v.clear()
	case *Set:
		ev.Touch(v)
		v.taint = taintOf(u, v.taint, false)
		v.clear()
	}
}

// reacher looks for handles that code could reach from a value.
type reacher struct {
	ev    *Eval
	seen  map[any]bool
	count int
}

// reach gives the name of a handle that is reachable from v, or "".
func (r *reacher) reach(v Value, depth int) string {
	switch v.(type) {
	case nil, Int, Str, Bool, Float, NoneType, Bytes, *BigInt, *Range:
		return ""
	}
	if depth > 40 || r.count > 5000 {
		return "something that is too large to look through"
	}
	if u, ok := v.(*Unknown); ok {
		if u.Acts {
			return "something that may be a handle"
		}
		return ""
	}
	r.count++
	if r.seen[v] {
		return ""
	}
	r.seen[v] = true
	if h, ok := v.(HandleHolder); ok && h.Handle() {
		if n, ok := v.(*Native); ok {
			return n.Name
		}
		return v.TypeName()
	}
	all := func(vs ...Value) string {
		for _, x := range vs {
			if s := r.reach(x, depth+1); s != "" {
				return s
			}
		}
		return ""
	}
	switch v := v.(type) {
	case *List:
		if v.taint != nil && v.taint.Acts {
			return "something that may be a handle"
		}
		return all(v.Items...)
	case *Tuple:
		return all(v.Items...)
	case *Dict:
		if v.taint != nil && v.taint.Acts {
			return "something that may be a handle"
		}
		for _, e := range v.entries {
			if e.key != nil {
				if s := all(e.key, e.val); s != "" {
					return s
				}
			}
		}
	case *Set:
		return all(v.keys()...)
	case *BoundMethod:
		return all(v.Self, v.Fn)
	case *staticMethod:
		return all(v.fn)
	case *classMethod:
		return all(v.fn)
	case *Property:
		return all(v.Fget, v.Fset)
	case *Func:
		for _, c := range v.free {
			if s := all(c.v); s != "" {
				return s
			}
		}
		if s := all(v.defaults...); s != "" {
			return s
		}
		for _, n := range namesOf(v.code) {
			if x, ok := v.globals.Attrs.Load(n); ok {
				if s := all(x); s != "" {
					return s
				}
			}
		}
	case *Generator:
		return all(v.fn)
	case *Instance:
		if s := all(v.Attrs.vals...); s != "" {
			return s
		}
		return all(v.Cls)
	case *Class:
		if v.python {
			for _, k := range v.MRO() {
				if k.python {
					if s := all(k.Attrs.vals...); s != "" {
						return s
					}
				}
			}
		}
	case *Module:
		if v.File == nil {
			// A native module: what it gives is a handle or not by itself.
			for i, x := range v.Attrs.vals {
				if h, ok := x.(HandleHolder); ok && h.Handle() {
					return v.Name + "." + v.Attrs.names[i]
				}
			}
			return ""
		}
		return all(v.Attrs.vals...)
	case objecter:
		return all(v.object().Attrs.vals...)
	}
	return ""
}

// namesOf gives the names that a function and those within it use from outside.
func namesOf(co *code) []string {
	var out []string
	var walk func(s *symbols)
	walk = func(s *symbols) {
		for n := range s.used {
			out = append(out, n)
		}
		for _, in := range s.inner {
			walk(in)
		}
	}
	walk(co.sym)
	slices.Sort(out)
	return slices.Compact(out)
}

// mayAct tells whether using a value could have effects: it is not plain data.
func (ev *Eval) mayAct(v Value) bool {
	r := &reacher{ev: ev, seen: map[any]bool{}}
	return r.reach(v, 0) != ""
}

// A Generator is a suspended generator, or another iterator of the evaluator.
type Generator struct {
	ev      *Eval
	fr      *frame
	fn      *Func
	source  Value // of a generator expression: its first iterator
	pull    func() (Value, bool)
	stop    func()
	yieldFn func(Value) bool
	sent    Value
	thrown  error
	result  Value
	err     error
	unknown *Unknown
	started bool
	running bool
	done    bool
	count   int
	epoch   uint32
}

// TypeName implements Value.
func (*Generator) TypeName() string { return "generator" }

func (ev *Eval) newGenerator(fr *frame) *Generator {
	g := &Generator{ev: ev, fr: fr, fn: fr.fn, epoch: ev.epoch}
	fr.gen = g
	return g
}

// newGenExpr makes the generator of a generator expression.
func (ev *Eval) newGenExpr(f *Func, it iterator, from *frame) (Value, error) {
	co := f.code.compiled()
	fr := &frame{ev: ev, code: co, file: co.file, free: f.free, globals: f.globals, fn: f, epoch: ev.epoch, ns: from.ns}
	fr.locals = make([]Value, co.nslots)
	for _, i := range co.cells {
		fr.locals[i] = &cell{epoch: ev.epoch}
	}
	g := ev.newGenerator(fr)
	g.source = &iterValue{it: it}
	return g, nil
}

// Save implements Mutable.
func (g *Generator) Save() any { return g.count }

// Restore implements Mutable. A generator cannot be wound back: if it has moved on, what it yields is not known.
func (g *Generator) Restore(state any) {
	if g.count != state.(int) && !g.done || g.count != state.(int) {
		g.unknown = &Unknown{Pos: g.fr.file.PosAt(int(g.fr.at)), Why: "a generator was advanced under a condition that is not known", Acts: true}
		g.done = true
	}
}

// Merge implements Merger.
func (g *Generator) Merge(ev *Eval, before, a, b any, why *Unknown) {}

func (g *Generator) setEpoch(e uint32) { g.epoch = e }

func (g *Generator) close() {
	if g.stop != nil {
		g.done = true
		g.ev.steps = g.ev.budget.Steps // nothing runs on
		g.stop()
	}
}

// yield hands a value to whoever iterates, and gives what is sent back.
func (g *Generator) yield(fr *frame, v Value) (Value, error) {
	if !g.running {
		return nil, g.ev.Raisef("RuntimeError", "generator is not running")
	}
	back := g.ev.fr
	if !g.yieldFn(v) {
		return nil, &giveUp{text: "the end of the program"}
	}
	_ = back
	if err := g.thrown; err != nil {
		g.thrown = nil
		return nil, err
	}
	s := g.sent
	g.sent = nil
	if s == nil {
		s = None
	}
	return s, nil
}

// next implements iterator.
func (g *Generator) next(ev *Eval) (Value, bool, error) {
	if g.done {
		return nil, false, nil
	}
	if g.running {
		return nil, false, ev.Raisef("ValueError", "generator already executing")
	}
	if g.epoch != ev.epoch {
		ev.Touch(g)
	}
	if ev.depth >= ev.budget.Depth {
		return nil, false, ev.abort("%d calls within calls", ev.budget.Depth)
	}
	if !g.started {
		g.started = true
		if g.thrown != nil {
			err := g.thrown
			g.done = true
			return nil, false, err
		}
		if len(ev.generators) > 10000 {
			return nil, false, ev.abort("%d generators", len(ev.generators))
		}
		g.pull, g.stop = iter.Pull(func(yield func(Value) bool) {
			g.yieldFn = yield
			r := g.fr.code.body(g.fr)
			switch r {
			case ctlReturn:
				g.result = g.fr.ret
			case ctlRaise:
				g.err = g.fr.err
			}
		})
		ev.generators = append(ev.generators, g)
	}
	back, tries := ev.fr, ev.tries
	g.fr.back = back
	ev.fr = g.fr
	ev.depth++
	g.running = true
	g.count++
	v, ok := g.pull()
	g.running = false
	ev.depth--
	ev.fr = back
	ev.tries = tries
	if ok {
		return v, true, nil
	}
	g.done = true
	g.stop = nil
	if g.err != nil {
		err := g.err
		g.err = nil
		if r, ok := err.(*Raise); ok && r.Exc.Cls == exceptionClass("StopIteration") {
			return nil, false, ev.Raisef("RuntimeError", "generator raised StopIteration")
		}
		return nil, false, err
	}
	return nil, false, nil
}

func (g *Generator) taint() *Unknown { return g.unknown }

// stopGenerator ends a generator whose next yield depends on something that is not known.
func (fr *frame) stopGenerator(u *Unknown) ctl {
	fr.gen.unknown = taintOf(u, fr.gen.unknown, true)
	fr.ret = None
	return ctlReturn
}
