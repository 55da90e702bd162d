// Package servertest starts real database servers for tests: a private MariaDB as a local process, MySQL and MariaDB as
// containers. Only tests import it.
//
// There is one server of a kind per test binary, started by the first test that asks for it, and a fresh database per
// test. Servers end with the test binary, however it ends: each is watched by a process that waits for its standard
// input to be closed.
//
// A test whose server is not there is skipped with a line that says what is missing, unless the environment variable
// INSTEP_REQUIRE names it: a comma-separated list of docker, mysql and mariadb. Then it fails.
package servertest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// A Server is a running database server that belongs to this test binary.
type Server struct {
	Name                string // "mysql 9.7.4", "mariadb 10.11.14"
	MariaDB             bool
	Major, Minor, Patch int
	Network, Addr       string // "unix" and a socket, or "tcp" and a host:port on 127.0.0.1
	User, Password      string

	databases atomic.Int64
	stdin     io.Closer // of the process that ends the server; held, so that it is closed when this process ends
}

// The servers of this test binary. They have to be shared, because tests cannot hand values to each other, and a start
// costs a second.
var (
	localMariaDB  = sync.OnceValues(startLocal)
	dockerMySQL   = sync.OnceValues(func() (*Server, error) { return startDocker("instep-test/mysql", "9.7") })
	dockerMariaDB = sync.OnceValues(func() (*Server, error) { return startDocker("instep-test/mariadb", "10.11") })
)

// MariaDB gives a MariaDB that runs as a local process. Without mariadbd on this machine the test is skipped.
func MariaDB(t testing.TB) *Server {
	t.Helper()
	s, err := localMariaDB()
	return s.orSkip(t, err, "mariadb")
}

// MySQL gives a MySQL that runs in a container. Without a Docker engine or the image, which .ci/build-images makes, the
// test is skipped.
func MySQL(t testing.TB) *Server {
	t.Helper()
	s, err := dockerMySQL()
	return s.orSkip(t, err, "docker", "mysql")
}

// DockerMariaDB gives a MariaDB that runs in a container; see MySQL.
func DockerMariaDB(t testing.TB) *Server {
	t.Helper()
	s, err := dockerMariaDB()
	return s.orSkip(t, err, "docker")
}

// missing is the error of a server that this machine does not have. Every other error fails the test.
type missing struct{ what string }

func (m missing) Error() string { return m.what }

// orSkip gives s, or ends the test: it is skipped when the server is missing and none of needs is required.
func (s *Server) orSkip(t testing.TB, err error, needs ...string) *Server {
	t.Helper()
	if err == nil {
		return s
	}
	var m missing
	if !errors.As(err, &m) {
		t.Fatalf("starting a server: %v", err)
	}
	for _, need := range needs {
		if Required(need) {
			t.Fatalf("%v, and INSTEP_REQUIRE names %s", err, need)
		}
	}
	t.Skipf("SKIPPED, NOT TESTED: %v", err)
	return nil
}

// Required tells whether INSTEP_REQUIRE names a need, so that a test must fail where it would be skipped.
func Required(need string) bool {
	for name := range strings.SplitSeq(os.Getenv("INSTEP_REQUIRE"), ",") {
		if strings.TrimSpace(name) == need {
			return true
		}
	}
	return false
}

// Database creates an empty database that is dropped at the end of the test, and gives a handle on it and its name.
func (s *Server) Database(t testing.TB) (*sql.DB, string) {
	t.Helper()
	name := fmt.Sprintf("test_%d", s.databases.Add(1))
	admin := s.open(t, "")
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP DATABASE IF EXISTS " + name); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
	})
	return s.open(t, name), name
}

// DSN gives the data source name of a database, for the Go driver; params are such as "multiStatements=true".
func (s *Server) DSN(database string, params ...string) string {
	dsn := fmt.Sprintf("%s:%s@%s(%s)/%s", s.User, s.Password, s.Network, s.Addr, database)
	if len(params) > 0 {
		dsn += "?" + strings.Join(params, "&")
	}
	return dsn
}

// URL gives the same for SQLAlchemy with pymysql.
func (s *Server) URL(database string) string {
	if s.Network == "unix" {
		return fmt.Sprintf("mysql+pymysql://%s:%s@localhost/%s?unix_socket=%s", s.User, s.Password, database, s.Addr)
	}
	return fmt.Sprintf("mysql+pymysql://%s:%s@%s/%s", s.User, s.Password, s.Addr, database)
}

func (s *Server) open(t testing.TB, database string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", s.DSN(database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// ShowCreate gives what SHOW CREATE TABLE prints of every base table of a database, by table name.
func (s *Server) ShowCreate(t testing.TB, database string) map[string]string {
	t.Helper()
	db := s.open(t, database)
	rows, err := db.Query("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	creates := map[string]string{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		creates[name] = ""
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for name := range creates {
		var create string
		if err := db.QueryRow("SHOW CREATE TABLE `"+strings.ReplaceAll(name, "`", "``")+"`").Scan(&name, &create); err != nil {
			t.Fatal(err)
		}
		creates[name] = create
	}
	return creates
}

// wait tries until the server answers a query, died ends it, or the time is up, and reads the server's version.
// MySQL says "ready for connections" before it is, and a container's port opens before the server listens: only an answer
// counts.
func (s *Server) wait(limit time.Duration, died func() error) error {
	cfg, err := mysql.ParseDSN(s.DSN(""))
	if err != nil {
		return err
	}
	cfg.Logger = log.New(io.Discard, "", 0) // it reports every failed try
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	deadline := time.Now().Add(limit)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		var version string
		err := db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version)
		cancel()
		if err == nil {
			return s.setVersion(version)
		}
		if err := died(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no answer within %v: %w", limit, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// setVersion reads what VERSION() gives: "9.7.4-1", "10.11.14-MariaDB-0+deb12u2".
func (s *Server) setVersion(version string) error {
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &s.Major, &s.Minor, &s.Patch); err != nil {
		return fmt.Errorf("version %q: %w", version, err)
	}
	s.MariaDB = strings.Contains(version, "MariaDB")
	flavour := "mysql"
	if s.MariaDB {
		flavour = "mariadb"
	}
	s.Name = fmt.Sprintf("%s %d.%d.%d", flavour, s.Major, s.Minor, s.Patch)
	return nil
}
