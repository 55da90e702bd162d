package python

import "slices"

// The built-in classes. They are never changed.
var (
	objectClass      = &Class{Name: "object", Module: "builtins"}
	typeClass        = &Class{Name: "type", Module: "builtins"}
	intClass         = &Class{Name: "int", Module: "builtins"}
	boolClass        = &Class{Name: "bool", Module: "builtins", Bases: []*Class{intClass}}
	floatClass       = &Class{Name: "float", Module: "builtins"}
	strClass         = &Class{Name: "str", Module: "builtins"}
	bytesClass       = &Class{Name: "bytes", Module: "builtins"}
	bytearrayClass   = &Class{Name: "bytearray", Module: "builtins"}
	listClass        = &Class{Name: "list", Module: "builtins"}
	tupleClass       = &Class{Name: "tuple", Module: "builtins"}
	dictClass        = &Class{Name: "dict", Module: "builtins"}
	setClass         = &Class{Name: "set", Module: "builtins"}
	frozensetClass   = &Class{Name: "frozenset", Module: "builtins"}
	rangeClass       = &Class{Name: "range", Module: "builtins"}
	sliceClass       = &Class{Name: "slice", Module: "builtins"}
	noneClass        = &Class{Name: "NoneType", Module: "builtins"}
	ellipsisClass    = &Class{Name: "ellipsis", Module: "builtins"}
	notImplClass     = &Class{Name: "NotImplementedType", Module: "builtins"}
	functionClass    = &Class{Name: "function", Module: "builtins"}
	builtinFuncClass = &Class{Name: "builtin_function_or_method", Module: "builtins"}
	methodClass      = &Class{Name: "method", Module: "builtins"}
	moduleClass      = &Class{Name: "module", Module: "builtins"}
	generatorClass   = &Class{Name: "generator", Module: "builtins"}
	propertyClass    = &Class{Name: "property", Module: "builtins"}
	staticClass      = &Class{Name: "staticmethod", Module: "builtins"}
	classMethClass   = &Class{Name: "classmethod", Module: "builtins"}
	superClass       = &Class{Name: "super", Module: "builtins"}
	unknownClass     = &Class{Name: "unknown", Module: "builtins"}

	builtinClasses = []*Class{objectClass, typeClass, intClass, boolClass, floatClass, strClass, bytesClass, bytearrayClass,
		listClass, tupleClass, dictClass, setClass, frozensetClass, rangeClass, sliceClass, propertyClass, staticClass,
		classMethClass, superClass}
	exceptions = exceptionTree()
)

// exceptionTree makes the built-in exception classes.
func exceptionTree() map[string]*Class {
	out := map[string]*Class{}
	add := func(base string, names ...string) {
		for _, n := range names {
			c := &Class{Name: n, Module: "builtins"}
			if base != "" {
				c.Bases = []*Class{out[base]}
			}
			out[n] = c
		}
	}
	add("", "BaseException")
	add("BaseException", "Exception", "SystemExit", "KeyboardInterrupt", "GeneratorExit", "BaseExceptionGroup")
	add("Exception", "ArithmeticError", "AssertionError", "AttributeError", "BufferError", "EOFError", "ImportError",
		"LookupError", "MemoryError", "NameError", "OSError", "ReferenceError", "RuntimeError", "StopIteration",
		"StopAsyncIteration", "SyntaxError", "SystemError", "TypeError", "ValueError", "Warning", "ExceptionGroup", "StandardError")
	add("ArithmeticError", "FloatingPointError", "OverflowError", "ZeroDivisionError")
	add("ImportError", "ModuleNotFoundError")
	add("LookupError", "IndexError", "KeyError")
	add("NameError", "UnboundLocalError")
	add("OSError", "BlockingIOError", "ChildProcessError", "ConnectionError", "FileExistsError", "FileNotFoundError",
		"InterruptedError", "IsADirectoryError", "NotADirectoryError", "PermissionError", "ProcessLookupError", "TimeoutError")
	add("ConnectionError", "BrokenPipeError", "ConnectionAbortedError", "ConnectionRefusedError", "ConnectionResetError")
	add("RuntimeError", "NotImplementedError", "RecursionError")
	add("SyntaxError", "IndentationError")
	add("IndentationError", "TabError")
	add("ValueError", "UnicodeError")
	add("UnicodeError", "UnicodeDecodeError", "UnicodeEncodeError", "UnicodeTranslateError")
	add("Warning", "BytesWarning", "DeprecationWarning", "FutureWarning", "ImportWarning", "PendingDeprecationWarning",
		"ResourceWarning", "RuntimeWarning", "SyntaxWarning", "UnicodeWarning", "UserWarning", "EncodingWarning")
	out["IOError"], out["EnvironmentError"] = out["OSError"], out["OSError"]
	return out
}

func exceptionClass(name string) *Class { return exceptions[name] }

func builtinClass(name string) *Class {
	for _, c := range builtinClasses {
		if c.Name == name {
			return c
		}
	}
	if name == "NoneType" {
		return noneClass
	}
	return exceptions[name]
}

// ClassOf gives type(v).
func ClassOf(v Value) *Class {
	switch v := v.(type) {
	case Int, *BigInt:
		return intClass
	case Bool:
		return boolClass
	case Float:
		return floatClass
	case Str:
		return strClass
	case Bytes:
		return bytesClass
	case *bytearray:
		return bytearrayClass
	case NoneType:
		return noneClass
	case EllipsisType:
		return ellipsisClass
	case notImplementedType:
		return notImplClass
	case *List:
		return listClass
	case *Tuple:
		if v.cls != nil {
			return v.cls
		}
		return tupleClass
	case *Dict:
		if v.cls != nil {
			return v.cls
		}
		return dictClass
	case *Set:
		if v.Frozen {
			return frozensetClass
		}
		return setClass
	case *Range:
		return rangeClass
	case *Slice:
		return sliceClass
	case *Func:
		return functionClass
	case *Native, *method:
		return builtinFuncClass
	case *BoundMethod:
		return methodClass
	case *Class:
		return typeClass
	case *Module:
		return moduleClass
	case *Generator:
		return generatorClass
	case *Property:
		return propertyClass
	case *staticMethod:
		return staticClass
	case *classMethod:
		return classMethClass
	case *superValue:
		return superClass
	case *Unknown:
		return unknownClass
	case Classed:
		if c := v.Class(); c != nil {
			return c
		}
	}
	return objectClass
}

// linearize is C3.
func linearize(c *Class) ([]*Class, bool) { return c3(c, 0) }

func c3(c *Class, depth int) ([]*Class, bool) {
	if c == objectClass {
		return []*Class{c}, true
	}
	if depth > 200 {
		return nil, false
	}
	bases := c.Bases
	if len(bases) == 0 {
		bases = []*Class{objectClass}
	}
	var seqs [][]*Class
	for _, b := range bases {
		m := b.mro
		if m == nil {
			var ok bool
			if m, ok = c3(b, depth+1); !ok {
				return nil, false
			}
		}
		seqs = append(seqs, slices.Clone(m))
	}
	seqs = append(seqs, slices.Clone(bases))
	out := []*Class{c}
	for {
		var next *Class
		empty := true
	find:
		for _, s := range seqs {
			if len(s) == 0 {
				continue
			}
			empty = false
			for _, t := range seqs {
				if len(t) > 1 && slices.Contains(t[1:], s[0]) {
					continue find
				}
			}
			next = s[0]
			break
		}
		if empty {
			return out, true
		}
		if next == nil {
			return nil, false
		}
		out = append(out, next)
		for i, s := range seqs {
			if len(s) > 0 && s[0] == next {
				seqs[i] = s[1:]
			}
		}
	}
}

// makeClass is a class statement after its body has run.
func (ev *Eval) makeClass(name string, bases []Value, splat *Unknown, ns *Namespace, kw []Kwarg, pos Pos) (Value, error) {
	cls := &Class{Name: name, Attrs: ns, python: true, Pos: pos}
	if m, ok := ns.Load("__module__"); ok {
		if s, ok := m.(Str); ok {
			cls.Module = string(s)
		}
	}
	if splat != nil {
		cls.partial = splat
	}
	var rest []Kwarg
	for _, k := range kw {
		if k.Name != "metaclass" {
			rest = append(rest, k)
			continue
		}
		switch m := k.Value.(type) {
		case *Class:
			if m == typeClass || m.Name == "ABCMeta" || m.Name == "EnumMeta" || m.Name == "EnumType" || m.Data == "metaclass" {
				continue
			}
			cls.partial = NewUnknown(pos, "the metaclass "+m.Name+" is not modelled")
		case *Unknown:
			cls.partial = m
		}
	}
	for _, b := range bases {
		switch b := b.(type) {
		case *Class:
			if b == boolClass || b == noneClass {
				return nil, ev.Raisef("TypeError", "type '%s' is not an acceptable base type", b.Name)
			}
			if b.Derives(typeClass) {
				cls.Data = nil
			}
			if slices.Contains(cls.Bases, b) {
				return nil, ev.Raisef("TypeError", "duplicate base class %s", b.Name)
			}
			cls.Bases = append(cls.Bases, b)
		case *Unknown:
			if cls.partial == nil {
				cls.partial = b
			}
		default:
			// typing.Generic[T] and the like, or a native value that stands for a class.
			if e, err := ev.getAttr(b, "__mro_entries__"); err == nil {
				r, err := ev.call(e, NewCall(pos, []Value{&Tuple{Items: bases}}))
				if err != nil {
					return nil, err
				}
				if t, ok := r.(*Tuple); ok {
					for _, x := range t.Items {
						if k, ok := x.(*Class); ok && !slices.Contains(cls.Bases, k) {
							cls.Bases = append(cls.Bases, k)
						}
					}
				}
				continue
			}
			return nil, ev.Raisef("TypeError", "%s object is not an acceptable base", b.TypeName())
		}
	}
	depth := 0
	for _, b := range cls.Bases {
		depth = max(depth, len(b.MRO()))
	}
	if depth > 200 {
		return nil, ev.abort("%d classes above one another", depth)
	}
	if err := ev.work(depth * (1 + len(cls.Bases))); err != nil {
		return nil, err
	}
	mro, ok := linearize(cls)
	if !ok {
		return nil, ev.Raisef("TypeError", "Cannot create a consistent method resolution order (MRO) for bases")
	}
	cls.mro = mro
	// What the evaluator keeps of a base that matters for instances.
	for _, k := range mro[1:] {
		if cls.fields == nil && k.fields != nil {
			cls.fields, cls.data = k.fields, k.data
		}
		if cls.tupleOf == nil {
			cls.tupleOf, cls.defaults = k.tupleOf, k.defaults
		}
	}
	for i, n := range ns.names {
		if v, ok := ns.vals[i].(*Instance); ok {
			if m, ok := v.Cls.Lookup("__set_name__"); ok {
				if _, err := ev.call(m, NewCall(pos, []Value{v, cls, Str(n)})); err != nil {
					return nil, err
				}
			}
		}
		if p, ok := ns.vals[i].(*Property); ok && p.cached && p.name == "" {
			p.name = n
		}
	}
	for _, k := range mro[1:] {
		if k.Subclass != nil {
			if err := k.Subclass(ev, cls, rest); err != nil {
				return nil, err
			}
			break
		}
		if k.python {
			if m, ok := k.Attrs.Load("__init_subclass__"); ok {
				if c, ok := m.(*classMethod); ok {
					m = c.fn
				}
				call := NewCall(pos, []Value{cls}, rest...)
				if _, err := ev.call(m, call); err != nil {
					return nil, err
				}
				break
			}
		}
	}
	return cls, nil
}

// instantiate calls a class.
func (ev *Eval) instantiate(cls *Class, call *Call) (Value, error) {
	if err := ev.step(); err != nil {
		return nil, err
	}
	if !cls.python {
		if v, ok, err := ev.construct(cls, call); ok {
			return v, err
		}
	}
	if call.Splat != nil && !cls.python {
		if (cls.New != nil || cls.Init != nil) && !cls.Pure {
			ev.Gap(Gap{Pos: call.Pos(), What: "call of " + cls.Name + " with arguments that are not known", Why: call.Splat.Why})
		}
		return call.Splat.derive(), nil
	}
	if cls.enum != nil {
		return ev.libClass("enum", "Enum").New(ev, cls, call)
	}
	var obj Value
	mro := cls.MRO()
	hasNew := false
	for _, k := range mro {
		if k.python {
			if m, ok := k.Attrs.Load("__new__"); ok {
				if s, ok := m.(*staticMethod); ok {
					m = s.fn
				}
				v, err := ev.call(m, call.unshift(cls))
				if err != nil {
					return nil, err
				}
				obj, hasNew = v, true
				break
			}
			continue
		}
		if k.New != nil {
			if call.Splat != nil {
				if !k.Pure {
					ev.Gap(Gap{Pos: call.Pos(), What: "call of " + cls.Name + " with arguments that are not known", Why: call.Splat.Why})
				}
				return call.Splat.derive(), nil
			}
			v, err := k.New(ev, cls, call)
			if err != nil {
				return nil, err
			}
			obj, hasNew = v, true
			break
		}
		if v, ok, err := ev.allocate(cls, k, call); ok {
			if err != nil {
				return nil, err
			}
			obj, hasNew = v, true
			break
		}
	}
	if obj == nil {
		obj = &Instance{Object: Object{Cls: cls, Attrs: Namespace{epoch: ev.epoch}}}
	}
	if !ClassOf(obj).Derives(cls) {
		return obj, nil
	}
	if x, ok := obj.(*Instance); ok && cls.Derives(exceptionClass("BaseException")) {
		var args Value = &Tuple{Items: call.Args}
		if call.Splat != nil {
			args = call.Splat.derive()
		}
		x.Attrs.store("args", args)
		hasNew = true
	}
	for _, k := range mro {
		if k.Attrs != nil {
			if m, ok := k.Attrs.Load("__init__"); ok {
				r, err := ev.call(m, call.unshift(obj))
				if err != nil {
					return nil, err
				}
				if r != None && !isUnknown(r) {
					return nil, ev.Raisef("TypeError", "__init__() should return None, not '%s'", r.TypeName())
				}
				return obj, nil
			}
		}
		if k.Init != nil {
			if call.Splat != nil {
				if !k.Pure {
					ev.Gap(Gap{Pos: call.Pos(), What: "call of " + cls.Name + " with arguments that are not known", Why: call.Splat.Why})
				}
				return call.Splat.derive(), nil
			}
			return obj, k.Init(ev, obj, call)
		}
		if k.partial != nil {
			// The base's __init__ is code that cannot be read.
			if len(call.Args) > 0 || len(call.Kw) > 0 {
				if _, err := ev.callUnknown(k.partial, call, false); err != nil {
					return nil, err
				}
			}
			return obj, nil
		}
	}
	if !hasNew && (len(call.Args) > 0 || len(call.Kw) > 0) {
		return nil, ev.Raisef("TypeError", "%s() takes no arguments", cls.Name)
	}
	return obj, nil
}

func isUnknown(v Value) bool {
	_, ok := v.(*Unknown)
	return ok
}

// allocate makes the instance of a Python class that derives from a built-in one.
func (ev *Eval) allocate(cls, base *Class, call *Call) (Value, bool, error) {
	switch base {
	case dictClass:
		d := &Dict{cls: cls, attrs: &Namespace{epoch: ev.epoch}, table: table{epoch: ev.epoch}}
		if _, k, ok := cls.find("__init__"); ok && k.python {
			return d, true, nil
		}
		return d, true, ev.dictInit(d, call)
	case tupleClass:
		v, _, err := ev.construct(tupleClass, call)
		if t, ok := v.(*Tuple); ok {
			return &Tuple{Items: t.Items, cls: cls, attrs: &Namespace{epoch: ev.epoch}}, true, err
		}
		return v, true, err
	case intClass, floatClass, strClass, bytesClass, listClass, setClass, frozensetClass:
		c := call
		if _, k, ok := cls.find("__init__"); ok && k.python && base != strClass && base != intClass {
			c = NewCall(call.Pos(), nil)
		}
		v, _, err := ev.construct(base, c)
		if err != nil {
			return nil, true, err
		}
		return &Instance{Object: Object{Cls: cls, Attrs: Namespace{epoch: ev.epoch}}, base: v}, true, nil
	}
	return nil, false, nil
}

// isInstance is isinstance(v, c) with a class, a tuple of classes or something unknown.
func (ev *Eval) isInstance(v, c Value) (Value, error) {
	switch c := c.(type) {
	case *Tuple:
		out := Value(Bool(false))
		for _, x := range c.Items {
			r, err := ev.isInstance(v, x)
			if err != nil || r == Bool(true) {
				return r, err
			}
			if isUnknown(r) {
				out = r
			}
		}
		return out, nil
	case *Unknown:
		return c.derive(), nil
	case *Class:
		if u, ok := v.(*Unknown); ok {
			if u.Data && u.Empty != nil {
				r, _ := ev.isInstance(u.Empty, c)
				return &Unknown{Pos: u.Pos, Why: u.Why, Data: true, Empty: r}, nil
			}
			return u.derive(), nil
		}
		if c.Is != nil && c.Is(v) {
			return Bool(true), nil
		}
		k := ClassOf(v)
		if k.Derives(c) {
			return Bool(true), nil
		}
		if u := k.isPartial(); u != nil && c != strClass && c != intClass && c != listClass && c != dictClass && c != tupleClass {
			return u.derive(), nil
		}
		if m, owner, ok := c.find("__instancecheck__"); ok && owner.python {
			return ev.call(m, NewCall(ev.Pos(), []Value{c, v}))
		}
		return Bool(false), nil
	case Classed:
		if k := c.Class(); k != nil && k.Is != nil {
			return Bool(k.Is(v)), nil
		}
	}
	return nil, ev.Raisef("TypeError", "isinstance() arg 2 must be a type, a tuple of types, or a union")
}

// excMessage is str() of an exception, without calling anything.
func excMessage(e *Instance) string {
	a, _ := e.Attrs.Load("args")
	t, ok := a.(*Tuple)
	if !ok || len(t.Items) == 0 {
		return ""
	}
	text := func(v Value) string {
		switch v := v.(type) {
		case Str:
			return string(v)
		case *Unknown:
			return v.Prefix + "…"
		}
		return simpleRepr(v)
	}
	if len(t.Items) == 1 {
		if s, ok := t.Items[0].(Str); ok && e.Cls.Name == "KeyError" {
			return reprStr(string(s))
		}
		return text(t.Items[0])
	}
	out := "("
	for i, x := range t.Items {
		if i > 0 {
			out += ", "
		}
		out += simpleRepr(x)
	}
	return out + ")"
}

// simpleRepr is repr without calling anything.
func simpleRepr(v Value) string {
	switch v := v.(type) {
	case Str:
		return reprStr(string(v))
	case Int, Float, Bool, NoneType, *BigInt, Bytes:
		s, _ := (&Eval{}).repr(v)
		return string(s.(Str))
	case *Unknown:
		return "…"
	}
	return "<" + v.TypeName() + ">"
}

func nativeHash(v *Instance) (any, bool) {
	if v.base != nil {
		switch b := v.base.(type) {
		case Str, Int, Bytes:
			return b, true
		}
	}
	if h, ok := v.Native.(interface{ hashKey() any }); ok {
		return h.hashKey(), true
	}
	return nil, false
}
