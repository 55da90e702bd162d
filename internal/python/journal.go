package python

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
