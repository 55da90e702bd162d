package python

import "fmt"

// This file is what native modules call.

// Builtin gives a built-in class by name ("int", "Exception", "ValueError", "object" …), or nil. Built-in classes are
// shared by all evaluations and must not be changed.
func Builtin(name string) *Class { return builtinClass(name) }

// NewException gives a native exception class. Without bases it derives from Exception.
func NewException(module, name string, bases ...*Class) *Class {
	if len(bases) == 0 {
		bases = []*Class{exceptionClass("Exception")}
	}
	return &Class{Name: name, Module: module, Bases: bases}
}

// Raisef gives the error that raises a built-in exception, at the position of the current call.
func (ev *Eval) Raisef(class, format string, args ...any) error {
	cls := builtinClass(class)
	if cls == nil {
		cls = exceptionClass("RuntimeError")
	}
	return ev.Raise(cls, Str(fmt.Sprintf(format, args...)))
}

// Raise gives the error that raises an exception of the class with the arguments.
func (ev *Eval) Raise(cls *Class, args ...Value) error {
	exc := NewInstance(cls)
	exc.Attrs.store("args", &Tuple{Items: args})
	return &Raise{Exc: exc, Pos: ev.Pos(), Implied: cls.Name != "AssertionError" && cls.Name != "SystemExit"}
}

// IsInstance is isinstance(v, cls). An Unknown is an instance of nothing.
func (ev *Eval) IsInstance(v Value, cls *Class) bool {
	if cls.Is != nil && cls.Is(v) {
		return true
	}
	return ClassOf(v).Derives(cls)
}

// Truth is bool(v). The Unknown is not nil if it is not known.
func (ev *Eval) Truth(v Value) (bool, *Unknown, error) {
	r, err := ev.truth(v)
	if err != nil {
		return false, nil, err
	}
	if u, ok := r.(*Unknown); ok {
		return false, u, nil
	}
	return bool(r.(Bool)), nil, nil
}

// Equal is a == b as a truth. The Unknown is not nil if it is not known.
func (ev *Eval) Equal(a, b Value) (bool, *Unknown, error) {
	r, err := ev.compare(OpEq, a, b)
	if err != nil {
		return false, nil, err
	}
	return ev.Truth(r)
}

// Str is str(v). The Unknown is not nil if it is not known; its Prefix may be.
func (ev *Eval) Str(v Value) (string, *Unknown, error) { return textOf(ev.str(v)) }

// Repr is repr(v). The Unknown is not nil if it is not known.
func (ev *Eval) Repr(v Value) (string, *Unknown, error) { return textOf(ev.repr(v)) }

func textOf(v Value, err error) (string, *Unknown, error) {
	if err != nil {
		return "", nil, err
	}
	if u, ok := v.(*Unknown); ok {
		return "", u, nil
	}
	return string(v.(Str)), nil, nil
}

// Iterate gives all items of an iterable. If the Unknown is not nil, the items are not known, or, if it has Data set, the
// items are those without rows.
func (ev *Eval) Iterate(v Value) ([]Value, *Unknown, error) { return ev.list(v) }

// Attr is getattr(v, name).
func (ev *Eval) Attr(v Value, name string) (Value, error) { return ev.getAttr(v, name) }

// SetAttr is setattr(v, name, x).
func (ev *Eval) SetAttr(v Value, name string, x Value) error { return ev.setAttr(v, name, x) }

// Index is v[key].
func (ev *Eval) Index(v, key Value) (Value, error) { return ev.index(v, key) }

// Binary is a op b, for all binary operators and comparisons.
func (ev *Eval) Binary(op Op, a, b Value) (Value, error) {
	if op >= OpEq {
		return ev.compare(op, a, b)
	}
	return ev.binary(op, a, b)
}

// Call calls a value. Calling an Unknown applies the rule of escape and gives an Unknown.
func (ev *Eval) Call(pos Pos, fn Value, args []Value, kw ...Kwarg) (Value, error) {
	return ev.call(fn, &Call{Args: args, Kw: kw, pos: pos})
}

// UnknownIn gives the first Unknown in a value, which may be nested in tuples, lists, sets and dicts; nil if there is none.
func UnknownIn(v Value) *Unknown { return unknownIn(v, 0) }

func unknownIn(v Value, depth int) *Unknown {
	if depth > 20 {
		return &Unknown{Why: "it is nested too deeply"}
	}
	switch v := v.(type) {
	case *Unknown:
		return v
	case *Tuple:
		for _, x := range v.Items {
			if u := unknownIn(x, depth+1); u != nil {
				return u
			}
		}
	case *List:
		if v.taint != nil {
			return v.taint
		}
		for _, x := range v.Items {
			if u := unknownIn(x, depth+1); u != nil {
				return u
			}
		}
	case *Set:
		return v.taint
	case *Dict:
		if v.taint != nil {
			return v.taint
		}
		for _, e := range v.entries {
			if e.key == nil {
				continue
			}
			if u := unknownIn(e.val, depth+1); u != nil {
				return u
			}
		}
	}
	return nil
}

// Unread gives the reason why not all attributes of a class are known, because a base or its metaclass could not be
// read; nil if all are.
func (c *Class) Unread() *Unknown { return c.isPartial() }

// MayRaise says that what native code has just done may have raised an exception instead, for a reason that is not known. It is
// taken not to have done so, as a call of code that cannot be read is: where a try statement would catch the exception,
// its handlers are tried as well, and what hangs on them is a gap.
func (ev *Eval) MayRaise(u *Unknown) {
	ev.unknowns++
	ev.lastUnknown = u
}

// ImportFrom is from m import name: an attribute of the module, or a module below it.
func (ev *Eval) ImportFrom(m *Module, name string) (Value, error) {
	return ev.importName(m, m.Name, name)
}

// Importing tells whether the body of a module is being evaluated, however deep inside of what it calls.
func (ev *Eval) Importing() bool {
	for fr := ev.fr; fr != nil; fr = fr.back {
		if fr.ns != nil && fr.globals != nil && fr.ns == fr.globals.Attrs {
			return true
		}
	}
	return false
}
