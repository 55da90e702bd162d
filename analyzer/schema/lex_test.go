package schema

import (
	"strings"
	"testing"
)

// kinds writes a text's tokens as letters and texts, so that a test reads in one line.
func lexed(l lexer) string {
	names := [...]string{"EOF", "w", "i", "s", "b", "n", "v", "?", "o", "d", "c", "<", ">", "!"}
	var out []string
	for {
		t := l.next()
		if t.kind == tokEOF {
			if t.bad != "" {
				out = append(out, "EOF("+t.bad+")")
			}
			return strings.Join(out, " ")
		}
		s := names[t.kind] + ":" + t.text(l.src)
		if t.bad != "" {
			s += "(" + t.bad + ")"
		}
		out = append(out, s)
	}
}

func TestLexer(t *testing.T) {
	for _, tt := range []struct {
		name, src, want string
		l               lexer
	}{
		{name: "words", src: "select a$1, 1st, t.1, é FROM `a``b`", want: "w:select w:a$1 o:, w:1st o:, w:t o:. w:1 o:, w:é w:FROM i:`a``b`"},
		{name: "numbers", src: "1 1.5 .5 1e3 1.e-3 1e 0x1F 0xG 0b10 0 -1", want: "n:1 n:1.5 n:.5 n:1e3 n:1.e-3 w:1e b:0x1F w:0xG b:0b10 n:0 o:- n:1"},
		{name: "strings", src: `'a''b' "c\"d" N'x' _utf8'y' x'41' B'01'`, want: `s:'a''b' s:"c\"d" s:N'x' w:_utf8 s:'y' b:x'41' b:B'01'`},
		{name: "ansi", src: `"a""b" 'c'`, l: lexer{mode: ansiQuotes}, want: `i:"a""b" s:'c'`},
		{name: "no backslashes", src: `'a\' 'b'`, l: lexer{mode: noBackslashEscapes}, want: `s:'a\' s:'b'`},
		{name: "a backslash in a name", src: "`a\\` b", want: "i:`a\\` w:b"},
		{name: "open string", src: `a 'b`, want: `w:a s:'b(string is not closed)`},
		{name: "open string after a backslash", src: `'b\`, want: `s:'b\(string is not closed)`},
		{name: "open name", src: "`b", want: "i:`b(quoted name is not closed)"},
		{name: "comments", src: "a -- b\n5--1 # c\n/* d */ --", want: "w:a c:-- b n:5 o:- o:- n:1 c:# c c:/* d */ c:--"},
		{name: "hint", src: "select /*+ INDEX(t) */ 1", want: "w:select c:/*+ INDEX(t) */ n:1"},
		{name: "open comment", src: "a /* b", want: "w:a c:/* b(comment is not closed)"},
		{name: "comments do not nest", src: "/* /* */ */", want: "c:/* /* */ o:* o:/"},
		{name: "version comment", src: "/*!50017 a*/ /*!100100 b */ /*! c*/ /*M! d */", want: "<:/*!50017 w:a >:*/ <:/*!100100 w:b >:*/ <:/*! w:c >:*/ <:/*M! w:d >:*/"},
		{name: "short version", src: "/*!5001 a*/", want: "<:/*! n:5001 w:a >:*/"},
		{name: "comment in a version comment", src: "/*!50017 a /* b */ c */", want: "<:/*!50017 w:a c:/* b */ w:c >:*/"},
		{name: "open version comment", src: "/*!50017 a", want: "<:/*!50017 w:a EOF(version comment is not closed)"},
		{name: "skipped version comment", src: "a /*!99999 it's /* b */ c */ d", l: lexer{runs: func(v int, _ bool) bool { return v < 90000 }}, want: "w:a c:/*!99999 it's /* b */ c */ w:d"},
		{name: "skipped version comment left open", src: "a /*!99999 b", l: lexer{runs: func(int, bool) bool { return false }}, want: "w:a c:/*!99999 b(comment is not closed)"},
		{name: "operators", src: "a<=>b<=c<>d!=e:=f->'g'->>h||i&&j<<k", want: "w:a o:<=> w:b o:<= w:c o:<> w:d o:!= w:e o::= w:f o:-> s:'g' o:->> w:h o:|| w:i o:&& w:j o:<< w:k"},
		{name: "variables", src: "@a @'b c' @@global.x 'r'@'%' `r`@`h` r@localhost", want: "v:@a v:@'b c' v:@@global.x s:'r' v:@'%' i:`r` v:@`h` w:r v:@localhost"},
		{name: "placeholders", src: "= ? :name %s %(id)s lbl:BEGIN a%s a % s %% (x)%s", want: "o:= ?:? ?::name ?:%s ?:%(id)s w:lbl o:: w:BEGIN w:a o:% w:s w:a o:% w:s o:% o:% o:( w:x o:) o:% w:s"},
		{name: "delimiter", src: "END$$ a;b $$", l: lexer{delim: "$$"}, want: "w:END d:$$ w:a o:; w:b d:$$"},
		{name: "delimiter after a number", src: "1$$", l: lexer{delim: "$$"}, want: "n:1 d:$$"},
		{name: "delimiter //", src: "a//b/c", l: lexer{delim: "//"}, want: "w:a d:// w:b o:/ w:c"},
		{name: "delimiter in a string", src: "'a;' ;", l: lexer{delim: ";"}, want: "s:'a;' d:;"},
		{name: "null and client", src: `\N \G`, want: `o:\N o:\G`},
		{name: "illegal", src: "a\x00\x01", want: "w:a !:\x00(NUL byte) !:\x01(unexpected character)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.l.src = tt.src
			if got := lexed(tt.l); got != tt.want {
				t.Errorf("%q:\n got %s\nwant %s", tt.src, got, tt.want)
			}
		})
	}
}

func TestTokenValue(t *testing.T) {
	for src, want := range map[string]string{
		`'a''b"c'`:       `a'b"c`,
		`"a""b'c"`:       `a"b'c`,
		`'\0\n\t\\\'\q'`: "\x00\n\t\\'q",
		`'\%\_'`:         `\%\_`,
		`N'x'`:           `x`,
		`n'a\nb'`:        "a\nb",
		`'a''\'''`:       `a'''`,
		`''`:             ``,
		`'\''`:           `'`,
		`'open`:          `open`,
		`'`:              ``,
	} {
		l := lexer{src: src}
		if got := l.next().value(src, 0); got != want {
			t.Errorf("%s: got %q, want %q", src, got, want)
		}
	}
	l := lexer{src: `'a\'`, mode: noBackslashEscapes}
	if got := l.next().value(l.src, l.mode); got != `a\` {
		t.Errorf("without escapes: got %q", got)
	}
}

// FuzzLexer holds the lexer to its law: tokens follow each other, and between them stands only whitespace.
func FuzzLexer(f *testing.F) {
	for _, s := range []string{"select 'a' -- b\n", "/*!50017 a /* b */ */", "`a", "END$$", "1e+", "%(a)s :b ?", "0x", "@`", "a.1.b", "x'", "N'\\", "/*!"} {
		f.Add(s, ";", byte(0))
		f.Add(s, "$$", byte(3))
	}
	f.Fuzz(func(t *testing.T, src, delim string, mode byte) {
		l := lexer{src: src, delim: delim, mode: lexMode(mode)}
		if mode&4 != 0 {
			l.runs = func(int, bool) bool { return false }
		}
		at := 0
		for {
			tok := l.next()
			if tok.start < at || tok.end > len(src) || tok.end <= tok.start && tok.kind != tokEOF {
				t.Fatalf("%q: token %+v after %d", src, tok, at)
			}
			if strings.TrimFunc(src[at:tok.start], func(r rune) bool { return r < 128 && isSpace(byte(r)) }) != "" {
				t.Fatalf("%q: text between tokens: %q", src, src[at:tok.start])
			}
			if tok.kind == tokEOF {
				break
			}
			if tok.kind != tokString && tok.value(src, l.mode) == "" && tok.name(src) == "" && tok.start == tok.end {
				t.Fatalf("%q: an empty token at %d", src, tok.start)
			}
			at = tok.end
		}
	})
}

func TestQuoteStringRoundTrip(t *testing.T) {
	for _, s := range []string{"", "a", "it's", `a\b`, "a\nb\r\x00", `"`, "''"} {
		q := quoteString(s)
		l := lexer{src: q}
		if got := l.next().value(q, 0); got != s {
			t.Errorf("%q: quoted %s, read back %q", s, q, got)
		}
	}
}
