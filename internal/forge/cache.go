package forge

import (
	"bytes"
	"container/list"
	"crypto/sha256"
	"io"
	"net/http"
	"sync"
)

// A Cache keeps answers of GitHub's that carry an ETag. They are asked for again with If-None-Match: where nothing has changed, GitHub
// answers 304, which does not count against the rate limit (GitHub's documentation: Best practices for using the REST API). An answer
// is never used without being asked for again. Several GitHubs may share a Cache, also at once; each token has its own answers.
type Cache struct {
	mu      sync.Mutex
	entries map[cacheKey]*list.Element // of *cached
	recent  list.List                  // the one used last is at its front
	bytes   int                        // of all, by size
}

// The bounds of a Cache, and of the body of one answer in it, in bytes.
const (
	maxCache  = 4 << 20
	maxCached = 1 << 20
)

type cacheKey struct {
	url, accept string
	token       [sha256.Size]byte
}

type cached struct {
	key    cacheKey
	etag   string
	header http.Header
	body   []byte
}

// size is about how much memory an answer takes: of a pull request without comments the body is the least.
func (a *cached) size() int {
	n := 1024 + len(a.body) + len(a.etag) + len(a.key.url) + len(a.key.accept)
	for name, values := range a.header {
		for _, v := range values {
			n += 64 + len(name) + len(v)
		}
	}
	return n
}

func (c *Cache) get(k cacheKey) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[k]
	if e == nil {
		return nil
	}
	c.recent.MoveToFront(e)
	return e.Value.(*cached)
}

func (c *Cache) put(a *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = map[cacheKey]*list.Element{}
	}
	c.drop(c.entries[a.key])
	c.entries[a.key] = c.recent.PushFront(a)
	c.bytes += a.size()
	for c.bytes > maxCache {
		c.drop(c.recent.Back())
	}
}

func (c *Cache) drop(e *list.Element) {
	if e == nil {
		return
	}
	a := c.recent.Remove(e).(*cached)
	delete(c.entries, a.key)
	c.bytes -= a.size()
}

// A conditional is a transport that asks with a Cache.
type conditional struct{ cache *Cache }

func (t conditional) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		return http.DefaultTransport.RoundTrip(r)
	}
	k := cacheKey{r.URL.String(), r.Header.Get("Accept"), sha256.Sum256([]byte(r.Header.Get("Authorization")))}
	known := t.cache.get(k)
	if known != nil {
		r = r.Clone(r.Context())
		r.Header.Set("If-None-Match", known.etag)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	switch etag := resp.Header.Get("ETag"); {
	case resp.StatusCode == http.StatusNotModified && known != nil:
		resp.Body.Close()
		header := known.header.Clone()
		for name, v := range resp.Header { // the rate limit is today's
			header[name] = v
		}
		resp.StatusCode, resp.Status, resp.Header = http.StatusOK, "200 OK", header
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(known.body)), int64(len(known.body))
	case resp.StatusCode == http.StatusOK && etag != "":
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxCached+1))
		if err != nil {
			resp.Body.Close()
			return nil, err
		}
		if len(body) <= maxCached {
			t.cache.put(&cached{k, etag, resp.Header.Clone(), body})
		}
		resp.Body = rest{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
	}
	return resp, nil
}

// A rest is a body of which a part has been read.
type rest struct {
	io.Reader
	io.Closer
}
