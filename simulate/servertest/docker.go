package servertest

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/ory/dockertest/v3"
	dc "github.com/ory/dockertest/v3/docker"
)

// label marks the containers of this package. Its value is the process that started it.
const label = "instep.servertest"

// owner names a process. An id alone says nothing to those who share the engine from another container.
func owner(pid int) string {
	namespace, _ := os.Readlink("/proc/self/ns/pid")
	return fmt.Sprintf("%d@%s", pid, namespace)
}

// startDocker starts a container of a local image whose port is open on 127.0.0.1 only. Nothing is ever pulled.
func startDocker(repository, tag string) (*Server, error) {
	pool, err := dockertest.NewPool("")
	if err != nil {
		return nil, missing{"no Docker engine: " + err.Error()}
	}
	if err := pool.Client.Ping(); err != nil {
		return nil, missing{"no Docker engine answers: " + err.Error()}
	}
	image := repository + ":" + tag
	if _, err := pool.Client.InspectImage(image); errors.Is(err, dc.ErrNoSuchImage) {
		return nil, missing{"no Docker image " + image + " (run .ci/build-images)"}
	} else if err != nil {
		return nil, err
	}
	sweep(pool)
	s := &Server{Network: "tcp", User: "root", Password: rand.Text()}
	r, err := pool.RunWithOptions(&dockertest.RunOptions{
		Repository: repository,
		Tag:        tag,
		Env:        []string{"MYSQL_ROOT_PASSWORD=" + s.Password},
		// What changes the meaning of statements stays at the server's defaults: only durability is given up.
		Cmd:          []string{"--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0", "--innodb-doublewrite=0", "--character-set-server=utf8mb4"},
		Labels:       map[string]string{label: owner(os.Getpid())},
		PortBindings: map[dc.Port][]dc.PortBinding{"3306/tcp": {{HostIP: "127.0.0.1", HostPort: "0"}}},
	}, func(hc *dc.HostConfig) {
		hc.PublishAllPorts = false // it would open every port to every address
		hc.Tmpfs = map[string]string{"/var/lib/mysql": "rw,size=2g"}
	})
	if err != nil {
		return nil, fmt.Errorf("running %s: %w", image, err)
	}
	watch(s, r.Container.ID)
	s.Addr = "127.0.0.1:" + r.GetPort("3306/tcp")
	looked := time.Now()
	err = s.wait(60*time.Second, func() error {
		if time.Since(looked) < 500*time.Millisecond {
			return nil
		}
		looked = time.Now()
		c, err := pool.Client.InspectContainer(r.Container.ID)
		if err != nil {
			return err
		}
		if !c.State.Running {
			return fmt.Errorf("the container of %s ended:\n%s", image, logs(pool, r.Container.ID))
		}
		return nil
	})
	if err != nil {
		pool.Purge(r)
		return nil, err
	}
	return s, nil
}

// watch starts a process that removes the container when this one ends, however that happens. It needs Docker's command;
// without it the container stays until the next sweep.
func watch(s *Server, id string) {
	docker, err := exec.LookPath("docker")
	if err != nil {
		return
	}
	cmd := exec.Command("sh", "-c", `cat >/dev/null; "$1" rm -f -v "$2" >/dev/null 2>&1`, "sh", docker, id)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return
	}
	if cmd.Start() == nil {
		s.stdin = stdin
	}
}

// sweep removes the containers that ended test binaries left behind. Errors do not matter: the next run tries again.
func sweep(pool *dockertest.Pool) {
	containers, err := pool.Client.ListContainers(dc.ListContainersOptions{All: true, Filters: map[string][]string{"label": {label}}})
	if err != nil {
		return
	}
	for _, c := range containers {
		id, _, _ := strings.Cut(c.Labels[label], "@")
		pid, err := strconv.Atoi(id)
		if err != nil || c.Labels[label] != owner(pid) || alive(pid) {
			continue
		}
		pool.Client.RemoveContainer(dc.RemoveContainerOptions{ID: c.ID, Force: true, RemoveVolumes: true})
	}
}

// alive tells whether a process runs on this machine. Where that cannot be seen, it is taken to.
func alive(pid int) bool {
	if _, err := os.Stat("/proc/self"); err != nil {
		return true
	}
	_, err := os.Stat("/proc/" + strconv.Itoa(pid))
	return err == nil
}

// logs gives the end of what a container printed.
func logs(pool *dockertest.Pool, id string) string {
	var b bytes.Buffer
	err := pool.Client.Logs(dc.LogsOptions{Container: id, OutputStream: &b, ErrorStream: &b, Stdout: true, Stderr: true, Tail: "30"})
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}
