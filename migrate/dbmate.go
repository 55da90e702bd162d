package migrate

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// Dbmate reads the migrations of dbmate: VERSION_title.sql with "-- migrate:up" and "-- migrate:down" in it, in the
// order of their file names. The schema.sql that dbmate writes beside them is not one of them.
var Dbmate = &Framework{
	Name: "dbmate",
	Detect: func(fsys fs.FS, files []string) []string {
		return markedDirs(fsys, files, func(base string) bool { return leadingNumber(base) != "" }, dbmateMark)
	},
	Read: readDbmate,
}

var (
	dbmateName = regexp.MustCompile(`^(\d+)(.*)\.sql$`)
	dbmateLine = regexp.MustCompile(`^--\s*migrate:(up|down)(\s|$)`)
)

func dbmateMark(line string) markKind {
	m := dbmateLine.FindStringSubmatch(line)
	switch {
	case m == nil:
		return markNone
	case m[1] == "up":
		return markUp
	}
	return markDown
}

func readDbmate(fsys fs.FS, dir string) (*History, error) {
	names, err := fileNames(fsys, dir)
	if err != nil {
		return nil, err
	}
	var revisions []*sqlRevision
	for _, name := range names {
		if m := dbmateName.FindStringSubmatch(name); m != nil {
			revisions = append(revisions, &sqlRevision{
				id: m[1], name: title(strings.TrimLeft(m[2], "-_")), up: []string{path.Join(dir, name)}, marks: dbmateMark,
			})
		}
	}
	return sqlHistory("dbmate", dir, revisions), nil
}
