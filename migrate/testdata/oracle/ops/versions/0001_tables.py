"""Tables of every kind

Revision ID: 0001
"""
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

now = sa.text("CURRENT_TIMESTAMP")


def upgrade():
    op.create_table(
        "account",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(80), nullable=False, unique=True),
        sa.Column("email", sa.String(length=255), index=True, comment="it's the login"),
        sa.Column("active", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("balance", sa.Numeric(10, 2), server_default="0.00"),
        sa.Column("kind", sa.Enum("plain", "it's", name="account_kind"), server_default="plain"),
        sa.Column("settings", sa.JSON()),
        sa.Column("note", sa.Text()),
        sa.Column("picture", sa.LargeBinary()),
        sa.Column("born", sa.Date()),
        sa.Column("created", sa.DateTime(), server_default=now, nullable=False),
        sa.Column("changed", sa.TIMESTAMP(), nullable=True),
        comment="who's who",
    )
    op.create_table(
        "Order",
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=True),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("key", mysql.VARCHAR(40, charset="ascii", collation="ascii_bin")),
        sa.Column("total", sa.Float(), nullable=False),
        sa.Column("size", mysql.INTEGER(unsigned=True), nullable=False, server_default=sa.text("1")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_order")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_order_account", ondelete="CASCADE"),
        sa.UniqueConstraint("account_id", "key", name="uq_order"),
        sa.CheckConstraint("total >= 0", name="ck_total"),
        sa.Index("ix_order_total", "total"),
    )
    op.create_table(
        "membership",
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("club", sa.String(20), primary_key=True),
        sa.Column("since", sa.Time()),
        sa.Column("flags", mysql.SET("a", "b")),
        mysql_charset="utf8mb4",
    )
    op.create_table(
        "squares",
        sa.Column("id", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("root", sa.Integer(), nullable=False),
        sa.Column("square", sa.Integer(), sa.Computed("root * root", persisted=True)),
        mysql_engine="InnoDB",
    )


def downgrade():
    op.drop_table("squares")
    op.drop_table("membership")
    op.drop_table("Order")
    op.drop_table("account")
