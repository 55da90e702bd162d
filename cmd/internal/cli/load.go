package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
	"instep/internal/gitfs"
	"instep/migrate"
)

// defaultServer is assumed where nobody says which server it is.
var defaultServer = schema.Server{Major: 8, Minor: 4}

// A tree is one end of an upgrade: a commit, or the work tree.
type tree struct {
	analyzer.Ref
	commit gitfs.Commit // zero for the work tree
	fsys   fs.FS
	files  []string // all regular files, sorted
}

// openRepo opens the repository of -C.
func openRepo(o *options) (*gitfs.Repo, error) {
	repo, err := gitfs.Open(o.dir)
	if err == nil && o.fetch {
		repo.AllowFetch() // what a partial clone lacks is brought too
	}
	return repo, err
}

// at gives the tree of a ref; with --fetch, a ref that is missing is fetched.
func at(ctx context.Context, repo *gitfs.Repo, rev string, o *options) (*tree, error) {
	commit, err := repo.Resolve(rev)
	var missing *gitfs.NotFoundError
	if o.fetch && errors.As(err, &missing) {
		if err := repo.Fetch(ctx, rev); err != nil {
			return nil, err
		}
		commit, err = repo.Resolve(rev)
	}
	if err != nil {
		return nil, err
	}
	return atCommit(repo, rev, commit)
}

func atCommit(repo *gitfs.Repo, rev string, commit gitfs.Commit) (*tree, error) {
	fsys := repo.FS(commit)
	files, err := fsys.Files()
	if err != nil {
		return nil, err
	}
	return &tree{analyzer.Ref{Rev: rev, Commit: commit.ID}, commit, fsys, files}, nil
}

// worktreeRev is how the report names the work tree.
const worktreeRev = "worktree"

func atWorktree(repo *gitfs.Repo) (*tree, error) {
	fsys, err := repo.Worktree()
	if err != nil {
		return nil, err
	}
	files, err := fsys.Files()
	if err != nil {
		return nil, err
	}
	return &tree{Ref: analyzer.Ref{Rev: worktreeRev}, fsys: fsys, files: files}, nil
}

// configFor reads the configuration that counts for a comparison, and says by which lines it differs between the ends.
// Both trees may be the same.
func configFor(deployed, target *tree, o *options) (*config, []string, error) {
	c, changes, err := rawConfig(deployed, target, o)
	if err != nil {
		return nil, nil, err
	}
	if o.server != "" {
		if _, err := parseServer(o.server); err != nil {
			return nil, nil, fmt.Errorf("--%w", err)
		}
		c.Server = o.server
	}
	if o.sqlMode != "" {
		c.SQLMode = splitMode(o.sqlMode)
		if err := checkMode(c.SQLMode); err != nil {
			return nil, nil, fmt.Errorf("--sql-mode: %w", err)
		}
	}
	return c, changes, nil
}

func rawConfig(deployed, target *tree, o *options) (*config, []string, error) {
	if o.config != "" {
		f, err := os.Open(o.config)
		if err != nil {
			return nil, nil, fmt.Errorf("--config: %w", err)
		}
		defer f.Close()
		src, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
		if err != nil {
			return nil, nil, fmt.Errorf("--config: %w", err)
		}
		c, err := parseConfig(o.config, src)
		return c, nil, err
	}
	from := target
	switch o.configFrom {
	case "target":
	case "deployed":
		from = deployed
	default:
		return nil, nil, fmt.Errorf("--config-from is target or deployed, not %q", o.configFrom)
	}
	c, err := readConfig(from.fsys, configFile)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", from.Rev, err)
	}
	return c, changedLines(text(deployed.fsys, configFile), text(target.fsys, configFile)), nil
}

// text gives a small file's text, "" if it cannot be read.
func text(fsys fs.FS, name string) string {
	info, err := fs.Stat(fsys, name)
	if err != nil || info.Size() > maxConfig {
		return ""
	}
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return ""
	}
	return string(src)
}

// changedLines gives the lines that only the old text has, with "- " before them, then those that only the new one
// has, with "+ ".
func changedLines(old, new string) []string {
	if old == new {
		return nil
	}
	only := func(text, other, sign string) []string {
		have := map[string]int{}
		for l := range strings.Lines(other) {
			have[strings.TrimRight(l, "\r\n")]++
		}
		var lines []string
		for l := range strings.Lines(text) {
			l = strings.TrimRight(l, "\r\n")
			if have[l]--; have[l] < 0 && strings.TrimSpace(l) != "" {
				lines = append(lines, sign+l)
			}
		}
		return lines
	}
	return append(only(old, new, "- "), only(new, old, "+ ")...)
}

// locations gives the configured places of migrations.
func (c *config) locations() []migrate.Location {
	var locs []migrate.Location
	for _, m := range c.Migrations {
		locs = append(locs, migrate.Location{Framework: m.Framework, Dir: m.Dir})
	}
	return locs
}

// baseline gives the configured baseline of the history in dir.
func (c *config) baseline(dir string) string {
	for _, m := range c.Migrations {
		if m.Dir == dir {
			return m.Baseline
		}
	}
	return ""
}

// serverOrDefault gives the configured server.
func (c *config) serverOrDefault() schema.Server {
	if s, err := parseServer(c.Server); err == nil {
		return s
	}
	return defaultServer
}

// A noMigrationsError says where migrations were looked for.
type noMigrationsError string

func (e noMigrationsError) Error() string { return string(e) }

func noMigrations(c *config, trees ...*tree) error {
	var revs []string
	for _, t := range trees {
		if !slices.Contains(revs, t.Rev) {
			revs = append(revs, t.Rev)
		}
	}
	var dirs []string
	for _, m := range c.Migrations {
		dirs = append(dirs, m.Dir)
	}
	msg := fmt.Sprintf("no migrations found at %s: looked in all %d files for folders of %s", strings.Join(revs, " or "),
		len(trees[len(trees)-1].files), strings.Join(migrate.Names(), ", "))
	if len(dirs) > 0 {
		msg += ", and in the configured " + strings.Join(dirs, ", ")
	}
	return noMigrationsError(msg + "\n    name the folder in " + configFile + ":\n    migrations:\n      - {framework: alembic, dir: path/to/migrations}")
}

// An analysis turns pairs of trees into upgrades. What two of them share is read once.
type analysis struct {
	cache migrate.Cache
	trees map[string]*tree                 // by commit
	bases map[schema.Server]*schema.Schema // so that the same server gives the same empty schema
}

func (a *analysis) base(server schema.Server) *schema.Schema {
	if a.bases == nil {
		a.bases = map[schema.Server]*schema.Schema{}
	}
	if a.bases[server] == nil {
		a.bases[server] = schema.New(server)
	}
	return a.bases[server]
}

// tree gives a commit's tree.
func (a *analysis) tree(repo *gitfs.Repo, commit gitfs.Commit) (*tree, error) {
	if t := a.trees[commit.ID]; t != nil && t.Rev == commit.Rev {
		return t, nil
	}
	t, err := atCommit(repo, commit.Rev, commit)
	if err != nil {
		return nil, err
	}
	if a.trees == nil {
		a.trees = map[string]*tree{}
	}
	a.trees[commit.ID] = t
	return t, nil
}

// compare gives what stands between the histories of two trees, one comparison for each database.
func (a *analysis) compare(deployed, target *tree, c *config) ([]*migrate.Comparison, error) {
	old, err := migrate.Find(deployed.fsys, deployed.files, c.locations())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", deployed.Rev, err)
	}
	new, err := migrate.Find(target.fsys, target.files, c.locations())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", target.Rev, err)
	}
	if len(old) == 0 && len(new) == 0 {
		return nil, noMigrations(c, deployed, target)
	}
	base := a.base(c.serverOrDefault())
	var cmps []*migrate.Comparison
	for _, pair := range migrate.Pair(old, new) {
		baseline := ""
		if pair[1] != nil {
			baseline = c.baseline(pair[1].Dir)
		}
		cmps = append(cmps, a.cache.Compare(deployed.fsys, target.fsys, pair, base, baseline))
	}
	migrate.CheckUnmatched(cmps)
	return cmps, nil
}

// upgrade gives all that is known about a release.
func (a *analysis) upgrade(deployed, target *tree, c *config) (analyzer.Upgrade, error) {
	cmps, err := a.compare(deployed, target, c)
	if err != nil {
		return analyzer.Upgrade{}, err
	}
	return a.upgradeOf(cmps, deployed, target, c), nil
}

// upgradeOf is upgrade for trees that have been compared.
func (a *analysis) upgradeOf(cmps []*migrate.Comparison, deployed, target *tree, c *config) analyzer.Upgrade {
	u := analyzer.Upgrade{
		Deployed: deployed.Ref,
		Target:   target.Ref,
		Server:   c.serverOrDefault(),
		SQLMode:  analyzer.SQLMode(strings.Join(c.SQLMode, ",")),
		Usage:    wordUsage(deployed, target, c),
	}
	base := a.base(u.Server)
	for _, cmp := range cmps {
		u.Databases = append(u.Databases, database(cmp, base))
	}
	if len(cmps) > 1 {
		nameDatabases(u.Databases, cmps)
	}
	for _, name := range sortedKeys(c.Services) {
		s := c.Services[name]
		u.Services = append(u.Services, analyzer.Service{Name: name, Migrates: s.Migrates, Access: analyzer.Access(s.Access), Rollout: analyzer.Rollout(s.Rollout)})
	}
	for _, name := range sortedKeys(c.Consumers) {
		u.Consumers = append(u.Consumers, analyzer.Consumer{Name: name})
	}
	for _, ig := range c.Ignore {
		u.Ignores = append(u.Ignores, analyzer.Ignore{Rule: ig.Rule, Object: ig.Object, Because: ig.Because, Fingerprint: ig.Fingerprint})
	}
	return u
}

// database turns a comparison into what the analyzer takes, but for the name.
func database(cmp *migrate.Comparison, base *schema.Schema) analyzer.Database {
	db := analyzer.Database{
		Framework: cmp.Framework(), Old: base, New: base,
		HistoryGaps: cmp.HistoryGaps, PendingGaps: cmp.PendingGaps,
	}
	if cmp.Old != nil {
		db.Old = cmp.Old.Schema
	}
	switch {
	case cmp.New != nil:
		db.New = cmp.New.Schema
	case cmp.Old != nil:
		// The migrations went; the tables did not.
		db.New = cmp.Old.Schema
	}
	state := db.Old
	for _, m := range cmp.Pending {
		if cmp.Rebased != "" && cmp.Baseline == "" {
			break
		}
		for i, st := range m.Statements {
			if i >= len(m.Steps) {
				break
			}
			after := m.Steps[i]
			if after == state && slices.ContainsFunc(m.Gaps, func(g schema.Gap) bool { return g.Pos == st.Pos }) {
				continue
			}
			db.Steps = append(db.Steps, analyzer.Step{Statement: st, Before: state, After: after})
			state = after
		}
	}
	add := func(ms []migrate.Migration, state analyzer.State) {
		for _, m := range ms {
			db.Migrations = append(db.Migrations, analyzer.Migration{ID: m.ID, File: m.File, Statements: m.Statements, State: state})
		}
	}
	add(cmp.Removed, analyzer.Removed)
	add(cmp.Edited, analyzer.Edited)
	if cmp.Rebased != "" {
		db.Rebased = &analyzer.Rebased{Why: cmp.Rebased, Pos: schema.Pos{File: cmp.New.Dir}, Baseline: cmp.Baseline}
		if len(cmp.New.Revisions) > 0 {
			db.Rebased.Pos = schema.Pos{File: cmp.New.Revisions[0].File, Line: 1}
		}
		db.Migrations = nil
		if cmp.Baseline == "" {
			add(cmp.Pending, analyzer.ReBased)
			return db
		}
	}
	add(cmp.Pending, analyzer.Pending)
	return db
}
