"""What projects put beside their migrations."""
import contextlib
import functools

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.engine import reflection


def raise_if_offline(func):
    @functools.wraps(func)
    def decorator(*args, **kwargs):
        if context.is_offline_mode():
            raise RuntimeError("offline")
        return func(*args, **kwargs)

    return decorator


@raise_if_offline
def schema_has_table(table_name, bind=None):
    bind = bind or op.get_bind()
    return table_name in reflection.Inspector.from_engine(bind).get_table_names()


@raise_if_offline
def schema_has_column(table_name, column_name):
    if not schema_has_table(table_name):
        return False
    columns = sa.inspect(op.get_bind()).get_columns(table_name)
    return column_name in [c["name"] for c in columns]


def drop_column_if_exists(table_name, column_name):
    if schema_has_column(table_name, column_name):
        op.drop_column(table_name, column_name)


def create_foreign_keys(table, foreign_keys):
    for fk in foreign_keys:
        op.create_foreign_key(
            constraint_name=fk["name"],
            source_table=table,
            referent_table=fk["referred_table"],
            local_cols=fk["constrained_columns"],
            remote_cols=fk["referred_columns"],
            ondelete=fk["options"].get("ondelete"),
        )


@contextlib.contextmanager
def without_foreign_keys(table):
    inspector = reflection.Inspector.from_engine(op.get_bind())
    foreign_keys = inspector.get_foreign_keys(table)
    for fk in foreign_keys:
        op.drop_constraint(fk["name"], table, type_="foreignkey")
    try:
        yield
    finally:
        create_foreign_keys(table, foreign_keys)


def drop_unique_over(table, columns):
    inspector = sa.inspect(op.get_bind())
    for c in inspector.get_unique_constraints(table):
        if set(c["column_names"]) == set(columns):
            op.drop_constraint(constraint_name=c["name"], table_name=table, type_="unique")


class Base:
    @staticmethod
    def stamp():
        return [sa.Column("created_at", sa.DateTime()), sa.Column("updated_at", sa.DateTime())]
