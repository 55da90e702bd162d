//go:build unix

package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"instep/cmd/internal/cli"
	"instep/simulate/servertest"
)

// TestInterrupted ends `instep simulate` at ten random moments, by turns with Ctrl-C and with kill -9, on each engine. After the
// next run nothing may be left: no container, no network, no process, no folder, no database, no account.
func TestInterrupted(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED, NOT TESTED: no git on PATH, which makes the repository of this test")
	}
	repo := filepath.Join(t.TempDir(), "repo")
	for _, r := range []struct{ tag, statements string }{
		{"v1", "CREATE TABLE users (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, nick VARCHAR(20), age INT);"},
		{"v2", "ALTER TABLE users DROP COLUMN nick; ALTER TABLE users ADD COLUMN mail VARCHAR(100);"},
	} {
		name := map[string]string{"v1": "migrations/V1__users.sql", "v2": "migrations/V2__mail.sql"}[r.tag]
		if err := cli.CommitRelease(repo, fstest.MapFS{name: {Data: []byte(r.statements)}}, r.tag, true); err != nil {
			t.Fatal(err)
		}
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	instep := filepath.Join(t.TempDir(), "instep") // under this name the test binary is instep: see TestMain
	if err := os.Symlink(exe, instep); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	t.Run("docker", func(t *testing.T) {
		servertest.MySQL(t) // skips without an engine or the image
		left := func() string {
			out, err := exec.Command("sh", "-c", `docker ps -a --filter label=instep.simulate --format '{{.Names}} {{.Status}}'; docker network ls --filter label=instep.simulate --format '{{.Name}}'`).CombinedOutput()
			if err != nil {
				t.Fatalf("docker: %v\n%s", err, out)
			}
			return string(out)
		}
		if was := left(); was != "" {
			t.Fatalf("something is there before the test:\n%s", was)
		}
		interrupt(t, random, left, instep, repo, nil, "--engine", "docker", "--image", "instep-test/mysql:9.7")
	})
	t.Run("local", func(t *testing.T) {
		servertest.MariaDB(t)
		// A folder of its own for all that the engine makes; a short name, because of the sockets.
		tmp, err := os.MkdirTemp("", "it")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(tmp)
		if err := os.Chmod(tmp, 0o755); err != nil {
			t.Fatal(err)
		}
		left := func() string {
			runs, _ := filepath.Glob(filepath.Join(tmp, "instep-*", "r-*"))
			text := strings.Join(runs, "\n")
			all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, name := range all {
				if line, err := os.ReadFile(name); err == nil && bytes.Contains(line, []byte(tmp)) {
					text += fmt.Sprintf("\n%s: %s", name, bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
				}
			}
			return text
		}
		interrupt(t, random, left, instep, repo, []string{"TMPDIR=" + tmp}, "--engine", "local", "--mysqld", "mariadbd")
	})
	t.Run("dsn", func(t *testing.T) {
		srv := servertest.MariaDB(t)
		db, err := sql.Open("mysql", srv.DSN(""))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		left := func() string {
			var text string
			for _, query := range []string{"SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'instep%'", "SELECT user FROM mysql.user WHERE user LIKE 'instep%'"} {
				rows, err := db.Query(query)
				if err != nil {
					t.Fatal(err)
				}
				for rows.Next() {
					var name string
					if err := rows.Scan(&name); err != nil {
						t.Fatal(err)
					}
					text += name + "\n"
				}
				rows.Close()
			}
			return text
		}
		interrupt(t, random, left, instep, repo, []string{"INSTEP_DSN=" + srv.DSN("")}, "--engine", "dsn", "--yes-this-server")
	})
}

// interrupt runs instep ten times and ends it, then once to its end.
func interrupt(t *testing.T, random *rand.Rand, left func() string, instep, repo string, env []string, args ...string) {
	run := func() *exec.Cmd {
		cmd := exec.Command(instep, append([]string{"simulate", "-C", repo, "v1", "v2", "--rows", "500", "-q"}, args...)...)
		cmd.Env = append(os.Environ(), env...)
		// A process group of its own, as a terminal gives it: Ctrl-C reaches all of it.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		return cmd
	}
	// A signal that comes before the program's first statement ends it as it ends any program: nothing has been begun. A busy
	// machine can take its time until then.
	const startup = time.Second
	// The first run prepares what is kept for others, so the second tells how long one takes.
	run().Run()
	started := time.Now()
	if out, err := run().CombinedOutput(); err != nil && !strings.Contains(err.Error(), "exit status 1") { // a split
		t.Fatalf("%v\n%s", err, out)
	}
	whole := time.Since(started)
	ended := 0
	for i := range 10 {
		cmd := run()
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		time.Sleep(time.Duration(random.Int64N(int64(whole))))
		beginning := time.Since(begun) < startup
		if i%2 == 0 {
			syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
		} else {
			cmd.Process.Kill()
		}
		err := cmd.Wait()
		if err != nil && !strings.Contains(err.Error(), "exit status 1") {
			ended++
		}
		if i%2 == 0 && err != nil && strings.Contains(err.Error(), "signal: interrupt") && !(beginning && out.Len() == 0) {
			t.Errorf("Ctrl-C ended it without a word: %v\n%s", err, out.String())
		}
	}
	if ended < 3 {
		t.Errorf("only %d of 10 runs were ended before their end: this test shows little", ended)
	}
	if out, err := run().CombinedOutput(); err != nil && !strings.Contains(err.Error(), "exit status 1") {
		t.Fatalf("the next run: %v\n%s", err, out)
	}
	// What watches over a server may take a moment to follow it.
	deadline := time.Now().Add(10 * time.Second)
	for left() != "" && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
	}
	if text := left(); text != "" {
		t.Errorf("left behind:\n%s", text)
	}
}
