package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrows is the table of DESIGN §3: which of our packages a package may import. A package that is not in it, and is
// not below one that is, fails the test: an arrow is drawn here before it is drawn in code.
var arrows = map[string][]string{
	"cmd/instep":               {"cmd/internal/cli"},
	"cmd/internal/cli":         {"*"},
	"cmd/internal/dist":        {}, // for packagers: make dist
	"cmd/internal/report":      {"analyzer", "analyzer/schema"},
	"analyzer":                 {"analyzer/schema"},
	"analyzer/rules":           {"analyzer", "analyzer/schema"},
	"analyzer/usage":           {"analyzer", "analyzer/schema", "internal/python", "internal/sqlalchemy", "internal/django"},
	"analyzer/schema":          {},
	"migrate":                  {"analyzer/schema", "internal/python", "internal/sqlalchemy", "internal/django"},
	"internal/sqlalchemy":      {"internal/python", "analyzer/schema"},
	"internal/django":          {"internal/python", "analyzer/schema"},
	"simulate":                 {"analyzer", "analyzer/schema"},
	"simulate/servertest":      {},
	"internal/bot":             {"internal/forge"},
	"internal/forge":           {},
	"internal/forge/forgetest": {},
	"internal/gitfs":           {},
	"internal/python":          {},
}

// pure packages do no I/O and never read a clock.
var pure = []string{"analyzer", "analyzer/rules", "analyzer/schema"}

// impure is what a pure package must not import, directly.
var impure = []string{"os", "os/exec", "os/signal", "net", "net/http", "log", "log/slog", "context", "time", "io/ioutil"}

// only names the packages that may import a module; nobody else may.
var only = map[string][]string{
	"github.com/pingcap/tidb/pkg/parser": {"analyzer/schema"},
	"github.com/go-git/":                 {"internal/gitfs"},
	"github.com/ory/dockertest/":         {"simulate", "simulate/servertest"},
	"github.com/go-sql-driver/mysql":     {"simulate", "simulate/servertest"},
	"github.com/google/go-github/":       {"internal/forge"},
	"go.etcd.io/bbolt":                   {"internal/bot"},
	"github.com/prometheus/":             {"internal/bot"},
	"github.com/spf13/cobra":             {"cmd/internal/cli"},
}

func TestArchitecture(t *testing.T) {
	type pkg struct {
		ImportPath string
		Imports    []string
	}
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "instep/...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var seen int
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		name := strings.TrimPrefix(p.ImportPath, "instep/")
		allowed, known := arrows[name]
		if !known {
			t.Errorf("package %s is not in the table of arrows", name)
			continue
		}
		for _, imp := range p.Imports {
			if ours, ok := strings.CutPrefix(imp, "instep/"); ok {
				if !slices.Contains(allowed, ours) && !slices.Contains(allowed, "*") {
					t.Errorf("%s must not import %s", name, ours)
				}
				continue
			}
			if slices.Contains(pure, name) && (slices.Contains(impure, imp) || strings.HasPrefix(imp, "net/")) {
				t.Errorf("%s is pure and must not import %s", name, imp)
			}
			for module, owners := range only {
				if strings.HasPrefix(imp+"/", strings.TrimSuffix(module, "/")+"/") && !slices.Contains(owners, name) {
					t.Errorf("%s must not import %s: only %s may", name, imp, strings.Join(owners, ", "))
				}
			}
			if name == "internal/python" && strings.Contains(strings.Split(imp, "/")[0], ".") {
				t.Errorf("%s uses the standard library only, not %s", name, imp)
			}
		}
	}
	if seen < 5 {
		t.Errorf("go list found only %d packages", seen)
	}
}
