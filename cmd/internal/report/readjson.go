package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// The bounds of a JSON document that is read. What formats do with it takes time and memory in proportion to them.
const (
	maxJSON       = 16 << 20 // bytes
	maxJSONDepth  = 16
	maxJSONList   = 20_000  // elements of a list, keys of an object
	maxJSONValues = 500_000 // in all
	maxJSONText   = 1 << 20 // bytes of a string as it is written
	maxRead       = 500     // services, databases, orders
	maxRefs       = 20      // at which a service is deployed
	maxMatrixSize = 1 << 20 // cells of a simulation's matrix: rows × states
	maxNumber     = 1 << 40
)

// minMinor is the first version of the format that holds all that formats print.
const minMinor = 2

// ReadJSON reads what the format json has printed, so that every other format can print it. The file is a stranger's: it is bounded,
// every word in it that a format would print as it is has to be a known one, and prose that is the program's own comes from rule,
// which gives the rule with an id, or nil: an unknown rule keeps its id and has no prose. What contradicts itself is refused; that
// it is true cannot be known.
//
// An object comes back with its printed name only, as if it were a table. Drift is left out (DriftGroups are not), and so are the
// changes and schemas behind what the report says: it can be printed, not judged again.
func ReadJSON(r io.Reader, rule func(id string) *analyzer.Rule) (*Document, error) {
	src, err := io.ReadAll(io.LimitReader(r, maxJSON+1))
	if err != nil {
		return nil, err
	}
	if len(src) > maxJSON {
		return nil, fmt.Errorf("the report has more than %d MiB", maxJSON>>20)
	}
	if len(bytes.TrimSpace(src)) == 0 {
		return nil, errors.New("the report is empty, so it is no JSON: the check that was to write it has failed")
	}
	if err := boundJSON(src); err != nil {
		return nil, fmt.Errorf("the report: %w", err)
	}
	// The version comes first: of another one nothing else is known.
	var version struct {
		FormatVersion string `json:"format_version"`
	}
	if err := json.Unmarshal(src, &version); err != nil {
		return nil, fmt.Errorf("the report is no JSON document of instep: %w", err)
	}
	if err := checkVersion(version.FormatVersion); err != nil {
		return nil, err
	}
	var in jsonReport
	if err := json.Unmarshal(src, &in); err != nil {
		return nil, fmt.Errorf("the report: %w", err)
	}
	rd := &jsonReader{rule: rule, rules: map[string]*analyzer.Rule{}}
	d := rd.document(&in)
	if rd.err == nil {
		rd.consistent(d, &in)
	}
	if rd.err != nil {
		return nil, fmt.Errorf("the report: %w", rd.err)
	}
	return d, nil
}

func checkVersion(v string) error {
	if v == "" {
		return errors.New("the report has no format_version: it is not the output of instep --format json")
	}
	major, minor, ok := strings.Cut(v, ".")
	n, err := strconv.Atoi(minor)
	ours, _, _ := strings.Cut(FormatVersion, ".")
	switch {
	case !ok || err != nil || n < 0 || len(v) > 20:
		return fmt.Errorf("the report has the format_version %q, which is none", shorten(Clean(v), 20))
	case major != ours:
		return fmt.Errorf("the report has format %s, and this instep reads format %s: make both with the same version of instep", v, ours)
	case n < minMinor:
		return fmt.Errorf("the report has format %s, which lacks what is printed here: make it with this version of instep (format %s)", v, FormatVersion)
	}
	return nil
}

// boundJSON checks that text is JSON and how large it is, before anything is made of it: a short text can be a long list.
func boundJSON(src []byte) error {
	// What has no brackets that are too deep is checked fast; encoding/json bounds the depth itself, later.
	if !json.Valid(src) {
		return errors.New("it is no JSON")
	}
	var counts [maxJSONDepth + 1]int // of commas, by depth
	depth, values := 0, 0
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '{', '[':
			if depth++; depth > maxJSONDepth {
				return fmt.Errorf("it is nested more than %d deep", maxJSONDepth)
			}
			counts[depth] = 0
		case '}', ']':
			depth--
		case ',':
			values++
			if counts[depth]++; counts[depth] >= maxJSONList {
				return fmt.Errorf("a list has more than %d elements", maxJSONList)
			}
			if values > maxJSONValues {
				return fmt.Errorf("it has more than %d values", maxJSONValues)
			}
		case '"':
			begin := i
			for i++; src[i] != '"'; i++ {
				if src[i] == '\\' {
					i++
				}
			}
			if i-begin > maxJSONText {
				return fmt.Errorf("a text has more than %d bytes", maxJSONText)
			}
		}
	}
	return nil
}

// A jsonReader turns the document's values into the report's. It keeps the first error.
type jsonReader struct {
	rule  func(id string) *analyzer.Rule
	rules map[string]*analyzer.Rule
	err   error
}

func (rd *jsonReader) fail(format string, args ...any) {
	if rd.err == nil {
		rd.err = fmt.Errorf(format, args...)
	}
}

// word checks that a word is one of those known.
func word[T ~string](rd *jsonReader, what, s string, known ...T) T {
	if !slices.Contains(known, T(s)) {
		rd.fail("%s: %q is not known", what, shorten(Clean(s), 40))
	}
	return T(s)
}

func (rd *jsonReader) matches(what, s string, re *regexp.Regexp) string {
	if !re.MatchString(s) {
		rd.fail("%s: %q is none", what, shorten(Clean(s), 40))
	}
	return s
}

var (
	ruleID        = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+){0,20}$`)
	fingerprintID = regexp.MustCompile(`^[0-9A-Za-z]{0,64}$`)
	commitID      = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})?$`)
	upperWord     = regexp.MustCompile(`^[A-Z]{0,20}$`)
)

// number checks that a count, a line or a column can be one.
func (rd *jsonReader) number(what string, n int) int {
	if n < 0 || n > maxNumber {
		rd.fail("%s: %d is out of range", what, n)
		return 0
	}
	return n
}

func (rd *jsonReader) few(what string, n int) {
	if n > maxRead {
		rd.fail("there are %d %s, more than %d", n, what, maxRead)
	}
}

func (rd *jsonReader) position(p jsonPos) schema.Pos {
	return schema.Pos{File: p.File, Line: rd.number("line", p.Line), Col: rd.number("column", p.Column)}
}

// printedObject is an object with that printed name.
func printedObject(name string) schema.Object {
	return schema.Object{Kind: schema.KindTable, Table: name}
}

func (rd *jsonReader) ruleWith(id string) *analyzer.Rule {
	if r := rd.rules[id]; r != nil {
		return r
	}
	rd.matches("rule", id, ruleID)
	r := rd.rule(id)
	if r == nil {
		r = &analyzer.Rule{ID: id}
	}
	rd.rules[id] = r
	return r
}

func (rd *jsonReader) breaks(what string, names []string) (b analyzer.Breaks) {
	for _, name := range names {
		for _, bit := range []analyzer.Breaks{analyzer.OldCode, analyzer.NewCode, analyzer.Running} {
			if name == bit.String() {
				b |= bit
			}
		}
	}
	if len(names) != len(b.Names()) {
		rd.fail("%s: a word is not known, or stands twice", what)
	}
	return b
}

// codeOf reads which code something is about: old or new.
func (rd *jsonReader) codeOf(s string) analyzer.Breaks {
	b := rd.breaks("code", []string{s})
	if b == analyzer.Running {
		rd.fail("code: %q is not known", s)
	}
	return b
}

func (rd *jsonReader) use(s string) (u analyzer.Use) {
	if s == "" {
		return 0
	}
	for name := range strings.SplitSeq(s, ", ") {
		known := false
		for _, bit := range []analyzer.Use{analyzer.Read, analyzer.Insert, analyzer.Update, analyzer.Delete, analyzer.Omit, analyzer.Hint, analyzer.Position, analyzer.Write} {
			if name == bit.String() {
				u, known = u|bit, true
			}
		}
		if !known {
			rd.fail("use: %q is not known", shorten(Clean(name), 40))
		}
	}
	return u
}

var (
	verdictNames = []analyzer.Verdict{analyzer.NoChange, analyzer.AnyOrder, analyzer.Ordered, analyzer.Split, analyzer.Unproven}
	statusNames  = []analyzer.Status{analyzer.OK, analyzer.BreaksFor, analyzer.AssumedBreaks}
)

func (rd *jsonReader) document(in *jsonReport) *Document {
	r := &analyzer.Report{
		Verdict: word(rd, "verdict", in.Verdict, verdictNames...), Order: list(in.Order), Why: in.Why, Proviso: in.Proviso,
		Deployed: rd.ref(in.Deployed), Target: rd.ref(in.Target),
	}
	rd.few("steps of the order", len(in.Order))
	rd.few("services", len(in.Services))
	for _, s := range in.Services {
		r.Services = append(r.Services, rd.service(s))
	}
	for _, m := range in.Migrations {
		rm := analyzer.Migration{ID: m.ID, Database: m.Database, Framework: m.Framework, File: m.File,
			State: word(rd, "state of a migration", m.State, analyzer.Pending, analyzer.Edited, analyzer.Removed, analyzer.ReBased)}
		for _, sql := range m.Statements {
			rm.Statements = append(rm.Statements, schema.Statement{SQL: sql})
		}
		r.Migrations = append(r.Migrations, rm)
	}
	for _, c := range in.Changes {
		r.Changes = append(r.Changes, analyzer.ChangeReport{
			Database: c.Database, Object: printedObject(c.Object), Kind: c.Kind, Pos: rd.position(c.jsonPos), SQL: c.SQL,
			Class: word(rd, "class", c.Class, analyzer.Additive, analyzer.Destructive, analyzer.Compatible, analyzer.Incompatible),
		})
	}
	for i := range in.Hazards {
		r.Hazards = append(r.Hazards, rd.finding(&in.Hazards[i]))
	}
	for i := range in.Ignored {
		f := rd.finding(&in.Ignored[i].jsonHazard)
		f.Because = in.Ignored[i].Because
		r.Ignored = append(r.Ignored, f)
	}
	for _, c := range in.Costs {
		r.Costs = append(r.Costs, analyzer.Cost{
			Database: c.Database, Statement: schema.Statement{SQL: c.Statement, Pos: rd.position(jsonPos{c.File, c.Line, c.Column})},
			Algorithm: rd.matches("algorithm", c.Algorithm, upperWord), Lock: rd.matches("lock", c.Lock, upperWord),
			RebuildsTable: c.RebuildsTable, Because: c.Because,
		})
	}
	hit := map[string]bool{}
	for _, f := range slices.Concat(r.Hazards, r.Ignored) {
		for _, h := range slices.Concat(f.Services, f.Consumers) {
			hit[h.Name] = true
		}
	}
	rd.few("names of services and consumers that are hit", len(hit))
	r.Gaps, r.OtherGaps = rd.gaps(in.Gaps), rd.gaps(in.OtherGaps)
	for _, ig := range in.UnusedIgnores {
		r.UnusedIgnores = append(r.UnusedIgnores, analyzer.Ignore{Rule: ig.Rule, Object: ig.Object, Because: ig.Because, Fingerprint: ig.Fingerprint})
	}
	for _, g := range in.DriftGroups {
		rg := analyzer.DriftGroup{Database: g.Database, Kind: g.Kind, What: g.What, Count: rd.number("count", g.Count)}
		for _, n := range g.Names {
			rg.Names = append(rg.Names, analyzer.NameCount{Name: n.Name, Count: rd.number("count", n.Count)})
		}
		r.DriftGroups = append(r.DriftGroups, rg)
	}
	d := &Document{Report: r, ConfigChanges: in.ConfigChanges}
	for _, l := range in.ConfigChanges {
		if !strings.HasPrefix(l, "+ ") && !strings.HasPrefix(l, "- ") {
			rd.fail("a line of config_changes does not begin with + or -")
		}
	}
	if in.Simulation != nil {
		d.Simulation = rd.simulation(in.Simulation)
		// At the top stands what counts; the report is the analysis alone.
		j := &in.Simulation.Judgment
		r.Verdict, r.Order, r.Why = word(rd, "analysis", j.Analysis, verdictNames...), list(j.AnalysisOrder), j.AnalysisWhy
	}
	return d
}

func (rd *jsonReader) ref(r jsonRef) analyzer.Ref {
	return analyzer.Ref{Rev: r.Rev, Commit: rd.matches("commit", r.Commit, commitID)}
}

func (rd *jsonReader) gaps(in []jsonGap) []schema.Gap {
	var out []schema.Gap
	for _, g := range in {
		out = append(out, schema.Gap{Pos: rd.position(g.jsonPos), What: g.What, Why: g.Why})
	}
	return out
}

func (rd *jsonReader) service(s jsonService) analyzer.ServiceReport {
	r := analyzer.ServiceReport{
		Name: s.Name, Migrates: s.Migrates, Window: s.Window, CanRollBack: s.CanRollBack, Because: s.Because,
		Access:           word(rd, "access", s.Access, analyzer.AnyAccess, analyzer.ReadAccess, analyzer.WriteAccess, analyzer.NoAccess),
		Rollout:          word(rd, "rollout", s.Rollout, "", analyzer.Rolling, analyzer.Canary, analyzer.Recreate),
		OldCodeNewSchema: word(rd, "old_code_new_schema", s.OldCodeNewSchema, statusNames...),
		NewCodeOldSchema: word(rd, "new_code_old_schema", s.NewCodeOldSchema, statusNames...),
		Reason:           s.Reason, WindowReason: s.WindowReason, RollbackReason: s.RollbackReason,
	}
	if len(s.Deployed) > maxRefs {
		rd.fail("a service is deployed at %d refs, more than %d", len(s.Deployed), maxRefs)
	}
	for _, at := range s.Deployed {
		r.Deployed = append(r.Deployed, analyzer.DeployedAt{Ref: rd.ref(at.jsonRef), Reached: at.Reached, Behind: at.Behind})
	}
	for _, fp := range s.Because {
		rd.matches("fingerprint", fp, fingerprintID)
	}
	if s.Before {
		r.Place |= analyzer.Before
	}
	if s.After {
		r.Place |= analyzer.After
	}
	if s.Place != r.PlaceName() {
		rd.fail("the place %q of a service is not known, or is not what before and after say", shorten(Clean(s.Place), 40))
	}
	return r
}

func (rd *jsonReader) finding(h *jsonHazard) analyzer.Finding {
	f := analyzer.Finding{
		Hazard: analyzer.Hazard{
			Rule: rd.ruleWith(h.Rule), Breaks: rd.breaks("breaks", h.Breaks), Hits: printedObject(h.Object), Use: rd.use(h.Use), If: h.If, What: h.What,
			Caution: h.Caution, Mediated: h.Mediated, Refused: h.Refused, Preflight: h.Preflight,
		},
		Database: h.Database, Fingerprint: rd.matches("fingerprint", h.Fingerprint, fingerprintID), Pos: rd.position(h.jsonPos), Between: h.Between, From: analyzer.Ref{Rev: h.From},
	}
	rd.few("hits of a hazard", len(h.Hits))
	rd.few("places in the sources for a hazard", len(h.Evidence))
	for _, x := range h.Hits {
		hit := analyzer.Hit{Name: x.Name, Code: rd.breaks("code", x.Code), Assumed: x.Assumed}
		if x.Consumer {
			f.Consumers = append(f.Consumers, hit)
		} else {
			f.Services = append(f.Services, hit)
		}
	}
	if !slices.Equal(list(h.Services), names(f.Services)) || !slices.Equal(list(h.Consumers), names(f.Consumers)) {
		rd.fail("the services and consumers of a hazard are not those of its hits")
	}
	for _, e := range h.Evidence {
		f.Evidence = append(f.Evidence, analyzer.Evidence{Rev: e.Rev, File: e.File, Line: rd.number("line", e.Line), Text: e.Text})
	}
	return f
}

// consistent checks that the answer follows from what else the document says, as far as that can be seen.
func (rd *jsonReader) consistent(d *Document, in *jsonReport) {
	all := d.Combined()
	if string(all.Verdict) != in.Verdict || !slices.Equal(all.Order, list(in.Order)) || all.Why != in.Why {
		rd.fail("verdict, order or why at the top are not those of the simulation")
	}
	if len(d.Gaps) > 0 && d.Verdict != analyzer.Unproven {
		rd.fail("it has gaps, and its verdict is %s", d.Verdict)
	}
	if d.Simulation != nil && (d.Verdict == analyzer.Split && all.Verdict != analyzer.Split || d.Verdict == analyzer.Unproven && all.Verdict != analyzer.Unproven && all.Verdict != analyzer.Split) {
		rd.fail("the run makes the verdict looser than the analysis")
	}
	safe := all.Verdict == analyzer.AnyOrder || all.Verdict == analyzer.Ordered
	if !safe && len(all.Order) > 0 {
		rd.fail("it has an order, and its verdict is %s", all.Verdict)
	}
	seen := map[string]bool{}
	var migrating []string
	for _, s := range all.Services {
		if seen[s.Name] {
			rd.fail("two services have the same name")
		}
		seen[s.Name] = true
		if s.Migrates {
			migrating = append(migrating, s.Name)
		}
	}
	if !safe && all.Verdict != analyzer.NoChange {
		return
	}
	run := slices.IndexFunc(all.Order, func(name string) bool { return name == analyzer.MigrationStep || slices.Contains(migrating, name) })
	for i, name := range all.Order {
		if !seen[name] && !(name == analyzer.MigrationStep && len(migrating) == 0) || slices.Contains(all.Order[:i], name) {
			rd.fail("its order names something that is no service, or names it twice")
		}
	}
	for _, s := range all.Services {
		i := slices.Index(all.Order, s.Name)
		switch {
		case s.Migrates || s.Place == analyzer.Anywhere:
		case all.Verdict != analyzer.Ordered, s.Place == analyzer.Nowhere, i < 0, s.Place == analyzer.Before && i > run, s.Place == analyzer.After && i < run:
			rd.fail("the place of a service does not go with its verdict, which is %s, or with its order", all.Verdict)
		}
	}
	if safe && run < 0 {
		rd.fail("its order does not say when the schema changes")
	}
	rd.unharmed(d, all)
}

// unharmed checks that a verdict by which an order is safe follows from the hazards: whom they hit, its place and its statuses say so.
func (rd *jsonReader) unharmed(d *Document, all *analyzer.Report) {
	demands := map[string]analyzer.Place{}
	hits := 0
	for _, f := range d.Hazards {
		hits += len(f.Services) + len(f.Consumers)
		for _, h := range f.Services {
			if h.Code&analyzer.OldCode != 0 {
				demands[h.Name] |= analyzer.Before
			}
			if h.Code&analyzer.NewCode != 0 {
				demands[h.Name] |= analyzer.After
			}
		}
	}
	if all.Verdict == analyzer.NoChange && hits+len(d.Changes) > 0 {
		rd.fail("it has changes, and its verdict is %s", all.Verdict)
	}
	for _, s := range d.Services {
		want, old, new := demands[s.Name], s.OldCodeNewSchema != analyzer.OK, s.NewCodeOldSchema != analyzer.OK
		delete(demands, s.Name)
		if s.Migrates { // its new code never meets the old schema
			want, new = want&^analyzer.After, s.Place&analyzer.After != 0
		}
		if want&^s.Place != 0 || old != (s.Place&analyzer.Before != 0) || new != (s.Place&analyzer.After != 0) {
			rd.fail("the place of a service does not go with the hazards that hit it, or with what is said of its code")
		}
		if old && (s.CanRollBack || s.Migrates && !s.Window && s.Rollout != analyzer.Recreate) {
			rd.fail("the old code of a service breaks, and nothing is said of a window or of going back")
		}
	}
	if len(demands) > 0 {
		rd.fail("a hazard hits a service that is not listed")
	}
	first := 0 // of several that migrate, only one can be the first
	for _, s := range all.Services {
		if s.Migrates && s.Place&analyzer.Before != 0 {
			first++
		}
	}
	if first > 1 {
		rd.fail("several services would have to be the first to migrate, and its verdict is %s", all.Verdict)
	}
	if d.Simulation != nil && d.endedEarly() {
		rd.fail("the upgrade itself failed in the run, and its verdict is %s", all.Verdict)
	}
}

func (rd *jsonReader) simulation(in *jsonSimulation) *analyzer.Simulation {
	s := &analyzer.Simulation{
		Server: analyzer.SimulatedServer{
			Engine: in.Server.Engine, Name: in.Server.Name, Configured: in.Server.Configured, Differs: in.Server.Differs, Notes: in.Server.Notes, Connect: in.Server.Connect,
		},
		Judgment: rd.judgment(&in.Judgment),
	}
	rd.few("databases", len(in.Databases))
	for i := range in.Databases {
		s.Databases = append(s.Databases, rd.simulatedDatabase(&in.Databases[i]))
	}
	return s
}

func (rd *jsonReader) judgment(in *jsonJudgment) analyzer.Judgment {
	verdicts := append([]analyzer.Verdict{""}, verdictNames...) // "": nothing was judged
	j := analyzer.Judgment{
		Verdict: word(rd, "verdict", in.Verdict, verdicts...), Order: list(in.Order), Why: in.Why,
		Evidence: word(rd, "evidence", in.Evidence, verdicts...), EvidenceOrder: in.EvidenceOrder, Unpredicted: in.Unpredicted,
	}
	rd.few("steps of an order", max(len(in.Order), len(in.EvidenceOrder)))
	rd.few("services", len(in.Services))
	rd.few("orders", len(in.Orders))
	outcomes := []analyzer.Outcome{"", analyzer.Confirmed, analyzer.Refuted, analyzer.Unpredicted, analyzer.NotExercised}
	for _, e := range in.Services {
		x := analyzer.ServiceEvidence{
			Name: e.Name, OldCode: word(rd, "old_code", e.OldCode, outcomes...), NewCode: word(rd, "new_code", e.NewCode, outcomes...),
			OldFailed: e.OldFailed, NewFailed: e.NewFailed, OldStates: e.OldStates, NewStates: e.NewStates,
		}
		for p := range analyzer.Nowhere + 1 {
			if p.String() == e.Place {
				x.Place = p
			}
		}
		if x.Place.String() != e.Place {
			rd.fail("place: %q is not known", shorten(Clean(e.Place), 40))
		}
		for _, n := range slices.Concat(e.OldStates, e.NewStates) {
			rd.number("state", n)
		}
		j.Services = append(j.Services, x)
	}
	for _, o := range in.Orders {
		x := analyzer.OrderEvidence{Order: o.Order, Safe: o.Safe, Window: o.Window}
		rd.few("steps of an order", len(o.Order))
		for _, f := range o.Failed {
			x.Failed = append(x.Failed, analyzer.OrderFailure{Database: f.Database, Service: f.Service, Code: rd.codeOf(f.Code), State: rd.number("state", f.State),
				Error: analyzer.ServerError(f.Error), SQL: f.SQL})
		}
		j.Orders = append(j.Orders, x)
	}
	return j
}

func (rd *jsonReader) simulatedDatabase(in *jsonSimulatedDatabase) analyzer.SimulatedDatabase {
	l := &in.Load
	db := analyzer.SimulatedDatabase{
		Name: in.Name,
		Load: analyzer.SimulatedLoad{
			From: l.From, Because: l.Because, Statements: rd.number("statements", l.Statements), Tables: rd.number("tables", l.Tables), Rows: l.Rows, Millis: l.Millis,
			Seed: l.Seed, Fitted: l.Fitted, Differences: l.Differences,
		},
	}
	for _, s := range l.Skipped {
		db.Load.Skipped = append(db.Load.Skipped, analyzer.SkippedStatement{Statement: rd.statement(s.Statement, s.jsonPos), Why: s.Why, Error: readError(s.Error)})
	}
	for _, s := range in.Steps {
		x := analyzer.SimulatedStep{
			Statement: rd.statement(s.Statement, s.jsonPos), Error: readError(s.Error), OnRows: readError(s.OnRows), Predicted: s.Predicted, Skipped: s.Skipped,
			Millis: s.Millis, Table: s.Table, Rows: s.Rows, Work: s.Work, Algorithm: s.Algorithm, Lock: s.Lock, Estimated: s.Estimated,
			Reader: rd.traffic(s.Reader), Writer: rd.traffic(s.Writer), RowVersions: s.RowVersions, RowVersionLimit: s.RowVersionLimit,
		}
		if w := s.LockWait; w.Tried {
			x.LockWait = &analyzer.LockWait{TimeoutSeconds: w.TimeoutSeconds, Error: readError(w.Error), Millis: w.Millis, ReaderMillis: w.ReaderMillis}
		}
		db.Steps = append(db.Steps, x)
	}
	for _, w := range in.Workloads {
		db.Workloads = append(db.Workloads, analyzer.SimulatedWorkload{
			Service: w.Service, Code: rd.codeOf(w.Code), Source: w.Source, Transactions: rd.number("transactions", w.Transactions), Invalid: rd.number("invalid", w.Invalid),
			InvalidErrors: readCounts(w.InvalidErrors), Tables: w.Tables, TablesOf: w.TablesOf, Columns: w.Columns, ColumnsOf: w.ColumnsOf, Uses: rd.use(w.Uses), Unread: w.Unread,
		})
	}
	type row struct {
		service string
		code    analyzer.Breaks
		overlap bool
	}
	rows := map[row]bool{}
	for _, c := range in.Cells {
		x := analyzer.Cell{
			Service: c.Service, Code: rd.codeOf(c.Code), State: rd.number("state", c.State), Overlap: c.Overlap, Sent: rd.number("sent", c.Sent), Failed: rd.number("failed", c.Failed),
			ChangedCount: rd.number("changed_count", c.ChangedCount), Warnings: readCounts(c.Warnings),
		}
		for _, f := range c.Failures {
			x.Failures = append(x.Failures, analyzer.Failure{SQL: f.SQL, Source: f.Source, Table: f.Table, Use: rd.use(f.Use), Error: analyzer.ServerError(f.Error), Count: f.Count})
		}
		for _, r := range c.Changed {
			x.Changed = append(x.Changed, analyzer.ChangedResult{SQL: r.SQL, Was: r.Was, Is: r.Is, Were: r.Were, Rows: r.Rows})
		}
		rows[row{x.Service, x.Code, x.Overlap}] = true
		db.Cells = append(db.Cells, x)
	}
	rd.few("versions of code in the matrix", len(rows))
	if n := len(rows) * (len(in.Steps) + 1); n > maxMatrixSize {
		rd.fail("the matrix has %d cells, more than %d", n, maxMatrixSize)
	}
	kinds := map[string]bool{}
	for _, f := range in.Faults {
		if f.State < -1 {
			rd.fail("state: %d is out of range", f.State)
		}
		kinds[f.Kind] = true
		db.Faults = append(db.Faults, analyzer.Fault{
			Kind: f.Kind, Step: rd.number("step", f.Step), State: f.State, What: f.What, Retried: f.Retried, Rerun: readError(f.Rerun), ByHand: f.ByHand, Lost: f.Lost, Bad: f.Bad,
		})
	}
	rd.few("kinds of faults", len(kinds))
	return db
}

func (rd *jsonReader) statement(sql string, p jsonPos) schema.Statement {
	return schema.Statement{SQL: sql, Pos: rd.position(p)}
}

func (rd *jsonReader) traffic(t jsonTraffic) analyzer.Traffic {
	return analyzer.Traffic{Sent: rd.number("sent", t.Sent), WorstMillis: t.WorstMillis, BeforeMillis: t.BeforeMillis, Errors: readCounts(t.Errors)}
}

// readError gives no error where there was none.
func readError(e jsonServerError) *analyzer.ServerError {
	if e == (jsonServerError{}) {
		return nil
	}
	out := analyzer.ServerError(e)
	return &out
}

func readCounts(in []jsonErrorCount) []analyzer.ErrorCount {
	var out []analyzer.ErrorCount
	for _, e := range in {
		out = append(out, analyzer.ErrorCount{Code: e.Code, Message: e.Message, Count: e.Count})
	}
	return out
}
