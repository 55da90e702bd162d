"""Orders can be gifts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column("orders", sa.Column("gift_note", sa.String(200)))


def downgrade():
    op.drop_column("orders", "gift_note")
