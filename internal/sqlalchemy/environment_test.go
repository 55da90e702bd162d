package sqlalchemy

import "testing"

// TestEnvironment runs programs that lean on what surrounds a migration: the database's name, the framework's own table,
// translations, a base of the project's own making.
func TestEnvironment(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"the name of the database is left out", `
from sqlalchemy import text
def upgrade(engine):
    db = engine.url.database
    engine.execute("ALTER DATABASE %s DEFAULT CHARACTER SET latin1" % db)
    engine.execute(f"ALTER SCHEMA ` + "`{db}`" + ` CHARACTER SET utf8mb4")
    engine.execute(text("ALTER DATABASE {} COLLATE utf8mb4_bin".format(engine.url.database)))
`, "5: ALTER DATABASE DEFAULT CHARACTER SET latin1\n6: ALTER SCHEMA CHARACTER SET utf8mb4\n7: ALTER DATABASE COLLATE utf8mb4_bin"},
		{"other uses of its name", `
def upgrade(engine):
    db = engine.url.database
    engine.execute("ALTER DATABASE %s%s CHARACTER SET latin1" % (db, db))
    engine.execute("ALTER DATABASE %sx CHARACTER SET latin1" % db)
    engine.execute("DROP DATABASE %s" % db)
    if db == "test":
        engine.execute("DROP TABLE users")
`, "gap 4: a statement whose text is not known: ALTER DATABASE…: the database's URL is not known []\n" +
			"gap 5: a statement whose text is not known: ALTER DATABASE…: the database's URL is not known []\n" +
			"gap 6: a statement whose text is not known: DROP DATABASE…: the database's URL is not known []\n" +
			"gap 7: a condition that is not known decides on: DROP TABLE users: the database's URL is not known []"},
		{"built-in translations", `
import gettext
gettext.install("project")
gettext.install("project", names=["ngettext"])
def upgrade(engine):
    if engine.name != "mysql":
        raise ValueError(_("no %s") % ngettext("one", "two", 2))
    engine.execute("DROP TABLE users")
`, "8: DROP TABLE users"},
		{"a base with another constructor", `
from sqlalchemy import *
from sqlalchemy.ext.declarative import declarative_base
Base = declarative_base()
def checked(init):
    def initialize(self, **kw):
        init(self, **kw)
    return initialize
Base.__init__ = checked(Base.__init__)
class A(Base):
    __tablename__ = "a"
    id = Column(Integer, primary_key=True)
def upgrade(engine):
    A.__table__.create(engine)
    if A(id=3).id == 3:
        engine.execute("DROP TABLE users")
`, "14: CREATE TABLE a ( id INTEGER NOT NULL AUTO_INCREMENT, PRIMARY KEY (id) )\n16: DROP TABLE users"},
		{"a mixin that is not in the repository may bring columns along", `
from sqlalchemy import *
from sqlalchemy.ext.declarative import declarative_base
from elsewhere.models import Stamped
Base = declarative_base()
class A(Stamped, Base):
    __tablename__ = "a"
    id = Column(Integer, primary_key=True)
def upgrade(engine):
    Base.metadata.create_all(engine)
`, "10: CREATE TABLE a ( id INTEGER NOT NULL AUTO_INCREMENT, PRIMARY KEY (id) ) [params]\n" +
			"gap 10: part of the statement CREATE TABLE a ( id INTEGER NOT NULL AUTO_INCREMENT, PRIMARY KEY (id) ): elsewhere is not in this repository [a]"},
		{"the impl of a decorated type", `
from sqlalchemy import *
from sqlalchemy.types import TypeDecorator
from sqlalchemy.dialects.mysql import VARCHAR, LONGTEXT
class Wide(TypeDecorator):
    impl = String
    def load_dialect_impl(self, dialect):
        return dialect.type_descriptor(VARCHAR(charset="utf8mb4", length=self.impl.length))
class Long(TypeDecorator):
    impl = Text
    def __init__(self):
        super().__init__()
        self.impl = Text().with_variant(LONGTEXT(), "mysql")
def upgrade(engine):
    Table("t", MetaData(), Column("a", Wide(length=12)), Column("b", Long())).create(engine)
`, "15: CREATE TABLE t ( a VARCHAR(12) CHARACTER SET utf8mb4, b LONGTEXT )"},
		{"mixins of oslo_db", `
from oslo_db.sqlalchemy import models
from oslo_db import exception
from sqlalchemy import *
from sqlalchemy.ext.declarative import declarative_base
Base = declarative_base()
class A(Base, models.TimestampMixin, models.ModelBase, models.SoftDeleteMixin):
    __tablename__ = "a"
    __table_args__ = (UniqueConstraint("id", "deleted", name="u"),)
    id = Column(Integer, primary_key=True)
def upgrade(engine):
    try:
        A.__table__.create(engine)
    except exception.DBError:
        pass
`, "13: CREATE TABLE a ( created_at DATETIME, updated_at DATETIME, deleted_at DATETIME, deleted INTEGER, id INTEGER NOT NULL AUTO_INCREMENT, PRIMARY KEY (id), CONSTRAINT u UNIQUE (id, deleted) )"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _ := program(t, c.src, usersTable); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
