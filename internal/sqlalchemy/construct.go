package sqlalchemy

import (
	"fmt"
	"strings"

	"instep/internal/python"
)

// An Unknown says why something is not known.
type Unknown struct {
	Why string // the root cause: "neutron_lib.db.constants is not in this repository"
}

// An Error is an exception that the real library raises.
type Error struct {
	Class string // the class's name in sqlalchemy.exc, or a built-in's: "CompileError", "ArgumentError", "TypeError"
	Msg   string
}

// Error gives the class and the message.
func (e *Error) Error() string { return e.Class + ": " + e.Msg }

func errorf(class, format string, args ...any) *Error {
	return &Error{Class: class, Msg: fmt.Sprintf(format, args...)}
}

// An Env belongs to one evaluation. It numbers constraints in the order of their creation, which is the order in which a
// table renders them, and tells the evaluator's journal what changes. The zero value is ready to use outside of an evaluation.
type Env struct {
	Eval  *python.Eval // nil: nothing is ever taken back
	order int
}

// next gives the next number of creation.
func (e *Env) next() int {
	e.order++
	return e.order
}

// save tells the journal what is about to change. Slices of the structs of this file are never changed in place, so that a
// copy of the struct is all of its state.
func (e *Env) save(targets ...python.Mutable) {
	if e == nil || e.Eval == nil {
		return
	}
	for _, t := range targets {
		e.Eval.Touch(t)
	}
}

// add appends without touching the array of the old slice.
func add[T any](s []T, x ...T) []T { return append(s[:len(s):len(s)], x...) }

// remove gives the slice without x.
func remove[T comparable](s []T, x T) []T {
	var out []T
	for _, y := range s {
		if y != x {
			out = append(out, y)
		}
	}
	return out
}

// cloneObject gives an object of the same class with attributes of its own.
func cloneObject(o python.Object) python.Object {
	var pairs []any
	for _, name := range o.Attrs.Names() {
		v, _ := o.Attrs.Load(name)
		pairs = append(pairs, name, v)
	}
	return python.Object{Cls: o.Cls, Attrs: *python.NewNamespace(pairs...)}
}

// A Name is the name of a constraint or an index.
type Name struct {
	Text string // "" if it has none
	// Conv: the name is final, made by a naming convention or by op.f(). Such names are shortened to 64 characters;
	// others are sent as they are.
	Conv bool
	// TypeBound marks the missing name of a constraint that a Boolean or an Enum brought along: it is made at
	// compile time, and only if the convention for CHECK does not want the given name.
	TypeBound bool
	Unknown   *Unknown
}

// Given tells whether there is a name, known or not.
func (n Name) Given() bool { return n.Text != "" || n.Unknown != nil }

// MetaData is a collection of tables.
type MetaData struct {
	python.Object
	Env    *Env
	Schema string // the default for its tables
	Tables []*Table
	Naming Naming
	// Loose: a foreign key may refer to a table that is not in the collection; its text says the target's name then.
	// Alembic's operations work so. Otherwise that is the library's NoReferencedTableError.
	Loose bool
	// Bind is what MetaData(bind=…) was given; the package that makes it knows its type.
	Bind    any
	Unknown *Unknown // its schema or naming convention could not be read

}

// NewMetaData gives an empty collection.
func NewMetaData(env *Env) *MetaData { return &MetaData{Env: env} }

// Table gives the table with that key ("name" or "schema.name"); nil if there is none.
func (m *MetaData) Table(key string) *Table {
	for _, t := range m.Tables {
		if t.Key() == key {
			return t
		}
	}
	return nil
}

// Add makes the table a member.
func (m *MetaData) Add(t *Table) {
	m.Env.save(m)
	m.Tables = add(m.Tables, t)
}

// Remove takes the table out.
func (m *MetaData) Remove(t *Table) {
	m.Env.save(m)
	m.Tables = remove(m.Tables, t)
}

// Clear takes all tables out.
func (m *MetaData) Clear() {
	m.Env.save(m)
	m.Tables = nil
}

// A Table is a table's definition.
type Table struct {
	python.Object
	Name        string
	Schema      string
	MetaData    *MetaData
	Columns     []*Column
	PrimaryKey  *Constraint
	Constraints []*Constraint // all, the primary key included
	Indexes     []*Index
	Prefixes    []string
	Options     []Option // mysql_* arguments, in the order in which they were given
	Comment     *string
	Quote       *bool
	Unknown     *Unknown // its name, or what it consists of, could not be read
	Reflected   bool

	after []*Table // add_is_dependent_on
}

// An Option is a table option: mysql_engine="InnoDB" is {"ENGINE", "InnoDB"}.
type Option struct {
	Name    string // in upper case, words joined with "_"
	Value   string
	Unknown *Unknown
}

// NewTable gives an empty table that is a member of m. The schema is m's if it is "".
func NewTable(m *MetaData, name, schema string) *Table {
	if schema == "" {
		schema = m.Schema
	}
	t := &Table{Name: name, Schema: schema, MetaData: m}
	t.PrimaryKey = &Constraint{Kind: PrimaryKey, Table: t, implicit: true, order: m.Env.next()}
	t.Constraints = []*Constraint{t.PrimaryKey}
	m.Add(t)
	return t
}

// Key gives the name by which a MetaData knows the table.
func (t *Table) Key() string {
	if t.Schema == "" {
		return t.Name
	}
	return t.Schema + "." + t.Name
}

// Column gives the column with that key; nil if there is none.
func (t *Table) Column(key string) *Column {
	for _, c := range t.Columns {
		if c.Key == key {
			return c
		}
	}
	return nil
}

// SetOption sets a mysql_* argument.
func (t *Table) SetOption(o Option) {
	t.MetaData.Env.save(t)
	for i, p := range t.Options {
		if p.Name == o.Name {
			t.Options = add(t.Options)
			t.Options[i] = o
			return
		}
	}
	t.Options = add(t.Options, o)
}

// The bounds of what is modelled. MySQL has 4096 columns in a table at most (manual: Limits on Table Column Count and Row Size).
const (
	maxColumns = 4096
	maxTables  = 5000
)

// AppendColumn makes the column the table's last. A column with the same key is replaced at its place. What the
// column brings along (foreign keys, index=True, unique=True, checks of its type) is attached too.
func (t *Table) AppendColumn(c *Column) error {
	if c.Table != nil && c.Table != t {
		return errorf("ArgumentError", "Column object '%s' already assigned to Table '%s'", c.Name, c.Table.Name)
	}
	if len(t.Columns) >= maxColumns {
		return errorf("RuntimeError", "table '%s' has more than %d columns", t.Name, maxColumns)
	}
	env := t.MetaData.Env
	env.save(t, c, t.PrimaryKey)
	if c.Key == "" {
		c.Key = c.Name
	}
	if old := t.Column(c.Key); old != nil && old != c {
		at := 0
		for i, x := range t.Columns {
			if x == old {
				at = i
			}
		}
		t.Columns = add(t.Columns)
		t.Columns[at] = c
		for _, k := range t.Constraints {
			if k.Kind == ForeignKeyConstraint && len(k.Columns) > 0 && k.Columns[0] == old && k.fromColumn {
				t.Constraints = remove(t.Constraints, k)
			}
		}
		t.PrimaryKey.Columns = remove(t.PrimaryKey.Columns, old)
	} else if old == nil {
		t.Columns = add(t.Columns, c)
	}
	c.Table = t
	if c.PrimaryKey && !contains(t.PrimaryKey.Columns, c) {
		t.PrimaryKey.Columns = add(t.PrimaryKey.Columns, c)
	}
	t.namePrimaryKey()
	if c.Index {
		ix := &Index{Columns: []IndexPart{{Column: c}}, Unique: c.Unique, ColumnFlag: true, order: env.next()}
		if err := t.AppendIndex(ix); err != nil {
			return err
		}
	} else if c.Unique {
		k := &Constraint{Kind: UniqueConstraint, Columns: []*Column{c}, ColumnFlag: true, order: env.next()}
		if err := t.AppendConstraint(k); err != nil {
			return err
		}
	}
	for _, k := range c.Constraints {
		if err := t.nameConstraint(k); err != nil {
			return err
		}
	}
	if k := c.Type.check(c); k != nil {
		k.order = env.next()
		if err := t.AppendConstraint(k); err != nil {
			return err
		}
	}
	for _, fk := range c.ForeignKeys {
		if fk.Constraint != nil {
			continue
		}
		env.save(fk)
		k := fk.constraint(c)
		k.order = env.next()
		fk.Constraint = k
		if err := t.AppendConstraint(k); err != nil {
			return err
		}
	}
	return nil
}

// namePrimaryKey gives an implicit primary key the name of the naming convention; it depends on its columns.
func (t *Table) namePrimaryKey() {
	k := t.PrimaryKey
	if !k.implicit || len(k.Columns) == 0 {
		return
	}
	k.Name = Name{}
	if n, err := t.MetaData.Naming.name(k.namer(), t); err == nil {
		k.Name = n
	}
}

// nameConstraint applies the naming convention.
func (t *Table) nameConstraint(k *Constraint) error {
	if k.Name.Conv || k.Name.TypeBound || k.Name.Unknown != nil {
		return nil
	}
	n, err := t.MetaData.Naming.name(k.namer(), t)
	if err != nil {
		return err
	}
	if n.Given() {
		k.Name = n
	}
	return nil
}

// AppendConstraint attaches the constraint, resolves its columns and names it by the naming convention.
func (t *Table) AppendConstraint(k *Constraint) error {
	env := t.MetaData.Env
	if k.order == 0 {
		k.order = env.next()
	}
	env.save(t, k)
	k.Table = t
	for i, name := range k.Pending {
		c := t.Column(name)
		if c == nil {
			if k.Kind == ForeignKeyConstraint {
				return errorf("ArgumentError", "Can't create ForeignKeyConstraint on table '%s': no column named '%s' is present.", t.Name, name)
			}
			return errorf("KeyError", "'%s'", name)
		}
		k.Columns = add(k.Columns)
		for len(k.Columns) <= i {
			k.Columns = append(k.Columns, nil)
		}
		k.Columns[i] = c
	}
	k.Pending = nil
	switch k.Kind {
	case PrimaryKey:
		t.Constraints = remove(t.Constraints, t.PrimaryKey)
		if len(k.Columns) == 0 && !k.implicit {
			k.Columns = t.PrimaryKey.Columns
		}
		t.PrimaryKey = k
		for _, c := range t.Columns {
			if contains(k.Columns, c) && !c.PrimaryKey {
				env.save(c)
				c.PrimaryKey = true
				if !c.NullableSet {
					c.Nullable = false
				}
			}
		}
	case ForeignKeyConstraint:
		if len(k.Columns) != len(k.Refs) {
			return errorf("ArgumentError", "ForeignKeyConstraint number of constrained columns must match the number of referenced columns.")
		}
	}
	if !contains(t.Constraints, k) {
		t.Constraints = add(t.Constraints, k)
	}
	return t.nameConstraint(k)
}

// AppendIndex attaches the index, resolves its columns and names it by the naming convention.
func (t *Table) AppendIndex(ix *Index) error {
	env := t.MetaData.Env
	if ix.order == 0 {
		ix.order = env.next()
	}
	env.save(t, ix)
	ix.Table = t
	parts := add(ix.Columns)
	for i, p := range parts {
		if p.Column == nil && p.Expr == nil && p.Unknown == nil {
			if p.Column = t.Column(p.Name); p.Column == nil {
				return errorf("KeyError", "'%s'", p.Name)
			}
			parts[i] = p
		}
	}
	ix.Columns = parts
	if !contains(t.Indexes, ix) {
		t.Indexes = add(t.Indexes, ix)
	}
	if ix.Name.Conv || ix.Name.Unknown != nil {
		return nil
	}
	n, err := t.MetaData.Naming.name(ix.namer(), t)
	if err != nil {
		return err
	}
	if n.Given() {
		ix.Name = n
	}
	return nil
}

func contains[T comparable](s []T, x T) bool {
	for _, y := range s {
		if y == x {
			return true
		}
	}
	return false
}

// A Column is a column's definition. NewColumn fills in what the library takes as default.
type Column struct {
	python.Object
	Name          string
	Key           string // by which the Table knows it; the name unless told otherwise
	Type          *Type  // nil: none was given, and a foreign key may tell it
	Table         *Table
	PrimaryKey    bool
	Nullable      bool
	NullableSet   bool // nullable= was given
	Autoincrement Autoincrement
	ServerDefault *ServerDefault
	// HasDefault: there is a default on the side of Python (default=). It is no part of the DDL, but a lone integer
	// primary key with one does not count up. Default is the evaluator's value.
	HasDefault bool
	Sequence   bool // that default is a Sequence: MySQL has none, so that the column counts up all the same
	Default    any
	// HasOnUpdate: there is onupdate=, on the side of Python.
	HasOnUpdate bool
	OnUpdate    any
	Index       bool
	Unique      bool
	Comment     *string
	Quote       *bool
	Computed    *Computed
	Identity    bool
	System      bool
	ForeignKeys []*ForeignKey
	Constraints []*Constraint // CHECK constraints that stand with the column
	Unknown     *Unknown      // what the column says, apart from its type, could not be read
	Info        any
	Doc         string
}

// Autoincrement is the autoincrement= argument of a column.
type Autoincrement uint8

// The values of Autoincrement.
const (
	AutoincrementAuto Autoincrement = iota
	AutoincrementTrue
	AutoincrementFalse
	AutoincrementIgnoreFK
)

// NewColumn gives a column that may be NULL.
func NewColumn(name string, typ *Type) *Column {
	return &Column{Name: name, Key: name, Type: typ, Nullable: true}
}

// Copy gives a column that belongs to no table, with the same definition. As in the library, index and unique flags and
// foreign keys come along.
func (c *Column) Copy() *Column {
	d := *c
	d.Object = cloneObject(c.Object)
	d.Table = nil
	d.ForeignKeys = nil
	for _, fk := range c.ForeignKeys {
		// A foreign key that is part of a constraint of several columns is copied with the constraint.
		if fk.Constraint == nil || fk.Constraint.fromColumn {
			d.ForeignKeys = append(d.ForeignKeys, fk.copy(""))
		}
	}
	d.Constraints = nil
	for _, k := range c.Constraints {
		d.Constraints = append(d.Constraints, k.copy())
	}
	return &d
}

// A ServerDefault is server_default=. At most one of Text and Expr is set; neither for FetchedValue().
type ServerDefault struct {
	Text    *string // a Python string: rendered as a quoted literal
	Expr    *Expr   // text(), a function and so on: rendered as it is
	Unknown *Unknown
	// ForUpdate marks a server_onupdate.
	ForUpdate bool
	Reflected bool
}

// Computed is a Computed() of a column.
type Computed struct {
	Expr      *Expr
	Persisted *bool
}

// A ForeignKey is a ForeignKey() of a column. It becomes a constraint of one column when the column is attached.
type ForeignKey struct {
	python.Object
	Ref        Ref
	Name       Name
	OnDelete   string
	OnUpdate   string
	Match      string
	UseAlter   bool
	Deferrable *bool
	Initially  string
	LinkToName bool
	Constraint *Constraint
	Unknown    *Unknown
}

func (f *ForeignKey) constraint(c *Column) *Constraint {
	return &Constraint{
		Kind: ForeignKeyConstraint, Name: f.Name, Columns: []*Column{c}, Refs: []Ref{f.Ref},
		OnDelete: f.OnDelete, OnUpdate: f.OnUpdate, Match: f.Match, UseAlter: f.UseAlter,
		Deferrable: f.Deferrable, Initially: f.Initially, LinkToName: f.LinkToName, Unknown: f.Unknown, fromColumn: true,
	}
}

// copy gives the same foreign key unattached. A target in another schema moves along if schema is not "".
func (f *ForeignKey) copy(schema string) *ForeignKey {
	g := *f
	g.Object = cloneObject(f.Object)
	g.Constraint = nil
	g.Ref = f.Ref.move(schema)
	if f.Constraint != nil && f.Constraint.Name.Text != "" && f.Constraint.Name.Conv && f.Name.Text == "" {
		g.Name = Name{}
	}
	return &g
}

// A Ref is what a foreign key points to: a column object, or text.
type Ref struct {
	Column *Column
	Spec   string // "table.column" or "schema.table.column"
}

// parts gives schema, table and column of the target.
func (r Ref) parts() (schema, table, column string) {
	if r.Column != nil {
		if r.Column.Table == nil {
			return "", "", r.Column.Name
		}
		return r.Column.Table.Schema, r.Column.Table.Name, r.Column.Key
	}
	head, column, ok := cutLast(r.Spec, ".")
	if !ok {
		return "", r.Spec, ""
	}
	schema, table, ok = cutLast(head, ".")
	if !ok {
		return "", head, column
	}
	return schema, table, column
}

// Table gives the key of the target's table.
func (r Ref) Table() string {
	s, t, _ := r.parts()
	if s != "" {
		return s + "." + t
	}
	return t
}

// move gives the reference for a copy in another MetaData: text instead of an object.
func (r Ref) move(schema string) Ref {
	s, t, c := r.parts()
	if schema != "" {
		s = schema
	}
	spec := t
	if c != "" {
		spec += "." + c
	}
	if s != "" {
		spec = s + "." + spec
	}
	return Ref{Spec: spec}
}

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// A ConstraintKind is the class of a constraint.
type ConstraintKind string

// The kinds of constraints. Their values are the library's names of the classes.
const (
	PrimaryKey           ConstraintKind = "PrimaryKeyConstraint"
	UniqueConstraint     ConstraintKind = "UniqueConstraint"
	ForeignKeyConstraint ConstraintKind = "ForeignKeyConstraint"
	CheckConstraint      ConstraintKind = "CheckConstraint"
)

// A Constraint is a constraint of a table, or a CHECK that stands with a column.
type Constraint struct {
	python.Object
	Kind    ConstraintKind
	Name    Name
	Table   *Table
	Columns []*Column // in the table; of a CHECK those that the naming convention may use
	// Pending are keys of columns, resolved to Columns when the constraint is attached to a table.
	Pending []string

	// Of foreign keys.
	Refs       []Ref
	OnDelete   string
	OnUpdate   string
	Match      string
	UseAlter   bool
	LinkToName bool

	Deferrable *bool
	Initially  string
	Expr       *Expr // of a CHECK
	TypeBound  bool  // a Boolean or an Enum brought it along
	ColumnFlag bool  // unique=True of a column made it
	Using      string
	Unknown    *Unknown

	implicit   bool // the primary key that a table has without saying so
	fromColumn bool // made of a column's ForeignKey
	noCreate   bool // created by ALTER TABLE instead of with the table (AddConstraint)
	order      int
}

// NewConstraint gives a constraint that is numbered as created now.
func NewConstraint(env *Env, kind ConstraintKind) *Constraint {
	return &Constraint{Kind: kind, order: env.next()}
}

// copy gives an unattached constraint over the same keys of columns.
func (k *Constraint) copy() *Constraint {
	d := *k
	d.Object = cloneObject(k.Object)
	d.Table = nil
	d.Columns = nil
	d.Pending = nil
	d.Refs = add(k.Refs)
	for _, c := range k.Columns {
		d.Pending = append(d.Pending, c.Key)
	}
	if k.Kind == CheckConstraint {
		d.Pending = nil
	}
	return &d
}

// fromColumns tells whether a copy of the table makes this constraint by itself, from its columns.
func (k *Constraint) fromColumns() bool { return k.ColumnFlag || k.TypeBound || k.fromColumn }

// An Index is an index of a table.
type Index struct {
	python.Object
	Name       Name
	Table      *Table
	Columns    []IndexPart
	Unique     bool
	Length     Num            // mysql_length as a number
	Lengths    map[string]Num // mysql_length by column
	Prefix     string         // mysql_prefix: FULLTEXT, SPATIAL
	Using      string
	Parser     string
	ColumnFlag bool // index=True of a column made it
	Unknown    *Unknown
	order      int
}

// NewIndex gives an index that is numbered as created now.
func NewIndex(env *Env, name Name, parts ...IndexPart) *Index {
	return &Index{Name: name, Columns: parts, order: env.next()}
}

// An IndexPart is one part of an index: a column, the key of a column that is resolved when the index is attached, or
// an expression.
type IndexPart struct {
	Column  *Column
	Name    string
	Expr    *Expr
	Unknown *Unknown
}

// CopyTable gives a copy of the table in another MetaData (Table.to_metadata). Name and schema stay if they are "".
func (t *Table) CopyTable(m *MetaData, name, schema string) (*Table, error) {
	if name == "" {
		name = t.Name
	}
	if schema == "" {
		schema = t.Schema
	}
	if old := m.Table((&Table{Name: name, Schema: schema}).Key()); old != nil {
		return old, nil
	}
	n := NewTable(m, name, schema)
	n.Options, n.Prefixes, n.Comment, n.Quote, n.Unknown = t.Options, t.Prefixes, t.Comment, t.Quote, t.Unknown
	for _, c := range t.Columns {
		if err := n.AppendColumn(c.Copy()); err != nil {
			return nil, err
		}
	}
	for _, k := range sortedConstraints(t.Constraints) {
		if k.fromColumns() || k.Kind == PrimaryKey && k.implicit {
			continue
		}
		d := k.copy()
		d.order = m.Env.next()
		for i := range d.Refs {
			d.Refs[i] = d.Refs[i].move("")
		}
		if err := n.AppendConstraint(d); err != nil {
			return nil, err
		}
	}
	for _, ix := range t.Indexes {
		if ix.ColumnFlag {
			continue
		}
		d := *ix
		d.Object = cloneObject(ix.Object)
		d.Table, d.Columns, d.order = nil, nil, m.Env.next()
		for _, p := range ix.Columns {
			if p.Column != nil {
				p = IndexPart{Name: p.Column.Key}
			}
			d.Columns = append(d.Columns, p)
		}
		if err := n.AppendIndex(&d); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// Save implements python.Mutable.
func (m *MetaData) Save() any { return *m }

// Restore implements python.Mutable.
func (m *MetaData) Restore(state any) {
	o := m.Object // the evaluator looks after it itself
	*m = state.(MetaData)
	m.Object = o
}

// Save implements python.Mutable.
func (t *Table) Save() any { return *t }

// Restore implements python.Mutable.
func (t *Table) Restore(state any) {
	o := t.Object // the evaluator looks after it itself
	*t = state.(Table)
	t.Object = o
}

// Save implements python.Mutable.
func (c *Column) Save() any { return *c }

// Restore implements python.Mutable.
func (c *Column) Restore(state any) {
	o := c.Object // the evaluator looks after it itself
	*c = state.(Column)
	c.Object = o
}

// Save implements python.Mutable.
func (f *ForeignKey) Save() any { return *f }

// Restore implements python.Mutable.
func (f *ForeignKey) Restore(state any) {
	o := f.Object // the evaluator looks after it itself
	*f = state.(ForeignKey)
	f.Object = o
}

// Save implements python.Mutable.
func (c *Constraint) Save() any { return *c }

// Restore implements python.Mutable.
func (c *Constraint) Restore(state any) {
	o := c.Object // the evaluator looks after it itself
	*c = state.(Constraint)
	c.Object = o
}

// Save implements python.Mutable.
func (i *Index) Save() any { return *i }

// Restore implements python.Mutable.
func (i *Index) Restore(state any) {
	o := i.Object // the evaluator looks after it itself
	*i = state.(Index)
	i.Object = o
}
