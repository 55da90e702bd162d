package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"instep/internal/gitfs"
	"instep/migrate"
)

func newInit(o *options) *cobra.Command {
	var print bool
	cmd := &cobra.Command{
		Use:   "init",
		Short: "write a first " + configFile + " from what is found in the work tree",
		Long: `init looks for migrations in the work tree and writes ` + configFile + ` at its root, with services to be filled in. It never
overwrites one that exists.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			repo, err := openRepo(o)
			if err != nil {
				return err
			}
			defer repo.Close()
			text, err := initialConfig(repo)
			if err != nil {
				return err
			}
			if print {
				return o.document(cmd, func(w io.Writer) error {
					_, err := io.WriteString(w, text)
					return err
				})
			}
			name := filepath.Join(repo.WorktreeRoot(), configFile)
			f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
			if errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("%s exists already: it is left as it is (--print shows what would be written)", configFile)
			}
			if err != nil {
				return err
			}
			_, err = f.WriteString(text)
			if cerr := f.Close(); err == nil {
				err = cerr
			}
			if err != nil {
				return errors.Join(err, os.Remove(name))
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "wrote %s: name your services in it\n", configFile)
			return nil
		},
	}
	cmd.Flags().BoolVar(&print, "print", false, "print it instead")
	return cmd
}

func initialConfig(repo *gitfs.Repo) (string, error) {
	t, err := atWorktree(repo)
	if err != nil {
		return "", err
	}
	histories, err := migrate.Find(t.fsys, t.files, nil)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# How instep judges a release of this repository. Everything here is optional.\nserver: mysql 8.4\n")
	if len(histories) == 0 {
		b.WriteString("# No migrations were found: say where they are.\n# migrations:\n#   - {framework: alembic, dir: path/to/migrations}\n")
	} else {
		b.WriteString("# Found without this list; keep it if that should not change.\nmigrations:\n")
		for _, h := range histories {
			fmt.Fprintf(&b, "  - {framework: %s, dir: %q}\n", h.Framework, h.Dir)
		}
	}
	b.WriteString(`# Which services are deployed on their own, and what each may do with the database.
# services:
#   admin: {migrates: true, code: ["src/**"]}       # its deployment runs the migrations
#   app: {access: read, code: ["src/app/**"]}       # read, write or none
# Who else reads the database: cron jobs, exports, other repositories.
# consumers:
#   reports: {code: ["scripts/**"]}
# releases: {tags: "v*"}
`)
	return b.String(), nil
}
