from sqlalchemy import Boolean, Column, Index, Integer, MetaData, String, Table


def upgrade(migrate_engine):
    metadata = MetaData(bind=migrate_engine)
    users = Table("users", metadata, autoload=True)
    Column("nick", String(40)).create(users)
    users.create_column(Column("active", Boolean, nullable=False, server_default="1"))
    posts = Table("posts", metadata, autoload=True)
    Column("views", Integer, nullable=False, server_default="0").create(posts)
    Index("ix_posts_title", posts.c.title).create()


def downgrade(migrate_engine):
    Table("posts", MetaData(bind=migrate_engine), autoload=True).c.views.drop()
