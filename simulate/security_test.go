package simulate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// testHostile runs as the guest what a stranger's migration may try. Every engine whose server is a throwaway one is held to it.
func testHostile(t *testing.T, s *Server) {
	ctx := t.Context()
	db, err := s.createDatabase(ctx, "hostile", "", "")
	if err != nil {
		t.Fatal(err)
	}
	admin, err := s.session(ctx, asAdmin, "")
	if err != nil {
		t.Fatal(err)
	}
	defer admin.close()
	other := "other_" + strings.TrimSuffix(s.Prefix, "_")
	for _, q := range []string{
		"CREATE DATABASE " + other,
		"CREATE TABLE " + other + ".t (secret INT)",
		"INSERT INTO " + other + ".t VALUES (42)",
	} {
		if err := admin.exec(ctx, q); err != nil {
			t.Fatal(err)
		}
	}
	defer admin.exec(context.WithoutCancel(ctx), "DROP DATABASE "+other)
	guest, err := s.session(ctx, asGuest, db)
	if err != nil {
		t.Fatal(err)
	}
	defer guest.close()
	guest.limit = 10 * time.Second
	if err := guest.exec(ctx, "CREATE TABLE t (a TEXT)"); err != nil {
		t.Fatal(err)
	}

	// The server has to refuse LOCAL, not the driver.
	mysql.RegisterReaderHandler("hostile", func() io.Reader { return strings.NewReader("stolen\n") })
	defer mysql.DeregisterReaderHandler("hostile")

	sub := strings.NewReplacer("{db}", db, "{other}", other, "{admin}", fmt.Sprint(admin.id), "{prefix}", s.Prefix, "{prefix-}", strings.TrimSuffix(s.Prefix, "_")+"x")
	for _, test := range []struct {
		sql            string
		mysql, mariadb int // the error's number
	}{
		// files
		{"LOAD DATA INFILE '/etc/passwd' INTO TABLE t", 1045, 1045},
		{"LOAD DATA LOCAL INFILE 'Reader::hostile' INTO TABLE t", 3948, 4166},
		{"LOAD XML INFILE '/etc/passwd' INTO TABLE t", 1045, 1045},
		{"SELECT 'x' INTO OUTFILE '/tmp/instep-hostile'", 1227, 1227},
		{"SELECT 'x' INTO DUMPFILE '/tmp/instep-hostile'", 1227, 1227},
		{"CREATE TABLESPACE x ADD DATAFILE '/tmp/instep-hostile.ibd'", 1227, 1064},
		{"SET GLOBAL general_log_file = '/tmp/instep-hostile'", 1227, 1227},
		{"SET GLOBAL secure_file_priv = ''", 1238, 1238},
		// code
		{"CREATE FUNCTION f RETURNS STRING SONAME 'udf.so'", 1044, 1044},
		{"INSTALL PLUGIN x SONAME 'x.so'", 1142, 1142},
		{"INSTALL SONAME 'ha_connect'", 1064, 1142},
		{"UNINSTALL PLUGIN mysql_native_password", 1142, 1142},
		{"INSTALL COMPONENT 'file://component_x'", 1142, 1064},
		// the server
		{"SHUTDOWN", 1227, 1227},
		{"RESTART", 1227, 1064},
		{"SET GLOBAL max_connections = 1", 1227, 1227},
		{"SET GLOBAL local_infile = 1", 1227, 1227},
		{"SET GLOBAL event_scheduler = ON", 1227, 1227},
		{"SET GLOBAL read_only = 1", 1227, 1227},
		{"SET PERSIST max_connections = 1", 1227, 1064},
		{"SET PERSIST_ONLY max_connections = 1", 3630, 1064},
		{"SET SESSION sql_log_bin = 0", 1227, 1227},
		{"ALTER INSTANCE ROTATE INNODB MASTER KEY", 1227, 1064},
		{"FLUSH TABLES WITH READ LOCK", 1227, 1227},
		{"FLUSH LOGS", 1227, 1227},
		{"LOCK INSTANCE FOR BACKUP", 1227, 1064},
		{"PURGE BINARY LOGS BEFORE NOW()", 1227, 1227},
		{"BINLOG 'AAAA'", 1227, 1227},
		{"KILL {admin}", 1095, 1095},
		{"KILL QUERY {admin}", 1095, 1095},
		// accounts
		{"CREATE USER x IDENTIFIED BY 'x'", 1227, 1227},
		{"CREATE ROLE x", 1227, 1227},
		{"DROP USER root", 1227, 1227},
		{"ALTER USER root IDENTIFIED BY 'x'", 1227, 1227},
		{"SET PASSWORD FOR root = 'x'", 1044, 1044},
		{"GRANT ALL PRIVILEGES ON *.* TO CURRENT_USER()", 1045, 1045},
		{"GRANT FILE ON *.* TO CURRENT_USER()", 1045, 1045},
		{"GRANT SELECT ON {db}.* TO root", 1044, 1044},
		{"CREATE DEFINER = root@`%` PROCEDURE p() SELECT 1", 1227, 1227},
		{"CREATE DEFINER = root@`%` SQL SECURITY DEFINER VIEW v AS SELECT 1", 1227, 1227},
		{"CREATE DEFINER = root@`%` EVENT e ON SCHEDULE EVERY 1 SECOND DO SELECT 1", 1227, 1227},
		// what belongs to others
		{"SELECT * FROM mysql.user", 1142, 1142},
		{"INSERT INTO mysql.db SELECT * FROM mysql.db", 1142, 1142},
		{"CREATE VIEW v AS SELECT * FROM mysql.user", 1142, 1142},
		{"USE mysql", 1044, 1044},
		{"CREATE TABLE mysql.x (a INT)", 1142, 1142},
		{"SELECT * FROM {other}.t", 1142, 1142},
		{"INSERT INTO {other}.t VALUES (1)", 1142, 1142},
		{"CREATE TRIGGER {other}.g BEFORE INSERT ON {other}.t FOR EACH ROW SET @a = 1", 1142, 1142},
		{"CREATE TABLE r (a INT, FOREIGN KEY (a) REFERENCES {other}.t (secret))", 1142, 1142},
		{"ALTER TABLE t RENAME TO {other}.stolen", 1142, 1142},
		{"DROP TABLE {other}.t", 1142, 1142},
		{"DROP DATABASE {other}", 1044, 1044},
		{"CREATE DATABASE x", 1044, 1044},
		{"CREATE DATABASE {prefix-}", 1044, 1044}, // a letter where the prefix has its last "_", which a pattern would match
		// the network
		{"CREATE SERVER x FOREIGN DATA WRAPPER mysql OPTIONS (HOST '127.0.0.1')", 1227, 1227},
		{"CREATE TABLE f (a INT) ENGINE=FEDERATED CONNECTION='mysql://root@127.0.0.1/mysql/user'", 1286, 1286},
		{"CREATE TABLE f (a INT) ENGINE=CONNECT", 1286, 1286},
		{"CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1'", 1227, 1064},
		{"CHANGE MASTER TO MASTER_HOST = '127.0.0.1'", 1064, 1227},
		{"CLONE INSTANCE FROM root@127.0.0.1:3306 IDENTIFIED BY 'x'", 1227, 1064},
	} {
		text := sub.Replace(test.sql)
		want := test.mysql
		if s.Version.MariaDB {
			want = test.mariadb
		}
		err := guest.exec(ctx, text)
		var refused *mysql.MySQLError
		switch {
		case err == nil:
			t.Errorf("%s: %s: it is allowed", s.Name, text)
		case !errors.As(err, &refused):
			t.Fatalf("%s: %s: %v", s.Name, text, err)
		case int(refused.Number) != want:
			t.Errorf("%s: %s: error %d, and not %d: %s", s.Name, text, refused.Number, want, refused.Message)
		}
	}

	// Reading a file gives NULL. That of the administrator does too: this does not hang on one privilege.
	for _, c := range []*session{guest, admin} {
		rows, err := c.query(ctx, 0, "SELECT LOAD_FILE('/etc/passwd')")
		if err != nil || len(rows) != 1 || rows[0][0].Valid {
			t.Errorf("%s: LOAD_FILE: %v, %v", s.Name, rows, err)
		}
	}
	if err := admin.exec(ctx, "SELECT 'x' INTO OUTFILE '/tmp/instep-hostile'"); err == nil {
		t.Errorf("%s: the administrator writes files", s.Name)
	}

	testHostileDirectory(t, s, guest)
	ran := testHostileEvent(t, s, guest)
	testHostileTime(t, s, db)
	ran()

	rows, err := admin.query(ctx, 0, "SELECT secret FROM "+other+".t")
	if err != nil || len(rows) != 1 || rows[0][0].String != "42" {
		t.Errorf("%s: another database has %v, %v", s.Name, rows, err)
	}
	if err := s.ended(); err != nil {
		t.Errorf("%s: it has ended: %v", s.Name, err)
	}
}

// testHostileDirectory: a table's file is not put elsewhere.
func testHostileDirectory(t *testing.T, s *Server, guest *session) {
	ctx := t.Context()
	for _, engine := range []string{"InnoDB", "MyISAM"} {
		for _, dir := range []string{"/tmp", "/var/tmp"} {
			name := strings.ToLower("d_" + engine + strings.ReplaceAll(dir, "/", "_"))
			err := guest.exec(ctx, fmt.Sprintf("CREATE TABLE %s (a INT) ENGINE=%s DATA DIRECTORY='%s'", name, engine, dir))
			if err != nil {
				t.Logf("%s: %s in %s: %v", s.Name, engine, dir, err)
				continue
			}
			rows, err := guest.query(ctx, 0, "SHOW CREATE TABLE "+name)
			if err != nil || len(rows) != 1 || strings.Contains(rows[0][1].String, "DATA DIRECTORY") {
				t.Errorf("%s: a table in %s: %v, %v", s.Name, dir, rows, err)
			}
		}
	}
}

// testHostileEvent makes an event, which is allowed. The returned function looks whether it has run.
func testHostileEvent(t *testing.T, s *Server, guest *session) func() {
	ctx := t.Context()
	for _, q := range []string{
		"CREATE TABLE ran (a INT)",
		"CREATE EVENT e ON SCHEDULE EVERY 1 SECOND STARTS '2000-01-01 00:00:00' DO INSERT INTO ran VALUES (1)",
	} {
		if err := guest.exec(ctx, q); err != nil {
			t.Errorf("%s: %s: %v", s.Name, q, err)
		}
	}
	made := time.Now()
	return func() {
		time.Sleep(time.Until(made.Add(2500 * time.Millisecond)))
		rows, err := guest.query(ctx, 0, "SELECT COUNT(*) FROM ran")
		if err != nil || len(rows) != 1 || rows[0][0].String != "0" {
			t.Errorf("%s: an event has run: %v, %v", s.Name, rows, err)
		}
	}
}

// testHostileTime: what never ends is ended, on the server too.
func testHostileTime(t *testing.T, s *Server, db string) {
	ctx := t.Context()
	admin, err := s.session(ctx, asAdmin, "")
	if err != nil {
		t.Fatal(err)
	}
	defer admin.close()
	c, err := s.session(ctx, asGuest, db)
	if err != nil {
		t.Fatal(err)
	}
	// It goes on after each error it is given.
	err = c.exec(ctx, "CREATE PROCEDURE endless() BEGIN DECLARE CONTINUE HANDLER FOR SQLEXCEPTION, SQLWARNING, NOT FOUND BEGIN END; "+
		"LOOP BEGIN DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END; SET @a = 1; SELECT a INTO @a FROM none; END; END LOOP; END")
	c.close()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range append(slices.Repeat([]string{"CALL endless()"}, 10), // MariaDB loses about every fifteenth KILL of it
		"SELECT SLEEP(1000)",
		"SELECT BENCHMARK(1000000000000, SHA2('x', 512))",
		"SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c, information_schema.columns d",
	) {
		c, err := s.session(ctx, asGuest, db)
		if err != nil {
			t.Fatal(err)
		}
		c.limit = 100 * time.Millisecond
		began := time.Now()
		err = c.exec(ctx, text)
		if took := time.Since(began); !errors.Is(err, errTime) || took > 45*time.Second {
			t.Errorf("%s: %s: %v after %v", s.Name, text, err, took)
		}
		for {
			rows, err := admin.query(ctx, 0, fmt.Sprintf("SELECT info FROM information_schema.processlist WHERE id = %d", c.id))
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) == 0 {
				break
			}
			if time.Since(began) > 20*time.Second {
				t.Errorf("%s: %s: it is still running", s.Name, text)
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		c.close()
	}
}

// testHostileDisk writes 10 GB to a server whose disk has far less. It ends in an error, soon, and the run knows why.
func testHostileDisk(t *testing.T, s *Server) {
	began := time.Now()
	err := hostileFill(t, s, func(ctx context.Context, c *session) error {
		for _, q := range []string{
			"SET SESSION sql_mode = ''",
			"CREATE TABLE big (id INT AUTO_INCREMENT PRIMARY KEY, b LONGBLOB)",
			"INSERT INTO big (b) VALUES (REPEAT('x', 1000000)), (REPEAT('y', 1000000)), (REPEAT('z', 1000000)), (REPEAT('u', 1000000))",
		} {
			if err := c.exec(ctx, q); err != nil {
				return err
			}
		}
		for n := 4; n < 10_000; n += 16 {
			if err := c.exec(ctx, "INSERT INTO big (b) SELECT a.b FROM big a, big b WHERE a.id <= 4 AND b.id <= 4"); err != nil {
				return err
			}
		}
		return nil
	})
	took := time.Since(began)
	if err == nil {
		t.Fatalf("%s: 10 GB are stored", s.Name)
	}
	t.Logf("%s: after %v: %v", s.Name, took, err)
	if took > time.Minute {
		t.Errorf("%s: it took %v", s.Name, took)
	}
	hostileEnded(t, s, "disk")
}

// testHostileMemory asks a server for far more memory than it has.
func testHostileMemory(t *testing.T, s *Server) {
	err := hostileFill(t, s, func(ctx context.Context, c *session) error {
		for i := range 2000 {
			if err := c.exec(ctx, fmt.Sprintf("SET @v%d = REPEAT('x', 16000000)", i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		t.Fatalf("%s: 32 GB are held in variables", s.Name)
	}
	t.Logf("%s: %v", s.Name, err)
	hostileEnded(t, s, "memory")
}

// hostileFill runs f as the guest, with the limit of time that a statement has.
func hostileFill(t *testing.T, s *Server, f func(context.Context, *session) error) error {
	t.Helper()
	db, err := s.createDatabase(t.Context(), "big", "", "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.session(t.Context(), asGuest, db)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	c.limit = 30 * time.Second
	return f(t.Context(), c)
}

// hostileEnded waits for the server to say that a bound has ended it, and holds it to failing at once from then on.
func hostileEnded(t *testing.T, s *Server, bound string) {
	t.Helper()
	began := time.Now()
	var why error
	for why = s.ended(); why == nil && time.Since(began) < 10*time.Second; why = s.ended() {
		time.Sleep(20 * time.Millisecond)
	}
	if why == nil || !strings.Contains(why.Error(), bound) {
		t.Fatalf("%s: it was ended because of %v, want its %s", s.Name, why, bound)
	}
	t.Logf("%s: %v", s.Name, why)
	time.Sleep(300 * time.Millisecond) // docker.sh looks every 250 ms
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if c, err := s.session(ctx, asAdmin, ""); err == nil {
		c.close()
		t.Errorf("%s: it was ended, and answers", s.Name)
	} else if ctx.Err() != nil {
		t.Errorf("%s: it was ended, and one waits for it: %v", s.Name, err)
	}
}

// TestDockerBounded fills the disk of both servers, which differ in what they do then, and the memory of one.
func TestDockerBounded(t *testing.T) {
	t.Run("mysql disk", func(t *testing.T) {
		testHostileDisk(t, startDockerTest(t, EngineOptions{Image: dockerTestMySQL, MaxDisk: dockerLeast}))
	})
	t.Run("mariadb disk", func(t *testing.T) {
		testHostileDisk(t, startDockerTest(t, EngineOptions{Image: dockerTestMariaDB, MaxDisk: dockerLeast}))
	})
	t.Run("mariadb memory", func(t *testing.T) {
		testHostileMemory(t, startDockerTest(t, EngineOptions{Image: dockerTestMariaDB, MaxDisk: dockerLeast, MaxMemory: dockerLeast + dockerNeeds}))
	})
}
