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
