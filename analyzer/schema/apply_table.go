package schema

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// createTable applies CREATE TABLE.
func (w *work) createTable(ct *createTable) {
	if ct.temporary && w.exists(ct.name.name) && (ct.name.db == "" || ct.name.db == w.s.database) {
		// Statements that follow mean the temporary one, until it goes.
		w.refuse(ct.name.at, 0, "a temporary table hides %s", quoteName(ct.name.name))
	}
	if ct.temporary || ct.name.system() {
		return
	}
	w.here(ct.name)
	name := ct.name.name
	w.nameLength(ct.name.at, name, 64)
	if w.exists(name) {
		switch {
		case ct.ifNotExists:
			return
		case ct.orReplace && w.s.tables[name] != nil:
			w.checkNoChildren(ct.name.at, name, nil)
			w.removeTable(name)
		default:
			w.refuse(ct.name.at, 1050, "table %s exists already", quoteName(name))
		}
	}
	if ct.like != nil {
		w.createLike(ct)
		return
	}
	t := &Table{Name: name, Engine: w.s.session.engine, Charset: w.s.Charset(), Collation: w.s.Collation(), Created: w.st}
	t.Origin = w.origin(name)
	w.setOptions(t, ct.options)
	sel := w.selectColumns(ct)
	var defs []*columnDef
	for i := range ct.elements {
		if d := ct.elements[i].col; d != nil {
			defs = append(defs, d)
			if t.Column(d.name) != nil {
				w.refuse(d.at, 1060, "table %s has a column %s already", quoteName(name), quoteName(d.name))
			}
			t.Columns = append(t.Columns, w.column(d, t))
		}
	}
	for _, c := range sel {
		if t.Column(c.Name) == nil {
			t.Columns = append(t.Columns, c)
		}
	}
	if len(t.Columns) == 0 {
		w.refuse(ct.name.at, 1113, "a table must have at least one column")
	}
	w.firstTimestamp(t, defs)
	for _, d := range defs {
		c := t.Column(d.name)
		if d.primary && d.def != nil && d.def.kind == defNull {
			w.refuse(d.def.at, 1067, "invalid default for column %s: it is the primary key", quoteName(d.name))
		}
		if len(sel) > 0 && w.s.session.strict() && (!c.Nullable && c.Default == nil || d.primary && d.def == nil) && !c.AutoIncrement && c.Generated == nil &&
			!slices.ContainsFunc(sel, func(s *Column) bool { return strings.EqualFold(s.Name, c.Name) }) {
			w.refuse(d.at, 1364, "the SELECT gives no value for column %s, which has no default", quoteName(d.name))
		}
	}
	for _, c := range t.Columns {
		if c.Origin == "" {
			c.Origin = w.origin(name + "." + c.Name)
		}
	}
	n := w.newParts(ct.elements)
	w.setKeys(t, n.keys, n.nulls)
	w.checkAuto(ct.name.at, t)
	t.noAuto()
	w.addForeignKeys(t, nil, n.fks)
	w.addChecks(t, nil, n.checks, n.checkColumn)
	w.checkActions(ct.name.at, t)
	w.checkGenerated(t, defs)
	w.checkRow(ct.name.at, t)
	if ct.partition != nil {
		p := *ct.partition
		p.Last = w.st
		t.Partition = &p
		w.checkPartition(ct.name.at, t)
	}
	w.putTable(t)
}

// exists tells whether a table, view or sequence bears that name: they share theirs.
func (w *work) exists(name string) bool {
	return w.s.tables[name] != nil || w.s.views[name] != nil || w.s.seqs[name] != nil
}

// newParts are the keys and constraints that definitions bring, in their order, those in column definitions among them.
type newParts struct {
	keys    []keySpec
	fks     []*fkDef
	checks  []checkDef
	columns map[int]string  // offset of a check → the column whose definition has it
	nulls   map[string]bool // columns that are declared NULL, in lower case
}

func (n *newParts) checkColumn(d checkDef) string { return n.columns[d.at] }

// newParts collects them from the definitions.
func (w *work) newParts(elems []element) newParts {
	n := newParts{columns: map[int]string{}, nulls: map[string]bool{}}
	for i := range elems {
		switch e := &elems[i]; {
		case e.col != nil:
			d := e.col
			if d.null {
				n.nulls[strings.ToLower(d.name)] = true
			}
			// Column attributes make the keys in this order whatever theirs is.
			if d.primary {
				n.keys = append(n.keys, keySpec{Key: &Key{Kind: PrimaryKey, Parts: []KeyPart{{Column: d.name}}}, at: d.at})
			}
			if d.unique && !(d.primary && w.s.server.MariaDB) {
				n.keys = append(n.keys, keySpec{Key: &Key{Kind: UniqueKey, Parts: []KeyPart{{Column: d.name}}}, at: d.at})
			}
			if d.ref != nil && (w.s.server.atLeast(9, 0) || w.s.server.mariaAtLeast(10, 5)) { // before, parsed and ignored
				w.foreignKeySpec(&n, d.ref)
			}
			for _, c := range d.checks {
				n.columns[c.at] = d.name
				n.checks = append(n.checks, c)
			}
			if d.typ.Name == "json" && w.s.server.MariaDB && len(d.checks) == 0 {
				c := checkDef{at: -1 - d.at, expr: expression{text: "json_valid(" + quoteName(d.name) + ")", refs: []string{d.name}}}
				n.columns[c.at] = d.name
				n.checks = append(n.checks, c)
			}
		case e.key != nil:
			k := e.key.Key
			k.Parts = slices.Clone(k.Parts)
			n.keys = append(n.keys, keySpec{Key: &k, at: e.key.at, exprs: e.key.exprs})
		case e.fk != nil:
			w.foreignKeySpec(&n, e.fk)
		case e.check != nil:
			n.checks = append(n.checks, *e.check)
		}
	}
	return n
}

// foreignKeySpec adds a foreign key and the key that the server makes for it, named like the constraint.
func (w *work) foreignKeySpec(n *newParts, f *fkDef) {
	n.fks = append(n.fks, f)
	k := &Key{Name: f.Name, Kind: PlainKey, Implicit: true}
	if k.Name == "" {
		k.Name = f.index
	}
	for _, c := range f.Columns {
		k.Parts = append(k.Parts, KeyPart{Column: c})
	}
	n.keys = append(n.keys, keySpec{Key: k, at: f.at})
}

// firstTimestamp gives TIMESTAMP columns the defaults that they have without explicit_defaults_for_timestamp: the first one the
// current time, the others zero (manual: Automatic Initialization and Updating for TIMESTAMP and DATETIME).
func (w *work) firstTimestamp(t *Table, defs []*columnDef) {
	if w.s.session.timestamps {
		return
	}
	first := true
	for _, c := range t.Columns {
		if c.Type.Name != "timestamp" || c.Generated != nil {
			continue
		}
		i := slices.IndexFunc(defs, func(d *columnDef) bool { return strings.EqualFold(d.name, c.Name) })
		if i >= 0 && !c.Nullable && c.Default == nil && c.OnUpdate == "" {
			if first {
				c.Default = &Default{Value: nowText(max(c.Type.Length, 0)), Expr: true}
				c.OnUpdate = c.Default.Value
			}
		}
		if i >= 0 && !c.Nullable && c.Default == nil {
			zero := "0000-00-00 00:00:00"
			if c.Type.Length > 0 {
				zero += "." + strings.Repeat("0", c.Type.Length)
			}
			if n := w.s.session; n.strict() && n.has("NO_ZERO_DATE") {
				w.refuse(defs[i].at, 1067, "column %s gets the zero date as its default, which sql_mode forbids", quoteName(c.Name))
			}
			c.Default = &Default{Value: zero}
		}
		first = false
	}
}

// setOptions applies table options.
func (w *work) setOptions(t *Table, opts []tableOption) {
	set, collation := "", ""
	at := 0
	for _, o := range opts {
		switch o.name {
		case "CHARSET":
			if set != "" && set != o.value {
				w.refuse(o.at, 1302, "conflicting character sets %s and %s", quoteName(set), quoteName(o.value))
			}
			set, at = o.value, o.at
		case "COLLATE":
			collation, at = o.value, o.at
		case "ENGINE", "TYPE":
			t.Engine = engineName(o.value)
		case "COMMENT":
			t.Comment = o.value
		case "PASSWORD", "SEQUENCE":
		case "TABLE_CHECKSUM":
			t.option("CHECKSUM", o.value)
		default:
			t.option(o.name, o.value)
		}
	}
	if set != "" || collation != "" {
		t.Charset, t.Collation = w.charsetPair(at, set, collation, t.Charset)
	}
}

// option sets a table option; the value that means nothing special removes it.
func (t *Table) option(name, value string) {
	if t.Options == nil {
		t.Options = map[string]string{}
	}
	switch value {
	case "", "DEFAULT", "''":
		delete(t.Options, name)
	case "0":
		if name == "AUTO_INCREMENT" || name == "KEY_BLOCK_SIZE" || name == "MAX_ROWS" || name == "MIN_ROWS" || name == "AVG_ROW_LENGTH" || name == "CHECKSUM" || name == "DELAY_KEY_WRITE" {
			delete(t.Options, name)
			break
		}
		t.Options[name] = value
	case "1":
		if name == "AUTO_INCREMENT" {
			delete(t.Options, name)
			break
		}
		t.Options[name] = value
	default:
		t.Options[name] = value
	}
}

// noAuto drops the option AUTO_INCREMENT where no column counts: the server does not keep it.
func (t *Table) noAuto() {
	if t.Options["AUTO_INCREMENT"] != "" && !slices.ContainsFunc(t.Columns, func(c *Column) bool { return c.AutoIncrement }) {
		delete(t.Options, "AUTO_INCREMENT")
	}
}

// engineName gives a storage engine's name in its usual letters.
func engineName(s string) string {
	for _, e := range [...]string{"InnoDB", "MyISAM", "MEMORY", "CSV", "ARCHIVE", "BLACKHOLE", "FEDERATED", "NDBCLUSTER", "Aria", "SEQUENCE", "MRG_MyISAM"} {
		if strings.EqualFold(e, s) {
			return e
		}
	}
	switch strings.ToLower(s) {
	case "heap":
		return "MEMORY"
	case "ndb":
		return "NDBCLUSTER"
	case "merge":
		return "MRG_MyISAM"
	}
	return s
}

// checkGenerated checks that the columns of expressions exist.
func (w *work) checkGenerated(t *Table, defs []*columnDef) {
	for _, d := range defs {
		if d.generated == nil {
			if d.def != nil && d.def.kind == defExpr {
				for _, r := range d.def.expr.refs {
					if t.Column(r) == nil {
						w.refuse(d.def.at, 1054, "the default of %s names column %s, which table %s does not have", quoteName(d.name), quoteName(r), quoteName(t.Name))
					}
					if t.Column(r).AutoIncrement {
						code := 3768
						if w.s.server.MariaDB {
							code = 1901
						}
						w.refuse(d.def.at, code, "the default of %s names the AUTO_INCREMENT column %s", quoteName(d.name), quoteName(r))
					}
				}
			}
			continue
		}
		for _, r := range d.genExpr.refs {
			c := t.Column(r)
			if c == nil {
				w.refuse(d.at, 1054, "generated column %s names column %s, which table %s does not have", quoteName(d.name), quoteName(r), quoteName(t.Name))
			}
			if c.Generated != nil && slices.Index(t.Columns, c) >= slices.Index(t.Columns, t.Column(d.name)) {
				code := 3107
				if w.s.server.MariaDB {
					code = 4029
				}
				w.refuse(d.at, code, "generated column %s names the generated column %s, which does not stand before it", quoteName(d.name), quoteName(r))
			}
			if c.AutoIncrement && !w.s.server.MariaDB {
				w.refuse(d.at, 3109, "generated column %s names the AUTO_INCREMENT column %s", quoteName(d.name), quoteName(r))
			}
		}
		if f := d.genExpr.changes(); f != "" && !w.s.server.MariaDB {
			w.refuse(d.at, 3763, "generated column %s calls %s, whose value is not always the same", quoteName(d.name), f)
		}
		if d.genExpr.subquery {
			w.refuse(d.at, 3102, "generated column %s has a subquery", quoteName(d.name))
		}
	}
}

// checkRow refuses rows that are too long as declared (manual: Limits on Table Column Count and Row Size).
func (w *work) checkRow(off int, t *Table) {
	if len(t.Columns) > 4096 || len(t.Columns) > 1017 && t.Engine == "InnoDB" {
		w.refuse(off, 1117, "table %s has too many columns: %d", quoteName(t.Name), len(t.Columns))
	}
	total, visible := 0, false
	for _, c := range t.Columns {
		visible = visible || !c.Invisible
		if c.Invisible && !c.Nullable && c.Default == nil && !c.AutoIncrement && c.Generated == nil && w.s.server.MariaDB {
			w.refuse(off, 4108, "invisible column %s must have a default", quoteName(c.Name))
		}
		width := 1
		if c.Charset != "" {
			width = charsets[c.Charset].max
		}
		switch c.Type.Name {
		case "varchar", "varbinary":
			total += c.Type.Length*width + 1
			if c.Type.Length*width > 255 {
				total++
			}
		case "char", "binary":
			total += c.Type.Length * width
		case "bigint", "double":
			total += 8
		case "int", "float", "timestamp":
			total += 4
		default:
			total++ // at least
		}
	}
	if total > 65535 {
		w.refuse(off, 1118, "a row of table %s is too long: at least %d bytes, 65535 allowed", quoteName(t.Name), total)
	}
	if !visible {
		code := 4028
		if w.s.server.MariaDB {
			code = 4105
		}
		w.refuse(off, code, "table %s must have a visible column", quoteName(t.Name))
	}
}

// createLike applies CREATE TABLE … LIKE: columns, keys and checks, but no foreign keys (manual: CREATE TABLE ... LIKE Statement).
func (w *work) createLike(ct *createTable) {
	w.c.about(*ct.like)
	w.here(*ct.like)
	src := w.table(*ct.like)
	t := src.clone()
	t.Name = ct.name.name
	t.ForeignKeys = nil
	t.Created = w.st
	t.Origin = w.origin(t.Name)
	delete(t.Options, "AUTO_INCREMENT")
	delete(t.Options, "DATA DIRECTORY")
	delete(t.Options, "INDEX DIRECTORY")
	for i, c := range t.Columns {
		n := *c
		n.Origin = w.origin(t.Name + "." + c.Name)
		n.Created, n.Last = w.st, w.st
		t.Columns[i] = &n
	}
	for i, k := range t.Keys {
		n := *k
		n.Created, n.Last = w.st, w.st
		t.Keys[i] = &n
	}
	for i, c := range t.Checks {
		n := *c
		n.Created = w.st
		if !w.s.server.MariaDB { // names are unique in the database: all are generated anew
			n.Name = t.Name + "_chk_" + strconv.Itoa(i+1)
		}
		t.Checks[i] = &n
	}
	w.putTable(t)
}

// removeTable takes a table out of the schema, with its triggers.
func (w *work) removeTable(name string) {
	t := w.s.tables[name]
	delete(own(w, ownTables, &w.s.tables), name)
	w.dropped(Object{Kind: KindTable, Table: name})
	if w.s.unread[name] {
		w.s.unread = maps.Clone(w.s.unread)
		delete(w.s.unread, name)
	}
	for _, g := range w.s.Triggers() {
		if g.Table == t.Name {
			delete(own(w, ownTriggers, &w.s.trigs), g.Name)
			w.dropped(Object{KindTrigger, g.Table, g.Name})
		}
	}
}

// referring gives the tables with foreign keys that refer to a table, sorted by name.
func (w *work) referring(name string) []*Table {
	var list []*Table
	for _, t := range w.s.tables {
		if slices.ContainsFunc(t.ForeignKeys, func(f *ForeignKey) bool { return f.RefTable == name }) {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b *Table) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// checkNoChildren refuses to drop a table to which foreign keys of others refer. going are dropped in the same statement.
func (w *work) checkNoChildren(off int, name string, going []qname) {
	if !w.s.session.foreignKeyChecks {
		return
	}
	for _, child := range w.referring(name) {
		if child.Name == name || slices.ContainsFunc(going, func(q qname) bool { return q.name == child.Name }) {
			continue
		}
		for _, f := range child.ForeignKeys {
			if f.RefTable == name {
				code := 3730
				if w.s.server.MariaDB {
					code = 1451
				} else if !w.s.server.atLeast(8, 0) {
					code = 1217
				}
				w.refuse(off, code, "cannot drop table %s: foreign key %s of %s refers to it", quoteName(name), quoteName(f.Name), quoteName(child.Name))
			}
		}
	}
}

// dropTables applies DROP TABLE.
func (w *work) dropTables() {
	c := w.c
	ifExists := c.accept("if", "exists")
	var list []qname
	for {
		list = append(list, c.qname())
		if !c.accept(",") {
			break
		}
	}
	if !c.accept("restrict") {
		c.accept("cascade")
	}
	c.about(list...)
	for c.accept("wait") || c.accept("nowait") {
		if c.peek(0).kind == tokNumber {
			c.i++
		}
	}
	c.end()
	var missing *qname
	// MariaDB and MySQL 5.7 drop one after the other, MySQL 8 all or none (manual: DROP TABLE Statement).
	oneByOne := !w.s.server.atLeast(8, 0)
	for i, q := range list {
		if q.system() {
			continue
		}
		w.here(q)
		if w.s.tables[q.name] == nil {
			if missing == nil && !ifExists {
				missing = &list[i]
			}
			continue
		}
	}
	if missing != nil && !oneByOne {
		w.refuse(missing.at, 1051, "table %s does not exist", quoteName(missing.name))
	}
	var first *bailout
	for _, q := range list {
		if q.system() || w.s.tables[q.name] == nil {
			continue
		}
		if !oneByOne {
			w.checkNoChildren(q.at, q.name, list)
			continue
		}
		if err := w.try(func() { w.checkNoChildren(q.at, q.name, nil) }); err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		w.partial = true
		w.removeTable(q.name)
	}
	if first != nil {
		panic(*first)
	}
	for _, q := range list {
		if !oneByOne && w.s.tables[q.name] != nil {
			w.removeTable(q.name)
		}
	}
	if missing != nil {
		if w.s.server.MariaDB && w.s.views[missing.name] != nil {
			w.refuse(missing.at, 1965, "%s is a view", quoteName(missing.name))
		}
		w.refuse(missing.at, 1051, "table %s does not exist", quoteName(missing.name))
	}
}

// try gives the error with which f bails out, nil if it does not.
func (w *work) try(f func()) (err *bailout) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case bailout:
			err = &p
		default:
			panic(p)
		}
	}()
	f()
	return nil
}

// renameTables applies RENAME TABLE: from left to right, all or nothing.
func (w *work) renameTables() {
	c := w.c
	c.accept("if", "exists")
	for {
		from := c.qname()
		for c.accept("wait") || c.accept("nowait") {
			if c.peek(0).kind == tokNumber {
				c.i++
			}
		}
		if !c.accept("to") {
			c.expect("as")
		}
		to := c.qname()
		c.about(from, to)
		w.rename(from, to)
		if !c.accept(",") {
			break
		}
	}
	c.end()
}

// rename gives a table or view another name. Foreign keys that refer to it follow, and those that the server named.
func (w *work) rename(from, to qname) {
	w.here(from)
	w.here(to)
	w.nameLength(to.at, to.name, 64)
	if v := w.s.views[from.name]; v != nil {
		if w.exists(to.name) {
			w.refuse(to.at, 1050, "table %s exists already", quoteName(to.name))
		}
		n := *v
		n.Name = to.name
		views := own(w, ownViews, &w.s.views)
		delete(views, from.name)
		views[to.name] = &n
		w.dropped(Object{Kind: KindView, Name: from.name})
		return
	}
	if q := w.s.seqs[from.name]; q != nil && !w.exists(to.name) {
		n := *q
		n.Name = to.name
		seqs := own(w, ownSequences, &w.s.seqs)
		delete(seqs, from.name)
		seqs[to.name] = &n
		w.dropped(Object{Kind: KindSequence, Name: from.name})
		return
	}
	t := w.s.tables[from.name]
	if t == nil {
		w.refuse(from.at, 1146, "table %s does not exist", quoteName(from.name))
	}
	if from.name == to.name && w.s.server.MariaDB || w.exists(to.name) {
		w.refuse(to.at, 1050, "table %s exists already", quoteName(to.name))
	}
	w.renameTable(t.clone(), to.name)
}

// renameTable puts an own copy of a table under another name.
func (w *work) renameTable(t *Table, to string) {
	from := t.Name
	delete(own(w, ownTables, &w.s.tables), from)
	w.dropped(Object{Kind: KindTable, Table: from})
	t.Name = to
	for i, f := range t.ForeignKeys {
		n := *f
		if _, auto := autoNumber(f.Name, from, "_ibfk_"); auto {
			n.Name = to + strings.TrimPrefix(f.Name, from)
		}
		if f.RefTable == from {
			n.RefTable = to
		}
		t.ForeignKeys[i] = &n
	}
	for i, c := range t.Checks {
		if _, auto := autoNumber(c.Name, from, "_chk_"); auto && !w.s.server.MariaDB {
			n := *c
			n.Name = to + strings.TrimPrefix(c.Name, from)
			t.Checks[i] = &n
		}
	}
	w.sortChecks(t)
	w.putTable(t)
	w.children(from, func(f *ForeignKey) { f.RefTable = to })
	for _, g := range w.s.Triggers() {
		if g.Table == from {
			n := *g
			n.Table = to
			own(w, ownTriggers, &w.s.trigs)[g.Name] = &n
		}
	}
}

// children changes the foreign keys of other tables that refer to a table.
func (w *work) children(parent string, change func(*ForeignKey)) {
	for _, child := range w.referring(parent) {
		var n *Table
		for i, f := range child.ForeignKeys {
			if f.RefTable != parent {
				continue
			}
			if n == nil {
				n = child.clone()
			}
			g := *f
			g.RefColumns = slices.Clone(f.RefColumns)
			change(&g)
			n.ForeignKeys[i] = &g
		}
		if n != nil {
			own(w, ownTables, &w.s.tables)[n.Name] = n
		}
	}
}

// createIndex applies CREATE INDEX: the ALTER TABLE … ADD INDEX that the server makes of it.
func (w *work) createIndex(replace bool) {
	c := w.c
	var ts []token
	if !c.at("index") {
		ts = append(ts, c.peek(0))
		c.i++
	}
	ts = append(ts, c.peek(0))
	c.i++
	ifNotExists := c.accept("if", "not", "exists")
	from := c.i
	name := c.name()
	for c.accept("using") || c.accept("type") {
		c.name()
	}
	ts = append(ts, c.ts[from:c.i]...)
	c.expect("on")
	q := c.qname()
	c.about(q)
	from = c.i
	c.skipParens()
	for !c.done() && !c.at("algorithm") && !c.at("lock") && !c.at("wait") && !c.at("nowait") {
		c.i++
	}
	ts = append(ts, c.ts[from:c.i]...)
	e := c.element(ts)
	elems := []element{e}
	c.parseElements(w.s.parsers, elems)
	w.here(q)
	if t := w.s.tables[q.name]; replace && t != nil && t.Key(name) != nil {
		w.alterTable(&alterTable{name: q, clauses: []clause{{kind: clauseDropKey, name: name, at: from}, {kind: clauseAdd, elements: elems}}})
		return
	}
	w.alterTable(&alterTable{name: q, clauses: []clause{{kind: clauseAdd, elements: elems, ifNotExists: ifNotExists}}})
}

// dropIndex applies DROP INDEX.
func (w *work) dropIndex() {
	c := w.c
	c.expect("index")
	ifExists := c.accept("if", "exists")
	at := c.off()
	name := c.name()
	c.expect("on")
	q := c.qname()
	c.about(q)
	w.alterTable(&alterTable{name: q, clauses: []clause{{kind: clauseDropKey, name: name, at: at, ifExists: ifExists}}})
}

// selectColumns gives the columns that CREATE TABLE … AS SELECT takes from its SELECT. It can be told for plain columns of tables
// that are known; of everything else the type is unknown.
func (w *work) selectColumns(ct *createTable) []*Column {
	if ct.sel == nil {
		return nil
	}
	fields, ok := w.selectFields(w.c.textOf(ct.sel))
	if !ok {
		w.refuse(ct.sel[0].start, 0, "the columns of this SELECT cannot be told")
	}
	var cols []*Column
	for _, f := range fields {
		if f.missing {
			w.refuse(ct.sel[0].start, 1054, "the tables of this SELECT have no column %s", quoteName(f.name))
		}
		if f.column == nil {
			w.c.gap(&Error{Pos: w.st.PosAt(ct.sel[0].start), Msg: "the type of column " + quoteName(f.name) + " of this SELECT cannot be told"}, Object{KindColumn, ct.name.name, f.name})
			f.column = &Column{Type: Type{Name: "unknown", Length: -1, Scale: -1, Unknown: true}, Nullable: true, SRID: -1}
		}
		n := *f.column
		n.Name, n.Created, n.Last, n.Origin = f.name, w.st, w.st, ""
		if n.AutoIncrement {
			n.Default = &Default{Value: "0"} // what it leaves behind (tested on MariaDB 10.11 and MySQL 9.7)
		}
		n.AutoIncrement, n.Generated, n.Invisible = false, nil, false
		n.implicitNull()
		cols = append(cols, &n)
	}
	return cols
}

// checkPartition checks partitioning against the keys (manual: Partitioning Keys, Primary Keys, and Unique Keys).
func (w *work) checkPartition(off int, t *Table) {
	p := t.Partition
	if p == nil {
		return
	}
	seen := map[string]bool{}
	for _, d := range p.Parts {
		name := strings.ToLower(partName(d))
		if seen[name] {
			w.refuse(off, 1517, "table %s has two partitions %s", quoteName(t.Name), quoteName(name))
		}
		seen[name] = true
	}
	for _, k := range tokens(p.By, 0) {
		if name := k.name(p.By); k.kind == tokIdent && t.Column(name) == nil {
			code := 1054
			if strings.Contains(p.By, "COLUMNS (") || strings.Contains(p.By, "KEY ") {
				code = 1488
			}
			w.refuse(off, code, "table %s is partitioned by column %s, which it does not have", quoteName(t.Name), quoteName(name))
		}
	}
	if _, of, ok := strings.Cut(p.By, "("); ok && !strings.Contains(p.By, "COLUMNS (") && !strings.Contains(p.By, "KEY ") {
		if c := t.Column(unquote(strings.TrimSuffix(of, ")"))); c != nil && of == quoteName(c.Name)+")" && !c.Type.isInteger() && !c.Type.Unknown && c.Type.Name != "bit" && c.Type.Name != "year" {
			w.refuse(off, 1659, "column %s of type %s cannot partition table %s this way", quoteName(c.Name), c.Type.Name, quoteName(t.Name))
		}
	}
	if len(t.ForeignKeys) > 0 {
		w.refuse(off, 1506, "partitioned table %s cannot have foreign keys", quoteName(t.Name))
	}
	for _, child := range w.referring(t.Name) {
		for _, f := range child.ForeignKeys {
			if f.RefTable == t.Name {
				w.refuse(off, 1506, "partitioned table %s cannot have foreign keys that refer to it", quoteName(t.Name))
			}
		}
	}
	if p.By == "KEY ()" && !slices.ContainsFunc(t.Keys, func(k *Key) bool { return k.Kind == PrimaryKey || k.Kind == UniqueKey }) {
		w.refuse(off, 1488, "table %s has no key to be partitioned by", quoteName(t.Name))
	}
	cols := p.columns(t)
	for _, k := range t.Keys {
		if k.Kind != PrimaryKey && k.Kind != UniqueKey {
			continue
		}
		for _, c := range cols {
			if !sameFold(k.columns(), c) {
				w.refuse(off, 1503, "key %s of partitioned table %s must have column %s", quoteName(k.Name), quoteName(t.Name), quoteName(c))
			}
		}
	}
}

// columns gives the columns of the table that the partitioning names.
func (p *Partition) columns(t *Table) []string {
	var cols []string
	for _, c := range t.Columns {
		if q := strings.ToLower(quoteName(c.Name)); strings.Contains(strings.ToLower(p.By), q) || strings.Contains(strings.ToLower(p.Sub), q) {
			cols = append(cols, c.Name)
		}
	}
	return cols
}

// partName gives the name of a partition from its definition.
func partName(def string) string {
	for i := 1; i < len(def); i++ {
		if def[i] == '`' {
			if i+1 < len(def) && def[i+1] == '`' {
				i++
				continue
			}
			return unquote(def[:i+1])
		}
	}
	return def
}
