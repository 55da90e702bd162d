package simulate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

// DSN uses an existing server. It makes databases of its own there and a guest's account that can do nothing outside them, and
// touches nothing else. What it makes is removed at the end, or by the next run that is given the same server.
//
// What it does not do: the server's memory and disk are not bounded, and it cannot be killed.
var DSN = &Engine{
	Name:  "dsn",
	Doc:   "an existing server given by --dsn or INSTEP_DSN: databases of its own with a random name",
	Start: startDSN,
	Sweep: sweepDSN,
}

const (
	// dsnRenew is how often a run says that it lives, and dsnDead after what silence it is taken for dead where locks do not
	// tell.
	dsnRenew = 20 * time.Second
	dsnDead  = 10 * time.Minute
	// dsnPatience bounds each question about the server.
	dsnPatience = 15 * time.Second
	// dsnRows is how many rows another database may have before it looks like one that somebody needs.
	dsnRows = 1000
)

// A run is marked by a database of the name of its prefix without the last underscore, which the guest cannot touch, with this
// table. Its prefix is the name of a user-level lock that the run holds, too.
const dsnMarker = "instep_run"

// dsnRun is the name of a database that marks a run, and of its guest: what newPrefix gives without its end.
var dsnRun = regexp.MustCompile(`^instep_[a-z2-7]{12}$`)

// A dsnServer is a run on an existing server.
type dsnServer struct {
	server *Server
	about  dsnAbout
	run    string // the marker's name, and the guest's
	own    bool   // the guest is an account that we have made

	stop context.CancelFunc
	done sync.WaitGroup
	hold *session // it has the lock
}

func startDSN(ctx context.Context, o EngineOptions) (*Server, error) {
	admin, err := dsnConfig(o.DSN)
	if err != nil {
		return nil, err
	}
	s := &Server{Engine: "dsn", Name: "the server at " + admin.Addr, Prefix: newPrefix(), admin: admin}
	connect, cancel := context.WithTimeout(ctx, dsnPatience)
	c, err := s.session(connect, asAdmin, "")
	cancel()
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("dsn: %w", err)
	}
	defer c.close()
	c.limit = dsnPatience
	if s.Version, s.Name, err = readVersion(ctx, c); err != nil {
		return nil, fmt.Errorf("dsn: %w", err)
	}
	about, err := recognise(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("dsn: %w", err)
	}
	s.Cluster, s.Notes = about.cluster, slices.Clone(about.notes)
	s.Notes = append(s.Notes, "the server's own settings apply; its memory and disk are not bounded by this run, and it is not killed")
	if !o.YesThisServer {
		if facts := productionFacts(ctx, c, admin.Addr); len(facts) > 0 {
			return nil, fmt.Errorf("dsn: %s looks like a server that somebody needs: %s. Nothing was changed there. If it may be used, give --yes-this-server",
				admin.Addr, strings.Join(facts, "; "))
		}
	}
	d := &dsnServer{server: s, about: about, run: strings.TrimSuffix(s.Prefix, "_")}
	if err := d.mark(ctx, c, o.Keep); err != nil {
		return nil, errors.Join(err, d.close())
	}
	if err := d.invite(ctx, c, o.YesThisServer); err != nil {
		return nil, errors.Join(err, d.close())
	}
	s.close = d.close
	host, port, err := net.SplitHostPort(admin.Addr)
	where := fmt.Sprintf("--host=%s --port=%s", host, port)
	if admin.Net == "unix" || err != nil {
		where = "--socket=" + admin.Addr
	}
	s.Connect = fmt.Sprintf("mysql %s --user=%s", where, s.guest.User)
	if d.own {
		s.Connect += " --password=" + s.guest.Passwd
	}
	s.Connect += fmt.Sprintf(" (databases %s…; the first run against this server after %d hours drops them)", s.Prefix, keptLimit/time.Hour)
	return s, nil
}

// dsnConfig reads a data source name. A database in it is not used, and what would let a server read our files is turned off.
func dsnConfig(dsn string) (*mysql.Config, error) {
	if dsn == "" {
		return nil, &UnavailableError{
			Tried:   "dsn: no server is given",
			Provide: "give --dsn USER:PASSWORD@tcp(HOST:3306)/ or set INSTEP_DSN",
		}
	}
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		// The driver's error can quote what it could not read, which may be the password.
		return nil, errors.New("dsn: the data source name is not of the form USER:PASSWORD@tcp(HOST:3306)/")
	}
	cfg.DBName = ""
	cfg.AllowAllFiles, cfg.MultiStatements = false, false
	cfg.Logger = &mysql.NopLogger{}
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	return cfg, nil
}

// mark makes the marker of this run and takes its lock, which goes on until close.
func (d *dsnServer) mark(ctx context.Context, c *session, keep bool) (err error) {
	if d.hold, err = d.server.session(ctx, asAdmin, ""); err != nil {
		return err
	}
	d.hold.limit = dsnPatience
	if err := d.lock(ctx); err != nil {
		return err
	}
	if err := c.exec(ctx, "CREATE DATABASE "+quoteName(d.run)); err != nil {
		if d.about.cluster == "Vitess" {
			return fmt.Errorf("dsn: Vitess makes a keyspace by its own tools and not by CREATE DATABASE (Vitess manual: MySQL Compatibility, Create/Drop Database): "+
				"give a MySQL server of the version of its tablets instead (%w)", err)
		}
		return fmt.Errorf("dsn: %s makes no database: %w", d.server.Name, err)
	}
	table := quoteName(d.run) + "." + dsnMarker
	hours := 0
	if keep {
		hours = int(keptLimit / time.Hour)
	}
	// The server's clock counts, not ours.
	for _, text := range []string{
		"CREATE TABLE " + table + " (id INT NOT NULL PRIMARY KEY, seen DATETIME NOT NULL, kept DATETIME NOT NULL)",
		fmt.Sprintf("INSERT INTO %s VALUES (1, UTC_TIMESTAMP(), UTC_TIMESTAMP() + INTERVAL %d HOUR)", table, hours),
	} {
		if err := c.exec(ctx, text); err != nil {
			return fmt.Errorf("dsn: marking this run: %w", err)
		}
	}
	renew, stop := context.WithCancel(context.Background())
	d.stop = stop
	d.done.Go(func() { d.renew(renew, table) })
	return nil
}

// lock takes the lock of this run, where the server has locks.
func (d *dsnServer) lock(ctx context.Context) error {
	// A server may hang up on who is silent for long; this connection is, but for its renewal.
	d.hold.exec(ctx, "SET SESSION wait_timeout = 3600")
	free, err := takeLock(ctx, d.hold, d.run)
	if err == nil && !free {
		return fmt.Errorf("dsn: another run has the name %s", d.run)
	}
	return nil // without locks the marker's time tells alone
}

// takeLock takes a user-level lock. An error says that there are none: a Galera cluster refuses GET_LOCK (MDEV-30473).
func takeLock(ctx context.Context, c *session, name string) (free bool, err error) {
	rows, err := c.query(ctx, 1, "SELECT GET_LOCK('"+name+"', 0)") // TiDB makes it a second
	if err != nil {
		return false, err
	}
	if len(rows) == 0 || !rows[0][0].Valid {
		return false, errors.New("the server gives no lock")
	}
	return rows[0][0].String == "1", nil
}

// renew says every now and then that this run lives, over the connection that holds the lock; one that has broken is replaced.
func (d *dsnServer) renew(ctx context.Context, table string) {
	tick := time.NewTicker(dsnRenew)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if d.hold.exec(context.WithoutCancel(ctx), "UPDATE "+table+" SET seen = UTC_TIMESTAMP() WHERE id = 1") == nil {
			continue
		}
		d.hold.close()
		for {
			c, err := d.server.session(ctx, asAdmin, "")
			if err == nil {
				c.limit = dsnPatience
				d.hold = c
				d.lock(ctx)
				break
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
		}
	}
}

// invite makes the guest's account. Where we may not, the given account is the guest if it is known to have no power outside
// databases such as ours.
func (d *dsnServer) invite(ctx context.Context, c *session, anyway bool) error {
	s := d.server
	s.guest = s.admin.Clone()
	s.guest.User, s.guest.Passwd = d.run, rand.Text()+"-a1" // as servers want them that judge passwords
	var refused error
	for i, g := range grants(s.guest.User, "%", s.guest.Passwd, s.Prefix) {
		if refused = c.exec(ctx, g); refused != nil {
			if code, ok := serverError(refused); !ok || !slices.Contains([]int{1044, 1045, 1142, 1227, 1235, 1290, 1410}, code.Code) {
				return fmt.Errorf("dsn: making the guest's account: %w", refused)
			}
			if i > 0 {
				c.exec(ctx, "DROP USER IF EXISTS '"+s.guest.User+"'@'%'")
			}
			break
		}
		d.own = true
	}
	if refused != nil {
		d.own = false
		s.guest = s.admin.Clone()
		powers, err := powersOf(ctx, c)
		switch {
		case err != nil:
			return fmt.Errorf("dsn: what the account may do: %w", err)
		case len(powers) > 0 && !anyway:
			return fmt.Errorf("dsn: the account may not create the account under which untrusted SQL would run (%w), and it is no such account itself: it has %s. "+
				"Give an account with CREATE USER and GRANT OPTION, or one with GRANT ALL ON `instep\\_%%`.* alone, or give --yes-this-server",
				refused, strings.Join(powers, "; "))
		case len(powers) > 0:
			s.Notes = append(s.Notes, "all SQL runs under the given account, which has "+strings.Join(powers, "; "))
		}
		return nil
	}
	// An account of another host name may come first, and with partial_revokes a pattern is no pattern (MySQL manual: Privilege
	// Restriction Using Partial Revokes).
	g, err := s.session(ctx, asGuest, "")
	if err != nil {
		return fmt.Errorf("dsn: the guest's account cannot log in: %w", err)
	}
	defer g.close()
	g.limit = dsnPatience
	probe := quoteName(s.Prefix + "probe")
	if err := g.exec(ctx, "CREATE DATABASE "+probe); err != nil {
		return fmt.Errorf("dsn: the guest's account has no right to its own databases (partial_revokes turns patterns off): %w", err)
	}
	return c.exec(ctx, "DROP DATABASE "+probe)
}

// grantText is a line of SHOW GRANTS: the privileges and what they are for.
var grantText = regexp.MustCompile("(?is)^GRANT (.+?) ON (?:TABLE |PROCEDURE |FUNCTION )?(\\*\\.\\*|(?:`(?:[^`]|``)*`|\\w+)\\.(?:\\*|`(?:[^`]|``)*`|\\w+)) TO ")

// powersOf gives what an account may do outside databases such as ours. What is not understood counts.
func powersOf(ctx context.Context, c *session) ([]string, error) {
	rows, err := c.query(ctx, 0, "SHOW GRANTS")
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, r := range rows {
		lines = append(lines, r[0].String)
	}
	return powers(lines), nil
}

func powers(lines []string) []string {
	var list []string
	for _, line := range lines {
		m := grantText.FindStringSubmatch(line)
		if m == nil {
			// A role's powers are not followed. A line can hold the hash of a password.
			head, _, _ := strings.Cut(line, " TO ")
			if !strings.HasPrefix(line, "SET DEFAULT ROLE") {
				list = append(list, dsnShort(head, 200))
			}
			continue
		}
		privileges, on := m[1], m[2]
		if strings.EqualFold(privileges, "USAGE") || strings.HasPrefix(on, "`instep\\_") {
			continue
		}
		if on == "`information_schema`.*" || on == "`performance_schema`.*" && strings.EqualFold(privileges, "SELECT") {
			continue
		}
		list = append(list, dsnShort(privileges, 200)+" ON "+on)
	}
	return list
}

// close drops what this run has made. It is called whatever the context of the run is.
func (d *dsnServer) close() error {
	if d.stop != nil {
		d.stop()
		d.done.Wait()
	}
	if d.hold == nil {
		return nil
	}
	defer d.hold.close() // and the lock ends with it
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c, err := d.server.session(ctx, asAdmin, "")
	if err != nil {
		return fmt.Errorf("dsn: removing the databases %s…: %w", d.server.Prefix, err)
	}
	defer c.close()
	return removeRun(ctx, c, d.run)
}

// removeRun drops the databases of a run and its guest, the marker last: without it nothing would be recognised any more.
func removeRun(ctx context.Context, c *session, run string) error {
	if !dsnRun.MatchString(run) {
		return fmt.Errorf("dsn: %q is no run", run)
	}
	// A statement that is still going on would keep its database.
	if clients, err := clientsOf(ctx, c); err == nil {
		for _, other := range clients {
			if other.id != c.id && (other.user == run || strings.HasPrefix(other.database, run+"_")) {
				c.exec(ctx, fmt.Sprintf("KILL %d", other.id))
			}
		}
	}
	rows, err := c.query(ctx, 0, "SELECT schema_name FROM information_schema.schemata WHERE LEFT(schema_name, "+strconv.Itoa(len(run)+1)+") = '"+run+"_'")
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range rows {
		if name := r[0].String; strings.HasPrefix(name, run+"_") {
			errs = append(errs, c.exec(ctx, "DROP DATABASE IF EXISTS "+quoteName(name)))
		}
	}
	if err := c.exec(ctx, "DROP USER IF EXISTS '"+run+"'@'%'"); err != nil {
		// An account that may not make accounts has made none.
		if code, ok := serverError(err); !ok || code.Code != 1227 && code.Code != 1044 && code.Code != 1142 && code.Code != 1290 {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("dsn: removing %s: %w", run, err)
	}
	return c.exec(ctx, "DROP DATABASE IF EXISTS "+quoteName(run))
}

// sweepDSN drops what runs that have died left on a server. A database is only dropped if its name is that of a run and that
// run's marker is there.
func sweepDSN(ctx context.Context, o EngineOptions) error {
	if o.DSN == "" || o.Engine != "dsn" && o.Engine != "" && o.Engine != "auto" {
		return nil
	}
	admin, err := dsnConfig(o.DSN)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	s := &Server{Engine: "dsn", Name: admin.Addr, admin: admin}
	c, err := s.session(ctx, asAdmin, "")
	if err != nil {
		return err
	}
	defer c.close()
	about, err := recognise(ctx, c)
	if err != nil {
		return err
	}
	rows, err := c.query(ctx, 0, "SELECT schema_name FROM information_schema.schemata WHERE LEFT(schema_name, 7) = 'instep_'")
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range rows {
		run := r[0].String
		if !dsnRun.MatchString(run) {
			continue
		}
		dead, err := runDead(ctx, c, about, run)
		if err == nil && dead {
			err = removeRun(ctx, c, run)
			c.query(ctx, 1, "SELECT RELEASE_LOCK('"+run+"')")
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// runDead tells whether the run of a marker has died. It then holds its lock, where there are locks, so that no other sweep
// comes between.
func runDead(ctx context.Context, c *session, about dsnAbout, run string) (bool, error) {
	rows, err := c.query(ctx, 2, "SELECT TIMESTAMPDIFF(SECOND, seen, UTC_TIMESTAMP()), kept > UTC_TIMESTAMP() FROM "+quoteName(run)+"."+dsnMarker)
	var code *mysql.MySQLError
	if errors.As(err, &code) && code.Number == 1146 {
		return runUnborn(ctx, c, about, run)
	}
	if err != nil {
		return false, err
	}
	if len(rows) == 0 {
		return runUnborn(ctx, c, about, run)
	}
	silent, err := strconv.ParseInt(rows[0][0].String, 10, 64)
	if err != nil || rows[0][1].String == "1" {
		return false, err
	}
	free, err := takeLock(ctx, c, run)
	if err == nil && !free {
		return false, nil
	}
	if err == nil && !about.elsewhere {
		return true, nil
	}
	// A lock that is free says nothing where locks are those of one node.
	dead := time.Duration(silent)*time.Second > dsnDead
	if err == nil && !dead {
		c.query(ctx, 1, "SELECT RELEASE_LOCK('"+run+"')")
	}
	return dead, nil
}

// runUnborn tells whether a database is a marker whose run died before it could write into it. It holds nothing then, or an empty
// marker's table, and the run's lock, which came first, is free. Where locks do not tell, it stays.
func runUnborn(ctx context.Context, c *session, about dsnAbout, run string) (bool, error) {
	rows, err := c.query(ctx, 1, "SELECT (SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '"+run+"' AND table_name <> '"+dsnMarker+"') + "+
		"(SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = '"+run+"') + "+
		"(SELECT COUNT(*) FROM information_schema.events WHERE event_schema = '"+run+"') + "+
		"(SELECT COUNT(*) FROM information_schema.schemata WHERE LEFT(schema_name, "+strconv.Itoa(len(run)+1)+") = '"+run+"_')")
	if err != nil || len(rows) != 1 || rows[0][0].String != "0" || about.elsewhere {
		return false, err
	}
	return takeLock(ctx, c, run)
}
