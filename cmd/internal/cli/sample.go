package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// CommitRelease makes the tree in from one commit of the repository in dir, with that tag; with keep, files of the
// commit before that are not in it stay. The repository is made if there is none. Author and date are fixed, so that
// the same tree has the same commit id everywhere.
func CommitRelease(dir string, from fs.FS, tag string, keep bool) error {
	if _, err := os.Stat(filepath.Join(dir, ".git")); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		if err := sampleGit(dir, "init", "-q", "-b", "main"); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != ".git" && !keep {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := overwrite(dir, from); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"add", "-A", "-f"},
		{"commit", "-q", "--allow-empty", "-m", "Release " + tag},
		{"tag", tag},
	} {
		if err := sampleGit(dir, args...); err != nil {
			return err
		}
	}
	return nil
}

// overwrite copies a tree over what is in dir.
func overwrite(dir string, from fs.FS) error {
	return fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if d.IsDir() {
			return os.MkdirAll(to, 0o777)
		}
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o666)
	})
}

// sampleGit runs git in dir, away from the user's configuration.
func sampleGit(dir string, args ...string) error {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	const who, when = "Sample", "2026-01-02T03:04:05Z"
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_DIR="+filepath.Join(dir, ".git"), "GIT_WORK_TREE="+dir,
		"GIT_AUTHOR_NAME="+who, "GIT_AUTHOR_EMAIL=sample@example.org", "GIT_AUTHOR_DATE="+when,
		"GIT_COMMITTER_NAME="+who, "GIT_COMMITTER_EMAIL=sample@example.org", "GIT_COMMITTER_DATE="+when)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w\n%s", args[0], err, out)
	}
	return nil
}
