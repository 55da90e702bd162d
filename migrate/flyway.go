package migrate

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"instep/analyzer/schema"
)

// Flyway reads the migrations of Flyway: V<version>__title.sql in the order of their versions, then the repeatable
// R__title.sql in the order of their titles; U<version>__title.sql is the way back of a version. Folders below a location
// are searched too. Of folders for several databases side by side, the one for MySQL is taken, with what lies beside
// them for all.
//
// A baseline migration (B<version>__title.sql) stands for the versions up to its own in new databases. It is used only
// where none of those is there. Placeholders (${name}) in statements that touch the schema, migrations in Java, and
// callbacks that touch the schema are gaps; so is what lies beside folders for single databases, because whether it is run
// depends on a setting that is not in the migrations.
var Flyway = &Framework{
	Name:   "flyway",
	Detect: detectFlyway,
	Read:   readFlyway,
}

var flywayName = regexp.MustCompile(`^(?:([VUB])([0-9]+(?:[._][0-9]+)*)|(R))__(.*)\.(sql|java|kt|groovy|scala)$`)

// flywayCallback is the name of a script that Flyway runs around migrations.
var flywayCallback = regexp.MustCompile(`^(before|after)(Each)?(Migrate|MigrateApplied|Versioned|Repeatables|Baseline|CreateSchema|Connect)(__.*)?\.sql$`)

func detectFlyway(fsys fs.FS, files []string) []string {
	var all []string
	for _, file := range files {
		dir, base := splitFile(file)
		if base[0] != 'V' && base[0] != 'B' {
			continue
		}
		m := flywayName.FindStringSubmatch(base)
		if m == nil || m[5] != "sql" || inTestData(dir) || inTestResources(dir) || vendored(dir) || foreignPath(files, dir) {
			continue
		}
		all = append(all, file)
	}
	holds := map[string]bool{}
	for _, file := range all {
		holds[path.Dir(file)] = true
	}
	byRoot := map[string][]string{}
	var dirs []string
	for _, file := range all {
		root := flywayRoot(path.Dir(file), holds)
		if byRoot[root] == nil {
			dirs = append(dirs, root)
		}
		byRoot[root] = append(byRoot[root], file)
	}
	dirs = slices.DeleteFunc(dirs, func(dir string) bool { return foreignText(fsys, byRoot[dir]) })
	slices.Sort(dirs)
	return dirs
}

// inTestResources tells whether a folder belongs to the tests of a Java project.
func inTestResources(dir string) bool { return strings.Contains("/"+dir+"/", "/src/test/") }

// flywayRoot guesses the location that the migrations in a folder belong to: the folder db/migration above it, else the folder
// above those for single databases, else the highest folder above it that holds migrations itself.
// holds are the folders with migrations directly in them.
func flywayRoot(dir string, holds map[string]bool) string {
	if i := strings.LastIndex("/"+dir+"/", "/db/migration/"); i >= 0 {
		return ("/" + dir)[1 : i+len("/db/migration")]
	}
	root := dir
	for at := dir; at != "."; at = path.Dir(at) {
		if holds[at] {
			root = at
		}
	}
	if d, _ := dialect(path.Base(root)); d == "mysql" && path.Dir(root) != "." {
		return path.Dir(root)
	}
	return root
}

// A flywayFile is one migration file.
type flywayFile struct {
	kind    string // V, U, B or R
	version []string
	title   string
	path    string
	sql     bool
	beside  bool // beside folders for single databases
}

// id is the version as Flyway compares it: numbers without leading zeros and without zeros at the end.
func (f *flywayFile) id() string {
	parts := make([]string, len(f.version))
	for i, p := range f.version {
		parts[i] = trimNumber(p)
	}
	for len(parts) > 1 && parts[len(parts)-1] == "0" {
		parts = parts[:len(parts)-1]
	}
	return strings.Join(parts, ".")
}

func readFlyway(fsys fs.FS, dir string) (*History, error) {
	w := flywayWalk{fsys: fsys}
	if err := w.walk(dir, 0); err != nil {
		return nil, err
	}
	// Java migrations stand in the same package of the source folders for code.
	for _, lang := range []string{"java", "kotlin", "groovy", "scala"} {
		code := strings.Replace("/"+dir, "/resources/", "/"+lang+"/", 1)[1:]
		if code == dir {
			break
		}
		if err := w.walk(code, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	files := w.files
	slices.SortStableFunc(files, func(a, b *flywayFile) int {
		if (a.kind == "R") != (b.kind == "R") {
			return btoi(a.kind == "R") - btoi(b.kind == "R")
		}
		return cmp.Or(compareVersions(a.version, b.version), strings.Compare(a.title, b.title), strings.Compare(a.path, b.path))
	})
	files = w.withoutBases(files)
	var lowest, baseline *flywayFile
	undo := map[string]string{}
	for _, f := range files {
		switch {
		case f.kind == "V" && lowest == nil:
			lowest = f
		case f.kind == "B":
			baseline = f
		case f.kind == "U" && f.sql:
			undo[f.id()] = f.path
		}
	}
	if baseline != nil && lowest != nil && compareVersions(lowest.version, baseline.version) <= 0 {
		baseline = nil
	}
	var revisions []*sqlRevision
	for _, f := range files {
		if f.kind == "U" || f.kind == "B" && f != baseline {
			continue
		}
		r := &sqlRevision{id: f.id(), name: title(f.title), up: []string{f.path}, placeholders: flywayPlaceholders}
		if f.kind == "R" {
			r.id, r.repeatable = "R__"+f.title, true
		} else if file := undo[f.id()]; file != "" {
			r.down = []string{file}
		}
		if !f.sql {
			r.file, r.up = f.path, nil
			r.gaps = []schema.Gap{{Pos: schema.Pos{File: f.path, Line: 1, Col: 1}, What: "the migration " + f.path, Why: "it is not written in SQL"}}
		}
		revisions = append(revisions, r)
	}
	h := sqlHistory("flyway", dir, revisions)
	h.Gaps = append(h.Gaps, w.gaps...)
	for i := range h.Revisions {
		h.Revisions[i].Run = withForeignKeyChecks(h.Revisions[i].Run)
	}
	return h, nil
}

// withForeignKeyChecks switches foreign_key_checks on before a migration: Flyway takes back what the one before has set (its
// MySQLConnection.doRestoreOriginalState, which runs before each). Other settings of the session stay.
func withForeignKeyChecks(run func(fs.FS, *schema.Schema) Migration) func(fs.FS, *schema.Schema) Migration {
	return func(fsys fs.FS, before *schema.Schema) Migration {
		if !before.ForeignKeyChecks() {
			if s, err := before.Apply(schema.Statement{SQL: "SET foreign_key_checks = 1"}); err == nil {
				before = s
			}
		}
		return run(fsys, before)
	}
}

// A flywayWalk collects the migrations below a location.
type flywayWalk struct {
	fsys  fs.FS
	files []*flywayFile
	gaps  []schema.Gap
}

// maxFlywayDepth bounds the folders inside folders of a location.
const maxFlywayDepth = 20

func (w *flywayWalk) walk(dir string, depth int) error {
	entries, err := fs.ReadDir(w.fsys, dir)
	if err != nil {
		return err
	}
	var folders []string
	for _, e := range entries {
		if e.IsDir() {
			folders = append(folders, e.Name())
		}
	}
	vendors := slices.ContainsFunc(folders, func(name string) bool { return slices.Contains(mysqlDialects, name) })
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		name := path.Join(dir, e.Name())
		if flywayCallback.MatchString(e.Name()) {
			w.callback(name)
			continue
		}
		m := flywayName.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		w.files = append(w.files, &flywayFile{
			kind: m[1] + m[3], version: strings.FieldsFunc(m[2], func(c rune) bool { return c == '.' || c == '_' }), title: m[4], path: name, sql: m[5] == "sql",
			beside: vendors,
		})
	}
	for _, name := range folders {
		if depth == maxFlywayDepth {
			w.gaps = append(w.gaps, schema.Gap{Pos: schema.Pos{File: dir}, What: "the migrations below " + dir, Why: "the folders are too deep"})
			return nil
		}
		if w.skip(folders, name) {
			continue
		}
		if err := w.walk(path.Join(dir, name), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// withoutBases leaves out what lies beside folders for single databases and has the version of a migration in one of them:
// the base class of migrations in Java, or another database's. What remains of it may or may not be run.
func (w *flywayWalk) withoutBases(files []*flywayFile) []*flywayFile {
	own := map[string]bool{}
	for _, f := range files {
		if !f.beside && f.kind == "V" {
			own[f.id()] = true
		}
	}
	noted := false
	return slices.DeleteFunc(files, func(f *flywayFile) bool {
		if !f.beside || f.kind == "V" && own[f.id()] {
			return f.beside
		}
		if !noted {
			noted = true
			w.gaps = append(w.gaps, schema.Gap{
				Pos: schema.Pos{File: f.path, Line: 1, Col: 1}, What: "the migrations in " + path.Dir(f.path),
				Why: "they lie beside folders for single databases: whether Flyway runs them too depends on its locations setting",
			})
		}
		return false
	})
}

// skip tells whether a folder is for another database than MySQL, or for MariaDB with one for MySQL beside it.
func (w *flywayWalk) skip(folders []string, name string) bool {
	d, doubtful := dialect(name)
	mysql := slices.IndexFunc(mysqlDialects, func(m string) bool { return slices.Contains(folders, m) })
	switch {
	case d == "other":
		return !doubtful || mysql >= 0
	case d == "mysql":
		return mysql >= 0 && slices.Contains(mysqlDialects, name) && mysqlDialects[mysql] != name
	}
	return false
}

var touchesSchema = regexp.MustCompile(`(?i)^\s*(create|alter|drop|rename|truncate|call|source|execute)\b`)

// callback notes a script that Flyway runs around its migrations and that touches the schema: when it runs depends on them.
func (w *flywayWalk) callback(name string) {
	src, gap := readSQL(w.fsys, name)
	if gap != nil {
		w.gaps = append(w.gaps, *gap)
		return
	}
	statements, gaps := schema.Split(name, src)
	w.gaps = append(w.gaps, gaps...)
	for _, st := range statements {
		if touchesSchema.MatchString(st.SQL) {
			w.gaps = append(w.gaps, schema.Gap{Pos: st.Pos, What: "the effect of " + headline(st.SQL), Why: "it is in a callback, which Flyway runs around migrations"})
		}
	}
}

var flywayPlaceholder = regexp.MustCompile(`\$\{[^}]*\}`)

func flywayPlaceholders(string) func(schema.Statement) string {
	return func(st schema.Statement) string { return inDoubt(st, flywayPlaceholder, "by Flyway") }
}
