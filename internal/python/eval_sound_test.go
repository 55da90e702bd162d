package python

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// toyDB is a native module: db.ddl(text) is an effect on the schema, db.data(text) one on rows, db.rows() live data and
// db.handle something that must not escape.
func toyDB(ev *Eval, name string) *Module {
	if name != "db" {
		return nil
	}
	effect := func(fn string, kind EffectKind) *Native {
		return &Native{Name: fn, ActsHandle: kind == SchemaEffect, Fn: func(ev *Eval, call *Call) (Value, error) {
			b, err := call.Bind(ev, fn, "text")
			if err != nil {
				return nil, err
			}
			s, u, err := ev.Str(b.Value("text"))
			if err != nil {
				return nil, err
			}
			if u != nil {
				ev.Gap(Gap{Pos: call.Pos(), What: "ddl " + u.Prefix + "…", Why: u.Why})
				return None, nil
			}
			ev.Effect(Effect{Pos: call.Pos(), Kind: kind, Text: s})
			return None, nil
		}}
	}
	return NewModule("db", "ddl", effect("ddl", SchemaEffect), "data", effect("data", DataEffect),
		"rows", &Native{Name: "rows", Fn: func(ev *Eval, call *Call) (Value, error) { return NewRows(call.Pos(), "live rows"), nil }},
		"one", &Native{Name: "one", Fn: func(ev *Eval, call *Call) (Value, error) { return NewData(call.Pos(), "live rows", None), nil }},
	)
}

// evalToy gives the effects, gaps and notes of a program, one a line.
func evalToy(src string, b Budget) string {
	ev := New(Config{FS: fstest.MapFS{"m.py": {Data: []byte("import db\nfrom lib import unknown\n" + src)}}, Native: toyDB, Budget: b})
	defer ev.Close()
	m := ev.Load("m.py")
	if _, ok := m.Attrs.Load("up"); ok {
		ev.Run(m, "up")
	}
	var out []string
	for _, e := range ev.Effects() {
		text := e.Text
		if e.Conditional {
			text += "?"
		}
		out = append(out, text)
	}
	for _, g := range ev.Gaps() {
		out = append(out, fmt.Sprintf("gap %d: %s", g.Pos.Line-2, g.What))
	}
	for _, n := range ev.Notes() {
		out = append(out, fmt.Sprintf("note %d", n.Pos.Line-2))
	}
	return strings.Join(out, "\n")
}

// TestSound holds each rule of the package about what is not known. Line numbers count from the first line of src.
func TestSound(t *testing.T) {
	for _, test := range []struct{ name, src, want string }{
		{"condition, same effects", "if unknown:\n  x = 1\n  db.ddl('a')\nelse:\n  x = 2\n  db.ddl('a')\ndb.ddl('x%s' % x)",
			"a\ngap 7: ddl x…"},
		{"condition, same values", "if unknown:\n  x = [1]\nelse:\n  x = [1]\ndb.ddl('x%s' % x[0])", "x1"},
		{"condition, different effects", "if unknown:\n  db.ddl('a')\ndb.ddl('b')", "b\ngap 1: a condition that is not known decides on: a"},
		{"condition without effects", "x = 1\nif unknown:\n  x = 2\n  l = []\ndb.ddl('b')", "b"},
		{"data only", "if unknown:\n  db.data('a')\ndb.ddl('b')", "a?\nb"},
		{"else", "if unknown:\n  pass\nelse:\n  db.ddl('a')", "gap 1: a condition that is not known decides on: a"},
		{"expression", "unknown and db.ddl('a')\nx = db.ddl('b') if unknown else None", "gap 1: a condition that is not known decides on: a\ngap 2: a condition that is not known decides on: b"},
		{"nested", "if unknown.a:\n  if unknown.b:\n    db.ddl('a')\n  else:\n    db.ddl('a')\nelse:\n  db.ddl('a')", "a"},
		{"list", "l = [1]\nif unknown:\n  l.append(2)\nfor x in l:\n  db.ddl('t%d' % x)", "gap 5: ddl t…"},
		{"dict of values", "d = {'a': 1}\nif unknown:\n  d['a'] = 2\nfor k in d:\n  db.ddl(k)", "a"},
		{"attribute", "class A: pass\na = A()\na.x = 'p'\nif unknown:\n  a.x = 'q'\ndb.ddl(a.x)", "gap 6: ddl …"},
		{"global", "n = 'a'\ndef f():\n  global n\n  n = 'b'\nif unknown:\n  f()\ndb.ddl(n)", "gap 7: ddl …"},
		{"closure", "def mk():\n  n = 'a'\n  def set(): \n    nonlocal n\n    n = 'b'\n  if unknown:\n    set()\n  db.ddl(n)\nmk()", "gap 8: ddl …"},
		{"early return", "def up():\n  if unknown:\n    return\n  db.ddl('a')", "gap 2: a condition that is not known decides on: a"},
		{"early return, none after", "def f():\n  if unknown:\n    return 1\n  return 1\ndb.ddl('a%d' % f())", "a1"},
		{"early return, other value", "def f():\n  if unknown:\n    return 1\n  return 2\ndb.ddl('a%d' % f())", "gap 5: ddl a…"},
		{"two returns", "def f():\n  if unknown.a:\n    return 1\n  if unknown.b:\n    return 1\n  db.data('z')\n  return 1\ndb.ddl('a%d' % f())", "z?\na1"},
		{"two returns, ddl between", "def f():\n  if unknown.a:\n    return 1\n  db.ddl('m')\n  if unknown.b:\n    return 1\n  return 1\ndb.ddl('a%d' % f())", "a1\ngap 2: a condition that is not known decides on: m"},
		{"guard that raises", "def up():\n  if unknown:\n    raise Exception('x')\n  db.ddl('a')", "a\nnote 2"},
		{"guard that is caught", "def up():\n  try:\n    if unknown:\n      raise ValueError('x')\n    db.ddl('a')\n  except ValueError:\n    pass", "gap 3: a condition that is not known decides on: a"},
		{"guard that is caught, handler acts", "def up():\n  try:\n    if unknown:\n      raise ValueError('x')\n  except ValueError:\n    db.ddl('h')\n  db.ddl('z')", "z\ngap 3: a condition that is not known decides on: h"},
		{"guard that is not caught there", "def up():\n  try:\n    if unknown:\n      raise ValueError('x')\n    db.ddl('a')\n  except KeyError:\n    db.ddl('h')\n", "a\nnote 3"},
		{"assert", "assert unknown\ndb.ddl('a')", "a\nnote 1"},
		{"return through finally", "def up():\n  try:\n    if unknown:\n      return\n  finally:\n    db.ddl('f')\n", "f"},
		{"return through finally, acts", "def up():\n  try:\n    if unknown:\n      return\n    db.ddl('a')\n  finally:\n    db.ddl('f')\n", "gap 3: a condition that is not known decides on: f; a"},
		{"break", "for i in [1, 2]:\n  if unknown:\n    break\n  db.ddl('a%d' % i)", "gap 2: a condition that is not known decides on: a2\ngap 2: a condition that is not known decides on: a1"},
		{"continue", "for i in [1, 2]:\n  if unknown:\n    continue\n  db.ddl('a%d' % i)", "gap 2: a condition that is not known decides on: a1\ngap 2: a condition that is not known decides on: a2"},
		{"break, after", "n = 0\nfor i in [1, 2]:\n  n = i\n  if unknown:\n    break\ndb.ddl('b')\ndb.ddl('a%d' % n)", "b\ngap 7: ddl a…"},
		{"loop over unknown", "for x in unknown:\n  db.ddl('a')", "gap 1: a condition that is not known decides on: a"},
		{"loop over unknown, no effect", "n = 0\nfor x in unknown:\n  n += 1\ndb.ddl('a')\ndb.ddl(str(n))", "a\ngap 5: ddl …"},
		{"loop carries over", "a = 1\nb = 1\nfor x in unknown:\n  b = a\n  a = 2\ndb.ddl('b%d' % b)", "gap 6: ddl b…"},
		{"bounded by unknown", "for i in range(unknown):\n  db.ddl('a')", "gap 1: a condition that is not known decides on: a"},
		{"while unknown", "while unknown:\n  db.ddl('a')\ndb.ddl('b')", "b\ngap 1: a condition that is not known decides on: a"},
		{"while true with unknown break", "while True:\n  x = unknown()\n  if not x:\n    break\n  db.data('u')\ndb.ddl('b')", "u?\nu?\nu?\nu?\nu?\nb"},
		{"comprehension", "[db.ddl('a') for x in unknown]\n[db.ddl('b') for x in [1] if unknown]", "gap 1: a condition that is not known decides on: a\ngap 2: a condition that is not known decides on: b"},
		{"rows", "for r in db.rows():\n  db.data('u %s' % r.id)\ndb.ddl('a')", "a\ngap 2: ddl u …"},
		{"rows with ddl", "for r in db.rows():\n  db.ddl('x')\ndb.ddl('a')", "a\ngap 1: a condition that is not known decides on: x"},
		{"rows collected", "l = []\nfor r in db.rows():\n  l.append(r.name)\nfor n in l:\n  db.ddl('x')", "gap 4: a condition that is not known decides on: x"},
		{"rows, condition", "if db.rows():\n  db.ddl('x')", "gap 1: a condition that is not known decides on: x"},
		{"rows, condition without ddl", "r = db.one()\nif r is None:\n  db.data('insert')\ndb.ddl('a')", "insert?\na"},
		{"rows, early return", "def up():\n  if not list(db.rows()):\n    return\n  db.ddl('x')", "gap 2: a condition that is not known decides on: x"},
		{"rows, flag", "f = False\nfor r in db.rows():\n  f = True\nif f:\n  db.ddl('x')", "gap 4: a condition that is not known decides on: x"},
		{"escape", "unknown(db.ddl)", "gap 1: ddl is passed to code that cannot be read"},
		{"escape in a container", "unknown([{'x': db.ddl}])", "gap 1: ddl is passed to code that cannot be read"},
		{"escape of a function", "def f():\n  db.ddl('a')\nunknown(f)\nunknown(lambda: g())\ndef g(): db.ddl('b')\n", "gap 3: db.ddl is passed to code that cannot be read"},
		{"escape later", "def g(): db.ddl('b')\nunknown(lambda: g())", "gap 2: db.ddl is passed to code that cannot be read"},
		{"no escape", "unknown(1, 'a', x=[2])\ndb.ddl('a')", "a"},
		{"changed by unknown code", "l = ['a']\nunknown(l)\nfor x in l:\n  db.ddl(x)", "gap 4: ddl …"},
		{"unknown decorator", "@unknown\ndef f():\n  db.ddl('a')\nf()", "gap 4: call of code that may change the schema"},
		{"either of two functions", "def a(): db.ddl('a')\ndef b(): pass\nf = a if unknown else b\nf()", "gap 4: call of code that may change the schema"},
		{"dispatch by unknown", "def a(): db.ddl('a')\ndef b(): pass\n{'a': a, 'b': b}[unknown]()", "gap 3: call of code that may change the schema"},
		{"try around unknown code", "try:\n  unknown()\nexcept Exception:\n  db.ddl('h')\ndb.ddl('a')", "a\ngap 3: a condition that is not known decides on: h"},
		{"try around unknown code, harmless", "try:\n  unknown()\nexcept Exception:\n  pass\ndb.ddl('a')", "a"},
		{"try, handler returns", "def up():\n  try:\n    unknown()\n  except Exception:\n    return\n  db.ddl('a')", "gap 4: a condition that is not known decides on: a"},
		{"exception leaves", "def up():\n  db.ddl('a')\n  {}['x']", "a\ngap 3: an exception leaves up(): KeyError: 'x'"},
		{"sets", "for x in {'b', 'a'}:\n  db.ddl(x)", "a\nb\nnote 1"},
		{"clock", "import time, random, os, datetime\ndb.ddl(str(time.time()))\ndb.ddl(random.choice(['a']))\ndb.ddl(os.environ['X'])\ndb.ddl(str(datetime.datetime.now()))", "gap 2: ddl …\ngap 3: ddl …\ngap 4: ddl …\ngap 5: ddl …"},
		{"eval", "eval('1')\nexec('x')", "gap 1: eval\ngap 2: exec"},
		{"steps", "while True: pass", "gap 1: gave up after 5000000 steps"},
		{"generator", "def g():\n  if unknown:\n    yield 1\n  yield 2\nfor x in g():\n  db.ddl('a')", "gap 5: a condition that is not known decides on: a"},
		{"generator advanced on a branch", "def g():\n  yield 'a'\n  yield 'b'\nit = g()\nif unknown:\n  next(it)\ndb.ddl(next(it))", "gap 7: ddl …"},
		{"iterator advanced on a branch", "it = iter(['a', 'b'])\nif unknown:\n  next(it)\ndb.ddl(next(it))", "gap 4: ddl …"},
		{"count on a branch", "import itertools\nit = itertools.count()\nif unknown:\n  next(it)\ndb.ddl('t%d' % next(it))", "gap 5: ddl t…"},
		{"count on both branches", "import itertools\nit = itertools.count(5)\nif unknown:\n  next(it)\nelse:\n  next(it)\ndb.ddl('t%d' % next(it))", "t6"},
		{"count before and after", "import itertools\nit = itertools.count()\nnext(it)\nif unknown:\n  pass\ndb.ddl('t%d' % next(it))", "t1"},
		{"cycle on a branch", "import itertools\nit = itertools.cycle('ab')\nif unknown:\n  next(it)\ndb.ddl(next(it))", "gap 5: ddl …"},
		{"repeat on a branch", "import itertools\nit = itertools.repeat('a', 2)\nif unknown:\n  next(it)\nfor x in it: db.ddl(x)", "gap 5: ddl …"},
		{"islice on a branch", "import itertools\nit = itertools.islice(['a', 'b', 'c'], 1, 3)\nif unknown:\n  next(it)\ndb.ddl(next(it))", "gap 5: ddl …"},
		{"chain on a branch", "import itertools\nit = itertools.chain(['a'], ['b'])\nif unknown:\n  next(it)\ndb.ddl(next(it))", "gap 5: ddl …"},
		{"dropwhile on a branch", "import itertools\nit = itertools.dropwhile(lambda x: x < 'b', ['a', 'b', 'c'])\nif unknown:\n  next(it)\ndb.ddl(next(it))", "gap 5: ddl …"},
		{"map on a branch", "it = map(str, [1, 2])\nif unknown:\n  next(it)\ndb.ddl(next(it))", "gap 4: ddl …"},
		{"filter on a branch", "it = filter(None, ['a', 'b'])\nif unknown:\n  next(it)\ndb.ddl(next(it))", "gap 4: ddl …"},
		{"zip on a branch", "it = zip(['a', 'b'])\nif unknown:\n  next(it)\ndb.ddl(next(it)[0])", "gap 4: ddl …"},
		{"enumerate on a branch", "it = enumerate(['a', 'b'])\nif unknown:\n  next(it)\ndb.ddl('t%d' % next(it)[0])", "gap 4: ddl t…"},
		{"enumerate of count on a branch", "l = ['a']\nit = enumerate(iter(lambda: 'x', 'y'))\nif unknown:\n  next(it)\ndb.ddl('t%d' % next(it)[0])", "gap 5: ddl t…"},
		{"reversed on a branch", "it = reversed(['a', 'b'])\nif unknown:\n  next(it)\ndb.ddl(next(it))", "gap 4: ddl …"},
		{"iter of a callable on a branch", "l = ['a', 'b', 'c']\nit = iter(l.pop, 'a')\nif unknown:\n  next(it)\ndb.ddl(next(it))", "gap 5: ddl …"},
		{"sequence protocol on a branch", "class A:\n  def __getitem__(self, i): return 'ab'[i]\nit = iter(A())\nif unknown:\n  next(it)\ndb.ddl(next(it))", "gap 6: ddl …"},
		{"iterator that ended on a branch", "it = map(str, [1])\nif unknown:\n  list(it)\nfor x in it:\n  db.ddl(x)", "gap 5: ddl …"},
		{"iterator on a branch of rows", "it = map(str, [1, 2])\nif db.rows():\n  next(it)\nfor x in it:\n  db.ddl('t' + x)", "gap 5: ddl t…"},
		{"compress by unknown", "import itertools\nfor x in itertools.compress('ab', [1, unknown]): db.ddl(x)", "a\ngap 2: ddl …"},
		{"iterator that may stop", "class A:\n  n = 0\n  def __iter__(self): return self\n  def __next__(self):\n    self.n += 1\n    if unknown or self.n > 2: raise StopIteration\n    return 'a'\nfor x in A():\n  db.ddl(x)", "gap 9: ddl …"},
		{"attribute that may be absent", "class A:\n  def __getattr__(self, n):\n    if unknown: raise AttributeError(n)\n    return 'a'\ndb.ddl(getattr(A(), 'x', 'b'))\nif hasattr(A(), 'y'): db.ddl('h')\n", "gap 5: ddl …\ngap 6: a condition that is not known decides on: h"},
		{"next with a default", "class A:\n  def __next__(self):\n    if unknown: raise StopIteration\n    return 'a'\ndb.ddl(next(A(), 'b'))", "gap 5: ddl …"},
		{"sequence that may end", "class A:\n  def __getitem__(self, i):\n    if unknown: raise IndexError(i)\n    return 'a'\nfor x in A(): db.ddl(x)", "gap 5: ddl …"},
		{"except A, b: not bound", "try:\n  {}['x']\nexcept KeyError, e:\n  db.ddl(str(e))\ntry:\n  {}['y']\nexcept KeyError, e:\n  db.ddl(str(e))", "'x'\n'y'"},
		{"except A, b: a class", "class error(Exception): pass\ntry:\n  raise error('x')\nexcept KeyError, error:\n  db.ddl('h')", "h\ngap 4: an except clause that may not catch error\nnote 4"},
		{"except A, b: the first matches", "class error(Exception): pass\ntry:\n  {}['x']\nexcept KeyError, error:\n  db.ddl('h')\n  db.ddl(str(error))", "h\ngap 6: ddl …"},
		{"except A, b: a global class", "class error(Exception): pass\ndef fail(): raise error('x')\ndef up():\n  try:\n    fail()\n  except KeyError, error:\n    db.ddl('h')", "h\ngap 6: an except clause that may not catch error\nnote 6"},
		{"except A, b: unknown", "from lib import error\ntry:\n  {}['x']\nexcept ValueError, error:\n  db.ddl('h')", "h\ngap 4: an except clause that may not catch KeyError\ngap 4: what the program does if a condition holds that is not known, because there it ends in KeyError: 'x'"},
		{"an attribute that is not modelled", "x = bytes.fromhex\nif unknown:\n  y = bytearray.maketrans(b'a', b'b')\n  db.ddl('a')\nelse:\n  db.ddl('a')\ntry:\n  memoryview(b'x').tolist()\nexcept AttributeError:\n  db.ddl('no')\ndb.ddl('b')", "a\nb\ngap 9: a condition that is not known decides on: no"},
		{"a failing operation may be a fault of ours", "d = {}\nif unknown:\n  d['x']\ndb.ddl('b')", "b\ngap 2: what the program does if a condition holds that is not known, because there it ends in KeyError: 'x'"},
		{"the program's own guard", "if unknown:\n  raise ValueError('x')\nassert unknown\ndb.ddl('b')", "b\nnote 1\nnote 3"},
		{"except A, b: in a file of Python 2", "print 'x'\nclass error(Exception): pass\ntry:\n  {}['x']\nexcept KeyError, error:\n  db.ddl(str(error))\ndb.ddl(str(error))", "'x'\n'x'"},
		{"division of Python 2", "print 'x'\nn = 7\nn /= 2\ndb.ddl('%s %s %s' % (7 / 2, n, 7 / 2.0))", "3 3 3.5"},
		{"division of the future", "from __future__ import division\nprint 'x'\ndb.ddl('%s' % (7 / 2))", "3.5"},
		{"division of Python 3", "db.ddl('%s' % (7 / 2))", "3.5"},
		{"map of Python 2", "print 'x'\nmap(db.ddl, ['a', 'b'])\ndb.ddl(map(str, [1])[0])\nl = {'k': 1}.keys()\nl.sort()\ndb.ddl(l[0])", "a\nb\n1\nk"},
		{"map that nobody iterates", "map(db.ddl, ['a', 'b'])\nmap(str, ['a', 'b'])\nm = map(db.ddl, ['c'])\nlist(m)", "c\ngap 1: map() that is not iterated over: Python 2 calls ddl, Python 3 does not"},
		{"else after a handler", "try:\n  {}['x']\nexcept KeyError:\n  db.ddl('h')\nelse:\n  db.ddl('e')", "h"},
		{"else of a try around unknown code", "try:\n  unknown()\nexcept KeyError:\n  pass\nexcept ValueError:\n  db.data('d')\nelse:\n  db.ddl('e')", "gap 5: a condition that is not known decides on: e"},
		{"else of a try around unknown code, harmless", "try:\n  unknown()\nexcept KeyError:\n  db.ddl('e')\nelse:\n  db.ddl('e')", "e"},
		{"else after a handler that may run", "try:\n  if unknown: raise KeyError('x')\nexcept KeyError:\n  pass\nelse:\n  db.ddl('e')", "gap 2: a condition that is not known decides on: e"},
		{"import on a branch", "if unknown:\n  import json\nelse:\n  json = None\ndb.ddl('a')", "a"},
		{"prefix", "db.ddl('ALTER TABLE t ADD ' + unknown)\ndb.ddl(f'DROP {unknown}')", "gap 1: ddl ALTER TABLE t ADD …\ngap 2: ddl DROP …"},
		{"splat", "db.ddl(*unknown)\ndb.ddl(**unknown)", "gap 1: call of ddl with arguments that are not known\ngap 2: call of ddl with arguments that are not known"},
		{"match", "match unknown:\n  case 1: db.ddl('a')\n  case _: db.ddl('b')", "gap 2: a condition that is not known decides on: a; b"},
		{"with unknown", "with unknown() as x:\n  db.ddl('a')", "a"},
		{"class of unknown base", "class A(unknown):\n  def up(self): db.ddl('a')\nA().up()\nif A().flag: db.ddl('b')", "a\ngap 4: a condition that is not known decides on: b"},
		{"unknown index set", "d = {'a': 1}\nd[unknown] = 2\nfor k in d: db.ddl(k)", "gap 3: ddl …"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := evalToy(test.src, Budget{}); strings.TrimSpace(got) != strings.TrimSpace(test.want) {
				t.Errorf("program:\n%s\ngot:\n%s\nwant:\n%s", test.src, got, test.want)
			}
		})
	}
}
