package main

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"instep/cmd/internal/cli"
)

// instepScript stands in for instep on PATH while examples run. Commands that need a server or a database are
// only parsed by the real program, with --help after their own arguments: their flags exist and have values of the right
// kind, and no more is known. A comment is only printed (--dry-run). The version endpoints of wait are a server of this test's, and its times are shorter.
// Everything else is run as it stands; whether a release has a safe order is not what an example is about.
const instepScript = `#!/bin/bash
printf '%s\n' "$*" >>"$INSTEP_LOG"
only_parsed() { "$INSTEP_REAL" "$@" --help >/dev/null; exit; }
case $1 in
simulate | serve | init) only_parsed "$@" ;;
comment) set -- "$@" --dry-run ;;
wait)
	for a; do [ "$a" != --migration ] || only_parsed "$@"; done
	args=()
	for a; do args+=("$(sed -E "s#https?://[a-z0-9.:-]+/__version__#$INSTEP_SERVER/__version__#g" <<<"$a")"); done
	exec "$INSTEP_REAL" "${args[@]}" --every=5ms --settle=20ms --timeout=20s ;;
esac
args=()
for a; do args+=("$(sed -E "s#https?://[a-z0-9.:-]+/__version__#$INSTEP_SERVER/deployed#g" <<<"$a")"); done
"$INSTEP_REAL" "${args[@]}"
code=$?
[ $code != 2 ] || exit 2
`

// The other programs that examples call, as far as these call them.
var fakes = map[string]string{
	"curl": `#!/bin/sh
echo '{"version": "v3.110", "source": "https://example.com/shop"}'
`,
	// The answer is for the head that was asked for, whatever it is called.
	"gh": `#!/bin/bash
[ "$*" = "api --method GET repos/$GITHUB_REPOSITORY/pulls -f state=open -f head=$HEAD --jq map(select(.head.sha == env.SHA)) | .[0].number // empty" ] || { echo "gh $*" >&2; exit 1; }
echo 7
`,
	// docker run [flags] instep ARGS runs instep in the folder that would be mounted.
	"docker": `#!/bin/bash
[ "$1" = run ] || exit 1
while [ "$1" != instep ]; do shift || exit 1; done
exec "$@"
`,
}

// hostileBranch is what a stranger may call a branch.
const hostileBranch = `x";touch${IFS}PWNED;$(touch${IFS}PWNED)&head=main`

// dryInstep puts the stand-ins before the programs of path.
func dryInstep(t *testing.T, path string) string {
	t.Helper()
	real, err := exec.LookPath("instep")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/deployed" { // what --deployed asks is not there yet
			fmt.Fprintln(w, `{"version": "3.110"}`)
			return
		}
		fmt.Fprintln(w, `{"version": "v3.111", "commit": "89abcdef0123"}`)
	}))
	t.Cleanup(server.Close)
	bin := t.TempDir()
	script := strings.NewReplacer("$INSTEP_REAL", real, "$INSTEP_SERVER", server.URL, "$INSTEP_LOG", filepath.Join(bin, "log")).Replace(instepScript)
	for _, name := range []string{"instep", "git-instep"} {
		write(t, filepath.Join(bin, name), script)
	}
	for name, text := range fakes {
		write(t, filepath.Join(bin, name), text)
	}
	return bin + string(filepath.ListSeparator) + path
}

// A block is an example in a document.
type block struct {
	where string
	lang  string // "indented" for an indented command
	text  string
}

var (
	fence = regexp.MustCompile("^```([a-z]*)$")
	// command is an indented line of a document: the command, and after two spaces what it does.
	command = regexp.MustCompile(`^ {4}((?:[A-Z_]+=\S+ )*(?:git )?instep .*?)(?:  .*)?$`)
)

// blocks gives the fenced examples of a document and its indented commands.
func blocks(t *testing.T, name string) []block {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	var open *block
	before := ""
	for i, l := range strings.Split(string(src), "\n") {
		where := fmt.Sprintf("%s:%d", name, i+1)
		m := fence.FindStringSubmatch(l)
		switch {
		case open == nil && m != nil:
			open = &block{where: where, lang: m[1]}
			if before == "<!-- session -->" {
				open.lang = "session" // TestReadme
			}
		case open == nil && strings.HasPrefix(l, "```"):
			t.Errorf("%s: what language is that?", where)
		case open != nil && l == "```":
			all = append(all, *open)
			open = nil
		case open != nil:
			open.text += l + "\n"
		default:
			if m := command.FindStringSubmatch(l); m != nil {
				all = append(all, block{where: where, lang: "indented", text: m[1] + "\n"})
			}
		}
		before = l
	}
	if open != nil {
		t.Errorf("%s: the block is not closed", open.where)
	}
	return all
}

// documents gives the documents whose examples are run.
func documents(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(os.DirFS(filepath.Join("..", "..")), "docs/*.md")
	if err != nil || len(names) < 4 {
		t.Fatalf("%v: %v", names, err)
	}
	return append(names, "README.md", "CONTRIBUTING.md")
}

// TestExamples runs the examples of the documents: commands and the scripts in workflows and pipelines, in a sample repository with the
// tags that the documents speak of. See instepScript for what is only parsed. Of workflows, pipelines, tasks and manifests the structure is
// held to what this file knows of it; GitHub, GitLab, Taskcluster and Kubernetes themselves are not asked.
func TestExamples(t *testing.T) {
	programs(t, "git", "bash", "sed", "jq")
	e := &examples{dir: demoRepo(t)}
	for tag, of := range map[string]string{"v3.100": "v1.0", "v3.110": "v1.0", "v3.111": "v1.1", "v3.120": "v1.2"} {
		if out, err := exec.Command("git", "-C", e.dir, "tag", tag, of).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	write(t, filepath.Join(e.dir, "deploy"), "#!/bin/sh\n[ $# = 2 ]\n")
	e.action = readAction(t)
	workflows := map[string]bool{}
	ran := 0
	for _, name := range documents(t) {
		for _, b := range blocks(t, name) {
			t.Run(b.where, func(t *testing.T) {
				e.path = dryInstep(t, os.Getenv("PATH"))
				switch b.lang {
				case "sh", "indented":
					e.script(t, b.text, nil)
					ran++
				case "yaml":
					if w := e.yaml(t, b); w != "" {
						workflows[w] = true
					}
					ran++
				case "ini":
					e.unit(t, b.text)
					ran++
				case "sql":
					if name != "docs/rules.md" { // whose examples the tests of the rules run
						t.Error("nothing runs SQL of a document")
					}
				case "session":
				case "": // a piece of a document that instep prints
					if m := regexp.MustCompile(`(?m)^\s*(\$ )?(git |)instep .*`).FindString(b.text); m != "" {
						t.Errorf("a command in a block that is not run: %s", m)
					}
				default:
					t.Errorf("nothing runs an example in %s", b.lang)
				}
			})
		}
	}
	for _, w := range e.wanted {
		if !workflows[w] {
			t.Errorf("workflow_run waits for the workflow %q, which no document has", w)
		}
	}
	if ran < 20 {
		t.Errorf("only %d examples were found", ran)
	}
	if _, err := os.Stat(filepath.Join(e.dir, "PWNED")); err == nil {
		t.Error("the name of a branch was run as a command")
	}
	t.Run("docs/ci/gitlab.yml", func(t *testing.T) {
		e.path = dryInstep(t, os.Getenv("PATH"))
		src, err := os.ReadFile(filepath.Join("..", "..", "docs", "ci", "gitlab.yml"))
		if err != nil {
			t.Fatal(err)
		}
		e.gitlab(t, string(src))
	})
}

type examples struct {
	dir, path string
	action    action
	wanted    []string // workflows that others wait for
}

// script runs a script, which must not fail.
func (e *examples) script(t *testing.T, script string, env map[string]string) {
	t.Helper()
	all := map[string]string{"PATH": e.path, "HOME": t.TempDir(), "GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1", "NO_COLOR": "1"}
	for k, v := range env {
		all[k] = v
	}
	if code, out := bash(t, e.dir, script, all); code != 0 {
		t.Errorf("exits with %d\n%s\n%s", code, script, out)
	}
}

// instep runs arguments, which must not fail.
func (e *examples) instep(t *testing.T, args []string) {
	t.Helper()
	script := "instep"
	for _, a := range args {
		script += " '" + strings.ReplaceAll(a, "'", `'\''`) + "'"
	}
	e.script(t, script+"\n", nil)
}

// yaml runs what there is to be run in a YAML example. A workflow's name is given.
func (e *examples) yaml(t *testing.T, b block) (workflow string) {
	t.Helper()
	var top map[string]any
	if err := yaml.Unmarshal([]byte(b.text), &top); err != nil {
		t.Fatal(err)
	}
	has := func(keys ...string) bool {
		return !slices.ContainsFunc(keys, func(k string) bool { _, ok := top[k]; return !ok })
	}
	switch {
	case has("on", "jobs"):
		return e.workflow(t, b.text)
	case has("include", "variables"):
		e.include(t, b.text)
	case has("payload"):
		e.task(t, b.text)
	case has("apiVersion", "kind"):
		e.manifest(t, b.text)
	case has("repos"):
		e.preCommit(t, b.text)
	case has("listen", "repositories"): // TestServeDocument
	case has("services", "server"):
		e.config(t, b.text)
	default:
		t.Errorf("what is this an example of? Say in examples_test.go how it is run")
	}
	return ""
}

// strict reads YAML into a struct that has a field for each key that may occur.
func strict(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.UnmarshalWithOptions([]byte(text), into, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
}

// known are the expressions of workflows, with a value as a stranger would choose it where a stranger can.
var known = map[string]string{
	"github.token":                                          "secret",
	"inputs.version":                                        "v3.111",
	"steps.request.outputs.number":                          "7",
	"github.event.workflow_run.head_sha":                    "0123456789012345678901234567890123456789",
	"github.event.workflow_run.head_repository.owner.login": "mallory",
	"github.event.workflow_run.head_branch":                 hostileBranch,
}

func expand(t *testing.T, values ...map[string]string) map[string]string {
	t.Helper()
	temp := t.TempDir()
	write(t, filepath.Join(temp, "instep-report", "other-file-of-the-artifact"), "")
	env := map[string]string{"GITHUB_REPOSITORY": "owner/name", "GITHUB_OUTPUT": os.DevNull, "RUNNER_TEMP": temp}
	for _, m := range values {
		for k, v := range m {
			env[k] = expression.ReplaceAllStringFunc(v, func(x string) string {
				value, ok := known[expression.FindStringSubmatch(x)[1]]
				if !ok {
					t.Errorf("%s: %s is nothing that this test knows", k, x)
				}
				return value
			})
		}
	}
	return env
}

// workflow checks and runs a workflow of GitHub Actions.
func (e *examples) workflow(t *testing.T, text string) string {
	t.Helper()
	type job struct {
		Needs, If, Environment string
		RunsOn                 string `yaml:"runs-on"`
		Steps                  []step
	}
	var w struct {
		Name        string
		On          any
		Permissions map[string]string
		Concurrency map[string]string
		Env         map[string]string
		Jobs        map[string]job
	}
	strict(t, text, &w)
	if len(w.Permissions) == 0 {
		t.Error("without permissions a workflow has them all")
	}
	uses, privileged := false, false
	if on, ok := w.On.(map[string]any); ok {
		if r, ok := on["workflow_run"].(map[string]any); ok {
			privileged = true
			for _, name := range r["workflows"].([]any) {
				e.wanted = append(e.wanted, name.(string))
			}
		}
		if _, ok := on["pull_request_target"]; ok {
			t.Error("pull_request_target runs a stranger's tree with our rights")
		}
	}
	for name, j := range w.Jobs {
		if _, ok := w.Jobs[j.Needs]; !ok && j.Needs != "" {
			t.Errorf("%s needs %s, which there is not", name, j.Needs)
		}
		if j.RunsOn == "" || len(j.Steps) == 0 {
			t.Errorf("%s runs on nothing, or has no steps", name)
		}
		for _, s := range j.Steps {
			if (s.Run == "") == (s.Uses == "") {
				t.Errorf("%s: a step uses an action or runs a script", name)
			}
			if privileged && strings.HasPrefix(s.Uses, "actions/checkout") {
				t.Errorf("%s has rights, and checks out a stranger's tree", name)
			}
			for _, x := range expression.FindAllStringSubmatch(fmt.Sprint(s.If, s.With), -1) {
				if _, output, ok := strings.Cut(x[1], "steps.instep.outputs."); ok {
					output, _, _ = strings.Cut(output, " ")
					if _, ok := e.action.Outputs[output]; !ok {
						t.Errorf("%s: the action has no output %s", name, output)
					}
				}
			}
			if strings.HasPrefix(s.Uses, "OWNER/instep@") {
				for k := range s.With {
					if _, ok := e.action.Inputs[k]; !ok {
						t.Errorf("%s: the action has no input %s", name, k)
					}
				}
				if s.With["deployed"] == "" && s.With["check"] != "false" {
					t.Errorf("%s: the action is not told what is deployed", name)
				}
				uses = true
			}
			if strings.Contains(s.Run, "${{") {
				t.Errorf("%s: an expression in a script is text of a stranger in a script", name)
			}
			if s.Run != "" {
				env := expand(t, w.Env, s.Env)
				run(t, "-C", e.dir, "v3.110", "v3.111", "--format=json", "--output="+filepath.Join(env["RUNNER_TEMP"], "instep-report", "report.json"))
				e.script(t, s.Run, env)
			}
		}
	}
	if !uses {
		t.Error("the workflow does not use the action")
	}
	return w.Name
}

// gitlab checks the template, and runs its script once for a merge request.
func (e *examples) gitlab(t *testing.T, text string) {
	t.Helper()
	var g struct {
		Variables map[string]string
		Instep    struct {
			Stage, Image string
			Rules        []map[string]string
			Variables    map[string]string
			Cache        any
			BeforeScript []string `yaml:"before_script"`
			Script       []string
			AllowFailure map[string][]int `yaml:"allow_failure"`
			Artifacts    struct {
				When     string
				ExposeAs string `yaml:"expose_as"`
				Paths    []string
				Reports  map[string]string
			}
		}
	}
	strict(t, text, &g)
	// GitLab refuses the whole pipeline for any other character.
	if name := g.Instep.Artifacts.ExposeAs; !regexp.MustCompile(`^\w[-\w ]*$`).MatchString(name) {
		t.Errorf("expose_as: %q can contain only letters, digits, -, _ and spaces", name)
	}
	env := g.Variables
	env["INSTEP_DEPLOYED"], env["INSTEP_FLAGS"] = "v3.110", "--order app,admin --fail-on window"
	script := strings.Join(g.Instep.Script, "\n") + "\n"
	for _, l := range g.Instep.BeforeScript {
		// The two lines of the build are only checked for their syntax: they fetch from a host that is not there.
		script += "false && " + l + " || true\n"
	}
	e.script(t, script, env)
	for _, name := range append(g.Instep.Artifacts.Paths, g.Instep.Artifacts.Reports["codequality"]) {
		if info, err := os.Stat(filepath.Join(e.dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("the script does not write the artifact %s: %v", name, err)
		}
	}
	// Nothing is said of a variable that was not set but the error.
	env["INSTEP_DEPLOYED"] = ""
	all := map[string]string{"PATH": e.path}
	for k, v := range env {
		all[k] = v
	}
	if code, out := bash(t, e.dir, g.Instep.Script[0], all); code == 0 || !strings.Contains(out, "deployed ref is empty") {
		t.Errorf("without INSTEP_DEPLOYED it exits with %d\n%s", code, out)
	}
}

// include holds an example against the template that it includes.
func (e *examples) include(t *testing.T, text string) {
	t.Helper()
	var g struct {
		Include   []struct{ Project, Ref, File string }
		Variables map[string]string
	}
	strict(t, text, &g)
	for _, i := range g.Include {
		src, err := os.ReadFile(filepath.Join("..", "..", i.File))
		if err != nil {
			t.Fatal(err)
		}
		var template struct{ Variables map[string]string }
		if err := yaml.Unmarshal(src, &template); err != nil {
			t.Fatal(err)
		}
		for k := range g.Variables {
			if _, ok := template.Variables[k]; !ok {
				t.Errorf("the template has no variable %s", k)
			}
		}
	}
}

// unit runs the command of a systemd service.
func (e *examples) unit(t *testing.T, text string) {
	t.Helper()
	m := regexp.MustCompile(`(?m)^ExecStart=\S*/instep (.*)$`).FindStringSubmatch(text)
	if m == nil {
		t.Fatal("the unit does not start instep")
	}
	e.instep(t, strings.Fields(m[1]))
}

// task runs the command of a Taskcluster task, which its worker gives to the image's entry point.
func (e *examples) task(t *testing.T, text string) {
	t.Helper()
	var task struct {
		TaskQueueID  string `yaml:"taskQueueId"`
		SchedulerID  string `yaml:"schedulerId"`
		Created      map[string]string
		Deadline     map[string]string
		Dependencies []string
		Requires     string
		Payload      struct {
			Image      string
			Command    []string
			MaxRunTime int `yaml:"maxRunTime"`
		}
		Metadata struct{ Name, Description, Owner, Source string }
	}
	strict(t, text, &task)
	for _, d := range task.Dependencies {
		if len(d) != 22 {
			t.Errorf("%s is no task id: those have 22 characters", d)
		}
	}
	if task.Payload.MaxRunTime == 0 {
		t.Error("a task without maxRunTime is refused")
	}
	e.instep(t, task.Payload.Command)
}

// manifest runs the containers of a Kubernetes job.
func (e *examples) manifest(t *testing.T, text string) {
	t.Helper()
	var m struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct {
			Name        string
			Annotations map[string]string
		}
		Spec struct {
			BackoffLimit          int `yaml:"backoffLimit"`
			ActiveDeadlineSeconds int `yaml:"activeDeadlineSeconds"`
			Template              struct {
				Spec struct {
					RestartPolicy                string `yaml:"restartPolicy"`
					AutomountServiceAccountToken bool   `yaml:"automountServiceAccountToken"`
					Containers                   []struct {
						Name, Image     string
						Args            []string
						Env             any
						SecurityContext map[string]any `yaml:"securityContext"`
					}
				}
			}
		}
	}
	strict(t, text, &m)
	if m.APIVersion != "batch/v1" || m.Kind != "Job" || m.Metadata.Annotations["argocd.argoproj.io/hook"] != "PreSync" {
		t.Error("that is no PreSync hook")
	}
	for _, c := range m.Spec.Template.Spec.Containers {
		e.instep(t, c.Args)
	}
}

// preCommit runs a hook as pre-commit does: its entry with its arguments, those of the repository instead of the hook's own.
func (e *examples) preCommit(t *testing.T, text string) {
	t.Helper()
	var c struct {
		Repos []struct {
			Repo, Rev string
			Hooks     []struct {
				ID   string
				Args []string
			}
		}
	}
	strict(t, text, &c)
	src, err := os.ReadFile(filepath.Join("..", "..", ".pre-commit-hooks.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var hooks []struct {
		ID, Name, Description, Language, Entry, Files string
		Args                                          []string
		PassFilenames                                 bool `yaml:"pass_filenames"`
		Verbose                                       bool
	}
	strict(t, string(src), &hooks)
	for _, h := range hooks {
		if h.Entry != "instep" || h.PassFilenames {
			t.Errorf("the hook %s runs %s", h.ID, h.Entry)
		}
		e.instep(t, h.Args)
		files := regexp.MustCompile(h.Files) // Python's and Go's agree on what is used there
		for name, want := range map[string]bool{
			"src/auslib/migrate/versions/037_x.py": true, "src/auslib/alembic/versions/0001.py": true, "db/migrations/1.up.sql": true, "V2__x.sql": true,
			".instep.yaml": true, "src/auslib/web/admin/views.py": false, "README.md": false, "docs/sqlite.txt": false,
		} {
			if got := files.MatchString(name); got != want {
				t.Errorf("the hook %s for %s: %v, want %v", h.ID, name, got, want)
			}
		}
	}
	for _, r := range c.Repos {
		for _, h := range r.Hooks {
			if h.ID != hooks[0].ID {
				t.Errorf("there is no hook %s", h.ID)
			}
			e.instep(t, h.Args)
		}
	}
}

// config runs a check with an example of a configuration, in a repository that has its migrations where it says.
func (e *examples) config(t *testing.T, text string) {
	t.Helper()
	var c struct {
		Migrations []struct{ Framework, Dir string }
	}
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	repo := filepath.Join(t.TempDir(), "repo")
	demo := os.DirFS(filepath.Join("..", "internal", "cli", "demo"))
	tree := t.TempDir()
	for _, tag := range []string{"v1.0", "v1.1"} {
		release := sub(t, demo, tag)
		for _, m := range c.Migrations {
			copyFS(t, filepath.Join(tree, m.Dir), sub(t, release, "migrations"))
		}
		write(t, filepath.Join(tree, ".instep.yaml"), text)
		if err := cli.CommitRelease(repo, os.DirFS(tree), tag, true); err != nil {
			t.Fatal(err)
		}
	}
	with := *e
	with.dir = repo
	with.instep(t, []string{"v1.0", "v1.1"})
}

// copyFS copies a tree over what is there.
func copyFS(t *testing.T, to string, from fs.FS) {
	t.Helper()
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(from, name)
		if err == nil {
			write(t, filepath.Join(to, name), string(data))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func sub(t *testing.T, fsys fs.FS, dir string) fs.FS {
	t.Helper()
	s, err := fs.Sub(fsys, dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestMakeTargets: what the documents say to be made can be made.
func TestMakeTargets(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range documents(t) {
		src, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("(?m)(?:`|^    )make ([a-z]+)").FindAllStringSubmatch(string(src), -1) {
			found++
			if !strings.Contains(string(makefile), "\n"+m[1]+":") {
				t.Errorf("%s: the Makefile has no target %s", name, m[1])
			}
		}
	}
	if found == 0 {
		t.Error("no document says what to make")
	}
}
