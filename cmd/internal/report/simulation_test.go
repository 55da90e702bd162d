package report

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"instep/analyzer"
	"instep/analyzer/schema"
)

var update = flag.Bool("update", false, "rewrite the expected outputs in testdata")

func unknownColumn(name string) analyzer.ServerError {
	return analyzer.ServerError{Code: 1054, Message: "Unknown column '" + name + "' in 'field list'"}
}

func at2(file string, line int, sql string) schema.Statement {
	return schema.Statement{SQL: sql, Pos: schema.Pos{File: file, Line: line, Col: 1}}
}

// ran is the simulation of a release that drops users.nick and adds a required users.phone: the analysis knows of the first, a
// trigger makes the second fail for new code of app, which the analysis does not predict.
func ran() *Document {
	r := &analyzer.Report{
		Verdict: analyzer.Ordered, Order: []string{"app", "admin"},
		Deployed: analyzer.Ref{Rev: "v1.0", Commit: strings.Repeat("a", 40)}, Target: analyzer.Ref{Rev: "v1.1", Commit: strings.Repeat("b", 40)},
		Services: []analyzer.ServiceReport{
			{Name: "admin", Migrates: true, Place: analyzer.Before, OldCodeNewSchema: analyzer.AssumedBreaks, NewCodeOldSchema: analyzer.OK, Window: true,
				Reason: "its deployment runs the migration, and its old code is assumed not to work on the new schema: users.nick is dropped", WindowReason: "old processes that still run may break", RollbackReason: "after the migration its old code is assumed not to be able to come back"},
			{Name: "app", Place: analyzer.Before, OldCodeNewSchema: analyzer.AssumedBreaks, NewCodeOldSchema: analyzer.OK,
				Reason: "its old code is assumed not to work on the new schema: users.nick is dropped", RollbackReason: "after the migration its old code is assumed not to be able to come back"},
		},
		Why: "app goes before the migration",
	}
	drop := at2("migrations/003_no_nick.sql", 1, "ALTER TABLE users\n  DROP COLUMN nick")
	add := at2("migrations/004_phone.sql", 2, "ALTER TABLE users ADD COLUMN phone VARCHAR(30) NOT NULL")
	nick := func(n int) []analyzer.Failure {
		return []analyzer.Failure{{SQL: "SELECT `id`, `name`, `nick` FROM `users` WHERE `id` = 17", Table: "users", Use: analyzer.Read, Error: unknownColumn("nick"), Count: n}}
	}
	phone := []analyzer.Failure{{SQL: "INSERT INTO `users` (`name`, `phone`) VALUES ('a', '1')", Source: "app.sql:14", Table: "users", Use: analyzer.Insert, Error: unknownColumn("phone"), Count: 4}}
	sim := &analyzer.Simulation{
		Server: analyzer.SimulatedServer{
			Engine: "docker", Name: "mysql 9.7.4", Configured: "mysql 8.4",
			Differs: "the configured server is mysql 8.4 and this is mysql 9.7: what differs between the series is not seen here",
			Notes:   []string{"no image of mysql 8.4 is on this machine"},
		},
		Databases: []analyzer.SimulatedDatabase{{
			Load: analyzer.SimulatedLoad{From: "migrations", Statements: 12, Tables: 4, Rows: 4000, Millis: 312.5, Seed: 1},
			Steps: []analyzer.SimulatedStep{
				{Statement: drop, Millis: 14, Table: "users", Rows: 1000, Work: "metadata", Algorithm: "INSTANT", Estimated: "INSTANT",
					Reader: analyzer.Traffic{Sent: 40, WorstMillis: 12, BeforeMillis: 3}, Writer: analyzer.Traffic{Sent: 38, WorstMillis: 14, BeforeMillis: 5,
						Errors: []analyzer.ErrorCount{{Code: 1054, Message: "Unknown column 'nick' in 'field list'", Count: 9}}},
					LockWait:    &analyzer.LockWait{TimeoutSeconds: 1, Error: &analyzer.ServerError{Code: 1205, Message: "Lock wait timeout exceeded"}, Millis: 1003, ReaderMillis: 987},
					RowVersions: 1, RowVersionLimit: 255},
				{Statement: add, Millis: 2612, Table: "users", Rows: 1000, Work: "rebuild", Algorithm: "COPY", Lock: "SHARED", Estimated: "INPLACE, LOCK=NONE",
					OnRows: &analyzer.ServerError{Code: 1292, Message: "Incorrect date value: '0000-00-00' for column 'born' at row 1"}, Predicted: "add-required-column",
					Reader: analyzer.Traffic{Sent: 900, WorstMillis: 66, BeforeMillis: 3}, Writer: analyzer.Traffic{Sent: 8, WorstMillis: 2610, BeforeMillis: 5}},
			},
			Workloads: []analyzer.SimulatedWorkload{
				{Service: "admin", Code: analyzer.OldCode, Source: "implied by the schema at v1.0", Transactions: 48, Tables: 4, TablesOf: 4, Columns: 19, ColumnsOf: 20, Uses: analyzer.Read | analyzer.Write | analyzer.Delete | analyzer.Omit,
					Invalid: 2, InvalidErrors: []analyzer.ErrorCount{{Code: 1364, Message: "Field 'x' doesn't have a default value", Count: 2}}},
				{Service: "app", Code: analyzer.OldCode, Source: "implied by the schema at v1.0", Transactions: 12, Tables: 4, TablesOf: 4, Columns: 20, ColumnsOf: 20, Uses: analyzer.Read},
				{Service: "app", Code: analyzer.NewCode, Source: "app.sql", Transactions: 4, Tables: 1, TablesOf: 4, Columns: 3, ColumnsOf: 20, Uses: analyzer.Read | analyzer.Insert,
					Unread: []string{"app.sql:7:1: CALL cleanup(): what it does is not known"}},
			},
			Cells: []analyzer.Cell{
				{Service: "admin", Code: analyzer.OldCode, State: 0, Sent: 46},
				{Service: "admin", Code: analyzer.OldCode, State: 1, Sent: 46, Failed: 12, Failures: nick(12)},
				{Service: "admin", Code: analyzer.OldCode, State: 2, Sent: 46, Failed: 15, Failures: append(nick(12), analyzer.Failure{SQL: "INSERT INTO `users` (`name`) VALUES ('a')", Table: "users", Use: analyzer.Omit,
					Error: analyzer.ServerError{Code: 1364, Message: "Field 'phone' doesn't have a default value"}, Count: 3})},
				{Service: "admin", Code: analyzer.NewCode, State: 1, Sent: 46, Failed: 2, Failures: []analyzer.Failure{{SQL: "SELECT 1", Error: unknownColumn("phone"), Count: 2}}},
				{Service: "admin", Code: analyzer.NewCode, State: 2, Sent: 46},
				{Service: "app", Code: analyzer.OldCode, State: 0, Sent: 12},
				{Service: "app", Code: analyzer.OldCode, State: 1, Sent: 12, Failed: 4, Failures: nick(4)},
				{Service: "app", Code: analyzer.OldCode, State: 2, Sent: 12, Failed: 4, Failures: nick(4)},
				{Service: "app", Code: analyzer.OldCode, State: 2, Sent: 12, ChangedCount: 1, Changed: []analyzer.ChangedResult{{SQL: "SELECT count(*) FROM users", Was: "7", Is: "8", Rows: 1, Were: 1}}, Overlap: true},
				{Service: "app", Code: analyzer.NewCode, State: 0, Sent: 4, Failed: 4, Failures: phone},
				{Service: "app", Code: analyzer.NewCode, State: 1, Sent: 4, Failed: 4, Failures: phone},
				{Service: "app", Code: analyzer.NewCode, State: 2, Sent: 4},
			},
			Faults: []analyzer.Fault{
				{Kind: "stopped", Step: 1, State: 1, Retried: true, Rerun: &analyzer.ServerError{Code: 1091, Message: "Can't DROP 'nick'; check that column/key exists"}, ByHand: "take the first statement out and run the rest", Bad: true},
				{Kind: "killed", Step: 1, State: 0, Retried: true},
				{Kind: "killed", Step: 2, State: 1, Retried: true},
				{Kind: "lost", Step: 1, State: 1, What: "step 1 loses data", Lost: []string{"users.nick: dropped with 187 values"}, Bad: true},
				{Kind: "down", State: 0, What: "the schema is the deployed one again", Lost: []string{"users.nick"}, Bad: true},
			},
		}},
		Judgment: analyzer.Judgment{
			Evidence: analyzer.Split, Verdict: analyzer.Split,
			Why: "app works in neither order: its old code failed at states 1, 2 and its new code at states 0, 1.",
			Services: []analyzer.ServiceEvidence{
				{Name: "admin", Place: analyzer.Before, OldCode: analyzer.Confirmed, OldFailed: true, OldStates: []int{1, 2}, NewCode: analyzer.NotExercised},
				{Name: "app", Place: analyzer.Nowhere, OldCode: analyzer.Confirmed, OldFailed: true, OldStates: []int{1, 2}, NewCode: analyzer.Unpredicted, NewFailed: true, NewStates: []int{0, 1}},
			},
			Orders: []analyzer.OrderEvidence{
				{Order: []string{"admin", "app"}, Failed: []analyzer.OrderFailure{{Service: "app", Code: analyzer.OldCode, State: 1, Error: unknownColumn("nick"), SQL: "SELECT nick"}}},
				{Order: []string{"app", "admin"}, Failed: []analyzer.OrderFailure{{Service: "app", Code: analyzer.NewCode, State: 0, Error: unknownColumn("phone"), SQL: "INSERT"}}},
			},
			Unpredicted: []string{"new code of app fails at state 0 with 1054 Unknown column 'phone' in 'field list' on users"},
		},
	}
	return &Document{Report: r, Simulation: sim}
}

// fine is a simulation in which everything ran.
func fine() *Document {
	d := ran()
	d.Verdict, d.Order, d.Why = analyzer.AnyOrder, []string{"admin", "app"}, "old code works on the new schema and new code works on the old schema"
	for i := range d.Services {
		s := &d.Services[i]
		*s = analyzer.ServiceReport{Name: s.Name, Migrates: s.Migrates, OldCodeNewSchema: analyzer.OK, NewCodeOldSchema: analyzer.OK, CanRollBack: true, Reason: "its old code works on the new schema, and its new code works on the old schema"}
	}
	sim := d.Simulation
	sim.Server = analyzer.SimulatedServer{Engine: "local", Name: "mariadb 10.11.14", Configured: "mariadb 10.11", Connect: "mariadb --socket=/tmp/instep-1/s -u root instep_x_"}
	db := &sim.Databases[0]
	db.Steps = db.Steps[:1]
	db.Steps[0].Writer.Errors, db.Steps[0].LockWait = nil, nil
	db.Cells = slices.DeleteFunc(db.Cells, func(c analyzer.Cell) bool { return c.State > 1 || c.Overlap })
	for i := range db.Cells {
		db.Cells[i].Failed, db.Cells[i].Failures = 0, nil
	}
	db.Faults = db.Faults[1:2]
	sim.Judgment = analyzer.Judgment{
		Evidence: analyzer.AnyOrder, EvidenceOrder: []string{"admin", "app"}, Verdict: analyzer.AnyOrder, Order: []string{"admin", "app"},
		Services: []analyzer.ServiceEvidence{{Name: "admin", OldCode: analyzer.Confirmed, NewCode: analyzer.NotExercised}, {Name: "app", OldCode: analyzer.Refuted, NewCode: analyzer.Confirmed}},
		Orders:   []analyzer.OrderEvidence{{Order: []string{"admin", "app"}, Safe: true}, {Order: []string{"app", "admin"}, Safe: true, Window: true, Failed: []analyzer.OrderFailure{{Service: "admin", Code: analyzer.OldCode, State: 1, Error: unknownColumn("nick")}}}},
	}
	return d
}

// wide has 30 steps and 6 services.
func wide() *Document {
	d := fine()
	db := &d.Simulation.Databases[0]
	db.Steps, db.Cells, db.Faults, db.Workloads = nil, nil, nil, nil
	d.Services, d.Simulation.Judgment.Services, d.Simulation.Judgment.Orders = nil, nil, nil
	for i := range 30 {
		db.Steps = append(db.Steps, analyzer.SimulatedStep{Statement: at2(fmt.Sprintf("migrations/%03d_step.sql", i+1), 1, fmt.Sprintf("ALTER TABLE t%d ADD COLUMN c INT", i)), Millis: 10, Work: "metadata"})
		db.Faults = append(db.Faults, analyzer.Fault{Kind: "stopped", Step: i + 1, State: i + 1, Retried: true, What: "the server says so"})
	}
	for s := range 6 {
		name := fmt.Sprintf("service-with-a-longish-name-%d", s)
		d.Services = append(d.Services, analyzer.ServiceReport{Name: name, Migrates: s == 0, CanRollBack: true, OldCodeNewSchema: analyzer.OK, NewCodeOldSchema: analyzer.OK})
		for _, c := range []analyzer.Breaks{analyzer.OldCode, analyzer.NewCode} {
			for i := range 31 {
				cell := analyzer.Cell{Service: name, Code: c, State: i, Sent: 5}
				if c == analyzer.NewCode && i < 5*s && i%7 > 2 {
					cell.Failed = i%3 + 1
					cell.Failures = []analyzer.Failure{{SQL: "SELECT c FROM t", Table: "t", Error: unknownColumn("c"), Count: cell.Failed}}
				}
				db.Cells = append(db.Cells, cell)
			}
		}
	}
	return d
}

// stopped ends at its first step.
func stopped() *Document {
	d := ran()
	db := &d.Simulation.Databases[0]
	db.Steps[0].Error = &analyzer.ServerError{Code: 1828, Message: "Cannot drop column 'nick': needed in a foreign key constraint 'fk'"}
	db.Cells = slices.DeleteFunc(db.Cells, func(c analyzer.Cell) bool { return c.State > 0 })
	j := &d.Simulation.Judgment
	j.Verdict, j.Evidence, j.Why = analyzer.Unproven, analyzer.Unproven, "the upgrade does not get past the statement at migrations/003_no_nick.sql:1:1. No order is safe until that is mended."
	return d
}

// hostile holds what a stranger could write wherever a text can stand.
func hostile(evil string) *Document {
	e := &analyzer.ServerError{Code: 1, Message: evil}
	st := at2(evil, 1, evil)
	counts := []analyzer.ErrorCount{{Code: 1, Message: evil, Count: 1}}
	return &Document{
		Report: &analyzer.Report{Verdict: analyzer.AnyOrder, Services: []analyzer.ServiceReport{{Name: evil, Place: analyzer.Anywhere, Reason: evil}, {Name: "app", Reason: evil}}},
		Simulation: &analyzer.Simulation{
			Server: analyzer.SimulatedServer{Engine: evil, Name: evil, Configured: evil, Differs: evil, Notes: []string{evil}, Connect: evil},
			Databases: []analyzer.SimulatedDatabase{{
				Name: evil,
				Load: analyzer.SimulatedLoad{From: "schema", Because: evil, Differences: []string{evil}, Skipped: []analyzer.SkippedStatement{{Statement: st, Why: evil, Error: e}}},
				Steps: []analyzer.SimulatedStep{
					{Statement: st, OnRows: e, Predicted: evil, Table: evil, Work: evil, Algorithm: evil, Lock: evil, Estimated: evil, Reader: analyzer.Traffic{Sent: 1, Errors: counts}, Writer: analyzer.Traffic{Errors: counts}, LockWait: &analyzer.LockWait{Error: e}},
					{Statement: st, Skipped: evil, Estimated: evil}, {Statement: st, Error: e, Predicted: evil},
				},
				Workloads: []analyzer.SimulatedWorkload{{Service: evil, Code: analyzer.OldCode, Source: evil, Invalid: 1, InvalidErrors: counts, Unread: []string{evil}}},
				Cells: []analyzer.Cell{{Service: evil, Code: analyzer.OldCode, State: 1, Sent: 1, Failed: 1, Failures: []analyzer.Failure{{SQL: evil, Source: evil, Table: evil, Error: *e, Count: 1}},
					Changed: []analyzer.ChangedResult{{SQL: evil, Was: evil, Is: evil}}, ChangedCount: 1, Warnings: counts}},
				Faults: []analyzer.Fault{{Kind: evil, What: evil, Rerun: e, Retried: true, ByHand: evil, Lost: []string{evil}, Bad: true}},
			}, {Name: evil}},
			Judgment: analyzer.Judgment{
				Evidence: analyzer.Ordered, EvidenceOrder: []string{evil}, Verdict: analyzer.Split, Order: []string{evil}, Why: evil, Unpredicted: []string{evil},
				Services: []analyzer.ServiceEvidence{{Name: evil, OldCode: analyzer.Unpredicted, NewCode: analyzer.Outcome(evil), OldStates: []int{1}}},
				Orders:   []analyzer.OrderEvidence{{Order: []string{evil}, Failed: []analyzer.OrderFailure{{Database: evil, Service: evil, Code: analyzer.NewCode, Error: *e, SQL: evil}}}},
			},
		},
	}
}

func written(t *testing.T, f *Format, d *Document) string {
	t.Helper()
	var b strings.Builder
	if err := f.Write(&b, d); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	return b.String()
}

func TestSimulation(t *testing.T) {
	for _, test := range []struct {
		name string
		doc  *Document
	}{{"ran", ran()}, {"fine", fine()}, {"wide", wide()}, {"stopped", stopped()}} {
		for _, f := range []*Format{Text, JSON, Markdown} {
			if f == JSON && test.name != "ran" {
				continue
			}
			name := filepath.Join("testdata", "simulation_"+test.name+"."+f.Name)
			got := written(t, f, test.doc)
			if *update {
				if err := os.WriteFile(name, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s is stale: go test ./cmd/... -update (-want +got):\n%s", name, diff)
			}
		}
	}
}

// TestSimulationAnswer holds that the first line is the combined answer, and says so where the run made it stricter.
func TestSimulationAnswer(t *testing.T) {
	for _, test := range []struct {
		doc  *Document
		want string
	}{
		{ran(), "Split this release: no order is safe. Failures in the run rule out what the analysis alone allows (app, then admin)."},
		{stopped(), "Unproven: the upgrade itself failed in the run, at step 1 of 2; the analysis alone allows app, then admin."},
		{fine(), "Any order: old and new code work with both schemas."},
		{&Document{Report: ran().Report, Simulation: &analyzer.Simulation{}}, "Deploy app first, then admin; old processes of admin may break while the schema changes."},
		{&Document{Report: ran().Report}, "Deploy app first, then admin; old processes of admin may break while the schema changes."},
	} {
		for _, f := range []*Format{Text, Markdown} {
			d := *test.doc
			d.Brief = true
			got := strings.TrimSpace(written(t, f, &d))
			got = strings.NewReplacer("### ⛔ ", "", "### ✅ ", "", "### ➡️ ", "", "### ❓ ", "", "&#58;", ":").Replace(got)
			if got != test.want {
				t.Errorf("%s: %q, want %q", f.Name, got, test.want)
			}
		}
	}
}

// TestSimulationStricter holds that the table of services does not go on saying ok where the run says otherwise.
func TestSimulationStricter(t *testing.T) {
	d := fine()
	db := &d.Simulation.Databases[0]
	for i := range db.Cells {
		if c := &db.Cells[i]; c.Code == analyzer.OldCode && c.State == 1 {
			c.Failed, c.Failures = 1, []analyzer.Failure{{SQL: "SELECT 1", Error: unknownColumn("x"), Count: 1}}
		}
	}
	j := &d.Simulation.Judgment
	j.Verdict, j.Order = analyzer.Ordered, []string{"app", "admin"}
	for i, name := range []string{"admin", "app"} {
		j.Services[i] = analyzer.ServiceEvidence{Name: name, Place: analyzer.Before, OldCode: analyzer.Unpredicted, OldFailed: true, OldStates: []int{1}}
	}
	all := d.Combined()
	if s := all.Services[0]; s.OldCodeNewSchema != failsInRun || !s.Window || s.CanRollBack {
		t.Errorf("admin: %+v", s)
	}
	if s := all.Services[1]; s.OldCodeNewSchema != failsInRun || s.NewCodeOldSchema != analyzer.OK || s.Place != analyzer.Before || s.CanRollBack {
		t.Errorf("app: %+v", s)
	}
	if d.Services[0].Window || all.Verdict != analyzer.Ordered || d.Verdict != analyzer.AnyOrder {
		t.Error("the report itself was changed")
	}
	want := "Deploy app first, then admin; old processes of admin break while the schema changes. Failures in the run rule out what the analysis alone allows (any order)."
	if got, _, _ := strings.Cut(written(t, Text, d), "\n"); got != want {
		t.Errorf("first line %q, want %q", got, want)
	}
	// Where only a state in between fails, old code can come back.
	for i := range db.Cells {
		db.Cells[i].Failed = 0
	}
	if s := d.Combined().Services[1]; !s.CanRollBack {
		t.Errorf("app: %+v", s)
	}
}

// TestSimulationWidth holds that the matrix fits, whatever stands in it.
func TestSimulationWidth(t *testing.T) {
	lines := strings.Split(written(t, Text, wide()), "\n")
	start := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "Which code works") })
	end := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "  state ") })
	if start < 0 || end < start {
		t.Fatalf("no matrix in:\n%s", strings.Join(lines, "\n"))
	}
	for _, l := range lines[start:end] {
		if n := utf8.RuneCountInString(l); n > matrixWidth {
			t.Errorf("%d columns: %s", n, l)
		}
		if strings.HasSuffix(l, " ") {
			t.Errorf("blanks at the end of %q", l)
		}
	}
}

func TestSimulationHostile(t *testing.T) {
	const evil = "<img src=x onerror=alert(1)> @everyone [a](https://evil.example) www.evil.example #1 \x1b[2J \u202e\n\n# heading\n```"
	for _, evil := range []string{evil, "", "\xff\xfe", strings.Repeat("ä", 100_000), strings.Repeat("|", 100)} {
		d := hostile(evil)
		for _, color := range []bool{false, true} {
			d.Color = color
			out := written(t, Text, d)
			if !color && strings.Contains(out, "\x1b") || strings.Contains(out, "\x1b[2J") || strings.Contains(out, "\u202e") {
				t.Errorf("text lets a control character through for %.40q", evil)
			}
			if !utf8.ValidString(out) {
				t.Errorf("text is no UTF-8 for %.40q", evil)
			}
		}
		d.Color = false
		out := written(t, Markdown, d)
		if len(out) > 65536 && len(evil) < 1000 {
			t.Errorf("markdown has %d bytes for %.40q", len(out), evil)
		}
		for i, line := range strings.Split(out, "\n") {
			rest := withoutCode(line)
			for _, bad := range []string{"<img", "@everyone", "a](", "https://", "www.evil", "# heading", "\x1b", "\u202e"} {
				if strings.Contains(rest, bad) && !(bad == "# heading" && strings.HasPrefix(line, "###")) {
					t.Errorf("markdown line %d lets %q through: %.200s", i+1, bad, line)
				}
			}
		}
		var doc map[string]any
		if err := json.Unmarshal([]byte(written(t, JSON, d)), &doc); err != nil {
			t.Errorf("%.40q: %v", evil, err)
		}
	}
}

// TestSimulationJSON holds that no list is null, that no number breaks the document, and that the key is there only for a simulation.
func TestSimulationJSON(t *testing.T) {
	d := &Document{Report: ran().Report, Simulation: &analyzer.Simulation{Databases: []analyzer.SimulatedDatabase{{
		Load: analyzer.SimulatedLoad{Millis: math.NaN(), Skipped: make([]analyzer.SkippedStatement, 1)}, Steps: []analyzer.SimulatedStep{{Millis: math.Inf(1)}, {LockWait: &analyzer.LockWait{}}},
		Workloads: make([]analyzer.SimulatedWorkload, 1), Cells: []analyzer.Cell{{Failures: make([]analyzer.Failure, 1), Changed: make([]analyzer.ChangedResult, 1)}}, Faults: make([]analyzer.Fault, 1),
	}}, Judgment: analyzer.Judgment{Services: make([]analyzer.ServiceEvidence, 1), Orders: make([]analyzer.OrderEvidence, 1)}}}
	out := written(t, JSON, d)
	var doc struct {
		Simulation map[string]any `json:"simulation"`
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Simulation) != 3 {
		t.Errorf("simulation has the keys %v", doc.Simulation)
	}
	if strings.Contains(out, "null") {
		t.Errorf("null in:\n%s", out)
	}
	d.Simulation = nil
	if strings.Contains(written(t, JSON, d), `"simulation"`) {
		t.Error("the key simulation is there without a simulation")
	}
}

// TestSimulationDocumented holds docs/json.md to every key of the simulation.
func TestSimulationDocumented(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "json.md"))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal([]byte(written(t, JSON, ran())), &doc); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			for k, x := range v {
				seen[k] = true
				walk(x)
			}
		}
	}
	walk(doc["simulation"])
	for k := range seen {
		if !regexp.MustCompile(`\b` + k + `\b`).Match(page) {
			t.Errorf("docs/json.md does not name %s", k)
		}
	}
}

func TestRanges(t *testing.T) {
	for want, in := range map[string][]int{"": nil, "3": {3}, "1, 2": {2, 1}, "1–3, 5": {1, 2, 3, 5, 5}} {
		if got := ranges(in); got != want {
			t.Errorf("ranges(%v) = %q, want %q", in, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for in, want := range map[float64]string{0: "0", 0.2: "<1 ms", 12.4: "12 ms", 1500: "1.5 s", 90_000: "1 min 30 s", math.NaN(): "?", -1: "?"} {
		if got := duration(in); got != want && !math.IsNaN(in) {
			t.Errorf("duration(%v) = %q, want %q", in, got, want)
		}
	}
}
