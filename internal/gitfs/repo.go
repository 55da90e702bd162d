package gitfs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	gitconfig "github.com/go-git/go-git/v5/plumbing/format/config"
)

// A Repo is an open repository. It may be used by several goroutines at once.
type Repo struct {
	gitDir    string // of this work tree: holds HEAD
	commonDir string // of the repository: holds refs and objects
	worktree  string // root of the work tree; "" in a bare repository
	hashLen   int
	refFiles  bool // references are files, not a reftable
	partial   bool
	config    *gitconfig.Config
	objects   objects
	git       gitBinary

	mu      sync.Mutex
	packed  *packedRefs
	shallow map[oid]bool
	trees   map[oid]*tree
	blobs   map[oid][]byte // bounded by blobCacheSize
	lazy    bool           // AllowFetch was called

	blobBytes int
}

// Open opens the repository that dir belongs to: dir may be any folder of a work tree (also a linked one or a
// submodule's), a bare repository, or a .git folder. The variables GIT_DIR and so on are not looked at.
// The error is ErrNotRepository if there is none.
func Open(dir string) (*Repo, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(abs)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s: not a folder", dir)
	}
	r := &Repo{trees: map[oid]*tree{}}
	for at := abs; ; {
		found, err := r.discover(at)
		if err != nil {
			return nil, err
		}
		if found {
			break
		}
		parent := filepath.Dir(at)
		if parent == at {
			return nil, fmt.Errorf("%s: %w (nor is any folder above it)", dir, ErrNotRepository)
		}
		at = parent
	}
	r.git.dir = r.gitDir
	if r.worktree != "" {
		r.git.dir = r.worktree
	}
	if err := r.readConfig(); err != nil {
		return nil, err
	}
	r.objects.dir = filepath.Join(r.commonDir, "objects")
	r.objects.hashLen = r.hashLen
	return r, nil
}

// discover looks for a repository at one folder and fills in where its parts are.
func (r *Repo) discover(at string) (bool, error) {
	dotGit := filepath.Join(at, ".git")
	if info, err := os.Stat(dotGit); err == nil {
		gitDir := dotGit
		if !info.IsDir() { // a linked work tree or a submodule
			text, err := os.ReadFile(dotGit)
			if err != nil {
				return false, err
			}
			target, ok := strings.CutPrefix(strings.TrimRight(string(text), "\r\n"), "gitdir: ")
			if !ok {
				return false, fmt.Errorf("%s: %w: it is neither a folder nor a \"gitdir:\" file", dotGit, ErrNotRepository)
			}
			if !filepath.IsAbs(target) {
				target = filepath.Join(at, target)
			}
			gitDir = filepath.Clean(target)
			if !r.isGitDir(gitDir) {
				return false, fmt.Errorf("%s: %w: it points to %s, which is none", dotGit, ErrNotRepository, gitDir)
			}
		}
		if r.isGitDir(gitDir) {
			r.worktree = at
			return true, nil
		}
	}
	if !r.isGitDir(at) {
		return false, nil
	}
	if filepath.Base(at) == ".git" {
		r.worktree = filepath.Dir(at)
	} else if text, err := os.ReadFile(filepath.Join(at, "gitdir")); err == nil { // .git/worktrees/NAME
		r.worktree = filepath.Dir(strings.TrimRight(string(text), "\r\n"))
	}
	return true, nil
}

// isGitDir tells whether dir is a git folder as git does (it has HEAD, objects and refs, or a commondir that has the
// latter two), and remembers it.
func (r *Repo) isGitDir(dir string) bool {
	if _, err := os.Lstat(filepath.Join(dir, "HEAD")); err != nil {
		return false
	}
	common := dir
	if text, err := os.ReadFile(filepath.Join(dir, "commondir")); err == nil {
		common = strings.TrimRight(string(text), "\r\n")
		if !filepath.IsAbs(common) {
			common = filepath.Join(dir, common)
		}
	}
	for _, sub := range []string{"objects", "refs"} {
		if info, err := os.Stat(filepath.Join(common, sub)); err != nil || !info.IsDir() {
			return false
		}
	}
	r.gitDir, r.commonDir = dir, common
	return true
}

// readConfig reads what the repository's own configuration says about its format. Included files are not read: git
// does not take extensions from them either.
func (r *Repo) readConfig() error {
	name := filepath.Join(r.commonDir, "config")
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	r.config = gitconfig.New()
	if err := gitconfig.NewDecoder(bytes.NewReader(text)).Decode(r.config); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.hashLen, r.refFiles = 20, true
	if r.config.HasSection("core") {
		core := r.config.Section("core")
		if strings.EqualFold(core.Option("bare"), "true") && r.gitDir == r.commonDir {
			r.worktree = ""
		}
		if dir := core.Option("worktree"); dir != "" && r.gitDir == r.commonDir {
			if !filepath.IsAbs(dir) {
				dir = filepath.Join(r.gitDir, dir)
			}
			r.worktree = filepath.Clean(dir)
		}
		if v := core.Option("repositoryformatversion"); v != "" && v != "0" && v != "1" {
			return fmt.Errorf("%s: repository format version %s is not known", name, v)
		}
	}
	if !r.config.HasSection("extensions") {
		return nil
	}
	for _, opt := range r.config.Section("extensions").Options {
		switch value := strings.ToLower(opt.Value); strings.ToLower(opt.Key) {
		case "objectformat":
			switch value {
			case "sha1":
			case "sha256":
				r.hashLen = 32
			default:
				return fmt.Errorf("%s: object format %q is not known", name, opt.Value)
			}
		case "refstorage":
			r.refFiles = value == "files"
		case "partialclone":
			r.partial = true
		case "noop", "noop-v1", "preciousobjects", "worktreeconfig", "relativeworktrees", "compatobjectformat", "submodulepathconfig":
			// None of these changes how objects and references are read.
		default:
			if core := r.config.Section("core"); core.Option("repositoryformatversion") == "1" {
				return fmt.Errorf("%s: extension %q is not known", name, opt.Key)
			}
		}
	}
	return nil
}

// Dir gives the root of the work tree, or the git folder of a bare repository.
func (r *Repo) Dir() string { return r.git.dir }

// WorktreeRoot gives the root of the work tree, "" in a bare repository.
func (r *Repo) WorktreeRoot() string { return r.worktree }

// Bare tells whether there is no work tree.
func (r *Repo) Bare() bool { return r.worktree == "" }

// Close closes the files and processes that the repository holds open.
func (r *Repo) Close() error {
	r.objects.close()
	r.git.close()
	return nil
}

// AllowFetch lets git fetch objects that a partial clone left at its remote, when they are needed. It is off unless
// it is asked for, because it uses the network and writes into the repository.
func (r *Repo) AllowFetch() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lazy = true
	r.git.allowFetch()
}

// object reads an object, with the git binary as a second reader where the first fails.
func (r *Repo) object(id oid) (plumbing.ObjectType, []byte, error) {
	kind, data, err := r.objects.read(id)
	if err == nil || errors.Is(err, ErrTooLarge) {
		return kind, data, err
	}
	if errors.Is(err, errNotFound) && !r.mayFetch() {
		return 0, nil, r.missing(id)
	}
	if kind, data, gitErr := r.git.object(id); gitErr == nil {
		return kind, data, nil
	}
	if errors.Is(err, errNotFound) {
		return 0, nil, r.missing(id)
	}
	return 0, nil, err
}

func (r *Repo) mayFetch() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lazy
}

// objectSize gives the size of an object without loading it, where the object is here.
func (r *Repo) objectSize(id oid) (int64, error) {
	r.mu.Lock()
	data, ok := r.blobs[id]
	r.mu.Unlock()
	if ok {
		return int64(len(data)), nil
	}
	n, err := r.objects.size(id)
	if err == nil {
		return n, nil
	}
	_, data, err = r.object(id)
	return int64(len(data)), err
}

// missing says why an object is not here, and what brings it.
func (r *Repo) missing(id oid) error {
	e := &MissingObjectError{ID: id.String(), Why: "the repository is damaged"}
	remote := r.remote()
	switch {
	case r.partial || r.promisor():
		e.Why = "this is a partial clone"
		if remote != "" {
			e.Fix = "git fetch --refetch --no-filter " + quote(remote)
		}
	case len(r.shallowCommits()) > 0:
		e.Why = "this is a shallow clone"
		if remote != "" {
			e.Fix = "git fetch --unshallow " + quote(remote)
		}
	case remote != "":
		e.Fix = "git fetch --refetch " + quote(remote)
	}
	return e
}

// promisor tells whether some remote has promised objects.
func (r *Repo) promisor() bool {
	if r.config.HasSection("remote") {
		for _, sub := range r.config.Section("remote").Subsections {
			if v := sub.Option("promisor"); v != "" && !strings.EqualFold(v, "false") {
				return true
			}
		}
	}
	marks, _ := filepath.Glob(filepath.Join(r.commonDir, "objects", "pack", "*.promisor"))
	return len(marks) > 0
}

// remote gives the name of the remote to fetch from: that of the current branch, else origin, else the first.
func (r *Repo) remote() string {
	if !r.config.HasSection("remote") {
		return ""
	}
	var names []string
	for _, sub := range r.config.Section("remote").Subsections {
		if sub.Option("url") != "" && !strings.HasPrefix(sub.Name, "-") {
			names = append(names, sub.Name)
		}
	}
	sort.Strings(names)
	has := func(name string) bool {
		i := sort.SearchStrings(names, name)
		return i < len(names) && names[i] == name
	}
	head, _ := os.ReadFile(filepath.Join(r.gitDir, "HEAD"))
	if branch, ok := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: refs/heads/"); ok && r.config.HasSection("branch") {
		for _, sub := range r.config.Section("branch").Subsections {
			if sub.Name == branch && has(sub.Option("remote")) {
				return sub.Option("remote")
			}
		}
	}
	switch {
	case has("origin"):
		return "origin"
	case len(names) > 0:
		return names[0]
	}
	return ""
}

// shallowCommits are the commits whose parents were left out of a shallow clone.
func (r *Repo) shallowCommits() map[oid]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shallow == nil {
		r.shallow = map[oid]bool{}
		text, _ := os.ReadFile(filepath.Join(r.commonDir, "shallow"))
		for line := range strings.Lines(string(text)) {
			if id, ok := parseOID(strings.TrimSpace(line), r.hashLen); ok {
				r.shallow[id] = true
			}
		}
	}
	return r.shallow
}

// quote makes a word safe to paste into a shell. Words that are safe stay as they are.
func quote(s string) string {
	safe := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("/._-+:@=,%", c)
	}
	if s != "" && strings.IndexFunc(s, func(c rune) bool { return !safe(c) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
