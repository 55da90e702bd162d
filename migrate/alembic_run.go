package migrate

import (
	"io/fs"

	"instep/analyzer/schema"
)

// An alembicEnv is one Alembic environment: the folder with the env.py.
type alembicEnv struct {
	dir string
}

func (e *alembicEnv) run(fsys fs.FS, rev *alembicRevision, before *schema.Schema) Migration {
	return Migration{ID: rev.id, Name: rev.name, File: rev.file, After: before}
}

func (r *saRevision) run(fsys fs.FS, before *schema.Schema) Migration {
	return Migration{ID: r.id, File: r.file, After: before}
}
