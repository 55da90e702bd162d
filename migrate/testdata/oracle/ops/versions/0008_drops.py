"""Drops"""
from alembic import op

revision = "0008"
down_revision = ("0007",)


def upgrade():
    op.drop_constraint("uq_two", "account", type_="unique")
    op.drop_column("account", "postcode")
    op.drop_constraint("fk_parent", "account", type_="foreignkey")
    op.drop_column("account", "parent_id")
    op.drop_index("ix_full", table_name="account")
    op.drop_table("squares")
    op.execute("DROP TABLE bear")


def downgrade():
    pass
