package python

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// table is an insertion-ordered hash table, the body of Dict and Set.
type table struct {
	entries []dictEntry
	index   map[any]int32
	live    int
	taint   *Unknown // if set, the entries are not all known (or, for Data, are those without rows)
	epoch   uint32
}

type dictEntry struct {
	key, val Value // key is nil for a deleted entry
	hash     any
}

func (t *table) find(hash any) int {
	if t.index == nil {
		return -1
	}
	if i, ok := t.index[hash]; ok {
		return int(i)
	}
	return -1
}

func (t *table) put(hash any, k, v Value) {
	if i := t.find(hash); i >= 0 {
		t.entries[i].val = v
		return
	}
	if t.index == nil {
		t.index = map[any]int32{}
	}
	t.index[hash] = int32(len(t.entries))
	t.entries = append(t.entries, dictEntry{k, v, hash})
	t.live++
}

func (t *table) remove(hash any) (dictEntry, bool) {
	i := t.find(hash)
	if i < 0 {
		return dictEntry{}, false
	}
	e := t.entries[i]
	delete(t.index, hash)
	t.entries[i] = dictEntry{}
	t.live--
	if len(t.entries) > 32 && t.live < len(t.entries)/2 {
		t.compact()
	}
	return e, true
}

func (t *table) compact() {
	out := t.entries[:0]
	for _, e := range t.entries {
		if e.key != nil {
			t.index[e.hash] = int32(len(out))
			out = append(out, e)
		}
	}
	clear(t.entries[len(out):])
	t.entries = out
}

func (t *table) clear() { t.entries, t.index, t.live = nil, nil, 0 }

func (t *table) keys() []Value {
	out := make([]Value, 0, t.live)
	for _, e := range t.entries {
		if e.key != nil {
			out = append(out, e.key)
		}
	}
	return out
}

func (t *table) setEpoch(e uint32) { t.epoch = e }

// Save implements Mutable.
func (t *table) Save() any {
	c := &table{taint: t.taint, live: t.live, entries: make([]dictEntry, 0, t.live)}
	for _, e := range t.entries {
		if e.key != nil {
			c.entries = append(c.entries, e)
		}
	}
	return c
}

// Restore implements Mutable.
func (t *table) Restore(state any) {
	s := state.(*table)
	t.entries, t.taint, t.live = slices.Clone(s.entries), s.taint, s.live
	t.index = make(map[any]int32, len(t.entries))
	for i, e := range t.entries {
		t.index[e.hash] = int32(i)
	}
}

// Merge implements Merger.
func (t *table) Merge(ev *Eval, before, a, b any, why *Unknown) {
	x, y := a.(*table), b.(*table)
	same := len(x.entries) == len(y.entries)
	if same {
		for i := range x.entries {
			if x.entries[i].hash != y.entries[i].hash {
				same = false
				break
			}
		}
	}
	if !same || (x.taint == nil) != (y.taint == nil) {
		t.Restore(y)
		u := &Unknown{Pos: why.Pos, Why: why.Why, Acts: ev.anyActs(x.entries) || ev.anyActs(y.entries)}
		u.Data = why.Data && (x.taint == nil || x.taint.Data) && (y.taint == nil || y.taint.Data)
		if y.taint == nil || y.taint.Data != u.Data || u.Acts && !y.taint.Acts {
			ev.changed = true
		}
		if !u.Data {
			t.clear()
		}
		t.taint = u
		return
	}
	out := x.Save().(*table)
	for i := range out.entries {
		if v := out.entries[i].val; v != nil {
			out.entries[i].val = ev.merge(v, y.entries[i].val, why)
		}
	}
	if out.taint == nil {
		out.taint = y.taint
	}
	t.Restore(out)
}

func (ev *Eval) anyActs(es []dictEntry) bool {
	for _, e := range es {
		if e.key != nil && ev.mayAct(e.key) || e.val != nil && ev.mayAct(e.val) {
			return true
		}
	}
	return false
}

// A Dict is a dict. It keeps the order of insertion.
type Dict struct {
	table
	cls     *Class // a subclass: OrderedDict, defaultdict, Counter, or one of Python
	attrs   *Namespace
	factory Value // of a defaultdict
}

// TypeName implements Value.
func (d *Dict) TypeName() string {
	if d.cls != nil {
		return d.cls.Name
	}
	return "dict"
}

// NewDict gives an empty dict.
func NewDict() *Dict { return &Dict{} }

// Len is the number of keys that are known.
func (d *Dict) Len() int { return d.live }

// Items gives the known keys and values in order.
func (d *Dict) Items() (keys, vals []Value) {
	for _, e := range d.entries {
		if e.key != nil {
			keys, vals = append(keys, e.key), append(vals, e.val)
		}
	}
	return keys, vals
}

// Unknown gives the reason why the keys are not all known, or nil.
func (d *Dict) Unknown() *Unknown { return d.taint }

// Unknown gives the reason why the items are not known, or nil.
func (l *List) Unknown() *Unknown { return l.taint }

// Load finds the value of a key that is a str.
func (d *Dict) Load(name string) (Value, bool) {
	if i := d.find(Str(name)); i >= 0 {
		return d.entries[i].val, true
	}
	return nil, false
}

// Store sets the value of a key. It gives a TypeError for a key that cannot be hashed. An Unknown key makes the dict
// unknown.
func (d *Dict) Store(ev *Eval, key, v Value) error {
	h, u, err := ev.hash(key)
	if err != nil {
		return err
	}
	if d.epoch != ev.epoch {
		ev.Touch(d)
	}
	if u != nil {
		d.taint = taintOf(u, d.taint, ev.mayAct(v))
		return nil
	}
	if d.live >= ev.budget.Object {
		return ev.abort("a container of %d items", d.live)
	}
	if err := ev.alloc(48); err != nil {
		return err
	}
	d.put(h, key, v)
	return nil
}

// taintOf gives the mark of a container into which something unknown went.
func taintOf(u, old *Unknown, acts bool) *Unknown {
	if old != nil && (old.Acts || !acts) && (!old.Data || u.Data) {
		return old
	}
	t := &Unknown{Pos: u.Pos, Why: u.Why, Data: u.Data, Acts: u.Acts || acts}
	if old != nil {
		t.Acts = t.Acts || old.Acts
		t.Data = t.Data && old.Data
	}
	return t
}

// A Set is a set or frozenset.
type Set struct {
	table
	Frozen bool
}

// TypeName implements Value.
func (s *Set) TypeName() string {
	if s.Frozen {
		return "frozenset"
	}
	return "set"
}

// Len is the number of elements that are known.
func (s *Set) Len() int { return s.live }

// Elems gives the known elements in the order of insertion.
func (s *Set) Elems() []Value { return s.keys() }

// Unknown gives the reason why the elements are not all known, or nil.
func (s *Set) Unknown() *Unknown { return s.taint }

// Add adds an element, with the errors of Dict.Store.
func (s *Set) Add(ev *Eval, v Value) error {
	h, u, err := ev.hash(v)
	if err != nil {
		return err
	}
	if s.epoch != ev.epoch {
		ev.Touch(s)
	}
	if u != nil {
		s.taint = taintOf(u, s.taint, u.Acts)
		return nil
	}
	if s.find(h) >= 0 {
		return nil
	}
	if s.live >= ev.budget.Object {
		return ev.abort("a container of %d items", s.live)
	}
	if err := ev.alloc(48); err != nil {
		return err
	}
	s.put(h, v, nil)
	return nil
}

type (
	noneKey  struct{}
	tupleKey string
	setKey   string
	bigKey   string
	hashKey  struct {
		cls  *Class
		hash any
	}
)

// hash gives the key under which a value is found in a table: equal values have equal keys. The Unknown is not nil if the
// value is not known.
func (ev *Eval) hash(v Value) (any, *Unknown, error) {
	switch v := v.(type) {
	case Str, Bytes, Int:
		return v, nil, nil
	case Bool:
		if v {
			return Int(1), nil, nil
		}
		return Int(0), nil, nil
	case NoneType:
		return noneKey{}, nil, nil
	case Float:
		f := float64(v)
		if f == math.Trunc(f) && math.Abs(f) < 1<<62 {
			return Int(f), nil, nil
		}
		return v, nil, nil
	case *BigInt:
		return bigKey(v.V.Text(62)), nil, nil
	case *Unknown:
		return nil, v, nil
	case *Tuple:
		if v.cls != nil {
			if _, k, ok := v.cls.find("__hash__"); ok && k.python {
				return ev.hashCall(v, v.cls)
			}
		}
		if ev.cmpDepth > 100 {
			return nil, NewUnknown(ev.Pos(), "a tuple that is nested too deeply"), nil
		}
		ev.cmpDepth++
		defer func() { ev.cmpDepth-- }()
		if err := ev.work(len(v.Items) / 4); err != nil {
			return nil, nil, err
		}
		var b strings.Builder
		for _, x := range v.Items {
			h, u, err := ev.hash(x)
			if err != nil || u != nil {
				return nil, u, err
			}
			writeKey(&b, h)
		}
		return tupleKey(b.String()), nil, nil
	case *Set:
		if !v.Frozen {
			return nil, nil, ev.Raisef("TypeError", "unhashable type: 'set'")
		}
		if v.taint != nil {
			return nil, v.taint, nil
		}
		var keys []string
		for _, e := range v.entries {
			if e.key != nil {
				var b strings.Builder
				writeKey(&b, e.hash)
				keys = append(keys, b.String())
			}
		}
		slices.Sort(keys)
		return setKey(strings.Join(keys, "")), nil, nil
	case *dictView:
		if v.kind != viewValues {
			return nil, nil, ev.Raisef("TypeError", "unhashable type: '%s'", v.TypeName())
		}
	case *List, *Dict, *Slice, *bytearray:
		return nil, nil, ev.Raisef("TypeError", "unhashable type: '%s'", v.TypeName())
	case *Range:
		return *v, nil, nil
	case *BoundMethod:
		a, u, err := ev.hash(v.Fn)
		if err != nil || u != nil {
			return nil, u, err
		}
		return [2]any{a, v.Self}, nil, nil
	case *Instance:
		if v.Cls.data != nil && v.Cls.data.eq {
			if !v.Cls.data.frozen && !v.Cls.data.unsafeHash {
				if _, ok := v.Cls.Attrs.Load("__hash__"); !ok {
					return nil, nil, ev.Raisef("TypeError", "unhashable type: '%s'", v.Cls.Name)
				}
			} else {
				return ev.hashFields(v)
			}
		}
		if h, k, ok := v.Cls.find("__hash__"); ok && k.python {
			if h == None {
				return nil, nil, ev.Raisef("TypeError", "unhashable type: '%s'", v.Cls.Name)
			}
			return ev.hashCall(v, v.Cls)
		}
		if _, k, ok := v.Cls.find("__eq__"); ok && k.python {
			return nil, nil, ev.Raisef("TypeError", "unhashable type: '%s'", v.Cls.Name)
		}
		if h, ok := nativeHash(v); ok {
			return h, nil, nil
		}
		return v, nil, nil
	}
	return v, nil, nil
}

// hashFields hashes a frozen dataclass.
func (ev *Eval) hashFields(v *Instance) (any, *Unknown, error) {
	items := make([]Value, 0, len(v.Cls.fields))
	for _, f := range v.Cls.fields {
		x, _ := v.Attrs.Load(f.name)
		if x == nil {
			x = None
		}
		items = append(items, x)
	}
	h, u, err := ev.hash(&Tuple{Items: items})
	if u != nil || err != nil {
		return nil, u, err
	}
	return hashKey{v.Cls, h}, nil, nil
}

// hashCall uses __hash__. Instances of one class with equal hashes are taken for equal.
func (ev *Eval) hashCall(v Value, cls *Class) (any, *Unknown, error) {
	r, err := ev.callMethod(v, "__hash__")
	if err != nil {
		return nil, nil, err
	}
	if u, ok := r.(*Unknown); ok {
		return nil, u, nil
	}
	h, u, err := ev.hash(r)
	if u != nil || err != nil {
		return nil, u, err
	}
	return hashKey{cls, h}, nil, nil
}

// writeKey appends a text that is the same exactly for equal keys.
func writeKey(b *strings.Builder, h any) {
	part := func(tag byte, s string) {
		b.WriteByte(tag)
		b.WriteString(strconv.Itoa(len(s)))
		b.WriteByte(':')
		b.WriteString(s)
	}
	switch h := h.(type) {
	case Str:
		part('s', string(h))
	case Bytes:
		part('b', string(h))
	case Int:
		part('i', strconv.FormatInt(int64(h), 10))
	case Float:
		part('f', strconv.FormatFloat(float64(h), 'g', -1, 64))
	case bigKey:
		part('B', string(h))
	case tupleKey:
		part('t', string(h))
	case setKey:
		part('S', string(h))
	case noneKey:
		b.WriteByte('n')
	case hashKey:
		fmt.Fprintf(b, "h%p", h.cls)
		writeKey(b, h.hash)
	case Range:
		fmt.Fprintf(b, "r%d,%d,%d;", h.Start, h.Stop, h.Step)
	case [2]any:
		b.WriteByte('m')
		writeKey(b, h[0])
		fmt.Fprintf(b, "%p", h[1])
	default:
		fmt.Fprintf(b, "p%T%p;", h, h)
	}
}
