package python

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// TestEvalTorture runs hostile programs: each must end soon, with a gap or an exception.
func TestEvalTorture(t *testing.T) {
	for _, src := range []string{
		"while True: pass",
		"while True:\n  for i in range(10): pass",
		"x = 'x' * 10**9",
		"x = 10**10**9",
		"x = [0] * 10**9",
		"x = 1 << 10**9",
		"x = '%0999999999d' % 1",
		"x = '{:999999999}'.format(1)",
		"x = f'{1:>999999999}'",
		"x = 'a'\nwhile True: x += x",
		"x = [1]\nwhile True: x = x + x",
		"x = 2\nwhile True: x = x * x",
		"def f(): return f()\nf()",
		"f = lambda x: f(x)\nf(1)",
		"class A:\n  def __getattr__(self, n): return getattr(self, n + 'a')\nA().x",
		"class A:\n  def __repr__(self): return repr(self)\nrepr(A())",
		"class A:\n  def __eq__(self, o): return self == o\nA() == A()",
		"def g():\n  yield from g()\nlist(g())",
		"def g(n):\n  yield n\n  yield from g(n + 1)\nfor x in g(0): pass",
		"import itertools\nlist(itertools.count())",
		"import itertools\nlist(itertools.product(range(1000), repeat=10))",
		"import itertools\nsum(1 for x in itertools.cycle('ab'))",
		"l = []\nl.append(l)\nprint(repr(l), l == l)\nd = {}\nd['d'] = d\nrepr(d)\nm = []\nm.append(m)\nl == m",
		"l = [1]\nfor x in l: l.append(x)",
		"import re\nre.match('(a+)+$', 'a' * 10000 + 'b')",
		"x = 'a' * 1000000\ny = 'b'.join(x)\nwhile True: y.count('a')",
		"x = list(range(100000))\nwhile True: x.sort(key=lambda v: -v)",
		"x = tuple(range(1000))\nwhile True: x = (x, x)\n",
		"x = ()\nfor i in range(100000): x = (x,)\nhash(x)\nrepr(x)",
		"x = []\nfor i in range(100000): x = [x]\nrepr(x)\nx == x\n",
		"a = []\nb = []\nfor i in range(3000): a = [a]; b = [b]\na == b",
		"from nowhere import u\nwhile u():\n  while u():\n    while u():\n      x = u()",
		"from nowhere import u\nx = 0\nfor i in range(1000):\n  if u(i): x += 1",
		"from nowhere import u\ndef f(n):\n  if u:\n    return f(n + 1)\n  return f(n + 2)\nf(0)",
		"from nowhere import u\ndef f(n):\n  if n == 0: return 0\n  if u: return f(n - 1)\n  else: return f(n - 1)\nf(30)",
		"from nowhere import u\nfor a in range(100):\n  for b in range(100):\n    if u: break\n    if u: continue",
		"from m import x\nimport main",
		"x = type('A', (), {})\nwhile True: x = type('B', (x,), {})",
		"print(*range(10**8))",
		"x = {}\nwhile True: x[len(x)] = 1",
		"s = 'ab'\nfor i in range(40): s = s.replace('a', 'aa')",
		"int('9' * 1000000)",
		"str(10 ** 100000)",
		"x = 3\nfor i in range(100): x = pow(x, x, 10**1000) + 10**500",
		"raise SystemExit",
		"import sys\nsys.exit(1)",
		"try:\n  while True: pass\nexcept BaseException: pass\nfinally:\n  while True: pass",
		"def f():\n  try: f()\n  finally: f()\nf()",
		"'{0.a.b.c[d]}'.format(1)",
		"'{:{}{}}'.format(1, '{', '}')",
		"[x for x in range(10**9)]",
		"max(range(10**10))",
		"10**9 in (x for x in range(10**9))",
		"globals()['x'] = 1\nprint(x)",
		"del print\nprint(1)",
		"class A(A): pass",
		"class A: pass\nA.__bases__ = (A,)\nclass B(A, A): pass",
		"lambda: (yield)\n(lambda: (yield))()",
		"yield 1",
		"return 1",
		"break",
		"x: int\nprint(x)",
		"import os, sys, json.decoder, a.b.c.d.e\nfrom ..... import x",
	} {
		start := time.Now()
		ev := New(Config{FS: fstest.MapFS{"main.py": {Data: []byte(src)}, "m.py": {Data: []byte("import main")}}, Budget: Budget{Steps: 2e6, Bytes: 64 << 20}})
		done := make(chan bool)
		go func() {
			defer close(done)
			ev.Load("main.py")
		}()
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Fatalf("%q does not end", src)
		}
		for _, g := range ev.Gaps() {
			if strings.Contains(g.Why, "fault in the evaluator") {
				t.Errorf("%q: %s: %s", src, g.What, g.Why)
			}
		}
		ev.Close()
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("%q took %v", src, d)
		}
	}
}

// FuzzEval: any text is evaluated within a small budget, without a panic.
func FuzzEval(f *testing.F) {
	for _, s := range []string{"import db\nfrom lib import u\nif u:\n  db.ddl('a')\n", "def f():\n  yield 1\nfor x in f(): print(x)\n",
		"class A(dict):\n  x = 1\nprint('%s' % A(), f'{A.x:>3}')\n", "try:\n  1/0\nexcept ZeroDivisionError as e:\n  raise\nfinally:\n  pass\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		watch := time.AfterFunc(10*time.Second, func() { panic(fmt.Sprintf("does not end: %q", src)) })
		defer watch.Stop()
		ev := New(Config{FS: fstest.MapFS{"main.py": {Data: []byte(src)}}, Native: toyDB, Budget: Budget{Steps: 20000, Bytes: 4 << 20, Forks: 200, Object: 1 << 20}})
		defer ev.Close()
		ev.Load("main.py")
		for _, g := range ev.Gaps() {
			if strings.Contains(g.Why, "fault in the evaluator") {
				t.Fatalf("%s: %s", g.What, g.Why)
			}
		}
	})
}

// BenchmarkSteps counts simple statements: an addition, a comparison, a loop.
func BenchmarkSteps(b *testing.B) {
	src := "def f(n):\n  i = 0\n  s = 0\n  while i < n:\n    s = s + i\n    i = i + 1\n  return s\nf(200000)\n"
	fsys := fstest.MapFS{"main.py": {Data: []byte(src)}}
	cache := new(Cache)
	steps := 0
	b.ReportAllocs()
	for b.Loop() {
		ev := New(Config{FS: fsys, Cache: cache})
		ev.Load("main.py")
		steps += ev.steps
		ev.Close()
	}
	b.ReportMetric(float64(steps)/b.Elapsed().Seconds()/1e6, "Msteps/s")
}
