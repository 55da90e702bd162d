package migrate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"instep/analyzer/schema"
	"instep/simulate/servertest"
)

// realPython gives the Python interpreter that has the named modules. Debian's packages install them for /usr/bin/python3
// only, so that this one is tried first.
func realPython(t testing.TB, modules ...string) string {
	t.Helper()
	var tried []string
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		p, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := exec.Command(p, "-c", "import "+strings.Join(modules, ", ")).CombinedOutput()
		if err == nil {
			return p
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		tried = append(tried, p+": "+lines[len(lines)-1])
	}
	if servertest.Required("python") {
		t.Fatalf("no Python with %v, and INSTEP_REQUIRE names python: %v", modules, tried)
	}
	t.Skipf("SKIPPED, NOT TESTED: no Python with %v: %v", modules, tried)
	return ""
}

// An oracleLine is one line that testdata/oracle/run.py prints.
type oracleLine struct {
	ID         string
	Statements []string
	Schema     map[string]string
	Error      string
	Order      []string
	Heads      []string
}

// runOracle runs testdata/oracle/run.py.
func runOracle(t testing.TB, python string, args ...string) []oracleLine {
	t.Helper()
	cmd := exec.Command(python, append([]string{"testdata/oracle/run.py"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, stderr.String())
	}
	var lines []oracleLine
	scan := bufio.NewScanner(bytes.NewReader(out))
	scan.Buffer(nil, 64<<20)
	for scan.Scan() {
		var line oracleLine
		if err := json.Unmarshal(scan.Bytes(), &line); err != nil {
			t.Fatalf("run.py printed %q: %v", scan.Text(), err)
		}
		lines = append(lines, line)
	}
	return lines
}

// TestAlembicOrder compares the order of revisions with real Alembic's on random graphs with branches, merges,
// dependencies and labels.
func TestAlembicOrder(t *testing.T) {
	python := realPython(t, "alembic")
	rnd := rand.New(rand.NewPCG(1, 2))
	base := t.TempDir()
	var dirs []string
	for n := range 300 {
		dir := filepath.Join(base, fmt.Sprintf("g%03d", n))
		writeGraph(t, rnd, filepath.Join(dir, "versions"))
		dirs = append(dirs, dir)
	}
	lines := runOracle(t, python, append([]string{"graph"}, dirs...)...)
	refused := 0
	for i, dir := range dirs {
		h, err := readAlembic(os.DirFS(dir), ".")
		if err != nil {
			t.Fatal(err)
		}
		want := lines[i]
		if want.Error != "" {
			refused++
			if len(h.Gaps) == 0 {
				t.Errorf("%s: Alembic says %q, we have no gap\n%s", dir, want.Error, graphText(dir))
			}
			continue
		}
		var got []string
		for _, r := range h.Revisions {
			got = append(got, r.ID)
		}
		cycle := slices.ContainsFunc(h.Gaps, func(g schema.Gap) bool { return strings.Contains(g.Why, "cycle") })
		if cycle {
			continue // Alembic overlooks cycles that mix both kinds of edges; the order then means nothing
		}
		if !slices.Equal(got, want.Order) {
			t.Errorf("order\n got %v\nwant %v\n%s", got, want.Order, graphText(dir))
		}
		for _, g := range h.Gaps {
			if !strings.Contains(g.What, "heads") {
				t.Errorf("%s: a gap that Alembic does not see: %v\n%s", dir, g, graphText(dir))
			}
		}
	}
	if refused == 0 || refused == len(dirs) {
		t.Errorf("%d of %d random graphs are refused by Alembic: the test says nothing about the others", refused, len(dirs))
	}
}

// writeGraph writes a random history.
func writeGraph(t *testing.T, rnd *rand.Rand, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	n := 1 + rnd.IntN(12)
	names := rnd.Perm(n)
	var labels []string
	for i := range n {
		pick := func() string {
			if rnd.IntN(60) == 0 {
				return fmt.Sprintf("r%02d", rnd.IntN(n+1)) // perhaps itself, a later one or none: Alembic refuses
			}
			return fmt.Sprintf("r%02d", max(0, i-1-rnd.IntN(4)))
		}
		down := "None"
		switch r := rnd.IntN(10); {
		case i == 0 || r == 0:
		case r < 3 && i > 2:
			down = fmt.Sprintf("(%q, %q)", pick(), pick())
		default:
			down = fmt.Sprintf("%q", pick())
		}
		deps := "None"
		if i > 0 && rnd.IntN(4) == 0 {
			deps = fmt.Sprintf("%q", pick())
			if len(labels) > 0 && rnd.IntN(3) == 0 {
				deps = fmt.Sprintf("[%q]", labels[rnd.IntN(len(labels))]) // Alembic's order among several is that of a set of strings
			}
		}
		label := "None"
		if rnd.IntN(6) == 0 {
			l := fmt.Sprintf("label%d", rnd.IntN(20))
			labels = append(labels, l)
			label = fmt.Sprintf("(%q,)", l)
		}
		text := fmt.Sprintf("revision = 'r%02d'\ndown_revision = %s\nbranch_labels = %s\ndepends_on = %s\n\n\ndef upgrade():\n    pass\n", i, down, label, deps)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.py", names[i])), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func graphText(dir string) string {
	files, _ := filepath.Glob(filepath.Join(dir, "versions", "*.py"))
	var b strings.Builder
	for _, f := range files {
		text, _ := os.ReadFile(f)
		head, _, _ := strings.Cut(string(text), "\n\n")
		b.WriteString(filepath.Base(f) + ": " + strings.ReplaceAll(head, "\n", "; ") + "\n")
	}
	return b.String()
}
