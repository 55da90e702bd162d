def f(n):
    try:
        if n == 0:
            return "ret"
        if n == 1:
            raise ValueError("v")
        if n == 2:
            raise KeyError("k")
        return "end"
    except ValueError as e:
        return "caught %s" % e
    else:
        return "else"
    finally:
        print("finally", n)


for i in range(4):
    try:
        print(f(i))
    except KeyError as e:
        print("outer", repr(e))


def g():
    for i in range(5):
        if i == 1:
            continue
        if i == 3:
            break
        print(i)
    else:
        print("never")
    for i in []:
        pass
    else:
        print("else")
    while True:
        i += 1
        if i > 5:
            break
    return i


print(g())


def gen(n):
    got = []
    for i in range(n):
        x = yield i
        if x:
            got.append(x)
    return got


def outer():
    r = yield from gen(3)
    print("r", r)
    yield "last"


it = outer()
print(next(it), it.send("a"), it.send("b"), next(it))
print(list(outer()))


def closure():
    fs = []
    for i in range(3):
        fs.append(lambda i=i: i)
        fs.append(lambda: i)
    n = 0

    def inc():
        nonlocal n
        n += 1
        return n
    return [f() for f in fs], inc(), inc()


print(closure())
print([lambda: x for x in range(3)][0](), [(x, y) for x in range(3) for y in "ab" if x != 1])
print({x % 3 for x in range(10)}, {k: v for k, v in enumerate("abc")}, sum(x * x for x in range(5)))
a, (b, *c), d = 1, (2, 3, 4), 5
print(a, b, c, d)
[*x, y] = "hello"
print(x, y)
print([*range(3), *"ab"], {**{"a": 1}, "b": 2}, (lambda *a, **k: (a, k))(1, *[2], z=3, **{"y": 4}))


def params(a, /, b, *args, c, d=4, **kw):
    return a, b, args, c, d, kw


print(params(1, 2, 3, c=5, e=6))
for bad in [lambda: params(1), lambda: params(1, b=2), lambda: params(1, 2, 3, c=1, a=7) and None, lambda: params(a=1, b=2, c=3)]:
    try:
        print(bad())
    except TypeError as e:
        print("TypeError", str(e).split("(")[0])


def m(v):
    match v:
        case 0 | 1:
            return "small"
        case int(n) if n > 100:
            return "big %d" % n
        case [a, b, *rest]:
            return a, b, rest
        case {"k": x, **r}:
            return x, r
        case str() as s:
            return "str " + s
        case None:
            return "none"
        case _:
            return "other"


print([m(v) for v in (0, 200, [1, 2, 3], (4, 5), {"k": 1, "z": 2}, "q", None, 3.5, [1])])
if (n := 10) > 5:
    print(n)
x = 5
print("a" if x > 3 else "b", 1 < x < 10, not x, x and 0 or "z", None or [] or "last")
del x
try:
    x
except NameError as e:
    print(e)
try:
    assert 1 == 2, "msg"
except AssertionError as e:
    print("assert", e)
try:
    try:
        1 / 0
    except ZeroDivisionError as e:
        raise RuntimeError("wrapped") from e
except RuntimeError as e:
    print(e, type(e.__cause__).__name__)
try:
    [].pop()
except (IndexError, KeyError) as e:
    print(type(e).__name__, e)


def deco(arg):
    def wrap(fn):
        def inner(*a):
            return arg + str(fn(*a))
        return inner
    return wrap


@deco("<")
@deco(">")
def dd(x):
    return x


print(dd(1))
import contextlib


@contextlib.contextmanager
def cm(n):
    print("in", n)
    try:
        yield n * 2
    except ValueError:
        print("swallow")
    finally:
        print("out", n)


with cm(1) as p, cm(2) as q:
    print(p, q)
with cm(3):
    raise ValueError
with contextlib.suppress(KeyError):
    {}[1]


def fib():
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b


import itertools
print(list(itertools.islice(fib(), 10)), list(itertools.takewhile(lambda v: v < 20, fib())))
print(list(itertools.chain("ab", [1])), list(itertools.product("ab", repeat=2)), list(itertools.combinations(range(3), 2)))
print([(k, list(v)) for k, v in itertools.groupby([1, 1, 2, 3, 3])], list(itertools.zip_longest("ab", "c", fillvalue="-")))
print(any(v > 3 for v in fib()), max([3, 1, 2], key=lambda v: -v), min("b", "a"), list(reversed([1, 2])), list(map(str, [1, 2])), list(filter(None, [0, 1])))
