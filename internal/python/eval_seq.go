package python

import (
	"slices"
	"strings"
)

type (
	// iterator gives the items of an iteration. When next gives false, taint tells whether more items may follow.
	iterator interface {
		next(ev *Eval) (Value, bool, error)
		taint() *Unknown
	}
	// iterValue is an iterator as a value.
	iterValue struct {
		it   iterator
		name string
	}
	viewKind uint8
	// dictView is d.keys(), d.values() or d.items().
	dictView struct {
		d    *Dict
		kind viewKind
	}
	// union is int | None.
	union struct{ items []Value }
	// bytearray is a bytearray.
	bytearray struct{ b []byte }
)

const (
	viewKeys viewKind = iota
	viewValues
	viewItems
)

func (v *iterValue) TypeName() string {
	if v.name != "" {
		return v.name
	}
	return "iterator"
}
func (v *iterValue) next(ev *Eval) (Value, bool, error) { return v.it.next(ev) }
func (v *iterValue) taint() *Unknown                    { return v.it.taint() }
func (v *dictView) TypeName() string {
	return [...]string{"dict_keys", "dict_values", "dict_items"}[v.kind]
}
func (*union) TypeName() string     { return "types.UnionType" }
func (*bytearray) TypeName() string { return "bytearray" }

// Save implements Mutable.
func (b *bytearray) Save() any { return slices.Clone(b.b) }

// Restore implements Mutable.
func (b *bytearray) Restore(s any) { b.b = slices.Clone(s.([]byte)) }

type (
	sliceIter struct {
		items []Value
		i     int
		u     *Unknown
		epoch uint32
	}
	listIter struct {
		l     *List
		u     *Unknown
		i     int
		epoch uint32
	}
	tableIter struct {
		t     *table
		kind  viewKind
		i     int
		live  int
		u     *Unknown
		epoch uint32
	}
	rangeIter struct {
		u     *Unknown
		r     *Range
		i, n  int
		epoch uint32
	}
	strIter struct {
		u     *Unknown
		s     string
		i     int
		epoch uint32
	}
	unknownIter struct{ u *Unknown }
	// iterState is what changes of an iterator that is computed: what each field means is up to the function.
	iterState struct {
		u     *Unknown // why it may have other items
		ended bool
		n     int64
		v     Value
		cur   iterator
		epoch uint32
	}
	// funcIter is an iterator of which a function makes the items. Whatever the function changes between two calls is
	// in the iterState.
	funcIter struct {
		iterState
		f func(ev *Eval, it *funcIter) (Value, bool, error)
	}
	pyIter struct {
		next_ Value
		u     *Unknown
	}
	indexIter struct {
		v     Value
		i     int64
		u     *Unknown
		epoch uint32
	}
)

// The position of an iterator is state: it is saved as a number. If it differs between two branches, what the iterator
// yields afterwards is not known.

func (it *sliceIter) Merge(ev *Eval, before, a, b any, why *Unknown) {
	if a != b {
		it.u = taintOf(why, it.u, ev.mayAct(&Tuple{Items: it.items}))
		it.i = len(it.items)
	}
}

func (it *listIter) Merge(ev *Eval, before, a, b any, why *Unknown) {
	if a != b {
		it.u = taintOf(why, it.u, ev.mayAct(it.l))
	}
}

func (it *tableIter) Merge(ev *Eval, before, a, b any, why *Unknown) {
	if a != b {
		it.u = taintOf(why, it.u, ev.anyActs(it.t.entries))
	}
}

func (it *rangeIter) Merge(ev *Eval, before, a, b any, why *Unknown) {
	if a != b {
		it.u, it.i = taintOf(why, it.u, false), it.n
	}
}

func (it *strIter) Merge(ev *Eval, before, a, b any, why *Unknown) {
	if a != b {
		it.u, it.i = taintOf(why, it.u, false), len(it.s)
	}
}

func (it *indexIter) Merge(ev *Eval, before, a, b any, why *Unknown) {
	if a != b {
		it.u = taintOf(why, it.u, ev.mayAct(it.v))
	}
}

func (s *iterState) Merge(ev *Eval, before, a, b any, why *Unknown) {
	x, y := a.(iterState), b.(iterState)
	if x.ended == y.ended && x.n == y.n && x.cur == y.cur && x.u == y.u && (x.v == nil) == (y.v == nil) && (x.v == nil || ev.sameValue(x.v, y.v, 0)) {
		return
	}
	// What the function gives is not looked into: it may be anything.
	s.u, s.ended = taintOf(why, s.u, true), true
}

// keep tells whether a filter keeps an item, by what its test gave.
func (s *iterState) keep(ev *Eval, test, item Value) (bool, error) {
	t, u, err := ev.Truth(test)
	if u == nil || err != nil {
		return t, err
	}
	s.u = taintOf(u, s.u, ev.mayAct(item))
	if u.Data && u.Empty != nil {
		if t, eu, err := ev.Truth(u.Empty); eu == nil {
			return t, err
		}
	}
	if s.u.Data {
		// Not even the items without rows are known.
		s.u = &Unknown{Pos: s.u.Pos, Why: s.u.Why, Acts: s.u.Acts}
	}
	return false, nil
}

func (s *iterState) Save() any         { return *s }
func (s *iterState) setEpoch(e uint32) { s.epoch = e }
func (s *iterState) taint() *Unknown   { return s.u }

func (it *indexIter) Save() any         { return it.i }
func (it *indexIter) Restore(s any)     { it.i = s.(int64) }
func (it *indexIter) setEpoch(e uint32) { it.epoch = e }
func (it *sliceIter) Save() any         { return it.i }
func (it *sliceIter) Restore(s any)     { it.i = s.(int) }
func (it *sliceIter) setEpoch(e uint32) { it.epoch = e }
func (it *listIter) Save() any          { return it.i }
func (it *listIter) Restore(s any)      { it.i = s.(int) }
func (it *listIter) setEpoch(e uint32)  { it.epoch = e }
func (it *tableIter) Save() any         { return it.i }
func (it *tableIter) Restore(s any)     { it.i = s.(int) }
func (it *tableIter) setEpoch(e uint32) { it.epoch = e }
func (it *rangeIter) Save() any         { return it.i }
func (it *rangeIter) Restore(s any)     { it.i = s.(int) }
func (it *rangeIter) setEpoch(e uint32) { it.epoch = e }
func (it *strIter) Save() any           { return it.i }
func (it *strIter) Restore(s any)       { it.i = s.(int) }
func (it *strIter) setEpoch(e uint32)   { it.epoch = e }

func (it *sliceIter) next(ev *Eval) (Value, bool, error) {
	if it.i >= len(it.items) {
		return nil, false, nil
	}
	if it.epoch != ev.epoch {
		ev.Touch(it)
	}
	it.i++
	return it.items[it.i-1], true, nil
}
func (it *sliceIter) taint() *Unknown { return it.u }

func (it *listIter) next(ev *Eval) (Value, bool, error) {
	if it.i >= len(it.l.Items) || it.u != nil {
		return nil, false, nil
	}
	if it.epoch != ev.epoch {
		ev.Touch(it)
	}
	it.i++
	return it.l.Items[it.i-1], true, nil
}
func (it *listIter) taint() *Unknown {
	if it.u != nil {
		return it.u
	}
	return it.l.taint
}

func (it *tableIter) next(ev *Eval) (Value, bool, error) {
	if it.u != nil {
		return nil, false, nil
	}
	if it.t.live != it.live {
		return nil, false, ev.Raisef("RuntimeError", "dictionary changed size during iteration")
	}
	if it.epoch != ev.epoch {
		ev.Touch(it)
	}
	for it.i < len(it.t.entries) {
		e := &it.t.entries[it.i]
		it.i++
		if e.key == nil {
			continue
		}
		switch it.kind {
		case viewKeys:
			return e.key, true, nil
		case viewValues:
			return e.val, true, nil
		}
		return &Tuple{Items: []Value{e.key, e.val}}, true, nil
	}
	return nil, false, nil
}
func (it *tableIter) taint() *Unknown {
	if it.u != nil {
		return it.u
	}
	return it.t.taint
}

func (it *rangeIter) next(ev *Eval) (Value, bool, error) {
	if it.i >= it.n {
		return nil, false, nil
	}
	if it.epoch != ev.epoch {
		ev.Touch(it)
	}
	it.i++
	return Int(it.r.Start + int64(it.i-1)*it.r.Step), true, nil
}
func (it *rangeIter) taint() *Unknown { return it.u }

func (it *strIter) next(ev *Eval) (Value, bool, error) {
	if it.i >= len(it.s) {
		return nil, false, nil
	}
	if it.epoch != ev.epoch {
		ev.Touch(it)
	}
	n := runeLen(it.s[it.i:])
	it.i += n
	return Str(it.s[it.i-n : it.i]), true, nil
}
func (it *strIter) taint() *Unknown { return it.u }

func (it *unknownIter) next(*Eval) (Value, bool, error) { return nil, false, nil }
func (it *unknownIter) taint() *Unknown                 { return it.u }

// Restore implements Mutable.
func (it *funcIter) Restore(s any) { it.iterState = s.(iterState) }

func (it *funcIter) next(ev *Eval) (Value, bool, error) {
	if it.ended {
		return nil, false, nil
	}
	if it.epoch != ev.epoch {
		ev.Touch(it)
	}
	v, ok, err := it.f(ev, it)
	if !ok && err == nil {
		it.ended = true
	}
	return v, ok, err
}

func (it *pyIter) next(ev *Eval) (Value, bool, error) {
	if it.u != nil {
		return nil, false, nil
	}
	v, u, err := ev.catching(exceptionClass("StopIteration"), func() (Value, error) { return ev.call(it.next_, NewCall(ev.Pos(), nil)) })
	if u != nil && err == nil {
		it.u = &Unknown{Pos: u.Pos, Why: u.Why, Acts: true}
		return nil, false, nil
	}
	if err != nil {
		if r, ok := err.(*Raise); ok && r.Exc.Cls == exceptionClass("StopIteration") {
			return nil, false, nil
		}
		return nil, false, err
	}
	return v, true, nil
}
func (it *pyIter) taint() *Unknown { return it.u }

func (it *indexIter) next(ev *Eval) (Value, bool, error) {
	if it.u != nil {
		return nil, false, nil
	}
	if it.epoch != ev.epoch {
		ev.Touch(it)
	}
	v, u, err := ev.catching(exceptionClass("LookupError"), func() (Value, error) { return ev.index(it.v, Int(it.i)) })
	if u != nil && err == nil {
		it.u = &Unknown{Pos: u.Pos, Why: u.Why, Acts: true}
		return nil, false, nil
	}
	if err != nil {
		if r, ok := err.(*Raise); ok && (r.Exc.Cls == exceptionClass("IndexError") || r.Exc.Cls == exceptionClass("StopIteration")) {
			return nil, false, nil
		}
		return nil, false, err
	}
	if u, ok := v.(*Unknown); ok {
		it.u = u
		return nil, false, nil
	}
	it.i++
	return v, true, nil
}
func (it *indexIter) taint() *Unknown { return it.u }

// iter is iter(v).
func (ev *Eval) iter(v Value) (iterator, error) {
	switch x := v.(type) {
	case *List:
		if x.taint != nil && !x.taint.Data {
			return &unknownIter{x.taint}, nil
		}
		return &listIter{l: x, epoch: ev.epoch}, nil
	case *Tuple:
		return &sliceIter{items: x.Items, epoch: ev.epoch}, nil
	case *Dict:
		if x.cls == nil || !x.cls.python {
			return ev.tableIter(&x.table, viewKeys), nil
		}
		if _, k, ok := x.cls.find("__iter__"); !ok || !k.python {
			return ev.tableIter(&x.table, viewKeys), nil
		}
	case *dictView:
		return ev.tableIter(&x.d.table, x.kind), nil
	case *Set:
		if x.taint != nil && !x.taint.Data {
			return &unknownIter{x.taint}, nil
		}
		if err := ev.work(x.live); err != nil {
			return nil, err
		}
		return &sliceIter{items: ev.sortedSet(x), u: x.taint, epoch: ev.epoch}, nil
	case *Range:
		return &rangeIter{r: x, n: x.Len(), epoch: ev.epoch}, nil
	case Str:
		return &strIter{s: string(x), epoch: ev.epoch}, nil
	case Bytes:
		items := make([]Value, len(x))
		for i := range items {
			items[i] = Int(x[i])
		}
		return &sliceIter{items: items, epoch: ev.epoch}, nil
	case *bytearray:
		return ev.iter(Bytes(x.b))
	case *Unknown:
		if x.Data && x.Empty != nil {
			it, err := ev.iter(x.Empty)
			if err == nil {
				var items []Value
				for {
					y, ok, err := it.next(ev)
					if err != nil || !ok {
						break
					}
					items = append(items, y)
				}
				return &sliceIter{items: items, u: x.derive(), epoch: ev.epoch}, nil
			}
		}
		return &unknownIter{x.derive()}, nil
	case *Generator:
		return x, nil
	case *iterValue:
		return x, nil
	case *Class:
		if x.enum != nil {
			return &sliceIter{items: x.enum.unique(), epoch: ev.epoch}, nil
		}
	}
	if m, ok := ev.special(v, "__iter__"); ok {
		r, err := ev.call(m, NewCall(ev.Pos(), nil))
		if err != nil {
			return nil, err
		}
		switch x := r.(type) {
		case *Generator:
			return x, nil
		case *iterValue:
			return x, nil
		case *Unknown:
			return ev.iter(x)
		}
		next, ok := ev.special(r, "__next__")
		if !ok {
			next, ok = ev.special(r, "next")
		}
		if ok {
			return &pyIter{next_: next}, nil
		}
		return nil, ev.Raisef("TypeError", "iter() returned non-iterator of type '%s'", r.TypeName())
	}
	if x, ok := v.(Iterable); ok {
		items, u, err := x.Iterate(ev)
		if err != nil {
			return nil, err
		}
		return &sliceIter{items: items, u: u, epoch: ev.epoch}, nil
	}
	if b := unbase(v); b != v {
		return ev.iter(b)
	}
	if _, ok := ev.special(v, "__getitem__"); ok {
		return &indexIter{v: v}, nil
	}
	if u := partialOf(v); u != nil {
		return &unknownIter{u.derive()}, nil
	}
	return nil, ev.Raisef("TypeError", "'%s' object is not iterable", v.TypeName())
}

func (ev *Eval) tableIter(t *table, kind viewKind) iterator {
	if t.taint != nil && !t.taint.Data {
		return &unknownIter{t.taint}
	}
	return &tableIter{t: t, kind: kind, live: t.live, epoch: ev.epoch}
}

// sortedSet gives the elements in an order that does not depend on anything but them: numbers, then strings, then the
// rest in the order of insertion.
func (ev *Eval) sortedSet(s *Set) []Value {
	if s.live > 1 && ev.setOrder == (Pos{}) {
		ev.setOrder = ev.Pos()
	}
	items := s.keys()
	rank := func(v Value) int {
		switch v.(type) {
		case Int, Float, Bool, *BigInt:
			return 0
		case Str:
			return 1
		case *Tuple:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(items, func(a, b Value) int {
		ra, rb := rank(a), rank(b)
		if ra != rb {
			return ra - rb
		}
		switch ra {
		case 0:
			fa, _ := floatOf(a)
			fb, _ := floatOf(b)
			switch {
			case fa < fb:
				return -1
			case fa > fb:
				return 1
			}
		case 1:
			return strings.Compare(string(a.(Str)), string(b.(Str)))
		case 2:
			return strings.Compare(simpleTuple(a.(*Tuple)), simpleTuple(b.(*Tuple)))
		}
		return 0
	})
	return items
}

func simpleTuple(t *Tuple) string {
	var b strings.Builder
	for _, x := range t.Items {
		b.WriteString(simpleRepr(x))
		b.WriteByte(',')
	}
	return b.String()
}

// list gives all items of an iterable, and the reason if there may be others.
func (ev *Eval) list(v Value) ([]Value, *Unknown, error) {
	switch x := v.(type) {
	case *List:
		if x.taint != nil && !x.taint.Data {
			return nil, x.taint, nil
		}
		return slices.Clone(x.Items), x.taint, ev.size(len(x.Items))
	case *Tuple:
		if x.cls == nil {
			return x.Items, nil, nil
		}
	case *Range:
		n := x.Len()
		if err := ev.size(n); err != nil {
			return nil, nil, err
		}
		out := make([]Value, n)
		for i := range out {
			out[i] = Int(x.Start + int64(i)*x.Step)
		}
		return out, nil, nil
	}
	it, err := ev.iter(v)
	if err != nil {
		return nil, nil, err
	}
	var out []Value
	for {
		x, ok, err := it.next(ev)
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			return out, it.taint(), nil
		}
		if err := ev.work(1); err != nil {
			return nil, nil, err
		}
		if len(out) >= ev.budget.Object {
			return nil, nil, ev.abort("a container of %d items", len(out))
		}
		if err := ev.alloc(16); err != nil {
			return nil, nil, err
		}
		out = append(out, x)
	}
}

// extend is l.extend(v).
func (ev *Eval) extend(l *List, v Value) error {
	items, u, err := ev.list(v)
	if err != nil {
		return err
	}
	if err := ev.size(len(l.Items) + len(items) - len(l.Items)); err != nil {
		return err
	}
	if len(l.Items)+len(items) > ev.budget.Object {
		return ev.abort("a container of %d items", len(l.Items)+len(items))
	}
	if l.epoch != ev.epoch {
		ev.Touch(l)
	}
	l.Items = append(l.Items, items...)
	if u != nil {
		l.taint = taintOf(u, l.taint, false)
		if !l.taint.Data {
			l.taint = taintOf(u, l.taint, ev.mayAct(&Tuple{Items: l.Items}))
			l.Items = nil
		}
	}
	return nil
}

// dictUpdate is d.update(v).
func (ev *Eval) dictUpdate(d *Dict, v Value) error {
	ev.Touch(d)
	switch x := v.(type) {
	case *Unknown:
		if x.Data && x.Empty != nil {
			if err := ev.dictUpdate(d, x.Empty); err != nil {
				return err
			}
		}
		d.taint = taintOf(x, d.taint, x.Acts)
		return nil
	case *Dict:
		if err := ev.size(x.live); err != nil {
			return err
		}
		for _, e := range x.entries {
			if e.key != nil {
				d.put(e.hash, e.key, e.val)
			}
		}
		if x.taint != nil {
			d.taint = taintOf(x.taint, d.taint, x.taint.Acts)
		}
		return nil
	}
	if keys, err := ev.lookup(v, "keys"); err == nil && keys != nil {
		ks, err := ev.call(keys, NewCall(ev.Pos(), nil))
		if err != nil {
			return err
		}
		items, u, err := ev.list(ks)
		if err != nil {
			return err
		}
		for _, k := range items {
			x, err := ev.index(v, k)
			if err != nil {
				return err
			}
			if err := d.Store(ev, k, x); err != nil {
				return err
			}
		}
		if u != nil {
			d.taint = taintOf(u, d.taint, u.Acts)
		}
		return nil
	}
	it, err := ev.iter(v)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		x, ok, err := it.next(ev)
		if err != nil {
			return err
		}
		if !ok {
			if u := it.taint(); u != nil {
				d.taint = taintOf(u, d.taint, u.Acts)
			}
			return nil
		}
		if err := ev.step(); err != nil {
			return err
		}
		if u, ok := x.(*Unknown); ok {
			d.taint = taintOf(u, d.taint, u.Acts)
			continue
		}
		pair, u, err := ev.list(x)
		if err != nil {
			if _, ok := err.(*Raise); ok {
				return ev.Raisef("TypeError", "cannot convert dictionary update sequence element #%d to a sequence", i)
			}
			return err
		}
		if u != nil {
			d.taint = taintOf(u, d.taint, u.Acts)
			continue
		}
		if len(pair) != 2 {
			return ev.Raisef("ValueError", "dictionary update sequence element #%d has length %d; 2 is required", i, len(pair))
		}
		if err := d.Store(ev, pair[0], pair[1]); err != nil {
			return err
		}
	}
}

// dictInit is dict.__init__.
func (ev *Eval) dictInit(d *Dict, call *Call) error {
	if len(call.Args) > 1 {
		return ev.Raisef("TypeError", "dict expected at most 1 argument, got %d", len(call.Args))
	}
	if len(call.Args) == 1 {
		if err := ev.dictUpdate(d, call.Args[0]); err != nil {
			return err
		}
	}
	for _, k := range call.Kw {
		if err := d.Store(ev, Str(k.Name), k.Value); err != nil {
			return err
		}
	}
	if call.Splat != nil {
		d.taint = taintOf(call.Splat, d.taint, call.Splat.Acts)
	}
	return nil
}

// indices gives the bounds of a slice for a length: start, stop, step, as slice.indices does.
func (ev *Eval) indices(s *Slice, n int) (start, stop, step int, u *Unknown, err error) {
	get := func(v Value, def int64) int64 {
		if v == None || err != nil || u != nil {
			return def
		}
		switch x := v.(type) {
		case *Unknown:
			u = x.derive()
			return def
		case *BigInt:
			if x.V.Sign() < 0 {
				return -1 << 62
			}
			return 1 << 62
		}
		i, ok := intOf(v)
		if !ok {
			if m, has := ev.special(v, "__index__"); has {
				r, e := ev.call(m, NewCall(ev.Pos(), nil))
				if e != nil {
					err = e
					return def
				}
				i, ok = intOf(r)
			}
		}
		if !ok {
			err = ev.Raisef("TypeError", "slice indices must be integers or None or have an __index__ method")
		}
		return i
	}
	st := get(s.Step, 1)
	if err != nil || u != nil {
		return
	}
	if st == 0 {
		err = ev.Raisef("ValueError", "slice step cannot be zero")
		return
	}
	st = max(min(st, 1<<40), -1<<40)
	lo, hi := int64(0), int64(n)
	ds, de := lo, hi
	if st < 0 {
		ds, de = hi-1, -1
		lo, hi = -1, hi-1
	}
	clamp := func(v Value, def int64) int64 {
		if v == None {
			return def
		}
		i := get(v, def)
		if i < 0 {
			i += int64(n)
		}
		return max(lo, min(i, hi))
	}
	a, b := clamp(s.Lower, ds), clamp(s.Upper, de)
	return int(a), int(b), int(st), u, err
}

func sliceCount(start, stop, step int) int {
	switch {
	case step > 0 && start < stop:
		return (stop-start-1)/step + 1
	case step < 0 && start > stop:
		return (start-stop-1)/(-step) + 1
	}
	return 0
}

// index is v[key].
func (ev *Eval) index(v, key Value) (Value, error) {
	switch x := v.(type) {
	case *Unknown:
		if x.Data && x.Empty != nil {
			out := x.derive()
			if k, ok := emptyOf(key); ok {
				if r, err := ev.index(x.Empty, k); err == nil && !isUnknown(r) {
					return &Unknown{Pos: x.Pos, Why: x.Why, Data: true, Empty: r}, nil
				}
			}
			return out, nil
		}
		return x.derive(), nil
	case *Dict:
		if x.cls != nil && x.cls.python {
			if m, k, ok := x.cls.find("__getitem__"); ok && k.python {
				return ev.call(m, NewCall(ev.Pos(), []Value{v, key}))
			}
		}
		h, u, err := ev.hash(unbase(key))
		if err != nil {
			return nil, err
		}
		if u != nil {
			if x.live == 1 && x.taint == nil && x.factory == nil {
				// Whatever the key is, there is only one value; another key would raise.
				for _, e := range x.entries {
					if e.key != nil {
						return &Unknown{Pos: u.Pos, Why: u.Why, Data: u.Data, Acts: u.Acts || ev.mayAct(e.val)}, nil
					}
				}
			}
			out := u.derive()
			if ev.anyActs(x.entries) || x.taint != nil && x.taint.Acts {
				out = &Unknown{Pos: u.Pos, Why: u.Why, Data: u.Data, Acts: true}
			}
			return out, nil
		}
		if i := x.find(h); i >= 0 {
			if x.taint != nil && !x.taint.Data {
				return x.taint.derive(), nil
			}
			return x.entries[i].val, nil
		}
		if x.taint != nil {
			return x.taint.derive(), nil
		}
		if x.factory != nil && x.factory != None {
			d, err := ev.call(x.factory, NewCall(ev.Pos(), nil))
			if err != nil {
				return nil, err
			}
			return d, x.Store(ev, key, d)
		}
		if x.cls == counterClass {
			return Int(0), nil
		}
		if m, ok := ev.special(v, "__missing__"); ok {
			return ev.call(m, NewCall(ev.Pos(), []Value{key}))
		}
		return nil, ev.Raise(exceptionClass("KeyError"), key)
	case *List, *Tuple, *Range, Str, Bytes, *bytearray:
		if t, ok := v.(*Tuple); ok && t.cls != nil {
			if m, k, ok := t.cls.find("__getitem__"); ok && k.python {
				return ev.call(m, NewCall(ev.Pos(), []Value{v, key}))
			}
		}
		return ev.seqIndex(v, key)
	case *Class:
		return ev.classIndex(x, key)
	}
	if m, ok := ev.special(v, "__getitem__"); ok {
		return ev.call(m, NewCall(ev.Pos(), []Value{key}))
	}
	if x, ok := v.(Indexer); ok {
		return x.Index(ev, key)
	}
	if b := unbase(v); b != v {
		return ev.index(b, key)
	}
	if u := partialOf(v); u != nil {
		return u.derive(), nil
	}
	return nil, ev.Raisef("TypeError", "'%s' object is not subscriptable", v.TypeName())
}

// classIndex is cls[key]: a member of an enum, a generic alias, or __class_getitem__.
func (ev *Eval) classIndex(c *Class, key Value) (Value, error) {
	if c.enum != nil {
		if u, ok := key.(*Unknown); ok {
			return u.derive(), nil
		}
		if s, ok := key.(Str); ok {
			if m, ok := c.enum.byName[string(s)]; ok {
				return m, nil
			}
		}
		return nil, ev.Raise(exceptionClass("KeyError"), key)
	}
	if m, ok := c.Lookup("__class_getitem__"); ok {
		if cm, ok := m.(*classMethod); ok {
			m = cm.fn
		}
		return ev.call(m, NewCall(ev.Pos(), []Value{c, key}))
	}
	return c, nil // list[int] behaves as list
}

func (ev *Eval) seqIndex(v, key Value) (Value, error) {
	var items []Value
	var n int
	var str []string
	ascii := false
	switch x := v.(type) {
	case *List:
		items, n = x.Items, len(x.Items)
		if x.taint != nil {
			if !x.taint.Data {
				return x.taint.derive(), nil
			}
			r, err := ev.seqIndex(&Tuple{Items: x.Items}, key)
			if err != nil {
				return x.taint.derive(), nil
			}
			if t, ok := r.(*Tuple); ok {
				r = &List{Items: t.Items}
			}
			return &Unknown{Pos: x.taint.Pos, Why: x.taint.Why, Data: true, Acts: x.taint.Acts, Empty: r}, nil
		}
	case *Tuple:
		items, n = x.Items, len(x.Items)
	case *Range:
		n = x.Len()
	case Str:
		if ascii = isASCII(string(x)); ascii {
			n = len(x)
		} else {
			str = runes(string(x))
			n = len(str)
		}
		if err := ev.work(n >> 6); err != nil {
			return nil, err
		}
	case Bytes:
		n = len(x)
	case *bytearray:
		n = len(x.b)
	}
	if s, ok := key.(*Slice); ok {
		start, stop, step, u, err := ev.indices(s, n)
		if err != nil {
			return nil, err
		}
		if u != nil {
			if _, ok := v.(*List); ok {
				return &List{taint: u}, nil
			}
			return u, nil
		}
		count := sliceCount(start, stop, step)
		switch x := v.(type) {
		case *Range:
			return &Range{x.Start + int64(start)*x.Step, x.Start + int64(stop)*x.Step, x.Step * int64(step)}, nil
		case Str:
			if ascii {
				if step == 1 {
					if count == 0 {
						return Str(""), nil
					}
					return x[start:stop], nil
				}
				var b strings.Builder
				for i, j := 0, start; i < count; i, j = i+1, j+step {
					b.WriteByte(x[j])
				}
				return Str(b.String()), ev.alloc(count)
			}
			var b strings.Builder
			for i, j := 0, start; i < count; i, j = i+1, j+step {
				b.WriteString(str[j])
			}
			return Str(b.String()), ev.alloc(b.Len())
		case Bytes:
			out := make([]byte, 0, count)
			for i, j := 0, start; i < count; i, j = i+1, j+step {
				out = append(out, x[j])
			}
			return Bytes(out), ev.alloc(count)
		case *bytearray:
			out := make([]byte, 0, count)
			for i, j := 0, start; i < count; i, j = i+1, j+step {
				out = append(out, x.b[j])
			}
			return &bytearray{out}, ev.alloc(count)
		}
		if err := ev.size(count); err != nil {
			return nil, err
		}
		out := make([]Value, 0, count)
		for i, j := 0, start; i < count; i, j = i+1, j+step {
			out = append(out, items[j])
		}
		if _, ok := v.(*Tuple); ok {
			return &Tuple{Items: out}, nil
		}
		return &List{Items: out, epoch: ev.epoch}, nil
	}
	i, ok := intOf(key)
	if !ok {
		if u, isU := key.(*Unknown); isU {
			acts := u.Acts
			if items != nil {
				acts = acts || ev.mayAct(&Tuple{Items: items})
			}
			if n == 1 && items != nil {
				return items[0], nil // any other index would raise
			}
			return &Unknown{Pos: u.Pos, Why: u.Why, Data: u.Data, Acts: acts}, nil
		}
		if m, has := ev.special(key, "__index__"); has {
			r, err := ev.call(m, NewCall(ev.Pos(), nil))
			if err != nil {
				return nil, err
			}
			return ev.seqIndex(v, r)
		}
		if _, big := key.(*BigInt); big {
			return nil, ev.Raisef("IndexError", "cannot fit 'int' into an index-sized integer")
		}
		name := v.TypeName()
		switch v.(type) {
		case Str:
			return nil, ev.Raisef("TypeError", "string indices must be integers, not '%s'", key.TypeName())
		case Bytes:
			name = "byte"
		}
		return nil, ev.Raisef("TypeError", "%s indices must be integers or slices, not %s", name, key.TypeName())
	}
	if i < 0 {
		i += int64(n)
	}
	if i < 0 || i >= int64(n) {
		switch v.(type) {
		case *List:
			return nil, ev.Raisef("IndexError", "list index out of range")
		case *Tuple:
			return nil, ev.Raisef("IndexError", "tuple index out of range")
		case Str:
			return nil, ev.Raisef("IndexError", "string index out of range")
		case *Range:
			return nil, ev.Raisef("IndexError", "range object index out of range")
		}
		return nil, ev.Raisef("IndexError", "index out of range")
	}
	switch x := v.(type) {
	case *Range:
		return Int(x.Start + i*x.Step), nil
	case Str:
		if ascii {
			return x[i : i+1], nil
		}
		return Str(str[i]), nil
	case Bytes:
		return Int(x[i]), nil
	case *bytearray:
		return Int(x.b[i]), nil
	}
	return items[i], nil
}

// setIndex is v[key] = x, or del v[key] if x is nil.
func (ev *Eval) setIndex(v, key, x Value) error {
	switch d := v.(type) {
	case *Unknown:
		return nil
	case *Dict:
		if d.cls != nil && d.cls.python {
			name := "__setitem__"
			args := []Value{v, key, x}
			if x == nil {
				name, args = "__delitem__", args[:2]
			}
			if m, k, ok := d.cls.find(name); ok && k.python {
				_, err := ev.call(m, NewCall(ev.Pos(), args))
				return err
			}
		}
		if b := unbase(key); b != key {
			key = b
		}
		if x != nil {
			return d.Store(ev, key, x)
		}
		h, u, err := ev.hash(key)
		if err != nil {
			return err
		}
		ev.Touch(d)
		if u != nil {
			d.taint = taintOf(u, d.taint, ev.anyActs(d.entries))
			return nil
		}
		if _, ok := d.remove(h); !ok && d.taint == nil {
			return ev.Raise(exceptionClass("KeyError"), key)
		}
		return nil
	case *List:
		return ev.listSet(d, key, x)
	case *bytearray:
		if i, ok := intOf(key); ok {
			if b, ok := intOf(x); ok && i < int64(len(d.b)) && i >= 0 && b >= 0 && b < 256 {
				ev.Touch(d)
				d.b[i] = byte(b)
				return nil
			}
		}
		return ev.Raisef("TypeError", "assignment to a bytearray is not modelled")
	}
	if x == nil {
		if m, ok := ev.special(v, "__delitem__"); ok {
			_, err := ev.call(m, NewCall(ev.Pos(), []Value{key}))
			return err
		}
	} else if m, ok := ev.special(v, "__setitem__"); ok {
		_, err := ev.call(m, NewCall(ev.Pos(), []Value{key, x}))
		return err
	}
	if s, ok := v.(IndexSetter); ok {
		return s.SetIndex(ev, key, x)
	}
	if b := unbase(v); b != v {
		return ev.setIndex(b, key, x)
	}
	if partialOf(v) != nil {
		return nil
	}
	verb := "assignment"
	if x == nil {
		verb = "deletion"
	}
	return ev.Raisef("TypeError", "'%s' object does not support item %s", v.TypeName(), verb)
}

func (ev *Eval) listSet(l *List, key, x Value) error {
	ev.Touch(l)
	if l.taint != nil && !l.taint.Data {
		if x != nil && ev.mayAct(x) {
			l.taint = taintOf(l.taint, l.taint, true)
		}
		return nil
	}
	if s, ok := key.(*Slice); ok {
		start, stop, step, u, err := ev.indices(s, len(l.Items))
		if err != nil {
			return err
		}
		var items []Value
		if x != nil {
			var iu *Unknown
			if items, iu, err = ev.list(x); err != nil {
				return err
			}
			if u == nil {
				u = iu
			}
		}
		if u != nil {
			l.taint = taintOf(u, l.taint, ev.mayAct(&Tuple{Items: append(items, l.Items...)}))
			if !l.taint.Data {
				l.Items = nil
			}
			return nil
		}
		if step == 1 {
			stop = max(stop, start)
			if err := ev.size(len(items)); err != nil {
				return err
			}
			l.Items = slices.Replace(l.Items, start, stop, items...)
			return nil
		}
		n := sliceCount(start, stop, step)
		if x == nil {
			gone := map[int]bool{}
			for i, j := 0, start; i < n; i, j = i+1, j+step {
				gone[j] = true
			}
			out := make([]Value, 0, len(l.Items))
			for i, v := range l.Items {
				if !gone[i] {
					out = append(out, v)
				}
			}
			l.Items = out
			return nil
		}
		if len(items) != n {
			return ev.Raisef("ValueError", "attempt to assign sequence of size %d to extended slice of size %d", len(items), n)
		}
		for i, j := 0, start; i < n; i, j = i+1, j+step {
			l.Items[j] = items[i]
		}
		return nil
	}
	if u, ok := key.(*Unknown); ok {
		acts := ev.mayAct(&Tuple{Items: l.Items}) || x != nil && ev.mayAct(x)
		l.taint = taintOf(u, l.taint, acts)
		if !l.taint.Data {
			l.Items = nil
		}
		return nil
	}
	i, ok := intOf(key)
	if !ok {
		return ev.Raisef("TypeError", "list indices must be integers or slices, not %s", key.TypeName())
	}
	if i < 0 {
		i += int64(len(l.Items))
	}
	if i < 0 || i >= int64(len(l.Items)) {
		if l.taint != nil {
			return nil
		}
		if x == nil {
			return ev.Raisef("IndexError", "list assignment index out of range")
		}
		return ev.Raisef("IndexError", "list assignment index out of range")
	}
	if x == nil {
		l.Items = slices.Delete(l.Items, int(i), int(i)+1)
		return nil
	}
	l.Items[i] = x
	return nil
}
