package schema

import (
	"maps"
	"reflect"
	"strings"
)

// A charsetPair is a default character set and collation.
type charsetPair struct{ charset, collation string }

// databaseOptions reads [DEFAULT] CHARACTER SET and COLLATE.
func (w *work) databaseOptions() charsetPair {
	c := w.c
	set, collation := "", ""
	at := c.off()
	for !c.done() {
		c.accept("default")
		switch {
		case c.accept("character", "set"), c.accept("char", "set"), c.accept("charset"):
			c.equals()
			set = canonicalCharset(c.nameOrString())
		case c.accept("collate"):
			c.equals()
			collation = canonicalCollation(c.nameOrString())
		case c.accept("encryption"), c.accept("comment"):
			c.equals()
			c.str()
		case c.accept("read", "only"):
			c.equals()
			c.i++
		case c.accept("upgrade", "data", "directory", "name"):
		default:
			c.unexpected("an option of a database")
		}
	}
	if set == "" && collation == "" {
		return charsetPair{}
	}
	set, collation = w.charsetPair(at, set, collation, w.s.Charset())
	return charsetPair{set, collation}
}

// createDatabase notes a database's defaults, for USE to apply. It is not this schema's as long as nothing says so.
func (w *work) createDatabase(replace bool) {
	c := w.c
	c.accept("if", "not", "exists")
	name := c.name()
	pair := w.databaseOptions()
	if replace && name == w.s.database {
		w.clear()
	}
	w.s.other = maps.Clone(w.s.other)
	if w.s.other == nil {
		w.s.other = map[string]charsetPair{}
	}
	w.s.other[name] = pair
}

// clear drops everything in the database.
func (w *work) clear() {
	for _, t := range w.s.Tables() {
		w.removeTable(t.Name)
	}
	for _, v := range w.s.Views() {
		w.dropped(Object{Kind: KindView, Name: v.Name})
	}
	for _, r := range w.s.Routines() {
		w.dropped(Object{Kind: KindRoutine, Name: r.Name})
	}
	for _, e := range w.s.Events() {
		w.dropped(Object{Kind: KindEvent, Name: e.Name})
	}
	for _, q := range w.s.Sequences() {
		w.dropped(Object{Kind: KindSequence, Name: q.Name})
	}
	w.s.views, w.s.procs, w.s.events, w.s.seqs = nil, nil, nil, nil
}

func (s *Schema) empty() bool {
	return len(s.tables)+len(s.views)+len(s.procs)+len(s.events)+len(s.seqs) == 0
}

// dropDatabase applies DROP DATABASE. Where the schema's own name is not known it cannot be told whether it is this one.
func (w *work) dropDatabase() {
	c := w.c
	c.accept("if", "exists")
	at := c.off()
	name := c.name()
	switch {
	case name == w.s.database:
		w.clear()
	case w.s.database == "" && !w.s.empty():
		w.refuse(at, 0, "whether %s is this database is not known", quoteName(name))
	}
}

// alterDatabase applies ALTER DATABASE: defaults for tables to come.
func (w *work) alterDatabase() {
	c := w.c
	name := ""
	if !c.at("default") && !c.at("character", "set") && !c.at("charset") && !c.at("collate") && !c.at("encryption") && !c.at("read", "only") {
		name = c.name()
	}
	pair := w.databaseOptions()
	if pair == (charsetPair{}) {
		return
	}
	if name == "" && w.s.session.elsewhere != "" || name != "" && w.s.database != "" && name != w.s.database {
		return
	}
	if name != "" {
		w.s.database = name
	}
	w.s.charset, w.s.collate = pair.charset, pair.collation
}

// NewSession gives the schema as another connection sees it, whose session is as that of first was: what SET and USE said is
// gone with the connection on which they said it (manual: "SET Syntax for Variable Assignment").
func (s *Schema) NewSession(first *Schema) *Schema {
	if reflect.DeepEqual(s.session, first.session) {
		return s
	}
	n := *s
	n.session = first.session
	return &n
}

// use applies USE. The first database that is selected is this schema's.
func (w *work) use(name string) {
	if (qname{db: name}).system() {
		w.s.session.elsewhere = name
		return
	}
	if w.s.database == "" || w.s.empty() && len(w.s.dropped) == 0 {
		w.s.database = name
		if p := w.s.other[name]; p.charset != "" {
			w.s.charset, w.s.collate = p.charset, p.collation
		}
	}
	w.s.session.elsewhere = ""
	if name != w.s.database {
		w.s.session.elsewhere = name
	}
}

// set applies SET: sql_mode, foreign_key_checks and the few other variables that change what later statements do.
func (w *work) set() {
	c := w.c
	if c.at("names") || c.at("character", "set") || c.at("charset") || c.at("password") || c.at("role") || c.at("default", "role") || c.at("transaction") ||
		c.at("session", "transaction") || c.at("global", "transaction") || c.at("local", "transaction") || c.at("resource") {
		return
	}
	for _, p := range split(c.src, c.ts[c.i:len(c.ts)-1]) {
		d := c.sub(p)
		global := false
		switch d.acceptAny("session", "local", "global", "persist", "persist_only", "statement") {
		case "global", "persist", "persist_only":
			global = true
		}
		t := d.peek(0)
		if t.kind != tokVariable && t.kind != tokWord && t.kind != tokIdent {
			d.unexpected("a variable")
		}
		name := strings.ToLower(t.text(c.src))
		d.i++
		if strings.HasPrefix(name, "@@") {
			scope, rest, ok := strings.Cut(name[2:], ".")
			if !ok {
				rest = scope
			}
			global = ok && scope != "session" && scope != "local"
			name = rest
		}
		if d.at(".") {
			continue // a plugin's
		}
		if !d.accept(":=") {
			d.expect("=")
		}
		if global {
			continue
		}
		w.setVariable(name, d)
	}
}

// setVariable sets one variable to the value under the cursor.
func (w *work) setVariable(name string, d *cursor) {
	s := &w.s.session
	user := strings.HasPrefix(name, "@")
	switch name {
	case "sql_mode", "foreign_key_checks", "explicit_defaults_for_timestamp", "default_storage_engine", "storage_engine":
	default:
		if !user {
			return
		}
	}
	at := d.off()
	v, known := w.whole(d)
	unknown := func() {
		d.objects = []Object{{Kind: KindDatabase}}
		d.fail(at, 0, "the value of %s cannot be told", name)
	}
	switch {
	case user:
		s.vars = maps.Clone(s.vars)
		if s.vars == nil {
			s.vars = map[string]string{}
		}
		if known {
			s.vars[name] = v
		} else {
			delete(s.vars, name)
		}
		return
	case !known:
		unknown()
	}
	on := func(now, def bool) bool {
		switch strings.ToUpper(v) {
		case "1", "ON", "TRUE":
			return true
		case "0", "OFF", "FALSE":
			return false
		case "DEFAULT":
			return def
		}
		unknown()
		return now
	}
	switch name {
	case "sql_mode":
		if strings.EqualFold(v, "default") {
			v = w.s.server.sqlMode()
		}
		var modes []string
		for m := range strings.SplitSeq(strings.ToUpper(v), ",") {
			if m = strings.TrimSpace(m); m != "" {
				modes = append(modes, m)
			}
		}
		s.sqlMode = strings.Join(modes, ",")
	case "foreign_key_checks":
		s.foreignKeyChecks = on(s.foreignKeyChecks, true)
	case "explicit_defaults_for_timestamp":
		s.timestamps = on(s.timestamps, w.s.server.timestamps())
	default:
		s.engine = engineName(v)
		if strings.EqualFold(v, "default") {
			s.engine = "InnoDB"
		}
	}
}

// whole works out a value up to the end of the text.
func (w *work) whole(d *cursor) (string, bool) {
	v, ok := w.value(d)
	return v, ok && d.done()
}

// value works out what a variable is set to: literals, words, variables, and CONCAT and REPLACE of them, which is how scripts
// change a sql_mode.
func (w *work) value(d *cursor) (string, bool) {
	t := d.peek(0)
	d.i++
	switch t.kind {
	case tokString:
		return t.value(d.src, d.mode), true
	case tokNumber:
		return t.text(d.src), true
	case tokVariable:
		name := strings.ToLower(t.text(d.src))
		if !strings.HasPrefix(name, "@@") {
			v, ok := w.s.session.vars[name]
			return v, ok
		}
		name = name[2:]
		if i := strings.IndexByte(name, '.'); i >= 0 {
			name = name[i+1:]
		}
		switch name {
		case "sql_mode":
			return w.s.session.sqlMode, true
		case "foreign_key_checks":
			if w.s.session.foreignKeyChecks {
				return "1", true
			}
			return "0", true
		case "default_storage_engine":
			return w.s.session.engine, true
		}
		return "", false
	case tokOp:
		if t.is(d.src, "(") {
			d.i--
			in := d.sub(d.skipParens())
			in.accept("select")
			return w.whole(in)
		}
	case tokWord:
		word := strings.ToLower(t.text(d.src))
		if !d.at("(") {
			return t.text(d.src), true
		}
		var args []string
		for _, p := range split(d.src, d.skipParens()) {
			v, ok := w.whole(d.sub(p))
			if !ok {
				return "", false
			}
			args = append(args, v)
		}
		switch {
		case word == "concat":
			return strings.Join(args, ""), true
		case word == "concat_ws" && len(args) > 0:
			return strings.Join(args[1:], args[0]), true
		case word == "replace" && len(args) == 3 && args[1] != "":
			return strings.ReplaceAll(args[0], args[1], args[2]), true
		case (word == "ifnull" || word == "coalesce") && len(args) > 0:
			return args[0], true
		}
	}
	return "", false
}
