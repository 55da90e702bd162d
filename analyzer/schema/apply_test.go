package schema

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// apply applies statements of migration "m", each of which must work.
func apply(t testing.TB, s *Schema, sqls ...string) *Schema {
	t.Helper()
	for _, q := range sqls {
		var err error
		if s, err = s.Apply(Statement{SQL: q, Pos: Pos{"m.sql", 1, 1}, Verbatim: true, Migration: "m"}); err != nil {
			t.Fatalf("%s\n%v", q, err)
		}
	}
	return s
}

var mysql84, mariadb1011, mysql57 = Server{Major: 8, Minor: 4}, Server{MariaDB: true, Major: 10, Minor: 11}, Server{Major: 5, Minor: 7}

// TestErrors asserts what the errors say and where they point. Numbers are TestServers' matter.
func TestErrors(t *testing.T) {
	const users = "CREATE TABLE users (id INT PRIMARY KEY)"
	tests := []struct {
		setup string
		sql   string
		want  string
		about string // the objects, "any" for anything
	}{
		{users, "ALTER TABLE users\n  ADD COLUMN a INT,\n  DROP COLUMN nope", "m.sql:3:3: cannot drop column `nope`: table `users` does not have it (error 1091)", "users"},
		{users, "ALTER TABLE users ADD b INT,\n ADD a WAT", "m.sql:2:6: cannot read this definition: near \"WAT\"", "users.a"},
		{users, "CREATE TABLE x (\n a INT,\n b INT DEFAULT 'x')", "m.sql:3:16: invalid default for column `b` (error 1067)", "x"},
		{users, "ALTER TABLE users FROB", "m.sql:1:19: cannot read \"FROB\" here: want a clause of ALTER TABLE", "users"},
		{users, "CALL add_columns()", "m.sql:1:6: what the procedure `add_columns` does is not known", "any"},
		{"CREATE PROCEDURE p () BEGIN IF 1 THEN ALTER TABLE a ADD b INT; END IF; END", "CALL p()", "m.sql:1:6: what the procedure `p` does is not known: it says ALTER", "any"},
		{users, "EXECUTE stmt", "m.sql:1:1: what \"EXECUTE stmt\" does is not known", "any"},
		{users, "/* hi */ FROBNICATE users", "m.sql:1:10: what \"FROBNICATE users\" does is not known", "any"},
		{users, "CREATE TABLE x (a INT", "m.sql:1:22: the statement ends where ) should stand", "x"},
		{users, "CREATE TABLE x (a VARCHAR(10) DEFAULT 'abc)", "m.sql:1:39: string is not closed", "any"},
		{users, "CREATE TABLE x AS SELECT COUNT(*) AS n FROM users", "m.sql:1:19: the type of column `n` of this SELECT cannot be told", "x.n"},
		{"USE app", "ALTER TABLE other.t ADD a INT", "m.sql:1:13: `other`.`t` is in another database than `app`", "other.t"},
		{users, "CREATE TEMPORARY TABLE users (a INT)", "m.sql:1:24: a temporary table hides `users`", "users"},
		{users, "DROP DATABASE other", "m.sql:1:15: whether `other` is this database is not known", "any"},
		{users, "SET sql_mode = (SELECT 1 + 1)", "m.sql:1:16: the value of sql_mode cannot be told", "database"},
		{users, "CREATE TABLE " + strings.Repeat("(", 300), "m.sql:1:214: parentheses nest too deep", "any"},
	}
	for _, tt := range tests {
		s := apply(t, New(mysql84), tt.setup)
		next, err := s.Apply(Statement{SQL: tt.sql, Pos: Pos{"m.sql", 1, 1}, Verbatim: true, Migration: "m"})
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s\nno error", tt.sql)
			continue
		}
		if err.Error() != tt.want {
			t.Errorf("%s\ngot  %v\nwant %s", tt.sql, err, tt.want)
		}
		about := "any"
		if e.Objects != nil {
			about = e.Objects[0].String()
		}
		if about != tt.about {
			t.Errorf("%s\nis about %s, want %s", tt.sql, about, tt.about)
		}
		if e.Code != 0 && next != s {
			t.Errorf("%s\nchanges the schema", tt.sql)
		}
	}
}

// TestPartly: a definition that cannot be read costs that column's type, not the table; and what follows something unread is not
// said to be refused.
func TestPartly(t *testing.T) {
	s, err := New(mysql84).Apply(Statement{SQL: "CREATE TABLE a (id INT PRIMARY KEY, x WAT(3) NOT NULL, y INT, z INT DEFAULT OFF, KEY (x, y))"})
	if err == nil || s.Table("a") == nil || !s.Table("a").Column("x").Type.Unknown || s.Table("a").Column("x").Type.Name != "wat" || s.Table("a").Column("y").Type.Name != "int" || !s.Table("a").Column("z").Type.Unknown {
		t.Fatalf("%v %+v", err, s.Table("a"))
	}
	code := func(sql string) int {
		var err error
		s, err = s.Apply(Statement{SQL: sql})
		var e *Error
		if !errors.As(err, &e) {
			return -1
		}
		return e.Code
	}
	for _, tt := range []struct {
		sql  string
		want int
	}{
		{"ALTER TABLE a DROP COLUMN nope", 1091},
		{"ALTER TABLE a FROB nope", 0},
		{"ALTER TABLE a DROP COLUMN nope", 0},
		{"ALTER TABLE b DROP COLUMN nope", 1146},
		{"DROP TABLE a", -1},
		{"CREATE TABLE a (id INT)", -1},
		{"ALTER TABLE a DROP COLUMN nope", 1091},
		{"CALL x()", 0},
		{"ALTER TABLE a DROP COLUMN nope", 0},
	} {
		if got := code(tt.sql); got != tt.want {
			t.Errorf("%s: error %d, want %d", tt.sql, got, tt.want)
		}
	}
}

// TestUnreadTies: what could not be read is about each table that the statement names.
func TestUnreadTies(t *testing.T) {
	s := apply(t, New(mysql84), "CREATE TABLE users (id INT PRIMARY KEY)", "CREATE TABLE posts (user_id INT)", "CREATE TABLE tags (id INT)")
	for _, sql := range []string{
		"ALTER TABLE posts ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES `users` (id) FROBNICATE",
		"ALTER TABLE posts ADD COLUMN nick INT FROBNICATE, ADD FOREIGN KEY (user_id) REFERENCES users (id)",
		"ALTER TABLE posts FROBNICATE users",
		"ALTER TABLE posts ADD FOREIGN KEY (nope) REFERENCES users (id)",
	} {
		_, err := s.Apply(Statement{SQL: sql})
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		tables := map[string]bool{}
		for _, o := range e.Objects {
			tables[o.Table] = true
		}
		if !tables["posts"] || !tables["users"] || tables["tags"] {
			t.Errorf("%s: about %v", sql, e.Objects)
		}
	}
}

// TestHarmless holds statements that do not touch the schema to giving the very same one.
func TestHarmless(t *testing.T) {
	s := apply(t, New(mysql84), "CREATE TABLE users (id INT PRIMARY KEY)", "CREATE PROCEDURE fill (n INT) BEGIN DECLARE i INT; SET i = n; INSERT INTO users VALUES (i); END")
	for _, sql := range []string{
		"CALL fill(3)", "", "-- nothing", "SELECT 1", "(SELECT 1)", "INSERT INTO users VALUES (1) AS n ON DUPLICATE KEY UPDATE id = n.id", "/* x */ UPDATE users SET id = %s", "DELETE FROM nope",
		"LOCK TABLES users WRITE", "COMMIT", "ANALYZE TABLE users", "GRANT ALL ON *.* TO x", "SHOW TABLES", "WITH a AS (SELECT 1) SELECT * FROM a",
		"/*!40000 ALTER TABLE `users` DISABLE KEYS */;", "CREATE USER x", "DROP USER x", "SET @a = 1", "SET NAMES utf8mb4", "SET GLOBAL sql_mode = ''",
		"LOAD DATA INFILE 'x' INTO TABLE users", "/*!99999 DROP TABLE users */", "/*M! DROP TABLE users */", "PREPARE s FROM @sql",
		"DROP TEMPORARY TABLE users", "CREATE TEMPORARY TABLE t2 (a INT)", "INSERT INTO mysql.user VALUES (1)", "DROP TABLE IF EXISTS nope",
	} {
		next, err := s.Apply(Statement{SQL: sql})
		if err != nil {
			t.Errorf("%s: %v", sql, err)
		} else if c := next.SQL(); c != s.SQL() {
			t.Errorf("%s: changes the schema to\n%s", sql, c)
		}
	}
}

// TestOrigins: an origin stays with what is renamed or changed, and is new for what is made again.
func TestOrigins(t *testing.T) {
	s := apply(t, New(mysql84), "CREATE TABLE a (id INT, n INT)")
	want := func(col string, origin Origin) {
		t.Helper()
		tab, name, _ := strings.Cut(col, ".")
		if s.Table(tab) == nil || s.Table(tab).Column(name) == nil {
			t.Fatalf("no %s", col)
		}
		if got := s.Table(tab).Column(name).Origin; got != origin {
			t.Errorf("%s has origin %s, want %s", col, got, origin)
		}
	}
	want("a.n", "m|a.n#1")
	s = apply(t, s, "ALTER TABLE a RENAME COLUMN n TO o, CHANGE id pk BIGINT", "RENAME TABLE a TO b", "ALTER TABLE b MODIFY o TEXT")
	want("b.o", "m|a.n#1")
	want("b.pk", "m|a.id#1")
	s = apply(t, s, "ALTER TABLE b DROP COLUMN o", "ALTER TABLE b ADD COLUMN o TEXT")
	want("b.o", "m|b.o#1")
	s = apply(t, s, "ALTER TABLE b DROP COLUMN o, ADD COLUMN o TEXT")
	want("b.o", "m|b.o#2")
	s = apply(t, s, "DROP TABLE b", "CREATE TABLE a (n INT)")
	want("a.n", "m|a.n#2")
	if got := s.Table("a").Origin; got != "m|a#2" {
		t.Errorf("table has origin %s", got)
	}
	for _, o := range []Object{{Kind: KindTable, Table: "b"}, {KindColumn, "b", "o"}, {KindColumn, "a", "n"}} {
		if s.Dropped(o) == nil {
			t.Errorf("%s was dropped by nobody", o)
		}
	}
}

// TestOldServers: what MySQL 5.7 does by itself.
func TestOldServers(t *testing.T) {
	s := apply(t, New(mysql57), "SET sql_mode = ''", "CREATE TABLE a (t1 TIMESTAMP, t2 TIMESTAMP, t3 TIMESTAMP NULL, c VARCHAR(5), CHECK (c > 1))")
	a := s.Table("a")
	if d := a.Column("t1").Default; d == nil || d.Value != "CURRENT_TIMESTAMP" || a.Column("t1").OnUpdate == "" || a.Column("t1").Nullable {
		t.Errorf("t1: %+v", a.Column("t1"))
	}
	if d := a.Column("t2").Default; d == nil || d.Value != "0000-00-00 00:00:00" {
		t.Errorf("t2: %+v", d)
	}
	if !a.Column("t3").Default.Null || a.Column("c").Collation != "latin1_swedish_ci" || len(a.Checks) != 0 {
		t.Errorf("%+v", a)
	}
}

// TestSession: SET and USE change what later statements do.
func TestSession(t *testing.T) {
	s := apply(t, New(mysql84),
		"/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */",
		"/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */")
	if s.ForeignKeyChecks() || s.SQLMode() != "NO_AUTO_VALUE_ON_ZERO" {
		t.Errorf("%v %s", s.ForeignKeyChecks(), s.SQLMode())
	}
	s = apply(t, s, "SET SQL_MODE=@OLD_SQL_MODE", "SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS")
	if !s.ForeignKeyChecks() || s.SQLMode() != mysql84.sqlMode() {
		t.Errorf("%v %s", s.ForeignKeyChecks(), s.SQLMode())
	}
	s = apply(t, s, "SET SESSION sql_mode=(SELECT REPLACE(@@sql_mode,'ONLY_FULL_GROUP_BY,',''))", "SET sql_mode = CONCAT(@@sql_mode, ',ansi_quotes')")
	if s.SQLMode() != "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ANSI_QUOTES" {
		t.Error(s.SQLMode())
	}
	s = apply(t, s, `CREATE TABLE "a" ("b" INT)`, "CREATE DATABASE app CHARACTER SET latin1", "USE app", "ALTER TABLE app.a ADD c INT", "USE other", "SELECT 1", "USE app", "DROP TABLE a", "DROP DATABASE other")
	if len(s.Tables()) != 0 || s.Database() != "app" {
		t.Errorf("%v in %q", s.Tables(), s.Database())
	}
	s = apply(t, New(mysql84), "CREATE DATABASE app CHARACTER SET latin1", "USE app", "CREATE TABLE a (b TEXT)")
	if c := s.Table("a").Column("b").Collation; c != "latin1_swedish_ci" {
		t.Error(c)
	}
	s = apply(t, s, "SET sql_mode = 'NO_BACKSLASH_ESCAPES'", `CREATE TABLE n (a VARCHAR(10) DEFAULT 'x\' COMMENT 'y\n', e ENUM('a\b'))`)
	if c := s.Table("n").Column("a"); c.Default.Value != `x\` || c.Comment != `y\n` || s.Table("n").Column("e").Type.Members[0] != `a\b` {
		t.Errorf("%+v", c)
	}
}

// TestImmutable: the schema before is as it was, whatever a statement does.
func TestImmutable(t *testing.T) {
	scripts, _ := filepath.Glob("testdata/apply/*.sql")
	for _, script := range scripts {
		src, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		list, _ := Split(script, string(src))
		for _, server := range []Server{mysql84, mariadb1011} {
			s := New(server)
			for _, st := range list {
				before := fingerprint(s)
				next, _ := s.Apply(st)
				if after := fingerprint(s); after != before {
					t.Fatalf("%s: %s\nchanged the schema before:\n%s\n%s", st.Pos, st.SQL, before, after)
				}
				s = next
			}
		}
	}
}

// fingerprint prints all that a schema holds.
func fingerprint(s *Schema) string {
	var b strings.Builder
	for _, t := range s.Tables() {
		fmt.Fprintf(&b, "%s %s %s %s %s %v %p %p\n", t.Name, t.Engine, t.Charset, t.Collation, t.Comment, t.Options, t.Created, t.Last)
		for _, c := range t.Columns {
			fmt.Fprintf(&b, " %+v %+v %+v\n", *c, c.Default, c.Generated)
		}
		for _, k := range t.Keys {
			fmt.Fprintf(&b, " %+v\n", *k)
		}
		for _, f := range t.ForeignKeys {
			fmt.Fprintf(&b, " %+v\n", *f)
		}
		for _, c := range t.Checks {
			fmt.Fprintf(&b, " %+v\n", *c)
		}
		fmt.Fprintf(&b, " %+v\n", t.Partition)
	}
	for _, v := range s.Views() {
		fmt.Fprintf(&b, "%+v\n", *v)
	}
	for _, g := range s.Triggers() {
		fmt.Fprintf(&b, "%+v\n", *g)
	}
	fmt.Fprintf(&b, "%v %v %v %v %d", s.session, len(s.procs), len(s.events), len(s.seqs), len(s.dropped))
	return b.String()
}

// TestObjects reads views, triggers, routines and events.
func TestObjects(t *testing.T) {
	s := apply(t, New(mysql84), "CREATE TABLE a (id INT, n INT)", "CREATE TABLE b (id INT, m INT)",
		"CREATE /*!50001 ALGORITHM=MERGE */ /*!50013 DEFINER=`root`@`%` SQL SECURITY INVOKER */ VIEW `v` AS SELECT a.*, b.m AS x FROM a LEFT JOIN b ON a.id = b.id WHERE a.n IN (SELECT m FROM b) WITH LOCAL CHECK OPTION",
		"CREATE VIEW w (p, q) AS WITH c AS (SELECT 1 AS one) SELECT one, (SELECT MAX(id) FROM a) FROM c, v",
		"CREATE DEFINER=CURRENT_USER() TRIGGER tr AFTER UPDATE ON a FOR EACH ROW BEGIN INSERT INTO b VALUES (1, 2); END",
		"CREATE DEFINER='root'@'%' PROCEDURE p (IN x DECIMAL(5,2), OUT y INT) SQL SECURITY INVOKER BEGIN DROP TABLE a; END",
		"CREATE FUNCTION f () RETURNS DECIMAL(5,2) DETERMINISTIC RETURN 1",
		"CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1")
	v := s.View("v")
	if got := fmt.Sprintf("%v %v %s %s %s %s", v.Columns, v.Tables, v.Algorithm, v.Security, v.Definer, v.CheckOption); got != "[id n x] [a b] MERGE INVOKER `root`@`%` LOCAL" {
		t.Error(got)
	}
	if w := s.View("w"); fmt.Sprint(w.Columns, w.Tables) != "[p q] [a v]" {
		t.Error(w.Columns, w.Tables)
	}
	if g := s.Triggers()[0]; g.Table != "a" || g.Timing != "AFTER" || g.Event != "UPDATE" || !strings.HasPrefix(g.Body, "BEGIN INSERT") {
		t.Errorf("%+v", g)
	}
	if r := s.Routines(); len(r) != 2 || r[0].Returns != "DECIMAL(5, 2)" || r[1].Parameters != "IN x DECIMAL(5, 2), OUT y INT" {
		t.Errorf("%+v %+v", *r[0], *r[1])
	}
	if e := s.Events()[0]; e.Schedule != "EVERY 1 DAY" || !e.Disabled || e.Body != "SELECT 1" {
		t.Errorf("%+v", *e)
	}
	s = apply(t, s, "RENAME TABLE a TO z")
	if s.Triggers()[0].Table != "z" {
		t.Error("the trigger did not follow its table")
	}
	s = apply(t, s, "DROP TABLE z")
	if len(s.Triggers()) != 0 {
		t.Error("the trigger outlived its table")
	}
}

// TestFind finds columns and keys in statements of several lines.
func TestFind(t *testing.T) {
	st := Statement{Verbatim: true, Pos: Pos{"m.sql", 10, 3}, SQL: "CREATE TABLE a (\n  id INT,\n  n VARCHAR(10) COMMENT 'id, n',\n  PRIMARY KEY (id),\n  KEY k (n), UNIQUE KEY u (id),\n  CONSTRAINT f FOREIGN KEY (n) REFERENCES b (id),\n  CONSTRAINT c CHECK (n > 1)\n)"}
	alter := Statement{Verbatim: true, Pos: Pos{"m.sql", 10, 3}, SQL: "ALTER TABLE a\n ADD COLUMN x INT,\n DROP y,\n CHANGE b c INT,\n ADD KEY x (x), RENAME COLUMN p TO q,\n DROP FOREIGN KEY f,\n DROP z, ADD z INT"}
	for _, tt := range []struct {
		st   Statement
		o    Object
		want string
	}{
		{st, Object{KindColumn, "a", "id"}, "m.sql:11:3"},
		{st, Object{KindColumn, "a", "N"}, "m.sql:12:3"},
		{st, Object{KindColumn, "a", "nope"}, "m.sql:10:3"},
		{st, Object{KindKey, "a", "PRIMARY"}, "m.sql:13:3"},
		{st, Object{KindKey, "a", "k"}, "m.sql:14:3"},
		{st, Object{KindKey, "a", "u"}, "m.sql:14:14"},
		{st, Object{KindForeignKey, "a", "f"}, "m.sql:15:3"},
		{st, Object{KindCheck, "a", "c"}, "m.sql:16:3"},
		{st, Object{Kind: KindTable, Table: "a"}, "m.sql:10:3"},
		{alter, Object{KindColumn, "a", "x"}, "m.sql:11:2"},
		{alter, Object{KindColumn, "a", "y"}, "m.sql:12:2"},
		{alter, Object{KindColumn, "a", "b"}, "m.sql:13:2"},
		{alter, Object{KindColumn, "a", "c"}, "m.sql:13:2"},
		{alter, Object{KindKey, "a", "x"}, "m.sql:14:2"},
		{alter, Object{KindColumn, "a", "p"}, "m.sql:14:17"},
		{alter, Object{KindColumn, "a", "q"}, "m.sql:14:17"},
		{alter, Object{KindForeignKey, "a", "f"}, "m.sql:15:2"},
		{alter, Object{KindColumn, "a", "z"}, "m.sql:10:3"}, // two clauses: which one is meant is not known
		{Statement{SQL: alter.SQL, Pos: alter.Pos}, Object{KindColumn, "a", "x"}, "m.sql:10:3"},
		{Statement{SQL: "DROP TABLE a", Pos: alter.Pos, Verbatim: true}, Object{KindColumn, "a", "x"}, "m.sql:10:3"},
	} {
		if got := tt.st.Find(tt.o).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.o, got, tt.want)
		}
	}
}

// history gives 1,000 migrations of three statements, as a service of some years has them.
func history() []Statement {
	var list []Statement
	add := func(i int, format string, args ...any) {
		list = append(list, Statement{SQL: fmt.Sprintf(format, args...), Pos: Pos{"m.sql", len(list) + 1, 1}, Verbatim: true, Migration: fmt.Sprint(i)})
	}
	for i := range 1000 {
		if i%5 == 0 {
			add(i, "CREATE TABLE t%d (id BIGINT NOT NULL AUTO_INCREMENT, name VARCHAR(100) NOT NULL DEFAULT '', body TEXT, state ENUM('a','b','c') DEFAULT 'a', n DECIMAL(10,2), created DATETIME DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (id), KEY name (name), UNIQUE KEY n (n, name)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4", i)
		} else {
			add(i, "ALTER TABLE t%d ADD COLUMN c%d INT NOT NULL DEFAULT 0 AFTER name, ADD INDEX k%d (c%d)", i/5*5, i, i, i)
		}
		add(i, "INSERT INTO versions (id, name) VALUES (%d, 'it''s done')", i)
		add(i, "ALTER TABLE `t%d` MODIFY COLUMN `body` MEDIUMTEXT COMMENT 'v%d'", i/5*5, i)
	}
	return list
}

func BenchmarkApply(b *testing.B) {
	list := history()
	b.ReportAllocs()
	for b.Loop() {
		s := New(mysql84)
		for _, st := range list {
			var err error
			if s, err = s.Apply(st); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(list)), "µs/statement")
}

// FuzzApply: no text makes Apply panic, hang or change the schema before, and every error is an *Error with a position of the statement.
func FuzzApply(f *testing.F) {
	scripts, _ := filepath.Glob("testdata/apply/*.sql")
	for _, script := range scripts {
		src, err := os.ReadFile(script)
		if err != nil {
			f.Fatal(err)
		}
		list, _ := Split(script, string(src))
		for i, st := range list {
			f.Add(st.SQL, i%2 == 0)
		}
	}
	for _, sql := range []string{"CREATE TABLE", "ALTER TABLE a", "CREATE TABLE a (", "SET", "SET sql_mode=", "USE", "CREATE VIEW v AS", "ALTER TABLE a ADD", "ALTER TABLE a ADD (", "CREATE TABLE x (a INT DEFAULT", "DROP", "RENAME TABLE a",
		"ALTER TABLE a PARTITION BY HASH(((", "CREATE TABLE a LIKE", "/*!", "CREATE TABLE x (a INT AS (" + strings.Repeat("-", 5000) + "1))", "CREATE TABLE x (a INT AS (" + strings.Repeat("not ", 5000) + "1))",
		"CREATE TABLE x (e FLOAT DEFAULT 1e999999999)", "CREATE TABLE x (e DECIMAL(65,30) DEFAULT 1e400)", "CREATE TABLE x (a VARCHAR(99999999999))", "CREATE TABLE x (a TEXT(4294967295))"} {
		f.Add(sql, true)
	}
	base := map[bool]*Schema{}
	for _, maria := range []bool{false, true} {
		server := mysql84
		if maria {
			server = mariadb1011
		}
		base[maria] = apply(f, New(server),
			"CREATE TABLE p (id INT PRIMARY KEY, u INT UNSIGNED UNIQUE, n VARCHAR(20) UNIQUE, m INT, KEY (m), o INT)",
			"CREATE TABLE c1 (id INT AUTO_INCREMENT PRIMARY KEY, pid INT, g INT AS (1 + pid), FOREIGN KEY (pid) REFERENCES p (id), CHECK (pid > 1))",
			"CREATE TABLE a (id INT, y INT) PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (10))",
			"CREATE VIEW v AS SELECT * FROM p", "CREATE TRIGGER tr BEFORE INSERT ON p FOR EACH ROW SET @a = 1")
	}
	f.Fuzz(func(t *testing.T, sql string, maria bool) {
		s := base[maria]
		st := Statement{SQL: sql, Pos: Pos{"f.sql", 1, 1}, Verbatim: true, Migration: "f"}
		before := fingerprint(s)
		next, err := s.Apply(st)
		if next == nil {
			t.Fatal("no schema")
		}
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Pos.File != "f.sql" || e.Pos.Line < 1 || e.Pos.Line > strings.Count(sql, "\n")+1 {
				t.Fatalf("%v", err)
			}
			if strings.Contains(e.Msg, "runtime error") {
				t.Fatalf("it panicked: %v", err)
			}
		}
		if fingerprint(s) != before {
			t.Fatal("the schema before is another one")
		}
		again, _ := s.Apply(st)
		if fingerprintNames(again) != fingerprintNames(next) {
			t.Fatal("a second time gives another schema")
		}
		for _, tab := range next.Tables() {
			for _, k := range tab.Keys {
				for _, p := range k.Parts {
					if p.Expr == "" && tab.Column(p.Column) == nil {
						t.Fatalf("key %s of %s has no column %s", k.Name, tab.Name, p.Column)
					}
				}
			}
			if slices.ContainsFunc(tab.Columns, func(c *Column) bool { return c.Name == "" || c.Type.Name == "" || c.Origin == "" }) {
				t.Fatalf("a column of %s is not whole", tab.Name)
			}
			st.Find(Object{KindColumn, tab.Name, tab.Columns[0].Name})
		}
	})
}

// fingerprintNames prints a schema without what differs each time: addresses.
func fingerprintNames(s *Schema) string {
	var b strings.Builder
	for _, t := range s.Tables() {
		fmt.Fprintf(&b, "%s %v", t.Name, t.Options)
		for _, c := range t.Columns {
			fmt.Fprintf(&b, " %s %v %s", c.Name, c.Type, c.Origin)
		}
		for _, k := range t.Keys {
			fmt.Fprintf(&b, " %s %v", k.Name, k.Parts)
		}
	}
	return b.String()
}
