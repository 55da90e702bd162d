package sqlalchemy

import "instep/internal/python"

// osloModule gives the part of oslo_db that models of OpenStack derive from: mixins with the columns that nearly every
// table of theirs has. They have been the same in all releases. Everything else of it is not known.
func (e *Engine) osloModule(ev *python.Eval, name string) *python.Module {
	column := func(typ string, kw ...python.Kwarg) python.Value {
		v, err := ev.Call(ev.Pos(), e.classFor("Column"), []python.Value{e.TypeClassValue(typ)}, kw...)
		if err != nil {
			return python.NewUnknown(ev.Pos(), "oslo_db's column cannot be made")
		}
		return v
	}
	class := func(name string, pairs ...any) *python.Class {
		return &python.Class{Name: name, Module: "oslo_db.sqlalchemy.models", Attrs: python.NewNamespace(pairs...)}
	}
	switch name {
	case "oslo_db":
		return python.NewModule(name)
	case "oslo_db.sqlalchemy":
		m := python.NewModule(name)
		m.Missing = func(ev *python.Eval, attr string) python.Value {
			if attr == "models" {
				return e.Module(ev, name+".models")
			}
			return nil
		}
		return m
	case "oslo_db.sqlalchemy.models":
		now := pure("utcnow", func(ev *python.Eval, call *python.Call) (python.Value, error) {
			return python.NewUnknown(call.Pos(), "it is the time of the call"), nil
		})
		base := class("ModelBase", "__table_initialized__", python.Bool(false))
		for _, method := range []string{"save", "keys", "items", "iteritems", "update", "get", "next", "_as_dict"} {
			base.Attrs.Store(ev, method, pure(method, func(ev *python.Eval, call *python.Call) (python.Value, error) {
				return python.NewUnknown(call.Pos(), "methods of oslo_db's models are not modelled"), nil
			}))
		}
		return python.NewModule(name, "ModelBase", base,
			"TimestampMixin", class("TimestampMixin",
				"created_at", column("DateTime", python.Kwarg{Name: "default", Value: now}),
				"updated_at", column("DateTime", python.Kwarg{Name: "onupdate", Value: now})),
			"SoftDeleteMixin", class("SoftDeleteMixin",
				"deleted_at", column("DateTime"),
				"deleted", column("Integer", python.Kwarg{Name: "default", Value: python.Int(0)})))
	}
	return nil
}
