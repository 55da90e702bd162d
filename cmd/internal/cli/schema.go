package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"instep/analyzer"
	"instep/analyzer/schema"
	"instep/cmd/internal/report"
	"instep/migrate"
)

func newSchema(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schema [REF]",
		Short: "print the schema that the migrations build at a ref, as SQL",
		Long: `schema rebuilds the schema at REF (HEAD, if none is given) from the repository's migrations and prints it as CREATE
statements, sorted by name, which a server accepts as they are. What could not be read stands in comments before them, and
the exit code is then 3. Formats: text (SQL), json.`,
		Example: "  instep schema v3.110 | mysql scratch",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runSchema(cmd, o, args) },
	}
	addTargetFlags(cmd, o)
	return cmd
}

type schemaDocument struct {
	FormatVersion string           `json:"format_version"`
	Ref           analyzer.Ref     `json:"-"`
	Rev           string           `json:"rev"`
	Commit        string           `json:"commit"`
	Databases     []schemaDatabase `json:"databases"`
}

type schemaDatabase struct {
	Name      string        `json:"name"`
	Framework string        `json:"framework"`
	Dir       string        `json:"dir"`
	Tables    []schemaTable `json:"tables"`
	SQL       string        `json:"sql"`
	Gaps      []schemaGap   `json:"gaps"`
}

type schemaTable struct {
	Name    string         `json:"name"`
	Columns []schemaColumn `json:"columns"`
	SQL     string         `json:"sql"`
}

type schemaColumn struct {
	Name string `json:"name"`
	SQL  string `json:"sql"`
}

type schemaGap struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	What   string `json:"what"`
	Why    string `json:"why"`
}

func runSchema(cmd *cobra.Command, o *options, args []string) error {
	if _, err := pick(o.format, []string{"text", "json"}, func(s string) string { return s }); err != nil {
		return err
	}
	repo, err := openRepo(o)
	if err != nil {
		return err
	}
	defer repo.Close()
	var t *tree
	switch {
	case o.worktree && len(args) > 0:
		return fmt.Errorf("--worktree is the tree already: drop %s", args[0])
	case o.worktree:
		t, err = atWorktree(repo)
	default:
		rev := "HEAD"
		if len(args) > 0 {
			rev = args[0]
		}
		t, err = at(cmd.Context(), repo, rev, o)
	}
	if err != nil {
		return err
	}
	c, _, err := configFor(t, t, o)
	if err != nil {
		return err
	}
	histories, err := migrate.Find(t.fsys, t.files, c.locations())
	if err != nil {
		return err
	}
	if len(histories) == 0 {
		return noMigrations(c, t)
	}
	var a analysis
	doc := schemaDocument{FormatVersion: "1.0", Rev: t.Rev, Commit: t.Commit, Databases: []schemaDatabase{}}
	var text strings.Builder
	gaps := 0
	for i, h := range histories {
		r := a.cache.Replay(t.fsys, h, a.base(c.serverOrDefault()))
		db := schemaDatabase{Name: h.Database, Framework: h.Framework, Dir: h.Dir, Tables: []schemaTable{}, SQL: r.Schema.SQL(), Gaps: []schemaGap{}}
		for _, tb := range r.Schema.Tables() {
			st := schemaTable{Name: tb.Name, SQL: tb.SQL()}
			for _, col := range tb.Columns {
				st.Columns = append(st.Columns, schemaColumn{col.Name, col.SQL()})
			}
			db.Tables = append(db.Tables, st)
		}
		if i > 0 {
			text.WriteByte('\n')
		}
		fmt.Fprintf(&text, "-- %s in %s at %s: %s, %s\n", report.Clean(h.Framework), report.Clean(h.Dir), report.Clean(t.Rev),
			counted(len(r.Migrations), "migration"), counted(len(db.Tables), "table"))
		for _, g := range r.AllGaps() {
			gaps++
			db.Gaps = append(db.Gaps, schemaGap{g.Pos.File, g.Pos.Line, g.Pos.Col, g.What, g.Why})
			fmt.Fprintf(&text, "-- not read: %s\n", gapText(g))
		}
		text.WriteString(db.SQL)
		doc.Databases = append(doc.Databases, db)
	}
	err = o.document(cmd, func(w io.Writer) error {
		if o.format == "json" {
			enc := json.NewEncoder(w)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			return enc.Encode(doc)
		}
		_, err := io.WriteString(w, text.String())
		return err
	})
	if err == nil && gaps > 0 {
		err = exit(exitUnproven)
	}
	return err
}

func gapText(g schema.Gap) string {
	s := g.What
	if g.Why != "" {
		s += ": " + g.Why
	}
	if g.Pos != (schema.Pos{}) {
		s = g.Pos.String() + ": " + s
	}
	return report.Clean(s)
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func newSQL(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sql DEPLOYED [TARGET]",
		Short: "print the pending statements as SQL, with their positions as comments",
		Long: `sql prints the statements that the upgrade from DEPLOYED to TARGET (HEAD, if none is given) runs, in order, with the
position of each in a comment. Values that are known only at run time stand as "?". What could not be read stands in
comments, and the exit code is then 3. Format: text.`,
		Args: checkArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return runSQL(cmd, o, args) },
	}
	addTargetFlags(cmd, o)
	return cmd
}

func runSQL(cmd *cobra.Command, o *options, args []string) error {
	if _, err := pick(o.format, []string{"text"}, func(s string) string { return s }); err != nil {
		return err
	}
	repo, err := openRepo(o)
	if err != nil {
		return err
	}
	defer repo.Close()
	var a analysis
	e, err := o.ends(cmd, repo, args, &a)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(e.others, func(x otherEnd) bool { return !x.reached }) {
		return e.alone("sql") // what is pending depends on where databases are
	}
	cmps, err := a.compare(e.deployed, e.target, e.config)
	if err != nil {
		return err
	}
	var text strings.Builder
	gaps := 0
	for _, cmp := range cmps {
		if len(cmps) > 1 {
			fmt.Fprintf(&text, "-- database %s\n", report.Clean(cmp.Database()))
		}
		if cmp.Rebased != "" && cmp.Baseline == "" {
			gaps++
			fmt.Fprintf(&text, "-- not known: %s; whether deployed databases are stamped or rebuilt is said by migrations.baseline in %s\n", report.Clean(cmp.Rebased), configFile)
		}
		for _, g := range cmp.PendingGaps {
			gaps++
			fmt.Fprintf(&text, "-- not read: %s\n", gapText(g))
		}
		for _, m := range cmp.Pending {
			fmt.Fprintf(&text, "\n-- %s %s\n", report.Clean(m.ID), report.Clean(m.Name))
			for _, st := range m.Statements {
				fmt.Fprintf(&text, "-- %s\n", report.Clean(st.Pos.String()))
				text.WriteString(delimited(st.SQL))
			}
		}
	}
	if text.Len() == 0 {
		fmt.Fprintf(&text, "-- nothing is pending between %s and %s\n", report.Clean(e.deployed.Rev), report.Clean(e.target.Rev))
	}
	err = o.document(cmd, func(w io.Writer) error {
		_, err := io.WriteString(w, strings.TrimPrefix(text.String(), "\n"))
		return err
	})
	if err == nil && gaps > 0 {
		err = exit(exitUnproven)
	}
	return err
}

// delimited ends a statement. One that holds a semicolon itself, such as a trigger's body, gets a delimiter of its own.
func delimited(sql string) string {
	lines := strings.Split(strings.TrimRight(sql, "; \t\r\n"), "\n")
	for i, l := range lines {
		lines[i] = report.CleanCode(l)
	}
	sql = strings.Join(lines, "\n")
	if strings.Contains(sql, ";") {
		return "DELIMITER $$\n" + sql + "$$\nDELIMITER ;\n"
	}
	return sql + ";\n"
}
