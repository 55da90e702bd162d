"""Batches are plain statements on MySQL"""
import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade():
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("zip", sa.String(10), nullable=True))
        batch_op.add_column(sa.Column("area", sa.String(10), unique=True))
        batch_op.alter_column("zip", existing_type=sa.String(10), new_column_name="postcode")
        batch_op.create_index(batch_op.f("ix_postcode"), ["postcode"], unique=False)
        batch_op.create_unique_constraint("uq_two", ["postcode", "area"])
        batch_op.create_check_constraint("ck_score", "score >= 0")
        op.execute("UPDATE account SET score = 0")
        batch_op.drop_column("rate")
    with op.batch_alter_table("membership") as batch_op:
        batch_op.create_foreign_key("fk_batch", "account", ["extra_one"], ["name"])
        batch_op.drop_constraint("fk_batch", type_="foreignkey")
        batch_op.drop_column("extra_two") if False else batch_op.add_column(sa.Column("c", sa.Integer))
    with op.batch_alter_table("bear") as batch_op:
        pass


def downgrade():
    pass
