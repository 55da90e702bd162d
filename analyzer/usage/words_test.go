package usage

import (
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestSelect(t *testing.T) {
	fsys := fstest.MapFS{}
	all := []string{"README.md", "src/admin/a.py", "src/app/b.py", "src/app/web/c.py", "src/logo.png", "tools/d.py"}
	for _, test := range []struct {
		name  string
		globs []string
		want  []string
	}{
		{"no globs, no files", nil, nil},
		{"a folder", []string{"src/**"}, []string{"src/admin/a.py", "src/app/b.py", "src/app/web/c.py"}},
		{"taken out", []string{"src/**", "!src/app/**"}, []string{"src/admin/a.py"}},
		{"the last match decides", []string{"src/**", "!src/app/**", "src/app/web/*"}, []string{"src/admin/a.py", "src/app/web/c.py"}},
		{"documents and pictures are no code", []string{"**"}, []string{"src/admin/a.py", "src/app/b.py", "src/app/web/c.py", "tools/d.py"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, NewTree(fsys, all).Select(test.globs).Files()); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFind(t *testing.T) {
	fsys := fstest.MapFS{
		"a.py":     {Data: []byte("nick = 1\nnickname = 2\n")},
		"b.py":     {Data: []byte("users = []\n\n\tq = select(users.c.nick, nick)  \nold_nick\nnick")},
		"big.py":   {Data: []byte("users nick " + strings.Repeat("x", maxSource))},
		"bin.py":   {Data: []byte("users nick\x00")},
		"ctrl.py":  {Data: []byte("nick \x1b[31m \xff" + strings.Repeat("é", 100))},
		"other.py": {Data: []byte("nothing")},
	}
	all := []string{"a.py", "b.py", "big.py", "bin.py", "ctrl.py", "other.py"}
	s := NewTree(fsys, all).Select([]string{"**"})
	near := s.Find("nick", []string{"users"}, 5)
	if diff := cmp.Diff([]Place{
		{"b.py", 3, "q = select(users.c.nick, nick)"},
		{"b.py", 5, "nick"},
	}, near); diff != "" {
		t.Errorf("beside the table's name (-want +got):\n%s", diff)
	}
	if got := s.Find("nick", []string{"users"}, 1); len(got) != 1 {
		t.Errorf("limit 1 gave %d places", len(got))
	}
	if got := s.Find("nick", []string{"nowhere"}, 9); got != nil {
		t.Errorf("without the table's name: %+v", got)
	}
	all4 := s.Find("nick", nil, 9)
	if len(all4) != 4 || all4[0] != (Place{"a.py", 1, "nick = 1"}) || all4[3].File != "ctrl.py" {
		t.Errorf("a word by itself: %+v", all4)
	}
	if text := all4[3].Text; strings.ContainsRune(text, 0x1b) || !utf8.ValidString(text) || len(text) > maxText+len("…") || !strings.HasSuffix(text, "é…") {
		t.Errorf("a hostile line is quoted as %q", text)
	}
	if got := s.Find("users", nil, 9); len(got) != 2 {
		t.Errorf("another word by itself: %+v", got)
	}
}
