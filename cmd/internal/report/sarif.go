package report

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"instep/analyzer"
)

// SARIF prints the report in the Static Analysis Results Interchange Format, version 2.1.0 (an OASIS standard), which code
// scanning services take.
var SARIF = &Format{
	Name:  "sarif",
	Doc:   "SARIF 2.1.0, for code scanning",
	Write: writeSARIF,
}

const (
	sarifSchema = "https://json.schemastore.org/sarif-2.1.0.json"
	// sarifFingerprint names the way in which fingerprints are made; another way would need another name.
	sarifFingerprint = "instep/v1"
)

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver sarifDriver `json:"driver"`
	} `json:"tool"`
	Results    []sarifResult   `json:"results"`
	Properties sarifProperties `json:"properties"`
}

type sarifProperties struct {
	Verdict  string   `json:"verdict"`
	Answer   string   `json:"answer"`
	Order    []string `json:"order"`
	Deployed string   `json:"deployed"`
	Target   string   `json:"target"`
}

type sarifDriver struct {
	Name  string      `json:"name"`
	Rules []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	ShortDescription sarifText `json:"shortDescription"`
	FullDescription  sarifText `json:"fullDescription"`
	Help             sarifText `json:"help"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID              string             `json:"ruleId"`
	RuleIndex           int                `json:"ruleIndex"`
	Level               string             `json:"level"`
	Message             sarifText          `json:"message"`
	Locations           []sarifLocation    `json:"locations"`
	RelatedLocations    []sarifLocation    `json:"relatedLocations,omitempty"`
	PartialFingerprints map[string]string  `json:"partialFingerprints"`
	Suppressions        []sarifSuppression `json:"suppressions,omitempty"`
}

type sarifLocation struct {
	PhysicalLocation struct {
		ArtifactLocation struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region sarifRegion `json:"region"`
	} `json:"physicalLocation"`
	Message *sarifText `json:"message,omitempty"`
}

type sarifRegion struct {
	StartLine int `json:"startLine"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Justification string `json:"justification"`
}

func writeSARIF(w io.Writer, d *Document) error {
	answer := d.answer()
	d = d.judged()
	run := sarifRun{Results: []sarifResult{}, Properties: sarifProperties{
		Verdict: string(d.Verdict), Answer: answer, Order: cleaned(d.Order), Deployed: Clean(d.Deployed.Rev), Target: Clean(d.Target.Rev),
	}}
	run.Tool.Driver = sarifDriver{Name: "instep", Rules: []sarifRule{}}
	rule := func(m remark) int {
		rules := &run.Tool.Driver.Rules
		if i := slices.IndexFunc(*rules, func(r sarifRule) bool { return r.ID == m.rule }); i >= 0 {
			return i
		}
		r := sarifRule{ID: m.rule, ShortDescription: sarifText{m.title}, FullDescription: sarifText{wholeRules[m.rule]}, Help: sarifText{m.fix}}
		if i := slices.IndexFunc(d.Hazards, func(f analyzer.Finding) bool { return f.Rule.ID == m.rule }); i >= 0 {
			r.FullDescription.Text = d.Hazards[i].Rule.Why
		} else if i := slices.IndexFunc(d.Ignored, func(f analyzer.Finding) bool { return f.Rule.ID == m.rule }); i >= 0 {
			r.FullDescription.Text = d.Ignored[i].Rule.Why
		}
		r.Help.Text = r.FullDescription.Text + "\n\n" + r.Help.Text
		*rules = append(*rules, r)
		return len(*rules) - 1
	}
	level := [...]string{blocks: "error", matters: "warning", informs: "note"}
	for _, m := range d.remarks() {
		r := sarifResult{
			RuleID: m.rule, RuleIndex: rule(m), Level: level[m.level], Message: sarifText{m.text},
			PartialFingerprints: map[string]string{sarifFingerprint: m.fingerprint},
		}
		r.Locations = []sarifLocation{sarifAt(cmp.Or(m.pos.File, configName), m.pos.Line)}
		for _, e := range m.evidence {
			at := sarifAt(e.File, e.Line)
			at.Message = &sarifText{Clean(e.Rev) + ": " + Clean(strings.TrimSpace(e.Text))}
			r.RelatedLocations = append(r.RelatedLocations, at)
		}
		if m.ignored != "" {
			r.Suppressions = []sarifSuppression{{Kind: "external", Justification: Clean(m.ignored)}}
		}
		run.Results = append(run.Results, r)
	}
	out, err := json.MarshalIndent(sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}}, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(out, '\n'))
	return err
}

// wholeRules say what the remarks are that belong to no rule of the analysis.
var wholeRules = map[string]string{
	gapRule: "Something could not be read, so that the answer is not proved.",
	runRule: "The upgrade was run on a real server, and something failed that the analysis does not foretell.",
}

// sarifAt gives a place in the repository. GitHub's code scanning refuses a whole file for one result without a place or a line (GitHub's
// documentation: SARIF support for code scanning), so what has none gets the first line. Columns are left out: SARIF counts them in
// UTF-16, instep in bytes.
func sarifAt(file string, line int) sarifLocation {
	var l sarifLocation
	l.PhysicalLocation.ArtifactLocation.URI = fileURI(file)
	l.PhysicalLocation.Region.StartLine = max(line, 1)
	return l
}

// fileURI gives a path as a relative URI reference (RFC 3986): a colon in its first segment would make it a scheme.
func fileURI(file string) string {
	const plain = "-._~/!$&'()*+,;=@"
	var b strings.Builder
	for i := range len(file) {
		c := file[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(plain, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		const hex = "0123456789ABCDEF"
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return b.String()
}
