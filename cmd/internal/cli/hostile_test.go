package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// revision is an Alembic file.
func revision(id, down, body string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("import sqlalchemy as sa\nfrom alembic import op\n\nrevision = " + id + "\ndown_revision = " + down + "\n\n\ndef upgrade():\n" + body)}
}

// TestHostile gives the analysis trees that a stranger could send: each gets one clear answer with a position, in
// bounded time, and none is called safe.
func TestHostile(t *testing.T) {
	base := fstest.MapFS{
		"alembic.ini":         {Data: []byte("[alembic]\nscript_location = db\n")},
		"db/env.py":           {Data: []byte("from alembic import context\nraise SystemExit('never run')\n")},
		"db/versions/0001.py": revision("'0001'", "None", "    op.create_table('t', sa.Column('id', sa.Integer, primary_key=True))\n"),
		"sql/001_t.sql":       {Data: []byte("CREATE TABLE t (id INT PRIMARY KEY);\n")},
	}
	only := func(prefix string) fstest.MapFS {
		m := fstest.MapFS{}
		for name, f := range base {
			if strings.HasPrefix(name, prefix) || prefix == "db" && name == "alembic.ini" {
				m[name] = f
			}
		}
		return m
	}
	marker := filepath.Join(t.TempDir(), "executed")
	for _, test := range []struct {
		name   string
		prefix string // which of base
		file   string
		data   *fstest.MapFile
		link   string // target of a symbolic link instead of data
		want   string
	}{
		{name: "two heads", prefix: "db", file: "db/versions/0002.py", data: revision("'0002'", "None", "    pass\n"), want: "heads"},
		{name: "a revision after itself", prefix: "db", file: "db/versions/0002.py", data: revision("'0002'", "'0002'", "    pass\n"), want: "names itself"},
		{name: "a missing parent", prefix: "db", file: "db/versions/0002.py", data: revision("'0002'", "'0000'", "    pass\n"), want: "0000"},
		{name: "a duplicate id", prefix: "db", file: "db/versions/0002.py", data: revision("'0001'", "None", "    pass\n"), want: "0001"},
		{name: "a syntax error", prefix: "db", file: "db/versions/0002.py", data: revision("'0002'", "'0001'", "    op.drop_table('t'\n"), want: "db/versions/0002.py:"},
		{name: "10,000 nested parentheses", prefix: "db", file: "db/versions/0002.py",
			data: revision("'0002'", "'0001'", "    x = "+strings.Repeat("(", 10000)+"1"+strings.Repeat(")", 10000)+"\n"), want: "db/versions/0002.py:"},
		{name: "an endless loop", prefix: "db", file: "db/versions/0002.py", data: revision("'0002'", "'0001'", "    while True:\n        pass\n"), want: "gave up"},
		{name: "endless recursion", prefix: "db", file: "db/versions/0002.py", data: revision("'0002'", "'0001'", "    def f(n):\n        return f(n + 1)\n    f(0)\n"), want: "db/versions/0002.py:"},
		{name: "a huge string", prefix: "db", file: "db/versions/0002.py", data: revision("'0002'", "'0001'", "    op.execute('x' * 10**12)\n"), want: "db/versions/0002.py:"},
		{name: "a huge number", prefix: "db", file: "db/versions/0002.py", data: revision("'0002'", "'0001'", "    op.execute(str(10**10**10))\n"), want: "db/versions/0002.py:"},
		{name: "code that would run", prefix: "db", file: "db/versions/0002.py",
			data: revision("'0002'", "'0001'", "    import os, subprocess\n    os.system('touch "+marker+"')\n    subprocess.run(['touch', '"+marker+"'])\n    open('"+marker+"', 'w').write('x')\n    eval(\"op.drop_table('t')\")\n"), want: "eval"},
		{name: "DDL that hangs on the environment", prefix: "db", file: "db/versions/0002.py",
			data: revision("'0002'", "'0001'", "    import os\n    if os.environ.get('X'):\n        op.drop_table('t')\n"), want: "DROP TABLE t"},
		{name: "a binary file", prefix: "sql", file: "sql/002_b.sql", data: &fstest.MapFile{Data: []byte("\x7fELF\x00\x01\x02\x00")}, want: "sql/002_b.sql"},
		{name: "a 50 MB file", prefix: "sql", file: "sql/002_big.sql",
			data: &fstest.MapFile{Data: []byte("ALTER TABLE t ADD COLUMN a INT;\n" + strings.Repeat("INSERT INTO t VALUES ('"+strings.Repeat("x", 1000)+"');\n", 50_000))}, want: "sql/002_big.sql"},
		{name: "an unclosed quote", prefix: "sql", file: "sql/002_q.sql", data: &fstest.MapFile{Data: []byte("DROP TABLE t;\nINSERT INTO t VALUES ('x")}, want: "sql/002_q.sql:2"},
		{name: "a link out of the tree", prefix: "sql", file: "sql/002_l.sql", link: "../../../../../../etc/passwd", want: "sql/002_l.sql"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := sampleRepo(t, []string{"v1"}, only(test.prefix))
			name := filepath.Join(dir, filepath.FromSlash(test.file))
			if test.link != "" {
				if err := os.Symlink(test.link, name); err != nil {
					t.Fatal(err)
				}
			}
			next := fstest.MapFS{}
			if test.data != nil {
				next[test.file] = test.data
			} else {
				next["readme"] = &fstest.MapFile{Data: []byte("x")}
			}
			if err := CommitRelease(dir, next, "v2", true); err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			start := time.Now()
			code := Run(context.Background(), []string{"-C", dir, "v1", "v2"}, &stdout, &stderr)
			if took := time.Since(start); took > 60*time.Second {
				t.Errorf("it took %s", took)
			}
			out := stdout.String() + stderr.String()
			if code != exitUnproven && code != exitFailed {
				t.Errorf("exit %d:\n%.2000s", code, out)
			}
			if !strings.Contains(out, test.want) {
				t.Errorf("nothing says %q:\n%.2000s", test.want, out)
			}
			if len(out) > 100_000 {
				t.Errorf("%d bytes of output", len(out))
			}
			if strings.Contains(out, "root:") {
				t.Error("a file outside of the tree was read")
			}
			if _, err := os.Stat(marker); err == nil {
				t.Fatal("the repository's code was executed")
			}
		})
	}
}
