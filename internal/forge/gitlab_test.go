package forge

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"instep/internal/forge/forgetest"
)

func gitlabHost(t *testing.T, f *forgetest.GitLab, project string) *GitLab {
	t.Helper()
	g, err := NewGitLab(project, "token", f.URL+"/api/v4/", Retry{Wait: time.Millisecond, Most: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestOneNote: it is made once, then kept up to date, among hundreds of others, and goes when there is nothing left to say.
func TestOneNote(t *testing.T) {
	for _, project := range []string{"42", "group/sub/name"} {
		f := forgetest.NewGitLab(t)
		for i := range 250 {
			f.Add(9, i%2 == 0, fmt.Sprint("note ", i))
		}
		f.Add(9, false, marker("k")+"\nnot by us")
		f.Add(5, true, marker("k")+"\nof the system")
		say := func(c Comment) string {
			t.Helper()
			c.Key = "k"
			done, err := gitlabHost(t, f, project).Comment(context.Background(), 7, c)
			if err != nil {
				t.Fatal(err)
			}
			return done.Action
		}
		if got := say(Comment{Body: "x", Existing: true}); got != "nothing" {
			t.Error(got)
		}
		for i, want := range []string{"created", "unchanged", "updated", "unchanged"} {
			if got := say(Comment{Body: []string{"one\n\n", "one\n\n", "two\n", "two\n"}[i]}); got != want {
				t.Errorf("%s, run %d: %s, want %s", project, i, got, want)
			}
		}
		if n := len(f.Notes); n != 253 || f.Notes[252].Body != marker("k")+"\ntwo" {
			t.Errorf("%d notes, the last %q", n, f.Notes[n-1].Body)
		}
		for _, want := range []string{"removed", "nothing"} {
			if got := say(Comment{}); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		if n := len(f.Notes); n != 252 {
			t.Errorf("%d notes are left", n)
		}
	}
}

// TestConcurrentNotes: many runs at the same moment leave one note.
func TestConcurrentNotes(t *testing.T) {
	f := forgetest.NewGitLab(t)
	f.Slow = 30 * time.Millisecond
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			if _, err := gitlabHost(t, f, "42").Comment(context.Background(), 7, Comment{Key: "k", Body: fmt.Sprint("run ", i)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(f.Notes) != 1 || !strings.Contains(f.Notes[0].Body, "run ") {
		t.Errorf("%d notes are left: %v", len(f.Notes), f.Notes)
	}
	if f.Next <= 2 {
		t.Error("no two runs made a note, so this test shows nothing")
	}
}

func TestGitLabTrouble(t *testing.T) {
	answer := func(w http.ResponseWriter, code int, body string, header ...string) bool {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, body)
		return true
	}
	for name, tt := range map[string]struct {
		trouble func(n int, w http.ResponseWriter, r *http.Request) bool
		want    string // in the error; "" for success
		most    int
	}{
		"server errors": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return n%3 != 0 && answer(w, http.StatusBadGateway, "<html>oops</html>")
		}, "", 12},
		"too many requests, soon over": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return n == 1 && answer(w, http.StatusTooManyRequests, "Retry later\n", "Retry-After", "1", "RateLimit-Reset", "1")
		}, "", 5},
		"too many requests, for an hour": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return answer(w, http.StatusTooManyRequests, "Retry later\n", "RateLimit-Reset", fmt.Sprint(time.Now().Add(time.Hour).Unix()))
		}, "it asks to be left alone for", 1},
		"a job's token": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return answer(w, http.StatusUnauthorized, `{"message":"401 Unauthorized"}`)
		}, "CI_JOB_TOKEN will not do", 1},
		"a guest": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return r.Method == "POST" && answer(w, http.StatusForbidden, `{"message":"403 Forbidden"}`)
		}, "may not do that", 3},
		"a message that is no text": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return r.Method == "POST" && answer(w, http.StatusBadRequest, `{"message":{"note":["is too long"]}}`)
		}, `{"note":["is too long"]}`, 3},
		"a redirect elsewhere": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return answer(w, http.StatusMovedPermanently, "", "Location", "http://127.0.0.1:1/api/v4/user")
		}, "301 Moved Permanently", 1},
		"something else than JSON": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return answer(w, http.StatusOK, "<html>sign in</html>")
		}, "invalid character", 5},
		"down for good": {func(n int, w http.ResponseWriter, r *http.Request) bool {
			return answer(w, http.StatusServiceUnavailable, "")
		}, "503", 5},
	} {
		t.Run(name, func(t *testing.T) {
			f := forgetest.NewGitLab(t)
			f.Trouble = tt.trouble
			_, err := gitlabHost(t, f, "42").Comment(context.Background(), 7, Comment{Key: "k", Body: "text"})
			switch {
			case tt.want == "" && (err != nil || len(f.Notes) != 1):
				t.Errorf("%v; %d notes", err, len(f.Notes))
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "token token") {
				t.Errorf("the token is in %v", err)
			}
			if f.Requests > tt.most {
				t.Errorf("%d requests, want at most %d", f.Requests, tt.most)
			}
		})
	}
}

func TestGitLabStatus(t *testing.T) {
	f := forgetest.NewGitLab(t)
	g, sha := gitlabHost(t, f, "group/sub/name"), strings.Repeat("a", 40)
	for _, state := range []State{Running, Failure, Failure, Success, Success} {
		if err := g.SetStatus(context.Background(), Status{Commit: sha, State: state, Context: "instep", Description: strings.Repeat("ő", 300)}); err != nil {
			t.Fatal(err)
		}
	}
	if s := f.Statuses[sha+" instep"]; s["state"] != "success" || len([]rune(s["description"])) != 255 {
		t.Errorf("%v", s)
	}
	for _, s := range []Status{{Commit: "../../user", State: Success}, {Commit: sha, State: "fine"}} {
		if err := g.SetStatus(context.Background(), s); err == nil {
			t.Errorf("%+v is no error", s)
		}
	}
}

func TestGitLabRefusals(t *testing.T) {
	for _, project := range []string{"", "0", "-1", "name", "../name", "a/../b", "a/b?x", "a b/c"} {
		if _, err := NewGitLab(project, "token", "", Retry{}); err == nil {
			t.Errorf("%q is taken for a project", project)
		}
	}
	for _, api := range []string{"http://gitlab.example.com/api/v4", "ftp://x/y", "https://", "https://x/y?z"} {
		if _, err := NewGitLab("a/b", "token", api, Retry{}); err == nil {
			t.Errorf("%q is taken for an API", api)
		}
	}
	if _, err := NewGitLab("a/b", "", "", Retry{}); err == nil {
		t.Error("no token is no error")
	}
}

func TestCheckRun(t *testing.T) {
	f := forgetest.NewGitHub(t)
	run := CheckRun{Commit: strings.Repeat("a", 40), Name: "instep", State: Failure, Title: "Split this release", Summary: "### text"}
	err := host(t, f).SetCheckRun(context.Background(), run)
	if err == nil || !strings.Contains(err.Error(), "by an app only") {
		t.Errorf("a person's token: %v", err)
	}
	f.App = true
	if err := host(t, f).SetCheckRun(context.Background(), run); err != nil {
		t.Fatal(err)
	}
	c := f.Checks[0]
	output, _ := c["output"].(map[string]any)
	if c["head_sha"] != run.Commit || c["conclusion"] != "failure" || c["status"] != "completed" || output["summary"] != "### text" {
		t.Errorf("%v", c)
	}
	for _, bad := range []CheckRun{{Commit: "main"}, {Commit: run.Commit, Summary: strings.Repeat("x", maxSummary+1)}} {
		if err := host(t, f).SetCheckRun(context.Background(), bad); err == nil {
			t.Errorf("%.100v is no error", bad)
		}
	}
}

// TestExisting: a comment that may only be changed is not made.
func TestExisting(t *testing.T) {
	f := forgetest.NewGitHub(t)
	for i, want := range []string{"nothing", "created", "updated"} {
		if done := comment(t, f, Comment{Key: "k", Body: fmt.Sprint(i), Existing: i != 1}); done.Action != want {
			t.Errorf("run %d: %s, want %s", i, done.Action, want)
		}
	}
}

// TestNoteRemovedMeanwhile: somebody removes the note after we have found it, and before we change it.
func TestNoteRemovedMeanwhile(t *testing.T) {
	f := forgetest.NewGitLab(t)
	say := func(c Comment) string {
		t.Helper()
		c.Key = "k"
		done, err := gitlabHost(t, f, "42").Comment(context.Background(), 7, c)
		if err != nil {
			t.Fatal(err)
		}
		return done.Action
	}
	say(Comment{Body: "one"})
	f.Trouble = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if r.Method == "PUT" {
			f.Notes = nil
		}
		return false
	}
	if got := say(Comment{Body: "two"}); got != "created" || len(f.Notes) != 1 || !strings.HasSuffix(f.Notes[0].Body, "two") {
		t.Errorf("%s, %v", got, f.Notes)
	}
	if got := say(Comment{Body: "three", Existing: true}); got != "nothing" || len(f.Notes) != 0 {
		t.Errorf("one that may only be changed: %s, %v", got, f.Notes)
	}
}
