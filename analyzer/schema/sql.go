package schema

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// SQL gives the schema as CREATE statements that the mysql client can load into an empty database: tables by name, then
// sequences, routines, views after what they read, triggers and events, each by name. Foreign keys stand in their tables, and
// foreign_key_checks is off meanwhile. Statements whose body has semicolons stand between DELIMITER lines.
//
// Equal schemas give equal text. The text says what a server's SHOW CREATE TABLE says, in MySQL's order of clauses; a character
// set is printed where it is not the table's. Not in it is what the model does not hold: rows, grants, and the sql_mode
// with which triggers and routines were created. A view whose tables are gone stands in a comment.
func (s *Schema) SQL() string {
	var b strings.Builder
	if s.charset != "" || s.collate != "" {
		fmt.Fprintf(&b, "ALTER DATABASE CHARACTER SET %s COLLATE %s;\n\n", s.Charset(), s.Collation())
	}
	tables := s.Tables()
	foreign := slices.ContainsFunc(tables, func(t *Table) bool { return len(t.ForeignKeys) > 0 })
	zero := slices.ContainsFunc(tables, hasZeroDate)
	if foreign {
		b.WriteString("SET foreign_key_checks = 0;\n\n")
	}
	if zero {
		b.WriteString("SET sql_mode = ''; -- a column's default is the zero date, which the strict mode refuses\n\n")
	}
	// A sequence can be a column's default, so it comes first.
	for _, q := range s.Sequences() {
		b.WriteString(q.SQL() + ";\n\n")
	}
	for _, t := range tables {
		b.WriteString(t.sql(s.server) + ";\n\n")
		for _, c := range t.Columns {
			if c.Default != nil && c.Default.Dropped {
				fmt.Fprintf(&b, "ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT;\n\n", quoteName(t.Name), quoteName(c.Name))
			}
		}
	}
	if zero {
		b.WriteString("SET sql_mode = DEFAULT;\n\n")
	}
	if foreign {
		b.WriteString("SET foreign_key_checks = 1;\n\n")
	}
	for _, r := range s.Routines() {
		b.WriteString(delimited(r.SQL()))
	}
	for _, v := range s.viewsInOrder() {
		if missing := s.missing(v); missing != "" {
			fmt.Fprintf(&b, "-- no server takes this view, because there is no %s:\n-- %s;\n\n", quoteName(missing), strings.ReplaceAll(v.SQL(), "\n", "\n-- "))
			continue
		}
		b.WriteString(v.SQL() + ";\n\n")
	}
	for _, t := range s.Triggers() {
		b.WriteString(delimited(t.SQL()))
	}
	for _, e := range s.Events() {
		b.WriteString(delimited(e.SQL()))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// hasZeroDate tells whether a default is a date with a zero part.
func hasZeroDate(t *Table) bool {
	return slices.ContainsFunc(t.Columns, func(c *Column) bool {
		switch c.Type.Name {
		case "date", "datetime", "timestamp":
			return c.Default != nil && !c.Default.Expr && (strings.HasPrefix(c.Default.Value, "0000-") || strings.Contains(c.Default.Value, "-00"))
		}
		return false
	})
}

// delimited ends a statement for the mysql client, with another delimiter if semicolons stand in it.
func delimited(sql string) string {
	if !strings.Contains(sql, ";") {
		return sql + ";\n\n"
	}
	delim := ";;"
	for n := 2; strings.Contains(sql, delim); n++ {
		delim = strings.Repeat("$", n)
	}
	return "DELIMITER " + delim + "\n" + sql + "\n" + delim + "\nDELIMITER ;\n\n"
}

// viewsInOrder gives the views so that each comes after those that it reads, else by name.
func (s *Schema) viewsInOrder() []*View {
	var order []*View
	seen := map[string]bool{}
	var visit func(v *View)
	visit = func(v *View) {
		if seen[v.Name] {
			return
		}
		seen[v.Name] = true
		for _, name := range v.Tables {
			if w := s.View(name); w != nil {
				visit(w)
			}
		}
		order = append(order, v)
	}
	for _, v := range s.Views() {
		visit(v)
	}
	return order
}

// missing gives a table or view that v reads and that is not there, "" if there is none. A view outlives what it reads.
func (s *Schema) missing(v *View) string {
	for _, name := range v.Tables {
		if !strings.Contains(name, ".") && s.tables[name] == nil && s.views[name] == nil && s.seqs[name] == nil {
			return name
		}
	}
	return ""
}

// SQL gives the table's CREATE TABLE statement without a terminator, as MySQL prints it.
func (t *Table) SQL() string { return t.sql(Server{Major: 8, Minor: 4}) }

// TableSQL gives a table's CREATE TABLE statement as the schema's own server prints it.
func (s *Schema) TableSQL(t *Table) string { return t.sql(s.server) }

func (t *Table) sql(server Server) string {
	var b strings.Builder
	b.Grow(64 * (1 + len(t.Columns) + len(t.Keys)))
	b.WriteString("CREATE TABLE ")
	b.WriteString(quoteName(t.Name))
	b.WriteString(" (")
	sep := "\n  "
	for _, c := range t.Columns {
		b.WriteString(sep)
		c.write(&b, t, server)
		for _, k := range t.Checks {
			if k.Column != "" && strings.EqualFold(k.Column, c.Name) {
				b.WriteString(" CHECK (" + k.Expr + ")")
			}
		}
		sep = ",\n  "
	}
	for _, k := range t.Keys {
		b.WriteString(sep)
		k.write(&b, server)
	}
	if period := t.Options["PERIOD"]; period != "" {
		b.WriteString(sep + "PERIOD FOR " + period)
	}
	for _, f := range t.ForeignKeys {
		b.WriteString(sep)
		b.WriteString(f.SQL())
	}
	for _, c := range t.Checks {
		if c.Column == "" {
			b.WriteString(sep)
			b.WriteString(c.SQL())
		}
	}
	b.WriteString("\n)")
	t.writeOptions(&b)
	if t.Partition != nil {
		b.WriteString("\n" + t.Partition.SQL())
	}
	return b.String()
}

// writeOptions writes the table options: the engine first and the comment last, the others by name.
func (t *Table) writeOptions(b *strings.Builder) {
	if t.Engine != "" {
		b.WriteString(" ENGINE=" + t.Engine)
	}
	// Servers drop a start value that no column uses.
	if n := t.Options["AUTO_INCREMENT"]; n != "" && slices.ContainsFunc(t.Columns, func(c *Column) bool { return c.AutoIncrement }) {
		b.WriteString(" AUTO_INCREMENT=" + n)
	}
	if t.Charset != "" {
		b.WriteString(" DEFAULT CHARSET=" + t.Charset)
	}
	if t.Collation != "" {
		b.WriteString(" COLLATE=" + t.Collation)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Options)) {
		value := t.Options[name]
		switch name {
		case "AUTO_INCREMENT", "PERIOD", "WITH SYSTEM VERSIONING":
			continue
		case "COMPRESSION", "ENCRYPTION", "CONNECTION", "DATA DIRECTORY", "INDEX DIRECTORY", "ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE":
			value = quoteString(value)
		case "TABLESPACE":
			value = quoteName(value)
		case "UNION":
			value = "(" + value + ")"
		case "STORAGE":
			b.WriteString(" STORAGE " + value)
			continue
		}
		b.WriteString(" " + name + "=" + value)
	}
	if t.Comment != "" {
		b.WriteString(" COMMENT=" + quoteString(t.Comment))
	}
	if t.Options["WITH SYSTEM VERSIONING"] != "" {
		b.WriteString(" WITH SYSTEM VERSIONING")
	}
}

// SQL gives the column's definition with its name, as it stands in MySQL's SHOW CREATE TABLE. The character set is always in
// it, because the table's default is not known here.
func (c *Column) SQL() string {
	var b strings.Builder
	c.write(&b, &Table{}, Server{Major: 8, Minor: 4})
	return b.String()
}

func (c *Column) write(b *strings.Builder, t *Table, server Server) {
	b.WriteString(quoteName(c.Name))
	b.WriteByte(' ')
	b.WriteString(c.Type.sql(server))
	if c.Charset != "" && (c.Charset != t.Charset || c.Collation != t.Collation) {
		b.WriteString(" CHARACTER SET " + c.Charset + " COLLATE " + c.Collation)
	}
	early := strings.HasPrefix(c.Attributes, "COMPRESSED") || strings.HasPrefix(c.Attributes, "GENERATED ")
	if early {
		b.WriteString(" " + c.Attributes)
	}
	if g := c.Generated; g != nil {
		b.WriteString(" GENERATED ALWAYS AS (" + g.Expr + ")")
		if g.Stored {
			b.WriteString(" STORED")
		} else {
			b.WriteString(" VIRTUAL")
		}
	}
	// MariaDB takes no NOT NULL of a generated column, nor of an invisible one without default: that stands in the primary key,
	// which makes it NOT NULL.
	implied := server.MariaDB && (c.Generated != nil || c.Invisible && c.Default == nil && !c.AutoIncrement)
	switch {
	case !c.Nullable && !implied:
		b.WriteString(" NOT NULL")
	case c.Nullable && c.Type.Name == "timestamp":
		b.WriteString(" NULL")
	}
	if c.SRID >= 0 && c.Type.isSpatial() {
		if server.MariaDB {
			b.WriteString(" REF_SYSTEM_ID=" + strconv.Itoa(c.SRID))
		} else {
			b.WriteString(" /*!80003 SRID " + strconv.Itoa(c.SRID) + " */")
		}
	}
	c.writeDefault(b)
	if c.OnUpdate != "" {
		b.WriteString(" ON UPDATE " + c.OnUpdate)
	}
	if c.AutoIncrement {
		b.WriteString(" AUTO_INCREMENT")
	}
	if c.Invisible {
		if server.MariaDB {
			b.WriteString(" INVISIBLE")
		} else {
			b.WriteString(" /*!80023 INVISIBLE */")
		}
	}
	if c.Attributes != "" && !early {
		b.WriteString(" " + c.Attributes)
	}
	if c.Comment != "" {
		b.WriteString(" COMMENT " + quoteString(c.Comment))
	}
}

// writeDefault writes the DEFAULT clause. DEFAULT NULL is left out where SHOW CREATE TABLE leaves it out.
func (c *Column) writeDefault(b *strings.Builder) {
	d := c.Default
	switch {
	case d == nil, d.Dropped:
	case d.Null:
		if c.Generated == nil && !c.Type.isBlob() {
			b.WriteString(" DEFAULT NULL")
		}
	case d.Expr:
		b.WriteString(" DEFAULT " + d.Value)
	default:
		b.WriteString(" DEFAULT " + quoteString(d.Value))
	}
}

// SQL gives the type as MySQL 8.4 prints it.
func (t Type) SQL() string { return t.sql(Server{Major: 8, Minor: 4}) }

func (t Type) sql(server Server) string {
	var b strings.Builder
	b.WriteString(t.Name)
	switch {
	case t.isInteger():
		if t.width(server) >= 0 {
			b.WriteString("(" + strconv.Itoa(t.width(server)) + ")")
		}
	case t.Name == "enum" || t.Name == "set":
		b.WriteByte('(')
		for i, m := range t.Members {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quoteString(m))
		}
		b.WriteByte(')')
	case t.Name == "datetime" || t.Name == "timestamp" || t.Name == "time":
		if t.Length > 0 {
			b.WriteString("(" + strconv.Itoa(t.Length) + ")")
		}
	case t.Length >= 0 && t.Scale >= 0:
		fmt.Fprintf(&b, "(%d,%d)", t.Length, t.Scale)
	case t.Length >= 0 && t.Name != "year" || t.Name == "year" && t.Length >= 0 && server.showsWidths():
		b.WriteString("(" + strconv.Itoa(t.Length) + ")")
	}
	if t.Unsigned {
		b.WriteString(" unsigned")
	}
	if t.Zerofill {
		b.WriteString(" zerofill")
	}
	return b.String()
}

// showsWidths tells whether the server prints display widths of integers. MySQL does not since 8.0.19 (release notes), but for
// ZEROFILL and for tinyint(1), by which clients know a boolean.
func (v Server) showsWidths() bool {
	if v.MariaDB || v.Major < 8 {
		return true
	}
	return v.Major == 8 && v.Minor == 0 && v.Patch > 0 && v.Patch < 19
}

// width gives an integer's display width as the server prints it; -1 if it does not.
func (t Type) width(server Server) int {
	if !server.showsWidths() && !t.Zerofill && (t.Name != "tinyint" || t.Length != 1 || t.Unsigned) {
		return -1
	}
	if t.Length >= 0 || t.Unknown {
		return t.Length
	}
	n := map[string]int{"tinyint": 4, "smallint": 6, "mediumint": 9, "int": 11, "bigint": 20}[t.Name]
	if t.Unsigned && t.Name != "bigint" {
		n-- // no room for a sign; bigint has 20 digits either way
	}
	return n
}

// SQL gives the key as it stands in MySQL's SHOW CREATE TABLE.
func (k *Key) SQL() string {
	var b strings.Builder
	k.write(&b, Server{Major: 8, Minor: 4})
	return b.String()
}

func (k *Key) write(b *strings.Builder, server Server) {
	switch k.Kind {
	case PrimaryKey:
		b.WriteString("PRIMARY KEY (")
	case UniqueKey:
		b.WriteString("UNIQUE KEY " + quoteName(k.Name) + " (")
	case FulltextKey:
		b.WriteString("FULLTEXT KEY " + quoteName(k.Name) + " (")
	case SpatialKey:
		b.WriteString("SPATIAL KEY " + quoteName(k.Name) + " (")
	default:
		b.WriteString("KEY " + quoteName(k.Name) + " (")
	}
	for i, p := range k.Parts {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(p.SQL())
	}
	b.WriteByte(')')
	if k.Using != "" {
		b.WriteString(" USING " + k.Using)
	}
	if k.Parser != "" {
		b.WriteString(" /*!50100 WITH PARSER " + quoteName(k.Parser) + " */")
	}
	if k.Comment != "" {
		b.WriteString(" COMMENT " + quoteString(k.Comment))
	}
	if k.Invisible {
		if server.MariaDB {
			b.WriteString(" IGNORED")
		} else {
			b.WriteString(" /*!80000 INVISIBLE */")
		}
	}
}

// SQL gives a part of a key: `a`, `a`(10) DESC, or an expression in parentheses.
func (p KeyPart) SQL() string {
	s := quoteName(p.Column)
	switch {
	case p.Expr != "":
		s = "(" + p.Expr + ")"
	case p.Length > 0:
		s += "(" + strconv.Itoa(p.Length) + ")"
	}
	if p.Desc {
		s += " DESC"
	}
	return s
}

// SQL gives the constraint as it stands in SHOW CREATE TABLE.
func (f *ForeignKey) SQL() string {
	var b strings.Builder
	if f.Name != "" {
		b.WriteString("CONSTRAINT " + quoteName(f.Name) + " ")
	}
	b.WriteString("FOREIGN KEY (" + quoteNames(f.Columns) + ") REFERENCES ")
	if db, table, ok := strings.Cut(f.RefTable, "."); ok {
		b.WriteString(quoteName(db) + "." + quoteName(table))
	} else {
		b.WriteString(quoteName(f.RefTable))
	}
	if len(f.RefColumns) > 0 {
		b.WriteString(" (" + quoteNames(f.RefColumns) + ")")
	}
	if f.OnDelete != "" {
		b.WriteString(" ON DELETE " + f.OnDelete)
	}
	if f.OnUpdate != "" {
		b.WriteString(" ON UPDATE " + f.OnUpdate)
	}
	return b.String()
}

// SQL gives the constraint as it stands in SHOW CREATE TABLE. A check that belongs to a column is given as one of the table.
func (c *Check) SQL() string {
	s := "CHECK (" + c.Expr + ")"
	if c.Name != "" {
		s = "CONSTRAINT " + quoteName(c.Name) + " " + s
	}
	if c.NotEnforced {
		s += " /*!80016 NOT ENFORCED */"
	}
	return s
}

func quoteNames(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = quoteName(n)
	}
	return strings.Join(quoted, ",")
}

// SQL gives the PARTITION BY clause.
func (p *Partition) SQL() string {
	var b strings.Builder
	b.WriteString("PARTITION BY " + p.By)
	if len(p.Parts) == 0 && p.Count > 0 {
		b.WriteString("\nPARTITIONS " + strconv.Itoa(p.Count))
	}
	if p.Sub != "" {
		b.WriteString("\nSUBPARTITION BY " + p.Sub)
	}
	for i, part := range p.Parts {
		if i == 0 {
			b.WriteString("\n(")
		} else {
			b.WriteString(",\n ")
		}
		b.WriteString("PARTITION " + subpartitions(part))
	}
	if len(p.Parts) > 0 {
		b.WriteByte(')')
	}
	return b.String()
}

// subpartitions puts the word SUBPARTITION before each name in the list that a partition's definition ends with, if it does.
func subpartitions(part string) string {
	if !strings.HasSuffix(part, ")") || strings.Count(part, "`") < 4 {
		return part
	}
	var b strings.Builder
	last, depth := 0, 0
	ts := tokens(part, 0)
	for i, t := range ts {
		switch {
		case t.is(part, "("):
			depth++
		case t.is(part, ")"):
			depth--
		}
		if t.kind == tokIdent && depth == 1 && (ts[i-1].is(part, "(") || ts[i-1].is(part, ",")) {
			b.WriteString(part[last:t.start] + "SUBPARTITION ")
			last = t.start
		}
	}
	return b.String() + part[last:]
}

// SQL gives the CREATE VIEW statement without a terminator.
func (v *View) SQL() string {
	var b strings.Builder
	b.WriteString("CREATE ")
	if v.Algorithm != "" {
		b.WriteString("ALGORITHM=" + v.Algorithm + " ")
	}
	if v.Definer != "" {
		b.WriteString("DEFINER=" + v.Definer + " ")
	}
	if v.Security != "" {
		b.WriteString("SQL SECURITY " + v.Security + " ")
	}
	b.WriteString("VIEW " + quoteName(v.Name))
	if v.Columns != nil {
		b.WriteString(" (" + quoteNames(v.Columns) + ")")
	}
	b.WriteString(" AS " + v.Select)
	if v.CheckOption != "" {
		b.WriteString(" WITH " + v.CheckOption + " CHECK OPTION")
	}
	return b.String()
}

// SQL gives the CREATE TRIGGER statement without a terminator.
func (t *Trigger) SQL() string {
	return "CREATE TRIGGER " + quoteName(t.Name) + " " + t.Timing + " " + t.Event + " ON " + quoteName(t.Table) + " FOR EACH ROW " + t.Body
}

// SQL gives the CREATE PROCEDURE or CREATE FUNCTION statement without a terminator.
func (r *Routine) SQL() string {
	if r.Function {
		return "CREATE FUNCTION " + quoteName(r.Name) + "(" + r.Parameters + ") RETURNS " + r.Returns + " " + r.Body
	}
	return "CREATE PROCEDURE " + quoteName(r.Name) + "(" + r.Parameters + ") " + r.Body
}

// SQL gives the CREATE EVENT statement without a terminator.
func (e *Event) SQL() string {
	s := "CREATE EVENT " + quoteName(e.Name) + " ON SCHEDULE " + e.Schedule
	if e.Disabled {
		s += " DISABLE"
	}
	return s + " DO " + e.Body
}

// SQL gives the CREATE SEQUENCE statement without a terminator.
func (q *Sequence) SQL() string {
	return strings.TrimSpace("CREATE SEQUENCE " + quoteName(q.Name) + " " + q.Definition)
}
