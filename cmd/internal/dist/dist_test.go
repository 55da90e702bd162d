package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// program is a module that stands in for instep, whose own build takes minutes without a cache. It prints what it is asked for.
var program = map[string]string{
	"go.mod":         "module instep\n\ngo 1.26\n",
	"LICENSE":        "a license\n",
	"README.md":      "read me\n",
	"cmd/it/main.go": "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nfunc main() { fmt.Println(os.Args[1:]) }\n",
}

func module(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range program {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestReproducible builds the same sources in two folders and compares all bytes. That instep itself is reproduced, with an empty
// cache, is what make reproduce tells.
func TestReproducible(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("SKIPPED, NOT TESTED: no go on PATH")
	}
	d := dist{pkg: "./cmd/it", binary: "it", version: "v1.2", targets: []string{runtime.GOOS + "/" + runtime.GOARCH}}
	var sums [][2]string
	var outs []string
	for range 2 {
		d.root, d.out = module(t), filepath.Join(t.TempDir(), "dist")
		if err := d.build(context.Background()); err != nil {
			t.Fatal(err)
		}
		s, err := sumsOf(d.out)
		if err != nil {
			t.Fatal(err)
		}
		if sums != nil {
			if diff := cmp.Diff(sums, s); diff != "" {
				t.Errorf("two folders give two releases (-first +second):\n%s", diff)
			}
		}
		sums, outs = s, append(outs, d.root)
	}
	if len(sums) != 2 {
		t.Fatalf("%d files, want 2: %v", len(sums), sums)
	}
	for _, s := range sums {
		if !strings.HasPrefix(s[0], "it_1.2_") {
			t.Errorf("file %s", s[0])
		}
		files := map[string][]byte{}
		switch data := read(t, filepath.Join(d.out, s[0])); {
		case strings.HasSuffix(s[0], ".tar.gz"):
			files = untar(t, data)
		case strings.HasSuffix(s[0], ".zip"):
			files = unzip(t, data)
		default:
			files[s[0]] = data
		}
		for name, data := range files {
			for _, dir := range outs {
				if bytes.Contains(data, []byte(dir)) {
					t.Errorf("%s: %s holds the folder it was built in", s[0], name)
				}
			}
		}
		if len(files) == 1 {
			continue
		}
		top := strings.TrimSuffix(strings.TrimSuffix(s[0], ".zip"), ".tar.gz")
		if got := string(files[top+"/man/it.1"]); got != "[man]\n" {
			t.Errorf("%s: the manual page is %q", s[0], got)
		}
		for _, name := range []string{"LICENSE", "README.md", "THIRD_PARTY_NOTICES", "completions/_it", "completions/it.bash", "completions/it.fish"} {
			if len(files[top+"/"+name]) == 0 {
				t.Errorf("%s has no %s", s[0], name)
			}
		}
	}
	if _, err := exec.LookPath("sha256sum"); err == nil {
		cmd := exec.Command("sha256sum", "-c", "--strict", "SHA256SUMS")
		cmd.Dir = d.out
		if out, err := cmd.CombinedOutput(); err != nil || bytes.Count(out, []byte(": OK\n")) != 2 {
			t.Errorf("sha256sum: %v\n%s", err, out)
		}
	}

	t.Run("materials", func(t *testing.T) { checkMaterials(t, read(t, filepath.Join(d.out, sums[0][0]))) })
}

func TestZipped(t *testing.T) {
	files := []file{{"man/it.1", 0o644, []byte("page")}, {"it.exe", 0o755, []byte("program")}, {"LICENSE", 0o644, []byte("a license")}}
	data, err := zipped("top", files)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{"top/man/it.1": []byte("page"), "top/it.exe": []byte("program"), "top/LICENSE": []byte("a license")}
	if diff := cmp.Diff(want, unzip(t, data)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDiffering(t *testing.T) {
	was := [][2]string{{"a", "1"}, {"b", "1"}, {"c", "1"}}
	if got := differing(was, was); len(got) != 0 {
		t.Errorf("a release differs from itself in %v", got)
	}
	is := [][2]string{{"a", "1"}, {"b", "2"}, {"d", "1"}}
	if diff := cmp.Diff([]string{"b", "c", "d"}, differing(was, is)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRefused(t *testing.T) {
	for _, version := range []string{"", "-x", "a b", "v1/../..", "v1 -X main.x=y"} {
		d := dist{root: module(t), out: filepath.Join(t.TempDir(), "dist"), version: version, pkg: "./cmd/it", binary: "it"}
		if err := d.build(context.Background()); err == nil || !strings.Contains(err.Error(), "-version") {
			t.Errorf("version %q: %v", version, err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.tex"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := replaceable(dir); err == nil {
		t.Error("a folder with a thesis would be removed")
	}
	if err := replaceable(filepath.Join(dir, "not-there")); err != nil {
		t.Error(err)
	}
}

// TestMaterials reads the test's own binary.
func TestMaterials(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := materials(read(t, self), "it", "v1+meta", "linux", "amd64")
	if err != nil {
		t.Fatal(err)
	}
	checkMaterials(t, b)
	if !strings.Contains(string(b), "pkg:golang/instep@v1%2Bmeta?goarch=amd64&goos=linux") {
		t.Errorf("%s", b)
	}
	// A test's binary does not tell its modules.
	want := component{Type: "library", Ref: "pkg:golang/github.com/x/y%20z/v2@v2.0.0%2Bincompatible", Name: "github.com/x/y z/v2", Version: "v2.0.0+incompatible",
		PURL: "pkg:golang/github.com/x/y%20z/v2@v2.0.0%2Bincompatible", Properties: []property{{"go:sum", "h1:abc="}}}
	if diff := cmp.Diff(want, moduleOf(&debug.Module{Path: "github.com/x/y z/v2", Version: "v2.0.0+incompatible", Sum: "h1:abc="})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := materials([]byte("no program"), "it", "v1", "linux", "amd64"); err == nil {
		t.Error("a text is taken for a program")
	}
}

// checkMaterials holds a bill of materials to what CycloneDX 1.5 demands of the keys used here. It was held once to the whole
// schema of the specification.
func checkMaterials(t *testing.T, data []byte) {
	t.Helper()
	var b bom
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&b); err != nil {
		t.Fatal(err)
	}
	if b.Format != "CycloneDX" || b.SpecVersion != "1.5" || b.Version != 1 {
		t.Errorf("%s %s %d", b.Format, b.SpecVersion, b.Version)
	}
	refs := map[string]bool{}
	std := false
	for _, c := range append(b.Components, b.Metadata.Component) {
		if refs[c.Ref] || c.Ref == "" {
			t.Errorf("bom-ref %q is empty or stands twice", c.Ref)
		}
		refs[c.Ref] = true
		if c.Name == "" || c.Version == "" || !strings.HasPrefix(c.PURL, "pkg:golang/") || strings.ContainsAny(c.PURL, " +\"") {
			t.Errorf("component %+v", c)
		}
		std = std || c.Name == "std"
	}
	if !std {
		t.Error("the standard library is missing")
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func untar(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if !z.ModTime.IsZero() || z.Name != "" {
		t.Errorf("gzip tells a time or a name: %v %q", z.ModTime, z.Name)
	}
	files := map[string][]byte{}
	last := ""
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		if !h.ModTime.Equal(past) || h.Uid != 0 || h.Gid != 0 || h.Name < last {
			t.Errorf("%s: %v, owner %d:%d, after %s", h.Name, h.ModTime, h.Uid, h.Gid, last)
		}
		if want := h.FileInfo().Name() == "it"; want != (h.FileInfo().Mode().Perm() == 0o755) {
			t.Errorf("%s has mode %v", h.Name, h.FileInfo().Mode())
		}
		last = h.Name
	}
}

func unzip(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range r.File {
		if !f.Modified.Equal(past) {
			t.Errorf("%s: %v", f.Name, f.Modified)
		}
		if files[f.Name], err = fs.ReadFile(r, f.Name); err != nil {
			t.Fatal(err)
		}
	}
	return files
}
