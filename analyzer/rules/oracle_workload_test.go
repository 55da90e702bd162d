package rules

import (
	"fmt"
	"slices"
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// A workload is what a service that uses all of a schema sends: the default assumption, as statements.
type workload []transaction

// A transaction is sent as one and rolled back. One that only reads is what a read-only service sends, too; it looks at the
// rows that are there. One that writes begins with empty tables.
type transaction struct {
	table string // that it is about
	reads bool
	whole bool   // it puts a row into an empty table, or reads rows, and names all columns: no error of names can be its own
	sql   string // statements, separated by semicolons
}

// workloadOf gives the workload of code that is written for a schema: a SELECT of all columns, conditions on each; an INSERT
// of all columns, of the least that the schema wants, without each single column, and with each value that a column can hold; an
// UPDATE to each such value; pairs of rows that are alike in some columns; DELETE. Parents are written before children.
func workloadOf(s *schema.Schema) workload {
	w := &writer{s: s}
	for _, t := range s.Tables() {
		w.table = t.Name
		w.reads(t)
		w.writes(t)
	}
	for _, v := range s.Views() {
		w.table = v.Name
		w.view(v)
	}
	w.table = ""
	for _, f := range s.Routines() {
		call := "CALL " + quote(f.Name) + "()"
		if f.Function {
			call = "SELECT " + quote(f.Name) + "()"
		}
		w.add(f.Function && !word(f.Body, "insert") && !word(f.Body, "update"), call)
		w.wholly()
	}
	w.deletes()
	return w.out
}

type writer struct {
	s     *schema.Schema
	out   workload
	table string
}

func (w *writer) add(reads bool, statements ...string) {
	w.out = append(w.out, transaction{w.table, reads, false, strings.Join(statements, "; ")})
}

// wholly marks the transaction that was added last.
func (w *writer) wholly() { w.out[len(w.out)-1].whole = true }

// view uses a view as a table: it reads it and, through it, writes its only table. What the server does not let through
// fails on the code's own schema.
func (w *writer) view(v *schema.View) {
	name := quote(v.Name)
	w.add(true, "SELECT COUNT(*) FROM "+name)
	w.wholly()
	if len(v.Columns) == 0 {
		return
	}
	w.add(true, "SELECT `"+strings.Join(v.Columns, "`, `")+"` FROM "+name)
	w.wholly()
	for _, c := range v.Columns {
		w.add(true, "SELECT "+quote(c)+" FROM "+name+" WHERE "+quote(c)+" IS NOT NULL ORDER BY "+quote(c))
	}
	t := w.base(v, 0)
	if t == nil {
		return
	}
	parents, row := w.parents(t, 0), w.insert(t, 0, nil, nil)
	var names, vals []string
	for _, n := range v.Columns {
		c := t.Column(n)
		if c == nil || c.Generated != nil {
			continue
		}
		names, vals = append(names, quote(n)), append(vals, w.value(t, c, 0, 0))
		for _, x := range values(c) {
			w.add(false, slices.Concat(parents, []string{row, "UPDATE " + name + " SET " + quote(n) + " = " + x})...)
		}
		w.add(true, "SELECT COUNT(*) FROM "+name+" WHERE "+quote(n)+" = "+w.value(t, c, 0, 0))
	}
	if len(names) > 0 {
		w.add(false, slices.Concat(parents, []string{"INSERT INTO " + name + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(vals, ", ") + ")"})...)
	}
	w.add(false, slices.Concat(parents, []string{row, "DELETE FROM " + name})...)
}

// base gives the table on which a view is built, through other views; nil if there are several.
func (w *writer) base(v *schema.View, depth int) *schema.Table {
	if len(v.Tables) != 1 || depth > 4 {
		return nil
	}
	if of := w.s.View(v.Tables[0]); of != nil {
		return w.base(of, depth+1)
	}
	return w.s.Table(v.Tables[0])
}

// values gives literals that the column can hold, two ordinary ones first, then extremes, NULL last. Values that a CHECK or a
// key refuses do not matter: what fails on the code's own schema is left out of the comparison.
func values(c *schema.Column) []string {
	t := c.Type
	var v []string
	switch t.Name {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		bits := uint(8 * integers(t))
		v = []string{"1", "2", "0"}
		if t.Unsigned {
			v = append(v, fmt.Sprint(^uint64(0)>>(64-bits)))
		} else {
			v = append(v, fmt.Sprint(int64(1)<<(bits-1)-1+int64(0)), fmt.Sprint(-(int64(1)<<(bits-2))*2), "-1")
		}
	case "decimal":
		digits := strings.Repeat("9", max(t.Length-max(t.Scale, 0), 0))
		if digits == "" {
			digits = "0"
		}
		if t.Scale > 0 {
			digits += "." + strings.Repeat("9", t.Scale)
		}
		v = []string{"1", "0", digits}
		if !t.Unsigned {
			v = append(v, "-"+digits)
		}
	case "float", "double":
		v = []string{"1", "2", "0.5", "1e30"}
		if !t.Unsigned {
			v = append(v, "-3.5")
		}
	case "char", "varchar":
		v = texts(c, max(t.Length, 0))
	case "tinytext":
		v = texts(c, 255/analyzer.CharBytes(c.Charset))
	case "text":
		v = append(texts(c, 300), "REPEAT('x', 65535)")
		if c.Charset == "latin1" {
			v = append(v, "REPEAT('é', 65535)")
		}
	case "mediumtext", "longtext":
		v = append(texts(c, 300), "REPEAT('x', 70000)")
	case "binary", "varbinary":
		n := max(t.Length, 1)
		v = []string{"X'31'", "X'32'", fmt.Sprintf("REPEAT(X'ff', %d)", n), "''"}
	case "tinyblob":
		v = []string{"X'31'", "X'32'", "REPEAT(X'ff', 255)", "''"}
	case "blob":
		v = []string{"X'31'", "X'32'", "REPEAT(X'ff', 65535)", "''"}
	case "mediumblob", "longblob":
		v = []string{"X'31'", "X'32'", "REPEAT(X'ff', 70000)", "''"}
	case "enum":
		for _, m := range t.Members {
			v = append(v, quoted(m))
		}
	case "set":
		for _, m := range t.Members {
			v = append(v, quoted(m))
		}
		v = append(v, quoted(strings.Join(t.Members, ",")), "''")
	case "date":
		v = []string{"'2024-02-29'", "'2001-01-01'", "'9999-12-31'", "'1000-01-01'"}
	case "datetime":
		v = []string{"'2024-02-29 12:34:56'", "'2001-01-01 00:00:00'", "'9999-12-31 23:59:59'" /* a fraction would round up */, "'1000-01-01 00:00:00'"}
		if t.Length > 0 {
			v = append(v, "'2024-02-29 12:34:56."+strings.Repeat("9", t.Length)+"'")
		}
	case "timestamp":
		v = []string{"'2024-02-29 12:34:56'", "'2001-01-01 00:00:00'", "'2038-01-01 00:00:00'", "'1970-01-02 00:00:01'"}
	case "time":
		v = []string{"'12:34:56'", "'00:00:01'", "'838:59:59'", "'-838:59:59'"}
	case "year":
		v = []string{"2024", "2001", "1901", "2155"}
	case "bit":
		v = []string{"b'1'", "b'0'", "b'" + strings.Repeat("1", max(t.Length, 1)) + "'"}
	case "json":
		v = []string{`'{"a": 1}'`, `'[]'`, `'"text"'`, `'null'`, `'{"a": "x"}'`}
	case "point", "geometry":
		srid := ""
		if c.SRID > 0 {
			srid = fmt.Sprint(", ", c.SRID)
		}
		v = []string{"ST_GeomFromText('POINT(1 1)'" + srid + ")", "ST_GeomFromText('POINT(2 2)'" + srid + ")"}
	default:
		v = []string{"1", "2"}
	}
	if c.AutoIncrement {
		return []string{"1", "2", "3"} // a larger one would leave no numbers to give out
	}
	if c.Nullable {
		v = append(v, "NULL")
	}
	return v
}

// texts gives texts of up to n characters.
func texts(c *schema.Column, n int) []string {
	if n == 0 {
		return []string{"''"}
	}
	v := []string{"'a'", "'b'", "''", "'A'", "'7'"}
	long := "REPEAT('x', %d)"
	switch c.Charset {
	case "utf8mb4":
		v = append(v, "'😀'", fmt.Sprintf("REPEAT('😀', %d)", n), "'á'")
	case "utf8mb3", "utf8":
		v = append(v, "'ő'", fmt.Sprintf("REPEAT('ő', %d)", n), "'á'")
	case "latin1":
		v = append(v, "'á'", fmt.Sprintf("REPEAT('é', %d)", n))
	}
	if n > 1 {
		v = append(v, "'a '")
	}
	if n > 2 {
		// Two that a key over a prefix takes for alike.
		v = append(v, fmt.Sprintf("CONCAT(REPEAT('x', %d), 'y')", n-1))
	}
	return append(v, fmt.Sprintf(long, n))
}

func quoted(s string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", "''") + "'"
}

// value gives what the i-th ordinary row has in a column: of a foreign key, what the parent's row has.
func (w *writer) value(t *schema.Table, c *schema.Column, i, depth int) string {
	for _, f := range t.ForeignKeys {
		k := slices.IndexFunc(f.Columns, func(n string) bool { return strings.EqualFold(n, c.Name) })
		if k < 0 {
			continue
		}
		parent := w.s.Table(f.RefTable)
		if parent == nil || depth > 4 {
			return "NULL"
		}
		if ref := parent.Column(f.RefColumns[k]); ref != nil && (parent != t || ref != c) {
			return w.value(parent, ref, i, depth+1)
		}
	}
	v := values(c)
	return v[i%len(v)]
}

// named are the columns that an INSERT can name.
func named(t *schema.Table) []*schema.Column {
	var list []*schema.Column
	for _, c := range t.Columns {
		if c.Generated == nil {
			list = append(list, c)
		}
	}
	return list
}

// insert gives an INSERT of the i-th ordinary row, with other values for some columns; of those columns only for which keep holds.
func (w *writer) insert(t *schema.Table, i int, other map[string]string, keep func(*schema.Column) bool) string {
	var names, vals []string
	for _, c := range named(t) {
		if keep != nil && !keep(c) {
			continue
		}
		v, ok := other[c.Name]
		if !ok {
			v = w.value(t, c, i, 0)
		}
		names = append(names, quote(c.Name))
		vals = append(vals, v)
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", quote(t.Name), strings.Join(names, ", "), strings.Join(vals, ", "))
}

// parents gives the i-th ordinary rows of all tables that a row of t refers to, first the farthest.
func (w *writer) parents(t *schema.Table, i int) []string {
	var list []string
	seen := map[string]bool{t.Name: true}
	var visit func(t *schema.Table)
	visit = func(t *schema.Table) {
		for _, f := range t.ForeignKeys {
			if p := w.s.Table(f.RefTable); p != nil && !seen[p.Name] {
				seen[p.Name] = true
				visit(p)
				list = append(list, w.insert(p, i, nil, nil))
			}
		}
	}
	visit(t)
	return list
}

func (w *writer) reads(t *schema.Table) {
	var names []string
	for _, c := range t.Columns {
		names = append(names, quote(c.Name))
	}
	all := fmt.Sprintf("SELECT %s FROM %s", strings.Join(names, ", "), quote(t.Name))
	w.add(true, all)
	w.wholly()
	for _, c := range t.Columns {
		name := quote(c.Name)
		for _, v := range values(c) {
			if v == "NULL" {
				w.add(true, all+" WHERE "+name+" IS NULL")
				continue
			}
			w.add(true, all+" WHERE "+name+" = "+v)
		}
		v := values(c)
		w.add(true, all+" WHERE "+name+" IN ("+strings.Join(v, ", ")+") ORDER BY "+name)
		w.add(true, all+" WHERE "+name+" > "+v[0])
		w.add(true, "SELECT "+name+", COUNT(*) FROM "+quote(t.Name)+" GROUP BY "+name)
		switch {
		case integers(c.Type) > 0, c.Type.Name == "decimal":
			w.add(true, "SELECT "+name+" - 5 FROM "+quote(t.Name))
		case c.Charset != "":
			w.add(true, all+" WHERE "+name+" LIKE '%a%'")
		case c.Type.Name == "json":
			w.add(true, "SELECT JSON_EXTRACT("+name+", '$.a') FROM "+quote(t.Name))
		}
	}
	if k := t.PrimaryKey(); k != nil && !prefixes(k) {
		w.add(true, all+" GROUP BY `"+strings.Join(columns(k), "`, `")+"`")
	}
	for _, f := range t.ForeignKeys {
		var on []string
		for i, c := range f.Columns {
			on = append(on, "c."+quote(c)+" = p."+quote(f.RefColumns[i]))
		}
		w.add(true, fmt.Sprintf("SELECT 1 FROM %s c JOIN %s p ON %s", quote(t.Name), quote(f.RefTable), strings.Join(on, " AND ")))
	}
	for _, k := range t.Keys {
		if k.Kind == schema.FulltextKey {
			var cols []string
			for _, p := range k.Parts {
				cols = append(cols, quote(p.Column))
			}
			w.add(true, fmt.Sprintf("SELECT 1 FROM %s WHERE MATCH (%s) AGAINST ('a')", quote(t.Name), strings.Join(cols, ", ")))
		}
	}
}

// mandatory tells whether an INSERT in strict mode must name the column.
func mandatory(c *schema.Column) bool {
	return c.Default == nil && !c.AutoIncrement && !(c.Type.Name == "enum" && !c.Nullable) || c.Default != nil && c.Default.Dropped
}

func (w *writer) writes(t *schema.Table) {
	parents := w.parents(t, 0)
	both := slices.Concat(parents, w.parents(t, 1))
	send := func(seeds []string, statements ...string) { w.add(false, slices.Concat(seeds, statements)...) }
	base := w.insert(t, 0, nil, nil)
	send(parents, base)
	w.wholly()
	send(parents, w.insert(t, 0, nil, mandatory))
	send(parents, w.insert(t, 0, nil, func(c *schema.Column) bool { return !c.AutoIncrement }))
	send(both, base, w.insert(t, 1, nil, nil))
	// What is left out most is NULL or a default.
	send(both, w.insert(t, 0, nil, func(c *schema.Column) bool { return mandatory(c) || c.AutoIncrement }),
		w.insert(t, 1, nil, func(c *schema.Column) bool { return mandatory(c) || c.AutoIncrement }))
	nulls := map[string]string{}
	for _, c := range named(t) {
		if c.Nullable {
			nulls[c.Name] = "NULL"
		}
	}
	send(parents, w.insert(t, 0, nulls, nil))
	for _, c := range named(t) {
		name := quote(c.Name)
		send(parents, w.insert(t, 0, nil, func(d *schema.Column) bool { return d != c }))
		for _, v := range values(c) {
			send(parents, w.insert(t, 0, map[string]string{c.Name: v}, nil))
			send(parents, base, "UPDATE "+quote(t.Name)+" SET "+name+" = "+v)
			// A second row with that value, and a first one like it but for its case, its length or its sign.
			send(both, base, w.insert(t, 1, map[string]string{c.Name: v}, nil))
		}
		send(both, base, "UPDATE "+quote(t.Name)+" SET "+name+" = "+w.value(t, c, 1, 0))
		if integers(c.Type) > 0 {
			send(parents, base, "UPDATE "+quote(t.Name)+" SET "+name+" = "+name+" - 2")
		}
		if c.Charset != "" && c.Type.Name != "enum" && c.Type.Name != "set" {
			send(both, base, w.insert(t, 1, map[string]string{c.Name: "'A'"}, nil))
			if v := values(c); len(v) > 4 {
				send(both, w.insert(t, 0, map[string]string{c.Name: v[len(v)-1]}, nil), w.insert(t, 1, map[string]string{c.Name: v[len(v)-2]}, nil))
			}
		}
	}
	// Rows that are alike in all that is not part of some unique key, and in all but one column of it.
	for _, k := range t.Keys {
		if !unique(k) {
			continue
		}
		for _, differs := range columns(k) {
			other := map[string]string{}
			for _, c := range named(t) {
				part := slices.ContainsFunc(t.Keys, func(o *schema.Key) bool { return o != k && unique(o) && contains(columns(o), c.Name) })
				if !strings.EqualFold(c.Name, differs) && !part {
					other[c.Name] = w.value(t, c, 0, 0)
				}
			}
			send(both, base, w.insert(t, 1, other, nil))
		}
	}
	if t.PrimaryKey() == nil {
		send(parents, base, base)
	}
	send(parents, base, "INSERT INTO "+strings.TrimPrefix(base, "INSERT INTO ")+" ON DUPLICATE KEY UPDATE "+quote(t.Columns[0].Name)+" = "+quote(t.Columns[0].Name))
	send(parents, base, "REPLACE"+strings.TrimPrefix(base, "INSERT"))
	send(parents, base, "DELETE FROM "+quote(t.Name))
}

// deletes takes rows away from each table while the others have rows.
func (w *writer) deletes() {
	var all []string
	seen := map[string]bool{}
	for _, t := range w.s.Tables() {
		for _, sql := range append(w.parents(t, 0), w.insert(t, 0, nil, nil)) {
			if !seen[sql] {
				seen[sql] = true
				all = append(all, sql)
			}
		}
	}
	for _, t := range w.s.Tables() {
		w.table = t.Name
		w.add(false, slices.Concat(all, []string{"DELETE FROM " + quote(t.Name)})...)
		for _, c := range named(t) {
			v := values(c)
			w.add(false, slices.Concat(all, []string{"UPDATE " + quote(t.Name) + " SET " + quote(c.Name) + " = " + v[1%len(v)]})...)
		}
	}
}

// rowsOf gives the INSERT statements of two ordinary rows in each table.
func rowsOf(s *schema.Schema) []string {
	w := &writer{s: s}
	var list []string
	seen := map[string]bool{}
	for i := range 2 {
		for _, t := range s.Tables() {
			for _, sql := range append(w.parents(t, i), w.insert(t, i, nil, nil)) {
				if !seen[sql] {
					seen[sql] = true
					list = append(list, sql)
				}
			}
		}
	}
	return list
}
