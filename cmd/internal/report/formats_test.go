package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"instep/analyzer"
	"instep/analyzer/rules"
	"instep/analyzer/schema"
)

// release judges statements of a new migration on a schema; code tells which names its code is seen to use.
func release(t *testing.T, old, migration string, gaps []schema.Gap, code ...analyzer.Evidence) *Document {
	t.Helper()
	now := schema.New(schema.Server{})
	apply := func(file, text string) (list []analyzer.Step) {
		statements, unread := schema.Split(file, text)
		if len(unread) > 0 {
			t.Fatal(unread)
		}
		for _, st := range statements {
			after, err := now.Apply(st)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, analyzer.Step{Statement: st, Before: now, After: after})
			now = after
		}
		return list
	}
	apply("db/001.sql", old)
	before := now
	steps := apply("db/002.sql", migration)
	u := analyzer.Upgrade{
		Deployed: analyzer.Ref{Rev: "v1", Commit: strings.Repeat("1", 40)}, Target: analyzer.Ref{Rev: "v2", Commit: strings.Repeat("2", 40)},
		Services:  []analyzer.Service{{Name: "admin", Migrates: true}, {Name: "app", Access: analyzer.ReadAccess}},
		Databases: []analyzer.Database{{Old: before, New: now, Steps: steps, PendingGaps: gaps}},
		Usage: func(name string, side analyzer.Breaks, o schema.Object, use analyzer.Use) analyzer.Answer {
			for _, e := range code {
				if strings.Contains(e.Text, o.Name) && name == "app" {
					return analyzer.Answer{Is: analyzer.Yes, Evidence: []analyzer.Evidence{e}}
				}
			}
			return analyzer.Answer{}
		},
	}
	return &Document{Report: analyzer.Analyze(u, rules.All)}
}

const usersTable = "CREATE TABLE users (id INT NOT NULL PRIMARY KEY, nick VARCHAR(20), mail VARCHAR(100));"

// releases are one of each verdict that has something to say.
func releases(t *testing.T) map[string]*Document {
	seen := analyzer.Evidence{Rev: "v1", File: "src/app.py", Line: 17, Text: "SELECT id, nick FROM users"}
	return map[string]*Document{
		"no-change": release(t, usersTable, "", nil),
		"ordered":   release(t, usersTable, "ALTER TABLE users\n  DROP COLUMN nick;", nil, seen),
		"split":     release(t, usersTable, "-- a comment\nALTER TABLE users RENAME COLUMN nick TO handle;", nil, seen),
		"unproven":  release(t, usersTable, "ALTER TABLE users ADD x INT;", []schema.Gap{{Pos: schema.Pos{File: "db/003.py", Line: 5, Col: 3}, What: "op.execute(text)", Why: "text is not known"}}),
	}
}

func write(t *testing.T, f *Format, d *Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// sarifStandard gives the schema of the standard. It is taken from a library's source, which holds its text.
func sarifStandard(t *testing.T) *jsonschema.Schema {
	t.Helper()
	file, _ := runtime.FuncForPC(reflect.ValueOf(sarif.NewReport).Pointer()).FileLine(reflect.ValueOf(sarif.NewReport).Pointer())
	src, err := os.ReadFile(filepath.Join(filepath.Dir(file), "schema.go"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(src), "`")
	text, _, _ = strings.Cut(text, "`")
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSARIF(t *testing.T) {
	docs := releases(t)
	docs["hostile"] = hostileDocument()
	standard := sarifStandard(t)
	for name, d := range docs {
		t.Run(name, func(t *testing.T) {
			out := write(t, SARIF, d)
			doc, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			if err := standard.Validate(doc); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			var log sarifLog
			if err := json.Unmarshal([]byte(out), &log); err != nil {
				t.Fatal(err)
			}
			for _, r := range log.Runs[0].Results {
				if rule := log.Runs[0].Tool.Driver.Rules[r.RuleIndex]; rule.ID != r.RuleID || rule.Help.Text == "" || rule.FullDescription.Text == "" {
					t.Errorf("rule %v of result %v", rule, r.RuleID)
				}
				if r.PartialFingerprints[sarifFingerprint] == "" {
					t.Errorf("result %s has no fingerprint", r.RuleID)
				}
			}
		})
	}
	var log sarifLog
	if err := json.Unmarshal([]byte(write(t, SARIF, docs["split"])), &log); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(log.Runs[0].Results, func(r sarifResult) bool { return r.Level == "error" && len(r.RelatedLocations) > 0 })
	if i < 0 {
		t.Fatal("no error with evidence")
	}
	r := log.Runs[0].Results[i]
	at, related := r.Locations[0].PhysicalLocation, r.RelatedLocations[0].PhysicalLocation
	if at.ArtifactLocation.URI != "db/002.sql" || at.Region.StartLine != 2 {
		t.Errorf("the migration: %+v", at)
	}
	if related.ArtifactLocation.URI != "src/app.py" || related.Region.StartLine != 17 {
		t.Errorf("the code: %+v", related)
	}
}

// TestPlaceless: GitHub's code scanning refuses a whole file for one result that has no place or no line.
func TestPlaceless(t *testing.T) {
	d := releases(t)["unproven"]
	d.Gaps = append(d.Gaps, schema.Gap{What: "the schema of the database", Why: "its history could not be rebuilt"}, schema.Gap{Pos: schema.Pos{File: "db"}, What: "x", Why: "y"})
	var log sarifLog
	if err := json.Unmarshal([]byte(write(t, SARIF, d)), &log); err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, r := range log.Runs[0].Results {
		if len(r.Locations) == 0 || r.Locations[0].PhysicalLocation.Region.StartLine < 1 {
			t.Fatalf("%s has no place: %+v", r.Message.Text, r.Locations)
		}
		files = append(files, r.Locations[0].PhysicalLocation.ArtifactLocation.URI)
	}
	if want := []string{"db/003.py", configName, "db"}; !slices.Equal(files[:3], want) {
		t.Errorf("%q, want %q", files, want)
	}
}

func TestGitHub(t *testing.T) {
	docs := releases(t)
	docs["hostile"] = hostileDocument()
	line := regexp.MustCompile(`^::(error|warning|notice) (file=[^,:]+,(line=\d+,)?(col=\d+,)?)?title=[^,:]*::[^\r\n]+$`)
	for name, d := range docs {
		out := write(t, GitHub, d)
		for l := range strings.Lines(out) {
			if !line.MatchString(strings.TrimSuffix(l, "\n")) {
				t.Errorf("%s: no workflow command: %q", name, l)
			}
		}
	}
	out := write(t, GitHub, docs["split"])
	for _, want := range []string{"::error title=instep v1 (111111111) → v2 (222222222)::Split", "::error file=db/002.sql,line=2,", "::notice file=src/app.py,line=17,"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing:\n%s", want, out)
		}
	}
	if out := write(t, GitHub, docs["unproven"]); !strings.Contains(out, "::error file=db/003.py,line=5,col=3,title=instep%3A Not proved::op.execute(text). text is not known.") {
		t.Errorf("the gap is missing:\n%s", out)
	}
}

func TestGitLab(t *testing.T) {
	docs := releases(t)
	docs["hostile"] = hostileDocument()
	docs["alike"] = releases(t)["split"]
	for i := range docs["alike"].Hazards { // lines of code that are the same but for where they stand
		f := &docs["alike"].Hazards[i]
		for _, line := range []int{20, 30} {
			f.Evidence = append(f.Evidence, analyzer.Evidence{Rev: "v1", File: "src/app.py", Line: line, Text: "SELECT id, nick FROM users"})
		}
	}
	for name, d := range docs {
		var issues []gitlabIssue
		out := write(t, GitLab, d)
		if err := json.Unmarshal([]byte(out), &issues); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, i := range issues {
			if seen[i.Fingerprint] || i.Fingerprint == "" || i.Location.Path == "" || i.Location.Lines.Begin < 1 || i.Description == "" ||
				!slices.Contains([]string{"info", "minor", "major", "critical", "blocker"}, i.Severity) {
				t.Errorf("%s: %+v", name, i)
			}
			seen[i.Fingerprint] = true
		}
		if (len(issues) == 0) != (name == "no-change") {
			t.Errorf("%s: %d issues", name, len(issues))
		}
		if name == "ordered" && !(strings.Contains(out, `"db/002.sql"`) && strings.Contains(out, `"src/app.py"`)) {
			t.Errorf("the migration or the code is missing:\n%s", out)
		}
	}
}

func TestJUnit(t *testing.T) {
	for name, d := range releases(t) {
		var s junitSuites
		out := write(t, JUnit, d)
		if err := xml.Unmarshal([]byte(out), &s); err != nil {
			t.Fatal(err)
		}
		failed := 0
		for _, c := range s.Suite.Cases {
			if c.Failure != nil {
				failed++
			}
		}
		if failed != s.Failures || s.Tests != len(s.Suite.Cases) || (failed > 0) != (name == "split" || name == "unproven") {
			t.Errorf("%s: %d failures, said %d:\n%s", name, failed, s.Failures, out)
		}
	}
	// Who is behind is said, and sentences do not run into each other.
	behind := releases(t)["ordered"]
	behind.Services[1].Deployed = []analyzer.DeployedAt{{Ref: analyzer.Ref{Rev: "v0"}, Reached: true, Behind: true}}
	for _, f := range []*Format{JUnit, GitHub} {
		if out := write(t, f, behind); !strings.Contains(out, "app at v0, behind") {
			t.Errorf("%s does not say who is behind:\n%s", f.Name, out)
		}
	}
	if out := write(t, JUnit, behind); !strings.Contains(out, "users.nick is dropped. after the migration") && !strings.Contains(out, "users.nick is dropped. old processes") {
		t.Errorf("sentences run into each other:\n%s", out)
	}
	// While something is unproven, no case says that a service may go anywhere.
	unread := release(t, usersTable, "", []schema.Gap{{What: "x", Why: "y"}})
	if out := write(t, JUnit, unread); !strings.Contains(out, `name="app: unproven"`) || strings.Contains(out, "anywhere") {
		t.Errorf("where nothing is proved:\n%s", out)
	}
	if out := write(t, JUnit, hostileDocument()); xml.Unmarshal([]byte(out), new(junitSuites)) != nil {
		t.Errorf("hostile names break it:\n%s", out)
	}
}

// TestFingerprints: what a remark is known by does not change with the line that it stands on.
func TestFingerprints(t *testing.T) {
	of := func(migration string) (list []string) {
		for _, m := range release(t, usersTable, migration, nil).remarks() {
			list = append(list, m.fingerprint)
		}
		return list
	}
	a, b := of("ALTER TABLE users DROP COLUMN nick;"), of("-- moved\n\nALTER  TABLE users\n DROP COLUMN nick;")
	if !slices.Equal(a, b) || len(a) == 0 {
		t.Errorf("%q and %q", a, b)
	}
}

// TestHTML: the page asks nobody for anything, runs nothing, and shows what breaks.
func TestHTML(t *testing.T) {
	docs := releases(t)
	docs["hostile"] = hostileDocument()
	for name, d := range docs {
		out := write(t, HTML, d)
		for _, bad := range []string{"<script", "<img", "<a ", "<link", "<iframe", "href=", "@import", "url(http", "ZgotmplZ", "\x1b", "\u202e"} {
			if strings.Contains(out, bad) {
				t.Errorf("%s holds %q", name, bad)
			}
		}
		if !strings.Contains(out, `<meta http-equiv="Content-Security-Policy" content="default-src 'none'`) {
			t.Errorf("%s may load something", name)
		}
		if drawn, want := strings.Contains(out, `class="hatch"`), name == "ordered" || name == "split"; drawn != want && name != "hostile" {
			t.Errorf("%s: what breaks is drawn: %v, want %v", name, drawn, want)
		}
		if drawn := strings.Contains(out, "<svg"); drawn && (name == "unproven" || name == "no-change") {
			t.Errorf("%s has a picture without a flaw", name)
		}
	}
	if out := write(t, HTML, docs["split"]); !strings.Contains(out, "src/app.py:17") || !strings.Contains(out, "db/002.sql:2:1") {
		t.Error("the place of the migration or of the code is missing")
	}
}

func TestTimeline(t *testing.T) {
	spans := func(s analyzer.ServiceReport, order ...string) []span {
		d := &Document{Report: &analyzer.Report{Order: order, Services: []analyzer.ServiceReport{{Name: "admin", Migrates: !s.Migrates, OldCodeNewSchema: analyzer.OK, NewCodeOldSchema: analyzer.BreaksFor}, s}}}
		for _, l := range d.timeline().Lanes {
			if l.Name == s.Name {
				for i := range l.Spans {
					l.Spans[i].Why = ""
				}
				return l.Spans
			}
		}
		return nil
	}
	for _, tt := range []struct {
		name string
		got  []span
		want []span
	}{
		{"old code is gone before the schema changes", spans(analyzer.ServiceReport{Name: "app", OldCodeNewSchema: analyzer.BreaksFor, NewCodeOldSchema: analyzer.OK}, "app", "admin"),
			[]span{{0, 1, "old", "old code", false, ""}, {0.5, 2, "new", "new code", false, ""}}},
		{"old code meets the new schema", spans(analyzer.ServiceReport{Name: "app", OldCodeNewSchema: analyzer.BreaksFor, NewCodeOldSchema: analyzer.OK}, "admin", "app"),
			[]span{{0, 0.15, "old", "old code", false, ""}, {0.15, 2, "old", "breaks", true, ""}, {1.5, 2, "new", "new code", false, ""}}},
		{"new code meets the old schema", spans(analyzer.ServiceReport{Name: "app", OldCodeNewSchema: analyzer.OK, NewCodeOldSchema: analyzer.BreaksFor}, "app", "admin"),
			[]span{{0, 1, "old", "old code", false, ""}, {0.5, 1.5, "new", "breaks", true, ""}, {1.5, 2, "new", "new code", false, ""}}},
		{"all at once", spans(analyzer.ServiceReport{Name: "app", Rollout: analyzer.Recreate, OldCodeNewSchema: analyzer.OK, NewCodeOldSchema: analyzer.OK}, "admin", "app"),
			[]span{{0, 1.5, "old", "old code", false, ""}, {1.5, 2, "new", "new code", false, ""}}},
		{"old processes stop before the migration", spans(analyzer.ServiceReport{Name: "web", Migrates: true, Rollout: analyzer.Recreate, OldCodeNewSchema: analyzer.BreaksFor, NewCodeOldSchema: analyzer.OK}, "admin", "web"),
			[]span{{0, 1.15, "old", "old code", false, ""}, {1.15, 1.5, "none", "down", false, ""}, {1.5, 2, "new", "new code", false, ""}}},
	} {
		if !slices.Equal(tt.got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

// TestPieces: where old and new code run side by side they share the lane; where nothing runs nobody does.
func TestPieces(t *testing.T) {
	l := lane{Spans: []span{{From: 0, To: 2, Kind: "old"}, {From: 1.5, To: 3, Kind: "new"}, {From: 3, To: 4, Kind: "none"}}}
	for i, want := range [][]piece{{{0, 1.5, false}, {1.5, 2, true}}, {{1.5, 2, true}, {2, 3, false}}, {{3, 4, false}}} {
		if got := l.pieces(l.Spans[i]); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", l.Spans[i].Kind, got, want)
		}
	}
}

// TestRemarkLevels: what blocks a release, what matters to somebody, and what is only said.
func TestRemarkLevels(t *testing.T) {
	for migration, want := range map[string]map[string]remarkLevel{
		"ALTER TABLE users DROP COLUMN nick": {
			"users.nick is dropped. Breaks: Old code on the new schema": matters,
			"the values of users.nick are lost for good":                matters,
		},
		"ALTER TABLE users RENAME COLUMN nick TO handle": {"users.nick is renamed": blocks},
		"ALTER TABLE users ADD x INT":                    {"users.x is added. Breaks: New code on the old schema": matters, "users.x is added. Only if": informs},
	} {
		remarks := release(t, usersTable, migration, nil).remarks()
		for text, l := range want {
			i := slices.IndexFunc(remarks, func(m remark) bool { return strings.Contains(strings.ToLower(m.text), strings.ToLower(text)) })
			if i < 0 {
				t.Errorf("%s: nothing says %q: %+v", migration, text, remarks)
			} else if remarks[i].level != l {
				t.Errorf("%s: %q has level %v, want %v", migration, text, remarks[i].level, l)
			}
		}
	}
}

// TestSimulationEverywhere: what a run has shown, and nobody foretold, reaches every format.
func TestSimulationEverywhere(t *testing.T) {
	docs := map[string]*Document{"ran": ran(), "fine": fine(), "stopped": stopped(), "wide": wide(), "hostile": hostile("<img src=x> @everyone \x1b[2J \u202e")}
	for name, d := range docs {
		for _, f := range Formats {
			out := write(t, f, d)
			if strings.Contains(out, "\x1b") || strings.Contains(out, "\u202e") && f != JSON || f == HTML && strings.Contains(out, "<img") {
				t.Errorf("%s, %s: hostile text gets through", name, f.Name)
			}
		}
	}
	d := docs["ran"]
	if len(d.Simulation.Judgment.Unpredicted) == 0 {
		t.Fatal("this fixture has no surprise")
	}
	for _, f := range []*Format{GitHub, GitLab, SARIF, JUnit, HTML} {
		if out := write(t, f, d); !strings.Contains(out, "1054") {
			t.Errorf("%s does not tell of the failure:\n%s", f.Name, out)
		}
	}
}
