package python

import (
	"fmt"
	"math/big"
	"strings"
)

// A Value is a Python value, or what stands for one that is not known ([*Unknown]).
//
// The kinds of this package are Int and *BigInt, Float, Str, Bytes, Bool, NoneType, EllipsisType, *List, *Tuple, *Dict,
// *Set, *Range, *Slice, *Func, *BoundMethod, *Native, *Class, *Instance, *Module, *Generator, *Property, *Unknown and a few
// that only the evaluator makes. Another package adds its own by implementing Value and those of the small interfaces
// below (Attrer, Caller, …) that make sense for it; embedding [Object] gives the usual behaviour of an instance.
type Value interface {
	// TypeName is the name of the Python type, as in error messages.
	TypeName() string
}

type (
	// Int is an int that fits in 64 bits. An int has only one form: what fits is never a *BigInt.
	Int int64
	// BigInt is an int that does not fit in 64 bits.
	BigInt struct{ V *big.Int }
	// Float is a float.
	Float float64
	// Str is a str, in UTF-8. Its length and indexes in Python count code points.
	Str string
	// Bytes is a bytes object.
	Bytes string
	// Bool is a bool.
	Bool bool
	// NoneType is the type of None.
	NoneType struct{}
	// EllipsisType is the type of Ellipsis.
	EllipsisType struct{}
	// notImplementedType is the type of NotImplemented.
	notImplementedType struct{}
)

// None is Python's None.
var None Value = NoneType{}

// TypeName implements Value.
func (Int) TypeName() string { return "int" }

// TypeName implements Value.
func (*BigInt) TypeName() string { return "int" }

// TypeName implements Value.
func (Float) TypeName() string { return "float" }

// TypeName implements Value.
func (Str) TypeName() string { return "str" }

// TypeName implements Value.
func (Bytes) TypeName() string { return "bytes" }

// TypeName implements Value.
func (Bool) TypeName() string { return "bool" }

// TypeName implements Value.
func (NoneType) TypeName() string { return "NoneType" }

// TypeName implements Value.
func (EllipsisType) TypeName() string { return "ellipsis" }

// TypeName implements Value.
func (notImplementedType) TypeName() string { return "NotImplementedType" }

// An Unknown is a value that cannot be known without running the program. Whatever is computed from it is an Unknown
// that remembers the first cause.
type Unknown struct {
	Pos Pos    // where it came into the program
	Why string // the root cause, a clause for people: "neutron_lib is not in this repository"

	// Prefix is, for a str, the beginning that is known.
	Prefix string
	// Hole is, for a str of which one whole piece is not known, that piece: the str is Prefix, the text of Hole, and Suffix.
	Hole   *Unknown
	Suffix string
	// Name is what native code knows a str by, to find it again in a Hole. What is computed from it has none.
	Name string
	// Data says that the value comes from rows of a live database. A condition on it decides about data, and only
	// matters if DDL hangs on it.
	Data bool
	// Empty is, for Data, the value if the database held no rows. It is nil if that would be an error or is not known.
	Empty Value
	// Acts says that the value may be, or may hold, code or a handle whose use has effects on the schema: calling it
	// is a gap.
	Acts bool
}

// TypeName implements Value.
func (*Unknown) TypeName() string { return "unknown" }

// NewUnknown gives a value that is not known, with the position and the cause that gaps will name.
func NewUnknown(pos Pos, why string) *Unknown { return &Unknown{Pos: pos, Why: why} }

// NewRows gives the result of a query on live data: iterated it has no rows, but what depends on it is marked as data.
func NewRows(pos Pos, why string) *Unknown {
	return &Unknown{Pos: pos, Why: why, Data: true, Empty: &List{}}
}

// NewData gives a value read from live data. empty is what it would be without any rows (None for a scalar or
// fetchone), or nil if there is no such value.
func NewData(pos Pos, why string, empty Value) *Unknown {
	return &Unknown{Pos: pos, Why: why, Data: true, Empty: empty}
}

// derive gives the Unknown for something computed from u.
func (u *Unknown) derive() *Unknown {
	if u.Prefix == "" && u.Empty == nil && u.Name == "" && u.Hole == nil {
		return u
	}
	return &Unknown{Pos: u.Pos, Why: u.Why, Data: u.Data, Acts: u.Acts}
}

// A List is a list. Its items may be read freely; to change them call [Eval.Touch] first.
type List struct {
	Items []Value
	taint *Unknown // if set, the items are not known (or, for Data, are those without rows)
	epoch uint32
}

// TypeName implements Value.
func (*List) TypeName() string { return "list" }

// NewList gives a list of the items. It keeps the slice.
func NewList(items ...Value) *List { return &List{Items: items} }

// A Tuple is a tuple. It must not be changed.
type Tuple struct {
	Items []Value
	cls   *Class // a namedtuple's class, or a subclass of tuple
	attrs *Namespace
}

// TypeName implements Value.
func (t *Tuple) TypeName() string {
	if t.cls != nil {
		return t.cls.Name
	}
	return "tuple"
}

// NewTuple gives a tuple of the items. It keeps the slice.
func NewTuple(items ...Value) *Tuple { return &Tuple{Items: items} }

// A Range is range(Start, Stop, Step).
type Range struct{ Start, Stop, Step int64 }

// TypeName implements Value.
func (*Range) TypeName() string { return "range" }

// Len is the number of items.
func (r *Range) Len() int {
	switch {
	case r.Step > 0 && r.Start < r.Stop:
		return int((uint64(r.Stop)-uint64(r.Start)-1)/uint64(r.Step) + 1)
	case r.Step < 0 && r.Start > r.Stop:
		return int((uint64(r.Start)-uint64(r.Stop)-1)/uint64(-r.Step) + 1)
	}
	return 0
}

// A Slice is slice(Lower, Upper, Step) with None for what was left out.
type Slice struct{ Lower, Upper, Step Value }

// TypeName implements Value.
func (*Slice) TypeName() string { return "slice" }

// A Native is a function written in Go. As an attribute of a class it is a method: it gets self as its first argument.
type Native struct {
	Name string
	Fn   func(ev *Eval, call *Call) (Value, error)
	// Pure says that calling it with arguments that are not known (f(*unknown)) has no effect on the schema: the result
	// is Unknown. Otherwise such a call is a gap.
	Pure bool
	// Static says that it does not become a method when it is found on a class.
	Static bool
	// ActsHandle says that passing the function to unknown code is an escape (rule 4): it changes the schema.
	ActsHandle bool
}

// TypeName implements Value.
func (*Native) TypeName() string { return "builtin_function_or_method" }

// Handle implements HandleHolder.
func (n *Native) Handle() bool { return n.ActsHandle }

// A BoundMethod is a function with its self.
type BoundMethod struct {
	Self Value
	Fn   Value // *Func, *Native, or another callable
}

// TypeName implements Value.
func (*BoundMethod) TypeName() string { return "method" }

// A Property is a property, or a native equivalent.
type Property struct {
	Fget, Fset, Fdel Value // nil if absent
	cached           bool  // functools.cached_property
	name             string
}

// TypeName implements Value.
func (*Property) TypeName() string { return "property" }

type (
	staticMethod struct{ fn Value }
	classMethod  struct{ fn Value }
	superValue   struct {
		start *Class
		self  Value
		cls   *Class // the class of self, or self if that is a class
	}
	cell struct {
		v     Value
		epoch uint32
	}
)

func (*staticMethod) TypeName() string { return "staticmethod" }
func (*classMethod) TypeName() string  { return "classmethod" }
func (*superValue) TypeName() string   { return "super" }
func (*cell) TypeName() string         { return "cell" }

// A Class is a class, of Python or native.
//
// A native class is a literal: Name, Module, Bases, Attrs for methods (*Native, which get self) and constants, and, where
// calling it must do more than make an *Instance, New and Init. Both are inherited by Python subclasses. As in Python,
// New runs first, with all arguments; if what it gives has the class or a subclass of it, Init runs with the same
// arguments, unless a Python subclass has its own __init__, which may call super().__init__.
type Class struct {
	Name   string
	Module string
	Bases  []*Class   // empty means object
	Attrs  *Namespace // nil is allowed for a native class

	// New makes the object; cls is the class being called, which may be a Python subclass. nil: an *Instance, or what
	// the base makes.
	New func(ev *Eval, cls *Class, call *Call) (Value, error)
	// Init initialises self; call has the arguments without self. nil: what the base does.
	Init func(ev *Eval, self Value, call *Call) error
	// Subclass is called when a Python class that derives from this one has been made, with its attributes in place.
	Subclass func(ev *Eval, cls *Class, kw []Kwarg) error
	// ClassAttr finds attributes of the class object itself that are not in Attrs (Model.__table__); cls may be a subclass.
	ClassAttr func(ev *Eval, cls *Class, name string) (Value, bool)
	// Is reports whether v is an instance although its class does not derive from this one.
	Is func(v Value) bool
	// Open allows the program to assign attributes, as it may to a class of Python. Attrs must not be nil, and the class must
	// belong to one evaluation.
	Open bool
	// Pure says that New and Init have no effects: with arguments that are not known, the object is not known, and that is all.
	Pure bool
	// Data is for the native code that made the class or hooked its making; see Extra.
	Data any
	// Pos is where a Python class stands.
	Pos Pos

	mro      []*Class
	python   bool       // made by a class statement
	enum     *enumInfo  // set for subclasses of Enum
	fields   []field    // of a dataclass
	data     *dataclass // of a dataclass
	tupleOf  []string   // of a namedtuple
	defaults []Value
	partial  *Unknown // a base is not known, so attributes may exist that are not seen
}

// TypeName implements Value.
func (c *Class) TypeName() string { return "type" }

// MRO is the method resolution order, from the class itself to object.
func (c *Class) MRO() []*Class {
	if c.mro == nil {
		mro, ok := linearize(c)
		if !ok {
			mro = []*Class{c, objectClass}
		}
		if !c.python {
			return mro // a shared literal is never written to
		}
		c.mro = mro
	}
	return c.mro
}

// IsPython reports whether a class statement made the class.
func (c *Class) IsPython() bool { return c.python }

// Derives reports whether c is base or derives from it.
func (c *Class) Derives(base *Class) bool {
	if c == base || base == objectClass {
		return true
	}
	for _, k := range c.MRO() {
		if k == base {
			return true
		}
	}
	return false
}

// Lookup finds an attribute along the method resolution order, unbound.
func (c *Class) Lookup(name string) (Value, bool) {
	v, _, ok := c.find(name)
	return v, ok
}

// find is Lookup that also gives the class in which the attribute stands.
func (c *Class) find(name string) (Value, *Class, bool) {
	if c.Attrs != nil {
		if v, ok := c.Attrs.Load(name); ok {
			return v, c, true
		}
	}
	for _, k := range c.MRO() {
		if k.Attrs != nil {
			if v, ok := k.Attrs.Load(name); ok {
				return v, k, true
			}
		}
	}
	return nil, nil, false
}

// An Object is what an instance consists of: its class and its own attributes. A native type embeds it to be an
// instance of a class, so that Python subclasses of that class work: their methods and attributes are found before
// those that the type's Attr method gives.
type Object struct {
	Cls   *Class
	Attrs Namespace
}

// TypeName implements Value.
func (o *Object) TypeName() string {
	if o.Cls == nil {
		return "object"
	}
	return o.Cls.Name
}

// Class implements Classed.
func (o *Object) Class() *Class { return o.Cls }

func (o *Object) object() *Object { return o }

type objecter interface{ object() *Object }

// An Instance is an instance of a Python class, or of a native class without a New of its own.
type Instance struct {
	Object
	// Native is for the native class that initialised it. It does not take part in the journal: if it is changed after
	// Init, it must be a Mutable and be touched.
	Native any

	base Value // of an instance of a class that derives from str, int, list …
}

// NewInstance gives an instance of a class without running its __init__.
func NewInstance(cls *Class) *Instance { return &Instance{Object: Object{Cls: cls}} }

// A Module is a module of the tree, or a native one.
type Module struct {
	Name  string
	Attrs *Namespace
	File  *File // nil for a native module
	// Missing gives an attribute of a native module that is not in Attrs, or nil. Without it, or if it gives nil, such an
	// attribute is Unknown: "sqlalchemy.foo is not modelled".
	Missing func(ev *Eval, name string) Value
	// Lazy gives names that belong to a native module though only Missing gives their values: a library has hundreds, and a
	// program asks for a few. nil: there are none.
	Lazy func() []string

	pkg     string // the package for relative imports
	path    []string
	loading bool
	known   bool // every attribute is known: an AttributeError is one
}

// TypeName implements Value.
func (*Module) TypeName() string { return "module" }

// NewModule gives a native module. attrs come in pairs of name and value.
func NewModule(name string, attrs ...any) *Module {
	return &Module{Name: name, Attrs: NewNamespace(attrs...)}
}

// A Call is one call of a native function.
type Call struct {
	Args []Value
	Kw   []Kwarg
	// Splat is set if further arguments were passed as * or ** of something that is not known. The evaluator does not
	// call a Native with it unless it is Pure and TakesSplat.
	Splat *Unknown
	// Callee is the name by which a program calls code that cannot be read: that of the attribute, if it is one. It is for
	// Config.UnknownCall.
	Callee string

	pos  Pos
	file *File
	off  int32
}

// A Kwarg is a keyword argument.
type Kwarg struct {
	Name  string
	Value Value
}

// NewCall gives a call, for native code that calls other native code.
func NewCall(pos Pos, args []Value, kw ...Kwarg) *Call {
	return &Call{pos: pos, Args: args, Kw: kw}
}

// Pos is where the call stands in the source.
func (c *Call) Pos() Pos {
	if c.file != nil {
		c.pos = c.file.PosAt(int(c.off))
		c.file = nil
	}
	return c.pos
}

// Keyword gives a keyword argument, or nil.
func (c *Call) Keyword(name string) Value {
	for _, k := range c.Kw {
		if k.Name == name {
			return k.Value
		}
	}
	return nil
}

// shift gives the call without its first argument.
func (c *Call) shift() *Call {
	return &Call{Args: c.Args[1:], Kw: c.Kw, Splat: c.Splat, pos: c.pos, file: c.file, off: c.off}
}

// unshift gives the call with one more argument at the front.
func (c *Call) unshift(v Value) *Call {
	args := make([]Value, len(c.Args)+1)
	args[0] = v
	copy(args[1:], c.Args)
	return &Call{Args: args, Kw: c.Kw, Splat: c.Splat, pos: c.pos, file: c.file, off: c.off}
}

// Bound holds the arguments of a call by parameter.
type Bound struct {
	names  []string
	values []Value
	// Rest holds what *args took, Kw what **kw took.
	Rest []Value
	Kw   []Kwarg
}

// Value gives the argument for a parameter, or nil if it was not passed.
func (b *Bound) Value(name string) Value {
	for i, n := range b.names {
		if n == name {
			return b.values[i]
		}
	}
	return nil
}

// Bind matches the arguments with parameters, with Python's rules and TypeErrors. A parameter is "name" (required),
// "name=" (optional: Value gives nil if it was not passed), "*" (what follows is keyword-only), "*args" or "**kw".
//
//	b, err := call.Bind(ev, "add_column", "table_name", "column", "*", "schema=", "**kw")
func (c *Call) Bind(ev *Eval, fn string, params ...string) (*Bound, error) {
	b := &Bound{}
	type param struct{ required, kwOnly bool }
	var ps []param
	star, kwOnly, starKw := false, false, false
	positional := 0
	for _, p := range params {
		switch {
		case strings.HasPrefix(p, "**"):
			starKw = true
		case p == "*":
			kwOnly = true
		case p[0] == '*':
			star, kwOnly = true, true
		default:
			name, optional := strings.CutSuffix(p, "=")
			b.names = append(b.names, name)
			ps = append(ps, param{required: !optional, kwOnly: kwOnly})
			if !kwOnly {
				positional++
			}
		}
	}
	b.values = make([]Value, len(b.names))
	if len(c.Args) > positional {
		if !star {
			return nil, ev.Raisef("TypeError", "%s() takes %d positional argument%s but %d %s given", fn, positional, plural(positional), len(c.Args), wasWere(len(c.Args)))
		}
		b.Rest = append(b.Rest, c.Args[positional:]...)
	}
	copy(b.values[:positional], c.Args)
next:
	for _, k := range c.Kw {
		for i, n := range b.names {
			if n == k.Name {
				if b.values[i] != nil {
					return nil, ev.Raisef("TypeError", "%s() got multiple values for argument '%s'", fn, n)
				}
				b.values[i] = k.Value
				continue next
			}
		}
		if !starKw {
			return nil, ev.Raisef("TypeError", "%s() got an unexpected keyword argument '%s'", fn, k.Name)
		}
		b.Kw = append(b.Kw, k)
	}
	for i, p := range ps {
		if p.required && b.values[i] == nil {
			return nil, ev.Raisef("TypeError", "%s() missing required argument: '%s'", fn, b.names[i])
		}
	}
	return b, nil
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

func wasWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// The small interfaces of native values. A value implements those that its Python type has.
type (
	// Attrer gives attributes. false means that there is none of that name; a Python subclass's attributes and those of
	// the class are then looked at too.
	Attrer interface {
		Attr(ev *Eval, name string) (Value, bool)
	}
	// AttrSetter sets attributes. Without it, a value that embeds Object keeps them there, and others raise AttributeError.
	AttrSetter interface {
		SetAttr(ev *Eval, name string, v Value) error
	}
	// Indexer is x[key]; key may be a *Slice.
	Indexer interface {
		Index(ev *Eval, key Value) (Value, error)
	}
	// IndexSetter is x[key] = v; v is nil for del x[key].
	IndexSetter interface {
		SetIndex(ev *Eval, key, v Value) error
	}
	// Iterable gives the items of an iteration, or an *Unknown in their place.
	Iterable interface {
		Iterate(ev *Eval) ([]Value, *Unknown, error)
	}
	// Caller is x(…).
	Caller interface {
		Call(ev *Eval, call *Call) (Value, error)
	}
	// Operator is a binary operator or comparison (OpAdd … OpMatMul, OpEq … OpGtE). reflected means that the value is on
	// the right. A nil Value means NotImplemented: the other side is asked, and == falls back to identity.
	Operator interface {
		Binary(ev *Eval, op Op, other Value, reflected bool) (Value, error)
	}
	// UnaryOperator is -x, +x or ~x. A nil Value is a TypeError.
	UnaryOperator interface {
		Unary(ev *Eval, op Op) (Value, error)
	}
	// Truther gives the truth: a Bool or an *Unknown. Without it a value is true, or its length is not 0.
	Truther interface {
		Truth(ev *Eval) (Value, error)
	}
	// Sizer gives len(x): an Int or an *Unknown.
	Sizer interface {
		Size(ev *Eval) (Value, error)
	}
	// Container is key in x: a Bool or an *Unknown. Without it the items are compared.
	Container interface {
		Contains(ev *Eval, key Value) (Value, error)
	}
	// Texter gives str(x) and repr(x): a Str or an *Unknown.
	Texter interface {
		Text(ev *Eval, repr bool) (Value, error)
	}
	// Manager is a context manager. Exit gets the exception that left the block, or nil, and tells whether it is
	// swallowed.
	Manager interface {
		Enter(ev *Eval, pos Pos) (Value, error)
		Exit(ev *Eval, pos Pos, exc *Instance) (bool, error)
	}
	// Classed gives type(x).
	Classed interface {
		Class() *Class
	}
	// HandleHolder tells whether code that gets the value could change the schema with it (rule 4 of the package).
	HandleHolder interface {
		Handle() bool
	}
	// Same tells whether two native values are interchangeable, when both branches of a condition that is not known
	// made one each. Without it only identical pointers are.
	Same interface {
		Same(ev *Eval, other Value) bool
	}
	// Mutable is state that changes. Native code calls [Eval.Touch] before each change. Save gives a copy of the state
	// (not of the values that it refers to), Restore puts one back; neither may call the evaluator.
	Mutable interface {
		Save() any
		Restore(state any)
	}
	// Merger is a Mutable that can be set to what is common to two states, after the branches of a condition that is not
	// known have changed it differently. before is the state before both. Without it differing states are a gap, and
	// the state before is kept.
	Merger interface {
		Mutable
		Merge(ev *Eval, before, a, b any, why *Unknown)
	}
)

// A Raise is a Python exception as a Go error.
type Raise struct {
	Exc *Instance
	Pos Pos // where it was raised
	// Unknown is set if it is not known what was raised (raise of an Unknown).
	Unknown *Unknown
	// Implied: no raise statement or assert raised it, but an operation or a native function. It may be a fault of this
	// evaluator, which does not know all of Python.
	Implied bool
}

// Error gives the class, the text and the position.
func (r *Raise) Error() string {
	return fmt.Sprintf("%s: %s", posString(r.Pos), r.Text())
}

// Text gives the exception as the last line of a traceback has it.
func (r *Raise) Text() string {
	name := r.Exc.Cls.Name
	if msg := excMessage(r.Exc); msg != "" {
		return name + ": " + msg
	}
	return name
}

func posString(p Pos) string {
	if p.File == "" {
		return "-"
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// IntValue gives the Value for a big integer. It keeps x.
func IntValue(x *big.Int) Value {
	if x.IsInt64() {
		return Int(x.Int64())
	}
	return &BigInt{x}
}
