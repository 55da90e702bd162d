from sqlalchemy import BigInteger, Column, Float, ForeignKeyConstraint, Integer, MetaData, String, Table, Text


def upgrade(migrate_engine):
    metadata = MetaData(bind=migrate_engine)
    Table("users", metadata, autoload=True)
    Table(
        "posts",
        metadata,
        Column("id", BigInteger, primary_key=True),
        Column("user_id", Integer, nullable=False),
        Column("title", String(200), nullable=False),
        Column("body", Text),
        Column("score", Float),
        ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_posts_user"),
    )
    metadata.create_all()
    migrate_engine.execute("INSERT INTO users (name, created) VALUES ('a;b -- not a comment', '2024-01-01')")


def downgrade(migrate_engine):
    Table("posts", MetaData(bind=migrate_engine), autoload=True).drop()
