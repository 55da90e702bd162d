package simulate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"instep/analyzer/schema"
)

// RowOptions say which rows are made.
type RowOptions struct {
	// Each is the number of rows of every table, but for those of Tables, by name.
	Each   int64
	Tables map[string]int64
	Seed   uint64 // the same seed and schema give the same rows
	// Fit are later states of the schema: values that would not fit them are left out, so that the pending statements can run.
	// Nil: rows of all kinds that the schema itself takes.
	Fit []*schema.Schema
}

// count gives the number of rows that a table should get.
func (o RowOptions) count(table string) int64 {
	if n, ok := o.Tables[table]; ok {
		return max(n, 0)
	}
	return max(o.Each, 0)
}

// check tells whether each table of the options is there.
func (o RowOptions) check(s *schema.Schema) error {
	var names, near []string
	for name := range o.Tables {
		if s.Table(name) == nil {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	name := slices.Min(names)
	for _, t := range s.Tables() {
		a, b := strings.ToLower(t.Name), strings.ToLower(name)
		if strings.Contains(a, b) || strings.Contains(b, a) || distance(a, b) <= 1+len(b)/4 {
			near = append(near, t.Name)
		}
	}
	if len(near) > 5 {
		near = near[:5]
	}
	if len(near) == 0 {
		return fmt.Errorf("rows are wanted for the table %q, which the deployed schema does not have", name)
	}
	return fmt.Errorf("rows are wanted for the table %q, which the deployed schema does not have (it has %s)", name, strings.Join(near, ", "))
}

// distance is the number of letters to insert, delete or replace. Names are 64 characters at most; longer ones are far away.
func distance(a, b string) int {
	if len(a) > 200 || len(b) > 200 {
		return math.MaxInt
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := last
			if a[i] != b[j] {
				replace++
			}
			last = row[j+1]
			row[j+1] = min(replace, last+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// A rowMaker makes the rows of one table. The i-th row is a function of the schema, the seed and i, so that rows need not be
// kept: a child finds its parent's row again by its number.
type rowMaker struct {
	t       *schema.Table
	seed    uint64
	columns []*rowColumn // that are given a value
	refs    []*rowRef
	keys    []uniqueKey
	wanted  uint64
	limited string // why there are fewer than asked for, "" if there are not
	singles []int  // columns with a row for each of their edges: the column of each such row
	diag    uint64 // rows at the beginning that hold the edges of all columns side by side
	// accepted are the numbers of the rows that the server took.
	accepted spans
	decided  uint64 // the server was sent all rows before this one
	notes    []string
	late     []lateRef
	refused  map[int]*refusal // by the server's number
	refusals int
	bulk     bool   // some went by LOAD DATA
	shown    uint64 // rows that the progress was told of
}

// A rowColumn is a column that is given a value.
type rowColumn struct {
	c     *schema.Column
	d     domain
	edges []value
	ref   *rowRef // that determines it, nil if none
	at    int     // its place in ref or in pool
	pool  *rowPool
	unit  unit
	// first is the number of the row in which its first edge stands alone.
	first uint64
	// cache holds fields of ordinary values that occur again and again.
	cache [][]byte
}

// A unit is what a unique key tells rows apart by: a column, or a foreign key, of which the parent's rows are the values.
type unit struct {
	unique bool
	// The row's number, divided and taken as a remainder, is the number of the value. mod 0: the row's number itself.
	div, mod uint64
	prefix   int
	set      bool // div and mod are decided
}

func (u unit) index(i uint64) uint64 {
	if u.mod == 0 {
		return i
	}
	return i / u.div % u.mod
}

// A rowRef is a foreign key of a table whose rows are made.
type rowRef struct {
	name    string
	parent  *rowMaker // nil: its columns stay NULL
	columns []int     // in rowMaker.columns
	refs    []int     // in parent.columns
	// shared are those places of columns that an earlier foreign key determines.
	shared []bool
	null   bool // all may be NULL
	later  bool // the parent is loaded later: there is a circle
	unit   unit
}

// A rowPool holds combinations of values that the table's checks and partitions let through.
type rowPool struct{ rows [][]value }

// A uniqueKey is a key of the table, or one that a later state of the schema has.
type uniqueKey struct {
	name    string
	columns []int
	prefix  []int
}

// spans are sorted ranges of numbers.
type spans struct {
	list []span
	n    uint64
}

type span struct{ start, end, before uint64 }

// add adds a range behind all others.
func (s *spans) add(start, end uint64) {
	if start >= end {
		return
	}
	if k := len(s.list); k > 0 && s.list[k-1].end == start {
		s.list[k-1].end = end
	} else {
		s.list = append(s.list, span{start, end, s.n})
	}
	s.n += end - start
}

// at gives the k-th number, k < n.
func (s *spans) at(k uint64) uint64 {
	i, found := slices.BinarySearchFunc(s.list, k, func(p span, k uint64) int { return cmp.Compare(p.before, k) })
	if !found {
		i--
	}
	return s.list[i].start + k - s.list[i].before
}

// has tells whether a number is in one of the ranges.
func (s *spans) has(x uint64) bool {
	i, found := slices.BinarySearchFunc(s.list, x, func(p span, x uint64) int { return cmp.Compare(p.start, x) })
	return found || i > 0 && x < s.list[i-1].end
}

// mix gives a number that looks random (splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// hash gives a number for a row and a column or foreign key of it.
func (m *rowMaker) hash(k int, i uint64) uint64 { return mix(m.seed + mix(uint64(k)<<48^i)) }

// newMaker gives a maker of a table's rows. fit are the later states of the table, as far as it is there.
func newMaker(t *schema.Table, seed uint64, fit []laterTable) *rowMaker {
	m := &rowMaker{t: t, seed: seed}
	for _, b := range []byte(t.Name) {
		m.seed = mix(m.seed ^ uint64(b))
	}
	at := map[string]int{}
	for _, c := range t.Columns {
		if c.Generated != nil || strings.HasPrefix(c.Attributes, "GENERATED ") { // ROW START and ROW END, too
			continue
		}
		d := domainIn(t, c)
		if d.class == classUnknown && (c.Nullable || c.Default != nil) {
			m.notes = append(m.notes, fmt.Sprintf("%s.%s has a type that is not known here (%s): it keeps its default", t.Name, c.Name, c.Type.Name))
			continue
		}
		for _, l := range fit {
			e, ok := l.column(c)
			if !ok {
				continue
			}
			if why := d.narrow(domainIn(l.t, e)); why != "" {
				m.notes = append(m.notes, fmt.Sprintf("%s.%s: some values may not fit the later type %s: %s", t.Name, c.Name, e.Type.Name, why))
			}
		}
		at[strings.ToLower(c.Name)] = len(m.columns)
		m.columns = append(m.columns, &rowColumn{c: c, d: d})
	}
	for _, k := range t.Keys {
		m.addKey(t, k, func(name string) (int, bool) { i, ok := at[strings.ToLower(name)]; return i, ok })
	}
	for _, l := range fit {
		for _, k := range l.t.Keys {
			m.addKey(l.t, k, func(name string) (int, bool) {
				for i, c := range m.columns {
					if e, ok := l.column(c.c); ok && strings.EqualFold(e.Name, name) {
						return i, true
					}
				}
				return 0, false
			})
		}
	}
	return m
}

// addKey notes a unique key. find gives the place of a column that the key names; keys over columns that are not loaded are
// looked at by the columns behind them, as far as they are loaded.
func (m *rowMaker) addKey(t *schema.Table, k *schema.Key, find func(string) (int, bool)) {
	if k.Kind != schema.PrimaryKey && k.Kind != schema.UniqueKey {
		return
	}
	u := uniqueKey{name: k.Name}
	add := func(name string, prefix int) {
		if i, ok := find(name); ok {
			if at := slices.Index(u.columns, i); at >= 0 {
				return
			}
			u.columns = append(u.columns, i)
			u.prefix = append(u.prefix, prefix)
		}
	}
	for _, p := range k.Parts {
		names := p.Columns
		if p.Expr == "" {
			names = []string{p.Column}
			if c := t.Column(p.Column); c != nil && c.Generated != nil {
				names = c.Generated.Columns
			}
		}
		for _, name := range names {
			add(name, p.Length)
		}
	}
	if len(u.columns) == 0 {
		return
	}
	for _, o := range m.keys {
		if slices.Equal(o.columns, u.columns) && slices.Equal(o.prefix, u.prefix) {
			return
		}
	}
	m.keys = append(m.keys, u)
}

// addRef notes a foreign key. Columns that are not loaded (generated ones) make it nobody's: the server decides.
func (m *rowMaker) addRef(name string, parent *rowMaker, columns []int, refs []int, later bool) {
	r := &rowRef{name: name, parent: parent, columns: columns, refs: refs, later: later, null: true, shared: make([]bool, len(columns))}
	for k, i := range columns {
		c := m.columns[i]
		r.null = r.null && c.d.nullable
		if c.ref != nil {
			r.shared[k] = true
			continue
		}
		c.ref, c.at = r, k
	}
	m.refs = append(m.refs, r)
}

// plan decides how rows differ in the unique keys, and how many there can be. Parents must have been loaded.
func (m *rowMaker) plan(wanted uint64) {
	m.wanted = wanted
	keys := slices.Clone(m.keys)
	slices.SortStableFunc(keys, func(a, b uniqueKey) int { return cmp.Compare(len(a.columns), len(b.columns)) })
	type member struct {
		u    *unit
		size uint64
		ref  bool
	}
	members := func(k uniqueKey) []member {
		var list []member
		for at, i := range k.columns {
			c := m.columns[i]
			mb := member{u: &c.unit}
			if c.ref != nil && c.ref.parent != nil {
				mb = member{u: &c.ref.unit, ref: true, size: c.ref.parent.accepted.n}
				if c.ref.later || c.ref.parent == m {
					mb.size = wanted
				}
			} else {
				if p := k.prefix[at]; p > 0 && (c.unit.prefix == 0 || p < c.unit.prefix) {
					c.unit.prefix = p
				}
				mb.size = c.d.size(c.unit.prefix)
			}
			if !slices.ContainsFunc(list, func(o member) bool { return o.u == mb.u }) {
				list = append(list, mb)
			}
		}
		return list
	}
	for _, k := range keys {
		members(k) // prefixes first: they decide the sizes
	}
	limit := func(n uint64, k uniqueKey) {
		if n < m.wanted {
			m.wanted = n
			var names []string
			for _, i := range k.columns {
				names = append(names, m.columns[i].c.Name)
			}
			m.limited = fmt.Sprintf("the unique key %s (%s) allows no more", k.name, strings.Join(names, ", "))
		}
	}
	for _, k := range keys {
		list := members(k)
		if slices.ContainsFunc(list, func(b member) bool { return b.u.set && b.u.mod == 0 }) {
			for _, b := range list {
				b.u.unique = b.u.unique || b.u.set
			}
			// A later key needs no more than one that tells all rows apart, but that one must be able to.
			continue
		}
		// One that tells all rows apart; a column rather than a foreign key.
		best := -1
		for i, b := range list {
			if !b.u.set && b.size >= wanted && (best < 0 || list[best].ref && !b.ref) {
				best = i
			}
		}
		if best >= 0 {
			*list[best].u = unit{unique: true, set: true, prefix: list[best].u.prefix}
			continue
		}
		div := uint64(1)
		product := uint64(1)
		for _, b := range list {
			if b.size == 0 {
				product = 0
				break
			}
			if !b.u.set {
				*b.u = unit{unique: true, set: true, div: div, mod: b.size, prefix: b.u.prefix}
			}
			div = min(div*min(b.size, many), many)
			product = div
		}
		limit(product, k)
	}
	for _, r := range m.refs { // all columns of a foreign key go with it
		if r.parent != nil && r.parent != m && !r.later && r.parent.accepted.n == 0 && !r.null {
			m.wanted = 0
			m.limited = fmt.Sprintf("%s refers to %s, which has no rows", r.name, r.parent.t.Name)
		}
	}
}

// edgeRows decides which rows are about edges: first the edges of all columns side by side, then, where there is room, each alone.
func (m *rowMaker) edgeRows() {
	total := uint64(0)
	for _, c := range m.columns {
		c.edges = c.d.edges()
		if c.ref != nil || c.unit.unique || c.pool != nil {
			continue
		}
		m.diag = max(m.diag, min(uint64(len(c.edges)), 64))
		total += uint64(len(c.edges))
	}
	if m.wanted < 2*(m.diag+total) {
		return
	}
	next := m.diag
	for k, c := range m.columns {
		if c.ref != nil || c.unit.unique || c.pool != nil {
			continue
		}
		c.first = next
		for range c.edges {
			m.singles = append(m.singles, k)
		}
		next += uint64(len(c.edges))
	}
}

// edgesEnd gives the number of rows at the beginning that are about edges.
func (m *rowMaker) edgesEnd() uint64 { return m.diag + uint64(len(m.singles)) }

// few is the number of different ordinary values in a column that is not unique: values recur, as they do in production.
const few = 1024

// maxCommon bounds the edges that occur among ordinary rows, in characters: the others have a row or two.
const maxCommon = 300

// value gives the value of the k-th column in the i-th row. depth bounds the way through foreign keys.
func (m *rowMaker) value(k int, i uint64, depth int) value {
	c := m.columns[k]
	if c.ref != nil {
		j, ok := m.refRow(c.ref, i, depth)
		if !ok {
			if c.d.nullable {
				return null
			}
			return c.d.at(i, 0) // the server decides
		}
		return c.ref.parent.value(c.ref.refs[c.at], j, depth+1)
	}
	if c.pool != nil {
		return c.pool.rows[m.hash(1000, i)%uint64(len(c.pool.rows))][c.at]
	}
	if c.unit.unique {
		if c.d.nullable && i > 2 && m.hash(k, i)%19 == 0 {
			return null // unique keys do not compare NULL
		}
		return c.d.at(c.unit.index(i), c.unit.prefix)
	}
	edge, at := m.choose(k, i)
	if edge {
		return c.edges[at]
	}
	return c.d.ordinary(uint64(at))
}

// twin gives the row whose random choices a row repeats: mostly its own, now and then the one before, so that some rows are alike
// in all that no key tells apart.
func (m *rowMaker) twin(i uint64) uint64 {
	if i > m.edgesEnd() && m.hash(3000, i)%32 == 0 {
		return i - 1
	}
	return i
}

// choose gives the number of an edge or of an ordinary value for a column that no key and no foreign key determines.
func (m *rowMaker) choose(k int, i uint64) (edge bool, at int) {
	c := m.columns[k]
	n := len(c.edges)
	if i < m.diag {
		return true, int(i) % n
	}
	if e := i - m.diag; e < uint64(len(m.singles)) && m.singles[e] == k {
		return true, int(i - c.first)
	}
	i = m.twin(i)
	h := m.hash(k, i)
	if i >= m.edgesEnd() {
		switch {
		case h%16 == 0 && c.d.nullable:
			return true, n - 1
		case h%64 == 1:
			if at := int(h >> 8 % uint64(n)); c.edges[at].textSize() <= maxCommon {
				return true, at
			}
		}
	}
	count := min(c.d.count(0), few)
	if count == 0 {
		return true, int(h >> 8 % uint64(n))
	}
	return false, int(h >> 8 % count)
}

// tries bounds the search for a parent's row that agrees with what another foreign key has determined.
const tries = 300

// refRow gives the number of the parent's row to which a row refers; false for none.
func (m *rowMaker) refRow(r *rowRef, i uint64, depth int) (uint64, bool) {
	if r.parent == nil || depth > 8 {
		return 0, false
	}
	k := 2000 + slices.Index(m.refs, r)
	h := m.hash(k, m.twin(i))
	n := r.parent.accepted.n
	if r.null && i > 0 && h%11 == 0 {
		return 0, false
	}
	switch {
	case r.later:
		if n = r.parent.wanted; n == 0 {
			return 0, false
		}
	case r.parent == m:
		return m.selfRow(r, i, h, depth)
	case n == 0:
		return 0, false
	}
	start := (h >> 8) % n
	if r.unit.unique {
		start = r.unit.index(i) % n
	}
	row := func(j uint64) uint64 {
		if r.later {
			return j
		}
		return r.parent.accepted.at(j)
	}
	for t := range min(tries, n) {
		j := row((start + t) % n)
		if m.agrees(r, i, j, depth) {
			return j, true
		}
		if r.unit.unique {
			break // another one would be taken twice
		}
	}
	return 0, false
}

// selfRow gives the number of the row of the same table to which a row refers: one before it, or its own. Rows that were not sent
// yet are taken for accepted: if they are not, the server refuses those that refer to them.
func (m *rowMaker) selfRow(r *rowRef, i, h uint64, depth int) (uint64, bool) {
	if i == 0 || r.unit.unique {
		return i, !r.null || r.unit.unique
	}
	for t := range uint64(tries) {
		j := mix(h+t) % i
		if (j >= m.decided || m.accepted.has(j)) && m.agrees(r, i, j, depth) {
			return j, true
		}
	}
	return i, !r.null
}

// agrees tells whether a parent's row has the values that other foreign keys have given to columns in common, and no NULL where
// none may be.
func (m *rowMaker) agrees(r *rowRef, i, j uint64, depth int) bool {
	for k, col := range r.columns {
		c := m.columns[col]
		p := r.parent.columns[r.refs[k]]
		if !r.shared[k] && (c.d.nullable || !p.d.nullable) {
			continue
		}
		v := r.parent.value(r.refs[k], j, depth+1)
		if v.kind == valueNull && !c.d.nullable || r.shared[k] && v != m.value(col, i, depth+1) {
			return false
		}
	}
	return true
}

// laterTable is a later state of a table.
type laterTable struct {
	s *schema.Schema
	t *schema.Table
	// old is the table as it is loaded.
	old *schema.Table
}

// laterTables finds a table in later states of the schema, by its origin or, where that is not known, by its name.
func laterTables(t *schema.Table, fit []*schema.Schema) []laterTable {
	var list []laterTable
	for _, s := range fit {
		for _, l := range s.Tables() {
			if t.Origin != "" && l.Origin == t.Origin || (t.Origin == "" || l.Origin == "") && l.Name == t.Name {
				list = append(list, laterTable{s, l, t})
				break
			}
		}
	}
	return list
}

// column finds a column in the later state.
func (l laterTable) column(c *schema.Column) (*schema.Column, bool) {
	for _, e := range l.t.Columns {
		if c.Origin != "" && e.Origin == c.Origin || (c.Origin == "" || e.Origin == "") && strings.EqualFold(e.Name, c.Name) {
			return e, true
		}
	}
	return nil, false
}

// narrow takes away the values that do not fit another domain. It says why that may not have worked out, "" if it has.
func (d *domain) narrow(e domain) string {
	d.nullable = d.nullable && e.nullable
	d.unsigned = d.unsigned || e.unsigned
	digits := func(n int) { // of an integer
		d.hi = min(d.hi, pow(10, min(n, 17))-1)
		d.lo = max(d.lo, -int64(pow(10, min(max(n-1, 0), 17))-1))
	}
	toInt := func() {
		d.class, d.lo, d.hi = classInt, e.lo, e.hi
		d.dense = d.dense || e.dense
	}
	if d.class == e.class {
		switch d.class {
		case classInt:
			d.lo, d.hi, d.dense = max(d.lo, e.lo), min(d.hi, e.hi), d.dense || e.dense
		case classDecimal:
			d.digits, d.scale = min(d.digits, e.digits), min(d.scale, e.scale)
		case classFloat:
			if e.digits >= 0 && (d.digits < 0 || e.digits < d.digits) {
				d.digits, d.scale = e.digits, e.scale
			}
			d.single = d.single || e.single
		case classText:
			d.max, d.fixed = min(d.max, e.max), d.fixed || e.fixed
			if charBytes(e.charset) < charBytes(d.charset) {
				d.charset = e.charset
			}
		case classBit, classVector:
			d.max = min(d.max, e.max)
		case classBinary:
			d.max, d.fixed = min(d.max, e.max), d.fixed || e.fixed
		case classEnum, classSet:
			d.members = slices.DeleteFunc(slices.Clone(d.members), func(m string) bool { return !slices.Contains(e.members, m) })
		case classDatetime, classTimestamp, classTime:
			d.fsp = min(d.fsp, e.fsp)
		}
		return ""
	}
	switch {
	case d.class == classInt && e.class == classDecimal:
		digits(e.digits)
		if e.unsigned {
			d.lo = max(d.lo, 0)
		} else {
			d.lo = max(d.lo, -int64(pow(10, min(e.digits, 17))-1))
		}
	case d.class == classInt && e.class == classFloat:
		d.hi, d.lo = min(d.hi, 1<<24), max(d.lo, -(1<<24))
		if e.digits >= 0 {
			digits(e.digits)
		}
		if e.unsigned {
			d.lo = max(d.lo, 0)
		}
	case d.class == classInt && e.class == classText:
		digits(e.max)
	case d.class == classInt && e.class == classBit:
		d.lo, d.hi = max(d.lo, 0), min(d.hi, pow(2, e.max)-1)
	case d.class == classInt && e.class == classEnum:
		return "a number becomes a member"
	case (d.class == classDecimal || d.class == classFloat) && e.class == classInt:
		n := len(strconv.FormatUint(e.hi, 10)) - 1
		if d.class == classDecimal || d.digits >= 0 {
			n = min(n, d.digits)
		}
		toInt()
		digits(n)
	case d.class == classDecimal && e.class == classFloat, d.class == classFloat && e.class == classDecimal:
		if d.digits < 0 || e.digits >= 0 && e.digits < d.digits {
			d.digits = e.digits
		}
		d.digits, d.scale = min(d.digits, 6), min(max(d.scale, 0), max(e.scale, 0))
	case (d.class == classDatetime || d.class == classDate) && e.class == classTimestamp:
		if d.class == classDatetime {
			d.class, d.fsp = classTimestamp, min(d.fsp, e.fsp)
			break
		}
		return "dates before 1970 and after 2038 are no timestamps"
	case d.class == classTimestamp && (e.class == classDatetime || e.class == classDate), d.class == classDatetime && e.class == classDate, d.class == classDate && e.class == classDatetime:
	case d.class == classText && e.class == classInt:
		n := d.max
		toInt()
		digits(n)
	case d.class == classText && e.class == classDecimal:
		d.class, d.digits, d.scale = classInt, 0, 0
		d.lo, d.hi = 0, pow(10, min(d.max, e.digits, 17))-1
	case d.class == classText && e.class == classFloat:
		d.class, d.lo, d.hi = classInt, 0, pow(10, min(d.max, 6))-1
	case d.class == classText && e.class == classEnum:
		n := d.max
		d.class, d.members = classEnum, slices.DeleteFunc(slices.Clone(e.members), func(m string) bool { return utf8.RuneCountInString(m) > n })
		if len(d.members) == 0 {
			return "no member is short enough"
		}
	case d.class == classText && slices.Contains([]class{classSet, classDate, classDatetime, classTimestamp, classTime, classJSON, classUUID, classInet4, classInet6}, e.class):
		if d.max < 60 {
			return "the text is short for it"
		}
		nullable := d.nullable
		*d = e
		d.nullable = nullable
	case d.class == classEnum && e.class == classText:
		d.members = slices.DeleteFunc(slices.Clone(d.members), func(m string) bool { return utf8.RuneCountInString(m) > e.max })
	case d.class == classText && e.class == classBinary:
		d.max = min(d.max, e.max/charBytes(d.charset))
	case d.class == classBinary && e.class == classText:
		d.class, d.max, d.charset, d.fixed = classText, min(d.max, e.max), "ascii", true
	case e.class == classText && e.max >= 60, d.class == classYear && e.class == classInt && e.hi > 2155, e.class == classBinary && e.max >= 60:
	default:
		return "the types have little in common"
	}
	return ""
}
