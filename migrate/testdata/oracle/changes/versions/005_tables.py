from sqlalchemy import MetaData, Table, text
from sqlalchemy.engine import reflection


def upgrade(migrate_engine):
    metadata = MetaData(bind=migrate_engine)
    tags = Table("tags", metadata, autoload=True)
    tags.rename("labels")
    conn = migrate_engine.connect()
    conn.execute("UPDATE users SET points = points + 1")
    conn.execute(text("ALTER TABLE labels ADD COLUMN color VARCHAR(10)"))
    conn.close()
    users = Table("users", metadata, autoload=True)
    users.c.alias.drop()
    users.drop_column("phone")
    inspector = reflection.Inspector.from_engine(migrate_engine)
    if "color" in [c["name"] for c in inspector.get_columns("labels")] and migrate_engine.name == "mysql":
        migrate_engine.execute("ALTER TABLE %s MODIFY color VARCHAR(12) NOT NULL" % "labels")
    if "missing" in inspector.get_table_names():
        Table("missing", metadata, autoload=True).drop()


def downgrade(migrate_engine):
    pass
