package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"instep/cmd/internal/cli"
)

// An action is what the tests look at in action.yml.
type action struct {
	Inputs map[string]struct {
		Required bool
		Default  string
	}
	Outputs map[string]struct{ Value string }
	Runs    struct {
		Using string
		Steps []step
	}
}

// A step is one of an action or of a job.
type step struct {
	ID, Name, If, Uses, Run, Shell string
	With, Env                      map[string]string
}

func readAction(t *testing.T) action {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("..", "..", "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(src, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// programs looks for what a test runs besides instep.
func programs(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("SKIPPED, NOT TESTED: no %s on PATH", name)
		}
	}
}

// demoRepo makes a repository of the demo's three releases.
func demoRepo(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repo")
	demo := os.DirFS(filepath.Join("..", "internal", "cli", "demo"))
	for _, tag := range []string{"v1.0", "v1.1", "v1.2"} {
		if err := cli.CommitRelease(dir, sub(t, demo, tag), tag, true); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// expression is what GitHub puts in before anything runs.
var expression = regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`)

// TestAction runs the scripts of action.yml in bash, with inputs as a stranger would choose them. What it cannot do: GitHub's
// runner itself, actions/setup-go, and the comment's way to GitHub (that step runs with --dry-run).
func TestAction(t *testing.T) {
	a := readAction(t)
	used := map[string]bool{}
	for _, s := range a.Runs.Steps {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("step %q: an expression in a script is text of a stranger in a script", s.Name)
		}
		if (s.Run == "") == (s.Uses == "") || (s.Run != "") != (s.Shell == "bash") {
			t.Errorf("step %q: a step uses an action, or runs a script in bash", s.Name+s.Uses)
		}
		text := s.If + " "
		for _, v := range s.Env {
			text += v + " "
		}
		for name := range a.Inputs {
			if regexp.MustCompile(`\binputs\.` + regexp.QuoteMeta(name) + `\b`).MatchString(text) {
				used[name] = true
			}
		}
		for _, m := range regexp.MustCompile(`\binputs\.([a-z-]+)`).FindAllStringSubmatch(text, -1) {
			if _, ok := a.Inputs[m[1]]; !ok {
				t.Errorf("step %q: there is no input %s", s.Name, m[1])
			}
		}
	}
	for name := range a.Inputs {
		if !used[name] {
			t.Errorf("the input %s is not used", name)
		}
	}
	programs(t, "git", "bash", "awk", "sed")

	// The build itself takes minutes where nothing is cached: go is a stand-in that holds its command line to what is expected, and
	// gives the test's own instep.
	t.Run("build", func(t *testing.T) {
		r := newRunner(t, a)
		root, err := filepath.Abs(filepath.Join("..", ".."))
		if err != nil {
			t.Fatal(err)
		}
		real, err := exec.LookPath("instep")
		if err != nil {
			t.Fatal(err)
		}
		fake := t.TempDir()
		write(t, filepath.Join(fake, "go"), "#!/bin/bash\n"+
			`[ "$CGO_ENABLED $PWD $*" = "0 `+root+` build -trimpath -buildvcs=false -o $RUNNER_TEMP/instep-bin/ ./cmd/instep" ] || { echo "go $*"; exit 1; }`+"\n"+
			`mkdir -p "$RUNNER_TEMP/instep-bin" && cp '`+real+`' "$RUNNER_TEMP/instep-bin/"`+"\n")
		r.env["PATH"] = fake + string(filepath.ListSeparator) + r.env["PATH"]
		r.env["GITHUB_ACTION_PATH"] = root
		if code, out := r.step("Build instep", nil); code != 0 {
			t.Fatalf("exits with %d\n%s", code, out)
		}
		if info, err := os.Stat(filepath.Join(strings.TrimSpace(r.file("path")), "instep")); err != nil || info.Mode()&0o100 == 0 {
			t.Errorf("no program where PATH says: %v", err)
		}
	})

	const check = "Which service goes first?"
	demo := demoRepo(t)

	t.Run("check", func(t *testing.T) {
		r := newRunner(t, a)
		r.dir = demo
		code, out := r.step(check, map[string]string{"deployed": "v1.0", "target": "v1.1", "format": "github, sarif,html", "order": "admin,app"})
		if code != 0 || !strings.Contains(out, "::notice title=instep v1.0") {
			t.Errorf("exits with %d\n%s", code, out)
		}
		got := r.outputs()
		report := got["report"]
		delete(got, "report")
		if diff := cmp.Diff(map[string]string{"verdict": "ordered", "order": `["admin","app"]`}, got); diff != "" {
			t.Errorf("outputs (-want +got):\n%s", diff)
		}
		for _, name := range []string{"report.json", "instep.sarif", "instep.html"} {
			if info, err := os.Stat(filepath.Join(filepath.Dir(report), name)); err != nil || info.Size() == 0 {
				t.Errorf("%s: %v", name, err)
			}
		}
		if !strings.Contains(r.file("summary"), "admin") {
			t.Errorf("the summary:\n%s", r.file("summary"))
		}
	})

	t.Run("unmet", func(t *testing.T) {
		r := newRunner(t, a)
		r.dir = demo
		code, out := r.step(check, map[string]string{"deployed": "v1.1", "target": "v1.2", "format": "github", "fail-on": "irreversible,window"})
		if code != 1 || !strings.Contains(out, "--fail-on window") || r.outputs()["verdict"] != "ordered" {
			t.Errorf("exits with %d, outputs %v\n%s", code, r.outputs(), out)
		}
	})

	t.Run("no safe order", func(t *testing.T) {
		r := newRunner(t, a)
		r.dir = demo
		config := filepath.Join(t.TempDir(), "c.yaml")
		write(t, config, "server: mysql 8.4\n")
		code, out := r.step(check, map[string]string{"deployed": "v1.0", "target": "v1.2", "format": "junit", "config": config})
		got := r.outputs()
		if code != 1 || got["verdict"] != "split" || got["order"] != "[]" {
			t.Errorf("exits with %d, outputs %v\n%s", code, got, out)
		}
	})

	t.Run("shallow", func(t *testing.T) {
		r := newRunner(t, a)
		r.dir = filepath.Join(t.TempDir(), "clone")
		if out, err := exec.Command("git", "clone", "-q", "--depth=1", "--branch=v1.1", "file://"+demo, r.dir).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, test := range []struct{ deployed, want, verdict string }{
			{"v1.0", "instep v1.0 ", "ordered"},
			{"admin=v1.0\n\n  app = v1.0\n", "instep v1.0 ", "ordered"},
			{"latest-tag", "instep v1.2 ", "unproven"}, // only the remote has it
		} {
			_, out := r.step(check, map[string]string{"deployed": test.deployed, "format": "github"})
			if r.outputs()["verdict"] != test.verdict || !strings.Contains(out, test.want) {
				t.Errorf("%q: outputs %v\n%s", test.deployed, r.outputs(), out)
			}
		}
	})

	t.Run("hostile names", func(t *testing.T) {
		r := newRunner(t, a)
		r.dir = demo
		config := filepath.Join(t.TempDir(), "$(touch PWNED) c.yaml")
		write(t, config, `services:
  "a\"],\nverdict=no-change": {migrates: true}
  "\"order\": [": {access: read}
  "]": {access: read}
`)
		_, out := r.step(check, map[string]string{"deployed": "v1.0", "target": "v1.1", "config": config, "format": "github"})
		got := r.outputs()
		var order []string
		if err := json.Unmarshal([]byte(got["order"]), &order); err != nil || got["verdict"] == "no-change" || len(got) != 3 {
			t.Fatalf("outputs %q: %v\n%s", got, err, out)
		}
		slices.Sort(order)
		if diff := cmp.Diff([]string{`"order": [`, "]", "a\"],\nverdict=no-change"}, order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})

	for _, hostile := range []string{
		"$(touch PWNED)", "`touch PWNED`", `"; touch PWNED; "`, "'; touch PWNED; '", "--output=PWNED", "-oPWNED", "v1.0\nverdict=no-change", "", "*", "-- -h", "\\",
	} {
		t.Run("hostile", func(t *testing.T) {
			for _, input := range []string{"deployed", "target", "directory", "config", "config-from", "format", "fail-on", "order"} {
				if hostile == "" && input != "deployed" {
					continue // left out
				}
				r := newRunner(t, a)
				r.dir = demo
				in := map[string]string{"deployed": "v1.0", "target": "v1.1", "format": "github"}
				in[input] = hostile
				code, out := r.step(check, in)
				if code != 2 {
					t.Errorf("%s %q: exits with %d\n%s", input, hostile, code, out)
				}
				if got := r.outputs(); got["verdict"] != "" && input != "format" {
					t.Errorf("%s %q: outputs %q", input, hostile, got)
				}
				for _, dir := range []string{demo, r.temp} {
					filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
						if strings.HasPrefix(filepath.Base(path), "PWNED") {
							t.Errorf("%s %q: %s was made", input, hostile, path)
							os.Remove(path)
						}
						return err
					})
				}
			}
		})
	}

	t.Run("comment", func(t *testing.T) {
		r := newRunner(t, a)
		r.dir = demo
		r.env["PATH"] = dryInstep(t, r.env["PATH"])
		r.env["GITHUB_REPOSITORY"] = "owner/name"
		report := filepath.Join(t.TempDir(), "report.json")
		run(t, "-C", demo, "v1.0", "v1.1", "--format=json", "--output="+report)
		r.expressions = map[string]string{"steps.check.outputs.report": report, "github.event.pull_request.number": "7"}
		if code, out := r.step("Comment", map[string]string{"token": "secret"}); code != 0 || !strings.Contains(out, "Deploy admin first, then app") {
			t.Errorf("exits with %d\n%s", code, out)
		}
	})
}

// A runner plays GitHub's for one step.
type runner struct {
	t           *testing.T
	action      action
	dir, temp   string
	env         map[string]string
	expressions map[string]string
}

func newRunner(t *testing.T, a action) *runner {
	temp := t.TempDir()
	return &runner{t: t, action: a, dir: temp, temp: temp, env: map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": temp, "RUNNER_TEMP": temp,
		"GITHUB_OUTPUT": filepath.Join(temp, "output"), "GITHUB_PATH": filepath.Join(temp, "path"), "GITHUB_STEP_SUMMARY": filepath.Join(temp, "summary"),
	}}
}

// step runs the script of a step as GitHub does (documentation: Workflow syntax, "shell: bash" is
// bash --noprofile --norc -eo pipefail), and gives its exit code and all it printed.
func (r *runner) step(name string, inputs map[string]string) (int, string) {
	r.t.Helper()
	i := slices.IndexFunc(r.action.Runs.Steps, func(s step) bool { return s.Name == name })
	if i < 0 {
		r.t.Fatalf("there is no step %q", name)
	}
	s := r.action.Runs.Steps[i]
	env := map[string]string{}
	for k, v := range r.env {
		env[k] = v
	}
	for k, v := range s.Env {
		env[k] = expression.ReplaceAllStringFunc(v, func(m string) string {
			what := expression.FindStringSubmatch(m)[1]
			if input, ok := strings.CutPrefix(what, "inputs."); ok {
				if given, ok := inputs[input]; ok {
					return given
				}
				return r.action.Inputs[input].Default
			}
			value, ok := r.expressions[what]
			if !ok {
				r.t.Errorf("step %q: %s is nothing that this test knows", name, m)
			}
			return value
		})
	}
	return bash(r.t, r.dir, s.Run, env)
}

func (r *runner) file(name string) string {
	data, err := os.ReadFile(filepath.Join(r.temp, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		r.t.Fatal(err)
	}
	return string(data)
}

// outputs reads GITHUB_OUTPUT as the runner does: a line is NAME=VALUE, and the last one of a name counts.
func (r *runner) outputs() map[string]string {
	out := map[string]string{}
	for l := range strings.Lines(r.file("output")) {
		name, value, ok := strings.Cut(strings.TrimRight(l, "\r\n"), "=")
		if !ok {
			r.t.Errorf("GITHUB_OUTPUT: %q is no output", l)
		}
		out[name] = value
	}
	return out
}

// bash runs a script as GitHub does.
func bash(t *testing.T, dir, script string, env map[string]string) (int, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script.sh")
	write(t, file, script)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "--noprofile", "--norc", "-eo", "pipefail", file)
	cmd.Dir = dir
	for k, v := range env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("bash: %v\n%s", err, out)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o777); err != nil {
		t.Fatal(err)
	}
}
