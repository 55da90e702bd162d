package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"instep/analyzer"
	"instep/analyzer/rules"
	"instep/cmd/internal/report"
	"instep/migrate"
)

func runCheck(cmd *cobra.Command, o *options, args []string) error {
	format, err := pick(o.format, report.Formats, func(f *report.Format) string { return f.Name })
	if err != nil {
		return err
	}
	q, err := o.inquire(cmd, args)
	if err != nil {
		return err
	}
	defer q.repo.Close()
	r := analyzer.Analyze(q.upgrade, rules.All)
	doc := &report.Document{Report: r, ConfigChanges: q.ends.changes, Color: o.colored(cmd.OutOrStdout()), Brief: o.quiet}
	return o.answer(cmd, format, doc, q.order)
}

// An inquiry is what check, comment and simulate are asked about, read and checked.
type inquiry struct {
	repo        io.Closer // to be closed when the trees have been read
	ends        *ends
	comparisons []*migrate.Comparison
	upgrade     analyzer.Upgrade
	order       []string // that is demanded
}

// inquire reads what the arguments and flags name.
func (o *options) inquire(cmd *cobra.Command, args []string) (q *inquiry, err error) {
	if err := checkFailOn(o.failOn); err != nil {
		return nil, err
	}
	repo, err := openRepo(o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			repo.Close()
		}
	}()
	var a analysis
	e, err := o.ends(cmd, repo, args, &a)
	if err != nil {
		return nil, err
	}
	q = &inquiry{repo: repo, ends: e}
	if err := checkIgnores(e.config); err != nil {
		return nil, err
	}
	if q.comparisons, q.upgrade, err = e.upgrade(&a); err != nil {
		return nil, err
	}
	accepted, err := acceptedIn(o.baseline)
	if err != nil {
		return nil, err
	}
	q.upgrade.Ignores = append(q.upgrade.Ignores, accepted...)
	q.order, err = demandedOrder(o.order, q.upgrade.Services)
	return q, err
}

// answer prints the document and gives the exit code that follows from its verdict and the user's demands.
func (o *options) answer(cmd *cobra.Command, format *report.Format, doc *report.Document, order []string) error {
	if err := o.document(cmd, func(w io.Writer) error { return format.Write(w, doc) }); err != nil {
		return err
	}
	if code := o.outcome(cmd, doc, order); code != exitOK {
		return code
	}
	return nil
}

// outcome gives the exit code of a document, and says which demands are not met.
func (o *options) outcome(cmd *cobra.Command, doc *report.Document, order []string) exit {
	r := doc.Combined()
	code := verdictCode(r.Verdict)
	for _, unmet := range append(unmetOrder(order, r), unmetFailOn(o.failOn, r)...) {
		fmt.Fprintf(cmd.ErrOrStderr(), "instep: %s\n", printable(unmet))
		if code == exitOK {
			code = exitUnsafe
		}
	}
	return code
}

func verdictCode(v analyzer.Verdict) exit {
	switch v {
	case analyzer.Split:
		return exitUnsafe
	case analyzer.Unproven:
		return exitUnproven
	}
	return exitOK
}

// checkIgnores refuses an ignore entry for a rule that does not exist: it would silence nothing, and nobody would see it.
func checkIgnores(c *config) error {
	for _, ig := range c.Ignore {
		if ig.Fingerprint == "" && !slices.ContainsFunc(rules.All, func(r *analyzer.Rule) bool { return r.ID == ig.Rule }) {
			return fmt.Errorf("%s: ignore: there is no rule %q (see: instep rules)", configFile, ig.Rule)
		}
	}
	return nil
}

// demandedOrder reads --order.
func demandedOrder(flag string, services []analyzer.Service) ([]string, error) {
	if flag == "" {
		return nil, nil
	}
	order := strings.Split(flag, ",")
	names := []string{}
	migrates := analyzer.MigrationStep
	for _, s := range services {
		names = append(names, s.Name)
		if s.Migrates {
			migrates = s.Name
		}
	}
	if len(services) == 0 {
		names = append(names, "code")
	}
	if migrates == analyzer.MigrationStep {
		names = append(names, migrates)
	}
	for i, name := range order {
		name = strings.TrimSpace(name)
		order[i] = name
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("--order: there is no service %q: the steps are %s", name, strings.Join(names, ", "))
		}
		if slices.Contains(order[:i], name) {
			return nil, fmt.Errorf("--order: %s stands twice", name)
		}
	}
	if !slices.Contains(order, migrates) {
		return nil, fmt.Errorf("--order: %s, which changes the schema, is missing", migrates)
	}
	return order, nil
}

// unmetOrder says why the demanded order is not safe.
func unmetOrder(order []string, r *analyzer.Report) []string {
	if order == nil || r.Verdict == analyzer.NoChange {
		return nil
	}
	migration := slices.IndexFunc(order, func(name string) bool {
		return name == analyzer.MigrationStep || slices.ContainsFunc(r.Services, func(s analyzer.ServiceReport) bool { return s.Migrates && s.Name == name })
	})
	var unmet []string
	demand := "--order " + strings.Join(order, ",") + ": "
	if r.Verdict == analyzer.Unproven {
		return []string{demand + "not proved to be safe"}
	}
	for _, s := range r.Services {
		if s.Migrates || s.Place == analyzer.Anywhere {
			continue
		}
		i := slices.Index(order, s.Name)
		switch {
		case i < 0:
			unmet = append(unmet, fmt.Sprintf("%s%s has to be deployed %s the schema changes, and is missing", demand, s.Name, s.Place))
		case s.Place == analyzer.Nowhere:
			unmet = append(unmet, fmt.Sprintf("%sno order is safe for %s", demand, s.Name))
		case s.Place == analyzer.Before && i > migration, s.Place == analyzer.After && i < migration:
			unmet = append(unmet, fmt.Sprintf("%s%s has to be deployed %s the schema changes: %s", demand, s.Name, s.Place, s.Reason))
		}
	}
	if len(unmet) == 0 && r.Verdict == analyzer.Split {
		unmet = append(unmet, demand+"no order is safe")
	}
	return unmet
}

// A condition is something that --fail-on can name.
type condition struct {
	name string
	doc  string
	met  func(r *analyzer.Report) string // what there is to say, "" if it does not hold
}

var conditions = []condition{
	{"split", "no order is safe", func(r *analyzer.Report) string {
		if r.Verdict == analyzer.Split {
			return "no order is safe"
		}
		return ""
	}},
	{"window", "the old processes of the migrating service break while they still run", func(r *analyzer.Report) string {
		for _, s := range r.Services {
			if s.Window {
				return s.Name + " has a window"
			}
		}
		return ""
	}},
	{"unproven", "something could not be read", func(r *analyzer.Report) string {
		if r.Verdict == analyzer.Unproven {
			return "something could not be read"
		}
		return ""
	}},
	{"irreversible", "a service cannot go back to its old code afterwards", func(r *analyzer.Report) string {
		for _, s := range r.Services {
			if !s.CanRollBack {
				return s.Name + " cannot go back to its old code"
			}
		}
		return ""
	}},
	{"consumer", "a consumer is hit", func(r *analyzer.Report) string {
		for _, f := range r.Hazards {
			for _, h := range f.Consumers {
				return h.Name + ": " + f.What
			}
		}
		return ""
	}},
}

func checkFailOn(names []string) error {
	for _, n := range names {
		if !slices.ContainsFunc(conditions, func(c condition) bool { return c.name == n }) {
			var known []string
			for _, c := range conditions {
				known = append(known, c.name)
			}
			return fmt.Errorf("--fail-on: unknown condition %q: the known ones are %s", n, strings.Join(known, ", "))
		}
	}
	return nil
}

func unmetFailOn(names []string, r *analyzer.Report) []string {
	var unmet []string
	for _, c := range conditions {
		if slices.Contains(names, c.name) {
			if what := c.met(r); what != "" {
				unmet = append(unmet, "--fail-on "+c.name+": "+what)
			}
		}
	}
	return unmet
}
