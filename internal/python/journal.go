package python

import "reflect"

// The journal: how the evaluation tries both branches of a condition that is not known.
//
// Everything that changes (local variables, lists, dicts, attributes, native state) is a Mutable. While epoch is not 0,
// the first change of an object within an epoch puts its state before into the journal. So a branch can be undone, done
// again and compared with another.

// epocher is a Mutable that remembers the last epoch in which its state was saved.
type epocher interface{ setEpoch(uint32) }

type entry struct {
	obj   Mutable
	state any
}

// Touch must be called before each change of m. Outside of a speculative branch it does nothing.
func (ev *Eval) Touch(m Mutable) {
	if ev.firstTouch != nil {
		if _, ok := ev.firstTouch[m]; !ok {
			ev.firstTouch[m] = epochOf(m)
		}
	}
	if e, ok := m.(epocher); ok {
		e.setEpoch(ev.epoch)
	}
	if ev.epoch == 0 {
		return
	}
	if ev.touched[m] == ev.epoch {
		return // saved already
	}
	if ev.touched == nil {
		ev.touched = map[Mutable]uint32{}
	}
	ev.touched[m] = ev.epoch
	s := m.Save()
	ev.journal = append(ev.journal, entry{m, s})
	ev.alloc(64)
}

// epochOf gives the epoch in which m was made or touched last, 0 if it does not tell.
func epochOf(m Mutable) uint32 {
	switch m := m.(type) {
	case *frame:
		return m.epoch
	case *cell:
		return m.epoch
	case *List:
		return m.epoch
	case *Dict:
		return m.table.epoch
	case *Set:
		return m.table.epoch
	case *table:
		return m.epoch
	case *Namespace:
		return m.epoch
	}
	return 0
}

// delta is what a path changed: the objects in the order of their first change, with their state behind it.
type delta struct {
	objs   []Mutable
	states map[Mutable]any
}

func (d *delta) set(m Mutable, state any) {
	if d.states == nil {
		d.states = map[Mutable]any{}
	}
	if _, ok := d.states[m]; !ok {
		d.objs = append(d.objs, m)
	}
	d.states[m] = state
}

// over gives the changes of d and then those of e.
func (d *delta) over(e *delta) *delta {
	out := &delta{}
	for _, m := range d.objs {
		out.set(m, d.states[m])
	}
	for _, m := range e.objs {
		out.set(m, e.states[m])
	}
	return out
}

// outcome is how a path ended.
type outcome struct {
	ctl ctl
	val Value
	err error
}

// road is one way through the program that left the common road: what it changed and did since the mark, and how it ended.
type road struct {
	delta   *delta
	effects []Effect
	out     outcome
}

// pending is a path that ended early (by return, break, continue or raise) on a condition that is not known, while the
// evaluation goes on with the other path. It is joined where both meet again.
type pending struct {
	road
	mark, effMark int
	why           *Unknown
	pos           Pos
	fr            *frame
	empty         bool // the path is the one without rows
}

// newEpoch starts recording.
func (ev *Eval) newEpoch() {
	ev.epochs++
	ev.epoch = ev.epochs
}

// capture gives what has changed since the mark.
func (ev *Eval) capture(mark int) *delta {
	d := &delta{}
	for _, e := range ev.journal[mark:] {
		if _, ok := d.states[e.obj]; !ok {
			d.set(e.obj, e.obj.Save())
		}
	}
	return d
}

// undo puts everything back to what it was at the mark.
func (ev *Eval) undo(mark int) {
	for i := len(ev.journal) - 1; i >= mark; i-- {
		ev.journal[i].obj.Restore(ev.journal[i].state)
	}
	ev.journal = ev.journal[:mark]
	ev.newEpoch()
}

// apply does the changes of d again.
func (ev *Eval) apply(d *delta) {
	for _, m := range d.objs {
		ev.Touch(m)
		m.Restore(d.states[m])
	}
}

// flatten makes all pending paths from idx on start at the mark, so that they can be joined in any order.
func (ev *Eval) flatten(mark, effMark, idx int) {
	same := true
	for _, p := range ev.pending[idx:] {
		same = same && p.mark == mark && p.effMark == effMark
	}
	if same {
		return
	}
	n := len(ev.pending) - idx
	deltas := make([]*delta, n+1)
	effects := make([][]Effect, n+1)
	for j := n; j >= 0; j-- {
		m, e := mark, effMark
		if j > 0 {
			m, e = ev.pending[idx+j-1].mark, ev.pending[idx+j-1].effMark
		}
		deltas[j] = ev.capture(m)
		ev.undo(m)
		effects[j] = append([]Effect(nil), ev.effects[e:]...)
		ev.effects = ev.effects[:e]
	}
	acc := deltas[0]
	log := effects[0]
	for j := 0; j < n; j++ {
		p := ev.pending[idx+j]
		p.delta = acc.over(p.delta)
		p.effects = append(append([]Effect(nil), log...), p.effects...)
		p.mark, p.effMark = mark, effMark
		acc = acc.over(deltas[j+1])
		log = append(append([]Effect(nil), log...), effects[j+1]...)
	}
	ev.apply(acc)
	ev.effects = append(ev.effects, log...)
}

// detach takes the current path off the road: it is recorded and undone.
func (ev *Eval) detach(mark, effMark int, out outcome) road {
	p := road{delta: ev.capture(mark), effects: append([]Effect(nil), ev.effects[effMark:]...), out: out}
	ev.undo(mark)
	ev.effects = ev.effects[:effMark]
	return p
}

// attach makes a recorded path the current one.
func (ev *Eval) attach(p road) outcome {
	ev.apply(p.delta)
	ev.effects = append(ev.effects, p.effects...)
	return p.out
}

func isGiveUp(err error) bool {
	_, ok := err.(*giveUp)
	return ok
}

// fork runs both branches of a condition that is not known.
func (fr *frame) fork(u *Unknown, off int32, body, els stmt) ctl {
	ev := fr.ev
	run := func(f stmt) func() outcome {
		return func() outcome {
			r := f(fr)
			return outcome{r, fr.ret, fr.err}
		}
	}
	a, b := run(body), run(els)
	emptyKnown := false
	if u.Data && u.Empty != nil {
		if t, err := ev.truth(u.Empty); err == nil {
			if t, ok := t.(Bool); ok {
				emptyKnown = true
				if t {
					a, b = b, a
				}
			}
		}
	}
	out := ev.forkPaths(fr, u, fr.file.PosAt(int(off)), emptyKnown, a, b)
	fr.ret, fr.err = out.val, out.err
	return out.ctl
}

// forkExpr is fork for expressions.
func (fr *frame) forkExpr(u *Unknown, off int32, then, els expr) (Value, error) {
	saved := fr.ret
	wrap := func(x expr) stmt {
		return func(fr *frame) ctl {
			v, err := x(fr)
			if err != nil {
				return fr.fail(err)
			}
			fr.ret = v
			return ctlNext
		}
	}
	r := fr.fork(u, off, wrap(then), wrap(els))
	v := fr.ret
	fr.ret = saved
	if r == ctlRaise {
		return nil, fr.err
	}
	return v, nil
}

// forkPaths runs a and b from the same state and joins them. If bEmpty is set, b is the path without rows.
func (ev *Eval) forkPaths(fr *frame, u *Unknown, pos Pos, bEmpty bool, a, b func() outcome) outcome {
	ev.forks++
	if ev.forks > ev.budget.Forks {
		return outcome{ctl: ctlRaise, err: ev.abort("%d branches on conditions that are not known", ev.forks)}
	}
	ev.speculating++
	defer ev.relax1()
	mark, effMark, idx := len(ev.journal), len(ev.effects), len(ev.pending)
	ev.newEpoch()
	back, depth, stack, excs, tries := ev.fr, ev.depth, ev.stack, len(ev.excs), ev.tries
	oa := a()
	if isGiveUp(oa.err) {
		return oa
	}
	ev.fr, ev.depth, ev.stack, ev.excs, ev.tries = back, depth, stack, ev.excs[:excs], tries
	var apart []*pending
	if len(ev.pending) > idx {
		ev.flatten(mark, effMark, idx)
		apart = append(apart, ev.pending[idx:]...)
		ev.pending = ev.pending[:idx]
	}
	pa := ev.detach(mark, effMark, oa)
	ob := b()
	if isGiveUp(ob.err) {
		return ob
	}
	ev.fr, ev.depth, ev.stack, ev.excs, ev.tries = back, depth, stack, ev.excs[:excs], tries
	if len(apart) > 0 {
		if len(ev.pending) > idx {
			ev.flatten(mark, effMark, idx)
		}
		ev.pending = append(ev.pending, apart...)
	}
	return ev.join(fr, u, pos, mark, effMark, idx, pa, ob, bEmpty, false)
}

func (ev *Eval) relax1() {
	ev.speculating--
	ev.newEpoch()
	ev.relax()
}

// join makes one path of the recorded path pa and the current one, which ended with ob. Both started at the mark.
func (ev *Eval) join(fr *frame, u *Unknown, pos Pos, mark, effMark, idx int, pa road, ob outcome, bEmpty, aEmpty bool) outcome {
	oa := pa.out
	switch {
	case oa.ctl == ctlRaise && ob.ctl == ctlRaise:
		ra, _ := oa.err.(*Raise)
		rb, _ := ob.err.(*Raise)
		if ra != nil && rb != nil && ra.Exc != rb.Exc && ev.tries > 0 {
			// Which of the two is raised is not known.
			exc := NewInstance(exceptionClass("Exception"))
			exc.Attrs.store("args", &Tuple{Items: []Value{u}})
			if ra.Exc.Cls == rb.Exc.Cls {
				exc = rb.Exc
				ob.err = &Raise{Exc: exc, Pos: rb.Pos, Unknown: rb.Unknown}
			} else {
				ob.err = &Raise{Exc: exc, Pos: rb.Pos, Unknown: u}
			}
		}
		ev.mergePath(u, pos, mark, effMark, pa, bEmpty, aEmpty)
		return ob
	case oa.ctl == ob.ctl:
		if oa.val != nil || ob.val != nil {
			w := mergeCause(u, bEmpty, aEmpty)
			if aEmpty {
				ob.val = ev.merge(ob.val, oa.val, w)
			} else {
				ob.val = ev.merge(oa.val, ob.val, w)
			}
		}
		ev.mergePath(u, pos, mark, effMark, pa, bEmpty, aEmpty)
		return ob
	}
	if fr != nil && fr.gen != nil && fr.gen.running && oa.ctl != ctlRaise && ob.ctl != ctlRaise {
		// A generator cannot be suspended on two paths.
		fr.gen.unknown = taintOf(u, fr.gen.unknown, true)
		ev.mergePath(u, pos, mark, effMark, pa, bEmpty, aEmpty)
		return outcome{ctl: ctlReturn, val: None}
	}
	// The path that goes on furthest in the code stays; the other waits.
	if oa.ctl < ob.ctl {
		ev.flatten(mark, effMark, idx)
		pb := ev.detach(mark, effMark, ob)
		ob = ev.attach(pa)
		pa = pb
		bEmpty, aEmpty = aEmpty, bEmpty
		oa = pa.out
	}
	if oa.ctl == ctlRaise {
		r, _ := oa.err.(*Raise)
		if ev.tries == 0 {
			// On that path the program stops, so what follows is only done on this one.
			if r != nil {
				ev.dropped(pos, r, u)
			}
			return ob
		}
	}
	// Those above start later; a path that starts at this mark stands below them.
	p := &pending{road: pa, mark: mark, effMark: effMark, why: u, pos: pos, fr: fr, empty: aEmpty}
	ev.flatten(mark, effMark, idx)
	ev.pending = append(ev.pending, p)
	return ob
}

// mergeCause gives the reason that merged values carry. Its Empty is set if the second value of a merge is the one without
// rows.
func mergeCause(u *Unknown, bEmpty, aEmpty bool) *Unknown {
	w := &Unknown{Pos: u.Pos, Why: u.Why, Data: u.Data}
	if u.Data && (bEmpty || aEmpty) {
		w.Empty = None
	}
	return w
}

// mergePath merges what a recorded path and the current one changed and did.
func (ev *Eval) mergePath(u *Unknown, pos Pos, mark, effMark int, pa road, bEmpty, aEmpty bool) {
	eb := ev.effects[effMark:]
	same := len(pa.effects) == len(eb)
	for i := 0; same && i < len(eb); i++ {
		same = pa.effects[i].Text == eb[i].Text && pa.effects[i].Kind == eb[i].Kind
	}
	uncertain := false
	if !same {
		uncertain = ev.differ(u, pos, effMark, pa.effects)
	}
	cur := ev.capture(mark)
	before := map[Mutable]any{}
	for i := len(ev.journal) - 1; i >= mark; i-- {
		before[ev.journal[i].obj] = ev.journal[i].state
	}
	for _, m := range pa.delta.objs {
		if _, ok := cur.states[m]; !ok {
			s := m.Save()
			before[m] = s
			cur.set(m, s)
		}
	}
	w := mergeCause(u, bEmpty, aEmpty)
	for _, m := range cur.objs {
		b := cur.states[m]
		a, ok := pa.delta.states[m]
		if !ok {
			a = before[m]
		}
		ev.Touch(m)
		if g, ok := m.(Merger); ok {
			x, y := a, b
			if aEmpty {
				x, y = b, a
			}
			changed := ev.changed
			g.Merge(ev, before[m], x, y, w)
			if first, ok := ev.firstTouch[m]; ok && ev.madeSince > 0 && first >= ev.madeSince {
				ev.changed = changed // it was made in the body of the loop that is joined here
			}
			continue
		}
		if !uncertain && sameState(a, b) {
			continue
		}
		m.Restore(before[m])
		if !uncertain {
			ev.Gap(Gap{Pos: pos, What: "what happens here changes state differently", Why: u.Why})
		}
	}
}

// differ deals with effects that differ between two paths. It tells whether they touch the schema.
func (ev *Eval) differ(u *Unknown, pos Pos, effMark int, ea []Effect) bool {
	eb := append([]Effect(nil), ev.effects[effMark:]...)
	schema := false
	var hang []Effect
	for _, list := range [][]Effect{ea, eb} {
		for _, e := range list {
			if e.Kind == SchemaEffect {
				schema = true
				hang = append(hang, e)
			}
		}
	}
	if !schema {
		// Rows only: both are kept, marked.
		ev.effects = ev.effects[:effMark]
		for _, list := range [][]Effect{ea, eb} {
			for _, e := range list {
				e.Conditional = true
				ev.effects = append(ev.effects, e)
			}
		}
		return false
	}
	ev.effects = ev.effects[:effMark]
	for _, p := range ev.pending {
		if p.effMark > effMark {
			p.effMark = effMark
		}
	}
	ev.Gap(Gap{Pos: pos, What: "a condition that is not known decides on: " + effectTexts(hang), Why: u.Why, Effects: hang})
	return true
}

// effectTexts names effects for a person.
func effectTexts(es []Effect) string {
	text := ""
	n := 0
	seen := map[string]bool{}
	for _, e := range es {
		if seen[e.Text] {
			continue
		}
		seen[e.Text] = true
		if n++; n > 5 {
			return text + "; …"
		}
		if text != "" {
			text += "; "
		}
		text += e.Text
	}
	return text
}

// settle joins the paths that left code by the given way, and which are met here, with the current one, which ended with
// r. Paths that leave further stay pending.
func (ev *Eval) settle(fr *frame, base int, kind, r ctl) ctl {
	for i := len(ev.pending) - 1; i >= base; i-- {
		if i >= len(ev.pending) {
			continue
		}
		p := ev.pending[i]
		if p.fr != fr || p.out.ctl != kind {
			continue
		}
		ev.flatten(p.mark, p.effMark, i)
		ev.pending = append(ev.pending[:i:i], ev.pending[i+1:]...)
		out := p.out
		switch kind {
		case ctlContinue, ctlBreak:
			out = outcome{ctl: ctlNext}
			if kind == ctlContinue && r == ctlContinue {
				r = ctlNext
			}
		case ctlReturn:
			if r == ctlNext {
				r, fr.ret = ctlReturn, None
			}
		}
		cur := outcome{r, fr.ret, fr.err}
		if r != ctlReturn {
			cur.val = nil
		}
		if out.ctl != ctlReturn {
			out.val = nil
		}
		pp := p.road
		pp.out = out
		o := ev.join(fr, p.why, p.pos, p.mark, p.effMark, i, pp, cur, false, p.empty)
		if o.ctl == ctlReturn {
			fr.ret = o.val
		}
		r, fr.err = o.ctl, o.err
	}
	ev.relax()
	return r
}

// relax stops recording when no path is pending any more and no branch is being tried.
func (ev *Eval) relax() {
	if len(ev.pending) == 0 && ev.speculating == 0 {
		ev.epoch = 0
		ev.journal = ev.journal[:0]
		clear(ev.touched)
	}
}

// onPending runs f on each pending path from base up to end, as if it were the current one: a finally clause, or handlers.
func (ev *Eval) onPending(fr *frame, base, end int, f func(o outcome) outcome) {
	ev.speculating++
	defer ev.relax1()
	for i := base; i < end && i < len(ev.pending); i++ {
		p := ev.pending[i]
		ev.flatten(p.mark, p.effMark, i)
		cur := ev.detach(p.mark, p.effMark, outcome{})
		saved := ev.pending[i:]
		ev.pending = ev.pending[:i:i]
		ev.attach(p.road)
		out := f(p.out)
		if len(ev.pending) > i {
			// The clause itself left a path pending: it is too tangled to follow.
			ev.Gap(Gap{Pos: p.pos, What: "the ways through a try statement cannot be followed", Why: p.why.Why})
			ev.pending = ev.pending[:i]
		}
		p.road = ev.detach(p.mark, p.effMark, out)
		ev.pending = append(ev.pending, saved...)
		ev.attach(cur)
		if isGiveUp(out.err) {
			return
		}
	}
}

// loopUnknown runs the body of a loop that may run any number of times, also not at all: the effects of the body are a gap,
// and what it changes is not known afterwards.
func (fr *frame) loopUnknown(u *Unknown, off int32, body stmt) ctl {
	ev := fr.ev
	pos := fr.file.PosAt(int(off))
	if ev.firstTouch == nil {
		ev.firstTouch = map[Mutable]uint32{}
		defer func() { ev.firstTouch = nil }()
	}
	for n := 0; ; n++ {
		base := len(ev.pending)
		var start uint32
		out := ev.forkPaths(fr, u, pos, true, func() outcome {
			inner := len(ev.pending)
			start = ev.epoch
			r := body(fr)
			if len(ev.pending) > inner {
				r = ev.settle(fr, inner, ctlContinue, r)
				r = ev.settle(fr, inner, ctlBreak, r)
			}
			switch r {
			case ctlContinue, ctlBreak, ctlNext:
				return outcome{ctl: ctlNext}
			}
			return outcome{r, fr.ret, fr.err}
		}, func() outcome {
			// What was joined within the body does not count, nor what was made there: only what the body changes of the
			// state that it started with.
			ev.changed, ev.madeSince = false, start
			return outcome{ctl: ctlNext}
		})
		ev.madeSince = 0
		fr.err = out.err
		if out.ctl == ctlReturn {
			fr.ret = out.val
		}
		if out.ctl != ctlNext {
			return out.ctl
		}
		if !ev.changed || len(ev.pending) > base {
			return ctlNext
		}
		if n > 20 {
			ev.Gap(Gap{Pos: pos, What: "a loop of unknown length", Why: u.Why})
			return ctlNext
		}
	}
}

// merge gives the value of a place that holds a after one path and b after the other. nil stands for unbound. If
// why.Empty is set, b is the value without rows.
func (ev *Eval) merge(a, b Value, why *Unknown) Value {
	if ev.sameValue(a, b, 0) {
		return b
	}
	changed := ev.changed
	ev.changed = true
	u := &Unknown{Pos: why.Pos, Why: why.Why, Data: why.Data}
	for _, v := range []Value{a, b} {
		if v == nil {
			continue
		}
		if x, ok := v.(*Unknown); ok {
			if x.Data && u.Data || x.Why == u.Why {
				u.Acts = u.Acts || x.Acts
				continue
			}
			if !x.Data {
				u.Data = false
			}
		}
		u.Acts = u.Acts || ev.mayAct(v)
	}
	if u.Data && why.Empty != nil {
		u.Empty = b
		if x, ok := b.(*Unknown); ok {
			u.Empty = x.Empty
		}
	}
	if x, ok := a.(Str); ok {
		if y, ok := b.(Str); ok {
			n := 0
			for n < len(x) && n < len(y) && x[n] == y[n] {
				n++
			}
			u.Prefix = string(x[:n])
		}
	}
	if x, ok := b.(*Unknown); ok && x.Data == u.Data && (x.Acts || !u.Acts) && (x.Prefix == u.Prefix || x.Prefix == "") {
		ev.changed = changed // b covers a already
	}
	return u
}

// sameState compares two saved states of native code.
func sameState(a, b any) bool { return reflect.DeepEqual(a, b) }

// sameValue tells whether two values are interchangeable.
func (ev *Eval) sameValue(a, b Value, depth int) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if depth > 30 {
		return false
	}
	switch x := a.(type) {
	case Int, Str, Bool, Bytes, NoneType, EllipsisType, notImplementedType:
		return a == b
	case Float:
		y, ok := b.(Float)
		return ok && (x == y || x != x && y != y)
	case *BigInt:
		y, ok := b.(*BigInt)
		return ok && x.V.Cmp(y.V) == 0
	case *Unknown:
		y, ok := b.(*Unknown)
		return ok && (x == y || *x == *y || x.Data == y.Data && x.Acts == y.Acts && x.Empty == nil && y.Empty == nil && x.Prefix == y.Prefix)
	case *Tuple:
		y, ok := b.(*Tuple)
		if !ok || x.cls != y.cls || len(x.Items) != len(y.Items) {
			return false
		}
		for i := range x.Items {
			if !ev.sameValue(x.Items[i], y.Items[i], depth+1) {
				return false
			}
		}
		return true
	case *List:
		y, ok := b.(*List)
		if !ok {
			return false
		}
		if x == y {
			return true
		}
		if x.taint != nil || y.taint != nil || len(x.Items) != len(y.Items) {
			return x.taint != nil && y.taint != nil && x.taint.Data == y.taint.Data && x.taint.Acts == y.taint.Acts && len(x.Items) == 0 && len(y.Items) == 0
		}
		for i := range x.Items {
			if !ev.sameValue(x.Items[i], y.Items[i], depth+1) {
				return false
			}
		}
		return true
	case *Dict:
		y, ok := b.(*Dict)
		return ok && (x == y || x.cls == y.cls && ev.sameTable(&x.table, &y.table, depth))
	case *Set:
		y, ok := b.(*Set)
		return ok && (x == y || x.Frozen == y.Frozen && ev.sameTable(&x.table, &y.table, depth))
	case *Range:
		y, ok := b.(*Range)
		return ok && *x == *y
	case *Func:
		y, ok := b.(*Func)
		if !ok || x == y {
			return x == y
		}
		if x.code != y.code || x.globals != y.globals || len(x.defaults) != len(y.defaults) || len(x.free) != len(y.free) {
			return false
		}
		for i := range x.defaults {
			if !ev.sameValue(x.defaults[i], y.defaults[i], depth+1) {
				return false
			}
		}
		for i := range x.free {
			if x.free[i] != y.free[i] {
				return false
			}
		}
		return true
	case *BoundMethod:
		y, ok := b.(*BoundMethod)
		return ok && (x == y || ev.sameValue(x.Self, y.Self, depth+1) && ev.sameValue(x.Fn, y.Fn, depth+1))
	}
	if a == b {
		return true
	}
	if s, ok := a.(Same); ok {
		return s.Same(ev, b)
	}
	return false
}

func (ev *Eval) sameTable(x, y *table, depth int) bool {
	if x.taint != nil || y.taint != nil || x.live != y.live {
		return false
	}
	i := 0
	for _, e := range x.entries {
		if e.key == nil {
			continue
		}
		for y.entries[i].key == nil {
			i++
		}
		f := y.entries[i]
		i++
		if e.hash != f.hash || !ev.sameValue(e.val, f.val, depth+1) {
			return false
		}
	}
	return true
}

// Save implements Mutable.
func (l *List) Save() any {
	return &List{Items: append([]Value(nil), l.Items...), taint: l.taint}
}

// Restore implements Mutable.
func (l *List) Restore(state any) {
	s := state.(*List)
	l.Items, l.taint = append([]Value(nil), s.Items...), s.taint
}

func (l *List) setEpoch(e uint32) { l.epoch = e }

// Merge implements Merger.
func (l *List) Merge(ev *Eval, before, a, b any, why *Unknown) {
	x, y := a.(*List), b.(*List)
	if len(x.Items) != len(y.Items) || (x.taint == nil) != (y.taint == nil) {
		l.Restore(y)
		acts := false
		for _, v := range append(append([]Value(nil), x.Items...), y.Items...) {
			acts = acts || ev.mayAct(v)
		}
		data := why.Data && (x.taint == nil || x.taint.Data) && (y.taint == nil || y.taint.Data)
		if y.taint == nil || y.taint.Data != data || acts && !y.taint.Acts {
			ev.changed = true
		}
		l.taint = &Unknown{Pos: why.Pos, Why: why.Why, Data: data, Acts: acts}
		if !data {
			l.Items = nil
		}
		return
	}
	out := &List{taint: y.taint}
	for i := range x.Items {
		out.Items = append(out.Items, ev.merge(x.Items[i], y.Items[i], why))
	}
	l.Restore(out)
}

// dropped says that a path which ends in an exception is not followed. Where the program itself raises, a run that
// reaches its end did not take the path, and a note is enough. Where an operation failed the fault may lie here, so the
// path may be the one that is taken: that is a gap.
func (ev *Eval) dropped(pos Pos, r *Raise, why *Unknown) {
	if r.Implied {
		ev.Gap(Gap{Pos: pos, What: "what the program does if a condition holds that is not known, because there it ends in " + r.Text(), Why: why.Why})
		return
	}
	ev.Note(pos, "raises "+r.Text()+" if a condition holds that is not known: "+why.Why)
}
