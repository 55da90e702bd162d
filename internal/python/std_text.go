package python

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strings"
	"unicode"
)

func stdString(ev *Eval) *Module {
	const lower, digits = "abcdefghijklmnopqrstuvwxyz", "0123456789"
	const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	upper := strings.ToUpper(lower)
	return NewModule("string",
		"ascii_lowercase", Str(lower), "ascii_uppercase", Str(upper), "ascii_letters", Str(lower+upper),
		"digits", Str(digits), "hexdigits", Str(digits+"abcdefABCDEF"), "octdigits", Str("01234567"),
		"punctuation", Str(punctuation), "whitespace", Str(" \t\n\r\x0b\x0c"),
		"printable", Str(digits+lower+upper+punctuation+" \t\n\r\x0b\x0c"),
		"capwords", pureFn("capwords", func(ev *Eval, b *Bound) (Value, error) {
			s, err := b.str(ev, "s", "")
			if err != nil {
				return nil, err
			}
			words := strings.Fields(s)
			for i, w := range words {
				r := []rune(strings.ToLower(w))
				r[0] = unicode.ToUpper(r[0])
				words[i] = string(r)
			}
			return Str(strings.Join(words, " ")), nil
		}, "s"),
		"Template", templateClass(),
	)
}

// templateClass is string.Template with the default delimiter.
func templateClass() *Class {
	substitute := func(safe bool) func(ev *Eval, call *Call) (Value, error) {
		return func(ev *Eval, call *Call) (Value, error) {
			b, err := call.Bind(ev, "substitute", "self", "mapping=", "**kw")
			if err != nil {
				return nil, err
			}
			if u := b.unknown(); u != nil {
				return u.derive(), nil
			}
			self, ok := b.Value("self").(*Instance)
			if !ok {
				return nil, ev.Raisef("TypeError", "substitute needs a Template")
			}
			text, _ := self.Native.(Str)
			find := func(name string) (Value, error) {
				for _, k := range b.Kw {
					if k.Name == name {
						return k.Value, nil
					}
				}
				if b.passed("mapping") {
					return ev.Index(b.Value("mapping"), Str(name))
				}
				return nil, ev.Raisef("KeyError", "%s", name)
			}
			return fillTemplate(ev, string(text), safe, find)
		}
	}
	return &Class{
		Name: "Template", Module: "string",
		Init: func(ev *Eval, self Value, call *Call) error {
			b, err := call.Bind(ev, "Template", "template")
			if err != nil {
				return err
			}
			i, ok := self.(*Instance)
			if !ok {
				return ev.Raisef("TypeError", "Template cannot be initialised like that")
			}
			if u := b.unknown(); u != nil {
				i.Attrs.Store(ev, "template", u)
				return nil
			}
			text, err := b.str(ev, "template", "")
			i.Native = Str(text)
			i.Attrs.Store(ev, "template", Str(text))
			return err
		},
		Attrs: NewNamespace("substitute", &Native{Name: "substitute", Fn: substitute(false)}, "safe_substitute", &Native{Name: "safe_substitute", Fn: substitute(true)}),
	}
}

var templateField = regexp.MustCompile(`\$(?:(\$)|([_a-zA-Z][_a-zA-Z0-9]*)|\{([_a-zA-Z][_a-zA-Z0-9]*)\}|)`)

func fillTemplate(ev *Eval, text string, safe bool, find func(string) (Value, error)) (Value, error) {
	var out strings.Builder
	at := 0
	for _, m := range templateField.FindAllStringSubmatchIndex(text, -1) {
		out.WriteString(text[at:m[0]])
		at = m[1]
		name := ""
		for _, g := range []int{4, 6} {
			if m[g] >= 0 {
				name = text[m[g]:m[g+1]]
			}
		}
		switch {
		case m[2] >= 0:
			out.WriteByte('$')
		case name == "" && safe:
			out.WriteString(text[m[0]:m[1]])
		case name == "":
			return nil, ev.Raisef("ValueError", "Invalid placeholder in string")
		default:
			v, err := find(name)
			if err != nil {
				if _, ok := err.(*Raise); ok && safe {
					out.WriteString(text[m[0]:m[1]])
					continue
				}
				return nil, err
			}
			s, u, err := ev.Str(v)
			if err != nil {
				return nil, err
			}
			if u != nil {
				return u.derive(), nil
			}
			out.WriteString(s)
			if err := ev.alloc(len(s)); err != nil {
				return nil, err
			}
		}
	}
	out.WriteString(text[at:])
	return Str(out.String()), nil
}

func stdTextwrap(ev *Eval) *Module {
	lines := func(s string) []string { return strings.SplitAfter(s, "\n") }
	return NewModule("textwrap",
		"dedent", pureFn("dedent", func(ev *Eval, b *Bound) (Value, error) {
			s, err := b.str(ev, "text", "")
			if err != nil {
				return nil, err
			}
			return Str(dedent(s)), nil
		}, "text"),
		"indent", pureFn("indent", func(ev *Eval, b *Bound) (Value, error) {
			s, err := b.str(ev, "text", "")
			if err != nil {
				return nil, err
			}
			prefix, err := b.str(ev, "prefix", "")
			if err != nil {
				return nil, err
			}
			if b.passed("predicate") {
				return NewUnknown(ev.Pos(), "textwrap.indent with a predicate is not modelled"), nil
			}
			var out strings.Builder
			for _, l := range lines(s) {
				if strings.TrimSpace(l) != "" {
					if err := ev.alloc(len(prefix)); err != nil {
						return nil, err
					}
					out.WriteString(prefix)
				}
				out.WriteString(l)
			}
			return Str(out.String()), nil
		}, "text", "prefix", "predicate="),
	)
}

// dedent is textwrap.dedent: the longest leading whitespace that all lines with text share is taken away, and lines
// without text become empty.
func dedent(s string) string {
	lines := strings.Split(s, "\n")
	margin, found := "", false
	for i, l := range lines {
		text := strings.TrimLeft(l, " \t")
		if strings.TrimSpace(text) == "" {
			lines[i] = ""
			continue
		}
		lead := l[:len(l)-len(text)]
		if !found {
			margin, found = lead, true
			continue
		}
		n := 0
		for n < len(margin) && n < len(lead) && margin[n] == lead[n] {
			n++
		}
		margin = margin[:n]
	}
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, margin)
	}
	return strings.Join(lines, "\n")
}

func textOrBytes(ev *Eval, v Value) ([]byte, error) {
	switch v := v.(type) {
	case Bytes:
		return []byte(v), nil
	case Str:
		return []byte(v), nil
	}
	return nil, ev.Raisef("TypeError", "a bytes-like object is required, not '%s'", v.TypeName())
}

func stdBase64(ev *Eval) *Module {
	encode := func(name string, enc *base64.Encoding) *Native {
		return pureFn(name, func(ev *Eval, b *Bound) (Value, error) {
			data, err := textOrBytes(ev, b.Value("s"))
			if err != nil {
				return nil, err
			}
			return Bytes(enc.EncodeToString(data)), ev.alloc(2 * len(data))
		}, "s")
	}
	decode := func(name string, enc *base64.Encoding) *Native {
		return pureFn(name, func(ev *Eval, b *Bound) (Value, error) {
			data, err := textOrBytes(ev, b.Value("s"))
			if err != nil {
				return nil, err
			}
			out, err := enc.DecodeString(string(data))
			if err != nil {
				return nil, ev.Raisef("ValueError", "Incorrect padding")
			}
			return Bytes(out), nil
		}, "s")
	}
	return NewModule("base64",
		"b64encode", encode("b64encode", base64.StdEncoding), "b64decode", decode("b64decode", base64.StdEncoding),
		"urlsafe_b64encode", encode("urlsafe_b64encode", base64.URLEncoding), "urlsafe_b64decode", decode("urlsafe_b64decode", base64.URLEncoding))
}

// A hashValue is an object of hashlib.
type hashValue struct {
	name string
	data []byte
	lost *Unknown // it was fed something that is not known
}

func (h *hashValue) TypeName() string { return "_hashlib.HASH" }

func (h *hashValue) sum() []byte {
	switch h.name {
	case "md5":
		s := md5.Sum(h.data)
		return s[:]
	case "sha1":
		s := sha1.Sum(h.data)
		return s[:]
	case "sha224":
		s := sha256.Sum224(h.data)
		return s[:]
	case "sha256":
		s := sha256.Sum256(h.data)
		return s[:]
	case "sha384":
		s := sha512.Sum384(h.data)
		return s[:]
	}
	s := sha512.Sum512(h.data)
	return s[:]
}

// Save implements Mutable.
func (h *hashValue) Save() any { return *h }

// Restore implements Mutable.
func (h *hashValue) Restore(state any) { *h = state.(hashValue) }

// Attr implements Attrer.
func (h *hashValue) Attr(ev *Eval, name string) (Value, bool) {
	if h.lost != nil && (name == "hexdigest" || name == "digest") {
		return pureFn(name, func(*Eval, *Bound) (Value, error) { return h.lost, nil }), true
	}
	switch name {
	case "hexdigest":
		return pureFn(name, func(*Eval, *Bound) (Value, error) { return Str(hex.EncodeToString(h.sum())), nil }), true
	case "digest":
		return pureFn(name, func(*Eval, *Bound) (Value, error) { return Bytes(h.sum()), nil }), true
	case "name":
		return Str(h.name), true
	case "update":
		return &Native{Name: name, Fn: func(ev *Eval, call *Call) (Value, error) {
			b, err := call.Bind(ev, "update", "data")
			if err != nil {
				return nil, err
			}
			if u := b.unknown(); u != nil {
				ev.Touch(h)
				h.lost = u.derive()
				return None, nil
			}
			data, err := textOrBytes(ev, b.Value("data"))
			if err != nil {
				return nil, err
			}
			ev.Touch(h)
			h.data = append(h.data[:len(h.data):len(h.data)], data...)
			return None, ev.alloc(len(data))
		}}, true
	}
	return nil, false
}

func stdHashlib(ev *Eval) *Module {
	m := NewModule("hashlib")
	for _, name := range []string{"md5", "sha1", "sha224", "sha256", "sha384", "sha512"} {
		m.Attrs.Store(ev, name, pureFn(name, func(ev *Eval, b *Bound) (Value, error) {
			h := &hashValue{name: name}
			if v := b.Value("data"); v != nil {
				data, err := textOrBytes(ev, v)
				if err != nil {
					return nil, err
				}
				h.data = data
			}
			return h, nil
		}, "data=", "*", "usedforsecurity="))
	}
	return m
}
