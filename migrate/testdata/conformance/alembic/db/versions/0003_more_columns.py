"""More columns."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    columns = {
        "users": [sa.Column("nick", sa.String(40)), sa.Column("active", sa.Boolean, nullable=False, server_default="1")],
        "posts": [sa.Column("views", sa.Integer, nullable=False, server_default="0")],
    }
    for table, added in columns.items():
        for column in added:
            op.add_column(table, column)
    op.create_index("ix_posts_title", "posts", ["title"])


def downgrade():
    op.drop_column("posts", "views")
