package simulate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/ory/dockertest/v3"
	dc "github.com/ory/dockertest/v3/docker"

	"instep/analyzer/schema"
)

// Docker runs a server in a container. It expects an image that behaves like the official ones of MySQL and MariaDB: its
// entrypoint fills an empty /var/lib/mysql, takes MYSQL_ROOT_PASSWORD and the server's options, and starts on a root file system
// that is read-only. Bitnami's images do not.
var Docker = &Engine{
	Name:  "docker",
	Doc:   "a container of the official image of the configured server, or of --image, on a network without a way out",
	Start: startDocker,
	Sweep: sweepDocker,
}

const (
	gib = 1 << 30
	mib = 1 << 20

	dockerDisk    = 4 * gib           // what a server may fill by default
	dockerExtra   = gib + gib/2       // the memory that it has by default beyond its disk, which is memory too
	dockerLeast   = 512 * mib         // of disk: an empty server takes some 200 MiB
	dockerNeeds   = 768 * mib         // of memory beyond the disk: MySQL with performance_schema takes some 500 MiB
	dockerPatient = 180 * time.Second // to the first answer: the official image makes its data directory first
)

func startDocker(ctx context.Context, o EngineOptions) (*Server, error) {
	client, endpoint, err := dockerClient(ctx)
	if err != nil {
		return nil, err
	}
	d := &docker{client: client, endpoint: endpoint, keep: o.Keep, owner: thisOwner(), limit: runLimit}
	if d.keep {
		// Its owner does not matter any more once it is there.
		d.owner, d.limit = "", keptLimit
	}
	if err := d.bounds(o); err != nil {
		return nil, err
	}
	if err := d.provide(ctx, o); err != nil {
		return nil, err
	}
	s, err := d.start(ctx, false)
	if errors.Is(err, errDockerUnreachable) {
		s, err = d.start(ctx, true)
	}
	if errors.Is(err, errDockerUnreachable) {
		return nil, &UnavailableError{
			Tried:   fmt.Sprintf("docker: the engine at %s runs containers where neither their addresses nor the ports of its 127.0.0.1 can be reached from here", endpoint),
			Provide: "run instep on the engine's machine, or start a server yourself and give --engine dsn",
		}
	}
	return s, err
}

// dockerClient connects to the engine.
func dockerClient(ctx context.Context) (client *dc.Client, endpoint string, err error) {
	pool, err := dockertest.NewPool("")
	if err != nil {
		endpoint = os.Getenv("DOCKER_HOST")
		return nil, endpoint, &UnavailableError{
			Tried:   fmt.Sprintf("docker: %s: %v", endpoint, err),
			Provide: dockerProvide(err),
		}
	}
	endpoint = pool.Client.Endpoint()
	ping, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := pool.Client.PingWithContext(ping); err != nil {
		if ctx.Err() != nil {
			return nil, endpoint, context.Cause(ctx)
		}
		return nil, endpoint, &UnavailableError{
			Tried:   fmt.Sprintf("docker: no engine answers at %s (%s)", endpoint, dockerCause(err)),
			Provide: dockerProvide(err),
		}
	}
	return pool.Client, endpoint, nil
}

// dockerCause says in few words why an engine does not answer.
func dockerCause(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such socket"
	case errors.Is(err, dc.ErrConnectionRefused):
		return "connection refused"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer within 5 s"
	}
	text := err.Error()
	return fmt.Sprintf("%.200s", strings.Join(strings.Fields(printable(text[strings.LastIndex(text, ": ")+1:])), " "))
}

// dockerProvide gives the command that would provide an engine.
func dockerProvide(err error) string {
	_, lookErr := exec.LookPath("docker")
	switch {
	case os.Getenv("DOCKER_HOST") != "":
		return "unset DOCKER_HOST"
	case lookErr == nil && dockerContexts() && runtime.GOOS != "windows":
		// The engine is likely where the current context says.
		return "export DOCKER_HOST=$(docker context inspect --format '{{.Endpoints.docker.Host}}')"
	case errors.Is(err, fs.ErrPermission) && runtime.GOOS == "linux":
		return "sudo usermod -aG docker $USER && newgrp docker"
	case runtime.GOOS == "darwin" && lookErr == nil:
		return "open -a Docker"
	case runtime.GOOS == "darwin":
		return "brew install --cask docker"
	case runtime.GOOS == "windows":
		return "winget install Docker.DockerDesktop"
	case lookErr == nil:
		return "sudo systemctl start docker"
	}
	return "sudo apt-get install docker.io"
}

// dockerContexts tells whether the user has Docker contexts (rootless, Colima, Docker Desktop), which dockertest does not read.
func dockerContexts() bool {
	dir := os.Getenv("DOCKER_CONFIG")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return false
		}
		dir = filepath.Join(home, ".docker")
	}
	found, _ := filepath.Glob(filepath.Join(dir, "contexts", "meta", "*"))
	return len(found) > 0
}

// bounds settles how much memory and disk the server may take.
func (d *docker) bounds(o EngineOptions) error {
	d.disk, d.memory = o.MaxDisk, o.MaxMemory
	most := int64(1 << 62)
	if info, err := d.client.Info(); err == nil && info.MemTotal > 0 {
		most = info.MemTotal / 4 * 3 // the machine, or Docker Desktop's, needs some too
	}
	if d.memory == 0 {
		if d.disk == 0 {
			d.disk = max(dockerLeast, min(dockerDisk, most-dockerExtra))
		}
		d.memory = d.disk + dockerExtra
	} else if d.disk == 0 {
		d.disk = max(dockerLeast, min(dockerDisk, d.memory-dockerExtra))
	}
	switch {
	case d.disk < dockerLeast:
		return fmt.Errorf("a server needs a disk of %s, and is given %s", dockerSize(dockerLeast), dockerSize(d.disk))
	case d.memory < d.disk+dockerNeeds:
		return fmt.Errorf("a server with a disk of %s, which is kept in memory, needs %s of memory, and is given %s",
			dockerSize(d.disk), dockerSize(d.disk+dockerNeeds), dockerSize(d.memory))
	}
	return nil
}

func dockerSize(n int64) string {
	if n%gib == 0 || n > 4*gib {
		return fmt.Sprintf("%.4g GiB", float64(n)/gib)
	}
	return fmt.Sprintf("%d MiB", n/mib)
}

// dockerImage gives the official image of a server.
func dockerImage(v schema.Server) string {
	if v == (schema.Server{}) {
		return "mysql:8.4"
	}
	name := "mysql"
	if v.MariaDB {
		name = "mariadb"
	}
	// The newest of the series, though the patch may be known: an image that is there has rarely just that.
	return fmt.Sprintf("%s:%d.%d", name, v.Major, v.Minor)
}

// provide makes sure that the image is there. One that is there is taken as it is; another is pulled.
func (d *docker) provide(ctx context.Context, o EngineOptions) error {
	name := o.Image
	if name == "" {
		name = dockerImage(o.Configured)
	}
	image, err := d.client.InspectImage(name)
	if errors.Is(err, dc.ErrNoSuchImage) {
		if err := d.pull(ctx, name); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("there is no Docker image %s here, and it cannot be pulled (%s): run docker pull %s, or name one that is here with --image",
				name, dockerCause(err), name)
		}
		d.notes = append(d.notes, "docker: the image "+name+" was pulled")
		image, err = d.client.InspectImage(name)
	}
	if err != nil {
		return fmt.Errorf("the Docker image %s: %w", name, err)
	}
	d.image = name
	if image.Config != nil {
		d.command = append(append(d.command, image.Config.Entrypoint...), image.Config.Cmd...)
	}
	if len(d.command) == 0 {
		return fmt.Errorf("the Docker image %s says nothing of what it runs: it is no database server's", name)
	}
	return nil
}

func (d *docker) pull(ctx context.Context, name string) error {
	repository, tag := dc.ParseRepositoryTag(name)
	if strings.Contains(name, "@") { // a digest is no tag
		repository, tag = name, ""
	} else if tag == "" {
		tag = "latest" // without one, all would be pulled
	}
	var auth dc.AuthConfiguration
	if registry, _, ok := strings.Cut(repository, "/"); ok && strings.Count(repository, "/") >= 2 {
		if a, err := dc.NewAuthConfigurationsFromCredsHelpers(registry); err == nil {
			auth = *a
		}
	}
	return d.client.PullImage(dc.PullImageOptions{Repository: repository, Tag: tag, InactivityTimeout: 2 * time.Minute, Context: ctx}, auth)
}
