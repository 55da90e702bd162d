package python

import (
	"encoding/hex"
	"math/big"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

func isSpace(r rune) bool {
	switch r {
	case 0x1c, 0x1d, 0x1e, 0x1f:
		return true
	}
	return unicode.IsSpace(r)
}

// builtinMethod finds a method of a built-in type; nil if there is none.
func builtinMethod(v Value, name string) methodFn {
	switch v := v.(type) {
	case Str:
		return strMethod(name)
	case Bytes:
		return bytesMethod(name)
	case *bytearray:
		return bytearrayMethod(name)
	case *List:
		return listMethod(name)
	case *Tuple:
		return tupleMethod(name, v)
	case *Dict:
		return dictMethod(name, v.cls)
	case *Set:
		if v.Frozen {
			switch name {
			case "add", "remove", "discard", "pop", "clear", "update", "intersection_update", "difference_update", "symmetric_difference_update":
				return nil
			}
		}
		return setMethod(name)
	case Int, Bool, *BigInt, Float:
		return numberMethod(name)
	case *Range:
		return tupleMethod(name, nil)
	case *Generator:
		return generatorMethod(name)
	case *iterValue:
		switch name {
		case "__next__", "next":
			return func(ev *Eval, self Value, c *Call) (Value, error) { return biNext(ev, c.unshift(self)) }
		case "__iter__":
			return func(ev *Eval, self Value, c *Call) (Value, error) { return self, nil }
		}
	case *Property:
		return propertyMethod(name)
	case *dictView:
		if name == "isdisjoint" {
			return func(ev *Eval, self Value, c *Call) (Value, error) {
				s, _ := ev.asSet(self)
				return setMethod(name)(ev, s, c)
			}
		}
	case *Instance:
		return nil
	}
	return objectMethod(name)
}

// classMethodOf finds a method of a built-in class, unbound.
func classMethodOf(c *Class, name string) methodFn {
	switch c {
	case strClass:
		if name == "maketrans" {
			return nil
		}
		return strMethod(name)
	case bytesClass:
		return bytesMethod(name)
	case listClass:
		return listMethod(name)
	case tupleClass:
		return tupleMethod(name, nil)
	case dictClass, orderedDictClass, defaultDictClass, counterClass:
		if name == "fromkeys" {
			return nil
		}
		return dictMethod(name, c)
	case setClass, frozensetClass:
		return setMethod(name)
	case intClass, floatClass, boolClass:
		return numberMethod(name)
	}
	return nil
}

// objectMethod is a method that everything has.
func objectMethod(name string) methodFn {
	op := OpNone
	switch name {
	case "__str__":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if x, ok := self.(*Instance); ok && x.Cls.python && x.base == nil && !x.Cls.Derives(exceptionClass("BaseException")) {
				return ev.repr(self)
			}
			return ev.plainText(self, false)
		}
	case "__repr__":
		return func(ev *Eval, self Value, c *Call) (Value, error) { return ev.plainText(self, true) }
	case "__hash__":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			return builtinFunc("hash")(ev, c.unshift(self))
		}
	case "__format__":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if len(c.Args) == 1 && c.Args[0] != Str("") {
				return ev.format(self, c.Args[0])
			}
			return ev.str(self)
		}
	case "__len__":
		return func(ev *Eval, self Value, c *Call) (Value, error) { return ev.length(self) }
	case "__iter__":
		return func(ev *Eval, self Value, c *Call) (Value, error) { return biIter(ev, c.unshift(self)) }
	case "__contains__":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if len(c.Args) != 1 {
				return nil, ev.Raisef("TypeError", "expected 1 argument")
			}
			return ev.contains(plain(self), c.Args[0])
		}
	case "__getitem__":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if len(c.Args) != 1 {
				return nil, ev.Raisef("TypeError", "expected 1 argument")
			}
			return ev.index(plain(self), c.Args[0])
		}
	case "__setitem__":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if len(c.Args) != 2 {
				return nil, ev.Raisef("TypeError", "expected 2 arguments")
			}
			if d, ok := self.(*Dict); ok {
				return None, d.Store(ev, c.Args[0], c.Args[1])
			}
			return None, ev.setIndex(self, c.Args[0], c.Args[1])
		}
	case "__delitem__":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if len(c.Args) != 1 {
				return nil, ev.Raisef("TypeError", "expected 1 argument")
			}
			if d, ok := self.(*Dict); ok && d.cls != nil {
				return dictMethod("pop", nil)(ev, self, c)
			}
			return None, ev.setIndex(self, c.Args[0], nil)
		}
	case "__setattr__":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if len(c.Args) == 2 {
				if n, ok := c.Args[0].(Str); ok {
					if o, ok := self.(objecter); ok {
						o.object().Attrs.Store(ev, string(n), c.Args[1])
						return None, nil
					}
					return None, ev.setAttr(self, string(n), c.Args[1])
				}
			}
			return NewUnknown(c.Pos(), "__setattr__ with these arguments"), nil
		}
	case "__init__", "__init_subclass__":
		return func(ev *Eval, self Value, c *Call) (Value, error) { return None, nil }
	case "__eq__":
		op = OpEq
	case "__ne__":
		op = OpNotEq
	case "__lt__":
		op = OpLt
	case "__le__":
		op = OpLtE
	case "__gt__":
		op = OpGt
	case "__ge__":
		op = OpGtE
	case "__add__":
		op = OpAdd
	case "__mul__":
		op = OpMul
	case "__mod__":
		op = OpMod
	case "__sub__":
		op = OpSub
	case "__or__":
		op = OpBitOr
	case "__and__":
		op = OpBitAnd
	}
	if op == OpNone {
		return nil
	}
	return func(ev *Eval, self Value, c *Call) (Value, error) {
		if len(c.Args) != 1 {
			return nil, ev.Raisef("TypeError", "expected 1 argument, got %d", len(c.Args))
		}
		if x, ok := self.(*Instance); ok && x.base == nil {
			switch op {
			case OpEq:
				if is(self, c.Args[0]) {
					return Bool(true), nil
				}
			case OpNotEq:
				if f, ok := ev.special(self, "__eq__"); ok {
					r, err := ev.call(f, c)
					if err != nil {
						return nil, err
					}
					if _, no := r.(notImplementedType); no {
						return r, nil
					}
					return ev.not(r)
				}
				if is(self, c.Args[0]) {
					return Bool(false), nil
				}
			}
			return notImplementedType{}, nil
		}
		if op >= OpEq {
			if r, err := ev.builtinCompare(op, self, c.Args[0]); r != nil || err != nil {
				return r, err
			}
			if isUnknown(c.Args[0]) {
				return ev.compare(op, self, c.Args[0])
			}
			return notImplementedType{}, nil
		}
		return ev.binary(op, self, c.Args[0])
	}
}

// plain gives a dict without its Python class, so that its own methods are not found again.
func plain(v Value) Value {
	if d, ok := v.(*Dict); ok && d.cls != nil && d.cls.python {
		return &Dict{table: table{entries: d.entries, index: d.index, live: d.live, taint: d.taint}, factory: d.factory}
	}
	return v
}

// plainText is object.__repr__, or that of the built-in base.
func (ev *Eval) plainText(v Value, repr bool) (Value, error) {
	if x, ok := v.(*Instance); ok {
		if x.base != nil {
			if repr {
				return ev.repr(x.base)
			}
			return ev.str(x.base)
		}
		if x.Cls.Derives(exceptionClass("BaseException")) {
			if !repr {
				return Str(excMessage(x)), nil
			}
			y := NewInstance(exceptionClass("Exception"))
			y.Attrs = x.Attrs
			if a, ok := x.Attrs.Load("args"); ok {
				if t, ok := a.(*Tuple); ok {
					return ev.reprItems(v, x.Cls.Name+"(", ")", t.Items)
				}
			}
		}
		return NewUnknown(ev.Pos(), "the text of an object has its address in it"), nil
	}
	switch d := v.(type) {
	case *Dict:
		return ev.reprDict(d)
	case *Tuple:
		return ev.repr(&Tuple{Items: d.Items})
	}
	if t, ok := v.(Texter); ok {
		return t.Text(ev, repr)
	}
	if repr {
		return ev.repr(v)
	}
	return ev.str(v)
}

// builtinAttr gives attributes of built-in types that are no methods; nil if there is none.
func (ev *Eval) builtinAttr(v Value, name string) (Value, error) {
	switch x := v.(type) {
	case Int, Bool, *BigInt:
		i := bigOf(x)
		switch name {
		case "real", "numerator":
			return IntValue(i), nil
		case "imag":
			return Int(0), nil
		case "denominator":
			return Int(1), nil
		}
	case Float:
		switch name {
		case "real":
			return x, nil
		case "imag":
			return Float(0), nil
		}
	case *Slice:
		switch name {
		case "start":
			return x.Lower, nil
		case "stop":
			return x.Upper, nil
		case "step":
			return x.Step, nil
		}
	case *Range:
		switch name {
		case "start":
			return Int(x.Start), nil
		case "stop":
			return Int(x.Stop), nil
		case "step":
			return Int(x.Step), nil
		}
	case *Native:
		switch name {
		case "__name__", "__qualname__":
			return Str(x.Name), nil
		case "__doc__", "__module__", "__self__":
			return None, nil
		}
	case *Property:
		switch name {
		case "fget":
			if x.Fget != nil {
				return x.Fget, nil
			}
			return None, nil
		}
	case *Dict:
		if name == "default_factory" && x.cls == defaultDictClass {
			if x.factory == nil {
				return None, nil
			}
			return x.factory, nil
		}
	case *staticMethod:
		if name == "__func__" {
			return x.fn, nil
		}
	case *classMethod:
		if name == "__func__" {
			return x.fn, nil
		}
	}
	switch name {
	case "__class__":
		return ClassOf(v), nil
	case "__doc__":
		return None, nil
	case "__module__":
		return Str(ClassOf(v).Module), nil
	}
	return nil, nil
}

func propertyMethod(name string) methodFn {
	switch name {
	case "getter", "setter", "deleter":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			p := *self.(*Property)
			if len(c.Args) != 1 {
				return nil, ev.Raisef("TypeError", "expected 1 argument")
			}
			switch name {
			case "getter":
				p.Fget = c.Args[0]
			case "setter":
				p.Fset = c.Args[0]
			default:
				p.Fdel = c.Args[0]
			}
			return &p, nil
		}
	}
	return nil
}

func generatorMethod(name string) methodFn {
	switch name {
	case "__next__", "next":
		return func(ev *Eval, self Value, c *Call) (Value, error) { return biNext(ev, c.unshift(self)) }
	case "__iter__":
		return func(ev *Eval, self Value, c *Call) (Value, error) { return self, nil }
	case "send":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if len(c.Args) != 1 {
				return nil, ev.Raisef("TypeError", "send() takes exactly one argument")
			}
			g := self.(*Generator)
			if !g.started && c.Args[0] != None {
				return nil, ev.Raisef("TypeError", "can't send non-None value to a just-started generator")
			}
			g.sent = c.Args[0]
			return biNext(ev, NewCall(c.Pos(), []Value{self}))
		}
	case "throw":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			g := self.(*Generator)
			if len(c.Args) == 0 {
				return nil, ev.Raisef("TypeError", "throw expected at least 1 argument")
			}
			exc := c.Args[0]
			if cls, ok := exc.(*Class); ok {
				v, err := ev.call(cls, NewCall(c.Pos(), c.Args[1:min(2, len(c.Args))]))
				if err != nil {
					return nil, err
				}
				exc = v
			}
			x, ok := exc.(*Instance)
			if !ok {
				return NewUnknown(c.Pos(), "throw of something that is not known"), nil
			}
			if g.done {
				return nil, &Raise{Exc: x, Pos: c.Pos()}
			}
			g.thrown = &Raise{Exc: x, Pos: c.Pos()}
			return biNext(ev, NewCall(c.Pos(), []Value{self}))
		}
	case "close":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			g := self.(*Generator)
			if g.done || !g.started {
				g.done = true
				return None, nil
			}
			g.thrown = ev.Raise(exceptionClass("GeneratorExit")).(*Raise)
			_, _, err := g.next(ev)
			if r, ok := err.(*Raise); ok && r.Exc.Cls == exceptionClass("GeneratorExit") {
				err = nil
			}
			g.done = true
			return None, err
		}
	}
	return nil
}

// onKnown wraps a method of an immutable type: with an argument that is not known, the result is not known.
func onKnown(f methodFn) methodFn {
	return func(ev *Eval, self Value, c *Call) (Value, error) {
		if s, ok := self.(Str); ok {
			if err := ev.work(1 + len(s)>>6); err != nil {
				return nil, err
			}
		}
		for _, a := range c.Args {
			if u := UnknownIn(a); u != nil {
				return ev.unknownMethod(f, self, c, u)
			}
		}
		for _, k := range c.Kw {
			if u := UnknownIn(k.Value); u != nil {
				return u.derive(), nil
			}
		}
		return f(ev, self, c)
	}
}

func (ev *Eval) unknownMethod(f methodFn, self Value, c *Call, u *Unknown) (Value, error) {
	out := &Unknown{Pos: u.Pos, Why: u.Why, Data: u.Data, Acts: u.Acts}
	if u.Data {
		args := make([]Value, len(c.Args))
		for i, a := range c.Args {
			e, ok := emptyOf(a)
			if !ok || UnknownIn(e) != nil {
				return out, nil
			}
			args[i] = e
		}
		if r, err := f(ev, self, NewCall(c.Pos(), args, c.Kw...)); err == nil && !isUnknown(r) {
			out.Empty = r
		}
	}
	return out, nil
}

func strArg(ev *Eval, c *Call, i int, def string) (string, error) {
	if i >= len(c.Args) || c.Args[i] == None {
		return def, nil
	}
	if s, ok := unbase(c.Args[i]).(Str); ok {
		return string(s), nil
	}
	if s, ok := unbase(c.Args[i]).(Bytes); ok {
		return string(s), nil
	}
	return "", ev.Raisef("TypeError", "must be str, not %s", c.Args[i].TypeName())
}

func need(ev *Eval, c *Call, lo, hi int) error {
	if len(c.Args) < lo {
		return ev.Raisef("TypeError", "expected at least %d argument%s, got %d", lo, plural(lo), len(c.Args))
	}
	if len(c.Args) > hi {
		return ev.Raisef("TypeError", "expected at most %d argument%s, got %d", hi, plural(hi), len(c.Args))
	}
	return nil
}

func strFunc(f func(s string) string) methodFn {
	return onKnown(func(ev *Eval, self Value, c *Call) (Value, error) {
		s := string(self.(Str))
		return Str(f(s)), ev.alloc(len(s))
	})
}

func strTest(f func(s string) bool) methodFn {
	return onKnown(func(ev *Eval, self Value, c *Call) (Value, error) { return Bool(f(string(self.(Str)))), nil })
}

func allRunes(s string, f func(r rune) bool) bool {
	if s == "" {
		return false
	}
	for _, r := range s {
		if !f(r) {
			return false
		}
	}
	return true
}

func strMethod(name string) methodFn {
	switch name {
	case "upper":
		return strFunc(strings.ToUpper)
	case "lower":
		return strFunc(strings.ToLower)
	case "casefold":
		return strFunc(func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "ß", "ss") })
	case "title":
		return strFunc(titleCase)
	case "capitalize":
		return strFunc(func(s string) string {
			if s == "" {
				return s
			}
			_, n := utf8.DecodeRuneInString(s)
			return strings.ToTitle(s[:n]) + strings.ToLower(s[n:])
		})
	case "swapcase":
		return strFunc(func(s string) string {
			return strings.Map(func(r rune) rune {
				if unicode.IsUpper(r) {
					return unicode.ToLower(r)
				}
				return unicode.ToUpper(r)
			}, s)
		})
	case "strip", "lstrip", "rstrip":
		return onKnown(func(ev *Eval, self Value, c *Call) (Value, error) {
			s := string(self.(Str))
			if err := need(ev, c, 0, 1); err != nil {
				return nil, err
			}
			f := isSpace
			if len(c.Args) == 1 && c.Args[0] != None {
				set, err := strArg(ev, c, 0, "")
				if err != nil {
					return nil, err
				}
				f = func(r rune) bool { return strings.ContainsRune(set, r) }
			}
			if name != "rstrip" {
				s = strings.TrimLeftFunc(s, f)
			}
			if name != "lstrip" {
				s = strings.TrimRightFunc(s, f)
			}
			return Str(s), nil
		})
	case "split", "rsplit":
		return onKnown(func(ev *Eval, self Value, c *Call) (Value, error) {
			return strSplit(ev, string(self.(Str)), c, name == "rsplit")
		})
	case "splitlines":
		return onKnown(func(ev *Eval, self Value, c *Call) (Value, error) {
			keep := false
			if len(c.Args) > 0 {
				keep, _, _ = ev.Truth(c.Args[0])
			} else if k := c.Keyword("keepends"); k != nil {
				keep, _, _ = ev.Truth(k)
			}
			return splitLines(ev, string(self.(Str)), keep)
		})
	case "join":
		return strJoin
	case "replace":
		return onKnown(func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 2, 3); err != nil {
				return nil, err
			}
			old, err := strArg(ev, c, 0, "")
			if err != nil {
				return nil, err
			}
			repl, err := strArg(ev, c, 1, "")
			if err != nil {
				return nil, err
			}
			n := int64(-1)
			if len(c.Args) > 2 {
				n, _ = intOf(c.Args[2])
			}
			s := string(self.(Str))
			count := strings.Count(s, old)
			if size := len(s) + count*(len(repl)-len(old)); size > ev.budget.Object {
				return nil, ev.abort("a string of %d bytes", size)
			} else if err := ev.alloc(max(size, 0)); err != nil {
				return nil, err
			}
			return Str(strings.Replace(s, old, repl, int(n))), nil
		})
	case "startswith", "endswith":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			return strStarts(ev, string(self.(Str)), c, name == "endswith")
		}
	case "find", "rfind", "index", "rindex", "count":
		return onKnown(func(ev *Eval, self Value, c *Call) (Value, error) { return strFind(ev, string(self.(Str)), c, name) })
	case "format":
		return func(ev *Eval, self Value, c *Call) (Value, error) { return ev.strFormat(string(self.(Str)), c, nil) }
	case "format_map":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 1, 1); err != nil {
				return nil, err
			}
			return ev.strFormat(string(self.(Str)), c, c.Args[0])
		}
	case "encode":
		return onKnown(func(ev *Eval, self Value, c *Call) (Value, error) { return encodeStr(ev, self.(Str), c) })
	case "decode": // Python 2
		return onKnown(func(ev *Eval, self Value, c *Call) (Value, error) {
			return nil, ev.Raisef("AttributeError", "'str' object has no attribute 'decode'")
		})
	case "center", "ljust", "rjust":
		return onKnown(func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 1, 2); err != nil {
				return nil, err
			}
			w, ok := intOf(c.Args[0])
			if !ok {
				return nil, ev.Raisef("TypeError", "'%s' object cannot be interpreted as an integer", c.Args[0].TypeName())
			}
			fill, err := strArg(ev, c, 1, " ")
			if err != nil {
				return nil, err
			}
			if strLen(fill) != 1 {
				return nil, ev.Raisef("TypeError", "The fill character must be exactly one character long")
			}
			s := string(self.(Str))
			n := int(min(w, 1<<40)) - strLen(s)
			if n <= 0 {
				return self, nil
			}
			if n > ev.budget.Object {
				return nil, ev.abort("a string of %d bytes", n)
			}
			if err := ev.alloc(n); err != nil {
				return nil, err
			}
			switch name {
			case "ljust":
				return Str(s + strings.Repeat(fill, n)), nil
			case "rjust":
				return Str(strings.Repeat(fill, n) + s), nil
			}
			left := n/2 + (n & int(w) & 1)
			return Str(strings.Repeat(fill, left) + s + strings.Repeat(fill, n-left)), nil
		})
	case "zfill":
		return onKnown(func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 1, 1); err != nil {
				return nil, err
			}
			w, _ := intOf(c.Args[0])
			s := string(self.(Str))
			n := int(min(w, 1<<40)) - strLen(s)
			if n <= 0 {
				return self, nil
			}
			if n > ev.budget.Object {
				return nil, ev.abort("a string of %d bytes", n)
			}
			if s != "" && (s[0] == '+' || s[0] == '-') {
				return Str(s[:1] + strings.Repeat("0", n) + s[1:]), ev.alloc(n)
			}
			return Str(strings.Repeat("0", n) + s), ev.alloc(n)
		})
	case "expandtabs":
		return onKnown(func(ev *Eval, self Value, c *Call) (Value, error) {
			size := int64(8)
			if len(c.Args) > 0 {
				size, _ = intOf(c.Args[0])
			}
			size = min(size, 1000)
			var b strings.Builder
			col := int64(0)
			for _, r := range runes(string(self.(Str))) {
				switch r {
				case "\t":
					if size > 0 {
						n := size - col%size
						b.WriteString(strings.Repeat(" ", int(n)))
						col += n
					}
				case "\n", "\r":
					b.WriteString(r)
					col = 0
				default:
					b.WriteString(r)
					col++
				}
				if b.Len() > ev.budget.Object {
					return nil, ev.abort("a string of %d bytes", b.Len())
				}
			}
			return Str(b.String()), ev.alloc(b.Len())
		})
	case "partition", "rpartition":
		return onKnown(func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 1, 1); err != nil {
				return nil, err
			}
			sep, err := strArg(ev, c, 0, "")
			if err != nil {
				return nil, err
			}
			if sep == "" {
				return nil, ev.Raisef("ValueError", "empty separator")
			}
			s := string(self.(Str))
			i := strings.Index(s, sep)
			if name == "rpartition" {
				i = strings.LastIndex(s, sep)
			}
			parts := []Value{Str(s), Str(""), Str("")}
			if name == "rpartition" && i < 0 {
				parts = []Value{Str(""), Str(""), Str(s)}
			}
			if i >= 0 {
				parts = []Value{Str(s[:i]), Str(sep), Str(s[i+len(sep):])}
			}
			return &Tuple{Items: parts}, nil
		})
	case "removeprefix", "removesuffix":
		return onKnown(func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 1, 1); err != nil {
				return nil, err
			}
			p, err := strArg(ev, c, 0, "")
			if err != nil {
				return nil, err
			}
			if name == "removeprefix" {
				return Str(strings.TrimPrefix(string(self.(Str)), p)), nil
			}
			return Str(strings.TrimSuffix(string(self.(Str)), p)), nil
		})
	case "translate":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 1, 1); err != nil {
				return nil, err
			}
			var b strings.Builder
			for _, r := range string(self.(Str)) {
				v, err := ev.index(c.Args[0], Int(r))
				if err != nil {
					if x, ok := err.(*Raise); ok && x.Exc.Cls.Derives(exceptionClass("LookupError")) {
						b.WriteRune(r)
						continue
					}
					return nil, err
				}
				switch v := v.(type) {
				case Str:
					b.WriteString(string(v))
				case Int:
					b.WriteRune(rune(v))
				case *Unknown:
					return v.derive(), nil
				}
			}
			return Str(b.String()), ev.alloc(b.Len())
		}
	case "maketrans":
		return strMaketrans
	case "isdigit":
		return strTest(func(s string) bool {
			return allRunes(s, func(r rune) bool {
				return unicode.IsDigit(r) || strings.ContainsRune("²³¹⁰⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", r)
			})
		})
	case "isdecimal":
		return strTest(func(s string) bool { return allRunes(s, unicode.IsDigit) })
	case "isnumeric":
		return strTest(func(s string) bool { return allRunes(s, unicode.IsNumber) })
	case "isalpha":
		return strTest(func(s string) bool { return allRunes(s, unicode.IsLetter) })
	case "isalnum":
		return strTest(func(s string) bool {
			return allRunes(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
		})
	case "isspace":
		return strTest(func(s string) bool { return allRunes(s, isSpace) })
	case "isascii":
		return strTest(isASCII)
	case "isprintable":
		return strTest(func(s string) bool { return s == "" || allRunes(s, unicode.IsPrint) })
	case "isupper":
		return strTest(func(s string) bool {
			return strings.IndexFunc(s, unicode.IsUpper) >= 0 && strings.IndexFunc(s, unicode.IsLower) < 0
		})
	case "islower":
		return strTest(func(s string) bool {
			return strings.IndexFunc(s, unicode.IsLower) >= 0 && strings.IndexFunc(s, unicode.IsUpper) < 0
		})
	case "istitle":
		return strTest(func(s string) bool {
			return s != "" && titleCase(s) == s && strings.IndexFunc(s, unicode.IsUpper) >= 0
		})
	case "isidentifier":
		return strTest(func(s string) bool {
			for i, r := range s {
				if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
					return false
				}
			}
			return s != ""
		})
	}
	return objectMethod(name)
}

func titleCase(s string) string {
	prev := false
	return strings.Map(func(r rune) rune {
		letter := unicode.IsLetter(r)
		if letter && !prev {
			r = unicode.ToTitle(r)
		} else if letter {
			r = unicode.ToLower(r)
		}
		prev = letter
		return r
	}, s)
}

func strMaketrans(ev *Eval, self Value, c *Call) (Value, error) {
	d := NewDict()
	switch len(c.Args) {
	case 1:
		m, ok := c.Args[0].(*Dict)
		if !ok {
			return NewUnknown(c.Pos(), "maketrans of something that is not known"), nil
		}
		for _, e := range m.entries {
			if e.key == nil {
				continue
			}
			k := e.key
			if s, ok := k.(Str); ok {
				r, _ := utf8.DecodeRuneInString(string(s))
				k = Int(r)
			}
			if err := d.Store(ev, k, e.val); err != nil {
				return nil, err
			}
		}
	case 2, 3:
		a, err := strArg(ev, c, 0, "")
		if err != nil {
			return nil, err
		}
		b, err := strArg(ev, c, 1, "")
		if err != nil {
			return nil, err
		}
		x, y := []rune(a), []rune(b)
		if len(x) != len(y) {
			return nil, ev.Raisef("ValueError", "the first two maketrans arguments must have equal length")
		}
		for i := range x {
			if err := d.Store(ev, Int(x[i]), Int(y[i])); err != nil {
				return nil, err
			}
		}
		if len(c.Args) == 3 {
			z, err := strArg(ev, c, 2, "")
			if err != nil {
				return nil, err
			}
			for _, r := range z {
				if err := d.Store(ev, Int(r), None); err != nil {
					return nil, err
				}
			}
		}
	}
	return d, nil
}

func strList(ev *Eval, parts []string) (Value, error) {
	if err := ev.size(len(parts)); err != nil {
		return nil, err
	}
	l := &List{Items: make([]Value, len(parts)), epoch: ev.epoch}
	for i, p := range parts {
		l.Items[i] = Str(p)
	}
	return l, nil
}

func strSplit(ev *Eval, s string, c *Call, right bool) (Value, error) {
	b, err := c.Bind(ev, "split", "sep=", "maxsplit=")
	if err != nil {
		return nil, err
	}
	limit := int64(-1)
	if m := b.Value("maxsplit"); m != nil {
		limit, _ = intOf(m)
	}
	sepV := b.Value("sep")
	var parts []string
	if sepV == nil || sepV == None {
		if limit < 0 {
			return strList(ev, strings.FieldsFunc(s, isSpace))
		}
		if right {
			s = strings.TrimRightFunc(s, isSpace)
			for limit > 0 && s != "" {
				i := strings.LastIndexFunc(s, isSpace)
				if i < 0 {
					break
				}
				_, n := utf8.DecodeRuneInString(s[i:])
				parts = append(parts, s[i+n:])
				s = strings.TrimRightFunc(s[:i], isSpace)
				limit--
			}
			if s != "" {
				parts = append(parts, s)
			}
			slices.Reverse(parts)
			return strList(ev, parts)
		}
		s = strings.TrimLeftFunc(s, isSpace)
		for limit > 0 && s != "" {
			i := strings.IndexFunc(s, isSpace)
			if i < 0 {
				break
			}
			parts = append(parts, s[:i])
			s = strings.TrimLeftFunc(s[i:], isSpace)
			limit--
		}
		if s != "" {
			parts = append(parts, s)
		}
		return strList(ev, parts)
	}
	sep, ok := unbase(sepV).(Str)
	if !ok {
		return nil, ev.Raisef("TypeError", "must be str or None, not %s", sepV.TypeName())
	}
	if sep == "" {
		return nil, ev.Raisef("ValueError", "empty separator")
	}
	n := -1
	if limit >= 0 {
		n = int(min(limit, 1<<30)) + 1
	}
	if right && n > 0 {
		for n > 1 {
			i := strings.LastIndex(s, string(sep))
			if i < 0 {
				break
			}
			parts = append(parts, s[i+len(sep):])
			s = s[:i]
			n--
		}
		parts = append(parts, s)
		slices.Reverse(parts)
		return strList(ev, parts)
	}
	if err := ev.size(strings.Count(s, string(sep))); err != nil {
		return nil, err
	}
	return strList(ev, strings.SplitN(s, string(sep), n))
}

func splitLines(ev *Eval, s string, keep bool) (Value, error) {
	var parts []string
	for s != "" {
		i := strings.IndexFunc(s, func(r rune) bool {
			switch r {
			case '\n', '\r', '\v', '\f', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029:
				return true
			}
			return false
		})
		if i < 0 {
			parts = append(parts, s)
			break
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		if strings.HasPrefix(s[i:], "\r\n") {
			n = 2
		}
		if keep {
			parts = append(parts, s[:i+n])
		} else {
			parts = append(parts, s[:i])
		}
		s = s[i+n:]
	}
	return strList(ev, parts)
}

func strJoin(ev *Eval, self Value, c *Call) (Value, error) {
	if err := need(ev, c, 1, 1); err != nil {
		return nil, err
	}
	items, u, err := ev.list(c.Args[0])
	if err != nil {
		return nil, err
	}
	sep := string(self.(Str))
	var b strings.Builder
	for i, x := range items {
		if i > 0 {
			b.WriteString(sep)
		}
		switch s := unbase(x).(type) {
		case Str:
			b.WriteString(string(s))
		case *Unknown:
			b.WriteString(s.Prefix)
			return s.withPrefix(b.String()), nil
		default:
			return nil, ev.Raisef("TypeError", "sequence item %d: expected str instance, %s found", i, x.TypeName())
		}
		if b.Len() > ev.budget.Object {
			return nil, ev.abort("a string of %d bytes", b.Len())
		}
	}
	if u != nil {
		return taintValue(u, Str(b.String())), nil
	}
	return Str(b.String()), ev.alloc(b.Len())
}

func strStarts(ev *Eval, s string, c *Call, end bool) (Value, error) {
	if err := need(ev, c, 1, 3); err != nil {
		return nil, err
	}
	if len(c.Args) > 1 {
		r, err := ev.seqIndex(Str(s), &Slice{c.Args[1], argOr(c, 2, None), None})
		if err != nil || isUnknown(r) {
			return r, err
		}
		s = string(r.(Str))
	}
	opts := []Value{c.Args[0]}
	if t, ok := c.Args[0].(*Tuple); ok {
		opts = t.Items
	}
	var unknown *Unknown
	for _, o := range opts {
		switch p := unbase(o).(type) {
		case Str:
			if !end && strings.HasPrefix(s, string(p)) || end && strings.HasSuffix(s, string(p)) {
				return Bool(true), nil
			}
		case *Unknown:
			if !end && p.Prefix != "" && !strings.HasPrefix(s, p.Prefix) {
				continue
			}
			unknown = p
		default:
			return nil, ev.Raisef("TypeError", "startswith first arg must be str or a tuple of str, not %s", o.TypeName())
		}
	}
	if unknown != nil {
		return unknown.derive(), nil
	}
	return Bool(false), nil
}

func argOr(c *Call, i int, def Value) Value {
	if i < len(c.Args) {
		return c.Args[i]
	}
	return def
}

func strFind(ev *Eval, s string, c *Call, name string) (Value, error) {
	if err := need(ev, c, 1, 3); err != nil {
		return nil, err
	}
	sub, err := strArg(ev, c, 0, "")
	if err != nil {
		return nil, err
	}
	rs := []string(nil)
	n := len(s)
	ascii := isASCII(s)
	if !ascii {
		rs = runes(s)
		n = len(rs)
	}
	start, stop, _, u, err := ev.indices(&Slice{argOr(c, 1, None), argOr(c, 2, None), None}, n)
	if err != nil {
		return nil, err
	}
	if u != nil {
		return u, nil
	}
	if lo, ok := intOf(argOr(c, 1, Int(0))); ok && lo > int64(n) {
		if name == "count" || name == "find" || name == "rfind" {
			if name == "count" {
				return Int(0), nil
			}
			return Int(-1), nil
		}
	}
	part := ""
	if start <= stop {
		if ascii {
			part = s[start:stop]
		} else {
			part = strings.Join(rs[start:stop], "")
		}
	}
	if name == "count" {
		if start > stop {
			return Int(0), nil
		}
		return Int(strings.Count(part, sub)), nil
	}
	i := -1
	if start <= stop {
		if name[0] == 'r' {
			i = strings.LastIndex(part, sub)
		} else {
			i = strings.Index(part, sub)
		}
	}
	if i < 0 {
		if strings.HasSuffix(name, "index") {
			return nil, ev.Raisef("ValueError", "substring not found")
		}
		return Int(-1), nil
	}
	if !ascii {
		i = strLen(part[:i])
	}
	return Int(start + i), nil
}

func bytesMethod(name string) methodFn {
	switch name {
	case "decode":
		return onKnown(func(ev *Eval, self Value, c *Call) (Value, error) { return decodeBytes(ev, self.(Bytes), c) })
	case "hex":
		return onKnown(func(ev *Eval, self Value, c *Call) (Value, error) {
			return Str(hex.EncodeToString([]byte(self.(Bytes)))), ev.alloc(2 * len(self.(Bytes)))
		})
	case "upper", "lower", "strip", "lstrip", "rstrip", "replace", "startswith", "endswith", "find", "rfind", "index", "count",
		"split", "rsplit", "join", "zfill", "center", "ljust", "rjust", "partition", "rpartition", "isdigit", "isalpha", "isalnum", "isupper", "islower",
		"isspace", "istitle", "isascii", "capitalize", "title", "swapcase", "splitlines", "expandtabs", "removeprefix", "removesuffix":
		// As those of str, on the bytes taken for Latin-1.
		f := strMethod(name)
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if !isASCII(string(self.(Bytes))) {
				return NewUnknown(c.Pos(), "methods of bytes that are not ASCII are not modelled"), nil
			}
			args := make([]Value, len(c.Args))
			for i, a := range c.Args {
				if hasText(a) {
					return nil, ev.Raisef("TypeError", "a bytes-like object is required, not 'str'")
				}
				args[i] = toText(a)
			}
			r, err := f(ev, Str(self.(Bytes)), &Call{Args: args, Kw: c.Kw, pos: c.pos, file: c.file, off: c.off})
			if err != nil {
				return nil, err
			}
			return fromText(r), nil
		}
	}
	return objectMethod(name)
}

// hasText tells whether v is a str, or a list or tuple with one in it.
func hasText(v Value) bool {
	switch x := v.(type) {
	case Str:
		return true
	case *List:
		return slices.ContainsFunc(x.Items, hasText)
	case *Tuple:
		return slices.ContainsFunc(x.Items, hasText)
	}
	return false
}

func toText(v Value) Value {
	switch x := v.(type) {
	case Bytes:
		return Str(x)
	case *List:
		l := &List{taint: x.taint}
		for _, i := range x.Items {
			l.Items = append(l.Items, toText(i))
		}
		return l
	case *Tuple:
		t := &Tuple{}
		for _, i := range x.Items {
			t.Items = append(t.Items, toText(i))
		}
		return t
	}
	return v
}

func fromText(v Value) Value {
	switch x := v.(type) {
	case Str:
		return Bytes(x)
	case *List:
		for i := range x.Items {
			x.Items[i] = fromText(x.Items[i])
		}
	case *Tuple:
		for i := range x.Items {
			x.Items[i] = fromText(x.Items[i])
		}
	}
	return v
}

func bytearrayMethod(name string) methodFn {
	switch name {
	case "append":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 1, 1); err != nil {
				return nil, err
			}
			n, ok := intOf(c.Args[0])
			if !ok || n < 0 || n > 255 {
				return nil, ev.Raisef("ValueError", "byte must be in range(0, 256)")
			}
			b := self.(*bytearray)
			ev.Touch(b)
			b.b = append(b.b, byte(n))
			return None, ev.alloc(1)
		}
	case "extend":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			v, err := ev.toBytes(argOr(c, 0, Bytes("")), c)
			if err != nil {
				return nil, err
			}
			x, ok := v.(Bytes)
			if !ok {
				return v, nil
			}
			b := self.(*bytearray)
			ev.Touch(b)
			b.b = append(b.b, x...)
			return None, ev.alloc(len(x))
		}
	}
	f := bytesMethod(name)
	if f == nil {
		return nil
	}
	return func(ev *Eval, self Value, c *Call) (Value, error) { return f(ev, Bytes(self.(*bytearray).b), c) }
}

func numberMethod(name string) methodFn {
	switch name {
	case "bit_length":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if b := bigOf(self); b != nil {
				return Int(b.BitLen()), nil
			}
			return nil, ev.Raisef("AttributeError", "'float' object has no attribute 'bit_length'")
		}
	case "bit_count":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			return Int(strings.Count(new(big.Int).Abs(bigOf(self)).Text(2), "1")), nil
		}
	case "is_integer":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			f, _ := floatOf(self)
			return Bool(f == float64(int64(f))), nil
		}
	case "conjugate":
		return func(ev *Eval, self Value, c *Call) (Value, error) { return self, nil }
	case "to_bytes":
		return onKnown(func(ev *Eval, self Value, c *Call) (Value, error) {
			b, err := c.Bind(ev, "to_bytes", "length=", "byteorder=", "*", "signed=")
			if err != nil {
				return nil, err
			}
			n := int64(1)
			if l := b.Value("length"); l != nil {
				n, _ = intOf(l)
			}
			x := bigOf(self)
			if x == nil || x.Sign() < 0 || n < 0 || n > 1<<16 {
				return NewUnknown(c.Pos(), "to_bytes is not modelled here"), nil
			}
			raw := x.Bytes()
			if len(raw) > int(n) {
				return nil, ev.Raisef("OverflowError", "int too big to convert")
			}
			out := make([]byte, n)
			copy(out[int(n)-len(raw):], raw)
			if b.Value("byteorder") == Str("little") {
				slices.Reverse(out)
			}
			return Bytes(out), nil
		})
	}
	return objectMethod(name)
}

func tupleMethod(name string, t *Tuple) methodFn {
	switch name {
	case "index", "count":
		return seqFind(name)
	}
	if t != nil && t.cls != nil && t.cls.tupleOf != nil {
		if f := namedTupleMethod(name); f != nil {
			return f
		}
	}
	return objectMethod(name)
}

func seqFind(name string) methodFn {
	return func(ev *Eval, self Value, c *Call) (Value, error) {
		if err := need(ev, c, 1, 3); err != nil {
			return nil, err
		}
		items, u, err := ev.list(self)
		if err != nil {
			return nil, err
		}
		if u != nil {
			return u.derive(), nil
		}
		lo, hi := 0, len(items)
		if name == "index" && len(c.Args) > 1 {
			var iu *Unknown
			lo, hi, _, iu, err = ev.indices(&Slice{c.Args[1], argOr(c, 2, None), None}, len(items))
			if err != nil {
				return nil, err
			}
			if iu != nil {
				return iu, nil
			}
		}
		n := 0
		for i := lo; i < hi; i++ {
			eq := is(items[i], c.Args[0])
			if !eq || isUnknown(items[i]) {
				var u *Unknown
				if eq, u, err = ev.Equal(items[i], c.Args[0]); err != nil {
					return nil, err
				}
				if u != nil {
					return u.derive(), nil
				}
			}
			if eq {
				if name == "index" {
					return Int(i), nil
				}
				n++
			}
		}
		if name == "index" {
			s, err := ev.repr(c.Args[0])
			if err != nil {
				return nil, err
			}
			text := "x"
			if t, ok := s.(Str); ok {
				text = string(t)
			}
			if _, ok := self.(*Tuple); ok {
				return nil, ev.Raisef("ValueError", "tuple.index(x): x not in tuple")
			}
			return nil, ev.Raisef("ValueError", "%s is not in list", text)
		}
		return Int(n), nil
	}
}

func listMethod(name string) methodFn {
	switch name {
	case "append":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			l := self.(*List)
			if len(c.Args) != 1 {
				return nil, ev.Raisef("TypeError", "list.append() takes exactly one argument (%d given)", len(c.Args))
			}
			if len(l.Items) >= ev.budget.Object {
				return nil, ev.abort("a container of %d items", len(l.Items))
			}
			if err := ev.alloc(16); err != nil {
				return nil, err
			}
			if l.epoch != ev.epoch {
				ev.Touch(l)
			}
			if l.taint != nil && !l.taint.Data {
				if !l.taint.Acts && ev.mayAct(c.Args[0]) {
					l.taint = taintOf(l.taint, l.taint, true)
				}
				return None, nil
			}
			l.Items = append(l.Items, c.Args[0])
			return None, nil
		}
	case "extend", "__iadd__":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 1, 1); err != nil {
				return nil, err
			}
			return None, ev.extend(self.(*List), c.Args[0])
		}
	case "insert":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 2, 2); err != nil {
				return nil, err
			}
			l := self.(*List)
			ev.Touch(l)
			i, ok := intOf(c.Args[0])
			if !ok {
				if u, isU := c.Args[0].(*Unknown); isU {
					l.taint = taintOf(u, l.taint, ev.mayAct(l) || ev.mayAct(c.Args[1]))
					l.Items = nil
					return None, nil
				}
				return nil, ev.Raisef("TypeError", "'%s' object cannot be interpreted as an integer", c.Args[0].TypeName())
			}
			if l.taint != nil && !l.taint.Data {
				l.taint = taintOf(l.taint, l.taint, ev.mayAct(c.Args[1]))
				return None, nil
			}
			n := int64(len(l.Items))
			if i < 0 {
				i = max(i+n, 0)
			}
			i = min(i, n)
			if err := ev.work(int(n-i) / 16); err != nil {
				return nil, err
			}
			l.Items = slices.Insert(l.Items, int(i), c.Args[1])
			return None, ev.alloc(16)
		}
	case "pop":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 0, 1); err != nil {
				return nil, err
			}
			l := self.(*List)
			ev.Touch(l)
			if l.taint != nil {
				if l.taint.Data && len(l.Items) > 0 && len(c.Args) == 0 {
					v := l.Items[len(l.Items)-1]
					l.Items = l.Items[:len(l.Items)-1]
					return taintValue(l.taint, v), nil
				}
				return l.taint.derive(), nil
			}
			i := int64(-1)
			if len(c.Args) == 1 {
				var ok bool
				if i, ok = intOf(c.Args[0]); !ok {
					if u, isU := c.Args[0].(*Unknown); isU {
						l.taint = taintOf(u, nil, ev.mayAct(l))
						l.Items = nil
						return l.taint, nil
					}
					return nil, ev.Raisef("TypeError", "'%s' object cannot be interpreted as an integer", c.Args[0].TypeName())
				}
			}
			if len(l.Items) == 0 {
				return nil, ev.Raisef("IndexError", "pop from empty list")
			}
			if i < 0 {
				i += int64(len(l.Items))
			}
			if i < 0 || i >= int64(len(l.Items)) {
				return nil, ev.Raisef("IndexError", "pop index out of range")
			}
			v := l.Items[i]
			if err := ev.work((len(l.Items) - int(i)) / 16); err != nil {
				return nil, err
			}
			l.Items = slices.Delete(l.Items, int(i), int(i)+1)
			return v, nil
		}
	case "remove":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			l := self.(*List)
			if l.taint != nil && !l.taint.Data {
				return None, nil
			}
			r, err := seqFind("index")(ev, &List{Items: l.Items}, &Call{Args: c.Args})
			if err != nil {
				if x, ok := err.(*Raise); ok && x.Exc.Cls == exceptionClass("ValueError") {
					return nil, ev.Raisef("ValueError", "list.remove(x): x not in list")
				}
				return nil, err
			}
			ev.Touch(l)
			if u, ok := r.(*Unknown); ok {
				l.taint = taintOf(u, l.taint, ev.mayAct(l))
				if !l.taint.Data {
					l.Items = nil
				}
				return None, nil
			}
			i := int(r.(Int))
			l.Items = slices.Delete(l.Items, i, i+1)
			return None, nil
		}
	case "clear":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			l := self.(*List)
			ev.Touch(l)
			l.Items, l.taint = nil, nil
			return None, nil
		}
	case "copy":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			l := self.(*List)
			return &List{Items: slices.Clone(l.Items), taint: l.taint, epoch: ev.epoch}, ev.size(len(l.Items))
		}
	case "reverse":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			l := self.(*List)
			ev.Touch(l)
			slices.Reverse(l.Items)
			return None, ev.work(len(l.Items) / 16)
		}
	case "sort":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			b, err := c.Bind(ev, "sort", "*", "key=", "reverse=")
			if err != nil {
				return nil, err
			}
			l := self.(*List)
			ev.Touch(l)
			if l.taint != nil && !l.taint.Data {
				return None, nil
			}
			reverse := false
			if r := b.Value("reverse"); r != nil {
				if reverse, _, err = ev.Truth(r); err != nil {
					return nil, err
				}
			}
			items := slices.Clone(l.Items)
			u, err := ev.sortItems(items, b.Value("key"), reverse)
			if err != nil {
				return nil, err
			}
			if u != nil {
				l.taint = taintOf(u, l.taint, ev.mayAct(l))
				l.Items = nil
				return None, nil
			}
			l.Items = items
			return None, nil
		}
	case "index", "count":
		return seqFind(name)
	}
	return objectMethod(name)
}

func dictMethod(name string, cls *Class) methodFn {
	switch name {
	case "get":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 1, 2); err != nil {
				return nil, err
			}
			d := self.(*Dict)
			def := argOr(c, 1, None)
			h, u, err := ev.hash(unbase(c.Args[0]))
			if err != nil {
				return nil, err
			}
			if u != nil {
				return &Unknown{Pos: u.Pos, Why: u.Why, Data: u.Data, Acts: u.Acts || ev.anyActs(d.entries) || ev.mayAct(def)}, nil
			}
			if i := d.find(h); i >= 0 {
				if d.taint != nil && !d.taint.Data {
					return d.taint.derive(), nil
				}
				return d.entries[i].val, nil
			}
			if d.taint != nil {
				return taintValue(d.taint, def), nil
			}
			return def, nil
		}
	case "keys", "values", "items", "iterkeys", "itervalues", "iteritems", "viewkeys", "viewvalues", "viewitems":
		kind := viewKeys
		switch {
		case strings.HasSuffix(name, "values"):
			kind = viewValues
		case strings.HasSuffix(name, "items"):
			kind = viewItems
		}
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			view := &dictView{self.(*Dict), kind}
			if !ev.python2() || len(name) > len("values") {
				return view, nil
			}
			items, u, err := ev.list(view)
			if err != nil {
				return nil, err
			}
			if u != nil && !u.Data {
				return &List{taint: u}, nil
			}
			return &List{Items: items, taint: u, epoch: ev.epoch}, nil
		}
	case "has_key":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 1, 1); err != nil {
				return nil, err
			}
			return ev.contains(self, c.Args[0])
		}
	case "update":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			d := self.(*Dict)
			if cls == counterClass && len(c.Args) == 1 {
				return None, ev.counterUpdate(d, c.Args[0], 1)
			}
			return None, ev.dictInit(d, c)
		}
	case "pop":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 1, 2); err != nil {
				return nil, err
			}
			d := self.(*Dict)
			h, u, err := ev.hash(unbase(c.Args[0]))
			if err != nil {
				return nil, err
			}
			ev.Touch(d)
			if u != nil {
				d.taint = taintOf(u, d.taint, ev.anyActs(d.entries))
				return d.taint.derive(), nil
			}
			if e, ok := d.remove(h); ok {
				if d.taint != nil && !d.taint.Data {
					return d.taint.derive(), nil
				}
				return e.val, nil
			}
			if d.taint != nil {
				return taintValue(d.taint, argOr(c, 1, nil)), nil
			}
			if len(c.Args) == 2 {
				return c.Args[1], nil
			}
			return nil, ev.Raise(exceptionClass("KeyError"), c.Args[0])
		}
	case "popitem":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			d := self.(*Dict)
			ev.Touch(d)
			if d.taint != nil {
				return d.taint.derive(), nil
			}
			last := true
			if v := c.Keyword("last"); v != nil {
				last, _, _ = ev.Truth(v)
			} else if len(c.Args) > 0 {
				last, _, _ = ev.Truth(c.Args[0])
			}
			keys := d.keys()
			if len(keys) == 0 {
				return nil, ev.Raisef("KeyError", "popitem(): dictionary is empty")
			}
			k := keys[0]
			if last {
				k = keys[len(keys)-1]
			}
			if err := ev.work(len(keys) / 8); err != nil {
				return nil, err
			}
			h, _, _ := ev.hash(k)
			e, _ := d.remove(h)
			return &Tuple{Items: []Value{e.key, e.val}}, nil
		}
	case "setdefault":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 1, 2); err != nil {
				return nil, err
			}
			d := self.(*Dict)
			h, u, err := ev.hash(c.Args[0])
			if err != nil {
				return nil, err
			}
			if u == nil {
				if i := d.find(h); i >= 0 && (d.taint == nil || d.taint.Data) {
					return d.entries[i].val, nil
				}
			}
			v := argOr(c, 1, None)
			if u != nil || d.taint != nil && !d.taint.Data {
				if err := d.Store(ev, c.Args[0], v); err != nil {
					return nil, err
				}
				return d.taint.derive(), nil
			}
			return v, d.Store(ev, c.Args[0], v)
		}
	case "clear":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			d := self.(*Dict)
			ev.Touch(d)
			d.clear()
			d.taint = nil
			return None, nil
		}
	case "copy", "__copy__":
		return func(ev *Eval, self Value, c *Call) (Value, error) { return ev.copyDict(self.(*Dict)) }
	case "move_to_end":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			b, err := c.Bind(ev, "move_to_end", "key", "last=")
			if err != nil {
				return nil, err
			}
			d := self.(*Dict)
			h, u, err := ev.hash(b.Value("key"))
			if err != nil {
				return nil, err
			}
			ev.Touch(d)
			if u != nil {
				d.taint = taintOf(u, d.taint, ev.anyActs(d.entries))
				return None, nil
			}
			e, ok := d.remove(h)
			if !ok {
				return nil, ev.Raise(exceptionClass("KeyError"), b.Value("key"))
			}
			last := true
			if l := b.Value("last"); l != nil {
				last, _, _ = ev.Truth(l)
			}
			if last {
				d.put(e.hash, e.key, e.val)
				return None, nil
			}
			rest := d.Save().(*table)
			d.clear()
			d.put(e.hash, e.key, e.val)
			for _, x := range rest.entries {
				d.put(x.hash, x.key, x.val)
			}
			return None, ev.work(d.live / 8)
		}
	case "fromkeys":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 1, 2); err != nil {
				return nil, err
			}
			items, u, err := ev.list(c.Args[0])
			if err != nil {
				return nil, err
			}
			d := &Dict{table: table{epoch: ev.epoch, taint: u}}
			for _, k := range items {
				if err := d.Store(ev, k, argOr(c, 1, None)); err != nil {
					return nil, err
				}
			}
			return d, nil
		}
	case "most_common", "elements", "subtract", "total":
		if cls == counterClass {
			return counterMethod(name)
		}
	}
	return objectMethod(name)
}

func (ev *Eval) copyDict(d *Dict) (Value, error) {
	out := &Dict{cls: d.cls, factory: d.factory}
	out.Restore(d.Save())
	out.epoch = ev.epoch
	if d.attrs != nil {
		out.attrs = &Namespace{epoch: ev.epoch}
		out.attrs.Restore(d.attrs.Save())
	}
	return out, ev.size(d.live)
}

func (ev *Eval) setUpdate(s *Set, v Value) error {
	ev.Touch(s)
	if o, ok := v.(*Set); ok {
		for _, e := range o.entries {
			if e.key != nil {
				s.put(e.hash, e.key, nil)
			}
		}
		if o.taint != nil {
			s.taint = taintOf(o.taint, s.taint, false)
		}
		return ev.size(o.live)
	}
	items, u, err := ev.list(v)
	if err != nil {
		return err
	}
	for _, x := range items {
		if err := s.Add(ev, x); err != nil {
			return err
		}
	}
	if u != nil {
		s.taint = taintOf(u, s.taint, u.Acts)
	}
	return nil
}

func (ev *Eval) toSet(v Value) (*Set, error) {
	if s, ok := ev.asSet(v); ok {
		return s, nil
	}
	s := &Set{}
	return s, ev.setUpdate(s, v)
}

func setMethod(name string) methodFn {
	switch name {
	case "add":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 1, 1); err != nil {
				return nil, err
			}
			return None, self.(*Set).Add(ev, c.Args[0])
		}
	case "remove", "discard":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 1, 1); err != nil {
				return nil, err
			}
			s := self.(*Set)
			h, u, err := ev.hash(c.Args[0])
			if err != nil {
				return nil, err
			}
			ev.Touch(s)
			if u != nil {
				s.taint = taintOf(u, s.taint, false)
				return None, nil
			}
			if _, ok := s.table.remove(h); !ok && name == "remove" && s.taint == nil {
				return nil, ev.Raise(exceptionClass("KeyError"), c.Args[0])
			}
			return None, nil
		}
	case "pop":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			s := self.(*Set)
			ev.Touch(s)
			if s.taint != nil {
				return s.taint.derive(), nil
			}
			items := ev.sortedSet(s)
			if len(items) == 0 {
				return nil, ev.Raisef("KeyError", "pop from an empty set")
			}
			h, _, _ := ev.hash(items[0])
			s.table.remove(h)
			return items[0], ev.work(len(items))
		}
	case "clear":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			s := self.(*Set)
			ev.Touch(s)
			s.table.clear()
			s.taint = nil
			return None, nil
		}
	case "copy":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			s := self.(*Set)
			out := &Set{Frozen: s.Frozen}
			out.Restore(s.Save())
			out.epoch = ev.epoch
			return out, ev.size(s.live)
		}
	case "update":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			for _, a := range c.Args {
				if err := ev.setUpdate(self.(*Set), a); err != nil {
					return nil, err
				}
			}
			return None, nil
		}
	case "union", "intersection", "difference", "symmetric_difference", "intersection_update", "difference_update", "symmetric_difference_update":
		base, inPlace := strings.CutSuffix(name, "_update")
		op := map[string]Op{"union": OpBitOr, "intersection": OpBitAnd, "difference": OpSub, "symmetric_difference": OpBitXor}[base]
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			s := self.(*Set)
			out := &Set{Frozen: s.Frozen}
			out.Restore(s.Save())
			for _, a := range c.Args {
				o, err := ev.toSet(a)
				if err != nil {
					return nil, err
				}
				if out, err = ev.setOp(op, out, o); err != nil {
					return nil, err
				}
			}
			if inPlace {
				ev.Touch(s)
				s.Restore(out.Save())
				return None, nil
			}
			out.epoch = ev.epoch
			return out, nil
		}
	case "issubset", "issuperset", "isdisjoint":
		return func(ev *Eval, self Value, c *Call) (Value, error) {
			if err := need(ev, c, 1, 1); err != nil {
				return nil, err
			}
			o, err := ev.toSet(c.Args[0])
			if err != nil {
				return nil, err
			}
			switch name {
			case "issubset":
				return ev.compareSets(OpLtE, self.(*Set), o)
			case "issuperset":
				return ev.compareSets(OpGtE, self.(*Set), o)
			}
			both, err := ev.setOp(OpBitAnd, self.(*Set), o)
			if err != nil {
				return nil, err
			}
			if both.taint != nil {
				return taintValue(both.taint, Bool(both.live == 0)), nil
			}
			return Bool(both.live == 0), nil
		}
	}
	return objectMethod(name)
}
