from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table


def upgrade(migrate_engine):
    metadata = MetaData(bind=migrate_engine)
    users = Table("users", metadata, autoload=True)
    users.create_column(Column("email", String(80)))
    Column("phone", String(20), server_default="none").create(users)
    alias = Column("alias", String(30), unique=True)
    alias.create(users, unique_name="uq_alias")
    city = Column("city", String(30), index=True)
    city.create(users, index_name="ix_city")
    posts = Table("posts", metadata, autoload=True)
    Column("editor", Integer, ForeignKey("users.id")).create(posts)
    Column("rank", Integer, default=3).create(posts, populate_default=True)


def downgrade(migrate_engine):
    metadata = MetaData(bind=migrate_engine)
    users = Table("users", metadata, autoload=True)
    for name in ("email", "phone", "alias", "city"):
        users.c[name].drop()
