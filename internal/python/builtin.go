package python

import (
	"math"
	"math/big"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type nativeFn = func(ev *Eval, call *Call) (Value, error)

// builtin gives a built-in name, or nil.
func (ev *Eval) builtin(name string) Value {
	if v, ok := ev.builtins[name]; ok {
		return v
	}
	v := ev.makeBuiltin(name)
	if v != nil {
		if ev.builtins == nil {
			ev.builtins = map[string]Value{}
		}
		ev.builtins[name] = v
	}
	return v
}

func (ev *Eval) makeBuiltin(name string) Value {
	if c := builtinClass(name); c != nil && name != "NoneType" {
		return c
	}
	switch name {
	case "unicode", "basestring": // Python 2
		return strClass
	case "long":
		return intClass
	case "NotImplemented":
		return notImplementedType{}
	case "Ellipsis":
		return EllipsisType{}
	case "__debug__":
		return Bool(true)
	case "unichr":
		name = "chr"
	case "xrange":
		return rangeClass
	case "raw_input":
		name = "input"
	}
	if f := builtinFunc(name); f != nil {
		return &Native{Name: name, Fn: f, Pure: true}
	}
	return nil
}

func builtinFunc(name string) nativeFn {
	switch name {
	case "print":
		return biPrint
	case "len":
		return biLen
	case "repr":
		return func(ev *Eval, c *Call) (Value, error) { return one(ev, c, "repr", ev.repr) }
	case "ascii":
		return func(ev *Eval, c *Call) (Value, error) {
			return one(ev, c, "ascii", func(v Value) (Value, error) { return ev.convertFormat(v, 'a', Str("")) })
		}
	case "isinstance":
		return func(ev *Eval, c *Call) (Value, error) {
			if len(c.Args) != 2 {
				return nil, ev.Raisef("TypeError", "isinstance expected 2 arguments, got %d", len(c.Args))
			}
			return ev.isInstance(c.Args[0], c.Args[1])
		}
	case "issubclass":
		return biIsSubclass
	case "getattr":
		return biGetattr
	case "hasattr":
		return biHasattr
	case "setattr":
		return func(ev *Eval, c *Call) (Value, error) {
			if len(c.Args) != 3 {
				return nil, ev.Raisef("TypeError", "setattr expected 3 arguments, got %d", len(c.Args))
			}
			if s, ok := unbase(c.Args[1]).(Str); ok {
				return None, ev.setAttr(c.Args[0], string(s), c.Args[2])
			}
			if u, ok := c.Args[1].(*Unknown); ok {
				return None, ev.blur(c.Args[0], u)
			}
			return nil, ev.Raisef("TypeError", "attribute name must be string, not '%s'", c.Args[1].TypeName())
		}
	case "delattr":
		return func(ev *Eval, c *Call) (Value, error) {
			if len(c.Args) == 2 {
				if s, ok := c.Args[1].(Str); ok {
					return None, ev.delAttr(c.Args[0], string(s))
				}
			}
			return NewUnknown(c.Pos(), "delattr of a name that is not known"), nil
		}
	case "callable":
		return func(ev *Eval, c *Call) (Value, error) {
			return one(ev, c, "callable", func(v Value) (Value, error) {
				switch v := v.(type) {
				case *Func, *Native, *BoundMethod, *Class, *method, Caller, *staticMethod:
					return Bool(true), nil
				case *Unknown:
					return v.derive(), nil
				}
				_, ok := ClassOf(v).Lookup("__call__")
				return Bool(ok), nil
			})
		}
	case "abs":
		return func(ev *Eval, c *Call) (Value, error) { return one(ev, c, "abs", ev.abs) }
	case "min":
		return func(ev *Eval, c *Call) (Value, error) { return ev.extreme(c, OpLt, "min") }
	case "max":
		return func(ev *Eval, c *Call) (Value, error) { return ev.extreme(c, OpGt, "max") }
	case "sum":
		return biSum
	case "any":
		return func(ev *Eval, c *Call) (Value, error) { return ev.anyAll(c, true) }
	case "all":
		return func(ev *Eval, c *Call) (Value, error) { return ev.anyAll(c, false) }
	case "sorted":
		return biSorted
	case "reversed":
		return func(ev *Eval, c *Call) (Value, error) { return one(ev, c, "reversed", ev.reversed) }
	case "enumerate":
		return biEnumerate
	case "zip":
		return biZip
	case "map":
		return biMap
	case "filter":
		return biFilter
	case "iter":
		return biIter
	case "next":
		return biNext
	case "hash":
		return func(ev *Eval, c *Call) (Value, error) {
			return one(ev, c, "hash", func(v Value) (Value, error) {
				h, u, err := ev.hash(v)
				if err != nil {
					return nil, err
				}
				if u != nil {
					return u.derive(), nil
				}
				if i, ok := h.(Int); ok && i >= 0 && i < 1<<60 {
					return i, nil
				}
				return NewUnknown(c.Pos(), "a hash differs from run to run"), nil
			})
		}
	case "id":
		return func(ev *Eval, c *Call) (Value, error) {
			return NewUnknown(c.Pos(), "id() differs from run to run"), nil
		}
	case "ord":
		return func(ev *Eval, c *Call) (Value, error) {
			return one(ev, c, "ord", func(v Value) (Value, error) {
				switch s := unbase(v).(type) {
				case Str:
					if strLen(string(s)) == 1 {
						r, n := utf8.DecodeRuneInString(string(s))
						if r == utf8.RuneError && n == 1 {
							return Int(surrogate(string(s))), nil
						}
						return Int(r), nil
					}
					return nil, ev.Raisef("TypeError", "ord() expected a character, but string of length %d found", strLen(string(s)))
				case Bytes:
					if len(s) == 1 {
						return Int(s[0]), nil
					}
				}
				return nil, ev.Raisef("TypeError", "ord() expected string of length 1, but %s found", v.TypeName())
			})
		}
	case "chr":
		return func(ev *Eval, c *Call) (Value, error) {
			return one(ev, c, "chr", func(v Value) (Value, error) {
				i, ok := intOf(v)
				if !ok {
					return nil, ev.Raisef("TypeError", "'%s' object cannot be interpreted as an integer", v.TypeName())
				}
				if i < 0 || i > unicode.MaxRune {
					return nil, ev.Raisef("ValueError", "chr() arg not in range(0x110000)")
				}
				if i >= 0xD800 && i < 0xE000 {
					return Str([]byte{0xE0 | byte(i>>12), 0x80 | byte(i>>6)&0x3f, 0x80 | byte(i)&0x3f}), nil
				}
				return Str(string(rune(i))), nil
			})
		}
	case "hex":
		return func(ev *Eval, c *Call) (Value, error) {
			return one(ev, c, "hex", func(v Value) (Value, error) { return ev.radix(v, "#x") })
		}
	case "oct":
		return func(ev *Eval, c *Call) (Value, error) {
			return one(ev, c, "oct", func(v Value) (Value, error) { return ev.radix(v, "#o") })
		}
	case "bin":
		return func(ev *Eval, c *Call) (Value, error) {
			return one(ev, c, "bin", func(v Value) (Value, error) { return ev.radix(v, "#b") })
		}
	case "divmod":
		return func(ev *Eval, c *Call) (Value, error) {
			if len(c.Args) != 2 {
				return nil, ev.Raisef("TypeError", "divmod expected 2 arguments, got %d", len(c.Args))
			}
			q, err := ev.binary(OpFloorDiv, c.Args[0], c.Args[1])
			if err != nil {
				return nil, err
			}
			m, err := ev.binary(OpMod, c.Args[0], c.Args[1])
			if err != nil {
				return nil, err
			}
			return &Tuple{Items: []Value{q, m}}, nil
		}
	case "pow":
		return biPow
	case "round":
		return biRound
	case "format":
		return func(ev *Eval, c *Call) (Value, error) {
			b, err := c.Bind(ev, "format", "value", "format_spec=")
			if err != nil {
				return nil, err
			}
			spec := b.Value("format_spec")
			if spec == nil {
				spec = Str("")
			}
			return ev.format(b.Value("value"), spec)
		}
	case "vars":
		return func(ev *Eval, c *Call) (Value, error) {
			if len(c.Args) == 1 {
				return ev.getAttr(c.Args[0], "__dict__")
			}
			return NewUnknown(c.Pos(), "vars() is not modelled"), nil
		}
	case "dir":
		return biDir
	case "globals", "locals":
		return func(ev *Eval, c *Call) (Value, error) {
			if ev.fr == nil {
				return NewUnknown(c.Pos(), name+"() is not modelled"), nil
			}
			if name == "globals" || ev.fr.ns != nil {
				// A copy: writing into it is not modelled, so it is marked.
				d := NewDict()
				ns := ev.fr.globals.Attrs
				if name == "locals" {
					ns = ev.fr.ns
				}
				for i, n := range ns.names {
					d.put(Str(n), Str(n), ns.vals[i])
				}
				return &namespaceDict{d: d, ns: ns, name: name}, nil
			}
			return NewUnknown(c.Pos(), "locals() is not modelled"), nil
		}
	case "super":
		return biSuper
	case "eval", "exec", "compile":
		return func(ev *Eval, c *Call) (Value, error) {
			u := NewUnknown(c.Pos(), name+" runs text as code, which is never done")
			u.Acts = true
			if name != "compile" {
				ev.Gap(Gap{Pos: c.Pos(), What: name, Why: u.Why})
			}
			return u, nil
		}
	case "__import__":
		return func(ev *Eval, c *Call) (Value, error) {
			if len(c.Args) > 0 {
				if s, ok := c.Args[0].(Str); ok {
					top, _, _ := strings.Cut(string(s), ".")
					m, err := ev.importModule(string(s))
					if err != nil || len(c.Args) > 3 {
						return m, err
					}
					return ev.importModule(top)
				}
			}
			return &Unknown{Pos: c.Pos(), Why: "__import__ with a name that is computed", Acts: true}, nil
		}
	case "__build_class__":
		return nil
	case "open", "input", "breakpoint":
		return func(ev *Eval, c *Call) (Value, error) {
			return NewUnknown(c.Pos(), name+"() reads from outside of the repository's code"), nil
		}
	case "exit", "quit":
		return func(ev *Eval, c *Call) (Value, error) {
			return nil, ev.Raise(exceptionClass("SystemExit"), c.Args...)
		}
	case "memoryview", "complex":
		return func(ev *Eval, c *Call) (Value, error) { return NewUnknown(c.Pos(), name+" is not modelled"), nil }
	case "aiter", "anext":
		return nil
	case "cmp":
		return func(ev *Eval, c *Call) (Value, error) {
			if len(c.Args) != 2 {
				return nil, ev.Raisef("TypeError", "cmp expected 2 arguments")
			}
			lt, u, err := ev.lessThan(c.Args[0], c.Args[1])
			if err != nil {
				return nil, err
			}
			if u != nil {
				return u.derive(), nil
			}
			if lt {
				return Int(-1), nil
			}
			gt, _, err := ev.lessThan(c.Args[1], c.Args[0])
			if gt {
				return Int(1), err
			}
			return Int(0), err
		}
	case "reduce":
		return stdReduce
	}
	return nil
}

// namespaceDict is globals(): a dict that is read from, and whose writes go to the namespace.
type namespaceDict struct {
	d    *Dict
	ns   *Namespace
	name string
}

// TypeName implements Value.
func (*namespaceDict) TypeName() string { return "dict" }

// Index implements Indexer.
func (n *namespaceDict) Index(ev *Eval, key Value) (Value, error) { return ev.index(n.d, key) }

// SetIndex implements IndexSetter.
func (n *namespaceDict) SetIndex(ev *Eval, key, v Value) error {
	s, ok := key.(Str)
	if !ok {
		return ev.blurNS(n.ns, NewUnknown(ev.Pos(), "a global is assigned whose name is not known"))
	}
	if v == nil {
		n.ns.Delete(ev, string(s))
		return nil
	}
	n.ns.Store(ev, string(s), v)
	return nil
}

// Iterate implements Iterable.
func (n *namespaceDict) Iterate(ev *Eval) ([]Value, *Unknown, error) { return n.d.keys(), nil, nil }

// Contains implements Container.
func (n *namespaceDict) Contains(ev *Eval, key Value) (Value, error) { return ev.contains(n.d, key) }

// Attr implements Attrer.
func (n *namespaceDict) Attr(ev *Eval, name string) (Value, bool) {
	switch name {
	case "get", "items", "keys", "values", "copy":
		v, err := ev.lookup(n.d, name)
		return v, err == nil && v != nil
	}
	return NewUnknown(ev.Pos(), n.name+"()."+name+" is not modelled"), true
}

// blur makes all attributes of a value unknown.
func (ev *Eval) blur(v Value, u *Unknown) error {
	switch x := v.(type) {
	case *Module:
		return ev.blurNS(x.Attrs, u)
	case objecter:
		return ev.blurNS(&x.object().Attrs, u)
	case *Class:
		if x.python {
			x.partial = u
		}
	}
	return nil
}

func (ev *Eval) blurNS(ns *Namespace, u *Unknown) error {
	ev.Touch(ns)
	for i := range ns.vals {
		ns.vals[i] = &Unknown{Pos: u.Pos, Why: u.Why, Acts: ev.mayAct(ns.vals[i])}
	}
	ns.taint = u
	return nil
}

// one calls f with the only argument. f gets an Unknown as it is.
func one(ev *Eval, c *Call, name string, f func(v Value) (Value, error)) (Value, error) {
	if len(c.Args) != 1 || len(c.Kw) > 0 {
		return nil, ev.Raisef("TypeError", "%s() takes exactly one argument (%d given)", name, len(c.Args))
	}
	if u, ok := c.Args[0].(*Unknown); ok {
		return ev.unknownResult([]Value{u}, func(vs []Value) (Value, error) { return f(vs[0]) }), nil
	}
	return f(c.Args[0])
}

func (ev *Eval) print(args []Value, sep, end string) error {
	var b strings.Builder
	for i, a := range args {
		if i > 0 {
			b.WriteString(sep)
		}
		s, err := ev.str(a)
		if err != nil {
			return err
		}
		if u, ok := s.(*Unknown); ok {
			b.WriteString(u.Prefix + "<unknown: " + u.Why + ">")
			continue
		}
		b.WriteString(string(s.(Str)))
	}
	b.WriteString(end)
	if err := ev.work(b.Len() >> 4); err != nil {
		return err
	}
	if ev.cfg.Stdout != nil {
		if _, err := ev.cfg.Stdout.Write([]byte(b.String())); err != nil {
			return ev.abort("a failed write")
		}
	}
	return nil
}

func biPrint(ev *Eval, c *Call) (Value, error) {
	sep, end := " ", "\n"
	for _, k := range c.Kw {
		s, ok := k.Value.(Str)
		switch k.Name {
		case "sep":
			if ok {
				sep = string(s)
			}
		case "end":
			if ok {
				end = string(s)
			}
		}
	}
	return None, ev.print(c.Args, sep, end)
}

func (ev *Eval) length(v Value) (Value, error) {
	switch x := v.(type) {
	case Str:
		return Int(strLen(string(x))), nil
	case Bytes:
		return Int(len(x)), nil
	case *bytearray:
		return Int(len(x.b)), nil
	case *List:
		if x.taint != nil {
			return taintLen(x.taint, len(x.Items)), nil
		}
		return Int(len(x.Items)), nil
	case *Tuple:
		return Int(len(x.Items)), nil
	case *Set:
		if x.taint != nil {
			return taintLen(x.taint, x.live), nil
		}
		return Int(x.live), nil
	case *dictView:
		return ev.length(&Dict{table: table{live: x.d.live, taint: x.d.taint}})
	case *Range:
		return Int(x.Len()), nil
	case *Class:
		if x.enum != nil {
			return Int(len(x.enum.unique())), nil
		}
	}
	if m, ok := ev.special(v, "__len__"); ok {
		return ev.call(m, NewCall(ev.Pos(), nil))
	}
	switch x := v.(type) {
	case *Dict:
		if x.taint != nil {
			return taintLen(x.taint, x.live), nil
		}
		return Int(x.live), nil
	case Sizer:
		return x.Size(ev)
	case *Instance:
		if x.base != nil {
			return ev.length(x.base)
		}
		if u := x.Cls.isPartial(); u != nil {
			return u.derive(), nil
		}
	}
	return nil, ev.Raisef("TypeError", "object of type '%s' has no len()", v.TypeName())
}

func taintLen(u *Unknown, n int) Value {
	if u.Data {
		return &Unknown{Pos: u.Pos, Why: u.Why, Data: true, Empty: Int(n)}
	}
	return u.derive()
}

func biLen(ev *Eval, c *Call) (Value, error) { return one(ev, c, "len", ev.length) }

func biIsSubclass(ev *Eval, c *Call) (Value, error) {
	if len(c.Args) != 2 {
		return nil, ev.Raisef("TypeError", "issubclass expected 2 arguments, got %d", len(c.Args))
	}
	if u := UnknownIn(&Tuple{Items: c.Args}); u != nil {
		return u.derive(), nil
	}
	k, ok := c.Args[0].(*Class)
	if !ok {
		return nil, ev.Raisef("TypeError", "issubclass() arg 1 must be a class")
	}
	bases := []Value{c.Args[1]}
	if t, ok := c.Args[1].(*Tuple); ok {
		bases = t.Items
	}
	for _, b := range bases {
		if b, ok := b.(*Class); ok && k.Derives(b) {
			return Bool(true), nil
		}
	}
	if u := k.isPartial(); u != nil {
		return u.derive(), nil
	}
	return Bool(false), nil
}

func biGetattr(ev *Eval, c *Call) (Value, error) {
	if len(c.Args) < 2 || len(c.Args) > 3 {
		return nil, ev.Raisef("TypeError", "getattr expected 2 or 3 arguments, got %d", len(c.Args))
	}
	s, ok := unbase(c.Args[1]).(Str)
	if !ok {
		if u, ok := c.Args[1].(*Unknown); ok {
			return &Unknown{Pos: u.Pos, Why: u.Why, Data: u.Data, Acts: u.Acts || ev.mayAct(c.Args[0])}, nil
		}
		return nil, ev.Raisef("TypeError", "attribute name must be string, not '%s'", c.Args[1].TypeName())
	}
	if len(c.Args) == 2 {
		return ev.getAttr(c.Args[0], string(s))
	}
	v, u, err := ev.catching(exceptionClass("AttributeError"), func() (Value, error) { return ev.lookup(c.Args[0], string(s)) })
	if err == nil && u != nil {
		return &Unknown{Pos: u.Pos, Why: u.Why, Acts: u.Acts || v != nil && ev.mayAct(v) || ev.mayAct(c.Args[2])}, nil
	}
	if err == nil && v != nil {
		return v, nil
	}
	if err == nil || isAttributeError(err) {
		return c.Args[2], nil
	}
	return nil, err
}

func isAttributeError(err error) bool {
	r, ok := err.(*Raise)
	return ok && r.Exc.Cls.Derives(exceptionClass("AttributeError"))
}

func biHasattr(ev *Eval, c *Call) (Value, error) {
	if len(c.Args) != 2 {
		return nil, ev.Raisef("TypeError", "hasattr expected 2 arguments, got %d", len(c.Args))
	}
	s, ok := unbase(c.Args[1]).(Str)
	if !ok {
		if u, ok := c.Args[1].(*Unknown); ok {
			return u.derive(), nil
		}
		return nil, ev.Raisef("TypeError", "attribute name must be string, not '%s'", c.Args[1].TypeName())
	}
	if u, ok := c.Args[0].(*Unknown); ok {
		return u.derive(), nil
	}
	v, maybe, err := ev.catching(exceptionClass("AttributeError"), func() (Value, error) { return ev.lookup(c.Args[0], string(s)) })
	if err != nil {
		if isAttributeError(err) {
			return Bool(false), nil
		}
		return nil, err
	}
	if maybe != nil {
		return &Unknown{Pos: maybe.Pos, Why: maybe.Why}, nil
	}
	if u, ok := v.(*Unknown); ok {
		if _, own := c.Args[0].(*Module); own && strings.HasSuffix(u.Why, "is not modelled") {
			return u.derive(), nil
		}
		if p := partialOf(c.Args[0]); p == u {
			return u.derive(), nil
		}
	}
	return Bool(v != nil), nil
}

func (ev *Eval) abs(v Value) (Value, error) {
	switch x := unbase(v).(type) {
	case Int:
		if x < 0 {
			return ev.unary(OpNeg, x)
		}
		return x, nil
	case Bool:
		i, _ := intOf(x)
		return Int(i), nil
	case *BigInt:
		return IntValue(new(big.Int).Abs(x.V)), nil
	case Float:
		return Float(math.Abs(float64(x))), nil
	}
	if m, ok := ev.special(v, "__abs__"); ok {
		return ev.call(m, NewCall(ev.Pos(), nil))
	}
	return nil, ev.Raisef("TypeError", "bad operand type for abs(): '%s'", v.TypeName())
}

func (ev *Eval) radix(v Value, spec string) (Value, error) {
	if bigOf(unbase(v)) == nil {
		if m, ok := ev.special(v, "__index__"); ok {
			r, err := ev.call(m, NewCall(ev.Pos(), nil))
			if err != nil {
				return nil, err
			}
			v = r
		}
		if bigOf(unbase(v)) == nil {
			return nil, ev.Raisef("TypeError", "'%s' object cannot be interpreted as an integer", v.TypeName())
		}
	}
	return ev.formatInt(unbase(v), spec)
}

// lessThan is a < b as a truth.
func (ev *Eval) lessThan(a, b Value) (bool, *Unknown, error) {
	r, err := ev.compare(OpLt, a, b)
	if err != nil {
		return false, nil, err
	}
	return ev.Truth(r)
}

func (ev *Eval) extreme(c *Call, op Op, name string) (Value, error) {
	var key, def Value
	for _, k := range c.Kw {
		switch k.Name {
		case "key":
			key = k.Value
		case "default":
			def = k.Value
		}
	}
	items := c.Args
	if len(items) == 0 {
		return nil, ev.Raisef("TypeError", "%s expected at least 1 argument, got 0", name)
	}
	if len(items) == 1 {
		var u *Unknown
		var err error
		if items, u, err = ev.list(items[0]); err != nil {
			return nil, err
		}
		if u != nil {
			return u.derive(), nil
		}
		if len(items) == 0 {
			if def != nil {
				return def, nil
			}
			return nil, ev.Raisef("ValueError", "%s() arg is an empty sequence", name)
		}
	}
	var best, bestKey Value
	for _, x := range items {
		k := x
		if key != nil && key != None {
			var err error
			if k, err = ev.call(key, NewCall(ev.Pos(), []Value{x})); err != nil {
				return nil, err
			}
		}
		if best == nil {
			best, bestKey = x, k
			if u, ok := k.(*Unknown); ok {
				return u.derive(), nil
			}
			continue
		}
		r, err := ev.compare(op, k, bestKey)
		if err != nil {
			return nil, err
		}
		t, u, err := ev.Truth(r)
		if err != nil {
			return nil, err
		}
		if u != nil {
			return u.derive(), nil
		}
		if t {
			best, bestKey = x, k
		}
	}
	return best, nil
}

func biSum(ev *Eval, c *Call) (Value, error) {
	b, err := c.Bind(ev, "sum", "iterable", "start=")
	if err != nil {
		return nil, err
	}
	var acc Value = Int(0)
	if s := b.Value("start"); s != nil {
		acc = s
	}
	if _, ok := acc.(Str); ok {
		return nil, ev.Raisef("TypeError", "sum() can't sum strings [use ''.join(seq) instead]")
	}
	it, err := ev.iter(b.Value("iterable"))
	if err != nil {
		return nil, err
	}
	for {
		if err := ev.step(); err != nil {
			return nil, err
		}
		x, ok, err := it.next(ev)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if acc, err = ev.binary(OpAdd, acc, x); err != nil {
			return nil, err
		}
	}
	if u := it.taint(); u != nil {
		return taintValue(u, acc), nil
	}
	return acc, nil
}

// taintValue gives the result of a computation over items that are not all known.
func taintValue(u *Unknown, without Value) Value {
	if u.Data {
		return &Unknown{Pos: u.Pos, Why: u.Why, Data: true, Empty: without, Acts: u.Acts}
	}
	return u.derive()
}

func (ev *Eval) anyAll(c *Call, any bool) (Value, error) {
	if len(c.Args) != 1 {
		return nil, ev.Raisef("TypeError", "takes exactly one argument (%d given)", len(c.Args))
	}
	it, err := ev.iter(c.Args[0])
	if err != nil {
		return nil, err
	}
	var unknown *Unknown
	for {
		if err := ev.step(); err != nil {
			return nil, err
		}
		x, ok, err := it.next(ev)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		t, u, err := ev.Truth(x)
		if err != nil {
			return nil, err
		}
		if u != nil {
			if unknown == nil {
				unknown = u
			}
			continue
		}
		if t == any {
			return Bool(any), nil
		}
	}
	if unknown != nil {
		return unknown.derive(), nil
	}
	if u := it.taint(); u != nil {
		return taintValue(u, Bool(!any)), nil
	}
	return Bool(!any), nil
}

// sortItems sorts in place. The Unknown is set if the order is not known.
func (ev *Eval) sortItems(items []Value, key Value, reverse bool) (*Unknown, error) {
	if err := ev.work(len(items) * 4); err != nil {
		return nil, err
	}
	keys := items
	if key != nil && key != None {
		keys = make([]Value, len(items))
		for i, x := range items {
			k, err := ev.call(key, NewCall(ev.Pos(), []Value{x}))
			if err != nil {
				return nil, err
			}
			keys[i] = k
		}
	}
	type pair struct{ k, v Value }
	ps := make([]pair, len(items))
	for i := range items {
		ps[i] = pair{keys[i], items[i]}
	}
	var failed error
	var unknown *Unknown
	sort.SliceStable(ps, func(i, j int) bool {
		if failed != nil || unknown != nil {
			return false
		}
		a, b := ps[i].k, ps[j].k
		if reverse {
			a, b = b, a
		}
		t, u, err := ev.lessThan(a, b)
		if err != nil {
			failed = err
		}
		if u != nil {
			unknown = u
		}
		return t
	})
	if failed != nil {
		return nil, failed
	}
	if unknown == nil {
		for i, p := range ps {
			items[i] = p.v
		}
	}
	return unknown, nil
}

func biSorted(ev *Eval, c *Call) (Value, error) {
	b, err := c.Bind(ev, "sorted", "iterable", "*", "key=", "reverse=")
	if err != nil {
		return nil, err
	}
	setOrder := ev.setOrder
	items, u, err := ev.list(b.Value("iterable"))
	if err != nil {
		return nil, err
	}
	ev.setOrder = setOrder
	items = slices.Clone(items)
	reverse := false
	if r := b.Value("reverse"); r != nil {
		if reverse, _, err = ev.Truth(r); err != nil {
			return nil, err
		}
	}
	if u == nil || u.Data {
		su, err := ev.sortItems(items, b.Value("key"), reverse)
		if err != nil {
			return nil, err
		}
		if su != nil {
			return &List{taint: taintOf(su, u, ev.mayAct(&Tuple{Items: items}))}, nil
		}
	}
	return &List{Items: items, taint: u, epoch: ev.epoch}, nil
}

func (ev *Eval) reversed(v Value) (Value, error) {
	if m, ok := ev.special(v, "__reversed__"); ok {
		return ev.call(m, NewCall(ev.Pos(), nil))
	}
	switch v.(type) {
	case *Set, *Generator:
		return nil, ev.Raisef("TypeError", "'%s' object is not reversible", v.TypeName())
	}
	items, u, err := ev.list(v)
	if err != nil {
		return nil, err
	}
	items = slices.Clone(items)
	slices.Reverse(items)
	return &iterValue{it: &sliceIter{items: items, u: u, epoch: ev.epoch}, name: "reversed"}, nil
}

func biEnumerate(ev *Eval, c *Call) (Value, error) {
	b, err := c.Bind(ev, "enumerate", "iterable", "start=")
	if err != nil {
		return nil, err
	}
	n := int64(0)
	if s := b.Value("start"); s != nil {
		var ok bool
		if n, ok = intOf(s); !ok {
			return NewUnknown(c.Pos(), "enumerate with a start that is not known"), nil
		}
	}
	it, err := ev.iter(b.Value("iterable"))
	if err != nil {
		return nil, err
	}
	return &iterValue{name: "enumerate", it: &mapIter{its: []iterator{it}, iterState: iterState{n: n}, f: func(ev *Eval, m *mapIter, vs []Value) (Value, bool, error) {
		m.n++
		return &Tuple{Items: []Value{Int(m.n - 1), vs[0]}}, true, nil
	}}}, nil
}

// mapIter computes items from those of other iterators.
type mapIter struct {
	iterState
	its     []iterator
	fn      Value // what f calls, if map or filter
	f       func(ev *Eval, m *mapIter, vs []Value) (v Value, keep bool, err error)
	strict  bool
	longest bool
	fill    Value
}

// Restore implements Mutable.
func (m *mapIter) Restore(s any) { m.iterState = s.(iterState) }

func (m *mapIter) next(ev *Eval) (Value, bool, error) {
	if m.epoch != ev.epoch {
		ev.Touch(m)
	}
	for !m.ended {
		if err := ev.step(); err != nil {
			return nil, false, err
		}
		vs := make([]Value, len(m.its))
		some := false
		for i, it := range m.its {
			x, ok, err := it.next(ev)
			if err != nil {
				return nil, false, err
			}
			if !ok {
				if u := it.taint(); u != nil && m.u == nil {
					m.u = u
				}
				if m.longest {
					vs[i] = m.fill
					continue
				}
				if m.strict && m.u == nil {
					if i > 0 {
						return nil, false, ev.Raisef("ValueError", "zip() argument %d is shorter than argument%s", i+1, upTo(i))
					}
					for j := range m.its[1:] {
						if _, more, err := m.its[j+1].next(ev); err != nil {
							return nil, false, err
						} else if more {
							return nil, false, ev.Raisef("ValueError", "zip() argument %d is longer than argument%s", j+2, upTo(j+1))
						}
					}
				}
				m.ended = true
				return nil, false, nil
			}
			some = true
			vs[i] = x
		}
		if m.longest && !some {
			m.ended = true
			return nil, false, nil
		}
		v, keep, err := m.f(ev, m, vs)
		if err != nil {
			return nil, false, err
		}
		if keep {
			return v, true, nil
		}
	}
	return nil, false, nil
}

func upTo(i int) string {
	if i == 1 {
		return " 1"
	}
	return "s 1-" + strconv.Itoa(i)
}

func (ev *Eval) iters(vs []Value) ([]iterator, error) {
	out := make([]iterator, len(vs))
	for i, v := range vs {
		it, err := ev.iter(v)
		if err != nil {
			return nil, err
		}
		out[i] = it
	}
	return out, nil
}

func biZip(ev *Eval, c *Call) (Value, error) {
	its, err := ev.iters(c.Args)
	if err != nil {
		return nil, err
	}
	strict := false
	if s := c.Keyword("strict"); s != nil {
		strict, _, _ = ev.Truth(s)
	}
	m := &mapIter{its: its, strict: strict, iterState: iterState{ended: len(its) == 0}, f: func(ev *Eval, _ *mapIter, vs []Value) (Value, bool, error) {
		return &Tuple{Items: vs}, true, nil
	}}
	return ev.eager(&iterValue{it: m, name: "zip"})
}

// eager gives the list that map, zip and filter make in Python 2, to a file that only Python 2 accepts.
func (ev *Eval) eager(it *iterValue) (Value, error) {
	if !ev.python2() {
		return it, nil
	}
	items, u, err := ev.list(it)
	if err != nil {
		return nil, err
	}
	if u != nil && !u.Data {
		return &List{taint: u}, nil
	}
	return &List{Items: items, taint: u, epoch: ev.epoch}, nil
}

// python2 tells whether only Python 2 accepts the file that is being evaluated.
func (ev *Eval) python2() bool { return ev.fr != nil && ev.fr.file != nil && ev.fr.file.Python2 }

// lostMap deals with a map or filter that nobody iterates: Python 3 calls nothing, Python 2 calls the function for each item.
func (ev *Eval) lostMap(it *iterValue, pos Pos) {
	m, ok := it.it.(*mapIter)
	if !ok || m.n > 0 || m.fn == nil {
		return
	}
	r := &reacher{ev: ev, seen: map[any]bool{}}
	if what := r.reach(m.fn, 0); what != "" {
		ev.Gap(Gap{Pos: pos, What: it.name + "() that is not iterated over: Python 2 calls " + what + ", Python 3 does not", Why: "it is not known which Python runs it"})
	}
}

func biMap(ev *Eval, c *Call) (Value, error) {
	if len(c.Args) < 2 {
		return nil, ev.Raisef("TypeError", "map() must have at least two arguments.")
	}
	its, err := ev.iters(c.Args[1:])
	if err != nil {
		return nil, err
	}
	fn, pos := c.Args[0], c.Pos()
	return ev.eager(&iterValue{name: "map", it: &mapIter{its: its, fn: fn, f: func(ev *Eval, _ *mapIter, vs []Value) (Value, bool, error) {
		r, err := ev.call(fn, NewCall(pos, vs))
		return r, true, err
	}}})
}

func biFilter(ev *Eval, c *Call) (Value, error) {
	if len(c.Args) != 2 {
		return nil, ev.Raisef("TypeError", "filter expected 2 arguments, got %d", len(c.Args))
	}
	its, err := ev.iters(c.Args[1:])
	if err != nil {
		return nil, err
	}
	fn, pos := c.Args[0], c.Pos()
	m := &mapIter{its: its, fn: fn, f: func(ev *Eval, m *mapIter, vs []Value) (Value, bool, error) {
		r := vs[0]
		if fn != None {
			var err error
			if r, err = ev.call(fn, NewCall(pos, vs)); err != nil {
				return nil, false, err
			}
		}
		t, err := m.keep(ev, r, vs[0])
		return vs[0], t, err
	}}
	return ev.eager(&iterValue{it: m, name: "filter"})
}

func biIter(ev *Eval, c *Call) (Value, error) {
	switch len(c.Args) {
	case 1:
		it, err := ev.iter(c.Args[0])
		if err != nil {
			return nil, err
		}
		if g, ok := it.(*Generator); ok {
			return g, nil
		}
		if v, ok := it.(*iterValue); ok {
			return v, nil
		}
		if p, ok := it.(*pyIter); ok {
			if b, ok := p.next_.(*BoundMethod); ok {
				return b.Self, nil
			}
		}
		return &iterValue{it: it}, nil
	case 2:
		fn, sentinel := c.Args[0], c.Args[1]
		pos := c.Pos()
		f := &funcIter{f: func(ev *Eval, f *funcIter) (Value, bool, error) {
			if err := ev.step(); err != nil {
				return nil, false, err
			}
			v, err := ev.call(fn, NewCall(pos, nil))
			if err != nil {
				return nil, false, err
			}
			eq, u, err := ev.Equal(v, sentinel)
			if u != nil {
				f.u = u
				return nil, false, err
			}
			return v, !eq, err
		}}
		return &iterValue{it: f}, nil
	}
	return nil, ev.Raisef("TypeError", "iter expected at least 1 argument, got %d", len(c.Args))
}

func biNext(ev *Eval, c *Call) (Value, error) {
	if len(c.Args) < 1 || len(c.Args) > 2 {
		return nil, ev.Raisef("TypeError", "next expected at least 1 argument, got %d", len(c.Args))
	}
	var it iterator
	switch x := c.Args[0].(type) {
	case *Generator:
		it = x
	case *iterValue:
		it = x
	case *Unknown:
		return x.derive(), nil
	default:
		for _, name := range []string{"__next__", "next"} {
			if m, ok := ev.special(x, name); ok {
				next := func() (Value, error) { return ev.call(m, NewCall(c.Pos(), nil)) }
				if len(c.Args) == 1 {
					return next()
				}
				v, u, err := ev.catching(exceptionClass("StopIteration"), next)
				if err == nil && u != nil {
					return &Unknown{Pos: u.Pos, Why: u.Why, Acts: true}, nil
				}
				if r, ok := err.(*Raise); ok && r.Exc.Cls == exceptionClass("StopIteration") {
					return c.Args[1], nil
				}
				return v, err
			}
		}
		if i, ok := x.(Iterable); ok {
			_, u, err := i.Iterate(ev)
			if err != nil {
				return nil, err
			}
			if u != nil {
				return u.derive(), nil
			}
		}
		return nil, ev.Raisef("TypeError", "'%s' object is not an iterator", x.TypeName())
	}
	v, ok, err := it.next(ev)
	if err != nil {
		return nil, err
	}
	if ok {
		return v, nil
	}
	if u := it.taint(); u != nil {
		if len(c.Args) == 2 {
			return taintValue(u, c.Args[1]), nil
		}
		return u.derive(), nil
	}
	if len(c.Args) == 2 {
		return c.Args[1], nil
	}
	if g, ok := c.Args[0].(*Generator); ok && g.result != nil && g.result != None {
		r := g.result
		g.result = nil
		return nil, ev.Raise(exceptionClass("StopIteration"), r)
	}
	return nil, ev.Raise(exceptionClass("StopIteration"))
}

func biPow(ev *Eval, c *Call) (Value, error) {
	b, err := c.Bind(ev, "pow", "base", "exp", "mod=")
	if err != nil {
		return nil, err
	}
	m := b.Value("mod")
	if m == nil || m == None {
		return ev.binary(OpPow, b.Value("base"), b.Value("exp"))
	}
	if u := UnknownIn(&Tuple{Items: c.Args}); u != nil {
		return u.derive(), nil
	}
	x, y, z := bigOf(b.Value("base")), bigOf(b.Value("exp")), bigOf(m)
	if x == nil || y == nil || z == nil || y.Sign() < 0 {
		return NewUnknown(c.Pos(), "pow with these arguments is not modelled"), nil
	}
	if z.Sign() == 0 {
		return nil, ev.Raisef("ValueError", "pow() 3rd argument cannot be 0")
	}
	if err := ev.work(y.BitLen() * (1 + z.BitLen()/64)); err != nil {
		return nil, err
	}
	r := new(big.Int).Exp(new(big.Int).Mod(x, new(big.Int).Abs(z)), y, new(big.Int).Abs(z))
	if z.Sign() < 0 && r.Sign() != 0 {
		r.Add(r, z)
	}
	return IntValue(r), nil
}

func biRound(ev *Eval, c *Call) (Value, error) {
	b, err := c.Bind(ev, "round", "number", "ndigits=")
	if err != nil {
		return nil, err
	}
	v := unbase(b.Value("number"))
	nd := b.Value("ndigits")
	if u := UnknownIn(&Tuple{Items: c.Args}); u != nil {
		return u.derive(), nil
	}
	switch x := v.(type) {
	case Int, Bool, *BigInt:
		if n, ok := intOf(ndOr(nd)); ok && n < 0 {
			return ev.roundInt(bigOf(x), -n)
		}
		return IntValue(bigOf(x)), nil
	case Float:
		f := float64(x)
		if nd == nil || nd == None {
			if math.IsNaN(f) {
				return nil, ev.Raisef("ValueError", "cannot convert float NaN to integer")
			}
			if math.IsInf(f, 0) {
				return nil, ev.Raisef("OverflowError", "cannot convert float infinity to integer")
			}
			return ev.toInt(Float(math.RoundToEven(f)))
		}
		n, ok := intOf(nd)
		if !ok {
			return nil, ev.Raisef("TypeError", "'%s' object cannot be interpreted as an integer", nd.TypeName())
		}
		if math.IsInf(f, 0) || math.IsNaN(f) || n > 300 {
			return x, nil
		}
		if n < -308 {
			return Float(math.Copysign(0, f)), nil
		}
		if n >= 0 {
			r, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'f', int(n), 64), 64)
			return Float(r), nil
		}
		p := math.Pow(10, float64(-n))
		return Float(math.RoundToEven(f/p) * p), nil
	}
	if m, ok := ev.special(v, "__round__"); ok {
		return ev.call(m, NewCall(c.Pos(), c.Args[1:]))
	}
	return nil, ev.Raisef("TypeError", "type %s doesn't define __round__ method", v.TypeName())
}

func ndOr(v Value) Value {
	if v == nil {
		return Int(0)
	}
	return v
}

func (ev *Eval) roundInt(x *big.Int, n int64) (Value, error) {
	if n > 10000 {
		return Int(0), nil
	}
	p := new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil)
	q, r := new(big.Int).DivMod(x, p, new(big.Int))
	twice := new(big.Int).Lsh(r, 1)
	if c := twice.Cmp(p); c > 0 || c == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(1))
	}
	return IntValue(q.Mul(q, p)), nil
}

func biDir(ev *Eval, c *Call) (Value, error) {
	var names []string
	if len(c.Args) == 1 {
		switch x := c.Args[0].(type) {
		case *Module:
			names = ev.attrs(x).Names()
		case *Class:
			for _, k := range x.MRO() {
				if k.Attrs != nil {
					names = append(names, k.Attrs.Names()...)
				}
			}
		case *Instance:
			names = x.Attrs.Names()
			for _, k := range x.Cls.MRO() {
				if k.Attrs != nil {
					names = append(names, k.Attrs.Names()...)
				}
			}
		}
	}
	if names == nil {
		return &List{taint: NewUnknown(c.Pos(), "dir() is not modelled here")}, nil
	}
	slices.Sort(names)
	l := &List{epoch: ev.epoch}
	for _, n := range slices.Compact(names) {
		l.Items = append(l.Items, Str(n))
	}
	return l, nil
}

func biSuper(ev *Eval, c *Call) (Value, error) {
	if len(c.Args) == 0 {
		fr := ev.fr
		if fr == nil || fr.fn == nil || fr.fn.class == nil || fr.fn.class.v == nil || len(fr.locals) == 0 {
			return nil, ev.Raisef("RuntimeError", "super(): no arguments")
		}
		cls, ok := fr.fn.class.v.(*Class)
		if !ok || len(fr.code.slots) == 0 {
			return NewUnknown(c.Pos(), "super() of a class that is not known"), nil
		}
		self := fr.locals[fr.code.slots[0].slot]
		if cl, ok := self.(*cell); ok {
			self = cl.v
		}
		return ev.makeSuper(cls, self, c)
	}
	cls, ok := c.Args[0].(*Class)
	if !ok {
		return NewUnknown(c.Pos(), "super() of a class that is not known"), nil
	}
	if len(c.Args) < 2 {
		return nil, ev.Raisef("TypeError", "super() with one argument is not modelled")
	}
	return ev.makeSuper(cls, c.Args[1], c)
}

func (ev *Eval) makeSuper(cls *Class, self Value, c *Call) (Value, error) {
	switch s := self.(type) {
	case nil:
		return nil, ev.Raisef("RuntimeError", "super(): arg[0] deleted")
	case *Unknown:
		return s.derive(), nil
	case *Class:
		if s.Derives(cls) {
			return &superValue{start: cls, self: s, cls: s}, nil
		}
		return NewUnknown(c.Pos(), "super() in a metaclass is not modelled"), nil
	}
	k := ClassOf(self)
	if !k.Derives(cls) {
		return nil, ev.Raisef("TypeError", "super(type, obj): obj must be an instance or subtype of type")
	}
	return &superValue{start: cls, self: self, cls: k}, nil
}
