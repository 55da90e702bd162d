// Package forge says something on a pull request or a merge request: one comment that is kept up to date, and a status. It
// knows nothing of schemas; it is the only importer of the forges' client libraries.
package forge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"
)

// A Comment is what is to be said.
type Comment struct {
	// Key tells the comments of one tool on one request apart, such as several configurations. The comment carries its hash
	// in a hidden marker, by which later runs find it.
	Key  string
	Body string // Markdown; "" removes the comment
	// Existing: a comment that is there is changed, but none is made.
	Existing bool
}

// A Done says what became of a comment.
type Done struct {
	Action string // "created", "updated", "unchanged", "removed" or "nothing" (there was none to be removed)
	URL    string
}

// A Status is shown beside a commit.
type Status struct {
	Commit      string // the full hash
	State       State
	Context     string // tells the statuses of one commit apart
	Description string // a sentence; cut where the forge wants it short
	URL         string // that it links to; "" for none
}

// A State is a status' value.
type State string

// The states.
const (
	Success State = "success"
	Failure State = "failure"
	Failed  State = "error" // the check itself could not be done
	Running State = "pending"
)

// A Host is a forge that takes comments.
type Host interface {
	// Comment makes the request's comment with that key be the given one: at most one is left, however often and at however many
	// places at once it runs.
	Comment(ctx context.Context, request int, c Comment) (Done, error)
	SetStatus(ctx context.Context, s Status) error
}

// maxComment is how long a comment may be, in bytes with its marker: GitHub takes 65,536 characters.
const maxComment = 65000

// marker hides a key in Markdown: an HTML comment is not shown.
func marker(key string) string {
	h := sha256.Sum256([]byte("instep\x00" + key))
	return "<!-- instep:" + hex.EncodeToString(h[:10]) + " -->"
}

// body gives a comment's text with its marker.
func (c Comment) body() (string, error) {
	text := marker(c.Key) + "\n" + c.Body
	if len(text) > maxComment {
		return "", fmt.Errorf("the comment has %d bytes, more than %d", len(text), maxComment)
	}
	return text, nil
}

// A RefusedError is what a forge refuses for good: it would answer likewise if it were asked again, for the token lacks a permission, the
// conversation is locked, or the request is gone. A token that is not valid is no such case: it may be renewed.
type RefusedError struct{ Err error }

// Error gives the error's text.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap gives the error.
func (e *RefusedError) Unwrap() error { return e.Err }

// refused makes an error a RefusedError if the status is such an answer's.
func refused(err error, status int) error {
	switch status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity:
		return &RefusedError{err}
	}
	return err
}

// gone tells whether an answer says that what was asked for is not there.
func gone(status int) bool { return status == http.StatusNotFound || status == http.StatusGone }

// A Retry says how often and how long a forge is asked again: after a rate limit, a server's error or a broken connection.
type Retry struct {
	Tries int           // 0 takes 5
	Wait  time.Duration // before the second try, doubled for each further one; 0 takes a second
	// Most is the longest single wait; where a forge asks for a longer one, the error says until when. 0 takes two minutes.
	Most time.Duration
}

func (r Retry) tries() int           { return orDefault(r.Tries, 5) }
func (r Retry) most() time.Duration  { return orDefault(r.Most, 2*time.Minute) }
func (r Retry) first() time.Duration { return orDefault(r.Wait, time.Second) }

func orDefault[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

// do runs f until it succeeds. again tells whether an error is worth another try, and how long the forge wants to be left alone
// (0: it does not say).
func (r Retry) do(ctx context.Context, f func() error, again func(error) (bool, time.Duration)) error {
	wait := r.first()
	for try := 1; ; try++ {
		err := f()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		ok, pause := again(err)
		if !ok || try == r.tries() {
			return err
		}
		if pause == 0 {
			pause, wait = min(wait, r.most()), wait*2
		}
		if pause > r.most() {
			return fmt.Errorf("%w (it asks to be left alone for %v)", err, pause.Round(time.Second))
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// repository is owner/name, of GitLab also with subgroups.
var repository = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$`)

// checkRepository refuses what would make another address of the forge's API.
func checkRepository(name string) error {
	if !repository.MatchString(name) || len(name) > 250 {
		return fmt.Errorf("%q is no repository: write owner/name", name)
	}
	return nil
}

var errNoToken = errors.New("there is no token")
