"""Columns are added"""
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column("account", sa.Column("nick", sa.String(30)))
    op.add_column("account", sa.Column("score", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("account", sa.Column("token", sa.String(64), unique=True))
    op.add_column("account", sa.Column("region", sa.String(8), index=True))
    op.add_column("account", sa.Column("parent_id", sa.Integer(), sa.ForeignKey("account.id", name="fk_parent")))
    op.add_column("account", sa.Column("rate", sa.Float(), sa.CheckConstraint("rate > 0")))
    op.add_column("Order", sa.Column("flag", sa.Boolean(create_constraint=True, name="ck_flag")))
    op.add_column("Order", sa.Column("state", sa.Enum("new", "done", native_enum=False, create_constraint=True, name="ck_state")))
    op.add_column("Order", sa.Column("seen", sa.TIMESTAMP(), server_default=sa.text("CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP")))
    for name in ["one", "two"]:
        op.add_column("membership", sa.Column("extra_%s" % name, sa.String(10), comment=f"number {name}"))


def downgrade():
    for name in ["two", "one"]:
        op.drop_column("membership", "extra_" + name)
