"""Rename and drop."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade():
    op.rename_table("users", "accounts")
    op.drop_column("accounts", "nick")
    op.drop_index("ix_posts_title", table_name="posts")


def downgrade():
    op.rename_table("accounts", "users")
