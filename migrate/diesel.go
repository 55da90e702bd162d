package migrate

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Diesel reads the migrations of diesel: a folder for each, VERSION_title, with an up.sql and a down.sql, in the order
// of their versions as text without hyphens.
var Diesel = &Framework{
	Name:   "diesel",
	Detect: detectDiesel,
	Read:   readDiesel,
}

var dieselName = regexp.MustCompile(`^([0-9][0-9-]*)_(.+)$`)

func detectDiesel(fsys fs.FS, files []string) []string {
	ups := map[string][]string{}
	var dirs []string
	for _, file := range files {
		dir, base := path.Split(file)
		parent, name := path.Split(path.Clean(dir))
		parent = path.Clean(parent)
		if base != "up.sql" || dir == "" || !dieselName.MatchString(name) || inTestData(parent) || vendored(parent) || foreignPath(files, parent) {
			continue
		}
		if ups[parent] == nil {
			dirs = append(dirs, parent)
		}
		ups[parent] = append(ups[parent], file)
	}
	dirs = slices.DeleteFunc(dirs, func(dir string) bool { return foreignText(fsys, ups[dir]) })
	slices.Sort(dirs)
	return dirs
}

func readDiesel(fsys fs.FS, dir string) (*History, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	var revisions []*sqlRevision
	for _, e := range entries {
		m := dieselName.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		up, down := path.Join(dir, e.Name(), "up.sql"), path.Join(dir, e.Name(), "down.sql")
		r := &sqlRevision{id: strings.ReplaceAll(m[1], "-", ""), name: title(m[2]), up: []string{up}}
		if info, err := fs.Stat(fsys, path.Join(dir, e.Name())); err != nil || !info.IsDir() {
			continue
		}
		if _, err := fs.Stat(fsys, down); err == nil {
			r.down = []string{down}
		}
		revisions = append(revisions, r)
	}
	slices.SortStableFunc(revisions, func(a, b *sqlRevision) int { return strings.Compare(a.id, b.id) })
	return sqlHistory("diesel", dir, revisions), nil
}
