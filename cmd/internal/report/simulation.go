package report

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// failsInRun is the status of code that fails on a real server although the analysis says ok.
const failsInRun analyzer.Status = "breaks (in the run)"

// Combined gives the report with what a simulation has shown: verdict, order and places are those that count. Without a
// simulation it is the report itself.
func (d *Document) Combined() *analyzer.Report {
	if d.Simulation == nil || d.Simulation.Judgment.Verdict == "" {
		return d.Report
	}
	j := &d.Simulation.Judgment
	r := *d.Report
	r.Services = slices.Clone(r.Services)
	for i := range r.Services {
		s := &r.Services[i]
		k := slices.IndexFunc(j.Services, func(e analyzer.ServiceEvidence) bool { return e.Name == s.Name })
		if k < 0 {
			continue
		}
		e := j.Services[k]
		var parts []string
		if e.OldCode == analyzer.Unpredicted {
			parts = append(parts, "its old code failed at "+states(e.OldStates))
			if s.OldCodeNewSchema == analyzer.OK {
				s.OldCodeNewSchema = failsInRun
			}
			if s.Migrates && s.Rollout != analyzer.Recreate && !s.Window {
				s.Window, s.WindowReason = true, "old processes that still run while the schema changes break, until new ones have replaced them"
			}
			if d.fails(s.Name, analyzer.OldCode) && s.CanRollBack {
				s.CanRollBack, s.RollbackReason = false, "after the migration its old code cannot come back"
			}
		}
		if e.NewCode == analyzer.Unpredicted {
			parts = append(parts, "its new code failed at "+states(e.NewStates))
			if s.NewCodeOldSchema == analyzer.OK && !s.Migrates {
				s.NewCodeOldSchema = failsInRun
			}
		}
		if len(parts) > 0 {
			reason := "in the run " + strings.Join(parts, " and ") + ", which the analysis does not predict"
			if s.Place != analyzer.Anywhere && s.Reason != "" {
				reason += "; by analysis " + s.Reason
			}
			s.Reason = reason
		}
		if e.OldCode == analyzer.Unpredicted {
			s.Place |= analyzer.Before
		}
		if e.NewCode == analyzer.Unpredicted && !s.Migrates {
			s.Place |= analyzer.After
		}
	}
	if j.Verdict != r.Verdict || !slices.Equal(j.Order, r.Order) {
		r.Verdict, r.Order, r.Why = j.Verdict, j.Order, j.Why
	}
	return &r
}

// fails tells whether a service's code failed on the schema after the last step of a database.
func (d *Document) fails(service string, code analyzer.Breaks) bool {
	for i := range d.Simulation.Databases {
		db := &d.Simulation.Databases[i]
		last, whole := lastState(db)
		if whole && slices.ContainsFunc(db.Cells, func(c analyzer.Cell) bool {
			return c.Service == service && c.Code == code && c.State == last && c.Failed > 0
		}) {
			return true
		}
	}
	return false
}

// answer is the first line: the combined answer, and where the run made it stricter, that it did.
func (d *Document) answer() string {
	if d.Simulation == nil || d.Simulation.Judgment.Verdict == "" {
		return Answer(d.Report)
	}
	s, j, ended := Answer(d.Combined()), &d.Simulation.Judgment, ""
	for i := range d.Simulation.Databases {
		db := &d.Simulation.Databases[i]
		if last, whole := lastState(db); !whole {
			ended = fmt.Sprintf("the upgrade itself failed in the run, at step %d of %d", last+1, len(db.Steps))
			break
		}
	}
	switch {
	case j.Verdict == analyzer.Unproven && d.Verdict != analyzer.Unproven:
		return "Unproven: " + cmp.Or(ended, "a failure in the run was not predicted, and no order avoids it") +
			"; the analysis alone allows " + verdictWords(d.Verdict, d.Order) + "."
	case j.Verdict != d.Verdict || !slices.Equal(j.Order, d.Order):
		s += " Failures in the run rule out what the analysis alone allows (" + verdictWords(d.Verdict, d.Order) + ")."
	}
	if ended != "" {
		s += " T" + ended[1:] + "."
	}
	return s
}

// endedText says where an upgrade ended early, "" if it did not.
func endedText(db *analyzer.SimulatedDatabase) string {
	last, whole := lastState(db)
	if whole {
		return ""
	}
	s := &db.Steps[last]
	return fmt.Sprintf("THE UPGRADE FAILED at step %d of %d (%s) with %s. What comes after it was not run.", last+1, len(db.Steps),
		cmp.Or(place(s.Statement.Pos), statement(s.Statement.SQL, maxQuoted)), errorText(*s.Error))
}

// verdictWords says a verdict in the middle of a sentence.
func verdictWords(v analyzer.Verdict, order []string) string {
	switch v {
	case analyzer.NoChange:
		return "any order, as nothing changes"
	case analyzer.AnyOrder:
		return "any order"
	case analyzer.Ordered:
		return orderWords(order)
	case analyzer.Split:
		return "no order"
	}
	return string(v)
}

func orderWords(order []string) string {
	words := make([]string, len(order))
	for i, s := range order {
		words[i] = Clean(s)
	}
	return strings.Join(words, ", then ")
}

// lastState gives the number of the last state that was reached, and whether it is the target's schema.
func lastState(db *analyzer.SimulatedDatabase) (last int, whole bool) {
	for _, s := range db.Steps {
		if s.Error != nil {
			return last, false
		}
		last++
	}
	return last, true
}

// states gives numbers of states: "state 3", "states 1–3, 5".
func states(n []int) string {
	switch len(n) {
	case 0:
		return "no state"
	case 1:
		return "state " + strconv.Itoa(n[0])
	}
	return "states " + ranges(n)
}

// ranges gives sorted numbers with runs of three and more shortened: "1–3, 5".
func ranges(n []int) string {
	n = slices.Compact(slices.Sorted(slices.Values(n)))
	var parts []string
	for i := 0; i < len(n); {
		k := i
		for k+1 < len(n) && n[k+1] == n[k]+1 {
			k++
		}
		if k-i < 2 {
			k = i
			parts = append(parts, strconv.Itoa(n[i]))
		} else {
			parts = append(parts, fmt.Sprintf("%d–%d", n[i], n[k]))
		}
		i = k + 1
	}
	return strings.Join(parts, ", ")
}

// codeName gives "old" or "new".
func codeName(code analyzer.Breaks) string {
	if code == analyzer.NewCode {
		return "new"
	}
	return "old"
}

// A cellMark says what a cell of the matrix holds.
type cellMark uint8

const (
	cellAbsent  cellMark = iota // it cannot occur in any order
	cellUnsent                  // it can, and there was nothing to run
	cellOK                      // no statement failed
	cellChanged                 // none failed, but some gave other rows or warnings
	cellFailed
)

// A matrixCell is a cell as it is printed.
type matrixCell struct {
	text string
	mark cellMark
	own  bool // code on its own schema
	out  bool // it was run, but cannot occur in any order
}

type matrixRow struct {
	service, code string
	cells         []matrixCell
}

type matrixColumn struct{ from, to int }

// A matrix is every version of every service's code on every state of a database's schema.
type matrix struct {
	columns []matrixColumn
	rows    []matrixRow
	last    int
	whole   bool // the last state is the target's schema
}

// maxColumns is the number of columns from which neighbours that are equal are shown as one.
const maxColumns = 8

// unreachable tells whether a cell cannot occur in any order: a service that migrates starts its new code on the new schema.
func (d *Document) unreachable(db *analyzer.SimulatedDatabase, c *analyzer.Cell) bool {
	return c.Code == analyzer.NewCode && c.State < len(db.Steps) && d.migrates(c.Service)
}

func (d *Document) migrates(service string) bool {
	return slices.ContainsFunc(d.Services, func(s analyzer.ServiceReport) bool { return s.Name == service && s.Migrates })
}

func (d *Document) newMatrix(db *analyzer.SimulatedDatabase) *matrix {
	m := &matrix{}
	m.last, m.whole = lastState(db)
	for _, c := range db.Cells {
		code := codeName(c.Code)
		if c.Overlap {
			code += " after new"
		}
		i := slices.IndexFunc(m.rows, func(r matrixRow) bool { return r.service == c.Service && r.code == code })
		if i < 0 {
			i = len(m.rows)
			m.rows = append(m.rows, matrixRow{c.Service, code, make([]matrixCell, m.last+1)})
			for k := range m.rows[i].cells {
				m.rows[i].cells[k].text = "-"
			}
		}
		if c.State < 0 || c.State > m.last {
			continue
		}
		cell := newCell(&c)
		cell.own = !c.Overlap && (c.Code == analyzer.OldCode && c.State == 0 || c.Code == analyzer.NewCode && m.whole && c.State == m.last)
		if d.unreachable(db, &c) {
			cell.out = true
			cell.text = "(" + cell.text + ")"
		}
		m.rows[i].cells[c.State] = cell
	}
	for i := range m.last + 1 {
		m.columns = append(m.columns, matrixColumn{i, i})
	}
	return m
}

// collapse puts neighbouring columns together that say the same. The first and the last stay alone.
func (m *matrix) collapse() {
	var out []matrixColumn
	for _, c := range m.columns {
		if n := len(out); n > 0 && out[n-1].from > 0 && !(m.whole && c.to == m.last) && m.same(out[n-1].from, c.from) {
			out[n-1].to = c.to
			continue
		}
		out = append(out, c)
	}
	m.columns = out
}

func (m *matrix) same(a, b int) bool {
	return !slices.ContainsFunc(m.rows, func(r matrixRow) bool { return r.cells[a] != r.cells[b] })
}

func (m *matrix) title(c matrixColumn) string {
	switch {
	case c.from == 0:
		return "0 deployed"
	case m.whole && c.from == m.last:
		return strconv.Itoa(m.last) + " target"
	case c.from == c.to:
		return strconv.Itoa(c.from)
	}
	return fmt.Sprintf("%d–%d", c.from, c.to)
}

// marks tells which marks occur in the matrix.
func (m *matrix) marks() (failed, absent, out, unsent, changed, warned, overlap bool) {
	for _, r := range m.rows {
		overlap = overlap || strings.HasSuffix(r.code, "after new")
		for _, c := range r.cells {
			failed = failed || c.mark == cellFailed
			absent = absent || c.mark == cellAbsent
			out = out || c.out
			unsent = unsent || c.mark == cellUnsent
			changed = changed || strings.Contains(c.text, "≠")
			warned = warned || strings.Contains(c.text, "!")
		}
	}
	return
}

// newCell gives "ok", "1054 ×12" or "1054+1364 ×12" (transactions that failed), "ok ≠3" (results that differ), "ok !2" (new warnings) or "none" (nothing was run).
func newCell(c *analyzer.Cell) matrixCell {
	if c.Sent == 0 && c.Failed == 0 {
		return matrixCell{text: "none", mark: cellUnsent}
	}
	if c.Failed > 0 {
		const most = 2
		var codes []string
		for _, f := range c.Failures {
			if name := codeText(f.Error.Code); len(codes) <= most && !slices.Contains(codes, name) {
				codes = append(codes, name)
			}
		}
		if len(codes) > most {
			codes = append(codes[:most], "…")
		}
		if len(codes) == 0 {
			codes = []string{"failed"}
		}
		return matrixCell{text: fmt.Sprintf("%s ×%d", strings.Join(codes, "+"), c.Failed), mark: cellFailed}
	}
	cell := matrixCell{text: "ok", mark: cellOK}
	if n := max(c.ChangedCount, len(c.Changed)); n > 0 {
		cell.text += fmt.Sprintf(" ≠%d", n)
		cell.mark = cellChanged
	}
	warnings := 0
	for _, w := range c.Warnings {
		warnings += w.Count
	}
	if warnings > 0 {
		cell.text += fmt.Sprintf(" !%d", warnings)
		cell.mark = cellChanged
	}
	return cell
}

// codeText gives an error's number; where the server gave none it did not end the statement itself.
func codeText(code int) string {
	if code == 0 {
		return "stopped"
	}
	return strconv.Itoa(code)
}

// errorText gives "1054 Unknown column …".
func errorText(e analyzer.ServerError) string {
	if e.Code == 0 {
		return Clean(e.Message)
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", e.Code, Clean(e.Message)))
}

// A failed is what failed in the same way in several states.
type failed struct {
	who    string // "app old"
	states []int
	least  int // transactions in a state
	most   int
	analyzer.Failure
}

func (f failed) count() string {
	s := plural(f.most, "transaction")
	switch {
	case len(f.states) == 1:
	case f.least == f.most:
		s += " each"
	default:
		s = fmt.Sprintf("%d to %s", f.least, s)
	}
	return s
}

// failures gives the failures of a database, those that are alike in several states together, in the order of the cells.
// Those that cannot occur in any order are left out.
func (d *Document) failures(db *analyzer.SimulatedDatabase) []failed {
	type key struct {
		who, table, message string
		code                int
	}
	at := map[key]int{}
	var all []failed
	for _, c := range db.Cells {
		if d.unreachable(db, &c) {
			continue
		}
		who := c.Service + " " + codeName(c.Code)
		if c.Overlap {
			who += " after new"
		}
		for _, f := range c.Failures {
			k := key{who, f.Table, f.Error.Message, f.Error.Code}
			i, ok := at[k]
			if !ok {
				i = len(all)
				at[k] = i
				all = append(all, failed{who: who, least: f.Count, Failure: f})
			}
			all[i].least, all[i].most = min(all[i].least, f.Count), max(all[i].most, f.Count)
			if n := len(all[i].states); n == 0 || all[i].states[n-1] != c.State {
				all[i].states = append(all[i].states, c.State)
			}
		}
	}
	return all
}

// A changed is results that differ, of the same statement in several states.
type changed struct {
	who    string
	states []int
	analyzer.ChangedResult
}

func (d *Document) changedResults(db *analyzer.SimulatedDatabase) []changed {
	type key struct{ who, sql string }
	at := map[key]int{}
	var all []changed
	for _, c := range db.Cells {
		if d.unreachable(db, &c) {
			continue
		}
		who := c.Service + " " + codeName(c.Code)
		if c.Overlap {
			who += " after new"
		}
		for _, r := range c.Changed {
			k := key{who, r.SQL}
			i, ok := at[k]
			if !ok {
				i = len(all)
				at[k] = i
				all = append(all, changed{who: who, ChangedResult: r})
			}
			if n := len(all[i].states); n == 0 || all[i].states[n-1] != c.State {
				all[i].states = append(all[i].states, c.State)
			}
		}
	}
	return all
}

// orderText gives a line about an order that was tried.
func (d *Document) orderText(o analyzer.OrderEvidence) string {
	names := make([]string, len(o.Order))
	for i, s := range o.Order {
		names[i] = Clean(s)
	}
	line := strings.Join(names, ", ") + ": "
	var where []string
	for i, f := range o.Failed {
		if i == maxAlike && len(o.Failed) > maxAlike+1 {
			where = append(where, fmt.Sprintf("and %d more", len(o.Failed)-i))
			break
		}
		db := ""
		if f.Database != "" {
			db = " of " + Clean(f.Database)
		}
		what := codeText(f.Error.Code)
		if f.Error.Code == 0 {
			what = shorten(errorText(f.Error), maxQuoted)
		}
		where = append(where, fmt.Sprintf("%s code of %s at state %d%s with %s", codeName(f.Code), Clean(f.Service), f.State, db, what))
	}
	list := strings.Join(where, "; ")
	switch {
	case d.endedEarly():
		return line + strings.TrimSuffix("FAILS: the upgrade itself does not run to its end; "+list, "; ")
	case len(o.Failed) == 0 && o.Safe:
		return line + "ran without an error"
	case o.Window:
		return line + "ran without an error but for the window, which every order has: " + list
	case o.Safe:
		return line + "safe; failed: " + list
	case list == "":
		return line + "FAILS"
	}
	return line + "FAILS: " + list
}

func (d *Document) endedEarly() bool {
	return slices.ContainsFunc(d.Simulation.Databases, func(db analyzer.SimulatedDatabase) bool {
		_, whole := lastState(&db)
		return !whole
	})
}

// outcome gives what the run says of one version of a service's code.
func (d *Document) outcome(e analyzer.ServiceEvidence, code analyzer.Breaks) string {
	if code == analyzer.OldCode {
		return outcomeText(e.OldCode, e.OldFailed, e.OldStates)
	}
	if d.migrates(e.Name) {
		return "cannot occur: it migrates"
	}
	return outcomeText(e.NewCode, e.NewFailed, e.NewStates)
}

// outcomeText says how an outcome stands to what was predicted.
func outcomeText(o analyzer.Outcome, failed bool, at []int) string {
	switch o {
	case analyzer.Confirmed:
		if failed {
			return "fails at " + states(at) + ", as predicted"
		}
		return "works, as predicted"
	case analyzer.Refuted:
		return "did not fail, although predicted to break"
	case analyzer.Unpredicted:
		return "FAILS at " + states(at) + ", NOT PREDICTED"
	case analyzer.NotExercised, "":
		return "nothing was run that could tell"
	}
	return Clean(string(o))
}

// serverText gives the line about the server.
func serverText(s *analyzer.SimulatedServer) string {
	how := map[string]string{"docker": "in Docker", "local": "a local server", "dsn": "the server of --dsn"}[s.Engine]
	if how == "" {
		how = Clean(s.Engine)
	}
	return strings.TrimSpace(Clean(s.Name)) + " (" + how + ")"
}

// loadText gives a sentence about what the deployed database was made of.
func loadText(l *analyzer.SimulatedLoad) string {
	var s string
	size := plural(l.Tables, "table")
	made := fmt.Sprintf("%s made up (seed %d)", rowsText(l.Rows), l.Seed)
	switch l.From {
	case "dump":
		return fmt.Sprintf("The deployed database was loaded from the dump: %s, %s", size, rowsText(l.Rows))
	case "migrations":
		s = fmt.Sprintf("The deployed schema was built by running its migrations (%s): %s, %s", plural(l.Statements, "statement"), size, made)
	default:
		s = fmt.Sprintf("The deployed schema was built as instep works it out, not by running its migrations: %s, %s", size, made)
		if l.Because != "" {
			s += ". Why: " + l.Because
		}
	}
	return s
}

func rowsText(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return thousands(n) + " rows"
}

// thousands writes a number with commas.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// duration gives milliseconds for people.
func duration(millis float64) string {
	switch {
	case math.IsNaN(millis) || math.IsInf(millis, 0) || millis < 0:
		return "?"
	case millis == 0:
		return "0"
	case millis < 1:
		return "<1 ms"
	case millis < 1000:
		return fmt.Sprintf("%.0f ms", millis)
	case millis < 60_000:
		return fmt.Sprintf("%.1f s", millis/1000)
	}
	return fmt.Sprintf("%.0f min %.0f s", math.Floor(millis/60_000), math.Mod(millis, 60_000)/1000)
}

// how gives an algorithm and a lock as the estimate writes them.
func how(algorithm, lock string) string {
	switch {
	case lock == "":
		return algorithm
	case algorithm == "":
		return "LOCK=" + lock
	}
	return algorithm + ", LOCK=" + lock
}

// place gives file:line of a statement, the file without its folders.
func place(p schema.Pos) string {
	if p.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", Clean(path.Base(p.File)), p.Line)
}

// stepNotes gives what there is to say about a step besides its numbers, worst first.
func stepNotes(s *analyzer.SimulatedStep) []string {
	var notes []string
	if s.Error != nil {
		n := "FAILED with " + errorText(*s.Error) + ": the upgrade ends here"
		switch s.Predicted {
		case "":
			n += "; the analysis does not predict it"
		default:
			n += "; the analysis says so (" + s.Predicted + ")"
		}
		notes = append(notes, n)
	}
	if s.OnRows != nil {
		n := "fails on some rows with " + errorText(*s.OnRows) + ": whether production has such rows is not known"
		if s.Error == nil {
			if s.Predicted != "" {
				n += "; the analysis says so (" + s.Predicted + ")"
			} else {
				n += "; the analysis does not predict it"
			}
		}
		notes = append(notes, n)
	}
	if s.Skipped != "" {
		notes = append(notes, "not run: "+s.Skipped)
	}
	for _, t := range []struct {
		who string
		t   analyzer.Traffic
	}{{"the reader", s.Reader}, {"the writer", s.Writer}} {
		for i, e := range t.t.Errors {
			if i == 3 && len(t.t.Errors) > 4 {
				notes = append(notes, fmt.Sprintf("%s met %d more kinds of errors", t.who, len(t.t.Errors)-i))
				break
			}
			notes = append(notes, fmt.Sprintf("%s met %s ×%d", t.who, errorText(analyzer.ServerError{Code: e.Code, Message: e.Message}), e.Count))
		}
	}
	if s.RowVersions > 0 && s.RowVersionLimit > 0 {
		notes = append(notes, fmt.Sprintf("the table has used %d of its %d row versions", s.RowVersions, s.RowVersionLimit))
	}
	return notes
}

// lockWaitText says what happened behind an idle transaction, for a table.
func lockWaitText(l *analyzer.LockWait) string {
	switch {
	case l == nil:
		return "-"
	case l.Error == nil:
		return "waited " + duration(l.Millis)
	}
	return codeText(l.Error.Code) + " after " + duration(l.Millis)
}

// worstReader is the longest that a reader waited behind a step that itself waited for a lock.
func worstReader(steps []analyzer.SimulatedStep) float64 {
	var worst float64
	for _, s := range steps {
		if s.LockWait != nil {
			worst = max(worst, s.LockWait.ReaderMillis)
		}
	}
	return worst
}

// faultTitles name the kinds of faults, in the order in which they are printed.
var faultTitles = []struct{ kind, title string }{
	{"stopped", "stopped after"},
	{"killed", "server killed during"},
	{"two-migrators", "two migrators at once"},
	{"lost", "data lost by"},
	{"rollback", "old code back after new code has written"},
	{"down", "the way down"},
}

// A faultLine is several faults of a kind that end well, or one that does not.
type faultLine struct{ title, text string }

// faultLines gives the bad ones first, and those of a kind that end well in one line.
func faultLines(db *analyzer.SimulatedDatabase) []faultLine {
	var bad, good []faultLine
	kinds := make([]string, 0, len(faultTitles))
	titles := map[string]string{}
	for _, t := range faultTitles {
		kinds = append(kinds, t.kind)
		titles[t.kind] = t.title
	}
	for _, f := range db.Faults {
		if !slices.Contains(kinds, f.Kind) {
			kinds = append(kinds, f.Kind)
			titles[f.Kind] = Clean(f.Kind)
		}
	}
	for _, kind := range kinds {
		well := map[string][]int{} // steps, by what is said of them
		var said []string
		for _, f := range db.Faults {
			if f.Kind != kind {
				continue
			}
			harmless := !f.Bad && f.ByHand == "" && len(f.Lost) == 0 && f.State >= 0 && f.Rerun == nil
			if harmless && f.Step > 0 {
				what := "the database is in a known state, and running the upgrade again succeeds"
				if !f.Retried {
					what = cmp.Or(f.What, "the database is in a known state")
				}
				if well[what] == nil {
					said = append(said, what)
				}
				well[what] = append(well[what], f.Step)
				continue
			}
			title := titles[kind]
			if f.Step > 0 {
				title += fmt.Sprintf(" step %d", f.Step)
			}
			if l := (faultLine{title, faultText(&f)}); harmless {
				good = append(good, l)
			} else {
				bad = append(bad, l)
			}
		}
		for _, what := range said {
			word := " step "
			if len(well[what]) > 1 {
				word = " steps "
			}
			good = append(good, faultLine{titles[kind] + word + ranges(well[what]), what})
		}
	}
	return append(bad, good...)
}

func faultText(f *analyzer.Fault) string {
	var parts []string
	// The title has said some of it.
	what := strings.TrimPrefix(strings.TrimSuffix(f.What, "."), fmt.Sprintf("the migrator stops after step %d, ", f.Step))
	if sql, ok := strings.CutPrefix(what, fmt.Sprintf("step %d (", f.Step)); ok && f.Kind == "lost" {
		what = strings.Replace(sql, ") loses data", "", 1)
	}
	retold := strings.Contains(what, "; a re-run ")
	if retold && f.Rerun != nil {
		what += " with " + errorText(*f.Rerun)
	}
	if what != "" {
		parts = append(parts, what)
	}
	switch {
	case f.State < 0:
		parts = append(parts, "the database is in none of the known states")
	case f.Step > 0 && (f.Kind == "stopped" || f.Kind == "killed"), f.Kind == "two-migrators": // without a step it tells what was not tried
		parts = append(parts, fmt.Sprintf("the database is in state %d", f.State))
	}
	switch {
	case retold:
	case f.Retried && f.Rerun == nil:
		parts = append(parts, "running the upgrade again succeeds")
	case f.Rerun != nil:
		parts = append(parts, "running the upgrade again fails with "+errorText(*f.Rerun))
	}
	if len(f.Lost) > 0 {
		lost := slices.Clone(f.Lost)
		if n := len(lost) - maxDriftNames; n > 1 {
			lost = append(lost[:maxDriftNames], fmt.Sprintf("and %d more", n))
		}
		parts = append(parts, "LOST: "+strings.Join(lost, ", "))
	}
	if f.ByHand != "" {
		parts = append(parts, "by hand: "+strings.TrimSuffix(f.ByHand, "."))
	}
	return strings.Join(parts, "; ")
}

// workloadText says how much of the schema a workload exercised.
func workloadText(w *analyzer.SimulatedWorkload) string {
	s := fmt.Sprintf("%s, %d of %s, %d of %s, %s", plural(w.Transactions, "transaction"),
		w.Tables, plural(w.TablesOf, "table"), w.Columns, plural(w.ColumnsOf, "column"), cmp.Or(w.Uses.String(), "no use"))
	if w.Source != "" {
		s += "; " + w.Source
	}
	if w.Invalid > 0 {
		s += fmt.Sprintf("; %d left out because they fail on the code's own schema", w.Invalid)
		if e := errorCounts(w.InvalidErrors); e != "" {
			s += " (" + e + ")"
		}
	}
	if n := len(w.Unread); n > 0 {
		s += fmt.Sprintf("; %s could not be used: %s", plural(n, "statement"), strings.Join(w.Unread[:min(n, 3)], "; "))
		if n > 3 {
			s += fmt.Sprintf(" and %d more", n-3)
		}
	}
	return s
}

func errorCounts(errors []analyzer.ErrorCount) string {
	var parts []string
	for _, e := range errors {
		parts = append(parts, fmt.Sprintf("%s ×%d", codeText(e.Code), e.Count))
	}
	return strings.Join(parts, ", ")
}
