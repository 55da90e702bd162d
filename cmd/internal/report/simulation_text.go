package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/fatih/color"

	"instep/analyzer"
)

const (
	matrixWidth = 100 // columns of the terminal that the matrix fits in
	maxService  = 30  // runes of a service's name in the matrix
	maxSteps    = 60  // pending statements that are listed
	maxFailed   = 20  // failures, orders, notes that are listed
)

// simulation prints what running the upgrade has shown.
func (t *text) simulation() {
	s := t.Simulation
	if s == nil {
		return
	}
	j := &s.Judgment
	t.heading("Run for real on " + serverText(&s.Server))
	if s.Server.Differs != "" {
		t.wrap("note: ", s.Server.Differs)
	}
	for _, n := range s.Server.Notes {
		t.wrap("note: ", n)
	}
	for i := range s.Databases {
		db := &s.Databases[i]
		t.wrap("", databaseOf(db, len(s.Databases))+loadText(&db.Load))
		t.load(db)
		if ended := endedText(db); ended != "" {
			t.wrap("", databaseOf(db, len(s.Databases))+ended)
		}
	}
	if j.Evidence != "" {
		t.wrap("", evidenceText(j))
	}
	if j.Why != "" && (j.Why != t.Why || t.why() == "") {
		t.wrap("", j.Why)
	}
	if len(j.Unpredicted) > 0 {
		t.heading(t.paint("Failures that the analysis does not predict", color.FgRed))
		t.some(j.Unpredicted, func(s string) { t.wrap("  - ", s) })
	}
	for i := range s.Databases {
		db := &s.Databases[i]
		of := ""
		if len(s.Databases) > 1 {
			of = " in " + databaseName(db)
		}
		t.matrix(db, of)
		t.failures(db)
	}
	if len(j.Orders) > 0 {
		t.heading("Orders tried")
		var lines []string
		for _, o := range j.Orders {
			lines = append(lines, t.orderText(o))
		}
		t.some(lines, func(s string) { t.wrap("  ", s) })
	}
	if len(j.Services) > 0 {
		t.heading("Analysis against evidence")
		tw := tabwriter.NewWriter(&t.buf, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tw, "SERVICE\tOLD CODE AFTER THE FIRST STEP\tNEW CODE BEFORE THE LAST STEP")
		for _, e := range j.Services {
			fmt.Fprintf(tw, "%s\t%s\t%s\n", shorten(Clean(e.Name), maxService), t.outcome(e, analyzer.OldCode), t.outcome(e, analyzer.NewCode))
		}
		tw.Flush()
	}
	for i := range s.Databases {
		db := &s.Databases[i]
		of := ""
		if len(s.Databases) > 1 {
			of = " in " + databaseName(db)
		}
		t.steps(db, of)
		t.faults(db, of)
		t.workloads(db, of)
	}
	if s.Server.Connect != "" {
		t.heading("The server was kept")
		t.line("    %s", Clean(s.Server.Connect))
	}
}

// some calls f with the first lines, and counts the rest.
func (t *text) some(lines []string, f func(string)) {
	for i, l := range lines {
		if i == maxFailed && len(lines) > maxFailed+1 {
			t.line("  … and %d more (all are in --format json)", len(lines)-i)
			return
		}
		f(l)
	}
}

func databaseName(db *analyzer.SimulatedDatabase) string {
	if db.Name == "" {
		return "the database"
	}
	return Clean(db.Name)
}

func databaseOf(db *analyzer.SimulatedDatabase, n int) string {
	if n < 2 {
		return ""
	}
	return databaseName(db) + ": "
}

// evidenceText says what the run alone would answer. Nothing that was not run counts in it.
func evidenceText(j *analyzer.Judgment) string {
	s := "By what was run alone: " + verdictWords(j.Evidence, j.EvidenceOrder)
	switch j.Evidence {
	case analyzer.Split:
		s += " ran without an error"
	case analyzer.Ordered, analyzer.AnyOrder:
		s += ", without an error"
	case analyzer.Unproven:
		return "By what was run alone: nothing is proved."
	}
	return s + "."
}

// load prints what is to be said of how the deployed database was made, besides its size.
func (t *text) load(db *analyzer.SimulatedDatabase) {
	l := &db.Load
	if l.Fitted {
		t.wrap("note: ", "the rows avoid values on which a pending statement fails: rows of all kinds were tried first")
	}
	if len(l.Differences) > 0 {
		t.wrap("note: ", map[bool]string{
			true:  "the dump's schema is not the one that the migrations make, so that the analysis is about another one",
			false: "the server's schema is not the one that instep worked out. That is instep's fault: please report it",
		}[l.From == "dump"])
		t.some(l.Differences, func(s string) { t.wrap("      - ", s) })
	}
	var lines []string
	for _, s := range l.Skipped {
		lines = append(lines, skippedText(&s))
	}
	if len(lines) > 0 {
		t.wrap("note: ", plural(len(lines), "statement")+" of the history could not be run")
		t.some(lines, func(s string) { t.wrap("      - ", s) })
	}
}

func skippedText(s *analyzer.SkippedStatement) string {
	line := at(s.Statement.Pos) + statement(s.Statement.SQL, maxQuoted)
	if s.Why != "" {
		line += ": " + s.Why
	}
	if s.Error != nil {
		line += ": " + errorText(*s.Error)
	}
	return line
}

// matrix prints every version of every service's code on every state of the schema.
func (t *text) matrix(db *analyzer.SimulatedDatabase, of string) {
	m := t.newMatrix(db)
	t.heading("Which code works on which state of the schema" + of)
	if len(m.rows) == 0 {
		t.line("no code was run")
	} else {
		names := make([]string, len(m.rows))
		label := 0
		for i, r := range m.rows {
			names[i] = shorten(Clean(r.service), maxService) + " " + r.code
			label = max(label, utf8.RuneCountInString(names[i]))
		}
		if len(m.columns) > maxColumns || m.width(label, m.columns) > matrixWidth {
			m.collapse()
		}
		for rest := m.columns; len(rest) > 0; {
			n := 1
			for n < len(rest) && m.width(label, rest[:n+1]) <= matrixWidth {
				n++
			}
			if len(rest) < len(m.columns) {
				t.line("")
			}
			t.band(m, names, label, rest[:n])
			rest = rest[n:]
		}
	}
	t.legend(db, m)
}

// width gives the width of the matrix with these columns.
func (m *matrix) width(label int, columns []matrixColumn) int {
	w := label
	for _, c := range columns {
		w += 2 + m.columnWidth(c)
	}
	return w
}

func (m *matrix) columnWidth(c matrixColumn) int {
	w := utf8.RuneCountInString(m.title(c))
	for _, r := range m.rows {
		w = max(w, utf8.RuneCountInString(r.cells[c.from].text))
	}
	return w
}

// band prints as many columns of the matrix as fit.
func (t *text) band(m *matrix, names []string, label int, columns []matrixColumn) {
	line := padded("", label)
	for i, c := range columns {
		line += "  " + lastPadded(m.title(c), m.columnWidth(c), i == len(columns)-1)
	}
	t.line("%s", line)
	for k, r := range m.rows {
		line := padded(names[k], label)
		for i, c := range columns {
			cell := r.cells[c.from]
			line += "  " + t.paintCell(cell, lastPadded(cell.text, m.columnWidth(c), i == len(columns)-1))
		}
		t.line("%s", line)
	}
}

func (t *text) paintCell(c matrixCell, s string) string {
	switch {
	case c.out:
		return t.paint(s, color.Faint)
	case c.mark == cellFailed:
		return t.paint(s, color.FgRed, color.Bold)
	case c.own || c.mark == cellAbsent || c.mark == cellUnsent:
		return t.paint(s, color.Faint)
	case c.mark == cellChanged:
		return t.paint(s, color.FgYellow)
	}
	return t.paint(s, color.FgGreen)
}

func padded(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

// lastPadded is padded, but nothing stands behind the last column.
func lastPadded(s string, width int, last bool) string {
	if last {
		return s
	}
	return padded(s, width)
}

// legend says what the columns and the marks of the matrix are.
func (t *text) legend(db *analyzer.SimulatedDatabase, m *matrix) {
	t.line("")
	width := len(strconv.Itoa(len(db.Steps)))
	t.line("  state %*d  the deployed schema", width, 0)
	for i, s := range db.Steps {
		if i == maxSteps && len(db.Steps) > maxSteps+1 {
			t.line("  … and %d more (all are in --format json)", len(db.Steps)-i)
			break
		}
		line := fmt.Sprintf("  state %*d  after %s", width, i+1, statement(s.Statement.SQL, maxQuoted-10))
		if p := place(s.Statement.Pos); p != "" {
			line += "  (" + shorten(p, 40) + ")"
		}
		switch {
		case s.Error != nil:
			line += t.paint("  FAILED", color.FgRed, color.Bold)
		case i >= m.last:
			line += "  not reached"
		case s.Skipped != "":
			line += "  not run"
		}
		t.line("%s", line)
	}
	failed, absent, out, unsent, changed, warned, overlap := m.marks()
	if failed {
		t.line("  1054 ×3  three transactions failed with error 1054")
	}
	if changed {
		t.line("  ok ≠3    none failed, but three statements gave other rows than on the code's own schema")
	}
	if warned {
		t.line("  ok !3    none failed, but there were three warnings that the code's own schema does not give")
	}
	if unsent {
		t.line("  none     it can occur, but there was nothing to run")
	}
	if absent {
		t.line("  -        it cannot occur in any order")
	}
	if out {
		t.line("  (ok)     it was run, but cannot occur in any order")
	}
	if overlap {
		t.line("  old after new: old code on rows that new code has written")
	}
}

func (t *text) failures(db *analyzer.SimulatedDatabase) {
	all := t.Document.failures(db)
	results := t.changedResults(db)
	if len(all)+len(results) > 0 {
		t.line("")
	}
	for i, f := range all {
		if i == maxFailed && len(all) > maxFailed+1 {
			t.line("… and %d more (all are in --format json)", len(all)-i)
			break
		}
		t.wrap("", fmt.Sprintf("%s at %s: %s (%s)", f.who, states(f.states), errorText(f.Error), f.count()))
		line := statement(f.SQL, 85)
		if f.Table != "" {
			line = shorten(Clean(f.Table), maxService) + ": " + line
		}
		t.line("    %s", line)
		if f.Source != "" {
			t.line("    in %s", Clean(f.Source))
		}
	}
	for i, r := range results {
		if i == maxFailed && len(results) > maxFailed+1 {
			t.line("… and %d more (all are in --format json)", len(results)-i)
			break
		}
		t.wrap("", fmt.Sprintf("%s at %s: other rows than on its own schema", r.who, states(r.states)))
		t.line("    %s", statement(r.SQL, 85))
		t.line("    %s", changedText(&r.ChangedResult, 40))
	}
}

func changedText(r *analyzer.ChangedResult, n int) string {
	s := "was " + quoted(r.Was, n) + ", is " + quoted(r.Is, n)
	if r.Rows != r.Were {
		s += fmt.Sprintf("; %s, were %d", plural(r.Rows, "row"), r.Were)
	}
	return s
}

func quoted(s string, n int) string {
	if s == "" {
		return "nothing"
	}
	return shorten(Clean(s), n)
}

// steps prints what every pending statement cost.
func (t *text) steps(db *analyzer.SimulatedDatabase, of string) {
	if len(db.Steps) == 0 {
		return
	}
	t.heading("What the pending statements did" + of)
	tw := tabwriter.NewWriter(&t.buf, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "STEP\tTIME\tROWS\tWORK\tALGORITHM, LOCK\tESTIMATE\tREADER\tWRITER\tBEHIND A LOCK")
	for i, s := range db.Steps {
		if i == maxSteps && len(db.Steps) > maxSteps+1 {
			break
		}
		fmt.Fprintf(tw, "%d\t%s\n", i+1, strings.Join(stepCells(&s, i, db), "\t"))
	}
	tw.Flush()
	if n := len(db.Steps) - maxSteps; n > 1 {
		t.line("… and %d more (all are in --format json)", n)
	}
	var notes []string
	for i, s := range db.Steps {
		for _, n := range stepNotes(&s) {
			notes = append(notes, fmt.Sprintf("step %d: %s", i+1, n))
		}
	}
	t.some(notes, func(s string) { t.wrap("  ", s) })
	for _, l := range stepLegend(db) {
		t.wrap("  ", l)
	}
}

// stepCells gives what the table says of a step behind its number.
func stepCells(s *analyzer.SimulatedStep, i int, db *analyzer.SimulatedDatabase) []string {
	rows, work, measured, estimate := "-", dash(Clean(s.Work)), dash(how(s.Algorithm, s.Lock)), dash(Clean(s.Estimated))
	if s.Table != "" {
		rows = thousands(s.Rows)
	}
	if estimate == measured && estimate != "-" {
		estimate = "the same"
	}
	if s.Skipped != "" || notReached(db, i) {
		return []string{"not run", rows, "-", "-", dash(Clean(s.Estimated)), "-", "-", "-"}
	}
	time := duration(s.Millis)
	if s.Error != nil {
		work = "FAILED"
	}
	return []string{time, rows, work, Clean(measured), estimate, stall(s.Reader), stall(s.Writer), lockWaitText(s.LockWait)}
}

// notReached tells whether the upgrade ended before a step.
func notReached(db *analyzer.SimulatedDatabase, i int) bool {
	return slices.ContainsFunc(db.Steps[:i], func(s analyzer.SimulatedStep) bool { return s.Error != nil })
}

func stall(t analyzer.Traffic) string {
	if t.Sent == 0 {
		return "-"
	}
	return duration(t.WorstMillis)
}

// stepLegend explains the columns of the table of steps, as far as they hold anything.
func stepLegend(db *analyzer.SimulatedDatabase) []string {
	var lines []string
	var before float64
	traffic, timeout := false, 0
	for _, s := range db.Steps {
		traffic = traffic || s.Reader.Sent+s.Writer.Sent > 0
		before = max(before, s.Reader.BeforeMillis, s.Writer.BeforeMillis)
		if s.LockWait != nil {
			timeout = max(timeout, s.LockWait.TimeoutSeconds)
		}
	}
	if traffic {
		lines = append(lines, "READER, WRITER: the longest that one statement took while the step ran; without it, up to "+duration(before)+".")
	}
	if timeout > 0 {
		lines = append(lines, fmt.Sprintf("BEHIND A LOCK: the step while an idle transaction has read the table, with lock_wait_timeout = %d; a SELECT that came after the step waited up to %s.",
			timeout, duration(worstReader(db.Steps))))
	}
	return append(lines, "Times are of this machine and of this number of rows: they compare the steps, and say nothing of production.")
}

func (t *text) faults(db *analyzer.SimulatedDatabase, of string) {
	lines := faultLines(db)
	if len(lines) == 0 {
		return
	}
	t.heading("When it goes wrong" + of)
	var prose []string
	for _, l := range lines {
		prose = append(prose, l.title+": "+l.text)
	}
	t.some(prose, func(s string) { t.wrap("  ", s) })
}

func (t *text) workloads(db *analyzer.SimulatedDatabase, of string) {
	if len(db.Workloads) == 0 {
		return
	}
	t.heading("How much was exercised" + of)
	for i := range db.Workloads {
		w := &db.Workloads[i]
		t.wrap("  "+shorten(Clean(w.Service), maxService)+" "+codeName(w.Code)+": ", workloadText(w))
	}
}
