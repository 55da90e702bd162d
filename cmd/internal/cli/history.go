package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"instep/analyzer"
	"instep/analyzer/rules"
	"instep/cmd/internal/report"
	"instep/internal/gitfs"
)

func newHistory(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "history [FROM..TO]",
		Short: "check every consecutive pair of release tags: a back-test",
		Long: `history checks every release against the one before it, in the order of their versions, and marks those that change
the schema with *. Release tags are those that match the pattern of releases.tags in the configuration (all tags
without one) and are versions all through: v2.42-stage is none. FROM and TO are tags, both included.

The configuration is read at TO (or HEAD) and used for all releases. The exit code is 0 whatever the releases were.
Formats: text, json.`,
		Example: "  instep history v3.100..v3.120",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runHistory(cmd, o, args) },
	}
}

// A release is one line of a history.
type release struct {
	From       string   `json:"from"`
	To         string   `json:"to"`
	Changes    bool     `json:"changes_schema"`
	Verdict    string   `json:"verdict"`
	Order      []string `json:"order"`
	Migrations []string `json:"migrations"`
	answer     string
}

type historyDocument struct {
	FormatVersion string    `json:"format_version"`
	Releases      []release `json:"releases"`
}

func runHistory(cmd *cobra.Command, o *options, args []string) error {
	formats := []string{"text", "json"}
	if _, err := pick(o.format, formats, func(s string) string { return s }); err != nil {
		return err
	}
	repo, err := openRepo(o)
	if err != nil {
		return err
	}
	defer repo.Close()
	from, to := "", ""
	if len(args) == 1 {
		var ok bool
		if from, to, ok = strings.Cut(args[0], ".."); !ok {
			return fmt.Errorf("%s is no range: write FROM..TO, such as v1.0..v2.0", args[0])
		}
	}
	head := to
	if head == "" {
		head = "HEAD"
	}
	last, err := at(cmd.Context(), repo, head, o)
	if err != nil {
		return err
	}
	c, _, err := configFor(last, last, o)
	if err != nil {
		return err
	}
	tags, err := releases(repo, c.Releases.Tags, from, to)
	if err != nil {
		return err
	}
	var a analysis
	var found []release
	for i := 1; i < len(tags); i++ {
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		rel, err := a.release(repo, tags[i-1], tags[i], c)
		if err != nil {
			return err
		}
		found = append(found, rel)
	}
	return o.document(cmd, func(w io.Writer) error {
		if o.format == "json" {
			enc := json.NewEncoder(w)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			return enc.Encode(historyDocument{"1.0", found})
		}
		return writeHistory(w, found)
	})
}

// version matches tags that are versions all through.
var version = regexp.MustCompile(`^[vV]?\d+(\.\d+)*$`)

// releases gives the release tags from one to another, in the order of their versions.
func releases(repo *gitfs.Repo, pattern, from, to string) ([]gitfs.Commit, error) {
	all, err := repo.Tags("")
	if err != nil {
		return nil, err
	}
	var tags []gitfs.Commit
	for _, t := range all {
		if pattern != "" {
			if ok, err := path.Match(pattern, t.Rev); err != nil {
				return nil, fmt.Errorf("releases.tags: %w", err)
			} else if !ok {
				continue
			}
		}
		if version.MatchString(t.Rev) || t.Rev == from || t.Rev == to {
			tags = append(tags, t)
		}
	}
	for _, end := range []struct {
		tag string
		cut func(i int)
	}{
		{from, func(i int) { tags = tags[i:] }},
		{to, func(i int) { tags = tags[:i+1] }},
	} {
		if end.tag == "" {
			continue
		}
		i := slices.IndexFunc(tags, func(t gitfs.Commit) bool { return t.Rev == end.tag })
		if i < 0 {
			return nil, fmt.Errorf("%s is not among the release tags of this repository between %s and %s", end.tag, orAny(from), orAny(to))
		}
		end.cut(i)
	}
	if len(tags) < 2 {
		return nil, fmt.Errorf("a history needs two release tags, and there are %d (set releases.tags in %s to the pattern of yours)", len(tags), configFile)
	}
	return tags, nil
}

func orAny(tag string) string {
	if tag == "" {
		return "any"
	}
	return tag
}

// release checks one release against the one before it.
func (a *analysis) release(repo *gitfs.Repo, from, to gitfs.Commit, c *config) (release, error) {
	rel := release{From: from.Rev, To: to.Rev, Order: []string{}, Migrations: []string{}}
	old, err := a.tree(repo, from)
	if err != nil {
		return rel, err
	}
	new, err := a.tree(repo, to)
	if err != nil {
		return rel, err
	}
	u, err := a.upgrade(old, new, c)
	var none noMigrationsError
	if errors.As(err, &none) {
		rel.Verdict, rel.answer = "no-migrations", "no migrations found"
		return rel, nil
	}
	if err != nil {
		return rel, err
	}
	r := analyzer.Analyze(u, rules.All)
	rel.Verdict, rel.answer = string(r.Verdict), report.Answer(r)
	rel.Order = append(rel.Order, r.Order...)
	rel.Changes = r.Verdict != analyzer.NoChange
	for _, m := range r.Migrations {
		rel.Migrations = append(rel.Migrations, m.ID)
	}
	return rel, nil
}

func writeHistory(w io.Writer, found []release) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	changed := 0
	for _, r := range found {
		mark := " "
		if r.Changes {
			mark = "*"
			changed++
		}
		ids := strings.Join(r.Migrations, " ")
		if len(r.Migrations) > 6 {
			ids = fmt.Sprintf("%s … %s (%d migrations)", r.Migrations[0], r.Migrations[len(r.Migrations)-1], len(r.Migrations))
		}
		fmt.Fprintf(tw, "%s %s\t%s\t%s\t%s\n", mark, report.Clean(r.From), report.Clean(r.To), r.answer, report.Clean(ids))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d of %d releases change the schema\n", changed, len(found))
	return err
}
