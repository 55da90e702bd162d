package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// A Workload is what one version of a service's code sends, and where that is known from.
type Workload struct {
	Service      string
	Code         analyzer.Breaks // OldCode or NewCode
	Source       string          // "implied by the schema at v3.110", "queries.sql"
	Transactions []Transaction
	// Unread is what a source could not use, each with file:line and reason.
	Unread []string

	implied bool
	named   map[string]bool // tables, and columns as table.column, that the transactions name
}

// A Transaction is statements that are sent between BEGIN and ROLLBACK. It stands alone: what it needs and is not present, it
// writes first.
type Transaction struct {
	Table      string // that it is about
	Use        analyzer.Use
	Statements []string
	Source     string // file:line of a recorded one, "" of one that was made
	Reads      bool   // it only reads: what a read-only service sends
	Select     int    // the index of the statement whose rows are compared; -1 for none

	role role
	far  bool // its table has nothing to do with what changes
}

// A role is what a transaction does where old and new code overlap. Transactions with a role are about the first sampled row of
// their table.
type role uint8

const (
	noRole role = iota
	inserts
	updates
	meets // it reads, updates or deletes a row that others may have written, or that others may refer to
)

// A Subject is the code that a workload is wanted of.
type Subject struct {
	Service analyzer.Service
	Code    analyzer.Breaks // OldCode or NewCode
	Rev     string          // its ref
	Schema  *schema.Schema  // that it is written for
	Sample  Sample          // rows of Schema
	Queries []Queries
	// Other is the schema of the other ref, nil if it is not known. Its foreign keys tell which rows code may delete that others
	// still name.
	Other *schema.Schema
	// Near are the tables that deserve more statements, because they change or are tied to some that do; nil means all.
	Near map[string]bool
}

// A Source makes workloads. It is one value, listed in Sources.
type Source struct {
	Name string
	// Make gives the workload, and false if the source knows nothing about that code.
	Make func(Subject) (Workload, bool)
}

// Sources are where workloads come from; the first that knows something about a version of a service's code is taken.
var Sources = []Source{
	recordedQueries,
	impliedBySchema,
}

// workloadOf asks the sources.
func workloadOf(of Subject) Workload {
	for _, s := range Sources {
		if w, ok := s.Make(of); ok {
			w.Service, w.Code = of.Service.Name, of.Code
			return w
		}
	}
	return Workload{Service: of.Service.Name, Code: of.Code}
}

// summary gives what a report says about the workload, without what running it has shown.
func (w *Workload) summary(s *schema.Schema) analyzer.SimulatedWorkload {
	sum := analyzer.SimulatedWorkload{Service: w.Service, Code: w.Code, Source: w.Source, Transactions: len(w.Transactions), Unread: w.Unread}
	for _, t := range s.Tables() {
		sum.TablesOf++
		if w.named[t.Name] {
			sum.Tables++
		}
		for _, c := range t.Columns {
			sum.ColumnsOf++
			if w.named[t.Name+"."+c.Name] {
				sum.Columns++
			}
		}
	}
	for _, t := range w.Transactions {
		sum.Uses |= t.Use
	}
	return sum
}

// impliedBySchema is the default assumption as statements: code at a ref uses all of the schema of that ref, which is what an
// ORM does.
var impliedBySchema = Source{
	Name: "implied by the schema",
	Make: func(of Subject) (Workload, bool) {
		if of.Service.Access == analyzer.NoAccess || of.Schema == nil {
			return Workload{}, false
		}
		w := &implied{Subject: of, named: map[string]bool{}}
		for _, t := range of.Schema.Tables() {
			w.table(t)
		}
		for _, v := range of.Schema.Views() {
			w.view(v)
		}
		source := "implied by the schema"
		if of.Rev != "" {
			source += " at " + of.Rev
		}
		return Workload{Source: source, Transactions: w.out, named: w.named, Unread: w.left, implied: true}, true
	},
}

// The bounds of an implied workload, in transactions. The most telling ones come first.
const (
	maxNear     = 150 // of a table that changes or is tied to one that does
	maxFar      = 30  // of another
	maxWorkload = 8000
)

// implied makes an implied workload.
type implied struct {
	Subject
	out   []Transaction
	named map[string]bool
	left  []string // what bounds left out, in words

	now      *schema.Table
	far      bool
	room     int // transactions left for the table
	serial   uint64
	literals map[*schema.Column][]string // edge literals, which are costly to make
}

// add adds a transaction if the service may send it and there is room.
func (w *implied) add(use analyzer.Use, r role, selects int, statements ...string) {
	if w.Service.Access.Allows(use) != use || w.room <= 0 || len(w.out) >= maxWorkload {
		return
	}
	w.room--
	name := ""
	if w.now != nil {
		name = w.now.Name
		w.named[name] = true
	}
	w.out = append(w.out, Transaction{Table: name, Use: use, Statements: statements, Reads: use&^analyzer.Read == 0, Select: selects, role: r, far: w.far})
}

func (w *implied) table(t *schema.Table) {
	near := w.Near == nil || w.Near[t.Name]
	w.now, w.far, w.room = t, !near, maxFar
	if near {
		w.room = maxNear
	}
	if len(w.out) >= maxWorkload {
		w.left = append(w.left, fmt.Sprintf("%s: no statements were made for it, because %d for other tables are enough", t.Name, maxWorkload))
		return
	}
	// Reads take at most a third, so that wide tables have writes, too.
	room := w.room
	w.room = room / 3
	w.reads(t)
	w.room += room - room/3
	w.writes(t, near)
	for _, c := range t.Columns {
		w.named[t.Name+"."+c.Name] = true // the first SELECT names them all
	}
}

// An entity is a row as code holds it: a literal for each column.
type entity map[string]string

// freshFrom numbers new values from where no generated row is.
const freshFrom = 1_900_000_000

func (w *implied) next() uint64 {
	w.serial++
	return freshFrom + w.serial
}

// settable are the columns that a statement can set.
func settable(t *schema.Table) []*schema.Column {
	var list []*schema.Column
	for _, c := range t.Columns {
		if c.Generated == nil {
			list = append(list, c)
		}
	}
	return list
}

// edges gives the edge literals of a column.
func (w *implied) edges(c *schema.Column) []string {
	v, ok := w.literals[c]
	if !ok {
		v = edgeLiterals(c)
		// Lengths at which the types of texts differ; rows are made without them, for they would fill the server.
		switch c.Type.Name {
		case "text":
			v = slices.Insert(v, len(v)-1, fmt.Sprintf("REPEAT('x', %d)", 65535))
		case "mediumtext", "longtext":
			v = slices.Insert(v, len(v)-1, fmt.Sprintf("REPEAT('x', %d)", 70000))
		case "blob":
			v = slices.Insert(v, len(v)-1, fmt.Sprintf("REPEAT(X'ff', %d)", 65535))
		case "mediumblob", "longblob":
			v = slices.Insert(v, len(v)-1, fmt.Sprintf("REPEAT(X'ff', %d)", 70000))
		}
		if w.literals == nil {
			w.literals = map[*schema.Column][]string{}
		}
		w.literals[c] = v
	}
	return v
}

// ordinary gives the i-th ordinary value of a column.
func (w *implied) ordinary(c *schema.Column, i int) string {
	v := w.edges(c)
	if len(v) == 0 {
		return "1"
	}
	return v[min(i%2, len(v)-1)]
}

// present gives the i-th row of a table, and the statements that put it there, its parents first, if it is not.
func (w *implied) present(t *schema.Table, i, depth int) (pre []string, row entity) {
	if rows := w.Sample.rows[t.Name]; i < len(rows) {
		row = entity{}
		for _, c := range t.Columns {
			v, ok := rows[i][c.Name]
			if !ok {
				v = w.ordinary(c, i)
			}
			row[c.Name] = v
		}
		return nil, row
	}
	if len(w.Sample.rows[t.Name]) > 0 {
		i = 0 // there are fewer than asked for
		return w.present(t, 0, depth)
	}
	row = entity{}
	for _, c := range settable(t) {
		row[c.Name] = w.ordinary(c, i)
		for _, k := range t.Keys {
			if isUnique(k) && hasName(keyColumns(k), c.Name) {
				row[c.Name] = distinctLiteral(c, uint64(i)+1)
			}
		}
	}
	pre = w.parents(t, row, i, depth)
	return append(pre, w.insert(t, row, nil)), row
}

// parents sets the columns of foreign keys to what the i-th rows of the parents have, and gives the statements that put those there.
func (w *implied) parents(t *schema.Table, row entity, i, depth int) []string {
	var pre []string
	for _, f := range t.ForeignKeys {
		p := w.Schema.Table(f.RefTable)
		if p == t || p == nil || depth > 4 {
			for k, name := range f.Columns {
				c := t.Column(name)
				switch {
				case c == nil:
				case c.Nullable:
					row[c.Name] = "NULL"
				case p == t && k < len(f.RefColumns): // it is its own parent
					if ref := t.Column(f.RefColumns[k]); ref != nil {
						row[c.Name] = row[ref.Name]
					}
				}
			}
			continue
		}
		more, parent := w.present(p, i, depth+1)
		for _, st := range more {
			if !slices.Contains(pre, st) {
				pre = append(pre, st)
			}
		}
		refer(t, p, f, row, parent)
	}
	return pre
}

// refer sets the columns of a foreign key to a parent's.
func refer(t, p *schema.Table, f *schema.ForeignKey, row, parent entity) {
	for k, name := range f.Columns {
		if k >= len(f.RefColumns) {
			return
		}
		c, ref := t.Column(name), p.Column(f.RefColumns[k])
		if c != nil && ref != nil && parent[ref.Name] != "" {
			row[c.Name] = parent[ref.Name]
		}
	}
}

// alike gives a row that is not there and is like another in all but its own unique keys, and the statements that it needs. but
// names a column that must be the one that differs in its keys; "" lets alike choose.
func (w *implied) alike(t *schema.Table, like entity, but string, depth int) (pre []string, row entity) {
	row = entity{}
	for name, v := range like {
		row[name] = v
	}
	changed := map[string]bool{}
	for _, k := range t.Keys {
		if !isUnique(k) {
			continue
		}
		names := keyColumns(k)
		done, self := false, false
		var best *schema.Column
		for _, name := range names {
			c := t.Column(name)
			if c == nil || c.Generated != nil {
				continue
			}
			done = done || changed[c.Name] || row[c.Name] == "NULL" && k.Kind == schema.UniqueKey
			self = self || c.AutoIncrement
			switch {
			case strings.EqualFold(c.Name, but):
				best = c
			case best != nil && strings.EqualFold(best.Name, but), isParentColumn(t, c.Name):
			case best == nil || keySpread(c) > keySpread(best):
				best = c
			}
		}
		switch {
		case done || self && but == "":
			// The server gives the number; it is left out of INSERTs.
		case best != nil:
			row[best.Name] = distinctLiteral(best, w.next())
			changed[best.Name] = true
		case depth < 3:
			// Only columns of foreign keys: another parent is needed.
			for _, f := range t.ForeignKeys {
				p := w.Schema.Table(f.RefTable)
				if p == nil || p == t || len(f.Columns) == 0 || !hasName(names, f.Columns[0]) {
					continue
				}
				more, base := w.present(p, 0, depth+1)
				needs, parent := w.alike(p, base, "", depth+1)
				if k := p.PrimaryKey(); k != nil {
					for _, name := range keyColumns(k) {
						if c := p.Column(name); c != nil && c.AutoIncrement {
							parent[c.Name] = distinctLiteral(c, w.next())
						}
					}
				}
				pre = slices.Concat(pre, more, needs, []string{w.insert(p, parent, nil)})
				refer(t, p, f, row, parent)
				for _, name := range f.Columns {
					changed[name] = true
				}
				break
			}
		}
	}
	return pre, row
}

// keySpread tells how many values a column has, roughly.
func keySpread(c *schema.Column) int {
	switch c.Type.Name {
	case "enum", "set":
		return 1
	case "tinyint", "year", "bit":
		return 2
	case "char", "varchar", "binary", "varbinary":
		return 2 + min(c.Type.Length, 60)
	case "smallint", "date", "time", "float":
		return 30
	case "decimal":
		return 10
	}
	return 50
}

func isParentColumn(t *schema.Table, name string) bool {
	for _, f := range t.ForeignKeys {
		if hasName(f.Columns, name) {
			return true
		}
	}
	return false
}

// insert gives an INSERT of a row, of those columns only for which keep holds.
func (w *implied) insert(t *schema.Table, row entity, keep func(*schema.Column) bool) string {
	var names, vals []string
	for _, c := range settable(t) {
		if keep != nil && !keep(c) {
			continue
		}
		names = append(names, quoteName(c.Name))
		vals = append(vals, cmp.Or(row[c.Name], w.ordinary(c, 0)))
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", quoteName(t.Name), strings.Join(names, ", "), strings.Join(vals, ", "))
}

// rowAt gives the condition that finds a row.
func rowAt(t *schema.Table, row entity) string {
	key := plainKey(t)
	limit := ""
	if key == nil {
		limit = " LIMIT 1"
		for _, c := range settable(t) {
			switch c.Type.Name {
			case "tinyint", "smallint", "mediumint", "int", "bigint", "char", "varchar", "date", "datetime", "timestamp", "enum":
				if len(key) < 4 {
					key = append(key, c.Name)
				}
			}
		}
	}
	var conds []string
	for _, name := range key {
		c := t.Column(name)
		if v := row[c.Name]; v == "NULL" {
			conds = append(conds, quoteName(c.Name)+" IS NULL")
		} else if v != "" {
			conds = append(conds, quoteName(c.Name)+" = "+v)
		}
	}
	if len(conds) == 0 {
		return " LIMIT 1"
	}
	return " WHERE " + strings.Join(conds, " AND ") + limit
}

// among gives a condition for the sampled rows, so that what is asked about them need not read the whole table.
func (w *implied) among(t *schema.Table, rows []entity) string {
	key := plainKey(t)
	if len(key) == 0 {
		return ""
	}
	var vals []string
	c := t.Column(key[0])
	for _, r := range rows {
		if v := r[c.Name]; v != "" && v != "NULL" && !slices.Contains(vals, v) {
			vals = append(vals, v)
		}
	}
	if len(vals) == 0 {
		return ""
	}
	return quoteName(c.Name) + " IN (" + strings.Join(vals, ", ") + ")"
}

func (w *implied) reads(t *schema.Table) {
	var names []string
	for _, c := range t.Columns {
		names = append(names, quoteName(c.Name))
	}
	all := "SELECT " + strings.Join(names, ", ") + " FROM " + quoteName(t.Name)
	var rows []entity
	for i := range min(max(len(w.Sample.rows[t.Name]), 1), 3) {
		_, row := w.present(t, i, 0)
		rows = append(rows, row)
	}
	read := func(r role, selects int, text string) { w.add(analyzer.Read, r, selects, text) }
	order, compared := "", -1
	if key := plainKey(t); key != nil {
		order, compared = " ORDER BY "+strings.Join(quoteNames(key), ", "), 0
	}
	// Without a key it is not known which row comes first.
	read(meets, compared, all+rowAt(t, rows[0]))
	if len(rows) > 1 {
		read(noRole, compared, all+rowAt(t, rows[1]))
	}
	read(noRole, compared, all+order+" LIMIT 20")
	where := w.among(t, rows)
	and := " WHERE "
	if where != "" {
		and = " WHERE " + where + " AND "
	}
	for _, f := range t.ForeignKeys {
		var on []string
		for i, c := range f.Columns {
			if i < len(f.RefColumns) {
				on = append(on, "c."+quoteName(c)+" = p."+quoteName(f.RefColumns[i]))
			}
		}
		if w.Schema.Table(f.RefTable) != nil && len(on) > 0 {
			read(noRole, -1, fmt.Sprintf("SELECT p.%s FROM %s c JOIN %s p ON %s LIMIT 20", quoteName(f.RefColumns[0]), quoteName(t.Name), quoteName(f.RefTable), strings.Join(on, " AND ")))
		}
	}
	for _, k := range t.Keys {
		if k.Kind == schema.FulltextKey {
			read(noRole, -1, fmt.Sprintf("SELECT 1 FROM %s WHERE MATCH (%s) AGAINST ('a') LIMIT 20", quoteName(t.Name), strings.Join(quoteNames(keyColumns(k)), ", ")))
		}
	}
	for _, c := range t.Columns {
		name := quoteName(c.Name)
		v := cmp.Or(rows[0][c.Name], w.ordinary(c, 0))
		cond := name + " = " + v
		if v == "NULL" {
			cond = name + " IS NULL"
		}
		limit := ""
		if where == "" {
			limit = " LIMIT 20"
		}
		read(noRole, compared, all+and+cond+order+limit)
	}
	if where == "" {
		return // each of the following would read the whole table
	}
	for _, c := range t.Columns {
		name := quoteName(c.Name)
		v := cmp.Or(rows[0][c.Name], w.ordinary(c, 0))
		if v != "NULL" {
			read(noRole, compared, all+and+name+" >= "+v+" ORDER BY "+name+strings.Replace(order, " ORDER BY ", ", ", 1))
		}
		read(noRole, 0, "SELECT "+name+", COUNT(*) FROM "+quoteName(t.Name)+" WHERE "+where+" GROUP BY "+name)
		switch {
		case isInteger(c.Type), c.Type.Name == "decimal":
			read(noRole, compared, "SELECT "+name+" - 5 FROM "+quoteName(t.Name)+" WHERE "+where+order)
		case c.Type.Name == "json":
			read(noRole, compared, "SELECT JSON_EXTRACT("+name+", '$.a') FROM "+quoteName(t.Name)+" WHERE "+where+order)
		case c.Charset != "":
			read(noRole, compared, all+and+name+" LIKE '%a%'"+order)
		}
	}
}

func isInteger(t schema.Type) bool {
	switch t.Name {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		return true
	}
	return false
}

// compulsory tells whether an INSERT in strict mode must name the column (manual: Data Type Default Values). A NOT NULL ENUM without
// a default takes its first member.
func compulsory(c *schema.Column) bool {
	return c.Default == nil && !c.AutoIncrement && !(c.Type.Name == "enum" && !c.Nullable) || c.Default != nil && c.Default.Dropped
}

func (w *implied) writes(t *schema.Table, near bool) {
	columns := settable(t)
	if len(columns) == 0 {
		return
	}
	name := quoteName(t.Name)
	pre, base := w.present(t, 0, 0)
	_, second := w.present(t, 1, 0)
	send := func(use analyzer.Use, r role, needs []string, statements ...string) {
		w.add(use, r, -1, slices.Concat(needs, statements)...)
	}
	given := func(c *schema.Column) bool { return !c.AutoIncrement }
	// A row like one that is there, so that a new unique key shows.
	needs, row := w.alike(t, base, "", 0)
	send(analyzer.Insert, inserts, slices.Concat(pre, needs), w.insert(t, row, given))
	send(analyzer.Insert|analyzer.Omit, noRole, slices.Concat(pre, needs), w.insert(t, row, compulsory))
	// Two new rows that are alike and hold a value wherever they can: NULL does not collide in a unique key.
	full := entity{}
	for _, c := range columns {
		full[c.Name] = row[c.Name]
		if full[c.Name] == "NULL" && !isParentColumn(t, c.Name) {
			full[c.Name] = w.ordinary(c, 0)
		}
	}
	more, twin := w.alike(t, full, "", 0)
	also, full := w.alike(t, full, "", 0)
	send(analyzer.Insert, noRole, slices.Concat(pre, needs, more, also), w.insert(t, full, given), w.insert(t, twin, given))
	if near {
		send(analyzer.Insert|analyzer.Omit, noRole, slices.Concat(pre, needs, more, also), w.insert(t, full, compulsory), w.insert(t, twin, compulsory))
	}
	kids := w.children(t, rowAt(t, base), 0, map[string]bool{})
	del := "DELETE FROM " + name + rowAt(t, base)
	send(analyzer.Delete, meets, pre, del)
	if len(kids) > 0 {
		send(analyzer.Delete, meets, pre, append(slices.Clone(kids), del)...)
	}
	w.orphans(t, base, pre, del)
	// The row that is there, put in again with all columns.
	send(analyzer.Insert|analyzer.Delete, noRole, pre, append(slices.Clone(kids), del, w.insert(t, base, nil))...)

	var sets []string
	for _, c := range columns {
		if !inSomeKey(t, c.Name) {
			v := cmp.Or(second[c.Name], w.ordinary(c, 1))
			if v == base[c.Name] {
				v = w.ordinary(c, 1)
			}
			sets = append(sets, quoteName(c.Name)+" = "+v)
		}
	}
	if len(sets) > 0 {
		send(analyzer.Update, updates, pre, "UPDATE "+name+" SET "+strings.Join(sets, ", ")+rowAt(t, base))
	}
	// As it was read, it is written back.
	sets = sets[:0]
	for _, c := range columns {
		sets = append(sets, quoteName(c.Name)+" = "+cmp.Or(base[c.Name], w.ordinary(c, 0)))
	}
	send(analyzer.Update, meets, pre, "UPDATE "+name+" SET "+strings.Join(sets, ", ")+rowAt(t, base))
	for _, c := range columns {
		v := cmp.Or(second[c.Name], w.ordinary(c, 1))
		send(analyzer.Update, noRole, pre, "UPDATE "+name+" SET "+quoteName(c.Name)+" = "+v+rowAt(t, base))
	}
	for _, c := range columns {
		if !compulsory(c) && !c.AutoIncrement && w.room > 0 {
			send(analyzer.Insert|analyzer.Omit, noRole, slices.Concat(pre, needs), w.insert(t, row, func(d *schema.Column) bool { return d != c && given(d) }))
		}
	}
	// Rows that differ from one that is there in a single column of a key.
	for _, k := range t.Keys {
		if names := keyColumns(k); isUnique(k) && len(names) > 1 {
			for _, but := range names {
				more, other := w.alike(t, base, but, 0)
				send(analyzer.Insert, noRole, slices.Concat(pre, more), w.insert(t, other, func(c *schema.Column) bool { return given(c) || hasName(names, c.Name) }))
			}
		}
	}
	if near {
		send(analyzer.Insert|analyzer.Update, noRole, pre, w.insert(t, base, nil)+" ON DUPLICATE KEY UPDATE "+quoteName(columns[0].Name)+" = "+quoteName(columns[0].Name))
		send(analyzer.Insert|analyzer.Delete, noRole, pre, "REPLACE"+strings.TrimPrefix(w.insert(t, base, nil), "INSERT"))
		w.pairs(t, row, slices.Concat(pre, needs), send)
		if plainKey(t) == nil {
			send(analyzer.Insert, noRole, pre, w.insert(t, base, nil), w.insert(t, base, nil))
		}
	}
	// Every edge value, first one of each column, so that a bound cuts all columns alike.
	edges := make([][]string, len(columns))
	most := 0
	for i, c := range columns {
		if !c.AutoIncrement { // a large one would leave no numbers to give out
			edges[i] = w.edges(c)
			most = max(most, len(edges[i]))
		}
	}
	for n := most - 1; n >= 0; n-- { // the extremes are behind the ordinary ones
		for i, c := range columns {
			if n >= len(edges[i]) || w.room <= 0 {
				continue
			}
			send(analyzer.Update, noRole, pre, "UPDATE "+name+" SET "+quoteName(c.Name)+" = "+edges[i][n]+rowAt(t, base))
		}
	}
	if !near {
		return
	}
	for n := most - 1; n >= 0; n-- {
		for i, c := range columns {
			if n >= len(edges[i]) || w.room <= 0 {
				continue
			}
			other := entity{}
			for name, v := range row {
				other[name] = v
			}
			other[c.Name] = edges[i][n]
			send(analyzer.Insert, noRole, slices.Concat(pre, needs), w.insert(t, other, given))
		}
	}
	for _, c := range columns {
		if isInteger(c.Type) && !inSomeKey(t, c.Name) {
			send(analyzer.Update, noRole, pre, "UPDATE "+name+" SET "+quoteName(c.Name)+" = "+quoteName(c.Name)+" - 2"+rowAt(t, base))
		}
	}
}

// orphans deletes a row that another one still names by columns that are a foreign key at the other ref only: code that knows no
// such key need not care.
func (w *implied) orphans(t *schema.Table, base entity, pre []string, del string) {
	if w.Other == nil {
		return
	}
	for _, other := range w.Other.Tables() {
		child := w.Schema.Table(other.Name)
		if child == nil || child == t {
			continue
		}
		for _, f := range other.ForeignKeys {
			known := slices.ContainsFunc(child.ForeignKeys, func(g *schema.ForeignKey) bool { return slices.EqualFunc(f.Columns, g.Columns, strings.EqualFold) })
			if known || f.RefTable != t.Name || slices.ContainsFunc(f.Columns, func(name string) bool { return child.Column(name) == nil }) {
				continue
			}
			more, like := w.present(child, 0, 0)
			needs, kid := w.alike(child, like, "", 0)
			refer(child, t, f, kid, base)
			w.add(analyzer.Insert|analyzer.Delete, noRole, -1, slices.Concat(pre, more, needs, []string{w.insert(child, kid, func(c *schema.Column) bool { return !c.AutoIncrement }), del})...)
		}
	}
}

// pairs makes pairs of rows that differ in a unique column as values that only some type, length or collation tells apart do.
func (w *implied) pairs(t *schema.Table, row entity, needs []string, send func(analyzer.Use, role, []string, ...string)) {
	for _, k := range t.Keys {
		if !isUnique(k) {
			continue
		}
		for _, name := range keyColumns(k) {
			c := t.Column(name)
			if c == nil || c.Generated != nil || c.AutoIncrement || isParentColumn(t, name) || isInteger(c.Type) || w.room <= 40 {
				continue
			}
			edges := slices.DeleteFunc(slices.Clone(w.edges(c)), func(v string) bool { return v == "NULL" })
			for n := 1; n < min(len(edges), 12); n++ {
				for _, m := range slices.Compact([]int{0, n - 1}) {
					one := entity{}
					for name, v := range row {
						one[name] = v
					}
					more, other := w.alike(t, one, "", 0)
					one[c.Name], other[c.Name] = edges[m], edges[n]
					send(analyzer.Insert, noRole, slices.Concat(needs, more), w.insert(t, one, nil), w.insert(t, other, nil))
				}
			}
		}
	}
}

// children gives the statements that delete what keeps a row of t from being deleted, the farthest first; where is the condition
// that finds the row. Cycles are left as they are.
func (w *implied) children(t *schema.Table, where string, depth int, seen map[string]bool) []string {
	if depth > 3 || seen[t.Name] || strings.Contains(where, " LIMIT ") {
		return nil
	}
	seen[t.Name] = true
	defer delete(seen, t.Name)
	var list []string
	for _, c := range w.Schema.Tables() {
		for _, f := range c.ForeignKeys {
			if f.RefTable != t.Name || seen[c.Name] || f.OnDelete == "CASCADE" || f.OnDelete == "SET NULL" || len(list) > 20 {
				continue
			}
			// The derived table is there because MySQL does not let a statement read what it deletes from (1093).
			cond := fmt.Sprintf(" WHERE (%s) IN (SELECT * FROM (SELECT %s FROM %s%s) x)",
				strings.Join(quoteNames(f.Columns), ", "), strings.Join(quoteNames(f.RefColumns), ", "), quoteName(t.Name), where)
			for _, st := range append(w.children(c, cond, depth+1, seen), "DELETE FROM "+quoteName(c.Name)+cond) {
				if !slices.Contains(list, st) {
					list = append(list, st)
				}
			}
		}
	}
	return list
}

// view makes statements about a view. Which rows it shows depends on more than the sample, so they are not compared; whether it
// can be written through is decided by the server alone, and what it refuses on the code's own schema does not count.
func (w *implied) view(v *schema.View) {
	w.now, w.far, w.room = nil, false, 20
	list := func(use analyzer.Use, text string) {
		w.add(use, noRole, -1, text)
		if n := len(w.out); n > 0 && w.out[n-1].Statements[0] == text {
			w.out[n-1].Table = v.Name
		}
	}
	name := quoteName(v.Name)
	if len(v.Columns) == 0 {
		list(analyzer.Read, "SELECT 1 FROM "+name+" LIMIT 1")
		return
	}
	list(analyzer.Read, "SELECT "+strings.Join(quoteNames(v.Columns), ", ")+" FROM "+name+" LIMIT 20")
	for _, c := range v.Columns {
		if w.room > 6 {
			list(analyzer.Read, "SELECT 1 FROM "+name+" WHERE "+quoteName(c)+" IS NOT NULL LIMIT 1")
		}
	}
	first := quoteName(v.Columns[0])
	list(analyzer.Update, "UPDATE "+name+" SET "+first+" = "+first+" WHERE 1 = 0")
	list(analyzer.Delete, "DELETE FROM "+name+" WHERE 1 = 0")
	if len(v.Tables) == 1 {
		if t := w.Schema.Table(v.Tables[0]); t != nil {
			pre, base := w.present(t, 0, 0)
			needs, row := w.alike(t, base, "", 0)
			var names, vals []string
			for _, c := range settable(t) {
				if hasName(v.Columns, c.Name) && !c.AutoIncrement {
					names, vals = append(names, quoteName(c.Name)), append(vals, cmp.Or(row[c.Name], w.ordinary(c, 0)))
				}
			}
			insert := func() {
				if len(names) > 0 && w.room > 0 {
					before := len(w.out)
					w.add(analyzer.Insert, noRole, -1, slices.Concat(pre, needs, []string{fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", name, strings.Join(names, ", "), strings.Join(vals, ", "))})...)
					for i := range w.out[before:] {
						w.out[before+i].Table = v.Name
					}
				}
			}
			insert()
			w.room += 20
			for n := 0; n < 8; n++ { // what a CHECK OPTION may refuse
				for i, q := range names {
					c := t.Column(strings.Trim(q, "`"))
					if c == nil {
						continue
					}
					edges := w.edges(c)
					if n >= len(edges) {
						continue
					}
					was := vals[i]
					vals[i] = edges[len(edges)-1-n]
					insert()
					vals[i] = was
				}
			}
		}
	}
}
