package retryhttp

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/errtree"
)

// What a response between attempts may cost before its connection is given up: reading the
// rest of a short body keeps the connection for the next attempt.
const (
	drainBytes = 64 << 10
	drainTime  = 100 * time.Millisecond
)

// response is an attempt's response until it is handed over or discarded.
type response struct {
	*http.Response
	release func()       // ends the attempt's context; nil: nothing to end
	body    *body        // the request's
	err     *StatusError // the attempt's error, which leads here
}

func (r *response) open() bool { return r != nil && r.Response != nil }

// keepFor lets discard find the response by the attempt's error.
func (r *response) keepFor(e *StatusError) {
	r.err = e
	e.resp = r
}

// let takes the response out of the call's hands. Nothing keeps it, its request or their
// contexts then: an error in a history may live for long.
func (r *response) let() response {
	taken := *r
	if r.err != nil {
		r.err.resp = nil
	}
	*r = response{}
	return taken
}

// discarding makes a call discard the response that a retry will follow, before the wait, so
// that nothing is held meanwhile.
var discarding = retry.WithHooks(retry.Hooks{BeforeWait: discard})

func discard(_ context.Context, a retry.Attempt) {
	if status, ok := errtree.As[*StatusError](a.Err); ok && status != nil && status.resp.open() {
		status.resp.discard()
	}
}

// discard reads the rest of a short body and closes it.
func (r *response) discard() {
	taken := r.let()
	taken.body.withdraw() // the next attempt's, if one can have it
	if body := taken.Body; body != nil {
		// Closing a body ends a read of it that hangs.
		if taken.ContentLength <= drainBytes { // or -1, unknown
			timer := time.AfterFunc(drainTime, func() { _ = body.Close() })
			_, _ = io.CopyN(io.Discard, body, drainBytes+1) // and the end behind it
			timer.Stop()
		}
		_ = body.Close()
	}
	if taken.release != nil {
		taken.release()
	}
}

// handOver gives the response to req to its caller. The attempt's context ends with the body.
func (r *response) handOver(req *http.Request) *http.Response {
	taken := r.let()
	resp := taken.Response
	resp.Request = req
	switch {
	case taken.release == nil:
	case resp.StatusCode == http.StatusSwitchingProtocols:
		// A connection that changed its protocol is out of the context's reach, and its body
		// must stay the io.Writer that it is.
	case resp.Body == nil || resp.Body == http.NoBody:
		taken.release()
	default:
		resp.Body = &releasingBody{ReadCloser: resp.Body, release: taken.release}
	}
	return resp
}

// releasingBody ends its attempt's context when it is read to the end or closed.
type releasingBody struct {
	io.ReadCloser
	release func()
	once    sync.Once
}

func (b *releasingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.once.Do(b.release)
	}
	return n, err
}

func (b *releasingBody) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(b.release)
	return err
}
