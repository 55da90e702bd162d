"""Rows, connections and texts"""
import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.sql import column, table

revision = "0006"
down_revision = "0005"


def columns_of(bind, name):
    return [c["name"] for c in sa.inspect(bind).get_columns(name)]


def upgrade():
    bind = op.get_bind()
    t = op.create_table("city", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(50)))
    op.bulk_insert(t, [{"id": 1, "name": "Köln"}, {"id": 2, "name": "it's"}])
    op.bulk_insert(table("city", column("id", sa.Integer), column("name", sa.String)), [{"id": 3, "name": "Bonn"}], multiinsert=False)
    op.bulk_insert(t, [])
    op.execute("UPDATE city SET name = 'a%b' WHERE id = 3")
    op.execute(sa.text("ALTER TABLE city ADD COLUMN mayor VARCHAR(20)"))
    op.execute(t.update().where(t.c.id == op.inline_literal(3)).values(name=op.inline_literal("x")))
    op.execute(t.delete().where(t.c.id == 2))
    bind.execute(sa.text("ALTER TABLE city ADD COLUMN people INTEGER"))
    if bind.dialect.name == "mysql" and "mayor" in columns_of(bind, "city"):
        op.execute("ALTER TABLE city DROP COLUMN mayor")
    if op.get_context().dialect.name == "postgresql":
        op.execute("CREATE TYPE x")
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX ix_people ON city (people)")
    if not context.is_offline_mode():
        op.add_column("city", sa.Column("online", sa.Boolean()))


def downgrade():
    op.drop_table("city")
