package schema

import (
	"slices"
	"strings"

	"github.com/pingcap/tidb/pkg/parser/ast"
)

// rest gives the canonical text of all tokens that are left. Bodies of routines and the like are kept as text.
func (c *cursor) rest() string {
	s := c.textOf(c.ts[c.i : len(c.ts)-1])
	c.i = len(c.ts) - 1
	return s
}

// createObject applies CREATE VIEW, TRIGGER, PROCEDURE, FUNCTION and EVENT.
func (w *work) createObject(replace bool) {
	c := w.c
	var v View
	definer := ""
	for {
		switch {
		case c.accept("algorithm"):
			c.equals()
			v.Algorithm = strings.ToUpper(c.name())
			continue
		case c.at("definer"):
			definer = c.definer()
			continue
		case c.accept("sql", "security"):
			v.Security = strings.ToUpper(c.name())
			continue
		case c.accept("aggregate"):
			continue
		}
		break
	}
	switch {
	case c.accept("view"):
		v.Definer = definer
		w.createView(&v, replace)
	case c.accept("trigger"):
		w.createTrigger(replace)
	case c.at("procedure"), c.at("function"):
		w.createRoutine(c.accept("function") || !c.accept("procedure"), replace)
	case c.accept("event"):
		w.createEvent(replace)
	default:
		c.unexpected("something that CREATE can make")
	}
}

// createView applies CREATE VIEW and, with replace, ALTER VIEW.
func (w *work) createView(v *View, replace bool) {
	c := w.c
	ifNotExists := c.accept("if", "not", "exists")
	q := c.qname()
	c.objects = []Object{{Kind: KindView, Name: q.name}, {Kind: KindTable, Table: q.name}}
	if q.system() {
		return
	}
	w.here(q)
	v.Name = q.name
	if c.at("(") {
		for _, p := range split(c.src, c.skipParens()) {
			v.Columns = append(v.Columns, c.sub(p).name())
		}
	}
	c.expect("as")
	ts := c.ts[c.i : len(c.ts)-1]
	// WITH [CASCADED | LOCAL] CHECK OPTION
	if n := len(ts); n > 3 && ts[n-1].is(c.src, "option") && ts[n-2].is(c.src, "check") {
		switch {
		case ts[n-3].is(c.src, "with"):
			v.CheckOption, ts = "CASCADED", ts[:n-3]
		case n > 4 && ts[n-4].is(c.src, "with"):
			v.CheckOption, ts = strings.ToUpper(ts[n-3].text(c.src)), ts[:n-4]
		}
	}
	if len(ts) == 0 {
		c.unexpected("SELECT")
	}
	if w.s.tables[v.Name] != nil {
		if replace {
			w.refuse(q.at, 1347, "%s is a table", quoteName(v.Name))
		}
		w.refuse(q.at, 1050, "table %s exists already", quoteName(v.Name))
	}
	if w.s.views[v.Name] != nil && !replace || w.s.seqs[v.Name] != nil {
		if ifNotExists {
			return
		}
		w.refuse(q.at, 1050, "view %s exists already", quoteName(v.Name))
	}
	v.Select = c.textOf(ts)
	v.Tables = w.tablesIn(ts)
	for _, name := range v.Tables {
		if name != v.Name && !strings.Contains(name, ".") && !w.exists(name) {
			w.refuse(ts[0].start, 1146, "table %s does not exist", quoteName(name))
		}
	}
	for _, name := range v.Tables {
		if of := w.s.views[name]; of != nil && name != v.Name {
			for _, base := range of.Tables {
				if !strings.Contains(base, ".") && !w.exists(base) {
					w.refuse(ts[0].start, 1356, "view %s reads %s, which does not exist", quoteName(name), quoteName(base))
				}
			}
		}
	}
	if fields, ok := w.selectFields(v.Select); ok {
		named := v.Columns != nil
		for _, f := range fields {
			if f.missing {
				w.refuse(ts[0].start, 1054, "the tables of view %s have no column %s", quoteName(v.Name), quoteName(f.name))
			}
			if !named {
				v.Columns = append(v.Columns, f.name)
			}
		}
	}
	if v.Security == "" {
		v.Security = "DEFINER"
	}
	if v.Algorithm == "" {
		v.Algorithm = "UNDEFINED"
	}
	v.Created = w.st
	own(w, ownViews, &w.s.views)[v.Name] = v
}

// tablesIn gives the tables that a SELECT names after FROM and JOIN, each once, but not its common table expressions.
func (w *work) tablesIn(ts []token) []string {
	src := w.c.src
	ctes := map[string]bool{}
	var names []string
	for i := 0; i < len(ts); i++ {
		t := ts[i]
		if (t.is(src, "with") || t.is(src, "recursive") || t.is(src, ",")) && i+2 < len(ts) && (ts[i+1].kind == tokWord || ts[i+1].kind == tokIdent) {
			// WITH name [(columns)] AS (…
			j := i + 2
			if ts[j].is(src, "(") {
				for j < len(ts) && !ts[j].is(src, ")") {
					j++
				}
				j++
			}
			if j+1 < len(ts) && ts[j].is(src, "as") && ts[j+1].is(src, "(") {
				ctes[ts[i+1].name(src)] = true
			}
		}
	}
	from := []bool{false} // at each depth of parentheses: whether names here are tables
	add := func(i int) int {
		if i >= len(ts) || ts[i].kind != tokWord && ts[i].kind != tokIdent || i+1 < len(ts) && ts[i+1].is(src, "(") && ts[i].kind == tokWord ||
			ts[i].is(src, "lateral") || ts[i].is(src, "select") || ts[i].is(src, "dual") {
			return i
		}
		name := ts[i].name(src)
		if i+2 < len(ts) && ts[i+1].is(src, ".") && (ts[i+2].kind == tokWord || ts[i+2].kind == tokIdent) {
			i += 2
			if name == w.s.database {
				name = ts[i].name(src)
			} else {
				name += "." + ts[i].name(src)
			}
		}
		if !ctes[name] && !slices.Contains(names, name) {
			names = append(names, name)
		}
		return i
	}
	for i := 0; i < len(ts); i++ {
		t := ts[i]
		top := len(from) - 1
		if t.kind == tokWord {
			switch strings.ToLower(t.text(src)) {
			case "from", "join", "straight_join":
				from[top] = true
				for i+1 < len(ts) && ts[i+1].is(src, "(") && i+2 < len(ts) && !ts[i+2].is(src, "select") && !ts[i+2].is(src, "with") && !ts[i+2].is(src, "(") {
					from = append(from, true) // FROM (a, b)
					i++
				}
				i = add(i + 1)
				if i < len(ts) && ts[i].is(src, "(") {
					i--
				}
			case "where", "group", "having", "order", "limit", "on", "using", "union", "except", "intersect", "select", "window":
				from[top] = false
			}
			continue
		}
		switch {
		case t.is(src, "("):
			from = append(from, false)
		case t.is(src, ")") && top > 0:
			from = from[:top]
		case t.is(src, ",") && from[top]:
			i = add(i + 1)
			if i < len(ts) && ts[i].is(src, "(") {
				i--
			}
		}
	}
	return names
}

// A field is a column of a SELECT. column is where it comes from, nil if it is an expression or that is not known.
type field struct {
	name    string
	column  *Column
	missing bool // it is a plain name, and none of the tables, which are all known, has such a column
	hidden  bool // of a source: it is invisible, so that * leaves it out
}

// selectFields gives the columns of a simple SELECT; false if they cannot be told.
func (w *work) selectFields(sql string) ([]field, bool) {
	node, err := w.s.parsers.parse(sql, w.c.mode&noBackslashEscapes)
	if err != nil {
		return nil, false
	}
	if set, ok := node.(*ast.SetOprStmt); ok && set.SelectList != nil && len(set.SelectList.Selects) > 0 {
		node, ok = set.SelectList.Selects[0].(*ast.SelectStmt)
		if !ok {
			return nil, false
		}
		fields, ok := w.selectFieldsOf(node.(*ast.SelectStmt))
		for i := range fields {
			fields[i].column = nil // the types of all its parts count
		}
		return fields, ok
	}
	sel, ok := node.(*ast.SelectStmt)
	if !ok {
		return nil, false
	}
	return w.selectFieldsOf(sel)
}

// A source is a table in FROM, under the name by which the SELECT knows it.
type source struct {
	name   string
	fields []field
	known  bool
	outer  bool // an outer join can make its columns NULL
}

func (w *work) selectFieldsOf(sel *ast.SelectStmt) ([]field, bool) {
	if sel.Fields == nil {
		return nil, false
	}
	var sources []source
	known := true
	if sel.From != nil {
		known = w.sources(sel.From.TableRefs, &sources, false, 0)
	}
	var out []field
	for _, f := range sel.Fields.Fields {
		switch {
		case f.WildCard != nil:
			if !known || sel.With != nil {
				return nil, false
			}
			for _, s := range sources {
				if of := f.WildCard.Table.O; of != "" && of != s.name {
					continue
				}
				if !s.known {
					return nil, false
				}
				for _, f := range s.fields {
					if !f.hidden {
						out = append(out, f)
					}
				}
			}
		case f.AsName.O != "":
			c, missing := w.sourceColumn(f.Expr, sources, known && sel.With == nil)
			out = append(out, field{name: f.AsName.O, column: c, missing: missing})
		default:
			name, ok := f.Expr.(*ast.ColumnNameExpr)
			if !ok {
				// The server names it after its text, which cannot be told from the canonical one.
				return nil, false
			}
			c, missing := w.sourceColumn(f.Expr, sources, known && sel.With == nil)
			out = append(out, field{name: name.Name.Name.O, column: c, missing: missing})
		}
	}
	return out, true
}

// sources collects the tables of FROM; false if there is something else in it. The parser bounds how deep joins nest, and so does this.
func (w *work) sources(n ast.ResultSetNode, out *[]source, outer bool, depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch n := n.(type) {
	case *ast.Join:
		if n.NaturalJoin || len(n.Using) > 0 {
			return false
		}
		ok := w.sources(n.Left, out, outer || n.Tp == ast.RightJoin, depth+1)
		if n.Right != nil {
			ok = w.sources(n.Right, out, outer || n.Tp == ast.LeftJoin, depth+1) && ok
		}
		return ok
	case *ast.TableSource:
		t, ok := n.Source.(*ast.TableName)
		if !ok {
			*out = append(*out, source{name: n.AsName.O})
			return true
		}
		s := source{name: n.AsName.O, outer: outer}
		if s.name == "" {
			s.name = t.Name.O
		}
		if t.Schema.O == "" || t.Schema.O == w.s.database {
			if table := w.s.tables[t.Name.O]; table != nil {
				s.known = true
				for _, c := range table.Columns {
					s.fields = append(s.fields, field{name: c.Name, column: outerColumn(c, outer), hidden: c.Invisible})
				}
			} else if v := w.s.views[t.Name.O]; v != nil && v.Columns != nil {
				s.known = true
				for _, c := range v.Columns {
					s.fields = append(s.fields, field{name: c})
				}
			}
		}
		*out = append(*out, s)
		return true
	}
	return false
}

// outerColumn gives the column as an outer join delivers it: it can be NULL.
func outerColumn(c *Column, outer bool) *Column {
	if !outer || c.Nullable {
		return c
	}
	n := *c
	n.Nullable = true
	return &n
}

// sourceColumn finds the column that a name in a SELECT means, or tells that there is none.
func (w *work) sourceColumn(e ast.ExprNode, sources []source, known bool) (c *Column, missing bool) {
	name, ok := e.(*ast.ColumnNameExpr)
	if !ok || !known {
		return nil, false
	}
	missing = true
	for _, s := range sources {
		if of := name.Name.Table.O; of != "" && of != s.name {
			continue
		}
		if !s.known {
			return nil, false
		}
		i := slices.IndexFunc(s.fields, func(f field) bool { return strings.EqualFold(f.name, name.Name.Name.O) })
		if i < 0 {
			continue
		}
		if !missing {
			return nil, false // ambiguous
		}
		c, missing = s.fields[i].column, false
	}
	return c, missing
}

// createTrigger applies CREATE TRIGGER.
func (w *work) createTrigger(replace bool) {
	c := w.c
	ifNotExists := c.accept("if", "not", "exists")
	q := c.qname()
	g := &Trigger{Name: q.name, Created: w.st}
	w.here(q)
	g.Timing = strings.ToUpper(c.name())
	g.Event = strings.ToUpper(c.name())
	c.expect("on")
	on := c.qname()
	w.here(on)
	c.expect("for", "each", "row")
	if c.at("follows") || c.at("precedes") {
		c.i++
		c.name()
	}
	g.Body = c.rest()
	g.Table = on.name
	c.objects = []Object{{KindTrigger, g.Table, g.Name}}
	if old := w.s.trigs[g.Name]; old != nil && !replace {
		if ifNotExists {
			return
		}
		w.refuse(q.at, 1359, "trigger %s exists already", quoteName(g.Name))
	}
	w.table(on)
	own(w, ownTriggers, &w.s.trigs)[g.Name] = g
}

// createRoutine applies CREATE PROCEDURE and CREATE FUNCTION.
func (w *work) createRoutine(function, replace bool) {
	c := w.c
	ifNotExists := c.accept("if", "not", "exists")
	q := c.qname()
	r := &Routine{Name: q.name, Function: function, Created: w.st}
	c.objects = []Object{{Kind: KindRoutine, Name: r.Name}}
	if q.system() {
		return
	}
	if function && (c.at("returns") || c.at("soname")) {
		return // a loadable function belongs to the server
	}
	w.here(q)
	r.Parameters = c.textOf(c.skipParens())
	if function {
		if !c.accept("returns") {
			c.expect("return")
		}
		from := c.i
		c.name()
		for !c.done() && !routineWords[strings.ToLower(c.peek(0).text(c.src))] {
			if c.at("(") {
				c.skipParens()
			} else {
				c.i++
			}
		}
		r.Returns = c.textOf(c.ts[from:c.i])
	}
	r.Body = c.rest()
	if w.s.procs[routineKey(function, r.Name)] != nil && !replace {
		if ifNotExists {
			return
		}
		w.refuse(q.at, 1304, "routine %s exists already", quoteName(r.Name))
	}
	own(w, ownRoutines, &w.s.procs)[routineKey(function, r.Name)] = r
}

// routineWords begin a characteristic or the body of a function, and so end its return type. It is only read.
var routineWords = wordSet("begin return deterministic not reads modifies contains no sql language comment select insert update delete set if case call loop while repeat with")

func routineKey(function bool, name string) string {
	if function {
		return "function " + strings.ToLower(name)
	}
	return "procedure " + strings.ToLower(name)
}

// createEvent applies CREATE EVENT.
func (w *work) createEvent(replace bool) {
	c := w.c
	ifNotExists := c.accept("if", "not", "exists")
	q := c.qname()
	w.here(q)
	e := &Event{Name: q.name, Created: w.st}
	c.objects = []Object{{Kind: KindEvent, Name: e.Name}}
	c.expect("on", "schedule")
	w.eventClauses(e)
	if w.s.events[e.Name] != nil && !replace {
		if ifNotExists {
			return
		}
		w.refuse(q.at, 1537, "event %s exists already", quoteName(e.Name))
	}
	own(w, ownEvents, &w.s.events)[e.Name] = e
}

// eventClauses reads an event from its schedule on.
func (w *work) eventClauses(e *Event) {
	c := w.c
	from := c.i
	for !c.done() && !c.at("do") && !c.at("on", "completion") && !c.at("enable") && !c.at("disable") && !c.at("comment") && !c.at("rename", "to") {
		c.i++
	}
	if c.i > from {
		e.Schedule = c.textOf(c.ts[from:c.i])
	}
	for !c.done() {
		switch {
		case c.accept("on", "completion"):
			c.accept("not")
			c.expect("preserve")
		case c.accept("enable"):
			e.Disabled = false
		case c.accept("disable"):
			e.Disabled = true
			if c.accept("on") {
				c.name()
			}
		case c.accept("comment"):
			c.str()
		case c.accept("rename", "to"):
			e.Name = c.qname().name
		case c.accept("do"):
			e.Body = c.rest()
		default:
			c.unexpected("a clause of an event")
		}
	}
}

// createSequence applies MariaDB's CREATE SEQUENCE.
func (w *work) createSequence(replace bool) {
	c := w.c
	ifNotExists := c.accept("if", "not", "exists")
	q := c.qname()
	c.objects = []Object{{Kind: KindSequence, Name: q.name}}
	if !w.s.server.MariaDB {
		w.refuse(q.at, 1064, "MySQL has no sequences")
	}
	w.here(q)
	if w.exists(q.name) {
		if ifNotExists {
			return
		}
		if !replace || w.s.seqs[q.name] == nil {
			w.refuse(q.at, 1050, "table %s exists already", quoteName(q.name))
		}
	}
	own(w, ownSequences, &w.s.seqs)[q.name] = &Sequence{Name: q.name, Definition: strings.ToUpper(c.rest()), Created: w.st}
}

// alterSequence applies MariaDB's ALTER SEQUENCE. What it leaves as it was is not put together with what it changes.
func (w *work) alterSequence() {
	c := w.c
	ifExists := c.accept("if", "exists")
	q := c.qname()
	c.objects = []Object{{Kind: KindSequence, Name: q.name}}
	w.here(q)
	old := w.s.seqs[q.name]
	if old == nil {
		if ifExists {
			return
		}
		w.refuse(q.at, 4091, "sequence %s does not exist", quoteName(q.name))
	}
	n := *old
	n.Definition = strings.TrimSpace(old.Definition + " " + strings.ToUpper(c.rest()))
	own(w, ownSequences, &w.s.seqs)[q.name] = &n
}

// alterObject applies ALTER VIEW, PROCEDURE, FUNCTION and EVENT.
func (w *work) alterObject() {
	c := w.c
	v := &View{}
	for {
		switch {
		case c.accept("algorithm"):
			c.equals()
			v.Algorithm = strings.ToUpper(c.name())
			continue
		case c.at("definer"):
			v.Definer = c.definer()
			continue
		case c.accept("sql", "security"):
			v.Security = strings.ToUpper(c.name())
			continue
		}
		break
	}
	switch {
	case c.accept("view"):
		at := c.i
		q := c.qname()
		w.here(q)
		if w.s.views[q.name] == nil {
			if w.s.tables[q.name] != nil {
				w.refuse(q.at, 1347, "%s is a table", quoteName(q.name))
			}
			w.refuse(q.at, 1146, "view %s does not exist", quoteName(q.name))
		}
		c.i = at
		w.createView(v, true)
	case c.at("procedure"), c.at("function"):
		function := c.at("function")
		c.i++
		q := c.qname()
		w.here(q)
		if w.s.procs[routineKey(function, q.name)] == nil {
			w.refuse(q.at, 1305, "routine %s does not exist", quoteName(q.name))
		}
		// Only characteristics can be altered (manual: ALTER PROCEDURE Statement).
	case c.accept("event"):
		q := c.qname()
		w.here(q)
		c.objects = []Object{{Kind: KindEvent, Name: q.name}}
		old := w.s.events[q.name]
		if old == nil {
			w.refuse(q.at, 1539, "event %s does not exist", quoteName(q.name))
		}
		e := *old
		c.accept("on", "schedule")
		w.eventClauses(&e)
		events := own(w, ownEvents, &w.s.events)
		if e.Name != q.name {
			delete(events, q.name)
			w.dropped(Object{Kind: KindEvent, Name: q.name})
		}
		events[e.Name] = &e
	default:
		c.unexpected("something that ALTER can change")
	}
}

// dropObject applies DROP VIEW, TRIGGER, PROCEDURE, FUNCTION, EVENT and SEQUENCE.
func (w *work) dropObject() {
	c := w.c
	kind := c.acceptAny("view", "trigger", "procedure", "function", "event", "sequence")
	if kind == "" {
		c.unexpected("something that DROP can remove")
	}
	ifExists := c.accept("if", "exists")
	var list []qname
	for {
		list = append(list, c.qname())
		if kind != "view" && kind != "sequence" || !c.accept(",") {
			break
		}
	}
	for _, q := range list {
		if q.system() {
			continue
		}
		w.here(q)
		o := Object{Kind: ObjectKind(kind), Name: q.name}
		missing := func(code int) {
			if !ifExists {
				w.refuse(q.at, code, "%s %s does not exist", kind, quoteName(q.name))
			}
		}
		switch kind {
		case "view":
			if w.s.views[q.name] == nil {
				if w.s.tables[q.name] != nil && !w.s.server.MariaDB {
					w.refuse(q.at, 1347, "%s is a table", quoteName(q.name))
				}
				code := 1051
				if w.s.server.MariaDB {
					code = 4092
				}
				missing(code)
				continue
			}
			delete(own(w, ownViews, &w.s.views), q.name)
		case "trigger":
			g := w.s.trigs[q.name]
			if g == nil {
				missing(1360)
				continue
			}
			o.Table = g.Table
			delete(own(w, ownTriggers, &w.s.trigs), q.name)
		case "procedure", "function":
			o.Kind = KindRoutine
			key := routineKey(kind == "function", q.name)
			if w.s.procs[key] == nil {
				missing(1305)
				continue
			}
			delete(own(w, ownRoutines, &w.s.procs), key)
		case "event":
			if w.s.events[q.name] == nil {
				missing(1539)
				continue
			}
			delete(own(w, ownEvents, &w.s.events), q.name)
		case "sequence":
			if w.s.seqs[q.name] == nil {
				missing(4091)
				continue
			}
			delete(own(w, ownSequences, &w.s.seqs), q.name)
		}
		w.dropped(o)
	}
}
