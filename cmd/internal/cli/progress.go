package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"

	"instep/cmd/internal/report"
	"instep/simulate"
)

// A progress tells a person at a terminal what goes on. Elsewhere only notes are printed. It may be used by several
// goroutines at once.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	bars  bool // w is a terminal
	quiet bool
	// hide takes a password out of a text.
	hide  func(string) string
	bar   *progressbar.ProgressBar // of the stage, if its length is known
	stage bool                     // a stage's line stands on the terminal
}

func newProgress(w io.Writer, quiet bool, hide func(string) string) *progress {
	f, ok := w.(*os.File)
	return &progress{w: w, quiet: quiet, hide: hide, bars: ok && !quiet && isatty.IsTerminal(f.Fd()) && os.Getenv("TERM") != "dumb"}
}

// simulation gives what package simulate calls.
func (p *progress) simulation() simulate.Progress {
	return simulate.Progress{Stage: p.begin, Add: p.add, Note: p.note}
}

func (p *progress) begin(name string, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.bar = nil
	if !p.bars {
		return
	}
	name = report.Clean(name)
	if total <= 0 {
		fmt.Fprintf(p.w, "\r%s …", name)
		p.stage = true
		return
	}
	p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription(name),
		progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
}

func (p *progress) add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		p.bar.Add64(n) // more than the total is no reason to stop
	}
}

// note prints a line that stays.
func (p *progress) note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quiet {
		return
	}
	p.clear()
	fmt.Fprintf(p.w, "instep: %s\n", printable(p.hide(text)))
}

// clear takes the stage's line off the terminal. The next Add draws a bar again.
func (p *progress) clear() {
	if p.bar != nil {
		p.bar.Clear()
	}
	if p.stage {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.stage = false
}

func (p *progress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.bar = nil
}
