package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"instep/analyzer"
	"instep/analyzer/rules"
	"instep/cmd/internal/report"
	"instep/internal/bot"
	"instep/internal/forge"
	"instep/internal/gitfs"
)

// serveMemory is the soft limit of the Go heap, unless GOMEMLIMIT says another: the server has to live beside others.
const serveMemory = 128 << 20

// A botConfig is the file of instep serve --config.
type botConfig struct {
	Listen       string          `yaml:"listen"`
	Data         string          `yaml:"data"`
	Secrets      []botSecret     `yaml:"webhook_secrets"`
	Token        *botSecret      `yaml:"token"`
	API          string          `yaml:"api"`
	Workers      int             `yaml:"workers"`
	Queue        int             `yaml:"queue"`
	Timeout      botDuration     `yaml:"timeout"`
	Grace        botDuration     `yaml:"grace"`
	Retry        botRetry        `yaml:"retry"`
	CloneMB      int             `yaml:"clone_mb"`
	Repositories []botRepository `yaml:"repositories"`
}

// A botSecret says where a secret stands: it is never in the file itself.
type botSecret struct {
	Env  string `yaml:"env"`
	File string `yaml:"file"`
}

type botRetry struct {
	Tries int         `yaml:"tries"`
	Wait  botDuration `yaml:"wait"`
}

type botRepository struct {
	Repository string      `yaml:"repository"`
	Name       string      `yaml:"name"`
	Deployed   botDeployed `yaml:"deployed"`
	Tags       string      `yaml:"tags"`
	Server     string      `yaml:"server"`
	SQLMode    sqlMode     `yaml:"sql_mode"`
}

// A botDeployed says what is deployed, by service; "" is for every service that is not named. In the file it is one value, or a
// mapping.
type botDeployed map[string]string

func (d *botDeployed) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if err := unmarshal(&one); err == nil {
		*d = botDeployed{"": one}
		return nil
	}
	var each map[string]string
	if err := unmarshal(&each); err != nil {
		return errors.New("deployed is one value, or a mapping of services to values")
	}
	*d = each
	return nil
}

// A botDuration is written as 90s or 10m.
type botDuration time.Duration

func (d *botDuration) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return err
	}
	v, err := time.ParseDuration(text)
	if err != nil || v <= 0 {
		return fmt.Errorf("%q is no time: write it as 90s or 10m", text)
	}
	*d = botDuration(v)
	return nil
}

const (
	latestTag           = "latest-tag"
	defaultListen       = "127.0.0.1:8080"
	defaultWebhookEnv   = "INSTEP_WEBHOOK_SECRET"
	defaultBotTokenEnv  = "INSTEP_GITHUB_TOKEN"
	maxBotSecret        = 64 << 10
	maxBotRepositories  = 1000
	mergeWait           = 3 * time.Second // GitHub makes the merge of a request some seconds after its push
	mergeTries          = 3
	maxStatusLine       = 140
	botRefusedPrefix    = "Not checked: "
	githubAddress       = "https://github.com"
	enterprisePathV3    = "/api/v3"
	botClonesFolder     = "clones"
	maxBotAPIRetryPause = 20 * time.Second
)

func newServe(o *options) *cobra.Command {
	var listen, data string
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "the bot: check pull requests when GitHub's webhooks come, and keep one comment and a status on each",
		Long: `serve answers GitHub's webhooks. It checks every pull request against what is deployed, keeps one comment on it and sets a
status; where a release or a tag moves what is deployed, all open requests are checked again. Nothing of a repository is executed,
and its configuration is read at the deployed ref: a pull request cannot silence its own findings.

FILE is YAML; see docs/serve.md. Secrets are read from environment variables or files that it names, by default
INSTEP_WEBHOOK_SECRET and INSTEP_GITHUB_TOKEN. The log is JSON on standard error. The server speaks plain HTTP: put a proxy before it.`,
		Example: "  instep serve --config bot.yaml",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runServe(cmd, o, listen, data) },
	}
	cmd.Flags().StringVar(&listen, "listen", "", "the address to listen at, instead of the file's (default "+defaultListen+")")
	cmd.Flags().StringVar(&data, "data", "", "the folder for the queue and the clones, instead of the file's")
	return cmd
}

func runServe(cmd *cobra.Command, o *options, listen, data string) error {
	if o.config == "" {
		return errors.New("which repositories? serve needs --config FILE (see docs/serve.md)")
	}
	c, err := readBotConfig(o.config)
	if err != nil {
		return err
	}
	for _, over := range []struct{ to, by *string }{{&c.Listen, &listen}, {&c.Data, &data}} {
		if *over.by != "" {
			*over.to = *over.by
		}
	}
	if c.Listen == "" {
		c.Listen = defaultListen
	}
	if c.Data == "" {
		return fmt.Errorf("%s: data is missing: the folder for the queue and the clones", o.config)
	}
	var hidden redactor
	s, bc, err := c.server(&hidden)
	if err != nil {
		return err
	}
	bc.Log = slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{ReplaceAttr: hidden.attr}))
	s.log = bc.Log
	// A short run lets the heap grow (see Main); this one is long.
	debug.SetGCPercent(100)
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(serveMemory)
	}
	b, err := bot.New(*bc)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return errors.Join(err, b.Close())
	}
	bc.Log.Info("listening", "address", l.Addr().String(), "repositories", len(c.Repositories), "version", versionText())
	return b.Serve(cmd.Context(), l)
}

// readBotConfig reads and checks the file, except for what flags can give.
func readBotConfig(name string) (*botConfig, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	if info.Size() > maxConfig {
		return nil, fmt.Errorf("%s: %d bytes are more than a configuration may have (%d)", name, info.Size(), maxConfig)
	}
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	return parseBotConfig(name, src)
}

func parseBotConfig(name string, src []byte) (*botConfig, error) {
	c := &botConfig{}
	file, err := decode(name, src, c)
	if err != nil {
		return nil, err
	}
	ck := checker{name: name, file: file}
	c.check(&ck)
	return c, ck.err
}

var (
	botRepositoryName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9_.-]+$`)
	botWatchName      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,49}$`)
	wholeCommit       = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

func (c *botConfig) check(ck *checker) {
	for _, s := range c.Secrets {
		s.check(ck, "$.webhook_secrets")
	}
	if c.Token != nil {
		c.Token.check(ck, "$.token")
	}
	if c.API != "" {
		if u, err := url.Parse(c.API); err != nil || u.Host == "" || !strings.HasSuffix(strings.TrimRight(u.Path, "/"), enterprisePathV3) {
			ck.fail("$.api", "%q is no address of an Enterprise server's API: it looks like https://github.example.com/api/v3", c.API)
		}
	}
	for _, n := range []struct {
		key       string
		value, to int
	}{{"workers", c.Workers, 64}, {"queue", c.Queue, 100_000}, {"clone_mb", c.CloneMB, 1 << 20}} {
		if n.value < 0 || n.value > n.to {
			ck.fail("$."+n.key, "%s is between 1 and %d", n.key, n.to)
		}
	}
	if len(c.Repositories) == 0 || len(c.Repositories) > maxBotRepositories {
		ck.fail("$.repositories", "between 1 and %d repositories are watched", maxBotRepositories)
	}
	for i, r := range c.Repositories {
		at := fmt.Sprintf("$.repositories[%d]", i)
		if _, name, _ := strings.Cut(r.Repository, "/"); !botRepositoryName.MatchString(r.Repository) || name == "." || name == ".." {
			ck.fail(at, "%q is no repository: write repository: owner/name", r.Repository)
		}
		if r.Name != "" && !botWatchName.MatchString(r.Name) {
			ck.fail(at+".name", "%q is no name: letters, digits, and _ . -", r.Name)
		}
		if len(r.Deployed) == 0 {
			ck.fail(at, "deployed is missing: a tag, a branch, %s, or the address of a version endpoint", latestTag)
		}
		latest := false
		for _, service := range sortedKeys(r.Deployed) {
			where, value := at+".deployed", r.Deployed[service]
			if service != "" {
				where += "." + quoteKey(service)
			}
			latest = latest || value == latestTag
			switch {
			case value == "":
				ck.fail(where, "what is deployed is empty: a tag, a branch, %s, or the address of a version endpoint", latestTag)
			case value == notDeployed && service == analyzer.MigrationStep:
				ck.fail(where, "databases are somewhere: give the ref whose migrations they have run last")
			case strings.Contains(value, "://"):
				for raw := range strings.SplitSeq(value, ",") {
					if _, err := versionAddress(raw); err != nil {
						ck.fail(where, "%v", err)
					}
				}
			case value[0] == '-' || strings.ContainsAny(value, " \t\r\n\x00"):
				ck.fail(where, "%q is no ref", value)
			}
		}
		if _, err := path.Match(r.Tags, ""); err != nil {
			ck.fail(at+".tags", "%q is no valid pattern", r.Tags)
		}
		if r.Tags != "" && !latest {
			ck.fail(at+".tags", "tags is for deployed: %s only", latestTag)
		}
		if r.Server != "" {
			if _, err := parseServer(r.Server); err != nil {
				ck.fail(at+".server", "%v", err)
			}
		}
		if err := checkMode(r.SQLMode); err != nil {
			ck.fail(at+".sql_mode", "%v", err)
		}
	}
}

func (s botSecret) check(ck *checker, at string) {
	if (s.Env == "") == (s.File == "") {
		ck.fail(at, "say where the secret is: env: NAME or file: PATH")
	}
}

// read gives the secret, without the line end of a file.
func (s botSecret) read() (string, error) {
	if s.Env != "" {
		if v := os.Getenv(s.Env); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("the environment variable %s is empty", s.Env)
	}
	info, err := os.Stat(s.File)
	if err != nil {
		return "", err
	}
	if info.Size() > maxBotSecret {
		return "", fmt.Errorf("%s is too large for a secret", s.File)
	}
	text, err := os.ReadFile(s.File)
	if err != nil {
		return "", err
	}
	v := strings.TrimRight(string(text), "\r\n")
	if v == "" {
		return "", fmt.Errorf("%s is empty", s.File)
	}
	return v, nil
}

// A redactor keeps secrets out of the log, whatever an error's text quotes.
type redactor struct {
	mu      sync.Mutex
	secrets []string
}

func (r *redactor) add(secret string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.secrets, secret) {
		r.secrets = append(r.secrets, secret)
	}
	if len(r.secrets) > 100 { // of a token that is renewed every hour
		r.secrets = slices.Delete(r.secrets, 10, 50)
	}
}

func (r *redactor) attr(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindString {
		return a
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	text := a.Value.String()
	for _, s := range r.secrets {
		text = strings.ReplaceAll(text, s, "[secret]")
	}
	return slog.String(a.Key, text)
}

// A botServer is what the bot's funcs know.
type botServer struct {
	config *botConfig
	log    *slog.Logger
	token  func() (string, error)
	git    string // the address below which the repositories are

	answers forge.Cache

	mu     sync.Mutex
	clones map[string]*botClone
}

// A botClone is a clone and its lock. The queue runs one job for a repository at a time; a check that did not end in its time is
// waited for there too, and the lock makes that sure.
type botClone struct {
	mu sync.Mutex
	gitfs.Clone
}

// server gives what the configuration says, with the secrets read.
func (c *botConfig) server(hidden *redactor) (*botServer, *bot.Config, error) {
	bc := &bot.Config{
		Dir: c.Data, Workers: c.Workers, Queue: c.Queue, Timeout: time.Duration(c.Timeout), Grace: time.Duration(c.Grace),
		Tries: c.Retry.Tries, Wait: time.Duration(c.Retry.Wait),
	}
	secrets, token := c.Secrets, c.Token
	if len(secrets) == 0 {
		secrets = []botSecret{{Env: defaultWebhookEnv}}
	}
	if token == nil {
		token = &botSecret{Env: defaultBotTokenEnv}
	}
	for _, s := range secrets {
		v, err := s.read()
		if err != nil {
			return nil, nil, fmt.Errorf("the webhook's secret: %w", err)
		}
		hidden.add(v)
		bc.Secrets = append(bc.Secrets, []byte(v))
	}
	s := &botServer{config: c, git: githubAddress, clones: map[string]*botClone{}}
	s.token = func() (string, error) {
		v, err := token.read()
		if err != nil {
			return "", fmt.Errorf("GitHub's token: %w", err)
		}
		hidden.add(v)
		return v, nil
	}
	if _, err := s.token(); err != nil {
		return nil, nil, err
	}
	if c.API != "" {
		s.git = strings.TrimSuffix(strings.TrimRight(c.API, "/"), enterprisePathV3)
	}
	for _, r := range c.Repositories {
		if _, err := s.host(r.Repository); err != nil {
			return nil, nil, err
		}
		bc.Watches = append(bc.Watches, bot.Watch{Repository: r.Repository, Name: r.Name, Moves: r.moves()})
	}
	bc.Check, bc.Host = s.check, s.host
	return s, bc, nil
}

// host gives the forge with the token of this moment.
func (s *botServer) host(repository string) (forge.Host, error) {
	token, err := s.token()
	if err != nil {
		return nil, err
	}
	return forge.NewGitHub(repository, token, s.config.API, forge.Retry{Tries: 3, Most: maxBotAPIRetryPause}, &s.answers)
}

func (s *botServer) clone(repository string) *botClone {
	key := strings.ToLower(repository)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clones[key]
	if c == nil {
		c = &botClone{Clone: gitfs.Clone{
			Dir:      filepath.Join(s.config.Data, botClonesFolder, filepath.FromSlash(key)+".git"),
			URL:      s.git + "/" + repository + ".git",
			Token:    s.token,
			Client:   &http.Client{},
			MaxBytes: int64(s.config.CloneMB) << 20,
		}}
		s.clones[key] = c
	}
	return c
}

// moves tells which pushed references may move what is deployed.
func (r botRepository) moves() func(ref string) bool {
	var all []func(ref string) bool
	for _, service := range sortedKeys(r.Deployed) {
		switch value := r.Deployed[service]; {
		case strings.Contains(value, "://"): // a deployment is no push
		case value == notDeployed && service != "":
		case value == latestTag:
			all = append(all, func(ref string) bool {
				tag, ok := strings.CutPrefix(ref, "refs/tags/")
				return ok && isReleaseTag(tag, r.Tags)
			})
		default:
			all = append(all, func(ref string) bool {
				return slices.Contains([]string{value, "refs/tags/" + value, "refs/heads/" + value}, ref)
			})
		}
	}
	if len(all) == 0 {
		return nil
	}
	return func(ref string) bool {
		return slices.ContainsFunc(all, func(moves func(string) bool) bool { return moves(ref) })
	}
}

// isReleaseTag tells whether a tag is a release's, as instep history does: it matches the pattern, and is a version all through.
func isReleaseTag(tag, pattern string) bool {
	ok, err := path.Match(pattern, tag)
	return (pattern == "" || ok && err == nil) && version.MatchString(tag)
}

// latestReleaseTag gives the release tag with the highest version, "" if there is none.
func latestReleaseTag(tags []string, pattern string) string {
	last := ""
	for _, t := range tags {
		if isReleaseTag(t, pattern) && (last == "" || gitfs.CompareVersions(t, last) > 0) {
			last = t
		}
	}
	return last
}

// A botRefusal is why a commit cannot be checked, as everybody may read it: the reason stands in the repository, or in the
// bot's configuration for it.
type botRefusal string

func (e botRefusal) Error() string { return string(e) }

func again(err error) error { return &bot.TemporaryError{Err: err} }

// check checks a head in the way of instep --config-from deployed.
func (s *botServer) check(ctx context.Context, j bot.Job, last *bot.Result) (*bot.Result, error) {
	i := slices.IndexFunc(s.config.Repositories, func(r botRepository) bool { return r.Repository == j.Repository && r.Name == j.Name })
	if i < 0 {
		return nil, fmt.Errorf("%s is not in the configuration", j.Repository)
	}
	w := s.config.Repositories[i]
	result := &bot.Result{By: strings.Join([]string{versionText(), w.Server, strings.Join(w.SQLMode, ",")}, " ")}
	err := s.checkRepository(ctx, w, j, last, result)
	var refused botRefusal
	if errors.As(err, &refused) {
		result.State, result.Body, result.Summary = forge.Failed, "", botRefusedPrefix+oneLine(string(refused))
		return result, nil
	}
	return result, err
}

// oneLine makes the text of a status.
func oneLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	r := []rune(report.Clean(line))
	if len(r) > maxStatusLine {
		r = append(r[:maxStatusLine-1], '…')
	}
	return string(r)
}

func (s *botServer) checkRepository(ctx context.Context, w botRepository, j bot.Job, last, result *bot.Result) error {
	c := s.clone(w.Repository)
	c.mu.Lock()
	defer c.mu.Unlock()
	remote, err := c.Connect(ctx)
	if err != nil {
		return again(err)
	}
	deployed, err := w.deployedAt(ctx, remote)
	if err != nil {
		return err
	}
	target, err := s.target(ctx, c, remote, j, deployed.commits())
	if err != nil {
		return err
	}
	// GitHub merges anew when the branch is pushed to, and not when the base is (changelog of 2026-02-19, "Changes to test merge
	// commit generation for pull requests"): after a release, most open requests have such a merge.
	note := ""
	switch base := target.base; {
	case j.Request > 0 && target.commit == j.Head:
		note = "_The branch was compared alone: there is no merge of it with its base. What the base has and the branch lacks is not judged, or seems to be taken away._\n"
	case base != "" && base != remote.Ref("refs/heads/"+j.Branch):
		note = "_Compared is GitHub's merge with an earlier state of the base. What has come to the base since is not judged, or seems to be taken away; the next push to the branch renews the merge._\n"
		result.By += " behind"
	}
	result.Deployed, result.Target = deployed.String(), target.commit
	result.By += " " + deployed.names() // the comment says them
	if last != nil && last.State != forge.Failed && last.Deployed == result.Deployed && last.Target == result.Target && last.By == result.By {
		*result = *last
		return nil
	}
	return s.analyse(c, w, note, deployed, target, result)
}

// A botRef is a reference as people know it, and its commit; base is what a merge of a request has merged the head with.
type botRef struct{ rev, commit, base string }

// A botWhere is where services are, as botDeployed says it.
type botWhere map[string][]botRef

func (w botWhere) commits() (list []string) {
	for _, service := range sortedKeys(w) {
		for _, r := range w[service] {
			list = append(list, r.commit)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// String gives the commit where all are, or the commits by service.
func (w botWhere) String() string {
	if all := w.commits(); len(all) == 1 {
		return all[0]
	}
	var parts []string
	for _, service := range sortedKeys(w) {
		for _, r := range w[service] {
			parts = append(parts, service+"="+r.commit)
		}
	}
	return strings.Join(parts, ",")
}

// names gives the refs by service.
func (w botWhere) names() string {
	var parts []string
	for _, service := range sortedKeys(w) {
		if len(w[service]) == 0 {
			parts = append(parts, service+"="+notDeployed)
		}
		for _, r := range w[service] {
			parts = append(parts, service+"="+r.rev)
		}
	}
	return strings.Join(parts, ",")
}

// damaged removes a clone that cannot be read: it is a cache, and made anew at the next try.
func (c *botClone) damaged(err error) error {
	return again(errors.Join(fmt.Errorf("the clone is damaged, and will be fetched again: %w", err), c.Remove()))
}

// deployedAt finds out where services are.
func (w *botRepository) deployedAt(ctx context.Context, remote *gitfs.Remote) (botWhere, error) {
	all := botWhere{}
	for _, service := range sortedKeys(w.Deployed) {
		value := w.Deployed[service]
		switch {
		case value == notDeployed && service != "":
			all[service] = []botRef{}
			continue
		case strings.Contains(value, "://"):
			for raw := range strings.SplitSeq(value, ",") {
				refs, err := reported(ctx, remote, raw)
				if err != nil {
					return nil, err
				}
				all[service] = append(all[service], refs...)
			}
			continue
		case value == latestTag:
			if value = latestReleaseTag(remote.Tags(), w.Tags); value == "" {
				return nil, botRefusal("no tag of this repository is a release's")
			}
		}
		at := botRef{rev: value}
		for _, name := range []string{"refs/tags/" + value, "refs/heads/" + value, value} {
			if at.commit = remote.Ref(name); at.commit != "" {
				break
			}
		}
		if at.commit == "" && wholeCommit.MatchString(value) {
			at.commit = value
		}
		if at.commit == "" {
			return nil, botRefusal(fmt.Sprintf("the deployed ref %s is not in this repository", value))
		}
		all[service] = []botRef{at}
	}
	return all, nil
}

// reported gives the refs that a version endpoint reports.
func reported(ctx context.Context, remote *gitfs.Remote, raw string) (refs []botRef, err error) {
	u, err := versionAddress(raw)
	if err != nil {
		return nil, err
	}
	versions, _, err := askVersions(ctx, u) // an address of the other family is most likely the same instance's
	if err != nil {
		return nil, again(fmt.Errorf("the version endpoint %s %w", u.Redacted(), err))
	}
	for _, v := range versions {
		at := botRef{}
		said := strings.ToLower(v.Commit)
		if !someCommit.MatchString(said) { // "unknown", as in resolver.released
			said = ""
		}
		for _, tag := range []string{v.Version, "v" + v.Version} {
			if commit := remote.Ref("refs/tags/" + tag); v.Version != "" && commit != "" && strings.HasPrefix(commit, said) {
				at = botRef{rev: tag, commit: commit}
				break
			}
		}
		if at.commit == "" && wholeCommit.MatchString(said) {
			at = botRef{rev: said, commit: said}
		}
		if at.commit == "" {
			return nil, botRefusal(fmt.Sprintf("the version endpoint reports %s, which is no tag of this repository", v))
		}
		refs = append(refs, at)
	}
	return refs, nil
}

// target fetches what is to be deployed, and what is. Of a pull request, that is GitHub's merge of it with its base: a branch that
// is behind would seem to take away the migrations that it does not know yet. Where there is no merge, because of a conflict or since
// GitHub has not come to it, it is the head alone, and the comment says so.
func (s *botServer) target(ctx context.Context, c *botClone, remote *gitfs.Remote, j bot.Job, deployed []string) (botRef, error) {
	fetch := func(target string) error {
		return fetched(remote.Fetch(ctx, append(slices.Clone(deployed), target)...))
	}
	if j.Request == 0 {
		return botRef{rev: j.Branch, commit: j.Head}, fetch(j.Head)
	}
	name := fmt.Sprintf("pull/%d/", j.Request)
	for try := 1; ; try++ {
		merge := remote.Ref("refs/" + name + "merge")
		if merge == "" {
			break
		}
		if err := fetch(merge); err != nil {
			return botRef{}, err
		}
		if base, err := c.mergeOf(merge, j.Head); base != "" || err != nil {
			return botRef{name + "merge", merge, base}, err
		}
		if try == mergeTries {
			break
		}
		select {
		case <-time.After(mergeWait):
		case <-ctx.Done():
			return botRef{}, again(context.Cause(ctx))
		}
		var err error
		if remote, err = c.Connect(ctx); err != nil {
			return botRef{}, again(err)
		}
	}
	return botRef{rev: name + "head", commit: j.Head}, fetch(j.Head)
}

// mergeOf gives what a commit has merged a head with, "" if it is no merge of it.
func (c *botClone) mergeOf(merge, head string) (base string, err error) {
	repo, err := c.Open()
	if err != nil {
		return "", c.damaged(err)
	}
	defer repo.Close()
	at, err := repo.Resolve(merge)
	if err != nil {
		return "", c.damaged(err)
	}
	if parents := at.Parents(); len(parents) == 2 && parents[1] == head {
		return parents[0], nil
	}
	return "", nil
}

func fetched(err error) error {
	var large *gitfs.TooLargeError
	if err == nil || errors.As(err, &large) {
		return err
	}
	return again(err)
}

// analyse compares what is deployed with the target. The note goes below the comment.
func (s *botServer) analyse(c *botClone, w botRepository, note string, deployed botWhere, target botRef, result *bot.Result) error {
	repo, err := c.Open()
	if err != nil {
		return c.damaged(err)
	}
	defer repo.Close()
	load := func(r botRef) (*tree, error) {
		at, err := repo.Resolve(r.commit)
		if err != nil {
			return nil, c.damaged(err)
		}
		t, err := atCommit(repo, r.rev, at)
		switch {
		case errors.Is(err, gitfs.ErrTooLarge):
			return nil, botRefusal(err.Error())
		case err != nil:
			return nil, c.damaged(err)
		}
		return t, nil
	}
	e := &ends{}
	if e.target, err = load(target); err != nil {
		return err
	}
	said := map[string][]*tree{}
	known := map[string]*tree{}
	for _, service := range sortedKeys(deployed) {
		said[service] = []*tree{}
		for _, r := range deployed[service] {
			if known[r.commit] == nil {
				if known[r.commit], err = load(r); err != nil {
					return err
				}
			}
			said[service] = append(said[service], known[r.commit])
		}
	}
	var a analysis
	o := &options{configFrom: "deployed", server: w.Server, sqlMode: strings.Join(w.SQLMode, ",")}
	if err = e.settle(repo, &a, said, o); err == nil {
		err = checkIgnores(e.config)
	}
	var u analyzer.Upgrade
	if err == nil {
		_, u, err = e.upgrade(&a)
	}
	var io *fs.PathError
	var missing *gitfs.MissingObjectError
	var link *gitfs.LinkError
	switch {
	case err == nil:
	case errors.As(err, &link), errors.Is(err, gitfs.ErrTooLarge): // so it is in the repository
		return botRefusal(err.Error())
	case errors.As(err, &io), errors.As(err, &missing):
		return c.damaged(err)
	default:
		return botRefusal(err.Error())
	}
	r := analyzer.Analyze(u, rules.All)
	result.Summary = oneLine(report.Answer(r))
	switch r.Verdict {
	case analyzer.Split, analyzer.Unproven: // as instep comment: not proved is not safe, and trying again does not mend it
		result.State = forge.Failure
	default:
		result.State = forge.Success
	}
	if r.Verdict == analyzer.NoChange {
		return nil
	}
	var b bytes.Buffer
	if err := report.Markdown.Write(&b, &report.Document{Report: r, ConfigChanges: e.changes}); err != nil {
		return err
	}
	result.Body = b.String() + note
	return nil
}
