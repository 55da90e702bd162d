package migrate

import (
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"instep/analyzer/schema"
)

// A Replay is a history run on an empty database.
type Replay struct {
	*History
	Migrations []Migration    // one for each revision, in order
	Schema     *schema.Schema // after the last
}

// AllGaps gives the gaps of the history itself and those of its migrations, in order.
func (r *Replay) AllGaps() []schema.Gap {
	gaps := slices.Clone(r.History.Gaps)
	for _, m := range r.Migrations {
		gaps = append(gaps, m.Gaps...)
	}
	return gaps
}

// Replay runs h on base, reading from fsys. A cache may be shared between replays of several trees; nil is none.
func (c *Cache) Replay(fsys fs.FS, h *History, base *schema.Schema) *Replay {
	r := &Replay{History: h, Schema: base}
	for i := range h.Revisions {
		m := c.Run(fsys, h.Framework, &h.Revisions[i], r.Schema)
		r.Migrations = append(r.Migrations, m)
		r.Schema = m.After
	}
	return r
}

// A Cache remembers what revisions did, so that a history which two trees share is run once. A revision is run again
// as soon as the schema before it, or any file or folder that it looked at, is another one: it is watched while it
// runs. The zero value is ready, a nil *Cache remembers nothing, and it is safe for concurrent use.
type Cache struct {
	mu   sync.Mutex
	runs map[runKey][]run
}

type runKey struct {
	framework, id, file string
	before              *schema.Schema
}

type run struct {
	looked []look
	result Migration
}

// Run gives what rev does to before.
func (c *Cache) Run(fsys fs.FS, framework string, rev *Revision, before *schema.Schema) Migration {
	if c == nil {
		return rev.Run(fsys, before)
	}
	key := runKey{framework, rev.ID, rev.File, before}
	c.mu.Lock()
	known := c.runs[key]
	c.mu.Unlock()
	for _, k := range known {
		if !slices.ContainsFunc(k.looked, func(l look) bool { return fingerprint(fsys, l.op, l.name) != l.saw }) {
			return k.result
		}
	}
	w := &watch{fsys: fsys, seen: map[look]bool{}}
	result := rev.Run(w, before)
	if result.After == nil {
		result.After = before
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.runs == nil {
		c.runs = map[runKey][]run{}
	}
	c.runs[key] = append(c.runs[key], run{w.looked, result})
	return result
}

// A look is one thing that a revision asked of its tree, and what it saw.
type look struct {
	op   byte // 'f': the content of a file; 'd': the names in a folder; 's': what stands there, if anything
	name string
	saw  string
}

// A watch is a file system that remembers what was asked of it.
type watch struct {
	fsys   fs.FS
	mu     sync.Mutex
	looked []look
	seen   map[look]bool
}

func (w *watch) note(op byte, name string) {
	w.noteAs(op, name, func() string { return fingerprint(w.fsys, op, name) })
}

// noteAs is note for what has been looked up already; print gives its fingerprint.
func (w *watch) noteAs(op byte, name string, print func() string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := look{op: op, name: name}
	if w.seen[l] {
		return
	}
	w.seen[l] = true
	l.saw = print()
	w.looked = append(w.looked, l)
}

func (w *watch) Open(name string) (fs.File, error) {
	f, err := w.fsys.Open(name)
	if err == nil {
		if info, err := f.Stat(); err == nil && info.IsDir() {
			w.note('d', name)
			return f, nil
		}
	}
	w.note('f', name)
	return f, err
}

func (w *watch) ReadFile(name string) ([]byte, error) {
	w.note('f', name)
	return fs.ReadFile(w.fsys, name)
}

func (w *watch) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(w.fsys, name)
	w.noteAs('d', name, func() string { return dirPrint(entries, err) })
	return entries, err
}

func (w *watch) Stat(name string) (fs.FileInfo, error) {
	info, err := fs.Stat(w.fsys, name)
	w.noteAs('s', name, func() string { return statPrint(w.fsys, name, info, err) })
	return info, err
}

// BlobHash passes on what the tree knows of its contents; see fingerprint.
func (w *watch) BlobHash(name string) (string, bool) {
	w.note('f', name)
	if h, ok := w.fsys.(hasher); ok {
		return h.BlobHash(name)
	}
	return "", false
}

// A hasher is a tree that knows the hash of a file's content without reading it, as git does.
type hasher interface {
	BlobHash(name string) (string, bool)
}

// fingerprint is a text that changes when what stands under a name changes, as far as op looks at it.
func fingerprint(fsys fs.FS, op byte, name string) string {
	switch op {
	case 's':
		info, err := fs.Stat(fsys, name)
		return statPrint(fsys, name, info, err)
	case 'd':
		return dirPrint(fs.ReadDir(fsys, name))
	}
	if h, ok := fsys.(hasher); ok {
		if hash, ok := h.BlobHash(name); ok {
			return "blob " + hash
		}
	}
	f, err := fsys.Open(name)
	if err != nil {
		return "error " + kindOf(err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "error " + kindOf(err)
	}
	return "sha256 " + string(sum.Sum(nil))
}

// statPrint is the fingerprint of what Stat gave.
func statPrint(fsys fs.FS, name string, info fs.FileInfo, err error) string {
	switch {
	case err != nil:
		return "error " + kindOf(err)
	case info.IsDir():
		return "folder"
	}
	return fingerprint(fsys, 'f', name)
}

// dirPrint is the fingerprint of what ReadDir gave.
func dirPrint(entries []fs.DirEntry, err error) string {
	if err != nil {
		return "error " + kindOf(err)
	}
	var b strings.Builder
	for _, e := range entries {
		b.WriteString(e.Type().String())
		b.WriteString(e.Name())
		b.WriteByte(0)
	}
	return b.String()
}

func kindOf(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "does not exist"
	}
	return err.Error()
}
