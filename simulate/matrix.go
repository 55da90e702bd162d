package simulate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// A matrix runs the workloads of all services, old code and new, on one state of a database after the other, and keeps what they
// met. Old code's own state is 0. New code's own state is the last one, which comes at the end: so outcomes are kept for every
// state, and cells judges them when all is known.
type matrix struct {
	matrixInput
	server   *Server // whose guest may send several statements at once
	database string
	works    []*prepared
	runs     []*batchRun // each is sent once, for all services whose workloads it holds
	pairs    []overlap
	states   []int    // that were run, without ownState, in order
	notes    []string // on what was left out
}

// matrixInput says what is run.
type matrixInput struct {
	Services []analyzer.Service
	SQLMode  analyzer.SQLMode // of the applications' connections
	// Deployed is the schema of the database as the server has it now, and Target the one that new code is written for.
	Deployed, Target *schema.Schema
	// Old and New are the same as the analysis has them, whose tables and columns carry their origins: they tell what was
	// renamed. Nil takes Deployed and Target.
	Old, New               *schema.Schema
	DeployedRev, TargetRev string
	Queries                []Queries
	// States are the schemas of all states. What is implied about tables that stay the same through all of them is sent on the
	// first and on the last one only. Nil: they are not known, and everything is sent on every state.
	States []*schema.Schema
	Limit  time.Duration // of a statement; 0 takes 5 seconds
	Total  time.Duration // of one run; 0 takes a minute
}

// ownState is a state beside the upgrade: a database of the target schema, for new code whose own state the upgrade did not
// reach.
const ownState = -1

// A prepared is the workload of one version of a service's code with its place in what is run.
type prepared struct {
	Workload
	schema *schema.Schema
	run    *batchRun
	pick   []int // its transactions, as indexes of the run's
}

// A batchRun is transactions that are sent together, and what they met.
type batchRun struct {
	code         analyzer.Breaks
	single       bool // they are a stranger's text, so each statement is a message of its own
	transactions []Transaction
	met          map[int][]outcome // by state
	overlap      map[int][]outcome // by state: old code after new code's writes, by index of matrix.pairs
}

// An outcome is what a transaction met on a state.
type outcome struct {
	ran      bool
	err      *analyzer.ServerError
	at       int // the statement that failed
	rows     int
	hash     uint64
	text     string // the first rows
	warnings []analyzer.ErrorCount
}

// An overlap is a pair of transactions that run as one: what new code writes, then what old code does.
type overlap struct {
	writer, meets int // in new code's run and in old code's
	// own is old code's own transaction that does what writer does, -1 if its table is new: a pair that fails with that on the
	// deployed schema fails whatever new code does.
	own int
}

// newMatrix samples the rows of a database that has the deployed schema, and makes the workloads.
func newMatrix(ctx context.Context, srv *Server, database string, in matrixInput) (*matrix, error) {
	if in.Limit == 0 {
		in.Limit = 5 * time.Second
	}
	if in.Total == 0 {
		in.Total = time.Minute
	}
	if in.Old == nil || in.New == nil {
		in.Old, in.New = in.Deployed, in.Target
	}
	if len(in.Services) == 0 {
		in.Services = []analyzer.Service{{Name: "code"}} // as Analyze has it
	}
	multi := *srv
	multi.guest = srv.guest.Clone()
	multi.guest.MultiStatements = true
	m := &matrix{matrixInput: in, server: &multi, database: database}
	c, err := m.open(ctx, database)
	if err != nil {
		return nil, err
	}
	defer c.close()
	rows, err := takeSample(ctx, c, database, in.Deployed, 3)
	if err != nil {
		return nil, fmt.Errorf("reading rows for the workloads: %w", err)
	}
	near := nearTables(in)
	for _, code := range []analyzer.Breaks{analyzer.OldCode, analyzer.NewCode} {
		of := Subject{Code: code, Rev: in.DeployedRev, Schema: in.Deployed, Other: in.Target, Sample: rows, Queries: in.Queries, Near: near}
		if code == analyzer.NewCode {
			of.Rev, of.Schema, of.Other = in.TargetRev, in.Target, in.Deployed
			of.Sample = rows.translate(in.Old, in.New)
		}
		m.prepare(of)
	}
	m.pair()
	return m, nil
}

// prepare makes the workloads of one version of all services' code. What is implied by the schema is the same for all that may
// write, and its reads are those of services that may only read: it is run once.
func (m *matrix) prepare(of Subject) {
	var implied *prepared
	for _, s := range m.Services {
		if s.Access == analyzer.NoAccess || s.Elsewhere && of.Code == analyzer.OldCode {
			continue // a service that is new has no old code
		}
		of.Service = s
		w := workloadOf(of)
		if !w.implied {
			p := &prepared{Workload: w, schema: of.Schema, run: m.addRun(of.Code, true, w.Transactions)}
			p.pick = indexes(len(w.Transactions), nil)
			m.works = append(m.works, p)
			continue
		}
		if implied == nil || len(implied.run.transactions) < len(w.Transactions) {
			// The fullest one: of a service that may write, if there is any.
			all := of
			if slices.ContainsFunc(m.Services, func(s analyzer.Service) bool {
				return s.Access != analyzer.ReadAccess && s.Access != analyzer.NoAccess && !m.recorded(s.Name, of.Code)
			}) {
				all.Service.Access = analyzer.AnyAccess
			}
			full, _ := impliedBySchema.Make(all)
			implied = &prepared{Workload: full, run: m.addRun(of.Code, false, full.Transactions)}
		}
		p := &prepared{Workload: w, schema: of.Schema, run: implied.run}
		p.pick = indexes(len(implied.Transactions), func(i int) bool {
			return s.Access.Allows(implied.Transactions[i].Use) == implied.Transactions[i].Use
		})
		p.Transactions = nil
		for _, i := range p.pick {
			p.Transactions = append(p.Transactions, implied.Transactions[i])
		}
		m.works = append(m.works, p)
	}
}

// recorded reports whether there are recorded statements of that code.
func (m *matrix) recorded(service string, code analyzer.Breaks) bool {
	return slices.ContainsFunc(m.Queries, func(q Queries) bool { return q.Service == service && q.Code == code })
}

func (m *matrix) addRun(code analyzer.Breaks, single bool, list []Transaction) *batchRun {
	r := &batchRun{code: code, single: single, transactions: list, met: map[int][]outcome{}, overlap: map[int][]outcome{}}
	m.runs = append(m.runs, r)
	return r
}

// indexes gives those of 0 … n-1 for which keep holds; nil keeps all.
func indexes(n int, keep func(int) bool) []int {
	list := []int{}
	for i := range n {
		if keep == nil || keep(i) {
			list = append(list, i)
		}
	}
	return list
}

// nearTables gives the names, old and new, of the tables that an upgrade changes, at its ends or on the way, and of those that foreign
// keys tie to them; nil if it may change how any table behaves. It decides only how much is sent about a table.
func nearTables(in matrixInput) map[string]bool {
	names := map[string]bool{}
	states := slices.Concat([]*schema.Schema{in.Old, in.New}, in.States)
	type pair struct{ before, after *schema.Schema }
	pairs := []pair{{in.Old, in.New}}
	for i := 1; i < len(in.States); i++ {
		if in.States[i-1] != in.States[i] {
			pairs = append(pairs, pair{in.States[i-1], in.States[i]})
		}
	}
	for _, p := range pairs {
		for _, c := range schema.Diff(p.before, p.after) {
			switch c := c.(type) {
			case *schema.ChangeTrigger, *schema.ChangeView, *schema.ChangeRoutine, *schema.ChangeDatabase:
				return nil
			case *schema.RenameTable:
				names[c.New.Name] = true
			}
			names[c.Object().Table] = true
		}
	}
	for _, s := range states {
		if len(s.Triggers()) > 0 {
			return nil // a trigger of any table may name what changes
		}
	}
	// A table that is renamed on the way has other names at the ends.
	origins := map[schema.Origin]bool{}
	for _, s := range states {
		for _, t := range s.Tables() {
			if names[t.Name] && t.Origin != "" {
				origins[t.Origin] = true
			}
		}
	}
	for range 2 {
		for _, s := range states {
			for _, t := range s.Tables() {
				if origins[t.Origin] {
					names[t.Name] = true
				}
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

// maxPairs bounds the pairs of an overlap.
const maxPairs = 2000

// pair finds what old code may do to rows that new code has written: new code writes a table, old code reads and changes the
// same table's rows, or those of a table that it refers to.
func (m *matrix) pair() {
	var old, new *batchRun
	for _, r := range m.runs {
		switch {
		case r.single:
		case r.code == analyzer.OldCode:
			old = r
		default:
			new = r
		}
	}
	if old == nil || new == nil {
		return
	}
	byTable := map[string][]int{} // old code's, by old table
	for i, t := range old.transactions {
		if t.role != noRole {
			byTable[t.Table] = append(byTable[t.Table], i)
		}
	}
	for i, t := range new.transactions {
		if t.role != inserts && t.role != updates {
			continue
		}
		table := m.New.Table(t.Table)
		if table == nil {
			continue
		}
		own, name := -1, ""
		var about []string
		if o := counterpart(m.Old, table); o != nil {
			name = o.Name
			about = append(about, name)
		}
		for _, f := range table.ForeignKeys {
			if p := m.New.Table(f.RefTable); p != nil {
				if o := counterpart(m.Old, p); o != nil && !slices.Contains(about, o.Name) {
					about = append(about, o.Name)
				}
			}
		}
		for _, j := range byTable[name] {
			if old.transactions[j].role == t.role {
				own = j
			}
		}
		for _, a := range about {
			for _, j := range byTable[a] {
				if old.transactions[j].role == meets && !(t.far && old.transactions[j].far) && len(m.pairs) < maxPairs {
					m.pairs = append(m.pairs, overlap{writer: i, meets: j, own: own})
				}
			}
		}
	}
}

// run sends every workload to a database whose schema is now, in that state; all of it is rolled back. Old code is not sent to
// ownState. The database's definition does not change meanwhile.
func (m *matrix) run(ctx context.Context, database string, now *schema.Schema, state int) error {
	if state != ownState {
		m.states = append(m.states, state)
	}
	s := &sender{matrix: m, database: database, spent: map[string]map[int]bool{}, until: time.Now().Add(m.Total)}
	s.keep = s.untransactional(now)
	for _, t := range now.Tables() {
		for _, c := range t.Columns {
			if c.AutoIncrement {
				s.numbered = append(s.numbered, t.Name)
			}
		}
	}
	defer s.close()
	var old, new *batchRun
	for _, r := range m.runs {
		if state == ownState && r.code == analyzer.OldCode {
			continue
		}
		list := r.transactions
		if state > 0 && state < len(m.States)-1 {
			list = slices.Clone(list)
			for i := range list {
				if list[i].far {
					list[i].Statements = nil
				}
			}
		}
		met, err := s.all(ctx, list, r.single)
		if err != nil {
			return err
		}
		r.met[state] = met
		switch {
		case r.single:
		case r.code == analyzer.OldCode:
			old = r
		default:
			new = r
		}
	}
	if state == ownState || old == nil || new == nil || len(m.pairs) == 0 {
		return nil
	}
	// Both codes at once: pairs whose halves work alone, and that work on the deployed schema with old code in both parts.
	list := make([]Transaction, len(m.pairs))
	skip := make([]bool, len(m.pairs))
	for i, p := range m.pairs {
		writer, meets := new.transactions[p.writer], old.transactions[p.meets]
		skip[i] = !new.met[state][p.writer].fine() || !old.met[state][p.meets].fine() || !old.met[0][p.meets].fine()
		list[i] = meets
		list[i].Statements = slices.Concat(writer.Statements, meets.Statements)
		list[i].Select, list[i].Reads = -1, false
	}
	if state == 0 {
		own := make([]Transaction, len(m.pairs))
		for i, p := range m.pairs {
			own[i] = list[i]
			if p.own >= 0 {
				own[i].Statements = slices.Concat(old.transactions[p.own].Statements, old.transactions[p.meets].Statements)
			} else {
				own[i].Statements = old.transactions[p.meets].Statements
			}
		}
		met, err := s.all(ctx, own, false)
		if err != nil {
			return err
		}
		old.overlap[ownState] = met
	}
	for i := range skip {
		if base := old.overlap[ownState]; skip[i] || base == nil || !base[i].fine() {
			list[i].Statements = nil
		}
	}
	met, err := s.all(ctx, list, false)
	if err != nil {
		return err
	}
	old.overlap[state] = met
	return nil
}

func (o outcome) fine() bool { return o.ran && o.err == nil }

// A sender sends transactions to one database.
type sender struct {
	*matrix
	database string
	c        *session
	keep     []string                // names of tables that keep what is written though it is rolled back, in lower case
	numbered []string                // tables with an AUTO_INCREMENT column
	spent    map[string]map[int]bool // tables, and errors against which setting their counters back does not help
	until    time.Time
}

func (s *sender) close() {
	if s.c != nil {
		s.c.close()
		s.c = nil
	}
}

// open opens a connection as the applications have it.
func (m *matrix) open(ctx context.Context, database string) (*session, error) {
	c, err := m.server.session(ctx, asGuest, database)
	if err != nil {
		return nil, err
	}
	c.limit = m.Limit
	mode := ""
	switch strings.ToLower(string(m.SQLMode)) {
	case "", "strict":
		// The server's default, made strict where it is not.
		mode = "IF(@@GLOBAL.sql_mode = '', 'STRICT_TRANS_TABLES', CONCAT(@@GLOBAL.sql_mode, ',STRICT_TRANS_TABLES'))"
	case "loose":
		mode = "''"
	default:
		mode = textLiteral(string(m.SQLMode))
	}
	for _, text := range []string{
		"SET SESSION sql_mode = " + mode,
		"SET SESSION innodb_lock_wait_timeout = 2, lock_wait_timeout = 5",
	} {
		if err := c.exec(ctx, text); err != nil {
			c.close()
			return nil, fmt.Errorf("%s: %w", text, err)
		}
	}
	return c, nil
}

// untransactional gives the tables whose engine keeps what is written (manual: Alternative Storage Engines), and those whose
// triggers write to one.
func (s *sender) untransactional(now *schema.Schema) []string {
	var names []string
	for _, t := range now.Tables() {
		switch strings.ToLower(t.Engine) {
		case "", "innodb", "rocksdb", "myrocks", "tokudb", "ndb", "ndbcluster", "xtradb":
			continue
		}
		names = append(names, strings.ToLower(t.Name))
		s.note(fmt.Sprintf("%s: nothing was written to it, because its engine %s keeps what is written though the transaction is rolled back", t.Name, t.Engine))
	}
	for _, tr := range now.Triggers() {
		if mentions(strings.ToLower(tr.Body), names) {
			names = append(names, strings.ToLower(tr.Table))
			s.note(fmt.Sprintf("%s: nothing was written to it, because its trigger %s names a table that keeps what is written", tr.Table, tr.Name))
		}
	}
	return names
}

func (m *matrix) note(text string) {
	if !slices.Contains(m.notes, text) {
		m.notes = append(m.notes, text)
	}
}

// mentions reports whether any of the names stands in a text, as a word.
func mentions(text string, names []string) bool {
	for _, n := range names {
		for from := 0; ; {
			i := strings.Index(text[from:], n)
			if i < 0 {
				break
			}
			i += from
			end := i + len(n)
			if (i == 0 || !isWordByte(text[i-1])) && (end == len(text) || !isWordByte(text[end])) {
				return true
			}
			from = i + 1
		}
	}
	return false
}

func isWordByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// all sends transactions, those that only read first, and gives what each met. One without statements is not sent.
func (s *sender) all(ctx context.Context, list []Transaction, single bool) ([]outcome, error) {
	met := make([]outcome, len(list))
	var todo []int
	for _, reads := range []bool{true, false} {
		for i, t := range list {
			if t.Reads == reads && len(t.Statements) > 0 && (reads || !mentions(strings.ToLower(strings.Join(t.Statements, " ")), s.keep)) {
				todo = append(todo, i)
			}
		}
	}
	for len(todo) > 0 {
		if time.Now().After(s.until) {
			s.note(fmt.Sprintf("%d transactions of one state were not sent, because the others took longer than %v", len(todo), s.Total))
			break
		}
		n := 0
		if single {
			n = 1
		}
		for size := 0; !single && n < len(todo) && n < 64 && size < 256<<10; n++ {
			for _, st := range list[todo[n]].Statements {
				size += len(st)
			}
		}
		done, err := s.send(ctx, list, todo[:n], met, single)
		if err != nil {
			return nil, err
		}
		todo = todo[done:]
	}
	return met, nil
}

// send sends some transactions as one message, or the first one statement by statement. It gives how many of them are done: up to
// and with the first that fails.
func (s *sender) send(ctx context.Context, list []Transaction, some []int, met []outcome, single bool) (int, error) {
	if single || len(some) == 1 {
		i := some[0]
		for try := 0; ; try++ {
			o, err := s.one(ctx, list[i])
			if err != nil {
				return 0, err
			}
			met[i] = o
			if o.err == nil {
				return 1, nil
			}
			if try > 0 {
				s.hopeless(list[i], o)
				return 1, nil
			}
			if !s.again(ctx, list[i], o) {
				return 1, nil
			}
		}
	}
	done, refused, err := s.batch(ctx, list, some, met)
	switch {
	case err != nil:
		return 0, err
	case refused == nil:
		return done, nil
	case done == len(some):
		return done, nil
	}
	// Alone it tells which statement failed, and whether it fails again.
	_, err = s.send(ctx, list, some[done:done+1], met, true)
	return done + 1, err
}

// again reports whether a transaction that failed should be tried once more.
func (s *sender) again(ctx context.Context, t Transaction, o outcome) bool {
	switch o.err.Code {
	case 1205, 1213: // lock wait timeout, deadlock
		return true
	}
	// A rollback does not take back the numbers that were given out (manual: AUTO_INCREMENT Handling in InnoDB), and they may have
	// come to their end. Setting the counter to 1 makes it the largest number in the table, plus one.
	any := false
	for _, name := range s.counters(t, o) {
		if s.spent[name] == nil {
			s.spent[name] = map[int]bool{}
		}
		if s.spent[name][o.err.Code] {
			continue
		}
		c, err := s.server.session(ctx, asAdmin, s.database)
		if err != nil {
			return false
		}
		c.limit = s.Limit
		any = c.exec(ctx, "ALTER TABLE "+quoteName(name)+" AUTO_INCREMENT = 1") == nil || any
		c.close()
	}
	return any
}

// hopeless notes that setting counters back did not help against this error.
func (s *sender) hopeless(t Transaction, o outcome) {
	for _, name := range s.counters(t, o) {
		if s.spent[name] != nil { // else it was tried again for another reason
			s.spent[name][o.err.Code] = true
		}
	}
}

// counters gives the tables whose AUTO_INCREMENT may have come to its end, by the error of a transaction that names them.
func (s *sender) counters(t Transaction, o outcome) []string {
	switch o.err.Code {
	case 167, 1264, 1467, 1062:
	default:
		return nil
	}
	text := strings.Join(t.Statements, " ")
	var names []string
	for _, name := range s.numbered {
		if strings.Contains(text, quoteName(name)) {
			names = append(names, name)
		}
	}
	return names
}

// refusal gives the server's error; the connection is closed where it is not usable any more.
func (s *sender) refusal(ctx context.Context, err error) (*analyzer.ServerError, error) {
	refused, ok := serverError(err)
	if !ok || ctx.Err() != nil {
		return nil, err
	}
	if refused.Code == 0 {
		s.close()
	}
	return refused, nil
}

func (s *sender) ensure(ctx context.Context) error {
	if s.c != nil {
		return nil
	}
	var err error
	s.c, err = s.open(ctx, s.database)
	return err
}

// one sends a transaction statement by statement.
func (s *sender) one(ctx context.Context, t Transaction) (outcome, error) {
	if err := s.ensure(ctx); err != nil {
		return outcome{}, err
	}
	o := outcome{ran: true}
	for _, text := range []string{"ROLLBACK", "START TRANSACTION"} {
		if err := s.c.exec(ctx, text); err != nil {
			return o, err
		}
	}
	for i, text := range t.Statements {
		err := s.c.bounded(ctx, func(ctx context.Context) error {
			rs, err := s.c.conn.QueryContext(ctx, text)
			if err != nil {
				return err
			}
			defer rs.Close()
			d := newResultSum(text)
			for {
				if err := d.read(rs); err != nil {
					return err
				}
				if !rs.NextResultSet() {
					break
				}
			}
			if i == t.Select {
				o.rows, o.hash, o.text = d.sum()
			}
			return rs.Err()
		})
		if err != nil {
			refused, err := s.refusal(ctx, err)
			o.err, o.at = refused, i
			if err == nil && s.c != nil {
				err = s.c.exec(ctx, "ROLLBACK")
			}
			return o, err
		}
		rows, err := s.c.query(ctx, 0, "SHOW WARNINGS")
		if err != nil {
			return o, err
		}
		for _, r := range rows {
			o.warn(r[0].String, r[1].String, r[2].String)
		}
	}
	return o, s.c.exec(ctx, "ROLLBACK")
}

func (o *outcome) warn(level, code, message string) {
	n, err := strconv.Atoi(code)
	if err != nil || level == "Note" {
		return
	}
	for i := range o.warnings {
		if o.warnings[i].Code == n {
			o.warnings[i].Count++
			return
		}
	}
	if len(o.warnings) < analyzer.MaxFailures {
		o.warnings = append(o.warnings, analyzer.ErrorCount{Code: n, Message: clipCell(message, maxMessage), Count: 1})
	}
}

// batch sends transactions as one message and reads what each gives. It gives how many were done without an error, and the error
// that ended it.
func (s *sender) batch(ctx context.Context, list []Transaction, some []int, met []outcome) (done int, refused *analyzer.ServerError, err error) {
	if err := s.ensure(ctx); err != nil {
		return 0, nil, err
	}
	var b strings.Builder
	b.WriteString("ROLLBACK;\n")
	reading := false // in a transaction that several reads share
	for _, i := range some {
		switch {
		case list[i].Reads && !reading:
			b.WriteString("START TRANSACTION;\n")
		case !list[i].Reads:
			b.WriteString("ROLLBACK;\nSTART TRANSACTION;\n")
		}
		reading = list[i].Reads
		for _, st := range list[i].Statements {
			b.WriteString(st)
			b.WriteString(";\nSHOW WARNINGS;\n")
		}
	}
	b.WriteString("ROLLBACK")
	limit := s.c.limit
	s.c.limit = 4 * limit
	defer func() {
		if s.c != nil {
			s.c.limit = limit
		}
	}()
	fresh := make([]outcome, len(some))
	err = s.c.bounded(ctx, func(ctx context.Context) error {
		rs, err := s.c.conn.QueryContext(ctx, b.String())
		if err != nil {
			return err
		}
		defer rs.Close()
		for done < len(some) {
			t, o := list[some[done]], &fresh[done]
			o.ran = true
			for k, st := range t.Statements {
				if givesRows(st) {
					d := newResultSum(st)
					if err := d.read(rs); err != nil {
						return err
					}
					if k == t.Select {
						o.rows, o.hash, o.text = d.sum()
					}
					if !rs.NextResultSet() {
						return errors.Join(rs.Err(), errBatch)
					}
				}
				var level, code, message string
				for rs.Next() {
					if err := rs.Scan(&level, &code, &message); err != nil {
						return err
					}
					o.warn(level, code, message)
				}
				last := done == len(some)-1 && k == len(t.Statements)-1
				if !rs.NextResultSet() && !last {
					if k == len(t.Statements)-1 {
						done++ // it is the next one that failed
					}
					return errors.Join(rs.Err(), errBatch)
				}
			}
			done++
		}
		return rs.Err()
	})
	for k := range done {
		met[some[k]] = fresh[k]
	}
	if err == nil {
		return done, nil, nil
	}
	var server *mysql.MySQLError
	if err == errBatch || errors.Is(err, errBatch) && !errors.As(err, &server) {
		// The answers do not match what was sent, which must not happen; each is sent alone then.
		return done, &analyzer.ServerError{}, nil
	}
	refused, err = s.refusal(ctx, err)
	return done, refused, err
}

// errBatch marks that a message's answers ended early.
var errBatch = errors.New("the answers ended early")

// givesRows reports whether a statement of an implied workload gives rows.
func givesRows(st string) bool { return strings.HasPrefix(st, "SELECT ") }

// The bounds of a result that is kept, in bytes and rows.
const (
	maxResultText = 600
	maxResultRows = 10_000
)

// A resultSum is what is kept of a result.
type resultSum struct {
	ordered bool
	rows    int
	lines   []string
}

func newResultSum(text string) *resultSum {
	return &resultSum{ordered: strings.Contains(strings.ToUpper(text), "ORDER BY")}
}

// read reads the rows of a result, at most maxResultRows.
func (d *resultSum) read(rs *sql.Rows) error {
	columns, err := rs.Columns()
	if err != nil || len(columns) == 0 {
		return err
	}
	row := make([]sql.RawBytes, len(columns))
	into := make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	for rs.Next() {
		if d.rows++; d.rows > maxResultRows {
			continue
		}
		if err := rs.Scan(into...); err != nil {
			return err
		}
		var b strings.Builder
		for i, v := range row {
			if i > 0 {
				b.WriteString(" | ")
			}
			switch {
			case v == nil:
				b.WriteString("NULL")
			case len(v) > 200:
				h := fnv.New64a()
				h.Write(v)
				fmt.Fprintf(&b, "%s… (%d bytes, %x)", clipCell(string(v), 40), len(v), h.Sum64())
			default:
				b.Write(v)
			}
		}
		d.lines = append(d.lines, b.String())
	}
	return rs.Err()
}

// sum gives the number of rows, a hash of them, and the first as text. Without an ORDER BY the order of rows means nothing.
func (d *resultSum) sum() (int, uint64, string) {
	if !d.ordered {
		slices.Sort(d.lines)
	}
	h := fnv.New64a()
	var text strings.Builder
	for _, l := range d.lines {
		fmt.Fprintf(h, "%d:%s", len(l), l)
		if text.Len()+len(l) < maxResultText {
			text.WriteString(l)
			text.WriteByte('\n')
		}
	}
	return d.rows, h.Sum64(), text.String()
}

// clipCell shortens a text to about n bytes, at the boundary of a character.
func clipCell(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}

// ownOf gives the state that is a code's own, and false if it was not run. complete says that the last state is the target schema.
func (m *matrix) ownOf(r *batchRun, complete bool) (int, bool) {
	if r.code == analyzer.OldCode {
		_, ok := r.met[0]
		return 0, ok
	}
	if _, ok := r.met[ownState]; ok {
		return ownState, true
	}
	if !complete || len(m.states) == 0 {
		return 0, false
	}
	return m.states[len(m.states)-1], true
}

// cells gives what was found, by service as given, old code first, then by state. complete says that the last state that was run
// is the target schema. Without that, and without a run on ownState, nothing can be said about new code: which of its statements
// are valid is not known.
func (m *matrix) cells(complete bool) []analyzer.Cell {
	cells := []analyzer.Cell{}
	for _, s := range m.Services {
		for _, p := range m.works {
			if p.Service != s.Name {
				continue
			}
			own, ok := m.ownOf(p.run, complete)
			if !ok {
				continue
			}
			for _, state := range m.states {
				cells = append(cells, p.cell(state, own))
				if c, ok := m.overlapCell(p, state); ok {
					cells = append(cells, c)
				}
			}
		}
	}
	return cells
}

// workloads says what the cells are made of, in the same order.
func (m *matrix) workloads(complete bool) []analyzer.SimulatedWorkload {
	list := []analyzer.SimulatedWorkload{}
	for _, s := range m.Services {
		for _, p := range m.works {
			if p.Service != s.Name {
				continue
			}
			sum := p.summary(p.schema)
			sum.Unread = slices.Concat(sum.Unread, m.notes)
			if own, ok := m.ownOf(p.run, complete); ok {
				for _, i := range p.pick {
					if o := p.run.met[own][i]; o.err != nil && !p.stale(o) {
						sum.Invalid++
						countError(&sum.InvalidErrors, *o.err)
					}
				}
			} else {
				sum.Unread = append(sum.Unread, "the upgrade did not reach the schema that this code is written for, so that nothing can be said about it")
			}
			list = append(list, sum)
		}
	}
	return list
}

func countError(list *[]analyzer.ErrorCount, e analyzer.ServerError) {
	for i := range *list {
		if (*list)[i].Code == e.Code {
			(*list)[i].Count++
			return
		}
	}
	if len(*list) < 20 {
		*list = append(*list, analyzer.ErrorCount{Code: e.Code, Message: e.Message, Count: 1})
	}
}

// maxShownSQL bounds a statement in the result.
const maxShownSQL = 400

// cell compares what a workload met on a state with what it met on its own.
func (p *prepared) cell(state, own int) analyzer.Cell {
	c := analyzer.Cell{Service: p.Service, Code: p.Code, State: state, Failures: []analyzer.Failure{}, Changed: []analyzer.ChangedResult{}, Warnings: []analyzer.ErrorCount{}}
	for _, i := range p.pick {
		was, is := p.run.met[own][i], p.run.met[state][i]
		if !is.ran || !was.fine() && !p.stale(was) {
			continue
		}
		c.Sent++
		t := p.run.transactions[i]
		if is.err != nil {
			failCell(&c, t, is)
			continue
		}
		if t.Select >= 0 && (is.hash != was.hash || is.rows != was.rows) {
			c.ChangedCount++
			if len(c.Changed) < analyzer.MaxFailures {
				a, b := firstDifference(was.text, is.text)
				c.Changed = append(c.Changed, analyzer.ChangedResult{SQL: clipCell(t.Statements[t.Select], maxShownSQL), Was: a, Is: b, Rows: is.rows, Were: was.rows})
			}
		}
		for _, w := range is.warnings {
			if !slices.ContainsFunc(was.warnings, func(e analyzer.ErrorCount) bool { return e.Code == w.Code }) {
				countError(&c.Warnings, analyzer.ServerError{Code: w.Code, Message: plainNames(w.Message)})
			}
		}
	}
	return c
}

// stale tells whether an error on the code's own schema is the schema's fault and not the statement's: what is implied by a schema
// names only what is in it, so that a name which is not known stands in a trigger that has gone stale (MySQL manual: Server Error
// Message Reference, 1054, 1146, 1305; tested on MySQL 9.7 and MariaDB 10.11). A stale view (1356) hurts only code that names it.
func (p *prepared) stale(o outcome) bool {
	return p.implied && o.ran && o.err != nil && slices.Contains([]int{1054, 1146, 1305}, o.err.Code)
}

// failCell adds a transaction that failed to a cell.
func failCell(c *analyzer.Cell, t Transaction, o outcome) {
	c.Failed++
	for i := range c.Failures {
		if f := &c.Failures[i]; f.Error.Code == o.err.Code && f.Table == t.Table {
			f.Count++
			f.Use |= t.Use
			return
		}
	}
	if len(c.Failures) < analyzer.MaxFailures {
		c.Failures = append(c.Failures, analyzer.Failure{SQL: clipCell(t.Statements[o.at], maxShownSQL), Source: t.Source, Table: t.Table, Use: t.Use, Error: *o.err, Count: 1})
	}
}

// overlapCell gives what old code met on rows that new code had written.
func (m *matrix) overlapCell(p *prepared, state int) (analyzer.Cell, bool) {
	met := p.run.overlap[state]
	if p.Code != analyzer.OldCode || p.run.single || met == nil {
		return analyzer.Cell{}, false
	}
	c := analyzer.Cell{Service: p.Service, Code: p.Code, State: state, Overlap: true, Failures: []analyzer.Failure{}, Changed: []analyzer.ChangedResult{}, Warnings: []analyzer.ErrorCount{}}
	picked := map[int]bool{}
	for _, i := range p.pick {
		picked[i] = true
	}
	for i, pair := range m.pairs {
		if !picked[pair.meets] || !met[i].ran {
			continue
		}
		c.Sent++
		t := p.run.transactions[pair.meets]
		o := met[i]
		if o.err == nil {
			continue
		}
		// The statements of new code come first.
		if at := o.at - (m.writes(pair)); at >= 0 {
			o.at = at
			failCell(&c, t, o)
		}
	}
	return c, c.Sent > 0
}

// writes gives the number of statements of a pair that are new code's.
func (m *matrix) writes(pair overlap) int {
	for _, r := range m.runs {
		if r.code == analyzer.NewCode && !r.single {
			return len(r.transactions[pair.writer].Statements)
		}
	}
	return 0
}

// firstDifference gives the first line in which two results differ, shortened.
func firstDifference(a, b string) (was, is string) {
	x, y := strings.Split(strings.TrimSuffix(a, "\n"), "\n"), strings.Split(strings.TrimSuffix(b, "\n"), "\n")
	for i := range max(len(x), len(y)) {
		var l, r string
		if i < len(x) {
			l = x[i]
		}
		if i < len(y) {
			r = y[i]
		}
		if l != r {
			return clipCell(l, 200), clipCell(r, 200)
		}
	}
	return "", ""
}
