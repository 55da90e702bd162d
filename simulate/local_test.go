package simulate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"instep/analyzer/schema"
	"instep/simulate/servertest"
)

// localOptions asks for this machine's server; the test is skipped without one.
func localOptions(t testing.TB) EngineOptions {
	t.Helper()
	o := EngineOptions{Engine: "local", Configured: schema.Server{MariaDB: true, Major: 10, Minor: 11}}
	_, err := findLocal(t.Context(), o, serverFolders())
	var missing *UnavailableError
	if errors.As(err, &missing) {
		if servertest.Required("mariadb") {
			t.Fatalf("%v, and INSTEP_REQUIRE names mariadb", err)
		}
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// ownTemp gives a test a folder for temporary files of its own, so that what others make there does not matter.
func ownTemp(t testing.TB) string {
	t.Helper()
	// The test's own folder is too deep for a socket, and not for every user to go through.
	dir, err := os.MkdirTemp("/tmp", "is")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	return dir
}

func startLocalTest(t testing.TB, o EngineOptions) *Server {
	t.Helper()
	s, err := startLocal(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// runsIn gives the folders of servers below a folder for temporary files, and the processes that have one of them.
func runsIn(t testing.TB, tmp string) (folders []string, pids []int) {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(tmp, "instep-*", "r-*"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ps", "-axww", "-o", "pid=,command=").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		var pid int
		if fmt.Sscan(line, &pid); strings.Contains(line, "--datadir="+tmp+"/") {
			pids = append(pids, pid)
		}
	}
	return folders, pids
}

// nothingLeft fails unless all servers below a folder are gone, at once.
func nothingLeft(t testing.TB, tmp string) {
	t.Helper()
	if folders, pids := runsIn(t, tmp); len(folders)+len(pids) > 0 {
		t.Errorf("left behind: folders %q, processes %v", folders, pids)
	}
}

// execute runs statements as one of the two accounts.
func execute(t testing.TB, s *Server, as account, database string, statements ...string) {
	t.Helper()
	c, err := s.session(t.Context(), as, database)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for _, text := range statements {
		if err := c.exec(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// oneValue gives the first column of the first row.
func oneValue(t testing.TB, s *Server, as account, text string) string {
	t.Helper()
	c, err := s.session(t.Context(), as, "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	rows, err := c.query(t.Context(), 1, text)
	if err != nil || len(rows) == 0 {
		t.Fatalf("%s: %v (%d rows)", text, err, len(rows))
	}
	return rows[0][0].String
}

func TestLocal(t *testing.T) {
	o := localOptions(t)
	tmp := ownTemp(t)
	s := startLocalTest(t, o)
	if !s.Version.MariaDB || !strings.HasPrefix(s.Name, "mariadb 1") {
		t.Errorf("it is %s (%+v)", s.Name, s.Version)
	}
	for variable, want := range map[string]string{
		"local_infile": "0", "event_scheduler": "OFF", "skip_networking": "1", "performance_schema": "1",
		"log_bin_trust_function_creators": "1", "character_set_server": "utf8mb4",
		"sql_mode": "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION",
	} {
		if got := oneValue(t, s, asAdmin, "SELECT @@"+variable); got != want {
			t.Errorf("%s is %q, want %q", variable, got, want)
		}
	}
	dir := filepath.Dir(s.admin.Addr)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v %v", info.Mode(), err)
	}
	// Root has a password from the first moment.
	open := *s
	open.admin = s.admin.Clone()
	open.admin.Passwd = ""
	if c, err := open.session(t.Context(), asAdmin, ""); err == nil {
		c.close()
		t.Error("root needs no password")
	}
	// No way out to the network, if this process may make one without.
	if _, pids := runsIn(t, tmp); len(pids) > 0 {
		ours, _ := os.Readlink("/proc/self/ns/net")
		theirs, _ := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pids[0]))
		if os.Getuid() == 0 && ours != "" && ours == theirs {
			t.Logf("the server shares our network: a namespace of its own is forbidden here")
		}
	}
	name, err := s.createDatabase(t.Context(), "a", "", "")
	if err != nil {
		t.Fatal(err)
	}
	execute(t, s, asGuest, name, "CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB",
		"CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1")
	for _, refused := range []string{
		"CREATE DATABASE elsewhere", "SHUTDOWN", "INSTALL PLUGIN x SONAME 'ha_federatedx.so'", "CREATE FUNCTION g RETURNS INT SONAME 'x.so'",
		"SELECT 1 INTO OUTFILE '" + dir + "/tmp/x'", "LOAD DATA INFILE '/etc/passwd' INTO TABLE " + name + ".t",
		"LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE " + name + ".t", "SET GLOBAL local_infile = 1",
	} {
		c, err := s.session(t.Context(), asGuest, name)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.exec(t.Context(), refused); err == nil {
			t.Errorf("the guest may %s", refused)
		}
		c.close()
	}
	// Not even root may read and write files.
	c, err := s.session(t.Context(), asAdmin, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, refused := range []string{"SELECT 1 INTO OUTFILE '" + dir + "/tmp/x'", "SELECT 1 INTO OUTFILE '" + dir + "/none/x'", "LOAD DATA INFILE '" + dir + "/none/x' INTO TABLE " + name + ".t"} {
		if err := c.exec(t.Context(), refused); err == nil {
			t.Errorf("root may %s", refused)
		}
	}
	c.close()
	if err := s.ended(); err != nil {
		t.Errorf("ended: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("the second time: %v", err)
	}
	nothingLeft(t, tmp)
}

func TestLocalKill(t *testing.T) {
	o := localOptions(t)
	s := startLocalTest(t, o)
	name, err := s.createDatabase(t.Context(), "a", "", "")
	if err != nil {
		t.Fatal(err)
	}
	execute(t, s, asGuest, name, "CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB", "INSERT INTO t VALUES (1), (2)")
	pid, up := oneValue(t, s, asAdmin, "SELECT @@pid_file"), oneValue(t, s, asAdmin, "SHOW GLOBAL STATUS LIKE 'Uptime'")
	before, err := os.ReadFile(pid)
	if err != nil {
		t.Fatalf("%v (up %s)", err, up)
	}
	// The last commit is just before the end.
	execute(t, s, asGuest, name, "INSERT INTO t VALUES (3)")
	for range 2 {
		if err := s.kill(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	after, err := os.ReadFile(pid)
	if err != nil || string(after) == string(before) {
		t.Errorf("process %s was %s: %v", after, before, err)
	}
	if !strings.Contains(s.Connect, "kill "+strings.TrimSpace(string(after))+" ") {
		t.Errorf("%s does not end process %s", s.Connect, after)
	}
	if got := oneValue(t, s, asGuest, "SELECT COUNT(*) FROM "+name+".t"); got != "3" {
		t.Errorf("%s rows survive, want 3", got)
	}
	time.Sleep(100 * time.Millisecond) // the watchdog has looked
	if err := s.ended(); err != nil {
		t.Errorf("ended: %v", err)
	}
}

func TestLocalDies(t *testing.T) {
	o := localOptions(t)
	s := startLocalTest(t, o)
	c, err := s.session(t.Context(), asAdmin, "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	c.exec(t.Context(), "SHUTDOWN")
	if err := waitEnded(t, s); !strings.Contains(err.Error(), " died") {
		t.Error(err)
	}
	if err := s.kill(t.Context()); err == nil {
		t.Error("it was started again")
	}
}

func waitEnded(t testing.TB, s *Server) error {
	t.Helper()
	for range 3000 {
		if err := s.ended(); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("it has not ended within a minute")
	return nil
}

// TestLocalBounds fills the disk by rows and by a temporary file, and the memory by a table.
func TestLocalBounds(t *testing.T) {
	o := localOptions(t)
	tmp := ownTemp(t)
	for _, tt := range []struct {
		name, because string
		o             EngineOptions
		statements    []string
	}{
		{"rows", "its files took", EngineOptions{MaxDisk: 180 << 20}, []string{
			"CREATE TABLE big (s LONGTEXT) ENGINE=InnoDB",
			"INSERT INTO big SELECT REPEAT('x', 8000000) FROM seq_1_to_1000",
		}},
		{"temporary file", "its files took", EngineOptions{MaxDisk: 180 << 20}, []string{
			"SET SESSION tmp_memory_table_size = 1024",
			"SELECT COUNT(*) FROM (SELECT DISTINCT seq, REPEAT('x', 2000) FROM seq_1_to_2000000) x",
		}},
		{"memory", "of memory", EngineOptions{MaxMemory: 400 << 20}, []string{
			"SET SESSION max_heap_table_size = 4 << 30",
			"CREATE TABLE big (s VARCHAR(16000)) ENGINE=MEMORY CHARACTER SET latin1",
			"INSERT INTO big SELECT REPEAT('x', 16000) FROM seq_1_to_100000",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Engine, tt.o.Configured = o.Engine, o.Configured
			s := startLocalTest(t, tt.o)
			name, err := s.createDatabase(t.Context(), "a", "", "")
			if err != nil {
				t.Fatal(err)
			}
			c, err := s.session(t.Context(), asGuest, name)
			if err != nil {
				t.Fatal(err)
			}
			defer c.close()
			c.limit = 30 * time.Second
			for _, text := range tt.statements {
				if err = c.exec(t.Context(), text); err != nil {
					break
				}
			}
			if err == nil || errors.Is(err, errTime) {
				t.Fatalf("it was not stopped: %v", err)
			}
			if ended := waitEnded(t, s); !strings.Contains(ended.Error(), "was ended: it") || !strings.Contains(ended.Error(), tt.because) {
				t.Errorf("%v (%v)", ended, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			nothingLeft(t, tmp)
		})
	}
}

// TestLocalAtOnce starts two servers at once where no data directory is prepared yet, as two runs do.
func TestLocalAtOnce(t *testing.T) {
	o := localOptions(t)
	tmp := ownTemp(t)
	var servers [2]*Server
	var errs [2]error
	var wg sync.WaitGroup
	for i := range servers {
		wg.Go(func() { servers[i], errs[i] = startLocal(t.Context(), o) })
	}
	wg.Wait()
	for i, s := range servers {
		if errs[i] != nil {
			t.Error(errs[i])
			continue
		}
		if got := oneValue(t, s, asGuest, "SELECT 1"); got != "1" {
			t.Errorf("%q", got)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	nothingLeft(t, tmp)
	prepared, err := filepath.Glob(filepath.Join(tmp, "instep-*", "t-*-*"))
	if err != nil || len(prepared) != 1 {
		t.Fatalf("prepared: %q, %v", prepared, err)
	}
	// One that has lost a file is made again.
	if err := os.Remove(filepath.Join(prepared[0], "ibdata1")); err != nil {
		t.Fatal(err)
	}
	s := startLocalTest(t, o)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestLocalCancelled ends the start at some moment.
func TestLocalCancelled(t *testing.T) {
	o := localOptions(t)
	tmp := ownTemp(t)
	for _, after := range []time.Duration{0, 200 * time.Millisecond, 1200 * time.Millisecond} {
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		timer := time.AfterFunc(after, func() { cancel(why) })
		s, err := startLocal(ctx, o)
		timer.Stop()
		if err == nil {
			s.Close()
		} else if err != why {
			t.Errorf("after %v: %v", after, err)
		}
		cancel(nil)
	}
	nothingLeft(t, tmp)
}

// holdEnv makes the test binary start a server and hold it until it is killed.
const holdEnv = "INSTEP_TEST_HOLD"

// TestHold is no test of its own: TestLocalCrash and TestDSNCrash run it in another process. Its environment says which server
// it starts.
func TestHold(t *testing.T) {
	engine, dsn, _ := strings.Cut(os.Getenv(holdEnv), " ")
	if engine == "" {
		return // in its own process only
	}
	s, err := Start(t.Context(), EngineOptions{Engine: engine, DSN: dsn, YesThisServer: true, Keep: os.Getenv(holdEnv+"_KEEP") != "",
		Configured: schema.Server{MariaDB: true, Major: 10, Minor: 11}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.createDatabase(t.Context(), "a", "", ""); err != nil {
		t.Fatal(err)
	}
	fmt.Println("HOLDING " + s.Prefix)
	time.Sleep(time.Minute)
}

// hold starts a server in another process and gives it when the server runs, with its prefix.
func hold(t testing.TB, engine string, keep bool) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHold$", "-test.v")
	cmd.Env = append(os.Environ(), holdEnv+"="+engine)
	if keep {
		cmd.Env = append(cmd.Env, holdEnv+"_KEEP=1")
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	lines := bufio.NewScanner(out)
	var said []string
	for lines.Scan() {
		if prefix, ok := strings.CutPrefix(lines.Text(), "HOLDING "); ok {
			return cmd, prefix
		}
		said = append(said, lines.Text())
	}
	t.Fatalf("no server: %q", said)
	return nil, ""
}

func signalTo(t testing.TB, pid int, signal os.Signal) {
	t.Helper()
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Signal(signal)
	}
	if err != nil {
		t.Error(err)
	}
}

// TestLocalCrash kills a process that has a server, first alone and then together with the server's supervisor.
func TestLocalCrash(t *testing.T) {
	o := localOptions(t)
	tmp := ownTemp(t)
	t.Run("supervised", func(t *testing.T) {
		cmd, _ := hold(t, "local", false)
		cmd.Process.Kill()
		cmd.Wait()
		for range 600 {
			if folders, pids := runsIn(t, tmp); len(folders)+len(pids) == 0 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		nothingLeft(t, tmp) // without a next run
	})
	t.Run("swept", func(t *testing.T) {
		cmd, _ := hold(t, "local", false)
		living := startLocalTest(t, o)
		_, pids := runsIn(t, tmp)
		for _, pid := range pids { // the supervisors are those with our script
			line, err := exec.Command("ps", "-ww", "-o", "ppid=,command=", "-p", fmt.Sprint(pid)).Output()
			if err != nil {
				t.Fatal(err)
			}
			var parent int
			fmt.Sscan(string(line), &parent)
			if strings.Contains(string(line), "dir=$1") && parent == cmd.Process.Pid {
				signalTo(t, pid, os.Kill)
			}
		}
		cmd.Process.Kill()
		cmd.Wait()
		time.Sleep(200 * time.Millisecond)
		if _, pids := runsIn(t, tmp); len(pids) != 3 { // its server, and ours with its supervisor
			t.Fatalf("processes %v: the server did not outlive its supervisor", pids)
		}
		s, err := Start(t.Context(), o, nil)
		if err != nil {
			t.Fatal(err)
		}
		if folders, pids := runsIn(t, tmp); len(folders) != 4 || len(pids) != 4 { // two servers that live, with a lock each
			t.Errorf("folders %q, processes %v", folders, pids)
		}
		if oneValue(t, living, asGuest, "SELECT 1") != "1" {
			t.Error("the server of a run that lives was ended")
		}
		s.Close()
		living.Close()
		nothingLeft(t, tmp)
	})
	t.Run("kept and ended", func(t *testing.T) {
		cmd, _ := hold(t, "local", true)
		cmd.Process.Kill()
		cmd.Wait()
		_, pids := runsIn(t, tmp)
		for _, pid := range pids {
			if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil && strings.TrimSpace(string(name)) != "sh" {
				signalTo(t, pid, syscall.SIGTERM) // as Server.Connect says
			}
		}
		for range 600 {
			if folders, pids := runsIn(t, tmp); len(folders)+len(pids) == 0 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		nothingLeft(t, tmp) // its supervisor has removed it
	})
	t.Run("kept", func(t *testing.T) {
		cmd, _ := hold(t, "local", true)
		cmd.Process.Kill()
		cmd.Wait()
		if err := sweepLocal(); err != nil {
			t.Error(err)
		}
		folders, pids := runsIn(t, tmp)
		if len(folders) != 2 || len(pids) != 2 {
			t.Fatalf("a server that was to be kept is gone: %q %v", folders, pids)
		}
		var lock string
		for _, f := range folders {
			if strings.HasSuffix(f, ".lock") {
				lock = f
			}
		}
		if err := os.WriteFile(lock, []byte("keep "+time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := sweepLocal(); err != nil {
			t.Error(err)
		}
		for range 100 { // what was told to end does so by itself
			if folders, pids := runsIn(t, tmp); len(folders)+len(pids) == 0 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		nothingLeft(t, tmp)
	})
}

// TestLocalCrashAnywhere kills a process at some moment while it starts a server: while it prepares the data directory, copies
// it, waits for the server, and after.
func TestLocalCrashAnywhere(t *testing.T) {
	localOptions(t)
	tmp := ownTemp(t)
	for _, after := range []time.Duration{100, 300, 600, 100, 250, 400, 700, 900} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestHold$")
		cmd.Env = append(os.Environ(), holdEnv+"=local")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
		var folders []string
		var pids []int
		for range 500 { // what prepares a data directory is told to end; what it holds until then goes at the sweep after that
			if err := sweepLocal(); err != nil {
				t.Errorf("after %d ms: %v", after, err)
			}
			if folders, pids = runsIn(t, tmp); len(folders)+len(pids) == 0 {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if len(folders)+len(pids) > 0 {
			t.Errorf("after %d ms: left behind: %q %v", after, folders, pids)
		}
	}
}

func TestLocalMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := findLocal(t.Context(), EngineOptions{}, nil)
	var missing *UnavailableError
	if !errors.As(err, &missing) || !strings.Contains(missing.Tried, "no mysqld or mariadbd on PATH") || missing.Provide == "" {
		t.Errorf("%v", err)
	}
	if _, err := startLocal(t.Context(), EngineOptions{Mysqld: "/nowhere/mysqld"}); err == nil || errors.As(err, &missing) && missing.Tried == "" {
		t.Errorf("%v", err)
	}
	// A program that is no server.
	if _, err := startLocal(t.Context(), EngineOptions{Mysqld: "/bin/echo"}); err == nil || !strings.Contains(err.Error(), "no database server") {
		t.Errorf("%v", err)
	}
}
