# Every construct that Python 3.11 parses, at least once, with awkward spacing.
import a, b.c as d, e . f
from . import g
from .. h import (i as j, k,)
from ...l import *
from .... import m
global_ = nonlocal_ = 0

x = y = z, = 1, 2,
x: int
(x): int = 3
x.y: "str" = yield_
x[0]: list[int]
x += 1; x -= 1; x *= 2; x /= 2; x //= 2; x %= 2; x **= 2
x <<= 1; x >>= 1; x |= 1; x ^= 1; x &= 1; x @= y
*a, b = c
a, *b = *c, *d
[a, [b, c]], (d, *e) = f
del a, (b, c), [d], e.f, g[0],
assert a, "message"
assert (a)
if (n := len(a)) > 10: pass
elif b: pass
elif c:
    pass
else: pass
while a: break
else:
    pass
for a, in b: continue
for a, *b in *c, d:
    pass
else:
    pass
for x[0] in y: pass
for x.y in z: pass
for (a, b) in c: pass

try:
    pass
except: pass
try: pass
except A: pass
except (A, B) as e: pass
else: pass
finally: pass
try:
    pass
finally:
    pass
try: pass
except* A: pass
except* (B, C) as e:
    raise
with a: pass
with a as b, c as (d, e), f: pass
with (a): pass
with (a, b): pass
with (a, b) as c: pass
with (a as b, c as d,): pass
with (a as b): pass
with (yield_): pass
with (a := b): pass
with (a for b in c): pass
with (a).b as c, (d): pass
with (a)(b) as c: pass
with (*a, b) as c: pass
with (a), (b): pass
with (a, b)[0]: pass
with (): pass

lambda: 0
lambda a, /, b=1, *c, d, e=2, **f: (a, b)
lambda *, a: a
lambda *a, **b: lambda: lambda c: 0
def f(a, b=1, /, c: int = 2, *args: "x", d, e: str = 3, **kw: dict) -> None: pass
def f(*args: *Ts): pass
def f(a, /): pass
def f(*, a, b=1,): pass
def f(a,): return
def f():
    """Docstring."""
    global a, b
    def g():
        nonlocal c
        return *a, b
    yield
    yield a
    yield a, *b
    yield from a
    x = yield
    x = yield a, b
    x += yield
    (yield)
    (yield a)
    f((yield), (yield from b))
    return
    return (a)
    raise
    raise A
    raise A from b

async def f():
    await a
    await a.b(c)[d] ** 2
    -await a
    async for a in b: pass
    else: pass
    async with a as b, c: pass
    async with (a as b, c): pass
    [a async for a in b if c]
    {a async for a in b for c in d}
    return await a
@a
@b.c(d)
@(e := f)
@g[0]
async def f(): pass
@a
class C: pass
class C(): pass
class C(A, B, *c, metaclass=M, **d): x = 1
class C(A):

    # comment

    def f(self): pass
    # comment at another indentation
  # and another
    def g(self): pass

a if b else c
a if b else c if d else e
a or b or c and d and not e
not not a
a < b <= c > d >= e == f != g is h is not i in j not in k
a | b ^ c & d << e >> f + g - h * i / j // k % l @ m
-+~a ** -b ** +c
2 ** -1
-1 ** 2
(a + b) * c
(a).b
((a)) + (b)
()
(a,)
(a, b)
a,
(*a, *b)
[]
[a]
[a, *b,]
{}
{a}
{a, *b,}
{a: b}
{a: b, **c, "d": e,}
{**a}
[a for b in c]
[a for b in c if d if e for f in g]
[a for b, in c]
[a for b, *c in d]
[a if b else c for d in e if f or g]
[(a, b) for c in d]
[lambda: a for a in b]
{a for b in c}
{a: b for c in d}
{a: lambda: b for c in d if not e}
(a for b in c)
f(a for b in c)
f(a, (b for c in d))
f((a for b in c))
f()
f(a, *b, c=d, **e, f=g)
f(a, b,)
f(*a, b, *c)
f(**a, b=c)
f(a := b, c=(d := e))
f(*a or b)
f(a)(b)(c).d[e]
a[b]
a[b:c]
a[b:c:d]
a[:]
a[::]
a[::b]
a[:b, c:, d]
a[b,]
a[*b]
a[*b, c]
a[b:c, *d]
a[b := c]
a[(b, c)]
a[lambda: b:c]
a.b.c().d
a . b
...
x = ...
True, False, None
__debug__

0xfor 1
0, 00, 0_0, 1, 10, 1_000, 0b1_0, 0B01, 0o17, 0O7_7, 0xfF, 0XAB_cd
123456789012345678901234567890
0xFFFFFFFFFFFFFFFFFFFF
1., .1, 1.5, 1e5, 1E-5, 1.e+5, 1_0.0_1e1_0, 0e0, 09.5, 0.0
1j, 1.5J, .5j, 1e5j, 0j, 09j
1if a else 2
[1for a in b]
1 .real, 1..real, 1.0.real

'a', "b", '''c''', """d"""
'a' "b" '''c
d''' r'e'
('a'
 'b'
 # comment
 'c')
b'a' b"\x00\xff\377\n\u1234"
r'\n', R"\N{x}", rb'\x', bR"\y", Rb'\'', u'a', U"b" 'c'
'\\\'\"\a\b\f\n\r\t\v\0\1\12\123\1234\400\x41\u00e9\U0001F600\ud800\q\8'
'\N{EM DASH}\N{bullet}'
'\N{NO-BREAK SPACE}\N{COPYRIGHT SIGN}\N{REGISTERED SIGN}\N{DEGREE SIGN}\N{POUND SIGN}\N{SECTION SIGN}\N{MICRO SIGN}\N{EURO SIGN}\N{EN DASH}\N{EM DASH}\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{BULLET}\N{HORIZONTAL ELLIPSIS}\N{SNOWMAN}\N{REPLACEMENT CHARACTER}'
'\N{latin small letter q}'
'line \
continued'
'', "", '''''', """"""
'''a'b''c\''''
"""a"b""c\""""
''' quotes " and ' and "" '''
'"' "'"

f'', f'a', F"b{c}d", rf'\d{a}', fR"{a}\n"
f'{a}{b}'
f'{a!r}{a!s}{a!a}{a !r}'
f'{a:>10}{a:{b}}{a:{b}.{c}f}{a!r:^{b}}{a:}'
f'{{a}}{{{a}}}'
f'{a=}{a = }{a=!s}{a=:x}{ a }'
f'{a["b"]}{a.b(c, d="e")}{ {"a": b}["a"] }{a[b:c]}{(lambda x: x)(1)}'
f'{a if b else c}{a, b}{*a, b}{a != b}{a == b}{a <= b}'
f'{a:%Y-%m-%d}{a:{"b"}}'
f'''{
a
}
{b}'''
f"{'a' 'b'}" "c" f'{d}'
'a' f'{b}' 'c' 'd' f'{e}'
f'\N{EM DASH}{a}\x41{{\n'
f'{yield_}'

x = a + \
    b
if a and \
   b:
    pass
if a:
  if b:
     c
  d
if a:
	pass
if a: b; c; d;
class \
  C: pass
x = [  # comment
    a,

    b  # comment
]
if True:
    x = (
1,
        2)
    y

match a:
    case 1 | -1 | 1.5 | 1+2j | -1-2j: pass
    case "a" "b" | b'c': pass
    case None | True | False: pass
    case a: pass
    case _: pass
    case a.b | c.d.e: pass
    case (a): pass
    case (a, b) | [c, d] | (e,) | [] | (): pass
    case a, *b: pass
    case *_, a: pass
    case a,: pass
    case [*a]: pass
    case {}: pass
    case {"a": b, 1: c, d.e: f, -1: g, None: h, **rest}: pass
    case {**rest}: pass
    case A(): pass
    case A(b, c.d, e=f, g=1,): pass
    case a.B(c=[d, *_]) as e if f: pass
    case (1 | 2) as a: pass
    case [1, (2 | 3) as b] if (c := d): pass
match a, b:
    case c, d:
        pass
match (a):
    case b:
        pass
match *a, b:
    case _: pass
match -a:
    case _: pass
match [a]:
    case _: pass
match {a: b}:
    case _: pass
match = 1
match.a = 2
match[a] = 3
match(a, b)
match (a)
match * a
match - a
match, case = a, b
match: int = 1
print(match)
case = type = _ = 1
type(x)
type.a
type = type[a]
print
print(a, file=b)
exec(a)
été = 'naïve'
変数 = f'{été}'
