package report

import (
	"slices"

	"instep/analyzer"
)

// A timeline shows which code meets which schema when, for one order of deployment. Its unit of time is one step of the order.
type timeline struct {
	Steps []string // the order; each takes one unit
	Lanes []lane   // the schema first, then the services
}

// A lane is one service, or the schema.
type lane struct {
	Name  string
	Spans []span
}

// A span is what runs in a lane for a while.
type span struct {
	From, To float64
	Kind     string // "old", "new", "migrating" or "none"
	Label    string
	// Broken: this code meets a schema that it does not work with.
	Broken bool
	Why    string
}

// Within the step that runs the migration, the schema changes between these two moments.
const migrationFrom, migrationTo = 0.15, 0.5

// timeline draws the report's order, or where no order is safe, one of those that fail: as the services are given, with the
// migration where it has to run.
func (d *Document) timeline() timeline {
	order := slices.Clone(d.Order)
	migrates := slices.IndexFunc(d.Services, func(s analyzer.ServiceReport) bool { return s.Migrates })
	if len(order) == 0 {
		for _, s := range d.Services {
			if s.Place == analyzer.Before && !s.Migrates {
				order = append(order, s.Name)
			}
		}
		if migrates >= 0 {
			order = append(order, d.Services[migrates].Name)
		} else {
			order = append(order, analyzer.MigrationStep)
		}
		for _, s := range d.Services {
			if s.Access != analyzer.NoAccess && !slices.Contains(order, s.Name) {
				order = append(order, s.Name)
			}
		}
	}
	step := func(name string) float64 { return float64(slices.Index(order, name)) }
	run := step(analyzer.MigrationStep)
	if migrates >= 0 {
		run = step(d.Services[migrates].Name)
	}
	from, to, end := run+migrationFrom, run+migrationTo, float64(len(order))
	t := timeline{Lanes: []lane{{Name: "schema", Spans: []span{
		{0, from, "old", "old schema", false, ""}, {from, to, "migrating", "migration", false, ""}, {to, end, "new", "new schema", false, ""},
	}}}}
	for _, name := range order {
		t.Steps = append(t.Steps, Clean(name))
	}
	late := d.late() // their old code may have been left behind by the schema already
	for _, s := range d.Services {
		i := step(s.Name)
		if i < 0 {
			continue
		}
		begin, gone := i+0.5, i+1 // the first new process, the last old one
		if s.Rollout == analyzer.Recreate {
			gone = begin
		}
		if s.Migrates && s.Rollout == analyzer.Recreate {
			gone = i + migrationFrom // its old processes stop before the migration
		}
		l := lane{Name: Clean(s.Name)}
		add := func(a, b float64, kind, label string, broken bool, why string) {
			if b > a {
				l.Spans = append(l.Spans, span{a, b, kind, label, broken, why})
			}
		}
		oldBreaks, newBreaks := s.OldCodeNewSchema != analyzer.OK, s.NewCodeOldSchema != analyzer.OK
		why := Clean(s.Reason)
		switch {
		case slices.Contains(late, s.Name):
			add(0, gone, "old", "may break", true, why)
		case oldBreaks && gone > from:
			add(0, from, "old", "old code", false, "")
			add(from, gone, "old", "breaks", true, why)
		default:
			add(0, gone, "old", "old code", false, "")
		}
		if gone < begin {
			add(gone, begin, "none", "down", false, "stopped while the schema changes")
		}
		if newBreaks && begin < to {
			add(begin, to, "new", "breaks", true, why)
			add(to, end, "new", "new code", false, "")
		} else {
			add(begin, end, "new", "new code", false, "")
		}
		t.Lanes = append(t.Lanes, l)
	}
	return t
}

// A piece is a part of a span in which the lane is shared with other code, or is not.
type piece struct {
	From, To float64
	shared   bool
}

// pieces cuts a span where code of another kind begins or ends to run beside it.
func (l lane) pieces(s span) []piece {
	cuts := []float64{s.From, s.To}
	beside := func(o span) bool { return o.Kind != s.Kind && o.Kind != "none" && s.Kind != "none" }
	for _, o := range l.Spans {
		if beside(o) {
			for _, at := range []float64{o.From, o.To} {
				if at > s.From && at < s.To {
					cuts = append(cuts, at)
				}
			}
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var list []piece
	for i := range len(cuts) - 1 {
		p := piece{From: cuts[i], To: cuts[i+1]}
		p.shared = slices.ContainsFunc(l.Spans, func(o span) bool { return beside(o) && o.From < p.To && p.From < o.To })
		list = append(list, p)
	}
	return list
}
