"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    for name in ("orders", "orders_archive"):
        op.create_table(
            name,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("customer", sa.String(100), nullable=False),
            sa.Column("coupon", sa.String(20)),
        )


def downgrade():
    op.drop_table("orders_archive")
    op.drop_table("orders")
