package migrate

import (
	"io/fs"
	"path"
	"regexp"

	"instep/internal/python"
	"instep/internal/sqlalchemy"
)

// newAlembicOps gives the Alembic of one evaluation. bind is the connection that op.get_bind() gives.
func newAlembicOps(ev *python.Eval, engine *sqlalchemy.Engine, bind python.Value, naming func() sqlalchemy.Naming) *alembicOps {
	o := &alembicOps{ev: ev, engine: engine, bind: bind, naming: naming, byName: map[string]*operation{}}
	for _, op := range operations() {
		o.byName[op.name] = op
	}
	o.errorClass = python.NewException("alembic.util.exc", "CommandError")
	o.operations = o.operationsClass("Operations", false)
	o.batchOps = o.operationsClass("BatchOperations", true)
	return o
}

// operationsClass makes the class of op: it makes another op for a connection, and it takes operations of the project's own.
func (o *alembicOps) operationsClass(name string, batch bool) *python.Class {
	register := acting("register_operation", func(ev *python.Eval, call *python.Call) (python.Value, error) {
		b, err := call.Bind(ev, "register_operation", "name", "sourcename=")
		if err != nil {
			return nil, err
		}
		opName, u := o.text(b.Value("name"))
		source, u2 := o.text(b.Value("sourcename"))
		if u != nil || u2 != nil {
			return python.NewUnknown(call.Pos(), "the name of a registered operation is not known"), nil
		}
		if source == "" {
			source = opName
		}
		return acting("register", func(ev *python.Eval, call *python.Call) (python.Value, error) {
			b, err := call.Bind(ev, "register", "op_cls")
			if err != nil {
				return nil, err
			}
			fn, err := ev.Attr(b.Value("op_cls"), source)
			if err != nil {
				return nil, err
			}
			o.register(registration{name: opName, batch: batch, fn: fn})
			return b.Value("op_cls"), nil
		}), nil
	})
	implement := acting("implementation_for", func(ev *python.Eval, call *python.Call) (python.Value, error) {
		b, err := call.Bind(ev, "implementation_for", "op_cls")
		if err != nil {
			return nil, err
		}
		class := b.Value("op_cls")
		return acting("decorate", func(ev *python.Eval, call *python.Call) (python.Value, error) {
			b, err := call.Bind(ev, "decorate", "fn")
			if err != nil {
				return nil, err
			}
			o.register(registration{class: class, fn: b.Value("fn")})
			return b.Value("fn"), nil
		}), nil
	})
	return &python.Class{
		Name: name, Module: "alembic.operations",
		Attrs: python.NewNamespace("register_operation", register, "implementation_for", implement),
		New: func(ev *python.Eval, cls *python.Class, call *python.Call) (python.Value, error) {
			return &opValue{ops: o}, nil
		},
	}
}

func (o *alembicOps) register(r registration) {
	o.ev.Touch(o)
	o.registered = append(o.registered[:len(o.registered):len(o.registered)], r)
}

// native gives Alembic's modules, nil for those that are not modelled.
func (o *alembicOps) native(name string) *python.Module {
	op := &opValue{ops: o}
	switch name {
	case "alembic":
		return python.NewModule(name, "op", op, "context", o.context())
	case "alembic.op":
		m := python.NewModule(name)
		m.Lazy = opNames
		m.Missing = func(ev *python.Eval, attr string) python.Value {
			if v, ok := op.Attr(ev, attr); ok {
				return v
			}
			return nil
		}
		return m
	case "alembic.context":
		return o.context()
	case "alembic.operations", "alembic.operations.base", "alembic.operations.ops":
		base := &python.Class{Name: "MigrateOperation", Module: "alembic.operations.ops"}
		return python.NewModule(name, "Operations", o.operations, "BatchOperations", o.batchOps, "MigrateOperation", base)
	case "alembic.migration", "alembic.runtime.migration":
		configure := computed("configure", func(*python.Eval, *python.Call) (python.Value, error) { return &contextValue{ops: o}, nil })
		cls := &python.Class{Name: "MigrationContext", Module: name, Attrs: python.NewNamespace("configure", configure)}
		return python.NewModule(name, "MigrationContext", cls)
	case "alembic.util", "alembic.util.exc":
		return python.NewModule(name, "CommandError", o.errorClass)
	}
	return nil
}

// context makes the module alembic.context. Migrations read little of it; what belongs to the command line or the
// configuration is not known.
func (o *alembicOps) context() *python.Module {
	m := python.NewModule("alembic.context",
		"is_offline_mode", harmless("is_offline_mode", python.Bool(false)),
		"is_transactional_ddl", harmless("is_transactional_ddl", python.Bool(false)),
		"get_tag_argument", harmless("get_tag_argument", python.None),
		"get_x_argument", computed("get_x_argument", func(ev *python.Eval, call *python.Call) (python.Value, error) {
			return python.NewUnknown(call.Pos(), "the arguments of alembic -x are given on the command line"), nil
		}),
	)
	m.Missing = func(ev *python.Eval, name string) python.Value {
		switch name {
		case "get_context":
			return harmless(name, &contextValue{ops: o})
		case "get_impl":
			return harmless(name, &implValue{ops: o})
		case "get_bind":
			return harmless(name, o.bind)
		case "execute", "begin_transaction":
			v, _ := (&contextValue{ops: o}).Attr(ev, name)
			return v
		case "config":
			return configuration(ev)
		}
		return nil
	}
	return m
}

func configuration(ev *python.Eval) python.Value {
	return python.NewUnknown(ev.Pos(), "Alembic's configuration is given at run time")
}

// A contextValue is the MigrationContext.
type contextValue struct {
	python.Object
	ops *alembicOps
}

// Handle implements python.HandleHolder.
func (*contextValue) Handle() bool { return true }

// Attr implements python.Attrer.
func (c *contextValue) Attr(ev *python.Eval, name string) (python.Value, bool) {
	switch name {
	case "impl":
		return &implValue{ops: c.ops}, true
	case "bind", "connection":
		return c.ops.bind, true
	case "dialect":
		v, err := ev.Attr(c.ops.bind, "dialect")
		return v, err == nil
	case "as_sql", "purge":
		return python.Bool(false), true
	case "version_table":
		return python.NewUnknown(ev.Pos(), "the name of Alembic's version table is configured in env.py"), true
	case "config", "opts", "script", "environment_context":
		return configuration(ev), true
	case "autocommit_block", "begin_transaction":
		return harmless(name, &plainBlock{}), true
	case "get_current_revision":
		return computed(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			return python.NewData(call.Pos(), "the revision of the database is data", python.None), nil
		}), true
	case "get_current_heads":
		return computed(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			return python.NewData(call.Pos(), "the revisions of the database are data", python.NewTuple()), nil
		}), true
	case "execute":
		return (&implValue{ops: c.ops}).Attr(ev, name)
	}
	return nil, false
}

// An implValue is what Alembic keeps for the dialect.
type implValue struct {
	python.Object
	ops *alembicOps
}

// Handle implements python.HandleHolder.
func (*implValue) Handle() bool { return true }

// Attr implements python.Attrer.
func (i *implValue) Attr(ev *python.Eval, name string) (python.Value, bool) {
	switch name {
	case "bind", "connection":
		return i.ops.bind, true
	case "dialect":
		v, err := ev.Attr(i.ops.bind, "dialect")
		return v, err == nil
	case "__dialect__":
		return python.Str("mysql"), true
	case "transactional_ddl", "as_sql":
		return python.Bool(false), true
	case "execute", "_exec":
		return acting(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			b, err := call.Bind(ev, name, "sql", "execution_options=", "**kw")
			if err != nil {
				return nil, err
			}
			return python.None, i.ops.run(call.Pos(), b.Value("sql"))
		}), true
	}
	return nil, false
}

// A plainBlock is a with block that does nothing of its own: MySQL commits each DDL statement by itself.
type plainBlock struct{ python.Object }

// Enter implements python.Manager.
func (b *plainBlock) Enter(*python.Eval, python.Pos) (python.Value, error) { return b, nil }

// Exit implements python.Manager.
func (*plainBlock) Exit(*python.Eval, python.Pos, *python.Instance) (bool, error) { return false, nil }

// Attr implements python.Attrer.
func (*plainBlock) Attr(ev *python.Eval, name string) (python.Value, bool) {
	if name == "commit" || name == "rollback" {
		return harmless(name, python.None), true
	}
	return nil, false
}

// versionTableArg matches the name of the version table where env.py gives another than the default.
var versionTableArg = regexp.MustCompile(`\bversion_table\s*=\s*(?:['"](\w+)['"])?`)

// versionTable is the table in which Alembic keeps the revisions of a database. It makes it before the first revision
// runs, so that revisions which list all tables see it. There is none if env.py computes its name.
func versionTable(fsys fs.FS, dir string) sqlalchemy.VersionTable {
	name := "alembic_version"
	if src, err := fs.ReadFile(fsys, path.Join(dir, "env.py")); err == nil {
		if m := versionTableArg.FindSubmatch(src); m != nil {
			name = string(m[1])
		}
	}
	return sqlalchemy.VersionTable{
		Name:   name,
		Create: "CREATE TABLE `" + name + "` (version_num VARCHAR(32) NOT NULL, CONSTRAINT " + name + "_pkc PRIMARY KEY (version_num))",
	}
}
