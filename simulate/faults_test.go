package simulate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"instep/analyzer"
	"instep/analyzer/schema"
	"instep/simulate/servertest"
)

// faultServers run a test on both flavours.
func faultServers(t *testing.T, f func(t *testing.T, srv *Server)) {
	for _, tt := range []struct {
		name  string
		start func(testing.TB) *servertest.Server
	}{{"mysql", servertest.MySQL}, {"mariadb", servertest.MariaDB}} {
		t.Run(tt.name, func(t *testing.T) { f(t, testServer(t, tt.start(t))) })
	}
}

// faultUsers is a deployed schema with rows in which each value is different and one is NULL.
const faultUsers = `
	CREATE TABLE users (id int PRIMARY KEY AUTO_INCREMENT, name varchar(40) NOT NULL, n int, nick varchar(20));
	CREATE TABLE logs (text varchar(20));
	INSERT INTO users (name, n, nick) VALUES ('ann', 1, 'a'), ('bob', 2, NULL), ('eve', 3, 'ñ'), ('joe', 4, 'd');
	INSERT INTO logs VALUES ('x'), ('x'), ('y')`

// faultCase makes an input of SQL texts. A line "-- NAME" in steps begins a migration.
func faultCase(t *testing.T, srv *Server, deployed, steps, down string) faultInput {
	t.Helper()
	in := faultInput{Name: "fault", Limit: 20 * time.Second}
	s := schema.New(srv.Version)
	made, gaps := schema.Split("deployed.sql", deployed)
	if len(gaps) > 0 {
		t.Fatal(gaps)
	}
	for _, st := range made {
		if changesRows(st.SQL) {
			continue
		}
		next, err := s.Apply(st)
		if err != nil {
			t.Fatal(err)
		}
		s = next
	}
	in.States = append(in.States, s)
	for part := range strings.SplitSeq("\n"+steps, "\n-- ") {
		id, text, _ := strings.Cut(part, "\n")
		sts, _ := schema.Split(id, text)
		for _, st := range sts {
			st.Migration = id
			if next, err := s.Apply(st); err == nil {
				s = next
			} else if !changesRows(st.SQL) {
				t.Fatal(err)
			}
			in.Steps = append(in.Steps, st)
			in.States = append(in.States, s)
		}
	}
	in.Down, _ = schema.Split("down.sql", down)
	in.Build = func(ctx context.Context, name string) (string, error) {
		database, err := srv.createDatabase(ctx, name, "utf8mb4", "")
		if err != nil {
			return "", err
		}
		c, err := srv.session(ctx, asGuest, database)
		if err != nil {
			return "", err
		}
		defer c.close()
		for _, st := range made {
			if err := c.exec(ctx, st.SQL); err != nil {
				return "", fmt.Errorf("%s: %w", st.SQL, err)
			}
		}
		return database, nil
	}
	return in
}

// faultText gives faults as lines, so that a test shows all of them.
func faultText(found []analyzer.Fault) string {
	var b strings.Builder
	for _, f := range found {
		fmt.Fprintf(&b, "%s %d state %d", f.Kind, f.Step, f.State)
		if f.Bad {
			b.WriteString(" bad")
		}
		b.WriteString(": " + f.What + "\n")
		if f.Rerun != nil {
			fmt.Fprintf(&b, "  re-run: %d\n", f.Rerun.Code)
		}
		if f.ByHand != "" {
			b.WriteString("  by hand: " + f.ByHand + "\n")
		}
		for _, l := range f.Lost {
			b.WriteString("  lost: " + l + "\n")
		}
	}
	return b.String()
}

// checkFaults runs faults and compares what it finds.
func checkFaults(t *testing.T, srv *Server, in faultInput, want string) []analyzer.Fault {
	t.Helper()
	found, err := faults(context.Background(), srv, in, Progress{})
	if err != nil {
		t.Fatal(err)
	}
	got := faultText(found)
	if want = strings.ReplaceAll(strings.Trim(want, "\n"), "\t", "") + "\n"; got != want {
		t.Errorf("faults:\n%s\nwant:\n%s", got, want)
	}
	for _, f := range found {
		if f.Rerun != nil && strings.Contains(f.Rerun.Message, srv.Prefix) || strings.Contains(fmt.Sprint(f), srv.Prefix) {
			t.Errorf("a name that is made at random: %+v", f)
		}
	}
	c, err := srv.session(context.Background(), asAdmin, "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	left, err := c.query(context.Background(), 0, "SELECT 1 FROM information_schema.schemata WHERE schema_name LIKE '"+srv.Prefix+"%'")
	if err != nil || len(left) > 0 {
		t.Errorf("%d databases are left, %v", len(left), err)
	}
	return found
}

// A migration of two statements can neither be run again nor by two at once.
func TestFaultsAddColumns(t *testing.T) {
	faultServers(t, func(t *testing.T, srv *Server) {
		in := faultCase(t, srv, faultUsers, `-- 0042
ALTER TABLE users ADD COLUMN a int;
ALTER TABLE users ADD COLUMN b int;
-- 0043
ALTER TABLE users ADD COLUMN c int`, `ALTER TABLE users DROP COLUMN c; ALTER TABLE users DROP COLUMN b, DROP COLUMN a`)
		found := checkFaults(t, srv, in, `
stopped 1 state 1 bad: the migrator stops after step 1, inside migration 0042 (steps 1 and 2); a re-run from step 1 fails at step 1
  re-run: 1060
  by hand: run step 2 of migration 0042 by hand, then mark migration 0042 as applied, then run the upgrade again
stopped 2 state 2: the migrator stops after step 2, the end of migration 0042; a re-run from step 3 succeeds
two-migrators 0 state 3: two sessions send each step at the same time: one stops at step 1 with error 1060 (Duplicate column name 'a'), the other runs to the end
down 0 state 0: the down migration runs, and the schema is the deployed one again`)
		if !found[0].Retried || !found[1].Retried {
			t.Error("a re-run was not tried")
		}
	})
}

// IF NOT EXISTS makes a migration one that can be run again, and by two.
func TestFaultsIdempotent(t *testing.T) {
	srv := testServer(t, servertest.MariaDB(t))
	in := faultCase(t, srv, faultUsers, `-- 0042
ALTER TABLE users ADD COLUMN IF NOT EXISTS a int;
CREATE TABLE IF NOT EXISTS more (id int PRIMARY KEY);
ALTER TABLE users ADD INDEX IF NOT EXISTS i (a)`, "")
	in.Down, in.NoDown = nil, "downgrade() calls what could not be read"
	checkFaults(t, srv, in, `
stopped 1 state 1: the migrator stops after step 1, inside migration 0042 (steps 1 to 3); a re-run from step 1 succeeds
stopped 2 state 2: the migrator stops after step 2, inside migration 0042 (steps 1 to 3); a re-run from step 1 succeeds
two-migrators 0 state 3: two sessions send each step at the same time: neither meets an error
down 0 state 3: the down migration was not tried: downgrade() calls what could not be read`)
}

// A dropped column comes back without its values, and in another place.
func TestFaultsDown(t *testing.T) {
	faultServers(t, func(t *testing.T, srv *Server) {
		for _, tt := range []struct{ name, steps, down, want string }{
			{"values", "-- 1\nALTER TABLE users DROP COLUMN nick", "ALTER TABLE users ADD COLUMN nick varchar(20)", `
two-migrators 0 state 1: two sessions send each step at the same time: one stops at step 1 with error 1091 (NICK), the other runs to the end
down 0 state 0 bad: the down migration runs, and the schema is the deployed one again
  lost: users.nick: 3 of 3 values lost
lost 1 state 1 bad: step 1 (ALTER TABLE users DROP COLUMN nick) loses data
  lost: users.nick: dropped with 3 values`},
			{"order", "-- 1\nALTER TABLE users ADD COLUMN a int", "ALTER TABLE users DROP COLUMN a, DROP COLUMN n; ALTER TABLE users ADD COLUMN n int", `
two-migrators 0 state 1: two sessions send each step at the same time: one stops at step 1 with error 1060 (Duplicate column name 'a'), the other runs to the end
down 0 state -1 bad: the down migration runs, but the schema is not the deployed one again: users: columns in another order
  by hand: change what differs from the deployed schema
  lost: users.n: 4 of 4 values lost`},
			{"error", "-- 1\nALTER TABLE users ADD COLUMN a int", "ALTER TABLE users DROP COLUMN a; ALTER TABLE users DROP COLUMN b; DROP TABLE logs", `
two-migrators 0 state 1: two sessions send each step at the same time: one stops at step 1 with error 1060 (Duplicate column name 'a'), the other runs to the end
down 0 state 0 bad: the down migration fails at its statement 2 of 3 (ALTER TABLE users DROP COLUMN b) with error 1091 (B)
  by hand: run statements 2 to 3 of the down migration by hand, after what error 1091 is about was mended`},
			{"none", "-- 1\nALTER TABLE users ADD COLUMN a int", "", `
two-migrators 0 state 1: two sessions send each step at the same time: one stops at step 1 with error 1060 (Duplicate column name 'a'), the other runs to the end
down 0 state 1 bad: there is no down migration
  by hand: to go back, write one or restore a backup`},
		} {
			t.Run(tt.name, func(t *testing.T) {
				nick, b := "Can't DROP 'nick'; check that column/key exists", "Can't DROP 'b'; check that column/key exists"
				if srv.Version.MariaDB {
					nick, b = "Can't DROP COLUMN `nick`; check that it exists", "Can't DROP COLUMN `b`; check that it exists"
				}
				want := strings.NewReplacer("NICK", nick, "(B)", "("+b+")").Replace(tt.want)
				checkFaults(t, srv, faultCase(t, srv, faultUsers, tt.steps, tt.down), want)
			})
		}
	})
}

// A statement that counts up runs again without an error, and the rows show it.
func TestFaultsTwice(t *testing.T) {
	faultServers(t, func(t *testing.T, srv *Server) {
		in := faultCase(t, srv, faultUsers, `-- 7
UPDATE users SET n = n + 10;
INSERT INTO logs VALUES (uuid_short() % 7);
CREATE TABLE more (id int PRIMARY KEY, at datetime(6), b varchar(40));
INSERT INTO more VALUES (1, now(6), uuid())`, "DROP TABLE more")
		checkFaults(t, srv, in, `
stopped 1 state 0 bad: the migrator stops after step 1, inside migration 7 (steps 1 to 4); a re-run from step 1 ends without an error, but not as an upgrade without an accident
  by hand: mend users.n differs in 4 of 4 rows
stopped 2 state 0 bad: the migrator stops after step 2, inside migration 7 (steps 1 to 4); a re-run from step 1 ends without an error, but not as an upgrade without an accident
  by hand: mend logs has 5 rows instead of 4; users.n differs in 4 of 4 rows
stopped 3 state 3 bad: the migrator stops after step 3, inside migration 7 (steps 1 to 4); a re-run from step 1 fails at step 3
  re-run: 1050
  by hand: run step 4 of migration 7 by hand, then mark migration 7 as applied, then mend logs has 5 rows instead of 4; users.n differs in 4 of 4 rows
two-migrators 0 state 3 bad: two sessions send each step at the same time: one stops at step 3 with error 1050 (Table 'more' already exists), the other runs to the end; the end is not that of one migrator
  by hand: mend logs has 5 rows instead of 4; users.n differs in 4 of 4 rows
down 0 state 0 bad: the down migration runs, and the schema is the deployed one again
  lost: users.n: 4 of 4 values changed
lost 1 state 0 bad: step 1 (UPDATE users SET n = n + 10) loses data
  lost: users.n: 4 of 4 values changed`)
	})
}

// What SET has set is gone with the session, so that a person has to send it again.
func TestFaultsSession(t *testing.T) {
	faultServers(t, func(t *testing.T, srv *Server) {
		in := faultCase(t, srv, `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int);
			INSERT INTO b VALUES (1, 9)`, `-- 1
SET foreign_key_checks=0;
ALTER TABLE a ADD COLUMN x int;
ALTER TABLE b ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES a (id)`, "")
		in.NoDown = "not asked for"
		in.Down = nil
		checkFaults(t, srv, in, `
stopped 1 state 0: the migrator stops after step 1, inside migration 1 (steps 1 to 3); a re-run from step 1 succeeds
stopped 2 state 2 bad: the migrator stops after step 2, inside migration 1 (steps 1 to 3); a re-run from step 1 fails at step 2
  re-run: 1060
  by hand: run step 3 of migration 1 by hand, in one session with SET of step 1 before, then mark migration 1 as applied
two-migrators 0 state 3: two sessions send each step at the same time: one stops at step 2 with error 1060 (Duplicate column name 'x'), the other runs to the end
down 0 state 3: the down migration was not tried: not asked for`)
	})
}

// An upgrade that fails on the rows leaves its first steps behind.
func TestFaultsFailing(t *testing.T) {
	faultServers(t, func(t *testing.T, srv *Server) {
		for _, tt := range []struct{ name, steps, want string }{
			{"inside", `-- 1
ALTER TABLE users ADD COLUMN a int;
ALTER TABLE logs ADD UNIQUE KEY u (text);
ALTER TABLE users ADD COLUMN b int`, `
stopped 1 state 1 bad: step 2 (ALTER TABLE logs ADD UNIQUE KEY u (text)) fails with error 1062 (KEY), inside migration 1 (steps 1 to 3); a re-run from step 1 fails at step 1
  re-run: 1060
  by hand: mend what step 2 fails at (error 1062), then run steps 2 and 3 of migration 1 by hand, then mark migration 1 as applied`},
			{"first", "-- 1\nALTER TABLE logs ADD UNIQUE KEY u (text)", `
stopped 0 state 0 bad: step 1 (ALTER TABLE logs ADD UNIQUE KEY u (text)) fails with error 1062 (KEY); a re-run from step 1 fails at step 1
  re-run: 1062
  by hand: mend what step 1 fails at (error 1062), then run the upgrade again`},
		} {
			t.Run(tt.name, func(t *testing.T) {
				key := "Duplicate entry 'x' for key 'u'"
				if !srv.Version.MariaDB {
					key = "Duplicate entry 'x' for key 'logs.u'"
				}
				checkFaults(t, srv, faultCase(t, srv, faultUsers, tt.steps, ""), strings.ReplaceAll(tt.want, "KEY)", key+")"))
			})
		}
	})
}

// Each step is asked which data it loses: a column is followed through renames and conversions.
func TestFaultsLost(t *testing.T) {
	faultServers(t, func(t *testing.T, srv *Server) {
		deployed := `
			CREATE TABLE t (id int PRIMARY KEY, l varchar(20) CHARACTER SET latin1, d decimal(6,2), day date, at datetime, e enum('a','b'),
				f float, b varbinary(9), bits bit(5), g int AS (id + 1) VIRTUAL, z int(5) zerofill, big varchar(20), p point) DEFAULT CHARSET utf8mb4;
			CREATE TABLE gone (id int PRIMARY KEY);
			CREATE TABLE vacant (id int PRIMARY KEY);
			INSERT INTO gone VALUES (1), (2);
			INSERT INTO t (id, l, d, day, at, e, f, b, bits, z, big, p) VALUES
				(1, 'é', 1.5, '2020-02-29', '2020-02-29 00:00:00', 'a', 0.1, 'x', b'101', 7, 'aaaa', ST_GeomFromText('POINT(1 2)')),
				(2, NULL, 1.55, '2020-03-01', '2020-02-29 11:12:13', 'b', 16777217, x'00ff', b'0', 8, 'bb', NULL),
				(3, 'x', NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, 'cccc', NULL)`
		in := faultCase(t, srv, deployed, `-- widen
ALTER TABLE t MODIFY l varchar(30) CHARACTER SET utf8mb4, MODIFY d decimal(10,4), MODIFY day datetime(3), MODIFY at datetime(6), MODIFY e varchar(9),
	MODIFY f double, MODIFY b longblob, MODIFY bits bit(9), MODIFY z bigint;
ALTER TABLE t CHANGE l latin varchar(30) CHARACTER SET utf8mb4;
ALTER TABLE t RENAME TO u;
ALTER TABLE u DROP PRIMARY KEY, ADD UNIQUE KEY (id);
ALTER TABLE u ADD COLUMN copy varchar(20);
UPDATE u SET copy = big;
ALTER TABLE u DROP COLUMN big;
UPDATE u SET latin = 'filled' WHERE latin IS NULL;
-- lose
ALTER TABLE u MODIFY d decimal(10,1);
UPDATE u SET copy = NULL WHERE id = 2;
ALTER TABLE u DROP COLUMN latin, ADD COLUMN latin varchar(30);
DELETE FROM u WHERE id = 1;
TRUNCATE TABLE u;
DROP TABLE gone, vacant`, "")
		found, err := (&faultRun{faultInput: in, srv: srv}).reference(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := `lost 7 state 7: step 7 (ALTER TABLE u DROP COLUMN big) loses no data; u.big: dropped, its values are in u.copy
lost 9 state 9 bad: step 9 (ALTER TABLE u MODIFY d decimal(10,1)) loses data
  lost: u.d: 1 of 2 values changed
lost 10 state 9 bad: step 10 (UPDATE u SET copy = NULL WHERE id = 2) loses data
  lost: u.copy: 1 of 3 values changed
lost 11 state 11 bad: step 11 (ALTER TABLE u DROP COLUMN latin, ADD COLUMN latin varchar(30…) loses data
  lost: u.latin: dropped with 3 values
lost 12 state 11 bad: step 12 (DELETE FROM u WHERE id = 1) loses data
  lost: u: 1 of 3 rows is gone
lost 13 state 11 bad: step 13 (TRUNCATE TABLE u) loses data
  lost: u: 2 of 2 rows are gone
lost 14 state 14 bad: step 14 (DROP TABLE gone, vacant) loses data
  lost: gone: dropped with 2 rows
`
		if got := faultText(found); got != want {
			t.Errorf("faults:\n%s\nwant:\n%s", got, want)
		}
	})
}

// A table with many rows is compared by sums, which see values that change places.
func TestFaultsManyRows(t *testing.T) {
	faultServers(t, func(t *testing.T, srv *Server) {
		in := faultCase(t, srv, `CREATE TABLE t (id int PRIMARY KEY, a int, b int, c int);
			INSERT INTO t WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i, i % 2, i, i FROM n;
			INSERT INTO t VALUES (1001, 1, 2, 3)`, `-- 1
ALTER TABLE t MODIFY a bigint, RENAME COLUMN b TO d;
UPDATE t SET a = 1 - a WHERE id < 3;
DELETE FROM t WHERE id > 1000;
ALTER TABLE t DROP COLUMN d`, "ALTER TABLE t MODIFY a int, ADD COLUMN b int AFTER a")
		found, err := faults(context.Background(), srv, in, Progress{})
		if err != nil {
			t.Fatal(err)
		}
		want := `down 0 state 0 bad: the down migration runs, and the schema is the deployed one again; not compared: t
  lost: t: 1 of 1001 rows is gone
lost 2 state 1 bad: step 2 (UPDATE t SET a = 1 - a WHERE id < 3) loses data
  lost: t.a: values changed in 1001 rows or fewer
lost 3 state 1 bad: step 3 (DELETE FROM t WHERE id > 1000) loses data; not compared: t
  lost: t: 1 of 1001 rows is gone
lost 4 state 4 bad: step 4 (ALTER TABLE t DROP COLUMN d) loses data
  lost: t.d: dropped with 1000 values
`
		if got := faultText(found[len(found)-min(len(found), 4):]); got != want {
			t.Errorf("faults:\n%s\nwant:\n%s", got, want)
		}
	})
}

// Tables that cannot be read or that are not what they seem end nothing.
func TestFaultsOddTables(t *testing.T) {
	srv := testServer(t, servertest.MariaDB(t))
	in := faultCase(t, srv, `CREATE TABLE t (id int PRIMARY KEY, a int) WITH SYSTEM VERSIONING;
		CREATE SEQUENCE s;
		INSERT INTO t VALUES (1, 2)`, `-- 1
CREATE TABLE u (id int PRIMARY KEY);
DROP SEQUENCE s`, "")
	in.Down, in.NoDown = nil, "none"
	checkFaults(t, srv, in, `
stopped 1 state 1 bad: the migrator stops after step 1, inside migration 1 (steps 1 and 2); a re-run from step 1 fails at step 1
  re-run: 1050
  by hand: run step 2 of migration 1 by hand, then mark migration 1 as applied
two-migrators 0 state 2: two sessions send each step at the same time: one stops at step 1 with error 1050 (Table 'u' already exists), the other runs to the end
down 0 state 2: the down migration was not tried: none
lost 2 state 2 bad: step 2 (DROP SEQUENCE s) loses data
  lost: s: dropped with 1 row`)

	database, err := in.Build(t.Context(), "odd")
	if err != nil {
		t.Fatal(err)
	}
	r := &faultRun{faultInput: in, srv: srv}
	s, err := r.state(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	old, err := r.rows(t.Context(), database, s)
	if err != nil {
		t.Fatal(err)
	}
	c, err := srv.session(t.Context(), asAdmin, database)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := c.exec(t.Context(), "DROP TABLE t"); err != nil {
		t.Fatal(err)
	}
	new, err := r.rows(t.Context(), database, s) // it thinks that there is a table
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := r.pairs(t.Context(), database, old, new, s, faultNames{})
	if err != nil {
		t.Fatal(err)
	}
	var l losses
	for _, p := range pairs {
		l.add(p)
	}
	if !slices.Equal(l.unsure, []string{"t"}) || len(l.lost) > 0 {
		t.Errorf("of a table that cannot be read: %+v", l)
	}
}

// What stands beside tables belongs to a state too.
func TestFaultsBeside(t *testing.T) {
	faultServers(t, func(t *testing.T, srv *Server) {
		in := faultCase(t, srv, faultUsers, `-- 1
CREATE TRIGGER g BEFORE INSERT ON users FOR EACH ROW SET NEW.n = 1;
CREATE VIEW v AS SELECT id, name FROM users;
CREATE PROCEDURE p() SELECT 1`, "DROP TRIGGER g; DROP VIEW v")
		trigger := "Trigger already exists"
		if srv.Version.MariaDB {
			trigger = "Trigger 'g' already exists"
		}
		c, err := srv.session(t.Context(), asAdmin, "")
		if err != nil {
			t.Fatal(err)
		}
		defer c.close()
		if err := c.exec(t.Context(), "SET GLOBAL log_bin_trust_function_creators=1"); err != nil { // as the engines do
			t.Fatal(err)
		}
		checkFaults(t, srv, in, strings.ReplaceAll(`
stopped 1 state 1 bad: the migrator stops after step 1, inside migration 1 (steps 1 to 3); a re-run from step 1 fails at step 1
  re-run: 1359
  by hand: run steps 2 and 3 of migration 1 by hand, then mark migration 1 as applied
stopped 2 state 2 bad: the migrator stops after step 2, inside migration 1 (steps 1 to 3); a re-run from step 1 fails at step 1
  re-run: 1359
  by hand: run step 3 of migration 1 by hand, then mark migration 1 as applied
two-migrators 0 state 3: two sessions send each step at the same time: one stops at step 1 with error 1359 (TRIGGER already exists), the other runs to the end
down 0 state -1 bad: the down migration runs, but the schema is not the deployed one again: procedure p: added
  by hand: change what differs from the deployed schema`, "TRIGGER already exists", trigger))
	})
}

// A second migrator waits for the transaction of the first, and then does everything again.
func TestFaultsTwoTransactions(t *testing.T) {
	faultServers(t, func(t *testing.T, srv *Server) {
		in := faultCase(t, srv, faultUsers, `-- 1
START TRANSACTION;
UPDATE users SET n = n + 10;
INSERT INTO logs VALUES ('z');
COMMIT`, "")
		r := &faultRun{faultInput: in, srv: srv}
		if _, err := r.reference(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.twoMigrators(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := `two-migrators 0 state 0 bad: two sessions send each step at the same time: neither meets an error; the end is not that of one migrator
  by hand: mend logs has 5 rows instead of 4; users.n differs in 4 of 4 rows
`
		if got := faultText(r.found); got != want {
			t.Errorf("faults:\n%s\nwant:\n%s", got, want)
		}
	})
}

// The accidents of a long upgrade are bounded, those of an endless statement too, and old code that comes back is reported.
func TestFaultsBounds(t *testing.T) {
	srv := testServer(t, servertest.MariaDB(t))
	var steps []string
	for i := range 14 {
		steps = append(steps, fmt.Sprintf("-- %d\nALTER TABLE users ADD COLUMN c%d int;", i, i))
	}
	in := faultCase(t, srv, faultUsers, strings.Join(steps, "\n"), "")
	in.Down, in.NoDown = nil, "none"
	in.Kill = true
	in.Rollback = func(ctx context.Context, database string) (rolledBack, error) {
		return rolledBack{Sent: 3, Failed: 1, Failures: []analyzer.Failure{{SQL: "INSERT  INTO users", Table: "users", Error: analyzer.ServerError{Code: 1364}}}}, nil
	}
	found, err := faults(context.Background(), srv, in, Progress{})
	if err != nil {
		t.Fatal(err)
	}
	text := faultText(found)
	for _, want := range []string{
		"stopped 0 state 0: 12 of the 13 places to stop at were tried: after steps 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13\n",
		"killed 0 state 0: not tried: this server cannot be killed and started again (engine test)\n",
		"rollback 0 state 14 bad: after new code has written, old code runs again: 1 of 3 transactions fail, 0 give another result: error 1364 on users (INSERT INTO users)\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing: %s\nin:\n%s", want, text)
		}
	}

	in = faultCase(t, srv, faultUsers, "-- 1\nUPDATE users SET n = sleep(60)", "")
	in.Limit = time.Second
	begun := time.Now()
	checkFaults(t, srv, in, `
stopped 0 state 0 bad: step 1 (UPDATE users SET n = sleep(60)) fails with an error: it ran too long and was stopped (after 1s); a re-run from step 1 fails at step 1
  re-run: 0
  by hand: mend what step 1 fails at (it ran too long and was stopped (after 1s)), then run the upgrade again`)
	if took := time.Since(begun); took > 60*time.Second {
		t.Errorf("it took %v", took)
	}

	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	in.Limit = 0
	if found, err := faults(ctx, srv, in, Progress{}); err == nil {
		t.Errorf("a cancelled run ends without an error: %s", faultText(found))
	}
}

// A server that is killed comes back with a step done or not begun. What a framework has not noted runs again.
func TestFaultsKilled(t *testing.T) {
	for _, tt := range []struct {
		name        string
		engine      *Engine
		options     EngineOptions
		needs       []string
		steps, want string
	}{
		{"local", Local, EngineOptions{}, []string{"mariadb"}, `-- 1
ALTER TABLE users MODIFY n bigint;
UPDATE users SET n = n + 10;
-- 2
CREATE TABLE more (id int PRIMARY KEY);
RENAME TABLE logs TO journal, users TO people`, `
killed 1 state 1: the server is killed during step 1 (ALTER TABLE users MODIFY n bigint); it has taken effect all the same; a re-run from step 1 succeeds
killed 2 state 1: the server is killed during step 2 (UPDATE users SET n = n + 10); nothing of it is left; a re-run from step 1 succeeds
killed 3 state 3 bad: the server is killed right after step 3 (CREATE TABLE more (id int PRIMARY KEY)); it has taken effect; a re-run from step 3 fails at step 3
  re-run: 1050
  by hand: run step 4 of migration 2 by hand, then mark migration 2 as applied
killed 4 state 3 bad: the server is killed during step 4 (RENAME TABLE logs TO journal, users TO people); nothing of it is left; a re-run from step 3 fails at step 3
  re-run: 1050
  by hand: run step 4 of migration 2 by hand, then mark migration 2 as applied
`},
		{"docker", Docker, EngineOptions{Image: "instep-test/mysql:9.7"}, []string{"docker", "mysql"}, `-- 1
ALTER TABLE users MODIFY n bigint;
CREATE TABLE more (id int PRIMARY KEY)`, `
killed 1 state 0: the server is killed during step 1 (ALTER TABLE users MODIFY n bigint); nothing of it is left; a re-run from step 1 succeeds
killed 2 state 2 bad: the server is killed right after step 2 (CREATE TABLE more (id int PRIMARY KEY)); it has taken effect; a re-run from step 1 fails at step 2
  re-run: 1050
  by hand: mark migration 1 as applied
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv, err := tt.engine.Start(t.Context(), tt.options)
			var none *UnavailableError
			if errors.As(err, &none) && !slices.ContainsFunc(tt.needs, servertest.Required) {
				t.Skipf("SKIPPED, NOT TESTED: %v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer srv.Close()
			in := faultCase(t, srv, faultUsers, tt.steps, "")
			in.Kill = true
			r := &faultRun{faultInput: in, srv: srv}
			if _, err := r.reference(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := r.kills(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got, want := faultText(r.found), tt.want[1:]; got != want {
				t.Errorf("faults:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}
