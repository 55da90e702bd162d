package analyzer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"instep/analyzer/schema"
)

// place finds every service's place. Demands combine with |, so no service's place depends on another service, with one
// exception: of several services that migrate only the first to be deployed does so, see order.
func (a *analysis) place() {
	for _, s := range a.Services {
		a.report.Services = append(a.report.Services, a.service(s))
	}
}

func (a *analysis) service(s Service) ServiceReport {
	r := ServiceReport{Name: s.Name, Migrates: s.Migrates, Access: s.Access, Rollout: s.Rollout, OldCodeNewSchema: OK, NewCodeOldSchema: OK, Because: []string{}}
	if !s.Elsewhere {
		r.Deployed = append(r.Deployed, DeployedAt{a.Deployed, true, a.Behind})
	}
	for _, d := range a.Deployments {
		if slices.Contains(d.Services, s.Name) {
			r.Deployed = append(r.Deployed, DeployedAt{d.Ref, d.Reached, d.Behind})
		}
	}
	var old, new, later []string // what hazards say
	for _, f := range a.report.Hazards {
		i := slices.IndexFunc(f.Services, func(h Hit) bool { return h.Name == s.Name })
		if i < 0 {
			// What is seen from several refs has only one of them.
			apart := slices.ContainsFunc(a.Deployments, func(d Deployment) bool { return slices.Contains(d.Services, s.Name) })
			if f.Mediated && f.Breaks&OldCode != 0 && s.Access.Allows(f.Use) != 0 && (f.From == Ref{} || apart) {
				later = append(later, sentence(f))
			}
			continue
		}
		h := f.Services[i]
		if h.Code&OldCode != 0 {
			r.OldCodeNewSchema = worse(r.OldCodeNewSchema, h.Assumed)
			r.Place |= Before
			old = append(old, sentence(f))
		}
		if h.Code&NewCode != 0 {
			r.NewCodeOldSchema = worse(r.NewCodeOldSchema, h.Assumed)
			new = append(new, sentence(f))
			if !s.Migrates {
				// The migrating service never runs its new code on the old schema: its processes start after the migration.
				r.Place |= After
			}
		}
		if h.Code&OldCode != 0 || h.Code&NewCode != 0 && !s.Migrates {
			r.Because = append(r.Because, f.Fingerprint)
		}
	}
	slices.Sort(r.Because)
	r.CanRollBack = r.Place&Before == 0
	r.Window = s.Migrates && r.Place&Before != 0 && s.Rollout != Recreate
	r.explain(s, old, new, later)
	return r
}

func worse(s Status, assumed bool) Status {
	if s == BreaksFor || !assumed {
		return BreaksFor
	}
	return AssumedBreaks
}

// sentence gives a finding as the middle of a sentence.
func sentence(f Finding) string {
	if f.If == "" {
		return f.What
	}
	return f.What + " (if " + f.If + ")"
}

// some joins the first three and counts the rest.
func some(parts []string) string {
	const most = 3
	if len(parts) > most {
		return strings.Join(parts[:most], "; ") + fmt.Sprintf("; and %d more", len(parts)-most)
	}
	return strings.Join(parts, "; ")
}

func (r *ServiceReport) explain(s Service, old, new, later []string) {
	oldCode := "its old code " + r.OldCodeNewSchema.verb() + " on the new schema"
	newCode := "its new code " + r.NewCodeOldSchema.verb() + " on the old schema"
	switch {
	case s.Access == NoAccess:
		r.Reason = "it does not use the database"
	case s.Migrates && len(old) == 0:
		r.Reason = "its deployment runs the migration"
	case s.Migrates:
		r.Reason = "its deployment runs the migration, and " + oldCode + ": " + some(old)
	case r.Place == Nowhere:
		r.Reason = oldCode + ": " + some(old) + "; and " + newCode + ": " + some(new)
	case r.Place == Before:
		r.Reason = oldCode + ": " + some(old)
	case r.Place == After:
		r.Reason = newCode + ": " + some(new)
	default:
		r.Reason = oldCode + ", and " + newCode
	}
	switch {
	case r.Window && r.OldCodeNewSchema == AssumedBreaks:
		r.WindowReason = "old processes that still run while the schema changes may break, until new ones have replaced them"
	case r.Window:
		r.WindowReason = "old processes that still run while the schema changes break, until new ones have replaced them"
	case s.Migrates && len(old) > 0:
		r.WindowReason = "no old process runs while the schema changes, at the price of a downtime"
	}
	switch {
	case !r.CanRollBack && r.OldCodeNewSchema == AssumedBreaks:
		r.RollbackReason = "after the migration its old code is assumed not to be able to come back"
	case !r.CanRollBack:
		r.RollbackReason = "after the migration its old code cannot come back"
	case len(later) > 0:
		r.RollbackReason = "its old code can come back, but not to rows that new code has written: " + some(later)
	}
}

// verb says a status as the middle of a sentence about code.
func (s Status) verb() string {
	switch s {
	case OK:
		return "works"
	case AssumedBreaks:
		return "is assumed not to work"
	}
	return "does not work"
}

// order gives one safe order of deployment and the migrating services of which each would have to be the first.
func (a *analysis) order() (order, conflict []string) {
	var before, middle, after []string
	// Several services may be set up to migrate. The first one deployed does it. The old code of the others then meets the
	// new schema, so one whose old code breaks there must be the first; their new code never meets the old schema.
	for _, s := range a.report.Services {
		switch {
		case s.Migrates && s.Place&Before != 0:
			conflict = append(conflict, s.Name)
			middle = slices.Insert(middle, 0, s.Name)
		case s.Migrates:
			middle = append(middle, s.Name)
		case s.Access == NoAccess:
		case s.Place == Before:
			before = append(before, s.Name)
		default:
			after = append(after, s.Name)
		}
	}
	if len(middle) == 0 {
		middle = []string{MigrationStep}
	}
	if len(conflict) < 2 {
		conflict = nil
	}
	return slices.Concat(before, middle, after), conflict
}

// verdict draws the conclusion. A gap outweighs everything: what is not known may break any order.
func (a *analysis) verdict() {
	r := a.report
	byPos := func(x, y schema.Gap) int {
		return cmp.Or(x.Pos.Compare(y.Pos), cmp.Compare(x.What, y.What), cmp.Compare(x.Why, y.Why))
	}
	slices.SortStableFunc(r.Gaps, byPos)
	slices.SortStableFunc(r.OtherGaps, byPos)
	if len(r.Costs) > 0 {
		r.Proviso = Proviso(a.Server)
	}
	order, conflict := a.order()
	var nowhere []string
	places := Anywhere
	for _, s := range r.Services {
		if !s.Migrates {
			places |= s.Place
		}
		if s.Place == Nowhere {
			nowhere = append(nowhere, s.Name)
		}
	}
	switch {
	case len(r.Gaps) > 0:
		r.Verdict = Unproven
		r.Why = fmt.Sprintf("%s could not be judged, so no order is proved safe", count(len(r.Gaps), "thing"))
		if len(nowhere) > 0 {
			r.Why += "; what is known already leaves no order for " + strings.Join(nowhere, ", ")
		}
	case !a.changed:
		r.Verdict = NoChange
		r.Why = "no migration is pending and both refs have the same schema"
		if slices.ContainsFunc(r.Migrations, func(m Migration) bool { return m.State == Pending }) {
			r.Why = "the pending migrations change neither the schema nor rows"
		}
		if len(r.Drift) > 0 {
			r.Why = fmt.Sprintf("no migration is pending; existing databases differ from the new history's schema in %s", DriftText(r.DriftGroups))
		}
	case len(nowhere) > 0:
		r.Verdict = Split
		r.Why = "neither order works for " + strings.Join(nowhere, ", ") + ": split the release"
	case len(conflict) > 0:
		r.Verdict = Split
		r.Why = "each of " + strings.Join(conflict, ", ") + " migrates and would have to be the first: split the release"
	case places == Anywhere:
		r.Verdict, r.Order = AnyOrder, order
		r.Why = "old code works on the new schema and new code works on the old schema"
	default:
		r.Verdict, r.Order = Ordered, order
		r.Why = orderedWhy(r)
	}
	if n := len(r.Ignored); n > 0 {
		r.Why += fmt.Sprintf(". %s ignored by configuration took no part in this", count(n, "hazard"))
	}
}

func orderedWhy(r *Report) string {
	var parts []string
	for _, s := range r.Services {
		if s.Migrates || s.Place == Anywhere {
			continue
		}
		parts = append(parts, fmt.Sprintf("%s goes %s the migration because %s", s.Name, s.Place, s.Reason))
	}
	return strings.Join(parts, ". ")
}
