package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"instep/analyzer"
	"instep/analyzer/schema"
	"instep/simulate"
)

func TestParseRows(t *testing.T) {
	for _, test := range []struct {
		in     []string
		each   int64
		tables map[string]int64
	}{
		{nil, defaultRows, map[string]int64{}},
		{[]string{"1e4"}, 10_000, map[string]int64{}},
		{[]string{"rules=1e6", "5", "a=b=0"}, 5, map[string]int64{"rules": 1_000_000, "a=b": 0}},
	} {
		each, tables, err := parseRows(test.in)
		if err != nil || each != test.each || cmp.Diff(test.tables, tables) != "" {
			t.Errorf("%q = %d, %v, %v", test.in, each, tables, err)
		}
	}
	for _, bad := range [][]string{{"x"}, {"1.5"}, {"-1"}, {"1e11"}, {"NaN"}, {"Inf"}, {""}, {"=5"}, {"t="}, {"1", "2"}, {"t=1", "t=2"}} {
		if each, tables, err := parseRows(bad); err == nil {
			t.Errorf("%q is taken for %d, %v", bad, each, tables)
		}
	}
}

func TestParseSize(t *testing.T) {
	for in, want := range map[string]int64{"": 0, "1": 1, "4GiB": 4 << 30, "512m": 512 << 20, "1.5 GB": 1_500_000_000, "2K": 2048} {
		if got, err := parseSize(in); err != nil || got != want {
			t.Errorf("%q = %d, %v; want %d", in, got, err, want)
		}
	}
	for _, bad := range []string{"0", "-1", "x", "GiB", "1e30", "NaN", "inf", "4Gx", "0.1"} {
		if got, err := parseSize(bad); err == nil {
			t.Errorf("%q is taken for %d", bad, got)
		}
	}
}

func TestParseQueries(t *testing.T) {
	u := &analyzer.Upgrade{Deployed: analyzer.Ref{Rev: "v1"}, Target: analyzer.Ref{Rev: "feature/a=b"},
		Services: []analyzer.Service{{Name: "app"}, {Name: "app@x"}, {Name: "agent", Access: analyzer.NoAccess}}}
	for _, test := range []struct {
		in, service string
		code        analyzer.Breaks
		file, err   string
	}{
		{in: "app@v1=q.sql", service: "app", code: analyzer.OldCode, file: "q.sql"},
		{in: "app@deployed=a=b.sql", service: "app", code: analyzer.OldCode, file: "a=b.sql"},
		{in: "app@feature/a=b=q.sql", service: "app", code: analyzer.NewCode, file: "q.sql"},
		{in: "app@x@target=q.sql", service: "app@x", code: analyzer.NewCode, file: "q.sql"},
		{in: "web@v1=q.sql", err: `there is no service "web": the services are app, app@x, agent`},
		{in: "app@v2=q.sql", err: `"v2" is neither end of this upgrade: the refs are v1 (deployed) and feature/a=b (target)`},
		{in: "agent@v1=q.sql", err: "access: none"},
		{in: "app@v1=", err: "the file is missing"},
		{in: "app", err: "SERVICE@REF=FILE"},
		{in: "", err: "SERVICE@REF=FILE"},
		{in: "@=", err: "SERVICE@REF=FILE"},
	} {
		q, file, err := parseQueries(test.in, u)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%q: error %v, want %q", test.in, err, test.err)
			}
			continue
		}
		if err != nil || q.Service != test.service || q.Code != test.code || file != test.file {
			t.Errorf("%q = %+v, %q, %v", test.in, q, file, err)
		}
	}
}

func TestHider(t *testing.T) {
	for dsn, password := range map[string]string{
		"root:secret@tcp(db:3306)/":        "secret",
		"root:a:b@c/d@unix(/tmp/my.sock)/": "a:b@c/d",
		"root@tcp(db)/":                    "",
		"":                                 "",
		"tcp(db)/":                         "",
	} {
		if got := dsnPassword(dsn); got != password {
			t.Errorf("dsnPassword(%q) = %q, want %q", dsn, got, password)
		}
	}
	hide := hider("root:secret@tcp(db:3306)/")
	if got, want := hide("cannot open root:secret@tcp(db:3306)/: secret"), "cannot open root:***@tcp(db:3306)/: ***"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := hider("root:root@tcp(db)/")("root:root@tcp(db)/: root"), "root:***@tcp(db)/: root"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// shop is two releases of which the second has two migrations more, with a way down.
func shop(t *testing.T) string {
	v1 := fstest.MapFS{
		".instep.yaml":                 {Data: []byte("services:\n  admin: {migrates: true}\n  app: {access: read}\n")},
		"db/migrations/1_users.up.sql": {Data: []byte("CREATE TABLE users (id INT PRIMARY KEY, nick VARCHAR(20));\nINSERT INTO users VALUES (1, 'a');\n")},
	}
	v2 := fstest.MapFS{
		"db/migrations/2_email.up.sql":   {Data: []byte("ALTER TABLE users ADD COLUMN email VARCHAR(50);\n")},
		"db/migrations/2_email.down.sql": {Data: []byte("ALTER TABLE users DROP COLUMN email;\n")},
		"db/migrations/3_phone.up.sql":   {Data: []byte("ALTER TABLE users ADD COLUMN phone VARCHAR(50);\n")},
		"db/migrations/3_phone.down.sql": {Data: []byte("ALTER TABLE users DROP COLUMN phone;\n")},
	}
	for name, f := range v1 {
		v2[name] = f
	}
	v3 := fstest.MapFS{"db/migrations/4_drop.up.sql": {Data: []byte("ALTER TABLE users DROP COLUMN nick;\n")}}
	for name, f := range v2 {
		v3[name] = f
	}
	return sampleRepo(t, []string{"v1", "v2", "v3"}, v1, v2, v3)
}

// runSimulated runs the command with another simulator.
func runSimulated(ctx context.Context, run simulator, args ...string) (code int, stdout, stderr string) {
	root := newRootWith(&options{}, run)
	root.SetArgs(args)
	var out, conversation bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&conversation)
	code = execute(ctx, root, &conversation)
	return code, out.String(), conversation.String()
}

func texts(list []schema.Statement) []string {
	out := []string{}
	for _, st := range list {
		out = append(out, st.SQL)
	}
	return out
}

func TestSimulateInput(t *testing.T) {
	dir := shop(t)
	queries := filepath.Join(t.TempDir(), "app.sql")
	if err := os.WriteFile(queries, []byte("SELECT nick FROM users"), 0o666); err != nil {
		t.Fatal(err)
	}
	var in simulate.Input
	var so simulate.Options
	run := func(ctx context.Context, i simulate.Input, o simulate.Options) (*analyzer.Simulation, error) {
		in, so = i, o
		o.Progress.Note("the server is a test")
		return &analyzer.Simulation{Server: analyzer.SimulatedServer{Name: "mysql 8.4.0", Engine: "docker"}}, nil
	}
	code, stdout, stderr := runSimulated(t.Context(), run, "simulate", "-C", dir, "v1", "v2", "--rows", "5,users=1e3", "--queries", "app@v1="+queries, "--engine", "docker", "--max-disk", "1GiB", "--server", "mariadb 10.11")
	if !strings.Contains(stdout, "Run for real on mysql 8.4.0 (in Docker)") || stderr != "instep: the server is a test\n" {
		t.Errorf("exit %d\n%s\n%s", code, stdout, stderr)
	}
	if len(in.Databases) != 1 {
		t.Fatalf("%d databases", len(in.Databases))
	}
	d := in.Databases[0]
	if diff := cmp.Diff([]string{"CREATE TABLE users (id INT PRIMARY KEY, nick VARCHAR(20))", "INSERT INTO users VALUES (1, 'a')"}, texts(d.History)); diff != "" || d.Because != "" {
		t.Errorf("history (%s):\n%s", d.Because, diff)
	}
	if diff := cmp.Diff([]string{"ALTER TABLE users DROP COLUMN phone", "ALTER TABLE users DROP COLUMN email"}, texts(d.Down)); diff != "" || d.NoDown != "" {
		t.Errorf("down (%s):\n%s", d.NoDown, diff)
	}
	want := []simulate.Queries{{Service: "app", Code: analyzer.OldCode, File: queries, SQL: "SELECT nick FROM users"}}
	if diff := cmp.Diff(want, in.Queries); diff != "" {
		t.Error(diff)
	}
	if so.Rows.Each != 5 || so.Rows.Tables["users"] != 1000 || so.Engine != "docker" || so.MaxDisk != 1<<30 || !so.Configured.MariaDB || !so.Measure || so.LockWaitTimeout != time.Second {
		t.Errorf("options %+v", so)
	}
	// A migration without a way down: none at all, and which.
	if _, _, stderr := runSimulated(t.Context(), run, "simulate", "-C", dir, "v2", "v3", "-q"); stderr != "" {
		t.Errorf("-q says %q", stderr)
	}
	if d := in.Databases[0]; d.Down != nil || !strings.Contains(d.NoDown, "migration 4 (db/migrations/4_drop.up.sql) has no way down") {
		t.Errorf("down %v, %q", d.Down, d.NoDown)
	}
}

// TestSimulateExit holds that the exit code and the demands follow the combined answer.
func TestSimulateExit(t *testing.T) {
	dir := shop(t)
	fails := func(code analyzer.Breaks, state int) simulator {
		return func(ctx context.Context, in simulate.Input, o simulate.Options) (*analyzer.Simulation, error) {
			sim := &analyzer.Simulation{Server: analyzer.SimulatedServer{Name: "mysql 8.4.0", Engine: "docker"}}
			db := analyzer.SimulatedDatabase{}
			for _, st := range in.Upgrade.Databases[0].Steps {
				db.Steps = append(db.Steps, analyzer.SimulatedStep{Statement: st.Statement})
			}
			for s := range len(db.Steps) + 1 {
				for _, c := range []analyzer.Breaks{analyzer.OldCode, analyzer.NewCode} {
					for _, name := range []string{"admin", "app"} {
						if name == "admin" && c == analyzer.NewCode && s < len(db.Steps) {
							continue
						}
						cell := analyzer.Cell{Service: name, Code: c, State: s, Sent: 3}
						if name == "app" && c == code && s == state {
							cell.Failed = 1
							cell.Failures = []analyzer.Failure{{SQL: "SELECT 1", Error: analyzer.ServerError{Code: 1054, Message: "no"}, Count: 1}}
						}
						db.Cells = append(db.Cells, cell)
					}
				}
			}
			sim.Databases = append(sim.Databases, db)
			return sim, nil
		}
	}
	// By analysis app goes after the migration: its new code reads the new columns.
	for _, test := range []struct {
		name string
		run  simulator
		args []string
		code int
		want string
	}{
		{"as predicted", fails(analyzer.NewCode, 0), nil, exitOK, "Deploy admin first, then app."},
		{"nothing fails", fails(0, 0), nil, exitOK, "Deploy admin first, then app."},
		{"old code fails too", fails(analyzer.OldCode, 2), nil, exitUnsafe, "Split this release: no order is safe."},
		{"the order is met", fails(analyzer.NewCode, 0), []string{"--order", "admin,app"}, exitOK, ""},
		{"the order is not met", fails(analyzer.NewCode, 0), []string{"--order", "app,admin"}, exitUnsafe, "instep: --order app,admin: app has to be deployed after"},
		{"irreversible in the run", fails(analyzer.OldCode, 2), []string{"--fail-on", "irreversible"}, exitUnsafe, "instep: --fail-on irreversible: app cannot go back"},
	} {
		code, stdout, stderr := runSimulated(t.Context(), test.run, append([]string{"simulate", "-C", dir, "v1", "v2", "-q"}, test.args...)...)
		if code != test.code || !strings.Contains(stdout+stderr, test.want) {
			t.Errorf("%s: exit %d, want %d and %q:\n%s%s", test.name, code, test.code, test.want, stdout, stderr)
		}
	}
}

func TestSimulateErrors(t *testing.T) {
	dir := shop(t)
	gives := func(err error) simulator {
		return func(context.Context, simulate.Input, simulate.Options) (*analyzer.Simulation, error) { return nil, err }
	}
	for _, test := range []struct {
		name   string
		run    simulator
		args   []string
		stderr string
	}{
		{"no engine", gives(&simulate.UnavailableError{Tried: "there is no engine: docker: none", Provide: "apt install docker.io"}), nil,
			"instep: there is no engine: docker: none\n    this would provide one: apt install docker.io\n"},
		{"a password", gives(errors.New("bad DSN root:geheim@tcp(x)/")), []string{"--dsn", "root:geheim@tcp(x)/"}, "instep: bad DSN root:***@tcp(x)/\n"},
	} {
		code, stdout, stderr := runSimulated(t.Context(), test.run, append([]string{"simulate", "-C", dir, "v1", "v2"}, test.args...)...)
		if code != exitFailed || stdout != "" || stderr != test.stderr {
			t.Errorf("%s: exit %d, %q, %q", test.name, code, stdout, stderr)
		}
	}
	// An interrupt: what is printed, and that what could not be cleaned up is not hidden.
	for _, test := range []struct {
		args  []string
		joins error
		want  string
	}{
		{nil, nil, "instep: interrupted: the server was removed\n"},
		{[]string{"--dsn", "root:geheim@tcp(x)/"}, nil, "instep: interrupted: the databases of this run were removed\n"},
		{nil, errors.New("the container abc is still there"), "the container abc is still there\n"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		run := func(ctx context.Context, _ simulate.Input, _ simulate.Options) (*analyzer.Simulation, error) {
			cancel()
			<-ctx.Done()
			if test.joins != nil {
				return nil, errors.Join(ctx.Err(), test.joins)
			}
			return nil, ctx.Err()
		}
		code, stdout, stderr := runSimulated(ctx, run, append([]string{"simulate", "-C", dir, "v1", "v2"}, test.args...)...)
		if code != exitFailed || stdout != "" || !strings.HasSuffix(stderr, test.want) || !strings.HasPrefix(stderr, "instep: interrupted: cleaning up") {
			t.Errorf("exit %d, %q, %q", code, stdout, stderr)
		}
		cancel()
	}
}

// TestHistory holds that what cannot be replayed as a whole is not replayed in part, and that the reason has a position.
func TestHistory(t *testing.T) {
	dir := sampleRepo(t, []string{"v1", "v2"},
		fstest.MapFS{
			"migrations/001_a.sql": {Data: []byte("CREATE TABLE t (id INT PRIMARY KEY);\n")},
			"migrations/002_b.sql": {Data: []byte("\nALTER TABLE missing ADD COLUMN x INT;\n")},
		},
		fstest.MapFS{
			"migrations/001_a.sql": {Data: []byte("CREATE TABLE t (id INT PRIMARY KEY);\n")},
			"migrations/002_b.sql": {Data: []byte("\nALTER TABLE missing ADD COLUMN x INT;\n")},
			"migrations/003_c.sql": {Data: []byte("ALTER TABLE t ADD COLUMN y INT;\n")},
		})
	var in simulate.Input
	run := func(ctx context.Context, i simulate.Input, o simulate.Options) (*analyzer.Simulation, error) {
		in = i
		return nil, errors.New("enough")
	}
	runSimulated(t.Context(), run, "simulate", "-C", dir, "v1", "v2")
	if len(in.Databases) != 1 || in.Databases[0].History != nil || !strings.Contains(in.Databases[0].Because, "migrations/002_b.sql:2") {
		t.Errorf("%+v", in.Databases)
	}
}

func TestProgressQuiet(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b, false, hider("u:geheimes@tcp(x)/"))
	s := p.simulation()
	s.Stage("loading", 100)
	s.Add(200)
	s.Stage("measuring", 0)
	s.Note("geheimes \x1b[2J")
	p.close()
	if got, want := b.String(), "instep: *** \ufffd[2J\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
