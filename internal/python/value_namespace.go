package python

import "slices"

// A Namespace is an ordered set of named values: the attributes of a module, class or instance.
type Namespace struct {
	names []string
	vals  []Value
	index map[string]int32 // only when there are many
	taint *Unknown         // if set, further names may be present
	epoch uint32
}

// NewNamespace gives a namespace of pairs of a string and a Value.
func NewNamespace(pairs ...any) *Namespace {
	ns := &Namespace{names: make([]string, 0, len(pairs)/2), vals: make([]Value, 0, len(pairs)/2)}
	for i := 0; i+1 < len(pairs); i += 2 {
		ns.store(pairs[i].(string), pairs[i+1].(Value))
	}
	return ns
}

// Names gives the names in the order in which they were first set.
func (ns *Namespace) Names() []string { return slices.Clone(ns.names) }

// Load finds a value.
func (ns *Namespace) Load(name string) (Value, bool) {
	if i := ns.at(name); i >= 0 {
		return ns.vals[i], true
	}
	return nil, false
}

func (ns *Namespace) at(name string) int {
	if ns.index != nil {
		if i, ok := ns.index[name]; ok {
			return int(i)
		}
		return -1
	}
	for i, n := range ns.names {
		if n == name {
			return i
		}
	}
	return -1
}

// Store sets a value. The journal is told.
func (ns *Namespace) Store(ev *Eval, name string, v Value) {
	if ns.epoch != ev.epoch {
		ev.Touch(ns)
	}
	ns.store(name, v)
}

func (ns *Namespace) store(name string, v Value) {
	if i := ns.at(name); i >= 0 {
		ns.vals[i] = v
		return
	}
	ns.names = append(ns.names, name)
	ns.vals = append(ns.vals, v)
	if ns.index != nil {
		ns.index[name] = int32(len(ns.names) - 1)
	} else if len(ns.names) > 8 {
		ns.reindex()
	}
}

func (ns *Namespace) reindex() {
	ns.index = make(map[string]int32, 2*len(ns.names))
	for i, n := range ns.names {
		ns.index[n] = int32(i)
	}
}

// Delete removes a value and tells whether it was there. The journal is told.
func (ns *Namespace) Delete(ev *Eval, name string) bool {
	i := ns.at(name)
	if i < 0 {
		return false
	}
	if ns.epoch != ev.epoch {
		ev.Touch(ns)
	}
	ns.names = slices.Delete(ns.names, i, i+1)
	ns.vals = slices.Delete(ns.vals, i, i+1)
	if ns.index != nil {
		ns.reindex()
	}
	return true
}

// Len is the number of names.
func (ns *Namespace) Len() int { return len(ns.names) }

// Save implements Mutable.
func (ns *Namespace) Save() any {
	return &Namespace{names: slices.Clone(ns.names), vals: slices.Clone(ns.vals), taint: ns.taint}
}

// Restore implements Mutable.
func (ns *Namespace) Restore(state any) {
	s := state.(*Namespace)
	ns.names, ns.vals, ns.taint, ns.index = slices.Clone(s.names), slices.Clone(s.vals), s.taint, nil
	if len(ns.names) > 8 {
		ns.reindex()
	}
}

// Merge implements Merger.
func (ns *Namespace) Merge(ev *Eval, before, a, b any, why *Unknown) {
	x, y := a.(*Namespace), b.(*Namespace)
	out := &Namespace{taint: x.taint}
	if out.taint == nil {
		out.taint = y.taint
	}
	for i, n := range x.names {
		v, ok := y.Load(n)
		if !ok {
			v = nil
		}
		out.store(n, ev.merge(x.vals[i], v, why))
	}
	for i, n := range y.names {
		if x.at(n) < 0 {
			out.store(n, ev.merge(nil, y.vals[i], why))
		}
	}
	ns.Restore(out)
}

func (ns *Namespace) setEpoch(e uint32) { ns.epoch = e }
