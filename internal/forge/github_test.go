package forge

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"instep/internal/forge/forgetest"
)

func host(t *testing.T, f *forgetest.GitHub) *GitHub {
	t.Helper()
	g, err := NewGitHub("o/r", "token", f.URL+"/api/v3", Retry{Wait: time.Millisecond, Most: 2 * time.Second}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func comment(t *testing.T, f *forgetest.GitHub, c Comment) Done {
	t.Helper()
	done, err := host(t, f).Comment(context.Background(), 7, c)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// TestOneComment: it is made once, then kept up to date, among hundreds of others, and goes when there is nothing left to say.
func TestOneComment(t *testing.T) {
	for _, bot := range []bool{false, true} {
		f := forgetest.NewGitHub(t)
		f.Bot = bot
		for i := range 250 {
			f.Add(7, "alice", "User", fmt.Sprint("comment ", i))
		}
		f.Add(7, "mallory", "User", marker("k")+"\nnot by us")
		me, kind := f.Me()
		f.Add(7, me, kind, "> "+marker("k")+"\n\nwhoever the token belongs to quotes it")
		say := func(body string) Done { return comment(t, f, Comment{Key: "k", Body: body}) }
		for i, want := range []string{"created", "unchanged", "updated", "unchanged"} {
			body := []string{"one", "one", "two", "two"}[i]
			if done := say(body); done.Action != want || done.URL != "https://github.example/253" {
				t.Errorf("bot %v, run %d: %+v, want %s", bot, i, done, want)
			}
		}
		comment(t, f, Comment{Key: "other", Body: "of another configuration"})
		if n := len(f.Of(7)); n != 254 {
			t.Errorf("%d comments, want 254", n)
		}
		for _, want := range []string{"removed", "nothing"} {
			if done := say(""); done.Action != want {
				t.Errorf("%+v, want %s", done, want)
			}
		}
		if n := len(f.Of(7)); n != 253 || !strings.Contains(f.Of(7)[250].Body, "not by us") {
			t.Errorf("%d comments are left, or somebody else's is gone", n)
		}
	}
}

// TestConcurrentComments: many runs at the same moment leave one comment.
func TestConcurrentComments(t *testing.T) {
	f := forgetest.NewGitHub(t)
	f.Slow = 30 * time.Millisecond
	const runs = 12
	var wg sync.WaitGroup
	for i := range runs {
		wg.Go(func() {
			if _, err := host(t, f).Comment(context.Background(), 7, Comment{Key: "k", Body: fmt.Sprint("run ", i)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if list := f.Of(7); len(list) != 1 || !strings.Contains(list[0].Body, "run ") {
		t.Errorf("%d comments are left: %v", len(list), list)
	}
	if f.Next <= 2 {
		t.Error("no two runs made a comment, so this test shows nothing")
	}
}

// TestRace: another run comments between our looking and our commenting, and removes ours, for its own is the older one.
func TestRace(t *testing.T) {
	f := forgetest.NewGitHub(t)
	f.OnPost = func(f *forgetest.GitHub) {
		f.OnPost = nil
		login, kind := f.Me()
		ours := f.Comments[len(f.Comments)-1]
		f.Comments = f.Comments[:len(f.Comments)-1]
		theirs := f.Add(7, login, kind, marker("k")+"\ntheirs")
		f.Comments = append([]forgetest.Comment{theirs}, append(f.Comments[:len(f.Comments)-1], ours)...)
	}
	comment(t, f, Comment{Key: "k", Body: "ours"})
	if list := f.Of(7); len(list) != 1 || !strings.HasSuffix(list[0].Body, "ours") {
		t.Errorf("%v", list)
	}
}

func TestTrouble(t *testing.T) {
	answer := func(w http.ResponseWriter, code int, header map[string]string, message string) bool {
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"message": %q}`, message)
		return true
	}
	for name, tt := range map[string]struct {
		trouble func(n int, w http.ResponseWriter, r *http.Request) bool
		want    string // in the error; "" for success
		most    int    // requests
	}{
		"server errors": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return n%3 != 0 && answer(w, http.StatusBadGateway, nil, "oops")
		}, "", 12},
		"primary limit, soon over": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return n == 1 && answer(w, http.StatusForbidden, map[string]string{"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(time.Now().Add(time.Second).Unix())}, "API rate limit exceeded")
		}, "", 6},
		"primary limit, for an hour": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return answer(w, http.StatusForbidden, map[string]string{"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(time.Now().Add(time.Hour).Unix())}, "API rate limit exceeded")
		}, "it asks to be left alone for", 1},
		"secondary limit": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return r.Method == "POST" && n < 5 && answer(w, http.StatusForbidden, map[string]string{"Retry-After": "1"}, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
		}, "", 8},
		"too many requests": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return n == 2 && answer(w, http.StatusTooManyRequests, nil, "slow down")
		}, "", 8},
		"locked": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return r.Method == "POST" && answer(w, http.StatusUnprocessableEntity, nil, "Validation Failed")
		}, "the conversation may be locked", 5},
		"a fork's token": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return r.Method == "POST" && answer(w, http.StatusForbidden, nil, "Resource not accessible by integration")
		}, "pull-requests: write", 5},
		"secondary limit, without end": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return answer(w, http.StatusForbidden, map[string]string{"Retry-After": "0"}, "You have exceeded a secondary rate limit.")
		}, "secondary", 5},
		"down for good": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return answer(w, http.StatusServiceUnavailable, nil, "down")
		}, "503", 5},
	} {
		t.Run(name, func(t *testing.T) {
			f := forgetest.NewGitHub(t)
			f.Trouble = tt.trouble
			_, err := host(t, f).Comment(context.Background(), 7, Comment{Key: "k", Body: "text"})
			switch {
			case tt.want == "" && (err != nil || len(f.Of(7)) != 1):
				t.Errorf("%v; %d comments", err, len(f.Of(7)))
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want %q", err, tt.want)
			}
			var refused *RefusedError
			if got, want := errors.As(err, &refused), name == "locked" || name == "a fork's token"; got != want {
				t.Errorf("refused for good: %v, want %v: %v", got, want, err)
			}
			if f.Requests > tt.most {
				t.Errorf("%d requests, want at most %d", f.Requests, tt.most)
			}
		})
	}
}

// TestMadeOnce: a comment that may have arrived is not sent again.
func TestMadeOnce(t *testing.T) {
	f := forgetest.NewGitHub(t)
	broken := false
	f.Trouble = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if r.Method != "POST" || broken {
			return false
		}
		broken = true
		login, kind := f.Me()
		f.Add(7, login, kind, marker("k")+"\ntext")
		conn, _, _ := w.(http.Hijacker).Hijack()
		conn.Close()
		return true
	}
	if _, err := host(t, f).Comment(context.Background(), 7, Comment{Key: "k", Body: "text"}); err == nil {
		t.Error("a broken connection is no error")
	}
	comment(t, f, Comment{Key: "k", Body: "text"})
	if n := len(f.Of(7)); n != 1 {
		t.Errorf("%d comments", n)
	}
}

func TestStatus(t *testing.T) {
	f := forgetest.NewGitHub(t)
	sha := strings.Repeat("a", 40)
	if err := host(t, f).SetStatus(context.Background(), Status{Commit: sha, State: Failure, Context: "instep", Description: strings.Repeat("ő", 200)}); err != nil {
		t.Fatal(err)
	}
	s := f.Statuses[0]
	if s["sha"] != sha || s["state"] != "failure" || s["context"] != "instep" || len([]rune(s["description"])) != 140 {
		t.Errorf("%v", s)
	}
}

func TestRefusals(t *testing.T) {
	for _, repo := range []string{"", "o", "o/r/s", "o/..", "../r", "o/r?x", "o/r#", "o//r"} {
		if _, err := NewGitHub(repo, "token", "", Retry{}, nil); err == nil {
			t.Errorf("%q is taken for a repository", repo)
		}
	}
	if _, err := NewGitHub("o/r", "token", "http://github.example.com/api/v3", Retry{}, nil); err == nil {
		t.Error("the token would go over the network in the clear")
	}
	if _, err := NewGitHub("o/r", "", "", Retry{}, nil); err == nil {
		t.Error("no token is no error")
	}
	if _, err := (Comment{Body: strings.Repeat("x", maxComment)}).body(); err == nil {
		t.Error("a comment of any length is taken")
	}
}

// TestConditional: what has not changed is not sent again, and not believed without being asked for.
func TestConditional(t *testing.T) {
	f := forgetest.NewGitHub(t)
	for i := range 150 {
		f.Add(7, "alice", "User", fmt.Sprint("comment ", i))
	}
	var cache Cache
	run := func(body string) Done {
		t.Helper()
		g, err := NewGitHub("o/r", "token", f.URL+"/api/v3", Retry{Wait: time.Millisecond}, &cache)
		if err != nil {
			t.Fatal(err)
		}
		done, err := g.Comment(context.Background(), 7, Comment{Key: "k", Body: body})
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	for i, test := range []struct {
		body, want  string
		notModified int // of: who am I, two pages
	}{
		{"one", "created", 1}, // the first page, when it is listed again
		{"one", "unchanged", 3},
		{"two", "updated", 3},
		{"two", "unchanged", 2}, // the second page has changed
		{"two", "unchanged", 3},
	} {
		before := f.NotModified
		if done := run(test.body); done.Action != test.want || f.NotModified-before != test.notModified {
			t.Errorf("run %d: %s with %d answers 304, want %s with %d", i, done.Action, f.NotModified-before, test.want, test.notModified)
		}
	}
	if list := f.Of(7); len(list) != 151 || !strings.HasSuffix(list[150].Body, "two") {
		t.Errorf("%d comments", len(list))
	}
	f.Comments = f.Comments[:len(f.Comments)-1] // somebody removes it
	if done := run("two"); done.Action != "created" {
		t.Errorf("after it was removed: %s", done.Action)
	}
	// Another token is not told what this one may see.
	for k := range cache.entries {
		if k.token != sha256.Sum256([]byte("Bearer token")) {
			t.Errorf("%s is kept for everybody", k.url)
		}
	}
	before := f.NotModified
	if g, err := NewGitHub("o/r", "another", f.URL+"/api/v3", Retry{Tries: 1}, &cache); err != nil {
		t.Fatal(err)
	} else if _, err := g.Comment(context.Background(), 7, Comment{Key: "k", Body: "x"}); err == nil || f.NotModified != before {
		t.Errorf("another token: %v", err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	var c Cache
	for i := range 20 {
		c.put(&cached{key: cacheKey{url: fmt.Sprint(i)}, body: make([]byte, maxCached)})
		c.put(&cached{key: cacheKey{url: fmt.Sprint(i)}, body: make([]byte, maxCached/2)})
		c.get(cacheKey{url: "0"})
	}
	if c.bytes > maxCache || len(c.entries) != c.recent.Len() || c.bytes != len(c.entries)*maxCached/2 {
		t.Errorf("%d bytes in %d entries, %d in order", c.bytes, len(c.entries), c.recent.Len())
	}
	if c.get(cacheKey{url: "0"}) == nil || c.get(cacheKey{url: "1"}) != nil {
		t.Error("what was used last has to stay, and the oldest to go")
	}
}
