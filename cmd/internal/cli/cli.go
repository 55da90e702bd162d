// Package cli is instep's command line: commands, flags, exit codes and the wiring between the packages.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"instep/cmd/internal/report"
	"instep/simulate"
)

// The exit codes.
const (
	exitOK       = 0 // a safe order exists, or nothing changed
	exitUnsafe   = 1 // no safe order, or a demand of the user's is not met
	exitFailed   = 2 // could not run
	exitUnproven = 3 // something could not be read
)

// An exit is an error that only carries an exit code: what there is to say has been said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// gcPercent lets the heap grow to five times what is live before it is collected: a run is short and small, and
// collecting took a quarter of its time.
const gcPercent = 400

// Main runs the command line and gives the exit code. An interrupt or SIGTERM lets the command clean up; the second one ends
// the process at once.
func Main() int {
	debug.SetGCPercent(gcPercent)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return Run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// Run runs one command. The document goes to stdout, the conversation to stderr.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return execute(ctx, root, stderr)
}

// execute runs a command line that has its arguments.
func execute(ctx context.Context, root *cobra.Command, stderr io.Writer) int {
	err := root.ExecuteContext(ctx)
	var code exit
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx))):
		err = errInterrupted
	}
	fmt.Fprintf(stderr, "instep: %s\n", printable(err.Error()))
	return exitFailed
}

// printable makes an error's text fit for a terminal: it can quote a stranger's file.
func printable(s string) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i, l := range lines {
		lines[i] = report.Clean(l)
	}
	return strings.Join(lines, "\n")
}

// options are the flags that several commands share.
type options struct {
	dir        string
	deployed   []string
	config     string
	configFrom string
	format     string
	output     string
	server     string
	sqlMode    string
	order      string
	failOn     []string
	baseline   string
	fetch      bool
	worktree   bool
	noColor    bool
	quiet      bool
}

func newRoot() *cobra.Command { return newRootWith(&options{}, simulate.Run) }

func newRootWith(o *options, run simulator) *cobra.Command {
	root := &cobra.Command{
		Use:   "instep DEPLOYED [TARGET]",
		Short: "which service goes first? Schema changes between two refs, and the deployment order that is safe",
		Long: `instep compares the deployed ref with the target (HEAD, if none is given), in the manner of git diff: it rebuilds
the MySQL schema at both from the repository's migrations, finds what changed, decides for every service whether its
new code must run before or after the schema changes, and says why, with file and line. Nothing of the repository is
executed.

DEPLOYED and TARGET are tags, branches or commits; DEPLOYED..TARGET works too. --deployed says what is deployed otherwise: the
latest release tag, what the services' version endpoints report, a ref for each service. Where services are at different
refs, each is checked from its own.

Formats: ` + formatNames() + ".",
		Example: `  instep v3.110                   from the deployed tag to HEAD
  instep v3.110 v3.111            between two tags
  instep v3.110 --worktree        to the files as they are, uncommitted ones too
  instep --deployed latest-tag    from the latest release tag to HEAD
  instep --deployed admin=v3.111 --deployed app=https://app.example.com/__version__
  instep -C ../balrog.git v3.110 v3.111 --format json`,
		Version:       versionText(),
		Args:          checkArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, args []string) error { return runCheck(cmd, o, args) },
	}
	root.CompletionOptions.HiddenDefaultCmd = false
	root.SetVersionTemplate("instep {{.Version}}\n") // as the command version says it
	root.Flags().Bool("version", false, "print the version")
	flags := root.PersistentFlags()
	flags.StringVarP(&o.dir, "dir", "C", ".", "the repository: any folder in it, or a bare one")
	flags.StringVar(&o.config, "config", "", "read the configuration from this file instead of .instep.yaml at the target ref")
	flags.StringVar(&o.configFrom, "config-from", "target", "the ref whose .instep.yaml counts: target or deployed")
	flags.StringVar(&o.format, "format", "text", "the document's format (see each command)")
	flags.StringVarP(&o.output, "output", "o", "", "write the document to this file instead of standard output")
	flags.StringVar(&o.server, "server", "", `the database server, such as "mysql 8.4" or "mariadb 10.11"`)
	flags.StringVar(&o.sqlMode, "sql-mode", "", "the sql_mode of the applications: strict, loose, or a list")
	flags.BoolVar(&o.fetch, "fetch", false, "fetch a ref that is missing (otherwise the command to do so is printed)")
	flags.BoolVar(&o.noColor, "no-color", false, "no colours (NO_COLOR is honoured too)")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "print only the answer")
	addTargetFlags(root, o)
	addDemandFlags(root, o)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())
	})
	root.AddCommand(newHistory(o), newSchema(o), newSQL(o), newSimulate(o, run), newRules(o), newExplain(o), newInit(o), newDemo(o), newWait(o), newComment(o), newMan(), newServe(o), newVersion())
	return root
}

// formatNames lists the formats of a report.
func formatNames() string {
	var names []string
	for _, f := range report.Formats {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// addTargetFlags adds the flags of commands that compare two refs.
func addTargetFlags(cmd *cobra.Command, o *options) {
	cmd.Flags().StringArrayVar(&o.deployed, "deployed", nil, "what is deployed, instead of DEPLOYED: [SERVICE=]REF, "+latestTag+", a version endpoint's address, or - (repeatable)")
	cmd.Flags().BoolVar(&o.worktree, "worktree", false, "the target is the work tree, with its uncommitted files")
}

// addDemandFlags adds the flags by which a user demands something of the answer.
func addDemandFlags(cmd *cobra.Command, o *options) {
	cmd.Flags().StringVar(&o.order, "order", "", "demand that this order is safe, such as admin,app: exit 1 if it is not")
	cmd.Flags().StringSliceVar(&o.failOn, "fail-on", nil, "exit 1 on any of: split, window, unproven, irreversible, consumer")
	cmd.Flags().StringVar(&o.baseline, "baseline", "", "live with the findings of this JSON report, which somebody has approved")
}

// checkArgs explains a wrong number of arguments in the words of the task.
func checkArgs(cmd *cobra.Command, args []string) error {
	n := len(args)
	if f := cmd.Flags().Lookup("deployed"); f != nil && f.Changed {
		n++ // it is said by the flag
	}
	switch n {
	case 0:
		return fmt.Errorf("which ref is deployed? %s (see %s --help)", cmd.UseLine(), cmd.CommandPath())
	case 1, 2:
		return nil
	}
	return fmt.Errorf("too many arguments: %s (see %s --help)", cmd.UseLine(), cmd.CommandPath())
}

// refs reads the arguments DEPLOYED [TARGET] or DEPLOYED..TARGET.
func refs(args []string, o *options) (deployed, target string, err error) {
	deployed, target = args[0], "HEAD"
	if from, to, ok := strings.Cut(args[0], ".."); ok {
		if strings.HasPrefix(to, ".") {
			return "", "", fmt.Errorf("%s: three dots compare with a merge base; instep compares two refs: write %s..%s", args[0], from, strings.TrimLeft(to, "."))
		}
		if len(args) == 2 {
			return "", "", fmt.Errorf("a range %s and a second ref %s: give one or the other", args[0], args[1])
		}
		deployed = from
		if to != "" {
			target = to
			if o.worktree {
				return "", "", fmt.Errorf("--worktree is the target already: drop %s", to)
			}
		}
	}
	if len(args) == 2 {
		if o.worktree {
			return "", "", fmt.Errorf("--worktree is the target already: drop %s", args[1])
		}
		target = args[1]
	}
	if deployed == "" {
		return "", "", errors.New("the deployed ref is empty")
	}
	return deployed, target, nil
}

// pick finds a format by name among those that a command knows.
func pick[T any](name string, all []T, nameOf func(T) string) (T, error) {
	var names []string
	for _, f := range all {
		if nameOf(f) == name {
			return f, nil
		}
		names = append(names, nameOf(f))
	}
	var none T
	return none, fmt.Errorf("unknown format %q: this command knows %s", name, strings.Join(names, ", "))
}

// colored tells whether the document may have colours.
func (o *options) colored(w io.Writer) bool {
	if o.noColor || o.output != "" || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
