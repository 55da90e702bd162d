package migrate

import (
	"strings"
	"testing"
	"testing/fstest"

	"instep/analyzer/schema"
)

// readUpgrades replays an Alembic history of which each text is the body of one file, and gives its statements and gaps.
func readUpgrades(t *testing.T, env string, files ...string) string {
	t.Helper()
	fsys := fstest.MapFS{"db/env.py": {Data: []byte("from alembic import context\n" + env)}}
	down := "None"
	for i, src := range files {
		id := "r" + string(rune('a'+i))
		head := "from alembic import op\nimport sqlalchemy as sa\nrevision = '" + id + "'\ndown_revision = " + down + "\n"
		fsys["db/versions/"+id+".py"] = &fstest.MapFile{Data: []byte(head + src)}
		down = "'" + id + "'"
	}
	h, err := Alembic.Read(fsys, "db")
	if err != nil {
		t.Fatal(err)
	}
	r := (*Cache)(nil).Replay(fsys, h, schema.New(schema.Server{Major: 8, Minor: 4}))
	var out []string
	for _, m := range r.Migrations {
		for _, st := range m.Statements {
			out = append(out, strings.Join(strings.Fields(st.SQL), " "))
		}
	}
	for _, g := range r.AllGaps() {
		out = append(out, "gap "+g.What+": "+g.Why)
	}
	return strings.Join(out, "\n")
}

func TestAlembicEnvironment(t *testing.T) {
	for _, c := range []struct{ name, env, first, second, want string }{
		{"the version table is there, and is no part of the schema", "", `
def upgrade():
    pk = sa.inspect(op.get_bind()).get_pk_constraint('alembic_version')
    if not pk['constrained_columns']:
        op.create_primary_key('pk', 'alembic_version', ['version_num'])
    for name in sa.inspect(op.get_bind()).get_table_names():
        op.create_table('shadow_' + name, sa.Column('a', sa.Integer))
    op.execute("ALTER TABLE alembic_version CONVERT TO CHARACTER SET utf8mb4")
`, `
def upgrade():
    op.rename_table('alembic_version', 'gone')
`, "CREATE TABLE shadow_alembic_version ( a INTEGER )\nALTER TABLE alembic_version RENAME TO gone\n" +
			"gap ALTER TABLE alembic_version RENAME TO gone: the server refuses it: table `alembic_version` does not exist"},
		{"its name is env.py's", `
def run():
    context.configure(connection=c, version_table="versions_of_a")
`, `
def upgrade():
    for name in sa.inspect(op.get_bind()).get_table_names():
        op.create_table('shadow_' + name, sa.Column('a', sa.Integer))
`, "def upgrade(): pass\n", "CREATE TABLE shadow_versions_of_a ( a INTEGER )"},
		{"create_table takes columns, constraints and indexes only", "", `
def upgrade():
    op.create_table('a', sa.MetaData(), sa.Column('id', sa.Integer, primary_key=True), None, sa.UniqueConstraint('id', name='u'))
`, "def upgrade(): pass\n", "CREATE TABLE a ( id INTEGER NOT NULL AUTO_INCREMENT, PRIMARY KEY (id), CONSTRAINT u UNIQUE (id) )"},
		{"a reflected foreign key has the constraint's name", "", `
def upgrade():
    op.create_table('a', sa.Column('id', sa.Integer, primary_key=True), sa.Column('b', sa.Integer, sa.ForeignKey('a.id')))
`, `
def upgrade():
    t = sa.Table('a', sa.MetaData(), autoload_with=op.get_bind())
    with op.batch_alter_table('a') as batch:
        for fk in t.foreign_keys:
            batch.drop_constraint(fk.name, type_='foreignkey')
`, "CREATE TABLE a ( id INTEGER NOT NULL AUTO_INCREMENT, b INTEGER, PRIMARY KEY (id), FOREIGN KEY(b) REFERENCES a (id) )\nALTER TABLE a DROP FOREIGN KEY a_ibfk_1"},
		{"a type made of unknown values is one gap", "", `
import somewhere, itertools
KINDS = list(itertools.chain(*somewhere.KINDS))
kind = sa.Enum(*somewhere.KINDS, name='k')
def upgrade():
    op.create_table('a', sa.Column('id', sa.Integer), sa.Column('k', kind))
`, "def upgrade(): pass\n", "CREATE TABLE a ( id INTEGER, k ? )\ngap part of the statement CREATE TABLE a ( id INTEGER, k ? ): somewhere is not in this repository"},
		{"env.py gives arguments to upgrade", `
from alembic import op as operations
def run():
    context.run_migrations(op=operations, tester=make_tester())
`, `
def upgrade(op, tester):
    op.create_table('a', sa.Column('id', sa.Integer))
    tester.fill('a')
`, `
def upgrade(op, tester):
    op.bulk_insert(sa.table('a', sa.column('id')), [{'id': r.id} for r in op.get_bind().execute(sa.text("SELECT 1"))])
`, "CREATE TABLE a ( id INTEGER )\nINSERT INTO a VALUES ()\ngap call of code that may change the schema: what env.py gives to tester is not followed"},
		{"a loop over rows that leaves early", "", `
def upgrade():
    op.create_table('a', sa.Column('id', sa.Integer))
`, `
def values_of(row):
    extra = {}
    if row.id is not None:
        extra = {'id': row.id}
    return {'id': row.id, 'extra': extra}
def upgrade():
    bind = op.get_bind()
    t = sa.Table('a', sa.MetaData(), autoload_with=bind)
    for row in list(bind.execute(t.select())):
        if row.id == 3:
            continue
        new = values_of(row)
        bind.execute(t.update().values(id=new['id']))
    op.drop_table('a')
`, "CREATE TABLE a ( id INTEGER )\nUPDATE a SET id=?\nDROP TABLE a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := readUpgrades(t, c.env, c.first, c.second); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
