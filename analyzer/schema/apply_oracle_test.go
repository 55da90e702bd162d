package schema

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"instep/simulate/servertest"
)

var updateServers = flag.Bool("update-servers", false, "ask real servers again what the scripts in testdata/apply do")

// TestServers holds Apply to real servers. Each script in testdata/apply was run, statement by statement, on MySQL 9.7 and
// MariaDB 10.11; the golden files beside it keep what each server said: its error number, or SHOW CREATE TABLE of what changed.
// Reading that back must give the tables that Apply makes. A script whose name begins with a server's runs only there.
//
//	go test ./analyzer/schema -run TestServers -update-servers
func TestServers(t *testing.T) {
	scripts, err := filepath.Glob("testdata/apply/*.sql")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, flavour := range []string{"mysql", "mariadb"} {
		for _, script := range scripts {
			base := strings.TrimSuffix(filepath.Base(script), ".sql")
			if only, _, _ := strings.Cut(base, "_"); only != flavour && only != "both" {
				continue
			}
			t.Run(flavour+"/"+base, func(t *testing.T) {
				src, err := os.ReadFile(script)
				if err != nil {
					t.Fatal(err)
				}
				st, gaps := Split(base+".sql", string(src))
				if len(gaps) > 0 {
					t.Fatal(gaps)
				}
				golden := filepath.Join("testdata", "apply", base+"."+flavour+".golden")
				if *updateServers {
					if err := os.WriteFile(golden, []byte(askServer(t, flavour, st)), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				text, err := os.ReadFile(golden)
				if err != nil {
					t.Fatalf("%v\nrun: go test ./analyzer/schema -run TestServers -update-servers", err)
				}
				compareServer(t, flavour, st, string(text))
			})
		}
	}
}

func serverOf(flavour string) Server {
	if flavour == "mariadb" {
		return Server{MariaDB: true, Major: 10, Minor: 11}
	}
	return Server{Major: 9, Minor: 7}
}

// askServer runs the statements and writes down what the server says.
func askServer(t *testing.T, flavour string, statements []Statement) string {
	server := servertest.MySQL
	if flavour == "mariadb" {
		server = servertest.MariaDB
	}
	srv := server(t)
	db, name := srv.Database(t)
	db.SetMaxOpenConns(1)
	charset := New(serverOf(flavour))
	if _, err := db.Exec(fmt.Sprintf("ALTER DATABASE %s CHARACTER SET %s COLLATE %s", quoteName(name), charset.Charset(), charset.Collation())); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	was := map[string]string{}
	for i, st := range statements {
		_, err := db.Exec(st.SQL)
		var refused *mysql.MySQLError
		switch {
		case errors.As(err, &refused):
			fmt.Fprintf(&b, "-- %d: error %d %s\n", i+1, refused.Number, strings.Join(strings.Fields(strings.ReplaceAll(refused.Message, name, "db")), " "))
		case err != nil:
			t.Fatalf("%s: %v", st.SQL, err)
		default:
			fmt.Fprintf(&b, "-- %d: ok\n", i+1)
		}
		now := srv.ShowCreate(t, name)
		for n := range was {
			if _, ok := now[n]; !ok {
				now[n] = ""
			}
		}
		var names []string
		for n := range now {
			if now[n] != was[n] {
				names = append(names, n)
			}
		}
		slices.Sort(names)
		for _, n := range names {
			if now[n] == "" {
				fmt.Fprintf(&b, "-- gone: %s\n", n)
				delete(now, n)
				continue
			}
			fmt.Fprintf(&b, "%s;\n", now[n])
		}
		was = now
	}
	return b.String()
}

// compareServer applies the statements and compares each result with what the server said.
func compareServer(t *testing.T, flavour string, statements []Statement, golden string) {
	s := New(serverOf(flavour))
	want := map[string]*Table{}
	entries := strings.Split("\n"+golden, "\n-- ")[1:]
	i := -1
	var code int
	check := func() {
		if i < 0 {
			return
		}
		st := statements[i]
		st.Migration = "m"
		next, err := s.Apply(st)
		got := 0
		var e *Error
		if errors.As(err, &e) {
			got = e.Code
			if got == 0 {
				got = -1
			}
		}
		if got != code {
			t.Errorf("%s: %s\ngot %v, want error %d", st.Pos, st.SQL, err, code)
		}
		s = next
		copied := *s
		s = &copied
		s.tables = maps.Clone(s.tables)
		for _, name := range slices.Sorted(maps.Keys(union(want, s.tables))) {
			var w, h *Table
			if want[name] != nil {
				w = comparableTable(want[name])
			}
			if s.tables[name] != nil {
				h = comparableTable(s.tables[name])
			}
			if diff := cmp.Diff(w, h, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: %s\nserver (-) and Apply (+) differ:\n%s", st.Pos, st.SQL, diff)
				// Go on from what the server has.
				if delete(s.tables, name); want[name] != nil {
					s.tables[name] = want[name]
				}
			}
		}
	}
	for _, entry := range entries {
		head, body, _ := strings.Cut(entry, "\n")
		if name, ok := strings.CutPrefix(head, "gone: "); ok {
			delete(want, name)
		} else {
			check()
			n, rest, _ := strings.Cut(head, ": ")
			num, err := strconv.Atoi(n)
			if err != nil {
				t.Fatalf("golden file: %q", head)
			}
			i = num - 1
			code = 0
			if rest, ok := strings.CutPrefix(rest, "error "); ok {
				rest, _, _ = strings.Cut(rest, " ")
				code, _ = strconv.Atoi(rest)
			}
		}
		for _, tab := range readShown(t, flavour, body) {
			want[tab.Name] = tab
		}
	}
	check()
}

func union(a, b map[string]*Table) map[string]*Table {
	m := maps.Clone(a)
	if m == nil {
		m = map[string]*Table{}
	}
	maps.Copy(m, b)
	return m
}

// readShown reads what SHOW CREATE TABLE printed.
func readShown(t *testing.T, flavour, text string) []*Table {
	list, gaps := Split("golden", text)
	if len(gaps) > 0 {
		t.Fatal(gaps, text)
	}
	var out []*Table
	for _, st := range list {
		s, err := New(serverOf(flavour)).Apply(Statement{SQL: "SET foreign_key_checks=0, sql_mode=''"})
		if err != nil {
			t.Fatal(err)
		}
		s, err = s.Apply(st)
		if err != nil {
			t.Fatalf("reading what the server printed: %v\n%s", err, st.SQL)
		}
		out = append(out, s.Tables()...)
	}
	return out
}

// comparableTable gives a table without what SHOW CREATE TABLE does not print.
func comparableTable(t *Table) *Table {
	n := t.clone()
	n.Origin, n.Created, n.Last = "", nil, nil
	delete(n.Options, "AUTO_INCREMENT") // grows with the rows
	for i, c := range n.Columns {
		d := *c
		d.Origin, d.Created, d.Last = "", nil, nil
		if d.Default != nil && d.Default.Dropped {
			d.Default = &Default{Null: true} // MySQL prints the difference by leaving out DEFAULT NULL, which BLOB has not either
		}
		if d.Type.isInteger() && !d.Type.Zerofill && !(d.Type.Name == "tinyint" && d.Type.Length == 1) {
			d.Type.Length = -1
		}
		if d.Type.Name == "year" || d.Type.Zerofill && d.Type.isInteger() {
			d.Type.Length = -1
		}
		n.Columns[i] = &d
	}
	for i, k := range n.Keys {
		d := *k
		d.Implicit, d.Created, d.Last = false, nil, nil
		if d.Using == "BTREE" {
			d.Using = ""
		}
		n.Keys[i] = &d
	}
	for i, f := range n.ForeignKeys {
		d := *f
		d.Created = nil
		n.ForeignKeys[i] = &d
	}
	for i, c := range n.Checks {
		d := *c
		d.Created = nil
		n.Checks[i] = &d
	}
	if n.Partition != nil {
		p := *n.Partition
		p.Last = nil
		n.Partition = &p
	}
	return n
}
