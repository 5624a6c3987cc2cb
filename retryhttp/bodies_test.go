package retryhttp_test

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// countingBody is a request's body that counts calls of Read and Close. It cannot be read after
// Close, and hides the type of its Reader.
type countingBody struct {
	io.Reader
	reads, closed atomic.Int64
}

func (b *countingBody) Read(p []byte) (int, error) {
	b.reads.Add(1)
	if b.closed.Load() > 0 {
		return 0, errors.New("read of a closed body")
	}
	return b.Reader.Read(p)
}

func (b *countingBody) Close() error {
	b.closed.Add(1)
	return nil
}

// requireClosedOnce waits until the body is closed. net/http may close it after it has returned
// the response.
func requireClosedOnce(t *testing.T, body *countingBody) {
	t.Helper()
	require.Eventually(t, func() bool { return body.closed.Load() > 0 }, time.Minute, 100*time.Microsecond)
	require.EqualValues(t, 1, body.closed.Load(), "the caller's body is closed once")
}

type readerCloser struct {
	io.Reader
	io.Closer
}

// slowReader returns a reader of n bytes that returns few of them at a time.
func slowReader(n int) io.Reader { return io.LimitReader(&letters{}, int64(n)) }

type letters struct{ at byte }

func (l *letters) Read(p []byte) (int, error) {
	p = p[:min(len(p), 7)]
	for i := range p {
		p[i] = 'a' + l.at%26
		l.at++
	}
	return len(p), nil
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

// blockingBody is a body whose Read waits for Close and then fails, like that of a file or a
// socket.
type blockingBody struct {
	once   sync.Once
	closed chan struct{}
}

func newBlockingBody() *blockingBody { return &blockingBody{closed: make(chan struct{})} }

func (b *blockingBody) Read([]byte) (int, error) {
	<-b.closed
	return 0, errors.New("file already closed")
}

func (b *blockingBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}
