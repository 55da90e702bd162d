package bot

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// maxBody is how large a delivery may be; GitHub's are at most 25 MB (Webhook events and payloads: Payload cap).
	maxBody = 25 << 20
	// smallBody is how large a body may be that is read beside others. A pull_request's has some 30 kB.
	smallBody      = 128 << 10
	maxSmallBodies = 192
	// bodyWait is how long a request waits until others have been read.
	bodyWait = 3 * time.Second
)

// A delivery is what GitHub sends; only what is needed of it is read.
type delivery struct {
	id, event, signature string

	Action      string `json:"action"`
	PullRequest struct {
		Number    int       `json:"number"`
		State     string    `json:"state"`
		Draft     bool      `json:"draft"`
		UpdatedAt time.Time `json:"updated_at"`
		Head      struct {
			SHA string `json:"sha"`
		} `json:"head"`
		Base struct {
			Ref string `json:"ref"`
		} `json:"base"`
	} `json:"pull_request"`
	Changes struct {
		Base *struct{} `json:"base"`
	} `json:"changes"`
	Ref     string `json:"ref"`
	Before  string `json:"before"`
	After   string `json:"after"`
	Deleted bool   `json:"deleted"`
	Release struct {
		TagName string `json:"tag_name"`
	} `json:"release"`
	Repository struct {
		FullName      string `json:"full_name"`
		DefaultBranch string `json:"default_branch"`
		PushedAt      stamp  `json:"pushed_at"`
	} `json:"repository"`
}

// A stamp is a time as text or, in push events only, as seconds since 1970.
type stamp time.Time

func (s *stamp) UnmarshalJSON(text []byte) error {
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		*s = stamp(time.Unix(n, 0))
		return nil
	}
	return json.Unmarshal(text, (*time.Time)(s))
}

var (
	commitName   = regexp.MustCompile(`^[0-9a-f]{40}$`)
	deliveryName = regexp.MustCompile(`^[0-9A-Za-z-]{1,64}$`)
	signature256 = regexp.MustCompile(`^sha256=[0-9a-f]{64}$`)
)

// events are those that are read.
var events = []string{"pull_request", "push", "release", "ping"}

// A refusal is why a delivery is not taken.
type refusal struct {
	code int
	name string // in the metrics
	text string
}

func (r *refusal) Error() string { return r.text }

// webhook takes deliveries. What can be refused by its header is refused without reading the body.
func (b *Bot) webhook(w http.ResponseWriter, r *http.Request) {
	event := r.Header.Get("X-GitHub-Event")
	label := event
	if !slices.Contains(events, event) {
		label = "other"
	}
	say := func(code int, name, text string) {
		b.metrics.deliveries.WithLabelValues(label, name).Inc()
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if code == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "30")
		}
		w.WriteHeader(code)
		if code != http.StatusNoContent {
			fmt.Fprintln(w, text)
		}
	}
	if r.Method == http.MethodPost && event != "" && label == "other" {
		// Unread; the server drops the connection where the body is long.
		say(http.StatusNoContent, "unknown_event", "")
		return
	}
	d, err := b.receive(r, w)
	var no *refusal
	if errors.As(err, &no) {
		if no.code != http.StatusUnauthorized || r.ContentLength > smallBody {
			w.Header().Set("Connection", "close")
		}
		b.refused(no)
		say(no.code, no.name, no.text)
		return
	}
	if d.event == "ping" {
		say(http.StatusOK, "pong", "pong")
		return
	}
	switch out, err := b.accept(d); {
	case errors.Is(err, errFull):
		b.refused(&refusal{name: "full", text: errFull.Error()})
		say(http.StatusServiceUnavailable, string(full), "The queue is full. Send it again later.")
	case errors.Is(err, errStopping):
		say(http.StatusServiceUnavailable, "stopping", "The server is stopping. Send it again later.")
	case err != nil:
		b.log.Error("a delivery cannot be stored", "delivery", d.id, "error", err.Error())
		say(http.StatusServiceUnavailable, "failed", "The delivery cannot be stored. Send it again later.")
	case out == accepted:
		say(http.StatusAccepted, string(out), "accepted")
	default:
		say(http.StatusOK, string(out), string(out))
	}
}

// receive reads and checks a delivery. Its errors are refusals.
func (b *Bot) receive(r *http.Request, w http.ResponseWriter) (*delivery, error) {
	d := &delivery{event: r.Header.Get("X-GitHub-Event"), id: r.Header.Get("X-GitHub-Delivery"), signature: r.Header.Get("X-Hub-Signature-256")}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Method != http.MethodPost:
		return nil, &refusal{http.StatusMethodNotAllowed, "malformed", "Only POST is answered here."}
	case d.event == "" || !deliveryName.MatchString(d.id):
		return nil, &refusal{http.StatusBadRequest, "malformed", "This is no webhook of GitHub's: X-GitHub-Event or X-GitHub-Delivery is missing."}
	case !signature256.MatchString(d.signature):
		return nil, &refusal{http.StatusUnauthorized, "bad_signature", "X-Hub-Signature-256 is missing: set the webhook's secret."}
	case media != "application/json":
		return nil, &refusal{http.StatusUnsupportedMediaType, "malformed", "Set the webhook's content type to application/json."}
	case r.ContentLength < 0:
		return nil, &refusal{http.StatusLengthRequired, "malformed", "Content-Length is missing."}
	case r.ContentLength > maxBody:
		return nil, &refusal{http.StatusRequestEntityTooLarge, "too_large", "The body is too large."}
	}
	lane := b.small
	if r.ContentLength > smallBody {
		lane = b.large
	}
	select {
	case lane <- struct{}{}:
		defer func() { <-lane }()
	case <-r.Context().Done():
		return nil, &refusal{http.StatusBadRequest, "malformed", "The connection is gone."}
	case <-time.After(bodyWait):
		return nil, &refusal{http.StatusServiceUnavailable, "busy", "Too many deliveries at once. Send it again later."}
	}
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(http.MaxBytesReader(w, r.Body, maxBody), body); err != nil {
		return nil, &refusal{http.StatusRequestTimeout, "malformed", "The body did not arrive in time."}
	}
	if !b.signed(body, d.signature) {
		return nil, &refusal{http.StatusUnauthorized, "bad_signature", "The signature is wrong: is it the same secret here and there?"}
	}
	if err := json.Unmarshal(body, d); err != nil {
		return nil, &refusal{http.StatusBadRequest, "malformed", "The body is not the JSON of that event."}
	}
	if !slices.ContainsFunc(b.c.Watches, func(w Watch) bool { return repositoryKey(w.Repository) == repositoryKey(d.Repository.FullName) }) && d.event != "ping" {
		return nil, &refusal{http.StatusForbidden, "unknown_repository", "This repository is not in the configuration."}
	}
	bad := false
	switch d.event {
	case "pull_request":
		bad = d.PullRequest.Number <= 0 || !commitName.MatchString(d.PullRequest.Head.SHA) || d.Before != "" && !commitName.MatchString(d.Before)
	case "push":
		bad = !strings.HasPrefix(d.Ref, "refs/") || !commitName.MatchString(d.After)
	case "release":
		if d.Action != "published" {
			d.Release.TagName = "" // nothing follows
		} else {
			bad = d.Release.TagName == ""
		}
	}
	if bad {
		return nil, &refusal{http.StatusBadRequest, "malformed", "The body lacks what that event has."}
	}
	return d, nil
}

// signed tells whether one of the secrets signs the body so. All are tried, each in constant time.
func (b *Bot) signed(body []byte, signature string) bool {
	want, err := hex.DecodeString(strings.TrimPrefix(signature, "sha256="))
	if err != nil {
		return false
	}
	ok := false
	for _, secret := range b.c.Secrets {
		h := hmac.New(sha256.New, secret)
		h.Write(body)
		if hmac.Equal(h.Sum(nil), want) {
			ok = true
		}
	}
	return ok
}

// refused logs refusals, but of each kind one a minute at most: anybody can send them. The metrics count all.
func (b *Bot) refused(r *refusal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Since(b.warned[r.name]) >= time.Minute {
		b.warned[r.name] = time.Now()
		b.log.Warn("refused (such are logged once a minute)", "why", r.name, "text", r.text)
	}
}
