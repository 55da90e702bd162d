package report

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/fatih/color"

	"instep/analyzer"
	"instep/analyzer/schema"
)

// Text prints the report for a terminal. The first line is the answer.
var Text = &Format{
	Name:  "text",
	Doc:   "for people, on a terminal",
	Write: writeText,
}

const (
	textWidth = 110 // columns at which prose is wrapped
	maxAlike  = 20  // positions of findings that are alike
	maxQuoted = 70  // runes of a statement
)

func writeText(w io.Writer, d *Document) error {
	all := *d
	all.Report = d.Combined()
	t := &text{Document: &all}
	t.answer(d.answer())
	if !d.Brief {
		t.summary()
		t.services()
		t.simulation()
		t.gaps()
		t.findings()
		t.drift()
		t.migrations()
		t.costs()
		t.ignored()
		t.config()
	}
	_, err := w.Write(commandLine.ReplaceAll(t.buf.Bytes(), []byte("$1:\u200b:")))
	return err
}

// commandLine is what the runner of GitHub Actions takes for a command at the beginning of a line (actions/runner, ActionCommand.TryParseV2):
// a stranger's word may come to stand there, where prose is wrapped.
var commandLine = regexp.MustCompile(`(?m)^([\s\pZ]*)::`)

type text struct {
	*Document
	buf       bytes.Buffer
	explained map[*analyzer.Rule]bool // whose reasons have been printed
}

func (t *text) line(format string, args ...any) { fmt.Fprintf(&t.buf, format+"\n", args...) }

func (t *text) heading(s string) {
	t.line("")
	t.line("%s", t.paint(s, color.Bold))
}

func (t *text) paint(s string, attrs ...color.Attribute) string {
	if !t.Color {
		return s
	}
	c := color.New(attrs...)
	c.EnableColor()
	return c.Sprint(s)
}

// Answer gives the report's answer in one sentence, without a line break.
func Answer(r *analyzer.Report) string {
	switch r.Verdict {
	case analyzer.NoChange:
		return "No schema change: deploy in any order."
	case analyzer.AnyOrder:
		if w := windowText(r); w != "" {
			return "Any order" + w + "."
		}
		return "Any order: old and new code work with both schemas."
	case analyzer.Split:
		return "Split this release: no order is safe."
	case analyzer.Unproven:
		return "Unproven: what could not be read may change the answer."
	}
	return order(r) + windowText(r) + "."
}

// windowText names the services whose old processes break while the schema changes, whatever the order is.
func windowText(r *analyzer.Report) string {
	for _, s := range r.Services {
		if !s.Window {
			continue
		}
		breaks := "break"
		if s.OldCodeNewSchema == analyzer.AssumedBreaks {
			breaks = "may break"
		}
		return fmt.Sprintf("; old processes of %s %s while the schema changes", Clean(s.Name), breaks)
	}
	return ""
}

func order(r *analyzer.Report) string {
	steps := slices.Clone(r.Order)
	switch len(steps) {
	case 0:
		return "Deploy in any order"
	case 1:
		return "Deploy " + Clean(steps[0])
	}
	for i, s := range steps {
		steps[i] = Clean(s)
		switch {
		case s == analyzer.MigrationStep && i == 0:
			steps[i] = "Run the migration first"
		case s == analyzer.MigrationStep:
			steps[i] = "run the migration"
		case i == 0:
			steps[i] = "Deploy " + steps[i] + " first"
		case i > 0 && r.Order[i-1] == analyzer.MigrationStep:
			steps[i] = "deploy " + steps[i]
		}
	}
	return strings.Join(steps, ", then ")
}

func (t *text) answer(sentence string) {
	paint := map[analyzer.Verdict]color.Attribute{
		analyzer.NoChange: color.FgGreen, analyzer.AnyOrder: color.FgGreen, analyzer.Ordered: color.FgYellow,
		analyzer.Split: color.FgRed, analyzer.Unproven: color.FgMagenta,
	}[t.Verdict]
	t.line("%s", t.paint(sentence, color.Bold, paint))
}

func (t *text) summary() {
	pending := 0
	for _, m := range t.Migrations {
		if m.State == analyzer.Pending {
			pending++
		}
	}
	t.line("%s → %s: %s, %s", ref(t.Deployed), ref(t.Target), plural(pending, "pending migration"), plural(len(t.Changes), "schema change"))
	for _, s := range t.deployments() {
		t.wrap("", s)
	}
	if why := t.why(); why != "" {
		t.wrap("", why)
	}
}

// deployments says where services are if they are not all at the deployed ref, and which are behind.
func (d *Document) deployments() []string {
	var where, open []string
	differ := false
	for _, s := range d.Services {
		if s.Access == analyzer.NoAccess {
			continue
		}
		var at []string
		for _, a := range s.Deployed {
			text := ref(a.Ref)
			if a.Behind {
				text += ", behind"
			}
			at = append(at, text)
			differ = differ || a.Ref != d.Deployed
			if !a.Reached && !slices.Contains(open, ref(a.Ref)) {
				open = append(open, ref(a.Ref))
			}
		}
		if len(at) > 0 {
			where = append(where, s.Name+" at "+strings.Join(at, " and "))
		}
	}
	if !differ {
		return nil
	}
	lines := []string{"Services are deployed at different refs: " + strings.Join(where, "; ") + ". Each was checked from there."}
	if late := d.late(); len(late) > 0 {
		who := strings.Join(late, " and ")
		line := fmt.Sprintf(`Old code of %s may break already, before this release: see what is marked "from".`, who)
		if d.Verdict == analyzer.Split || d.Verdict == analyzer.Unproven {
			line += fmt.Sprintf(" Bring %s to %s first, where databases are: that takes it away.", who, ref(d.Deployed))
		}
		lines = append(lines, line)
	}
	if len(open) > 0 {
		lines = append(lines, fmt.Sprintf("Databases may be as %s or %s leaves them, so each has to be safe.", ref(d.Deployed), strings.Join(open, " or ")))
	}
	return lines
}

// why gives the verdict's reason where the services' own reasons do not say it.
func (d *Document) why() string {
	if d.Why == "" || d.Verdict != analyzer.NoChange && d.Verdict != analyzer.Unproven {
		return ""
	}
	return strings.TrimSuffix(d.Why, ".") + "."
}

// late gives the services that are hit by what they would not be hit by if they were at the deployed ref, where databases are.
func (d *Document) late() []string {
	var names []string
	for _, s := range d.Services {
		for _, at := range s.Deployed {
			if !at.Reached || at.Ref == d.Deployed || slices.Contains(names, s.Name) {
				continue
			}
			// What is seen from several refs has only one of them.
			if slices.ContainsFunc(d.Hazards, func(f analyzer.Finding) bool {
				return f.From.Rev != "" && slices.ContainsFunc(f.Services, func(h analyzer.Hit) bool { return h.Name == s.Name && h.Code&analyzer.OldCode != 0 })
			}) {
				names = append(names, s.Name)
			}
		}
	}
	return names
}

func ref(r analyzer.Ref) string {
	if len(r.Commit) < 9 || strings.HasPrefix(r.Commit, r.Rev) {
		return Clean(r.Rev)
	}
	return fmt.Sprintf("%s (%s)", Clean(r.Rev), r.Commit[:9])
}

func plural(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(what, "y"))
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// wrap prints prose: prefix before the first line, as many blanks before the others, but no more than ten.
func (t *text) wrap(prefix, prose string) {
	t.buf.WriteString(wrapped(prefix, prose))
}

func wrapped(prefix, prose string) string {
	var b strings.Builder
	indent := strings.Repeat(" ", min(utf8.RuneCountInString(prefix), 10))
	line := prefix
	empty := true
	for word := range strings.FieldsSeq(Clean(prose)) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > textWidth {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
	return b.String()
}

func (t *text) services() {
	if len(t.Changes) == 0 && t.Verdict == analyzer.NoChange {
		return
	}
	t.line("")
	tw := tabwriter.NewWriter(&t.buf, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "SERVICE\tPLACE\tOLD CODE, NEW SCHEMA\tNEW CODE, OLD SCHEMA\tWINDOW\tROLLBACK")
	for _, s := range t.Services {
		fmt.Fprintf(tw, "%s\t%s\n", Clean(s.Name), strings.Join(t.cells(s), "\t"))
	}
	tw.Flush()
	reasons := t.reasons()
	if len(reasons) > 0 {
		t.line("")
		for _, r := range reasons {
			t.wrap(Clean(r[0])+": ", r[1])
		}
	}
}

// cells gives what the table says of a service behind its name. While something is unproven, nothing is ok: what was
// not read can only add to the demands that are known.
func (d *Document) cells(s analyzer.ServiceReport) []string {
	place, old, new, window, back := s.PlaceName(), status(s.OldCodeNewSchema), status(s.NewCodeOldSchema), "-", "yes"
	if s.Migrates {
		window = "no"
	}
	if d.Verdict == analyzer.Unproven && s.Access != analyzer.NoAccess {
		const unproven = "unproven"
		for _, cell := range []*string{&place, &old, &new, &window, &back} {
			switch *cell {
			case analyzer.Anywhere.String(), string(analyzer.OK), "no", "yes":
				*cell = unproven
			}
		}
	}
	if s.Window {
		window = "yes"
	}
	if !s.CanRollBack {
		back = "no"
	}
	return []string{place, old, new, window, back}
}

// reasons gives what there is to say of the services, as pairs of name and sentence.
func (d *Document) reasons() [][2]string {
	var reasons [][2]string
	for _, s := range d.Services {
		if s.Place == analyzer.Anywhere && s.OldCodeNewSchema == analyzer.OK && (s.Migrates || d.Verdict == analyzer.Unproven) {
			continue
		}
		reasons = append(reasons, [2]string{s.Name, s.Reason})
		if s.Window {
			reasons = append(reasons, [2]string{s.Name, s.WindowReason})
		}
		if !s.CanRollBack {
			reasons = append(reasons, [2]string{s.Name, s.RollbackReason})
		}
	}
	return slices.DeleteFunc(reasons, func(r [2]string) bool { return r[1] == "" })
}

func status(s analyzer.Status) string {
	if s == analyzer.AssumedBreaks {
		return "breaks (assumed)"
	}
	return string(s)
}

func yesno(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (t *text) gaps() {
	if len(t.Gaps) == 0 {
		return
	}
	t.heading("Not proved")
	for _, alike := range t.gapGroups() {
		for _, g := range alike {
			t.wrap(at(g.Pos), g.What)
		}
		if why := alike[0].Why; why != "" {
			t.wrap("    why   ", why)
		}
	}
}

// gapGroups puts gaps together that have one reason, in the order of the first of each.
func (d *Document) gapGroups() [][]schema.Gap {
	return alikes(d.Gaps, func(g schema.Gap) string { return g.Why })
}

// at gives the head of a finding's line.
func at(p schema.Pos) string {
	if p == (schema.Pos{}) {
		return ""
	}
	return Clean(p.String()) + ": "
}

// findings prints hazards: those that hit somebody, those of the running migration, and those that concern nobody here.
func (t *text) findings() {
	var hits, running, cautions, nobody []analyzer.Finding
	for _, f := range merged(t.Hazards) {
		switch {
		case hit(f):
			hits = append(hits, f)
		case f.Breaks == analyzer.Running:
			running = append(running, f)
		case f.Caution:
			cautions = append(cautions, f)
		default:
			nobody = append(nobody, f)
		}
	}
	t.group("What breaks", hits)
	t.group("When the migration runs", running)
	t.short("Worth a thought (assumed of no code)", cautions)
	t.short("Concerns no service here", nobody)
}

// hit tells whether a finding hits a service or a consumer.
func hit(f analyzer.Finding) bool { return len(f.Services)+len(f.Consumers) > 0 }

// merged puts findings together that are the two sides of one change: what breaks old code on the new schema and new
// code on the old one for the same reason.
func merged(all []analyzer.Finding) []analyzer.Finding {
	type key struct {
		rule             *analyzer.Rule
		pos              schema.Pos
		what, when       string
		caution, between bool
		database         string
		from             analyzer.Ref
	}
	at := map[key]int{}
	seen := map[int]map[analyzer.Evidence]bool{} // of those in out that were joined; a stranger's report may have very many
	var out []analyzer.Finding
	for _, f := range all {
		k := key{f.Rule, f.Pos, f.What, f.If, f.Caution, f.Between, f.Database, f.From}
		i, ok := at[k]
		if !ok || !hit(f) {
			if hit(f) {
				at[k] = len(out)
			}
			out = append(out, f)
			continue
		}
		o := &out[i]
		o.Breaks |= f.Breaks
		o.Use |= f.Use
		o.Services = joined(o.Services, f.Services)
		o.Consumers = joined(o.Consumers, f.Consumers)
		if seen[i] == nil {
			seen[i] = map[analyzer.Evidence]bool{}
			for _, e := range o.Evidence {
				seen[i][e] = true
			}
			o.Evidence = slices.Clone(o.Evidence)
		}
		for _, e := range f.Evidence {
			if !seen[i][e] {
				seen[i][e] = true
				o.Evidence = append(o.Evidence, e)
			}
		}
		if o.Preflight == "" {
			o.Preflight = f.Preflight
		}
	}
	return out
}

func joined(a, b []analyzer.Hit) []analyzer.Hit {
	out := slices.Clone(a)
	for _, h := range b {
		if i := slices.IndexFunc(out, func(o analyzer.Hit) bool { return o.Name == h.Name && o.Assumed == h.Assumed }); i >= 0 {
			out[i].Code |= h.Code
			continue
		}
		out = append(out, h)
	}
	return out
}

// alikes puts things together of which the same can be said: those with the same key, in the order of the first of each.
func alikes[T any, K comparable](all []T, key func(T) K) [][]T {
	at := map[K]int{}
	var groups [][]T
	for _, f := range all {
		k := key(f)
		i, ok := at[k]
		if !ok {
			i = len(groups)
			at[k] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], f)
	}
	return groups
}

// alike is the key of findings that share their reasons.
type alike struct {
	rule             *analyzer.Rule
	breaks           analyzer.Breaks
	use              analyzer.Use
	when             string
	caution, between bool
	who              string
	from             analyzer.Ref
}

func alikeKey(f analyzer.Finding) alike {
	return alike{f.Rule, f.Breaks, f.Use, f.If, f.Caution, f.Between, hitText(f), f.From}
}

// fromText says that a finding is not seen from the deployed ref, at which databases are, but from another one at which services are.
func fromText(f analyzer.Finding) string {
	if f.From.Rev == "" {
		return ""
	}
	return "what is deployed at " + Clean(f.From.Rev) + "; not seen from where databases are"
}

// kind is the key of findings that are counted in one line.
type kind struct {
	rule   *analyzer.Rule
	breaks analyzer.Breaks
	use    analyzer.Use
}

func kindKey(f analyzer.Finding) kind { return kind{f.Rule, f.Breaks, f.Use} }

// group prints findings; those that say the same of several objects share their reasons.
func (t *text) group(title string, all []analyzer.Finding) {
	if len(all) == 0 {
		return
	}
	t.heading(title)
	for i, g := range alikes(all, alikeKey) {
		if i > 0 {
			t.line("")
		}
		for k, f := range g {
			if k == maxAlike && len(g) > maxAlike+1 {
				t.line("… and %d more like these (all are in --format json)", len(g)-k)
				break
			}
			t.line("%s%s", at(f.Pos), Clean(f.What))
		}
		f := g[0]
		if who := hitText(f); who != "" {
			t.wrap("    who   ", who)
		}
		if f.If != "" {
			t.wrap("    if    ", f.If)
		}
		if from := fromText(f); from != "" {
			t.wrap("    from  ", from)
		}
		if f.Between {
			t.wrap("    when  ", "only between two pending statements, not when all have run")
		}
		if !t.explained[f.Rule] {
			if t.explained == nil {
				t.explained = map[*analyzer.Rule]bool{}
			}
			t.explained[f.Rule] = true
			t.wrap("    why   ", f.Rule.Why)
			t.wrap("    fix   ", f.Rule.Fix)
		}
		asked := 0
		for _, f := range g {
			if f.Preflight == "" {
				continue
			}
			if asked++; asked <= maxAlike {
				t.line("    ask   %s", Clean(f.Preflight))
			}
		}
		seen := evidence(g)
		for _, e := range seen[:min(len(seen), maxSeen)] {
			t.line("    seen  %s:%d (%s): %s", Clean(e.File), e.Line, Clean(e.Rev), shorten(Clean(e.Text), maxQuoted))
		}
		if n := len(seen) - maxSeen; n > 0 {
			t.line("    seen  … and in %s", plural(n, "more place"))
		}
		t.line("    rule  %s", f.Rule.ID)
	}
}

// maxSeen bounds the places in the sources that are quoted for findings that are alike.
const maxSeen = 3

// evidence gives the places of several findings, each once.
func evidence(g []analyzer.Finding) []analyzer.Evidence {
	var all []analyzer.Evidence
	seen := map[analyzer.Evidence]bool{}
	for _, f := range g {
		for _, e := range f.Evidence {
			if !seen[e] {
				seen[e] = true
				all = append(all, e)
			}
		}
	}
	return all
}

// short prints findings that nobody need act on: a line for each rule and kind of use.
func (t *text) short(title string, all []analyzer.Finding) {
	if len(all) == 0 {
		return
	}
	t.heading(title)
	for _, g := range alikes(all, kindKey) {
		t.wrap("  "+g[0].Rule.ID+": ", shortText(g))
	}
}

const maxNamed = 4 // objects that a short line names

func shortText(g []analyzer.Finding) string {
	var objects []string
	for _, f := range g {
		if o := f.Hits.String(); !slices.Contains(objects, o) {
			objects = append(objects, o)
		}
	}
	named := strings.Join(objects[:min(len(objects), maxNamed)], ", ")
	if n := len(objects) - maxNamed; n > 0 {
		named += fmt.Sprintf(" and %d more", n)
	}
	f := g[0]
	who := map[analyzer.Breaks]string{analyzer.OldCode: "old code", analyzer.NewCode: "new code", analyzer.Running: "the migration itself"}[f.Breaks]
	if who == "" {
		who = "code"
	}
	s := named + ": " + who
	if use := useText(f.Use); use != "" {
		s += " that " + use
	}
	if len(g) == 1 && f.If != "" {
		s += ", if " + f.If
	}
	return s
}

// useText says a use as the end of a sentence that begins with "code that".
func useText(u analyzer.Use) string {
	var verbs []string
	if u&analyzer.Write == analyzer.Write {
		verbs = append(verbs, "writes")
		u &^= analyzer.Write
	}
	if u&analyzer.Read != 0 {
		verbs = append([]string{"reads"}, verbs...)
	}
	if u&analyzer.Insert != 0 {
		verbs = append(verbs, "inserts")
	}
	if u&analyzer.Update != 0 {
		verbs = append(verbs, "updates")
	}
	var parts []string
	if len(verbs) > 0 {
		parts = append(parts, strings.Join(verbs, " or ")+" it")
	}
	for _, x := range []struct {
		use  analyzer.Use
		text string
	}{
		{analyzer.Delete, "deletes rows"}, {analyzer.Omit, "inserts rows without it"}, {analyzer.Hint, "names it in an index hint"},
		{analyzer.Position, "relies on the number or order of columns"},
	} {
		if u&x.use != 0 {
			parts = append(parts, x.text)
		}
	}
	return strings.Join(parts, " or ")
}

// hitText says whom a finding hits: "old code on the new schema: app, admin (assumed); that reads it".
func hitText(f analyzer.Finding) string {
	var parts []string
	for _, side := range []struct {
		code analyzer.Breaks
		text string
	}{{analyzer.OldCode, "old code on the new schema"}, {analyzer.NewCode, "new code on the old schema"}} {
		var who []string
		for _, h := range append(slices.Clone(f.Services), f.Consumers...) {
			if h.Code&side.code == 0 {
				continue
			}
			name := Clean(h.Name)
			if h.Assumed {
				name += " (assumed)"
			}
			who = append(who, name)
		}
		if len(who) > 0 {
			parts = append(parts, side.text+": "+strings.Join(who, ", "))
		}
	}
	if len(parts) > 0 && f.Use != 0 {
		parts = append(parts, "where it "+useText(f.Use))
	}
	return strings.Join(parts, "; ")
}

// reordered is the kind of a change in the order of columns, which matters only to code that relies on it.
const reordered = "reorder-columns"

func (t *text) drift() {
	title, lines := t.driftLines()
	if len(lines) == 0 {
		return
	}
	t.heading(title)
	for _, l := range lines {
		t.wrap(fmt.Sprintf("%5d  ", l.count), l.text)
	}
}

type driftLine struct {
	count int
	text  string
}

// driftLines gives how deployed databases differ from the schema of a re-based history, the order of columns last.
func (d *Document) driftLines() (title string, lines []driftLine) {
	total, tables := 0, 0
	var last []driftLine
	for _, g := range d.DriftGroups {
		l := driftLine{g.Count, driftText(g)}
		if g.Kind == reordered {
			tables += g.Count
			last = append(last, l)
			continue
		}
		total += g.Count
		lines = append(lines, l)
	}
	title = "Drift: deployed databases differ from the new history's schema in " + plural(total, "place")
	if tables > 0 {
		title += fmt.Sprintf(", and %s in the order of columns", plural(tables, "table"))
	}
	return title, append(lines, last...)
}

const maxDriftNames = 12

func driftText(g analyzer.DriftGroup) string {
	s := g.Kind
	if g.What != "" {
		s += ": " + g.What
	}
	var names []string
	for i, n := range g.Names {
		if i == maxDriftNames && len(g.Names) > maxDriftNames+1 {
			names = append(names, fmt.Sprintf("and %d more (all are in --format json)", len(g.Names)-i))
			break
		}
		if n.Count > 1 {
			names = append(names, fmt.Sprintf("%s (%d)", n.Name, n.Count))
		} else {
			names = append(names, n.Name)
		}
	}
	return s + ": " + strings.Join(names, ", ")
}

func (t *text) migrations() {
	if len(t.Migrations) == 0 {
		return
	}
	t.heading("Migrations")
	tw := tabwriter.NewWriter(&t.buf, 0, 0, 2, ' ', 0)
	for _, m := range t.Migrations {
		db := ""
		if m.Database != "" {
			db = Clean(m.Database) + ": "
		}
		fmt.Fprintf(tw, "%s\t%s%s\t%s\t%s\n", m.State, db, Clean(m.ID), Clean(m.File), plural(len(m.Statements), "statement"))
	}
	tw.Flush()
}

func (t *text) costs() {
	if len(t.Costs) == 0 {
		return
	}
	t.heading("Cost of the pending statements (estimate)")
	tw := tabwriter.NewWriter(&t.buf, 0, 0, 2, ' ', 0)
	for i, c := range t.Costs {
		if i == maxAlike && len(t.Costs) > maxAlike+1 {
			fmt.Fprintf(tw, "… and %d more (all are in --format json)\n", len(t.Costs)-i)
			break
		}
		how := c.Algorithm
		if c.Lock != "" {
			how = strings.TrimSpace(how + " LOCK=" + c.Lock)
		}
		if c.RebuildsTable {
			how += ", rebuilds the table"
		}
		if how == "" {
			how = "-"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s:%d\n", how, statement(c.Statement.SQL, maxQuoted), Clean(path.Base(c.Statement.Pos.File)), c.Statement.Pos.Line)
	}
	tw.Flush()
	if t.Proviso != "" {
		t.wrap("", t.Proviso)
	}
}

func (t *text) ignored() {
	if len(t.Ignored) > 0 {
		t.heading("Ignored, as configured")
		for _, f := range t.Ignored {
			t.wrap(at(f.Pos), f.What+" ["+f.Rule.ID+"]: "+f.Because)
		}
	}
	for _, ig := range t.UnusedIgnores {
		entry := fmt.Sprintf("rule: %s, object: %s", ig.Rule, ig.Object)
		if ig.Fingerprint != "" {
			entry = "fingerprint: " + ig.Fingerprint
		}
		t.wrap("note: ", fmt.Sprintf("the ignore entry {%s} matches nothing", entry))
	}
}

func (t *text) config() {
	if len(t.ConfigChanges) == 0 {
		return
	}
	t.heading("The configuration differs from the deployed one")
	for _, l := range t.ConfigChanges {
		t.line("    %s", Clean(l))
	}
}
