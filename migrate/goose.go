package migrate

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"instep/analyzer/schema"
)

// Goose reads the migrations of goose, the present one and the one of Bitbucket: VERSION_title.sql with "-- +goose Up" and
// "-- +goose Down" in it, in the order of their versions. Migrations in Go are gaps.
// A semicolon at the end of a line ends a statement for goose even inside a routine's body, unless StatementBegin and
// StatementEnd stand around it. That is not checked: a server would refuse the halves.
var Goose = &Framework{
	Name: "goose",
	Detect: func(fsys fs.FS, files []string) []string {
		return markedDirs(fsys, files, func(base string) bool { return gooseVersion(base) > 0 }, gooseMark)
	},
	Read: readGoose,
}

// gooseVersion is the number before the first underscore; 0 if there is none, which is no version.
func gooseVersion(base string) int64 {
	number, _, ok := strings.Cut(base, "_")
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

var gooseLine = regexp.MustCompile(`(?i)^--\s*\+goose\s+(.*)$`)

func gooseMark(line string) markKind {
	m := gooseLine.FindStringSubmatch(line)
	if m == nil {
		return markNone
	}
	switch strings.ToLower(strings.TrimSpace(m[1])) {
	case "up":
		return markUp
	case "down":
		return markDown
	}
	return markNone // StatementBegin, StatementEnd, NO TRANSACTION, ENVSUB
}

func readGoose(fsys fs.FS, dir string) (*History, error) {
	names, err := fileNames(fsys, dir)
	if err != nil {
		return nil, err
	}
	var revisions []*sqlRevision
	for _, name := range names {
		n := gooseVersion(name)
		file := path.Join(dir, name)
		if n == 0 {
			continue
		}
		_, rest, _ := strings.Cut(name, "_")
		switch ext := path.Ext(name); {
		case ext == ".sql":
			revisions = append(revisions, &sqlRevision{
				id: strconv.FormatInt(n, 10), name: title(strings.TrimSuffix(rest, ext)), up: []string{file}, marks: gooseMark,
				placeholders: gooseEnv,
			})
		case ext == ".go" && !strings.HasSuffix(name, "_test.go"):
			src, err := fs.ReadFile(fsys, file)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			if !strings.Contains(string(src), "goose") {
				continue
			}
			revisions = append(revisions, &sqlRevision{
				id: strconv.FormatInt(n, 10), name: title(strings.TrimSuffix(rest, ext)), file: file,
				gaps: []schema.Gap{{Pos: schema.Pos{File: file, Line: 1, Col: 1}, What: "the migration " + file, Why: "it is written in Go, which is not read"}},
			})
		}
	}
	slices.SortStableFunc(revisions, func(a, b *sqlRevision) int {
		x, _ := strconv.ParseInt(a.id, 10, 64)
		y, _ := strconv.ParseInt(b.id, 10, 64)
		return cmp.Compare(x, y)
	})
	return sqlHistory("goose", dir, revisions), nil
}

var (
	envLine     = regexp.MustCompile(`(?im)^--\s*\+goose\s+ENVSUB\s+ON\s*$`)
	envVariable = regexp.MustCompile(`\$(\{[^}]*\}|[A-Za-z_][A-Za-z0-9_]*)`)
)

// gooseEnv is the placeholder test of a file: environment variables count where it switches their substitution on.
func gooseEnv(src string) func(schema.Statement) string {
	if !envLine.MatchString(src) {
		return nil
	}
	return func(st schema.Statement) string { return inDoubt(st, envVariable, "from the environment") }
}
