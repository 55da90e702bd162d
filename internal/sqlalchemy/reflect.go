package sqlalchemy

import (
	"slices"
	"strings"

	"instep/analyzer/schema"
)

// ReflectType gives the type that the library makes of a column when it reads SHOW CREATE TABLE.
func ReflectType(s *schema.Schema, t *schema.Table, col *schema.Column) *Type {
	st := col.Type
	if st.Unknown {
		return UnknownType(&Unknown{Why: "the type of " + t.Name + "." + col.Name + " is not known"})
	}
	name := strings.ToUpper(st.Name)
	class := FindTypeClass("mysql." + name)
	switch name {
	case "INT":
		class = FindTypeClass("mysql.INTEGER")
	case "BLOB", "DATE", "BINARY", "VARBINARY":
		class = FindTypeClass(name)
	}
	if class == nil {
		// Types that the dialect does not know, such as GEOMETRY, become NullType with a warning.
		return NewType("NullType")
	}
	r := &Type{Kind: class, Unsigned: st.Unsigned, Zerofill: st.Zerofill}
	length := Num{N: st.Length, Given: st.Length >= 0}
	switch name {
	case "INT", "BIGINT", "MEDIUMINT", "SMALLINT", "TINYINT":
		if shownWidth(s.Server(), st) {
			r.DisplayWidth = length
		}
	case "YEAR":
		if s.Server().MariaDB {
			r.DisplayWidth = length
		}
	case "DECIMAL", "NUMERIC", "DOUBLE", "FLOAT", "REAL":
		r.Precision = length
		r.Scale = Num{N: st.Scale, Given: st.Scale >= 0}
		if name == "DECIMAL" && !r.Precision.Given {
			r.Precision, r.Scale = N(10), N(0) // shown as decimal(10,0)
		} else if name == "DECIMAL" && !r.Scale.Given {
			r.Scale = N(0)
		}
	case "DATETIME", "TIMESTAMP", "TIME":
		r.FSP = Num{N: st.Length, Given: st.Length > 0}
	case "ENUM", "SET":
		r.Members = st.Members
		r.Length = N(longest(st.Members))
	case "CHAR", "BINARY":
		if !length.Given {
			length = N(1) // shown as char(1)
		}
		r.Length = length
	case "BIT":
		if !length.Given {
			length = N(1)
		}
		r.Length = length
	default:
		r.Length = length
	}
	// SHOW CREATE TABLE says character set and collation of a column where they differ from the table's.
	if col.Collation != "" && (col.Collation != t.Collation || col.Charset != t.Charset) {
		r.Charset, r.Collation = col.Charset, col.Collation
	}
	return r
}

// shownWidth tells whether SHOW CREATE TABLE shows an integer's display width. MySQL from 8.0.19 does so only for tinyint(1) and
// with ZEROFILL (release notes of 8.0.19).
func shownWidth(v schema.Server, t schema.Type) bool {
	if v.MariaDB || v.Major < 8 {
		return true
	}
	return t.Zerofill || t.Name == "tinyint" && t.Length == 1 && !t.Unsigned
}

// ReflectDefault gives a column's default as the text that SHOW CREATE TABLE shows, and so the library keeps; false if there is
// none or it is NULL.
func ReflectDefault(v schema.Server, col *schema.Column) (string, bool) {
	d := col.Default
	if d == nil || d.Null || d.Dropped {
		return "", false
	}
	s := d.Value
	if !d.Expr {
		return "'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", "''") + "'", true
	}
	if strings.HasPrefix(strings.ToUpper(s), "CURRENT_TIMESTAMP") && col.OnUpdate != "" {
		s += " ON UPDATE " + col.OnUpdate
	}
	return s, true
}

// ReflectColumn gives a column as reflection makes it.
func ReflectColumn(s *schema.Schema, t *schema.Table, col *schema.Column) *Column {
	x := NewColumn(col.Name, ReflectType(s, t, col))
	x.Nullable, x.NullableSet = col.Nullable, true
	x.Autoincrement = AutoincrementAuto
	if x.Type.Kind.Affinity == IntegerAffinity {
		x.Autoincrement = AutoincrementFalse
	}
	if col.AutoIncrement {
		x.Autoincrement = AutoincrementTrue
	}
	if col.Comment != "" {
		x.Comment = &col.Comment
	}
	if text, ok := ReflectDefault(s.Server(), col); ok && col.Generated == nil {
		x.ServerDefault = &ServerDefault{Expr: rawExpr(text), Reflected: true}
	}
	if g := col.Generated; g != nil {
		stored := g.Stored
		x.Computed = &Computed{Expr: rawExpr(g.Expr), Persisted: &stored}
	}
	return x
}

// Reflect fills a table from the schema, as Table(…, autoload=True) does: columns, keys, foreign keys, checks and options.
// Tables that its foreign keys refer to become members of its MetaData too. Columns for which keep is false are left out,
// and so are the keys that have one of them; keep may be nil.
func Reflect(s *schema.Schema, t *Table, keep func(column string) bool) error {
	return reflectInto(s, t, keep, map[string]bool{})
}

func reflectInto(s *schema.Schema, t *Table, keep func(string) bool, seen map[string]bool) error {
	st := s.Table(t.Name)
	if st == nil {
		if v := s.View(t.Name); v != nil && v.Columns != nil {
			for _, name := range v.Columns {
				why := &Unknown{Why: "the types of the columns of view " + v.Name + " are not modelled"}
				if err := t.AppendColumn(NewColumn(name, UnknownType(why))); err != nil {
					return err
				}
			}
			return nil
		}
		return errorf("NoSuchTableError", "%s", t.Name)
	}
	seen[t.Key()] = true
	if keep == nil {
		keep = func(string) bool { return true }
	}
	t.MetaData.Env.save(t)
	t.Reflected = true
	t.Options = ReflectOptions(st)
	if st.Comment != "" {
		t.Comment = &st.Comment
	}
	for _, col := range st.Columns {
		if !keep(col.Name) {
			continue
		}
		if err := t.AppendColumn(ReflectColumn(s, st, col)); err != nil {
			return err
		}
	}
	all := func(names []string) bool { return !slices.ContainsFunc(names, func(n string) bool { return !keep(n) }) }
	env := t.MetaData.Env
	if pk := st.PrimaryKey(); pk != nil {
		env.save(t, t.PrimaryKey)
		t.PrimaryKey.Columns = nil
		t.PrimaryKey.Name = Name{}
		t.PrimaryKey.implicit = false
		for _, p := range pk.Parts {
			if x := t.columnNamed(p.Column); x != nil {
				env.save(x)
				x.PrimaryKey = true
				t.PrimaryKey.Columns = add(t.PrimaryKey.Columns, x)
			}
		}
	}
	for _, fk := range st.ForeignKeys {
		if !all(fk.Columns) {
			continue
		}
		if err := reflectForeignKey(s, t, fk, seen); err != nil {
			return err
		}
	}
	for _, key := range st.Keys {
		if key.Kind == schema.PrimaryKey || !all(keyColumns(key)) {
			continue
		}
		ix := NewIndex(env, Name{Text: key.Name})
		ix.Unique = key.Kind == schema.UniqueKey
		ix.Prefix = map[schema.KeyKind]string{schema.FulltextKey: "FULLTEXT", schema.SpatialKey: "SPATIAL"}[key.Kind]
		ix.Parser = key.Parser
		for _, p := range key.Parts {
			if x := t.columnNamed(p.Column); x != nil {
				ix.Columns = append(ix.Columns, IndexPart{Column: x})
			}
		}
		if err := t.AppendIndex(ix); err != nil {
			return err
		}
	}
	for _, ck := range st.Checks {
		k := NewConstraint(env, CheckConstraint)
		k.Name = Name{Text: ck.Name}
		k.Expr = rawExpr(ck.Expr)
		if err := t.AppendConstraint(k); err != nil {
			return err
		}
	}
	return nil
}

func reflectForeignKey(s *schema.Schema, t *Table, fk *schema.ForeignKey, seen map[string]bool) error {
	k := NewConstraint(t.MetaData.Env, ForeignKeyConstraint)
	k.Name = Name{Text: fk.Name}
	k.LinkToName = true
	for _, name := range fk.Columns {
		x := t.columnNamed(name)
		if x == nil {
			return nil
		}
		k.Columns = append(k.Columns, x)
	}
	refSchema, refTable, ok := cutLast(fk.RefTable, ".")
	if !ok {
		refSchema, refTable = t.Schema, fk.RefTable
	}
	target := &Table{Name: refTable, Schema: refSchema}
	for _, name := range fk.RefColumns {
		spec := target.Key() + "." + name
		k.Refs = append(k.Refs, Ref{Spec: spec})
	}
	for _, a := range []struct {
		from string
		to   *string
	}{{fk.OnDelete, &k.OnDelete}, {fk.OnUpdate, &k.OnUpdate}} {
		if a.from != "NO ACTION" {
			*a.to = a.from
		}
	}
	if t.MetaData.Table(target.Key()) == nil && !seen[target.Key()] && s.Table(refTable) != nil && !ok {
		n := NewTable(t.MetaData, refTable, refSchema)
		if err := reflectInto(s, n, nil, seen); err != nil {
			return err
		}
	}
	return t.AppendConstraint(k)
}

// columnNamed gives the column of that name, in any case of letters as MySQL does.
func (t *Table) columnNamed(name string) *Column {
	for _, x := range t.Columns {
		if strings.EqualFold(x.Name, name) {
			return x
		}
	}
	return nil
}

func keyColumns(k *schema.Key) []string {
	var out []string
	for _, p := range k.Parts {
		if p.Column != "" {
			out = append(out, p.Column)
		}
	}
	return out
}

// ReflectOptions gives a table's options as reflection does.
func ReflectOptions(t *schema.Table) []Option {
	var out []Option
	if t.Comment != "" {
		out = append(out, Option{Name: "COMMENT", Value: t.Comment})
	}
	if t.Engine != "" {
		out = append(out, Option{Name: "ENGINE", Value: t.Engine})
	}
	if t.Charset != "" {
		out = append(out, Option{Name: "DEFAULT_CHARSET", Value: t.Charset})
	}
	if t.Collation != "" {
		out = append(out, Option{Name: "COLLATE", Value: t.Collation})
	}
	var names []string
	for name := range t.Options {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if name != "AUTO_INCREMENT" {
			out = append(out, Option{Name: strings.ReplaceAll(name, " ", "_"), Value: t.Options[name]})
		}
	}
	return out
}
