package simulate

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"instep/simulate/servertest"
)

// dumpSource is a schema with all that a dump has statements for.
const dumpSource = `
CREATE TABLE parent (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(200) NOT NULL, bin varbinary(40), body text, b bit(9), g point, at timestamp NULL);
CREATE TABLE child (id int PRIMARY KEY, parent_id int, up varchar(10) GENERATED ALWAYS AS (upper('x')) VIRTUAL, FOREIGN KEY (parent_id) REFERENCES parent (id));
CREATE TABLE log (n int);
CREATE VIEW v AS SELECT p.name, c.id FROM parent p JOIN child c ON c.parent_id = p.id;
`

var dumpObjects = []string{
	"CREATE TRIGGER child_log AFTER DELETE ON child FOR EACH ROW BEGIN /* a comment; */ INSERT INTO log VALUES (OLD.id); -- another; one\n SET @x = 'it''s; \\''; END",
	"CREATE PROCEDURE tidy() BEGIN DELETE FROM log; SELECT 'a;b'; END",
	"CREATE FUNCTION twice(n int) RETURNS int DETERMINISTIC RETURN n * 2",
	"CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 00:00:00' DO DELETE FROM log",
}

// dumper gives what runs a server's own dump program.
func dumper(t *testing.T, s *servertest.Server) func(args ...string) []byte {
	t.Helper()
	var command []string
	env := os.Environ()
	if s.MariaDB {
		path, err := exec.LookPath("mariadb-dump")
		if err != nil {
			t.Skip("SKIPPED, NOT TESTED: no mariadb-dump on this machine")
		}
		command = []string{path, "--no-defaults", "--socket=" + s.Addr, "--user=" + s.User}
	} else {
		_, port, err := net.SplitHostPort(s.Addr)
		if err != nil {
			t.Fatal(err)
		}
		id, err := exec.Command("docker", "ps", "-q", "--filter", "publish="+port).Output()
		if err != nil || len(bytes.Fields(id)) != 1 {
			t.Skipf("SKIPPED, NOT TESTED: the container of %s is not found: %v", s.Name, err)
		}
		env = append(env, "MYSQL_PWD="+s.Password)
		command = []string{"docker", "exec", "-e", "MYSQL_PWD", string(bytes.Fields(id)[0]), "mysqldump", "--no-defaults", "--user=" + s.User}
	}
	return func(args ...string) []byte {
		t.Helper()
		cmd := exec.Command(command[0], append(command[1:], args...)...)
		cmd.Env = env
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, stderr.String())
		}
		return out
	}
}

// packed writes a dump into a file, compressed as its extension says.
func packed(t testing.TB, name string, dump []byte) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch filepath.Ext(name) {
	case ".gz":
		w = gzip.NewWriter(&b)
	case ".xz":
		w, err = xz.NewWriter(&b)
	case ".zst":
		w, err = zstd.NewWriter(&b)
	default:
		b.Write(dump)
	}
	if err != nil {
		t.Fatal(err)
	}
	if w != nil {
		if _, err := w.Write(dump); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDumpReal dumps a database by the server's own program and loads it into another one.
func TestDumpReal(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *servertest.Server{"mysql": servertest.MySQL, "mariadb": servertest.MariaDB} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			s := start(t)
			srv := testServer(t, s)
			dump := dumper(t, s)
			c, source := guestIn(t, srv)
			runAll(t, c, dumpSource)
			sch := applied(t, srv.Version, nil, dumpSource)
			if _, err := fill(ctx, srv, source, sch, RowOptions{Each: 500, Seed: 1}, Progress{}); err != nil {
				t.Fatal(err)
			}
			for _, o := range dumpObjects {
				if err := c.exec(ctx, o); err != nil {
					t.Fatalf("%s: %v", o, err)
				}
			}
			want := sums(t, c, sch)
			for i, x := range []struct {
				file string
				args []string
			}{
				{"plain.sql", []string{source}},
				{"all.sql.gz", []string{"--routines", "--events", "--triggers", source}},
				{"databases.sql.zst", []string{"--routines", "--events", "--add-drop-database", "--databases", source}},
				{"hex.sql.xz", []string{"--hex-blob", "--skip-extended-insert", "--complete-insert", "--no-create-db", "--databases", source}},
			} {
				text := dump(x.args...)
				path := packed(t, x.file, text)
				into, err := srv.createDatabase(ctx, fmt.Sprintf("into%d", i), "", "")
				if err != nil {
					t.Fatal(err)
				}
				var notes []string
				n, err := loadDump(ctx, srv, into, path, noted(&notes))
				if err != nil {
					t.Errorf("%s: %v", x.file, err)
					continue
				}
				t.Logf("%s: %d bytes, %d statements %q", x.file, len(text), n, notes)
				d, err := srv.session(ctx, asGuest, into)
				if err != nil {
					t.Fatal(err)
				}
				if got := sums(t, d, sch); !maps.Equal(got, want) {
					t.Errorf("%s: %v, want %v", x.file, got, want)
				}
				if n := one(t, d, "SELECT COUNT(*) FROM v"); n != one(t, c, "SELECT COUNT(*) FROM v") {
					t.Errorf("%s: the view has %s rows", x.file, n)
				}
				if n := one(t, d, "SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = '"+into+"'"); n != "1" {
					t.Errorf("%s: %s triggers", x.file, n)
				}
				routines := map[bool]string{true: "2", false: "0"}[strings.Contains(strings.Join(x.args, " "), "--routines")]
				if n := one(t, d, "SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = '"+into+"'"); n != routines {
					t.Errorf("%s: %s routines, want %s", x.file, n, routines)
				}
				if bad := one(t, d, "SELECT definer FROM information_schema.triggers WHERE trigger_schema = '"+into+"' AND definer LIKE 'root@%'"); bad != "" {
					t.Errorf("%s: a trigger runs as %s", x.file, bad)
				}
				d.close()
			}
			if got := sums(t, c, sch); !maps.Equal(got, want) {
				t.Error("the source was changed")
			}
		})
	}
}

// TestDump holds what is read, and what is refused, to dumps that are written by hand.
func TestDump(t *testing.T) {
	srv := testServer(t, servertest.MariaDB(t))
	ctx := context.Background()
	for name, x := range map[string]struct {
		dump string
		err  string // "" if it loads
		rows string // of t
		note string
	}{
		"sandbox":    {dump: "/*M!999999\\- enable the sandbox mode */ \nCREATE TABLE t (a int);\nINSERT INTO t VALUES (1),(2);\n", rows: "2"},
		"comments":   {dump: "-- x; y\n# it's\n/* it's; */ CREATE TABLE t (a int /* ; */ -- ;\n, b int # ;'\n);INSERT INTO t VALUES (5--1,1)", rows: "1"},
		"strings":    {dump: "CREATE TABLE t (a text);INSERT INTO t VALUES ('a;''b\\';'),(\"c;\\\"\"),('\\\\');", rows: "3"},
		"crlf":       {dump: "\xef\xbb\xbfDELIMITER $$\r\nCREATE TABLE t (a int)$$\r\nDELIMITER ;\r\nINSERT INTO t VALUES (1);\r\n", rows: "1"},
		"use":        {dump: "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `shop` /*!40100 DEFAULT CHARACTER SET latin1 */;\nUSE `shop`;\nCREATE TABLE t (a int);", rows: "0"},
		"two":        {dump: "USE shop;\nCREATE TABLE t (a int);\nUSE `crm`;\n", err: ":3: the dump is of two databases, shop and crm"},
		"elsewhere":  {dump: "CREATE TABLE t (a int);\n\nINSERT INTO mysql.user VALUES (1);", err: ":3: Error 1142"},
		"drop":       {dump: "CREATE TABLE t (a int);\nDROP TABLE mysql.user;", err: ":2: Error 1142"},
		"server":     {dump: "SET @@GLOBAL.GTID_PURGED='x';\nSET @@SESSION.SQL_LOG_BIN= 0;\nCHANGE MASTER TO MASTER_LOG_FILE='x';\nFLUSH PRIVILEGES;\nGRANT ALL ON *.* TO x;LOCK TABLES `t` WRITE;\nCREATE TABLE t (a int);UNLOCK TABLES;", rows: "0", note: "accounts and grants were left out"},
		"collation":  {dump: "CREATE TABLE t (a varchar(9) COLLATE utf8mb4_0900_ai_ci) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;\nINSERT INTO t VALUES ('utf8mb4_0900_ai_ci');", err: ":2: Error 1406"},
		"collation2": {dump: "CREATE TABLE t (a varchar(99) COLLATE utf8mb4_0900_ai_ci) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;\nINSERT INTO t VALUES ('utf8mb4_0900_ai_ci');", rows: "1", note: "is taken as utf8mb4_unicode_520_ci"},
		"cut":        {dump: "CREATE TABLE t (a int);\nINSERT INTO t VALUES ('x", err: "the dump ends inside a string or a name that begins in line 2"},
		"cut2":       {dump: "CREATE TABLE t (a int) /* x", err: "the dump ends inside a comment"},
		"client":     {dump: "\\! rm -rf /\n", err: ":1: a command of the mysql client"},
		"file":       {dump: "CREATE TABLE t (a int);SELECT 1 INTO OUTFILE '/tmp/x';", err: "Access denied"},
		"version":    {dump: "CREATE TABLE t (a int);\n/*!99999 THIS IS NOT SQL */;\n/*!50000 INSERT INTO t VALUES (1) /* inner; */ */;", rows: "1"},
		"view":       {dump: "CREATE TABLE t (a int);\n/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`root`@`%` SQL SECURITY DEFINER */\n/*!50001 VIEW `v` AS select `t`.`a` AS `a` from `t` */;", rows: "0"},
		"comment":    {dump: "CREATE TABLE t (a int COMMENT 'DEFINER=`x`@`y`');\nINSERT INTO t SELECT 1 FROM information_schema.columns WHERE column_comment = 'DEFINER=`x`@`y`' AND table_schema = DATABASE();", rows: "1"},
		"bzip2":      {dump: "BZh91AY", err: "bzip2"},
		"postgres":   {dump: "PGDMP\x01", err: "PostgreSQL"},
	} {
		t.Run(name, func(t *testing.T) {
			into, err := srv.createDatabase(ctx, name, "utf8mb4", "")
			if err != nil {
				t.Fatal(err)
			}
			var notes []string
			_, err = loadDump(ctx, srv, into, packed(t, "d.sql", []byte(x.dump)), noted(&notes))
			switch {
			case x.err == "" && err != nil:
				t.Fatal(err)
			case x.err != "" && (err == nil || !strings.Contains(err.Error(), x.err)):
				t.Fatalf("%v, want %q", err, x.err)
			case x.note != "" && !strings.Contains(strings.Join(notes, "\n"), x.note):
				t.Errorf("notes %q", notes)
			}
			if x.err != "" {
				return
			}
			c, err := srv.session(ctx, asGuest, into)
			if err != nil {
				t.Fatal(err)
			}
			defer c.close()
			if n := one(t, c, "SELECT COUNT(*) FROM t"); n != x.rows {
				t.Errorf("%s rows, want %s", n, x.rows)
			}
		})
	}
}

// repeated gives a text again and again, up to a size.
type repeated struct {
	text string
	left int64
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && r.left > 0 {
		k := copy(p[n:], r.text[r.at:])
		r.at = (r.at + k) % len(r.text)
		n += k
		r.left -= int64(k)
	}
	return n, nil
}

// TestDumpBomb reads files that are small and grow: one statement without an end is refused at a bound, an xz file that wants a
// huge window before it is read.
func TestDumpBomb(t *testing.T) {
	srv := testServer(t, servertest.MariaDB(t))
	ctx := context.Background()
	into, err := srv.createDatabase(ctx, "bomb", "", "")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bomb.sql.zst")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := zstd.NewWriter(f)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, &repeated{text: "SELECT 'aaaaaaaaaaaaaaaaaaaaaaaa' + ", left: 200 << 20}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	before := one(t, mustSession(t, srv), "SELECT @@GLOBAL.max_allowed_packet")
	if _, err := loadDump(ctx, srv, into, path, Progress{}); err == nil || !strings.Contains(err.Error(), "is larger than") {
		t.Errorf("a statement without an end: %v", err)
	}
	if after := one(t, mustSession(t, srv), "SELECT @@GLOBAL.max_allowed_packet"); after != before {
		t.Errorf("max_allowed_packet is %s afterwards, and was %s", after, before)
	}

	good, err := os.ReadFile(packed(t, "d.sql.xz", []byte("SELECT 1;")))
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.IndexByte(good[12:], 0x21) + 12
	good[i+2] = 40 // 4 GB
	bad := filepath.Join(t.TempDir(), "window.xz")
	if err := os.WriteFile(bad, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadDump(ctx, srv, into, bad, Progress{}); err == nil || !strings.Contains(err.Error(), "window of 4") {
		t.Errorf("a window of 4 GB: %v", err)
	}
}

func mustSession(t testing.TB, srv *Server) *session {
	t.Helper()
	c, err := srv.session(context.Background(), asAdmin, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return c
}
