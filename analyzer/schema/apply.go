package schema

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Apply gives the schema after one statement. The schema before is not changed.
//
// What does not touch the schema (SELECT, INSERT, LOCK TABLES, GRANT …) gives the same schema. On an error, which is always an
// *Error, the schema is the best that is known of the state after it: the schema before where the server refuses the
// statement, and with what could be read of it where the package could not read everything. It is never nil.
//
// Not handled: temporary tables exist for their session only and are left out; rows are not known, so that what a
// statement does to them, and errors that depend on them (1062, 1138, 1265, 1406, 1452 …), are not found here.
func (s *Schema) Apply(st Statement) (next *Schema, err error) {
	w := &work{old: s, st: &st}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case bailout:
			p.err.Objects = w.named(p.err.Objects)
			next, err = s, p.err
			if w.partial {
				next = w.s
			}
			if p.err.Code != 0 && s.doubts(p.err.Objects) {
				p.err.Msg += "; but a statement before it could not be read"
				p.err.Code = 0
			}
			if p.err.Code == 0 {
				next = next.doubt(p.err.Objects)
			}
		default:
			// The parser is a large program and the text a stranger's.
			next, err = s.doubt(nil), &Error{Pos: st.Pos, Msg: fmt.Sprintf("cannot read this statement: %v", p)}
		}
	}()
	kind, off := s.lead(st.SQL)
	switch kind {
	case leadHarmless:
		return s, nil
	case leadUnknown:
		return s.doubt(nil), &Error{Pos: st.PosAt(off), Msg: fmt.Sprintf("what %s does is not known", clip(st.SQL[off:], 40))}
	}
	if len(st.SQL) > maxDDL && kind == leadDDL {
		return s.doubt(nil), &Error{Pos: st.Pos, Msg: "the statement is too long to be read"}
	}
	copied := *s
	w.s = &copied
	w.c = newCursor(w.st, s.server, s.lexMode())
	w.dispatch()
	if len(w.c.gaps) == 0 {
		return w.s, nil
	}
	// Some definitions could not be read; the rest is applied.
	e := *w.c.gaps[0]
	for _, g := range w.c.gaps[1:] {
		e.Objects = append(e.Objects, g.Objects...)
	}
	e.Objects = w.named(e.Objects)
	return w.s.doubt(e.Objects), &e
}

// named adds to what an error is about the other tables that the statement names: a foreign key that could not be read ties its parent, too.
func (w *work) named(objects []Object) []Object {
	if objects == nil || w.c == nil {
		return objects
	}
	list := slices.Clone(objects)
	seen := map[string]bool{}
	for _, o := range objects {
		seen[o.Table] = true
	}
	for _, t := range w.c.ts {
		if t.kind != tokWord && t.kind != tokIdent {
			continue
		}
		if name := t.name(w.c.src); w.old.tables[name] != nil && !seen[name] {
			seen[name] = true
			list = append(list, Object{Kind: KindTable, Table: name})
		}
	}
	return list
}

// doubt gives the schema after something unread that may have touched those objects. Nil is anything.
func (s *Schema) doubt(objects []Object) *Schema {
	n := *s
	n.unread = maps.Clone(s.unread)
	if n.unread == nil {
		n.unread = map[string]bool{}
	}
	for _, o := range objects {
		if o.Kind == KindTable || o.Kind == KindView {
			n.unread[cmp.Or(o.Table, o.Name)] = true
		}
	}
	if objects == nil {
		n.unread["*"] = true
	}
	return &n
}

// doubts tells whether something unread may have touched one of the objects.
func (s *Schema) doubts(objects []Object) bool {
	return s.unread["*"] || slices.ContainsFunc(objects, func(o Object) bool { return s.unread[cmp.Or(o.Table, o.Name)] })
}

// lexMode gives what the session's sql_mode changes about reading SQL.
func (s *Schema) lexMode() lexMode {
	var m lexMode
	if s.session.has("ANSI_QUOTES") || s.session.has("ANSI") {
		m |= ansiQuotes
	}
	if s.session.has("NO_BACKSLASH_ESCAPES") {
		m |= noBackslashEscapes
	}
	return m
}

// has tells whether the sql_mode has that flag.
func (n *session) has(flag string) bool {
	for rest := n.sqlMode; rest != ""; {
		var m string
		m, rest, _ = strings.Cut(rest, ",")
		if m == flag {
			return true
		}
	}
	return false
}

func (n *session) strict() bool {
	return n.has("STRICT_TRANS_TABLES") || n.has("STRICT_ALL_TABLES") || n.has("TRADITIONAL")
}

type leadKind uint8

const (
	leadHarmless leadKind = iota
	leadDDL
	leadUnknown
)

// lead looks at a statement's first word. Most statements of many migrations fill rows; they are not read any further.
func (s *Schema) lead(sql string) (leadKind, int) {
	l := lexer{src: sql, mode: s.lexMode(), runs: s.server.runs}
	for {
		t := l.next()
		switch {
		case t.kind == tokComment && t.bad == "", t.kind == tokVersionOpen, t.kind == tokVersionClose, t.is(sql, ";"), t.is(sql, "("):
			continue
		case t.kind == tokEOF:
			return leadHarmless, t.start
		case t.kind != tokWord:
			return leadUnknown, t.start
		}
		switch strings.ToLower(t.text(sql)) {
		case "create", "alter", "drop", "rename", "truncate", "use", "set", "call":
			return leadDDL, t.start
		case "select", "insert", "update", "delete", "replace", "with", "values", "table", "load", "lock", "unlock", "commit", "rollback", "begin", "start",
			"savepoint", "release", "analyze", "optimize", "check", "checksum", "repair", "flush", "grant", "revoke", "show", "desc", "describe", "explain",
			"kill", "reset", "purge", "do", "handler", "cache", "install", "uninstall", "change", "stop", "help", "binlog", "xa", "prepare", "deallocate",
			"clone", "shutdown", "restart", "backup", "signal", "resignal", "end":
			// LOAD DATA fills rows. PREPARE does nothing until EXECUTE.
			return leadHarmless, t.start
		}
		return leadUnknown, t.start // EXECUTE, DELIMITER, source …
	}
}

// work is one statement being applied.
type work struct {
	old     *Schema
	s       *Schema // the schema after it, in the making
	st      *Statement
	c       *cursor
	partial bool // an error leaves s and not old
	owned   uint // maps of s that are its own already
}

const (
	ownTables = 1 << iota
	ownViews
	ownTriggers
	ownRoutines
	ownEvents
	ownSequences
	ownDropped
	ownSerial
)

// own makes sure that s has that map for itself.
func own[K comparable, V any](w *work, bit uint, m *map[K]V) map[K]V {
	if w.owned&bit == 0 {
		w.owned |= bit
		if *m = maps.Clone(*m); *m == nil {
			*m = map[K]V{}
		}
	}
	return *m
}

// refuse bails out with a server's error number.
func (w *work) refuse(off, code int, format string, args ...any) {
	w.c.fail(off, code, format, args...)
}

func (w *work) putTable(t *Table) {
	t.Last = w.st
	own(w, ownTables, &w.s.tables)[t.Name] = t
}

func (w *work) dropped(o Object) {
	own(w, ownDropped, &w.s.dropped)[o] = w.st
}

// origin gives a new origin for what is created now.
func (w *work) origin(name string) Origin {
	stem := w.st.Migration + "|" + name
	if w.owned&ownSerial == 0 {
		w.owned |= ownSerial
		w.s.serial = w.s.serial.clone()
	}
	return Origin(stem + "#" + strconv.Itoa(w.s.serial.next(stem)))
}

// serials counts how often each stem was created. A statement that creates something copies those of the schema before
// it: a small map that is copied each time, before a large one that is shared.
type serials struct {
	base, recent map[string]int
}

// clone gives serials that can be counted on without a change to s.
func (s serials) clone() serials {
	if len(s.recent) < 64+len(s.base)/16 {
		recent := make(map[string]int, len(s.recent)+1)
		maps.Copy(recent, s.recent)
		return serials{s.base, recent}
	}
	base := make(map[string]int, len(s.base)+len(s.recent))
	maps.Copy(base, s.base)
	maps.Copy(base, s.recent)
	return serials{base, map[string]int{}}
}

// next counts one more creation of the stem, and gives the count.
func (s serials) next(stem string) int {
	n, ok := s.recent[stem]
	if !ok {
		n = s.base[stem]
	}
	s.recent[stem] = n + 1
	return n + 1
}

// dispatch reads the statement and applies it.
func (w *work) dispatch() {
	c := w.c
	for c.at("(") || c.at(";") {
		c.i++
	}
	switch {
	case c.accept("create"):
		w.create()
	case c.accept("alter"):
		w.alter()
	case c.accept("drop"):
		w.drop()
	case c.accept("rename"):
		switch {
		case c.accept("table"), c.accept("tables"):
			w.renameTables()
		case c.accept("user"):
		default:
			c.unexpected("TABLE")
		}
	case c.accept("truncate"):
		c.accept("table")
		w.truncate()
	case c.accept("use"):
		w.use(c.name())
	case c.accept("set"):
		w.set()
	case c.accept("call"):
		w.call()
	}
}

// call applies CALL: nothing, if the procedure is known and has only statements about rows in it. What else it does is not known.
func (w *work) call() {
	q := w.c.qname()
	p := w.s.procs[routineKey(false, q.name)]
	if p == nil || q.db != "" && q.db != w.s.database || w.s.session.elsewhere != "" {
		w.refuse(q.at, 0, "what the procedure %s does is not known", quoteName(q.name))
	}
	for _, t := range tokens(p.Body, w.c.mode) {
		if t.kind == tokVersionOpen || (t.kind == tokWord || t.kind == tokVariable) && callWords[strings.TrimLeft(strings.ToLower(t.text(p.Body)), "@")] {
			w.refuse(q.at, 0, "what the procedure %s does is not known: it says %s", quoteName(q.name), strings.ToUpper(t.text(p.Body)))
		}
	}
}

// callWords are words in a procedure's body that can change the schema or the session. It is only read.
var callWords = wordSet("create alter drop rename truncate execute prepare call sql_mode session.sql_mode foreign_key_checks session.foreign_key_checks default_storage_engine explicit_defaults_for_timestamp")

// skipDefiner reads DEFINER = user.
func (c *cursor) definer() string {
	if !c.accept("definer") {
		return ""
	}
	c.equals()
	from := c.i
	if c.peek(0).kind == tokString {
		c.i++
	} else {
		c.name()
	}
	if c.at("(") {
		c.skipParens()
	} else if c.peek(0).kind == tokVariable {
		c.i++
	}
	return c.textOf(c.ts[from:c.i])
}

func (w *work) create() {
	c := w.c
	replace := c.accept("or", "replace")
	switch {
	case c.at("table"), c.at("temporary", "table"):
		temporary := c.accept("temporary")
		c.i++
		ct := c.createTable(w.s.parsers)
		ct.temporary, ct.orReplace = temporary, replace
		w.createTable(&ct)
		return
	case c.accept("database"), c.accept("schema"):
		w.createDatabase(replace)
		return
	case c.at("user"), c.at("role"), c.at("server"), c.at("tablespace"), c.at("undo"), c.at("logfile"), c.at("resource"), c.at("spatial", "reference"), c.at("library"):
		return
	case c.at("index"), c.at("unique", "index"), c.at("fulltext", "index"), c.at("spatial", "index"), c.at("unique", "key"):
		w.createIndex(replace)
		return
	case c.accept("sequence"), c.accept("temporary", "sequence"):
		w.createSequence(replace)
		return
	}
	w.createObject(replace)
}

func (w *work) alter() {
	c := w.c
	if !c.accept("online") {
		c.accept("ignore")
	}
	c.accept("ignore")
	switch {
	case c.accept("table"):
		at := c.alterTable(w.s.parsers)
		w.alterTable(&at)
	case c.accept("database"), c.accept("schema"):
		w.alterDatabase()
	case c.at("user"), c.at("role"), c.at("server"), c.at("tablespace"), c.at("undo"), c.at("logfile"), c.at("resource"), c.at("instance"), c.at("library"):
	case c.accept("sequence"):
		w.alterSequence()
	default:
		w.alterObject()
	}
}

func (w *work) drop() {
	c := w.c
	switch {
	case c.at("table"), c.at("tables"):
		c.i++
		w.dropTables()
	case c.at("temporary", "table"), c.at("temporary", "tables"):
		// A temporary table is none of the schema's.
	case c.accept("database"), c.accept("schema"):
		w.dropDatabase()
	case c.at("index"):
		w.dropIndex()
	case c.at("user"), c.at("role"), c.at("server"), c.at("tablespace"), c.at("undo"), c.at("logfile"), c.at("resource"), c.at("prepare"), c.at("spatial", "reference"), c.at("library"):
	default:
		w.dropObject()
	}
}

// here tells whether a name belongs to this schema's database. It bails out where that is another database: its tables are not
// modelled. The first database that a statement names is taken for this one.
func (w *work) here(q qname) {
	name := q.db
	if name == "" {
		if w.s.session.elsewhere == "" {
			return
		}
		name = w.s.session.elsewhere
	}
	switch w.s.database {
	case name:
		return
	case "":
		if w.s.session.elsewhere == "" {
			w.s.database = name
			return
		}
	}
	w.c.objects = []Object{{Kind: KindTable, Table: name + "." + q.name}}
	w.refuse(q.at, 0, "%s.%s is in another database than %s", quoteName(name), quoteName(q.name), quoteName(w.s.database))
}

// system tells whether a name is in one of the server's own databases. What happens there is not the schema's.
func (q qname) system() bool {
	switch strings.ToLower(q.db) {
	case "mysql", "information_schema", "performance_schema", "sys":
		return true
	}
	return false
}

// truncate empties a table: its definition stays, but for AUTO_INCREMENT.
func (w *work) truncate() {
	q := w.c.qname()
	w.c.about(q)
	if q.system() {
		return
	}
	w.here(q)
	t := w.table(q)
	if _, ok := t.Options["AUTO_INCREMENT"]; ok {
		t := t.clone()
		delete(t.Options, "AUTO_INCREMENT")
		w.putTable(t)
	}
	if w.s.session.foreignKeyChecks {
		for _, child := range w.referring(t.Name) {
			for _, f := range child.ForeignKeys {
				if f.RefTable == t.Name && child.Name != t.Name {
					w.refuse(q.at, 1701, "cannot truncate %s: foreign key %s of %s refers to it", quoteName(t.Name), quoteName(f.Name), quoteName(child.Name))
				}
			}
		}
	}
}

// table gives an existing base table, or bails out as the server does.
func (w *work) table(q qname) *Table {
	t := w.s.tables[q.name]
	if t == nil {
		if w.s.views[q.name] != nil {
			w.refuse(q.at, 1347, "%s is a view", quoteName(q.name))
		}
		w.refuse(q.at, 1146, "table %s does not exist", quoteName(q.name))
	}
	return t
}

// clone gives a copy of the table whose lists can be changed. Its columns and keys are shared.
func (t *Table) clone() *Table {
	n := *t
	n.Columns = slices.Clone(t.Columns)
	n.Keys = slices.Clone(t.Keys)
	n.ForeignKeys = slices.Clone(t.ForeignKeys)
	n.Checks = slices.Clone(t.Checks)
	n.Options = maps.Clone(t.Options)
	return &n
}
