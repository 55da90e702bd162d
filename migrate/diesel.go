package migrate

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Diesel reads the migrations of diesel: a folder for each, VERSION_title or only VERSION, with an up.sql and a down.sql,
// in the order of their versions as text without hyphens.
var Diesel = &Framework{
	Name:   "diesel",
	Detect: detectDiesel,
	Read:   readDiesel,
}

var dieselName = regexp.MustCompile(`^([0-9][0-9-]*)(?:_(.*))?$`)

func detectDiesel(fsys fs.FS, files []string) []string {
	ups := map[string][]string{}
	var dirs []string
	for _, file := range files {
		dir, base := splitFile(file)
		parent, name := splitFile(dir)
		if base != "up.sql" || !dieselName.MatchString(name) || inTestData(parent) || vendored(parent) || foreignPath(files, parent) {
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
		folder := path.Join(dir, e.Name())
		up, down := path.Join(folder, "up.sql"), path.Join(folder, "down.sql")
		if info, err := fs.Stat(fsys, folder); err != nil || !info.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if _, err := fs.Lstat(fsys, up); err != nil {
			continue
		}
		version, name, _ := strings.Cut(e.Name(), "_")
		r := &sqlRevision{id: strings.ReplaceAll(version, "-", ""), name: title(name), up: []string{up}}
		if _, err := fs.Stat(fsys, down); err == nil {
			r.down = []string{down}
		}
		revisions = append(revisions, r)
	}
	slices.SortStableFunc(revisions, func(a, b *sqlRevision) int { return strings.Compare(a.id, b.id) })
	return sqlHistory("diesel", dir, revisions), nil
}
