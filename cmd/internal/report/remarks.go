package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// A remark is one thing to say about one place of the sources: what formats print that attach text to lines.
type remark struct {
	level remarkLevel
	rule  string // a rule's id, or gapRule
	title string
	text  string // one paragraph: what, who, if
	fix   string
	pos   schema.Pos // File "" where nothing is known
	// fingerprint stays the same over commits that do not touch what the remark is about.
	fingerprint string
	evidence    []analyzer.Evidence
	ignored     string // why the user ignores it; "" if it counts
}

type remarkLevel uint8

// The levels: what makes the release unsafe or unproven, what decides its order or can go wrong while it runs, and the rest.
const (
	blocks remarkLevel = iota
	matters
	informs
)

// gapRule is the id under which gaps are listed.
const gapRule = "unproven"

// judged gives the document with the report that counts after a simulation.
func (d *Document) judged() *Document {
	all := *d
	all.Report = d.Combined()
	return &all
}

// runRule is the id under which failures are listed that only a simulation has shown.
const runRule = "simulation"

// remarks gives all that the report says about places of the sources: gaps first, then what a simulation has shown and nobody
// foretold, then findings in the report's order.
func (d *Document) remarks() []remark {
	var list []remark
	if d.Simulation != nil {
		for _, text := range d.Simulation.Judgment.Unpredicted {
			list = append(list, remark{
				level: blocks, rule: runRule, title: "Failed when it was run", text: sentence(text), pos: d.simulated(),
				fix:         "Look at the failure, and report the missing rule to instep.",
				fingerprint: digest(runRule, text),
			})
		}
	}
	for _, g := range d.Gaps {
		list = append(list, remark{
			level: blocks, rule: gapRule, title: "Not proved", text: sentence(g.What) + " " + sentence(g.Why), pos: g.Pos,
			fix:         "Write it so that it can be read without being run, or check by hand what it does.",
			fingerprint: digest(gapRule, g.Pos.File, g.What),
		})
	}
	for _, f := range merged(d.Hazards) {
		list = append(list, d.remark(f))
	}
	for _, f := range d.Ignored {
		m := d.remark(f)
		m.level, m.ignored = informs, f.Because
		list = append(list, m)
	}
	seen := map[string]int{}
	for i := range list { // formats want them to be unique
		fp := list[i].fingerprint
		if seen[fp]++; seen[fp] > 1 {
			list[i].fingerprint = digest(fp, fmt.Sprint(seen[fp]))
		}
	}
	return list
}

func (d *Document) remark(f analyzer.Finding) remark {
	m := remark{level: informs, rule: f.Rule.ID, title: f.Rule.Title, fix: f.Rule.Fix, pos: f.Pos, fingerprint: f.Fingerprint, evidence: f.Evidence}
	switch {
	case hit(f) && d.Verdict == analyzer.Split && d.decides(f), f.Refused:
		m.level = blocks
	case hit(f), f.Breaks == analyzer.Running:
		m.level = matters
	}
	m.text = sentence(f.What)
	if who := hitText(f); who != "" {
		m.text += " Breaks: " + sentence(who)
	}
	if f.If != "" {
		m.text += " Only if " + sentence(f.If)
	}
	if from := fromText(f); from != "" {
		m.text += " Seen from " + sentence(from)
	}
	return m
}

// simulated is where the pending migrations begin.
func (d *Document) simulated() schema.Pos {
	for i := range d.Simulation.Databases {
		if steps := d.Simulation.Databases[i].Steps; len(steps) > 0 {
			return steps[0].Statement.Pos
		}
	}
	return schema.Pos{}
}

// decides tells whether a finding hits a service that has no place.
func (d *Document) decides(f analyzer.Finding) bool {
	return slices.ContainsFunc(d.Services, func(s analyzer.ServiceReport) bool {
		return (s.Place == analyzer.Nowhere || s.Migrates) && slices.ContainsFunc(f.Services, func(h analyzer.Hit) bool { return h.Name == s.Name })
	})
}

// sentence ends text with a full stop and cleans it.
func sentence(s string) string {
	s = strings.TrimSpace(Clean(s))
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// digest gives a hash of facts as a fingerprint.
func digest(facts ...string) string {
	h := sha256.New()
	for _, f := range facts {
		fmt.Fprintf(h, "%d:%s", len(f), f)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// evidenceText says what a line of code shows.
func (m remark) evidenceText(e analyzer.Evidence) string {
	return fmt.Sprintf("This line (at %s) uses what %s:%d changes. %s", Clean(e.Rev), Clean(m.pos.File), m.pos.Line, m.text)
}
