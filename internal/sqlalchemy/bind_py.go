package sqlalchemy

import (
	"regexp"
	"strings"

	"instep/internal/python"
)

// A bind is an engine, a connection, a session or a transaction: something that statements are run on. They all mean the one
// database of the evaluation.
type bind struct {
	e    *Engine
	kind string // "Engine", "Connection", "Session", "Transaction"
}

// Bind gives the engine as a Python value, for example for sqlalchemy-migrate's upgrade(migrate_engine).
func (e *Engine) Bind() python.Value { return &bind{e, "Engine"} }

// Connection gives a connection as a Python value, for op.get_bind().
func (e *Engine) Connection() python.Value { return &bind{e, "Connection"} }

// Session gives a session as a Python value.
func (e *Engine) Session() python.Value { return &bind{e, "Session"} }

// TypeName implements python.Value.
func (b *bind) TypeName() string { return b.kind }

// Handle implements python.HandleHolder.
func (b *bind) Handle() bool { return true }

// Same implements python.Same.
func (b *bind) Same(ev *python.Eval, other python.Value) bool {
	o, ok := other.(*bind)
	return ok && *o == *b
}

// Class implements python.Classed.
func (b *bind) Class() *python.Class { return b.e.bindClass(b.kind) }

func (e *Engine) bindClass(kind string) *python.Class {
	key := "bind." + kind
	c := e.classes[key]
	if c == nil {
		c = &python.Class{Name: kind, Module: "sqlalchemy.engine", Data: e}
		if kind == "Session" {
			c.Module = "sqlalchemy.orm"
			c.New = func(ev *python.Eval, cls *python.Class, call *python.Call) (python.Value, error) {
				return &bind{e, "Session"}, nil
			}
		}
		e.classes[key] = c
	}
	return c
}

// Enter implements python.Manager.
func (b *bind) Enter(ev *python.Eval, pos python.Pos) (python.Value, error) { return b, nil }

// Exit implements python.Manager. DDL commits at once, so that nothing is taken back when an exception passes.
func (b *bind) Exit(ev *python.Eval, pos python.Pos, exc *python.Instance) (bool, error) {
	return false, nil
}

// Attr implements python.Attrer.
func (b *bind) Attr(ev *python.Eval, name string) (python.Value, bool) {
	e := b.e
	to := func(kind string) (python.Value, bool) {
		return fn(name, func(*python.Eval, *python.Call) (python.Value, error) { return &bind{e, kind}, nil }), true
	}
	nothing := func() (python.Value, bool) {
		return fn(name, func(*python.Eval, *python.Call) (python.Value, error) { return python.None, nil }), true
	}
	switch name {
	case "name":
		return python.Str("mysql"), true
	case "driver":
		return python.Str("pymysql"), true
	case "dialect":
		return &dialectValue{e: e}, true
	case "engine":
		return &bind{e, "Engine"}, true
	case "bind":
		return &bind{e, "Engine"}, true
	case "url":
		return &urlValue{e}, true
	case "connect", "contextual_connect", "connection", "execution_options", "get_bind":
		return to("Connection")
	case "begin", "begin_nested", "begin_twophase", "get_transaction":
		if b.kind == "Engine" {
			return to("Connection")
		}
		return to("Transaction")
	case "transaction":
		if b.kind == "Engine" {
			return python.NewUnknown(ev.Pos(), "engine.transaction() is not modelled"), true
		}
		return &bind{e, "Transaction"}, true
	case "commit", "rollback", "close", "dispose", "flush", "expire_all", "expunge_all", "expire", "refresh", "detach", "invalidate", "remove",
		"prepare", "expunge":
		return nothing()
	case "in_transaction", "closed", "invalidated", "is_active", "echo":
		v := python.Bool(name == "is_active")
		if name == "in_transaction" {
			return give(name, v), true
		}
		return v, true
	case "execute", "exec_driver_sql", "scalar", "scalars", "stream":
		return acts(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			if len(call.Args) == 0 {
				return nil, ev.Raisef("TypeError", "%s() missing 1 required positional argument: 'statement'", name)
			}
			r, err := e.run(call.Pos(), call.Args[0], call.Args[1:], call.Kw)
			if err != nil {
				return nil, err
			}
			res, ok := r.(*result)
			switch {
			case name == "scalar" && ok:
				return res.scalar(call.Pos()), nil
			case name == "scalars" && ok:
				return res, nil
			}
			return r, nil
		}), true
	case "run_callable":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			if len(call.Args) == 0 {
				return python.None, nil
			}
			args := append([]python.Value{&bind{e, "Connection"}}, call.Args[1:]...)
			return ev.Call(call.Pos(), call.Args[0], args, call.Kw...)
		}), true
	case "has_table", "table_names", "has_index":
		return e.inspectorMethod(nil, map[string]string{"has_table": "has_table", "table_names": "get_table_names", "has_index": "has_index"}[name]), true
	case "raw_connection", "cursor":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) { return &rawConnection{e}, nil }), true
	case "info":
		return python.NewDict(), true
	case "default_schema_name":
		return strOrNone(e.schema.Database()), true
	case "schema_for_object":
		return python.NewUnknown(ev.Pos(), "schema_for_object is not modelled"), true
	}
	if b.kind == "Session" {
		return e.sessionAttr(name)
	}
	return nil, false
}

// A rawConnection is a driver's connection or its cursor.
type rawConnection struct{ e *Engine }

// TypeName implements python.Value.
func (*rawConnection) TypeName() string { return "Cursor" }

// Handle implements python.HandleHolder.
func (*rawConnection) Handle() bool { return true }

// Enter implements python.Manager.
func (r *rawConnection) Enter(ev *python.Eval, pos python.Pos) (python.Value, error) { return r, nil }

// Exit implements python.Manager.
func (r *rawConnection) Exit(ev *python.Eval, pos python.Pos, exc *python.Instance) (bool, error) {
	return false, nil
}

// Attr implements python.Attrer.
func (r *rawConnection) Attr(ev *python.Eval, name string) (python.Value, bool) {
	switch name {
	case "cursor":
		return fn(name, func(*python.Eval, *python.Call) (python.Value, error) { return r, nil }), true
	case "execute", "executemany", "query":
		return acts(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			if len(call.Args) == 0 {
				return python.None, nil
			}
			return r.e.run(call.Pos(), call.Args[0], call.Args[1:], call.Kw)
		}), true
	case "commit", "rollback", "close":
		return give(name, python.None), true
	case "fetchall", "fetchmany":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			return python.NewRows(call.Pos(), "they are rows of the database"), nil
		}), true
	case "fetchone":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			return python.NewData(call.Pos(), "it is a row of the database", python.None), nil
		}), true
	case "rowcount", "lastrowid", "description":
		return python.NewData(ev.Pos(), "it depends on rows of the database", python.Int(0)), true
	}
	return nil, false
}

// A dialectValue is engine.dialect.
type dialectValue struct{ e *Engine }

// TypeName implements python.Value.
func (*dialectValue) TypeName() string { return "MySQLDialect_pymysql" }

// Attr implements python.Attrer.
func (d *dialectValue) Attr(ev *python.Eval, name string) (python.Value, bool) {
	e := d.e
	v := e.schema.Server()
	switch name {
	case "name":
		return python.Str("mysql"), true
	case "driver":
		return python.Str("pymysql"), true
	case "is_mariadb":
		return python.Bool(v.MariaDB), true
	case "server_version_info":
		out := python.NewTuple(python.Int(v.Major), python.Int(v.Minor))
		if v.Patch > 0 {
			out = python.NewTuple(python.Int(v.Major), python.Int(v.Minor), python.Int(v.Patch))
		}
		return out, true
	case "supports_alter", "supports_native_enum", "supports_comments":
		return python.Bool(true), true
	case "supports_sequences", "supports_native_boolean":
		return python.Bool(false), true
	case "max_identifier_length":
		return python.Int(255), true
	case "max_index_name_length", "max_constraint_name_length":
		return python.Int(64), true
	case "default_schema_name":
		return strOrNone(e.schema.Database()), true
	case "type_descriptor":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			t, err := e.typeArg(first(call.Args, nil))
			if err != nil {
				return nil, err
			}
			return e.typeValue(t), nil
		}), true
	case "has_table":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			// The first argument is the connection.
			return ev.Call(call.Pos(), e.inspectorMethod(nil, "has_table"), call.Args[min(1, len(call.Args)):], call.Kw...)
		}), true
	case "identifier_preparer":
		return &preparer{e}, true
	case "paramstyle":
		return python.Str("pyformat"), true
	}
	return nil, false
}

// A preparer is dialect.identifier_preparer.
type preparer struct{ e *Engine }

// TypeName implements python.Value.
func (*preparer) TypeName() string { return "MySQLIdentifierPreparer" }

// Attr implements python.Attrer.
func (p *preparer) Attr(ev *python.Eval, name string) (python.Value, bool) {
	text := func(f func(string) string) (python.Value, bool) {
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			v := first(call.Args, nil)
			switch x := v.(type) {
			case *Table:
				ddl, _ := FormatTable(x)
				return known(call.Pos(), ddl), nil
			case *Column:
				v = python.Str(x.Name)
			}
			s, u := p.e.text(v)
			if u != nil {
				return python.NewUnknown(call.Pos(), u.Why), nil
			}
			return python.Str(f(s)), nil
		}), true
	}
	switch name {
	case "quote", "quote_schema", "format_table", "format_column", "format_schema":
		return text(quote)
	case "quote_identifier":
		return text(forceQuote)
	}
	return nil, false
}

func known(pos python.Pos, ddl DDL) python.Value {
	if len(ddl.Unknown) > 0 {
		return python.NewUnknown(pos, ddl.Unknown[0].Why)
	}
	return python.Str(ddl.SQL)
}

// databaseName is the name of the Unknown for the name of the database.
const databaseName = "database"

// thisDatabase gives the text of ALTER DATABASE on the database that the program is connected to, whose name is not known:
// without a name the statement means that one (manual, "ALTER DATABASE Statement").
func thisDatabase(u *python.Unknown) (string, bool) {
	if u.Hole == nil || u.Hole.Name != databaseName {
		return "", false
	}
	before, after := strings.TrimRight(u.Prefix, " \t\r\n"), u.Suffix
	if quoted := strings.TrimSuffix(before, "`"); quoted != before {
		if before = quoted; !strings.HasPrefix(after, "`") {
			return "", false
		}
		after = after[1:]
	}
	words := strings.Fields(strings.ToUpper(before))
	if len(words) != 2 || words[0] != "ALTER" || words[1] != "DATABASE" && words[1] != "SCHEMA" || after != "" && isWord(after[0]) {
		return "", false
	}
	return strings.TrimSpace(before) + " " + strings.TrimSpace(after), true
}

// A urlValue is engine.url. Where the database runs is not known; what it is, is.
type urlValue struct{ e *Engine }

// TypeName implements python.Value.
func (*urlValue) TypeName() string { return "URL" }

// Attr implements python.Attrer.
func (u *urlValue) Attr(ev *python.Eval, name string) (python.Value, bool) {
	switch name {
	case "drivername":
		return &python.Unknown{Pos: ev.Pos(), Why: "the database's URL is not known", Prefix: "mysql"}, true
	case "get_dialect":
		return give(name, &dialectValue{e: u.e}), true
	case "database":
		if db := u.e.schema.Database(); db != "" {
			return python.Str(db), true
		}
		return &python.Unknown{Pos: ev.Pos(), Why: "the database's URL is not known", Name: databaseName}, true
	case "get_backend_name":
		return give(name, python.Str("mysql")), true
	}
	return python.NewUnknown(ev.Pos(), "the database's URL is not known"), true
}

// Text implements python.Texter.
func (u *urlValue) Text(ev *python.Eval, repr bool) (python.Value, error) {
	return &python.Unknown{Pos: ev.Pos(), Why: "the database's URL is not known", Prefix: "mysql"}, nil
}

// A result is what executing a statement gives.
type result struct {
	e     *Engine
	query bool
	rows  []python.Value // known rows, of queries that the model answers; nil means live data
	known bool
}

// TypeName implements python.Value.
func (*result) TypeName() string { return "CursorResult" }

func (r *result) all(pos python.Pos) python.Value {
	if r.known {
		return python.NewList(r.rows...)
	}
	return python.NewRows(pos, "they are rows of the database")
}

func (r *result) one(pos python.Pos) python.Value {
	if r.known {
		if len(r.rows) == 0 {
			return python.None
		}
		return r.rows[0]
	}
	return python.NewData(pos, "it is a row of the database", python.None)
}

func (r *result) scalar(pos python.Pos) python.Value {
	if r.known {
		if len(r.rows) == 0 {
			return python.None
		}
		if t, ok := r.rows[0].(*python.Tuple); ok && len(t.Items) > 0 {
			return t.Items[0]
		}
	}
	return python.NewData(pos, "it is read from rows of the database", python.None)
}

// Iterate implements python.Iterable.
func (r *result) Iterate(ev *python.Eval) ([]python.Value, *python.Unknown, error) {
	if r.known {
		return r.rows, nil, nil
	}
	return nil, python.NewRows(ev.Pos(), "they are rows of the database"), nil
}

// Attr implements python.Attrer.
func (r *result) Attr(ev *python.Eval, name string) (python.Value, bool) {
	m := func(f func(pos python.Pos) python.Value) (python.Value, bool) {
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) { return f(call.Pos()), nil }), true
	}
	switch name {
	case "fetchall", "all", "fetchmany", "partitions", "keys":
		return m(r.all)
	case "fetchone", "first", "one_or_none", "scalar_one_or_none", "one":
		return m(r.one)
	case "scalar", "scalar_one":
		return m(r.scalar)
	case "scalars", "mappings", "yield_per", "unique", "columns", "tuples":
		return m(func(python.Pos) python.Value { return r })
	case "close":
		return give(name, python.None), true
	case "rowcount":
		if r.known {
			return python.Int(len(r.rows)), true
		}
		return python.NewData(ev.Pos(), "it counts rows of the database", python.Int(0)), true
	case "returns_rows":
		return python.Bool(r.query), true
	case "inserted_primary_key", "lastrowid", "inserted_primary_key_rows":
		return python.NewData(ev.Pos(), "the key of a new row is data", nil), true
	case "context", "cursor", "connection":
		return python.NewUnknown(ev.Pos(), "result."+name+" is not modelled"), true
	}
	return nil, false
}

// Truth implements python.Truther: a result is always true.
func (r *result) Truth(ev *python.Eval) (python.Value, error) { return python.Bool(true), nil }

// A ddlElement is CreateTable(t), DDL("…") and the like: something to run.
type ddlElement struct {
	e    *Engine
	name string
	run  func(pos python.Pos) error
}

// TypeName implements python.Value.
func (d *ddlElement) TypeName() string { return d.name }

// Handle implements python.HandleHolder.
func (d *ddlElement) Handle() bool { return true }

// Call implements python.Caller: as a listener of an event.
func (d *ddlElement) Call(ev *python.Eval, call *python.Call) (python.Value, error) {
	return python.None, d.run(call.Pos())
}

// Attr implements python.Attrer.
func (d *ddlElement) Attr(ev *python.Eval, name string) (python.Value, bool) {
	switch name {
	case "execute":
		return acts(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			return &result{e: d.e}, d.run(call.Pos())
		}), true
	case "execute_if":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			v := call.Keyword("dialect")
			if v == nil && len(call.Args) > 0 {
				v = call.Args[0]
			}
			if absent(v) {
				return d, nil
			}
			names, u := d.e.strs(v)
			if u != nil {
				return python.NewUnknown(call.Pos(), u.Why), nil
			}
			if contains(names, "mysql") {
				return d, nil
			}
			return &ddlElement{e: d.e, name: d.name, run: func(python.Pos) error { return nil }}, nil
		}), true
	case "execute_at":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			if len(call.Args) < 2 {
				return python.None, nil
			}
			s, _ := d.e.text(call.Args[0])
			d.e.listen(call.Args[1], strings.ReplaceAll(s, "-", "_"), d)
			return python.None, nil
		}), true
	case "compile", "statement":
		return python.NewUnknown(ev.Pos(), "the text of DDL is not modelled"), true
	}
	return nil, false
}

// listen registers a listener of a Table or a MetaData.
func (e *Engine) listen(target python.Value, event string, call python.Value) {
	l := listener{event: event}
	var args []python.Value
	switch t := target.(type) {
	case *Table:
		l.table = t
	case *MetaData:
		l.metadata = t
	default:
		return // pools, engines, mappers: nothing that touches the schema
	}
	args = []python.Value{target, &bind{e, "Connection"}}
	l.call = func(pos python.Pos) error {
		if d, ok := call.(*ddlElement); ok {
			return d.run(pos)
		}
		_, err := e.Eval.Call(pos, call, args)
		return err
	}
	e.Eval.Touch(e)
	e.listeners = add(e.listeners, l)
}

// Run executes what a program gives to execute(): text, a str, an expression or DDL. params are what stands behind it.
func (e *Engine) Run(pos python.Pos, what python.Value, params []python.Value, kw ...python.Kwarg) (python.Value, error) {
	return e.run(pos, what, params, kw)
}

func (e *Engine) run(pos python.Pos, what python.Value, params []python.Value, kw []python.Kwarg) (python.Value, error) {
	switch s := what.(type) {
	case *python.Unknown:
		if sql, ok := thisDatabase(s); ok {
			return e.runDriver(pos, sql, params)
		}
		switch statementKindOfPrefix(s.Prefix) {
		case kindQuery:
			e.mayFail(pos, s.Prefix+"…")
			return &result{e: e, query: true}, nil
		case kindData:
			e.dataEffect(pos, s.Prefix+"…", true)
			return &result{e: e}, nil
		}
		if s.Data {
			e.Unread(pos, "a statement whose text is made of rows of the database", s.Why)
			return &result{e: e}, nil
		}
		what := "a statement whose text is not known"
		if s.Prefix != "" {
			what += ": " + clip(s.Prefix) + "…"
		}
		e.Unread(pos, what, s.Why)
		return &result{e: e}, nil
	case python.Str:
		return e.runDriver(pos, string(s), params)
	case *nameValue:
		return e.runDriver(pos, string(s.Str), params)
	case *Expr:
		return e.runText(pos, s, params, kw)
	case *ddlElement:
		return &result{e: e}, s.run(pos)
	case *statement:
		if s.kind == "SELECT" {
			sql, _ := s.sql()
			e.tryQuery(pos, sql)
			return &result{e: e, query: true}, nil
		}
		if s.kind == "INSERT" && len(params) > 0 {
			s = s.set(params[0])
		}
		sql, unknown := s.sql()
		e.dataEffect(pos, sql, len(unknown) > 0)
		return &result{e: e}, nil
	case *query:
		return &result{e: e, query: true}, nil
	case *defaultValue:
		return python.NewUnknown(pos, "the next value of a sequence is data"), nil
	}
	if l, ok := what.(*python.Tuple); ok && len(l.Items) == 1 {
		return e.run(pos, l.Items[0], params, kw)
	}
	e.Unread(pos, "execute() of a "+what.TypeName(), "it is not modelled")
	return &result{e: e}, nil
}

// statementKindOfPrefix tells what a statement is of which only the beginning is known. The first word must be complete.
func statementKindOfPrefix(prefix string) int {
	t := strings.TrimLeft(prefix, " \t\r\n(")
	if !strings.ContainsAny(t, " \t\r\n") || strings.HasPrefix(t, "/*") || strings.HasPrefix(t, "--") || strings.HasPrefix(t, "#") {
		return kindSchema
	}
	return statementKind(prefix)
}

func (e *Engine) dataEffect(pos python.Pos, sql string, params bool) {
	a := &Applied{Statement: stmtOf(e, pos, sql, params), After: e.schema}
	e.Eval.Effect(python.Effect{Pos: pos, Kind: python.DataEffect, Text: sql, Value: a})
	e.mayFail(pos, sql)
}

// runText executes text() with its parameters.
func (e *Engine) runText(pos python.Pos, x *Expr, params []python.Value, kw []python.Kwarg) (python.Value, error) {
	values := map[string]string{}
	c := &compiler{}
	put := func(name string, v python.Value) { values[name] = c.expr(e.operand(v), sqlMode{}) }
	for _, p := range params {
		if l, ok := p.(*python.List); ok && len(l.Items) > 0 {
			p = l.Items[0]
		}
		d, ok := p.(*python.Dict)
		if !ok {
			continue
		}
		keys, vals := d.Items()
		for i, k := range keys {
			if s, u := e.text(k); u == nil {
				put(s, vals[i])
			}
		}
	}
	for _, k := range kw {
		put(k.Name, k.Value)
	}
	sql := c.expr(x, sqlMode{values: values, tables: true})
	return e.runSQL(pos, sql, c.unknowns)
}

// runDriver executes a str as the driver gets it: %s and %(name)s are parameters, and %% is one %.
func (e *Engine) runDriver(pos python.Pos, sql string, params []python.Value) (python.Value, error) {
	c := &compiler{}
	var positional []python.Value
	named := map[string]python.Value{}
	for _, p := range params {
		switch p := p.(type) {
		case *python.Tuple:
			positional = append(positional, p.Items...)
		case *python.List:
			if len(p.Items) > 0 {
				if t, ok := p.Items[0].(*python.Tuple); ok {
					positional = append(positional, t.Items...)
					continue
				}
				positional = append(positional, p.Items...)
			}
		case *python.Dict:
			keys, vals := p.Items()
			for i, k := range keys {
				if s, u := e.text(k); u == nil {
					named[s] = vals[i]
				}
			}
		default:
			positional = append(positional, p)
		}
	}
	var b strings.Builder
	next := 0
	value := func(v python.Value) {
		if v == nil {
			c.unknown(&Unknown{Why: "no value is given for a parameter"})
			b.WriteByte('?')
			return
		}
		b.WriteString(c.expr(e.operand(v), sqlMode{}))
	}
	for i := 0; i < len(sql); i++ {
		rest := sql[i:]
		switch {
		case strings.HasPrefix(rest, "%%"):
			b.WriteByte('%')
			i++
		case strings.HasPrefix(rest, "%s") && len(params) > 0:
			var v python.Value
			if next < len(positional) {
				v = positional[next]
			}
			next++
			value(v)
			i++
		case strings.HasPrefix(rest, "%(") && strings.Contains(rest, ")s") && len(params) > 0:
			end := strings.Index(rest, ")s")
			value(named[rest[2:end]])
			i += end + 1
		default:
			b.WriteByte(sql[i])
		}
	}
	return e.runSQL(pos, b.String(), c.unknowns)
}

func (e *Engine) runSQL(pos python.Pos, sql string, unknown []*Unknown) (python.Value, error) {
	if statementKind(sql) == kindQuery {
		if rows, ok := e.answer(sql); ok && len(unknown) == 0 {
			return &result{e: e, query: true, rows: rows, known: true}, nil
		}
		if up := strings.ToUpper(sql); strings.Contains(up, "INFORMATION_SCHEMA") || strings.HasPrefix(strings.TrimSpace(up), "SHOW") {
			// The answer is a matter of the schema, not of rows: nothing may be assumed of it.
			return python.NewUnknown(pos, "the answer to "+clip(sql)+" is not modelled"), nil
		}
		e.tryQuery(pos, sql)
		return &result{e: e, query: true}, nil
	}
	return &result{e: e}, e.Execute(pos, sql, unknown...)
}

// plainQuery matches the queries that are simple enough to see that the server answers them.
var plainQuery = regexp.MustCompile("(?is)^\\s*SELECT\\s+([\\w`*,().\\s]+?)\\s+FROM\\s+`?(\\w+)`?(?:\\s+LIMIT\\s+\\d+)?\\s*;?\\s*$")

// tryQuery notes that a query may fail, unless all that it names is there: that it does is how programs find out whether a
// table or a column is there.
func (e *Engine) tryQuery(pos python.Pos, sql string) {
	if m := plainQuery.FindStringSubmatch(sql); m != nil {
		if t := e.seen().Table(m[2]); t != nil {
			all := true
			for _, item := range strings.Split(m[1], ",") {
				item = strings.TrimPrefix(strings.Trim(strings.TrimSpace(item), "`"), m[2]+".")
				switch strings.ToUpper(strings.Join(strings.Fields(item), "")) {
				case "*", "1", "COUNT(*)", "COUNT(1)":
				default:
					all = all && t.Column(item) != nil
				}
			}
			if all {
				return
			}
		}
	}
	e.mayFail(pos, sql)
}

// A Touch says what running a statement can change.
type Touch uint8

// What running a statement can change. TouchesUnknown is said of what is no statement, too.
const (
	TouchesUnknown Touch = iota
	TouchesRows          // or nothing at all
	TouchesSchema
)

// Touches tells what running a value as a statement can change, for code that cannot be read and gets it.
func (e *Engine) Touches(what python.Value) Touch {
	sql := ""
	switch s := what.(type) {
	case *statement, *query:
		return TouchesRows
	case *ddlElement:
		return TouchesSchema
	case *Expr:
		sql = (&compiler{}).expr(s, sqlMode{tables: true})
	case python.Str:
		sql = string(s)
	case *nameValue:
		sql = string(s.Str)
	case *python.Unknown:
		if s.Prefix == "" || statementKindOfPrefix(s.Prefix) != statementKind(s.Prefix) {
			return TouchesUnknown // its first word is not known
		}
		sql = s.Prefix
	default:
		return TouchesUnknown
	}
	// Code that is not read may send several statements at once. A semicolon in a string makes this stricter at worst.
	for part := range strings.SplitSeq(sql, ";") {
		if statementKind(part) == kindSchema {
			return TouchesSchema
		}
	}
	return TouchesRows
}
