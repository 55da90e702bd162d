package python

// stdGettext is the module gettext. What it translates to depends on where the program runs.
func stdGettext(ev *Eval) *Module {
	translation := func(pos Pos) *Unknown {
		return NewUnknown(pos, "translations depend on where the program runs")
	}
	m := ev.lenient("gettext", func(ev *Eval, n string) Value { return translation(ev.Pos()) })
	// install() makes _ and other names built-in.
	m.Attrs.Store(ev, "install", &Native{Name: "install", Fn: func(ev *Eval, call *Call) (Value, error) {
		names := []Value{Str("_")}
		if v := call.Keyword("names"); v != nil {
			more, u, err := ev.list(v)
			if err != nil || u != nil {
				return None, err
			}
			names = append(names, more...)
		}
		for _, n := range names {
			if s, ok := n.(Str); ok && ev.builtin(string(s)) == nil {
				if ev.builtins == nil {
					ev.builtins = map[string]Value{}
				}
				ev.builtins[string(s)] = translation(call.Pos())
			}
		}
		return None, nil
	}})
	return m
}
