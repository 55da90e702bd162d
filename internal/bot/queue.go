package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"instep/internal/forge"
)

// An outcome is what becomes of a delivery.
type outcome string

const (
	accepted  outcome = "accepted"
	duplicate outcome = "duplicate" // it came before
	stale     outcome = "stale"     // a newer one came before
	ignored   outcome = "ignored"   // nothing follows from it
	full      outcome = "full"
)

var errFull = errors.New("the queue is full")

// A plan is what a delivery does to the jobs: it is made in a transaction, and done to the memory when that is on the disk.
type plan struct {
	b       *Bot
	tx      *bolt.Tx
	put     []*Job
	drop    []uint64
	waiting int
}

// accept stores a delivery and what follows from it. When it gives accepted, it is on the disk.
func (b *Bot) accept(d *delivery) (outcome, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing {
		return "", errStopping
	}
	marks := []string{"id " + d.id, "signature " + d.signature}
	var watches []Watch
	for _, w := range b.c.Watches {
		if repositoryKey(w.Repository) == repositoryKey(d.Repository.FullName) {
			watches = append(watches, w)
		}
	}
	p := &plan{b: b, waiting: len(b.jobs)}
	out := ignored
	if err := b.store.db.View(func(tx *bolt.Tx) error {
		if slices.ContainsFunc(marks, func(m string) bool { return isSeen(tx, m) }) {
			out = duplicate
		}
		return nil
	}); err != nil || out == duplicate {
		return out, err
	}
	err := b.store.db.Update(func(tx *bolt.Tx) (err error) {
		p.tx = tx
		switch d.event {
		case "pull_request":
			out, err = p.request(d, watches)
		case "push":
			out, err = p.push(d, watches)
		case "release":
			out, err = p.moved("refs/tags/"+d.Release.TagName, watches)
		}
		if err != nil || out != accepted {
			return err
		}
		for _, j := range p.put {
			if j.ID == 0 {
				if j.ID, err = tx.Bucket(bucketJobs).NextSequence(); err != nil {
					return err
				}
			}
			if err := put(tx, bucketJobs, number(j.ID), j); err != nil {
				return err
			}
		}
		for _, id := range p.drop {
			if err := tx.Bucket(bucketJobs).Delete(number(id)); err != nil {
				return err
			}
		}
		return remember(tx, marks...)
	})
	if err != nil {
		return "", err
	}
	for _, id := range p.drop {
		b.forget(id)
	}
	for _, j := range p.put {
		if old := b.jobs[j.ID]; old != nil && old.Head != j.Head {
			b.superseded(old)
		}
		b.jobs[j.ID] = j
		b.log.Info("queued", append(jobAttrs(j), "event", d.event, "action", d.Action, "delivery", d.id)...)
	}
	b.signal()
	return out, nil
}

// forget drops a job from memory, and stops it if it runs.
func (b *Bot) forget(id uint64) {
	if j := b.jobs[id]; j != nil {
		delete(b.jobs, id)
		if r := b.running[repositoryKey(j.Repository)]; r != nil && r.id == id {
			r.cancel(errSuperseded)
		} else {
			b.superseded(j)
		}
	}
}

func (b *Bot) superseded(j *Job) {
	b.metrics.superseded.Inc()
	b.log.Info("superseded", jobAttrs(j)...)
}

// find gives the job of a watch and request.
func (b *Bot) find(w Watch, request int) *Job {
	for _, j := range b.jobs {
		if j.Request == request && watchKey(j.Repository, j.Name) == watchKey(w.Repository, w.Name) {
			return j
		}
	}
	return nil
}

func (b *Bot) runs(j *Job) bool {
	r := b.running[repositoryKey(j.Repository)]
	return r != nil && r.id == j.ID
}

// enqueue plans a job. It takes the place of a waiting one for the same request, so that a busy request does not lose its turn; a
// running one for another head is stopped. again queues also what runs at this moment: what it is compared with has changed.
func (p *plan) enqueue(w Watch, request int, branch, head string, again bool) error {
	j := &Job{Repository: w.Repository, Name: w.Name, Request: request, Branch: branch, Head: head, Queued: time.Now()}
	old := p.b.find(w, request)
	switch {
	case old == nil:
		// A moved tag asks for as many jobs as there are open requests. They are not refused: nobody would send it again.
		if p.waiting++; p.waiting > p.b.c.Queue && !again {
			return errFull
		}
	case old.Head == head && old.Branch == branch && !again:
		return nil
	case p.b.runs(old):
		p.drop = append(p.drop, old.ID)
	default:
		j.ID, j.Queued = old.ID, old.Queued
	}
	p.put = append(p.put, j)
	return nil
}

// request plans what a pull_request event brings.
func (p *plan) request(d *delivery, watches []Watch) (outcome, error) {
	switch d.Action {
	case "opened", "synchronize", "reopened", "ready_for_review", "closed", "converted_to_draft":
	case "edited":
		if d.Changes.Base == nil {
			return ignored, nil
		}
	default:
		return ignored, nil
	}
	pr := d.PullRequest
	key := pullKey(d.Repository.FullName, pr.Number)
	var old pull
	known, err := get(p.tx, bucketPulls, key, &old)
	if err != nil {
		return "", err
	}
	// Deliveries overtake each other, and an old one can be sent again with another id. GitHub's times have seconds: within one, the
	// head that has been replaced comes late, if it is not pushed in the place of the one that has replaced it.
	same := pr.UpdatedAt.Equal(old.Updated)
	if known && (pr.UpdatedAt.Before(old.Updated) || same && pr.Head.SHA == old.Before && pr.Head.SHA != old.Head && d.Before != old.Head ||
		same && !old.Open && (d.Action == "synchronize" || d.Action == "edited")) {
		return stale, nil
	}
	now := pull{Head: pr.Head.SHA, Base: pr.Base.Ref, Updated: pr.UpdatedAt, Before: d.Before}
	now.Open = pr.State == "open" && !pr.Draft && d.Action != "closed" && d.Action != "converted_to_draft"
	if now.Before == "" && now.Head == old.Head {
		now.Before = old.Before
	}
	if err := put(p.tx, bucketPulls, key, now); err != nil {
		return "", err
	}
	for _, w := range watches {
		if now.Open {
			if err := p.enqueue(w, pr.Number, now.Base, now.Head, false); err != nil {
				return "", err
			}
			continue
		}
		if j := p.b.find(w, pr.Number); j != nil {
			p.drop = append(p.drop, j.ID)
		}
		if d.Action == "closed" {
			if err := p.tx.Bucket(bucketResults).Delete(resultKey(w.Repository, w.Name, pr.Number)); err != nil {
				return "", err
			}
		}
	}
	return accepted, nil
}

// push plans what a push brings: the default branch is checked, and all requests again where what they are compared with moves.
func (p *plan) push(d *delivery, watches []Watch) (outcome, error) {
	out := ignored
	branch, isBranch := strings.CutPrefix(d.Ref, "refs/heads/")
	if isBranch && branch == d.Repository.DefaultBranch && !d.Deleted {
		key := pullKey(d.Repository.FullName, 0)
		var old pull
		known, err := get(p.tx, bucketPulls, key, &old)
		if err != nil {
			return "", err
		}
		at := time.Time(d.Repository.PushedAt)
		if known && (at.Before(old.Updated) || at.Equal(old.Updated) && d.After == old.Before && d.Before != old.Head) {
			return stale, nil
		}
		if err := put(p.tx, bucketPulls, key, pull{Head: d.After, Before: d.Before, Base: branch, Updated: at, Open: true}); err != nil {
			return "", err
		}
		out = accepted
		for _, w := range watches {
			if err := p.enqueue(w, 0, branch, d.After, false); err != nil {
				return "", err
			}
		}
	}
	if moved, err := p.moved(d.Ref, watches); err != nil || moved == accepted {
		return moved, err
	}
	return out, nil
}

// moved plans what a moved reference brings.
func (p *plan) moved(ref string, watches []Watch) (outcome, error) {
	out := ignored
	for _, w := range watches {
		if w.Moves == nil || !w.Moves(ref) {
			continue
		}
		out = accepted
		var err error
		planned := slices.Clone(p.put)
		each := openPulls(p.tx, w.Repository, func(request int, pl pull) {
			if !slices.ContainsFunc(planned, func(j *Job) bool { return j.Name == w.Name && j.Request == request }) {
				err = errors.Join(err, p.enqueue(w, request, pl.Base, pl.Head, true))
			}
		})
		if err := errors.Join(each, err); err != nil {
			return "", err
		}
	}
	return out, nil
}

// signal lets a worker look for jobs.
func (b *Bot) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take gives the first job that is due and whose repository has none running, or how long there is nothing to do.
func (b *Bot) take(base context.Context) (*running, context.Context, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, wait := time.Now(), time.Hour
	if b.closing {
		return nil, nil, wait
	}
	for _, j := range slices.SortedFunc(maps.Values(b.jobs), func(x, y *Job) int { return cmp.Compare(x.ID, y.ID) }) {
		key := repositoryKey(j.Repository)
		if b.running[key] != nil {
			continue
		}
		if d := j.Due.Sub(now); d > 0 {
			wait = min(wait, d)
			continue
		}
		ctx, cancel := context.WithCancelCause(base)
		r := &running{id: j.ID, job: *j, cancel: cancel}
		b.running[key] = r
		b.signal() // there may be more
		return r, ctx, 0
	}
	return nil, nil, wait
}

// work takes jobs until quit is closed.
func (b *Bot) work(base context.Context, quit <-chan struct{}) {
	for {
		r, ctx, wait := b.take(base)
		if r != nil {
			b.run(ctx, r)
			r.cancel(nil)
			b.mu.Lock()
			delete(b.running, repositoryKey(r.job.Repository))
			b.mu.Unlock()
			b.signal()
			continue
		}
		select {
		case <-quit:
			return
		case <-b.wake:
		case <-time.After(wait):
		}
	}
}

// A storeError is that of a store that cannot be written, such as on a full disk. It says nothing of the job.
type storeError struct{ err error }

func (e *storeError) Error() string { return "the store cannot be written: " + e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

// change writes a running job as f has changed it; errGone says that a newer one has taken its place.
func (b *Bot) change(r *running, f func(j *Job)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(&r.job)
	j := r.job
	if err := b.store.save(&j); err != nil {
		return &storeError{err}
	}
	b.jobs[j.ID] = &j
	return nil
}

// end removes a running job; keep keeps its result for the next one.
func (b *Bot) end(r *running, keep bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var err error
	if keep {
		err = b.store.finish(&r.job)
	} else {
		err = b.store.drop(r.id)
	}
	if err != nil {
		return &storeError{err}
	}
	delete(b.jobs, r.id)
	return nil
}

// postpone lets a job whose changes cannot be written wait, in memory alone, with what is known of it: a check is not done again.
func (b *Bot) postpone(r *running, starts int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.jobs[r.id] == nil {
		return
	}
	j := r.job
	j.Starts, j.Due = starts, time.Now().Add(b.pause(2))
	b.jobs[r.id] = &j
}

// run does a job, and says what became of it.
func (b *Bot) run(ctx context.Context, r *running) {
	start, starts := time.Now(), r.job.Starts
	wait, err := b.do(ctx, r)
	attrs := append(jobAttrs(&r.job), "seconds", time.Since(start).Seconds())
	how := "done"
	var temporary *TemporaryError
	var unwritten *storeError
	switch cause := context.Cause(ctx); {
	case err == nil:
		attrs = append(attrs, "state", r.job.Result.State, "summary", r.job.Result.Summary)
	case errors.Is(err, errGone) || errors.Is(cause, errSuperseded):
		how, err = "superseded", nil
	case errors.Is(cause, errStopping):
		how = "requeued"
		err = b.change(r, func(j *Job) { j.Starts = starts })
	case errors.As(err, &unwritten):
		how = "retried"
		attrs = append(attrs, "error", err.Error())
	case errors.As(err, &temporary) && r.job.Tries+1 < b.c.Tries:
		how = "retried"
		attrs = append(attrs, "error", err.Error())
		err = b.change(r, func(j *Job) {
			j.Tries, j.Starts = j.Tries+1, 0
			j.Due = time.Now().Add(b.pause(j.Tries))
			attrs = append(attrs, "tries", j.Tries, "due", j.Due.UTC().Format(time.RFC3339))
		})
	default:
		how = "failed"
		attrs = append(attrs, "error", err.Error())
		b.fail(ctx, &r.job)
		if errors.Is(context.Cause(ctx), errStopping) {
			how = "requeued" // perhaps nobody has been told
			err = b.change(r, func(j *Job) { j.Starts = starts })
		} else {
			err = b.end(r, false)
		}
	}
	if errors.Is(err, errGone) {
		how, err = "superseded", nil
	}
	if how == "superseded" {
		b.superseded(&r.job)
	} else {
		b.metrics.jobs.WithLabelValues(how).Observe(time.Since(start).Seconds())
		level := b.log.Info
		if how == "failed" || how == "retried" {
			level = b.log.Warn
		}
		level(how, attrs...)
	}
	if err != nil {
		b.log.Error("a job cannot be stored, and is tried again", append(jobAttrs(&r.job), "error", err.Error())...)
		b.postpone(r, starts)
	}
	if wait != nil {
		// A check that does not end keeps its repository and its worker, so that such checks do not add up.
		b.count(&b.stuck, 1)
		select {
		case <-wait:
		case <-ctx.Done():
			select {
			case <-wait:
			case <-time.After(time.Second):
			}
		}
		b.count(&b.stuck, -1)
	}
}

func (b *Bot) count(n *int, by int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*n += by
}

// pause is how long a job waits after its nth error.
func (b *Bot) pause(n int) time.Duration {
	d := b.c.Wait
	for range n - 1 {
		if d = 3 * d; d >= maxWait {
			return maxWait
		}
	}
	return d
}

// do checks a job's head and posts the result. wait is closed at the end of a check that has been left alone, because it does not
// heed its context; it is nil otherwise.
func (b *Bot) do(ctx context.Context, r *running) (wait <-chan struct{}, err error) {
	if r.job.Starts >= maxStarts {
		return nil, fmt.Errorf("the process has died %d times while this was checked", r.job.Starts)
	}
	if err := b.change(r, func(j *Job) { j.Starts++ }); err != nil {
		return nil, err
	}
	host, err := b.c.Host(r.job.Repository)
	if err != nil {
		return nil, &TemporaryError{err}
	}
	if r.job.Result == nil {
		b.pending(ctx, host, &r.job)
		var result *Result
		if result, wait, err = b.check(ctx, r.job); err != nil {
			return wait, err
		}
		if err := b.change(r, func(j *Job) { j.Result = result }); err != nil {
			return wait, err
		}
		b.log.Info("checked", append(jobAttrs(&r.job), "deployed", result.Deployed, "target", result.Target, "state", result.State)...)
	}
	if err := b.post(ctx, host, &r.job); isRefused(err) {
		return wait, err
	} else if err != nil {
		return wait, &TemporaryError{err}
	}
	return wait, b.end(r, true)
}

// check calls Check, which may panic or go on after its time.
func (b *Bot) check(ctx context.Context, j Job) (*Result, <-chan struct{}, error) {
	last, err := b.store.last(&j)
	if err != nil {
		return nil, nil, err
	}
	limited, cancel := context.WithTimeoutCause(ctx, b.c.Timeout, errTimeout)
	done := make(chan struct{})
	var result *Result
	go func() {
		defer close(done)
		defer cancel()
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panic: %v", v)
				b.log.Error("the check panics", append(jobAttrs(&j), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))...)
			}
		}()
		if result, err = b.c.Check(limited, j, last); err == nil && result == nil {
			err = errors.New("the check gives nothing")
		}
	}()
	select {
	case <-done:
		return result, nil, err
	case <-limited.Done():
	}
	select {
	case <-done:
		return result, nil, err
	case <-time.After(checkGrace):
		return nil, done, context.Cause(limited)
	}
}

// checkGrace is how long a check whose context is done may take to notice.
const checkGrace = 2 * time.Second

// postTimeout bounds the posting of one result: with retries, it can be long.
const postTimeout = 5 * time.Minute

func statusContext(j *Job) string {
	if j.Name == "" {
		return "instep"
	}
	return "instep/" + j.Name
}

// pending shows that a head is being checked. It is no harm if that fails.
func (b *Bot) pending(ctx context.Context, host forge.Host, j *Job) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	b.forge("pending", j, host.SetStatus(ctx, forge.Status{Commit: j.Head, State: forge.Running, Context: statusContext(j), Description: "Looking at the schema changes"}))
}

// post says the result: first as a comment, then as a status, which links to it. A comment that the forge refuses for good, such as in a
// conversation that is locked, does not keep the status back.
func (b *Bot) post(ctx context.Context, host forge.Host, j *Job) error {
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	var done forge.Done
	if j.Request > 0 {
		var err error
		done, err = host.Comment(ctx, j.Request, forge.Comment{Key: repositoryKey(j.Repository) + " " + j.Name, Body: j.Result.Body})
		if b.forge("comment", j, err) != nil && !isRefused(err) {
			return err
		}
	}
	url := done.URL
	if j.Result.Body == "" {
		url = ""
	}
	return b.forge("status", j, host.SetStatus(ctx, forge.Status{Commit: j.Head, State: j.Result.State, Context: statusContext(j), Description: j.Result.Summary, URL: url}))
}

func isRefused(err error) bool {
	var refused *forge.RefusedError
	return errors.As(err, &refused)
}

// fail shows that a head could not be checked. Why is in the log: it may name what is not for the public. A comment of an
// earlier check stays, and names the commit that it is about.
func (b *Bot) fail(ctx context.Context, j *Job) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	host, err := b.c.Host(j.Repository)
	if err == nil {
		err = host.SetStatus(ctx, forge.Status{Commit: j.Head, State: forge.Failed, Context: statusContext(j), Description: "This commit could not be checked; the log of instep says why"})
	}
	b.forge("status", j, err)
}

// forge counts and logs an error of the forge's, and gives it back.
func (b *Bot) forge(what string, j *Job, err error) error {
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, errSuperseded) && !errors.Is(err, errStopping) {
		b.metrics.forgeErrors.WithLabelValues(what).Inc()
		b.log.Warn("the forge refuses", append(jobAttrs(j), "what", what, "error", err.Error())...)
	}
	return err
}
