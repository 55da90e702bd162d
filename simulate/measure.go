package simulate

import (
	"context"
	"slices"
	"strconv"
	"time"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// measureOptions say what is measured of a step besides its duration. The zero value only runs it.
type measureOptions struct {
	Traffic  bool          // run a reader and a writer beside it
	Rate     time.Duration // of each of them; 0 takes a default
	Probe    bool          // find out on a clone what the server does and which algorithms it accepts
	LockWait time.Duration // the lock_wait_timeout behind an idle transaction, in whole seconds; 0: it is not tried
}

// maxCounted is the number of rows, by the dictionary's estimate, up to which they are counted.
const maxCounted = 5_000_000

// measure runs one pending statement on the loaded database and tells what it was like. migrator is a guest's session with the
// variables that earlier statements have set; it is used for the statement, and to read those variables. before and after are the
// schemas around the statement, nil where they are not known.
//
// What the server says to the statement is in the step. An error is none of the server's: the run was cancelled, or the server
// is gone. What cannot be measured, such as the algorithm on a server without InnoDB's dictionary, is left empty.
//
// Not handled: a statement that names its table with the database, which is neither probed nor accompanied; statements inside of
// CALL, PREPARE and EXECUTE; the second and later tables of a DROP TABLE or RENAME TABLE have no traffic.
func measure(ctx context.Context, migrator *session, database string, before, after *schema.Schema, st schema.Statement, o measureOptions) (analyzer.SimulatedStep, error) {
	step := analyzer.SimulatedStep{Statement: st}
	server := migrator.server
	admin, err := server.session(ctx, asAdmin, "")
	if err != nil {
		return step, err
	}
	defer admin.close()
	admin.limit = auxLimit
	m := measurement{server: server, admin: admin, database: database, migrator: migrator, before: before, after: after, o: o}
	defer m.close()
	if err := m.look(ctx, st); err != nil {
		return step, err
	}
	step.Table = m.table
	if len(m.tables) > 0 {
		step.Rows = countRows(ctx, server, database, m.tables[0].name)
	}
	var p probe
	if (o.Probe || o.LockWait > 0) && !m.text.qualified {
		if p, step.LockWait, err = m.probe(ctx); err != nil {
			return step, err
		}
	}
	var was innodbDictionary
	known := false
	if o.Probe && m.probed() {
		was, err = readDictionary(ctx, admin, server.Version, database)
		known = err == nil
	}
	var x *traffic
	if o.Traffic && len(m.tables) > 0 && !m.text.qualified {
		if x, err = startTraffic(ctx, server, database, m.tables[0], before, after, o.Rate); err != nil {
			return step, err
		}
	}
	if x != nil {
		x.begin()
	}
	start := time.Now()
	err = migrator.exec(ctx, st.SQL)
	step.Millis = float64(time.Since(start)) / float64(time.Millisecond)
	if x != nil {
		step.Reader, step.Writer = x.end()
	}
	if ctx.Err() != nil {
		return step, context.Cause(ctx)
	}
	if err != nil {
		var ok bool
		if step.Error, ok = serverError(err); !ok {
			return step, err
		}
	}
	step.Work, step.Algorithm, step.Lock = p.work, p.algorithm, p.lock
	if !o.Probe || !m.probed() {
		return step, nil
	}
	is, err := readDictionary(ctx, admin, server.Version, database)
	if err != nil {
		return step, nil
	}
	if name := m.nameAfter(); rowVersionLimit(server.Version) > 0 {
		step.RowVersions, step.RowVersionLimit = is.versions(name), rowVersionLimit(server.Version)
	}
	// What it really did to a table with rows is better than what it did to the clone, which has all row versions left.
	if known && step.Error == nil && step.Rows > 0 {
		if work := workDone(was, is); work != "" {
			step.Work = work
			if work == "rebuild" && (p.algorithm == "COPY" || m.text.copies) {
				step.Work = "copy"
			}
		}
	}
	return step, nil
}

// A measurement is what is known of a step before it runs.
type measurement struct {
	server          *Server
	admin, migrator *session
	fresh           *session // a guest's, that is made like the migrator's for the probe
	database        string
	before, after   *schema.Schema
	o               measureOptions

	text   stepText
	set    []string       // the migrator's settings
	table  string         // SimulatedStep.Table
	tables []*loadedTable // that exist, of those that the statement is about
}

func (m *measurement) close() {
	if m.fresh != nil {
		m.fresh.close()
	}
}

// look reads the statement and the tables that it is about.
func (m *measurement) look(ctx context.Context, st schema.Statement) (err error) {
	if m.fresh, err = m.server.session(ctx, asGuest, m.database); err != nil {
		return err
	}
	m.fresh.limit = auxLimit
	var mode string
	if m.set, mode, err = probeSettings(ctx, m.fresh, m.migrator); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if m.before != nil {
			mode = m.before.SQLMode()
		}
	}
	m.text = readStep(st.SQL, textModeOf(mode), m.server.Version)
	names := slices.Clone(m.text.tables)
	if m.text.qualified {
		names = nil
	}
	if m.text.verb == "" && m.before != nil && m.after != nil {
		// A text that says nothing by itself, such as DROP TRIGGER.
		for _, c := range schema.Diff(m.before, m.after) {
			if o := c.Object(); o.Table != "" && o.Kind != schema.KindView {
				names = append(names, o.Table)
			}
		}
		slices.Sort(names)
		names = slices.Compact(names)
	}
	if len(names) == 1 {
		m.table = names[0]
	}
	// Without the tables the step is still run.
	m.tables, _ = readTables(ctx, m.admin, m.database, names)
	return context.Cause(ctx)
}

// probed tells whether the statement changes a table that exists, so that the server's dictionary tells what it did.
func (m *measurement) probed() bool {
	if m.text.qualified || len(m.tables) == 0 {
		return false
	}
	switch m.text.verb {
	case "alter table", "create index", "drop index", "rename table":
		return true
	}
	return false
}

// waits tells whether the statement needs an exclusive metadata lock on a table that exists: not DML, which shares it.
func (m *measurement) waits() bool {
	switch m.text.verb {
	case "alter table", "create index", "drop index", "rename table", "drop table", "truncate", "create trigger", "optimize":
		return len(m.tables) > 0
	case "create table":
		return len(m.text.refs) > 0 // it locks the parents
	}
	return false
}

// probe runs the statement on clones. Errors of the server there leave the result empty.
func (m *measurement) probe(ctx context.Context) (p probe, w *analyzer.LockWait, err error) {
	probing, waiting := m.o.Probe && m.probed(), m.o.LockWait > 0 && m.waits()
	if !probing && !waiting {
		return p, nil, nil
	}
	// Whatever goes wrong here leaves the result empty; a server that is gone shows when the statement is run.
	ours := func(error) error { return context.Cause(ctx) }
	cl, err := newCloner(ctx, m.server, m.admin, m.database, m.text, m.before, m.after)
	if err != nil || cl == nil {
		return p, nil, ours(err)
	}
	defer cl.close(ctx)
	cl.set = m.set
	clone, err := cl.make(ctx)
	if err != nil {
		return p, nil, ours(err)
	}
	if waiting {
		// The tables of the statement; of a CREATE TABLE, the parents.
		var names []string
		for _, t := range m.tables {
			names = append(names, t.name)
		}
		if len(names) == 0 {
			names = append(names, cl.tables[0].name)
		}
		var went bool
		w, went, err = lockWait(ctx, m.server, m.admin, clone, names, m.set, m.text.sql, m.o.LockWait)
		if err = ours(err); err != nil {
			return p, nil, err
		}
		if went && probing {
			if clone, err = cl.make(ctx); err != nil {
				return p, w, ours(err)
			}
		}
	}
	if !probing || cl.tables[0].name != m.tables[0].name {
		return p, w, nil
	}
	for _, item := range m.set {
		if err := m.fresh.exec(ctx, "SET "+item); err != nil {
			return p, w, ours(err)
		}
	}
	used := false
	if limit := rowVersionLimit(m.server.Version); limit > 0 {
		if d, err := readDictionary(ctx, m.admin, m.server.Version, m.database); err == nil {
			used = d.versions(m.tables[0].name) >= limit
		}
	}
	p, err = cl.run(ctx, m.fresh, clone, m.text, used)
	return p, w, ours(err)
}

// nameAfter gives the name that the first table has after the statement.
func (m *measurement) nameAfter() string {
	name := m.tables[0].name
	if m.before == nil || m.after == nil || m.before.Table(name) == nil {
		return name
	}
	if t := counterpart(m.after, m.before.Table(name)); t != nil {
		return t.Name
	}
	return name
}

// countRows counts the rows of a table, or gives the dictionary's estimate where they are many or cannot be counted in time. 0 is
// also what cannot be read at all.
func countRows(ctx context.Context, server *Server, database, table string) (n int64) {
	c, err := server.session(ctx, asAdmin, "") // a count that takes too long costs the session
	if err != nil {
		return 0
	}
	defer c.close()
	c.limit = auxLimit
	// MySQL remembers estimates for a day. MariaDB does not know the variable.
	c.exec(ctx, "SET SESSION information_schema_stats_expiry = 0")
	c.exec(ctx, "SET SESSION lock_wait_timeout = 1")
	for _, q := range []string{
		"SELECT table_rows FROM information_schema.tables WHERE table_schema = " + textLiteral(database) + " AND table_name = " + textLiteral(table),
		"SELECT COUNT(*) FROM " + quoteName(database) + "." + quoteName(table),
	} {
		rows, err := c.query(ctx, 1, q)
		if err != nil || len(rows) == 0 {
			return n
		}
		n, _ = strconv.ParseInt(rows[0][0].String, 10, 64)
		if n > maxCounted {
			return n
		}
	}
	return n
}
