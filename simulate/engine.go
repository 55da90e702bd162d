package simulate

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"instep/analyzer/schema"
)

// An Engine provides servers. It is one value in a file of its own, listed in Engines.
type Engine struct {
	Name string
	Doc  string
	// Start gives a running server that takes queries. An *UnavailableError says that this machine has no such engine, so
	// that another may be tried.
	Start func(ctx context.Context, o EngineOptions) (*Server, error)
	// Sweep removes what runs that have died left behind. Its errors do not matter to a run.
	Sweep func(ctx context.Context, o EngineOptions) error
}

// EngineOptions say which server is wanted.
type EngineOptions struct {
	Engine string // a name of Engines, or "auto" or ""
	Image  string // of docker; "" takes the official image of Configured
	Mysqld string // the program of local; "" looks for mysqld, then mariadbd
	DSN    string // of dsn, as the Go driver writes it: user:password@tcp(host:3306)/
	// YesThisServer: use the server of DSN although it looks like production.
	YesThisServer bool
	// Configured is the server that the analysis is for.
	Configured schema.Server
	Keep       bool // leave the server running; Server.Connect says how to reach it
	// MaxMemory and MaxDisk bound the server, in bytes; 0 takes defaults.
	MaxMemory, MaxDisk int64
}

// An UnavailableError says that a machine has no such engine.
type UnavailableError struct {
	Tried   string // "docker: no engine answers at unix:///var/run/docker.sock"
	Provide string // the command that would provide it
}

func (e *UnavailableError) Error() string { return e.Tried }

// A Server is a running database server with two accounts: the tool's, and the guest's, under which everything runs that a
// stranger may have written. The guest may do anything to databases whose name begins with Prefix, and nothing else: no FILE,
// SUPER or PLUGIN.
type Server struct {
	Engine  string
	Version schema.Server
	Name    string // "mysql 9.7.4"
	// Cluster is the product where it is not a plain server ("TiDB", "Vitess", "Aurora", "Galera"), and Notes what is to be
	// said about it and about how it was chosen.
	Cluster string
	Notes   []string
	Connect string // how a person reaches it, with the password
	Prefix  string // of the names of all databases of this run

	admin, guest *mysql.Config
	// kill ends the server's process with SIGKILL and starts it again on the same data. Nil where that cannot be done.
	kill func(ctx context.Context) error
	// ended says why the server was ended by a bound (memory, disk), nil if it was not.
	ended func() error
	close func() error
}

// Close ends the server and removes all that the run has made, whatever happened before. It may be called twice.
func (s *Server) Close() error {
	if s == nil || s.close == nil {
		return nil
	}
	f := s.close
	s.close = nil
	return f()
}

// newPrefix gives a name that no other run has.
func newPrefix() string { return "instep_" + strings.ToLower(rand.Text()[:12]) + "_" }

// grants gives the statements that make the guest's account. They are sent as the administrator.
func grants(user, host, password, prefix string) []string {
	who := fmt.Sprintf("'%s'@'%s'", user, host)
	pattern := strings.ReplaceAll(prefix, "_", `\_`) + "%"
	return []string{
		fmt.Sprintf("CREATE USER IF NOT EXISTS %s IDENTIFIED BY '%s'", who, password),
		fmt.Sprintf("GRANT ALL PRIVILEGES ON `%s`.* TO %s", pattern, who),
	}
}

// createDatabase makes an empty database for the guest and gives its name; one of that name is dropped first. Its charset and
// collation are the server's unless they are given.
func (s *Server) createDatabase(ctx context.Context, name, charset, collation string) (string, error) {
	c, err := s.session(ctx, asAdmin, "")
	if err != nil {
		return "", err
	}
	defer c.close()
	name = s.Prefix + name
	if err := c.exec(ctx, "DROP DATABASE IF EXISTS "+quoteName(name)); err != nil {
		return "", err
	}
	create := "CREATE DATABASE " + quoteName(name)
	if charset != "" {
		create += " CHARACTER SET " + charset
		if collation != "" {
			create += " COLLATE " + collation
		}
	}
	return name, c.exec(ctx, create)
}

// dropDatabase drops a database of this run.
func (s *Server) dropDatabase(ctx context.Context, name string) error {
	if !strings.HasPrefix(name, s.Prefix) {
		return fmt.Errorf("%s is no database of this run", name)
	}
	c, err := s.session(ctx, asAdmin, "")
	if err != nil {
		return err
	}
	defer c.close()
	return c.exec(ctx, "DROP DATABASE IF EXISTS "+quoteName(name))
}

// quoteName quotes an identifier.
func quoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// account is under whose name a session runs.
type account bool

const (
	asAdmin account = false
	asGuest account = true
)

// A session is one connection, which keeps its session variables.
type session struct {
	server *Server
	pool   *sql.DB
	conn   *sql.Conn
	id     int64 // the server's number of the connection
	// limit ends a statement that runs longer; 0 is none.
	limit time.Duration
}

// session opens a connection to a database ("" for none).
func (s *Server) session(ctx context.Context, as account, database string) (*session, error) {
	cfg := s.admin
	if as == asGuest {
		cfg = s.guest
	}
	cfg = cfg.Clone()
	cfg.DBName = database
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	c := &session{server: s, pool: sql.OpenDB(connector)}
	c.pool.SetMaxOpenConns(1)
	if c.conn, err = c.pool.Conn(ctx); err == nil {
		err = c.conn.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&c.id)
	}
	if err != nil {
		c.close()
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return c, nil
}

func (c *session) close() {
	if c.conn != nil {
		c.conn.Close()
	}
	c.pool.Close()
}

// errTime is the cause of a statement that was ended because it ran too long.
var errTime = errors.New("it ran too long and was stopped")

// bounded runs f within the session's limit. The driver only hangs up when a context ends; the server goes on with the
// statement, so it is killed.
func (c *session) bounded(ctx context.Context, f func(ctx context.Context) error) error {
	if c.limit == 0 {
		return f(ctx)
	}
	limited, cancel := context.WithTimeoutCause(ctx, c.limit, errTime)
	defer cancel()
	err := f(limited)
	if err != nil && limited.Err() != nil {
		kill, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer stop()
		if a, kerr := c.server.session(kill, asAdmin, ""); kerr == nil {
			// MariaDB can lose a KILL to a procedure that handles every error (tested on 10.11), so it is said again until the
			// server knows no such thread.
			for a.exec(kill, fmt.Sprintf("KILL %d", c.id)) == nil {
				time.Sleep(20 * time.Millisecond)
			}
			a.close()
		}
		if context.Cause(limited) == errTime {
			return fmt.Errorf("%w (after %v)", errTime, c.limit)
		}
		return context.Cause(limited)
	}
	return err
}

// exec sends one statement.
func (c *session) exec(ctx context.Context, text string) error {
	return c.bounded(ctx, func(ctx context.Context) error {
		_, err := c.conn.ExecContext(ctx, text)
		return err
	})
}

// query sends one statement and gives its rows as text, at most max of them (0: all).
func (c *session) query(ctx context.Context, max int, text string) (rows [][]sql.NullString, err error) {
	err = c.bounded(ctx, func(ctx context.Context) error {
		rs, err := c.conn.QueryContext(ctx, text)
		if err != nil {
			return err
		}
		defer rs.Close()
		columns, err := rs.Columns()
		if err != nil {
			return err
		}
		for rs.Next() && (max == 0 || len(rows) < max) {
			row := make([]sql.NullString, len(columns))
			into := make([]any, len(columns))
			for i := range row {
				into[i] = &row[i]
			}
			if err := rs.Scan(into...); err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return rs.Err()
	})
	return rows, err
}
