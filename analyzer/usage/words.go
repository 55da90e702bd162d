// Package usage tells what a service's code does with a schema.
//
// So far it knows declared access, the default assumption that code at a ref uses all of that ref's schema, and
// words: places in the sources where the name of an object stands. A word is evidence for a use, never against one:
// names are often built at run time (a column base_memory need stand nowhere in sources that derive it from memory).
package usage

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
)

const (
	maxSource = 1 << 20 // bytes; a larger file is data or generated
	maxTotal  = 64 << 20
	maxText   = 160 // bytes of a line that are quoted
)

// A Place is a line of a source file in which a word stands.
type Place struct {
	File string
	Line int
	Text string // the line, trimmed and cut
}

// A Tree is the files of a commit. What several services share of it is read once.
type Tree struct {
	fsys  fs.FS
	files []string
	texts map[string][]byte // read so far
	total int
}

// NewTree gives the tree that fsys holds. files are all its regular files, sorted.
func NewTree(fsys fs.FS, files []string) *Tree {
	return &Tree{fsys: fsys, files: files, texts: map[string][]byte{}}
}

// Sources are the files of a tree that belong to a service or consumer.
type Sources struct {
	tree  *Tree
	files []string
}

// Select gives the files that the globs name. A glob that starts with "!" takes files out again; the last glob that
// matches decides, as in .gitignore. No globs: no files.
func (t *Tree) Select(globs []string) *Sources {
	s := &Sources{tree: t}
	if len(globs) == 0 {
		return s
	}
	for _, f := range t.files {
		in := false
		for _, g := range globs {
			if pattern, out := strings.CutPrefix(g, "!"); doublestar.MatchUnvalidated(pattern, f) {
				in = !out
			}
		}
		if in && !notSource(f) {
			s.files = append(s.files, f)
		}
	}
	return s
}

// notSource tells files that name objects without using them, or are no text.
func notSource(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".md", ".rst", ".txt", ".lock", ".svg", ".png", ".jpg", ".gif", ".ico", ".pdf", ".gz", ".zip", ".xz", ".woff", ".woff2", ".ttf", ".map", ".pyc", ".jar", ".class", ".so":
		return true
	}
	return false
}

// Files gives the names of the files, sorted.
func (s *Sources) Files() []string { return s.files }

// Find gives up to limit places where word stands as a whole word, in order of files and lines. With near words, only
// files that hold one of them too are looked at: a column's name means little where its table's does not stand.
func (s *Sources) Find(word string, near []string, limit int) []Place {
	if word == "" {
		return nil
	}
	var places []Place
	for _, f := range s.files {
		if len(places) >= limit {
			break
		}
		src := s.tree.read(f)
		if nextWord(src, word, 0) < 0 {
			continue
		}
		if len(near) > 0 && !slices.ContainsFunc(near, func(w string) bool { return nextWord(src, w, 0) >= 0 }) {
			continue
		}
		places = append(places, placesIn(f, src, word, limit-len(places))...)
	}
	return places
}

// read gives a file's text; nil for what is no readable text, which can only cost evidence.
func (t *Tree) read(name string) []byte {
	if src, ok := t.texts[name]; ok {
		return src
	}
	var src []byte
	if info, err := fs.Stat(t.fsys, name); err == nil && info.Mode().IsRegular() && info.Size() <= maxSource && t.total < maxTotal {
		if b, err := fs.ReadFile(t.fsys, name); err == nil && bytes.IndexByte(b[:min(len(b), 8000)], 0) < 0 {
			src = b
			t.total += len(b)
		}
	}
	t.texts[name] = src
	return src
}

func placesIn(file string, src []byte, word string, limit int) []Place {
	var places []Place
	line, counted := 1, 0
	for at := nextWord(src, word, 0); at >= 0 && len(places) < limit; {
		line += bytes.Count(src[counted:at], []byte{'\n'})
		counted = at
		start := bytes.LastIndexByte(src[:at], '\n') + 1
		end := len(src)
		if i := bytes.IndexByte(src[at:], '\n'); i >= 0 {
			end = at + i
		}
		places = append(places, Place{file, line, quote(src[start:end])})
		at = nextWord(src, word, end) // one place a line
	}
	return places
}

// quote makes a line of a stranger's file fit to be shown: trimmed, cut, valid, without control characters.
func quote(line []byte) string {
	text := strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, string(bytes.TrimSpace(line)))
	if len(text) > maxText {
		cut := maxText
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	return text
}

// nextWord gives the offset of the first whole-word occurrence of word at or after from, or -1.
func nextWord(src []byte, word string, from int) int {
	for from <= len(src) {
		i := bytes.Index(src[from:], []byte(word))
		if i < 0 {
			return -1
		}
		at, end := from+i, from+i+len(word)
		if (at == 0 || !wordByte(src[at-1])) && (end == len(src) || !wordByte(src[end])) {
			return at
		}
		from = at + 1
	}
	return -1
}

func wordByte(b byte) bool {
	return b == '_' || b == '$' || b >= 0x80 || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}
