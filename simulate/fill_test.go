package simulate

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"instep/analyzer/schema"
	"instep/simulate/servertest"
)

// applied gives the schema that statements make.
func applied(t testing.TB, v schema.Server, from *schema.Schema, sql string) *schema.Schema {
	t.Helper()
	s := from
	if s == nil {
		s = schema.New(v)
	}
	statements, gaps := schema.Split("test.sql", sql)
	if len(gaps) > 0 {
		t.Fatalf("%v", gaps)
	}
	for _, st := range statements {
		next, err := s.Apply(st)
		if err != nil {
			t.Fatalf("%s: %v", st.SQL, err)
		}
		s = next
	}
	return s
}

// run sends statements, one after the other.
func runAll(t testing.TB, c *session, sql string) {
	t.Helper()
	statements, _ := schema.Split("test.sql", sql)
	for _, st := range statements {
		if err := c.exec(context.Background(), st.SQL); err != nil {
			t.Fatalf("%.200s: %v", st.SQL, err)
		}
	}
}

// one gives the first column of the first row.
func one(t testing.TB, c *session, sql string) string {
	t.Helper()
	rows, err := c.query(context.Background(), 1, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	if len(rows) == 0 {
		return ""
	}
	return rows[0][0].String
}

// noted collects what fill says.
func noted(list *[]string) Progress {
	return Progress{Note: func(s string) { *list = append(*list, s) }}
}

// orphans looks for rows that break a foreign key, by a query.
func orphans(t testing.TB, c *session, s *schema.Schema) {
	t.Helper()
	for _, tb := range s.Tables() {
		for _, fk := range tb.ForeignKeys {
			if s.Table(fk.RefTable) == nil {
				continue
			}
			var on, some []string
			for k, col := range fk.Columns {
				on = append(on, "p."+quoteName(fk.RefColumns[k])+" = c."+quoteName(col))
				some = append(some, "c."+quoteName(col)+" IS NOT NULL")
			}
			n := one(t, c, fmt.Sprintf("SELECT COUNT(*) FROM %s c LEFT JOIN %s p ON %s WHERE %s AND p.%s IS NULL", quoteName(tb.Name), quoteName(fk.RefTable),
				strings.Join(on, " AND "), strings.Join(some, " AND "), quoteName(fk.RefColumns[0])))
			if n != "0" {
				t.Errorf("%s: %s rows of %s break %s", c.server.Name, n, tb.Name, fk.Name)
			}
		}
	}
}

// sums gives a checksum of each table, the same on every server: rows in no order.
func sums(t testing.TB, c *session, s *schema.Schema) map[string]string {
	t.Helper()
	list := map[string]string{}
	for _, tb := range s.Tables() {
		var cols []string
		for _, col := range tb.Columns {
			name := quoteName(col.Name)
			switch {
			case col.Generated != nil:
			case col.Type.Name == "point":
				cols = append(cols, "COALESCE(ST_AsText("+name+"), 'NULL')")
			case col.Type.Name == "float", col.Type.Name == "double": // printed differently
				cols = append(cols, "COALESCE(ROUND("+name+"), 'NULL') IS NULL")
			case domainIn(tb, col).class == classJSON: // MySQL writes it anew
				cols = append(cols, name+" IS NULL")
			case col.Type.Name == "enum" || col.Type.Name == "set" || col.Charset != "":
				cols = append(cols, "COALESCE(HEX(CONVERT("+name+" USING utf8mb4)), 'NULL')")
			default:
				cols = append(cols, "COALESCE(HEX(CAST("+name+" AS BINARY)), 'NULL')")
			}
		}
		list[tb.Name] = one(t, c, fmt.Sprintf("SELECT CONCAT(COUNT(*), ' ', COALESCE(SUM(CRC32(CONCAT_WS('|', %s))), 0)) FROM %s", strings.Join(cols, ", "), quoteName(tb.Name)))
	}
	return list
}

// fillSchemas are schemas that are hard to fill, with the rows that each table takes of 700; -1 is all.
var fillSchemas = []struct {
	name, sql string
	rows      map[string]int64
}{
	{"types", `
CREATE TABLE t (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, a tinyint, b smallint unsigned NOT NULL, c mediumint, d int unsigned, e decimal(12,4) NOT NULL, f float, g double NOT NULL,
 h bit(9), i year, j date NOT NULL, k datetime(3), l timestamp(6) NULL, m time(2), n char(5) NOT NULL, o varchar(300), p varchar(60) CHARACTER SET latin1, q varchar(60) CHARACTER SET utf8mb3 NOT NULL,
 r tinytext, s text, u longtext, v binary(7), w varbinary(90), x blob, y enum('a','b''c','','d') NOT NULL, z set('x','y','z'), j1 json, g1 point, z1 varchar(40) CHARACTER SET utf16);`, nil},
	{"keys", `
CREATE TABLE flag (yes tinyint(1) NOT NULL PRIMARY KEY, note varchar(20));
CREATE TABLE bits (b bit(1) PRIMARY KEY);
CREATE TABLE e (e enum('a','b','c') NOT NULL, f tinyint unsigned NOT NULL, PRIMARY KEY (e, f));
CREATE TABLE u (id int PRIMARY KEY, mail varchar(100) COLLATE utf8mb4_general_ci UNIQUE, nick varchar(50) COLLATE utf8mb4_unicode_ci NOT NULL, body text, UNIQUE (nick(3)), UNIQUE (body(20), id), a int, b int, UNIQUE (a, b));
CREATE TABLE one (c char(1) COLLATE utf8mb4_general_ci PRIMARY KEY);
CREATE TABLE gen (id int NOT NULL, name varchar(20) NOT NULL, low varchar(20) GENERATED ALWAYS AS (lower(name)) STORED, v int GENERATED ALWAYS AS (id * 2) VIRTUAL, UNIQUE (low), UNIQUE (v), PRIMARY KEY (id));
CREATE TABLE heap (a int, b varchar(10));`, map[string]int64{"flag": 256, "bits": 2, "one": 34}},
	{"parents", `
CREATE TABLE tenant (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(20) NOT NULL);
CREATE TABLE person (tenant_id int unsigned NOT NULL, id int NOT NULL, mail varchar(80) NOT NULL, boss int, PRIMARY KEY (tenant_id, id), UNIQUE (mail), FOREIGN KEY (tenant_id) REFERENCES tenant (id));
CREATE TABLE team (tenant_id int unsigned NOT NULL, id int NOT NULL, PRIMARY KEY (id), UNIQUE KEY x (tenant_id, id), FOREIGN KEY (tenant_id) REFERENCES tenant (id));
CREATE TABLE member (tenant_id int unsigned NOT NULL, person_id int NOT NULL, team_id int, role enum('a','b'), KEY (tenant_id, person_id), KEY (tenant_id, team_id),
  FOREIGN KEY (tenant_id, person_id) REFERENCES person (tenant_id, id), FOREIGN KEY (tenant_id, team_id) REFERENCES team (tenant_id, id));
CREATE TABLE profile (person_mail varchar(80) NOT NULL PRIMARY KEY, bio text, FOREIGN KEY (person_mail) REFERENCES person (mail));
CREATE TABLE node (id int PRIMARY KEY, parent_id int, root_id int NOT NULL, FOREIGN KEY (parent_id) REFERENCES node (id), FOREIGN KEY (root_id) REFERENCES node (id));
CREATE TABLE likes (a int unsigned NOT NULL, b int unsigned NOT NULL, PRIMARY KEY (a, b), FOREIGN KEY (a) REFERENCES tenant (id), FOREIGN KEY (b) REFERENCES tenant (id));`, nil},
	{"circle", `
SET foreign_key_checks = 0;
CREATE TABLE a (id int PRIMARY KEY, b_id int, FOREIGN KEY (b_id) REFERENCES b (id));
CREATE TABLE b (id int PRIMARY KEY, a_id int NOT NULL, FOREIGN KEY (a_id) REFERENCES a (id));
CREATE TABLE c (id int PRIMARY KEY, d_id int NOT NULL, FOREIGN KEY (d_id) REFERENCES d (id));
CREATE TABLE d (id int PRIMARY KEY, c_id int NOT NULL, FOREIGN KEY (c_id) REFERENCES c (id));`, nil},
	{"checks", `
CREATE TABLE p (id int PRIMARY KEY, price decimal(10,2) NOT NULL, discount decimal(10,2), state varchar(20) NOT NULL, starts date NOT NULL, ends date, code char(3),
  CHECK (price > 100), CHECK (discount < price), CHECK (state IN ('open', 'closed')), CHECK (ends > starts), CHECK (starts >= '2020-01-01'), CHECK (char_length(code) = 3));
CREATE TABLE never (id int PRIMARY KEY, CHECK (id < 0 AND id > 0));
CREATE TABLE part (id int NOT NULL, at date NOT NULL, note varchar(20), PRIMARY KEY (id, at)) PARTITION BY RANGE (year(at)) (PARTITION p0 VALUES LESS THAN (2010), PARTITION p1 VALUES LESS THAN (2020));
CREATE TABLE list (id int NOT NULL, region int NOT NULL, PRIMARY KEY (id, region)) PARTITION BY LIST (region) (PARTITION a VALUES IN (100, 200), PARTITION b VALUES IN (777));
CREATE TABLE low (id int PRIMARY KEY, CHECK (id < 100));`, map[string]int64{"never": 0, "low": -2}},
}

// TestFill fills hard schemas on both servers: counts are right, no row breaks a foreign key, and the same seed gives the same rows
// everywhere.
func TestFill(t *testing.T) {
	got := map[string]map[string]string{}
	for _, server := range []string{"mysql", "mariadb"} {
		t.Run(server, func(t *testing.T) {
			var srv *Server
			if server == "mysql" {
				srv = testServer(t, servertest.MySQL(t))
			} else {
				srv = testServer(t, servertest.MariaDB(t))
			}
			for _, x := range fillSchemas {
				t.Run(x.name, func(t *testing.T) {
					ctx := context.Background()
					s := applied(t, srv.Version, nil, x.sql)
					c, name := guestIn(t, srv)
					runAll(t, c, x.sql)
					var notes []string
					rows, err := fill(ctx, srv, name, s, RowOptions{Each: 700, Seed: 7}, noted(&notes))
					if err != nil {
						t.Fatal(err)
					}
					t.Logf("%s: %v\n%s", srv.Name, rows, strings.Join(notes, "\n"))
					for _, tb := range s.Tables() {
						want, ok := x.rows[tb.Name]
						if !ok {
							want = 700
						}
						if rows[tb.Name] != want && want != -2 {
							t.Errorf("%s has %d rows, want %d", tb.Name, rows[tb.Name], want)
						}
						if rows[tb.Name] < 700 && !slices.ContainsFunc(notes, func(n string) bool { return strings.HasPrefix(n, tb.Name+" has ") }) {
							t.Errorf("%s has %d rows, and nobody says why", tb.Name, rows[tb.Name])
						}
						if n := one(t, c, "SELECT COUNT(*) FROM "+quoteName(tb.Name)); n != fmt.Sprint(rows[tb.Name]) {
							t.Errorf("%s: %d rows are told, %s are there", tb.Name, rows[tb.Name], n)
						}
					}
					orphans(t, c, s)
					first := sums(t, c, s)
					if other, ok := got[x.name]; ok && !maps.Equal(first, other) {
						t.Errorf("%s has %v\nthe other server %v", server, first, other)
					}
					got[x.name] = first
				})
			}
		})
	}
}

// TestFillSeed fills a database twice: by the same seed it is the same, by another it is another.
func TestFillSeed(t *testing.T) {
	srv := testServer(t, servertest.MariaDB(t))
	sql := "CREATE TABLE t (id int PRIMARY KEY, a varchar(20), b int); CREATE TABLE c (id int PRIMARY KEY, t int, FOREIGN KEY (t) REFERENCES t (id));"
	s := applied(t, srv.Version, nil, sql)
	var got []map[string]string
	for _, seed := range []uint64{1, 1, 2} {
		c, name := guestIn(t, srv)
		runAll(t, c, sql)
		rows, err := fill(context.Background(), srv, name, s, RowOptions{Each: 5000, Seed: seed, Tables: map[string]int64{"t": 3000}}, Progress{})
		if err != nil || rows["t"] != 3000 || rows["c"] != 5000 {
			t.Fatal(rows, err)
		}
		got = append(got, sums(t, c, s))
	}
	if !maps.Equal(got[0], got[1]) || maps.Equal(got[0], got[2]) {
		t.Error(got)
	}
	_, err := fill(context.Background(), srv, "x", s, RowOptions{Tables: map[string]int64{"tt": 1}}, Progress{})
	if err == nil || !strings.Contains(err.Error(), `"tt"`) || !strings.Contains(err.Error(), "it has t") {
		t.Error(err)
	}
}

// TestFillExact loads the same rows once by LOAD DATA and once by INSERT: every type survives both alike.
func TestFillExact(t *testing.T) {
	bothServers(t, func(t *testing.T, srv *Server) {
		sql := fillSchemas[0].sql
		if srv.Version.MariaDB {
			sql += "CREATE TABLE m (id int PRIMARY KEY, u uuid, i inet6);"
		}
		s := applied(t, srv.Version, nil, sql)
		var got []map[string]string
		for _, load := range []bool{false, true} {
			c, name := guestIn(t, srv)
			runAll(t, c, sql)
			o := RowOptions{Each: 6000, Seed: 3}
			f := &loading{srv: srv, database: name, s: s, o: o, guest: c, p: Progress{Note: func(s string) { t.Log(s) }}}
			if err := f.prepare(context.Background(), c); err != nil {
				t.Fatal(err)
			}
			f.makers(s)
			restore := func() {}
			if load {
				restore = f.allowLocal(context.Background())
			}
			for _, m := range f.order {
				if err := f.table(context.Background(), m); err != nil {
					t.Fatal(err)
				}
				if load != m.bulk {
					t.Errorf("%s: LOAD DATA was used: %v; the server refused: %s", m.t.Name, m.bulk, m.refusedText())
				}
			}
			restore()
			got = append(got, sums(t, c, s))
			if n := one(t, c, "SELECT COUNT(*) FROM t WHERE o = "+value{kind: valueText, text: "😀", repeat: 300}.literal()); n == "0" {
				t.Error("the longest text is missing")
			}
		}
		if !maps.Equal(got[0], got[1]) {
			t.Errorf("by INSERT %v, by LOAD DATA %v", got[0], got[1])
		}
		c, err := srv.session(context.Background(), asAdmin, "")
		if err != nil {
			t.Fatal(err)
		}
		defer c.close()
		// MySQL starts without it, MariaDB with it.
		if on := one(t, c, "SELECT @@GLOBAL.local_infile"); on != map[bool]string{true: "1", false: "0"}[srv.Version.MariaDB] {
			t.Errorf("local_infile is %s afterwards", on)
		}
	})
}

// fits are changes that fail on some rows, with the schema before.
var fits = []struct{ before, after string }{
	{"CREATE TABLE t (id int PRIMARY KEY, c varchar(40))", "ALTER TABLE t MODIFY c varchar(40) NOT NULL"},
	{"CREATE TABLE t (id int PRIMARY KEY, c varchar(40))", "ALTER TABLE t MODIFY c varchar(5)"},
	{"CREATE TABLE t (id int PRIMARY KEY, c varchar(40))", "ALTER TABLE t MODIFY c varchar(40) CHARACTER SET latin1"},
	{"CREATE TABLE t (id int PRIMARY KEY, c varchar(40))", "ALTER TABLE t MODIFY c int"},
	{"CREATE TABLE t (id int PRIMARY KEY, c varchar(80))", "ALTER TABLE t MODIFY c datetime"},
	{"CREATE TABLE t (id int PRIMARY KEY, c text)", "ALTER TABLE t MODIFY c varchar(200)"},
	{"CREATE TABLE t (id int PRIMARY KEY, c bigint)", "ALTER TABLE t MODIFY c tinyint unsigned"},
	{"CREATE TABLE t (id int PRIMARY KEY, c bigint)", "ALTER TABLE t MODIFY c decimal(4,2)"},
	{"CREATE TABLE t (id int PRIMARY KEY, c decimal(20,2))", "ALTER TABLE t MODIFY c smallint"},
	{"CREATE TABLE t (id int PRIMARY KEY, c int)", "ALTER TABLE t MODIFY c varchar(3)"},
	{"CREATE TABLE t (id int PRIMARY KEY, c enum('a','b','c'))", "ALTER TABLE t MODIFY c enum('a','c')"},
	{"CREATE TABLE t (id int PRIMARY KEY, c set('a','b','c'))", "ALTER TABLE t MODIFY c set('a','c')"},
	{"CREATE TABLE t (id int PRIMARY KEY, c varchar(20))", "ALTER TABLE t MODIFY c enum('x','y')"},
	{"CREATE TABLE t (id int PRIMARY KEY, c datetime)", "ALTER TABLE t MODIFY c timestamp NULL"},
	{"CREATE TABLE t (id int PRIMARY KEY, c varchar(20))", "ALTER TABLE t ADD UNIQUE (c)"},
	{"CREATE TABLE t (id int PRIMARY KEY, c varchar(20), d int)", "ALTER TABLE t ADD UNIQUE (d, c(5))"},
	{"CREATE TABLE t (id int, c int)", "ALTER TABLE t ADD PRIMARY KEY (id)"},
	{"CREATE TABLE t (id int PRIMARY KEY, c int); CREATE TABLE p (id int PRIMARY KEY)", "ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES p (id)"},
	{"CREATE TABLE t (id int PRIMARY KEY, c int)", "ALTER TABLE t ADD CHECK (c BETWEEN 50 AND 60)"},
	{"CREATE TABLE t (id int PRIMARY KEY, c int)", "ALTER TABLE t RENAME COLUMN c TO d; ALTER TABLE t RENAME TO u; ALTER TABLE u MODIFY d tinyint NOT NULL"},
	{"CREATE TABLE t (id int PRIMARY KEY, c varbinary(50))", "ALTER TABLE t MODIFY c varbinary(4)"},
	{"CREATE TABLE t (id int PRIMARY KEY, c double)", "ALTER TABLE t MODIFY c float(6,2)"},
}

// TestFillFit fills for a change: it fails on rows of all kinds, and succeeds on rows that are made to fit.
func TestFillFit(t *testing.T) {
	bothServers(t, func(t *testing.T, srv *Server) {
		ctx := context.Background()
		c, name := guestIn(t, srv)
		for _, x := range fits {
			before := applied(t, srv.Version, nil, x.before)
			var fit []*schema.Schema
			after := before
			statements, _ := schema.Split("after.sql", x.after)
			for _, st := range statements {
				after = applied(t, srv.Version, after, st.SQL)
				fit = append(fit, after)
			}
			for _, fitted := range []bool{false, true} {
				runAll(t, c, "SET foreign_key_checks = 0; DROP TABLE IF EXISTS t, u, p; SET foreign_key_checks = 1")
				runAll(t, c, x.before)
				o := RowOptions{Each: 400, Seed: 5}
				if fitted {
					o.Fit = fit
				}
				var notes []string
				rows, err := fill(ctx, srv, name, before, o, noted(&notes))
				if err != nil {
					t.Fatalf("%s: %v", x.after, err)
				}
				if rows["t"] < 100 && !(strings.Contains(x.before, "varchar(5)") || strings.Contains(x.after, "varchar(3)")) {
					t.Errorf("%s: only %v %v", x.after, rows, notes)
				}
				var failed error
				for _, st := range statements {
					if failed == nil {
						failed = c.exec(ctx, st.SQL)
					}
				}
				if fitted && failed != nil {
					t.Errorf("%s: on rows that are made to fit: %v\n%v", x.after, failed, notes)
				}
				if !fitted && failed == nil {
					t.Errorf("%s: no row of all kinds is in its way", x.after)
				}
			}
		}
	})
}

// TestFillRandom fills random schemas: it never fails, counts are right, no orphans. INSTEP_SEED is the seed of
// others, "random" for a new one.
func TestFillRandom(t *testing.T) {
	srv := testServer(t, servertest.MariaDB(t))
	seed := uint64(1)
	switch s := os.Getenv("INSTEP_SEED"); s {
	case "":
	case "random":
		seed = rand.Uint64()
	default:
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("INSTEP_SEED: %v", err)
		}
	}
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	for round := range 12 {
		sql := randomSchema(r)
		s := applied(t, srv.Version, nil, sql)
		c, name := guestIn(t, srv)
		if _, err := c.query(context.Background(), 1, "SELECT 1"); err != nil {
			t.Fatal(err)
		}
		runAll(t, c, sql)
		var got []map[string]string
		var notes []string
		for range 2 {
			rows, err := fill(context.Background(), srv, name, s, RowOptions{Each: 150, Seed: seed}, noted(&notes))
			if err != nil {
				t.Fatalf("round %d: %v\n%s", round, err, sql)
			}
			for table, n := range rows {
				if n < 150 && !slices.ContainsFunc(notes, func(s string) bool { return strings.HasPrefix(s, table+" has ") }) {
					t.Errorf("%s has %d rows, and nobody says why", table, n)
				}
				if n == 0 {
					t.Errorf("%s has no rows: %v\n%s", table, notes, sql)
				}
			}
			orphans(t, c, s)
			got = append(got, sums(t, c, s))
			runAll(t, c, "SET foreign_key_checks = 0")
			for _, tb := range s.Tables() {
				runAll(t, c, "DELETE FROM "+quoteName(tb.Name))
			}
			runAll(t, c, "SET foreign_key_checks = 1")
		}
		if !maps.Equal(got[0], got[1]) {
			t.Errorf("round %d: the same seed gives other rows:\n%v\n%v\n%s", round, got[0], got[1], sql)
		}
	}
}

// randomSchema makes a few tables with random columns, keys, checks and foreign keys to tables before them.
func randomSchema(r *rand.Rand) string {
	var b strings.Builder
	for k := range 4 {
		var parts []string
		n := 2 + r.IntN(5)
		var plain []string // that a unique key can take
		parts = append(parts, "id int NOT NULL AUTO_INCREMENT PRIMARY KEY")
		for i := range n {
			typ := valueTypes[r.IntN(len(valueTypes))]
			def := fmt.Sprintf("c%d %s", i, typ)
			short := !strings.Contains(typ, "text") && !strings.Contains(typ, "blob") && !strings.Contains(typ, "json") && !strings.Contains(typ, "255") && !slices.Contains(valueTypes[len(valueTypes)-8:], typ)
			if r.IntN(3) == 0 && !strings.HasSuffix(typ, "NULL") && !strings.HasPrefix(typ, "timestamp") {
				def += " NOT NULL"
			}
			if short {
				plain = append(plain, fmt.Sprintf("c%d", i))
			}
			parts = append(parts, def)
		}
		if k > 0 {
			for j := range r.IntN(3) {
				col := fmt.Sprintf("f%d", j)
				def := col + " int"
				if r.IntN(2) == 0 {
					def += " NOT NULL"
				}
				parts = append(parts, def, fmt.Sprintf("FOREIGN KEY (%s) REFERENCES t%d (id)", col, r.IntN(k)))
				plain = append(plain, col)
			}
		}
		r.Shuffle(len(plain), func(i, j int) { plain[i], plain[j] = plain[j], plain[i] })
		for len(plain) > 0 && r.IntN(2) == 0 {
			n := 1 + r.IntN(min(3, len(plain)))
			parts = append(parts, "UNIQUE ("+strings.Join(plain[:n], ", ")+")")
			plain = plain[(n+1)/2:]
		}
		fmt.Fprintf(&b, "CREATE TABLE t%d (%s);\n", k, strings.Join(parts, ", "))
	}
	return b.String()
}

// TestFillTriggers fills tables whose triggers write to others and refuse rows.
func TestFillTriggers(t *testing.T) {
	srv := testServer(t, servertest.MariaDB(t))
	c, name := guestIn(t, srv)
	sql := "CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL); CREATE TABLE audit (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, a_id int NOT NULL)"
	runAll(t, c, sql)
	trigger := "CREATE TRIGGER a_audit AFTER INSERT ON a FOR EACH ROW INSERT INTO audit (a_id) VALUES (NEW.id)"
	runAll(t, c, trigger)
	var notes []string
	rows, err := fill(context.Background(), srv, name, applied(t, srv.Version, nil, sql+";"+trigger), RowOptions{Each: 3000}, noted(&notes))
	if err != nil || rows["a"] != 3000 || rows["audit"] != 6000 || !strings.Contains(strings.Join(notes, "\n"), "a has a trigger on INSERT") {
		t.Error(rows, err, notes)
	}
}

// TestFillWithoutLocal loads many rows where the account may not allow LOAD DATA LOCAL, as on an existing server.
func TestFillWithoutLocal(t *testing.T) {
	srv := testServer(t, servertest.MySQL(t))
	c, name := guestIn(t, srv)
	sql := "CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL, s varchar(100) UNIQUE)"
	runAll(t, c, sql)
	srv2 := *srv
	srv2.admin = srv.guest
	var notes []string
	rows, err := fill(context.Background(), &srv2, name, applied(t, srv.Version, nil, sql), RowOptions{Each: 3000}, noted(&notes))
	if err != nil || rows["a"] != 3000 || !strings.Contains(strings.Join(notes, "\n"), "loaded by INSERT") {
		t.Error(rows, err, notes)
	}
}

func TestSpans(t *testing.T) {
	var s spans
	s.add(2, 4)
	s.add(4, 6)
	s.add(9, 9)
	s.add(9, 11)
	want := []uint64{2, 3, 4, 5, 9, 10}
	if s.n != uint64(len(want)) || len(s.list) != 2 {
		t.Fatal(s)
	}
	for k, x := range want {
		if s.at(uint64(k)) != x {
			t.Errorf("at(%d) is %d, want %d", k, s.at(uint64(k)), x)
		}
	}
	for x := range uint64(13) {
		if s.has(x) != slices.Contains(want, x) {
			t.Errorf("has(%d) is %v", x, s.has(x))
		}
	}
}
