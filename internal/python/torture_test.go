package python

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// height returns the height of a tree. It recurses as any reader of a tree may.
func height(n Node) int {
	h := 0
	Walk(n, func(c Node) bool {
		if c == n {
			return true
		}
		h = max(h, height(c))
		return false
	})
	return h + 1
}

// TestTorture feeds hostile sources. Each must be read or refused, in little time and memory
// and without exhausting the stack; ok says which.
func TestTorture(t *testing.T) {
	const n = 100_000
	rep := strings.Repeat
	elif := "if a:\n  b\n" + rep("elif a:\n  b\n", n)
	deepIf := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(rep(" ", i) + "if a:\n")
		}
		b.WriteString(rep(" ", n) + "a\n")
		return b.String()
	}
	tests := []struct {
		name, src string
		ok        bool
	}{
		{"parentheses 150", rep("(", 150) + "a" + rep(")", 150), true},
		{"parentheses", rep("(", n) + "a" + rep(")", n), false},
		{"open parentheses", rep("(", n), false},
		{"brackets", rep("[", n) + rep("]", n), false},
		{"braces", rep("{", n) + rep("}", n), false},
		{"dictionaries", rep("{a:", n) + "a" + rep("}", n), false},
		{"calls", rep("a(", n) + rep(")", n), false},
		{"subscripts", rep("a[", n) + "a" + rep("]", n), false},
		{"lambdas", rep("lambda:", n) + "a", false},
		{"conditions", rep("a if a else ", n) + "a", false},
		{"not", rep("not ", n) + "a", false},
		{"minus", rep("-", n) + "a", false},
		{"power", rep("a**", n) + "a", false},
		{"await", rep("await ", n) + "a", false},
		{"backticks", rep("`", n), false},
		{"yield", rep("(yield ", n) + rep(")", n), false},
		{"star", "[" + rep("*", n) + "a]", false},
		{"print", rep("print ", n) + "a", false},
		{"walrus", rep("(a:=", n) + "a" + rep(")", n), false},
		{"comprehensions", rep("[a for a in ", n) + "a" + rep("]", n), false},
		{"f-strings", rep("f'{", n) + "a" + rep("}'", n), false},
		{"f-strings 100", rep("f'{", 100) + "a" + rep("}'", 100), true},
		{"format specs", "f'" + rep("{a:", n) + rep("}", n) + "'", false},
		{"group patterns", "match a:\n case " + rep("(", n) + "a" + rep(")", n) + ": pass", false},
		{"class patterns", "match a:\n case " + rep("a(", n) + rep(")", n) + ": pass", false},
		{"mapping patterns", "match a:\n case " + rep("{1:", n) + "a" + rep("}", n) + ": pass", false},
		{"tuple parameters", "def f(" + rep("(", n) + "a" + rep(")", n) + "): pass", false},
		{"indentation 90", deepIf(90), true},
		{"indentation", deepIf(1000), false},
		{"attributes 5000", "a" + rep(".a", 5000), true},
		{"attributes", "a" + rep(".a", n), false},
		{"call chain", "a" + rep("()", n), false},
		{"sums 5000", "a" + rep("+a", 5000), true},
		{"sums", "a" + rep("+a", n), false},
		{"nested sums", rep("(", 500) + "a" + rep(rep("+a", 1000)+")", 500), false},
		{"string sums", "'a'" + rep("\\\n+'a'", n), false},
		{"dotted patterns", "match a:\n case a" + rep(".a", n) + ": pass", false},
		{"elif", elif, false},
		{"nested elif", "if a:\n  b\n" + rep("elif a:\n  b\n", 4000) + "else:\n " +
			strings.ReplaceAll("if a:\n  b\n"+rep("elif a:\n  b\n", 7000), "\n", "\n "), false},

		// Long, but not deep.
		{"or", "a" + rep(" or a", n), true},
		{"comparisons", "a" + rep(" < a", n), true},
		{"or of comparisons", "a" + rep(" or a.b == a", n), true},
		{"tuple", rep("a,", n), true},
		{"list of sums", "[" + rep("a+a.a,", n) + "]", true},
		{"strings", rep("'a' ", n), true},
		{"f-string parts", "f'" + rep("{a}", n) + "'", true},
		{"f-string concatenation", rep("f'{a}b' ", n), true},
		{"braces in an f-string", "f'" + rep("{{", n) + "'", true},
		{"assignments", rep("a=", n) + "a", true},
		{"statements", rep("a;", n), true},
		{"ifs", rep("if a: b\nelif c: d\n", n), true},
		{"decorators", rep("@a\n", n) + "def f(): pass", true},
		{"parameters", "def f(" + rep("a,", n) + "): pass", true},
		{"slashes", "def f(" + rep("a,/,", 1000) + "): pass", true},
		{"dots", "from " + rep(".", n) + " import a", true},
		{"dotted import", "import a" + rep(".a", n), true},
		{"dotted import with spaces", "import a" + rep(" . a", 10_000), true},
		{"blank lines", rep("\n", n), true},
		{"comments", rep("#\n", n), true},
		{"continuation lines", rep("\\\n", n) + "a", true},
		{"continued blank lines", rep(" \\\n\n", n), true},
		{"match as a name", rep("match(a)\n", n), true},
		{"match lines", rep("match a, ", n), false},
		{"with parentheses", rep("with (a): pass\n", n), true},
		{"with matching", "with (" + rep("(", n) + rep(")", n) + "): pass", false},
		{"long name", rep("a", 1_000_000), true},
		{"long string", "'" + rep("\\n", 1_000_000) + "'", true},
		{"long number", rep("1", 1_000_000), false},
		{"long hexadecimal", "0x" + rep("f", 1_000_000), false},
		{"long float", rep("1", 1_000_000) + ".0", true},
		{"long exponent", "1e" + rep("9", 1_000_000), true},
		{"named characters", "'" + rep(`\N{`, n) + "'", true},
		{"named characters in an f-string", "f'" + rep(`\N{`, n) + "'", false},
		{"named characters without end", "f'" + rep(`\N{"`, n) + "'", false},
		{"nul", rep("\x00", n), false},
		{"invalid UTF-8", rep("\xff", n), false},
		{"cookies", "#" + rep("coding", n), true},
		{"carriage returns", rep("\r", n), true},
		{"too large", rep("a\n", MaxSize/2+1), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			f, err := Parse("x.py", []byte(tt.src))
			if d := time.Since(start); d > 60*time.Second {
				t.Errorf("took %v", d)
			}
			if (err == nil) != tt.ok {
				t.Errorf("got error %v", err)
			}
			if f != nil {
				for _, s := range f.Body {
					if h := height(s); h > MaxDepth {
						t.Errorf("the tree is %d high", h)
						break
					}
				}
			}
		})
	}
}

// TestLargest reads sources of the largest size allowed that make the most of it, and holds
// the parser to what MaxSize says about memory.
func TestLargest(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, NOT TESTED: -short")
	}
	for _, unit := range []string{"a,", "a;", "a\n", "-a,", "f'{a}',", "()()", "[],", "x\ny=1\n", "'\\n' "} {
		src := []byte(strings.Repeat(unit, MaxSize/len(unit)))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err := Parse("x.py", src)
		d := time.Since(start)
		runtime.ReadMemStats(&after)
		msg := fmt.Sprintf("%q: %v, %d bytes allocated per byte, error %v", unit, d.Round(time.Millisecond),
			(after.TotalAlloc-before.TotalAlloc)/MaxSize, err)
		t.Log(msg)
		if d > 3*time.Minute { // seconds, unless the race detector and others take their part
			t.Error(msg)
		}
	}
}
