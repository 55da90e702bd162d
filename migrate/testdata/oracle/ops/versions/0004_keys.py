"""Indexes and constraints"""
import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade():
    op.create_index("ix_nick", "account", ["nickname"])
    op.create_index(op.f("ix_account_born"), "account", ["born", "active"], unique=False)
    op.create_index("uq_region", "account", ["region", "nickname"], unique=True)
    op.create_index("ix_note", "account", ["note"], mysql_length=20)
    op.create_index("ix_full", "account", ["note"], mysql_prefix="FULLTEXT")
    op.create_index("ix_two", "account", ["note", "nickname"], mysql_length={"note": 10})
    op.create_index("ix_desc", "account", [sa.text("score DESC")])
    op.create_unique_constraint("uq_club", "membership", ["club", "since"])
    op.create_unique_constraint(None, "membership", ["extra_one"])
    op.create_foreign_key("fk_club", "membership", "account", ["extra_one"], ["name"], onupdate="CASCADE", ondelete="SET NULL")
    op.create_foreign_key(None, "membership", "account", ["extra_two"], ["name"])
    op.create_check_constraint("ck_root", "squares", "root < 1000")
    op.create_check_constraint("ck_column", "squares", sa.column("root") > 5)
    op.drop_constraint("ck_root", "squares", type_="check")
    op.drop_constraint("fk_club", "membership", type_="foreignkey")
    op.drop_constraint("uq_club", "membership", "unique")
    op.drop_index("ix_nick", table_name="account")
    op.drop_index("ix_desc", "account")
    op.create_table("bare", sa.Column("a", sa.Integer(), nullable=False), sa.Column("b", sa.String(5), nullable=False))
    op.create_primary_key("pk_bare", "bare", ["a", "b"])
    op.drop_constraint("pk_bare", "bare", type_="primary")
    op.create_primary_key(None, "bare", ["b"])
    op.rename_table("bare", "bear")
    op.create_table_comment("bear", "an animal's")
    op.drop_table_comment("bear", existing_comment="an animal's")


def downgrade():
    op.drop_table("bear")
