package rules

import (
	"slices"
	"strconv"
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// cannotCollide reports that rows which old code writes cannot break a new unique key, because a column of it is new and
// every such row gets NULL or a number of its own in it, or because another unique key on some of its columns stays.
func cannotCollide(p *analyzer.Pass, t *schema.Table, k *schema.Key) bool {
	for _, name := range columns(k) {
		if c := p.AddedColumn(t.Name, name); c != nil {
			if c.AutoIncrement || k.Kind != schema.PrimaryKey && c.Nullable && c.Default != nil && c.Default.Null && c.Generated == nil {
				return true
			}
		}
	}
	old := p.Old.Table(p.OldTable(t.Name))
	return old != nil && staysUnique(p, old, t, k)
}

// staysUnique reports whether a unique key of whole columns stands in both tables whose columns are all among those of k.
func staysUnique(p *analyzer.Pass, old, new *schema.Table, k *schema.Key) bool {
	var in []string // those whose prefixes it does not compare
	for _, part := range k.Parts {
		if part.Length == 0 {
			in = append(in, part.Column)
		}
	}
	for _, n := range new.Keys {
		if n == k || !unique(n) || expression(n) || n.Name == k.Name && n.Kind == k.Kind {
			continue
		}
		all := len(n.Parts) > 0
		var names []string
		for _, part := range n.Parts {
			all = all && part.Length == 0 && contains(in, part.Column)
			names = append(names, p.OldColumn(new.Name, part.Column))
		}
		if !all {
			continue
		}
		for _, o := range old.Keys {
			if unique(o) && !expression(o) && slices.EqualFunc(columns(o), names, strings.EqualFold) &&
				!slices.ContainsFunc(o.Parts, func(part schema.KeyPart) bool { return part.Length > 0 }) {
				return true
			}
		}
	}
	return false
}

// groupsOld reports that old code which groups by the columns of a primary key of an old table, and selects others, is refused once they do not
// tell rows apart any more. MySQL takes such a query since 5.7.5 because all else depends on the key, and ONLY_FULL_GROUP_BY, which is in its
// default mode, refuses it otherwise (manual: MySQL Handling of GROUP BY; tested on 9.7: 1055). MariaDB knows no such dependence.
func groupsOld(p *analyzer.Pass, t string, k *schema.Key, what string) {
	new := p.New.Table(p.NewTable(t))
	if k.Kind != schema.PrimaryKey || new == nil || !groupsFully(p) || prefixes(k) {
		return
	}
	all := true // its columns go, too
	for _, name := range columns(k) {
		all = all && p.DroppedColumn(t, name)
	}
	if !all && !determines(new, columns(k), func(name string) string { return p.OldColumn(new.Name, name) }) {
		p.Report(analyzer.Hazard{Breaks: oldCode, Hits: table(t), Use: analyzer.Read, What: what, If: "old code groups by the columns of the primary key and selects others (1055)"})
	}
}

// groupsNew is groupsOld for new code and a primary key of a new table.
func groupsNew(p *analyzer.Pass, t string, k *schema.Key, what string) {
	old := p.Old.Table(p.OldTable(t))
	if k.Kind != schema.PrimaryKey || old == nil || !groupsFully(p) || prefixes(k) {
		return
	}
	all := true // its columns are new
	var list []string
	for _, name := range columns(k) {
		all = all && p.AddedColumn(t, name) != nil
		list = append(list, p.OldColumn(t, name))
	}
	if !all && !determines(old, list, func(name string) string { return name }) {
		p.Report(analyzer.Hazard{Breaks: newCode, Hits: table(t), Use: analyzer.Read, What: what, If: "new code groups by the columns of the primary key and selects others (1055)"})
	}
}

// groupsFully reports whether the applications' mode has ONLY_FULL_GROUP_BY on a server that knows what depends on a key.
func groupsFully(p *analyzer.Pass) bool {
	if !p.MySQL(5, 7, 5) {
		return false
	}
	switch mode := strings.ToLower(string(p.SQLMode)); mode {
	case "", "strict":
		return true
	default:
		return word(mode, "only_full_group_by") || word(mode, "ansi")
	}
}

// determines reports whether rows of a table differ in some of those columns, by a key of whole columns that are NOT NULL. name gives the
// name by which a column of the table stands in the list.
func determines(t *schema.Table, list []string, name func(string) string) bool {
	return slices.ContainsFunc(t.Keys, func(k *schema.Key) bool {
		return unique(k) && !prefixes(k) && !slices.ContainsFunc(columns(k), func(n string) bool {
			c := t.Column(n)
			return c == nil || c.Nullable || !contains(list, name(c.Name))
		})
	})
}

// prefixes reports whether a key is over beginnings of columns or expressions.
func prefixes(k *schema.Key) bool {
	return len(k.Parts) == 0 || slices.ContainsFunc(k.Parts, func(part schema.KeyPart) bool { return part.Length > 0 || part.Expr != "" })
}

// covered reports whether another key of the table begins with the same columns, so that no query gets slower.
func covered(t *schema.Table, k *schema.Key) bool {
	if t == nil || k.Kind == schema.FulltextKey || k.Kind == schema.SpatialKey || expression(k) {
		return false
	}
	for _, o := range t.Keys {
		if o == k || o.Name == k.Name || o.Invisible || o.Kind == schema.FulltextKey || o.Kind == schema.SpatialKey || len(o.Parts) < len(k.Parts) {
			continue
		}
		if slices.EqualFunc(o.Parts[:len(k.Parts)], k.Parts, func(a, b schema.KeyPart) bool {
			return a.Expr == "" && b.Expr == "" && strings.EqualFold(a.Column, b.Column) && a.Length == b.Length && a.Desc == b.Desc
		}) {
			return true
		}
	}
	return false
}

// duplicates gives a preflight query for rows that a unique key does not allow, "" if a column of it does not exist yet.
func duplicates(p *analyzer.Pass, t *schema.Table, k *schema.Key) string {
	var list, notNull []string
	for _, part := range k.Parts {
		if part.Expr != "" || !p.CanAsk(p.OldTable(t.Name), p.OldColumn(t.Name, part.Column)) {
			return ""
		}
		name := quote(p.OldColumn(t.Name, part.Column))
		notNull = append(notNull, name+" IS NOT NULL")
		if part.Length > 0 {
			name = "LEFT(" + name + ", " + strconv.Itoa(part.Length) + ")"
		}
		list = append(list, name)
	}
	group := strings.Join(list, ", ")
	return "SELECT 1 FROM " + quote(p.OldTable(t.Name)) + " WHERE " + strings.Join(notNull, " AND ") + " GROUP BY " + group + " HAVING COUNT(*) > 1 LIMIT 1"
}

// keyChange says whether a ChangeKey is judged as a change of uniqueness, of the primary key, of full text, of visibility, or as none of these.
type keyChange int

const (
	plainChange keyChange = iota
	visibilityChange
	primaryChange
	uniqueChange  // unique before and after, over other columns
	becomesUnique // or ceases to be
	fulltextChange
	expressionChange
)

func keyChangeOf(c *schema.ChangeKey) keyChange {
	same := slices.EqualFunc(c.Old.Parts, c.New.Parts, func(a, b schema.KeyPart) bool {
		return strings.EqualFold(a.Column, b.Column) && a.Length == b.Length && a.Desc == b.Desc && a.Expr == b.Expr
	})
	names := func(k *schema.Key) []string {
		n := columns(k)
		for i := range n {
			n[i] = strings.ToLower(n[i])
		}
		slices.Sort(n)
		return n
	}
	prefixed := func(k *schema.Key) bool {
		return slices.ContainsFunc(k.Parts, func(p schema.KeyPart) bool { return p.Length > 0 })
	}
	// The order of columns does not matter to uniqueness.
	sameSet := slices.Equal(names(c.Old), names(c.New)) && !prefixed(c.Old) && !prefixed(c.New) && !expression(c.Old) && !expression(c.New)
	switch {
	case unique(c.Old) != unique(c.New):
		return becomesUnique
	case c.Old.Kind == schema.FulltextKey || c.New.Kind == schema.FulltextKey:
		return fulltextChange
	case unique(c.New) && !same && !sameSet || c.Old.Kind != c.New.Kind:
		if c.Old.Kind == schema.PrimaryKey || c.New.Kind == schema.PrimaryKey {
			return primaryChange
		}
		return uniqueChange
	case same && c.Old.Invisible != c.New.Invisible:
		return visibilityChange
	case expression(c.New) && !same:
		return expressionChange
	}
	return plainChange
}
