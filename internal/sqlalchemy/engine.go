package sqlalchemy

import (
	"errors"
	"reflect"
	"regexp"
	"strings"

	"instep/analyzer/schema"
	"instep/internal/python"
)

// An Engine is the database that one evaluation works on: the schema as far as the migration has come. It gives the
// evaluator SQLAlchemy's modules, and takes what they do.
//
//	e := sqlalchemy.NewEngine(before, "37")
//	ev := python.New(python.Config{FS: fsys, Native: func(ev *python.Eval, name string) *python.Module { return e.Module(ev, name) }})
//	e.Eval = ev
//	m := ev.Load("versions/037.py")
//	ev.Run(m, "upgrade", e.Bind())
//	result := e.Result()
type Engine struct {
	Env
	Migration string // the migration's id, for the statements
	// Hooks lets another package add attributes to the constructs, as sqlalchemy-migrate does. They come before the library's own.
	Hooks Hooks
	// Models: the program is read for its models, not for what it does to a database. create_engine() then gives this engine;
	// otherwise it is a connection to a database that is not modelled.
	Models bool
	// VersionTable is the table in which the framework keeps the versions of a database. Programs see it, but it is not part
	// of the schema.
	VersionTable VersionTable

	schema *schema.Schema
	// The last schema that seen was asked for, and what it gave.
	withoutVersion, withVersion *schema.Schema
	classes                     map[string]*python.Class
	modules                     map[string]*python.Module
	typeClasses                 map[string]*python.Class // by qualified name, those asked for so far
	compiled                    []custom                 // by @compiles
	listeners                   []listener
}

// A VersionTable is a table of the framework's own.
type VersionTable struct {
	Name   string // "" if there is none
	Create string // its CREATE TABLE statement
}

// seen gives the schema as programs see it: with the version table.
func (e *Engine) seen() *schema.Schema {
	if e.VersionTable.Name == "" {
		return e.schema
	}
	if e.withVersion == nil || e.withoutVersion != e.schema {
		e.withVersion, e.withoutVersion = e.schema, e.schema
		if s, err := e.schema.Apply(schema.Statement{SQL: e.VersionTable.Create}); err == nil {
			e.withVersion = s
		}
	}
	return e.withVersion
}

var alterTable = regexp.MustCompile("^(?i)ALTER TABLE `?([^\\s`]+)`? ")

// onVersionTable tells whether a statement changes the version table and nothing else.
func (e *Engine) onVersionTable(sql string) bool {
	m := alterTable.FindStringSubmatch(sql)
	if m == nil || e.VersionTable.Name == "" || m[1] != e.VersionTable.Name || e.schema.Table(m[1]) != nil {
		return false
	}
	s, err := e.seen().Apply(schema.Statement{SQL: sql})
	return err == nil && s.Table(m[1]) != nil && len(s.Tables()) == len(e.schema.Tables())+1
}

// Hooks are attributes that another package adds. nil is allowed.
type Hooks struct {
	Table      func(ev *python.Eval, t *Table, name string) (python.Value, bool)
	Column     func(ev *python.Eval, c *Column, name string) (python.Value, bool)
	Constraint func(ev *python.Eval, k *Constraint, name string) (python.Value, bool)
	Index      func(ev *python.Eval, ix *Index, name string) (python.Value, bool)
}

// NewEngine gives an engine whose database has that schema; nil means an empty one on MySQL 8.4.
func NewEngine(before *schema.Schema, migration string) *Engine {
	if before == nil {
		before = schema.New(schema.Server{Major: 8, Minor: 4})
	}
	return &Engine{schema: before, Migration: migration, classes: map[string]*python.Class{}}
}

// Schema gives the schema as it is now.
func (e *Engine) Schema() *schema.Schema { return e.schema }

// Save implements python.Mutable.
func (e *Engine) Save() any { return engineState{e.schema, e.listeners, e.compiled} }

// Restore implements python.Mutable.
func (e *Engine) Restore(state any) {
	s := state.(engineState)
	e.schema, e.listeners, e.compiled = s.schema, s.listeners, s.compiled
}

// Merge implements python.Merger: what only one of two branches did to the schema is taken back. The evaluator reports it.
func (e *Engine) Merge(ev *python.Eval, before, a, b any, why *python.Unknown) {
	x, y := a.(engineState), b.(engineState)
	if x.schema != y.schema && !reflect.DeepEqual(x.schema, y.schema) {
		e.Restore(before)
		return
	}
	if len(x.listeners) > len(y.listeners) {
		y.listeners = x.listeners
	}
	if len(x.compiled) > len(y.compiled) {
		y.compiled = x.compiled
	}
	e.Restore(y)
}

type engineState struct {
	schema    *schema.Schema
	listeners []listener
	compiled  []custom
}

// Applied is the Value of the effects that an Engine records.
type Applied struct {
	Statement schema.Statement
	After     *schema.Schema
	Gap       *schema.Gap // why the statement could not be applied, or is not known in full
}

// Emit runs a compiled statement. objects are what it touches, for the gap if it is not known in full; nil means anything.
// The error is a Python exception: the server refuses the statement, and the program may catch that.
func (e *Engine) Emit(pos python.Pos, ddl DDL, objects ...schema.Object) error {
	st := schema.Statement{SQL: ddl.SQL, Pos: schemaPos(pos), Migration: e.Migration, Params: len(ddl.Unknown) > 0}
	var gap *schema.Gap
	if st.Params {
		gap = &schema.Gap{Pos: st.Pos, What: "part of the statement " + clip(ddl.SQL), Why: ddl.Unknown[0].Why, Objects: objects}
	}
	return e.apply(pos, st, gap)
}

// Execute runs the text of a statement that the program gives to the driver. It cuts it where several statements are given
// at once.
func (e *Engine) Execute(pos python.Pos, sql string, unknown ...*Unknown) error {
	sts, gaps := schema.Split("", sql)
	if len(gaps) > 0 || len(sts) == 0 {
		return e.executeOne(pos, strings.TrimSpace(sql), unknown)
	}
	for _, st := range sts {
		if err := e.executeOne(pos, st.SQL, unknown); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) executeOne(pos python.Pos, sql string, unknown []*Unknown) error {
	switch statementKind(sql) {
	case kindNone, kindQuery:
		return nil
	case kindData:
		st := schema.Statement{SQL: sql, Pos: schemaPos(pos), Migration: e.Migration, Params: len(unknown) > 0}
		e.Eval.Effect(python.Effect{Pos: pos, Kind: python.DataEffect, Text: sql, Value: &Applied{Statement: st, After: e.schema}})
		e.mayFail(pos, sql)
		return nil
	}
	return e.Emit(pos, DDL{SQL: sql, Unknown: unknown})
}

// apply applies a statement to the schema and records it.
func (e *Engine) apply(pos python.Pos, st schema.Statement, gap *schema.Gap) error {
	next, err := e.schema.Apply(st)
	if err != nil && gap == nil && e.onVersionTable(st.SQL) {
		e.Eval.Note(pos, clip(st.SQL)+" changes the framework's own table")
		return nil
	}
	a := &Applied{Statement: st, After: next, Gap: gap}
	var refused *schema.Error
	if errors.As(err, &refused) && refused.Code == 0 && st.Params {
		// A column of unknown length is still a column.
		assumed := st
		if assumed.SQL = assume(st.SQL); assumed.SQL != st.SQL {
			if s, e := e.schema.Apply(assumed); e == nil {
				next, err = s, nil
			}
		}
	}
	if errors.As(err, &refused) {
		if refused.Code != 0 && e.catching() {
			return e.driverError(refused, st.SQL)
		}
		if gap == nil {
			why := refused.Msg
			if refused.Code != 0 {
				why = "the server refuses it: " + why
			}
			a.Gap = &schema.Gap{Pos: st.Pos, What: clip(st.SQL), Why: why, Objects: refused.Objects}
		}
	}
	e.Eval.Touch(e)
	if next != nil {
		e.schema = next
	}
	a.After = e.schema
	e.Eval.Effect(python.Effect{Pos: pos, Kind: python.SchemaEffect, Text: st.SQL, Value: a})
	if refused == nil && dependsOnRows.MatchString(st.SQL) {
		e.mayFail(pos, st.SQL)
	}
	return nil
}

// dependsOnRows matches the changes of a table that a server refuses if a row does not fit: NULL where it is forbidden now, a
// value that is too long, a duplicate, a missing parent.
var dependsOnRows = regexp.MustCompile(`(?is)^\s*(?:ALTER\s+TABLE\b.*\b(?:MODIFY|CHANGE|UNIQUE|PRIMARY\s+KEY|FOREIGN\s+KEY|CHECK)|CREATE\s+UNIQUE)\b`)

// mayFail tells the evaluation that the server may refuse a statement because of the rows that it finds, or a query because
// of what it reads: programs find out by trying.
func (e *Engine) mayFail(pos python.Pos, sql string) {
	e.Eval.MayRaise(python.NewUnknown(pos, "whether the server refuses "+clip(sql)+" is not known"))
}

// The places at which "?" can be replaced so that the rest of a definition can be applied.
var (
	holeName    = regexp.MustCompile(`(?i)CONSTRAINT \? (FOREIGN|UNIQUE|CHECK|PRIMARY)`)
	holeDefault = regexp.MustCompile(`(?i) DEFAULT \?`)
	holeLength  = regexp.MustCompile(`\(\?\)`)
	holeDigits  = regexp.MustCompile(`\(\?, `)
	holeScale   = regexp.MustCompile(`, \?\)`)
	holeType    = regexp.MustCompile("((?:[(,\t]|ADD COLUMN|ADD|MODIFY|CHANGE (?:`[^`]+`|\\w+)) ?(?:`[^`]+`|\\w+)) \\?")
)

// assume puts stand-ins for what is not known of a definition: a length of 255, a type VARCHAR(255), no default, no name of a
// constraint. What is made so is named by the gap of the statement.
func assume(sql string) string {
	sql = holeName.ReplaceAllString(sql, "$1")
	sql = holeDefault.ReplaceAllString(sql, "")
	sql = holeLength.ReplaceAllString(sql, "(255)")
	sql = holeDigits.ReplaceAllString(sql, "(10, ")
	sql = holeScale.ReplaceAllString(sql, ", 0)")
	return holeType.ReplaceAllString(sql, "$1 VARCHAR(255)")
}

// catching tells whether an exception may be caught by the program. A statement that the server refuses is an exception
// then; otherwise it is a gap, and the evaluation goes on: the migration ran in reality, so it is the model that lacks
// something, and what follows is worth knowing.
func (e *Engine) catching() bool {
	c, ok := any(e.Eval).(interface{ Catching() bool })
	return ok && c.Catching()
}

// Unread records a gap for something that would touch these objects; nil means anything.
func (e *Engine) Unread(pos python.Pos, what, why string, objects ...schema.Object) {
	e.Eval.Gap(python.Gap{Pos: pos, What: what, Why: why, Value: objects})
}

// A Result is what an evaluation did to the database.
type Result struct {
	Statements []schema.Statement
	Steps      []*schema.Schema // the schema after each of them
	After      *schema.Schema
	Gaps       []schema.Gap
}

// Result gives what was done so far.
func (e *Engine) Result() Result {
	r := Result{After: e.schema}
	var last python.Effect
	for _, f := range e.Eval.Effects() {
		a, ok := f.Value.(*Applied)
		if !ok {
			continue
		}
		// The body of a loop over rows may have been evaluated more than once to find out what it changes.
		again := f.Kind == python.DataEffect && f.Conditional && last.Conditional && f.Pos == last.Pos && f.Text == last.Text
		last = f
		if again {
			continue
		}
		r.Statements = append(r.Statements, a.Statement)
		r.Steps = append(r.Steps, a.After)
		if a.Gap != nil {
			r.Gaps = append(r.Gaps, *a.Gap)
		}
	}
	for _, g := range e.Eval.Gaps() {
		gap := schema.Gap{Pos: schemaPos(g.Pos), What: g.What, Why: g.Why}
		if objects, ok := g.Value.([]schema.Object); ok {
			gap.Objects = objects
		}
		r.Gaps = append(r.Gaps, gap)
	}
	return r
}

// The kinds of statements, by what they can touch.
const (
	kindNone = iota
	kindQuery
	kindData
	kindSchema
)

// statementKind looks at the first word. Version comments count as schema statements: what is in them may be anything.
func statementKind(sql string) int {
	for {
		sql = strings.TrimLeft(sql, " \t\r\n;(")
		switch {
		case strings.HasPrefix(sql, "/*!"), strings.HasPrefix(sql, "/*M!"):
			return kindSchema
		case strings.HasPrefix(sql, "/*"):
			_, rest, ok := strings.Cut(sql[2:], "*/")
			if !ok {
				return kindSchema
			}
			sql = rest
			continue
		case strings.HasPrefix(sql, "#"), strings.HasPrefix(sql, "--"):
			_, rest, ok := strings.Cut(sql, "\n")
			if !ok {
				return kindNone
			}
			sql = rest
			continue
		}
		break
	}
	if sql == "" {
		return kindNone
	}
	i := 0
	for i < len(sql) && isWord(sql[i]) {
		i++
	}
	switch strings.ToUpper(sql[:i]) {
	case "SELECT", "SHOW", "DESC", "DESCRIBE", "EXPLAIN", "VALUES", "TABLE", "CHECK", "CHECKSUM":
		return kindQuery
	case "INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD":
		return kindData
	case "COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT", "RELEASE", "ANALYZE", "OPTIMIZE", "FLUSH", "UNLOCK", "LOCK":
		return kindNone
	case "WITH":
		// A common table expression stands before a query or before a change of rows.
		up := strings.ToUpper(sql)
		for _, w := range []string{"INSERT ", "UPDATE ", "DELETE "} {
			if strings.Contains(up, w) {
				return kindData
			}
		}
		return kindQuery
	}
	return kindSchema
}

func schemaPos(p python.Pos) schema.Pos {
	return schema.Pos{File: p.File, Line: p.Line, Col: p.Col}
}

// clip shortens a statement for a message.
func clip(sql string) string {
	s := strings.Join(strings.Fields(sql), " ")
	if r := []rune(s); len(r) > 80 {
		return string(r[:79]) + "…"
	}
	return s
}

func tableObject(t *Table) schema.Object { return schema.Object{Kind: schema.KindTable, Table: t.Name} }

// Creating and dropping, for native modules. Each runs the statements that the library would run, in its order.

// CreateAll runs metadata.create_all(). tables are those to create; nil means all. With checkfirst, what exists is left alone.
func (e *Engine) CreateAll(pos python.Pos, m *MetaData, tables []*Table, checkfirst bool) error {
	if tables == nil {
		tables = m.Tables
	}
	var todo []*Table
	for _, t := range tables {
		if !checkfirst || !e.hasTable(t) {
			todo = append(todo, t)
		}
	}
	steps, err := SortTables(todo, false)
	if err != nil {
		return e.exception(err)
	}
	if err := e.fire(pos, m, nil, "before_create", todo); err != nil {
		return err
	}
	for _, s := range steps {
		if s.Table != nil {
			if err := e.create(pos, s.Table, s.Omit, false); err != nil {
				return err
			}
			continue
		}
		for _, k := range s.ForeignKeys {
			if err := e.AddConstraint(pos, k); err != nil {
				return err
			}
		}
	}
	return e.fire(pos, m, nil, "after_create", todo)
}

// DropAll runs metadata.drop_all().
func (e *Engine) DropAll(pos python.Pos, m *MetaData, tables []*Table, checkfirst bool) error {
	if tables == nil {
		tables = m.Tables
	}
	var todo []*Table
	for _, t := range tables {
		if !checkfirst || e.hasTable(t) {
			todo = append(todo, t)
		}
	}
	steps, err := SortTables(todo, true)
	if err != nil {
		return e.exception(err)
	}
	if err := e.fire(pos, m, nil, "before_drop", todo); err != nil {
		return err
	}
	for _, s := range steps {
		if s.Table != nil {
			if err := e.DropTable(pos, s.Table, false); err != nil {
				return err
			}
			continue
		}
		for _, k := range s.ForeignKeys {
			if err := e.DropConstraint(pos, k); err != nil {
				return err
			}
		}
	}
	return e.fire(pos, m, nil, "after_drop", todo)
}

// CreateTable runs table.create(): the table with its indexes.
func (e *Engine) CreateTable(pos python.Pos, t *Table, checkfirst bool) error {
	if checkfirst && e.hasTable(t) {
		return nil
	}
	return e.create(pos, t, nil, false)
}

func (e *Engine) create(pos python.Pos, t *Table, omit []*Constraint, ifNotExists bool) error {
	if err := e.fire(pos, nil, t, "before_create", nil); err != nil {
		return err
	}
	ddl, err := CreateTable(t, ifNotExists, omit)
	if err != nil {
		return e.exception(err)
	}
	if err := e.Emit(pos, ddl, tableObject(t)); err != nil {
		return err
	}
	for _, ix := range t.Indexes {
		if err := e.CreateIndex(pos, ix); err != nil {
			return err
		}
	}
	return e.fire(pos, nil, t, "after_create", nil)
}

// DropTable runs table.drop().
func (e *Engine) DropTable(pos python.Pos, t *Table, checkfirst bool) error {
	if checkfirst && !e.hasTable(t) {
		return nil
	}
	if err := e.fire(pos, nil, t, "before_drop", nil); err != nil {
		return err
	}
	ddl, err := DropTable(t, false)
	if err != nil {
		return e.exception(err)
	}
	if err := e.Emit(pos, ddl, tableObject(t)); err != nil {
		return err
	}
	return e.fire(pos, nil, t, "after_drop", nil)
}

// CreateIndex runs index.create().
func (e *Engine) CreateIndex(pos python.Pos, ix *Index) error {
	ddl, err := CreateIndex(ix, false)
	if err != nil {
		return e.exception(err)
	}
	return e.Emit(pos, ddl, tableObject(ix.Table))
}

// DropIndex runs index.drop().
func (e *Engine) DropIndex(pos python.Pos, ix *Index) error {
	ddl, err := DropIndex(ix, false)
	if err != nil {
		return e.exception(err)
	}
	return e.Emit(pos, ddl, tableObject(ix.Table))
}

// AddConstraint runs ALTER TABLE … ADD for a constraint of a table.
func (e *Engine) AddConstraint(pos python.Pos, k *Constraint) error {
	ddl, err := AddConstraint(k)
	if err != nil {
		return e.exception(err)
	}
	return e.Emit(pos, ddl, tableObject(k.Table))
}

// DropConstraint runs ALTER TABLE … DROP for a constraint of a table.
func (e *Engine) DropConstraint(pos python.Pos, k *Constraint) error {
	ddl, err := DropConstraint(k, e.schema.Server().MariaDB)
	if err != nil {
		return e.exception(err)
	}
	return e.Emit(pos, ddl, tableObject(k.Table))
}

func (e *Engine) hasTable(t *Table) bool {
	if t.Schema != "" && t.Schema != e.schema.Database() {
		return false
	}
	return e.seen().Table(t.Name) != nil || e.schema.View(t.Name) != nil
}

// A listener is an event listener of a table or a MetaData.
type listener struct {
	metadata *MetaData
	table    *Table
	event    string
	call     func(pos python.Pos) error
}

// fire runs the listeners of an event.
func (e *Engine) fire(pos python.Pos, m *MetaData, t *Table, event string, tables []*Table) error {
	for _, l := range e.listeners {
		if l.event == event && (l.metadata != nil && l.metadata == m || l.table != nil && l.table == t) {
			if err := l.call(pos); err != nil {
				return err
			}
		}
	}
	return nil
}

// exception turns an error of this package into a Python exception.
func (e *Engine) exception(err error) error {
	var x *Error
	if !errors.As(err, &x) {
		return err
	}
	if c := python.Builtin(x.Class); c != nil {
		return e.Eval.Raise(c, python.Str(x.Msg))
	}
	return e.Eval.Raise(e.ExceptionClass(x.Class), python.Str(x.Msg))
}

// exceptionBases says what each of the library's exceptions derives from, where it is not SQLAlchemyError.
func exceptionBase(name string) string {
	switch name {
	case "SQLAlchemyError":
		return ""
	case "UnsupportedCompilationError":
		return "CompileError"
	case "NoSuchModuleError", "ConstraintColumnNotFoundError", "ObjectNotExecutableError", "AmbiguousForeignKeysError", "NoForeignKeysError", "DuplicateColumnError":
		return "ArgumentError"
	case "NoSuchTableError", "NoReferenceError", "NoSuchColumnError", "UnboundExecutionError", "ResourceClosedError", "PendingRollbackError",
		"NoInspectionAvailable", "NoResultFound", "MultipleResultsFound", "IllegalStateChangeError":
		return "InvalidRequestError"
	case "NoReferencedTableError", "NoReferencedColumnError":
		return "NoReferenceError"
	case "DBAPIError":
		return "StatementError"
	case "DatabaseError", "InterfaceError":
		return "DBAPIError"
	case "OperationalError", "ProgrammingError", "IntegrityError", "InternalError", "DataError", "NotSupportedError":
		return "DatabaseError"
	}
	return "SQLAlchemyError"
}

// ExceptionClass gives a class of sqlalchemy.exc.
func (e *Engine) ExceptionClass(name string) *python.Class {
	key := "exc." + name
	if c := e.classes[key]; c != nil {
		return c
	}
	var c *python.Class
	switch {
	case strings.HasSuffix(name, "Warning"):
		c = python.NewException("sqlalchemy.exc", name, python.Builtin("Warning"))
	case exceptionBase(name) == "":
		c = python.NewException("sqlalchemy.exc", name)
	default:
		c = python.NewException("sqlalchemy.exc", name, e.ExceptionClass(exceptionBase(name)))
	}
	e.classes[key] = c
	return c
}

// driverError gives the exception for a statement that the server refuses, of the class that the MySQL drivers use.
func (e *Engine) driverError(err *schema.Error, sql string) error {
	name := "OperationalError"
	switch err.Code {
	case 1007, 1064, 1149, 1146, 1102, 1103, 1110, 1111, 1112, 1113:
		name = "ProgrammingError"
	case 1022, 1048, 1062, 1169, 1215, 1216, 1217, 1451, 1452:
		name = "IntegrityError"
	case 1264, 1265, 1406, 1366:
		name = "DataError"
	}
	out := e.Eval.Raise(e.ExceptionClass(name), python.Str(err.Msg))
	var r *python.Raise
	if errors.As(out, &r) {
		args := python.NewTuple(python.Int(err.Code), python.Str(err.Msg))
		orig := python.NewInstance(e.ExceptionClass(name))
		orig.Attrs.Store(e.Eval, "args", args)
		r.Exc.Attrs.Store(e.Eval, "orig", orig)
		r.Exc.Attrs.Store(e.Eval, "statement", python.Str(sql))
	}
	return out
}
