package simulate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"instep/analyzer"
	"instep/analyzer/schema"
	"instep/simulate/servertest"
)

// workloadSchema gives the schema that statements make.
func workloadSchema(t testing.TB, server schema.Server, text string) *schema.Schema {
	t.Helper()
	s := schema.New(server)
	statements, gaps := schema.Split("x.sql", text)
	if len(gaps) > 0 {
		t.Fatal(gaps)
	}
	for _, st := range statements {
		st.Migration = "old"
		var err error
		if s, err = s.Apply(st); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

const workloadTables = "CREATE TABLE users (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL, kind ENUM('a','b') NOT NULL DEFAULT 'a', age INT, UNIQUE KEY (name));" +
	"CREATE TABLE posts (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id INT NOT NULL, title VARCHAR(30), FOREIGN KEY (user_id) REFERENCES users (id));"

var workloadSample = Sample{rows: map[string][]map[string]string{
	"users": {{"id": "7", "name": "'ann'", "kind": "'a'", "age": "NULL"}, {"id": "8", "name": "'bob'", "kind": "'b'", "age": "40"}},
	"posts": {{"id": "1", "user_id": "7", "title": "'t'"}, {"id": "2", "user_id": "8", "title": "'u'"}},
}}

// recordedTexts gives the plainest form of each recorded transaction: what has a source, without the variants.
func recordedTexts(w Workload) []string {
	list := []string{}
	for _, t := range w.Transactions {
		if n := len(list); n > 0 && strings.HasPrefix(list[n-1], t.Source+" ") {
			continue
		}
		list = append(list, t.Source+" "+strings.Join(t.Statements, "; "))
	}
	return list
}

func TestRecordedQueries(t *testing.T) {
	s := workloadSchema(t, schema.Server{}, workloadTables)
	for _, c := range []struct {
		sql    string
		want   []string // the plainest form of each transaction
		use    analyzer.Use
		unread []string
		access analyzer.Access
	}{
		{sql: "SELECT id FROM users WHERE name = ?", want: []string{"q.sql:1 SELECT id FROM users WHERE name = 'ann'"}, use: analyzer.Read},
		{sql: "SELECT u.id FROM users AS u WHERE u.id IN (%s, %s) AND u.age BETWEEN %(lo)s AND %(hi)s LIMIT ? OFFSET ?",
			want: []string{"q.sql:1 SELECT u.id FROM users AS u WHERE u.id IN (7, 7) AND u.age BETWEEN " + workloadAge(s) + " AND " + workloadAge(s) + " LIMIT 10 OFFSET 0"}, use: analyzer.Read},
		{sql: "SELECT `p`.* FROM posts p JOIN users u ON u.id = p.user_id WHERE LOWER(u.name) LIKE :name ORDER BY p.id",
			want: []string{"q.sql:1 SELECT `p`.* FROM posts p JOIN users u ON u.id = p.user_id WHERE LOWER(u.name) LIKE 'ann' ORDER BY p.id"}, use: analyzer.Read | analyzer.Position},
		{sql: "UPDATE users SET kind = $1, age = age + $2 WHERE $3 = id", want: []string{"q.sql:1 UPDATE users SET kind = 'b', age = age + 1 WHERE 7 = id"}, use: analyzer.Update},
		{sql: "INSERT INTO posts (user_id, title) VALUES (?, CONCAT(?, '?'))", want: []string{"q.sql:1 INSERT INTO posts (user_id, title) VALUES (7, CONCAT('t', '?'))"}, use: analyzer.Insert | analyzer.Omit},
		{sql: "DELETE FROM posts WHERE user_id = ? AND title IS NOT NULL -- why?", want: []string{"q.sql:1 DELETE FROM posts WHERE user_id = 7 AND title IS NOT NULL"}, use: analyzer.Delete},
		{sql: "SELECT 1 FROM users WHERE name = :n; SELECT 2 FROM users WHERE id > 1 /* ? */ AND :n <> ''",
			want:   []string{"q.sql:1 SELECT 1 FROM users WHERE name = 'ann'"},
			unread: []string{"q.sql:1: what :n stands for cannot be told"}, use: analyzer.Read},
		{sql: "SELECT 1 FROM users WHERE name = :n OR :n = ''", want: []string{"q.sql:1 SELECT 1 FROM users WHERE name = 'ann' OR 'ann' = ''"}, use: analyzer.Read},
		{sql: "BEGIN;\nUPDATE users SET age = 3 WHERE id = 7;\nDELETE FROM posts WHERE id = ?;\nCOMMIT;\nSELECT COUNT(*) FROM posts",
			want: []string{"q.sql:2 UPDATE users SET age = 3 WHERE id = 7; DELETE FROM posts WHERE id = 1", "q.sql:5 SELECT COUNT(*) FROM posts"}, use: analyzer.Update | analyzer.Delete | analyzer.Read},
		{sql: "DROP TABLE users;\nSET sql_mode = '';\nCALL p();\nCOMMIT;\nSELECT * FROM other.users;\nSHOW TABLES;\nLOCK TABLES users READ;\nLOAD DATA INFILE 'x' INTO TABLE users",
			want: []string{}, unread: []string{
				"q.sql:1: DROP commits: it cannot be rolled back",
				"q.sql:2: SET would change the session for what comes after it; the sql_mode is that of the configuration",
				"q.sql:3: CALL is not run, because a procedure may commit",
				"q.sql:4: COMMIT without BEGIN: every transaction is rolled back",
				"q.sql:5: it names another database, other",
				"q.sql:6: SHOW is not run: only statements that read and write rows are",
				"q.sql:7: LOCK is not run: only statements that read and write rows are",
				"q.sql:8: LOAD is not run: only statements that read and write rows are",
			}},
		{sql: "DELETE FROM users", access: analyzer.ReadAccess, want: []string{}, unread: []string{"q.sql:1: app may only read by its configuration"}},
		{sql: "SELECT EXTRACT(YEAR FROM title), TRIM('a' FROM title) FROM posts WHERE title = '''?' AND id = 3.5", want: []string{"q.sql:1 SELECT EXTRACT(YEAR FROM title), TRIM('a' FROM title) FROM posts WHERE title = '''?' AND id = 3.5"}, use: analyzer.Read},
		{sql: "WITH x AS (SELECT id FROM users) SELECT x.id FROM x, posts WHERE posts.id = ? FOR UPDATE", want: []string{"q.sql:1 WITH x AS (SELECT id FROM users) SELECT x.id FROM x, posts WHERE posts.id = 1 FOR UPDATE"}, use: analyzer.Read},
		{sql: "INSERT INTO users (name, age) VALUES (?, ?) ON DUPLICATE KEY UPDATE age = ?", use: analyzer.Insert | analyzer.Omit | analyzer.Update,
			want: []string{"q.sql:1 INSERT INTO users (name, age) VALUES (" + distinctLiteral(s.Table("users").Column("name"), freshFrom+1) + ", NULL) ON DUPLICATE KEY UPDATE age = 40"}},
		{sql: "SELECT 'open FROM users WHERE id = ?", want: []string{}, unread: []string{"q.sql:1: "}},
	} {
		w, ok := recordedQueries.Make(Subject{
			Service: analyzer.Service{Name: "app", Access: c.access}, Code: analyzer.OldCode, Schema: s, Sample: workloadSample,
			Queries: []Queries{{Service: "app", Code: analyzer.OldCode, File: "q.sql", SQL: c.sql}, {Service: "web", Code: analyzer.OldCode, SQL: "SELECT 1"}, {Service: "app", Code: analyzer.NewCode, SQL: "SELECT 2"}},
		})
		if !ok {
			t.Errorf("%s: nothing", c.sql)
			continue
		}
		if got := recordedTexts(w); !slices.EqualFunc(got, c.want, func(a, b string) bool { return strings.HasPrefix(a, b) }) {
			t.Errorf("%s\ngives %q\nwant  %q", c.sql, got, c.want)
		}
		var use analyzer.Use
		for _, tr := range w.Transactions {
			use |= tr.Use
		}
		if use != c.use {
			t.Errorf("%s: uses %s, want %s", c.sql, use, c.use)
		}
		if !slices.EqualFunc(w.Unread, c.unread, strings.HasPrefix) {
			t.Errorf("%s\nunread %q\nwant   %q", c.sql, w.Unread, c.unread)
		}
	}
}

// workloadAge is what stands for users.age, which is NULL in the first row.
func workloadAge(s *schema.Schema) string {
	return (&implied{}).ordinary(s.Table("users").Column("age"), 0)
}

// TestRecordedVariants: what a recorded statement writes is tried with every edge value of its columns.
func TestRecordedVariants(t *testing.T) {
	s := workloadSchema(t, schema.Server{}, workloadTables)
	w, _ := recordedQueries.Make(Subject{
		Service: analyzer.Service{Name: "app"}, Code: analyzer.OldCode, Schema: s, Sample: workloadSample,
		Queries: []Queries{{Service: "app", Code: analyzer.OldCode, File: "q.sql", SQL: "UPDATE users SET kind = ? WHERE id = ?"}},
	})
	var all []string
	for _, tr := range w.Transactions {
		all = append(all, tr.Statements...)
	}
	for _, want := range []string{"UPDATE users SET kind = 'b' WHERE id = 7", "UPDATE users SET kind = 'a' WHERE id = 8", "UPDATE users SET kind = 'a' WHERE id = 7"} {
		if !slices.Contains(all, want) {
			t.Errorf("%q is not among %q", want, all)
		}
	}
}

// FuzzQueryTokens: tokens cover the text in order, and no text makes the recorder panic.
func FuzzQueryTokens(f *testing.F) {
	for _, s := range []string{"SELECT a.b FROM `a``b` WHERE x = ? -- x\n AND y IN (:z, %(q)s, %s, $1)", "'a\\'", "WITH", "INSERT INTO t () VALUES ()", "? ? ?", "UPDATE", "FROM (", "/*", "BEGIN; ?; COMMIT"} {
		f.Add(s)
	}
	s := workloadSchema(f, schema.Server{}, workloadTables)
	f.Fuzz(func(t *testing.T, text string) {
		end := 0
		for _, tok := range queryTokens(text) {
			if tok.start < end || tok.end <= tok.start || tok.end > len(text) || tok.text != text[tok.start:tok.end] {
				t.Fatalf("%q: token %+v behind %d", text, tok, end)
			}
			end = tok.end
		}
		recordedQueries.Make(Subject{
			Service: analyzer.Service{Name: "app"}, Code: analyzer.OldCode, Schema: s, Sample: workloadSample,
			Queries: []Queries{{Service: "app", Code: analyzer.OldCode, File: "q", SQL: text}},
		})
	})
}

// TestImplied: an implied workload is bounded and always the same, and a service that may only read sends what reads.
func TestImplied(t *testing.T) {
	var b strings.Builder
	b.WriteString(workloadTables)
	for i := range 60 {
		fmt.Fprintf(&b, "CREATE TABLE t%d (id INT NOT NULL PRIMARY KEY", i)
		for k := range 30 {
			fmt.Fprintf(&b, ", c%d VARCHAR(20)", k)
		}
		b.WriteString(");")
	}
	of := Subject{Service: analyzer.Service{Name: "app"}, Code: analyzer.OldCode, Rev: "v1", Schema: workloadSchema(t, schema.Server{}, b.String()), Sample: workloadSample}
	w := workloadOf(of)
	if again := workloadOf(of); fmt.Sprint(w) != fmt.Sprint(again) {
		t.Error("two workloads of the same subject differ")
	}
	if w.Source != "implied by the schema at v1" || w.Service != "app" || w.Code != analyzer.OldCode {
		t.Errorf("%q %q %s", w.Source, w.Service, w.Code)
	}
	perTable := map[string]int{}
	var use analyzer.Use
	for _, tr := range w.Transactions {
		perTable[tr.Table]++
		use |= tr.Use
		if tr.Reads != (tr.Use == analyzer.Read) {
			t.Fatalf("%+v", tr)
		}
	}
	for name, n := range perTable {
		if n > maxNear {
			t.Errorf("%s has %d transactions", name, n)
		}
	}
	if len(w.Transactions) > maxWorkload || len(perTable) < 50 {
		t.Errorf("%d transactions for %d tables", len(w.Transactions), len(perTable))
	}
	if want := analyzer.Read | analyzer.Insert | analyzer.Update | analyzer.Delete | analyzer.Omit; use != want {
		t.Errorf("uses %s, want %s", use, want)
	}
	of.Service.Access = analyzer.ReadAccess
	for _, tr := range workloadOf(of).Transactions {
		if !tr.Reads || !strings.HasPrefix(tr.Statements[0], "SELECT ") || len(tr.Statements) != 1 {
			t.Fatalf("a service that may only read sends %+v", tr)
		}
	}
	of.Service.Access = analyzer.NoAccess
	if n := len(workloadOf(of).Transactions); n != 0 {
		t.Errorf("a service without access sends %d transactions", n)
	}
}

// TestSample: a row that is read as literals and written again is the same row, whatever its columns hold.
func TestSample(t *testing.T) {
	for _, f := range matrixFlavours {
		t.Run(f.name, func(t *testing.T) {
			ctx := context.Background()
			srv := testServer(t, f.start(t))
			const create = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a VARCHAR(30), b VARCHAR(10) CHARACTER SET latin1, c VARBINARY(10), d BIT(12), e JSON, f DECIMAL(10,3), g ENUM('x','it''s'), " +
				"h DATETIME(3), i POINT, j DOUBLE, k SET('p','q'), l TIME, m YEAR, n BIGINT UNSIGNED, o LONGTEXT)"
			s := workloadSchema(t, srv.Version, create)
			database, err := srv.createDatabase(ctx, "sample", "utf8mb4", "")
			if err != nil {
				t.Fatal(err)
			}
			c, err := srv.session(ctx, asGuest, database)
			if err != nil {
				t.Fatal(err)
			}
			defer c.close()
			for _, text := range []string{
				create,
				"INSERT INTO t VALUES (2, 'it''s \\\\ 😀\\n', 'é', X'00ff27', b'101', '{\"a\": \"x\\'y\"}', -1.5, 'it''s', '2024-02-29 12:34:56.789', ST_GeomFromText('POINT(1 2)'), 1.25, 'p,q', '-12:00:00', 2024, 18446744073709551615, 'o')",
				"INSERT INTO t (id) VALUES (1)",
				"INSERT INTO t (id, o) VALUES (3, REPEAT('x', 5000))",
			} {
				if err := c.exec(ctx, text); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
			}
			x, err := takeSample(ctx, c, database, s, 3)
			if err != nil {
				t.Fatal(err)
			}
			rows := x.rows["t"]
			if len(rows) != 3 || rows[0]["id"] != "1" || rows[0]["a"] != "NULL" {
				t.Fatalf("%v", rows)
			}
			if v, ok := rows[2]["o"]; ok {
				t.Errorf("a long value is kept: %d bytes", len(v))
			}
			w := &implied{Subject: Subject{Schema: s, Sample: x}}
			_, row := w.present(s.Table("t"), 1, 0)
			row["id"] = "9"
			if err := c.exec(ctx, w.insert(s.Table("t"), row, nil)); err != nil {
				t.Fatalf("%s: %v", w.insert(s.Table("t"), row, nil), err)
			}
			var names []string
			for _, col := range s.Table("t").Columns[1:] {
				names = append(names, "x."+quoteName(col.Name)+" <=> y."+quoteName(col.Name))
			}
			same, err := c.query(ctx, 0, "SELECT "+strings.Join(names, ", ")+" FROM t x JOIN t y ON x.id = 2 AND y.id = 9")
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range same[0] {
				if v.String != "1" {
					t.Errorf("%s is not what was read: %s", s.Table("t").Columns[i+1].Name, row[s.Table("t").Columns[i+1].Name])
				}
			}
		})
	}
}

// TestTranslate: rows of the deployed schema stand for rows of the target's, also behind renames.
func TestTranslate(t *testing.T) {
	old := workloadSchema(t, schema.Server{}, workloadTables)
	new := old
	for _, text := range []string{
		"RENAME TABLE users TO people", "ALTER TABLE people CHANGE name title VARCHAR(20) NOT NULL", "ALTER TABLE people MODIFY age VARCHAR(5) NOT NULL",
		"ALTER TABLE people ADD COLUMN mail VARCHAR(10)", "CREATE TABLE users (id INT NOT NULL PRIMARY KEY)",
	} {
		var err error
		if new, err = new.Apply(schema.Statement{SQL: text, Migration: "new"}); err != nil {
			t.Fatal(err)
		}
	}
	x := workloadSample.translate(old, new)
	p := x.rows["people"]
	if len(p) != 2 || p[0]["id"] != "7" || p[0]["title"] != "'ann'" || p[0]["kind"] != "'a'" {
		t.Fatalf("%v", p)
	}
	if _, ok := p[1]["age"]; ok {
		t.Error("a value of another type is kept")
	}
	if want := distinctLiteral(new.Table("people").Column("mail"), 1); p[1]["mail"] != want {
		t.Errorf("the new column has %s, want %s", p[1]["mail"], want)
	}
	if x.rows["posts"][0]["user_id"] != "7" {
		t.Errorf("%v", x.rows["posts"])
	}
}

// TestRecordedMatrix: recorded statements take the place of what the schema implies, with their position.
func TestRecordedMatrix(t *testing.T) {
	for _, f := range matrixFlavours {
		t.Run(f.name, func(t *testing.T) {
			srv := testServer(t, f.start(t))
			in := matrixInput{
				Services: []analyzer.Service{{Name: "app"}, {Name: "web"}},
				Queries: []Queries{
					{Service: "app", Code: analyzer.OldCode, File: "old.sql", SQL: "SELECT id FROM users WHERE name = ?;\n\nINSERT INTO users (name) VALUES (?);\nSELECT gone FROM users;\nSELECT SLEEP(?) FROM users WHERE id = ?;\nSELECT id, age FROM users WHERE id = ?"},
					{Service: "app", Code: analyzer.NewCode, File: "new.sql", SQL: "SELECT id FROM users WHERE name = ?"},
				},
			}
			m, cells := matrixRun(t, srv, "recorded", matrixUsers, "ALTER TABLE users ADD COLUMN kind INT NOT NULL; UPDATE users SET age = age + 1", in)
			want := []string{
				"app old-code 1: 1364", "app old-code 2: 1364",
				"web new-code 0: 1054", "web old-code 1: 1364", "web old-code 2: 1364",
			}
			if got := matrixText(cells); !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
			for _, c := range cells {
				if c.Service == "app" && c.Failed > 0 && c.Failures[0].Source != "old.sql:3" {
					t.Errorf("%+v", c.Failures)
				}
				if c.Service == "app" && c.Code == analyzer.OldCode && c.State == 2 {
					if c.ChangedCount != 2 || c.Changed[0].Was != "1 | 30" || c.Changed[0].Is != "1 | 31" {
						t.Errorf("the migration changed age, and %d results changed: %+v", c.ChangedCount, c.Changed)
					}
				}
			}
			w := m.workloads(true)[0]
			if w.Source != "old.sql" || w.Invalid != 1 || len(w.InvalidErrors) != 1 || w.InvalidErrors[0].Code != 1054 || w.Columns != 3 {
				t.Errorf("%+v", w)
			}
			if len(w.Unread) != 1 || !strings.HasPrefix(w.Unread[0], "old.sql:5: what ? stands for") {
				t.Errorf("unread: %q", w.Unread)
			}
		})
	}
}

// TestMatrixLimits: a statement that does not end is ended, and what follows is run.
func TestMatrixLimits(t *testing.T) {
	srv := testServer(t, servertest.MariaDB(t))
	start := time.Now()
	_, cells := matrixRun(t, srv, "limits", matrixUsers+"CREATE VIEW v AS SELECT id, SLEEP(IF(age > 90, 30, 0)) AS s FROM users;", "UPDATE users SET age = 99", matrixInput{
		Services: []analyzer.Service{{Name: "app"}}, Limit: time.Second,
	})
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	var timeouts, others int
	for _, c := range cells {
		if c.Code != analyzer.OldCode || c.State != 1 {
			continue
		}
		for _, f := range c.Failures {
			if f.Error.Code == 0 && f.Table == "v" {
				timeouts += f.Count
			} else {
				others += f.Count
			}
		}
	}
	if timeouts == 0 || others > 0 {
		t.Errorf("%d transactions ran into the limit, %d failed otherwise: %+v", timeouts, others, cells)
	}
}

// TestMatrixUntransactional: nothing is written to a table that would keep it.
func TestMatrixUntransactional(t *testing.T) {
	srv := testServer(t, servertest.MariaDB(t))
	m, cells := matrixRun(t, srv, "myisam", matrixUsers+"CREATE TABLE hits (id INT NOT NULL PRIMARY KEY, n INT) ENGINE=MyISAM; INSERT INTO hits VALUES (1, 1);"+
		"CREATE TRIGGER tr AFTER UPDATE ON users FOR EACH ROW UPDATE hits SET n = n + 1", "ALTER TABLE hits DROP COLUMN n", matrixInput{Services: []analyzer.Service{{Name: "app"}}})
	for _, c := range cells {
		for _, f := range c.Failures {
			if f.Use != analyzer.Read {
				t.Errorf("%+v", f)
			}
		}
	}
	if w := m.workloads(true)[0]; len(w.Unread) != 2 || !strings.Contains(w.Unread[0], "its engine MyISAM keeps") || !strings.Contains(w.Unread[1], "its trigger tr") {
		t.Errorf("%q", w.Unread)
	}
}
