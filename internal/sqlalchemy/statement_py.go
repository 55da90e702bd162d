package sqlalchemy

import (
	"instep/internal/python"
)

// A statement is select(), insert(), update() or delete(). It is immutable: its methods give changed copies.
type statement struct {
	e       *Engine
	kind    string // "SELECT", "INSERT", "UPDATE", "DELETE"
	table   *Table
	name    string // of a table() that is no Table
	columns []*Expr
	from    []python.Value
	names   []string // columns that an INSERT or UPDATE sets
	values  []*Expr
	query   *statement // INSERT … SELECT
	where   *Expr
	unknown *Unknown
}

// TypeName implements python.Value.
func (s *statement) TypeName() string {
	return map[string]string{"SELECT": "Select", "INSERT": "Insert", "UPDATE": "Update", "DELETE": "Delete"}[s.kind]
}

func (s *statement) target() []part {
	if s.table != nil {
		c := &compiler{}
		return raw(c.table(s.table))
	}
	return raw(quote(s.name))
}

// parts renders the statement, its values in place. It is for data statements: details of queries (ORDER BY, LIMIT, joins) that
// do not matter to a reader are left out.
func (s *statement) parts() []part {
	var where []part
	if s.where != nil {
		where = concat(raw(" WHERE "), s.where.parts)
	}
	var names []part
	for i, n := range s.names {
		if i > 0 {
			names = append(names, part{text: ", "})
		}
		names = append(names, part{text: quote(n)})
	}
	switch s.kind {
	case "INSERT":
		head := concat(raw("INSERT INTO "), s.target())
		if s.query != nil {
			return concat(head, raw(" ("), names, raw(") "), s.query.parts())
		}
		if len(s.names) == 0 {
			return concat(head, raw(" VALUES ()"))
		}
		return concat(head, raw(" ("), names, raw(") VALUES ("), joinExprs(s.values, ", "), raw(")"))
	case "UPDATE":
		sets := raw(" SET ")
		for i, n := range s.names {
			if i > 0 {
				sets = append(sets, part{text: ", "})
			}
			sets = concat(sets, raw(quote(n)+"="), s.values[i].parts)
		}
		return concat(raw("UPDATE "), s.target(), sets, where)
	case "DELETE":
		return concat(raw("DELETE FROM "), s.target(), where)
	}
	cols := joinExprs(s.columns, ", ")
	if len(cols) == 0 {
		cols = raw("*")
	}
	seen := map[string]bool{}
	var from []part
	note := func(t *Table, a *alias) {
		c := &compiler{}
		name := c.table(t)
		if a != nil {
			name += " AS " + quote(a.name)
		}
		if !seen[name] {
			if seen[name] = true; from != nil {
				from = append(from, part{text: ", "})
			}
			from = append(from, part{text: name})
		}
	}
	for _, f := range s.from {
		switch f := f.(type) {
		case *Table:
			note(f, nil)
		case *aliased:
			note(f.t, f.a)
		}
	}
	all := cols
	if s.where != nil {
		all = concat(cols, s.where.parts)
	}
	for _, p := range all {
		if p.column != nil && p.column.Table != nil {
			note(p.column.Table, p.alias)
		}
	}
	if from != nil {
		from = concat(raw(" FROM "), from)
	}
	return concat(raw("SELECT "), cols, from, where)
}

// sql renders the statement for the log.
func (s *statement) sql() (string, []*Unknown) {
	c := &compiler{}
	c.unknown(s.unknown)
	return c.expr(&Expr{parts: s.parts()}, sqlMode{tables: s.kind == "SELECT" || s.kind == "UPDATE" || s.kind == "DELETE"}), c.unknowns
}

// set takes the values of an INSERT or UPDATE.
func (s *statement) set(v python.Value) *statement {
	n := *s
	switch v := v.(type) {
	case nil, python.NoneType:
		return s
	case *python.Dict:
		if v.Unknown() != nil {
			n.unknown = why(v.Unknown())
		}
		keys, vals := v.Items()
		n.names, n.values = nil, nil
		for i, k := range keys {
			name := ""
			if c, ok := k.(*Column); ok {
				name = c.Name
			} else {
				var u *Unknown
				if name, u = s.e.text(k); u != nil {
					n.unknown = u
				}
			}
			n.names = append(n.names, name)
			n.values = append(n.values, s.e.operand(vals[i]))
		}
	case *python.List:
		if len(v.Items) > 0 {
			return s.set(v.Items[0])
		}
		n.unknown = why(python.UnknownIn(v))
	case *python.Tuple:
		if s.table != nil {
			n.names, n.values = nil, nil
			for i, x := range v.Items {
				if i < len(s.table.Columns) {
					n.names = append(n.names, s.table.Columns[i].Name)
					n.values = append(n.values, s.e.operand(x))
				}
			}
		}
	case *python.Unknown:
		n.unknown = why(v)
	}
	return &n
}

func (s *statement) and(args []python.Value) *statement {
	n := *s
	for _, a := range args {
		x := s.e.sqlText(a)
		if n.where == nil {
			n.where = x
		} else {
			n.where = Binary(n.where, "AND", x)
		}
	}
	return &n
}

// Attr implements python.Attrer.
func (s *statement) Attr(ev *python.Eval, name string) (python.Value, bool) {
	switch name {
	case "values":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			n := s
			for _, a := range call.Args {
				n = n.set(a)
			}
			if len(call.Kw) > 0 {
				m := *n
				m.names, m.values = nil, nil
				for _, k := range call.Kw {
					m.names = append(m.names, k.Name)
					m.values = append(m.values, s.e.operand(k.Value))
				}
				n = &m
			}
			return n, nil
		}), true
	case "where", "filter", "having":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) { return s.and(call.Args), nil }), true
	case "select_from", "join", "outerjoin", "join_from":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			n := *s
			n.from = add(s.from, call.Args...)
			return &n, nil
		}), true
	case "from_select":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			n := *s
			names, u := s.e.strs(first(call.Args, call.Keyword("names")))
			n.names = names
			n.unknown = u
			q := call.Keyword("select")
			if len(call.Args) > 1 {
				q = call.Args[1]
			}
			if n.query, _ = q.(*statement); n.query == nil {
				n.unknown = &Unknown{Why: "the query is not known"}
				n.query = &statement{e: s.e, kind: "SELECT"}
			}
			return &n, nil
		}), true
	case "order_by", "group_by", "limit", "offset", "distinct", "with_for_update", "correlate", "prefix_with", "suffix_with", "execution_options",
		"options", "returning", "with_only_columns", "add_columns", "params", "with_hint", "inline", "ordered_values", "apply_labels", "set_label_style",
		"alias", "subquery", "cte", "as_scalar", "scalar_subquery", "label", "union", "union_all", "on_duplicate_key_update", "compile", "self_group":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) { return s, nil }), true
	case "execute", "scalar":
		return acts(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			r, err := s.e.run(call.Pos(), s, call.Args, call.Kw)
			if err != nil || name == "execute" {
				return r, err
			}
			return python.NewData(call.Pos(), "it is read from rows", python.None), nil
		}), true
	case "c", "columns", "exported_columns", "selected_columns":
		return &collection{e: s.e, columns: func() []*Column {
			var out []*Column
			for _, x := range s.columns {
				out = append(out, x.columns()...)
			}
			return out
		}}, true
	case "table":
		if s.table != nil {
			return s.e.tableValue(s.table), true
		}
	}
	return exprAttr(s.e, s.e.exprArg(s), name)
}

// tableStatement gives table.select(), .insert() and so on.
func (e *Engine) tableStatement(t *Table, name string) python.Value {
	return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
		switch name {
		case "select", "count", "join", "outerjoin":
			s := &statement{e: e, kind: "SELECT", from: []python.Value{t}}
			if name == "select" {
				for _, c := range t.Columns {
					s.columns = append(s.columns, columnExpr(c))
				}
				return s.and(withoutNone(call.Args, call.Keyword("whereclause"))), nil
			}
			s.from = add(s.from, call.Args...)
			return s, nil
		case "insert":
			s := &statement{e: e, kind: "INSERT", table: t}
			return s.set(first(call.Args, call.Keyword("values"))), nil
		case "update":
			s := &statement{e: e, kind: "UPDATE", table: t}
			v := call.Keyword("values")
			if len(call.Args) > 1 {
				v = call.Args[1]
			}
			return s.set(v).and(withoutNone(call.Args[:min(1, len(call.Args))], call.Keyword("whereclause"))), nil
		case "delete":
			s := &statement{e: e, kind: "DELETE", table: t}
			return s.and(withoutNone(call.Args, call.Keyword("whereclause"))), nil
		}
		return python.NewUnknown(call.Pos(), "table."+name+"() is not modelled"), nil
	})
}

func withoutNone(args []python.Value, more ...python.Value) []python.Value {
	var out []python.Value
	for _, a := range append(add(args), more...) {
		if !absent(a) {
			out = append(out, a)
		}
	}
	return out
}

// statementFunctions gives select(), insert(), update(), delete() and what goes with them.
func (e *Engine) statementFunctions() []any {
	tableOf := func(v python.Value) *Table {
		switch v := v.(type) {
		case *Table:
			return v
		case *aliased:
			return v.t
		case *python.Class:
			return e.tableOfModel(v)
		}
		return nil
	}
	dml := func(name, kind string) *python.Native {
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			s := &statement{e: e, kind: kind, table: tableOf(first(call.Args, call.Keyword("table")))}
			if s.table == nil {
				s.unknown = unknownOf(first(call.Args, call.Keyword("table")))
				if s.unknown == nil {
					s.unknown = &Unknown{Why: "the table is not known"}
				}
				s.name = "?"
			}
			rest := call.Args[min(1, len(call.Args)):]
			if kind != "INSERT" {
				if len(rest) > 0 {
					s = s.and(withoutNone(rest[:1]))
					rest = rest[1:]
				}
				s = s.and(withoutNone(nil, call.Keyword("whereclause")))
			}
			return s.set(first(rest, call.Keyword("values"))), nil
		})
	}
	sel := pure("select", func(ev *python.Eval, call *python.Call) (python.Value, error) {
		s := &statement{e: e, kind: "SELECT"}
		args := call.Args
		if len(args) > 0 {
			if l, ok := args[0].(*python.List); ok {
				// select([columns], whereclause) of 1.x
				if len(args) > 1 {
					s = s.and(withoutNone(args[1:2]))
				}
				args = l.Items
			}
		}
		for _, a := range args {
			switch a := a.(type) {
			case *Table:
				for _, c := range a.Columns {
					s.columns = append(s.columns, columnExpr(c))
				}
			case *aliased:
				s.from = append(s.from, a)
			case *python.Class:
				if t := e.tableOfModel(a); t != nil {
					for _, c := range t.Columns {
						s.columns = append(s.columns, columnExpr(c))
					}
				}
			default:
				s.columns = append(s.columns, e.sqlText(a))
			}
		}
		if v := call.Keyword("from_obj"); !absent(v) {
			if items, u, err := ev.Iterate(v); err == nil && u == nil {
				s.from = append(s.from, items...)
			} else {
				s.from = append(s.from, v)
			}
		}
		return s.and(withoutNone(nil, call.Keyword("whereclause"))), nil
	})
	return []any{
		"select", sel, "insert", dml("insert", "INSERT"), "update", dml("update", "UPDATE"), "delete", dml("delete", "DELETE"),
		"table", pure("table", func(ev *python.Eval, call *python.Call) (python.Value, error) {
			// A lightweight table() is a Table of a MetaData of its own.
			name, u := e.text(first(call.Args, call.Keyword("name")))
			schemaName, _ := e.text(call.Keyword("schema"))
			m := NewMetaData(&e.Env)
			m.Cls = e.classFor("MetaData")
			t := NewTable(m, name, schemaName)
			t.Cls, t.Unknown = e.classFor("Table"), u
			if len(call.Args) > 1 {
				for _, a := range call.Args[1:] {
					if c, ok := a.(*Column); ok {
						if c.Table != nil {
							c = c.Copy()
							c.Cls = e.classFor("Column")
						}
						if err := t.AppendColumn(c); err != nil {
							return nil, e.exception(err)
						}
					} else if u := unknownOf(a); u != nil {
						t.Unknown = u
					}
				}
			}
			return t, nil
		}),
		"alias", pure("alias", func(ev *python.Eval, call *python.Call) (python.Value, error) {
			t, ok := first(call.Args, nil).(*Table)
			if !ok {
				return python.NewUnknown(call.Pos(), "an alias of what is no table is not modelled"), nil
			}
			v, _ := t.Attr(ev, "alias")
			return ev.Call(call.Pos(), v, call.Args[1:], call.Kw...)
		}),
		"join", selectOver(e, "join"), "outerjoin", selectOver(e, "outerjoin"), "union", selectOver(e, "union"), "union_all", selectOver(e, "union_all"),
	}
}

// selectOver gives a function that makes a query of its arguments.
func selectOver(e *Engine, name string) *python.Native {
	return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
		return &statement{e: e, kind: "SELECT", from: call.Args}, nil
	})
}
