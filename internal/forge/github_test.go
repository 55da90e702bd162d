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
		"secondary limit that does not say how long": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"message": "You have exceeded a secondary rate limit.", "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`)
			return true
		}, "it asks to be left alone for 1m0s", 1},
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

// TestFullPage: a page that is full and has not changed does not hide the page that has come behind it.
func TestFullPage(t *testing.T) {
	f := forgetest.NewGitHub(t)
	for i := range 100 {
		f.Add(7, "alice", "User", fmt.Sprint("comment ", i))
	}
	var cache Cache
	for i, want := range []string{"created", "unchanged", "unchanged"} {
		g, err := NewGitHub("o/r", "token", f.URL+"/api/v3", Retry{Wait: time.Millisecond}, &cache)
		if err != nil {
			t.Fatal(err)
		}
		done, err := g.Comment(context.Background(), 7, Comment{Key: "k", Body: "text"})
		if err != nil || done.Action != want {
			t.Errorf("run %d: %+v, %v, want %s", i, done, err, want)
		}
	}
	if n := len(f.Of(7)); n != 101 || f.NotModified == 0 {
		t.Errorf("%d comments, %d answers 304", n, f.NotModified)
	}
}

// TestRemovedMeanwhile: somebody removes the comment after we have found it, and before we change it.
func TestRemovedMeanwhile(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusGone} {
		f := forgetest.NewGitHub(t)
		comment(t, f, Comment{Key: "k", Body: "one"})
		f.Trouble = func(n int, w http.ResponseWriter, r *http.Request) bool {
			if r.Method != "PATCH" {
				return false
			}
			f.Comments = nil
			w.WriteHeader(status)
			fmt.Fprint(w, `{"message": "gone"}`)
			return true
		}
		if done := comment(t, f, Comment{Key: "k", Body: "two"}); done.Action != "created" || len(f.Of(7)) != 1 || !strings.HasSuffix(f.Of(7)[0].Body, "two") {
			t.Errorf("%d: %+v, %v", status, done, f.Of(7))
		}
		if done := comment(t, f, Comment{Key: "k", Body: "three", Existing: true}); done.Action != "nothing" || len(f.Of(7)) != 0 {
			t.Errorf("%d: one that may only be changed: %+v, %v", status, done, f.Of(7))
		}
	}
	// A request that is not there is no comment that is not there.
	f := forgetest.NewGitHub(t)
	g, err := NewGitHub("o/other", "token", f.URL+"/api/v3", Retry{Wait: time.Millisecond}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var refused *RefusedError
	if _, err := g.Comment(context.Background(), 7, Comment{Key: "k", Body: "text"}); !errors.As(err, &refused) || f.Requests > 3 {
		t.Errorf("%v after %d requests", err, f.Requests)
	}
}

// TestRedirect: a redirect is followed on the same server; the token goes to no other one.
func TestRedirect(t *testing.T) {
	other := forgetest.NewGitHub(t)
	for _, cache := range []*Cache{nil, new(Cache)} {
		for _, away := range []bool{false, true} {
			f := forgetest.NewGitHub(t)
			f.Trouble = func(n int, w http.ResponseWriter, r *http.Request) bool {
				to, renamed := strings.CutPrefix(r.URL.Path, "/api/v3/repos/o/old/")
				if !renamed {
					return false
				}
				server := f.URL
				if away {
					server = other.URL
				}
				http.Redirect(w, r, server+"/api/v3/repos/o/r/"+to+"?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
				return true
			}
			g, err := NewGitHub("o/old", "token", f.URL+"/api/v3", Retry{Wait: time.Millisecond}, cache)
			if err != nil {
				t.Fatal(err)
			}
			_, err = g.Comment(context.Background(), 7, Comment{Key: "k", Body: "text"})
			switch {
			case !away && (err != nil || len(f.Of(7)) != 1):
				t.Errorf("%v; %v", err, f.Comments)
			case away && (err == nil || !strings.Contains(err.Error(), "to another server") || other.Requests > 0 || f.Requests > 2):
				t.Errorf("%v; %d requests, %d of them elsewhere", err, f.Requests+other.Requests, other.Requests)
			}
		}
	}
}

// TestClocks: a limit that is over by our clock may not be over by the forge's.
func TestClocks(t *testing.T) {
	f := forgetest.NewGitHub(t)
	over := time.Now().Add(200 * time.Millisecond)
	f.Trouble = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if time.Now().After(over) {
			return false
		}
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", fmt.Sprint(time.Now().Add(-10*time.Second).Unix()))
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"message": "API rate limit exceeded"}`)
		return true
	}
	g, err := NewGitHub("o/r", "token", f.URL+"/api/v3", Retry{Wait: 50 * time.Millisecond}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Comment(context.Background(), 7, Comment{Key: "k", Body: "text"}); err != nil {
		t.Errorf("after %d requests: %v", f.Requests, err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	var c Cache
	for i := range 20 {
		c.put(&cached{key: cacheKey{url: fmt.Sprint(i)}, body: make([]byte, maxCached)})
		c.put(&cached{key: cacheKey{url: fmt.Sprint(i)}, body: make([]byte, maxCached/2)})
		c.get(cacheKey{url: "0"})
	}
	if c.get(cacheKey{url: "0"}) == nil || c.get(cacheKey{url: "1"}) != nil {
		t.Error("what was used last has to stay, and the oldest to go")
	}
	holds := func() (n int) {
		for _, e := range c.entries {
			n += e.Value.(*cached).size()
		}
		return n
	}
	if n := holds(); c.bytes > maxCache || c.bytes < maxCache/2 || c.bytes != n || len(c.entries) != c.recent.Len() {
		t.Errorf("%d bytes, counted as %d, in %d entries, %d in order", n, c.bytes, len(c.entries), c.recent.Len())
	}
	for i := range 20_000 { // of pull requests without comments
		c.put(&cached{key: cacheKey{url: fmt.Sprint("pull ", i)}, header: http.Header{"X": {"y"}}, body: []byte("[]")})
	}
	if n := holds(); c.bytes > maxCache || c.bytes != n || len(c.entries) > maxCache/1024 {
		t.Errorf("%d bytes, counted as %d, in %d entries", n, c.bytes, len(c.entries))
	}
}
