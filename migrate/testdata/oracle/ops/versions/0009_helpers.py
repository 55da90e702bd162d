"""Helpers, reflection and constraints that the server has named"""
import helpers
import sqlalchemy as sa
from alembic import op
from helpers import schema_has_table

revision = "0009"
down_revision = "0008"

TABLES = ("shelf", "book")
NAME_LEN = 64


def upgrade():
    for name in TABLES:
        if schema_has_table(name):
            continue
        op.create_table(
            name,
            sa.Column("id", sa.String(36), primary_key=True),
            sa.Column("name", sa.String(NAME_LEN), nullable=False),
            sa.Column("code", sa.String(8), unique=True),
            *helpers.Base.stamp(),
            mysql_engine="InnoDB",
        )
    op.add_column("book", sa.Column("shelf_id", sa.String(36), sa.ForeignKey("shelf.id", ondelete="CASCADE")))
    with helpers.without_foreign_keys("book"):
        op.alter_column("book", "shelf_id", existing_type=sa.String(36), nullable=False)
    helpers.drop_unique_over("book", ["code"])
    helpers.drop_column_if_exists("book", "updated_at")
    helpers.drop_column_if_exists("book", "never")
    book = sa.Table("book", sa.MetaData(), autoload_with=op.get_bind())
    for index in sorted(book.indexes, key=lambda i: i.name):
        op.drop_index(index.name, table_name="shelf") if index.name == "nothing" else None
    if "created_at" in book.c:
        op.alter_column(
            "book",
            "created_at",
            existing_type=book.c.created_at.type,
            nullable=book.c.created_at.nullable,
            new_column_name="born_at",
        )
    meta = sa.MetaData()
    extra = sa.Table("extra", meta, sa.Column("id", sa.Integer, primary_key=True), sa.Column("book_id", sa.ForeignKey(book.c.id)))
    extra.create(op.get_bind())
    try:
        op.create_index("ix_code", "shelf", ["code"])
    except Exception as error:
        if "Duplicate" not in str(error):
            raise


def downgrade():
    pass
