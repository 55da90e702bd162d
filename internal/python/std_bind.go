package python

// pureFn gives a function without effects: with an argument that is not known the result is Unknown. params are those of
// Call.Bind.
func pureFn(name string, fn func(ev *Eval, b *Bound) (Value, error), params ...string) *Native {
	return &Native{Name: name, Pure: true, Fn: func(ev *Eval, call *Call) (Value, error) {
		b, err := call.Bind(ev, name, params...)
		if err != nil {
			return nil, err
		}
		if u := b.unknown(); u != nil {
			return u.derive(), nil
		}
		return fn(ev, b)
	}}
}

// staticFn is pureFn for a function that stands on a class.
func staticFn(name string, fn func(ev *Eval, b *Bound) (Value, error), params ...string) *Native {
	n := pureFn(name, fn, params...)
	n.Static = true
	return n
}

// unknown gives the first Unknown among the arguments, or nil.
func (b *Bound) unknown() *Unknown {
	for _, v := range b.values {
		if u := UnknownIn(v); u != nil {
			return u
		}
	}
	for _, v := range b.Rest {
		if u := UnknownIn(v); u != nil {
			return u
		}
	}
	for _, k := range b.Kw {
		if u := UnknownIn(k.Value); u != nil {
			return u
		}
	}
	return nil
}

// unknowable gives a function whose result depends on what runs it.
func unknowable(name, why string) *Native {
	return &Native{Name: name, Pure: true, Static: true, Fn: func(ev *Eval, call *Call) (Value, error) {
		return NewUnknown(call.Pos(), why), nil
	}}
}

// quietFn gives a function that does nothing that matters and returns None.
func quietFn(name string) *Native {
	return &Native{Name: name, Pure: true, Static: true, Fn: func(*Eval, *Call) (Value, error) { return None, nil }}
}

// str gives an argument that must be a str; def is for one that was not passed.
func (b *Bound) str(ev *Eval, name, def string) (string, error) {
	v := b.Value(name)
	if v == nil {
		return def, nil
	}
	switch v := v.(type) {
	case Str:
		return string(v), nil
	case NoneType:
		return def, nil
	case *Instance:
		if s, ok := v.base.(Str); ok {
			return string(s), nil
		}
	}
	return "", ev.Raisef("TypeError", "expected str for %s, not %s", name, v.TypeName())
}

// int gives an argument that must be an int.
func (b *Bound) int(ev *Eval, name string, def int64) (int64, error) {
	switch v := b.Value(name).(type) {
	case nil, NoneType:
		return def, nil
	case Int:
		return int64(v), nil
	case Bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case *BigInt:
		return 0, ev.Raisef("OverflowError", "%s is too large", name)
	default:
		return 0, ev.Raisef("TypeError", "expected int for %s, not %s", name, v.TypeName())
	}
}

// passed tells whether an argument was passed and is not None.
func (b *Bound) passed(name string) bool {
	switch b.Value(name).(type) {
	case nil, NoneType:
		return false
	}
	return true
}
