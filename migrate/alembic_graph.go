package migrate

import (
	"fmt"
	"slices"
	"strings"

	"instep/analyzer/schema"
)

// An alembicRevision is what one file under versions/ says of itself.
type alembicRevision struct {
	id        string
	name      string // the first line of its docstring
	file      string
	pos       schema.Pos // of `revision`
	down      []string   // down_revision: more than one makes a merge
	downPos   schema.Pos
	deps      []string // depends_on: ids or branch labels
	depsPos   schema.Pos
	labels    []string // branch_labels
	anyLabels bool     // it has labels, but they could not be read

	resolved   []string // deps with labels replaced by ids
	normalized []string // resolved, without what an ancestor depends on already
}

// parents gives the ids on which the revision stands directly: down_revision first, then depends_on.
func (r *alembicRevision) parents() []string {
	return unique(append(slices.Clone(r.down), r.resolved...))
}

// below gives the ids that come directly before the revision where the order is made.
func (r *alembicRevision) below() []string {
	return unique(append(slices.Clone(r.down), r.normalized...))
}

// unique gives the elements of s without repetitions, in their order.
func unique(s []string) []string {
	if len(s) < 2 {
		return s
	}
	seen := make(map[string]bool, len(s))
	var u []string
	for _, e := range s {
		if !seen[e] {
			seen[e] = true
			u = append(u, e)
		}
	}
	return u
}

// An alembicGraph is the revisions of one Alembic environment.
type alembicGraph struct {
	byID map[string]*alembicRevision
	all  []*alembicRevision // in the order in which they were found
	next map[string][]string
	gaps []schema.Gap
}

// orderAlembic puts revisions, given in the order of their files, into the order in which `alembic upgrade heads` runs
// them on an empty database. What Alembic refuses is a gap; the revisions are given all the same, each once, as well
// ordered as they can be.
//
// Alembic's order between branches that do not depend on each other is that of os.listdir, which differs from machine
// to machine. It is taken to be the order of the file names.
func orderAlembic(revs []*alembicRevision) ([]*alembicRevision, []schema.Gap) {
	g := &alembicGraph{byID: map[string]*alembicRevision{}, next: map[string][]string{}}
	for _, r := range revs {
		if first, ok := g.byID[r.id]; ok {
			g.gap(r.pos, "revision "+r.id, "the same id is declared in "+first.file+": Alembic uses one of the two files and forgets the other")
			continue
		}
		g.byID[r.id] = r
		g.all = append(g.all, r)
	}
	g.resolve()
	g.cutCycles()
	g.normalize()
	g.checkHeads()
	return g.sort(), g.gaps
}

func (g *alembicGraph) gap(pos schema.Pos, what, why string) {
	g.gaps = append(g.gaps, schema.Gap{Pos: pos, What: what, Why: why})
}

// resolve checks that what revisions refer to exists, and replaces branch labels in depends_on by ids. As in Alembic,
// references are exact: abbreviations are for the command line.
func (g *alembicGraph) resolve() {
	labels := map[string]*alembicRevision{}
	for _, r := range g.all {
		for _, l := range r.labels {
			if other := labels[l]; other != nil {
				g.gap(r.pos, "branch label "+l, "it is used by revision "+other.id+" already: Alembic refuses to read the history")
			} else if other := g.byID[l]; other != nil {
				g.gap(r.pos, "branch label "+l, "a revision has this id: Alembic refuses to read the history")
			} else {
				labels[l] = r
			}
		}
	}
	for _, r := range g.all {
		if len(r.down) > maxParents || len(r.deps) > maxParents {
			g.gap(r.downPos, "the place of revision "+r.id, fmt.Sprintf("gave up on more than %d predecessors", maxParents))
			r.down, r.deps = r.down[:min(len(r.down), maxParents)], r.deps[:min(len(r.deps), maxParents)]
		}
		r.down = slices.DeleteFunc(unique(r.down), func(id string) bool {
			switch {
			case id == r.id:
				g.gap(r.downPos, "revision "+r.id, "it names itself as its down_revision")
			case g.byID[id] == nil:
				g.gap(r.downPos, "down_revision "+id+" of revision "+r.id, "no file declares revision "+id)
			default:
				return false
			}
			return true
		})
		r.resolved = nil
		for _, id := range r.deps {
			dep := g.byID[id]
			if dep == nil {
				dep = labels[id]
			}
			switch {
			case dep == nil:
				g.gap(r.depsPos, "depends_on "+id+" of revision "+r.id, "no file declares a revision or branch label "+id)
			case dep == r:
				g.gap(r.depsPos, "revision "+r.id, "it depends on itself")
			case !slices.Contains(r.resolved, dep.id):
				r.resolved = append(r.resolved, dep.id)
			}
		}
	}
}

// cutCycles reports cycles of down_revision and depends_on, and cuts them at the edge that closes one, so that an order exists.
func (g *alembicGraph) cutCycles() {
	state := map[string]int{} // 1: on the path, 2: done
	type frame struct {
		rev  *alembicRevision
		todo []string
	}
	for _, start := range g.all {
		if state[start.id] != 0 {
			continue
		}
		path := []frame{{start, start.parents()}}
		state[start.id] = 1
		for len(path) > 0 {
			top := &path[len(path)-1]
			if len(top.todo) == 0 {
				state[top.rev.id] = 2
				path = path[:len(path)-1]
				continue
			}
			id := top.todo[0]
			top.todo = top.todo[1:]
			switch state[id] {
			case 0:
				rev := g.byID[id]
				state[id] = 1
				path = append(path, frame{rev, rev.parents()})
			case 1:
				i := slices.IndexFunc(path, func(f frame) bool { return f.rev.id == id })
				var names []string
				for _, f := range path[i:] {
					names = append(names, f.rev.id)
				}
				r := top.rev
				pos := r.downPos
				if !slices.Contains(r.down, id) {
					pos = r.depsPos
				}
				g.gap(pos, "the order of revisions "+strings.Join(names, ", "), "each stands on the one before it in a cycle: there is no order in which they can run")
				is := func(s string) bool { return s == id }
				r.down = slices.DeleteFunc(r.down, is)
				r.resolved = slices.DeleteFunc(r.resolved, is)
			}
		}
	}
}

// maxParents, maxHeads and maxReach bound the work on a history that is made to be expensive. Real ones stay far below.
const (
	maxParents = 100
	maxHeads   = 100
	maxReach   = 4 << 20
)

// normalize leaves out dependencies that an ancestor has already, and notes who follows whom.
func (g *alembicGraph) normalize() {
	for _, r := range g.all {
		for _, id := range r.parents() {
			g.next[id] = append(g.next[id], r.id)
		}
	}
	for _, r := range g.all {
		r.normalized = nil
		if len(r.resolved) == 0 {
			continue
		}
		known := map[string]bool{}
		for id := range g.reach(r.down, func(a *alembicRevision) []string { return a.down }) {
			for _, d := range g.byID[id].resolved {
				known[d] = true
			}
		}
		for _, d := range r.resolved {
			if !known[d] {
				r.normalized = append(r.normalized, d)
			}
		}
	}
}

// reach gives the ids from which fn leads on, ids themselves included.
func (g *alembicGraph) reach(ids []string, fn func(*alembicRevision) []string) map[string]bool {
	seen := map[string]bool{}
	todo := slices.Clone(ids)
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !seen[id] {
			seen[id] = true
			todo = append(todo, fn(g.byID[id])...)
		}
	}
	return seen
}

// checkHeads makes several heads a gap, unless every one lies on a branch of its own with a label. `alembic upgrade
// head` refuses them all; but projects that keep two branches on purpose label them, and run `upgrade heads` or each
// branch by its label. Heads without a label are the accident of two changes that were made at the same time.
func (g *alembicGraph) checkHeads() {
	followed := map[string]bool{}
	for _, r := range g.all {
		for _, id := range r.down {
			followed[id] = true
		}
	}
	var heads []*alembicRevision
	owners := map[string]int{}
	labels := map[string]map[string]bool{}
	for _, r := range g.all {
		if followed[r.id] {
			continue
		}
		if heads = append(heads, r); len(heads) > maxHeads {
			g.gap(r.downPos, fmt.Sprintf("the history has more than %d heads", maxHeads), "gave up on their order")
			return
		}
	}
	if len(heads) < 2 {
		return
	}
	for _, r := range heads {
		of := map[string]bool{}
		for id := range g.reach([]string{r.id}, func(a *alembicRevision) []string { return a.down }) {
			a := g.byID[id]
			for _, l := range a.labels {
				of[l] = true
			}
			if a.anyLabels {
				of["unread label of "+a.id] = true
			}
		}
		labels[r.id] = of
		for l := range of {
			owners[l]++
		}
	}
	for _, h := range heads {
		own := false
		for l := range labels[h.id] {
			own = own || owners[l] == 1
		}
		if own {
			continue
		}
		var names []string
		for _, h := range heads {
			names = append(names, h.id)
		}
		g.gap(h.downPos, fmt.Sprintf("the history has %d heads: %s", len(heads), strings.Join(names, ", ")),
			"`alembic upgrade head` refuses several heads, and the branch of "+h.id+" has no label of its own; `alembic merge` joins them")
		return
	}
}

// sort is Alembic's own topological sort, from the heads down, given upside down: upgrades run from the base up.
func (g *alembicGraph) sort() []*alembicRevision {
	todo := map[string]bool{}
	var current []string // the heads, then what takes their place
	for _, r := range g.all {
		todo[r.id] = true
		if len(g.next[r.id]) == 0 {
			current = append(current, r.id)
		}
	}
	if len(current) > maxHeads {
		return g.plain()
	}
	reached := 0
	ancestors := func(id string) map[string]bool {
		ids := g.reach([]string{id}, (*alembicRevision).below)
		reached += len(ids)
		return ids
	}
	var above []map[string]bool // the ancestors of each of current
	for _, id := range current {
		above = append(above, ancestors(id))
	}
	var down []*alembicRevision
	for i := 0; len(current) > 0; {
		if reached > maxReach {
			g.gap(g.byID[current[i]].downPos, "the order of the revisions", "gave up on a history with so many branches and merges")
			return g.plain()
		}
		id := current[i]
		blocked := false
		for k := range above {
			if k != i && above[k][id] {
				i, blocked = k, true // another branch stands on it and comes first
				break
			}
		}
		if blocked {
			continue
		}
		rev := g.byID[id]
		if todo[id] {
			down = append(down, rev)
			delete(todo, id)
		}
		var add []string
		for _, p := range rev.below() {
			if todo[p] && !slices.Contains(current, p) {
				add = append(add, p)
			}
		}
		switch {
		case len(add) == 0:
			current = slices.Delete(current, i, i+1)
			above = slices.Delete(above, i, i+1)
			i = max(i-1, 0)
		case len(rev.normalized) == 0 && len(rev.down) == 1:
			current[i] = add[0]
			delete(above[i], id)
		default:
			current[i] = add[0]
			above[i] = ancestors(add[0])
			for _, a := range add[1:] {
				current = append(current, a)
				above = append(above, ancestors(a))
			}
		}
	}
	slices.Reverse(down)
	return down
}

// plain is an order that costs little: each revision after those that it stands on.
func (g *alembicGraph) plain() []*alembicRevision {
	var order []*alembicRevision
	done := map[string]bool{}
	for _, r := range g.all {
		todo := []*alembicRevision{r}
		for len(todo) > 0 {
			r := todo[len(todo)-1]
			var missing []*alembicRevision
			for _, p := range r.parents() {
				if !done[p] {
					missing = append(missing, g.byID[p])
				}
			}
			if len(missing) > 0 {
				todo = append(todo, missing...)
				continue
			}
			todo = todo[:len(todo)-1]
			if !done[r.id] {
				done[r.id] = true
				order = append(order, r)
			}
		}
	}
	return order
}
