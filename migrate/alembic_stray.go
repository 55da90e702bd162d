package migrate

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"instep/analyzer/schema"
)

// strayName is a file's name as Alembic gives it (an id or a date, and words), and strayFolder a folder for such files.
var (
	strayName   = regexp.MustCompile(`^[0-9a-f]{4,}[0-9a-f_-]*_\w+\.py$`)
	strayFolder = regexp.MustCompile(`(?i)version|migrat|alembic|revision`)
)

// strayRevisions makes gaps of files outside of the folders that are read, which by their down_revision go on with this
// history, for environments without version_locations. Where these stand in a file that has another name or lies elsewhere, or are
// set in code, Alembic runs them. revs are the revisions that were found, files where they stand.
func strayRevisions(fsys fs.FS, files []string, revs []*alembicRevision) []schema.Gap {
	read, ids := map[string]bool{}, map[string]bool{}
	for _, f := range files {
		read[f] = true
	}
	for _, r := range revs {
		ids[r.id] = true
	}
	if len(ids) == 0 {
		return nil
	}
	var gaps []schema.Gap
	count := 0
	// What cannot be read here is no migration of this history as far as one can tell.
	_ = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		base := path.Base(name)
		switch {
		case err != nil:
			return nil
		case d.IsDir():
			if name != "." && (strings.HasPrefix(base, ".") || inTestData(base) || vendored(base)) {
				return fs.SkipDir
			}
			return nil
		case read[name] || !d.Type().IsRegular() || !isRevisionFile(base) || !strayName.MatchString(base) && !strayFolder.MatchString(path.Dir(name)):
			return nil
		}
		if count++; count > maxRevisions {
			gaps = append(gaps, schema.Gap{
				Pos: schema.Pos{File: path.Dir(name)}, What: "whether there are revisions in other folders", Why: fmt.Sprintf("gave up after %d files", maxRevisions),
			})
			return fs.SkipAll
		}
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil
		}
		id, down := revisionLine.FindSubmatch(src), downRevisionLine.FindSubmatch(src)
		if id == nil || down == nil || ids[string(id[1])] || !ids[string(down[1])] {
			return nil
		}
		gaps = append(gaps, schema.Gap{
			Pos:  schema.Pos{File: name, Line: 1, Col: 1},
			What: fmt.Sprintf("revision %s, which follows %s", id[1], down[1]),
			Why:  "it lies outside of the folders in which revisions of this history are looked for, and where version_locations is set was not found",
		})
		return nil
	})
	return gaps
}
