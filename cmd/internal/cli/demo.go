package cli

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"

	"github.com/spf13/cobra"
)

// sample is a small shop with an admin and an app: one folder a release, each holding what it changes.
//
//go:embed all:demo
var sample embed.FS

func newDemo(o *options) *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "build a small sample repository with three releases and check them",
		Long: `demo builds a git repository with three releases of a small shop in a temporary folder, runs the real analysis on it and
removes it again. It needs git.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDemo(cmd, o, keep) },
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the repository, and print where it is")
	return cmd
}

func runDemo(cmd *cobra.Command, o *options, keep bool) (err error) {
	if _, err := exec.LookPath("git"); err != nil {
		return errors.New("demo builds a git repository and needs git on PATH: install git")
	}
	dir, err := os.MkdirTemp("", "instep-demo-")
	if err != nil {
		return err
	}
	if keep {
		fmt.Fprintf(cmd.ErrOrStderr(), "the sample repository: %s\n", dir)
	} else {
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	releases, err := fs.ReadDir(sample, "demo")
	if err != nil {
		return err
	}
	var tags []string
	for _, r := range releases {
		from, err := fs.Sub(sample, "demo/"+r.Name())
		if err != nil {
			return err
		}
		if err := CommitRelease(dir, from, r.Name(), true); err != nil {
			return err
		}
		tags = append(tags, r.Name())
	}
	out := cmd.OutOrStdout()
	for i := 1; i < len(tags); i++ {
		if i > 1 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "$ git instep %s %s\n", tags[i-1], tags[i])
		run := *o
		run.dir, run.config, run.configFrom, run.output = dir, "", "target", ""
		if err := runCheck(cmd, &run, tags[i-1:i+1]); err != nil {
			return err
		}
	}
	return nil
}
