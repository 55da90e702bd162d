package sqlalchemy

import (
	"cmp"
	"slices"
	"strings"
)

// A DDL is a compiled statement. The text is what the server receives.
type DDL struct {
	SQL string
	// Unknown are the causes for the "?" in the text, in order, each once.
	Unknown []*Unknown
}

// A compiler collects what is unknown while it renders.
type compiler struct {
	unknowns []*Unknown
}

func (c *compiler) unknown(u *Unknown) {
	if u != nil && !contains(c.unknowns, u) {
		c.unknowns = append(c.unknowns, u)
	}
}

// compile runs a renderer.
func compile(f func(c *compiler) (string, error)) (DDL, error) {
	c := &compiler{}
	s, err := f(c)
	if err != nil {
		return DDL{}, err
	}
	return DDL{SQL: s, Unknown: c.unknowns}, nil
}

// table renders a table's name with its schema.
func (c *compiler) table(t *Table) string {
	if t.Unknown != nil && t.Name == "" {
		c.unknown(t.Unknown)
		return "?"
	}
	s := quoteAs(t.Name, t.Quote)
	if t.Schema != "" {
		s = quote(t.Schema) + "." + s
	}
	return s
}

// column renders a column's name.
func (c *compiler) column(x *Column) string {
	if x.Unknown != nil && x.Name == "" {
		c.unknown(x.Unknown)
		return "?"
	}
	return quoteAs(x.Name, x.Quote)
}

func (c *compiler) columns(xs []*Column) string {
	var out []string
	for _, x := range xs {
		if x != nil {
			out = append(out, c.column(x))
		}
	}
	return strings.Join(out, ", ")
}

// name renders the name of a constraint or an index.
func (c *compiler) name(n Name) string {
	if n.Unknown != nil {
		c.unknown(n.Unknown)
		return "?"
	}
	return quote(n.text())
}

// FormatTable renders a table's name as it stands in a statement.
func FormatTable(t *Table) (DDL, error) {
	return compile(func(c *compiler) (string, error) { return c.table(t), nil })
}

// QuoteName renders an identifier as the library does: in backquotes only where it must be.
func QuoteName(name string) string { return quote(name) }

// QuoteTable renders a table's name with an optional schema.
func QuoteTable(name, schema string) string {
	if schema != "" {
		return quote(schema) + "." + quote(name)
	}
	return quote(name)
}

// QuoteString renders a string literal.
func QuoteString(s string) string { return quoteString(s) }

// TypeDDL renders a type as it stands in a column's definition.
func TypeDDL(t *Type) (DDL, error) {
	return compile(func(c *compiler) (string, error) { return c.typeDDL(t) })
}

// ExprSQL renders an expression with its values in place, columns without their tables.
func ExprSQL(e *Expr) (DDL, error) {
	return compile(func(c *compiler) (string, error) { return c.expr(e, sqlMode{}), nil })
}

// DefaultDDL renders a server default as it stands behind DEFAULT; "" if there is nothing to render.
func DefaultDDL(d *ServerDefault) (DDL, error) {
	return compile(func(c *compiler) (string, error) { return c.serverDefault(d), nil })
}

// ColumnDDL renders a column's definition: name, type, GENERATED, NOT NULL, COMMENT, AUTO_INCREMENT or DEFAULT. CHECK
// constraints that stand with the column are left out, as in the library's get_column_specification.
func ColumnDDL(x *Column) (DDL, error) {
	return compile(func(c *compiler) (string, error) { return c.columnSpec(x) })
}

func (c *compiler) columnSpec(x *Column) (string, error) {
	t, err := x.resolveType()
	if err != nil {
		return "", err
	}
	typ, err := c.typeDDL(t)
	if err != nil {
		return "", err
	}
	spec := []string{c.column(x), typ}
	if x.Unknown != nil {
		c.unknown(x.Unknown)
	}
	if x.Computed != nil {
		g := "GENERATED ALWAYS AS (" + c.expr(x.Computed.Expr, sqlMode{}) + ")"
		if p := x.Computed.Persisted; p != nil {
			if *p {
				g += " STORED"
			} else {
				g += " VIRTUAL"
			}
		}
		spec = append(spec, g)
	}
	r, err := t.Resolve()
	if err != nil {
		return "", err
	}
	switch {
	case !x.Nullable:
		spec = append(spec, "NOT NULL")
	case r.Kind.Visit == "TIMESTAMP":
		// Without NULL, servers with explicit_defaults_for_timestamp off make it NOT NULL.
		spec = append(spec, "NULL")
	}
	if x.Comment != nil {
		spec = append(spec, "COMMENT "+quoteString(*x.Comment))
	}
	auto, err := x.countsUp()
	if err != nil {
		return "", err
	}
	if auto && (x.ServerDefault == nil || x.Identity) {
		spec = append(spec, "AUTO_INCREMENT")
	} else if s := c.serverDefault(x.ServerDefault); s != "" {
		spec = append(spec, "DEFAULT "+s)
	}
	return strings.Join(spec, " "), nil
}

func (c *compiler) serverDefault(d *ServerDefault) string {
	switch {
	case d == nil:
		return ""
	case d.Unknown != nil:
		c.unknown(d.Unknown)
		return "?"
	case d.Text != nil:
		return quoteString(*d.Text)
	case d.Expr != nil:
		return c.expr(d.Expr, sqlMode{})
	}
	return ""
}

// resolveType gives the column's type; one that was not given comes from what its foreign key refers to.
func (x *Column) resolveType() (*Type, error) {
	for range 50 {
		if x.Type != nil && (x.Type.Unknown != nil || x.Type.Kind.Visit != "null") {
			return x.Type, nil
		}
		if len(x.ForeignKeys) == 0 || x.Table == nil {
			return NewType("NullType"), nil
		}
		y := x.ForeignKeys[0].Ref.resolve(x.Table.MetaData, x.ForeignKeys[0].LinkToName)
		if y == nil {
			return NewType("NullType"), nil
		}
		x = y
	}
	return NewType("NullType"), nil
}

// resolve gives the column that the reference means; nil if it is not in the MetaData.
func (r Ref) resolve(m *MetaData, byName bool) *Column {
	if r.Column != nil {
		return r.Column
	}
	if m == nil {
		return nil
	}
	t := m.Table(r.Table())
	if t == nil && m.Schema != "" && strings.Count(r.Spec, ".") == 1 {
		t = m.Table(m.Schema + "." + r.Table())
	}
	if t == nil {
		return nil
	}
	_, _, col := r.parts()
	if byName {
		for _, x := range t.Columns {
			if x.Name == col {
				return x
			}
		}
	}
	return t.Column(col)
}

// countsUp tells whether the column is its table's AUTO_INCREMENT column.
func (x *Column) countsUp() (bool, error) {
	if x.Table == nil {
		return false, nil
	}
	y, err := x.Table.AutoincrementColumn()
	return y == x, err
}

// AutoincrementColumn gives the column that counts up: a lone integer primary key without default that is no foreign key,
// or the one that says autoincrement=True; nil if there is none.
func (t *Table) AutoincrementColumn() (*Column, error) {
	if t.PrimaryKey == nil {
		return nil, nil
	}
	cols := t.PrimaryKey.Columns
	if len(cols) == 1 {
		x := cols[0]
		switch x.Autoincrement {
		case AutoincrementFalse:
			return nil, nil
		case AutoincrementTrue:
			return x, x.canCount()
		}
		typ, err := x.resolveType()
		if err != nil {
			return nil, err
		}
		if a := typ.affinity(); a != IntegerAffinity && a != NumericAffinity {
			return nil, nil
		}
		if x.HasDefault && !x.Sequence || x.ServerDefault != nil && !x.Identity {
			return nil, nil
		}
		if len(x.ForeignKeys) > 0 && x.Autoincrement != AutoincrementIgnoreFK || t.inForeignKey(x) && x.Autoincrement != AutoincrementIgnoreFK {
			return nil, nil
		}
		return x, nil
	}
	var auto *Column
	for _, x := range cols {
		if x.Autoincrement != AutoincrementTrue {
			continue
		}
		if err := x.canCount(); err != nil {
			return nil, err
		}
		if auto != nil {
			return nil, errorf("ArgumentError", "Only one Column may be marked autoincrement=True, found both %s and %s.", x.Name, auto.Name)
		}
		auto = x
	}
	return auto, nil
}

// inForeignKey tells whether a foreign key of the table has that column.
func (t *Table) inForeignKey(x *Column) bool {
	for _, k := range t.Constraints {
		if k.Kind == ForeignKeyConstraint && contains(k.Columns, x) {
			return true
		}
	}
	return false
}

func (x *Column) canCount() error {
	typ, err := x.resolveType()
	if err != nil {
		return err
	}
	if a := typ.affinity(); a != IntegerAffinity && a != NumericAffinity && typ.Unknown == nil {
		return errorf("ArgumentError", "Column type %s on column '%s' is not compatible with autoincrement=True", typ.Kind.Name, x.Name)
	}
	return nil
}

// CreateTable renders CREATE TABLE. Constraints in omit are left out: they follow as ALTER TABLE.
func CreateTable(t *Table, ifNotExists bool, omit []*Constraint) (DDL, error) {
	return compile(func(c *compiler) (string, error) { return c.createTable(t, ifNotExists, omit) })
}

func (c *compiler) createTable(t *Table, ifNotExists bool, omit []*Constraint) (string, error) {
	var b strings.Builder
	b.WriteString("CREATE ")
	for _, p := range t.Prefixes {
		b.WriteString(p + " ")
	}
	b.WriteString("TABLE ")
	if ifNotExists {
		b.WriteString("IF NOT EXISTS ")
	}
	b.WriteString(c.table(t) + " (")
	c.unknown(t.Unknown)
	sep := "\n\t"
	for _, x := range t.Columns {
		if x.System {
			continue
		}
		spec, err := c.columnSpec(x)
		if err == nil {
			for _, k := range x.Constraints {
				var s string
				if s, err = c.constraint(k); err != nil {
					break
				}
				spec += " " + s
			}
		}
		if err != nil {
			if e, ok := err.(*Error); ok && (e.Class == "CompileError" || e.Class == "UnsupportedCompilationError") {
				return "", errorf("CompileError", "(in table '%s', column '%s'): %s", t.Name, x.Name, e.Msg)
			}
			return "", err
		}
		b.WriteString(sep + spec)
		sep = ", \n\t"
	}
	for _, k := range sortedConstraints(t.Constraints) {
		if k.noCreate || k.UseAlter || contains(omit, k) {
			continue
		}
		s, err := c.constraint(k)
		if err != nil {
			return "", err
		}
		if s == "" {
			continue
		}
		b.WriteString(sep + s)
		sep = ", \n\t"
	}
	b.WriteString("\n)" + c.options(t))
	return b.String(), nil
}

// sortedConstraints gives the primary key, then the others in the order of their creation.
func sortedConstraints(ks []*Constraint) []*Constraint {
	ks = slices.Clone(ks)
	slices.SortStableFunc(ks, func(a, b *Constraint) int {
		if (a.Kind == PrimaryKey) != (b.Kind == PrimaryKey) {
			if a.Kind == PrimaryKey {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.order, b.order)
	})
	return ks
}

// options renders the table options. Where the library has no order, they keep the order in which they were given; the
// character set stands before COLLATE, and partitions stand last.
func (c *compiler) options(t *Table) string {
	opts := slices.Clone(t.Options)
	if t.Comment != nil {
		opts = slices.DeleteFunc(opts, func(o Option) bool { return o.Name == "COMMENT" })
		opts = append(opts, Option{Name: "COMMENT", Value: *t.Comment})
	}
	rank := map[string]int{"COLLATE": 1, "PARTITION_BY": 2, "PARTITIONS": 3, "SUBPARTITION_BY": 4, "SUBPARTITIONS": 5}
	slices.SortStableFunc(opts, func(a, b Option) int { return cmp.Compare(rank[a.Name], rank[b.Name]) })
	s := ""
	for _, o := range opts {
		value := o.Value
		if o.Unknown != nil {
			c.unknown(o.Unknown)
			value = "?"
		}
		name, join := o.Name, "="
		switch o.Name {
		case "COMMENT", "PASSWORD", "CONNECTION":
			value = quoteString(value)
		case "DATA_DIRECTORY", "INDEX_DIRECTORY", "DEFAULT_CHARACTER_SET", "CHARACTER_SET", "DEFAULT_CHARSET", "DEFAULT_COLLATE",
			"PARTITION_BY", "SUBPARTITION_BY":
			name = strings.ReplaceAll(name, "_", " ")
		}
		switch name {
		case "TABLESPACE", "DEFAULT CHARACTER SET", "CHARACTER SET", "COLLATE", "PARTITION BY", "PARTITIONS", "SUBPARTITION BY", "SUBPARTITIONS":
			join = " "
		}
		if s != "" {
			s += " "
		}
		s += name + join + value
	}
	return s
}

// ConstraintDDL renders a constraint as it stands in CREATE TABLE or behind ADD; "" if there is nothing to render.
func ConstraintDDL(k *Constraint) (DDL, error) {
	return compile(func(c *compiler) (string, error) { return c.constraint(k) })
}

func (c *compiler) constraint(k *Constraint) (string, error) {
	c.unknown(k.Unknown)
	head, err := c.constraintName(k)
	if err != nil {
		return "", err
	}
	if head != "" {
		head = "CONSTRAINT " + head + " "
	}
	switch k.Kind {
	case PrimaryKey:
		if len(k.Columns) == 0 {
			return "", nil
		}
		cols := k.Columns
		if k.implicit && k.Table != nil {
			auto, err := k.Table.AutoincrementColumn()
			if err != nil {
				return "", err
			}
			if auto != nil {
				cols = append([]*Column{auto}, remove(cols, auto)...)
			}
		}
		s := head + "PRIMARY KEY (" + c.columns(cols) + ")" + k.deferrability()
		if k.Using != "" {
			s += " USING " + quote(k.Using)
		}
		return s, nil
	case UniqueConstraint:
		if len(k.Columns) == 0 {
			return "", nil
		}
		return head + "UNIQUE (" + c.columns(k.Columns) + ")" + k.deferrability(), nil
	case CheckConstraint:
		return head + "CHECK (" + c.expr(k.Expr, sqlMode{}) + ")" + k.deferrability(), nil
	}
	return c.foreignKey(head, k)
}

// constraintName renders the name of a constraint, "" if it has none.
func (c *compiler) constraintName(k *Constraint) (string, error) {
	n := k.Name
	if n.TypeBound && k.Table != nil {
		var err error
		if n, err = k.Table.MetaData.Naming.name(k.namer(), k.Table); err != nil {
			return "", err
		}
	}
	if !n.Given() {
		return "", nil
	}
	return c.name(n), nil
}

func (c *compiler) foreignKey(head string, k *Constraint) (string, error) {
	if len(k.Refs) == 0 {
		return "", errorf("ArgumentError", "ForeignKeyConstraint without columns")
	}
	var table string
	var cols []string
	for i, r := range k.Refs {
		var m *MetaData
		if k.Table != nil {
			m = k.Table.MetaData
		}
		x := r.resolve(m, k.LinkToName)
		schema, tab, col := r.parts()
		switch {
		case x != nil && x.Table != nil:
			if i == 0 {
				table = c.table(x.Table)
			}
			cols = append(cols, c.column(x))
		case m == nil || m.Loose:
			if i == 0 {
				table = QuoteTable(tab, schema)
			}
			cols = append(cols, quote(col))
		default:
			what := "column"
			if len(k.Columns) > i && k.Columns[i] != nil {
				what = k.Table.Name + "." + k.Columns[i].Name
			}
			if t := m.Table(r.Table()); t != nil {
				return "", errorf("NoReferencedColumnError", "Could not initialize target column for ForeignKey '%s' on table '%s': table '%s' has no column named '%s'", r.Spec, k.Table.Name, tab, col)
			}
			return "", errorf("NoReferencedTableError", "Foreign key associated with column '%s' could not find table '%s' with which to generate a foreign key to target column '%s'", what, tab, col)
		}
	}
	if k.Unknown != nil && table == "" {
		table = "?"
	}
	s := head + "FOREIGN KEY(" + c.columns(k.Columns) + ") REFERENCES " + table + " (" + strings.Join(cols, ", ") + ")"
	if k.Match != "" {
		return "", errorf("CompileError", "MySQL ignores the 'MATCH' keyword while at the same time causes ON UPDATE/ON DELETE clauses to be ignored.")
	}
	for _, a := range []struct{ when, action string }{{" ON DELETE ", k.OnDelete}, {" ON UPDATE ", k.OnUpdate}} {
		if a.action == "" {
			continue
		}
		switch strings.ToUpper(a.action) {
		case "RESTRICT", "CASCADE", "SET NULL", "NO ACTION", "SET DEFAULT":
		default:
			if !strings.HasPrefix(strings.ToUpper(a.action), "SET NULL") && !strings.HasPrefix(strings.ToUpper(a.action), "SET DEFAULT") {
				return "", errorf("CompileError", "Unexpected SQL phrase: '%s'", a.action)
			}
		}
		s += a.when + a.action
	}
	return s + k.deferrability(), nil
}

func (k *Constraint) deferrability() string {
	s := ""
	if k.Deferrable != nil {
		if *k.Deferrable {
			s = " DEFERRABLE"
		} else {
			s = " NOT DEFERRABLE"
		}
	}
	if k.Initially != "" {
		s += " INITIALLY " + k.Initially
	}
	return s
}

// AddConstraint renders ALTER TABLE … ADD for a constraint. From then on the constraint is not rendered with its table.
func AddConstraint(k *Constraint) (DDL, error) {
	if k.Table == nil {
		return DDL{}, errorf("CompileError", "the constraint belongs to no table")
	}
	return compile(func(c *compiler) (string, error) {
		s, err := c.constraint(k)
		return "ALTER TABLE " + c.table(k.Table) + " ADD " + s, err
	})
}

// DropConstraint renders ALTER TABLE … DROP for a constraint.
func DropConstraint(k *Constraint, mariadb bool) (DDL, error) {
	if k.Table == nil {
		return DDL{}, errorf("CompileError", "the constraint belongs to no table")
	}
	return compile(func(c *compiler) (string, error) {
		s := "ALTER TABLE " + c.table(k.Table) + " DROP "
		if k.Kind == PrimaryKey {
			return s + "PRIMARY KEY ", nil
		}
		name, err := c.constraintName(k)
		if err != nil {
			return "", err
		}
		if name == "" {
			return "", errorf("CompileError", "Can't emit DROP CONSTRAINT for constraint %s; it has no name", k.Kind)
		}
		switch {
		case k.Kind == ForeignKeyConstraint:
			s += "FOREIGN KEY "
		case k.Kind == UniqueConstraint:
			s += "INDEX "
		case mariadb:
			s += "CONSTRAINT "
		default:
			s += "CHECK "
		}
		return s + name, nil
	})
}

// CreateIndex renders CREATE INDEX.
func CreateIndex(ix *Index, ifNotExists bool) (DDL, error) {
	return compile(func(c *compiler) (string, error) {
		if ix.Table == nil {
			return "", errorf("CompileError", "Index '%s' is not associated with any table.", ix.Name.Text)
		}
		if !ix.Name.Given() {
			return "", errorf("CompileError", "CREATE INDEX requires that the index have a name")
		}
		c.unknown(ix.Unknown)
		s := "CREATE "
		if ix.Unique {
			s += "UNIQUE "
		}
		if ix.Prefix != "" {
			s += ix.Prefix + " "
		}
		s += "INDEX "
		if ifNotExists {
			s += "IF NOT EXISTS "
		}
		var parts []string
		for _, p := range ix.Columns {
			parts = append(parts, c.indexPart(ix, p))
		}
		s += c.name(ix.Name) + " ON " + c.table(ix.Table) + " (" + strings.Join(parts, ", ") + ")"
		if ix.Parser != "" {
			s += " WITH PARSER " + ix.Parser
		}
		if ix.Using != "" {
			s += " USING " + quote(ix.Using)
		}
		return s, nil
	})
}

func (c *compiler) indexPart(ix *Index, p IndexPart) string {
	var s, name string
	switch {
	case p.Unknown != nil:
		c.unknown(p.Unknown)
		return "?"
	case p.Column != nil:
		name = p.Column.Name
		s = c.column(p.Column)
	case p.Expr != nil:
		s = c.expr(p.Expr, sqlMode{})
		if xs := p.Expr.columns(); len(xs) == 1 && len(p.Expr.parts) == 1 {
			name = xs[0].Name
		}
		// Operators and functions stand in parentheses of their own.
		if p.Expr.function || p.Expr.unary || p.Expr.prec != precAtom && p.Expr.prec != precComma {
			s = "(" + s + ")"
		}
	default:
		name = p.Name
		s = quote(p.Name)
	}
	n := ix.Length
	if ix.Lengths != nil {
		n = ix.Lengths[name]
		if !n.Given {
			n = ix.Lengths[s]
		}
	}
	return s + c.paren(n, n.Given)
}

// DropIndex renders DROP INDEX.
func DropIndex(ix *Index, ifExists bool) (DDL, error) {
	return compile(func(c *compiler) (string, error) {
		if ix.Table == nil || !ix.Name.Given() {
			return "", errorf("CompileError", "DROP INDEX requires that the index have a name and a table")
		}
		s := "DROP INDEX "
		if ifExists {
			s += "IF EXISTS "
		}
		return s + c.name(ix.Name) + " ON " + c.table(ix.Table), nil
	})
}

// DropTable renders DROP TABLE.
func DropTable(t *Table, ifExists bool) (DDL, error) {
	return compile(func(c *compiler) (string, error) {
		s := "DROP TABLE "
		if ifExists {
			s += "IF EXISTS "
		}
		return s + c.table(t), nil
	})
}
