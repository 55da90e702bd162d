package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// sampleRepo commits releases, each a whole tree, and gives the repository's folder.
func sampleRepo(tb testing.TB, tags []string, trees ...fstest.MapFS) string {
	tb.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		tb.Skip("SKIPPED: no git on PATH: it builds the sample repository")
	}
	dir := filepath.Join(tb.TempDir(), "repo")
	for i, tag := range tags {
		if err := CommitRelease(dir, trees[i], tag, false); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// alembicTree has n revisions that add columns to as many tables as there are services with models in real projects.
func alembicTree(n int) fstest.MapFS {
	files := fstest.MapFS{
		"alembic.ini":       {Data: []byte("[alembic]\nscript_location = migrations\n")},
		"migrations/env.py": {Data: []byte("from alembic import context\n")},
	}
	for i := range n {
		var b strings.Builder
		fmt.Fprintf(&b, "import sqlalchemy as sa\nfrom alembic import op\n\nrevision = %q\n", fmt.Sprintf("%04d", i))
		if i == 0 {
			b.WriteString("down_revision = None\n\n\ndef upgrade():\n    for t in range(20):\n        op.create_table(\"t%d\" % t, sa.Column(\"id\", sa.Integer, primary_key=True), sa.Column(\"name\", sa.String(100), nullable=False))\n")
		} else {
			fmt.Fprintf(&b, "down_revision = %q\n\n\ndef upgrade():\n    op.add_column(\"t%d\", sa.Column(\"c%d\", sa.String(50)))\n    op.create_index(\"ix_%d\", \"t%d\", [\"c%d\"])\n", fmt.Sprintf("%04d", i-1), i%20, i, i, i%20, i)
		}
		files[fmt.Sprintf("migrations/versions/%04d_step.py", i)] = &fstest.MapFile{Data: []byte(b.String())}
	}
	for i := range 200 {
		files[fmt.Sprintf("src/app/module%03d.py", i)] = &fstest.MapFile{Data: []byte(strings.Repeat("def f(x):\n    return x.c7 + 1\n\n", 60))}
	}
	return files
}

// sqlTree has n numbered SQL migrations.
func sqlTree(n int) fstest.MapFS {
	files := fstest.MapFS{}
	for i := range n {
		sql := fmt.Sprintf("CREATE TABLE t%d (id BIGINT NOT NULL AUTO_INCREMENT, name VARCHAR(100) NOT NULL, PRIMARY KEY (id), KEY name (name));\n", i/4)
		if i%4 > 0 {
			sql = fmt.Sprintf("ALTER TABLE t%d ADD COLUMN c%d VARCHAR(50) NULL, ADD INDEX k%d (c%d);\nUPDATE t%d SET c%d = 'x';\n", i/4, i%4, i%4, i%4, i/4, i%4)
		}
		files[fmt.Sprintf("db/migrations/%05d_step.sql", i)] = &fstest.MapFile{Data: []byte(sql)}
	}
	return files
}

func benchmarkCheck(b *testing.B, dir, config string) {
	if config != "" {
		name := filepath.Join(b.TempDir(), "instep.yaml")
		if err := os.WriteFile(name, []byte(config), 0o666); err != nil {
			b.Fatal(err)
		}
		config = "--config=" + name
	} else {
		config = "--no-color"
	}
	b.ReportAllocs()
	for b.Loop() {
		var stderr strings.Builder
		if code := Run(context.Background(), []string{"-C", dir, "v1", "v2", config}, io.Discard, &stderr); code != exitOK {
			b.Fatalf("exit %d\n%s", code, stderr.String())
		}
	}
}

// BenchmarkCheck is the main job, in process: 40 Alembic revisions of which one is pending, with a search for evidence
// in 200 source files.
func BenchmarkCheck(b *testing.B) {
	benchmarkCheck(b, sampleRepo(b, []string{"v1", "v2"}, alembicTree(39), alembicTree(40)),
		"services:\n  admin: {migrates: true, code: [\"src/**\"]}\n  app: {access: read, code: [\"src/**\"]}\n")
}

// BenchmarkCheckSQL rebuilds a thousand SQL migrations.
func BenchmarkCheckSQL(b *testing.B) {
	benchmarkCheck(b, sampleRepo(b, []string{"v1", "v2"}, sqlTree(999), sqlTree(1000)), "")
}
