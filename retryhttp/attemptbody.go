package retryhttp

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// closeOnce is a body that is closed at most once.
type closeOnce struct {
	reader io.Reader
	closer io.Closer
	closed atomic.Bool
}

func (c *closeOnce) close() error {
	if c.closed.Swap(true) {
		return nil
	}
	return c.closer.Close()
}

// attemptBody is the body that one attempt sends.
//
// While the call goes on, Close of an unread stream is deferred: a transport closes the body
// even if it could not connect. After the next attempt has reclaimed the stream, this attempt
// can neither read nor close it.
type attemptBody struct {
	source     *closeOnce
	length     int64 // expected; 0: any
	read       int64 // bytes so far
	deferClose bool

	mu            sync.Mutex
	readErr       error
	readStarted   bool
	reclaimed     bool
	closeDeferred bool
	finished      bool
}

var (
	errAttemptOver = errors.New("retryhttp: the body was read after its attempt had ended")
	errBodyUsed    = errors.New("retryhttp: an earlier attempt has read the body")
)

func (b *attemptBody) Read(p []byte) (int, error) {
	if !b.startRead() {
		return 0, errAttemptOver
	}
	n, err := b.source.reader.Read(p)
	b.read += int64(n)
	switch {
	case err != nil && err != io.EOF:
		if !b.source.closed.Load() {
			b.fail(err)
		}
	case b.length > 0 && (b.read > b.length || err == io.EOF && b.read < b.length):
		b.fail(fmt.Errorf("http: ContentLength=%d with Body length %d", b.length, b.read))
	}
	return n, err
}

// fail records the first error.
func (b *attemptBody) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.readErr == nil {
		b.readErr = err
	}
}

// startRead reports whether the attempt may read the body. If so, the body counts as read.
func (b *attemptBody) startRead() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.readStarted = b.readStarted || !b.reclaimed
	return !b.reclaimed
}

func (b *attemptBody) unread() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.readStarted
}

// reclaim takes the body away from the attempt, unless the attempt has begun to read it.
func (b *attemptBody) reclaim() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reclaimed = b.reclaimed || !b.readStarted
	return b.reclaimed
}

func (b *attemptBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.reclaimed && !b.finished {
		return nil
	}
	if b.deferClose && !b.finished && !b.readStarted {
		b.closeDeferred = true
		return nil
	}
	return b.source.close()
}

// finish ends the deferral of Close. It reports whether the call must close the body itself.
func (b *attemptBody) finish() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.finished = true
	return b.closeDeferred || b.reclaimed
}
