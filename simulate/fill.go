package simulate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"instep/analyzer/schema"
)

const (
	// chunk is the number of rows that are loaded in one transaction.
	chunk = 100_000
	// insertRows and insertBytes bound one INSERT.
	insertRows  = 200
	insertBytes = 512 << 10
	// hopeless is the number of rows in a row that the server may refuse before a table is given up.
	hopeless = 1000
)

// fillMode is the sql_mode in which rows are written: strict for every engine, without what forbids a column's own default.
const fillMode = "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION"

// fill puts rows into the base tables of a database that stands at s, parents before children: first rows that hold the
// edges of every column, then ordinary ones. It gives how many rows each table has then. A table that takes fewer rows than
// asked for, or none, is no error; p.Note is told why.
func fill(ctx context.Context, srv *Server, database string, s *schema.Schema, o RowOptions, p Progress) (rows map[string]int64, err error) {
	if err := o.check(s); err != nil {
		return nil, err
	}
	f := &loading{srv: srv, database: database, s: s, o: o, p: p}
	if f.guest, err = srv.session(ctx, asGuest, database); err != nil {
		return nil, err
	}
	defer f.guest.close()
	if err := f.prepare(ctx, f.guest); err != nil {
		return nil, err
	}
	f.makers(s)
	total := int64(0)
	large := false
	for _, m := range f.order {
		n := o.count(m.t.Name)
		total += n
		large = large || n > loadFrom
	}
	if large {
		restore := f.allowLocal(ctx)
		defer restore()
	}
	p.stage("loading rows", total)
	for _, m := range f.order {
		if err := f.table(ctx, m); err != nil {
			return nil, fmt.Errorf("loading rows into %s: %w", m.t.Name, err)
		}
	}
	if err := f.circles(ctx); err != nil {
		return nil, err
	}
	rows = map[string]int64{}
	for _, m := range f.order {
		n, err := f.countRows(ctx, m)
		if err != nil {
			return nil, err
		}
		rows[m.t.Name] = n
		if n != int64(m.accepted.n) && !f.triggers {
			return nil, fmt.Errorf("loading rows into %s: the server took %d and has %d", m.t.Name, m.accepted.n, n)
		}
	}
	return rows, nil
}

// A loading holds what fill needs for all tables.
type loading struct {
	srv      *Server
	database string
	s        *schema.Schema
	o        RowOptions
	p        Progress
	guest    *session
	admin    *session // nil: rows go by INSERT
	by       map[string]*rowMaker
	order    []*rowMaker
	triggers bool // that run when rows are written
	packet   int
}

// prepare sets a session up. What an account may not set is left: it only makes loading faster.
func (f *loading) prepare(ctx context.Context, c *session) error {
	if err := c.exec(ctx, "SET SESSION sql_mode = '"+fillMode+"', time_zone = '+00:00', foreign_key_checks = 1, unique_checks = 1, autocommit = 1"); err != nil {
		return err
	}
	rows, err := c.query(ctx, 1, "SELECT @@max_allowed_packet")
	if err != nil {
		return err
	}
	f.packet, _ = strconv.Atoi(rows[0][0].String)
	return nil
}

// loadFrom is the number of rows from which on LOAD DATA is worth its setting up.
const loadFrom = 2000

// allowLocal opens the administrator's session for LOAD DATA LOCAL, which the server otherwise refuses to everybody, and gives
// what closes it again. What is read comes from this process: the driver sends only what a registered reader gives, under a name
// that nobody else knows, so that the guest gains nothing meanwhile. Where it is not allowed, rows go by INSERT.
func (f *loading) allowLocal(ctx context.Context) (restore func()) {
	none := func() {}
	admin, err := f.srv.session(ctx, asAdmin, f.database)
	if err != nil {
		return none
	}
	fail := func() func() { admin.close(); return none }
	if err := f.prepare(ctx, admin); err != nil {
		return fail()
	}
	was, err := admin.query(ctx, 1, "SELECT @@GLOBAL.local_infile")
	if err != nil || len(was) != 1 {
		return fail()
	}
	on := was[0][0].String == "1"
	if !on {
		if err := admin.exec(ctx, "SET GLOBAL local_infile = 1"); err != nil {
			f.p.note("rows are loaded by INSERT, which is slower: " + err.Error())
			return fail()
		}
	}
	admin.exec(ctx, "SET SESSION sql_log_bin = 0") // needs a privilege; without it the log grows
	f.admin = admin
	return func() {
		if !on {
			ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer stop()
			// The session may have ended with the context: another one.
			if c, err := f.srv.session(ctx, asAdmin, ""); err == nil {
				if err := c.exec(ctx, "SET GLOBAL local_infile = 0"); err != nil {
					f.p.note("local_infile stays on: " + err.Error())
				}
				c.close()
			}
		}
		f.admin = nil
		admin.close()
	}
}

// makers makes the makers of all tables, and puts them into the order of loading.
func (f *loading) makers(s *schema.Schema) {
	f.by = map[string]*rowMaker{}
	later := map[string][]laterTable{}
	for _, t := range s.Tables() {
		later[t.Name] = laterTables(t, f.o.Fit)
		f.by[t.Name] = newMaker(t, f.o.Seed, later[t.Name])
	}
	fires := map[string]bool{}
	for _, t := range s.Triggers() {
		if t.Event == "INSERT" {
			fires[strings.ToLower(t.Table)] = true
			f.triggers = true
		}
	}
	for _, t := range s.Tables() {
		if fires[strings.ToLower(t.Name)] {
			f.by[t.Name].notes = append(f.by[t.Name].notes, fmt.Sprintf("%s has a trigger on INSERT, which runs for each row: tables that it writes to have more rows", t.Name))
		}
	}
	// A table is ready when its parents are loaded. Those with triggers come last: what they write into other tables must not
	// be in the way of the rows that are made for those.
	wants := map[string][]wantedRef{}
	for _, t := range s.Tables() {
		wants[t.Name] = f.wantedRefs(t, later[t.Name])
	}
	left := s.Tables()
	done := map[string]bool{}
	for len(left) > 0 {
		best, bestCost := 0, -1
		for i, t := range left {
			cost := 0
			for _, w := range wants[t.Name] {
				if w.parent != nil && w.parent.t != t && !done[w.parent.t.Name] {
					if cost += 1000; !w.null {
						cost += 100_000
					}
				}
			}
			if fires[strings.ToLower(t.Name)] {
				cost++
			}
			if bestCost < 0 || cost < bestCost {
				best, bestCost = i, cost
			}
		}
		t := left[best]
		left = slices.Delete(slices.Clone(left), best, best+1)
		m := f.by[t.Name]
		for _, w := range wants[t.Name] {
			isLater := w.parent != nil && w.parent != m && !done[w.parent.t.Name]
			if isLater && w.null {
				m.addRef(w.name, nil, w.columns, nil, true) // filled in afterwards
				m.refs[len(m.refs)-1].refs = w.refs
				f.lateRefs(m, m.refs[len(m.refs)-1], w.parent)
				continue
			}
			m.addRef(w.name, w.parent, w.columns, w.refs, isLater)
		}
		done[t.Name] = true
		f.order = append(f.order, m)
	}
}

// lateRefs notes which parent a foreign key has that is left NULL at first.
func (f *loading) lateRefs(m *rowMaker, r *rowRef, parent *rowMaker) {
	m.late = append(m.late, lateRef{r, parent})
}

// A lateRef is a foreign key in a circle of tables, NULL until all are loaded.
type lateRef struct {
	r      *rowRef
	parent *rowMaker
}

// A wantedRef is a foreign key that rows must satisfy.
type wantedRef struct {
	name    string
	parent  *rowMaker // nil: rows of it are not made
	columns []int
	refs    []int
	null    bool
}

// wantedRefs gives a table's foreign keys, and those of its later states.
func (f *loading) wantedRefs(t *schema.Table, later []laterTable) []wantedRef {
	m := f.by[t.Name]
	place := func(m *rowMaker, name string) int {
		return slices.IndexFunc(m.columns, func(c *rowColumn) bool { return strings.EqualFold(c.c.Name, name) })
	}
	var list []wantedRef
	add := func(name string, parent *rowMaker, columns, refs []int) {
		if slices.Contains(columns, -1) || len(columns) == 0 {
			return // a generated column: the server decides
		}
		if parent != nil && (slices.Contains(refs, -1) || len(refs) != len(columns)) {
			parent, refs = nil, nil
		}
		null := true
		for _, i := range columns {
			null = null && m.columns[i].d.nullable
		}
		for _, o := range list {
			if slices.Equal(o.columns, columns) && o.parent == parent && slices.Equal(o.refs, refs) {
				return
			}
		}
		if parent == nil && !null {
			m.notes = append(m.notes, fmt.Sprintf("%s: the foreign key %s refers to rows that are not made here", t.Name, name))
		}
		list = append(list, wantedRef{name, parent, columns, refs, null})
	}
	for _, fk := range t.ForeignKeys {
		parent := f.by[fk.RefTable]
		var columns, refs []int
		for k, c := range fk.Columns {
			columns = append(columns, place(m, c))
			if parent != nil && k < len(fk.RefColumns) {
				refs = append(refs, place(parent, fk.RefColumns[k]))
			}
		}
		add(fk.Name, parent, columns, refs)
	}
	for _, l := range later {
		for _, fk := range l.t.ForeignKeys {
			back := func(m *rowMaker, l laterTable, name string) int {
				return slices.IndexFunc(m.columns, func(c *rowColumn) bool {
					e, ok := l.column(c.c)
					return ok && strings.EqualFold(e.Name, name)
				})
			}
			var parent *rowMaker
			var at laterTable
			for _, p := range f.s.Tables() {
				for _, pl := range laterTables(p, []*schema.Schema{l.s}) {
					if pl.t.Name == fk.RefTable {
						parent, at = f.by[p.Name], pl
					}
				}
			}
			var columns, refs []int
			for k, c := range fk.Columns {
				columns = append(columns, back(m, l, c))
				if parent != nil && k < len(fk.RefColumns) {
					refs = append(refs, back(parent, at, fk.RefColumns[k]))
				}
			}
			add(fk.Name, parent, columns, refs)
		}
	}
	return list
}

// table loads one table.
func (f *loading) table(ctx context.Context, m *rowMaker) error {
	wanted := uint64(f.o.count(m.t.Name))
	m.plan(wanted)
	if err := f.pools(ctx, m); err != nil {
		return err
	}
	m.edgeRows()
	for _, n := range m.notes {
		if wanted > 0 {
			f.p.note(n)
		}
	}
	if err := f.load(ctx, m); err != nil {
		return err
	}
	f.p.add(int64(wanted) - int64(m.shown))
	if m.accepted.n < wanted {
		why := m.limited
		if len(m.refused) > 0 {
			why = strings.TrimPrefix(why+"; the server refused: "+m.refusedText(), "; ")
		}
		f.p.note(fmt.Sprintf("%s has %d of %d rows: %s", m.t.Name, m.accepted.n, wanted, why))
	}
	return nil
}

// load writes the rows of a table: those about edges and some more one INSERT after the other, so that each refusal is known; then
// the rest in bulk.
func (f *loading) load(ctx context.Context, m *rowMaker) error {
	later := slices.ContainsFunc(m.refs, func(r *rowRef) bool { return r.later && r.parent != nil })
	for _, c := range []*session{f.guest, f.admin} {
		if c != nil {
			if err := c.exec(ctx, fmt.Sprintf("SET SESSION foreign_key_checks = %d", map[bool]int{true: 0, false: 1}[later])); err != nil {
				return err
			}
		}
	}
	edges := m.edgesEnd()
	bulk := f.admin != nil
	next, missed := uint64(0), uint64(0)
	limit := 2*m.wanted + hopeless
	for m.accepted.n < m.wanted && next < limit && missed < hopeless {
		need := m.wanted - m.accepted.n
		before := m.accepted.n
		if bulk && next >= edges && need > loadFrom {
			// The server takes all of a chunk or none of it, so that it is known which rows there are. MyISAM and the like
			// cannot take rows back; but nothing can refer to those either.
			n := min(need, chunk)
			taken, err := f.loadData(ctx, m, next, n)
			if err != nil {
				return err
			}
			if taken {
				next += n
				missed = 0
				continue
			}
			bulk = false
		}
		n := min(need, chunk)
		switch {
		case next < edges:
			n = min(edges-next, need)
		case bulk:
			n = min(need, 300)
		}
		refused := m.refusals
		if err := f.insert(ctx, m, next, n, &missed); err != nil {
			return err
		}
		if next >= edges && m.refusals > refused {
			bulk = false
		}
		next += n
		f.shown(m, m.accepted.n-before)
	}
	if missed >= hopeless {
		m.limited = strings.TrimPrefix(m.limited+"; it was given up", "; ")
	}
	return nil
}

func (f *loading) shown(m *rowMaker, n uint64) {
	if n = min(n, uint64(f.o.count(m.t.Name))-min(m.shown, uint64(f.o.count(m.t.Name)))); n > 0 {
		m.shown += n
		f.p.add(int64(n))
	}
}

// transactional tells whether a table's engine takes rows back.
func (m *rowMaker) transactional() bool {
	return strings.EqualFold(m.t.Engine, "InnoDB") || m.t.Engine == ""
}

// into writes the beginning of an INSERT.
func (m *rowMaker) into(verb string) string {
	names := make([]string, len(m.columns))
	for k, c := range m.columns {
		names[k] = quoteName(c.c.Name)
	}
	return verb + " INTO " + quoteName(m.t.Name) + " (" + strings.Join(names, ", ") + ") VALUES "
}

// insert writes rows in batches; a batch that is refused is halved until the rows that are at fault stand alone. missed counts
// those since the last that was taken.
func (f *loading) insert(ctx context.Context, m *rowMaker, start, n uint64, missed *uint64) error {
	head := m.into("INSERT")
	size := uint64(insertRows)
	if start < m.edgesEnd() {
		size = 20 // many of them will be refused where the table has checks
	}
	if !m.transactional() {
		size = 1 // the rows before the refused one would stay
	}
	room := min(insertBytes, max(f.packet/2, 1024))
	var b strings.Builder
	for i := start; i < start+n && *missed < hopeless; {
		b.Reset()
		b.WriteString(head)
		var ends []int // of the rows in b
		first := i
		for ; i < start+n && uint64(len(ends)) < size && (len(ends) == 0 || b.Len() < room); i++ {
			if len(ends) > 0 {
				b.WriteByte(',')
			}
			m.writeRow(&b, i)
			ends = append(ends, b.Len())
		}
		if err := f.insertBatch(ctx, m, b.String(), len(head), ends, first, missed); err != nil {
			return err
		}
		m.decided = i
	}
	return nil
}

func (m *rowMaker) writeRow(b *strings.Builder, i uint64) {
	b.WriteByte('(')
	for k := range m.columns {
		if k > 0 {
			b.WriteByte(',')
		}
		b.WriteString(m.value(k, i, 0).literal())
	}
	b.WriteByte(')')
}

// insertBatch sends the rows of one INSERT whose text is head bytes and then the rows that end at ends.
func (f *loading) insertBatch(ctx context.Context, m *rowMaker, sql string, head int, ends []int, first uint64, missed *uint64) error {
	err := f.guest.exec(ctx, sql)
	if err == nil {
		m.accepted.add(first, first+uint64(len(ends)))
		*missed = 0
		return nil
	}
	var refused *mysql.MySQLError
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Number {
	case 1114, 1021, 1041, 1142, 1044, 1290: // full, out of memory, not allowed: no other row will do better
		return err
	}
	if len(ends) == 1 {
		m.refusals++
		*missed++
		if m.refused == nil {
			m.refused = map[int]*refusal{}
		}
		r := m.refused[int(refused.Number)]
		if r == nil {
			r = &refusal{message: refused.Message}
			m.refused[int(refused.Number)] = r
		}
		r.count++
		return nil
	}
	half := len(ends) / 2
	if err := f.insertBatch(ctx, m, sql[:ends[half-1]], head, ends[:half], first, missed); err != nil {
		return err
	}
	rest := make([]int, len(ends)-half)
	for k := range rest {
		rest[k] = ends[half+k] - ends[half-1] - 1 + head
	}
	return f.insertBatch(ctx, m, sql[:head]+sql[ends[half-1]+1:], head, rest, first+uint64(half), missed)
}

// A refusal is what the server said about rows.
type refusal struct {
	message string
	count   int
}

func (m *rowMaker) refusedText() string {
	var parts []string
	for code, r := range m.refused {
		msg := r.message
		if len(msg) > maxMessage {
			msg = msg[:maxMessage] + "…"
		}
		parts = append(parts, fmt.Sprintf("%d rows with %d: %s", r.count, code, msg))
	}
	slices.Sort(parts)
	if len(parts) > 3 {
		parts = parts[:3]
	}
	return strings.Join(parts, "; ")
}

// loadData loads the rows from start on in one LOAD DATA. False means that the server did not take all of them, and has none.
func (f *loading) loadData(ctx context.Context, m *rowMaker, start, n uint64) (bool, error) {
	name := "instep" + rand.Text()
	reader := &rowReader{ctx: ctx, m: m, next: start, end: start + n, told: func(k uint64) { f.shown(m, k) }}
	mysql.RegisterReaderHandler(name, func() io.Reader { return reader })
	defer mysql.DeregisterReaderHandler(name)
	var into, set []string
	for k, c := range m.columns {
		column, variable := quoteName(c.c.Name), "@v"+strconv.Itoa(k)
		switch domainOf(c.c).class {
		case classJSON, classUUID, classInet4, classInet6:
			into = append(into, variable)
			set = append(set, column+" = CONVERT("+variable+" USING utf8mb4)")
		case classGeometry:
			into = append(into, variable)
			srid := ""
			if c.c.SRID > 0 {
				srid = ", " + strconv.Itoa(c.c.SRID)
			}
			set = append(set, column+" = ST_GeomFromText(CONVERT("+variable+" USING utf8mb4)"+srid+")")
		default:
			into = append(into, column)
		}
	}
	sql := "LOAD DATA LOCAL INFILE 'Reader::" + name + "' INTO TABLE " + quoteName(m.t.Name) + ` CHARACTER SET binary FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' (` + strings.Join(into, ", ") + ")"
	if len(set) > 0 {
		sql += " SET " + strings.Join(set, ", ")
	}
	c := f.admin
	if err := c.exec(ctx, "START TRANSACTION"); err != nil {
		return false, err
	}
	result, err := c.conn.ExecContext(ctx, sql)
	taken := false
	var refused *mysql.MySQLError
	switch {
	case err == nil:
		affected, err := result.RowsAffected()
		if err != nil {
			return false, err
		}
		// LOCAL makes warnings of errors and goes on (manual, "LOAD DATA Statement"): a value may have been cut.
		warnings, err := c.query(ctx, 1, "SHOW WARNINGS")
		if err != nil {
			return false, err
		}
		taken = uint64(affected) == n && (len(warnings) == 0 || warnings[0][0].String == "Note")
		if !taken && !m.transactional() {
			m.limited = fmt.Sprintf("of %d rows %d were taken", n, affected)
			m.accepted.add(start, start+uint64(max(affected, 0))) // which ones does not matter: nothing refers to them
			return true, c.exec(ctx, "COMMIT")
		}
	case errors.As(err, &refused):
		if refused.Number == 1114 || refused.Number == 1021 {
			return false, err
		}
	default:
		return false, err
	}
	if !taken {
		return false, c.exec(ctx, "ROLLBACK")
	}
	m.accepted.add(start, start+n)
	m.decided, m.bulk = start+n, true
	return true, c.exec(ctx, "COMMIT")
}

// A rowReader writes rows as LOAD DATA reads them, as they are asked for.
type rowReader struct {
	ctx       context.Context
	m         *rowMaker
	next, end uint64
	buf       []byte
	at        int
	told      func(uint64)
}

// readerBuffer is about how much a rowReader makes at a time.
const readerBuffer = 64 << 10

// Read gives the next bytes.
func (r *rowReader) Read(p []byte) (int, error) {
	if r.at == len(r.buf) {
		if r.next >= r.end {
			return 0, io.EOF
		}
		if err := r.ctx.Err(); err != nil {
			return 0, err
		}
		r.buf, r.at = r.buf[:0], 0
		first := r.next
		for ; r.next < r.end && len(r.buf) < readerBuffer; r.next++ {
			r.buf = r.m.appendRow(r.buf, r.next)
		}
		r.told(r.next - first)
	}
	n := copy(p, r.buf[r.at:])
	r.at += n
	return n, nil
}

// appendRow writes a row as a line of LOAD DATA.
func (m *rowMaker) appendRow(b []byte, i uint64) []byte {
	for k, c := range m.columns {
		if k > 0 {
			b = append(b, '\t')
		}
		if c.ref != nil || c.pool != nil || c.unit.unique {
			b = m.value(k, i, 0).field(b, c.c.Charset)
			continue
		}
		edge, at := m.choose(k, i)
		if edge {
			b = c.edges[at].field(b, c.c.Charset)
			continue
		}
		if c.cache == nil {
			c.cache = make([][]byte, few)
		}
		if c.cache[at] == nil {
			c.cache[at] = c.d.ordinary(uint64(at)).field(nil, c.c.Charset)
		}
		b = append(b, c.cache[at]...)
	}
	return append(b, '\n')
}

// countRows counts a table's rows.
func (f *loading) countRows(ctx context.Context, m *rowMaker) (int64, error) {
	rows, err := f.guest.query(ctx, 1, "SELECT COUNT(*) FROM "+quoteName(m.t.Name))
	if err != nil {
		return 0, fmt.Errorf("counting the rows of %s: %w", m.t.Name, err)
	}
	return strconv.ParseInt(rows[0][0].String, 10, 64)
}

// circles sets foreign keys that were left NULL because their parents came later, and deletes the rows whose parents were
// expected and did not come.
func (f *loading) circles(ctx context.Context) error {
	if err := f.guest.exec(ctx, "SET SESSION foreign_key_checks = 0"); err != nil {
		return err
	}
	for round := 0; round < 10; round++ {
		again := false
		for _, m := range f.order {
			for _, r := range m.refs {
				if r.parent == nil || !r.later {
					continue
				}
				var on, some []string
				for k, c := range r.columns {
					name := quoteName(m.columns[c].c.Name)
					on = append(on, "p."+quoteName(r.parent.columns[r.refs[k]].c.Name)+" = c."+name)
					some = append(some, "c."+name+" IS NOT NULL")
				}
				where := fmt.Sprintf("LEFT JOIN %s p ON %s WHERE %s AND p.%s IS NULL", quoteName(r.parent.t.Name), strings.Join(on, " AND "),
					strings.Join(some, " AND "), quoteName(r.parent.columns[r.refs[0]].c.Name))
				before, err := f.countRows(ctx, m)
				if err != nil {
					return err
				}
				if err := f.guest.exec(ctx, "DELETE c FROM "+quoteName(m.t.Name)+" c "+where); err != nil {
					return fmt.Errorf("deleting rows of %s without a parent: %w", m.t.Name, err)
				}
				after, err := f.countRows(ctx, m)
				if err != nil {
					return err
				}
				if after < before {
					again = true
					m.accepted.n -= min(m.accepted.n, uint64(before-after)) // numbers are not used any more, only the count
					f.p.note(fmt.Sprintf("%d rows of %s were taken back: %s is part of a circle of foreign keys, and their parents were refused", before-after, m.t.Name, r.name))
				}
			}
		}
		if !again {
			break
		}
	}
	if err := f.guest.exec(ctx, "SET SESSION foreign_key_checks = 1"); err != nil {
		return err
	}
	for _, m := range f.order {
		for _, l := range m.late {
			if l.parent.accepted.n == 0 || len(l.parent.accepted.list) == 0 {
				continue
			}
			row := l.parent.accepted.list[0].start
			var set, is []string
			ok := true
			for k, c := range l.r.columns {
				v := l.parent.value(l.r.refs[k], row, 0)
				ok = ok && v.kind != valueNull && !l.r.shared[k]
				name := quoteName(m.columns[c].c.Name)
				set = append(set, name+" = "+v.literal())
				is = append(is, name+" IS NULL")
			}
			unique := slices.ContainsFunc(m.keys, func(k uniqueKey) bool {
				return slices.ContainsFunc(k.columns, func(c int) bool { return slices.Contains(l.r.columns, c) })
			})
			pk := m.t.PrimaryKey()
			if !ok || unique || pk == nil || len(pk.Parts) == 0 || pk.Parts[0].Column == "" {
				continue
			}
			var by []string
			for _, p := range pk.Parts {
				by = append(by, quoteName(p.Column))
			}
			sql := fmt.Sprintf("UPDATE %s SET %s WHERE %s ORDER BY %s LIMIT 100", quoteName(m.t.Name), strings.Join(set, ", "), strings.Join(is, " AND "), strings.Join(by, ", "))
			if err := f.guest.exec(ctx, sql); err != nil {
				if _, ok := serverError(err); !ok {
					return err
				}
				f.p.note(fmt.Sprintf("%s: %s stays NULL: %v", m.t.Name, l.r.name, err))
			}
		}
	}
	return nil
}

// Bounds of the search for values that pass a table's checks.
const (
	maxProbes     = 400
	maxCandidates = 60
	maxPool       = 200
)

// pools finds values that the table's checks and partitions let through: combinations of edges, of the literals in the checks
// and of what is beside them are tried on a table of those columns alone. Columns of unique and foreign keys take part, but keep
// their own values.
func (f *loading) pools(ctx context.Context, m *rowMaker) error {
	if f.o.count(m.t.Name) == 0 {
		return nil
	}
	type condition struct {
		columns []string
		expr    string
		check   *schema.Check
	}
	var conditions []condition
	add := func(k *schema.Check, rename func(string) string) {
		if k.NotEnforced {
			return
		}
		c := condition{expr: k.Expr, check: k}
		for _, name := range k.Columns {
			if c.columns = append(c.columns, rename(name)); c.columns[len(c.columns)-1] != name {
				return // of a renamed column: its expression has the new name
			}
		}
		if len(c.columns) == 1 {
			if col := m.t.Column(c.columns[0]); col != nil && col.Type.Name == "longtext" {
				if d := domainIn(m.t, col); d.class == classJSON {
					return
				}
			}
		}
		conditions = append(conditions, c)
	}
	for _, k := range m.t.Checks {
		add(k, func(s string) string { return s })
	}
	for _, l := range laterTables(m.t, f.o.Fit) {
		for _, k := range l.t.Checks {
			add(k, func(s string) string {
				for _, c := range m.t.Columns {
					if e, ok := l.column(c); ok && strings.EqualFold(e.Name, s) {
						return c.Name
					}
				}
				return ""
			})
		}
	}
	partition := m.t.Partition
	if partition != nil && len(partition.Parts) == 0 {
		partition = nil // HASH and KEY take everything
	}
	if partition != nil {
		c := condition{expr: partition.By + " " + strings.Join(partition.Parts, " ")}
		for _, col := range m.t.Columns {
			if strings.Contains(partition.By, quoteName(col.Name)) || regexp.MustCompile(`(?i)\b`+regexp.QuoteMeta(col.Name)+`\b`).MatchString(partition.By) {
				c.columns = append(c.columns, col.Name)
			}
		}
		conditions = append(conditions, c)
	}
	// Conditions with columns in common are tried together.
	for len(conditions) > 0 {
		group := []condition{conditions[0]}
		conditions = conditions[1:]
		columns := lowered(group[0].columns)
		for grown := true; grown; {
			grown = false
			for i := 0; i < len(conditions); i++ {
				if slices.ContainsFunc(lowered(conditions[i].columns), func(s string) bool { return slices.Contains(columns, s) }) {
					columns = append(columns, lowered(conditions[i].columns)...)
					group = append(group, conditions[i])
					conditions = slices.Delete(conditions, i, i+1)
					grown = true
					i--
				}
			}
		}
		probe := &schema.Table{Name: "instep_probe_" + strings.ToLower(rand.Text()[:10]), Engine: m.t.Engine, Charset: m.t.Charset, Collation: m.t.Collation}
		var tried []int
		needs := columns
		for _, name := range columns {
			if c := m.t.Column(name); c != nil && c.Generated != nil {
				needs = append(needs, lowered(c.Generated.Columns)...)
			}
		}
		exprs := ""
		for _, g := range group {
			exprs += g.expr + "\n"
			if g.check != nil {
				k := *g.check
				k.Name, k.Column = "", ""
				k.Name = fmt.Sprintf("%s_%d", probe.Name, len(probe.Checks))
				probe.Checks = append(probe.Checks, &k)
			} else {
				probe.Partition = partition
			}
		}
		for _, c := range m.t.Columns {
			if !slices.Contains(needs, strings.ToLower(c.Name)) {
				continue
			}
			copied := *c
			copied.AutoIncrement, copied.OnUpdate = false, ""
			probe.Columns = append(probe.Columns, &copied)
			if i := slices.IndexFunc(m.columns, func(k *rowColumn) bool { return k.c == c }); i >= 0 {
				tried = append(tried, i)
			}
		}
		if len(tried) == 0 {
			continue
		}
		if err := f.probe(ctx, m, probe, tried, exprs); err != nil {
			return err
		}
	}
	return nil
}

func lowered(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.ToLower(n)
	}
	return out
}

// probe makes a pool of what a probe table takes.
func (f *loading) probe(ctx context.Context, m *rowMaker, probe *schema.Table, tried []int, exprs string) error {
	create := f.s.TableSQL(probe)
	if probe.Partition == nil {
		create = strings.Replace(create, "CREATE TABLE", "CREATE TEMPORARY TABLE", 1)
	}
	if err := f.guest.exec(ctx, create); err != nil {
		if _, ok := serverError(err); !ok {
			return err
		}
		m.notes = append(m.notes, fmt.Sprintf("%s: its checks were not tried beforehand: %v", m.t.Name, err))
		return nil
	}
	defer f.guest.exec(context.WithoutCancel(ctx), "DROP TABLE "+quoteName(probe.Name))
	candidates := make([][]value, len(tried))
	n := 0
	for k, i := range tried {
		candidates[k] = m.columns[i].d.candidates(exprs)
		n = max(n, len(candidates[k]))
	}
	pool := &rowPool{}
	sub := &rowMaker{t: probe}
	for _, i := range tried {
		sub.columns = append(sub.columns, m.columns[i])
	}
	head := sub.into("INSERT")
	probes := maxProbes
	if len(tried) == 1 {
		probes = n
	}
	for p := range uint64(probes) {
		row := make([]value, len(tried))
		parts := make([]string, len(tried))
		for k := range row {
			at := p
			if p >= uint64(n) {
				at = mix(p<<8 ^ uint64(k))
			}
			row[k] = candidates[k][at%uint64(len(candidates[k]))]
			parts[k] = row[k].literal()
		}
		err := f.guest.exec(ctx, head+"("+strings.Join(parts, ", ")+")")
		if err == nil {
			if pool.rows = append(pool.rows, row); len(pool.rows) == maxPool {
				break
			}
			continue
		}
		if _, ok := serverError(err); !ok {
			return err
		}
	}
	if len(pool.rows) == 0 {
		m.notes = append(m.notes, fmt.Sprintf("%s: no values were found that its checks and partitions let through", m.t.Name))
		return nil
	}
	for k, i := range tried {
		c := m.columns[i]
		if c.ref != nil || c.unit.unique {
			continue
		}
		c.pool, c.at = pool, k
	}
	return nil
}

// literalPattern finds numbers and strings in a condition.
var literalPattern = regexp.MustCompile(`'((?:[^'\\]|''|\\.)*)'|-?\b\d+(?:\.\d+)?\b`)

// candidates gives values that are worth trying for a column of which a condition speaks: edges, the literals in it, and what
// is beside them.
func (d *domain) candidates(exprs string) []value {
	var list []value
	add := func(v value) {
		if !slices.Contains(list, v) && len(list) < maxCandidates {
			list = append(list, v)
		}
	}
	for i := range min(4, d.count(0)) {
		add(d.ordinary(i))
	}
	for _, found := range literalPattern.FindAllStringSubmatch(exprs, 200) {
		s := found[0]
		quoted := s[0] == '\''
		if quoted {
			s = strings.ReplaceAll(found[1], "''", "'")
		}
		n, err := strconv.ParseInt(strings.SplitN(s, ".", 2)[0], 10, 64)
		isNumber := err == nil
		switch d.class {
		case classInt, classDecimal, classFloat, classYear:
			if isNumber {
				for _, k := range []int64{n, n - 1, n + 1} {
					if k >= 0 || !d.unsigned {
						add(number(strconv.FormatInt(k, 10)))
					}
				}
				if strings.Contains(s, ".") && d.class != classInt {
					add(number(s))
				}
			}
		case classText:
			switch {
			case quoted:
				add(text(s))
				add(text(strings.NewReplacer("%", "", "_", "a").Replace(s)))
				add(text(strings.NewReplacer("%", "a", "_", "a").Replace(s)))
			case isNumber && n > 0 && n <= 2000:
				for _, k := range []int64{n, n - 1, n + 1} {
					if k > 0 && int(k) <= d.max {
						add(value{kind: valueText, text: "a", repeat: int(k)})
					}
				}
			}
		case classEnum, classSet:
			if quoted {
				add(text(s))
			}
		case classDate, classDatetime, classTimestamp:
			var at time.Time
			switch {
			case quoted:
				for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02"} {
					if t, err := time.Parse(layout, s); err == nil {
						at = t
						break
					}
				}
			case isNumber && n >= 1000 && n <= 9999: // YEAR()
				at = time.Date(int(n), 6, 15, 12, 0, 0, 0, time.UTC)
			case isNumber && n > 365250 && n < 3652424: // TO_DAYS()
				at = time.Date(0, 1, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, int(n))
			case isNumber && n > 1e8 && n < 1<<31: // UNIX_TIMESTAMP()
				at = time.Unix(n, 0).UTC()
			}
			if at.IsZero() {
				continue
			}
			layout := "2006-01-02 15:04:05"
			if d.class == classDate {
				layout = "2006-01-02"
			}
			for _, t := range []time.Time{at, at.AddDate(0, 0, -1), at.AddDate(0, 0, 1), at.AddDate(-1, 0, 0), at.AddDate(1, 0, 0)} {
				if t.Year() >= 1000 && t.Year() <= 9999 && (d.class != classTimestamp || t.Year() > 1970 && t.Year() < 2038) {
					add(text(t.Format(layout)))
				}
			}
		case classJSON:
			if quoted {
				if name, ok := strings.CutPrefix(s, "$."); ok && !strings.ContainsAny(name, `"'\.[`) {
					add(value{kind: valueJSON, text: `{"` + name + `": 1}`})
				}
			}
		}
	}
	for _, e := range d.edges() {
		if e.textSize() <= maxCommon {
			add(e)
		}
	}
	if d.class == classText {
		for _, s := range []string{"user@example.com", "AB12", "https://example.com/", "+36 1 234 5678", "hu", "EUR", "abc", "ABC"} { // what regular expressions ask for
			if len(s) <= d.max {
				add(value{kind: valueText, text: s})
			}
		}
	}
	if d.nullable && !slices.Contains(list, null) {
		list = append(list, null)
	}
	return list
}
