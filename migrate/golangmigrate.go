package migrate

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"instep/analyzer/schema"
)

// GolangMigrate reads the migrations of golang-migrate: VERSION_title.up.sql and VERSION_title.down.sql, in the order
// of their versions as unsigned numbers of 64 bits. The names of pop and its relatives are read too: of NAME.mysql.up.sql and
// NAME.up.sql the first wins, files for other databases are left out, ".autocommit" in a name means nothing here, and versions can be longer.
var GolangMigrate = &Framework{
	Name: "golang-migrate",
	Detect: func(fsys fs.FS, files []string) []string {
		var dirs []string
		for _, d := range sqlDirs(files, func(base string) bool {
			f, ok := parseUpDown(base)
			return ok && f.up && f.rank >= 0
		}) {
			if migrationFolder.MatchString(path.Base(d.dir)) {
				continue
			}
			if slices.ContainsFunc(d.names, namesMySQL) || !foreignText(fsys, d.paths()) {
				dirs = append(dirs, d.dir)
			}
		}
		return dirs
	},
	Read: readGolangMigrate,
}

// migrationFolder is a folder that is named like a migration: pop's sources, from which the migrations are made.
var migrationFolder = regexp.MustCompile(`^[0-9]{8,}_`)

// upDownName is golang-migrate's pattern for file names, for SQL and for pop's fizz.
var upDownName = regexp.MustCompile(`^([0-9]+)_(.*)\.(down|up)\.(sql|fizz)$`)

// An upDownFile is what a file's name says.
type upDownFile struct {
	version string // without leading zeros
	name    string
	up      bool
	// autocommit: pop runs it outside of a transaction, which MySQL's DDL does not care about.
	autocommit bool
	rank       int // the lower wins: 0 for MySQL, 1 for MariaDB, 2 for any database, 3 for fizz; -1 for another database
}

func parseUpDown(base string) (upDownFile, bool) {
	var m []string
	if base != "" && base[0] >= '0' && base[0] <= '9' { // most names are told apart without the pattern
		m = upDownName.FindStringSubmatch(base)
	}
	if m == nil {
		return upDownFile{}, false
	}
	f := upDownFile{version: trimNumber(m[1]), name: m[2], up: m[3] == "up", rank: 2}
	name, autocommit := strings.CutSuffix(f.name, ".autocommit")
	f.autocommit = autocommit
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		word := strings.ToLower(name[i+1:])
		_, other := dialects[word]
		switch {
		case word == "mysql":
			f.rank = 0
		case slices.Contains(mysqlDialects, word):
			f.rank = 1
		case other:
			f.rank = -1
		}
		if f.rank != 2 {
			name = name[:i]
		}
	}
	f.name = name
	if m[4] == "fizz" && f.rank >= 0 {
		f.rank = 3
	}
	return f, true
}

// namesMySQL tells whether a file name says that it is for MySQL.
func namesMySQL(base string) bool {
	f, ok := parseUpDown(base)
	return ok && (f.rank == 0 || f.rank == 1)
}

func readGolangMigrate(fsys fs.FS, dir string) (*History, error) {
	names, err := fileNames(fsys, dir)
	if err != nil {
		return nil, err
	}
	type side struct {
		file string
		rank int
		twin string // a second file of the same rank
	}
	type version struct {
		id, name string
		up, down side
	}
	versions := map[string]*version{}
	var order []*version
	pop := false
	for _, name := range names {
		f, ok := parseUpDown(name)
		if !ok {
			continue
		}
		if f.rank != 2 || f.autocommit {
			pop = true
		}
		if f.rank < 0 {
			continue
		}
		v := versions[f.version]
		if v == nil {
			v = &version{id: f.version, name: f.name}
			versions[f.version] = v
			order = append(order, v)
		}
		s := &v.up
		if !f.up {
			s = &v.down
		}
		switch file := path.Join(dir, name); {
		case s.file == "" || f.rank < s.rank:
			*s = side{file: file, rank: f.rank}
		case f.rank == s.rank:
			s.twin = file
		}
	}
	slices.SortFunc(order, func(a, b *version) int { return compareNumbers(a.id, b.id) })
	var revisions []*sqlRevision
	var gaps []schema.Gap
	for _, v := range order {
		if v.up.file == "" {
			continue // only a way back: the upgrade passes over it
		}
		r := &sqlRevision{id: v.id, name: title(v.name), up: []string{v.up.file}, placeholders: popTemplate}
		if v.down.file != "" {
			r.down = []string{v.down.file}
		}
		pos := schema.Pos{File: v.up.file, Line: 1, Col: 1}
		if v.up.twin != "" {
			gaps = append(gaps, schema.Gap{Pos: pos, What: "migration " + v.id, Why: fmt.Sprintf("%s has the same version: golang-migrate refuses both", v.up.twin)})
		}
		if v.up.rank == 3 {
			r.file, r.up = v.up.file, nil
			r.gaps = []schema.Gap{{Pos: pos, What: "the file " + v.up.file, Why: "it is written in fizz, which is not read"}}
		}
		if !pop && len(v.id) > 20 || !pop && len(v.id) == 20 && v.id > "18446744073709551615" {
			gaps = append(gaps, schema.Gap{Pos: pos, What: "migration " + v.id, Why: "its version does not fit into 64 bits: golang-migrate passes over it"})
		}
		revisions = append(revisions, r)
	}
	h := sqlHistory("golang-migrate", dir, revisions)
	h.Gaps = append(h.Gaps, gaps...)
	return h, nil
}

// goTemplate is an action of Go's text/template, which pop runs over its files.
var goTemplate = regexp.MustCompile(`\{\{[^}]*\}\}`)

func popTemplate(string) func(schema.Statement) string {
	return func(st schema.Statement) string { return inDoubt(st, goTemplate, "when it runs") }
}
