package simulate

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"instep/analyzer/schema"
)

// Local runs a server program of this machine in a private folder. It listens on a socket in that folder only, never reads the
// machine's configuration, and runs as an unprivileged user.
//
// What it does not do: it does not confine the program further than its own user can be (on Linux it has no network where
// the kernel lets us take it away); the server can read what that user can, which is why the guest has no FILE privilege.
var Local = &Engine{
	Name:  "local",
	Doc:   "mysqld or mariadbd of this machine, in a private folder with a socket only",
	Start: startLocal,
	Sweep: func(ctx context.Context, o EngineOptions) error { return sweepLocal() },
}

// The bounds of a local server unless the options say otherwise, in bytes.
const (
	localMemory = 2 << 30
	localDisk   = 8 << 30
	// localReserve is what is left free on the disk whatever the bound is.
	localReserve = 256 << 20
)

// localSupervisor does what its standard input says: it starts the server, and kills it. When its input ends, because this
// process has ended, however that happened, it kills the server and removes its folder; a server that is kept gets its time
// first. Its arguments are the folder, that time in seconds, the bounds of a file (blocks of 512 bytes) and of the address
// space (KiB), and the server's command line. A limit that the system does not know is left out: the watchdog is the
// real bound, these hold where it is too slow. A crash leaves no core file, which may be as large as the server.
const localSupervisor = `dir=$1 keep=$2 files=$3 memory=$4; shift 4
ulimit -c 0; ulimit -f "$files"; ulimit -v "$memory"
pid=
end() {
	[ -z "$pid" ] || { kill -9 "$pid"; wait "$pid"; }
	pid=
}
while read -r order; do
	case $order in
	start) "$@" >>"$dir/log" 2>&1 </dev/null & pid=$!; echo "$pid" ;;
	kill) end; echo killed ;;
	close) keep=0; break ;;
	esac
done
exec >/dev/null
while [ "$keep" -gt 0 ] && kill -0 "$pid"; do sleep 1; keep=$((keep - 1)); done
end
rm -rf "$dir" "$dir.lock"`

// A localServer is a server of ours and the process that supervises it.
type localServer struct {
	name   string // "mariadb 10.11.19", for messages
	dir    string
	lock   *os.File // held as long as this process lives: it says that the folder is in use
	cmd    *exec.Cmd
	orders io.WriteCloser
	answer *bufio.Reader

	order sync.Mutex // one order at a time

	mu     sync.Mutex
	pid    int
	ending bool   // it is killed by us: its end is nothing to report
	why    string // why it has ended; "" while it has not
	done   chan struct{}
}

func startLocal(ctx context.Context, o EngineOptions) (*Server, error) {
	s, err := tryLocal(ctx, o)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return s, err
}

func tryLocal(ctx context.Context, o EngineOptions) (*Server, error) {
	program, err := findLocal(ctx, o, serverFolders())
	if err != nil {
		return nil, err
	}
	base, err := localBase(program.user)
	if err != nil {
		return nil, err
	}
	template, err := localTemplate(ctx, base, program)
	if err != nil {
		return nil, err
	}
	dir, lock, err := claimFolder(base)
	if err != nil {
		return nil, err
	}
	l := &localServer{name: program.name, dir: dir, lock: lock, done: make(chan struct{})}
	s, err := l.start(ctx, o, program, template)
	if err != nil {
		l.close()
		return nil, err
	}
	return s, nil
}

// start makes the folder's content, and starts the supervisor and the server.
func (l *localServer) start(ctx context.Context, o EngineOptions, program localProgram, template string) (*Server, error) {
	memory, disk := o.MaxMemory, o.MaxDisk
	if memory == 0 {
		memory = localMemory
	}
	if disk == 0 {
		disk = localDisk
	}
	// -p keeps owners and -R does not follow links; what is copied is a data directory that we have made.
	if out, err := exec.CommandContext(ctx, "cp", "-pR", template, filepath.Join(l.dir, "data")).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("copying the prepared data directory: %w: %s", err, out)
	}
	// The root account of the prepared directory has no password. This file gives it one before the socket is there, so that
	// nobody who shares the unprivileged user with the server can come first.
	password := rand.Text()
	init := filepath.Join(l.dir, "init.sql")
	if err := os.WriteFile(init, []byte("ALTER USER 'root'@'localhost' IDENTIFIED BY '"+password+"';\n"), 0o600); err != nil {
		return nil, err
	}
	// A server without files to read and write (MariaDB has no secure_file_priv=NULL) gets a folder that it cannot read. It
	// finds no plugins there either.
	none := filepath.Join(l.dir, "none")
	if err := os.Mkdir(none, 0); err != nil {
		return nil, err
	}
	tmp := filepath.Join(l.dir, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		return nil, err
	}
	socket := filepath.Join(l.dir, "s")
	keep := 0
	if o.Keep {
		until := time.Now().Add(keptLimit)
		if _, err := l.lock.WriteString("keep " + until.UTC().Format(time.RFC3339) + "\n"); err != nil {
			return nil, err
		}
		keep = int(keptLimit / time.Second)
	}
	args := []string{"-c", localSupervisor, "sh", l.dir, strconv.Itoa(keep), strconv.FormatInt(disk/512, 10),
		// The address space is far larger than what is used of it (stacks, arenas, mapped files).
		strconv.FormatInt((2*memory+4<<30)/1024, 10), program.path}
	args = append(args, program.options(filepath.Join(l.dir, "data"))...)
	args = append(args, "--socket="+socket, "--pid-file="+filepath.Join(l.dir, "pid"), "--tmpdir="+tmp, "--init-file="+init,
		"--skip-networking", "--loose-mysqlx=OFF", // the X plugin would open a socket of its own in /tmp
		"--skip-name-resolve", "--local-infile=0", "--event-scheduler=OFF", "--loose-symbolic-links=0", // DISABLED makes MariaDB refuse CREATE EVENT (1577)
		"--max-connections=64", "--max-prepared-stmt-count=4096", "--loose-temptable-max-ram=256M",
		// MySQL writes a binary log by default, MariaDB none; both are left so. Creating functions would then need SUPER in MySQL
		// (manual: Stored Program Binary Logging), which our guest must not have.
		"--log-bin-trust-function-creators=1",
		"--performance-schema=ON", // metadata_locks shows who waits
		// Only durability is given up, and only against a crash of the machine: what is committed is with the operating system (2)
		// and survives the kill -9 of the server. The doublewrite buffer stays on for the same reason.
		"--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0",
		"--innodb-buffer-pool-size="+strconv.FormatInt(max(memory/8, 32<<20), 10),
		"--loose-innodb-redo-log-capacity=128M")
	if program.version.MariaDB {
		args = append(args, "--innodb-log-file-size=96M", "--secure-file-priv="+none, "--plugin-dir="+none)
	} else {
		args = append(args, "--secure-file-priv=NULL")
	}
	if u := program.user; u != nil {
		args = append(args, "--user="+u.Username)
		if err := chownTo(u, l.dir, init, none, tmp); err != nil {
			return nil, err
		}
	}
	if err := l.supervise(args); err != nil {
		return nil, err
	}
	admin := mysql.NewConfig()
	admin.Net, admin.Addr, admin.User, admin.Passwd = "unix", socket, "root", password
	admin.Logger = log.New(io.Discard, "", 0) // it prints every failed try
	pid, err := l.launch(ctx, admin)
	if err != nil {
		return nil, err
	}
	go l.watch(memory, disk)
	s := &Server{
		Engine: "local", Prefix: newPrefix(), admin: admin, guest: admin.Clone(),
		kill: nil, ended: l.ended, close: l.close,
	}
	s.guest.User, s.guest.Passwd = "guest", rand.Text()
	c, err := s.session(ctx, asAdmin, "")
	if err != nil {
		return nil, err
	}
	defer c.close()
	if s.Version, s.Name, err = readVersion(ctx, c); err != nil {
		return nil, err
	}
	for _, g := range grants(s.guest.User, "localhost", s.guest.Passwd, s.Prefix) {
		if err := c.exec(ctx, g); err != nil {
			return nil, fmt.Errorf("making the guest's account: %w", err)
		}
	}
	s.Notes = []string{"it is " + program.path + ", with the server's built-in options; what is committed survives the server, not the machine"}
	connect := func(pid int) string {
		client := "mysql"
		if s.Version.MariaDB {
			client = "mariadb"
		}
		return fmt.Sprintf("%s --no-defaults --socket=%s --user=root --password=%s (kill %d ends it and removes its folder; it ends by itself after %d hours)",
			client, socket, password, pid, keptLimit/time.Hour)
	}
	s.Connect = connect(pid)
	s.kill = func(ctx context.Context) error {
		pid, err := l.restart(ctx, admin)
		if err == nil {
			s.Connect = connect(pid)
		}
		return err
	}
	return s, nil
}

// supervise starts the supervisor, in a network of its own where the system lets us.
func (l *localServer) supervise(args []string) error {
	for _, alone := range []bool{true, false} {
		cmd := exec.Command("sh", args...)
		cmd.Dir = l.dir
		cmd.Env = localEnvironment(l.dir)
		if !detach(cmd, alone) {
			continue
		}
		in, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err = cmd.Start(); err == nil {
			l.cmd, l.orders, l.answer = cmd, in, bufio.NewReader(out)
			return nil
		}
		if !alone {
			return err
		}
	}
	return errors.New("local: a server cannot be supervised on this system")
}

// localEnvironment gives the server what it needs of our environment and no more: it may hold secrets.
func localEnvironment(dir string) []string {
	env := []string{"HOME=" + dir, "LC_ALL=C"}
	for _, name := range []string{"PATH", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// tell gives the supervisor an order and reads its answer, which never takes long.
func (l *localServer) tell(order string) (string, error) {
	if _, err := io.WriteString(l.orders, order+"\n"); err != nil {
		return "", fmt.Errorf("the process that supervises %s has ended: %w", l.name, err)
	}
	answer, err := l.answer.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the process that supervises %s has ended: %w", l.name, err)
	}
	return strings.TrimSpace(answer), nil
}

// launch starts the server and waits until it answers a query.
func (l *localServer) launch(ctx context.Context, admin *mysql.Config) (pid int, err error) {
	answer, err := l.tell("start")
	if err != nil {
		return 0, err
	}
	if pid, err = strconv.Atoi(answer); err != nil {
		return 0, fmt.Errorf("the process that supervises %s says %q", l.name, answer)
	}
	l.mu.Lock()
	l.pid, l.ending = pid, false
	l.mu.Unlock()
	connector, err := mysql.NewConnector(admin)
	if err != nil {
		return 0, err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	// Recovery of a large redo log takes its time.
	limited, cancel := context.WithTimeoutCause(ctx, 2*time.Minute, fmt.Errorf("%s does not answer within two minutes", l.name))
	defer cancel()
	for {
		try, stop := context.WithTimeout(limited, 2*time.Second)
		_, err := db.ExecContext(try, "SELECT 1")
		stop()
		if err == nil {
			return pid, nil
		}
		if limited.Err() != nil {
			return 0, fmt.Errorf("%w%s", context.Cause(limited), l.said())
		}
		if processMemory(pid) == 0 {
			if why := l.ended(); why != nil {
				return 0, why
			}
			return 0, fmt.Errorf("%s does not start%s", l.name, l.said())
		}
		select {
		case <-limited.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// restart ends the server with SIGKILL and starts it on the same data.
func (l *localServer) restart(ctx context.Context, admin *mysql.Config) (pid int, err error) {
	l.order.Lock()
	defer l.order.Unlock()
	if why := l.ended(); why != nil {
		return 0, why
	}
	l.mu.Lock()
	l.ending = true
	l.mu.Unlock()
	if _, err := l.tell("kill"); err != nil {
		return 0, err
	}
	return l.launch(ctx, admin)
}

// watch ends the server when it has grown beyond its bounds, and notices when it dies.
func (l *localServer) watch(memory, disk int64) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var size time.Time // when the folder was measured
	for {
		select {
		case <-l.done:
			return
		case <-tick.C:
		}
		l.mu.Lock()
		pid, ending, why := l.pid, l.ending, ""
		l.mu.Unlock()
		if ending {
			continue
		}
		used := processMemory(pid)
		switch {
		case used == 0:
			why = fmt.Sprintf("%s died%s", l.name, l.said())
		case used > memory:
			why = fmt.Sprintf("%s was ended: it used %s of memory, and may use %s", l.name, dockerSize(used), dockerSize(memory))
		case time.Since(size) > 200*time.Millisecond:
			if n := folderSize(l.dir) + unlinkedSize(pid); n > disk {
				why = fmt.Sprintf("%s was ended: its files took %s, and may take %s", l.name, dockerSize(n), dockerSize(disk))
			} else if free, ok := diskFree(l.dir); ok && free < localReserve {
				why = fmt.Sprintf("%s was ended: its files took %s, and only %s are free on the disk of %s", l.name, dockerSize(n), dockerSize(free), l.dir)
			}
			size = time.Now()
		}
		if why == "" {
			continue
		}
		l.mu.Lock()
		// A restart may have come between.
		stale := l.ending || l.pid != pid
		if !stale {
			l.why = why
		}
		l.mu.Unlock()
		if stale {
			continue
		}
		if p, err := os.FindProcess(pid); err == nil && used > 0 {
			p.Kill() // it is still the supervisor's child, so the number is not another's
		}
		return
	}
}

func (l *localServer) ended() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why == "" {
		return nil
	}
	return errors.New(l.why)
}

// close ends the server and removes its folder.
func (l *localServer) close() error {
	l.order.Lock()
	defer l.order.Unlock()
	l.mu.Lock()
	l.ending = true
	l.mu.Unlock()
	close(l.done)
	if l.cmd != nil {
		io.WriteString(l.orders, "close\n") // it may be gone: what it would do is done below
		l.orders.Close()
		l.cmd.Wait()
	}
	err := removeFolder(l.dir)
	l.lock.Close()
	return err
}

// said gives the end of what the server printed, errors alone if there are any.
func (l *localServer) said() string {
	text, err := os.ReadFile(filepath.Join(l.dir, "log"))
	if err != nil || len(text) == 0 {
		return ""
	}
	text = text[max(0, len(text)-16<<10):]
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	errs := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return !strings.Contains(line, "[ERROR]") })
	if len(errs) > 0 {
		lines = errs
	}
	return ":\n" + strings.Join(lines[max(0, len(lines)-5):], "\n")
}

// A localProgram is a server program of this machine.
type localProgram struct {
	path    string
	says    string // what it prints of its version
	name    string // "mariadb 10.11.19"
	version schema.Server
	base    string     // its installation, where that is not /usr
	install string     // mariadb-install-db; "" for MySQL
	user    *user.User // as whom it runs; nil: as ourselves
}

// options are those that the making of the data directory and the server have in common. What changes the meaning of
// statements stays at the server's built-in defaults, except for MariaDB's character set: Debian's configuration and the
// official image's set it to utf8mb4.
func (p localProgram) options(data string) []string {
	list := []string{"--no-defaults", "--datadir=" + data}
	if p.version.MariaDB {
		list = append(list, "--character-set-server=utf8mb4")
		if p.base != "" {
			list = append(list, "--basedir="+p.base)
		}
	}
	return list
}

// findLocal looks for a server program: the one that the options name, else mysqld, else mariadbd; one of the configured
// flavour first. It looks on PATH and in folders.
func findLocal(ctx context.Context, o EngineOptions, folders []string) (localProgram, error) {
	unavailable := func(tried string) (localProgram, error) {
		return localProgram{}, &UnavailableError{Tried: "local: " + tried, Provide: provideLocal(o.Configured)}
	}
	if !localSupported {
		return unavailable("no server can be started on " + runtime.GOOS)
	}
	var dropTo *user.User
	if os.Getuid() == 0 { // a server refuses to run as root
		for _, name := range []string{"mysql", "nobody"} {
			if u, err := user.Lookup(name); err == nil {
				dropTo = u
				break
			}
		}
		if dropTo == nil {
			return localProgram{}, errors.New("local: a server does not run as root, and there is no user mysql or nobody")
		}
	}
	if o.Mysqld != "" {
		path, err := exec.LookPath(o.Mysqld)
		if err != nil {
			return localProgram{}, fmt.Errorf("local: %w", err)
		}
		p, err := inspectLocal(ctx, path, dropTo)
		if err != nil {
			return localProgram{}, fmt.Errorf("local: %w", err)
		}
		return p, nil
	}
	var found []localProgram
	var reasons []string
	for _, name := range []string{"mysqld", "mariadbd"} {
		path, err := lookServer(name, folders)
		if err != nil {
			continue
		}
		p, err := inspectLocal(ctx, path, dropTo)
		if err != nil {
			reasons = append(reasons, err.Error())
			continue
		}
		found = append(found, p)
	}
	for _, p := range found {
		if p.version.MariaDB == o.Configured.MariaDB {
			return p, nil
		}
	}
	if len(found) > 0 {
		return found[0], nil
	}
	if len(reasons) > 0 {
		return unavailable(reasons[0])
	}
	return unavailable("no mysqld or mariadbd on PATH")
}

// serverFolders are where servers are installed besides PATH, which often has no folder of root's programs.
func serverFolders() []string {
	return []string{"/usr/sbin", "/usr/libexec", "/usr/local/mysql/bin", "/opt/homebrew/bin"}
}

func lookServer(name string, folders []string) (string, error) {
	path, err := exec.LookPath(name)
	for _, dir := range folders {
		if err == nil {
			break
		}
		path, err = exec.LookPath(filepath.Join(dir, name))
	}
	return path, err
}

// inspectLocal asks a program for its version.
func inspectLocal(ctx context.Context, path string, dropTo *user.User) (localProgram, error) {
	p := localProgram{path: path, user: dropTo}
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(limited, path, "--no-defaults", "--version")
	cmd.Env = localEnvironment("/")
	out, err := cmd.Output()
	if err != nil {
		return p, fmt.Errorf("%s --version: %w", path, err)
	}
	p.says = strings.TrimSpace(string(out))
	_, number, ok := strings.Cut(p.says, "Ver ")
	if !ok {
		return p, fmt.Errorf("%s is no database server: it says %.100q", path, p.says)
	}
	if p.version, p.name, err = dockerVersion(number); err != nil {
		return p, fmt.Errorf("%s: %w", path, err)
	}
	if !p.version.MariaDB {
		return p, nil
	}
	base := filepath.Dir(filepath.Dir(path))
	if real, err := filepath.EvalSymlinks(path); err == nil {
		base = filepath.Dir(filepath.Dir(real))
	}
	for _, name := range []string{"mariadb-install-db", "mysql_install_db"} {
		for _, script := range []string{filepath.Join(base, "bin", name), filepath.Join(base, "scripts", name), name} {
			if found, err := exec.LookPath(script); err == nil && p.install == "" {
				p.install = found
			}
		}
	}
	if p.install == "" {
		return p, fmt.Errorf("%s is there, but no mariadb-install-db, which prepares its data directory", path)
	}
	if _, err := os.Stat(filepath.Join(base, "share")); err == nil && base != "/usr" && base != "/" {
		p.base = base
	}
	return p, nil
}

// provideLocal gives the command that installs a server here.
func provideLocal(configured schema.Server) string {
	name := "mysql-server"
	if configured.MariaDB {
		name = "mariadb-server"
	}
	command := "install a MySQL or MariaDB server"
	has := func(program string) bool { _, err := exec.LookPath(program); return err == nil }
	switch {
	case runtime.GOOS == "darwin":
		return "brew install " + strings.TrimSuffix(name, "-server")
	case runtime.GOOS != "linux":
		return command
	case has("apt-get"):
		// Debian has no mysql-server of its own, only Ubuntu does.
		if release, err := os.ReadFile("/etc/os-release"); err != nil || !strings.Contains(string(release), "\nID=ubuntu") {
			name = "mariadb-server"
		}
		command = "apt-get install " + name
	case has("dnf"):
		command = "dnf install " + name
	case has("apk"):
		command = "apk add mariadb"
	default:
		return command
	}
	if os.Getuid() != 0 {
		command = "sudo " + command
	}
	return command
}

// localBase gives the folder of all local servers of this user, to which only this user can write. It is below the folder
// for temporary files and not among the user's caches: a server that runs as another user must be able to reach it, security
// modules let servers write there, and the path of a socket has little room.
func localBase(dropTo *user.User) (string, error) {
	name := fmt.Sprintf("instep-%d", os.Getuid())
	parents := []string{os.TempDir(), "/tmp"}
	for i, parent := range parents {
		parent, err := filepath.EvalSymlinks(parent)
		if err != nil {
			continue
		}
		base := filepath.Join(parent, name)
		last := i == len(parents)-1
		// A socket's path has 104 bytes on BSD and macOS, 108 on Linux, one of them the end.
		if !last && (len(base)+len("/r-0123456789ab/s") > 100 || dropTo != nil && !traversable(parent)) {
			continue
		}
		if err := os.Mkdir(base, 0o711); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", err
		}
		info, err := os.Lstat(base)
		if err != nil {
			return "", err
		}
		if !info.IsDir() || info.Mode().Perm()&0o022 != 0 || !ownedByUs(info) {
			return "", fmt.Errorf("%s is not a folder that only this user can write to: remove it", base)
		}
		return base, nil
	}
	return "", errors.New("local: there is no folder for temporary files")
}

// traversable tells whether any user may go through a folder.
func traversable(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		up := filepath.Dir(dir)
		if up == dir {
			return true
		}
		dir = up
	}
}

// claimFolder makes a folder for a server. The file beside it is locked as long as this process lives, which says to other
// runs that the folder is in use, also to those that see no processes of ours.
func claimFolder(base string) (dir string, lock *os.File, err error) {
	for range 100 {
		dir = filepath.Join(base, "r-"+strings.ToLower(rand.Text()[:12]))
		lock, err = os.OpenFile(dir+".lock", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return "", nil, err
		}
		// A sweep may have found the file before it was locked.
		if !tryLock(lock) || !isFile(lock, dir+".lock") {
			lock.Close()
			continue
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			os.Remove(lock.Name())
			lock.Close()
			return "", nil, err
		}
		return dir, lock, nil
	}
	return "", nil, errors.New("local: no folder can be claimed in " + base)
}

// isFile tells whether an open file is still the one of that name.
func isFile(f *os.File, name string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Lstat(name)
	return err == nil && os.SameFile(a, b)
}

// removeFolder removes a server's folder and the file that says it is in use.
func removeFolder(dir string) error {
	var err error
	for range 10 { // what has just been killed may have made another file
		if err = os.RemoveAll(dir); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	if err := os.Remove(dir + ".lock"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// sweepLocal ends the servers of runs that have died, and removes their folders.
func sweepLocal() error {
	if !localSupported {
		return nil
	}
	var errs []error
	bases := []string{filepath.Join(os.TempDir(), fmt.Sprintf("instep-%d", os.Getuid())), fmt.Sprintf("/tmp/instep-%d", os.Getuid())}
	slices.Sort(bases)
	for _, base := range slices.Compact(bases) {
		info, err := os.Lstat(base)
		if err != nil || !info.IsDir() || !ownedByUs(info) {
			continue
		}
		if real, err := filepath.EvalSymlinks(base); err == nil {
			base = real // as the servers' command lines have it
		}
		entries, err := os.ReadDir(base)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, e := range entries {
			name := e.Name()
			switch {
			case strings.HasPrefix(name, "r-") && strings.HasSuffix(name, ".lock"):
				errs = append(errs, sweepFolder(filepath.Join(base, strings.TrimSuffix(name, ".lock"))))
			case strings.HasPrefix(name, "t-"):
				// A prepared data directory that nobody has used for long.
				if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > 30*24*time.Hour {
					errs = append(errs, os.RemoveAll(filepath.Join(base, name)))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// sweepFolder removes a server's folder if the run that made it is dead, and its server, which may have outlived it.
func sweepFolder(dir string) error {
	lock, err := os.OpenFile(dir+".lock", os.O_RDWR, 0)
	if err != nil {
		return nil // it has just been removed
	}
	defer lock.Close()
	if !tryLock(lock) || !isFile(lock, dir+".lock") {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(lock, 100))
	if err != nil {
		return err
	}
	pids := processesWith("--datadir=" + filepath.Join(dir, "data"))
	if until, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "keep "); ok && len(pids) > 0 {
		if t, err := time.Parse(time.RFC3339, until); err == nil && time.Now().Before(t) {
			return nil
		}
	}
	for _, pid := range pids {
		if p, err := os.FindProcess(pid); err == nil {
			p.Kill()
		}
	}
	return removeFolder(dir)
}

// localTemplate gives a prepared data directory, which costs seconds to make. It is kept for later runs of this user, one per
// program and version. Its name says how many files it has and how large they are: what cleans temporary files away by their
// age may have taken some.
func localTemplate(ctx context.Context, base string, p localProgram) (string, error) {
	program := p.path
	if real, err := filepath.EvalSymlinks(program); err == nil { // Debian's mysqld is mariadbd
		program = real
	}
	key := fmt.Sprintf("t-%.12x", sha256.Sum256([]byte("1\n"+program+"\n"+p.says+"\n"+fmt.Sprint(p.user != nil))))
	// One run makes it, others wait.
	lock, err := os.OpenFile(filepath.Join(base, key+".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	for !tryLock(lock) {
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
	found, err := filepath.Glob(filepath.Join(base, key+"-*"))
	if err != nil {
		return "", err
	}
	for _, dir := range found {
		if filepath.Base(dir) == key+contentOf(dir) {
			now := time.Now()
			os.Chtimes(dir, now, now) // so that it is not swept
			return dir, nil
		}
		if err := os.RemoveAll(dir); err != nil {
			return "", err
		}
	}
	folder, claim, err := claimFolder(base)
	if err != nil {
		return "", err
	}
	defer claim.Close()
	defer removeFolder(folder)
	data := filepath.Join(folder, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return "", err
	}
	command, args := p.path, append(p.options(data), "--initialize-insecure", "--loose-innodb-redo-log-capacity=8M")
	if p.install != "" {
		command, args = p.install, append(p.options(data), "--innodb-log-file-size=8M",
			"--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
	}
	if p.user != nil {
		args = append(args, "--user="+p.user.Username)
		if err := chownTo(p.user, folder, data); err != nil {
			return "", err
		}
	}
	if err := runInstaller(ctx, folder, append([]string{command}, args...)); err != nil {
		return "", err
	}
	template := filepath.Join(base, key+contentOf(data))
	return template, os.Rename(data, template)
}

// localInstaller runs a command, and ends it with all that it has started when its own standard input is closed.
const localInstaller = `exec 3<&0
{ cat; kill -9 0; } <&3 >/dev/null 2>&1 &
"$@" </dev/null 3<&-
code=$?
kill -9 $!
exit $code`

// runInstaller runs what makes a data directory. It ends with the context, and with this process.
func runInstaller(ctx context.Context, dir string, args []string) error {
	limited, cancel := context.WithTimeoutCause(ctx, 5*time.Minute, errTime)
	defer cancel()
	cmd := exec.CommandContext(limited, "sh", append([]string{"-c", localInstaller, "sh"}, args...)...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = dir, localEnvironment(dir), time.Second
	detach(cmd, false)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	cmd.Cancel = in.Close
	out, err := cmd.CombinedOutput()
	switch {
	case limited.Err() != nil:
		return fmt.Errorf("%s: %w", args[0], context.Cause(limited))
	case err != nil:
		return fmt.Errorf("%s: %w\n%s", args[0], err, out[max(0, len(out)-4<<10):])
	}
	return nil
}

// contentOf gives the number of files of a folder and their size in a form that fits into a name.
func contentOf(dir string) string {
	files, size := 0, int64(0)
	filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			files = -1
			return err
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			files++
			size += info.Size()
		}
		return nil
	})
	return fmt.Sprintf("-%d-%d", files, size)
}

// folderSize gives what the files of a folder take on the disk.
func folderSize(dir string) int64 {
	size := int64(0)
	filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil { // files come and go; one folder is not ours to read
			return nil
		}
		if info, err := e.Info(); err == nil {
			size += diskUse(info)
		}
		return nil
	})
	return size
}

// chownTo gives files to a user.
func chownTo(u *user.User, paths ...string) error {
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := os.Lchown(path, uid, gid); err != nil {
			return err
		}
	}
	return nil
}
