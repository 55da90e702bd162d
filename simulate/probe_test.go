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
			admin, err := srv.session(t.Context(), asAdmin, "")
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			m := measurement{server: srv, admin: admin, migrator: migrator, database: database, before: s, after: after, o: measureOptions{Probe: true}}
			if err := m.look(t.Context(), schema.Statement{SQL: sql}); err != nil {
				t.Fatal(err)
			}
			p, w, err := m.probe(t.Context())
			if err != nil || w != nil {
				t.Fatal(w, err)
			}
			took := time.Since(start)
			total += took
			n++
			admin.close()
			migrator.close()
			if got := strings.TrimSpace(p.work + " " + p.algorithm + " " + p.lock); got != want {
				t.Errorf("%s:\n got %q\nwant %q", tt.sql, got, want)
			}
		}
		t.Logf("%d statements, %v each", n, total/time.Duration(n))
	})
}
