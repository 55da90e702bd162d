package simulate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"instep/analyzer"
	"instep/analyzer/rules"
	"instep/analyzer/schema"
	"instep/simulate/servertest"
)

// engines are those that sessions run on: MySQL in Docker and MariaDB as a local process. have skips the test without them.
var engines = []struct {
	name string
	have func(testing.TB) *servertest.Server
	o    EngineOptions
}{
	{"docker mysql", servertest.MySQL, EngineOptions{Engine: "docker", Image: "instep-test/mysql:9.7"}},
	{"local mariadb", servertest.MariaDB, EngineOptions{Engine: "local", Mysqld: "mariadbd"}},
}

// An upgradeSession is an upgrade with what the servers must say about it.
type upgradeSession struct {
	name     string
	old, new string // statements
	services []analyzer.Service
	queries  []Queries
	// failed are the cells with failures, as "admin old 1: 1054"; mariadb where they differ.
	failed, mariadb []string
	// safe are the orders that run without an error but for the window.
	safe    []string
	verdict analyzer.Verdict
}

// admin migrates, app is deployed on its own; both use all of their schema.
var adminApp = []analyzer.Service{{Name: "admin", Migrates: true}, {Name: "app"}}

const users = `CREATE TABLE users (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(64) NOT NULL, nick VARCHAR(20), kind ENUM('a','b','c') NOT NULL, team INT);
CREATE TABLE teams (id INT NOT NULL PRIMARY KEY, title VARCHAR(20) NOT NULL);`

var sessions = []upgradeSession{{
	name: "add column", old: users, new: "ALTER TABLE users ADD COLUMN mail VARCHAR(100)",
	failed: []string{"admin new 0: 1054", "app new 0: 1054"},
	safe:   []string{"admin, app"}, verdict: analyzer.Ordered,
}, {
	name: "drop column", old: users, new: "ALTER TABLE users DROP COLUMN nick",
	failed: []string{"admin old 1: 1054", "app old 1: 1054"},
	safe:   []string{"app, admin"}, verdict: analyzer.Ordered,
}, {
	name: "not null without default", old: users, new: "ALTER TABLE users ADD COLUMN mail VARCHAR(100) NOT NULL",
	failed:  []string{"admin old 1: 1364", "admin new 0: 1054", "app old 1: 1364", "app new 0: 1054"},
	verdict: analyzer.Split,
}, {
	name: "rename column", old: users, new: "ALTER TABLE users RENAME COLUMN nick TO handle",
	failed:  []string{"admin old 1: 1054", "admin new 0: 1054", "app old 1: 1054", "app new 0: 1054"},
	verdict: analyzer.Split,
}, {
	name: "unique key", old: users, new: "ALTER TABLE users ADD UNIQUE KEY nick (nick)",
	failed: []string{"admin old 1: 1062", "app old 1: 1062"},
	safe:   []string{"app, admin"}, verdict: analyzer.Split, // new code may rely on the key to find doubles, which shows in no error
}, {
	name: "enum member removed", old: users, new: "ALTER TABLE users MODIFY kind ENUM('a','b') NOT NULL",
	failed: []string{"admin old 1: 1265", "app old 1: 1265"},
	safe:   []string{"app, admin"}, verdict: analyzer.Ordered,
}, {
	name: "enum member added", old: users, new: "ALTER TABLE users MODIFY kind ENUM('a','b','c','d') NOT NULL",
	failed: []string{"admin new 0: 1265", "app new 0: 1265"},
	safe:   []string{"admin, app"}, verdict: analyzer.Ordered,
}, {
	name: "narrowing", old: users, new: "ALTER TABLE users MODIFY name VARCHAR(20) NOT NULL",
	failed: []string{"admin old 1: 1406", "app old 1: 1406"},
	safe:   []string{"app, admin"}, verdict: analyzer.Ordered,
}, {
	name: "foreign key", old: users, new: "ALTER TABLE users ADD CONSTRAINT users_team FOREIGN KEY (team) REFERENCES teams (id)",
	failed: []string{"admin old 1: 1451 1452", "app old 1: 1451 1452"},
	safe:   []string{"app, admin"}, verdict: analyzer.Ordered,
}, {
	name: "dropped table", old: users, new: "DROP TABLE teams",
	failed: []string{"admin old 1: 1146", "app old 1: 1146"},
	safe:   []string{"app, admin"}, verdict: analyzer.Ordered,
}, {
	name: "trigger gone stale",
	old: users + `CREATE TABLE log (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, who VARCHAR(64));
CREATE TRIGGER users_log AFTER INSERT ON users FOR EACH ROW INSERT INTO log (who) VALUES (NEW.name);`,
	new:     "ALTER TABLE log DROP COLUMN who",
	failed:  []string{"admin old 1: 1054", "admin new 1: 1054", "app old 1: 1054", "app new 1: 1054"},
	verdict: analyzer.Split,
}, {
	name: "opposite orders", old: users, new: "ALTER TABLE users DROP COLUMN nick; ALTER TABLE users ADD COLUMN mail VARCHAR(100)",
	services: []analyzer.Service{{Name: "admin", Migrates: true, Rollout: analyzer.Recreate}, {Name: "first"}, {Name: "then"}},
	queries: []Queries{
		{Service: "admin", Code: analyzer.OldCode, File: "admin.sql", SQL: "SELECT id FROM users;"},
		{Service: "admin", Code: analyzer.NewCode, File: "admin.sql", SQL: "SELECT id FROM users;"},
		{Service: "first", Code: analyzer.OldCode, File: "first.sql", SQL: "SELECT id, nick FROM users WHERE id = 1;"},
		{Service: "first", Code: analyzer.NewCode, File: "first.sql", SQL: "SELECT id FROM users WHERE id = 1;"},
		{Service: "then", Code: analyzer.OldCode, File: "then.sql", SQL: "SELECT id FROM users WHERE id = ?;"},
		{Service: "then", Code: analyzer.NewCode, File: "then.sql", SQL: "INSERT INTO users (name, kind, mail) VALUES (?, 'a', ?);"},
	},
	failed: []string{"first old 1: 1054", "first old 2: 1054", "then new 0: 1054", "then new 1: 1054"},
	safe:   []string{"first, admin, then"}, verdict: analyzer.Split, // the analysis knows nothing of the queries
}}

// TestSessions runs whole upgrades on whole engines. The matrix must show the error numbers, and the orders found safe must be
// those that ran without one.
func TestSessions(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			e.have(t)
			srv, err := Start(context.Background(), e.o, func(string) {})
			if err != nil {
				t.Fatal(err)
			}
			defer srv.Close()
			for _, s := range sessions {
				t.Run(s.name, func(t *testing.T) { runSession(t, s, srv) })
			}
		})
	}
}

func runSession(t *testing.T, s upgradeSession, srv *Server) {
	if s.services == nil {
		s.services = adminApp
	}
	in := sessionInput(t, s, srv.Version)
	sim, err := runOn(context.Background(), srv, in, Options{Rows: RowOptions{Each: 50, Seed: 1}, StatementLimit: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	r := analyzer.Analyze(in.Upgrade, rules.All)
	analyzer.Judge(r, sim)
	want := s.failed
	if srv.Version.MariaDB && s.mariadb != nil {
		want = s.mariadb
	}
	if d := cmp.Diff(want, failedCells(sim)); d != "" {
		t.Errorf("failed cells (-want +got):\n%s", d)
	}
	var safe []string
	for _, order := range sim.Judgment.Orders {
		if order.Safe || order.Window {
			safe = append(safe, strings.Join(order.Order, ", "))
		}
	}
	if d := cmp.Diff(s.safe, safe); d != "" {
		t.Errorf("safe orders (-want +got):\n%s", d)
	}
	if sim.Judgment.Verdict != s.verdict {
		t.Errorf("verdict %s (%s), want %s; the analysis says %s", sim.Judgment.Verdict, sim.Judgment.Why, s.verdict, r.Verdict)
	}
	for _, db := range sim.Databases {
		if len(db.Load.Differences)+len(db.Load.Skipped) > 0 {
			t.Errorf("the deployed schema: %q, skipped %v", db.Load.Differences, db.Load.Skipped)
		}
		for _, step := range db.Steps {
			if step.Error != nil {
				t.Errorf("%s: %s", step.Statement.SQL, step.Error)
			}
		}
	}
}

// sessionInput gives what the command line would.
func sessionInput(t *testing.T, s upgradeSession, server schema.Server) Input {
	read := func(name, text, migration string) []schema.Statement {
		statements, gaps := schema.Split(name, text)
		if len(gaps) > 0 {
			t.Fatal(gaps)
		}
		for i := range statements {
			statements[i].Migration = migration
		}
		return statements
	}
	old, pending := read("001.sql", s.old, "001"), read("002.sql", s.new, "002")
	now := schema.New(server)
	for _, st := range old {
		after, err := now.Apply(st)
		if err != nil {
			t.Fatal(err)
		}
		now = after
	}
	d := analyzer.Database{Old: now}
	for _, st := range pending {
		after, err := now.Apply(st)
		if err != nil {
			t.Fatal(err)
		}
		d.Steps = append(d.Steps, analyzer.Step{Statement: st, Before: now, After: after})
		now = after
	}
	d.New = now
	d.Migrations = []analyzer.Migration{{ID: "002", File: "002.sql", Statements: pending, State: analyzer.Pending}}
	return Input{
		Upgrade:   analyzer.Upgrade{Server: server, Services: s.services, Databases: []analyzer.Database{d}},
		Databases: []Database{{History: old, NoDown: "this test has none"}},
		Queries:   s.queries,
	}
}

// failedCells gives the cells with failures as text, by service as given.
func failedCells(sim *analyzer.Simulation) []string {
	var list []string
	for _, db := range sim.Databases {
		for _, c := range db.Cells {
			if c.Failed == 0 || c.Overlap {
				continue
			}
			var codes []string
			for _, f := range c.Failures {
				if code := fmt.Sprint(f.Error.Code); !slices.Contains(codes, code) {
					codes = append(codes, code)
				}
			}
			slices.Sort(codes)
			code := "old"
			if c.Code == analyzer.NewCode {
				code = "new"
			}
			list = append(list, fmt.Sprintf("%s %s %d: %s", c.Service, code, c.State, strings.Join(codes, " ")))
		}
	}
	return list
}
