package simulate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"instep/analyzer"
	"instep/analyzer/schema"
	"instep/simulate/servertest"
)

// flavours are the servers that the matrix is held to.
var matrixFlavours = []struct {
	name  string
	start func(testing.TB) *servertest.Server
}{{"mysql", servertest.MySQL}, {"mariadb", servertest.MariaDB}}

// A matrixCase is an upgrade with what its cells must say.
type matrixCase struct {
	name  string
	old   string // statements that make the deployed schema and its rows
	steps string
	mode  analyzer.SQLMode
	// want are the cells with failures, each as "service code state: numbers", of a service that may write, "writer", and one
	// that may only read, "reader". A number stands for MySQL and, where it is another there, behind a slash for MariaDB.
	want []string
}

const matrixUsers = "CREATE TABLE users (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL, nick VARCHAR(20), age INT NOT NULL DEFAULT 0);" +
	"INSERT INTO users (name, nick, age) VALUES ('ann', 'a', 30), ('bob', NULL, 40), ('cem', 'c', 50);"

var matrixCases = []matrixCase{
	{
		name: "nothing changes", old: matrixUsers, steps: "ALTER TABLE users ADD KEY k (age)",
	},
	{
		name: "add column", old: matrixUsers, steps: "ALTER TABLE users ADD COLUMN mail VARCHAR(30)",
		want: []string{"writer new-code 0: 1054", "reader new-code 0: 1054"},
	},
	{
		name: "drop column", old: matrixUsers, steps: "ALTER TABLE users DROP COLUMN nick",
		want: []string{"writer old-code 1: 1054", "reader old-code 1: 1054"},
	},
	{
		name: "NOT NULL without default", old: matrixUsers, steps: "ALTER TABLE users ADD COLUMN kind INT NOT NULL",
		want: []string{"writer old-code 1: 1364", "writer new-code 0: 1054", "reader new-code 0: 1054"},
	},
	{
		name: "NOT NULL without default, loose", mode: "loose", old: matrixUsers, steps: "ALTER TABLE users ADD COLUMN kind INT NOT NULL",
		want: []string{"writer new-code 0: 1054", "reader new-code 0: 1054"},
	},
	{
		name: "rename column", old: matrixUsers, steps: "ALTER TABLE users CHANGE nick handle VARCHAR(20)",
		want: []string{"writer old-code 1: 1054", "writer new-code 0: 1054", "reader old-code 1: 1054", "reader new-code 0: 1054"},
	},
	{
		name: "rename table", old: matrixUsers, steps: "RENAME TABLE users TO people",
		want: []string{"writer old-code 1: 1146", "writer new-code 0: 1146", "reader old-code 1: 1146", "reader new-code 0: 1146"},
	},
	{
		name: "drop table", old: matrixUsers + "CREATE TABLE logs (id INT NOT NULL PRIMARY KEY, what TEXT)", steps: "DROP TABLE logs",
		want: []string{"writer old-code 1: 1146", "reader old-code 1: 1146"},
	},
	{
		name: "create table", old: matrixUsers, steps: "CREATE TABLE logs (id INT NOT NULL PRIMARY KEY, what TEXT)",
		want: []string{"writer new-code 0: 1146", "reader new-code 0: 1146"},
	},
	{
		name: "unique key", old: matrixUsers, steps: "ALTER TABLE users ADD UNIQUE KEY u (name)",
		want: []string{"writer old-code 1: 1062"},
	},
	{
		name: "unique key of a column that is NULL", old: matrixUsers + "UPDATE users SET nick = NULL", steps: "ALTER TABLE users ADD UNIQUE KEY u (nick)",
		want: []string{"writer old-code 1: 1062"},
	},
	{
		name: "enum member removed",
		old: "CREATE TABLE jobs (id INT NOT NULL PRIMARY KEY, state ENUM('new','run','done') NOT NULL DEFAULT 'new');" +
			"INSERT INTO jobs VALUES (1, 'new'), (2, 'new')",
		steps: "ALTER TABLE jobs MODIFY state ENUM('new','done') NOT NULL DEFAULT 'new'",
		want:  []string{"writer old-code 1: 1265"},
	},
	{
		name: "narrowing", old: matrixUsers, steps: "ALTER TABLE users MODIFY name VARCHAR(5) NOT NULL",
		want: []string{"writer old-code 1: 1406"},
	},
	{
		name: "narrowing an integer", old: matrixUsers, steps: "ALTER TABLE users MODIFY age TINYINT NOT NULL DEFAULT 0",
		want: []string{"writer old-code 1: 1264"},
	},
	{
		name: "NULL to NOT NULL", old: matrixUsers + "UPDATE users SET nick = 'n'", steps: "ALTER TABLE users MODIFY nick VARCHAR(20) NOT NULL",
		want: []string{"writer old-code 1: 1048 1364"},
	},
	{
		name: "foreign key", old: matrixUsers + "CREATE TABLE posts (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id INT, KEY k (user_id));" +
			"INSERT INTO posts (user_id) VALUES (1), (2)",
		steps: "ALTER TABLE posts ADD CONSTRAINT f FOREIGN KEY (user_id) REFERENCES users (id)",
		want:  []string{"writer old-code 1: 1451 1452"},
	},
	{
		name: "new children of old parents", old: matrixUsers,
		steps: "CREATE TABLE posts (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id INT NOT NULL, CONSTRAINT f FOREIGN KEY (user_id) REFERENCES users (id))",
		want:  []string{"writer new-code 0: 1146", "reader new-code 0: 1146", "writer old-code 1 overlap: 1451"},
	},
	{
		name: "trigger gone stale", old: matrixUsers + "CREATE TABLE logs (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, what VARCHAR(50));" +
			"CREATE TRIGGER tr AFTER UPDATE ON users FOR EACH ROW INSERT INTO logs (what) VALUES (NEW.name)",
		steps: "ALTER TABLE logs DROP COLUMN what",
		want:  []string{"writer old-code 1: 1054", "reader old-code 1: 1054", "writer new-code 1: 1054"},
	},
	{
		name: "view gone stale", old: matrixUsers + "CREATE VIEW v AS SELECT id, nick FROM users", steps: "ALTER TABLE users DROP COLUMN nick",
		want: []string{"writer old-code 1: 1054 1356", "reader old-code 1: 1054 1356"},
	},
	{
		name: "check", old: matrixUsers, steps: "ALTER TABLE users ADD CONSTRAINT c CHECK (age < 200)",
		want: []string{"writer old-code 1: 3819/4025"},
	},
	{
		name: "opposite demands in two steps", old: matrixUsers, steps: "ALTER TABLE users DROP COLUMN nick; ALTER TABLE users ADD COLUMN mail VARCHAR(30)",
		want: []string{
			"writer old-code 1: 1054", "writer old-code 2: 1054", "writer new-code 0: 1054", "writer new-code 1: 1054",
			"reader old-code 1: 1054", "reader old-code 2: 1054", "reader new-code 0: 1054", "reader new-code 1: 1054",
		},
	},
	{
		name: "column that comes and goes", old: matrixUsers, steps: "ALTER TABLE users ADD COLUMN x INT NOT NULL; ALTER TABLE users DROP COLUMN x",
		want: []string{"writer old-code 1: 1364", "writer new-code 1: 1364"},
	},
	{
		name: "table that goes and comes back", old: matrixUsers + "CREATE TABLE logs (id INT NOT NULL PRIMARY KEY)", steps: "RENAME TABLE users TO people; RENAME TABLE people TO users",
		want: []string{"writer old-code 1: 1146", "writer new-code 1: 1146", "reader old-code 1: 1146", "reader new-code 1: 1146"},
	},
	{
		name:  "values that are alike for another collation",
		old:   "CREATE TABLE tags (id INT NOT NULL PRIMARY KEY, tag VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, UNIQUE KEY u (tag)); INSERT INTO tags VALUES (1, 'one')",
		steps: "ALTER TABLE tags MODIFY tag VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL",
		want:  []string{"writer old-code 1: 1062"},
	},
	{
		name: "a long text", old: "CREATE TABLE texts (id INT NOT NULL PRIMARY KEY, t LONGTEXT)", steps: "ALTER TABLE texts MODIFY t TEXT",
		want: []string{"writer old-code 1: 1406"},
	},
	{
		name: "view with a check option", old: matrixUsers + "CREATE VIEW v AS SELECT name, age FROM users WHERE age >= 0", steps: "CREATE OR REPLACE VIEW v AS SELECT name, age FROM users WHERE age >= 0 WITH CHECK OPTION",
		want: []string{"writer old-code 1: 1369"},
	},
	{
		name:  "key of one byte that has come to its end",
		old:   "CREATE TABLE tiny (id TINYINT NOT NULL AUTO_INCREMENT PRIMARY KEY, a INT); INSERT INTO tiny VALUES (1, 1), (120, 2)",
		steps: "ALTER TABLE tiny ADD KEY (a)",
	},
	{
		name: "no key, no rows", old: "CREATE TABLE bare (a INT, b VARCHAR(10))", steps: "ALTER TABLE bare ADD PRIMARY KEY (a)",
		want: []string{"writer old-code 1: 1048 1062 1364"},
	},
}

// matrixRun builds the old schema, runs the steps, and the workloads on every state.
func matrixRun(t *testing.T, srv *Server, name, old, steps string, in matrixInput) (*matrix, []analyzer.Cell) {
	t.Helper()
	ctx := context.Background()
	s := schema.New(srv.Version)
	database, err := srv.createDatabase(ctx, name, s.Charset(), s.Collation())
	if err != nil {
		t.Fatal(err)
	}
	c, err := srv.session(ctx, asAdmin, database) // with a binary log, only SUPER makes triggers (1419)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	apply := func(text, migration string) (states []*schema.Schema) {
		statements, gaps := schema.Split("x.sql", text)
		if len(gaps) > 0 {
			t.Fatal(gaps)
		}
		for _, st := range statements {
			if err := c.exec(ctx, st.SQL); err != nil {
				t.Fatalf("%s: %v", st.SQL, err)
			}
			st.Migration = migration
			switch strings.ToUpper(strings.Fields(st.SQL)[0]) {
			case "INSERT", "UPDATE", "DELETE":
			default:
				if s, err = s.Apply(st); err != nil {
					t.Fatal(err)
				}
			}
			states = append(states, s)
		}
		return states
	}
	apply(old, "old")
	in.Deployed = s
	target := s
	in.States = []*schema.Schema{s}
	pending, _ := schema.Split("x.sql", steps)
	for _, st := range pending {
		st.Migration = "new"
		if target, err = target.Apply(st); err != nil {
			t.Fatal(err)
		}
		in.States = append(in.States, target)
	}
	in.Target = target
	if in.Services == nil {
		in.Services = []analyzer.Service{{Name: "writer"}, {Name: "reader", Access: analyzer.ReadAccess}}
	}
	before := matrixSums(t, srv, database)
	m, err := newMatrix(ctx, srv, database, in)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.run(ctx, database, s, 0); err != nil {
		t.Fatal(err)
	}
	if after := matrixSums(t, srv, database); before != after {
		t.Errorf("the matrix changed rows:\n%s\n%s", before, after)
	}
	for i, st := range pending {
		now := apply(st.SQL, "new")
		if err := m.run(ctx, database, now[0], i+1); err != nil {
			t.Fatal(err)
		}
	}
	return m, m.cells(true)
}

// matrixSums gives the checksums of all base tables.
func matrixSums(t *testing.T, srv *Server, database string) string {
	t.Helper()
	ctx := context.Background()
	c, err := srv.session(ctx, asAdmin, database)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	tables, err := c.query(ctx, 0, "SHOW FULL TABLES WHERE table_type = 'BASE TABLE'")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, row := range tables {
		sums, err := c.query(ctx, 0, "CHECKSUM TABLE "+quoteName(row[0].String))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, row[0].String, sums[0][1].String)
	}
	return b.String()
}

// matrixText gives the cells with failures as a matrixCase has them.
func matrixText(cells []analyzer.Cell) []string {
	list := []string{}
	for _, c := range cells {
		if c.Failed == 0 {
			continue
		}
		var codes []string
		for _, f := range c.Failures {
			if n := fmt.Sprint(f.Error.Code); !slices.Contains(codes, n) {
				codes = append(codes, n)
			}
		}
		slices.Sort(codes)
		overlap := ""
		if c.Overlap {
			overlap = " overlap"
		}
		list = append(list, fmt.Sprintf("%s %s %d%s: %s", c.Service, c.Code, c.State, overlap, strings.Join(codes, " ")))
	}
	slices.Sort(list)
	return list
}

// TestMatrixNewService: a service that is new has no old code that could fail.
func TestMatrixNewService(t *testing.T) {
	_, cells := matrixRun(t, testServer(t, servertest.MariaDB(t)), "newservice",
		"CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a INT)", "ALTER TABLE t DROP COLUMN a",
		matrixInput{Services: []analyzer.Service{{Name: "code"}, {Name: "new", Elsewhere: true}}})
	if got := matrixText(cells); !slices.Equal(got, []string{"code old-code 1: 1054"}) {
		t.Errorf("failures: %q", got)
	}
	if !slices.ContainsFunc(cells, func(c analyzer.Cell) bool { return c.Service == "new" && c.Code == analyzer.NewCode && c.Sent > 0 }) {
		t.Error("its new code was not run")
	}
}

func TestMatrix(t *testing.T) {
	for _, f := range matrixFlavours {
		t.Run(f.name, func(t *testing.T) {
			srv := testServer(t, f.start(t))
			for i, c := range matrixCases {
				t.Run(c.name, func(t *testing.T) {
					m, cells := matrixRun(t, srv, fmt.Sprint("c", i), c.old, c.steps, matrixInput{SQLMode: c.mode})
					var want []string
					for _, w := range c.want {
						head, codes, _ := strings.Cut(w, ": ")
						list := strings.Fields(codes)
						for i, n := range list {
							mysql, maria, ok := strings.Cut(n, "/")
							list[i] = mysql
							if ok && f.name == "mariadb" {
								list[i] = maria
							}
						}
						slices.Sort(list)
						want = append(want, head+": "+strings.Join(list, " "))
					}
					slices.Sort(want)
					if got := matrixText(cells); !slices.Equal(got, want) {
						t.Errorf("failures:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
						for _, c := range cells {
							for _, f := range c.Failures {
								t.Logf("%s %s %d overlap %v: %d × %s\n\t%s", c.Service, c.Code, c.State, c.Overlap, f.Count, f.Error.Message, f.SQL)
							}
						}
					}
					for _, w := range m.workloads(true) {
						if w.Transactions == 0 || w.Tables != w.TablesOf || w.Columns != w.ColumnsOf {
							t.Errorf("%s %s exercises %d transactions, %d of %d tables, %d of %d columns", w.Service, w.Code, w.Transactions, w.Tables, w.TablesOf, w.Columns, w.ColumnsOf)
						}
						// What a stale trigger refuses is invalid for new code, too.
						if 3*w.Invalid > w.Transactions && c.name != "trigger gone stale" {
							t.Errorf("%s %s: %d of %d transactions are invalid on their own schema: %v", w.Service, w.Code, w.Invalid, w.Transactions, w.InvalidErrors)
						}
					}
				})
			}
		})
	}
}
