package python

import (
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// corpus returns the sources that tests, benchmarks and fuzzing start from, by name.
func corpus(tb testing.TB) map[string][]byte {
	tb.Helper()
	paths, err := filepath.Glob("testdata/parse/*.py")
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no files in testdata/parse: %v", err)
	}
	out := map[string][]byte{}
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(path), ".py")] = src
	}
	return out
}

// sexpr writes a piece of tree as nested parentheses: the type without its suffix, then the
// fields in order, without spans and zero values. Field names stand before values that are not
// the first of their kind, so that little is ambiguous.
func sexpr(v any) string {
	var b strings.Builder
	writeSexpr(&b, reflect.ValueOf(v))
	return b.String()
}

func writeSexpr(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface:
		writeSexpr(b, v.Elem())
	case reflect.Pointer:
		if n, ok := v.Interface().(*big.Int); ok {
			b.WriteString(n.String())
			return
		}
		writeSexpr(b, v.Elem())
	case reflect.Slice:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(' ')
			}
			if e := v.Index(i); e.Kind() == reflect.Interface && e.IsNil() {
				b.WriteString("nil")
			} else {
				writeSexpr(b, e)
			}
		}
		b.WriteByte(']')
	case reflect.Struct:
		name := v.Type().Name()
		for _, suffix := range []string{"Expr", "Lit", "Stmt", "Pattern"} {
			name = strings.TrimSuffix(name, suffix)
		}
		if name == "Name" {
			b.WriteString(v.FieldByName("Name").String())
			return
		}
		b.WriteByte('(')
		b.WriteString(name)
		for i := range v.NumField() {
			f := v.Field(i)
			if f.Type() == reflect.TypeFor[Span]() || f.IsZero() {
				continue
			}
			b.WriteByte(' ')
			b.WriteString(v.Type().Field(i).Name)
			b.WriteByte('=')
			writeSexpr(b, f)
		}
		b.WriteByte(')')
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	case reflect.Uint8:
		if s, ok := v.Interface().(fmt.Stringer); ok {
			b.WriteString(s.String())
			return
		}
		fmt.Fprint(b, v.Uint())
	default:
		fmt.Fprint(b, v.Interface())
	}
}

func parseOK(tb testing.TB, src string) *File {
	tb.Helper()
	f, err := Parse("x.py", []byte(src))
	if err != nil {
		tb.Fatalf("%.200q: %d:%d: %v", src, err.(*SyntaxError).Pos.Line, err.(*SyntaxError).Pos.Col, err)
	}
	return f
}

// checkStmts parses sources and compares the sexpr of what was read.
func checkStmts(t *testing.T, tests [][2]string) {
	t.Helper()
	for _, tt := range tests {
		f, err := Parse("x.py", []byte(tt[0]))
		if err != nil {
			t.Errorf("%q: %v", tt[0], err)
			continue
		}
		if got := strings.TrimSuffix(strings.TrimPrefix(sexpr(f.Body), "["), "]"); got != tt[1] {
			t.Errorf("%q\n got %s\nwant %s", tt[0], got, tt[1])
		}
	}
}

// checkExprs is checkStmts for expressions.
func checkExprs(t *testing.T, tests [][2]string) {
	t.Helper()
	for i := range tests {
		tests[i][1] = "(Expr X=" + tests[i][1] + ")"
	}
	checkStmts(t, tests)
}

// TestNew covers what no CPython older than 3.12 can be asked about. TestCPython covers the rest.
func TestNew(t *testing.T) {
	checkStmts(t, [][2]string{
		// PEP 695, 696
		{"type X = int\n", `(TypeAlias Name=X X=int)`},
		{"type X[T: int = str, *Ts = *a, **P] = T\n", `(TypeAlias Name=X TypeParams=[(TypeParam Name="T" Bound=int Default=str) (TypeParam Stars=1 Name="Ts" Default=(Star X=a)) (TypeParam Stars=2 Name="P")] X=T)`},
		{"type = 1\n", `(Assign Targets=[type] X=(Int Value=1))`},
		{"type(x)\n", `(Expr X=(Call Fn=type Args=[x]))`},
		{"def f[T](): pass\n", `(Func Name="f" TypeParams=[(TypeParam Name="T")] Body=[(Pass)])`},
		{"class C[T](B): pass\n", `(Class Name="C" TypeParams=[(TypeParam Name="T")] Bases=[B] Body=[(Pass)])`},
		// PEP 758
		{"try: a\nexcept A, B, C: b\n", `(Try Body=[(Expr X=a)] Handlers=[(Handler Type=(Tuple Elts=[A B C]) Body=[(Expr X=b)])])`},
		{"try: a\nexcept A, b.C: b\n", `(Try Body=[(Expr X=a)] Handlers=[(Handler Type=(Tuple Elts=[A (Attr X=b Name="C")]) Body=[(Expr X=b)])])`},
		{"try: a\nexcept A, B: b\n", `(Try Body=[(Expr X=a)] Handlers=[(Handler Type=(Tuple Elts=[A B]) Body=[(Expr X=b)])])`},
		{"try: a\nexcept* A, b: b\n", `(Try Body=[(Expr X=a)] Handlers=[(Handler Type=(Tuple Elts=[A b]) Body=[(Expr X=b)])] Star=true)`},
	})
	checkExprs(t, [][2]string{
		// PEP 701
		{"f'{a['b']}'\n", `(FString Parts=[(Format X=(Index X=a Index=(String Value="b")) Text="a['b']")])`},
		{"f'{f'{f'{1}'}'}'\n", `(FString Parts=[(Format X=(FString Parts=[(Format X=(FString Parts=[(Format X=(Int Value=1) Text="1")]) Text="f'{1}'")]) Text="f'{f'{1}'}'")])`},
		{"f'{a # }\n}'\n", `(FString Parts=[(Format X=a Text="a")])`},
		{"f'{a:{b}{c:d}}'\n", `(FString Parts=[(Format X=a Text="a" Spec=(FString Parts=[(Format X=b Text="b") (Format X=c Text="c" Spec=(FString Parts=[(String Value="d")]))]))])`},
		{"f'{a:\\n}'\n", `(FString Parts=[(Format X=a Text="a" Spec=(FString Parts=[(String Value="\n")]))])`},
		{"f'{a=}{b = !s}{c=:>4}'\n", `(FString Parts=[(String Value="a=") (Format X=a Text="a" Conversion=114) (String Value="b = ") (Format X=b Text="b" Conversion=115) (String Value="c=") (Format X=c Text="c" Spec=(FString Parts=[(String Value=">4")]))])`},
		{"f'{a != b}{a!=b!r}'\n", `(FString Parts=[(Format X=(Compare X=a Ops=[!=] Ys=[b]) Text="a != b") (Format X=(Compare X=a Ops=[!=] Ys=[b]) Text="a!=b" Conversion=114)])`},
		{"f'{x:=5}{(x:=5)}'\n", `(FString Parts=[(Format X=x Text="x" Spec=(FString Parts=[(String Value="=5")])) (Format X=(Walrus Target=x X=(Int Value=5)) Text="(x:=5)")])`},
		{"'a' f'b{{{c}}}' r'\\d' 'e'\n", `(FString Parts=[(String Value="ab{") (Format X=c Text="c") (String Value="}\\de")])`},
		{"f'{{}}'\n", `(FString Parts=[(String Value="{}")])`},
		{"f'\\N{EM DASH}{a}'\n", `(FString Parts=[(String Value="—") (Format X=a Text="a")])`},
		{"rf'\\N{a}'\n", `(FString Parts=[(String Value="\\N") (Format X=a Text="a")])`},
		{"f'\\{a}'\n", `(FString Parts=[(String Value="\\") (Format X=a Text="a")])`},
		{"f'{lambda_}{a[b:c]}{ {1: 2}[1] }'\n", `(FString Parts=[(Format X=lambda_ Text="lambda_") (Format X=(Index X=a Index=(Slice Lower=b Upper=c)) Text="a[b:c]") (Format X=(Index X=(Dict Keys=[(Int Value=1)] Values=[(Int Value=2)]) Index=(Int Value=1)) Text="{1: 2}[1]")])`},
		{"f'''{\na\n}'''\n", `(FString Parts=[(Format X=a Text="a")])`},
		{"f'{a#b\n=}'\n", `(FString Parts=[(String Value="a#b\n=" Unresolved=true) (Format X=a Text="a" Conversion=114)])`},
		// PEP 750
		{"t'a{b!r:c}'\n", `(FString Parts=[(String Value="a") (Format X=b Text="b" Conversion=114 Spec=(FString Parts=[(String Value="c")]))] Template=true)`},
	})
}

// TestPython2 covers what CPython 3 cannot be asked about.
func TestPython2(t *testing.T) {
	checkStmts(t, [][2]string{
		{"print\n", `(Expr X=print)`},
		{"print 'a'\n", `(Print Xs=[(String Value="a")])`},
		{"print a, b,\n", `(Print Xs=[a b] NoNewline=true)`},
		{"print >>f, a\n", `(Print Dest=f Xs=[a])`},
		{"print >>f\n", `(Print Dest=f)`},
		{"print('a')\n", `(Expr X=(Call Fn=print Args=[(String Value="a")]))`},
		{"print -1\n", `(Expr X=(Bin Op=- X=print Y=(Int Value=1)))`},
		{"print.x = 1\n", `(Assign Targets=[(Attr X=print Name="x")] X=(Int Value=1))`},
		{"exec 'a'\n", `(Exec X=(String Value="a"))`},
		{"exec a in b, c\n", `(Exec X=a Globals=b Locals=c)`},
		{"exec (a) in b\n", `(Exec X=a Globals=b)`},
		{"exec(a, b)\n", `(Expr X=(Call Fn=exec Args=[a b]))`},
		{"raise E, 'm', tb\n", `(Raise X=E Arg=(String Value="m") Traceback=tb)`},
		{"try: a\nexcept E, e: b\n", `(Try Body=[(Expr X=a)] Handlers=[(Handler Type=E Name="e" Comma=true Body=[(Expr X=b)])])`},
		{"try: a\nexcept (E, F), e: b\n", `(Try Body=[(Expr X=a)] Handlers=[(Handler Type=(Tuple Elts=[E F]) Name="e" Comma=true Body=[(Expr X=b)])])`},
		{"try: a\nexcept E, (n, m): b\n", `(Try Body=[(Expr X=a)] Handlers=[(Handler Type=E Target=(Tuple Elts=[n m]) Comma=true Body=[(Expr X=b)])])`},
		{"def f(a, (b, c)=d): pass\n", `(Func Name="f" Params=[(Param Kind=1 Name="a") (Param Kind=1 Tuple=(Tuple Elts=[b c]) Default=d)] Body=[(Pass)])`},
		{"async = 1\nawait = async\n", `(Assign Targets=[async] X=(Int Value=1)) (Assign Targets=[await] X=async)`},
		{"nonlocal = 1\n", `(Assign Targets=[nonlocal] X=(Int Value=1))`},
		{"from a import async, print\n", `(ImportFrom Module="a" Names=[(Alias Name="async") (Alias Name="print")])`},
	})
	checkExprs(t, [][2]string{
		{"a.True\n", `(Attr X=a Name="True")`},
		{"[a for a in b, lambda: c]\n", `(Comp X=a Fors=[(CompFor Target=a Iter=(Tuple Elts=[b (Lambda Body=c)]))])`},
		{"`a, b`\n", `(Repr X=(Tuple Elts=[a b]))`},
		{"0777\n", `(Int Value=511)`},
		{"10L\n", `(Int Value=10)`},
		{"0xFFl\n", `(Int Value=255)`},
		{"a <> b\n", `(Compare X=a Ops=[!=] Ys=[b])`},
		{"ur'\\u00e9\\n'\n", `(String Value="é\\n" Unicode=true)`},
		{"'\\users'\n", `(String Value="\\users")`},
		{"lambda (a, b): a\n", `(Lambda Params=[(Param Kind=1 Tuple=(Tuple Elts=[a b]))] Body=a)`},
		{"[x for x in 1, 2]\n", `(Comp X=x Fors=[(CompFor Target=x Iter=(Tuple Elts=[(Int Value=1) (Int Value=2)]))])`},
		{"f(async=True)\n", `(Call Fn=f Keywords=[(Keyword Name="async" X=(Bool Value=true))])`},
	})
	for src, want := range map[string]bool{"print x": true, "0777": true, "a <> b": true, "print(x)": false, "0": false, "00": false} {
		if f := parseOK(t, src); f.Python2 != want {
			t.Errorf("%q: Python2 is %t", src, f.Python2)
		}
	}
}

// TestLiterals checks values that are easy to get wrong.
func TestLiterals(t *testing.T) {
	checkExprs(t, [][2]string{
		{`'\ud800'`, `(String Value="\xed\xa0\x80")`},
		{`'\U0001F600'`, `(String Value="😀")`},
		{`'\N{LATIN SMALL LETTER A WITH ACUTE}b'`, `(String Value="` + "\ufffd" + `b" Unresolved=true)`},
		{`'\N{degree sign}'`, `(String Value="°")`},
		{`'\x41\101\8\q'`, `(String Value="AA\\8\\q")`},
		{`b'\xff\u00e9\377'`, `(Bytes Value="\xff\\u00e9\xff")`},
		{`rb'\x'`, `(Bytes Value="\\x")`},
		{"'a\\\nb'", `(String Value="ab")`},
		{"'''a\r\nb\rc'''", `(String Value="a\nb\nc")`},
		{`u'a' 'b'`, `(String Value="ab" Unicode=true)`},
		{`9223372036854775808`, `(Int Big=9223372036854775808)`},
		{`1_000`, `(Int Value=1000)`},
		{`0x_ff`, `(Int Value=255)`},
		{`1e400`, `(Float Value=+Inf)`},
		{`1_0.5e-1_0`, `(Float Value=1.05e-09)`},
		{`09.5`, `(Float Value=9.5)`},
		{`08j`, `(Imag Value=8)`},
		{`.5J`, `(Imag Value=0.5)`},
		{`1if a else 2`, `(Cond Cond=a Then=(Int Value=1) Else=(Int Value=2))`},
		{`1 .real`, `(Attr X=(Int Value=1) Name="real")`},
	})
}

// TestErrors checks that what is not Python is refused, at the right place.
func TestErrors(t *testing.T) {
	tests := []struct {
		src       string
		line, col int
		msg       string
	}{
		{"a b", 1, 3, "invalid syntax"},
		{"x = (1,\n", 2, 1, "not closed"},
		{")", 1, 1, "unmatched"},
		{"(]", 1, 2, "invalid syntax"},
		{"x = 'abc\n", 1, 5, "unterminated"},
		{"x = '''abc\n", 1, 5, "unterminated"},
		{"f'{a'", 1, 5, "unterminated"},
		{"f'}'", 1, 3, "single '}'"},
		{"f'{a:{b}{{c}}'", 1, 9, "versions"},
		{"f'{}'", 1, 4, "invalid syntax"},
		{"f'{a!x}'", 1, 7, "conversion"},
		{"if a:\npass\n", 2, 1, "indented block"},
		{"if a:\n    b\n  c\n", 3, 3, "unindent"},
		{"if a:\n\tb\n        c\n", 3, 9, "tabs"},
		{" a\n", 1, 2, "unexpected indent"},
		{"a\x00b", 1, 2, "NUL"},
		{"a\n\xff", 2, 1, "UTF-8"},
		{"# coding: rot13\na", 1, 1, "encoding"},
		{"\xef\xbb\xbf# coding: latin-1\n", 1, 1, "byte order mark"},
		{"\nx = '\\x4'\n", 2, 6, `\x`},
		{"u'\\u12'", 1, 3, "Unicode"},
		{"b'é'", 1, 3, "ASCII"},
		{"'a' b'b'", 1, 1, "mix"},
		{"a $ b", 1, 3, "invalid character"},
		{"a ? b", 1, 3, "invalid character"},
		{"a !b", 1, 3, "invalid character"},
		{"1__0", 1, 1, "invalid number"},
		{"1abc", 1, 1, "invalid number"},
		{"0x", 1, 1, "invalid number"},
		{"0999", 1, 1, "invalid number"},
		{"a \\ b", 1, 3, "after \\"},
		{"\\", 1, 1, "after \\"},
		{"ﬁ = 1", 1, 1, "NFKC"},
		{"a\u00a0= 1", 1, 2, "invalid character"},
		{"def f(:): pass", 1, 7, "expected a name"},
		{"try: a\n", 2, 1, "expected 'except'"},
		{"@a\nb\n", 2, 1, "expected a function or class"},
		{"match a:\n  case 1 + : pass\n", 2, 12, "invalid syntax"},
		{"(*a)", 1, 4, "starred"},
		{"async x", 1, 7, "invalid syntax"},
		{"else: pass", 1, 1, "invalid syntax"},
		{"import", 1, 7, "expected a name"},
		{"f(a for a in b c)", 1, 16, "')'"},
	}
	for _, tt := range tests {
		f, err := Parse("dir/x.py", []byte(tt.src))
		if err == nil {
			t.Errorf("%q: no error, but %s", tt.src, sexpr(f.Body))
			continue
		}
		want := Pos{File: "dir/x.py", Line: tt.line, Col: tt.col}
		if pos := err.(*SyntaxError).Pos; pos != want || !strings.Contains(err.Error(), tt.msg) {
			t.Errorf("%q: got %v at %d:%d, want %q at %d:%d", tt.src, err, pos.Line, pos.Col, tt.msg, tt.line, tt.col)
		}
		if f != nil {
			t.Errorf("%q: a file beside an error", tt.src)
		}
	}
}

// TestDecode checks encodings, byte order marks and line ends.
func TestDecode(t *testing.T) {
	tests := [][2]string{
		{"\xef\xbb\xbfx = 'é'", "é"},
		{"\xef\xbb\xbf# coding: utf-8\nx = 'é'", "é"},
		{"# -*- coding: latin-1 -*-\nx = '\xe9'", "é"},
		{"#!/usr/bin/python\n# vim: set fileencoding=iso-8859-15 :\nx = '\xa4'", "€"},
		{"\n# coding=cp1252\nx = '\x80\xe9'", "€é"},
		{"# coding: ascii\nx = 'a'", "a"},
		{"# coding: koi8-r\nx = 'a'", "a"},
		{"#\r# coding: latin-1\rx = '\xe9'", "é"},
		{"x = 1\n\n# coding: latin-1\nx = 'é'", "é"},
		{"x = 1\n# coding: latin-1\nx = 'é'", "é"},
		{"\x0cx = 'a'\n\x0c\nif x:\n\x0c  x\n", "a"},
		{"if 1:\r\tx = 'b'\r\n\tx = 'a'\r", ""},
	}
	for _, tt := range tests {
		f := parseOK(t, tt[0])
		got := ""
		for _, s := range f.Body {
			if s, ok := s.(*AssignStmt); ok {
				if x, ok := s.X.(*StringLit); ok {
					got = x.Value
				}
			}
		}
		if got != tt[1] {
			t.Errorf("%q: got %q, want %q", tt[0], got, tt[1])
		}
	}
	f := parseOK(t, "a\r\nb\rc\n  ")
	for i, want := range []Pos{{"x.py", 1, 1}, {"x.py", 2, 1}, {"x.py", 3, 1}} {
		if got := f.Pos(f.Body[i]); got != want {
			t.Errorf("statement %d is at %v, want %v", i, got, want)
		}
	}
	if got, want := f.PosAt(len(f.Source)), (Pos{"x.py", 4, 3}); got != want {
		t.Errorf("the end is at %v, want %v", got, want)
	}
}

// TestWalk checks that Walk finds every node that reflection finds.
func TestWalk(t *testing.T) {
	for name, src := range corpus(t) {
		f := parseOK(t, string(src))
		walked := 0
		for _, s := range f.Body {
			Walk(s, func(Node) bool {
				walked++
				return true
			})
		}
		if n := countNodes(reflect.ValueOf(f.Body)); walked != n {
			t.Errorf("%s: Walk visits %d nodes of %d", name, walked, n)
		}
	}
	Walk(nil, func(Node) bool { panic("nil is visited") })
}

func countNodes(v reflect.Value) int {
	n := 0
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.Type() != reflect.TypeFor[*big.Int]() && !v.IsNil() {
			n = countNodes(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			n += countNodes(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[Span]() {
			return 0
		}
		n = 1
		for i := range v.NumField() {
			n += countNodes(v.Field(i))
		}
	}
	return n
}

func BenchmarkParse(b *testing.B) {
	for name, src := range corpus(b) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse("x.py", src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
