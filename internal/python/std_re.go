package python

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// stdRe is re on Go's regular expressions, which take time linear in the text. What the two languages read differently
// gives an Unknown: lookaround, backreferences, verbose patterns, classes such as \w on text that is not ASCII, and $
// before a final line break.

const (
	reIgnoreCase = 2
	reMultiLine  = 8
	reDotAll     = 16
	reVerbose    = 64
)

// A pattern is a compiled regular expression.
type pattern struct {
	text  string
	flags int64
	re    [3]*regexp.Regexp // for search, match and fullmatch
	ends  bool              // has a $ outside of a class
	class bool              // has a class that means other things outside of ASCII
}

func (p *pattern) TypeName() string { return "re.Pattern" }

// Same implements Same.
func (p *pattern) Same(ev *Eval, other Value) bool {
	o, ok := other.(*pattern)
	return ok && o.text == p.text && o.flags == p.flags
}

// A match is the result of a search.
type match struct {
	p    *pattern
	text string
	at   []int
}

func (m *match) TypeName() string { return "re.Match" }

func compileRe(text string, flags int64) (*pattern, string) {
	if len(text) > 10000 {
		return nil, "a regular expression so long is not modelled"
	}
	if flags&reVerbose != 0 {
		return nil, "verbose regular expressions are not modelled"
	}
	p := &pattern{text: text, flags: flags}
	var b strings.Builder
	inClass := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' && i+1 < len(text) {
			i++
			switch d := text[i]; {
			case strings.IndexByte("wWdDsSbB", d) >= 0:
				p.class = true
				b.WriteString(text[i-1 : i+1])
			case d == 'Z':
				b.WriteString(`\z`)
			case d == 'z' || d == 'Q' || d == 'C' || d == 'p' || d == 'P':
				return nil, "this regular expression is not modelled"
			default:
				b.WriteString(text[i-1 : i+1])
			}
			continue
		}
		switch {
		case inClass:
			inClass = c != ']' || strings.HasSuffix(text[:i], "[") || strings.HasSuffix(text[:i], "[^")
		case c == '[':
			inClass = true
		case c == '$':
			p.ends = true
		}
		b.WriteByte(c)
	}
	prefix := ""
	for _, f := range []struct {
		bit  int64
		char string
	}{{reIgnoreCase, "i"}, {reMultiLine, "m"}, {reDotAll, "s"}} {
		if flags&f.bit != 0 {
			prefix += f.char
		}
	}
	if prefix != "" {
		prefix = "(?" + prefix + ")"
	}
	if flags&reMultiLine != 0 {
		p.ends = false
	}
	for i, form := range []string{"%", `\A(?:%)`, `\A(?:%)\z`} {
		re, err := regexp.Compile(prefix + strings.Replace(form, "%", b.String(), 1))
		if err != nil {
			return nil, "this regular expression is not modelled"
		}
		p.re[i] = re
	}
	return p, ""
}

// unsure says why the two languages could differ on a text, "" if they do not.
func (p *pattern) unsure(text string) string {
	ascii := true
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			ascii = false
		}
	}
	switch {
	case !ascii && (p.class || p.flags&reIgnoreCase != 0):
		return "a regular expression on text that is not ASCII is not modelled"
	case p.ends && strings.HasSuffix(text, "\n"):
		return "a regular expression with $ on text that ends with a line break is not modelled"
	}
	return ""
}

// Attr implements Attrer.
func (p *pattern) Attr(ev *Eval, name string) (Value, bool) {
	switch name {
	case "pattern":
		return Str(p.text), true
	case "flags":
		return Int(p.flags), true
	case "groups":
		return Int(p.re[0].NumSubexp()), true
	}
	fn := reFunctionOf(name)
	if fn == nil {
		return nil, false
	}
	return &Native{Name: name, Fn: func(ev *Eval, call *Call) (Value, error) {
		return callRe(ev, call, name, fn, p)
	}}, true
}

// A reFunction is a function of re on a pattern and a text.
type reFunction func(ev *Eval, call *Call, p *pattern, text string, b *Bound) (Value, error)

// reParams are the parameters behind the pattern.
func reParams(name string) []string {
	switch name {
	case "sub", "subn":
		return []string{"repl", "string", "count=", "flags="}
	case "split":
		return []string{"string", "maxsplit=", "flags="}
	}
	return []string{"string", "flags="}
}

// reFunctionOf gives what a function or method of re does, or nil.
func reFunctionOf(name string) reFunction {
	switch name {
	case "search":
		return finder(0)
	case "match":
		return finder(1)
	case "fullmatch":
		return finder(2)
	case "findall":
		return reFindall
	case "finditer":
		return reFinditer
	case "split":
		return reSplit
	case "sub":
		return func(ev *Eval, call *Call, p *pattern, text string, b *Bound) (Value, error) {
			v, _, err := reSub(ev, call, p, text, b)
			return v, err
		}
	case "subn":
		return func(ev *Eval, call *Call, p *pattern, text string, b *Bound) (Value, error) {
			v, n, err := reSub(ev, call, p, text, b)
			if _, known := v.(Str); err != nil || !known {
				return v, err
			}
			return NewTuple(v, Int(n)), nil
		}
	}
	return nil
}

func callRe(ev *Eval, call *Call, name string, fn reFunction, p *pattern) (Value, error) {
	params := reParams(name)
	if p == nil {
		params = append([]string{"pattern"}, params...)
	}
	b, err := call.Bind(ev, name, params...)
	if err != nil {
		return nil, err
	}
	if u := b.unknown(); u != nil {
		return u.derive(), nil
	}
	if p == nil {
		v, err := compiled(ev, b)
		if err != nil {
			return nil, err
		}
		var ok bool
		if p, ok = v.(*pattern); !ok {
			return v, nil
		}
	}
	text, err := b.str(ev, "string", "")
	if err != nil {
		return nil, err
	}
	if why := p.unsure(text); why != "" {
		return NewUnknown(call.Pos(), why), nil
	}
	if err := ev.alloc(len(text)); err != nil {
		return nil, err
	}
	return fn(ev, call, p, text, b)
}

// compiled gives the argument pattern as a *pattern, or an *Unknown.
func compiled(ev *Eval, b *Bound) (Value, error) {
	if p, ok := b.Value("pattern").(*pattern); ok {
		return p, nil
	}
	text, err := b.str(ev, "pattern", "")
	if err != nil {
		return nil, err
	}
	flags, err := b.int(ev, "flags", 0)
	if err != nil {
		return nil, err
	}
	p, why := compileRe(text, flags)
	if p == nil {
		return NewUnknown(ev.Pos(), why), nil
	}
	return p, nil
}

func finder(anchor int) reFunction {
	return func(ev *Eval, call *Call, p *pattern, text string, b *Bound) (Value, error) {
		at := p.re[anchor].FindStringSubmatchIndex(text)
		if at == nil {
			return None, nil
		}
		return &match{p, text, at}, nil
	}
}

func reFindall(ev *Eval, call *Call, p *pattern, text string, b *Bound) (Value, error) {
	var out []Value
	for _, at := range p.re[0].FindAllStringSubmatchIndex(text, -1) {
		m := &match{p, text, at}
		switch n := p.re[0].NumSubexp(); n {
		case 0:
			out = append(out, m.group(0, None))
		case 1:
			out = append(out, m.group(1, Str("")))
		default:
			groups := make([]Value, n)
			for i := range groups {
				groups[i] = m.group(i+1, Str(""))
			}
			out = append(out, NewTuple(groups...))
		}
	}
	return NewList(out...), ev.alloc(64 * len(out))
}

func reFinditer(ev *Eval, call *Call, p *pattern, text string, b *Bound) (Value, error) {
	var out []Value
	for _, at := range p.re[0].FindAllStringSubmatchIndex(text, -1) {
		out = append(out, &match{p, text, at})
	}
	return NewList(out...), ev.alloc(64 * len(out))
}

func reSplit(ev *Eval, call *Call, p *pattern, text string, b *Bound) (Value, error) {
	most, err := b.int(ev, "maxsplit", 0)
	if err != nil {
		return nil, err
	}
	var out []Value
	from := 0
	for i, at := range p.re[0].FindAllStringSubmatchIndex(text, -1) {
		if most > 0 && int64(i) >= most {
			break
		}
		out = append(out, Str(text[from:at[0]]))
		m := &match{p, text, at}
		for g := 1; g <= p.re[0].NumSubexp(); g++ {
			out = append(out, m.group(g, None))
		}
		from = at[1]
	}
	return NewList(append(out, Str(text[from:]))...), ev.alloc(64 * len(out))
}

func reSub(ev *Eval, call *Call, p *pattern, text string, b *Bound) (Value, int, error) {
	most, err := b.int(ev, "count", 0)
	if err != nil {
		return nil, 0, err
	}
	var out strings.Builder
	from, n := 0, 0
	for _, at := range p.re[0].FindAllStringSubmatchIndex(text, -1) {
		if most > 0 && int64(n) >= most {
			break
		}
		n++
		out.WriteString(text[from:at[0]])
		from = at[1]
		m := &match{p, text, at}
		var piece string
		if repl, ok := b.Value("repl").(Str); ok {
			var why string
			if piece, why = m.expand(string(repl)); why != "" {
				return NewUnknown(call.Pos(), why), 0, nil
			}
		} else {
			v, err := ev.Call(call.Pos(), b.Value("repl"), []Value{m})
			if err != nil {
				return nil, 0, err
			}
			if u := UnknownIn(v); u != nil {
				return u.derive(), 0, nil
			}
			s, ok := v.(Str)
			if !ok {
				return nil, 0, ev.Raisef("TypeError", "expected str instance, %s found", v.TypeName())
			}
			piece = string(s)
		}
		if err := ev.alloc(len(piece)); err != nil {
			return nil, 0, err
		}
		out.WriteString(piece)
	}
	out.WriteString(text[from:])
	return Str(out.String()), n, nil
}

// expand fills in a replacement text.
func (m *match) expand(repl string) (s, why string) {
	var out strings.Builder
	for i := 0; i < len(repl); i++ {
		c := repl[i]
		if c != '\\' || i+1 == len(repl) {
			out.WriteByte(c)
			continue
		}
		i++
		switch d := repl[i]; {
		case d >= '1' && d <= '9':
			n := int(d - '0')
			if i+1 < len(repl) && repl[i+1] >= '0' && repl[i+1] <= '9' {
				i++
				n = 10*n + int(repl[i]-'0')
			}
			if n > m.p.re[0].NumSubexp() {
				return "", "a reference to a group that does not exist"
			}
			out.WriteString(string(m.group(n, Str("")).(Str)))
		case d == 'g' && i+1 < len(repl) && repl[i+1] == '<':
			end := strings.IndexByte(repl[i:], '>')
			if end < 0 {
				return "", "this replacement text is not modelled"
			}
			n, ok := m.index(Str(repl[i+2 : i+end]))
			if !ok {
				return "", "a reference to a group that does not exist"
			}
			out.WriteString(string(m.group(n, Str("")).(Str)))
			i += end
		case d == 'n':
			out.WriteByte('\n')
		case d == 't':
			out.WriteByte('\t')
		case d == '\\':
			out.WriteByte('\\')
		default:
			return "", "this replacement text is not modelled"
		}
	}
	return out.String(), ""
}

// group gives a group's text, or def if it took no part.
func (m *match) group(i int, def Value) Value {
	if m.at[2*i] < 0 {
		return def
	}
	return Str(m.text[m.at[2*i]:m.at[2*i+1]])
}

// index finds a group by number or name.
func (m *match) index(key Value) (int, bool) {
	switch k := key.(type) {
	case Int:
		return int(k), k >= 0 && int64(k) <= int64(m.p.re[0].NumSubexp())
	case Str:
		n := 0
		for i := range len(k) {
			if k[i] < '0' || k[i] > '9' || n > 1000 {
				g := m.p.re[0].SubexpIndex(string(k))
				return g, g >= 0
			}
			n = 10*n + int(k[i]-'0')
		}
		return n, len(k) > 0 && n <= m.p.re[0].NumSubexp()
	}
	return 0, false
}

// Truth implements Truther.
func (m *match) Truth(*Eval) (Value, error) { return Bool(true), nil }

// Index implements Indexer.
func (m *match) Index(ev *Eval, key Value) (Value, error) {
	i, ok := m.index(key)
	if !ok {
		return nil, ev.Raisef("IndexError", "no such group")
	}
	return m.group(i, None), nil
}

// Attr implements Attrer.
func (m *match) Attr(ev *Eval, name string) (Value, bool) {
	all := func(def Value) []Value {
		var out []Value
		for i := 1; i <= m.p.re[0].NumSubexp(); i++ {
			out = append(out, m.group(i, def))
		}
		return out
	}
	switch name {
	case "string":
		return Str(m.text), true
	case "re":
		return m.p, true
	case "group":
		return pureFn(name, func(ev *Eval, b *Bound) (Value, error) {
			if len(b.Rest) == 0 {
				return m.group(0, None), nil
			}
			var out []Value
			for _, k := range b.Rest {
				v, err := m.Index(ev, k)
				if err != nil {
					return nil, err
				}
				out = append(out, v)
			}
			if len(out) == 1 {
				return out[0], nil
			}
			return NewTuple(out...), nil
		}, "*groups"), true
	case "groups":
		return pureFn(name, func(ev *Eval, b *Bound) (Value, error) {
			def := None
			if v := b.Value("default"); v != nil {
				def = v
			}
			return NewTuple(all(def)...), nil
		}, "default="), true
	case "groupdict":
		return pureFn(name, func(ev *Eval, b *Bound) (Value, error) {
			d := NewDict()
			for i, n := range m.p.re[0].SubexpNames() {
				if n != "" {
					if err := d.Store(ev, Str(n), m.group(i, None)); err != nil {
						return nil, err
					}
				}
			}
			return d, nil
		}), true
	case "start", "end", "span":
		return pureFn(name, func(ev *Eval, b *Bound) (Value, error) {
			key := Value(Int(0))
			if v := b.Value("group"); v != nil {
				key = v
			}
			i, ok := m.index(key)
			if !ok {
				return nil, ev.Raisef("IndexError", "no such group")
			}
			place := func(at int) Value {
				if at < 0 {
					return Int(-1)
				}
				return Int(utf8.RuneCountInString(m.text[:at]))
			}
			start, end := place(m.at[2*i]), place(m.at[2*i+1])
			switch name {
			case "start":
				return start, nil
			case "end":
				return end, nil
			}
			return NewTuple(start, end), nil
		}, "group="), true
	}
	return nil, false
}

func stdRe(ev *Eval) *Module {
	m := NewModule("re",
		"compile", pureFn("compile", func(ev *Eval, b *Bound) (Value, error) { return compiled(ev, b) }, "pattern", "flags="),
		"escape", pureFn("escape", func(ev *Eval, b *Bound) (Value, error) {
			s, err := b.str(ev, "pattern", "")
			if err != nil {
				return nil, err
			}
			var out strings.Builder
			for i := range len(s) {
				if strings.IndexByte("()[]{}?*+-|^$\\.&~# \t\n\r\v\f", s[i]) >= 0 {
					out.WriteByte('\\')
				}
				out.WriteByte(s[i])
			}
			return Str(out.String()), ev.alloc(2 * len(s))
		}, "pattern"))
	for _, name := range []string{"search", "match", "fullmatch", "findall", "finditer", "split", "sub", "subn"} {
		m.Attrs.Store(ev, name, &Native{Name: name, Fn: func(ev *Eval, call *Call) (Value, error) {
			return callRe(ev, call, name, reFunctionOf(name), nil)
		}})
	}
	for name, flag := range map[string]int64{
		"I": reIgnoreCase, "IGNORECASE": reIgnoreCase, "M": reMultiLine, "MULTILINE": reMultiLine, "S": reDotAll, "DOTALL": reDotAll,
		"X": reVerbose, "VERBOSE": reVerbose, "U": 32, "UNICODE": 32, "A": 256, "ASCII": 256,
	} {
		m.Attrs.Store(ev, name, Int(flag))
	}
	m.Missing = func(ev *Eval, name string) Value { return NewUnknown(ev.Pos(), "re."+name+" is not modelled") }
	return m
}
