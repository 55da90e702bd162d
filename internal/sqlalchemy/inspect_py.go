package sqlalchemy

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"instep/analyzer/schema"
	"instep/internal/python"
)

func stmtOf(e *Engine, pos python.Pos, sql string, params bool) schema.Statement {
	return schema.Statement{SQL: sql, Pos: schemaPos(pos), Migration: e.Migration, Params: params}
}

// An inspector is inspect(engine). It asks the server once for the names of the tables, and once for each table, and goes
// on giving the same answers when the schema has changed (SQLAlchemy's manual, "Reflecting Database Objects": results are
// cached; tested with 1.4.46: on MySQL one SHOW CREATE TABLE answers for columns, indexes and constraints alike).
type inspector struct {
	e *Engine
	// asked holds, for "names", "views", "table NAME" and "has NAME", the schema when that was asked for. It is never
	// changed, but replaced.
	asked map[string]asking
}

// An asking is when an inspector asked the server.
type asking struct {
	s     *schema.Schema
	maybe bool // it may not have asked then, or at another time: that depends on a condition that is not known
}

// Inspector gives inspect(bind) as a Python value.
func (e *Engine) Inspector() python.Value { return &inspector{e: e} }

// Save implements python.Mutable.
func (i *inspector) Save() any { return i.asked }

// Restore implements python.Mutable.
func (i *inspector) Restore(state any) { i.asked = state.(map[string]asking) }

// Merge implements python.Merger.
func (i *inspector) Merge(ev *python.Eval, before, a, b any, why *python.Unknown) {
	x, y := a.(map[string]asking), b.(map[string]asking)
	all := map[string]asking{}
	for k, v := range x {
		if w, ok := y[k]; !ok || w.s != v.s {
			v.maybe = true
		}
		all[k] = v
	}
	for k, v := range y {
		if w, ok := x[k]; !ok || w.s != v.s || w.maybe {
			v.maybe = true
		}
		all[k] = v
	}
	i.asked = all
}

// ask gives the schema from which a question is answered: as it is now, or as it was when it was asked first. ok is false
// where which of the two is not known, and same says that it makes a difference. A nil inspector remembers nothing.
func (i *inspector) ask(e *Engine, key string, same func(a, b *schema.Schema) bool) (s *schema.Schema, ok bool) {
	now := e.seen()
	if i == nil {
		return now, true
	}
	if first, asked := i.asked[key]; asked {
		return first.s, !first.maybe || same(first.s, now)
	}
	e.Eval.Touch(i)
	i.asked = maps.Clone(i.asked)
	if i.asked == nil {
		i.asked = map[string]asking{}
	}
	i.asked[key] = asking{s: now}
	return now, true
}

// remembers gives when the inspector asked, if it did.
func (i *inspector) remembers(key string) (asking, bool) {
	if i == nil {
		return asking{}, false
	}
	a, ok := i.asked[key]
	return a, ok
}

// stale is the answer to a question that may have been asked before the schema changed.
func stale(pos python.Pos) python.Value {
	return python.NewUnknown(pos, "whether the inspector answers from what it has seen before the last change of the schema is not known")
}

func tableNames(s *schema.Schema) []string {
	var out []string
	for _, t := range s.Tables() {
		out = append(out, t.Name)
	}
	return out
}

func viewNames(s *schema.Schema) []string {
	var out []string
	for _, v := range s.Views() {
		out = append(out, v.Name)
	}
	return out
}

func hasTable(s *schema.Schema, name string) bool { return s.Table(name) != nil || s.View(name) != nil }

// TypeName implements python.Value.
func (*inspector) TypeName() string { return "Inspector" }

// Attr implements python.Attrer.
func (i *inspector) Attr(ev *python.Eval, name string) (python.Value, bool) {
	e := i.e
	switch name {
	case "bind", "engine":
		return &bind{e, "Engine"}, true
	case "dialect":
		return &dialectValue{e: e}, true
	case "default_schema_name":
		return strOrNone(e.schema.Database()), true
	case "clear_cache":
		return fn(name, func(*python.Eval, *python.Call) (python.Value, error) {
			e.Eval.Touch(i)
			i.asked = nil
			return python.None, nil
		}), true
	case "reflecttable", "reflect_table":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			if t, ok := first(call.Args, call.Keyword("table")).(*Table); ok {
				return python.None, e.wrap(Reflect(e.seen(), t, nil))
			}
			return python.None, nil
		}), true
	}
	if m := e.inspectorMethod(i, name); m != nil {
		return m, true
	}
	return nil, false
}

// dict makes a dict of pairs of a string and a value.
func (e *Engine) dict(pairs ...any) *python.Dict {
	d := python.NewDict()
	for i := 0; i+1 < len(pairs); i += 2 {
		_ = d.Store(e.Eval, python.Str(pairs[i].(string)), pairs[i+1].(python.Value))
	}
	return d
}

func strList(ss []string) *python.List {
	var out []python.Value
	for _, s := range ss {
		out = append(out, python.Str(s))
	}
	return python.NewList(out...)
}

// inspectorMethod gives a method of an Inspector; nil if it is not modelled. i is nil for a connection, which has some of the
// methods and remembers nothing.
func (e *Engine) inspectorMethod(i *inspector, name string) python.Value {
	switch name {
	case "get_table_names", "get_sorted_table_and_fkc_names", "get_view_names":
		key, list := "names", tableNames
		if name == "get_view_names" {
			key, list = "views", viewNames
		}
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			s, ok := i.ask(e, key, func(a, b *schema.Schema) bool { return slices.Equal(list(a), list(b)) })
			if !ok {
				return stale(call.Pos()), nil
			}
			return strList(list(s)), nil
		})
	case "get_schema_names":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			return python.NewUnknown(call.Pos(), "the other databases of the server are not known"), nil
		})
	case "get_temp_table_names", "get_temp_view_names", "get_sequence_names":
		return give(name, python.NewList())
	case "has_table", "has_view", "has_index", "has_sequence":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			table, u := e.text(first(call.Args, call.Keyword("table_name")))
			if u != nil {
				return python.NewUnknown(call.Pos(), u.Why), nil
			}
			t := e.seen().Table(table)
			if name != "has_index" {
				// SQLAlchemy 2.0 remembers this as well; 1.4 asks again.
				s, ok := i.ask(e, "has "+table, func(a, b *schema.Schema) bool { return hasTable(a, table) == hasTable(b, table) })
				if has := hasTable(e.seen(), table); ok && hasTable(s, table) == has {
					return python.Bool(has), nil
				}
				return python.NewUnknown(call.Pos(), "whether an inspector asks again for a table that was made or dropped since depends on the version of SQLAlchemy"), nil
			}
			arg := call.Keyword("index_name")
			if len(call.Args) > 1 {
				arg = call.Args[1]
			}
			index, u := e.text(arg)
			if u != nil {
				return python.NewUnknown(call.Pos(), u.Why), nil
			}
			return python.Bool(t != nil && t.Key(index) != nil), nil
		})
	case "get_columns", "get_indexes", "get_foreign_keys", "get_unique_constraints", "get_pk_constraint", "get_check_constraints",
		"get_table_comment", "get_primary_keys", "get_table_options":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			table, u := e.text(first(call.Args, call.Keyword("table_name")))
			if u != nil {
				return python.NewUnknown(call.Pos(), u.Why), nil
			}
			key := "table " + table
			if _, asked := i.remembers(key); !asked && e.seen().Table(table) == nil {
				if e.schema.View(table) != nil {
					return python.NewUnknown(call.Pos(), "reflection of views is not modelled"), nil
				}
				return nil, ev.Raise(e.ExceptionClass("NoSuchTableError"), python.Str(table))
			}
			s, ok := i.ask(e, key, func(a, b *schema.Schema) bool { return reflect.DeepEqual(a.Table(table), b.Table(table)) })
			if !ok {
				return stale(call.Pos()), nil
			}
			return e.reflected(name, s.Table(table)), nil
		})
	}
	return nil
}

// reflected gives what an Inspector's method says of a table.
func (e *Engine) reflected(method string, t *schema.Table) python.Value {
	var out []python.Value
	switch method {
	case "get_columns":
		for _, c := range t.Columns {
			out = append(out, e.reflectedColumn(t, c))
		}
	case "get_indexes":
		for _, k := range t.Keys {
			if k.Kind == schema.PrimaryKey {
				continue
			}
			d := e.dict("name", python.Str(k.Name), "column_names", strList(keyColumns(k)), "unique", python.Bool(k.Kind == schema.UniqueKey))
			switch k.Kind {
			case schema.UniqueKey:
				_ = d.Store(e.Eval, python.Str("type"), python.Str("UNIQUE"))
			case schema.FulltextKey, schema.SpatialKey:
				kind := python.Str(strings.ToUpper(string(k.Kind)))
				_ = d.Store(e.Eval, python.Str("type"), kind)
				_ = d.Store(e.Eval, python.Str("dialect_options"), e.dict("mysql_prefix", kind))
			}
			out = append(out, d)
		}
	case "get_unique_constraints":
		for _, k := range t.Keys {
			if k.Kind == schema.UniqueKey {
				out = append(out, e.dict("name", python.Str(k.Name), "column_names", strList(keyColumns(k)), "duplicates_index", python.Str(k.Name)))
			}
		}
	case "get_foreign_keys":
		for _, f := range t.ForeignKeys {
			db, table, ok := cutLast(f.RefTable, ".")
			if !ok {
				db, table = "", f.RefTable
			}
			options := python.NewDict()
			for _, a := range [][2]string{{"onupdate", f.OnUpdate}, {"ondelete", f.OnDelete}} {
				if a[1] != "" && a[1] != "NO ACTION" {
					_ = options.Store(e.Eval, python.Str(a[0]), python.Str(a[1]))
				}
			}
			out = append(out, e.dict("name", python.Str(f.Name), "constrained_columns", strList(f.Columns), "referred_schema", strOrNone(db),
				"referred_table", python.Str(table), "referred_columns", strList(f.RefColumns), "options", options))
		}
	case "get_check_constraints":
		for _, c := range t.Checks {
			out = append(out, e.dict("name", python.Str(c.Name), "sqltext", python.Str(c.Expr)))
		}
	case "get_pk_constraint", "get_primary_keys":
		var cols []string
		if k := t.PrimaryKey(); k != nil {
			cols = keyColumns(k)
		}
		if method == "get_primary_keys" {
			return strList(cols)
		}
		return e.dict("constrained_columns", strList(cols), "name", python.None)
	case "get_table_comment":
		return e.dict("text", strOrNone(t.Comment))
	case "get_table_options":
		d := python.NewDict()
		for _, o := range ReflectOptions(t) {
			_ = d.Store(e.Eval, python.Str("mysql_"+strings.ReplaceAll(lowerASCII(o.Name), "_", " ")), python.Str(o.Value))
		}
		return d
	}
	return python.NewList(out...)
}

func (e *Engine) reflectedColumn(t *schema.Table, c *schema.Column) *python.Dict {
	typ := ReflectType(e.schema, t, c)
	var def python.Value = python.None
	if s, ok := ReflectDefault(e.schema.Server(), c); ok {
		def = python.Str(s)
	}
	d := e.dict("name", python.Str(c.Name), "type", e.typeValue(typ), "default", def, "comment", strOrNone(c.Comment), "nullable", python.Bool(c.Nullable))
	switch {
	case c.AutoIncrement:
		_ = d.Store(e.Eval, python.Str("autoincrement"), python.Bool(true))
	case typ.Kind.Affinity == IntegerAffinity:
		_ = d.Store(e.Eval, python.Str("autoincrement"), python.Bool(false))
	}
	if g := c.Generated; g != nil {
		_ = d.Store(e.Eval, python.Str("computed"), e.dict("sqltext", python.Str(g.Expr), "persisted", python.Bool(g.Stored)))
	}
	return d
}

// The queries on the schema that are answered. They are matched as a whole; anything else is not known.
var (
	showTables  = regexp.MustCompile(`(?is)^\s*SHOW\s+TABLES\s*(?:LIKE\s+'([^'%_\\]*)'\s*)?;?\s*$`)
	showColumns = regexp.MustCompile("(?is)^\\s*SHOW\\s+(?:COLUMNS|FIELDS)\\s+(?:FROM|IN)\\s+`?(\\w+)`?\\s+LIKE\\s+'([^'%_\\\\]*)'\\s*;?\\s*$")
	showIndex   = regexp.MustCompile("(?is)^\\s*SHOW\\s+(?:INDEX|INDEXES|KEYS)\\s+(?:FROM|IN)\\s+`?(\\w+)`?\\s+WHERE\\s+`?key_name`?\\s*=\\s*'([^']*)'\\s*;?\\s*$")
	infoSchema  = regexp.MustCompile("(?is)^\\s*SELECT\\s+(COUNT\\s*\\(\\s*(?:\\*|1)\\s*\\)|\\*|1|\\w+)\\s+FROM\\s+`?information_schema`?\\s*\\.\\s*`?(tables|columns|statistics|table_constraints|referential_constraints|key_column_usage)`?\\s+WHERE\\s+(.*?)\\s*;?\\s*$")
	infoEqual   = regexp.MustCompile("(?is)^\\(?\\s*`?(\\w+)`?\\s*=\\s*(?:'([^'\\\\]*)'|(DATABASE\\(\\)|SCHEMA\\(\\)))\\s*\\)?$")
	infoAnd     = regexp.MustCompile(`(?is)\s+AND\s+`)
)

// answer answers a query on the schema from the model. Only how many rows there are, and whether there is one, is
// right; the values in them are not known, except for counts.
func (e *Engine) answer(sql string) ([]python.Value, bool) {
	rows := func(n int) []python.Value {
		var out []python.Value
		for range n {
			out = append(out, python.NewUnknown(e.Eval.Pos(), "the values that "+clip(sql)+" gives are not modelled"))
		}
		return out
	}
	if m := showTables.FindStringSubmatch(sql); m != nil {
		var out []python.Value
		for _, t := range e.seen().Tables() {
			if m[1] == "" || t.Name == m[1] {
				out = append(out, python.NewTuple(python.Str(t.Name)))
			}
		}
		return out, true
	}
	if m := showColumns.FindStringSubmatch(sql); m != nil {
		if t := e.seen().Table(m[1]); t != nil {
			if t.Column(m[2]) != nil {
				return rows(1), true
			}
			return nil, true
		}
		return nil, false
	}
	if m := showIndex.FindStringSubmatch(sql); m != nil {
		if t := e.seen().Table(m[1]); t != nil {
			if k := t.Key(m[2]); k != nil {
				return rows(len(k.Parts)), true
			}
			return nil, true
		}
		return nil, false
	}
	m := infoSchema.FindStringSubmatch(sql)
	if m == nil {
		return nil, false
	}
	where := map[string]string{}
	for _, cond := range infoAnd.Split(m[3], -1) {
		c := infoEqual.FindStringSubmatch(strings.TrimSpace(cond))
		if c == nil {
			return nil, false
		}
		name := strings.ToLower(c[1])
		switch name {
		case "table_schema", "constraint_schema", "index_schema":
			// The database is the one at hand, if it says DATABASE(); another name is not known.
			if c[3] == "" && c[2] != e.schema.Database() {
				return nil, false
			}
			continue
		}
		where[name] = c[2]
	}
	n, ok := e.countInfo(strings.ToLower(m[2]), where)
	if !ok {
		return nil, false
	}
	if strings.HasPrefix(strings.ToUpper(m[1]), "COUNT") {
		return []python.Value{python.NewTuple(python.Int(n))}, true
	}
	return rows(n), true
}

// countInfo counts the rows of a table of information_schema. The table's name must be among the conditions.
func (e *Engine) countInfo(table string, where map[string]string) (int, bool) {
	name, ok := where["table_name"]
	if !ok {
		return 0, false
	}
	t := e.seen().Table(name)
	rest := map[string]string{}
	for k, v := range where {
		if k != "table_name" {
			rest[k] = v
		}
	}
	one := func(column string, has func(v string) int, all int) (int, bool) {
		if t == nil {
			return 0, e.schema.View(name) == nil
		}
		v, ok := rest[column]
		switch {
		case ok && len(rest) == 1:
			return has(v), true
		case len(rest) == 0:
			return all, true
		}
		return 0, false
	}
	b := func(x bool) int {
		if x {
			return 1
		}
		return 0
	}
	switch table {
	case "tables":
		if len(rest) > 0 {
			return 0, false
		}
		return b(t != nil || e.schema.View(name) != nil), true
	case "columns":
		n := 0
		if t != nil {
			n = len(t.Columns)
		}
		return one("column_name", func(v string) int { return b(t.Column(v) != nil) }, n)
	case "statistics":
		if _, ok := rest["index_name"]; !ok {
			return 0, false
		}
		return one("index_name", func(v string) int {
			if k := t.Key(v); k != nil {
				return len(k.Parts)
			}
			return 0
		}, 0)
	case "table_constraints":
		if _, ok := rest["constraint_name"]; !ok {
			return 0, false
		}
		return one("constraint_name", func(v string) int {
			k := t.Key(v)
			return b(k != nil && (k.Kind == schema.UniqueKey || k.Kind == schema.PrimaryKey)) + b(t.ForeignKey(v) != nil) + b(t.Check(v) != nil)
		}, 0)
	case "referential_constraints":
		if _, ok := rest["constraint_name"]; !ok {
			return 0, false
		}
		return one("constraint_name", func(v string) int { return b(t.ForeignKey(v) != nil) }, 0)
	}
	return 0, false
}
