# The standard library as far as migrations use it.
import collections
import copy
import dataclasses
import datetime
import enum
import functools
import itertools
import json
import re
import string
import textwrap


def show(label, f):
    try:
        print(label, repr(f()))
    except Exception as e:
        print(label, type(e).__name__)


d = datetime.datetime(2024, 2, 29, 13, 5, 9)
for f in ["%Y-%m-%d", "%H:%M:%S", "%d/%m/%y", "%j", "%b %B", "%a %A", "%I %p", "%%"]:
    show(f, lambda: d.strftime(f))
show("iso", lambda: d.isoformat())
show("add", lambda: d + datetime.timedelta(days=1, hours=12))
show("sub", lambda: (d - datetime.datetime(2023, 2, 28)).days)
show("date", lambda: d.date())



show("delta", lambda: datetime.timedelta(minutes=90))
show("total", lambda: datetime.timedelta(days=1, seconds=1).total_seconds())

show("sub1", lambda: re.sub(r"(\w+)-(\d+)", r"\2:\1", "ab-12 cd-3"))
show("sub2", lambda: re.sub("a", lambda m: m.group(0).upper() + str(m.start()), "banana", count=2))
show("split", lambda: re.split(r"[,;]\s*", "a, b;c,d"))
show("findall", lambda: re.findall(r"(?P<k>\w)=(\d)", "a=1 b=2"))
show("groups", lambda: re.match(r"(a)(b)?", "ac").groups())
show("named", lambda: re.search(r"v(?P<n>\d+)", "rev12x").groupdict())
show("none", lambda: re.match("b", "ab"))
show("full", lambda: bool(re.fullmatch("a+", "aaa")))
show("flags", lambda: re.findall("^a", "a\nA\nba", re.I | re.M))
show("escape", lambda: re.escape("a.b-c_d"))

show("dumps", lambda: json.dumps({"b": [1, 2.5, None, True], "a": "é\n\"x\""}))
show("sorted", lambda: json.dumps({"b": 1, "a": {"d": 2, "c": []}}, sort_keys=True, indent=2))
show("compact", lambda: json.dumps([1, {"a": 2}], separators=(",", ":")))
show("loads", lambda: json.loads('{"a": [1, 2.0, "x\\u00e9", null, false]}'))
show("keys", lambda: json.dumps({1: 2, None: 3, True: 4}))


show("chain", lambda: list(itertools.chain("ab", [1], ())))
show("product", lambda: list(itertools.product("ab", [1, 2])))
show("combos", lambda: list(itertools.combinations("abc", 2)))
show("perms", lambda: list(itertools.permutations([1, 2, 3], 2)))
show("groupby", lambda: [(k, list(g)) for k, g in itertools.groupby("aabbbc")])
show("islice", lambda: list(itertools.islice(itertools.count(5, 3), 1, 9, 2)))
show("zipl", lambda: list(itertools.zip_longest("abc", [1], fillvalue="-")))
show("accum", lambda: list(itertools.accumulate([1, 2, 3, 4], lambda a, b: a * b)))
show("takew", lambda: list(itertools.takewhile(lambda x: x < 3, [1, 2, 3, 1])))
show("dropw", lambda: list(itertools.dropwhile(lambda x: x < 3, [1, 2, 3, 1])))
show("starmap", lambda: list(itertools.starmap(pow, [(2, 3), (3, 2)])))
show("compress", lambda: list(itertools.compress("abcd", [1, 0, True, ""])))
show("cycle", lambda: [x for x, _ in zip(itertools.cycle("ab"), range(5))])
it = iter([1, 2])
show("exhausted", lambda: (list(it), list(it), next(it, "end")))

c = collections.Counter("abracadabra")
show("counter", lambda: c.most_common(2))
show("missing", lambda: c["z"])
dd = collections.defaultdict(list)
dd["a"].append(1)
show("dd", lambda: (dict(dd), dd["b"], sorted(dd)))
od = collections.OrderedDict([("b", 1), ("a", 2)])
show("od", lambda: (list(od), od == {"a": 2, "b": 1}))
P = collections.namedtuple("P", "x y")
show("nt", lambda: (P(1, y=2), P(1, 2)._replace(x=5), P._fields, P(3, 4)._asdict(), P(1, 2) == (1, 2)))
q = collections.deque([1, 2, 3], )
q.append(4)
q.appendleft(0)
show("deque", lambda: list(q))

show("partial", lambda: functools.partial(int, base=2)("101"))
show("reduce", lambda: functools.reduce(lambda a, b: a + b, [[1], [2]], []))


@functools.wraps(show)
def wrapped():
    pass


show("wraps", lambda: wrapped.__name__)

show("dedent", lambda: textwrap.dedent("""
    a
      b
    c"""))
show("indent", lambda: textwrap.indent("a\n\nb", "> "))

show("tmpl", lambda: string.Template("$a ${b} $$").substitute(a=1, b="x"))
show("tmpl2", lambda: string.Template("$a").substitute())
show("letters", lambda: string.ascii_lowercase[:3] + string.digits)


class Color(enum.Enum):
    RED = 1
    GREEN = "g"
    ROUGE = 1


show("enum", lambda: (Color.RED, Color("g"), Color["RED"].value, Color.ROUGE is Color.RED, [m.name for m in Color]))
show("badenum", lambda: Color(7))


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


show("intenum", lambda: (Level.LOW < Level.HIGH, Level.HIGH + 1, Level.LOW == 1))


@dataclasses.dataclass
class Point:
    x: int
    y: int = 2
    tags: list = dataclasses.field(default_factory=list)


show("dc", lambda: (Point(1), Point(1) == Point(1, 2, []), dataclasses.asdict(Point(3, tags=["a"]))))
show("dcerr", lambda: Point())
a = {"k": [1, [2]]}
b, e = copy.copy(a), copy.deepcopy(a)
a["k"][1].append(3)
show("copy", lambda: (b, e))
