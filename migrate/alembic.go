package migrate

import (
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"instep/analyzer/schema"
	"instep/internal/python"
)

// Alembic reads the migrations of Alembic, SQLAlchemy's own tool: Python files under versions/, ordered by what each
// says of its predecessors. upgrade() is evaluated, never run, and becomes the statements that Alembic sends to MySQL.
//
// An environment is a folder with an env.py. env.py itself is read for the naming convention of target_metadata, and for what
// plainly changes the schema beside the revisions, which is a gap; see environmentGaps. What else it does (hooks, filters, a
// connection made by hand, settings of its session) is not followed.
var Alembic = &Framework{
	Name:   "alembic",
	Detect: detectAlembic,
	Read:   readAlembic,
}

// maxRevisions bounds the number of files that are read as revisions of one history.
const maxRevisions = 20000

// detectAlembic finds folders with an env.py that are Alembic's: those with revisions under versions/, and those
// that an alembic.ini names as script_location. Folders of test data are left out; see inTestData.
func detectAlembic(fsys fs.FS, files []string) []string {
	var dirs []string
	for _, file := range files {
		dir, base := path.Split(file)
		if base != "env.py" {
			continue
		}
		dir = path.Clean(dir)
		if inTestData(dir) || !isAlembicEnv(fsys, files, dir) {
			continue
		}
		if anyUnder(files, path.Join(dir, "versions"), isRevisionFile) || hasVersionLocations(fsys, dir) {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// isAlembicEnv tells whether the env.py in dir is Alembic's: its template stands beside it, or it speaks of alembic.
func isAlembicEnv(fsys fs.FS, files []string, dir string) bool {
	if _, ok := slices.BinarySearch(files, path.Join(dir, "script.py.mako")); ok {
		return true
	}
	src, err := fs.ReadFile(fsys, path.Join(dir, "env.py"))
	return err == nil && strings.Contains(string(src), "alembic")
}

func hasVersionLocations(fsys fs.FS, dir string) bool {
	conf, err := alembicConfigFor(fsys, dir)
	return err == nil && len(conf.locations) > 0
}

// inTestData tells whether a folder is test data by its name: whether it is, or lies under, a folder named test,
// tests, testing, testdata, test_data, fixtures or examples. Nothing is migrated in production from such a place as
// far as conventions go; where one is, it can be configured.
func inTestData(dir string) bool {
	for _, part := range strings.Split(dir, "/") {
		switch part {
		case "test", "tests", "testing", "testdata", "test_data", "fixtures", "examples":
			return true
		}
	}
	return false
}

// anyUnder tells whether one of the sorted files under dir has a name that ok accepts.
func anyUnder(files []string, dir string, ok func(base string) bool) bool {
	i, _ := slices.BinarySearch(files, dir+"/")
	for ; i < len(files) && strings.HasPrefix(files[i], dir+"/"); i++ {
		if ok(path.Base(files[i])) {
			return true
		}
	}
	return false
}

// isRevisionFile tells whether Alembic looks at a file of that name in a versions folder.
func isRevisionFile(base string) bool {
	return strings.HasSuffix(base, ".py") && !strings.HasPrefix(base, ".#") && !strings.HasPrefix(base, "__init__")
}

// readAlembic finds the revisions of the environment in dir and orders them.
func readAlembic(fsys fs.FS, dir string) (*History, error) {
	h := &History{Framework: "alembic", Dir: dir, Database: databaseName(dir)}
	conf, err := alembicConfigFor(fsys, dir)
	if err != nil {
		return nil, err
	}
	h.Gaps = append(h.Gaps, conf.gaps...)
	found, err := findRevisionFiles(fsys, dir, conf)
	if err != nil {
		return nil, err
	}
	h.Gaps = append(h.Gaps, found.gaps...)
	h.Gaps = append(h.Gaps, environmentGaps(fsys, dir)...)
	var revs []*alembicRevision
	var helpers []string
	declares := map[string]bool{} // folders with a revision
	for _, file := range found.files {
		rev, gaps, err := readRevision(fsys, file)
		if err != nil {
			return nil, err
		}
		h.Gaps = append(h.Gaps, gaps...)
		if rev == nil {
			if len(gaps) == 0 {
				helpers = append(helpers, file)
			}
			continue
		}
		declares[path.Dir(file)] = true
		revs = append(revs, rev)
	}
	for _, file := range helpers {
		if declares[path.Dir(file)] {
			h.Gaps = append(h.Gaps, schema.Gap{
				Pos: schema.Pos{File: file, Line: 1, Col: 1}, What: "a file without a revision id among the revisions",
				Why: "Alembic refuses to read a versions folder with such a file",
			})
		}
	}
	ordered, gaps := orderAlembic(revs)
	h.Gaps = append(h.Gaps, gaps...)
	if len(conf.locations) == 0 {
		h.Gaps = append(h.Gaps, strayRevisions(fsys, found.files, revs)...)
	}
	env := &alembicEnv{dir: dir}
	for _, rev := range ordered {
		h.Revisions = append(h.Revisions, Revision{
			ID: rev.id, Name: rev.name, File: rev.file, Parents: append([]string{}, rev.parents()...),
			Run:  func(fsys fs.FS, before *schema.Schema) Migration { return env.run(fsys, rev, before) },
			Down: func(fsys fs.FS, after *schema.Schema) []schema.Statement { return env.down(fsys, rev, after) },
		})
	}
	return h, nil
}

// revisionFiles are the files that may hold revisions, in order, and what stood in the way.
type revisionFiles struct {
	files []string
	gaps  []schema.Gap
}

// findRevisionFiles lists the files of an environment's versions folders. Without version_locations in a
// configuration file, versions/ is read with all folders below it: Alembic itself does this only with
// recursive_version_locations, but projects set their locations in code, which is not read. A revision that Alembic
// would not see then makes a second head, or a second id, and so a gap; it is never passed over in silence.
func findRevisionFiles(fsys fs.FS, dir string, conf *alembicConfig) (*revisionFiles, error) {
	found := &revisionFiles{}
	if len(conf.locations) == 0 {
		if err := found.add(fsys, path.Join(dir, "versions"), true); err != nil {
			return nil, err
		}
	}
	for _, loc := range conf.locations {
		if err := found.add(fsys, loc, conf.recursive); err != nil {
			return nil, err
		}
	}
	found.files = unique(found.files)
	return found, nil
}

func (r *revisionFiles) add(fsys fs.FS, dir string, recursive bool) error {
	entries, err := fs.ReadDir(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch {
		case e.IsDir():
			if recursive && e.Name() != "__pycache__" && !inTestData(e.Name()) {
				if err := r.add(fsys, name, true); err != nil {
					return err
				}
			}
		case !isRevisionFile(e.Name()):
		case !e.Type().IsRegular():
			r.gaps = append(r.gaps, schema.Gap{Pos: schema.Pos{File: name}, What: "the revision in " + name, Why: "it is a symbolic link, which is not followed"})
		case len(r.files) == maxRevisions:
			r.gaps = append(r.gaps, schema.Gap{Pos: schema.Pos{File: dir}, What: "the revisions in " + dir, Why: "gave up after 20000 files"})
			return nil
		case len(r.files) < maxRevisions:
			r.files = append(r.files, name)
		}
	}
	return nil
}

// databaseName derives a name that tells the databases of one repository apart from the path of their migrations: the
// last folder whose name says more than what lies in it. nova/db/main/migrations gives main, src/auslib/alembic auslib.
func databaseName(dir string) string {
	parts := strings.Split(dir, "/")
	for _, part := range slices.Backward(parts) {
		name := strings.ToLower(part)
		for _, suffix := range []string{"_migrations", "_migration", "_repo", "_alembic"} {
			name = strings.TrimSuffix(name, suffix)
		}
		switch name {
		case "", ".", "alembic", "migrate", "migration", "migrations", "versions", "db", "database", "sql", "sqlalchemy",
			"src", "lib", "backend", "storage", "schema":
			continue
		}
		return name
	}
	return ""
}

// These find the ids in a file that cannot be parsed, so that it keeps its place in the order.
var (
	revisionLine     = regexp.MustCompile(`(?m)^revision\s*(?::[^=\n]*)?=\s*['"]([^'"\n]+)['"]`)
	downRevisionLine = regexp.MustCompile(`(?m)^down_revision\s*(?::[^=\n]*)?=\s*(?:['"]([^'"\n]+)['"]|None)`)
)

// legacyRevision is the name of a file that Alembic 0.1 wrote, whose id stands in its name only.
var legacyRevision = regexp.MustCompile(`^([a-f0-9]+)\.py$`)

// readRevision reads what a file says of its place in the history. A nil revision without a gap is a file that
// declares none.
func readRevision(fsys fs.FS, file string) (*alembicRevision, []schema.Gap, error) {
	src, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, nil, err
	}
	top := schema.Pos{File: file, Line: 1, Col: 1}
	rev := &alembicRevision{file: file, pos: top, downPos: top, depsPos: top}
	tree, err := python.Parse(file, src)
	if err != nil {
		id, down := revisionLine.FindSubmatch(src), downRevisionLine.FindSubmatch(src)
		if id == nil || down == nil {
			return nil, []schema.Gap{syntaxGap(file, err)}, nil
		}
		rev.id = string(id[1])
		if len(down[1]) > 0 {
			rev.down = []string{string(down[1])}
		}
		return rev, nil, nil // running it tells that it cannot be parsed
	}
	vars := staticVars(tree, "revision", "down_revision", "depends_on", "branch_labels")
	rev.name = docTitle(tree)
	if v := vars["revision"]; v != nil {
		rev.pos = v.pos
		ids, ok := v.strings()
		if !ok || len(ids) != 1 {
			return nil, []schema.Gap{{Pos: v.pos, What: "the id of a revision", Why: "`revision` is not a literal text"}}, nil
		}
		rev.id = ids[0]
		if strings.ContainsAny(rev.id, "@-+") {
			return rev, []schema.Gap{{Pos: v.pos, What: "revision " + rev.id, Why: "Alembic refuses the characters @, - and + in an id"}}, nil
		}
	} else if m := legacyRevision.FindStringSubmatch(path.Base(file)); m != nil {
		rev.id = m[1]
	} else {
		return nil, nil, nil
	}
	var gaps []schema.Gap
	if v := vars["down_revision"]; v != nil {
		rev.downPos = v.pos
		ids, ok := v.strings()
		if !ok {
			gaps = append(gaps, schema.Gap{Pos: v.pos, What: "the place of revision " + rev.id, Why: "`down_revision` is not a literal text, tuple or None"})
		}
		rev.down = ids
	} else {
		gaps = append(gaps, schema.Gap{Pos: rev.pos, What: "the place of revision " + rev.id, Why: "the file declares no `down_revision`: Alembic refuses to read it"})
	}
	if v := vars["depends_on"]; v != nil {
		rev.depsPos = v.pos
		ids, ok := v.strings()
		if !ok {
			gaps = append(gaps, schema.Gap{Pos: v.pos, What: "what revision " + rev.id + " depends on", Why: "`depends_on` is not a literal text, tuple or None"})
		}
		rev.deps = ids
	}
	if v := vars["branch_labels"]; v != nil {
		rev.labels, rev.anyLabels = v.labels()
	}
	return rev, gaps, nil
}

// syntaxGap says that a file cannot be read as Python.
func syntaxGap(file string, err error) schema.Gap {
	gap := schema.Gap{Pos: schema.Pos{File: file, Line: 1, Col: 1}, What: "the file " + file, Why: err.Error()}
	var syntax *python.SyntaxError
	if errors.As(err, &syntax) {
		gap.Pos = schemaPos(syntax.Pos)
		gap.Why = "it cannot be read as Python: " + syntax.Msg
	}
	return gap
}

func schemaPos(p python.Pos) schema.Pos { return schema.Pos{File: p.File, Line: p.Line, Col: p.Col} }

// docTitle gives the first line of a file's docstring.
func docTitle(tree *python.File) string {
	if len(tree.Body) == 0 {
		return ""
	}
	stmt, ok := tree.Body[0].(*python.ExprStmt)
	if !ok {
		return ""
	}
	doc, ok := stmt.X.(*python.StringLit)
	if !ok {
		return ""
	}
	title, _, _ := strings.Cut(strings.TrimSpace(doc.Value), "\n")
	return strings.TrimSpace(title)
}

// A staticVar is a variable of a module, read without evaluating it.
type staticVar struct {
	pos    schema.Pos
	x      python.Expr            // nil if it is bound in a way that is not followed
	others map[string]python.Expr // constants that it may name
}

// staticVars finds how the named variables of a module are bound, and with them the constants that they may refer to.
func staticVars(tree *python.File, names ...string) map[string]*staticVar {
	vars := map[string]*staticVar{}
	consts := map[string]python.Expr{}
	bind := func(target python.Node, name string, x python.Expr) {
		if slices.Contains(names, name) {
			vars[name] = &staticVar{pos: schemaPos(tree.Pos(target)), x: x, others: consts}
			if x != nil {
				vars[name].pos = schemaPos(tree.Pos(x))
			}
		}
		consts[name] = x
	}
	var walk func(body []python.Stmt, sure bool)
	walk = func(body []python.Stmt, sure bool) {
		for _, stmt := range body {
			switch s := stmt.(type) {
			case *python.AssignStmt:
				for _, t := range s.Targets {
					if n, ok := t.(*python.NameExpr); ok && sure {
						bind(s, n.Name, s.X)
					} else {
						for _, name := range namesIn(t) {
							bind(s, name, nil)
						}
					}
				}
			case *python.AnnAssignStmt:
				if n, ok := s.Target.(*python.NameExpr); ok && s.X != nil {
					if sure {
						bind(s, n.Name, s.X)
					} else {
						bind(s, n.Name, nil)
					}
				}
			case *python.AugAssignStmt:
				for _, name := range namesIn(s.Target) {
					bind(s, name, nil)
				}
			case *python.ImportFromStmt:
				for _, a := range s.Names {
					name := a.AsName
					if name == "" {
						name = a.Name
					}
					if name != "*" {
						bind(s, name, nil)
					}
				}
			case *python.IfStmt:
				walk(s.Body, false)
				walk(s.Else, false)
			case *python.TryStmt:
				walk(s.Body, false)
				for _, h := range s.Handlers {
					walk(h.Body, false)
				}
				walk(s.Else, false)
				walk(s.Finally, false)
			case *python.WithStmt:
				walk(s.Body, false)
			case *python.ForStmt:
				for _, name := range namesIn(s.Target) {
					bind(s, name, nil)
				}
				walk(s.Body, false)
			case *python.WhileStmt:
				walk(s.Body, false)
			}
		}
	}
	walk(tree.Body, true)
	return vars
}

// namesIn gives the names that an assignment to x binds.
func namesIn(x python.Expr) []string {
	switch x := x.(type) {
	case *python.NameExpr:
		return []string{x.Name}
	case *python.TupleExpr:
		var names []string
		for _, e := range x.Elts {
			names = append(names, namesIn(e)...)
		}
		return names
	case *python.ListExpr:
		var names []string
		for _, e := range x.Elts {
			names = append(names, namesIn(e)...)
		}
		return names
	case *python.StarExpr:
		return namesIn(x.X)
	}
	return nil
}

// strings gives the texts of a literal text, tuple, list, set or None. Names of constants and + between texts are followed.
func (v *staticVar) strings() ([]string, bool) { return v.stringsOf(v.x, 0) }

func (v *staticVar) stringsOf(x python.Expr, depth int) ([]string, bool) {
	if depth > 20 {
		return nil, false
	}
	var elts []python.Expr
	switch x := x.(type) {
	case *python.NoneLit:
		return nil, true
	case *python.TupleExpr:
		elts = x.Elts
	case *python.ListExpr:
		elts = x.Elts
	case *python.SetExpr:
		elts = x.Elts
	case *python.NameExpr:
		if y, ok := v.others[x.Name]; ok && y != nil {
			return v.stringsOf(y, depth+1)
		}
		return nil, false
	default:
		s, ok := v.stringOf(x, depth)
		if s == "" {
			return nil, ok // an empty text is no revision to Alembic
		}
		return []string{s}, ok
	}
	var all []string
	for _, e := range elts {
		s, ok := v.stringOf(e, depth+1)
		if !ok {
			return nil, false
		}
		all = append(all, s)
	}
	return all, true
}

func (v *staticVar) stringOf(x python.Expr, depth int) (string, bool) {
	if depth > 20 {
		return "", false
	}
	switch x := x.(type) {
	case *python.StringLit:
		return x.Value, !x.Unresolved
	case *python.NameExpr:
		if y, ok := v.others[x.Name]; ok && y != nil {
			return v.stringOf(y, depth+1)
		}
	case *python.BinExpr:
		if x.Op == python.OpAdd {
			a, ok1 := v.stringOf(x.X, depth+1)
			b, ok2 := v.stringOf(x.Y, depth+1)
			return a + b, ok1 && ok2
		}
	}
	return "", false
}

// labels gives the branch labels as far as they are literal, and whether there are others.
func (v *staticVar) labels() (labels []string, more bool) {
	if all, ok := v.strings(); ok {
		return all, false
	}
	var elts []python.Expr
	switch x := v.x.(type) {
	case *python.TupleExpr:
		elts = x.Elts
	case *python.ListExpr:
		elts = x.Elts
	default:
		return nil, true
	}
	for _, e := range elts {
		if s, ok := v.stringOf(e, 0); ok {
			labels = append(labels, s)
		} else {
			more = true
		}
	}
	return labels, more
}
