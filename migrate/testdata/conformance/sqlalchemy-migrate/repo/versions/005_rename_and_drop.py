from sqlalchemy import MetaData, Table


def upgrade(migrate_engine):
    metadata = MetaData(bind=migrate_engine)
    Table("users", metadata, autoload=True).rename("accounts")
    migrate_engine.execute("ALTER TABLE %s DROP COLUMN %s" % ("accounts", "nick"))
    posts = Table("posts", metadata, autoload=True)
    for index in posts.indexes:
        if index.name == "ix_posts_title":
            index.drop()


def downgrade(migrate_engine):
    Table("accounts", MetaData(bind=migrate_engine), autoload=True).rename("users")
