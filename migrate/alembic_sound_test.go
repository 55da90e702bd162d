package migrate

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"instep/analyzer/schema"
)

// replayTree replays the only revision, versions/a.py, of a tree whose environment lies at its root.
func replayTree(t *testing.T, files ...string) *Replay {
	t.Helper()
	fsys, _ := pyTree(files...)
	h, err := readAlembic(fsys, ".")
	if err != nil {
		t.Fatal(err)
	}
	return (*Cache)(nil).Replay(fs.FS(fsys), h, schema.New(schema.Server{Major: 8, Minor: 4}))
}

// TestAlembicUnreadCalls checks what becomes of calls of code that is not in the tree and gets no handle.
func TestAlembicUnreadCalls(t *testing.T) {
	for _, tt := range []struct{ body, gap string }{
		{"from acme import add_audit_columns\nadd_audit_columns('t')", "what add_audit_columns() does, whose result is not used: acme is not in this repository"},
		{"import acme.db\nacme.db.helpers.add('t')", ""}, // the name of something that changes rows
		{"from acme import get_engine\nget_engine().execute('ALTER TABLE t ADD COLUMN x INT')", "what execute() does"},
		{"from acme import engine\nr = engine.execute('ALTER TABLE t ADD COLUMN x INT')", "what execute() does"},
		{"from acme import engine\nengine.execute('UPDATE t SET a = 1')\nengine.execute(sa.text('DELETE FROM t'))\nr = engine.execute(sa.text('SELECT 1'))", ""},
		{"import os\nfrom acme import engine\nr = engine.execute('ALTER TABLE t ADD COLUMN ' + os.environ['X'] + ' INT')", "what execute() does"},
		{"from acme import engine\nengine.execute('UPDATE t SET a = 1; ALTER TABLE t ADD COLUMN x INT')", "what execute() does"},
		{"import os\nfrom acme import engine\nr = engine.execute(os.environ['X'])\nengine.execute('COMMIT')", ""}, // a result that is used is taken to be rows
		{"from acme import engine\nwith engine.begin() as c:\n    c.execute(sa.text('DROP TABLE t'))", "what execute() does"},
		{"import importlib\nimportlib.import_module('x.0001_y').go()", "what go() does, whose result is not used: the module importlib is not modelled"},
		{"import subprocess\nsubprocess.run(['mysql', '-e', 'DROP TABLE t'])", "what run() does"},
		{"import os\nos.system('mysql < x.sql')\nos.makedirs('x')", "what system() does"},
		{"import os\nos.makedirs('x')", ""},
		{"from alembic import command\ncommand.upgrade(None, 'head')", "what upgrade() does, whose result is not used: alembic.command is not modelled"},
		{"from app import db\ndb.create_all()", "what create_all() does, whose result is not used: flask_sqlalchemy is not in this repository"},
		{"from app import db\ndb.session.add(1)\ndb.session.commit()", ""},
		{"import app.broken as b\nb.go()", "what go() does, whose result is not used: app/broken.py cannot be parsed"},
		{"from loguru import logger\nlogger.opt(colors=True).patch()\nlogger.info('CREATE TABLE x')\nfrom acme import log\nlog.info('DROP TABLE t')", ""},
		{"from acme import slug\nname = slug('T')\nnames = [slug(n) for n in 'ab']", ""},
		{"from acme import create\n[create(n) for n in ['t', 'u']]", "what create() does, whose result is not used"},
		{"import app.setup", ""}, // what a module does while it is imported
	} {
		r := replayTree(t, "env.py", "from alembic import context\n", "versions/a.py", upgradeText(tt.body),
			"app/__init__.py", "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n", "app/broken.py", "def (\n", "app/setup.py", "import acme\nacme.configure()\n")
		gaps := r.AllGaps()
		switch {
		case tt.gap == "" && len(gaps) > 0:
			t.Errorf("%s\ngaps %v, want none", tt.body, gaps)
		case tt.gap != "" && (len(gaps) != 1 || !strings.Contains(gaps[0].What+": "+gaps[0].Why, tt.gap)):
			t.Errorf("%s\ngaps %v, want one with %q", tt.body, gaps, tt.gap)
		}
	}
}

// TestAlembicUnreadUpgrade checks an upgrade() that comes from elsewhere.
func TestAlembicUnreadUpgrade(t *testing.T) {
	for _, text := range []string{
		"from acme import upgrade\n", "from acme import make\nupgrade = make('t')\n", "from acme import Base\nclass M(Base):\n    table = 't'\nupgrade = M().upgrade\n",
		"try:\n    from acme import upgrade\nexcept ImportError:\n    def upgrade():\n        pass\n",
	} {
		r := replayTree(t, "env.py", "", "versions/a.py", "revision = 'a'\ndown_revision = None\n"+text)
		if gaps := r.AllGaps(); len(gaps) != 1 || gaps[0].What != "what upgrade() of versions/a.py does" || gaps[0].Why != "acme is not in this repository" {
			t.Errorf("%s%v", text, gaps)
		}
	}
}

// TestAlembicStarImport checks that from alembic.op import * has all operations.
func TestAlembicStarImport(t *testing.T) {
	r := replayTree(t, "env.py", "", "versions/a.py", "from sqlalchemy import *\nfrom alembic.op import *\nrevision = 'a'\ndown_revision = None\n"+
		"def upgrade():\n    create_table('t', Column('id', Integer, primary_key=True))\n    add_column('t', Column('x', Integer))\n"+
		"    with batch_alter_table('t') as b:\n        b.drop_column('x')\n    get_bind().execute(text('DROP TABLE t'))\n")
	if got := r.Migrations[0].Statements; len(got) != 4 || len(r.AllGaps()) > 0 {
		t.Errorf("%v, gaps %v", got, r.AllGaps())
	}
}

// TestAlembicInspector checks from which schema an inspector answers. (SQLAlchemy 1.4.46 on MySQL 9.7 runs these statements.)
func TestAlembicInspector(t *testing.T) {
	const start = createT + "insp = sa.inspect(op.get_bind())\n"
	for _, tt := range []struct{ name, body, want, gap string }{
		{"columns", start + `
if 'x' not in [c['name'] for c in insp.get_columns('t')]:
    op.add_column('t', sa.Column('x', sa.Integer))
if 'x' not in [c['name'] for c in insp.get_columns('t')]:
    op.add_column('t', sa.Column('again', sa.Integer))
if 'x' not in [c['name'] for c in sa.inspect(op.get_bind()).get_columns('t')]:
    op.add_column('t', sa.Column('never', sa.Integer))`, "ADD COLUMN x INTEGER, ADD COLUMN again INTEGER", ""},
		{"indexes of a table whose columns were asked for", start + `
insp.get_columns('t')
op.create_index('ix', 't', ['a'])
if insp.get_indexes('t'):
    op.drop_index('ix', 't')`, "CREATE INDEX ix ON t (a)", ""},
		{"names", start + `
insp.get_table_names()
op.drop_table('t')
if 't' in insp.get_table_names():
    op.create_table('t', sa.Column('x', sa.Integer))`, "DROP TABLE t, CREATE TABLE t ( x INTEGER )", ""},
		{"a cleared cache", start + `
insp.get_columns('t')
op.drop_column('t', 'a')
insp.clear_cache()
op.add_column('t', sa.Column('x%d' % len(insp.get_columns('t')), sa.Integer))`, "DROP COLUMN a, ADD COLUMN x1 INTEGER", ""},
		{"has_table", start + `
if insp.has_table('t'):
    op.drop_table('t')
if not insp.has_table('t'):
    op.create_table('t', sa.Column('x', sa.Integer))`, "DROP TABLE t", "depends on the version of SQLAlchemy"},
		{"perhaps asked before", start + `
import os
if os.environ.get('X'):
    insp.get_columns('t')
op.drop_column('t', 'a')
if 'a' not in [c['name'] for c in insp.get_columns('t')]:
    op.add_column('t', sa.Column('x', sa.Integer))`, "DROP COLUMN a", "is not known"},
		{"perhaps asked before a change of something else", start + `
import os
if os.environ.get('X'):
    insp.get_columns('t')
op.create_table('u', sa.Column('x', sa.Integer))
if 'a' in [c['name'] for c in insp.get_columns('t')]:
    op.drop_column('t', 'a')`, "CREATE TABLE u ( x INTEGER ), DROP COLUMN a", ""},
	} {
		m := upgradeWith(t, tt.body)
		var got []string
		for _, st := range m.Statements[1:] {
			got = append(got, strings.TrimPrefix(strings.Join(strings.Fields(st.SQL), " "), "ALTER TABLE t "))
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, s, tt.want)
		}
		if tt.gap == "" && len(m.Gaps) > 0 || tt.gap != "" && (len(m.Gaps) != 1 || !strings.Contains(m.Gaps[0].Why, tt.gap)) {
			t.Errorf("%s: gaps %v, want %q", tt.name, m.Gaps, tt.gap)
		}
	}
}

// TestAlembicTrying checks that what hangs on whether a statement fails for its rows, or a query for what it reads, is a gap.
func TestAlembicTrying(t *testing.T) {
	const add = "    op.add_column('t', sa.Column('x', sa.Integer))"
	for _, tt := range []struct {
		body string
		gap  bool
	}{
		{"try:\n    op.get_bind().execute(sa.text('SELECT x FROM t'))\nexcept Exception:\n" + add, true},
		{"try:\n    op.execute('SELECT 1 FROM u')\nexcept sa.exc.ProgrammingError:\n" + add, true},
		{"try:\n    op.execute('SELECT x FROM t')\nexcept Exception:\n    pass\nelse:\n    op.drop_column('t', 'a')", true},
		{"try:\n    op.get_bind().execute(sa.text('SELECT a, COUNT(*) FROM t LIMIT 1'))\nexcept Exception:\n" + add, false}, // it is there
		{"try:\n    op.execute(\"INSERT INTO t (id) VALUES (1)\")\nexcept sa.exc.IntegrityError:\n" + add, true},
		{"try:\n    op.create_unique_constraint('u', 't', ['a'])\nexcept Exception:\n    op.create_index('u', 't', ['a'])", true},
		{"try:\n    op.alter_column('t', 'a', existing_type=sa.String(10), nullable=False)\nexcept Exception:\n" + add, true},
		{"try:\n    op.add_column('t', sa.Column('x', sa.Integer))\nexcept Exception:\n    op.drop_column('t', 'a')", false}, // no row hinders it
		{"try:\n    op.execute('UPDATE t SET a = 1')\n    op.drop_column('t', 'a')\nexcept Exception as e:\n    print(e)\n    raise", false},
		{"try:\n    op.execute('UPDATE t SET a = 1')\nexcept Exception:\n    op.execute('DELETE FROM t')\nop.drop_column('t', 'a')", false},
	} {
		m := upgradeWith(t, createT+tt.body)
		if got := len(m.Gaps) > 0; got != tt.gap {
			t.Errorf("%s\ngaps %v, want one: %v", tt.body, m.Gaps, tt.gap)
		}
	}
}

// TestAlembicTargetMetadata checks where the naming convention is found.
func TestAlembicTargetMetadata(t *testing.T) {
	const base = "import sqlalchemy as sa\nfrom sqlalchemy.orm import declarative_base\nBase = declarative_base(metadata=sa.MetaData(naming_convention={'ix': 'i_%(column_0_name)s'}))\nmetadata = Base.metadata\n"
	body := upgradeText("op.create_table('t', sa.Column('x', sa.Integer, index=True))")
	for env, want := range map[string]string{
		"from app import models\ntarget_metadata = models.Base.metadata\n":          "i_x",
		"from app.models import metadata as target_metadata\n":                      "i_x",
		"import app.models\ntarget_metadata = app.models.metadata\n":                "i_x",
		"from app.models import metadata\ntarget_metadata = [metadata, metadata]\n": "ix_t_x", // Alembic 1.8.1
	} {
		r := replayTree(t, "env.py", env, "versions/a.py", body, "app/__init__.py", "", "app/models.py", base)
		if len(r.AllGaps()) > 0 {
			t.Errorf("%s%v", env, r.AllGaps())
		} else if got := r.Migrations[0].Statements[1].SQL; got != "CREATE INDEX "+want+" ON t (x)" {
			t.Errorf("%s%s, want the name %s", env, got, want)
		}
	}
}

// TestAlembicEnvironmentGaps checks what env.py must not do unseen.
func TestAlembicEnvironmentGaps(t *testing.T) {
	const env = `from alembic import context
from alembic.ddl.mysql import MySQLImpl
from alembic.ddl.postgresql import PostgresqlImpl
from sqlalchemy import DateTime, text
from sqlalchemy.ext.compiler import compiles
from app import Base, utcnow

@compiles(DateTime, "mysql")
def one(element, compiler, **kw):
    return "DATETIME(6)"

@compiles(DateTime, "sqlite")
@compiles(utcnow, "mysql")
def two(element, compiler, **kw):
    return "x"

class Mine(MySQLImpl):
    __dialect__ = "mysql"

class Other(PostgresqlImpl):
    __dialect__ = "redshift"

def run(connection):
    connection.execute(text("CREATE DATABASE IF NOT EXISTS x"))
    connection.execute("ALTER TABLE alembic_version MODIFY version_num VARCHAR(128)")
    connection.execute("SET lock_wait_timeout = 5")
    connection.execute(text("CREATE TABLE log (id INT)"))
    Base.metadata.create_all(connection)
    context.run_migrations()
`
	r := replayTree(t, "env.py", env, "versions/a.py", upgradeText("pass"))
	var lines []int
	for _, g := range r.AllGaps() {
		lines = append(lines, g.Pos.Line)
	}
	if want := []int{8, 17, 27, 28}; !slices.Equal(lines, want) {
		t.Errorf("gaps in lines %v, want %v: %v", lines, want, r.AllGaps())
	}
}

// TestAlembicStrayRevisions checks that a revision in a folder that is not read is not passed over.
func TestAlembicStrayRevisions(t *testing.T) {
	a, b, c := revision("a", "None"), revision("b", "a"), revision("c", "b")
	for _, tt := range []struct {
		name  string
		files []string
		want  string
	}{
		{"a configuration of another name", []string{"conf/prod.ini", "[alembic]\nscript_location = m\nversion_locations = m/versions more/versions\n", "more/versions/x.py", b},
			"more/versions/x.py:1:1: revision b, which follows a: it lies outside"},
		{"a name as Alembic gives it", []string{"more/1a2b3c4d_add_x.py", b}, "more/1a2b3c4d_add_x.py:1:1: revision b, which follows a"},
		{"another file", []string{"more/x.py", b}, ""},
		{"a copy", []string{"copy/versions/a.py", a}, ""},
		{"another history", []string{"other/versions/c.py", c}, ""},
		{"test data", []string{"tests/versions/b.py", b}, ""},
		{"left out by the configuration", []string{"alembic.ini", "[alembic]\nscript_location = m\nversion_locations = m/versions\n", "m/old_versions/b.py", b}, ""},
	} {
		_, gaps := history(t, "m", append(tt.files, "m/env.py", "from alembic import context\n", "m/versions/a.py", a)...)
		if got := strings.Join(gaps, "\n"); tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: gaps %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestDelimiterIsMySQL checks that $$ as a delimiter of the mysql client is not taken for PostgreSQL's quotes.
func TestDelimiterIsMySQL(t *testing.T) {
	fsys, files := pyTree("db/migration/V1__a.sql", "CREATE TABLE t (id INT);\nDELIMITER $$\nCREATE PROCEDURE p() BEGIN SELECT 1; END$$\nDELIMITER ;\n")
	histories, err := Find(fsys, files, nil)
	if err != nil || len(histories) != 1 {
		t.Errorf("%d histories, error %v", len(histories), err)
	}
}
