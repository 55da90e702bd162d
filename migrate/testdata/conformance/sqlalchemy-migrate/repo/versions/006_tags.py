from sqlalchemy import BigInteger, Column, ForeignKey, MetaData, String, Table


def upgrade(migrate_engine):
    metadata = MetaData(bind=migrate_engine)
    Table("posts", metadata, autoload=True)
    tags = Table(
        "tags",
        metadata,
        Column("post_id", BigInteger, ForeignKey("posts.id", name="fk_tags_post", ondelete="CASCADE"), primary_key=True),
        Column("tag", String(30), primary_key=True, index=True),
    )
    tags.create()


def downgrade(migrate_engine):
    Table("tags", MetaData(bind=migrate_engine), autoload=True).drop()
