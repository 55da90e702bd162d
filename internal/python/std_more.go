package python

import (
	"slices"
	"strings"
)

// field is a field of a dataclass.
type field struct {
	name    string
	def     Value
	factory Value
	init    bool
	repr    bool
	compare bool
	kwOnly  bool
}

// dataclass is what the decorator was told.
type dataclass struct{ eq, frozen, unsafeHash, repr, order bool }

// dataField is dataclasses.field(…).
type dataField struct {
	def, factory        Value
	init, repr, compare bool
}

// TypeName implements Value.
func (*dataField) TypeName() string { return "Field" }

func (ev *Eval) stdDataclasses() *Module {
	flag := func(ev *Eval, v Value, def bool) bool {
		if v == nil {
			return def
		}
		t, u, err := ev.Truth(v)
		return t && u == nil && err == nil
	}
	apply := func(ev *Eval, cls *Class, b *Bound) (Value, error) {
		d := &dataclass{eq: flag(ev, b.Value("eq"), true), frozen: flag(ev, b.Value("frozen"), false), repr: flag(ev, b.Value("repr"), true),
			order: flag(ev, b.Value("order"), false), unsafeHash: flag(ev, b.Value("unsafe_hash"), false)}
		var fields []field
		for _, k := range cls.MRO()[1:] {
			if k.fields != nil {
				fields = slices.Clone(k.fields)
				break
			}
		}
		if a, ok := cls.Attrs.Load("__annotations__"); ok {
			for _, e := range a.(*Dict).entries {
				n := string(e.key.(Str))
				if t, ok := e.val.(*typingForm); ok && t.name == "ClassVar" {
					continue
				}
				f := field{name: n, init: true, repr: true, compare: true, kwOnly: flag(ev, b.Value("kw_only"), false)}
				if v, ok := cls.Attrs.Load(n); ok {
					if x, ok := v.(*dataField); ok {
						f.def, f.factory, f.init, f.repr, f.compare = x.def, x.factory, x.init, x.repr, x.compare
						if x.def != nil {
							cls.Attrs.store(n, x.def)
						} else {
							cls.Attrs.Delete(ev, n)
						}
					} else {
						f.def = v
					}
				}
				if i := slices.IndexFunc(fields, func(g field) bool { return g.name == n }); i >= 0 {
					fields[i] = f
				} else {
					fields = append(fields, f)
				}
			}
		}
		cls.fields, cls.data = fields, d
		match := &Tuple{}
		for _, f := range fields {
			if f.init {
				match.Items = append(match.Items, Str(f.name))
			}
		}
		cls.Attrs.store("__match_args__", match)
		cls.Attrs.store("__dataclass_fields__", NewUnknown(ev.Pos(), "__dataclass_fields__ is not modelled"))
		if _, own := cls.Attrs.Load("__init__"); !own && flag(ev, b.Value("init"), true) {
			cls.Init = func(ev *Eval, self Value, c *Call) error { return ev.dataInit(cls, self, c) }
		}
		return cls, nil
	}
	opts := []string{"cls=", "*", "init=", "repr=", "eq=", "order=", "unsafe_hash=", "frozen=", "match_args=", "kw_only=", "slots="}
	return NewModule("dataclasses",
		"dataclass", pure("dataclass", func(ev *Eval, c *Call) (Value, error) {
			b, err := c.Bind(ev, "dataclass", opts...)
			if err != nil {
				return nil, err
			}
			if cls, ok := b.Value("cls").(*Class); ok {
				return apply(ev, cls, b)
			}
			return pure("dataclass", func(ev *Eval, c *Call) (Value, error) {
				if cls, ok := argOr(c, 0, None).(*Class); ok {
					return apply(ev, cls, b)
				}
				return argOr(c, 0, None), nil
			}), nil
		}),
		"field", pure("field", func(ev *Eval, c *Call) (Value, error) {
			return &dataField{def: c.Keyword("default"), factory: c.Keyword("default_factory"), init: flag(ev, c.Keyword("init"), true),
				repr: flag(ev, c.Keyword("repr"), true), compare: flag(ev, c.Keyword("compare"), true)}, nil
		}),
		"is_dataclass", pure("is_dataclass", func(ev *Eval, c *Call) (Value, error) {
			v := argOr(c, 0, None)
			if k, ok := v.(*Class); ok {
				return Bool(k.data != nil), nil
			}
			return Bool(ClassOf(v).data != nil), nil
		}),
		"asdict", pure("asdict", func(ev *Eval, c *Call) (Value, error) { return ev.dataDict(argOr(c, 0, None), false, 0) }),
		"astuple", pure("astuple", func(ev *Eval, c *Call) (Value, error) { return ev.dataDict(argOr(c, 0, None), true, 0) }),
		"replace", pure("replace", func(ev *Eval, c *Call) (Value, error) {
			x, ok := argOr(c, 0, None).(*Instance)
			if !ok || x.Cls.data == nil {
				return nil, ev.Raisef("TypeError", "replace() should be called on dataclass instances")
			}
			kw := slices.Clone(c.Kw)
			for _, f := range x.Cls.fields {
				if f.init && c.Keyword(f.name) == nil {
					v, _ := x.Attrs.Load(f.name)
					kw = append(kw, Kwarg{f.name, v})
				}
			}
			return ev.call(x.Cls, NewCall(c.Pos(), nil, kw...))
		}),
		"fields", pure("fields", func(ev *Eval, c *Call) (Value, error) {
			v := argOr(c, 0, None)
			k, ok := v.(*Class)
			if !ok {
				k = ClassOf(v)
			}
			t := &Tuple{}
			for _, f := range k.fields {
				x := NewInstance(ev.libClass("dataclasses", "Field"))
				x.Attrs.store("name", Str(f.name))
				t.Items = append(t.Items, x)
			}
			return t, nil
		}),
		"FrozenInstanceError", ev.libClass("dataclasses", "FrozenInstanceError", "AttributeError"),
	)
}

func (ev *Eval) dataInit(cls *Class, self Value, c *Call) error {
	x, ok := self.(objecter)
	if !ok {
		return nil
	}
	var params []string
	kwOnly := false
	for _, pass := range []bool{false, true} {
		for _, f := range cls.fields {
			if !f.init || f.kwOnly != pass {
				continue
			}
			if pass && !kwOnly {
				params = append(params, "*")
				kwOnly = true
			}
			n := f.name
			if f.def != nil || f.factory != nil {
				n += "="
			}
			params = append(params, n)
		}
	}
	b, err := c.Bind(ev, cls.Name+".__init__", params...)
	if err != nil {
		return err
	}
	for _, f := range cls.fields {
		v := b.Value(f.name)
		if v == nil || !f.init {
			switch {
			case f.factory != nil:
				if v, err = ev.call(f.factory, NewCall(c.Pos(), nil)); err != nil {
					return err
				}
			case f.def != nil:
				v = f.def
			default:
				continue
			}
		}
		x.object().Attrs.Store(ev, f.name, v)
	}
	if m, ok := ev.special(self, "__post_init__"); ok {
		_, err := ev.call(m, NewCall(c.Pos(), nil))
		return err
	}
	return nil
}

func (ev *Eval) dataValues(x *Instance, all bool) []Value {
	var out []Value
	for _, f := range x.Cls.fields {
		if f.compare || all {
			v, _ := x.Attrs.Load(f.name)
			if v == nil {
				v = None
			}
			out = append(out, v)
		}
	}
	return out
}

// dataCompare is the comparison that a dataclass generates; nil if it has none.
func (ev *Eval) dataCompare(op Op, x *Instance, other Value) (Value, error) {
	y, ok := other.(*Instance)
	if !ok || y.Cls != x.Cls {
		return nil, nil
	}
	if (op == OpEq || op == OpNotEq) && x.Cls.data.eq || x.Cls.data.order {
		return ev.compareSeq(op, ev.dataValues(x, false), ev.dataValues(y, false))
	}
	return nil, nil
}

func (ev *Eval) reprData(x *Instance) (Value, error) {
	if ev.visiting[x] {
		return Str("..."), nil
	}
	if ev.visiting == nil {
		ev.visiting = map[any]bool{}
	}
	ev.visiting[x] = true
	defer delete(ev.visiting, x)
	var parts []string
	for _, f := range x.Cls.fields {
		if !f.repr {
			continue
		}
		v, _ := x.Attrs.Load(f.name)
		if v == nil {
			continue
		}
		s, err := ev.repr(v)
		if err != nil || isUnknown(s) {
			return s, err
		}
		parts = append(parts, f.name+"="+string(s.(Str)))
	}
	name := x.Cls.Name
	if q, ok := x.Cls.Attrs.Load("__qualname__"); ok {
		if s, ok := q.(Str); ok {
			name = string(s)
		}
	}
	return Str(name + "(" + strings.Join(parts, ", ") + ")"), nil
}

func (ev *Eval) dataDict(v Value, tuple bool, depth int) (Value, error) {
	if depth > 50 {
		return nil, ev.Raisef("RecursionError", "maximum recursion depth exceeded")
	}
	switch x := v.(type) {
	case *Instance:
		if x.Cls.data == nil {
			if depth == 0 {
				return nil, ev.Raisef("TypeError", "asdict() should be called on dataclass instances")
			}
			return v, nil
		}
		d, t := &Dict{table: table{epoch: ev.epoch}}, &Tuple{}
		vals := ev.dataValues(x, true)
		for i, f := range x.Cls.fields {
			y, err := ev.dataDict(vals[i], tuple, depth+1)
			if err != nil {
				return nil, err
			}
			d.put(Str(f.name), Str(f.name), y)
			t.Items = append(t.Items, y)
		}
		if tuple {
			return t, nil
		}
		return d, nil
	case *List:
		l := &List{taint: x.taint, epoch: ev.epoch}
		for _, i := range x.Items {
			y, err := ev.dataDict(i, tuple, depth+1)
			if err != nil {
				return nil, err
			}
			l.Items = append(l.Items, y)
		}
		return l, ev.size(len(l.Items))
	}
	return v, nil
}

// typingForm is a form of typing, such as Optional[int]: it is there to be subscripted and ignored.
type typingForm struct{ name string }

// TypeName implements Value.
func (*typingForm) TypeName() string { return "typing" }

// Index implements Indexer.
func (t *typingForm) Index(ev *Eval, key Value) (Value, error) { return t, nil }

// Call implements Caller.
func (t *typingForm) Call(ev *Eval, c *Call) (Value, error) {
	switch t.name {
	case "cast":
		return argOr(c, 1, None), nil
	case "NewType":
		return &typingForm{"identity"}, nil
	case "identity", "overload", "final", "runtime_checkable", "no_type_check", "override":
		return argOr(c, 0, None), nil
	case "List", "Dict", "Set", "Tuple", "FrozenSet", "DefaultDict":
		return ev.constructBuiltin(builtinClass(strings.ToLower(t.name)), c)
	}
	return t, nil
}

// Binary implements Operator.
func (t *typingForm) Binary(ev *Eval, op Op, other Value, reflected bool) (Value, error) {
	if op == OpBitOr {
		return t, nil
	}
	return nil, nil
}

// Attr implements Attrer.
func (t *typingForm) Attr(ev *Eval, name string) (Value, bool) {
	switch name {
	case "__mro_entries__":
		return pure(name, func(ev *Eval, c *Call) (Value, error) {
			switch t.name {
			case "NamedTuple":
				return &Tuple{Items: []Value{ev.libClass("typing", "NamedTuple")}}, nil
			case "Dict", "DefaultDict":
				return &Tuple{Items: []Value{dictClass}}, nil
			}
			return &Tuple{}, nil
		}), true
	case "__name__":
		return Str(t.name), true
	}
	return nil, false
}

func (ev *Eval) stdTyping(name string) *Module {
	return ev.lenient(name, func(ev *Eval, n string) Value {
		switch n {
		case "TYPE_CHECKING":
			return Bool(false)
		case "NamedTuple":
			c := ev.libClass("typing", "NamedTuple")
			c.Subclass = func(ev *Eval, cls *Class, kw []Kwarg) error {
				a, _ := cls.Attrs.Load("__annotations__")
				d, ok := a.(*Dict)
				if !ok || cls.tupleOf != nil {
					return nil
				}
				var names []string
				var defaults []Value
				for _, e := range d.entries {
					n := string(e.key.(Str))
					names = append(names, n)
					if v, ok := cls.Attrs.Load(n); ok {
						defaults = append(defaults, v)
						cls.Attrs.Delete(ev, n)
					}
				}
				base := ev.namedTuple(cls.Name, names, defaults)
				cls.Bases, cls.mro = []*Class{base}, nil
				cls.tupleOf, cls.defaults = names, defaults
				return nil
			}
			c.New = func(ev *Eval, cls *Class, call *Call) (Value, error) {
				if len(call.Args) == 2 {
					items, u, err := ev.list(call.Args[1])
					if err != nil || u != nil {
						return NewUnknown(call.Pos(), "a NamedTuple whose fields are not known"), err
					}
					names := &List{}
					for _, x := range items {
						if t, ok := x.(*Tuple); ok && len(t.Items) > 0 {
							names.Items = append(names.Items, t.Items[0])
						}
					}
					return stdNamedtuple(ev, NewCall(call.Pos(), []Value{call.Args[0], names}))
				}
				return NewUnknown(call.Pos(), "NamedTuple with these arguments is not modelled"), nil
			}
			return c
		case "Any", "Generic", "Protocol", "TypedDict", "Optional", "Union", "List", "Dict", "Set", "FrozenSet", "Tuple", "Type", "Callable",
			"Iterable", "Iterator", "Generator", "Sequence", "Mapping", "MutableMapping", "ClassVar", "Final", "Literal", "TypeVar",
			"ParamSpec", "NoReturn", "Text", "AnyStr", "IO", "cast", "NewType", "overload", "final", "runtime_checkable", "no_type_check",
			"Awaitable", "Coroutine", "AsyncIterator", "AsyncGenerator", "Annotated", "DefaultDict", "Counter", "Deque", "Collection",
			"Hashable", "Self", "TypeAlias", "SupportsInt", "Concatenate", "Never", "override", "Unpack", "Required", "NotRequired",
			"MutableSequence", "Pattern", "Match", "Container", "ContextManager", "AbstractSet", "Reversible", "OrderedDict", "LiteralString":
			return &typingForm{n}
		}
		return nil
	})
}

func (ev *Eval) stdABC() *Module {
	id := func(n string) *Native {
		return pure(n, func(ev *Eval, c *Call) (Value, error) { return argOr(c, 0, None), nil })
	}
	return NewModule("abc", "ABC", ev.libClass("abc", "ABC"), "ABCMeta", &Class{Name: "ABCMeta", Module: "abc", Bases: []*Class{typeClass}},
		"abstractmethod", id("abstractmethod"), "abstractproperty", propertyClass, "abstractclassmethod", classMethClass, "abstractstaticmethod", staticClass)
}

// manager is a context manager written here.
type manager struct {
	name  string
	value Value
	exit  func(ev *Eval, exc *Instance) (bool, error)
}

// TypeName implements Value.
func (m *manager) TypeName() string { return m.name }

// Enter implements Manager.
func (m *manager) Enter(ev *Eval, pos Pos) (Value, error) { return m.value, nil }

// Exit implements Manager.
func (m *manager) Exit(ev *Eval, pos Pos, exc *Instance) (bool, error) {
	if m.exit == nil {
		return false, nil
	}
	return m.exit(ev, exc)
}

func (m *manager) swallows() {}

// genManager is what a function with @contextmanager gives.
type genManager struct {
	g  Value
	fn Value
}

// TypeName implements Value.
func (*genManager) TypeName() string { return "_GeneratorContextManager" }

func (m *genManager) swallows() {}

// Enter implements Manager.
func (m *genManager) Enter(ev *Eval, pos Pos) (Value, error) {
	g, ok := m.g.(*Generator)
	if !ok {
		if u, ok := m.g.(*Unknown); ok {
			return u.derive(), nil
		}
		return nil, ev.Raisef("TypeError", "@contextmanager of a function that is no generator")
	}
	v, ok, err := g.next(ev)
	if err != nil {
		return nil, err
	}
	if !ok {
		if g.unknown != nil {
			return g.unknown.derive(), nil
		}
		return nil, ev.Raisef("RuntimeError", "generator didn't yield")
	}
	return v, nil
}

// Exit implements Manager.
func (m *genManager) Exit(ev *Eval, pos Pos, exc *Instance) (bool, error) {
	g, ok := m.g.(*Generator)
	if !ok || g.done && g.unknown != nil {
		return false, nil
	}
	if exc != nil {
		g.thrown = &Raise{Exc: exc, Pos: pos}
	}
	_, more, err := g.next(ev)
	if err != nil {
		if r, ok := err.(*Raise); ok && r.Exc == exc {
			return false, nil
		}
		return false, err
	}
	if more {
		return false, ev.Raisef("RuntimeError", "generator didn't stop")
	}
	return exc != nil, nil
}

func (ev *Eval) stdContextlib() *Module {
	return ev.table("contextlib", func(name string) nativeFn {
		switch name {
		case "contextmanager", "asynccontextmanager":
			return func(ev *Eval, c *Call) (Value, error) {
				fn := argOr(c, 0, None)
				return &BoundMethod{Self: fn, Fn: &Native{Name: "contextmanager", Fn: func(ev *Eval, c *Call) (Value, error) {
					g, err := ev.call(fn, c.shift())
					if err != nil {
						return nil, err
					}
					return &genManager{g: g, fn: fn}, nil
				}}}, nil
			}
		case "suppress":
			return func(ev *Eval, c *Call) (Value, error) {
				types := &Tuple{Items: c.Args}
				return &manager{name: "suppress", value: None, exit: func(ev *Eval, exc *Instance) (bool, error) {
					if exc == nil {
						return false, nil
					}
					return ev.matches(&Raise{Exc: exc}, types) == Bool(true), nil
				}}, nil
			}
		case "closing", "nullcontext", "redirect_stdout", "redirect_stderr", "aclosing":
			return func(ev *Eval, c *Call) (Value, error) {
				v := argOr(c, 0, None)
				m := &manager{name: name, value: v}
				if name == "closing" {
					m.exit = func(ev *Eval, exc *Instance) (bool, error) {
						_, err := ev.callMethod(v, "close")
						return false, err
					}
				}
				return m, nil
			}
		}
		return nil
	})
}

func itertoolsFunc(name string) nativeFn {
	lazy := func(it iterator) (Value, error) { return &iterValue{it: it}, nil }
	switch name {
	case "chain", "from_iterable":
		return func(ev *Eval, c *Call) (Value, error) { return chainOf(ev, c.Args) }
	case "count":
		return func(ev *Eval, c *Call) (Value, error) {
			b, err := c.Bind(ev, "count", "start=", "step=")
			if err != nil {
				return nil, err
			}
			cur, step := Value(Int(0)), Value(Int(1))
			if v := b.Value("start"); v != nil {
				cur = v
			}
			if v := b.Value("step"); v != nil {
				step = v
			}
			return lazy(&funcIter{iterState: iterState{v: cur}, f: func(ev *Eval, it *funcIter) (Value, bool, error) {
				v := it.v
				var err error
				it.v, err = ev.binary(OpAdd, v, step)
				if err == nil {
					err = ev.step()
				}
				return v, true, err
			}})
		}
	case "repeat":
		return func(ev *Eval, c *Call) (Value, error) {
			v := argOr(c, 0, None)
			n, ok := intOf(argOr(c, 1, None))
			if len(c.Args) > 1 && !ok {
				return NewUnknown(c.Pos(), "repeat of a number that is not known"), nil
			}
			return lazy(&funcIter{iterState: iterState{n: n}, f: func(ev *Eval, it *funcIter) (Value, bool, error) {
				if ok {
					it.n--
				}
				return v, !ok || it.n >= 0, ev.step()
			}})
		}
	case "cycle":
		return func(ev *Eval, c *Call) (Value, error) {
			items, u, err := ev.list(argOr(c, 0, &Tuple{}))
			if err != nil {
				return nil, err
			}
			return lazy(&funcIter{iterState: iterState{u: u}, f: func(ev *Eval, it *funcIter) (Value, bool, error) {
				if len(items) == 0 {
					return nil, false, nil
				}
				i := it.n
				it.n = (i + 1) % int64(len(items))
				return items[i], true, ev.step()
			}})
		}
	case "islice":
		return func(ev *Eval, c *Call) (Value, error) {
			if err := need(ev, c, 2, 4); err != nil {
				return nil, err
			}
			it, err := ev.iter(c.Args[0])
			if err != nil {
				return nil, err
			}
			start, stop, step := int64(0), int64(-1), int64(1)
			get := func(v Value, def int64) int64 {
				if n, ok := intOf(v); ok {
					return n
				}
				return def
			}
			if len(c.Args) == 2 {
				stop = get(c.Args[1], -1)
			} else {
				start, stop, step = get(c.Args[1], 0), get(c.Args[2], -1), get(argOr(c, 3, None), 1)
			}
			if u := UnknownIn(&Tuple{Items: c.Args[1:]}); u != nil {
				return u.derive(), nil
			}
			if start < 0 || step < 1 {
				return nil, ev.Raisef("ValueError", "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.")
			}
			// n is the number of items that were taken, v the index of the next that is given.
			return lazy(&funcIter{iterState: iterState{v: Int(start)}, f: func(ev *Eval, s *funcIter) (Value, bool, error) {
				next := int64(s.v.(Int))
				for stop < 0 || s.n < stop || s.n < next && s.n > 0 {
					if err := ev.step(); err != nil {
						return nil, false, err
					}
					if s.n == next {
						next += step
						if stop >= 0 && next > stop {
							next = stop
						}
						s.v = Int(next)
						v, ok, err := it.next(ev)
						s.n++
						s.u = it.taint()
						return v, ok, err
					}
					if _, ok, err := it.next(ev); err != nil || !ok {
						s.u = it.taint()
						return nil, false, err
					}
					s.n++
				}
				return nil, false, nil
			}})
		}
	case "zip_longest", "izip_longest":
		return func(ev *Eval, c *Call) (Value, error) {
			its, err := ev.iters(c.Args)
			if err != nil {
				return nil, err
			}
			fill := Value(None)
			if f := c.Keyword("fillvalue"); f != nil {
				fill = f
			}
			return lazy(&mapIter{its: its, longest: true, fill: fill, f: func(ev *Eval, _ *mapIter, vs []Value) (Value, bool, error) { return &Tuple{Items: vs}, true, nil }})
		}
	case "imap":
		return biMap
	case "izip":
		return biZip
	case "ifilter":
		return biFilter
	case "filterfalse", "takewhile", "dropwhile":
		return func(ev *Eval, c *Call) (Value, error) {
			if err := need(ev, c, 2, 2); err != nil {
				return nil, err
			}
			its, err := ev.iters(c.Args[1:])
			if err != nil {
				return nil, err
			}
			pos := c.Pos()
			return lazy(&mapIter{its: its, f: func(ev *Eval, m *mapIter, vs []Value) (Value, bool, error) {
				if name == "dropwhile" && m.n > 0 {
					return vs[0], true, nil
				}
				r := vs[0]
				if c.Args[0] != None {
					var err error
					if r, err = ev.call(c.Args[0], NewCall(pos, vs)); err != nil {
						return nil, false, err
					}
				}
				t, u, err := ev.Truth(r)
				if u != nil {
					m.u, m.ended = u, true
					return nil, false, err
				}
				switch name {
				case "filterfalse":
					return vs[0], !t, err
				case "takewhile":
					m.ended = !t
					return vs[0], t, err
				}
				if !t {
					m.n = 1 // no longer dropping
				}
				return vs[0], !t, err
			}})
		}
	case "starmap":
		return func(ev *Eval, c *Call) (Value, error) {
			if err := need(ev, c, 2, 2); err != nil {
				return nil, err
			}
			its, err := ev.iters(c.Args[1:])
			if err != nil {
				return nil, err
			}
			pos := c.Pos()
			return lazy(&mapIter{its: its, f: func(ev *Eval, _ *mapIter, vs []Value) (Value, bool, error) {
				args, u, err := ev.list(vs[0])
				if err != nil {
					return nil, false, err
				}
				r, err := ev.call(c.Args[0], &Call{Args: args, Splat: u, pos: pos})
				return r, true, err
			}})
		}
	case "accumulate":
		return func(ev *Eval, c *Call) (Value, error) {
			b, err := c.Bind(ev, "accumulate", "iterable", "func=", "*", "initial=")
			if err != nil {
				return nil, err
			}
			items, u, err := ev.list(b.Value("iterable"))
			if err != nil {
				return nil, err
			}
			if i := b.Value("initial"); i != nil && i != None {
				items = append([]Value{i}, items...)
			}
			var out []Value
			for i, x := range items {
				if i > 0 {
					if f := b.Value("func"); f != nil && f != None {
						x, err = ev.call(f, NewCall(c.Pos(), []Value{out[i-1], x}))
					} else {
						x, err = ev.binary(OpAdd, out[i-1], x)
					}
					if err != nil {
						return nil, err
					}
				}
				out = append(out, x)
			}
			return lazy(&sliceIter{items: out, u: u, epoch: ev.epoch})
		}
	case "groupby":
		return func(ev *Eval, c *Call) (Value, error) {
			b, err := c.Bind(ev, "groupby", "iterable", "key=")
			if err != nil {
				return nil, err
			}
			items, u, err := ev.list(b.Value("iterable"))
			if err != nil {
				return nil, err
			}
			var out []Value
			var last Value
			var group *List
			for _, x := range items {
				k := x
				if f := b.Value("key"); f != nil && f != None {
					if k, err = ev.call(f, NewCall(c.Pos(), []Value{x})); err != nil {
						return nil, err
					}
				}
				same := false
				if last != nil {
					var eu *Unknown
					if same, eu, err = ev.Equal(last, k); err != nil {
						return nil, err
					}
					if eu != nil {
						return eu.derive(), nil
					}
				}
				if !same {
					group = &List{}
					last = k
					out = append(out, &Tuple{Items: []Value{k, group}})
				}
				group.Items = append(group.Items, x)
			}
			return lazy(&sliceIter{items: out, u: u, epoch: ev.epoch})
		}
	case "product", "permutations", "combinations", "combinations_with_replacement":
		return func(ev *Eval, c *Call) (Value, error) { return combine(ev, c, name) }
	case "tee":
		return func(ev *Eval, c *Call) (Value, error) {
			items, u, err := ev.list(argOr(c, 0, &Tuple{}))
			if err != nil {
				return nil, err
			}
			n, ok := intOf(argOr(c, 1, Int(2)))
			if !ok || n > 1000 || n < 0 {
				return NewUnknown(c.Pos(), "tee"), nil
			}
			t := &Tuple{}
			for range n {
				t.Items = append(t.Items, &iterValue{it: &sliceIter{items: items, u: u, epoch: ev.epoch}})
			}
			return t, nil
		}
	case "pairwise":
		return func(ev *Eval, c *Call) (Value, error) {
			items, u, err := ev.list(argOr(c, 0, &Tuple{}))
			if err != nil {
				return nil, err
			}
			var out []Value
			for i := 1; i < len(items); i++ {
				out = append(out, &Tuple{Items: []Value{items[i-1], items[i]}})
			}
			return lazy(&sliceIter{items: out, u: u, epoch: ev.epoch})
		}
	case "compress":
		return func(ev *Eval, c *Call) (Value, error) {
			its, err := ev.iters(c.Args)
			if err != nil {
				return nil, err
			}
			if len(its) != 2 {
				return nil, ev.Raisef("TypeError", "compress() takes 2 arguments")
			}
			return lazy(&mapIter{its: its, f: func(ev *Eval, m *mapIter, vs []Value) (Value, bool, error) {
				t, err := m.keep(ev, vs[1], vs[0])
				return vs[0], t, err
			}})
		}
	}
	return nil
}

func chainOf(ev *Eval, args []Value) (Value, error) {
	f := &funcIter{f: func(ev *Eval, f *funcIter) (Value, bool, error) {
		for {
			if err := ev.step(); err != nil {
				return nil, false, err
			}
			if f.cur == nil {
				if f.n >= int64(len(args)) {
					return nil, false, nil
				}
				it, err := ev.iter(args[f.n])
				if err != nil {
					return nil, false, err
				}
				f.cur = it
				f.n++
			}
			v, ok, err := f.cur.next(ev)
			if err != nil || ok {
				return v, ok, err
			}
			if u := f.cur.taint(); u != nil && f.u == nil {
				f.u = u
			}
			f.cur = nil
		}
	}}
	return &iterValue{it: f}, nil
}

// combine is product, permutations and combinations, which are computed at once within the budget.
func combine(ev *Eval, c *Call, name string) (Value, error) {
	var pools [][]Value
	var taint *Unknown
	n := len(c.Args)
	if name != "product" {
		n = min(n, 1)
	}
	for _, a := range c.Args[:n] {
		items, u, err := ev.list(a)
		if err != nil {
			return nil, err
		}
		if u != nil {
			taint = u
		}
		pools = append(pools, items)
	}
	if len(pools) == 0 && name != "product" {
		return nil, ev.Raisef("TypeError", "%s() missing an argument", name)
	}
	r := int64(0)
	if name == "product" {
		rep, ok := int64(1), true
		if v := c.Keyword("repeat"); v != nil {
			rep, ok = intOf(v)
		}
		if !ok || rep < 0 || rep > 1000 {
			return NewUnknown(c.Pos(), "product with this repeat is not modelled"), nil
		}
		one := pools
		pools = nil
		for range rep {
			pools = append(pools, one...)
		}
		r = int64(len(pools))
	} else {
		v := argOr(c, 1, c.Keyword("r"))
		r = int64(len(pools[0]))
		if v != nil && v != None {
			var ok bool
			if r, ok = intOf(v); !ok {
				return NewUnknown(c.Pos(), name+" of a length that is not known"), nil
			}
		} else if name != "permutations" {
			return nil, ev.Raisef("TypeError", "%s() missing required argument 'r' (pos 2)", name)
		}
	}
	var out []Value
	pick := make([]int, 0, max(r, 0))
	var walk func() error
	walk = func() error {
		if int64(len(pick)) == r {
			if err := ev.step(); err != nil {
				return err
			}
			if err := ev.size(len(pick) + 1); err != nil {
				return err
			}
			t := &Tuple{Items: make([]Value, r)}
			for i, p := range pick {
				pool := pools[0]
				if name == "product" {
					pool = pools[i]
				}
				t.Items[i] = pool[p]
			}
			out = append(out, t)
			return nil
		}
		pool, start := pools[0], 0
		switch name {
		case "product":
			pool = pools[len(pick)]
		case "combinations":
			if len(pick) > 0 {
				start = pick[len(pick)-1] + 1
			}
		case "combinations_with_replacement":
			if len(pick) > 0 {
				start = pick[len(pick)-1]
			}
		}
		for i := start; i < len(pool); i++ {
			if name == "permutations" && slices.Contains(pick, i) {
				continue
			}
			pick = append(pick, i)
			if err := walk(); err != nil {
				return err
			}
			pick = pick[:len(pick)-1]
			if err := ev.step(); err != nil {
				return err
			}
		}
		return nil
	}
	if r >= 0 && (r <= 1000) {
		if err := walk(); err != nil {
			return nil, err
		}
	}
	return &iterValue{it: &sliceIter{items: out, u: taint, epoch: ev.epoch}}, nil
}

// partial is functools.partial(…).
type partial struct {
	fn   Value
	args []Value
	kw   []Kwarg
}

// TypeName implements Value.
func (*partial) TypeName() string { return "functools.partial" }

// Call implements Caller.
func (p *partial) Call(ev *Eval, c *Call) (Value, error) {
	kw := slices.Clone(p.kw)
next:
	for _, k := range c.Kw {
		for i := range kw {
			if kw[i].Name == k.Name {
				kw[i].Value = k.Value
				continue next
			}
		}
		kw = append(kw, k)
	}
	return ev.call(p.fn, &Call{Args: append(slices.Clone(p.args), c.Args...), Kw: kw, Splat: c.Splat, pos: c.Pos()})
}

// Attr implements Attrer.
func (p *partial) Attr(ev *Eval, name string) (Value, bool) {
	switch name {
	case "func":
		return p.fn, true
	case "args":
		return &Tuple{Items: p.args}, true
	}
	return nil, false
}

func functoolsFunc(name string) nativeFn {
	switch name {
	case "partial", "partialmethod":
		return func(ev *Eval, c *Call) (Value, error) {
			if len(c.Args) == 0 {
				return nil, ev.Raisef("TypeError", "type 'partial' takes at least one argument")
			}
			if c.Args[0] != nil && isUnknown(c.Args[0]) {
				u := c.Args[0].(*Unknown)
				return &Unknown{Pos: u.Pos, Why: u.Why, Acts: u.Acts || ev.mayAct(&Tuple{Items: c.Args[1:]})}, nil
			}
			return &partial{c.Args[0], c.Args[1:], c.Kw}, nil
		}
	case "reduce":
		return stdReduce
	case "wraps":
		return func(ev *Eval, c *Call) (Value, error) {
			from := argOr(c, 0, None)
			return pure("wraps", func(ev *Eval, c *Call) (Value, error) {
				to := argOr(c, 0, None)
				if f, ok := to.(*Func); ok {
					for _, n := range []string{"__name__", "__qualname__", "__doc__", "__module__"} {
						if v, err := ev.lookup(from, n); err == nil && v != nil {
							if err := ev.setAttr(f, n, v); err != nil {
								return nil, err
							}
						}
					}
					if err := ev.setAttr(f, "__wrapped__", from); err != nil {
						return nil, err
					}
				}
				return to, nil
			}), nil
		}
	case "lru_cache", "cache", "total_ordering", "singledispatch":
		return func(ev *Eval, c *Call) (Value, error) {
			if name == "lru_cache" && (len(c.Args) == 0 || c.Args[0] == None || len(c.Kw) > 0) {
				return pure(name, func(ev *Eval, c *Call) (Value, error) { return argOr(c, 0, None), nil }), nil
			}
			v := argOr(c, 0, None)
			if _, ok := intOf(v); ok {
				return pure(name, func(ev *Eval, c *Call) (Value, error) { return argOr(c, 0, None), nil }), nil
			}
			if cls, ok := v.(*Class); ok && name == "total_ordering" {
				ev.totalOrdering(cls)
			}
			return v, nil
		}
	case "cached_property":
		return func(ev *Eval, c *Call) (Value, error) { return &Property{Fget: argOr(c, 0, None), cached: true}, nil }
	case "cmp_to_key":
		return func(ev *Eval, c *Call) (Value, error) {
			fn := argOr(c, 0, None)
			return pure("cmp_to_key", func(ev *Eval, c *Call) (Value, error) { return &cmpKey{fn, argOr(c, 0, None)}, nil }), nil
		}
	}
	return nil
}

// totalOrdering adds the comparisons that follow from __lt__ and __eq__.
func (ev *Eval) totalOrdering(cls *Class) {
	has := func(n string) bool { _, ok := cls.Attrs.Load(n); return ok }
	if !has("__lt__") {
		return
	}
	add := func(name string, f func(ev *Eval, a, b Value) (Value, error)) {
		if !has(name) {
			cls.Attrs.store(name, &selfMethod{pure(name, func(ev *Eval, c *Call) (Value, error) {
				if len(c.Args) != 2 {
					return nil, ev.Raisef("TypeError", "expected 1 argument")
				}
				return f(ev, c.Args[0], c.Args[1])
			})})
		}
	}
	or := func(ev *Eval, a, b Value) (Value, error) {
		r, err := ev.compare(OpLt, a, b)
		if err != nil {
			return nil, err
		}
		t, u, err := ev.Truth(r)
		if err != nil || u != nil || t {
			return r, err
		}
		return ev.compare(OpEq, a, b)
	}
	add("__le__", or)
	add("__gt__", func(ev *Eval, a, b Value) (Value, error) {
		r, err := or(ev, a, b)
		if err != nil {
			return nil, err
		}
		return ev.not(r)
	})
	add("__ge__", func(ev *Eval, a, b Value) (Value, error) {
		r, err := ev.compare(OpLt, a, b)
		if err != nil {
			return nil, err
		}
		return ev.not(r)
	})
}

// selfMethod is a native function in a Python class that binds.
type selfMethod struct{ fn *Native }

// TypeName implements Value.
func (*selfMethod) TypeName() string { return "function" }

func (m *selfMethod) bind(ev *Eval, self Value, cls *Class) (Value, error) {
	if self == nil {
		return m.fn, nil
	}
	return &BoundMethod{Self: self, Fn: m.fn}, nil
}

// cmpKey is a key made by cmp_to_key.
type cmpKey struct{ fn, v Value }

// TypeName implements Value.
func (*cmpKey) TypeName() string { return "functools.KeyWrapper" }

// Binary implements Operator.
func (k *cmpKey) Binary(ev *Eval, op Op, other Value, reflected bool) (Value, error) {
	o, ok := other.(*cmpKey)
	if !ok || op < OpEq {
		return nil, nil
	}
	r, err := ev.call(k.fn, NewCall(ev.Pos(), []Value{k.v, o.v}))
	if err != nil {
		return nil, err
	}
	return ev.compare(op, r, Int(0))
}

func operatorFunc(name string) nativeFn {
	ops := map[string]Op{"add": OpAdd, "sub": OpSub, "mul": OpMul, "truediv": OpDiv, "floordiv": OpFloorDiv, "mod": OpMod, "pow": OpPow,
		"and_": OpBitAnd, "or_": OpBitOr, "xor": OpBitXor, "lshift": OpLShift, "rshift": OpRShift, "eq": OpEq, "ne": OpNotEq, "lt": OpLt,
		"le": OpLtE, "gt": OpGt, "ge": OpGtE, "concat": OpAdd, "is_": OpIs, "is_not": OpIsNot}
	if op, ok := ops[name]; ok {
		return func(ev *Eval, c *Call) (Value, error) {
			if err := need(ev, c, 2, 2); err != nil {
				return nil, err
			}
			return ev.Binary(op, c.Args[0], c.Args[1])
		}
	}
	switch name {
	case "not_":
		return func(ev *Eval, c *Call) (Value, error) { return ev.not(argOr(c, 0, None)) }
	case "neg":
		return func(ev *Eval, c *Call) (Value, error) { return ev.unary(OpNeg, argOr(c, 0, None)) }
	case "truth":
		return func(ev *Eval, c *Call) (Value, error) { return ev.truth(argOr(c, 0, None)) }
	case "contains":
		return func(ev *Eval, c *Call) (Value, error) {
			if err := need(ev, c, 2, 2); err != nil {
				return nil, err
			}
			return ev.contains(c.Args[0], c.Args[1])
		}
	case "getitem":
		return func(ev *Eval, c *Call) (Value, error) {
			if err := need(ev, c, 2, 2); err != nil {
				return nil, err
			}
			return ev.index(c.Args[0], c.Args[1])
		}
	case "itemgetter", "attrgetter":
		return func(ev *Eval, c *Call) (Value, error) {
			keys := c.Args
			get := func(ev *Eval, v, k Value) (Value, error) {
				if name == "itemgetter" {
					return ev.index(v, k)
				}
				s, ok := k.(Str)
				if !ok {
					return NewUnknown(ev.Pos(), "attrgetter of a name that is not known"), nil
				}
				var err error
				for _, n := range strings.Split(string(s), ".") {
					if v, err = ev.getAttr(v, n); err != nil {
						return nil, err
					}
				}
				return v, nil
			}
			return pure(name, func(ev *Eval, c *Call) (Value, error) {
				v := argOr(c, 0, None)
				if len(keys) == 1 {
					return get(ev, v, keys[0])
				}
				t := &Tuple{}
				for _, k := range keys {
					x, err := get(ev, v, k)
					if err != nil {
						return nil, err
					}
					t.Items = append(t.Items, x)
				}
				return t, nil
			}), nil
		}
	case "methodcaller":
		return func(ev *Eval, c *Call) (Value, error) {
			s, ok := argOr(c, 0, None).(Str)
			if !ok {
				return NewUnknown(c.Pos(), "methodcaller"), nil
			}
			args, kw := c.Args[1:], c.Kw
			return pure(name, func(ev *Eval, c *Call) (Value, error) {
				m, err := ev.getAttr(argOr(c, 0, None), string(s))
				if err != nil {
					return nil, err
				}
				return ev.call(m, NewCall(c.Pos(), args, kw...))
			}), nil
		}
	}
	return nil
}

func copyFunc(name string) nativeFn {
	switch name {
	case "copy", "deepcopy":
		return func(ev *Eval, c *Call) (Value, error) {
			return ev.copyValue(argOr(c, 0, None), name == "deepcopy", map[Value]Value{}, 0)
		}
	}
	return nil
}

// Copier is a native value that copy.copy and copy.deepcopy can copy.
type Copier interface {
	Copy(ev *Eval, deep bool) (Value, error)
}

func (ev *Eval) copyValue(v Value, deep bool, memo map[Value]Value, depth int) (Value, error) {
	if depth > 100 {
		return nil, ev.Raisef("RecursionError", "maximum recursion depth exceeded")
	}
	if err := ev.step(); err != nil {
		return nil, err
	}
	if comparable_(v) {
		if w, ok := memo[v]; ok {
			return w, nil
		}
	}
	sub := func(x Value) (Value, error) {
		if !deep || x == nil {
			return x, nil
		}
		return ev.copyValue(x, true, memo, depth+1)
	}
	name := "__copy__"
	if deep {
		name = "__deepcopy__"
	}
	if m, ok := ev.special(v, name); ok {
		var args []Value
		if deep {
			args = []Value{NewDict()}
		}
		return ev.call(m, NewCall(ev.Pos(), args))
	}
	if c, ok := v.(Copier); ok {
		return c.Copy(ev, deep)
	}
	all := func(xs []Value) ([]Value, error) {
		out := make([]Value, len(xs))
		for i, x := range xs {
			y, err := sub(x)
			if err != nil {
				return nil, err
			}
			out[i] = y
		}
		return out, ev.size(len(xs))
	}
	switch x := v.(type) {
	case *List:
		l := &List{taint: x.taint, epoch: ev.epoch}
		memo[v] = l
		items, err := all(x.Items)
		l.Items = items
		return l, err
	case *Tuple:
		items, err := all(x.Items)
		if err != nil {
			return nil, err
		}
		return &Tuple{Items: items, cls: x.cls, attrs: x.attrs}, nil
	case *Dict:
		c, err := ev.copyDict(x)
		if err != nil || !deep {
			return c, err
		}
		d := c.(*Dict)
		memo[v] = d
		for i := range d.entries {
			if d.entries[i].val, err = sub(d.entries[i].val); err != nil {
				return nil, err
			}
		}
		return d, nil
	case *Set:
		return setMethod("copy")(ev, x, nil)
	case *Instance:
		if x.Cls.enum != nil {
			return x, nil
		}
		if x.Native != nil {
			return &Unknown{Pos: ev.Pos(), Why: "a copy of a native object is not modelled", Acts: ev.mayAct(x)}, nil
		}
		y := &Instance{Object: Object{Cls: x.Cls}, base: x.base}
		memo[v] = y
		for i, n := range x.Attrs.names {
			w, err := sub(x.Attrs.vals[i])
			if err != nil {
				return nil, err
			}
			y.Attrs.store(n, w)
		}
		return y, nil
	case Int, Str, Bool, Float, NoneType, Bytes, *BigInt, *Func, *Class, *Native, *Module, *Range, *Unknown, EllipsisType:
		return v, nil
	}
	return &Unknown{Pos: ev.Pos(), Why: "a copy of a " + v.TypeName() + " is not modelled", Acts: ev.mayAct(v)}, nil
}
