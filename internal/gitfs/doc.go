// Package gitfs gives a commit of a git repository as an fs.FS, read straight from the object store. Nothing is
// checked out and nothing is written into the repository, except by Fetch.
//
// Nothing that a repository's configuration names is ever executed. Reading is done by this package on go-git's
// formats; where a repository needs the git binary (reftable references, revisions such as "@{upstream}", old pack
// indexes), only plumbing commands are run, in an environment that turns hooks, fsmonitor, prompts and lazy
// fetching off.
//
// go-git's Repository is not used: it loads each pack's whole index before it gives the first object, which takes
// longer than everything that a check reads, and it does not open repositories with extensions that are harmless to
// a reader. Replacement references (git replace) and grafts are not honoured: the objects are read as they are.
package gitfs
