package python

import (
	"encoding/hex"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// construct calls a built-in class; false if it is none, or has nothing of its own.
func (ev *Eval) construct(cls *Class, call *Call) (Value, bool, error) {
	switch cls {
	case intClass, boolClass, floatClass, strClass, bytesClass, bytearrayClass, listClass, tupleClass, dictClass, setClass,
		frozensetClass, rangeClass, sliceClass, typeClass, propertyClass, staticClass, classMethClass, superClass, objectClass, noneClass:
	default:
		return nil, false, nil
	}
	if call.Splat != nil {
		u := call.Splat.derive()
		switch cls {
		case listClass:
			return &List{taint: u}, true, nil
		case dictClass:
			d := NewDict()
			return d, true, ev.dictInit(d, call)
		}
		return u, true, nil
	}
	v, err := ev.constructBuiltin(cls, call)
	return v, true, err
}

func (ev *Eval) constructBuiltin(cls *Class, call *Call) (Value, error) {
	args := call.Args
	atMost := func(n int) error {
		if len(args) > n {
			return ev.Raisef("TypeError", "%s expected at most %d argument%s, got %d", cls.Name, n, plural(n), len(args))
		}
		return nil
	}
	var first Value
	if len(args) > 0 {
		first = args[0]
	}
	scalar := func(empty Value, f func(v Value) (Value, error)) (Value, error) {
		if err := atMost(1); err != nil {
			return nil, err
		}
		if first == nil {
			return empty, nil
		}
		if u, ok := first.(*Unknown); ok {
			return ev.unknownResult([]Value{u}, func(vs []Value) (Value, error) { return f(vs[0]) }), nil
		}
		return f(first)
	}
	switch cls {
	case objectClass:
		return NewInstance(objectClass), nil
	case noneClass:
		return None, nil
	case boolClass:
		if first == nil {
			return Bool(false), nil
		}
		return ev.truth(first)
	case intClass:
		base := call.Keyword("base")
		if len(args) == 2 {
			base = args[1]
		}
		if base != nil {
			if u := UnknownIn(&Tuple{Items: []Value{first, base}}); u != nil {
				return u.derive(), nil
			}
			b, ok := intOf(base)
			s, ok2 := unbase(first).(Str)
			if bs, ok := first.(Bytes); ok {
				s, ok2 = Str(bs), true
			}
			if !ok || !ok2 {
				return nil, ev.Raisef("TypeError", "int() can't convert non-string with explicit base")
			}
			return ev.parseInt(string(s), int(b))
		}
		return scalar(Int(0), ev.toInt)
	case floatClass:
		return scalar(Float(0), ev.toFloat)
	case strClass:
		if first == nil {
			first = call.Keyword("object")
		}
		if first == nil {
			return Str(""), nil
		}
		if len(args) > 1 || call.Keyword("encoding") != nil {
			if b, ok := first.(Bytes); ok {
				return decodeBytes(ev, b, &Call{Args: args[1:], Kw: call.Kw, pos: call.pos, file: call.file, off: call.off})
			}
		}
		return ev.str(first)
	case bytesClass, bytearrayClass:
		v, err := ev.toBytes(first, call)
		if err != nil {
			return nil, err
		}
		if b, ok := v.(Bytes); ok && cls == bytearrayClass {
			return &bytearray{[]byte(b)}, nil
		}
		return v, nil
	case listClass:
		if err := atMost(1); err != nil {
			return nil, err
		}
		l := &List{epoch: ev.epoch}
		if first == nil {
			return l, nil
		}
		items, u, err := ev.list(first)
		if err != nil {
			return nil, err
		}
		l.Items, l.taint = append([]Value(nil), items...), u
		if u != nil && !u.Data {
			l.Items = nil
		}
		return l, nil
	case tupleClass:
		if err := atMost(1); err != nil {
			return nil, err
		}
		if first == nil {
			return &Tuple{}, nil
		}
		items, u, err := ev.list(first)
		if err != nil {
			return nil, err
		}
		if u != nil {
			return taintValue(u, &Tuple{Items: items}), nil
		}
		return &Tuple{Items: items}, nil
	case dictClass:
		d := &Dict{table: table{epoch: ev.epoch}}
		return d, ev.dictInit(d, call)
	case setClass, frozensetClass:
		s := &Set{Frozen: cls == frozensetClass, table: table{epoch: ev.epoch}}
		if err := atMost(1); err != nil || first == nil {
			return s, err
		}
		return s, ev.setUpdate(s, first)
	case rangeClass:
		if len(args) == 0 || len(args) > 3 {
			return nil, ev.Raisef("TypeError", "range expected at least 1 argument, got %d", len(args))
		}
		if u := UnknownIn(&Tuple{Items: args}); u != nil {
			return ev.unknownResult(args, func(vs []Value) (Value, error) {
				return ev.constructBuiltin(cls, NewCall(Pos{}, vs))
			}), nil
		}
		var n [3]int64
		for i, a := range args {
			x, ok := intOf(a)
			if !ok {
				if m, has := ev.special(a, "__index__"); has {
					r, err := ev.call(m, NewCall(call.Pos(), nil))
					if err != nil {
						return nil, err
					}
					x, ok = intOf(r)
				}
				if _, big := a.(*BigInt); big {
					return NewUnknown(call.Pos(), "a range of this size is not modelled"), nil
				}
				if !ok {
					return nil, ev.Raisef("TypeError", "'%s' object cannot be interpreted as an integer", a.TypeName())
				}
			}
			if x > 1<<61 || x < -1<<61 {
				return NewUnknown(call.Pos(), "a range of this size is not modelled"), nil
			}
			n[i] = x
		}
		switch len(args) {
		case 1:
			return &Range{0, n[0], 1}, nil
		case 2:
			return &Range{n[0], n[1], 1}, nil
		}
		if n[2] == 0 {
			return nil, ev.Raisef("ValueError", "range() arg 3 must not be zero")
		}
		return &Range{n[0], n[1], n[2]}, nil
	case sliceClass:
		switch len(args) {
		case 1:
			return &Slice{None, args[0], None}, nil
		case 2:
			return &Slice{args[0], args[1], None}, nil
		case 3:
			return &Slice{args[0], args[1], args[2]}, nil
		}
		return nil, ev.Raisef("TypeError", "slice expected at least 1 argument, got 0")
	case typeClass:
		switch len(args) {
		case 1:
			if u, ok := first.(*Unknown); ok {
				return u.derive(), nil
			}
			if o, ok := first.(*Class); ok && o != nil {
				return typeClass, nil
			}
			return ClassOf(first), nil
		case 3:
			name, ok1 := args[0].(Str)
			bases, ok2 := args[1].(*Tuple)
			d, ok3 := args[2].(*Dict)
			if !ok1 || !ok2 || !ok3 {
				return &Unknown{Pos: call.Pos(), Why: "type() with arguments that are not known", Acts: true}, nil
			}
			ns := &Namespace{epoch: ev.epoch}
			for _, e := range d.entries {
				if s, ok := e.key.(Str); ok {
					ns.store(string(s), e.val)
				}
			}
			ns.taint = d.taint
			return ev.makeClass(string(name), bases.Items, nil, ns, call.Kw, call.Pos())
		}
		return nil, ev.Raisef("TypeError", "type() takes 1 or 3 arguments")
	case propertyClass:
		b, err := call.Bind(ev, "property", "fget=", "fset=", "fdel=", "doc=")
		if err != nil {
			return nil, err
		}
		get := func(n string) Value {
			if v := b.Value(n); v != nil && v != None {
				return v
			}
			return nil
		}
		return &Property{Fget: get("fget"), Fset: get("fset"), Fdel: get("fdel")}, nil
	case staticClass:
		if first != nil {
			return &staticMethod{first}, nil
		}
	case classMethClass:
		if first != nil {
			return &classMethod{first}, nil
		}
	case superClass:
		return biSuper(ev, call)
	}
	return nil, ev.Raisef("TypeError", "cannot create '%s' instances", cls.Name)
}

// toInt is int(v) of something known.
func (ev *Eval) toInt(v Value) (Value, error) {
	switch x := unbase(v).(type) {
	case Int, *BigInt:
		return x, nil
	case Bool:
		i, _ := intOf(x)
		return Int(i), nil
	case Float:
		f := float64(x)
		if math.IsNaN(f) {
			return nil, ev.Raisef("ValueError", "cannot convert float NaN to integer")
		}
		if math.IsInf(f, 0) {
			return nil, ev.Raisef("OverflowError", "cannot convert float infinity to integer")
		}
		if math.Abs(f) < 1<<62 {
			return Int(f), nil
		}
		b, _ := big.NewFloat(f).Int(nil)
		return IntValue(b), nil
	case Str:
		return ev.parseInt(string(x), 10)
	case Bytes:
		return ev.parseInt(string(x), 10)
	}
	for _, name := range []string{"__int__", "__index__", "__trunc__"} {
		if m, ok := ev.special(v, name); ok {
			return ev.call(m, NewCall(ev.Pos(), nil))
		}
	}
	if n, ok := v.(inter); ok {
		return n.toInt(ev)
	}
	if u := partialOf(v); u != nil {
		return u.derive(), nil
	}
	return nil, ev.Raisef("TypeError", "int() argument must be a string, a bytes-like object or a real number, not '%s'", v.TypeName())
}

// inter is a native value with an integer value.
type inter interface {
	toInt(ev *Eval) (Value, error)
}

func (ev *Eval) parseInt(s string, base int) (Value, error) {
	orig := s
	s = strings.TrimFunc(s, isSpace)
	fail := func() (Value, error) {
		return nil, ev.Raisef("ValueError", "invalid literal for int() with base %d: %s", base, reprStr(orig))
	}
	if base != 0 && (base < 2 || base > 36) {
		return nil, ev.Raisef("ValueError", "int() base must be >= 2 and <= 36, or 0")
	}
	neg := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		s = s[1:]
	}
	prefix := map[string]int{"0x": 16, "0X": 16, "0o": 8, "0O": 8, "0b": 2, "0B": 2}
	if len(s) > 2 {
		if b, ok := prefix[s[:2]]; ok && (base == 0 || base == b) {
			base = b
			s = strings.TrimPrefix(s[2:], "_")
		}
	}
	if base == 0 {
		base = 10
		if len(s) > 1 && s[0] == '0' && strings.Trim(s, "0_") != "" {
			return fail()
		}
	}
	if s == "" || s[0] == '_' || s[len(s)-1] == '_' || strings.Contains(s, "__") || s[0] == '-' || s[0] == '+' {
		return fail()
	}
	s = strings.ReplaceAll(s, "_", "")
	if len(s) > 4300 {
		if base&(base-1) != 0 {
			return nil, ev.Raisef("ValueError", "Exceeds the limit (4300 digits) for integer string conversion: value has %d digits; use sys.set_int_max_str_digits() to increase the limit", len(s))
		}
		if len(s) > maxBits/4 {
			return nil, ev.abort("an integer of %d digits", len(s))
		}
	}
	b, ok := new(big.Int).SetString(s, base)
	if !ok {
		return fail()
	}
	if neg {
		b.Neg(b)
	}
	return IntValue(b), nil
}

// toFloat is float(v) of something known.
func (ev *Eval) toFloat(v Value) (Value, error) {
	x := unbase(v)
	if b, ok := x.(*BigInt); ok {
		f, _ := new(big.Float).SetInt(b.V).Float64()
		if math.IsInf(f, 0) {
			return nil, ev.Raisef("OverflowError", "int too large to convert to float")
		}
		return Float(f), nil
	}
	if f, ok := floatOf(x); ok {
		return Float(f), nil
	}
	if b, ok := x.(Bytes); ok {
		x = Str(b)
	}
	if s, ok := x.(Str); ok {
		t := strings.TrimFunc(string(s), isSpace)
		switch strings.ToLower(strings.TrimLeft(t, "+-")) {
		case "inf", "infinity", "nan":
			if strings.Count(t, "-")+strings.Count(t, "+") <= 1 {
				f, err := strconv.ParseFloat(t, 64)
				if err == nil {
					return Float(f), nil
				}
				return Float(math.NaN()), nil
			}
		}
		if t != "" && !strings.ContainsAny(t, "xXpPiInN") && t[0] != '_' && t[len(t)-1] != '_' && !strings.Contains(t, "__") {
			f, err := strconv.ParseFloat(strings.ReplaceAll(t, "_", ""), 64)
			if err == nil || math.IsInf(f, 0) {
				return Float(f), nil
			}
		}
		return nil, ev.Raisef("ValueError", "could not convert string to float: %s", reprStr(string(s)))
	}
	for _, name := range []string{"__float__", "__index__"} {
		if m, ok := ev.special(v, name); ok {
			return ev.call(m, NewCall(ev.Pos(), nil))
		}
	}
	if n, ok := v.(floater); ok {
		return n.toFloat(ev)
	}
	return nil, ev.Raisef("TypeError", "float() argument must be a string or a real number, not '%s'", v.TypeName())
}

type floater interface {
	toFloat(ev *Eval) (Value, error)
}

func (ev *Eval) toBytes(v Value, call *Call) (Value, error) {
	switch x := unbase(v).(type) {
	case nil:
		return Bytes(""), nil
	case Bytes:
		return x, nil
	case *bytearray:
		return Bytes(x.b), nil
	case Str:
		if len(call.Args) < 2 && call.Keyword("encoding") == nil {
			return nil, ev.Raisef("TypeError", "string argument without an encoding")
		}
		return encodeStr(ev, x, &Call{Args: call.Args[1:], Kw: call.Kw})
	case Int:
		if x < 0 {
			return nil, ev.Raisef("ValueError", "negative count")
		}
		if int64(x) > int64(ev.budget.Object) {
			return nil, ev.abort("an object of %d bytes", x)
		}
		return Bytes(make([]byte, x)), ev.alloc(int(x))
	case *Unknown:
		return x.derive(), nil
	}
	items, u, err := ev.list(v)
	if err != nil {
		return nil, err
	}
	if u != nil {
		return u.derive(), nil
	}
	b := make([]byte, len(items))
	for i, it := range items {
		n, ok := intOf(it)
		if !ok {
			if u, ok := it.(*Unknown); ok {
				return u.derive(), nil
			}
			return nil, ev.Raisef("TypeError", "'%s' object cannot be interpreted as an integer", it.TypeName())
		}
		if n < 0 || n > 255 {
			return nil, ev.Raisef("ValueError", "bytes must be in range(0, 256)")
		}
		b[i] = byte(n)
	}
	return Bytes(b), nil
}

func codec(call *Call) string {
	name := "utf-8"
	if len(call.Args) > 0 {
		if s, ok := call.Args[0].(Str); ok {
			name = string(s)
		} else {
			return ""
		}
	}
	if s, ok := call.Keyword("encoding").(Str); ok {
		name = string(s)
	}
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	switch name {
	case "utf-8", "utf8", "u8":
		return "utf-8"
	case "ascii", "us-ascii", "646":
		return "ascii"
	case "latin-1", "latin1", "iso-8859-1", "iso8859-1", "l1":
		return "latin-1"
	}
	return ""
}

func encodeStr(ev *Eval, s Str, call *Call) (Value, error) {
	switch codec(call) {
	case "utf-8":
		if utf8.ValidString(string(s)) {
			return Bytes(s), ev.alloc(len(s))
		}
	case "ascii", "latin-1":
		limit := rune(0x80)
		if codec(call) == "latin-1" {
			limit = 0x100
		}
		errors := Value(Str("strict"))
		if len(call.Args) > 1 {
			errors = call.Args[1]
		} else if k := call.Keyword("errors"); k != nil {
			errors = k
		}
		var b []byte
		for i, r := range []rune(string(s)) {
			if r < limit {
				b = append(b, byte(r))
				continue
			}
			switch errors {
			case Str("ignore"):
			case Str("replace"):
				b = append(b, '?')
			case Str("strict"):
				return nil, ev.Raisef("UnicodeEncodeError", "'%s' codec can't encode character '%s' in position %d: ordinal not in range(%d)", codec(call), strings.Trim(asciiRepr(string(r)), "'"), i, limit)
			default:
				return NewUnknown(ev.Pos(), "this error handler of encode is not modelled"), nil
			}
		}
		return Bytes(b), ev.alloc(len(b))
	}
	return NewUnknown(ev.Pos(), "this encoding is not modelled"), nil
}

func decodeBytes(ev *Eval, b Bytes, call *Call) (Value, error) {
	switch codec(call) {
	case "utf-8", "ascii":
		if codec(call) == "utf-8" && utf8.ValidString(string(b)) || isASCII(string(b)) {
			return Str(b), ev.alloc(len(b))
		}
		errors := Value(Str("strict"))
		if len(call.Args) > 1 {
			errors = call.Args[1]
		} else if k := call.Keyword("errors"); k != nil {
			errors = k
		}
		if errors == Str("strict") {
			return nil, ev.Raisef("UnicodeDecodeError", "'%s' codec can't decode bytes", codec(call))
		}
		if errors == Str("ignore") {
			return Str(strings.ToValidUTF8(string(b), "")), nil
		}
	case "latin-1":
		rs := make([]rune, len(b))
		for i := 0; i < len(b); i++ {
			rs[i] = rune(b[i])
		}
		return Str(string(rs)), ev.alloc(2 * len(b))
	}
	return NewUnknown(ev.Pos(), "this decoding is not modelled"), nil
}

func bytesFromHex(ev *Eval, self Value, c *Call) (Value, error) {
	s, ok := argOr(c, 0, None).(Str)
	if !ok {
		return NewUnknown(ev.Pos(), "fromhex of something that is not known"), nil
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(s)), ""))
	if err != nil {
		return nil, ev.Raisef("ValueError", "non-hexadecimal number found in fromhex() arg")
	}
	return Bytes(b), ev.alloc(len(b))
}

func intFromBytes(ev *Eval, self Value, c *Call) (Value, error) {
	b, err := c.Bind(ev, "from_bytes", "bytes", "byteorder=", "*", "signed=")
	if err != nil {
		return nil, err
	}
	raw, ok := b.Value("bytes").(Bytes)
	if !ok || b.Value("signed") != nil || len(raw) > maxBits/8 {
		return NewUnknown(ev.Pos(), "from_bytes is not modelled here"), nil
	}
	data := []byte(raw)
	if b.Value("byteorder") == Str("little") {
		slices.Reverse(data)
	}
	return IntValue(new(big.Int).SetBytes(data)), nil
}
