package python

import (
	"slices"
	"strings"
)

// stdNames are modules of the standard library: one that is not modelled is not looked for in the repository's name.
var stdNames = nameSet("argparse array ast asyncio base64 binascii bisect calendar cmath codecs collections concurrent configparser csv ctypes " +
	"datetime decimal difflib email errno fnmatch fractions ftplib functools gc getpass glob gzip hashlib heapq hmac html http imp importlib inspect io ipaddress " +
	"itertools json keyword locale logging math mimetypes multiprocessing numbers operator optparse os pathlib pickle pkgutil platform pprint queue random re " +
	"sched secrets select shelve shlex shutil signal socket sqlite3 ssl stat statistics string struct subprocess sys tempfile textwrap threading time " +
	"timeit token tokenize trace traceback types typing unicodedata unittest urllib uuid warnings weakref xml zipfile zlib zoneinfo __future__ builtins")

func nameSet(s string) map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(s) {
		m[n] = true
	}
	return m
}

// stdModule makes a module of the standard library, or nil if it is not modelled.
func (ev *Eval) stdModule(name string) *Module {
	var m *Module
	switch name {
	case "__future__":
		m = ev.lenient(name, func(ev *Eval, n string) Value { return None })
	case "builtins", "__builtin__", "six.moves.builtins":
		m = ev.lenient(name, func(ev *Eval, n string) Value { return ev.builtin(n) })
	case "collections":
		m = ev.stdCollections()
	case "collections.abc":
		m = ev.lenient(name, func(ev *Eval, n string) Value { return ev.abcClass(n) })
	case "itertools":
		m = ev.table(name, itertoolsFunc)
		m.Attrs.store("chain", &callableWith{pure("chain", itertoolsFunc("chain")), "from_iterable", pure("from_iterable", func(ev *Eval, c *Call) (Value, error) {
			items, u, err := ev.list(argOr(c, 0, &Tuple{}))
			if u != nil {
				items = append(items, &List{taint: u})
			}
			if err != nil {
				return nil, err
			}
			return chainOf(ev, items)
		})})
	case "functools":
		m = ev.table(name, functoolsFunc)
	case "operator", "_operator":
		m = ev.table(name, operatorFunc)
	case "copy":
		m = ev.table(name, copyFunc)
	case "enum":
		m = ev.stdEnum()
	case "dataclasses":
		m = ev.stdDataclasses()
	case "contextlib":
		m = ev.stdContextlib()
	case "typing", "typing_extensions":
		m = ev.stdTyping(name)
	case "abc":
		m = ev.stdABC()
	case "json", "simplejson":
		m = stdJSON(ev)
	case "re":
		m = stdRe(ev)
	case "datetime":
		m = stdDatetime(ev)
	case "uuid":
		m = stdUUID(ev)
	case "string":
		m = stdString(ev)
	case "textwrap":
		m = stdTextwrap(ev)
	case "math":
		m = stdMath(ev)
	case "os":
		m = stdOS(ev)
	case "os.path", "posixpath":
		m = stdPath(ev)
	case "sys":
		m = stdSys(ev)
	case "logging":
		m = stdLogging(ev)
	case "warnings":
		m = stdWarnings(ev)
	case "gettext":
		m = stdGettext(ev)
	case "time":
		m = stdTime(ev)
	case "types":
		m = NewModule(name, "FunctionType", functionClass, "MethodType", methodClass, "ModuleType", moduleClass, "NoneType", noneClass,
			"GeneratorType", generatorClass, "BuiltinFunctionType", builtinFuncClass)
	case "decimal":
		m = stdDecimal(ev)
	case "random", "secrets", "socket", "platform", "getpass", "subprocess", "tempfile", "threading":
		m = ev.lenient(name, func(ev *Eval, n string) Value {
			return NewUnknown(ev.Pos(), name+"."+n+" differs from run to run")
		})
	case "base64":
		m = stdBase64(ev)
	case "hashlib":
		m = stdHashlib(ev)
	case "six":
		m = stdSix(ev)
	case "six.moves":
		m = stdSixMoves(ev)
	}
	return m
}

// lenient makes a module whose attributes are computed.
func (ev *Eval) lenient(name string, f func(ev *Eval, name string) Value) *Module {
	m := NewModule(name, "__name__", Str(name))
	m.Missing = func(ev *Eval, n string) Value {
		v := f(ev, n)
		if v != nil {
			if !isUnknown(v) {
				m.Attrs.store(n, v)
			}
		}
		return v
	}
	return m
}

// table makes a module of pure functions found by name.
func (ev *Eval) table(name string, f func(name string) nativeFn) *Module {
	return ev.lenient(name, func(ev *Eval, n string) Value {
		if fn := f(n); fn != nil {
			return &Native{Name: name + "." + n, Fn: fn, Pure: true, Static: true}
		}
		return nil
	})
}

func pure(name string, fn nativeFn) *Native {
	return &Native{Name: name, Fn: fn, Pure: true, Static: true}
}

// libClass gives a class of the standard library that is made once for each evaluation.
func (ev *Eval) libClass(module, name string, bases ...string) *Class {
	key := module + "." + name
	if c := ev.lib[key]; c != nil {
		return c
	}
	if ev.lib == nil {
		ev.lib = map[string]*Class{}
	}
	c := &Class{Name: name, Module: module, Attrs: &Namespace{}}
	for _, b := range bases {
		c.Bases = append(c.Bases, builtinClass(b))
	}
	ev.lib[key] = c
	return c
}

// abcClass gives an abstract base class of collections.abc, which built-in types are instances of.
func (ev *Eval) abcClass(name string) Value {
	var is func(v Value) bool
	switch name {
	case "Mapping", "MutableMapping":
		is = func(v Value) bool { _, ok := unbase(v).(*Dict); return ok }
	case "Sequence", "MutableSequence":
		is = func(v Value) bool {
			switch unbase(v).(type) {
			case *List:
				return true
			case *Tuple, Str, Bytes, *Range:
				return name == "Sequence"
			}
			return false
		}
	case "Set", "MutableSet":
		is = func(v Value) bool { _, ok := unbase(v).(*Set); return ok }
	case "Iterable", "Collection", "Container", "Sized", "Reversible":
		is = func(v Value) bool {
			switch unbase(v).(type) {
			case *List, *Tuple, Str, Bytes, *Range, *Dict, *Set, *dictView:
				return true
			case *Generator, *iterValue:
				return name == "Iterable"
			}
			if _, ok := v.(Iterable); ok {
				return true
			}
			_, ok := ClassOf(v).Lookup("__iter__")
			return ok
		}
	case "Iterator", "Generator":
		is = func(v Value) bool {
			switch v.(type) {
			case *Generator, *iterValue:
				return true
			}
			_, ok := ClassOf(v).Lookup("__next__")
			return ok
		}
	case "Callable":
		is = func(v Value) bool {
			switch v.(type) {
			case *Func, *Native, *BoundMethod, *Class, *method, Caller:
				return true
			}
			_, ok := ClassOf(v).Lookup("__call__")
			return ok
		}
	case "Hashable":
		is = func(v Value) bool {
			switch unbase(v).(type) {
			case *List, *Dict, *Set:
				return false
			}
			return true
		}
	case "Awaitable", "Coroutine", "ByteString", "MappingView", "KeysView", "ValuesView", "ItemsView":
		is = func(v Value) bool { return false }
	default:
		return nil
	}
	c := ev.libClass("collections.abc", name)
	c.Is = is
	return c
}

// Classes of collections. They are never changed.
var (
	orderedDictClass = &Class{Name: "OrderedDict", Module: "collections", Bases: []*Class{dictClass}}
	defaultDictClass = &Class{Name: "defaultdict", Module: "collections", Bases: []*Class{dictClass}}
	counterClass     = &Class{Name: "Counter", Module: "collections", Bases: []*Class{dictClass}}
)

func (ev *Eval) stdCollections() *Module {
	dict := func(name string, cls *Class, init func(ev *Eval, d *Dict, c *Call) error) *Class {
		// The class that programs see derives from the shared one, which marks the value.
		return &Class{Name: name, Module: "collections", Bases: []*Class{cls}, New: func(ev *Eval, k *Class, c *Call) (Value, error) {
			d := &Dict{cls: cls, table: table{epoch: ev.epoch}}
			if k.python {
				d.cls, d.attrs = k, &Namespace{epoch: ev.epoch}
			}
			return d, init(ev, d, c)
		}, Is: func(v Value) bool {
			d, ok := v.(*Dict)
			return ok && d.cls != nil && d.cls.Derives(cls)
		}}
	}
	m := NewModule("collections",
		"OrderedDict", dict("OrderedDict", orderedDictClass, func(ev *Eval, d *Dict, c *Call) error { return ev.dictInit(d, c) }),
		"defaultdict", dict("defaultdict", defaultDictClass, func(ev *Eval, d *Dict, c *Call) error {
			if len(c.Args) > 0 {
				d.factory = c.Args[0]
				c = c.shift()
			}
			return ev.dictInit(d, c)
		}),
		"Counter", dict("Counter", counterClass, func(ev *Eval, d *Dict, c *Call) error {
			if len(c.Args) > 0 {
				if err := ev.counterUpdate(d, c.Args[0], 1); err != nil {
					return err
				}
			}
			for _, k := range c.Kw {
				if err := d.Store(ev, Str(k.Name), k.Value); err != nil {
					return err
				}
			}
			return nil
		}),
		"namedtuple", pure("namedtuple", stdNamedtuple),
		"deque", pure("deque", func(ev *Eval, c *Call) (Value, error) {
			if len(c.Args) > 1 || len(c.Kw) > 0 {
				return NewUnknown(c.Pos(), "a deque with maxlen is not modelled"), nil
			}
			v, err := ev.constructBuiltin(listClass, c)
			if err != nil {
				return nil, err
			}
			return newDeque(v.(*List)), nil
		}),
	)
	m.Missing = func(ev *Eval, n string) Value {
		if n == "abc" {
			v, _ := ev.importModule("collections.abc")
			return v
		}
		if n == "ChainMap" || n == "UserDict" || n == "UserList" {
			return nil
		}
		return ev.abcClass(n)
	}
	return m
}

// deque is a collections.deque.
type deque struct {
	l *List
}

func newDeque(l *List) *deque { return &deque{l} }

// TypeName implements Value.
func (*deque) TypeName() string { return "collections.deque" }

// Iterate implements Iterable.
func (d *deque) Iterate(ev *Eval) ([]Value, *Unknown, error) { return ev.list(d.l) }

// Size implements Sizer.
func (d *deque) Size(ev *Eval) (Value, error) { return ev.length(d.l) }

// Index implements Indexer.
func (d *deque) Index(ev *Eval, key Value) (Value, error) { return ev.index(d.l, key) }

// SetIndex implements IndexSetter.
func (d *deque) SetIndex(ev *Eval, key, v Value) error { return ev.setIndex(d.l, key, v) }

// Text implements Texter.
func (d *deque) Text(ev *Eval, repr bool) (Value, error) {
	s, err := ev.repr(d.l)
	if t, ok := s.(Str); ok {
		return "deque(" + t + ")", err
	}
	return s, err
}

// Attr implements Attrer.
func (d *deque) Attr(ev *Eval, name string) (Value, bool) {
	wrap := func(f func(ev *Eval, c *Call) (Value, error)) (Value, bool) { return pure("deque."+name, f), true }
	switch name {
	case "appendleft":
		return wrap(func(ev *Eval, c *Call) (Value, error) {
			return listMethod("insert")(ev, d.l, NewCall(c.Pos(), append([]Value{Int(0)}, c.Args...)))
		})
	case "popleft":
		return wrap(func(ev *Eval, c *Call) (Value, error) {
			return listMethod("pop")(ev, d.l, NewCall(c.Pos(), []Value{Int(0)}))
		})
	case "extendleft":
		return wrap(func(ev *Eval, c *Call) (Value, error) {
			items, u, err := ev.list(argOr(c, 0, &List{}))
			if err != nil {
				return nil, err
			}
			if u != nil {
				return None, ev.extend(d.l, argOr(c, 0, None))
			}
			ev.Touch(d.l)
			for _, x := range items {
				d.l.Items = slices.Insert(d.l.Items, 0, x)
			}
			return None, ev.work(len(items) * len(d.l.Items) / 16)
		})
	case "rotate":
		return wrap(func(ev *Eval, c *Call) (Value, error) {
			n, ok := intOf(argOr(c, 0, Int(1)))
			if !ok || d.l.taint != nil {
				return NewUnknown(c.Pos(), "rotate by a number that is not known"), nil
			}
			ev.Touch(d.l)
			if k := int64(len(d.l.Items)); k > 0 {
				i := ((-n)%k + k) % k
				d.l.Items = append(slices.Clone(d.l.Items[i:]), d.l.Items[:i]...)
			}
			return None, nil
		})
	case "append", "extend", "pop", "clear", "remove", "count", "index", "insert", "reverse":
		return &BoundMethod{Self: d.l, Fn: &method{name, listMethod(name)}}, true
	case "copy":
		return wrap(func(ev *Eval, c *Call) (Value, error) {
			return newDeque(&List{Items: slices.Clone(d.l.Items), taint: d.l.taint}), nil
		})
	}
	return nil, false
}

func (ev *Eval) counterUpdate(d *Dict, v Value, sign int64) error {
	add := func(k, n Value) error {
		old := Value(Int(0))
		h, u, err := ev.hash(k)
		if err != nil {
			return err
		}
		if u == nil {
			if i := d.find(h); i >= 0 {
				old = d.entries[i].val
			}
		}
		op := OpAdd
		if sign < 0 {
			op = OpSub
		}
		sum, err := ev.binary(op, old, n)
		if err != nil {
			return err
		}
		return d.Store(ev, k, sum)
	}
	if m, ok := v.(*Dict); ok {
		for _, e := range m.entries {
			if e.key != nil {
				if err := add(e.key, e.val); err != nil {
					return err
				}
			}
		}
		if m.taint != nil {
			ev.Touch(d)
			d.taint = taintOf(m.taint, d.taint, false)
		}
		return nil
	}
	items, u, err := ev.list(v)
	if err != nil {
		return err
	}
	for _, x := range items {
		if err := add(x, Int(1)); err != nil {
			return err
		}
	}
	if u != nil {
		ev.Touch(d)
		d.taint = taintOf(u, d.taint, false)
	}
	return nil
}

func (ev *Eval) counterOp(op Op, a, b *Dict) (Value, error) {
	out := &Dict{cls: counterClass, table: table{epoch: ev.epoch}}
	if op != OpAdd && op != OpSub {
		return nil, nil
	}
	tmp := &Dict{}
	tmp.Restore(a.Save())
	sign := int64(1)
	if op == OpSub {
		sign = -1
	}
	if err := ev.counterUpdate(tmp, b, sign); err != nil {
		return nil, err
	}
	for _, e := range tmp.entries {
		if n, ok := intOf(e.val); e.key != nil && (!ok || n > 0) {
			out.put(e.hash, e.key, e.val)
		}
	}
	out.taint = tmp.taint
	return out, nil
}

func sortedCounts(d *Dict) []dictEntry {
	var es []dictEntry
	for _, e := range d.entries {
		if e.key != nil {
			es = append(es, e)
		}
	}
	slices.SortStableFunc(es, func(a, b dictEntry) int {
		x, _ := floatOf(a.val)
		y, _ := floatOf(b.val)
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return es
}

func counterMethod(name string) methodFn {
	return func(ev *Eval, self Value, c *Call) (Value, error) {
		d := self.(*Dict)
		if name == "subtract" {
			return None, ev.counterUpdate(d, argOr(c, 0, NewDict()), -1)
		}
		if d.taint != nil {
			return d.taint.derive(), nil
		}
		l := &List{epoch: ev.epoch}
		switch name {
		case "most_common":
			for _, e := range sortedCounts(d) {
				l.Items = append(l.Items, &Tuple{Items: []Value{e.key, e.val}})
			}
			if n, ok := intOf(argOr(c, 0, None)); ok && int(n) < len(l.Items) {
				l.Items = l.Items[:max(n, 0)]
			}
			return l, nil
		case "total":
			return biSum(ev, NewCall(c.Pos(), []Value{&dictView{d, viewValues}}))
		}
		for _, e := range d.entries {
			n, _ := intOf(e.val)
			for i := int64(0); e.key != nil && i < n; i++ {
				if err := ev.size(1); err != nil {
					return nil, err
				}
				if err := ev.step(); err != nil {
					return nil, err
				}
				l.Items = append(l.Items, e.key)
			}
		}
		return &iterValue{it: &sliceIter{items: l.Items, epoch: ev.epoch}}, nil
	}
}

func stdNamedtuple(ev *Eval, c *Call) (Value, error) {
	b, err := c.Bind(ev, "namedtuple", "typename", "field_names", "*", "rename=", "defaults=", "module=")
	if err != nil {
		return nil, err
	}
	name, ok := b.Value("typename").(Str)
	if !ok {
		return NewUnknown(c.Pos(), "a namedtuple whose name is not known"), nil
	}
	var names []string
	if s, ok := b.Value("field_names").(Str); ok {
		names = strings.Fields(strings.ReplaceAll(string(s), ",", " "))
	} else {
		items, u, err := ev.list(b.Value("field_names"))
		if err != nil {
			return nil, err
		}
		if u != nil {
			return u.derive(), nil
		}
		for _, x := range items {
			s, ok := x.(Str)
			if !ok {
				return NewUnknown(c.Pos(), "a namedtuple whose fields are not known"), nil
			}
			names = append(names, string(s))
		}
	}
	var defaults []Value
	if d := b.Value("defaults"); d != nil && d != None {
		if defaults, _, err = ev.list(d); err != nil {
			return nil, err
		}
	}
	return ev.namedTuple(string(name), names, defaults), nil
}

func (ev *Eval) namedTuple(name string, names []string, defaults []Value) *Class {
	fields := &Tuple{}
	for _, n := range names {
		fields.Items = append(fields.Items, Str(n))
	}
	cls := &Class{Name: name, Module: "collections", Bases: []*Class{tupleClass}, tupleOf: names, defaults: defaults,
		Attrs: NewNamespace("_fields", fields, "__match_args__", fields)}
	cls.Attrs.store("_make", &classMethod{pure("_make", func(ev *Eval, c *Call) (Value, error) {
		if len(c.Args) != 2 {
			return nil, ev.Raisef("TypeError", "_make() takes 2 arguments")
		}
		items, u, err := ev.list(c.Args[1])
		if err != nil {
			return nil, err
		}
		if u != nil {
			return u.derive(), nil
		}
		return ev.call(c.Args[0], NewCall(c.Pos(), items))
	})})
	cls.New = func(ev *Eval, k *Class, c *Call) (Value, error) {
		params := slices.Clone(names)
		for i := range params {
			if i >= len(names)-len(defaults) {
				params[i] += "="
			}
		}
		b, err := c.Bind(ev, name+".__new__", params...)
		if err != nil {
			return nil, err
		}
		t := &Tuple{cls: k, attrs: nil}
		if k.python {
			t.attrs = &Namespace{epoch: ev.epoch}
		}
		for i, n := range names {
			v := b.Value(n)
			if v == nil {
				v = defaults[i-(len(names)-len(defaults))]
			}
			t.Items = append(t.Items, v)
		}
		return t, nil
	}
	return cls
}

func namedTupleMethod(name string) methodFn {
	switch name {
	case "_asdict":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			t := self.(*Tuple)
			d := &Dict{table: table{epoch: ev.epoch}}
			for i, n := range t.cls.tupleOf {
				d.put(Str(n), Str(n), t.Items[i])
			}
			return d, nil
		}
	case "_replace":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			t := self.(*Tuple)
			out := &Tuple{Items: slices.Clone(t.Items), cls: t.cls, attrs: t.attrs}
			for _, k := range c.Kw {
				i := slices.Index(t.cls.tupleOf, k.Name)
				if i < 0 {
					return nil, ev.Raisef("ValueError", "Got unexpected field names: ['%s']", k.Name)
				}
				out.Items[i] = k.Value
			}
			return out, nil
		}
	}
	return nil
}

func stdReduce(ev *Eval, c *Call) (Value, error) {
	if err := need(ev, c, 2, 3); err != nil {
		return nil, err
	}
	items, u, err := ev.list(c.Args[1])
	if err != nil {
		return nil, err
	}
	var acc Value
	if len(c.Args) == 3 {
		acc = c.Args[2]
	}
	for _, x := range items {
		if acc == nil {
			acc = x
			continue
		}
		if acc, err = ev.call(c.Args[0], NewCall(c.Pos(), []Value{acc, x})); err != nil {
			return nil, err
		}
	}
	if u != nil {
		return taintValue(u, acc), nil
	}
	if acc == nil {
		return nil, ev.Raisef("TypeError", "reduce() of empty iterable with no initial value")
	}
	return acc, nil
}

// enumInfo is what an enum class has: its members in the order of definition.
type enumInfo struct {
	members []Value
	byName  map[string]Value
	flag    bool
}

func (e *enumInfo) unique() []Value {
	var out []Value
	for _, m := range e.members {
		if !slices.ContainsFunc(out, func(v Value) bool { return is(v, m) }) {
			out = append(out, m)
		}
	}
	return out
}

func (ev *Eval) stdEnum() *Module {
	auto := &Instance{Object: Object{Cls: ev.libClass("enum", "auto")}}
	base := ev.libClass("enum", "Enum")
	base.Subclass = func(ev *Eval, cls *Class, kw []Kwarg) error { return ev.makeEnum(cls, auto) }
	base.New = func(ev *Eval, cls *Class, c *Call) (Value, error) {
		if cls.enum == nil || len(cls.enum.members) == 0 {
			if len(c.Args) >= 2 {
				return ev.functionalEnum(cls, c, auto)
			}
		}
		if cls.enum == nil || len(c.Args) != 1 {
			return nil, ev.Raisef("TypeError", "%s() takes one value", cls.Name)
		}
		if u, ok := c.Args[0].(*Unknown); ok {
			return u.derive(), nil
		}
		for _, m := range cls.enum.members {
			if is(m, c.Args[0]) {
				return m, nil
			}
			v, _ := m.(*Instance).Attrs.Load("_value_")
			if eq, _, err := ev.Equal(v, c.Args[0]); err != nil {
				return nil, err
			} else if eq {
				return m, nil
			}
		}
		if cls.enum.flag {
			return NewUnknown(c.Pos(), "combined flags are not modelled"), nil
		}
		s, err := ev.repr(c.Args[0])
		if err != nil {
			return nil, err
		}
		text, _ := s.(Str)
		return nil, ev.Raisef("ValueError", "%s is not a valid %s", text, cls.Name)
	}
	base.ClassAttr = func(ev *Eval, cls *Class, name string) (Value, bool) {
		if name == "__members__" && cls.enum != nil {
			d := NewDict()
			for n, k := range cls.enum.byName {
				_ = n
				_ = k
			}
			for _, n := range cls.Attrs.names {
				if m, ok := cls.enum.byName[n]; ok {
					d.put(Str(n), Str(n), m)
				}
			}
			return d, true
		}
		return nil, false
	}
	attr := func(n string) *Property {
		return &Property{Fget: pure(n, func(ev *Eval, c *Call) (Value, error) {
			if x, ok := c.Args[0].(*Instance); ok {
				if v, ok := x.Attrs.Load("_" + n + "_"); ok {
					return v, nil
				}
			}
			return nil, ev.Raisef("AttributeError", "no attribute '%s'", n)
		})}
	}
	text := func(repr bool) *Native {
		return &Native{Name: "__str__", Pure: true, Fn: func(ev *Eval, c *Call) (Value, error) {
			x, ok := c.Args[0].(*Instance)
			if !ok {
				return NewUnknown(c.Pos(), "the text of an enum"), nil
			}
			n, _ := x.Attrs.Load("_name_")
			v, _ := x.Attrs.Load("_value_")
			if !repr {
				if x.Cls.Derives(ev.libClass("enum", "StrEnum")) || x.Cls.Derives(ev.libClass("enum", "IntEnum")) {
					return ev.str(v)
				}
				return Str(x.Cls.Name) + "." + n.(Str), nil
			}
			s, err := ev.repr(v)
			if t, ok := s.(Str); ok {
				return "<" + Str(x.Cls.Name) + "." + n.(Str) + ": " + t + ">", err
			}
			return s, err
		}}
	}
	base.Attrs = NewNamespace("name", attr("name"), "value", attr("value"), "__str__", text(false), "__repr__", text(true))
	derive := func(name string, bases ...*Class) *Class {
		c := ev.libClass("enum", name)
		c.Bases = append(bases, base)
		return c
	}
	intEnum := derive("IntEnum", intClass)
	strEnum := derive("StrEnum", strClass)
	return NewModule("enum", "Enum", base, "IntEnum", intEnum, "StrEnum", strEnum,
		"Flag", derive("Flag"), "IntFlag", derive("IntFlag", intClass),
		"EnumMeta", &Class{Name: "EnumMeta", Bases: []*Class{typeClass}}, "EnumType", &Class{Name: "EnumMeta", Bases: []*Class{typeClass}},
		"auto", pure("auto", func(*Eval, *Call) (Value, error) { return auto, nil }),
		"unique", pure("unique", func(ev *Eval, c *Call) (Value, error) { return argOr(c, 0, None), nil }))
}

// makeEnum turns the plain attributes of an enum class into members.
func (ev *Eval) makeEnum(cls *Class, auto *Instance) error {
	cls.enum = &enumInfo{byName: map[string]Value{}, flag: cls.Derives(ev.libClass("enum", "Flag")) || cls.Derives(ev.libClass("enum", "IntFlag"))}
	last := Value(Int(0))
	lower := cls.Derives(ev.libClass("enum", "StrEnum"))
	for _, n := range cls.Attrs.Names() {
		v, _ := cls.Attrs.Load(n)
		if strings.HasPrefix(n, "_") {
			continue
		}
		switch v.(type) {
		case *Func, *Property, *staticMethod, *classMethod, *Class, *Native:
			continue
		}
		if v == Value(auto) {
			if lower {
				v = Str(strings.ToLower(n))
			} else if i, ok := intOf(last); ok {
				if cls.enum.flag && i > 0 {
					v = Int(i * 2)
				} else {
					v = Int(i + 1)
				}
			} else {
				v = NewUnknown(ev.Pos(), "the value of auto() is not modelled here")
			}
		}
		last = v
		alias := false
		for _, m := range cls.enum.members {
			old, _ := m.(*Instance).Attrs.Load("_value_")
			if eq, _, err := ev.Equal(old, v); err != nil {
				return err
			} else if eq {
				cls.enum.byName[n], alias = m, true
				cls.Attrs.store(n, m)
				break
			}
		}
		if alias {
			continue
		}
		m := NewInstance(cls)
		for _, b := range []*Class{strClass, intClass, floatClass} {
			if cls.Derives(b) {
				m.base = v
			}
		}
		if init, k, ok := cls.find("__init__"); ok && k.python {
			args := []Value{m}
			if t, ok := v.(*Tuple); ok {
				args = append(args, t.Items...)
			} else {
				args = append(args, v)
			}
			m.Attrs.store("_name_", Str(n))
			m.Attrs.store("_value_", v)
			if _, err := ev.call(init, NewCall(ev.Pos(), args)); err != nil {
				return err
			}
		}
		m.Attrs.store("_name_", Str(n))
		m.Attrs.store("_value_", v)
		cls.enum.members = append(cls.enum.members, m)
		cls.enum.byName[n] = m
		cls.Attrs.store(n, m)
	}
	return nil
}

// functionalEnum is Enum("Name", "a b c").
func (ev *Eval) functionalEnum(base *Class, c *Call, auto *Instance) (Value, error) {
	name, ok := c.Args[0].(Str)
	if !ok {
		return NewUnknown(c.Pos(), "an enum whose name is not known"), nil
	}
	ns := NewNamespace("__module__", Str("enum"), "__qualname__", name)
	switch x := c.Args[1].(type) {
	case Str:
		for i, n := range strings.Fields(strings.ReplaceAll(string(x), ",", " ")) {
			ns.store(n, Int(i+1))
		}
	case *Dict:
		for _, e := range x.entries {
			if s, ok := e.key.(Str); ok {
				ns.store(string(s), e.val)
			}
		}
	default:
		items, u, err := ev.list(x)
		if err != nil {
			return nil, err
		}
		if u != nil {
			return u.derive(), nil
		}
		for i, it := range items {
			switch p := it.(type) {
			case Str:
				ns.store(string(p), Int(i+1))
			case *Tuple:
				if len(p.Items) == 2 {
					if s, ok := p.Items[0].(Str); ok {
						ns.store(string(s), p.Items[1])
					}
				}
			}
		}
	}
	return ev.makeClass(string(name), []Value{base}, nil, ns, nil, c.Pos())
}
