package simulate

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// maxSkipped bounds the statements of a history that are listed as not run.
const maxSkipped = 20

// deployed is a database that stands at the deployed schema.
type deployed struct {
	name   string         // on the server
	schema *schema.Schema // as the server's flavour and version make it
	load   analyzer.SimulatedLoad
}

// create makes an empty database with the charset and collation that a schema's database has.
func (r *run) create(ctx context.Context, name string, s *schema.Schema) (string, error) {
	return r.server.createDatabase(ctx, name, s.Charset(), s.Collation())
}

// deployed builds the deployed database: by replaying its history, statement by statement, or from the schema that instep
// worked out, where the history cannot be replayed.
func (r *run) deployed(ctx context.Context, name string, d analyzer.Database, in Database) (*deployed, error) {
	because := in.Because
	if in.History != nil || because == "" {
		dep, err := r.replay(ctx, name, in.History)
		if err != nil {
			return nil, err
		}
		if len(dep.load.Skipped) == 0 {
			return dep, nil
		}
		for _, s := range dep.load.Skipped {
			if s.Error != nil {
				because = fmt.Sprintf("%s could not be run: %s", s.Statement.Pos, s.Why)
				break
			}
		}
		if because == "" { // only rows are missing
			return dep, nil
		}
	}
	dep, err := r.fromSchema(ctx, name, d.Old)
	if err != nil {
		return nil, fmt.Errorf("the deployed schema cannot be built on %s (it was not made by replaying the migrations: %s): %w", r.server.Name, because, err)
	}
	dep.load.Because = because
	return dep, nil
}

// replay runs a history on an empty database.
func (r *run) replay(ctx context.Context, name string, history []schema.Statement) (*deployed, error) {
	s := schema.New(r.server.Version)
	dep := &deployed{schema: s, load: analyzer.SimulatedLoad{From: "migrations"}}
	var err error
	if dep.name, err = r.create(ctx, name, s); err != nil {
		return nil, err
	}
	c, err := r.guest(ctx, dep.name)
	if err != nil {
		return nil, err
	}
	defer c.close()
	skip := func(st schema.Statement, why string, refused *analyzer.ServerError) {
		if len(dep.load.Skipped) < maxSkipped {
			dep.load.Skipped = append(dep.load.Skipped, analyzer.SkippedStatement{Statement: st, Why: why, Error: refused})
		}
	}
	r.progress.stage("replaying the migrations", int64(len(history)))
	for _, st := range history {
		r.progress.add(1)
		after, applyErr := s.Apply(st)
		if st.Params {
			const why = "its values are known only at run time"
			if after != s { // it makes or changes a table
				skip(st, why, &analyzer.ServerError{Message: why})
				return dep, nil
			}
			skip(st, why, nil)
			continue
		}
		dep.load.Statements++
		if err := c.exec(ctx, st.SQL); err != nil {
			refused, ok := serverError(err)
			if !ok {
				return nil, fmt.Errorf("%s: %w", st.Pos, err)
			}
			skip(st, refused.String(), refused)
			return dep, nil
		}
		if applyErr != nil {
			dep.differs("%s: the server takes it, and instep does not: %v", st.Pos, applyErr)
		}
		s = after
	}
	return dep, r.check(ctx, dep, s)
}

// fromSchema makes the schema that instep worked out.
func (r *run) fromSchema(ctx context.Context, name string, old *schema.Schema) (*deployed, error) {
	dep := &deployed{load: analyzer.SimulatedLoad{From: "schema"}}
	var err error
	if dep.name, err = r.create(ctx, name, old); err != nil {
		return nil, err
	}
	text := old.SQL()
	if old.Server().MariaDB != r.server.Version.MariaDB {
		text = r.translated(text)
	}
	c, err := r.guest(ctx, dep.name)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if err := c.exec(ctx, "SET foreign_key_checks = 0, sql_mode = ''"); err != nil {
		return nil, err
	}
	statements, gaps := schema.Split("schema.sql", text)
	if len(gaps) > 0 {
		return nil, fmt.Errorf("%s: %s", gaps[0].What, gaps[0].Why)
	}
	r.progress.stage("making the deployed schema", int64(len(statements)))
	for _, st := range statements {
		r.progress.add(1)
		if err := c.exec(ctx, st.SQL); err != nil {
			return nil, fmt.Errorf("%s: %w", shorten(st.SQL, 80), err)
		}
		dep.load.Statements++
	}
	if old.Server().MariaDB == r.server.Version.MariaDB {
		return dep, r.check(ctx, dep, old)
	}
	return dep, r.check(ctx, dep, nil)
}

// mysqlCollation is a collation that only MySQL 8 has, and mariaCollation one that only MariaDB has.
var (
	mysqlCollation = regexp.MustCompile(`\butf8mb4(_\w+)?_0900_\w+`)
	mariaCollation = regexp.MustCompile(`\b(?:utf8mb4_)?uca1400_\w+`)
)

// translated gives SQL for the other flavour: collations that this one does not have become its default.
func (r *run) translated(text string) string {
	if r.server.Version.MariaDB {
		return mysqlCollation.ReplaceAllString(text, "utf8mb4_general_ci")
	}
	return mariaCollation.ReplaceAllString(text, "utf8mb4_0900_ai_ci")
}

// check compares what the server made with what instep worked out (nil: nothing to compare with), and settles on the server's
// where they differ.
func (r *run) check(ctx context.Context, dep *deployed, want *schema.Schema) error {
	have, err := r.definitions(ctx, dep.name)
	if err != nil {
		return err
	}
	if want == nil {
		dep.schema = have
		return nil
	}
	dep.schema = want
	if list := differences(want, have); len(list) > 0 {
		dep.load.Differences = append(dep.load.Differences, list...)
		dep.schema = have
	}
	return nil
}

// definitions reads a database's schema from the server.
func (r *run) definitions(ctx context.Context, database string) (*schema.Schema, error) {
	c, err := r.server.session(ctx, asAdmin, "")
	if err != nil {
		return nil, err
	}
	defer c.close()
	return definitions(ctx, c, r.server.Version, database)
}

// guest opens a session for SQL that may be a stranger's.
func (r *run) guest(ctx context.Context, database string) (*session, error) {
	c, err := r.server.session(ctx, asGuest, database)
	if err == nil {
		c.limit = r.o.StatementLimit
	}
	return c, err
}

func (d *deployed) differs(format string, args ...any) {
	if len(d.load.Differences) < maxSkipped {
		d.load.Differences = append(d.load.Differences, fmt.Sprintf(format, args...))
	}
}

var literal = regexp.MustCompile(`'[^']*'|\b\d+`)

// differences says where a server's schema is not what instep worked out.
func differences(want, have *schema.Schema) []string {
	var list []string
	for _, c := range schema.DiffNames(want, have) {
		switch c := c.(type) {
		case *schema.ChangeTrigger, *schema.ChangeView, *schema.ChangeRoutine, *schema.ChangeEvent, *schema.ChangeDatabase:
			continue // they are not read back
		case *schema.ChangeCheck:
			if c.Old != nil && c.New != nil && literal.ReplaceAllString(c.Old.Expr, "?") == literal.ReplaceAllString(c.New.Expr, "?") {
				continue // the server prints a literal as the column's type has it
			}
		case *schema.ColumnDefault:
			if c.Old.Default != nil && c.Old.Default.Dropped {
				continue // SHOW CREATE TABLE prints it as a BLOB's missing default
			}
		}
		if len(list) == maxSkipped {
			list = append(list, "and more")
			break
		}
		list = append(list, strings.TrimRight(fmt.Sprintf("%s (%s): the server has: %s", c.Object(), c.Kind(), analyzer.Transition(c)), ": "))
	}
	return list
}

// empty deletes the rows that migrations have put in, so that generated ones have room.
func (r *run) empty(ctx context.Context, dep *deployed) error {
	c, err := r.guest(ctx, dep.name)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.exec(ctx, "SET foreign_key_checks = 0"); err != nil {
		return err
	}
	for _, t := range dep.schema.Tables() {
		if err := c.exec(ctx, "TRUNCATE TABLE "+quoteName(t.Name)); err != nil {
			if _, ok := serverError(err); !ok {
				return err
			}
			err = c.exec(ctx, "DELETE FROM "+quoteName(t.Name)) // a trigger or a system-versioned table may refuse: rows then stay
			if _, ok := serverError(err); err != nil && !ok {
				return err
			}
		}
	}
	return nil
}

var errNoStatements = errors.New("the upgrade has no pending statements")
