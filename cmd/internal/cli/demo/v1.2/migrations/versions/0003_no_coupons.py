"""Nobody used coupons."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = ["orders", "orders_archive"]


def upgrade():
    for table in TABLES:
        op.drop_column(table, "coupon")


def downgrade():
    for table in TABLES:
        op.add_column(table, sa.Column("coupon", sa.String(20)))
