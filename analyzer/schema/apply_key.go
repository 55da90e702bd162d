package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A keySpec is a key on its way into a table: one that was there, one that is written, or one that the server makes for a
// foreign key.
type keySpec struct {
	*Key
	at       int
	existing bool
	exprs    []expression
	gone     bool // not needed: another key serves
}

// serves tells whether a key can serve a foreign key over those columns: they are its first ones, in that order.
func (k *Key) serves(columns []string) bool {
	if len(k.Parts) < len(columns) || k.Kind == FulltextKey || k.Kind == SpatialKey {
		return false
	}
	for i, c := range columns {
		if !strings.EqualFold(k.Parts[i].Column, c) || k.Parts[i].Length > 0 {
			return false
		}
	}
	return true
}

func (k *Key) columns() []string {
	var cols []string
	for _, p := range k.Parts {
		cols = append(cols, p.Column)
	}
	return cols
}

// setKeys gives the table its keys: those that remain and the new ones, checked, named, without the implicit ones for which another
// key serves, in the order in which the server shows them.
func (w *work) setKeys(t *Table, specs []keySpec, nulls map[string]bool) {
	// Manual, FOREIGN KEY Constraints: an implicit index goes when an explicit one can serve. Of two implicit ones the longer stays,
	// of equals the later.
	for i := range specs {
		a := &specs[i]
		for j := range specs {
			b := &specs[j]
			if i == j || !a.Implicit || a.gone || b.gone || b.Kind == FulltextKey || b.Kind == SpatialKey || !prefix(a.Key, b.Key) || !w.s.server.MariaDB && !sameOrder(a.Key, b.Key) {
				continue
			}
			if !b.Implicit || len(a.Parts) < len(b.Parts) || len(a.Parts) == len(b.Parts) && i < j {
				a.gone = true
				if a.existing {
					w.dropped(Object{KindKey, t.Name, a.Name})
				}
			}
		}
	}
	t.Keys = t.Keys[:0:0]
	primary := false
	for i := range specs {
		k := &specs[i]
		if k.gone {
			continue
		}
		if k.Kind == PrimaryKey {
			if primary {
				w.refuse(k.at, 1068, "table %s has a primary key already", quoteName(t.Name))
			}
			primary = true
			k.Name = "PRIMARY"
		}
		if k.existing {
			if k.Kind == PrimaryKey && !w.s.server.MariaDB {
				for _, p := range k.Parts {
					if nulls[strings.ToLower(p.Column)] {
						w.refuse(k.at, 1171, "column %s is part of the primary key and cannot be NULL", quoteName(p.Column))
					}
				}
			}
			w.checkKey(t, k)
			t.Keys = append(t.Keys, k.Key)
			continue
		}
		w.checkParts(t, k, nulls)
		if k.Name == "" {
			k.Name = keyName(t, k.Key)
		}
		if k.Kind != PrimaryKey && strings.EqualFold(k.Name, "PRIMARY") {
			w.refuse(k.at, 1280, "a key cannot have the name %s", quoteName(k.Name))
		}
		w.nameLength(k.at, k.Name, 64)
		if t.Key(k.Name) != nil {
			w.refuse(k.at, 1061, "table %s has a key %s already", quoteName(t.Name), quoteName(k.Name))
		}
		k.Created, k.Last = w.st, w.st
		if k.Using == "HASH" && t.Engine == "InnoDB" && !w.s.server.MariaDB || k.Kind == FulltextKey || k.Kind == SpatialKey {
			k.Using = "" // InnoDB has none (manual: CREATE INDEX, Index Types Per Storage Engine)
		}
		w.checkKey(t, k)
		t.Keys = append(t.Keys, k.Key)
	}
	if len(t.Keys) > 64 {
		w.refuse(specs[len(specs)-1].at, 1069, "table %s has too many keys: %d, 64 allowed", quoteName(t.Name), len(t.Keys))
	}
	t.notNullPrimary(w.st)
	t.sortKeys(!w.s.server.MariaDB)
}

// prefix tells whether a's columns are the first ones of b.
func prefix(a, b *Key) bool {
	if len(a.Parts) > len(b.Parts) {
		return false
	}
	for i, p := range a.Parts {
		if !strings.EqualFold(p.Column, b.Parts[i].Column) || b.Parts[i].Expr != "" || b.Parts[i].Length != p.Length {
			return false
		}
	}
	return true
}

// sameOrder tells whether the parts of a count up or down as those of b do, of which they are the first. MySQL keeps an implicit
// key beside one that counts down, although that can serve the foreign key (tested on 9.7).
func sameOrder(a, b *Key) bool {
	for i, p := range a.Parts {
		if p.Desc != b.Parts[i].Desc {
			return false
		}
	}
	return true
}

// notNullPrimary makes the columns of the primary key NOT NULL.
func (t *Table) notNullPrimary(st *Statement) {
	k := t.PrimaryKey()
	if k == nil {
		return
	}
	for i, c := range t.Columns {
		if c.Nullable && sameFold(k.columns(), c.Name) {
			n := *c
			n.Nullable = false
			n.Last = st
			if n.Default != nil && n.Default.Null {
				n.Default = nil
			}
			t.Columns[i] = &n
		}
	}
}

// sortKeys puts the keys in the order in which the server keeps and shows them: the primary key, unique keys without a nullable
// column, the other unique keys, the rest, and full-text keys last; of unique keys those without a prefix first; MySQL puts
// keys over virtual columns behind their like. Else it is the order of definition. Tested on MariaDB 10.11
// and MySQL 9.7.
func (t *Table) sortKeys(mysql bool) {
	rank := func(k *Key) int {
		switch k.Kind {
		case PrimaryKey:
			return 0
		case UniqueKey:
			null, part := 0, 0
			for _, p := range k.Parts {
				if c := t.Column(p.Column); c != nil && c.Nullable || p.Expr != "" {
					null = 4
				}
				if mysql && t.virtual(p) {
					part |= 2
				}
				if p.Length > 0 {
					part |= 1
				}
			}
			return 1 + null + part
		case FulltextKey:
			return 11
		}
		if mysql && slices.ContainsFunc(k.Parts, t.virtual) {
			return 10
		}
		return 9
	}
	slices.SortStableFunc(t.Keys, func(a, b *Key) int { return cmp.Compare(rank(a), rank(b)) })
}

// virtual tells whether a part of a key is a virtual column, which a functional part is too.
func (t *Table) virtual(p KeyPart) bool {
	c := t.Column(p.Column)
	return p.Expr != "" || c != nil && c.Generated != nil && !c.Generated.Stored
}

// keyName gives the name of a key that has none: its first column's, with _2, _3 … where that is taken.
func keyName(t *Table, k *Key) string {
	first := k.Parts[0].Column
	if k.Parts[0].Expr != "" {
		first = "functional_index"
	}
	if !strings.EqualFold(first, "PRIMARY") && t.Key(first) == nil {
		return first
	}
	for n := 2; ; n++ {
		if name := first + "_" + strconv.Itoa(n); t.Key(name) == nil {
			return name
		}
	}
}

// checkParts checks the columns of a new key.
func (w *work) checkParts(t *Table, k *keySpec, nulls map[string]bool) {
	if len(k.Parts) > 16 && !w.s.server.MariaDB || len(k.Parts) > 32 {
		w.refuse(k.at, 1070, "the key has too many parts: %d", len(k.Parts))
	}
	for i := range k.Parts {
		p := &k.Parts[i]
		if p.Expr != "" {
			w.keyExpression(t, k, i)
			continue
		}
		c := t.Column(p.Column)
		if c == nil {
			w.refuse(k.at, 1072, "key column %s does not exist in table %s", quoteName(p.Column), quoteName(t.Name))
		}
		p.Column = c.Name
		for _, q := range k.Parts[:i] {
			if strings.EqualFold(q.Column, p.Column) {
				w.refuse(k.at, 1060, "the key names column %s twice", quoteName(p.Column))
			}
		}
		if k.Kind == PrimaryKey && nulls[strings.ToLower(c.Name)] && !w.s.server.MariaDB {
			w.refuse(k.at, 1171, "column %s is part of the primary key and cannot be NULL", quoteName(c.Name))
		}
		if p.Desc && !w.s.server.MariaDB && (k.Kind == FulltextKey || k.Kind == SpatialKey) {
			w.refuse(k.at, 1221, "a %s key has no order", k.Kind)
		}
		if k.Kind == FulltextKey || k.Kind == SpatialKey {
			p.Desc = false
		}
		if p.Desc && (!w.s.server.MariaDB && !w.s.server.atLeast(8, 0) || w.s.server.MariaDB && !w.s.server.mariaAtLeast(10, 8)) {
			p.Desc = false // parsed and ignored
		}
	}
}

// keyExpression checks a functional key part (manual: CREATE INDEX, Functional Key Parts).
func (w *work) keyExpression(t *Table, k *keySpec, i int) {
	if !w.s.server.atLeast(8, 0) {
		w.refuse(k.at, 1064, "this server has no functional key parts")
	}
	if k.Kind == PrimaryKey {
		w.refuse(k.at, 3756, "a primary key cannot have a functional part")
	}
	if k.Kind == FulltextKey || k.Kind == SpatialKey {
		w.refuse(k.at, 3759, "a %s key cannot have a functional part", k.Kind)
	}
	if i < len(k.exprs) {
		for _, r := range k.exprs[i].refs {
			c := t.Column(r)
			if c == nil {
				w.refuse(k.at, 1054, "unknown column %s in the key's expression", quoteName(r))
			}
			if c.AutoIncrement {
				w.refuse(k.at, 3754, "the key's expression names the AUTO_INCREMENT column %s", quoteName(r))
			}
		}
		if f := k.exprs[i].changes(); f != "" {
			w.refuse(k.at, 3758, "the key calls %s, whose value is not always the same", f)
		}
		k.Parts[i].Columns = k.exprs[i].refs
		if e := k.exprs[i]; len(e.refs) == 1 && e.text == quoteName(e.refs[0]) {
			w.refuse(k.at, 3762, "a functional key part cannot be a plain column")
		}
	}
}

// checkKey checks a key against the types of its columns. Also keys that were there are checked, for their columns may have changed.
func (w *work) checkKey(t *Table, k *keySpec) {
	total := 0
	for i := range k.Parts {
		p := k.Parts[i]
		if p.Expr != "" {
			continue
		}
		c := t.Column(p.Column)
		if c == nil {
			continue
		}
		if c.Type.Unknown {
			continue
		}
		switch k.Kind {
		case FulltextKey:
			if !c.Type.isText() || c.Type.Name == "enum" || c.Type.Name == "set" {
				w.refuse(k.at, 1283, "column %s cannot be part of a FULLTEXT key", quoteName(c.Name))
			}
			k.setLength(i, 0)
			continue
		case SpatialKey:
			if !c.Type.isSpatial() {
				w.refuse(k.at, 1687, "column %s is not of a spatial type", quoteName(c.Name))
			}
			if c.Nullable {
				w.refuse(k.at, 1252, "column %s of a SPATIAL key must be NOT NULL", quoteName(c.Name))
			}
			continue
		}
		if c.Type.Name == "json" {
			w.refuse(k.at, 3152, "JSON column %s cannot be part of a key", quoteName(c.Name))
		}
		width := 1
		if c.Charset != "" {
			width = charsets[c.Charset].max
		}
		switch {
		case c.Type.isBlob() || c.Type.isSpatial():
			switch {
			case w.s.server.MariaDB && c.Type.Name == "point": // whatever length is asked for (tested on MariaDB 10.11, like the next)
				p.Length = 25
				k.setLength(i, p.Length)
			case p.Length > 0:
			case w.s.server.MariaDB && k.Kind == UniqueKey:
				if c.Type.isSpatial() {
					k.setLength(i, 8)
				}
				k.hash()
			case w.s.server.MariaDB && k.Kind == PlainKey:
				p.Length = 3072 / width
				if n := tinyBytes(c.Type); n > 0 {
					p.Length = min(p.Length, n)
				}
				k.setLength(i, p.Length)
			default:
				w.refuse(k.at, 1170, "column %s of type %s needs a prefix length in a key", quoteName(c.Name), c.Type.Name)
			}
			total += w.partLength(k, i, p.Length, width)
		case c.Type.isText() && c.Type.Members == nil || c.Type.Name == "binary" || c.Type.Name == "varbinary":
			n := p.Length
			if n > c.Type.Length {
				w.refuse(k.at, 1089, "the prefix of key column %s is longer than the column", quoteName(c.Name))
			}
			if n == 0 || n == c.Type.Length {
				k.setLength(i, 0)
				n = c.Type.Length
			}
			total += w.partLength(k, i, n, width)
		default:
			if p.Length > 0 {
				w.refuse(k.at, 1089, "key column %s of type %s cannot have a prefix", quoteName(c.Name), c.Type.Name)
			}
			total += 8
		}
	}
	if total > 3072 && k.Kind != FulltextKey && strings.EqualFold(t.Engine, "InnoDB") {
		if w.s.server.MariaDB && k.Kind == UniqueKey {
			k.hash()
			return
		}
		w.refuse(k.at, 1071, "the key is too long: %d bytes, 3072 allowed", total)
	}
}

// tinyBytes gives how long a value of the shortest BLOB and TEXT types can be, 0 for other types. A key on the others is cut
// off at what a key holds.
func tinyBytes(t Type) int {
	if t.Name == "tinytext" || t.Name == "tinyblob" {
		return 1<<8 - 1
	}
	return 0
}

// partLength gives the bytes of a part of characters. Where the mode is not strict the server shortens a part of a plain key.
func (w *work) partLength(k *keySpec, i, n, width int) int {
	const most = 3072
	if n*width > most && k.Kind == PlainKey && (!w.s.session.strict() || w.s.server.MariaDB) {
		k.setLength(i, most/width)
		return most / width * width
	}
	return n * width
}

// hash makes a key the hash that MariaDB has for a unique key over long values.
func (k *keySpec) hash() {
	c := *k.Key
	c.Using = "HASH"
	k.Key = &c
}

// setLength changes a part of a key, which gets its own copy first.
func (k *keySpec) setLength(i, n int) {
	if k.Parts[i].Length == n {
		return
	}
	c := *k.Key
	c.Parts = slices.Clone(c.Parts)
	c.Parts[i].Length = n
	k.Key = &c
}

// checkAuto checks AUTO_INCREMENT: one column, and a key that begins with it (any key part outside of InnoDB).
func (w *work) checkAuto(off int, t *Table) {
	var auto *Column
	for _, c := range t.Columns {
		if !c.AutoIncrement {
			continue
		}
		if auto != nil {
			w.refuse(off, 1075, "table %s has two AUTO_INCREMENT columns", quoteName(t.Name))
		}
		auto = c
	}
	if auto == nil {
		return
	}
	for _, c := range t.Columns {
		// Its number is not known yet when such a column is computed (tested on MySQL 9.7 and MariaDB 10.11).
		if c.Generated != nil && (c.Generated.Stored || !w.s.server.MariaDB) && sameFold(c.Generated.Columns, auto.Name) {
			code := 3109
			if w.s.server.MariaDB {
				code = 1901
			}
			w.refuse(off, code, "generated column %s names the AUTO_INCREMENT column %s", quoteName(c.Name), quoteName(auto.Name))
		}
	}
	for _, k := range t.Keys {
		for i, p := range k.Parts {
			if strings.EqualFold(p.Column, auto.Name) && (i == 0 || !strings.EqualFold(t.Engine, "InnoDB")) {
				return
			}
		}
	}
	w.refuse(off, 1075, "AUTO_INCREMENT column %s must be a key", quoteName(auto.Name))
}

// addForeignKeys names and checks new foreign keys. old is the table as it was, nil for a new one.
func (w *work) addForeignKeys(t, old *Table, defs []*fkDef) {
	next := 0
	if old != nil {
		for _, f := range old.ForeignKeys {
			if n, ok := autoNumber(f.Name, old.Name, "_ibfk_"); ok {
				next = max(next, n)
			}
		}
	}
	for _, d := range defs {
		if !t.hasForeignKeys() {
			break // parsed and ignored, but for the key
		}
		f := d.ForeignKey
		f.Created = w.st
		f.Columns = slices.Clone(f.Columns)
		if d.refDB != "" && d.refDB != w.s.database {
			if w.s.database == "" {
				w.here(qname{db: d.refDB, name: f.RefTable, at: d.at})
			} else {
				f.RefTable = d.refDB + "." + f.RefTable
			}
		}
		if f.Name == "" && w.s.server.MariaDB {
			f.Name = d.index
		}
		if f.Name == "" {
			next++
			f.Name = fmt.Sprintf("%s_ibfk_%d", t.Name, next)
		}
		w.nameLength(d.at, f.Name, 64)
		w.checkForeignKey(t, &f, d)
		other := w.foreignKeyNamed(f.Name, t)
		dropped := other == "" && old != nil && old.ForeignKey(f.Name) != nil
		if dropped {
			other = t.Name // one statement cannot drop a foreign key and give its name to another (tested on MySQL 9.7 and MariaDB 10.11)
		}
		if other != "" {
			code := 1826
			if w.s.server.MariaDB && (other != t.Name || dropped && w.s.session.foreignKeyChecks) {
				code = 1005
			}
			w.refuse(d.at, code, "table %s has a foreign key %s already", quoteName(other), quoteName(f.Name))
		}
		t.ForeignKeys = append(t.ForeignKeys, &f)
	}
	t.sortForeignKeys()
}

// sortForeignKeys puts foreign keys in the order in which SHOW CREATE TABLE prints them: by name.
func (t *Table) sortForeignKeys() {
	slices.SortStableFunc(t.ForeignKeys, func(a, b *ForeignKey) int { return strings.Compare(a.Name, b.Name) })
}

// hasForeignKeys tells whether the table's engine knows foreign keys.
func (t *Table) hasForeignKeys() bool { return t.Engine == "InnoDB" || t.Engine == "NDBCLUSTER" }

// autoNumber gives N of a name <table>_ibfk_N.
func autoNumber(name, table, infix string) (int, bool) {
	rest, ok := strings.CutPrefix(name, table+infix)
	if !ok || rest == "" || rest[0] == '0' {
		return 0, false
	}
	n, err := strconv.Atoi(rest)
	return n, err == nil && n > 0
}

// foreignKeyNamed gives the table that has a foreign key of that name: in a database each is unique.
func (w *work) foreignKeyNamed(name string, t *Table) string {
	if t.ForeignKey(name) != nil {
		return t.Name
	}
	for _, o := range w.s.tables {
		if o.Name != t.Name && o.ForeignKey(name) != nil {
			return o.Name
		}
	}
	return ""
}

// checkForeignKey checks a new foreign key against both tables, as far as the declarations tell, and fills in what it leaves open.
func (w *work) checkForeignKey(t *Table, f *ForeignKey, d *fkDef) {
	maria := w.s.server.MariaDB
	for i, name := range f.Columns {
		c := t.Column(name)
		if c == nil {
			w.refuse(d.at, 1072, "foreign key column %s does not exist in table %s", quoteName(name), quoteName(t.Name))
		}
		f.Columns[i] = c.Name
	}
	f.OnDelete, f.OnUpdate = w.action(d.at, f.OnDelete), w.action(d.at, f.OnUpdate)
	if len(f.RefColumns) == 0 {
		if p := w.s.tables[f.RefTable]; p != nil && w.s.server.atLeast(9, 0) && p.PrimaryKey() != nil {
			f.RefColumns = p.PrimaryKey().columns()
		} else {
			w.refuse(d.at, 1239, "foreign key %s names no columns of %s", quoteName(f.Name), quoteName(f.RefTable))
		}
	}
	if len(f.RefColumns) != len(f.Columns) {
		w.refuse(d.at, 1239, "foreign key %s has %d columns and refers to %d", quoteName(f.Name), len(f.Columns), len(f.RefColumns))
	}
	code := func(mysql int) int {
		if maria {
			return 1005
		}
		if !w.s.server.atLeast(8, 0) {
			return 1215
		}
		return mysql
	}
	if f.OnDelete == "SET NULL" || f.OnUpdate == "SET NULL" {
		for _, name := range f.Columns {
			if c := t.Column(name); !c.Nullable {
				n := 1830
				if maria {
					n = 1005
				}
				w.refuse(d.at, n, "foreign key %s sets column %s to NULL, which is NOT NULL", quoteName(f.Name), quoteName(name))
			}
		}
	}
	if strings.Contains(f.RefTable, ".") && w.s.tables[f.RefTable] == nil {
		return // in another database
	}
	parent := w.s.tables[f.RefTable]
	if f.RefTable == t.Name {
		parent = t
	}
	if parent == nil {
		if w.s.session.foreignKeyChecks {
			w.refuse(d.at, code(1824), "foreign key %s refers to table %s, which does not exist", quoteName(f.Name), quoteName(f.RefTable))
		}
		return
	}
	for i, name := range f.RefColumns {
		c := parent.Column(name)
		if c == nil {
			w.refuse(d.at, code(3734), "foreign key %s refers to column %s, which table %s does not have", quoteName(f.Name), quoteName(name), quoteName(parent.Name))
		}
		f.RefColumns[i] = c.Name
	}
	if !w.s.session.foreignKeyChecks {
		return
	}
	for i, name := range f.RefColumns {
		if a, b := t.Column(f.Columns[i]), parent.Column(name); !canRefer(a, b) {
			w.refuse(d.at, code(3780), "column %s of foreign key %s has another type than %s.%s", quoteName(a.Name), quoteName(f.Name), quoteName(parent.Name), quoteName(b.Name))
		}
	}
	if parent == t && slices.Equal(f.Columns, f.RefColumns) && w.s.server.atLeast(8, 0) {
		n := 1822
		if w.s.server.atLeast(8, 4) {
			n = 6125
		}
		w.refuse(d.at, n, "foreign key %s refers to its own columns", quoteName(f.Name))
	}
	w.checkParentKey(d.at, f, parent)
}

// checkParentKey refuses a foreign key for which the parent has no key.
func (w *work) checkParentKey(off int, f *ForeignKey, parent *Table) {
	served := false
	for _, k := range parent.Keys {
		if !k.serves(f.RefColumns) {
			continue
		}
		served = true
		if (k.Kind == UniqueKey || k.Kind == PrimaryKey) && len(k.Parts) == len(f.RefColumns) {
			return
		}
	}
	switch {
	case !served && w.s.server.MariaDB:
		w.refuse(off, 1005, "table %s has no key on the columns that foreign key %s refers to", quoteName(parent.Name), quoteName(f.Name))
	case !served && !w.s.server.atLeast(8, 0):
		w.refuse(off, 1215, "table %s has no key on the columns that foreign key %s refers to", quoteName(parent.Name), quoteName(f.Name))
	case !served && !w.s.server.atLeast(8, 4):
		w.refuse(off, 1822, "table %s has no key on the columns that foreign key %s refers to", quoteName(parent.Name), quoteName(f.Name))
	case w.s.server.atLeast(8, 4): // restrict_fk_on_non_standard_key, on by default
		w.refuse(off, 6125, "table %s has no unique key on exactly the columns that foreign key %s refers to", quoteName(parent.Name), quoteName(f.Name))
	}
}

// canRefer tells whether a column can refer to another one. Where that is not sure it says yes.
func canRefer(a, b *Column) bool {
	if a.Type.Unknown || b.Type.Unknown {
		return true
	}
	if a.Type.isInteger() || b.Type.isInteger() {
		return a.Type.Name == b.Type.Name && a.Type.Unsigned == b.Type.Unsigned
	}
	text := func(c *Column) bool { return c.Type.isText() && c.Type.Members == nil }
	if text(a) != text(b) {
		return false
	}
	if text(a) {
		return a.Collation == b.Collation
	}
	return true
}

// action gives ON DELETE or ON UPDATE as SHOW CREATE TABLE prints it: MySQL leaves out NO ACTION, MariaDB RESTRICT.
func (w *work) action(off int, a string) string {
	a = strings.ToUpper(a)
	switch {
	case a == "SET DEFAULT":
		if w.s.server.MariaDB {
			w.refuse(off, 1005, "InnoDB has no SET DEFAULT")
		}
		return a // accepted, and then refused for each row (tested on MySQL 9.7)
	case a == "NO ACTION" && !w.s.server.MariaDB, a == "RESTRICT" && w.s.server.MariaDB:
		return ""
	}
	return a
}

// addChecks names and checks new CHECK constraints. column is the column whose definition has them, "" for the table's.
func (w *work) addChecks(t, old *Table, defs []checkDef, column func(checkDef) string) {
	if !w.s.server.MariaDB && !w.s.server.atLeast(8, 0) {
		return // parsed and ignored
	}
	next := 0
	if old != nil {
		for _, c := range old.Checks {
			if n, ok := autoNumber(c.Name, old.Name, "_chk_"); ok {
				next = max(next, n)
			}
		}
	}
	for _, d := range defs {
		if f := d.expr.changes(); f != "" && !w.s.server.MariaDB {
			w.refuse(d.at, 3814, "the check calls %s, whose value is not always the same", f)
		}
		if d.notEnforced && w.s.server.MariaDB {
			w.refuse(d.at, 1064, "MariaDB has no NOT ENFORCED")
		}
		c := &Check{Name: d.name, Expr: d.expr.text, NotEnforced: d.notEnforced, Columns: d.expr.refs, Created: w.st}
		of := column(d)
		for _, r := range d.expr.refs {
			if of != "" && !strings.EqualFold(of, r) && !w.s.server.MariaDB {
				w.refuse(d.at, 3813, "the check of column %s names column %s", quoteName(of), quoteName(r))
			}
			if t.Column(r) == nil {
				code := 3820
				if w.s.server.MariaDB || old != nil {
					code = 1054
				}
				w.refuse(d.at, code, "the check names column %s, which table %s does not have", quoteName(r), quoteName(t.Name))
			}
			if rc := t.Column(r); rc.AutoIncrement {
				code := 3818
				if w.s.server.MariaDB {
					code = 1901
				}
				w.refuse(d.at, code, "the check names the AUTO_INCREMENT column %s", quoteName(r))
			}
		}
		switch {
		case w.s.server.MariaDB && of != "":
			c.Column, c.Name = t.Column(of).Name, t.Column(of).Name
		case w.s.server.MariaDB && c.Name == "":
			for n := 1; ; n++ {
				if c.Name = "CONSTRAINT_" + strconv.Itoa(n); t.tableCheck(c.Name) == nil {
					break
				}
			}
		case c.Name == "":
			next++
			c.Name = fmt.Sprintf("%s_chk_%d", t.Name, next)
		}
		w.nameLength(d.at, c.Name, 64)
		if w.s.server.MariaDB {
			if c.Column == "" && t.tableCheck(c.Name) != nil {
				if d.ifNotExists {
					continue
				}
				w.refuse(d.at, 1826, "table %s has a constraint %s already", quoteName(t.Name), quoteName(c.Name))
			}
		} else if other := w.checkNamed(c.Name, t); other != "" {
			w.refuse(d.at, 3822, "table %s has a check %s already", quoteName(other), quoteName(c.Name))
		}
		t.Checks = append(t.Checks, c)
	}
	w.sortChecks(t)
}

// checkActions refuses checks of columns that a foreign key's action changes (manual: CHECK Constraints).
func (w *work) checkActions(off int, t *Table) {
	code := 3823
	if w.s.server.MariaDB {
		code = 1901
	}
	for _, f := range t.ForeignKeys {
		switch {
		case f.OnUpdate == "CASCADE", strings.HasPrefix(f.OnUpdate, "SET"), strings.HasPrefix(f.OnDelete, "SET"):
		default:
			continue
		}
		for _, c := range t.Checks {
			for _, r := range c.Columns {
				if sameFold(f.Columns, r) {
					w.refuse(off, code, "check %s names column %s, which an action of foreign key %s changes", quoteName(c.Name), quoteName(r), quoteName(f.Name))
				}
			}
		}
	}
}

// tableCheck gives a check that belongs to no column.
func (t *Table) tableCheck(name string) *Check {
	for _, c := range t.Checks {
		if c.Column == "" && strings.EqualFold(c.Name, name) {
			return c
		}
	}
	return nil
}

// sortChecks puts checks in the order in which SHOW CREATE TABLE prints them: MariaDB's columns print their own with them.
func (w *work) sortChecks(t *Table) {
	if w.s.server.MariaDB {
		at := func(c *Check) int {
			for i, col := range t.Columns {
				if c.Column != "" && strings.EqualFold(col.Name, c.Column) {
					return i
				}
			}
			return len(t.Columns)
		}
		slices.SortStableFunc(t.Checks, func(a, b *Check) int { return cmp.Compare(at(a), at(b)) })
		return
	}
	slices.SortStableFunc(t.Checks, func(a, b *Check) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
}

// checkNamed gives the table that has a check of that name: in a MySQL database each is unique.
func (w *work) checkNamed(name string, t *Table) string {
	if t.Check(name) != nil {
		return t.Name
	}
	for _, o := range w.s.tables {
		if o.Name != t.Name && o.Check(name) != nil {
			return o.Name
		}
	}
	return ""
}
