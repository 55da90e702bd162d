// Package migrate reads a repository's schema migrations, whatever framework they are written for, as positioned
// MySQL statements. Nothing in the repository is executed: Python front ends are compilers to MySQL DDL.
//
// Frameworks are values, one file each, listed in frameworks.go.
package migrate

import (
	"io/fs"

	"instep/analyzer/schema"
)

// A Migration is what one revision does to a given schema.
type Migration struct {
	ID         string // the framework's revision id
	Name       string // its title, if it has one
	File       string
	Statements []schema.Statement
	Down       []schema.Statement
	Gaps       []schema.Gap
	// After is the schema after it. It shares what did not change with the schema before.
	After *schema.Schema
	// Steps holds, for each of Statements, the schema after that statement. A statement that could not be applied leaves
	// the schema as it was, and there is a gap at its position.
	Steps []*schema.Schema
}

// A Revision is a migration that has been found but not yet read. What it does can depend on the schema before it:
// scripts reflect on tables that exist.
type Revision struct {
	ID      string
	Name    string
	File    string
	Parents []string // ids; nil where the order of files says everything
	// Repeatable: the framework runs it again, after the others, whenever its text has changed (Flyway's R__).
	Repeatable bool
	// Run reads the revision against the schema before it. It never fails: what cannot be read is a gap.
	// Everything that it reads comes from the fs.FS given to it, so that a reader can see what it depends on.
	Run func(fsys fs.FS, before *schema.Schema) Migration
	// Down reads the way back on the schema after the revision, where that is work of its own; nil where Run gives it with
	// the Migration. What cannot be read gives no statements.
	Down func(fsys fs.FS, after *schema.Schema) []schema.Statement
}

// A History is the revisions of one database in one repository, in the order in which the framework applies them.
type History struct {
	Framework string
	Dir       string
	Database  string // tells several databases of one repository apart; "" when there is only one
	Revisions []Revision
	Gaps      []schema.Gap // what could not be read of the history itself: two heads, a missing parent, a cycle
}

// A Framework is a way of writing migrations.
type Framework struct {
	Name string
	// Detect gives the folders of fsys that hold migrations of this framework, sorted. It looks at names first and
	// reads only what it must: it runs on every check. files are all regular files of the tree, sorted.
	Detect func(fsys fs.FS, files []string) []string
	// Read finds the revisions in one of those folders and puts them in order. Its errors are for I/O;
	// what is wrong with the history is a gap.
	Read func(fsys fs.FS, dir string) (*History, error)
}
