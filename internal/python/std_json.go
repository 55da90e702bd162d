package python

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

func stdJSON(ev *Eval) *Module {
	m := NewModule("json",
		"dumps", pureFn("dumps", func(ev *Eval, b *Bound) (Value, error) {
			w := &jsonWriter{ev: ev, item: ", ", key: ": ", ascii: true}
			for _, name := range []string{"cls", "default", "skipkeys", "check_circular", "allow_nan"} {
				if b.passed(name) {
					return NewUnknown(ev.Pos(), "json.dumps with "+name+" is not modelled"), nil
				}
			}
			switch v := b.Value("indent").(type) {
			case nil, NoneType:
			case Int:
				if v < 0 || v > 100 {
					return NewUnknown(ev.Pos(), "json.dumps with such an indent is not modelled"), nil
				}
				w.indent, w.lines, w.item = strings.Repeat(" ", int(v)), true, ","
			default:
				return NewUnknown(ev.Pos(), "json.dumps with such an indent is not modelled"), nil
			}
			if b.passed("separators") {
				t, ok := b.Value("separators").(*Tuple)
				if !ok || len(t.Items) != 2 {
					return NewUnknown(ev.Pos(), "json.dumps with such separators is not modelled"), nil
				}
				item, ok1 := t.Items[0].(Str)
				key, ok2 := t.Items[1].(Str)
				if !ok1 || !ok2 {
					return nil, ev.Raisef("TypeError", "separators must be strings")
				}
				w.item, w.key = string(item), string(key)
			}
			if v, ok := b.Value("ensure_ascii").(Bool); ok {
				w.ascii = bool(v)
			}
			if v, ok := b.Value("sort_keys").(Bool); ok {
				w.sort = bool(v)
			}
			if err := w.write(b.Value("obj"), 0); err != nil {
				return nil, err
			}
			if w.unknown != nil {
				return w.unknown, nil
			}
			return Str(w.b.String()), nil
		}, "obj", "*", "skipkeys=", "ensure_ascii=", "check_circular=", "allow_nan=", "cls=", "indent=", "separators=", "default=", "sort_keys="),
		"loads", pureFn("loads", func(ev *Eval, b *Bound) (Value, error) {
			for _, name := range []string{"cls", "object_hook", "parse_float", "parse_int", "parse_constant", "object_pairs_hook"} {
				if b.passed(name) {
					return NewUnknown(ev.Pos(), "json.loads with "+name+" is not modelled"), nil
				}
			}
			text, err := textOrBytes(ev, b.Value("s"))
			if err != nil {
				return nil, err
			}
			if err := ev.alloc(4 * len(text)); err != nil {
				return nil, err
			}
			dec := json.NewDecoder(strings.NewReader(string(text)))
			dec.UseNumber()
			v, err := loadJSON(ev, dec, 0)
			var raised *Raise
			if err != nil && !errors.As(err, &raised) {
				return nil, ev.Raisef("ValueError", "Expecting value: %v", err)
			}
			if err != nil {
				return nil, err
			}
			if _, err := dec.Token(); err != io.EOF {
				return nil, ev.Raisef("ValueError", "Extra data")
			}
			return v, nil
		}, "s", "*", "cls=", "object_hook=", "parse_float=", "parse_int=", "parse_constant=", "object_pairs_hook="))
	if c := Builtin("ValueError"); c != nil {
		m.Attrs.Store(ev, "JSONDecodeError", c)
	}
	m.Missing = func(ev *Eval, name string) Value { return NewUnknown(ev.Pos(), "json."+name+" is not modelled") }
	return m
}

const maxJSONDepth = 200

func loadJSON(ev *Eval, dec *json.Decoder, depth int) (Value, error) {
	if depth > maxJSONDepth {
		return nil, ev.Raisef("RecursionError", "maximum recursion depth exceeded")
	}
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := tok.(type) {
	case nil:
		return None, nil
	case bool:
		return Bool(t), nil
	case string:
		return Str(t), nil
	case json.Number:
		if strings.ContainsAny(t.String(), ".eE") {
			f, err := t.Float64()
			if err != nil {
				return nil, err
			}
			return Float(f), nil
		}
		if len(t) > 4300 {
			return nil, ev.Raisef("ValueError", "Exceeds the limit for integer string conversion")
		}
		n, ok := new(big.Int).SetString(t.String(), 10)
		if !ok {
			return nil, errors.New("a number")
		}
		return IntValue(n), nil
	case json.Delim:
		if t == '[' {
			var items []Value
			for dec.More() {
				v, err := loadJSON(ev, dec, depth+1)
				if err != nil {
					return nil, err
				}
				items = append(items, v)
			}
			_, err := dec.Token()
			return NewList(items...), err
		}
		if t == '{' {
			d := NewDict()
			for dec.More() {
				k, err := loadJSON(ev, dec, depth+1)
				if err != nil {
					return nil, err
				}
				v, err := loadJSON(ev, dec, depth+1)
				if err != nil {
					return nil, err
				}
				if err := d.Store(ev, k, v); err != nil {
					return nil, err
				}
			}
			_, err := dec.Token()
			return d, err
		}
	}
	return nil, errors.New("unexpected token")
}

type jsonWriter struct {
	ev        *Eval
	b         strings.Builder
	item, key string
	indent    string
	lines     bool
	ascii     bool
	sort      bool
	unknown   *Unknown
}

func (w *jsonWriter) lineBreak(depth int) {
	if w.lines {
		w.b.WriteByte('\n')
		for range depth {
			w.b.WriteString(w.indent)
		}
	}
}

func (w *jsonWriter) write(v Value, depth int) error {
	if depth > maxJSONDepth {
		return w.ev.Raisef("RecursionError", "maximum recursion depth exceeded")
	}
	if err := w.ev.alloc(16); err != nil {
		return err
	}
	list := func(items []Value) error {
		if len(items) == 0 {
			w.b.WriteString("[]")
			return nil
		}
		w.b.WriteByte('[')
		for i, x := range items {
			if i > 0 {
				w.b.WriteString(w.item)
			}
			w.lineBreak(depth + 1)
			if err := w.write(x, depth+1); err != nil {
				return err
			}
		}
		w.lineBreak(depth)
		w.b.WriteByte(']')
		return nil
	}
	switch v := v.(type) {
	case NoneType:
		w.b.WriteString("null")
	case Bool:
		w.b.WriteString(strconv.FormatBool(bool(v)))
	case Int, *BigInt:
		s, _, err := w.ev.Str(v)
		if err != nil {
			return err
		}
		w.b.WriteString(s)
	case Float:
		switch {
		case math.IsNaN(float64(v)):
			w.b.WriteString("NaN")
		case math.IsInf(float64(v), 1):
			w.b.WriteString("Infinity")
		case math.IsInf(float64(v), -1):
			w.b.WriteString("-Infinity")
		default:
			s, _, err := w.ev.Repr(v)
			if err != nil {
				return err
			}
			w.b.WriteString(s)
		}
	case Str:
		w.text(string(v))
		return w.ev.alloc(len(v))
	case *List:
		return list(v.Items)
	case *Tuple:
		return list(v.Items)
	case *Dict:
		return w.dict(v, depth)
	default:
		if u := UnknownIn(v); u != nil {
			w.unknown = u.derive()
			return nil
		}
		return w.ev.Raisef("TypeError", "Object of type %s is not JSON serializable", v.TypeName())
	}
	return nil
}

func (w *jsonWriter) dict(d *Dict, depth int) error {
	type pair struct {
		k string
		v Value
	}
	var pairs []pair
	keys, vals := d.Items()
	for i, k := range keys {
		var text string
		switch k := k.(type) {
		case Str:
			text = string(k)
		case NoneType:
			text = "null"
		case Bool:
			text = strconv.FormatBool(bool(k))
		case Int, *BigInt, Float:
			s, _, err := w.ev.Repr(k)
			if err != nil {
				return err
			}
			text = s
		default:
			return w.ev.Raisef("TypeError", "keys must be str, int, float, bool or None, not %s", k.TypeName())
		}
		pairs = append(pairs, pair{text, vals[i]})
	}
	if w.sort {
		slices.SortStableFunc(pairs, func(a, b pair) int { return strings.Compare(a.k, b.k) })
	}
	if len(pairs) == 0 {
		w.b.WriteString("{}")
		return nil
	}
	w.b.WriteByte('{')
	for i, p := range pairs {
		if i > 0 {
			w.b.WriteString(w.item)
		}
		w.lineBreak(depth + 1)
		w.text(p.k)
		w.b.WriteString(w.key)
		if err := w.write(p.v, depth+1); err != nil {
			return err
		}
	}
	w.lineBreak(depth)
	w.b.WriteByte('}')
	return nil
}

// text writes a string as Python's json does.
func (w *jsonWriter) text(s string) {
	const hex = "0123456789abcdef"
	unit := func(u rune) {
		w.b.WriteString(`\u`)
		for shift := 12; shift >= 0; shift -= 4 {
			w.b.WriteByte(hex[u>>shift&15])
		}
	}
	w.b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.b.WriteByte('\\')
			w.b.WriteRune(r)
		case r == '\n':
			w.b.WriteString(`\n`)
		case r == '\r':
			w.b.WriteString(`\r`)
		case r == '\t':
			w.b.WriteString(`\t`)
		case r == '\b':
			w.b.WriteString(`\b`)
		case r == '\f':
			w.b.WriteString(`\f`)
		case r < ' ' || r == 0x7f && w.ascii || r > 0x7f && r <= 0xffff && w.ascii:
			unit(r)
		case r > 0xffff && w.ascii:
			a, b := utf16.EncodeRune(r)
			unit(a)
			unit(b)
		default:
			w.b.WriteRune(r)
		}
	}
	w.b.WriteByte('"')
}
