package gitfs

import (
	"errors"
	"fmt"
)

// ErrNotRepository says that a directory and its parents hold no git repository.
var ErrNotRepository = errors.New("not a git repository")

// ErrTooLarge says that an object is larger than this package is willing to load.
var ErrTooLarge = errors.New("object is too large to read")

// errNotFound says that an object is in no object store of the repository.
var errNotFound = errors.New("object not found")

// A NotFoundError says that a revision names nothing in the repository.
type NotFoundError struct {
	Rev string
	Why string // "no such tag, branch or commit"
	Fix string // the command that brings it; "" if there is no remote to bring it from
}

// Error gives the revision, the reason and the command.
func (e *NotFoundError) Error() string {
	s := fmt.Sprintf("%s: %s in this repository", e.Rev, e.Why)
	if e.Fix == "" {
		return s + ", and it has no remote"
	}
	return s + "; bring it with\n    " + e.Fix
}

// A MissingObjectError says that an object to which a commit refers is not here: the clone is partial or shallow, or
// damaged. It is not fs.ErrNotExist: the file does exist at that commit.
type MissingObjectError struct {
	Path string // of the file or folder; "" for a commit
	ID   string
	Why  string // "this is a partial clone"
	Fix  string // the command that mends it
}

// Error gives the path, the object, the reason and the command.
func (e *MissingObjectError) Error() string {
	what := "object " + e.ID
	if e.Path != "" {
		what = e.Path + ": " + what
	}
	s := fmt.Sprintf("%s is not in this clone: %s", what, e.Why)
	if e.Fix == "" {
		return s
	}
	return s + "; bring it with\n    " + e.Fix
}

// A LinkError says why a symbolic link is not followed: it leaves the tree, loops, or points at nothing.
type LinkError struct {
	Path   string // the name that was asked for
	Target string // the text of the link that could not be followed
	Why    string
}

// Error gives the path, the target and the reason.
func (e *LinkError) Error() string {
	return fmt.Sprintf("%s: symbolic link to %q %s", e.Path, e.Target, e.Why)
}
