package migrate

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"instep/analyzer/schema"
	"instep/internal/python"
)

// SQLAlchemyMigrate reads the migrations of sqlalchemy-migrate: a folder with a migrate.cfg and numbered scripts under
// versions/, in Python or SQL. upgrade() is evaluated, never run.
var SQLAlchemyMigrate = &Framework{
	Name:   "sqlalchemy-migrate",
	Detect: detectSAMigrate,
	Read:   readSAMigrate,
}

// lockstepRepos are the repositories that keystone keeps side by side for one database, in the order in which they
// run: the old single one, then the three phases of a rolling upgrade.
var lockstepRepos = []string{"migrate_repo", "expand_repo", "data_migration_repo", "contract_repo"}

// detectSAMigrate finds folders with a migrate.cfg and a numbered script under versions/. A versions folder without
// migrate.cfg is none: the library refuses it, and what is left of a repository that moved on looks like this. An
// expand_repo and a contract_repo side by side count as one history, that of their parent folder.
func detectSAMigrate(fsys fs.FS, files []string) []string {
	var dirs []string
	for _, file := range files {
		dir, base := path.Split(file)
		dir = path.Clean(dir)
		if base == "migrate.cfg" && !inTestData(dir) && anyUnder(files, path.Join(dir, "versions"), versionName.MatchString) {
			dirs = append(dirs, dir)
		}
	}
	var joined []string
	for _, dir := range dirs {
		parent, base := path.Split(dir)
		if slices.Contains(lockstepRepos, base) &&
			slices.Contains(dirs, parent+"expand_repo") && slices.Contains(dirs, parent+"contract_repo") {
			dir = path.Clean(parent)
		}
		joined = append(joined, dir)
	}
	slices.Sort(joined)
	return slices.Compact(joined)
}

// versionName is the name of a script, as in the library.
var versionName = regexp.MustCompile(`^([0-9]{3,})(.*)$`)

// readSAMigrate finds the versions of a repository, or of the repositories in lockstep below dir, in order.
func readSAMigrate(fsys fs.FS, dir string) (*History, error) {
	h := &History{Framework: "sqlalchemy-migrate", Dir: dir, Database: databaseName(dir)}
	cache := new(python.Cache)
	if _, err := fs.Stat(fsys, path.Join(dir, "expand_repo/migrate.cfg")); err == nil {
		for _, name := range lockstepRepos {
			if _, err := fs.Stat(fsys, path.Join(dir, name, "migrate.cfg")); errors.Is(err, fs.ErrNotExist) {
				continue
			} else if err != nil {
				return nil, err
			}
			if err := addSAVersions(fsys, h, path.Join(dir, name), name+"/", cache); err != nil {
				return nil, err
			}
		}
		return h, nil
	}
	return h, addSAVersions(fsys, h, dir, "", cache)
}

// A saVersion is one version number with its scripts.
type saVersion struct {
	number string // without leading zeros
	python string
	sql    map[string]map[string]string // by database, by operation
}

// addSAVersions adds the versions of one repository to h, as the library's Collection and Changeset do.
func addSAVersions(fsys fs.FS, h *History, dir, prefix string, cache *python.Cache) error {
	folder := path.Join(dir, "versions")
	entries, err := fs.ReadDir(fsys, folder)
	if err != nil {
		return err
	}
	refused := func(file, why string) {
		h.Gaps = append(h.Gaps, schema.Gap{
			Pos: schema.Pos{File: path.Join(folder, file), Line: 1, Col: 1}, What: "the versions in " + folder,
			Why: why + ": sqlalchemy-migrate refuses the repository",
		})
	}
	byNumber := map[string]*saVersion{}
	var versions []*saVersion
	for _, e := range entries {
		m := versionName.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		isPython, isSQL := strings.HasSuffix(e.Name(), ".py"), strings.HasSuffix(e.Name(), ".sql")
		number := strings.TrimLeft(m[1], "0")
		v := byNumber[number]
		if v == nil {
			v = &saVersion{number: number, sql: map[string]map[string]string{}}
			byNumber[number] = v
			versions = append(versions, v)
		}
		if !isPython && !isSQL {
			continue // a version all the same, to the library
		}
		if !e.Type().IsRegular() {
			h.Gaps = append(h.Gaps, schema.Gap{
				Pos: schema.Pos{File: path.Join(folder, e.Name())}, What: "the script " + e.Name(), Why: "it is a folder or a symbolic link, which is not followed",
			})
			continue
		}
		if isPython {
			if v.python != "" {
				refused(e.Name(), "version "+m[1]+" has two Python scripts")
				continue
			}
			v.python = e.Name()
			continue
		}
		database, operation, ok := sqlScriptName(e.Name())
		if !ok {
			refused(e.Name(), "the name of a SQL script must be NUMBER_description_database_operation.sql")
			continue
		}
		if v.sql[database] == nil {
			v.sql[database] = map[string]string{}
		}
		v.sql[database][operation] = e.Name()
	}
	if len(versions) > maxRevisions {
		h.Gaps = append(h.Gaps, schema.Gap{Pos: schema.Pos{File: folder}, What: "the versions in " + folder, Why: fmt.Sprintf("gave up after %d", maxRevisions)})
		versions = versions[:maxRevisions]
	}
	slices.SortFunc(versions, func(a, b *saVersion) int {
		return cmp.Or(cmp.Compare(len(a.number), len(b.number)), strings.Compare(a.number, b.number))
	})
	for i, v := range versions {
		file := v.script("upgrade")
		id := fmt.Sprintf("%03s", v.number)
		if i > 0 && !follows(versions[i-1].number, v.number) {
			h.Gaps = append(h.Gaps, schema.Gap{
				Pos: schema.Pos{File: path.Join(folder, file)}, What: fmt.Sprintf("the versions between %03s and %s", versions[i-1].number, id),
				Why: "there are none: sqlalchemy-migrate counts one by one and refuses the upgrade",
			})
		}
		if file == "" {
			h.Gaps = append(h.Gaps, schema.Gap{
				Pos: schema.Pos{File: folder}, What: "version " + id, Why: "it has no script for mysql, and none in Python: sqlalchemy-migrate refuses the upgrade",
			})
			continue
		}
		rev := &saRevision{id: prefix + id, file: path.Join(folder, file), cache: cache}
		if down := v.script("downgrade"); down != "" {
			rev.down = path.Join(folder, down)
		}
		h.Revisions = append(h.Revisions, Revision{ID: rev.id, Name: saTitle(file), File: rev.file, Run: rev.run, Down: rev.reverse})
	}
	return nil
}

// script gives the file that the library runs on MySQL: a SQL script for mysql, a SQL script for any database, or the
// Python script.
func (v *saVersion) script(operation string) string {
	for _, database := range []string{"mysql", "default"} {
		if file := v.sql[database][operation]; file != "" {
			return file
		}
	}
	return v.python
}

// sqlScriptName takes the name of a SQL script apart. The last two words are the database and the operation, but for
// ibm_db_sa, a database with underscores of its own.
func sqlScriptName(name string) (database, operation string, ok bool) {
	stem := strings.ReplaceAll(name, ".sql", "")
	parts := strings.Split(stem, "_")
	n := len(parts)
	switch {
	case n < 3:
		return "", "", false
	case strings.Contains(stem, "ibm_db_sa"):
		if n != 6 {
			return "", "", false
		}
		return strings.Join(parts[n-4:n-1], "_"), parts[n-1], true
	}
	return parts[n-2], parts[n-1], true
}

// follows tells whether b is the number after a. Both are digits without leading zeros.
func follows(a, b string) bool {
	n, err := strconv.ParseInt("0"+a, 10, 64)
	m, err2 := strconv.ParseInt("0"+b, 10, 64)
	return err == nil && err2 == nil && m == n+1
}

// saTitle makes a title of a script's file name.
func saTitle(file string) string {
	title := versionName.FindStringSubmatch(strings.TrimSuffix(strings.TrimSuffix(file, ".py"), ".sql"))[2]
	title = strings.TrimSuffix(title, "_upgrade")
	return strings.TrimSpace(strings.ReplaceAll(title, "_", " "))
}

// An saRevision is one version of sqlalchemy-migrate.
type saRevision struct {
	id   string
	file string // the script for upgrades
	down string // the script for downgrades, "" if there is none
	// cache holds the parsed files of this history.
	cache *python.Cache
}
