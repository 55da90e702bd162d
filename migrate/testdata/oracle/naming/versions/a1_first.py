"""Names by the convention of target_metadata"""
import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    op.create_table(
        "team",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(20), unique=True, index=True),
        sa.Column("size", sa.Integer),
    )
    op.create_table(
        "player",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("team_id", sa.Integer, sa.ForeignKey("team.id")),
        sa.Column("number", sa.Integer),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("team_id", "number", name=op.f("uq_kept")),
    )
    op.add_column("player", sa.Column("captain_id", sa.Integer, sa.ForeignKey("player.id")))
    op.create_unique_constraint(None, "player", ["captain_id", "team_id"])
    op.create_check_constraint("low", "player", "number < 100")
    op.create_foreign_key(None, "team", "player", ["size"], ["id"])
    op.drop_constraint("low", "player", type_="check")
    op.create_index(None, "player", ["number", "team_id"])


def downgrade():
    pass
