package cli

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"instep/cmd/internal/report"
	"instep/simulate"
)

// waitOptions are the flags of wait.
type waitOptions struct {
	services  []string
	version   string
	migration string
	dsn       string
	timeout   time.Duration
	settle    time.Duration
	every     time.Duration
	answers   int
}

const (
	maxVersionBody = 64 << 10
	askTimeout     = 10 * time.Second
	maxInstances   = 1000
)

func newWait(o *options) *cobra.Command {
	w := &waitOptions{}
	cmd := &cobra.Command{
		Use:   "wait --service NAME=URL --version VERSION",
		Short: "the gate between two steps: wait until every instance reports the new version, or the migration has run",
		Long: `wait asks until every instance of a service reports the version that is being rolled out, and exits with 0; with 1 if
the time is up before. It stands between two steps of a deployment: app is everywhere at the new version, so that
admin may run the migration.

URL is a Dockerflow version endpoint: JSON with "version" and "commit", either of which VERSION may name. Every address that
the host resolves to is asked, each time over a new connection, so that a headless service shows all its instances. Behind a
load balancer nobody can say who has answered: raise --answers, the number of consecutive right answers that each address has
to give, and --settle, the time for which no other answer may come. The same holds behind a proxy (HTTPS_PROXY), which is asked
once. Where this machine has no route to any IPv6 address, or to any IPv4 address, only the others are asked.

With --migration and --dsn (or INSTEP_DSN), wait looks at a database until its framework's own table says that the
migration has run to its end. It only reads.`,
		Example: `  instep wait --service app=https://app.example.com/__version__ --version v3.111 --timeout 30m --settle 60s
  instep wait --service app=http://10.0.0.1/__version__,http://10.0.0.2/__version__ --version v3.111
  INSTEP_DSN='reader:secret@tcp(db:3306)/balrog' instep wait --migration 0042`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return runWait(cmd, o, w) },
	}
	f := cmd.Flags()
	f.StringArrayVar(&w.services, "service", nil, "NAME=URL[,URL…]: the version endpoints of a service (repeatable)")
	f.StringVar(&w.version, "version", "", "the version, or the commit (7 digits or more), that every instance has to report")
	f.StringVar(&w.migration, "migration", "", "the id of a migration that has to have run")
	f.StringVar(&w.dsn, "dsn", "", "the database, as user:password@tcp(host:3306)/name (better in INSTEP_DSN: others can see command lines)")
	f.DurationVar(&w.timeout, "timeout", 30*time.Minute, "give up after this time")
	f.DurationVar(&w.settle, "settle", 0, "go on asking for this time, in which nothing else may be answered")
	f.DurationVar(&w.every, "every", 5*time.Second, "the pause between two rounds")
	f.IntVar(&w.answers, "answers", 1, "how many right answers each address has to give in a row")
	return cmd
}

// A watched is something that has to reach a state.
type watched struct {
	name string
	// ask gives whether it is there, and what to say of it.
	ask   func(ctx context.Context) (ready bool, state string)
	row   int       // right answers in a row
	since time.Time // of the first of them
	state string    // as it was said last
	done  bool      // by the last answer
}

func runWait(cmd *cobra.Command, o *options, w *waitOptions) error {
	all, err := w.watch()
	if err != nil {
		return err
	}
	if w.every <= 0 || w.answers < 1 || w.timeout <= 0 || w.settle < 0 {
		return errors.New("--every and --timeout have to be longer than nothing, --answers at least 1, --settle not negative")
	}
	if w.settle >= w.timeout {
		return fmt.Errorf("--settle %v does not fit into --timeout %v", w.settle, w.timeout)
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), w.timeout)
	defer cancel()
	say := func(format string, args ...any) {
		if !o.quiet {
			fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...)
		}
	}
	for {
		if w.round(ctx, all, say) {
			var names []string
			for _, x := range all {
				names = append(names, x.name)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Ready: %s.\n", strings.Join(names, ", "))
			return nil
		}
		select {
		case <-ctx.Done():
			if cmd.Context().Err() != nil {
				return errors.New("interrupted")
			}
			for _, x := range all {
				if !x.done {
					fmt.Fprintf(cmd.ErrOrStderr(), "instep: not ready after %v: %s: %s\n", w.timeout, x.name, w.missing(x))
				}
			}
			return exit(exitUnsafe)
		case <-time.After(w.every):
		}
	}
}

// round asks everybody once and tells whether all are there.
func (w *waitOptions) round(ctx context.Context, all []*watched, say func(string, ...any)) bool {
	done := true
	for _, x := range all {
		ready, state := x.ask(ctx)
		if ctx.Err() != nil {
			return false
		}
		now := time.Now()
		if !ready {
			x.row = 0
		} else if x.row++; x.row == 1 {
			x.since = now
		}
		if state != x.state {
			say("%s: %s", x.name, state)
			x.state = state
		}
		x.done = x.row >= w.answers && now.Sub(x.since) >= w.settle
		done = x.done && done
	}
	return done
}

// missing says what something that is watched lacks.
func (w *waitOptions) missing(x *watched) string {
	switch {
	case x.state == "":
		return "it has not answered yet"
	case x.row == 0:
		return x.state
	case x.row < w.answers:
		return fmt.Sprintf("%s, but has done so only %d times in a row, not %d (--answers)", x.state, x.row, w.answers)
	}
	return fmt.Sprintf("%s, but not yet for %v (--settle)", x.state, w.settle)
}

// watch reads the flags.
func (w *waitOptions) watch() ([]*watched, error) {
	var all []*watched
	for _, s := range w.services {
		name, list, ok := strings.Cut(s, "=")
		if !ok || name == "" || list == "" {
			return nil, fmt.Errorf("--service %s: write NAME=URL", s)
		}
		if w.version == "" {
			return nil, errors.New("--service needs --version: what should it report?")
		}
		for _, raw := range strings.Split(list, ",") {
			u, err := versionAddress(raw)
			if err != nil {
				return nil, fmt.Errorf("--service %s: %w", name, err)
			}
			label := report.Clean(name)
			if strings.Contains(list, ",") {
				label += " (" + report.Clean(u.Host) + ")"
			}
			all = append(all, &watched{name: label, ask: func(ctx context.Context) (bool, string) { return askVersion(ctx, u, w.version) }})
		}
	}
	if w.migration != "" {
		dsn := w.dsn
		if dsn == "" {
			dsn = os.Getenv("INSTEP_DSN")
		}
		if dsn == "" {
			return nil, errors.New("--migration needs --dsn, or INSTEP_DSN: which database?")
		}
		if _, err := simulate.ParseDSN(dsn); err != nil {
			return nil, err
		}
		all = append(all, &watched{name: "migration " + report.Clean(w.migration), ask: func(ctx context.Context) (bool, string) {
			ctx, cancel := context.WithTimeout(ctx, askTimeout)
			defer cancel()
			r, err := simulate.ReadRevision(ctx, dsn, w.migration)
			if err != nil {
				return false, report.Clean(err.Error())
			}
			return r.Applied, report.Clean(r.State)
		}})
	} else if w.dsn != "" {
		return nil, errors.New("--dsn needs --migration: which one has to have run?")
	}
	if len(all) == 0 {
		return nil, errors.New("what should be waited for? --service NAME=URL --version VERSION, or --migration ID --dsn DSN")
	}
	return all, nil
}

// askVersion asks every address that a host has, and tells whether all report the version.
func askVersion(ctx context.Context, u *url.URL, version string) (bool, string) {
	answers, silent, err := askAll(ctx, u)
	if err != nil {
		return false, report.Clean(err.Error())
	}
	right := 0
	var wrong []string
	for _, a := range answers {
		switch {
		case a.err != nil:
			wrong = append(wrong, a.err.Error())
		case a.is(version):
			right++
		default:
			wrong = append(wrong, "reports "+a.String())
		}
	}
	slices.Sort(wrong)
	wrong = slices.Compact(wrong)
	if silent != "" {
		silent = "; " + silent
	}
	if len(wrong) == 0 {
		return true, fmt.Sprintf("reports %s%s", report.Clean(version), silent)
	}
	state := strings.Join(wrong[:min(len(wrong), 3)], "; ")
	if len(answers) > 1 {
		state = fmt.Sprintf("%d of %d addresses report %s; %s", right, len(answers), version, state)
	}
	return false, report.Clean(state + silent)
}

// A deployedVersion is what a Dockerflow version endpoint tells.
type deployedVersion struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
}

func (v deployedVersion) String() string {
	if v.Version != "" {
		return v.Version
	}
	return v.Commit
}

// is tells whether that is the version: with or without a v before it, or a commit of seven digits or more.
func (v deployedVersion) is(want string) bool {
	if v.Version != "" && strings.TrimPrefix(v.Version, "v") == strings.TrimPrefix(want, "v") {
		return true
	}
	return len(want) >= 7 && strings.HasPrefix(strings.ToLower(v.Commit), strings.ToLower(want))
}

// dockerflow asks a version endpoint over a new connection; addr is where to connect to, "" for the host's own address.
func dockerflow(ctx context.Context, u *url.URL, addr string) (deployedVersion, error) {
	var v deployedVersion
	transport := &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{ServerName: u.Hostname()}}
	if addr != "" {
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		return fmt.Errorf("it redirects to %s: give that address", report.Clean(req.URL.Redacted()))
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return v, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Cache-Control", "no-cache")
	resp, err := client.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // without the address, which may hold a password
		}
		return v, fmt.Errorf("does not answer: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return v, fmt.Errorf("answers %s", resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxVersionBody))
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(body, &v); err != nil || v.Version == "" && v.Commit == "" {
		return v, errors.New(`answers with something else than JSON with "version" or "commit"`)
	}
	return v, nil
}
