package python

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
)

// A Cache keeps parsed and compiled files by path and content, for evaluations that read the same files. The zero value
// is ready, and it is safe for concurrent use.
type Cache struct {
	mu    sync.Mutex
	files map[cacheKey]*cached
}

type cacheKey struct {
	name string
	sum  [sha256.Size]byte
}

type cached struct {
	once sync.Once
	file *File
	code *code
	err  error
}

// Parse gives the tree of a file.
func (c *Cache) Parse(name string, src []byte) (*File, error) {
	e := c.get(name, src)
	return e.file, e.err
}

func (c *Cache) get(name string, src []byte) *cached {
	key := cacheKey{name, sha256.Sum256(src)}
	c.mu.Lock()
	if c.files == nil {
		c.files = map[cacheKey]*cached{}
	}
	e := c.files[key]
	if e == nil {
		e = new(cached)
		c.files[key] = e
	}
	c.mu.Unlock()
	e.once.Do(func() {
		e.file, e.err = Parse(name, src)
		if e.err == nil {
			e.code = compileModule(e.file)
		}
	})
	return e
}

// ImportRoots gives the folders in which absolute imports of the files in dir are looked up, nearest first: those from
// dir upwards that are not packages themselves, their src and lib folders, and the root.
func ImportRoots(fsys fs.FS, dir string) []string {
	var out []string
	seen := map[string]bool{}
	add := func(d string) {
		if !seen[d] {
			seen[d] = true
			if st, err := fs.Stat(fsys, d); err == nil && st.IsDir() {
				out = append(out, d)
			}
		}
	}
	for d := path.Clean(dir); ; d = path.Dir(d) {
		if _, err := fs.Stat(fsys, path.Join(d, "__init__.py")); err != nil {
			add(d)
		}
		for _, s := range []string{"src", "lib", "lib/python", "python"} {
			add(path.Join(d, s))
		}
		if d == "." || d == "/" {
			break
		}
	}
	add(".")
	return out
}

// read reads a source file of the tree, up to the budget.
func (ev *Eval) read(name string) ([]byte, error) {
	f, err := ev.cfg.FS.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return nil, fs.ErrNotExist
	}
	// With room for the whole file and its end, the buffer need not grow.
	buf := bytes.NewBuffer(make([]byte, 0, min(max(st.Size(), 0), int64(ev.budget.File))+bytes.MinRead))
	if _, err := buf.ReadFrom(io.LimitReader(f, int64(ev.budget.File)+1)); err != nil {
		return nil, err
	}
	b := buf.Bytes()
	if len(b) > ev.budget.File {
		return nil, fmt.Errorf("%s has more than %d bytes", name, ev.budget.File)
	}
	return b, nil
}

// Load evaluates the file at a path of the tree as a module and gives it. The result is not nil even if it could not be
// read, or if the evaluation ended early: what was assigned before is there. What stopped it is a gap.
func (ev *Eval) Load(name string) *Module {
	name = path.Clean(name)
	pkg := ""
	modName := strings.TrimSuffix(path.Base(name), ".py")
	// A file inside of packages has its dotted name, so that relative imports work.
	for _, root := range ev.cfg.Roots {
		rel := name
		if root != "." {
			var ok bool
			if rel, ok = strings.CutPrefix(name, root+"/"); !ok {
				continue
			}
		}
		dotted := strings.ReplaceAll(strings.TrimSuffix(rel, ".py"), "/", ".")
		if i := strings.LastIndexByte(dotted, '.'); i >= 0 && !strings.Contains(dotted, "..") {
			pkg = dotted[:i]
		}
		modName = dotted
		break
	}
	m := &Module{Name: modName, Attrs: &Namespace{}, pkg: pkg}
	if m2, ok := ev.modules[modName]; ok && m2.File != nil && m2.File.Name == name {
		return m2
	}
	m.Attrs.store("__name__", Str(modName))
	src, err := ev.read(name)
	if err != nil {
		ev.Gap(Gap{Pos: Pos{File: name}, What: "the file cannot be read", Why: readError(err)})
		return m
	}
	e := ev.cache.get(name, src)
	if e.err != nil {
		ev.Gap(Gap{Pos: syntaxPos(name, e.err), What: "the file cannot be parsed", Why: syntaxMsg(e.err)})
		m.Attrs.taint = NewUnknown(syntaxPos(name, e.err), "the file cannot be parsed: "+syntaxMsg(e.err))
		return m
	}
	ev.modules[modName] = m
	ev.guard(Pos{File: name, Line: 1, Col: 1}, func() {
		if err := ev.exec(m, e.code); err != nil {
			ev.report(err, "the module "+name)
			m.Attrs.taint = NewUnknown(Pos{File: name}, "the evaluation of "+name+" ended early")
		}
	})
	return m
}

// readError gives the reason without a path of the machine.
func readError(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

func syntaxPos(name string, err error) Pos {
	var se *SyntaxError
	if errors.As(err, &se) {
		return se.Pos
	}
	return Pos{File: name}
}

func syntaxMsg(err error) string {
	var se *SyntaxError
	if errors.As(err, &se) {
		return se.Msg
	}
	return err.Error()
}

// exec runs a module's body.
func (ev *Eval) exec(m *Module, co *code) error {
	co = co.compiled()
	m.File = co.file
	fr := &frame{ev: ev, code: co, file: co.file, ns: m.Attrs, globals: m, epoch: ev.epoch, back: ev.fr}
	fr.locals = make([]Value, co.nslots)
	if len(co.stmts) > 0 {
		if d := docOf(co.stmts); d != None {
			m.Attrs.Store(ev, "__doc__", d)
		}
	}
	if ev.depth >= ev.budget.Depth {
		return ev.abort("%d calls within calls", ev.budget.Depth)
	}
	m.loading = true
	ev.depth++
	back := ev.fr
	ev.fr = fr
	base := len(ev.pending)
	r := co.body(fr)
	if len(ev.pending) > base {
		r = ev.settle(fr, base, ctlReturn, r)
	}
	ev.fr = back
	ev.depth--
	m.loading = false
	if r == ctlRaise {
		return fr.err
	}
	return nil
}

// guard runs f so that a fault of the evaluator itself becomes a gap.
func (ev *Eval) guard(pos Pos, f func()) {
	defer func() {
		if r := recover(); r != nil {
			if ev.fr != nil {
				pos = ev.Pos()
			}
			ev.Gap(Gap{Pos: pos, What: "the code cannot be evaluated", Why: fmt.Sprintf("a fault in the evaluator: %v", r)})
			ev.abort("a fault")
		}
		ev.fr, ev.depth = nil, 0
		if len(ev.pending) > 0 {
			for _, p := range ev.pending {
				if r, ok := p.out.err.(*Raise); ok {
					ev.dropped(p.pos, r, p.why)
					continue
				}
				ev.Gap(Gap{Pos: p.pos, What: "a way out that is not joined", Why: p.why.Why})
			}
			ev.pending = nil
		}
		ev.speculating, ev.tries = 0, 0
		ev.relax()
	}()
	f()
}

// report makes a gap of an error that ends a program.
func (ev *Eval) report(err error, what string) {
	switch e := err.(type) {
	case *giveUp:
		ev.Gap(Gap{Pos: e.pos, What: "gave up after " + e.text, Why: "the budget of an evaluation is bounded"})
	case *Raise:
		why := e.Text()
		if e.Unknown != nil {
			why = e.Unknown.Why
		}
		ev.Gap(Gap{Pos: e.Pos, What: "an exception leaves " + what + ": " + e.Text(), Why: why})
	default:
		ev.Gap(Gap{Pos: ev.Pos(), What: what + " cannot be evaluated", Why: err.Error()})
	}
}

// Run calls a function of a module by name. An exception that leaves it and an exceeded budget are gaps, and so is a
// function that is not there. It tells whether the function returned normally.
func (ev *Eval) Run(m *Module, name string, args ...Value) (v Value, ok bool) {
	return ev.RunWith(m, name, args, nil)
}

// RunWith is Run with keyword arguments.
func (ev *Eval) RunWith(m *Module, name string, args []Value, kw []Kwarg) (v Value, ok bool) {
	fn, found := m.Attrs.Load(name)
	pos := Pos{File: m.Name}
	if m.File != nil {
		pos = Pos{File: m.File.Name, Line: 1, Col: 1}
	}
	if !found {
		why := "there is no such function"
		if m.Attrs.taint != nil {
			why = m.Attrs.taint.Why
		}
		ev.Gap(Gap{Pos: pos, What: name + "()", Why: why})
		return nil, false
	}
	ev.guard(pos, func() {
		if f, isFunc := fn.(*Func); isFunc {
			pos = f.Pos()
		}
		r, err := ev.call(fn, NewCall(pos, args, kw...))
		if err != nil {
			ev.report(err, name+"()")
			return
		}
		v, ok = r, true
	})
	return v, ok
}

// Import is import name: a native module, one of the standard library that is modelled, one of the tree, or an Unknown.
func (ev *Eval) Import(name string) (Value, error) { return ev.importModule(name) }

// absoluteName resolves the name of a from import.
func (ev *Eval) absoluteName(m *Module, name string, level int) (string, error) {
	if level == 0 {
		return name, nil
	}
	pkg := m.pkg
	for i := 1; i < level; i++ {
		j := strings.LastIndexByte(pkg, '.')
		if j < 0 {
			if pkg == "" {
				return "", ev.Raisef("ImportError", "attempted relative import beyond top-level package")
			}
			pkg = ""
			continue
		}
		pkg = pkg[:j]
	}
	if pkg == "" {
		return name, nil
	}
	if name == "" {
		return pkg, nil
	}
	return pkg + "." + name, nil
}

// importModule imports a dotted name and gives the module it names.
func (ev *Eval) importModule(name string) (Value, error) {
	if err := ev.step(); err != nil {
		return nil, err
	}
	if m, ok := ev.modules[name]; ok {
		if m == nil {
			return ev.missing(name), nil
		}
		return m, nil
	}
	if name == "" || strings.Count(name, ".") > 50 {
		return ev.missing(name), nil
	}
	// Parents first.
	var parent *Module
	last := name
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		p, err := ev.importModule(name[:i])
		if err != nil {
			return nil, err
		}
		last = name[i+1:]
		pm, ok := p.(*Module)
		if !ok {
			return p, nil // below something unknown everything is
		}
		parent = pm
		if m, ok := ev.modules[name]; ok && m != nil {
			return m, nil // the parent has imported it
		}
	}
	v, err := ev.findModule(name, last, parent)
	if err != nil {
		return nil, err
	}
	if m, ok := v.(*Module); ok {
		ev.modules[name] = m
		if parent != nil {
			if _, has := parent.Attrs.Load(last); !has || parent.File != nil {
				parent.Attrs.Store(ev, last, m)
			}
		}
	}
	return v, nil
}

// missing gives what stands for a module that cannot be read.
func (ev *Eval) missing(name string) *Unknown {
	return NewUnknown(ev.Pos(), name+" is not in this repository")
}

func (ev *Eval) findModule(name, last string, parent *Module) (Value, error) {
	if ev.cfg.Native != nil {
		if m := ev.cfg.Native(ev, name); m != nil {
			return m, nil
		}
	}
	if m := ev.stdModule(name); m != nil {
		return m, nil
	}
	if parent != nil && parent.File == nil && parent.path == nil {
		// Below a native module.
		if v, ok := parent.Attrs.Load(last); ok {
			return v, nil
		}
		return NewUnknown(ev.Pos(), name+" is not modelled"), nil
	}
	var dirs []string
	if parent != nil {
		dirs = parent.path
	} else {
		dirs = ev.cfg.Roots
	}
	if ev.cfg.FS == nil {
		return ev.missing(name), nil
	}
	var namespace []string
	for _, d := range dirs {
		base := path.Join(d, last)
		if src, err := ev.read(base + "/__init__.py"); err == nil {
			return ev.evalFile(name, base+"/__init__.py", src, []string{base})
		} else if !errors.Is(err, fs.ErrNotExist) {
			return NewUnknown(ev.Pos(), base+"/__init__.py cannot be read: "+readError(err)), nil
		}
		if src, err := ev.read(base + ".py"); err == nil {
			return ev.evalFile(name, base+".py", src, nil)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return NewUnknown(ev.Pos(), base+".py cannot be read: "+readError(err)), nil
		}
		if st, err := fs.Stat(ev.cfg.FS, base); err == nil && st.IsDir() {
			namespace = append(namespace, base)
		}
	}
	if namespace != nil {
		if parent == nil && stdNames[name] {
			return NewUnknown(ev.Pos(), "the module "+name+" is not modelled"), nil
		}
		m := &Module{Name: name, Attrs: &Namespace{}, pkg: name, path: namespace}
		m.Attrs.store("__name__", Str(name))
		return m, nil
	}
	if parent != nil {
		if stdNames[name] {
			return NewUnknown(ev.Pos(), "the module "+name+" is not modelled"), nil
		}
		if parent.File != nil && parent.Attrs.taint == nil {
			if _, ok := parent.Attrs.Load(last); !ok && len(parent.path) > 0 && parent.File != nil {
				// A submodule that is not in the tree may be generated.
				return ev.missing(name), nil
			}
		}
	}
	if parent == nil && stdNames[name] {
		return NewUnknown(ev.Pos(), "the module "+name+" is not modelled"), nil
	}
	return ev.missing(name), nil
}

// evalFile evaluates a module of the tree.
func (ev *Eval) evalFile(name, file string, src []byte, dirs []string) (Value, error) {
	ev.loaded++
	if ev.loaded > ev.budget.Modules {
		return nil, ev.abort("%d modules", ev.budget.Modules)
	}
	if err := ev.alloc(len(src)); err != nil {
		return nil, err
	}
	e := ev.cache.get(file, src)
	if e.err != nil {
		u := NewUnknown(syntaxPos(file, e.err), file+" cannot be parsed: "+syntaxMsg(e.err))
		return u, nil
	}
	m := &Module{Name: name, Attrs: &Namespace{epoch: 0}, path: dirs, pkg: name, loading: true, known: true}
	if dirs == nil {
		m.pkg = ""
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			m.pkg = name[:i]
		}
	}
	m.Attrs.store("__name__", Str(name))
	ev.modules[name] = m
	if err := ev.exec(m, e.code); err != nil {
		if isGiveUp(err) {
			return nil, err
		}
		delete(ev.modules, name)
		return nil, err
	}
	return m, nil
}

// importName is one name of from module import name.
func (ev *Eval) importName(m Value, modName, name string) (Value, error) {
	mod, ok := m.(*Module)
	if !ok {
		if u, isU := m.(*Unknown); isU {
			return u.derive(), nil
		}
		return ev.getAttr(m, name)
	}
	v, err := ev.moduleAttr(mod, name)
	if err != nil {
		return nil, err
	}
	if v != nil && !isUnknown(v) {
		return v, nil
	}
	if mod.path != nil || mod.File == nil {
		sub, err := ev.importModule(modName + "." + name)
		if err != nil {
			return nil, err
		}
		if _, ok := sub.(*Module); ok {
			return sub, nil
		}
		if v == nil && mod.File == nil && mod.path != nil {
			return sub, nil
		}
	}
	if v != nil {
		return v, nil
	}
	if mod.loading {
		return nil, ev.Raisef("ImportError", "cannot import name '%s' from partially initialized module '%s' (most likely due to a circular import)", name, modName)
	}
	return nil, ev.Raisef("ImportError", "cannot import name '%s' from '%s'", name, modName)
}

// moduleAttr gives an attribute of a module, or nil.
func (ev *Eval) moduleAttr(m *Module, name string) (Value, error) {
	if v, ok := m.Attrs.Load(name); ok {
		return v, nil
	}
	switch name {
	case "__dict__":
		d := NewDict()
		attrs := ev.attrs(m)
		for i, n := range attrs.names {
			d.put(Str(n), Str(n), attrs.vals[i])
		}
		d.taint = attrs.taint
		return d, nil
	case "__name__":
		return Str(m.Name), nil
	case "__doc__":
		return None, nil
	case "__file__", "__path__", "__spec__", "__loader__", "__package__":
		return NewUnknown(ev.Pos(), name+" depends on where the program runs"), nil
	}
	if sub, ok := ev.modules[m.Name+"."+name]; ok && sub != nil {
		return sub, nil
	}
	if m.Attrs.taint != nil {
		return m.Attrs.taint.derive(), nil
	}
	if m.File == nil && m.path == nil {
		if m.Missing != nil {
			if v := m.Missing(ev, name); v != nil {
				return v, nil
			}
		}
		if ev.cfg.Native != nil {
			// import sqlalchemy; sqlalchemy.types.X without importing sqlalchemy.types works where the package imports it.
			if sub := ev.cfg.Native(ev, m.Name+"."+name); sub != nil {
				ev.modules[m.Name+"."+name] = sub
				return sub, nil
			}
		}
		if !m.known {
			return NewUnknown(ev.Pos(), m.Name+"."+name+" is not modelled"), nil
		}
		return nil, nil
	}
	if f, ok := m.Attrs.Load("__getattr__"); ok {
		return ev.call(f, NewCall(ev.Pos(), []Value{Str(name)}))
	}
	return nil, nil
}

// attrs gives all attributes of a module, those that are lazy included.
func (ev *Eval) attrs(m *Module) *Namespace {
	if m.Lazy != nil {
		for _, n := range m.Lazy() {
			if m.Attrs.at(n) < 0 {
				m.Attrs.Store(ev, n, m.Missing(ev, n))
			}
		}
	}
	return m.Attrs
}

// importStar is from module import *.
func (ev *Eval) importStar(m Value, ns *Namespace) error {
	mod, ok := m.(*Module)
	if !ok {
		if u, isU := m.(*Unknown); isU {
			// Any name may have come from there.
			ev.Touch(ns)
			ns.taint = u.derive()
		}
		return nil
	}
	if all, ok := mod.Attrs.Load("__all__"); ok {
		names, u, err := ev.list(all)
		if err != nil {
			return err
		}
		for _, n := range names {
			s, ok := n.(Str)
			if !ok {
				continue
			}
			v, err := ev.importName(mod, mod.Name, string(s))
			if err != nil {
				if r, ok := err.(*Raise); ok && r.Exc.Cls == exceptionClass("ImportError") {
					return ev.Raisef("AttributeError", "module '%s' has no attribute '%s'", mod.Name, s)
				}
				return err
			}
			ns.Store(ev, string(s), v)
		}
		if u != nil {
			ev.Touch(ns)
			ns.taint = u.derive()
		}
		return nil
	}
	for _, n := range ev.attrs(mod).Names() {
		if !strings.HasPrefix(n, "_") {
			v, _ := mod.Attrs.Load(n)
			ns.Store(ev, n, v)
		}
	}
	if mod.Attrs.taint != nil {
		ev.Touch(ns)
		ns.taint = mod.Attrs.taint
	}
	if mod.File == nil && mod.path == nil && !mod.known {
		ev.Touch(ns)
		ns.taint = NewUnknown(ev.Pos(), "not everything of "+mod.Name+" is modelled")
	}
	return nil
}
