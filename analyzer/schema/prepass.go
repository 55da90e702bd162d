package schema

import (
	"slices"
	"strconv"
	"strings"
)

// The pre-pass takes out of a definition what the parser cannot read, and remembers it: it writes the definition again with
// something in that place which the parser can read. What is left out here is put back in parse_table.go.

// An element is one entry of the list in CREATE TABLE's parentheses, or the same thing in an ALTER TABLE clause.
type element struct {
	toks  []token
	text  string // what the parser is given
	col   *columnDef
	key   *keyDef
	fk    *fkDef
	check *checkDef
}

// A columnDef is a column's definition as written: nothing is inherited yet.
type columnDef struct {
	name       string
	at         int // offset of the definition
	typ        Type
	charset    string // as written, canonical
	collation  string
	binary     bool // the BINARY attribute: the charset's _bin collation
	null       bool
	notNull    bool
	def        *defaultDef
	onUpdate   *defaultDef
	auto       bool
	primary    bool
	unique     bool
	comment    string
	generated  *Generated
	genExpr    expression
	invisible  bool
	srid       int
	attributes []string
	checks     []checkDef
	ref        *fkDef
	lifted     bool // typ was read here and not by the parser
}

// A defaultDef is a DEFAULT or ON UPDATE clause as written.
type defaultDef struct {
	kind defaultKind
	text string // the literal's value, or the expression's canonical text
	expr expression
	fsp  int // of defNow
	at   int
}

type defaultKind uint8

const (
	defNull defaultKind = iota
	defString
	defNumber
	defBits
	defBool
	defNow
	defExpr
)

// A keyDef is an index as written.
type keyDef struct {
	Key
	symbol      string // after CONSTRAINT
	at          int
	ifNotExists bool
	exprs       []expression // of Parts, by index; empty for columns
}

// A fkDef is a foreign key as written.
type fkDef struct {
	ForeignKey
	refDB       string
	index       string // FOREIGN KEY index (…)
	at          int
	ifNotExists bool
}

// A checkDef is a CHECK constraint as written.
type checkDef struct {
	name        string
	expr        expression
	notEnforced bool
	at          int
	ifNotExists bool
}

// parserWords are words that the parser reserves and the servers do not. It is only read.
var parserWords = wordSet("array ilike tablesample until stats_extended tidb_current_tso")

// A writer composes the text that the parser is given.
type writer struct {
	c *cursor
	b strings.Builder
}

func (w *writer) token(t token) {
	switch {
	case t.kind == tokWord && parserWords[strings.ToLower(t.text(w.c.src))]:
		w.b.WriteString(quoteName(t.text(w.c.src)))
	case t.kind == tokIdent:
		w.b.WriteString(quoteName(t.name(w.c.src)))
	case t.kind == tokString && t.text(w.c.src)[0] != '\'' && t.text(w.c.src)[0] != '"':
		w.b.WriteString(quoteString(t.value(w.c.src, w.c.mode))) // N'…'
	default:
		w.b.WriteString(t.text(w.c.src))
	}
	w.b.WriteByte(' ')
}

func (w *writer) word(s string) {
	w.b.WriteString(s)
	w.b.WriteByte(' ')
}

// element reads one entry of a list of definitions.
func (c *cursor) element(ts []token) element {
	if len(ts) == 0 {
		c.unexpected("a column or a key")
	}
	e := element{toks: ts}
	d := c.sub(ts)
	if ts[0].kind == tokWord && constraintWords[strings.ToLower(ts[0].text(c.src))] {
		d.constraint(&e)
		return e
	}
	d.column(&e)
	return e
}

// readable is element, but a column whose definition cannot be read becomes one of an unknown type.
func (c *cursor) readable(ts []token) (e element) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		b, ok := p.(bailout)
		if !ok || b.err.Code != 0 || len(ts) < 2 || ts[0].kind != tokIdent && (ts[0].kind != tokWord || constraintWords[strings.ToLower(ts[0].text(c.src))]) {
			panic(p)
		}
		col := &columnDef{name: ts[0].name(c.src), at: ts[0].start, srid: -1, lifted: true}
		if col.name == "" {
			panic(p) // an object without a name would be its table
		}
		col.typ = Type{Name: strings.ToLower(ts[1].text(c.src)), Length: -1, Scale: -1, Unknown: true}
		table := ""
		if len(c.objects) > 0 {
			table = c.objects[0].Table
		}
		c.gap(b.err, Object{KindColumn, table, col.name})
		e = element{toks: ts, col: col, text: quoteName(col.name) + " INT"}
	}()
	return c.element(ts)
}

// constraintWords begin what is no column. It is only read.
var constraintWords = wordSet("constraint primary unique key index fulltext spatial foreign check")

// spatialTypes are the types of geometries, with their canonical names. It is only read.
var spatialTypes = map[string]string{
	"geometry": "geometry", "point": "point", "linestring": "linestring", "polygon": "polygon", "multipoint": "multipoint",
	"multilinestring": "multilinestring", "multipolygon": "multipolygon",
	"geometrycollection": "geomcollection", "geomcollection": "geomcollection",
}

// column reads a column definition up to its end.
func (d *cursor) column(e *element) {
	w := writer{c: d}
	col := &columnDef{at: d.off(), srid: -1, typ: Type{Length: -1, Scale: -1}}
	e.col = col
	col.name = d.name()
	w.word(quoteName(col.name))
	d.liftType(col, &w)
	for !d.done() {
		if !d.liftAttribute(col, &w) {
			w.token(d.peek(0))
			d.i++
		}
	}
	e.text = w.b.String()
}

// liftType takes out the types that the parser does not know.
func (d *cursor) liftType(col *columnDef, w *writer) {
	t := d.peek(0)
	if t.kind != tokWord {
		d.unexpected("a data type")
	}
	word := strings.ToLower(t.text(d.src))
	lift := func(name, instead string) {
		col.lifted = true
		col.typ.Name = name
		w.word(instead)
		d.i++
	}
	if name, ok := spatialTypes[word]; ok {
		lift(name, "BLOB")
		return
	}
	switch word {
	case "uuid", "inet4", "inet6", "xmltype":
		lift(word, "INT")
	case "vector":
		lift(word, "INT")
		col.typ.Length = d.length()
	case "json":
		lift(word, "JSON")
	case "serial":
		lift("bigint", "BIGINT")
		col.typ.Unsigned = true
		col.serial()
	case "long":
		d.i++
		switch {
		case d.accept("varbinary"):
			col.typ.Name = "mediumblob"
		case d.accept("varchar"), d.accept("character", "varying"), d.accept("char", "varying"), d.accept("varcharacter"):
			col.typ.Name = "mediumtext"
		default:
			col.typ.Name = "mediumtext"
		}
		col.lifted = true
		w.word("INT")
	case "clob":
		if d.server.MariaDB {
			lift("longtext", "INT")
		}
	case "national", "nchar", "nvarchar":
		col.charset = "utf8mb3"
	}
	// What follows the name of a type and is not in parentheses (PRECISION, VARYING, UNSIGNED) goes to the parser as it is.
	if !col.lifted {
		w.token(d.peek(0))
		d.i++
		for d.at("varying") || d.at("varchar") || d.at("varcharacter") || d.at("precision") || d.at("character") && !d.at("character", "set") || d.at("char") && !d.at("char", "set") {
			w.token(d.peek(0))
			d.i++
		}
	}
	if d.at("(") {
		in := d.skipParens()
		w.word("(")
		for _, t := range in {
			w.token(t)
		}
		w.word(")")
	}
}

func (col *columnDef) serial() { col.notNull, col.auto, col.unique = true, true, true }

// length reads (n); -1 if there is none.
func (d *cursor) length() int {
	if !d.at("(") {
		return -1
	}
	in := d.skipParens()
	if len(in) == 0 {
		return 0
	}
	n, err := strconv.Atoi(in[0].text(d.src))
	if err != nil || len(in) != 1 {
		d.fail(in[0].start, 0, "cannot read %s as a length", clip(in[0].text(d.src), 20))
	}
	return n
}

// equals reads an optional equals sign.
func (d *cursor) equals() { d.accept("=") }

// liftAttribute takes out the attribute under the cursor if the parser cannot read it, or not all of its values.
func (d *cursor) liftAttribute(col *columnDef, w *writer) bool {
	if d.peek(0).kind != tokWord {
		return false
	}
	start := d.off()
	switch strings.ToLower(d.peek(0).text(d.src)) {
	case "comment":
		d.i++
		d.equals()
		col.comment = d.str()
	case "character", "char", "charset":
		if !d.accept("character", "set") && !d.accept("char", "set") && !d.accept("charset") {
			return false
		}
		d.equals()
		col.charset = canonicalCharset(d.nameOrString())
	case "collate":
		d.i++
		d.equals()
		col.collation = canonicalCollation(d.nameOrString())
	case "binary":
		d.i++
		col.binary = true
	case "ascii":
		d.i++
		col.charset = "latin1"
	case "unicode":
		d.i++
		col.charset = "ucs2"
	case "byte":
		d.i++
		col.charset = "binary"
	case "default":
		d.i++
		col.def = d.defaultValue()
	case "on":
		if !d.at("on", "update") || !isNow(d.src, d.peek(2)) {
			return false
		}
		d.i += 2
		col.onUpdate = d.defaultValue()
		if col.onUpdate.kind != defNow {
			return false
		}
	case "generated", "as":
		d.generated(col)
	case "persistent", "stored", "virtual":
		if col.generated == nil || d.at("persistent") && !d.server.MariaDB {
			return false
		}
		col.generated.Stored = !d.accept("virtual")
		if col.generated.Stored {
			d.i++
		}
	case "check":
		col.checks = append(col.checks, d.checkClause("", start))
	case "constraint":
		switch {
		case d.peek(1).is(d.src, "check"):
			d.i++
			col.checks = append(col.checks, d.checkClause("", start))
		case d.peek(2).is(d.src, "check"):
			d.i++
			name := d.name()
			col.checks = append(col.checks, d.checkClause(name, start))
		default:
			return false
		}
	case "invisible":
		d.i++
		col.invisible = true
	case "visible":
		d.i++
	case "srid":
		d.i++
		col.srid = d.number()
	case "ref_system_id":
		d.i++
		d.equals()
		col.srid = d.number()
	case "column_format", "storage":
		// FIXED, DYNAMIC, DISK and MEMORY mean nothing to InnoDB, but SHOW CREATE TABLE prints them.
		word := strings.ToUpper(d.name())
		col.attributes = append(col.attributes, word+" "+strings.ToUpper(d.name()))
	case "engine_attribute", "secondary_engine_attribute":
		word := strings.ToUpper(d.name())
		d.equals()
		col.attributes = append(col.attributes, word+" "+quoteString(d.str()))
	case "compressed":
		d.i++
		attr := "COMPRESSED"
		if d.accept("=") {
			attr += "=" + d.name()
		}
		col.attributes = append(col.attributes, attr)
	case "with", "without":
		if !d.peek(1).is(d.src, "system") || !d.peek(2).is(d.src, "versioning") {
			return false
		}
		col.attributes = append(col.attributes, strings.ToUpper(d.name())+" SYSTEM VERSIONING")
		d.i += 2
	case "serial":
		if !d.accept("serial", "default", "value") {
			return false
		}
		col.serial()
	case "not":
		if d.accept("not", "secondary") {
			col.attributes = append(col.attributes, "NOT SECONDARY")
			return true
		}
		return false
	default:
		return false
	}
	return true
}

// str reads a string literal; adjacent ones are one.
func (c *cursor) str() string {
	if t := c.peek(0); t.kind == tokWord && strings.HasPrefix(t.text(c.src), "_") {
		c.i++ // an introducer
	}
	if c.peek(0).kind != tokString {
		c.unexpected("a string")
	}
	s := ""
	for c.peek(0).kind == tokString {
		s += c.peek(0).value(c.src, c.mode)
		c.i++
	}
	return s
}

// number reads a whole number.
func (c *cursor) number() int {
	n, err := strconv.Atoi(c.peek(0).text(c.src))
	if err != nil {
		c.unexpected("a number")
	}
	c.i++
	return n
}

// isNow tells whether a token is a synonym of CURRENT_TIMESTAMP.
func isNow(src string, t token) bool {
	return t.is(src, "current_timestamp") || t.is(src, "now") || t.is(src, "localtime") || t.is(src, "localtimestamp")
}

// now reads a synonym of CURRENT_TIMESTAMP with its precision.
func (c *cursor) now() (fsp int, ok bool) {
	if !isNow(c.src, c.peek(0)) {
		return 0, false
	}
	c.i++
	if c.at("(") {
		return max(c.length(), 0), true
	}
	return 0, true
}

// defaultValue reads what follows DEFAULT.
func (c *cursor) defaultValue() *defaultDef {
	d := &defaultDef{at: c.off()}
	if fsp, ok := c.now(); ok {
		d.kind, d.fsp = defNow, fsp
		return d
	}
	t := c.peek(0)
	switch {
	case c.at("("):
		in := c.skipParens()
		d.kind = defExpr
		d.expr = c.readExpr(in)
		d.text = d.expr.text
		if sub := c.sub(in); c.server.MariaDB {
			// MariaDB keeps a literal in parentheses as the literal.
			if fsp, ok := sub.now(); ok && sub.done() {
				d.kind, d.fsp = defNow, fsp
			} else if sub = c.sub(in); sub.literal(d) && !sub.done() {
				d.kind, d.text = defExpr, d.expr.text
			}
		}
	case c.literal(d):
	case t.kind == tokWord && c.peek(1).is(c.src, "("), c.at("next", "value", "for"), t.kind == tokWord && c.server.MariaDB:
		// A call without parentheses around it is MariaDB's. TiDB and others take some, so the version decides at Apply.
		from := c.i
		if c.accept("next", "value", "for") {
			q := c.qname()
			d.kind, d.text = defExpr, "nextval("+quoteName(q.name)+")"
			return d
		}
		c.i++
		if c.at("(") {
			c.skipParens()
		}
		d.kind = defExpr
		d.expr = c.readExpr(c.ts[from:c.i])
		d.text = d.expr.text
	default:
		c.unexpected("a default")
	}
	return d
}

// literal reads a literal into d; false if there is none.
func (c *cursor) literal(d *defaultDef) bool {
	t := c.peek(0)
	switch {
	case c.accept("null"):
		d.kind = defNull
	case c.accept("true"):
		d.kind, d.text = defBool, "1"
	case c.accept("false"):
		d.kind, d.text = defBool, "0"
	case (c.at("-") || c.at("+")) && c.peek(1).kind == tokNumber:
		d.kind, d.text = defNumber, c.peek(1).text(c.src)
		if c.at("-") {
			d.text = "-" + d.text
		}
		c.i += 2
	case t.kind == tokNumber:
		d.kind, d.text = defNumber, t.text(c.src)
		c.i++
	case t.kind == tokBits:
		d.kind, d.text = defBits, canonicalBits(t.text(c.src))
		c.i++
	case t.kind == tokString, t.kind == tokWord && t.text(c.src)[0] == '_' && c.peek(1).kind == tokString:
		d.kind, d.text = defString, c.str()
	case (c.at("date") || c.at("time") || c.at("timestamp")) && c.peek(1).kind == tokString:
		c.i++
		d.kind, d.text = defString, c.str()
	default:
		return false
	}
	return true
}

// generated reads [GENERATED ALWAYS] AS (…).
func (d *cursor) generated(col *columnDef) {
	if d.accept("generated") {
		d.expect("always")
	}
	d.expect("as")
	if d.accept("row") { // MariaDB's system versioning
		col.attributes = append(col.attributes, "GENERATED ALWAYS AS ROW "+strings.ToUpper(d.name()))
		return
	}
	in := d.skipParens()
	e := d.readExpr(in)
	col.genExpr = e
	col.generated = &Generated{Expr: e.text}
}

// checkClause reads CHECK (…) [[NOT] ENFORCED].
func (d *cursor) checkClause(name string, at int) checkDef {
	d.expect("check")
	c := checkDef{name: name, at: at, expr: d.readExpr(d.skipParens())}
	if d.accept("not", "enforced") {
		c.notEnforced = true
	} else {
		d.accept("enforced")
	}
	return c
}

// constraint reads a key, a foreign key or a check.
func (d *cursor) constraint(e *element) {
	w := writer{c: d}
	at := d.off()
	symbol := ""
	if d.accept("constraint") {
		switch {
		case d.at("primary", "key"), d.at("unique"), d.at("foreign", "key"), d.at("check"), d.at("if", "not", "exists"):
		default:
			symbol = d.name()
		}
	}
	notExists := func() bool { return d.accept("if", "not", "exists") }
	always := !notExists() // ADD CONSTRAINT IF NOT EXISTS
	if !always {
		symbol = d.name()
	}
	if d.at("check") {
		c := d.checkClause(symbol, at)
		c.ifNotExists = !always
		e.check = &c
		d.end()
		return
	}
	if d.accept("foreign", "key") {
		f := &fkDef{at: at}
		f.Name = symbol
		f.ifNotExists = notExists() || !always
		if !d.at("(") {
			f.index = d.name()
		}
		e.fk = f
		w.word("FOREIGN KEY")
		for ; !d.done(); d.i++ {
			w.token(d.peek(0))
		}
		e.text = w.b.String()
		return
	}
	k := &keyDef{at: at, symbol: symbol}
	e.key = k
	switch {
	case d.accept("primary", "key"):
		k.Kind = PrimaryKey
		w.word("PRIMARY KEY")
	case d.accept("unique"):
		k.Kind = UniqueKey
		w.word("UNIQUE KEY")
	case d.accept("fulltext"):
		k.Kind = FulltextKey
		w.word("FULLTEXT KEY")
	case d.accept("spatial"):
		k.Kind = SpatialKey
		w.word("KEY")
	case d.at("key"), d.at("index"):
		k.Kind = PlainKey
		w.word("KEY")
	default:
		d.unexpected("a key or a constraint")
	}
	if k.Kind != PrimaryKey && !d.accept("key") {
		d.accept("index")
	}
	k.ifNotExists = notExists() || !always
	if !d.at("(") && !d.at("using") && !d.at("type") {
		k.Name = d.name()
	}
	if k.Kind != UniqueKey || k.Name != "" {
		symbol = ""
	}
	if k.Name == "" {
		k.Name = symbol
	}
	for d.accept("using") || d.accept("type") {
		k.Using = strings.ToUpper(d.name())
	}
	d.keyParts(k, &w)
	for !d.done() {
		switch {
		case d.accept("using"), d.accept("type"):
			k.Using = strings.ToUpper(d.name())
		case d.accept("invisible"), d.accept("ignored"):
			k.Invisible = true
		case d.accept("visible"), d.accept("not", "ignored"):
			k.Invisible = false
		case d.accept("comment"):
			k.Comment = d.str()
		case d.accept("engine_attribute"), d.accept("secondary_engine_attribute"):
			d.equals()
			d.str()
		case d.accept("clustering"):
			d.equals()
			d.name()
		default:
			w.token(d.peek(0))
			d.i++
		}
	}
	e.text = w.b.String()
}

// keyParts reads the parts of a key and gives the parser a column in the place of each expression.
func (d *cursor) keyParts(k *keyDef, w *writer) {
	parts := split(d.src, d.skipParens())
	if len(parts) == 0 {
		d.unexpected("a column")
	}
	w.word("(")
	for i, p := range parts {
		if i > 0 {
			w.word(",")
		}
		q := d.sub(p)
		var e expression
		if q.at("(") {
			e = d.readExpr(q.skipParens())
			w.word("expr")
		}
		k.exprs = append(k.exprs, e)
		if q.at("without", "overlaps") || q.peek(1).is(q.src, "without") {
			q.fail(q.off(), 0, "WITHOUT OVERLAPS is not supported")
		}
		for ; !q.done(); q.i++ {
			w.token(q.peek(0))
		}
	}
	w.word(")")
}

// tableOptions reads table options up to what cannot be one. Their values are canonical.
func (c *cursor) tableOptions() []tableOption {
	var opts []tableOption
	for {
		before := c.i
		c.accept(",")
		o := tableOption{at: c.off()}
		start := c.i
		def := c.accept("default")
		switch {
		case c.accept("character", "set"), c.accept("char", "set"), c.accept("charset"):
			c.equals()
			o.name, o.value = "CHARSET", canonicalCharset(c.nameOrString())
		case c.accept("collate"):
			c.equals()
			o.name, o.value = "COLLATE", canonicalCollation(c.nameOrString())
		case def:
			c.i = before
			return opts
		case c.accept("data", "directory"), c.accept("index", "directory"):
			o.name = strings.ToUpper(c.ts[start].text(c.src)) + " DIRECTORY"
			c.equals()
			o.value = c.str()
		case c.accept("start", "transaction"):
			continue
		case c.accept("with", "system", "versioning"):
			o.name, o.value = "WITH SYSTEM VERSIONING", "1"
		case c.accept("storage"):
			o.name, o.value = "STORAGE", strings.ToUpper(c.name())
		case c.accept("union"):
			c.equals()
			o.name, o.value = "UNION", c.textOf(c.skipParens())
		case c.peek(0).kind == tokWord && tableOptionWords[strings.ToLower(c.peek(0).text(c.src))]:
			o.name = strings.ToUpper(c.name())
			c.equals()
			t := c.peek(0)
			switch {
			case t.kind == tokString:
				o.value = c.str()
			case t.kind == tokNumber:
				o.value = t.text(c.src)
				c.i++
			default:
				o.value = c.name()
				if o.name != "ENGINE" && o.name != "TYPE" && o.name != "TABLESPACE" {
					o.value = strings.ToUpper(o.value)
				}
			}
		default:
			c.i = before
			return opts
		}
		opts = append(opts, o)
	}
}

type tableOption struct {
	name, value string
	at          int
}

// tableOptionWords are the table options of one word with one value, of both servers. It is only read.
var tableOptionWords = wordSet("engine type auto_increment avg_row_length checksum table_checksum comment compression connection delay_key_write encryption insert_method key_block_size " +
	"max_rows min_rows pack_keys password row_format secondary_engine stats_auto_recalc stats_persistent stats_sample_pages tablespace autoextend_size " +
	"engine_attribute secondary_engine_attribute page_checksum page_compressed page_compression_level encrypted encryption_key_id transactional sequence ietf_quotes")

func sameFold(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
}
