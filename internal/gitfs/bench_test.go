package gitfs

import (
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"testing"
)

// synthetic makes a packed repository with a history of 300 commits, 1,500 files and 4,000 tags. git fast-import
// makes it in a moment.
func synthetic(b *testing.B) string {
	s := initRepo(b)
	var in strings.Builder
	mark := func(i int, msg string) {
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter C <c@example.org> %d +0000\ndata %d\n%s\n", 1_700_000_000+i*3600, len(msg), msg)
	}
	file := func(name, text string) { fmt.Fprintf(&in, "M 644 inline %s\ndata %d\n%s\n", name, len(text), text) }
	mark(0, "start")
	for i := range 1500 {
		var text strings.Builder
		for j := range 60 {
			fmt.Fprintf(&text, "line %d of file %d: %x\n", j, i, (i+1)*(j+7)*2654435761)
		}
		file(fmt.Sprintf("src/p%02d/m%d/f%d.py", i%50, i%7, i), text.String())
	}
	in.WriteByte('\n')
	for i := range 300 {
		mark(i+1, fmt.Sprintf("commit %d", i))
		if i%5 == 0 {
			file(fmt.Sprintf("db/%04d_x.sql", i), fmt.Sprintf("CREATE TABLE t%d (id INT NOT NULL PRIMARY KEY, name VARCHAR(%d));\n", i, i+1))
		}
		file(fmt.Sprintf("src/p%02d/m%d/f%d.py", i%50, i%7, i), fmt.Sprintf("changed %d\n", i))
		in.WriteByte('\n')
		for j := range 14 {
			fmt.Fprintf(&in, "reset refs/tags/v%d.%d\nfrom refs/heads/main\n\n", i, j)
		}
	}
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir = s.dir
	cmd.Stdin = strings.NewReader(in.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("git fast-import: %v\n%s", err, out)
	}
	s.git("pack-refs", "--all")
	s.git("repack", "-qadf")
	return s.dir
}

// BenchmarkTwoCommits is what a check asks of this package: two tags resolved, all files listed, sixty of each read.
func BenchmarkTwoCommits(b *testing.B) {
	dir := synthetic(b)
	b.ReportAllocs()
	for b.Loop() {
		r, err := Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		for _, rev := range []string{"v250.0", "v299.13"} {
			c, err := r.Resolve(rev)
			if err != nil {
				b.Fatal(err)
			}
			fsys := r.FS(c)
			files, err := fsys.Files()
			if err != nil {
				b.Fatal(err)
			}
			for _, name := range files[:60] {
				if _, err := fs.ReadFile(fsys, name); err != nil {
					b.Fatal(err)
				}
			}
		}
		r.Close()
	}
}

// BenchmarkResolve looks a tag up among 4,000 packed ones.
func BenchmarkResolve(b *testing.B) {
	r := open(b, synthetic(b))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Resolve("v299.13"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTags lists all of them in the order of their versions.
func BenchmarkTags(b *testing.B) {
	dir := synthetic(b)
	b.ReportAllocs()
	for b.Loop() {
		r, err := Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		if tags, err := r.Tags("v*"); err != nil || len(tags) != 4200 {
			b.Fatal(len(tags), err)
		}
		r.Close()
	}
}
