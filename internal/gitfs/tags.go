package gitfs

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Tags gives the tags whose names match a glob (of package path; "" matches all), resolved to commits, in the order of
// their versions: v3.99 before v3.110, 2.0-rc1 before 2.0. Tags of other things than commits are left out.
// It reads every reference: it is for histories, not for a single check.
func (r *Repo) Tags(glob string) ([]Commit, error) {
	if _, err := path.Match(glob, ""); err != nil {
		return nil, err
	}
	names, err := r.TagNames()
	if err != nil {
		return nil, err
	}
	var tags []Commit
	for _, name := range names {
		if ok, _ := path.Match(glob, name); glob != "" && !ok {
			continue
		}
		c, err := r.Resolve("refs/tags/" + name)
		var missing *MissingObjectError
		if errors.As(err, &missing) {
			return nil, err
		}
		if err != nil {
			continue
		}
		c.Rev = name
		tags = append(tags, c)
	}
	slices.SortStableFunc(tags, func(a, b Commit) int { return CompareVersions(a.Rev, b.Rev) })
	return tags, nil
}

// RemoteTagNames gives the names of all tags that the remote has, sorted, with the git binary and the user's credentials.
// Nothing is fetched.
func (r *Repo) RemoteTagNames(ctx context.Context) ([]string, error) {
	remote := r.remote()
	if remote == "" {
		return nil, errors.New("the repository has no remote whose tags could be listed")
	}
	if remote[0] == '-' {
		return nil, fmt.Errorf("%q is no remote", remote)
	}
	cmd, err := r.git.command(ctx, true, "ls-remote", "--quiet", "--tags", "--refs", remote)
	if err != nil {
		return nil, err
	}
	out, err := output(cmd, "ls-remote")
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(string(out)) {
		if _, name, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "\trefs/tags/"); ok && validRef(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// TagNames gives the names of all tags, sorted. What they point at is not looked at.
func (r *Repo) TagNames() ([]string, error) {
	var names []string
	if !r.refFiles {
		out, err := r.git.run("for-each-ref", "--format=%(refname)", "refs/tags/")
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(out)) {
			names = append(names, strings.TrimPrefix(strings.TrimSpace(line), "refs/tags/"))
		}
		slices.Sort(names)
		return names, nil
	}
	root := filepath.Join(r.commonDir, "refs", "tags")
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !d.IsDir() && validRef(name) && !strings.HasSuffix(name, ".lock") {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(r.packedRefs().text)) {
		if _, name, ok := strings.Cut(strings.TrimRight(line, "\r\n"), " refs/tags/"); ok && line[0] != '#' && line[0] != '^' {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// CompareVersions orders names by the numbers in them: v3.99 < v3.110, v3 < v3.0 < v3.1, 2.0-rc1 < 2.0, with or without a v before
// them. It is for sorting: names that differ never compare as equal.
func CompareVersions(a, b string) int {
	x, y := withoutV(a), withoutV(b)
	for x != "" && y != "" {
		if digit(x[0]) && digit(y[0]) {
			n, m := number(x), number(y)
			x, y = x[len(n):], y[len(m):]
			n, m = strings.TrimLeft(n, "0"), strings.TrimLeft(m, "0")
			if len(n) != len(m) {
				return len(n) - len(m)
			}
			if c := strings.Compare(n, m); c != 0 {
				return c
			}
			continue
		}
		if x[0] != y[0] {
			// A pre-release comes before what continues with more numbers: 2.0-rc1 < 2.0.1.
			if (x[0] == '-') != (y[0] == '-') {
				if x[0] == '-' {
					return -1
				}
				return 1
			}
			return int(x[0]) - int(y[0])
		}
		x, y = x[1:], y[1:]
	}
	switch {
	case x == "" && y == "":
		return strings.Compare(a, b) // 1.01 and 1.1, 1.1 and v1.1
	case preRelease(x):
		return -1
	case preRelease(y):
		return 1
	}
	return len(x) - len(y)
}

// preRelease tells whether what follows a version makes it an earlier one.
func preRelease(s string) bool {
	s = strings.ToLower(strings.TrimLeft(s, "-._~"))
	for _, word := range []string{"rc", "alpha", "beta", "pre", "dev", "b", "a", "m", "snapshot"} {
		if rest, ok := strings.CutPrefix(s, word); ok && strings.TrimLeft(rest, ".-0123456789") == "" {
			return true
		}
	}
	return false
}

// withoutV takes the v off a version: a project that has begun or stopped to write it goes on counting.
func withoutV(s string) string {
	if len(s) > 1 && (s[0] == 'v' || s[0] == 'V') && digit(s[1]) {
		return s[1:]
	}
	return s
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func number(s string) string { return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))] }

// IsAncestor tells whether old is new or one of its ancestors. It follows commits from the newest on and stops when
// all that remain are older than old, with a day's grace for clocks that were wrong.
func (r *Repo) IsAncestor(old, new Commit) (bool, error) {
	const grace = 24 * 60 * 60
	queue := commitHeap{new}
	seen := map[oid]bool{new.id: true}
	for len(queue) > 0 {
		c := heap.Pop(&queue).(Commit)
		if c.id == old.id {
			return true, nil
		}
		if c.Time.Unix() < old.Time.Unix()-grace {
			return false, nil
		}
		if r.shallowCommits()[c.id] {
			continue
		}
		for _, p := range c.parents {
			if seen[p] {
				continue
			}
			seen[p] = true
			parent, err := r.commit(p)
			if err != nil {
				return false, err
			}
			heap.Push(&queue, parent)
		}
	}
	return false, nil
}

// commitHeap has the newest commit at its top.
type commitHeap []Commit

func (h commitHeap) Len() int           { return len(h) }
func (h commitHeap) Less(i, j int) bool { return h[i].Time.After(h[j].Time) }
func (h commitHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *commitHeap) Push(x any)        { *h = append(*h, x.(Commit)) }
func (h *commitHeap) Pop() any {
	old := *h
	c := old[len(old)-1]
	*h = old[:len(old)-1]
	return c
}
