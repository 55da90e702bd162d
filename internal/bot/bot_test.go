package bot

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"instep/internal/forge"
)

const secret = "a secret of ours"

// A fakeHost keeps what is posted.
type fakeHost struct {
	mu         sync.Mutex
	comments   map[int]string
	statuses   []forge.Status
	fail       func() error // of comments
	failStatus error
	hang       func(forge.Status) bool // until the context is done
	keys       []string                // of comments
}

func (h *fakeHost) Comment(ctx context.Context, request int, c forge.Comment) (forge.Done, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fail != nil {
		if err := h.fail(); err != nil {
			return forge.Done{}, err
		}
	}
	if c.Body == "" {
		delete(h.comments, request)
		return forge.Done{}, nil
	}
	h.comments[request] = c.Body
	h.keys = append(h.keys, c.Key)
	return forge.Done{Action: "created", URL: "https://forge.example/1"}, nil
}

func (h *fakeHost) SetStatus(ctx context.Context, s forge.Status) error {
	if h.hang != nil && h.hang(s) {
		<-ctx.Done()
		return ctx.Err()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := cmp.Or(ctx.Err(), h.failStatus); err != nil {
		return err
	}
	h.statuses = append(h.statuses, s)
	return nil
}

// final gives the states that a head got, without pending.
func (h *fakeHost) final(head string) (states []forge.State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.statuses {
		if s.Commit == head && s.State != forge.Running {
			states = append(states, s.State)
		}
	}
	return states
}

func (h *fakeHost) comment(request int) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.comments[request]
}

// A world is a bot with its surroundings.
type world struct {
	*Bot
	t    *testing.T
	c    Config
	host *fakeHost
	url  string
	n    int // of deliveries
	log  *lockedBuffer
	stop func() error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newWorld(t *testing.T, check func(ctx context.Context, j Job, last *Result) (*Result, error), set ...func(c *Config)) *world {
	w := &world{t: t, host: &fakeHost{comments: map[int]string{}}, log: &lockedBuffer{}}
	w.c = Config{
		Watches: []Watch{{Repository: "o/r", Moves: func(ref string) bool { return strings.HasPrefix(ref, "refs/tags/v") }}, {Repository: "o/other"}},
		Secrets: [][]byte{[]byte("an older secret"), []byte(secret)},
		Check:   check, Host: func(string) (forge.Host, error) { return w.host, nil },
		Dir: t.TempDir(), Wait: time.Millisecond, Tries: 3, Grace: time.Second,
		Log: slog.New(slog.NewJSONHandler(w.log, nil)),
	}
	for _, f := range set {
		f(&w.c)
	}
	w.start()
	t.Cleanup(func() { w.stop() })
	return w
}

// start starts the bot, also once more after stop.
func (w *world) start() {
	w.t.Helper()
	b, err := New(w.c)
	if err != nil {
		w.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Serve(ctx, l) }()
	w.Bot, w.url = b, "http://"+l.Addr().String()
	w.stop = sync.OnceValue(func() error { cancel(); return <-done })
}

func (w *world) wait(what string, f func() bool) {
	w.t.Helper()
	for end := time.Now().Add(10 * time.Second); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("%s does not come about\n%s", what, w.log)
		}
	}
}

func (w *world) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.jobs) == 0 && len(w.running) == 0
}

func sign(body []byte, key string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write(body)
	return "sha256=" + hex.EncodeToString(h.Sum(nil))
}

func request(url, event, id string, body []byte) *http.Request {
	r := httptest.NewRequest("POST", url+"/webhook", bytes.NewReader(body))
	r.RequestURI = ""
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", event)
	r.Header.Set("X-GitHub-Delivery", id)
	r.Header.Set("X-Hub-Signature-256", sign(body, secret))
	return r
}

func (w *world) do(r *http.Request) (int, string) {
	w.t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, strings.TrimSpace(string(text))
}

// send sends an event and demands an answer.
func (w *world) send(event, body, want string) {
	w.t.Helper()
	w.n++
	code, text := w.do(request(w.url, event, fmt.Sprintf("delivery-%d", w.n), []byte(body)))
	if got := fmt.Sprintf("%d %s", code, text); got != want {
		w.t.Errorf("%s %.80s: %s, want %s", event, body, got, want)
	}
}

func head(n int) string { return fmt.Sprintf("%040x", n) }

// pr is the body of a pull_request event, at so many seconds.
func pr(action string, number, n, at int, more ...string) string {
	base := "main"
	if len(more) > 0 {
		base = more[0]
	}
	return fmt.Sprintf(`{"action":%q,"pull_request":{"number":%d,"state":"open","updated_at":%q,"head":{"sha":%q},"base":{"ref":%q}},"repository":{"full_name":"O/R","default_branch":"main"}%s}`,
		action, number, time.Unix(int64(at), 0).UTC().Format(time.RFC3339), head(n), base, strings.Join(more[min(len(more), 1):], ""))
}

func fine(ctx context.Context, j Job, last *Result) (*Result, error) {
	return &Result{Deployed: "d", Target: j.Head, State: forge.Success, Summary: "fine", Body: "of " + j.Head}, nil
}

func TestRequest(t *testing.T) {
	nothing := false
	w := newWorld(t, func(ctx context.Context, j Job, last *Result) (*Result, error) {
		r, err := fine(ctx, j, last)
		if nothing {
			r.Body = ""
		}
		return r, err
	})
	w.send("ping", `{}`, "200 pong")
	w.send("pull_request", pr("labeled", 1, 1, 1), "200 ignored")
	w.send("pull_request", pr("edited", 1, 1, 1), "200 ignored")
	w.send("pull_request", pr("opened", 1, 1, 1), "202 accepted")
	w.wait("the status", func() bool { return len(w.host.final(head(1))) == 1 })
	if s := w.host.statuses; len(s) != 2 || s[0].State != forge.Running || s[1] != (forge.Status{Commit: head(1), State: forge.Success, Context: "instep", Description: "fine", URL: "https://forge.example/1"}) {
		t.Errorf("%+v", s)
	}
	if c := w.host.comment(1); c != "of "+head(1) {
		t.Errorf("comment %q", c)
	}
	w.send("pull_request", pr("edited", 1, 1, 2, "other", `,"changes":{"base":{"ref":{"from":"main"}}}`), "202 accepted")
	w.wait("the second status", func() bool { return len(w.host.final(head(1))) == 2 })
	nothing = true
	w.send("pull_request", pr("synchronize", 1, 2, 3), "202 accepted")
	w.wait("the next head", func() bool { return len(w.host.final(head(2))) == 1 && w.idle() })
	if c := w.host.comment(1); c != "" {
		t.Errorf("comment %q, and there is nothing left to say", c)
	}
}

// TestOrder: old deliveries, sent again or overtaken, change nothing.
func TestOrder(t *testing.T) {
	w := newWorld(t, fine)
	opened := []byte(pr("opened", 1, 1, 10))
	for i, want := range []string{"202 accepted", "200 duplicate", "200 duplicate"} {
		code, text := w.do(request(w.url, "pull_request", fmt.Sprintf("x-%d", i/2), opened)) // the third with another id: that is not signed
		if got := fmt.Sprintf("%d %s", code, text); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	before := func(n int) string { return fmt.Sprintf(`,"before":%q`, head(n)) }
	w.send("pull_request", pr("synchronize", 1, 3, 20, "main", before(2)), "202 accepted")
	w.send("pull_request", pr("synchronize", 1, 2, 20, "main", before(1)), "200 stale")
	w.send("pull_request", pr("synchronize", 1, 2, 19, "main", before(1)), "200 stale")
	w.send("pull_request", pr("closed", 1, 3, 30), "202 accepted")
	w.send("pull_request", pr("synchronize", 1, 4, 30), "200 stale")
	w.send("pull_request", pr("synchronize", 1, 4, 29), "200 stale")
	w.wait("the end", w.idle)
	w.send("pull_request", pr("reopened", 1, 3, 40), "202 accepted")
	w.wait("the end", w.idle)
	if len(w.host.final(head(2))) != 0 || len(w.host.final(head(3))) == 0 || len(w.host.final(head(4))) != 0 {
		t.Errorf("%+v", w.host.statuses)
	}
}

// TestSameSecond: GitHub's times have seconds, and what a push has replaced does not come back, but by another push.
func TestSameSecond(t *testing.T) {
	w := newWorld(t, fine)
	before := func(n int) string { return fmt.Sprintf(`,"before":%q`, head(n)) }
	w.send("pull_request", pr("synchronize", 1, 2, 20, "main", before(1)), "202 accepted")
	w.send("pull_request", pr("synchronize", 1, 1, 20, "main", before(9)), "200 stale")
	w.send("pull_request", pr("synchronize", 1, 1, 20, "main", before(2)), "202 accepted") // forced back
	w.wait("the end", w.idle)
	if len(w.host.final(head(1))) != 1 {
		t.Errorf("%+v", w.host.statuses)
	}
	push := func(from, to int) string {
		return fmt.Sprintf(`{"ref":"refs/heads/main","before":%q,"after":%q,"repository":{"full_name":"o/r","default_branch":"main","pushed_at":7}}`, head(from), head(to))
	}
	w.send("push", push(11, 12), "202 accepted")
	w.send("push", push(10, 11), "200 stale")
	w.wait("the end", w.idle)
	if len(w.host.final(head(11))) != 0 || len(w.host.final(head(12))) != 1 {
		t.Errorf("%+v", w.host.statuses)
	}
	w.send("push", push(12, 11), "202 accepted")
	w.wait("the end", w.idle)
	if len(w.host.final(head(11))) != 1 {
		t.Errorf("%+v", w.host.statuses)
	}
}

// TestNewestWins: waiting heads are superseded, running ones stopped, and a repository has one job at a time.
func TestNewestWins(t *testing.T) {
	var mu sync.Mutex
	var started []string
	running, most := map[string]int{}, 0
	release := make(chan struct{})
	w := newWorld(t, func(ctx context.Context, j Job, last *Result) (*Result, error) {
		mu.Lock()
		started = append(started, fmt.Sprint(j.Request, " ", j.Head[36:]))
		running[j.Repository]++
		most = max(most, running[j.Repository])
		mu.Unlock()
		defer func() { mu.Lock(); running[j.Repository]--; mu.Unlock() }()
		if j.Head == head(1) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		<-release
		return fine(ctx, j, last)
	})
	w.send("pull_request", pr("opened", 1, 1, 1), "202 accepted")
	w.wait("the start", func() bool { mu.Lock(); defer mu.Unlock(); return len(started) == 1 })
	for n := 10; n < 20; n++ {
		w.send("pull_request", pr("synchronize", 2, n, n), "202 accepted")
	}
	w.send("pull_request", pr("synchronize", 1, 2, 2), "202 accepted")
	w.send("pull_request", pr("ready_for_review", 1, 2, 3), "202 accepted") // the same head: nothing more to do
	close(release)
	w.wait("the end", w.idle)
	mu.Lock()
	defer mu.Unlock()
	if got := fmt.Sprint(started); got != "[1 0001 2 0013 1 0002]" || most != 1 {
		t.Errorf("%s were checked, %d at once in one repository", got, most)
	}
	if len(w.host.final(head(1))) != 0 || len(w.host.final(head(2))) != 1 || len(w.host.final(head(19))) != 1 {
		t.Errorf("%+v", w.host.statuses)
	}
	if n := strings.Count(w.log.String(), `"msg":"superseded"`); n != 10 {
		t.Errorf("%d were superseded, want 10", n)
	}
}

func TestDraftAndClosed(t *testing.T) {
	started := make(chan string, 10)
	w := newWorld(t, func(ctx context.Context, j Job, last *Result) (*Result, error) {
		started <- j.Head
		<-ctx.Done()
		return nil, ctx.Err()
	})
	w.send("pull_request", strings.Replace(pr("opened", 1, 1, 1), `"state"`, `"draft":true,"state"`, 1), "202 accepted")
	w.send("pull_request", pr("opened", 2, 2, 1), "202 accepted")
	if got := <-started; got != head(2) {
		t.Errorf("%s is checked, want the request that is no draft", got)
	}
	w.send("pull_request", pr("closed", 2, 2, 2), "202 accepted")
	w.wait("the end", w.idle)
	w.send("pull_request", pr("ready_for_review", 1, 1, 3), "202 accepted")
	if got := <-started; got != head(1) {
		t.Errorf("%s is checked", got)
	}
	w.send("pull_request", pr("converted_to_draft", 1, 1, 4), "202 accepted")
	w.wait("the end", w.idle)
}

// TestQueueLength: what runs still, though a newer head has come, is no job that waits, and hides none.
func TestQueueLength(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, func(ctx context.Context, j Job, last *Result) (*Result, error) {
		<-release
		return fine(ctx, j, last)
	})
	running := func() bool { _, text := w.get("/metrics"); return strings.Contains(text, "instep_jobs_running 1\n") }
	w.send("pull_request", pr("opened", 1, 1, 1), "202 accepted")
	w.wait("the start", running)
	w.send("pull_request", pr("synchronize", 1, 2, 2), "202 accepted")
	if _, text := w.get("/metrics"); !strings.Contains(text, "instep_queue_length 1\n") {
		t.Error("the newer head does not wait")
	}
	w.send("pull_request", pr("closed", 1, 2, 3), "202 accepted")
	if _, text := w.get("/metrics"); !strings.Contains(text, "instep_queue_length 0\n") {
		t.Error("something waits, and the request is closed")
	}
	close(release)
	w.wait("the end", w.idle)
}

// TestMoved: a release, or a moved tag, checks all open requests and the default branch again.
func TestMoved(t *testing.T) {
	var mu sync.Mutex
	last := map[int][]string{}
	deployed := "v1"
	w := newWorld(t, func(ctx context.Context, j Job, l *Result) (*Result, error) {
		mu.Lock()
		defer mu.Unlock()
		had := "none"
		if l != nil {
			had = l.Deployed
		}
		last[j.Request] = append(last[j.Request], had)
		return &Result{Deployed: deployed, State: forge.Success, Body: "b"}, nil
	}, func(c *Config) { c.Queue = 3 })
	push := func(ref, after string, at int) string {
		return fmt.Sprintf(`{"ref":%q,"before":%q,"after":%q,"repository":{"full_name":"o/r","default_branch":"main","pushed_at":%d}}`, ref, head(0), after, at)
	}
	w.send("push", push("refs/heads/topic", head(7), 1), "200 ignored")
	w.send("push", push("refs/heads/main", head(7), 2), "202 accepted")
	w.send("push", push("refs/heads/main", head(6), 1), "200 stale")
	for i := 1; i <= 4; i++ {
		w.send("pull_request", pr("opened", i, i, 1), "202 accepted")
		w.wait("the end", w.idle)
	}
	w.send("pull_request", pr("closed", 4, 4, 2), "202 accepted")
	mu.Lock()
	deployed = "v2"
	mu.Unlock()
	w.send("push", push("refs/tags/nightly", head(9), 3), "200 ignored")
	w.send("release", `{"action":"created","release":{"tag_name":"v2"},"repository":{"full_name":"o/r"}}`, "200 ignored")
	w.send("release", `{"action":"published","release":{"tag_name":"v2"},"repository":{"full_name":"o/r"}}`, "202 accepted")
	w.wait("the end", w.idle)
	if got := fmt.Sprint(last); got != "map[0:[none v1] 1:[none v1] 2:[none v1] 3:[none v1] 4:[none]]" {
		t.Errorf("%s", got)
	}
	w.send("push", push("refs/tags/v2", head(9), 4), "202 accepted")
	w.wait("the end", w.idle)
	if got := fmt.Sprint(last); got != "map[0:[none v1 v2] 1:[none v1 v2] 2:[none v1 v2] 3:[none v1 v2] 4:[none]]" {
		t.Errorf("%s", got)
	}
}

// TestFull: what does not fit is not accepted, and can be sent again.
func TestFull(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, func(ctx context.Context, j Job, last *Result) (*Result, error) {
		<-release
		return fine(ctx, j, last)
	}, func(c *Config) { c.Queue = 2 })
	w.send("pull_request", pr("opened", 1, 1, 1), "202 accepted")
	w.send("pull_request", pr("opened", 2, 2, 1), "202 accepted")
	r := request(w.url, "pull_request", "third", []byte(pr("opened", 3, 3, 1)))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%s, %v", resp.Status, resp.Header)
	}
	w.send("pull_request", pr("synchronize", 2, 4, 2), "202 accepted") // it takes the other's place
	close(release)
	w.wait("the end", w.idle)
	code, text := w.do(request(w.url, "pull_request", "third", []byte(pr("opened", 3, 3, 1))))
	if code != 202 {
		t.Errorf("%d %s", code, text)
	}
	w.wait("the end", w.idle)
}

// TestTrouble: what becomes of errors.
func TestTrouble(t *testing.T) {
	for name, tt := range map[string]struct {
		check  func(n int) (*Result, error)
		checks int
		state  forge.State
		log    string
	}{
		"temporary, soon over": {func(n int) (*Result, error) {
			if n < 3 {
				return nil, &TemporaryError{errors.New("no network")}
			}
			return &Result{State: forge.Success}, nil
		}, 3, forge.Success, "retried"},
		"temporary, for good": {func(n int) (*Result, error) { return nil, &TemporaryError{errors.New("no network")} }, 3, forge.Failed, "failed"},
		"final":               {func(n int) (*Result, error) { return nil, errors.New("/secret/path is gone") }, 1, forge.Failed, "/secret/path is gone"},
		"nothing":             {func(n int) (*Result, error) { return nil, nil }, 1, forge.Failed, "the check gives nothing"},
		"panic":               {func(n int) (*Result, error) { panic("oh") }, 1, forge.Failed, "panic: oh"},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			w := newWorld(t, func(ctx context.Context, j Job, last *Result) (*Result, error) { n++; return tt.check(n) })
			w.send("pull_request", pr("opened", 1, 1, 1), "202 accepted")
			w.wait("the end", w.idle)
			if got := w.host.final(head(1)); len(got) != 1 || got[0] != tt.state || n != tt.checks {
				t.Errorf("states %v after %d checks; want %s after %d", got, n, tt.state, tt.checks)
			}
			for _, s := range w.host.statuses {
				if strings.Contains(s.Description, "secret") {
					t.Errorf("everybody can read %q", s.Description)
				}
			}
			if !strings.Contains(w.log.String(), tt.log) {
				t.Errorf("the log does not say %q:\n%s", tt.log, w.log)
			}
		})
	}
}

// TestForgeTrouble: a result that could not be posted is posted later, without another check.
func TestForgeTrouble(t *testing.T) {
	checks, posts := 0, 0
	w := newWorld(t, func(ctx context.Context, j Job, last *Result) (*Result, error) { checks++; return fine(ctx, j, last) })
	w.host.fail = func() error {
		if posts++; posts < 3 {
			return errors.New("rate limit")
		}
		return nil
	}
	w.send("pull_request", pr("opened", 1, 1, 1), "202 accepted")
	w.wait("the end", w.idle)
	if checks != 1 || posts != 3 || len(w.host.final(head(1))) != 1 {
		t.Errorf("%d checks, %d posts, %v", checks, posts, w.host.final(head(1)))
	}
	if _, text := w.get("/metrics"); !strings.Contains(text, `instep_forge_errors_total{what="comment"} 2`) {
		t.Error("/metrics does not count the forge's errors")
	}
}

// TestForgeRefuses: what the forge refuses for good is not tried again, and a refused comment does not keep the status back.
func TestForgeRefuses(t *testing.T) {
	posts := 0
	w := newWorld(t, fine)
	w.host.fail = func() error {
		posts++
		return &forge.RefusedError{Err: errors.New("the conversation is locked")}
	}
	w.send("pull_request", pr("opened", 1, 1, 1), "202 accepted")
	w.wait("the end", w.idle)
	if got := w.host.final(head(1)); posts != 1 || len(got) != 1 || got[0] != forge.Success {
		t.Errorf("%d posts, %v", posts, got)
	}
	w.host.mu.Lock()
	w.host.fail, w.host.failStatus = nil, &forge.RefusedError{Err: errors.New("not found")}
	w.host.mu.Unlock()
	w.send("pull_request", pr("opened", 2, 2, 1), "202 accepted")
	w.wait("the end", w.idle)
	if text := w.log.String(); strings.Contains(text, "retried") || strings.Count(text, `"msg":"failed"`) != 1 {
		t.Errorf("a repository that is gone:\n%s", text)
	}
}

// TestTimeout: a check that does not heed its time gets an error, and keeps its repository and worker until it ends.
func TestTimeout(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	w := newWorld(t, func(ctx context.Context, j Job, last *Result) (*Result, error) {
		if j.Request == 1 {
			<-release
		}
		return fine(ctx, j, last)
	}, func(c *Config) { c.Timeout, c.Workers = time.Second, 1 })
	w.send("pull_request", pr("opened", 1, 1, 1), "202 accepted")
	w.wait("the error", func() bool { return slices.Equal(w.host.final(head(1)), []forge.State{forge.Failed}) })
	w.send("pull_request", pr("opened", 2, 2, 1), "202 accepted")
	w.wait("being stuck", func() bool { code, _ := w.get("/readyz"); return code == 503 })
	if code, _ := w.get("/healthz"); code != 200 || len(w.host.final(head(2))) != 0 {
		t.Error("not alive, or the repository has two checks at once")
	}
	close(release)
	w.wait("the end", w.idle)
	if code, _ := w.get("/readyz"); code != 200 || !slices.Equal(w.host.final(head(2)), []forge.State{forge.Success}) || len(w.host.final(head(1))) != 1 {
		t.Errorf("%+v", w.host.statuses)
	}
}

func (w *world) get(path string) (int, string) {
	r, err := http.NewRequest("GET", w.url+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.do(r)
}

// TestRestart: what was accepted is done by the next process, what was checked is only posted, and what was being done when the process
// died too often is given up.
func TestRestart(t *testing.T) {
	var mu sync.Mutex
	started := map[string]int{}
	block := true
	w := newWorld(t, func(ctx context.Context, j Job, last *Result) (*Result, error) {
		mu.Lock()
		started[j.Head]++
		wait := block
		mu.Unlock()
		if wait {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return fine(ctx, j, last)
	}, func(c *Config) { c.Grace = time.Millisecond })
	for i := 1; i <= 6; i++ {
		w.send("pull_request", pr("opened", i, i, 1), "202 accepted")
	}
	w.wait("the start", func() bool { mu.Lock(); defer mu.Unlock(); return len(started) == 1 })
	if _, err := New(w.c); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("two at once: %v", err)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(w.log.String(), `"msg":"requeued"`) {
		t.Errorf("the running job is not requeued:\n%s", w.log)
	}
	st, err := openStore(w.c.Dir + "/bot.db")
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := st.jobs()
	if err != nil || len(jobs) != 6 || jobs[0].Starts != 0 {
		t.Fatalf("%d jobs, %v", len(jobs), err)
	}
	jobs[1].Starts = maxStarts // as after three kills
	jobs[2].Result = &Result{State: forge.Failure, Body: "checked before"}
	jobs[3].Repository = "o/gone"
	for _, j := range jobs[1:4] {
		if err := st.save(j); err != nil {
			t.Fatal(err)
		}
	}
	st.close()
	block = false
	w.start()
	w.wait("the end", w.idle)
	for n, want := range map[int]string{1: "[success]", 2: "[error]", 3: "[failure]", 4: "[]", 5: "[success]", 6: "[success]"} {
		if got := fmt.Sprint(w.host.final(head(n))); got != want {
			t.Errorf("head %d: %s, want %s", n, got, want)
		}
	}
	if w.host.comment(3) != "checked before" || started[head(3)] != 0 || started[head(2)] != 0 || started[head(4)] != 0 {
		t.Errorf("%v, %q", started, w.host.comment(3))
	}
}

// TestLetterCase: a configuration that writes a repository in other letters loses no job, and knows its comments again.
func TestLetterCase(t *testing.T) {
	names := make(chan string, 10)
	w := newWorld(t, func(ctx context.Context, j Job, last *Result) (*Result, error) {
		names <- j.Repository
		if j.Head == head(2) && ctx.Err() == nil && j.Repository == "o/r" {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return fine(ctx, j, last)
	}, func(c *Config) { c.Grace = time.Millisecond })
	w.send("pull_request", pr("opened", 1, 1, 1), "202 accepted")
	w.wait("the end", w.idle)
	w.send("pull_request", pr("synchronize", 1, 2, 2), "202 accepted")
	w.wait("the start", func() bool { return len(names) == 2 })
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.c.Watches = []Watch{{Repository: "O/R"}}
	w.start()
	w.wait("the end", w.idle)
	if got := []string{<-names, <-names, <-names}; fmt.Sprint(got) != "[o/r o/r O/R]" {
		t.Errorf("%v were checked", got)
	}
	if k := w.host.keys; len(k) != 2 || k[0] != k[1] {
		t.Errorf("the comments are known as %q", k)
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, fine)
	body := []byte(pr("opened", 1, 1, 1))
	for name, tt := range map[string]struct {
		body   []byte
		change func(r *http.Request)
		code   int
	}{
		"the older secret":  {body, func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sign(body, "an older secret")) }, 202},
		"wrong secret":      {body, func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sign(body, "a secret of others")) }, 401},
		"no signature":      {body, func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }, 401},
		"SHA-1 only":        {body, func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", "sha1="+strings.Repeat("0", 40)) }, 401},
		"signature of less": {body, func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sign(body, secret)[:40]) }, 401},
		"changed body": {body, func(r *http.Request) {
			r.Body = io.NopCloser(bytes.NewReader(bytes.Replace(body, []byte("opened"), []byte("closed"), 1)))
		}, 401},
		"GET":                     {body, func(r *http.Request) { r.Method = "GET" }, 405},
		"unknown event":           {body, func(r *http.Request) { r.Header.Set("X-GitHub-Event", "star") }, 204},
		"unknown event, unsigned": {body, func(r *http.Request) { r.Header.Set("X-GitHub-Event", "star"); r.Header.Del("X-Hub-Signature-256") }, 204},
		"no event":                {body, func(r *http.Request) { r.Header.Del("X-GitHub-Event") }, 400},
		"no delivery":             {body, func(r *http.Request) { r.Header.Del("X-GitHub-Delivery") }, 400},
		"bad delivery":            {body, func(r *http.Request) { r.Header.Set("X-GitHub-Delivery", strings.Repeat("x", 65)) }, 400},
		"a form":                  {body, func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, 415},
		"no length":               {body, func(r *http.Request) { r.ContentLength = -1 }, 411},
		"30 MB":                   {make([]byte, 30<<20), nil, 413},
		"26 MB":                   {make([]byte, maxBody+1), nil, 413},
		"25 MB of nothing":        {make([]byte, maxBody), nil, 400},
		"no JSON":                 {[]byte("}"), nil, 400},
		"other repository":        {bytes.Replace(body, []byte("O/R"), []byte("o/no"), 1), nil, 403},
		"no repository":           {[]byte("{}"), nil, 403},
		"no number":               {bytes.Replace(body, []byte(`"number":1`), []byte(`"number":0`), 1), nil, 400},
		"no commit":               {bytes.Replace(body, []byte(head(1)), []byte("../../x"), 1), nil, 400},
		"another event's body":    {body, func(r *http.Request) { r.Header.Set("X-GitHub-Event", "push") }, 400},
		"release without a tag":   {[]byte(`{"action":"published","repository":{"full_name":"o/r"}}`), func(r *http.Request) { r.Header.Set("X-GitHub-Event", "release") }, 400},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(w.url, "pull_request", "id-"+strings.ReplaceAll(name, " ", "-")[:min(len(name), 5)], tt.body)
			if tt.change != nil {
				tt.change(r)
			}
			start := time.Now()
			resp, err := http.DefaultClient.Do(r)
			if err != nil && tt.code == 413 && strings.Contains(err.Error(), "connection") {
				return // closed while we were writing
			}
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != tt.code {
				text, _ := io.ReadAll(resp.Body)
				t.Errorf("%s, want %d: %s", resp.Status, tt.code, text)
			}
			if d := time.Since(start); tt.code >= 400 && d > 15*time.Second {
				t.Errorf("it takes %v to refuse that", d)
			}
		})
	}
	w.wait("the end", w.idle)
	if len(w.host.statuses) != 2 {
		t.Errorf("%+v", w.host.statuses)
	}
	if log := w.log.String(); strings.Contains(log, secret) || strings.Contains(log, "sha256=") || strings.Contains(log, "full_name") || strings.Count(log, "bad_signature") != 1 {
		t.Errorf("the log tells secrets or bodies, or is flooded:\n%s", log)
	}
	_, text := w.get("/metrics")
	for _, want := range []string{
		`instep_deliveries_total{event="pull_request",outcome="accepted"} 1`,
		`instep_deliveries_total{event="pull_request",outcome="bad_signature"} 5`,
		`instep_deliveries_total{event="other",outcome="unknown_event"} 2`,
		`instep_job_duration_seconds_count{outcome="done"} 1`, "instep_queue_length 0", "go_memstats_heap_alloc_bytes",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

// TestSlowClients: those that send nothing, or a byte now and then, are hung up on, and others are served meanwhile.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	const read = 3 * time.Second
	w := newWorld(t, fine, func(c *Config) { c.Read = read })
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			start := time.Now()
			fmt.Fprint(conn, "POST /webhook HTTP/1.1\r\nHost: x\r\n")
			limit := read / 3
			if i%2 == 1 { // the head comes, the body does not
				limit = read
				fmt.Fprintf(conn, "Content-Type: application/json\r\nContent-Length: 100\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: a%d\r\nX-Hub-Signature-256: sha256=%064d\r\n\r\n", i, 0)
			}
			go func() {
				for {
					if _, err := fmt.Fprint(conn, "x"); err != nil {
						return
					}
					time.Sleep(400 * time.Millisecond)
				}
			}()
			conn.SetReadDeadline(time.Now().Add(limit + 15*time.Second))
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, context.DeadlineExceeded) || time.Since(start) > limit+12*time.Second {
				t.Errorf("held for %v: %v", time.Since(start), err)
			}
		})
	}
	time.Sleep(200 * time.Millisecond)
	start := time.Now()
	w.send("pull_request", pr("opened", 1, 1, 1), "202 accepted")
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("it takes %v beside slow clients", d)
	}
	wg.Wait()
}

// TestSeenIsBounded: the oldest deliveries are forgotten.
func TestSeenIsBounded(t *testing.T) {
	st, err := openStore(t.TempDir() + "/db")
	if err != nil {
		t.Fatal(err)
	}
	defer st.close()
	st.db.NoSync = true
	for batch := range maxSeen/1000 + 1 { // one transaction of all of them takes long
		err := st.db.Update(func(tx *bolt.Tx) error {
			for i := batch * 1000; i < min(batch*1000+1000, maxSeen+10); i++ {
				if err := remember(tx, fmt.Sprint("id ", i), fmt.Sprint("signature ", i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err = st.db.View(func(tx *bolt.Tx) error {
		if isSeen(tx, "id 9") || isSeen(tx, "signature 9") || !isSeen(tx, "id 10") || !isSeen(tx, fmt.Sprint("id ", maxSeen+9)) {
			t.Error("others are remembered than the last")
		}
		if n := tx.Bucket(bucketSeen).Inspect().KeyN; n != 2*maxSeen {
			t.Errorf("%d are remembered, want %d", n, 2*maxSeen)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNew(t *testing.T) {
	for name, change := range map[string]func(c *Config){
		"no secret":    func(c *Config) { c.Secrets = nil },
		"short secret": func(c *Config) { c.Secrets = [][]byte{[]byte("short")} },
		"twice":        func(c *Config) { c.Watches = []Watch{{Repository: "o/r"}, {Repository: "O/R"}} },
		"one status": func(c *Config) {
			c.Watches = []Watch{{Repository: "o/r", Name: "app"}, {Repository: "o/r", Name: "App"}}
		},
	} {
		c := Config{Secrets: [][]byte{[]byte(secret)}, Dir: t.TempDir()}
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
