package migrate

import (
	"fmt"
	"slices"

	"instep/internal/python"
	"instep/internal/sqlalchemy"
)

// A changeset is what sqlalchemy-migrate adds to SQLAlchemy: methods of tables, columns and indexes that alter what
// exists, and constraints that can be created and dropped by themselves.
type changeset struct {
	ev      *python.Eval
	engine  *sqlalchemy.Engine
	module  python.Value // sqlalchemy
	classes map[string]*python.Class
	errors  map[string]*python.Class // of migrate.exceptions
}

// hooks gives the methods that importing migrate adds to SQLAlchemy's classes.
func (c *changeset) hooks() sqlalchemy.Hooks {
	return sqlalchemy.Hooks{Table: c.table, Column: c.column, Index: c.index}
}

func (c *changeset) table(ev *python.Eval, t *sqlalchemy.Table, name string) (python.Value, bool) {
	switch name {
	case "create_column", "drop_column":
		return acting(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			b, err := call.Bind(ev, name, "column", "*p", "**kw")
			if err != nil {
				return nil, err
			}
			x, ok := b.Value("column").(*sqlalchemy.Column)
			if !ok {
				if x, err = c.columnNamed(call.Pos(), t, b.Value("column"), name == "drop_column"); err != nil || x == nil {
					return python.None, err
				}
			}
			inner := python.NewCall(call.Pos(), b.Rest, append([]python.Kwarg{{Name: "table", Value: t}}, b.Kw...)...)
			if name == "create_column" {
				return c.create(x, inner)
			}
			return c.drop(x, inner)
		}), true
	case "rename":
		return acting(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			b, err := call.Bind(ev, name, "name", "connection=", "**kw")
			if err != nil {
				return nil, err
			}
			return python.None, c.rename(call.Pos(), t, b.Value("name"))
		}), true
	case "deregister":
		return computed(name, func(*python.Eval, *python.Call) (python.Value, error) {
			t.MetaData.Remove(t)
			return python.None, nil
		}), true
	}
	return nil, false
}

// columnNamed gives the table's column of that name. To drop one, the name is enough.
func (c *changeset) columnNamed(pos python.Pos, t *sqlalchemy.Table, name python.Value, drop bool) (*sqlalchemy.Column, error) {
	s, u, err := c.ev.Str(name)
	if err != nil {
		return nil, err
	}
	if u != nil {
		c.engine.Unread(pos, "a change of table "+t.Name, u.Why, objectsOf(t)...)
		return nil, nil
	}
	if x := t.Column(s); x != nil {
		return x, nil
	}
	if !drop {
		return nil, c.ev.Raisef("AttributeError", "%s", s)
	}
	x, err := c.construct(pos, "Column", python.Str(s))
	if err != nil {
		return nil, err
	}
	col, _ := x.(*sqlalchemy.Column)
	return col, nil
}

func (c *changeset) construct(pos python.Pos, name string, args ...python.Value) (python.Value, error) {
	if c.module == nil {
		m, err := c.ev.Import("sqlalchemy")
		if err != nil {
			return nil, err
		}
		c.module = m
	}
	f, err := c.ev.Attr(c.module, name)
	if err != nil {
		return nil, err
	}
	return c.ev.Call(pos, f, args)
}

func (c *changeset) index(ev *python.Eval, ix *sqlalchemy.Index, name string) (python.Value, bool) {
	if name != "rename" {
		return nil, false
	}
	return acting(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
		return nil, ev.Raise(c.errors["NotSupportedError"], python.Str("MySQL cannot rename indexes"))
	}), true
}

func (c *changeset) column(ev *python.Eval, x *sqlalchemy.Column, name string) (python.Value, bool) {
	methods := map[string]func(*sqlalchemy.Column, *python.Call) (python.Value, error){"create": c.create, "drop": c.drop, "alter": c.alter}
	if f := methods[name]; f != nil {
		return acting(name, func(ev *python.Eval, call *python.Call) (python.Value, error) { return f(x, call) }), true
	}
	if name == "copy_fixed" {
		return computed(name, func(*python.Eval, *python.Call) (python.Value, error) {
			d := x.Copy()
			d.Cls = x.Cls
			return d, nil
		}), true
	}
	return nil, false
}

// bound raises what the library raises for a table whose MetaData has no engine. An engine or a connection that is passed
// along will do.
func (c *changeset) bound(t *sqlalchemy.Table, passed ...python.Value) error {
	for _, v := range passed {
		if !isNone(v) {
			return nil
		}
	}
	if t != nil && t.MetaData != nil && t.MetaData.Bind == nil {
		return c.ev.Raisef("AttributeError", "'NoneType' object has no attribute 'dialect'")
	}
	return nil
}

// execute sends a statement.
func (c *changeset) execute(pos python.Pos, t *sqlalchemy.Table, text *ddlText) error {
	return c.engine.Emit(pos, text.ddl(), objectsOf(t)...)
}

func (c *changeset) alterTable(t *sqlalchemy.Table) (*ddlText, error) {
	name, err := sqlalchemy.FormatTable(t)
	if err != nil {
		return nil, c.raise(err)
	}
	text := &ddlText{}
	text.WriteString("ALTER TABLE ")
	text.add(name)
	text.WriteByte(' ')
	return text, nil
}

// raise turns an error of package sqlalchemy into the Python exception.
func (c *changeset) raise(err error) error {
	o := &alembicOps{ev: c.ev, engine: c.engine}
	return o.raise(err)
}

// create is Column.create(): ALTER TABLE … ADD, and what the column's arguments ask for besides.
func (c *changeset) create(x *sqlalchemy.Column, call *python.Call) (python.Value, error) {
	b, err := call.Bind(c.ev, "create", "table=", "index_name=", "unique_name=", "primary_key_name=", "populate_default=", "connection=", "**kw")
	if err != nil {
		return nil, err
	}
	pos := call.Pos()
	for _, flag := range []struct {
		name string
		on   bool
	}{{"index_name", x.Index}, {"unique_name", x.Unique}, {"primary_key_name", x.PrimaryKey}} {
		v := b.Value(flag.name)
		if _, isText := v.(python.Str); flag.on && isNone(v) {
			return nil, c.ev.Raise(c.errors["InvalidConstraintError"], python.Str("Column.create() accepts index_name, primary_key_name and unique_name to generate constraints"))
		} else if _, unknown := v.(*python.Unknown); !isNone(v) && !isText && !unknown {
			return nil, c.ev.Raise(c.errors["InvalidConstraintError"], python.Str(flag.name+" argument for column must be constraint name"))
		}
	}
	table, given := b.Value("table").(*sqlalchemy.Table)
	if u, ok := b.Value("table").(*python.Unknown); ok {
		c.engine.Unread(pos, "the creation of column "+x.Name, u.Why)
		return x, nil
	}
	if given && x.Table == nil {
		if err := table.AppendColumn(x); err != nil {
			return nil, c.raise(err)
		}
	}
	if x.Table == nil {
		return nil, c.ev.Raisef("AttributeError", "'NoneType' object has no attribute 'bind'")
	}
	t := x.Table
	if err := c.bound(t, b.Value("connection")); err != nil {
		return nil, err
	}
	text, err := c.alterTable(t)
	if err != nil {
		return nil, err
	}
	text.WriteString("ADD ")
	spec, err := sqlalchemy.ColumnDDL(x)
	if err != nil {
		return nil, c.raise(err)
	}
	text.add(spec)
	for _, k := range x.Constraints {
		check, err := sqlalchemy.ConstraintDDL(k)
		if err != nil {
			return nil, c.raise(err)
		}
		text.WriteByte(' ')
		text.add(check)
	}
	if err := c.execute(pos, t, text); err != nil {
		return nil, err
	}
	if name := b.Value("index_name"); !isNone(name) {
		ix := sqlalchemy.NewIndex(&c.engine.Env, nameOf(name), sqlalchemy.IndexPart{Column: x})
		if err := t.AppendIndex(ix); err != nil {
			return nil, c.raise(err)
		}
		if err := c.engine.CreateIndex(pos, ix); err != nil {
			return nil, err
		}
	} else if name := b.Value("unique_name"); !isNone(name) {
		if err := c.addKey(pos, sqlalchemy.UniqueConstraint, x, name); err != nil {
			return nil, err
		}
	}
	for _, fk := range x.ForeignKeys {
		if fk.Constraint != nil {
			if err := c.engine.AddConstraint(pos, fk.Constraint); err != nil {
				return nil, err
			}
		}
	}
	if name := b.Value("primary_key_name"); !isNone(name) {
		if err := c.addKey(pos, sqlalchemy.PrimaryKey, x, name); err != nil {
			return nil, err
		}
	}
	return x, c.populate(pos, x, table, b.Value("populate_default"))
}

// nameOf reads the name of a constraint.
func nameOf(v python.Value) sqlalchemy.Name {
	switch v := v.(type) {
	case python.Str:
		return sqlalchemy.Name{Text: string(v)}
	case *python.Unknown:
		return sqlalchemy.Name{Unknown: &sqlalchemy.Unknown{Why: v.Why}}
	}
	return sqlalchemy.Name{}
}

// addKey adds a constraint over one column.
func (c *changeset) addKey(pos python.Pos, kind sqlalchemy.ConstraintKind, x *sqlalchemy.Column, name python.Value) error {
	k := sqlalchemy.NewConstraint(&c.engine.Env, kind)
	k.Name = nameOf(name)
	k.Columns = []*sqlalchemy.Column{x}
	if err := x.Table.AppendConstraint(k); err != nil {
		return c.raise(err)
	}
	return c.engine.AddConstraint(pos, k)
}

// populate writes the column's Python default into the rows that exist.
func (c *changeset) populate(pos python.Pos, x *sqlalchemy.Column, table *sqlalchemy.Table, flag python.Value) error {
	if !x.HasDefault || x.Sequence {
		return nil
	}
	if flag != nil {
		on, u, err := c.ev.Truth(flag)
		if err != nil || u == nil && !on {
			return err
		}
	}
	if table == nil {
		return c.ev.Raisef("AttributeError", "'NoneType' object has no attribute 'update'")
	}
	value := python.Value(python.NewUnknown(pos, "the default of column "+x.Name+" is computed at run time"))
	switch v := x.Default.(type) {
	case python.Str, python.Int, python.Float, python.Bool:
		value = v.(python.Value)
	}
	update, err := c.ev.Attr(table, "update")
	if err != nil {
		return err
	}
	statement, err := c.ev.Call(pos, update, nil)
	if err != nil {
		return err
	}
	values, err := c.ev.Attr(statement, "values")
	if err != nil {
		return err
	}
	if statement, err = c.ev.Call(pos, values, nil, python.Kwarg{Name: x.Key, Value: value}); err != nil {
		return err
	}
	execute, err := c.ev.Attr(c.engine.Bind(), "execute")
	if err != nil {
		return err
	}
	_, err = c.ev.Call(pos, execute, []python.Value{statement})
	return err
}

// drop is Column.drop(): ALTER TABLE … DROP COLUMN. The table object forgets the column, and what has only it.
func (c *changeset) drop(x *sqlalchemy.Column, call *python.Call) (python.Value, error) {
	b, err := call.Bind(c.ev, "drop", "table=", "connection=", "**kw")
	if err != nil {
		return nil, err
	}
	t := x.Table
	if given, ok := b.Value("table").(*sqlalchemy.Table); ok {
		t = given
	}
	if t == nil {
		return nil, c.ev.Raisef("AttributeError", "'NoneType' object has no attribute 'bind'")
	}
	if err := c.bound(t, b.Value("connection")); err != nil {
		return nil, err
	}
	text, err := c.alterTable(t)
	if err != nil {
		return nil, err
	}
	text.WriteString("DROP COLUMN ")
	c.columnName(text, x)
	if err := c.execute(call.Pos(), t, text); err != nil {
		return nil, err
	}
	c.forget(t, x)
	return x, nil
}

// columnName writes a column's name.
func (c *changeset) columnName(text *ddlText, x *sqlalchemy.Column) {
	if x.Unknown != nil && x.Name == "" {
		text.or("", x.Unknown)
		return
	}
	text.WriteString(sqlalchemy.QuoteName(x.Name))
}

// forget takes a column out of its table object, as ChangesetColumn.remove_from_table does.
func (c *changeset) forget(t *sqlalchemy.Table, x *sqlalchemy.Column) {
	c.ev.Touch(t)
	c.ev.Touch(x)
	var indexes []*sqlalchemy.Index
	for _, ix := range t.Indexes {
		var parts []sqlalchemy.IndexPart
		for _, p := range ix.Columns {
			if p.Column == nil || p.Column.Name != x.Name {
				parts = append(parts, p)
			}
		}
		if len(parts) == 0 {
			continue
		}
		c.ev.Touch(ix)
		ix.Columns = parts
		indexes = append(indexes, ix)
	}
	t.Indexes = indexes
	var constraints []*sqlalchemy.Constraint
	for _, k := range t.Constraints {
		own := k.Kind == sqlalchemy.ForeignKeyConstraint || k.Kind == sqlalchemy.UniqueConstraint
		if own && slices.ContainsFunc(k.Columns, func(y *sqlalchemy.Column) bool { return y != nil && y.Name == x.Name }) {
			continue
		}
		constraints = append(constraints, k)
	}
	t.Constraints = constraints
	var columns []*sqlalchemy.Column
	for _, y := range t.Columns {
		if y != x {
			columns = append(columns, y)
		}
	}
	t.Columns = columns
	x.Table = nil
}

// rename is Table.rename().
func (c *changeset) rename(pos python.Pos, t *sqlalchemy.Table, name python.Value) error {
	if err := c.bound(t); err != nil {
		return err
	}
	text, err := c.alterTable(t)
	if err != nil {
		return err
	}
	s, u, err := c.ev.Str(name)
	if err != nil {
		return err
	}
	text.WriteString("RENAME TO ")
	if u != nil {
		text.or("", &sqlalchemy.Unknown{Why: u.Why})
	} else {
		text.WriteString(sqlalchemy.QuoteName(s))
	}
	if err := c.execute(pos, t, text); err != nil {
		return err
	}
	return c.ev.SetAttr(t, "name", name)
}

// alterKeys are the attributes of a column that alter() changes; others are ignored, as in the library.
var alterKeys = []string{"name", "type", "primary_key", "nullable", "server_onupdate", "server_default", "autoincrement"}

// alter is Column.alter(): CHANGE COLUMN with the whole definition of the column object, changed as the arguments say.
func (c *changeset) alter(x *sqlalchemy.Column, call *python.Call) (python.Value, error) {
	pos := call.Pos()
	t := x.Table
	diffs := map[string]python.Value{}
	var engine python.Value
	for _, k := range call.Kw {
		switch k.Name {
		case "table":
			if given, ok := k.Value.(*sqlalchemy.Table); ok {
				t = given
			}
		case "engine", "connection":
			engine = k.Value
		case "metadata":
		default:
			diffs[k.Name] = k.Value
		}
	}
	if t == nil {
		return nil, c.ev.Raisef("AttributeError", "'NoneType' object has no attribute 'bind'")
	}
	if err := c.bound(t, engine); err != nil {
		return nil, err
	}
	// Positional arguments are a name, a type, or a whole new column.
	for _, a := range call.Args {
		switch v := a.(type) {
		case python.Str:
			setDefault(diffs, "name", v)
		case *sqlalchemy.Type, *python.Class:
			setDefault(diffs, "type", v)
		case *sqlalchemy.Column:
			if err := c.compare(x, v, diffs); err != nil {
				return nil, err
			}
		default:
			c.engine.Unread(pos, "the change of column "+t.Name+"."+x.Name, why(a), objectsOf(t)...)
			return python.None, nil
		}
	}
	old := ddlText{}
	c.columnName(&old, x)
	oldName := x.Name
	for _, key := range alterKeys {
		v, ok := diffs[key]
		if !ok || key == "server_onupdate" {
			continue
		}
		if cls, isClass := v.(*python.Class); key == "type" && isClass {
			made, err := c.ev.Call(pos, cls, nil)
			if err != nil {
				return nil, err
			}
			v = made
		}
		if err := c.ev.SetAttr(x, key, v); err != nil {
			return nil, err
		}
	}
	if _, ok := diffs["type"]; ok && x.Autoincrement != sqlalchemy.AutoincrementFalse && !isInteger(x.Type) {
		c.ev.Touch(x)
		x.Autoincrement = sqlalchemy.AutoincrementFalse
	}
	text, err := c.alterTable(t)
	if err != nil {
		return nil, err
	}
	text.WriteString("CHANGE COLUMN ")
	text.add(old.ddl())
	text.WriteByte(' ')
	spec, err := sqlalchemy.ColumnDDL(x)
	if err != nil {
		return nil, c.raise(err)
	}
	text.add(spec)
	if x.Autoincrement != sqlalchemy.AutoincrementFalse {
		// The library adds what the definition may say already; MySQL takes it twice.
		if first := counting(t); first != nil && first.Name == oldName {
			text.WriteString(" AUTO_INCREMENT")
		}
	}
	return python.None, c.execute(pos, t, text)
}

func setDefault(m map[string]python.Value, key string, v python.Value) {
	if _, ok := m[key]; !ok {
		m[key] = v
	}
}

// counting gives the first column of the primary key that may count up in the library's eyes.
func counting(t *sqlalchemy.Table) *sqlalchemy.Column {
	for _, x := range t.PrimaryKey.Columns {
		if x.Autoincrement != sqlalchemy.AutoincrementFalse && isInteger(x.Type) && len(x.ForeignKeys) == 0 {
			return x
		}
	}
	return nil
}

func isInteger(t *sqlalchemy.Type) bool {
	if t == nil || t.Kind == nil {
		return false
	}
	r, err := t.Resolve()
	return err == nil && r != nil && r.Kind != nil && r.Kind.Affinity == sqlalchemy.IntegerAffinity
}

// compare notes in what a new column differs from the old one, for alter(column).
func (c *changeset) compare(x, y *sqlalchemy.Column, diffs map[string]python.Value) error {
	for _, key := range alterKeys {
		if key == "type" || key == "server_onupdate" {
			continue
		}
		a, err := c.ev.Attr(x, key)
		if err != nil {
			return err
		}
		b, err := c.ev.Attr(y, key)
		if err != nil {
			return err
		}
		if a != b {
			setDefault(diffs, key, b)
		}
	}
	if y.Type != nil && (x.Type == nil || x.Type.Cls != y.Type.Cls || x.Type.Length != y.Type.Length) {
		setDefault(diffs, "type", y.Type)
	}
	return nil
}

// native gives the modules of sqlalchemy-migrate, nil for those that are not modelled.
func (c *changeset) native(name string) *python.Module {
	if c.errors == nil {
		c.errors = map[string]*python.Class{}
		for _, e := range migrateErrors {
			c.errors[e] = python.NewException("migrate.exceptions", e)
		}
	}
	switch name {
	case "migrate", "migrate.changeset", "migrate.changeset.schema", "migrate.changeset.constraint":
		m := python.NewModule(name, "alter_column", c.alterFunction(), "create_column", c.columnFunction("create_column", c.create),
			"drop_column", c.columnFunction("drop_column", c.drop), "rename_table", c.renameFunction())
		for _, class := range []sqlalchemy.ConstraintKind{sqlalchemy.PrimaryKey, sqlalchemy.ForeignKeyConstraint, sqlalchemy.UniqueConstraint, sqlalchemy.CheckConstraint} {
			cls := c.constraintClass(class)
			if cls == nil {
				return nil
			}
			m.Attrs.Store(c.ev, string(class), cls)
		}
		for _, e := range migrateErrors {
			m.Attrs.Store(c.ev, e, c.errors[e])
		}
		return m
	case "migrate.exceptions":
		m := python.NewModule(name)
		for _, e := range migrateErrors {
			m.Attrs.Store(c.ev, e, c.errors[e])
		}
		return m
	}
	return nil
}

// migrateErrors are the exceptions that migrations may name.
var migrateErrors = []string{
	"Error", "ApiError", "KnownError", "UsageError", "ControlledSchemaError", "InvalidVersionError", "VersionNotFoundError",
	"DatabaseNotControlledError", "DatabaseAlreadyControlledError", "WrongRepositoryError", "NoSuchTableError", "PathError",
	"RepositoryError", "InvalidRepositoryError", "ScriptError", "InvalidScriptError", "InvalidConstraintError", "NotSupportedError",
	"MigrateDeprecationWarning",
}

func (c *changeset) alterFunction() python.Value {
	return acting("alter_column", func(ev *python.Eval, call *python.Call) (python.Value, error) {
		if len(call.Args) == 0 {
			return nil, ev.Raisef("ValueError", "First argument must be column name")
		}
		x, ok := call.Args[0].(*sqlalchemy.Column)
		if t, isTable := call.Keyword("table").(*sqlalchemy.Table); !ok && isTable {
			var err error
			if x, err = c.columnNamed(call.Pos(), t, call.Args[0], false); err != nil {
				return nil, err
			}
			ok = x != nil
		}
		if !ok {
			c.engine.Unread(call.Pos(), "alter_column", why(call.Args[0]))
			return python.None, nil
		}
		return c.alter(x, python.NewCall(call.Pos(), call.Args[1:], call.Kw...))
	})
}

func (c *changeset) columnFunction(name string, method func(*sqlalchemy.Column, *python.Call) (python.Value, error)) python.Value {
	return acting(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
		if len(call.Args) == 0 {
			return nil, ev.Raisef("TypeError", "%s() missing 1 required positional argument: 'column'", name)
		}
		t, _ := call.Keyword("table").(*sqlalchemy.Table)
		if len(call.Args) > 1 {
			t, _ = call.Args[1].(*sqlalchemy.Table)
		}
		x, ok := call.Args[0].(*sqlalchemy.Column)
		if !ok && t != nil {
			var err error
			if x, err = c.columnNamed(call.Pos(), t, call.Args[0], name == "drop_column"); err != nil {
				return nil, err
			}
			ok = x != nil
		}
		if !ok {
			c.engine.Unread(call.Pos(), name, why(call.Args[0]))
			return python.None, nil
		}
		return method(x, python.NewCall(call.Pos(), call.Args[1:], call.Kw...))
	})
}

func (c *changeset) renameFunction() python.Value {
	return acting("rename_table", func(ev *python.Eval, call *python.Call) (python.Value, error) {
		b, err := call.Bind(ev, "rename_table", "table", "name", "engine=", "**kw")
		if err != nil {
			return nil, err
		}
		t, ok := b.Value("table").(*sqlalchemy.Table)
		if !ok {
			m, err := c.construct(call.Pos(), "MetaData")
			if err != nil {
				return nil, err
			}
			if m, isMeta := m.(*sqlalchemy.MetaData); isMeta && !isNone(b.Value("engine")) {
				m.Bind = b.Value("engine")
			}
			v, err := c.construct(call.Pos(), "Table", b.Value("table"), m)
			if err != nil {
				return nil, err
			}
			if t, ok = v.(*sqlalchemy.Table); !ok {
				c.engine.Unread(call.Pos(), "rename_table", why(b.Value("table")))
				return python.None, nil
			}
		}
		return python.None, c.rename(call.Pos(), t, b.Value("name"))
	})
}

// constraintClass gives migrate's own class of a constraint: it takes columns or names and a table, and has create() and
// drop().
func (c *changeset) constraintClass(kind sqlalchemy.ConstraintKind) *python.Class {
	if cls := c.classes[string(kind)]; cls != nil {
		return cls
	}
	m, err := c.ev.Import("sqlalchemy")
	if err != nil {
		return nil
	}
	v, err := c.ev.Attr(m, string(kind))
	base, ok := v.(*python.Class)
	if err != nil || !ok {
		return nil
	}
	cls := &python.Class{Name: string(kind), Module: "migrate.changeset.constraint", Bases: []*python.Class{base}, Data: base.Data}
	cls.New = func(ev *python.Eval, cls *python.Class, call *python.Call) (python.Value, error) {
		return c.newConstraint(kind, base, cls, call)
	}
	method := func(name string, f func(*sqlalchemy.Constraint, *python.Call) error) *python.Native {
		return &python.Native{Name: name, ActsHandle: true, Fn: func(ev *python.Eval, call *python.Call) (python.Value, error) {
			if len(call.Args) == 0 {
				return nil, ev.Raisef("TypeError", "%s() missing 1 required positional argument: 'self'", name)
			}
			k, ok := call.Args[0].(*sqlalchemy.Constraint)
			if !ok {
				return nil, ev.Raisef("TypeError", "%s() needs a constraint", name)
			}
			if k.Table == nil {
				return nil, ev.Raisef("AttributeError", "'NoneType' object has no attribute 'bind'")
			}
			if err := c.bound(k.Table, call.Keyword("engine"), call.Keyword("connection")); err != nil {
				return nil, err
			}
			return k, f(k, call)
		}}
	}
	cls.Attrs = python.NewNamespace(
		"create", method("create", func(k *sqlalchemy.Constraint, call *python.Call) error {
			c.autoname(k)
			return c.engine.AddConstraint(call.Pos(), k)
		}),
		"drop", method("drop", func(k *sqlalchemy.Constraint, call *python.Call) error {
			c.autoname(k)
			if k.Kind == sqlalchemy.CheckConstraint {
				return c.ev.Raise(c.errors["NotSupportedError"], python.Str("MySQL does not support CHECK constraints, use triggers instead."))
			}
			return c.engine.DropConstraint(call.Pos(), k)
		}),
	)
	if c.classes == nil {
		c.classes = map[string]*python.Class{}
	}
	c.classes[string(kind)] = cls
	return cls
}

// newConstraint makes a constraint of migrate's.
func (c *changeset) newConstraint(kind sqlalchemy.ConstraintKind, base, cls *python.Class, call *python.Call) (python.Value, error) {
	var table *sqlalchemy.Table
	var kw []python.Kwarg
	names := func(v python.Value, qualified bool) (python.Value, error) {
		items, u, err := c.ev.Iterate(v)
		if err != nil {
			return nil, err
		}
		if u != nil {
			return u, nil
		}
		var out []python.Value
		for _, it := range items {
			x, ok := it.(*sqlalchemy.Column)
			if !ok {
				out = append(out, it)
				continue
			}
			name := x.Name
			switch {
			case qualified && x.Table == nil:
				return nil, c.ev.Raisef("AttributeError", "'NoneType' object has no attribute 'name'")
			case qualified:
				name = x.Table.Name + "." + x.Name
			case table == nil:
				table = x.Table
			}
			out = append(out, python.Str(name))
		}
		return python.NewList(out...), nil
	}
	var columns python.Value
	for _, k := range call.Kw {
		switch {
		case k.Name == "table": // read below
		case k.Name == "columns" && kind == sqlalchemy.CheckConstraint:
			columns = k.Value
		default:
			kw = append(kw, k)
		}
	}
	args := slices.Clone(call.Args)
	var autoColumns []string
	switch kind {
	case sqlalchemy.ForeignKeyConstraint:
		for i, param := range []string{"columns", "refcolumns"} {
			if i < len(args) {
				v, err := names(args[i], i == 1)
				if err != nil {
					return nil, err
				}
				args[i] = v
				continue
			}
			for n := range kw {
				if kw[n].Name == param {
					v, err := names(kw[n].Value, i == 1)
					if err != nil {
						return nil, err
					}
					kw[n].Value = v
				}
			}
		}
	case sqlalchemy.CheckConstraint:
		if columns != nil {
			v, err := names(columns, false)
			if err != nil {
				return nil, err
			}
			if l, ok := v.(*python.List); ok {
				for _, it := range l.Items {
					s, _, _ := c.ev.Str(it)
					autoColumns = append(autoColumns, s)
				}
			}
		} else if isNone(call.Keyword("name")) {
			return nil, c.ev.Raise(c.errors["InvalidConstraintError"], python.Str(`You must either set "name"parameter or "columns" to autogenarate it.`))
		}
	default:
		v, err := names(python.NewTuple(args...), false)
		if err != nil {
			return nil, err
		}
		if l, ok := v.(*python.List); ok {
			args = l.Items
		} else {
			args = []python.Value{v}
		}
	}
	if v := call.Keyword("table"); !isNone(v) {
		t, ok := v.(*sqlalchemy.Table)
		if !ok {
			c.engine.Unread(call.Pos(), "a "+string(kind), why(v))
			return python.NewUnknown(call.Pos(), why(v)), nil
		}
		table = t
	}
	v, err := base.New(c.ev, cls, python.NewCall(call.Pos(), args, kw...))
	if err != nil {
		return nil, err
	}
	k, ok := v.(*sqlalchemy.Constraint)
	if !ok {
		return v, nil
	}
	if table != nil && k.Table == nil {
		if err := table.AppendConstraint(k); err != nil {
			return nil, c.raise(err)
		}
	}
	if len(autoColumns) > 0 && !k.Name.Given() && k.Table != nil {
		name := k.Table.Name
		for _, s := range autoColumns {
			name += "_" + s
		}
		k.Name = sqlalchemy.Name{Text: name + "_check"}
	}
	return k, nil
}

// autoname names a constraint without a name as the library does: after its table and first column.
func (c *changeset) autoname(k *sqlalchemy.Constraint) {
	if k.Name.Given() || k.Table == nil {
		return
	}
	c.ev.Touch(k)
	first := ""
	if len(k.Columns) > 0 && k.Columns[0] != nil {
		first = k.Columns[0].Name
	}
	switch k.Kind {
	case sqlalchemy.PrimaryKey:
		k.Name = sqlalchemy.Name{Text: k.Table.Name + "_pkey"}
	case sqlalchemy.ForeignKeyConstraint:
		k.Name = sqlalchemy.Name{Text: fmt.Sprintf("%s_%s_fkey", k.Table.Name, first)}
	case sqlalchemy.UniqueConstraint:
		k.Name = sqlalchemy.Name{Text: fmt.Sprintf("%s_%s_key", k.Table.Name, first)}
	}
}
