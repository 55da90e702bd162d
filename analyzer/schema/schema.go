// Package schema holds MySQL schemas as values: it reads SQL statements, applies them one at a time with the
// server's own semantics, and compares the results.
//
// A Schema is immutable: Apply gives a new one that shares what did not change. So a history of migrations is a
// fold, both ends of an upgrade can be kept, and every state in between costs little.
//
// What the package cannot read is an error with a position (see Error); callers turn it into a Gap. Nothing is
// skipped and nothing is guessed.
package schema

import (
	"fmt"
	"strings"
)

// A Pos is a place in a file of the repository. Line and Col count from 1, Col in bytes; 0 means unknown.
type Pos struct {
	File string
	Line int
	Col  int
}

// String gives file:line:col, as far as it is known.
func (p Pos) String() string {
	switch {
	case p.File == "" && p.Line == 0:
		return "-"
	case p.Line == 0:
		return p.File
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Compare orders positions by file, line and column.
func (p Pos) Compare(q Pos) int {
	if c := strings.Compare(p.File, q.File); c != 0 {
		return c
	}
	if p.Line != q.Line {
		return p.Line - q.Line
	}
	return p.Col - q.Col
}

// A Gap is something that could not be read. It makes what depends on it unproven.
type Gap struct {
	Pos  Pos
	What string // what could not be read: "op.execute with text that is known only at run time"
	Why  string // the root cause: "neutron_lib.db.constants is not in this repository"
	// Objects are those that the unread effect can touch; nil means any object of the schema.
	Objects []Object
}

// A Statement is one SQL statement of a migration, without its terminator.
type Statement struct {
	SQL string
	Pos Pos // where it stands; for a statement that was compiled from Python, the call that issues it
	// Verbatim: SQL is the text of the file from Pos on, so that positions inside it can be given exactly.
	Verbatim bool
	// Params: values in it are known only at run time and stand as "?"; its effect on the schema is known.
	Params bool
	// Migration is the id of the migration that it belongs to. It is part of the origin of what it creates.
	Migration string
}

// An ObjectKind says what an Object names.
type ObjectKind string

// The kinds of objects that a schema holds.
const (
	KindTable      ObjectKind = "table"
	KindColumn     ObjectKind = "column"
	KindKey        ObjectKind = "key" // primary, unique, plain, fulltext and spatial keys
	KindForeignKey ObjectKind = "foreign-key"
	KindCheck      ObjectKind = "check"
	KindPartition  ObjectKind = "partition"
	KindView       ObjectKind = "view"
	KindTrigger    ObjectKind = "trigger"
	KindRoutine    ObjectKind = "routine" // procedures and functions
	KindEvent      ObjectKind = "event"
	KindSequence   ObjectKind = "sequence" // MariaDB
	KindDatabase   ObjectKind = "database"
)

// An Object names something in a schema. Table is "" for what belongs to no table; Name is "" for the table itself.
// The Table of a trigger is the table that fires it.
type Object struct {
	Kind  ObjectKind
	Table string
	Name  string
}

// String gives the name by which people know the object: "users.nick", "users", "key users.PRIMARY".
func (o Object) String() string {
	switch o.Kind {
	case KindTable:
		return o.Table
	case KindColumn:
		return o.Table + "." + o.Name
	case KindDatabase:
		return strings.TrimSpace("database " + o.Name)
	}
	if o.Table == "" {
		return string(o.Kind) + " " + o.Name
	}
	return string(o.Kind) + " " + o.Table + "." + o.Name
}

// Compare orders objects by table, kind and name.
func (o Object) Compare(p Object) int {
	if c := strings.Compare(o.Table, p.Table); c != 0 {
		return c
	}
	if c := strings.Compare(string(o.Kind), string(p.Kind)); c != 0 {
		return c
	}
	return strings.Compare(o.Name, p.Name)
}

// An Origin identifies the creation of a table or a column across replays of one history: the same origin under
// another name is a rename, the same name with another origin was dropped and created again. It is made of the
// migration's id, the name at creation and a count, never of a position, so reformatting a migration keeps it.
// "" means unknown: such objects are compared by name.
type Origin string

// An Error says why a statement could not be applied.
type Error struct {
	Pos Pos
	// Code is the error number with which a server refuses the statement (1050, 1060, …); 0 means that this
	// package could not read it or does not know what it does.
	Code    int
	Msg     string
	Objects []Object // what the statement may touch; nil means anything
}

// Error gives the position, the message and the server's number.
func (e *Error) Error() string {
	if e.Code != 0 {
		return fmt.Sprintf("%s: %s (error %d)", e.Pos, e.Msg, e.Code)
	}
	return fmt.Sprintf("%s: %s", e.Pos, e.Msg)
}

// A Schema is one database's definition at one moment. The zero value is not usable; New makes an empty one.
// It is immutable: whoever holds one may share it. Tables, Columns and the rest that it hands out must not be changed.
type Schema struct {
	server   Server
	database string // its name; "" until a statement tells it
	charset  string // of the database; "" means the server's default
	collate  string
	session  session
	tables   map[string]*Table // by name, exact: lower_case_table_names=0 as on Linux servers
	views    map[string]*View
	trigs    map[string]*Trigger
	procs    map[string]*Routine // key: kind + " " + lower(name)
	events   map[string]*Event
	seqs     map[string]*Sequence
	dropped  map[Object]*Statement  // who dropped what exists no more; gives Diff its positions
	serial   serials                // how often an origin's stem was created
	other    map[string]charsetPair // defaults of the databases that were created, by name
	// unread are the tables that an unread statement may have touched, "*" all of them: what the server would refuse there
	// is not known.
	unread  map[string]bool
	parsers *parsers
}

// A Table is a base table.
type Table struct {
	Name        string
	Columns     []*Column
	Keys        []*Key // in the order in which the server shows them
	ForeignKeys []*ForeignKey
	Checks      []*Check
	Partition   *Partition // nil if it has no partitions
	Engine      string     // "InnoDB" by default
	Charset     string     // default for its columns
	Collation   string
	Comment     string
	// Options holds the remaining table options, name in upper case to value: ROW_FORMAT, KEY_BLOCK_SIZE, AUTO_INCREMENT …
	Options map[string]string
	Origin  Origin
	Created *Statement
	Last    *Statement // the last statement that changed it
}

// A Column is a column with every attribute resolved: charset and collation are inherited already.
type Column struct {
	Name          string
	Type          Type
	Nullable      bool
	Default       *Default // nil: no DEFAULT clause in effect. A nullable column has &Default{Null: true}, as SHOW CREATE TABLE prints
	OnUpdate      string   // "CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP(6)", or ""
	AutoIncrement bool
	Charset       string // only for character types
	Collation     string
	Comment       string
	Generated     *Generated
	Invisible     bool
	SRID          int    // -1: none
	Attributes    string // what the model has no field for (COLUMN_FORMAT …), canonical text
	Origin        Origin
	Created       *Statement
	Last          *Statement
}

// A Type is a column's data type. Names are MySQL's canonical ones in lower case: int, bigint, tinyint, varchar, char,
// text, longtext, varbinary, blob, decimal, double, float, datetime, timestamp, date, time, year, bit, enum, set,
// json, geometry … Aliases (INTEGER, BOOL, NUMERIC, NCHAR …) are resolved.
type Type struct {
	Name     string
	Length   int // characters, display width, total digits, or fractional seconds for time types; -1: not given
	Scale    int // digits after the point; -1: not given
	Unsigned bool
	Zerofill bool
	Members  []string // of enum and set
	Unknown  bool     // the type could not be read; see the gap of the statement that made it
}

// A Default is a DEFAULT clause.
type Default struct {
	Null bool
	// Value is a literal's value without quotes, as the server stores it, or an expression's canonical text.
	Value string
	Expr  bool // Value stands in SQL as it is: CURRENT_TIMESTAMP, (uuid()) with its parentheses, b'101' for a bit
	// Dropped: ALTER COLUMN … DROP DEFAULT left a nullable or an AUTO_INCREMENT column without any default, so that MySQL wants a
	// value (1364); or one with ON UPDATE, to which MariaDB otherwise gives the zero date.
	Dropped bool
}

// Generated is a generated column's expression.
type Generated struct {
	Expr    string // canonical text without parentheses around it
	Stored  bool
	Columns []string // that it names, as written
}

// A KeyKind is the kind of a key.
type KeyKind string

// The kinds of keys.
const (
	PrimaryKey  KeyKind = "primary"
	UniqueKey   KeyKind = "unique"
	PlainKey    KeyKind = "key"
	FulltextKey KeyKind = "fulltext"
	SpatialKey  KeyKind = "spatial"
)

// A Key is an index. The primary key's name is "PRIMARY".
type Key struct {
	Name      string
	Kind      KeyKind
	Parts     []KeyPart
	Using     string // BTREE, HASH or ""
	Comment   string
	Parser    string
	Invisible bool
	// Implicit: the server made it for a foreign key; it goes when an explicit key can serve (manual: FOREIGN KEY Constraints).
	Implicit bool
	Created  *Statement
	Last     *Statement
}

// A KeyPart is a column or, if Expr is set, an expression in a key.
type KeyPart struct {
	Column string
	Length int // prefix; 0: the whole column
	Desc   bool
	Expr   string // canonical text without parentheses around it
	// Columns that the expression names, as written.
	Columns []string
}

// A ForeignKey is a foreign key constraint. Actions are upper case; NO ACTION, RESTRICT and "" mean the same to InnoDB,
// but are kept as SHOW CREATE TABLE shows them.
type ForeignKey struct {
	Name       string
	Columns    []string
	RefTable   string // "db.table" when in another database
	RefColumns []string
	OnDelete   string
	OnUpdate   string
	Created    *Statement
}

// A Check is a CHECK constraint.
type Check struct {
	Name        string
	Expr        string // canonical text without parentheses around it
	NotEnforced bool
	// Column is the column that owns it, MariaDB only: it has that column's name, stands in its definition, and goes with a
	// MODIFY that does not repeat it. "" for a check of the table, which is all that MySQL has.
	Column  string
	Columns []string // that it names, as written
	Created *Statement
}

// A Partition is a table's partitioning, kept as canonical text.
type Partition struct {
	By    string   // "RANGE (`id`)"
	Parts []string // canonical definitions, in order; nil for HASH and KEY with a count
	Count int
	Sub   string
	Last  *Statement
}

// A View is a view; Columns are its columns as far as they can be told from the definition, nil if they cannot.
type View struct {
	Name        string
	Columns     []string
	Select      string // canonical text of the SELECT
	Tables      []string
	CheckOption string
	Security    string // DEFINER or INVOKER
	Definer     string
	Algorithm   string
	Created     *Statement
}

// A Trigger is a trigger; its body is text, never run.
type Trigger struct {
	Name    string
	Table   string
	Timing  string // BEFORE or AFTER
	Event   string // INSERT, UPDATE or DELETE
	Body    string
	Created *Statement
}

// A Routine is a stored procedure or function.
type Routine struct {
	Name       string
	Function   bool
	Parameters string // canonical text of the parameter list
	Returns    string
	Body       string
	Created    *Statement
}

// An Event is a scheduled event.
type Event struct {
	Name     string
	Schedule string
	Body     string
	Disabled bool
	Created  *Statement
}

// A Sequence is MariaDB's CREATE SEQUENCE.
type Sequence struct {
	Name       string
	Definition string
	Created    *Statement
}

// A Server is the flavour and version whose semantics are applied.
type Server struct {
	MariaDB      bool
	Major, Minor int
	Patch        int // 0 where it is not known: the newest of its series
}

// session is what SET and USE statements of a migration left behind.
type session struct {
	sqlMode          string
	foreignKeyChecks bool
	// timestamps is explicit_defaults_for_timestamp.
	timestamps bool
	engine     string // default_storage_engine
	// elsewhere is another database that USE selected: unqualified names then are not this schema's. "" for this one.
	elsewhere string
	vars      map[string]string // user variables that hold a saved sql_mode or foreign_key_checks
}

// New gives an empty schema of a database on that server, with the server's default charset and collation. The zero
// Server is MySQL 8.4.
func New(server Server) *Schema {
	if server == (Server{}) {
		server = Server{Major: 8, Minor: 4}
	}
	return &Schema{
		server:  server,
		session: session{sqlMode: server.sqlMode(), foreignKeyChecks: true, timestamps: server.timestamps(), engine: "InnoDB"},
		parsers: newParsers(),
	}
}
