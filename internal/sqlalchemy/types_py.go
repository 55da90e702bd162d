package sqlalchemy

import (
	"strings"

	"instep/internal/python"
)

// TypeClassValue gives the Python class of a type: "Integer", "mysql.TINYINT", "TypeDecorator"; nil if there is none. Each
// evaluation has its own classes, because they refer to its Engine. They are made when they are first asked for: there are
// more than a hundred, and a migration names a few.
func (e *Engine) TypeClassValue(name string) *python.Class {
	if cls := e.typeClasses[name]; cls != nil {
		return cls
	}
	cls := e.newTypeClass(name)
	if cls != nil {
		if e.typeClasses == nil {
			e.typeClasses = map[string]*python.Class{}
		}
		e.typeClasses[name] = cls
	}
	return cls
}

func (e *Engine) newTypeClass(name string) *python.Class {
	switch name {
	case "TypeDecorator":
		return e.decoratorClass()
	case "SchemaType", "Concatenable", "Indexable", "MutableType": // for isinstance only
		return &python.Class{Name: name, Module: "sqlalchemy.types"}
	case "Variant":
		return &python.Class{Name: "Variant", Module: "sqlalchemy.types", Bases: []*python.Class{e.TypeClassValue("TypeDecorator")}}
	}
	tc := typesByName()[name]
	if tc == nil {
		return nil
	}
	module := "sqlalchemy.types"
	if tc.Dialect != "" {
		module = "sqlalchemy.dialects." + tc.Dialect
	}
	cls := &python.Class{Name: tc.Name, Module: module, Pure: true, Data: e}
	if tc.Base != "" {
		cls.Bases = []*python.Class{e.TypeClassValue(tc.Base)}
	}
	cls.New = func(ev *python.Eval, cls *python.Class, call *python.Call) (python.Value, error) {
		return e.newType(ev, cls, tc), nil
	}
	cls.Init = func(ev *python.Eval, self python.Value, call *python.Call) error {
		return e.initType(self, call)
	}
	return cls
}

// decoratorClass makes TypeDecorator, the base of the types that projects define.
func (e *Engine) decoratorClass() *python.Class {
	dec := &python.Class{Name: "TypeDecorator", Module: "sqlalchemy.types", Bases: []*python.Class{e.TypeClassValue("TypeEngine")}, Data: e}
	dec.New = func(ev *python.Eval, cls *python.Class, call *python.Call) (python.Value, error) {
		t := &Type{Kind: decoratorClass(cls.Name)}
		t.Cls = cls
		t.load = func() (*Type, error) { return e.loadDecorator(t) }
		return t, nil
	}
	dec.Init = func(ev *python.Eval, self python.Value, call *python.Call) error {
		t, ok := self.(*Type)
		if !ok {
			return nil
		}
		impl, ok := t.Cls.Lookup("impl")
		if !ok {
			return e.Eval.Raisef("AttributeError", "TypeDecorator implementations require a class-level variable 'impl' which refers to the class of type being decorated")
		}
		if c, ok := impl.(*python.Class); ok {
			v, err := e.Eval.Call(call.Pos(), c, call.Args, call.Kw...)
			if err != nil {
				return err
			}
			impl = v
		}
		it, err := e.typeArg(impl)
		if err != nil {
			return err
		}
		t.Impl = it
		if it != nil {
			t.Attrs.Store(e.Eval, "impl", it) // the class has an attribute of that name, which would hide it
		}
		return nil
	}
	return dec
}

func (e *Engine) newType(ev *python.Eval, cls *python.Class, tc *TypeClass) *Type {
	t := &Type{Kind: tc}
	t.Cls = cls
	if !cls.IsPython() {
		return t
	}
	// A class of the project. It renders as its base, unless it says otherwise.
	t.Kind = &TypeClass{Name: cls.Name, Dialect: tc.Dialect, Base: tc.Base, Visit: tc.Visit, Affinity: tc.Affinity, Params: tc.Params}
	if f, ok := cls.Lookup("get_col_spec"); ok {
		t.Kind.Visit = "user_defined"
		t.spec = func() (string, *Unknown, error) {
			v, err := ev.Call(ev.Pos(), f, []python.Value{t})
			if err != nil {
				return "", nil, err
			}
			s, u := e.text(v)
			return s, u, nil
		}
	} else if visit, ok := cls.Lookup("__visit_name__"); ok {
		if s, ok := visit.(python.Str); ok {
			t.Kind.Visit = string(s)
		}
	}
	return t
}

// custom is a function that @compiles registered.
type custom struct {
	class   *python.Class
	dialect string // "" for all
	fn      python.Value
}

// customFor gives the function that compiles what has that class; nil if there is none.
func (e *Engine) customFor(cls *python.Class) python.Value {
	if cls == nil || len(e.compiled) == 0 {
		return nil
	}
	for _, k := range cls.MRO() {
		var found python.Value
		for _, c := range e.compiled {
			if c.class == k && (c.dialect == "mysql" || c.dialect == "" && found == nil) {
				found = c.fn
			}
		}
		if found != nil {
			return found
		}
	}
	return nil
}

// compileCustom calls a function that @compiles registered, and gives the SQL that it returns.
func (e *Engine) compileCustom(f, element python.Value) (string, *Unknown, error) {
	v, err := e.Eval.Call(e.Eval.Pos(), f, []python.Value{element, &compilerValue{e}})
	if err != nil {
		return "", nil, err
	}
	s, u := e.text(v)
	return s, u, nil
}

// A compilerValue is the compiler that such a function gets. It renders types and expressions.
type compilerValue struct{ e *Engine }

// TypeName implements python.Value.
func (*compilerValue) TypeName() string { return "MySQLTypeCompiler" }

// Attr implements python.Attrer.
func (c *compilerValue) Attr(ev *python.Eval, name string) (python.Value, bool) {
	switch {
	case name == "dialect":
		return &dialectValue{e: c.e}, true
	case name == "preparer":
		return &preparer{c.e}, true
	case name == "process":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			v := first(call.Args, nil)
			if t, ok := v.(*Type); ok {
				ddl, err := TypeDDL(t)
				return known(call.Pos(), ddl), c.e.wrap(err)
			}
			if x := c.e.exprArg(v); x != nil {
				ddl, err := ExprSQL(x)
				return known(call.Pos(), ddl), c.e.wrap(err)
			}
			return python.NewUnknown(call.Pos(), "the compiler's process() of that is not modelled"), nil
		}), true
	case strings.HasPrefix(name, "visit_"):
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			t, ok := first(call.Args, nil).(*Type)
			if !ok {
				return python.NewUnknown(call.Pos(), "the compiler's "+name+"() of that is not modelled"), nil
			}
			// The same type, rendered as what the method is for. Without a class of the project it is not asked again.
			plain := *t
			plain.Cls = nil
			plain.Kind = &TypeClass{Name: t.Kind.Name, Dialect: t.Kind.Dialect, Visit: strings.TrimPrefix(name, "visit_"), Affinity: t.Kind.Affinity}
			ddl, err := TypeDDL(&plain)
			return known(call.Pos(), ddl), c.e.wrap(err)
		}), true
	case name == "type_compiler":
		return c, true
	}
	return python.NewUnknown(ev.Pos(), "the compiler's "+name+" is not modelled"), true
}

// loadDecorator asks load_dialect_impl() of a project's TypeDecorator, if it has one, and else gives its impl.
func (e *Engine) loadDecorator(t *Type) (*Type, error) {
	if f, ok := t.Cls.Lookup("load_dialect_impl"); ok {
		v, err := e.Eval.Call(e.Eval.Pos(), f, []python.Value{t, &dialectValue{e: e}})
		if err != nil {
			return nil, err
		}
		return e.typeArg(v)
	}
	if t.Impl == nil {
		// Its own __init__ did not call the base's: the class's impl stands for it.
		if impl, ok := t.Cls.Lookup("impl"); ok {
			return e.typeArg(impl)
		}
	}
	return t.Impl, nil
}

// typeArg reads an argument that is a type or a class of types. None gives nil.
func (e *Engine) typeArg(v python.Value) (*Type, error) {
	switch v := v.(type) {
	case nil, python.NoneType:
		return nil, nil
	case *Type:
		return v, nil
	case *python.Unknown:
		return UnknownType(why(v)), nil
	case *python.Class:
		if !v.Derives(e.TypeClassValue("TypeEngine")) {
			break
		}
		x, err := e.Eval.Call(e.Eval.Pos(), v, nil)
		if err != nil {
			return nil, err
		}
		if t, ok := x.(*Type); ok {
			return t, nil
		}
		if u, ok := x.(*python.Unknown); ok {
			return UnknownType(why(u)), nil
		}
	case *python.Func, *python.Native:
		x, err := e.Eval.Call(e.Eval.Pos(), v, nil)
		if err != nil {
			return nil, err
		}
		if _, ok := x.(*python.Func); !ok {
			return e.typeArg(x)
		}
	case *python.Instance:
		if v.Cls.Derives(e.TypeClassValue("TypeEngine")) {
			break
		}
	}
	return UnknownType(&Unknown{Why: "a " + v.TypeName() + " is no type of SQLAlchemy that is modelled"}), nil
}

// initType takes the arguments of a type's constructor.
func (e *Engine) initType(self python.Value, call *python.Call) error {
	t, ok := self.(*Type)
	if !ok {
		return nil
	}
	if t.Kind.Affinity == EnumAffinity || t.Kind.Name == "SET" && t.Kind.Dialect == "mysql" {
		return e.initEnum(t, call)
	}
	if len(call.Args) > len(t.Kind.Params) && t.Kind.Dialect != "" && t.Kind.Dialect != "mysql" {
		return nil // another dialect's type: its arguments do not matter
	}
	if t.Kind.Name == "Variant" || t.Kind.Visit == "user_defined" && !strings.HasPrefix(t.Kind.Name, "User") {
		return nil
	}
	if len(call.Args) > len(t.Kind.Params) {
		return e.Eval.Raisef("TypeError", "%s() takes at most %d arguments (%d given)", t.Kind.Name, len(t.Kind.Params), len(call.Args))
	}
	for i, v := range call.Args {
		if err := e.typeParam(t, t.Kind.Params[i], v); err != nil {
			return err
		}
	}
	for _, k := range call.Kw {
		if err := e.typeParam(t, k.Name, k.Value); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) typeParam(t *Type, name string, v python.Value) error {
	flag := func(b *bool) {
		x, u := e.truth(v, false)
		*b = x
		if u != nil {
			t.Unknown = u
		}
	}
	str := func(s *string) {
		x, u := e.text(v)
		*s = x
		if u != nil {
			t.Unknown = u
		}
	}
	switch name {
	case "length":
		t.Length = e.number(v)
	case "precision":
		t.Precision = e.number(v)
	case "scale":
		t.Scale = e.number(v)
	case "display_width":
		t.DisplayWidth = e.number(v)
	case "fsp":
		t.FSP = e.number(v)
	case "unsigned":
		flag(&t.Unsigned)
	case "zerofill":
		flag(&t.Zerofill)
	case "ascii":
		flag(&t.ASCII)
	case "unicode":
		flag(&t.Unicode)
	case "binary":
		flag(&t.Binary)
	case "national":
		flag(&t.National)
	case "charset":
		str(&t.Charset)
	case "collation", "collate":
		str(&t.Collation)
	case "create_constraint":
		flag(&t.CreateConstraint)
	case "name":
		t.CheckName = e.nameArg(v)
	case "native_enum":
		var native bool
		flag(&native)
		t.NotNative = !native
	case "impl":
		if absent(v) {
			return nil
		}
		impl, err := e.typeArg(v)
		if err != nil {
			return err
		}
		t.Impl = impl
		if impl != nil {
			t.Attrs.Store(e.Eval, "impl", impl)
		}
	}
	return nil
}

// initEnum takes the arguments of Enum, mysql.ENUM and mysql.SET: strings, or one enum class.
func (e *Engine) initEnum(t *Type, call *python.Call) error {
	var callable python.Value
	aliases := true
	for _, k := range call.Kw {
		switch k.Name {
		case "length":
			continue
		case "values_callable":
			if !absent(k.Value) {
				callable = k.Value
			}
		case "omit_aliases":
			b, _ := e.truth(k.Value, false)
			aliases = !b
		default:
			if err := e.typeParam(t, k.Name, k.Value); err != nil {
				return err
			}
		}
	}
	args := call.Args
	if len(args) == 0 {
		if v := call.Keyword("_enums"); v != nil {
			args = []python.Value{v}
		}
	}
	if len(args) == 1 {
		if cls, ok := args[0].(*python.Class); ok {
			names, u, err := e.enumMembers(call.Pos(), cls, callable, aliases)
			if err != nil {
				return err
			}
			t.Members, t.Unknown = names, u
			if n := call.Keyword("name"); n == nil {
				t.CheckName = Name{Text: strings.ToLower(cls.Name)}
			}
			t.setEnumLength(e, call)
			return nil
		}
	}
	for _, a := range args {
		s, u := e.text(a)
		if u != nil {
			t.Unknown = u
		}
		t.Members = append(t.Members, s)
	}
	t.setEnumLength(e, call)
	return nil
}

func (t *Type) setEnumLength(e *Engine, call *python.Call) {
	t.Length = N(longest(t.Members))
	if n := e.number(call.Keyword("length")); n.Given {
		t.Length = n
	}
}

// enumMembers gives the names of the members of an enum class, or what values_callable makes of it.
func (e *Engine) enumMembers(pos python.Pos, cls *python.Class, callable python.Value, aliases bool) ([]string, *Unknown, error) {
	if callable != nil {
		v, err := e.Eval.Call(pos, callable, []python.Value{cls})
		if err != nil {
			return nil, nil, err
		}
		names, u := e.strs(v)
		return names, u, nil
	}
	members, err := e.Eval.Attr(cls, "__members__")
	if err != nil {
		return nil, nil, err
	}
	items, u, err := e.Eval.Iterate(members)
	if u != nil || err != nil {
		return nil, why(u), err
	}
	var names []string
	for _, it := range items {
		s, u := e.text(it)
		if u != nil {
			return nil, u, nil
		}
		if !aliases {
			m, err := e.Eval.Index(members, it)
			if err != nil {
				return nil, nil, err
			}
			n, err := e.Eval.Attr(m, "name")
			if err != nil {
				return nil, nil, err
			}
			if own, _ := e.text(n); own != s {
				continue
			}
		}
		names = append(names, s)
	}
	return names, nil, nil
}

// Save implements python.Mutable.
func (t *Type) Save() any { return *t }

// Restore implements python.Mutable.
func (t *Type) Restore(state any) {
	o := t.Object
	*t = state.(Type)
	t.Object = o
}

// Merge implements python.Merger: a type that two branches changed differently is not known.
func (t *Type) Merge(ev *python.Eval, before, a, b any, u *python.Unknown) {
	t.Restore(b)
	x, y := a.(Type), b.(Type)
	if !x.sameAs(&y) {
		t.Unknown = why(u)
	}
}

// Same implements python.Same.
func (t *Type) Same(ev *python.Eval, other python.Value) bool {
	o, ok := other.(*Type)
	return ok && t.Cls == o.Cls && t.sameAs(o)
}

// sameAs tells whether two types are rendered the same. Those that the project's code renders are not compared.
func (t *Type) sameAs(o *Type) bool {
	if t.load != nil || o.load != nil || t.spec != nil || o.spec != nil {
		return false
	}
	x, err1 := TypeDDL(t)
	y, err2 := TypeDDL(o)
	return err1 == nil && err2 == nil && x.SQL == y.SQL && len(x.Unknown) == 0 && len(y.Unknown) == 0 && t.CreateConstraint == o.CreateConstraint && t.CheckName == o.CheckName
}

// Attr implements python.Attrer.
func (t *Type) Attr(ev *python.Eval, name string) (python.Value, bool) {
	switch name {
	case "length":
		return numOrNone(t.Length), true
	case "precision":
		return numOrNone(t.Precision), true
	case "scale":
		return numOrNone(t.Scale), true
	case "display_width":
		return numOrNone(t.DisplayWidth), true
	case "fsp":
		return numOrNone(t.FSP), true
	case "unsigned":
		return python.Bool(t.Unsigned), true
	case "zerofill":
		return python.Bool(t.Zerofill), true
	case "charset":
		return strOrNone(t.Charset), true
	case "collation":
		return strOrNone(t.Collation), true
	case "enums", "values":
		var items []python.Value
		for _, m := range t.Members {
			items = append(items, python.Str(m))
		}
		return python.NewList(items...), true
	case "native_enum":
		return python.Bool(!t.NotNative), true
	case "name":
		return NameValue(t.CheckName), true
	case "impl":
		if t.Impl != nil {
			return t.Impl, true
		}
	case "with_variant":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) { return t.withVariant(ev, call) }), true
	case "load_dialect_impl", "dialect_impl":
		return pure(name, func(*python.Eval, *python.Call) (python.Value, error) {
			if t.Impl != nil {
				return t.Impl, nil
			}
			return t, nil
		}), true
	case "compile":
		return pure(name, func(ev *python.Eval, call *python.Call) (python.Value, error) {
			ddl, err := TypeDDL(t)
			if err != nil {
				return nil, err
			}
			if len(ddl.Unknown) > 0 {
				return python.NewUnknown(call.Pos(), ddl.Unknown[0].Why), nil
			}
			return python.Str(ddl.SQL), nil
		}), true
	case "copy", "adapt":
		return pure(name, func(*python.Eval, *python.Call) (python.Value, error) {
			u := *t
			u.Object = cloneObject(t.Object)
			return &u, nil
		}), true
	case "create", "drop":
		// Types of their own exist on other databases only.
		return give(name, python.None), true
	case "python_type", "as_uuid":
		return python.NewUnknown(ev.Pos(), "the type's "+name+" is not modelled"), true
	}
	return nil, false
}

// SetAttr implements python.AttrSetter.
func (t *Type) SetAttr(ev *python.Eval, name string, v python.Value) error {
	ev.Touch(t)
	e := &Engine{Env: Env{Eval: ev}}
	switch name {
	case "length", "precision", "scale", "display_width", "fsp", "unsigned", "zerofill", "charset", "collation", "name":
		return e.typeParam(t, name, v)
	case "impl":
		if it, ok := v.(*Type); ok {
			t.Impl = it
			return nil
		}
	case "enums", "values":
		items, u := e.strs(v)
		t.Members, t.Unknown = items, u
		return nil
	}
	t.Object.Attrs.Store(ev, name, v)
	return nil
}

// withVariant gives the type with another one for a dialect, or for several in 2.0.
func (t *Type) withVariant(ev *python.Eval, call *python.Call) (python.Value, error) {
	if len(call.Args) == 0 {
		return nil, ev.Raisef("TypeError", "with_variant() missing required argument: 'type_'")
	}
	e := engineOf(t.Cls)
	if e == nil {
		return python.NewUnknown(call.Pos(), "the type belongs to no evaluation"), nil
	}
	vt, err := e.typeArg(call.Args[0])
	if err != nil {
		return nil, err
	}
	n := *t
	n.Object = cloneObject(t.Object)
	n.Variants = add(t.Variants)
	names := call.Args[1:]
	if v := call.Keyword("dialect_name"); v != nil {
		names = add(names, v)
	}
	for _, a := range names {
		s, u := e.text(a)
		if u != nil {
			n.Variants = append(n.Variants, Variant{"mysql", UnknownType(u)})
			continue
		}
		n.Variants = append(n.Variants, Variant{s, vt})
	}
	return &n, nil
}

// engineOf finds the Engine of an object through its class; nil if the object was made in Go and never shown to Python.
func engineOf(cls *python.Class) *Engine {
	if cls == nil {
		return nil
	}
	for _, k := range cls.MRO() {
		if e, ok := k.Data.(*Engine); ok {
			return e
		}
	}
	return nil
}

// typeValue gives the type as a Python value.
func (e *Engine) typeValue(t *Type) python.Value {
	if t == nil {
		t = NewType("NullType")
	}
	if t.Unknown != nil {
		return python.NewUnknown(python.Pos{}, t.Unknown.Why)
	}
	if t.Cls == nil {
		t.Cls = e.TypeClassValue(t.Kind.qualified())
	}
	return t
}

// Text implements python.Texter.
func (t *Type) Text(ev *python.Eval, repr bool) (python.Value, error) {
	if !repr {
		if ddl, err := TypeDDL(t); err == nil && len(ddl.Unknown) == 0 {
			return python.Str(ddl.SQL), nil
		}
	}
	return python.NewUnknown(ev.Pos(), "the text of a type is not modelled"), nil
}
