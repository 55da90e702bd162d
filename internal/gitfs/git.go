package gitfs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// gitTimeout bounds every plumbing command. Fetches are bounded by their caller.
const gitTimeout = 60 * time.Second

// gitBinary runs plumbing commands of the git binary in a repository. It finds the repository as git does, so that
// git's own check of safe.directory holds: nothing is overridden there.
type gitBinary struct {
	dir string

	mu    sync.Mutex
	fetch bool // missing objects may be fetched
	batch *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
}

// gitFlags keep git from running anything that a repository's configuration names.
var gitFlags = []string{
	"--no-pager", "--literal-pathspecs",
	"-c", "core.fsmonitor=false",
	"-c", "core.hooksPath=/dev/null",
	"-c", "core.untrackedCache=false",
	"-c", "core.alternateRefsCommand=true",
	"-c", "gc.auto=0",
	"-c", "maintenance.auto=false",
	"-c", "submodule.recurse=false",
}

// command makes a command in the hardened environment. With network, git may talk to remotes with the user's
// credentials; otherwise no transport is allowed at all, which also stops the lazy fetching of versions that do not
// know GIT_NO_LAZY_FETCH (before 2.45).
func (g *gitBinary) command(ctx context.Context, network bool, args ...string) (*exec.Cmd, error) {
	path, err := exec.LookPath("git")
	if err != nil {
		return nil, fmt.Errorf("this repository needs the git binary, which is not installed: %w", err)
	}
	cmd := exec.CommandContext(ctx, path, append(append([]string{}, gitFlags...), args...)...)
	cmd.Dir = g.dir
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		switch {
		case !strings.HasPrefix(name, "GIT_"), strings.HasPrefix(name, "GIT_CONFIG_"):
			cmd.Env = append(cmd.Env, kv)
		case network && (strings.HasPrefix(name, "GIT_SSH") || strings.HasPrefix(name, "GIT_HTTP") || strings.HasPrefix(name, "GIT_SSL") ||
			name == "GIT_ASKPASS" || name == "GIT_PROXY_COMMAND" || name == "GIT_ALLOW_PROTOCOL"):
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_NO_REPLACE_OBJECTS=1")
	if !network {
		cmd.Env = append(cmd.Env, "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none", "GIT_ASKPASS=", "SSH_ASKPASS=")
	}
	return cmd, nil
}

// run gives the output of a plumbing command.
func (g *gitBinary) run(args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), gitTimeout)
	defer cancel()
	cmd, err := g.command(ctx, false, args...)
	if err != nil {
		return nil, err
	}
	return output(cmd, args[0])
}

func output(cmd *exec.Cmd, what string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		msg := strings.TrimSpace(stderr.String())
		if msg == "" {
			msg = err.Error()
		}
		return stdout.Bytes(), fmt.Errorf("git %s: %s", what, msg)
	}
	return stdout.Bytes(), nil
}

// allowFetch lets later reads fetch what is missing.
func (g *gitBinary) allowFetch() {
	g.close()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fetch = true
}

// object reads an object through one long-lived "git cat-file --batch".
func (g *gitBinary) object(id oid) (plumbing.ObjectType, []byte, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.batch == nil {
		if err := g.start(); err != nil {
			return 0, nil, err
		}
	}
	kind, data, err := g.ask(id)
	if err != nil && !errors.Is(err, errNotFound) {
		g.stop() // the conversation is out of step
	}
	return kind, data, err
}

func (g *gitBinary) start() error {
	cmd, err := g.command(context.Background(), g.fetch, "cat-file", "--batch")
	if err != nil {
		return err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	g.batch, g.in, g.out = cmd, in, bufio.NewReader(out)
	return nil
}

func (g *gitBinary) ask(id oid) (plumbing.ObjectType, []byte, error) {
	if _, err := fmt.Fprintf(g.in, "%s\n", id); err != nil {
		return 0, nil, err
	}
	line, err := g.out.ReadString('\n')
	if err != nil {
		return 0, nil, err
	}
	fields := strings.Fields(line) // "<name> <type> <size>" or "<name> missing"
	if len(fields) == 2 && fields[1] == "missing" {
		return 0, nil, errNotFound
	}
	if len(fields) != 3 {
		return 0, nil, fmt.Errorf("git cat-file: %q", line)
	}
	kind, err := plumbing.ParseObjectType(fields[1])
	if err != nil {
		return 0, nil, err
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil {
		return 0, nil, err
	}
	if size > maxObject {
		return 0, nil, ErrTooLarge
	}
	data := make([]byte, size+1)
	if _, err := io.ReadFull(g.out, data); err != nil {
		return 0, nil, err
	}
	return kind, data[:size], nil
}

func (g *gitBinary) stop() {
	if g.batch != nil {
		g.in.Close()
		g.batch.Process.Kill()
		g.batch.Wait()
		g.batch = nil
	}
}

func (g *gitBinary) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stop()
}

// resolveByGit leaves a revision to git rev-parse.
func (r *Repo) resolveByGit(rev, name string) (Commit, error) {
	out, err := r.git.run("rev-parse", "--verify", "--end-of-options", rev+"^{commit}")
	if err == nil {
		if id, ok := parseOID(strings.TrimSpace(string(out)), r.hashLen); ok {
			c, err := r.commit(id)
			c.Rev = rev
			return c, err
		}
	}
	if remote := r.remote(); remote != "" && err != nil && validRef(name) {
		out, again := r.git.run("rev-parse", "--verify", "--end-of-options", "refs/remotes/"+remote+"/"+rev+"^{commit}")
		if id, ok := parseOID(strings.TrimSpace(string(out)), r.hashLen); again == nil && ok {
			c, err := r.commit(id)
			c.Rev = rev
			return c, err
		}
	}
	if err != nil && strings.Contains(err.Error(), "Needed a single revision") && validRef(name) {
		return Commit{}, r.notFound(rev, name)
	}
	if err == nil {
		err = errors.New("git rev-parse gave no commit")
	}
	return Commit{}, fmt.Errorf("%s: %w", rev, err)
}

// Fetch brings a revision from the remote with the git binary and the user's credentials, by the command that the
// revision's *NotFoundError prints. It writes into the repository: call it only when the user asked for it.
func (r *Repo) Fetch(ctx context.Context, rev string) error {
	name, _, _ := splitRev(rev)
	if name == "" || name[0] == '-' {
		return fmt.Errorf("%q is not a revision", rev)
	}
	args := r.fetchArgs(name)
	if args == nil {
		return fmt.Errorf("%s: the repository has no remote to fetch it from", rev)
	}
	for _, a := range args {
		if strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--") {
			return fmt.Errorf("%q is not a revision", rev)
		}
	}
	cmd, err := r.git.command(ctx, true, append([]string{"fetch", "--quiet", "--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head"}, args...)...)
	if err != nil {
		return err
	}
	_, err = output(cmd, "fetch")
	r.git.close()
	r.objects.reload()
	r.mu.Lock()
	r.packed, r.shallow = nil, nil
	r.mu.Unlock()
	return err
}
