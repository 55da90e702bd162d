from sqlalchemy import BigInteger, Integer, MetaData, String, Table


def upgrade(migrate_engine):
    metadata = MetaData(bind=migrate_engine)
    users = Table("users", metadata, autoload=True)
    users.c.name.alter(type=String(70))
    users.c.nick.alter(name="nickname")
    users.c.bio.alter(nullable=False)
    users.c.score.alter(type=BigInteger)
    users.c.score.alter(server_default="5")
    users.c.score.alter(nullable=True, name="points")
    users.c.email.alter("mail", String(90), nullable=False)
    users.c.phone.alter(server_default=None)
    posts = Table("posts", metadata, autoload=True)
    posts.c.id.alter(nullable=False)
    posts.c.when.alter(type=String(40), name="moment")


def downgrade(migrate_engine):
    pass
