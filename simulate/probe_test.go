package simulate

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"instep/analyzer/schema"
	"instep/simulate/servertest"
)

// measureTables are what most tests measure on: a table of all that matters to an ALTER, with its parent.
const measureTables = `CREATE TABLE customers (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, nick VARCHAR(40) NOT NULL);
CREATE TABLE orders (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  customer_id INT NOT NULL,
  status ENUM('new','paid','sent') NOT NULL,
  email VARCHAR(100) NOT NULL,
  name VARCHAR(100) NULL,
  code VARCHAR(40) NULL,
  short VARCHAR(60) NULL,
  amount DECIMAL(10,2) NOT NULL,
  note VARCHAR(100) NULL,
  hole INT NULL,
  qty INT NOT NULL DEFAULT 1,
  KEY k_customer (customer_id),
  KEY k_code (code)
) DEFAULT CHARSET=utf8mb4;
CREATE TABLE latin (id INT NOT NULL PRIMARY KEY, v VARCHAR(40)) DEFAULT CHARSET=latin1;
CREATE TABLE three (id INT NOT NULL PRIMARY KEY, v VARCHAR(40), w VARCHAR(80)) DEFAULT CHARSET=utf8mb3`

// measureDatabase gives a database with measureTables and n orders, and its schema as the server has it.
func measureDatabase(t testing.TB, server *Server, n int) (database string, s *schema.Schema) {
	t.Helper()
	ctx := context.Background()
	database, err := server.createDatabase(ctx, "measured", "utf8mb4", "")
	if err != nil {
		t.Fatal(err)
	}
	c := measureSession(t, server, database)
	run := func(sql string) {
		t.Helper()
		if err := c.exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	for sql := range strings.SplitSeq(measureTables, ";\n") {
		run(sql)
	}
	if n > 0 {
		run("INSERT INTO customers (nick) VALUES ('a'), ('b'), ('c'), ('d'), ('e'), ('f'), ('g'), ('h'), ('i'), ('j')")
		run("INSERT INTO latin VALUES (1, 'a'), (2, 'b')")
		run("INSERT INTO three VALUES (1, 'a', 'c'), (2, 'b', 'd')")
		run("CREATE TABLE digits (n INT NOT NULL)")
		run("INSERT INTO digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)")
		run(`INSERT INTO orders (customer_id, status, email, name, code, short, amount, note, hole)
SELECT 1 + x % 10, 1 + x % 3, CONCAT(x, '@example.org'), CONCAT('name of number ', x), CONCAT('c', x), CONCAT('s', x), x, 'n', IF(x % 10 = 0, NULL, x)
FROM (SELECT a.n + 10*b.n + 100*c.n + 1000*d.n + 10000*e.n AS x FROM digits a, digits b, digits c, digits d, digits e) y WHERE x < ` + strconv.Itoa(n) + " ORDER BY x")
		run("DROP TABLE digits")
	}
	if s, err = definitions(ctx, c, server.Version, database); err != nil {
		t.Fatal(err)
	}
	return database, s
}

func measureSession(t testing.TB, server *Server, database string) *session {
	t.Helper()
	c, err := server.session(context.Background(), asGuest, database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	c.limit = time.Minute
	return c
}

// measureServers runs a test on both servers at the same time.
func measureServers(t *testing.T, f func(t *testing.T, server *Server)) {
	for _, s := range []struct {
		name  string
		start func(testing.TB) *servertest.Server
	}{{"mysql", servertest.MySQL}, {"mariadb", servertest.MariaDB}} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			f(t, testServer(t, s.start(t)))
		})
	}
}

// TestProbe asks both servers about the statements of which it was measured what they do (1,000,000 rows, MySQL 9.7.4 and
// MariaDB 10.11): a probe on one row has to say the same.
func TestProbe(t *testing.T) {
	const none = ""
	measureServers(t, func(t *testing.T, srv *Server) {
		database, before := measureDatabase(t, srv, 50)
		var total time.Duration
		n := 0
		for _, tt := range []struct{ sql, mysql, mariadb string }{
			{"ALTER TABLE orders ADD COLUMN c INT NULL", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders ADD COLUMN c INT NOT NULL DEFAULT 7", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders ADD COLUMN c INT NOT NULL", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders ADD COLUMN c DATE NOT NULL", "rebuild INPLACE NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders ADD COLUMN c INT NULL AFTER customer_id", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders ADD COLUMN c INT NULL FIRST", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders ADD COLUMN c DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders ADD COLUMN c CHAR(36) NOT NULL DEFAULT (UUID())", none, "copy COPY SHARED"},
			{"ALTER TABLE orders ADD COLUMN c INT GENERATED ALWAYS AS (qty + 1) VIRTUAL", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders ADD COLUMN c INT GENERATED ALWAYS AS (qty + 1) STORED", "copy COPY SHARED", "copy COPY SHARED"},
			{"ALTER TABLE orders DROP COLUMN qty", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders DROP COLUMN code", "rebuild INPLACE NONE", "metadata NOCOPY NONE"},
			{"ALTER TABLE orders MODIFY code VARCHAR(63) NULL", "metadata INPLACE NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders MODIFY short VARCHAR(70) NULL", "copy COPY SHARED", "copy COPY SHARED"},
			{"ALTER TABLE orders MODIFY name VARCHAR(200) NULL", "metadata INPLACE NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders MODIFY name VARCHAR(50) NULL", "copy COPY SHARED", "copy COPY SHARED"},
			{"ALTER TABLE orders MODIFY name VARCHAR(8) NULL", "copy COPY SHARED", "copy COPY SHARED"},
			{"ALTER TABLE orders MODIFY name TEXT NULL", "copy COPY SHARED", "copy COPY SHARED"},
			{"ALTER TABLE orders MODIFY qty BIGINT NOT NULL DEFAULT 1", "copy COPY SHARED", "copy COPY SHARED"},
			{"ALTER TABLE orders MODIFY id BIGINT NOT NULL AUTO_INCREMENT", "copy COPY SHARED", "copy COPY SHARED"},
			{"ALTER TABLE orders MODIFY note VARCHAR(100) NOT NULL", "rebuild INPLACE NONE", "rebuild INPLACE NONE"},
			{"ALTER TABLE orders MODIFY hole INT NOT NULL", "rebuild INPLACE NONE", "rebuild INPLACE NONE"},
			{"ALTER TABLE orders MODIFY qty INT NULL DEFAULT 1", "rebuild INPLACE NONE", "rebuild INPLACE NONE"},
			{"ALTER TABLE orders MODIFY id INT NOT NULL", "copy COPY SHARED", "metadata INSTANT NONE"},
			{"ALTER TABLE orders MODIFY qty INT NOT NULL DEFAULT 1 FIRST", "rebuild INPLACE NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders MODIFY qty INT NOT NULL DEFAULT 1 COMMENT 'x'", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders RENAME COLUMN qty TO pieces", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders CHANGE qty pieces INT NOT NULL DEFAULT 1", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders ALTER COLUMN qty SET DEFAULT 3", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders MODIFY qty INT NOT NULL DEFAULT 3", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders MODIFY status ENUM('new','paid','sent','lost') NOT NULL", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders MODIFY status ENUM('new','lost','paid','sent') NOT NULL", "copy COPY SHARED", "copy COPY SHARED"},
			{"ALTER TABLE orders MODIFY status ENUM('new','paid') NOT NULL", "copy COPY SHARED", "copy COPY SHARED"},
			{"ALTER TABLE orders ADD INDEX k_email (email)", "index INPLACE NONE", "index NOCOPY NONE"},
			{"CREATE INDEX k_ca ON orders (customer_id, amount)", "index INPLACE NONE", "index NOCOPY NONE"},
			{"ALTER TABLE orders ADD UNIQUE u_email (email)", "index INPLACE NONE", "index NOCOPY NONE"},
			{"CREATE UNIQUE INDEX u_c ON orders (customer_id)", "index INPLACE NONE", "index NOCOPY NONE"},
			{"ALTER TABLE orders ADD FULLTEXT (name)", "rebuild INPLACE SHARED", "rebuild INPLACE SHARED"},
			{"DROP INDEX k_code ON orders", "metadata INPLACE NONE", "metadata NOCOPY NONE"},
			{"ALTER TABLE orders RENAME INDEX k_code TO k_codes", "metadata INPLACE NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders DROP PRIMARY KEY, ADD PRIMARY KEY (id, customer_id)", "rebuild INPLACE NONE", "rebuild INPLACE NONE"},
			{"ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (customer_id) REFERENCES customers (id)", "copy COPY SHARED", "copy COPY SHARED"},
			{"SET foreign_key_checks=0; ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (customer_id) REFERENCES customers (id)", "metadata INPLACE NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders ADD CHECK (qty > 0)", "copy COPY SHARED", "copy COPY SHARED"},
			{"ALTER TABLE latin CONVERT TO CHARACTER SET utf8mb4", "copy COPY SHARED", "copy COPY SHARED"},
			{"ALTER TABLE three CONVERT TO CHARACTER SET utf8mb4", "copy COPY SHARED", "copy COPY SHARED"},
			{"ALTER TABLE orders CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "copy COPY SHARED", "copy COPY SHARED"},
			{"ALTER TABLE latin DEFAULT CHARACTER SET utf8mb4", "metadata INPLACE NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders ENGINE=InnoDB", "rebuild INPLACE NONE", "rebuild INPLACE NONE"},
			{"ALTER TABLE orders RENAME TO bills", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"RENAME TABLE orders TO bills", "metadata", "metadata"},
			{"DROP TABLE orders", none, none},
			{"TRUNCATE TABLE orders", none, none},

			// What is not in that table.
			{"ALTER TABLE orders ADD COLUMN c INT, ADD INDEX k_q (qty)", "rebuild INPLACE NONE", "rebuild INPLACE NONE"},
			{"ALTER TABLE three MODIFY v VARCHAR(40) CHARACTER SET utf8mb4", "metadata INPLACE NONE", "metadata INSTANT NONE"}, // within 255 bytes
			{"ALTER TABLE orders PARTITION BY HASH (id) PARTITIONS 2", "copy COPY SHARED", "rebuild"},                          // MariaDB takes any clauses there
			{"ALTER TABLE orders ADD COLUMN c INT, ALGORITHM=COPY, LOCK=SHARED", "copy INSTANT NONE", "copy INSTANT NONE"},
			{"ALTER TABLE orders ALGORITHM=INPLACE, ADD COLUMN c INT /* LOCK=SHARED */", "rebuild INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE orders ADD INDEX (email), ALGORITHM=INSTANT", "INPLACE NONE", "NOCOPY NONE"}, // refused as written
			{"ALTER TABLE orders DROP COLUMN nothing", none, none},
			{"ALTER TABLE elsewhere.orders ADD COLUMN c INT", none, none},
			{"UPDATE orders SET qty = 2", none, none},
		} {
			sql := tt.sql
			want := tt.mysql
			if srv.Version.MariaDB {
				want = tt.mariadb
			}
			migrator := measureSession(t, srv, database)
			s := before
			if set, rest, ok := strings.Cut(sql, "; "); ok {
				if err := migrator.exec(t.Context(), set); err != nil {
					t.Fatal(err)
				}
				sql = rest
			}
			after, _ := s.Apply(schema.Statement{SQL: sql})
			start := time.Now()
			p := probeOnce(t, srv, database, s, after, migrator, sql)
			took := time.Since(start)
			total += took
			n++
			migrator.close()
			if got := strings.TrimSpace(p.work + " " + p.algorithm + " " + p.lock); got != want {
				t.Errorf("%s:\n got %q\nwant %q", tt.sql, got, want)
			}
		}
		t.Logf("%d statements, %v each", n, total/time.Duration(n))
	})
}

// TestStepText reads statements, and writes other clauses into them.
func TestStepText(t *testing.T) {
	my, maria := schema.Server{Major: 8, Minor: 4}, schema.Server{MariaDB: true, Major: 10, Minor: 11}
	for _, tt := range []struct {
		sql, verb, tables, refs string
		qualified               bool
		with                    string // "" if it takes no clauses
	}{
		{"ALTER TABLE t ADD c INT", "alter table", "t", "", false, "ALTER TABLE t ALGORITHM=X, LOCK=Y, ADD c INT"},
		{"alter table `a``b` add c int -- , ALGORITHM=COPY", "alter table", "a`b", "", false, "alter table `a``b` ALGORITHM=X, LOCK=Y, add c int -- , ALGORITHM=COPY"},
		{"ALTER TABLE t ADD c INT, ALGORITHM=INPLACE, LOCK NONE", "alter table", "t", "", false, "ALTER TABLE t ALGORITHM=X, LOCK=Y, ADD c INT"},
		{"ALTER TABLE t ALGORITHM=INPLACE, LOCK=NONE, ADD c INT", "alter table", "t", "", false, "ALTER TABLE t ALGORITHM=X, LOCK=Y, ADD c INT"},
		{"ALTER TABLE t LOCK=NONE", "alter table", "t", "", false, "ALTER TABLE t ALGORITHM=X, LOCK=Y"},
		{"ALTER TABLE t ADD `lock` INT, ADD (lock2 INT, algorithm INT)", "alter table", "t", "", false, "ALTER TABLE t ALGORITHM=X, LOCK=Y, ADD `lock` INT, ADD (lock2 INT, algorithm INT)"},
		{"ALTER TABLE t ADD c INT COMMENT ', LOCK=NONE', ALGORITHM = COPY PARTITION BY HASH (c)", "alter table", "t", "", false,
			"ALTER TABLE t ALGORITHM=X, LOCK=Y, ADD c INT COMMENT ', LOCK=NONE' PARTITION BY HASH (c)"},
		{"ALTER TABLE t PARTITION BY KEY (id)", "alter table", "t", "", false, "ALTER TABLE t ALGORITHM=X, LOCK=Y PARTITION BY KEY (id)"},
		{"ALTER TABLE t REMOVE PARTITIONING", "alter table", "t", "", false, "ALTER TABLE t ALGORITHM=X, LOCK=Y REMOVE PARTITIONING"},
		{"ALTER TABLE t ADD PARTITION (PARTITION p1 VALUES IN (1))", "alter table", "t", "", false, "ALTER TABLE t ALGORITHM=X, LOCK=Y, ADD PARTITION (PARTITION p1 VALUES IN (1))"},
		{"/*!40000 ALTER TABLE t DISABLE KEYS */", "alter table", "t", "", false, "/*!40000 ALTER TABLE t ALGORITHM=X, LOCK=Y, DISABLE KEYS */"},
		{"ALTER TABLE t /*!99999 nothing */ ADD c INT /*!50500 , LOCK=NONE */", "alter table", "t", "", false,
			"ALTER TABLE t ALGORITHM=X, LOCK=Y, /*!99999 nothing */ ADD c INT /*!50500 */"},
		{"ALTER TABLE db.t ADD c INT", "alter table", "t", "", true, "-"},
		{"ALTER TABLE t RENAME TO db.u", "alter table", "t", "", true, "-"},
		{"ALTER TABLE t RENAME COLUMN a TO b, ADD CHECK (t.b > 0)", "alter table", "t", "", false, "ALTER TABLE t ALGORITHM=X, LOCK=Y, RENAME COLUMN a TO b, ADD CHECK (t.b > 0)"},
		{"ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES `p` (id), ADD b INT REFERENCES q (id)", "alter table", "t", "p,q", false,
			"ALTER TABLE t ALGORITHM=X, LOCK=Y, ADD FOREIGN KEY (a) REFERENCES `p` (id), ADD b INT REFERENCES q (id)"},
		{"ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES other.p (id)", "alter table", "t", "p", true, "-"},
		{"CREATE UNIQUE INDEX i ON t (a, b(10)) COMMENT 'x' ALGORITHM=INPLACE LOCK=NONE", "create index", "t", "", false, "CREATE UNIQUE INDEX i ON t (a, b(10)) COMMENT 'x' ALGORITHM=X LOCK=Y"},
		{"CREATE INDEX i ON t (lock) /*!80000 INVISIBLE */ # end", "create index", "t", "", false, "CREATE INDEX i ON t (lock) /*!80000 INVISIBLE */ ALGORITHM=X LOCK=Y # end"},
		{"DROP INDEX `i` ON t LOCK=NONE", "drop index", "t", "", false, "ALTER TABLE `t` ALGORITHM=X, LOCK=Y, DROP INDEX `i`"},
		{"RENAME TABLE a TO b, c TO d", "rename table", "a,c", "", false, ""},
		{"DROP TABLE IF EXISTS a, b CASCADE", "drop table", "a,b", "", false, ""},
		{"DROP TEMPORARY TABLE a", "", "", "", false, ""},
		{"CREATE TEMPORARY TABLE a (id INT)", "", "", "", false, ""},
		{"CREATE TABLE IF NOT EXISTS a (id INT REFERENCES p (id))", "create table", "a", "p", false, ""},
		{"CREATE DEFINER=`x`@`%` TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1", "create trigger", "t", "", false, ""},
		{"CREATE PROCEDURE p() ALTER TABLE t ADD c INT", "", "", "", false, ""},
		{"TRUNCATE t", "truncate", "t", "", false, ""},
		{"INSERT IGNORE INTO t (a) SELECT a FROM u", "insert", "t", "", false, ""},
		{"WITH x AS (SELECT id FROM u WHERE 'update' = '') UPDATE t JOIN x USING (id) SET t.a = 1", "update", "t", "", false, ""},
		{"DELETE FROM t WHERE id = 1", "delete", "t", "", false, ""},
		{"SELECT 1", "", "", "", false, ""},
		{"", "", "", "", false, ""},
		{"ALTER", "", "", "", false, ""},
		{"ALTER TABLE", "alter table", "", "", false, "ALTER TABLE ALGORITHM=X, LOCK=Y"},
		{"ALTER TABLE `t", "alter table", "`", "", false, "-"},
		{"DROP INDEX", "drop index", "", "", false, ""},
		{"RENAME TABLE a", "rename table", "a", "", false, ""},
	} {
		x := readStep(tt.sql, textMode{}, my)
		with := strings.Join(strings.Fields(x.with("X", "Y")), " ") // blanks take the place of what is left out
		if tt.with == "-" {
			with = tt.with
		}
		if x.verb != tt.verb || strings.Join(x.tables, ",") != tt.tables && tt.tables != "`" || strings.Join(x.refs, ",") != tt.refs || x.qualified != tt.qualified || with != tt.with {
			t.Errorf("%s:\n got %q %q %q %v %q\nwant %q %q %q %v %q", tt.sql, x.verb, x.tables, x.refs, x.qualified, with, tt.verb, tt.tables, tt.refs, tt.qualified, tt.with)
		}
	}
	if x := readStep(`ALTER TABLE "t" NOWAIT ADD c INT`, textMode{ansiQuotes: true}, maria); x.with("X", "") != `ALTER TABLE "t" NOWAIT ALGORITHM=X, ADD c INT` || x.tables[0] != "t" {
		t.Errorf("%+v %q", x, x.with("X", ""))
	}
	if x := readStep(`ALTER TABLE t /*M!100100 ADD c INT, */ /*!50701 nothing */ ADD d INT`, textMode{}, maria); len(x.ts) != 10 {
		t.Errorf("%d tokens", len(x.ts))
	}
}

// FuzzStepText holds the reader to end and to stay inside of the text, whatever it is given.
func FuzzStepText(f *testing.F) {
	for _, s := range []string{"ALTER TABLE t ADD c INT, LOCK=NONE", "CREATE INDEX i ON t (a) /*!80000 X */", "DROP INDEX i ON t", "RENAME TABLE a TO b.", "ALTER TABLE a.", "/*!", "ALTER TABLE t REFERENCES", "WITH x UPDATE t."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		for _, v := range []schema.Server{{Major: 8, Minor: 4}, {MariaDB: true, Major: 10, Minor: 11}} {
			x := readStep(sql, textMode{}, v)
			if got := x.with("COPY", "SHARED"); got != "" && !strings.Contains(got, "ALGORITHM=COPY") {
				t.Errorf("%q has no clause", got)
			}
		}
	})
}

// TestProbeRelations asks about what depends on other tables, on keys, or on rows that are hard to copy.
func TestProbeRelations(t *testing.T) {
	measureServers(t, func(t *testing.T, srv *Server) {
		ctx := t.Context()
		database, err := srv.createDatabase(ctx, "related", "latin1", "latin1_swedish_ci")
		if err != nil {
			t.Fatal(err)
		}
		c := measureSession(t, srv, database)
		for _, sql := range []string{
			"SET foreign_key_checks = 0, sql_mode = ''",
			"CREATE TABLE child (id INT NOT NULL, p INT NOT NULL, q INT NULL, v VARCHAR(20) NULL, twice INT AS (p * 2) STORED, z DATE NULL, KEY kp (p), CONSTRAINT f FOREIGN KEY (p) REFERENCES parent (id))",
			"CREATE TABLE parent (id INT NOT NULL PRIMARY KEY, grand INT NULL, FOREIGN KEY (grand) REFERENCES grand (id))",
			"CREATE TABLE grand (id INT NOT NULL PRIMARY KEY)",
			"CREATE TABLE blank (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, e ENUM('a','b') NOT NULL, n INT NOT NULL, CHECK (n >= 0))",
			"CREATE TABLE `odd-name $x` (`k``ey` VARBINARY(20) NOT NULL, `group` VARCHAR(10) NOT NULL, n INT NOT NULL, PRIMARY KEY (`k``ey`, `group`)) CHARSET=utf8mb4",
			"CREATE TABLE parts (id INT NOT NULL, v INT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))",
			"INSERT INTO parent VALUES (1, NULL), (2, 7)",
			"INSERT INTO child (id, p, v) VALUES (1, 99, NULL), (2, 2, NULL), (3, 1, 'x')", // the first is an orphan
			"INSERT INTO `odd-name $x` VALUES (X'00275C', 'a''\\\\b', 1), (X'FF', 'ä', 2)",
			"INSERT INTO parts VALUES (1, 1), (11, 2)",
		} {
			if err := c.exec(ctx, sql); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
		before, err := definitions(ctx, c, srv.Version, database)
		if err != nil {
			t.Fatal(err)
		}
		migrator := measureSession(t, srv, database)
		for _, tt := range []struct{ sql, mysql, mariadb string }{
			{"ALTER TABLE child DROP INDEX kp", "", ""},                                                      // 1553
			{"ALTER TABLE parent MODIFY id BIGINT NOT NULL", "", ""},                                         // 3780, 1833
			{"ALTER TABLE parent RENAME COLUMN id TO pid", "metadata INPLACE NONE", "metadata INSTANT NONE"}, // referenced
			{"ALTER TABLE child ADD CONSTRAINT g FOREIGN KEY (q) REFERENCES grand (id)", "copy COPY SHARED", "copy COPY SHARED"},
			{"ALTER TABLE child MODIFY v VARCHAR(20) NOT NULL", "rebuild INPLACE NONE", "copy COPY SHARED"}, // one row of three has no NULL; MariaDB copies for the STORED column
			{"ALTER TABLE child ADD COLUMN w INT", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE child DROP FOREIGN KEY f", "metadata INPLACE NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE child ADD CONSTRAINT again FOREIGN KEY (p) REFERENCES parent (id)", "copy COPY SHARED", "copy COPY SHARED"},
			{"ALTER TABLE blank ADD COLUMN w INT", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE `odd-name $x` ADD COLUMN w INT FIRST", "metadata INSTANT NONE", "metadata INSTANT NONE"},
			{"ALTER TABLE `odd-name $x` ADD INDEX (n)", "index INPLACE NONE", "index NOCOPY NONE"},
			{"ALTER TABLE parts DROP PARTITION p0", "INPLACE NONE", "metadata"}, // MySQL does not list the indexes of partitions,
			{"ALTER TABLE parts ADD INDEX (v)", "INPLACE NONE", "index NOCOPY NONE"},
			{"ALTER TABLE parts ADD PARTITION (PARTITION p2 VALUES LESS THAN (30))", "INPLACE NONE", "metadata"},
			{"ALTER TABLE parts REORGANIZE PARTITION p0, p1 INTO (PARTITION p VALUES LESS THAN (20))", "rebuild INPLACE SHARED", "rebuild"},
			{"ALTER TABLE parts REMOVE PARTITIONING", "copy COPY SHARED", "rebuild"},
		} {
			want := tt.mysql
			if srv.Version.MariaDB {
				want = tt.mariadb
			}
			after, _ := before.Apply(schema.Statement{SQL: tt.sql})
			p := probeOnce(t, srv, database, before, after, migrator, tt.sql)
			if got := strings.TrimSpace(p.work + " " + p.algorithm + " " + p.lock); got != want {
				t.Errorf("%s:\n got %q\nwant %q", tt.sql, got, want)
			}
		}
		// A reader and a writer find their way in each of these tables.
		for _, table := range []string{"child", "blank", "odd-name $x", "parts", "parent"} {
			sql := "ALTER TABLE " + quoteName(table) + " ADD COLUMN added INT"
			after, err := before.Apply(schema.Statement{SQL: sql})
			if err != nil {
				t.Fatal(err)
			}
			s, err := measure(ctx, c, database, before, after, schema.Statement{SQL: sql}, measureOptions{Traffic: true, Probe: true, Rate: time.Millisecond})
			if err != nil || s.Error != nil || s.Work != "metadata" || s.Reader.BeforeMillis <= 0 || s.Writer.BeforeMillis <= 0 || s.Reader.Errors != nil || s.Writer.Errors != nil {
				t.Errorf("%s: %+v %v", sql, s, err)
			}
			// MySQL rebuilds a table without rows, and the probe tells what it would do with some.
			if !srv.Version.MariaDB && s.RowVersions != 1 && s.Rows > 0 {
				t.Errorf("%s: %d row versions", sql, s.RowVersions)
			}
		}
	})
}

// TestProbeRowVersions asks as if the table had used up its row versions.
func TestProbeRowVersions(t *testing.T) {
	srv := testServer(t, servertest.MySQL(t))
	database, before := measureDatabase(t, srv, 10)
	c := measureSession(t, srv, database)
	for _, tt := range []struct{ sql, want string }{
		{"ALTER TABLE orders ADD COLUMN c INT", "rebuild INPLACE NONE"},
		{"ALTER TABLE orders ALTER COLUMN qty SET DEFAULT 3", "metadata INSTANT NONE"}, // takes no version
	} {
		m := measurement{server: srv, migrator: c, database: database, before: before, o: measureOptions{Probe: true}}
		var err error
		if m.admin, err = srv.session(t.Context(), asAdmin, ""); err != nil {
			t.Fatal(err)
		}
		defer m.admin.close()
		defer m.close()
		if err := m.look(t.Context(), schema.Statement{SQL: tt.sql}); err != nil {
			t.Fatal(err)
		}
		cl, err := newCloner(t.Context(), srv, m.admin, database, m.text, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer cl.close(t.Context())
		clone, err := cl.make(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p, err := cl.run(t.Context(), m.fresh, clone, m.text, true)
		if got := strings.TrimSpace(p.work + " " + p.algorithm + " " + p.lock); got != tt.want || err != nil {
			t.Errorf("%s:\n got %q %v\nwant %q", tt.sql, got, err, tt.want)
		}
	}
	for version, limit := range map[schema.Server]int{{Major: 8, Minor: 0, Patch: 28}: 0, {Major: 8, Minor: 0, Patch: 29}: 64, {Major: 8, Minor: 4}: 64, {Major: 9, Minor: 0}: 64, {Major: 9, Minor: 7}: 255,
		{MariaDB: true, Major: 10, Minor: 11}: 0, {Major: 5, Minor: 7}: 0} {
		if got := rowVersionLimit(version); got != limit {
			t.Errorf("%+v: %d, want %d", version, got, limit)
		}
	}
}

// probeOnce asks about one statement.
func probeOnce(t *testing.T, srv *Server, database string, before, after *schema.Schema, migrator *session, sql string) probe {
	t.Helper()
	admin, err := srv.session(t.Context(), asAdmin, "")
	if err != nil {
		t.Fatal(err)
	}
	defer admin.close()
	m := measurement{server: srv, admin: admin, migrator: migrator, database: database, before: before, after: after, o: measureOptions{Probe: true}}
	defer m.close()
	if err := m.look(t.Context(), schema.Statement{SQL: sql}); err != nil {
		t.Fatal(err)
	}
	p, w, err := m.probe(t.Context())
	if err != nil || w != nil {
		t.Fatal(w, err)
	}
	return p
}
