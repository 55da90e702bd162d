package bot

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// A store is what survives the process. Everything in it is JSON, under
//
//	jobs     by number: what is to be done; see Job
//	pulls    by repository and request: the newest head that is known, also of closed ones; request 0 is the default branch
//	results  by watch and request: the last Result
//	seen     delivery ids and signatures → their number in order
//	order    that number → what is seen, so that the oldest can be forgotten
//
// pulls grows by some hundred bytes with each request and is not cleaned: a delivery for a closed one, sent again, must not open it.
type store struct{ db *bolt.DB }

var (
	bucketJobs    = []byte("jobs")
	bucketPulls   = []byte("pulls")
	bucketResults = []byte("results")
	bucketSeen    = []byte("seen")
	bucketOrder   = []byte("order")
)

// errGone says that a job is not in the store any more: a newer head has taken its place.
var errGone = errors.New("the job has been superseded")

// openStore opens the store, and reads all of it: the library gives up with a panic where a page is damaged, or with a fault where
// the file is cut, and that shall not happen while a delivery is stored.
func openStore(name string) (s *store, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			s, err = nil, damaged(name, fmt.Errorf("%v", v))
		}
	}()
	db, err := bolt.Open(name, 0o600, &bolt.Options{Timeout: time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%s is in use by another process", name)
	}
	var path *fs.PathError
	var system syscall.Errno
	switch {
	case errors.As(err, &path), errors.As(err, &system):
		return nil, fmt.Errorf("%s: %w", name, err)
	case err != nil:
		return nil, damaged(name, err)
	}
	if err := verify(db); err != nil {
		db.Close()
		return nil, damaged(name, err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, b := range [][]byte{bucketJobs, bucketPulls, bucketResults, bucketSeen, bucketOrder} {
			if _, err := tx.CreateBucketIfNotExists(b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &store{db}, nil
}

func damaged(name string, err error) error {
	return fmt.Errorf("%s is damaged (%w): remove it. What waits is lost then, and which requests are open", name, err)
}

// verify holds a store to being whole.
func verify(db *bolt.DB) error {
	return db.View(func(tx *bolt.Tx) error {
		err := tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			values := bytes.Equal(name, bucketJobs) || bytes.Equal(name, bucketPulls) || bytes.Equal(name, bucketResults)
			return b.ForEach(func(k, v []byte) error {
				if values && !json.Valid(v) {
					return fmt.Errorf("%s: %q is no JSON", name, k)
				}
				return nil
			})
		})
		if err != nil {
			return err
		}
		for e := range tx.Check() { // to its end, or it does not end
			err = cmp.Or(err, e)
		}
		return err
	})
}

func (s *store) close() error { return s.db.Close() }

// A pull is what is known about a request.
type pull struct {
	Head    string
	Before  string // the head that it has replaced, where the delivery said so
	Base    string
	Updated time.Time
	Open    bool // and no draft
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// repositoryKey is a repository's name in keys.
func repositoryKey(repository string) string { return strings.ToLower(repository) }

func watchKey(repository, name string) string { return repositoryKey(repository) + "\x00" + name }

func pullKey(repository string, request int) []byte {
	return append([]byte(repositoryKey(repository)+"\x00"), number(uint64(request))...)
}

func resultKey(repository, name string, request int) []byte {
	return append([]byte(watchKey(repository, name)+"\x00"), number(uint64(request))...)
}

func put(tx *bolt.Tx, bucket, key []byte, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return tx.Bucket(bucket).Put(key, text)
}

// get reads a value; it gives false where there is none.
func get(tx *bolt.Tx, bucket, key []byte, v any) (bool, error) {
	text := tx.Bucket(bucket).Get(key)
	if text == nil {
		return false, nil
	}
	return true, json.Unmarshal(text, v)
}

// remember notes what identifies a delivery, and forgets the oldest.
func remember(tx *bolt.Tx, marks ...string) error {
	seen, order := tx.Bucket(bucketSeen), tx.Bucket(bucketOrder)
	for _, m := range marks {
		n, err := order.NextSequence()
		if err != nil {
			return err
		}
		if err := errors.Join(seen.Put([]byte(m), number(n)), order.Put(number(n), []byte(m))); err != nil {
			return err
		}
		if n <= 2*maxSeen {
			continue
		}
		if old := order.Get(number(n - 2*maxSeen)); old != nil {
			if err := errors.Join(seen.Delete(old), order.Delete(number(n-2*maxSeen))); err != nil {
				return err
			}
		}
	}
	return nil
}

func isSeen(tx *bolt.Tx, mark string) bool { return tx.Bucket(bucketSeen).Get([]byte(mark)) != nil }

// openPulls gives the requests of a repository that are open, and its default branch, by number.
func openPulls(tx *bolt.Tx, repository string, each func(request int, p pull)) error {
	prefix := []byte(repositoryKey(repository) + "\x00")
	c := tx.Bucket(bucketPulls).Cursor()
	for k, v := c.Seek(prefix); len(k) == len(prefix)+8 && string(k[:len(prefix)]) == string(prefix); k, v = c.Next() {
		var p pull
		if err := json.Unmarshal(v, &p); err != nil {
			return err
		}
		if p.Open {
			each(int(binary.BigEndian.Uint64(k[len(prefix):])), p)
		}
	}
	return nil
}

// jobs gives all jobs.
func (s *store) jobs() ([]*Job, error) {
	var all []*Job
	err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketJobs).ForEach(func(_, v []byte) error {
			j := &Job{}
			all = append(all, j)
			return json.Unmarshal(v, j)
		})
	})
	return all, err
}

// save writes a job that has to be there still, else the error is errGone.
func (s *store) save(j *Job) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		if tx.Bucket(bucketJobs).Get(number(j.ID)) == nil {
			return errGone
		}
		return put(tx, bucketJobs, number(j.ID), j)
	})
}

// drop removes a job.
func (s *store) drop(id uint64) error {
	return s.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucketJobs).Delete(number(id)) })
}

// finish removes a job whose result is posted, and keeps the result for the next check of the same request, if that is open still.
func (s *store) finish(j *Job) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		if tx.Bucket(bucketJobs).Get(number(j.ID)) == nil {
			return errGone
		}
		if j.Result != nil {
			if err := put(tx, bucketResults, resultKey(j.Repository, j.Name, j.Request), j.Result); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketJobs).Delete(number(j.ID))
	})
}

// last gives the last result for a request, nil if there is none.
func (s *store) last(j *Job) (*Result, error) {
	var r Result
	found := false
	err := s.db.View(func(tx *bolt.Tx) (err error) {
		found, err = get(tx, bucketResults, resultKey(j.Repository, j.Name, j.Request), &r)
		return err
	})
	if !found || err != nil {
		return nil, err
	}
	return &r, nil
}
