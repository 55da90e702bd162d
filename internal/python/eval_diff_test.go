package python

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

var updateDiff = flag.Bool("update-diff", false, "write testdata/diff/*.out with what CPython prints")

// printed gives what a program prints, and its gaps.
func printed(src string) (string, []Gap) {
	var out bytes.Buffer
	ev := New(Config{FS: fstest.MapFS{"main.py": {Data: []byte(src)}}, Stdout: &out})
	defer ev.Close()
	ev.Load("main.py")
	return out.String(), ev.Gaps()
}

// TestDiff compares what programs print with what CPython 3.11 printed for them (testdata/diff/*.out).
func TestDiff(t *testing.T) {
	files, err := filepath.Glob("testdata/diff/*.py")
	if err != nil || len(files) == 0 {
		t.Fatal("no programs", err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(f, ".py") + ".out"
			if *updateDiff {
				out, err := exec.Command("/usr/bin/python3", "-I", f).Output()
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(golden, out, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			got, gaps := printed(string(src))
			for _, g := range gaps {
				t.Errorf("gap at %s: %s: %s", posString(g.Pos), g.What, g.Why)
			}
			gl, wl := strings.Split(got, "\n"), strings.Split(string(want), "\n")
			for i := range max(len(gl), len(wl)) {
				a, b := "(nothing)", "(nothing)"
				if i < len(gl) {
					a = gl[i]
				}
				if i < len(wl) {
					b = wl[i]
				}
				if a != b {
					t.Errorf("line %d:\n got %s\nwant %s", i+1, a, b)
				}
			}
		})
	}
}
