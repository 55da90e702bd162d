package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newMan() *cobra.Command {
	return &cobra.Command{
		Use:    "man",
		Short:  "print the manual page (instep man | man -l -)",
		Hidden: true, // for packagers: make dist calls it
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return writeMan(cmd.OutOrStdout(), cmd.Root())
		},
	}
}

// writeMan writes one manual page for all commands, from what they say of themselves. It has no date: the same sources give
// the same page.
func writeMan(w io.Writer, root *cobra.Command) error {
	root.InitDefaultCompletionCmd()
	var b strings.Builder
	fmt.Fprintf(&b, ".TH INSTEP 1 \"\" \"instep %s\" \"User Commands\"\n", roff(versionText()))
	fmt.Fprintf(&b, ".SH NAME\ninstep \\- %s\n", roff(root.Short))
	b.WriteString(".SH SYNOPSIS\n")
	b.WriteString(".nf\n")
	for _, c := range append([]*cobra.Command{root}, manCommands(root)...) {
		fmt.Fprintf(&b, "%s\n", roff(useLine(c)))
	}
	b.WriteString(".fi\n.SH DESCRIPTION\n")
	manText(&b, root.Long)
	manExamples(&b, root)
	b.WriteString(".SH OPTIONS\n")
	manFlags(&b, root.NonInheritedFlags())
	b.WriteString(".SH COMMANDS\nThe options above hold for these, too, where they apply.\n")
	for _, c := range manCommands(root) {
		fmt.Fprintf(&b, ".SS %s\n", roff(useLine(c)))
		if c.Long != "" {
			manText(&b, c.Long)
		} else {
			manText(&b, c.Short)
		}
		manFlags(&b, c.NonInheritedFlags())
		manExamples(&b, c)
	}
	b.WriteString(".SH EXIT STATUS\n")
	for _, e := range []struct {
		code exit
		what string
	}{
		{exitOK, "a safe order exists, and is printed; or nothing changed"},
		{exitUnsafe, "no safe order, or a demand (--order, --fail-on) is not met; for wait: the time is up"},
		{exitFailed, "it could not run: bad arguments, no such ref, no migrations, no server for simulate"},
		{exitUnproven, "unproven: something could not be read, and is named with its position"},
	} {
		fmt.Fprintf(&b, ".TP\n%d\n%s\n", int(e.code), roff(e.what))
	}
	b.WriteString(".SH ENVIRONMENT\n")
	for _, e := range [][2]string{
		{"INSTEP_DSN", "the database of wait --migration and simulate --engine dsn: other users of the machine can see a command line, but not this"},
		{"NO_COLOR", "if it is set, there are no colours"},
	} {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(e[0]), roff(e[1]))
	}
	fmt.Fprintf(&b, ".SH FILES\n.TP\n.I %s\nthe configuration, at the root of the repository; it is read at the target ref\n", roff(configFile))
	b.WriteString(".SH SEE ALSO\n.BR git\\-diff (1)\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// manCommands gives the commands that the page describes, those of commands included.
func manCommands(c *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			if sub.Runnable() {
				all = append(all, sub)
			}
			if sub.Name() == "completion" {
				continue // one for each shell, all alike
			}
			all = append(all, manCommands(sub)...)
		}
	}
	return all
}

// useLine leaves out what cobra adds once a command's flags have been looked at.
func useLine(c *cobra.Command) string { return strings.TrimSuffix(c.UseLine(), " [flags]") }

// manText writes paragraphs. Indented lines stand as they are.
func manText(b *strings.Builder, text string) {
	for i, p := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		if strings.HasPrefix(p, " ") || strings.HasPrefix(p, "\t") {
			manVerbatim(b, p)
			continue
		}
		for _, l := range strings.Split(p, "\n") {
			b.WriteString(roff(strings.TrimSpace(l)) + "\n")
		}
	}
}

func manVerbatim(b *strings.Builder, text string) {
	fmt.Fprintf(b, ".RS 2\n.nf\n")
	for _, l := range strings.Split(text, "\n") {
		b.WriteString(roff(strings.TrimPrefix(l, "  ")) + "\n")
	}
	b.WriteString(".fi\n.RE\n")
}

func manExamples(b *strings.Builder, c *cobra.Command) {
	if c.Example != "" {
		b.WriteString(".PP\n")
		manVerbatim(b, strings.Trim(c.Example, "\n"))
	}
}

func manFlags(b *strings.Builder, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name, usage := pflag.UnquoteUsage(f)
		head := "\\-\\-" + roff(f.Name)
		if f.Shorthand != "" {
			head = "\\-" + roff(f.Shorthand) + ", " + head
		}
		fmt.Fprintf(b, ".TP\n\\fB%s\\fR", head)
		if name != "" {
			fmt.Fprintf(b, " \\fI%s\\fR", roff(name))
		}
		b.WriteString("\n" + roff(usage))
		switch f.DefValue {
		case "", "false", "[]", "0", "0s":
		default:
			fmt.Fprintf(b, " (default %s)", roff(f.DefValue))
		}
		b.WriteString("\n")
	})
}

// roffEscape keeps hyphens as they are typed, so that a command can be copied from the page.
var roffEscape = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...", "→", `\(->`)

// roff escapes one line of text. A dot or an apostrophe at its beginning would be a request.
func roff(s string) string {
	s = roffEscape.Replace(strings.ReplaceAll(s, "\n", " "))
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}
