package sqlalchemy

import (
	"strings"

	"instep/internal/python"
)

// why turns the evaluator's Unknown into this package's.
func why(u *python.Unknown) *Unknown {
	if u == nil {
		return nil
	}
	return &Unknown{Why: u.Why}
}

// unknownOf gives the Unknown in a value, nil if all of it is known.
func unknownOf(v python.Value) *Unknown {
	if v == nil {
		return nil
	}
	return why(python.UnknownIn(v))
}

// absent tells whether an argument was left out or is None.
func absent(v python.Value) bool { return v == nil || v == python.None }

// text reads an argument that should be a string. None and what is missing give "".
func (e *Engine) text(v python.Value) (string, *Unknown) {
	switch v := v.(type) {
	case nil, python.NoneType:
		return "", nil
	case python.Str:
		return string(v), nil
	case *nameValue:
		return string(v.Str), nil
	case *python.Unknown:
		return "", why(v)
	}
	s, u, err := e.Eval.Str(v)
	if err != nil {
		return "", &Unknown{Why: "its text cannot be computed: " + err.Error()}
	}
	return s, why(u)
}

// truth reads an argument that should be a bool.
func (e *Engine) truth(v python.Value, otherwise bool) (bool, *Unknown) {
	if v == nil {
		return otherwise, nil
	}
	b, u, err := e.Eval.Truth(v)
	if err != nil {
		return otherwise, &Unknown{Why: "its truth cannot be computed: " + err.Error()}
	}
	if u != nil {
		return otherwise, why(u)
	}
	return b, nil
}

// optionalBool reads an argument that may be None.
func (e *Engine) optionalBool(v python.Value) (*bool, *Unknown) {
	if absent(v) {
		return nil, nil
	}
	b, u := e.truth(v, false)
	return &b, u
}

// number reads an argument that should be an int.
func (e *Engine) number(v python.Value) Num {
	switch v := v.(type) {
	case nil, python.NoneType:
		return Num{}
	case python.Int:
		return N(int(v))
	case python.Bool:
		if v {
			return N(1)
		}
		return N(0)
	case python.Str:
		// A length given as "255" is formatted as it stands.
		n := 0
		for _, c := range string(v) {
			if c < '0' || c > '9' || n > 1<<40 {
				return Num{Given: true, Unknown: &Unknown{Why: "it is no number"}}
			}
			n = n*10 + int(c-'0')
		}
		return N(n)
	case *python.Unknown:
		return Num{Given: true, Unknown: why(v)}
	}
	return Num{Given: true, Unknown: &Unknown{Why: "it is a " + v.TypeName() + ", not a number"}}
}

// A nameValue is a str that remembers how it is to be used: op.f("name") and quoted_name("name", quote).
type nameValue struct {
	python.Str
	conv  bool
	quote *bool
}

// Text implements python.Texter.
func (n *nameValue) Text(ev *python.Eval, repr bool) (python.Value, error) {
	if repr {
		s, u, err := ev.Repr(n.Str)
		if u != nil || err != nil {
			return n.Str, err
		}
		return python.Str(s), nil
	}
	return n.Str, nil
}

// Attr implements python.Attrer with the methods of str.
func (n *nameValue) Attr(ev *python.Eval, name string) (python.Value, bool) {
	v, err := ev.Attr(n.Str, name)
	return v, err == nil
}

// Binary implements python.Operator with those of str.
func (n *nameValue) Binary(ev *python.Eval, op python.Op, other python.Value, reflected bool) (python.Value, error) {
	if o, ok := other.(*nameValue); ok {
		other = o.Str
	}
	if reflected {
		return ev.Binary(op, other, n.Str)
	}
	return ev.Binary(op, n.Str, other)
}

// Conv gives the value of op.f(name): a name that no naming convention changes.
func Conv(name string) python.Value { return &nameValue{Str: python.Str(name), conv: true} }

// nameArg reads the name of a constraint or an index.
func (e *Engine) nameArg(v python.Value) Name {
	if n, ok := v.(*nameValue); ok {
		return Name{Text: string(n.Str), Conv: n.conv}
	}
	s, u := e.text(v)
	return Name{Text: s, Unknown: u}
}

// NameValue gives a name as a Python value: None if there is none.
func NameValue(n Name) python.Value {
	switch {
	case n.Unknown != nil:
		return python.NewUnknown(python.Pos{}, n.Unknown.Why)
	case n.Text == "":
		return python.None
	}
	return python.Str(n.Text)
}

func strOrNone(s string) python.Value {
	if s == "" {
		return python.None
	}
	return python.Str(s)
}

func ptrOrNone(s *string) python.Value {
	if s == nil {
		return python.None
	}
	return python.Str(*s)
}

func boolOrNone(b *bool) python.Value {
	if b == nil {
		return python.None
	}
	return python.Bool(*b)
}

func numOrNone(n Num) python.Value {
	switch {
	case !n.Given:
		return python.None
	case n.Unknown != nil:
		return python.NewUnknown(python.Pos{}, n.Unknown.Why)
	}
	return python.Int(n.N)
}

// fn gives a function of a native value.
func fn(name string, f func(ev *python.Eval, call *python.Call) (python.Value, error)) *python.Native {
	return &python.Native{Name: name, Fn: f, Static: true}
}

// pure gives a function without effects.
func pure(name string, f func(ev *python.Eval, call *python.Call) (python.Value, error)) *python.Native {
	return &python.Native{Name: name, Fn: f, Static: true, Pure: true}
}

// acts gives a function that changes the schema.
func acts(name string, f func(ev *python.Eval, call *python.Call) (python.Value, error)) *python.Native {
	return &python.Native{Name: name, Fn: f, Static: true, ActsHandle: true}
}

// give gives a function that always gives the same value.
func give(name string, v python.Value) *python.Native {
	return pure(name, func(*python.Eval, *python.Call) (python.Value, error) { return v, nil })
}

// strs reads an argument that is a sequence of strings or of columns.
func (e *Engine) strs(v python.Value) ([]string, *Unknown) {
	if absent(v) {
		return nil, nil
	}
	if s, ok := v.(python.Str); ok {
		return []string{string(s)}, nil
	}
	items, u, err := e.Eval.Iterate(v)
	if err != nil {
		return nil, &Unknown{Why: "its items cannot be computed: " + err.Error()}
	}
	if u != nil {
		return nil, why(u)
	}
	var out []string
	for _, it := range items {
		if c, ok := it.(*Column); ok {
			if c.Unknown != nil && c.Name == "" {
				return nil, c.Unknown
			}
			out = append(out, c.Key)
			continue
		}
		s, u := e.text(it)
		if u != nil {
			return nil, u
		}
		out = append(out, s)
	}
	return out, nil
}

// options gives the keyword arguments that belong to the MySQL dialect, without their prefix and in upper case.
func dialectOptions(kw []python.Kwarg) []python.Kwarg {
	var out []python.Kwarg
	for _, k := range kw {
		if name, ok := strings.CutPrefix(k.Name, "mysql_"); ok {
			out = append(out, python.Kwarg{Name: strings.ToUpper(name), Value: k.Value})
		}
	}
	return out
}
