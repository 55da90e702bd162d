package python

// getAttr is getattr(v, name).
func (ev *Eval) getAttr(v Value, name string) (Value, error) {
	r, err := ev.lookup(v, name)
	if r != nil || err != nil {
		return r, err
	}
	switch v := v.(type) {
	case *Class:
		return nil, ev.Raisef("AttributeError", "type object '%s' has no attribute '%s'", v.Name, name)
	case *Module:
		return nil, ev.Raisef("AttributeError", "module '%s' has no attribute '%s'", v.Name, name)
	}
	return nil, ev.Raisef("AttributeError", "'%s' object has no attribute '%s'", v.TypeName(), name)
}

// lookup is getattr that gives nil if there is no such attribute.
func (ev *Eval) lookup(v Value, name string) (Value, error) {
	r, err := ev.find(v, name)
	if r == nil && err == nil && unmodelled(v, name) {
		of := v.TypeName()
		if c, ok := v.(*Class); ok {
			of = c.Name
		}
		return NewUnknown(ev.Pos(), of+"."+name+" is not modelled"), nil
	}
	return r, err
}

// find is lookup in what this package knows.
func (ev *Eval) find(v Value, name string) (Value, error) {
	switch x := v.(type) {
	case *Unknown:
		return x.derive(), nil
	case *Module:
		return ev.moduleAttr(x, name)
	case *Class:
		return ev.classAttr(x, name)
	case *superValue:
		return ev.superAttr(x, name)
	case *Instance:
		return ev.instanceAttr(v, &x.Object, name)
	case *Func:
		return ev.funcAttr(x, name)
	case *BoundMethod:
		switch name {
		case "__self__":
			return x.Self, nil
		case "__func__":
			return x.Fn, nil
		}
		return ev.lookup(x.Fn, name)
	}
	if o, ok := v.(objecter); ok {
		return ev.instanceAttr(v, o.object(), name)
	}
	if a, ok := v.(Attrer); ok {
		if r, ok := a.Attr(ev, name); ok {
			return r, nil
		}
	}
	if name == "__class__" {
		return ClassOf(v), nil
	}
	var attrs *Namespace
	var cls *Class
	switch x := v.(type) {
	case *Dict:
		attrs, cls = x.attrs, x.cls
	case *Tuple:
		attrs, cls = x.attrs, x.cls
		if cls != nil {
			for i, n := range cls.tupleOf {
				if n == name && i < len(x.Items) {
					return x.Items[i], nil
				}
			}
		}
	default:
		cls = ClassOf(v)
	}
	if attrs != nil {
		if r, ok := attrs.Load(name); ok {
			return r, nil
		}
	}
	if cls != nil {
		if r, owner, ok := cls.find(name); ok {
			return ev.bindAttr(v, cls, owner, r)
		}
	}
	if m := builtinMethod(v, name); m != nil {
		return &BoundMethod{Self: v, Fn: &method{name, m}}, nil
	}
	return ev.builtinAttr(v, name)
}

// method finds what v.name(…) calls: a function and its self, or a callable and nil.
func (ev *Eval) method(v Value, name string) (Value, Value, error) {
	switch x := v.(type) {
	case Str, *List, Int, Bytes, *Set:
		if m := builtinMethod(v, name); m != nil {
			return &method{name, m}, v, nil
		}
	case *Dict:
		if x.cls == nil {
			if m := builtinMethod(v, name); m != nil {
				return &method{name, m}, v, nil
			}
		}
	case *Instance:
		if _, ok := x.Attrs.Load(name); !ok && x.base == nil {
			if f, _, ok := x.Cls.find(name); ok {
				if f, ok := f.(*Func); ok {
					return f, v, nil
				}
			}
		}
	}
	f, err := ev.getAttr(v, name)
	return f, nil, err
}

func (ev *Eval) instanceAttr(v Value, o *Object, name string) (Value, error) {
	cls := o.Cls
	if cls == nil {
		if a, ok := v.(Attrer); ok {
			if r, ok := a.Attr(ev, name); ok {
				return r, nil
			}
		}
		return nil, nil
	}
	if o.Attrs.taint != nil {
		return o.Attrs.taint.derive(), nil
	}
	cv, owner, inClass := cls.find(name)
	if inClass {
		if p, ok := cv.(*Property); ok && !p.cached {
			return ev.bindAttr(v, cls, owner, cv)
		}
		if d, ok := cv.(*Instance); ok {
			if _, ok := d.Cls.Lookup("__set__"); ok {
				return ev.bindAttr(v, cls, owner, cv)
			}
		}
	}
	if r, ok := o.Attrs.Load(name); ok {
		return r, nil
	}
	if inClass && owner.python {
		return ev.bindAttr(v, cls, owner, cv)
	}
	if a, ok := v.(Attrer); ok {
		if r, ok := a.Attr(ev, name); ok {
			return r, nil
		}
	}
	if inClass {
		return ev.bindAttr(v, cls, owner, cv)
	}
	switch name {
	case "__class__":
		return cls, nil
	case "__dict__":
		d := NewDict()
		for i, n := range o.Attrs.names {
			d.put(Str(n), Str(n), o.Attrs.vals[i])
		}
		return d, nil
	case "__init__":
		// object.__init__, or that of a native class
		return &Native{Name: "__init__", Fn: func(ev *Eval, call *Call) (Value, error) {
			for _, k := range cls.MRO() {
				if k.Init != nil {
					return None, k.Init(ev, v, call)
				}
			}
			return None, nil
		}}, nil
	case "__module__":
		return Str(cls.Module), nil
	case "__doc__":
		return None, nil
	}
	if x, ok := v.(*Instance); ok {
		if x.base != nil {
			return ev.lookup(x.base, name)
		}
		if r := ev.excAttr(x, name); r != nil {
			return r, nil
		}
	}
	if m, ok := cls.Lookup("__getattr__"); ok {
		r, err := ev.call(m, NewCall(ev.Pos(), []Value{v, Str(name)}))
		if err != nil {
			return nil, err
		}
		return r, nil
	}
	if m := objectMethod(name); m != nil {
		return &BoundMethod{Self: v, Fn: &method{name, m}}, nil
	}
	if u := cls.isPartial(); u != nil {
		return u.derive(), nil
	}
	return nil, nil
}

// excAttr gives the attributes that every exception has.
func (ev *Eval) excAttr(x *Instance, name string) Value {
	if !x.Cls.Derives(exceptionClass("BaseException")) {
		return nil
	}
	switch name {
	case "__cause__":
		return None
	case "__context__", "__traceback__":
		return NewUnknown(ev.Pos(), "where and while what an exception was raised is not modelled")
	case "with_traceback":
		return &Native{Name: name, Pure: true, Fn: func(*Eval, *Call) (Value, error) { return x, nil }}
	case "message":
		return Str(excMessage(x))
	case "value":
		if x.Cls.Name == "StopIteration" {
			if a, ok := x.Attrs.vals[0].(*Tuple); ok && len(a.Items) > 0 {
				return a.Items[0]
			}
			return None
		}
	case "errno", "strerror", "filename":
		if x.Cls.Derives(exceptionClass("OSError")) {
			return None
		}
	case "name", "path":
		if x.Cls.Derives(exceptionClass("ImportError")) {
			return None
		}
	}
	return nil
}

// bindAttr makes of a class's attribute what an instance sees of it.
func (ev *Eval) bindAttr(v Value, cls, owner *Class, a Value) (Value, error) {
	switch f := a.(type) {
	case *Func:
		return &BoundMethod{Self: v, Fn: f}, nil
	case *method:
		return &BoundMethod{Self: v, Fn: f}, nil
	case *Native:
		if f.Static {
			return f, nil
		}
		if owner != nil && owner.python {
			return f, nil // a built-in function assigned in a class body does not bind
		}
		return &BoundMethod{Self: v, Fn: f}, nil
	case *staticMethod:
		return f.fn, nil
	case *classMethod:
		return &BoundMethod{Self: cls, Fn: f.fn}, nil
	case *Property:
		if f.Fget == nil {
			return nil, ev.Raisef("AttributeError", "unreadable attribute")
		}
		r, err := ev.call(f.Fget, NewCall(ev.Pos(), []Value{v}))
		if err == nil && f.cached {
			if o, ok := v.(objecter); ok {
				o.object().Attrs.Store(ev, f.name, r)
			}
		}
		return r, err
	case *Instance:
		if g, ok := f.Cls.Lookup("__get__"); ok {
			return ev.call(g, NewCall(ev.Pos(), []Value{f, v, cls}))
		}
	case binder:
		return f.bind(ev, v, cls)
	}
	return a, nil
}

// binder is a native descriptor.
type binder interface {
	bind(ev *Eval, self Value, cls *Class) (Value, error)
}

func (ev *Eval) classAttr(c *Class, name string) (Value, error) {
	for _, k := range c.MRO() {
		if k.Attrs != nil {
			if v, ok := k.Attrs.Load(name); ok {
				switch f := v.(type) {
				case *staticMethod:
					return f.fn, nil
				case *classMethod:
					return &BoundMethod{Self: c, Fn: f.fn}, nil
				case *Instance:
					if g, ok := f.Cls.Lookup("__get__"); ok {
						return ev.call(g, NewCall(ev.Pos(), []Value{f, None, c}))
					}
				case binder:
					return f.bind(ev, nil, c)
				}
				return v, nil
			}
		}
		if k.ClassAttr != nil {
			if v, ok := k.ClassAttr(ev, c, name); ok {
				return v, nil
			}
		}
	}
	switch name {
	case "__name__":
		return Str(c.Name), nil
	case "__qualname__":
		return Str(c.Name), nil
	case "__module__":
		if c.Module == "" {
			return Str("builtins"), nil
		}
		return Str(c.Module), nil
	case "__doc__":
		return None, nil
	case "__class__":
		return typeClass, nil
	case "__mro__":
		t := &Tuple{}
		for _, k := range c.MRO() {
			t.Items = append(t.Items, k)
		}
		return t, nil
	case "mro":
		return &Native{Name: "mro", Pure: true, Fn: func(ev *Eval, call *Call) (Value, error) {
			l := &List{}
			for _, k := range c.MRO() {
				l.Items = append(l.Items, k)
			}
			return l, nil
		}}, nil
	case "__bases__":
		t := &Tuple{}
		for _, k := range c.Bases {
			t.Items = append(t.Items, k)
		}
		if len(t.Items) == 0 && c != objectClass {
			t.Items = append(t.Items, objectClass)
		}
		return t, nil
	case "__dict__":
		d := NewDict()
		if c.Attrs != nil {
			for i, n := range c.Attrs.names {
				d.put(Str(n), Str(n), c.Attrs.vals[i])
			}
		}
		return d, nil
	case "__subclasses__":
		return NewUnknown(ev.Pos(), "subclasses are not tracked"), nil
	case "__annotations__":
		return NewDict(), nil
	case "__init__":
		return &Native{Name: "__init__", Fn: func(ev *Eval, call *Call) (Value, error) {
			if len(call.Args) == 0 {
				return nil, ev.Raisef("TypeError", "unbound method needs an argument")
			}
			self := call.Args[0]
			for _, k := range c.MRO() {
				if k.Init != nil {
					return None, k.Init(ev, self, call.shift())
				}
			}
			if x, ok := self.(*Instance); ok && c.Derives(exceptionClass("BaseException")) {
				x.Attrs.Store(ev, "args", &Tuple{Items: call.Args[1:]})
			}
			if d, ok := self.(*Dict); ok && c.Derives(dictClass) {
				return None, ev.dictInit(d, call.shift())
			}
			return None, nil
		}}, nil
	case "__new__":
		return &Native{Name: "__new__", Static: true, Fn: func(ev *Eval, call *Call) (Value, error) {
			if len(call.Args) == 0 {
				return nil, ev.Raisef("TypeError", "__new__() needs a class")
			}
			k, ok := call.Args[0].(*Class)
			if !ok {
				return NewUnknown(call.Pos(), "__new__ of something that is not a class"), nil
			}
			return ev.newObject(k, c, call.shift())
		}}, nil
	}
	// A class method of a built-in type.
	var static methodFn
	switch {
	case name == "fromkeys" && c.Derives(dictClass):
		static = dictMethod(name, nil)
	case name == "maketrans" && c.Derives(strClass):
		static = strMaketrans
	case name == "fromhex" && c.Derives(bytesClass):
		static = bytesFromHex
	case name == "from_bytes" && c.Derives(intClass):
		static = intFromBytes
	}
	if static != nil {
		return &Native{Name: name, Pure: true, Static: true, Fn: func(ev *Eval, call *Call) (Value, error) { return static(ev, c, call) }}, nil
	}
	// A method of a built-in type, unbound: str.lower.
	for _, k := range c.MRO() {
		if m := classMethodOf(k, name); m != nil {
			return &method{name, m}, nil
		}
	}
	if m := objectMethod(name); m != nil {
		return &method{name, m}, nil
	}
	if u := c.isPartial(); u != nil {
		return u.derive(), nil
	}
	return nil, nil
}

// newObject is what c.__new__(cls, …) does.
func (ev *Eval) newObject(cls, c *Class, call *Call) (Value, error) {
	for _, k := range c.MRO() {
		if k.python {
			continue
		}
		if k.New != nil {
			return k.New(ev, cls, call)
		}
		if v, ok, err := ev.allocate(cls, k, call); ok {
			return v, err
		}
	}
	x := NewInstance(cls)
	if cls.Derives(exceptionClass("BaseException")) {
		x.Attrs.store("args", &Tuple{Items: call.Args})
	}
	return x, nil
}

func (ev *Eval) superAttr(s *superValue, name string) (Value, error) {
	found := false
	for _, k := range s.cls.MRO() {
		if !found {
			found = k == s.start
			continue
		}
		if k.partial != nil {
			if k.Attrs == nil || k.Attrs.at(name) < 0 {
				return k.partial.derive(), nil
			}
		}
		if k.Attrs != nil {
			if v, ok := k.Attrs.Load(name); ok {
				if _, isClass := s.self.(*Class); isClass {
					switch f := v.(type) {
					case *classMethod:
						return &BoundMethod{Self: s.self, Fn: f.fn}, nil
					case *staticMethod:
						return f.fn, nil
					}
					return v, nil
				}
				return ev.bindAttr(s.self, s.cls, k, v)
			}
		}
		if k.python {
			continue
		}
		switch name {
		case "__init__":
			if k.Init != nil {
				init := k.Init
				return &Native{Name: "__init__", Fn: func(ev *Eval, call *Call) (Value, error) { return None, init(ev, s.self, call) }}, nil
			}
			if k == dictClass {
				if d, ok := s.self.(*Dict); ok {
					return &Native{Name: "__init__", Fn: func(ev *Eval, call *Call) (Value, error) { return None, ev.dictInit(d, call) }}, nil
				}
			}
		case "__new__":
			k := k
			if k.New != nil || k == objectClass {
				return &Native{Name: "__new__", Static: true, Fn: func(ev *Eval, call *Call) (Value, error) {
					c, ok := s.self.(*Class)
					if len(call.Args) > 0 {
						if a, isClass := call.Args[0].(*Class); isClass {
							c, ok = a, true
						}
						call = call.shift()
					}
					if !ok {
						return NewUnknown(call.Pos(), "__new__ without a class"), nil
					}
					return ev.newObject(c, k, call)
				}}, nil
			}
		}
		if m := classMethodOf(k, name); m != nil {
			return &BoundMethod{Self: unbase(s.self), Fn: &method{name, m}}, nil
		}
	}
	// What a native type gives by its Attr method lies behind the Python classes.
	if a, ok := s.self.(Attrer); ok {
		if v, ok := a.Attr(ev, name); ok {
			return v, nil
		}
	}
	switch name {
	case "__init__":
		return &Native{Name: "__init__", Pure: true, Fn: func(ev *Eval, call *Call) (Value, error) {
			if x, ok := s.self.(*Instance); ok && s.cls.Derives(exceptionClass("BaseException")) {
				x.Attrs.Store(ev, "args", &Tuple{Items: call.Args})
			}
			return None, nil
		}}, nil
	case "__init_subclass__", "__set_name__":
		return &Native{Name: name, Pure: true, Fn: func(*Eval, *Call) (Value, error) { return None, nil }}, nil
	case "__setattr__":
		return &Native{Name: name, Pure: true, Fn: func(ev *Eval, call *Call) (Value, error) {
			if o, ok := s.self.(objecter); ok && len(call.Args) == 2 {
				if n, ok := call.Args[0].(Str); ok {
					o.object().Attrs.Store(ev, string(n), call.Args[1])
					return None, nil
				}
			}
			return NewUnknown(call.Pos(), "__setattr__ of a built-in"), nil
		}}, nil
	case "__getattribute__":
		return &Native{Name: name, Pure: true, Fn: func(ev *Eval, call *Call) (Value, error) {
			if len(call.Args) == 1 {
				if n, ok := call.Args[0].(Str); ok {
					return ev.getAttr(s.self, string(n))
				}
			}
			return NewUnknown(call.Pos(), "__getattribute__"), nil
		}}, nil
	}
	if m := objectMethod(name); m != nil {
		return &BoundMethod{Self: s.self, Fn: &method{name, m}}, nil
	}
	return nil, nil
}

// unbase gives the built-in value inside an instance of a class that derives from str, list ….
func unbase(v Value) Value {
	if x, ok := v.(*Instance); ok && x.base != nil {
		return x.base
	}
	return v
}

func (ev *Eval) funcAttr(f *Func, name string) (Value, error) {
	if f.attrs != nil {
		if v, ok := f.attrs.Load(name); ok {
			return v, nil
		}
	}
	switch name {
	case "__name__":
		return Str(f.code.name), nil
	case "__qualname__":
		return Str(f.code.qual), nil
	case "__doc__":
		return f.code.doc, nil
	case "__module__":
		return Str(f.globals.Name), nil
	case "__dict__":
		return NewDict(), nil
	case "__defaults__", "__kwdefaults__", "__code__", "__globals__", "__closure__", "__annotations__":
		return NewUnknown(ev.Pos(), name+" of a function is not modelled"), nil
	case "__get__":
		return &Native{Name: "__get__", Pure: true, Fn: func(ev *Eval, call *Call) (Value, error) {
			if len(call.Args) == 0 || call.Args[0] == None {
				return f, nil
			}
			return &BoundMethod{Self: call.Args[0], Fn: f}, nil
		}}, nil
	case "__call__":
		return f, nil
	case "__class__":
		return functionClass, nil
	}
	return nil, nil
}

// setAttr is setattr(v, name, x).
func (ev *Eval) setAttr(v Value, name string, x Value) error {
	switch o := v.(type) {
	case *Unknown:
		return nil
	case *Module:
		o.Attrs.Store(ev, name, x)
		return nil
	case *Class:
		if !o.python && !o.Open {
			return ev.Raisef("TypeError", "cannot set '%s' attribute of immutable type '%s'", name, o.Name)
		}
		if p, ok := x.(*Property); ok && p.cached && p.name == "" {
			p.name = name
		}
		o.Attrs.Store(ev, name, x)
		return nil
	case *Func:
		if f := o.attrs; f == nil {
			o.attrs = &Namespace{epoch: ev.epoch}
		}
		o.attrs.Store(ev, name, x)
		return nil
	case *Dict:
		if o.attrs != nil {
			o.attrs.Store(ev, name, x)
			return nil
		}
	case *Tuple:
		if o.attrs != nil {
			o.attrs.Store(ev, name, x)
			return nil
		}
	}
	if o, ok := v.(objecter); ok {
		obj := o.object()
		if obj.Cls != nil {
			if a, owner, ok := obj.Cls.find(name); ok {
				switch p := a.(type) {
				case *Property:
					if p.cached {
						break
					}
					if p.Fset == nil {
						return ev.Raisef("AttributeError", "property '%s' of '%s' object has no setter", name, obj.Cls.Name)
					}
					_, err := ev.call(p.Fset, NewCall(ev.Pos(), []Value{v, x}))
					return err
				case *Instance:
					if s, ok := p.Cls.Lookup("__set__"); ok {
						_, err := ev.call(s, NewCall(ev.Pos(), []Value{p, v, x}))
						return err
					}
				}
				_ = owner
			}
			if m, k, ok := obj.Cls.find("__setattr__"); ok && k.python {
				_, err := ev.call(m, NewCall(ev.Pos(), []Value{v, Str(name), x}))
				return err
			}
			if obj.Cls.data != nil && obj.Cls.data.frozen {
				return ev.Raise(ev.libClass("dataclasses", "FrozenInstanceError", "AttributeError"), Str("cannot assign to field '"+name+"'"))
			}
			if s, ok := obj.Cls.Lookup("__slots__"); ok && !ev.slotAllows(obj.Cls, s, name) {
				return ev.Raisef("AttributeError", "'%s' object has no attribute '%s'", obj.Cls.Name, name)
			}
		}
		if s, ok := v.(AttrSetter); ok {
			return s.SetAttr(ev, name, x)
		}
		if name == "__class__" {
			return ev.Raisef("TypeError", "__class__ assignment is not modelled")
		}
		obj.Attrs.Store(ev, name, x)
		return nil
	}
	if s, ok := v.(AttrSetter); ok {
		return s.SetAttr(ev, name, x)
	}
	if n, ok := v.(*Native); ok && n != nil {
		return nil // a mark on a built-in function means nothing here
	}
	return ev.Raisef("AttributeError", "'%s' object has no attribute '%s'", v.TypeName(), name)
}

// slotAllows tells whether the __slots__ of the classes allow the attribute.
func (ev *Eval) slotAllows(cls *Class, _ Value, name string) bool {
	for _, k := range cls.MRO() {
		if k == objectClass {
			break
		}
		if k.Attrs == nil {
			return true
		}
		s, ok := k.Attrs.Load("__slots__")
		if !ok {
			return true
		}
		if s == Str(name) {
			return true
		}
		items, u, err := ev.list(s)
		if err != nil || u != nil {
			return true
		}
		for _, x := range items {
			if x == Str(name) || x == Str("__dict__") {
				return true
			}
		}
	}
	return false
}

func (ev *Eval) delAttr(v Value, name string) error {
	switch o := v.(type) {
	case *Unknown:
		return nil
	case *Module:
		if o.Attrs.Delete(ev, name) {
			return nil
		}
	case *Class:
		if o.python && o.Attrs.Delete(ev, name) {
			return nil
		}
	}
	if o, ok := v.(objecter); ok {
		obj := o.object()
		if obj.Cls != nil {
			if a, _, ok := obj.Cls.find(name); ok {
				if p, ok := a.(*Property); ok && p.Fdel != nil {
					_, err := ev.call(p.Fdel, NewCall(ev.Pos(), []Value{v}))
					return err
				}
			}
			if m, k, ok := obj.Cls.find("__delattr__"); ok && k.python {
				_, err := ev.call(m, NewCall(ev.Pos(), []Value{v, Str(name)}))
				return err
			}
		}
		if obj.Attrs.Delete(ev, name) {
			return nil
		}
	}
	return ev.Raisef("AttributeError", "'%s' object has no attribute '%s'", v.TypeName(), name)
}

// special finds a special method of an instance's class, bound; nil if there is none.
func (ev *Eval) special(v Value, name string) (Value, bool) {
	var cls *Class
	switch x := v.(type) {
	case *Instance:
		cls = x.Cls
	case *Dict:
		cls = x.cls
	case *Tuple:
		cls = x.cls
	case objecter:
		cls = x.object().Cls
	}
	if cls == nil {
		return nil, false
	}
	m, owner, ok := cls.find(name)
	if !ok || m == None {
		return nil, false
	}
	switch f := m.(type) {
	case *Func:
		return &BoundMethod{Self: v, Fn: f}, true
	case *Native:
		if !owner.python {
			return &BoundMethod{Self: v, Fn: f}, true
		}
		return f, true
	}
	r, err := ev.bindAttr(v, cls, owner, m)
	return r, err == nil
}

// callMethod calls a method by name.
func (ev *Eval) callMethod(v Value, name string, args ...Value) (Value, error) {
	if m, ok := ev.special(v, name); ok {
		return ev.call(m, NewCall(ev.Pos(), args))
	}
	m, err := ev.getAttr(v, name)
	if err != nil {
		return nil, err
	}
	return ev.call(m, NewCall(ev.Pos(), args))
}
