package rules

import (
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// The sets of uses that rules ask for most.
const (
	readWrite = analyzer.Read | analyzer.Write
	anyUse    = analyzer.Read | analyzer.Write | analyzer.Delete
)

const (
	oldCode = analyzer.OldCode
	newCode = analyzer.NewCode
	running = analyzer.Running
)

func table(name string) schema.Object {
	return schema.Object{Kind: schema.KindTable, Table: name}
}

func column(table, name string) schema.Object {
	return schema.Object{Kind: schema.KindColumn, Table: table, Name: name}
}

func view(name string) schema.Object {
	return schema.Object{Kind: schema.KindView, Name: name}
}

func key(table, name string) schema.Object {
	return schema.Object{Kind: schema.KindKey, Table: table, Name: name}
}

// ends gives a column that both schemas have, as old and as new code name it.
func ends(p *analyzer.Pass, t *schema.Table, old, new *schema.Column) (o, n schema.Object) {
	return column(p.OldTable(t.Name), old.Name), column(t.Name, new.Name)
}

// quote gives a name as SQL quotes it.
func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// needsValue reports whether an INSERT has to name the column: it is refused with 1364 in strict mode otherwise. An ENUM that is NOT NULL
// without a default takes its first member (manual: Data Type Default Values; tested on MariaDB 10.11 / MySQL 9.7).
// ALTER COLUMN … DROP DEFAULT on a nullable or AUTO_INCREMENT column makes MySQL want a value, MariaDB not (tested likewise).
func needsValue(p *analyzer.Pass, c *schema.Column) bool {
	switch {
	case c.AutoIncrement && c.Default != nil && c.Default.Dropped:
		return !p.Server.MariaDB
	case c.AutoIncrement, c.Generated != nil, c.Type.Name == "enum":
		return false
	case c.Default != nil && c.Default.Dropped:
		return !c.Nullable || !p.Server.MariaDB
	case c.Default != nil && c.Default.Null:
		return !c.Nullable
	}
	return c.Default == nil && !c.Nullable
}

// refusesOmission reports whether an INSERT that does not name the column is refused in the applications' mode. In loose mode it gets
// its type's own default; spatial types have none on MySQL (manual: Data Type Default Values; tested on MySQL 9.7: 1364, MariaDB
// 10.11 takes the row).
func refusesOmission(p *analyzer.Pass, c *schema.Column) bool {
	return needsValue(p, c) && (p.Strict() || !p.Server.MariaDB && isSpatial(c.Type))
}

func isSpatial(t schema.Type) bool {
	switch t.Name {
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		return true
	}
	return false
}

// columns gives the columns of a key; an expression gives "".
func columns(k *schema.Key) []string {
	names := make([]string, len(k.Parts))
	for i, part := range k.Parts {
		names[i] = part.Column
	}
	return names
}

func unique(k *schema.Key) bool { return k.Kind == schema.UniqueKey || k.Kind == schema.PrimaryKey }

func expression(k *schema.Key) bool {
	for _, part := range k.Parts {
		if part.Expr != "" {
			return true
		}
	}
	return false
}

func contains(list []string, name string) bool {
	for _, s := range list {
		if strings.EqualFold(s, name) {
			return true
		}
	}
	return false
}

// word reports whether name stands as a whole word in text, in any case of letters.
func word(text, name string) bool {
	if name == "" {
		return false
	}
	text, name = strings.ToLower(text), strings.ToLower(name)
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(name)
		if (start == 0 || !isWord(text[start-1])) && (end == len(text) || !isWord(text[end])) {
			return true
		}
		from = start + 1
	}
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// childHits gives what code uses that a foreign key of several columns concerns: the column if there is only one, else the table.
func childHits(t string, columns []string) schema.Object {
	if len(columns) == 1 {
		return column(t, columns[0])
	}
	return table(t)
}
