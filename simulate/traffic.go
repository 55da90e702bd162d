package simulate

import (
	"context"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// What traffic is bounded by.
const (
	defaultRate = 5 * time.Millisecond
	// trafficWarmUp is how long reader and writer run before the statement; trafficGrace is what a statement of theirs that
	// is still waiting afterwards is given to come back.
	trafficWarmUp = 75 * time.Millisecond
	trafficGrace  = time.Second
	// trafficKeys is the number of rows that they use, trafficErrors that of the different errors that are kept.
	trafficKeys   = 32
	trafficErrors = 16
	// auxLimit ends a question of the measurement's own, which can stand behind a lock that the migration itself holds.
	auxLimit = 5 * time.Second
)

// A loadedTable is a table as the server's dictionary has it.
type loadedTable struct {
	name    string
	columns []loadedColumn
	key     []string // columns of the primary key; nil if there is none
}

type loadedColumn struct {
	name, kind string // "varchar"
	generated  bool
	indexed    bool // in any index
}

// readTables reads the base tables of those names, in their order; those that do not exist are left out.
func readTables(ctx context.Context, admin *session, database string, names []string) ([]*loadedTable, error) {
	if len(names) == 0 {
		return nil, nil
	}
	in := isAnyOf(names)
	rows, err := admin.query(ctx, 0, "SELECT c.table_name, c.column_name, c.data_type, c.generation_expression FROM information_schema.columns c, information_schema.tables t "+
		"WHERE t.table_schema = "+textLiteral(database)+" AND t.table_name"+in+" AND t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') "+
		"AND c.table_schema = "+textLiteral(database)+" AND c.table_name"+in+" AND c.table_name = t.table_name ORDER BY c.table_name, c.ordinal_position")
	if err != nil {
		return nil, err
	}
	tables := map[string]*loadedTable{}
	for _, r := range rows {
		t := tables[r[0].String]
		if t == nil {
			t = &loadedTable{name: r[0].String}
			tables[t.name] = t
		}
		t.columns = append(t.columns, loadedColumn{name: r[1].String, kind: strings.ToLower(r[2].String), generated: r[3].String != ""})
	}
	rows, err = admin.query(ctx, 0, "SELECT table_name, index_name, column_name FROM information_schema.statistics WHERE table_schema = "+textLiteral(database)+" AND table_name"+in+
		" ORDER BY table_name, index_name, seq_in_index")
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		t := tables[r[0].String]
		if t == nil {
			continue
		}
		if r[1].String == "PRIMARY" {
			t.key = append(t.key, r[2].String)
		}
		for i := range t.columns {
			t.columns[i].indexed = t.columns[i].indexed || strings.EqualFold(t.columns[i].name, r[2].String)
		}
	}
	var found []*loadedTable
	for _, n := range names {
		t := tables[n]
		for name, other := range tables { // lower_case_table_names: at most one other spelling
			if t == nil && strings.EqualFold(name, n) {
				t = other
			}
		}
		if t != nil {
			found = append(found, t)
			delete(tables, t.name)
		}
	}
	return found, nil
}

// isAnyOf gives the end of a condition on a name. For a single one it is an equation, which spares MariaDB opening every table
// of the database (MariaDB: Information Schema, "Performance").
func isAnyOf(names []string) string {
	var list []string
	for _, n := range names {
		list = append(list, textLiteral(n))
	}
	if len(list) == 1 {
		return " = " + list[0]
	}
	return " IN (" + strings.Join(list, ", ") + ")"
}

// literal gives a value of the column as a literal.
func (c loadedColumn) literal(v string) string {
	switch {
	case strings.HasSuffix(c.kind, "blob"), strings.HasSuffix(c.kind, "binary"), c.kind == "bit":
		return "X'" + hex.EncodeToString([]byte(v)) + "'"
	}
	return textLiteral(v)
}

// traffic is a reader and a writer of one table, each in a session of its own.
type traffic struct {
	stop context.CancelFunc // ends both
	rate time.Duration
	wg   sync.WaitGroup
	done chan struct{} // closed when both are through
	quit chan struct{} // closed when no further statement is to be sent

	mu           sync.Mutex
	began, ended time.Time // of the pending statement; zero until then
	reader       stream
	writer       stream
}

// A stream is one client. Its fields below c are guarded by traffic.mu.
type stream struct {
	c    *session
	sent [][]string // what it sends in turn; several statements are one transaction

	started time.Time // of what is under way; zero if nothing is
	left    bool      // what is under way has been counted already
	rounds  int
	found   analyzer.Traffic
}

// startTraffic prepares both clients and lets them run for the warm-up. after is the schema after the pending statement, nil
// if it is not known: the reader asks for columns only that exist before and after, so that it measures stalls rather than
// 1054. It gives nil where the table cannot be used, such as behind a lock that the migration holds.
func startTraffic(ctx context.Context, server *Server, database string, t *loadedTable, before, after *schema.Schema, rate time.Duration) (*traffic, error) {
	if rate <= 0 {
		rate = defaultRate
	}
	ctx, cancel := context.WithCancel(ctx)
	x := &traffic{stop: cancel, rate: rate, done: make(chan struct{}), quit: make(chan struct{})}
	for _, s := range []*stream{&x.reader, &x.writer} {
		var err error
		if s.c, err = server.session(ctx, asGuest, database); err == nil {
			s.c.limit = auxLimit
			// The default sql_mode can hold ANSI_QUOTES or NO_BACKSLASH_ESCAPES.
			err = s.c.exec(ctx, "SET SESSION sql_mode = '', lock_wait_timeout = 1, innodb_lock_wait_timeout = 1")
		}
		if err != nil {
			x.close()
			return nil, err
		}
	}
	if !x.prepare(ctx, t, before, after) {
		err := context.Cause(ctx) // nil where the table cannot be used
		x.close()
		return nil, err
	}
	for _, s := range []*stream{&x.reader, &x.writer} {
		if err := s.c.exec(ctx, "SET SESSION lock_wait_timeout = DEFAULT, innodb_lock_wait_timeout = DEFAULT"); err != nil {
			x.stop()
			x.wg.Wait()
			x.close()
			return nil, context.Cause(ctx)
		}
		s.c.limit = 24 * time.Hour // any: with one, a session kills what it leaves
		x.wg.Go(func() { x.run(ctx, s) })
	}
	go func() {
		x.wg.Wait()
		close(x.done)
	}()
	for from := time.Now(); ; {
		select {
		case <-ctx.Done():
			x.end()
			return nil, context.Cause(ctx)
		case <-time.After(trafficWarmUp):
		}
		x.mu.Lock()
		warm := x.reader.rounds > 1 && x.writer.rounds > 1
		x.mu.Unlock()
		if warm || time.Since(from) > 4*trafficWarmUp {
			return x, nil
		}
	}
}

// prepare finds rows and what to do with them, and tries it once. It is false where even that fails.
func (x *traffic) prepare(ctx context.Context, t *loadedTable, before, after *schema.Schema) bool {
	var read []string
	var list []loadedColumn // that the writer may set
	stays := func(column string) bool { return true }
	if before != nil && after != nil && before.Table(t.name) != nil && after.Table(t.name) != nil {
		was, is := before.Table(t.name), after.Table(t.name)
		stays = func(column string) bool { return was.Column(column) == nil || is.Column(column) != nil }
	}
	for _, c := range t.columns {
		if !stays(c.name) {
			continue
		}
		read = append(read, quoteName(c.name))
		if !c.generated && !c.indexed && trafficSets(c.kind) && !trafficKeyed(after, t.name, c.name) {
			list = append(list, c)
		}
	}
	if len(read) == 0 {
		read = []string{"1"}
	}
	key := t.key
	for _, k := range key {
		if !stays(k) {
			key = nil
			break
		}
	}
	table := quoteName(t.name)
	wheres, values, ok := x.rows(ctx, t, key, list)
	if !ok {
		return false
	}
	for _, w := range wheres {
		x.reader.sent = append(x.reader.sent, []string{"SELECT " + strings.Join(read, ", ") + " FROM " + table + w})
	}
	if x.reader.once(ctx, x.reader.sent[0]) != nil {
		x.reader.sent = [][]string{{"SELECT 1 FROM " + table + " LIMIT 1"}}
		if x.reader.once(ctx, x.reader.sent[0]) != nil {
			return false
		}
	}
	// The writer sets a column of no index, so that a unique one that is being built never sees a row twice: to a value
	// of another row, which is valid. A CHECK over several columns or a trigger may refuse that.
	write := func(set func(i int) string) (ops [][]string) {
		for i, w := range wheres {
			ops = append(ops, []string{"BEGIN", "UPDATE " + table + " SET " + set(i) + w, "ROLLBACK"})
		}
		return ops
	}
	var tries [][][]string
	for i, c := range list {
		if v := values[i]; v != nil {
			tries = append(tries, write(func(row int) string { return quoteName(c.name) + " = " + v[row] }))
		}
		if len(tries) == 3 {
			break
		}
	}
	for _, c := range t.columns {
		if stays(c.name) && !c.generated {
			tries = append(tries, write(func(int) string { return quoteName(c.name) + " = " + quoteName(c.name) }))
			break
		}
	}
	var locked [][]string
	for _, w := range wheres {
		locked = append(locked, []string{"BEGIN", "SELECT 1 FROM " + table + w + " FOR UPDATE", "ROLLBACK"})
	}
	for _, ops := range append(tries, locked) {
		if x.writer.once(ctx, ops[0]) == nil {
			x.writer.sent = ops
			return true
		}
	}
	return false
}

// rows gives conditions that find rows present, and for each of the columns a value for each of those rows that it does not have,
// nil if the rows do not differ in it.
func (x *traffic) rows(ctx context.Context, t *loadedTable, key []string, columns []loadedColumn) (wheres []string, values [][]string, ok bool) {
	kinds := map[string]loadedColumn{}
	for _, c := range t.columns {
		kinds[c.name] = c
	}
	var names, desc []string
	for _, k := range key {
		names = append(names, quoteName(k))
		desc = append(desc, quoteName(k)+" DESC")
	}
	for _, c := range columns {
		names = append(names, quoteName(c.name))
	}
	if len(names) == 0 {
		return []string{" LIMIT 1"}, nil, true
	}
	query := "SELECT " + strings.Join(names, ", ") + " FROM " + quoteName(t.name)
	limit := fmt.Sprintf(" LIMIT %d", trafficKeys/2)
	rows, err := x.reader.c.query(ctx, 0, query+limit)
	if err != nil {
		return nil, nil, false
	}
	if len(key) > 0 && len(rows) == trafficKeys/2 {
		last, err := x.reader.c.query(ctx, 0, query+" ORDER BY "+strings.Join(desc, ", ")+limit)
		if err != nil {
			return nil, nil, false
		}
		rows = append(rows, last...)
	}
	for _, r := range rows {
		if len(key) == 0 {
			break
		}
		var conditions []string
		for i, k := range key {
			conditions = append(conditions, quoteName(k)+" = "+kinds[k].literal(r[i].String))
		}
		wheres = append(wheres, " WHERE "+strings.Join(conditions, " AND "))
	}
	if wheres == nil {
		wheres = []string{" LIMIT 1"}
	}
	for i, c := range columns {
		at := len(key) + i
		var a, b string // two values that occur
		for _, r := range rows {
			if !r[at].Valid {
				continue
			}
			v := c.literal(r[at].String)
			if a == "" {
				a = v
			} else if v != a && b == "" {
				b = v
			}
		}
		if b == "" {
			values = append(values, nil)
			continue
		}
		other := make([]string, len(wheres))
		for j := range other {
			other[j] = a
			if rows[j][at].Valid && c.literal(rows[j][at].String) == a {
				other[j] = b
			}
		}
		values = append(values, other)
	}
	return wheres, values, true
}

// trafficSets tells whether the writer sets columns of that type: not those whose values can be megabytes, or that have no literal.
func trafficSets(kind string) bool {
	switch kind {
	case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "date", "datetime", "timestamp", "time", "year", "char", "varchar", "enum", "set",
		"binary", "varbinary", "float", "double":
		return true
	}
	return false
}

// trafficKeyed tells whether a key or foreign key of the schema holds the column.
func trafficKeyed(s *schema.Schema, table, column string) bool {
	if s == nil || s.Table(table) == nil {
		return false
	}
	t := s.Table(table)
	for _, k := range t.Keys {
		if hasName(keyColumns(k), column) {
			return true
		}
	}
	for _, f := range t.ForeignKeys {
		if hasName(f.Columns, column) {
			return true
		}
	}
	return false
}

// once sends one transaction. The rest of it is sent also after an error, so that it is rolled back.
func (s *stream) once(ctx context.Context, statements []string) error {
	var first error
	for _, text := range statements {
		if err := s.c.exec(ctx, text); err != nil && first == nil {
			first = err
			if trafficBroke(err) || ctx.Err() != nil {
				break
			}
		}
	}
	return first
}

// trafficBroke tells whether a connection is of no more use.
func trafficBroke(err error) bool {
	return errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, errTime) || errors.Is(err, io.EOF)
}

// run sends one transaction after the other, at most one in rate.
func (x *traffic) run(ctx context.Context, s *stream) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-x.quit:
			return
		case <-timer.C:
		}
		start := time.Now()
		x.mu.Lock()
		if !x.ended.IsZero() {
			x.mu.Unlock()
			return
		}
		s.started = start
		x.mu.Unlock()
		err := s.once(ctx, s.sent[i%len(s.sent)])
		x.count(s, start, time.Now(), err, ctx.Err() != nil)
		if err != nil && (trafficBroke(err) || ctx.Err() != nil) {
			return
		}
		timer.Reset(max(x.rate-time.Since(start), 0))
	}
}

// count notes what became of a transaction.
func (x *traffic) count(s *stream, start, finish time.Time, err error, cancelled bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	s.started = time.Time{}
	s.rounds++
	took := float64(finish.Sub(start)) / float64(time.Millisecond)
	switch {
	case x.began.IsZero() || finish.Before(x.began):
		s.found.BeforeMillis = max(s.found.BeforeMillis, took)
	case !x.ended.IsZero() && !start.Before(x.ended):
	case s.left:
	default:
		s.found.Sent++
		s.found.WorstMillis = max(s.found.WorstMillis, took)
		if err != nil && !cancelled {
			s.found.Errors = trafficError(s.found.Errors, err)
		}
	}
}

// trafficError adds an error to those counted.
func trafficError(list []analyzer.ErrorCount, err error) []analyzer.ErrorCount {
	e, ok := serverError(err)
	if !ok {
		e = &analyzer.ServerError{Message: err.Error()}
	}
	for i := range list {
		if list[i].Code == e.Code {
			list[i].Count++
			return list
		}
	}
	if len(list) < trafficErrors {
		list = append(list, analyzer.ErrorCount{Code: e.Code, Message: e.Message, Count: 1})
	}
	return list
}

// begin says that the pending statement is sent now.
func (x *traffic) begin() {
	x.mu.Lock()
	x.began = time.Now()
	x.mu.Unlock()
}

// end says that it is through, ends both clients and gives what they met. A statement of theirs that is still waiting is given
// a moment; if the migration goes on holding a lock, it counts with the time that it has waited.
func (x *traffic) end() (reader, writer analyzer.Traffic) {
	x.mu.Lock()
	x.ended = time.Now()
	x.mu.Unlock()
	close(x.quit)
	timer := time.NewTimer(trafficGrace)
	defer timer.Stop()
	select {
	case <-x.done:
	case <-timer.C:
	}
	x.mu.Lock()
	for _, s := range []*stream{&x.reader, &x.writer} {
		if !s.started.IsZero() && !s.left {
			s.left = true
			if !x.began.IsZero() && s.started.Before(x.ended) {
				s.found.Sent++
				s.found.WorstMillis = max(s.found.WorstMillis, float64(time.Since(s.started))/float64(time.Millisecond))
			}
		}
	}
	x.mu.Unlock()
	x.stop()
	<-x.done
	x.close()
	return x.reader.found, x.writer.found
}

func (x *traffic) close() {
	x.stop()
	for _, s := range []*stream{&x.reader, &x.writer} {
		if s.c != nil {
			s.c.close()
		}
	}
}
