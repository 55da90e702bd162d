package analyzer

import (
	"strings"
	"testing"

	"instep/analyzer/schema"
)

var (
	mysql57     = schema.Server{Major: 5, Minor: 7}
	mysql8012   = schema.Server{Major: 8, Minor: 0, Patch: 12}
	mysql8029   = schema.Server{Major: 8, Minor: 0, Patch: 29}
	mysql84     = schema.Server{Major: 8, Minor: 4}
	mysql97     = schema.Server{Major: 9, Minor: 7}
	mariadb103  = schema.Server{MariaDB: true, Major: 10, Minor: 3}
	mariadb1011 = schema.Server{MariaDB: true, Major: 10, Minor: 11}
	mariadb118  = schema.Server{MariaDB: true, Major: 11, Minor: 8}
)

// steps applies statements and gives the last one as a step.
func lastStep(t *testing.T, server schema.Server, sql ...string) Step {
	t.Helper()
	s := schema.New(server)
	var step Step
	for _, text := range sql {
		st := schema.Statement{SQL: text}
		after, err := s.Apply(st)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		step = Step{st, s, after}
		s = after
	}
	return step
}

// costText gives a cost as "INPLACE rebuild/NONE".
func costText(c Cost) string {
	s := c.Algorithm
	if c.RebuildsTable && c.Algorithm != copying {
		s += " rebuild"
	}
	return s + "/" + c.Lock
}

const onlineBase = `CREATE TABLE t (
 id INT NOT NULL PRIMARY KEY, a INT, b VARCHAR(40), c VARCHAR(63) CHARACTER SET utf8mb4, d INT NOT NULL, e ENUM('x','y'), f TEXT, g VARCHAR(20) CHARACTER SET utf8mb3,
 KEY k_a (a), UNIQUE KEY u_d (d)) CHARACTER SET latin1`

// TestCosts holds the estimates to what the servers did (MySQL 9.7, MariaDB 10.11 and 11.8, measured) or what their manuals say.
func TestCosts(t *testing.T) {
	for _, test := range []struct {
		sql  string
		want map[schema.Server]string
	}{
		{"ALTER TABLE t ADD COLUMN n INT", map[schema.Server]string{
			mysql57: "INPLACE rebuild/NONE", mysql8012: "INSTANT/NONE", mysql8029: "INSTANT/NONE", mysql97: "INSTANT/NONE", mariadb103: "INSTANT/NONE", mariadb1011: "INSTANT/NONE"}},
		{"ALTER TABLE t ADD COLUMN n INT FIRST", map[schema.Server]string{
			mysql8012: "INPLACE rebuild/NONE", mysql8029: "INSTANT/NONE", mysql97: "INSTANT/NONE", mariadb103: "INPLACE rebuild/NONE", mariadb1011: "INSTANT/NONE"}},
		{"ALTER TABLE t ADD COLUMN n DATE NOT NULL", map[schema.Server]string{mysql97: "INPLACE rebuild/NONE", mariadb1011: "INSTANT/NONE"}},
		{"ALTER TABLE t ADD COLUMN n CHAR(36) NOT NULL DEFAULT (UUID())", map[schema.Server]string{mysql97: "COPY/SHARED", mariadb1011: "COPY/SHARED", mariadb118: "COPY/NONE"}},
		{"ALTER TABLE t ADD COLUMN n DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP", map[schema.Server]string{mysql97: "INSTANT/NONE", mariadb1011: "INSTANT/NONE"}},
		{"ALTER TABLE t ADD COLUMN n INT AS (a + 1) VIRTUAL", map[schema.Server]string{mysql57: "INPLACE/NONE", mysql97: "INSTANT/NONE", mariadb1011: "INSTANT/NONE"}},
		{"ALTER TABLE t ADD COLUMN n INT AS (a + 1) STORED", map[schema.Server]string{mysql97: "COPY/SHARED", mariadb1011: "COPY/SHARED", mariadb118: "COPY/NONE"}},
		{"ALTER TABLE t DROP COLUMN b", map[schema.Server]string{
			mysql57: "INPLACE rebuild/NONE", mysql8012: "INPLACE rebuild/NONE", mysql8029: "INSTANT/NONE", mysql97: "INSTANT/NONE", mariadb103: "INPLACE rebuild/NONE", mariadb1011: "INSTANT/NONE"}},
		{"ALTER TABLE t DROP COLUMN a", map[schema.Server]string{mysql97: "INPLACE rebuild/NONE", mariadb1011: "NOCOPY/NONE"}},
		{"ALTER TABLE t CHANGE b bb VARCHAR(40)", map[schema.Server]string{mysql8012: "INPLACE/NONE", mysql97: "INSTANT/NONE", mariadb1011: "INSTANT/NONE"}},
		{"ALTER TABLE t MODIFY b VARCHAR(40) FIRST", map[schema.Server]string{mysql97: "INPLACE rebuild/NONE", mariadb103: "INPLACE rebuild/NONE", mariadb1011: "INSTANT/NONE"}},
		{"ALTER TABLE t ALTER COLUMN a SET DEFAULT 4", map[schema.Server]string{mysql57: "INPLACE/NONE", mysql97: "INSTANT/NONE", mariadb1011: "INSTANT/NONE"}},
		{"ALTER TABLE t MODIFY a INT NOT NULL", map[schema.Server]string{mysql97: "INPLACE rebuild/NONE", mariadb1011: "INPLACE rebuild/NONE"}},
		{"ALTER TABLE t MODIFY d INT", map[schema.Server]string{mysql97: "INPLACE rebuild/NONE", mariadb1011: "INPLACE rebuild/NONE"}},
		{"ALTER TABLE t MODIFY a BIGINT", map[schema.Server]string{mysql57: "COPY/SHARED", mysql97: "COPY/SHARED", mariadb1011: "COPY/SHARED", mariadb118: "COPY/NONE"}},
		{"ALTER TABLE t MODIFY b VARCHAR(63)", map[schema.Server]string{mysql97: "INPLACE/NONE", mariadb1011: "INSTANT/NONE"}},
		{"ALTER TABLE t MODIFY c VARCHAR(70) CHARACTER SET utf8mb4", map[schema.Server]string{mysql97: "COPY/SHARED", mariadb1011: "COPY/SHARED"}},
		{"ALTER TABLE t MODIFY b VARCHAR(300)", map[schema.Server]string{mysql97: "COPY/SHARED", mariadb103: "COPY/SHARED", mariadb1011: "INSTANT/NONE"}},
		{"ALTER TABLE t MODIFY b VARCHAR(20)", map[schema.Server]string{mysql97: "COPY/SHARED", mariadb1011: "COPY/SHARED"}},
		{"ALTER TABLE t MODIFY e ENUM('x','y','z')", map[schema.Server]string{mysql57: "INPLACE/NONE", mysql97: "INSTANT/NONE", mariadb1011: "INSTANT/NONE"}},
		{"ALTER TABLE t MODIFY e ENUM('x','z','y')", map[schema.Server]string{mysql97: "COPY/SHARED", mariadb1011: "COPY/SHARED"}},
		{"ALTER TABLE t MODIFY g VARCHAR(20) CHARACTER SET utf8mb4", map[schema.Server]string{mysql57: "COPY/SHARED", mysql97: "INPLACE/NONE", mariadb1011: "INSTANT/NONE"}},
		{"ALTER TABLE t MODIFY d INT NOT NULL AUTO_INCREMENT", map[schema.Server]string{mysql97: "COPY/SHARED", mariadb118: "COPY/SHARED"}},
		{"ALTER TABLE t DROP PRIMARY KEY", map[schema.Server]string{mysql97: "COPY/SHARED", mariadb1011: "COPY/SHARED"}},
		{"ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (d)", map[schema.Server]string{mysql97: "INPLACE rebuild/NONE", mariadb1011: "INPLACE rebuild/NONE"}},
		{"ALTER TABLE t ADD KEY k_b (b)", map[schema.Server]string{mysql97: "INPLACE/NONE", mariadb1011: "NOCOPY/NONE"}},
		{"ALTER TABLE t ADD UNIQUE KEY u_b (b)", map[schema.Server]string{mysql97: "INPLACE/NONE", mariadb1011: "NOCOPY/NONE"}},
		{"ALTER TABLE t DROP KEY k_a", map[schema.Server]string{mysql97: "INPLACE/NONE", mariadb1011: "NOCOPY/NONE"}},
		{"ALTER TABLE t ADD FULLTEXT KEY ft (f)", map[schema.Server]string{mysql97: "INPLACE rebuild/SHARED", mariadb1011: "INPLACE rebuild/SHARED"}},
		{"ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES t (id)", map[schema.Server]string{mysql97: "COPY/SHARED", mariadb1011: "COPY/SHARED"}},
		{"ALTER TABLE t ADD CONSTRAINT ck CHECK (a > 0)", map[schema.Server]string{mysql97: "COPY/SHARED", mariadb1011: "COPY/SHARED"}},
		{"ALTER TABLE t COMMENT = 'x'", map[schema.Server]string{mysql97: "INPLACE/NONE", mariadb1011: "INSTANT/NONE"}},
		{"RENAME TABLE t TO u", map[schema.Server]string{mysql57: "INPLACE/EXCLUSIVE", mysql97: "INSTANT/EXCLUSIVE", mariadb1011: "INSTANT/EXCLUSIVE"}},
		{"DROP TABLE t", map[schema.Server]string{mysql97: "/", mariadb1011: "/"}},
		// Several clauses run at the worst of them.
		{"ALTER TABLE t ADD COLUMN n INT, ADD KEY k_b (b)", map[schema.Server]string{mysql97: "INPLACE/NONE", mariadb1011: "NOCOPY/NONE"}},
		{"ALTER TABLE t ADD COLUMN n INT, MODIFY a BIGINT", map[schema.Server]string{mysql97: "COPY/SHARED", mariadb1011: "COPY/SHARED"}},
		{"ALTER TABLE t ADD COLUMN n INT, ALGORITHM = COPY", map[schema.Server]string{mysql97: "COPY/SHARED", mysql84: "COPY/SHARED"}},
	} {
		for server, want := range test.want {
			s := lastStep(t, server, onlineBase, test.sql)
			c := cost("", server, s, schema.Diff(s.Before, s.After))
			if got := costText(c); got != want {
				t.Errorf("%+v: %s: %s, want %s (%s)", server, test.sql, got, want, c.Because)
			}
			if c.Because == "" {
				t.Errorf("%s: no reason", test.sql)
			}
		}
	}
}

func TestForeignKeyChecksOff(t *testing.T) {
	for server, want := range map[schema.Server]string{mysql97: "INPLACE/NONE", mariadb1011: "NOCOPY/NONE"} {
		s := lastStep(t, server, onlineBase, "SET foreign_key_checks = 0", "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES t (id)")
		if got := costText(cost("", server, s, schema.Diff(s.Before, s.After))); got != want {
			t.Errorf("%+v: %s, want %s", server, got, want)
		}
	}
}

func TestProviso(t *testing.T) {
	if p := Proviso(mariadb1011); !strings.Contains(p, "86400 (a day)") {
		t.Error(p)
	}
}

func TestFirstWord(t *testing.T) {
	for sql, want := range map[string]string{
		"  update t": "UPDATE", "/* x */ -- y\n# z\n(select 1)": "SELECT", "": "", "/* open": "", "/*!40101 SET x */": "SET", "/*M! delete */": "DELETE", "-- only": "", "--": "", "123": "",
	} {
		if got := firstWord(sql); got != want {
			t.Errorf("%q: %q, want %q", sql, got, want)
		}
	}
}

// TestSameSchema: without a difference there is nothing to say.
func TestSameSchema(t *testing.T) {
	s := lastStep(t, mysql84, onlineBase).After
	for name, u := range map[string]Upgrade{
		"one":   {Databases: []Database{{Old: s, New: s}}},
		"none":  {},
		"empty": {Databases: []Database{{Old: s, New: s, Migrations: []Migration{{ID: "x", State: Pending}}}}},
	} {
		r := Analyze(u, nil)
		if r.Verdict != NoChange || len(r.Gaps)+len(r.Hazards)+len(r.Changes)+len(r.Order) != 0 || r.Services[0].Place != Anywhere || !r.Services[0].CanRollBack {
			t.Errorf("%s: %+v", name, r)
		}
	}
	// A schema that could not be rebuilt is no reason to be sure.
	if r := Analyze(Upgrade{Databases: []Database{{Old: s}}}, nil); r.Verdict != Unproven {
		t.Errorf("without a schema: %s", r.Verdict)
	}
}

func BenchmarkAnalyze(b *testing.B) {
	before := schema.New(mysql84)
	apply := func(s *schema.Schema, sql string) *schema.Schema {
		after, err := s.Apply(schema.Statement{SQL: sql})
		if err != nil {
			b.Fatal(err)
		}
		return after
	}
	for i := range 72 {
		before = apply(before, strings.Replace(onlineBase, "TABLE t ", "TABLE t"+string(rune('a'+i/26))+string(rune('a'+i%26))+" ", 1))
	}
	s := before
	var steps []Step
	for i := range 20 {
		sql := "ALTER TABLE t" + string(rune('a'+i/26)) + string(rune('a'+i%26)) + " ADD COLUMN n INT"
		after := apply(s, sql)
		steps = append(steps, Step{schema.Statement{SQL: sql}, s, after})
		s = after
	}
	b.ReportAllocs()
	for b.Loop() {
		Analyze(Upgrade{Databases: []Database{{Old: before, New: s, Steps: steps}}}, nil)
	}
}
