package rules

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"instep/analyzer"
	"instep/analyzer/schema"
	"instep/simulate/servertest"
)

// TestSound holds the whole analysis to real servers: where a server raises an error for code that uses all of its schema, no
// report may call that order safe. The examples of all rules and random upgrades are built on a server; the workload of old
// code runs on the new schema and on each one in between, that of new code on the old ones, each in strict or in loose mode. A
// report may be stricter than the server: how often it was is logged. The schema that Apply makes must be the server's, too.
//
// INSTEP_SOAK is the number of random upgrades (40 by default; more than 500 also judge the examples in all modes and need -timeout), INSTEP_SEED the first seed.
func TestSound(t *testing.T) {
	for _, flavour := range []struct {
		name  string
		start func(testing.TB) *servertest.Server
	}{{"mysql", servertest.MySQL}, {"mariadb", servertest.MariaDB}} {
		t.Run(flavour.name, func(t *testing.T) {
			l := newLab(t, flavour.start(t))
			n, seed := number(t, "INSTEP_SOAK", 40), number(t, "INSTEP_SEED", 1)
			l.examples(n > 500)
			l.summary("examples")
			for from := l.upgrades; l.upgrades < from+n; seed++ {
				l.group(uint64(seed))
			}
			l.summary("all")
		})
	}
}

func number(t *testing.T, name string, n int) int {
	if s := os.Getenv(name); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return n
}

// A lab is a server with the findings that were made on it.
type lab struct {
	t          *testing.T
	server     schema.Server
	admin, app *sql.Conn // that of the migrations, which keeps the server's sql_mode, and that of the services

	upgrades, transactions, sent        int
	safe, broken, strict, unproven      int // answers about one service and one version of its code
	refused, dataFailed, tooStrictApply int
	seen                                map[string]int // misses, by signature
	strictRules                         map[string]int
	accepted                            map[int]int // statements that only the server refuses, by its error
	order                               []string
}

func newLab(t *testing.T, srv *servertest.Server) *lab {
	db, err := sql.Open("mysql", srv.DSN("", "multiStatements=true", "charset=utf8mb4"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	l := &lab{t: t, server: schema.Server{MariaDB: srv.MariaDB, Major: srv.Major, Minor: srv.Minor}, seen: map[string]int{}, strictRules: map[string]int{}, accepted: map[int]int{}}
	for _, c := range []**sql.Conn{&l.admin, &l.app} {
		if *c, err = db.Conn(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// exec sends SQL and gives the server's error number, 0 for none.
func (l *lab) exec(c *sql.Conn, text string) int {
	l.sent++
	_, err := c.ExecContext(context.Background(), text)
	var refused *mysql.MySQLError
	if errors.As(err, &refused) {
		return int(refused.Number)
	}
	if err != nil {
		l.t.Fatalf("%v\n%s", err, text)
	}
	return 0
}

func (l *lab) must(c *sql.Conn, text string) {
	if code := l.exec(c, text); code != 0 {
		l.t.Fatalf("error %d: %s", code, text)
	}
}

// database makes an empty database of that name and goes there.
func (l *lab) database(name string) {
	s := schema.New(l.server)
	l.must(l.admin, fmt.Sprintf("DROP DATABASE IF EXISTS %s; CREATE DATABASE %[1]s CHARACTER SET %s COLLATE %s; USE %[1]s", name, s.Charset(), s.Collation()))
}

// A place where workloads run: a database and the schema that it has now.
type place struct {
	database string
	schema   *schema.Schema
	rows     bool // its tables hold rows
}

// run sends a workload, first what only reads, and gives the error number of each transaction, 0 for none; skip leaves some out.
// With first it ends at the first error: whether a read-only service and one that writes meet an error is then known.
func (l *lab) run(p place, w workload, loose, first bool, skip func(i int) bool) []int {
	mode := "@@GLOBAL.sql_mode"
	if loose {
		mode = "''"
	}
	l.must(l.app, "ROLLBACK; USE "+p.database+"; SET sql_mode = "+mode)
	clean, reset := "SET foreign_key_checks = 0; ", ""
	for _, t := range p.schema.Tables() {
		clean += "DELETE FROM " + quote(t.Name) + "; "
		if slices.ContainsFunc(t.Columns, func(c *schema.Column) bool { return c.AutoIncrement }) {
			reset += "ALTER TABLE " + quote(p.database) + "." + quote(t.Name) + " AUTO_INCREMENT = 1; "
		}
	}
	clean += "SET foreign_key_checks = 1; "
	var todo []int
	for _, reads := range []bool{true, false} { // reads first: a table without transactions keeps what is written
		for i := range w {
			if w[i].reads == reads && (skip == nil || !skip(i)) {
				todo = append(todo, i)
			}
		}
	}
	send := func(list []int) int {
		var b strings.Builder
		for _, i := range list {
			b.WriteString("ROLLBACK; START TRANSACTION; ")
			if !w[i].reads {
				b.WriteString(clean)
			}
			b.WriteString(w[i].sql + "; ")
		}
		return l.exec(l.app, b.String())
	}
	codes := make([]int, len(w))
	most := 32
	for len(todo) > 0 {
		n := min(most, len(todo))
		code := send(todo[:n])
		if code != 0 && n > 1 {
			most = max(1, n/4)
			continue
		}
		if first && (code == 167 || code == 1467 || code == 1062) && reset != "" {
			// A rollback does not take back the numbers that were given out, and they may have come to their end.
			l.must(l.app, "ROLLBACK")
			l.exec(l.admin, reset)
			code = send(todo[:n])
		}
		codes[todo[0]] = code
		l.transactions += n
		if first && code != 0 {
			break
		}
		todo = todo[n:]
		most = min(2*n, 64)
		if code != 0 {
			most = 1
		}
	}
	l.must(l.app, "ROLLBACK; SET foreign_key_checks = 1")
	return codes
}

func failed(codes []int) func(int) bool { return func(i int) bool { return codes[i] != 0 } }

func either(a, b func(int) bool) func(int) bool { return func(i int) bool { return a(i) || b(i) } }

// near gives the names, old and new, of the tables that an upgrade changes and of those that foreign keys tie to them; nil if
// it may change how any table behaves.
func near(old, new *schema.Schema) map[string]bool {
	names := map[string]bool{}
	for _, c := range schema.Diff(old, new) {
		switch c := c.(type) {
		case *schema.ChangeTrigger, *schema.ChangeView, *schema.ChangeRoutine, *schema.ChangeDatabase:
			return nil
		case *schema.RenameTable:
			names[c.New.Name] = true
		}
		names[c.Object().Table] = true
	}
	if len(old.Triggers())+len(new.Triggers())+len(old.Views())+len(new.Views()) > 0 {
		return nil
	}
	for range 3 {
		for _, s := range []*schema.Schema{old, new} {
			for _, t := range s.Tables() {
				for _, f := range t.ForeignKeys {
					if names[t.Name] || names[f.RefTable] {
						names[t.Name], names[f.RefTable] = true, true
					}
				}
			}
		}
	}
	return names
}

// A history is a schema and how it was made, on the server and by Apply.
type history struct {
	statements []string
	schema     *schema.Schema
	rows       bool
}

var literals = regexp.MustCompile(`'[^']*'|\b\d+`)

var autoIncrement = regexp.MustCompile(` AUTO_INCREMENT=\d+`)

// shown reads back what the server says the tables are.
func (l *lab) shown(s *schema.Schema) (*schema.Schema, string) {
	read, err := schema.New(l.server).Apply(schema.Statement{SQL: "SET foreign_key_checks=0, sql_mode=''"})
	if err != nil {
		l.t.Fatal(err)
	}
	var all strings.Builder
	for _, t := range s.Tables() {
		var name, create string
		if err := l.admin.QueryRowContext(context.Background(), "SHOW CREATE TABLE "+quote(t.Name)).Scan(&name, &create); err != nil {
			return read, err.Error()
		}
		create = autoIncrement.ReplaceAllString(create, "")
		all.WriteString(create + ";\n")
		if read, err = read.Apply(schema.Statement{SQL: create}); err != nil {
			return read, fmt.Sprintf("%v\n%s", err, create)
		}
	}
	return read, all.String()
}

// apply runs a statement on the server and by Apply, and compares. It gives the schema after it and whether both took it.
func (l *lab) apply(s *schema.Schema, st schema.Statement, rows bool, context func() string) (*schema.Schema, bool) {
	after, err := s.Apply(st)
	code := l.exec(l.admin, st.SQL)
	var refused *schema.Error
	switch {
	case code != 0 && err == nil:
		l.refused++
		if rows {
			l.dataFailed++ // it may be for the rows
			return s, false
		}
		l.accepted[code]++ // a literal that cannot be converted, a function of some version: loud, and no question of order
		return s, false
	case code != 0:
		l.refused++
		return s, false
	case errors.As(err, &refused):
		l.tooStrictApply++ // it becomes a gap, and the verdict unproven
		l.t.Logf("only Apply refuses: %s: %v", st.SQL, err)
		return s, false
	}
	read, text := l.shown(after)
	for _, c := range schema.DiffNames(after, read) {
		switch c := c.(type) {
		case *schema.ChangeTrigger, *schema.ChangeView, *schema.ChangeRoutine, *schema.ChangeEvent:
			continue
		case *schema.ChangeCheck:
			if c.Old != nil && c.New != nil && literals.ReplaceAllString(c.Old.Expr, "?") == literals.ReplaceAllString(c.New.Expr, "?") {
				continue // the server prints a literal as the column's type has it
			}
		case *schema.ColumnDefault:
			if c.Old.Default != nil && c.Old.Default.Dropped {
				continue // SHOW CREATE TABLE prints it as a BLOB's missing default
			}
		}
		l.miss("apply differs", fmt.Sprintf("%s of %s: %s", c.Kind(), c.Object(), analyzer.Transition(c)), context()+"\n"+st.SQL+"\nserver has:\n"+text)
		return after, false
	}
	return after, true
}

func (l *lab) miss(kind, what, history string) {
	signature := kind + ": " + regexp.MustCompile(`[a-z]+\d+`).ReplaceAllString(what, "x")
	l.seen[signature]++
	if l.seen[signature] == 1 {
		l.order = append(l.order, signature)
		l.t.Errorf("%s: %s\n%s", kind, what, history)
	}
}

// build makes a database with that history. It reports whether the server took all of it.
func (l *lab) build(name string, h history) {
	l.database(name)
	for _, st := range h.statements {
		l.must(l.admin, st)
	}
	if h.rows {
		l.fill(h.schema)
	}
}

func (l *lab) fill(s *schema.Schema) {
	for _, st := range rowsOf(s) {
		l.exec(l.admin, st)
	}
}

// old is code at the deployed ref with what is known about it.
type old struct {
	history
	place place
	work  workload
	loose bool
	own   []int // the errors of its workload on its own schema
}

// upgrade judges one upgrade on the server and by Analyze, and compares. It reports whether it got that far.
func (l *lab) upgrade(o *old, migrate []schema.Statement, context func() string) bool {
	steps, end := []analyzer.Step(nil), o.schema
	for _, st := range migrate {
		after, err := end.Apply(st)
		if err != nil {
			after = end
		}
		steps = append(steps, analyzer.Step{Statement: st, Before: end, After: after})
		end = after
	}
	mode := analyzer.SQLMode("")
	if o.loose {
		mode = "loose"
	}
	code := workloadOf(end)
	// What each version of the code meets: old code every later schema, new code every earlier one.
	var oldCodes, newCodes [][]int
	names := near(o.schema, end)
	far := func(w workload) func(int) bool { return func(i int) bool { return names != nil && !names[w[i].table] } }
	l.build("sound_new", o.history)
	for i, s := range steps {
		if _, ok := l.apply(s.Before, s.Statement, o.rows, context); !ok {
			return false
		}
		now := place{"sound_new", s.After, o.rows}
		oldCodes = append(oldCodes, l.run(now, o.work, o.loose, true, either(failed(o.own), far(o.work))))
		if i < len(steps)-1 {
			newCodes = append(newCodes, l.run(now, code, o.loose, false, far(code)))
		}
	}
	own := l.run(place{"sound_new", end, o.rows}, code, o.loose, false, far(code))
	newCodes = append(newCodes, l.run(o.place, code, o.loose, true, either(failed(own), far(code))))
	l.upgrades++

	report := analyzer.Analyze(analyzer.Upgrade{
		Server: l.server, SQLMode: mode,
		Services:  []analyzer.Service{{Name: "writer"}, {Name: "reader", Access: analyzer.ReadAccess}},
		Databases: []analyzer.Database{{Old: o.schema, New: end, Steps: steps}},
	}, All)
	if report.Verdict == analyzer.Unproven {
		l.unproven++
		return true
	}
	for i, s := range report.Services {
		l.judge(o, report, s, analyzer.OldCode, s.Place&analyzer.Before != 0, o.work, o.own, oldCodes, i == 1, context)
		l.judge(o, report, s, analyzer.NewCode, s.Place&analyzer.After != 0, code, own, newCodes, i == 1, context)
	}
	return true
}

// judge compares what the report says about one version of a service's code with what the server said.
func (l *lab) judge(o *old, report *analyzer.Report, s analyzer.ServiceReport, code analyzer.Breaks, breaks bool, w workload, own []int, codes [][]int, readOnly bool, context func() string) {
	where, what, number := -1, "", 0
	for state, list := range codes {
		for i, c := range list {
			if c != 0 && own[i] == 0 && (w[i].reads || !readOnly) && where < 0 {
				where, what, number = state, w[i].sql, c
			}
		}
	}
	switch {
	case where < 0 && breaks:
		l.strict++
		for _, f := range report.Hazards {
			if f.Breaks&code != 0 && !f.Caution && slices.ContainsFunc(f.Services, func(h analyzer.Hit) bool { return h.Name == s.Name && h.Code&code != 0 }) {
				l.strictRules[f.Rule.ID+" "+code.String()+" "+s.Name]++
			}
		}
	case where < 0:
		l.safe++
	case breaks:
		l.broken++
	default:
		kinds := map[string]bool{}
		var list []string
		for _, c := range report.Changes {
			if !kinds[c.Kind] {
				kinds[c.Kind] = true
				list = append(list, c.Kind)
			}
		}
		slices.Sort(list)
		var said []string
		for _, f := range report.Hazards {
			caution := ""
			if f.Caution {
				caution = " (caution)"
			}
			said = append(said, fmt.Sprintf("  %s: %s %s: %s%s", f.Rule.ID, f.Breaks, f.Hits, f.Use, caution))
		}
		l.miss("unsafe", fmt.Sprintf("%s breaks for a %s with error %d; changes: %s", code, s.Name, number, strings.Join(list, ", ")),
			fmt.Sprintf("%s\nloose %v, rows %v, state %d: %s\nplace %s\n%s", context(), o.loose, o.rows, where, what, s.Place, strings.Join(said, "\n")))
	}
}

// prepare runs the workload of code on its own schema.
func (l *lab) prepare(h history, loose bool) *old {
	l.build("sound_old", h)
	o := &old{history: h, place: place{"sound_old", h.schema, h.rows}, work: workloadOf(h.schema), loose: loose}
	o.own = l.run(o.place, o.work, loose, false, nil)
	return o
}

// group makes a random schema and upgrades it in several ways.
func (l *lab) group(seed uint64) {
	r := &random{Rand: rand.New(rand.NewPCG(seed, 0)), mariaDB: l.server.MariaDB}
	h := history{schema: schema.New(l.server), rows: r.IntN(3) > 0}
	l.database("sound_old")
	var text string
	context := func() string { return fmt.Sprintf("seed %d (INSTEP_SEED)\n%s\n→", seed, text) }
	for i := range 1 + r.IntN(3) {
		for range 10 {
			sql := r.create(h.schema, []string{"users", "posts", "teams"}[i])
			after, ok := l.apply(h.schema, schema.Statement{SQL: sql, Migration: "old"}, false, context)
			if ok {
				h.schema, h.statements = after, append(h.statements, sql)
				text += sql + ";\n"
				break
			}
			l.exec(l.admin, "DROP TABLE IF EXISTS "+[]string{"users", "posts", "teams"}[i])
		}
	}
	if len(h.statements) == 0 {
		return
	}
	if sql := "CREATE VIEW v AS SELECT id, a FROM users"; r.IntN(6) == 0 {
		if after, ok := l.apply(h.schema, schema.Statement{SQL: sql, Migration: "old"}, false, context); ok {
			h.schema, h.statements = after, append(h.statements, sql)
			text += sql + ";\n"
		}
	}
	o := l.prepare(h, r.IntN(3) == 0)
	base := text
	for range 6 {
		text = base
		s := h.schema
		var migrate []schema.Statement
		for range 1 + max(0, r.IntN(4)-2) {
			for range 6 {
				st := schema.Statement{SQL: r.change(s), Migration: "new"}
				if after, err := s.Apply(st); err == nil {
					s = after
					migrate = append(migrate, st)
					break
				}
			}
		}
		text = base + "-- then\n"
		for _, st := range migrate {
			text += st.SQL + ";\n"
		}
		if len(migrate) > 0 {
			l.upgrade(o, migrate, context)
		}
	}
}

// examples judges the examples of all rules, each in one way or, if thorough, strict and loose, without rows and with them.
// One that this server does not take is left out.
func (l *lab) examples(thorough bool) {
	n := 0
	for _, rule := range All {
		for _, e := range rule.Examples {
			if e.Server != (schema.Server{}) && e.Server.MariaDB != l.server.MariaDB {
				continue
			}
			context := func() string { return "example of " + rule.ID + ": " + e.Old + "\n→ " + e.Migrate }
			for _, loose := range []bool{false, true} {
				for _, rows := range []bool{false, true} {
					n++
					if thorough || loose == (e.SQLMode == "loose") && rows == (n%8 < 4) {
						l.example(e, loose, rows, context)
					}
				}
			}
		}
	}
}

func (l *lab) example(e analyzer.Example, loose, rows bool, context func() string) {
	statements, gaps := schema.Split("old.sql", e.Old)
	migrate, more := schema.Split("new.sql", e.Migrate)
	if len(gaps)+len(more) > 0 {
		return
	}
	h := history{schema: schema.New(l.server), rows: rows}
	l.database("sound_old")
	for _, st := range statements {
		st.Migration = "old"
		after, err := h.schema.Apply(st)
		if l.exec(l.admin, st.SQL) != 0 || err != nil {
			return
		}
		h.schema, h.statements = after, append(h.statements, st.SQL)
	}
	for i := range migrate {
		migrate[i].Migration = "new"
	}
	s := h.schema
	for _, st := range migrate {
		var err error
		if s, err = s.Apply(st); err != nil {
			return
		}
	}
	l.upgrade(l.prepare(h, loose), migrate, context)
}

func (l *lab) summary(of string) {
	l.t.Logf("%s: %d upgrades, %d transactions, %d messages; answers: %d safe and right, %d broken and right, %d needlessly strict; %d upgrades unproven; statements: %d refused (%d for rows), %d that only Apply refuses",
		of, l.upgrades, l.transactions, l.sent, l.safe, l.broken, l.strict, l.unproven, l.refused, l.dataFailed, l.tooStrictApply)
	for _, code := range slices.Sorted(maps.Keys(l.accepted)) {
		l.t.Logf("%5d × refused by the server only, with %d", l.accepted[code], code)
	}
	for _, s := range l.order {
		l.t.Logf("%5d × %s", l.seen[s], s)
	}
	type count struct {
		rule string
		n    int
	}
	var list []count
	for rule, n := range l.strictRules {
		list = append(list, count{rule, n})
	}
	slices.SortFunc(list, func(a, b count) int { return b.n - a.n })
	for i, c := range list {
		if i == 15 {
			break
		}
		l.t.Logf("%5d × needlessly strict: %s", c.n, c.rule)
	}
}
