"""Create posts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    posts = op.create_table(
        "posts",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("body", sa.Text),
        sa.Column("score", sa.Float),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_posts_user"),
    )
    assert posts is not None
    op.execute("INSERT INTO users (name, created) VALUES ('a;b -- not a comment', '2024-01-01')")


def downgrade():
    op.drop_table("posts")
