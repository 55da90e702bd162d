package analyzer

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"instep/analyzer/schema"
)

// A world is what the laws vary: findings, services, and what services do.
type world struct {
	hazards  []Hazard
	services []Service
	answers  map[string]Is
	ignores  []Ignore
}

func (w world) usage(name string, code Breaks, o schema.Object, use Use) Answer {
	return Answer{Is: w.answers[fmt.Sprint(name, code, o, use)]}
}

// report runs everything that stands behind the rules.
func (w world) report(hazards []Hazard, services []Service) *Report {
	a := &analysis{
		Upgrade: Upgrade{Services: services, Usage: w.usage, Ignores: w.ignores},
		report:  &Report{}, changed: true,
	}
	d := &Database{}
	for _, h := range hazards {
		a.add(d, h, h.Breaks, false)
	}
	a.settle()
	a.place()
	a.verdict()
	return a.report
}

var lawRules = []*Rule{{ID: "r0"}, {ID: "r1"}, {ID: "r2"}}

func drawHazard(t *rapid.T) Hazard {
	return Hazard{
		Rule:    rapid.SampledFrom(lawRules).Draw(t, "rule"),
		Breaks:  Breaks(rapid.IntRange(1, 7).Draw(t, "breaks")),
		Hits:    schema.Object{Kind: schema.KindColumn, Table: "t", Name: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "column")},
		Use:     rapid.SampledFrom([]Use{Read, Write, Read | Write, Omit, Delete, Hint, Position}).Draw(t, "use"),
		Caution: rapid.Bool().Draw(t, "caution"),
	}
}

func drawWorld(t *rapid.T) world {
	w := world{answers: map[string]Is{}}
	w.hazards = rapid.SliceOfN(rapid.Custom(drawHazard), 0, 5).Draw(t, "hazards")
	n := rapid.IntRange(1, 4).Draw(t, "services")
	for i := range n {
		w.services = append(w.services, Service{
			Name:     fmt.Sprint("s", i),
			Migrates: rapid.Bool().Draw(t, "migrates"),
			Access:   rapid.SampledFrom([]Access{AnyAccess, ReadAccess, WriteAccess, NoAccess}).Draw(t, "access"),
			Rollout:  rapid.SampledFrom([]Rollout{"", Canary, Recreate}).Draw(t, "rollout"),
		})
	}
	for i := range 5 {
		for _, code := range []Breaks{OldCode, NewCode} {
			for _, c := range []string{"a", "b", "c"} {
				o := schema.Object{Kind: schema.KindColumn, Table: "t", Name: c}
				for use := range Position * 2 {
					if is := Is(rapid.IntRange(0, 5).Draw(t, "is")); is != Assumed && is <= No && use < 8 {
						w.answers[fmt.Sprint(fmt.Sprint("s", i), code, o, use)] = is
					}
				}
			}
		}
	}
	return w
}

func place(r *Report, name string) Place {
	for _, s := range r.Services {
		if s.Name == name {
			return s.Place
		}
	}
	panic("no service " + name)
}

// strictness orders the verdicts that hazards alone can lead to.
func strictness(v Verdict) int {
	return slices.Index([]Verdict{AnyOrder, Ordered, Split, Unproven}, v)
}

func TestAddingAHazardNeverLoosensAPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		more := append(slices.Clone(w.hazards), drawHazard(t))
		before, after := w.report(w.hazards, w.services), w.report(more, w.services)
		for _, s := range w.services {
			p, q := place(before, s.Name), place(after, s.Name)
			if p&^q != 0 {
				t.Fatalf("%s was %s and is %s with one hazard more", s.Name, p, q)
			}
		}
		if strictness(after.Verdict) < strictness(before.Verdict) {
			t.Fatalf("%s became %s with one hazard more", before.Verdict, after.Verdict)
		}
		for i := range before.Services {
			if !before.Services[i].CanRollBack && after.Services[i].CanRollBack {
				t.Fatalf("%s can roll back with one hazard more", before.Services[i].Name)
			}
		}
	})
}

// TestWhereServicesAre: where two refs see the same, it does not matter at which of them a service is.
func TestWhereServicesAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		want := w.report(w.hazards, w.services)
		there := map[string]bool{}
		for _, s := range w.services {
			there[s.Name] = rapid.Bool().Draw(t, "elsewhere")
		}
		a := &analysis{Upgrade: Upgrade{Services: w.services, Usage: w.usage, Ignores: w.ignores}, report: &Report{}, changed: true}
		for _, h := range w.hazards {
			a.add(&Database{}, h, h.Breaks, false)
		}
		a.used = make([]bool, len(a.Ignores))
		both := slices.Clone(a.findings)
		a.take(a.findings, scope{usage: w.usage, old: func(s Service) bool { return !there[s.Name] }, new: true, consumers: true})
		a.take(both, scope{usage: w.usage, old: func(s Service) bool { return there[s.Name] }, from: Ref{Rev: "v0"}, new: rapid.Bool().Draw(t, "open")})
		a.place()
		a.verdict()
		for i, s := range want.Services {
			got := a.report.Services[i]
			if got.Place != s.Place || got.OldCodeNewSchema != s.OldCodeNewSchema || got.NewCodeOldSchema != s.NewCodeOldSchema || got.CanRollBack != s.CanRollBack {
				t.Fatalf("%s of %v: %+v, all at one ref %+v", s.Name, there, got, s)
			}
		}
		if a.report.Verdict != want.Verdict || len(a.report.Hazards) != len(want.Hazards) {
			t.Fatalf("%s with %d hazards, all at one ref %s with %d", a.report.Verdict, len(a.report.Hazards), want.Verdict, len(want.Hazards))
		}
	})
}

func TestAddingAServiceNeverMovesAnother(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		more := append(slices.Clone(w.services), Service{Name: "s4", Access: rapid.SampledFrom([]Access{AnyAccess, ReadAccess}).Draw(t, "access")})
		before, after := w.report(w.hazards, w.services), w.report(w.hazards, more)
		for _, s := range w.services {
			if p, q := place(before, s.Name), place(after, s.Name); p != q {
				t.Fatalf("%s was %s and is %s with one service more", s.Name, p, q)
			}
		}
	})
}

func TestOrderRespectsPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		r := w.report(w.hazards, w.services)
		nowhere, firsts, migrates := 0, 0, false
		for _, s := range r.Services {
			migrates = migrates || s.Migrates
			if s.Place == Nowhere {
				nowhere++
			}
			if s.Migrates && s.Place&Before != 0 {
				firsts++
			}
		}
		if split := nowhere > 0 || firsts > 1; split != (r.Verdict == Split) {
			t.Fatalf("%d services nowhere, %d must migrate first: %s", nowhere, firsts, r.Verdict)
		}
		if r.Verdict == Split {
			if len(r.Order) > 0 {
				t.Fatalf("order %v of a split release", r.Order)
			}
			return
		}
		migration := slices.Index(r.Order, MigrationStep)
		for i, name := range r.Order {
			for _, s := range r.Services {
				if s.Name == name && s.Migrates && migration < 0 {
					migration = i // the first that migrates
				}
			}
		}
		if migration < 0 || migrates == slices.Contains(r.Order, MigrationStep) {
			t.Fatalf("order %v: where is the migration?", r.Order)
		}
		for _, s := range r.Services {
			i := slices.Index(r.Order, s.Name)
			switch {
			case i < 0 && s.Access != NoAccess:
				t.Fatalf("%s is missing in %v", s.Name, r.Order)
			case s.Migrates && s.Place&Before != 0 && i != migration,
				!s.Migrates && s.Place == Before && i > migration,
				!s.Migrates && s.Place == After && i < migration && i >= 0:
				t.Fatalf("%s is %s but stands at %d of %v", s.Name, s.Place, i, r.Order)
			}
		}
	})
}

func TestAccessBoundsHits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		for _, f := range w.report(w.hazards, w.services).Hazards {
			for _, h := range f.Services {
				i := slices.IndexFunc(w.services, func(s Service) bool { return s.Name == h.Name })
				s := w.services[i]
				if s.Access == NoAccess || s.Access == ReadAccess && f.Use&(Read|Hint|Position) == 0 {
					t.Fatalf("%s with access %q is hit by %s", s.Name, s.Access, f.Use)
				}
				if f.Caution && h.Assumed {
					t.Fatalf("a caution hits %s without evidence", h.Name)
				}
			}
		}
	})
}

func TestOrderOfFindingsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		shuffled := rapid.Permutation(w.hazards).Draw(t, "shuffled")
		a, b := w.report(w.hazards, w.services), w.report(shuffled, w.services)
		if fmt.Sprintf("%+v", a.Services) != fmt.Sprintf("%+v", b.Services) || a.Verdict != b.Verdict {
			t.Fatalf("%+v\n%+v", a.Services, b.Services)
		}
	})
}

func TestIgnoring(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		full := w.report(w.hazards, w.services)
		w.ignores = []Ignore{{Rule: "r1", Object: rapid.SampledFrom([]string{"", "t.a"}).Draw(t, "object"), Because: "measured"}}
		less := w.report(w.hazards, w.services)
		if len(full.Hazards) != len(less.Hazards)+len(less.Ignored) {
			t.Fatalf("%d hazards became %d and %d ignored ones", len(full.Hazards), len(less.Hazards), len(less.Ignored))
		}
		for _, f := range less.Ignored {
			if f.Rule.ID != "r1" || f.Because != "measured" {
				t.Fatalf("ignored: %+v", f)
			}
		}
		if unused := len(less.Ignored) == 0; unused != (len(less.UnusedIgnores) == 1) {
			t.Fatalf("%d ignored, unused: %v", len(less.Ignored), less.UnusedIgnores)
		}
		if len(less.Ignored) > 0 && less.Verdict != NoChange && !strings.Contains(less.Why, "ignored by configuration") {
			t.Fatalf("the report hides that something is ignored: %q", less.Why)
		}
	})
}

func TestUseString(t *testing.T) {
	for use, want := range map[Use]string{0: "", Read: "read", Write: "write", Read | Write | Delete: "read, write, delete", Insert: "insert", Omit | Hint: "omit, hint"} {
		if got := use.String(); got != want {
			t.Errorf("%d: %q, want %q", use, got, want)
		}
	}
}

func TestSQLModeStrict(t *testing.T) {
	for mode, want := range map[SQLMode]bool{"": true, "strict": true, "loose": false, "ANSI_QUOTES": false, "NO_ZERO_DATE, strict_all_tables": true, "TRADITIONAL": true} {
		if got := mode.Strict(); got != want {
			t.Errorf("%q: %v, want %v", mode, got, want)
		}
	}
}

// TestApproval: what was approved covers whom it hit then, and nobody else.
func TestApproval(t *testing.T) {
	app, old := Hit{Name: "app", Code: OldCode | NewCode}, Hit{Name: "app", Code: OldCode}
	for _, test := range []struct {
		approved *Approval
		found    Finding
		want     bool
	}{
		{nil, Finding{Services: []Hit{app}}, true},
		{&Approval{}, Finding{}, true},
		{&Approval{}, Finding{Services: []Hit{old}}, false},
		{&Approval{}, Finding{Consumers: []Hit{old}}, false},
		{&Approval{Services: []Hit{old}}, Finding{}, true},
		{&Approval{Services: []Hit{old}}, Finding{Services: []Hit{old}}, true},
		{&Approval{Services: []Hit{app}}, Finding{Services: []Hit{old}}, true},
		{&Approval{Services: []Hit{old}}, Finding{Services: []Hit{app}}, false},
		{&Approval{Services: []Hit{old}}, Finding{Consumers: []Hit{old}}, false},
		{&Approval{Services: []Hit{app}}, Finding{Services: []Hit{app, {Name: "admin", Code: OldCode}}}, false},
	} {
		if got := test.approved.covers(test.found); got != test.want {
			t.Errorf("%+v of %+v: %v", test.approved, test.found, got)
		}
	}
}
