package migrate

import (
	"cmp"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// PlainSQL reads folders of numbered SQL files that no tool's marks are in: 001_users.sql, 2-orders.sql, in the
// order of their numbers. Files that by their names take a migration back are its way back; others that bear no number
// (schema.sql, seeds.sql) are no migrations. Of 001_users.mysql.sql and 001_users.sql the first is taken.
//
// Where such files lie in folders that are named after releases side by side (0.17/01_x.sql, 0.18/01_y.sql), these are one
// history in the order of the releases.
//
// A folder counts if its path speaks of a schema or of migrations, and if it holds no Python package: Django and
// sqlalchemy-migrate keep SQL files too, which their migrations run. Folders for documentation, demonstration and containers
// do not count; see notDeployed.
var PlainSQL = &Framework{
	Name:   "sql",
	Detect: detectPlainSQL,
	Read:   readPlainSQL,
}

var plainFolder = regexp.MustCompile(`(?i)migrat|schema|ddl|upgrade|evolution|patch|changelog|database|\b(db|sql)\b`)

// A plainFile is what a name like 001_users.sql or 001_users.mysql.sql says.
type plainFile struct {
	number, name string
	back         bool   // it takes a migration back: 001_users_down.sql
	dialect      string // "mysql", "other", or "" where the name does not say
}

func parsePlain(base string) (f plainFile, ok bool) {
	name, ok := strings.CutSuffix(base, ".sql")
	f.number = leadingNumber(name)
	name = name[len(f.number):]
	if !ok || f.number == "" || name != "" && !strings.ContainsRune("-_. ", rune(name[0])) {
		return f, false
	}
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		if d, doubtful := dialect(name[i+1:]); !doubtful && d != "" && len(dialectWords(name[i+1:])) == 1 {
			f.dialect, name = d, name[:i]
		}
	}
	words := strings.FieldsFunc(name, func(c rune) bool { return strings.ContainsRune("-_. ", c) })
	f.back = len(words) > 0 && isBack(words[len(words)-1])
	f.name = strings.TrimLeft(name, "-_. ")
	return f, true
}

// isBack tells whether a word says that something takes a migration back.
func isBack(word string) bool {
	switch strings.TrimSuffix(strings.ToLower(word), "s") {
	case "down", "undo", "rollback", "revert", "downgrade":
		return true
	}
	return false
}

func detectPlainSQL(fsys fs.FS, files []string) []string {
	var dirs []string
	for _, d := range sqlDirs(files, func(base string) bool {
		f, ok := parsePlain(base)
		return ok && !f.back && f.dialect != "other"
	}) {
		words := strings.NewReplacer("_", " ", "-", " ", "/", " ").Replace(d.dir)
		if !plainFolder.MatchString(words) || notDeployed(d.dir) || isBack(path.Base(d.dir)) || migrationFolder.MatchString(path.Base(d.dir)) || isPython(files, d.dir) || foreignText(fsys, d.paths()) {
			continue
		}
		dirs = append(dirs, d.dir)
	}
	releases := map[string]int{}
	for _, dir := range dirs {
		if releaseFolder.MatchString(path.Base(dir)) {
			releases[path.Dir(dir)]++
		}
	}
	for i, dir := range dirs {
		if releaseFolder.MatchString(path.Base(dir)) && releases[path.Dir(dir)] > 1 {
			dirs[i] = path.Dir(dir)
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// releaseFolder is a folder that is named after a release.
var releaseFolder = regexp.MustCompile(`^[vV]?[0-9]+(\.[0-9]+)+$`)

// notDeployed tells whether a folder is by its path for documentation, demonstration, or the start of a development
// database in a container. With other frameworks, marks and names leave no doubt what a folder is for.
func notDeployed(dir string) bool {
	for part := range strings.SplitSeq(strings.ToLower(dir), "/") {
		switch part {
		case "doc", "docs", "documentation", "demo", "demos", "example", "sample", "samples", "tutorial", "tutorials", "bench", "benchmark", "benchmarks", "e2e", "playground":
			return true
		}
		if strings.HasPrefix(part, ".") && part != "." || strings.HasPrefix(part, "docker") || strings.Contains(part, "initdb") {
			return true
		}
	}
	return false
}

// isPython tells whether a folder of SQL files belongs to a Python framework.
func isPython(files []string, dir string) bool {
	has := func(name string) bool {
		_, found := slices.BinarySearch(files, name)
		return found
	}
	if has(path.Join(dir, "__init__.py")) || has(path.Join(path.Dir(dir), "__init__.py")) {
		return true
	}
	for range 4 {
		if has(path.Join(dir, "env.py")) || has(path.Join(dir, "migrate.cfg")) {
			return true
		}
		dir = path.Dir(dir)
	}
	return false
}

func readPlainSQL(fsys fs.FS, dir string) (*History, error) {
	revisions, err := plainRevisions(fsys, dir)
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	var releases []string
	for _, e := range entries {
		if e.IsDir() && releaseFolder.MatchString(e.Name()) && len(revisions) == 0 {
			releases = append(releases, e.Name())
		}
	}
	version := func(name string) []string { return strings.Split(strings.TrimLeft(name, "vV"), ".") }
	slices.SortStableFunc(releases, func(a, b string) int { return compareVersions(version(a), version(b)) })
	for _, release := range releases {
		more, err := plainRevisions(fsys, path.Join(dir, release))
		if err != nil {
			return nil, err
		}
		for _, r := range more {
			r.id = release + "/" + r.id
		}
		revisions = append(revisions, more...)
	}
	return sqlHistory("sql", dir, revisions), nil
}

// plainRevisions reads one folder.
func plainRevisions(fsys fs.FS, dir string) ([]*sqlRevision, error) {
	names, err := fileNames(fsys, dir)
	if err != nil {
		return nil, err
	}
	forMySQL := map[string]bool{} // migrations of which there is a file for MySQL
	for _, name := range names {
		if f, ok := parsePlain(name); ok && f.dialect == "mysql" {
			forMySQL[f.number+" "+f.name] = true
		}
	}
	var revisions []*sqlRevision
	back := map[string]string{}
	for _, name := range names {
		f, ok := parsePlain(name)
		switch {
		case !ok, f.dialect == "other", f.dialect == "" && forMySQL[f.number+" "+f.name]:
		case f.back:
			back[trimNumber(f.number)] = path.Join(dir, name)
		default:
			revisions = append(revisions, &sqlRevision{id: trimNumber(f.number), name: title(f.name), up: []string{path.Join(dir, name)}, plain: true})
		}
	}
	slices.SortStableFunc(revisions, func(a, b *sqlRevision) int {
		return cmp.Or(compareNumbers(a.id, b.id), strings.Compare(a.up[0], b.up[0]))
	})
	count := map[string]int{}
	for _, r := range revisions {
		if file := back[r.id]; file != "" {
			r.down = []string{file}
		}
		count[r.id]++
	}
	for _, r := range revisions { // nothing forbids one number twice: then the file name is the id
		if count[r.id] > 1 {
			r.id = strings.TrimSuffix(path.Base(r.up[0]), ".sql")
		}
	}
	return revisions, nil
}
