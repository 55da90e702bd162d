from sqlalchemy import BigInteger, Boolean, Column, DateTime, ForeignKey, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(50), nullable=False),
    Column("nick", String(20), unique=True),
    Column("bio", Text),
    Column("score", Integer, server_default="0", nullable=False),
    Column("admin", Boolean, default=False),
    Column("created", DateTime),
    mysql_engine="InnoDB",
)

posts = Table(
    "posts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("author", Integer, ForeignKey("users.id"), nullable=False),
    Column("title", String(100), index=True),
    Column("when", BigInteger),
    UniqueConstraint("author", "title", name="uq_title"),
)


def upgrade(migrate_engine):
    metadata.bind = migrate_engine
    posts.append_column(Column("text", Text))
    metadata.create_all()


def downgrade(migrate_engine):
    metadata.bind = migrate_engine
    metadata.drop_all()
