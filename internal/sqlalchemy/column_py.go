package sqlalchemy

import (
	"instep/internal/python"
)

// classFor gives the Python class of a construct. The classes are made once for each evaluation.
func (e *Engine) classFor(name string) *python.Class {
	if c := e.classes[name]; c != nil {
		return c
	}
	c := &python.Class{Name: name, Module: "sqlalchemy.sql.schema", Data: e}
	e.classes[name] = c
	switch name {
	case "Column":
		c.New = func(ev *python.Eval, cls *python.Class, call *python.Call) (python.Value, error) {
			x := NewColumn("", nil)
			x.Cls = cls
			return x, nil
		}
		c.Init = func(ev *python.Eval, self python.Value, call *python.Call) error {
			if x, ok := self.(*Column); ok {
				return e.initColumn(x, call)
			}
			return nil
		}
	case "ForeignKey":
		c.New = func(ev *python.Eval, cls *python.Class, call *python.Call) (python.Value, error) {
			return e.newForeignKey(cls, call)
		}
	case "PrimaryKeyConstraint", "UniqueConstraint", "CheckConstraint", "ForeignKeyConstraint":
		c.Bases = []*python.Class{e.classFor("Constraint")}
		c.New = func(ev *python.Eval, cls *python.Class, call *python.Call) (python.Value, error) {
			k := NewConstraint(&e.Env, ConstraintKind(name))
			k.Cls = cls
			return k, e.initConstraint(k, call)
		}
	case "Index":
		c.New = func(ev *python.Eval, cls *python.Class, call *python.Call) (python.Value, error) {
			return e.newIndex(cls, call)
		}
	case "Table":
		c.New = func(ev *python.Eval, cls *python.Class, call *python.Call) (python.Value, error) {
			return e.newTable(cls, call)
		}
	case "MetaData":
		c.New = func(ev *python.Eval, cls *python.Class, call *python.Call) (python.Value, error) {
			return e.newMetaData(cls, call)
		}
	case "Computed", "Identity", "Sequence", "FetchedValue", "DefaultClause", "PassiveDefault", "ColumnDefault":
		c.New = func(ev *python.Eval, cls *python.Class, call *python.Call) (python.Value, error) {
			d := &defaultValue{kind: name, call: call}
			d.Cls = cls
			return d, nil
		}
	}
	return c
}

// A defaultValue is Computed(), Identity(), Sequence(), FetchedValue(), DefaultClause() or ColumnDefault().
type defaultValue struct {
	python.Object
	kind string
	call *python.Call
}

// Attr implements python.Attrer.
func (d *defaultValue) Attr(ev *python.Eval, name string) (python.Value, bool) {
	switch name {
	case "arg", "sqltext", "name":
		if len(d.call.Args) > 0 {
			return d.call.Args[0], true
		}
		return python.None, true
	case "is_scalar":
		return python.Bool(true), true
	case "is_callable", "is_sequence", "is_clause_element":
		return python.Bool(false), true
	case "create", "drop":
		return give(name, python.None), true // MySQL has no sequences
	case "next_value":
		return give(name, python.NewUnknown(ev.Pos(), "the next value of a sequence is data")), true
	}
	return nil, false
}

func (e *Engine) initColumn(x *Column, call *python.Call) error {
	args := call.Args
	for _, k := range call.Kw {
		switch k.Name {
		case "name":
			x.setName(e, k.Value)
		case "type_":
			if err := x.setType(e, k.Value); err != nil {
				return err
			}
		}
	}
	if len(args) > 0 {
		switch v := args[0].(type) {
		case python.Str, *nameValue, python.NoneType:
			x.setName(e, v)
			args = args[1:]
		case *python.Unknown:
			// The first argument is nearly always the name.
			if x.Name == "" {
				x.setName(e, v)
				args = args[1:]
			}
		}
	}
	if len(args) > 0 && e.isType(args[0]) {
		if err := x.setType(e, args[0]); err != nil {
			return err
		}
		args = args[1:]
	}
	for _, k := range call.Kw {
		if k.Name != "name" && k.Name != "type_" {
			if err := x.set(e, k.Name, k.Value); err != nil {
				return err
			}
		}
	}
	for _, a := range args {
		if err := x.addItem(e, a); err != nil {
			return err
		}
	}
	if !x.NullableSet {
		x.Nullable = !x.PrimaryKey
		if x.Identity {
			x.Nullable = false
		}
	}
	if x.Key == "" {
		x.Key = x.Name
	}
	return nil
}

// isType tells whether an argument stands for the type. What is not known and stands in that place is taken for one.
func (e *Engine) isType(v python.Value) bool {
	switch v := v.(type) {
	case *Type:
		return true
	case *python.Unknown:
		return true
	case *python.Class:
		return v.Derives(e.TypeClassValue("TypeEngine"))
	}
	return false
}

func (x *Column) setName(e *Engine, v python.Value) {
	if n, ok := v.(*nameValue); ok && n.quote != nil {
		x.Quote = n.quote
	}
	s, u := e.text(v)
	if u != nil && x.Unknown == nil {
		x.Unknown = u
	}
	if x.Key == "" || x.Key == x.Name {
		x.Key = s
	}
	x.Name = s
}

func (x *Column) setType(e *Engine, v python.Value) error {
	t, err := e.typeArg(v)
	x.Type = t
	return err
}

// set takes a keyword argument of Column().
func (x *Column) set(e *Engine, name string, v python.Value) error {
	var u *Unknown
	switch name {
	case "primary_key":
		x.PrimaryKey, u = e.truth(v, false)
	case "nullable":
		if !absent(v) || v == python.None {
			x.Nullable, u = e.truth(v, true)
			x.NullableSet = true
		}
	case "unique":
		x.Unique, u = e.truth(v, false)
	case "index":
		x.Index, u = e.truth(v, false)
	case "autoincrement":
		switch v := v.(type) {
		case python.Str:
			switch v {
			case "auto":
				x.Autoincrement = AutoincrementAuto
			case "ignore_fk":
				x.Autoincrement = AutoincrementIgnoreFK
			default:
				x.Autoincrement = AutoincrementTrue
			}
		default:
			var b bool
			b, u = e.truth(v, true)
			x.Autoincrement = AutoincrementFalse
			if b {
				x.Autoincrement = AutoincrementTrue
			}
		}
	case "default", "insert_default", "default_factory":
		if !absent(v) {
			x.HasDefault, x.Default = true, v
			if d, ok := v.(*defaultValue); ok && d.kind == "Sequence" {
				x.Sequence = true
			}
		}
	case "onupdate":
		x.HasOnUpdate, x.OnUpdate = !absent(v), v
	case "server_default":
		return x.setServerDefault(e, v)
	case "comment":
		if absent(v) {
			x.Comment = nil
			return nil
		}
		var s string
		s, u = e.text(v)
		x.Comment = &s
	case "key":
		if !absent(v) {
			x.Key, u = e.text(v)
		}
	case "quote":
		x.Quote, u = e.optionalBool(v)
	case "system":
		x.System, u = e.truth(v, false)
	case "doc":
		x.Doc, _ = e.text(v)
	case "info":
		x.Info = v
	}
	if u != nil && x.Unknown == nil {
		x.Unknown = u
	}
	return nil
}

func (x *Column) setServerDefault(e *Engine, v python.Value) error {
	x.ServerDefault = nil
	switch d := v.(type) {
	case nil, python.NoneType:
		return nil
	case *defaultValue:
		return x.addItem(e, d)
	}
	x.ServerDefault = e.serverDefault(v)
	return nil
}

// serverDefault reads the argument of server_default.
func (e *Engine) serverDefault(v python.Value) *ServerDefault {
	switch v := v.(type) {
	case python.Bool, python.Int, python.Float:
		// The library refuses all but strings and SQL expressions.
		return &ServerDefault{Unknown: &Unknown{Why: "server_default is a " + v.TypeName() + ", which SQLAlchemy refuses"}}
	case *python.Unknown:
		return &ServerDefault{Unknown: why(v)}
	case *defaultValue:
		if v.kind == "FetchedValue" || len(v.call.Args) == 0 {
			return &ServerDefault{}
		}
		return e.serverDefault(v.call.Args[0])
	case python.Str, *nameValue:
		s, _ := e.text(v)
		return &ServerDefault{Text: &s}
	case *ServerDefault:
		return v
	}
	if x := e.exprArg(v); x != nil {
		return &ServerDefault{Expr: x}
	}
	return &ServerDefault{Unknown: &Unknown{Why: "a " + v.TypeName() + " as server_default is not modelled"}}
}

// addItem takes a positional argument of Column() behind name and type.
func (x *Column) addItem(e *Engine, v python.Value) error {
	switch v := v.(type) {
	case *ForeignKey:
		x.ForeignKeys = add(x.ForeignKeys, v)
	case *Constraint:
		x.Constraints = add(x.Constraints, v)
		v.Columns = []*Column{x}
	case *Type:
		x.Type = v
	case *python.Unknown:
		x.Unknown = why(v)
	case *python.Class:
		return x.setType(e, v)
	case *defaultValue:
		switch v.kind {
		case "Computed":
			b, err := v.call.Bind(e.Eval, "Computed", "sqltext", "persisted=")
			if err != nil {
				return err
			}
			p, u := e.optionalBool(b.Value("persisted"))
			x.Computed = &Computed{Expr: e.sqlText(b.Value("sqltext")), Persisted: p}
			if u != nil {
				x.Unknown = u
			}
			// A generated column has no default of its own; the library sets a FetchedValue.
			x.ServerDefault = &ServerDefault{}
		case "Identity":
			x.Identity = true
			x.ServerDefault = &ServerDefault{}
		case "Sequence":
			x.HasDefault, x.Sequence, x.Default = true, true, v
		case "ColumnDefault":
			x.HasDefault, x.Default = true, v
		default:
			update, u := e.truth(v.call.Keyword("for_update"), false)
			if u != nil {
				x.Unknown = u
			}
			if !update {
				x.ServerDefault = e.serverDefault(v)
			}
		}
	case *Expr:
		x.ServerDefault = &ServerDefault{Expr: v}
	case python.NoneType:
	default:
		return e.Eval.Raise(e.ExceptionClass("ArgumentError"), python.Str("'SchemaItem' object, such as a 'Column' or a 'Constraint' expected, got a "+v.TypeName()))
	}
	return nil
}

// TypeName implements python.Value.
func (d *ServerDefault) TypeName() string { return "DefaultClause" }

// Attr implements python.Attrer.
func (d *ServerDefault) Attr(ev *python.Eval, name string) (python.Value, bool) {
	switch name {
	case "arg":
		switch {
		case d.Unknown != nil:
			return python.NewUnknown(ev.Pos(), d.Unknown.Why), true
		case d.Text != nil:
			return python.Str(*d.Text), true
		case d.Expr != nil:
			return d.Expr, true
		}
	case "for_update":
		return python.Bool(d.ForUpdate), true
	case "reflected":
		return python.Bool(d.Reflected), true
	case "has_argument":
		return python.Bool(d.Text != nil || d.Expr != nil), true
	}
	return nil, false
}

// Attr implements python.Attrer.
func (c *Column) Attr(ev *python.Eval, name string) (python.Value, bool) {
	e := engineOf(c.Cls)
	if e == nil {
		return nil, false
	}
	if e.Hooks.Column != nil {
		if v, ok := e.Hooks.Column(ev, c, name); ok {
			return v, true
		}
	}
	if c.Unknown != nil {
		switch name {
		case "name", "key":
			if c.Name == "" {
				return python.NewUnknown(ev.Pos(), c.Unknown.Why), true
			}
		case "primary_key", "nullable", "unique", "index":
			return python.NewUnknown(ev.Pos(), c.Unknown.Why), true
		}
	}
	switch name {
	case "name":
		return strOrNone(c.Name), true
	case "key", "description":
		return strOrNone(c.Key), true
	case "type":
		t, _ := c.resolveType()
		return e.typeValue(t), true
	case "table":
		if c.Table == nil {
			return python.None, true
		}
		return e.tableValue(c.Table), true
	case "nullable":
		return python.Bool(c.Nullable), true
	case "primary_key":
		return python.Bool(c.PrimaryKey), true
	case "unique":
		return flagOrNone(c.Unique), true
	case "index":
		return flagOrNone(c.Index), true
	case "system":
		return python.Bool(c.System), true
	case "autoincrement":
		switch c.Autoincrement {
		case AutoincrementTrue:
			return python.Bool(true), true
		case AutoincrementFalse:
			return python.Bool(false), true
		case AutoincrementIgnoreFK:
			return python.Str("ignore_fk"), true
		}
		return python.Str("auto"), true
	case "comment":
		return ptrOrNone(c.Comment), true
	case "doc":
		return strOrNone(c.Doc), true
	case "quote":
		return boolOrNone(c.Quote), true
	case "default":
		if v, ok := c.Default.(python.Value); ok && c.HasDefault {
			if d, ok := v.(*defaultValue); ok {
				return d, true
			}
			d := &defaultValue{kind: "ColumnDefault", call: python.NewCall(ev.Pos(), []python.Value{v})}
			d.Cls = e.classFor("ColumnDefault")
			return d, true
		}
		return python.None, true
	case "onupdate":
		if v, ok := c.OnUpdate.(python.Value); ok && c.HasOnUpdate {
			return v, true
		}
		return python.None, true
	case "server_default":
		if c.ServerDefault == nil {
			return python.None, true
		}
		return c.ServerDefault, true
	case "server_onupdate", "computed", "identity":
		return python.None, true
	case "info":
		if v, ok := c.Info.(python.Value); ok {
			return v, true
		}
		ev.Touch(c)
		d := python.NewDict()
		c.Info = d
		return d, true
	case "foreign_keys":
		var out []python.Value
		for _, f := range c.ForeignKeys {
			out = append(out, e.fkValue(f))
		}
		return python.NewList(out...), true
	case "constraints":
		var out []python.Value
		for _, k := range c.Constraints {
			out = append(out, e.constraintValue(k))
		}
		return python.NewList(out...), true
	case "copy", "_copy":
		return pure(name, func(*python.Eval, *python.Call) (python.Value, error) {
			return c.Copy(), nil
		}), true
	case "append_foreign_key":
		return fn(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			ev.Touch(c)
			for _, a := range call.Args {
				if err := c.addItem(e, a); err != nil {
					return nil, err
				}
			}
			if c.Table != nil {
				return python.None, e.wrap(c.Table.AppendColumn(c))
			}
			return python.None, nil
		}), true
	case "references":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			for _, f := range c.ForeignKeys {
				if len(call.Args) == 1 && c.Table != nil && call.Args[0] == python.Value(f.Ref.resolve(c.Table.MetaData, f.LinkToName)) {
					return python.Bool(true), nil
				}
			}
			return python.Bool(false), nil
		}), true
	}
	return exprAttr(e, columnExpr(c), name)
}

// wrap turns an error of this package into a Python exception.
func (e *Engine) wrap(err error) error {
	if err == nil {
		return nil
	}
	return e.exception(err)
}

func flagOrNone(b bool) python.Value {
	if b {
		return python.Bool(true)
	}
	return python.None
}

// SetAttr implements python.AttrSetter.
func (c *Column) SetAttr(ev *python.Eval, name string, v python.Value) error {
	e := engineOf(c.Cls)
	if e == nil {
		return nil
	}
	ev.Touch(c)
	switch name {
	case "name":
		c.setName(e, v)
	case "type":
		return c.setType(e, v)
	case "nullable", "primary_key", "unique", "index", "autoincrement", "default", "server_default", "comment", "key", "quote", "onupdate", "info", "doc", "system":
		if name == "default" && absent(v) {
			c.HasDefault, c.Default = false, nil
		}
		return c.set(e, name, v)
	case "table":
		return nil
	default:
		c.Object.Attrs.Store(ev, name, v)
	}
	return nil
}

// Binary implements python.Operator.
func (c *Column) Binary(ev *python.Eval, op python.Op, other python.Value, reflected bool) (python.Value, error) {
	e := engineOf(c.Cls)
	if e == nil {
		return nil, nil
	}
	return exprBinary(e, columnExpr(c), op, other, reflected)
}

// Truth implements python.Truther: the library refuses to say.
func (c *Column) Truth(ev *python.Eval) (python.Value, error) {
	return nil, ev.Raisef("TypeError", "Boolean value of this clause is not defined")
}

func (e *Engine) columnValue(c *Column) python.Value {
	if c.Cls == nil {
		c.Cls = e.classFor("Column")
	}
	return c
}

func (e *Engine) fkValue(f *ForeignKey) python.Value {
	if f.Cls == nil {
		f.Cls = e.classFor("ForeignKey")
	}
	return f
}

func (e *Engine) constraintValue(k *Constraint) python.Value {
	if k.Cls == nil {
		k.Cls = e.classFor(string(k.Kind))
	}
	return k
}

func (e *Engine) indexValue(ix *Index) python.Value {
	if ix.Cls == nil {
		ix.Cls = e.classFor("Index")
	}
	return ix
}

func (e *Engine) tableValue(t *Table) python.Value {
	if t.Cls == nil {
		t.Cls = e.classFor("Table")
	}
	return t
}

func (e *Engine) newForeignKey(cls *python.Class, call *python.Call) (python.Value, error) {
	b, err := call.Bind(e.Eval, "ForeignKey", "column", "_constraint=", "use_alter=", "name=", "onupdate=", "ondelete=",
		"deferrable=", "initially=", "link_to_name=", "match=", "info=", "_unresolvable=", "comment=", "**kw")
	if err != nil {
		return nil, err
	}
	f := &ForeignKey{Name: e.nameArg(b.Value("name"))}
	f.Cls = cls
	f.Ref, f.Unknown = e.refArg(b.Value("column"))
	e.fkOptions(b, &f.OnDelete, &f.OnUpdate, &f.Match, &f.Initially, &f.Deferrable, &f.UseAlter, &f.LinkToName, &f.Unknown)
	return f, nil
}

// refArg reads what a foreign key points to.
func (e *Engine) refArg(v python.Value) (Ref, *Unknown) {
	switch v := v.(type) {
	case *Column:
		return Ref{Column: v}, nil
	case *python.Unknown:
		return Ref{}, why(v)
	}
	if m, ok := v.(*python.Instance); ok {
		if c, err := e.Eval.Attr(m, "__clause_element__"); err == nil {
			if x, err := e.Eval.Call(e.Eval.Pos(), c, nil); err == nil {
				if col, ok := x.(*Column); ok {
					return Ref{Column: col}, nil
				}
			}
		}
	}
	s, u := e.text(v)
	return Ref{Spec: s}, u
}

// fkOptions reads what ForeignKey and ForeignKeyConstraint have in common.
func (e *Engine) fkOptions(b *python.Bound, onDelete, onUpdate, match, initially *string, deferrable **bool, useAlter, byName *bool, unknown **Unknown) {
	note := func(u *Unknown) {
		if u != nil && *unknown == nil {
			*unknown = u
		}
	}
	for _, s := range []struct {
		name string
		to   *string
	}{{"ondelete", onDelete}, {"onupdate", onUpdate}, {"match", match}, {"initially", initially}} {
		text, u := e.text(b.Value(s.name))
		*s.to = text
		note(u)
	}
	d, u := e.optionalBool(b.Value("deferrable"))
	*deferrable = d
	note(u)
	*useAlter, u = e.truth(b.Value("use_alter"), false)
	note(u)
	*byName, u = e.truth(b.Value("link_to_name"), false)
	note(u)
}

// Attr implements python.Attrer.
func (f *ForeignKey) Attr(ev *python.Eval, name string) (python.Value, bool) {
	e := engineOf(f.Cls)
	if e == nil {
		return nil, false
	}
	if f.Unknown != nil && name != "constraint" && name != "parent" {
		return python.NewUnknown(ev.Pos(), f.Unknown.Why), true
	}
	switch name {
	case "target_fullname", "_colspec":
		s, t, c := f.Ref.parts()
		if s != "" {
			t = s + "." + t
		}
		return python.Str(t + "." + c), true
	case "name":
		return NameValue(f.Name), true
	case "ondelete":
		return strOrNone(f.OnDelete), true
	case "onupdate":
		return strOrNone(f.OnUpdate), true
	case "use_alter":
		return python.Bool(f.UseAlter), true
	case "constraint":
		if f.Constraint == nil {
			return python.None, true
		}
		return e.constraintValue(f.Constraint), true
	case "parent":
		if f.Constraint != nil && len(f.Constraint.Columns) > 0 {
			return e.columnValue(f.Constraint.Columns[0]), true
		}
		return python.None, true
	case "column":
		if f.Ref.Column != nil {
			return e.columnValue(f.Ref.Column), true
		}
		if f.Constraint != nil && f.Constraint.Table != nil {
			if c := f.Ref.resolve(f.Constraint.Table.MetaData, f.LinkToName); c != nil {
				return e.columnValue(c), true
			}
		}
		return python.NewUnknown(ev.Pos(), "the target "+f.Ref.Spec+" is not in the MetaData"), true
	case "copy", "_copy":
		return pure(name, func(*python.Eval, *python.Call) (python.Value, error) {
			return f.copy(""), nil
		}), true
	}
	return nil, false
}

func (e *Engine) initConstraint(k *Constraint, call *python.Call) error {
	note := func(u *Unknown) {
		if u != nil && k.Unknown == nil {
			k.Unknown = u
		}
	}
	columns := func(args []python.Value) error {
		for _, a := range args {
			switch a := a.(type) {
			case *Column:
				k.Columns = append(k.Columns, a)
				continue
			case *python.Unknown:
				note(why(a))
				continue
			}
			s, u := e.text(a)
			note(u)
			k.Pending = append(k.Pending, s)
		}
		if len(k.Pending) > 0 && len(k.Columns) > 0 {
			k.Pending = nil
			k.Columns = nil
			for _, a := range args {
				if c, ok := a.(*Column); ok {
					k.Pending = append(k.Pending, c.Key)
					continue
				}
				s, _ := e.text(a)
				k.Pending = append(k.Pending, s)
			}
		}
		return nil
	}
	var b *python.Bound
	var err error
	switch k.Kind {
	case UniqueConstraint, PrimaryKey:
		b, err = call.Bind(e.Eval, string(k.Kind), "*columns", "name=", "deferrable=", "initially=", "info=", "_autoattach=", "_column_flag=", "comment=", "**kw")
		if err != nil {
			return err
		}
		if err := columns(b.Rest); err != nil {
			return err
		}
		for _, o := range dialectOptions(b.Kw) {
			if o.Name == "USING" {
				s, u := e.text(o.Value)
				k.Using = s
				note(u)
			}
		}
	case CheckConstraint:
		b, err = call.Bind(e.Eval, string(k.Kind), "sqltext", "name=", "deferrable=", "initially=", "table=", "info=", "_create_rule=", "_autoattach=", "_type_bound=", "comment=", "**kw")
		if err != nil {
			return err
		}
		k.Expr = e.sqlText(b.Value("sqltext"))
	case ForeignKeyConstraint:
		b, err = call.Bind(e.Eval, string(k.Kind), "columns", "refcolumns", "name=", "onupdate=", "ondelete=", "deferrable=", "initially=",
			"use_alter=", "link_to_name=", "match=", "table=", "info=", "comment=", "**kw")
		if err != nil {
			return err
		}
		items, u, err := e.Eval.Iterate(b.Value("columns"))
		if err != nil {
			return err
		}
		note(why(u))
		if err := columns(items); err != nil {
			return err
		}
		items, u, err = e.Eval.Iterate(b.Value("refcolumns"))
		if err != nil {
			return err
		}
		note(why(u))
		for _, it := range items {
			r, u := e.refArg(it)
			note(u)
			k.Refs = append(k.Refs, r)
		}
		e.fkOptions(b, &k.OnDelete, &k.OnUpdate, &k.Match, &k.Initially, &k.Deferrable, &k.UseAlter, &k.LinkToName, &k.Unknown)
	}
	k.Name = e.nameArg(b.Value("name"))
	d, u := e.optionalBool(b.Value("deferrable"))
	note(u)
	k.Deferrable = d
	k.Initially, u = e.text(b.Value("initially"))
	note(u)
	// Constraints over columns of one table attach themselves to it.
	table := b.Value("table")
	if t, ok := table.(*Table); ok {
		return e.wrap(t.AppendConstraint(k))
	}
	return e.autoAttach(k)
}

// autoAttach attaches a constraint whose columns are all of one table, as the library does.
func (e *Engine) autoAttach(k *Constraint) error {
	cols := k.Columns
	if k.Kind == CheckConstraint && k.Expr != nil {
		cols = k.Expr.columns()
	}
	if len(k.Pending) > 0 || len(cols) == 0 {
		return nil
	}
	t := cols[0].Table
	for _, c := range cols {
		if c.Table == nil || c.Table != t {
			return nil
		}
	}
	return e.wrap(t.AppendConstraint(k))
}

// Attr implements python.Attrer.
func (k *Constraint) Attr(ev *python.Eval, name string) (python.Value, bool) {
	e := engineOf(k.Cls)
	if e == nil {
		return nil, false
	}
	if e.Hooks.Constraint != nil {
		if v, ok := e.Hooks.Constraint(ev, k, name); ok {
			return v, true
		}
	}
	switch name {
	case "name":
		return NameValue(k.Name), true
	case "table", "parent":
		if k.Table == nil {
			return python.None, true
		}
		return e.tableValue(k.Table), true
	case "columns", "c":
		return &collection{e: e, columns: func() []*Column { return k.Columns }}, true
	case "column_keys":
		var out []python.Value
		for _, c := range k.Columns {
			out = append(out, python.Str(c.Key))
		}
		return python.NewList(out...), true
	case "elements":
		var out []python.Value
		for i, r := range k.Refs {
			f := &ForeignKey{
				Ref: r, Name: k.Name, OnDelete: k.OnDelete, OnUpdate: k.OnUpdate, Match: k.Match, UseAlter: k.UseAlter,
				Deferrable: k.Deferrable, Initially: k.Initially, Constraint: k, LinkToName: k.LinkToName,
			}
			if i < len(k.Columns) && k.fromColumn && len(k.Columns[i].ForeignKeys) > 0 {
				f = k.Columns[i].ForeignKeys[0]
			}
			out = append(out, e.fkValue(f))
		}
		return python.NewList(out...), true
	case "referred_table":
		if t := k.referred(); t != nil {
			return e.tableValue(t), true
		}
		return python.NewUnknown(ev.Pos(), "the table that the foreign key refers to is not in the MetaData"), true
	case "ondelete":
		return strOrNone(k.OnDelete), true
	case "onupdate":
		return strOrNone(k.OnUpdate), true
	case "use_alter":
		return python.Bool(k.UseAlter), true
	case "deferrable":
		return boolOrNone(k.Deferrable), true
	case "sqltext":
		if k.Expr != nil {
			return e.exprValue(k.Expr), true
		}
	case "contains_column":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			for _, c := range k.Columns {
				if len(call.Args) == 1 && call.Args[0] == python.Value(c) {
					return python.Bool(true), nil
				}
			}
			return python.Bool(false), nil
		}), true
	case "copy", "_copy":
		return pure(name, func(*python.Eval, *python.Call) (python.Value, error) {
			d := k.copy()
			d.order = e.next()
			return d, nil
		}), true
	}
	return nil, false
}

// SetAttr implements python.AttrSetter.
func (k *Constraint) SetAttr(ev *python.Eval, name string, v python.Value) error {
	e := engineOf(k.Cls)
	ev.Touch(k)
	switch {
	case name == "name" && e != nil:
		k.Name = e.nameArg(v)
	default:
		k.Object.Attrs.Store(ev, name, v)
	}
	return nil
}

// Iterate implements python.Iterable: the columns.
func (k *Constraint) Iterate(ev *python.Eval) ([]python.Value, *python.Unknown, error) {
	var out []python.Value
	for _, c := range k.Columns {
		out = append(out, c)
	}
	return out, nil, nil
}

func (e *Engine) newIndex(cls *python.Class, call *python.Call) (python.Value, error) {
	b, err := call.Bind(e.Eval, "Index", "name", "*expressions", "unique=", "quote=", "info=", "_table=", "_column_flag=", "**kw")
	if err != nil {
		return nil, err
	}
	ix := NewIndex(&e.Env, e.nameArg(b.Value("name")))
	ix.Cls = cls
	note := func(u *Unknown) {
		if u != nil && ix.Unknown == nil {
			ix.Unknown = u
		}
	}
	var u *Unknown
	ix.Unique, u = e.truth(b.Value("unique"), false)
	note(u)
	var table *Table
	pending := false
	for _, a := range b.Rest {
		p, u := e.indexPart(a)
		note(u)
		ix.Columns = append(ix.Columns, p)
		switch {
		case p.Column != nil && p.Column.Table != nil:
			table = p.Column.Table
		case p.Expr != nil && len(p.Expr.columns()) > 0:
			table = p.Expr.columns()[0].Table
		case p.Name != "":
			pending = true
		}
	}
	e.indexOptions(ix, b.Kw)
	if t, ok := b.Value("_table").(*Table); ok {
		table, pending = t, false
	}
	if table != nil && !pending {
		return ix, e.wrap(table.AppendIndex(ix))
	}
	return ix, nil
}

// indexPart reads one expression of an index.
func (e *Engine) indexPart(a python.Value) (IndexPart, *Unknown) {
	switch a := a.(type) {
	case *Column:
		return IndexPart{Column: a}, nil
	case *python.Unknown:
		return IndexPart{Unknown: why(a)}, nil
	case *Expr:
		if len(a.parts) == 1 && a.parts[0].column != nil {
			return IndexPart{Column: a.parts[0].column}, nil
		}
		return IndexPart{Expr: a}, nil
	}
	s, u := e.text(a)
	if u != nil {
		return IndexPart{Unknown: u}, nil
	}
	return IndexPart{Name: s}, nil
}

// indexOptions reads the mysql_* arguments of an index.
func (e *Engine) indexOptions(ix *Index, kw []python.Kwarg) {
	for _, o := range dialectOptions(kw) {
		if absent(o.Value) {
			continue
		}
		var u *Unknown
		switch o.Name {
		case "LENGTH":
			d, ok := o.Value.(*python.Dict)
			if !ok {
				ix.Length = e.number(o.Value)
				continue
			}
			if u = why(d.Unknown()); u != nil {
				break
			}
			ix.Lengths = map[string]Num{}
			keys, vals := d.Items()
			for i, key := range keys {
				var s string
				if c, ok := key.(*Column); ok {
					s = c.Name
				} else {
					s, _ = e.text(key)
				}
				ix.Lengths[s] = e.number(vals[i])
			}
		case "PREFIX":
			ix.Prefix, u = e.text(o.Value)
		case "USING":
			ix.Using, u = e.text(o.Value)
		case "WITH_PARSER":
			ix.Parser, u = e.text(o.Value)
		}
		if u != nil && ix.Unknown == nil {
			ix.Unknown = u
		}
	}
}

// IndexOptions reads the mysql_* keyword arguments of an index, for op.create_index.
func (e *Engine) IndexOptions(ix *Index, kw []python.Kwarg) { e.indexOptions(ix, kw) }

// Attr implements python.Attrer.
func (i *Index) Attr(ev *python.Eval, name string) (python.Value, bool) {
	e := engineOf(i.Cls)
	if e == nil {
		return nil, false
	}
	if e.Hooks.Index != nil {
		if v, ok := e.Hooks.Index(ev, i, name); ok {
			return v, true
		}
	}
	switch name {
	case "name":
		return NameValue(i.Name), true
	case "unique":
		return python.Bool(i.Unique), true
	case "table":
		if i.Table == nil {
			return python.None, true
		}
		return e.tableValue(i.Table), true
	case "columns", "c":
		return &collection{e: e, columns: func() []*Column {
			var out []*Column
			for _, p := range i.Columns {
				if p.Column != nil {
					out = append(out, p.Column)
				}
			}
			return out
		}}, true
	case "expressions":
		var out []python.Value
		for _, p := range i.Columns {
			switch {
			case p.Column != nil:
				out = append(out, e.columnValue(p.Column))
			case p.Expr != nil:
				out = append(out, e.exprValue(p.Expr))
			default:
				out = append(out, python.Str(p.Name))
			}
		}
		return python.NewList(out...), true
	case "create", "drop":
		return acts(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			check, u := e.truth(call.Keyword("checkfirst"), false)
			if u != nil {
				e.Unread(call.Pos(), "index."+name+"()", u.Why, tableObjects(i.Table)...)
				return python.None, nil
			}
			if check && i.Table != nil {
				st := e.seen().Table(i.Table.Name)
				if exists := st != nil && st.Key(i.Name.text()) != nil; exists == (name == "create") {
					return python.None, nil
				}
			}
			if name == "create" {
				return i, e.CreateIndex(call.Pos(), i)
			}
			return python.None, e.DropIndex(call.Pos(), i)
		}), true
	}
	return nil, false
}

// SetAttr implements python.AttrSetter.
func (i *Index) SetAttr(ev *python.Eval, name string, v python.Value) error {
	e := engineOf(i.Cls)
	ev.Touch(i)
	switch {
	case name == "name" && e != nil:
		i.Name = e.nameArg(v)
	default:
		i.Object.Attrs.Store(ev, name, v)
	}
	return nil
}

// Handle implements python.HandleHolder: it can create and drop itself.
func (i *Index) Handle() bool { return true }
