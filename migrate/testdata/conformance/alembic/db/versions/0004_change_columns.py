"""Change columns."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"


def upgrade():
    op.alter_column("users", "name", type_=sa.String(150), existing_nullable=False)
    op.alter_column("posts", "body", new_column_name="content", existing_type=sa.Text())
    with op.batch_alter_table("posts") as batch:
        batch.alter_column("score", type_=mysql.DOUBLE(), existing_type=sa.Float())


def downgrade():
    op.alter_column("posts", "content", new_column_name="body", existing_type=sa.Text())
