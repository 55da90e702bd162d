package analyzer

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"

	"instep/analyzer/schema"
)

// Analyze judges an upgrade by the rules and gives the finished report. It takes time in the number of pending
// statements times what a Diff takes, and changes nothing that it is given.
func Analyze(u Upgrade, rules []*Rule) *Report {
	if len(u.Services) == 0 {
		u.Services = []Service{{Name: "code"}}
	}
	if u.Usage == nil {
		u.Usage = Assume
	}
	if u.Server == (schema.Server{}) {
		u.Server = schema.Server{Major: 8, Minor: 4}
	}
	a := newAnalysis(u, rules)
	for i := range u.Databases {
		a.database(&u.Databases[i])
	}
	a.settle()
	a.place()
	a.verdict()
	return a.report
}

func newAnalysis(u Upgrade, rules []*Rule) *analysis {
	return &analysis{Upgrade: u, rules: rules, report: &Report{
		Deployed: u.Deployed, Target: u.Target,
		Order: []string{}, Services: []ServiceReport{}, Migrations: []Migration{}, Changes: []ChangeReport{},
		Hazards: []Finding{}, Ignored: []Finding{}, UnusedIgnores: []Ignore{}, Costs: []Cost{},
		Gaps: []schema.Gap{}, OtherGaps: []schema.Gap{}, Drift: []Difference{}, DriftGroups: []DriftGroup{},
	}}
}

// analysis is one run of Analyze, or what it sees from one Deployment.
type analysis struct {
	Upgrade
	rules    []*Rule
	report   *Report
	findings []Finding
	changed  bool   // something is pending or differs
	used     []bool // of Ignores
}

// deployment judges what is seen from another ref at which services are.
func (a *analysis) deployment(d *Deployment) {
	from := newAnalysis(a.Upgrade, a.rules)
	for i := range d.Databases {
		from.database(&d.Databases[i])
	}
	sc := scope{
		usage: d.Usage, from: d.Ref, new: !d.Reached, consumers: !d.Reached,
		old: func(s Service) bool { return slices.Contains(d.Services, s.Name) },
	}
	if sc.usage == nil {
		sc.usage = Assume
	}
	if d.Reached {
		// Databases have run these statements, or will run them from Upgrade.Deployed, where they are judged.
		from.findings = slices.DeleteFunc(from.findings, func(f Finding) bool { return f.Breaks&OldCode == 0 })
	} else {
		a.changed = a.changed || from.changed
		a.driftFrom(d, from.report.Drift)
	}
	a.take(from.findings, sc)
	for _, l := range []struct{ to, from *[]schema.Gap }{{&a.report.Gaps, &from.report.Gaps}, {&a.report.OtherGaps, &from.report.OtherGaps}} {
		for _, g := range *l.from {
			if !slices.ContainsFunc(*l.to, func(h schema.Gap) bool { return h.Pos == g.Pos && h.What == g.What && h.Why == g.Why }) {
				*l.to = append(*l.to, g)
			}
		}
	}
}

// driftFrom adds how re-based databases differ that are as another ref leaves them, but for what is known already.
func (a *analysis) driftFrom(d *Deployment, drift []Difference) {
	for i := range d.Databases {
		db := &d.Databases[i]
		if db.Rebased == nil {
			continue
		}
		var more []schema.Change
		for _, x := range drift {
			if x.Database == db.Name && !slices.ContainsFunc(a.report.Drift, func(y Difference) bool {
				return y.Database == x.Database && y.Object == x.Object && y.What == x.What
			}) {
				more = append(more, x.Change)
			}
		}
		a.drift(db, more)
	}
}

// A scope says of whose code findings are.
type scope struct {
	usage     Usage
	from      Ref                  // zero: Upgrade.Deployed
	old       func(s Service) bool // whether the service has old code here
	new       bool                 // whether new code may meet the old schema that is here
	consumers bool
}

func (a *analysis) database(d *Database) {
	for _, m := range d.Migrations {
		m.Database = d.Name
		if m.Framework == "" {
			m.Framework = d.Framework
		}
		a.report.Migrations = append(a.report.Migrations, m)
	}
	a.report.Gaps = append(a.report.Gaps, d.PendingGaps...)
	if len(d.PendingGaps) > 0 {
		a.changed = true
	}
	if d.Old == nil || d.New == nil {
		a.gap(schema.Gap{What: "the schema of " + databaseName(d), Why: "its history could not be rebuilt"})
		return
	}
	// What databases will really be: what they ran, and then the pending statements.
	future := d.Old
	if n := len(d.Steps); n > 0 {
		future = d.Steps[n-1].After
	}
	if future == nil {
		a.gap(schema.Gap{What: "the schema of " + databaseName(d), Why: "a pending statement has no schema after it"})
		return
	}
	// Both sides are judged by shape alone: whether the histories agree on where a column comes from does not matter here.
	mismatch := schema.DiffNames(future, d.New)
	if d.Rebased != nil {
		known := len(a.report.DriftGroups)
		a.drift(d, mismatch)
		if d.Rebased.Baseline == "" {
			a.gap(rebasedGap(d.Rebased, a.report.DriftGroups[known:]))
			return
		}
		a.lacking(d, future, mismatch)
	} else if len(mismatch) > 0 {
		a.mismatch(d, future, mismatch)
	}

	net := a.pass(d, d.Old, future, schema.Diff(d.Old, future))
	net.run(a.rules, nil)
	a.net(d, net)
	touched := newTouched(net.Changes)
	changing := len(d.Steps) > 0 || len(net.Changes) > 0
	if d.Rebased == nil && len(mismatch) > 0 {
		changing = true
		for _, c := range mismatch {
			touched.add(c)
		}
	}
	a.steps(d, net, future, touched)
	for _, g := range d.HistoryGaps {
		if changing && touched.meets(g, d.Old) {
			a.report.Gaps = append(a.report.Gaps, g)
		} else {
			a.report.OtherGaps = append(a.report.OtherGaps, g)
		}
	}
}

func databaseName(d *Database) string {
	if d.Name == "" {
		return "the database"
	}
	return "database " + d.Name
}

func (a *analysis) gap(g schema.Gap) {
	a.report.Gaps = append(a.report.Gaps, g)
	a.changed = true
}

func (a *analysis) pass(d *Database, before, after *schema.Schema, changes []schema.Change) *Pass {
	return &Pass{Old: before, New: after, Changes: changes, Deployed: d.Old, Server: a.Server, SQLMode: a.SQLMode}
}

// net takes what code sees: the changes, their classes, and the hazards of code.
func (a *analysis) net(d *Database, p *Pass) {
	if len(p.Changes) > 0 {
		a.changed = true
	}
	hurts := make([]Breaks, len(p.Changes))
	for _, h := range p.hazards {
		if !h.Caution {
			hurts[h.at] |= h.Breaks
		}
		a.add(d, h.Hazard, h.Breaks&(OldCode|NewCode), false)
	}
	for i, c := range p.Changes {
		r := ChangeReport{Database: d.Name, Change: c, Object: c.Object(), Kind: c.Kind(), Class: classOf(hurts[i]), Pos: c.Pos()}
		if st := c.Statement(); st != nil {
			r.SQL = st.SQL
		}
		if !p.judged[i] {
			r.Unknown, r.Class = true, Incompatible
			a.unknown(c)
		}
		a.report.Changes = append(a.report.Changes, r)
	}
}

func classOf(b Breaks) Class {
	switch b & (OldCode | NewCode) {
	case OldCode:
		return Destructive
	case NewCode:
		return Additive
	case OldCode | NewCode:
		return Incompatible
	}
	return Compatible
}

// unknown makes a change that no rule judges a gap: it is never taken for safe.
func (a *analysis) unknown(c schema.Change) {
	a.gap(schema.Gap{
		Pos:     c.Pos(),
		What:    fmt.Sprintf("what %s of %s means for running code", c.Kind(), c.Object()),
		Why:     "no rule for " + c.Kind(),
		Objects: []schema.Object{c.Object()},
	})
}

// steps takes what the server runs: hazards of running it, costs, statements that change rows, and the schemas in between.
func (a *analysis) steps(d *Database, net *Pass, future *schema.Schema, touched *touched) {
	known := map[string]bool{} // unknown changes that the net view has already told of
	for i, c := range net.Changes {
		if !net.judged[i] {
			known[c.Kind()+" "+c.Object().String()] = true
		}
	}
	last := -1 // the last step that changes the schema
	for i, s := range d.Steps {
		if s.Before != s.After {
			last = i
		}
	}
	states := 0
	state := d.Old
	for i, s := range d.Steps {
		if s.Before == nil || s.After == nil {
			a.gap(schema.Gap{Pos: s.Statement.Pos, What: "the schema around a pending statement", Why: "it was not given"})
			continue
		}
		if s.Before != state && len(schema.DiffNames(state, s.Before)) > 0 {
			a.gap(schema.Gap{Pos: s.Statement.Pos, What: "the schema before a pending statement", Why: "it is not the one that the statement before it leaves"})
		}
		state = s.After
		var changes []schema.Change
		if s.Before != s.After {
			changes = schema.Diff(s.Before, s.After)
		}
		p := a.pass(d, s.Before, s.After, changes)
		p.run(a.rules, nil)
		for _, h := range p.hazards {
			a.add(d, h.Hazard, h.Breaks&Running, false)
		}
		for j, c := range changes {
			touched.add(c)
			if key := c.Kind() + " " + c.Object().String(); !p.judged[j] && !known[key] {
				known[key] = true
				a.unknown(c)
			}
		}
		if len(changes) > 0 {
			a.changed = true
			a.report.Costs = append(a.report.Costs, cost(d.Name, a.Server, s, changes))
		} else {
			a.data(d, p, s.Statement, touched)
		}
		if i < last && len(changes) > 0 {
			if states++; states <= maxStates {
				a.between(d, net, s.After, future, newTouched(changes))
			}
		}
	}
	if states > maxStates {
		a.gap(schema.Gap{What: fmt.Sprintf("the schemas between %d pending statements", len(d.Steps)), Why: fmt.Sprintf("only the first %d are judged", maxStates)})
	}
}

// maxStates bounds how many schemas between pending statements are judged: each costs two Diffs.
const maxStates = 2000

// data takes a pending statement that leaves the schema alone. What changes rows must be known to some rule.
func (a *analysis) data(d *Database, p *Pass, st schema.Statement, touched *touched) {
	if rebuilds(st.SQL) {
		a.changed = true
		a.report.Costs = append(a.report.Costs, Cost{
			Database: d.Name, Statement: st, Algorithm: inplace, Lock: lockNone, RebuildsTable: true,
			Because: "FORCE, ENGINE and OPTIMIZE TABLE rebuild the table, although nothing in its definition changes",
		})
	}
	if harmless(st.SQL) {
		return
	}
	a.changed = true
	p.hazards = nil
	if !p.statement(a.rules, st) {
		touched.all = true
		a.gap(schema.Gap{
			Pos:  st.Pos,
			What: fmt.Sprintf("what this %s does to what running code uses", cmp.Or(firstWord(st.SQL), "statement")),
			Why:  "no rule for this statement, which does not change the schema",
		})
	}
	for _, h := range p.hazards {
		a.add(d, h.Hazard, h.Breaks, false, st.Pos)
	}
}

// firstWord gives the first word of a statement in upper case, leaving out comments and opening parentheses.
func firstWord(sql string) string {
	for {
		sql = strings.TrimLeft(sql, " \t\r\n(;")
		switch {
		case strings.HasPrefix(sql, "/*!"), strings.HasPrefix(sql, "/*M!"):
			// The server runs what stands in a version comment.
			_, sql, _ = strings.Cut(sql, "!")
			sql = strings.TrimLeft(sql, "0123456789")
		case strings.HasPrefix(sql, "/*"):
			_, rest, ok := strings.Cut(sql[2:], "*/")
			if !ok {
				return ""
			}
			sql = rest
		case strings.HasPrefix(sql, "#"), strings.HasPrefix(sql, "-- "), strings.HasPrefix(sql, "--\n"), strings.HasPrefix(sql, "--\t"), sql == "--":
			_, sql, _ = strings.Cut(sql, "\n")
		default:
			end := strings.IndexFunc(sql, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_') })
			if end < 0 {
				end = len(sql)
			}
			return strings.ToUpper(sql[:end])
		}
	}
}

// rebuilds reports whether a statement that leaves the schema alone copies a table into itself (manual: Online DDL
// Operations, Rebuilding or Optimizing a Table).
func rebuilds(sql string) bool {
	switch firstWord(sql) {
	case "OPTIMIZE":
		return true
	case "ALTER":
		words := strings.FieldsFunc(strings.ToUpper(sql), func(r rune) bool { return !isWord(r) })
		return slices.Contains(words, "TABLE") && (slices.Contains(words, "FORCE") || slices.Contains(words, "ENGINE"))
	}
	return false
}

// harmless reports whether a statement that leaves the schema alone changes neither rows nor what others may do. Of SET
// only what concerns the session is among them: what that means for later statements is in their schemas. DDL without
// an effect on the schema is, too (CREATE TABLE IF NOT EXISTS of a table that is there), but not what moves rows.
func harmless(sql string) bool {
	if strings.TrimSpace(sql) == "" {
		return true
	}
	words := strings.FieldsFunc(strings.ToUpper(sql), func(r rune) bool { return !isWord(r) })
	has := func(list ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(list, w) })
	}
	switch firstWord(sql) {
	case "SHOW", "USE", "DESC", "DESCRIBE", "EXPLAIN", "LOCK", "UNLOCK", "COMMIT", "BEGIN", "ROLLBACK",
		"SAVEPOINT", "RELEASE", "OPTIMIZE", "CHECK", "CHECKSUM", "FLUSH", "DO":
		return true
	case "ANALYZE":
		return has("TABLE", "TABLES") // MariaDB runs what it analyzes: ANALYZE DELETE
	case "SELECT":
		return !has("INTO") || !has("OUTFILE", "DUMPFILE")
	case "START":
		return has("TRANSACTION")
	case "SET":
		return !has("GLOBAL", "PERSIST", "PERSIST_ONLY", "PASSWORD", "ROLE")
	case "CREATE", "ALTER", "DROP", "RENAME":
		if has("PROCEDURE", "FUNCTION") && has("SECURITY") {
			return false // whose rights a routine has is not in the schema
		}
		return !has("USER", "ROLE", "SERVER", "TABLESPACE", "LOGFILE", "UNDO", "INSTANCE", "RESOURCE", "TRUNCATE", "DISCARD", "IMPORT", "EXCHANGE")
	}
	return false
}

// between judges the schema after one statement, which code meets while the migration runs or after it failed half-way:
// every DDL statement commits (manual: Statements That Cause an Implicit Commit). Only what is worse there than at both ends
// is kept. It is enough to look at the tables that the statement touched: the others were looked at when they were touched.
func (a *analysis) between(d *Database, net *Pass, now, future *schema.Schema, touched *touched) {
	worse := func(h Hazard, code Breaks) bool {
		if h.Breaks&code == 0 || h.Caution {
			return false
		}
		return !slices.ContainsFunc(net.hazards, func(n hazardAt) bool {
			// What is true of the ends on a condition, or lets itself be ignored by its rule, says nothing of another rule's hazard.
			return n.Breaks&code != 0 && !n.Caution && n.Hits == h.Hits && h.Use&^n.Use == 0 && (n.Rule == h.Rule || n.If == "")
		})
	}
	p := a.pass(d, d.Old, now, schema.Diff(d.Old, now))
	p.run(a.rules, touched.concerns)
	for _, h := range p.hazards {
		if worse(h.Hazard, OldCode) {
			a.add(d, h.Hazard, OldCode, true)
		}
	}
	p = a.pass(d, now, future, schema.Diff(now, future))
	p.run(a.rules, touched.concerns)
	for _, h := range p.hazards {
		if worse(h.Hazard, NewCode) {
			a.add(d, h.Hazard, NewCode, true)
		}
	}
}

// mismatch judges that databases will not have the schema which the target ref's history builds, because history that
// they have run already was edited or removed. What matters to some rule makes the verdict unproven; the rest is drift.
func (a *analysis) mismatch(d *Database, future *schema.Schema, changes []schema.Change) {
	p := a.pass(d, future, d.New, changes)
	p.run(a.rules, nil)
	matters := make([]bool, len(changes))
	for _, h := range p.hazards {
		if !h.Caution && h.Breaks&(OldCode|NewCode) != 0 {
			matters[h.at] = true
		}
	}
	a.changed = true
	for i, c := range changes {
		if p.judged[i] && !matters[i] {
			a.report.Drift = append(a.report.Drift, Difference{d.Name, c, c.Object(), Transition(c)})
			continue
		}
		a.gap(schema.Gap{
			Pos:     c.Pos(),
			What:    fmt.Sprintf("the real shape of %s: databases that ran the deployed history and then the pending migrations do not get what the target's history builds (%s)", c.Object(), Transition(c)),
			Why:     "migrations that databases have run already were edited or removed",
			Objects: []schema.Object{c.Object()},
		})
	}
}

// lacking judges what is not there as a stamped database has it: a table or column that the new history makes and it does not, or a
// column without a default that the new history does not have. Whoever stamps says that the differences do not matter, which can be so
// of types, keys and orders; but new code surely names its tables and columns. That makes the verdict unproven.
func (a *analysis) lacking(d *Database, future *schema.Schema, changes []schema.Change) {
	p := a.pass(d, future, d.New, changes)
	p.run(a.rules, nil)
	said := map[int]bool{}
	for _, h := range p.hazards {
		c := changes[h.at]
		switch c.(type) {
		case *schema.AddTable, *schema.AddColumn, *schema.DropColumn:
		default:
			continue
		}
		if h.Caution || h.Breaks&NewCode == 0 || said[h.at] {
			continue
		}
		said[h.at] = true
		a.gap(schema.Gap{
			Pos:     c.Pos(),
			What:    fmt.Sprintf("whether new code works on stamped databases: by the deployed history they have another %s than it is written for (%s)", c.Object(), Transition(c)),
			Why:     "the new history's baseline is stamped, and not run; no pending migration makes up for the difference",
			Objects: []schema.Object{c.Object()},
		})
	}
}

// drift lists how databases of a re-based history differ from the new history's schema.
func (a *analysis) drift(d *Database, changes []schema.Change) {
	type key struct{ kind, what string }
	groups := map[key]int{}    // index of list
	names := map[string]int{}  // index of the group's Names, by group and name
	list := []*DriftGroup(nil) // in the order of the changes
	for _, c := range changes {
		what := Transition(c)
		a.report.Drift = append(a.report.Drift, Difference{d.Name, c, c.Object(), what})
		if _, ok := c.(*schema.ReorderColumns); ok {
			what = "columns in another order"
		}
		k := key{c.Kind(), what}
		i, ok := groups[k]
		if !ok {
			i = len(list)
			groups[k] = i
			list = append(list, &DriftGroup{Database: d.Name, Kind: c.Kind(), What: what})
		}
		g := list[i]
		g.Count++
		name := cmp.Or(c.Object().Name, c.Object().Table)
		n := fmt.Sprintf("%d %s", i, name)
		j, ok := names[n]
		if !ok {
			j = len(g.Names)
			names[n] = j
			g.Names = append(g.Names, NameCount{Name: name})
		}
		g.Names[j].Count++
	}
	for _, g := range list {
		slices.SortFunc(g.Names, func(x, y NameCount) int {
			return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Name, y.Name))
		})
		a.report.DriftGroups = append(a.report.DriftGroups, *g)
	}
}

// rebasedGap says that nobody can tell what happens to existing databases, and lists all differences.
func rebasedGap(r *Rebased, groups []DriftGroup) schema.Gap {
	why := r.Why + ". Configure a baseline if existing databases are stamped and not altered"
	if len(groups) == 0 {
		why += "; both histories build the same schema"
	} else {
		why += "; the two histories differ in " + DriftText(groups)
		var parts []string
		for _, g := range groups {
			if !g.reorders() {
				parts = append(parts, g.String())
			}
		}
		if len(parts) > 0 {
			why += ": " + strings.Join(parts, "; ")
		}
	}
	return schema.Gap{Pos: r.Pos, What: "what the upgrade does to existing databases, because the history was re-based", Why: why}
}

func (g DriftGroup) reorders() bool { return g.Kind == (*schema.ReorderColumns)(nil).Kind() }

// DriftText counts differences, the order of columns apart: "56 ways, and 39 tables have their columns in another order".
func DriftText(groups []DriftGroup) string {
	ways, tables := 0, 0
	for _, g := range groups {
		if g.reorders() {
			tables += g.Count
		} else {
			ways += g.Count
		}
	}
	have := "have"
	if tables == 1 {
		have = "has"
	}
	order := fmt.Sprintf("%s %s columns in another order", count(tables, "table"), have)
	switch {
	case tables == 0:
		return count(ways, "way")
	case ways == 0:
		return "the order of columns: " + order
	}
	return count(ways, "way") + ", and " + order
}

// String gives the group in words: "52 × column-type bigint → int (34 timestamp, 18 when)".
func (g DriftGroup) String() string {
	const most = 20
	var names []string
	for i, n := range g.Names {
		if i == most {
			names = append(names, fmt.Sprintf("and %d other names", len(g.Names)-most))
			break
		}
		names = append(names, fmt.Sprintf("%d %s", n.Count, n.Name))
	}
	return fmt.Sprintf("%d × %s %s (%s)", g.Count, g.Kind, g.What, strings.Join(names, ", "))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// add makes a finding of a hazard, as far as it breaks what is asked for.
func (a *analysis) add(d *Database, h Hazard, breaks Breaks, between bool, pos ...schema.Pos) {
	if breaks == 0 {
		return
	}
	h.Breaks = breaks
	if !canAsk(d.Old, h.Hits) {
		h.Preflight = "" // it asks about what the migration itself makes
	}
	f := Finding{Hazard: h, Database: d.Name, Between: between, Services: []Hit{}, Consumers: []Hit{}, Evidence: []Evidence{}}
	if h.Change != nil {
		f.Pos = h.Change.Pos()
	}
	if len(pos) > 0 {
		f.Pos = pos[0]
	}
	f.Fingerprint = fingerprint(f)
	a.findings = append(a.findings, f)
}

// fingerprint hashes the facts of a finding: what would have to change for it to be another one.
func fingerprint(f Finding) string {
	h := sha256.New()
	var object, definition string
	if f.Change != nil {
		object = f.Change.Kind() + " " + f.Change.Object().String()
		_, definition = sides(f.Change)
	}
	for _, s := range []string{f.Rule.ID, f.Database, object, f.Hits.String(), f.Use.String(), f.Breaks.String(), definition} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// settle finds out whom the findings hit, from every ref at which services are, and sorts them.
func (a *analysis) settle() {
	a.used = make([]bool, len(a.Ignores))
	a.take(a.findings, scope{usage: a.Usage, old: func(s Service) bool { return !s.Elsewhere }, new: true, consumers: true})
	for i := range a.Deployments {
		a.deployment(&a.Deployments[i])
	}
	slices.SortStableFunc(a.report.Hazards, compareFindings)
	slices.SortStableFunc(a.report.Ignored, compareFindings)
	for i, used := range a.used {
		if !used && !a.Ignores[i].Quiet {
			a.report.UnusedIgnores = append(a.report.UnusedIgnores, a.Ignores[i])
		}
	}
}

// take drops repetitions among findings, sets ignored ones aside and finds out whom the others hit. What has been found from
// another ref already is put together with that.
func (a *analysis) take(findings []Finding, sc scope) {
	slices.SortStableFunc(findings, compareFindings)
	seen := map[string]bool{}
	known := map[string]int{} // index of the report's hazards
	for i, f := range a.report.Hazards {
		known[f.Fingerprint] = i
	}
	for _, f := range findings {
		if seen[f.Fingerprint] {
			continue
		}
		seen[f.Fingerprint] = true
		if f.Refused && f.Breaks&Running != 0 && sc.new {
			// Also where it is ignored: nobody's decision makes known what the schema is then.
			a.gap(schema.Gap{Pos: f.Pos, What: "the schema after this statement", Why: "the server refuses it: " + f.What, Objects: []schema.Object{f.Hits}})
		}
		f.From = sc.from
		a.hit(&f, sc)
		if i := slices.IndexFunc(a.Ignores, func(i Ignore) bool { return i.matches(f) }); i >= 0 {
			a.used[i] = true
			f.Because = a.Ignores[i].Because
			if i := slices.IndexFunc(a.report.Ignored, func(g Finding) bool { return g.Fingerprint == f.Fingerprint }); i >= 0 {
				a.report.Ignored[i].join(f)
			} else {
				a.report.Ignored = append(a.report.Ignored, f)
			}
			continue
		}
		hits := len(f.Services)+len(f.Consumers) > 0
		i, ok := known[f.Fingerprint]
		switch {
		case ok:
			a.report.Hazards[i].join(f)
		case sc.from == Ref{} || hits || sc.new && f.Breaks&Running != 0 || a.later(f, sc):
			a.report.Hazards = append(a.report.Hazards, f)
		}
		a.changed = a.changed || hits
	}
}

// later tells whether a finding is about rows that old code meets if it comes back to where a scope's services are.
func (a *analysis) later(f Finding, sc scope) bool {
	return f.Mediated && f.Breaks&OldCode != 0 && slices.ContainsFunc(a.Services, func(s Service) bool {
		return sc.old(s) && s.Access.Allows(f.Use) != 0
	})
}

// join adds whom a finding hits that is the same, seen from another ref.
func (f *Finding) join(g Finding) {
	f.Services = joinHits(f.Services, g.Services)
	f.Consumers = joinHits(f.Consumers, g.Consumers)
	f.Evidence = sortedEvidence(append(f.Evidence, g.Evidence...))
	f.Caution, f.Between = f.Caution && g.Caution, f.Between && g.Between
	if g.If == "" { // what is sure from one of the refs is sure
		f.If, f.Preflight = "", ""
	}
}

func joinHits(list, more []Hit) []Hit {
	for _, h := range more {
		i := slices.IndexFunc(list, func(x Hit) bool { return x.Name == h.Name })
		if i < 0 {
			list = append(list, h)
			continue
		}
		x := &list[i]
		x.Code |= h.Code
		x.Assumed = x.Assumed && h.Assumed
		x.Evidence = sortedEvidence(append(slices.Clone(x.Evidence), h.Evidence...))
	}
	return list
}

// matches tells whether a finding is to be ignored; whom it hits has to be known.
func (i Ignore) matches(f Finding) bool {
	if !i.Approved.covers(f) {
		return false
	}
	if i.Fingerprint != "" {
		return i.Fingerprint == f.Fingerprint
	}
	if i.Rule != f.Rule.ID {
		return false
	}
	return i.Object == "" || i.Object == f.Hits.String() || f.Change != nil && i.Object == f.Change.Object().String()
}

// covers tells whether a finding hits nobody else.
func (a *Approval) covers(f Finding) bool {
	within := func(hits, approved []Hit) bool {
		return !slices.ContainsFunc(hits, func(h Hit) bool {
			return !slices.ContainsFunc(approved, func(x Hit) bool { return x.Name == h.Name && h.Code&^x.Code == 0 })
		})
	}
	return a == nil || within(f.Services, a.Services) && within(f.Consumers, a.Consumers)
}

func compareFindings(f, g Finding) int {
	return cmp.Or(
		cmp.Compare(f.Database, g.Database),
		f.Pos.Compare(g.Pos),
		f.Hits.Compare(g.Hits),
		cmp.Compare(f.Rule.ID, g.Rule.ID),
		cmp.Compare(f.Breaks, g.Breaks),
		cmp.Compare(f.Use, g.Use),
		boolCompare(f.Caution, g.Caution),
		boolCompare(f.Between, g.Between),
		cmp.Compare(f.What, g.What),
	)
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// hit asks the usage of every service and consumer whether the finding hits it.
func (a *analysis) hit(f *Finding, sc scope) {
	for _, s := range a.Services {
		h := Hit{Name: s.Name, Assumed: true}
		for _, code := range []Breaks{OldCode, NewCode} {
			if code == OldCode && !sc.old(s) || code == NewCode && !sc.new {
				continue
			}
			use := s.Access.Allows(f.Use)
			if f.Breaks&code != 0 && use != 0 {
				h.ask(sc.usage(s.Name, code, f.Hits, use), code, f)
			}
		}
		if h.Code != 0 {
			f.Services = append(f.Services, h)
			f.Evidence = append(f.Evidence, h.Evidence...)
		}
	}
	for _, c := range a.Consumers {
		// Nobody knows when a consumer's new code runs, so what it is at either ref can meet the new schema.
		h := Hit{Name: c.Name, Assumed: true}
		if f.Breaks&OldCode != 0 && sc.consumers {
			h.ask(sc.usage(c.Name, OldCode, f.Hits, f.Use), OldCode, f)
			h.ask(sc.usage(c.Name, NewCode, f.Hits, f.Use), OldCode, f)
		}
		if h.Code != 0 {
			f.Consumers = append(f.Consumers, h)
			f.Evidence = append(f.Evidence, h.Evidence...)
		}
	}
	f.Evidence = sortedEvidence(f.Evidence)
}

func sortedEvidence(all []Evidence) []Evidence {
	slices.SortFunc(all, func(x, y Evidence) int {
		return cmp.Or(cmp.Compare(x.Rev, y.Rev), cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line), cmp.Compare(x.Text, y.Text))
	})
	return slices.Compact(all)
}

// ask adds an answer to a hit. A caution needs a Yes that tells how the object is used, not only that its name is known.
func (h *Hit) ask(ans Answer, code Breaks, f *Finding) {
	switch ans.Is {
	case Yes:
		if f.Caution && ans.Named {
			return
		}
		h.Code |= code
		// That the code knows the name does not show that the condition holds.
		h.Assumed = h.Assumed && ans.Named && f.If != ""
		h.Evidence = append(h.Evidence, ans.Evidence...)
	case Assumed:
		if !f.Caution {
			h.Code |= code
		}
	}
}

// touched are the tables that an upgrade changes.
type touched struct {
	tables map[string]bool
	all    bool // anything may be touched
}

func newTouched(changes []schema.Change) *touched {
	t := &touched{tables: map[string]bool{}}
	for _, c := range changes {
		t.add(c)
	}
	return t
}

func (t *touched) add(c schema.Change) {
	if c.Object().Table == "" {
		t.all = true // a view, a routine, the database: it may concern any table
	}
	for name := range tablesOf(c) {
		t.tables[name] = true
	}
}

// concerns reports whether a change is about one of the tables.
func (t *touched) concerns(c schema.Change) bool {
	if t.all || c.Object().Table == "" {
		return true
	}
	for name := range tablesOf(c) {
		if t.tables[name] {
			return true
		}
	}
	return false
}

// tablesOf gives the tables that a change is about: its own by both names, and those that its foreign keys refer to.
func tablesOf(c schema.Change) iter.Seq[string] {
	return func(yield func(string) bool) {
		if o := c.Object(); o.Table != "" && !yield(o.Table) {
			return
		}
		var tables [2]*schema.Table
		var fks [2]*schema.ForeignKey
		switch c := c.(type) {
		case *schema.AddTable:
			tables[0] = c.Table
		case *schema.DropTable:
			tables[0] = c.Table
		case *schema.RenameTable:
			tables[0], tables[1] = c.Old, c.New
		case *schema.RecreateTable:
			tables[0], tables[1] = c.Old, c.New
		case *schema.AddForeignKey:
			fks[0] = c.FK
		case *schema.DropForeignKey:
			fks[0] = c.FK
		case *schema.ChangeForeignKey:
			fks[0], fks[1] = c.Old, c.New
		}
		for _, t := range tables {
			if t == nil {
				continue
			}
			if !yield(t.Name) {
				return
			}
			for _, f := range t.ForeignKeys {
				if !yield(f.RefTable) {
					return
				}
			}
		}
		for _, f := range fks {
			if f != nil && !yield(f.RefTable) {
				return
			}
		}
	}
}

// meets reports whether a gap of the history of old may concern what is touched. Its objects have the names that they had then: a table
// that was renamed since may be any of those that are touched.
func (t *touched) meets(g schema.Gap, old *schema.Schema) bool {
	if g.Objects == nil || t.all {
		return true
	}
	return slices.ContainsFunc(g.Objects, func(o schema.Object) bool {
		if o.Table == "" || t.tables[o.Table] {
			return true
		}
		st := old.Dropped(schema.Object{Kind: schema.KindTable, Table: o.Table})
		return st != nil && len(t.tables) > 0 && firstWord(st.SQL) != "DROP"
	})
}
