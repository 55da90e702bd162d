package cli

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"instep/internal/forge/forgetest"
)

const (
	botSecretText = "the secret of the webhooks"
	botToken      = "token" // the one that forgetest knows
)

// serveChild is set in a process of the tests that is to be instep itself.
const serveChild = "INSTEP_TEST_SERVE"

// TestServeChild is instep serve where another test starts it, and tests nothing of its own.
func TestServeChild(t *testing.T) {
	if config := os.Getenv(serveChild); config != "" {
		os.Args = []string{"instep", "serve", "--config", config}
		os.Exit(Main())
	}
}

// A hub is GitHub: repositories behind git's own server, and its API.
type hub struct {
	*httptest.Server
	root  string // of the bare repositories, o/NAME.git
	names []string
	mu    sync.Mutex
	api   map[string]*forgetest.GitHub
	gate  sync.RWMutex // while it is locked, nobody gets past the beginning of a fetch
}

// newHub makes repositories that are all alike: those of the demo, and commits for pull requests that no reference names yet.
func newHub(t *testing.T, names []string, heads []string) (*hub, map[string]string) {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("SKIPPED, NOT TESTED: no git on PATH: the bot needs repositories to fetch")
	}
	h := &hub{root: t.TempDir(), names: names, api: map[string]*forgetest.GitHub{}}
	work := filepath.Join(t.TempDir(), "work")
	for _, release := range []string{"v1.0", "v1.1"} {
		from, err := fs.Sub(sample, "demo/"+release)
		if err != nil {
			t.Fatal(err)
		}
		if err := CommitRelease(work, from, release, true); err != nil {
			t.Fatal(err)
		}
	}
	run := func(dir, in string, args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(in)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	// Every head adds a migration; those whose name ends in "same" change a file that is none, and "circle" links one to itself.
	var in strings.Builder
	for _, name := range heads {
		text, file := fmt.Sprintf("# %s\nrevision = %q\ndown_revision = \"0002\"\nfrom alembic import op\nimport sqlalchemy as sa\n\ndef upgrade():\n    op.drop_column(\"orders\", \"gift_note\")\n    op.add_column(\"orders\", sa.Column(\"c_%s\", sa.Integer))\n", name, "0003_"+name, name), "migrations/versions/0003_next.py"
		if strings.HasSuffix(name, "same") {
			text, file = name, "README"
		}
		mode := "100644"
		if name == "circle" {
			text, file, mode = "alembic.ini", "alembic.ini", "120000"
		}
		fmt.Fprintf(&in, "commit refs/keep/%s\ncommitter A <a@example.org> 1767323045 +0000\ndata 1\n%c\nfrom refs/tags/v1.1^0\nM %s inline %s\ndata %d\n%s\n", name, 'x', mode, file, len(text), text)
	}
	run(work, in.String(), "fast-import", "--quiet")
	commits := map[string]string{}
	for line := range strings.Lines(run(work, "", "for-each-ref", "--format=%(refname) %(objectname)", "refs/keep", "refs/tags")) {
		ref, commit, _ := strings.Cut(strings.TrimSpace(line), " ")
		commits[filepath.Base(ref)] = commit
	}
	run(work, "", "repack", "-adq")
	run(work, "", "config", "transfer.hideRefs", "refs/keep")
	run(work, "", "config", "uploadpack.allowAnySHA1InWant", "true")
	run(work, "", "config", "core.bare", "true")
	for _, name := range names {
		if err := os.CopyFS(filepath.Join(h.root, "o", name+".git"), os.DirFS(filepath.Join(work, ".git"))); err != nil {
			t.Fatal(err)
		}
		h.api[name] = forgetest.NewGitHub(t)
	}
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{
		"GIT_PROJECT_ROOT=" + h.root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1"}}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/o/") {
			if _, password, _ := r.BasicAuth(); password != botToken {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			h.gate.RLock()
			//lint:ignore SA2001 it only waits
			h.gate.RUnlock()
			backend.ServeHTTP(w, r)
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		for name, api := range h.api {
			if rest, ok := strings.CutPrefix(r.URL.Path, "/api/v3/repos/o/"+name+"/"); ok {
				r.URL.Path = "/api/v3/repos/o/r/" + rest
				api.ServeHTTP(w, r)
				return
			}
		}
		h.api[names[0]].ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	return h, commits
}

// point makes a reference name a commit.
func (h *hub) point(t *testing.T, name, ref, commit string) {
	t.Helper()
	file := filepath.Join(h.root, "o", name+".git", filepath.FromSlash(ref))
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".new", []byte(commit+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// final gives the states that each commit of a repository got, without pending.
func (h *hub) final(name string) map[string][]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := map[string][]string{}
	for _, s := range h.api[name].Statuses {
		if s["state"] != "pending" {
			m[s["sha"]] = append(m[s["sha"]], s["state"]+": "+s["description"])
		}
	}
	return m
}

func (h *hub) comments(name string, pr int) (bodies []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.api[name].Of(pr) {
		bodies = append(bodies, c.Body)
	}
	return bodies
}

// A serverProcess is a running instep serve.
type serverProcess struct {
	t    *testing.T
	cmd  *exec.Cmd
	url  string
	done chan struct{}

	mu  sync.Mutex
	log []map[string]any
}

// startServe starts instep: binary, or the test's own program.
func startServe(t *testing.T, binary, config string) *serverProcess {
	t.Helper()
	p := &serverProcess{t: t, done: make(chan struct{})}
	if binary != "" {
		p.cmd = exec.Command(binary, "serve", "--config", config)
	} else {
		p.cmd = exec.Command(os.Args[0], "-test.run=^TestServeChild$")
	}
	p.cmd.Env = append(os.Environ(), serveChild+"="+config, "INSTEP_WEBHOOK_SECRET="+botSecretText, "INSTEP_GITHUB_TOKEN="+botToken)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill(); <-p.done })
	address := make(chan string, 1)
	go func() {
		defer close(p.done)
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var line map[string]any
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				line = map[string]any{"msg": "not JSON", "text": lines.Text()}
			}
			p.mu.Lock()
			p.log = append(p.log, line)
			p.mu.Unlock()
			if line["msg"] == "listening" {
				address <- line["address"].(string)
			}
		}
		p.cmd.Wait()
	}()
	select {
	case a := <-address:
		p.url = "http://" + a
	case <-p.done:
		t.Fatalf("instep serve ends: %v", p.log)
	case <-time.After(30 * time.Second):
		t.Fatal("instep serve does not listen")
	}
	return p
}

// logged gives the lines with a message.
func (p *serverProcess) logged(msg string) (lines []map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.log {
		if l["msg"] == msg {
			lines = append(lines, l)
		}
	}
	return lines
}

func (p *serverProcess) tail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, l := range p.log[max(0, len(p.log)-20):] {
		fmt.Fprintln(&b, l)
	}
	return b.String()
}

// peak gives the largest resident set that a process had, in bytes; 0 where the system does not say.
func (p *serverProcess) peak() int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n << 10
}

// get gives the text at a path, "" where nobody answers.
func (p *serverProcess) get(path string) string {
	resp, err := http.Get(p.url + path)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return string(text)
}

func (p *serverProcess) waitIdle(limit time.Duration) {
	p.t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		text := p.get("/metrics")
		if strings.Contains(text, "instep_queue_length 0\n") && strings.Contains(text, "instep_jobs_running 0\n") {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("the queue does not become empty\n%s", p.tail())
		}
	}
}

func signedRequest(url, event, id string, body []byte) *http.Request {
	r, err := http.NewRequest("POST", url+"/webhook", bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	mac := hmac.New(sha256.New, []byte(botSecretText))
	mac.Write(body)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", event)
	r.Header.Set("X-GitHub-Delivery", id)
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return r
}

func pullBody(repo, action string, number int, head string, at int) []byte {
	return fmt.Appendf(nil, `{"action":%q,"number":%d,"pull_request":{"number":%d,"state":"open","updated_at":%q,"head":{"sha":%q},"base":{"ref":"main"},"body":%q},"repository":{"full_name":"o/%s","default_branch":"main"}}`,
		action, number, number, time.Unix(1_800_000_000+int64(at), 0).UTC().Format(time.RFC3339), head, strings.Repeat("as long as usual ", 1500), repo)
}

// send sends a delivery until it is taken, as a person would who looks at GitHub's list of failed deliveries.
func send(url func() string, event, id string, body []byte) error {
	var last error
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		resp, err := http.DefaultClient.Do(signedRequest(url(), event, id, body))
		if err != nil {
			last = err
			continue
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		switch resp.StatusCode {
		case http.StatusAccepted:
			return nil
		case http.StatusOK:
			if strings.TrimSpace(string(text)) == "duplicate" {
				return nil // it was accepted, and the process killed before it could say so
			}
			return fmt.Errorf("answered with %s", text)
		case http.StatusServiceUnavailable:
			last = errors.New(resp.Status)
		default:
			return fmt.Errorf("%s: %s", resp.Status, text)
		}
	}
	return last
}

func writeBotConfig(t *testing.T, h *hub, more string) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "listen: 127.0.0.1:0\ndata: %s\napi: %s/api/v3\n%srepositories:\n", filepath.Join(t.TempDir(), "data"), h.URL, more)
	for _, name := range h.names {
		fmt.Fprintf(&b, "  - {repository: o/%s, deployed: latest-tag, tags: \"v*\"}\n", name)
	}
	file := filepath.Join(t.TempDir(), "bot.yaml")
	if err := os.WriteFile(file, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestServe goes through the life of one pull request.
func TestServe(t *testing.T) {
	h, commits := newHub(t, []string{"shop"}, []string{"one", "two", "same", "circle"})
	p := startServe(t, "", writeBotConfig(t, h, "retry: {tries: 4, wait: 200ms}\n"))
	n := 0
	act := func(event string, body []byte) {
		t.Helper()
		n++
		if err := send(func() string { return p.url }, event, fmt.Sprint("d-", n), body); err != nil {
			t.Fatal(err)
		}
		p.waitIdle(20 * time.Second)
	}
	h.point(t, "shop", "refs/pull/7/head", commits["one"])
	act("pull_request", pullBody("shop", "opened", 7, commits["one"], 1))
	final, comments := h.final("shop")[commits["one"]], h.comments("shop", 7)
	if len(final) != 1 || len(comments) != 1 {
		t.Fatalf("status %q, %d comments\n%s", final, len(comments), p.tail())
	}
	for _, want := range []string{"v1.1", "pull/7/head", commits["one"][:7], "gift", "compared alone"} {
		if !strings.Contains(comments[0], want) {
			t.Errorf("the comment lacks %q:\n%s", want, comments[0])
		}
	}

	// GitHub has a merge: that is what would be deployed.
	merge := mergeCommit(t, filepath.Join(h.root, "o", "shop.git"), commits["v1.1"], commits["two"])
	h.point(t, "shop", "refs/pull/7/head", commits["two"])
	h.point(t, "shop", "refs/pull/7/merge", merge)
	act("pull_request", pullBody("shop", "synchronize", 7, commits["two"], 2))
	if c := h.comments("shop", 7); len(c) != 1 || !strings.Contains(c[0], "pull/7/merge") || strings.Contains(c[0], "compared alone") || strings.Contains(c[0], "earlier state") || len(h.final("shop")[commits["two"]]) != 1 {
		t.Errorf("%q\n%s", c, p.tail())
	}

	// Another tag of the same commit: the answer is the same, and names it.
	h.point(t, "shop", "refs/tags/v1.1.1", commits["v1.1"])
	act("release", []byte(`{"action":"published","release":{"tag_name":"v1.1.1"},"repository":{"full_name":"o/shop"}}`))
	if c := h.comments("shop", 7); len(c) != 1 || !strings.Contains(c[0], "v1.1.1") {
		t.Errorf("%q\n%s", c, p.tail())
	}

	// The base has moved, and GitHub has not merged anew: a request is pushed to, not its base.
	h.point(t, "shop", "refs/heads/main", commits["same"])
	act("pull_request", pullBody("shop", "reopened", 7, commits["two"], 3))
	if c := h.comments("shop", 7); len(c) != 1 || !strings.Contains(c[0], "merge with an earlier state of the base") {
		t.Errorf("%q\n%s", c, p.tail())
	}

	// A release moves what is deployed: nothing is left to say.
	h.point(t, "shop", "refs/tags/v1.10", commits["two"])
	act("release", []byte(`{"action":"published","release":{"tag_name":"v1.10"},"repository":{"full_name":"o/shop"}}`))
	if c, s := h.comments("shop", 7), h.final("shop")[commits["two"]]; len(c) != 0 || len(s) != 4 || !strings.HasPrefix(s[3], "success: No schema change") {
		t.Errorf("%q, %q\n%s", c, s, p.tail())
	}

	// Nothing to say from the beginning, and a head that is nowhere.
	h.point(t, "shop", "refs/pull/8/head", commits["same"])
	act("pull_request", pullBody("shop", "opened", 8, commits["same"], 2))
	if c, s := h.comments("shop", 8), h.final("shop")[commits["same"]]; len(s) != 1 {
		t.Errorf("%q, %q", c, s)
	}
	nowhere := strings.Repeat("12345678", 5)
	act("pull_request", pullBody("shop", "opened", 9, nowhere, 2))
	if s := h.final("shop")[nowhere]; len(s) != 1 || s[0] != "error: This commit could not be checked; the log of instep says why" || len(p.logged("retried")) != 3 {
		t.Errorf("%q, %v", s, p.logged("retried"))
	}

	// What the request itself makes unreadable is said, and is no damage of the clone.
	h.point(t, "shop", "refs/pull/10/head", commits["circle"])
	act("pull_request", pullBody("shop", "opened", 10, commits["circle"], 3))
	if s := h.final("shop")[commits["circle"]]; len(s) != 1 || !strings.HasPrefix(s[0], "error: Not checked: ") || !strings.Contains(s[0], "symbolic link") || len(p.logged("retried")) != 3 {
		t.Errorf("%q, %v", s, p.logged("retried"))
	}

	bomb := bombCommit(t, filepath.Join(h.root, "o", "shop.git"), commits["one"])
	h.point(t, "shop", "refs/pull/11/head", bomb)
	act("pull_request", pullBody("shop", "opened", 11, bomb, 3))
	if s := h.final("shop")[bomb]; len(s) != 1 || !strings.HasPrefix(s[0], "error: Not checked: ") || !strings.Contains(s[0], "too many files") || len(p.logged("retried")) != 3 {
		t.Errorf("%q, %v", s, p.logged("retried"))
	}

	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-p.done
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("SIGTERM: it exits with %d\n%s", code, p.tail())
	}
	for _, l := range p.log {
		if text := fmt.Sprint(l); l["msg"] == "not JSON" || strings.Contains(text, botSecretText) || strings.Contains(text, "as long as usual") {
			t.Errorf("the log has %v", l)
		}
	}
}

// TestServeApart: services are at different refs, by the file or by what they report.
func TestServeApart(t *testing.T) {
	h, commits := newHub(t, []string{"shop"}, []string{"one"})
	app := versionEndpoint(t, `{"version": "1.0", "commit": "unknown"}`)
	data := filepath.Join(t.TempDir(), "data")
	config := filepath.Join(t.TempDir(), "bot.yaml")
	src := fmt.Sprintf("listen: 127.0.0.1:0\ndata: %s\napi: %s/api/v3\nrepositories:\n  - repository: o/shop\n    deployed: {admin: latest-tag, app: %q}\n", data, h.URL, app)
	if err := os.WriteFile(config, []byte(src), 0o666); err != nil {
		t.Fatal(err)
	}
	p := startServe(t, "", config)
	h.point(t, "shop", "refs/pull/7/head", commits["one"])
	if err := send(func() string { return p.url }, "pull_request", "d-1", pullBody("shop", "opened", 7, commits["one"], 1)); err != nil {
		t.Fatal(err)
	}
	p.waitIdle(20 * time.Second)
	comments := h.comments("shop", 7)
	if len(comments) != 1 || !strings.Contains(comments[0], "Services are deployed at different refs") || !strings.Contains(comments[0], "app at v1.0") || !strings.Contains(comments[0], "behind") {
		t.Fatalf("%q\n%s", comments, p.tail())
	}
	done := p.logged("checked")
	if len(done) != 1 || done[0]["deployed"] != "admin="+commits["v1.1"]+",app="+commits["v1.0"] {
		t.Errorf("%v", done)
	}
}

// TestServeNew: a service that is new has no old code.
func TestServeNew(t *testing.T) {
	h, commits := newHub(t, []string{"shop"}, []string{"one"})
	config := filepath.Join(t.TempDir(), "bot.yaml")
	src := fmt.Sprintf("listen: 127.0.0.1:0\ndata: %s\napi: %s/api/v3\nrepositories:\n  - repository: o/shop\n    deployed: {admin: v1.0, app: none}\n", filepath.Join(t.TempDir(), "data"), h.URL)
	if err := os.WriteFile(config, []byte(src), 0o666); err != nil {
		t.Fatal(err)
	}
	p := startServe(t, "", config)
	h.point(t, "shop", "refs/pull/7/head", commits["one"])
	if err := send(func() string { return p.url }, "pull_request", "d-1", pullBody("shop", "opened", 7, commits["one"], 1)); err != nil {
		t.Fatal(err)
	}
	p.waitIdle(20 * time.Second)
	comments := h.comments("shop", 7)
	if len(comments) != 1 || strings.Contains(comments[0], "different refs") || !strings.Contains(comments[0], "admin") {
		t.Fatalf("%q\n%s", comments, p.tail())
	}
	if done := p.logged("checked"); len(done) != 1 || done[0]["deployed"] != commits["v1.0"] {
		t.Errorf("%v", done)
	}
}

// mergeCommit makes a commit with the second parent's tree.
func mergeCommit(t *testing.T, dir, first, second string) string {
	t.Helper()
	cmd := exec.Command("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "commit-tree", "-p", first, "-p", second, "-m", "merge", second+"^{tree}")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// bombCommit makes a commit whose few objects stand for a hundred million files.
func bombCommit(t *testing.T, dir, parent string) string {
	t.Helper()
	git := func(in string, args ...string) string {
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.org"}, args...)...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(in)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	kind, id := "100644 blob", git("x", "hash-object", "-w", "--stdin")
	for range 8 {
		var in strings.Builder
		for i := range 10 {
			fmt.Fprintf(&in, "%s %s\t%d\n", kind, id, i)
		}
		kind, id = "040000 tree", git(in.String(), "mktree")
	}
	return git("", "commit-tree", "-p", parent, "-m", "bomb", id)
}

// TestServeLoad is the bot's promise: webhooks over 20 repositories, each head checked exactly once or superseded, and none lost through
// kill -9, beside others who send what is to be refused. INSTEP_SERVE_LOAD is the number of webhooks: 1000 in a minute is the
// real size, which takes that long.
func TestServeLoad(t *testing.T) {
	const repositories = 20
	deliveries, pace := 200, 8*time.Second
	binary := ""
	if n, err := strconv.Atoi(os.Getenv("INSTEP_SERVE_LOAD")); err == nil && n >= 200 {
		deliveries, pace = n, time.Minute
		binary = filepath.Join(t.TempDir(), "instep")
		if out, err := exec.Command("go", "build", "-o", binary, "instep/cmd/instep").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	const perRequest = 5 // heads
	requests := deliveries / repositories / perRequest
	var names, heads []string
	for i := range repositories {
		names = append(names, fmt.Sprintf("r%02d", i))
	}
	for pr := 1; pr <= requests; pr++ {
		for i := range perRequest {
			heads = append(heads, fmt.Sprintf("%d_%d", pr, i))
		}
	}
	h, commits := newHub(t, names, heads)
	config := writeBotConfig(t, h, "retry: {wait: 200ms}\n")
	var current atomic.Pointer[serverProcess]
	current.Store(startServe(t, binary, config))
	first := current.Load()
	url := func() string { return current.Load().url }

	// The heads come round by round, the last two of each request right after each other.
	type event struct {
		repo string
		pr   int
		head int
	}
	var events []event
	random := rand.New(rand.NewPCG(1, 2))
	for i := 0; i < perRequest; i++ {
		var round []event
		for _, name := range names {
			for pr := 1; pr <= requests; pr++ {
				round = append(round, event{name, pr, i})
			}
		}
		random.Shuffle(len(round), func(a, b int) { round[a], round[b] = round[b], round[a] })
		for _, e := range round {
			events = append(events, e)
			if i == perRequest-2 {
				events = append(events, event{e.repo, e.pr, i + 1})
			}
		}
		if i == perRequest-2 {
			break
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var abusers sync.WaitGroup
	var refused [4]atomic.Int64
	abuse(ctx, &abusers, url, &refused)

	start := time.Now()
	killed := make(chan struct{})
	kill := func() {
		defer close(killed)
		first.cmd.Process.Kill()
		<-first.done
		h.gate.Unlock()
		time.Sleep(300 * time.Millisecond)
		current.Store(startServe(t, binary, config))
	}
	peak := 0
	var sending sync.WaitGroup
	slots := make(chan struct{}, 16)
	for i, e := range events {
		at, killAt := i, len(events)*2/5
		if i < killAt {
			at = min(i, killAt-40) // the last of them all at once, and none of them done, so that there is something to lose
		}
		if i == killAt-40 {
			h.gate.Lock()
		}
		if d := time.Until(start.Add(pace * time.Duration(at) / time.Duration(len(events)))); d > 0 {
			time.Sleep(d)
		}
		if i == killAt {
			peak = first.peak()
			go kill()
		}
		name := fmt.Sprintf("%d_%d", e.pr, e.head)
		if e.head == perRequest-1 {
			// It may overtake the head before only on the way, as GitHub's would.
			time.Sleep(time.Millisecond)
		}
		h.point(t, e.repo, fmt.Sprintf("refs/pull/%d/head", e.pr), commits[name])
		slots <- struct{}{}
		sending.Go(func() {
			defer func() { <-slots }()
			action := "synchronize"
			if e.head == 0 {
				action = "opened"
			}
			if err := send(url, "pull_request", fmt.Sprintf("%s-%s", e.repo, strings.ReplaceAll(name, "_", "-")), pullBody(e.repo, action, e.pr, commits[name], e.head)); err != nil && err.Error() != "answered with stale\n" {
				t.Errorf("%s %s: %v", e.repo, name, err)
			}
		})
	}
	sending.Wait()
	<-killed
	sent := time.Since(start)
	second := current.Load()
	second.waitIdle(3 * time.Minute)
	took := time.Since(start)
	cancel()
	abusers.Wait()
	peak = max(peak, second.peak())

	// The log of both processes says which heads were checked to the end: the line is written after the result is on the disk.
	checked := map[string]int{}
	for _, p := range []*serverProcess{first, second} {
		for _, l := range p.logged("checked") {
			checked[fmt.Sprint(l["repository"], " ", l["request"], " ", l["head"])]++
		}
		for _, bad := range []string{"failed", "not JSON", "the store cannot be written"} {
			if lines := p.logged(bad); len(lines) > 0 {
				t.Errorf("%d × %s, such as %v", len(lines), bad, lines[0])
			}
		}
	}
	posted, superseded, repeated := 0, 0, 0
	for _, repo := range names {
		final := h.final(repo)
		for pr := 1; pr <= requests; pr++ {
			for i := range perRequest {
				name := fmt.Sprintf("%d_%d", pr, i)
				head := commits[name]
				if n := checked[fmt.Sprint("o/", repo, " ", pr, " ", head)]; n > 1 {
					t.Errorf("%s %s was checked %d times", repo, name, n)
				}
				switch n := len(final[head]); {
				case n == 0 && i == perRequest-1:
					t.Errorf("%s %s, the newest head, has no status: it is lost", repo, name)
				case n == 0:
					superseded++
				default:
					posted++
					repeated += n - 1
				}
			}
			newest := commits[fmt.Sprintf("%d_%d", pr, perRequest-1)]
			if c := h.comments(repo, pr); len(c) != 1 || !strings.Contains(c[0], newest[:7]) {
				t.Errorf("%s, request %d: not one comment about the newest head %.7s: %q", repo, pr, newest, c)
			}
		}
	}
	// The jobs that were being posted at the kill are posted once more, which changes nothing.
	if repeated > 2 {
		t.Errorf("%d posts were repeated, and two workers were killed once", repeated)
	}
	if len(second.logged("resumed")) == 0 {
		t.Error("nothing was waiting when the process was killed: this test shows nothing of it")
	}
	for i, what := range []string{"wrong signatures", "30 MB bodies", "slow clients", "unknown events"} {
		if refused[i].Load() == 0 {
			t.Errorf("no %s were refused: this test shows nothing of them", what)
		}
	}
	text := second.get("/metrics")
	cpu := regexp.MustCompile(`(?m)^process_cpu_seconds_total (\S+)`).FindStringSubmatch(text)
	t.Logf("%d webhooks over %d repositories sent in %v, all done after %v: %d heads posted, %d superseded, %d posts repeated after the kill; resumed %v; "+
		"refused: %d wrong signatures, %d bodies of 30 MB, %d slow clients, %d unknown events; largest resident set %d MB; CPU seconds of the second process %v",
		len(events), repositories, sent.Round(time.Millisecond), took.Round(time.Millisecond), posted, superseded, repeated, second.logged("resumed"),
		refused[0].Load(), refused[1].Load(), refused[2].Load(), refused[3].Load(), peak>>20, cpu)
	if posted+superseded != len(events) {
		t.Errorf("%d posted and %d superseded are not %d", posted, superseded, len(events))
	}
	switch {
	case peak == 0:
		t.Logf("SKIPPED, NOT TESTED: the memory: %s does not say how much a process has", runtime.GOOS)
	case raceDetector():
		t.Log("SKIPPED, NOT TESTED: the memory: the race detector takes several times as much")
	case peak > 200<<20:
		t.Errorf("the largest resident set is %d MB, more than 200", peak>>20)
	}
}

func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "-race" && s.Value == "true" })
}

// abuse sends what is to be refused until ctx is done, and counts what was.
func abuse(ctx context.Context, wg *sync.WaitGroup, url func() string, refused *[4]atomic.Int64) {
	every := func(d time.Duration, f func(n int)) {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				f(n)
				select {
				case <-ctx.Done():
				case <-time.After(d):
				}
			}
		})
	}
	post := func(i, want int, r *http.Request) {
		resp, err := http.DefaultClient.Do(r.WithContext(ctx))
		if err != nil {
			return // it is hung up on in the middle of a long body, or killed
		}
		resp.Body.Close()
		if resp.StatusCode == want {
			refused[i].Add(1)
		}
	}
	body := pullBody("r00", "opened", 1, strings.Repeat("a", 40), 100)
	every(50*time.Millisecond, func(n int) {
		r := signedRequest(url(), "pull_request", fmt.Sprint("wrong-", n), body)
		r.Header.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64))
		post(0, http.StatusUnauthorized, r)
	})
	large := make([]byte, 30<<20)
	every(200*time.Millisecond, func(n int) {
		// Like the wrong signature, this must not be taken; the answer comes before the body is sent.
		r, err := http.NewRequest("POST", url()+"/webhook", bytes.NewReader(large))
		if err != nil {
			return
		}
		r.Header = signedRequest(url(), "pull_request", fmt.Sprint("large-", n), nil).Header
		r.Header.Set("Expect", "100-continue")
		post(1, http.StatusRequestEntityTooLarge, r)
	})
	for range 40 {
		every(time.Second, func(int) {
			conn, err := net.Dial("tcp", strings.TrimPrefix(url(), "http://"))
			if err != nil {
				return
			}
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			for {
				if _, err := fmt.Fprint(conn, "P"); err != nil {
					if ctx.Err() == nil {
						refused[2].Add(1)
					}
					return
				}
				time.Sleep(300 * time.Millisecond)
			}
		})
	}
	every(50*time.Millisecond, func(n int) {
		post(3, http.StatusNoContent, signedRequest(url(), "workflow_job", fmt.Sprint("unknown-", n), body))
	})
}

func TestBotConfig(t *testing.T) {
	const good = `
listen: 0.0.0.0:8080
data: /var/lib/instep
webhook_secrets: [{env: A}, {file: /run/secrets/b}]
token: {file: /run/secrets/token}
api: https://github.example.com/api/v3
workers: 1
timeout: 90s
repositories:
  - {repository: mozilla-releng/balrog, deployed: latest-tag, tags: "v*.*", server: mysql 8.0}
  - {repository: mozilla-releng/balrog, name: stage, deployed: "https://stage.example.com/__version__"}
  - repository: o/apart
    deployed: {admin: latest-tag, app: "https://a.example.com/__version__,https://b.example.com/__version__", agent: 3.110}
`
	c, err := parseBotConfig("bot.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if time.Duration(c.Timeout) != 90*time.Second || len(c.Repositories) != 3 || c.Repositories[2].Deployed["agent"] != "3.110" || c.Repositories[1].Name != "stage" || c.Token.File != "/run/secrets/token" {
		t.Errorf("%+v", c)
	}
	for _, bad := range []struct{ src, err string }{
		{"", "repositories"},
		{"token: abc\nrepositories: []\n", "bot.yaml:1:"},
		{"token: {}\n", "say where the secret is"},
		{"webhook_secrets: [{env: A, file: b}]\n", "say where the secret is"},
		{"listen: a\nport: 1\n", `unknown field "port"`},
		{"timeout: 5\n", "write it as 90s or 10m"},
		{"timeout: -5s\n", "write it as 90s or 10m"},
		{"api: https://github.example.com\n", "bot.yaml:1:6: "},
		{"workers: 1000\n", "between 1 and 64"},
		{"repositories: [{repository: balrog, deployed: v1}]\n", "write repository: owner/name"},
		{"repositories: [{repository: o/.., deployed: v1}]\n", "write repository: owner/name"},
		{"repositories: [{repository: o/../../etc, deployed: v1}]\n", "write repository: owner/name"},
		{"repositories: [{repository: o/r}]\n", "deployed is missing"},
		{"repositories: [{repository: o/r, deployed: \"ftp://x\"}]\n", "no http or https address"},
		{"repositories: [{repository: o/r, deployed: -x}]\n", "no ref"},
		{"repositories: [{repository: o/r, deployed: {}}]\n", "deployed is missing"},
		{"repositories: [{repository: o/r, deployed: [v1]}]\n", "one value, or a mapping"},
		{"repositories: [{repository: o/r, deployed: {app: ''}}]\n", "what is deployed is empty"},
		{"repositories: [{repository: o/r, deployed: {app: v1, migration: none}}]\n", "databases are somewhere"},
		{"repositories:\n- repository: o/r\n  deployed:\n    app: ftp://x\n", "bot.yaml:4:10: "},
		{"repositories: [{repository: o/r, deployed: v1, tags: v*}]\n", "latest-tag only"},
		{"repositories: [{repository: o/r, deployed: v1, name: a/b}]\n", "no name"},
		{"repositories: [{repository: o/r, deployed: v1, server: postgres 15}]\n", "server"},
		{"a: &x 1\n", "anchors"},
	} {
		if _, err := parseBotConfig("bot.yaml", []byte(bad.src)); err == nil || !strings.Contains(err.Error(), bad.err) {
			t.Errorf("%q: %v, want %q", bad.src, err, bad.err)
		}
	}
}

// TestServeDocument: the configuration in docs/serve.md is one.
func TestServeDocument(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "serve.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```yaml\n")
	block, _, ok := strings.Cut(block, "```\n")
	c, err := parseBotConfig("docs/serve.md", []byte(block))
	if !ok || err != nil {
		t.Fatalf("%v: %s", err, block)
	}
	if c.Listen != defaultListen || len(c.Repositories) != 1 || c.Repositories[0].Deployed[""] != latestTag {
		t.Errorf("%+v", c)
	}
	t.Setenv(defaultWebhookEnv, botSecretText)
	t.Setenv(defaultBotTokenEnv, botToken)
	if _, _, err := c.server(&redactor{}); err != nil {
		t.Error(err)
	}
}

func TestLatestReleaseTag(t *testing.T) {
	tags := []string{"nightly", "v2", "v3.110", "v3.110-stage", "v3.111-rc1", "v3.99", "x9.0"}
	for pattern, want := range map[string]string{"": "v3.110", "v*": "v3.110", "v2*": "v2", "w*": ""} {
		if got := latestReleaseTag(tags, pattern); got != want {
			t.Errorf("pattern %q: %q, want %q", pattern, got, want)
		}
	}
	for _, tt := range []struct {
		deployed, ref string
		want          bool
	}{
		{"latest-tag", "refs/tags/v1.0", true}, {"latest-tag", "refs/heads/main", false}, {"latest-tag", "refs/tags/nightly", false},
		{"v1", "refs/tags/v1", true}, {"v1", "refs/tags/v2", false}, {"main", "refs/heads/main", true},
	} {
		if got := (botRepository{Deployed: botDeployed{"": tt.deployed}}).moves()(tt.ref); got != tt.want {
			t.Errorf("deployed: %s, %s moves: %v", tt.deployed, tt.ref, got)
		}
	}
	apart := botRepository{Deployed: botDeployed{"admin": "latest-tag", "app": "https://example.com/__version__", "agent": "main", "web": "none"}}.moves()
	for ref, want := range map[string]bool{"refs/tags/v9": true, "refs/heads/main": true, "refs/heads/next": false, "refs/heads/none": false} {
		if apart(ref) != want {
			t.Errorf("by service: %s moves: %v", ref, !want)
		}
	}
	if (botRepository{Deployed: botDeployed{"": "https://example.com/__version__"}}).moves() != nil {
		t.Error("a push moves what an endpoint reports")
	}
}

func TestServeSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from the file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("INSTEP_TEST_SECRET", "from the environment")
	var r redactor
	for _, s := range []botSecret{{File: file}, {Env: "INSTEP_TEST_SECRET"}} {
		v, err := s.read()
		if err != nil || !strings.HasPrefix(v, "from the ") || strings.HasSuffix(v, "\n") {
			t.Errorf("%q, %v", v, err)
		}
		r.add(v)
	}
	for _, s := range []botSecret{{File: file + "x"}, {Env: "INSTEP_TEST_NONE"}} {
		if _, err := s.read(); err == nil {
			t.Errorf("%+v: no error", s)
		}
	}
	var b bytes.Buffer
	slog.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{ReplaceAttr: r.attr})).Info("from the file", "error", `at "from the environment"`)
	if text := b.String(); strings.Contains(text, "from the") || strings.Count(text, "[secret]") != 2 {
		t.Errorf("%s", text)
	}
}

// TestServeDamagedClone: a clone that cannot be read is fetched again.
func TestServeDamagedClone(t *testing.T) {
	h, commits := newHub(t, []string{"shop"}, []string{"one", "two"})
	config := writeBotConfig(t, h, "retry: {wait: 50ms}\n")
	p := startServe(t, "", config)
	url := func() string { return p.url }
	for i, name := range []string{"one", "two"} {
		if err := send(url, "pull_request", fmt.Sprint("d-", i), pullBody("shop", "opened", i+1, commits[name], i)); err != nil {
			t.Fatal(err)
		}
		p.waitIdle(20 * time.Second)
		if s := h.final("shop")[commits[name]]; len(s) != 1 || strings.HasPrefix(s[0], "error") {
			t.Errorf("%s: %q\n%s", name, s, p.tail())
		}
		c, err := readBotConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		packs, _ := filepath.Glob(filepath.Join(c.Data, "clones", "o", "shop.git", "objects", "pack", "*.pack"))
		if len(packs) != 1 {
			t.Fatalf("packs: %v", packs)
		}
		if err := os.WriteFile(packs[0], []byte("PACK and nothing more"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.logged("retried")) == 0 {
		t.Error("the damage was not noticed, so this test shows nothing")
	}
}
