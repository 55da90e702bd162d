package analyzer

import (
	"fmt"
	"strconv"
	"strings"

	"instep/analyzer/schema"
)

// TypeText gives a type as SQL writes it, without character set: "int unsigned", "varchar(40)", "enum('a','b')".
func TypeText(t schema.Type) string {
	if t.Unknown {
		return "an unknown type"
	}
	var b strings.Builder
	b.WriteString(t.Name)
	switch {
	case len(t.Members) > 0:
		b.WriteByte('(')
		for i, m := range t.Members {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteByte('\'')
			b.WriteString(strings.ReplaceAll(m, "'", "''"))
			b.WriteByte('\'')
		}
		b.WriteByte(')')
	case t.Length >= 0 && t.Scale >= 0 && (t.Name == "decimal" || t.Scale > 0):
		fmt.Fprintf(&b, "(%d,%d)", t.Length, t.Scale)
	case t.Length > 0 || t.Length == 0 && (t.Name == "char" || t.Name == "varchar" || t.Name == "binary" || t.Name == "varbinary"):
		fmt.Fprintf(&b, "(%d)", t.Length)
	}
	if t.Unsigned {
		b.WriteString(" unsigned")
	}
	if t.Zerofill {
		b.WriteString(" zerofill")
	}
	return b.String()
}

// DefaultText gives a column's default as SQL writes it: "DEFAULT 0", "DEFAULT NULL", "no default".
func DefaultText(c *schema.Column) string {
	switch d := c.Default; {
	case d == nil || d.Dropped:
		return "no default"
	case d.Null:
		return "DEFAULT NULL"
	case d.Expr:
		return "DEFAULT " + d.Value
	default:
		return "DEFAULT '" + strings.ReplaceAll(d.Value, "'", "''") + "'"
	}
}

// columnText gives everything about a column but its name and its history.
func columnText(c *schema.Column) string {
	s := TypeText(c.Type)
	if c.Charset != "" {
		s += " character set " + c.Charset + " collate " + c.Collation
	}
	if !c.Nullable {
		s += " not null"
	}
	s += " " + DefaultText(c)
	if c.OnUpdate != "" {
		s += " on update " + c.OnUpdate
	}
	if c.AutoIncrement {
		s += " auto_increment"
	}
	if g := c.Generated; g != nil {
		s += " as " + g.Expr + " stored=" + strconv.FormatBool(g.Stored)
	}
	if c.Invisible {
		s += " invisible"
	}
	if c.SRID >= 0 && isSpatial(c.Type.Name) {
		s += " srid " + strconv.Itoa(c.SRID)
	}
	return s + " " + c.Attributes + " " + strconv.Quote(c.Comment)
}

func isSpatial(name string) bool {
	switch name {
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		return true
	}
	return false
}

// KeyText gives a key as people write it: "unique (a, b(10))".
func KeyText(k *schema.Key) string {
	var b strings.Builder
	b.WriteString(string(k.Kind))
	b.WriteString(" (")
	for i, p := range k.Parts {
		if i > 0 {
			b.WriteString(", ")
		}
		if p.Expr != "" {
			b.WriteString("(" + p.Expr + ")")
		} else {
			b.WriteString(p.Column)
		}
		if p.Length > 0 {
			fmt.Fprintf(&b, "(%d)", p.Length)
		}
		if p.Desc {
			b.WriteString(" desc")
		}
	}
	b.WriteByte(')')
	if k.Invisible {
		b.WriteString(" invisible")
	}
	return b.String()
}

// ForeignKeyText gives a foreign key as people write it: "(a) references b (id) on delete CASCADE".
func ForeignKeyText(f *schema.ForeignKey) string {
	s := fmt.Sprintf("(%s) references %s (%s)", strings.Join(f.Columns, ", "), f.RefTable, strings.Join(f.RefColumns, ", "))
	if a := Action(f.OnDelete); a != "" {
		s += " on delete " + a
	}
	if a := Action(f.OnUpdate); a != "" {
		s += " on update " + a
	}
	return s
}

// Action gives a referential action, "" for those that only refuse: NO ACTION and RESTRICT are the same to InnoDB
// (manual: FOREIGN KEY Constraints, Referential Actions).
func Action(a string) string {
	switch a = strings.ToUpper(a); a {
	case "NO ACTION", "RESTRICT":
		return ""
	}
	return a
}

func checkText(c *schema.Check) string {
	if c.NotEnforced {
		return c.Expr + " not enforced"
	}
	return c.Expr
}

func tableText(t *schema.Table) string {
	var b strings.Builder
	for _, c := range t.Columns {
		b.WriteString(c.Name + " " + columnText(c) + ";")
	}
	for _, k := range t.Keys {
		b.WriteString(k.Name + " " + KeyText(k) + ";")
	}
	for _, f := range t.ForeignKeys {
		b.WriteString(f.Name + " " + ForeignKeyText(f) + ";")
	}
	for _, c := range t.Checks {
		b.WriteString(c.Name + " " + checkText(c) + ";")
	}
	return b.String()
}

func orderText(t *schema.Table) string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

func nullText(c *schema.Column) string {
	if c.Nullable {
		return "NULL"
	}
	return "NOT NULL"
}

func flagText(on bool, name string) string {
	if on {
		return name
	}
	return "no " + name
}

func generatedText(c *schema.Column) string {
	switch g := c.Generated; {
	case g == nil:
		return "an ordinary column"
	case g.Stored:
		return "stored as " + g.Expr
	default:
		return "virtual as " + g.Expr
	}
}

// sides gives the old and the new definition of what a change is about, "" for a side that does not exist. The texts
// serve people as "old → new" and fingerprints as facts.
func sides(c schema.Change) (before, after string) {
	switch c := c.(type) {
	case *schema.AddTable:
		return "", tableText(c.Table)
	case *schema.DropTable:
		return tableText(c.Table), ""
	case *schema.RenameTable:
		return c.Old.Name, c.New.Name
	case *schema.RecreateTable:
		return tableText(c.Old), tableText(c.New)
	case *schema.TableOption:
		return c.Name + "=" + c.Old, c.Name + "=" + c.New
	case *schema.ChangePartition:
		return partitionText(c.Old), partitionText(c.New)
	case *schema.AddColumn:
		return "", columnText(c.Column)
	case *schema.DropColumn:
		return columnText(c.Column), ""
	case *schema.RenameColumn:
		return c.Old.Name, c.New.Name
	case *schema.RecreateColumn:
		return columnText(c.Old), columnText(c.New)
	case *schema.ColumnType:
		return TypeText(c.Old.Type), TypeText(c.New.Type)
	case *schema.ColumnNullability:
		return nullText(c.Old), nullText(c.New)
	case *schema.ColumnDefault:
		return DefaultText(c.Old), DefaultText(c.New)
	case *schema.ColumnOnUpdate:
		return "on update " + c.Old.OnUpdate, "on update " + c.New.OnUpdate
	case *schema.ColumnAutoIncrement:
		return flagText(c.Old.AutoIncrement, "AUTO_INCREMENT"), flagText(c.New.AutoIncrement, "AUTO_INCREMENT")
	case *schema.ColumnCollation:
		return c.Old.Charset + " " + c.Old.Collation, c.New.Charset + " " + c.New.Collation
	case *schema.ColumnComment:
		return strconv.Quote(c.Old.Comment), strconv.Quote(c.New.Comment)
	case *schema.ColumnGenerated:
		return generatedText(c.Old), generatedText(c.New)
	case *schema.ColumnVisibility:
		return flagText(!c.Old.Invisible, "visible"), flagText(!c.New.Invisible, "visible")
	case *schema.ColumnSRID:
		return "SRID " + strconv.Itoa(c.Old.SRID), "SRID " + strconv.Itoa(c.New.SRID)
	case *schema.ColumnAttributes:
		return c.Old.Attributes, c.New.Attributes
	case *schema.ReorderColumns:
		return orderText(c.Old), orderText(c.New)
	case *schema.AddKey:
		return "", KeyText(c.Key)
	case *schema.DropKey:
		return KeyText(c.Key), ""
	case *schema.RenameKey:
		return c.Old.Name, c.New.Name
	case *schema.ChangeKey:
		return KeyText(c.Old), KeyText(c.New)
	case *schema.AddForeignKey:
		return "", ForeignKeyText(c.FK)
	case *schema.DropForeignKey:
		return ForeignKeyText(c.FK), ""
	case *schema.ChangeForeignKey:
		return c.Old.Name + " " + ForeignKeyText(c.Old), c.New.Name + " " + ForeignKeyText(c.New)
	case *schema.AddCheck:
		return "", checkText(c.Check)
	case *schema.DropCheck:
		return checkText(c.Check), ""
	case *schema.ChangeCheck:
		return checkText(c.Old), checkText(c.New)
	case *schema.ChangeView:
		if c.Old != nil {
			before = c.Old.Select
		}
		if c.New != nil {
			after = c.New.Select
		}
	case *schema.ChangeTrigger:
		if c.Old != nil {
			before = c.Old.Body
		}
		if c.New != nil {
			after = c.New.Body
		}
	case *schema.ChangeRoutine:
		if c.Old != nil {
			before = c.Old.Parameters + " " + c.Old.Body
		}
		if c.New != nil {
			after = c.New.Parameters + " " + c.New.Body
		}
	case *schema.ChangeEvent:
		if c.Old != nil {
			before = c.Old.Schedule + " " + c.Old.Body
		}
		if c.New != nil {
			after = c.New.Schedule + " " + c.New.Body
		}
	case *schema.ChangeSequence:
		if c.Old != nil {
			before = c.Old.Definition
		}
		if c.New != nil {
			after = c.New.Definition
		}
	case *schema.ChangeDatabase:
		return c.OldCharset + " " + c.OldCollation, c.NewCharset + " " + c.NewCollation
	}
	return before, after
}

func partitionText(p *schema.Partition) string {
	if p == nil {
		return "no partitions"
	}
	return fmt.Sprintf("%s %s %d %s", p.By, strings.Join(p.Parts, ", "), p.Count, p.Sub)
}

// Transition gives what a change does in a few words: "bigint → int", "added: unique (alias)", "dropped".
func Transition(c schema.Change) string {
	before, after := sides(c)
	switch c.(type) {
	case *schema.AddTable, *schema.AddColumn:
		return "added"
	case *schema.DropTable, *schema.DropColumn:
		return "dropped"
	case *schema.RecreateTable, *schema.RecreateColumn:
		return "dropped and created again"
	case *schema.ReorderColumns:
		return "columns in another order"
	case *schema.ChangeTrigger, *schema.ChangeRoutine, *schema.ChangeEvent, *schema.ChangeView, *schema.ChangeSequence:
		switch {
		case before == "":
			return "added"
		case after == "":
			return "dropped"
		}
		return "changed"
	}
	switch {
	case before == "":
		return "added: " + after
	case after == "":
		return "dropped: " + before
	}
	return before + " → " + after
}
