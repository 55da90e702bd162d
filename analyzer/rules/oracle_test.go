package rules

import (
	"cmp"
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
	"time"

	"github.com/go-sql-driver/mysql"

	"instep/analyzer"
	"instep/analyzer/schema"
	"instep/simulate/servertest"
)

// TestSound holds the whole analysis to real servers: where a server raises an error for code that uses all of its schema, no
// report may call that order safe. The examples of all rules and random upgrades are built on a server; the workload of old
// code runs on the new schema and on each one in between, that of new code on the old ones, each in strict or in loose mode. A
// report may be stricter than the server: how often it was is logged. Where a server refuses a statement of a migration for the rows that are
// there, a report has to say so. The schema that Apply makes must be the server's, too.
//
// A case is an upgrade that the server has run and that the analysis has judged: one that it leaves unproven is none.
//
// INSTEP_SOAK is the number of random cases on each server (40 by default; 2000 or more also judge the examples in all modes
// and need -timeout; 1 only repeats a seed), INSTEP_SOAKTIME when to stop before, INSTEP_SEED the first seed, "random" for a new one. See make soak.
func TestSound(t *testing.T) {
	n, seed := number(t, "INSTEP_SOAK", 40), number(t, "INSTEP_SEED", 1)
	var most time.Duration
	if s := os.Getenv("INSTEP_SOAKTIME"); s != "" {
		var err error
		if most, err = time.ParseDuration(s); err != nil {
			t.Fatalf("INSTEP_SOAKTIME: %v", err)
		}
	}
	t.Logf("seed %d (INSTEP_SEED)", seed)
	flavours := []struct {
		name  string
		start func(testing.TB) *servertest.Server
	}{{"mysql", servertest.MySQL}, {"mariadb", servertest.MariaDB}}
	begin := time.Now()
	var results []string
	for i, flavour := range flavours {
		t.Run(flavour.name, func(t *testing.T) {
			l := newLab(t, flavour.start(t))
			l.name, l.begin = fmt.Sprintf("%s %d.%d", flavour.name, l.server.Major, l.server.Minor), time.Now()
			// What one server leaves of the time is the other's.
			end := begin.Add(most * time.Duration(i+1) / time.Duration(len(flavours)))
			over := func() bool { return most > 0 && time.Now().After(end) }
			if n > 1 {
				l.examples(n >= 2000, over)
			}
			l.random = l.cases
			told := 0
			from := seed
			for ; l.cases-l.random < n && !over(); seed++ {
				l.group(uint64(seed))
				if done := l.cases - l.random; done/250 > told {
					told = done / 250
					t.Logf("%d cases after %s, seed %d, %d unsafe", done, time.Since(l.begin).Round(time.Second), seed, l.unsafe)
				}
			}
			l.summary()
			if done := l.cases - l.random; done < n {
				t.Logf("TIME IS OVER: %d of %d random cases", done, n)
			}
			results = append(results, fmt.Sprintf("%s: seeds %d to %d, %s: %d cases (%d random, %d examples); %d safe and right, %d broken and right, %d needlessly strict, %d unsafe; beside them %d upgrades unproven",
				l.name, from, seed-1, time.Since(l.begin).Round(time.Second), l.cases, l.cases-l.random, l.random, l.safe, l.broken, l.strict, l.unsafe, l.unproven))
			t.Log(results[len(results)-1])
			seed = from
		})
	}
	t.Logf("seed %d\n%s", seed, strings.Join(results, "\n"))
}

// number reads a number, or a random one, from the environment.
func number(t *testing.T, name string, n int) int {
	switch s := os.Getenv(name); s {
	case "":
	case "random":
		return 1000 + rand.IntN(1_000_000_000)
	default:
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
	name       string
	begin      time.Time
	server     schema.Server
	admin, app *sql.Conn // that of the migrations, which keeps the server's sql_mode, and that of the services

	upgrades, transactions, sent        int
	cases, random                       int  // upgrades that were judged, and those of them that are examples
	safe, broken, strict, unsafe        int  // answers about one service and one version of its code, four of each case
	unproven                            int  // upgrades
	stuck                               bool // a trigger did not let the rows be taken away, so that this upgrade cannot be judged
	refused, dataFailed, tooStrictApply int
	seen                                map[string]int // misses, by signature
	strictRules                         map[string]int
	unprovenFor                         map[string]int
	accepted                            map[int]int // statements that only the server refuses, by its error
	order                               []string
}

func newLab(t *testing.T, srv *servertest.Server) *lab {
	db, err := sql.Open("mysql", srv.DSN("", "multiStatements=true", "charset=utf8mb4"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	l := &lab{t: t, server: schema.Server{MariaDB: srv.MariaDB, Major: srv.Major, Minor: srv.Minor}, seen: map[string]int{}, strictRules: map[string]int{}, unprovenFor: map[string]int{}, accepted: map[int]int{}}
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
	rows     bool // its tables may hold rows
}

// run sends a workload, first what only reads, and gives the error number of each transaction, 0 for none; skip leaves some out.
// With first it ends at the first error: whether a read-only service and one that writes meet an error is then known.
func (l *lab) run(p place, w workload, loose, first bool, skip func(i int) bool) []int {
	mode := "@@GLOBAL.sql_mode"
	if loose {
		mode = "''"
	}
	l.must(l.app, "ROLLBACK; USE "+p.database+"; SET sql_mode = "+mode)
	clean, reset := "", ""
	leaves := false // a rollback leaves rows
	for _, t := range p.schema.Tables() {
		leaves = leaves || t.Engine != "InnoDB"
		clean += "DELETE FROM " + quote(t.Name) + "; "
		if slices.ContainsFunc(t.Columns, func(c *schema.Column) bool { return c.AutoIncrement }) {
			reset += "ALTER TABLE " + quote(p.database) + "." + quote(t.Name) + " AUTO_INCREMENT = 1; "
		}
	}
	clean = "SET foreign_key_checks = 0; " + clean + "SET foreign_key_checks = 1; "
	var todo []int
	reads := 0
	for _, read := range []bool{true, false} { // reads first: they look at the rows, and a table without transactions keeps what is written
		for i := range w {
			if w[i].reads == read && (skip == nil || !skip(i)) {
				todo = append(todo, i)
			}
		}
		if read {
			reads = len(todo)
		}
	}
	// Transactions that write begin with empty tables: the rows go in one that is taken back at the end, and each goes back to there.
	begin, emptied := "ROLLBACK; START TRANSACTION; ", false
	empty := func() {
		emptied = true
		begin = "ROLLBACK TO SAVEPOINT emptied; "
		// Twice, for triggers may put rows elsewhere.
		if l.exec(l.app, "ROLLBACK; START TRANSACTION; "+clean+clean+"SAVEPOINT emptied") != 0 {
			l.stuck = true
			l.must(l.app, "ROLLBACK; START TRANSACTION; SAVEPOINT emptied")
		}
	}
	send := func(list []int) int {
		var b strings.Builder
		for _, i := range list {
			b.WriteString(begin)
			if !w[i].reads && leaves {
				b.WriteString(clean)
			}
			b.WriteString(w[i].sql + "; ")
		}
		return l.exec(l.app, b.String())
	}
	codes := make([]int, len(w))
	most := 32
	for at := 0; at < len(todo); {
		n := min(most, len(todo)-at)
		if at < reads {
			n = min(n, reads-at)
		}
		if at == reads && p.rows && !leaves && !emptied {
			empty()
		}
		todo := todo[at:]
		code := send(todo[:n])
		if code != 0 && n > 1 {
			most = max(1, n/4)
			continue
		}
		if first && (code == 167 || code == 1467 || code == 1062) && reset != "" {
			// A rollback does not take back the numbers that were given out, and they may have come to their end.
			l.must(l.app, "ROLLBACK")
			l.exec(l.admin, reset)
			if emptied {
				empty()
			}
			code = send(todo[:n])
		}
		codes[todo[0]] = code
		l.transactions += n
		if first && code != 0 {
			break
		}
		at += n
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

// near gives the names, old and new, of the tables and views that an upgrade changes, and of those that foreign keys, triggers
// and views tie to them; nil if it may change how any table behaves.
func near(old, new *schema.Schema) map[string]bool {
	names := map[string]bool{}
	for _, c := range schema.Diff(old, new) {
		switch c := c.(type) {
		case *schema.ChangeRoutine, *schema.ChangeDatabase, *schema.ChangeSequence:
			return nil
		case *schema.ChangeView:
			names[c.Object().Name] = true
		case *schema.ChangeTrigger:
			for _, g := range []*schema.Trigger{c.Old, c.New} {
				if g != nil {
					names[g.Table] = true
				}
			}
		case *schema.RenameTable:
			names[c.New.Name] = true
		}
		names[c.Object().Table] = true
	}
	for range 5 {
		for _, s := range []*schema.Schema{old, new} {
			for _, t := range s.Tables() {
				for _, f := range t.ForeignKeys {
					if names[t.Name] || names[f.RefTable] {
						names[t.Name], names[f.RefTable] = true, true
					}
				}
			}
			for _, v := range s.Views() {
				for _, t := range v.Tables {
					if names[v.Name] || names[t] {
						names[v.Name], names[t] = true, true
					}
				}
			}
			for _, g := range s.Triggers() {
				for _, o := range []*schema.Schema{old, new} {
					for _, t := range o.Tables() {
						if word(g.Body, t.Name) && (names[g.Table] || names[t.Name]) {
							names[g.Table], names[t.Name] = true, true
						}
					}
					for _, v := range o.Views() {
						if word(g.Body, v.Name) && (names[g.Table] || names[v.Name]) {
							names[g.Table], names[v.Name] = true, true
						}
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

var literals = regexp.MustCompile(`\b(?:date|time|timestamp)?'[^']*'|'[^']*'|\b\d+`)

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
		case *schema.ChangeTrigger, *schema.ChangeView, *schema.ChangeRoutine, *schema.ChangeEvent, *schema.ChangeDatabase:
			continue // SHOW CREATE TABLE does not tell
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
	code := workloadOf(end)
	// What each version of the code meets: old code every later schema, new code every earlier one.
	var oldCodes, newCodes [][]int
	names := near(o.schema, end)
	far := func(w workload) func(int) bool {
		return func(i int) bool { return names != nil && w[i].table != "" && !names[w[i].table] }
	}
	l.build("sound_new", o.history)
	rows := o.rows || slices.ContainsFunc(migrate, func(st schema.Statement) bool { return strings.HasPrefix(st.SQL, "INSERT") })
	for i, s := range steps {
		refused := l.dataFailed
		if _, ok := l.apply(s.Before, s.Statement, o.rows, context); !ok {
			if l.dataFailed > refused && s.Before != s.After {
				l.warned(o, steps, i, context)
			}
			return false
		}
		now := place{"sound_new", s.After, rows}
		oldCodes = append(oldCodes, l.run(now, o.work, o.loose, true, either(failed(o.own), far(o.work))))
		if i < len(steps)-1 {
			newCodes = append(newCodes, l.run(now, code, o.loose, false, far(code)))
		}
	}
	own := l.run(place{"sound_new", end, rows}, code, o.loose, false, far(code))
	if o.rows && removes(migrate) {
		// What a query does with rows must not be taken for what it does without any.
		l.fill(end)
		for i, c := range l.run(place{"sound_new", end, rows}, code, o.loose, false, func(i int) bool { return !code[i].reads || own[i] != 0 }) {
			own[i] = cmp.Or(own[i], c)
		}
	}
	newCodes = append(newCodes, l.run(o.place, code, o.loose, true, either(failed(own), far(code))))
	l.upgrades++
	if l.stuck {
		l.stuck = false
		return false
	}

	report := l.analyze(o, steps, end)
	if report.Verdict == analyzer.Unproven {
		l.unproven++
		for _, g := range report.Gaps {
			l.unprovenFor[literals.ReplaceAllString(g.Why, "?")]++
		}
		return true
	}
	l.cases++
	for i, s := range report.Services {
		l.judge(o, report, s, analyzer.OldCode, s.Place&analyzer.Before != 0, o.work, o.own, oldCodes, i == 1, context)
		l.judge(o, report, s, analyzer.NewCode, s.Place&analyzer.After != 0, code, own, newCodes, i == 1, context)
		l.stale(o, report, s, code, own, i == 1, context)
	}
	return true
}

func (l *lab) analyze(o *old, steps []analyzer.Step, end *schema.Schema) *analyzer.Report {
	mode := analyzer.SQLMode("")
	if o.loose {
		mode = "loose"
	}
	return analyzer.Analyze(analyzer.Upgrade{
		Server: l.server, SQLMode: mode,
		Services:  []analyzer.Service{{Name: "writer"}, {Name: "reader", Access: analyzer.ReadAccess}},
		Databases: []analyzer.Database{{Old: o.schema, New: end, Steps: steps}},
	}, All)
}

// warned holds the report to what the migration meets: if a server refuses a statement for the rows that are there, a hazard says so.
func (l *lab) warned(o *old, steps []analyzer.Step, at int, context func() string) {
	st := steps[at].Statement
	l.build("sound_new", history{statements: o.statements, schema: o.schema})
	for _, s := range steps[:at+1] {
		if l.exec(l.admin, s.Statement.SQL) != 0 {
			return // for no rows
		}
	}
	for _, t := range steps[at].Before.Tables() {
		if computesFailing(t) && word(st.SQL, t.Name) {
			return // a statement that copies a table computes its columns, of rows for which that has failed already
		}
	}
	report := l.analyze(o, steps, steps[len(steps)-1].After)
	if report.Verdict == analyzer.Unproven || slices.ContainsFunc(report.Hazards, func(f analyzer.Finding) bool {
		by := (*schema.Statement)(nil)
		if f.Change != nil {
			by = f.Change.Statement()
		}
		return f.Breaks&analyzer.Running != 0 && by != nil && by.SQL == st.SQL
	}) {
		return
	}
	l.unsafe++
	var kinds []string
	for _, c := range schema.Diff(steps[at].Before, steps[at].After) {
		kinds = append(kinds, c.Kind())
	}
	l.miss("unsafe", "rows are there on which a statement fails, and nothing says so; changes: "+strings.Join(kinds, ", "), context()+"\n"+st.SQL+"\n"+said(report))
}

// removes reports whether a migration may remove rows.
func removes(migrate []schema.Statement) bool {
	return slices.ContainsFunc(migrate, func(st schema.Statement) bool {
		return word(st.SQL, "truncate") || word(st.SQL, "drop") || word(st.SQL, "delete") || word(st.SQL, "rename")
	})
}

// stale holds the report to what new code meets on the new schema, which no order of deployment can make right.
func (l *lab) stale(o *old, report *analyzer.Report, s analyzer.ServiceReport, w workload, own []int, readOnly bool, context func() string) {
	if i := leftBehind(o, w, own, readOnly); i >= 0 && s.Place != analyzer.Nowhere {
		l.unsafe++
		l.miss("unsafe", fmt.Sprintf("new-code breaks on the new schema for a %s with error %d; changes: %s", s.Name, own[i], kindsOf(report)),
			fmt.Sprintf("%s\nloose %v, rows %v: %s\nplace %s\n%s", context(), o.loose, o.rows, w[i].sql, s.Place, said(report)))
	}
}

// leftBehind gives the transaction of new code that shows that the migration has left a trigger, a view or a routine behind: it
// is as the new schema wants it and meets an error of names there. It gives -1 if there is none, or if old code met such an
// error on the old schema already, which is none of the upgrade's.
func leftBehind(o *old, w workload, own []int, readOnly bool) int {
	names := []int{1052, 1054, 1136, 1146, 1305, 1356, 1364, 3105}
	for i, c := range o.own {
		if o.work[i].whole && slices.Contains(names, c) {
			return -1
		}
	}
	for i, c := range own {
		if w[i].whole && slices.Contains(names, c) && (w[i].reads || !readOnly) {
			return i
		}
	}
	return -1
}

// kindsOf gives the kinds of change of a report.
func kindsOf(report *analyzer.Report) string {
	kinds := map[string]bool{}
	for _, c := range report.Changes {
		kinds[c.Kind] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(kinds)), ", ")
}

func said(report *analyzer.Report) string {
	var list []string
	for _, f := range report.Hazards {
		caution := ""
		if f.Caution {
			caution = " (caution)"
		}
		list = append(list, fmt.Sprintf("  %s: %s %s: %s%s", f.Rule.ID, f.Breaks, f.Hits, f.Use, caution))
	}
	return strings.Join(list, "\n")
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
	case where < 0 && breaks && code == analyzer.NewCode && leftBehind(o, w, own, readOnly) >= 0:
		l.broken++ // on the new schema
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
		l.unsafe++
		l.miss("unsafe", fmt.Sprintf("%s breaks for a %s with error %d; changes: %s", code, s.Name, number, kindsOf(report)),
			fmt.Sprintf("%s\nloose %v, rows %v, state %d: %s\nplace %s\n%s", context(), o.loose, o.rows, where, what, s.Place, said(report)))
	}
}

// prepare runs the workload of code on its own schema.
func (l *lab) prepare(h history, loose bool) *old {
	l.build("sound_old", h)
	o := &old{history: h, place: place{"sound_old", h.schema, h.rows}, work: workloadOf(h.schema), loose: loose}
	o.own = l.run(o.place, o.work, loose, false, nil)
	if l.stuck {
		// Without rows it can be judged.
		l.stuck = false
		h.rows = false
		return l.prepare(h, loose)
	}
	return o
}

// group makes a random schema and upgrades it in several ways.
func (l *lab) group(seed uint64) {
	r := &random{Rand: rand.New(rand.NewPCG(seed, 0)), mariaDB: l.server.MariaDB}
	h := history{schema: schema.New(l.server), rows: r.IntN(2) > 0}
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
	for r.IntN(3) == 0 {
		tables := h.schema.Tables()
		sql := r.view(h.schema, r.name("v"))
		switch r.IntN(5) {
		case 0:
			sql = r.routine(h.schema, r.name("f"))
		case 1, 2:
			sql = r.trigger(h.schema, tables[r.IntN(len(tables))], r.name("tr"))
		}
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
				after, list := s, []schema.Statement(nil)
				var err error
				for _, text := range r.change(s) {
					st := schema.Statement{SQL: text, Migration: "new"}
					list = append(list, st)
					if after, err = after.Apply(st); err != nil {
						break
					}
				}
				if err == nil {
					s = after
					migrate = append(migrate, list...)
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
func (l *lab) examples(thorough bool, over func() bool) {
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
					if over() {
						return
					}
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

func (l *lab) summary() {
	l.t.Logf("%d upgrades, %d transactions, %d messages; statements: %d refused (%d for rows), %d that only Apply refuses", l.upgrades, l.transactions, l.sent, l.refused, l.dataFailed, l.tooStrictApply)
	for _, code := range slices.Sorted(maps.Keys(l.accepted)) {
		l.t.Logf("%5d × refused by the server only, with %d", l.accepted[code], code)
	}
	for _, s := range l.order {
		l.t.Logf("%5d × %s", l.seen[s], s)
	}
	l.most("unproven", l.unprovenFor)
	l.most("needlessly strict", l.strictRules)
}

// most logs the largest of some counts.
func (l *lab) most(what string, counts map[string]int) {
	list := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(counts[b]-counts[a], strings.Compare(a, b)) })
	for _, s := range list[:min(len(list), 15)] {
		l.t.Logf("%5d × %s: %s", counts[s], what, s)
	}
}
