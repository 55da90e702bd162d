package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// A line of releases, each with the statements that it brings; the last one is the target.
type releaseLine []string

// from gives the database of an upgrade from one release to the last.
func (l releaseLine) from(t *testing.T, i int) analyzer.Database {
	t.Helper()
	s := schema.New(schema.Server{Major: 8, Minor: 4})
	d := analyzer.Database{Old: s}
	for k, sql := range l {
		steps := replay(t, s, fmt.Sprintf("r%d.sql", k), sql)
		s = last(s, steps)
		if k > i {
			d.Steps = append(d.Steps, steps...)
		}
		if k == i {
			d.Old = s
		}
	}
	d.New = s
	return d
}

func releaseRef(i int) analyzer.Ref {
	return analyzer.Ref{Rev: fmt.Sprint("r", i), Commit: fmt.Sprint("c", i)}
}

// deployed gives the upgrade to the last release where services are at releases: that of the service that migrates is the databases'.
func (l releaseLine) deployed(t *testing.T, at map[string]int) analyzer.Upgrade {
	t.Helper()
	main := at["admin"]
	u := analyzer.Upgrade{Deployed: releaseRef(main), Target: releaseRef(len(l) - 1), Databases: []analyzer.Database{l.from(t, main)}}
	for _, s := range services {
		s.Elsewhere = at[s.Name] != main
		u.Services = append(u.Services, s)
	}
	for i := range l {
		var here []string
		for _, s := range services {
			if at[s.Name] == i && i != main {
				here = append(here, s.Name)
			}
		}
		if len(here) > 0 {
			u.Deployments = append(u.Deployments, analyzer.Deployment{
				Ref: releaseRef(i), Services: here, Databases: []analyzer.Database{l.from(t, i)}, Reached: i < main,
			})
		}
	}
	return u
}

func TestDeployments(t *testing.T) {
	const users = "CREATE TABLE users (id INT NOT NULL PRIMARY KEY, nick VARCHAR(20), mail VARCHAR(50));"
	for _, test := range []struct {
		name     string
		line     releaseLine
		app      int // admin is at release 1, the target is the last
		verdict  analyzer.Verdict
		order    string
		appPlace analyzer.Place
		hazards  []string // "from: what"
	}{
		{
			name: "app is behind, and its code names what the database has lost already",
			line: releaseLine{users, "ALTER TABLE users DROP COLUMN nick", ""}, app: 0,
			verdict: analyzer.Ordered, order: "app admin", appPlace: analyzer.Before,
			hazards: []string{"r0: users.nick is dropped"},
		},
		{
			name: "app is behind, and its code does not know what is added",
			line: releaseLine{users, "ALTER TABLE users ADD COLUMN a INT", "ALTER TABLE users ADD COLUMN b INT"}, app: 0,
			verdict: analyzer.Ordered, order: "admin app", appPlace: analyzer.After,
			hazards: []string{": users.b is added"}, // users.a is there already
		},
		{
			name: "what came and goes again concerns only who knows it",
			line: releaseLine{users, "ALTER TABLE users ADD COLUMN a INT", "ALTER TABLE users DROP COLUMN a"}, app: 0,
			verdict: analyzer.AnyOrder, order: "admin app", appPlace: analyzer.Anywhere,
			hazards: []string{": the values of users.a are lost for good", ": users.a is dropped"},
		},
		{
			name: "what went and comes again: app's old code, and its new code on the database as it is",
			line: releaseLine{users, "ALTER TABLE users DROP COLUMN nick", "ALTER TABLE users ADD COLUMN nick VARCHAR(20)"}, app: 0,
			verdict: analyzer.Split, appPlace: analyzer.Nowhere,
			hazards: []string{": users.nick is added", "r0: users.nick is dropped and added again, with another meaning and without its values"},
		},
		{
			name: "app is ahead: whether the migration has run is not known",
			line: releaseLine{users, "", "ALTER TABLE users DROP COLUMN nick", "ALTER TABLE users ADD COLUMN nick VARCHAR(20)"}, app: 2,
			verdict: analyzer.Ordered, order: "admin app", appPlace: analyzer.After,
			hazards: []string{
				": the values of users.nick are lost for good",
				": users.nick is dropped and added again, with another meaning and without its values", // admin's old code meets it
				"r2: users.nick is added",
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := analyzer.Analyze(test.line.deployed(t, map[string]int{"admin": 1, "agent": 1, "app": test.app}), All)
			var hazards []string
			for _, f := range r.Hazards {
				if !f.Caution {
					hazards = append(hazards, f.From.Rev+": "+f.What)
				}
			}
			slices.Sort(hazards)
			hazards = slices.Compact(hazards)
			if r.Verdict != test.verdict || strings.Join(r.Order, " ") != test.order {
				t.Errorf("%s %v, want %s %s", r.Verdict, r.Order, test.verdict, test.order)
			}
			if s := r.Services[2]; s.Place != test.appPlace {
				t.Errorf("app goes %s, want %s: %s", s.Place, test.appPlace, s.Reason)
			}
			if diff := cmp.Diff(test.hazards, hazards); diff != "" {
				t.Errorf("hazards (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDeploymentsBack: rows that new code has written are met by old code that comes back, wherever it was.
func TestDeploymentsBack(t *testing.T) {
	line := releaseLine{"CREATE TABLE users (id INT NOT NULL PRIMARY KEY, n INT NOT NULL)", "ALTER TABLE users MODIFY n INT", "CREATE TABLE notes (id INT NOT NULL PRIMARY KEY)"}
	const note = "its old code can come back, but not to rows that new code has written: users.n accepts NULL (if new code has written NULL and old code does not expect it)"
	for _, test := range []struct {
		admin, app int
		want       []string // of admin, agent, app
	}{
		{0, 0, []string{note, "", note}},
		{1, 1, []string{"", "", ""}},
		{1, 0, []string{"", "", note}},
		{2, 0, []string{"", "", note}},
	} {
		r := analyzer.Analyze(line.deployed(t, map[string]int{"admin": test.admin, "agent": test.admin, "app": test.app}), All)
		var got []string
		for _, s := range r.Services {
			got = append(got, s.RollbackReason)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("admin at %d, app at %d (-want +got):\n%s", test.admin, test.app, diff)
		}
	}
}

// TestDeploymentsConsumers: a consumer is hit by what databases may go through, from every ref that they may be at.
func TestDeploymentsConsumers(t *testing.T) {
	line := releaseLine{"CREATE TABLE users (id INT NOT NULL PRIMARY KEY)", "ALTER TABLE users ADD COLUMN a INT", "ALTER TABLE users DROP COLUMN a"}
	for _, test := range []struct {
		admin, app int
		want       string
	}{
		{0, 0, ""},
		{1, 1, "users.a is dropped"},
		{1, 0, "users.a is dropped"},
		{0, 1, "users.a is dropped"}, // app is ahead: databases may have the column
	} {
		u := line.deployed(t, map[string]int{"admin": test.admin, "agent": test.admin, "app": test.app})
		u.Consumers = []analyzer.Consumer{{Name: "dump"}}
		var got []string
		for _, f := range analyzer.Analyze(u, All).Hazards {
			if len(f.Consumers) > 0 {
				got = append(got, f.What)
			}
		}
		if s := strings.Join(got, "; "); s != test.want {
			t.Errorf("admin at %d, app at %d: %q, want %q", test.admin, test.app, s, test.want)
		}
	}
}

// TestDeploymentsDrift: how databases of a re-based history differ is said of every ref that they may be at, each difference once.
func TestDeploymentsDrift(t *testing.T) {
	line := releaseLine{"CREATE TABLE users (id INT NOT NULL PRIMARY KEY)", "ALTER TABLE users ADD COLUMN a INT", "ALTER TABLE users ADD COLUMN b INT"}
	u := line.deployed(t, map[string]int{"admin": 1, "agent": 1, "app": 0})
	stamp := func(d *analyzer.Database) {
		d.Steps, d.Rebased = nil, &analyzer.Rebased{Why: "squashed", Baseline: "9"}
	}
	stamp(&u.Databases[0])
	stamp(&u.Deployments[0].Databases[0])
	for reached, want := range map[bool]string{true: "users.b", false: "users.b users.a"} {
		u.Deployments[0].Reached = reached
		r := analyzer.Analyze(u, All)
		var got []string
		for _, x := range r.Drift {
			got = append(got, x.Object.String())
		}
		n := 0
		for _, g := range r.DriftGroups {
			n += g.Count
		}
		if strings.Join(got, " ") != want || n != len(got) {
			t.Errorf("reached %v: drift of %v in %d, want %s", reached, got, n, want)
		}
	}
}

// TestDeploymentsLaw: the old code of each service is judged as if all were at its ref; new code as if all were where databases are, and at
// every ref that they may be at.
func TestDeploymentsLaw(t *testing.T) {
	columns := []string{"a", "b", "c"}
	rapid.Check(t, func(rt *rapid.T) {
		line := releaseLine{"CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a INT, b INT)"}
		have := map[string]bool{"a": true, "b": true}
		for range 3 {
			var sql []string
			for range rapid.IntRange(0, 2).Draw(rt, "statements") {
				c := rapid.SampledFrom(columns).Draw(rt, "column")
				switch {
				case !have[c]:
					sql = append(sql, "ALTER TABLE t ADD COLUMN "+c+rapid.SampledFrom([]string{" INT", " INT NOT NULL", " VARCHAR(5)"}).Draw(rt, "type"))
				case rapid.Bool().Draw(rt, "drop"):
					sql = append(sql, "ALTER TABLE t DROP COLUMN "+c)
				default:
					sql = append(sql, "ALTER TABLE t MODIFY "+c+rapid.SampledFrom([]string{" INT", " SMALLINT", " INT NOT NULL", " VARCHAR(9)", " DATE"}).Draw(rt, "type"))
				}
				have[c] = !have[c] || !strings.Contains(sql[len(sql)-1], "DROP")
			}
			line = append(line, strings.Join(sql, ";\n"))
		}
		at := map[string]int{}
		for _, s := range services {
			at[s.Name] = rapid.IntRange(0, len(line)-1).Draw(rt, s.Name)
		}
		plain := map[int]*analyzer.Report{}
		for i := range line {
			plain[i] = analyzer.Analyze(line.deployed(t, map[string]int{"admin": i, "agent": i, "app": i}), All)
		}
		got := analyzer.Analyze(line.deployed(t, at), All)
		for i, s := range got.Services {
			old := plain[at[s.Name]].Services[i]
			if s.OldCodeNewSchema != old.OldCodeNewSchema || s.CanRollBack != old.CanRollBack || s.Place&analyzer.Before != old.Place&analyzer.Before {
				rt.Fatalf("%v: old code of %s: %s, alone %s (%s)", at, s.Name, s.OldCodeNewSchema, old.OldCodeNewSchema, old.Reason)
			}
			if old.RollbackReason != "" && s.RollbackReason == "" {
				rt.Fatalf("%v: nothing is said of the way back of %s; alone: %s", at, s.Name, old.RollbackReason)
			}
			want := analyzer.OK
			for _, j := range at {
				// What a ref behind the databases' would need is there.
				if at["admin"] == j || j > at["admin"] {
					if n := plain[j].Services[i].NewCodeOldSchema; n != analyzer.OK {
						want = n
					}
				}
			}
			if s.NewCodeOldSchema != want {
				rt.Fatalf("%v: new code of %s: %s, want %s", at, s.Name, s.NewCodeOldSchema, want)
			}
		}
		if at["app"] == at["admin"] && at["agent"] == at["admin"] {
			if diff := cmp.Diff(plain[at["app"]], got, cmpopts.IgnoreFields(analyzer.Hazard{}, "Rule", "Change"), cmpopts.IgnoreFields(analyzer.ChangeReport{}, "Change")); diff != "" {
				rt.Fatalf("all at one ref (-plain +got):\n%s", diff)
			}
		}
	})
}
