package schema

import (
	"strconv"
	"strings"
)

// A createTable is CREATE TABLE as written.
type createTable struct {
	name        qname
	temporary   bool
	ifNotExists bool
	orReplace   bool
	like        *qname
	elements    []element
	options     []tableOption
	partition   *Partition
	sel         []token // of CREATE TABLE … AS SELECT
}

// createTable reads what follows CREATE [OR REPLACE] [TEMPORARY] TABLE.
func (c *cursor) createTable(ps *parsers) createTable {
	var ct createTable
	ct.ifNotExists = c.accept("if", "not", "exists")
	ct.name = c.qname()
	c.about(ct.name)
	if c.at("like") || c.at("(", "like") {
		open := c.accept("(")
		c.expect("like")
		q := c.qname()
		ct.like = &q
		if open {
			c.expect(")")
		}
		c.end()
		return ct
	}
	if c.at("(") && !c.at("(", "select") && !c.at("(", "with") && !c.at("(", "(") {
		for _, p := range split(c.src, c.skipParens()) {
			if len(p) > 1 && p[0].is(c.src, "period") && p[1].is(c.src, "for") {
				ct.options = append(ct.options, tableOption{name: "PERIOD", value: c.textOf(p[2:]), at: p[0].start})
				continue
			}
			ct.elements = append(ct.elements, c.readable(p))
		}
	}
	ct.options = append(ct.options, c.tableOptions()...)
	if c.at("partition", "by") {
		ct.partition = c.partitionBy()
	}
	if !c.accept("ignore") {
		c.accept("replace")
	}
	as := c.accept("as")
	if as || c.at("select") || c.at("(") || c.at("with") || c.at("table") || c.at("values") {
		ct.sel = c.ts[c.i : len(c.ts)-1]
		if len(ct.sel) == 0 {
			c.unexpected("SELECT")
		}
		c.i = len(c.ts) - 1
	}
	c.end()
	if len(ct.elements) == 0 && ct.sel == nil {
		c.fail(ct.name.at, 1113, "a table must have at least one column")
	}
	c.parseElements(ps, ct.elements)
	return ct
}

// about notes the table that the statement is about, for errors.
func (c *cursor) about(names ...qname) {
	for _, q := range names {
		name := q.name
		if q.db != "" {
			name = q.db + "." + name
		}
		c.objects = append(c.objects, Object{Kind: KindTable, Table: name})
		if q.db != "" {
			c.objects = append(c.objects, Object{Kind: KindTable, Table: q.name})
		}
	}
}

// A clauseKind is a kind of ALTER TABLE clause.
type clauseKind uint8

const (
	clauseNothing clauseKind = iota // ALGORITHM, LOCK, FORCE, ORDER BY and what else leaves the definition as it is
	clauseAdd                       // elements
	clauseDropColumn
	clauseModify // name is the old name, elements has the new definition
	clauseSetDefault
	clauseDropDefault
	clauseVisible // of a column
	clauseRenameColumn
	clauseDropKey
	clauseDropForeignKey
	clauseDropCheck
	clauseDropConstraint
	clauseRenameKey
	clauseKeyVisible
	clauseEnforced
	clauseOptions
	clauseConvert
	clauseRename
	clausePartitionBy
	clauseRemovePartitioning
	clauseAddPartition
	clauseDropPartition
	clauseReorganize
	clauseCoalesce
	clauseDropVersioning
)

// A clause is one clause of ALTER TABLE.
type clause struct {
	kind        clauseKind
	at          int
	elements    []element
	name, to    string
	table       qname
	first       bool
	after       string
	def         *defaultDef
	on          bool
	ifExists    bool
	ifNotExists bool
	options     []tableOption
	partition   *Partition
	names       []string
	n           int
}

// An alterTable is ALTER TABLE as written.
type alterTable struct {
	name     qname
	ifExists bool
	clauses  []clause
}

// alterTable reads what follows ALTER [IGNORE] TABLE.
func (c *cursor) alterTable(ps *parsers) alterTable {
	var at alterTable
	at.ifExists = c.accept("if", "exists")
	at.name = c.qname()
	c.about(at.name)
	if c.accept("wait") {
		c.number()
	} else {
		c.accept("nowait")
	}
	var all []*element
	for !c.done() {
		if len(at.clauses) > 0 && !c.at("partition", "by") && !c.at("remove", "partitioning") {
			c.expect(",")
		}
		at.clauses = append(at.clauses, c.clause())
		if !c.done() && !c.at(",") && !c.at("partition", "by") && !c.at("remove", "partitioning") {
			c.unexpected("a comma or the end of the statement")
		}
	}
	var elems []element
	for i := range at.clauses {
		for j := range at.clauses[i].elements {
			all = append(all, &at.clauses[i].elements[j])
			elems = append(elems, at.clauses[i].elements[j])
		}
	}
	if len(elems) > 0 {
		c.parseElements(ps, elems)
		for i := range elems {
			*all[i] = elems[i]
		}
	}
	return at
}

// toComma gives the tokens up to the next comma outside of parentheses, or to the end.
func (c *cursor) toComma() []token {
	from := c.i
	for !c.done() && !c.at(",") {
		if c.at("(") {
			c.skipParens()
			continue
		}
		if c.at("partition", "by") || c.at("remove", "partitioning") {
			break
		}
		c.i++
	}
	return c.ts[from:c.i]
}

// position takes FIRST or AFTER column off the end of a column definition.
func (c *cursor) position(cl *clause, ts []token) []token {
	n := len(ts)
	switch {
	case n > 2 && ts[n-1].is(c.src, "first"):
		cl.first = true
		return ts[:n-1]
	case n > 3 && ts[n-2].is(c.src, "after") && (ts[n-1].kind == tokWord || ts[n-1].kind == tokIdent):
		cl.after = ts[n-1].name(c.src)
		return ts[:n-2]
	}
	return ts
}

// clause reads one clause.
func (c *cursor) clause() clause {
	cl := clause{at: c.off()}
	ifExists := func() { cl.ifExists = c.accept("if", "exists") }
	switch {
	case c.accept("add", "partition"):
		cl.kind = clauseAddPartition
		cl.ifNotExists = c.accept("if", "not", "exists")
		c.noBinlog()
		if c.accept("partitions") {
			cl.n = c.number()
		} else {
			cl.partition = &Partition{Parts: c.partitions()}
		}
	case c.at("add", "system", "versioning"), c.at("add", "period"):
		cl.kind = clauseOptions
		c.i++
		cl.options = []tableOption{{name: "WITH SYSTEM VERSIONING", value: "1", at: cl.at}}
		if c.at("period") {
			c.expect("period", "for")
			cl.options[0] = tableOption{name: "PERIOD", value: c.textOf(c.toComma()), at: cl.at}
		} else {
			c.i += 2
		}
	case c.accept("add"):
		cl.kind = clauseAdd
		column := c.accept("column")
		cl.ifNotExists = c.accept("if", "not", "exists")
		if c.at("(") {
			for _, p := range split(c.src, c.skipParens()) {
				cl.elements = append(cl.elements, c.readable(p))
			}
			if len(cl.elements) == 0 {
				c.unexpected("a column")
			}
			break
		}
		ts := c.position(&cl, c.toComma())
		e := c.readable(ts)
		if column && e.col == nil {
			c.fail(cl.at, 0, "cannot read this column")
		}
		cl.elements = []element{e}
	case c.at("modify"), c.at("change"):
		cl.kind = clauseModify
		change := c.at("change")
		c.i++
		c.accept("column")
		ifExists()
		if change {
			cl.name = c.name()
		}
		ts := c.position(&cl, c.toComma())
		if len(ts) == 0 {
			c.unexpected("a column")
		}
		e := element{toks: ts}
		c.sub(ts).column(&e)
		if !change {
			cl.name = e.col.name
		}
		cl.elements = []element{e}
	case c.accept("drop"):
		c.dropClause(&cl)
	case c.accept("alter"):
		c.alterClause(&cl)
	case c.accept("rename"):
		switch {
		case c.accept("column"):
			cl.kind = clauseRenameColumn
			ifExists()
			cl.name = c.name()
			c.expect("to")
			cl.to = c.name()
		case c.at("index") || c.at("key"):
			c.i++
			cl.kind = clauseRenameKey
			ifExists()
			cl.name = c.name()
			c.expect("to")
			cl.to = c.name()
		default:
			if !c.accept("to") && !c.accept("as") {
				c.accept("=")
			}
			cl.kind = clauseRename
			cl.table = c.qname()
		}
	case c.at("convert", "to"):
		c.i += 2
		cl.kind = clauseConvert
		if !c.accept("character", "set") && !c.accept("char", "set") {
			c.expect("charset")
		}
		cl.name = canonicalCharset(c.nameOrString())
		if c.accept("collate") {
			cl.to = canonicalCollation(c.nameOrString())
		}
	case c.accept("partition", "by"):
		c.i -= 2
		cl.kind = clausePartitionBy
		cl.partition = c.partitionBy()
	case c.accept("remove", "partitioning"):
		cl.kind = clauseRemovePartitioning
	case c.accept("reorganize", "partition"):
		cl.kind = clauseReorganize
		c.noBinlog()
		if !c.done() && !c.at(",") {
			cl.names = c.names()
			c.expect("into")
			cl.partition = &Partition{Parts: c.partitions()}
		}
	case c.accept("coalesce", "partition"):
		cl.kind = clauseCoalesce
		c.noBinlog()
		cl.n = c.number()
	case c.at("truncate", "partition"), c.at("analyze", "partition"), c.at("check", "partition"), c.at("optimize", "partition"), c.at("rebuild", "partition"),
		c.at("repair", "partition"), c.at("exchange", "partition"), c.at("discard"), c.at("import"), c.at("force"), c.at("disable", "keys"), c.at("enable", "keys"),
		c.at("algorithm"), c.at("lock"), c.at("with", "validation"), c.at("without", "validation"), c.at("secondary_load"), c.at("secondary_unload"):
		c.toComma()
	case c.accept("order", "by"):
		c.i = len(c.ts) - 1 // its columns are separated by commas; it comes last
	default:
		cl.kind = clauseOptions
		cl.options = c.tableOptions()
		if len(cl.options) == 0 {
			c.unexpected("a clause of ALTER TABLE")
		}
	}
	return cl
}

func (c *cursor) noBinlog() {
	if !c.accept("no_write_to_binlog") {
		c.accept("local")
	}
}

// names reads names separated by commas.
func (c *cursor) names() []string {
	list := []string{c.name()}
	for c.accept(",") {
		list = append(list, c.name())
	}
	return list
}

// dropClause reads what follows ALTER TABLE t DROP.
func (c *cursor) dropClause(cl *clause) {
	named := func(kind clauseKind) {
		cl.kind = kind
		cl.ifExists = c.accept("if", "exists")
		cl.name = c.name()
	}
	switch {
	case c.accept("primary", "key"):
		cl.kind = clauseDropKey
		cl.name = "PRIMARY"
	case c.accept("foreign", "key"):
		named(clauseDropForeignKey)
	case c.at("index"), c.at("key"):
		c.i++
		named(clauseDropKey)
	case c.at("constraint") && !c.peek(1).is(c.src, ","):
		c.i++
		named(clauseDropConstraint)
	case c.at("check") && c.peek(1).kind != tokEOF && !c.peek(1).is(c.src, ","):
		c.i++
		named(clauseDropCheck)
	case c.accept("partition"):
		cl.kind = clauseDropPartition
		cl.ifExists = c.accept("if", "exists")
		cl.names = c.names()
	case c.accept("system", "versioning"):
		cl.kind = clauseDropVersioning
	case c.accept("period", "for"):
		cl.kind = clauseDropVersioning
		c.name()
	default:
		c.accept("column")
		named(clauseDropColumn)
		if !c.accept("restrict") {
			c.accept("cascade")
		}
	}
}

// alterClause reads what follows ALTER TABLE t ALTER.
func (c *cursor) alterClause(cl *clause) {
	switch {
	case c.at("index") || c.at("key") && !c.at("key", "set") && !c.at("key", "drop"):
		c.i++
		cl.kind = clauseKeyVisible
		cl.ifExists = c.accept("if", "exists")
		cl.name = c.name()
		switch {
		case c.accept("visible"), c.accept("not", "ignored"):
			cl.on = true
		case c.accept("invisible"), c.accept("ignored"):
		default:
			c.unexpected("VISIBLE or INVISIBLE")
		}
	case c.at("check") || c.at("constraint"):
		c.i++
		cl.kind = clauseEnforced
		cl.name = c.name()
		cl.on = !c.accept("not")
		c.expect("enforced")
	default:
		c.accept("column")
		cl.ifExists = c.accept("if", "exists")
		cl.name = c.name()
		switch {
		case c.accept("set", "default"):
			cl.kind = clauseSetDefault
			cl.def = c.defaultValue()
		case c.accept("drop", "default"):
			cl.kind = clauseDropDefault
		case c.accept("set", "visible"):
			cl.kind, cl.on = clauseVisible, true
		case c.accept("set", "invisible"):
			cl.kind = clauseVisible
		default:
			c.unexpected("SET or DROP DEFAULT")
		}
	}
}

// partitionBy reads PARTITION BY and what belongs to it.
func (c *cursor) partitionBy() *Partition {
	c.expect("partition", "by")
	p := &Partition{By: c.partitionMethod()}
	if c.accept("partitions") {
		p.Count = c.number()
	}
	if c.accept("subpartition", "by") {
		p.Sub = c.partitionMethod()
		if c.accept("subpartitions") {
			p.Sub += " SUBPARTITIONS " + strconv.Itoa(c.number())
		}
	}
	if c.at("(") {
		p.Parts = c.partitions()
		p.Count = len(p.Parts)
	} else if p.Count == 0 {
		p.Count = 1
	}
	return p
}

// partitionMethod reads RANGE (…), LIST COLUMNS (…), LINEAR HASH (…), KEY ALGORITHM = 2 (…) or SYSTEM_TIME ….
func (c *cursor) partitionMethod() string {
	by := ""
	if c.accept("linear") {
		by = "LINEAR "
	}
	switch {
	case c.accept("hash"):
		return by + "HASH (" + c.readExpr(c.skipParens()).text + ")"
	case c.accept("key"):
		by += "KEY "
		if c.accept("algorithm") {
			c.equals()
			if n := c.number(); n == 1 {
				by += "ALGORITHM = 1 "
			}
		}
		return by + "(" + c.columnList() + ")"
	case c.at("range"), c.at("list"):
		by += strings.ToUpper(c.name())
		if c.accept("columns") {
			return by + " COLUMNS (" + c.columnList() + ")"
		}
		return by + " (" + c.readExpr(c.skipParens()).text + ")"
	case c.accept("system_time"):
		from := c.i
		for !c.done() && !c.at("(") && !c.at("partitions") {
			c.i++
		}
		return strings.TrimSpace("SYSTEM_TIME " + strings.ToUpper(c.textOf(c.ts[from:c.i])))
	}
	c.unexpected("a way of partitioning")
	return ""
}

// columnList reads columns in parentheses, perhaps none.
func (c *cursor) columnList() string {
	in := c.skipParens()
	var cols []string
	for _, p := range split(c.src, in) {
		d := c.sub(p)
		cols = append(cols, quoteName(d.name()))
		d.end()
	}
	return strings.Join(cols, ",")
}

// partitions reads definitions of partitions in parentheses. The engine is left out: it is the table's.
func (c *cursor) partitions() []string {
	var parts []string
	for _, p := range split(c.src, c.skipParens()) {
		d := c.sub(p)
		parts = append(parts, d.partition("partition"))
		d.end()
	}
	return parts
}

// partition reads one definition of a partition or a subpartition.
func (d *cursor) partition(word string) string {
	d.expect(word)
	text := quoteName(d.name())
	if d.accept("values") {
		switch {
		case d.accept("less", "than"):
			text += " VALUES LESS THAN "
			if d.accept("maxvalue") {
				text += "MAXVALUE"
				break
			}
			in := d.skipParens()
			if len(in) == 1 && in[0].is(d.src, "maxvalue") {
				text += "MAXVALUE"
				break
			}
			text += "(" + d.partitionValues(in) + ")"
		case d.accept("in"):
			text += " VALUES IN (" + d.partitionValues(d.skipParens()) + ")"
		default:
			d.unexpected("LESS THAN or IN")
		}
	} else if d.accept("history") || d.accept("current") {
		text += " " + strings.ToUpper(d.ts[d.i-1].text(d.src))
	}
	for !d.done() && !d.at("(") {
		name := ""
		switch {
		case d.accept("data", "directory"):
			name = "DATA DIRECTORY"
		case d.accept("index", "directory"):
			name = "INDEX DIRECTORY"
		default:
			d.accept("storage")
			name = strings.ToUpper(d.name())
		}
		d.equals()
		value := ""
		switch t := d.peek(0); t.kind {
		case tokString:
			value = quoteString(d.str())
		case tokNumber:
			value = t.text(d.src)
			d.i++
		default:
			value = d.name()
		}
		if name != "ENGINE" {
			text += " " + name + " = " + value
		}
	}
	if d.at("(") {
		var subs []string
		for _, p := range split(d.src, d.skipParens()) {
			s := d.sub(p)
			subs = append(subs, s.partition("subpartition"))
			s.end()
		}
		text += " (" + strings.Join(subs, ",") + ")"
	}
	return text
}

// partitionValues gives the values of a partition. The server prints what a function of a constant gives; of those only
// TO_DAYS of a date and YEAR are worked out here, which are nearly all that there is.
func (d *cursor) partitionValues(ts []token) string {
	var vals []string
	for _, p := range split(d.src, ts) {
		if len(p) == 1 && p[0].is(d.src, "maxvalue") {
			vals = append(vals, "MAXVALUE")
			continue
		}
		if len(p) > 2 && p[0].is(d.src, "(") && p[len(p)-1].is(d.src, ")") {
			vals = append(vals, "("+d.partitionValues(p[1:len(p)-1])+")")
			continue
		}
		v := foldDays(d.readExpr(p).text)
		if v == "null" { // the server prints it first
			vals = append([]string{v}, vals...)
			continue
		}
		vals = append(vals, v)
	}
	return strings.Join(vals, ",")
}

// foldDays works out to_days('2024-01-01') and year('2024-01-01').
func foldDays(text string) string {
	for _, f := range [...]string{"to_days('", "year('"} {
		arg, ok := strings.CutPrefix(text, f)
		if !ok {
			continue
		}
		arg, ok = strings.CutSuffix(arg, "')")
		y, m, d, valid := parseDate(arg)
		if !ok || !valid || m == 0 || d == 0 {
			continue
		}
		if f[0] == 'y' {
			return strconv.Itoa(y)
		}
		return strconv.Itoa(dayNumber(y, m, d))
	}
	return text
}

// dayNumber counts days from the year 0, as TO_DAYS does.
func dayNumber(y, m, d int) int {
	if y == 0 && m == 0 {
		return 0
	}
	n := 365*y + 31*(m-1) + d
	if m <= 2 {
		y--
	} else {
		n -= (m*4 + 23) / 10
	}
	return n + y/4 - (y/100+1)*3/4
}

// parseDate reads YYYY-MM-DD at the beginning of a string.
func parseDate(s string) (y, m, d int, ok bool) {
	if i := strings.IndexAny(s, " T"); i >= 0 {
		s = s[:i]
	}
	parts := strings.Split(s, "-")
	if len(parts) != 3 || len(parts[0]) != 4 {
		return 0, 0, 0, false
	}
	y, err1 := strconv.Atoi(parts[0])
	m, err2 := strconv.Atoi(parts[1])
	d, err3 := strconv.Atoi(parts[2])
	ok = err1 == nil && err2 == nil && err3 == nil && m >= 0 && m <= 12 && d >= 0 && d <= 31 && y >= 0
	return y, m, d, ok
}
