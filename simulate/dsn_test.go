package simulate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"

	"instep/simulate/servertest"
)

// dsnServers are the existing servers of these tests.
var dsnServers = []struct {
	name  string
	start func(testing.TB) *servertest.Server
}{
	{"mysql", servertest.MySQL},
	{"mariadb", servertest.MariaDB},
}

// bystander gives a server with the account that dsn is given, to look at it from outside.
func bystander(t testing.TB, dsn string) *Server {
	t.Helper()
	admin, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	admin.Logger = log.New(io.Discard, "", 0)
	return &Server{Name: "bystander", admin: admin}
}

// allOf gives the databases and accounts of a server whose name has a part.
func allOf(t testing.TB, s *Server, part string) []string {
	t.Helper()
	c, err := s.session(t.Context(), asAdmin, "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	rows, err := c.query(t.Context(), 0, "SELECT CONVERT(schema_name USING utf8mb4) FROM information_schema.schemata WHERE schema_name LIKE '%"+part+
		"%' UNION ALL SELECT CONCAT(CONVERT(user USING utf8mb4), '@', CONVERT(host USING utf8mb4)) FROM mysql.user WHERE user LIKE '%"+part+"%'")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range rows {
		names = append(names, r[0].String)
	}
	slices.Sort(names)
	return names
}

// bystanders makes databases that a run must leave alone, some with names like those of a run, and drops them after the test.
func bystanders(t testing.TB, s *Server) []string {
	t.Helper()
	mark := strings.ToLower(rand.Text()[:12])
	// The third is like a database of a run without a marker, the fourth like a marker that holds something else.
	names := []string{"shop_" + mark, "instep_" + mark[:5], "instep_" + mark + "_a", "instep_" + strings.ToLower(rand.Text()[:12])}
	for _, name := range names {
		execute(t, s, asAdmin, "", "CREATE DATABASE "+name, "CREATE TABLE "+name+".t (id INT PRIMARY KEY)", "INSERT INTO "+name+".t VALUES (1)")
	}
	t.Cleanup(func() {
		ctx := context.Background() // the test's own has ended
		c, err := s.session(ctx, asAdmin, "")
		if err == nil {
			defer c.close()
			for _, name := range names {
				err = errors.Join(err, c.exec(ctx, "DROP DATABASE "+name))
			}
		}
		if err != nil {
			t.Errorf("a database is gone: %v", err)
		}
	})
	return names
}

func TestDSN(t *testing.T) {
	for _, on := range dsnServers {
		t.Run(on.name, func(t *testing.T) {
			target := on.start(t)
			out := bystander(t, target.DSN(""))
			names := bystanders(t, out)
			o := EngineOptions{Engine: "dsn", DSN: target.DSN("mysql", "multiStatements=true", "allowAllFiles=true"), YesThisServer: true}
			s, err := Start(t.Context(), o, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			run := strings.TrimSuffix(s.Prefix, "_")
			if s.Name != target.Name || s.Cluster != "" || s.kill != nil || s.ended != nil || s.admin.AllowAllFiles || s.admin.MultiStatements {
				t.Errorf("%s %q", s.Name, s.Cluster)
			}
			name, err := s.createDatabase(t.Context(), "a", "", "")
			if err != nil {
				t.Fatal(err)
			}
			execute(t, s, asGuest, name, "CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)", "CREATE DATABASE "+s.Prefix+"own")
			c, err := s.session(t.Context(), asGuest, name)
			if err != nil {
				t.Fatal(err)
			}
			for _, refused := range []string{
				"SELECT * FROM " + names[0] + ".t", "DROP DATABASE " + names[2], "CREATE DATABASE instep_x", "SELECT user FROM mysql.user",
				"UPDATE " + run + "." + dsnMarker + " SET seen = '2000-01-01'", "DROP DATABASE " + run, "SHUTDOWN", "SET GLOBAL max_connections = 1",
				"SELECT 1 INTO OUTFILE '/tmp/x'", "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t",
			} {
				if err := c.exec(t.Context(), refused); err == nil {
					t.Errorf("the guest may %s", refused)
				}
			}
			c.close()
			want := []string{run, run + "@%", run + "_a", run + "_own"}
			if diff := cmp.Diff(want, allOf(t, out, run)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			// Another run leaves this one alone.
			if err := sweepDSN(t.Context(), o); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(want, allOf(t, out, run)); diff != "" {
				t.Errorf("after a sweep: -want +got\n%s", diff)
			}
			// A statement that goes on does not keep the run from ending.
			busy, err := s.session(t.Context(), asGuest, name)
			if err != nil {
				t.Fatal(err)
			}
			defer busy.close()
			slept := make(chan error, 1)
			go func() { slept <- busy.exec(t.Context(), "INSERT INTO t SELECT id + 1 + SLEEP(60) FROM t") }()
			time.Sleep(200 * time.Millisecond)
			began := time.Now()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("the end took %v", took)
			}
			<-slept
			if got := allOf(t, out, run); len(got) > 0 {
				t.Errorf("left behind: %q", got)
			}
		})
	}
}

// TestDSNCrash kills a process that uses a server.
func TestDSNCrash(t *testing.T) {
	for _, on := range dsnServers {
		t.Run(on.name, func(t *testing.T) {
			target := on.start(t)
			out := bystander(t, target.DSN(""))
			bystanders(t, out)
			o := EngineOptions{Engine: "dsn", DSN: target.DSN(""), YesThisServer: true}
			dead, prefix := hold(t, "dsn "+o.DSN, false)
			kept, keptPrefix := hold(t, "dsn "+o.DSN, true)
			run, keptRun := strings.TrimSuffix(prefix, "_"), strings.TrimSuffix(keptPrefix, "_")
			for _, cmd := range []interface{ Wait() error }{dead, kept} {
				defer cmd.Wait()
			}
			dead.Process.Kill()
			kept.Process.Kill()
			if got := allOf(t, out, run); len(got) != 3 {
				t.Errorf("the run has %q", got)
			}
			// Runs that died while they made their marker.
			unborn, unsaid := "instep_"+strings.ToLower(rand.Text()[:12]), "instep_"+strings.ToLower(rand.Text()[:12])
			execute(t, out, asAdmin, "", "CREATE DATABASE "+unborn, "CREATE DATABASE "+unsaid,
				"CREATE TABLE "+unsaid+"."+dsnMarker+" (id INT NOT NULL PRIMARY KEY, seen DATETIME NOT NULL, kept DATETIME NOT NULL)")
			gone := func(run string) bool {
				for range 500 { // the server notices that a client has died as soon as it is told
					if err := sweepDSN(t.Context(), o); err != nil {
						t.Fatal(err)
					}
					if len(allOf(t, out, run)) == 0 {
						return true
					}
					time.Sleep(20 * time.Millisecond)
				}
				return false
			}
			if !gone(run) {
				t.Errorf("left behind: %q", allOf(t, out, run))
			}
			for _, run := range []string{unborn, unsaid} {
				if !gone(run) {
					t.Errorf("left behind: %q", allOf(t, out, run))
				}
			}
			if got := allOf(t, out, keptRun); len(got) != 3 {
				t.Errorf("of what is kept there is %q", got)
			}
			execute(t, out, asAdmin, keptRun, "UPDATE "+dsnMarker+" SET kept = UTC_TIMESTAMP() - INTERVAL 1 MINUTE")
			if !gone(keptRun) {
				t.Errorf("left behind: %q", allOf(t, out, keptRun))
			}
		})
	}
}

// TestDSNCrashAnywhere kills a process at some moment while it makes its databases.
func TestDSNCrashAnywhere(t *testing.T) {
	target := startLocalTest(t, localOptions(t))
	o := EngineOptions{Engine: "dsn", DSN: target.admin.FormatDSN(), YesThisServer: true}
	for _, after := range []time.Duration{20, 40, 60, 80, 100, 130, 160, 200} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestHold$")
		cmd.Env = append(os.Environ(), holdEnv+"=dsn "+o.DSN)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
		var left []string
		for range 500 { // the server notices that a client has died as soon as it is told
			if err := sweepDSN(t.Context(), o); err != nil {
				t.Errorf("after %d ms: %v", after, err)
			}
			if left = allOf(t, target, "instep"); len(left) == 0 {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if len(left) > 0 {
			t.Errorf("after %d ms: left behind: %q", after, left)
		}
	}
}

// TestDSNProduction: an idle and empty server is taken, one that somebody needs is not, and nothing is changed there.
func TestDSNProduction(t *testing.T) {
	target := startLocalTest(t, localOptions(t))
	o := EngineOptions{Engine: "dsn", DSN: target.admin.FormatDSN()}
	s, err := Start(t.Context(), o, nil)
	if err != nil {
		t.Fatalf("an empty server: %v", err)
	}
	other, err := Start(t.Context(), o, nil) // other runs are nobody
	if err != nil {
		t.Fatalf("a server with a run: %v", err)
	}
	for _, s := range []*Server{s, other} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	refused := func(facts ...string) {
		t.Helper()
		before := allOf(t, target, "")
		s, err := Start(t.Context(), o, nil)
		if err == nil {
			s.Close()
			t.Fatal("it was taken")
		}
		for _, fact := range append(facts, "--yes-this-server") {
			if !strings.Contains(err.Error(), fact) {
				t.Errorf("%v\nsays nothing of %s", err, fact)
			}
		}
		if strings.Contains(err.Error(), target.admin.Passwd) {
			t.Errorf("%v\nsays the password", err)
		}
		if diff := cmp.Diff(before, allOf(t, target, "")); diff != "" {
			t.Errorf("the server has changed: -before +after\n%s", diff)
		}
	}
	execute(t, target, asAdmin, "", "CREATE DATABASE shop", "CREATE TABLE shop.orders (id INT PRIMARY KEY) ENGINE=InnoDB")
	client, err := target.session(t.Context(), asAdmin, "shop")
	if err != nil {
		t.Fatal(err)
	}
	refused("another client is connected (root@localhost)")
	execute(t, target, asAdmin, "shop", "INSERT INTO orders SELECT seq FROM seq_1_to_5000", "ANALYZE TABLE orders")
	refused("another client is connected (root@localhost)", "its database shop holds 1 table with about ")
	client.close()
	refused("its database shop holds 1 table with about ")
	o.YesThisServer = true
	if s, err = Start(t.Context(), o, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if got := oneValue(t, target, asAdmin, "SELECT COUNT(*) FROM shop.orders"); got != "5000" {
		t.Errorf("the shop has %s orders", got)
	}
	execute(t, target, asAdmin, "", "DROP DATABASE shop", "SET GLOBAL read_only = 1")
	o.YesThisServer = false
	refused("it is read-only")
}

// TestDSNProductionMySQL: rows are seen in MySQL too, whose statistics may be a day old.
func TestDSNProductionMySQL(t *testing.T) {
	target := servertest.MySQL(t)
	db, name := target.Database(t)
	for _, text := range []string{
		"CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, a INT)", "SELECT table_rows FROM information_schema.tables WHERE table_name = 'orders'",
		"INSERT INTO orders (a) WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n",
		"INSERT INTO orders (a) SELECT a FROM orders", "INSERT INTO orders (a) SELECT a FROM orders", "ANALYZE TABLE orders",
	} {
		rows, err := db.Query(text)
		if err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
	_, err := Start(t.Context(), EngineOptions{Engine: "dsn", DSN: target.DSN("")}, nil)
	if err == nil || !strings.Contains(err.Error(), "its database "+name+" holds 1 table with about ") || !strings.Contains(err.Error(), "client") {
		t.Errorf("%v", err)
	}
}

// TestDSNAccounts: an account that may make no accounts is its own guest if it can do no harm.
func TestDSNAccounts(t *testing.T) {
	for _, on := range dsnServers {
		t.Run(on.name, func(t *testing.T) {
			target := on.start(t)
			out := bystander(t, target.DSN(""))
			user := "u" + strings.ToLower(rand.Text()[:12])
			execute(t, out, asAdmin, "", "CREATE USER '"+user+"'@'%' IDENTIFIED BY 'secretpassword'", "GRANT ALL ON `instep\\_%`.* TO '"+user+"'@'%'")
			t.Cleanup(func() {
				ctx := context.Background() // the test's own has ended
				c, err := out.session(ctx, asAdmin, "")
				if err == nil {
					defer c.close()
					err = c.exec(ctx, "DROP USER '"+user+"'@'%'")
				}
				if err != nil {
					t.Error(err)
				}
			})
			cfg := out.admin.Clone()
			cfg.User, cfg.Passwd = user, "secretpassword"
			o := EngineOptions{Engine: "dsn", DSN: cfg.FormatDSN()}
			s, err := Start(t.Context(), o, nil)
			if err != nil {
				t.Fatal(err)
			}
			run := strings.TrimSuffix(s.Prefix, "_")
			if s.guest.User != user {
				t.Errorf("the guest is %s", s.guest.User)
			}
			name, err := s.createDatabase(t.Context(), "a", "", "")
			if err != nil {
				t.Fatal(err)
			}
			execute(t, s, asGuest, name, "CREATE TABLE t (id INT PRIMARY KEY)")
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if got := allOf(t, out, run); len(got) > 0 {
				t.Errorf("left behind: %q", got)
			}
			execute(t, out, asAdmin, "", "GRANT FILE ON *.* TO '"+user+"'@'%'")
			if _, err := Start(t.Context(), o, nil); err == nil || !strings.Contains(err.Error(), "it has FILE ON *.*") || strings.Contains(err.Error(), "secretpassword") {
				t.Errorf("with FILE: %v", err)
			}
			o.YesThisServer = true
			if s, err = Start(t.Context(), o, nil); err != nil {
				t.Fatal(err)
			}
			if notes := strings.Join(s.Notes, "\n"); !strings.Contains(notes, "all SQL runs under the given account, which has FILE ON *.*") {
				t.Errorf("notes %q", notes)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if got := allOf(t, out, "instep"); slices.Contains(got, strings.TrimSuffix(s.Prefix, "_")) {
				t.Errorf("left behind: %q", got)
			}
		})
	}
}

func TestDSNConfig(t *testing.T) {
	var missing *UnavailableError
	if _, err := dsnConfig(""); !errors.As(err, &missing) || missing.Provide == "" {
		t.Errorf("%v", err)
	}
	if _, err := dsnConfig("root:hunter2@tcp(x"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
	t.Setenv("INSTEP_DSN", "root:hunter2@tcp(127.0.0.1:1)/")
	if _, err := Start(t.Context(), EngineOptions{Engine: "dsn"}, nil); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("%v", err)
	}
}

func TestRecognised(t *testing.T) {
	for _, tt := range []struct {
		says      dsnSays
		cluster   string
		note      string
		elsewhere bool
	}{
		{dsnSays{version: "8.4.6", comment: "MySQL Community Server - GPL"}, "", "", false},
		{dsnSays{version: "10.11.14-MariaDB-0+deb12u2", comment: "Debian 12", wsrep: "0", nodes: "0"}, "", "", false},
		{dsnSays{version: "8.0.11-TiDB-v8.5.1", comment: "TiDB Server (Apache License 2.0) Community Edition, MySQL 8.0 compatible"}, "TiDB", "metadata lock", false},
		{dsnSays{version: "8.0.30-Vitess"}, "Vitess", "ddl_strategy", true},
		{dsnSays{version: "8.0.39", aurora: "3.08.0"}, "Aurora", "instant DDL of MySQL 8.0", false},
		{dsnSays{version: "5.7.12", aurora: "2.11.2"}, "Aurora", "lab mode", false},
		{dsnSays{version: "10.11.14-MariaDB", wsrep: "1", nodes: "3"}, "Galera", "Galera (3 nodes): with wsrep_OSU_method=TOI", true},
		{dsnSays{version: "8.0.36", group: "3"}, "Group Replication", "primary key", true},
		{dsnSays{version: "8.0.36-cluster", ndb: "2"}, "NDB Cluster", "NDB", true},
		{dsnSays{version: "8.0.36", proxy: "2.5.5"}, "", "there is a proxy", true},
		{dsnSays{version: "10.11.14-MariaDB", wsrep: "1", nodes: "2", comment: "(ProxySQL)"}, "Galera", "there is a proxy", true},
	} {
		got := recognised(tt.says)
		if got.cluster != tt.cluster || got.elsewhere != tt.elsewhere || !strings.Contains(strings.Join(got.notes, "\n"), tt.note) || tt.note == "" && len(got.notes) > 0 {
			t.Errorf("%+v: %+v", tt.says, got)
		}
	}
}

func TestPowers(t *testing.T) {
	for _, tt := range []struct {
		grant, want string // "" is no power
	}{
		{"GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*ABC'", ""},
		{"GRANT ALL PRIVILEGES ON `instep\\_%`.* TO `u`@`%`", ""},
		{"GRANT SELECT ON `performance_schema`.* TO `u`@`%`", ""},
		{"GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` IDENTIFIED BY PASSWORD '*ABC' WITH GRANT OPTION", "ALL PRIVILEGES ON *.*"},
		{"GRANT SELECT, FILE ON *.* TO `u`@`%`", "SELECT, FILE ON *.*"},
		{"GRANT SYSTEM_VARIABLES_ADMIN ON *.* TO `u`@`%`", "SYSTEM_VARIABLES_ADMIN ON *.*"},
		{"GRANT SELECT ON `shop`.* TO `u`@`%`", "SELECT ON `shop`.*"},
		{"GRANT SELECT (`a`) ON `shop`.`orders` TO `u`@`%`", "SELECT (`a`) ON `shop`.`orders`"},
		{"GRANT EXECUTE ON PROCEDURE `shop`.`p` TO `u`@`%`", "EXECUTE ON `shop`.`p`"},
		{"GRANT ALL PRIVILEGES ON `instep%`.* TO `u`@`%`", "ALL PRIVILEGES ON `instep%`.*"},
		{"GRANT ALL PRIVILEGES ON `%`.* TO `u`@`%`", "ALL PRIVILEGES ON `%`.*"},
		{"GRANT `admin`@`%` TO `u`@`%`", "GRANT `admin`@`%`"},
		{"GRANT PROXY ON ''@'%' TO 'u'@'%' WITH GRANT OPTION", "GRANT PROXY ON ''@'%'"},
		{"GRANT SELECT ON `a`` TO x`.* TO `u`@`%`", "SELECT ON `a`` TO x`.*"},
		{"something else IDENTIFIED BY PASSWORD '*ABC'", "something else IDENTIFIED BY PASSWORD '*ABC'"},
	} {
		if got := strings.Join(powers([]string{tt.grant}), "; "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.grant, got, tt.want)
		}
	}
}

func TestHostFacts(t *testing.T) {
	for _, tt := range []struct{ addr, says, want string }{
		{"127.0.0.1:3306", "8.4.6\nmysql community server - gpl\n/usr/\ndev7", "[]"},
		{"shop.c123.eu-west-1.rds.amazonaws.com:3306", "8.0.40\nsource distribution\n/rdsdbbin/mysql-8.0.40/\nip-10-1", "[it is run by Amazon RDS]"},
		{"10.0.0.7:3306", "8.0.31-google\n(google)\n/usr\nlocalhost", "[it is run by Google Cloud SQL]"},
		{"x.mysql.database.azure.com:3306", "", "[it is run by Azure Database]"},
		{"db-prod-1.example.org:3306", "", "[its name says prod]"},
		{"db:3306", "8.4.6\n\n/usr/\nproduction01", "[its name says production01]"},
		{"products:3306", "delivery", "[]"},
		{"/run/mysqld/mysqld.sock", "", "[]"},
	} {
		if got := fmt.Sprint(hostFacts(tt.addr, tt.says)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.addr, got, tt.want)
		}
	}
}

func TestRunNames(t *testing.T) {
	for name, want := range map[string]bool{
		strings.TrimSuffix(newPrefix(), "_"): true, newPrefix() + "a": true, "instep_abcdefgh2345": true, "instep_abcdefgh2345_x": true,
		"instep_abcdefgh2345x": false, "instep_ABCDEFGH2345": false, "instep_abcdefgh2340": false, "instep_shop": false, "shop": false, "": false,
		"xinstep_abcdefgh2345": false, "instep_abcdefgh2345\n": false,
	} {
		if got := isRunDatabase(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
