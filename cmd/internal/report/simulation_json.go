package report

import (
	"math"

	"instep/analyzer"
)

// jsonSimulation is the key simulation: there only where the upgrade was run.
type jsonSimulation struct {
	Judgment  jsonJudgment            `json:"judgment"`
	Server    jsonSimulatedServer     `json:"server"`
	Databases []jsonSimulatedDatabase `json:"databases"`
}

type jsonJudgment struct {
	Verdict       string                `json:"verdict"`
	Order         []string              `json:"order"`
	Why           string                `json:"why"`
	Analysis      string                `json:"analysis"`
	AnalysisOrder []string              `json:"analysis_order"`
	Evidence      string                `json:"evidence"`
	EvidenceOrder []string              `json:"evidence_order"`
	Services      []jsonServiceEvidence `json:"services"`
	Orders        []jsonOrderEvidence   `json:"orders"`
	Unpredicted   []string              `json:"unpredicted"`
	AnalysisWhy   string                `json:"analysis_why"`
}

type jsonServiceEvidence struct {
	Name      string `json:"name"`
	Place     string `json:"place"`
	OldCode   string `json:"old_code"`
	NewCode   string `json:"new_code"`
	OldFailed bool   `json:"old_failed"`
	NewFailed bool   `json:"new_failed"`
	OldStates []int  `json:"old_states"`
	NewStates []int  `json:"new_states"`
}

type jsonOrderEvidence struct {
	Order  []string           `json:"order"`
	Safe   bool               `json:"safe"`
	Window bool               `json:"window"`
	Failed []jsonOrderFailure `json:"failed"`
}

type jsonOrderFailure struct {
	Database string          `json:"database"`
	Service  string          `json:"service"`
	Code     string          `json:"code"`
	State    int             `json:"state"`
	Error    jsonServerError `json:"error"`
	SQL      string          `json:"sql"`
}

type jsonServerError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

type jsonSimulatedServer struct {
	Engine     string   `json:"engine"`
	Name       string   `json:"name"`
	Configured string   `json:"configured"`
	Differs    string   `json:"differs"`
	Notes      []string `json:"notes"`
	Connect    string   `json:"connect"`
}

type jsonSimulatedDatabase struct {
	Name      string              `json:"name"`
	Load      jsonLoad            `json:"load"`
	Steps     []jsonSimulatedStep `json:"steps"`
	Workloads []jsonWorkload      `json:"workloads"`
	Cells     []jsonCell          `json:"cells"`
	Faults    []jsonFault         `json:"faults"`
}

type jsonLoad struct {
	From        string                 `json:"from"`
	Because     string                 `json:"because"`
	Statements  int                    `json:"statements"`
	Tables      int                    `json:"tables"`
	Rows        int64                  `json:"rows"`
	Millis      float64                `json:"millis"`
	Seed        uint64                 `json:"seed"`
	Fitted      bool                   `json:"fitted"`
	Differences []string               `json:"differences"`
	Skipped     []jsonSkippedStatement `json:"skipped"`
}

type jsonSkippedStatement struct {
	Statement string `json:"statement"`
	jsonPos
	Why   string          `json:"why"`
	Error jsonServerError `json:"error"`
}

type jsonSimulatedStep struct {
	Statement string `json:"statement"`
	jsonPos
	Error           jsonServerError `json:"error"`
	OnRows          jsonServerError `json:"on_rows"`
	Predicted       string          `json:"predicted"`
	Skipped         string          `json:"skipped"`
	Millis          float64         `json:"millis"`
	Table           string          `json:"table"`
	Rows            int64           `json:"rows"`
	Work            string          `json:"work"`
	Algorithm       string          `json:"algorithm"`
	Lock            string          `json:"lock"`
	Estimated       string          `json:"estimated"`
	Reader          jsonTraffic     `json:"reader"`
	Writer          jsonTraffic     `json:"writer"`
	LockWait        jsonLockWait    `json:"lock_wait"`
	RowVersions     int             `json:"row_versions"`
	RowVersionLimit int             `json:"row_version_limit"`
}

type jsonTraffic struct {
	Sent         int              `json:"sent"`
	WorstMillis  float64          `json:"worst_millis"`
	BeforeMillis float64          `json:"before_millis"`
	Errors       []jsonErrorCount `json:"errors"`
}

type jsonErrorCount struct {
	jsonServerError
	Count int `json:"count"`
}

type jsonLockWait struct {
	Tried          bool            `json:"tried"`
	TimeoutSeconds int             `json:"timeout_seconds"`
	Error          jsonServerError `json:"error"`
	Millis         float64         `json:"millis"`
	ReaderMillis   float64         `json:"reader_millis"`
}

type jsonWorkload struct {
	Service       string           `json:"service"`
	Code          string           `json:"code"`
	Source        string           `json:"source"`
	Transactions  int              `json:"transactions"`
	Invalid       int              `json:"invalid"`
	InvalidErrors []jsonErrorCount `json:"invalid_errors"`
	Tables        int              `json:"tables"`
	TablesOf      int              `json:"tables_of"`
	Columns       int              `json:"columns"`
	ColumnsOf     int              `json:"columns_of"`
	Uses          string           `json:"uses"`
	Unread        []string         `json:"unread"`
}

type jsonCell struct {
	Service      string              `json:"service"`
	Code         string              `json:"code"`
	State        int                 `json:"state"`
	Overlap      bool                `json:"overlap"`
	Sent         int                 `json:"sent"`
	Failed       int                 `json:"failed"`
	Failures     []jsonFailure       `json:"failures"`
	ChangedCount int                 `json:"changed_count"`
	Changed      []jsonChangedResult `json:"changed"`
	Warnings     []jsonErrorCount    `json:"warnings"`
}

type jsonFailure struct {
	SQL    string          `json:"sql"`
	Source string          `json:"source"`
	Table  string          `json:"table"`
	Use    string          `json:"use"`
	Error  jsonServerError `json:"error"`
	Count  int             `json:"count"`
}

type jsonChangedResult struct {
	SQL  string `json:"sql"`
	Was  string `json:"was"`
	Is   string `json:"is"`
	Were int    `json:"were"`
	Rows int    `json:"rows"`
}

type jsonFault struct {
	Kind    string          `json:"kind"`
	Step    int             `json:"step"`
	State   int             `json:"state"`
	What    string          `json:"what"`
	Retried bool            `json:"retried"`
	Rerun   jsonServerError `json:"rerun"`
	ByHand  string          `json:"by_hand"`
	Lost    []string        `json:"lost"`
	Bad     bool            `json:"bad"`
}

func simulation(d *Document) *jsonSimulation {
	s := d.Simulation
	if s == nil {
		return nil
	}
	out := &jsonSimulation{
		Judgment: judgment(d),
		Server: jsonSimulatedServer{
			s.Server.Engine, s.Server.Name, s.Server.Configured, s.Server.Differs, list(s.Server.Notes), s.Server.Connect,
		},
		Databases: []jsonSimulatedDatabase{},
	}
	for i := range s.Databases {
		out.Databases = append(out.Databases, simulatedDatabase(&s.Databases[i]))
	}
	return out
}

func judgment(d *Document) jsonJudgment {
	j := &d.Simulation.Judgment
	out := jsonJudgment{
		Verdict: string(j.Verdict), Order: list(j.Order), Why: j.Why,
		Analysis: string(d.Verdict), AnalysisOrder: list(d.Order),
		Evidence: string(j.Evidence), EvidenceOrder: list(j.EvidenceOrder),
		Services: []jsonServiceEvidence{}, Orders: []jsonOrderEvidence{}, Unpredicted: list(j.Unpredicted), AnalysisWhy: d.Why,
	}
	for _, e := range j.Services {
		out.Services = append(out.Services, jsonServiceEvidence{
			e.Name, e.Place.String(), string(e.OldCode), string(e.NewCode), e.OldFailed, e.NewFailed, numbers(e.OldStates), numbers(e.NewStates),
		})
	}
	for _, o := range j.Orders {
		jo := jsonOrderEvidence{list(o.Order), o.Safe, o.Window, []jsonOrderFailure{}}
		for _, f := range o.Failed {
			jo.Failed = append(jo.Failed, jsonOrderFailure{f.Database, f.Service, f.Code.String(), f.State, jsonServerError(f.Error), f.SQL})
		}
		out.Orders = append(out.Orders, jo)
	}
	return out
}

func simulatedDatabase(db *analyzer.SimulatedDatabase) jsonSimulatedDatabase {
	l := &db.Load
	out := jsonSimulatedDatabase{
		Name: db.Name,
		Load: jsonLoad{
			l.From, l.Because, l.Statements, l.Tables, l.Rows, finite(l.Millis), l.Seed, l.Fitted, list(l.Differences), []jsonSkippedStatement{},
		},
		Steps: []jsonSimulatedStep{}, Workloads: []jsonWorkload{}, Cells: []jsonCell{}, Faults: []jsonFault{},
	}
	for _, s := range l.Skipped {
		out.Load.Skipped = append(out.Load.Skipped, jsonSkippedStatement{s.Statement.SQL, position(s.Statement.Pos), s.Why, serverError(s.Error)})
	}
	for _, s := range db.Steps {
		js := jsonSimulatedStep{
			Statement: s.Statement.SQL, jsonPos: position(s.Statement.Pos), Error: serverError(s.Error), OnRows: serverError(s.OnRows),
			Predicted: s.Predicted, Skipped: s.Skipped, Millis: finite(s.Millis), Table: s.Table, Rows: s.Rows, Work: s.Work,
			Algorithm: s.Algorithm, Lock: s.Lock, Estimated: s.Estimated, Reader: traffic(s.Reader), Writer: traffic(s.Writer),
			RowVersions: s.RowVersions, RowVersionLimit: s.RowVersionLimit,
		}
		if w := s.LockWait; w != nil {
			js.LockWait = jsonLockWait{true, w.TimeoutSeconds, serverError(w.Error), finite(w.Millis), finite(w.ReaderMillis)}
		}
		out.Steps = append(out.Steps, js)
	}
	for _, w := range db.Workloads {
		out.Workloads = append(out.Workloads, jsonWorkload{
			w.Service, w.Code.String(), w.Source, w.Transactions, w.Invalid, counts(w.InvalidErrors),
			w.Tables, w.TablesOf, w.Columns, w.ColumnsOf, w.Uses.String(), list(w.Unread),
		})
	}
	for _, c := range db.Cells {
		jc := jsonCell{
			Service: c.Service, Code: c.Code.String(), State: c.State, Overlap: c.Overlap, Sent: c.Sent, Failed: c.Failed,
			Failures: []jsonFailure{}, ChangedCount: c.ChangedCount, Changed: []jsonChangedResult{}, Warnings: counts(c.Warnings),
		}
		for _, f := range c.Failures {
			jc.Failures = append(jc.Failures, jsonFailure{f.SQL, f.Source, f.Table, f.Use.String(), jsonServerError(f.Error), f.Count})
		}
		for _, r := range c.Changed {
			jc.Changed = append(jc.Changed, jsonChangedResult{r.SQL, r.Was, r.Is, r.Were, r.Rows})
		}
		out.Cells = append(out.Cells, jc)
	}
	for _, f := range db.Faults {
		out.Faults = append(out.Faults, jsonFault{f.Kind, f.Step, f.State, f.What, f.Retried, serverError(f.Rerun), f.ByHand, list(f.Lost), f.Bad})
	}
	return out
}

func serverError(e *analyzer.ServerError) jsonServerError {
	if e == nil {
		return jsonServerError{}
	}
	return jsonServerError(*e)
}

func traffic(t analyzer.Traffic) jsonTraffic {
	return jsonTraffic{t.Sent, finite(t.WorstMillis), finite(t.BeforeMillis), counts(t.Errors)}
}

func counts(errors []analyzer.ErrorCount) []jsonErrorCount {
	out := []jsonErrorCount{}
	for _, e := range errors {
		out = append(out, jsonErrorCount{jsonServerError{e.Code, e.Message}, e.Count})
	}
	return out
}

func numbers(n []int) []int {
	if n == nil {
		return []int{}
	}
	return n
}

// finite gives a measurement to the microsecond. JSON has no infinities.
func finite(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return math.Round(f*1000) / 1000
}
