// Package forgetest plays the part of forges in tests: HTTP servers written from the forges' documented behaviour.
package forgetest

import (
	"crypto/sha256"
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

// GitHub plays the part of GitHub's REST API that comments need, as its documentation has it (REST API endpoints for issue
// comments, for commit statuses, for check runs; Rate limits for the REST API; Using pagination in the REST API; Use conditional requests if appropriate). It knows one
// repository, o/r, and one token, "token"; its API is at URL + "/api/v3". Fields may be changed while no request is under way.
type GitHub struct {
	*httptest.Server
	mu          sync.Mutex
	Next        int // the id of the next comment
	Comments    []Comment
	Statuses    []map[string]string // as they were sent, with the commit as sha
	Checks      []map[string]any    // check runs as they were sent, with an id
	Requests    int
	NotModified int // answers 304
	// Trouble answers a request in another way; it gives false to leave it alone. n counts requests from 1.
	Trouble func(n int, w http.ResponseWriter, r *http.Request) bool
	Bot     bool            // the token is a workflow's: it cannot ask whose it is
	App     bool            // the token is an app's, which may make check runs
	OnPost  func(f *GitHub) // after a comment was made, with the lock held
	Slow    time.Duration   // of every answer
}

// A Comment is one on a pull request or a merge request.
type Comment struct {
	ID   int    `json:"id"`
	Body string `json:"body"`
	URL  string `json:"html_url"`
	User struct {
		Login string `json:"login"`
		Type  string `json:"type"`
	} `json:"user"`
	PR int `json:"-"`
}

// NewGitHub starts a server, which ends with the test.
func NewGitHub(t testing.TB) *GitHub {
	f := &GitHub{Next: 1}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// Add makes a comment by somebody. The lock is held, or nobody else runs.
func (f *GitHub) Add(pr int, login, kind, body string) Comment {
	c := Comment{ID: f.Next, Body: body, URL: fmt.Sprintf("https://github.example/%d", f.Next), PR: pr}
	c.User.Login, c.User.Type = login, kind
	f.Next++
	f.Comments = append(f.Comments, c)
	return c
}

// Me is whose token it is.
func (f *GitHub) Me() (login, kind string) {
	if f.Bot {
		return "github-actions[bot]", "Bot"
	}
	return "releasebot", "User"
}

// Of gives the comments on a pull request.
func (f *GitHub) Of(pr int) (list []Comment) {
	for _, c := range f.Comments {
		if c.PR == pr {
			list = append(list, c)
		}
	}
	return list
}

// ServeHTTP implements http.Handler.
func (f *GitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.Slow > 0 {
		time.Sleep(f.Slow)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Requests++
	if f.Trouble != nil && f.Trouble(f.Requests, w, r) {
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
	login, kind := f.Me()
	var body struct {
		Body string `json:"body"`
	}
	if r.Method == "POST" || r.Method == "PATCH" {
		if strings.Contains(path, "/statuses/") {
			var s map[string]string
			json.NewDecoder(r.Body).Decode(&s)
			s["sha"] = path[strings.LastIndexByte(path, '/')+1:]
			f.Statuses = append(f.Statuses, s)
			w.WriteHeader(http.StatusCreated)
			json.NewEncoder(w).Encode(s)
			return
		}
		if path == "/repos/o/r/check-runs" {
			if !f.App {
				fail(http.StatusForbidden, "You must authenticate via a GitHub App.")
				return
			}
			var c map[string]any
			json.NewDecoder(r.Body).Decode(&c)
			c["id"] = len(f.Checks) + 1
			f.Checks = append(f.Checks, c)
			w.WriteHeader(http.StatusCreated)
			json.NewEncoder(w).Encode(c)
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
		if f.Bot {
			fail(http.StatusForbidden, "Resource not accessible by integration")
			return
		}
		f.answer(w, r, map[string]string{"login": login})
	case scan(path, "/repos/o/r/issues/%d/comments", &pr):
		if r.Method == "POST" {
			c := f.Add(pr, login, kind, body.Body)
			if f.OnPost != nil {
				f.OnPost(f)
			}
			w.WriteHeader(http.StatusCreated)
			json.NewEncoder(w).Encode(c)
			return
		}
		all := f.Of(pr)
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
		f.answer(w, r, slices.Concat([]Comment{}, all[from:to]))
	case scan(path, "/repos/o/r/issues/comments/%d", &id):
		i := slices.IndexFunc(f.Comments, func(c Comment) bool { return c.ID == id })
		switch {
		case i < 0:
			fail(http.StatusNotFound, "Not Found")
		case f.Comments[i].User.Login != login:
			fail(http.StatusForbidden, "Must have admin rights to Repository.")
		case r.Method == "DELETE":
			f.Comments = slices.Delete(f.Comments, i, i+1)
			w.WriteHeader(http.StatusNoContent)
		default:
			f.Comments[i].Body = body.Body
			json.NewEncoder(w).Encode(f.Comments[i])
		}
	default:
		fail(http.StatusNotFound, "Not Found")
	}
}

// answer gives a representation with its ETag, or 304 to who has it. GitHub's tags are weak, and so is the comparison; they are of the body
// alone: a page keeps its tag when another one comes behind it. A 304 gives no links here, which the standard allows (RFC 9110, 304 Not Modified).
func (f *GitHub) answer(w http.ResponseWriter, r *http.Request, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	etag := fmt.Sprintf(`W/"%x"`, sha256.Sum256(body))
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		f.NotModified++
		w.Header().Del("Content-Type")
		w.Header().Del("Link")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Write(body)
}

// scan reads the number in a path that has the format's form exactly.
func scan(path, format string, n *int) bool {
	if _, err := fmt.Sscanf(path, format, n); err != nil {
		return false
	}
	return fmt.Sprintf(format, *n) == path
}
