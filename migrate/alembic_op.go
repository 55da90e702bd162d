package migrate

import (
	"fmt"
	"slices"
	"strings"

	"instep/analyzer/schema"
	"instep/internal/python"
	"instep/internal/sqlalchemy"
)

// The operations of Alembic, as alembic.op offers them. Each does what the real one does: it makes the same tables and
// constraints out of SQLAlchemy's constructs, by calling the same classes, and sends the same statements.

// alembicOps is one evaluation's Alembic: what op, context and the module alembic.operations work on.
type alembicOps struct {
	ev     *python.Eval
	engine *sqlalchemy.Engine
	bind   python.Value // the connection
	naming func() sqlalchemy.Naming

	byName     map[string]*operation
	module     python.Value // sqlalchemy
	nameOf     *sqlalchemy.Naming
	operations *python.Class // alembic.operations.Operations
	batchOps   *python.Class
	errorClass *python.Class // alembic.util.CommandError
	registered []registration
}

// A registration is an operation of the project's own: Operations.register_operation, or an implementation of one.
type registration struct {
	name  string       // of the operation; "" for an implementation
	batch bool         // for batch_op
	class python.Value // the operation's class
	fn    python.Value // what is called
}

// Save implements python.Mutable.
func (o *alembicOps) Save() any { return o.registered }

// Restore implements python.Mutable.
func (o *alembicOps) Restore(state any) { o.registered = state.([]registration) }

// An opValue is op, or the batch_op of a batch.
type opValue struct {
	python.Object
	ops   *alembicOps
	batch *alembicBatch // nil for op
}

// Handle implements python.HandleHolder: whoever has op can change the schema.
func (v *opValue) Handle() bool { return true }

// An alembicBatch is a with op.batch_alter_table(…) block. Alembic collects its operations and runs them at its end.
type alembicBatch struct {
	table, schema python.Value
	recreate      bool
	todo          []func() error
}

// Save implements python.Mutable.
func (b *alembicBatch) Save() any { return b.todo }

// Restore implements python.Mutable.
func (b *alembicBatch) Restore(state any) { b.todo = state.([]func() error) }

// An operation is one function of op. It gets bound arguments, with the table's name and schema filled in for a batch.
type operation struct {
	name string
	// params are the parameters as Bind takes them; batch are those of the batch's form, nil if there is none.
	params, batch []string
	run           func(o *alembicOps, c *opCall) (python.Value, error)
}

// An opCall is one call of an operation.
type opCall struct {
	*python.Bound
	op    *operation
	pos   python.Pos
	batch *alembicBatch
}

// operations are Alembic's, with the parameters of 1.8 and those that came later.
func operations() []*operation {
	index := []string{"schema=", "unique=", "*", "if_not_exists=", "**kw"}
	return []*operation{
		{"add_column", []string{"table_name", "column", "schema=", "*", "if_not_exists=", "inline_references=", "inline_primary_key="},
			[]string{"column", "insert_before=", "insert_after=", "*", "if_not_exists=", "inline_references=", "inline_primary_key="}, (*alembicOps).addColumn},
		{"drop_column", []string{"table_name", "column_name", "schema=", "*", "if_exists=", "**kw"}, []string{"column_name", "*", "if_exists=", "**kw"}, (*alembicOps).dropColumn},
		{"alter_column", []string{"table_name", "column_name", "nullable=", "comment=", "server_default=", "new_column_name=", "type_=",
			"existing_type=", "existing_server_default=", "existing_nullable=", "existing_comment=", "schema=", "**kw"},
			[]string{"column_name", "nullable=", "comment=", "server_default=", "new_column_name=", "type_=",
				"existing_type=", "existing_server_default=", "existing_nullable=", "existing_comment=", "insert_before=", "insert_after=", "**kw"}, (*alembicOps).alterColumn},
		{"create_table", []string{"table_name", "*columns", "if_not_exists=", "**kw"}, nil, (*alembicOps).createTable},
		{"drop_table", []string{"table_name", "schema=", "*", "if_exists=", "**kw"}, nil, (*alembicOps).dropTable},
		{"rename_table", []string{"old_table_name", "new_table_name", "schema="}, nil, (*alembicOps).renameTable},
		{"create_table_comment", []string{"table_name", "comment", "existing_comment=", "schema="}, []string{"comment", "existing_comment="}, (*alembicOps).tableComment},
		{"drop_table_comment", []string{"table_name", "existing_comment=", "schema="}, []string{"existing_comment="}, (*alembicOps).tableComment},
		{"create_index", append([]string{"index_name", "table_name", "columns"}, index...), append([]string{"index_name", "columns"}, index...), (*alembicOps).createIndex},
		{"drop_index", []string{"index_name", "table_name=", "schema=", "*", "if_exists=", "**kw"}, []string{"index_name", "*", "if_exists=", "**kw"}, (*alembicOps).dropIndex},
		{"create_primary_key", []string{"constraint_name", "table_name", "columns", "schema="}, []string{"constraint_name", "columns"}, (*alembicOps).createPrimaryKey},
		{"create_unique_constraint", []string{"constraint_name", "table_name", "columns", "schema=", "**kw"}, []string{"constraint_name", "columns", "**kw"}, (*alembicOps).createUnique},
		{"create_foreign_key", []string{"constraint_name", "source_table", "referent_table", "local_cols", "remote_cols", "onupdate=", "ondelete=",
			"deferrable=", "initially=", "match=", "source_schema=", "referent_schema=", "**kw"},
			[]string{"constraint_name", "referent_table", "local_cols", "remote_cols", "referent_schema=", "onupdate=", "ondelete=",
				"deferrable=", "initially=", "match=", "**kw"}, (*alembicOps).createForeignKey},
		{"create_check_constraint", []string{"constraint_name", "table_name", "condition", "schema=", "**kw"}, []string{"constraint_name", "condition", "**kw"}, (*alembicOps).createCheck},
		{"create_exclude_constraint", []string{"constraint_name", "table_name", "*elements", "**kw"}, []string{"constraint_name", "*elements", "**kw"}, (*alembicOps).createExclude},
		{"drop_constraint", []string{"constraint_name", "table_name", "type_=", "schema=", "*", "if_exists="}, []string{"constraint_name", "type_="}, (*alembicOps).dropConstraint},
		{"bulk_insert", []string{"table", "rows", "multiinsert="}, nil, (*alembicOps).bulkInsert},
		{"execute", []string{"sqltext", "execution_options="}, []string{"sqltext", "execution_options="}, (*alembicOps).execute},
	}
}

// opNames are what from alembic.op import * gives.
func opNames() []string {
	names := []string{"get_bind", "get_context", "f", "inline_literal", "invoke", "implementation_for", "register_operation", "batch_alter_table"}
	for _, op := range operations() {
		names = append(names, op.name)
	}
	return names
}

// Attr implements python.Attrer.
func (v *opValue) Attr(ev *python.Eval, name string) (python.Value, bool) {
	o := v.ops
	for _, r := range slices.Backward(o.registered) {
		if r.name == name && r.batch == (v.batch != nil) {
			return acting(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
				return ev.Call(call.Pos(), r.fn, append([]python.Value{v}, call.Args...), call.Kw...)
			}), true
		}
	}
	if op := o.byName[name]; op != nil {
		params := op.params
		if v.batch != nil {
			if params = op.batch; params == nil {
				return nil, false
			}
		}
		return acting(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			b, err := call.Bind(ev, name, params...)
			if err != nil {
				return nil, err
			}
			return op.run(o, &opCall{Bound: b, op: op, pos: call.Pos(), batch: v.batch})
		}), true
	}
	switch name {
	case "get_bind":
		return harmless(name, o.bind), true
	case "get_context":
		return harmless(name, &contextValue{ops: o}), true
	case "migration_context":
		return &contextValue{ops: o}, true
	case "impl":
		return &implValue{ops: o}, true
	case "f":
		return computed(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			b, err := call.Bind(ev, name, "name")
			if err != nil {
				return nil, err
			}
			if s, ok := b.Value("name").(python.Str); ok {
				return sqlalchemy.Conv(string(s)), nil
			}
			return b.Value("name"), nil
		}), true
	case "inline_literal":
		return computed(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			b, err := call.Bind(ev, name, "value", "type_=")
			if err != nil {
				return nil, err
			}
			return o.construct(call.Pos(), "literal", b.Value("value"))
		}), true
	case "invoke":
		return acting(name, func(ev *python.Eval, call *python.Call) (python.Value, error) { return o.invoke(v, call) }), true
	case "implementation_for", "register_operation":
		cls := o.operations
		if v.batch != nil {
			cls = o.batchOps
		}
		x, ok := cls.Lookup(name)
		return x, ok
	case "run_async":
		return acting(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			if len(call.Args) == 0 {
				return nil, ev.Raisef("TypeError", "run_async() missing required argument: 'async_function'")
			}
			args := append([]python.Value{o.bind}, call.Args[1:]...)
			return ev.Call(call.Pos(), call.Args[0], args, call.Kw...)
		}), true
	case "batch_alter_table":
		if v.batch == nil {
			return acting(name, o.batchAlterTable), true
		}
	}
	return nil, false
}

// Functions of Go for Python: acting ones change the schema, computed ones only compute, harmless ones give what is there.
func acting(name string, f func(ev *python.Eval, call *python.Call) (python.Value, error)) *python.Native {
	return &python.Native{Name: name, Fn: f, Static: true, ActsHandle: true}
}

func computed(name string, f func(ev *python.Eval, call *python.Call) (python.Value, error)) *python.Native {
	return &python.Native{Name: name, Fn: f, Static: true, Pure: true}
}

func harmless(name string, v python.Value) *python.Native {
	return computed(name, func(*python.Eval, *python.Call) (python.Value, error) { return v, nil })
}

// construct calls one of SQLAlchemy's classes or functions.
func (o *alembicOps) construct(pos python.Pos, name string, args ...python.Value) (python.Value, error) {
	return o.constructKw(pos, name, args)
}

func (o *alembicOps) constructKw(pos python.Pos, name string, args []python.Value, kw ...python.Kwarg) (python.Value, error) {
	if o.module == nil {
		m, err := o.ev.Import("sqlalchemy")
		if err != nil {
			return nil, err
		}
		o.module = m
	}
	f, err := o.ev.Attr(o.module, name)
	if err != nil {
		return nil, err
	}
	return o.ev.Call(pos, f, args, given(kw)...)
}

// given leaves out arguments that were not passed.
func given(kw []python.Kwarg) []python.Kwarg {
	return slices.DeleteFunc(kw, func(k python.Kwarg) bool { return k.Value == nil })
}

// metadata makes the collection for one operation, with the naming convention of target_metadata.
func (o *alembicOps) metadata(pos python.Pos) (python.Value, error) {
	if o.nameOf == nil {
		n := o.naming()
		o.nameOf = &n
	}
	v, err := o.construct(pos, "MetaData")
	if m, ok := v.(*sqlalchemy.MetaData); ok {
		m.Loose = true
		m.Naming = *o.nameOf
	}
	return v, err
}

// table makes the table that an operation speaks of, with these columns and constraints.
func (o *alembicOps) table(c *opCall, name, schemaName python.Value, items []python.Value, kw ...python.Kwarg) (*sqlalchemy.Table, error) {
	m, err := o.metadata(c.pos)
	if err != nil {
		return nil, err
	}
	args := append([]python.Value{name, m}, items...)
	v, err := o.constructKw(c.pos, "Table", args, append([]python.Kwarg{{Name: "schema", Value: schemaName}}, kw...)...)
	if err != nil {
		return nil, err
	}
	t, ok := v.(*sqlalchemy.Table)
	if !ok {
		o.unread(c, why(v))
		return nil, nil
	}
	return t, nil
}

// nullColumns makes columns of no type with these names.
func (o *alembicOps) nullColumns(pos python.Pos, names ...[]string) ([]python.Value, error) {
	var columns []python.Value
	for _, name := range unique(slices.Concat(names...)) {
		x, err := o.construct(pos, "Column", python.Str(name))
		if err != nil {
			return nil, err
		}
		columns = append(columns, x)
	}
	return columns, nil
}

// unread records the gap for an operation that cannot be read.
func (o *alembicOps) unread(c *opCall, why string) {
	var objects []schema.Object
	name := "op." + c.op.name
	for _, p := range []string{"table_name", "source_table", "old_table_name"} {
		v := c.Value(p)
		if c.batch != nil && p == "table_name" {
			v = c.batch.table
		}
		if s, u := o.text(v); u == nil && s != "" {
			name += " of " + s
			objects = []schema.Object{{Kind: schema.KindTable, Table: s}}
			break
		}
	}
	o.engine.Unread(c.pos, name, why, objects...)
}

// why says why a value is not what it should be.
func why(v python.Value) string {
	if u := python.UnknownIn(v); u != nil {
		return u.Why
	}
	if v == nil {
		return "an argument is missing"
	}
	return "a " + v.TypeName() + " stands where it is not expected"
}

// text reads a string. What is not given is "".
func (o *alembicOps) text(v python.Value) (string, *sqlalchemy.Unknown) {
	if v == nil || v == python.None {
		return "", nil
	}
	s, u, err := o.ev.Str(v)
	if err != nil {
		return "", &sqlalchemy.Unknown{Why: err.Error()}
	}
	if u != nil {
		return "", &sqlalchemy.Unknown{Why: u.Why}
	}
	return s, nil
}

// texts reads a sequence of strings.
func (o *alembicOps) texts(v python.Value) ([]string, *sqlalchemy.Unknown) {
	items, u, err := o.ev.Iterate(v)
	if err != nil {
		return nil, &sqlalchemy.Unknown{Why: err.Error()}
	}
	if u != nil {
		return nil, &sqlalchemy.Unknown{Why: u.Why}
	}
	var all []string
	for _, it := range items {
		s, u := o.text(it)
		if u != nil {
			return nil, u
		}
		all = append(all, s)
	}
	return all, nil
}

// truth reads a flag.
func (o *alembicOps) truth(v python.Value) (bool, *sqlalchemy.Unknown) {
	if v == nil {
		return false, nil
	}
	b, u, err := o.ev.Truth(v)
	if err != nil {
		return false, &sqlalchemy.Unknown{Why: err.Error()}
	}
	if u != nil {
		return false, &sqlalchemy.Unknown{Why: u.Why}
	}
	return b, nil
}

// A ddlText puts a statement together.
type ddlText struct {
	strings.Builder
	unknown []*sqlalchemy.Unknown
}

func (t *ddlText) add(ddl sqlalchemy.DDL) {
	t.WriteString(ddl.SQL)
	t.unknown = append(t.unknown, ddl.Unknown...)
}

// or writes s, or "?" if it is not known.
func (t *ddlText) or(s string, u *sqlalchemy.Unknown) {
	if u != nil {
		t.unknown = append(t.unknown, u)
		s = "?"
	}
	t.WriteString(s)
}

func (t *ddlText) ddl() sqlalchemy.DDL { return sqlalchemy.DDL{SQL: t.String(), Unknown: t.unknown} }

// alter begins an ALTER TABLE, and gives the objects that it touches.
func (o *alembicOps) alter(t *ddlText, c *opCall, table, schemaName python.Value) []schema.Object {
	name, u := o.text(table)
	db, u2 := o.text(schemaName)
	t.WriteString("ALTER TABLE ")
	if u == nil {
		u = u2
	}
	t.or(sqlalchemy.QuoteTable(name, db), u)
	t.WriteByte(' ')
	if u != nil {
		return nil
	}
	return []schema.Object{{Kind: schema.KindTable, Table: name}}
}

// column writes a column's name.
func (o *alembicOps) column(t *ddlText, v python.Value) {
	s, u := o.text(v)
	t.or(sqlalchemy.QuoteName(s), u)
}

// target gives the table and schema that the call works on.
func (c *opCall) target() (table, schemaName python.Value) {
	if c.batch != nil {
		return c.batch.table, c.batch.schema
	}
	return c.Value("table_name"), c.Value("schema")
}

// do runs f now, or at the end of the batch.
func (o *alembicOps) do(c *opCall, f func() error) (python.Value, error) {
	if c.batch == nil {
		return python.None, f()
	}
	o.ev.Touch(c.batch)
	c.batch.todo = append(c.batch.todo[:len(c.batch.todo):len(c.batch.todo)], f)
	return python.None, nil
}

// emit sends a statement that was compiled.
func (o *alembicOps) emit(c *opCall, objects []schema.Object, ddl sqlalchemy.DDL, err error) error {
	if err != nil {
		return o.raise(err)
	}
	return o.engine.Emit(c.pos, ddl, objects...)
}

// raise turns an error of package sqlalchemy into the Python exception.
func (o *alembicOps) raise(err error) error {
	x, ok := err.(*sqlalchemy.Error)
	if !ok {
		return err
	}
	if cls := python.Builtin(x.Class); cls != nil {
		return o.ev.Raise(cls, python.Str(x.Msg))
	}
	return o.ev.Raise(o.engine.ExceptionClass(x.Class), python.Str(x.Msg))
}

// commandError raises alembic.util.CommandError.
func (o *alembicOps) commandError(format string, args ...any) error {
	return o.ev.Raise(o.errorClass, python.Str(fmt.Sprintf(format, args...)))
}

func (o *alembicOps) addColumn(c *opCall) (python.Value, error) {
	for _, p := range []string{"insert_before", "insert_after"} {
		if on, _ := o.truth(c.Value(p)); on {
			return nil, o.commandError("Can't specify insert_before or insert_after when using ALTER; please specify recreate='always'")
		}
	}
	x, ok := c.Value("column").(*sqlalchemy.Column)
	if !ok {
		o.unread(c, why(c.Value("column")))
		return python.None, nil
	}
	if x.Table != nil {
		cls := x.Cls
		x = x.Copy()
		x.Cls = cls
	}
	name, db := c.target()
	t, err := o.table(c, name, db, []python.Value{x})
	if err != nil || t == nil {
		return python.None, err
	}
	exists, u := o.truth(c.Value("if_not_exists"))
	return o.do(c, func() error {
		var text ddlText
		objects := o.alter(&text, c, name, db)
		text.WriteString("ADD COLUMN ")
		if exists {
			text.or("IF NOT EXISTS ", u)
		}
		spec, err := sqlalchemy.ColumnDDL(x)
		if err != nil {
			return o.raise(err)
		}
		text.add(spec)
		for _, k := range x.Constraints {
			check, err := sqlalchemy.ConstraintDDL(k)
			if err != nil {
				return o.raise(err)
			}
			text.WriteByte(' ')
			text.add(check)
		}
		if err := o.emit(c, objects, text.ddl(), nil); err != nil {
			return err
		}
		if err := o.addConstraints(c, t); err != nil {
			return err
		}
		for _, ix := range t.Indexes {
			if err := o.engine.CreateIndex(c.pos, ix); err != nil {
				return err
			}
		}
		return nil
	})
}

// addConstraints adds the constraints that a column brought along.
func (o *alembicOps) addConstraints(c *opCall, t *sqlalchemy.Table) error {
	for _, k := range t.Constraints {
		if k.Kind == sqlalchemy.PrimaryKey || isColumnCheck(t, k) {
			continue
		}
		if err := o.engine.AddConstraint(c.pos, k); err != nil {
			return err
		}
	}
	return nil
}

// isColumnCheck tells whether a CHECK stands with a column.
func isColumnCheck(t *sqlalchemy.Table, k *sqlalchemy.Constraint) bool {
	return slices.ContainsFunc(t.Columns, func(x *sqlalchemy.Column) bool { return slices.Contains(x.Constraints, k) })
}

func (o *alembicOps) dropColumn(c *opCall) (python.Value, error) {
	table, db := c.target()
	exists, u := o.truth(c.Value("if_exists"))
	return o.do(c, func() error {
		var text ddlText
		objects := o.alter(&text, c, table, db)
		text.WriteString("DROP COLUMN ")
		if exists {
			text.or("IF EXISTS ", u)
		}
		o.column(&text, c.Value("column_name"))
		return o.emit(c, objects, text.ddl(), nil)
	})
}

// isFalse tells whether an argument is False or left out; Alembic's mark for "no change" where None means something.
func isFalse(v python.Value) bool { return v == nil || v == python.Value(python.Bool(false)) }

func isNone(v python.Value) bool { return v == nil || v == python.None }

// alterColumn sends one CHANGE or MODIFY with the whole new definition, of which everything that the call does not
// mention is lost, or an ALTER COLUMN for the default alone.
func (o *alembicOps) alterColumn(c *opCall) (python.Value, error) {
	table, db := c.target()
	pick := func(names ...string) python.Value {
		for _, n := range names {
			if v := c.Value(n); !isNone(v) {
				return v
			}
			for _, k := range c.Kw {
				if k.Name == n && !isNone(k.Value) {
					return k.Value
				}
			}
		}
		return nil
	}
	serverDefault := c.Value("server_default")
	newDefault := !isFalse(serverDefault)
	if newDefault && o.isComputed(serverDefault) || o.isComputed(c.Value("existing_server_default")) {
		return nil, o.raise(&sqlalchemy.Error{Class: "CompileError", Msg: `Adding or removing a "computed" construct, e.g. GENERATED ALWAYS AS, to or from an existing column is not supported.`})
	}
	typeValue := pick("type_", "existing_type")
	comment := c.Value("comment")
	rename := pick("new_column_name")
	change := rename != nil || o.isDateTime(typeValue) && serverDefault != python.None
	modify := pick("nullable", "type_", "autoincrement") != nil || !isFalse(comment)
	switch {
	case !change && !modify && !newDefault:
		return python.None, nil
	case !change && !modify:
		def, err := o.defaultOf(c.pos, serverDefault)
		if err != nil {
			return nil, err
		}
		return o.do(c, func() error {
			var text ddlText
			objects := o.alter(&text, c, table, db)
			text.WriteString("ALTER COLUMN ")
			o.column(&text, c.Value("column_name"))
			if serverDefault == python.None {
				text.WriteString(" DROP DEFAULT")
			} else {
				ddl, err := sqlalchemy.DefaultDDL(def)
				if err != nil {
					return o.raise(err)
				}
				text.WriteString(" SET DEFAULT ")
				text.add(ddl)
			}
			return o.emit(c, objects, text.ddl(), nil)
		})
	case typeValue == nil:
		return nil, o.commandError("All MySQL CHANGE/MODIFY COLUMN operations require the existing type.")
	}
	x, err := o.construct(c.pos, "Column", c.Value("column_name"), typeValue)
	if err != nil {
		return nil, err
	}
	col, ok := x.(*sqlalchemy.Column)
	if !ok || col.Type == nil {
		o.unread(c, why(x))
		return python.None, nil
	}
	if !newDefault {
		serverDefault = c.Value("existing_server_default")
	}
	var def *sqlalchemy.ServerDefault
	if !isFalse(serverDefault) && !isNone(serverDefault) {
		if def, err = o.defaultOf(c.pos, serverDefault); err != nil {
			return nil, err
		}
	}
	if isFalse(comment) {
		comment = c.Value("existing_comment")
	}
	v, err := o.do(c, func() error {
		var text ddlText
		objects := o.alter(&text, c, table, db)
		if change {
			text.WriteString("CHANGE ")
			o.column(&text, c.Value("column_name"))
			text.WriteByte(' ')
			if rename != nil {
				o.column(&text, rename)
			} else {
				o.column(&text, c.Value("column_name"))
			}
		} else {
			text.WriteString("MODIFY ")
			o.column(&text, c.Value("column_name"))
		}
		ddl, err := sqlalchemy.TypeDDL(col.Type)
		if err != nil {
			return o.raise(err)
		}
		text.WriteByte(' ')
		text.add(ddl)
		null := pick("nullable", "existing_nullable")
		nullable, u := o.truth(null)
		switch {
		case u != nil:
			text.WriteByte(' ')
			text.or("", u)
		case null == nil || nullable:
			text.WriteString(" NULL")
		default:
			text.WriteString(" NOT NULL")
		}
		if auto, u := o.truth(pick("autoincrement", "existing_autoincrement")); auto || u != nil {
			text.WriteByte(' ')
			text.or("AUTO_INCREMENT", u)
		}
		if def != nil {
			ddl, err := sqlalchemy.DefaultDDL(def)
			if err != nil {
				return o.raise(err)
			}
			text.WriteString(" DEFAULT ")
			text.add(ddl)
		}
		if s, u := o.text(comment); s != "" || u != nil {
			text.WriteString(" COMMENT ")
			text.or(sqlalchemy.QuoteString(s), u)
		}
		return o.emit(c, objects, text.ddl(), nil)
	})
	if err != nil || isNone(c.Value("type_")) {
		return v, err
	}
	// A new Boolean or Enum may bring a CHECK along.
	t, err := o.table(c, table, db, []python.Value{col})
	if err != nil || t == nil {
		return python.None, err
	}
	return o.do(c, func() error { return o.addConstraints(c, t) })
}

// isComputed tells whether a default is a Computed or an Identity.
func (o *alembicOps) isComputed(v python.Value) bool {
	c, ok := v.(python.Classed)
	return ok && c.Class() != nil && (c.Class().Name == "Computed" || c.Class().Name == "Identity")
}

// isDateTime tells whether Alembic takes a type for one whose default may be a function, and so sends CHANGE. It looks at
// instances only: a class passes unnoticed.
func (o *alembicOps) isDateTime(v python.Value) bool {
	t, ok := v.(*sqlalchemy.Type)
	if !ok {
		return false
	}
	r, err := t.Resolve()
	if err != nil || r == nil || r.Kind == nil {
		return false
	}
	switch r.Kind.Visit {
	case "datetime", "DATETIME", "TIMESTAMP":
		return true
	}
	return false
}

// defaultOf reads a server default.
func (o *alembicOps) defaultOf(pos python.Pos, v python.Value) (*sqlalchemy.ServerDefault, error) {
	x, err := o.constructKw(pos, "Column", []python.Value{python.Str("x")}, python.Kwarg{Name: "server_default", Value: v})
	if err != nil {
		return nil, err
	}
	if col, ok := x.(*sqlalchemy.Column); ok && col.ServerDefault != nil {
		return col.ServerDefault, nil
	}
	return &sqlalchemy.ServerDefault{Unknown: &sqlalchemy.Unknown{Why: why(v)}}, nil
}

func (o *alembicOps) createTable(c *opCall) (python.Value, error) {
	var items []python.Value
	for _, it := range c.Rest {
		switch x := it.(type) {
		case *sqlalchemy.Column:
			if x.Table != nil {
				cls := x.Cls
				x = x.Copy()
				x.Cls = cls
			}
			it = x
		case *sqlalchemy.MetaData, python.Str:
			continue // Alembic looks for columns, constraints and indexes only: these are given by mistake
		}
		if it == python.None {
			continue
		}
		items = append(items, it)
	}
	t, err := o.table(c, c.Value("table_name"), nil, items, c.Kw...)
	if err != nil || t == nil {
		return python.None, err
	}
	if exists, u := o.truth(c.Value("if_not_exists")); u != nil {
		o.unread(c, u.Why)
		return t, nil
	} else if !exists {
		return t, o.engine.CreateTable(c.pos, t, false)
	}
	ddl, err := sqlalchemy.CreateTable(t, true, nil)
	if err := o.emit(c, []schema.Object{{Kind: schema.KindTable, Table: t.Name}}, ddl, err); err != nil {
		return nil, err
	}
	for _, ix := range t.Indexes {
		ddl, err := sqlalchemy.CreateIndex(ix, true)
		if err := o.emit(c, []schema.Object{{Kind: schema.KindTable, Table: t.Name}}, ddl, err); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (o *alembicOps) dropTable(c *opCall) (python.Value, error) {
	t, err := o.table(c, c.Value("table_name"), c.Value("schema"), nil)
	if err != nil || t == nil {
		return python.None, err
	}
	exists, u := o.truth(c.Value("if_exists"))
	if u != nil {
		o.unread(c, u.Why)
		return python.None, nil
	}
	ddl, err := sqlalchemy.DropTable(t, exists)
	return python.None, o.emit(c, objectsOf(t), ddl, err)
}

// objectsOf gives what a statement about a table touches.
func objectsOf(t *sqlalchemy.Table) []schema.Object {
	if t == nil || t.Unknown != nil && t.Name == "" {
		return nil
	}
	return []schema.Object{{Kind: schema.KindTable, Table: t.Name}}
}

func (o *alembicOps) renameTable(c *opCall) (python.Value, error) {
	var text ddlText
	objects := o.alter(&text, c, c.Value("old_table_name"), c.Value("schema"))
	name, u := o.text(c.Value("new_table_name"))
	db, _ := o.text(c.Value("schema"))
	text.WriteString("RENAME TO ")
	text.or(sqlalchemy.QuoteTable(name, db), u)
	return python.None, o.emit(c, objects, text.ddl(), nil)
}

// tableComment is create_table_comment and drop_table_comment.
func (o *alembicOps) tableComment(c *opCall) (python.Value, error) {
	table, db := c.target()
	return o.do(c, func() error {
		var text ddlText
		objects := o.alter(&text, c, table, db)
		comment, u := o.text(c.Value("comment"))
		text.WriteString("COMMENT ")
		text.or(sqlalchemy.QuoteString(comment), u)
		return o.emit(c, objects, text.ddl(), nil)
	})
}

func (o *alembicOps) createIndex(c *opCall) (python.Value, error) {
	table, db := c.target()
	items, u, err := o.ev.Iterate(c.Value("columns"))
	if err != nil {
		return nil, err
	}
	if u != nil {
		o.unread(c, u.Why)
		return python.None, nil
	}
	t, err := o.table(c, table, db, nil)
	if err != nil || t == nil {
		return python.None, err
	}
	args := []python.Value{c.Value("index_name")}
	for _, it := range items {
		if s, ok := it.(python.Str); ok {
			x, err := o.construct(c.pos, "Column", s)
			if err != nil {
				return nil, err
			}
			col, ok := x.(*sqlalchemy.Column)
			if !ok {
				o.unread(c, why(x))
				return python.None, nil
			}
			if known := t.Column(col.Key); known != nil {
				col = known
			} else if err := t.AppendColumn(col); err != nil {
				return nil, o.raise(err)
			}
			it = col
		}
		args = append(args, it)
	}
	kw := append([]python.Kwarg{{Name: "_table", Value: t}, {Name: "unique", Value: c.Value("unique")}}, c.Kw...)
	v, err := o.constructKw(c.pos, "Index", args, kw...)
	if err != nil {
		return nil, err
	}
	ix, ok := v.(*sqlalchemy.Index)
	if !ok {
		o.unread(c, why(v))
		return python.None, nil
	}
	exists, unknown := o.truth(c.Value("if_not_exists"))
	if unknown != nil {
		o.unread(c, unknown.Why)
		return python.None, nil
	}
	return o.do(c, func() error {
		ddl, err := sqlalchemy.CreateIndex(ix, exists)
		return o.emit(c, objectsOf(t), ddl, err)
	})
}

func (o *alembicOps) dropIndex(c *opCall) (python.Value, error) {
	table, db := c.target()
	if isNone(table) {
		table = python.Str("no_table") // as in Alembic; the server then refuses
	}
	columns, err := o.nullColumns(c.pos, []string{"x"})
	if err != nil {
		return nil, err
	}
	t, err := o.table(c, table, db, columns)
	if err != nil || t == nil {
		return python.None, err
	}
	v, err := o.constructKw(c.pos, "Index", append([]python.Value{c.Value("index_name")}, columns...), python.Kwarg{Name: "_table", Value: t})
	if err != nil {
		return nil, err
	}
	ix, ok := v.(*sqlalchemy.Index)
	if !ok {
		o.unread(c, why(v))
		return python.None, nil
	}
	exists, u := o.truth(c.Value("if_exists"))
	if u != nil {
		o.unread(c, u.Why)
		return python.None, nil
	}
	return o.do(c, func() error {
		ddl, err := sqlalchemy.DropIndex(ix, exists)
		return o.emit(c, objectsOf(t), ddl, err)
	})
}

// keyColumns makes the table of a key with the columns that it names, and gives those.
func (o *alembicOps) keyColumns(c *opCall, table, db, names python.Value) (*sqlalchemy.Table, []python.Value, error) {
	cols, u := o.texts(names)
	if u != nil {
		o.unread(c, u.Why)
		return nil, nil, nil
	}
	columns, err := o.nullColumns(c.pos, cols)
	if err != nil {
		return nil, nil, err
	}
	t, err := o.table(c, table, db, columns)
	if err != nil || t == nil {
		return nil, nil, err
	}
	var args []python.Value
	for _, name := range cols {
		if x := t.Column(name); x != nil {
			args = append(args, x)
		}
	}
	return t, args, nil
}

func (o *alembicOps) createPrimaryKey(c *opCall) (python.Value, error) {
	table, db := c.target()
	t, cols, err := o.keyColumns(c, table, db, c.Value("columns"))
	if err != nil || t == nil {
		return python.None, err
	}
	return o.addConstraint(c, t, "PrimaryKeyConstraint", cols, python.Kwarg{Name: "name", Value: c.Value("constraint_name")})
}

func (o *alembicOps) createUnique(c *opCall) (python.Value, error) {
	table, db := c.target()
	t, cols, err := o.keyColumns(c, table, db, c.Value("columns"))
	if err != nil || t == nil {
		return python.None, err
	}
	return o.addConstraint(c, t, "UniqueConstraint", cols, append([]python.Kwarg{{Name: "name", Value: c.Value("constraint_name")}}, c.Kw...)...)
}

func (o *alembicOps) createCheck(c *opCall) (python.Value, error) {
	table, db := c.target()
	t, err := o.table(c, table, db, nil)
	if err != nil || t == nil {
		return python.None, err
	}
	kw := append([]python.Kwarg{{Name: "name", Value: c.Value("constraint_name")}}, c.Kw...)
	return o.addConstraint(c, t, "CheckConstraint", []python.Value{c.Value("condition")}, kw...)
}

func (o *alembicOps) createForeignKey(c *opCall) (python.Value, error) {
	table, db := c.Value("source_table"), c.Value("source_schema")
	if c.batch != nil {
		table, db = c.batch.table, c.batch.schema
	}
	local, u := o.texts(c.Value("local_cols"))
	remote, u2 := o.texts(c.Value("remote_cols"))
	target, u3 := o.text(c.Value("referent_table"))
	targetDB, u4 := o.text(c.Value("referent_schema"))
	for _, u := range []*sqlalchemy.Unknown{u, u2, u3, u4} {
		if u != nil {
			o.unread(c, u.Why)
			return python.None, nil
		}
	}
	columns, err := o.nullColumns(c.pos, local)
	if err != nil {
		return nil, err
	}
	t, err := o.table(c, table, db, columns)
	if err != nil || t == nil {
		return python.None, err
	}
	if targetDB != "" {
		target = targetDB + "." + target
	}
	var from, to []python.Value
	for _, s := range local {
		from = append(from, python.Str(s))
	}
	for _, s := range remote {
		to = append(to, python.Str(target+"."+s))
	}
	kw := []python.Kwarg{{Name: "name", Value: c.Value("constraint_name")}}
	for _, p := range []string{"onupdate", "ondelete", "deferrable", "initially", "match"} {
		kw = append(kw, python.Kwarg{Name: p, Value: c.Value(p)})
	}
	return o.addConstraint(c, t, "ForeignKeyConstraint", []python.Value{python.NewList(from...), python.NewList(to...)}, append(kw, c.Kw...)...)
}

// addConstraint makes a constraint, attaches it to t and adds it.
func (o *alembicOps) addConstraint(c *opCall, t *sqlalchemy.Table, class string, args []python.Value, kw ...python.Kwarg) (python.Value, error) {
	v, err := o.constructKw(c.pos, class, args, kw...)
	if err != nil {
		return nil, err
	}
	k, ok := v.(*sqlalchemy.Constraint)
	if !ok {
		o.unread(c, why(v))
		return python.None, nil
	}
	if k.Table == nil {
		if err := t.AppendConstraint(k); err != nil {
			return nil, o.raise(err)
		}
	}
	return o.do(c, func() error { return o.engine.AddConstraint(c.pos, k) })
}

func (o *alembicOps) createExclude(c *opCall) (python.Value, error) {
	return nil, o.raise(&sqlalchemy.Error{Class: "UnsupportedCompilationError", Msg: "exclude constraints exist on PostgreSQL only"})
}

func (o *alembicOps) dropConstraint(c *opCall) (python.Value, error) {
	table, db := c.target()
	kind, u := o.text(c.Value("type_"))
	if u != nil {
		o.unread(c, u.Why)
		return python.None, nil
	}
	if exists, u := o.truth(c.Value("if_exists")); exists || u != nil {
		o.unread(c, "what if_exists does to constraints on MySQL depends on the version of Alembic")
		return python.None, nil
	}
	class := map[string]sqlalchemy.ConstraintKind{
		"foreignkey": sqlalchemy.ForeignKeyConstraint, "primary": sqlalchemy.PrimaryKey,
		"unique": sqlalchemy.UniqueConstraint, "check": sqlalchemy.CheckConstraint,
	}[kind]
	if class == "" && kind != "" {
		return nil, o.ev.Raisef("TypeError", "'type' can be one of 'check', 'foreignkey', 'primary', 'unique', None")
	}
	t, err := o.table(c, table, db, nil)
	if err != nil || t == nil {
		return python.None, err
	}
	if class == "" {
		return o.do(c, func() error {
			return o.ev.Raisef("NotImplementedError", "No generic 'DROP CONSTRAINT' in MySQL - please specify constraint type")
		})
	}
	var args []python.Value
	switch class {
	case sqlalchemy.ForeignKeyConstraint:
		args = []python.Value{python.NewList(), python.NewList()}
	case sqlalchemy.CheckConstraint:
		args = []python.Value{python.Str("")}
	}
	v, err := o.constructKw(c.pos, string(class), args, python.Kwarg{Name: "name", Value: c.Value("constraint_name")})
	if err != nil {
		return nil, err
	}
	k, ok := v.(*sqlalchemy.Constraint)
	if !ok {
		o.unread(c, why(v))
		return python.None, nil
	}
	if err := t.AppendConstraint(k); err != nil {
		return nil, o.raise(err)
	}
	return o.do(c, func() error {
		ddl, err := sqlalchemy.DropConstraint(k, o.engine.Schema().Server().MariaDB)
		return o.emit(c, objectsOf(t), ddl, err)
	})
}

func (o *alembicOps) execute(c *opCall) (python.Value, error) {
	return python.None, o.run(c.pos, c.Value("sqltext"))
}

// run executes text or a construct. As in Alembic, a str is text(): names with a colon are parameters.
func (o *alembicOps) run(pos python.Pos, statement python.Value, rows ...python.Value) error {
	switch statement.(type) {
	case python.Str, *python.Unknown:
		v, err := o.construct(pos, "text", statement)
		if err != nil {
			return err
		}
		statement = v
	}
	execute, err := o.ev.Attr(o.bind, "execute")
	if err != nil {
		return err
	}
	_, err = o.ev.Call(pos, execute, append([]python.Value{statement}, rows...))
	return err
}

func (o *alembicOps) bulkInsert(c *opCall) (python.Value, error) {
	if list, ok := c.Value("rows").(*python.List); ok {
		if len(list.Items) == 0 && python.UnknownIn(list) == nil {
			return python.None, nil
		}
	} else if python.UnknownIn(c.Value("rows")) == nil {
		return nil, o.ev.Raisef("TypeError", "List expected")
	}
	insert, err := o.ev.Attr(c.Value("table"), "insert")
	if err != nil {
		return nil, err
	}
	v, err := o.ev.Call(c.pos, insert, nil)
	if err != nil {
		return nil, err
	}
	list, ok := c.Value("rows").(*python.List)
	if !ok || python.UnknownIn(list) != nil {
		return python.None, o.run(c.pos, v, c.Value("rows"))
	}
	for _, row := range list.Items {
		if err := o.run(c.pos, v, row); err != nil {
			return nil, err
		}
	}
	return python.None, nil
}

// invoke runs an operation object. Only the project's own operations are read.
func (o *alembicOps) invoke(v *opValue, call *python.Call) (python.Value, error) {
	b, err := call.Bind(o.ev, "invoke", "operation")
	if err != nil {
		return nil, err
	}
	x := b.Value("operation")
	if cls := python.ClassOf(x); cls != nil {
		for _, k := range cls.MRO() {
			for _, r := range slices.Backward(o.registered) {
				if r.name == "" && r.class == python.Value(k) {
					return o.ev.Call(call.Pos(), r.fn, []python.Value{v, x})
				}
			}
		}
	}
	reason := "a " + x.TypeName() + " is no operation that is modelled"
	if u := python.UnknownIn(x); u != nil {
		reason = u.Why
	}
	o.engine.Unread(call.Pos(), "op.invoke", reason)
	return python.None, nil
}

// batchAlterTable begins a batch.
func (o *alembicOps) batchAlterTable(ev *python.Eval, call *python.Call) (python.Value, error) {
	b, err := call.Bind(ev, "batch_alter_table", "table_name", "schema=", "recreate=", "partial_reordering=", "copy_from=", "table_args=",
		"table_kwargs=", "reflect_args=", "reflect_kwargs=", "naming_convention=")
	if err != nil {
		return nil, err
	}
	batch := &alembicBatch{table: b.Value("table_name"), schema: b.Value("schema")}
	if r := b.Value("recreate"); r != nil {
		switch s, u := o.text(r); {
		case u != nil || s == "always":
			batch.recreate = true
		case s != "auto" && s != "never":
			return nil, ev.Raisef("ValueError", "recreate may be one of 'auto', 'always', or 'never'.")
		}
	}
	return &batchValue{op: &opValue{ops: o, batch: batch}}, nil
}

// A batchValue is the context manager of a batch.
type batchValue struct {
	python.Object
	op *opValue
}

// Handle implements python.HandleHolder.
func (*batchValue) Handle() bool { return true }

// Enter implements python.Manager.
func (b *batchValue) Enter(*python.Eval, python.Pos) (python.Value, error) { return b.op, nil }

// Exit implements python.Manager. An exception throws the batch away.
func (b *batchValue) Exit(ev *python.Eval, pos python.Pos, exc *python.Instance) (bool, error) {
	if exc != nil {
		return false, nil
	}
	o, batch := b.op.ops, b.op.batch
	if batch.recreate {
		var objects []schema.Object
		if s, u := o.text(batch.table); u == nil {
			objects = []schema.Object{{Kind: schema.KindTable, Table: s}}
		}
		o.engine.Unread(pos, "op.batch_alter_table with recreate", "a table that is made anew from what the server reports of it is not modelled", objects...)
		return false, nil
	}
	for _, f := range batch.todo {
		if err := f(); err != nil {
			return false, err
		}
	}
	return false, nil
}
