package python

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// decode turns the bytes of a source file into UTF-8 with \n as its only line end. If it
// cannot, it says why, and at which offset of the text that it returns.
func decode(src []byte) (text string, badAt int, why string) {
	if len(src) > MaxSize {
		return "", 0, "file is too large"
	}
	bom := bytes.HasPrefix(src, []byte("\xef\xbb\xbf"))
	if bom {
		src = src[3:]
	}
	encoding := normalEncoding(cookie(src))
	if bom && encoding != "utf-8" {
		return "", 0, "encoding cookie contradicts the byte order mark"
	}
	switch encoding {
	case "utf-8":
		text = string(src)
	case "latin-1":
		text = decodeTable(src, nil)
	case "cp1252":
		text = decodeTable(src, &cp1252)
	case "iso-8859-15":
		text = decodeTable(src, &latin9)
	case "ascii":
		text = string(src)
		for i := range src {
			if src[i] >= utf8.RuneSelf {
				return newlines(text[:i]), len(newlines(text[:i])), "character is not ASCII, as the file says it is"
			}
		}
	default:
		for _, c := range src {
			if c >= utf8.RuneSelf || !asciiSuperset(encoding) {
				return "", 0, "encoding " + clip(encoding) + " is not supported"
			}
		}
		text = string(src)
	}
	if !utf8.ValidString(text) {
		i := 0
		for i < len(text) {
			r, n := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			i += n
		}
		text = newlines(text[:i])
		return text, len(text), "invalid UTF-8"
	}
	text = newlines(text)
	if i := strings.IndexByte(text, 0); i >= 0 {
		return text, i, "source contains a NUL byte"
	}
	return text, 0, ""
}

// newlines makes \n of \r\n and of \r.
func newlines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
}

// clip shortens a name that came from the input.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// cookie returns the encoding that one of the first two lines declares (PEP 263), or "".
func cookie(src []byte) string {
	for range 2 {
		line := src
		if i := bytes.IndexAny(src, "\r\n"); i >= 0 {
			line = src[:i]
			src = bytes.TrimPrefix(src[i:], []byte("\r"))
			src = bytes.TrimPrefix(src, []byte("\n"))
		} else {
			src = nil
		}
		line = bytes.TrimLeft(line, " \t\f")
		if len(line) == 0 {
			continue
		}
		if line[0] != '#' {
			return ""
		}
		for {
			i := bytes.Index(line, []byte("coding"))
			if i < 0 {
				break
			}
			line = line[i+len("coding"):]
			if len(line) == 0 || line[0] != ':' && line[0] != '=' {
				continue
			}
			name := bytes.TrimLeft(line[1:], " \t")
			n := 0
			for n < len(name) && (name[n] == '-' || name[n] == '.' || class[name[n]] == cIdent || class[name[n]] == cDigit) {
				n++
			}
			if n > 0 {
				return string(name[:n])
			}
		}
	}
	return ""
}

// normalEncoding gives the encodings that are decoded one name each.
func normalEncoding(name string) string {
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	switch {
	case name == "" || name == "utf-8" || name == "utf8" || name == "u8" || strings.HasPrefix(name, "utf-8-"):
		return "utf-8"
	case name == "latin-1" || name == "latin1" || name == "l1" || name == "iso-8859-1" || name == "iso8859-1" ||
		name == "iso-latin-1" || strings.HasPrefix(name, "latin-1-") || strings.HasPrefix(name, "iso-8859-1-") ||
		strings.HasPrefix(name, "iso-latin-1-"):
		return "latin-1"
	case name == "ascii" || name == "us-ascii":
		return "ascii"
	case name == "cp1252" || name == "windows-1252":
		return "cp1252"
	case name == "iso-8859-15" || name == "iso8859-15" || name == "latin-9" || name == "latin9":
		return "iso-8859-15"
	}
	return name
}

// asciiSuperset reports whether ASCII text means itself in an encoding. A file that is all ASCII can
// then be read, although the encoding is not decoded here.
func asciiSuperset(encoding string) bool {
	for _, prefix := range [...]string{"cp125", "windows-125", "iso-8859-", "iso8859-", "latin", "koi8-", "euc-", "gb2312", "gbk", "gb18030", "big5", "mac-", "cp437", "cp85", "cp86"} {
		if strings.HasPrefix(encoding, prefix) {
			return true
		}
	}
	return false
}

// decodeTable decodes a single-byte encoding that is Latin-1 except from 0x80 to 0xbf, where
// the table has other characters; zero there is Latin-1's own.
func decodeTable(src []byte, table *[64]rune) string {
	b := make([]byte, 0, len(src)+len(src)/8)
	for _, c := range src {
		r := rune(c)
		if table != nil && 0x80 <= c && c < 0xc0 && table[c-0x80] != 0 {
			r = table[c-0x80]
		}
		b = utf8.AppendRune(b, r)
	}
	return string(b)
}

var cp1252 = [64]rune{
	0x00: 0x20ac, 0x02: 0x201a, 0x03: 0x0192, 0x04: 0x201e, 0x05: 0x2026, 0x06: 0x2020, 0x07: 0x2021,
	0x08: 0x02c6, 0x09: 0x2030, 0x0a: 0x0160, 0x0b: 0x2039, 0x0c: 0x0152, 0x0e: 0x017d,
	0x11: 0x2018, 0x12: 0x2019, 0x13: 0x201c, 0x14: 0x201d, 0x15: 0x2022, 0x16: 0x2013, 0x17: 0x2014,
	0x18: 0x02dc, 0x19: 0x2122, 0x1a: 0x0161, 0x1b: 0x203a, 0x1c: 0x0153, 0x1e: 0x017e, 0x1f: 0x0178,
}

var latin9 = [64]rune{
	0x24: 0x20ac, 0x26: 0x0160, 0x28: 0x0161, 0x34: 0x017d, 0x38: 0x017e, 0x3c: 0x0152, 0x3d: 0x0153, 0x3e: 0x0178,
}
