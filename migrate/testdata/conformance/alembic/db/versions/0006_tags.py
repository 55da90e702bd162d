"""Tags."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade():
    op.create_table(
        "tags",
        sa.Column("post_id", sa.BigInteger, sa.ForeignKey("posts.id", name="fk_tags_post", ondelete="CASCADE"), primary_key=True),
        sa.Column("tag", sa.String(30), primary_key=True, index=True),
    )


def downgrade():
    op.drop_table("tags")
