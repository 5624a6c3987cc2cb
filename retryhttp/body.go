package retryhttp

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// body is a request's body, to be sent by several attempts if it can be. A nil body is none.
type body struct {
	first  *source                       // the caller's
	get    func() (io.ReadCloser, error) // makes another like it; nil: a stream that can be read once
	last   *source
	handed bool // to an attempt, which closes it
}

// newBody takes over the body of req. Up to limit bytes of one without GetBody are kept.
func newBody(req *http.Request, limit int64) *body {
	if req.Body == nil || req.Body == http.NoBody {
		return nil
	}
	b := &body{first: &source{reader: req.Body, closer: req.Body}, get: req.GetBody}
	if b.get == nil && limit > 0 && req.ContentLength <= limit {
		b.keep(limit)
	}
	return b
}

// keep reads the body into memory. If it is longer than limit, or fails, what was read is
// put back in front of the rest.
func (b *body) keep(limit int64) {
	rest := b.first.reader
	read, err := io.ReadAll(io.LimitReader(rest, limit+1))
	b.first.reader = bytes.NewReader(read)
	switch {
	case err != nil:
		b.first.reader = io.MultiReader(b.first.reader, failing{err})
	case int64(len(read)) > limit:
		b.first.reader = io.MultiReader(b.first.reader, rest)
	default:
		b.get = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(read)), nil }
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// next is the body for another attempt.
func (b *body) next() (io.ReadCloser, func() (io.ReadCloser, error), error) {
	switch {
	case b.last == nil || b.get == nil:
		b.last = b.first
		b.last.hold(b.get == nil)
	default:
		rc, err := b.get()
		if err != nil {
			return nil, nil, err
		}
		b.last = &source{reader: rc, closer: rc}
	}
	b.handed = true
	return b.last, b.get, nil
}

// replayable reports whether the body can be sent once more: it is another each time, or a
// stream of which nothing was read.
func (b *body) replayable() bool {
	return b == nil || b.get != nil || b.last == nil || !b.last.touched.Load()
}

// failed reports whether it was the body's own reader that failed.
func (b *body) failed() bool {
	return b != nil && b.last != nil && b.last.broken.Load()
}

// finish ends the hold on a stream, and closes a body that no attempt was given.
func (b *body) finish() {
	if b == nil {
		return
	}
	b.first.letGo()
	if !b.handed {
		_ = b.first.Close()
	}
}

// source is a body that is closed once, and knows what was done with it. While it is held
// and nothing was read, Close is put off: a transport closes the body also when it could not
// connect.
type source struct {
	reader  io.Reader
	closer  io.Closer
	touched atomic.Bool
	broken  atomic.Bool

	mu      sync.Mutex
	held    bool
	closing bool // Close was put off
	closed  bool
}

func (s *source) Read(p []byte) (int, error) {
	s.touched.Store(true)
	n, err := s.reader.Read(p)
	if err != nil && err != io.EOF {
		s.broken.Store(true)
	}
	return n, err
}

func (s *source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held && !s.touched.Load() {
		s.closing = true
		return nil
	}
	return s.close()
}

func (s *source) close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	return s.closer.Close()
}

func (s *source) hold(held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held, s.closing = held, false
}

func (s *source) letGo() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = false
	if s.closing {
		_ = s.close()
	}
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
