package migrate

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"instep/analyzer/schema"
)

// refusals gives the reasons why the target's framework does not upgrade databases that have run all of the deployed history,
// whatever the statements are: most frameworks look for what databases say that they have run.
//
//   - Alembic looks for the revisions at which a database is (tested on 1.8.1: "Can't locate revision identified by …").
//   - golang-migrate looks for the version at which a database is ("no migration found for version …"), sqlalchemy-migrate
//     compares it with the latest ("Cannot upgrade a database of version … to version …").
//   - sql-migrate looks for all that a database has run ("unknown migration in database"), unless IgnoreUnknown is set.
//   - Flyway does the same, and compares the descriptions and the checksums of versioned migrations, unless validateOnMigrate is
//     off (manual: Validate). Ends of lines do not count, comments do.
//
// The others run what is new and do not look back.
func refusals(oldFS, newFS fs.FS, c *Comparison) []schema.Gap {
	var gaps []schema.Gap
	gap := func(file, what, why string) {
		gaps = append(gaps, schema.Gap{Pos: schema.Pos{File: file}, What: what, Why: why})
	}
	o, n := c.Old, c.New
	if len(o.Revisions) == 0 || o.Framework != n.Framework {
		return nil
	}
	stays := map[string]*Revision{}
	for i := range n.Revisions {
		stays[n.Revisions[i].ID] = &n.Revisions[i]
	}
	last := o.Revisions[len(o.Revisions)-1]
	switch o.Framework {
	case Alembic.Name:
		follows := map[string]bool{}
		for _, r := range o.Revisions {
			for _, p := range r.Parents {
				follows[p] = true
			}
		}
		for _, r := range o.Revisions {
			if !follows[r.ID] && stays[r.ID] == nil {
				gap(r.File, "the upgrade of databases that are at revision "+r.ID+", which is gone at the target",
					"Alembic refuses to upgrade a database that is at a revision that it cannot find")
			}
		}
	case GolangMigrate.Name, SQLAlchemyMigrate.Name:
		if stays[last.ID] == nil && !strings.Contains(last.ID, "/") {
			gap(last.File, "the upgrade of databases that are at version "+last.ID+", which is gone at the target",
				o.Framework+" refuses to upgrade a database that is at a version that it does not have")
		}
	case SQLMigrate.Name:
		for _, r := range o.Revisions {
			if stays[r.ID] == nil {
				gap(r.File, "the upgrade of databases that have run "+r.ID+", which is gone at the target",
					"sql-migrate refuses to upgrade a database that has run what it cannot find, unless it is told to ignore that")
			}
		}
	case Flyway.Name:
		for _, r := range o.Revisions {
			if r.Repeatable {
				continue
			}
			const unless = ", unless validateOnMigrate is off or the history was repaired"
			switch now := stays[r.ID]; {
			case now == nil:
				gap(r.File, "the upgrade of databases that have run version "+r.ID+", which is gone at the target",
					"Flyway refuses to migrate a database that has run what it cannot find"+unless)
			case now.Name != r.Name:
				gap(now.File, fmt.Sprintf("the upgrade of databases that have run version %s as %q, which is %q at the target", r.ID, r.Name, now.Name),
					"Flyway refuses to migrate a database that has run a version under another description"+unless)
			case strings.HasSuffix(now.File, ".sql") && !sameLines(oldFS, newFS, r.File, now.File):
				gap(now.File, "the upgrade of databases that have run version "+r.ID+", whose text is another at the target",
					"Flyway refuses to migrate a database that has run a version with another checksum, for which comments count"+unless)
			}
		}
	}
	return gaps
}

// sameLines tells whether two files have the same lines, however these end. Files that cannot be read are gaps elsewhere.
func sameLines(a, b fs.FS, nameA, nameB string) bool {
	var lines [2][]string
	for i, f := range []struct {
		fsys fs.FS
		name string
	}{{a, nameA}, {b, nameB}} {
		src, gap := readSQL(f.fsys, f.name)
		if gap != nil {
			return true
		}
		src = strings.ReplaceAll(strings.ReplaceAll(strings.TrimPrefix(src, "\ufeff"), "\r\n", "\n"), "\r", "\n")
		lines[i] = strings.Split(strings.TrimSuffix(src, "\n"), "\n")
	}
	return slices.Equal(lines[0], lines[1])
}
