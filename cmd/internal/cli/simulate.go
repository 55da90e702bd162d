package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"instep/analyzer"
	"instep/analyzer/rules"
	"instep/analyzer/schema"
	"instep/cmd/internal/report"
	"instep/migrate"
	"instep/simulate"
)

// A simulator runs an upgrade: simulate.Run, or what a test puts in its place.
type simulator func(ctx context.Context, in simulate.Input, o simulate.Options) (*analyzer.Simulation, error)

// simulateFlags are the flags of simulate as they are written.
type simulateFlags struct {
	engine, image, mysqld, dsn string
	yesThisServer              bool
	rows                       []string
	seed                       uint64
	dump                       string
	queries                    []string
	lockWait, rate, statement  time.Duration
	faults, noMeasure, keep    bool
	maxMemory, maxDisk         string
}

// dsnVariable holds the DSN where no flag gives it: other users of a machine can see flags.
const dsnVariable = "INSTEP_DSN"

// defaultRows is the number of rows in each table where --rows says nothing.
const defaultRows = 1000

func newSimulate(o *options, run simulator) *cobra.Command {
	f := &simulateFlags{}
	cmd := &cobra.Command{
		Use:   "simulate DEPLOYED [TARGET]",
		Short: "run the upgrade for real in a throwaway server: which code fails on which state of the schema",
		Long: `simulate runs the upgrade from DEPLOYED to TARGET (HEAD, if none is given) on a real database server: it builds the
deployed schema, fills it with made-up rows, runs the pending statements one by one while a reader and a writer go on, and
runs the statements of old and new code of every service on every state of the schema that a deployment can reach. What
failed is set beside what the analysis says; it can make the answer stricter, never looser, and the exit code follows.

The server is a throwaway one in Docker (--engine docker), a mysqld or mariadbd of this machine (local), or an existing one (dsn),
in which only databases of its own are touched. auto takes Docker, else a local server. The SQL that runs may be a
stranger's: its account can reach neither files nor the network, and time, memory and disk are bounded. Nothing else of the
repository is executed.

A service's statements are made up from the schema at each ref, as an ORM would send them, unless --queries gives real ones.
Formats are those of the check.`,
		Example: `  instep simulate v3.110
  instep simulate v3.110 v3.111 --engine local --rows 10000 --rows rules=1e6
  instep simulate v3.110 --queries app@deployed=old.sql --queries app@target=new.sql
  INSTEP_DSN='root:secret@tcp(127.0.0.1:3306)/' instep simulate v3.110 --engine dsn`,
		Args: checkArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return runSimulate(cmd, o, f, run, args) },
	}
	addTargetFlags(cmd, o)
	addDemandFlags(cmd, o)
	flags := cmd.Flags()
	flags.StringVar(&f.engine, "engine", "auto", "what provides the server: auto, docker, local or dsn")
	flags.StringVar(&f.image, "image", "", "the image for docker (default: the official one of the configured server)")
	flags.StringVar(&f.mysqld, "mysqld", "", "the server program for local (default: mysqld or mariadbd on PATH)")
	flags.StringVar(&f.dsn, "dsn", "", "the server for dsn: user:password@tcp(host:3306)/ (better in "+dsnVariable+")")
	flags.BoolVar(&f.yesThisServer, "yes-this-server", false, "use the server of dsn although it looks like production")
	flags.StringSliceVar(&f.rows, "rows", nil, fmt.Sprintf("rows in each table (default %d), or in one: 10000, rules=1e6", defaultRows))
	flags.Uint64Var(&f.seed, "seed", 1, "the same seed and schema give the same rows")
	flags.StringVar(&f.dump, "dump", "", "load this dump of the deployed database instead (.sql, .sql.gz, .sql.xz, .sql.zst)")
	flags.StringArrayVar(&f.queries, "queries", nil, "a service's real statements at a ref: SERVICE@REF=FILE; REF may be deployed or target")
	flags.DurationVar(&f.lockWait, "lock-wait-timeout", time.Second, "how long a pending statement waits behind an idle transaction")
	flags.DurationVar(&f.rate, "rate", time.Millisecond, "the pause between two statements of the reader, and of the writer")
	flags.DurationVar(&f.statement, "statement-timeout", 5*time.Minute, "end a statement that runs longer")
	flags.BoolVar(&f.faults, "faults", false, "kill the server during each pending statement too")
	flags.BoolVar(&f.noMeasure, "no-measure", false, "run the pending statements alone: no reader, no writer, no probing")
	flags.BoolVar(&f.keep, "keep", false, "leave the server running, and print how to connect")
	flags.StringVar(&f.maxMemory, "max-memory", "", "the server's memory, such as 2GiB (default: the engine's)")
	flags.StringVar(&f.maxDisk, "max-disk", "", "the server's disk, such as 10GiB (default: the engine's)")
	return cmd
}

// errInterrupted ends a command that was stopped by a signal.
var errInterrupted = errors.New("interrupted")

func runSimulate(cmd *cobra.Command, o *options, f *simulateFlags, run simulator, args []string) (err error) {
	format, err := pick(o.format, report.Formats, func(f *report.Format) string { return f.Name })
	if err != nil {
		return err
	}
	if cmd.Flags().Changed("dump") && cmd.Flags().Changed("rows") {
		return errors.New("--dump brings its own rows: drop --rows")
	}
	so, err := f.options()
	if err != nil {
		return err
	}
	q, err := o.inquire(cmd, args)
	if err != nil {
		return err
	}
	defer q.repo.Close()
	if err := q.ends.alone("simulate"); err != nil {
		return err
	}
	u := &q.upgrade
	if len(u.Services) == 0 {
		u.Services = []analyzer.Service{{Name: "code"}}
	}
	so.Configured = u.Server
	in := simulate.Input{Upgrade: *u}
	if in.Queries, err = readQueries(f.queries, u); err != nil {
		return err
	}
	if err := checkTables(so.Rows.Tables, u.Databases); err != nil {
		return err
	}
	r := analyzer.Analyze(*u, rules.All)
	doc := &report.Document{Report: r, ConfigChanges: q.ends.changes, Color: o.colored(cmd.OutOrStdout()), Brief: o.quiet}
	p := newProgress(cmd.ErrOrStderr(), o.quiet, hider(so.DSN))
	if !slices.ContainsFunc(u.Databases, pending) {
		what := "no statement is pending"
		if r.Verdict == analyzer.Unproven {
			what = "no pending statement could be read"
		}
		p.note(fmt.Sprintf("%s between %s and %s: no server was started", what, q.ends.deployed.Rev, q.ends.target.Rev))
	} else {
		for i, c := range q.comparisons {
			in.Databases = append(in.Databases, simulated(c, u.Databases[i], q.ends.target))
		}
		if doc.Simulation, err = simulation(cmd.Context(), run, in, so, p); err != nil {
			return err
		}
		analyzer.Judge(r, doc.Simulation)
	}
	return o.answer(cmd, format, doc, q.order)
}

// pending tells whether an upgrade runs any statement on a database.
func pending(d analyzer.Database) bool {
	return slices.ContainsFunc(d.Migrations, func(m analyzer.Migration) bool { return m.State == analyzer.Pending && len(m.Statements) > 0 })
}

// simulation runs the upgrade. Its errors never hold the password of a DSN.
func simulation(ctx context.Context, run simulator, in simulate.Input, o simulate.Options, p *progress) (*analyzer.Simulation, error) {
	o.Progress = p.simulation()
	defer p.close()
	said := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(said)
		p.note("interrupted: cleaning up; a second interrupt ends at once and leaves that to the next run")
	})
	sim, err := run(ctx, in, o)
	if !stop() {
		<-said
	}
	hide := hider(o.DSN)
	switch {
	case err == nil:
		s := &sim.Server
		s.Name, s.Differs, s.Connect = hide(s.Name), hide(s.Differs), hide(s.Connect)
		for i := range s.Notes {
			s.Notes[i] = hide(s.Notes[i])
		}
		return sim, nil
	case ctx.Err() != nil:
		// More than the interruption is what could not be cleaned up.
		if several, ok := err.(interface{ Unwrap() []error }); ok && len(several.Unwrap()) > 1 {
			return nil, fmt.Errorf("interrupted: %s", hide(err.Error()))
		}
		if o.Engine == "dsn" {
			return nil, fmt.Errorf("%w: the databases of this run were removed", errInterrupted)
		}
		return nil, fmt.Errorf("%w: the server was removed", errInterrupted)
	}
	text := err.Error()
	var none *simulate.UnavailableError
	if errors.As(err, &none) && none.Provide != "" && !strings.Contains(text, none.Provide) {
		text += "\n    this would provide one: " + none.Provide
	}
	return nil, errors.New(hide(text))
}

// options checks the flags.
func (f *simulateFlags) options() (simulate.Options, error) {
	o := simulate.Options{
		EngineOptions: simulate.EngineOptions{Engine: f.engine, Image: f.image, Mysqld: f.mysqld, DSN: f.dsn, YesThisServer: f.yesThisServer, Keep: f.keep},
		Rows:          simulate.RowOptions{Each: defaultRows, Seed: f.seed}, Dump: f.dump, Measure: !f.noMeasure, Rate: f.rate,
		LockWaitTimeout: f.lockWait, StatementLimit: f.statement, Faults: f.faults,
	}
	names := []string{"auto"}
	for _, e := range simulate.Engines {
		names = append(names, e.Name)
	}
	if !slices.Contains(names, f.engine) {
		return o, fmt.Errorf("--engine: there is no engine %q: the known ones are %s", f.engine, strings.Join(names, ", "))
	}
	// A flag that only one engine has names it.
	for _, x := range []struct{ flag, value, engine string }{{"image", f.image, "docker"}, {"mysqld", f.mysqld, "local"}, {"dsn", f.dsn, "dsn"}} {
		switch {
		case x.value == "" || o.Engine == x.engine:
		case o.Engine == "auto":
			o.Engine = x.engine
		default:
			return o, fmt.Errorf("--%s is for --engine %s, not %s", x.flag, x.engine, o.Engine)
		}
	}
	if o.Engine == "dsn" {
		if o.DSN == "" {
			o.DSN = os.Getenv(dsnVariable)
		}
		if o.DSN == "" {
			return o, fmt.Errorf("--engine dsn: which server? give --dsn or, better, %s: user:password@tcp(host:3306)/", dsnVariable)
		}
	} else if f.yesThisServer {
		return o, errors.New("--yes-this-server is for --engine dsn")
	}
	var err error
	if o.Rows.Each, o.Rows.Tables, err = parseRows(f.rows); err != nil {
		return o, fmt.Errorf("--rows: %w", err)
	}
	for _, x := range []struct {
		flag, text string
		to         *int64
	}{{"max-memory", f.maxMemory, &o.MaxMemory}, {"max-disk", f.maxDisk, &o.MaxDisk}} {
		if *x.to, err = parseSize(x.text); err != nil {
			return o, fmt.Errorf("--%s: %w", x.flag, err)
		}
	}
	switch {
	case f.lockWait < time.Second || f.lockWait%time.Second != 0:
		return o, fmt.Errorf("--lock-wait-timeout: %v is no whole number of seconds, which servers want", f.lockWait)
	case f.rate < 0:
		return o, fmt.Errorf("--rate: %v is no pause", f.rate)
	case f.statement <= 0:
		return o, fmt.Errorf("--statement-timeout: %v leaves no time", f.statement)
	}
	if f.dump != "" {
		info, err := os.Stat(f.dump)
		if err != nil {
			return o, fmt.Errorf("--dump: %w", err)
		}
		if info.IsDir() {
			return o, fmt.Errorf("--dump: %s is a folder", f.dump)
		}
	}
	return o, nil
}

// maxRows bounds the rows of a table.
const maxRows = 1e10

// parseRows reads "10000", "1e6" and "rules=1e6".
func parseRows(list []string) (each int64, tables map[string]int64, err error) {
	each, tables = defaultRows, map[string]int64{}
	all := false
	for _, text := range list {
		table, number := "", text
		if i := strings.LastIndexByte(text, '='); i >= 0 {
			table, number = strings.TrimSpace(text[:i]), text[i+1:]
			if table == "" {
				return 0, nil, fmt.Errorf("%q names no table", text)
			}
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || n != math.Trunc(n) || n < 0 || n > maxRows {
			return 0, nil, fmt.Errorf("%q is no number of rows: write 10000, 1e6 or table=1e6", text)
		}
		_, again := tables[table]
		switch {
		case table == "" && all, table != "" && again:
			return 0, nil, fmt.Errorf("%q: that was given already", text)
		case table == "":
			each, all = int64(n), true
		default:
			tables[table] = int64(n)
		}
	}
	return each, tables, nil
}

// units are those of sizes. Nobody means thousands when he gives memory to a server, but kB and the like are thousands.
var units = []struct {
	name  string
	bytes int64
}{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40}, {"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12},
	{"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {"t", 1 << 40}, {"b", 1}, {"", 1},
}

// parseSize reads "4GiB", "512m" or a number of bytes; "" is 0.
func parseSize(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	s := strings.ToLower(strings.TrimSpace(text))
	for _, u := range units {
		number, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(n > 0) || n*float64(u.bytes) >= math.MaxInt64 || n*float64(u.bytes) < 1 {
			break
		}
		return int64(n * float64(u.bytes)), nil
	}
	return 0, fmt.Errorf("%q is no size: write 4GiB or 512MiB", text)
}

// checkTables refuses rows for a table that the deployed schema does not have: they would be made nowhere.
func checkTables(rows map[string]int64, databases []analyzer.Database) error {
	for _, name := range sortedKeys(rows) {
		if !slices.ContainsFunc(databases, func(d analyzer.Database) bool {
			return d.Old != nil && slices.ContainsFunc(d.Old.Tables(), func(t *schema.Table) bool { return t.Name == name })
		}) {
			return fmt.Errorf("--rows: the deployed schema has no table %q", name)
		}
	}
	return nil
}

// maxQueries bounds a file of queries, in bytes.
const maxQueries = 64 << 20

// readQueries reads the files of --queries SERVICE@REF=FILE. Names may hold "@" and "=": the longest that fits counts.
func readQueries(list []string, u *analyzer.Upgrade) ([]simulate.Queries, error) {
	var all []simulate.Queries
	for _, text := range list {
		q, file, err := parseQueries(text, u)
		if err != nil {
			return nil, fmt.Errorf("--queries %s: %w", text, err)
		}
		if slices.ContainsFunc(all, func(o simulate.Queries) bool { return o.Service == q.Service && o.Code == q.Code }) {
			return nil, fmt.Errorf("--queries %s: a file for %s at that ref was given already", text, q.Service)
		}
		src, err := readAtMost(file, maxQueries)
		if err != nil {
			return nil, fmt.Errorf("--queries: %w", err)
		}
		q.File, q.SQL = file, string(src)
		all = append(all, q)
	}
	return all, nil
}

func parseQueries(text string, u *analyzer.Upgrade) (q simulate.Queries, file string, err error) {
	refs := []struct {
		name string
		code analyzer.Breaks
	}{{"deployed", analyzer.OldCode}, {"target", analyzer.NewCode}, {u.Deployed.Rev, analyzer.OldCode}, {u.Target.Rev, analyzer.NewCode}}
	longest := 0
	var service analyzer.Service
	for _, s := range u.Services {
		for _, r := range refs {
			head := s.Name + "@" + r.name + "="
			if rest, ok := strings.CutPrefix(text, head); ok && len(head) > longest {
				longest, service, file = len(head), s, rest
				q = simulate.Queries{Service: s.Name, Code: r.code}
			}
		}
	}
	if longest > 0 {
		switch {
		case service.Access == analyzer.NoAccess:
			return q, "", fmt.Errorf("%s is configured with access: none, so it sends no queries", service.Name)
		case file == "":
			return q, "", errors.New("the file is missing")
		}
		return q, file, nil
	}
	name, rest, ok := strings.Cut(text, "@")
	ref, _, ok2 := strings.Cut(rest, "=")
	if !ok || !ok2 || name == "" || ref == "" {
		return q, "", errors.New("write SERVICE@REF=FILE, such as app@deployed=app.sql")
	}
	var names []string
	for _, s := range u.Services {
		names = append(names, s.Name)
	}
	if !slices.Contains(names, name) {
		return q, "", fmt.Errorf("there is no service %q: the services are %s", name, strings.Join(names, ", "))
	}
	return q, "", fmt.Errorf("%q is neither end of this upgrade: the refs are %s (deployed) and %s (target)", ref, u.Deployed.Rev, u.Target.Rev)
}

// readAtMost reads a regular file that is not longer than max bytes.
func readAtMost(name string, max int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a folder", name)
	}
	src, err := io.ReadAll(io.LimitReader(f, max+1))
	if err == nil && int64(len(src)) > max {
		err = fmt.Errorf("%s has more than %d bytes", name, max)
	}
	return src, err
}

// simulated gives what the simulation of a database needs: how its deployed schema was made, and the way back.
func simulated(c *migrate.Comparison, d analyzer.Database, target *tree) simulate.Database {
	var s simulate.Database
	s.History, s.Because = history(c)
	if pending(d) {
		s.Down, s.NoDown = wayBack(c, target)
	}
	return s
}

// history gives all statements that made the deployed schema, or why they cannot be replayed.
func history(c *migrate.Comparison) ([]schema.Statement, string) {
	statements := []schema.Statement{} // a database that is new has run none
	if c.Old == nil {
		return statements, ""
	}
	if gaps := c.Old.AllGaps(); len(gaps) > 0 {
		why := "the deployed migrations cannot be replayed as a whole: "
		if gaps[0].Pos != (schema.Pos{}) {
			why += gaps[0].Pos.String() + ": "
		}
		why += gaps[0].What
		if gaps[0].Why != "" {
			why += ": " + gaps[0].Why
		}
		return nil, why
	}
	for _, m := range c.Old.Migrations {
		statements = append(statements, m.Statements...)
	}
	return statements, ""
}

// wayBack gives the statements that take the pending migrations back, the last one first, or why there are none. A way back
// that misses a migration would be wrong, so it is all or nothing.
func wayBack(c *migrate.Comparison, target *tree) (down []schema.Statement, none string) {
	for _, m := range slices.Backward(c.Pending) {
		statements := m.Down
		if i := slices.IndexFunc(c.New.Revisions, func(r migrate.Revision) bool { return r.ID == m.ID }); i >= 0 && c.New.Revisions[i].Down != nil {
			statements = c.New.Revisions[i].Down(target.fsys, m.After)
		}
		if len(statements) == 0 && len(m.Statements) > 0 {
			return nil, fmt.Sprintf("migration %s (%s) has no way down that could be read", m.ID, m.File)
		}
		for _, st := range statements {
			if st.Params {
				return nil, fmt.Sprintf("the way down of migration %s holds values that are known only at run time (%v)", m.ID, st.Pos)
			}
		}
		down = append(down, statements...)
	}
	if len(down) == 0 {
		return nil, "the pending migrations have no way down"
	}
	return down, ""
}

// hider gives a function that takes the password of a DSN out of a text.
func hider(dsn string) func(string) string {
	password := dsnPassword(dsn)
	if password == "" {
		return func(s string) string { return s }
	}
	const hidden = "***"
	pairs := []string{":" + password + "@", ":" + hidden + "@"}
	// A short one stands in innocent words, and what is quoted of a DSN is the form above.
	if len(password) >= 6 {
		pairs = append(pairs, password, hidden)
	}
	return strings.NewReplacer(pairs...).Replace
}

// dsnPassword gives the password in user:password@protocol(address)/database, as the Go driver finds it.
func dsnPassword(dsn string) string {
	if i := strings.LastIndexByte(dsn, '/'); i >= 0 {
		dsn = dsn[:i]
	}
	i := strings.LastIndexByte(dsn, '@')
	if i < 0 {
		return ""
	}
	_, password, _ := strings.Cut(dsn[:i], ":")
	return password
}
