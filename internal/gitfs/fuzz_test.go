package gitfs

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzTree holds that whatever stands in a tree object, its entries are sorted, and each can be a name in a path.
func FuzzTree(f *testing.F) {
	id := strings.Repeat("\x01", 20)
	f.Add([]byte("100644 a\x00" + id + "40000 b\x00" + id))
	f.Add([]byte("100644 b\x00" + id + "100644 a\x00" + id + "160000 m\x00" + id))
	f.Add([]byte("100644 ../x\x00" + id + "120000 ..\x00" + id))
	f.Add([]byte("1 \x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, hashLen := range []int{20, 32} {
			tr, err := parseTree(data, hashLen)
			if err != nil {
				continue
			}
			if !slices.IsSortedFunc(tr.entries, func(a, b entry) int { return strings.Compare(a.name, b.name) }) {
				t.Error("not sorted")
			}
			for _, e := range tr.entries {
				if utf8.ValidString(e.name) && (!fs.ValidPath(e.name) || e.name == "." || strings.Contains(e.name, "/")) || len(e.id) != hashLen {
					t.Errorf("%q with an id of %d bytes", e.name, len(e.id))
				}
			}
		}
	})
}

// FuzzRev holds that no revision makes the search for references leave the git folder, or take long.
func FuzzRev(f *testing.F) {
	for _, rev := range []string{"HEAD", "v1.0^{}~3^2", "a^^^", "x~999999999", "../../etc/passwd", "@{u}", ":/x", "a..b", "refs/heads/../../config", "^", "~", "x^{commit}"} {
		f.Add(rev)
	}
	f.Fuzz(func(t *testing.T, rev string) {
		name, steps, plain := splitRev(rev)
		if !strings.HasPrefix(rev, name) || len(steps) > 1_000_000 || plain && name == "" {
			t.Errorf("splitRev(%q) = %q, %d steps, %v", rev, name, len(steps), plain)
		}
		if validRef(name) && (!fs.ValidPath(name) || strings.Contains(name, "..") || strings.HasPrefix(name, "/")) {
			t.Errorf("%q is taken for a reference", name)
		}
	})
}
