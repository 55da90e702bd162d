// Package bot is a server for a forge's webhooks: what is pushed is checked, and what the check says is kept as one comment and a
// status. It knows nothing of schemas: the check is a function.
//
// Its promise is that an accepted delivery is not lost. A delivery is answered with 202 only when its jobs are on the disk (bbolt),
// and a job leaves the disk when its result is posted, or a newer head has taken its place, or it has failed for good. A process that
// is killed goes on with the rest at its next start. The result of a check is on the disk before it is posted, so that no
// head is analysed a second time for the sake of a post; a post that was under way is repeated, which changes nothing, for there is one
// comment and one status.
package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"instep/internal/forge"
)

// A Watch is a repository that is watched, under one of possibly several configurations.
type Watch struct {
	Repository string // owner/name; upper and lower case are the same
	Name       string // tells several watches of a repository apart; may be ""
	// Moves tells whether a push to that reference ("refs/tags/v1") can change what the requests are compared with, so that all have
	// to be checked again. nil: none can.
	Moves func(ref string) bool
}

// A Job is one head to be checked.
type Job struct {
	ID         uint64
	Repository string // as the Watch has it
	Name       string
	Request    int       // the pull request; 0 for a push to a branch
	Branch     string    // the request's base, or the branch
	Head       string    // the commit
	Queued     time.Time // when the first head of this request joined the queue
	Due        time.Time // not to be started before
	Tries      int       // that have failed
	Starts     int       // that did not come to an end: the process was killed
	Result     *Result   // the check is done, and to be posted
}

// A Result is what a check says.
type Result struct {
	Deployed string // the commit that was compared with
	Target   string // the commit that was compared; not always the head
	State    forge.State
	Summary  string // one line, for the status
	Body     string // Markdown, for the comment; "" for none
	By       string // what else the result depends on, such as the program's version: for Check to compare
}

// A TemporaryError may be gone at the next try. Other errors of a check are final.
type TemporaryError struct{ Err error }

// Error gives the error's text.
func (e *TemporaryError) Error() string { return e.Err.Error() }

// Unwrap gives the error.
func (e *TemporaryError) Unwrap() error { return e.Err }

// A Config says what a bot does. What is 0 or nil has a default, but for Watches, Secrets, Check, Host and Dir.
type Config struct {
	Watches []Watch
	// Secrets are those that a delivery may be signed with: more than one while they are changed.
	Secrets [][]byte
	// Check checks a job's head. last is the result for the same request before, or nil: if nothing has changed, it may be given
	// back. One job runs for each repository at a time. What Check returns as an error is logged and not shown to the public.
	Check func(ctx context.Context, j Job, last *Result) (*Result, error)
	// Host gives the forge, for one job.
	Host func(repository string) (forge.Host, error)
	Dir  string // for the store; one process may use it at a time

	Workers int           // jobs that run at once; 2
	Queue   int           // jobs that wait; 1000
	Timeout time.Duration // of one check; 10m
	Tries   int           // of a job whose errors are temporary; 8
	Wait    time.Duration // after the first of them, three times as long after each further one, 15m at most; 10s
	Grace   time.Duration // for running jobs, when the bot is stopped; 20s
	Read    time.Duration // of one request; its head in a third of it. GitHub itself gives up after 10 seconds; 15s
	Log     *slog.Logger
}

// maxStarts is how often a job may have been running when the process died, before it is held to be the reason.
const maxStarts = 3

// maxWait bounds the pause before a job is tried again.
const maxWait = 15 * time.Minute

// maxSeen bounds the deliveries that are remembered, against their being sent again.
const maxSeen = 20_000

// A Bot is the server.
type Bot struct {
	c       Config
	store   *store
	metrics *metrics
	log     *slog.Logger

	mu      sync.Mutex
	jobs    map[uint64]*Job
	running map[string]*running // by repository
	stuck   int                 // workers whose check goes on after its time
	closing bool
	wake    chan struct{}        // buffered: something may have become ready
	warned  map[string]time.Time // when a kind of refusal was logged last

	large chan struct{} // held while a large body is in memory
	small chan struct{} // likewise, for each small one
}

// A running is a job that a worker has taken.
type running struct {
	id     uint64
	job    Job
	cancel context.CancelCauseFunc
}

var (
	errSuperseded = errors.New("a newer head has come")
	errStopping   = errors.New("the bot is stopping")
	errTimeout    = errors.New("the time is up")
)

// New opens the store, and takes up what the last process has left.
func New(c Config) (*Bot, error) {
	if len(c.Secrets) == 0 {
		return nil, errors.New("there is no webhook secret: anybody could send deliveries")
	}
	for _, s := range c.Secrets {
		if len(s) < 8 {
			return nil, errors.New("a webhook secret is shorter than 8 bytes")
		}
	}
	watched := map[string]Watch{}
	same := map[string]bool{}
	for _, w := range c.Watches {
		// In the context of a status, upper and lower case are the same to GitHub (REST API: Create a commit status).
		key := watchKey(w.Repository, strings.ToLower(w.Name))
		if same[key] {
			return nil, fmt.Errorf("%s is watched twice under the name %q", w.Repository, w.Name)
		}
		same[key] = true
		watched[watchKey(w.Repository, w.Name)] = w
	}
	if c.Workers <= 0 {
		c.Workers = 2
	}
	if c.Queue <= 0 {
		c.Queue = 1000
	}
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Minute
	}
	if c.Tries <= 0 {
		c.Tries = 8
	}
	if c.Wait <= 0 {
		c.Wait = 10 * time.Second
	}
	if c.Grace <= 0 {
		c.Grace = 20 * time.Second
	}
	if c.Read <= 0 {
		c.Read = 15 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, err
	}
	st, err := openStore(filepath.Join(c.Dir, "bot.db"))
	if err != nil {
		return nil, err
	}
	b := &Bot{
		c: c, store: st, log: c.Log,
		jobs: map[uint64]*Job{}, running: map[string]*running{}, wake: make(chan struct{}, 1), warned: map[string]time.Time{},
		large: make(chan struct{}, 1), small: make(chan struct{}, maxSmallBodies),
	}
	b.metrics = newMetrics(b)
	jobs, err := st.jobs()
	if err != nil {
		st.close()
		return nil, err
	}
	for _, j := range jobs {
		w, ok := watched[watchKey(j.Repository, j.Name)]
		if !ok {
			b.log.Info("dropped: it is not watched any more", jobAttrs(j)...)
			if err := st.drop(j.ID); err != nil {
				st.close()
				return nil, err
			}
			continue
		}
		j.Repository = w.Repository // which the configuration may write in other letters now
		b.jobs[j.ID] = j
	}
	if len(b.jobs) > 0 {
		b.log.Info("resumed", "jobs", len(b.jobs))
	}
	return b, nil
}

// jobAttrs names a job in the log.
func jobAttrs(j *Job) []any {
	return []any{"repository", j.Repository, "name", j.Name, "request", j.Request, "head", j.Head, "job", j.ID}
}
