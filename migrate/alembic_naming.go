package migrate

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"instep/internal/python"
	"instep/internal/sqlalchemy"
)

// naming gives the naming convention of the environment's target_metadata, by which Alembic names constraints and indexes
// that have no name. In most projects there is none, and reading all models only to learn this would be slow. So the
// word naming_convention is looked for first: in env.py and what it imports from this tree, or, where that is nothing
// because the models come from somewhere at run time (Flask), in all Python files. Only where it stands, the expression
// that env.py gives as target_metadata is evaluated; where that leads nowhere, the names are not known.
func (e *alembicEnv) naming(fsys fs.FS, atEnd func(func())) sqlalchemy.Naming {
	file := path.Join(e.dir, "env.py")
	src, err := fs.ReadFile(fsys, file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !strings.Contains(string(src), "target_metadata") {
		return sqlalchemy.Naming{}
	}
	unknown := func(why string) sqlalchemy.Naming {
		return sqlalchemy.Naming{Unknown: &sqlalchemy.Unknown{Why: "the naming convention of target_metadata in " + file + " is not known: " + why}}
	}
	if err != nil {
		return unknown(err.Error())
	}
	roots := python.ImportRoots(fsys, e.dir)
	if !mentionsNaming(fsys, roots, file) {
		return sqlalchemy.Naming{}
	}
	tree, err := python.Parse(file, src)
	if err != nil {
		return unknown(err.Error())
	}
	target := targetMetadata(tree)
	switch target.(type) {
	case nil:
		return unknown("it is made at run time")
	case *python.ListExpr, *python.TupleExpr:
		return sqlalchemy.Naming{} // Alembic asks for the attribute of a MetaData, which several of them together do not have
	}
	module, names, ok := importedName(tree, target)
	if !ok {
		return unknown("it is made at run time")
	}
	engine := sqlalchemy.NewEngine(nil, "")
	ev := python.New(python.Config{
		FS: fsys, Roots: roots, Cache: &e.cache,
		Native: func(ev *python.Eval, name string) *python.Module { return engine.Module(ev, name) },
	})
	atEnd(ev.Close)
	engine.Eval = ev
	v, err := ev.Import(module)
	for _, name := range names {
		if err != nil {
			break
		}
		if m, ok := v.(*python.Module); ok {
			v, err = ev.ImportFrom(m, name) // from app import models: an attribute, or else a module below it
			continue
		}
		v, err = ev.Attr(v, name)
	}
	if err != nil {
		return unknown(err.Error())
	}
	if m, ok := v.(*sqlalchemy.MetaData); ok {
		return m.Naming
	}
	return unknown(why(v))
}

// importsOf gives what the import statements of a source can name: modules, and names in modules that may be modules
// themselves. It looks at lines that begin with import or from; one inside a string costs a look at a file, no more.
func importsOf(src string) []string {
	var names []string
	for src != "" {
		line := src
		if i := strings.IndexByte(src, '\n'); i >= 0 {
			line, src = src[:i], src[i+1:]
		} else {
			src = ""
		}
		line = strings.TrimLeft(line, " \t")
		if rest, ok := strings.CutPrefix(line, "import "); ok {
			for _, n := range strings.Split(rest, ",") {
				if f := strings.Fields(n); len(f) > 0 {
					names = append(names, f[0])
				}
			}
			continue
		}
		rest, ok := strings.CutPrefix(line, "from ")
		if !ok {
			continue
		}
		module, list, ok := strings.Cut(rest, " import ")
		if !ok {
			continue
		}
		module = strings.TrimSpace(module)
		if strings.Contains(list, "(") && !strings.Contains(list, ")") {
			more, after, _ := strings.Cut(src, ")")
			list, src = list+more, after
		}
		names = append(names, module)
		for _, n := range strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune("(), \t\r\n\\", r) }) {
			names = append(names, strings.TrimSuffix(module, ".")+"."+n)
			if strings.HasSuffix(module, ".") {
				names[len(names)-1] = module + n
			}
		}
	}
	return names
}

// maxImports bounds how many files are searched.
const maxImports = 3000

// mentionsNaming tells whether naming_convention stands in a file, or in what it imports from the tree.
func mentionsNaming(fsys fs.FS, roots []string, file string) bool {
	seen := map[string]bool{file: true}
	todo := []string{file}
	for len(todo) > 0 && len(seen) < maxImports {
		file := todo[0]
		todo = todo[1:]
		src, err := fs.ReadFile(fsys, file)
		if err != nil {
			continue
		}
		text := string(src)
		if strings.Contains(text, "naming_convention") {
			return true
		}
		for _, name := range unique(importsOf(text)) {
			for _, f := range importedFiles(fsys, roots, file, name) {
				if !seen[f] {
					seen[f] = true
					todo = append(todo, f)
				}
			}
		}
	}
	if len(seen) > 1 {
		return false
	}
	found := false
	count := 0
	fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || found || count > maxImports:
			return fs.SkipAll
		case d.IsDir():
			if base := path.Base(name); name != "." && (strings.HasPrefix(base, ".") || base == "node_modules" || inTestData(base)) {
				return fs.SkipDir
			}
		case strings.HasSuffix(name, ".py"):
			count++
			src, err := fs.ReadFile(fsys, name)
			found = err == nil && strings.Contains(string(src), "naming_convention")
		}
		return nil
	})
	return found
}

// importedFiles gives the files of the tree that a module's name can mean in file.
func importedFiles(fsys fs.FS, roots []string, file, name string) []string {
	if strings.HasPrefix(name, ".") {
		dir := path.Dir(file)
		name = name[1:]
		for strings.HasPrefix(name, ".") {
			dir, name = path.Dir(dir), name[1:]
		}
		roots = []string{dir}
	}
	if top, _, _ := strings.Cut(name, "."); top == "sqlalchemy" || top == "alembic" {
		return nil
	}
	var files []string
	for _, root := range roots {
		stem := path.Join(root, strings.ReplaceAll(name, ".", "/"))
		for _, f := range []string{stem + ".py", path.Join(stem, "__init__.py")} {
			if !fs.ValidPath(f) {
				continue
			}
			if _, err := fs.Stat(fsys, f); err == nil {
				files = append(files, f)
			}
		}
	}
	return files
}

// targetMetadata finds the expression that env.py gives as target_metadata: what the variable is set to, or else the
// argument of configure().
func targetMetadata(tree *python.File) python.Expr {
	if v := staticVars(tree, "target_metadata")["target_metadata"]; v != nil {
		if v.x == nil {
			// from app.db import metadata as target_metadata
			imported := &python.NameExpr{Name: "target_metadata"}
			if _, _, ok := importedName(tree, imported); ok {
				return imported
			}
		}
		return v.x
	}
	var found python.Expr
	walkFile(tree, func(n python.Node) bool {
		if k, ok := n.(*python.CallExpr); ok {
			for _, kw := range k.Keywords {
				if kw.Name == "target_metadata" && found == nil {
					found = kw.X
				}
			}
		}
		return true
	})
	return found
}

// importedName takes an expression such as models.Base.metadata apart: the module that its first name is imported from,
// and the attributes to follow from there.
func importedName(tree *python.File, x python.Expr) (module string, names []string, ok bool) {
	for {
		a, isAttr := x.(*python.AttrExpr)
		if !isAttr {
			break
		}
		names = append(names, a.Name)
		x = a.X
	}
	slices.Reverse(names)
	root, isName := x.(*python.NameExpr)
	if !isName {
		return "", nil, false
	}
	walkFile(tree, func(n python.Node) bool {
		switch s := n.(type) {
		case *python.ImportFromStmt:
			for _, a := range s.Names {
				if s.Level == 0 && (a.AsName == root.Name || a.AsName == "" && a.Name == root.Name) {
					module, ok = s.Module, true
					names = append([]string{a.Name}, names...)
				}
			}
		case *python.ImportStmt:
			for _, a := range s.Names {
				switch {
				case a.AsName == root.Name:
					module, ok = a.Name, true
				case a.AsName == "" && (a.Name == root.Name || strings.HasPrefix(a.Name, root.Name+".")):
					module, ok = root.Name, true
				}
			}
		}
		return !ok
	})
	return module, names, ok
}

// walkFile visits all nodes of a file.
func walkFile(tree *python.File, visit func(python.Node) bool) {
	for _, stmt := range tree.Body {
		python.Walk(stmt, visit)
	}
}
