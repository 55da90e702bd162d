package sqlalchemy

import (
	"instep/analyzer/schema"
	"instep/internal/python"
)

func tableObjects(t *Table) []schema.Object {
	if t == nil || t.Name == "" {
		return nil
	}
	return []schema.Object{tableObject(t)}
}

func (e *Engine) newMetaData(cls *python.Class, call *python.Call) (python.Value, error) {
	m := NewMetaData(&e.Env)
	m.Cls = cls
	b, err := call.Bind(e.Eval, "MetaData", "bind=", "reflect=", "schema=", "quote_schema=", "naming_convention=", "info=")
	if err != nil {
		return nil, err
	}
	if s, ok := b.Value("bind").(python.Str); ok && b.Value("schema") == nil {
		_ = s // MetaData("mysql://…") of old connects by itself
	}
	m.Bind = b.Value("bind")
	m.Schema, m.Unknown = e.text(b.Value("schema"))
	m.Naming = e.naming(b.Value("naming_convention"))
	return m, nil
}

// naming reads a naming_convention.
func (e *Engine) naming(v python.Value) Naming {
	if absent(v) {
		return Naming{}
	}
	d, ok := v.(*python.Dict)
	if !ok {
		u := unknownOf(v)
		if u == nil {
			u = &Unknown{Why: "a naming_convention that is a " + v.TypeName() + " is not modelled"}
		}
		return Naming{Unknown: u}
	}
	if d.Unknown() != nil {
		return Naming{Unknown: why(d.Unknown())}
	}
	n := Naming{Templates: map[string]string{}, Tokens: map[string]func(any, *Table) (string, *Unknown, error){}}
	keys, vals := d.Items()
	for i, key := range keys {
		name, u := e.text(key)
		if c, ok := key.(*python.Class); ok {
			name, u = map[string]string{"Index": "ix", "UniqueConstraint": "uq", "CheckConstraint": "ck", "ForeignKeyConstraint": "fk", "PrimaryKeyConstraint": "pk"}[c.Name], nil
		}
		if u != nil {
			return Naming{Unknown: u}
		}
		switch x := vals[i].(type) {
		case python.Str:
			n.Templates[name] = string(x)
		case *python.Unknown:
			return Naming{Unknown: why(x)}
		case python.NoneType:
		default:
			n.Tokens[name] = func(constraint any, t *Table) (string, *Unknown, error) {
				var arg python.Value = python.None
				switch k := constraint.(type) {
				case *Constraint:
					arg = e.constraintValue(k)
				case *Index:
					arg = e.indexValue(k)
				}
				r, err := e.Eval.Call(e.Eval.Pos(), x, []python.Value{arg, e.tableValue(t)})
				if err != nil {
					return "", nil, err
				}
				s, u := e.text(r)
				return s, u, nil
			}
		}
	}
	return n
}

// Handle implements python.HandleHolder: with a bind it can create and drop everything.
func (m *MetaData) Handle() bool { return true }

// Attr implements python.Attrer.
func (m *MetaData) Attr(ev *python.Eval, name string) (python.Value, bool) {
	e := engineOf(m.Cls)
	if e == nil {
		return nil, false
	}
	switch name {
	case "tables":
		return &tableMap{m: m, e: e}, true
	case "sorted_tables":
		steps, err := SortTables(m.Tables, false)
		if err != nil {
			return python.NewUnknown(ev.Pos(), err.Error()), true
		}
		var out []python.Value
		for _, s := range steps {
			if s.Table != nil {
				out = append(out, e.tableValue(s.Table))
			}
		}
		return python.NewList(out...), true
	case "bind":
		if v, ok := m.Bind.(python.Value); ok && v != nil {
			return v, true
		}
		return python.None, true
	case "schema":
		return strOrNone(m.Schema), true
	case "naming_convention":
		return python.NewUnknown(ev.Pos(), "reading a naming_convention is not modelled"), true
	case "create_all", "drop_all":
		return acts(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			b, err := call.Bind(ev, name, "bind=", "tables=", "checkfirst=")
			if err != nil {
				return nil, err
			}
			if u, ok := b.Value("bind").(*python.Unknown); ok && !u.Data {
				e.Unread(call.Pos(), "metadata."+name+"()", u.Why)
				return python.None, nil
			}
			check, u := e.truth(b.Value("checkfirst"), true)
			var tables []*Table
			if v := b.Value("tables"); !absent(v) {
				items, pu, err := ev.Iterate(v)
				if err != nil {
					return nil, err
				}
				if pu != nil {
					u = why(pu)
				}
				tables = []*Table{}
				for _, it := range items {
					t, ok := it.(*Table)
					if !ok {
						u = &Unknown{Why: "a " + it.TypeName() + " among the tables"}
						continue
					}
					tables = append(tables, t)
				}
			}
			if m.Unknown != nil {
				u = m.Unknown
			}
			if u != nil {
				e.Unread(call.Pos(), "metadata."+name+"()", u.Why)
			}
			if name == "create_all" {
				return python.None, e.CreateAll(call.Pos(), m, tables, check)
			}
			return python.None, e.DropAll(call.Pos(), m, tables, check)
		}), true
	case "reflect":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) { return e.reflectAll(m, call) }), true
	case "clear":
		return fn(name, func(*python.Eval, *python.Call) (python.Value, error) { m.Clear(); return python.None, nil }), true
	case "remove":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			if len(call.Args) == 1 {
				if t, ok := call.Args[0].(*Table); ok {
					m.Remove(t)
				}
			}
			return python.None, nil
		}), true
	case "is_bound":
		return give(name, python.Bool(m.Bind != nil)), true
	case "info":
		return python.NewDict(), true
	}
	return nil, false
}

// SetAttr implements python.AttrSetter.
func (m *MetaData) SetAttr(ev *python.Eval, name string, v python.Value) error {
	e := engineOf(m.Cls)
	ev.Touch(m)
	switch {
	case name == "bind":
		m.Bind = v
	case name == "naming_convention" && e != nil:
		m.Naming = e.naming(v)
	case name == "schema" && e != nil:
		m.Schema, m.Unknown = e.text(v)
	default:
		m.Object.Attrs.Store(ev, name, v)
	}
	return nil
}

// Contains implements python.Container: names of tables.
func (m *MetaData) Contains(ev *python.Eval, key python.Value) (python.Value, error) {
	switch k := key.(type) {
	case *Table:
		return python.Bool(m.Table(k.Key()) != nil), nil
	case *python.Unknown:
		return k, nil
	}
	s, _, err := ev.Str(key)
	return python.Bool(m.Table(s) != nil), err
}

// reflectAll is metadata.reflect().
func (e *Engine) reflectAll(m *MetaData, call *python.Call) (python.Value, error) {
	b, err := call.Bind(e.Eval, "reflect", "bind=", "schema=", "views=", "only=", "extend_existing=", "autoload_replace=", "resolve_fks=", "**kw")
	if err != nil {
		return nil, err
	}
	only := b.Value("only")
	for _, st := range e.seen().Tables() {
		if m.Table(st.Name) != nil {
			continue
		}
		if !absent(only) {
			ok, u, err := e.selected(call.Pos(), only, st.Name, m)
			if err != nil {
				return nil, err
			}
			if u != nil {
				return u, nil
			}
			if !ok {
				continue
			}
		}
		t := NewTable(m, st.Name, "")
		if err := Reflect(e.seen(), t, nil); err != nil {
			return nil, e.exception(err)
		}
	}
	return python.None, nil
}

// selected tells whether only= of reflect() takes a table: a list of names or a function.
func (e *Engine) selected(pos python.Pos, only python.Value, name string, m *MetaData) (bool, *python.Unknown, error) {
	switch only.(type) {
	case *python.Func, *python.Native, *python.BoundMethod:
		v, err := e.Eval.Call(pos, only, []python.Value{python.Str(name), m})
		if err != nil {
			return false, nil, err
		}
		return e.Eval.Truth(v)
	}
	items, u, err := e.Eval.Iterate(only)
	if u != nil || err != nil {
		return false, u, err
	}
	for _, it := range items {
		if s, _ := e.text(it); s == name {
			return true, nil, nil
		}
	}
	return false, nil, nil
}

// A tableMap is metadata.tables.
type tableMap struct {
	m *MetaData
	e *Engine
}

// TypeName implements python.Value.
func (*tableMap) TypeName() string { return "FacadeDict" }

// Index implements python.Indexer.
func (t *tableMap) Index(ev *python.Eval, key python.Value) (python.Value, error) {
	s, u, err := ev.Str(key)
	if err != nil {
		return nil, err
	}
	if u != nil {
		return u, nil
	}
	if x := t.m.Table(s); x != nil {
		return t.e.tableValue(x), nil
	}
	return nil, ev.Raisef("KeyError", "%s", s)
}

// Iterate implements python.Iterable.
func (t *tableMap) Iterate(ev *python.Eval) ([]python.Value, *python.Unknown, error) {
	var out []python.Value
	for _, x := range t.m.Tables {
		out = append(out, python.Str(x.Key()))
	}
	return out, nil, nil
}

// Contains implements python.Container.
func (t *tableMap) Contains(ev *python.Eval, key python.Value) (python.Value, error) {
	return t.m.Contains(ev, key)
}

// Size implements python.Sizer.
func (t *tableMap) Size(ev *python.Eval) (python.Value, error) {
	return python.Int(len(t.m.Tables)), nil
}

// Attr implements python.Attrer.
func (t *tableMap) Attr(ev *python.Eval, name string) (python.Value, bool) {
	switch name {
	case "keys", "values", "items":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			var out []python.Value
			for _, x := range t.m.Tables {
				k, v := python.Str(x.Key()), t.e.tableValue(x)
				switch name {
				case "keys":
					out = append(out, k)
				case "values":
					out = append(out, v)
				default:
					out = append(out, python.NewTuple(k, v))
				}
			}
			return python.NewList(out...), nil
		}), true
	case "get":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			if len(call.Args) == 0 {
				return python.None, nil
			}
			if v, err := t.Index(ev, call.Args[0]); err == nil {
				return v, nil
			}
			if len(call.Args) > 1 {
				return call.Args[1], nil
			}
			return python.None, nil
		}), true
	}
	return nil, false
}

// A collection is table.c and its like.
type collection struct {
	e       *Engine
	columns func() []*Column
	table   *Table
}

// TypeName implements python.Value.
func (*collection) TypeName() string { return "ColumnCollection" }

func (c *collection) find(name string) *Column {
	for _, x := range c.columns() {
		if x.Key == name {
			return x
		}
	}
	return nil
}

// unknown gives the reason why a column that is not found may exist all the same.
func (c *collection) unknown(ev *python.Eval) *python.Unknown {
	if c.table != nil && c.table.Unknown != nil {
		return python.NewUnknown(ev.Pos(), c.table.Unknown.Why)
	}
	for _, x := range c.columns() {
		if x.Name == "" && x.Unknown != nil {
			return python.NewUnknown(ev.Pos(), x.Unknown.Why)
		}
	}
	return nil
}

// Attr implements python.Attrer.
func (c *collection) Attr(ev *python.Eval, name string) (python.Value, bool) {
	if x := c.find(name); x != nil {
		return c.e.columnValue(x), true
	}
	switch name {
	case "keys", "values", "items":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			var out []python.Value
			for _, x := range c.columns() {
				switch name {
				case "keys":
					out = append(out, python.Str(x.Key))
				case "values":
					out = append(out, c.e.columnValue(x))
				default:
					out = append(out, python.NewTuple(python.Str(x.Key), c.e.columnValue(x)))
				}
			}
			return python.NewList(out...), nil
		}), true
	case "get":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			if len(call.Args) > 0 {
				if s, _ := c.e.text(call.Args[0]); c.find(s) != nil {
					return c.e.columnValue(c.find(s)), nil
				}
			}
			if len(call.Args) > 1 {
				return call.Args[1], nil
			}
			return python.None, nil
		}), true
	case "contains_column":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			for _, x := range c.columns() {
				if len(call.Args) == 1 && call.Args[0] == python.Value(x) {
					return python.Bool(true), nil
				}
			}
			return python.Bool(false), nil
		}), true
	}
	if u := c.unknown(ev); u != nil {
		return u, true
	}
	return nil, false
}

// Index implements python.Indexer.
func (c *collection) Index(ev *python.Eval, key python.Value) (python.Value, error) {
	if i, ok := key.(python.Int); ok {
		xs := c.columns()
		if i < 0 {
			i += python.Int(len(xs))
		}
		if i < 0 || int(i) >= len(xs) {
			return nil, ev.Raisef("IndexError", "%d", int(i))
		}
		return c.e.columnValue(xs[i]), nil
	}
	s, u, err := ev.Str(key)
	if err != nil {
		return nil, err
	}
	if u != nil {
		return u, nil
	}
	if x := c.find(s); x != nil {
		return c.e.columnValue(x), nil
	}
	if u := c.unknown(ev); u != nil {
		return u, nil
	}
	return nil, ev.Raisef("KeyError", "%s", s)
}

// Iterate implements python.Iterable.
func (c *collection) Iterate(ev *python.Eval) ([]python.Value, *python.Unknown, error) {
	var out []python.Value
	for _, x := range c.columns() {
		out = append(out, c.e.columnValue(x))
	}
	if c.table != nil && c.table.Unknown != nil {
		return out, python.NewUnknown(ev.Pos(), c.table.Unknown.Why), nil
	}
	return out, nil, nil
}

// Contains implements python.Container.
func (c *collection) Contains(ev *python.Eval, key python.Value) (python.Value, error) {
	if x, ok := key.(*Column); ok {
		return python.Bool(contains(c.columns(), x)), nil
	}
	s, u, err := ev.Str(key)
	if err != nil {
		return nil, err
	}
	if u != nil {
		return u, nil
	}
	if c.find(s) == nil {
		if u := c.unknown(ev); u != nil {
			return u, nil
		}
	}
	return python.Bool(c.find(s) != nil), nil
}

// Size implements python.Sizer.
func (c *collection) Size(ev *python.Eval) (python.Value, error) {
	if u := c.unknown(ev); u != nil {
		return u, nil
	}
	return python.Int(len(c.columns())), nil
}

// newTable is Table(name, metadata, *args, **kw). A table that is a member already is given again.
func (e *Engine) newTable(cls *python.Class, call *python.Call) (python.Value, error) {
	args := call.Args
	var nameArg, metaArg python.Value
	rest := args
	if len(rest) > 0 {
		nameArg, rest = rest[0], rest[1:]
	} else {
		nameArg = call.Keyword("name")
	}
	if len(rest) > 0 {
		metaArg, rest = rest[0], rest[1:]
	} else {
		metaArg = call.Keyword("metadata")
	}
	if nameArg == nil || metaArg == nil {
		return nil, e.Eval.Raisef("TypeError", "Table() takes at least two positional-only arguments 'name', 'metadata'")
	}
	m, ok := metaArg.(*MetaData)
	if !ok {
		u, isUnknown := metaArg.(*python.Unknown)
		if !isUnknown {
			return nil, e.Eval.Raise(e.ExceptionClass("ArgumentError"), python.Str("expected MetaData, got "+metaArg.TypeName()))
		}
		m = NewMetaData(&e.Env)
		m.Cls = e.classFor("MetaData")
		m.Naming.Unknown = why(u)
	}
	name, u := e.text(nameArg)
	var unknown *Unknown = u
	schemaName := ""
	keep, extend, mustExist, autoload, replace := false, false, false, false, true
	var options []python.Kwarg
	var include map[string]bool
	var prefixes []string
	var comment *string
	var quote *bool
	for _, k := range call.Kw {
		var u *Unknown
		switch k.Name {
		case "schema":
			schemaName, u = e.text(k.Value)
		case "keep_existing", "useexisting":
			keep, u = e.truth(k.Value, false)
		case "extend_existing":
			extend, u = e.truth(k.Value, false)
		case "mustexist":
			mustExist, u = e.truth(k.Value, false)
		case "autoload":
			autoload, u = e.truth(k.Value, false)
		case "autoload_with":
			autoload = autoload || !absent(k.Value)
		case "autoload_replace":
			replace, u = e.truth(k.Value, true)
		case "resolve_fks":
			// Whether the tables that foreign keys point to are reflected too: no statement depends on it.
		case "include_columns":
			if absent(k.Value) {
				continue
			}
			var names []string
			if names, u = e.strs(k.Value); u == nil {
				include = map[string]bool{}
				for _, n := range names {
					include[n] = true
				}
			}
		case "prefixes":
			prefixes, u = e.strs(k.Value)
		case "comment":
			if !absent(k.Value) {
				var s string
				s, u = e.text(k.Value)
				comment = &s
			}
		case "quote":
			quote, u = e.optionalBool(k.Value)
		default:
			options = append(options, k)
		}
		if u != nil && unknown == nil {
			unknown = u
		}
	}
	if schemaName == "" && m.Schema != "" {
		schemaName = m.Schema
	}
	key := (&Table{Name: name, Schema: schemaName}).Key()
	t := m.Table(key)
	if unknown != nil && name == "" {
		t = nil
	}
	if t != nil {
		if len(rest) > 0 && !keep && !extend && !mustExist {
			return nil, e.Eval.Raise(e.ExceptionClass("InvalidRequestError"), python.Str("Table '"+key+"' is already defined for this MetaData instance.  Specify 'extend_existing=True' to redefine options and columns on an existing Table object."))
		}
		if !extend {
			return e.tableValue(t), nil
		}
	} else {
		if mustExist {
			return nil, e.Eval.Raise(e.ExceptionClass("InvalidRequestError"), python.Str("Table '"+key+"' not defined"))
		}
		t = NewTable(m, name, schemaName)
		t.Cls = cls
	}
	e.save(t)
	if unknown != nil {
		t.Unknown = unknown
	}
	if quote == nil {
		if n, ok := nameArg.(*nameValue); ok {
			quote = n.quote
		}
	}
	t.Quote, t.Prefixes = quote, prefixes
	if comment != nil {
		t.Comment = comment
	}
	if autoload && unknown == nil {
		overridden := map[string]bool{}
		if !replace {
			for _, c := range t.Columns {
				overridden[c.Key] = true
			}
		}
		err := Reflect(e.seen(), t, func(c string) bool { return (include == nil || include[c]) && !overridden[c] })
		if err != nil {
			m.Remove(t)
			return nil, e.exception(err)
		}
	}
	for _, o := range dialectOptions(options) {
		s, u := e.text(o.Value)
		t.SetOption(Option{Name: o.Name, Value: s, Unknown: u})
	}
	if err := e.addItems(t, rest); err != nil {
		m.Remove(t)
		return nil, err
	}
	return t, nil
}

// addItems attaches the positional arguments of Table().
func (e *Engine) addItems(t *Table, items []python.Value) error {
	for _, a := range items {
		var err error
		switch a := a.(type) {
		case *Column:
			err = t.AppendColumn(a)
		case *Constraint:
			err = t.AppendConstraint(a)
		case *Index:
			err = t.AppendIndex(a)
		case *python.Unknown:
			t.Unknown = why(a)
		case python.NoneType:
		case *defaultValue:
		default:
			return e.Eval.Raise(e.ExceptionClass("ArgumentError"), python.Str("'SchemaItem' object, such as a 'Column' or a 'Constraint' expected, got a "+a.TypeName()))
		}
		if err != nil {
			return e.exception(err)
		}
	}
	return nil
}

// AddItems attaches columns, constraints and indexes to a table, as Table() does with its positional arguments.
func (e *Engine) AddItems(t *Table, items []python.Value) error {
	e.save(t)
	return e.addItems(t, items)
}

// Handle implements python.HandleHolder: it can create and drop itself.
func (t *Table) Handle() bool { return true }

// Attr implements python.Attrer.
func (t *Table) Attr(ev *python.Eval, name string) (python.Value, bool) {
	e := engineOf(t.Cls)
	if e == nil {
		return nil, false
	}
	if e.Hooks.Table != nil {
		if v, ok := e.Hooks.Table(ev, t, name); ok {
			return v, true
		}
	}
	switch name {
	case "name", "key", "fullname", "description":
		if t.Name == "" && t.Unknown != nil {
			return python.NewUnknown(ev.Pos(), t.Unknown.Why), true
		}
		if name == "name" || name == "description" {
			return python.Str(t.Name), true
		}
		return python.Str(t.Key()), true
	case "schema":
		return strOrNone(t.Schema), true
	case "metadata":
		if t.MetaData.Cls == nil {
			t.MetaData.Cls = e.classFor("MetaData")
		}
		return t.MetaData, true
	case "bind":
		return t.MetaData.Attr(ev, "bind")
	case "c", "columns", "exported_columns":
		return &collection{e: e, columns: func() []*Column { return t.Columns }, table: t}, true
	case "primary_key":
		return e.constraintValue(t.PrimaryKey), true
	case "comment":
		return ptrOrNone(t.Comment), true
	case "indexes":
		var out []python.Value
		for _, ix := range t.Indexes {
			out = append(out, e.indexValue(ix))
		}
		return python.NewList(out...), true
	case "constraints":
		var out []python.Value
		for _, k := range sortedConstraints(t.Constraints) {
			out = append(out, e.constraintValue(k))
		}
		return python.NewList(out...), true
	case "foreign_key_constraints":
		var out []python.Value
		for _, k := range t.foreignKeys() {
			out = append(out, e.constraintValue(k))
		}
		return python.NewList(out...), true
	case "foreign_keys":
		var out []python.Value
		for _, k := range t.foreignKeys() {
			v, _ := k.Attr(ev, "elements")
			if v == nil {
				e.constraintValue(k)
				v, _ = k.Attr(ev, "elements")
			}
			if l, ok := v.(*python.List); ok {
				out = append(out, l.Items...)
			}
		}
		return python.NewList(out...), true
	case "kwargs", "dialect_kwargs":
		d := python.NewDict()
		for _, o := range t.Options {
			_ = d.Store(ev, python.Str("mysql_"+lowerASCII(o.Name)), python.Str(o.Value))
		}
		return d, true
	case "info":
		return python.NewDict(), true
	case "create", "drop":
		return acts(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			b, err := call.Bind(ev, name, "bind=", "checkfirst=")
			if err != nil {
				return nil, err
			}
			check, u := e.truth(b.Value("checkfirst"), false)
			if u != nil {
				e.Unread(call.Pos(), "table."+name+"()", u.Why, tableObjects(t)...)
				return python.None, nil
			}
			if name == "create" {
				return python.None, e.CreateTable(call.Pos(), t, check)
			}
			return python.None, e.DropTable(call.Pos(), t, check)
		}), true
	case "exists":
		return pure(name, func(*python.Eval, *python.Call) (python.Value, error) { return python.Bool(e.hasTable(t)), nil }), true
	case "append_column":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			return python.None, e.AddItems(t, call.Args)
		}), true
	case "append_constraint", "append_ddl_listener":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			return python.None, e.AddItems(t, call.Args)
		}), true
	case "add_is_dependent_on":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			if len(call.Args) == 1 {
				if p, ok := call.Args[0].(*Table); ok {
					ev.Touch(t)
					t.after = add(t.after, p)
				}
			}
			return python.None, nil
		}), true
	case "tometadata", "to_metadata":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			b, err := call.Bind(ev, name, "metadata", "schema=", "referred_schema_fn=", "name=")
			if err != nil {
				return nil, err
			}
			m, ok := b.Value("metadata").(*MetaData)
			if !ok {
				return python.NewUnknown(call.Pos(), "the MetaData is not known"), nil
			}
			newName, u := e.text(b.Value("name"))
			newSchema, u2 := e.text(b.Value("schema"))
			n, err := t.CopyTable(m, newName, newSchema)
			if err != nil {
				return nil, e.exception(err)
			}
			if u == nil {
				u = u2
			}
			if u != nil {
				n.Unknown = u
			}
			n.Cls = t.Cls
			return n, nil
		}), true
	case "alias":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			s, _ := e.text(first(call.Args, call.Keyword("name")))
			if s == "" {
				s = t.Name + "_1"
			}
			return &aliased{e: e, t: t, a: &alias{s}}, nil
		}), true
	case "select", "insert", "update", "delete", "count", "join", "outerjoin", "corresponding_column":
		return e.tableStatement(t, name), true
	}
	return nil, false
}

func first(args []python.Value, otherwise python.Value) python.Value {
	if len(args) > 0 {
		return args[0]
	}
	return otherwise
}

func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// SetAttr implements python.AttrSetter.
func (t *Table) SetAttr(ev *python.Eval, name string, v python.Value) error {
	e := engineOf(t.Cls)
	ev.Touch(t)
	switch {
	case e == nil:
	case name == "name":
		s, u := e.text(v)
		t.Name = s
		if u != nil {
			t.Unknown = u
		}
		return nil
	case name == "schema":
		t.Schema, _ = e.text(v)
		return nil
	case name == "comment":
		s, u := e.text(v)
		t.Comment = &s
		if u != nil {
			t.Unknown = u
		}
		return nil
	}
	t.Object.Attrs.Store(ev, name, v)
	return nil
}

// Text implements python.Texter.
func (t *Table) Text(ev *python.Eval, repr bool) (python.Value, error) {
	if repr || t.Unknown != nil {
		return python.NewUnknown(ev.Pos(), "the text of a Table is not modelled"), nil
	}
	return python.Str(t.Key()), nil
}

// An aliased is a table under another name in a query.
type aliased struct {
	e *Engine
	t *Table
	a *alias
}

// TypeName implements python.Value.
func (*aliased) TypeName() string { return "Alias" }

// Attr implements python.Attrer.
func (a *aliased) Attr(ev *python.Eval, name string) (python.Value, bool) {
	switch name {
	case "c", "columns":
		return &aliasColumns{a}, true
	case "name":
		return python.Str(a.a.name), true
	case "select", "join", "outerjoin":
		return a.e.tableStatement(a.t, name), true
	}
	return nil, false
}

// aliasColumns is alias.c.
type aliasColumns struct{ a *aliased }

// TypeName implements python.Value.
func (*aliasColumns) TypeName() string { return "ColumnCollection" }

func (c *aliasColumns) column(name string) python.Value {
	if x := c.a.t.Column(name); x != nil {
		return c.a.e.exprValue(&Expr{parts: []part{{column: x, alias: c.a.a}}, prec: precAtom})
	}
	return nil
}

// Attr implements python.Attrer.
func (c *aliasColumns) Attr(ev *python.Eval, name string) (python.Value, bool) {
	v := c.column(name)
	return v, v != nil
}

// Index implements python.Indexer.
func (c *aliasColumns) Index(ev *python.Eval, key python.Value) (python.Value, error) {
	s, u, err := ev.Str(key)
	if u != nil || err != nil {
		return u, err
	}
	if v := c.column(s); v != nil {
		return v, nil
	}
	return nil, ev.Raisef("KeyError", "%s", s)
}
