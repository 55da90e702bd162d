package rules

import (
	"slices"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// integers gives the bytes of an integer type, 0 for other types (manual: Integer Types).
func integers(t schema.Type) int {
	switch t.Name {
	case "tinyint":
		return 1
	case "smallint":
		return 2
	case "mediumint":
		return 3
	case "int":
		return 4
	case "bigint":
		return 8
	}
	return 0
}

// capacity gives how many bytes a character type holds, 0 for other types. binary tells byte strings from texts; BINARY(n) is
// no string here, because its values are padded with zero bytes that count.
func capacity(c *schema.Column) (bytes int, binary bool) {
	length := max(c.Type.Length, 1)
	switch c.Type.Name {
	case "char", "varchar":
		return length * analyzer.CharBytes(c.Charset), false
	case "varbinary":
		return length, true
	case "tinytext":
		return 1<<8 - 1, false
	case "text":
		return 1<<16 - 1, false
	case "mediumtext":
		return 1<<24 - 1, false
	case "longtext":
		return 1<<32 - 1, false
	case "tinyblob":
		return 1<<8 - 1, true
	case "blob":
		return 1<<16 - 1, true
	case "mediumblob":
		return 1<<24 - 1, true
	case "longblob":
		return 1<<32 - 1, true
	}
	return 0, false
}

// A typeKind says which rule judges a change of type.
type typeKind int

const (
	otherType    typeKind = iota // change-column-type: no order works
	integerWidth                 // display width or ZEROFILL only
	integerWiden
	integerNarrow
	integerSign
	stringWiden
	stringNarrow
	stringPadding // CHAR and VARCHAR of the same length
	decimalDigits
	temporalDigits
	members // ENUM or SET
	enumBecomesString
	stringBecomesEnum
	textBecomesJSON
	jsonBecomesText
	unknownType // a type that could not be read: no rule judges it
)

// kindOf classifies a change of type.
func kindOf(c *schema.ColumnType) typeKind {
	o, n := c.Old.Type, c.New.Type
	if o.Unknown || n.Unknown {
		return unknownType
	}
	if from, to := integers(o), integers(n); from > 0 && to > 0 {
		switch {
		case o.Unsigned != n.Unsigned:
			return integerSign
		case from < to:
			return integerWiden
		case from > to:
			return integerNarrow
		}
		return integerWidth
	}
	if (o.Name == "enum" || o.Name == "set") && o.Name == n.Name {
		return members
	}
	from, fromBinary := capacity(c.Old)
	// The character set may change along; that is judged as a change of its own, so lengths are compared in one of them.
	same := *c.New
	if c.Old.Charset != "" && c.New.Charset != "" {
		same.Charset = c.Old.Charset
	}
	to, toBinary := capacity(&same)
	switch {
	case from > 0 && to > 0 && fromBinary == toBinary:
		switch {
		case from < to:
			return stringWiden
		case from > to:
			return stringNarrow
		}
		return stringPadding
	case o.Name == "enum" && to > 0 && !toBinary:
		longest := 0
		for _, m := range o.Members {
			longest = max(longest, len([]rune(m)))
		}
		if (n.Name == "char" || n.Name == "varchar") && n.Length < longest {
			return otherType
		}
		return enumBecomesString
	case from > 0 && !fromBinary && n.Name == "enum":
		return stringBecomesEnum
	case from > 0 && !fromBinary && n.Name == "json":
		return textBecomesJSON
	case o.Name == "json" && (n.Name == "longtext"):
		return jsonBecomesText
	case o.Name == "decimal" && n.Name == "decimal" && o.Unsigned == n.Unsigned:
		return decimalDigits
	case o.Name == n.Name && (o.Name == "datetime" || o.Name == "timestamp" || o.Name == "time"):
		return temporalDigits
	}
	return otherType
}

// change gives "users.age: int → bigint".
func change(n schema.Object, c *schema.ColumnType) string {
	return n.String() + ": " + analyzer.TypeText(c.Old.Type) + " → " + analyzer.TypeText(c.New.Type)
}

// widened reports a type that holds more: what new code stores, the old column refuses.
func widened(p *analyzer.Pass, c *schema.ColumnType, refused, reader string) {
	o, n := ends(p, c.Table, c.Old, c.New)
	what := change(n, c)
	p.Report(analyzer.Hazard{Breaks: newCode, Hits: n, Use: analyzer.Write, What: what, If: "new code writes what the old column does not hold: " + refused})
	if reader != "" {
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: analyzer.Read, Caution: true, Mediated: true, What: what, If: "new code has written what the old column could not hold, and " + reader})
	}
}

// narrowed reports a type that holds less: the new column refuses what old code stores, and the migration what is stored.
func narrowed(p *analyzer.Pass, c *schema.ColumnType, refused, preflight string) {
	o, n := ends(p, c.Table, c.Old, c.New)
	what := change(n, c)
	p.Report(analyzer.Hazard{Breaks: oldCode, Hits: o, Use: analyzer.Write, What: what, If: "old code writes what the new column does not hold: " + refused})
	failure := "the migration fails on rows that do not fit"
	if !analyzer.SQLMode(p.Old.SQLMode()).Strict() {
		failure = "the migration silently changes rows that do not fit, for its sql_mode is not strict"
	}
	p.Report(analyzer.Hazard{Breaks: running, Hits: n, What: failure + ": " + what, If: "there are such rows", Preflight: preflight})
}

// rows gives a preflight query on a column, as the table is named before the statement runs.
func rows(p *analyzer.Pass, c *schema.ColumnType, condition string) string {
	if !p.CanAsk(p.OldTable(c.Table.Name), c.Old.Name) {
		return ""
	}
	return "SELECT 1 FROM " + quote(p.OldTable(c.Table.Name)) + " WHERE " + condition + " LIMIT 1"
}

// memberChange gives what happened to the members of an ENUM or SET.
type memberChange struct {
	added, removed []string
	appended       bool // the old members are the beginning of the new ones
	reordered      bool // the members that stay stand in another order
	replaced       bool // as many members, each old one stands where it stood: values were renamed
}

func memberDiff(old, new []string) memberChange {
	var d memberChange
	var stayedOld, stayedNew []string
	in := func(list []string) map[string]bool {
		set := make(map[string]bool, len(list))
		for _, s := range list {
			set[s] = true
		}
		return set
	}
	isOld, isNew := in(old), in(new)
	for _, m := range old {
		if isNew[m] {
			stayedOld = append(stayedOld, m)
		} else {
			d.removed = append(d.removed, m)
		}
	}
	for _, m := range new {
		if isOld[m] {
			stayedNew = append(stayedNew, m)
		} else {
			d.added = append(d.added, m)
		}
	}
	d.appended = len(new) >= len(old) && slices.Equal(old, new[:len(old)])
	d.reordered = !slices.Equal(stayedOld, stayedNew)
	if len(old) == len(new) && len(d.added) > 0 && !d.reordered {
		d.replaced = true
		for i := range old {
			if old[i] != new[i] && (isNew[old[i]] || isOld[new[i]]) {
				d.replaced = false
			}
		}
	}
	return d
}
