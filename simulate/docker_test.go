package simulate

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	dc "github.com/ory/dockertest/v3/docker"

	"instep/analyzer/schema"
	"instep/simulate/servertest"
)

const (
	dockerTestMySQL   = "instep-test/mysql:9.7"
	dockerTestMariaDB = "instep-test/mariadb:10.11"
)

// dockerTestClient gives the engine, which must have an image; without them the test is skipped.
func dockerTestClient(t testing.TB, image string) *dc.Client {
	t.Helper()
	client, _, err := dockerClient(t.Context())
	if err == nil {
		_, err = client.InspectImage(image)
	}
	if err != nil {
		if servertest.Required("docker") {
			t.Fatalf("%v, and INSTEP_REQUIRE names docker", err)
		}
		t.Skipf("SKIPPED, NOT TESTED: docker: %s: %v (run .ci/build-images)", image, err)
	}
	return client
}

// startDockerTest starts a server that is closed at the end of the test.
func startDockerTest(t testing.TB, o EngineOptions) *Server {
	t.Helper()
	dockerTestClient(t, o.Image)
	s, err := Docker.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// dockerLeft lists the containers and networks of an owner.
func dockerLeft(t testing.TB, client *dc.Client, owner string) (left []string) {
	t.Helper()
	containers, err := client.ListContainers(dc.ListContainersOptions{All: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range containers {
		if label, ok := c.Labels[dockerLabel]; ok && label == owner {
			left = append(left, "container "+c.Names[0])
		}
	}
	networks, err := client.ListNetworks()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range networks {
		if label, ok := n.Labels[dockerLabel]; ok && label == owner {
			left = append(left, "network "+n.Name)
		}
	}
	return left
}

// dockerGone waits until an owner has nothing left, as what is removed by another process takes a moment.
func dockerGone(t testing.TB, client *dc.Client, owner string, limit time.Duration) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		left := dockerLeft(t, client, owner)
		if len(left) == 0 {
			return
		}
		if time.Since(began) > limit {
			t.Fatalf("%v after %v", left, limit)
		}
	}
}

// testKill holds a server to what a fault needs: what was committed is there after the process was killed, and what was not is
// not.
func testKill(t *testing.T, s *Server) {
	ctx := t.Context()
	db, err := s.createDatabase(ctx, "kill", "", "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.session(ctx, asGuest, db)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for _, q := range []string{
		"CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB",
		"INSERT INTO t VALUES (1)",
		"INSERT INTO t VALUES (2)",
		"BEGIN",
		"INSERT INTO t VALUES (3)",
	} {
		if err := c.exec(ctx, q); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.kill(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.exec(ctx, "COMMIT"); err == nil {
		t.Error("the session has outlived its server")
	}
	after, err := s.session(ctx, asGuest, db)
	if err != nil {
		t.Fatal(err)
	}
	defer after.close()
	rows, err := after.query(ctx, 0, "SELECT id FROM t ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(rows); got != "[[{1 true}] [{2 true}]]" {
		t.Errorf("after a kill the table has %s", got)
	}
	if err := s.ended(); err != nil {
		t.Errorf("the server is running, and is said to have ended: %v", err)
	}
}

func TestDocker(t *testing.T) {
	for _, image := range []string{dockerTestMySQL, dockerTestMariaDB} {
		t.Run(strings.FieldsFunc(image, func(r rune) bool { return r == '/' || r == ':' })[1], func(t *testing.T) {
			client := dockerTestClient(t, image)
			s := startDockerTest(t, EngineOptions{Image: image})
			left := dockerLeft(t, client, thisOwner())
			if len(left) < 2 {
				t.Fatalf("the container and its network are not marked as this process's: %v", left)
			}
			name, _, _ := strings.Cut(s.Name, " ")
			if s.Engine != "docker" || !strings.Contains(image, name) || s.Version.MariaDB != (name == "mariadb") || s.Version.Major < 9 || len(s.Notes) > 0 {
				t.Errorf("engine %q, name %q, version %+v, notes %q", s.Engine, s.Name, s.Version, s.Notes)
			}
			if !strings.HasPrefix(s.Connect, "mysql --host=") || !strings.Contains(s.Connect, s.admin.Passwd) || strings.Contains(s.Connect, "\n") {
				t.Errorf("connect: %q", s.Connect)
			}
			testDockerOptions(t, s)
			testDockerBox(t, client, s)
			testHostile(t, s)
			testKill(t, s)
			if s.Version.MariaDB { // the faster one
				testKill(t, s) // the second server can be killed too
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("the second Close: %v", err)
			}
			for _, l := range dockerLeft(t, client, thisOwner()) {
				for _, before := range left {
					if l == before {
						t.Errorf("%s is left", l)
					}
				}
			}
			if err := s.ended(); err == nil || !strings.Contains(err.Error(), "removed") {
				t.Errorf("a removed server has ended: %v", err)
			}
		})
	}
}

// testDockerOptions reads from the server what it was told, because loose options are ignored in silence.
func testDockerOptions(t *testing.T, s *Server) {
	ctx := t.Context()
	c, err := s.session(ctx, asAdmin, "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	want := map[string]string{
		"innodb_flush_log_at_trx_commit":  "2",
		"innodb_doublewrite":              "OFF",
		"local_infile":                    "0",
		"event_scheduler":                 "OFF",
		"log_bin_trust_function_creators": "1",
		"performance_schema":              "1",
		"tmpdir":                          "/var/lib/mysql/.tmp",
		"secure_file_priv":                "NULL",
	}
	if s.Version.MariaDB {
		want["secure_file_priv"] = "/mnt/"
	}
	for name, value := range want {
		rows, err := c.query(ctx, 1, "SELECT COALESCE(@@GLOBAL."+name+", 'NULL')")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := rows[0][0].String; strings.NewReplacer("ON", "1", "OFF", "0").Replace(got) != strings.NewReplacer("ON", "1", "OFF", "0").Replace(value) {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}

// testDockerBox looks at the container from within: what can be written to, what the server may do, where packets can go.
func testDockerBox(t *testing.T, client *dc.Client, s *Server) {
	name := dockerTestName(t, client, s)
	run := func(command string) string {
		t.Helper()
		e, err := client.CreateExec(dc.CreateExecOptions{Container: name, Cmd: []string{"sh", "-c", command}, AttachStdout: true, AttachStderr: true})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := client.StartExec(e.ID, dc.StartExecOptions{OutputStream: &b, ErrorStream: &b}); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(b.String())
	}
	for _, dir := range []string{"/", "/etc", "/mnt", "/root", "/var/lib", "/var/tmp", "/usr/bin"} {
		if out := run("touch " + dir + "/x"); !strings.Contains(out, "Read-only file system") {
			t.Errorf("writing to %s: %q", dir, out)
		}
	}
	network, err := client.NetworkInfo(name)
	if err != nil {
		t.Fatal(err)
	}
	if !network.Internal {
		t.Errorf("the network is not internal: %+v", network)
	}
	testDockerReach(t, run)
	status := run(`for p in /proc/[0-9]*; do grep -q -E '^(mysqld|mariadbd)$' $p/comm && cat $p/status; done`)
	for _, want := range []string{"CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "NoNewPrivs:\t1", "Uid:\t999"} {
		if !strings.Contains(status, want) {
			t.Errorf("the server's process is not bounded by %q:\n%s", want, status)
		}
	}
	c, err := client.InspectContainer(name)
	if err != nil {
		t.Fatal(err)
	}
	if h := c.HostConfig; h.Memory == 0 || h.MemorySwap != h.Memory || h.PidsLimit == 0 || h.Privileged || h.PublishAllPorts || len(h.PortBindings) > 0 || len(c.Mounts) > 0 {
		t.Errorf("the container's configuration: %+v, mounts %+v", h, c.Mounts)
	}
}

// testDockerReach tries to get out to what this machine itself can reach. Docker 20.10 gives an internal network a default route
// and drops what takes it, so that a look at the routes says nothing.
func testDockerReach(t *testing.T, run func(string) string) {
	addresses := []string{"1.1.1.1:53", "8.8.8.8:53"}
	if conf, err := os.ReadFile("/etc/resolv.conf"); err == nil {
		for line := range strings.Lines(string(conf)) {
			if f := strings.Fields(line); len(f) == 2 && f[0] == "nameserver" && !strings.HasPrefix(f[1], "127.") && !strings.Contains(f[1], ":") {
				addresses = append(addresses, f[1]+":53")
			}
		}
	}
	var command strings.Builder
	for _, a := range addresses {
		if c, err := net.DialTimeout("tcp", a, time.Second); err == nil {
			c.Close()
			fmt.Fprintf(&command, "timeout 2 bash -c 'echo >/dev/tcp/%s' 2>/dev/null && echo reached %s & ", strings.Replace(a, ":", "/", 1), a)
		}
	}
	if command.Len() == 0 {
		t.Log("SKIPPED, NOT TESTED: this machine has no way out either")
		return
	}
	if out := run("command -v bash"); out == "" {
		t.Error("the image has no bash to try with")
	}
	if out := run(command.String() + "wait"); out != "" {
		t.Errorf("the container gets out: %s", out)
	}
}

// dockerTestName gives the name of a server's container.
func dockerTestName(t testing.TB, client *dc.Client, s *Server) string {
	t.Helper()
	containers, err := client.ListContainers(dc.ListContainersOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range containers {
		if _, ours := c.Labels[dockerLabel]; !ours {
			continue
		}
		for _, n := range c.Networks.Networks {
			if n.IPAddress != "" && strings.HasPrefix(s.admin.Addr, n.IPAddress+":") {
				return strings.TrimPrefix(c.Names[0], "/")
			}
		}
	}
	t.Fatalf("no container has the address %s", s.admin.Addr)
	return ""
}

// TestDockerPublished starts a server as where containers cannot be reached by their own addresses.
func TestDockerPublished(t *testing.T) {
	client := dockerTestClient(t, dockerTestMariaDB)
	d := &docker{client: client, endpoint: client.Endpoint(), owner: thisOwner(), limit: runLimit}
	o := EngineOptions{Image: dockerTestMariaDB}
	if err := errors.Join(d.bounds(o), d.provide(t.Context(), o)); err != nil {
		t.Fatal(err)
	}
	s, err := d.start(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if !strings.HasPrefix(s.admin.Addr, "127.0.0.1:") || len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "has a network") {
		t.Errorf("address %q, notes %q", s.admin.Addr, s.Notes)
	}
	c, err := client.InspectContainer(d.name)
	if err != nil {
		t.Fatal(err)
	}
	for port, bindings := range c.NetworkSettings.Ports {
		for _, b := range bindings {
			if b.HostIP != "127.0.0.1" {
				t.Errorf("port %s is open on %s", port, b.HostIP)
			}
		}
	}
}

// TestDockerUnreachable starts a server as where the engine's machine is another one: in a network of its own, from which neither
// bridges nor ports are to be seen, but the engine's socket is.
func TestDockerUnreachable(t *testing.T) {
	if os.Getenv("INSTEP_TEST_DOCKER_UNREACHABLE") != "" {
		_, err := Docker.Start(t.Context(), EngineOptions{Image: dockerTestMariaDB})
		var unavailable *UnavailableError
		if !errors.As(err, &unavailable) || !strings.Contains(unavailable.Tried, "neither") || !strings.Contains(unavailable.Provide, "--engine dsn") {
			t.Errorf("%v", err)
		}
		client := dockerTestClient(t, dockerTestMariaDB)
		if left := dockerLeft(t, client, thisOwner()); len(left) > 0 {
			t.Errorf("%v is left", left)
		}
		return
	}
	client := dockerTestClient(t, dockerTestMariaDB)
	unshare, err := exec.LookPath("unshare")
	if err != nil || os.Getuid() != 0 || !strings.HasPrefix(client.Endpoint(), "unix:") {
		t.Skip("SKIPPED, NOT TESTED: it takes root, unshare and an engine that listens on a socket")
	}
	cmd := exec.Command(unshare, "--net", os.Args[0], "-test.run=^TestDockerUnreachable$", "-test.v")
	cmd.Env = append(os.Environ(), "INSTEP_TEST_DOCKER_UNREACHABLE=1")
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: TestDockerUnreachable")) {
		t.Errorf("%v:\n%s", err, out)
	}
}

// TestDockerKeep: what --keep leaves is reached with what it prints, and is ended with what it prints.
func TestDockerKeep(t *testing.T) {
	client := dockerTestClient(t, dockerTestMariaDB)
	s := startDockerTest(t, EngineOptions{Image: dockerTestMariaDB, Keep: true})
	name := dockerTestName(t, client, s)
	defer dockerRemove(client, name, name)
	ctx := t.Context()
	db, err := s.createDatabase(ctx, "kept", "", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Docker.Sweep(ctx, EngineOptions{}); err != nil {
		t.Fatal(err)
	}
	connect, end, _ := strings.Cut(s.Connect, "\n")
	program, err := exec.LookPath("mysql")
	if err != nil {
		t.Log("SKIPPED, NOT TESTED: there is no mysql command to connect with")
	} else {
		args := append(strings.Fields(connect)[1:], "--batch", "--execute=SHOW DATABASES")
		if out, err := exec.Command(program, args...).CombinedOutput(); err != nil || !strings.Contains(string(out), db) {
			t.Errorf("%s: %v: %s", connect, err, out)
		}
	}
	c, err := client.InspectContainer(name)
	if err != nil {
		t.Fatal(err)
	}
	until, err := strconv.ParseInt(c.Config.Labels[dockerDeadline], 10, 64)
	if left := time.Until(time.Unix(until, 0)); err != nil || left < 23*time.Hour || left > 24*time.Hour {
		t.Errorf("the kept server's time ends in %v, %v", left, err)
	}
	if _, err := exec.LookPath("docker"); err != nil {
		t.Log("SKIPPED, NOT TESTED: there is no docker command to end it with")
		return
	}
	if out, err := exec.Command("sh", "-c", end).CombinedOutput(); err != nil {
		t.Errorf("%s: %v: %s", end, err, out)
	}
	if _, err := client.InspectContainer(name); err == nil {
		t.Error("the kept server is still there")
	}
}

func TestDockerImage(t *testing.T) {
	for _, test := range []struct {
		v    schema.Server
		want string
	}{
		{schema.Server{}, "mysql:8.4"},
		{schema.Server{Major: 8, Minor: 0, Patch: 36}, "mysql:8.0"},
		{schema.Server{MariaDB: true, Major: 10, Minor: 11}, "mariadb:10.11"},
	} {
		if got := dockerImage(test.v); got != test.want {
			t.Errorf("%+v: %s, want %s", test.v, got, test.want)
		}
	}
}

// TestDockerMissingImage: one error names the image and what to do. The address is this machine's and nobody listens there.
func TestDockerMissingImage(t *testing.T) {
	client := dockerTestClient(t, dockerTestMariaDB)
	for _, image := range []string{"127.0.0.1:9/none/mysql:8.4", "127.0.0.1:9/none/mysql@sha256:" + strings.Repeat("0", 64)} {
		_, err := Docker.Start(t.Context(), EngineOptions{Image: image})
		if err == nil {
			t.Fatal("an image that does not exist was started")
		}
		for _, want := range []string{"there is no Docker image " + image + " here", "docker pull " + image, "--image"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q lacks %q", err, want)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("more than a line: %q", err)
		}
		t.Log(err)
	}
	if left := dockerLeft(t, client, thisOwner()); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// TestDockerNoServer: a container that ends at once gives its log, soon.
func TestDockerNoServer(t *testing.T) {
	client := dockerTestClient(t, dockerTestMariaDB)
	d := &docker{client: client, endpoint: client.Endpoint(), owner: thisOwner(), limit: runLimit}
	o := EngineOptions{Image: dockerTestMariaDB}
	if err := errors.Join(d.bounds(o), d.provide(t.Context(), o)); err != nil {
		t.Fatal(err)
	}
	d.command = append(d.command, "--no-such-option=1")
	began := time.Now()
	_, err := d.start(t.Context(), false)
	if err == nil || !strings.Contains(err.Error(), "ended with code") || !strings.Contains(err.Error(), "no-such-option") {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 45*time.Second {
		t.Errorf("it took %v", took)
	}
	if left := dockerLeft(t, client, thisOwner()); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestDockerNoEngine(t *testing.T) {
	dead := filepath.Join(t.TempDir(), "dead.sock")
	for _, test := range []struct{ host, tried string }{
		{"unix://" + dead, "docker: no engine answers at unix://" + dead + " (there is no such socket)"},
		{"tcp://127.0.0.1:9", "docker: no engine answers at tcp://127.0.0.1:9 (connection refused)"},
		{"ssh://nobody@127.0.0.1", "docker: ssh://nobody@127.0.0.1: invalid endpoint"},
	} {
		t.Run(test.host, func(t *testing.T) {
			t.Setenv("DOCKER_HOST", test.host)
			_, err := Docker.Start(t.Context(), EngineOptions{})
			var unavailable *UnavailableError
			if !errors.As(err, &unavailable) {
				t.Fatalf("%T: %v", err, err)
			}
			if unavailable.Tried != test.tried || !strings.Contains(unavailable.Provide, "DOCKER_HOST") {
				t.Errorf("tried %q, provide %q", unavailable.Tried, unavailable.Provide)
			}
		})
	}
}

func TestDockerBounds(t *testing.T) {
	client := dockerTestClient(t, dockerTestMariaDB)
	for _, test := range []struct {
		o            EngineOptions
		disk, memory int64
		err          string
	}{
		{o: EngineOptions{MaxDisk: gib}, disk: gib, memory: 2*gib + 512*mib},
		{o: EngineOptions{MaxMemory: 4 * gib}, disk: 2*gib + 512*mib, memory: 4 * gib},
		{o: EngineOptions{MaxDisk: 2 * gib, MaxMemory: 3 * gib}, disk: 2 * gib, memory: 3 * gib},
		{o: EngineOptions{MaxDisk: 100 * mib}, err: "a server needs a disk of 512 MiB, and is given 100 MiB"},
		{o: EngineOptions{MaxDisk: 2 * gib, MaxMemory: gib}, err: "a server with a disk of 2 GiB, which is kept in memory, needs 2816 MiB of memory, and is given 1 GiB"},
	} {
		d := &docker{client: client}
		err := d.bounds(test.o)
		switch {
		case test.err != "":
			if err == nil || err.Error() != test.err {
				t.Errorf("%+v: %v, want %s", test.o, err, test.err)
			}
		case err != nil || d.disk != test.disk || d.memory != test.memory:
			t.Errorf("%+v: disk %d, memory %d, %v", test.o, d.disk, d.memory, err)
		}
	}
}

// TestDockerCancel ends a start at different moments.
func TestDockerCancel(t *testing.T) {
	client := dockerTestClient(t, dockerTestMySQL)
	for _, after := range []time.Duration{0, 30 * time.Millisecond, 200 * time.Millisecond, 700 * time.Millisecond} {
		ctx, cancel := context.WithTimeoutCause(t.Context(), after, errors.New("Ctrl-C"))
		s, err := Docker.Start(ctx, EngineOptions{Image: dockerTestMySQL})
		cancel()
		if err == nil {
			s.Close()
			t.Errorf("it has started within %v", after)
		} else if err.Error() != "Ctrl-C" {
			t.Errorf("after %v: %v", after, err)
		}
		if left := dockerLeft(t, client, thisOwner()); len(left) > 0 {
			t.Errorf("after %v: %v is left", after, left)
		}
	}
}

// TestDockerKilled kills a process that runs a server: with Docker's command its watcher removes what it leaves, without it
// the next sweep does.
func TestDockerKilled(t *testing.T) {
	if os.Getenv("INSTEP_TEST_DOCKER_KILLED") != "" {
		s, err := Docker.Start(context.Background(), EngineOptions{Image: dockerTestMariaDB})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("started", s.Connect)
		time.Sleep(time.Minute)
		return
	}
	client := dockerTestClient(t, dockerTestMariaDB)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, watched := range []bool{true, false} {
		if _, err := exec.LookPath("docker"); watched && err != nil {
			t.Log("SKIPPED, NOT TESTED: there is no docker command, so nothing watches")
			continue
		}
		cmd := exec.Command(program, "-test.run=^TestDockerKilled$")
		cmd.Env = append(os.Environ(), "INSTEP_TEST_DOCKER_KILLED=1")
		if !watched {
			cmd.Env = append(cmd.Env, "PATH=")
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		owner := ownerOf(cmd.Process.Pid)
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "started") {
			t.Fatalf("%q: %v", line, err)
		}
		if err := Docker.Sweep(t.Context(), EngineOptions{}); err != nil {
			t.Fatal(err)
		}
		if left := dockerLeft(t, client, owner); len(left) != 2 {
			t.Fatalf("a process that lives has %v after a sweep", left)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if !watched {
			// The process is a zombie now: it is dead though its id is still taken.
			time.Sleep(100 * time.Millisecond)
			if err := Docker.Sweep(t.Context(), EngineOptions{}); err != nil {
				t.Fatal(err)
			}
			if left := dockerLeft(t, client, owner); len(left) > 0 {
				t.Errorf("after a sweep %v is left", left)
			}
		}
		cmd.Wait()
		dockerGone(t, client, owner, time.Minute)
	}
}

// TestDockerDeadline: what is past its deadline is removed though its owner cannot be seen from here.
func TestDockerDeadline(t *testing.T) {
	client := dockerTestClient(t, dockerTestMariaDB)
	owner := "1@elsewhere@" + newPrefix()
	for _, test := range []struct {
		limit time.Duration
		left  int
	}{{-time.Minute, 0}, {time.Minute, 2}} {
		d := &docker{client: client, endpoint: client.Endpoint(), owner: owner, limit: test.limit}
		o := EngineOptions{Image: dockerTestMariaDB}
		if err := errors.Join(d.bounds(o), d.provide(t.Context(), o)); err != nil {
			t.Fatal(err)
		}
		d.name, d.password = "instep-test-"+strings.ToLower(rand.Text()), "x"
		err := d.run(t.Context(), false)
		if err == nil {
			err = Docker.Sweep(t.Context(), EngineOptions{})
		}
		left := dockerLeft(t, client, owner)
		if err := errors.Join(err, d.remove()); err != nil {
			t.Error(err)
		}
		if len(left) != test.left {
			t.Errorf("deadline in %v: %v is left", test.limit, left)
		}
	}
}

func TestOwner(t *testing.T) {
	me := thisOwner()
	pid, space, start := strconv.Itoa(os.Getpid()), processSpace(), processStart(os.Getpid())
	if me != pid+"@"+space+"@"+start || strings.Count(me, "@") != 2 || space == "" {
		t.Fatalf("this process is %q", me)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	child := ownerOf(cmd.Process.Pid)
	cmd.Wait()
	for _, test := range []struct {
		owner string
		gone  bool
	}{
		{me, false},
		{child, true},
		{pid + "@" + space + "@1", true}, // the id was given out again
		{pid + "@elsewhere@" + start, false},
		{"", false},
		{"x@" + space + "@1", false},
		{"-1@" + space + "@1", false},
		{"0@" + space + "@1", false},
	} {
		if start == "" && strings.HasSuffix(test.owner, "@1") {
			continue // no clock to tell by: see processStart
		}
		if got := ownerGone(test.owner); got != test.gone {
			t.Errorf("ownerGone(%q) = %v", test.owner, got)
		}
	}
	now := time.Unix(1000, 0)
	if leftBehind(me, "1001", now) || !leftBehind(me, "999", now) || leftBehind(me, "", now) || !leftBehind(child, "1001", now) {
		t.Error("leftBehind does not follow the owner and the deadline")
	}
}
