package retryhttp

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// source is a body that is closed once.
type source struct {
	reader io.Reader
	closer io.Closer
	closed atomic.Bool
}

func (s *source) close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.closer.Close()
}

// attemptBody is a source as one attempt has it. Close of an untouched stream is put off while
// the call goes on: a transport closes the body also when it could not connect. An attempt
// that is over can neither read nor close a stream that the next one sends.
type attemptBody struct {
	source  *source
	length  int64 // it should have; 0: any
	read    int64 // so far
	mayWait bool  // with the Close

	mu        sync.Mutex
	failure   error
	touched   bool // it was read, or tried to be
	withdrawn bool
	closing   bool // Close was put off
	finished  bool
}

var (
	errWithdrawn     = errors.New("retryhttp: read of a body whose attempt is over")
	errReadMeanwhile = errors.New("retryhttp: the body was read by an attempt that is over")
)

func (h *attemptBody) Read(p []byte) (int, error) {
	if !h.touch() {
		return 0, errWithdrawn
	}
	n, err := h.source.reader.Read(p)
	h.read += int64(n)
	switch {
	case err != nil && err != io.EOF:
		if !h.source.closed.Load() {
			h.fail(err)
		}
	case h.length > 0 && (h.read > h.length || err == io.EOF && h.read < h.length):
		h.fail(fmt.Errorf("http: ContentLength=%d with Body length %d", h.length, h.read))
	}
	return n, err
}

func (h *attemptBody) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failure == nil {
		h.failure = err
	}
}

// touch marks the body as read, if it is still the attempt's to read.
func (h *attemptBody) touch() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.touched = h.touched || !h.withdrawn
	return !h.withdrawn
}

func (h *attemptBody) unread() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.touched
}

// withdraw takes the body from the attempt, if nothing of it was read.
func (h *attemptBody) withdraw() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.withdrawn = h.withdrawn || !h.touched
	return h.withdrawn
}

func (h *attemptBody) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.withdrawn && !h.finished {
		return nil
	}
	if h.mayWait && !h.finished && !h.touched {
		h.closing = true
		return nil
	}
	return h.source.close()
}

// finish ends the waiting, and reports whether nobody else will close the body.
func (h *attemptBody) finish() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.finished = true
	return h.closing || h.withdrawn
}
