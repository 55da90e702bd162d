package gitfs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
)

// needGit skips without the git binary, loudly: every test here makes its repositories with it.
func needGit(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: the git binary is not installed, so gitfs is not tested here")
	}
}

// A sandbox is a git repository in a folder of its own.
type sandbox struct {
	t   testing.TB
	dir string
	n   int // commits, for their dates
}

// git runs the git binary as a user would, away from the machine's configuration.
func (s *sandbox) git(args ...string) string {
	s.t.Helper()
	out, err := s.try(args...)
	if err != nil {
		s.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

func (s *sandbox) try(args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = s.dir
	date := time.Unix(1_700_000_000+int64(s.n)*3600, 0).UTC().Format(time.RFC3339)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.org",
		"GIT_AUTHOR_DATE="+date, "GIT_COMMITTER_DATE="+date)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func initRepo(t testing.TB, args ...string) *sandbox {
	t.Helper()
	needGit(t)
	s := &sandbox{t: t, dir: filepath.Join(t.TempDir(), "repo")}
	if err := os.Mkdir(s.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	s.git(append([]string{"init", "-q", "-b", "main"}, args...)...)
	return s
}

// write makes files; the content of "a -> b" is a symbolic link.
func (s *sandbox) write(files map[string]string) {
	s.t.Helper()
	for name, text := range files {
		full := filepath.Join(s.dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o777); err != nil {
			s.t.Fatal(err)
		}
		os.Remove(full)
		var err error
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			err = os.Symlink(target, full)
		} else {
			err = os.WriteFile(full, []byte(text), 0o666)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *sandbox) commit(msg string, files map[string]string) string {
	s.t.Helper()
	s.n++
	s.write(files)
	s.git("add", "-A")
	s.git("commit", "-q", "--allow-empty", "-m", msg)
	return s.git("rev-parse", "HEAD")
}

func open(t testing.TB, dir string) *Repo {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func resolve(t testing.TB, r *Repo, rev string) Commit {
	t.Helper()
	c, err := r.Resolve(rev)
	if err != nil {
		t.Fatalf("Resolve(%q): %v", rev, err)
	}
	return c
}

func readFile(t testing.TB, fsys fs.FS, name string) string {
	t.Helper()
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// sample has two releases, a branch, tags of both kinds and a merge.
func sample(t testing.TB, args ...string) *sandbox {
	s := initRepo(t, args...)
	big := strings.Repeat("a line that compresses well\n", 3000)
	s.commit("one", map[string]string{"README": "one\n", "db/001_a.sql": "CREATE TABLE a (id int);\n", "big.txt": big})
	s.git("tag", "v1.0")
	s.commit("two", map[string]string{"db/002_b.sql": "CREATE TABLE b (id int);\n", "big.txt": big + "more\n"})
	s.git("tag", "-a", "-m", "release", "v1.1")
	s.git("tag", "-a", "-m", "a tag of a tag", "v1.1-final", "v1.1")
	s.git("checkout", "-q", "-b", "side", "v1.0")
	s.commit("side", map[string]string{"side.txt": "side\n"})
	s.git("checkout", "-q", "main")
	s.n++
	s.git("merge", "-q", "--no-ff", "-m", "merge", "side")
	s.commit("four", map[string]string{"README": "four\n"})
	return s
}

func TestResolve(t *testing.T) {
	s := sample(t)
	s.git("branch", "feature/x", "v1.0")
	s.git("branch", "both", "v1.0")
	s.git("tag", "both", "v1.1")
	s.git("tag", "blob", "HEAD:README")
	s.git("update-ref", "refs/remotes/origin/topic", "v1.1^{}")
	s.git("remote", "add", "origin", "https://example.org/x.git")
	check := func(t *testing.T, r *Repo) {
		full := s.git("rev-parse", "HEAD")
		for _, rev := range []string{
			"v1.0", "v1.1", "v1.1-final", "tags/v1.1", "refs/tags/v1.1", "main", "heads/main", "refs/heads/main", "HEAD", "@",
			"HEAD~", "HEAD~1", "HEAD^", "HEAD~1^2", "HEAD~1^2~1", "HEAD^1^1", "v1.1^{}", "v1.1^0", "v1.1^{commit}~1", "HEAD~2",
			"feature/x", "both", "origin/topic", "side", full, full[:7], full[:12], strings.ToUpper(full[:9]), "v1.1-3-g" + full[:8],
			"main@{0}", "HEAD^{/two}", "v1.1^@^{}~0",
		} {
			want, err := s.try("rev-parse", "--verify", "-q", rev+"^{commit}")
			got, gotErr := r.Resolve(rev)
			if (err != nil) != (gotErr != nil) || err == nil && got.ID != strings.TrimSpace(want[strings.LastIndex(strings.TrimSpace(want), "\n")+1:]) {
				t.Errorf("Resolve(%q) = %s, %v; git says %s", rev, got.ID, gotErr, want)
			}
			if gotErr == nil && (got.Rev != rev || got.Time.Unix() < 1_700_000_000) {
				t.Errorf("Resolve(%q) = %+v", rev, got)
			}
		}
		if got := resolve(t, r, "topic"); got.ID != s.git("rev-parse", "v1.1^{}") {
			t.Errorf("a branch of the remote under its short name: %s", got.ID)
		}
		for _, rev := range []string{"", "-x", "nothing", "v1.0~9", "HEAD^3", "blob", "../config", "refs/heads", "feature", "HEAD:README", "a..b", "x y", strings.Repeat("0", 40)} {
			if c, err := r.Resolve(rev); err == nil {
				t.Errorf("Resolve(%q) = %s, want an error", rev, c.ID)
			}
		}
	}
	t.Run("loose", func(t *testing.T) { check(t, open(t, s.dir)) })
	t.Run("by git alone", func(t *testing.T) { // as with a reftable, which not every git can make
		r := open(t, s.dir)
		r.refFiles = false
		check(t, r)
		tags, err := r.Tags("v*")
		if err != nil || len(tags) != 3 || tags[2].ID != s.git("rev-parse", "v1.1^{}") {
			t.Errorf("Tags = %v, %v", tags, err)
		}
		s.git("remote", "set-url", "origin", "https://example.org/y.git")
		var nf *NotFoundError
		if _, err := r.Resolve("v9.9"); !errors.As(err, &nf) || nf.Fix != "git fetch origin tag v9.9 --no-tags" {
			t.Errorf("a missing tag: %v", err)
		}
	})
	s.git("pack-refs", "--all")
	s.git("gc", "-q")
	t.Run("packed", func(t *testing.T) { check(t, open(t, s.dir)) })
	t.Run("subfolder", func(t *testing.T) { check(t, open(t, filepath.Join(s.dir, "db"))) })
	t.Run("dotgit", func(t *testing.T) { check(t, open(t, filepath.Join(s.dir, ".git"))) })
}

func TestMissingRef(t *testing.T) {
	s := sample(t)
	r := open(t, s.dir)
	_, err := r.Resolve("v3.110")
	var nf *NotFoundError
	if !errors.As(err, &nf) || nf.Fix != "" {
		t.Errorf("without a remote: %v", err)
	}
	s.git("remote", "add", "upstream", "https://example.org/x.git")
	sha := "0123456789012345678901234567890123456789"
	for rev, want := range map[string]string{
		"v3.110":           "git fetch upstream tag v3.110 --no-tags",
		"v3.110~2":         "git fetch upstream tag v3.110 --no-tags",
		"boulder-2024.1":   "git fetch upstream tag boulder-2024.1 --no-tags",
		"tags/odd":         "git fetch upstream tag odd --no-tags",
		"feature/x":        "git fetch --no-tags upstream +refs/heads/feature/x:refs/remotes/upstream/feature/x",
		"upstream/develop": "git fetch --no-tags upstream +refs/heads/develop:refs/remotes/upstream/develop",
		"a'b$c":            `git fetch --no-tags upstream '+refs/heads/a'\''b$c:refs/remotes/upstream/a'\''b$c'`,
		sha:                "git fetch --no-tags upstream " + sha,
		"0123abcd":         "git fetch upstream",
	} {
		r := open(t, s.dir)
		_, err := r.Resolve(rev)
		if !errors.As(err, &nf) || nf.Fix != want {
			t.Errorf("Resolve(%q): %v\nwant %s", rev, err, want)
		}
	}
	empty := initRepo(t)
	if _, err := open(t, empty.dir).Resolve("HEAD"); err == nil || !strings.Contains(err.Error(), "no commit yet") {
		t.Errorf("HEAD of an empty repository: %v", err)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); !errors.Is(err, ErrNotRepository) {
		t.Errorf("Open of a plain folder: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of nothing: %v", err)
	}
	s := sample(t)
	s.git("config", "core.repositoryformatversion", "1")
	s.git("config", "extensions.fromTheFuture", "true")
	if _, err := Open(s.dir); err == nil || !strings.Contains(err.Error(), "fromthefuture") && !strings.Contains(err.Error(), "fromTheFuture") {
		t.Errorf("unknown extension: %v", err)
	}
}

// compare checks the FS of a revision against what git says is in it.
func compare(t *testing.T, s *sandbox, r *Repo, rev string) {
	t.Helper()
	fsys := r.FS(resolve(t, r, rev))
	files, err := fsys.Files()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.SplitSeq(strings.TrimSuffix(s.git("ls-tree", "-rz", rev), "\x00"), "\x00") {
		meta, name, _ := strings.Cut(line, "\t")
		f := strings.Fields(meta)
		if f[1] != "blob" {
			continue
		}
		want = append(want, name)
		if f[0] == "120000" {
			continue
		}
		if hash, ok := fsys.BlobHash(name); !ok || hash != f[2] {
			t.Errorf("BlobHash(%q) = %s, want %s", name, hash, f[2])
		}
		out, err := exec.Command("git", "-C", s.dir, "cat-file", "blob", f[2]).Output()
		if err != nil {
			t.Fatal(err)
		}
		info, err := fs.Stat(fsys, name) // before reading, so that the size is not known from the content
		if err != nil || info.Size() != int64(len(out)) {
			t.Errorf("Stat(%q) = %v, %v; want size %d", name, info, err, len(out))
		}
		if got := readFile(t, fsys, name); got != string(out) {
			t.Errorf("%s: content differs: %d bytes, want %d", name, len(got), len(out))
		}
	}
	slices.Sort(want)
	if !slices.Equal(files, want) {
		t.Errorf("Files() = %q\nwant %q", files, want)
	}
	if err := fstest.TestFS(fsys, want...); err != nil {
		t.Error(err)
	}
}

// TestFormats reads one history from every kind of repository.
func TestFormats(t *testing.T) {
	revs := []string{"v1.0", "v1.1", "HEAD", "HEAD~1"}
	all := func(t *testing.T, s *sandbox, dir string) {
		t.Helper()
		for _, rev := range revs {
			compare(t, s, open(t, dir), rev)
		}
	}
	t.Run("loose objects", func(t *testing.T) { s := sample(t); all(t, s, s.dir) })
	t.Run("pack", func(t *testing.T) {
		s := sample(t)
		s.git("gc", "-q", "--aggressive")
		all(t, s, s.dir)
	})
	t.Run("pack with reference deltas", func(t *testing.T) {
		s := sample(t)
		s.git("-c", "repack.useDeltaBaseOffset=false", "repack", "-q", "-adf")
		all(t, s, s.dir)
	})
	t.Run("old pack index", func(t *testing.T) {
		s := sample(t)
		s.git("-c", "pack.indexVersion=1", "repack", "-q", "-adf")
		all(t, s, s.dir)
	})
	t.Run("sha256", func(t *testing.T) {
		s := sample(t, "--object-format=sha256")
		all(t, s, s.dir)
		s.git("gc", "-q")
		all(t, s, s.dir)
	})
	t.Run("reftable", func(t *testing.T) {
		needGit(t)
		probe := &sandbox{t: t, dir: t.TempDir()}
		if out, err := probe.try("init", "-q", "--ref-format=reftable", "x"); err != nil {
			t.Skipf("SKIPPED: this git makes no reftables (2.45 does): %s", out)
		}
		s := sample(t, "--ref-format=reftable")
		all(t, s, s.dir)
		if tags, err := open(t, s.dir).Tags("v*"); err != nil || len(tags) != 3 {
			t.Errorf("Tags = %v, %v", tags, err)
		}
	})
	t.Run("bare", func(t *testing.T) {
		s := sample(t)
		bare := filepath.Join(t.TempDir(), "bare.git")
		s.git("clone", "-q", "--bare", s.dir, bare)
		all(t, s, bare)
		if r := open(t, bare); !r.Bare() || r.Dir() != bare {
			t.Errorf("Bare() = %v, Dir() = %s", r.Bare(), r.Dir())
		}
	})
	t.Run("bare without config", func(t *testing.T) {
		s := sample(t)
		bare := filepath.Join(t.TempDir(), "bare.git")
		s.git("clone", "-q", "--bare", s.dir, bare)
		os.Remove(filepath.Join(bare, "config"))
		all(t, s, bare)
	})
	t.Run("alternates", func(t *testing.T) {
		s := sample(t)
		dir := filepath.Join(t.TempDir(), "clone")
		s.git("clone", "-q", "--shared", s.dir, dir)
		again := filepath.Join(t.TempDir(), "clone")
		s.git("clone", "-q", "--shared", dir, again)
		all(t, s, again)
	})
	t.Run("linked work tree", func(t *testing.T) {
		s := sample(t)
		dir := filepath.Join(t.TempDir(), "linked")
		s.git("worktree", "add", "-q", "--detach", dir, "v1.0")
		all(t, s, s.dir)
		r := open(t, filepath.Join(dir, "db"))
		if got, want := resolve(t, r, "HEAD").ID, s.git("rev-parse", "v1.0"); got != want {
			t.Errorf("HEAD of the linked work tree = %s, want %s", got, want)
		}
		compare(t, s, r, "v1.1")
		w, err := r.Worktree()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if files, _ := w.Files(); !slices.Equal(files, []string{"README", "big.txt", "db/001_a.sql"}) {
			t.Errorf("its files: %q", files)
		}
	})
	t.Run("submodule", func(t *testing.T) {
		s, outer := sample(t), initRepo(t)
		outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", s.dir, "mod")
		outer.commit("with a submodule", map[string]string{"x": "x"})
		all(t, s, filepath.Join(outer.dir, "mod"))
		r := open(t, outer.dir)
		compare(t, outer, r, "HEAD")
		if _, err := fs.Stat(r.FS(resolve(t, r, "HEAD")), "mod"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the submodule is shown: %v", err)
		}
	})
	t.Run("sparse checkout", func(t *testing.T) {
		s := sample(t)
		s.git("config", "core.repositoryformatversion", "1")
		s.git("sparse-checkout", "set", "db")
		if got := s.git("config", "extensions.worktreeConfig"); got != "true" {
			t.Fatalf("extensions.worktreeConfig = %q, so this tests nothing", got)
		}
		all(t, s, s.dir)
	})
	t.Run("shallow", func(t *testing.T) {
		s := sample(t)
		c := &sandbox{t: t, dir: filepath.Join(t.TempDir(), "clone")}
		s.git("clone", "-q", "--depth=1", "file://"+s.dir, c.dir)
		r := open(t, c.dir)
		compare(t, c, r, "HEAD")
		var nf *NotFoundError
		if _, err := r.Resolve("HEAD~1"); !errors.As(err, &nf) || nf.Fix != "git fetch --unshallow origin" {
			t.Errorf("beyond the end: %v", err)
		}
		_, err := r.Resolve("v1.0")
		if !errors.As(err, &nf) || nf.Fix != "git fetch --depth=1 origin tag v1.0 --no-tags" {
			t.Errorf("a tag that was not fetched: %v", err)
		}
		c.git(strings.Fields(nf.Fix)[1:]...)
		compare(t, c, open(t, c.dir), "v1.0")
	})
}

func TestPartialClone(t *testing.T) {
	s := sample(t)
	s.git("config", "uploadpack.allowFilter", "true")
	s.git("config", "uploadpack.allowAnySHA1InWant", "true")
	c := &sandbox{t: t, dir: filepath.Join(t.TempDir(), "clone")}
	s.git("clone", "-q", "--no-checkout", "--filter=blob:none", "file://"+s.dir, c.dir)
	before := hashDir(t, c.dir)
	r := open(t, c.dir)
	fsys := r.FS(resolve(t, r, "v1.0"))
	if files, err := fsys.Files(); err != nil || len(files) != 3 {
		t.Errorf("Files of a clone without blobs = %q, %v", files, err)
	}
	_, err := fsys.ReadFile("README")
	var missing *MissingObjectError
	if !errors.As(err, &missing) || missing.Path != "README" || errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("ReadFile = %v", err)
	}
	if _, err := fsys.Stat("README"); !errors.As(err, &missing) {
		t.Errorf("Stat = %v", err)
	}
	if hashDir(t, c.dir) != before {
		t.Error("reading fetched something")
	}
	t.Run("allowed", func(t *testing.T) {
		r := open(t, c.dir)
		r.AllowFetch()
		if got := readFile(t, r.FS(resolve(t, r, "v1.0")), "README"); got != "one\n" {
			t.Errorf("README = %q", got)
		}
	})
	t.Run("the printed command", func(t *testing.T) {
		if missing.Fix != "git fetch --refetch --no-filter origin" {
			t.Errorf("Fix = %q", missing.Fix)
		}
		if out, err := c.try(strings.Fields(missing.Fix)[1:]...); err != nil {
			t.Skipf("SKIPPED: this git has no --refetch (2.36 has): %s", out)
		}
		compare(t, c, open(t, c.dir), "v1.1")
	})
}

func TestFetch(t *testing.T) {
	s := sample(t)
	c := &sandbox{t: t, dir: filepath.Join(t.TempDir(), "clone")}
	s.git("clone", "-q", "--depth=1", "--single-branch", "--no-tags", "file://"+s.dir, c.dir)
	r := open(t, c.dir)
	for _, rev := range []string{"v1.1", "side", "origin/side"} {
		if _, err := r.Resolve(rev); rev != "origin/side" && err == nil {
			t.Fatalf("%s is there already", rev)
		}
		if err := r.Fetch(context.Background(), rev); err != nil {
			t.Fatal(err)
		}
		if got, want := resolve(t, r, rev).ID, s.git("rev-parse", strings.TrimPrefix(rev, "origin/")+"^{}"); got != want {
			t.Errorf("after the fetch %s = %s, want %s", rev, got, want)
		}
		if _, err := r.FS(resolve(t, r, rev)).ReadFile("README"); err != nil {
			t.Error(err)
		}
	}
	if err := r.Fetch(context.Background(), "v9.9"); err == nil {
		t.Error("Fetch of a tag that does not exist succeeded")
	}
	here, err := r.TagNames()
	if err != nil {
		t.Fatal(err)
	}
	there, err := r.RemoteTagNames(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Fields(s.git("tag", "--list")); !slices.Equal(there, want) || len(here) >= len(there) {
		t.Errorf("the remote has the tags %q, want %q; here are %q", there, want, here)
	}
	if _, err := open(t, s.dir).RemoteTagNames(context.Background()); err == nil {
		t.Error("a repository without a remote has tags of one")
	}
	for _, rev := range []string{"", "--upload-pack=x", "-x"} {
		if err := r.Fetch(context.Background(), rev); err == nil {
			t.Errorf("Fetch(%q) succeeded", rev)
		}
	}
}

func TestLinks(t *testing.T) {
	s := initRepo(t)
	s.commit("links", map[string]string{
		"db/1.sql":          "one",
		"db-next/1.sql":     "-> ../db/1.sql",
		"db-next/2.sql":     "-> ./1.sql",
		"other":             "-> db",
		"deep/er/link":      "-> ../../other/../db-next/2.sql",
		"out":               "-> ../../etc/passwd",
		"deep/out":          "-> ../../x",
		"abs":               "-> /etc/passwd",
		"loop":              "-> loop",
		"ping":              "-> pong",
		"pong":              "-> ping",
		"dangling":          "-> nowhere/x",
		"gone":              "-> nowhere",
		"deep/up":           "-> ..",
		"long":              "-> " + strings.Repeat("x/", 1000),
		"through-a-file":    "-> db/1.sql/x",
		"deep/with/.hidden": "h",
	})
	test := func(t *testing.T, fsys interface {
		fs.ReadDirFS
		fs.StatFS
		fs.ReadLinkFS
		Files() ([]string, error)
	}) {
		for _, name := range []string{"db/1.sql", "db-next/1.sql", "db-next/2.sql", "other/1.sql", "deep/er/link", "deep/up/other/1.sql"} {
			if got := readFile(t, fsys, name); got != "one" {
				t.Errorf("%s = %q", name, got)
			}
			if info, err := fsys.Stat(name); err != nil || info.Size() != 3 || !info.Mode().IsRegular() || info.Name() != filepath.Base(name) {
				t.Errorf("Stat(%q) = %v, %v", name, info, err)
			}
		}
		for name, why := range map[string]string{"out": "leaves", "deep/out": "leaves", "abs": "leaves", "loop": "circle", "ping": "circle", "dangling": "nothing", "gone": "nothing", "long": "nothing"} {
			_, err := fs.ReadFile(fsys, name)
			var link *LinkError
			if !errors.As(err, &link) || !strings.Contains(link.Why, why) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v, want a LinkError: %s", name, err, why)
			}
		}
		for _, name := range []string{"other/2.sql", "deep/up/nothing", "db/1.sql/x", "nothing"} {
			if _, err := fsys.Stat(name); !errors.Is(err, fs.ErrNotExist) && !strings.Contains(fmt.Sprint(err), "not a directory") {
				t.Errorf("Stat(%q): %v, want ErrNotExist", name, err)
			}
		}
		if target, err := fsys.ReadLink("db-next/1.sql"); err != nil || target != "../db/1.sql" {
			t.Errorf("ReadLink = %q, %v", target, err)
		}
		files, err := fsys.Files()
		want := []string{"abs", "dangling", "db-next/1.sql", "db-next/2.sql", "db/1.sql", "deep/er/link", "deep/out", "deep/with/.hidden", "gone", "long", "loop", "out", "ping", "pong", "through-a-file"}
		if err != nil || !slices.Equal(files, want) {
			t.Errorf("Files() = %q, %v\nwant %q", files, err, want)
		}
		var walked []string
		err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
			walked = append(walked, name)
			return err
		})
		if err != nil || len(walked) != len(want)+6+2 { // folders and links to folders
			t.Errorf("WalkDir: %d names, %v: %q", len(walked), err, walked)
		}
	}
	r := open(t, s.dir)
	t.Run("commit", func(t *testing.T) { test(t, r.FS(resolve(t, r, "HEAD"))) })
	t.Run("worktree", func(t *testing.T) {
		w, err := r.Worktree()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		test(t, w)
	})
}

func TestWorktree(t *testing.T) {
	s := initRepo(t)
	s.write(map[string]string{"forced.log": "tracked although it is ignored"})
	s.git("add", "-f", "forced.log")
	s.commit("one", map[string]string{
		".gitignore": "*.log\n/build/\n!keep.log\n", "a.sql": "old", "gone.sql": "x", "db/b.sql": "b", "db/.gitignore": "tmp*\n",
	})
	s.git("update-index", "--force-remove", "gone.sql")
	os.Remove(filepath.Join(s.dir, "gone.sql"))
	s.write(map[string]string{
		"a.sql": "new", "db/c.sql": "untracked", "x.log": "no", "keep.log": "yes", "build/out": "no", "db/tmp1": "no",
		"secret": "no", "nested/.git/HEAD": "ref: refs/heads/x", "nested/.git/objects/x": "", "nested/.git/refs/x": "", "nested/file": "another repository's",
	})
	if err := os.WriteFile(filepath.Join(s.dir, ".git", "info", "exclude"), []byte("secret\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	want := []string{".gitignore", "a.sql", "db/.gitignore", "db/b.sql", "db/c.sql", "forced.log", "keep.log"}
	check := func(t *testing.T) {
		r := open(t, filepath.Join(s.dir, "db"))
		w, err := r.Worktree()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		files, err := w.Files()
		if err != nil || !slices.Equal(files, want) {
			t.Errorf("Files() = %q, %v\nwant %q", files, err, want)
		}
		if got := readFile(t, w, "a.sql"); got != "new" {
			t.Errorf("a.sql = %q", got)
		}
		for _, name := range []string{"x.log", ".git/config", "secret", "build/out", "../x", "/etc/passwd"} {
			if _, err := fs.ReadFile(w, name); err == nil {
				t.Errorf("%s can be read", name)
			}
		}
		if err := fstest.TestFS(w, want...); err != nil {
			t.Error(err)
		}
	}
	t.Run("with git", check)
	t.Run("without git", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		check(t)
	})
	bare := filepath.Join(t.TempDir(), "bare.git")
	s.git("clone", "-q", "--bare", s.dir, bare)
	if _, err := open(t, bare).Worktree(); err == nil {
		t.Error("a bare repository has a work tree")
	}
}

// TestNothingIsRun sets everything in a repository's configuration that makes git run a program.
func TestNothingIsRun(t *testing.T) {
	s := sample(t)
	mark := filepath.Join(t.TempDir(), "mark")
	script := filepath.Join(t.TempDir(), "run.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho \"$0 $*\" >>"+mark+"\nexit 1\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	s.git("-c", "pack.indexVersion=1", "repack", "-q", "-adf") // so that the git binary is needed
	for _, key := range []string{
		"core.fsmonitor", "core.sshCommand", "core.pager", "pager.ls-files", "core.editor", "core.askPass", "core.gitProxy", "core.alternateRefsCommand",
		"credential.helper", "diff.external", "diff.x.textconv", "diff.x.command", "filter.x.smudge", "filter.x.clean", "filter.x.process",
		"remote.origin.uploadpack", "gpg.program", "uploadpack.packObjectsHook", "alias.ls-files", "alias.cat-file",
	} {
		s.git("config", key, script)
	}
	s.git("config", "remote.origin.url", "ext::"+script)
	s.git("config", "remote.origin.promisor", "true")
	s.git("config", "protocol.ext.allow", "always")
	for _, hook := range []string{"post-index-change", "reference-transaction", "fsmonitor-watchman"} {
		data, _ := os.ReadFile(script)
		if err := os.WriteFile(filepath.Join(s.dir, ".git", "hooks", hook), data, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	s.write(map[string]string{".gitattributes": "* filter=x diff=x\n", "new.txt": "new"})
	os.Remove(mark)
	before := hashDir(t, s.dir)
	r := open(t, s.dir)
	fsys := r.FS(resolve(t, r, "HEAD@{0}"))
	if _, err := fsys.ReadFile("README"); err != nil {
		t.Error(err)
	}
	r.Resolve("v9.9")
	r.Resolve("main@{9}")
	r.git.object(oid(strings.Repeat("x", 20))) // a promised object
	w, err := r.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	if files, _ := w.Files(); !slices.Contains(files, "new.txt") {
		t.Errorf("Files() = %q", files)
	}
	w.Close()
	r.Tags("")
	if data, err := os.ReadFile(mark); err == nil {
		t.Errorf("programs were run:\n%s", data)
	}
	if hashDir(t, s.dir) != before {
		t.Error("the repository was written to")
	}
}

// hashDir is a hash of every name, time, size and content below a folder.
func hashDir(t testing.TB, dir string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(h, name, info.Mode(), info.ModTime().UnixNano())
		if info.Mode().IsRegular() {
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = io.Copy(h, f)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(h.Sum(nil))
}

func TestNothingIsWritten(t *testing.T) {
	s := sample(t)
	for _, packed := range []bool{false, true} {
		if packed {
			s.git("gc", "-q")
		}
		before := hashDir(t, s.dir)
		for _, rev := range []string{"v1.0", "HEAD~1", "main@{0}", "nothing"} {
			r := open(t, s.dir)
			c, err := r.Resolve(rev)
			if err != nil {
				continue
			}
			fsys := r.FS(c)
			files, _ := fsys.Files()
			for _, name := range files {
				fsys.ReadFile(name)
			}
			if w, err := r.Worktree(); err == nil {
				w.Close()
			}
			r.Tags("")
		}
		if hashDir(t, s.dir) != before {
			t.Errorf("packed %v: the repository was written to", packed)
		}
	}
}

func TestTags(t *testing.T) {
	s := initRepo(t)
	first := s.commit("one", map[string]string{"a": "a"})
	for _, tag := range []string{"v3.99", "v3.9", "other"} {
		s.git("tag", tag)
	}
	last := s.commit("two", map[string]string{"a": "b"})
	s.git("pack-refs", "--all")
	for _, tag := range []string{"v3.110", "v3.110-rc1", "v3.100.1", "v3.100"} {
		s.git("tag", "-a", "-m", "x", tag)
	}
	s.git("tag", "v0-blob", "HEAD:a")
	r := open(t, s.dir)
	tags, err := r.Tags("v*")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range tags {
		names = append(names, c.Rev)
	}
	if want := []string{"v3.9", "v3.99", "v3.100", "v3.100.1", "v3.110-rc1", "v3.110"}; !slices.Equal(names, want) {
		t.Errorf("Tags = %q, want %q", names, want)
	}
	if tags[0].ID != first || tags[5].ID != last || !tags[5].Time.After(tags[0].Time) {
		t.Errorf("commits: %+v", tags)
	}
	if ok, err := r.IsAncestor(tags[0], tags[5]); !ok || err != nil {
		t.Errorf("IsAncestor(first, last) = %v, %v", ok, err)
	}
	if ok, err := r.IsAncestor(tags[5], tags[0]); ok || err != nil {
		t.Errorf("IsAncestor(last, first) = %v, %v", ok, err)
	}
	if _, err := r.Tags("["); err == nil {
		t.Error("a malformed glob is accepted")
	}
}

func TestCompareVersions(t *testing.T) {
	order := []string{"v1", "v1.0", "v1.0.1", "v1.2-alpha", "v1.2-beta2", "v1.2-rc1", "v1.2-rc10", "v1.2", "v1.2.1", "1.9", "v1.10", "1.11", "V1.12", "v2.0.0-rc.1", "2.0.0", "v2.0.0", "v10"}
	for i, a := range order {
		for j, b := range order {
			got := CompareVersions(a, b)
			if (i < j) != (got < 0) || (i == j) != (got == 0) {
				t.Errorf("CompareVersions(%q, %q) = %d", a, b, got)
			}
		}
	}
	if CompareVersions("1.01", "1.1") == 0 || CompareVersions("1.01", "1.1") != -CompareVersions("1.1", "1.01") {
		t.Error("names that differ compare as equal")
	}
}

func TestConcurrent(t *testing.T) {
	s := sample(t)
	s.git("gc", "-q", "--aggressive")
	r := open(t, s.dir)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			c, err := r.Resolve([]string{"v1.0", "v1.1", "HEAD", "main@{0}"}[i%4])
			if err != nil {
				t.Error(err)
				return
			}
			fsys := r.FS(c)
			files, err := fsys.Files()
			if err != nil {
				t.Error(err)
			}
			for _, name := range files {
				if data, err := fsys.ReadFile(name); err != nil || len(data) == 0 {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestDamage flips bytes all over a pack and its index: reading may fail but must not panic, hang or eat the memory.
func TestDamage(t *testing.T) {
	s := sample(t)
	s.git("gc", "-q", "--aggressive")
	packs, _ := filepath.Glob(filepath.Join(s.dir, ".git/objects/pack/pack-*.[pi]*"))
	t.Setenv("PATH", t.TempDir()) // no second reader
	for _, name := range packs {
		if !strings.HasSuffix(name, ".pack") && !strings.HasSuffix(name, ".idx") {
			continue
		}
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		os.Chmod(name, 0o644)
		for i := 0; i < len(whole); i += 1 + len(whole)/600 {
			bad := bytes.Clone(whole)
			bad[i] ^= byte(1 + i%255)
			if i%7 == 0 {
				bad = bad[:i]
			}
			if err := os.WriteFile(name, bad, 0o644); err != nil {
				t.Fatal(err)
			}
			r, err := Open(s.dir)
			if err != nil {
				t.Fatal(err)
			}
			if c, err := r.Resolve("v1.1"); err == nil {
				fsys := r.FS(c)
				files, _ := fsys.Files()
				for _, f := range files {
					fsys.Stat(f)
					fsys.ReadFile(f)
				}
			}
			r.Close()
		}
		if err := os.WriteFile(name, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBombs holds that trees and links which a few objects blow up beyond measure end in an error, soon.
func TestBombs(t *testing.T) {
	s := initRepo(t)
	mktree := func(entries string) string {
		cmd := exec.Command("git", "mktree")
		cmd.Dir = s.dir
		cmd.Stdin = strings.NewReader(entries)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	blob := func(text string) string {
		s.write(map[string]string{"tmp": text})
		return s.git("hash-object", "-w", "tmp")
	}
	bomb := func(leaf string) string {
		tree := mktree(leaf)
		for range 12 {
			var b strings.Builder
			for i := range 10 {
				fmt.Fprintf(&b, "040000 tree %s\tfolder%d\n", tree, i)
			}
			tree = mktree(b.String())
		}
		return tree
	}
	link := blob(strings.Repeat("d/../", 800) + "link")
	for name, tree := range map[string]string{
		"files":   bomb("100644 blob " + blob("x") + "\tfile\n"),
		"folders": bomb(""),
		"links":   bomb("120000 blob " + link + "\tlink\n040000 tree " + mktree("") + "\td\n"),
	} {
		t.Run(name, func(t *testing.T) {
			commit := s.git("commit-tree", "-m", "x", tree)
			r := open(t, s.dir)
			start := time.Now()
			files, err := r.FS(resolve(t, r, commit)).Files()
			if err == nil {
				t.Errorf("%d files and no error", len(files))
			}
			if d := time.Since(start); d > time.Minute {
				t.Errorf("it took %v", d)
			}
		})
	}
}
