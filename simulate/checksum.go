package simulate

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"instep/analyzer/schema"
)

// Bounds of what is compared. A table with more rows is compared by sums, which tell that a column has changed but not in how
// many rows; so are the tables for whose values there is no room left.
const (
	maxDigestRows   = 1000
	maxDigestTables = 500
	maxDigestCells  = 1_000_000 // of all tables of a database
)

// A digest is what a table holds. Equal values have equal digests in whatever type and character set they are stored, so
// that a column can be followed through a conversion. A digest does not depend on the order of rows.
//
// Values of FLOAT and DOUBLE are compared as the server prints doubles, geometries without their SRID.
type digest struct {
	table   string
	columns []string // whose values are not worked out from others
	// id are the columns that tell rows apart; nil if there are none: rows are then compared as a bag of values.
	id    []string
	count int64
	// unread: the server does not want to read it; there is nothing but the table's name.
	unread bool
	// rows are the identity and then a value for each column, NULL where it is NULL. Of many rows there are sums instead,
	// one for each column.
	rows [][]sql.NullString
	sums []sql.NullString
}

// rowIdentity gives the columns of the primary key, or of the first unique key without NULL; nil if there is none.
func rowIdentity(t *schema.Table) []string {
	for _, kind := range []schema.KeyKind{schema.PrimaryKey, schema.UniqueKey} {
	keys:
		for _, k := range t.Keys {
			if k.Kind != kind {
				continue
			}
			var names []string
			for _, p := range k.Parts {
				c := t.Column(p.Column)
				if p.Expr != "" || c == nil || c.Nullable && kind != schema.PrimaryKey {
					continue keys
				}
				names = append(names, c.Name)
			}
			return names
		}
	}
	return nil
}

// readDigest reads what a table holds now; id are the columns that tell its rows apart. Of more than max rows it reads sums. The
// session should be one of digestSession.
func readDigest(ctx context.Context, c *session, t *schema.Table, id []string, max int64) (*digest, error) {
	d := &digest{table: t.Name, id: id}
	var values []string
	for _, col := range t.Columns {
		if col.Generated == nil {
			d.columns = append(d.columns, col.Name)
			values = append(values, digestSQL(col))
		}
	}
	ids := make([]string, 0, len(id))
	for _, name := range id {
		ids = append(ids, digestSQL(t.Column(name)))
	}
	who := "''"
	if len(ids) > 0 {
		who = "CONCAT_WS('#', " + strings.Join(ids, ", ") + ")"
	}
	counted, err := c.query(ctx, 1, "SELECT COUNT(*) FROM "+quoteName(t.Name))
	if err != nil {
		return nil, err
	}
	if d.count, err = strconv.ParseInt(counted[0][0].String, 10, 64); err != nil {
		return nil, err
	}
	if d.count <= min(max, maxDigestRows) {
		d.rows, err = c.query(ctx, 0, "SELECT "+strings.Join(append([]string{who}, values...), ", ")+" FROM "+quoteName(t.Name))
		return d, err
	}
	// A sum, because XOR over CRC32 does not see two values change places: CRC32 is linear.
	sums := []string{"0"}
	for _, v := range values {
		sums = append(sums, "SUM(CAST(CONV(LEFT(SHA2(CONCAT("+who+", '#', IFNULL("+v+", 'NULL')), 256), 12), 16, 10) AS UNSIGNED))")
	}
	rows, err := c.query(ctx, 1, "SELECT "+strings.Join(sums, ", ")+" FROM "+quoteName(t.Name))
	if err != nil {
		return nil, err
	}
	d.sums = rows[0][1:]
	return d, nil
}

// digestSession opens a session in which values are printed alike whatever the server is set to. It is the guest's: nothing of
// a stranger's may run as administrator.
func digestSession(ctx context.Context, srv *Server, database string) (*session, error) {
	c, err := srv.session(ctx, asGuest, database)
	if err != nil {
		return nil, err
	}
	if err := c.exec(ctx, "SET SESSION sql_mode='', time_zone='+00:00'"); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// digestSQL gives the expression for a column's value: 16 hexadecimal digits, NULL for NULL. It works on both flavours; SHA2
// and not MD5, which is a component of its own in MySQL since 9.6.
func digestSQL(c *schema.Column) string {
	q := quoteName(c.Name)
	text := "CAST(" + q + " AS CHAR)"
	trim := func(tail, s string) string { return "TRIM(TRAILING '" + tail + "' FROM " + s + ")" }
	switch name := c.Type.Name; name {
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set":
		text = "CONVERT(" + q + " USING utf8mb4)"
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector":
		text = q
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		text = "ST_AsBinary(" + q + ")"
	case "bit":
		text = "CAST(" + q + "+0 AS CHAR)"
	case "float", "double":
		text = "CAST(" + q + "+0e0 AS CHAR)"
	case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal":
		if c.Type.Zerofill {
			text = "CAST(" + q + "+0 AS CHAR)"
		}
		if c.Type.Scale > 0 { // 1.50 and 1.500 are equal
			text = trim(".", trim("0", text))
		}
	case "time", "datetime", "timestamp":
		if c.Type.Length > 0 {
			text = trim(".", trim("0", text))
		}
		if name != "time" { // a DATE and a DATETIME of midnight are equal
			text = trim(" 00:00:00", text)
		}
	}
	return "LEFT(SHA2(" + text + ", 256), 16)"
}

// A digestPair is a table before and after; new is nil if it is gone. byID: the same columns tell the rows of both apart.
type digestPair struct {
	old, new *digest
	byID     bool
	// column gives the new name of an old column, "" if it is gone.
	column func(string) string
	// fresh tells whether a column of the new side is one that the upgrade has made. Nil: none is.
	fresh func(string) bool
}

// values counts the digests of a column by row, only for rows that keep holds; NULL is left out unless nulls is set.
func (d *digest) values(name string, byID, nulls bool, keep map[string]bool) map[string]int {
	j := slices.Index(d.columns, name) + 1
	counts := make(map[string]int, len(d.rows))
	for _, row := range d.rows {
		id := ""
		if byID {
			if id = row[0].String; keep != nil && !keep[id] {
				continue
			}
		}
		if row[j].Valid || nulls {
			counts[id+"#"+row[j].String]++
		}
	}
	return counts
}

// ids gives the identities of a digest's rows.
func (d *digest) ids() map[string]bool {
	ids := make(map[string]bool, len(d.rows))
	for _, row := range d.rows {
		ids[row[0].String] = true
	}
	return ids
}

// bagLess counts what a has more often than b.
func bagLess(a, b map[string]int) (n int) {
	for v, count := range a {
		n += max(0, count-b[v])
	}
	return n
}

// losses are what has gone from a database, in sentences.
type losses struct {
	lost   []string // rows, columns, values
	moved  []string // columns that were dropped and whose values another column has
	unsure []string // tables that could not be compared
}

// add adds what has gone from the old side. A NULL that was filled is no loss.
func (l *losses) add(s digestPair) {
	o, n := s.old, s.new
	if o.unread || n != nil && n.unread {
		l.unsure = append(l.unsure, o.table)
		return
	}
	if n == nil {
		if o.count > 0 {
			l.lost = append(l.lost, fmt.Sprintf("%s: dropped with %s", o.table, pluralOf(o.count, "row")))
		}
		return
	}
	if o.sums != nil || n.sums != nil {
		l.addSums(s)
		return
	}
	var keep map[string]bool
	var gone int64
	if s.byID {
		keep = n.ids()
		for _, row := range o.rows {
			if !keep[row[0].String] {
				gone++
			}
		}
	} else {
		gone = max(0, o.count-n.count)
	}
	if gone > 0 {
		what := "gone"
		if s.byID && n.count > o.count-gone {
			what = "gone or have another key"
		}
		l.lost = append(l.lost, fmt.Sprintf("%s: %d of %s %s", o.table, gone, pluralOf(o.count, "row"), isOrAre(gone, what)))
	}
	for _, name := range o.columns {
		had := o.values(name, s.byID, false, keep)
		to := s.column(name)
		if to == "" || !slices.Contains(n.columns, to) {
			count := bagLess(had, nil)
			if count == 0 {
				continue
			}
			if kept := s.copyOf(had); kept != "" {
				l.moved = append(l.moved, fmt.Sprintf("%s.%s: dropped, its values are in %s.%s", o.table, name, n.table, kept))
			} else {
				l.lost = append(l.lost, fmt.Sprintf("%s.%s: dropped with %s", o.table, name, pluralOf(int64(count), "value")))
			}
			continue
		}
		has := n.values(to, s.byID, false, keep)
		changed := bagLess(had, has)
		if !s.byID { // values of rows that are gone are not told twice
			changed = max(0, changed-int(gone))
		}
		if changed > 0 {
			what := "changed"
			if len(has) == 0 {
				what = "lost"
			}
			l.lost = append(l.lost, fmt.Sprintf("%s.%s: %d of %s %s", o.table, name, changed, pluralOf(int64(bagLess(had, nil)), "value"), what))
		}
	}
}

// copyOf gives a column that the upgrade has made and that has all those values in the same rows, "" if there is none. Three
// different values are asked for, since flags are alike by chance; so are the counters of made rows in older columns.
func (s digestPair) copyOf(had map[string]int) string {
	different := map[string]bool{}
	for v := range had {
		different[v[strings.LastIndexByte(v, '#')+1:]] = true
	}
	if len(different) < 3 || !s.byID || s.fresh == nil {
		return ""
	}
	for _, name := range s.new.columns {
		if s.fresh(name) && bagLess(had, s.new.values(name, true, false, nil)) == 0 {
			return name
		}
	}
	return ""
}

// addSums is add for a table with many rows.
func (l *losses) addSums(s digestPair) {
	o, n := s.old, s.new
	if gone := o.count - n.count; gone > 0 {
		l.lost = append(l.lost, fmt.Sprintf("%s: %d of %s %s", o.table, gone, pluralOf(o.count, "row"), isOrAre(gone, "gone")))
	}
	comparable := o.count == n.count && o.sums != nil && n.sums != nil && (s.byID || o.id == nil)
	if !comparable {
		l.unsure = append(l.unsure, o.table)
	}
	for i, name := range o.columns {
		to := slices.Index(n.columns, s.column(name))
		switch {
		case to < 0:
			l.lost = append(l.lost, fmt.Sprintf("%s.%s: dropped in %s", o.table, name, pluralOf(o.count, "row")))
		case comparable && o.sums[i] != n.sums[to]:
			l.lost = append(l.lost, fmt.Sprintf("%s.%s: values changed in %s or fewer", o.table, name, pluralOf(o.count, "row")))
		}
	}
}

// odd gives how the new side differs from the old one, which should be equal. known are columns that differ in any case; "" stands
// for the number of rows and their keys.
func (s digestPair) odd(known func(column string) bool) (odd []string) {
	o, n := s.old, s.new
	if n == nil || n.unread || o.unread {
		return nil // the schemas differ, or it is told that the table is not compared
	}
	var keep map[string]bool
	if s.byID && n.sums == nil {
		keep = n.ids()
	}
	switch {
	case known(""):
	case o.count != n.count:
		odd = append(odd, fmt.Sprintf("%s has %s instead of %d", o.table, pluralOf(n.count, "row"), o.count))
	case keep != nil && o.sums == nil:
		var gone int64
		for id := range o.ids() {
			if !keep[id] {
				gone++
			}
		}
		if gone > 0 {
			odd = append(odd, fmt.Sprintf("%s has other keys in %s", o.table, pluralOf(gone, "row")))
		}
	}
	for i, name := range o.columns {
		to := slices.Index(n.columns, s.column(name))
		if known(name) || to < 0 {
			continue
		}
		switch {
		case o.sums == nil && n.sums == nil:
			had := o.values(name, s.byID, true, keep)
			if different := bagLess(had, n.values(n.columns[to], s.byID, true, keep)); different > 0 && (s.byID || o.count == n.count) {
				odd = append(odd, fmt.Sprintf("%s.%s differs in %d of %s", o.table, name, different, pluralOf(o.count, "row")))
			}
		case o.sums != nil && n.sums != nil && o.count == n.count && o.sums[i] != n.sums[to]:
			odd = append(odd, fmt.Sprintf("%s.%s differs", o.table, name))
		}
	}
	return odd
}

func pluralOf(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.FormatInt(n, 10) + " " + what + "s"
}

func isOrAre(n int64, what string) string {
	if n == 1 {
		return "is " + strings.Replace(what, "or have", "or has", 1)
	}
	return "are " + what
}
