package gitfs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// A Commit is a revision that has been resolved.
type Commit struct {
	Rev  string // as it was asked for
	ID   string // the whole object name, in hex
	Time time.Time

	id      oid
	tree    oid
	parents []oid
}

// Resolve finds the commit that a revision names, by git's rules (gitrevisions, "Specifying revisions"): an object
// name or the beginning of one, a tag before a branch before a remote's branch, with any of ^, ^N, ~N, ^0, ^{} and
// ^{commit} behind it. A branch that exists only at the remote is found under its short name too. What else git
// understands ("@{upstream}", ":/text") is left to the git binary.
// A revision that is not here is a *NotFoundError, which prints the command that fetches it.
func (r *Repo) Resolve(rev string) (Commit, error) {
	if rev == "" || rev[0] == '-' || strings.ContainsAny(rev, "\x00\n\r") {
		return Commit{}, fmt.Errorf("%q is not a revision", rev)
	}
	name, steps, plain := splitRev(rev)
	if !plain || !r.refFiles {
		return r.resolveByGit(rev, name)
	}
	id, err := r.lookup(name)
	if err != nil {
		return Commit{}, err
	}
	if id == "" {
		return Commit{}, r.notFound(rev, name)
	}
	c, err := r.commit(id)
	if err != nil {
		return Commit{}, r.explain(rev, name, err)
	}
	for _, n := range steps {
		if n == 0 {
			continue
		}
		if n > len(c.parents) || r.shallowCommits()[c.id] {
			if r.shallowCommits()[c.id] {
				e := &NotFoundError{Rev: rev, Why: "the history of this shallow clone ends before it"}
				if remote := r.remote(); remote != "" {
					e.Fix = "git fetch --unshallow " + quote(remote)
				}
				return Commit{}, e
			}
			return Commit{}, fmt.Errorf("%s: commit %s has %d parents", rev, c.ID, len(c.parents))
		}
		if c, err = r.commit(c.parents[n-1]); err != nil {
			return Commit{}, fmt.Errorf("%s: %w", rev, err)
		}
	}
	c.Rev = rev
	return c, nil
}

// splitRev takes the suffixes off a revision. steps are the parents to take, one by one; 0 stays at the commit.
func splitRev(rev string) (name string, steps []int, plain bool) {
	i := strings.IndexAny(rev, "^~")
	if i < 0 {
		i = len(rev)
	}
	name, rest := rev[:i], rev[i:]
	plain = name != "" && !strings.Contains(name, "@{") && !strings.Contains(name, ":") && !strings.Contains(name, "..")
	for rest != "" {
		op := rest[0]
		rest = rest[1:]
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n := 1
		if digits > 0 {
			var err error
			if n, err = strconv.Atoi(rest[:digits]); err != nil || n > 1_000_000 {
				return name, nil, false
			}
			rest = rest[digits:]
		}
		switch {
		case op == '~':
			for range n {
				steps = append(steps, 1)
			}
			if len(steps) > 1_000_000 {
				return name, nil, false
			}
		case op == '^' && digits == 0 && strings.HasPrefix(rest, "{}"):
			rest = rest[2:]
		case op == '^' && digits == 0 && strings.HasPrefix(rest, "{commit}"):
			rest = rest[len("{commit}"):]
		case op == '^':
			steps = append(steps, n)
		default:
			return name, nil, false
		}
	}
	return name, steps, plain
}

// lookup finds the object that a name stands for; "" if there is none.
func (r *Repo) lookup(name string) (oid, error) {
	if name == "@" {
		name = "HEAD"
	}
	if id, ok := parseOID(name, r.hashLen); ok {
		return id, nil
	}
	if validRef(name) {
		for _, rule := range []string{"%s", "refs/%s", "refs/tags/%s", "refs/heads/%s", "refs/remotes/%s", "refs/remotes/%s/HEAD"} {
			full := fmt.Sprintf(rule, name)
			if !strings.HasPrefix(full, "refs/") && !pseudoRef(full) {
				continue
			}
			if id, err := r.ref(full); id != "" || err != nil {
				return id, err
			}
		}
		if remote := r.remote(); remote != "" && name != "HEAD" {
			if id, err := r.ref("refs/remotes/" + remote + "/" + name); id != "" || err != nil {
				return id, err
			}
		}
	}
	if i := strings.LastIndex(name, "-g"); i > 0 && isHex(name[i+2:]) { // the output of git describe
		name = name[i+2:]
	}
	if len(name) >= 4 && len(name) < 2*r.hashLen && isHex(name) {
		return r.abbreviated(strings.ToLower(name))
	}
	return "", nil
}

// abbreviated finds the commit or tag whose object name begins so.
func (r *Repo) abbreviated(prefix string) (oid, error) {
	ids, err := r.objects.withPrefix(prefix)
	if err != nil {
		return "", err
	}
	var commits []oid
	for _, id := range ids {
		kind, _, err := r.object(id)
		if err == nil && (kind == plumbing.CommitObject || kind == plumbing.TagObject) {
			commits = append(commits, id)
		}
	}
	switch {
	case len(commits) == 1:
		return commits[0], nil
	case len(commits) > 1:
		return "", fmt.Errorf("%s: the short object name is ambiguous: %s, %s …", prefix, commits[0], commits[1])
	case len(ids) > 0:
		return "", fmt.Errorf("%s: names no commit", prefix)
	}
	return "", nil
}

// ref reads a reference by its full name; "" if there is none.
func (r *Repo) ref(name string) (oid, error) {
	for range 6 { // git follows five
		dir := r.commonDir
		if !strings.HasPrefix(name, "refs/") || strings.HasPrefix(name, "refs/bisect/") ||
			strings.HasPrefix(name, "refs/worktree/") || strings.HasPrefix(name, "refs/rewritten/") {
			dir = r.gitDir
		}
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			if os.IsPermission(err) {
				return "", err
			}
			return r.packedRefs().find(name), nil // also where a folder has the name
		}
		line := strings.TrimRight(string(text), "\r\n\t ")
		if target, ok := strings.CutPrefix(line, "ref:"); ok {
			name = strings.TrimSpace(target)
			if !validRef(name) {
				return "", fmt.Errorf("reference %s points to %q", name, target)
			}
			continue
		}
		if len(line) > 2*r.hashLen { // FETCH_HEAD has notes behind the object name
			line = line[:2*r.hashLen]
		}
		id, ok := parseOID(line, r.hashLen)
		if !ok {
			return "", fmt.Errorf("reference %s is damaged", name)
		}
		return id, nil
	}
	return "", fmt.Errorf("symbolic reference %s: too many steps", name)
}

// validRef tells whether a name can be a reference, and a path below the git folder.
func validRef(name string) bool {
	return fs.ValidPath(name) && name != "." && !strings.ContainsAny(name, "\\:?*[ ~^\x7f") && !strings.Contains(name, "..") &&
		strings.IndexFunc(name, func(c rune) bool { return c < 0x20 }) < 0
}

// pseudoRef tells whether a name is that of a reference outside refs/, like HEAD.
func pseudoRef(name string) bool {
	return strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == "" && (strings.HasSuffix(name, "HEAD") || strings.HasSuffix(name, "_MERGE"))
}

func isHex(s string) bool {
	return s != "" && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// packedRefs is the text of the file packed-refs. It is searched, not parsed: repositories have tens of thousands.
type packedRefs struct {
	text    []byte
	hashLen int
}

func (r *Repo) packedRefs() *packedRefs {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.packed == nil {
		text, _ := os.ReadFile(filepath.Join(r.commonDir, "packed-refs"))
		r.packed = &packedRefs{text, r.hashLen}
	}
	return r.packed
}

// find gives the object of a reference; "" if it is not packed.
func (p *packedRefs) find(name string) oid {
	needle := []byte(" " + name)
	for text := p.text; ; {
		i := bytes.Index(text, needle)
		if i < 0 {
			return ""
		}
		end := i + len(needle)
		if i >= 2*p.hashLen && (end == len(text) || text[end] == '\n' || text[end] == '\r') {
			start := i - 2*p.hashLen
			if id, ok := parseOID(string(text[start:i]), p.hashLen); ok && (start == 0 || text[start-1] == '\n') {
				return id
			}
		}
		text = text[end:]
	}
}

// commit reads the commit at an object name; tags are followed.
func (r *Repo) commit(id oid) (Commit, error) {
	for range 10 {
		kind, data, err := r.object(id)
		if err != nil {
			return Commit{}, err
		}
		switch kind {
		case plumbing.CommitObject:
			return r.parseCommit(id, data)
		case plumbing.TagObject:
			hexID, _, _ := strings.Cut(strings.TrimPrefix(string(data), "object "), "\n")
			next, ok := parseOID(hexID, r.hashLen)
			if !ok {
				return Commit{}, fmt.Errorf("tag %s is damaged", id)
			}
			id = next
		default:
			return Commit{}, fmt.Errorf("object %s is a %s, not a commit", id, kind)
		}
	}
	return Commit{}, fmt.Errorf("tag %s: too many tags of tags", id)
}

func (r *Repo) parseCommit(id oid, data []byte) (Commit, error) {
	c := Commit{ID: id.String(), id: id}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			break
		}
		key, value, _ := strings.Cut(line, " ")
		switch key {
		case "tree":
			c.tree, _ = parseOID(value, r.hashLen)
		case "parent":
			p, ok := parseOID(value, r.hashLen)
			if !ok {
				return c, fmt.Errorf("commit %s is damaged", id)
			}
			c.parents = append(c.parents, p)
		case "committer":
			fields := strings.Fields(value)
			if len(fields) >= 2 {
				sec, _ := strconv.ParseInt(fields[len(fields)-2], 10, 64)
				c.Time = time.Unix(sec, 0).UTC()
			}
		}
	}
	if c.tree == "" {
		return c, fmt.Errorf("commit %s is damaged", id)
	}
	return c, nil
}

// explain turns the absence of an object that a revision names into one that says what to do.
func (r *Repo) explain(rev, name string, err error) error {
	var missing *MissingObjectError
	if errors.As(err, &missing) {
		if _, ok := parseOID(name, r.hashLen); ok {
			return r.notFound(rev, name)
		}
	}
	return fmt.Errorf("%s: %w", rev, err)
}

// notFound says how to bring a revision that is not here.
func (r *Repo) notFound(rev, name string) error {
	if name == "HEAD" || name == "@" {
		return fmt.Errorf("%s: the repository has no commit yet", rev)
	}
	e := &NotFoundError{Rev: rev, Why: "no such tag, branch or commit"}
	if args := r.fetchArgs(name); args != nil {
		words := []string{"git", "fetch"}
		for _, a := range args {
			words = append(words, quote(a))
		}
		e.Fix = strings.Join(words, " ")
	}
	return e
}

// looksLikeTag is a name with a version in it: v3.110, 2.0, release-1.4, boulder_2024_01.
var looksLikeTag = regexp.MustCompile(`^(refs/)?tags/|(^|[^A-Za-z0-9])[vV]?[0-9]+([._-][0-9A-Za-z]+)*$`)

// fetchArgs are the arguments of the git fetch that brings what a name stands for; nil if there is no remote. Whether
// a name is a tag's or a branch's can only be guessed.
func (r *Repo) fetchArgs(name string) []string {
	remote := r.remote()
	if remote == "" {
		return nil
	}
	shallow := len(r.shallowCommits()) > 0
	var depth []string
	if shallow {
		depth = []string{"--depth=1"}
	}
	if _, ok := parseOID(name, r.hashLen); ok {
		return append(depth, "--no-tags", remote, name)
	}
	if len(name) >= 7 && isHex(name) {
		if shallow {
			return []string{"--unshallow", remote}
		}
		return []string{remote}
	}
	branch := name
	for _, prefix := range []string{"refs/remotes/", "remotes/", remote + "/", "refs/heads/", "heads/"} {
		branch = strings.TrimPrefix(branch, prefix)
	}
	if branch == name && looksLikeTag.MatchString(name) {
		name = strings.TrimPrefix(strings.TrimPrefix(name, "refs/"), "tags/")
		return append(depth, remote, "tag", name, "--no-tags")
	}
	return append(depth, "--no-tags", remote, "+refs/heads/"+branch+":refs/remotes/"+remote+"/"+branch)
}
