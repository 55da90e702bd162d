package gitfs

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
)

// An oid is an object's name as raw bytes: 20 of SHA-1 or 32 of SHA-256.
type oid string

func (id oid) String() string { return hex.EncodeToString([]byte(id)) }

// parseOID reads a whole object name in hex.
func parseOID(s string, hashLen int) (oid, bool) {
	if len(s) != 2*hashLen {
		return "", false
	}
	b, err := hex.DecodeString(s)
	return oid(b), err == nil
}

// maxAlternates is how deep alternates may nest; git allows five.
const maxAlternates = 5

// objects is the object store of a repository: its own folder and its alternates.
type objects struct {
	dir     string
	hashLen int
	z       inflaters

	mu     sync.Mutex
	loaded bool
	dirs   []string
	packs  []*pack
	err    error
}

// load lists the folders and their packs, once.
func (o *objects) load() ([]string, []*pack, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.loaded {
		o.loaded = true
		o.err = o.add(o.dir, 0)
	}
	return o.dirs, o.packs, o.err
}

// reload forgets the list of packs, because git has added some.
func (o *objects) reload() {
	o.mu.Lock()
	defer o.mu.Unlock()
	// Packs that are in use elsewhere stay open until the process ends: there is one Fetch in its life.
	o.loaded, o.dirs, o.packs, o.err = false, nil, nil, nil
}

func (o *objects) add(dir string, depth int) error {
	for _, d := range o.dirs {
		if d == dir {
			return nil
		}
	}
	o.dirs = append(o.dirs, dir)
	entries, err := os.ReadDir(filepath.Join(dir, "pack"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".idx"); ok {
			o.packs = append(o.packs, &pack{path: filepath.Join(dir, "pack", name), hashLen: o.hashLen})
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "info", "alternates"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '"' { // C-style quoting, close enough to Go's for a path
			if s, err := strconv.Unquote(line); err == nil {
				line = s
			}
		}
		if !filepath.IsAbs(line) {
			line = filepath.Join(dir, line)
		}
		// An alternate that is gone is only a warning to git.
		if info, err := os.Stat(line); err != nil || !info.IsDir() || depth >= maxAlternates {
			continue
		}
		if err := o.add(filepath.Clean(line), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// read gives an object. Its error is errNotFound if it is in none of the folders. The bytes must not be changed.
func (o *objects) read(id oid) (plumbing.ObjectType, []byte, error) {
	dirs, packs, err := o.load()
	if err != nil {
		return 0, nil, err
	}
	var broken error
	for _, p := range packs {
		off, ok, err := p.offset(id)
		if err == nil && ok {
			var kind plumbing.ObjectType
			var data []byte
			if kind, data, err = p.read(&o.z, off); err == nil {
				return kind, data, nil
			}
		}
		if err != nil {
			broken = errors.Join(broken, err)
		}
	}
	for _, dir := range dirs {
		kind, data, err := o.loose(dir, id, false)
		if err == nil {
			return kind, data, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			broken = errors.Join(broken, err)
		}
	}
	if broken != nil {
		return 0, nil, broken
	}
	return 0, nil, errNotFound
}

// size gives an object's size without loading it.
func (o *objects) size(id oid) (int64, error) {
	dirs, packs, err := o.load()
	if err != nil {
		return 0, err
	}
	var broken error
	for _, p := range packs {
		off, ok, err := p.offset(id)
		if err == nil && ok {
			var n int64
			if n, err = p.length(&o.z, off); err == nil {
				return n, nil
			}
		}
		if err != nil {
			broken = errors.Join(broken, err)
		}
	}
	for _, dir := range dirs {
		_, data, err := o.loose(dir, id, true)
		if err == nil {
			return strconv.ParseInt(string(data), 10, 64)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			broken = errors.Join(broken, err)
		}
	}
	if broken != nil {
		return 0, broken
	}
	return 0, errNotFound
}

// loose reads an object that has a file of its own. With sizeOnly it gives the decimal size instead of the content.
func (o *objects) loose(dir string, id oid, sizeOnly bool) (plumbing.ObjectType, []byte, error) {
	name := id.String()
	f, err := os.Open(filepath.Join(dir, name[:2], name[2:]))
	if err != nil {
		return 0, nil, err
	}
	defer f.Close()
	z, err := o.z.reader(f)
	if err != nil {
		return 0, nil, fmt.Errorf("loose object %s: %w", name, err)
	}
	defer o.z.put(z)
	r := bufio.NewReaderSize(z, 512)
	// The head is "blob 1234\0"; 32 bytes are plenty.
	head, err := readHead(r)
	if err != nil {
		return 0, nil, fmt.Errorf("loose object %s: %w", name, err)
	}
	word, digits, _ := strings.Cut(head, " ")
	kind, err := plumbing.ParseObjectType(word)
	if err != nil {
		return 0, nil, fmt.Errorf("loose object %s: %w", name, err)
	}
	if sizeOnly {
		return kind, []byte(digits), nil
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 {
		return 0, nil, fmt.Errorf("loose object %s: damaged", name)
	}
	if n > maxObject {
		return 0, nil, ErrTooLarge
	}
	var buf bytes.Buffer
	if m, err := io.Copy(&buf, io.LimitReader(r, n)); err != nil || m != n {
		return 0, nil, fmt.Errorf("loose object %s: damaged", name)
	}
	return kind, buf.Bytes(), nil
}

func readHead(r *bufio.Reader) (string, error) {
	var head []byte
	for len(head) < 32 {
		c, err := r.ReadByte()
		if err != nil {
			return "", err
		}
		if c == 0 {
			return string(head), nil
		}
		head = append(head, c)
	}
	return "", errors.New("damaged")
}

// withPrefix gives the objects whose hex names begin with prefix (four digits or more), sorted, at most 512.
func (o *objects) withPrefix(prefix string) ([]oid, error) {
	whole, err := hex.DecodeString(prefix[:len(prefix)&^1])
	if err != nil {
		return nil, nil
	}
	dirs, packs, err := o.load()
	if err != nil {
		return nil, err
	}
	seen := map[oid]bool{}
	for _, p := range packs {
		ids, err := p.withPrefix(string(whole), 512)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if strings.HasPrefix(id.String(), prefix) {
				seen[id] = true
			}
		}
	}
	for _, dir := range dirs {
		entries, err := os.ReadDir(filepath.Join(dir, prefix[:2]))
		if err != nil {
			continue
		}
		for _, e := range entries {
			if id, ok := parseOID(prefix[:2]+e.Name(), o.hashLen); ok && strings.HasPrefix(id.String(), prefix) {
				seen[id] = true
			}
		}
	}
	ids := make([]oid, 0, len(seen))
	for id := range seen {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	return ids, nil
}

func (o *objects) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.packs {
		p.close()
	}
}
