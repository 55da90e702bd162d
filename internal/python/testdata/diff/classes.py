import abc, enum, dataclasses, collections, functools, typing


class Base:
    count = 0

    def __init__(self, x, *args, **kw):
        self.x = x
        Base.count += 1
        self.args, self.kw = args, kw

    def __repr__(self):
        return "%s(%r)" % (type(self).__name__, self.x)

    def __eq__(self, o):
        return isinstance(o, Base) and self.x == o.x

    def __hash__(self):
        return hash(self.x)

    def __lt__(self, o):
        return self.x < o.x

    def __add__(self, o):
        return Base(self.x + (o.x if isinstance(o, Base) else o))

    __radd__ = __add__

    @property
    def double(self):
        return self.x * 2

    @double.setter
    def double(self, v):
        self.x = v // 2

    @classmethod
    def make(cls, *a):
        return cls(*a)

    @staticmethod
    def st(a):
        return a + 1

    def __getitem__(self, i):
        return (self.x, i)

    def __call__(self, *a):
        return a

    def __len__(self):
        return 3

    def __contains__(self, v):
        return v == self.x

    def __bool__(self):
        return self.x != 0


class Left(Base):
    def who(self):
        return "left"


class Right(Base):
    def who(self):
        return "right"


class Both(Left, Right):
    def who(self):
        return "both " + super().who()


b = Both.make(4, 5, k=6)if False else Both(4, 5, k=6)
print(b, b.args, b.kw, b.who(), [c.__name__ for c in Both.__mro__])
b.double = 10
print(b.x, b.double, Base.st(3), b[1], b[1:2:3], b(1, 2), len(b), 5 in b, bool(Base(0)))
print(Base(1) + Base(2), Base(1) + 2, 3 + Base(4), sum([Base(1), Base(2)], Base(0)))
print(sorted([Base(3), Base(1)]), Base(1) == Base(1), Base(1) != Base(2), {Base(1): "a"}[Base(1)], Base.count)
print(isinstance(b, Right), issubclass(Both, Left), hasattr(b, "nope"), getattr(b, "nope", 7))
try:
    b.nope
except AttributeError as e:
    print(e)
try:
    Base()
except TypeError as e:
    print(e)


class Meta(abc.ABC):
    @abc.abstractmethod
    def f(self): ...


class Dyn:
    def __getattr__(self, name):
        if name.startswith("x"):
            return name.upper()
        raise AttributeError(name)

    def __setattr__(self, k, v):
        object.__setattr__(self, k, v * 2)

    def __iter__(self):
        yield 1
        yield 2

    def __enter__(self):
        print("enter")
        return self

    def __exit__(self, t, v, tb):
        print("exit", t and t.__name__, v)
        return t is ValueError


d = Dyn()
d.a = 3
print(d.a, d.xyz, list(d), d.__dict__)
with d as e:
    raise ValueError("swallowed")
try:
    with d:
        raise KeyError("k")
except KeyError as e:
    print("out", e)


class Color(enum.Enum):
    RED = 1
    GREEN = "g"
    ALIAS = 1

    def low(self):
        return self.name.lower()


print(Color.RED, repr(Color.GREEN), Color("g"), Color["RED"], list(Color), Color.ALIAS is Color.RED, Color.RED.low(), Color.GREEN.value, len(Color))
print([c.name for c in Color], Color.RED in Color, isinstance(Color.RED, Color))


class Num(enum.IntEnum):
    A = enum.auto()
    B = enum.auto()


print(Num.B + 1, Num.A < Num.B, "%d" % Num.B)


class S(str, enum.Enum):
    X = "x"


print(S.X == "x", S.X.value, S("x").name)


@dataclasses.dataclass(order=True)
class P:
    x: int
    y: int = 2
    z: list = dataclasses.field(default_factory=list)

    def __post_init__(self):
        self.z.append(self.x)


print(P(1), P(1) == P(1), P(1) < P(2), dataclasses.asdict(P(3, 4)), dataclasses.replace(P(1), y=9))


class NT(typing.NamedTuple):
    a: int
    b: str = "q"


n = NT(1)
print(n, n.a, n[1], n._asdict(), n._replace(a=5), n == (1, "q"))
T = collections.namedtuple("T", "p q")
print(T(1, q=2), T._fields, T(*[3, 4]).q)


class Counter:
    def __init_subclass__(cls, tag=None, **kw):
        super().__init_subclass__(**kw)
        cls.tag = tag


class Tagged(Counter, tag="t"):
    pass


print(Tagged.tag)


class Desc:
    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, o, t=None):
        return self if o is None else "got " + self.name


class HasDesc:
    f = Desc()


print(HasDesc().f)


class D(dict):
    def __missing__(self, k):
        return k * 2


print(D(a=1)["a"], D()["zz"], isinstance(D(), dict))


@functools.total_ordering
class O:
    def __init__(self, v):
        self.v = v

    def __eq__(self, o):
        return self.v == o.v

    def __lt__(self, o):
        return self.v < o.v


print(O(1) <= O(1), O(2) > O(1), O(1) >= O(2))


class Err(Exception):
    def __init__(self, code):
        super().__init__("code %d" % code)
        self.code = code


try:
    raise Err(5) from ValueError("c")
except (KeyError, Err) as e:
    print(e, e.code, e.args, repr(e), repr(e.__cause__))
