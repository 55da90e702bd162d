package report

import (
	"bytes"
	"encoding/json"
	"io"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// FormatVersion is the version of the JSON document: the second number grows when a key is added, the first when
// anything else changes. 1.1 added why, ignored, drift and config_changes; 1.2 added simulation, and what ReadJSON needs; 1.3 added
// at which refs services are deployed, and the ref from which alone a hazard is seen.
const FormatVersion = "1.3"

// JSON prints the report as one JSON object: the contract for programs. Lists are [] when they are empty, never null.
var JSON = &Format{
	Name:  "json",
	Doc:   "one JSON object, versioned, for programs",
	Write: writeJSON,
}

type jsonReport struct {
	FormatVersion string           `json:"format_version"`
	Verdict       string           `json:"verdict"`
	Order         []string         `json:"order"`
	Deployed      jsonRef          `json:"deployed"`
	Target        jsonRef          `json:"target"`
	Services      []jsonService    `json:"services"`
	Migrations    []jsonMigration  `json:"migrations"`
	Changes       []jsonChange     `json:"changes"`
	Hazards       []jsonHazard     `json:"hazards"`
	Costs         []jsonCost       `json:"costs"`
	Gaps          []jsonGap        `json:"gaps"`
	Why           string           `json:"why"`
	Ignored       []jsonIgnored    `json:"ignored"`
	Drift         []jsonDrift      `json:"drift"`
	ConfigChanges []string         `json:"config_changes"`
	UnusedIgnores []jsonIgnore     `json:"unused_ignores"`
	OtherGaps     []jsonGap        `json:"other_gaps"`
	DriftGroups   []jsonDriftGroup `json:"drift_groups"`
	Proviso       string           `json:"proviso"`
	Simulation    *jsonSimulation  `json:"simulation,omitempty"`
}

type jsonRef struct {
	Rev    string `json:"rev"`
	Commit string `json:"commit"`
}

type jsonService struct {
	Name             string   `json:"name"`
	Migrates         bool     `json:"migrates"`
	Place            string   `json:"place"`
	OldCodeNewSchema string   `json:"old_code_new_schema"`
	NewCodeOldSchema string   `json:"new_code_old_schema"`
	Window           bool     `json:"window"`
	CanRollBack      bool     `json:"can_roll_back"`
	Because          []string `json:"because"`
	Access           string   `json:"access"`
	Rollout          string   `json:"rollout"`
	Before           bool     `json:"before"`
	After            bool     `json:"after"`
	Reason           string   `json:"reason"`
	WindowReason     string   `json:"window_reason"`
	RollbackReason   string   `json:"rollback_reason"`
	Deployed         []jsonAt `json:"deployed"`
}

// A jsonAt is a ref at which processes of a service are.
type jsonAt struct {
	jsonRef
	Reached bool `json:"reached"`
	Behind  bool `json:"behind"`
}

type jsonMigration struct {
	ID         string   `json:"id"`
	Database   string   `json:"database"`
	Framework  string   `json:"framework"`
	File       string   `json:"file"`
	Statements []string `json:"statements"`
	State      string   `json:"state"`
}

type jsonChange struct {
	Object string `json:"object"`
	Kind   string `json:"kind"`
	Class  string `json:"class"`
	jsonPos
	SQL      string `json:"sql"`
	Database string `json:"database"`
}

type jsonPos struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

type jsonHazard struct {
	Rule        string   `json:"rule"`
	Fingerprint string   `json:"fingerprint"`
	Object      string   `json:"object"`
	Use         string   `json:"use"`
	Breaks      []string `json:"breaks"`
	If          string   `json:"if"`
	What        string   `json:"what"`
	jsonPos
	Services  []string       `json:"services"`
	Consumers []string       `json:"consumers"`
	Evidence  []jsonEvidence `json:"evidence"`
	Database  string         `json:"database"`
	Caution   bool           `json:"caution"`
	Mediated  bool           `json:"mediated"`
	Between   bool           `json:"between"`
	Refused   bool           `json:"refused"`
	Preflight string         `json:"preflight"`
	Hits      []jsonHit      `json:"hits"`
	From      string         `json:"from"`
}

// A jsonHit says of one of the services or consumers which of its code is hit.
type jsonHit struct {
	Name     string   `json:"name"`
	Consumer bool     `json:"consumer"`
	Code     []string `json:"code"`
	Assumed  bool     `json:"assumed"`
}

type jsonIgnored struct {
	jsonHazard
	Because string `json:"because"`
}

type jsonEvidence struct {
	Rev  string `json:"rev"`
	File string `json:"file"`
	Line int    `json:"line"`
	Text string `json:"text"`
}

type jsonCost struct {
	Statement string `json:"statement"`
	jsonPos0
	Algorithm     string `json:"algorithm"`
	Lock          string `json:"lock"`
	RebuildsTable bool   `json:"rebuilds_table"`
	Because       string `json:"because"`
	Column        int    `json:"column"`
	Database      string `json:"database"`
}

type jsonPos0 struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

type jsonGap struct {
	jsonPos
	What string `json:"what"`
	Why  string `json:"why"`
}

type jsonDrift struct {
	Database string `json:"database"`
	Object   string `json:"object"`
	Kind     string `json:"kind"`
	What     string `json:"what"`
}

type jsonIgnore struct {
	Rule        string `json:"rule"`
	Object      string `json:"object"`
	Because     string `json:"because"`
	Fingerprint string `json:"fingerprint"`
}

type jsonDriftGroup struct {
	Database string          `json:"database"`
	Kind     string          `json:"kind"`
	What     string          `json:"what"`
	Names    []jsonNameCount `json:"names"`
	Count    int             `json:"count"`
}

type jsonNameCount struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

func writeJSON(w io.Writer, d *Document) error {
	r, all := d.Report, d.Combined()
	out := jsonReport{
		FormatVersion: FormatVersion,
		Verdict:       string(all.Verdict),
		Order:         list(all.Order),
		Deployed:      jsonRef(r.Deployed),
		Target:        jsonRef(r.Target),
		Services:      []jsonService{},
		Migrations:    []jsonMigration{},
		Changes:       []jsonChange{},
		Hazards:       []jsonHazard{},
		Costs:         []jsonCost{},
		Gaps:          []jsonGap{},
		Why:           all.Why,
		Ignored:       []jsonIgnored{},
		Drift:         []jsonDrift{},
		ConfigChanges: list(d.ConfigChanges),
		UnusedIgnores: []jsonIgnore{},
		OtherGaps:     []jsonGap{},
		DriftGroups:   []jsonDriftGroup{},
		Proviso:       r.Proviso,
		Simulation:    simulation(d),
	}
	for _, s := range r.Services {
		out.Services = append(out.Services, jsonService{
			s.Name, s.Migrates, s.PlaceName(), string(s.OldCodeNewSchema), string(s.NewCodeOldSchema), s.Window, s.CanRollBack, list(s.Because),
			string(s.Access), string(s.Rollout), s.Place&analyzer.Before != 0, s.Place&analyzer.After != 0, s.Reason, s.WindowReason, s.RollbackReason, deployedAt(s),
		})
	}
	for _, m := range r.Migrations {
		jm := jsonMigration{m.ID, m.Database, m.Framework, m.File, []string{}, string(m.State)}
		for _, st := range m.Statements {
			jm.Statements = append(jm.Statements, st.SQL)
		}
		out.Migrations = append(out.Migrations, jm)
	}
	for _, c := range r.Changes {
		out.Changes = append(out.Changes, jsonChange{c.Object.String(), c.Kind, string(c.Class), position(c.Pos), c.SQL, c.Database})
	}
	for _, f := range r.Hazards {
		out.Hazards = append(out.Hazards, hazard(f))
	}
	for _, f := range r.Ignored {
		out.Ignored = append(out.Ignored, jsonIgnored{hazard(f), f.Because})
	}
	for _, c := range r.Costs {
		p := c.Statement.Pos
		out.Costs = append(out.Costs, jsonCost{c.Statement.SQL, jsonPos0{p.File, p.Line}, c.Algorithm, c.Lock, c.RebuildsTable, c.Because, p.Col, c.Database})
	}
	for _, g := range r.Gaps {
		out.Gaps = append(out.Gaps, jsonGap{position(g.Pos), g.What, g.Why})
	}
	for _, x := range r.Drift {
		out.Drift = append(out.Drift, jsonDrift{x.Database, x.Object.String(), x.Change.Kind(), x.What})
	}
	for _, ig := range r.UnusedIgnores {
		out.UnusedIgnores = append(out.UnusedIgnores, jsonIgnore{ig.Rule, ig.Object, ig.Because, ig.Fingerprint})
	}
	for _, g := range r.OtherGaps {
		out.OtherGaps = append(out.OtherGaps, jsonGap{position(g.Pos), g.What, g.Why})
	}
	for _, g := range r.DriftGroups {
		jg := jsonDriftGroup{g.Database, g.Kind, g.What, []jsonNameCount{}, g.Count}
		for _, n := range g.Names {
			jg.Names = append(jg.Names, jsonNameCount(n))
		}
		out.DriftGroups = append(out.DriftGroups, jg)
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	// In a log it would be a command: see Clean. It can only stand in a string.
	_, err := w.Write(bytes.ReplaceAll(buf.Bytes(), []byte(runnerCommand), []byte(`##\u005b`)))
	return err
}

func position(p schema.Pos) jsonPos { return jsonPos{p.File, p.Line, p.Col} }

func hazard(f analyzer.Finding) jsonHazard {
	h := jsonHazard{
		Rule: f.Rule.ID, Fingerprint: f.Fingerprint, Object: f.Hits.String(), Use: f.Use.String(), Breaks: f.Breaks.Names(), If: f.If, What: f.What,
		jsonPos: position(f.Pos), Services: names(f.Services), Consumers: names(f.Consumers), Evidence: []jsonEvidence{},
		Database: f.Database, Caution: f.Caution, Mediated: f.Mediated, Between: f.Between, Refused: f.Refused, Preflight: f.Preflight, Hits: []jsonHit{}, From: f.From.Rev,
	}
	for _, e := range f.Evidence {
		h.Evidence = append(h.Evidence, jsonEvidence(e))
	}
	for _, x := range f.Services {
		h.Hits = append(h.Hits, jsonHit{x.Name, false, x.Code.Names(), x.Assumed})
	}
	for _, x := range f.Consumers {
		h.Hits = append(h.Hits, jsonHit{x.Name, true, x.Code.Names(), x.Assumed})
	}
	return h
}

func deployedAt(s analyzer.ServiceReport) []jsonAt {
	out := []jsonAt{}
	for _, at := range s.Deployed {
		out = append(out, jsonAt{jsonRef(at.Ref), at.Reached, at.Behind})
	}
	return out
}

func names(hits []analyzer.Hit) []string {
	out := []string{}
	for _, h := range hits {
		out = append(out, h.Name)
	}
	return out
}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
