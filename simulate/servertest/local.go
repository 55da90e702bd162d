package servertest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"time"
)

// supervise runs a server until its own standard input is closed, and removes its folder then.
// Its arguments are the folder and the server's command line.
const supervise = `dir=$1; shift
"$@" >"$dir/log" 2>&1 </dev/null & pid=$!
cat >/dev/null
kill -9 "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
rm -rf "$dir"`

// startLocal starts a MariaDB that listens on a socket in a temporary folder only.
func startLocal() (*Server, error) {
	mariadbd, err := look("mariadbd")
	if err != nil {
		return nil, missing{"no mariadbd on this machine (Debian: apt-get install mariadb-server)"}
	}
	install, err := look("mariadb-install-db")
	if err != nil {
		return nil, missing{"no mariadb-install-db on this machine (Debian: apt-get install mariadb-server)"}
	}
	template, err := localTemplate(mariadbd, install)
	if err != nil {
		return nil, err
	}
	// The path of a socket has little room, so the folder is not made below the test's own.
	dir, err := os.MkdirTemp("", "instep-db")
	if err != nil {
		return nil, err
	}
	data, socket := filepath.Join(dir, "data"), filepath.Join(dir, "s")
	if out, err := exec.Command("cp", "-a", template, data).CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("copying the template: %w: %s", err, out)
	}
	args := []string{"-c", supervise, "sh", dir, mariadbd}
	args = append(args, options(data)...)
	args = append(args, "--socket="+socket, "--pid-file="+filepath.Join(dir, "pid"), "--skip-networking",
		"--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-buffer-pool-size=32M")
	if u := dropTo(); u != nil {
		args = append(args, "--user="+u.Username)
		if err := exec.Command("chown", u.Username, dir).Run(); err != nil {
			os.RemoveAll(dir)
			return nil, err
		}
	}
	cmd := exec.Command("sh", args...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	s := &Server{Network: "unix", Addr: socket, User: "root", stdin: stdin}
	err = s.wait(30*time.Second, func() error {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		if bytes.Contains(log, []byte("[ERROR] Aborting")) {
			return errors.New("mariadbd does not start:\n" + string(log))
		}
		return nil
	})
	if err != nil {
		stdin.Close()
		cmd.Wait()
		return nil, err
	}
	return s, nil
}

// options are those that the making of the template and the server have in common. What changes the meaning of statements
// stays at the server's defaults; Debian's configuration files are not read, but for the character set, which the official
// image sets alike.
func options(data string) []string {
	return []string{"--no-defaults", "--datadir=" + data, "--innodb-log-file-size=8M", "--character-set-server=utf8mb4"}
}

// localTemplate gives an initialised data directory, which costs a second to make. It is kept for other test binaries and
// for later runs, in a folder that only this user can write to.
func localTemplate(mariadbd, install string) (string, error) {
	version, err := exec.Command(mariadbd, "--no-defaults", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", mariadbd, err)
	}
	base := filepath.Join(os.TempDir(), fmt.Sprintf("instep-servertest-%d", os.Getuid()))
	if err := os.Mkdir(base, 0o711); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	if info, err := os.Lstat(base); err != nil || !info.IsDir() || info.Mode().Perm()&0o022 != 0 || !owned(info) {
		return "", fmt.Errorf("%s is not a folder that only this user can write to: remove it", base)
	}
	template := filepath.Join(base, fmt.Sprintf("mariadb-%x", sha256.Sum256(version))[:24])
	if _, err := os.Stat(template); err == nil {
		return template, nil
	}
	dir, err := os.MkdirTemp(base, "new")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	args := append(options(dir), "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
	if u := dropTo(); u != nil {
		args = append(args, "--user="+u.Username)
		if err := exec.Command("chown", u.Username, dir).Run(); err != nil {
			return "", err
		}
	}
	if out, err := exec.Command(install, args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", install, err, out)
	}
	if err := os.Rename(dir, template); err != nil {
		if _, statErr := os.Stat(template); statErr != nil { // another test binary was faster
			return "", err
		}
	}
	return template, nil
}

// dropTo gives the account that the server runs as when the test runs as root, which a server refuses; nil otherwise.
func dropTo() *user.User {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"mysql", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return u
		}
	}
	return nil
}

// look finds a program in PATH or where Debian keeps those that are for root.
func look(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + program)
	}
	return path, err
}
