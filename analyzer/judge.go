package analyzer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"instep/analyzer/schema"
)

// Judge sets what a simulation has shown beside what the analysis says. It fills in s.Judgment, and Predicted and Estimated of
// every step; r is not changed.
//
// Evidence can only make the answer stricter. A failure that the analysis does not give counts as if a hazard had given it. What
// the analysis gives and no statement has shown still counts: a workload is a sample, and what did not fail here may fail with
// other rows and other statements.
func Judge(r *Report, s *Simulation) {
	j := &judge{r: r, s: s}
	for i := range s.Databases {
		j.steps(&s.Databases[i])
	}
	for _, sr := range r.Services {
		j.services = append(j.services, j.service(sr))
	}
	j.orders()
	j.evidence()
	j.combine()
	if s.Judgment.Unpredicted == nil {
		s.Judgment.Unpredicted = []string{}
	}
}

type judge struct {
	r        *Report
	s        *Simulation
	services []judged // as Report.Services
	stopped  []string // why the upgrade cannot be passed, each a sentence
	doubts   []string // what was not predicted and no order avoids, each a sentence
	sent     int      // transactions that were run on states of the other schema
	overlaps int      // transactions in which old code met rows that new code had written
}

// judged is a service with what is known about it.
type judged struct {
	report   ServiceReport
	evidence ServiceEvidence
	// unpredicted are the demands that failures make which the analysis does not give.
	unpredicted Place
}

// sameStatement reports whether two statements are the same one of a migration.
func sameStatement(a, b schema.Statement) bool { return a.Pos == b.Pos && a.SQL == b.SQL }

// steps fills in what the analysis says about each statement, and takes note of those that failed, and of a database that is another
// one than the analysis is about.
func (j *judge) steps(d *SimulatedDatabase) {
	if n := len(d.Load.Differences); n > 0 {
		count := "one difference"
		if n > 1 {
			count = fmt.Sprintf("%d differences, the first", n)
		}
		j.doubts = append(j.doubts, fmt.Sprintf("the server's schema%s is not the one that was analysed (%s: %s)", inDatabase(d), count, d.Load.Differences[0]))
		j.unpredicted(j.doubts[len(j.doubts)-1])
	}
	for i := range d.Steps {
		st := &d.Steps[i]
		for _, c := range j.r.Costs {
			if c.Database == d.Name && sameStatement(c.Statement, st.Statement) && c.Algorithm != "" {
				st.Estimated = c.Algorithm
				if c.Lock != "" {
					st.Estimated += ", LOCK=" + c.Lock
				}
				break
			}
		}
		if st.Error == nil && st.OnRows == nil {
			continue
		}
		st.Predicted = j.running(d.Name, st)
		where := st.Statement.Pos.String()
		if st.Error != nil {
			why := fmt.Sprintf("the upgrade does not get past the statement at %s: %s", where, st.Error.text())
			j.stopped = append(j.stopped, why)
			if st.Predicted == "" {
				j.unpredicted(why + ", which the analysis does not say")
			}
			continue
		}
		if st.Predicted == "" {
			j.doubts = append(j.doubts, fmt.Sprintf("rows exist on which the statement at %s fails (%s), and the analysis does not say so", where, st.OnRows.text()))
			j.unpredicted(j.doubts[len(j.doubts)-1])
		}
	}
}

// running gives the rule of a hazard that says that a statement may fail; one that surely does comes first.
func (j *judge) running(database string, st *SimulatedStep) string {
	rule := ""
	for _, list := range [][]Finding{j.r.Hazards, j.r.Ignored} {
		for _, f := range list {
			if f.Breaks&Running == 0 || f.Database != database || f.Rule == nil {
				continue
			}
			same := f.Pos == st.Statement.Pos
			if f.Change != nil {
				if by := f.Change.Statement(); by != nil {
					same = sameStatement(*by, st.Statement)
				}
			}
			if same && (rule == "" || f.Refused) {
				rule = f.Rule.ID
				if f.Refused {
					return rule
				}
			}
		}
	}
	return rule
}

func (j *judge) unpredicted(sentence string) {
	list := &j.s.Judgment.Unpredicted
	if !slices.Contains(*list, sentence) {
		*list = append(*list, sentence)
	}
}

// text gives an error as the middle of a sentence.
func (e ServerError) text() string {
	if e.Code == 0 {
		return e.Message
	}
	return fmt.Sprintf("error %d, %s", e.Code, e.Message)
}

// last gives the number of the last state that was to be reached.
func last(d *SimulatedDatabase) int { return len(d.Steps) }

// other reports whether a state is one on which the code may break: any but its own.
func other(d *SimulatedDatabase, code Breaks, state int) bool {
	return code == OldCode && state > 0 || code == NewCode && state < last(d)
}

// own reports whether a state is the one that new code is written for. What fails there fails in every order: a trigger that has
// gone stale.
func own(d *SimulatedDatabase, code Breaks, state int) bool {
	return code == NewCode && state == last(d)
}

// service weighs the evidence about one service.
func (j *judge) service(r ServiceReport) judged {
	g := judged{report: r, evidence: ServiceEvidence{Name: r.Name, OldStates: []int{}, NewStates: []int{}}}
	e := &g.evidence
	var sent [NewCode + 1]int
	missed := map[Breaks]bool{} // a failure that no hazard gives, ignored or not
	for i := range j.s.Databases {
		d := &j.s.Databases[i]
		for _, c := range d.Cells {
			if c.Service != r.Name || c.Code > NewCode {
				continue
			}
			everywhere := own(d, c.Code, c.State) && c.Failed > 0
			if !other(d, c.Code, c.State) && !everywhere {
				continue
			}
			if c.Overlap {
				j.overlap(d, r, c)
				continue
			}
			sent[c.Code] += c.Sent
			if c.Failed == 0 {
				continue
			}
			if everywhere {
				e.Place = Nowhere
			}
			if c.Code == OldCode {
				e.OldFailed = true
				e.OldStates = append(e.OldStates, c.State)
			} else {
				e.NewFailed = true
				e.NewStates = append(e.NewStates, c.State)
			}
			foreseen := predicted(r, c.Code)
			if everywhere {
				foreseen = j.r.Verdict == Split
			}
			if foreseen || j.ignored(d, r, c) {
				continue
			}
			missed[c.Code] = true
			if everywhere {
				g.unpredicted = Nowhere
			}
			j.unpredicted(j.sentence(d, c))
		}
	}
	for _, list := range []*[]int{&e.OldStates, &e.NewStates} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	j.sent += sent[OldCode] + sent[NewCode]
	e.OldCode = outcome(predicted(r, OldCode), e.OldFailed, missed[OldCode], sent[OldCode])
	e.NewCode = outcome(predicted(r, NewCode), e.NewFailed, missed[NewCode], sent[NewCode])
	if e.OldFailed {
		e.Place |= Before
	}
	if e.NewFailed && !r.Migrates {
		e.Place |= After
	}
	if missed[OldCode] {
		g.unpredicted |= Before
	}
	if missed[NewCode] && !r.Migrates {
		g.unpredicted |= After
	}
	return g
}

// predicted reports whether the analysis says that a version of a service's code breaks on the other schema.
func predicted(r ServiceReport, code Breaks) bool {
	if code == OldCode {
		return r.OldCodeNewSchema != OK && r.OldCodeNewSchema != ""
	}
	return r.NewCodeOldSchema != OK && r.NewCodeOldSchema != ""
}

func outcome(predicted, failed, missed bool, sent int) Outcome {
	switch {
	case missed:
		return Unpredicted
	case failed:
		return Confirmed // by a hazard, or by one that the user has decided to live with
	case sent == 0:
		return NotExercised
	case predicted:
		return Refuted
	}
	return Confirmed
}

// explains reports whether a hazard can be what a statement failed with. A caution that does not come from rows is about code that does
// something unusual, for which servers have errors of their own: nearly every change has such a caution, so it explains no others.
func explains(h Finding, e ServerError) bool {
	if !h.Caution || h.Mediated {
		return true
	}
	if _, ok := h.Change.(*schema.ReorderColumns); ok {
		return true // what is put by position may be refused in any way
	}
	switch e.Code {
	case 1052, 1136, 1176, 1222, 1267, 1271, 1364, 1735, 1747:
		return true
	}
	return false
}

// ignored reports whether the user's ignores cover all failures of a cell: each is about a table that an ignored hazard is about.
func (j *judge) ignored(d *SimulatedDatabase, r ServiceReport, c Cell) bool {
	if len(c.Failures) == 0 {
		return false
	}
	for _, f := range c.Failures {
		if !slices.ContainsFunc(j.r.Ignored, func(h Finding) bool {
			return h.Database == d.Name && h.Breaks&c.Code != 0 && about(h, f.Table) && explains(h, f.Error) && r.Access.Allows(h.Use) != 0
		}) {
			return false
		}
	}
	return true
}

// about reports whether a hazard is about a table by one of its names.
func about(h Finding, table string) bool {
	switch {
	case h.Hits.Kind == schema.KindDatabase, h.Hits.Table != "" && h.Hits.Table == table:
		return true
	case h.Hits.Kind == schema.KindView && h.Hits.Name == table:
		return true
	}
	if h.Change == nil {
		return false
	}
	for name := range tablesOf(h.Change) {
		if name == table {
			return true
		}
	}
	return false
}

// overlap weighs what old code met on rows that new code had written. No place of a service avoids it, for both run at once in
// every order. The hazards that speak of it are cautions that are mediated by rows; they do not decide an order, so neither does
// what they predict.
func (j *judge) overlap(d *SimulatedDatabase, r ServiceReport, c Cell) {
	j.overlaps += c.Sent
	for _, f := range c.Failures {
		known := func(h Finding) bool {
			return h.Database == d.Name && h.Breaks&OldCode != 0 && about(h, f.Table) && explains(h, f.Error)
		}
		if slices.ContainsFunc(j.r.Hazards, known) || slices.ContainsFunc(j.r.Ignored, known) {
			continue
		}
		j.doubts = append(j.doubts, fmt.Sprintf("old code of %s fails on rows that new code has written%s (%s: %s), and the analysis does not say so", r.Name, inDatabase(d), f.Error.text(), f.SQL))
		j.unpredicted(j.doubts[len(j.doubts)-1])
	}
}

func inDatabase(d *SimulatedDatabase) string {
	if d.Name == "" {
		return ""
	}
	return " in " + databaseName(&Database{Name: d.Name})
}

// stateName says a state as the end of a sentence: "on the new schema".
func stateName(d *SimulatedDatabase, state int) string {
	switch state {
	case 0:
		return "on the old schema"
	case last(d):
		return "on the new schema"
	}
	return fmt.Sprintf("on the schema after statement %d of %d", state, last(d))
}

func codeName(code Breaks) string {
	if code == OldCode {
		return "old code"
	}
	return "new code"
}

// sentence says what failed in a cell although the analysis says that it works.
func (j *judge) sentence(d *SimulatedDatabase, c Cell) string {
	what := count(c.Failed, "transaction") + " failed"
	if len(c.Failures) > 0 {
		f := c.Failures[0]
		what = fmt.Sprintf("%s, the first with %s: %s", what, f.Error.text(), f.SQL)
		if f.Source != "" {
			what += " (" + f.Source + ")"
		}
	}
	return fmt.Sprintf("%s of %s should work %s%s, but %s", codeName(c.Code), c.Service, stateName(d, c.State), inDatabase(d), what)
}

// maxOrdered bounds the services whose places are varied one by one.
const maxOrdered = 5

// orders walks every order that could be deployed through the states that it reaches. Of more services than maxOrdered only
// those orders are walked in which all go first, all go last, and each goes where the evidence wants it.
func (j *judge) orders() {
	j.s.Judgment.Orders = []OrderEvidence{}
	var others, migrating []int
	for i, g := range j.services {
		switch {
		case g.report.Migrates:
			migrating = append(migrating, i)
		case g.report.Access != NoAccess:
			others = append(others, i)
		}
	}
	if len(j.s.Databases) == 0 {
		return
	}
	var early []func(i int) bool // for each order: whether a service goes before the migration
	if len(others) <= maxOrdered {
		for set := range 1 << len(others) {
			early = append(early, func(i int) bool { return set>>slices.Index(others, i)&1 == 1 })
		}
	} else {
		early = append(early,
			func(int) bool { return false },
			func(i int) bool { return j.services[i].evidence.Place&Before != 0 },
			func(int) bool { return true })
	}
	// Of several services that migrate each may be the first, which then does it.
	firsts := migrating
	if len(firsts) == 0 {
		firsts = []int{-1}
	}
	for _, first := range firsts {
		for _, isEarly := range early {
			o := OrderEvidence{Safe: true, Failed: []OrderFailure{}}
			for _, g := range j.services {
				j.walk(&o, g, NewCode, own)
			}
			var before, after []string
			for _, i := range others {
				g := j.services[i]
				if isEarly(i) {
					before = append(before, g.report.Name)
					// Its new code meets every state; its old code is gone before the schema changes.
					j.walk(&o, g, NewCode, other)
				} else {
					after = append(after, g.report.Name)
					j.walk(&o, g, OldCode, other)
				}
			}
			window := len(o.Failed) == 0
			middle := []string{MigrationStep}
			if first >= 0 {
				g := j.services[first]
				middle = []string{g.report.Name}
				if g.report.Rollout != Recreate { // else no old process runs while the schema changes
					j.walk(&o, g, OldCode, other)
				}
				failed := len(o.Failed)
				for _, i := range migrating {
					if i != first {
						middle = append(middle, j.services[i].report.Name)
						j.walk(&o, j.services[i], OldCode, other)
					}
				}
				window = window && failed == len(o.Failed)
			}
			o.Order = slices.Concat(before, middle, after)
			o.Safe = len(o.Failed) == 0 && len(j.stopped) == 0
			o.Window = window && len(o.Failed) > 0
			j.s.Judgment.Orders = append(j.s.Judgment.Orders, o)
		}
	}
}

// walk adds the first failure of one version of a service's code to an order in which it meets the states for which meets holds.
func (j *judge) walk(o *OrderEvidence, g judged, code Breaks, meets func(d *SimulatedDatabase, code Breaks, state int) bool) {
	for i := range j.s.Databases {
		d := &j.s.Databases[i]
		for _, c := range d.Cells {
			if c.Service != g.report.Name || c.Code != code || c.Overlap || c.Failed == 0 || !meets(d, code, c.State) {
				continue
			}
			f := OrderFailure{Database: d.Name, Service: c.Service, Code: code, State: c.State}
			if len(c.Failures) > 0 {
				f.Error, f.SQL = c.Failures[0].Error, c.Failures[0].SQL
			}
			o.Failed = append(o.Failed, f)
			return
		}
	}
}

// passes reports whether an order can be deployed by the evidence: a window is there in every order.
func (j *judge) passes(o OrderEvidence) bool { return len(j.stopped) == 0 && (o.Safe || o.Window) }

// arranged gives the order that follows from the services' places, as Analyze does, and those that exclude each other because
// each migrates and would have to be the first.
func arranged(services []ServiceReport) (order, conflict []string) {
	a := analysis{report: &Report{Services: services}}
	return a.order()
}

// evidence draws the conclusion from what was run alone.
func (j *judge) evidence() {
	out := &j.s.Judgment
	out.Services = []ServiceEvidence{}
	out.EvidenceOrder = []string{}
	var services []ServiceReport
	for _, g := range j.services {
		out.Services = append(out.Services, g.evidence)
		r := g.report
		r.Place = g.evidence.Place
		services = append(services, r)
	}
	pass := 0
	for _, o := range out.Orders {
		if j.passes(o) {
			pass++
		}
	}
	steps := 0
	for i := range j.s.Databases {
		steps += len(j.s.Databases[i].Steps)
	}
	order, _ := arranged(services)
	switch {
	case len(j.stopped) > 0:
		out.Evidence = Unproven
		return
	case steps == 0:
		out.Evidence = NoChange
		return
	case j.sent == 0:
		out.Evidence = Unproven
		return
	case pass == 0:
		out.Evidence = Split
		return
	case pass == len(out.Orders):
		out.Evidence = AnyOrder
	default:
		out.Evidence = Ordered
	}
	// The one that the analysis gives, if it ran; else the one that the places give; else any.
	for _, want := range [][]string{j.r.Order, order} {
		for _, o := range out.Orders {
			if j.passes(o) && slices.Equal(o.Order, want) {
				out.EvidenceOrder = slices.Clone(o.Order)
				return
			}
		}
	}
	for _, o := range out.Orders {
		if j.passes(o) {
			out.EvidenceOrder = slices.Clone(o.Order)
			return
		}
	}
}

// combine gives the verdict that counts.
func (j *judge) combine() {
	out := &j.s.Judgment
	out.Verdict, out.Order = j.r.Verdict, slices.Clone(j.r.Order)
	if out.Order == nil {
		out.Order = []string{}
	}
	var services []ServiceReport
	var nowhere []string
	places, stricter := Anywhere, false
	for _, g := range j.services {
		r := g.report
		stricter = stricter || g.unpredicted&^r.Place != 0
		r.Place |= g.unpredicted
		services = append(services, r)
		if !r.Migrates {
			places |= r.Place
		}
		if r.Place == Nowhere {
			nowhere = append(nowhere, r.Name)
		}
	}
	order, conflict := arranged(services)
	switch {
	case len(j.stopped) > 0 || len(j.doubts) > 0:
		out.Verdict = Unproven
		if out.Evidence == Split || j.r.Verdict == Split {
			out.Verdict = Split // surely no order, whatever else is to be found out
		}
	case j.r.Verdict == Unproven:
		if out.Evidence == Split {
			out.Verdict = Split
		}
	case j.r.Verdict == Split:
	case !stricter:
	case len(nowhere) > 0 || len(conflict) > 0:
		out.Verdict = Split
	case places == Anywhere:
		out.Verdict, out.Order = AnyOrder, order // only the window is new
	default:
		out.Verdict, out.Order = Ordered, order
	}
	if out.Verdict != Ordered && out.Verdict != AnyOrder {
		out.Order = []string{}
	}
	out.Why = j.why(stricter, nowhere, conflict)
}

// why says what follows, and from what, to a person who has to release tonight.
func (j *judge) why(stricter bool, nowhere, conflict []string) string {
	out := &j.s.Judgment
	var refuted []string
	for _, g := range j.services {
		for _, x := range []struct {
			code    Breaks
			outcome Outcome
		}{{OldCode, g.evidence.OldCode}, {NewCode, g.evidence.NewCode}} {
			// New code of the migrating service never meets the old schema, so what is predicted of it decides nothing.
			if x.outcome == Refuted && !(g.report.Migrates && x.code == NewCode) {
				refuted = append(refuted, codeName(x.code)+" of "+g.report.Name)
			}
		}
	}
	ran := fmt.Sprintf("%s ran, of old code on newer schemas and of new code on older ones", count(j.sent, "transaction"))
	if j.sent == 0 {
		ran = "nothing was run that could tell"
	}
	var parts []string
	switch {
	case len(j.stopped) > 0:
		parts = append(parts, j.stopped[0])
		if n := len(j.stopped) - 1; n > 0 {
			parts[0] += fmt.Sprintf(" (and %d more)", n)
		}
		parts = append(parts, "No order is safe until that is mended")
	case out.Verdict == Split && j.r.Verdict != Split && out.Evidence == Split:
		parts = append(parts, "every order was run, and in each a statement failed: "+j.firstFailure(), "Split the release")
	case out.Verdict == Split && j.r.Verdict != Split:
		who := strings.Join(slices.Concat(nowhere, conflict), ", ")
		parts = append(parts, "what failed and what the analysis says leave no order for "+who, "Split the release")
	case len(j.doubts) > 0 && out.Verdict == Unproven:
		parts = append(parts, j.doubts[0])
		if n := len(j.doubts) - 1; n > 0 {
			parts[0] += fmt.Sprintf(" (and %d more)", n)
		}
		parts = append(parts, "No order avoids that, so none is proved safe")
	case j.r.Verdict == Unproven:
		parts = append(parts, "the analysis could not prove an order, and statements that did not fail prove none: "+j.r.Why)
	case j.r.Verdict == Split:
		parts = append(parts, j.r.Why)
		if out.Evidence == Split {
			parts = append(parts, "The simulation agrees: in every order a statement failed, "+j.firstFailure())
		} else if out.Evidence == Ordered || out.Evidence == AnyOrder {
			parts = append(parts, fmt.Sprintf("The simulation met no error in the order %s, but that does not prove it safe", strings.Join(out.EvidenceOrder, ", ")))
		}
	case stricter:
		if out.Verdict == AnyOrder {
			parts = append(parts, "old processes of the migrating service fail while the schema changes, which the analysis does not say")
		} else {
			parts = append(parts, "the analysis allows more than the server: "+j.s.Judgment.Unpredicted[0])
		}
		parts = append(parts, fmt.Sprintf("Deploy %s", strings.Join(out.Order, ", then ")))
	case j.r.Verdict == NoChange:
		parts = append(parts, j.r.Why)
	case j.sent == 0:
		parts = append(parts, "this is the analysis alone, for "+ran+": "+j.r.Why)
	default:
		i := slices.IndexFunc(out.Orders, func(o OrderEvidence) bool { return slices.Equal(o.Order, out.Order) })
		order := strings.Join(out.Order, ", then ")
		said := "no statement failed in any order"
		switch {
		case out.Verdict == AnyOrder && out.Evidence == AnyOrder:
		case i < 0: // not all orders of many services are walked
			said = "the order " + order + " follows from the places of its services"
		case j.passes(out.Orders[i]):
			said = "no statement failed in the order " + order
		default:
			said = "in the order " + order + " no statement failed but for hazards that the configuration ignores"
		}
		if w := j.windows(out.Order); w != "" {
			said += ", but for " + w
		}
		if out.Verdict == Ordered && out.Evidence == Ordered {
			if f := j.firstFailure(); f != "" {
				said += "; in another order " + f
			}
		}
		parts = append(parts, ran+": "+said)
	}
	if len(refuted) > 0 && j.sent > 0 {
		parts = append(parts, fmt.Sprintf("The analysis also expects %s to break, and nothing that was run did: it may be too strict, or no statement came upon it, so it still counts", strings.Join(refuted, ", ")))
	}
	return strings.Join(parts, ". ")
}

// windows says what fails in an order although it counts as one that can be deployed.
func (j *judge) windows(order []string) string {
	for _, o := range j.s.Judgment.Orders {
		if o.Window && slices.Equal(o.Order, order) {
			return fmt.Sprintf("old processes of %s while the schema changes", o.Failed[0].Service)
		}
	}
	return ""
}

// firstFailure says the first failure of an order that cannot be deployed: "old code of app fails on the new schema (error …)".
func (j *judge) firstFailure() string {
	for _, o := range j.s.Judgment.Orders {
		if o.Safe || o.Window {
			continue
		}
		for _, f := range o.Failed {
			i := slices.IndexFunc(j.s.Databases, func(d SimulatedDatabase) bool { return d.Name == f.Database })
			return fmt.Sprintf("%s of %s failed %s (%s)", codeName(f.Code), f.Service, stateName(&j.s.Databases[max(i, 0)], f.State), cmp.Or(f.Error.text(), "no message"))
		}
	}
	return ""
}
