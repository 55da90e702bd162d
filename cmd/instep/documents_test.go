package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"instep/cmd/internal/cli"
)

// run gives what a command prints.
func run(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := cli.Run(context.Background(), args, &stdout, &stderr); code != 0 {
		t.Fatalf("instep %s exits with %d\n%s", strings.Join(args, " "), code, stderr.String())
	}
	return stdout.String()
}

// upToDate compares a document with what it should be; -update writes it.
func upToDate(t *testing.T, name, want string) {
	t.Helper()
	name = filepath.Join("..", "..", name)
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is stale: run make generate (-want +got):\n%s", name, diff)
	}
}

func TestRulesDocument(t *testing.T) {
	upToDate(t, "docs/rules.md", run(t, "rules", "--format", "markdown"))
}

// session is the block in the README that shows a real run.
var session = regexp.MustCompile("(?s)(<!-- session -->\n```\n).*?(```\n)")

func TestReadme(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: no git on PATH: the session in the README is run in a repository that git builds")
	}
	name := filepath.Join("..", "..", "README.md")
	readme, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(session.FindAll(readme, -1)) != 1 {
		t.Fatal("README.md has no block after <!-- session -->")
	}
	// The demo's second release, up to what it costs: the rest is in the demo.
	out := run(t, "demo")
	_, out, ok := strings.Cut(out, "\n\n$ ")
	if !ok {
		t.Fatalf("demo prints no second session:\n%s", out)
	}
	out, _, _ = strings.Cut("$ "+out, "\nMigrations\n")
	want := session.ReplaceAllFunc(readme, func(block []byte) []byte {
		m := session.FindSubmatch(block)
		return []byte(string(m[1]) + strings.TrimRight(out, "\n") + "\n" + string(m[2]))
	})
	upToDate(t, "README.md", string(want))
}

// TestReadmeCommands holds the README to its word: its two set-up commands exist.
func TestReadmeCommands(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"    go run ./cmd/instep demo\n", "    make test\n"} {
		if !strings.Contains(string(readme), command) {
			t.Errorf("README.md does not give the command %q", strings.TrimSpace(command))
		}
	}
	if !strings.Contains(string(makefile), "\ntest:") {
		t.Error("the Makefile has no target test")
	}
}
