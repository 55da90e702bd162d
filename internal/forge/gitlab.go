package forge

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// GitLab is a project on GitLab. It speaks the REST API itself: of GitLab's client library these five requests would need
// little, and it brings several dozen modules.
type GitLab struct {
	project string // escaped for a path
	token   string
	api     string
	client  *http.Client
	retry   Retry
	me      int64 // the token's user, 0 until asked
}

// maxAnswer bounds an answer: a hundred notes, each of at most a million characters.
const maxAnswer = 128 << 20

var projectID = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)

// NewGitLab gives the project with a path (group/name) or a number. api is the address of the API
// (https://gitlab.example.com/api/v4); "" is gitlab.com. The token needs the scope api; a job's own token (CI_JOB_TOKEN) may
// not write notes.
func NewGitLab(project, token, api string, r Retry) (*GitLab, error) {
	if !projectID.MatchString(project) {
		if err := checkRepository(project); err != nil {
			return nil, err
		}
	}
	if token == "" {
		return nil, errNoToken
	}
	u, err := url.Parse(cmp.Or(api, "https://gitlab.com/api/v4"))
	if err != nil || u.Scheme != "https" && !loopback(u) || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q is no https address of an API", api)
	}
	client := &http.Client{Timeout: askTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // the token goes nowhere else, and a POST would become a GET
	}}
	return &GitLab{project: url.PathEscape(project), token: token, api: strings.TrimRight(u.String(), "/"), client: client, retry: r}, nil
}

// A gitlabError is an answer that is no success.
type gitlabError struct {
	status  int
	message string
	header  http.Header
}

func (e *gitlabError) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("GitLab answers %d %s: %s", e.status, http.StatusText(e.status), e.message), ": ")
}

func gitlabStatus(err error) int {
	var answer *gitlabError
	if errors.As(err, &answer) {
		return answer.status
	}
	return 0
}

// again tells whether an error is worth another try, and after how long.
func (e *gitlabError) again() (bool, time.Duration) {
	if e.status != http.StatusTooManyRequests && e.status < 500 {
		return false, 0
	}
	if s, err := strconv.Atoi(e.header.Get("Retry-After")); err == nil && s >= 0 {
		return true, time.Duration(s) * time.Second
	}
	if at, err := strconv.ParseInt(e.header.Get("RateLimit-Reset"), 10, 64); err == nil && e.status == http.StatusTooManyRequests {
		return true, max(time.Until(time.Unix(at, 0)), 0)
	}
	return true, 0
}

// do sends a request with retries and decodes the answer into out, if that is not nil. One that makes something is not sent
// again after a broken connection: it may have arrived.
func (g *GitLab) do(ctx context.Context, what, method, path string, in, out any) (http.Header, error) {
	var header http.Header
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, err
		}
	}
	err := g.retry.do(ctx, func() (err error) {
		header, err = g.once(ctx, method, path, body, out)
		return err
	}, func(err error) (bool, time.Duration) {
		var answer *gitlabError
		if errors.As(err, &answer) {
			return answer.again()
		}
		return method != http.MethodPost, 0
	})
	if err != nil {
		project, _ := url.PathUnescape(g.project)
		return nil, refused(fmt.Errorf("%s on %s: %w%s", what, project, err, gitlabAdvice(err)), gitlabStatus(err))
	}
	return header, nil
}

func (g *GitLab) once(ctx context.Context, method, path string, body []byte, out any) (http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, method, g.api+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("PRIVATE-TOKEN", g.token)
	req.Header.Set("User-Agent", "instep")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := g.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(answer) > maxAnswer {
		return nil, fmt.Errorf("the answer has more than %d MiB", maxAnswer>>20)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, &gitlabError{resp.StatusCode, gitlabMessage(answer), resp.Header}
	}
	if out == nil || resp.StatusCode == http.StatusNoContent {
		return resp.Header, nil
	}
	return resp.Header, json.Unmarshal(answer, out)
}

// gitlabMessage gives what an answer says of an error: {"message": …} or {"error": …}, where the message can be any value.
func gitlabMessage(answer []byte) string {
	var e struct {
		Message json.RawMessage `json:"message"`
		Error   string          `json:"error"`
	}
	if json.Unmarshal(answer, &e) != nil {
		return ""
	}
	var text string
	if json.Unmarshal(e.Message, &text) != nil {
		text = string(e.Message)
	}
	return shorten(cmp.Or(text, e.Error), 300)
}

func gitlabAdvice(err error) string {
	switch gitlabStatus(err) {
	case http.StatusUnauthorized:
		return " (the token is not valid; it needs the scope api, and a job's own CI_JOB_TOKEN will not do: see docs/pull-requests.md)"
	case http.StatusForbidden:
		return " (the token may not do that: it needs the scope api and, for a status, the role Developer)"
	case http.StatusNotFound:
		return " (there is no such project or merge request, or the token may not see it)"
	}
	return ""
}

type gitlabNote struct {
	ID     int64  `json:"id"`
	Body   string `json:"body"`
	System bool   `json:"system"`
	Author struct {
		ID int64 `json:"id"`
	} `json:"author"`
}

func (g *GitLab) notes(request int) string {
	return fmt.Sprintf("/projects/%s/merge_requests/%d/notes", g.project, request)
}

// mine lists the notes that carry the marker and are by the token's user, oldest first.
func (g *GitLab) mine(ctx context.Context, request int, mark string) ([]gitlabNote, error) {
	if g.me == 0 {
		var user struct {
			ID int64 `json:"id"`
		}
		if _, err := g.do(ctx, "asking whose token it is", http.MethodGet, "/user", nil, &user); err != nil {
			return nil, err
		}
		if user.ID == 0 {
			return nil, errors.New("GitLab does not say whose token it is")
		}
		g.me = user.ID
	}
	var found []gitlabNote
	page := "1"
	for range maxPages {
		var list []gitlabNote
		header, err := g.do(ctx, "listing the notes", http.MethodGet, g.notes(request)+"?sort=asc&order_by=created_at&per_page=100&page="+url.QueryEscape(page), nil, &list)
		if err != nil {
			return nil, err
		}
		for _, n := range list {
			if n.Author.ID == g.me && !n.System && strings.HasPrefix(n.Body, mark) {
				found = append(found, n)
			}
		}
		if page = header.Get("X-Next-Page"); page == "" {
			slices.SortFunc(found, func(a, b gitlabNote) int { return cmp.Compare(a.ID, b.ID) })
			return found, nil
		}
	}
	return nil, fmt.Errorf("the merge request has more than %d notes", maxPages*100)
}

// Comment implements Host.
func (g *GitLab) Comment(ctx context.Context, request int, c Comment) (Done, error) {
	done, err := g.say(ctx, request, c)
	if gone(gitlabStatus(err)) { // as on GitHub
		done, err = g.say(ctx, request, c)
	}
	return done, err
}

func (g *GitLab) say(ctx context.Context, request int, c Comment) (Done, error) {
	mark := marker(c.Key)
	found, err := g.mine(ctx, request, mark)
	if err != nil {
		return Done{}, err
	}
	if c.Body == "" {
		for _, old := range found {
			if err := g.remove(ctx, request, old.ID); err != nil {
				return Done{}, err
			}
		}
		if len(found) == 0 {
			return Done{Action: "nothing"}, nil
		}
		return Done{Action: "removed"}, nil
	}
	text, err := c.body()
	if err != nil {
		return Done{}, err
	}
	if len(found) > 0 {
		return g.keep(ctx, request, found, text, "updated")
	}
	if c.Existing {
		return Done{Action: "nothing"}, nil
	}
	if _, err := g.do(ctx, "commenting", http.MethodPost, g.notes(request), map[string]string{"body": text}, nil); err != nil {
		return Done{}, err
	}
	// As on GitHub: of two runs at the same moment each sees both notes now, and both keep the oldest.
	if found, err = g.mine(ctx, request, mark); err != nil || len(found) == 0 {
		return Done{Action: "created"}, err
	}
	return g.keep(ctx, request, found, text, "created")
}

// keep writes the text into the first of some notes that is still there, and removes the others. GitLab trims the blanks around a
// note.
func (g *GitLab) keep(ctx context.Context, request int, found []gitlabNote, text, action string) (done Done, err error) {
	for i, old := range found {
		if done.Action != "" {
			if err := g.remove(ctx, request, old.ID); err != nil {
				return done, err
			}
			continue
		}
		if strings.TrimSpace(old.Body) == strings.TrimSpace(text) {
			done = Done{Action: "unchanged"}
			if action == "created" {
				done.Action = action
			}
			continue
		}
		_, err := g.do(ctx, "editing the note", http.MethodPut, fmt.Sprintf("%s/%d", g.notes(request), old.ID), map[string]string{"body": text}, nil)
		if gone(gitlabStatus(err)) && i < len(found)-1 {
			continue // another run has removed it meanwhile
		}
		if err != nil {
			return Done{}, err
		}
		done = Done{Action: action}
	}
	return done, nil
}

func (g *GitLab) remove(ctx context.Context, request int, id int64) error {
	_, err := g.do(ctx, "removing a note", http.MethodDelete, fmt.Sprintf("%s/%d", g.notes(request), id), nil, nil)
	if gone(gitlabStatus(err)) {
		return nil // another run was faster
	}
	return err
}

// gitlabStates are GitLab's words for the states. It has none for a check that could not be done.
var gitlabStates = map[State]string{Success: "success", Failure: "failed", Failed: "failed", Running: "running"}

// maxGitLabDescription is how long GitLab lets a status' description be, in characters.
const maxGitLabDescription = 255

// SetStatus implements Host. GitLab refuses to set a status to what it is already, which is no error here.
func (g *GitLab) SetStatus(ctx context.Context, s Status) error {
	if !commitHash.MatchString(s.Commit) {
		return fmt.Errorf("%q is no commit", s.Commit)
	}
	state := gitlabStates[s.State]
	if state == "" {
		return fmt.Errorf("the state %q is not known", s.State)
	}
	in := map[string]string{"state": state, "name": s.Context, "description": shorten(s.Description, maxGitLabDescription)}
	if s.URL != "" {
		in["target_url"] = s.URL
	}
	_, err := g.do(ctx, "setting the status of "+s.Commit, http.MethodPost, fmt.Sprintf("/projects/%s/statuses/%s", g.project, s.Commit), in, nil)
	var answer *gitlabError
	if errors.As(err, &answer) && answer.status == http.StatusBadRequest && strings.Contains(answer.message, "Cannot transition status") && strings.Contains(answer.message, "from :"+state) {
		return nil
	}
	return err
}
