package simulate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// Bounds of what is tried. Each try builds the deployed database anew.
const (
	maxStops = 12
	maxKills = 6
	// maxHold is how long a statement is given to come to where a lock holds it up, before the server is killed.
	maxHold = 3 * time.Second
	// maxDifferences bounds the differences that a sentence lists.
	maxDifferences = 6
)

// A faultInput is an upgrade of one database that meets accidents.
type faultInput struct {
	Name string // of the database that is made, without the run's prefix; one of that name is dropped
	// Build makes the deployed database with a few rows, the same ones each time, under that name, and gives its full name.
	Build func(ctx context.Context, name string) (database string, err error)
	// States tell which tables and columns were renamed: 0 is the deployed schema, i the one after Steps[i-1]. What a state
	// really looks like is asked from the server.
	States []*schema.Schema
	Steps  []schema.Statement
	// Skip are the numbers of steps, from 1, that are not sent; those with Params never are.
	Skip map[int]bool
	Down []schema.Statement // nil: there are none, or they could not be read (NoDown says which)
	// NoDown is a clause, such as "it calls a function that could not be read"; "" if there simply is no down migration.
	NoDown  string
	SQLMode string // of the sessions that migrate; "" is the server's default
	// Rollback runs new code's transactions and commits them, then old code's, on the upgraded database. Nil: not tried.
	Rollback func(ctx context.Context, database string) (rolledBack, error)
	Kill     bool
	Limit    time.Duration // of a statement; 0 is a minute
}

// rolledBack is what old code met after new code had written.
type rolledBack struct {
	Sent, Failed int // transactions of old code
	Failures     []analyzer.Failure
	Changed      []analyzer.ChangedResult
	ChangedCount int
}

// faults tries what can go wrong during an upgrade and tells what each accident leaves behind: the migrator stops between two
// steps, the server is killed during one, two migrators run at once, old code comes back, the upgrade is taken back. Besides it
// tells which step loses data even if all goes well. On an error it gives what it found until then.
//
// Every statement is committed as it ends. A framework that runs the DML of a migration in one transaction leaves less behind
// when it is stopped. A framework is taken to note a migration as applied once all of its statements have run, and to begin at
// the first statement of one that is not noted. Tools that take a lock of their own (Flyway, Rails) exclude a second migrator;
// here nothing does. Two migrators send each step at the same time, which is one way of many in which they can meet.
func faults(ctx context.Context, srv *Server, in faultInput, p Progress) ([]analyzer.Fault, error) {
	if in.Limit <= 0 {
		in.Limit = time.Minute
	}
	r := &faultRun{faultInput: in, srv: srv, progress: p}
	defer func() {
		drop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		for _, name := range []string{srv.Prefix + in.Name, r.made} {
			if name != "" {
				srv.dropDatabase(drop, name) // the end of the run drops it otherwise
			}
		}
	}()
	if len(in.Steps) == 0 {
		return nil, nil
	}
	p.stage("trying accidents", 0)
	var lost, down []analyzer.Fault
	for _, try := range []func() error{
		func() (err error) { lost, err = r.reference(ctx); return err },
		func() (err error) { down, err = r.down(ctx); return err },
		func() error { return r.stops(ctx) },
		func() error { return r.kills(ctx) },
		func() error { return r.twoMigrators(ctx) },
		func() error { return r.rollback(ctx) },
	} {
		if err := try(); err != nil {
			return slices.Concat(r.found, down, lost), err
		}
	}
	return slices.Concat(r.found, down, lost), nil
}

// A faultRun is the state of faults. Numbers of steps and states count from 1 and 0, as in the result.
type faultRun struct {
	faultInput
	srv      *Server
	progress Progress
	made     string // the database that Build has made last
	ran      int    // steps that run without an error; all but for a failing upgrade
	failed   *analyzer.ServerError
	states   []*faultState // 0 … ran, as the server has them
	end      faultRows     // after the upgrade
	// unsteady are the columns, as "table.column", that hold something else each time: now(), uuid(). "table." is a table whose
	// number of rows or keys differ.
	unsteady map[string]bool
	found    []analyzer.Fault
}

// add keeps a fault. It is bad if a person has to do something or if data is lost.
func (r *faultRun) add(f analyzer.Fault) { r.found = append(r.found, badFault(f)) }

func badFault(f analyzer.Fault) analyzer.Fault {
	f.Bad = f.ByHand != "" || len(f.Lost) > 0
	return f
}

// A faultState is what a database looks like.
type faultState struct {
	schema *schema.Schema
	beside map[string]string // "trigger t", "procedure p" … to definition
	err    error             // it cannot be read; schema is nil
}

// faultRows are the tables' contents, by name.
type faultRows map[string]*digest

// build makes the deployed database anew.
func (r *faultRun) build(ctx context.Context) (string, error) {
	r.progress.add(1)
	database, err := r.Build(ctx, r.Name)
	if err == nil {
		r.made = database
		if r.srv.ended != nil {
			err = r.srv.ended()
		}
	}
	return database, err
}

// migrator opens a session as a migrating process does.
func (r *faultRun) migrator(ctx context.Context, database string) (*session, error) {
	c, err := r.srv.session(ctx, asGuest, database)
	if err != nil {
		return nil, err
	}
	c.limit = r.Limit
	wait := max(1, int(r.Limit/(2*time.Second))) // a lock's own error comes before the limit
	set := fmt.Sprintf("SET SESSION lock_wait_timeout=%d, innodb_lock_wait_timeout=%d", wait, wait)
	if r.SQLMode != "" {
		set += ", sql_mode='" + strings.ReplaceAll(r.SQLMode, "'", "''") + "'"
	}
	if err := c.exec(ctx, set); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// skips tells whether a step is not sent.
func (r *faultRun) skips(step int) bool { return r.Skip[step] || r.Steps[step-1].Params }

// send sends a statement and gives what the server refuses it with.
func (r *faultRun) send(ctx context.Context, c *session, database, text string) (*analyzer.ServerError, error) {
	err := c.exec(ctx, text)
	if err == nil {
		return nil, nil
	}
	said, ok := saidPlainly(err, func(message string) string { return r.anonymous(message, database) })
	if !ok {
		return nil, err
	}
	return said, nil
}

// anonymous removes what differs from run to run from a message.
func (r *faultRun) anonymous(message, database string) string {
	for _, name := range []string{"`" + database + "`.", "'" + database + "'.", "./" + database + "/", database + "/", database + "."} {
		message = strings.ReplaceAll(message, name, "")
	}
	return temporary.ReplaceAllString(strings.ReplaceAll(message, database, r.Name), "#sql-…")
}

// run sends the steps from … to in a session of their own and gives the number of the first that is refused, 0 if none is.
func (r *faultRun) run(ctx context.Context, database string, from, to int) (int, *analyzer.ServerError, error) {
	c, err := r.migrator(ctx, database)
	if err != nil {
		return 0, nil, err
	}
	defer c.close()
	for step := from; step <= to; step++ {
		if r.skips(step) {
			continue
		}
		said, err := r.send(ctx, c, database, r.Steps[step-1].SQL)
		if err != nil || said != nil {
			return step, said, err
		}
	}
	return 0, nil, nil
}

// state reads what a database looks like now.
func (r *faultRun) state(ctx context.Context, database string) (*faultState, error) {
	c, err := r.srv.session(ctx, asAdmin, "")
	if err != nil {
		return nil, err
	}
	defer c.close()
	c.limit = r.Limit
	s := &faultState{beside: map[string]string{}}
	if s.schema, err = definitions(ctx, c, r.srv.Version, database); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		s.err = errors.New(r.anonymous(err.Error(), database))
		s.schema = nil
	}
	quoted := "'" + database + "'"
	for _, text := range []string{
		"SELECT 'trigger', trigger_name, CONCAT_WS(' ', action_timing, event_manipulation, event_object_table, action_order, action_statement) FROM information_schema.triggers WHERE trigger_schema = " + quoted,
		"SELECT LOWER(routine_type), routine_name, CONCAT_WS(' ', dtd_identifier, is_deterministic, sql_data_access, security_type, routine_definition) FROM information_schema.routines WHERE routine_schema = " + quoted,
		"SELECT CONCAT('parameter ', ordinal_position, ' of'), specific_name, CONCAT_WS(' ', parameter_mode, parameter_name, dtd_identifier) FROM information_schema.parameters WHERE specific_schema = " + quoted,
		"SELECT 'event', event_name, CONCAT_WS(' ', interval_value, interval_field, status, event_definition) FROM information_schema.events WHERE event_schema = " + quoted,
		"SELECT 'database', '', CONCAT_WS(' ', default_character_set_name, default_collation_name) FROM information_schema.schemata WHERE schema_name = " + quoted,
	} {
		rows, err := c.query(ctx, 0, text)
		if said, ok := serverError(err); ok && said.Code == 1577 {
			continue // a server whose event scheduler is disabled has no events
		}
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			s.beside[strings.TrimSpace(row[0].String+" "+row[1].String)] = row[2].String
		}
	}
	return s, nil
}

// difference gives what leads from one state to another, in words; it is empty if they are equal.
func (s *faultState) difference(to *faultState) (all []string) {
	if s.err != nil || to.err != nil {
		return []string{"the schema cannot be read: " + errors.Join(s.err, to.err).Error()}
	}
	for _, c := range schema.DiffNames(s.schema, to.schema) {
		all = append(all, c.Object().String()+": "+analyzer.Transition(c))
	}
	names := maps.Clone(s.beside)
	maps.Copy(names, to.beside)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, ok1 := s.beside[name]
		is, ok2 := to.beside[name]
		switch {
		case !ok2:
			all = append(all, name+": dropped")
		case !ok1:
			all = append(all, name+": added")
		case was != is:
			all = append(all, name+": changed")
		}
	}
	return all
}

// listed joins differences, the first of them if there are many.
func listed(all []string) string {
	if len(all) > maxDifferences {
		return strings.Join(all[:maxDifferences], "; ") + fmt.Sprintf("; and %d more", len(all)-maxDifferences)
	}
	return strings.Join(all, "; ")
}

// find gives the lowest known state that a database is in, -1 if it is in none.
func (r *faultRun) find(s *faultState) int {
	return slices.IndexFunc(r.states, func(known *faultState) bool { return len(known.difference(s)) == 0 })
}

// rows reads what the tables of a database hold. Tables beyond maxDigestTables are left out.
func (r *faultRun) rows(ctx context.Context, database string, s *faultState) (faultRows, error) {
	if s.err != nil {
		return nil, nil
	}
	var c *session
	defer func() {
		if c != nil {
			c.close()
		}
	}()
	rows := faultRows{}
	cells := int64(maxDigestCells)
	for i, t := range s.schema.Tables() {
		if i == maxDigestTables {
			r.progress.note(fmt.Sprintf("%d tables: only the first %d by name were searched for lost data", len(s.schema.Tables()), maxDigestTables))
			break
		}
		d, err := r.digest(ctx, &c, database, t, rowIdentity(t), cells/int64(len(t.Columns)+1))
		if err != nil {
			return nil, err
		}
		cells -= int64(len(d.rows) * (len(d.columns) + 1))
		rows[t.Name] = d
	}
	return rows, nil
}

// digest reads what one table holds. A table that the server does not want to read is one that cannot be compared. It opens the
// session if there is none, and leaves none after an error: a statement that ran too long has ended it.
func (r *faultRun) digest(ctx context.Context, c **session, database string, t *schema.Table, id []string, max int64) (d *digest, err error) {
	if *c == nil {
		if *c, err = digestSession(ctx, r.srv, database); err != nil {
			return nil, err
		}
		(*c).limit = r.Limit
	}
	if d, err = readDigest(ctx, *c, t, id, max); err == nil {
		return d, nil
	}
	(*c).close()
	*c = nil
	if _, ok := serverError(err); ok {
		return &digest{table: t.Name, unread: true}, nil
	}
	return nil, fmt.Errorf("%s: %w", t.Name, err)
}

// faultNames follow tables and columns from one state to a later one.
type faultNames struct {
	tables  map[string]string            // old to new; "" is gone
	columns map[string]map[string]string // by old table: old to new; "" is gone
}

func (n faultNames) table(old string) string {
	if to, ok := n.tables[old]; ok {
		return to
	}
	return old
}

func (n faultNames) column(table, old string) string {
	if to, ok := n.columns[table][strings.ToLower(old)]; ok {
		return to
	}
	return old
}

// follow gives the names of state step-1 in state step.
func (r *faultRun) follow(step int) faultNames {
	n := faultNames{map[string]string{}, map[string]map[string]string{}}
	if step >= len(r.States) || r.States[step-1] == nil || r.States[step] == nil {
		return n
	}
	back := map[string]string{}
	set := func(newTable, old, to string) {
		table := newTable
		if was, ok := back[newTable]; ok {
			table = was
		}
		if n.columns[table] == nil {
			n.columns[table] = map[string]string{}
		}
		n.columns[table][strings.ToLower(old)] = to
	}
	changes := schema.Diff(r.States[step-1], r.States[step])
	for _, c := range changes {
		switch c := c.(type) {
		case *schema.RenameTable:
			n.tables[c.Old.Name] = c.New.Name
			back[c.New.Name] = c.Old.Name
		case *schema.DropTable:
			n.tables[c.Table.Name] = ""
		case *schema.RecreateTable:
			n.tables[c.Old.Name] = ""
		}
	}
	for _, c := range changes {
		switch c := c.(type) {
		case *schema.RenameColumn:
			set(c.Table.Name, c.Old.Name, c.New.Name)
		case *schema.RecreateColumn:
			set(c.Table.Name, c.Old.Name, "")
		case *schema.DropColumn: // its name may now be another column's
			if n.columns[c.Table.Name] == nil {
				n.columns[c.Table.Name] = map[string]string{}
			}
			n.columns[c.Table.Name][strings.ToLower(c.Column.Name)] = ""
		}
	}
	return n
}

// fresh gives the columns that are new, or were new before and are still there, as "table.column".
func (n faultNames) fresh(before map[string]bool, old, new faultRows) map[string]bool {
	fresh := map[string]bool{}
	for table, d := range new {
		for _, column := range d.columns {
			fresh[table+"."+column] = true
		}
	}
	for table, d := range old {
		for _, column := range d.columns {
			if to := n.column(table, column); to != "" && !before[table+"."+column] {
				delete(fresh, n.table(table)+"."+to)
			}
		}
	}
	return fresh
}

// pairs gives the tables of one moment beside those of a later one, in the order of their names. Where another key has come
// to tell rows apart, the later rows are read again by the earlier key.
func (r *faultRun) pairs(ctx context.Context, database string, old, new faultRows, now *faultState, n faultNames) ([]digestPair, error) {
	var pairs []digestPair
	var c *session
	defer func() {
		if c != nil {
			c.close()
		}
	}()
	for _, name := range slices.Sorted(maps.Keys(old)) {
		o := old[name]
		p := digestPair{old: o, new: new[n.table(name)], column: func(column string) string { return n.column(name, column) }}
		var t *schema.Table
		if now.schema != nil {
			t = now.schema.Table(n.table(name))
		}
		if p.new == nil || t == nil {
			p.new = nil
			pairs = append(pairs, p)
			continue
		}
		ids := make([]string, 0, len(o.id))
		for _, id := range o.id {
			if col := t.Column(n.column(name, id)); col != nil {
				ids = append(ids, col.Name)
			}
		}
		p.byID = len(ids) > 0 && len(ids) == len(o.id)
		if p.byID && !slices.Equal(ids, p.new.id) {
			var err error
			if p.new, err = r.digest(ctx, &c, database, t, ids, int64(len(p.new.rows))); err != nil {
				return nil, err
			}
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

// reference runs the upgrade without an accident and notes every state. It tells which step loses data, or fails.
func (r *faultRun) reference(ctx context.Context) (lost []analyzer.Fault, err error) {
	database, err := r.build(ctx)
	if err != nil {
		return nil, err
	}
	s, err := r.state(ctx, database)
	if err != nil {
		return nil, err
	}
	r.states = append(r.states, s)
	rows, err := r.rows(ctx, database, s)
	if err != nil {
		return nil, err
	}
	c, err := r.migrator(ctx, database)
	if err != nil {
		return nil, err
	}
	defer c.close()
	fresh := map[string]bool{} // columns that the upgrade has made, as "table.column"
	for step := 1; step <= len(r.Steps); step++ {
		if r.skips(step) {
			r.states = append(r.states, s)
			r.ran = step
			continue
		}
		if r.failed, err = r.send(ctx, c, database, r.Steps[step-1].SQL); err != nil || r.failed != nil {
			break
		}
		r.ran = step
		if s, err = r.state(ctx, database); err != nil {
			return lost, err
		}
		r.states = append(r.states, s)
		now, err := r.rows(ctx, database, s)
		if err != nil {
			return lost, err
		}
		n := r.follow(step)
		pairs, err := r.pairs(ctx, database, rows, now, s, n)
		if err != nil {
			return lost, err
		}
		fresh = n.fresh(fresh, rows, now)
		var l losses
		for _, p := range pairs {
			p.fresh = func(column string) bool { return fresh[p.new.table+"."+column] }
			l.add(p)
		}
		if f := (analyzer.Fault{Kind: "lost", Step: step, State: r.find(s), Lost: l.lost}); len(l.lost)+len(l.moved)+len(l.unsure) > 0 {
			f.What = fmt.Sprintf("step %d (%s) loses no data", step, gist(r.Steps[step-1].SQL))
			if len(l.lost) > 0 {
				f.What = fmt.Sprintf("step %d (%s) loses data", step, gist(r.Steps[step-1].SQL))
			}
			if len(l.moved) > 0 {
				f.What += "; " + listed(l.moved)
			}
			if len(l.unsure) > 0 {
				f.What += "; not compared: " + strings.Join(l.unsure, ", ")
			}
			lost = append(lost, badFault(f))
		}
		rows = now
	}
	r.end = rows
	return lost, err
}

// gist gives the beginning of a statement on one line.
func gist(text string) string {
	text = strings.ToValidUTF8(strings.Join(strings.Fields(text[:min(len(text), 400)]), " "), "")
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return text
}

// odd gives how the rows of a database differ from those after an upgrade without an accident.
func (r *faultRun) odd(ctx context.Context, database string, s *faultState) ([]string, error) {
	rows, err := r.rows(ctx, database, s)
	if err != nil {
		return nil, err
	}
	pairs, err := r.pairs(ctx, database, r.end, rows, s, faultNames{})
	if err != nil {
		return nil, err
	}
	var odd []string
	for _, p := range pairs {
		odd = append(odd, p.odd(func(column string) bool { return r.unsteady[p.old.table+"."+column] })...)
	}
	return odd, nil
}

// span gives the migration of a step as the numbers of its first and last statement.
func (r *faultRun) span(step int) (first, last int) {
	id := r.Steps[step-1].Migration
	first, last = step, step
	for first > 1 && r.Steps[first-2].Migration == id {
		first--
	}
	for last < len(r.Steps) && r.Steps[last].Migration == id {
		last++
	}
	return first, last
}

// stops stops the migrator between two steps.
func (r *faultRun) stops(ctx context.Context) error {
	last := min(r.ran, len(r.Steps)-1)
	var at []int
	for step := 1; step <= last; step++ {
		if !r.skips(step) && (step < r.ran || r.failed == nil) {
			at = append(at, step)
		}
	}
	chosen := spreadOut(at, maxStops)
	for _, step := range chosen {
		if err := r.stop(ctx, step); err != nil {
			return err
		}
	}
	if len(chosen) < len(at) {
		r.add(analyzer.Fault{Kind: "stopped", What: fmt.Sprintf("%d of the %d places to stop at were tried: after steps %s", len(chosen), len(at), stepNumbers(chosen))})
	}
	if r.failed != nil {
		return r.stop(ctx, r.ran)
	}
	return nil
}

// spreadOut gives at most max of the numbers: the first, the last, and others evenly between them.
func spreadOut(all []int, max int) []int {
	if len(all) <= max {
		return all
	}
	some := make([]int, 0, max)
	for i := range max {
		some = append(some, all[i*(len(all)-1)/(max-1)])
	}
	return some
}

func stepNumbers(all []int) string {
	texts := make([]string, len(all))
	for i, n := range all {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ", ")
}

// stop stops the migrator after a step, or, where the upgrade fails, at the failing step behind it.
func (r *faultRun) stop(ctx context.Context, step int) error {
	database, err := r.build(ctx)
	if err != nil {
		return err
	}
	f := analyzer.Fault{Kind: "stopped", Step: step}
	to := step
	if r.failed != nil && step == r.ran {
		to++
	}
	at, said, err := r.run(ctx, database, 1, to)
	if err != nil {
		return err
	}
	next := step + 1
	switch {
	case said == nil:
		f.What = fmt.Sprintf("the migrator stops after step %d", step)
	case at == to && to > step:
		f.What = fmt.Sprintf("step %d (%s) fails with %s", at, gist(r.Steps[at-1].SQL), errorText(said))
	default:
		f.What = fmt.Sprintf("step %d fails with %s, which it did not the first time", at, errorText(said))
		f.ByHand = "find out why it does not always fail"
		f.State = -1
		r.add(f)
		return nil
	}
	first := next
	if step == 0 {
		first = 1
	} else if start, last := r.span(step); next <= last {
		first = start
		f.What += r.inside(start, last)
	} else if id := r.Steps[step-1].Migration; id != "" {
		f.What += ", the end of migration " + id
	}
	return r.recover(ctx, database, f, step, first)
}

// inside says in which migration a step stands.
func (r *faultRun) inside(first, last int) string {
	if id := r.Steps[first-1].Migration; id != "" {
		return fmt.Sprintf(", inside migration %s (%s)", id, stepsText(first, last))
	}
	return ""
}

func stepsText(first, last int) string {
	switch last - first {
	case 0:
		return fmt.Sprintf("step %d", first)
	case 1:
		return fmt.Sprintf("steps %d and %d", first, last)
	}
	return fmt.Sprintf("steps %d to %d", first, last)
}

func errorText(e *analyzer.ServerError) string {
	if e.Code == 0 {
		return "an error: " + e.Message
	}
	return fmt.Sprintf("error %d (%s)", e.Code, e.Message)
}

// recover finds the state that an accident has left, of which the steps up to done have run, runs the upgrade again from step
// first, and if that fails tries what a person would do. It completes the fault and keeps it.
func (r *faultRun) recover(ctx context.Context, database string, f analyzer.Fault, done, first int) error {
	s, err := r.state(ctx, database)
	if err != nil {
		return err
	}
	if f.State = r.find(s); f.State < 0 {
		near := min(done, len(r.states)-1)
		f.What += fmt.Sprintf("; the schema is in no known state: from that after step %d it differs in %s", near, listed(r.states[near].difference(s)))
	}
	f.Retried = true
	at, said, err := r.run(ctx, database, first, len(r.Steps))
	if err != nil {
		return err
	}
	f.Rerun = said
	if said == nil {
		wrong, err := r.wrong(ctx, database, r.states[len(r.states)-1])
		if err != nil {
			return err
		}
		switch {
		case r.failed != nil:
			f.What += fmt.Sprintf("; a re-run from step %d succeeds", first)
		case len(wrong) > 0:
			f.What += fmt.Sprintf("; a re-run from step %d ends without an error, but not as an upgrade without an accident", first)
			f.ByHand = "mend " + listed(wrong)
		case first > len(r.Steps):
			f.What += "; nothing is left to run"
		default:
			f.What += fmt.Sprintf("; a re-run from step %d succeeds", first)
		}
		r.add(f)
		return nil
	}
	f.What += fmt.Sprintf("; a re-run from step %d fails at step %d", first, at)
	if f.ByHand, err = r.byHand(ctx, database, done, at, said); err != nil {
		return err
	}
	r.add(f)
	return nil
}

// wrong gives how a database differs from the end of an upgrade without an accident, in schema and rows.
func (r *faultRun) wrong(ctx context.Context, database string, target *faultState) ([]string, error) {
	s, err := r.state(ctx, database)
	if err != nil {
		return nil, err
	}
	wrong := target.difference(s)
	odd, err := r.odd(ctx, database, s)
	return append(wrong, odd...), err
}

// byHand tries to complete an upgrade, of which the steps up to done have run and whose re-run has failed at step at, by running
// what is left, and says what a person has to do.
func (r *faultRun) byHand(ctx context.Context, database string, done, at int, said *analyzer.ServerError) (string, error) {
	own := r.ran + 1 // the step at which the upgrade fails in any case, if it does
	mend := ""
	if r.failed != nil {
		mend = fmt.Sprintf("mend what step %d fails at (%s)", own, codeText(r.failed))
		if at == own {
			return mend + ", then run the upgrade again", nil
		}
	}
	first, last := r.span(at)
	next := max(done+1, at)
	var todo []string
	var prelude []int
	for step := first; step < next && step <= last; step++ {
		if setsSession(r.Steps[step-1].SQL) && !r.skips(step) {
			prelude = append(prelude, step)
		}
	}
	if mend != "" && own == next {
		todo = append(todo, mend)
	}
	if next <= last {
		text := "run " + stepsText(next, last) + " by hand"
		if id := r.Steps[at-1].Migration; id != "" {
			text = "run " + stepsText(next, last) + " of migration " + id + " by hand"
		}
		if len(prelude) > 0 {
			text += ", in one session with SET of step " + stepNumbers(prelude) + " before"
		}
		todo = append(todo, text)
	}
	if id := r.Steps[at-1].Migration; id != "" {
		todo = append(todo, "mark migration "+id+" as applied")
	}
	if last < len(r.Steps) {
		todo = append(todo, "run the upgrade again")
	}
	if len(todo) == 0 {
		todo = append(todo, "see to it that the upgrade is not run again")
	}
	stuck, err := r.goOn(ctx, database, prelude, next, last)
	if err == nil && stuck.said == nil {
		// What follows is for the framework, in a session of its own.
		stuck.step, stuck.said, err = r.run(ctx, database, max(next, last+1), len(r.Steps))
	}
	if err != nil {
		return "", err
	}
	switch {
	case stuck.said != nil && r.failed != nil && stuck.step == own:
		if next != own {
			todo = append(todo, mend)
		}
		return chain(todo), nil
	case stuck.said != nil:
		return fmt.Sprintf("restore a backup, or undo what has run by hand: a re-run fails with %s, and going on with step %d fails at step %d with %s",
			codeText(said), next, stuck.step, errorText(stuck.said)), nil
	case r.failed != nil:
		return chain(todo), nil
	}
	wrong, err := r.wrong(ctx, database, r.states[len(r.states)-1])
	if len(wrong) > 0 {
		todo = append(todo, "mend "+listed(wrong))
	}
	return chain(todo), err
}

// A stuckStep is a step that is refused.
type stuckStep struct {
	step int
	said *analyzer.ServerError
}

// goOn sends the prelude and the steps from next to last in one session, as a person would.
func (r *faultRun) goOn(ctx context.Context, database string, prelude []int, next, last int) (stuckStep, error) {
	c, err := r.migrator(ctx, database)
	if err != nil {
		return stuckStep{}, err
	}
	defer c.close()
	todo := slices.Clone(prelude)
	for step := next; step <= last; step++ {
		if !r.skips(step) {
			todo = append(todo, step)
		}
	}
	for _, step := range todo {
		if said, err := r.send(ctx, c, database, r.Steps[step-1].SQL); err != nil || said != nil {
			return stuckStep{step, said}, err
		}
	}
	return stuckStep{}, nil
}

func codeText(e *analyzer.ServerError) string {
	if e.Code == 0 {
		return e.Message
	}
	return fmt.Sprintf("error %d", e.Code)
}

// chain joins what has to be done one after the other.
func chain(todo []string) string { return strings.Join(todo, ", then ") }

// setsSession tells whether a statement only sets something of its session, which is gone with it.
func setsSession(text string) bool {
	f := strings.Fields(text[:min(len(text), 200)])
	return len(f) > 0 && strings.EqualFold(f[0], "SET")
}

// kills kills the server during a step. A lock that another session holds stops the step before it commits, so that it is not
// left to chance what the server is doing: a copy is made by then but not yet in place. What no lock holds up has ended.
//
// MySQL 9.7 takes such an ALTER TABLE back when it starts again, MariaDB 10.11 completes it (both tested).
func (r *faultRun) kills(ctx context.Context) error {
	switch {
	case !r.Kill:
		return nil
	case r.srv.kill == nil:
		r.add(analyzer.Fault{Kind: "killed", What: "not tried: this server cannot be killed and started again (engine " + r.srv.Engine + ")"})
		return nil
	}
	var at []int
	for step := 1; step <= r.ran; step++ {
		if !r.skips(step) && !setsSession(r.Steps[step-1].SQL) {
			at = append(at, step)
		}
	}
	chosen := spreadOut(at, maxKills)
	for _, step := range chosen {
		if err := r.kill(ctx, step); err != nil {
			return err
		}
	}
	if len(chosen) < len(at) {
		r.add(analyzer.Fault{Kind: "killed", What: fmt.Sprintf("%d of %d steps were tried: %s", len(chosen), len(at), stepNumbers(chosen))})
	}
	return nil
}

// kill kills the server during one step.
func (r *faultRun) kill(ctx context.Context, step int) error {
	// A throwaway server writes its log once a second. Since only the process dies here, it is enough that each commit reaches the
	// operating system (manual: innodb_flush_log_at_trx_commit). A restart takes the setting back.
	admin, err := r.srv.session(ctx, asAdmin, "")
	if err != nil {
		return err
	}
	defer admin.close()
	admin.limit = r.Limit
	if err := admin.exec(ctx, "SET GLOBAL innodb_flush_log_at_trx_commit=2"); err != nil {
		return fmt.Errorf("before the server is killed: %w", err)
	}
	database, err := r.build(ctx)
	if err != nil {
		return err
	}
	c, err := r.migrator(ctx, database)
	if err != nil {
		return err
	}
	defer c.close()
	f := analyzer.Fault{Kind: "killed", Step: step}
	for i := 1; i < step; i++ {
		if r.skips(i) {
			continue
		}
		if said, err := r.send(ctx, c, database, r.Steps[i-1].SQL); err != nil {
			return err
		} else if said != nil {
			f.State = -1
			f.What = fmt.Sprintf("not tried: step %d fails with %s, which it did not the first time", i, errorText(said))
			r.add(f)
			return nil
		}
	}
	s, err := r.state(ctx, database)
	if err != nil {
		return err
	}
	before, err := r.rows(ctx, database, s)
	if err != nil {
		return err
	}
	held, said, err := r.killDuring(ctx, admin, c, database, s, step)
	if err != nil {
		return err
	}
	f.What = fmt.Sprintf("the server is killed during step %d (%s)", step, gist(r.Steps[step-1].SQL))
	done := step - 1
	if !held {
		f.What = fmt.Sprintf("the server is killed right after step %d (%s)", step, gist(r.Steps[step-1].SQL))
		done = step
		if said != nil {
			f.What += ", which fails with " + errorText(said)
			done = step - 1
		}
	}
	left, err := r.leftovers(ctx, database)
	if err != nil {
		return err
	}
	if s, err = r.state(ctx, database); err != nil {
		return err
	}
	is, was := len(r.states[step].difference(s)) == 0, len(r.states[step-1].difference(s)) == 0
	switch {
	case is && !was:
		done = step
		f.What += "; it has taken effect"
		if held {
			f.What += " all the same"
		}
	case was && !is:
		done = step - 1
		f.What += "; nothing of it is left"
	}
	if done == step-1 && was {
		rows, err := r.rows(ctx, database, s)
		if err != nil {
			return err
		}
		pairs, err := r.pairs(ctx, database, before, rows, s, faultNames{})
		if err != nil {
			return err
		}
		for _, p := range pairs {
			f.Lost = append(f.Lost, p.odd(func(string) bool { return false })...)
		}
		if len(f.Lost) > 0 {
			f.What += "; the rows are not those before it"
		} else if is {
			f.What += "; nothing of it is left"
		}
	}
	if left > 0 {
		f.What += fmt.Sprintf("; %s of InnoDB's is left behind (#sql-…)", pluralOf(int64(left), "table"))
	}
	first, _ := r.span(step)
	return r.recover(ctx, database, f, done, first)
}

// killDuring starts a step, waits until a lock holds it up or it has ended, and kills the server. held tells which.
func (r *faultRun) killDuring(ctx context.Context, admin, c *session, database string, s *faultState, step int) (held bool, said *analyzer.ServerError, err error) {
	text := r.Steps[step-1].SQL
	blocker, err := r.srv.session(ctx, asGuest, database)
	if err != nil {
		return false, nil, err
	}
	defer blocker.close()
	blocker.limit = r.Limit
	if err := blocker.exec(ctx, "START TRANSACTION"); err != nil {
		return false, nil, err
	}
	rows := changesRows(text)
	if s.schema != nil {
		for i, t := range s.schema.Tables() {
			if i == maxDigestTables {
				break
			}
			// A reader lets ALTER TABLE copy and holds it up at the end. A writer's lock would hold it up at the beginning
			// (manual: Metadata Locking).
			look := "SELECT 1 FROM " + quoteName(t.Name) + " LIMIT 1"
			if rows {
				look = "SELECT 1 FROM " + quoteName(t.Name) + lastFirst(t) + " LIMIT 1 FOR UPDATE"
			}
			if _, err := blocker.query(ctx, 1, look); err != nil {
				if _, ok := serverError(err); !ok {
					return false, nil, err
				}
			}
		}
	}
	c.limit = 0 // it ends with the server, or the hold
	if err := c.exec(ctx, "SET SESSION lock_wait_timeout=3600, innodb_lock_wait_timeout=3600"); err != nil {
		return false, nil, err
	}
	type outcome struct {
		said *analyzer.ServerError
		err  error
	}
	ended := make(chan outcome, 1)
	go func() {
		said, err := r.send(ctx, c, database, text)
		ended <- outcome{said, err}
	}()
	begun := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	over := false
	var end outcome
	for !over && !held {
		select {
		case end = <-ended:
			over = true
		case <-tick.C:
			processes, err := admin.query(ctx, 0, "SHOW PROCESSLIST")
			if err != nil {
				return false, nil, err
			}
			for _, p := range processes {
				if p[0].String == strconv.FormatInt(c.id, 10) && strings.HasPrefix(p[6].String, "Waiting for") {
					held = true
				}
			}
			// The wait for a row's lock has no name in the list.
			held = held || rows && time.Since(begun) > maxHold/6 || time.Since(begun) > maxHold
		}
	}
	if over && end.err != nil {
		return false, nil, end.err
	}
	if err := r.srv.kill(ctx); err != nil {
		return false, nil, fmt.Errorf("killing the server: %w", err)
	}
	if !over {
		if end = <-ended; end.said == nil && end.err == nil {
			held = false // it was faster than the signal
		}
		end.said = nil
	}
	return held, end.said, r.awake(ctx)
}

// lastFirst gives the ORDER BY clause that makes a table's last row the first, "" if its rows have no order.
func lastFirst(t *schema.Table) string {
	id := rowIdentity(t)
	if len(id) == 0 {
		return ""
	}
	parts := make([]string, len(id))
	for i, name := range id {
		parts[i] = quoteName(name) + " DESC"
	}
	return " ORDER BY " + strings.Join(parts, ", ")
}

// changesRows tells whether a statement is one of those that change rows and nothing else.
func changesRows(text string) bool {
	f := strings.Fields(text[:min(len(text), 200)])
	return len(f) > 0 && slices.Contains([]string{"INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "LOAD", "CALL"}, strings.ToUpper(f[0]))
}

// awake waits until the server takes connections again.
func (r *faultRun) awake(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		c, err := r.srv.session(limited, asAdmin, "")
		if err == nil {
			c.close()
			return nil
		}
		select {
		case <-limited.Done():
			return fmt.Errorf("the server does not come back after it was killed: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// leftovers counts the tables that a statement's copy has left in InnoDB's dictionary. They may be removed in the background
// after a start, so they are given two seconds.
func (r *faultRun) leftovers(ctx context.Context, database string) (int, error) {
	c, err := r.srv.session(ctx, asAdmin, "")
	if err != nil {
		return 0, err
	}
	defer c.close()
	c.limit = r.Limit
	from := "INNODB_TABLES"
	if r.srv.Version.MariaDB {
		from = "INNODB_SYS_TABLES"
	}
	for deadline := time.Now().Add(2 * time.Second); ; {
		rows, err := c.query(ctx, 1, "SELECT COUNT(*) FROM information_schema."+from+" WHERE LEFT(name, "+strconv.Itoa(len(database)+1)+") = '"+database+"/' AND (name LIKE '%/#sql%' OR name LIKE '%/@0023sql%')")
		if err != nil {
			return 0, err
		}
		n, err := strconv.Atoi(rows[0][0].String)
		if err != nil || n == 0 || time.Now().After(deadline) {
			return n, err
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// twoMigrators lets two sessions send each step at the same time. One that meets an error stops, as a migrating process does; one
// that waits for a lock of the other falls behind.
func (r *faultRun) twoMigrators(ctx context.Context) error {
	if r.failed != nil {
		return nil // it fails with one
	}
	f := analyzer.Fault{Kind: "two-migrators"}
	database, err := r.build(ctx)
	if err != nil {
		return err
	}
	var two [2]*session
	for i := range two {
		if two[i], err = r.migrator(ctx, database); err != nil {
			return err
		}
		defer two[i].close()
	}
	var said [2]*analyzer.ServerError
	var errs [2]error
	var at, ran [2]int // the step that is refused, and the last one that is not
	var ended [2][]chan struct{}
	for i := range ended {
		for range r.Steps {
			ended[i] = append(ended[i], make(chan struct{}))
		}
	}
	var group sync.WaitGroup
	for i, c := range two {
		group.Go(func() {
			for step, st := range r.Steps {
				if step > 0 {
					select {
					case <-ended[1-i][step-1]:
					case <-time.After(maxHold / 3): // the other waits for a lock of this one
					}
				}
				if said[i] == nil && errs[i] == nil && !r.skips(step+1) {
					if said[i], errs[i] = r.send(ctx, c, database, st.SQL); said[i] != nil {
						at[i] = step + 1
						c.close() // what it holds is free
					}
				}
				if said[i] == nil {
					ran[i] = step + 1
				}
				close(ended[i][step])
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	done := max(ran[0], ran[1])
	if said[0] == nil || said[1] != nil && (at[1] < at[0] || at[1] == at[0] && said[1].Code < said[0].Code) {
		said[0], said[1] = said[1], said[0]
		at[0], at[1] = at[1], at[0]
	}
	switch {
	case said[0] == nil:
		f.What = "two sessions send each step at the same time: neither meets an error"
	case said[1] == nil:
		f.What = fmt.Sprintf("two sessions send each step at the same time: one stops at step %d with %s, the other runs to the end", at[0], errorText(said[0]))
	default:
		f.What = fmt.Sprintf("two sessions send each step at the same time: one stops at step %d with %s, the other at step %d with %s", at[0], errorText(said[0]), at[1], errorText(said[1]))
		first, _ := r.span(min(done+1, len(r.Steps)))
		return r.recover(ctx, database, f, done, first)
	}
	s, err := r.state(ctx, database)
	if err != nil {
		return err
	}
	f.State = r.find(s)
	wrong, err := r.wrong(ctx, database, r.states[len(r.states)-1])
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		f.What += "; the end is not that of one migrator"
		f.ByHand = "mend " + listed(wrong)
	}
	r.add(f)
	return nil
}

// rollback lets old code come back after new code has written.
func (r *faultRun) rollback(ctx context.Context) error {
	if r.Rollback == nil || r.failed != nil {
		return nil
	}
	database, err := r.build(ctx)
	if err != nil {
		return err
	}
	at, said, err := r.run(ctx, database, 1, len(r.Steps))
	if err != nil {
		return err
	}
	f := analyzer.Fault{Kind: "rollback"}
	if said != nil {
		f.State = -1
		f.What = fmt.Sprintf("not tried: step %d fails with %s, which it did not the first time", at, errorText(said))
		r.add(f)
		return nil
	}
	back, err := r.Rollback(ctx, database)
	if err != nil {
		return err
	}
	s, err := r.state(ctx, database)
	if err != nil {
		return err
	}
	f.State = r.find(s)
	f.What = fmt.Sprintf("after new code has written, old code runs again: %d of %d transactions fail, %d give another result", back.Failed, back.Sent, back.ChangedCount)
	if back.Sent == 0 {
		f.What = "after new code has written, old code has nothing to run: not tried"
	}
	var causes []string
	for _, x := range back.Failures {
		causes = append(causes, fmt.Sprintf("error %d on %s (%s)", x.Error.Code, x.Table, gist(x.SQL)))
	}
	for _, x := range back.Changed {
		causes = append(causes, fmt.Sprintf("another result of %s", gist(x.SQL)))
	}
	if len(causes) > 0 {
		f.What += ": " + listed(causes)
	}
	if back.Failed > 0 {
		f.ByHand = "do not go back to old code once the upgrade has run"
	}
	r.add(f)
	return nil
}

// down runs the upgrade and takes it back. Since this is the second run without an accident, it also finds the columns that
// hold something else each time.
func (r *faultRun) down(ctx context.Context) ([]analyzer.Fault, error) {
	f := analyzer.Fault{Kind: "down", State: r.find(r.states[len(r.states)-1])}
	database, err := r.build(ctx)
	if err != nil {
		return nil, err
	}
	deployed, err := r.state(ctx, database)
	if err != nil {
		return nil, err
	}
	before, err := r.rows(ctx, database, deployed)
	if err != nil {
		return nil, err
	}
	at, said, err := r.run(ctx, database, 1, r.ran)
	if err != nil {
		return nil, err
	}
	s, err := r.state(ctx, database)
	if err != nil {
		return nil, err
	}
	if said != nil || len(r.states[r.ran].difference(s)) > 0 {
		what := fmt.Sprintf("the schema after step %d differs in %s", r.ran, listed(r.states[r.ran].difference(s)))
		if said != nil {
			what = fmt.Sprintf("step %d fails with %s", at, errorText(said))
		}
		f.State = -1
		f.What = "not tried: the upgrade does not run alike each time: " + what
		f.ByHand = "find out why the upgrade does not run alike each time"
		return []analyzer.Fault{badFault(f)}, nil
	}
	if err := r.steady(ctx, database, s); err != nil {
		return nil, err
	}
	switch {
	case r.failed != nil:
		return nil, nil // what is left behind is told with the failing step
	case r.Down == nil && r.NoDown != "":
		f.What = "the down migration was not tried: " + r.NoDown
		return []analyzer.Fault{f}, nil
	case r.Down == nil:
		f.What = "there is no down migration"
		f.ByHand = "to go back, write one or restore a backup"
		return []analyzer.Fault{badFault(f)}, nil
	}
	c, err := r.migrator(ctx, database)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var left []string
	for i, st := range r.Down {
		if st.Params {
			left = append(left, fmt.Sprintf("statement %d (%s) was left out: it has values that are known only at run time", i+1, gist(st.SQL)))
			continue
		}
		if said, err = r.send(ctx, c, database, st.SQL); err != nil {
			return nil, err
		}
		if said != nil {
			f.What = fmt.Sprintf("the down migration fails at its statement %d of %d (%s) with %s", i+1, len(r.Down), gist(st.SQL), errorText(said))
			f.ByHand = fmt.Sprintf("run statements %d to %d of the down migration by hand, after what error %d is about was mended", i+1, len(r.Down), said.Code)
			if i+1 == len(r.Down) {
				f.ByHand = fmt.Sprintf("run statement %d of the down migration by hand, after what error %d is about was mended", i+1, said.Code)
			}
			break
		}
	}
	if s, err = r.state(ctx, database); err != nil {
		return nil, err
	}
	f.State = r.find(s)
	if said == nil {
		f.What = "the down migration runs, and the schema is the deployed one again"
		if wrong := deployed.difference(s); len(wrong) > 0 {
			f.What = "the down migration runs, but the schema is not the deployed one again: " + listed(wrong)
			f.ByHand = "change what differs from the deployed schema"
		}
	}
	if len(left) > 0 {
		f.What += "; " + listed(left)
	}
	after, err := r.rows(ctx, database, s)
	if err != nil {
		return nil, err
	}
	pairs, err := r.pairs(ctx, database, before, after, s, faultNames{})
	if err != nil {
		return nil, err
	}
	var l losses
	for _, p := range pairs {
		l.add(p)
	}
	f.Lost = l.lost
	if len(l.unsure) > 0 {
		f.What += "; not compared: " + strings.Join(l.unsure, ", ")
	}
	return []analyzer.Fault{badFault(f)}, nil
}

// steady notes the columns that differ between two upgrades without an accident.
func (r *faultRun) steady(ctx context.Context, database string, s *faultState) error {
	r.unsteady = map[string]bool{}
	rows, err := r.rows(ctx, database, s)
	if err != nil {
		return err
	}
	pairs, err := r.pairs(ctx, database, r.end, rows, s, faultNames{})
	if err != nil {
		return err
	}
	for _, p := range pairs {
		for _, column := range append([]string{""}, p.old.columns...) {
			if len(p.odd(func(other string) bool { return other != column })) > 0 {
				r.unsteady[p.old.table+"."+column] = true
			}
		}
	}
	return nil
}
