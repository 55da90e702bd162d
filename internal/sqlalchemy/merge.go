package sqlalchemy

import (
	"instep/internal/python"
)

// What becomes of the constructs when two branches of a condition that is not known did different things to them. What
// only one branch made and filled keeps what that branch gave it: the other has no way to it. What was there before is
// marked as not known.

// Merge implements python.Merger. The tables of both branches are members; create_all() of such a MetaData is a gap.
func (m *MetaData) Merge(ev *python.Eval, before, a, b any, u *python.Unknown) {
	x, y := a.(MetaData), b.(MetaData)
	m.Restore(b)
	differ := len(x.Tables) != len(y.Tables) || x.Schema != y.Schema
	for _, t := range x.Tables {
		if !contains(m.Tables, t) {
			m.Tables = add(m.Tables, t)
			differ = true
		}
	}
	if differ && m.Unknown == nil {
		m.Unknown = why(u)
	}
}

// Merge implements python.Merger.
func (t *Table) Merge(ev *python.Eval, before, a, b any, u *python.Unknown) {
	x, y, old := a.(Table), b.(Table), before.(Table)
	switch {
	case len(old.Columns) == 0 && len(x.Columns) > 0 && len(y.Columns) == 0:
		t.Restore(x)
	case len(old.Columns) == 0 && len(x.Columns) == 0:
		t.Restore(y)
	default:
		t.Restore(y)
		if !sameLists(x, y) && t.Unknown == nil {
			t.Unknown = why(u)
		}
	}
}

func sameLists(x, y Table) bool {
	return x.Name == y.Name && x.Schema == y.Schema && same(x.Options, y.Options) &&
		same(x.Columns, y.Columns) && same(x.Constraints, y.Constraints) && same(x.Indexes, y.Indexes)
}

func same[T comparable](x, y []T) bool {
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] != y[i] {
			return false
		}
	}
	return true
}

// Merge implements python.Merger.
func (c *Column) Merge(ev *python.Eval, before, a, b any, u *python.Unknown) {
	x, y, old := a.(Column), b.(Column), before.(Column)
	switch {
	case old.Table == nil && x.Table != nil && y.Table == nil:
		c.Restore(x)
	case old.Table == nil && x.Table == nil && y.Table != nil:
		c.Restore(y)
	default:
		c.Restore(y)
		sx, err1 := ColumnDDL(&x)
		sy, err2 := ColumnDDL(&y)
		if (err1 != nil || err2 != nil || sx.SQL != sy.SQL || x.Key != y.Key || x.Table != y.Table) && c.Unknown == nil {
			c.Unknown = why(u)
		}
	}
}

// Merge implements python.Merger.
func (c *Constraint) Merge(ev *python.Eval, before, a, b any, u *python.Unknown) {
	x, y := a.(Constraint), b.(Constraint)
	if x.Table != nil && y.Table == nil {
		x, y = y, x
	}
	c.Restore(y)
	if x.Table == y.Table && (x.Name != y.Name || !same(x.Columns, y.Columns)) && c.Unknown == nil {
		c.Unknown = why(u)
	}
}

// Merge implements python.Merger.
func (i *Index) Merge(ev *python.Eval, before, a, b any, u *python.Unknown) {
	x, y := a.(Index), b.(Index)
	if x.Table != nil && y.Table == nil {
		x, y = y, x
	}
	i.Restore(y)
	if x.Table == y.Table && (x.Name != y.Name || !same(x.Columns, y.Columns)) && i.Unknown == nil {
		i.Unknown = why(u)
	}
}

// Merge implements python.Merger.
func (f *ForeignKey) Merge(ev *python.Eval, before, a, b any, u *python.Unknown) {
	x, y := a.(ForeignKey), b.(ForeignKey)
	if x.Constraint != nil && y.Constraint == nil {
		y = x
	}
	f.Restore(y)
}

// Same implements python.Same.
func (d *dialectValue) Same(ev *python.Eval, other python.Value) bool {
	o, ok := other.(*dialectValue)
	return ok && o.e == d.e
}

// Same implements python.Same.
func (i *inspector) Same(ev *python.Eval, other python.Value) bool {
	o, ok := other.(*inspector)
	return ok && o.e == i.e
}

// Same implements python.Same.
func (e *Expr) Same(ev *python.Eval, other python.Value) bool {
	o, ok := other.(*Expr)
	return ok && e.Unknown == nil && o.Unknown == nil && same(e.parts, o.parts)
}
