package python

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

var progSeeds = flag.Uint64("prog-seeds", 400, "number of random programs of TestPrograms")

// progen writes random programs that always end, print the same each time, and use most of
// the language. Many of their expressions raise: which exception is part of what is compared.
type progen struct {
	r      *rand.Rand
	b      strings.Builder
	indent int
	vars   []string // names that are bound, perhaps only on some paths
	names  int
	inLoop bool
	inFunc bool
}

// program returns a program of about n statements.
func program(r *rand.Rand, n int) string {
	g := &progen{r: r, vars: []string{"v0"}}
	g.line("import functools, itertools, collections")
	g.line("v0 = %s", g.literal())
	g.line("class Ctx:")
	g.line("    def __init__(self, swallow): self.swallow = swallow")
	g.line("    def __enter__(self): print('enter'); return self.swallow")
	g.line("    def __exit__(self, kind, value, tb): print('exit', kind and kind.__name__); return self.swallow")
	g.line("def name(exc): return 'NameError' if isinstance(exc, NameError) else type(exc).__name__")
	g.line("ticks = 0")
	g.line("def tick():")
	g.line("    global ticks")
	g.line("    ticks += 1")
	g.line("    if ticks > 200: raise RecursionError('too long')")
	g.line("try:")
	g.indent++
	for range n {
		g.stmt(3)
	}
	for _, v := range g.vars {
		g.guarded("print(%q, repr(%s)[:300])", v, v)
	}
	g.indent--
	g.line("except Exception as exc:")
	g.line("    print('ended by', name(exc))")
	return g.b.String()
}

func (g *progen) line(format string, args ...any) {
	g.b.WriteString(strings.Repeat("    ", g.indent))
	fmt.Fprintf(&g.b, format, args...)
	g.b.WriteByte('\n')
}

// guarded writes a statement in a try that prints the name of what it raises.
func (g *progen) guarded(format string, args ...any) {
	g.line("try:")
	g.indent++
	g.line(format, args...)
	g.indent--
	g.line("except Exception as exc:")
	g.line("    print(name(exc))")
}

func (g *progen) pick(list ...string) string { return list[g.r.IntN(len(list))] }

func (g *progen) fresh() string {
	g.names++
	return fmt.Sprintf("v%d", g.names)
}

func (g *progen) variable() string { return g.vars[g.r.IntN(len(g.vars))] }

// target returns a name to assign to, and makes it known.
func (g *progen) target() string {
	if g.r.IntN(3) == 0 {
		return g.variable()
	}
	v := g.fresh()
	g.vars = append(g.vars, v)
	return v
}

func (g *progen) block(depth int, before ...string) {
	g.indent++
	for _, s := range before {
		g.line("%s", s)
	}
	for range 1 + g.r.IntN(3) {
		g.stmt(depth - 1)
	}
	g.indent--
}

func (g *progen) stmt(depth int) {
	k := g.r.IntN(20)
	if depth <= 0 && k > 8 {
		k = g.r.IntN(9)
	}
	switch k {
	case 0, 1, 2:
		// What is large is cut back, or loops would double it without end.
		x := g.expr(3)
		g.guarded("big = %s; %s = big if len(repr(big)) < 200 else 0", x, g.target())
	case 3, 4:
		g.guarded("print(repr(%s)[:500])", g.expr(3))
	case 5:
		v := g.variable()
		g.guarded("if len(repr(%s)) < 200: %s %s= %s", v, v, g.pick("+", "-", "*", "//", "%", "|", "&", "^"), g.expr(2))
	case 6:
		x := g.expr(2)
		g.guarded("%s, %s%s = %s", g.target(), g.pick("", "*"), g.target(), x)
	case 7:
		g.guarded("%s", g.pick(
			g.variable()+".append(repr("+g.expr(1)+")[:20])",
			g.variable()+"["+g.expr(1)+"] = "+g.literal(),
			g.variable()+".update("+g.literal()+")",
			"del "+g.variable()+"["+g.expr(1)+"]",
			g.variable()+"["+g.slice()+"] = "+g.literal(),
			"assert "+g.expr(1)+", "+g.expr(1)))
	case 8:
		switch {
		case g.inLoop:
			g.line("if %s: %s", g.cond(), g.pick("break", "continue"))
		case g.inFunc:
			g.guarded("return %s", g.expr(2))
		default:
			g.guarded("raise %s(%s)", g.pick("ValueError", "KeyError", "RuntimeError"), g.expr(1))
		}
	case 9, 10:
		g.line("if %s:", g.cond())
		g.block(depth)
		if g.r.IntN(2) == 0 {
			g.line("elif %s:", g.cond())
			g.block(depth)
		}
		if g.r.IntN(2) == 0 {
			g.line("else:")
			g.block(depth)
		}
	case 11, 12:
		v := g.fresh()
		g.line("for %s in %s:", v, g.pick("range("+fmt.Sprint(g.r.IntN(5))+")", g.sequence(), "enumerate("+g.sequence()+")",
			"zip("+g.sequence()+", "+g.sequence()+")", "reversed("+g.sequence()+")"))
		g.vars = append(g.vars, v)
		g.loop(depth)
	case 13:
		v := g.fresh()
		g.line("%s = 0", v)
		g.line("while %s < %d and %s:", v, 1+g.r.IntN(4), g.cond())
		g.loop(depth, v+" += 1")
	case 14, 15:
		g.function(depth)
	case 16:
		g.class(depth)
	case 17:
		g.line("try:")
		g.block(depth)
		g.line("except (%s, %s) as exc:", g.pick("ValueError", "KeyError", "LookupError"), g.pick("TypeError", "AttributeError"))
		g.block(depth, "print('caught', name(exc))")
		if g.r.IntN(2) == 0 {
			g.line("else:")
			g.block(depth)
		}
		g.line("finally:")
		g.indent++
		g.line("print('finally')")
		g.indent--
	case 18:
		g.line("with Ctx(%s) as %s:", g.pick("True", "False"), g.target())
		g.block(depth)
	case 19:
		g.match(depth)
	}
}

func (g *progen) loop(depth int, before ...string) {
	was := g.inLoop
	g.inLoop = true
	g.block(depth, append([]string{"tick()"}, before...)...)
	g.inLoop = was
	if g.r.IntN(3) == 0 {
		g.line("else:")
		g.block(depth)
	}
}

// function writes a function, or a generator, and calls of it.
func (g *progen) function(depth int) {
	name := "f" + g.fresh()
	gen := g.r.IntN(4) == 0
	outer, wasLoop, wasFunc := g.vars, g.inLoop, g.inFunc
	g.line("def %s(a, b=%s, *args, c=%s, **kw):", name, g.literal(), g.literal())
	g.vars = append(append([]string{}, outer...), "a", "b", "args", "c", "kw")
	g.inLoop, g.inFunc = false, true
	g.block(depth, "tick()")
	g.indent++
	if gen {
		g.line("yield from (a, b)")
		g.guarded("yield %s", g.expr(2))
	} else {
		g.line("return %s", g.pick("a", "b", "args", "c", "sorted(kw)", "lambda x=a: (x, b)"))
	}
	g.indent--
	g.vars, g.inLoop, g.inFunc = outer, wasLoop, wasFunc
	for range 1 + g.r.IntN(2) {
		call := fmt.Sprintf("%s(%s)", name, g.pick(g.expr(1), g.expr(1)+", "+g.expr(1), g.expr(1)+", *"+g.sequence(), "b="+g.expr(1),
			g.expr(1)+", c="+g.expr(1)+", d="+g.expr(1), "*"+g.sequence()+", **{'c': 1, 'e': 2}", "1, a=2"))
		if gen {
			g.guarded("print(list(%s))", call)
		} else {
			g.guarded("x = %s; print(repr(x() if callable(x) else x))", call)
		}
	}
}

// class writes a class and its subclass, and uses them.
func (g *progen) class(depth int) {
	name := "C" + g.fresh()
	g.line("class %s:", name)
	g.line("    attr = %s", g.literal())
	g.line("    def __init__(self, x=%s): self.x = x", g.literal())
	g.line("    def __repr__(self): return '%s(%%r)' %% (self.x,)", name)
	g.line("    def __eq__(self, o): return isinstance(o, %s) and self.x == o.x", name)
	g.line("    def __%s__(self, o): tick(); return ('%[1]s', self.x, o)", g.pick("add", "radd", "mul", "getitem", "lt", "contains"))
	g.line("    @property")
	g.line("    def p(self): return (self.attr, self.x)")
	g.line("    @classmethod")
	g.line("    def make(cls, *args): return cls(args)")
	g.line("    @staticmethod")
	g.line("    def s(a): return [a]")
	g.line("class %sb(%s):", name, name)
	g.line("    %s", g.pick("pass", "attr = 'sub'", "def __init__(self, x=1, y=2): super().__init__((x, y))", "p = 'shadow'"))
	for range 2 {
		x := fmt.Sprintf("%s%s(%s)", name, g.pick("", "b"), g.pick("", g.expr(1)))
		g.guarded("print(%s)", g.pick(x, x+".p", x+".make(1, 2)", x+".s(3)", x+" + 1", "1 + "+x, x+"[0]", x+" == "+x, "getattr("+x+", 'zz', 5)",
			x+".zz", "hasattr("+x+", 'x'), "+name+".attr", "1 in "+x, x+" < 2", "type("+x+").__name__", "isinstance("+x+", "+name+")"))
	}
	v := g.target()
	g.guarded("%s = %s(%s)", v, name, g.expr(1))
}

func (g *progen) match(depth int) {
	g.line("match %s:", g.expr(2))
	g.indent++
	for range 1 + g.r.IntN(3) {
		v := g.fresh()
		g.line("case %s%s:", g.pick("0 | 1", "'a'", "None", "[]", "["+v+"]", "["+v+", *_]", "{'a': "+v+"}", "{'a': 1, **"+v+"}", "int("+v+")",
			"str() | bool()", "(1 | 2) as "+v, "[_, _]", "-1", "list() | tuple()"), g.pick("", "", " if "+g.cond()))
		g.block(depth)
	}
	if g.r.IntN(2) == 0 {
		g.line("case _:")
		g.block(depth)
	}
	g.indent--
}

func (g *progen) literal() string {
	return g.pick("0", "1", "-1", "2", "7", "10", "True", "False", "None", "''", "'a'", "'ab c'", "'é'", "b'x'", "1.5", "-0.25", "()", "(1,)", "(1, 'a')",
		"[]", "[1, 2, 3]", "['b', 'a']", "{}", "{'a': 1}", "{1: 'x', 'a': [2]}", "{1}", "range(3)", "12345678901234567890", "'%s-%d'", "'{} {a}'")
}

// sequence returns something that can be iterated in a defined order.
func (g *progen) sequence() string {
	return g.pick("[]", "[1, 2, 3]", "('a', 'b')", "'abc'", "[(1, 2), (3, 4)]", "[None, 0, 'x']", "range(1, 6, 2)", "[3, 1, 2]", "[True, 2.5]")
}

func (g *progen) slice() string {
	n := func() string { return g.pick("", "0", "1", "-1", "2", "-3", "9") }
	return n() + ":" + n() + g.pick("", "", ":-1", ":2")
}

func (g *progen) cond() string {
	x, y := g.variable(), g.literal()
	return g.pick("len(repr("+x+")) > 4", x+" == "+y, "not "+x, x+" is None", "isinstance("+x+", (int, str))", "repr("+x+") < repr("+y+")",
		x+" != "+y+" or "+g.variable(), "callable("+x+")", "True", "bool("+x+")")
}

// expr returns an expression of a depth.
func (g *progen) expr(depth int) string {
	if depth <= 0 || g.r.IntN(8) == 0 {
		if g.r.IntN(2) == 0 {
			return g.variable()
		}
		return g.literal()
	}
	x := func() string { return g.expr(depth - 1) }
	switch g.r.IntN(16) {
	case 0, 1:
		return "(" + x() + " " + g.pick("+", "-", "*", "/", "//", "%", "&", "|", "^") + " " + x() + ")"
	case 2:
		return "(" + x() + " " + g.pick("==", "!=", "<", "<=", ">", ">=", "in", "not in") + " " + x() + ")"
	case 3:
		return "(" + x() + " " + g.pick("and", "or") + " " + x() + ")"
	case 4:
		return "(" + x() + " if " + g.cond() + " else " + x() + ")"
	case 5:
		return "(" + g.pick("-", "+", "not ", "~") + "(" + x() + "))"
	case 6:
		return x() + "[" + g.pick(x(), g.slice(), g.slice()) + "]"
	case 7:
		return g.pick("["+x()+", "+x()+"]", "("+x()+", "+x()+")", "["+x()+", *"+g.sequence()+"]", "{'k': "+x()+", 'a': "+x()+"}", "{**{'a': 1}, 'b': "+x()+"}")
	case 8:
		v := g.fresh()
		in := g.sequence()
		elem := g.pick(v, "("+v+", "+g.variable()+")", "str("+v+")", v+" * 2")
		cond := g.pick("", "", " if "+v, " if "+v+" != 1")
		return g.pick("["+elem+" for "+v+" in "+in+cond+"]", "list("+elem+" for "+v+" in "+in+cond+")", "{str("+v+"): "+elem+" for "+v+" in "+in+cond+"}",
			"sorted({str("+v+") for "+v+" in "+in+"})", "["+elem+" for "+v+" in "+in+" for _ in range(2)]", "dict(("+v+", 1) for "+v+" in "+in+")")
	case 9:
		return g.pick("len", "str", "repr", "bool", "int", "list", "tuple", "sorted", "sum", "min", "max", "abs", "any", "all", "float", "dict", "ord", "callable") + "(" + x() + ")"
	case 10:
		s := g.pick("'a,b ,c'", "' Mixed Case '", "'naïve'", "''", "'a%sb'", "("+x()+")")
		return s + g.pick(".upper()", ".lower()", ".strip()", ".split()", ".split(',', 1)", ".rpartition(',')", ".replace('a', 'xy')", ".startswith(('a', ' '))",
			".join(['p', 'q'])", ".format("+x()+", a=1)", ".title()", ".zfill(9)", ".center(12, '*')", ".find('b')", ".count('a')", ".isdigit()", ".encode()",
			".splitlines()", ".index('zz')", ".capitalize()", ".partition(' ')", ".rjust(8)", ".lstrip(' a')", ".swapcase()", ".expandtabs()")
	case 11:
		return g.pick("'%s'", "'%r'", "'%d'", "'%5.2f'", "'%-6s|'", "'%05d'", "'%x'", "'%%'", "'%(a)s'") + " % " + g.pick("("+x()+",)", x(), "{'a': "+x()+"}")
	case 12:
		return `f"` + g.pick("{"+g.variable()+"}", "{"+g.variable()+"!r}", "{"+g.variable()+":>8}", "{"+g.variable()+"=}", "<{"+g.variable()+":05}>", "{"+g.variable()+":,}", "{"+g.variable()+":.2f}") + `"`
	case 13:
		return g.pick("(lambda q: q)("+x()+")", "(lambda *q, **k: (q, k))(*"+g.sequence()+")", "list(map(str, "+g.sequence()+"))", "list(filter(None, "+g.sequence()+"))",
			"sorted("+g.sequence()+", key=str, reverse=True)", "list(zip("+g.sequence()+", "+g.sequence()+"))", "dict(enumerate("+g.sequence()+"))",
			"functools.reduce(lambda p, q: str(p) + str(q), "+g.sequence()+", '')", "list(itertools.chain("+g.sequence()+", "+g.sequence()+"))",
			"next(iter("+g.sequence()+"), 'none')", "divmod("+x()+", "+x()+")", "isinstance("+x()+", "+g.pick("int", "str", "(list, tuple)", "dict")+")")
	case 14:
		d := g.pick("{'a': 1, 'b': [2]}", "{}", "("+x()+")")
		return d + g.pick(".get('a')", ".get('z', 5)", ".items()", ".keys()", "['a']", ".pop('a', None)", ".setdefault('q', [])", ".copy()", ".values()")
	}
	return "[" + x() + "].count(" + x() + ")"
}

// cpythonPrints gives what CPython prints for each of the programs.
func cpythonPrints(t *testing.T, programs []string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), findPython(t), "-I", "testdata/run_programs.py")
	cmd.Stderr = os.Stderr
	var in bytes.Buffer
	for _, p := range programs {
		if err := json.NewEncoder(&in).Encode(p); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Stdin = &in
	all, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	d := json.NewDecoder(bytes.NewReader(all))
	for range programs {
		var s string
		if err := d.Decode(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// differs tells where what the evaluator prints differs from what CPython prints: "" if nowhere. Up to the first value that it
// says it does not know both are compared; with a gap nothing is.
func differs(src, want string) (diff string, known bool) {
	var out bytes.Buffer
	ev := New(Config{FS: fstest.MapFS{"main.py": {Data: []byte(src)}}, Stdout: &out})
	defer ev.Close()
	ev.Load("main.py")
	if ev.setOrder != (Pos{}) {
		return "", false // CPython's order of a set differs from run to run
	}
	got, gaps := out.String(), ev.Gaps()
	if i := slices.IndexFunc(gaps, func(g Gap) bool { return strings.HasPrefix(g.What, "the code cannot be evaluated") }); i >= 0 {
		return gaps[i].Why, true
	}
	if len(gaps) > 0 || ev.epochs > 0 {
		return "", false // what is printed on a branch that may not be taken says nothing
	}
	known = true
	if i := strings.Index(got, "<unknown"); i >= 0 {
		got, known = got[:strings.LastIndexByte(got[:i], '\n')+1], false
		if len(want) < len(got) {
			return "CPython prints less", known
		}
		want = want[:len(got)]
	}
	if got == want {
		return "", known
	}
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d:\n got %s\nwant %s", i+1, a[i], b[i]), known
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b)), known
}

// TestPrograms runs random programs with CPython and with the evaluator: they print the same, or the evaluator says that it
// does not know. To see more of them use -prog-seeds.
func TestPrograms(t *testing.T) {
	var programs []string
	for seed := range *progSeeds {
		// Small ones first: what fails first is short.
		programs = append(programs, program(rand.New(rand.NewPCG(seed, 0)), 1+int(seed)%14))
	}
	lines, unknown, failed := 0, 0, 0
	for i, want := range cpythonPrints(t, programs) {
		lines += strings.Count(want, "\n")
		diff, known := differs(programs[i], want)
		if !known {
			unknown++
		}
		if diff == "" {
			continue
		}
		if failed++; failed <= 20 {
			t.Errorf("program %d: %s", i, diff)
			if testing.Verbose() {
				t.Log(programs[i])
			}
		}
	}
	t.Logf("%d programs print %d lines; of %d not everything is known; %d differ", len(programs), lines, unknown, failed)
	if lines < len(programs) || unknown > len(programs)/5 {
		t.Errorf("%d programs print %d lines; of %d not everything is known", len(programs), lines, unknown)
	}
}
