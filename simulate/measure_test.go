package simulate

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"instep/analyzer"
	"instep/analyzer/schema"
	"instep/simulate/servertest"
)

// measureSteps measures one statement after the other, as an upgrade does.
type measureSteps struct {
	t        *testing.T
	server   *Server
	database string
	migrator *session
	schema   *schema.Schema
}

func (m *measureSteps) step(sql string, o measureOptions) analyzer.SimulatedStep {
	m.t.Helper()
	st := schema.Statement{SQL: sql}
	after, err := m.schema.Apply(st)
	var refused *schema.Error
	if err != nil && (!errors.As(err, &refused) || refused.Code == 0) {
		m.t.Fatalf("%s: %v", sql, err)
	}
	s, err := measure(m.t.Context(), m.migrator, m.database, m.schema, after, st, o)
	if err != nil {
		m.t.Fatalf("%s: %v", sql, err)
	}
	if s.Error == nil {
		m.schema = after
	}
	m.t.Logf("%s\n%.0f ms, %d rows of %q, work %q, %s %s, row versions %d of %d, error %v\nreader %+v\nwriter %+v", sql, s.Millis, s.Rows, s.Table,
		s.Work, s.Algorithm, s.Lock, s.RowVersions, s.RowVersionLimit, s.Error, s.Reader, s.Writer)
	if s.LockWait != nil {
		m.t.Logf("lock wait %+v %v", *s.LockWait, s.LockWait.Error)
	}
	return s
}

// goroutinesEnd fails the test if more goroutines run than before, after a moment.
func goroutinesEnd(t *testing.T, before int) {
	t.Helper()
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	buf := make([]byte, 1<<16)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
}

func TestMeasure(t *testing.T) {
	measureServers(t, func(t *testing.T, srv *Server) {
		const rows = 20_000
		maria := srv.Version.MariaDB
		database, s := measureDatabase(t, srv, rows)
		m := &measureSteps{t, srv, database, measureSession(t, srv, database), s}
		all := measureOptions{Traffic: true, Probe: true, Rate: 2 * time.Millisecond}
		waiting := all
		waiting.LockWait = time.Second

		check := func(s analyzer.SimulatedStep, work, algorithm, lock string, code int) {
			t.Helper()
			if s.Work != work || s.Algorithm != algorithm || s.Lock != lock {
				t.Errorf("%s: %q %s %s, want %q %s %s", s.Statement.SQL, s.Work, s.Algorithm, s.Lock, work, algorithm, lock)
			}
			if code == 0 && s.Error != nil || code != 0 && (s.Error == nil || s.Error.Code != code) {
				t.Errorf("%s: error %v, want %d", s.Statement.SQL, s.Error, code)
			}
			if s.Millis <= 0 {
				t.Errorf("%s took no time", s.Statement.SQL)
			}
		}
		busy := func(s analyzer.SimulatedStep) {
			t.Helper()
			for _, x := range []analyzer.Traffic{s.Reader, s.Writer} {
				if x.BeforeMillis <= 0 || x.Sent == 0 || x.WorstMillis <= 0 || len(x.Errors) > 0 {
					t.Errorf("%s: traffic %+v", s.Statement.SQL, x)
				}
			}
			if s.Table != "orders" || s.Rows != rows {
				t.Errorf("%s: %d rows of %q, want %d of orders", s.Statement.SQL, s.Rows, s.Table, rows)
			}
		}
		// blocked tells that the writer stood still for as long as the statement ran.
		blocked := func(s analyzer.SimulatedStep) {
			t.Helper()
			if s.Writer.WorstMillis < 0.7*s.Millis-10 {
				t.Errorf("%s: the writer waited %.0f ms at worst of the %.0f that the statement took", s.Statement.SQL, s.Writer.WorstMillis, s.Millis)
			}
		}
		pick := func(mysql, mariadb string) string {
			if maria {
				return mariadb
			}
			return mysql
		}

		one := m.step("ALTER TABLE orders ADD COLUMN extra INT NULL", waiting)
		check(one, "metadata", "INSTANT", "NONE", 0)
		if !maria && (one.RowVersions != 1 || one.RowVersionLimit != 255) || maria && one.RowVersionLimit != 0 {
			t.Errorf("row versions %d of %d", one.RowVersions, one.RowVersionLimit)
		}
		w := one.LockWait
		if w == nil || w.Error == nil || w.Error.Code != 1205 || w.TimeoutSeconds != 1 || w.Millis < 900 || w.Millis > 10_000 || w.ReaderMillis < 200 {
			t.Errorf("lock wait %+v", w)
		}

		s1 := m.step("ALTER TABLE orders ADD INDEX k_email (email)", all)
		busy(s1)
		check(s1, "index", pick("INPLACE", "NOCOPY"), "NONE", 0)

		s2 := m.step("ALTER TABLE orders MODIFY qty BIGINT NOT NULL DEFAULT 1", all)
		busy(s2)
		blocked(s2)
		check(s2, "copy", "COPY", "SHARED", 0)
		if s2.Reader.WorstMillis > s2.Writer.WorstMillis {
			t.Errorf("a COPY held the reader for %.0f ms, the writer for %.0f", s2.Reader.WorstMillis, s2.Writer.WorstMillis)
		}

		s3 := m.step("ALTER TABLE orders MODIFY note VARCHAR(100) NOT NULL", all)
		busy(s3)
		check(s3, "rebuild", "INPLACE", "NONE", 0)

		check(m.step("ALTER TABLE orders ADD UNIQUE u (customer_id)", all), "index", pick("INPLACE", "NOCOPY"), "NONE", 1062)
		check(m.step("ALTER TABLE orders MODIFY hole INT NOT NULL", all), "rebuild", "INPLACE", "NONE", map[bool]int{false: 1138, true: 1265}[maria])

		const fk = "ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (customer_id) REFERENCES customers (id)"
		s4 := m.step(fk, all)
		busy(s4)
		blocked(s4)
		check(s4, "copy", "COPY", "SHARED", 0)
		m.step("ALTER TABLE orders DROP FOREIGN KEY f", measureOptions{})
		// A new child locks its parent too, on MySQL.
		made := m.step("CREATE TABLE child (id INT PRIMARY KEY, c INT, FOREIGN KEY (c) REFERENCES customers (id))", waiting)
		check(made, "", "", "", 0)
		if made.LockWait == nil || (made.LockWait.Error != nil) == maria {
			t.Errorf("lock wait of a new child: %+v", made.LockWait)
		}
		m.step("SET foreign_key_checks = 0", measureOptions{})
		check(m.step(fk, all), "metadata", pick("INPLACE", "INSTANT"), "NONE", 0)

		// A backfill locks the rows that the writer wants.
		s5 := m.step("UPDATE orders SET extra = qty + 1", waiting)
		busy(s5)
		check(s5, "", "", "", 0)
		if s5.LockWait != nil {
			t.Errorf("an UPDATE waits for no metadata lock: %+v", s5.LockWait)
		}
		if s5.Writer.WorstMillis < 4*s5.Reader.WorstMillis && s5.Writer.WorstMillis < s5.Millis/4 {
			t.Errorf("the writer waited %.0f ms at worst beside an UPDATE of all rows that took %.0f", s5.Writer.WorstMillis, s5.Millis)
		}

		check(m.step("CREATE TABLE fresh (id INT PRIMARY KEY)", all), "", "", "", 0)
		check(m.step("CREATE VIEW v AS SELECT id FROM orders", all), "", "", "", 0)
		check(m.step("ALTER TABLE orders ADD COLUMN extra INT", all), "", "", "", 1060)

		last := m.step("RENAME TABLE orders TO bills", waiting)
		check(last, "metadata", "", "", 0)
		if last.LockWait == nil || last.LockWait.Error == nil || last.LockWait.Error.Code != 1205 {
			t.Errorf("lock wait %+v", last.LockWait)
		}
		for _, x := range [][]analyzer.ErrorCount{last.Reader.Errors, last.Writer.Errors} {
			if slices.ContainsFunc(x, func(e analyzer.ErrorCount) bool { return e.Code != 1146 }) {
				t.Errorf("errors of the traffic beside a RENAME: %+v", x)
			}
		}

		// Nothing is left of the clones, and nothing has changed but by the statements.
		c, err := srv.session(t.Context(), asAdmin, "")
		if err != nil {
			t.Fatal(err)
		}
		defer c.close()
		left, err := c.query(t.Context(), 0, "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE '"+srv.Prefix+"clone%'")
		if err != nil || len(left) > 0 {
			t.Error("clones are left:", left, err)
		}
		sum, err := c.query(t.Context(), 0, "SELECT COUNT(*), SUM(extra = 2), SUM(amount), COUNT(DISTINCT email) FROM "+quoteName(database)+".bills")
		if err != nil || sum[0][0].String != "20000" || sum[0][1].String != "20000" || sum[0][2].String != "199990000.00" || sum[0][3].String != "20000" {
			t.Error("rows have changed:", sum, err)
		}
	})
}

// TestMeasureBounds cancels a measurement in the middle, holds up its traffic beyond the statement, and breaks its connection.
func TestMeasureBounds(t *testing.T) {
	measureServers(t, func(t *testing.T, srv *Server) {
		database, s := measureDatabase(t, srv, 2000)
		all := measureOptions{Traffic: true, Probe: true, Rate: time.Millisecond}
		run := func(ctx context.Context, c *session, sql string, o measureOptions) (analyzer.SimulatedStep, error) {
			t.Helper()
			start := time.Now()
			st := schema.Statement{SQL: sql}
			step, err := measure(ctx, c, database, s, s, st, o)
			if took := time.Since(start); took > 60*time.Second {
				t.Errorf("%s took %v", sql, took)
			}
			t.Logf("%s: %v, %+v %v", sql, time.Since(start), step, err)
			return step, err
		}
		// The writer goes on waiting after the statement, because the migration holds its locks.
		holds := measureSession(t, srv, database)
		if err := holds.exec(t.Context(), "SET autocommit = 0"); err != nil {
			t.Fatal(err)
		}
		step, err := run(t.Context(), holds, "UPDATE orders SET qty = 2 WHERE SLEEP(0.0002) = 0", all)
		if err != nil || step.Error != nil || step.Writer.WorstMillis < 900 || len(step.Writer.Errors) > 0 {
			t.Errorf("%+v %v", step, err)
		}
		if err := holds.exec(t.Context(), "ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		// A table that is locked cannot even be looked at.
		locks := measureSession(t, srv, database)
		if err := locks.exec(t.Context(), "LOCK TABLES orders WRITE"); err != nil {
			t.Fatal(err)
		}
		step, err = run(t.Context(), locks, "ALTER TABLE orders ADD COLUMN c INT", all)
		if err != nil || step.Error != nil || step.Millis <= 0 {
			t.Errorf("%+v %v", step, err)
		}
		locks.close()
		// The statement is too long for the session.
		slow := measureSession(t, srv, database)
		slow.limit = 300 * time.Millisecond
		step, err = run(t.Context(), slow, "UPDATE orders SET qty = 1 + SLEEP(2)", measureOptions{Traffic: true})
		if err != nil || step.Error == nil || step.Error.Code != 0 {
			t.Errorf("%+v %v", step, err)
		}
		for _, after := range []time.Duration{0, 30 * time.Millisecond, 150 * time.Millisecond, 700 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			c := measureSession(t, srv, database)
			o := all
			o.LockWait = 2 * time.Second
			if _, err := run(ctx, c, "ALTER TABLE orders MODIFY amount BIGINT NOT NULL", o); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("cancelled after %v: %v", after, err)
			}
			cancel()
		}
	})
}

// TestMeasureEnds looks for goroutines that go on. It shares the process with nothing.
func TestMeasureEnds(t *testing.T) {
	srv := testServer(t, servertest.MariaDB(t))
	database, s := measureDatabase(t, srv, 200)
	c := measureSession(t, srv, database)
	before := runtime.NumGoroutine()
	for _, limit := range []time.Duration{time.Minute, 100 * time.Millisecond, 10 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		// What comes of it is not the point here.
		measure(ctx, c, database, s, s, schema.Statement{SQL: "ALTER TABLE orders ENGINE=InnoDB"}, measureOptions{Traffic: true, Probe: true, LockWait: time.Second})
		cancel()
	}
	goroutinesEnd(t, before)
}
