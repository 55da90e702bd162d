package migrate

import (
	"cmp"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// SQLMigrate reads the migrations of sql-migrate (rubenv): SQL files with "-- +migrate Up" and "-- +migrate Down" in them,
// those with a number in front first, by number, then the others by name. A migration's id is its file name.
var SQLMigrate = &Framework{
	Name: "sql-migrate",
	Detect: func(fsys fs.FS, files []string) []string {
		return markedDirs(fsys, files, func(string) bool { return true }, sqlMigrateMark)
	},
	Read: readSQLMigrate,
}

var sqlMigrateLine = regexp.MustCompile(`^--\s*\+migrate\s+(\S+)`)

func sqlMigrateMark(line string) markKind {
	m := sqlMigrateLine.FindStringSubmatch(line)
	switch {
	case m == nil:
		return markNone
	case m[1] == "Up":
		return markUp
	case m[1] == "Down":
		return markDown
	}
	return markNone // StatementBegin, StatementEnd
}

// leadingNumber is the digits at the start of a name.
func leadingNumber(name string) string {
	return name[:len(name)-len(strings.TrimLeft(name, "0123456789"))]
}

func readSQLMigrate(fsys fs.FS, dir string) (*History, error) {
	names, err := fileNames(fsys, dir)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasSuffix(name, ".sql") })
	slices.SortFunc(names, func(a, b string) int {
		x, y := leadingNumber(a), leadingNumber(b)
		if (x == "") != (y == "") {
			return cmp.Compare(len(y), len(x))
		}
		return cmp.Or(compareNumbers(x, y), strings.Compare(a, b))
	})
	var revisions []*sqlRevision
	for _, name := range names {
		revisions = append(revisions, &sqlRevision{
			id: name, name: title(strings.TrimLeft(strings.TrimSuffix(name[len(leadingNumber(name)):], ".sql"), "-_")),
			up: []string{path.Join(dir, name)}, marks: sqlMigrateMark,
		})
	}
	return sqlHistory("sql-migrate", dir, revisions), nil
}
