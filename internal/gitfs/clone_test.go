package gitfs

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

// A cloneServer is git's own HTTP server for one repository with a work tree.
type cloneServer struct {
	*httptest.Server
	dir   string
	packs atomic.Int64 // that were asked for
	cut   atomic.Int64 // bytes of an answer with a pack after which the connection breaks; 0 for never
}

func newCloneServer(t *testing.T) *cloneServer {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("SKIPPED, NOT TESTED: no git on PATH: fetching clones needs git http-backend as the server")
	}
	s := &cloneServer{dir: t.TempDir()}
	s.git(t, "init", "-q", "-b", "main")
	s.git(t, "config", "uploadpack.allowAnySHA1InWant", "true") // as GitHub does
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{
		"GIT_PROJECT_ROOT=" + s.dir, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1"}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "token" {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/git-upload-pack") {
			s.packs.Add(1)
			if n := s.cut.Load(); n > 0 {
				w = &cutWriter{w, n}
			}
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// cutWriter breaks the connection in the middle of an answer.
type cutWriter struct {
	http.ResponseWriter
	left int64
}

func (w *cutWriter) Write(p []byte) (int, error) {
	if w.left -= int64(len(p)); w.left < 0 {
		panic(http.ErrAbortHandler)
	}
	return w.ResponseWriter.Write(p)
}

func (s *cloneServer) git(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes a file and gives the new commit.
func (s *cloneServer) commit(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	s.git(t, "add", "-A")
	s.git(t, "commit", "-q", "-m", name)
	return s.git(t, "rev-parse", "HEAD")
}

func (s *cloneServer) clone(t *testing.T) *Clone {
	return &Clone{Dir: filepath.Join(t.TempDir(), "clone.git"), URL: s.URL + "/.git", Token: func() (string, error) { return "token", nil }}
}

func (s *cloneServer) fetch(t *testing.T, c *Clone, commits ...string) *Remote {
	t.Helper()
	r, err := c.Connect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Fetch(context.Background(), commits...); err != nil {
		t.Fatal(err)
	}
	return r
}

// reads holds a clone to having a file at a commit.
func reads(t *testing.T, c *Clone, commit, name, want string) {
	t.Helper()
	repo, err := c.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	at, err := repo.Resolve(commit)
	if err != nil {
		t.Fatal(err)
	}
	got, err := fs.ReadFile(repo.FS(at), name)
	if err != nil || string(got) != want {
		t.Errorf("%s at %.10s is %.40q, %v; want %.40q", name, commit, got, err, want)
	}
}

func TestClone(t *testing.T) {
	s := newCloneServer(t)
	var lines strings.Builder // that do not pack well
	for i := range 3000 {
		fmt.Fprintf(&lines, "%x\n", sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
	}
	big := lines.String()
	one := s.commit(t, "big", big)
	s.git(t, "tag", "-a", "v3.99", "-m", "annotated")
	two := s.commit(t, "a", "two")
	s.git(t, "tag", "v3.110")
	s.commit(t, "a", "between")
	head := s.commit(t, "a", "head")
	s.git(t, "update-ref", "refs/pull/7/head", head)

	c := s.clone(t)
	r := s.fetch(t, c, one, head)
	if r.Ref("refs/tags/v3.99") != one || r.Ref("refs/tags/v3.110") != two || r.Ref("refs/pull/7/head") != head || r.Ref("refs/tags/none") != "" {
		t.Errorf("references: %v", r.refs.References)
	}
	if tags := r.Tags(); fmt.Sprint(tags) != "[v3.110 v3.99]" {
		t.Errorf("tags %v", tags)
	}
	reads(t, c, one, "big", big)
	reads(t, c, head, "big", big)
	reads(t, c, head, "a", "head")

	// What is here is not asked for again, and what is alike is not sent again.
	s.fetch(t, c, one, head)
	if n := s.packs.Load(); n != 1 {
		t.Errorf("%d packs were asked for, want 1", n)
	}
	before, _ := c.size()
	s.fetch(t, c, two, head) // no reference names it any more, if the tag goes
	reads(t, c, two, "a", "two")
	if after, _ := c.size(); after-before > 2500 {
		t.Errorf("%d bytes for one small file", after-before)
	}
	// A line less in the large file comes as a delta to that which is here.
	less := s.commit(t, "big", big[:len(big)-65])
	s.git(t, "update-ref", "refs/pull/8/head", less)
	s.git(t, "reset", "-q", "--hard", head)
	s.fetch(t, c, two, less)
	reads(t, c, less, "big", big[:len(big)-65])
	if out, err := exec.Command("git", "--git-dir", c.Dir, "fsck", "--no-dangling").CombinedOutput(); err != nil {
		t.Errorf("git fsck: %v\n%s", err, out)
	}

	// A commit that no reference names, as after a forced push.
	s.git(t, "reset", "-q", "--hard", "HEAD~1")
	s.git(t, "update-ref", "-d", "refs/pull/7/head")
	other := s.commit(t, "a", "other")
	s.git(t, "reset", "-q", "--hard", "v3.110")
	s.fetch(t, c, other)
	reads(t, c, other, "a", "other")

	if r, err := c.Connect(context.Background()); err != nil {
		t.Error(err)
	} else if err := r.Fetch(context.Background(), strings.Repeat("1", 40)); err == nil {
		t.Error("a commit that is nowhere is fetched")
	}
	reads(t, c, other, "a", "other")
}

// TestCloneBroken: a connection that breaks, and what a killed process leaves, do no harm.
func TestCloneBroken(t *testing.T) {
	s := newCloneServer(t)
	var text strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&text, "%d %x\n", i, i*i*7919)
	}
	one := s.commit(t, "a", text.String())
	c := s.clone(t)
	ctx := context.Background()
	r, err := c.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int64{1, 200, 5000, 50000} {
		s.cut.Store(n)
		if err := r.Fetch(ctx, one); err == nil {
			t.Fatalf("the answer was cut after %d bytes, and it is no error", n)
		}
	}
	s.cut.Store(0)
	for _, name := range []string{"objects/pack/tmp_pack_1", "objects/pack/tmp_idx_1", "tmp_1"} {
		if err := os.WriteFile(filepath.Join(c.Dir, name), []byte("half"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s.fetch(t, c, one)
	reads(t, c, one, "a", text.String())
	left, _ := filepath.Glob(filepath.Join(c.Dir, "objects/pack/*"))
	if tmp, _ := filepath.Glob(filepath.Join(c.Dir, "tmp*")); len(left) != 2 || len(tmp) != 0 {
		t.Errorf("%v and %v are left", left, tmp)
	}

	small := s.clone(t)
	small.MaxBytes = 20000
	if r, err = small.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	var large *TooLargeError
	if err := r.Fetch(ctx, one); !errors.As(err, &large) {
		t.Errorf("%v, want a *TooLargeError", err)
	}
}

// TestCloneStaysSmall: a clone with many commits is made anew.
func TestCloneStaysSmall(t *testing.T) {
	s := newCloneServer(t)
	c := s.clone(t)
	deployed := s.commit(t, "deployed", "d")
	s.fetch(t, c, deployed)
	held, err := c.held()
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxCloneCommits - 1 { // as if so many had been fetched
		held = append(held, plumbing.NewHash(fmt.Sprintf("%040x", i+1)))
	}
	if err := c.hold(held); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{2, 3, 4} {
		head := s.commit(t, "a", fmt.Sprint(i))
		s.fetch(t, c, deployed, head)
		reads(t, c, head, "a", fmt.Sprint(i))
		reads(t, c, deployed, "deployed", "d")
		if held, err = c.held(); len(held) != want || err != nil {
			t.Errorf("%d commits are here, %v; want %d", len(held), err, want)
		}
	}
}

func TestCloneRefusals(t *testing.T) {
	for _, u := range []string{"http://github.example/o/r.git", "file:///tmp/r", "git@github.com:o/r.git", "/tmp/r", "https://user:secret@github.com/o/r", "ext::sh -c id", ""} {
		c := &Clone{Dir: t.TempDir(), URL: u}
		if _, err := c.Connect(context.Background()); err == nil || !strings.Contains(err.Error(), "no https address") {
			t.Errorf("%q: %v", u, err)
		}
	}
	s := newCloneServer(t)
	s.commit(t, "a", "a")
	c := s.clone(t)
	c.Token = func() (string, error) { return "wrong", nil }
	if _, err := c.Connect(context.Background()); err == nil || strings.Contains(err.Error(), "wrong") {
		t.Errorf("with a wrong token: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.clone(t).Connect(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestCloneRedirect: a server that sends elsewhere does not send the token there.
func TestCloneRedirect(t *testing.T) {
	s := newCloneServer(t)
	one := s.commit(t, "a", "a")
	var heard atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			heard.Add(1)
		}
		r.SetBasicAuth("x", "token") // to go on, so that the second request is seen too
		s.Config.Handler.ServeHTTP(w, r)
	}))
	defer other.Close()
	moved := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.RequestURI(), http.StatusMovedPermanently)
	}))
	defer moved.Close()
	for _, host := range []string{"127.0.0.1", "localhost"} {
		c := s.clone(t)
		c.URL = strings.Replace(moved.URL, "127.0.0.1", host, 1) + "/.git"
		r, err := c.Connect(context.Background())
		if err == nil {
			err = r.Fetch(context.Background(), one)
		}
		if err != nil {
			t.Error(err)
		}
		if heard.Load() != 0 {
			t.Errorf("another server has heard the token %d times", heard.Load())
		}
	}
}

// TestCloneLargeFile: a file that no reader takes is not fetched, and keeps nobody from reading the others.
func TestCloneLargeFile(t *testing.T) {
	s := newCloneServer(t)
	s.git(t, "config", "uploadpack.allowFilter", "true")
	one := s.commit(t, "a", "a")
	large := filepath.Join(s.dir, "large")
	if err := os.WriteFile(large, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 60<<20); err != nil {
		t.Fatal(err)
	}
	two := s.commit(t, "b", "b")
	c := s.clone(t)
	for _, commits := range [][]string{{two}, {one, two}} { // as a pack, and with what is here
		if err := c.Remove(); err != nil {
			t.Fatal(err)
		}
		if len(commits) > 1 {
			s.fetch(t, c, one)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s.fetch(t, c, commits...)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 60<<20 {
			t.Errorf("%d bytes for a file that is not read", n)
		}
		reads(t, c, two, "b", "b")
		repo, err := c.Open()
		if err != nil {
			t.Fatal(err)
		}
		at, err := repo.Resolve(two)
		if err != nil {
			t.Fatal(err)
		}
		var missing *MissingObjectError
		if _, err := fs.ReadFile(repo.FS(at), "large"); !errors.As(err, &missing) || missing.Path != "large" {
			t.Errorf("the large file: %v", err)
		}
		if files, err := repo.FS(at).Files(); fmt.Sprint(files) != "[a b large]" || err != nil {
			t.Errorf("files %v, %v", files, err)
		}
		repo.Close()
	}
}

// TestCloneBound: deltas that unfold to more than the bound do not fill the disk, and the clone is made anew.
func TestCloneBound(t *testing.T) {
	s := newCloneServer(t)
	noise := make([]byte, 400_000)
	for i := 0; i < len(noise); i += sha256.Size {
		sum := sha256.Sum256([]byte(fmt.Sprint(i)))
		copy(noise[i:], sum[:])
	}
	one := s.commit(t, "a", string(noise))
	for i := range 30 {
		if err := os.WriteFile(filepath.Join(s.dir, fmt.Sprint("b", i)), append(noise, byte(i)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	two := s.commit(t, "c", "c")
	c := s.clone(t)
	c.MaxBytes = 3_000_000
	s.fetch(t, c, one)
	r, err := c.Connect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var large *TooLargeError
	if err := r.Fetch(context.Background(), one, two); err == nil || errors.As(err, &large) {
		t.Errorf("%v, want an error after which another try is of use", err)
	}
	if n, err := c.size(); err == nil && n > c.MaxBytes {
		t.Errorf("the clone has %d bytes, more than %d", n, c.MaxBytes)
	}
	s.fetch(t, c, one, two)
	reads(t, c, two, "b29", string(noise)+"\x1d")
	if n, err := c.size(); err != nil || n > c.MaxBytes {
		t.Errorf("the clone has %d bytes, more than %d; %v", n, c.MaxBytes, err)
	}
}
