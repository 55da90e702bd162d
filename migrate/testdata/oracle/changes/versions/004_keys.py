from migrate import ForeignKeyConstraint, UniqueConstraint
from migrate.changeset.constraint import PrimaryKeyConstraint
from sqlalchemy import Column, Index, Integer, MetaData, String, Table


def upgrade(migrate_engine):
    metadata = MetaData()
    metadata.bind = migrate_engine
    users = Table("users", metadata, autoload=True)
    posts = Table("posts", metadata, autoload=True)
    tags = Table("tags", metadata, Column("post", Integer, nullable=False), Column("tag", String(20), nullable=False))
    tags.create()
    PrimaryKeyConstraint("post", "tag", table=tags).create()
    UniqueConstraint("tag", table=tags).create()
    UniqueConstraint(users.c.name, users.c.city, name="uq_name_city").create()
    fk = ForeignKeyConstraint(columns=[tags.c.post], refcolumns=[posts.c.id])
    fk.create()
    ForeignKeyConstraint([posts.c.rank], [users.c.id], name="fk_rank", ondelete="SET NULL").create()
    Index("ix_rank", posts.c.rank, posts.c.author).create()
    Index("ix_mail", users.c.mail, unique=True).create()
    for index in users.indexes:
        if index.name == "ix_city":
            index.drop()
    ForeignKeyConstraint([posts.c.rank], [users.c.id], name="fk_rank").drop()
    UniqueConstraint("name", "city", name="uq_name_city", table=users).drop()


def downgrade(migrate_engine):
    pass
