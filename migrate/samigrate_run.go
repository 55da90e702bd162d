package migrate

import (
	"io/fs"
	"path"
	"regexp"
	"strings"

	"instep/analyzer/schema"
	"instep/internal/python"
	"instep/internal/sqlalchemy"
)

// run evaluates a version on a schema.
func (r *saRevision) run(fsys fs.FS, before *schema.Schema) Migration {
	m := r.evaluate(fsys, r.file, "upgrade", before)
	m.ID, m.Name, m.File = r.id, saTitle(path.Base(r.file)), r.file
	return m
}

// reverse evaluates the way back on the schema after a version. One that cannot be read gives nothing: it proves nothing
// about the upgrade.
func (r *saRevision) reverse(fsys fs.FS, after *schema.Schema) []schema.Statement {
	if r.down == "" {
		return nil
	}
	if m := r.evaluate(fsys, r.down, "downgrade", after); len(m.Gaps) == 0 {
		return m.Statements
	}
	return nil
}

// saVersionTable is the table in which the library keeps the version of a database.
var saVersionTable = sqlalchemy.VersionTable{
	Name:   "migrate_version",
	Create: "CREATE TABLE migrate_version (repository_id VARCHAR(250) NOT NULL, repository_path TEXT, version INTEGER, PRIMARY KEY (repository_id))",
}

// evaluate runs one operation of a version.
func (r *saRevision) evaluate(fsys fs.FS, file, operation string, before *schema.Schema) Migration {
	if strings.HasSuffix(file, ".sql") {
		return r.script(fsys, file, before)
	}
	engine := sqlalchemy.NewEngine(before, r.id)
	engine.VersionTable = saVersionTable
	changes := &changeset{engine: engine}
	engine.Hooks = changes.hooks()
	ev := python.New(python.Config{
		FS: fsys, Roots: python.ImportRoots(fsys, path.Dir(file)), Cache: r.cache,
		Native: func(ev *python.Eval, name string) *python.Module {
			if m := changes.native(name); m != nil {
				return m
			}
			return engine.Module(ev, name)
		},
		UnknownCall: unreadCall(engine),
	})
	defer ev.Close()
	engine.Eval, changes.ev = ev, ev
	module := ev.Load(file)
	runFunction(ev, module, operation, file, []python.Value{engine.Bind()})
	result := engine.Result()
	return Migration{Statements: result.Statements, Steps: result.Steps, After: result.After, Gaps: result.Gaps}
}

// transaction matches the statements that the library leaves out of a SQL script, by their beginning as it does.
var transaction = regexp.MustCompile(`(?i)^\s*(?:BEGIN|END|COMMIT)`)

// script reads a SQL script. The library cuts it into statements and sends each to the driver, which takes % for the
// beginning of a placeholder.
func (r *saRevision) script(fsys fs.FS, file string, before *schema.Schema) Migration {
	src, err := fs.ReadFile(fsys, file)
	if err != nil {
		return Migration{After: before, Gaps: []schema.Gap{{Pos: schema.Pos{File: file}, What: "the script " + file, Why: err.Error()}}}
	}
	all, gaps := schema.Split(file, string(src))
	var statements []schema.Statement
	for _, st := range all {
		if transaction.MatchString(st.SQL) {
			continue
		}
		st.Migration = r.id
		if strings.Contains(st.SQL, "/*!") {
			gaps = append(gaps, schema.Gap{Pos: st.Pos, What: "the effect of " + headline(st.SQL), Why: "it has a version comment, which sqlalchemy-migrate drops like any comment before it sends the statement"})
			continue
		}
		if strings.Contains(st.SQL, "%") {
			if strings.Contains(strings.ReplaceAll(st.SQL, "%%", ""), "%") {
				gaps = append(gaps, schema.Gap{Pos: st.Pos, What: "the effect of " + headline(st.SQL), Why: "it has a % that is not doubled, which the driver takes for a placeholder: the migration fails"})
			} else {
				st.SQL, st.Verbatim = strings.ReplaceAll(st.SQL, "%%", "%"), false
			}
		}
		statements = append(statements, st)
	}
	m := apply(before, statements)
	m.Gaps = append(gaps, m.Gaps...)
	return m
}
