package cli

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"instep/simulate/servertest"
)

// A fleet is a service of several instances behind one address, which answer in turn.
type fleet struct {
	mu       sync.Mutex
	versions []string
	next     int
	asked    atomic.Int64
	oldSeen  atomic.Int64
}

func (f *fleet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.asked.Add(1)
	f.mu.Lock()
	v := f.versions[f.next%len(f.versions)]
	f.next++
	f.mu.Unlock()
	if v == "old" {
		f.oldSeen.Add(1)
	}
	fmt.Fprintf(w, `{"version": %q, "commit": "0123456789abcdef", "source": "", "build": ""}`, v)
}

func (f *fleet) roll(i int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.versions[i] = "v3.111"
}

func (f *fleet) left() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, v := range f.versions {
		if v == "old" {
			n++
		}
	}
	return n
}

func runWaitFor(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = Run(context.Background(), append([]string{"wait"}, args...), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// TestWaitRolls: instances behind one address are replaced one by one. The gate must not open while an old one is left.
func TestWaitRolls(t *testing.T) {
	t.Parallel()
	f := &fleet{versions: []string{"old", "old", "old", "old", "old"}}
	srv := httptest.NewServer(f)
	defer srv.Close()
	done := make(chan int, 1)
	opened := make(chan int, 1)
	go func() {
		code, _, errs := runWaitFor(t, "--service", "app="+srv.URL, "--version", "3.111", "--every", "5ms", "--answers", "15", "--settle", "100ms", "--timeout", "30s")
		opened <- f.left()
		if code != 0 {
			t.Errorf("exit %d: %s", code, errs)
		}
		done <- code
	}()
	for i := range 5 {
		time.Sleep(60 * time.Millisecond)
		select {
		case left := <-opened:
			t.Fatalf("it opened with %d old instances left", left)
		default:
		}
		f.roll(i)
	}
	<-done
	if left := <-opened; left != 0 {
		t.Errorf("it opened with %d old instances left", left)
	}
	if f.oldSeen.Load() == 0 {
		t.Error("no old instance was ever asked, so this test shows nothing")
	}
}

// TestWaitOneOld: several addresses, one of which stays at the old version.
func TestWaitOneOld(t *testing.T) {
	t.Parallel()
	old, fresh := httptest.NewServer(&fleet{versions: []string{"old"}}), httptest.NewServer(&fleet{versions: []string{"v3.111"}})
	defer old.Close()
	defer fresh.Close()
	code, out, errs := runWaitFor(t, "--service", "app="+fresh.URL+","+old.URL, "--version", "v3.111", "--every", "10ms", "--timeout", "1s")
	if code != 1 || out != "" || !strings.Contains(errs, "not ready after 1s: app ("+strings.TrimPrefix(old.URL, "http://")+"): reports old") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if strings.Contains(errs, "not ready after 1s: app ("+strings.TrimPrefix(fresh.URL, "http://")) {
		t.Errorf("the new one is blamed: %s", errs)
	}
	if code, out, errs = runWaitFor(t, "--service", "app="+fresh.URL, "--version", "0123456", "--every", "10ms", "--timeout", "10s"); code != 0 || out != "Ready: app.\n" {
		t.Errorf("a commit: exit %d\n%s%s", code, out, errs)
	}
}

// TestWaitSettles: the gate stays shut for the time of --settle, and an old answer in it begins the time anew.
func TestWaitSettles(t *testing.T) {
	var asked atomic.Int64
	old := int64(5) // the answer that is an old one
	last := atomic.Int64{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := "v3.111"
		if asked.Add(1) == old {
			v = "v3.110"
			last.Store(time.Now().UnixNano())
		}
		fmt.Fprintf(w, `{"version": %q}`, v)
	}))
	defer srv.Close()
	const settle = 400 * time.Millisecond
	code, out, errs := runWaitFor(t, "--service", "app="+srv.URL, "--version", "v3.111", "--every", "10ms", "--settle", settle.String(), "--timeout", "30s")
	since := time.Since(time.Unix(0, last.Load()))
	if code != 0 || out != "Ready: app.\n" || asked.Load() <= old || since < settle {
		t.Errorf("exit %d after %d answers, %v after the last old one: %s%s", code, asked.Load(), since, out, errs)
	}
}

// TestWaitSaysWhatIsMissing: who gives up says why, also where nothing wrong was answered.
func TestWaitSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	fresh := httptest.NewServer(&fleet{versions: []string{"v3.111"}})
	defer fresh.Close()
	block := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-block:
		case <-r.Context().Done():
		}
	}))
	defer silent.Close()
	defer close(block)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--service", "app=" + silent.URL}, "app: it has not answered yet"},
		{[]string{"--service", "app=" + fresh.URL, "--answers", "1000000"}, "times in a row, not 1000000 (--answers)"},
		{[]string{"--service", "app=" + fresh.URL, "--settle", "999ms", "--every", "600ms"}, "app: reports v3.111, but not yet for 999ms (--settle)"},
	} {
		code, _, errs := runWaitFor(t, append([]string{"--version", "v3.111", "--every", "10ms", "--timeout", "1s"}, tt.args...)...)
		if code != 1 || !strings.Contains(errs, tt.want) {
			t.Errorf("%v: exit %d: %s", tt.args, code, errs)
		}
	}
}

// TestWaitBehindProxy: where only a proxy knows the host, it is asked.
func TestWaitBehindProxy(t *testing.T) {
	const inner = "INSTEP_TEST_PROXIED"
	if os.Getenv(inner) != "" { // the environment's proxy is read once for each process
		code, out, errs := runWaitFor(t, "--service", "app=http://app.invalid/__version__", "--version", "v3.111", "--every", "10ms", "--timeout", "5s")
		if code != 0 || out != "Ready: app.\n" {
			t.Errorf("exit %d: %s", code, errs)
		}
		return
	}
	f := &fleet{versions: []string{"v3.111"}}
	proxy := httptest.NewServer(f)
	defer proxy.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestWaitBehindProxy$")
	cmd.Env = append(os.Environ(), inner+"=1", "HTTP_PROXY="+proxy.URL, "NO_PROXY=")
	if out, err := cmd.CombinedOutput(); err != nil || f.asked.Load() == 0 {
		t.Errorf("%v after %d questions:\n%s", err, f.asked.Load(), out)
	}
}

// TestWaitTLS: an address is connected to by its number, and its certificate has to be that of the host's name.
func TestWaitTLS(t *testing.T) {
	const inner = "INSTEP_TEST_TLS"
	if address := os.Getenv(inner); address != "" { // the certificate authorities are read once for each process
		code, out, errs := runWaitFor(t, "--service", "app="+address, "--version", "v3.111", "--every", "10ms", "--timeout", "3s")
		fmt.Printf("exit %d %s%s", code, out, errs)
		return
	}
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED, NOT TESTED: TLS, because SSL_CERT_FILE is not read on " + runtime.GOOS)
	}
	srv := httptest.NewUnstartedServer(&fleet{versions: []string{"v3.111"}})
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // it says who refuses its certificate
	srv.StartTLS()
	t.Cleanup(srv.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ ca, host, want string }{
		{ca, "127.0.0.1", "exit 0 Ready: app."}, // the certificate is for this number, and for example.com
		{os.DevNull, "127.0.0.1", "exit 1 app: does not answer: tls: failed to verify certificate: x509: certificate signed by unknown authority"},
		{ca, "localhost", "certificate is valid for example.com, *.example.com, not localhost"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestWaitTLS$")
			cmd.Env = append(os.Environ(), inner+"=https://"+net.JoinHostPort(tt.host, port)+"/__version__", "SSL_CERT_FILE="+tt.ca, "SSL_CERT_DIR="+t.TempDir())
			if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), tt.want) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestWaitAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"not there yet": {func(w http.ResponseWriter, r *http.Request) { http.Error(w, "starting", http.StatusServiceUnavailable) }, "answers 503 Service Unavailable"},
		"a page":        {func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>v3.111") }, `something else than JSON with "version" or "commit"`},
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, "something else than JSON"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		}, "it redirects to http://192.0.2.1/: give that address"},
		"escapes": {func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"version": "\u001b[2Jx"}`) }, "reports \ufffd[2Jx"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tt.answer)
			defer srv.Close()
			code, _, errs := runWaitFor(t, "--service", "app="+srv.URL, "--version", "v3.111", "--every", "10ms", "--timeout", "1s")
			if code != 1 || !strings.Contains(errs, tt.want) || strings.Contains(errs, "\x1b") {
				t.Errorf("exit %d: %s", code, errs)
			}
		})
	}
}

func TestWaitUsage(t *testing.T) {
	t.Setenv("INSTEP_DSN", "")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "what should be waited for?"},
		{[]string{"--service", "app"}, "--service app: write NAME=URL"},
		{[]string{"--service", "app=http://localhost"}, "--service needs --version"},
		{[]string{"--service", "app=ftp://localhost", "--version", "1"}, `"ftp://localhost" is no http or https address`},
		{[]string{"--migration", "1"}, "--migration needs --dsn"},
		{[]string{"--migration", "1", "--dsn", "root:hunter2@nowhere"}, "the DSN cannot be read"},
		{[]string{"--dsn", "root@tcp(localhost)/x"}, "--dsn needs --migration"},
		{[]string{"--service", "app=http://localhost", "--version", "1", "--settle", "1h"}, "--settle 1h0m0s does not fit"},
	} {
		code, _, errs := runWaitFor(t, tt.args...)
		if code != 2 || !strings.Contains(errs, tt.want) || strings.Contains(errs, "hunter2") {
			t.Errorf("%v: exit %d: %s", tt.args, code, errs)
		}
	}
}

// TestWaitMigration looks at a real database while a migration is under way.
func TestWaitMigration(t *testing.T) {
	srv := servertest.MariaDB(t)
	db, name := srv.Database(t)
	exec := func(text string) {
		t.Helper()
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	dsn := srv.DSN(name)
	wait := func(id string) (int, string) {
		code, _, errs := runWaitFor(t, "--migration", id, "--dsn", dsn, "--every", "10ms", "--timeout", "1s")
		return code, errs
	}
	if code, errs := wait("0042"); code != 1 || !strings.Contains(errs, "no migration has run") {
		t.Errorf("an empty database: exit %d: %s", code, errs)
	}
	exec("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
	exec("INSERT INTO alembic_version VALUES ('0041')")
	if code, errs := wait("0042"); code != 1 || !strings.Contains(errs, "alembic is at 0041") {
		t.Errorf("the one before: exit %d: %s", code, errs)
	}
	exec("UPDATE alembic_version SET version_num = '0042'")
	if code, errs := wait("0042"); code != 0 {
		t.Errorf("the one: exit %d: %s", code, errs)
	}
	exec("DROP TABLE alembic_version")
	exec("CREATE TABLE schema_migrations (version BIGINT NOT NULL, dirty BOOLEAN NOT NULL)")
	exec("INSERT INTO schema_migrations VALUES (7, 1)")
	if code, errs := wait("0007"); code != 1 || !strings.Contains(errs, "golang-migrate failed half-way at 7") {
		t.Errorf("dirty: exit %d: %s", code, errs)
	}
	exec("UPDATE schema_migrations SET dirty = 0, version = 8")
	if code, errs := wait("0007"); code != 0 {
		t.Errorf("beyond it: exit %d: %s", code, errs)
	}
	if code, errs := wait("9"); code != 1 || !strings.Contains(errs, "golang-migrate is at 8") {
		t.Errorf("before it: exit %d: %s", code, errs)
	}
	exec("DROP TABLE schema_migrations")
	exec("CREATE TABLE goose_db_version (id INT PRIMARY KEY AUTO_INCREMENT, version_id BIGINT NOT NULL, is_applied BOOLEAN NOT NULL)")
	exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (5, 1), (5, 0)")
	if code, errs := wait("5"); code != 1 || !strings.Contains(errs, "goose is at 0") {
		t.Errorf("taken back: exit %d: %s", code, errs)
	}
	exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (5, 1)")
	if code, errs := wait("5"); code != 0 {
		t.Errorf("applied again: exit %d: %s", code, errs)
	}
	if code, errs := wait("00005"); code != 0 {
		t.Errorf("as the file is called: exit %d: %s", code, errs)
	}
	exec("DROP TABLE goose_db_version")
	exec("CREATE TABLE flyway_schema_history (installed_rank INT PRIMARY KEY, version VARCHAR(50), type VARCHAR(20) NOT NULL, success BOOLEAN NOT NULL)")
	exec("INSERT INTO flyway_schema_history VALUES (1, '0003', 'SQL', 1), (2, NULL, 'SQL', 1), (3, '1.0', 'SQL', 0)")
	for id, want := range map[string]int{"3": 0, "0003": 0, "03": 0, "1": 1, "1.0": 1, "30": 1, "4": 1, "": 2} {
		if code, errs := wait(id); code != want {
			t.Errorf("Flyway's %q: exit %d, want %d: %s", id, code, want, errs)
		}
	}
	exec("INSERT INTO flyway_schema_history VALUES (4, '0003', 'UNDO_SQL', 1)")
	if code, errs := wait("3"); code != 1 {
		t.Errorf("undone: exit %d: %s", code, errs)
	}
	exec("INSERT INTO flyway_schema_history VALUES (5, '0003', 'SQL', 1)")
	if code, errs := wait("3"); code != 0 {
		t.Errorf("done again: exit %d: %s", code, errs)
	}
	// What a project has left behind does not count.
	exec("CREATE TABLE migrate_version (repository_id VARCHAR(250) PRIMARY KEY, repository_path TEXT, version INT)")
	exec("INSERT INTO migrate_version VALUES ('a', '', 50)")
	if code, errs := wait("40"); code != 1 || !strings.Contains(errs, "flyway is at") {
		t.Errorf("beside a table that is left: exit %d: %s", code, errs)
	}
	exec("DROP TABLE flyway_schema_history")
	if code, errs := wait("40"); code != 0 {
		t.Errorf("sqlalchemy-migrate: exit %d: %s", code, errs)
	}
	exec("INSERT INTO migrate_version VALUES ('b', '', 3)")
	if code, errs := wait("40"); code != 1 || !strings.Contains(errs, "sqlalchemy-migrate is at 3") {
		t.Errorf("one of two repositories: exit %d: %s", code, errs)
	}
}
