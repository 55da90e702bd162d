package schema

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"instep/simulate/servertest"
)

// TestSQLServers holds SQL to real servers: they take the text of random schemas, and what SHOW CREATE TABLE then says is the
// text again. On MySQL they must agree to the letter but for parentheses in expressions; MariaDB prints numbers as defaults, and its older
// features, in its own way, so there it is read again and compared by meaning.
func TestSQLServers(t *testing.T) {
	for _, tt := range []struct {
		flavour string
		start   func(testing.TB) *servertest.Server
	}{{"mysql", servertest.MySQL}, {"mariadb", servertest.MariaDB}} {
		t.Run(tt.flavour, func(t *testing.T) {
			srv := tt.start(t)
			server := serverOf(tt.flavour)
			for seed := range uint64(20) {
				s, history := onServer(t, srv, server, seed)
				if slices.ContainsFunc(s.Views(), func(v *View) bool { return !works(s, v) }) {
					continue
				}
				checkLoads(t, srv, s, fmt.Sprintf("seed %d\n%s", seed, strings.Join(history, ";\n")))
				if t.Failed() {
					return
				}
			}
		})
	}
}

// onServer gives a random schema. Statements that a server refuses are left out, whatever Apply says of them.
func onServer(t *testing.T, srv *servertest.Server, server Server, seed uint64) (*Schema, []string) {
	db, name := srv.Database(t)
	db.SetMaxOpenConns(1)
	s := New(server)
	run := func(sql string) bool {
		next, err := s.Apply(Statement{SQL: sql, Migration: "1"})
		if err != nil {
			return false
		}
		if _, err := db.Exec(sql); err != nil {
			t.Logf("Apply takes what the server refuses: %v\n%s", err, sql)
			return false
		}
		s = next
		return true
	}
	run(fmt.Sprintf("ALTER DATABASE %s CHARACTER SET %s COLLATE %s", name, s.Charset(), s.Collation()))
	statements, _ := Split("", tables)
	for _, st := range statements {
		if !run(st.SQL) {
			t.Fatal(st.SQL)
		}
	}
	d := &ddl{choices: choices(seed)}
	var history []string
	for len(d.choices) > 0 {
		d.s = s
		if sql := d.statement(); run(sql) {
			history = append(history, sql)
		}
	}
	return s, history
}

// checkLoads loads a schema's text into an empty database and compares it with what the server says then.
func checkLoads(t *testing.T, srv *servertest.Server, s *Schema, context string) {
	db, name := srv.Database(t)
	db.SetMaxOpenConns(1)
	sql := s.SQL()
	statements, gaps := Split("s.sql", sql)
	if len(gaps) > 0 {
		t.Fatal(gaps)
	}
	for _, st := range statements {
		if _, err := db.Exec(st.SQL); err != nil {
			t.Fatalf("%s\n%v in\n%s", context, err, st.SQL)
		}
	}
	shown := srv.ShowCreate(t, name)
	if len(shown) != len(s.Tables()) {
		t.Errorf("%s\n%d tables, want %d", context, len(shown), len(s.Tables()))
	}
	read := New(s.server)
	for _, set := range []string{"SET foreign_key_checks = 0", "SET sql_mode = ''"} {
		read = build(t, read, "", set)
	}
	for _, tab := range s.Tables() {
		create := shown[tab.Name]
		if !s.server.MariaDB && tab.Partition == nil && plain(create) != plain(s.TableSQL(tab)) {
			t.Errorf("%s\nthe server says\n%s\nnot\n%s", context, create, s.TableSQL(tab))
		}
		read = build(t, read, "", create)
		now := read.Table(tab.Name)
		for _, c := range tab.Columns {
			if c.Default != nil && c.Default.Dropped { // SHOW CREATE TABLE does not tell
				now.Column(c.Name).Default = c.Default
			}
		}
	}
	beside := *s
	beside.views, beside.trigs, beside.procs, beside.events, beside.seqs = nil, nil, nil, nil, nil
	read.charset, read.collate = s.Charset(), s.Collation()
	if c := DiffNames(&beside, read); len(c) > 0 {
		t.Errorf("%s\nread back, it differs:\n%s%s\n%s", context, diffed(c), sql, read.SQL())
	}
}

// plain removes what one of the texts has and the other has not: in expressions MySQL's parentheses and introducers, and the collation
// where it is the character set's usual one, which our text always names.
func plain(sql string) string {
	var lines []string
	for _, l := range strings.Split(sql, "\n") {
		if strings.Contains(l, "CHECK (") || strings.Contains(l, " AS (") || strings.Contains(l, "DEFAULT (") {
			l = strings.NewReplacer("(", "", ")", "", "_utf8mb4", "", "\\'", "'", " ", "").Replace(strings.ToLower(l))
		}
		for _, usual := range []string{" COLLATE=latin1_swedish_ci", " COLLATE latin1_swedish_ci", " COLLATE utf8mb3_general_ci"} {
			l = strings.Replace(l, usual, "", 1)
		}
		lines = append(lines, l)
	}
	return strings.Join(lines, "\n")
}
