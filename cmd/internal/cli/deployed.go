package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"instep/analyzer"
	"instep/cmd/internal/report"
	"instep/internal/gitfs"
	"instep/migrate"
)

// Ends are the two ends of a comparison, with the configuration that counts for it. Where services are at different refs,
// deployed is the ref that databases are at, as far as that is known.
type ends struct {
	deployed, target *tree
	behind           bool // deployed is an older release than one of the others
	others           []otherEnd
	elsewhere        []string // services of which no process is at deployed
	config           *config
	changes          []string // of the configuration
}

// An otherEnd is another ref at which services are.
type otherEnd struct {
	*tree
	services        []string
	reached, behind bool // as in analyzer.Deployment
}

// ends reads what the arguments, --deployed and the configuration say.
func (o *options) ends(cmd *cobra.Command, repo *gitfs.Repo, args []string, a *analysis) (*ends, error) {
	if len(o.deployed) > 0 {
		return o.deployedEnds(cmd, repo, args, a)
	}
	from, to, err := refs(args, o)
	if err != nil {
		return nil, err
	}
	e := &ends{}
	if e.deployed, err = at(cmd.Context(), repo, from, o); err != nil {
		return nil, err
	}
	if e.target, err = targetTree(cmd.Context(), repo, to, o); err != nil {
		return nil, err
	}
	e.config, e.changes, err = configFor(e.deployed, e.target, o)
	return e, err
}

func targetTree(ctx context.Context, repo *gitfs.Repo, rev string, o *options) (*tree, error) {
	if o.worktree {
		return atWorktree(repo)
	}
	return at(ctx, repo, rev, o)
}

// alone gives an error if services are at different refs: what can do with one only says so.
func (e *ends) alone(command string) error {
	apart := slices.DeleteFunc(slices.Clone(e.others), func(x otherEnd) bool { // it is no matter where code is that uses no database
		return x.reached && !slices.ContainsFunc(x.services, func(name string) bool {
			return e.config.Services[name].Access != string(analyzer.NoAccess)
		})
	})
	if len(apart) == 0 {
		return nil
	}
	target := e.target.Rev
	if e.target.Commit == "" {
		target = "--worktree"
	}
	refs := []string{fmt.Sprintf("\n    instep %s %s %s", command, e.deployed.Rev, target)}
	for _, x := range apart {
		refs = append(refs, fmt.Sprintf("\n    instep %s %s %s", command, x.Rev, target))
	}
	return fmt.Errorf("services are deployed at different refs, and %s takes one: run it for each%s", command, strings.Join(refs, ""))
}

// A saying is one value of --deployed.
type saying struct {
	service string // "": every service that no other saying names
	value   string
	version deployedVersion // what a command said, instead of value
}

// notDeployed is the value for a service that is new: it has no old code.
const notDeployed = "none"

var errNothingDeployed = errors.New("deployed: nothing is deployed: then there is no old code and no database that an order could harm")

const maxSayings = 64 << 10

// sayings takes --deployed apart; "-" stands for what standard input says: the same, line by line, or a Dockerflow document.
func (o *options) sayings(in io.Reader) (all []saying, err error) {
	add := func(text string) error {
		s := saying{value: strings.TrimSpace(text)}
		if name, value, ok := strings.Cut(text, "="); ok && !strings.Contains(name, "://") {
			s.service, s.value = strings.TrimSpace(name), strings.TrimSpace(value)
			if s.service == "" {
				return fmt.Errorf("--deployed %s: write SERVICE=REF", text)
			}
		}
		if s.value == "" {
			return fmt.Errorf("--deployed %q: the deployed ref is empty: give a tag, a branch, a commit, %s, or the address of a version endpoint", text, latestTag)
		}
		all = append(all, s)
		return nil
	}
	for _, text := range o.deployed {
		if text != "-" {
			if err := add(text); err != nil {
				return nil, err
			}
			continue
		}
		src, err := io.ReadAll(io.LimitReader(in, maxSayings+1))
		if err != nil {
			return nil, fmt.Errorf("--deployed -: %w", err)
		}
		if len(src) > maxSayings {
			return nil, fmt.Errorf("--deployed -: standard input has more than %d bytes", maxSayings)
		}
		words := strings.TrimSpace(string(src))
		if strings.HasPrefix(words, "{") {
			s := saying{value: "standard input"}
			if err := json.Unmarshal([]byte(words), &s.version); err != nil || s.version == (deployedVersion{}) {
				return nil, errors.New(`--deployed -: standard input is no JSON object with "version" or "commit"`)
			}
			all = append(all, s)
			continue
		}
		n := len(all)
		for line := range strings.Lines(words) {
			if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
				continue
			}
			if line == "-" {
				return nil, errors.New("--deployed -: standard input says - itself")
			}
			if err := add(line); err != nil {
				return nil, err
			}
		}
		if len(all) == n {
			return nil, errors.New("--deployed -: standard input says nothing")
		}
	}
	for i, s := range all {
		if slices.ContainsFunc(all[:i], func(t saying) bool { return t.service == s.service }) {
			if s.service == "" {
				return nil, errors.New("--deployed: two values without the name of a service: write SERVICE=REF")
			}
			return nil, fmt.Errorf("--deployed: %s stands twice", s.service)
		}
	}
	return all, nil
}

// deployedEnds is ends where --deployed says what is deployed.
func (o *options) deployedEnds(cmd *cobra.Command, repo *gitfs.Repo, args []string, a *analysis) (*ends, error) {
	to := "HEAD"
	switch {
	case len(args) > 1:
		return nil, errors.New("--deployed says what is deployed already: give only the target")
	case len(args) == 1 && strings.Contains(args[0], ".."):
		return nil, fmt.Errorf("%s: --deployed says what is deployed already: give only the target", args[0])
	case len(args) == 1 && o.worktree:
		return nil, fmt.Errorf("--worktree is the target already: drop %s", args[0])
	case len(args) == 1:
		to = args[0]
	}
	all, err := o.sayings(cmd.InOrStdin())
	if err != nil {
		return nil, err
	}
	e := &ends{}
	if e.target, err = targetTree(cmd.Context(), repo, to, o); err != nil {
		return nil, err
	}
	r := &resolver{options: o, cmd: cmd, repo: repo, target: e.target, trees: map[string]*tree{}}
	said := map[string][]*tree{}
	for _, s := range all {
		if s.value == notDeployed && s.service != "" {
			if s.service == analyzer.MigrationStep {
				return nil, fmt.Errorf("--deployed %s=%s: databases are somewhere: give the ref whose migrations they have run last", s.service, notDeployed)
			}
			said[s.service] = []*tree{}
			continue
		}
		ts, err := r.resolve(s)
		if err != nil {
			if s.service != "" {
				err = fmt.Errorf("%s: %w", s.service, err)
			}
			return nil, fmt.Errorf("--deployed: %w", err)
		}
		said[s.service] = ts
	}
	return e, e.settle(repo, a, said, o)
}

// settle works out what it means that services are where it is said. The same commit has to be the same tree.
func (e *ends) settle(repo *gitfs.Repo, a *analysis, said map[string][]*tree, o *options) (err error) {
	var distinct []*tree // the newest first
	for _, name := range sortedKeys(said) {
		for _, t := range said[name] {
			if !slices.Contains(distinct, t) {
				distinct = append(distinct, t)
			}
		}
	}
	if len(distinct) == 0 {
		return errNothingDeployed
	}
	slices.SortStableFunc(distinct, func(x, y *tree) int {
		switch {
		case older(repo, y, x):
			return -1
		case older(repo, x, y):
			return 1
		}
		return 0
	})
	if e.config, e.changes, err = configFor(distinct[0], e.target, o); err != nil {
		return err
	}
	where, databases, sure, err := e.config.assign(said)
	if err != nil {
		return err
	}
	distinct = slices.DeleteFunc(distinct, func(t *tree) bool { // a REF for all that are not named, where all are
		for _, ts := range where {
			if slices.Contains(ts, t) {
				return false
			}
		}
		return !slices.Contains(databases, t)
	})
	return e.order(repo, a, distinct, where, databases, sure)
}

// older tells whether a ref is an older release than another: its commit is an ancestor of the other's, or, on other branches or
// where history is missing, its version is lower or its commit earlier.
func older(repo *gitfs.Repo, x, y *tree) bool {
	before, err1 := repo.IsAncestor(x.commit, y.commit)
	after, err2 := repo.IsAncestor(y.commit, x.commit)
	switch {
	case x.Commit == y.Commit:
		return false
	case err1 == nil && before, err2 == nil && after:
		return err1 == nil && before
	case version.MatchString(x.Rev) && version.MatchString(y.Rev):
		return gitfs.CompareVersions(x.Rev, y.Rev) < 0
	}
	return x.commit.Time.Before(y.commit.Time)
}

// assign gives where each service is, and where databases may be: what is said of the migration, or where the service is that
// migrates. sure: they have been at all of these, for a process of the service that migrates runs only
// where its migrations have. Code that does not migrate may have been deployed ahead of the migration.
func (c *config) assign(said map[string][]*tree) (where map[string][]*tree, databases []*tree, sure bool, err error) {
	names := sortedKeys(c.Services)
	if len(names) == 0 {
		names = []string{"code"}
	}
	migrates := analyzer.MigrationStep
	for _, name := range names {
		if c.Services[name].Migrates {
			migrates = name
		}
	}
	steps := append(slices.Clone(names), analyzer.MigrationStep)
	for _, name := range sortedKeys(said) {
		if name != "" && !slices.Contains(steps, name) {
			return nil, nil, false, fmt.Errorf("deployed: there is no service %q: there are %s", name, strings.Join(steps, ", "))
		}
	}
	where = map[string][]*tree{}
	for _, name := range names {
		ts, ok := said[name]
		if !ok {
			ts, ok = said[""]
		}
		if !ok && c.Services[name].Access != string(analyzer.NoAccess) {
			return nil, nil, false, fmt.Errorf("deployed: where is %s? Say that too (%s=REF), or give a REF for all that are not named", name, name)
		}
		where[name] = ts
	}
	switch {
	case len(said[analyzer.MigrationStep]) > 0: // also of a service that was taken back after its migration had run
		databases = said[analyzer.MigrationStep]
	case migrates != analyzer.MigrationStep:
		databases = where[migrates]
		sure = len(databases) > 0
	default:
		databases = said[""]
	}
	if len(databases) == 0 { // nobody says so: they may be at any
		for _, name := range names {
			databases = append(databases, where[name]...)
		}
	}
	if len(databases) == 0 {
		return nil, nil, false, errNothingDeployed
	}
	if migrates != analyzer.MigrationStep && !sure && len(said[analyzer.MigrationStep]) == 0 {
		databases = append(databases, said[""]...) // the service that migrates is new, so this may be about databases
	}
	return where, databases, sure, nil
}

// order decides which ref databases are at, and what that means for the others. Distinct are all refs, the newest first.
func (e *ends) order(repo *gitfs.Repo, a *analysis, distinct []*tree, where map[string][]*tree, databases []*tree, sure bool) (err error) {
	// Of the refs that databases may be at, the one that has all that the others have.
	for _, t := range distinct {
		if !slices.Contains(databases, t) {
			continue
		}
		all := true
		for _, x := range databases {
			ok, err := a.covers(repo, t, x, e.config)
			if err != nil {
				return err
			}
			all = all && ok
		}
		if e.deployed == nil || all {
			e.deployed = t
		}
		if all {
			break
		}
	}
	behind := func(t *tree) bool {
		return slices.ContainsFunc(distinct, func(x *tree) bool { return older(repo, t, x) })
	}
	e.behind = behind(e.deployed)
	for _, t := range distinct {
		var here []string
		for _, name := range sortedKeys(where) {
			if slices.Contains(where[name], t) {
				here = append(here, name)
			}
		}
		if t == e.deployed {
			for _, name := range sortedKeys(where) {
				if !slices.Contains(here, name) {
					e.elsewhere = append(e.elsewhere, name)
				}
			}
			continue
		}
		reached := sure || !slices.Contains(databases, t)
		for _, x := range databases {
			if sure && x != e.deployed || !reached {
				continue
			}
			if reached, err = a.covers(repo, x, t, e.config); err != nil {
				return err
			}
		}
		e.others = append(e.others, otherEnd{t, here, reached, behind(t)})
	}
	return nil
}

// covers tells whether a database that has run all of a ref's history has surely run all of another's.
func (a *analysis) covers(repo *gitfs.Repo, t, other *tree, c *config) (bool, error) {
	if t == other {
		return true, nil
	}
	cmps, err := a.compare(other, t, c)
	var none noMigrationsError
	if errors.As(err, &none) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	for _, x := range cmps {
		if x.New == nil || x.Rebased != "" || len(x.Removed)+len(x.Edited)+len(x.PendingGaps) > 0 {
			return false, nil
		}
		// What is repeated when it changes is at both refs, and which of the two has run last is not in the histories.
		again := func(m migrate.Migration) bool {
			return x.Old != nil && slices.ContainsFunc(x.Old.Migrations, func(o migrate.Migration) bool { return o.ID == m.ID })
		}
		if slices.ContainsFunc(x.Pending, again) && !older(repo, other, t) {
			return false, nil
		}
	}
	return true, nil
}

// upgrade gives all that is known about a release.
func (e *ends) upgrade(a *analysis) ([]*migrate.Comparison, analyzer.Upgrade, error) {
	cmps, err := a.compare(e.deployed, e.target, e.config)
	if err != nil {
		return nil, analyzer.Upgrade{}, err
	}
	u := a.upgradeOf(cmps, e.deployed, e.target, e.config)
	u.Behind = e.behind
	others := make([][]*migrate.Comparison, len(e.others))
	several := len(cmps) > 1
	for i, x := range e.others {
		if others[i], err = a.compare(x.tree, e.target, e.config); err != nil {
			return nil, u, err
		}
		several = several || len(others[i]) > 1
	}
	for i, x := range e.others {
		from := a.upgradeOf(others[i], x.tree, e.target, e.config)
		if several {
			nameDatabases(from.Databases, others[i])
		}
		u.Deployments = append(u.Deployments, analyzer.Deployment{
			Ref: x.Ref, Services: x.services, Databases: from.Databases, Usage: from.Usage, Reached: x.reached, Behind: x.behind,
		})
	}
	if several { // the same database has one name, from wherever it is seen
		nameDatabases(u.Databases, cmps)
	}
	if len(u.Services) == 0 && len(e.elsewhere) > 0 {
		u.Services = []analyzer.Service{{Name: "code"}}
	}
	for i := range u.Services {
		s := &u.Services[i]
		s.Elsewhere = slices.Contains(e.elsewhere, s.Name)
	}
	return cmps, u, nil
}

func nameDatabases(dbs []analyzer.Database, cmps []*migrate.Comparison) {
	for i, c := range cmps {
		dbs[i].Name = c.Database()
	}
}

// A resolver finds the trees that --deployed names. The same commit gives the same tree.
type resolver struct {
	*options
	cmd    *cobra.Command
	repo   *gitfs.Repo
	target *tree
	trees  map[string]*tree // by commit
}

func (r *resolver) keep(t *tree, err error) ([]*tree, error) {
	if err != nil {
		return nil, err
	}
	if r.trees[t.Commit] == nil {
		r.trees[t.Commit] = t
	}
	return []*tree{r.trees[t.Commit]}, nil
}

// resolve gives the refs that one value stands for: more than one if the instances behind an address differ.
func (r *resolver) resolve(s saying) ([]*tree, error) {
	switch {
	case s.version != deployedVersion{}:
		ts, err := r.keep(r.released(s.version))
		if err != nil {
			err = fmt.Errorf("%s says %s: %w", s.value, report.Clean(s.version.String()), err)
		}
		return ts, err
	case s.value == latestTag:
		return r.keep(r.latest())
	case !strings.Contains(s.value, "://"):
		return r.keep(at(r.cmd.Context(), r.repo, s.value, r.options))
	}
	var all []*tree
	for raw := range strings.SplitSeq(s.value, ",") {
		u, err := versionAddress(raw)
		if err != nil {
			return nil, err
		}
		versions, silent, err := askVersions(r.cmd.Context(), u)
		if err != nil {
			return nil, fmt.Errorf("the version endpoint %s %w", report.Clean(u.Redacted()), err)
		}
		if silent != "" {
			fmt.Fprintf(r.cmd.ErrOrStderr(), "instep: the version endpoint %s: %s\n", report.Clean(u.Redacted()), silent)
		}
		for _, v := range versions {
			ts, err := r.keep(r.released(v))
			if err != nil {
				return nil, fmt.Errorf("the version endpoint %s reports %s: %w", report.Clean(u.Redacted()), report.Clean(v.String()), err)
			}
			if !slices.Contains(all, ts[0]) {
				all = append(all, ts[0])
			}
		}
	}
	return all, nil
}

// latest gives the release tag with the highest version, but none of the target itself. The pattern of release tags is the
// configuration's; with --config-from deployed it is that of the tag itself, which no pull request can change.
func (r *resolver) latest() (*tree, error) {
	tags, err := r.repo.TagNames()
	if err == nil && r.fetch {
		var remote []string
		if remote, err = r.repo.RemoteTagNames(r.cmd.Context()); err == nil {
			tags = append(tags, remote...)
		}
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(tags, func(x, y string) int { return cmp.Or(gitfs.CompareVersions(x, y), cmp.Compare(x, y)) })
	pattern := ""
	own := r.config == "" && r.configFrom == "deployed"
	if !own {
		c, _, err := rawConfig(r.target, r.target, r.options)
		if err != nil {
			return nil, err
		}
		pattern = c.Releases.Tags
	}
	passed, tried := "", 0
	for _, tag := range slices.Backward(slices.Compact(tags)) {
		if !isReleaseTag(tag, pattern) {
			continue
		}
		if tried++; tried > maxLatest {
			return nil, fmt.Errorf("%s: none of the %d latest tags has a configuration by which it is a release's: name the ref", latestTag, maxLatest)
		}
		t, err := r.tag(tag)
		if err != nil {
			return nil, err
		}
		if t.Commit == r.target.Commit {
			passed = tag
			continue
		}
		if own {
			c, err := readConfig(t.fsys, configFile)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.Rev, err)
			}
			if pattern = c.Releases.Tags; !isReleaseTag(tag, pattern) {
				pattern = ""
				continue
			}
		}
		if pattern == "" {
			if err := r.onlySeries(tags, tag, t); err != nil {
				return nil, err
			}
		}
		if passed != "" {
			fmt.Fprintf(r.cmd.ErrOrStderr(), "instep: %s is the target itself: the release before it, %s, is taken for the deployed one\n", report.Clean(passed), report.Clean(tag))
		}
		return t, nil
	}
	why := "no tag here is a release's"
	switch {
	case passed != "":
		why = fmt.Sprintf("%s is the target itself, and no other tag here is a release's", passed)
	case pattern != "":
		why += fmt.Sprintf(": releases.tags is %q, and only a version such as v1.2 counts", pattern)
	}
	if r.fetch {
		return nil, fmt.Errorf("%s: %s", latestTag, report.Clean(why))
	}
	return nil, fmt.Errorf("%s: %s; a clone can lack its tags:\n    git fetch --tags", latestTag, report.Clean(why))
}

// onlySeries gives an error if the highest version may not be the latest release: versions of another kind, such as dates beside
// numbers, have gone on after it.
func (r *resolver) onlySeries(tags []string, highest string, t *tree) error {
	seen := []string{series(highest)}
	for _, tag := range slices.Backward(tags) {
		if !isReleaseTag(tag, "") || slices.Contains(seen, series(tag)) {
			continue
		}
		other, err := r.tag(tag)
		if err != nil {
			return err
		}
		if other.Commit == r.target.Commit {
			continue
		}
		seen = append(seen, series(tag))
		if other.Commit != t.Commit && other.commit.Time.After(t.commit.Time) {
			return fmt.Errorf("%s: is it %s, or %s, which is later and numbered in another way? Set releases.tags in %s to the pattern of your releases, or name the ref",
				latestTag, report.Clean(highest), report.Clean(tag), configFile)
		}
	}
	return nil
}

// series tells apart how versions are numbered: with a v or without, and by dates or not.
func series(tag string) string {
	number, _, _ := strings.Cut(strings.TrimLeft(tag, "vV"), ".")
	return fmt.Sprint(tag[0] > '9', len(strings.TrimLeft(number, "0")) >= 4)
}

// maxLatest bounds how many tags are looked at.
const maxLatest = 100

// tag gives the tree of a tag, which is fetched if it is missing and that is allowed.
func (r *resolver) tag(name string) (*tree, error) {
	full := "refs/tags/" + name
	c, err := r.repo.Resolve(full)
	var missing *gitfs.NotFoundError
	if r.fetch && errors.As(err, &missing) {
		if err := r.repo.Fetch(r.cmd.Context(), full); err != nil {
			return nil, err
		}
		c, err = r.repo.Resolve(full)
	}
	if err != nil {
		return nil, err
	}
	return atCommit(r.repo, name, c)
}

var (
	someCommit = regexp.MustCompile(`^[0-9a-f]{7,64}$`)
	tagName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$`)
)

// released gives the tag of a version, if it is the reported commit, or else that commit. A version is a stranger's word: it
// names no branch, and not HEAD.
func (r *resolver) released(v deployedVersion) (*tree, error) {
	commit := strings.ToLower(v.Commit)
	if !someCommit.MatchString(commit) {
		commit = ""
	}
	names := []string{v.Version, "v" + v.Version}
	// 1.2~1 may be the version of a package; after a tag's name it would be the parent.
	if v.Version != "" && !strings.ContainsAny(v.Version, "~^:") && !strings.Contains(v.Version, "@{") {
		for _, name := range names {
			c, err := r.repo.Resolve("refs/tags/" + name)
			if err == nil && (commit == "" || strings.HasPrefix(c.ID, commit)) {
				return atCommit(r.repo, name, c)
			}
		}
	}
	if name := strings.ToLower(v.Version); commit == "" && someCommit.MatchString(name) && strings.ContainsAny(name, "abcdef") {
		commit = name
	}
	if commit != "" {
		return at(r.cmd.Context(), r.repo, commit, r.options)
	}
	if !tagName.MatchString(v.Version) {
		return nil, errors.New("that is no tag of this repository")
	}
	if v.Version[0] < '0' || v.Version[0] > '9' {
		return r.tag(v.Version)
	}
	// If it has to be fetched, the likelier tag is that with a v.
	t, err := r.tag(names[1])
	if err != nil && r.fetch {
		if plain, err := r.tag(names[0]); err == nil {
			return plain, nil
		}
	}
	return t, err
}

// versionAddress reads the address of a version endpoint.
func versionAddress(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is no http or https address", report.Clean(raw))
	}
	return u, nil
}

// askVersions asks every address of a version endpoint, and gives what they report, each once. One that does not answer is an error:
// it may be anything. Behind a proxy the host is asked once. silent says which addresses could not be asked, "" if all were.
func askVersions(ctx context.Context, u *url.URL) (all []deployedVersion, silent string, err error) {
	answers, silent, err := askAll(ctx, u)
	if err != nil {
		return nil, "", err
	}
	for _, a := range answers {
		if a.err != nil {
			return nil, "", a.err
		}
		if !slices.Contains(all, a.deployedVersion) {
			all = append(all, a.deployedVersion)
		}
	}
	return all, silent, nil
}

// An answer is what one address of a version endpoint has said.
type answer struct {
	deployedVersion
	err error
}

// askAll asks every address of a version endpoint, several at a time. Behind a proxy, which alone knows them, the host is asked once.
func askAll(ctx context.Context, u *url.URL) (answers []answer, silent string, err error) {
	const atOnce = 64
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	addresses := []string{""}
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u}); proxy == nil && err == nil {
		all, err := addressesOf(ctx, u)
		if err != nil {
			return nil, "", err
		}
		addresses = routed(all, unrouted)
		if n := len(all) - len(addresses); n > 0 {
			silent = fmt.Sprintf("%d of its %d addresses were not asked, because there is no route to them from here", n, len(all))
		}
	}
	answers = make([]answer, len(addresses))
	slots := make(chan struct{}, atOnce)
	var asked sync.WaitGroup
	for i, addr := range addresses {
		slots <- struct{}{}
		asked.Go(func() {
			defer func() { <-slots }()
			answers[i].deployedVersion, answers[i].err = dockerflow(ctx, u, addr)
		})
	}
	asked.Wait()
	return answers, silent, nil
}

// addressesOf gives all addresses of a host, with the port, sorted.
func addressesOf(ctx context.Context, u *url.URL) ([]string, error) {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	ips, err := net.DefaultResolver.LookupHost(ctx, u.Hostname())
	if err != nil {
		return nil, fmt.Errorf("its address is not known: %w", err)
	}
	if len(ips) > maxInstances {
		return nil, fmt.Errorf("it has %d addresses, more than %d", len(ips), maxInstances)
	}
	slices.Sort(ips)
	for i, ip := range ips {
		ips[i] = net.JoinHostPort(ip, port)
	}
	return ips, nil
}

// routed leaves out the addresses of IPv6, or those of IPv4, if none of them can be reached from here and others can: many hosts
// have both, and many networks, those of CI among them, only one.
func routed(addresses []string, unrouted func(addr string) bool) []string {
	v6 := func(addr string) bool { return strings.HasPrefix(addr, "[") }
	v4 := func(addr string) bool { return !v6(addr) }
	for _, family := range []func(string) bool{v6, v4} {
		rest := slices.DeleteFunc(slices.Clone(addresses), family)
		open := func(addr string) bool { return family(addr) && !unrouted(addr) }
		if len(rest) > 0 && !slices.ContainsFunc(addresses, open) && !slices.ContainsFunc(rest, unrouted) {
			return rest
		}
	}
	return addresses
}

// unrouted tells whether there is no network here by which an address could be reached. Nothing is sent to it.
func unrouted(addr string) bool {
	conn, err := net.Dial("udp", addr)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}
