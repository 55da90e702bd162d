package forge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeGitHub plays the part of GitHub's REST API that comments need, as its documentation has it (REST API endpoints for issue
// comments, for commit statuses; Rate limits for the REST API; Using pagination in the REST API).
type fakeGitHub struct {
	*httptest.Server
	mu       sync.Mutex
	next     int
	comments []fakeComment
	statuses []map[string]string
	requests int
	// trouble answers a request in another way; it gives false to leave it alone. n counts requests from 1.
	trouble func(n int, w http.ResponseWriter, r *http.Request) bool
	bot     bool                // the token is a workflow's: it cannot ask whose it is
	onPost  func(f *fakeGitHub) // after a comment was made, with the lock held
	slow    time.Duration       // of every answer
}

type fakeComment struct {
	ID   int    `json:"id"`
	Body string `json:"body"`
	URL  string `json:"html_url"`
	User struct {
		Login string `json:"login"`
		Type  string `json:"type"`
	} `json:"user"`
	pr int
}

func newFakeGitHub(t *testing.T) *fakeGitHub {
	f := &fakeGitHub{next: 1}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// add makes a comment by somebody. The lock is held, or nobody else runs.
func (f *fakeGitHub) add(pr int, login, kind, body string) fakeComment {
	c := fakeComment{ID: f.next, Body: body, URL: fmt.Sprintf("https://github.example/%d", f.next), pr: pr}
	c.User.Login, c.User.Type = login, kind
	f.next++
	f.comments = append(f.comments, c)
	return c
}

func (f *fakeGitHub) me() (login, kind string) {
	if f.bot {
		return "github-actions[bot]", "Bot"
	}
	return "releasebot", "User"
}

func (f *fakeGitHub) of(pr int) (list []fakeComment) {
	for _, c := range f.comments {
		if c.pr == pr {
			list = append(list, c)
		}
	}
	return list
}

func (f *fakeGitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.slow > 0 {
		time.Sleep(f.slow)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	if f.trouble != nil && f.trouble(f.requests, w, r) {
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	fail := func(code int, message string) {
		w.WriteHeader(code)
		json.NewEncoder(w).Encode(map[string]string{"message": message})
	}
	if r.Header.Get("Authorization") != "Bearer token" {
		fail(http.StatusUnauthorized, "Bad credentials")
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/api/v3")
	login, kind := f.me()
	var body struct {
		Body string `json:"body"`
	}
	if r.Method == "POST" || r.Method == "PATCH" {
		if strings.Contains(path, "/statuses/") {
			var s map[string]string
			json.NewDecoder(r.Body).Decode(&s)
			s["sha"] = path[strings.LastIndexByte(path, '/')+1:]
			f.statuses = append(f.statuses, s)
			w.WriteHeader(http.StatusCreated)
			json.NewEncoder(w).Encode(s)
			return
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len([]rune(body.Body)) > 65536 {
			fail(http.StatusUnprocessableEntity, "Validation Failed")
			return
		}
	}
	var pr, id int
	switch {
	case path == "/user":
		if f.bot {
			fail(http.StatusForbidden, "Resource not accessible by integration")
			return
		}
		json.NewEncoder(w).Encode(map[string]string{"login": login})
	case scan(path, "/repos/o/r/issues/%d/comments", &pr):
		if r.Method == "POST" {
			c := f.add(pr, login, kind, body.Body)
			if f.onPost != nil {
				f.onPost(f)
			}
			w.WriteHeader(http.StatusCreated)
			json.NewEncoder(w).Encode(c)
			return
		}
		all := f.of(pr)
		per, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		per, page = min(max(per, 1), 100), max(page, 1)
		from, to := min((page-1)*per, len(all)), min(page*per, len(all))
		if to < len(all) {
			next := *r.URL
			q := next.Query()
			q.Set("page", fmt.Sprint(page+1))
			next.RawQuery = q.Encode()
			w.Header().Set("Link", fmt.Sprintf(`<%s%s>; rel="next"`, f.URL, next.String()))
		}
		json.NewEncoder(w).Encode(slices.Concat([]fakeComment{}, all[from:to]))
	case scan(path, "/repos/o/r/issues/comments/%d", &id):
		i := slices.IndexFunc(f.comments, func(c fakeComment) bool { return c.ID == id })
		switch {
		case i < 0:
			fail(http.StatusNotFound, "Not Found")
		case f.comments[i].User.Login != login:
			fail(http.StatusForbidden, "Must have admin rights to Repository.")
		case r.Method == "DELETE":
			f.comments = slices.Delete(f.comments, i, i+1)
			w.WriteHeader(http.StatusNoContent)
		default:
			f.comments[i].Body = body.Body
			json.NewEncoder(w).Encode(f.comments[i])
		}
	default:
		fail(http.StatusNotFound, "Not Found")
	}
}

// scan reads the number in a path that has the format's form exactly.
func scan(path, format string, n *int) bool {
	if _, err := fmt.Sscanf(path, format, n); err != nil {
		return false
	}
	return fmt.Sprintf(format, *n) == path
}
