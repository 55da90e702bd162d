package simulate

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-sql-driver/mysql"

	"instep/analyzer/schema"
)

// A Sample is some of the rows that are present in a database, as SQL literals. Workloads take their parameters from it.
type Sample struct {
	rows map[string][]map[string]string // by table, then by column; a value that is too long to be kept is missing
}

// maxSampled bounds a sampled value, in characters of text or bytes of a binary value. Values of keys are never longer.
const maxSampled = 1024

// takeSample reads the first n rows by primary key of every base table of s. A table that cannot be read is one without rows:
// its statements show what is wrong with it.
func takeSample(ctx context.Context, c *session, database string, s *schema.Schema, n int) (Sample, error) {
	x := Sample{rows: map[string][]map[string]string{}}
	for _, t := range s.Tables() {
		var list []string
		for _, col := range t.Columns {
			list = append(list, sampleExpr(col))
		}
		text := fmt.Sprintf("SELECT %s FROM %s.%s", strings.Join(list, ", "), quoteName(database), quoteName(t.Name))
		if key := plainKey(t); key != nil {
			text += " ORDER BY " + strings.Join(quoteNames(key), ", ")
		}
		rows, err := c.query(ctx, n, fmt.Sprintf("%s LIMIT %d", text, n))
		var refused *mysql.MySQLError
		if errors.As(err, &refused) {
			continue
		}
		if err != nil {
			return Sample{}, err
		}
		for _, row := range rows {
			values := map[string]string{}
			for i, col := range t.Columns {
				switch {
				case !row[i].Valid:
					values[col.Name] = "NULL"
				case row[i].String == sampleTooLong:
				default:
					values[col.Name] = sampleLiteral(col, row[i].String)
				}
			}
			x.rows[t.Name] = append(x.rows[t.Name], values)
		}
	}
	return x, nil
}

// sampleTooLong stands for a value that is not kept. It is a text in the connection's character set, for a binary one would make
// the server give texts of all columns as their bytes.
const sampleTooLong = "-- too long for a sample --"

// sampleExpr gives what reads a column: numbers in full, and no more of a long value than is kept.
func sampleExpr(c *schema.Column) string {
	name := quoteName(c.Name)
	switch c.Type.Name {
	case "bit":
		return name + "+0"
	case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "date", "datetime", "timestamp", "time", "year", "enum", "set":
		return name
	}
	return fmt.Sprintf("IF(LENGTH(%s) > %d, '%s', %[1]s)", name, maxSampled, sampleTooLong)
}

// sampleLiteral gives a value as a literal that means the same under every sql_mode.
func sampleLiteral(c *schema.Column, v string) string {
	switch c.Type.Name {
	case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "bit", "year":
		return v
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		return "X'" + hex.EncodeToString([]byte(v)) + "'"
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		return "X'" + hex.EncodeToString([]byte(v)) + "'" // the server's own format: SRID, then WKB
	}
	return textLiteral(v)
}

// textLiteral quotes a text that a server gave, which need not be UTF-8.
func textLiteral(v string) string {
	if !utf8.ValidString(v) {
		return "X'" + hex.EncodeToString([]byte(v)) + "'"
	}
	return quoteText(v)
}

// translate gives the sample as rows of another schema: tables and columns are matched by origin, then by name. from is the
// schema that the sample was taken on. A column that did not exist, or that is of another type and in no key, has an ordinary
// value; a table that did not exist has no rows.
func (x Sample) translate(from, to *schema.Schema) Sample {
	y := Sample{rows: map[string][]map[string]string{}}
	for _, t := range to.Tables() {
		old := counterpart(from, t)
		if old == nil {
			continue
		}
		for i, row := range x.rows[old.Name] {
			values := map[string]string{}
			for _, c := range t.Columns {
				o := columnCounterpart(old, c)
				if o == nil {
					values[c.Name] = distinctLiteral(c, uint64(i))
					continue
				}
				v, ok := row[o.Name]
				switch {
				case !ok:
				case v == "NULL" && !c.Nullable:
				case !sameType(o.Type, c.Type) && !inSomeKey(t, c.Name):
				default:
					values[c.Name] = v
				}
			}
			y.rows[t.Name] = append(y.rows[t.Name], values)
		}
	}
	return y
}

// counterpart gives the table of s that t is, or was: of the same origin, else of the same name.
func counterpart(s *schema.Schema, t *schema.Table) *schema.Table {
	if t.Origin != "" {
		for _, o := range s.Tables() {
			if o.Origin == t.Origin {
				return o
			}
		}
	}
	return s.Table(t.Name)
}

func columnCounterpart(t *schema.Table, c *schema.Column) *schema.Column {
	if c.Origin != "" {
		for _, o := range t.Columns {
			if o.Origin == c.Origin {
				return o
			}
		}
	}
	return t.Column(c.Name)
}

func sameType(a, b schema.Type) bool { return a.SQL() == b.SQL() }

func inSomeKey(t *schema.Table, name string) bool {
	for _, k := range t.Keys {
		if isUnique(k) && hasName(keyColumns(k), name) {
			return true
		}
	}
	for _, f := range t.ForeignKeys {
		if hasName(f.Columns, name) {
			return true
		}
	}
	return false
}

// quoteNames quotes identifiers.
func quoteNames(names []string) []string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = quoteName(n)
	}
	return list
}

func isUnique(k *schema.Key) bool { return k.Kind == schema.PrimaryKey || k.Kind == schema.UniqueKey }

// keyColumns gives the columns of a key, those in its expressions too.
func keyColumns(k *schema.Key) []string {
	var list []string
	for _, p := range k.Parts {
		if p.Expr != "" {
			list = append(list, p.Columns...)
		} else {
			list = append(list, p.Column)
		}
	}
	return list
}

// plainKey gives the columns of the primary key, or else of a unique key of NOT NULL columns; nil if there is none, or only one
// with expressions.
func plainKey(t *schema.Table) []string {
	var best []string
	for _, k := range t.Keys {
		ok := isUnique(k)
		var names []string
		for _, p := range k.Parts {
			c := t.Column(p.Column)
			ok = ok && p.Expr == "" && c != nil && !c.Nullable
			names = append(names, p.Column)
		}
		if !ok {
			continue
		}
		if k.Kind == schema.PrimaryKey {
			return names
		}
		if best == nil {
			best = names
		}
	}
	return best
}

// hasName reports whether a name is among names, in any case of letters.
func hasName(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}
