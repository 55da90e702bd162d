package python

import (
	"math"
	"strings"
)

// A callableWith is a function that has an attribute.
type callableWith struct {
	fn   Value
	name string
	attr Value
}

func (c *callableWith) TypeName() string { return "type" }

// Pure tells that a call has no effects.
func (c *callableWith) Pure() bool {
	n, ok := c.fn.(*Native)
	return ok && n.Pure
}

// Call implements Caller.
func (c *callableWith) Call(ev *Eval, call *Call) (Value, error) {
	return ev.Call(call.Pos(), c.fn, call.Args, call.Kw...)
}

// Attr implements Attrer.
func (c *callableWith) Attr(ev *Eval, name string) (Value, bool) {
	return c.attr, name == c.name
}

func stdMath(ev *Eval) *Module {
	m := NewModule("math", "pi", Float(math.Pi), "e", Float(math.E), "inf", Float(math.Inf(1)), "nan", Float(math.NaN()), "tau", Float(2*math.Pi))
	number := func(ev *Eval, v Value) (float64, error) {
		switch v := v.(type) {
		case Int:
			return float64(v), nil
		case Float:
			return float64(v), nil
		case Bool:
			if v {
				return 1, nil
			}
			return 0, nil
		}
		return 0, ev.Raisef("TypeError", "must be real number, not %s", v.TypeName())
	}
	whole := func(name string, round func(float64) float64) {
		m.Attrs.Store(ev, name, pureFn(name, func(ev *Eval, b *Bound) (Value, error) {
			if n, ok := b.Value("x").(Int); ok {
				return n, nil
			}
			x, err := number(ev, b.Value("x"))
			if err != nil {
				return nil, err
			}
			if x = round(x); math.IsNaN(x) || math.IsInf(x, 0) || math.Abs(x) > 1<<62 {
				return nil, ev.Raisef("OverflowError", "cannot convert float to integer")
			}
			return Int(x), nil
		}, "x"))
	}
	whole("ceil", math.Ceil)
	whole("floor", math.Floor)
	whole("trunc", math.Trunc)
	m.Attrs.Store(ev, "sqrt", pureFn("sqrt", func(ev *Eval, b *Bound) (Value, error) {
		x, err := number(ev, b.Value("x"))
		if err != nil {
			return nil, err
		}
		if x < 0 {
			return nil, ev.Raisef("ValueError", "math domain error")
		}
		return Float(math.Sqrt(x)), nil
	}, "x"))
	m.Missing = func(ev *Eval, name string) Value { return NewUnknown(ev.Pos(), "math."+name+" is not modelled") }
	return m
}

// stdDecimal keeps a Decimal as its text; arithmetic with it is not modelled.
func stdDecimal(ev *Eval) *Module {
	cls := &Class{Name: "Decimal", Module: "decimal", New: func(ev *Eval, cls *Class, call *Call) (Value, error) {
		b, err := call.Bind(ev, "Decimal", "value=", "context=")
		if err != nil {
			return nil, err
		}
		if u := b.unknown(); u != nil {
			return u.derive(), nil
		}
		text := "0"
		switch v := b.Value("value").(type) {
		case nil:
		case Str, Int, *BigInt:
			if text, _, err = ev.Str(v); err != nil {
				return nil, err
			}
		default:
			return NewUnknown(call.Pos(), "a Decimal of a "+v.TypeName()+" is not modelled"), nil
		}
		return &decimal{Object{Cls: cls}, strings.TrimSpace(text)}, nil
	}}
	m := NewModule("decimal", "Decimal", cls)
	for _, name := range []string{"ROUND_HALF_UP", "ROUND_HALF_EVEN", "ROUND_DOWN", "ROUND_UP", "ROUND_FLOOR", "ROUND_CEILING", "ROUND_HALF_DOWN", "ROUND_05UP"} {
		m.Attrs.Store(ev, name, Str(name))
	}
	m.Missing = func(ev *Eval, name string) Value { return NewUnknown(ev.Pos(), "decimal."+name+" is not modelled") }
	return m
}

type decimal struct {
	Object
	text string
}

// Text implements Texter.
func (d *decimal) Text(ev *Eval, repr bool) (Value, error) {
	if repr {
		return Str("Decimal('" + d.text + "')"), nil
	}
	return Str(d.text), nil
}

// Binary implements Operator: what a Decimal's arithmetic gives is not known.
func (d *decimal) Binary(ev *Eval, op Op, other Value, reflected bool) (Value, error) {
	return NewUnknown(ev.Pos(), "arithmetic with Decimal is not modelled"), nil
}

// Truth implements Truther.
func (d *decimal) Truth(ev *Eval) (Value, error) {
	return Bool(strings.ContainsAny(d.text, "123456789") || strings.ContainsAny(d.text, "nN")), nil
}

// stdSix is what migrations use of six, for Python 3.
func stdSix(ev *Eval) *Module {
	class := func(name string) Value {
		if c := Builtin(name); c != nil {
			return c
		}
		return NewUnknown(Pos{}, name+" is not modelled")
	}
	view := func(name, method string) *Native {
		return &Native{Name: name, Fn: func(ev *Eval, call *Call) (Value, error) {
			b, err := call.Bind(ev, name, "d")
			if err != nil {
				return nil, err
			}
			m, err := ev.Attr(b.Value("d"), method)
			if err != nil {
				return nil, err
			}
			return ev.Call(call.Pos(), m, nil)
		}}
	}
	same := func(name string) *Native {
		return &Native{Name: name, Pure: true, Fn: func(ev *Eval, call *Call) (Value, error) {
			if len(call.Args) == 0 {
				return nil, ev.Raisef("TypeError", "%s needs an argument", name)
			}
			return call.Args[0], nil
		}}
	}
	m := NewModule("six", "PY2", Bool(false), "PY3", Bool(true), "PY34", Bool(true),
		"string_types", NewTuple(class("str")), "integer_types", NewTuple(class("int")), "class_types", NewTuple(class("type")),
		"text_type", class("str"), "binary_type", class("bytes"), "MAXSIZE", Int(1<<63-1),
		"iteritems", view("iteritems", "items"), "iterkeys", view("iterkeys", "keys"), "itervalues", view("itervalues", "values"),
		"u", same("u"), "ensure_str", same("ensure_str"), "ensure_text", same("ensure_text"), "python_2_unicode_compatible", same("python_2_unicode_compatible"),
		"moves", stdSixMoves(ev))
	m.Missing = func(ev *Eval, name string) Value { return NewUnknown(ev.Pos(), "six."+name+" is not modelled") }
	return m
}

func stdSixMoves(ev *Eval) *Module {
	m := NewModule("six.moves")
	m.Missing = func(ev *Eval, name string) Value {
		name = strings.TrimPrefix(name, "x") // xrange
		if c := Builtin(name); c != nil {
			return c
		}
		return NewUnknown(ev.Pos(), "six.moves."+name+" is not modelled")
	}
	return m
}
