"""Reflects the tables of reflect.sql with the real SQLAlchemy and prints what it would create of them."""
import os
import re
import sys
import warnings

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects.mysql.reflection import MySQLTableDefinitionParser
from sqlalchemy.engine.reflection import Inspector
from sqlalchemy.schema import CreateIndex, CreateTable

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from oracle import plain

warnings.simplefilter("ignore")


class Dialect(mysql.dialect):
    supports_statement_cache = True
    _needs_correct_for_88718_96365 = False
    default_schema_name = "db"

    def _parsed_state_or_create(self, connection, table_name, schema=None, **kw):
        return MySQLTableDefinitionParser(self, self.identifier_preparer).parse(tables[table_name], "utf8mb4")


class Connection:
    def __init__(self):
        self.dialect = Dialect(paramstyle="named")
        self.dialect.server_version_info = (8, 4, 0)
        self.engine = self

    def schema_for_object(self, table):
        return table.schema


def inspector(bind):
    i = object.__new__(Inspector)
    i.bind = i.engine = bind
    i.dialect = bind.dialect
    i.info_cache = {}
    i._op_context_requires_connect = False
    return i


here = os.path.dirname(os.path.abspath(__file__))
tables = {}
for sql in open(os.path.join(here, "reflect.sql")).read().split("\n\n"):
    tables[re.match(r"CREATE TABLE `(\w+)`", sql).group(1)] = sql

c = Connection()
m = sa.MetaData()
made = [sa.Table(name, m) for name in tables]
for t in made:
    inspector(c).reflect_table(t, None, resolve_fks=False)
for t in made:
    print("-- %s --" % t.name)
    for element in [CreateTable(t)] + [CreateIndex(i) for i in sorted(t.indexes, key=lambda i: i.name)]:
        print(plain(str(element.compile(dialect=c.dialect))) + ";")
