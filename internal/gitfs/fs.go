package gitfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
)

// The modes of tree entries (gitformat-index, "mode").
const (
	modeTree      = 0o040000
	modeFile      = 0o100000
	modeLink      = 0o120000
	modeSubmodule = 0o160000
	modeMask      = 0o170000
)

const (
	maxLinks = 40   // symbolic links followed for one name, as on Linux
	maxSteps = 2000 // folders passed on the way, links included
)

// blobCacheSize bounds the bytes of files that a Repo keeps.
const blobCacheSize = 16 << 20

// A tree is a folder of a commit. Its entries are sorted by name.
type tree struct{ entries []entry }

type entry struct {
	name string
	mode uint32 // the type bits only
	id   oid
}

func (t *tree) find(name string) (entry, bool) {
	i, ok := slices.BinarySearchFunc(t.entries, name, func(e entry, name string) int { return strings.Compare(e.name, name) })
	if !ok {
		return entry{}, false
	}
	return t.entries[i], true
}

// tree reads a folder. Folders are kept for the life of the Repo, so what two commits share is read once.
func (r *Repo) tree(id oid) (*tree, error) {
	r.mu.Lock()
	t := r.trees[id]
	r.mu.Unlock()
	if t != nil {
		return t, nil
	}
	kind, data, err := r.object(id)
	if err != nil {
		return nil, err
	}
	if kind != plumbing.TreeObject {
		return nil, fmt.Errorf("object %s is a %s, not a tree", id, kind)
	}
	if t, err = parseTree(data, r.hashLen); err != nil {
		return nil, fmt.Errorf("tree %s: %w", id, err)
	}
	r.mu.Lock()
	r.trees[id] = t
	r.mu.Unlock()
	return t, nil
}

// parseTree reads "<octal mode> <name>\0<object name>" until the end. Entries with names that no path can have are
// left out, and so are submodules.
func parseTree(data []byte, hashLen int) (*tree, error) {
	t := &tree{entries: make([]entry, 0, len(data)/40)}
	text := string(data) // one copy, which names and ids share
	for text != "" {
		sp := strings.IndexByte(text, ' ')
		nul := strings.IndexByte(text, 0)
		if sp < 0 || nul < sp || sp > 7 || len(text) < nul+1+hashLen {
			return nil, errors.New("damaged")
		}
		var mode uint32
		for _, c := range text[:sp] {
			if c < '0' || c > '7' {
				return nil, errors.New("damaged")
			}
			mode = mode<<3 | uint32(c-'0')
		}
		e := entry{text[sp+1 : nul], mode & modeMask, oid(text[nul+1 : nul+1+hashLen])}
		text = text[nul+1+hashLen:]
		if e.name == "" || e.name == "." || e.name == ".." || strings.Contains(e.name, "/") || e.mode == modeSubmodule {
			continue
		}
		t.entries = append(t.entries, e)
	}
	slices.SortFunc(t.entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return t, nil
}

// An FS is the tree of a commit. It implements fs.ReadDirFS, fs.ReadFileFS, fs.StatFS and fs.ReadLinkFS, and behaves
// as os.DirFS does on a checkout, with these differences: symbolic links are followed only inside the tree (else the
// error is a *LinkError), submodules are absent, and every file's time is the commit's.
// An object that is not in the clone is a *MissingObjectError. It may be used by several goroutines.
type FS struct {
	repo   *Repo
	commit Commit

	once  sync.Once
	files []string
	err   error
}

var (
	_ fs.ReadDirFS  = (*FS)(nil)
	_ fs.ReadFileFS = (*FS)(nil)
	_ fs.StatFS     = (*FS)(nil)
	_ fs.ReadLinkFS = (*FS)(nil)
)

// FS gives the tree of a commit that Resolve gave. Nothing is read yet.
func (r *Repo) FS(c Commit) *FS { return &FS{repo: r, commit: c} }

// Commit gives the commit whose tree it is.
func (f *FS) Commit() Commit { return f.commit }

// walk finds a name. Symbolic links are followed on the way, and at its end if follow is set.
func (f *FS) walk(op, name string, follow bool) (entry, error) {
	fail := func(err error) (entry, error) { return entry{}, &fs.PathError{Op: op, Path: name, Err: err} }
	if !fs.ValidPath(name) {
		return fail(fs.ErrInvalid)
	}
	stack := make([]entry, 1, 12) // deep enough for most names, and never on the heap
	stack[0] = entry{mode: modeTree, id: f.commit.tree}
	rest := name
	link := "" // the last link that was followed
	var linkAt int
	for links, steps := 0, 0; rest != ""; steps++ {
		if steps > maxSteps {
			return fail(&LinkError{name, link, "takes too many steps"})
		}
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		switch part {
		case "", ".":
			continue
		case "..": // only in links
			if len(stack) == 1 {
				return fail(&LinkError{name, link, "leaves the repository"})
			}
			stack = stack[:len(stack)-1]
			continue
		}
		t, err := f.repo.tree(stack[len(stack)-1].id)
		if err != nil {
			return fail(f.locate(err, name))
		}
		e, ok := t.find(part)
		if !ok {
			if link != "" && len(rest) >= linkAt { // still inside the link's text
				return fail(&LinkError{name, link, "points at nothing"})
			}
			return fail(fs.ErrNotExist)
		}
		switch e.mode {
		case modeTree:
			stack = append(stack, e)
		case modeLink:
			if rest == "" && !follow {
				return e, nil
			}
			target, err := f.target(e, name)
			if err != nil {
				return fail(err)
			}
			switch links++; {
			case links > maxLinks:
				return fail(&LinkError{name, target, "goes in a circle"})
			case target == "":
				return fail(&LinkError{name, target, "points at nothing"})
			case path.IsAbs(target):
				return fail(&LinkError{name, target, "leaves the repository"})
			}
			link, linkAt = target, len(rest)
			if rest != "" {
				target += "/" + rest
			}
			if len(target) > 64<<10 {
				return fail(&LinkError{name, link, "takes too many steps"})
			}
			rest = target
		default:
			if strings.Trim(rest, "/") == "" {
				return e, nil
			}
			return fail(fs.ErrNotExist) // a file is no folder
		}
	}
	return stack[len(stack)-1], nil
}

// target reads the text of a link.
func (f *FS) target(e entry, name string) (string, error) {
	n, err := f.repo.objectSize(e.id)
	if err != nil {
		return "", f.locate(err, name)
	}
	if n > 4096 {
		return "", &LinkError{name, "…", "is longer than any path"}
	}
	_, data, err := f.repo.object(e.id)
	if err != nil {
		return "", f.locate(err, name)
	}
	return string(data), nil
}

// locate puts the path into the error for an object that is missing.
func (f *FS) locate(err error, name string) error {
	var missing *MissingObjectError
	if errors.As(err, &missing) {
		m := *missing
		m.Path = name
		return &m
	}
	return err
}

// Open implements fs.FS.
func (f *FS) Open(name string) (fs.File, error) {
	e, err := f.walk("open", name, true)
	if err != nil {
		return nil, err
	}
	info := f.info(path.Base(name), e)
	if e.mode == modeTree {
		entries, err := f.list("open", name, e)
		if err != nil {
			return nil, err
		}
		return &openDir{info: info, path: name, entries: entries}, nil
	}
	data, err := f.blob("open", name, e)
	if err != nil {
		return nil, err
	}
	info.size, info.known = int64(len(data)), true
	return &openFile{Reader: bytes.NewReader(data), info: info}, nil
}

// ReadFile implements fs.ReadFileFS.
func (f *FS) ReadFile(name string) ([]byte, error) {
	e, err := f.walk("open", name, true)
	if err != nil {
		return nil, err
	}
	if e.mode == modeTree {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("is a directory")}
	}
	data, err := f.blob("open", name, e)
	return bytes.Clone(data), err
}

// blob reads a file. Most files are the same in two commits, so they are kept for a while.
func (f *FS) blob(op, name string, e entry) ([]byte, error) {
	r := f.repo
	r.mu.Lock()
	data, ok := r.blobs[e.id]
	r.mu.Unlock()
	if ok {
		return data, nil
	}
	kind, data, err := r.object(e.id)
	if err == nil && kind != plumbing.BlobObject {
		err = fmt.Errorf("object %s is a %s, not a blob", e.id, kind)
	}
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: f.locate(err, name)}
	}
	if len(data) <= blobCacheSize/16 {
		r.mu.Lock()
		if r.blobs == nil || r.blobBytes+len(data) > blobCacheSize {
			r.blobs, r.blobBytes = map[oid][]byte{}, 0
		}
		r.blobs[e.id] = data
		r.blobBytes += len(data)
		r.mu.Unlock()
	}
	return data, nil
}

// ReadDir implements fs.ReadDirFS. Names that are not UTF-8 are left out, because io/fs cannot name them.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	e, err := f.walk("open", name, true)
	if err != nil {
		return nil, err
	}
	if e.mode != modeTree {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a directory")}
	}
	return f.list("readdir", name, e)
}

func (f *FS) list(op, name string, dir entry) ([]fs.DirEntry, error) {
	t, err := f.repo.tree(dir.id)
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: f.locate(err, name)}
	}
	list := make([]fs.DirEntry, 0, len(t.entries))
	for _, e := range t.entries {
		if utf8.ValidString(e.name) {
			list = append(list, f.info(e.name, e))
		}
	}
	return list, nil
}

// Stat implements fs.StatFS. The size comes from the object's head; the file is not loaded.
func (f *FS) Stat(name string) (fs.FileInfo, error) { return f.stat(name, true) }

// Lstat implements fs.ReadLinkFS: it does not follow a link at the end of the name.
func (f *FS) Lstat(name string) (fs.FileInfo, error) { return f.stat(name, false) }

func (f *FS) stat(name string, follow bool) (fs.FileInfo, error) {
	e, err := f.walk("stat", name, follow)
	if err != nil {
		return nil, err
	}
	return f.info(path.Base(name), e).Info()
}

// ReadLink implements fs.ReadLinkFS.
func (f *FS) ReadLink(name string) (string, error) {
	e, err := f.walk("readlink", name, false)
	if err != nil {
		return "", err
	}
	if e.mode != modeLink {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	target, err := f.target(e, name)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	return target, nil
}

// Files gives the paths of all files of the tree, sorted. Symbolic links are among them unless they lead to a folder
// of the tree (whose files are listed where they are): one that cannot be followed is listed too, so that whoever
// needs it meets the error. The caller must not change the slice.
func (f *FS) Files() ([]string, error) {
	f.once.Do(func() {
		l := listing{fs: f}
		f.err = l.collect("", f.commit.tree, 0)
		slices.Sort(l.files)
		f.files = l.files
	})
	return f.files, f.err
}

// The bounds of a listing. A few objects can make a tree with more paths than there are atoms, because folders with equal
// content are one object.
const (
	maxDepth   = 200
	maxFolders = 1_000_000
	maxPaths   = 64 << 20 // bytes of all paths; those of the Linux kernel have about 5 MB
	maxFollow  = 5_000    // links looked at; those beyond are listed without
)

// A listing collects the files of a tree.
type listing struct {
	fs             *FS
	files          []string
	folders, bytes int
	links          int
}

func (l *listing) add(name string) {
	l.files = append(l.files, name)
	l.bytes += len(name) + 16
}

func (l *listing) collect(prefix string, id oid, depth int) error {
	t, err := l.fs.repo.tree(id)
	if err != nil {
		return l.fs.locate(err, strings.TrimSuffix(prefix, "/"))
	}
	if l.folders++; depth > maxDepth || l.folders > maxFolders || l.bytes > maxPaths {
		return fmt.Errorf("commit %s: the tree is too deep or has too many files (%w)", l.fs.commit.ID, ErrTooLarge)
	}
	for _, e := range t.entries {
		name := prefix + e.name
		switch e.mode {
		case modeTree:
			if err := l.collect(name+"/", e.id, depth+1); err != nil {
				return err
			}
		case modeLink:
			if l.links++; l.links <= maxFollow {
				if to, err := l.fs.walk("stat", name, true); err == nil && to.mode == modeTree {
					continue
				}
			}
			l.add(name)
		default:
			l.add(name)
		}
	}
	return nil
}

// BlobHash gives the name of the object that holds a file's content, in hex: equal names mean equal content, so a
// reader can keep what it computed. ok is false if name is no file.
func (f *FS) BlobHash(name string) (hash string, ok bool) {
	e, err := f.walk("stat", name, true)
	if err != nil || e.mode == modeTree {
		return "", false
	}
	return e.id.String(), true
}

func (f *FS) info(name string, e entry) *fileInfo { return &fileInfo{fs: f, name: name, entry: e} }

// fileInfo is a file's fs.FileInfo and fs.DirEntry. Its size is read when somebody wants it.
type fileInfo struct {
	fs    *FS
	name  string
	entry entry
	size  int64
	known bool
}

func (i *fileInfo) Name() string       { return i.name }
func (i *fileInfo) Size() int64        { return i.size }
func (i *fileInfo) ModTime() time.Time { return i.fs.commit.Time }
func (i *fileInfo) IsDir() bool        { return i.entry.mode == modeTree }
func (i *fileInfo) Sys() any           { return nil }
func (i *fileInfo) Type() fs.FileMode  { return i.Mode().Type() }
func (i *fileInfo) String() string     { return fs.FormatFileInfo(i) }

// Mode implements fs.FileInfo. Executable bits are not shown.
func (i *fileInfo) Mode() fs.FileMode {
	switch i.entry.mode {
	case modeTree:
		return fs.ModeDir | 0o555
	case modeLink:
		return fs.ModeSymlink | 0o777
	}
	return 0o444
}

// Info implements fs.DirEntry.
func (i *fileInfo) Info() (fs.FileInfo, error) {
	if i.known || i.IsDir() {
		return i, nil
	}
	n, err := i.fs.repo.objectSize(i.entry.id)
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: i.name, Err: i.fs.locate(err, i.name)}
	}
	c := *i
	c.size, c.known = n, true
	return &c, nil
}

type openFile struct {
	*bytes.Reader
	info *fileInfo
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

type openDir struct {
	info    *fileInfo
	path    string
	entries []fs.DirEntry
	at      int
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.path, Err: errors.New("is a directory")}
}

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	rest := d.entries[d.at:]
	if n > 0 && len(rest) == 0 {
		return nil, io.EOF
	}
	if n > 0 && n < len(rest) {
		rest = rest[:n]
	}
	d.at += len(rest)
	return slices.Clone(rest), nil
}
