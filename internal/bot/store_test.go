package bot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"instep/internal/forge"
)

// limit lets the store not grow beyond what it is, as on a full disk; 0 lets it grow again.
func (w *world) limit(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.store.db.MaxSize = n
}

// TestStoreFull: a store that cannot be written makes no job an error, loses none, checks none twice and does not keep the forge
// busy.
func TestStoreFull(t *testing.T) {
	checks := make(chan string, 1000)
	large := strings.Repeat("x", 1<<20)
	w := newWorld(t, func(ctx context.Context, j Job, last *Result) (*Result, error) {
		checks <- j.Head
		return &Result{Target: j.Head, State: forge.Success, Body: large}, nil
	}, func(c *Config) { c.Wait = 20 * time.Millisecond })
	w.limit(1)
	w.send("pull_request", pr("opened", 1, 1, 1), "202 accepted")
	w.wait("the full store", func() bool { return strings.Contains(w.log.String(), "the store cannot be written") })
	time.Sleep(100 * time.Millisecond)
	if got := w.host.final(head(1)); len(got) != 0 {
		t.Errorf("a full disk is shown as %v", got)
	}
	w.host.mu.Lock()
	if n := len(w.host.statuses); n > 3 {
		t.Errorf("%d statuses while nothing happens", n)
	}
	w.host.mu.Unlock()
	w.limit(0)
	w.wait("the end", w.idle)
	if got := fmt.Sprint(w.host.final(head(1))); got != "[success]" || len(checks) != 1 {
		t.Errorf("%s after %d checks, want one success", got, len(checks))
	}
}

// TestStoreDamaged: a damaged store is an error that names it, whatever the damage, and no crash.
func TestStoreDamaged(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, func(ctx context.Context, j Job, last *Result) (*Result, error) {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return fine(ctx, j, last)
	}, func(c *Config) { c.Grace = time.Millisecond })
	for i := 1; i <= 30; i++ {
		w.send("pull_request", pr("opened", i, i, 1), "202 accepted")
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(w.c.Dir, "bot.db")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	open := func(what string, text []byte) error {
		c := w.c
		c.Dir = t.TempDir()
		if err := os.WriteFile(filepath.Join(c.Dir, "bot.db"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := New(c)
		if err == nil {
			b.Close()
		} else if !strings.Contains(err.Error(), "bot.db is damaged") || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("%s: %v", what, err)
		}
		return err
	}
	if err := open("whole", whole); err != nil {
		t.Fatal(err)
	}
	const page = 4096
	refused := 0
	for at := 0; at < len(whole); at += page {
		for _, how := range []string{"zeros", "ones", "cut"} {
			text := append([]byte(nil), whole...)
			switch how {
			case "zeros":
				clear(text[at : at+page])
			case "ones":
				for i := range page {
					text[at+i] = 0xff
				}
			case "cut":
				text = text[:at]
			}
			if err := open(fmt.Sprintf("page %d %s", at/page, how), text); err != nil {
				refused++
			}
		}
	}
	if pages := len(whole) / page; refused < pages {
		t.Errorf("%d of %d damages are noticed", refused, 3*pages)
	}
}

// TestStopWhileFailing: a status of an error that the forge does not take keeps nobody from stopping, and the job is not lost.
func TestStopWhileFailing(t *testing.T) {
	w := newWorld(t, func(ctx context.Context, j Job, last *Result) (*Result, error) { return nil, errors.New("for good") },
		func(c *Config) { c.Grace = 10 * time.Millisecond })
	posting := make(chan bool, 10)
	w.host.hang = func(s forge.Status) bool {
		if s.State == forge.Failed {
			posting <- true
		}
		return s.State == forge.Failed
	}
	w.send("pull_request", pr("opened", 1, 1, 1), "202 accepted")
	<-posting
	start := time.Now()
	if err := w.stop(); err != nil {
		t.Error(err)
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("stopping takes %s", d)
	}
	w.host.hang = nil
	w.start()
	w.wait("the end", w.idle)
	if got := fmt.Sprint(w.host.final(head(1))); got != "[error]" {
		t.Errorf("%s, want the error", got)
	}
}
