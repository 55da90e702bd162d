"""Add the releases tables and fill them from the old ones.

Revision ID: 3f2a9c1b7d40
Revises: 1a0c5de2b9aa
Create Date: 2024-02-29 12:30:00.000000
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

# revision identifiers, used by Alembic.
revision = "3f2a9c1b7d40"
down_revision = "1a0c5de2b9aa"
branch_labels = None
depends_on = None

STATES = ("draft", "ready", "shipped", "withdrawn")
OLD_TABLES = {
    "releases": ["name", "product", "data"],
    "releases_history": ["change_id", "changed_by", "timestamp", "name", "product", "data"],
}


def _columns(prefix, count=4, *, nullable=True):
    """Return the numbered columns that every one of these tables has."""
    return [sa.Column(f"{prefix}_{i:02d}", sa.String(100), nullable=nullable) for i in range(count)]


def upgrade():
    op.create_table(
        "releases_json",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("product", sa.String(length=15), nullable=False),
        sa.Column("read_only", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("state", sa.Enum(*STATES, name="release_state"), nullable=False),
        sa.Column("data", mysql.LONGTEXT(), nullable=True),
        sa.Column("data_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), server_default=sa.text("CURRENT_TIMESTAMP"), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        *_columns("extra"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )
    op.create_index(op.f("ix_releases_json_product"), "releases_json", ["product"], unique=False)
    with op.batch_alter_table("rules", schema=None) as batch_op:
        batch_op.add_column(sa.Column("priority", sa.Integer(), nullable=True))
        batch_op.alter_column(
            "comment",
            existing_type=mysql.VARCHAR(length=250),
            type_=sa.String(length=500),
            existing_nullable=True,
        )
        batch_op.drop_constraint("fk_rules_release", type_="foreignkey")

    bind = op.get_bind()
    inspector = sa.inspect(bind)
    for table, columns in sorted(OLD_TABLES.items()):
        if table not in inspector.get_table_names():
            continue
        missing = [c for c in columns if c not in {col["name"] for col in inspector.get_columns(table)}]
        if missing:
            raise RuntimeError("table %s lacks the columns %s" % (table, ", ".join(missing)))
        names = ", ".join("`%s`" % c for c in columns)
        op.execute(
            """
            INSERT INTO {table}_json ({names})
            SELECT {names} FROM {table}
            WHERE data IS NOT NULL AND LENGTH(data) > 2
            """.format(table=table, names=names)
        )
    # The old tables stay until the next release, because the old code reads them.
    op.execute("UPDATE releases_json SET state = 'ready' WHERE read_only = 0")


def downgrade():
    with op.batch_alter_table("rules", schema=None) as batch_op:
        batch_op.create_foreign_key("fk_rules_release", "releases", ["mapping"], ["name"])
        batch_op.alter_column(
            "comment",
            existing_type=sa.String(length=500),
            type_=mysql.VARCHAR(length=250),
            existing_nullable=True,
        )
        batch_op.drop_column("priority")
    op.drop_index(op.f("ix_releases_json_product"), table_name="releases_json")
    op.drop_table("releases_json")
