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
// (schema.sql, seeds.sql) are no migrations.
//
// A folder counts if its path speaks of a schema or of migrations, and if it holds no Python package: Django and
// sqlalchemy-migrate keep SQL files too, which their migrations run.
var PlainSQL = &Framework{
	Name:   "sql",
	Detect: detectPlainSQL,
	Read:   readPlainSQL,
}

var (
	plainName   = regexp.MustCompile(`^([0-9]+)(?:[-_. ]+(.*?))?\.sql$`)
	plainBack   = regexp.MustCompile(`(?i)(^|[-_. ])(down|undo|rollback|revert|downgrade)$`)
	plainFolder = regexp.MustCompile(`(?i)migrat|schema|ddl|upgrade|patch|changelog|database|\b(db|sql)\b`)
)

func detectPlainSQL(fsys fs.FS, files []string) []string {
	var dirs []string
	for _, d := range sqlDirs(files, func(base string) bool {
		m := plainName.FindStringSubmatch(base)
		return m != nil && !plainBack.MatchString(m[2])
	}) {
		words := strings.NewReplacer("_", " ", "-", " ", "/", " ").Replace(d.dir)
		if !plainFolder.MatchString(words) || isPython(files, d.dir) || foreignText(fsys, d.paths()) {
			continue
		}
		dirs = append(dirs, d.dir)
	}
	return dirs
}

// isPython tells whether a folder of SQL files belongs to a Python framework.
func isPython(files []string, dir string) bool {
	parent := path.Dir(dir)
	for _, name := range []string{
		path.Join(dir, "__init__.py"), path.Join(parent, "__init__.py"), path.Join(parent, "migrate.cfg"), path.Join(parent, "env.py"), path.Join(dir, "env.py"),
	} {
		if _, found := slices.BinarySearch(files, name); found {
			return true
		}
	}
	return false
}

func readPlainSQL(fsys fs.FS, dir string) (*History, error) {
	names, err := fileNames(fsys, dir)
	if err != nil {
		return nil, err
	}
	var revisions []*sqlRevision
	back := map[string]string{}
	for _, name := range names {
		m := plainName.FindStringSubmatch(name)
		switch {
		case m == nil:
		case plainBack.MatchString(m[2]):
			back[trimNumber(m[1])] = path.Join(dir, name)
		default:
			revisions = append(revisions, &sqlRevision{id: trimNumber(m[1]), name: title(m[2]), up: []string{path.Join(dir, name)}})
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
	return sqlHistory("sql", dir, revisions), nil
}
