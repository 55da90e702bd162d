package sqlalchemy

import (
	"slices"
	"strings"

	"instep/internal/python"
)

// Module gives a module of SQLAlchemy by its dotted name; nil if the name is not one of its.
func (e *Engine) Module(ev *python.Eval, name string) *python.Module {
	oslo := name == "oslo_db" || name == "oslo_db.sqlalchemy" || name == "oslo_db.sqlalchemy.models"
	if name != "sqlalchemy" && !strings.HasPrefix(name, "sqlalchemy.") && !oslo {
		return nil
	}
	e.Eval = ev
	if m, ok := e.modules[name]; ok {
		return m
	}
	var m *python.Module
	if oslo {
		m = e.osloModule(ev, name)
	} else {
		m = e.module(ev, name)
	}
	if e.modules == nil {
		e.modules = map[string]*python.Module{}
	}
	e.modules[name] = m
	return m
}

func (e *Engine) module(ev *python.Eval, name string) *python.Module {
	mod := func(pairs ...[]any) *python.Module {
		var all []any
		for _, p := range pairs {
			all = append(all, p...)
		}
		return python.NewModule(name, all...)
	}
	switch name {
	case "sqlalchemy":
		m := mod(e.schemaNames(), e.exprFunctions(), e.statementFunctions(), e.coreNames())
		m.Missing = func(ev *python.Eval, attr string) python.Value {
			if sub := e.submodule(ev, "sqlalchemy."+attr); sub != nil {
				return sub
			}
			return nil
		}
		return e.withTypes(m, "")
	case "sqlalchemy.types", "sqlalchemy.sql.sqltypes", "sqlalchemy.sql.type_api":
		return e.withTypes(mod(), "")
	case "sqlalchemy.schema", "sqlalchemy.sql.schema", "sqlalchemy.sql.ddl":
		return mod(e.schemaNames(), e.ddlNames(), e.exprFunctions())
	case "sqlalchemy.sql", "sqlalchemy.sql.expression", "sqlalchemy.sql.elements", "sqlalchemy.sql.selectable", "sqlalchemy.sql.dml", "sqlalchemy.sql.functions", "sqlalchemy.sql.operators", "sqlalchemy.sql.base":
		m := mod(e.exprFunctions(), e.statementFunctions(), e.exprClasses())
		switch name {
		case "sqlalchemy.sql":
			m.Missing = func(ev *python.Eval, attr string) python.Value {
				if sub := e.submodule(ev, "sqlalchemy.sql."+attr); sub != nil {
					return sub
				}
				return nil
			}
		case "sqlalchemy.sql.functions":
			m.Missing = func(ev *python.Eval, attr string) python.Value { return &funcClass{e: e, name: attr} }
		}
		return m
	case "sqlalchemy.exc":
		return e.excModule(name)
	case "sqlalchemy.orm.exc":
		return e.excModule(name)
	case "sqlalchemy.engine", "sqlalchemy.engine.base", "sqlalchemy.engine.default", "sqlalchemy.future":
		return mod([]any{"Engine", e.bindClass("Engine"), "Connection", e.bindClass("Connection"), "Inspector", e.inspectorClass(), "reflection", e.submodule(ev, "sqlalchemy.engine.reflection")}, e.coreNames(),
			e.statementFunctions()[:2])
	case "sqlalchemy.engine.reflection", "sqlalchemy.inspection":
		return mod([]any{"Inspector", e.inspectorClass()}, e.coreNames())
	case "sqlalchemy.engine.url":
		return mod()
	case "sqlalchemy.orm", "sqlalchemy.orm.session", "sqlalchemy.ext.declarative", "sqlalchemy.ext.declarative.api", "sqlalchemy.orm.decl_api", "sqlalchemy.orm.attributes", "sqlalchemy.orm.query",
		"sqlalchemy.ext.associationproxy", "sqlalchemy.ext.hybrid", "sqlalchemy.orm.relationships":
		m := mod(e.ormNames())
		if name == "sqlalchemy.ext.hybrid" {
			m = python.NewModule(name, "hybrid_property", python.Builtin("property"))
		}
		return m
	case "sqlalchemy.ext.compiler":
		return python.NewModule(name, "compiles", pure("compiles", func(ev *python.Eval, call *python.Call) (python.Value, error) { return e.compiles(call) }),
			"deregister", give("deregister", python.None))
	case "sqlalchemy.event":
		return mod(e.eventNames())
	case "sqlalchemy.dialects", "sqlalchemy.databases":
		m := mod()
		m.Missing = func(ev *python.Eval, attr string) python.Value {
			if sub := e.submodule(ev, "sqlalchemy.dialects."+attr); sub != nil {
				return sub
			}
			return nil
		}
		return m
	case "sqlalchemy.ext", "sqlalchemy.util", "sqlalchemy.pool":
		m := mod()
		if name == "sqlalchemy.util" {
			m = python.NewModule(name, "OrderedDict", python.Builtin("dict"))
		}
		return m
	}
	if rest, ok := strings.CutPrefix(name, "sqlalchemy.dialects."); ok {
		dialect, _, _ := strings.Cut(rest, ".")
		if len(typeNames(dialect)) == 0 {
			return nil
		}
		m := mod()
		if dialect == "mysql" {
			m = mod(e.mysqlNames())
		}
		m.Missing = func(ev *python.Eval, attr string) python.Value {
			if sub := e.submodule(ev, "sqlalchemy.dialects."+dialect+"."+attr); sub != nil && rest == dialect && (attr == "base" || attr == "types" || attr == "enumerated" || attr == "json") {
				return sub
			}
			return nil
		}
		return e.withTypes(m, dialect)
	}
	return nil
}

// submodule gives a module as an attribute of its package; nil if there is none of that name.
func (e *Engine) submodule(ev *python.Eval, name string) python.Value {
	m := e.Module(ev, name)
	if m == nil {
		return nil
	}
	return m
}

// withTypes adds the classes of types to a module: those of a dialect if it is not "", and those of all databases.
func (e *Engine) withTypes(m *python.Module, dialect string) *python.Module {
	m.Lazy = func() []string {
		names := typeNames("")
		if dialect != "" {
			names = append(names, typeNames(dialect)...)
		}
		return names
	}
	other := m.Missing
	m.Missing = func(ev *python.Eval, attr string) python.Value {
		if cls := e.typeNamed(dialect, attr); cls != nil {
			return cls
		}
		if other != nil {
			return other(ev, attr)
		}
		return nil
	}
	return m
}

// typeNames gives the names of the types of a dialect, or those of all databases for "". None: no such dialect.
func typeNames(dialect string) []string {
	var names []string
	for _, tc := range TypeClasses() {
		if tc.Dialect == dialect || dialect == "mariadb" && tc.Dialect == "mysql" {
			names = append(names, tc.Name)
		}
	}
	switch dialect {
	case "":
		names = append(names, "TypeDecorator", "Variant", "SchemaType", "Concatenable", "Indexable", "MutableType")
		for old := range typeAliases {
			names = append(names, old)
		}
	case "mysql":
		for old := range mysqlAliases {
			names = append(names, old)
		}
	}
	slices.Sort(names)
	return names
}

// typeNamed gives the class that a module with the types of a dialect has under that name; nil if it has none.
func (e *Engine) typeNamed(dialect, name string) *python.Class {
	if strings.Contains(name, ".") {
		return nil // not a qualified name of ours
	}
	if dialect == "mysql" && mysqlAliases[name] != "" {
		name = mysqlAliases[name]
	}
	if dialect != "" {
		if cls := e.TypeClassValue(dialect + "." + name); cls != nil {
			return cls
		}
	}
	if dialect == "mariadb" {
		if cls := e.TypeClassValue("mysql." + name); cls != nil {
			return cls
		}
	}
	if typeAliases[name] != "" {
		name = typeAliases[name]
	}
	return e.TypeClassValue(name)
}

// typeAliases are further names of types in sqlalchemy.types.
var typeAliases = map[string]string{
	"Binary": "LargeBinary", "LONGVARCHAR": "TEXT", "NULLTYPE": "NullType", "STRINGTYPE": "String", "AbstractType": "TypeEngine",
}

// mysqlAliases are the old names of MySQL's types.
var mysqlAliases = map[string]string{
	"MSTime": "TIME", "MSSet": "SET", "MSEnum": "ENUM", "MSLongBlob": "LONGBLOB", "MSMediumBlob": "MEDIUMBLOB", "MSTinyBlob": "TINYBLOB",
	"MSNChar": "NCHAR", "MSNVarChar": "NVARCHAR", "MSChar": "CHAR", "MSString": "VARCHAR", "MSLongText": "LONGTEXT", "MSMediumText": "MEDIUMTEXT",
	"MSTinyText": "TINYTEXT", "MSText": "TEXT", "MSYear": "YEAR", "MSTimeStamp": "TIMESTAMP", "MSBit": "BIT", "MSSmallInteger": "SMALLINT",
	"MSTinyInteger": "TINYINT", "MSMediumInteger": "MEDIUMINT", "MSBigInteger": "BIGINT", "MSNumeric": "NUMERIC", "MSDecimal": "DECIMAL",
	"MSDouble": "DOUBLE", "MSReal": "REAL", "MSFloat": "FLOAT", "MSInteger": "INTEGER",
}

// mysqlNames gives what else the module of MySQL has.
func (e *Engine) mysqlNames() []any {
	return []any{
		"dialect", pure("dialect", func(*python.Eval, *python.Call) (python.Value, error) { return &dialectValue{e: e}, nil }),
		"insert", e.statementFunctions()[3],
	}
}

// schemaNames gives the classes of constructs.
func (e *Engine) schemaNames() []any {
	var out []any
	for _, name := range []string{"MetaData", "Table", "Column", "ForeignKey", "Constraint", "PrimaryKeyConstraint", "UniqueConstraint", "CheckConstraint", "ForeignKeyConstraint",
		"Index", "Computed", "Identity", "Sequence", "FetchedValue", "DefaultClause", "PassiveDefault", "ColumnDefault"} {
		out = append(out, name, e.classFor(name))
	}
	out = append(out, "ThreadLocalMetaData", e.classFor("MetaData"), "SchemaItem", e.classFor("SchemaItem"), "BLANK_SCHEMA", python.Str(""))
	return append(out, e.ddlNames()...)
}

// exprClasses gives the names of classes that programs test with isinstance.
func (e *Engine) exprClasses() []any {
	var out []any
	for _, name := range []string{"ClauseElement", "ColumnElement", "TextClause", "BinaryExpression", "BindParameter", "Executable", "FunctionElement", "GenericFunction"} {
		out = append(out, name, e.exprClass(name))
	}
	return out
}

// coreNames gives inspect, create_engine and what else the package itself has.
func (e *Engine) coreNames() []any {
	return []any{
		"__version__", python.Str("1.4.46"),
		"inspect", pure("inspect", func(ev *python.Eval, call *python.Call) (python.Value, error) {
			switch v := first(call.Args, nil).(type) {
			case *bind:
				return &inspector{e: e}, nil
			case *python.Unknown:
				return v, nil
			case *python.Class:
				if t := e.tableOfModel(v); t != nil {
					return &mapper{e, t}, nil
				}
			}
			return python.NewUnknown(call.Pos(), "inspect() of that is not modelled"), nil
		}),
		"create_engine", pure("create_engine", func(ev *python.Eval, call *python.Call) (python.Value, error) {
			if e.Models {
				return e.Bind(), nil
			}
			return &python.Unknown{Pos: call.Pos(), Why: "create_engine() connects to a database of its own", Acts: true}, nil
		}),
		"engine_from_config", pure("engine_from_config", func(ev *python.Eval, call *python.Call) (python.Value, error) {
			if e.Models {
				return e.Bind(), nil
			}
			return &python.Unknown{Pos: call.Pos(), Why: "engine_from_config() connects to a database of its own", Acts: true}, nil
		}),
		"create_mock_engine", pure("create_mock_engine", func(ev *python.Eval, call *python.Call) (python.Value, error) {
			return &python.Unknown{Pos: call.Pos(), Why: "create_mock_engine() is not modelled"}, nil
		}),
	}
}

// A mapper is inspect(Model).
type mapper struct {
	e     *Engine
	table *Table
}

// TypeName implements python.Value.
func (*mapper) TypeName() string { return "Mapper" }

// Attr implements python.Attrer.
func (m *mapper) Attr(ev *python.Eval, name string) (python.Value, bool) {
	switch name {
	case "local_table", "mapped_table", "persist_selectable", "selectable":
		return m.e.tableValue(m.table), true
	case "columns", "c", "column_attrs":
		return m.table.Attr(ev, "c")
	}
	return nil, false
}

func (e *Engine) inspectorClass() *python.Class {
	c := e.classes["Inspector"]
	if c == nil {
		c = &python.Class{Name: "Inspector", Module: "sqlalchemy.engine.reflection"}
		c.New = func(ev *python.Eval, cls *python.Class, call *python.Call) (python.Value, error) {
			return &inspector{e: e}, nil
		}
		c.Attrs = python.NewNamespace("from_engine", pure("from_engine", func(*python.Eval, *python.Call) (python.Value, error) { return &inspector{e: e}, nil }))
		e.classes["Inspector"] = c
	}
	return c
}

// excModule gives sqlalchemy.exc: every name is an exception.
func (e *Engine) excModule(name string) *python.Module {
	m := python.NewModule(name)
	m.Missing = func(ev *python.Eval, attr string) python.Value {
		if attr == "" || attr[0] < 'A' || attr[0] > 'Z' {
			return nil
		}
		return e.ExceptionClass(attr)
	}
	for _, n := range []string{"SQLAlchemyError", "OperationalError", "ProgrammingError", "IntegrityError", "InternalError", "NoSuchTableError", "InvalidRequestError", "DBAPIError", "SAWarning"} {
		m.Attrs.Store(e.Eval, n, e.ExceptionClass(n))
	}
	return m
}

// ddlNames gives CreateTable, DDL and the like.
func (e *Engine) ddlNames() []any {
	element := func(name string, run func(call *python.Call) (func(pos python.Pos) error, error)) []any {
		return []any{name, pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			if u, ok := first(call.Args, nil).(*python.Unknown); ok {
				return &ddlElement{e: e, name: name, run: func(pos python.Pos) error {
					e.Unread(pos, name, u.Why)
					return nil
				}}, nil
			}
			f, err := run(call)
			if err != nil {
				return nil, err
			}
			if f == nil {
				return python.NewUnknown(call.Pos(), name+"() of that is not modelled"), nil
			}
			return &ddlElement{e: e, name: name, run: f}, nil
		})}
	}
	flag := func(call *python.Call, name string) bool {
		b, _ := e.truth(call.Keyword(name), false)
		return b
	}
	emit := func(pos python.Pos, t *Table, ddl DDL, err error) error {
		if err != nil {
			return e.exception(err)
		}
		return e.Emit(pos, ddl, tableObjects(t)...)
	}
	var out []any
	for _, name := range []string{"CreateTable", "DropTable"} {
		out = append(out, element(name, func(call *python.Call) (func(python.Pos) error, error) {
			t, ok := first(call.Args, call.Keyword("element")).(*Table)
			if !ok {
				return nil, nil
			}
			exists := flag(call, "if_not_exists") || flag(call, "if_exists")
			return func(pos python.Pos) error {
				if name == "CreateTable" {
					ddl, err := CreateTable(t, exists, nil)
					return emit(pos, t, ddl, err)
				}
				ddl, err := DropTable(t, exists)
				return emit(pos, t, ddl, err)
			}, nil
		})...)
	}
	for _, name := range []string{"CreateIndex", "DropIndex"} {
		out = append(out, element(name, func(call *python.Call) (func(python.Pos) error, error) {
			ix, ok := first(call.Args, call.Keyword("element")).(*Index)
			if !ok {
				return nil, nil
			}
			exists := flag(call, "if_not_exists") || flag(call, "if_exists")
			return func(pos python.Pos) error {
				if name == "CreateIndex" {
					ddl, err := CreateIndex(ix, exists)
					return emit(pos, ix.Table, ddl, err)
				}
				ddl, err := DropIndex(ix, exists)
				return emit(pos, ix.Table, ddl, err)
			}, nil
		})...)
	}
	for _, name := range []string{"AddConstraint", "DropConstraint"} {
		out = append(out, element(name, func(call *python.Call) (func(python.Pos) error, error) {
			k, ok := first(call.Args, call.Keyword("element")).(*Constraint)
			if !ok {
				return nil, nil
			}
			// From now on the constraint is not rendered with its table.
			e.save(k)
			k.noCreate = true
			return func(pos python.Pos) error {
				if name == "AddConstraint" {
					return e.AddConstraint(pos, k)
				}
				return e.DropConstraint(pos, k)
			}, nil
		})...)
	}
	out = append(out, element("DDL", func(call *python.Call) (func(python.Pos) error, error) {
		text, u := e.text(first(call.Args, call.Keyword("statement")))
		if u != nil || call.Keyword("context") != nil || len(call.Args) > 1 {
			if u == nil {
				u = &Unknown{Why: "DDL() with a context is not modelled"}
			}
			return func(pos python.Pos) error {
				e.Unread(pos, "DDL() whose text is not known", u.Why)
				return nil
			}, nil
		}
		return func(pos python.Pos) error {
			_, err := e.runSQL(pos, strings.ReplaceAll(text, "%%", "%"), nil)
			return err
		}, nil
	})...)
	out = append(out, element("CreateSequence", func(*python.Call) (func(python.Pos) error, error) {
		return func(python.Pos) error { return nil }, nil
	})...)
	out = append(out, "CreateColumn", python.NewUnknown(python.Pos{}, "CreateColumn is not modelled"),
		"sort_tables", pure("sort_tables", func(ev *python.Eval, call *python.Call) (python.Value, error) {
			items, u, err := ev.Iterate(first(call.Args, call.Keyword("tables")))
			if err != nil {
				return nil, err
			}
			if u != nil {
				return u, nil
			}
			var ts []*Table
			for _, it := range items {
				if t, ok := it.(*Table); ok {
					ts = append(ts, t)
				}
			}
			steps, err := SortTables(ts, false)
			if err != nil {
				return nil, e.exception(err)
			}
			var sorted []python.Value
			for _, s := range steps {
				if s.Table != nil {
					sorted = append(sorted, e.tableValue(s.Table))
				}
			}
			return python.NewList(sorted...), nil
		}))
	return out
}

// eventNames gives sqlalchemy.event.
func (e *Engine) eventNames() []any {
	return []any{
		"listen", fn("listen", func(ev *python.Eval, call *python.Call) (python.Value, error) {
			if len(call.Args) >= 3 {
				s, _ := e.text(call.Args[1])
				e.listen(call.Args[0], s, call.Args[2])
			}
			return python.None, nil
		}),
		"listens_for", pure("listens_for", func(ev *python.Eval, call *python.Call) (python.Value, error) {
			return pure("decorate", func(ev *python.Eval, c *python.Call) (python.Value, error) {
				f := first(c.Args, python.None)
				if len(call.Args) >= 2 {
					s, _ := e.text(call.Args[1])
					e.listen(call.Args[0], s, f)
				}
				return f, nil
			}), nil
		}),
		"remove", give("remove", python.None),
		"contains", give("contains", python.Bool(false)),
	}
}

// compiles is @compiles(cls, *dialects).
func (e *Engine) compiles(call *python.Call) (python.Value, error) {
	cls, _ := first(call.Args, nil).(*python.Class)
	var dialects []string
	if len(call.Args) > 1 {
		for _, a := range call.Args[1:] {
			s, _ := e.text(a)
			dialects = append(dialects, s)
		}
	}
	return pure("decorate", func(ev *python.Eval, c *python.Call) (python.Value, error) {
		f := first(c.Args, python.None)
		if cls == nil {
			if len(dialects) == 0 || contains(dialects, "mysql") || contains(dialects, "mariadb") {
				e.Unread(call.Pos(), "@compiles() of a construct of SQLAlchemy", "how DDL is rendered then is not modelled")
			}
			return f, nil
		}
		ev.Touch(e)
		if len(dialects) == 0 {
			e.compiled = add(e.compiled, custom{cls, "", f})
		}
		for _, d := range dialects {
			e.compiled = add(e.compiled, custom{cls, d, f})
		}
		return f, nil
	}), nil
}
