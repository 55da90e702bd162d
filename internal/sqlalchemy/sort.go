package sqlalchemy

import "slices"

// A Step is one statement's worth of creating or dropping a collection of tables: a table, or the foreign keys that have to
// stand apart because tables depend on each other in a circle or say use_alter.
type Step struct {
	Table *Table
	// Omit are the table's foreign keys that come later.
	Omit []*Constraint
	// ForeignKeys are set, and Table is nil, in the last step.
	ForeignKeys []*Constraint
}

type edge struct{ parent, child *Table }

// SortTables orders tables so that each comes after those that its foreign keys refer to. Within that they keep
// their order, in layers: all that depend on nothing, then all that depend only on those, and so on. When dropping, foreign keys
// without a name cannot be dropped apart, so that a circle of them is an error (CircularDependencyError).
func SortTables(tables []*Table, dropping bool) ([]Step, error) {
	if len(tables) > maxTables {
		return nil, errorf("RuntimeError", "more than %d tables at once are not modelled", maxTables)
	}
	var edges []edge
	var apart []*Constraint
	fixed := func(k *Constraint) bool { return dropping && !k.Name.Given() }
	for _, t := range tables {
		for _, k := range t.foreignKeys() {
			if k.UseAlter {
				apart = append(apart, k)
				continue
			}
			if p := k.referred(); p != nil && p != t {
				edges = append(edges, edge{p, t})
			}
		}
		for _, p := range t.after {
			edges = append(edges, edge{p, t})
		}
	}
	order, rest := layers(tables, edges)
	if rest != nil {
		circle := circular(rest, edges)
		for _, t := range tables {
			if !contains(circle, t) {
				continue
			}
			// The library takes every foreign key of a table in a circle apart, if one of them points to a table that is
			// in the way.
			stuck := slices.ContainsFunc(edges, func(e edge) bool { return e.child == t && contains(rest, e.parent) })
			if !stuck {
				continue
			}
			for _, k := range t.foreignKeys() {
				if fixed(k) || contains(apart, k) {
					continue
				}
				apart = append(apart, k)
				if p := k.referred(); p != nil {
					edges = slices.DeleteFunc(edges, func(e edge) bool { return e == edge{p, t} })
				}
			}
		}
		order, rest = layers(tables, edges)
		if rest != nil {
			return nil, errorf("CircularDependencyError", "Can't sort tables for DROP; an unresolvable foreign key dependency exists between tables")
		}
	}
	var steps []Step
	for _, t := range order {
		s := Step{Table: t}
		for _, k := range apart {
			if k.Table == t {
				s.Omit = append(s.Omit, k)
			}
		}
		steps = append(steps, s)
	}
	if len(apart) > 0 {
		steps = append(steps, Step{ForeignKeys: apart})
	}
	if dropping {
		slices.Reverse(steps)
	}
	return steps, nil
}

// layers orders tables by dependency; rest are those that cannot be ordered.
func layers(tables []*Table, edges []edge) (order, rest []*Table) {
	todo := slices.Clone(tables)
	for len(todo) > 0 {
		left := map[*Table]bool{}
		for _, t := range todo {
			left[t] = true
		}
		blocked := map[*Table]bool{}
		for _, e := range edges {
			if left[e.parent] {
				blocked[e.child] = true
			}
		}
		var next []*Table
		for _, t := range todo {
			if blocked[t] {
				next = append(next, t)
			} else {
				order = append(order, t)
			}
		}
		if len(next) == len(todo) {
			return order, next
		}
		todo = next
	}
	return order, nil
}

// circular gives those of the tables that reach themselves.
func circular(tables []*Table, edges []edge) []*Table {
	children := map[*Table][]*Table{}
	for _, e := range edges {
		children[e.parent] = append(children[e.parent], e.child)
	}
	var out []*Table
	for _, t := range tables {
		seen := map[*Table]bool{}
		stack := []*Table{t}
		for len(stack) > 0 {
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			for _, c := range children[top] {
				if !seen[c] {
					seen[c] = true
					stack = append(stack, c)
				}
			}
		}
		if seen[t] {
			out = append(out, t)
		}
	}
	return out
}

// foreignKeys gives the table's foreign keys in the order of their creation.
func (t *Table) foreignKeys() []*Constraint {
	var out []*Constraint
	for _, k := range sortedConstraints(t.Constraints) {
		if k.Kind == ForeignKeyConstraint {
			out = append(out, k)
		}
	}
	return out
}

// referred gives the table that a foreign key refers to; nil if it is not in the MetaData.
func (k *Constraint) referred() *Table {
	if len(k.Refs) == 0 || k.Table == nil {
		return nil
	}
	if x := k.Refs[0].resolve(k.Table.MetaData, k.LinkToName); x != nil {
		return x.Table
	}
	return k.Table.MetaData.Table(k.Refs[0].Table())
}
