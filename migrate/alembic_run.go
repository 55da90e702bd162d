package migrate

import (
	"io/fs"
	"path"
	"regexp"
	"slices"

	"instep/analyzer/schema"
	"instep/internal/python"
	"instep/internal/sqlalchemy"
)

// An alembicEnv is one Alembic environment: the folder with the env.py.
type alembicEnv struct {
	dir   string
	cache python.Cache
}

// run evaluates upgrade() of a revision on a schema.
func (e *alembicEnv) run(fsys fs.FS, rev *alembicRevision, before *schema.Schema) Migration {
	m := Migration{ID: rev.id, Name: rev.name, File: rev.file}
	up := e.evaluate(fsys, rev, "upgrade", before)
	m.Statements, m.Steps, m.After, m.Gaps = up.Statements, up.Steps, up.After, up.Gaps
	return m
}

// down evaluates downgrade() on the schema after a revision. One that cannot be read gives nothing: it proves nothing
// about the upgrade.
func (e *alembicEnv) down(fsys fs.FS, rev *alembicRevision, after *schema.Schema) []schema.Statement {
	if r := e.evaluate(fsys, rev, "downgrade", after); len(r.Gaps) == 0 {
		return r.Statements
	}
	return nil
}

// evaluate runs one function of a revision.
func (e *alembicEnv) evaluate(fsys fs.FS, rev *alembicRevision, function string, before *schema.Schema) sqlalchemy.Result {
	engine := sqlalchemy.NewEngine(before, rev.id)
	engine.VersionTable = versionTable(fsys, e.dir)
	var ops *alembicOps
	ev := python.New(python.Config{
		FS: fsys, Roots: python.ImportRoots(fsys, path.Dir(rev.file)), Cache: &e.cache,
		Native: func(ev *python.Eval, name string) *python.Module {
			if m := ops.native(name); m != nil {
				return m
			}
			return engine.Module(ev, name)
		},
		UnknownCall: unreadCall(engine),
	})
	closers := []func(){ev.Close}
	atEnd := func(f func()) { closers = append(closers, f) }
	defer func() {
		for _, f := range closers {
			f()
		}
	}()
	engine.Eval = ev
	ops = newAlembicOps(ev, engine, engine.Connection(), func() sqlalchemy.Naming { return e.naming(fsys, atEnd) })
	module := ev.Load(rev.file)
	runFunction(ev, module, function, rev.file, nil, e.keywords(fsys, ops)...)
	return engine.Result()
}

// runFunction runs a function of a migration's module. One that is missing makes the real library fail.
func runFunction(ev *python.Eval, module *python.Module, name, file string, args []python.Value, kw ...python.Kwarg) {
	fn, ok := module.Attrs.Load(name)
	if u, unknown := fn.(*python.Unknown); unknown && !u.Acts {
		// It comes from code that is not in the tree. One that may act is a gap when it is called.
		ev.Gap(python.Gap{Pos: python.Pos{File: file, Line: 1, Col: 1}, What: "what " + name + "() of " + file + " does", Why: u.Why})
		return
	}
	if !ok {
		if len(ev.Gaps()) == 0 {
			ev.Gap(python.Gap{Pos: python.Pos{File: file, Line: 1, Col: 1}, What: "the migration " + file, Why: "it has no function " + name + "()"})
		}
		return
	}
	ev.RunWith(module, name, args, kw)
}

// keywords gives the arguments that env.py hands to run_migrations(), which Alembic passes on to upgrade(). op is known
// where it is imported; anything else may hold a connection.
func (e *alembicEnv) keywords(fsys fs.FS, ops *alembicOps) []python.Kwarg {
	file := path.Join(e.dir, "env.py")
	src, err := fs.ReadFile(fsys, file)
	if err != nil || !runsWithArguments.Match(src) {
		return nil
	}
	tree, err := e.cache.Parse(file, src)
	if err != nil {
		return nil
	}
	var kw []python.Kwarg
	walkFile(tree, func(n python.Node) bool {
		call, ok := n.(*python.CallExpr)
		if !ok {
			return true
		}
		if fn, ok := call.Fn.(*python.AttrExpr); !ok || fn.Name != "run_migrations" {
			return true
		}
		for _, k := range call.Keywords {
			if k.Name == "" || slices.ContainsFunc(kw, func(x python.Kwarg) bool { return x.Name == k.Name }) {
				continue
			}
			var v python.Value = &python.Unknown{Pos: tree.Pos(k.X), Why: "what env.py gives to " + k.Name + " is not followed", Acts: true}
			if module, names, ok := importedName(tree, k.X); ok && module == "alembic" && slices.Equal(names, []string{"op"}) {
				v = &opValue{ops: ops}
			}
			kw = append(kw, python.Kwarg{Name: k.Name, Value: v})
		}
		return true
	})
	return kw
}

// runsWithArguments matches a call of run_migrations() with arguments.
var runsWithArguments = regexp.MustCompile(`\brun_migrations\(\s*[^\s)]`)
