package gitfs

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

const (
	// maxObject bounds what one object may take in memory. Callers set limits far below for files.
	maxObject = 256 << 20
	// maxChain bounds a chain of deltas. git itself never writes more than 4095.
	maxChain = 10_000
	// baseCacheSize bounds the bytes of delta bases that a pack keeps.
	baseCacheSize = 16 << 20
)

// A pack is one packfile and its index. Its index is searched on disk, never loaded. All methods may be called
// from several goroutines.
type pack struct {
	path    string // without extension
	hashLen int

	open   sync.Once
	err    error
	idx    *os.File
	fanout [256]uint32

	openData sync.Once
	dataErr  error
	data     *os.File
	size     int64

	mu        sync.Mutex
	bases     map[int64]base
	baseBytes int
	// The object that was found last: its size is asked for before its content.
	foundID oid
	foundAt int64
}

// A base is an object that was the base of a delta.
type base struct {
	kind plumbing.ObjectType
	data []byte
}

// errOldIndex says that a pack has an index of version 1, which git stopped writing in 2008.
var errOldIndex = errors.New("pack index is not of version 2")

func (p *pack) openIndex() error {
	p.open.Do(func() {
		p.idx, p.err = os.Open(p.path + ".idx")
		if p.err != nil {
			return
		}
		var head [8 + 256*4]byte
		if _, p.err = p.idx.ReadAt(head[:], 0); p.err != nil {
			return
		}
		if !bytes.Equal(head[:8], []byte{0xff, 't', 'O', 'c', 0, 0, 0, 2}) {
			p.err = fmt.Errorf("%s.idx: %w", p.path, errOldIndex)
			return
		}
		var last uint32
		for i := range p.fanout {
			p.fanout[i] = binary.BigEndian.Uint32(head[8+4*i:])
			if p.fanout[i] < last {
				p.err = fmt.Errorf("%s.idx: damaged", p.path)
				return
			}
			last = p.fanout[i]
		}
	})
	return p.err
}

// namesAt is where the i-th object name stands in the index.
func (p *pack) namesAt(i uint32) int64 { return 8 + 256*4 + int64(i)*int64(p.hashLen) }

// bucket reads the sorted object names that can begin with a prefix. It gives the number of the first of them. Large
// buckets are narrowed by binary search on disk first.
func (p *pack) bucket(prefix string) (names []byte, first uint32, err error) {
	if err := p.openIndex(); err != nil {
		return nil, 0, err
	}
	lo, hi := uint32(0), p.fanout[prefix[0]]
	if prefix[0] > 0 {
		lo = p.fanout[prefix[0]-1]
	}
	buf := make([]byte, len(prefix))
	for hi-lo > 64 {
		mid := lo + (hi-lo)/2
		if _, err := p.idx.ReadAt(buf, p.namesAt(mid)); err != nil {
			return nil, 0, err
		}
		switch c := bytes.Compare(buf, []byte(prefix)); {
		case c < 0:
			lo = mid
		case c > 0:
			hi = mid
		default: // several can share a short prefix: keep it in the middle
			const n = 256
			lo, hi = max(lo, mid-min(mid, n)), min(hi, mid+n)
			goto found
		}
	}
found:
	names = make([]byte, int(hi-lo)*p.hashLen)
	_, err = p.idx.ReadAt(names, p.namesAt(lo))
	return names, lo, err
}

// offset finds where an object begins in the pack; ok is false if it is not there.
func (p *pack) offset(id oid) (off int64, ok bool, err error) {
	p.mu.Lock()
	off, ok = p.foundAt, p.foundID == id
	p.mu.Unlock()
	if ok {
		return off, true, nil
	}
	if off, ok, err = p.find(id); ok && err == nil {
		p.mu.Lock()
		p.foundID, p.foundAt = id, off
		p.mu.Unlock()
	}
	return off, ok, err
}

// find looks an object up in the index.
func (p *pack) find(id oid) (off int64, ok bool, err error) {
	names, first, err := p.bucket(string(id))
	if err != nil || len(names) == 0 {
		return 0, false, err
	}
	n := len(names) / p.hashLen
	i := sort.Search(n, func(i int) bool { return string(names[i*p.hashLen:(i+1)*p.hashLen]) >= string(id) })
	if i == n || string(names[i*p.hashLen:(i+1)*p.hashLen]) != string(id) {
		return 0, false, nil
	}
	total := int64(p.fanout[255])
	offsets := 8 + 256*4 + total*int64(p.hashLen) + total*4
	var b [8]byte
	if _, err := p.idx.ReadAt(b[:4], offsets+4*(int64(first)+int64(i))); err != nil {
		return 0, false, err
	}
	o := binary.BigEndian.Uint32(b[:])
	if o&(1<<31) == 0 {
		return int64(o), true, nil
	}
	if _, err := p.idx.ReadAt(b[:], offsets+4*total+8*int64(o&^(1<<31))); err != nil {
		return 0, false, err
	}
	return int64(binary.BigEndian.Uint64(b[:])), true, nil
}

// withPrefix gives the objects whose names begin with the bytes of prefix (at least one), at most limit of them.
func (p *pack) withPrefix(prefix string, limit int) ([]oid, error) {
	names, _, err := p.bucket(prefix)
	if err != nil {
		return nil, err
	}
	var ids []oid
	for i := 0; i < len(names) && len(ids) < limit; i += p.hashLen {
		if name := string(names[i : i+p.hashLen]); name[:len(prefix)] == prefix {
			ids = append(ids, oid(name))
		}
	}
	return ids, nil
}

func (p *pack) openPack() error {
	p.openData.Do(func() {
		if p.data, p.dataErr = os.Open(p.path + ".pack"); p.dataErr != nil {
			return
		}
		var info os.FileInfo
		if info, p.dataErr = p.data.Stat(); p.dataErr == nil {
			p.size = info.Size()
		}
	})
	return p.dataErr
}

// A packHeader is the head of one object in a pack.
type packHeader struct {
	kind    plumbing.ObjectType
	size    int64 // of the object, or of the delta
	data    int64 // where the compressed data begins
	baseOff int64 // of an offset delta
	baseID  oid   // of a reference delta
}

// header reads the head of the object at off. Format: gitformat-pack, "pack-*.pack files".
func (p *pack) header(off int64) (packHeader, error) {
	var h packHeader
	if err := p.openPack(); err != nil {
		return h, err
	}
	if off < 12 || off >= p.size {
		return h, p.damaged(off)
	}
	var buf [64]byte
	n, err := p.data.ReadAt(buf[:], off)
	if n == 0 {
		return h, err
	}
	b := buf[:n]
	i := 0
	next := func() byte {
		if i >= len(b) {
			i++
			return 0
		}
		i++
		return b[i-1]
	}
	c := next()
	h.kind = plumbing.ObjectType(c >> 4 & 7)
	h.size = int64(c & 15)
	for shift := 4; c&0x80 != 0; shift += 7 {
		if shift > 56 {
			return h, p.damaged(off)
		}
		c = next()
		h.size |= int64(c&0x7f) << shift
	}
	switch h.kind {
	case plumbing.OFSDeltaObject:
		c = next()
		d := int64(c & 0x7f)
		for c&0x80 != 0 {
			if d > 1<<48 {
				return h, p.damaged(off)
			}
			c = next()
			d = (d+1)<<7 | int64(c&0x7f)
		}
		if d <= 0 || d >= off {
			return h, p.damaged(off)
		}
		h.baseOff = off - d
	case plumbing.REFDeltaObject:
		if i+p.hashLen > len(b) {
			return h, p.damaged(off)
		}
		h.baseID = oid(b[i : i+p.hashLen])
		i += p.hashLen
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
	default:
		return h, p.damaged(off)
	}
	if i > len(b) {
		return h, p.damaged(off)
	}
	h.data = off + int64(i)
	return h, nil
}

func (p *pack) damaged(off int64) error {
	return fmt.Errorf("%s.pack: damaged object at byte %d", p.path, off)
}

// inflate decompresses size bytes at off.
func (p *pack) inflate(z *inflaters, off, size int64) ([]byte, error) {
	if size > maxObject {
		return nil, ErrTooLarge
	}
	r, err := z.reader(io.NewSectionReader(p.data, off, p.size-off))
	if err != nil {
		return nil, fmt.Errorf("%s.pack: %w", p.path, err)
	}
	defer z.put(r)
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("%s.pack: %w", p.path, err)
	}
	return data, nil
}

// read gives the object at off. The bytes must not be changed.
func (p *pack) read(z *inflaters, off int64) (plumbing.ObjectType, []byte, error) {
	var deltas [][]byte
	var total int64
	var last int64 // offset of the object that the newest delta makes
	var kind plumbing.ObjectType
	var data []byte
	offs := []int64{}
	for {
		if b, ok := p.base(off); ok {
			kind, data = b.kind, b.data
			break
		}
		h, err := p.header(off)
		if err != nil {
			return 0, nil, err
		}
		body, err := p.inflate(z, h.data, h.size)
		if err != nil {
			return 0, nil, err
		}
		if h.kind != plumbing.OFSDeltaObject && h.kind != plumbing.REFDeltaObject {
			kind, data = h.kind, body
			if len(deltas) > 0 {
				p.keep(off, kind, data)
			}
			break
		}
		if total += h.size; len(deltas) >= maxChain || total > maxObject {
			return 0, nil, p.damaged(off)
		}
		deltas = append(deltas, body)
		offs = append(offs, off)
		if h.kind == plumbing.OFSDeltaObject {
			off = h.baseOff
			continue
		}
		// The base of a reference delta stands in the same pack: only packs on the wire are thin.
		next, ok, err := p.offset(h.baseID)
		if err != nil {
			return 0, nil, err
		}
		if !ok {
			return 0, nil, p.damaged(off)
		}
		off = next
	}
	for i := len(deltas) - 1; i >= 0; i-- {
		if size, ok := deltaSize(deltas[i]); !ok || size > maxObject {
			return 0, nil, p.damaged(offs[i])
		}
		out, err := packfile.PatchDelta(data, deltas[i])
		if err != nil {
			return 0, nil, fmt.Errorf("%s.pack: object at byte %d: %w", p.path, offs[i], err)
		}
		data, last = out, offs[i]
		if i > 0 {
			p.keep(last, kind, data)
		}
	}
	return kind, data, nil
}

// length gives the size of the object at off; of a delta, only its first bytes are read.
func (p *pack) length(z *inflaters, off int64) (int64, error) {
	h, err := p.header(off)
	if err != nil {
		return 0, err
	}
	if h.kind != plumbing.OFSDeltaObject && h.kind != plumbing.REFDeltaObject {
		return h.size, nil
	}
	head, err := p.inflate(z, h.data, min(h.size, 20))
	if err != nil {
		return 0, err
	}
	size, ok := deltaSize(head)
	if !ok {
		return 0, p.damaged(off)
	}
	return size, nil
}

// deltaSize reads the size of what a delta makes: the second of the two numbers at its head.
func deltaSize(delta []byte) (int64, bool) {
	_, n := binary.Uvarint(delta)
	if n <= 0 {
		return 0, false
	}
	size, m := binary.Uvarint(delta[n:])
	return int64(size), m > 0 && int64(size) >= 0
}

func (p *pack) base(off int64) (base, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b, ok := p.bases[off]
	return b, ok
}

func (p *pack) keep(off int64, kind plumbing.ObjectType, data []byte) {
	if len(data) > baseCacheSize/4 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bases == nil || p.baseBytes+len(data) > baseCacheSize {
		p.bases, p.baseBytes = map[int64]base{}, 0
	}
	if _, ok := p.bases[off]; !ok {
		p.bases[off] = base{kind, data}
		p.baseBytes += len(data)
	}
}

func (p *pack) close() {
	if p.idx != nil {
		p.idx.Close()
	}
	if p.data != nil {
		p.data.Close()
	}
}

// inflaters are zlib readers at rest. A reader and its buffer cost 45 kB to make.
type inflaters struct{ pool sync.Pool }

type inflater struct {
	src *bufio.Reader
	io.ReadCloser
}

func (z *inflaters) reader(src io.Reader) (*inflater, error) {
	if r, ok := z.pool.Get().(*inflater); ok {
		r.src.Reset(src)
		return r, r.ReadCloser.(zlib.Resetter).Reset(r.src, nil)
	}
	buf := bufio.NewReader(src)
	r, err := zlib.NewReader(buf)
	return &inflater{buf, r}, err
}

func (z *inflaters) put(r *inflater) { z.pool.Put(r) }
