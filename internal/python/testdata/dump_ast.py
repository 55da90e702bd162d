"""Print the syntax trees of Python files as CPython's ast module sees them.

The test sends one path a line on stdin. For each the answer is a line with the number of
bytes that follow, and a dump with one line per node or field; -1 means that CPython does not parse
the file. With the argument "list" the paths of the standard library and of the packages
installed beside it are printed instead.
"""

import ast
import os
import struct
import sys
import sysconfig
import warnings

warnings.simplefilter("ignore")
sys.setrecursionlimit(100000)

# What is not compared: contexts follow from the place of a node, type comments are not read.
SKIP = {"ctx", "type_comment", "type_ignores"}


def scalar(value):
    if isinstance(value, bool) or value is None or value is ...:
        return repr(value)
    if isinstance(value, str):
        return "s" + value.encode("utf-8", "surrogatepass").hex()
    if isinstance(value, bytes):
        return "b" + value.hex()
    if isinstance(value, int):
        return hex(value)
    if isinstance(value, float):
        return "f" + struct.pack(">d", value).hex()
    if isinstance(value, complex):
        return "j" + struct.pack(">d", value.imag).hex()
    raise TypeError(value)


def dump(node, out, spans):
    name = type(node).__name__
    if spans and hasattr(node, "lineno"):
        name += f" {node.lineno}:{node.col_offset + 1}-{node.end_lineno}:{node.end_col_offset + 1}"
    out.append(name)
    # Before Python 3.12, positions within f-strings are wrong.
    if isinstance(node, ast.JoinedStr) and sys.version_info < (3, 12):
        spans = False
    for field in node._fields:
        if field in SKIP:
            continue
        value = getattr(node, field, None)
        if isinstance(value, list):
            if isinstance(node, ast.JoinedStr):
                # Python 3.12 adds empty constants to some format specs.
                value = [x for x in value if not (isinstance(x, ast.Constant) and x.value == "")]
            if not value:
                continue
            out.append(f".{field} {len(value)}")
            for item in value:
                if isinstance(item, ast.AST):
                    dump(item, out, spans)
                elif item is None:
                    out.append("None")
                else:
                    out.append(scalar(item))
        elif isinstance(value, ast.AST):
            out.append("." + field)
            dump(value, out, spans)
        elif value is None and not (field == "value" and isinstance(node, (ast.Constant, ast.MatchSingleton))):
            continue
        else:
            out.append(f".{field} {scalar(value)}")


def paths():
    found = []
    for top in {sysconfig.get_path("stdlib"), "/usr/lib/python3/dist-packages"}:
        for folder, _, files in os.walk(top):
            found += [os.path.join(folder, f) for f in files if f.endswith(".py")]
    return sorted(set(found))


def main():
    if sys.argv[1:] == ["list"]:
        print("\n".join(paths()))
        return
    print("fspans" if sys.version_info >= (3, 12) else "no fspans", flush=True)
    for line in sys.stdin:
        try:
            with open(line.rstrip("\n"), "rb") as f:
                tree = ast.parse(f.read())
        except (SyntaxError, ValueError):
            print(-1, flush=True)
            continue
        out = []
        dump(tree, out, True)
        data = "\n".join(out).encode()
        sys.stdout.write(f"{len(data)}\n")
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


main()
