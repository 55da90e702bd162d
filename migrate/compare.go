package migrate

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"instep/analyzer/schema"
)

// A Comparison says what stands between a deployed and a target history of one database.
type Comparison struct {
	Old, New *Replay // Old is nil where the database is new, New where its migrations are gone
	// Pending are the migrations that an upgrade runs, as they act on the deployed schema, in order. Of a re-based
	// history without a baseline they are all, as they act on an empty one.
	Pending []Migration
	Edited  []Migration // at both refs, with another meaning: as they stand at the target ref
	Removed []Migration // only at the deployed ref
	// HistoryGaps are those of the shared history; PendingGaps those of what is pending, or of the target's history as a whole.
	HistoryGaps []schema.Gap
	PendingGaps []schema.Gap
	// Rebased says why the target's history does not continue the deployed one; "" if it does.
	Rebased string
	// Baseline is the configured revision at which existing databases are stamped, if that applies here.
	Baseline string
}

// Framework gives the framework's name, at the target ref if there is one.
func (c *Comparison) Framework() string { return c.latest().Framework }

// Database gives the database's name, at the target ref if there is one.
func (c *Comparison) Database() string { return c.latest().Database }

func (c *Comparison) latest() *Replay {
	if c.New != nil {
		return c.New
	}
	return c.Old
}

// Pair matches the histories of two trees with each other: by database, framework and folder where these are the same,
// else by the ids that they share, else whatever is left on both sides. An unmatched history stands alone in its pair.
// The pairs are sorted by the target's folder, then the deployed one's.
func Pair(old, new []*History) [][2]*History {
	var pairs [][2]*History
	take := func(score func(o, n *History) int) {
		for {
			var best [2]*History
			var most int
			for _, o := range old {
				for _, n := range new {
					if s := score(o, n); s > most {
						best, most = [2]*History{o, n}, s
					}
				}
			}
			if most == 0 {
				return
			}
			pairs = append(pairs, best)
			old = slices.DeleteFunc(slices.Clone(old), func(h *History) bool { return h == best[0] })
			new = slices.DeleteFunc(slices.Clone(new), func(h *History) bool { return h == best[1] })
		}
	}
	take(func(o, n *History) int {
		if o.Framework != n.Framework || o.Dir != n.Dir {
			return 0
		}
		return 1
	})
	take(func(o, n *History) int {
		if o.Framework != n.Framework {
			return 0
		}
		return 2*shared(o, n) + btoi(o.Database == n.Database && shared(o, n) > 0)
	})
	take(func(o, n *History) int { return btoi(o.Database == n.Database) })
	if len(old) == 1 && len(new) == 1 {
		take(func(o, n *History) int { return 1 })
	}
	for _, o := range old {
		pairs = append(pairs, [2]*History{o, nil})
	}
	for _, n := range new {
		pairs = append(pairs, [2]*History{nil, n})
	}
	dir := func(h *History) string {
		if h == nil {
			return ""
		}
		return h.Dir
	}
	slices.SortFunc(pairs, func(a, b [2]*History) int {
		return cmp.Or(strings.Compare(dir(a[1]), dir(b[1])), strings.Compare(dir(a[0]), dir(b[0])))
	})
	return pairs
}

// CheckUnmatched adds gaps to the comparisons of one pair of trees for histories that stand alone: the migrations of a
// database that are gone say nothing of its tables, and where others are new as well they may be the same database's.
// A history that is new while no other went is a new database.
func CheckUnmatched(cmps []*Comparison) {
	var gone []string
	for _, c := range cmps {
		if c.New == nil && c.Old != nil {
			gone = append(gone, c.Old.Dir)
			c.PendingGaps = append(c.PendingGaps, schema.Gap{
				Pos:  schema.Pos{File: c.Old.Dir},
				What: "the database of the " + c.Old.Framework + " migrations in " + c.Old.Dir + ", which are gone at the target",
				Why:  "whether its tables stay, and which migrations go on with it, is not written anywhere",
			})
		}
	}
	if len(gone) == 0 {
		return
	}
	for _, c := range cmps {
		if c.Old == nil && c.New != nil {
			c.PendingGaps = append(c.PendingGaps, schema.Gap{
				Pos:  schema.Pos{File: c.New.Dir},
				What: "the database of the " + c.New.Framework + " migrations in " + c.New.Dir + ", which are new",
				Why:  "it may be a new one, or go on with the one of " + strings.Join(gone, ", "),
			})
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// shared counts the ids that both histories have.
func shared(o, n *History) int {
	ids := map[string]bool{}
	for _, r := range o.Revisions {
		ids[r.ID] = true
	}
	count := 0
	for _, r := range n.Revisions {
		count += btoi(ids[r.ID])
	}
	return count
}

// Compare replays both histories of a pair on base and says what an upgrade runs. Migrations are matched by id and
// compared by what they do, never by path or text. baseline is the configured revision at which databases of another
// history are stamped, "" if there is none.
func (c *Cache) Compare(oldFS, newFS fs.FS, pair [2]*History, base *schema.Schema, baseline string) *Comparison {
	cmp := &Comparison{}
	if pair[0] == nil && pair[1] == nil {
		return cmp
	}
	if pair[0] != nil {
		cmp.Old = c.Replay(oldFS, pair[0], base)
		for _, m := range cmp.Old.Migrations {
			cmp.HistoryGaps = append(cmp.HistoryGaps, m.Gaps...)
		}
	}
	if pair[1] == nil {
		cmp.HistoryGaps = append(cmp.HistoryGaps, cmp.Old.History.Gaps...)
		cmp.Removed = cmp.Old.Migrations
		return cmp
	}
	cmp.New = c.Replay(newFS, pair[1], base)
	cmp.PendingGaps = append(cmp.PendingGaps, cmp.New.History.Gaps...)
	deployed := base
	var before []Migration
	if cmp.Old != nil {
		// The upgrade has a connection of its own.
		cmp.Old.Schema = cmp.Old.Schema.NewSession(base)
		deployed, before = cmp.Old.Schema, cmp.Old.Migrations
		for _, g := range cmp.Old.History.Gaps {
			if !slices.ContainsFunc(cmp.PendingGaps, func(p schema.Gap) bool { return p.What == g.What && p.Why == g.Why }) {
				cmp.HistoryGaps = append(cmp.HistoryGaps, g)
			}
		}
	}
	oldByID, newByID := map[string]int{}, map[string]int{}
	for i, m := range before {
		oldByID[m.ID] = i
	}
	for i, m := range cmp.New.Migrations {
		newByID[m.ID] = i
	}
	lastCommon, firstCommon := -1, -1
	for i, m := range cmp.New.Migrations {
		if _, ok := oldByID[m.ID]; ok {
			lastCommon = i
			if firstCommon < 0 {
				firstCommon = i
			}
		}
	}
	for _, m := range before {
		if _, ok := newByID[m.ID]; !ok {
			cmp.Removed = append(cmp.Removed, m)
		}
	}
	if cmp.Old != nil {
		if cmp.Rebased = rebased(cmp, firstCommon); cmp.Rebased == "" {
			cmp.PendingGaps = append(cmp.PendingGaps, refusals(oldFS, newFS, cmp)...)
		}
	}
	stamped := -1
	if cmp.Rebased != "" {
		lastCommon = -1
		if baseline != "" {
			i, ok := newByID[baseline]
			if ok {
				stamped, cmp.Baseline = i, baseline
			} else {
				cmp.PendingGaps = append(cmp.PendingGaps, schema.Gap{
					Pos: schema.Pos{File: cmp.New.Dir}, What: "the configured baseline " + baseline,
					Why: "no revision of the history in " + cmp.New.Dir + " has that id",
				})
			}
		}
	}
	if cmp.Rebased != "" && stamped < 0 {
		// Whether databases run any of it is not known, so how it acts on the deployed schema says nothing.
		cmp.Pending = cmp.New.Migrations
		for _, m := range cmp.Pending {
			cmp.PendingGaps = append(cmp.PendingGaps, m.Gaps...)
		}
		return cmp
	}
	known := ancestors(cmp.New.History, stamped)
	var ran map[string]bool
	if cmp.Rebased == "" {
		ran = passed(cmp.New.History, oldByID)
	}
	state := deployed
	for i := range cmp.New.Revisions {
		rev := &cmp.New.Revisions[i]
		if known[rev.ID] {
			continue
		}
		if o, ok := oldByID[rev.ID]; ok && cmp.Rebased == "" {
			if sameMeaning(before[o], cmp.New.Migrations[i]) {
				continue
			}
			if !rev.Repeatable {
				cmp.Edited = append(cmp.Edited, cmp.New.Migrations[i])
				cmp.PendingGaps = append(cmp.PendingGaps, onlyNew(before[o].Gaps, cmp.New.Migrations[i].Gaps)...)
				continue
			}
		} else if i < lastCommon && rev.Parents == nil && !rev.Repeatable {
			last := cmp.New.Revisions[lastCommon]
			cmp.PendingGaps = append(cmp.PendingGaps, schema.Gap{
				Pos: schema.Pos{File: rev.File}, What: "migration " + rev.ID + ", which is new but stands before " + last.ID,
				Why: fmt.Sprintf("databases have run %s already: whether %s still runs the earlier one depends on its settings; give it a later number", last.ID, cmp.New.Framework),
			})
		}
		m := c.Run(newFS, cmp.New.Framework, rev, state)
		if ran[rev.ID] && len(m.Statements)+len(m.Gaps) > 0 {
			cmp.PendingGaps = append(cmp.PendingGaps, schema.Gap{
				Pos: schema.Pos{File: rev.File}, What: "migration " + rev.ID + ", which is new but stands before others that databases have run",
				Why: cmp.New.Framework + " takes it for run there, and never runs it; put it behind them",
			})
		}
		state = m.After
		cmp.Pending = append(cmp.Pending, m)
		cmp.PendingGaps = append(cmp.PendingGaps, m.Gaps...)
	}
	return cmp
}

// rebased says why the new history does not continue the old one, "" if it does: another framework, no revision in
// common, or revisions that went while others came before all that stayed (a squash).
func rebased(c *Comparison, firstCommon int) string {
	o, n := c.Old, c.New
	switch {
	case len(o.Revisions) == 0 || len(n.Revisions) == 0:
		return ""
	case o.Framework != n.Framework:
		return fmt.Sprintf("the framework changed from %s (%s) to %s (%s)", o.Framework, o.Dir, n.Framework, n.Dir)
	case firstCommon < 0:
		return fmt.Sprintf("the history in %s shares no revision with the deployed one in %s", n.Dir, o.Dir)
	case firstCommon > 0 && len(c.Removed) > 0:
		return fmt.Sprintf("%s of the deployed history are gone and %s now begins it: it was squashed", count(len(c.Removed), "migration"), n.Revisions[0].ID)
	}
	return ""
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// ancestors gives the ids of revision i and of all that it stands on; nil for -1.
func ancestors(h *History, i int) map[string]bool {
	if i < 0 {
		return nil
	}
	known := map[string]bool{}
	if h.Revisions[i].Parents == nil && !slices.ContainsFunc(h.Revisions, func(r Revision) bool { return r.Parents != nil }) {
		for _, r := range h.Revisions[:i+1] {
			known[r.ID] = true
		}
		return known
	}
	return h.under([]string{h.Revisions[i].ID})
}

// under gives the ids among these that the history has, and all on which they stand.
func (h *History) under(todo []string) map[string]bool {
	byID := map[string]*Revision{}
	for k := range h.Revisions {
		byID[h.Revisions[k].ID] = &h.Revisions[k]
	}
	known := map[string]bool{}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if rev := byID[id]; rev != nil && !known[id] {
			known[id] = true
			todo = append(todo, rev.Parents...)
		}
	}
	return known
}

// passed gives the ids of all revisions on which one of have stands: a database of a framework that knows parents has run them, or
// is taken to have (tested on Alembic 1.8: upgrade passes over a revision that is put before the one that the database is at).
func passed(h *History, have map[string]int) map[string]bool {
	var parents []string
	for _, rev := range h.Revisions {
		if _, ok := have[rev.ID]; ok {
			parents = append(parents, rev.Parents...)
		}
	}
	return h.under(parents)
}

// sameMeaning tells whether two migrations do the same. Their positions, their texts' layout and their titles do not count.
func sameMeaning(a, b Migration) bool {
	return slices.EqualFunc(a.Statements, b.Statements, func(s, t schema.Statement) bool {
		return s.SQL == t.SQL || schema.Meaning(s.SQL) == schema.Meaning(t.SQL)
	}) && slices.EqualFunc(a.Gaps, b.Gaps, sameGap)
}

func sameGap(a, b schema.Gap) bool { return a.What == b.What && a.Why == b.Why }

// onlyNew gives the gaps that the older list does not have.
func onlyNew(old, new []schema.Gap) []schema.Gap {
	var gaps []schema.Gap
	for _, g := range new {
		if !slices.ContainsFunc(old, func(o schema.Gap) bool { return sameGap(o, g) }) {
			gaps = append(gaps, g)
		}
	}
	return gaps
}
