package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"instep/cmd/internal/cli"
)

var update = flag.Bool("update", false, "rewrite the expected outputs in testdata/script and the generated documents")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"instep": main})
}

// TestScript runs terminal sessions. Besides testscript's own commands there are
//
//	release TAG...       commit each folder TAG as a whole tree to the repository "repo", and tag it
//	exits CODE CMD...    run a command, which must exit with exactly that code
func TestScript(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: no git on PATH: the terminal sessions need it to build their repositories")
	}
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("..", "..", "testdata", "script"),
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
			env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			env.Setenv("NO_COLOR", "1")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"release": release,
			"exits":   exits,
		},
	})
}

func release(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: release TAG...")
	}
	for _, tag := range args {
		dir := ts.MkAbs("repo")
		ts.Check(cli.CommitRelease(dir, os.DirFS(filepath.Join(ts.Getenv("WORK"), tag)), tag, false))
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s exits with %d, not %d", args[1], got, want)
	}
}
