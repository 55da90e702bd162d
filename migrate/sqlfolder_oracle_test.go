package migrate

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/go-sql-driver/mysql"

	"instep/analyzer/schema"
	"instep/simulate/servertest"
)

// TestSQLOnServers runs the conformance history in every form on real servers.
func TestSQLOnServers(t *testing.T) {
	for _, kind := range []struct {
		name  string
		start func(testing.TB) *servertest.Server
	}{{"mariadb", servertest.MariaDB}, {"mysql", servertest.MySQL}} {
		t.Run(kind.name, func(t *testing.T) {
			server := kind.start(t)
			for _, name := range []string{"goose", "golang-migrate", "flyway"} {
				fsys := tree(conformanceForms[name]())
				histories, err := Find(fsys, paths(fsys), nil)
				if err != nil || len(histories) != 1 {
					t.Fatal(histories, err)
				}
				t.Run(name, func(t *testing.T) { onServer(t, server, fsys, histories[0]) })
			}
		})
	}
}

// sqlCorpus are releases of real projects whose migrations are SQL files.
var sqlCorpus = []struct {
	repo, rev string
	skip      string // a folder that starts in the middle of a history, which a server refuses
	start     func(testing.TB) *servertest.Server
}{
	{"letsencrypt+boulder", "release-2025-06-09", "", servertest.MariaDB},
	{"letsencrypt+boulder", "release-2021-04-12", "", servertest.MariaDB},
	{"openfga+openfga", "HEAD", "", servertest.MySQL},
	{"temporalio+temporal", "HEAD", "", servertest.MySQL},
	{"cadence-workflow+cadence", "HEAD", "", servertest.MySQL},
	{"ory+kratos", "HEAD", "legacy", servertest.MySQL},
	{"ory+hydra", "HEAD", "", servertest.MySQL},
	{"mozilla-services+syncstorage-rs", "HEAD", "", servertest.MySQL},
	{"Netflix+genie", "HEAD", "", servertest.MySQL},
	{"kestra-io+kestra", "HEAD", "", servertest.MySQL},
}

// TestSQLCorpus runs real projects' migrations on a real server and compares what it makes of them with the schema that is
// rebuilt from the files.
func TestSQLCorpus(t *testing.T) {
	corpus := os.Getenv("INSTEP_CORPUS")
	if corpus == "" {
		t.Skip("SKIPPED, NOT TESTED: INSTEP_CORPUS names no folder with bare repositories (OWNER+NAME)")
	}
	for _, c := range sqlCorpus {
		t.Run(c.repo+"@"+c.rev, func(t *testing.T) {
			server := c.start(t)
			fsys := checkout(t, filepath.Join(corpus, c.repo), c.rev)
			histories, err := Find(fsys, paths(fsys), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(histories) == 0 {
				t.Error("no migrations found")
			}
			for _, h := range histories {
				if c.skip != "" && strings.HasSuffix(h.Dir, c.skip) {
					continue
				}
				t.Run(h.Dir, func(t *testing.T) { onServer(t, server, fsys, h) })
			}
		})
	}
}

// checkout reads the SQL files, manifests and links of a revision. git archive would want every file of it to be here.
func checkout(t *testing.T, repo, rev string) fs.FS {
	t.Helper()
	if _, err := os.Stat(filepath.Join(repo, "HEAD")); err != nil {
		repo = filepath.Join(repo, "repo")
	}
	list, err := exec.Command("git", "-C", repo, "ls-tree", "-rz", rev).Output()
	if err != nil {
		t.Skipf("SKIPPED, NOT TESTED: the corpus has no %s in %s: %v", rev, repo, err)
	}
	fsys := fstest.MapFS{}
	var names []string
	var ask strings.Builder
	for line := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		meta, name, _ := strings.Cut(line, "\t")
		f := strings.Fields(meta)
		if f[1] != "blob" || filepath.Ext(name) != ".sql" && filepath.Base(name) != "manifest.json" && filepath.Base(name) != "__init__.py" {
			continue
		}
		file := &fstest.MapFile{}
		if f[0] == "120000" {
			file.Mode = fs.ModeSymlink
		}
		fsys[name] = file
		names = append(names, name)
		ask.WriteString(f[2] + "\n")
	}
	cmd := exec.Command("git", "-C", repo, "cat-file", "--batch")
	cmd.Stdin = strings.NewReader(ask.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(bytes.NewReader(out))
	for _, name := range names {
		head, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		f := strings.Fields(head)
		if len(f) != 3 {
			t.Skipf("SKIPPED, NOT TESTED: %s is not in the corpus: %s", name, head)
		}
		size, err := strconv.Atoi(f[2])
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, size+1)
		if _, err := io.ReadFull(r, data); err != nil {
			t.Fatal(err)
		}
		fsys[name].Data = data[:size]
	}
	return fsys
}

var ddl = regexp.MustCompile(`(?i)^\s*(/\*!\d*\s*)?(create|alter|drop|rename|truncate)\b`)

// onServer runs a history statement by statement on a server and in the model, which have to agree on each
// statement that touches the schema and on all tables at the end, as long as the model has read everything.
func onServer(t *testing.T, server *servertest.Server, fsys fs.FS, h *History) {
	t.Helper()
	ctx := context.Background()
	db, database := server.Database(t)
	conn, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	base := schema.New(schema.Server{MariaDB: server.MariaDB, Major: server.Major, Minor: server.Minor, Patch: server.Patch})
	model, statements := base, 0
	complain := t.Errorf
	for _, rev := range h.Revisions {
		m := rev.Run(fsys, model)
		for _, g := range m.Gaps {
			t.Logf("gap %s: %s: %s", g.Pos, g.What, g.Why)
		}
		for i, st := range m.Statements {
			statements++
			before := model
			if i > 0 {
				before = m.Steps[i-1]
			}
			_, modelErr := before.Apply(st)
			_, serverErr := conn.ExecContext(ctx, st.SQL)
			var e *schema.Error
			code := 0
			if errors.As(modelErr, &e) {
				code = e.Code
			}
			var refused *mysql.MySQLError
			switch {
			case serverErr != nil && !errors.As(serverErr, &refused):
				t.Fatal(serverErr)
			case modelErr != nil && code == 0:
				complain = t.Logf // a gap: from here on the model says itself that it does not know
			case !ddl.MatchString(st.SQL):
			case refused == nil && modelErr != nil:
				complain("%s: the server takes it, the model does not: %v", st.Pos, modelErr)
			case refused != nil && int(refused.Number) != code:
				complain("%s: the server refuses it: %v; the model says %v\n%s", st.Pos, refused, modelErr, headline(st.SQL))
			}
		}
		model = m.After
	}
	if statements == 0 {
		t.Error("no statements")
	}
	real := base
	real, _ = real.Apply(schema.Statement{SQL: "SET FOREIGN_KEY_CHECKS = 0"})
	creates := server.ShowCreate(t, database)
	names := []string{}
	for name := range creates {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		next, err := real.Apply(schema.Statement{SQL: creates[name], Pos: schema.Pos{File: name}})
		if err != nil {
			t.Errorf("SHOW CREATE TABLE: %v\n%s", err, creates[name])
		}
		real = next
	}
	got, want := strings.Split(tablesOf(model), "\n"), strings.Split(tablesOf(real), "\n")
	if !slices.Equal(got, want) {
		complain("the model and the server differ:\n%s", lineDiff(got, want))
	}
	t.Logf("%s: %d revisions, %d statements, %d tables", h.Dir, len(h.Revisions), statements, len(names))
}

// autoIncrement is the next value of a table, which depends on its rows.
var autoIncrement = regexp.MustCompile(` AUTO_INCREMENT=[0-9]+`)

// tablesOf is the SQL of a schema's tables alone.
func tablesOf(s *schema.Schema) string {
	var b strings.Builder
	for part := range strings.SplitSeq(s.SQL(), ";\n") {
		if strings.HasPrefix(strings.TrimSpace(part), "CREATE TABLE") {
			b.WriteString(autoIncrement.ReplaceAllString(strings.TrimSpace(part), "") + "\n")
		}
	}
	return b.String()
}

// lineDiff shows lines that only one side has.
func lineDiff(got, want []string) string {
	var b strings.Builder
	table := ""
	show := func(lines, others []string, sign string) {
		for _, line := range lines {
			if strings.HasPrefix(line, "CREATE TABLE") {
				table = line
			}
			if !slices.Contains(others, line) {
				b.WriteString(sign + table + line + "\n")
			}
		}
	}
	show(got, want, "model  ")
	show(want, got, "server ")
	if b.Len() == 0 {
		return "the same lines in another order"
	}
	return b.String()
}
