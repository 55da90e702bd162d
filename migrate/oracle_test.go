package migrate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"instep/analyzer/schema"
	"instep/internal/gitfs"
	"instep/simulate/servertest"
)

// realPython gives the Python interpreter that has the named modules. Debian's packages install them for /usr/bin/python3
// only, so that this one is tried first.
func realPython(t testing.TB, modules ...string) string {
	t.Helper()
	var tried []string
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		p, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := exec.Command(p, "-c", "import "+strings.Join(modules, ", ")).CombinedOutput()
		if err == nil {
			return p
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		tried = append(tried, p+": "+lines[len(lines)-1])
	}
	if servertest.Required("python") {
		t.Fatalf("no Python with %v, and INSTEP_REQUIRE names python: %v", modules, tried)
	}
	t.Skipf("SKIPPED, NOT TESTED: no Python with %v: %v", modules, tried)
	return ""
}

// An oracleLine is one line that testdata/oracle/run.py prints.
type oracleLine struct {
	ID         string
	Statements []string
	Schema     map[string]string
	Error      string
	Order      []string
	Heads      []string
}

// runOracle runs testdata/oracle/run.py.
func runOracle(t testing.TB, python string, args ...string) []oracleLine {
	t.Helper()
	cmd := exec.Command(python, append([]string{"testdata/oracle/run.py"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, stderr.String())
	}
	var lines []oracleLine
	scan := bufio.NewScanner(bytes.NewReader(out))
	scan.Buffer(nil, 64<<20)
	for scan.Scan() {
		var line oracleLine
		if err := json.Unmarshal(scan.Bytes(), &line); err != nil {
			t.Fatalf("run.py printed %q: %v", scan.Text(), err)
		}
		lines = append(lines, line)
	}
	return lines
}

// TestAlembicOrder compares the order of revisions with real Alembic's on random graphs with branches, merges,
// dependencies and labels.
func TestAlembicOrder(t *testing.T) {
	python := realPython(t, "alembic")
	rnd := rand.New(rand.NewPCG(1, 2))
	base := t.TempDir()
	var dirs []string
	for n := range 300 {
		dir := filepath.Join(base, fmt.Sprintf("g%03d", n))
		writeGraph(t, rnd, filepath.Join(dir, "versions"))
		dirs = append(dirs, dir)
	}
	lines := runOracle(t, python, append([]string{"graph"}, dirs...)...)
	refused := 0
	for i, dir := range dirs {
		h, err := readAlembic(os.DirFS(dir), ".")
		if err != nil {
			t.Fatal(err)
		}
		want := lines[i]
		if want.Error != "" {
			refused++
			if len(h.Gaps) == 0 {
				t.Errorf("%s: Alembic says %q, we have no gap\n%s", dir, want.Error, graphText(dir))
			}
			continue
		}
		var got []string
		for _, r := range h.Revisions {
			got = append(got, r.ID)
		}
		cycle := slices.ContainsFunc(h.Gaps, func(g schema.Gap) bool { return strings.Contains(g.Why, "cycle") })
		if cycle {
			continue // Alembic overlooks cycles that mix both kinds of edges; the order then means nothing
		}
		if !slices.Equal(got, want.Order) {
			t.Errorf("order\n got %v\nwant %v\n%s", got, want.Order, graphText(dir))
		}
		for _, g := range h.Gaps {
			if !strings.Contains(g.What, "heads") {
				t.Errorf("%s: a gap that Alembic does not see: %v\n%s", dir, g, graphText(dir))
			}
		}
	}
	if refused == 0 || refused == len(dirs) {
		t.Errorf("%d of %d random graphs are refused by Alembic: the test says nothing about the others", refused, len(dirs))
	}
}

// writeGraph writes a random history.
func writeGraph(t *testing.T, rnd *rand.Rand, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	n := 1 + rnd.IntN(12)
	names := rnd.Perm(n)
	var labels []string
	for i := range n {
		pick := func() string {
			if rnd.IntN(60) == 0 {
				return fmt.Sprintf("r%02d", rnd.IntN(n+1)) // perhaps itself, a later one or none: Alembic refuses
			}
			return fmt.Sprintf("r%02d", max(0, i-1-rnd.IntN(4)))
		}
		down := "None"
		switch r := rnd.IntN(10); {
		case i == 0 || r == 0:
		case r < 3 && i > 2:
			down = fmt.Sprintf("(%q, %q)", pick(), pick())
		default:
			down = fmt.Sprintf("%q", pick())
		}
		deps := "None"
		if i > 0 && rnd.IntN(4) == 0 {
			deps = fmt.Sprintf("%q", pick())
			if len(labels) > 0 && rnd.IntN(3) == 0 {
				deps = fmt.Sprintf("[%q]", labels[rnd.IntN(len(labels))]) // Alembic's order among several is that of a set of strings
			}
		}
		label := "None"
		if rnd.IntN(6) == 0 {
			l := fmt.Sprintf("label%d", rnd.IntN(20))
			labels = append(labels, l)
			label = fmt.Sprintf("(%q,)", l)
		}
		text := fmt.Sprintf("revision = 'r%02d'\ndown_revision = %s\nbranch_labels = %s\ndepends_on = %s\n\n\ndef upgrade():\n    pass\n", i, down, label, deps)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.py", names[i])), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func graphText(dir string) string {
	files, _ := filepath.Glob(filepath.Join(dir, "versions", "*.py"))
	var b strings.Builder
	for _, f := range files {
		text, _ := os.ReadFile(f)
		head, _, _ := strings.Cut(string(text), "\n\n")
		b.WriteString(filepath.Base(f) + ": " + strings.ReplaceAll(head, "\n", "; ") + "\n")
	}
	return b.String()
}

// conventions are the naming conventions that the models of testdata/oracle/naming declare.
const conventions = `{"ix": "ix_%(column_0_label)s", "uq": "uq_%(table_name)s_%(column_0_name)s", "ck": "ck_%(table_name)s_%(constraint_name)s",
	"fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s", "pk": "pk_%(table_name)s"}`

// TestOracleFixtures runs our own migrations with the real libraries on a real server. Statements and tables must agree.
func TestOracleFixtures(t *testing.T) {
	python := realPython(t, "alembic", "migrate.changeset", "pymysql")
	servers := []struct {
		name  string
		start func(testing.TB) *servertest.Server
	}{{"mariadb", servertest.MariaDB}, {"mysql", servertest.MySQL}}
	fixtures := []struct {
		mode, dir string
		args      []string
	}{
		{"alembic", "ops", []string{"--path", "testdata/oracle/ops"}},
		{"alembic", "naming", []string{"--naming", conventions}},
		{"migrate", "changes", nil},
	}
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			server := s.start(t)
			for _, f := range fixtures {
				t.Run(f.dir, func(t *testing.T) {
					_, db := server.Database(t)
					dir := filepath.Join("testdata/oracle", f.dir)
					lines := runOracle(t, python, append([]string{f.mode, server.URL(db), dir}, f.args...)...)
					compareRuns(t, server, replayDir(t, dir, ".", f.mode, server), lines)
				})
			}
		})
	}
}

// TestOracleFailures checks that what we say fails does fail.
func TestOracleFailures(t *testing.T) {
	python := realPython(t, "alembic", "pymysql")
	server := servertest.MariaDB(t)
	for _, f := range alembicFailures {
		t.Run(f.name, func(t *testing.T) {
			_, db := server.Database(t)
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "versions"), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "versions/a.py"), []byte(upgradeText(f.body)), 0o666); err != nil {
				t.Fatal(err)
			}
			lines := runOracle(t, python, "alembic", server.URL(db), dir)
			if lines[0].Error == "" {
				t.Errorf("the real upgrade succeeds: %q", lines[0].Statements)
			}
		})
	}
}

// replayDir replays the history in dir of the tree at root.
func replayDir(t testing.TB, root, dir, mode string, server *servertest.Server) *Replay {
	t.Helper()
	fsys := os.DirFS(root)
	fw := map[string]*Framework{"alembic": Alembic, "migrate": SQLAlchemyMigrate}[mode]
	h, err := fw.Read(fsys, dir)
	if err != nil {
		t.Fatal(err)
	}
	return (*Cache)(nil).Replay(fsys, h, schema.New(serverOf(server)))
}

func serverOf(s *servertest.Server) schema.Server {
	return schema.Server{MariaDB: s.MariaDB, Major: s.Major, Minor: s.Minor, Patch: s.Patch}
}

// compareRuns compares what we read with what the real library did.
func compareRuns(t *testing.T, server *servertest.Server, got *Replay, want []oracleLine) {
	t.Helper()
	for _, g := range got.AllGaps() {
		t.Errorf("gap: %v: %s: %s", g.Pos, g.What, g.Why)
	}
	byID := map[string]Migration{}
	for _, m := range got.Migrations {
		byID[strings.TrimLeft(m.ID, "0")] = m
	}
	for _, line := range want {
		if line.Schema != nil {
			compareSchemas(t, server, got.Schema, line.Schema)
		}
		if line.ID == "" {
			continue
		}
		if line.Error != "" {
			t.Errorf("%s: the real library fails: %s", line.ID, line.Error)
		}
		m, ok := byID[strings.TrimLeft(line.ID, "0")]
		if !ok {
			t.Errorf("%s: not read", line.ID)
			continue
		}
		var ours, theirs []string
		plain := plainSQL
		if strings.HasSuffix(m.File, ".sql") {
			plain = func(sql string) string { return schema.Meaning(strings.TrimSuffix(sql, ";")) } // the library drops comments
		}
		for _, st := range m.Statements {
			ours = append(ours, plain(st.SQL))
		}
		for _, s := range line.Statements {
			theirs = append(theirs, plain(s))
		}
		for i := range max(len(ours), len(theirs)) {
			a, b := "(none)", "(none)"
			if i < len(ours) {
				a = ours[i]
			}
			if i < len(theirs) {
				b = theirs[i]
			}
			if a != b && (!server.MariaDB || mariaSQL(a) != mariaSQL(b)) {
				t.Errorf("%s, statement %d\n got %s\nwant %s", line.ID, i+1, a, b)
			}
		}
	}
}

// width is an integer's display width, which MariaDB reports of a column and MySQL does not.
var width = regexp.MustCompile(`\b((?:INTEGER|BIGINT|SMALLINT))\(\d+\)`)

// plainSQL gives a statement without layout, and with quotes in literals doubled as SQLAlchemy does, not the driver.
func plainSQL(sql string) string {
	sql = width.ReplaceAllString(sql, "$1")
	sql = strings.Join(strings.Fields(sql), " ")
	sql = strings.ReplaceAll(sql, `\'`, `''`)
	return strings.TrimSpace(strings.TrimSuffix(sql, ";"))
}

var (
	quotedWord    = regexp.MustCompile("`([a-z_][a-z0-9_]*)`")
	quotedDefault = regexp.MustCompile(`DEFAULT '([\d.]+)'`)
)

// mariaSQL gives a statement without what differs when SQLAlchemy speaks with MariaDB: it quotes other reserved words, and
// MariaDB reports numeric defaults without quotes. We compile for MySQL in both cases; the meaning is the same.
func mariaSQL(sql string) string {
	return quotedDefault.ReplaceAllString(quotedWord.ReplaceAllString(sql, "$1"), "DEFAULT $1")
}

// compareSchemas compares a schema with what SHOW CREATE TABLE says of the real tables, order of columns included: both
// are printed by us, so that only what they mean counts.
func compareSchemas(t *testing.T, server *servertest.Server, got *schema.Schema, creates map[string]string) {
	t.Helper()
	want := schema.New(serverOf(server))
	if s, err := want.Apply(schema.Statement{SQL: "SET foreign_key_checks = 0"}); err != nil {
		t.Fatal(err)
	} else {
		want = s
	}
	names := make([]string, 0, len(creates))
	for name := range creates {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s, err := want.Apply(schema.Statement{SQL: creates[name]})
		if err != nil {
			t.Errorf("reading the real table %s: %v\n%s", name, err, creates[name])
		}
		want = s
	}
	for _, c := range schema.DiffNames(want, got) {
		t.Errorf("%s of %v: in reality\n%s\nin our schema\n%s", c.Kind(), c.Object(), creates[c.Object().Table], create(got, c.Object().Table))
	}
}

// create gives the CREATE TABLE statement of a table of a schema.
func create(s *schema.Schema, table string) string {
	for _, text := range strings.SplitAfter(s.SQL(), ";\n") {
		if strings.Contains(text, "CREATE TABLE `"+table+"`") {
			return strings.TrimSpace(text)
		}
	}
	return "(none)"
}

// balrogReleases are the releases whose schema is compared with the real one.
var balrogReleases = []string{"v2.4", "v2.18", "v3.60", "v3.110", "v3.111", "v3.116", "v3.117", "v3.120"}

// TestOracleBalrog compares the schema of Balrog's releases with what the real libraries build on a real server.
func TestOracleBalrog(t *testing.T) {
	repo := corpus(t, "mozilla-releng+balrog")
	python := realPython(t, "alembic", "migrate.changeset", "pymysql")
	server := servertest.MariaDB(t)
	for _, tag := range balrogReleases {
		t.Run(tag, func(t *testing.T) {
			root := unpack(t, repo, tag, "auslib", "src", "alembic.ini")
			fsys := os.DirFS(root)
			var files []string
			filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					rel, _ := filepath.Rel(root, name)
					files = append(files, filepath.ToSlash(rel))
				}
				return nil
			})
			slices.Sort(files)
			histories, err := Find(fsys, files, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(histories) != 1 {
				for _, h := range histories {
					t.Logf("%s in %s", h.Framework, h.Dir)
				}
				t.Fatalf("%d histories, want 1", len(histories))
			}
			h := histories[0]
			mode, args := "alembic", []string(nil)
			if h.Framework == SQLAlchemyMigrate.Name {
				mode = "migrate"
			}
			_, db := server.Database(t)
			args = append([]string{mode, server.URL(db), filepath.Join(root, h.Dir), "--stub"}, args...)
			for _, p := range []string{"src", "."} {
				args = append(args, "--path", filepath.Join(root, p))
			}
			lines := runOracle(t, python, args...)
			compareRuns(t, server, (*Cache)(nil).Replay(fsys, h, schema.New(serverOf(server))), lines)
		})
	}
}

// corpus gives a bare repository of the corpus.
func corpus(t testing.TB, name string) string {
	t.Helper()
	base := os.Getenv("INSTEP_CORPUS")
	if base == "" {
		t.Skip("SKIPPED, NOT TESTED: INSTEP_CORPUS is not set; it names a folder of bare repositories OWNER+NAME")
	}
	for _, dir := range []string{filepath.Join(base, name), filepath.Join(base, name, "repo")} {
		if _, err := os.Stat(filepath.Join(dir, "HEAD")); err == nil {
			return dir
		}
	}
	t.Skipf("SKIPPED, NOT TESTED: no bare repository %s in %s", name, base)
	return ""
}

// unpack writes some top-level paths of a commit into a folder, those that exist. A partial clone need not have all.
func unpack(t testing.TB, repo, rev string, paths ...string) string {
	t.Helper()
	dir := t.TempDir()
	names, err := exec.Command("git", "--git-dir", repo, "ls-tree", "--name-only", rev).Output()
	if err != nil {
		t.Fatalf("git ls-tree %s: %v", rev, err)
	}
	args := []string{"--git-dir", repo, "archive", rev}
	for _, name := range strings.Fields(string(names)) {
		if slices.Contains(paths, name) {
			args = append(args, name)
		}
	}
	archive := exec.Command("git", args...)
	tar := exec.Command("tar", "-x", "-C", dir)
	out, err := archive.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	tar.Stdin = out
	if err := tar.Start(); err != nil {
		t.Fatal(err)
	}
	if err := archive.Run(); err != nil {
		t.Fatalf("git archive %s: %v", rev, err)
	}
	if err := tar.Wait(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// BenchmarkReadBalrog finds, reads and replays all of Balrog's history at two releases, straight from the repository;
// with the last name, at two releases that share all but one revision, as a check does.
func BenchmarkReadBalrog(b *testing.B) {
	repo, err := gitfs.Open(corpus(b, "mozilla-releng+balrog"))
	if err != nil {
		b.Fatal(err)
	}
	defer repo.Close()
	base := schema.New(schema.Server{Major: 8, Minor: 4})
	for _, tags := range [][]string{{"v3.116"}, {"v3.120"}, {"v3.110", "v3.111"}} {
		b.Run(strings.Join(tags, ".."), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				cache := new(Cache)
				for _, tag := range tags {
					commit, err := repo.Resolve(tag)
					if err != nil {
						b.Fatal(err)
					}
					fsys := repo.FS(commit)
					files, err := fsys.Files()
					if err != nil {
						b.Fatal(err)
					}
					histories, err := Find(fsys, files, nil)
					if err != nil {
						b.Fatal(err)
					}
					for _, h := range histories {
						cache.Replay(fsys, h, base)
					}
				}
			}
		})
	}
}

// BenchmarkReadFixtures does the same with our own migrations, without a corpus.
func BenchmarkReadFixtures(b *testing.B) {
	for _, dir := range []string{"ops", "changes"} {
		b.Run(dir, func(b *testing.B) {
			fsys, files := inMemory(b, filepath.Join("testdata/oracle", dir))
			benchmarkRead(b, fsys, files)
		})
	}
}

func benchmarkRead(b *testing.B, fsys fstest.MapFS, files []string) {
	base := schema.New(schema.Server{Major: 8, Minor: 4})
	b.ReportAllocs()
	for b.Loop() {
		histories, err := Find(fsys, files, nil)
		if err != nil {
			b.Fatal(err)
		}
		for _, h := range histories {
			(*Cache)(nil).Replay(fsys, h, base)
		}
	}
}

// inMemory reads a folder into memory.
func inMemory(tb testing.TB, root string) (fstest.MapFS, []string) {
	tb.Helper()
	fsys := fstest.MapFS{}
	var files []string
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		rel, _ := filepath.Rel(root, name)
		fsys[filepath.ToSlash(rel)] = &fstest.MapFile{Data: text}
		files = append(files, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	slices.Sort(files)
	return fsys, files
}
