package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v88/github"
)

// maxPages bounds the pages of comments that are read, a hundred comments each.
const maxPages = 100

// askTimeout bounds one request.
const askTimeout = 30 * time.Second

// GitHub is a repository on GitHub, or on a GitHub Enterprise server.
type GitHub struct {
	owner, name string
	client      *github.Client
	retry       Retry
	me          string // the token's login, "" where it cannot be asked
	asked       bool
}

// NewGitHub gives the repository owner/name. api is the address of an Enterprise server's API (https://github.example.com/api/v3);
// "" is github.com. The token needs the permission to write pull requests, and statuses for SetStatus. The cache may be nil.
func NewGitHub(repo, token, api string, r Retry, cache *Cache) (*GitHub, error) {
	if err := checkRepository(repo); err != nil {
		return nil, err
	}
	owner, name, _ := strings.Cut(repo, "/")
	if strings.Contains(name, "/") {
		return nil, fmt.Errorf("%q is no repository: write owner/name", repo)
	}
	if token == "" {
		return nil, errNoToken
	}
	// The library refuses to ask as long as it believes that the limit is reached; Retry decides here.
	opts := []github.ClientOptionsFunc{
		github.WithHTTPClient(&http.Client{CheckRedirect: sameServer}), github.WithTimeout(askTimeout), github.WithAuthToken(token),
		github.WithUserAgent("instep"), github.WithDisableRateLimitCheck(),
	}
	if cache != nil {
		opts = append(opts, github.WithTransport(conditional{cache}))
	}
	if api != "" {
		u, err := url.Parse(api)
		if err != nil || u.Scheme != "https" && !loopback(u) || u.Host == "" {
			return nil, fmt.Errorf("%q is no https address of an API", api)
		}
		opts = append(opts, github.WithEnterpriseURLs(api, api))
	}
	client, err := github.NewClient(opts...)
	if err != nil {
		return nil, err
	}
	return &GitHub{owner: owner, name: name, client: client, retry: r}, nil
}

// loopback lets a token go over plain HTTP to this machine only.
func loopback(u *url.URL) bool {
	return u.Scheme == "http" && slices.Contains([]string{"127.0.0.1", "::1", "localhost"}, u.Hostname())
}

var errElsewhere = errors.New("the API redirects to another server, and the token goes to no other")

// sameServer lets a redirect, such as that of a repository that has been renamed, lead to the same server only: the library sends the token
// with every request.
func sameServer(r *http.Request, via []*http.Request) error {
	if first := via[0].URL; r.URL.Scheme != first.Scheme || r.URL.Host != first.Host {
		return fmt.Errorf("%w: %s", errElsewhere, r.URL.Host)
	}
	if len(via) >= 10 {
		return errors.New("the API redirects in a circle")
	}
	return nil
}

// secondaryWait is how long to wait at a secondary limit that does not say so itself (GitHub's documentation: Rate limits for the REST API).
const secondaryWait = time.Minute

// do asks with retries. A request that makes something is not sent again after a broken connection: it may have arrived.
func (g *GitHub) do(ctx context.Context, what string, makes bool, f func() error) error {
	err := g.retry.do(ctx, f, func(err error) (bool, time.Duration) {
		var limit *github.RateLimitError
		var abuse *github.AbuseRateLimitError
		var answer *github.ErrorResponse
		switch {
		case errors.As(err, &limit):
			return true, max(time.Until(limit.Rate.Reset.Time), 0) // clocks differ: what is over may not be over there
		case errors.As(err, &abuse):
			if abuse.RetryAfter != nil {
				return true, max(*abuse.RetryAfter, 0)
			}
			return true, secondaryWait
		case errors.As(err, &answer):
			if after, err := strconv.Atoi(answer.Response.Header.Get("Retry-After")); err == nil && after >= 0 {
				return true, time.Duration(after) * time.Second
			}
			return answer.Response.StatusCode >= 500 || answer.Response.StatusCode == http.StatusTooManyRequests, 0
		}
		return !makes && !errors.Is(err, errElsewhere), 0
	})
	if err != nil {
		return refused(fmt.Errorf("%s on %s/%s: %w%s", what, g.owner, g.name, err, advice(err)), final(err))
	}
	return nil
}

// advice says what to do about an answer of GitHub's.
func advice(err error) string {
	switch code(err) {
	case http.StatusUnauthorized:
		return ": the token is not valid"
	case http.StatusForbidden:
		return ": the token may not do that; it needs the permissions pull-requests: write and, for a status, statuses: write (the token of a workflow on a fork's pull request has neither: see docs/pull-requests.md)"
	case http.StatusNotFound:
		return ": there is no such repository or pull request, or the token may not see it"
	case http.StatusUnprocessableEntity:
		return ": GitHub does not take it (the conversation may be locked)"
	}
	return ""
}

// final gives the status of an answer after which it is of no use to ask again; 0 if GitHub says when to do so.
func final(err error) int {
	var answer *github.ErrorResponse
	if errors.As(err, &answer) && answer.Response != nil && answer.Response.Header.Get("Retry-After") != "" {
		return 0
	}
	return code(err)
}

func code(err error) int {
	var answer *github.ErrorResponse
	if errors.As(err, &answer) && answer.Response != nil {
		return answer.Response.StatusCode
	}
	return 0
}

// mine lists the comments that carry the marker and may be edited, oldest first. Anybody can write a comment with a marker, so
// those of others are left alone: with a person's token by its login, with an app's or a workflow's token, which cannot ask who it is,
// by the author's being a bot.
func (g *GitHub) mine(ctx context.Context, request int, mark string) ([]*github.IssueComment, error) {
	if !g.asked {
		err := g.do(ctx, "asking whose token it is", false, func() error {
			u, _, err := g.client.Users.Get(ctx, "")
			g.me = u.GetLogin()
			return err
		})
		if err != nil && final(err) != http.StatusForbidden && final(err) != http.StatusNotFound {
			return nil, err
		}
		g.asked = true
	}
	var found []*github.IssueComment
	opts := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: 100, Page: 1}}
	for range maxPages {
		var list []*github.IssueComment
		var resp *github.Response
		err := g.do(ctx, "listing the comments", false, func() (err error) {
			list, resp, err = g.client.Issues.ListComments(ctx, g.owner, g.name, request, opts)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			own := c.User.GetLogin() == g.me
			if g.me == "" {
				own = c.User.GetType() == "Bot"
			}
			if own && strings.HasPrefix(c.GetBody(), mark) {
				found = append(found, c)
			}
		}
		// A 304 may come without the link to a page that is new, for the page itself has not changed: so after a full page another one is asked for.
		if resp.NextPage == 0 && len(list) == opts.PerPage {
			resp.NextPage = opts.Page + 1
		}
		if resp.NextPage == 0 {
			slices.SortFunc(found, func(a, b *github.IssueComment) int { return int(min(max(a.GetID()-b.GetID(), -1), 1)) })
			return found, nil
		}
		opts.Page = resp.NextPage
	}
	return nil, fmt.Errorf("the pull request has more than %d comments", maxPages*100)
}

// Comment implements Host.
func (g *GitHub) Comment(ctx context.Context, request int, c Comment) (Done, error) {
	done, err := g.say(ctx, request, c)
	if gone(code(err)) {
		// The comment was removed after it was listed. If it is the pull request that is not there, that is said again.
		done, err = g.say(ctx, request, c)
	}
	return done, err
}

func (g *GitHub) say(ctx context.Context, request int, c Comment) (Done, error) {
	mark := marker(c.Key)
	found, err := g.mine(ctx, request, mark)
	if err != nil {
		return Done{}, err
	}
	if c.Body == "" {
		for _, old := range found {
			if err := g.remove(ctx, old.GetID()); err != nil {
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
		return g.keep(ctx, found, text, "updated")
	}
	if c.Existing {
		return Done{Action: "nothing"}, nil
	}
	var made *github.IssueComment
	err = g.do(ctx, "commenting", true, func() (err error) {
		made, _, err = g.client.Issues.CreateComment(ctx, g.owner, g.name, request, &github.IssueComment{Body: &text})
		return err
	})
	if err != nil {
		return Done{}, err
	}
	// Another run may have done the same at the same moment. Both see both comments now, and both keep the oldest.
	if found, err = g.mine(ctx, request, mark); err != nil || len(found) == 0 {
		return Done{"created", made.GetHTMLURL()}, err
	}
	return g.keep(ctx, found, text, "created")
}

// keep writes the text into the first of some comments that is still there, and removes the others.
func (g *GitHub) keep(ctx context.Context, found []*github.IssueComment, text, action string) (done Done, err error) {
	for i, old := range found {
		if done.Action != "" {
			if err := g.remove(ctx, old.GetID()); err != nil {
				return done, err
			}
			continue
		}
		if old.GetBody() == text {
			done = Done{"unchanged", old.GetHTMLURL()}
			if action == "created" {
				done.Action = action
			}
			continue
		}
		err := g.do(ctx, "editing the comment", false, func() error {
			_, _, err := g.client.Issues.EditComment(ctx, g.owner, g.name, old.GetID(), &github.IssueComment{Body: &text})
			return err
		})
		if gone(code(err)) && i < len(found)-1 {
			continue // another run has removed it meanwhile
		}
		if err != nil {
			return Done{}, err
		}
		done = Done{action, old.GetHTMLURL()}
	}
	return done, nil
}

func (g *GitHub) remove(ctx context.Context, id int64) error {
	err := g.do(ctx, "removing a comment", false, func() error {
		_, err := g.client.Issues.DeleteComment(ctx, g.owner, g.name, id)
		return err
	})
	if gone(code(err)) {
		return nil // another run was faster
	}
	return err
}

// maxDescription is how long GitHub lets a status' description be, in characters.
const maxDescription = 140

// SetStatus implements Host.
func (g *GitHub) SetStatus(ctx context.Context, s Status) error {
	if !commitHash.MatchString(s.Commit) {
		return fmt.Errorf("%q is no commit", s.Commit)
	}
	state, description := string(s.State), shorten(s.Description, maxDescription)
	status := github.RepoStatus{State: &state, Context: &s.Context, Description: &description}
	if s.URL != "" {
		status.TargetURL = &s.URL
	}
	return g.do(ctx, "setting the status of "+s.Commit, false, func() error {
		_, _, err := g.client.Repositories.CreateStatus(ctx, g.owner, g.name, s.Commit, status)
		return err
	})
}

// shorten cuts text to n runes.
func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
