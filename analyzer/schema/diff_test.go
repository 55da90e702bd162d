package schema

import (
	"fmt"
	"strings"
	"testing"
)

// build applies a script to a schema.
func build(t testing.TB, s *Schema, migration, script string) *Schema {
	t.Helper()
	statements, gaps := Split(migration+".sql", script)
	if len(gaps) > 0 {
		t.Fatalf("%s: %v", script, gaps)
	}
	for _, st := range statements {
		st.Migration = migration
		next, err := s.Apply(st)
		if err != nil {
			t.Fatalf("%s: %v", st.SQL, err)
		}
		s = next
	}
	return s
}

// diffed writes changes as "kind object line", one a line; the line is that of the statement.
func diffed(changes []Change) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "%s %s %d", c.Kind(), c.Object(), c.Pos().Line)
		switch c := c.(type) {
		case *RenameTable:
			b.WriteString(" to " + c.New.Name)
		case *RenameColumn:
			b.WriteString(" to " + c.New.Name)
		case *RenameKey:
			b.WriteString(" to " + c.New.Name)
		case *TableOption:
			fmt.Fprintf(&b, " %s %q %q", c.Name, c.Old, c.New)
		case *AddColumn:
			if c.Before != nil {
				b.WriteString(" before " + c.Before.Name)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestDiff(t *testing.T) {
	const base = `CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE t (id int NOT NULL AUTO_INCREMENT, a varchar(10), b int DEFAULT 3, c int NOT NULL, d datetime, PRIMARY KEY (id), KEY ka (a), UNIQUE KEY ub (b),
 CONSTRAINT f FOREIGN KEY (c) REFERENCES p (id), CONSTRAINT ch CHECK (b > 0));`
	for _, tt := range []struct{ name, base, alter, want string }{
		{"nothing", "", "", ""},
		{"there and back", "", "ALTER TABLE t ADD x int; ALTER TABLE t DROP x;", ""},
		{"add table", "", "CREATE TABLE u (a int);", "add-table u 1\n"},
		{"drop table", "", "\nDROP TABLE t;", "drop-table t 2\n"},
		{"rename table", "", "\nRENAME TABLE t TO u;", "rename-table t 2 to u\n"},
		{"recreate table", "CREATE TABLE t (a int);", "DROP TABLE t;\nCREATE TABLE t (a bigint, b int);", "recreate-table t 2\ncolumn-type t.a 2\nadd-column t.b 2\n"},
		{"swap tables", "CREATE TABLE t (a int); CREATE TABLE u (b int);", "RENAME TABLE t TO x, u TO t, x TO u;", "rename-table t 1 to u\nrename-table u 1 to t\n"},
		{"rename, then another under the old name", "CREATE TABLE t (a int);", "RENAME TABLE t TO u;\nCREATE TABLE t (a int);", "rename-table t 1 to u\nadd-table t 2\n"},
		{"add column at the end", "", "ALTER TABLE t ADD x int, ADD y int;", "add-column t.x 1\nadd-column t.y 1\n"},
		{"add column in the middle", "", "ALTER TABLE t ADD x int AFTER a, ADD y int AFTER x, ADD z int;", "add-column t.x 1 before b\nadd-column t.y 1 before b\nadd-column t.z 1\n"},
		{"drop column", "", "ALTER TABLE t ADD x int;\nALTER TABLE t DROP d;", "drop-column t.d 2\nadd-column t.x 1\n"},
		{"rename column", "", "\nALTER TABLE t RENAME COLUMN a TO e;", "rename-column t.a 2 to e\n"},
		{"rename and change column", "", "ALTER TABLE t CHANGE a e varchar(20) NOT NULL;", "rename-column t.a 1 to e\ncolumn-nullability t.e 1\ncolumn-type t.e 1\n"},
		{"recreate column", "", "ALTER TABLE t DROP d;\nALTER TABLE t ADD d date;", "recreate-column t.d 2\ncolumn-type t.d 2\n"},
		{"recreate column behind others", "CREATE TABLE t (a int, b int);", "ALTER TABLE t DROP a;\nALTER TABLE t ADD a int;", "reorder-columns t 2\nrecreate-column t.a 2\n"},
		{"reorder", "", "ALTER TABLE t MODIFY d datetime FIRST;", "reorder-columns t 1\n"},
		{"column attributes", "", "ALTER TABLE t MODIFY b int NOT NULL COMMENT 'x', MODIFY d datetime DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, MODIFY id int NOT NULL, MODIFY a varchar(10) CHARACTER SET latin1;",
			"column-collation t.a 1\ncolumn-comment t.b 1\ncolumn-default t.b 1\ncolumn-nullability t.b 1\ncolumn-default t.d 1\ncolumn-on-update t.d 1\ncolumn-auto-increment t.id 1\n"},
		{"NULL and its default", "", "ALTER TABLE t MODIFY a varchar(10) NOT NULL, MODIFY c int NULL;", "column-nullability t.a 1\ncolumn-nullability t.c 1\n"},
		{"a default that is dropped", "", "ALTER TABLE t ALTER COLUMN a DROP DEFAULT;", "column-default t.a 1\n"},
		{"visibility", "", "ALTER TABLE t ALTER COLUMN a SET INVISIBLE, ALTER INDEX ub INVISIBLE;", "column-visibility t.a 1\nchange-key key t.ub 1\n"},
		{"generated", "CREATE TABLE t (a int, b int AS (a+1));", "ALTER TABLE t MODIFY b int AS (a+2);", "column-generated t.b 1\n"},
		{"keys", "", "ALTER TABLE t DROP KEY ka, ADD KEY kd (d), RENAME KEY ub TO uc;", "drop-key key t.ka 1\nadd-key key t.kd 1\nrename-key key t.ub 1 to uc\n"},
		{"a renamed column in keys and constraints", "", "ALTER TABLE t RENAME COLUMN c TO cc; ALTER TABLE p RENAME COLUMN id TO pid; RENAME TABLE p TO q;", "rename-table p 1 to q\nrename-column q.id 1 to pid\nrename-column t.c 1 to cc\n"},
		{"change key", "", "ALTER TABLE t DROP KEY ka, ADD KEY ka (a, b);", "change-key key t.ka 1\n"},
		{"descending key", "", "ALTER TABLE t DROP KEY ka, ADD KEY ka (a DESC);", "change-key key t.ka 1\n"},
		{"prefix key", "", "ALTER TABLE t DROP KEY ka, ADD KEY ka (a(3));", "change-key key t.ka 1\n"},
		{"a key that goes with its column", "", "ALTER TABLE t DROP a;", "drop-column t.a 1\ndrop-key key t.ka 1\n"},
		{"foreign keys", "", "ALTER TABLE t DROP FOREIGN KEY f;\nALTER TABLE t ADD CONSTRAINT g FOREIGN KEY (c) REFERENCES p (id) ON DELETE CASCADE;", "rename-key key t.f 2 to g\ndrop-foreign-key foreign-key t.f 1\nadd-foreign-key foreign-key t.g 2\n"},
		{"rename foreign key", "", "ALTER TABLE t DROP FOREIGN KEY f, ADD CONSTRAINT g FOREIGN KEY (c) REFERENCES p (id) ON DELETE RESTRICT;", "rename-key key t.f 1 to g\nchange-foreign-key foreign-key t.f 1\n"},
		{"change foreign key", "", "ALTER TABLE t DROP FOREIGN KEY f; ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (c) REFERENCES p (id) ON DELETE CASCADE;", "change-foreign-key foreign-key t.f 1\n"},
		{"checks", "", "ALTER TABLE t DROP CHECK ch, ADD CONSTRAINT c2 CHECK (b > 1);", "add-check check t.c2 1\ndrop-check check t.ch 1\n"},
		{"change check", "", "ALTER TABLE t ALTER CHECK ch NOT ENFORCED;", "change-check check t.ch 1\n"},
		{"options", "CREATE TABLE t (a int);", "ALTER TABLE t ENGINE=MyISAM, COMMENT='x', ROW_FORMAT=FIXED, AUTO_INCREMENT=7, DEFAULT CHARSET=latin1;",
			"table-option t 1 COMMENT \"\" \"x\"\ntable-option t 1 DEFAULT CHARSET \"utf8mb4\" \"latin1\"\ntable-option t 1 ENGINE \"InnoDB\" \"MyISAM\"\ntable-option t 1 ROW_FORMAT \"\" \"FIXED\"\n"},
		{"partitions", "CREATE TABLE t (a int PRIMARY KEY) PARTITION BY HASH (a) PARTITIONS 2;", "ALTER TABLE t REMOVE PARTITIONING;", "change-partition t 1\n"},
		{"database", "", "ALTER DATABASE CHARACTER SET latin1;", "change-database database 0\n"},
		{"no changes", "CREATE TABLE t (a int(11), b varchar(3) CHARACTER SET utf8, c int DEFAULT NULL, d decimal(5,2) DEFAULT 1, KEY k (a));",
			"ALTER TABLE t MODIFY a int, MODIFY b varchar(3) CHARACTER SET utf8mb3, MODIFY c int, MODIFY d decimal(5,2) DEFAULT '1.00', DROP KEY k, ADD KEY k (a) USING BTREE, AUTO_INCREMENT=9, ROW_FORMAT=DYNAMIC;", ""},
		{"tinyint(1)", "CREATE TABLE t (a tinyint(1));", "ALTER TABLE t MODIFY a tinyint;", "column-type t.a 1\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.base == "" {
				tt.base = base
			}
			old := build(t, New(Server{}), "1", tt.base)
			new := build(t, old, "2", tt.alter)
			if got := diffed(Diff(old, new)); got != tt.want {
				t.Errorf("got:\n%swant:\n%s", got, tt.want)
			}
		})
	}
}

func TestDiffBeside(t *testing.T) {
	old := build(t, New(Server{MariaDB: true, Major: 10, Minor: 11}), "1", `CREATE TABLE t (a int, b int);
CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT b FROM t;
CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1; CREATE TRIGGER h AFTER INSERT ON t FOR EACH ROW SET @a = 1;
CREATE PROCEDURE p() SELECT 1; CREATE FUNCTION p() RETURNS int RETURN 1; CREATE PROCEDURE q() SELECT 1;
CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1; CREATE EVENT f ON SCHEDULE EVERY 1 DAY DO SELECT 1;
CREATE SEQUENCE s; CREATE SEQUENCE r;`)
	same := build(t, old, "2", `DROP VIEW v; CREATE VIEW v AS /* the same */ SELECT  a
FROM t; DROP PROCEDURE p; CREATE PROCEDURE p() -- the same
SELECT 1; RENAME TABLE t TO u;`)
	if got := diffed(Diff(old, same)); got != "rename-table t 3 to u\n" {
		t.Errorf("reformatted:\n%s", got)
	}
	new := build(t, old, "2", `DROP VIEW v;
CREATE OR REPLACE VIEW w AS SELECT a FROM t;
DROP TRIGGER g;
DROP TRIGGER h; CREATE TRIGGER h AFTER INSERT ON t FOR EACH ROW SET @a = 2;
DROP FUNCTION p;
DROP PROCEDURE q; CREATE PROCEDURE q() SELECT 2;
DROP EVENT e;
ALTER EVENT f DISABLE;
DROP SEQUENCE s;
CREATE SEQUENCE q START WITH 5;`)
	want := `add-sequence sequence q 10
drop-sequence sequence s 9
drop-routine routine p 5
change-routine routine q 6
drop-view view v 1
change-view view w 2
drop-event event e 7
change-event event f 0
drop-trigger trigger t.g 3
change-trigger trigger t.h 4
`
	if got := diffed(Diff(old, new)); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

func TestDiffNames(t *testing.T) {
	old := build(t, New(Server{}), "1", "CREATE TABLE t (a int, b varchar(5)); CREATE TABLE u (a int);")
	new := build(t, New(Server{}), "2", "CREATE TABLE t (b varchar(5), a bigint); CREATE TABLE w (a int);")
	if got, want := diffed(DiffNames(old, new)), "reorder-columns t 1\ncolumn-type t.a 1\ndrop-table u 0\nadd-table w 1\n"; got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
	// By origin they are other tables.
	if got := diffed(Diff(old, new)); !strings.HasPrefix(got, "recreate-table t 1\n") {
		t.Errorf("got:\n%s", got)
	}
}

func TestDiffServerWidths(t *testing.T) {
	for server, want := range map[Server]string{
		{Major: 8, Minor: 4}:                  "",
		{Major: 5, Minor: 7}:                  "column-type t.a 1\n",
		{MariaDB: true, Major: 10, Minor: 11}: "column-type t.a 1\n",
	} {
		old := build(t, New(server), "1", "CREATE TABLE t (a int(10), b int(11));")
		if got := diffed(Diff(old, build(t, old, "2", "ALTER TABLE t MODIFY a int(5), MODIFY b int;"))); got != want {
			t.Errorf("%v: got:\n%swant:\n%s", server, got, want)
		}
	}
}

func TestSameExpr(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"`a` + 1", "((A+1))", true},
		{"(a) + (b)", "a + b", false},
		{"concat(_utf8mb4'x', a)", "CONCAT('x',`a`)", true},
		{"'x'", "'X'", false},
		{"'x'", "x", false},
		{"'it''s'", `'it\'s'`, true},
		{"(a", "(a)", false},
		{"", "", true},
	} {
		if got := sameExpr(tt.a, tt.b); got != tt.same {
			t.Errorf("%s, %s: %v", tt.a, tt.b, got)
		}
	}
}

// bigSchema has a thousand tables of ten columns.
func bigSchema(b *testing.B) *Schema {
	s := New(Server{})
	var err error
	for i := range 1000 {
		s, err = s.Apply(Statement{SQL: fmt.Sprintf("CREATE TABLE t%d (id int PRIMARY KEY, a int, b varchar(10), c datetime, d text, e decimal(8,2), f int, g bigint, h varchar(200), i date, KEY k (a, b))", i), Migration: "1"})
		if err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// BenchmarkDiff compares two replays of one history of a thousand tables, with one change.
func BenchmarkDiff(b *testing.B) {
	old, new := bigSchema(b), bigSchema(b)
	new, err := new.Apply(Statement{SQL: "ALTER TABLE t7 ADD x int, DROP a, RENAME COLUMN b TO bb", Migration: "2"})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if n := len(Diff(old, new)); n != 4 {
			b.Fatal(n)
		}
	}
}

// BenchmarkDiffShared compares a schema with one that shares all tables but one.
func BenchmarkDiffShared(b *testing.B) {
	old := bigSchema(b)
	new, err := old.Apply(Statement{SQL: "ALTER TABLE t7 ADD x int", Migration: "2"})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if n := len(Diff(old, new)); n != 1 {
			b.Fatal(n)
		}
	}
}

func BenchmarkSQL(b *testing.B) {
	s := bigSchema(b)
	b.ReportAllocs()
	for b.Loop() {
		b.SetBytes(int64(len(s.SQL())))
	}
}
