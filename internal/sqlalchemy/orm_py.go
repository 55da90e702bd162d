package sqlalchemy

import (
	"strings"

	"instep/internal/python"
)

// A query is session.query(…): it reads or changes rows.
type query struct {
	e     *Engine
	table *Table
}

// TypeName implements python.Value.
func (*query) TypeName() string { return "Query" }

// Iterate implements python.Iterable.
func (q *query) Iterate(ev *python.Eval) ([]python.Value, *python.Unknown, error) {
	return nil, python.NewRows(ev.Pos(), "they are rows of the database"), nil
}

// Attr implements python.Attrer.
func (q *query) Attr(ev *python.Eval, name string) (python.Value, bool) {
	data := func(empty python.Value) (python.Value, bool) {
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			return python.NewData(call.Pos(), "it is read from rows of the database", empty), nil
		}), true
	}
	switch name {
	case "all", "values", "fetchall":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			return python.NewRows(call.Pos(), "they are rows of the database"), nil
		}), true
	case "first", "one_or_none", "scalar", "get":
		return data(python.None)
	case "one":
		return data(nil)
	case "count":
		return data(python.Int(0))
	case "update", "delete":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			s := &statement{e: q.e, kind: strings.ToUpper(name), table: q.table, where: rawExpr("…"), name: "?"}
			if name == "update" {
				s = s.set(first(call.Args, call.Keyword("values")))
			}
			sql, _ := s.sql()
			q.e.dataEffect(call.Pos(), sql, true)
			return python.NewData(call.Pos(), "it counts rows", python.Int(0)), nil
		}), true
	case "exists", "subquery", "as_scalar", "label", "cte":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			return &statement{e: q.e, kind: "SELECT"}, nil
		}), true
	case "statement", "session", "column_descriptions":
		return python.NewUnknown(ev.Pos(), "query."+name+" is not modelled"), true
	}
	if strings.HasPrefix(name, "__") {
		return nil, false
	}
	return fn(name, func(*python.Eval, *python.Call) (python.Value, error) { return q, nil }), true
}

// sessionAttr gives what a Session has beyond a connection.
func (e *Engine) sessionAttr(name string) (python.Value, bool) {
	switch name {
	case "query":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			q := &query{e: e}
			switch a := first(call.Args, nil).(type) {
			case *python.Class:
				q.table = e.tableOfModel(a)
			case *Table:
				q.table = a
			case *Column:
				q.table = a.Table
			}
			return q, nil
		}), true
	case "get":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			return python.NewData(call.Pos(), "it is a row of the database", python.None), nil
		}), true
	case "add", "add_all", "merge", "delete", "bulk_insert_mappings", "bulk_save_objects", "bulk_update_mappings":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			kind := map[string]string{"delete": "DELETE", "bulk_update_mappings": "UPDATE", "merge": "UPDATE"}[name]
			if kind == "" {
				kind = "INSERT"
			}
			v := first(call.Args, nil)
			if l, ok := v.(*python.List); ok && len(l.Items) > 0 {
				v = l.Items[0]
			}
			s := &statement{e: e, kind: kind, name: "?"}
			switch x := v.(type) {
			case *python.Class:
				s.table = e.tableOfModel(x)
			case nil:
			default:
				s.table = e.tableOfModel(python.ClassOf(x))
			}
			sql, _ := s.sql()
			e.dataEffect(call.Pos(), sql, true)
			return v, nil
		}), true
	case "no_autoflush":
		return &bind{e, "Session"}, true
	}
	return nil, false
}

// tableOfModel gives the table of a mapped class; nil if there is none.
func (e *Engine) tableOfModel(cls *python.Class) *Table {
	v, ok := cls.Lookup("__table__")
	if !ok {
		return nil
	}
	t, _ := v.(*Table)
	return t
}

// declarativeBase makes the base class of a declarative model.
func (e *Engine) declarativeBase(call *python.Call) (python.Value, error) {
	m, ok := call.Keyword("metadata").(*MetaData)
	if !ok {
		m = NewMetaData(&e.Env)
		m.Cls = e.classFor("MetaData")
		if v := call.Keyword("metadata"); !absent(v) {
			m.Unknown = unknownOf(v)
		}
	}
	name, _ := e.text(call.Keyword("name"))
	if name == "" {
		name = "Base"
	}
	base := &python.Class{Name: name, Module: "sqlalchemy.orm", Open: true, Attrs: python.NewNamespace("metadata", m)}
	switch c := call.Keyword("cls").(type) {
	case *python.Class:
		base.Bases = []*python.Class{c}
	case *python.Tuple:
		for _, it := range c.Items {
			if k, ok := it.(*python.Class); ok {
				base.Bases = append(base.Bases, k)
			}
		}
	}
	base.Subclass = func(ev *python.Eval, cls *python.Class, kw []python.Kwarg) error { return e.mapClass(cls, m) }
	base.Init = initModel
	return base, nil
}

// initModel is the constructor of mapped classes: keyword arguments become attributes.
func initModel(ev *python.Eval, self python.Value, call *python.Call) error {
	for _, k := range call.Kw {
		if err := ev.SetAttr(self, k.Name, k.Value); err != nil {
			return err
		}
	}
	return nil
}

// base2 is DeclarativeBase of 2.0: its direct subclasses are bases of models with a MetaData of their own.
func (e *Engine) base2() *python.Class {
	key := "orm.DeclarativeBase"
	if c := e.classes[key]; c != nil {
		return c
	}
	c := &python.Class{Name: "DeclarativeBase", Module: "sqlalchemy.orm", Init: initModel}
	e.classes[key] = c
	c.Subclass = func(ev *python.Eval, cls *python.Class, kw []python.Kwarg) error {
		for _, b := range cls.Bases {
			if b == c {
				if _, ok := cls.Attrs.Load("metadata"); !ok {
					m := NewMetaData(&e.Env)
					m.Cls = e.classFor("MetaData")
					cls.Attrs.Store(ev, "metadata", m)
				}
				return nil
			}
		}
		v, _ := cls.Lookup("metadata")
		m, ok := v.(*MetaData)
		if !ok {
			return nil
		}
		return e.mapClass(cls, m)
	}
	return c
}

// mapClass makes the table of a mapped class from its attributes, in the order in which they were written; columns of mixins are
// copied.
func (e *Engine) mapClass(cls *python.Class, m *MetaData) error {
	ev := e.Eval
	if v, ok := cls.Attrs.Load("__abstract__"); ok {
		if b, _, err := ev.Truth(v); err == nil && b {
			return nil
		}
	}
	if v, ok := cls.Attrs.Load("metadata"); ok {
		if own, ok := v.(*MetaData); ok {
			m = own
		}
	}
	if v, ok := cls.Attrs.Load("__table__"); ok {
		if t, ok := v.(*Table); ok {
			for _, c := range t.Columns {
				if _, taken := cls.Attrs.Load(c.Key); !taken {
					cls.Attrs.Store(ev, c.Key, e.columnValue(c))
				}
			}
		}
		return nil
	}
	nameArg := e.declared(cls, "__tablename__")
	if absent(nameArg) {
		return e.mapSingle(cls)
	}
	name, unknown := e.text(nameArg)
	var args []python.Value
	var kw []python.Kwarg
	if v := e.declared(cls, "__table_args__"); !absent(v) {
		switch v := v.(type) {
		case *python.Dict:
			kw = kwargsOf(e, v)
		case *python.Tuple:
			args = v.Items
			if n := len(args); n > 0 {
				if d, ok := args[n-1].(*python.Dict); ok {
					args, kw = args[:n-1], kwargsOf(e, d)
				}
			}
		default:
			if u := unknownOf(v); u != nil {
				unknown = u
			}
		}
	}
	columns, err := e.modelColumns(cls)
	if err != nil {
		return err
	}
	items := append([]python.Value(nil), columns...)
	items = append(items, args...)
	all := append([]python.Value{python.Str(name), m}, items...)
	v, err := e.newTable(e.classFor("Table"), python.NewCall(cls.Pos, all, kw...))
	if err != nil {
		return err
	}
	t, ok := v.(*Table)
	if !ok {
		return nil
	}
	if unknown != nil {
		t.Unknown = unknown
	}
	if u := cls.Unread(); u != nil && t.Unknown == nil {
		t.Unknown = why(u) // a base that cannot be read may bring columns along
	}
	cls.Attrs.Store(ev, "__table__", t)
	return nil
}

// declared gives a class attribute, calling what @declared_attr made.
func (e *Engine) declared(cls *python.Class, name string) python.Value {
	v, ok := cls.Lookup(name)
	if !ok {
		return nil
	}
	if d, ok := v.(*declaredAttr); ok {
		r, err := e.Eval.Call(cls.Pos, d.fn, []python.Value{cls})
		if err != nil {
			return python.NewUnknown(cls.Pos, "the attribute "+name+" cannot be computed")
		}
		return r
	}
	return v
}

func kwargsOf(e *Engine, d *python.Dict) []python.Kwarg {
	var kw []python.Kwarg
	keys, vals := d.Items()
	for i, k := range keys {
		if s, u := e.text(k); u == nil {
			kw = append(kw, python.Kwarg{Name: s, Value: vals[i]})
		}
	}
	return kw
}

// modelColumns collects the columns of a mapped class: those of the class itself come first, then copies of those of its mixins, in the
// order of the library's 1.4 (mixins first would be sorted by creation; its own columns are created later).
func (e *Engine) modelColumns(cls *python.Class) ([]python.Value, error) {
	ev := e.Eval
	var mixed, own []python.Value
	seen := map[string]bool{}
	take := func(owner *python.Class, name string, v python.Value) error {
		if seen[name] {
			return nil
		}
		var c *Column
		switch v := v.(type) {
		case *Column:
			c = v
		case *mapped:
			c = v.column
			v.annotate(e, owner, name)
		case *declaredAttr:
			if strings.HasPrefix(name, "__") {
				return nil
			}
			r, err := ev.Call(owner.Pos, v.fn, []python.Value{cls})
			if err != nil {
				return err
			}
			switch r := r.(type) {
			case *Column:
				c = r
			case *mapped:
				c = r.column
			}
		}
		if c == nil {
			return nil
		}
		seen[name] = true
		if owner != cls && c.Table == nil {
			c = c.Copy()
			c.Cls = e.classFor("Column")
		} else if owner != cls {
			return nil // it belongs to the table of a mapped parent
		}
		if c.Name == "" && c.Unknown == nil {
			ev.Touch(c)
			c.Name = name
			if c.Key == "" {
				c.Key = name
			}
		}
		if owner == cls {
			own = append(own, e.columnValue(c))
		} else {
			mixed = append(mixed, e.columnValue(c))
		}
		cls.Attrs.Store(ev, name, e.columnValue(c))
		return nil
	}
	for _, k := range cls.MRO() {
		if k.Attrs == nil {
			continue
		}
		for _, name := range e.attributes(k) {
			v, ok := k.Attrs.Load(name)
			if !ok {
				// name: Mapped[int] alone is a column too, unless it is another model or a list of them.
				of, isMapped := e.annotation(k, name)
				if !isMapped {
					continue
				}
				if c, isClass := of.arg.(*python.Class); isClass && e.tableOfModel(c) != nil {
					continue
				}
				c := NewColumn("", nil)
				c.Key = ""
				c.Cls = e.classFor("Column")
				v = &mapped{column: c}
			}
			if err := take(k, name, v); err != nil {
				return nil, err
			}
		}
	}
	return append(mixed, own...), nil
}

// mapSingle adds the columns of a class without a table of its own to its parent's table (single table inheritance).
func (e *Engine) mapSingle(cls *python.Class) error {
	t := e.tableOfModel(cls)
	if t == nil {
		return nil
	}
	for _, name := range cls.Attrs.Names() {
		v, _ := cls.Attrs.Load(name)
		if c, ok := v.(*Column); ok && c.Table == nil {
			if c.Name == "" {
				c.Name, c.Key = name, name
			}
			if err := t.AppendColumn(c); err != nil {
				return e.exception(err)
			}
		}
	}
	return nil
}

// A declaredAttr is what @declared_attr makes of a method.
type declaredAttr struct{ fn python.Value }

// TypeName implements python.Value.
func (*declaredAttr) TypeName() string { return "declared_attr" }

// Attr implements python.Attrer: declared_attr.directive and .cascading.
func (d *declaredAttr) Attr(ev *python.Eval, name string) (python.Value, bool) { return nil, false }

// A mapped is mapped_column(…) of 2.0. Its type may come from the annotation.
type mapped struct{ column *Column }

// TypeName implements python.Value.
func (*mapped) TypeName() string { return "MappedColumn" }

// A mappedOf is Mapped[…]: the type in an annotation.
type mappedOf struct {
	e   *Engine
	arg python.Value // nil for Mapped itself
}

// TypeName implements python.Value.
func (*mappedOf) TypeName() string { return "Mapped" }

// Index implements python.Indexer.
func (m *mappedOf) Index(ev *python.Eval, key python.Value) (python.Value, error) {
	return &mappedOf{m.e, key}, nil
}

// annotationType gives the column type for the type in an annotation, as the library's default type map does, and whether the annotation
// says that it may be None.
func (e *Engine) annotationType(v python.Value) (t *Type, optional bool) {
	switch v := v.(type) {
	case *python.Class:
		name := map[string]string{"int": "Integer", "str": "String", "bool": "Boolean", "float": "Float", "bytes": "LargeBinary", "datetime": "DateTime", "date": "Date",
			"time": "Time", "timedelta": "Interval", "Decimal": "Numeric", "UUID": "Uuid"}[v.Name]
		if name != "" && !v.IsPython() {
			return NewType(name), false
		}
		if members, u, err := e.enumMembers(e.Eval.Pos(), v, nil, true); err == nil && u == nil && v.IsPython() {
			return NewEnum("Enum", members...), false
		}
	case *python.Unknown:
		return UnknownType(why(v)), false
	default:
		// Optional[X], X | None and Union[X, None] have their parts in __args__.
		args, err := e.Eval.Attr(v, "__args__")
		if err != nil {
			break
		}
		items, u, err := e.Eval.Iterate(args)
		if u != nil || err != nil {
			break
		}
		for _, it := range items {
			if c, ok := it.(*python.Class); it == python.None || ok && c.Name == "NoneType" {
				optional = true
			} else if t == nil {
				t, _ = e.annotationType(it)
			}
		}
		if t != nil && (optional || len(items) == 1) {
			return t, optional
		}
	}
	return UnknownType(&Unknown{Why: "the annotation gives no type that is modelled"}), true
}

// annotate completes a mapped_column() with what the annotation of its attribute says.
func (m *mapped) annotate(e *Engine, owner *python.Class, name string) {
	of, ok := e.annotation(owner, name)
	c := m.column
	if !ok {
		return
	}
	t, optional := e.annotationType(of.arg)
	if c.Type == nil && len(c.ForeignKeys) == 0 {
		c.Type = t
	}
	if !c.NullableSet && !c.PrimaryKey {
		c.Nullable = optional
	}
}

// annotation gives the Mapped[…] of an attribute.
func (e *Engine) annotation(owner *python.Class, name string) (*mappedOf, bool) {
	v, ok := owner.Attrs.Load("__annotations__")
	if !ok {
		return nil, false
	}
	d, ok := v.(*python.Dict)
	if !ok {
		return nil, false
	}
	v, _ = d.Load(name)
	of, ok := v.(*mappedOf)
	return of, ok && of.arg != nil
}

// attributes gives the names of a class's attributes, those that are only annotated among them.
func (e *Engine) attributes(cls *python.Class) []string {
	names := cls.Attrs.Names()
	v, _ := cls.Attrs.Load("__annotations__")
	d, ok := v.(*python.Dict)
	if !ok {
		return names
	}
	keys, vals := d.Items()
	var out []string
	for i, k := range keys {
		if s, u := e.text(k); u == nil {
			if of, ok := vals[i].(*mappedOf); ok && of.arg != nil {
				out = append(out, s)
			}
		}
	}
	// What is annotated stands in its order; the rest of the attributes follows where it is found.
	for _, n := range names {
		if !contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// ormNames gives what sqlalchemy.orm and its like offer.
func (e *Engine) ormNames() []any {
	ignored := func(name string) []any {
		return []any{name, pure(name, func(*python.Eval, *python.Call) (python.Value, error) { return &ormProperty{name}, nil })}
	}
	out := []any{
		"Session", e.bindClass("Session"),
		"sessionmaker", pure("sessionmaker", func(*python.Eval, *python.Call) (python.Value, error) {
			return fn("Session", func(*python.Eval, *python.Call) (python.Value, error) { return &bind{e, "Session"}, nil }), nil
		}),
		"scoped_session", pure("scoped_session", func(*python.Eval, *python.Call) (python.Value, error) { return &bind{e, "Session"}, nil }),
		"create_session", fn("create_session", func(*python.Eval, *python.Call) (python.Value, error) { return &bind{e, "Session"}, nil }),
		"declarative_base", pure("declarative_base", func(ev *python.Eval, call *python.Call) (python.Value, error) { return e.declarativeBase(call) }),
		"DeclarativeBase", e.base2(),
		"Mapped", &mappedOf{e: e},
		"registry", pure("registry", func(ev *python.Eval, call *python.Call) (python.Value, error) {
			base, err := e.declarativeBase(call)
			if err != nil {
				return nil, err
			}
			return &registry{e, base.(*python.Class)}, nil
		}),
		"as_declarative", pure("as_declarative", func(ev *python.Eval, call *python.Call) (python.Value, error) {
			base, err := e.declarativeBase(call)
			if err != nil {
				return nil, err
			}
			return (&registry{e, base.(*python.Class)}).baseMaker(), nil
		}),
		"declared_attr", pure("declared_attr", func(ev *python.Eval, call *python.Call) (python.Value, error) {
			return &declaredAttr{first(call.Args, python.None)}, nil
		}),
		"mapped_column", pure("mapped_column", func(ev *python.Eval, call *python.Call) (python.Value, error) {
			v, err := ev.Call(call.Pos(), e.classFor("Column"), call.Args, call.Kw...)
			if err != nil {
				return nil, err
			}
			c, ok := v.(*Column)
			if !ok {
				return v, nil
			}
			return &mapped{column: c}, nil
		}),
	}
	for _, name := range []string{"relationship", "relation", "backref", "column_property", "synonym", "deferred", "composite", "validates", "reconstructor", "association_proxy",
		"query_expression", "dynamic_loader"} {
		out = append(out, ignored(name)...)
	}
	for _, name := range []string{"joinedload", "subqueryload", "selectinload", "lazyload", "contains_eager", "load_only", "defer", "undefer", "noload", "raiseload", "aliased", "with_polymorphic",
		"configure_mappers", "clear_mappers"} {
		out = append(out, ignored(name)...)
	}
	out = append(out, "Query", &python.Class{Name: "Query", Module: "sqlalchemy.orm"}, "exc", e.excModule("sqlalchemy.orm.exc"))
	return out
}

// A registry is registry() of 1.4 and 2.0. base is the class that generate_base() gives.
type registry struct {
	e    *Engine
	base *python.Class
}

// TypeName implements python.Value.
func (*registry) TypeName() string { return "registry" }

// Attr implements python.Attrer.
func (r *registry) Attr(ev *python.Eval, name string) (python.Value, bool) {
	switch name {
	case "metadata":
		return r.base.Attrs.Load("metadata")
	case "generate_base":
		return give(name, r.base), true
	case "as_declarative_base":
		return pure(name, func(*python.Eval, *python.Call) (python.Value, error) { return r.baseMaker(), nil }), true
	case "mapped":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			cls, ok := first(call.Args, nil).(*python.Class)
			if !ok {
				return first(call.Args, python.None), nil
			}
			v, _ := r.base.Attrs.Load("metadata")
			return cls, r.e.mapClass(cls, v.(*MetaData))
		}), true
	case "configure", "dispose":
		return give(name, python.None), true
	}
	return nil, false
}

// baseMaker gives the decorator that makes a class the base of models.
func (r *registry) baseMaker() python.Value {
	return pure("decorate", func(ev *python.Eval, call *python.Call) (python.Value, error) {
		cls, ok := first(call.Args, nil).(*python.Class)
		if !ok {
			return first(call.Args, python.None), nil
		}
		cls.Subclass = r.base.Subclass
		if _, ok := cls.Lookup("metadata"); !ok {
			m, _ := r.base.Attrs.Load("metadata")
			cls.Attrs.Store(ev, "metadata", m)
		}
		return cls, nil
	})
}

// An ormProperty is relationship() and the like: it does not reach the schema. As a decorator it gives the function back.
type ormProperty struct{ name string }

// TypeName implements python.Value.
func (p *ormProperty) TypeName() string { return p.name }

// Call implements python.Caller.
func (p *ormProperty) Call(ev *python.Eval, call *python.Call) (python.Value, error) {
	return first(call.Args, python.None), nil
}

// Attr implements python.Attrer.
func (p *ormProperty) Attr(ev *python.Eval, name string) (python.Value, bool) {
	if strings.HasPrefix(name, "__") {
		return nil, false
	}
	return p, true
}
