package simulate

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"

	"github.com/go-sql-driver/mysql"
	dc "github.com/ory/dockertest/v3/docker"

	"instep/analyzer/schema"
)

// The labels of containers and networks.
const (
	dockerLabel    = "instep.simulate" // the owner; "" of those that are kept
	dockerDeadline = "instep.simulate.deadline"
)

// dockerScript is what the container runs around the image's own command.
//
//go:embed docker.sh
var dockerScript string

// dockerFull is the exit code of dockerScript when the disk is full.
const dockerFull = 28

// dockerOptions are given to the server. What changes the meaning of a statement stays as the image has it; durability is given up
// as far as data still survives the end of the server's process. Options that one flavour lacks are loose.
var dockerOptions = []string{
	"--innodb-flush-log-at-trx-commit=2", // 0 would lose what was committed in the last second before a kill
	"--sync-binlog=0",
	"--innodb-doublewrite=0",
	"--innodb-buffer-pool-size=256M",
	"--performance-schema=ON", // MariaDB's default is OFF

	"--local-infile=0",
	"--event-scheduler=OFF", // where it is DISABLED, MariaDB refuses CREATE EVENT (1577)
	"--loose-log-bin-trust-function-creators=1",
	"--skip-name-resolve",           // there is no name server
	"--loose-skip-symbolic-links=1", // MariaDB would let a guest choose a table's DATA DIRECTORY
	"--loose-mysqlx=0",              // a port that nobody uses
	"--max-connections=64",
	"--max-prepared-stmt-count=4096",
	"--loose-temptable-max-ram=256M",
	"--tmpdir=" + dockerData + "/.tmp", // so that one bound holds for all files
	"--loose-ignore-db-dirs=.tmp",      // MariaDB would take it for a database
}

const dockerData = "/var/lib/mysql"

// errDockerUnreachable says that a container's address cannot be reached from this process.
var errDockerUnreachable = errors.New("the container cannot be reached")

// docker is one container and its network, which have the same name.
type docker struct {
	client       *dc.Client
	endpoint     string
	image        string
	command      []string // of the image
	disk, memory int64
	keep         bool
	owner        string // label
	limit        time.Duration
	notes        []string

	name      string
	network   string // id
	container string // id
	password  string
	watcher   *dockerWatcher
}

// dockerTask gives a context for requests that are not to be interrupted: the engine would go on, and what it makes could not be
// found.
func dockerTask(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
}

// start starts a server; published says that it is to be reached by a port on 127.0.0.1 and has a network then. Whatever goes
// wrong, nothing stays behind.
func (d *docker) start(ctx context.Context, published bool) (s *Server, err error) {
	d.name = "instep-" + strings.ToLower(rand.Text()[:12])
	d.password = rand.Text()
	d.network, d.container = "", ""
	if !d.keep {
		d.watch()
	}
	defer func() {
		if err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			err = errors.Join(err, d.remove())
		}
	}()
	if err := d.run(ctx, published); err != nil {
		return nil, err
	}
	address, err := d.address(ctx, published)
	if err != nil {
		return nil, err
	}
	admin := mysql.NewConfig()
	admin.Net, admin.Addr = "tcp", address
	admin.User, admin.Passwd = "root", d.password
	admin.Timeout = 10 * time.Second
	admin.Logger = &mysql.NopLogger{} // it reports every failed try
	text, err := d.wait(ctx, admin)
	if err != nil {
		return nil, err
	}
	version, name, err := dockerVersion(text)
	if err != nil {
		return nil, err
	}
	host, port, _ := net.SplitHostPort(address)
	s = &Server{
		Engine: "docker", Version: version, Name: name, Notes: d.notes, Prefix: newPrefix(), admin: admin,
		Connect: fmt.Sprintf("mysql --host=%s --port=%s --user=root --password=%s", host, port, d.password),
		kill:    func(ctx context.Context) error { return d.kill(ctx, admin) },
		ended:   d.ended,
		close:   d.remove,
	}
	if published {
		s.Notes = append(s.Notes, "docker: a container's own address cannot be reached from here, so its port is published on 127.0.0.1, and the container has a network")
	}
	if d.keep {
		s.Connect += fmt.Sprintf("\ndocker rm --force --volumes %s && docker network rm %s # ends it", d.name, d.name)
		s.close = func() error { return nil }
	}
	s.guest = admin.Clone()
	s.guest.User, s.guest.Passwd = "instep_guest", rand.Text()
	c, err := s.session(ctx, asAdmin, "")
	if err != nil {
		return nil, err
	}
	defer c.close()
	for _, g := range grants(s.guest.User, "%", s.guest.Passwd, s.Prefix) {
		if err := c.exec(ctx, g); err != nil {
			return nil, fmt.Errorf("%s: the guest's account: %w", s.Name, err)
		}
	}
	return s, nil
}

// run makes the network and the container, and starts it.
func (d *docker) run(ctx context.Context, published bool) error {
	task, cancel := dockerTask(ctx)
	defer cancel()
	labels := map[string]string{dockerLabel: d.owner, dockerDeadline: strconv.FormatInt(time.Now().Add(d.limit).Unix(), 10)}
	options := map[string]any{}
	if published {
		// Its packets keep the container's address, to which nobody but this machine has a way back.
		options["com.docker.network.bridge.enable_ip_masquerade"] = "false"
	}
	// An internal network keeps a container from the world and from other containers, not from what listens on the addresses of the
	// engine's machine (tested on 20.10). No statement of the guest's opens a connection; a flaw of the server's might.
	network, err := d.client.CreateNetwork(dc.CreateNetworkOptions{
		Name: d.name, Driver: "bridge", Internal: !published, Labels: labels, Options: options, Context: task,
	})
	if err != nil {
		return fmt.Errorf("making a Docker network: %w", err)
	}
	d.network = network.ID
	if !published && !dockerBridge(network.ID) {
		return errDockerUnreachable
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	disk := strconv.FormatInt(d.disk, 10)
	host := &dc.HostConfig{
		NetworkMode: d.name,
		// All that can be written to is memory, and bounded: a root file system would grow on the engine's disk.
		ReadonlyRootfs: true,
		Tmpfs: map[string]string{
			dockerData:    "rw,nosuid,nodev,noexec,size=" + disk,
			"/run/mysqld": "rw,nosuid,nodev,noexec,size=16m,mode=1777",
			"/tmp":        "rw,nosuid,nodev,noexec,size=64m,mode=1777",
		},
		Memory:     d.memory,
		MemorySwap: d.memory, // together with swap, so there is none
		PidsLimit:  512,
		CapDrop:    []string{"ALL"},
		// What an entrypoint needs that fills a directory and becomes another user, and what kills a server that is another user's.
		CapAdd:      []string{"CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"},
		SecurityOpt: []string{"no-new-privileges"},
		Ulimits:     []dc.ULimit{{Name: "nofile", Soft: 20000, Hard: 20000}, {Name: "core"}},
		LogConfig:   dc.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "1m", "max-file": "1"}},
	}
	config := &dc.Config{
		Image:      d.image,
		Labels:     labels,
		Env:        []string{"MYSQL_ROOT_PASSWORD=" + d.password},
		Entrypoint: []string{"sh", "-c", dockerScript, "instep", dockerData, strconv.Itoa(dockerFull)},
		Cmd:        append(append([]string{}, d.command...), dockerOptions...),
	}
	if published {
		config.ExposedPorts = map[dc.Port]struct{}{"3306/tcp": {}}
		host.PortBindings = map[dc.Port][]dc.PortBinding{"3306/tcp": {{HostIP: "127.0.0.1", HostPort: "0"}}}
	}
	// dockertest's RunWithOptions would leave a container behind that was made and could not be started.
	container, err := d.client.CreateContainer(dc.CreateContainerOptions{Name: d.name, Config: config, HostConfig: host, Context: task})
	if err != nil {
		return fmt.Errorf("making a container of %s: %w", d.image, err)
	}
	d.container = container.ID
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := d.client.StartContainerWithContext(d.container, nil, task); err != nil {
		return fmt.Errorf("starting a container of %s: %w", d.image, err)
	}
	return nil
}

// dockerBridge tells whether a network's bridge is an interface of this machine. It is not where the engine runs in a virtual
// machine, on another machine, or without root's rights, and where this process runs in a container.
func dockerBridge(id string) bool {
	_, err := net.InterfaceByName("br-" + id[:min(len(id), 12)])
	return err == nil
}

// address gives where the server is to be reached, once something answers there, be it by refusing.
func (d *docker) address(ctx context.Context, published bool) (string, error) {
	inspect, cancel := dockerTask(ctx)
	defer cancel()
	c, err := d.client.InspectContainerWithContext(d.container, inspect)
	if err != nil {
		return "", err
	}
	var address string
	if published {
		ports := c.NetworkSettings.Ports["3306/tcp"]
		if len(ports) == 0 {
			return "", fmt.Errorf("the container of %s has no port:\n%s", d.image, d.log())
		}
		address = net.JoinHostPort("127.0.0.1", ports[0].HostPort)
	} else if n, ok := c.NetworkSettings.Networks[d.name]; ok && n.IPAddress != "" {
		address = net.JoinHostPort(n.IPAddress, "3306")
	} else if !c.State.Running {
		return "", d.endedBy(c)
	} else {
		return "", errDockerUnreachable
	}
	dialer := net.Dialer{Timeout: 2 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err == nil {
		conn.Close()
		return address, nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	// Docker's proxy accepts before the server listens. A container that nothing keeps from being reached refuses until then.
	if !published && errors.Is(err, syscall.ECONNREFUSED) {
		return address, nil
	}
	if err := d.stopped(inspect); err != nil {
		return "", err // nobody reaches one that has ended
	}
	return "", errDockerUnreachable
}

// wait waits until the server answers a query by TCP, and gives its version. The server that an official entrypoint starts to
// fill its data directory has no TCP, so that the one that answers is the one that stays.
func (d *docker) wait(ctx context.Context, admin *mysql.Config) (version string, err error) {
	connector, err := mysql.NewConnector(admin)
	if err != nil {
		return "", err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	began := time.Now()
	looked := began
	var denied time.Time
	for {
		try, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := db.QueryRowContext(try, "SELECT VERSION()").Scan(&version)
		cancel()
		if err == nil {
			return version, nil
		}
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		now := time.Now()
		var refused *mysql.MySQLError
		switch {
		case !errors.As(err, &refused):
			denied = time.Time{}
		case denied.IsZero():
			denied = now
		case now.Sub(denied) > 10*time.Second:
			return "", fmt.Errorf("the server of %s does not take the password that MYSQL_ROOT_PASSWORD gives it: %w", d.image, err)
		}
		if now.Sub(looked) >= 500*time.Millisecond {
			looked = now
			if err := d.stopped(ctx); err != nil {
				return "", err
			}
		}
		if now.Sub(began) > dockerPatient {
			return "", fmt.Errorf("the server of %s does not answer within %v (%w):\n%s", d.image, dockerPatient, err, d.log())
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// dockerVersion reads what VERSION() gives: "9.7.4-1", "10.11.14-MariaDB-0+deb12u2".
func dockerVersion(text string) (v schema.Server, name string, err error) {
	if _, err := fmt.Sscanf(text, "%d.%d.%d", &v.Major, &v.Minor, &v.Patch); err != nil {
		return v, "", fmt.Errorf("the server says that its version is %.80q: %w", text, err)
	}
	flavour := "mysql"
	if v.MariaDB = strings.Contains(text, "MariaDB"); v.MariaDB {
		flavour = "mariadb"
	}
	return v, fmt.Sprintf("%s %d.%d.%d", flavour, v.Major, v.Minor, v.Patch), nil
}

// kill ends the server's process and returns when the next one answers.
func (d *docker) kill(ctx context.Context, admin *mysql.Config) error {
	connector, err := mysql.NewConnector(admin)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	task, cancel := dockerTask(ctx)
	defer cancel()
	if err := d.client.KillContainer(dc.KillContainerOptions{ID: d.container, Signal: dc.SIGUSR1, Context: task}); err != nil {
		return errors.Join(fmt.Errorf("killing the server: %w", err), d.ended())
	}
	// The engine does not wait for what the signal does: the old server is gone when it hangs up.
	for c.PingContext(task) == nil {
		time.Sleep(time.Millisecond)
	}
	if task.Err() != nil {
		return errors.New("the server was killed and did not end")
	}
	_, err = d.wait(ctx, admin)
	return err
}

// ended says why the server is gone, or that its disk is full, which is its end too.
func (d *docker) ended() error {
	ctx, cancel := dockerTask(context.Background())
	defer cancel()
	if err := d.stopped(ctx); err != nil {
		return err
	}
	if d.full(ctx) {
		return d.errFull()
	}
	return nil
}

// stopped says why the container does not run.
func (d *docker) stopped(ctx context.Context) error {
	c, err := d.client.InspectContainerWithContext(d.container, ctx)
	var gone *dc.NoSuchContainer
	switch {
	case errors.As(err, &gone):
		return errors.New("the server's container was removed")
	case err != nil:
		return fmt.Errorf("the server's container: %w", err)
	case !c.State.Running:
		return d.endedBy(c)
	}
	return nil
}

func (d *docker) errFull() error {
	return fmt.Errorf("the server was ended because its disk of %s is full", dockerSize(d.disk))
}

// endedBy says why a container has ended.
func (d *docker) endedBy(c *dc.Container) error {
	switch {
	case c.State.ExitCode == dockerFull:
		return d.errFull()
	case c.State.OOMKilled:
		return fmt.Errorf("the server was ended because it needs more memory than %s", dockerSize(d.memory))
	case c.State.ExitCode == 137: // 128+SIGKILL, and kill would have started it again
		return fmt.Errorf("the server was killed by others, as the kernel does when memory runs out (it is given %s)", dockerSize(d.memory))
	}
	return fmt.Errorf("the container of %s ended with code %d:\n%s", d.image, c.State.ExitCode, d.log())
}

// full tells whether the disk is so full that docker.sh would end the server; it only looks now and then.
func (d *docker) full(ctx context.Context) bool {
	e, err := d.client.CreateExec(dc.CreateExecOptions{
		Container: d.container, Cmd: []string{"df", "-P", dockerData}, AttachStdout: true, AttachStderr: true, Context: ctx,
	})
	if err != nil {
		return false
	}
	var out bytes.Buffer
	if err := d.client.StartExec(e.ID, dc.StartExecOptions{OutputStream: &out, ErrorStream: io.Discard, Context: ctx}); err != nil {
		return false
	}
	var source string
	var size, used, free int64
	_, line, _ := strings.Cut(out.String(), "\n")
	n, _ := fmt.Sscan(line, &source, &size, &used, &free)
	return n == 4 && free < size/16
}

// log gives the end of what the container printed. It can quote statements, so it is bounded, and no terminal obeys it.
func (d *docker) log() string {
	ctx, cancel := dockerTask(context.Background())
	defer cancel()
	var b bytes.Buffer
	err := d.client.Logs(dc.LogsOptions{Context: ctx, Container: d.container, OutputStream: &b, ErrorStream: &b, Stdout: true, Stderr: true, Tail: "20"})
	if err != nil {
		return err.Error()
	}
	text := b.Bytes()
	if len(text) > 4000 {
		text = text[len(text)-4000:]
	}
	return strings.TrimSpace(printable(string(text)))
}

// printable leaves out what a terminal would obey.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}

// remove removes the container, its volumes and the network, by name: they may be there though their making failed.
func (d *docker) remove() error {
	err := dockerRemove(d.client, d.name, d.name)
	d.watcher.stop(err == nil)
	d.watcher = nil
	return err
}

// dockerRemove removes a container and a network; "" is none. It is no error that one is gone already.
func dockerRemove(client *dc.Client, container, network string) error {
	ctx, cancel := dockerTask(context.Background())
	defer cancel()
	// The engine answers 409 while another removes the container, and 403 while the network still has one.
	patiently := func(f func() error) error {
		for {
			err := f()
			var e *dc.Error
			if !errors.As(err, &e) || e.Status != http.StatusConflict && e.Status != http.StatusForbidden || ctx.Err() != nil {
				return err
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	if container != "" {
		err := patiently(func() error {
			return client.RemoveContainer(dc.RemoveContainerOptions{ID: container, RemoveVolumes: true, Force: true, Context: ctx})
		})
		var gone *dc.NoSuchContainer
		if err != nil && !errors.As(err, &gone) {
			return fmt.Errorf("removing the container %s: %w", container, err)
		}
	}
	if network != "" {
		err := patiently(func() error { return client.RemoveNetwork(network) })
		var gone *dc.NoSuchNetwork
		if err != nil && !errors.As(err, &gone) {
			return fmt.Errorf("removing the network %s: %w", network, err)
		}
	}
	return nil
}

// sweepDocker removes the containers and networks of runs that have died.
func sweepDocker(ctx context.Context, _ EngineOptions) error {
	client, _, err := dockerClient(ctx)
	if err != nil {
		return err
	}
	containers, err := client.ListContainers(dc.ListContainersOptions{All: true, Filters: map[string][]string{"label": {dockerLabel}}, Context: ctx})
	if err != nil {
		return err
	}
	now := time.Now()
	var errs []error
	for _, c := range containers {
		if leftBehind(c.Labels[dockerLabel], c.Labels[dockerDeadline], now) {
			errs = append(errs, dockerRemove(client, c.ID, ""))
		}
	}
	networks, err := client.ListNetworks()
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	for _, n := range networks {
		if owner, ok := n.Labels[dockerLabel]; ok && leftBehind(owner, n.Labels[dockerDeadline], now) {
			errs = append(errs, dockerRemove(client, "", n.ID))
		}
	}
	return errors.Join(errs...)
}

// A dockerWatcher is a process that removes the container when this one ends, however that happens.
type dockerWatcher struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	once  sync.Once
}

// watch starts a watcher. It needs Docker's command and a shell; without them the container stays until the next sweep.
func (d *docker) watch() {
	program, err := exec.LookPath("docker")
	if err != nil {
		return
	}
	// Ctrl-C goes to all processes of a terminal, and this one has to outlive it. A line says that there is nothing to do.
	const script = `trap '' INT TERM HUP QUIT; read -r _ && exit; for i in 1 2 3; do "$1" rm -f -v "$2"; "$1" network rm "$2" && exit; sleep 1; done`
	cmd := exec.Command("sh", "-c", script, "sh", program, d.name)
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+d.endpoint) // the command would follow its own contexts
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return
	}
	if cmd.Start() == nil {
		d.watcher = &dockerWatcher{cmd: cmd, stdin: stdin}
	}
}

// stop ends the watcher; done says that it has nothing to do.
func (w *dockerWatcher) stop(done bool) {
	if w == nil {
		return
	}
	w.once.Do(func() {
		if done {
			io.WriteString(w.stdin, "\n")
		}
		w.stdin.Close()
		if done {
			w.cmd.Wait()
		}
	})
}
