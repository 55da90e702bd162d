package rules

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// replay applies SQL to a schema and gives the steps. The test fails on what cannot be read.
func replay(t *testing.T, s *schema.Schema, file, sql string) []analyzer.Step {
	t.Helper()
	statements, gaps := schema.Split(file, sql)
	if len(gaps) > 0 {
		t.Fatalf("%s: %v", sql, gaps)
	}
	var steps []analyzer.Step
	for _, st := range statements {
		st.Migration = file
		after, err := s.Apply(st)
		if err != nil {
			t.Fatalf("%s: %v", st.SQL, err)
		}
		steps = append(steps, analyzer.Step{Statement: st, Before: s, After: after})
		s = after
	}
	return steps
}

func last(s *schema.Schema, steps []analyzer.Step) *schema.Schema {
	if len(steps) == 0 {
		return s
	}
	return steps[len(steps)-1].After
}

// upgrade gives the upgrade that an example describes.
func upgrade(t *testing.T, e analyzer.Example) analyzer.Upgrade {
	t.Helper()
	server := e.Server
	if server == (schema.Server{}) {
		server = schema.Server{Major: 8, Minor: 4}
	}
	empty := schema.New(server)
	old := last(empty, replay(t, empty, "old.sql", e.Old))
	steps := replay(t, old, "new.sql", e.Migrate)
	return analyzer.Upgrade{
		Server: server, SQLMode: e.SQLMode,
		Databases: []analyzer.Database{{Old: old, New: last(old, steps), Steps: steps}},
	}
}

// found gives the findings as examples write them.
func found(r *analyzer.Report) []string {
	var list []string
	for _, f := range r.Hazards {
		for _, code := range f.Breaks.Names() {
			s := code + " " + f.Hits.String()
			if code != "running" {
				s += ": " + f.Use.String()
			}
			if f.Caution {
				s += " (caution)"
			}
			if f.Between {
				s += " (between)"
			}
			list = append(list, s)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func TestExamples(t *testing.T) {
	for _, r := range All {
		fires, silent := false, false
		for _, e := range r.Examples {
			fires = fires || len(e.Want) > 0
			silent = silent || len(e.Want) == 0
			t.Run(r.ID+"/"+strings.ReplaceAll(e.Name, " ", "_"), func(t *testing.T) {
				list := []*analyzer.Rule{r}
				if r.CheckHazard != nil {
					list = All // it looks at what others report
				}
				report := analyzer.Analyze(upgrade(t, e), list)
				report.Hazards = slices.DeleteFunc(report.Hazards, func(f analyzer.Finding) bool { return f.Rule != r })
				want := slices.Sorted(slices.Values(e.Want))
				if got := found(report); !slices.Equal(got, want) {
					t.Errorf("%s\n→ %s\ngot  %s\nwant %s", e.Old, e.Migrate, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
				}
				for _, f := range report.Hazards {
					if f.Breaks&^r.Breaks != 0 {
						t.Errorf("reports %s, which Breaks does not name", f.Breaks)
					}
					if f.What == "" {
						t.Errorf("a hazard of %s says nothing", f.Hits)
					}
				}
			})
		}
		if r.Breaks != 0 && !fires {
			t.Errorf("%s: no example fires", r.ID)
		}
		if !silent {
			t.Errorf("%s: no example is silent", r.ID)
		}
	}
}

func TestRulesAreDocumented(t *testing.T) {
	kebab := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	seen := map[string]bool{}
	for _, r := range All {
		if !kebab.MatchString(r.ID) || seen[r.ID] {
			t.Errorf("%q: not kebab-case, or twice", r.ID)
		}
		seen[r.ID] = true
		if r.Since == "" || r.Title == "" || r.Why == "" || r.Fix == "" || r.Check == nil && r.CheckStep == nil && r.CheckHazard == nil {
			t.Errorf("%s: something is missing", r.ID)
		}
		for _, e := range r.Examples {
			if e.Catalogue != "" && !slices.Contains(r.Covers, e.Catalogue) {
				t.Errorf("%s: example %q stands for %s, which the rule does not cover", r.ID, e.Name, e.Catalogue)
			}
		}
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	rule := regexp.MustCompile(`(?m)^var \w+ = &analyzer\.Rule`)
	inFiles := 0
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		src, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		n := len(rule.FindAll(src, -1))
		if n > 1 {
			t.Errorf("%s: %d rules in one file", f.Name(), n)
		}
		inFiles += n
	}
	if inFiles != len(All) {
		t.Errorf("%d rules in files, %d in All", inFiles, len(All))
	}
}

// TestCatalogue holds the rules to the catalogue of hazards: for every entry some example gives its
// class and order under the default assumption, for a service that may write. A deviation needs a reason in the table.
func TestCatalogue(t *testing.T) {
	data, err := os.ReadFile("testdata/catalogue.tsv")
	if err != nil {
		t.Fatal(err)
	}
	examples := map[string][]analyzer.Example{}
	for _, r := range All {
		for _, e := range r.Examples {
			if e.Catalogue != "" {
				examples[e.Catalogue] = append(examples[e.Catalogue], e)
			}
		}
	}
	orders := map[analyzer.Place]string{analyzer.Before: "code-first", analyzer.After: "schema-first", analyzer.Nowhere: "split", analyzer.Anywhere: "either"}
	classes := map[analyzer.Place]string{analyzer.Before: "destructive", analyzer.After: "additive", analyzer.Nowhere: "incompatible-both-ways", analyzer.Anywhere: "compatible"}
	listed := map[string]bool{}
	for _, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 5 {
			t.Fatalf("%d fields: %q", len(f), line)
		}
		id, class, order, ours, reason := f[0], f[1], f[2], f[3], f[4]
		listed[id] = true
		if len(examples[id]) == 0 {
			if ours != "none" || reason == "" {
				t.Errorf("%s: no example stands for it", id)
			}
			continue
		}
		want := order
		if ours != "" {
			want = ours
			if reason == "" {
				t.Errorf("%s: deviation without a reason", id)
			}
		}
		for i, e := range examples[id] {
			want := want
			if list := strings.Split(want, ","); len(list) > 1 {
				if len(list) != len(examples[id]) {
					t.Fatalf("%s: %d orders for %d examples", id, len(list), len(examples[id]))
				}
				want = list[i]
			}
			report := analyzer.Analyze(upgrade(t, e), All)
			if len(report.Gaps) > 0 {
				t.Errorf("%s: %v", id, report.Gaps)
				continue
			}
			place := report.Services[0].Place
			if got := orders[place]; got != want {
				t.Errorf("%s: %s is %s, want %s", id, e.Migrate, got, want)
			}
			if ours == "" && class != "data-dependent" && classes[place] != class && reason == "" {
				t.Errorf("%s: %s is %s, want %s", id, e.Migrate, classes[place], class)
			}
		}
	}
	for id := range examples {
		if !listed[id] {
			t.Errorf("%s is not in the table", id)
		}
	}
}

func TestMemberDiff(t *testing.T) {
	for _, test := range []struct {
		old, new                      string
		appended, reordered, replaced bool
	}{
		{"a b", "a b c", true, false, false},
		{"a b", "a c b", false, false, false},
		{"a b", "b a", false, true, false},
		{"a b", "a c", false, false, true},
		{"a b c", "a c d", false, false, false},
		{"a b c", "c a", false, true, false},
	} {
		d := memberDiff(strings.Fields(test.old), strings.Fields(test.new))
		if d.appended != test.appended || d.reordered != test.reordered || d.replaced != test.replaced {
			t.Errorf("%s → %s: %+v", test.old, test.new, d)
		}
	}
}

func TestTarget(t *testing.T) {
	for _, test := range []struct {
		sql, table, set string
		ok              bool
	}{
		{"UPDATE users SET a = 1, b = concat(c, ',', d) WHERE e = 'WHERE'", "users", "a b", true},
		{"UPDATE `my users` SET users.a = 1", "", "", false},
		{"update users set users.a = (select max(x) from y) limit 3", "users", "a", true},
		{"UPDATE users u SET u.a = 1", "", "", false},
		{"UPDATE users, posts SET users.a = 1", "", "", false},
		{"UPDATE users SET a = 1 /* , b = 2 */", "", "", false},
		{"INSERT INTO ids SELECT id FROM users", "ids", "", true},
		{"INSERT IGNORE INTO `ids` (id) VALUES (1)", "ids", "", true},
		{"INSERT INTO db.ids VALUES (1)", "", "", false},
		{"DELETE FROM users", "", "", false},
		{"UPDATE users SET a = 'it''s', b = 2", "users", "a b", true},
		{"UPDATE users SET a = 'open", "", "", false},
	} {
		table, set, ok := target(test.sql)
		if ok != test.ok || table != test.table || strings.Join(set, " ") != test.set {
			t.Errorf("%s: %q %q %v", test.sql, table, set, ok)
		}
	}
}

func FuzzTarget(f *testing.F) {
	f.Add("UPDATE users SET a = 1, b = 2 WHERE c")
	f.Add("INSERT INTO `a``b` VALUES ('\\'')")
	f.Fuzz(func(t *testing.T, sql string) {
		if table, set, ok := target(sql); ok && table == "" && !strings.Contains(sql, "``") {
			t.Fatalf("%q: no table, %q", sql, set)
		}
		canRaise(sql)
	})
}

func TestCanRaise(t *testing.T) {
	for expr, want := range map[string]bool{
		"lower(`name`)": false, "concat(`a`,`b`)": true, "`a` + 1": true, "cast(`a` as signed)": true, "json_extract(`a`,'$.b')": true,
		"coalesce(`a`,'x')": false, "(`a`)": false, "`a` div 2": true, "case when `a` then 1 end": true,
	} {
		if got := canRaise(expr); got != want {
			t.Errorf("%s: %v, want %v", expr, got, want)
		}
	}
}
