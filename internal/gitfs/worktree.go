package gitfs

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/gitignore"
	"github.com/go-git/go-git/v5/plumbing/format/index"
)

// A WorktreeFS is the files of a work tree as they lie on the disk: those that git tracks and those that it would not
// ignore. It implements fs.ReadDirFS, fs.ReadFileFS, fs.StatFS and fs.ReadLinkFS. Symbolic links are followed only inside
// the work tree (else the error is a *LinkError). Files are read when they are asked for, so it is no snapshot.
type WorktreeFS struct {
	root  *os.Root
	fs    fs.FS
	files []string            // without links that lead to folders
	dirs  map[string][]string // children of each folder, sorted
}

var (
	_ fs.ReadDirFS  = (*WorktreeFS)(nil)
	_ fs.ReadFileFS = (*WorktreeFS)(nil)
	_ fs.StatFS     = (*WorktreeFS)(nil)
	_ fs.ReadLinkFS = (*WorktreeFS)(nil)
)

// Worktree gives the uncommitted files of the work tree. What is ignored is decided by "git ls-files" or, without the
// git binary, by the .gitignore files and .git/info/exclude (then not by the user's own excludes file).
func (r *Repo) Worktree() (*WorktreeFS, error) {
	if r.worktree == "" {
		return nil, errors.New("a bare repository has no uncommitted files")
	}
	root, err := os.OpenRoot(r.worktree)
	if err != nil {
		return nil, err
	}
	w := &WorktreeFS{root: root, fs: root.FS(), dirs: map[string][]string{".": nil}}
	names, err := r.listByGit()
	if err != nil {
		if names, err = r.listByIgnore(root); err != nil {
			root.Close()
			return nil, err
		}
	}
	for _, name := range names {
		// Deleted files are still in the index; a folder is a submodule or a repository inside this one.
		info, err := root.Lstat(name)
		if err != nil || info.IsDir() {
			continue
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			if to, err := root.Stat(name); err == nil && to.IsDir() {
				w.add(name)
				continue
			}
		} else if !info.Mode().IsRegular() {
			continue
		}
		w.add(name)
		w.files = append(w.files, name)
	}
	for dir := range w.dirs {
		slices.Sort(w.dirs[dir])
	}
	slices.Sort(w.files)
	return w, nil
}

func (r *Repo) listByGit() ([]string, error) {
	out, err := r.git.run("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--full-name")
	if err != nil {
		return nil, err
	}
	names := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(name string) bool { return !fs.ValidPath(name) || name == "." }), nil
}

// listByIgnore does what git ls-files does, without git.
func (r *Repo) listByIgnore(root *os.Root) ([]string, error) {
	var names []string
	tracked := map[string]bool{}
	if f, err := os.Open(filepath.Join(r.gitDir, "index")); err == nil {
		defer f.Close()
		var idx index.Index
		if err := index.NewDecoder(f).Decode(&idx); err != nil {
			return nil, err
		}
		for _, e := range idx.Entries {
			if fs.ValidPath(e.Name) && !tracked[e.Name] {
				tracked[e.Name] = true
				names = append(names, e.Name)
			}
		}
	}
	var patterns []gitignore.Pattern
	if text, err := os.ReadFile(filepath.Join(r.commonDir, "info", "exclude")); err == nil {
		patterns = ignorePatterns(nil, text, nil)
	}
	var walk func(dir string, patterns []gitignore.Pattern) error
	walk = func(dir string, patterns []gitignore.Pattern) error {
		var domain []string
		if dir != "." {
			domain = strings.Split(dir, "/")
		}
		if text, err := root.ReadFile(path.Join(dir, ".gitignore")); err == nil {
			patterns = ignorePatterns(slices.Clip(patterns), text, domain)
		}
		entries, err := fs.ReadDir(root.FS(), dir)
		if err != nil {
			return err
		}
		match := gitignore.NewMatcher(patterns)
		for _, e := range entries {
			name := path.Join(dir, e.Name())
			if e.Name() == ".git" || match.Match(append(slices.Clip(domain), e.Name()), e.IsDir()) {
				continue
			}
			if !e.IsDir() {
				if !tracked[name] {
					names = append(names, name)
				}
				continue
			}
			if _, err := root.Lstat(name + "/.git"); err == nil {
				continue // a repository of its own
			}
			if err := walk(name, patterns); err != nil {
				return err
			}
		}
		return nil
	}
	err := walk(".", patterns)
	slices.Sort(names)
	return names, err
}

func ignorePatterns(patterns []gitignore.Pattern, text []byte, domain []string) []gitignore.Pattern {
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if line != "" && line[0] != '#' {
			patterns = append(patterns, gitignore.ParsePattern(line, domain))
		}
	}
	return patterns
}

// add enters a name and the folders above it.
func (w *WorktreeFS) add(name string) {
	for {
		dir := path.Dir(name)
		_, known := w.dirs[dir]
		w.dirs[dir] = append(w.dirs[dir], path.Base(name))
		if known {
			return
		}
		name = dir
	}
}

// shown tells whether a name, without following links, is a file or folder of this FS.
func (w *WorktreeFS) shown(name string) bool {
	if _, ok := w.dirs[name]; ok {
		return true
	}
	_, ok := slices.BinarySearch(w.dirs[path.Dir(name)], path.Base(name))
	return ok
}

// check resolves the links in a name, so that none leads out of the tree or to a file that git ignores.
func (w *WorktreeFS) check(op, name string, follow bool) (string, error) {
	fail := func(err error) (string, error) { return "", &fs.PathError{Op: op, Path: name, Err: err} }
	if !fs.ValidPath(name) {
		return fail(fs.ErrInvalid)
	}
	at, rest, link := ".", name, ""
	linkAt := 0
	for links, steps := 0, 0; rest != ""; steps++ {
		if steps > maxSteps {
			return fail(&LinkError{name, link, "takes too many steps"})
		}
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		switch part {
		case "", ".":
			continue
		case "..":
			if at == "." {
				return fail(&LinkError{name, link, "leaves the repository"})
			}
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, part)
		if !w.shown(next) {
			if link != "" && len(rest) >= linkAt { // still inside the link's text
				return fail(&LinkError{name, link, "points at nothing, or at a file that git ignores"})
			}
			return fail(fs.ErrNotExist)
		}
		info, err := w.root.Lstat(next)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 || rest == "" && !follow {
			at = next
			continue
		}
		target, err := w.root.Readlink(next)
		if err != nil {
			return "", err
		}
		target = filepath.ToSlash(target)
		switch links++; {
		case links > maxLinks:
			return fail(&LinkError{name, target, "goes in a circle"})
		case filepath.IsAbs(target):
			return fail(&LinkError{name, target, "leaves the repository"})
		}
		link, linkAt = target, len(rest)
		if rest != "" {
			target += "/" + rest
		}
		rest = target
	}
	return at, nil
}

// Open implements fs.FS.
func (w *WorktreeFS) Open(name string) (fs.File, error) {
	at, err := w.check("open", name, true)
	if err != nil {
		return nil, err
	}
	f, err := w.fs.Open(at)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || !info.IsDir() {
		return &worktreeFile{f, path.Base(name)}, err
	}
	f.Close()
	entries, err := w.list(name, at)
	if err != nil {
		return nil, err
	}
	return &worktreeDir{openDir{path: name, entries: entries}, named{info, path.Base(name)}}, nil
}

// ReadFile implements fs.ReadFileFS.
func (w *WorktreeFS) ReadFile(name string) ([]byte, error) {
	at, err := w.check("open", name, true)
	if err != nil {
		return nil, err
	}
	return fs.ReadFile(w.fs, at)
}

// ReadDir implements fs.ReadDirFS.
func (w *WorktreeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	at, err := w.check("open", name, true)
	if err != nil {
		return nil, err
	}
	return w.list(name, at)
}

func (w *WorktreeFS) list(name, at string) ([]fs.DirEntry, error) {
	children, ok := w.dirs[at]
	if !ok {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a directory")}
	}
	entries := make([]fs.DirEntry, 0, len(children))
	for _, child := range children {
		info, err := w.root.Lstat(path.Join(at, child))
		if err != nil {
			return nil, err
		}
		entries = append(entries, fs.FileInfoToDirEntry(info))
	}
	return entries, nil
}

// Stat implements fs.StatFS.
func (w *WorktreeFS) Stat(name string) (fs.FileInfo, error) {
	at, err := w.check("stat", name, true)
	if err != nil {
		return nil, err
	}
	info, err := w.root.Stat(at)
	if err != nil {
		return nil, err
	}
	return named{info, path.Base(name)}, nil
}

// Lstat implements fs.ReadLinkFS.
func (w *WorktreeFS) Lstat(name string) (fs.FileInfo, error) {
	at, err := w.check("lstat", name, false)
	if err != nil {
		return nil, err
	}
	return w.root.Lstat(at)
}

// ReadLink implements fs.ReadLinkFS.
func (w *WorktreeFS) ReadLink(name string) (string, error) {
	at, err := w.check("readlink", name, false)
	if err != nil {
		return "", err
	}
	return w.root.Readlink(at)
}

// Files gives the paths of all files, sorted, links included as FS.Files does. The caller must not change the slice.
func (w *WorktreeFS) Files() ([]string, error) { return w.files, nil }

// Close closes the work tree's folder.
func (w *WorktreeFS) Close() error { return w.root.Close() }

// named is a file under the name by which it was asked for.
type named struct {
	fs.FileInfo
	name string
}

func (n named) Name() string { return n.name }

type worktreeFile struct {
	fs.File
	name string
}

func (f *worktreeFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	if err != nil {
		return nil, err
	}
	return named{info, f.name}, nil
}

type worktreeDir struct {
	openDir
	stat named
}

func (d *worktreeDir) Stat() (fs.FileInfo, error) { return d.stat, nil }
