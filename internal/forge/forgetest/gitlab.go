package forgetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// GitLab plays the part of GitLab's REST API that notes need, as its documentation has it (Notes API, Commits API: commit status,
// Pagination, User and IP rate limits). It knows one project, group/sub/name with the id 42, one merge request, 7, and one token,
// "token", of the user 5; its API is at URL + "/api/v4". Fields may be changed while no request is under way.
type GitLab struct {
	*httptest.Server
	mu       sync.Mutex
	Next     int
	Notes    []Note
	Statuses map[string]map[string]string // by commit and name, joined by a blank
	Requests int
	// Trouble answers a request in another way; it gives false to leave it alone. n counts requests from 1.
	Trouble func(n int, w http.ResponseWriter, r *http.Request) bool
	Slow    time.Duration // of every answer
}

// A Note is one on the merge request.
type Note struct {
	ID     int    `json:"id"`
	Body   string `json:"body"`
	System bool   `json:"system"`
	Author struct {
		ID       int    `json:"id"`
		Username string `json:"username"`
	} `json:"author"`
}

// NewGitLab starts a server, which ends with the test.
func NewGitLab(t testing.TB) *GitLab {
	f := &GitLab{Next: 1, Statuses: map[string]map[string]string{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// Add makes a note by somebody.
func (f *GitLab) Add(author int, system bool, body string) Note {
	n := Note{ID: f.Next, Body: strings.TrimSpace(body), System: system}
	n.Author.ID, n.Author.Username = author, fmt.Sprint("user", author)
	f.Next++
	f.Notes = append(f.Notes, n)
	return n
}

// ServeHTTP implements http.Handler.
func (f *GitLab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.Slow > 0 {
		time.Sleep(f.Slow)
	}
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Requests++
	if f.Trouble != nil && f.Trouble(f.Requests, w, r) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	answer := func(code int, v any) {
		w.WriteHeader(code)
		if code != http.StatusNoContent {
			json.NewEncoder(w).Encode(v)
		}
	}
	fail := func(code int, message string) { answer(code, map[string]string{"message": message}) }
	if r.Header.Get("PRIVATE-TOKEN") != "token" {
		fail(http.StatusUnauthorized, "401 Unauthorized")
		return
	}
	path := r.URL.EscapedPath()
	if path == "/api/v4/user" {
		answer(http.StatusOK, map[string]any{"id": 5, "username": "user5"})
		return
	}
	path, ok := strings.CutPrefix(path, "/api/v4/projects/42/")
	if !ok {
		path, ok = strings.CutPrefix(path, "/api/v4/projects/group%2Fsub%2Fname/")
	}
	if !ok {
		fail(http.StatusNotFound, "404 Project Not Found")
		return
	}
	var in map[string]string
	if (r.Method == "POST" || r.Method == "PUT") && json.Unmarshal(body, &in) != nil {
		fail(http.StatusBadRequest, "400 Bad request")
		return
	}
	var id int
	sha, isStatus := strings.CutPrefix(path, "statuses/")
	switch {
	case isStatus && r.Method == "POST":
		key := sha + " " + in["name"]
		if !slices.Contains([]string{"pending", "running", "success", "failed", "canceled", "skipped"}, in["state"]) {
			fail(http.StatusBadRequest, "state does not have a valid value")
			return
		}
		if old := f.Statuses[key]; old != nil && old["state"] == in["state"] {
			fail(http.StatusBadRequest, fmt.Sprintf("Cannot transition status via :%s from :%s (Reason(s): Status cannot transition via %q)", in["state"], in["state"], in["state"]))
			return
		}
		f.Statuses[key] = in
		answer(http.StatusCreated, in)
	case path == "merge_requests/7/notes" && r.Method == "GET":
		all := slices.Clone(f.Notes)
		if r.URL.Query().Get("sort") != "asc" {
			slices.Reverse(all) // the newest first is the default
		}
		per, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		if per == 0 {
			per = 20
		}
		per, page = min(max(per, 1), 100), max(page, 1)
		from, to := min((page-1)*per, len(all)), min(page*per, len(all))
		if next := ""; to <= len(all) {
			if to < len(all) {
				next = fmt.Sprint(page + 1)
			}
			w.Header().Set("X-Next-Page", next)
		}
		answer(http.StatusOK, slices.Concat([]Note{}, all[from:to]))
	case path == "merge_requests/7/notes" && r.Method == "POST":
		if in["body"] == "" || len([]rune(in["body"])) > 1_000_000 {
			answer(http.StatusBadRequest, map[string]any{"message": map[string][]string{"note": {"can't be blank"}}})
			return
		}
		answer(http.StatusCreated, f.Add(5, false, in["body"]))
	case scan(path, "merge_requests/7/notes/%d", &id):
		i := slices.IndexFunc(f.Notes, func(n Note) bool { return n.ID == id })
		switch {
		case i < 0:
			fail(http.StatusNotFound, "404 Not found")
		case f.Notes[i].Author.ID != 5:
			fail(http.StatusForbidden, "403 Forbidden")
		case r.Method == "DELETE":
			f.Notes = slices.Delete(f.Notes, i, i+1)
			answer(http.StatusNoContent, nil)
		case r.Method == "PUT":
			f.Notes[i].Body = strings.TrimSpace(in["body"])
			answer(http.StatusOK, f.Notes[i])
		default:
			fail(http.StatusMethodNotAllowed, "405 Method Not Allowed")
		}
	default:
		fail(http.StatusNotFound, "404 Not found")
	}
}
