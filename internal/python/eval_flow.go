package python

// handler is a compiled except clause.
type handler struct {
	typ    expr // nil: everything
	store  assign
	target assign
	unbind func(fr *frame) error
	body   stmt
	off    int32
	// second gives what stands behind the comma of "except A, b", nil if it is not bound. It is set where Python 3.14 may
	// be meant, which catches both, and not Python 2, which binds the exception to b.
	second func(fr *frame) Value
}

// secondType compiles the name behind the comma of "except A, b" as a class to be caught.
func (c *compiler) secondType(h *Handler) func(fr *frame) Value {
	load := c.expr(&NameExpr{Span: h.Span, Name: h.Name})
	return func(fr *frame) Value {
		v, err := load(fr)
		if err != nil {
			// The handler makes it a local variable of Python 2; Python 3.14 would read the global one.
			v, _ = fr.globals.Attrs.Load(h.Name)
		}
		if x, ok := v.(*Instance); ok && x.Cls.Derives(exceptionClass("BaseException")) {
			return nil // Python 2 has bound it before, in another handler
		}
		return v
	}
}

func (c *compiler) try(s *TryStmt) stmt {
	body := c.block(s.Body)
	var els, finally stmt
	if len(s.Else) > 0 {
		els = c.block(s.Else)
	}
	if len(s.Finally) > 0 {
		finally = c.block(s.Finally)
	}
	var hs []handler
	for i := range s.Handlers {
		h := &s.Handlers[i]
		out := handler{off: h.Start, body: c.block(h.Body)}
		if h.Type != nil {
			out.typ = c.expr(h.Type)
			out.off = h.Type.Range().Start
		}
		if h.Name != "" {
			out.store = c.store(h.Name)
		}
		if h.Comma && h.Name != "" && !c.file.Python2 {
			out.second = c.secondType(h)
		}
		if h.Name != "" && !h.Comma && !c.file.Python2 {
			out.unbind = c.del(&NameExpr{Span: h.Span, Name: h.Name})
		}
		if h.Target != nil {
			out.target = c.target(h.Target)
		}
		hs = append(hs, out)
	}
	yields := c.code.gen && hasYield([]Stmt{s})
	return func(fr *frame) ctl {
		ev := fr.ev
		base := len(ev.pending)
		calls := ev.unknowns
		ev.tries++
		r := body(fr)
		ev.tries--
		if isGiveUp(fr.err) && r == ctlRaise {
			return r
		}
		endBody := len(ev.pending)
		if finally != nil {
			ev.tries++
		}
		switch {
		case r == ctlRaise:
			r = fr.handle(hs, 0)
		case len(hs) > 0 && ev.unknowns > calls && !yields:
			// Code that cannot be read was called. It is taken not to raise, unless something hangs on that.
			r = fr.handleUnknown(hs, ev.lastUnknown, r, els)
		case els != nil && r == ctlNext:
			r = els(fr)
		}
		if len(hs) > 0 && endBody > base {
			r = fr.handlePending(hs, base, endBody, r)
		}
		if finally != nil {
			ev.tries--
		}
		if finally == nil || r == ctlRaise && isGiveUp(fr.err) {
			return r
		}
		run := func(o outcome) outcome {
			f := finally(fr)
			if f == ctlNext {
				return o
			}
			return outcome{f, fr.ret, fr.err}
		}
		if end := len(ev.pending); end > base {
			ev.onPending(fr, base, end, run)
		}
		o := run(outcome{r, fr.ret, fr.err})
		fr.ret, fr.err = o.val, o.err
		return o.ctl
	}
}

// handle gives the exception in fr.err to the handlers from the i-th on.
func (fr *frame) handle(hs []handler, i int) ctl {
	ev := fr.ev
	r, ok := fr.err.(*Raise)
	if !ok {
		return ctlRaise
	}
	for ; i < len(hs); i++ {
		h := &hs[i]
		match := Value(Bool(true))
		if h.typ != nil {
			t, err := h.typ(fr)
			if err != nil {
				return fr.fail(err)
			}
			fr.at = h.off
			match = ev.matches(r, t)
		}
		if h.second != nil && match == Bool(false) {
			if v := h.second(fr); v != nil && ev.matches(r, v) != Bool(false) {
				u := fr.twoMeanings(h)
				ev.Gap(Gap{Pos: u.Pos, What: "an except clause that may not catch " + r.Exc.Cls.Name, Why: u.Why})
				match = u
			}
		}
		if u, ok := match.(*Unknown); ok {
			next := i + 1
			return fr.fork(u, h.off, func(fr *frame) ctl { return fr.runHandler(h, r) }, func(fr *frame) ctl {
				fr.err = r
				return fr.handle(hs, next)
			})
		}
		if match.(Bool) {
			return fr.runHandler(h, r)
		}
	}
	fr.err = r
	return ctlRaise
}

func (fr *frame) twoMeanings(h *handler) *Unknown {
	return &Unknown{Pos: fr.file.PosAt(int(h.off)), Why: "Python 2 and Python 3 mean different things by except A, b", Acts: true}
}

// matches tells whether an except clause with the value t catches r.
func (ev *Eval) matches(r *Raise, t Value) Value {
	switch t := t.(type) {
	case *Class:
		if r.Unknown != nil && t != exceptionClass("Exception") && t != exceptionClass("BaseException") {
			return r.Unknown
		}
		if r.Exc.Cls.Derives(t) {
			return Bool(true)
		}
		if r.Exc.Cls.isPartial() != nil && t.IsPython() {
			return Bool(false)
		}
		if u := r.Exc.Cls.isPartial(); u != nil {
			return u
		}
		return Bool(false)
	case *Tuple:
		out := Value(Bool(false))
		for _, x := range t.Items {
			m := ev.matches(r, x)
			if m == Bool(true) {
				return m
			}
			if _, ok := m.(*Unknown); ok {
				out = m
			}
		}
		return out
	case *Unknown:
		return t
	}
	return Bool(false)
}

func (c *Class) isPartial() *Unknown {
	for _, k := range c.MRO() {
		if k.partial != nil {
			return k.partial
		}
	}
	return nil
}

func (fr *frame) runHandler(h *handler, r *Raise) ctl {
	ev := fr.ev
	if h.store != nil {
		v := Value(r.Exc)
		if h.second != nil && h.second(fr) != nil {
			v = fr.twoMeanings(h)
		}
		if err := h.store(fr, v); err != nil {
			return fr.fail(err)
		}
	}
	if h.target != nil {
		args, _ := r.Exc.Attrs.Load("args")
		if args == nil {
			args = &Tuple{}
		}
		if err := h.target(fr, args); err != nil {
			return fr.fail(err)
		}
	}
	n := len(ev.excs)
	ev.excs = append(ev.excs, r.Exc)
	fr.err = nil
	out := h.body(fr)
	ev.excs = ev.excs[:n]
	if h.unbind != nil && !isGiveUp(fr.err) {
		ret, err := fr.ret, fr.err
		h.unbind(fr) // the name may be gone already
		fr.ret, fr.err = ret, err
	}
	return out
}

// handleUnknown tries the handlers, each by itself, after a body in which code was called that cannot be read, and which ended
// with r. If none is needed the else clause follows.
func (fr *frame) handleUnknown(hs []handler, u *Unknown, r ctl, els stmt) ctl {
	if len(hs) == 0 {
		if els != nil && r == ctlNext {
			return els(fr)
		}
		return r
	}
	h := &hs[0]
	ret, err := fr.ret, fr.err
	body := func(fr *frame) ctl {
		exc := NewInstance(exceptionClass("Exception"))
		exc.Attrs.store("args", &Tuple{Items: []Value{u}})
		if h.typ != nil {
			if t, err := h.typ(fr); err == nil {
				if cls, ok := t.(*Class); ok && cls.Derives(exceptionClass("BaseException")) {
					exc.Cls = cls
				}
			}
		}
		return fr.runHandler(h, &Raise{Exc: exc, Pos: fr.ev.Pos(), Unknown: u})
	}
	return fr.fork(u, h.off, body, func(fr *frame) ctl {
		fr.ret, fr.err = ret, err
		return fr.handleUnknown(hs[1:], u, r, els)
	})
}

// handlePending gives the exceptions that may have been raised in the body of a try statement to its handlers.
func (fr *frame) handlePending(hs []handler, base, end int, r ctl) ctl {
	ev := fr.ev
	for i := end - 1; i >= base; i-- {
		if i >= len(ev.pending) {
			continue
		}
		p := ev.pending[i]
		if p.out.ctl != ctlRaise {
			continue
		}
		cur := outcome{r, fr.ret, fr.err}
		ev.onPending(fr, i, i+1, func(o outcome) outcome {
			fr.err = o.err
			c := fr.handle(hs, 0)
			return outcome{c, fr.ret, fr.err}
		})
		if i >= len(ev.pending) {
			continue
		}
		p = ev.pending[i]
		ev.flatten(p.mark, p.effMark, i)
		ev.pending = append(ev.pending[:i:i], ev.pending[i+1:]...)
		if cur.ctl != ctlReturn {
			cur.val = nil
		}
		if p.out.ctl != ctlReturn {
			p.out.val = nil
		}
		o := ev.join(fr, p.why, p.pos, p.mark, p.effMark, i, p.road, cur, false, p.empty)
		r, fr.err = o.ctl, o.err
		if o.ctl == ctlReturn {
			fr.ret = o.val
		}
	}
	ev.relax()
	return r
}

// catching runs f, whose exceptions of a class the caller catches, as native code does that ends at a StopIteration. u is set
// if it is not known whether f raises one: then v is what it gives if it does not.
func (ev *Eval) catching(cls *Class, f func() (Value, error)) (v Value, u *Unknown, err error) {
	base := len(ev.pending)
	ev.tries++
	v, err = f()
	ev.tries--
	if isGiveUp(err) {
		return nil, nil, err
	}
	if r, ok := err.(*Raise); ok && r.Unknown != nil {
		v, u, err = r.Unknown.derive(), r.Unknown, nil
	}
	if len(ev.pending) == base {
		return v, u, err
	}
	for i := len(ev.pending) - 1; i >= base; i-- {
		if i >= len(ev.pending) || ev.pending[i].out.ctl != ctlRaise {
			continue
		}
		p := ev.pending[i]
		r, _ := p.out.err.(*Raise)
		caught := r == nil || r.Unknown != nil || r.Exc.Cls.Derives(cls) || r.Exc.Cls.isPartial() != nil
		if !caught && ev.tries > 0 {
			continue
		}
		ev.flatten(p.mark, p.effMark, i)
		p = ev.pending[i]
		ev.pending = append(ev.pending[:i:i], ev.pending[i+1:]...)
		if !caught {
			ev.dropped(p.pos, r, p.why)
			continue
		}
		u = p.why
		ev.mergePath(p.why, p.pos, p.mark, p.effMark, p.road, false, p.empty)
	}
	ev.relax()
	return v, u, err
}

// with compiles a with statement of several items as nested ones.
func (c *compiler) with(s *WithStmt, items []WithItem) stmt {
	x := c.expr(items[0].X)
	off := items[0].Start
	var target assign
	if items[0].Target != nil {
		target = c.target(items[0].Target)
	}
	var body stmt
	if len(items) > 1 {
		body = c.with(s, items[1:])
	} else {
		body = c.block(s.Body)
	}
	return func(fr *frame) ctl {
		ev := fr.ev
		m, err := x(fr)
		if err != nil {
			return fr.fail(err)
		}
		fr.at = off
		v, exit, swallows, err := ev.enterManager(m, fr.file.PosAt(int(off)))
		if err != nil {
			return fr.fail(err)
		}
		base := len(ev.pending)
		if swallows {
			ev.tries++
		}
		r := ctlNext
		if target != nil {
			if err := target(fr, v); err != nil {
				r = fr.fail(err)
			}
		}
		if r == ctlNext {
			r = body(fr)
		}
		if swallows {
			ev.tries--
		}
		if r == ctlRaise && isGiveUp(fr.err) {
			return r
		}
		if exit == nil {
			return r
		}
		run := func(o outcome) outcome {
			var exc *Instance
			if o.ctl == ctlRaise {
				raise, ok := o.err.(*Raise)
				if !ok {
					return o
				}
				exc = raise.Exc
			}
			fr.at = off
			saved := fr.ret
			swallow, err := exit(exc)
			fr.ret = saved
			if err != nil {
				return outcome{ctl: ctlRaise, err: err}
			}
			if exc != nil && swallow {
				return outcome{ctl: ctlNext}
			}
			return o
		}
		o := run(outcome{r, fr.ret, fr.err})
		fr.ret, fr.err = o.val, o.err
		r = o.ctl
		if end := len(ev.pending); end > base {
			ev.onPending(fr, base, end, run)
			r = ev.settle(fr, base, ctlNext, r)
			r = fr.handlePending(nil, base, len(ev.pending), r)
		}
		return r
	}
}

// enterManager enters a context manager and gives what leaves it. swallows tells whether it may swallow exceptions.
func (ev *Eval) enterManager(m Value, pos Pos) (v Value, exit func(exc *Instance) (bool, error), swallows bool, err error) {
	switch m := m.(type) {
	case *Unknown:
		ev.unknowns++
		ev.lastUnknown = m
		return m.derive(), nil, false, nil
	case Manager:
		v, err := m.Enter(ev, pos)
		_, swallows := m.(interface{ swallows() })
		return v, func(exc *Instance) (bool, error) { return m.Exit(ev, pos, exc) }, swallows, err
	}
	enter, err := ev.getAttr(m, "__enter__")
	if err == nil {
		var leave Value
		if leave, err = ev.getAttr(m, "__exit__"); err == nil {
			v, err := ev.call(enter, NewCall(pos, nil))
			return v, func(exc *Instance) (bool, error) {
				args := []Value{None, None, None}
				if exc != nil {
					args = []Value{exc.Cls, exc, None}
				}
				r, err := ev.call(leave, NewCall(pos, args))
				if err != nil {
					return false, err
				}
				t, _, err := ev.Truth(r)
				return t, err
			}, true, err
		}
	}
	if r, ok := err.(*Raise); ok && r.Exc.Cls == exceptionClass("AttributeError") {
		enter, err2 := ev.getAttr(m, "__aenter__")
		if err2 == nil {
			v, err := ev.call(enter, NewCall(pos, nil))
			return v, nil, true, err
		}
		err = ev.Raisef("TypeError", "'%s' object does not support the context manager protocol", m.TypeName())
	}
	return nil, nil, false, err
}

func (c *compiler) match(s *MatchStmt) stmt {
	subject := c.expr(s.Subject)
	type kase struct {
		p     matcher
		guard expr
		body  stmt
		off   int32
	}
	cases := make([]kase, len(s.Cases))
	for i := range s.Cases {
		k := &s.Cases[i]
		cases[i] = kase{p: c.pattern(k.Pattern), body: c.block(k.Body), off: k.Pattern.Range().Start}
		if k.Guard != nil {
			cases[i].guard = c.expr(k.Guard)
		}
	}
	var from func(fr *frame, v Value, i int) ctl
	from = func(fr *frame, v Value, i int) ctl {
		for ; i < len(cases); i++ {
			k := &cases[i]
			fr.at = k.off
			m, err := k.p(fr, v)
			if err != nil {
				return fr.fail(err)
			}
			if m == Bool(true) && k.guard != nil {
				g, err := k.guard(fr)
				if err != nil {
					return fr.fail(err)
				}
				if m, err = fr.ev.truth(g); err != nil {
					return fr.fail(err)
				}
			}
			if u, ok := m.(*Unknown); ok {
				next := i + 1
				return fr.fork(u, k.off, k.body, func(fr *frame) ctl { return from(fr, v, next) })
			}
			if m == Bool(true) {
				return k.body(fr)
			}
		}
		return ctlNext
	}
	return func(fr *frame) ctl {
		v, err := subject(fr)
		if err != nil {
			return fr.fail(err)
		}
		return from(fr, v, 0)
	}
}

// matcher matches a value with a pattern and binds names. It gives a Bool or an *Unknown.
type matcher func(fr *frame, v Value) (Value, error)

func (c *compiler) pattern(p Pattern) matcher {
	yes, no := Value(Bool(true)), Value(Bool(false))
	switch p := p.(type) {
	case *ValuePattern:
		x := c.expr(p.X)
		return func(fr *frame, v Value) (Value, error) {
			w, err := x(fr)
			if err != nil {
				return nil, err
			}
			r, err := fr.ev.compare(OpEq, v, w)
			if err != nil {
				return nil, err
			}
			return fr.ev.truth(r)
		}
	case *SingletonPattern:
		x := c.expr(p.X)
		return func(fr *frame, v Value) (Value, error) {
			w, err := x(fr)
			if err != nil {
				return nil, err
			}
			return fr.ev.compare(OpIs, v, w)
		}
	case *AsPattern:
		var in matcher
		if p.Pattern != nil {
			in = c.pattern(p.Pattern)
		}
		var store assign
		if p.Name != "" {
			store = c.store(p.Name)
		}
		return func(fr *frame, v Value) (Value, error) {
			m := yes
			if in != nil {
				var err error
				if m, err = in(fr, v); err != nil || m == no {
					return m, err
				}
			}
			if store != nil {
				if err := store(fr, v); err != nil {
					return nil, err
				}
			}
			return m, nil
		}
	case *OrPattern:
		var ps []matcher
		for _, q := range p.Patterns {
			ps = append(ps, c.pattern(q))
		}
		return func(fr *frame, v Value) (Value, error) {
			out := no
			for _, q := range ps {
				m, err := q(fr, v)
				if err != nil || m == yes {
					return m, err
				}
				if m != no {
					out = m
				}
			}
			return out, nil
		}
	case *SequencePattern:
		star := -1
		var ps []matcher
		for i, q := range p.Patterns {
			if _, ok := q.(*StarPattern); ok {
				star = i
			}
			ps = append(ps, c.pattern(q))
		}
		return func(fr *frame, v Value) (Value, error) {
			var items []Value
			switch x := v.(type) {
			case *List:
				if x.taint != nil {
					v = x.taint
				}
				items = x.Items
			case *Tuple:
				items = x.Items
			case *Range:
				var err error
				if items, _, err = fr.ev.list(x); err != nil {
					return nil, err
				}
			case *Unknown:
			default:
				return no, nil
			}
			if u, ok := v.(*Unknown); ok {
				for _, q := range ps {
					if _, err := q(fr, u.derive()); err != nil {
						return nil, err
					}
				}
				return u, nil
			}
			if star < 0 && len(items) != len(ps) || len(items) < len(ps)-1 {
				return no, nil
			}
			vals := items
			if star >= 0 {
				var err error
				if vals, err = fr.ev.unpack(&Tuple{Items: items}, len(ps), star); err != nil {
					return nil, err
				}
			}
			return allMatch(fr, ps, vals)
		}
	case *StarPattern:
		if p.Name == "" {
			return func(*frame, Value) (Value, error) { return yes, nil }
		}
		store := c.store(p.Name)
		return func(fr *frame, v Value) (Value, error) { return yes, store(fr, v) }
	case *MappingPattern:
		keys := c.exprs(p.Keys)
		var ps []matcher
		for _, q := range p.Patterns {
			ps = append(ps, c.pattern(q))
		}
		var rest assign
		if p.Rest != "" {
			rest = c.store(p.Rest)
		}
		return func(fr *frame, v Value) (Value, error) {
			d, ok := v.(*Dict)
			var u *Unknown
			if !ok {
				if u, ok = v.(*Unknown); !ok {
					return no, nil
				}
			} else if d.taint != nil {
				u = d.taint
			}
			var vals, used []Value
			for _, k := range keys {
				kv, err := k(fr)
				if err != nil {
					return nil, err
				}
				if u != nil {
					vals = append(vals, u.derive())
					continue
				}
				h, hu, err := fr.ev.hash(kv)
				if err != nil {
					return nil, err
				}
				if hu != nil {
					return hu, nil
				}
				i := d.find(h)
				if i < 0 {
					return no, nil
				}
				used = append(used, kv)
				vals = append(vals, d.entries[i].val)
			}
			m, err := allMatch(fr, ps, vals)
			if err != nil || m == no {
				return m, err
			}
			if rest != nil {
				left := NewDict()
				left.taint = u
				if u == nil {
					for _, e := range d.entries {
						if e.key != nil {
							left.put(e.hash, e.key, e.val)
						}
					}
					for _, k := range used {
						h, _, _ := fr.ev.hash(k)
						left.remove(h)
					}
				}
				if err := rest(fr, left); err != nil {
					return nil, err
				}
			}
			if u != nil {
				return u, nil
			}
			return m, nil
		}
	case *ClassPattern:
		cls := c.expr(p.Class)
		var ps []matcher
		for _, q := range p.Patterns {
			ps = append(ps, c.pattern(q))
		}
		for _, q := range p.KwPatterns {
			ps = append(ps, c.pattern(q))
		}
		return func(fr *frame, v Value) (Value, error) {
			ev := fr.ev
			cv, err := cls(fr)
			if err != nil {
				return nil, err
			}
			is, err := ev.isInstance(v, cv)
			if err != nil || is == no {
				return is, err
			}
			u, _ := is.(*Unknown)
			var vals []Value
			k, _ := cv.(*Class)
			self := k != nil && selfMatching(k)
			for i := range p.Patterns {
				if u != nil {
					vals = append(vals, u.derive())
					continue
				}
				if self && i == 0 {
					vals = append(vals, v)
					continue
				}
				name := ""
				if k != nil {
					if a, ok := k.Lookup("__match_args__"); ok {
						if t, ok := a.(*Tuple); ok && i < len(t.Items) {
							if s, ok := t.Items[i].(Str); ok {
								name = string(s)
							}
						}
					}
				}
				if name == "" {
					return nil, ev.Raisef("TypeError", "%s() accepts %d positional sub-patterns (%d given)", cv.TypeName(), i, len(p.Patterns))
				}
				x, err := ev.getAttr(v, name)
				if err != nil {
					return no, nil
				}
				vals = append(vals, x)
			}
			for _, name := range p.KwNames {
				if u != nil {
					vals = append(vals, u.derive())
					continue
				}
				x, err := ev.getAttr(v, name)
				if err != nil {
					if isGiveUp(err) {
						return nil, err
					}
					return no, nil
				}
				vals = append(vals, x)
			}
			m, err := allMatch(fr, ps, vals)
			if err == nil && m != no && u != nil {
				return u, nil
			}
			return m, err
		}
	}
	return func(*frame, Value) (Value, error) { return no, nil }
}

func selfMatching(c *Class) bool {
	switch c.Name {
	case "bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple":
		return !c.python
	}
	return false
}

func allMatch(fr *frame, ps []matcher, vals []Value) (Value, error) {
	out := Value(Bool(true))
	for i, q := range ps {
		m, err := q(fr, vals[i])
		if err != nil || m == Bool(false) {
			return m, err
		}
		if m != Bool(true) {
			out = m
		}
	}
	return out, nil
}
