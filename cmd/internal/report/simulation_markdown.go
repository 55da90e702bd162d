package report

import (
	"fmt"
	"strings"

	"instep/analyzer"
)

// maxMatrix bounds a matrix in Markdown, in bytes.
const maxMatrix = 15000

// mdMatrix gives what a reader of a pull request has to see of a simulation: where it ran, what was not predicted, and
// the matrix.
func mdMatrix(d *Document) string {
	s := d.Simulation
	var b strings.Builder
	fmt.Fprintf(&b, "**Run for real on %s.**", md(serverText(&s.Server)))
	if s.Judgment.Evidence != "" {
		fmt.Fprintf(&b, " %s", md(evidenceText(&s.Judgment)))
	}
	if why := s.Judgment.Why; why != "" && (why != d.Why || d.why() == "") {
		fmt.Fprintf(&b, "<br>%s", md(why))
	}
	if s.Server.Differs != "" {
		fmt.Fprintf(&b, "<br>Note: %s", md(s.Server.Differs))
	}
	for i := range s.Databases {
		if ended := endedText(&s.Databases[i]); ended != "" {
			fmt.Fprintf(&b, "<br>⛔ %s", md(databaseOf(&s.Databases[i], len(s.Databases))+ended))
		}
	}
	b.WriteString("\n\n")
	if len(s.Judgment.Unpredicted) > 0 {
		b.WriteString("Failures that the analysis does not predict:\n\n")
		b.WriteString(mdSome(s.Judgment.Unpredicted, md))
		b.WriteString("\n")
	}
	for i := range s.Databases {
		db := &s.Databases[i]
		m := d.newMatrix(db)
		if len(m.columns) > maxColumns {
			m.collapse()
		}
		if len(m.rows) == 0 {
			continue
		}
		if len(s.Databases) > 1 {
			fmt.Fprintf(&b, "%s:\n\n", md(databaseName(db)))
		}
		var t strings.Builder
		t.WriteString("| service | code |")
		for _, c := range m.columns {
			fmt.Fprintf(&t, " %s |", m.title(c))
		}
		t.WriteString("\n|" + strings.Repeat(" --- |", len(m.columns)+2) + "\n")
		for _, r := range m.rows {
			fmt.Fprintf(&t, "| %s | %s |", md(shorten(r.service, maxService)), r.code)
			for _, c := range m.columns {
				fmt.Fprintf(&t, " %s |", mdCell(r.cells[c.from]))
			}
			t.WriteString("\n")
		}
		if b.Len()+t.Len() > maxMatrix {
			b.WriteString("_The matrix is too long for a comment: run `instep simulate` locally to see it._\n\n")
			continue
		}
		b.WriteString(t.String() + "\n")
	}
	return b.String()
}

func mdCell(c matrixCell) string {
	switch {
	case c.out:
	case c.mark == cellFailed:
		return "❌ **" + md(c.text) + "**"
	case c.mark == cellOK && !c.own:
		return "✅ ok"
	case c.mark == cellChanged:
		return "⚠️ " + md(c.text)
	}
	return md(c.text)
}

// mdSome gives a list of the first lines, and the number of the others.
func mdSome(lines []string, escape func(string) string) string {
	var b strings.Builder
	for i, l := range lines {
		if i == maxFailed && len(lines) > maxFailed+1 {
			fmt.Fprintf(&b, "- … and %d more\n", len(lines)-i)
			break
		}
		fmt.Fprintf(&b, "- %s\n", escape(l))
	}
	return b.String()
}

// mdSimulation gives the folded sections about a simulation, through add.
func mdSimulation(d *Document, add func(title string, open bool, lines []string)) {
	s := d.Simulation
	for i := range s.Databases {
		db := &s.Databases[i]
		of := ""
		if len(s.Databases) > 1 {
			of = " in " + databaseName(db)
		}
		add("What failed"+of, d.Verdict == analyzer.Split, mdFailures(d, db))
		add("The states of the schema"+of, false, mdStates(d, db))
	}
	j := &s.Judgment
	var orders []string
	if len(j.Orders) > 0 {
		var lines []string
		for _, o := range j.Orders {
			lines = append(lines, d.orderText(o))
		}
		orders = []string{mdSome(lines, md)}
	}
	add("Orders tried", false, orders)
	var evidence []string
	for i, e := range j.Services {
		if i == 0 {
			evidence = append(evidence, "| service | old code after the first step | new code before the last step |\n| --- | --- | --- |\n")
		}
		evidence = append(evidence, fmt.Sprintf("| %s | %s | %s |\n", md(shorten(e.Name, maxService)),
			md(d.outcome(e, analyzer.OldCode)), md(d.outcome(e, analyzer.NewCode))))
	}
	add("Analysis against evidence", false, evidence)
	for i := range s.Databases {
		db := &s.Databases[i]
		of := ""
		if len(s.Databases) > 1 {
			of = " in " + databaseName(db)
		}
		add("What the pending statements did"+of, false, mdSteps(db))
		var faults []string
		for _, l := range faultLines(db) {
			faults = append(faults, l.title+": "+l.text)
		}
		if len(faults) > 0 {
			faults = []string{mdSome(faults, md)}
		}
		add("When it goes wrong"+of, false, faults)
	}
	add("How this was run", false, mdHow(d))
}

func mdFailures(d *Document, db *analyzer.SimulatedDatabase) []string {
	var lines []string
	all := d.failures(db)
	for i, f := range all {
		if i == maxFailed && len(all) > maxFailed+1 {
			lines = append(lines, fmt.Sprintf("- … and %d more\n", len(all)-i))
			break
		}
		in := ""
		if f.Table != "" {
			in += " on " + code(shorten(f.Table, maxService))
		}
		if f.Source != "" {
			in += " in " + code(f.Source)
		}
		lines = append(lines, fmt.Sprintf("- **%s** at %s%s: %s (%s)<br>%s\n", md(f.who), states(f.states), in, md(errorText(f.Error)), f.count(), code(statement(f.SQL, 120))))
	}
	results := d.changedResults(db)
	for i, r := range results {
		if i == maxFailed && len(results) > maxFailed+1 {
			lines = append(lines, fmt.Sprintf("- … and %d more\n", len(results)-i))
			break
		}
		lines = append(lines, fmt.Sprintf("- **%s** at %s: other rows than on its own schema: %s<br>%s\n", md(r.who), states(r.states), md(changedText(&r.ChangedResult, 40)), code(statement(r.SQL, 120))))
	}
	return lines
}

func mdStates(d *Document, db *analyzer.SimulatedDatabase) []string {
	lines := []string{"| state | is | |\n| --- | --- | --- |\n| 0 | the deployed schema | |\n"}
	last, _ := lastState(db)
	for i, s := range db.Steps {
		if i == maxSteps && len(db.Steps) > maxSteps+1 {
			lines = append(lines, fmt.Sprintf("| … | and %d more | |\n", len(db.Steps)-i))
			break
		}
		note := ""
		switch {
		case s.Error != nil:
			note = " **failed**"
		case i >= last:
			note = " not reached"
		case s.Skipped != "":
			note = " not run"
		}
		lines = append(lines, fmt.Sprintf("| %d | after %s%s | %s |\n", i+1, codeCell(statement(s.Statement.SQL, 100)), note, strings.ReplaceAll(mdAt(place(s.Statement.Pos), s.Statement.Pos.File != ""), "|", `\|`)))
	}
	m := d.newMatrix(db)
	failed, absent, out, unsent, changed, warned, overlap := m.marks()
	legend := "\n"
	for _, x := range []struct {
		is   bool
		text string
	}{
		{failed, "`1054 ×3`: three transactions failed with error 1054."},
		{changed, "`ok ≠3`: none failed, but three statements gave other rows than on the code's own schema."},
		{warned, "`ok !3`: none failed, but there were three warnings that the code's own schema does not give."},
		{unsent, "`none`: it can occur, but there was nothing to run."},
		{absent, "`-`: it cannot occur in any order."},
		{out, "`(ok)`: it was run, but cannot occur in any order."},
		{overlap, "old after new: old code on rows that new code has written."},
	} {
		if x.is {
			legend += x.text + "<br>\n"
		}
	}
	return append(lines, legend)
}

func mdSteps(db *analyzer.SimulatedDatabase) []string {
	var lines []string
	for i, s := range db.Steps {
		if i == 0 {
			lines = append(lines, "| step | time | rows | work | algorithm, lock | estimate | reader | writer | behind a lock |\n|"+strings.Repeat(" --- |", 9)+"\n")
		}
		if i == maxSteps && len(db.Steps) > maxSteps+1 {
			lines = append(lines, fmt.Sprintf("| … and %d more |"+strings.Repeat(" |", 8)+"\n", len(db.Steps)-i))
			break
		}
		cells := stepCells(&s, i, db)
		for k, c := range cells {
			cells[k] = md(c)
		}
		lines = append(lines, fmt.Sprintf("| %d | %s |\n", i+1, strings.Join(cells, " | ")))
	}
	if len(lines) == 0 {
		return nil
	}
	var notes []string
	for i, s := range db.Steps {
		for _, n := range stepNotes(&s) {
			notes = append(notes, fmt.Sprintf("step %d: %s", i+1, n))
		}
	}
	lines = append(lines, "\n", mdSome(notes, md), "\n")
	for _, l := range stepLegend(db) {
		lines = append(lines, md(l)+"<br>\n")
	}
	return lines
}

// mdHow says what was loaded and how much of the schema was exercised.
func mdHow(d *Document) []string {
	s := d.Simulation
	var notes []string
	notes = append(notes, s.Server.Notes...)
	for i := range s.Databases {
		db := &s.Databases[i]
		of := databaseOf(db, len(s.Databases))
		notes = append(notes, of+loadText(&db.Load))
		if db.Load.Fitted {
			notes = append(notes, of+"the rows avoid values on which a pending statement fails: rows of all kinds were tried first")
		}
		for k, x := range db.Load.Differences {
			if k == maxFailed {
				notes = append(notes, fmt.Sprintf("… and %d more differences", len(db.Load.Differences)-k))
				break
			}
			notes = append(notes, of+"the server's schema is not the one that instep worked out, which is instep's fault (please report it): "+x)
		}
		for k, x := range db.Load.Skipped {
			if k == maxFailed {
				notes = append(notes, fmt.Sprintf("… and %d more statements that could not be run", len(db.Load.Skipped)-k))
				break
			}
			notes = append(notes, of+"a statement of the history could not be run: "+skippedText(&x))
		}
		for k := range db.Workloads {
			w := &db.Workloads[k]
			notes = append(notes, of+shorten(w.Service, maxService)+" "+codeName(w.Code)+": "+workloadText(w))
		}
	}
	lines := make([]string, len(notes))
	for i, n := range notes {
		lines[i] = "- " + md(n) + "\n"
	}
	return lines
}
