package gitfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/format/objfile"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

// A Clone is a bare repository that a program keeps for itself, fetched over https without the git binary. It holds the trees of
// the commits that were asked for, without very large files, and nothing of their history: it is shallow, and has no references. It is a cache: what is
// damaged or grown too large is removed and fetched again. One goroutine, and one process, may use a Clone at a time.
type Clone struct {
	Dir string
	URL string // https; http on this machine only
	// Token gives the password, "" for none. It is asked before each connection, so that it may change.
	Token  func() (string, error)
	Client *http.Client // nil for http.DefaultClient
	// MaxBytes bounds the clone on the disk, and each answer of the server; 0 takes 1 GiB. While a clone that has reached it is
	// replaced, the disk holds one answer more.
	MaxBytes int64
}

const (
	// maxCloneCommits bounds the commits of a clone: all are named to the server at each fetch.
	maxCloneCommits = 200
	// maxCloneFile is from which size on a file is left out, in MiB, if the server can do that (GitHub can): indexing takes a few
	// times the length of the largest object in memory, and anybody's request can bring a large one that compresses well. It is
	// more than what any reader of migrations and code takes.
	maxCloneFile = 17
	// defaultCloneBytes is the default of Clone.MaxBytes.
	defaultCloneBytes = 1 << 30
)

// A TooLargeError says that a repository does not fit into the bound of its clone. To ask again is no use.
type TooLargeError struct{ Max int64 }

// Error gives the bound.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the repository is larger than the %d bytes that its clone may have", e.Max)
}

// A Remote is a conversation with a clone's server.
type Remote struct {
	clone   *Clone
	session transport.UploadPackSession
	refs    *packp.AdvRefs
}

// Connect asks the server for its references.
func (c *Clone) Connect(ctx context.Context) (*Remote, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && !(u.Scheme == "http" && slices.Contains([]string{"127.0.0.1", "::1", "localhost"}, u.Hostname())) {
		shown := c.URL
		if u != nil {
			shown = u.Redacted()
		}
		return nil, fmt.Errorf("%q is no https address of a repository", shown)
	}
	ep, err := transport.NewEndpoint(c.URL)
	if err != nil {
		return nil, err
	}
	var auth transport.AuthMethod
	if c.Token != nil {
		token, err := c.Token()
		if err != nil {
			return nil, err
		}
		if token != "" {
			// GitHub takes any name with a personal token, and this one with an app's.
			auth = &githttp.BasicAuth{Username: "x-access-token", Password: token}
		}
	}
	client := http.Client{}
	if c.Client != nil {
		client = *c.Client
	}
	client.Transport = &boundedTransport{client.Transport, c.maxBytes()}
	session, err := githttp.NewClient(&client).NewUploadPackSession(ep, auth)
	if err != nil {
		return nil, err
	}
	adv, err := session.AdvertisedReferencesContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking %s for its references: %w", c.URL, err)
	}
	return &Remote{c, session, adv}, nil
}

func (c *Clone) maxBytes() int64 {
	if c.MaxBytes > 0 {
		return c.MaxBytes
	}
	return defaultCloneBytes
}

// Ref gives the object that a reference ("refs/tags/v1") names, of a tag object that to which it points; "" if there is none.
func (r *Remote) Ref(name string) string {
	if h, ok := r.refs.Peeled[name]; ok {
		return h.String()
	}
	if h, ok := r.refs.References[name]; ok {
		return h.String()
	}
	return ""
}

// Tags gives the names of all tags, sorted.
func (r *Remote) Tags() []string {
	var names []string
	for name := range r.refs.References {
		if tag, ok := strings.CutPrefix(name, "refs/tags/"); ok {
			names = append(names, tag)
		}
	}
	slices.Sort(names)
	return names
}

// Fetch brings the commits, by their whole names, that the clone does not hold. A server gives what its references name; GitHub,
// and others that are told to, also other commits.
func (r *Remote) Fetch(ctx context.Context, commits ...string) error {
	c := r.clone
	if err := c.prepare(); err != nil {
		return err
	}
	held, err := c.held()
	if err != nil {
		return err
	}
	missing := func() (ids []plumbing.Hash) {
		for _, id := range commits {
			if h := plumbing.NewHash(id); !slices.Contains(held, h) && !slices.Contains(ids, h) {
				ids = append(ids, h)
			}
		}
		return ids
	}
	for _, id := range commits {
		if !plumbing.IsHash(id) {
			return fmt.Errorf("%q is no commit's whole name", id)
		}
	}
	want := missing()
	if len(want) == 0 {
		return nil
	}
	if size, err := c.size(); err != nil {
		return err
	} else if len(held)+len(want) > maxCloneCommits || size >= c.maxBytes()/2 {
		if err := c.Remove(); err != nil {
			return err
		}
		if err := c.prepare(); err != nil {
			return err
		}
		held = nil
		want = missing()
	}
	req := packp.NewUploadPackRequestFromCapabilities(r.refs.Capabilities)
	if !r.refs.Capabilities.Supports(capability.Shallow) {
		return fmt.Errorf("%s gives no shallow clones", c.URL)
	}
	if err := req.Capabilities.Set(capability.Shallow); err != nil {
		return err
	}
	if r.refs.Capabilities.Supports(capability.Filter) {
		if err := req.Capabilities.Set(capability.Filter); err != nil {
			return err
		}
		req.Filter = packp.FilterBlobLimit(maxCloneFile, packp.BlobLimitPrefixMebi)
	}
	if len(held) > 0 {
		// A server that may send deltas to what is here also leaves out what is here. Otherwise it does not for a shallow
		// clone: it sends all of each tree (pack-objects looks at the edges of history, and there is no history).
		if err := req.Capabilities.Set(capability.ThinPack); err != nil {
			return err
		}
	}
	req.Depth = packp.DepthCommits(1)
	req.Wants, req.Haves, req.Shallows = want, slices.Clone(held), slices.Clone(held)
	resp, err := r.session.UploadPack(ctx, req)
	if err != nil {
		return fmt.Errorf("fetching from %s: %w", c.URL, err)
	}
	defer resp.Close()
	var pack io.Reader = resp
	switch {
	case req.Capabilities.Supports(capability.Sideband64k):
		pack = sideband.NewDemuxer(sideband.Sideband64k, resp)
	case req.Capabilities.Supports(capability.Sideband):
		pack = sideband.NewDemuxer(sideband.Sideband, resp)
	}
	if err := c.store(ctx, pack, len(held) > 0); err != nil {
		return fmt.Errorf("fetching from %s: %w", c.URL, err)
	}
	return c.hold(append(held, want...))
}

// Parents gives the names of the commits before this one.
func (c Commit) Parents() []string {
	var names []string
	for _, id := range c.parents {
		names = append(names, id.String())
	}
	return names
}

// Open opens the clone for reading.
func (c *Clone) Open() (*Repo, error) { return Open(c.Dir) }

// Remove removes the clone from the disk. It is for a clone that turns out to be damaged; the next Fetch makes it anew.
func (c *Clone) Remove() error { return os.RemoveAll(c.Dir) }

// prepare makes the repository if there is none, and removes what a killed process has left.
func (c *Clone) prepare() error {
	for _, dir := range []string{"objects/pack", "refs/heads"} {
		if err := os.MkdirAll(filepath.Join(c.Dir, filepath.FromSlash(dir)), 0o700); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		"config": "[core]\n\trepositoryformatversion = 0\n\tbare = true\n",
		"HEAD":   "ref: refs/heads/none\n",
	} {
		path := filepath.Join(c.Dir, name)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if err := writeWhole(path, []byte(text)); err != nil {
			return err
		}
	}
	for _, dir := range []string{c.Dir, filepath.Join(c.Dir, "objects", "pack")} {
		old, err := filepath.Glob(filepath.Join(dir, "tmp_*"))
		if err != nil {
			return err
		}
		for _, name := range old {
			if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// held gives the commits that are here with their trees: those at which the clone is shallow.
func (c *Clone) held() ([]plumbing.Hash, error) {
	text, err := os.ReadFile(filepath.Join(c.Dir, "shallow"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var ids []plumbing.Hash
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); plumbing.IsHash(line) {
			ids = append(ids, plumbing.NewHash(line))
		}
	}
	return ids, nil
}

// hold writes down which commits are here, after their pack.
func (c *Clone) hold(ids []plumbing.Hash) error {
	plumbing.HashesSort(ids)
	var b strings.Builder
	for _, id := range ids {
		b.WriteString(id.String() + "\n")
	}
	return writeWhole(filepath.Join(c.Dir, "shallow"), []byte(b.String()))
}

// size gives the bytes that the objects take.
func (c *Clone) size() (bytes int64, err error) {
	err = filepath.WalkDir(filepath.Join(c.Dir, "objects"), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	return bytes, err
}

// store writes the objects of a pack: as a pack, or, of a thin one, whose deltas are to objects that are here, one by one.
func (c *Clone) store(ctx context.Context, r io.Reader, thin bool) error {
	dir := filepath.Join(c.Dir, "objects", "pack")
	f, err := os.CreateTemp(dir, "tmp_pack_")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	scanner := packfile.NewScanner(&contextReader{ctx, f})
	if thin {
		if err := c.unpack(scanner); err != nil && ctx.Err() == nil {
			// What should be here may be damaged: the next fetch begins with nothing.
			return errors.Join(err, c.Remove())
		}
		return context.Cause(ctx)
	}
	w := new(idxfile.Writer)
	parser, err := packfile.NewParser(scanner, w)
	if err != nil {
		return err
	}
	sum, err := parser.Parse()
	if err != nil {
		return err
	}
	idx, err := w.Index()
	if err != nil {
		return err
	}
	fi, err := os.CreateTemp(dir, "tmp_idx_")
	if err != nil {
		return err
	}
	defer os.Remove(fi.Name())
	defer fi.Close()
	if _, err := idxfile.NewEncoder(fi).Encode(idx); err != nil {
		return err
	}
	// The index comes last: without it, the pack is not looked at.
	base := filepath.Join(dir, "pack-"+sum.String())
	for _, p := range []struct {
		f  *os.File
		to string
	}{{f, base + ".pack"}, {fi, base + ".idx"}} {
		if err := errors.Join(p.f.Sync(), p.f.Close()); err != nil {
			return err
		}
		if err := os.Rename(p.f.Name(), p.to); err != nil {
			return err
		}
	}
	return nil
}

// unpack writes the objects of a thin pack one by one.
func (c *Clone) unpack(scanner *packfile.Scanner) error {
	repo, err := c.Open()
	if err != nil {
		return err
	}
	defer repo.Close()
	size, err := c.size()
	if err != nil {
		return err
	}
	parser, err := packfile.NewParserWithStorage(scanner, &looseObjects{repo: repo, left: c.maxBytes() - size})
	if err != nil {
		return err
	}
	_, err = parser.Parse()
	return err
}

// looseObjects is what go-git's parser needs of a store: it reads objects of the clone, and writes each into a file of its own. Other
// methods are not called.
type looseObjects struct {
	storer.EncodedObjectStorer
	repo *Repo
	left int64 // bytes that may be written: deltas, and anybody's request can bring them, unfold to a thousand times their length
}

// errUnfolded is no *TooLargeError: fetched alone, as a pack, the same commits may fit.
var errUnfolded = errors.New("what is fetched unfolds to more than the clone may have")

// EncodedObject reads an object.
func (l *looseObjects) EncodedObject(_ plumbing.ObjectType, h plumbing.Hash) (plumbing.EncodedObject, error) {
	kind, data, err := l.repo.objects.read(oid(h[:]))
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", h, err)
	}
	obj := &plumbing.MemoryObject{}
	obj.SetType(kind)
	_, err = obj.Write(data)
	return obj, err
}

// SetEncodedObject writes an object, whole or not at all.
func (l *looseObjects) SetEncodedObject(obj plumbing.EncodedObject) (plumbing.Hash, error) {
	h := obj.Hash()
	dir := filepath.Join(l.repo.objects.dir, h.String()[:2])
	name := filepath.Join(dir, h.String()[2:])
	if _, err := os.Stat(name); err == nil {
		return h, nil
	}
	r, err := obj.Reader()
	if err != nil {
		return h, err
	}
	defer r.Close()
	var b bytes.Buffer
	w := objfile.NewWriter(&b)
	if err := w.WriteHeader(obj.Type(), obj.Size()); err != nil {
		return h, err
	}
	if _, err := io.Copy(w, r); err != nil {
		return h, err
	}
	if err := w.Close(); err != nil {
		return h, err
	}
	if l.left -= int64(b.Len()); l.left < 0 {
		return h, errUnfolded
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return h, err
	}
	f, err := os.CreateTemp(filepath.Join(l.repo.objects.dir, "pack"), "tmp_obj_") // prepare looks there
	if err != nil {
		return h, err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b.Bytes())
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return h, err
	}
	return h, os.Rename(f.Name(), name)
}

// contextReader stops the indexing of a large pack.
type contextReader struct {
	ctx context.Context
	*os.File
}

func (r *contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.File.Read(p)
}

// writeWhole writes a file whole or not at all.
func writeWhole(name string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "tmp_")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// boundedTransport bounds the length of answers: neither references nor a pack may fill the disk or the memory.
type boundedTransport struct {
	next http.RoundTripper
	max  int64
}

func (t *boundedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	next := t.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	max := t.max
	if strings.HasSuffix(req.URL.Path, "/info/refs") {
		max = min(max, maxAdvertised)
	}
	resp.Body = &boundedBody{resp.Body, max, max}
	return resp, nil
}

// maxAdvertised bounds the list of references: about a million of them.
const maxAdvertised = 64 << 20

type boundedBody struct {
	io.ReadCloser
	left, max int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, &TooLargeError{b.max}
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
