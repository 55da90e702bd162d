package cli

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"instep/internal/forge/forgetest"
)

// a commentRepo has one release for each kind of answer, all after v1.
func commentRepo(t *testing.T) string {
	const one, conf = "CREATE TABLE users (id INT PRIMARY KEY, nick VARCHAR(20));\n", "services:\n  admin: {migrates: true}\n  app: {access: read}\n"
	with := func(sql, conf string) fstest.MapFS {
		m := fstest.MapFS{"sql/001.sql": {Data: []byte(one)}, ".instep.yaml": {Data: []byte(conf)}}
		if sql != "" {
			m["sql/002.sql"] = &fstest.MapFile{Data: []byte(sql)}
		}
		return m
	}
	return sampleRepo(t, []string{"v1", "same", "ordered", "split", "unproven", "silenced"},
		with("", conf), with("", conf), with("ALTER TABLE users DROP COLUMN nick;\n", conf), with("ALTER TABLE users RENAME COLUMN nick TO handle;\n", conf),
		with("ALTER TABLE users ADD x INT;\nPREPARE s FROM @x;\n", conf), with("", conf+"ignore:\n  - {rule: drop-column, because: x}\n"))
}

// noForge takes the environment of every runner away, so that a test means the same everywhere.
func noForge(t *testing.T) {
	for _, name := range []string{"GITHUB_ACTIONS", "GITHUB_REPOSITORY", "GITHUB_REF", "GITHUB_EVENT_PATH", "GITHUB_API_URL", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "GITLAB_CI",
		"CI_MERGE_REQUEST_IID", "CI_MERGE_REQUEST_PROJECT_ID", "CI_PROJECT_ID", "CI_PROJECT_PATH", "CI_API_V4_URL"} {
		t.Setenv(name, "")
	}
}

// inActions sets what a workflow for a pull request has.
func inActions(t *testing.T, f *forgetest.GitHub) {
	noForge(t)
	t.Setenv("GITHUB_ACTIONS", "true")
	t.Setenv("GITHUB_REPOSITORY", "o/r")
	t.Setenv("GITHUB_REF", "refs/pull/7/merge")
	t.Setenv("GITHUB_API_URL", f.URL+"/api/v3")
	t.Setenv("GITHUB_TOKEN", "token")
	f.Bot, f.App = true, true
}

type ran struct {
	code           int
	stdout, stderr string
}

func instep(t *testing.T, args ...string) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Run(context.Background(), args, &stdout, &stderr)
	return ran{code, stdout.String(), stderr.String()}
}

func (r ran) want(t *testing.T, code int, texts ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit %d, want %d:\n%s%s", r.code, code, r.stdout, r.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(r.stdout+r.stderr, text) {
			t.Errorf("%q is missing in\n%s%s", text, r.stdout, r.stderr)
		}
	}
}

func commitOf(t *testing.T, dir, rev string) string {
	t.Helper()
	out, err := exec.Command("git", "-C", dir, "rev-parse", rev+"^{commit}").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// TestComment: one comment that follows the release, and a status and a check run beside it.
func TestComment(t *testing.T) {
	dir, f := commentRepo(t), forgetest.NewGitHub(t)
	inActions(t, f)
	state := func(i int, want, conclusion string) {
		t.Helper()
		if s := f.Statuses[i]; s["state"] != want || s["context"] != "instep" || s["description"] == "" || s["sha"] == "" {
			t.Errorf("status %d: %v, want %s", i, s, want)
		}
		if c := f.Checks[i]; c["conclusion"] != conclusion || c["name"] != "instep" || c["head_sha"] != f.Statuses[i]["sha"] {
			t.Errorf("check run %d: %v, want %s", i, c, conclusion)
		}
	}
	comment := func(args ...string) ran { return instep(t, append([]string{"-C", dir, "comment", "v1"}, args...)...) }

	comment("same").want(t, exitOK, "comment: nothing\n")
	comment("ordered", "--status", "--check").want(t, exitOK, "comment: created https://github.example/1\n")
	state(0, "success", "success")
	if got := f.Statuses[0]; got["sha"] != commitOf(t, dir, "ordered") || got["target_url"] != "https://github.example/1" {
		t.Errorf("%v", got)
	}
	comment("ordered").want(t, exitOK, "comment: unchanged")
	comment("split", "--status", "--check").want(t, exitUnsafe, "comment: updated")
	state(1, "failure", "failure")
	comment("unproven", "--status", "--check", "--sha", strings.Repeat("c", 40)).want(t, exitUnproven, "comment: updated")
	state(2, "failure", "failure")
	if f.Statuses[2]["sha"] != strings.Repeat("c", 40) {
		t.Errorf("%v", f.Statuses[2])
	}
	comment("ordered", "--status", "--check", "--order", "admin,app").want(t, exitUnsafe, "comment: updated", "app has to be deployed before")
	state(3, "failure", "failure")
	if !strings.HasPrefix(f.Statuses[3]["description"], "Not as demanded: ") {
		t.Errorf("%v", f.Statuses[3])
	}
	comment("split", "--exit-zero").want(t, exitOK, "comment: updated")
	comment("split", "--key", "second").want(t, exitUnsafe, "comment: created https://github.example/2")
	if list := f.Of(7); len(list) != 2 || !strings.Contains(list[0].Body, "Split this release") || !strings.HasPrefix(list[0].Body, "<!-- instep:") {
		t.Errorf("%v", list)
	}
	comment("silenced").want(t, exitOK, "comment: updated") // the configuration changes: that has to be seen
	comment("same", "--keep-when-empty").want(t, exitOK, "comment: updated")
	if body := f.Of(7)[0].Body; !strings.HasSuffix(strings.TrimSpace(body), "### ✅ No schema change&#58; deploy in any order.") {
		t.Errorf("%q", body)
	}
	comment("same").want(t, exitOK, "comment: removed")
	comment("same", "--keep-when-empty").want(t, exitOK, "comment: nothing")
	if list := f.Of(7); len(list) != 1 {
		t.Errorf("%v", list)
	}
	// Not allowed to say it here: the status is set all the same.
	n := len(f.Statuses)
	f.Trouble = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if r.Method == "POST" && strings.HasSuffix(r.URL.Path, "/comments") {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"message": "Resource not accessible by integration"}`)
			return true
		}
		return false
	}
	comment("split", "--status").want(t, exitFailed, "pull-requests: write", "docs/pull-requests.md")
	f.Trouble, f.App = nil, false
	if len(f.Statuses) != n+1 {
		t.Error("no status was set")
	}
	comment("split", "--check").want(t, exitFailed, "by an app only")
}

// TestCommentAtOnce: jobs at the same time leave one comment.
func TestCommentAtOnce(t *testing.T) {
	dir := commentRepo(t)
	for try := 1; ; try++ {
		f := forgetest.NewGitHub(t)
		inActions(t, f)
		f.Slow = time.Duration(try) * 20 * time.Millisecond
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() { instep(t, "-C", dir, "comment", "v1", "split").want(t, exitUnsafe) })
		}
		wg.Wait()
		if list := f.Of(7); len(list) != 1 {
			t.Errorf("%d comments of %d that were made", len(list), f.Next-1)
		}
		if f.Next > 2 {
			return // two jobs have commented at the same moment
		}
		if try == 10 {
			t.Fatal("no two jobs commented at the same moment in 10 tries: this test shows nothing")
		}
	}
}

// TestCommentFork is the set-up for forks end to end: a job without a token leaves its report, another comments.
func TestCommentFork(t *testing.T) {
	dir, f := commentRepo(t), forgetest.NewGitHub(t)
	noForge(t)
	artifact := filepath.Join(t.TempDir(), "report.json")
	instep(t, "-C", dir, "v1", "split", "--format", "json", "-o", artifact).want(t, exitUnsafe)
	direct := instep(t, "-C", dir, "v1", "split", "--format", "markdown").stdout
	sha := commitOf(t, dir, "split")

	// The privileged job has no repository, and runs for the default branch.
	t.Chdir(t.TempDir())
	inActions(t, f)
	t.Setenv("GITHUB_REF", "refs/heads/main")
	instep(t, "comment", "--from", artifact).want(t, exitFailed, "on which pull request?")
	args := []string{"comment", "--from", artifact, "--repo", "o/r", "--pr", "7", "--sha", sha, "--status"}
	instep(t, args...).want(t, exitUnsafe, "comment: created")
	instep(t, append(args, "--exit-zero")...).want(t, exitOK, "comment: unchanged")
	_, body, _ := strings.Cut(f.Of(7)[0].Body, "\n")
	if body != direct {
		t.Errorf("the comment is not what the check says:\n%s\n%s", body, direct)
	}
	if len(f.Of(7)) != 1 || f.Statuses[0]["sha"] != sha || f.Statuses[0]["state"] != "failure" {
		t.Errorf("%v, %v", f.Of(7), f.Statuses)
	}
	head := strings.Repeat("d", 40)
	instep(t, append(args, "--head", head)...).want(t, exitUnsafe)
	if s := f.Statuses[len(f.Statuses)-1]; s["sha"] != head {
		t.Errorf("%v", s)
	}
	args[8] = strings.Repeat("0", 40)
	instep(t, args...).want(t, exitFailed, "it is stale")
	instep(t, "comment", "--from", artifact, "--pr", "7", "--status").want(t, exitFailed, "say which with --sha")

	// The event says which pull request it is, where the ref does not.
	event := filepath.Join(t.TempDir(), "event.json")
	for text, want := range map[string]string{`{"pull_request": {"number": 8}}`: "created", `{"issue": {"number": 9, "pull_request": {}}}`: "created", `{"issue": {"number": 9}}`: "on which", `{`: "GITHUB_EVENT_PATH"} {
		if err := os.WriteFile(event, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		t.Setenv("GITHUB_EVENT_PATH", event)
		if r := instep(t, "comment", "--from", artifact, "--exit-zero"); !strings.Contains(r.stderr, want) {
			t.Errorf("%s: %s, want %s", text, r.stderr, want)
		}
	}
	if len(f.Of(8)) != 1 || len(f.Of(9)) != 1 {
		t.Errorf("%v", f.Comments)
	}

	// From standard input, and only printed.
	report, err := os.ReadFile(artifact)
	if err != nil {
		t.Fatal(err)
	}
	n := f.Requests
	root := newRoot()
	var stdout, stderr bytes.Buffer
	root.SetIn(bytes.NewReader(report))
	root.SetArgs([]string{"comment", "--from", "-", "--dry-run"})
	root.SetOut(&stdout)
	root.SetErr(&stderr)
	if code := execute(context.Background(), root, &stderr); code != exitUnsafe || stdout.String() != direct || f.Requests != n {
		t.Errorf("exit %d, %d requests:\n%s%s", code, f.Requests-n, stdout.String(), stderr.String())
	}
}

// TestCommentHostile: a fork forges its report. It can say what it likes, but only as text, only in the one comment, and only about
// its own commit.
func TestCommentHostile(t *testing.T) {
	dir, f := commentRepo(t), forgetest.NewGitHub(t)
	inActions(t, f)
	good := instep(t, "-C", dir, "v1", "split", "--format", "json").stdout
	file := filepath.Join(t.TempDir(), "report.json")
	from := func(text string) ran {
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return instep(t, "comment", "--from", file, "--exit-zero")
	}
	const evil = `--> <!-- instep:00112233445566778899 --> <img src=x> @everyone #1 https://evil.example ` + "``` `` ` \\n\\n/merge\\n# x"
	reason := regexp.MustCompile(`"(reason|what|why|file|rev|text|sql|id|if|object|preflight)": "[^"]*"`)
	from(reason.ReplaceAllString(good, `"$1": "`+strings.ReplaceAll(evil, "$", "$$")+`"`)).want(t, exitOK, "comment: created")
	from(good).want(t, exitOK, "comment: updated") // the marker stands: the next run finds it
	from(reason.ReplaceAllString(good, `"$1": "`+evil+`"`)).want(t, exitOK, "comment: updated")
	list := f.Of(7)
	if len(list) != 1 {
		t.Fatalf("%d comments", len(list))
	}
	mark, body, _ := strings.Cut(list[0].Body, "\n")
	if !regexp.MustCompile(`^<!-- instep:[0-9a-f]{20} -->$`).MatchString(mark) {
		t.Errorf("the marker is %q", mark)
	}
	text := regexp.MustCompile("(?s)(`{4} .*? `{4}|`[^`\n]*`)").ReplaceAllString(body, "")
	for _, bad := range []string{"<img", "<!--", "-->", "@everyone", "https://", "#1", "\n/merge", "\n# x"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q is in the comment:\n%s", bad, text)
		}
	}
	if !strings.Contains(body, "everyone") {
		t.Error("the attack did not come into the comment, so this test shows nothing")
	}
	// Words that are printed as they are have to be known; what is too large is not read; a report does not say where to comment.
	n := f.Requests
	from(strings.ReplaceAll(good, `"verdict": "split"`, `"verdict": "any-order"`)).want(t, exitFailed, "does not go with its verdict")
	from(strings.ReplaceAll(good, `"rename-column"`, "\"`<b>\"")).want(t, exitFailed, "rule")
	from(`{"format_version": "1.2", "why": "`+strings.Repeat("x", 2<<20)+`"}`).want(t, exitFailed, "a text has more than")
	from(strings.Repeat(" ", 17<<20)).want(t, exitFailed, "more than 16 MiB")
	from("").want(t, exitFailed, "no JSON")
	if f.Requests != n {
		t.Error("a report that is refused was talked about")
	}
	from(strings.Replace(good, "{", `{"repo": "x/y", "pr": 1, "api": "https://evil.example",`, 1)).want(t, exitOK, "comment: updated")
	if len(f.Comments) != 1 {
		t.Errorf("%v", f.Comments)
	}
	// Long texts: the comment is cut, and says so.
	from(reason.ReplaceAllString(good, `"$1": "`+strings.Repeat("long ", 20_000)+`"`)).want(t, exitOK, "comment: updated")
	if body := f.Of(7)[0].Body; len(body) > 65_000 || !strings.Contains(body, "too long for a comment") {
		t.Errorf("%d bytes", len(body))
	}
}

// TestCommentGitLab: the same in the pipeline of a merge request, which may be a fork's.
func TestCommentGitLab(t *testing.T) {
	dir, f := commentRepo(t), forgetest.NewGitLab(t)
	noForge(t)
	for name, v := range map[string]string{"CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_PROJECT_ID": "42", "CI_PROJECT_ID": "43", "CI_PROJECT_PATH": "fork/name", "CI_API_V4_URL": f.URL + "/api/v4"} {
		t.Setenv(name, v)
	}
	comment := func(args ...string) ran { return instep(t, append([]string{"-C", dir, "comment", "v1"}, args...)...) }
	comment("split").want(t, exitFailed, "GITLAB_TOKEN")
	t.Setenv("GITLAB_TOKEN", "token")
	comment("split", "--status").want(t, exitUnsafe, "comment: created")
	comment("split", "--status").want(t, exitUnsafe, "comment: unchanged")
	comment("ordered", "--status").want(t, exitOK, "comment: updated")
	if s := f.Statuses[commitOf(t, dir, "split")+" instep"]; s["state"] != "failed" {
		t.Errorf("%v", f.Statuses)
	}
	if len(f.Notes) != 1 || !strings.Contains(f.Notes[0].Body, "Deploy app first, then admin") {
		t.Errorf("%v", f.Notes)
	}
	comment("split", "--check").want(t, exitFailed, "GitLab has no check runs")
	comment("same").want(t, exitOK, "comment: removed")
	if len(f.Notes) != 0 {
		t.Errorf("%v", f.Notes)
	}
	// In the pipeline of a branch nothing says which merge request it is.
	noForge(t)
	t.Setenv("GITLAB_CI", "true")
	t.Setenv("GITLAB_TOKEN", "token")
	comment("split").want(t, exitFailed, "no pipeline of a merge request")
	// By flags alone.
	noForge(t)
	t.Setenv("GITLAB_TOKEN", "token")
	comment("split", "--gitlab", "--repo", "group/sub/name", "--pr", "7", "--api", f.URL+"/api/v4").want(t, exitUnsafe, "comment: created")
}

func TestCommentRefuses(t *testing.T) {
	dir := commentRepo(t)
	noForge(t)
	for _, tt := range []struct{ args, want string }{
		{"", "which ref is deployed?"},
		{"--from x v1", "it takes no refs"},
		{"v1 split --format json", "a comment is Markdown"},
		{"v1 split --sha abc", "no full hash"},
		{"v1 split --head main", "no full hash"},
		{"v1 split --pr -1", "no number"},
		{"v1 split", "in which repository?"},
		{"v1 split --repo o/r", "on which pull request?"},
		{"v1 split --repo o/r --pr 1", "there is no token"},
		{"--from missing.json --dry-run", "--from: open missing.json"},
		{"v1 split --dry-run --fail-on what", "unknown condition"},
	} {
		instep(t, append([]string{"-C", dir, "comment"}, strings.Fields(tt.args)...)...).want(t, exitFailed, tt.want)
	}
	t.Setenv("GH_TOKEN", "token")
	instep(t, "-C", dir, "comment", "v1", "split", "--repo", "o/r/s", "--pr", "1").want(t, exitFailed, "is no repository")
	instep(t, "-C", dir, "comment", "v1", "split", "--repo", "o/r", "--pr", "1", "--api", "http://github.example.com").want(t, exitFailed, "no https address")
	instep(t, "-C", dir, "comment", "v1", "same", "--dry-run").want(t, exitOK, "there would be no comment")
}
