package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"sync"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// HTML prints the report as one self-contained page: no script, no request to anywhere, light and dark, fit for paper.
var HTML = &Format{
	Name:  "html",
	Doc:   "one self-contained page",
	Write: writeHTML,
}

//go:embed html.tmpl
var htmlText string

// htmlPage is parsed when it is first needed: every run of the program would pay for it.
var htmlPage = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"clean": Clean, "code": CleanCode, "plural": plural, "sql": func(s string) string { return statement(s, 200) }, "dash": dash, "yesno": yesno,
	}).Parse(htmlText))
})

// A htmlView is what the page's template sees: text only, cleaned; the template escapes it.
type htmlView struct {
	*Document
	Title, Answer, Why string
	From, To           string
	Rows               [][]string // the table of services
	Reasons            [][2]string
	Drawing            drawing
	NotProved          [][]schema.Gap // each of one reason
	Breaks, Running    []htmlGroup
	Thoughts           []string
	Matrix             *htmlMatrix
	DriftTitle         string
	DriftLines         []string
	Deployments        []string // where services are, if not all at one ref
}

// A htmlGroup is findings that are alike.
type htmlGroup struct {
	Findings []analyzer.Finding
	Rule     *analyzer.Rule
	Who, If  string
	Seen     string // from which ref alone
	Evidence []analyzer.Evidence
	More     int // evidence that is left out
}

// A drawing is a timeline in the units of its picture.
type drawing struct {
	Width, Height int
	Steps         []drawnText
	Lanes         []drawnText
	Spans         []drawnSpan
	Lines         []drawnLine
	Broken        bool // it shows code that breaks
}

type drawnText struct {
	X, Y int
	Text string
}

type drawnSpan struct {
	X, Y, W, H int
	Class      string
	Label      drawnText
	Tip        string
}

type drawnLine struct{ X, Y1, Y2 int }

const (
	drawnLeft   = 110 // for the lanes' names
	drawnStep   = 200
	drawnTop    = 34
	drawnLane   = 46
	drawnBar    = 32
	drawnLetter = 7 // about the width of one
)

func draw(t timeline) drawing {
	d := drawing{Width: drawnLeft + len(t.Steps)*drawnStep + 10, Height: drawnTop + len(t.Lanes)*drawnLane + 6}
	x := func(at float64) int { return drawnLeft + int(at*drawnStep) }
	for i, name := range t.Steps {
		text := fmt.Sprintf("%d. deploy %s", i+1, name)
		if name == analyzer.MigrationStep {
			text = fmt.Sprintf("%d. run the migration", i+1)
		}
		d.Steps = append(d.Steps, drawnText{x(float64(i)) + drawnStep/2, 18, shorten(text, drawnStep/drawnLetter)})
		d.Lines = append(d.Lines, drawnLine{x(float64(i)), 8, d.Height})
	}
	for i, l := range t.Lanes {
		y := drawnTop + i*drawnLane
		d.Lanes = append(d.Lanes, drawnText{drawnLeft - 10, y + drawnBar/2 + 5, shorten(l.Name, drawnLeft/drawnLetter-1)})
		for _, s := range l.Spans {
			for _, p := range l.pieces(s) {
				b := drawnSpan{X: x(p.From), Y: y, W: x(p.To) - x(p.From), H: drawnBar, Class: s.Kind, Tip: s.Why}
				if p.shared {
					b.H = drawnBar / 2
					if s.Kind == "new" {
						b.Y += drawnBar / 2
					}
				}
				if s.Broken {
					b.Class += " broken"
					d.Broken = true
				}
				if len(s.Label)*drawnLetter < b.W && (!p.shared || s.Broken) {
					b.Label = drawnText{b.X + b.W/2, b.Y + b.H/2 + 4, s.Label}
				}
				d.Spans = append(d.Spans, b)
			}
		}
	}
	return d
}

func writeHTML(w io.Writer, d *Document) error {
	all := *d
	all.Report = d.Combined()
	v := htmlView{Document: &all, Answer: d.answer(), Why: Clean(all.why()), From: ref(d.Deployed), To: ref(d.Target), Reasons: all.reasons()}
	for _, line := range all.deployments() {
		v.Deployments = append(v.Deployments, Clean(line))
	}
	v.Title = "instep " + v.From + " → " + v.To
	if len(all.Changes) > 0 || all.Verdict != analyzer.NoChange {
		for _, s := range all.Services {
			v.Rows = append(v.Rows, append([]string{Clean(s.Name)}, all.cells(s)...))
		}
		if t := draw(all.timeline()); t.Broken || all.Verdict != analyzer.Unproven { // a picture without a flaw would look like a proof
			v.Drawing = t
		}
	}
	var cautions []analyzer.Finding
	var hits, running []analyzer.Finding
	for _, f := range merged(all.Hazards) {
		switch {
		case hit(f):
			hits = append(hits, f)
		case f.Breaks == analyzer.Running:
			running = append(running, f)
		default:
			cautions = append(cautions, f)
		}
	}
	v.NotProved = d.gapGroups()
	v.Breaks, v.Running = htmlGroups(hits), htmlGroups(running)
	for _, g := range alikes(cautions, kindKey) {
		v.Thoughts = append(v.Thoughts, Clean(g[0].Rule.ID+": "+shortText(g)))
	}
	title, lines := all.driftLines()
	v.DriftTitle = Clean(title)
	for _, l := range lines {
		v.DriftLines = append(v.DriftLines, fmt.Sprintf("%d × %s", l.count, Clean(l.text)))
	}
	if d.Simulation != nil {
		v.Matrix = htmlMatrixOf(d)
	}
	var b bytes.Buffer
	if err := htmlPage().Execute(&b, v); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

func htmlGroups(all []analyzer.Finding) []htmlGroup {
	var groups []htmlGroup
	for _, g := range alikes(all, alikeKey) {
		seen := evidence(g)
		groups = append(groups, htmlGroup{Findings: g, Rule: g[0].Rule, Who: hitText(g[0]), If: g[0].If, Seen: fromText(g[0]), Evidence: seen[:min(len(seen), maxSeen)], More: len(seen) - min(len(seen), maxSeen)})
	}
	return groups
}

// A htmlMatrix is the simulation as tables.
type htmlMatrix struct {
	Server    string
	Evidence  string
	Why       string
	Notes     []string
	Surprises []string // failures that the analysis does not predict
	Tables    []htmlTable
	Orders    []string
	Folded    []htmlList
}

type htmlTable struct {
	Title  string
	Header []string
	Rows   [][]htmlCell
	Below  []string
}

type htmlCell struct {
	Text  string
	Class string // "bad", "good", "dim", "warn" or ""
}

type htmlList struct {
	Title string
	Lines []string
}

func htmlMatrixOf(d *Document) *htmlMatrix {
	s := d.Simulation
	j := &s.Judgment
	m := &htmlMatrix{Server: Clean(serverText(&s.Server)), Why: Clean(j.Why), Surprises: cleaned(j.Unpredicted)}
	if j.Evidence != "" {
		m.Evidence = Clean(evidenceText(j))
	}
	for _, n := range append(slices.Clone(s.Server.Notes), s.Server.Differs) {
		if n != "" {
			m.Notes = append(m.Notes, Clean(n))
		}
	}
	for _, o := range j.Orders {
		m.Orders = append(m.Orders, Clean(d.orderText(o)))
	}
	for i := range s.Databases {
		db := &s.Databases[i]
		of := ""
		if len(s.Databases) > 1 {
			of = " in " + databaseName(db)
		}
		m.Notes = append(m.Notes, Clean(loadText(&db.Load)))
		if ended := endedText(db); ended != "" {
			m.Surprises = append(m.Surprises, Clean(databaseOf(db, len(s.Databases))+ended))
		}
		m.Tables = append(m.Tables, htmlStates(d, db, of), htmlSteps(db, of))
		var faults, exercised []string
		for _, l := range faultLines(db) {
			faults = append(faults, Clean(l.title+": "+l.text))
		}
		for _, w := range db.Workloads {
			exercised = append(exercised, Clean(w.Service+" "+codeName(w.Code)+": "+workloadText(&w)))
		}
		m.Folded = append(m.Folded, htmlList{"When it goes wrong" + of, faults}, htmlList{"How much was exercised" + of, exercised})
	}
	return m
}

func cleaned(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = Clean(s)
	}
	return out
}

// htmlStates is the matrix: every version of every service's code on every state of the schema.
func htmlStates(d *Document, db *analyzer.SimulatedDatabase, of string) htmlTable {
	m := d.newMatrix(db)
	if len(m.columns) > maxColumns {
		m.collapse()
	}
	t := htmlTable{Title: "Which code works on which state of the schema" + of, Header: []string{"Service", "Code"}}
	for _, c := range m.columns {
		t.Header = append(t.Header, m.title(c))
	}
	for _, r := range m.rows {
		row := []htmlCell{{Text: Clean(r.service)}, {Text: Clean(r.code)}}
		for _, c := range m.columns {
			cell := r.cells[c.from]
			class := map[cellMark]string{cellFailed: "bad", cellChanged: "warn", cellOK: "good"}[cell.mark]
			if cell.out || cell.own || class == "" {
				class = "dim"
			}
			row = append(row, htmlCell{Clean(cell.text), class})
		}
		t.Rows = append(t.Rows, row)
	}
	for i, s := range db.Steps {
		if i == maxSteps && len(db.Steps) > maxSteps+1 {
			t.Below = append(t.Below, fmt.Sprintf("… and %d more states", len(db.Steps)-i))
			break
		}
		t.Below = append(t.Below, fmt.Sprintf("state %d: after %s", i+1, statement(s.Statement.SQL, 120)))
	}
	for _, f := range d.failures(db) {
		t.Below = append(t.Below, Clean(fmt.Sprintf("%s at %s: %s (%s): %s", f.who, states(f.states), errorText(f.Error), f.count(), shorten(f.SQL, 120))))
	}
	return t
}

// htmlSteps is what the pending statements did.
func htmlSteps(db *analyzer.SimulatedDatabase, of string) htmlTable {
	t := htmlTable{Title: "What the pending statements did" + of, Header: []string{"Statement", "Time", "Rows", "Work", "Algorithm, lock", "Estimate", "Reader", "Writer"}}
	for i := range db.Steps {
		s := &db.Steps[i]
		row := []htmlCell{{Text: statement(s.Statement.SQL, 80)}}
		switch {
		case s.Error != nil:
			row = append(row, htmlCell{"failed with " + Clean(errorText(*s.Error)), "bad"})
		case s.Skipped != "":
			row = append(row, htmlCell{"not run: " + Clean(s.Skipped), "dim"})
		default:
			row = append(row, htmlCell{Text: duration(s.Millis)}, htmlCell{Text: thousands(s.Rows)}, htmlCell{Text: dash(Clean(s.Work))}, htmlCell{Text: dash(Clean(how(s.Algorithm, s.Lock)))},
				htmlCell{Text: dash(Clean(s.Estimated))}, htmlCell{Text: stall(s.Reader)}, htmlCell{Text: stall(s.Writer)})
		}
		t.Rows = append(t.Rows, row)
		for _, note := range stepNotes(s) {
			t.Below = append(t.Below, fmt.Sprintf("step %d: %s", i+1, Clean(note)))
		}
	}
	return t
}
