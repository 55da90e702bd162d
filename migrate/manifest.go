package migrate

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"instep/analyzer/schema"
)

// SchemaManifest reads the versioned folders of Temporal's and Cadence's schema tool: vX.Y folders, each with a
// manifest.json that lists its SQL files in order. The schema.sql beside them is a snapshot and not read.
var SchemaManifest = &Framework{
	Name:   "schema-manifest",
	Detect: detectManifest,
	Read:   readManifest,
}

var manifestFolder = regexp.MustCompile(`^v([0-9]+(\.[0-9]+)*)$`)

func detectManifest(fsys fs.FS, files []string) []string {
	sql, seen := map[string][]string{}, map[string]bool{}
	var dirs []string
	for _, file := range files {
		dir, base := splitFile(file)
		parent, name := splitFile(dir)
		if !manifestFolder.MatchString(name) || inTestData(parent) || vendored(parent) || foreignPath(files, parent) {
			continue
		}
		if base == "manifest.json" && !seen[parent] {
			seen[parent] = true
			dirs = append(dirs, parent)
		}
		if strings.HasSuffix(base, ".sql") {
			sql[parent] = append(sql[parent], file)
		}
	}
	dirs = slices.DeleteFunc(dirs, func(dir string) bool { return len(sql[dir]) == 0 || foreignText(fsys, sql[dir]) })
	slices.Sort(dirs)
	return dirs
}

// maxManifest bounds a manifest.json.
const maxManifest = 1 << 20

func readManifest(fsys fs.FS, dir string) (*History, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	var revisions []*sqlRevision
	for _, e := range entries {
		m := manifestFolder.FindStringSubmatch(e.Name())
		folder := path.Join(dir, e.Name())
		file := path.Join(folder, "manifest.json")
		if m == nil {
			continue
		}
		r := &sqlRevision{id: m[1], file: file}
		if err := r.readManifest(fsys, folder, file); err != nil {
			r.gaps = append(r.gaps, schema.Gap{Pos: schema.Pos{File: file, Line: 1, Col: 1}, What: "the files of version " + m[1], Why: err.Error()})
		}
		revisions = append(revisions, r)
	}
	slices.SortStableFunc(revisions, func(a, b *sqlRevision) int {
		return compareVersions(strings.Split(a.id, "."), strings.Split(b.id, "."))
	})
	return sqlHistory("schema-manifest", dir, revisions), nil
}

func (r *sqlRevision) readManifest(fsys fs.FS, folder, file string) error {
	info, err := fs.Stat(fsys, file)
	if err != nil {
		return fmt.Errorf("the manifest cannot be read: %s", reason(err))
	}
	if info.Size() > maxManifest {
		return fmt.Errorf("the manifest is larger than %d MB", maxManifest>>20)
	}
	text, err := fs.ReadFile(fsys, file)
	if err != nil {
		return fmt.Errorf("the manifest cannot be read: %s", reason(err))
	}
	var manifest struct {
		CurrVersion          string
		Description          string
		SchemaUpdateCqlFiles []string
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return fmt.Errorf("the manifest cannot be read: %w", err)
	}
	r.name = manifest.Description
	for _, name := range manifest.SchemaUpdateCqlFiles {
		if !fs.ValidPath(name) {
			return fmt.Errorf("the manifest names a file outside of its folder: %q", name)
		}
		r.up = append(r.up, path.Join(folder, name))
	}
	return nil
}

// compareVersions compares dotted versions part by part as numbers; missing parts are zero.
func compareVersions(a, b []string) int {
	for i := range max(len(a), len(b)) {
		x, y := "0", "0"
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if c := compareNumbers(x, y); c != 0 {
			return c
		}
	}
	return 0
}
