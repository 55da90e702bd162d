package migrate

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"instep/analyzer/schema"
)

// pyTree makes a file system of pairs of names and contents, and the list of its files.
func pyTree(pairs ...string) (fstest.MapFS, []string) {
	fsys := fstest.MapFS{}
	var files []string
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
		files = append(files, pairs[i])
	}
	slices.Sort(files)
	return fsys, files
}

// revision is the text of a revision that does nothing.
func revision(id, down string, more ...string) string {
	if down != "None" && !strings.HasPrefix(down, "(") {
		down = fmt.Sprintf("%q", down)
	}
	return fmt.Sprintf("\"\"\"Revision %s\"\"\"\nrevision = %q\ndown_revision = %s\n%s\n\ndef upgrade():\n    pass\n", id, id, down, strings.Join(more, "\n"))
}

func TestDetectAlembic(t *testing.T) {
	env := "from alembic import context\n"
	rev := revision("a", "None")
	tests := []struct {
		name string
		fs   []string
		want []string
	}{
		{"plain", []string{"alembic/env.py", env, "alembic/versions/a.py", rev}, []string{"alembic"}},
		{"root", []string{"env.py", env, "versions/a.py", rev}, []string{"."}},
		{"two", []string{"b/db/env.py", env, "b/db/versions/x/a.py", rev, "a/env.py", env, "a/versions/a.py", rev}, []string{"a", "b/db"}},
		{"template only", []string{"m/env.py", "import app\n", "m/script.py.mako", "", "m/versions/a.py", rev}, []string{"m"}},
		{"another env.py", []string{"m/env.py", "import os\n", "m/versions/a.py", rev}, nil},
		{"no revisions", []string{"m/env.py", env, "m/versions/README", ""}, nil},
		{"no env.py", []string{"m/versions/a.py", rev}, nil},
		{"tests", []string{"app/tests/m/env.py", env, "app/tests/m/versions/a.py", rev}, nil},
		{"locations", []string{"alembic.ini", "[alembic]\nscript_location = m\nversion_locations = %(here)s/one %(here)s/two\n",
			"m/env.py", env, "one/a.py", rev, "two/b.py", revision("b", "a")}, []string{"m"}},
	}
	for _, tt := range tests {
		fsys, files := pyTree(tt.fs...)
		if got := detectAlembic(fsys, files); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// history reads an Alembic history and gives its ids and gaps as text.
func history(t *testing.T, dir string, pairs ...string) (ids []string, gaps []string) {
	t.Helper()
	fsys, _ := pyTree(pairs...)
	h, err := readAlembic(fsys, dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range h.Revisions {
		ids = append(ids, r.ID)
	}
	for _, g := range h.Gaps {
		gaps = append(gaps, g.Pos.String()+": "+g.What+": "+g.Why)
	}
	return ids, gaps
}

func TestReadAlembic(t *testing.T) {
	tests := []struct {
		name string
		fs   []string
		want string // the ids
		gaps []string
	}{
		{"line", []string{"versions/2.py", revision("b", "a"), "versions/1.py", revision("a", "None"), "versions/3.py", revision("c", "b")}, "a b c", nil},
		{"annotated", []string{"versions/1.py", "from typing import Union\nrevision: str = 'a'\ndown_revision: Union[str, None] = None\n"}, "a", nil},
		{"constants", []string{"versions/1.py", "BASE = 'x' + 'y'\nrevision = BASE\ndown_revision = None\n"}, "xy", nil},
		{"merge", []string{"versions/1.py", revision("a", "None"), "versions/2.py", revision("b", "a"), "versions/3.py", revision("c", "a"),
			"versions/4.py", revision("d", "('b', 'c')")}, "a c b d", nil},
		{"two heads", []string{"versions/1.py", revision("a", "None"), "versions/2.py", revision("b", "a"), "versions/3.py", revision("c", "a")}, "a c b",
			[]string{"versions/2.py:3:17: the history has 2 heads: b, c: `alembic upgrade head` refuses several heads"}},
		{"labelled heads", []string{"versions/1.py", revision("a", "None"), "versions/e/2.py", revision("b", "a", "branch_labels = ('expand',)"),
			"versions/c/3.py", revision("c", "a", "branch_labels = 'contract'")}, "a b c", nil},
		{"labels by name", []string{"versions/1.py", revision("a", "None"), "versions/e/2.py", revision("b", "a", "from x import cli", "branch_labels = (cli.E,)"),
			"versions/c/3.py", revision("c", "a", "from x import cli", "branch_labels = (cli.C,)")}, "a b c", nil},
		{"depends_on", []string{"versions/1.py", revision("a", "None", "branch_labels = ('x',)"), "versions/2.py", revision("b", "None", "branch_labels = ['y']", "depends_on = ('x',)")}, "a b", nil},
		{"missing", []string{"versions/1.py", revision("a", "gone")}, "a",
			[]string{"versions/1.py:3:17: down_revision gone of revision a: no file declares revision gone"}},
		{"abbreviated", []string{"versions/1.py", revision("abcdef", "None"), "versions/2.py", revision("b", "abc")}, "b abcdef",
			[]string{"versions/2.py:3:17: down_revision abc of revision b: no file declares revision abc", "the history has 2 heads"}},
		{"twice", []string{"versions/1.py", revision("a", "None"), "versions/2.py", revision("a", "None")}, "a",
			[]string{"versions/2.py:2:12: revision a: the same id is declared in versions/1.py"}},
		{"cycle", []string{"versions/1.py", revision("a", "b"), "versions/2.py", revision("b", "a")}, "b a",
			[]string{"versions/2.py:3:17: the order of revisions a, b: each stands on the one before it in a cycle"}},
		{"self", []string{"versions/1.py", revision("a", "a")}, "a", []string{"versions/1.py:3:17: revision a: it names itself"}},
		{"helper", []string{"versions/1.py", revision("a", "None"), "versions/x.py", "A = 1\n", "versions/lib/y.py", "B = 1\n"}, "a",
			[]string{"versions/x.py:1:1: a file without a revision id among the revisions: Alembic refuses"}},
		{"computed", []string{"versions/1.py", "import os\nrevision = os.name\ndown_revision = None\n"}, "",
			[]string{"versions/1.py:2:12: the id of a revision: `revision` is not a literal text"}},
		{"conditional", []string{"versions/1.py", "revision = 'a'\nif x:\n    down_revision = 'b'\n"}, "a",
			[]string{"versions/1.py:3:5: the place of revision a: `down_revision` is not a literal"}},
		{"no down_revision", []string{"versions/1.py", "revision = 'a'\n"}, "a", []string{"versions/1.py:1:12: the place of revision a: the file declares no `down_revision`"}},
		{"legacy", []string{"versions/deadbeef.py", "down_revision = None\n"}, "deadbeef", nil},
		{"syntax error", []string{"versions/1.py", "revision = 'a'\ndown_revision = None\ndef upgrade(:\n"}, "a", nil},
		{"nothing but an error", []string{"versions/1.py", "def upgrade(:\n"}, "", []string{"versions/1.py:2:1: the file versions/1.py: it cannot be read as Python"}},
		{"bad id", []string{"versions/1.py", revision("a-b", "None")}, "a-b", []string{"versions/1.py:2:12: revision a-b: Alembic refuses the characters"}},
		{"location", []string{"alembic.ini", "[alembic]\nscript_location = .\nversion_locations = one, nowhere\n", "one/1.py", revision("a", "None"), "versions/2.py", revision("b", "a")}, "a",
			[]string{"alembic.ini:3:1: the version_locations entry nowhere: no such folder"}},
	}
	for _, tt := range tests {
		ids, gaps := history(t, ".", append(tt.fs, "env.py", "from alembic import context\n")...)
		if got := strings.Join(ids, " "); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if !slices.EqualFunc(gaps, tt.gaps, strings.Contains) {
			t.Errorf("%s: gaps\n\t%s\nwant\n\t%s", tt.name, strings.Join(gaps, "\n\t"), strings.Join(tt.gaps, "\n\t"))
		}
	}
}

// TestManyHeads checks that a hostile history costs little.
func TestManyHeads(t *testing.T) {
	var revs []*alembicRevision
	for i := range 5000 {
		revs = append(revs, &alembicRevision{id: fmt.Sprint("r", i), down: []string{"r0"}[:min(i, 1)]})
	}
	var all []string
	for _, r := range revs[1:] {
		all = append(all, r.id)
	}
	order, gaps := orderAlembic(revs)
	if len(order) != len(revs) || len(gaps) == 0 {
		t.Errorf("%d of %d revisions, %d gaps", len(order), len(revs), len(gaps))
	}
	for i := range 400 {
		revs = append(revs, &alembicRevision{id: fmt.Sprint("m", i), down: all})
	}
	if order, gaps := orderAlembic(revs); len(order) != len(revs) || len(gaps) == 0 {
		t.Errorf("%d of %d revisions, %d gaps", len(order), len(revs), len(gaps))
	}
}

// TestAlembicPutBefore: a database that is at b never runs a revision that is put before b. (Alembic 1.8: upgrade does nothing.)
func TestAlembicPutBefore(t *testing.T) {
	const env, add = "from alembic import context\n", "    import alembic\n    alembic.op.execute('CREATE TABLE %s (id INT)')\n"
	does := func(text, table string) string {
		return strings.Replace(text, "    pass\n", fmt.Sprintf(add, table), 1)
	}
	a, b := does(revision("a", "None"), "ta"), does(revision("b", "a"), "tb")
	old, _ := pyTree("m/env.py", env, "m/versions/a.py", a, "m/versions/b.py", b)
	for _, tt := range []struct {
		name, b, c string
		want       int
	}{
		{"behind", b, does(revision("c", "b"), "tc"), 0},
		{"beside", b, does(revision("c", "a"), "tc"), 1}, // two heads
		{"before", does(revision("b", "c"), "tb"), does(revision("c", "a"), "tc"), 1},
		{"before, by a dependency", does(revision("b", "a", "depends_on = 'c'"), "tb"), does(revision("c", "a"), "tc"), 2}, // and two heads
		{"before, but it does nothing", does(revision("b", "c"), "tb"), revision("c", "a"), 0},
	} {
		target, _ := pyTree("m/env.py", env, "m/versions/a.py", a, "m/versions/b.py", tt.b, "m/versions/c.py", tt.c)
		var pair [2]*History
		for i, fsys := range []fs.FS{old, target} {
			h, err := readAlembic(fsys, "m")
			if err != nil {
				t.Fatal(err)
			}
			pair[i] = h
		}
		got := new(Cache).Compare(old, target, pair, schema.New(schema.Server{Major: 8, Minor: 4}), "")
		if len(got.PendingGaps) != tt.want || len(got.Pending) != 1 {
			t.Errorf("%s: %d pending, %+v", tt.name, len(got.Pending), got.PendingGaps)
		}
	}
}

func TestDatabaseName(t *testing.T) {
	for dir, want := range map[string]string{
		"src/auslib/alembic": "auslib", "src/auslib/migrate": "auslib", "nova/db/main/migrations": "main", "nova/db/api/migrations": "api",
		"nova/db/sqlalchemy/migrate_repo": "nova", "nova/db/sqlalchemy/api_migrations/migrate_repo": "api", "alembic": "", ".": "", "migrations": "",
	} {
		if got := databaseName(dir); got != want {
			t.Errorf("%s: got %q, want %q", dir, got, want)
		}
	}
}

func TestReadSAMigrate(t *testing.T) {
	cfg := "[db_settings]\nrepository_id = x\n"
	script := "def upgrade(migrate_engine):\n    pass\n"
	tests := []struct {
		name string
		fs   []string
		dirs []string
		want string
		gaps []string
	}{
		{"plain", []string{"r/migrate.cfg", cfg, "r/versions/002_b.py", script, "r/versions/001_a.py", script, "r/versions/__init__.py", "", "r/versions/README", ""},
			[]string{"r"}, "001 r/versions/001_a.py, 002 r/versions/002_b.py", nil},
		{"left over", []string{"r/versions/037_b.py", script}, nil, "", nil},
		{"scripts", []string{"r/migrate.cfg", cfg,
			"r/versions/001_a_mysql_upgrade.sql", "", "r/versions/001_a_default_upgrade.sql", "", "r/versions/001_a.py", script,
			"r/versions/002_a_postgresql_upgrade.sql", "", "r/versions/002_a.py", script,
			"r/versions/003_a_default_upgrade.sql", "", "r/versions/003_a_sqlite_upgrade.sql", "", "r/versions/003_a_mysql_downgrade.sql", ""},
			[]string{"r"}, "001 r/versions/001_a_mysql_upgrade.sql, 002 r/versions/002_a.py, 003 r/versions/003_a_default_upgrade.sql", nil},
		{"hole", []string{"r/migrate.cfg", cfg, "r/versions/010_a.py", script, "r/versions/012_b.py", script}, []string{"r"},
			"010 r/versions/010_a.py, 012 r/versions/012_b.py", []string{"the versions between 010 and 012: there are none"}},
		{"two scripts", []string{"r/migrate.cfg", cfg, "r/versions/001_a.py", script, "r/versions/001_b.py", script}, []string{"r"},
			"001 r/versions/001_a.py", []string{"r/versions/001_b.py:1:1: the versions in r/versions: version 001 has two Python scripts"}},
		{"no script", []string{"r/migrate.cfg", cfg, "r/versions/001_a_sqlite_upgrade.sql", ""}, []string{"r"}, "", []string{"version 001: it has no script for mysql"}},
		{"bad name", []string{"r/migrate.cfg", cfg, "r/versions/001_a.py", script, "r/versions/001a.sql", ""}, []string{"r"},
			"001 r/versions/001_a.py", []string{"the name of a SQL script must be"}},
		{"lockstep", []string{"k/expand_repo/migrate.cfg", cfg, "k/expand_repo/versions/001_e.py", script,
			"k/contract_repo/migrate.cfg", cfg, "k/contract_repo/versions/001_c.py", script,
			"k/data_migration_repo/migrate.cfg", cfg, "k/data_migration_repo/versions/001_d.py", script,
			"k/migrate_repo/migrate.cfg", cfg, "k/migrate_repo/versions/067_m.py", script}, []string{"k"},
			"migrate_repo/067 k/migrate_repo/versions/067_m.py, expand_repo/001 k/expand_repo/versions/001_e.py, " +
				"data_migration_repo/001 k/data_migration_repo/versions/001_d.py, contract_repo/001 k/contract_repo/versions/001_c.py", nil},
		{"tests", []string{"r/tests/repo/migrate.cfg", cfg, "r/tests/repo/versions/001_a.py", script}, nil, "", nil},
	}
	for _, tt := range tests {
		fsys, files := pyTree(tt.fs...)
		dirs := detectSAMigrate(fsys, files)
		if !slices.Equal(dirs, tt.dirs) {
			t.Errorf("%s: detected %q, want %q", tt.name, dirs, tt.dirs)
		}
		if len(dirs) != 1 {
			continue
		}
		h, err := readSAMigrate(fsys, dirs[0])
		if err != nil {
			t.Fatal(err)
		}
		var got, gaps []string
		for _, r := range h.Revisions {
			got = append(got, r.ID+" "+r.File)
		}
		for _, g := range h.Gaps {
			gaps = append(gaps, g.Pos.String()+": "+g.What+": "+g.Why)
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, s, tt.want)
		}
		if !slices.EqualFunc(gaps, tt.gaps, strings.Contains) {
			t.Errorf("%s: gaps\n\t%s\nwant\n\t%s", tt.name, strings.Join(gaps, "\n\t"), strings.Join(tt.gaps, "\n\t"))
		}
	}
}

// downOf gives the way back of the only revision of a history.
func downOf(t *testing.T, body string) []schema.Statement {
	t.Helper()
	fsys, _ := pyTree("env.py", "", "versions/a.py", "from alembic import op\nimport sqlalchemy as sa\n"+revision("a", "None", "", "def downgrade():\n    "+body))
	h, err := readAlembic(fsys, ".")
	if err != nil {
		t.Fatal(err)
	}
	after := schema.New(schema.Server{Major: 8, Minor: 4})
	after, err = after.Apply(schema.Statement{SQL: "CREATE TABLE t (a INT, b INT)"})
	if err != nil {
		t.Fatal(err)
	}
	return h.Revisions[0].Down(fsys, after)
}

// upgradeText gives a revision with this body of upgrade().
func upgradeText(body string) string {
	src := "import sqlalchemy as sa\nfrom alembic import context, op\nrevision = 'a'\ndown_revision = None\n\n\ndef upgrade():\n"
	for _, line := range strings.Split(strings.TrimSpace(body), "\n") {
		src += "    " + line + "\n"
	}
	return src
}

// upgradeWith replays one Alembic revision with this body of upgrade() and gives what it did.
func upgradeWith(t *testing.T, body string) Migration {
	t.Helper()
	fsys, _ := pyTree("env.py", "", "versions/a.py", upgradeText(body))
	h, err := readAlembic(fsys, ".")
	if err != nil {
		t.Fatal(err)
	}
	r := (*Cache)(nil).Replay(fs.FS(fsys), h, schema.New(schema.Server{Major: 8, Minor: 4}))
	return r.Migrations[0]
}

const createT = "op.create_table('t', sa.Column('id', sa.Integer, primary_key=True), sa.Column('a', sa.String(10)))\n"

// alembicFailures are upgrades that fail when they are run for real, with a word of the gap.
var alembicFailures = []struct{ name, body, want string }{
	{"no type of constraint", createT + "op.drop_constraint('x', 't')", "No generic 'DROP CONSTRAINT' in MySQL"},
	{"wrong type of constraint", createT + "op.drop_constraint('x', 't', type_='index')", "'type' can be one of"},
	{"no existing type", createT + "op.alter_column('t', 'a', nullable=False)", "require the existing type"},
	{"unnamed", createT + "op.drop_constraint(None, 't', type_='unique')", "has no name"},
	{"length", "op.create_table('t', sa.Column('a', sa.String()))", "VARCHAR requires a length"},
	{"missing table", "op.add_column('t', sa.Column('a', sa.Integer))", "does not exist"},
	{"missing column", createT + "op.drop_column('t', 'b')", "b"},
	{"missing index", createT + "op.drop_index('ix', 't')", "ix"},
	{"index without table", createT + "op.create_index('ix', 't', ['a'])\nop.drop_index('ix')", "no_table"},
	{"column twice", createT + "op.add_column('t', sa.Column('a', sa.Integer))", "a"},
	{"table twice", createT + createT, "exist"},
	{"missing target", createT + "op.create_foreign_key('fk', 't', 'u', ['id'], ['id'])", "u"},
	{"column of another table", createT + "op.create_table('u', sa.Column('x', sa.Integer), sa.UniqueConstraint('y'))", "y"},
	{"computed", createT + "op.alter_column('t', 'a', server_default=sa.Computed('1'), existing_type=sa.String(10))", "computed"},
	{"raise", createT + "raise Exception('no')", "no"},
	{"no such operation", createT + "op.frobnicate('t')", "frobnicate"},
	{"too many arguments", createT + "op.drop_table('t', None, 3)", "positional argument"},
	{"rows", createT + "op.bulk_insert(sa.table('t', sa.column('a')), {'a': 'x'})", "List expected"},
	{"insert_before", createT + "with op.batch_alter_table('t') as b:\n    b.add_column(sa.Column('b', sa.Integer), insert_before='a')", "insert_before"},
}

// TestAlembicGaps checks what cannot be read, and what fails when it is run for real. Each must be a gap at its line; the
// body begins in line 8.
func TestAlembicGaps(t *testing.T) {
	tests := append(slices.Clone(alembicFailures), []struct{ name, body, want string }{
		{"key without length", createT + "op.add_column('t', sa.Column('b', sa.Text))\nop.create_index('ix', 't', ['b'])", "b"}, // MariaDB takes a prefix
		{"exclude", createT + "op.create_exclude_constraint('x', 't', ('a', '='))", "PostgreSQL only"},
		{"unknown text", "import os\nop.execute(os.environ['SQL'])", "environment"},
		{"unknown name", "import os\nop.drop_table(os.environ['TABLE'])", "environment"},
		{"unknown column", createT + "from somewhere import column\nop.add_column('t', column)", "somewhere"},
		{"x argument", createT + "if context.get_x_argument(as_dictionary=True).get('drop'):\n    op.drop_table('t')", "command line"},
		{"rows decide", createT + "if op.get_bind().execute(sa.text('SELECT a FROM t')).fetchall():\n    op.drop_table('t')", ""},
		{"recreate", createT + "with op.batch_alter_table('t', recreate='always') as b:\n    b.drop_column('a')", "not modelled"},
		{"escape", createT + "import helpers\nhelpers.migrate(op)", "helpers"},
	}...)
	for _, tt := range tests {
		m := upgradeWith(t, tt.body)
		found := false
		for _, g := range m.Gaps {
			found = found || strings.Contains(g.What+g.Why, tt.want) && g.Pos.File == "versions/a.py" && g.Pos.Line >= 8
		}
		if !found {
			t.Errorf("%s: no gap with %q: %v", tt.name, tt.want, m.Gaps)
		}
	}
}

// TestAlembicDown checks that a downgrade is read, and that one which cannot be read gives nothing.
func TestAlembicDown(t *testing.T) {
	if got := downOf(t, "op.drop_column('t', 'b')"); len(got) != 1 || got[0].SQL != "ALTER TABLE t DROP COLUMN b" {
		t.Errorf("got %v", got)
	}
	if got := downOf(t, "op.drop_column('t', 'b'); import os; op.execute(os.environ['SQL'])"); got != nil {
		t.Errorf("got %v", got)
	}
}

// TestFindPython checks that no other framework claims what belongs to one written in Python.
func TestFindPython(t *testing.T) {
	cfg := "[db_settings]\nrepository_id = x\n"
	fsys, files := pyTree("app/repo/migrate.cfg", cfg, "app/repo/versions/001_a.py", "def upgrade(e):\n    pass\n",
		"app/repo/versions/002_b_mysql_upgrade.sql", "CREATE TABLE t (a INT);\n", "app/repo/versions/002_b_mysql_downgrade.sql", "DROP TABLE t;\n",
		"app/repo/versions/003_c_mysql_upgrade.sql", "ALTER TABLE t ADD COLUMN b INT;\n",
		"app/alembic/env.py", "from alembic import context\n", "app/alembic/versions/1.py", revision("a", "None"), "app/alembic/versions/data.sql", "SELECT 1;\n")
	histories, err := Find(fsys, files, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range histories {
		got = append(got, h.Framework+" "+h.Dir)
	}
	if want := []string{"alembic app/alembic", "sqlalchemy-migrate app/repo"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
