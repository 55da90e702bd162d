from sqlalchemy import MetaData, String, Table
from sqlalchemy.dialects.mysql import DOUBLE


def upgrade(migrate_engine):
    metadata = MetaData(bind=migrate_engine)
    Table("users", metadata, autoload=True).c.name.alter(type=String(150))
    posts = Table("posts", metadata, autoload=True)
    posts.c.body.alter(name="content")
    if migrate_engine.name == "mysql":
        posts.c.score.alter(type=DOUBLE())


def downgrade(migrate_engine):
    Table("posts", MetaData(bind=migrate_engine), autoload=True).c.content.alter(name="body")
