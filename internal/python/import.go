package python

// Load evaluates the module at a path of the tree, as `import` would, and gives it. The result is not nil even if the
// evaluation ended early: what was assigned before is there. What stopped it is a gap.
func (ev *Eval) Load(path string) *Module { return ev.load(path) }

// Import is import name: a native module, one of the standard library that is modelled, one of the tree, or an Unknown.
func (ev *Eval) Import(name string) (Value, error) { return ev.importModule(name) }

// Run calls a function of a module by name, with everything that belongs to the end of a program: an exception that
// leaves it, and an exceeded budget, are gaps. It tells whether the function returned normally.
func (ev *Eval) Run(m *Module, name string, args ...Value) (Value, bool) { return ev.run(m, name, args) }
