package analyzer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"instep/analyzer/schema"
)

// judgeReport gives the report of what stands behind the rules.
func judgeReport(services []Service, hazards []Hazard, ignores []Ignore, gaps ...schema.Gap) *Report {
	a := &analysis{
		Upgrade: Upgrade{Services: services, Usage: Assume, Ignores: ignores},
		report:  &Report{Gaps: gaps}, changed: true,
	}
	for _, h := range hazards {
		a.add(&Database{}, h, h.Breaks, false, judgePos(1))
	}
	a.settle()
	a.place()
	a.verdict()
	return a.report
}

func judgePos(line int) schema.Pos { return schema.Pos{File: "m.sql", Line: line, Col: 1} }

func judgeHazard(breaks Breaks) Hazard {
	return Hazard{Rule: lawRules[0], Breaks: breaks, Hits: schema.Object{Kind: schema.KindColumn, Table: "t", Name: "a"}, Use: Read | Write, What: "t.a"}
}

// simulated gives a simulation of one database with so many steps. Each cell is "service code state[ overlap]: number table", or
// without what stands behind the colon a cell without failures. Codes are old and new; a service and code that no cell is about
// has been sent nothing.
func simulated(t *testing.T, steps int, cells ...string) *Simulation {
	d := SimulatedDatabase{}
	for i := range steps {
		d.Steps = append(d.Steps, SimulatedStep{Statement: schema.Statement{SQL: fmt.Sprint("ALTER ", i), Pos: judgePos(i + 1)}})
	}
	for _, text := range cells {
		head, failure, failed := strings.Cut(text, ": ")
		f := strings.Fields(head)
		c := Cell{Service: f[0], Code: OldCode, Sent: 10, Overlap: len(f) > 3}
		if f[1] == "new" {
			c.Code = NewCode
		}
		var err error
		if c.State, err = strconv.Atoi(f[2]); err != nil {
			t.Fatal(err)
		}
		if failed {
			number, table, _ := strings.Cut(failure, " ")
			code, err := strconv.Atoi(number)
			if err != nil {
				t.Fatal(err)
			}
			c.Failed = 1
			c.Failures = []Failure{{SQL: "INSERT INTO " + table, Table: table, Use: Insert, Error: ServerError{code, "refused"}, Count: 1}}
		}
		d.Cells = append(d.Cells, c)
	}
	return &Simulation{Databases: []SimulatedDatabase{d}}
}

var (
	judgeAdminApp = []Service{{Name: "admin", Migrates: true}, {Name: "app"}}
	judgeApps     = []Service{{Name: "app"}, {Name: "web", Access: ReadAccess}}
	judgeFine     = []string{"admin old 0", "admin old 1", "admin new 0", "admin new 1", "app old 0", "app old 1", "app new 0", "app new 1"}
)

func TestJudge(t *testing.T) {
	dropped, added, both := judgeHazard(OldCode), judgeHazard(NewCode), judgeHazard(OldCode|NewCode)
	running := judgeHazard(Running)
	caution := judgeHazard(OldCode)
	caution.Caution, caution.Mediated = true, true
	unusual := judgeHazard(OldCode)
	unusual.Caution, unusual.Use = true, Position
	gap := schema.Gap{What: "a statement", Why: "it is not known"}
	for _, c := range []struct {
		name     string
		services []Service
		hazards  []Hazard
		ignores  []Ignore
		gaps     []schema.Gap
		steps    int
		cells    []string
		mend     func(s *Simulation)

		evidence      Verdict
		evidenceOrder string
		verdict       Verdict
		order         string
		outcomes      string // of the services in turn: old code, new code
		safe          string // the orders without a failure; those with a window have ~
		unpredicted   int
		why           string // a part of it
		places        string // of the services, by evidence; "" where the orders tell
	}{
		{
			name: "nothing fails and nothing is predicted", services: judgeAdminApp, steps: 1, cells: judgeFine,
			evidence: AnyOrder, evidenceOrder: "admin app", verdict: AnyOrder, order: "admin app",
			outcomes: "confirmed confirmed, confirmed confirmed", safe: "admin app; app admin",
			why: "no statement failed in any order",
		},
		{
			name: "new code needs the new schema, as predicted", services: judgeAdminApp, hazards: []Hazard{added}, steps: 1,
			cells:    []string{"admin old 1", "admin new 0: 1054 t", "app old 1", "app new 0: 1054 t"},
			evidence: Ordered, evidenceOrder: "admin app", verdict: Ordered, order: "admin app",
			outcomes: "confirmed confirmed, confirmed confirmed", safe: "admin app",
			why: "no statement failed in the order admin, then app; in another order new code of app failed on the old schema (error 1054, refused)",
		},
		{
			name: "a window of the migrating service", services: judgeAdminApp, hazards: []Hazard{dropped}, steps: 1,
			cells:    []string{"admin old 1: 1054 t", "admin new 0", "app old 1: 1054 t", "app new 0"},
			evidence: Ordered, evidenceOrder: "app admin", verdict: Ordered, order: "app admin",
			outcomes: "confirmed confirmed, confirmed confirmed", safe: "~app admin",
			why: "but for old processes of admin while the schema changes",
		},
		{
			name: "no window if old processes stop first", services: []Service{{Name: "admin", Migrates: true, Rollout: Recreate}}, hazards: []Hazard{dropped}, steps: 1,
			cells:    []string{"admin old 1: 1054 t", "admin new 0"},
			evidence: AnyOrder, evidenceOrder: "admin", verdict: AnyOrder, order: "admin",
			outcomes: "confirmed confirmed", safe: "admin",
		},
		{
			name: "an unpredicted failure of old code places the service", services: judgeApps, steps: 1,
			cells:    []string{"app old 1: 1364 t", "app new 0", "web old 1", "web new 0"},
			evidence: Ordered, evidenceOrder: "app migration web", verdict: Ordered, order: "app migration web",
			outcomes: "unpredicted confirmed, confirmed confirmed", safe: "app migration web; app web migration", unpredicted: 1,
			why: "the analysis allows more than the server: old code of app should work on the new schema, but 1 transaction failed, the first with error 1364, refused: INSERT INTO t. Deploy app, then migration, then web",
		},
		{
			name: "an unpredicted failure against a prediction splits", services: judgeApps, hazards: []Hazard{added}, steps: 1,
			cells:    []string{"app old 1: 1364 t", "app new 0: 1054 t", "web old 1", "web new 0: 1054 t"},
			evidence: Split, verdict: Split,
			outcomes: "unpredicted confirmed, confirmed confirmed", unpredicted: 1,
			why: "every order was run, and in each a statement failed",
		},
		{
			name: "a prediction that nothing showed still counts, also against a failure", services: judgeApps, hazards: []Hazard{added}, steps: 1,
			cells:    []string{"app old 1: 1364 t", "app new 0", "web old 1", "web new 0"},
			evidence: Ordered, evidenceOrder: "app migration web", verdict: Split,
			outcomes: "unpredicted refuted, confirmed refuted", safe: "app migration web; app web migration", unpredicted: 1,
			why: "leave no order for app",
		},
		{
			name: "refuted", services: judgeApps, hazards: []Hazard{dropped}, steps: 1,
			cells:    []string{"app old 1", "app new 0", "web old 1", "web new 0"},
			evidence: AnyOrder, evidenceOrder: "app web migration", verdict: Ordered, order: "app web migration",
			outcomes: "refuted confirmed, refuted confirmed", safe: "migration app web; app migration web; web migration app; app web migration",
			why: "expects old code of app, old code of web to break, and nothing that was run did",
		},
		{
			name: "both codes break, as predicted", services: judgeApps, hazards: []Hazard{both}, steps: 1,
			cells:    []string{"app old 1: 1054 t", "app new 0: 1054 t", "web old 1: 1054 t", "web new 0: 1054 t"},
			evidence: Split, verdict: Split, outcomes: "confirmed confirmed, confirmed confirmed",
			why: "The simulation agrees",
		},
		{
			name: "only a state between two statements breaks", services: judgeApps, steps: 2,
			cells:    []string{"app old 1: 1364 t", "app old 2", "app new 0", "app new 1", "web old 1", "web old 2", "web new 0", "web new 1"},
			evidence: Ordered, evidenceOrder: "app migration web", verdict: Ordered, order: "app migration web",
			outcomes: "unpredicted confirmed, confirmed confirmed", safe: "app migration web; app web migration", unpredicted: 1,
			why: "on the schema after statement 1 of 2",
		},
		{
			name: "a failure of old code on its own schema says nothing", services: judgeApps, steps: 1,
			cells:    []string{"app old 0: 1364 t", "app old 1", "app new 1", "app new 0", "web old 1", "web new 0"},
			evidence: AnyOrder, evidenceOrder: "migration app web", verdict: AnyOrder, order: "migration app web",
			outcomes: "confirmed confirmed, confirmed confirmed", safe: "migration app web; app migration web; web migration app; app web migration",
		},
		{
			name: "new code fails on the schema that it is written for: a stale trigger", services: judgeApps, steps: 1,
			cells:    []string{"app old 1", "app new 1: 1054 t", "app new 0", "web old 1", "web new 0"},
			evidence: Split, verdict: Split,
			outcomes: "confirmed unpredicted, confirmed confirmed", unpredicted: 1, places: "nowhere anywhere",
			why: "new code of app",
		},
		{
			name: "nothing was run", services: judgeApps, hazards: []Hazard{dropped}, steps: 1,
			evidence: Unproven, verdict: Ordered, order: "app web migration",
			outcomes: "not-exercised not-exercised, not-exercised not-exercised", safe: "migration app web; app migration web; web migration app; app web migration",
			why: "this is the analysis alone",
		},
		{
			name: "an ignored hazard covers its failure", services: judgeApps, hazards: []Hazard{dropped}, ignores: []Ignore{{Rule: "r0", Because: "unused"}}, steps: 1,
			cells:    []string{"app old 1: 1054 t", "app new 0", "web old 1: 1054 t", "web new 0"},
			evidence: Ordered, evidenceOrder: "app web migration", verdict: AnyOrder, order: "migration app web",
			outcomes: "confirmed confirmed, confirmed confirmed", safe: "app web migration",
			why: "no statement failed but for hazards that the configuration ignores",
		},
		{
			name: "an ignored caution does not cover what it cannot explain", services: judgeApps, hazards: []Hazard{unusual}, ignores: []Ignore{{Rule: "r0", Because: "not so"}}, steps: 1,
			cells:    []string{"app old 1: 1054 t", "app new 0", "web old 1", "web new 0"},
			evidence: Ordered, evidenceOrder: "app migration web", verdict: Ordered, order: "app migration web",
			outcomes: "unpredicted confirmed, confirmed confirmed", safe: "app migration web; app web migration", unpredicted: 1,
		},
		{
			name: "an ignored caution covers what it explains", services: judgeApps, hazards: []Hazard{unusual}, ignores: []Ignore{{Rule: "r0", Because: "not so"}}, steps: 1,
			cells:    []string{"app old 1: 1136 t", "app new 0", "web old 1", "web new 0"},
			evidence: Ordered, evidenceOrder: "app migration web", verdict: AnyOrder, order: "migration app web",
			outcomes: "confirmed confirmed, confirmed confirmed", safe: "app migration web; app web migration",
		},
		{
			name: "an ignored hazard does not cover another table's", services: judgeApps, hazards: []Hazard{dropped}, ignores: []Ignore{{Rule: "r0", Because: "unused"}}, steps: 1,
			cells:    []string{"app old 1: 1054 u", "app new 0", "web old 1", "web new 0"},
			evidence: Ordered, evidenceOrder: "app migration web", verdict: Ordered, order: "app migration web",
			outcomes: "unpredicted confirmed, confirmed confirmed", safe: "app migration web; app web migration", unpredicted: 1,
		},
		{
			name: "a caution does not cover a failure", services: judgeApps, hazards: []Hazard{caution}, steps: 1,
			cells:    []string{"app old 1: 1451 t", "app new 0", "web old 1", "web new 0"},
			evidence: Ordered, evidenceOrder: "app migration web", verdict: Ordered, order: "app migration web",
			outcomes: "unpredicted confirmed, confirmed confirmed", safe: "app migration web; app web migration", unpredicted: 1,
		},
		{
			name: "old code on new code's rows, as a mediated caution says", services: judgeApps, hazards: []Hazard{caution}, steps: 1,
			cells:    []string{"app old 1", "app old 1 overlap: 1451 t", "app new 0", "web old 1", "web new 0"},
			evidence: AnyOrder, evidenceOrder: "migration app web", verdict: AnyOrder, order: "migration app web",
			outcomes: "confirmed confirmed, confirmed confirmed", safe: "migration app web; app migration web; web migration app; app web migration",
		},
		{
			name: "old code on new code's rows, which nothing says", services: judgeApps, steps: 1,
			cells:    []string{"app old 1", "app old 1 overlap: 1451 t", "app new 0", "web old 1", "web new 0"},
			evidence: AnyOrder, evidenceOrder: "migration app web", verdict: Unproven,
			outcomes: "confirmed confirmed, confirmed confirmed", safe: "migration app web; app migration web; web migration app; app web migration", unpredicted: 1,
			why: "old code of app fails on rows that new code has written (error 1451, refused: INSERT INTO t), and the analysis does not say so. No order avoids that",
		},
		{
			name: "unproven stays unproven", services: judgeApps, gaps: []schema.Gap{gap}, steps: 1,
			cells:    []string{"app old 1", "app new 0", "web old 1", "web new 0"},
			evidence: AnyOrder, evidenceOrder: "migration app web", verdict: Unproven,
			outcomes: "confirmed confirmed, confirmed confirmed", safe: "migration app web; app migration web; web migration app; app web migration",
			why: "statements that did not fail prove none",
		},
		{
			name: "unproven, but surely split", services: judgeApps, gaps: []schema.Gap{gap}, steps: 1,
			cells:    []string{"app old 1: 1054 t", "app new 0: 1054 t", "web old 1", "web new 0"},
			evidence: Split, verdict: Split, outcomes: "unpredicted unpredicted, confirmed confirmed", unpredicted: 2,
		},
		{
			name: "a statement that fails", services: judgeApps, steps: 2,
			cells:    []string{"app old 0", "web old 0"},
			mend:     func(s *Simulation) { s.Databases[0].Steps[0].Error = &ServerError{1067, "invalid default"} },
			evidence: Unproven, verdict: Unproven, outcomes: "not-exercised not-exercised, not-exercised not-exercised", unpredicted: 1,
			why: "the upgrade does not get past the statement at m.sql:1:1: error 1067, invalid default. No order is safe until that is mended",
		},
		{
			name: "a statement that fails on some rows, as predicted", services: judgeApps, hazards: []Hazard{running}, steps: 1,
			cells:    []string{"app old 1", "app new 0", "web old 1", "web new 0"},
			mend:     func(s *Simulation) { s.Databases[0].Steps[0].OnRows = &ServerError{1062, "duplicate"} },
			evidence: AnyOrder, evidenceOrder: "migration app web", verdict: AnyOrder, order: "migration app web",
			outcomes: "confirmed confirmed, confirmed confirmed", safe: "migration app web; app migration web; web migration app; app web migration",
		},
		{
			name: "a statement that fails on some rows, which nothing says", services: judgeApps, steps: 1,
			cells:    []string{"app old 1", "app new 0", "web old 1", "web new 0"},
			mend:     func(s *Simulation) { s.Databases[0].Steps[0].OnRows = &ServerError{1062, "duplicate"} },
			evidence: AnyOrder, evidenceOrder: "migration app web", verdict: Unproven,
			outcomes: "confirmed confirmed, confirmed confirmed", safe: "migration app web; app migration web; web migration app; app web migration", unpredicted: 1,
			why: "rows exist on which the statement at m.sql:1:1 fails (error 1062, duplicate)",
		},
		{
			name: "another schema than the one that was analysed", services: judgeApps, steps: 1,
			cells:    []string{"app old 1", "app new 0", "web old 1", "web new 0"},
			mend:     func(s *Simulation) { s.Databases[0].Load.Differences = []string{"users.nick (column-type): int"} },
			evidence: AnyOrder, evidenceOrder: "migration app web", verdict: Unproven,
			outcomes: "confirmed confirmed, confirmed confirmed", safe: "migration app web; app migration web; web migration app; app web migration", unpredicted: 1,
			why: "is not the one that was analysed (one difference: users.nick (column-type): int)",
		},
		{
			name: "two services that migrate", services: []Service{{Name: "a", Migrates: true}, {Name: "b", Migrates: true}}, hazards: nil, steps: 1,
			cells:    []string{"a old 1", "a new 0", "b old 1: 1054 t", "b new 0: 1054 t"},
			evidence: Ordered, evidenceOrder: "b a", verdict: AnyOrder, order: "b a",
			outcomes: "confirmed confirmed, unpredicted unpredicted", safe: "~b a", unpredicted: 2,
			why: "Deploy b, then a",
		},
		{
			name: "a service without access", services: []Service{{Name: "app"}, {Name: "agent", Access: NoAccess}}, steps: 1,
			cells:    []string{"app old 1", "app new 0"},
			evidence: AnyOrder, evidenceOrder: "migration app", verdict: AnyOrder, order: "migration app",
			outcomes: "confirmed confirmed, not-exercised not-exercised", safe: "migration app; app migration",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := judgeReport(c.services, c.hazards, c.ignores, c.gaps...)
			s := simulated(t, c.steps, c.cells...)
			if c.mend != nil {
				c.mend(s)
			}
			Judge(r, s)
			j := s.Judgment
			if j.Evidence != c.evidence || strings.Join(j.EvidenceOrder, " ") != c.evidenceOrder {
				t.Errorf("the evidence is %s %v, want %s [%s]", j.Evidence, j.EvidenceOrder, c.evidence, c.evidenceOrder)
			}
			if j.Verdict != c.verdict || strings.Join(j.Order, " ") != c.order {
				t.Errorf("the verdict is %s %v, want %s [%s]", j.Verdict, j.Order, c.verdict, c.order)
			}
			var outcomes, safe, places []string
			for _, e := range j.Services {
				places = append(places, e.Place.String())
				outcomes = append(outcomes, string(e.OldCode)+" "+string(e.NewCode))
			}
			for _, o := range j.Orders {
				switch text := strings.Join(o.Order, " "); {
				case o.Safe:
					safe = append(safe, text)
				case o.Window:
					safe = append(safe, "~"+text)
				}
			}
			if got := strings.Join(outcomes, ", "); got != c.outcomes {
				t.Errorf("outcomes are %s, want %s", got, c.outcomes)
			}
			if got := strings.Join(safe, "; "); got != c.safe {
				t.Errorf("orders without a failure: %s, want %s", got, c.safe)
			}
			if got := strings.Join(places, " "); c.places != "" && got != c.places {
				t.Errorf("places by evidence: %s, want %s", got, c.places)
			}
			if len(j.Unpredicted) != c.unpredicted {
				t.Errorf("unpredicted: %q, want %d", j.Unpredicted, c.unpredicted)
			}
			if j.Why == "" || !strings.Contains(j.Why, c.why) {
				t.Errorf("why: %s\nwants: %s", j.Why, c.why)
			}
		})
	}
}

func TestJudgeSteps(t *testing.T) {
	r := judgeReport(judgeApps, []Hazard{judgeHazard(Running)}, nil)
	s := simulated(t, 2)
	first, second := &s.Databases[0].Steps[0], &s.Databases[0].Steps[1]
	first.OnRows = &ServerError{1062, "duplicate"}
	second.OnRows = &ServerError{1062, "duplicate"}
	r.Costs = []Cost{{Statement: second.Statement, Algorithm: "INPLACE", Lock: "NONE"}, {Statement: first.Statement}}
	Judge(r, s)
	if first.Predicted != "r0" || second.Predicted != "" {
		t.Errorf("predicted %q and %q, want the rule at the statement's position only", first.Predicted, second.Predicted)
	}
	if first.Estimated != "" || second.Estimated != "INPLACE, LOCK=NONE" {
		t.Errorf("estimated %q and %q", first.Estimated, second.Estimated)
	}
}

// TestJudgeSeveralDatabases: what fails in any of them counts.
func TestJudgeSeveralDatabases(t *testing.T) {
	r := judgeReport(judgeApps, nil, nil)
	s := simulated(t, 1, "app old 1", "app new 0", "web old 1", "web new 0")
	s.Databases = append(s.Databases, simulated(t, 2, "app old 1", "app old 2: 1054 t", "app new 0", "app new 1").Databases...)
	s.Databases[1].Name = "logs"
	Judge(r, s)
	if s.Judgment.Verdict != Ordered || !slices.Equal(s.Judgment.Order, []string{"app", "migration", "web"}) {
		t.Errorf("%s %v", s.Judgment.Verdict, s.Judgment.Order)
	}
	if got := s.Judgment.Services[0].OldStates; !slices.Equal(got, []int{2}) {
		t.Errorf("old code of app fails on states %v", got)
	}
	if !strings.Contains(s.Judgment.Why, "on the new schema in database logs") {
		t.Error(s.Judgment.Why)
	}
}

// TestJudgeManyServices: the orders of many services are not all walked.
func TestJudgeManyServices(t *testing.T) {
	var services []Service
	var cells []string
	for i := range 12 {
		services = append(services, Service{Name: fmt.Sprint("s", i)})
		cells = append(cells, fmt.Sprintf("s%d new 0", i))
		if i%2 == 0 {
			cells = append(cells, fmt.Sprintf("s%d old 1: 1054 t", i))
		}
	}
	s := simulated(t, 1, cells...)
	Judge(judgeReport(services, nil, nil), s)
	if n := len(s.Judgment.Orders); n != 3 {
		t.Errorf("%d orders", n)
	}
	want := "s0 s2 s4 s6 s8 s10 migration s1 s3 s5 s7 s9 s11"
	if got := strings.Join(s.Judgment.EvidenceOrder, " "); got != want || s.Judgment.Evidence != Ordered {
		t.Errorf("%s %s", s.Judgment.Evidence, got)
	}
}

// TestJudgeNeverLoosens: whatever was run, the answer is at most as loose as the analysis, and the order that it gives is one in
// which nothing failed but what a window explains or the user ignores.
func TestJudgeNeverLoosens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		r := w.report(w.hazards, w.services)
		d := SimulatedDatabase{}
		steps := rapid.IntRange(1, 3).Draw(t, "steps")
		for i := range steps {
			st := SimulatedStep{Statement: schema.Statement{SQL: fmt.Sprint(i), Pos: judgePos(i)}}
			if rapid.IntRange(0, 15).Draw(t, "fails") == 0 {
				st.OnRows = &ServerError{Code: 1062}
			}
			d.Steps = append(d.Steps, st)
		}
		for _, s := range w.services {
			for _, code := range []Breaks{OldCode, NewCode} {
				for state := range steps + 1 {
					c := Cell{Service: s.Name, Code: code, State: state, Sent: rapid.IntRange(0, 2).Draw(t, "sent")}
					if c.Sent > 0 && rapid.IntRange(0, 4).Draw(t, "failed") == 0 {
						c.Failed = 1
						c.Failures = []Failure{{SQL: "x", Table: "t", Error: ServerError{Code: 1054}, Count: 1}}
					}
					d.Cells = append(d.Cells, c)
				}
			}
		}
		s := &Simulation{Databases: []SimulatedDatabase{d}}
		Judge(r, s)
		j := s.Judgment
		if strictness(j.Verdict) < strictness(r.Verdict) && !(r.Verdict == Unproven && j.Verdict == Split && j.Evidence == Split) {
			t.Fatalf("the analysis says %s, the judgment %s", r.Verdict, j.Verdict)
		}
		if (j.Verdict == Ordered || j.Verdict == AnyOrder) != (len(j.Order) > 0) {
			t.Fatalf("%s with the order %v", j.Verdict, j.Order)
		}
		if len(j.Order) > 0 && len(r.Ignored) == 0 {
			i := slices.IndexFunc(j.Orders, func(o OrderEvidence) bool { return slices.Equal(o.Order, j.Order) })
			if i < 0 {
				// Services that stand beside each other may stand the other way round, several that migrate in any order behind the first.
				i = slices.IndexFunc(j.Orders, func(o OrderEvidence) bool {
					a, b := slices.Sorted(slices.Values(o.Order)), slices.Sorted(slices.Values(j.Order))
					return slices.Equal(a, b) && (o.Safe || o.Window)
				})
			}
			if i < 0 || !j.Orders[i].Safe && !j.Orders[i].Window {
				t.Fatalf("the order %v is given, and it fails: %+v", j.Order, j.Orders)
			}
		}
	})
}
