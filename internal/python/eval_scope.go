package python

// symbols is what one scope does with names: the body of a module, function, lambda, class, generator expression or
// (inlined) comprehension.
type symbols struct {
	kind      scopeKind
	bound     map[string]bool
	used      map[string]bool
	globals   map[string]bool
	nonlocals map[string]bool
	inner     []*symbols
	yields    bool
	free      map[string]bool // once computed
	byNode    map[Node]*symbols
}

type scopeKind uint8

const (
	moduleScope scopeKind = iota
	funcScope
	classScope
	compScope
)

func newSymbols(kind scopeKind, byNode map[Node]*symbols) *symbols {
	return &symbols{kind: kind, bound: map[string]bool{}, used: map[string]bool{}, byNode: byNode}
}

// collector walks syntax and fills symbols.
type collector struct{ s *symbols }

func (c *collector) bind(name string) {
	if name != "" {
		c.s.bound[name] = true
	}
}

func (c *collector) enter(kind scopeKind, n Node) *collector {
	s := newSymbols(kind, c.s.byNode)
	c.s.inner = append(c.s.inner, s)
	c.s.byNode[n] = s
	return &collector{s}
}

func (c *collector) stmts(list []Stmt) {
	for _, s := range list {
		c.stmt(s)
	}
}

func (c *collector) exprs(list []Expr) {
	for _, x := range list {
		c.expr(x)
	}
}

func (c *collector) params(ps []Param) {
	for i := range ps {
		if ps[i].Tuple != nil {
			c.target(ps[i].Tuple)
		}
		c.bind(ps[i].Name)
	}
}

func (c *collector) defaults(ps []Param) {
	for i := range ps {
		c.expr(ps[i].Default)
	}
}

func (c *collector) target(x Expr) {
	switch x := x.(type) {
	case *NameExpr:
		c.bind(x.Name)
	case *TupleExpr:
		for _, e := range x.Elts {
			c.target(e)
		}
	case *ListExpr:
		for _, e := range x.Elts {
			c.target(e)
		}
	case *StarExpr:
		c.target(x.X)
	default:
		c.expr(x)
	}
}

func (c *collector) stmt(s Stmt) {
	switch s := s.(type) {
	case *ExprStmt:
		c.expr(s.X)
	case *AssignStmt:
		c.expr(s.X)
		for _, t := range s.Targets {
			c.target(t)
		}
	case *AugAssignStmt:
		c.expr(s.X)
		c.target(s.Target)
		if n, ok := s.Target.(*NameExpr); ok {
			c.s.used[n.Name] = true
		}
	case *AnnAssignStmt:
		c.expr(s.X)
		c.target(s.Target)
		if c.s.kind != funcScope {
			c.expr(s.Annotation)
		}
	case *ReturnStmt:
		c.expr(s.X)
	case *DelStmt:
		for _, t := range s.Targets {
			c.target(t)
		}
	case *RaiseStmt:
		c.expr(s.X)
		c.expr(s.Cause)
		c.expr(s.Arg)
	case *GlobalStmt:
		if c.s.globals == nil {
			c.s.globals = map[string]bool{}
		}
		for _, n := range s.Names {
			c.s.globals[n] = true
		}
	case *NonlocalStmt:
		if c.s.nonlocals == nil {
			c.s.nonlocals = map[string]bool{}
		}
		for _, n := range s.Names {
			c.s.nonlocals[n] = true
		}
	case *AssertStmt:
		c.expr(s.Cond)
		c.expr(s.Msg)
	case *ImportStmt:
		for _, a := range s.Names {
			c.bind(a.bindName())
		}
	case *ImportFromStmt:
		for _, a := range s.Names {
			if a.Name != "*" {
				c.bind(a.bindName())
			}
		}
	case *IfStmt:
		c.expr(s.Cond)
		c.stmts(s.Body)
		c.stmts(s.Else)
	case *WhileStmt:
		c.expr(s.Cond)
		c.stmts(s.Body)
		c.stmts(s.Else)
	case *ForStmt:
		c.expr(s.Iter)
		c.target(s.Target)
		c.stmts(s.Body)
		c.stmts(s.Else)
	case *TryStmt:
		c.stmts(s.Body)
		for i := range s.Handlers {
			h := &s.Handlers[i]
			c.expr(h.Type)
			c.bind(h.Name)
			if h.Target != nil {
				c.target(h.Target)
			}
			c.stmts(h.Body)
		}
		c.stmts(s.Else)
		c.stmts(s.Finally)
	case *WithStmt:
		for _, it := range s.Items {
			c.expr(it.X)
			if it.Target != nil {
				c.target(it.Target)
			}
		}
		c.stmts(s.Body)
	case *FuncStmt:
		c.bind(s.Name)
		c.exprs(s.Decorators)
		c.defaults(s.Params)
		in := c.enter(funcScope, s)
		in.params(s.Params)
		in.stmts(s.Body)
	case *ClassStmt:
		c.bind(s.Name)
		c.exprs(s.Decorators)
		c.exprs(s.Bases)
		for i := range s.Keywords {
			c.expr(s.Keywords[i].X)
		}
		in := c.enter(classScope, s)
		in.stmts(s.Body)
	case *MatchStmt:
		c.expr(s.Subject)
		for i := range s.Cases {
			c.pattern(s.Cases[i].Pattern)
			c.expr(s.Cases[i].Guard)
			c.stmts(s.Cases[i].Body)
		}
	case *TypeAliasStmt:
		c.bind(s.Name.Name)
	case *PrintStmt:
		c.expr(s.Dest)
		c.exprs(s.Xs)
	case *ExecStmt:
		c.expr(s.X)
		c.expr(s.Globals)
		c.expr(s.Locals)
	}
}

func (a *Alias) bindName() string {
	if a.AsName != "" {
		return a.AsName
	}
	for i := 0; i < len(a.Name); i++ {
		if a.Name[i] == '.' {
			return a.Name[:i]
		}
	}
	return a.Name
}

func (c *collector) pattern(p Pattern) {
	switch p := p.(type) {
	case *ValuePattern:
		c.expr(p.X)
	case *SequencePattern:
		for _, q := range p.Patterns {
			c.pattern(q)
		}
	case *StarPattern:
		c.bind(p.Name)
	case *MappingPattern:
		c.exprs(p.Keys)
		for _, q := range p.Patterns {
			c.pattern(q)
		}
		c.bind(p.Rest)
	case *ClassPattern:
		c.expr(p.Class)
		for _, q := range p.Patterns {
			c.pattern(q)
		}
		for _, q := range p.KwPatterns {
			c.pattern(q)
		}
	case *AsPattern:
		if p.Pattern != nil {
			c.pattern(p.Pattern)
		}
		c.bind(p.Name)
	case *OrPattern:
		for _, q := range p.Patterns {
			c.pattern(q)
		}
	}
}

func (c *collector) expr(x Expr) {
	switch x := x.(type) {
	case nil:
	case *NameExpr:
		c.s.used[x.Name] = true
	case *FStringExpr:
		if x != nil {
			c.exprs(x.Parts)
		}
	case *FormatExpr:
		c.expr(x.X)
		if x.Spec != nil {
			c.expr(x.Spec)
		}
	case *AttrExpr:
		c.expr(x.X)
	case *IndexExpr:
		c.expr(x.X)
		c.expr(x.Index)
	case *SliceExpr:
		c.expr(x.Lower)
		c.expr(x.Upper)
		c.expr(x.Step)
	case *CallExpr:
		c.expr(x.Fn)
		c.exprs(x.Args)
		for i := range x.Keywords {
			c.expr(x.Keywords[i].X)
		}
	case *UnaryExpr:
		c.expr(x.X)
	case *BinExpr:
		c.expr(x.X)
		c.expr(x.Y)
	case *BoolExpr:
		c.exprs(x.Xs)
	case *CompareExpr:
		c.expr(x.X)
		c.exprs(x.Ys)
	case *CondExpr:
		c.expr(x.Cond)
		c.expr(x.Then)
		c.expr(x.Else)
	case *LambdaExpr:
		c.defaults(x.Params)
		in := c.enter(funcScope, x)
		in.params(x.Params)
		in.expr(x.Body)
	case *TupleExpr:
		c.exprs(x.Elts)
	case *ListExpr:
		c.exprs(x.Elts)
	case *SetExpr:
		c.exprs(x.Elts)
	case *DictExpr:
		c.exprs(x.Keys)
		c.exprs(x.Values)
	case *CompExpr:
		c.comp(x)
	case *AwaitExpr:
		c.expr(x.X)
	case *YieldExpr:
		c.s.yields = true
		c.expr(x.X)
	case *StarExpr:
		c.expr(x.X)
	case *WalrusExpr:
		c.expr(x.X)
		c.bind(x.Target.Name)
	case *ReprExpr:
		c.expr(x.X)
	}
}

// comp enters a comprehension. Its first iterable belongs to the scope outside; := binds outside too.
func (c *collector) comp(x *CompExpr) {
	c.expr(x.Fors[0].Iter)
	kind := compScope
	if x.Kind == GeneratorComp {
		kind = funcScope
	}
	in := c.enter(kind, x)
	for i := range x.Fors {
		in.target(x.Fors[i].Target)
	}
	targets := make(map[string]bool, len(in.s.bound))
	for n := range in.s.bound {
		targets[n] = true
	}
	for i := range x.Fors {
		if i > 0 {
			in.expr(x.Fors[i].Iter)
		}
		in.exprs(x.Fors[i].Ifs)
	}
	in.expr(x.X)
	in.expr(x.Y)
	for n := range in.s.bound {
		if !targets[n] { // bound by :=
			delete(in.s.bound, n)
			c.bind(n)
			if kind == funcScope {
				if in.s.nonlocals == nil {
					in.s.nonlocals = map[string]bool{}
				}
				in.s.nonlocals[n] = true
			} else {
				in.s.used[n] = true
			}
		}
	}
	if kind == compScope {
		for n := range in.s.used {
			if !in.s.bound[n] {
				c.s.used[n] = true
			}
		}
		c.s.yields = c.s.yields || in.s.yields
	}
}

// captured is what function-like scopes within s take from s or from further out.
func (s *symbols) captured() map[string]bool {
	out := map[string]bool{}
	for _, in := range s.inner {
		if in.kind == compScope {
			for n := range in.captured() {
				if !in.bound[n] {
					out[n] = true
				}
			}
		} else {
			for n := range in.freeNames() {
				out[n] = true
			}
		}
	}
	return out
}

// freeNames is what s takes from further out.
func (s *symbols) freeNames() map[string]bool {
	if s.free != nil {
		return s.free
	}
	s.free = map[string]bool{}
	add := func(n string, own bool) {
		if s.globals[n] && own {
			return
		}
		if s.kind == classScope {
			if own && s.bound[n] && !s.nonlocals[n] {
				return
			}
		} else if s.bound[n] && !s.nonlocals[n] && !s.globals[n] {
			return
		} else if s.globals[n] {
			return
		}
		s.free[n] = true
	}
	for n := range s.used {
		add(n, true)
	}
	for n := range s.nonlocals {
		s.free[n] = true
	}
	for n := range s.captured() {
		add(n, false)
	}
	return s.free
}

// scope is the compile-time view of a frame's names.
type scope struct {
	sym    *symbols
	parent *scope // the enclosing scope, as names see it
	frame  *scope // the scope that owns the frame (itself, except for a comprehension)
	slots  map[string]int
	cells  map[string]bool
	// of a frame's scope:
	nslots int
	free   []string
}

func newScope(sym *symbols, parent *scope) *scope {
	sc := &scope{sym: sym, parent: parent, slots: map[string]int{}, cells: map[string]bool{}}
	sc.frame = sc
	if sym.kind == compScope {
		sc.frame = parent.frame
	}
	if sym.kind == funcScope || sym.kind == compScope {
		captured := sym.captured()
		for n := range sym.bound {
			if sym.globals[n] || sym.nonlocals[n] {
				continue
			}
			sc.slots[n] = sc.frame.nslots
			sc.frame.nslots++
			if captured[n] {
				sc.cells[n] = true
			}
		}
	}
	return sc
}

type refKind uint8

const (
	refLocal  refKind = iota // a slot
	refCell                  // a slot that holds a cell
	refFree                  // a cell of an enclosing function
	refName                  // class body: namespace, then globals; n is the free cell or -1
	refGlobal                // globals, then builtins
)

type ref struct {
	kind refKind
	n    int
}

// resolve tells how a name is reached from the scope.
func (sc *scope) resolve(name string) ref {
	s := sc
	for {
		if i, ok := s.slots[name]; ok {
			if s.cells[name] {
				return ref{refCell, i}
			}
			return ref{refLocal, i}
		}
		if s.sym.globals[name] {
			return ref{refGlobal, 0}
		}
		if s.sym.kind != compScope {
			break
		}
		s = s.parent
	}
	switch s.sym.kind {
	case moduleScope:
		return ref{refGlobal, 0}
	case classScope:
		n := -1
		if (!s.sym.bound[name] || s.sym.nonlocals[name]) && s.parent.provides(name) {
			n = s.freeIndex(name)
		}
		if s.sym.nonlocals[name] && n >= 0 {
			return ref{refFree, n}
		}
		return ref{refName, n}
	}
	if s.parent != nil && s.parent.provides(name) {
		return ref{refFree, s.freeIndex(name)}
	}
	return ref{refGlobal, 0}
}

// provides tells whether functions within sc find the name in sc or further out, short of the globals.
func (sc *scope) provides(name string) bool {
	for s := sc; s != nil; s = s.parent {
		if s.sym.kind == funcScope || s.sym.kind == compScope {
			if s.sym.globals[name] {
				return false
			}
			if _, ok := s.slots[name]; ok {
				return true
			}
		}
	}
	return false
}

// freeIndex gives the index of a free variable of a frame's scope.
func (sc *scope) freeIndex(name string) int {
	for i, n := range sc.free {
		if n == name {
			return i
		}
	}
	sc.free = append(sc.free, name)
	return len(sc.free) - 1
}
