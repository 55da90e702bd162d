package schema

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Diff gives the changes that lead from old to new. They are sorted by table, kind of object (the table itself, columns, keys,
// foreign keys, checks), name, and kind of change (drop, rename, recreate, add, then the others by name); options of a
// table by the option's name. What belongs to no table comes first: the database, sequences, routines, views, events.
// Diff(s, s) is empty.
//
// Tables and columns are matched by origin where both sides know theirs: the same origin under another name is a rename, the same
// name with another origin was dropped and created again. Without origins they are matched by name. Keys, foreign keys
// and checks are matched by name, and those left over by definition, which is a rename. Names in the definitions
// of keys and constraints follow the renames of tables and columns: they are no changes of their own.
//
// These are no changes, because no code and no row can tell the difference:
//   - display widths of integers where the server does not show them (MySQL 8.0.19 and newer), but for tinyint(1) and ZEROFILL
//   - NO ACTION, RESTRICT and no action of a foreign key; its index, if only who asked for it differs
//   - the order of keys and constraints; USING BTREE
//   - AUTO_INCREMENT=n, and options that spell out InnoDB's defaults
//   - an explicit DEFAULT NULL, and the DEFAULT NULL that comes and goes with NULL: that is the nullability
//   - letter case, parentheses around the whole and charset introducers of expressions
//
// A column's character set is compared only between types of characters: a change from varchar to int is one of type. The order of
// columns is a change only if columns that both tables have changed places; AddColumn says for itself whether it was
// added before others.
//
// The statement of a change is that which last touched the object, which of several it is in doubt; of what is gone, that which
// dropped it. It is nil where the schemas do not know: of what stands in a database without a history.
func Diff(old, new *Schema) []Change {
	d := differ{old: old, new: new, origins: true}
	return d.run()
}

// DiffNames is Diff without origins: tables and columns are matched by name alone. It compares schemas with different
// histories: a re-based history, models, a live server.
func DiffNames(old, new *Schema) []Change {
	d := differ{old: old, new: new}
	return d.run()
}

// A differ compares two schemas.
type differ struct {
	old, new *Schema
	origins  bool
	tables   []tablePair
	renamed  map[string]string            // old table name to new, where they differ
	gone     map[string]bool              // old tables that are dropped
	columns  map[string]map[string]string // by old table name: old column name in lower case to the new one, where they differ
	changes  []Change
}

// A tablePair is a table before and after. recreated: it is another table under the same name.
type tablePair struct {
	old, new  *Table
	recreated bool
	columns   []columnPair // that both have, in the new order
}

type columnPair struct {
	old, new  *Column
	recreated bool
}

func (d *differ) run() []Change {
	if d.old == d.new {
		return nil
	}
	d.database()
	d.matchTables()
	for i := range d.tables {
		d.matchColumns(&d.tables[i])
	}
	for i := range d.tables {
		d.table(&d.tables[i])
	}
	d.beside()
	sortChanges(d.changes)
	return d.changes
}

// sortChanges puts changes into their order. The sort is stable: what is equal in it stays in the order of definition.
func sortChanges(changes []Change) {
	slices.SortStableFunc(changes, func(a, b Change) int {
		x, y := a.Object(), b.Object()
		return cmp.Or(strings.Compare(x.Table, y.Table), kindRank(x.Kind)-kindRank(y.Kind), strings.Compare(x.Name, y.Name),
			changeRank(a)-changeRank(b), strings.Compare(a.Kind(), b.Kind()), strings.Compare(optionName(a), optionName(b)))
	})
}

// kindRank orders kinds of objects: a table before its columns, those before keys and constraints, and the database before all.
func kindRank(k ObjectKind) int {
	return slices.Index([]ObjectKind{KindDatabase, KindTable, KindColumn, KindKey, KindForeignKey, KindCheck, KindPartition, KindSequence, KindRoutine, KindView, KindTrigger, KindEvent}, k)
}

// changeRank orders the changes of one object: a drop, a rename or a new creation before the differences in shape that follow it.
func changeRank(c Change) int {
	for i, verb := range []string{"drop-", "rename-", "recreate-", "add-"} {
		if strings.HasPrefix(c.Kind(), verb) {
			return i
		}
	}
	return 4
}

func optionName(c Change) string {
	if o, ok := c.(*TableOption); ok {
		return o.Name
	}
	return ""
}

func (d *differ) add(c Change) { d.changes = append(d.changes, c) }

// dropped gives the statement that dropped one of the objects, the first that is known to be dropped.
func (d *differ) dropped(objects ...Object) By {
	for _, o := range objects {
		if st := d.new.Dropped(o); st != nil {
			return By{st}
		}
	}
	return By{}
}

// cause gives the statement that last touched the new object, unless that is as old as the old object: then it was
// changed along with its table.
func cause(old, new *Statement, t *Table) By {
	if new == nil || old != nil && (old == new || old.SQL == new.SQL && old.Migration == new.Migration) {
		return By{t.Last}
	}
	return By{new}
}

// or gives b, or the statement if b has none.
func (b By) or(st *Statement) By {
	if b.By == nil {
		return By{st}
	}
	return b
}

func (d *differ) database() {
	o, n := d.old, d.new
	if o.Charset() == n.Charset() && o.Collation() == n.Collation() {
		return
	}
	d.add(&ChangeDatabase{d.dropped(Object{Kind: KindDatabase}), o.Charset(), n.Charset(), o.Collation(), n.Collation()})
}

// matchTables pairs the tables and notes those that only one side has.
func (d *differ) matchTables() {
	byOrigin := map[Origin]*Table{}
	if d.origins {
		for _, t := range d.new.tables {
			if t.Origin != "" {
				byOrigin[t.Origin] = t
			}
		}
	}
	d.renamed = map[string]string{}
	d.gone = map[string]bool{}
	taken := map[*Table]bool{} // of new
	var left []*Table
	for _, o := range d.old.Tables() {
		// The origin that is looked up may be one of many under a name, so a table that kept its name comes first.
		if n := d.new.tables[o.Name]; n == o || n != nil && d.origins && o.Origin != "" && n.Origin == o.Origin {
			taken[n] = true
			d.tables = append(d.tables, tablePair{old: o, new: n})
			continue
		}
		left = append(left, o)
	}
	var later []*Table
	for _, o := range left {
		n := byOrigin[o.Origin]
		if o.Origin == "" || n == nil || taken[n] {
			later = append(later, o)
			continue
		}
		taken[n] = true
		d.renamed[o.Name] = n.Name
		d.tables = append(d.tables, tablePair{old: o, new: n})
		d.add(&RenameTable{d.dropped(tableObject(o)).or(n.Last), o, n})
	}
	for _, o := range later {
		n := d.new.tables[o.Name]
		if n == nil || taken[n] {
			d.gone[o.Name] = true
			d.add(&DropTable{d.dropped(tableObject(o)), o})
			continue
		}
		taken[n] = true
		recreated := d.origins && o.Origin != "" && n.Origin != ""
		if recreated {
			d.add(&RecreateTable{By{n.Created}, o, n})
		}
		d.tables = append(d.tables, tablePair{old: o, new: n, recreated: recreated})
	}
	for _, n := range d.new.Tables() {
		if !taken[n] {
			d.add(&AddTable{By{n.Created}, n})
		}
	}
}

// matchColumns pairs the columns of a pair of tables and notes the renames.
func (d *differ) matchColumns(p *tablePair) {
	if p.old == p.new {
		return
	}
	origins := d.origins && !p.recreated
	pairs := make(map[*Column]columnPair, len(p.new.Columns)) // by the new one
	byOrigin := make(map[Origin]*Column, len(p.new.Columns))
	byName := make(map[string]*Column, len(p.new.Columns))
	for _, c := range p.new.Columns {
		if origins && c.Origin != "" {
			byOrigin[c.Origin] = c
		}
		byName[strings.ToLower(c.Name)] = c
	}
	var left []*Column
	for _, o := range p.old.Columns {
		n := byOrigin[o.Origin]
		if o.Origin == "" || n == nil || pairs[n].old != nil {
			left = append(left, o)
			continue
		}
		pairs[n] = columnPair{old: o, new: n}
	}
	var gone []*Column
	for _, o := range left {
		n := byName[strings.ToLower(o.Name)]
		if n == nil || pairs[n].old != nil {
			gone = append(gone, o)
			continue
		}
		pairs[n] = columnPair{old: o, new: n, recreated: origins && o.Origin != "" && n.Origin != ""}
	}
	var next *Column // the first column behind that is not new
	before := map[*Column]*Column{}
	for _, c := range slices.Backward(p.new.Columns) {
		if pairs[c].old != nil {
			next = c
		} else {
			before[c] = next
		}
	}
	for _, n := range p.new.Columns {
		pair := pairs[n]
		if pair.old == nil {
			d.add(&AddColumn{By{n.Created}, p.new, n, before[n]})
			continue
		}
		p.columns = append(p.columns, pair)
		if pair.recreated {
			d.add(&RecreateColumn{By{n.Created}, p.new, pair.old, n})
		}
		if pair.old.Name != n.Name {
			if d.columns == nil {
				d.columns = map[string]map[string]string{}
			}
			if d.columns[p.old.Name] == nil {
				d.columns[p.old.Name] = map[string]string{}
			}
			d.columns[p.old.Name][strings.ToLower(pair.old.Name)] = n.Name
			d.add(&RenameColumn{d.droppedColumn(p, pair.old.Name).or(n.Last), p.new, pair.old, n})
		}
	}
	for _, o := range gone {
		d.add(&DropColumn{d.droppedColumn(p, o.Name), p.old, o})
	}
}

// droppedColumn gives the statement that dropped a column. The table may have had either name then.
func (d *differ) droppedColumn(p *tablePair, name string) By {
	return d.dropped(Object{KindColumn, p.new.Name, name}, Object{KindColumn, p.old.Name, name})
}

// table compares a pair of tables.
func (d *differ) table(p *tablePair) {
	if p.old == p.new {
		return
	}
	d.options(p)
	if !samePartition(p.old.Partition, p.new.Partition) {
		by := By{p.new.Last}
		if p.old.Partition != nil && p.new.Partition != nil {
			by = cause(p.old.Partition.Last, p.new.Partition.Last, p.new)
		} else if p.new.Partition != nil {
			by = By{p.new.Partition.Last}.or(p.new.Last)
		}
		d.add(&ChangePartition{by, p.new, p.old.Partition, p.new.Partition})
	}
	for _, c := range p.columns {
		if c.old != c.new {
			d.column(p.new, c)
		}
	}
	d.order(p)
	d.keys(p)
	d.foreignKeys(p)
	d.checks(p)
}

// options compares what belongs to the table as a whole.
func (d *differ) options(p *tablePair) {
	o, n := p.old, p.new
	option := func(name, old, new string) {
		d.add(&TableOption{By{n.Last}, n, name, old, new})
	}
	if !strings.EqualFold(o.Engine, n.Engine) {
		option("ENGINE", o.Engine, n.Engine)
	}
	if oc, nc := canonicalCharset(o.Charset), canonicalCharset(n.Charset); oc != nc {
		option("DEFAULT CHARSET", oc, nc)
	} else if oc, nc := canonicalCollation(o.Collation), canonicalCollation(n.Collation); oc != nc {
		option("COLLATE", oc, nc)
	}
	if o.Comment != n.Comment {
		option("COMMENT", o.Comment, n.Comment)
	}
	if len(o.Options)+len(n.Options) == 0 {
		return
	}
	names := maps.Clone(o.Options)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, n.Options)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if name != "AUTO_INCREMENT" && effectiveOption(o, name) != effectiveOption(n, name) {
			option(name, o.Options[name], n.Options[name])
		}
	}
}

// effectiveOption gives an option's value; "" for the default, spelled out or not. InnoDB's row format is DYNAMIC unless
// innodb_default_row_format says otherwise (manual: Defining the Row Format of a Table).
func effectiveOption(t *Table, name string) string {
	v := strings.ToUpper(t.Options[name])
	switch {
	case v == "DEFAULT", name == "ROW_FORMAT" && v == "DYNAMIC" && strings.EqualFold(t.Engine, "InnoDB"),
		name == "KEY_BLOCK_SIZE" && v == "0", name == "ENCRYPTION" && v == "N", name == "COMPRESSION" && v == "NONE":
		return ""
	case v == "":
		return ""
	}
	return t.Options[name]
}

func samePartition(a, b *Partition) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.By == b.By && a.Sub == b.Sub && slices.Equal(a.Parts, b.Parts) && (len(a.Parts) > 0 || a.Count == b.Count)
}

// column compares two versions of a column, aspect by aspect.
func (d *differ) column(t *Table, p columnPair) {
	o, n := p.old, p.new
	by := cause(o.Last, n.Last, t)
	if o.Type.Unknown != n.Type.Unknown || o.Type.sql(d.new.server) != n.Type.sql(d.new.server) {
		d.add(&ColumnType{by, t, o, n})
	}
	if o.Nullable != n.Nullable {
		d.add(&ColumnNullability{by, t, o, n})
	}
	if !sameDefault(o, n, d.new.server) {
		d.add(&ColumnDefault{by, t, o, n})
	}
	if canonicalNow(o.OnUpdate) != canonicalNow(n.OnUpdate) {
		d.add(&ColumnOnUpdate{by, t, o, n})
	}
	if o.AutoIncrement != n.AutoIncrement {
		d.add(&ColumnAutoIncrement{by, t, o, n})
	}
	if o.Charset != "" && n.Charset != "" &&
		(canonicalCharset(o.Charset) != canonicalCharset(n.Charset) || canonicalCollation(o.Collation) != canonicalCollation(n.Collation)) {
		d.add(&ColumnCollation{by, t, o, n})
	}
	if o.Comment != n.Comment {
		d.add(&ColumnComment{by, t, o, n})
	}
	if !d.sameGenerated(o.Generated, n.Generated) {
		d.add(&ColumnGenerated{by, t, o, n})
	}
	if o.Invisible != n.Invisible {
		d.add(&ColumnVisibility{by, t, o, n})
	}
	if o.Type.isSpatial() && n.Type.isSpatial() && o.SRID != n.SRID {
		d.add(&ColumnSRID{by, t, o, n})
	}
	if o.Attributes != n.Attributes {
		d.add(&ColumnAttributes{by, t, o, n})
	}
}

// sameDefault tells whether an INSERT that leaves the column out does the same, apart from what follows from its nullability.
func sameDefault(o, n *Column, server Server) bool {
	a, b := o.Default, n.Default
	if a != nil && a.Null {
		a = nil
	}
	if b != nil && b.Null {
		b = nil
	}
	// MariaDB inserts NULL into a nullable column without a default (tested on 10.11).
	if a != nil && a.Dropped && (server.MariaDB || !n.Nullable && !o.AutoIncrement) {
		a = nil
	}
	if b != nil && b.Dropped && (server.MariaDB || !o.Nullable && o.Default == nil && !n.AutoIncrement) {
		b = nil
	}
	switch {
	case a == nil || b == nil:
		return a == b
	case a.Dropped != b.Dropped:
		return false
	case a.Expr && b.Expr:
		return sameExpr(canonicalNow(a.Value), canonicalNow(b.Value))
	case a.Expr != b.Expr:
		return false
	}
	return a.Value == b.Value || o.Type.isNumeric() && n.Type.isNumeric() && plainNumber(a.Value) == plainNumber(b.Value)
}

// isNumeric tells whether values of the type are numbers, so that 1 and 1.00 are one.
func (t Type) isNumeric() bool {
	switch t.Name {
	case "decimal", "float", "double":
		return true
	}
	return t.isInteger()
}

// plainNumber removes zeros that mean nothing from a number without an exponent.
func plainNumber(s string) string {
	if s == "" || strings.Trim(s, "+-0123456789.") != "" {
		return s
	}
	sign := ""
	if s[0] == '-' {
		sign = "-"
	}
	s = strings.TrimLeft(s, "+-0")
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "" {
		return "0"
	}
	return sign + s
}

// canonicalNow gives CURRENT_TIMESTAMP(0) and its synonyms as the server prints them.
func canonicalNow(s string) string {
	switch strings.ToUpper(s) {
	case "CURRENT_TIMESTAMP()", "CURRENT_TIMESTAMP(0)", "NOW()", "NOW(0)":
		return "CURRENT_TIMESTAMP"
	}
	return s
}

func (d *differ) sameGenerated(a, b *Generated) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Stored == b.Stored && sameExpr(a.Expr, b.Expr)
}

// sameExpr tells whether two expressions are the same but for white space, quotes around names, letter case outside strings,
// introducers of strings and parentheses around the whole. It does not know more: what it calls different may still mean the same.
func sameExpr(a, b string) bool {
	if a == b {
		return true
	}
	at, bt := exprTokens(a), exprTokens(b)
	return slices.EqualFunc(at, bt, func(x, y token) bool {
		quotedX, quotedY := x.kind == tokString, y.kind == tokString
		switch {
		case quotedX != quotedY:
			return false
		case quotedX:
			return x.value(a, 0) == y.value(b, 0)
		}
		return strings.EqualFold(x.name(a), y.name(b))
	})
}

// exprTokens gives an expression's tokens without introducers and without parentheses around the whole.
func exprTokens(src string) []token {
	ts := tokens(src, 0)
	ts = slices.DeleteFunc(ts, func(t token) bool {
		return t.kind == tokWord && src[t.start] == '_' && t.end < len(src) && strings.HasPrefix(strings.TrimLeft(src[t.end:], " "), "'") && isCharset(t.text(src)[1:])
	})
	for len(ts) > 2 && ts[0].is(src, "(") && closing(ts, src) == len(ts)-1 {
		ts = ts[1 : len(ts)-1]
	}
	return ts
}

func isCharset(name string) bool {
	_, ok := charsets[canonicalCharset(name)]
	return ok
}

// closing gives the index of the parenthesis that closes the first token.
func closing(ts []token, src string) int {
	depth := 0
	for i, t := range ts {
		switch {
		case t.is(src, "("):
			depth++
		case t.is(src, ")"):
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// order notes when columns that both tables have stand in another order.
func (d *differ) order(p *tablePair) {
	place := make(map[*Column]int, len(p.old.Columns))
	for i, c := range p.old.Columns {
		place[c] = i
	}
	sorted := slices.IsSortedFunc(p.columns, func(a, b columnPair) int { return cmp.Compare(place[a.old], place[b.old]) })
	if !sorted {
		d.add(&ReorderColumns{By{p.new.Last}, p.old, p.new})
	}
}

// tableNow gives the new name of an old table: "" if it is gone and another table has taken its name.
func (d *differ) tableNow(name string) string {
	if to, ok := d.renamed[name]; ok {
		return to
	}
	if d.gone[name] && d.new.tables[name] != nil {
		return ""
	}
	return name
}

// now gives the new name of a column of an old table.
func (d *differ) now(table, column string) string {
	if to, ok := d.columns[table][strings.ToLower(column)]; ok {
		return to
	}
	return column
}

// match pairs old and new things of a table: first by name, then those left over by definition. It gives the new one for
// each old one, nil for one that is gone, and the new ones that have no old one.
func match[T any](old, new []*T, oldName, newName func(*T) string, same func(o, n *T) bool) (to []*T, added []*T) {
	to = make([]*T, len(old))
	byName := make(map[string]*T, len(new))
	left := make(map[*T]bool, len(new))
	for _, n := range slices.Backward(new) {
		left[n] = true
		byName[strings.ToLower(newName(n))] = n
	}
	for i, o := range old {
		name := strings.ToLower(oldName(o))
		if n := byName[name]; name != "" && left[n] {
			to[i] = n
			delete(left, n)
		}
	}
	for i, o := range old {
		if to[i] != nil || len(left) == 0 {
			continue
		}
		for _, n := range new {
			if left[n] && same(o, n) {
				to[i] = n
				delete(left, n)
				break
			}
		}
	}
	for _, n := range new {
		if left[n] {
			added = append(added, n)
		}
	}
	return to, added
}

func (d *differ) keys(p *tablePair) {
	same := func(o, n *Key) bool { return d.sameKey(p, o, n) }
	name := func(k *Key) string { return k.Name }
	to, added := match(p.old.Keys, p.new.Keys, name, name, same)
	for i, o := range p.old.Keys {
		n := to[i]
		switch {
		case n == nil:
			d.add(&DropKey{d.droppedKey(p, o), p.old, o})
		case !strings.EqualFold(o.Name, n.Name):
			d.add(&RenameKey{cause(o.Last, n.Last, p.new), p.new, o, n})
		case !same(o, n):
			d.add(&ChangeKey{cause(o.Last, n.Last, p.new), p.new, o, n})
		}
	}
	for _, n := range added {
		d.add(&AddKey{By{n.Created}, p.new, n})
	}
}

// droppedKey gives the statement that dropped a key. A key also goes when all its columns go.
func (d *differ) droppedKey(p *tablePair, k *Key) By {
	by := d.dropped(Object{KindKey, p.new.Name, k.Name}, Object{KindKey, p.old.Name, k.Name})
	for _, part := range k.Parts {
		by = by.or(d.droppedColumn(p, part.Column).By)
	}
	return by
}

// sameKey compares two keys without their names. BTREE is what InnoDB makes in any case, and so is HASH there.
func (d *differ) sameKey(p *tablePair, o, n *Key) bool {
	using := func(t *Table, k *Key) string {
		if strings.EqualFold(k.Using, "BTREE") || strings.EqualFold(t.Engine, "InnoDB") {
			return ""
		}
		return strings.ToUpper(k.Using)
	}
	return o.Kind == n.Kind && o.Comment == n.Comment && strings.EqualFold(o.Parser, n.Parser) && o.Invisible == n.Invisible &&
		using(p.old, o) == using(p.new, n) &&
		slices.EqualFunc(o.Parts, n.Parts, func(a, b KeyPart) bool {
			return a.Length == b.Length && a.Desc == b.Desc && strings.EqualFold(d.now(p.old.Name, a.Column), b.Column) && sameExpr(a.Expr, b.Expr)
		})
}

func (d *differ) foreignKeys(p *tablePair) {
	same := func(o, n *ForeignKey) bool { return d.sameForeignKey(p, o, n) }
	name := func(f *ForeignKey) string { return f.Name }
	to, added := match(p.old.ForeignKeys, p.new.ForeignKeys, name, name, same)
	for i, o := range p.old.ForeignKeys {
		n := to[i]
		switch {
		case n == nil:
			d.add(&DropForeignKey{d.dropped(Object{KindForeignKey, p.new.Name, o.Name}, Object{KindForeignKey, p.old.Name, o.Name}), p.old, o})
		case !strings.EqualFold(o.Name, n.Name) || !same(o, n):
			d.add(&ChangeForeignKey{cause(o.Created, n.Created, p.new), p.new, o, n})
		}
	}
	for _, n := range added {
		d.add(&AddForeignKey{By{n.Created}, p.new, n})
	}
}

// sameForeignKey compares two foreign keys without their names.
func (d *differ) sameForeignKey(p *tablePair, o, n *ForeignKey) bool {
	return d.tableNow(o.RefTable) == n.RefTable && action(o.OnDelete) == action(n.OnDelete) && action(o.OnUpdate) == action(n.OnUpdate) &&
		slices.EqualFunc(o.Columns, n.Columns, func(a, b string) bool { return strings.EqualFold(d.now(p.old.Name, a), b) }) &&
		slices.EqualFunc(o.RefColumns, n.RefColumns, func(a, b string) bool { return strings.EqualFold(d.now(o.RefTable, a), b) })
}

// action gives a foreign key's action; "" for those that refuse, which InnoDB does at once in any case (manual: FOREIGN KEY
// Constraints, Referential Actions).
func action(s string) string {
	switch s = strings.ToUpper(s); s {
	case "NO ACTION", "RESTRICT":
		return ""
	}
	return s
}

func (d *differ) checks(p *tablePair) {
	// MariaDB's columns have checks of their own, under the column's name: those are apart from the table's.
	newName := func(c *Check) string {
		if c.Column != "" {
			return "\x00" + c.Column
		}
		return c.Name
	}
	oldName := func(c *Check) string {
		if c.Column != "" {
			return "\x00" + d.now(p.old.Name, c.Column)
		}
		return c.Name
	}
	same := func(o, n *Check) bool {
		return o.NotEnforced == n.NotEnforced && (o.Column == "") == (n.Column == "") && sameExpr(o.Expr, n.Expr)
	}
	to, added := match(p.old.Checks, p.new.Checks, oldName, newName, same)
	for i, o := range p.old.Checks {
		n := to[i]
		switch {
		case n == nil:
			d.add(&DropCheck{d.dropped(Object{KindCheck, p.new.Name, o.Name}, Object{KindCheck, p.old.Name, o.Name}).or(d.droppedColumn(p, o.Column).By), p.old, o})
		case !strings.EqualFold(oldName(o), newName(n)) || !same(o, n):
			d.add(&ChangeCheck{cause(o.Created, n.Created, p.new), p.new, o, n})
		}
	}
	for _, n := range added {
		d.add(&AddCheck{By{n.Created}, p.new, n})
	}
}

// beside compares what stands beside tables. Texts are compared by meaning: a reformatted body is no change.
func (d *differ) beside() {
	besides(d.old.views, d.new.views, sameView, func(o, n *View) {
		c := &ChangeView{Old: o, New: n}
		c.By = besideCause(d, c, o, n, func(v *View) *Statement { return v.Created })
		d.add(c)
	})
	besides(d.old.trigs, d.new.trigs, d.sameTrigger, func(o, n *Trigger) {
		c := &ChangeTrigger{Old: o, New: n}
		c.By = besideCause(d, c, o, n, func(v *Trigger) *Statement { return v.Created })
		if n == nil { // it goes with its table
			c.By = c.By.or(d.new.Dropped(Object{Kind: KindTable, Table: o.Table}))
		}
		d.add(c)
	})
	besides(d.old.procs, d.new.procs, sameRoutine, func(o, n *Routine) {
		c := &ChangeRoutine{Old: o, New: n}
		c.By = besideCause(d, c, o, n, func(v *Routine) *Statement { return v.Created })
		d.add(c)
	})
	besides(d.old.events, d.new.events, sameEvent, func(o, n *Event) {
		c := &ChangeEvent{Old: o, New: n}
		c.By = besideCause(d, c, o, n, func(v *Event) *Statement { return v.Created })
		d.add(c)
	})
	besides(d.old.seqs, d.new.seqs, sameSequence, func(o, n *Sequence) {
		c := &ChangeSequence{Old: o, New: n}
		c.By = besideCause(d, c, o, n, func(v *Sequence) *Statement { return v.Created })
		d.add(c)
	})
}

// besideCause gives the statement that created or dropped the object of c. One that was altered in place does not know by what.
func besideCause[T any](d *differ, c Change, o, n *T, created func(*T) *Statement) By {
	switch {
	case n == nil:
		return d.dropped(c.Object())
	case o == nil:
		return By{created(n)}
	}
	return cause(created(o), created(n), &Table{})
}

// besides calls change for each name whose things differ, in the order of names; what one side lacks is nil.
func besides[T any](old, new map[string]*T, same func(o, n *T) bool, change func(o, n *T)) {
	names := make([]string, 0, len(old)+len(new))
	for name := range old {
		names = append(names, name)
	}
	for name := range new {
		if old[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if o, n := old[name], new[name]; o != n && (o == nil || n == nil || !same(o, n)) {
			change(o, n)
		}
	}
}

func sameView(o, n *View) bool {
	or := func(s, def string) string {
		if s == "" {
			return def
		}
		return strings.ToUpper(s)
	}
	return slices.Equal(o.Columns, n.Columns) && Meaning(o.Select) == Meaning(n.Select) &&
		strings.EqualFold(o.CheckOption, n.CheckOption) && or(o.Security, "DEFINER") == or(n.Security, "DEFINER") &&
		or(o.Algorithm, "UNDEFINED") == or(n.Algorithm, "UNDEFINED") &&
		(o.Definer == n.Definer || o.Definer == "" || n.Definer == "") // no DEFINER clause: whoever ran the statement
}

func (d *differ) sameTrigger(o, n *Trigger) bool {
	return d.tableNow(o.Table) == n.Table && strings.EqualFold(o.Timing, n.Timing) && strings.EqualFold(o.Event, n.Event) && Meaning(o.Body) == Meaning(n.Body)
}

func sameRoutine(o, n *Routine) bool {
	return o.Function == n.Function && Meaning(o.Parameters) == Meaning(n.Parameters) && Meaning(o.Returns) == Meaning(n.Returns) && Meaning(o.Body) == Meaning(n.Body)
}

func sameEvent(o, n *Event) bool {
	return Meaning(o.Schedule) == Meaning(n.Schedule) && Meaning(o.Body) == Meaning(n.Body) && o.Disabled == n.Disabled
}

func sameSequence(o, n *Sequence) bool { return Meaning(o.Definition) == Meaning(n.Definition) }
