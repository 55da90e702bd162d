# Formatting, slicing, methods, sorting, classes, closures and the ways through try.
def show(label, f):
    try:
        print(label, repr(f()))
    except Exception as e:
        print(label, type(e).__name__)


for v in [0, 7, -42, 255, 10**20, 3.14159, -0.5, 1e100, 1e-7, True]:
    for spec in ["", "d", "05", "+", ",", "x", "#b", ".2f", "e", "g", "%", ">12", "^12", "*<8", "_", "=+8"]:
        show("%r:%s" % (v, spec), lambda: format(v, spec))
for f, a in [("%s|%r", ("a", "b")), ("%5d|%-5d|%05d", (1, 2, 3)), ("%.3f %e %g", (1.5, 1.5, 1.5)), ("%x %X %o", (255, 255, 8)), ("%%", ()),
             ("%(a)s %(b)d", {"a": 1, "b": 2}), ("%c%c", ("a", 98)), ("%s", (1, 2)), ("%d", "x"), ("%s %s", "x"), ("%+d % d", (1, 2)), ("%*d", (5, 1)),
             ("%.2s", "abc"), ("", [1]), ("", (1,)), ("%i", 2.9), ("%s", [1])]:
    show("%r" % f, lambda: f % a)
for f, a, k in [("{} {}", (1, 2), {}), ("{1}{0}", (1, 2), {}), ("{a[b]} {c.real}", (), {"a": {"b": 1}, "c": 3}), ("{:>{}}", ("x", 5), {}),
                ("{!r:>5}", ("a",), {}), ("{{}}", (), {}), ("{x}", (), {}), ("{} {0}", (1,), {}), ("{0[0]}", ("ab",), {})]:
    show(f, lambda: f.format(*a, **k))
w, n = 8, 1234.5
show("f", lambda: f"{n:>{w}.1f}|{n!r}|{w=}|{'a' if w else 'b'}|{n:,}|{{}}|{w:#x}")

s, l = "abcdefg", list(range(8))
for i in [slice(None), slice(2, 5), slice(-3, None), slice(None, None, -1), slice(5, 1, -2), slice(10, 20), slice(None, None, 3), slice(-100, 3)]:
    print(s[i], l[i], range(8)[i], s.encode()[i])
l[2:4] = "xyz"
l[::3] = [0] * len(l[::3])
del l[-2:]
show("l", lambda: l)
show("range", lambda: s[9])
show("zero", lambda: s[::0])

for m, args in [("split", ()), ("split", (",",)), ("split", (",", 1)), ("rsplit", (",", 1)), ("partition", (",",)), ("strip", ()), ("strip", (" a",)), ("title", ()),
                ("upper", ()), ("swapcase", ()), ("find", ("b",)), ("index", ("zz",)), ("count", ("a",)), ("replace", ("a", "_", 1)), ("startswith", ("a", 1)),
                ("endswith", (("b", "c"),)), ("zfill", (12,)), ("center", (13, "*")), ("ljust", (12, ".")), ("isalpha", ()), ("isidentifier", ()), ("splitlines", ()),
                ("join", (["x", "y"],)), ("expandtabs", (4,)), ("casefold", ()), ("removeprefix", (" a",)), ("encode", ("ascii",)), ("isdigit", ())]:
    for t in [" a,b , c ", "Ab1", "", "x\ty\nz"]:
        show("%s%r" % (m, args), lambda: getattr(t, m)(*args))

d = {"b": 1, "a": 2}
d.update(c=3)
show("pop", lambda: (d.pop("a"), d.pop("zz", None), d.setdefault("q", []), list(d), d.popitem()))
show("keys", lambda: (d.keys() & {"b"}, sorted(d.keys() | {"z"}), {"b": 1}.items() >= {("b", 1)}, bool({}.keys()), bool({}.items())))
show("merge", lambda: {**d, "b": 9} | {"y": 1})
show("from", lambda: dict.fromkeys("ab", 0))
show("keyerr", lambda: d["nope"])
show("sets", lambda: (sorted({1, 2} | {3}), {1, 2} & {2}, sorted({1, 2} ^ {2, 3}), {1} <= {1, 2}, {1, 2}.isdisjoint([3]), frozenset([1]) == {1}))
x = [3, 1, 2]
x.sort(key=lambda v: -v)
x += (7,)
x.insert(1, "i")
show("list", lambda: (x, x.index(2), x.count(7), x.pop(0), x.pop(), x * 2, x[::-1]))
show("remove", lambda: x.remove("gone"))
show("sorted", lambda: sorted([("b", 1), ("a", 2), ("a", 1)], key=lambda p: p[0], reverse=True))
show("mixed", lambda: sorted([1, "a"]))
show("minmax", lambda: (min("b", "a"), max([1, 5, 3], key=lambda v: -v), min([], default=None), sum([[1], [2]], [])))
show("unpack", lambda: [(a, b, c) for a, *b, c in [(1, 2), (1, 2, 3, 4), "xyz"]])
show("chained", lambda: (1 < 2 < 3, 1 < 3 < 2, 1 == 1.0 == True, [1] is not [1]))
show("divmod", lambda: (divmod(-7, 2), -7 // 2, -7 % 2, 7 % -3, 2**-1, 2**100, round(2.5), round(3.5), round(1.005, 2), int("-12"), int("ff", 16), float("1e3")))


class A:
    kind = "a"

    def __init__(self, n):
        self.n = n

    def __repr__(self):
        return "%s(%r)" % (type(self).__name__, self.n)

    def hello(self):
        return "A.hello " + self.kind

    def __getattr__(self, name):
        if name.startswith("x_"):
            return name[2:]
        raise AttributeError(name)


class B(A):
    kind = "b"

    def hello(self):
        return "B>" + super().hello()


class C(A):
    def hello(self):
        return "C>" + super().hello()


class D(B, C):
    pass


show("mro", lambda: (D(1).hello(), [k.__name__ for k in D.__mro__], D(2), D(1).x_y, getattr(D(1), "zz", 0), hasattr(D(1), "zz"), isinstance(D(1), C)))
show("attr", lambda: D(1).nope)


def counter():
    n = 0

    def inc(by=1):
        nonlocal n
        n += by
        return n
    return inc


inc = counter()
show("closure", lambda: (inc(), inc(5), counter()(), [f() for f in [lambda i=i: i for i in range(3)]], [f() for f in [lambda: i for i in range(3)]]))


def args(a, b=2, *c, d, e=5, **f):
    return a, b, c, d, e, f


show("args", lambda: (args(1, d=4), args(1, 2, 3, 4, d=0, z=9), args(*[1, 2], **{"d": 3})))
show("noargs", lambda: args(1))
show("twice", lambda: args(1, a=2, d=3))


def flow(how):
    log = []
    for i in range(3):
        try:
            log.append(i)
            if how == "raise":
                raise KeyError("k")
            if how == "break":
                break
            if how == "continue":
                continue
            if how == "return":
                return log
        except LookupError as e:
            log.append(repr(e))
        else:
            log.append("else")
        finally:
            log.append("finally")
            if how == "override" and i == 1:
                return "overridden"
    else:
        log.append("for-else")
    return log


for how in ["raise", "break", "continue", "return", "override", "none"]:
    show(how, lambda: flow(how))


def nested():
    try:
        try:
            raise ValueError("inner")
        finally:
            raise KeyError("outer")
    except KeyError as e:
        return repr(e)


show("nested", nested)


def gen():
    try:
        got = yield 1
        while got:
            got = yield got * 2
    except ValueError:
        yield "thrown"
    finally:
        print("closed")
    return "done"


g = gen()
show("gen", lambda: (next(g), g.send(4), g.throw(ValueError), list(g)))


def delegate():
    r = yield from gen()
    yield r


show("from", lambda: list(delegate()))
show("genexp", lambda: (sum(i * i for i in range(5)), {k: v for k, v in zip("ab", [1, 2])}, any(x > 1 for x in [0, 2])))
