package python

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// reprStr is repr of a str.
func reprStr(s string) string {
	quote := byte('\'')
	if strings.IndexByte(s, '\'') >= 0 && strings.IndexByte(s, '"') < 0 {
		quote = '"'
	}
	var b strings.Builder
	b.WriteByte(quote)
	for i := 0; i < len(s); {
		n := runeLen(s[i:])
		p := s[i : i+n]
		i += n
		c := p[0]
		switch {
		case c == quote || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < 0x20 || c == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		case c < 0x80:
			b.WriteByte(c)
		default:
			r, _ := utf8.DecodeRuneInString(p)
			switch {
			case r == utf8.RuneError && n == 3 && p != "\uFFFD":
				fmt.Fprintf(&b, `\u%04x`, surrogate(p))
			case unicode.IsPrint(r):
				b.WriteString(p)
			case r < 0x100:
				fmt.Fprintf(&b, `\x%02x`, r)
			case r < 0x10000:
				fmt.Fprintf(&b, `\u%04x`, r)
			default:
				fmt.Fprintf(&b, `\U%08x`, r)
			}
		}
	}
	b.WriteByte(quote)
	return b.String()
}

func surrogate(p string) int {
	return int(p[0]&0x0f)<<12 | int(p[1]&0x3f)<<6 | int(p[2]&0x3f)
}

func reprBytes(s string) string {
	quote := byte('\'')
	if strings.IndexByte(s, '\'') >= 0 && strings.IndexByte(s, '"') < 0 {
		quote = '"'
	}
	var b strings.Builder
	b.WriteByte('b')
	b.WriteByte(quote)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == quote || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < 0x20 || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte(quote)
	return b.String()
}

// reprFloat is repr of a float.
func reprFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	s := strconv.FormatFloat(f, 'e', -1, 64)
	i := strings.IndexByte(s, 'e')
	exp, _ := strconv.Atoi(s[i+1:])
	if exp < -4 || exp >= 16 {
		return fmt.Sprintf("%se%s%02d", s[:i], sign(exp), absInt(exp))
	}
	s = strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func sign(n int) string {
	if n < 0 {
		return "-"
	}
	return "+"
}

func absInt(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// intText is the decimal text of an int, within the limits of Python and of the budget.
func (ev *Eval) intText(v Value) (string, error) {
	switch v := v.(type) {
	case Int:
		return strconv.FormatInt(int64(v), 10), nil
	case Bool:
		if v {
			return "1", nil
		}
		return "0", nil
	case *BigInt:
		if v.V.BitLen() > 14287 { // 4300 digits, as sys.set_int_max_str_digits has it
			return "", ev.Raisef("ValueError", "Exceeds the limit (4300 digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit")
		}
		return v.V.String(), nil
	}
	return "", ev.Raisef("TypeError", "an integer is required")
}

// str is str(v): a Str or an *Unknown.
func (ev *Eval) str(v Value) (Value, error) {
	switch x := v.(type) {
	case Str:
		return x, nil
	case *Unknown:
		out := &Unknown{Pos: x.Pos, Why: x.Why, Data: x.Data, Prefix: x.Prefix}
		if x.Data && x.Empty != nil {
			if s, err := ev.str(x.Empty); err == nil && !isUnknown(s) {
				out.Empty = s
			}
		}
		return out, nil
	}
	if m, ok := ev.special(v, "__str__"); ok {
		return ev.textResult(m, "__str__")
	}
	if o, ok := v.(objecter); ok && o.object().Cls != nil {
		if u := o.object().Cls.isPartial(); u != nil {
			if _, ok := ev.special(v, "__repr__"); !ok {
				return u.derive(), nil
			}
		}
	}
	if x, ok := v.(*Instance); ok {
		if x.Cls.Derives(exceptionClass("BaseException")) {
			a, _ := x.Attrs.Load("args")
			if u, ok := a.(*Unknown); ok {
				return u.derive(), nil
			}
			t, ok := a.(*Tuple)
			if !ok || len(t.Items) == 0 {
				return Str(""), nil
			}
			if len(t.Items) == 1 {
				if x.Cls.Derives(exceptionClass("KeyError")) {
					return ev.repr(t.Items[0])
				}
				return ev.str(t.Items[0])
			}
			if x.Cls.Derives(exceptionClass("OSError")) && len(t.Items) == 2 {
				if n, ok := t.Items[0].(Int); ok {
					s, err := ev.str(t.Items[1])
					if s, ok := s.(Str); ok && err == nil {
						return Str(fmt.Sprintf("[Errno %d] %s", n, s)), nil
					}
				}
			}
			return ev.repr(t)
		}
		if x.base != nil {
			if _, ok := ev.special(v, "__repr__"); !ok {
				return ev.str(x.base)
			}
		}
	}
	if t, ok := v.(Texter); ok {
		if _, ok := ev.special(v, "__repr__"); !ok {
			return t.Text(ev, false)
		}
	}
	return ev.repr(v)
}

func (ev *Eval) textResult(m Value, name string) (Value, error) {
	r, err := ev.call(m, NewCall(ev.Pos(), nil))
	if err != nil {
		return nil, err
	}
	switch r := unbase(r).(type) {
	case Str:
		return r, nil
	case *Unknown:
		return r, nil
	}
	return nil, ev.Raisef("TypeError", "%s returned non-string (type %s)", name, r.TypeName())
}

// repr is repr(v): a Str or an *Unknown.
func (ev *Eval) repr(v Value) (Value, error) {
	switch x := v.(type) {
	case Str:
		return Str(reprStr(string(x))), ev.alloc(len(x))
	case Bytes:
		return Str(reprBytes(string(x))), ev.alloc(len(x))
	case Int, *BigInt:
		s, err := ev.intText(v)
		return Str(s), err
	case Float:
		return Str(reprFloat(float64(x))), nil
	case Bool:
		if x {
			return Str("True"), nil
		}
		return Str("False"), nil
	case NoneType:
		return Str("None"), nil
	case EllipsisType:
		return Str("Ellipsis"), nil
	case notImplementedType:
		return Str("NotImplemented"), nil
	case *Unknown:
		return &Unknown{Pos: x.Pos, Why: x.Why, Data: x.Data}, nil
	case *Range:
		if x.Step == 1 {
			return Str(fmt.Sprintf("range(%d, %d)", x.Start, x.Stop)), nil
		}
		return Str(fmt.Sprintf("range(%d, %d, %d)", x.Start, x.Stop, x.Step)), nil
	case *bytearray:
		return Str("bytearray(" + reprBytes(string(x.b)) + ")"), nil
	}
	if m, ok := ev.special(v, "__repr__"); ok {
		return ev.textResult(m, "__repr__")
	}
	if t, ok := v.(Texter); ok {
		return t.Text(ev, true)
	}
	// Nested containers, with "..." where they contain themselves.
	switch x := v.(type) {
	case *List:
		if x.taint != nil {
			return x.taint.derive(), nil
		}
		return ev.reprItems(v, "[", "]", x.Items)
	case *Tuple:
		if x.cls != nil && x.cls.tupleOf != nil {
			b := x.cls.Name + "("
			var parts []string
			for i, n := range x.cls.tupleOf {
				if i < len(x.Items) {
					s, err := ev.repr(x.Items[i])
					if err != nil || isUnknown(s) {
						return s, err
					}
					parts = append(parts, n+"="+string(s.(Str)))
				}
			}
			return Str(b + strings.Join(parts, ", ") + ")"), nil
		}
		if len(x.Items) == 1 {
			return ev.reprItems(v, "(", ",)", x.Items)
		}
		return ev.reprItems(v, "(", ")", x.Items)
	case *Set:
		if x.taint != nil {
			return x.taint.derive(), nil
		}
		if x.live == 0 {
			return Str(x.TypeName() + "()"), nil
		}
		if x.Frozen {
			return ev.reprItems(v, "frozenset({", "})", ev.sortedSet(x))
		}
		return ev.reprItems(v, "{", "}", ev.sortedSet(x))
	case *Dict:
		if x.taint != nil {
			return x.taint.derive(), nil
		}
		return ev.reprDict(x)
	case *dictView:
		items, u, err := ev.list(x)
		if err != nil {
			return nil, err
		}
		if u != nil {
			return u.derive(), nil
		}
		return ev.reprItems(v, x.TypeName()+"([", "])", items)
	case *Slice:
		return ev.reprItems(v, "slice(", ")", []Value{x.Lower, x.Upper, x.Step})
	case *union:
		var parts []string
		for _, i := range x.items {
			if c, ok := i.(*Class); ok {
				parts = append(parts, c.Name)
			} else {
				s, err := ev.repr(i)
				if err != nil || isUnknown(s) {
					return s, err
				}
				parts = append(parts, string(s.(Str)))
			}
		}
		return Str(strings.Join(parts, " | ")), nil
	case *Class:
		if x.enum != nil {
			return Str("<enum '" + x.Name + "'>"), nil
		}
		if x.Module == "" || x.Module == "builtins" {
			return Str("<class '" + x.Name + "'>"), nil
		}
		name := x.Name
		if x.Attrs != nil {
			if q, ok := x.Attrs.Load("__qualname__"); ok {
				if s, ok := q.(Str); ok {
					name = string(s)
				}
			}
		}
		return Str("<class '" + x.Module + "." + name + "'>"), nil
	case *Module:
		return Str("<module '" + x.Name + "'>"), nil
	case *Instance:
		if x.base != nil {
			return ev.repr(x.base)
		}
		if x.Cls.Derives(exceptionClass("BaseException")) {
			a, _ := x.Attrs.Load("args")
			t, ok := a.(*Tuple)
			if !ok {
				return NewUnknown(ev.Pos(), "an exception's arguments are not known"), nil
			}
			if len(t.Items) == 1 {
				return ev.reprItems(v, x.Cls.Name+"(", ")", t.Items)
			}
			return ev.reprItems(v, x.Cls.Name+"(", ")", t.Items)
		}
		if x.Cls.data != nil && x.Cls.data.repr {
			return ev.reprData(x)
		}
	}
	return NewUnknown(ev.Pos(), "the text of a "+v.TypeName()+" has its address in it"), nil
}

func (ev *Eval) reprItems(v Value, open, end string, items []Value) (Value, error) {
	if ev.visiting[v] {
		return Str(open + "..." + end), nil
	}
	if len(ev.visiting) > 200 {
		return nil, ev.Raisef("RecursionError", "maximum recursion depth exceeded while getting the repr of an object")
	}
	if ev.visiting == nil {
		ev.visiting = map[any]bool{}
	}
	ev.visiting[v] = true
	defer delete(ev.visiting, v)
	var b strings.Builder
	b.WriteString(open)
	for i, x := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		s, err := ev.repr(x)
		if err != nil {
			return nil, err
		}
		if u, ok := s.(*Unknown); ok {
			return u.withPrefix(b.String()), nil
		}
		b.WriteString(string(s.(Str)))
		if b.Len() > ev.budget.Object {
			return nil, ev.abort("a string of %d bytes", b.Len())
		}
		if err := ev.work(1); err != nil {
			return nil, err
		}
	}
	b.WriteString(end)
	return Str(b.String()), ev.alloc(b.Len())
}

func (ev *Eval) reprDict(d *Dict) (Value, error) {
	if ev.visiting[d] {
		return Str("{...}"), nil
	}
	if len(ev.visiting) > 200 {
		return nil, ev.Raisef("RecursionError", "maximum recursion depth exceeded while getting the repr of an object")
	}
	if ev.visiting == nil {
		ev.visiting = map[any]bool{}
	}
	ev.visiting[d] = true
	defer delete(ev.visiting, d)
	var b strings.Builder
	open, end := "{", "}"
	switch d.cls {
	case orderedDictClass:
		if d.live == 0 {
			return Str("OrderedDict()"), nil
		}
		open, end = "OrderedDict([", "])"
	case defaultDictClass:
		f := "None"
		if d.factory != nil {
			s, err := ev.repr(d.factory)
			if err != nil || isUnknown(s) {
				return s, err
			}
			f = string(s.(Str))
		}
		open, end = "defaultdict("+f+", {", "})"
	case counterClass:
		if d.live == 0 {
			return Str("Counter()"), nil
		}
		open, end = "Counter({", "})"
	}
	b.WriteString(open)
	entries := d.entries
	if d.cls == counterClass {
		entries = sortedCounts(d)
	}
	first := true
	for _, e := range entries {
		if e.key == nil {
			continue
		}
		if !first {
			b.WriteString(", ")
		}
		first = false
		k, err := ev.repr(e.key)
		if err != nil {
			return nil, err
		}
		v, err := ev.repr(e.val)
		if err != nil {
			return nil, err
		}
		for _, x := range []Value{k, v} {
			if u, ok := x.(*Unknown); ok {
				return u.withPrefix(b.String()), nil
			}
		}
		if d.cls == orderedDictClass {
			b.WriteString("(" + string(k.(Str)) + ", " + string(v.(Str)) + ")")
		} else {
			b.WriteString(string(k.(Str)) + ": " + string(v.(Str)))
		}
		if b.Len() > ev.budget.Object {
			return nil, ev.abort("a string of %d bytes", b.Len())
		}
		if err := ev.work(1); err != nil {
			return nil, err
		}
	}
	b.WriteString(end)
	return Str(b.String()), ev.alloc(b.Len())
}

// asciiRepr makes a repr 7-bit.
func asciiRepr(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		n := runeLen(s[i:])
		p := s[i : i+n]
		i += n
		if n == 1 {
			b.WriteString(p)
			continue
		}
		r, _ := utf8.DecodeRuneInString(p)
		switch {
		case r == utf8.RuneError && p != "\uFFFD":
			fmt.Fprintf(&b, `\u%04x`, surrogate(p))
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

// convertFormat is what {v!c:spec} gives.
func (ev *Eval) convertFormat(v Value, conv byte, spec Value) (Value, error) {
	var err error
	switch conv {
	case 'r', 'a':
		if v, err = ev.repr(v); err != nil {
			return nil, err
		}
		if s, ok := v.(Str); ok && conv == 'a' {
			v = Str(asciiRepr(string(s)))
		}
	case 's':
		if v, err = ev.str(v); err != nil {
			return nil, err
		}
	}
	return ev.format(v, spec)
}

// format is format(v, spec).
func (ev *Eval) format(v, spec Value) (Value, error) {
	if u, ok := spec.(*Unknown); ok {
		return u.derive(), nil
	}
	s := string(spec.(Str))
	if u, ok := v.(*Unknown); ok {
		if s != "" && s != "s" {
			return &Unknown{Pos: u.Pos, Why: u.Why, Data: u.Data}, nil
		}
		return ev.str(u)
	}
	if m, ok := ev.special(v, "__format__"); ok {
		r, err := ev.call(m, NewCall(ev.Pos(), []Value{spec}))
		if err != nil {
			return nil, err
		}
		return r, nil
	}
	if f, ok := v.(formatter); ok && s != "" {
		return f.format(ev, s)
	}
	if s == "" {
		return ev.str(v)
	}
	v = unbase(v)
	switch x := v.(type) {
	case Str:
		return ev.formatStr(string(x), s)
	case Int, *BigInt, Bool:
		if b, ok := x.(Bool); ok {
			i, _ := intOf(b)
			return ev.formatInt(Int(i), s)
		}
		return ev.formatInt(v, s)
	case Float:
		return ev.formatFloat(float64(x), s)
	}
	if x, ok := v.(*Instance); ok && x.Cls.isPartial() != nil {
		return x.Cls.isPartial().derive(), nil
	}
	return nil, ev.Raisef("TypeError", "unsupported format string passed to %s.__format__", v.TypeName())
}

// formatter is a native value with a format of its own.
type formatter interface {
	format(ev *Eval, spec string) (Value, error)
}

type formatSpec struct {
	fill      string
	align     byte
	sign      byte
	alt, zero bool
	width     int
	group     byte
	prec      int // -1: none
	typ       byte
}

func (ev *Eval) parseSpec(s string) (formatSpec, error) {
	sp := formatSpec{fill: " ", prec: -1}
	rs := runes(s)
	i := 0
	isAlign := func(r string) bool { return r == "<" || r == ">" || r == "^" || r == "=" }
	if len(rs) > 1 && isAlign(rs[1]) {
		sp.fill, sp.align = rs[0], rs[1][0]
		i = 2
	} else if len(rs) > 0 && isAlign(rs[0]) {
		sp.align = rs[0][0]
		i = 1
	}
	at := func() byte {
		if i < len(rs) && len(rs[i]) == 1 {
			return rs[i][0]
		}
		return 0
	}
	if c := at(); c == '+' || c == '-' || c == ' ' {
		sp.sign = c
		i++
	}
	if at() == 'z' {
		i++
	}
	if at() == '#' {
		sp.alt = true
		i++
	}
	if at() == '0' {
		sp.zero = true
		if sp.align == 0 {
			sp.fill, sp.align = "0", '='
		}
		i++
	}
	number := func() (int, error) {
		n := 0
		for c := at(); c >= '0' && c <= '9'; c = at() {
			n = n*10 + int(c-'0')
			if n > 1<<31-1 {
				return 0, ev.Raisef("ValueError", "Too many decimal digits in format string")
			}
			i++
		}
		return n, nil
	}
	var err error
	if sp.width, err = number(); err != nil {
		return sp, err
	}
	if c := at(); c == ',' || c == '_' {
		sp.group = c
		i++
	}
	if at() == '.' {
		i++
		start := i
		if sp.prec, err = number(); err != nil {
			return sp, err
		}
		if i == start {
			return sp, ev.Raisef("ValueError", "Format specifier missing precision")
		}
	}
	if i < len(rs) {
		if i != len(rs)-1 || len(rs[i]) != 1 {
			return sp, ev.Raisef("ValueError", "Invalid format specifier")
		}
		sp.typ = rs[i][0]
	}
	if sp.width > ev.budget.Object || sp.prec > ev.budget.Object {
		return sp, ev.abort("a string of %d bytes", max(sp.width, sp.prec))
	}
	return sp, ev.alloc(sp.width + max(sp.prec, 0))
}

func (ev *Eval) pad(s string, sp formatSpec, def byte) string {
	n := sp.width - strLen(s)
	if n <= 0 {
		return s
	}
	align := sp.align
	if align == 0 {
		align = def
	}
	switch align {
	case '<':
		return s + strings.Repeat(sp.fill, n)
	case '^':
		return strings.Repeat(sp.fill, n/2) + s + strings.Repeat(sp.fill, n-n/2)
	}
	return strings.Repeat(sp.fill, n) + s
}

func (ev *Eval) formatStr(s, spec string) (Value, error) {
	sp, err := ev.parseSpec(spec)
	if err != nil {
		return nil, err
	}
	if sp.typ != 0 && sp.typ != 's' {
		return nil, ev.Raisef("ValueError", "Unknown format code '%c' for object of type 'str'", sp.typ)
	}
	if sp.sign != 0 {
		return nil, ev.Raisef("ValueError", "Sign not allowed in string format specifier")
	}
	if sp.group != 0 {
		return nil, ev.Raisef("ValueError", "Cannot specify '%c' with 's'.", sp.group)
	}
	if sp.alt {
		return nil, ev.Raisef("ValueError", "Alternate form (#) not allowed in string format specifier")
	}
	if sp.align == '=' {
		if !sp.zero || spec[0] == '=' {
			return nil, ev.Raisef("ValueError", "'=' alignment not allowed in string format specifier")
		}
		sp.align = '<'
	}
	if sp.prec >= 0 {
		if rs := runes(s); len(rs) > sp.prec {
			s = strings.Join(rs[:sp.prec], "")
		}
	}
	return Str(ev.pad(s, sp, '<')), nil
}

// groupDigits puts separators into a run of digits.
func groupDigits(s string, sep byte, n int) string {
	if len(s) <= n {
		return s
	}
	var b strings.Builder
	head := len(s) % n
	b.WriteString(s[:head])
	for i := head; i < len(s); i += n {
		if b.Len() > 0 {
			b.WriteByte(sep)
		}
		b.WriteString(s[i : i+n])
	}
	return b.String()
}

// number assembles sign, prefix and digits with padding. tail is what follows the integer part.
func (ev *Eval) number(neg bool, prefix, digits, tail string, sp formatSpec, groupSize int) Value {
	sg := ""
	switch {
	case neg:
		sg = "-"
	case sp.sign == '+':
		sg = "+"
	case sp.sign == ' ':
		sg = " "
	}
	body := digits
	if sp.group != 0 {
		body = groupDigits(digits, sp.group, groupSize)
	}
	if sp.align == '=' && sp.fill == "0" && sp.group != 0 {
		// Zeros take part in the grouping.
		want := sp.width - len(sg) - len(prefix) - len(tail)
		for len(body) < want {
			digits = "0" + digits
			body = groupDigits(digits, sp.group, groupSize)
		}
	}
	body += tail
	if sp.align == '=' {
		n := sp.width - len(sg) - len(prefix) - len(body)
		if n > 0 {
			body = strings.Repeat(sp.fill, n) + body
		}
		return Str(sg + prefix + body)
	}
	return Str(ev.pad(sg+prefix+body, sp, '>'))
}

func (ev *Eval) formatInt(v Value, spec string) (Value, error) {
	sp, err := ev.parseSpec(spec)
	if err != nil {
		return nil, err
	}
	switch sp.typ {
	case 'e', 'E', 'f', 'F', 'g', 'G', '%':
		f, _ := floatOf(v)
		return ev.formatFloat(f, spec)
	}
	if sp.prec >= 0 {
		return nil, ev.Raisef("ValueError", "Precision not allowed in integer format specifier")
	}
	b := new(big.Int).Set(bigOf(v))
	neg := b.Sign() < 0
	b.Abs(b)
	base, prefix, group := 10, "", 3
	switch sp.typ {
	case 0, 'd', 'n':
		if b.BitLen() > 14287 {
			return nil, ev.Raisef("ValueError", "Exceeds the limit (4300 digits) for integer string conversion")
		}
	case 'b':
		base, prefix, group = 2, "0b", 4
	case 'o':
		base, prefix, group = 8, "0o", 4
	case 'x':
		base, prefix, group = 16, "0x", 4
	case 'X':
		base, prefix, group = 16, "0X", 4
	case 'c':
		r, ok := intOf(v)
		if !ok || r < 0 || r > unicode.MaxRune {
			return nil, ev.Raisef("OverflowError", "%%c arg not in range(0x110000)")
		}
		return Str(ev.pad(string(rune(r)), sp, '<')), nil
	default:
		return nil, ev.Raisef("ValueError", "Unknown format code '%c' for object of type 'int'", sp.typ)
	}
	if !sp.alt {
		prefix = ""
	}
	digits := b.Text(base)
	if sp.typ == 'X' {
		digits = strings.ToUpper(digits)
	}
	return ev.number(neg, prefix, digits, "", sp, group), nil
}

func (ev *Eval) formatFloat(f float64, spec string) (Value, error) {
	sp, err := ev.parseSpec(spec)
	if err != nil {
		return nil, err
	}
	neg := math.Signbit(f) && !math.IsNaN(f)
	text, err := ev.floatText(math.Abs(f), sp.typ, sp.prec, sp.alt)
	if err != nil {
		return nil, err
	}
	digits, tail := text, ""
	if i := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		digits, tail = text[:i], text[i:]
	}
	return ev.number(neg, "", digits, tail, sp, 3), nil
}

// floatText formats a float that is not negative.
func (ev *Eval) floatText(f float64, typ byte, prec int, alt bool) (string, error) {
	upper := false
	switch typ {
	case 'E', 'F', 'G':
		upper = true
	}
	if math.IsInf(f, 0) || math.IsNaN(f) {
		s := "inf"
		if math.IsNaN(f) {
			s = "nan"
		}
		if upper {
			s = strings.ToUpper(s)
		}
		if typ == '%' {
			s += "%"
		}
		return s, nil
	}
	if prec > 10000 {
		if prec > ev.budget.Object {
			return "", ev.abort("a string of %d bytes", prec)
		}
	}
	switch typ {
	case 'f', 'F', '%':
		if prec < 0 {
			prec = 6
		}
		if typ == '%' {
			f *= 100
		}
		s := strconv.FormatFloat(f, 'f', prec, 64)
		if alt && prec == 0 {
			s += "."
		}
		if typ == '%' {
			s += "%"
		}
		return s, nil
	case 'e', 'E':
		if prec < 0 {
			prec = 6
		}
		s := strconv.FormatFloat(f, 'e', prec, 64)
		if upper {
			s = strings.ToUpper(s)
		}
		return s, nil
	case 'g', 'G', 'n', 0:
		if typ == 0 && prec < 0 {
			return reprFloat(f), nil
		}
		if prec < 0 {
			prec = 6
		}
		if prec == 0 {
			prec = 1
		}
		s := strconv.FormatFloat(f, 'e', prec-1, 64)
		i := strings.IndexByte(s, 'e')
		exp, _ := strconv.Atoi(s[i+1:])
		limit := prec
		if typ == 0 {
			limit-- // there is always a digit behind the point
		}
		var out string
		if exp < -4 || exp >= limit {
			m := s[:i]
			if !alt && strings.Contains(m, ".") {
				m = strings.TrimRight(strings.TrimRight(m, "0"), ".")
			}
			out = fmt.Sprintf("%se%s%02d", m, sign(exp), absInt(exp))
		} else {
			out = strconv.FormatFloat(f, 'f', max(prec-1-exp, 0), 64)
			if !alt && strings.Contains(out, ".") {
				out = strings.TrimRight(strings.TrimRight(out, "0"), ".")
			}
			if typ == 0 && !strings.Contains(out, ".") {
				out += ".0"
			}
		}
		if upper {
			out = strings.ToUpper(out)
		}
		return out, nil
	}
	return "", ev.Raisef("ValueError", "Unknown format code '%c' for object of type 'float'", typ)
}

// percent is format % arg.
func (ev *Eval) percent(format string, arg Value, bytes bool) (Value, error) {
	var args []Value
	var unknownArgs *Unknown
	single := true
	switch a := arg.(type) {
	case *Tuple:
		if a.cls == nil || a.cls.tupleOf != nil {
			args, single = a.Items, false
		}
	case *Unknown:
		// One value, or a tuple of them: nothing behind the first % is known. One with a name is a str.
		if a.Name == "" {
			unknownArgs = a
		}
	}
	if single {
		args = []Value{arg}
	}
	var b strings.Builder
	var unknown *Unknown
	var around hole
	write := func(s string) {
		if unknown == nil {
			b.WriteString(s)
		} else {
			around.after(s)
		}
	}
	next := 0
	used := false
	take := func() (Value, error) {
		used = true
		if unknownArgs != nil {
			return unknownArgs.derive(), nil
		}
		if next >= len(args) {
			return nil, ev.Raisef("TypeError", "not enough arguments for format string")
		}
		next++
		return args[next-1], nil
	}
	for i := 0; i < len(format); {
		j := strings.IndexByte(format[i:], '%')
		if j < 0 {
			write(format[i:])
			break
		}
		write(format[i : i+j])
		i += j + 1
		if i >= len(format) {
			return nil, ev.Raisef("ValueError", "incomplete format")
		}
		var v Value
		mapped := false
		if format[i] == '(' {
			depth, k := 1, i+1
			for k < len(format) && depth > 0 {
				switch format[k] {
				case '(':
					depth++
				case ')':
					depth--
				}
				k++
			}
			if depth > 0 {
				return nil, ev.Raisef("ValueError", "incomplete format key")
			}
			key := format[i+1 : k-1]
			i = k
			mapped = true
			used = true
			if unknownArgs != nil {
				v = unknownArgs.derive()
			} else {
				var err error
				switch arg.(type) {
				case *Tuple, Str:
					return nil, ev.Raisef("TypeError", "format requires a mapping")
				}
				if v, err = ev.index(arg, Str(key)); err != nil {
					return nil, err
				}
			}
		}
		sp := formatSpec{fill: " ", prec: -1, align: '>'}
		left, zero := false, false
	flags:
		for i < len(format) {
			switch format[i] {
			case '-':
				left = true
			case '+':
				sp.sign = '+'
			case ' ':
				if sp.sign == 0 {
					sp.sign = ' '
				}
			case '#':
				sp.alt = true
			case '0':
				zero = true
			default:
				break flags
			}
			i++
		}
		number := func() (int, bool, error) {
			if i < len(format) && format[i] == '*' {
				i++
				w, err := take()
				if err != nil {
					return 0, false, err
				}
				n, ok := intOf(w)
				if !ok {
					if u, isU := w.(*Unknown); isU {
						around.piece(w, false)
						if unknown == nil {
							unknown = u
						}
						return 0, false, nil
					}
					return 0, false, ev.Raisef("TypeError", "* wants int")
				}
				return int(n), true, nil
			}
			n, found := 0, false
			for i < len(format) && format[i] >= '0' && format[i] <= '9' {
				n = min(n*10+int(format[i]-'0'), 1<<40)
				i++
				found = true
			}
			return n, found, nil
		}
		w, _, err := number()
		if err != nil {
			return nil, err
		}
		sp.width = w
		if w < 0 {
			left, sp.width = true, -w
		}
		if i < len(format) && format[i] == '.' {
			i++
			if sp.prec, _, err = number(); err != nil {
				return nil, err
			}
			sp.prec = max(sp.prec, 0)
		}
		for i < len(format) && (format[i] == 'l' || format[i] == 'h' || format[i] == 'L') {
			i++
		}
		if i >= len(format) {
			return nil, ev.Raisef("ValueError", "incomplete format")
		}
		if sp.width > ev.budget.Object || sp.prec > ev.budget.Object {
			return nil, ev.abort("a string of %d bytes", max(sp.width, sp.prec))
		}
		if err := ev.alloc(sp.width + max(sp.prec, 0)); err != nil {
			return nil, err
		}
		conv := format[i]
		i++
		if left {
			sp.align = '<'
		} else if zero {
			sp.align, sp.fill = '=', "0"
		}
		if conv == '%' {
			write("%")
			continue
		}
		if !mapped {
			if v, err = take(); err != nil {
				return nil, err
			}
		}
		if u, ok := v.(*Unknown); ok && conv != 's' {
			around.piece(v, false)
			if unknown == nil {
				unknown = &Unknown{Pos: u.Pos, Why: u.Why, Data: u.Data}
			}
			continue
		}
		var out Value
		switch conv {
		case 's', 'r', 'a', 'b':
			if bytes {
				if x, ok := v.(Bytes); ok {
					v = Str(x)
				}
			}
			if conv == 's' || conv == 'b' {
				out, err = ev.str(v)
			} else {
				out, err = ev.repr(v)
				if s, ok := out.(Str); ok && conv == 'a' {
					out = Str(asciiRepr(string(s)))
				}
			}
			if err != nil {
				return nil, err
			}
			if u, ok := out.(*Unknown); ok {
				around.piece(v, conv == 's' && sp.width == 0 && sp.prec < 0)
				if unknown == nil {
					if sp.width == 0 && sp.prec < 0 {
						b.WriteString(u.Prefix)
					}
					unknown = &Unknown{Pos: u.Pos, Why: u.Why, Data: u.Data}
				}
				continue
			}
			s := string(out.(Str))
			if sp.prec >= 0 {
				if rs := runes(s); len(rs) > sp.prec {
					s = strings.Join(rs[:sp.prec], "")
				}
			}
			if sp.align == '=' {
				sp.align, sp.fill = '>', " "
			}
			out = Str(ev.pad(s, sp, '>'))
		case 'd', 'i', 'u', 'x', 'X', 'o':
			n := unbase(v)
			if f, ok := n.(Float); ok && (conv == 'd' || conv == 'i' || conv == 'u') {
				if n, err = ev.toInt(f); err != nil {
					return nil, err
				}
			}
			bi := bigOf(n)
			if bi == nil {
				if m, ok := ev.special(v, "__int__"); ok && conv == 'd' {
					if n, err = ev.call(m, NewCall(ev.Pos(), nil)); err != nil {
						return nil, err
					}
					bi = bigOf(n)
				}
				if bi == nil {
					return nil, ev.Raisef("TypeError", "%%%c format: a real number is required, not %s", conv, v.TypeName())
				}
			}
			neg := bi.Sign() < 0
			abs := new(big.Int).Abs(bi)
			base, prefix := 10, ""
			switch conv {
			case 'x':
				base, prefix = 16, "0x"
			case 'X':
				base, prefix = 16, "0X"
			case 'o':
				base, prefix = 8, "0o"
			}
			if !sp.alt {
				prefix = ""
			}
			if base == 10 && abs.BitLen() > 14287 {
				return nil, ev.Raisef("ValueError", "Exceeds the limit (4300 digits) for integer string conversion")
			}
			digits := abs.Text(base)
			if conv == 'X' {
				digits = strings.ToUpper(digits)
			}
			if len(digits) < sp.prec {
				digits = strings.Repeat("0", sp.prec-len(digits)) + digits
			}
			out = ev.number(neg, prefix, digits, "", sp, 3)
		case 'e', 'E', 'f', 'F', 'g', 'G':
			f, ok := floatOf(unbase(v))
			if !ok {
				return nil, ev.Raisef("TypeError", "must be real number, not %s", v.TypeName())
			}
			p := sp.prec
			if p < 0 {
				p = 6
			}
			text, err := ev.floatText(math.Abs(f), conv, p, sp.alt)
			if err != nil {
				return nil, err
			}
			out = ev.number(math.Signbit(f) && f == f, "", text, "", sp, 3)
		case 'c':
			switch x := unbase(v).(type) {
			case Int:
				if x < 0 || x > unicode.MaxRune {
					return nil, ev.Raisef("OverflowError", "%%c arg not in range(0x110000)")
				}
				out = Str(ev.pad(string(rune(x)), sp, '>'))
			case Str:
				if strLen(string(x)) != 1 {
					return nil, ev.Raisef("TypeError", "%%c requires int or char")
				}
				out = Str(ev.pad(string(x), sp, '>'))
			default:
				return nil, ev.Raisef("TypeError", "%%c requires int or char")
			}
		default:
			return nil, ev.Raisef("ValueError", "unsupported format character '%c' (0x%x) at index %d", conv, conv, i-1)
		}
		write(string(out.(Str)))
		if b.Len() > ev.budget.Object {
			return nil, ev.abort("a string of %d bytes", b.Len())
		}
	}
	if unknownArgs == nil && next < len(args) {
		// What has items is no surplus argument, as if it were a dict.
		_, isDict := arg.(*Dict)
		_, isInst := arg.(*Instance)
		isList := false
		switch arg.(type) {
		case *List, *Range:
			isList = true
		case Bytes, *bytearray:
			isList = !bytes
		}
		if !(single && (used || isDict || isInst || isList)) {
			return nil, ev.Raisef("TypeError", "not all arguments converted during string formatting")
		}
		if single && !used && !isDict && !isInst && !isList {
			return nil, ev.Raisef("TypeError", "not all arguments converted during string formatting")
		}
	}
	if unknown != nil {
		return around.in(unknown.withPrefix(b.String())), nil
	}
	return Str(b.String()), ev.alloc(b.Len())
}

// strFormat is format.format(*args, **kw).
func (ev *Eval) strFormat(format string, call *Call, mapping Value) (Value, error) {
	auto := 0
	return ev.formatFields(format, call, mapping, &auto, 0)
}

func (ev *Eval) formatFields(format string, call *Call, mapping Value, auto *int, depth int) (Value, error) {
	if depth > 2 {
		return nil, ev.Raisef("ValueError", "Max string recursion exceeded")
	}
	var b strings.Builder
	var unknown *Unknown
	var around hole
	write := func(s string) {
		if unknown == nil {
			b.WriteString(s)
		} else {
			around.after(s)
		}
	}
	for i := 0; i < len(format); {
		c := format[i]
		if c != '{' && c != '}' {
			j := strings.IndexAny(format[i:], "{}")
			if j < 0 {
				j = len(format) - i
			}
			write(format[i : i+j])
			i += j
			continue
		}
		if i+1 < len(format) && format[i+1] == c {
			write(string(c))
			i += 2
			continue
		}
		if c == '}' {
			return nil, ev.Raisef("ValueError", "Single '}' encountered in format string")
		}
		level, j := 1, i+1
		bracket := false
		for j < len(format) && level > 0 {
			switch format[j] {
			case '[':
				bracket = true
			case ']':
				bracket = false
			case '{':
				if !bracket {
					level++
				}
			case '}':
				if !bracket {
					level--
				}
			}
			j++
		}
		if level > 0 {
			if i+1 >= len(format) {
				return nil, ev.Raisef("ValueError", "Single '{' encountered in format string")
			}
			return nil, ev.Raisef("ValueError", "expected '}' before end of string")
		}
		field := format[i+1 : j-1]
		i = j
		name, spec, conv := field, "", byte(0)
		cut := -1
		br := false
		for k := 0; k < len(field); k++ {
			if field[k] == '[' {
				br = true
			} else if field[k] == ']' {
				br = false
			} else if !br && (field[k] == '!' || field[k] == ':') {
				cut = k
				break
			}
		}
		if cut >= 0 {
			name = field[:cut]
			rest := field[cut:]
			if rest[0] == '!' {
				if len(rest) < 2 || len(rest) > 2 && rest[2] != ':' {
					return nil, ev.Raisef("ValueError", "expected ':' after conversion specifier")
				}
				conv = rest[1]
				if conv != 'r' && conv != 's' && conv != 'a' {
					return nil, ev.Raisef("ValueError", "Unknown conversion specifier '%c'", conv)
				}
				rest = rest[2:]
			}
			if strings.HasPrefix(rest, ":") {
				spec = rest[1:]
			}
		}
		v, err := ev.formatField(name, call, mapping, auto)
		if err != nil {
			return nil, err
		}
		var sv Value = Str(spec)
		if strings.ContainsAny(spec, "{}") {
			if sv, err = ev.formatFields(spec, call, mapping, auto, depth+1); err != nil {
				return nil, err
			}
		}
		out, err := ev.convertFormat(v, conv, sv)
		if err != nil {
			return nil, err
		}
		if u, ok := out.(*Unknown); ok {
			around.piece(v, conv == 0 && sv == Value(Str("")))
			if unknown == nil {
				b.WriteString(u.Prefix)
				unknown = &Unknown{Pos: u.Pos, Why: u.Why, Data: u.Data}
			}
			continue
		}
		write(string(out.(Str)))
		if b.Len() > ev.budget.Object {
			return nil, ev.abort("a string of %d bytes", b.Len())
		}
	}
	if unknown != nil {
		return around.in(unknown.withPrefix(b.String())), nil
	}
	return Str(b.String()), ev.alloc(b.Len())
}

// formatField finds what "0.name[key]" means.
func (ev *Eval) formatField(name string, call *Call, mapping Value, auto *int) (Value, error) {
	end := strings.IndexAny(name, ".[")
	if end < 0 {
		end = len(name)
	}
	first, rest := name[:end], name[end:]
	var v Value
	n, numErr := strconv.Atoi(first)
	switch {
	case first == "" || numErr == nil:
		if first == "" {
			if *auto < 0 {
				return nil, ev.Raisef("ValueError", "cannot switch from manual field specification to automatic field numbering")
			}
			n = *auto
			*auto++
		} else {
			if *auto > 0 {
				return nil, ev.Raisef("ValueError", "cannot switch from automatic field numbering to manual field specification")
			}
			*auto = -1
		}
		if mapping != nil {
			return nil, ev.Raisef("ValueError", "Format string contains positional fields")
		}
		if n >= len(call.Args) {
			if call.Splat != nil {
				v = call.Splat.derive()
				break
			}
			return nil, ev.Raisef("IndexError", "Replacement index %d out of range for positional args tuple", n)
		}
		v = call.Args[n]
	case mapping != nil:
		var err error
		if v, err = ev.index(mapping, Str(first)); err != nil {
			return nil, err
		}
	default:
		if v = call.Keyword(first); v == nil {
			if call.Splat == nil {
				return nil, ev.Raise(exceptionClass("KeyError"), Str(first))
			}
			v = call.Splat.derive()
		}
	}
	for rest != "" {
		var err error
		if rest[0] == '.' {
			rest = rest[1:]
			e := strings.IndexAny(rest, ".[")
			if e < 0 {
				e = len(rest)
			}
			if v, err = ev.getAttr(v, rest[:e]); err != nil {
				return nil, err
			}
			rest = rest[e:]
			continue
		}
		e := strings.IndexByte(rest, ']')
		if rest[0] != '[' || e < 0 {
			return nil, ev.Raisef("ValueError", "Missing ']' in format string")
		}
		key := rest[1:e]
		rest = rest[e+1:]
		var k Value = Str(key)
		if n, err := strconv.Atoi(key); err == nil {
			k = Int(n)
		}
		if v, err = ev.index(v, k); err != nil {
			return nil, err
		}
	}
	return v, nil
}
