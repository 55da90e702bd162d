"""Runs cases.py with the real SQLAlchemy and prints what it executes, in the form of cases.golden."""
import os
import re
import sys
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
warnings.simplefilter("ignore")

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

import cases


class Engine:
    """An engine that collects what it is told to execute."""

    def __init__(self):
        self.out = []
        # Without doubled percent signs the text is what the server receives.
        self.dialect = mysql.dialect(paramstyle="named")
        self.mock = sa.create_mock_engine("mysql+pymysql://", self.execute)
        self.mock._dialect = self.dialect

    def execute(self, element, *args, **kw):
        sql = element if isinstance(element, str) else str(element.compile(dialect=self.dialect))
        self.out.append(sql)


def plain(sql):
    sql = re.sub(r"\s+", " ", sql).strip()
    # The library keeps table options in a set: their order is not defined, apart from partitions at the end.
    m = re.match(r"(CREATE (?:\w+ )?TABLE .* \))(?!.*PARTITION)(\S.*)$", sql)
    if m:
        options = re.findall(r"(?:DEFAULT CHARSET|\w+)[= ](?:'(?:[^']|'')*'|\S+)", m.group(2))
        sql = m.group(1) + " ".join(sorted(options))
    return sql


def run(name):
    e = Engine()
    m = sa.MetaData()
    error = None
    try:
        getattr(cases, name)(m, e.mock)
    except Exception as x:
        error = type(x).__name__
    out = [plain(s) for s in e.out]
    # The library keeps indexes in a set, and the foreign keys of a circle: their order is not defined.
    i = 0
    while i < len(out):
        j = i
        while j < len(out) and re.match(r"CREATE (UNIQUE |FULLTEXT |SPATIAL )*INDEX|ALTER TABLE \w+ ADD CONSTRAINT", out[j]):
            j += 1
        out[i:j] = sorted(out[i:j])
        i = max(j, i + 1)
    print("-- %s --" % name)
    for s in out:
        print(s + ";")
    if error:
        print("raises " + error)


if __name__ == "__main__":
    for name in sorted(n for n in dir(cases) if n.startswith("case_")):
        run(name)
