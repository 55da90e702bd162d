import string, textwrap, json, re, copy, operator, collections
print("%s|%r|%d|%5d|%-5d|%05d|%+d|%x|%#X|%o|%e|%.3f|%g|%c|%%|%a" % ("s", "r'", 42, 42, 42, 42, 42, 255, 255, 8, 12345.678, 3.14159, 0.0001, "c", "é"))
print("%(a)s %(b)03d" % {"a": 1, "b": 2}, "%s" % (1,), "%s" % [1], "%-10s|%10s" % ("ab", "cd"), "%.2s" % "xyz", "%*d" % (5, 3))
print("{} {1}".replace("1", "") .format(1, 2), "{0}{1}{0}".format("a", "b"), "{a.real} {b[0]} {c[k]}".format(a=1, b=[2], c={"k": 3}))
print("{:>8}|{:<8}|{:^8}|{:*^9}|{:08.3f}|{:+,}|{:_}|{:x}|{:#b}|{:%}|{!r:>5}|{:e}|{:g}".format("r", "l", "c", "m", 3.14159, 1234567, 1234567, 255, 5, 0.25, "q", 12345.6789, 1e20))
w = 10
print(f"{w:>{w}}|{'a' + 'b'}|{w!r}|{w=}|{3.0}|{1e16}|{1e-5}|{0.1 + 0.2}|{{}}|{w:,.2f}|{-w:05d}|{'x':^3}|{None}|{[1, 'a']}")
for f in (1.0, 0.1, 1e22, 1e16, 123456789012345680.0, 1.5e-7, float("inf"), -0.0, 2.5, 1e15):
    print(f, repr(f), "%s" % f, "%.2f" % f, "{:.3g}".format(f), round(f, 1) if f < 1e300 else "")
print(round(2.5), round(3.5), round(-2.5), round(2.675, 2), round(1234, -2), 7 // 2, -7 // 2, 7 % -3, -7 % 3, 7.5 // 2, -7.5 % 2, 2 ** 10, 2 ** -1, 2 ** 100, 10 ** 20 // 3, divmod(-7, 2))
print(1 << 70, (1 << 70) >> 68, 5 & 3, 5 | 3, 5 ^ 3, ~5, -5 >> 1, int("0x1f", 16), int("z", 36), int(" 12 "), int(3.9), int(-3.9), float("1e3"), hex(255), oct(8), bin(5), 10 ** 18 * 10, 0xffff_ffff)
print("a,b,,c".split(","), " a  b ".split(), "a b c".split(None, 1), "a,b,c".rsplit(",", 1), "ab\ncd\r\n".splitlines(), "x".join(["1", "2"]), "abc".partition("b"), "abcb".rpartition("b"))
print("hello world".title(), "Hello".swapcase(), "hELLO".capitalize(), "abc".upper(), "x".center(5, "*"), "7".zfill(3), "-7".zfill(4), "abc".find("c"), "abcabc".rfind("b"), "aXbX".replace("X", "-", 1), "  s ".strip(), "xxsxx".strip("x"), "a\tb".expandtabs(4))
print("abc".startswith(("x", "a")), "abc".endswith("bc"), "123".isdigit(), "a1".isalnum(), "A".isupper(), "é".encode(), b"\xc3\xa9".decode(), "ab" < "b", "a" * 3, "b" in "abc", "hello"[1:4], "hello"[::-1], "hello"[-3:], "héllo"[1], len("héllo"), ord("é"), chr(233))
print(repr("it's"), repr('a"b'), repr("both'\""), repr("\n\t\\\x00\x7fé\u200b"), repr(b"a'\x00"), ascii("é"), str(b"x"), "{!s}".format(b"y"))
print(string.Template("$a ${b} $$").substitute(a=1, b=2), string.ascii_lowercase[:3], textwrap.dedent("  a\n  b\n"), json.dumps({"a": [1, 2.5, None, True, "é"]}, sort_keys=True), json.loads('{"x": [1, {"y": null}]}'))
print(re.match(r"(\w+)-(\d+)", "ab-12").groups(), re.sub(r"(a)(b)?", r"<\1>", "ab a"), re.findall(r"\d", "a1b2"), re.split(r"[,;]", "a,b;c"), re.search("x", "abc"))
l = [3, 1, 2]
l.sort()
l.append(4)
l.extend("ab")
l.insert(0, 0)
l.remove("a")
print(l, l.pop(), l.index(3), l.count(1), l[::2], l[-1], l + [1], l * 2, [1, 2] < [1, 3], 3 in l)
l[1:3] = ["x", "y", "z"]
del l[0]
print(l, sorted("bca", reverse=True), sorted([(2, "b"), (1, "z")]), list("abc"), tuple([1]), (1,), (), [[]] * 2)
d = {"b": 1, "a": 2}
d["c"] = 3
d.update(x=9, b=5)
print(d, list(d), d.get("q"), d.get("q", 0), d.pop("a"), d.setdefault("n", []), list(d.items()), "b" in d, {**d, "z": 1}, dict([("k", 1)], j=2), dict.fromkeys("ab", 0))
s = {1, 2, 3}
print(s & {2, 3, 4}, s | {9}, s - {1}, s ^ {3, 5}, {1, 2} <= s, frozenset([1, 2]), set(), len(s), sorted(s), s.isdisjoint({8}))
dd = collections.defaultdict(list)
dd["a"].append(1)
od = collections.OrderedDict([("z", 1), ("a", 2)])
od.move_to_end("z")
c = collections.Counter("abracadabra")
dq = collections.deque([1, 2, 3])
dq.appendleft(0)
dq.rotate(1)
print(dict(dd), od, c.most_common(2), c["zz"], dq, dq.pop(), dq.popleft(), dd)
a = [1, [2, 3]]
b = copy.deepcopy(a)
b[1].append(4)
print(a, b, copy.copy(a)[1] is a[1], operator.itemgetter(1, 0)([5, 6]), operator.attrgetter("real")(3))
print(True + 1, True == 1, 1 == 1.0, None is None, [1] is [1], isinstance(True, int), type(1).__name__, type("").__name__, bool([]), bool("0"), str(None), hash(1) == hash(1.0))
print(list(zip([1, 2], "ab")), list(enumerate("ab", 1)), list(range(10, 0, -3)), range(5)[1:3], len(range(0, 10, 3)), 4 in range(0, 10, 2), sum([1, 2], 10), all([]), any([0, 1]), abs(-3), pow(2, 10, 1000), max(1, 2.5), min([3, 2]))
for expr in ['"a" + 1', "1 + 'a'", "[] + ()", "{}['k']", "[1][5]", "int('x')", "None.x", "len(5)", "1/0", "'%d' % 'x'", "{[]: 1}", "(1).foo", "undefined_name", "float('q')", "'a'.index('z')", "[1,2].index(9)", "1 < 'a'", "for_", "'{}'.format()", "'%s %s' % (1,)", "'%s' % (1,2)"]:
    pass
print(format(12345.0,".5"), format(1234.0,".5"), format(True,"5"), format(1.0,".1"), format(10.0,".2"), format(9.5, "5"))
