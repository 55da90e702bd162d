"""Programs that real SQLAlchemy and the evaluator both run.

Each function case_NAME(m, e) gets an empty MetaData and an engine. What it executes is compared, statement by
statement. oracle.py runs it with the real library and prints what is kept in cases.golden.
"""
import enum

import sqlalchemy as sa
from sqlalchemy import (
    Boolean, BigInteger, CheckConstraint, Column, Computed, Date, DateTime, Enum, Float, ForeignKey,
    ForeignKeyConstraint, Index, Integer, Interval, JSON, LargeBinary, MetaData, Numeric, PickleType,
    PrimaryKeyConstraint, SmallInteger, String, Table, Text, Time, Unicode, UnicodeText, UniqueConstraint,
    func, text,
)
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable, DDL, DropConstraint, DropIndex, DropTable
from sqlalchemy.types import TypeDecorator, UserDefinedType


def case_generic_types(m, e):
    Table(
        "t", m,
        Column("a", Integer), Column("b", BigInteger), Column("c", SmallInteger), Column("d", Numeric), Column("d2", Numeric(10)),
        Column("d3", Numeric(10, 2)), Column("d4", Numeric(10, 0)), Column("f", Float), Column("f2", Float(24)), Column("s", String(30)),
        Column("s2", String(30, collation="utf8_bin")), Column("u", Unicode(20)), Column("t", Text), Column("t2", Text(1000)), Column("ut", UnicodeText),
        Column("bo", Boolean), Column("da", Date), Column("dt", DateTime), Column("ti", Time), Column("iv", Interval),
        Column("lb", LargeBinary), Column("lb2", LargeBinary(1000)), Column("pi", PickleType), Column("js", JSON), Column("dtz", DateTime(timezone=True)),
    )
    m.create_all(e)


def case_upper_types(m, e):
    Table(
        "t", m,
        Column("a", sa.INTEGER), Column("b", sa.BIGINT), Column("c", sa.SMALLINT), Column("d", sa.NUMERIC(8, 3)), Column("e", sa.DECIMAL(5)),
        Column("f", sa.FLOAT), Column("g", sa.REAL), Column("h", sa.CHAR(4)), Column("i", sa.VARCHAR(5)), Column("j", sa.NCHAR(6)), Column("k", sa.NVARCHAR(7)),
        Column("l", sa.TEXT), Column("n", sa.BLOB), Column("o", sa.BINARY(16)), Column("p", sa.VARBINARY(20)), Column("q", sa.BOOLEAN), Column("r", sa.DATE),
        Column("s", sa.DATETIME), Column("t", sa.TIME), Column("u", sa.TIMESTAMP), Column("v", sa.CHAR),
    )
    m.create_all(e)


def case_mysql_types(m, e):
    Table(
        "t", m,
        Column("a", mysql.INTEGER(11)), Column("b", mysql.INTEGER(unsigned=True)), Column("c", mysql.BIGINT(20, unsigned=True)),
        Column("d", mysql.TINYINT(1)), Column("e", mysql.TINYINT(display_width=4, unsigned=True, zerofill=True)), Column("f", mysql.MEDIUMINT(8)),
        Column("g", mysql.SMALLINT(5)), Column("h", mysql.DECIMAL(10, 2, unsigned=True)), Column("i", mysql.NUMERIC(10)), Column("j", mysql.DOUBLE(53, 10)),
        Column("k", mysql.DOUBLE), Column("l", mysql.FLOAT(10, 2)), Column("n", mysql.FLOAT(24)), Column("o", mysql.REAL(8, 2)), Column("p", mysql.BIT(4)),
        Column("q", mysql.BIT), Column("r", mysql.DATETIME(fsp=6)), Column("s", mysql.TIMESTAMP(fsp=3)), Column("t", mysql.TIME(fsp=2)),
        Column("u", mysql.YEAR(4)), Column("v", mysql.YEAR),
    )
    m.create_all(e)


def case_mysql_strings(m, e):
    Table(
        "t", m,
        Column("a", mysql.VARCHAR(10, charset="latin1", collation="latin1_bin")), Column("b", mysql.CHAR(3, ascii=True)), Column("c", mysql.TEXT(100)),
        Column("d", mysql.TINYTEXT), Column("e", mysql.MEDIUMTEXT(charset="utf8mb4")), Column("f", mysql.LONGTEXT(collation="utf8mb4_bin")),
        Column("g", mysql.VARCHAR(8, binary=True)), Column("h", mysql.NVARCHAR(9)), Column("i", mysql.NCHAR(9)), Column("j", mysql.VARCHAR(8, unicode=True)),
        Column("k", mysql.TINYBLOB), Column("l", mysql.MEDIUMBLOB), Column("n", mysql.LONGBLOB), Column("o", mysql.ENUM("a", "b'c", charset="utf8")),
        Column("p", mysql.SET("x", "y")), Column("q", mysql.JSON), Column("r", mysql.VARCHAR(5, national=True)),
    )
    m.create_all(e)


class Color(enum.Enum):
    red = 1
    green = 2
    rouge = 1


def case_enums(m, e):
    Table(
        "t", m,
        Column("a", Enum("x", "yy", name="a_enum")), Column("b", Enum(Color)), Column("c", Enum("x", "yyy", native_enum=False)),
        Column("d", Enum("x", "y", native_enum=False, length=20)), Column("e", Enum("x", "it's", native_enum=False, create_constraint=True, name="ck_e")),
        Column("f", Enum(Color, values_callable=lambda c: [str(i.value) for i in c])), Column("g", Enum("p", "q", create_constraint=True)),
    )
    m.create_all(e)


def case_boolean_check(m, e):
    Table("t", m, Column("a", Boolean(create_constraint=True)), Column("b", Boolean(create_constraint=True, name="ck_b"), nullable=False))
    m.create_all(e)


def case_string_without_length(m, e):
    Table("t", m, Column("a", String))
    m.create_all(e)


def case_column_without_type(m, e):
    Table("t", m, Column("a"))
    m.create_all(e)


def case_other_dialect(m, e):
    Table("t", m, Column("a", postgresql.INET))
    m.create_all(e)


def case_with_variant(m, e):
    Table(
        "t", m,
        Column("a", Text().with_variant(mysql.LONGTEXT(), "mysql")),
        Column("b", postgresql.JSONB().with_variant(JSON(), "mysql")),
        Column("c", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("d", DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql").with_variant(postgresql.TIMESTAMP(), "postgresql")),
    )
    m.create_all(e)


class IntBool(TypeDecorator):
    impl = Integer
    cache_ok = True


class Sized(TypeDecorator):
    impl = String


class ByDialect(TypeDecorator):
    impl = Text

    def load_dialect_impl(self, dialect):
        if dialect.name == "mysql":
            return dialect.type_descriptor(mysql.MEDIUMTEXT())
        return dialect.type_descriptor(Text())


class OwnInit(TypeDecorator):
    impl = String

    def __init__(self, size=7, **kw):
        super().__init__(length=size * 2, **kw)
        self.size = size


class Point(UserDefinedType):
    def __init__(self, srid=0):
        self.srid = srid

    def get_col_spec(self, **kw):
        return "POINT SRID %d" % self.srid


class LongString(String):
    pass


def case_type_decorators(m, e):
    Table(
        "t", m,
        Column("a", IntBool), Column("b", Sized(40)), Column("c", ByDialect), Column("d", OwnInit(size=5)), Column("e", OwnInit), Column("f", Point(4326)),
        Column("g", LongString(12)), Column("id", IntBool(), primary_key=True),
    )
    m.create_all(e)


def case_primary_keys(m, e):
    Table("lone", m, Column("id", Integer, primary_key=True))
    Table("big", m, Column("id", BigInteger, primary_key=True))
    Table("str", m, Column("id", String(10), primary_key=True))
    Table("two", m, Column("a", Integer, primary_key=True), Column("b", Integer, primary_key=True))
    Table("two_auto", m, Column("a", Integer, primary_key=True), Column("b", Integer, primary_key=True, autoincrement=True))
    Table("off", m, Column("id", Integer, primary_key=True, autoincrement=False))
    Table("dflt", m, Column("id", Integer, primary_key=True, default=5))
    Table("sdflt", m, Column("id", Integer, primary_key=True, server_default="5"))
    Table("named", m, Column("a", Integer), Column("b", Integer), PrimaryKeyConstraint("a", "b", name="pk_named"))
    Table("lone_constraint", m, Column("a", Integer), PrimaryKeyConstraint("a"))
    Table("seq", m, Column("id", Integer, sa.Sequence("s"), primary_key=True))
    Table("ident", m, Column("id", Integer, sa.Identity(), primary_key=True))
    Table("hash", m, Column("id", Integer), PrimaryKeyConstraint("id", mysql_using="hash"))
    Table("num", m, Column("id", Numeric(10), primary_key=True))
    Table("none", m, Column("a", Integer))
    m.create_all(e)


def case_fk_primary_key(m, e):
    Table("a", m, Column("id", Integer, primary_key=True))
    Table("b", m, Column("id", Integer, ForeignKey("a.id"), primary_key=True))
    Table("c", m, Column("id", Integer, ForeignKey("a.id"), primary_key=True, autoincrement="ignore_fk"))
    Table("d", m, Column("id", None, ForeignKey("a.id"), primary_key=True))
    Table("f", m, Column("id", ForeignKey("d.id")))
    m.create_all(e)


def case_nullability(m, e):
    Table(
        "t", m,
        Column("a", Integer, nullable=False), Column("b", Integer, nullable=True), Column("c", sa.TIMESTAMP), Column("d", sa.TIMESTAMP, nullable=False),
        Column("e", mysql.TIMESTAMP, server_default=func.now()), Column("f", DateTime().with_variant(sa.TIMESTAMP(), "mysql")),
        Column("g", Integer, primary_key=True, nullable=True),
    )
    m.create_all(e)


def case_server_defaults(m, e):
    Table(
        "t", m,
        Column("a", Integer, server_default="0"), Column("b", Integer, server_default=text("0")), Column("c", String(9), server_default="it's"),
        Column("d", String(9), server_default=""), Column("e", String(9), server_default="50%"), Column("f", String(9), server_default="a\\b"),
        Column("g", DateTime, server_default=func.now()), Column("h", DateTime, server_default=func.current_timestamp()),
        Column("i", DateTime, server_default=text("CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP")), Column("j", Boolean, server_default=sa.true()),
        Column("k", Boolean, server_default=sa.false()), Column("l", Boolean, server_default=sa.sql.expression.false()), Column("n", Integer, server_default=sa.null()),
        Column("o", Integer, server_default=sa.FetchedValue()), Column("p", Integer, sa.DefaultClause("7")), Column("q", Integer, server_default=sa.literal_column("8")),
        Column("r", Time, server_default=text("'12:30:00'")), Column("s", Integer, server_onupdate=sa.FetchedValue()), Column("t", Integer, server_default=sa.literal(3)),
        Column("u", DateTime, server_default=func.now(), nullable=False), Column("v", String(5), server_default=text("'x\\:y'")), Column("w", DateTime, server_default=func.sysdate()),
    )
    m.create_all(e)


def case_comments(m, e):
    Table("t", m, Column("a", Integer, comment="it's a % sign"), Column("b", Integer, comment="b", server_default="1", nullable=False), comment="the 'table'")
    m.create_all(e)


def case_computed(m, e):
    Table("t", m, Column("a", Integer), Column("b", Integer, Computed("a + 1")), Column("c", Integer, Computed("a * 2", persisted=True), nullable=False), Column("d", Integer, Computed("a", persisted=False)))
    m.create_all(e)


def case_options(m, e):
    Table("t1", m, Column("a", Integer), mysql_engine="InnoDB", mysql_charset="utf8")
    Table("t2", m, Column("a", Integer), mysql_engine="InnoDB")
    Table("t3", m, Column("a", Integer), mysql_collate="utf8_bin", mysql_default_charset="utf8")
    Table("t4", m, Column("a", Integer), mysql_row_format="DYNAMIC")
    Table("t5", m, Column("a", Integer), mysql_comment="x'y")
    Table("t6", m, Column("a", Integer), mysql_key_block_size="8")
    Table("t7", m, Column("a", Integer), mysql_partition_by="HASH(a)", mysql_partitions="4", mysql_engine="InnoDB")
    Table("t8", m, Column("a", Integer), prefixes=["TEMPORARY"])
    Table("t9", m, Column("a", Integer), postgresql_with_oids=True, mysql_auto_increment="100")
    m.create_all(e)


def case_quoting(m, e):
    Table(
        "Users", m,
        Column("when", Integer), Column("timestamp", Integer), Column("camelCase", Integer), Column("with space", Integer), Column("back`tick", Integer),
        Column("1digit", Integer), Column("$dollar", Integer), Column("a$b", Integer), Column("key", Integer), Column("rank", Integer), Column("groups", Integer),
        Column("plain_1", Integer), Column("order", Integer, primary_key=True), Column("forced", Integer, quote=True), Column("Off", Integer, quote=False), Column("ünï", Integer),
    )
    Table("select", m, Column("from", Integer, ForeignKey("Users.order"), index=True), Column("x", Integer, unique=True))
    Table("q", m, Column("a", Integer), quote=True)
    m.create_all(e)


def case_schema_qualified(m, e):
    Table("a", m, Column("id", Integer, primary_key=True), schema="other")
    Table("b", m, Column("id", Integer, primary_key=True), Column("a_id", Integer, ForeignKey("other.a.id"), index=True), schema="Third")
    m.create_all(e)


def case_metadata_schema(m, e):
    m2 = MetaData(schema="s")
    Table("a", m2, Column("id", Integer, primary_key=True))
    Table("b", m2, Column("id", Integer, primary_key=True), Column("a_id", Integer, ForeignKey("s.a.id"), index=True))
    m2.create_all(e)


def case_foreign_keys(m, e):
    Table("p", m, Column("id", Integer, primary_key=True), Column("x", Integer), Column("y", Integer), UniqueConstraint("x", "y"))
    Table(
        "c", m,
        Column("a", Integer, ForeignKey("p.id")), Column("b", Integer, ForeignKey("p.id", name="fk_b", ondelete="CASCADE", onupdate="SET NULL")),
        Column("d", Integer, ForeignKey("p.id", deferrable=True, initially="DEFERRED")), Column("x", Integer), Column("y", Integer),
        ForeignKeyConstraint(["x", "y"], ["p.x", "p.y"], name="fk_xy", ondelete="RESTRICT"), ForeignKeyConstraint(["x"], ["p.id"], onupdate="NO ACTION"),
    )
    m.create_all(e)


def case_fk_column_object(m, e):
    p = Table("p", m, Column("id", Integer, primary_key=True))
    Table("c", m, Column("p_id", p.c.id.type, ForeignKey(p.c.id)), Column("q", Integer), ForeignKeyConstraint(["q"], [p.c.id]))
    m.create_all(e)


def case_fk_match(m, e):
    Table("p", m, Column("id", Integer, primary_key=True))
    Table("c", m, Column("a", Integer, ForeignKey("p.id", match="FULL")))
    m.create_all(e)


def case_fk_bad_action(m, e):
    Table("p", m, Column("id", Integer, primary_key=True))
    Table("c", m, Column("a", Integer, ForeignKey("p.id", ondelete="EXPLODE")))
    m.create_all(e)


def case_fk_missing_table(m, e):
    Table("c", m, Column("a", Integer, ForeignKey("nowhere.id")))
    m.create_all(e)


def case_uniques_and_indexes(m, e):
    Table(
        "t", m,
        Column("a", Integer, unique=True), Column("b", Integer, index=True), Column("c", Integer, unique=True, index=True), Column("d", Integer), Column("f", String(50)),
        UniqueConstraint("a", "b"), UniqueConstraint("c", "d", name="uq_cd"), Index("ix_own", "d", "f"), Index("ix_unique", "f", unique=True),
        Index("ix_len", "f", mysql_length=10), Index("ix_lens", "d", "f", mysql_length={"f": 5}), Index("ix_ft", "f", mysql_prefix="FULLTEXT"),
        Index("ix_using", "d", mysql_using="btree"), Index("ix_parser", "f", mysql_prefix="FULLTEXT", mysql_with_parser="ngram"),
    )
    m.create_all(e)


def case_index_expressions(m, e):
    t = Table("t", m, Column("a", Integer), Column("b", String(10)))
    Index("ix_desc", t.c.a.desc())
    Index("ix_lower", func.lower(t.c.b))
    Index("ix_sum", t.c.a + 5)
    Index("ix_mixed", t.c.a, t.c.b.desc())
    Index("ix_text", text("a DESC"), _table=t)
    t.create(e)


def case_index_without_name(m, e):
    t = Table("t", m, Column("a", Integer), Column("b", Integer))
    Index(None, t.c.a, t.c.b)
    m.create_all(e)


def case_check_constraints(m, e):
    t = Table("t", m, Column("a", Integer, CheckConstraint("a > 0")), Column("b", Integer), CheckConstraint("a < b", name="ck_ab"), CheckConstraint("b LIKE '%x'"))
    t.append_constraint(CheckConstraint(t.c.a > 5))
    t.append_constraint(CheckConstraint(sa.and_(t.c.a > 5, sa.or_(t.c.b == None, t.c.b.in_([1, 2]))), name="ck_expr"))
    m.create_all(e)


def case_constraint_order(m, e):
    Table("p", m, Column("id", Integer, primary_key=True))
    Table("t", m, Column("a", Integer, ForeignKey("p.id"), unique=True), Column("b", Boolean(create_constraint=True), unique=True), UniqueConstraint("a", "b"), CheckConstraint("a > 1"))
    m.create_all(e)


NAMING = {
    "ix": "ix_%(column_0_label)s", "uq": "uq_%(table_name)s_%(column_0_name)s", "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s", "pk": "pk_%(table_name)s",
}


def naming_tables(m2):
    Table("p", m2, Column("id", Integer, primary_key=True), Column("x", Integer, unique=True))
    Table(
        "child", m2,
        Column("id", Integer, primary_key=True), Column("p_id", Integer, ForeignKey("p.id"), index=True), Column("u", String(5), unique=True),
        Column("flag", Boolean(create_constraint=True, name="flag")), CheckConstraint("id > 0", name="positive"), UniqueConstraint("p_id", "u"),
        UniqueConstraint("u", "id", name="own_name"), Index("own_index", "u"),
    )


def case_naming_convention(m, e):
    m2 = MetaData(naming_convention=NAMING)
    naming_tables(m2)
    m2.create_all(e)


def case_naming_convention_all_columns(m, e):
    m2 = MetaData(naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s__%(column_0N_key)s", "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_label)s_%(referred_table_name)s_%(referred_column_0_name)s", "pk": "pk_%(table_name)s_%(column_0_name)s",
    })
    naming_tables(m2)
    m2.create_all(e)


def case_naming_custom_token(m, e):
    def token(constraint, table):
        return "_".join([table.name] + [c.name for c in constraint.columns])

    m2 = MetaData(naming_convention={"all": token, "uq": "uq__%(all)s"})
    Table("t", m2, Column("a", Integer), Column("b", Integer), UniqueConstraint("a", "b"))
    m2.create_all(e)


def case_naming_check_without_name(m, e):
    m2 = MetaData(naming_convention=NAMING)
    Table("t", m2, Column("a", Boolean(create_constraint=True)))
    m2.create_all(e)


def case_naming_too_long(m, e):
    m2 = MetaData(naming_convention=NAMING)
    Table("p" * 30, m2, Column("id", Integer, primary_key=True))
    Table("a_table_with_a_rather_long_name", m2, Column("a_column_with_a_rather_long_name_too", Integer, ForeignKey("p" * 30 + ".id"), index=True, unique=False), Column("id", Integer, unique=True))
    m2.create_all(e)


def case_conv_name(m, e):
    m2 = MetaData(naming_convention=NAMING)
    Table("t", m2, Column("a", Integer), CheckConstraint("a > 1", name=sa.schema.conv("as_it_is")), CheckConstraint("a > 2", name="made"))
    m2.create_all(e)


def case_dependency_order(m, e):
    Table("zebra", m, Column("id", Integer, primary_key=True))
    Table("beta", m, Column("id", Integer, primary_key=True), Column("g", Integer, ForeignKey("gamma.id")))
    Table("alpha", m, Column("id", Integer, primary_key=True), Column("b", Integer, ForeignKey("beta.id")))
    Table("gamma", m, Column("id", Integer, primary_key=True), Column("self", Integer, ForeignKey("gamma.id")))
    m.create_all(e)


def case_use_alter(m, e):
    Table("a", m, Column("id", Integer, primary_key=True), Column("b_id", Integer, ForeignKey("b.id", use_alter=True, name="fk_ab")))
    Table("b", m, Column("id", Integer, primary_key=True), Column("a_id", Integer, ForeignKey("a.id")))
    m.create_all(e)


def case_cycle(m, e):
    Table("a", m, Column("id", Integer, primary_key=True), Column("b_id", Integer, ForeignKey("b.id", name="fk_ab")))
    Table("b", m, Column("id", Integer, primary_key=True), Column("a_id", Integer, ForeignKey("a.id", name="fk_ba")))
    Table("c", m, Column("id", Integer, primary_key=True), Column("a_id", Integer, ForeignKey("a.id", name="fk_ca")))
    m.create_all(e)


def case_drop_all(m, e):
    Table("p", m, Column("id", Integer, primary_key=True))
    Table("c", m, Column("id", Integer, primary_key=True), Column("p_id", Integer, ForeignKey("p.id")))
    m.create_all(e)
    m.drop_all(e)


def case_table_create_and_drop(m, e):
    t = Table("t", m, Column("a", Integer, index=True))
    t.create(e)
    t.indexes
    t.drop(e)


def case_ddl_elements(m, e):
    t = Table("t", m, Column("a", Integer), Column("b", Integer))
    ix = Index("ix_a", t.c.a)
    uq = UniqueConstraint(t.c.a, name="uq_a")
    e.execute(CreateTable(t))
    e.execute(CreateIndex(ix))
    e.execute(DropIndex(ix))
    e.execute(AddConstraint(UniqueConstraint(t.c.b, name="uq_b")))
    e.execute(DropConstraint(uq))
    e.execute(DropTable(t))


def case_ddl_text(m, e):
    t = Table("t", m, Column("a", Integer))
    sa.event.listen(t, "after_create", DDL("ALTER TABLE t ADD COLUMN late INTEGER").execute_if(dialect="mysql"))
    sa.event.listen(t, "after_create", DDL("ALTER TABLE t ADD COLUMN never INTEGER").execute_if(dialect="postgresql"))
    m.create_all(e)


def case_tometadata(m, e):
    t = Table("t", m, Column("id", Integer, primary_key=True), Column("a", Integer, unique=True, index=False), Column("b", Integer, index=True), UniqueConstraint("a", "b", name="uq"), Index("ix_ab", "a", "b"))
    m2 = MetaData()
    t.tometadata(m2)
    m2.create_all(e)


def case_copied_columns(m, e):
    t = Table("t", m, Column("id", Integer, primary_key=True), Column("a", String(5), nullable=False, server_default="x"))
    h = Table("t_history", m, Column("change_id", Integer, primary_key=True))
    for c in t.c:
        n = c.copy()
        if n.primary_key:
            n.primary_key = False
            n.autoincrement = False
        else:
            n.nullable = True
        h.append_column(n)
    m.create_all(e)


def case_loops_and_formats(m, e):
    for name, size in [("one", 10), ("two", 20)]:
        t = Table("{}_items".format(name), m, Column("id", Integer, primary_key=True))
        t.append_column(Column("%s_value" % name, String(size)))
    m.create_all(e, tables=[m.tables["two_items"]])


def case_extend_existing(m, e):
    Table("t", m, Column("a", Integer))
    Table("t", m, Column("b", Integer), Column("a", String(5)), extend_existing=True)
    m.create_all(e)


def case_redefined(m, e):
    Table("t", m, Column("a", Integer))
    Table("t", m, Column("b", Integer))


def case_unique_index_names(m, e):
    t = Table("t", m, Column("a", Integer, unique=True, index=True), Column("B", Integer, index=True))
    names = sorted(ix.name for ix in t.indexes)
    Table("_".join(names), m, Column("id", Integer))
    m.create_all(e)


def case_missing_column(m, e):
    Table("t", m, Column("a", Integer), UniqueConstraint("nope"))


def case_column_properties(m, e):
    c = Column("a", String(12), nullable=False, comment="c")
    t = Table("t", m, c, Column("b", Numeric(7, 3)))
    Table("seen", m, Column("%s_%d_%s" % (t.c.a.name, t.c.a.type.length, t.c.a.nullable), Integer), Column("p%d_%d" % (t.c.b.type.precision, t.c["b"].type.scale), Integer))
    assert "a" in t.c and c.table is t and list(t.c.keys()) == ["a", "b"] and isinstance(t.c.a.type, String)
    m.create_all(e, tables=[m.tables["seen"]])


def case_declarative(m, e):
    from sqlalchemy.ext.declarative import declarative_base
    from sqlalchemy.orm import relationship

    Base = declarative_base(metadata=m)

    class Parent(Base):
        __tablename__ = "parent"
        __table_args__ = (UniqueConstraint("name", name="uq_name"), {"mysql_engine": "InnoDB"})
        id = Column(Integer, primary_key=True)
        name = Column("name", String(20), nullable=False)
        children = relationship("Child")

    class Child(Base):
        __tablename__ = "child"
        id = Column(Integer, primary_key=True)
        parent_id = Column(Integer, ForeignKey("parent.id"), index=True)

    Base.metadata.create_all(e)
    Parent.__table__.drop(e)


def case_mixins(m, e):
    from sqlalchemy.ext.declarative import declarative_base, declared_attr

    class Stamped(object):
        created = Column(DateTime, server_default=func.now())

        @declared_attr
        def __tablename__(cls):
            return cls.__name__.lower()

    Base = declarative_base(metadata=m)

    class Thing(Stamped, Base):
        id = Column(Integer, primary_key=True)

    Base.metadata.create_all(e)


def case_table_comment_none(m, e):
    Table("t", m, Column("a", Integer, comment=""), comment="")
    m.create_all(e)


def case_reserved_names_in_constraints(m, e):
    Table("t", m, Column("key", Integer), UniqueConstraint("key", name="Key"), Index("index", "key"))
    m.create_all(e)
