"""Columns are altered in every way that MySQL has"""
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"


def upgrade():
    op.alter_column("account", "nick", new_column_name="nickname", existing_type=sa.String(30))
    op.alter_column("account", "nickname", existing_type=sa.String(30), nullable=False, server_default="")
    op.alter_column("account", "nickname", existing_type=sa.String(30), type_=sa.String(60))
    op.alter_column("account", "score", server_default="5")
    op.alter_column("account", "score", server_default=None)
    op.alter_column("account", "score", server_default=sa.text("7"))
    op.alter_column("account", "score", existing_type=sa.Integer(), existing_nullable=False, type_=sa.BigInteger(), existing_server_default="7")
    op.alter_column("account", "born", existing_type=sa.Date(), comment="birthday; 100% sure")
    op.alter_column("account", "changed", existing_type=sa.TIMESTAMP(), nullable=False, server_default=sa.text("CURRENT_TIMESTAMP"))
    op.alter_column("account", "created", existing_type=sa.DateTime(), server_default=sa.text("'2020-01-01 00:00:00'"))
    op.alter_column("account", "created", existing_type=sa.DateTime(), server_default=None)
    op.alter_column("account", "created", existing_type=sa.DateTime, server_default="2021-01-01 00:00:00", existing_nullable=False)
    op.alter_column("account", "note", existing_type=sa.Text(), type_=mysql.LONGTEXT())
    op.alter_column("account", "kind", existing_type=sa.Enum("plain", "it's"), type_=sa.Enum("plain", "it's", "more"), existing_nullable=True)
    op.alter_column("squares", "id", existing_type=sa.SmallInteger(), type_=sa.Integer(), autoincrement=True, nullable=False)
    op.alter_column("squares", "id", existing_type=sa.Integer(), existing_autoincrement=True, existing_nullable=False, comment="key")
    op.alter_column("Order", "key", new_column_name="Key", existing_type=sa.String(40), existing_nullable=True)
    op.alter_column("account", "email", existing_type=sa.String(255), existing_comment="kept", nullable=True)


def downgrade():
    raise NotImplementedError("no way back")
