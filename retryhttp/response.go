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

// These bound what is read of a response between attempts. Reading a short body to its end
// keeps the connection for the next attempt.
const (
	drainBytes = 64 << 10
	drainTime  = 100 * time.Millisecond
)

// response is an attempt's response until it is returned to the caller or discarded.
type response struct {
	*http.Response
	release func()       // ends the attempt's context; nil: nothing to end
	body    *requestBody // the request's
	err     *StatusError // the attempt's error, which links to this response
}

func (r *response) isOpen() bool { return r != nil && r.Response != nil }

// linkTo lets discardResponse find the response by the attempt's error.
func (r *response) linkTo(e *StatusError) {
	r.err = e
	e.resp = r
}

// detach takes the response out of the call and out of the attempt's error. An error in a
// history may live long, and must not keep the response, its request or their contexts.
func (r *response) detach() response {
	detached := *r
	if r.err != nil {
		r.err.resp = nil
	}
	*r = response{}
	return detached
}

// discardBeforeWait makes a call discard a response before the wait for the retry, so that the
// connection is free during the wait.
var discardBeforeWait = retry.WithHooks(retry.Hooks{BeforeWait: discardResponse})

func discardResponse(_ context.Context, a retry.Attempt) {
	if status, ok := errtree.As[*StatusError](a.Err); ok && status != nil && status.resp.isOpen() {
		status.resp.discard()
	}
}

// discard reads the rest of a short body and closes it.
func (r *response) discard() {
	detached := r.detach()
	detached.body.reclaim() // for the next attempt
	if body := detached.Body; body != nil {
		// Close ends a read that hangs.
		if detached.ContentLength <= drainBytes { // or -1, unknown
			timer := time.AfterFunc(drainTime, func() { _ = body.Close() })
			_, _ = io.CopyN(io.Discard, body, drainBytes+1) // one more, to read the end too
			timer.Stop()
		}
		_ = body.Close()
	}
	if detached.release != nil {
		detached.release()
	}
}

// forCaller returns the response to req for the caller. The attempt's context ends with the
// response's body.
func (r *response) forCaller(req *http.Request) *http.Response {
	detached := r.detach()
	resp := detached.Response
	resp.Request = req
	switch {
	case detached.release == nil:
	case resp.StatusCode == http.StatusSwitchingProtocols:
		// The context has no effect on a connection that changed its protocol, and the body
		// must remain an io.Writer.
	case resp.Body == nil || resp.Body == http.NoBody:
		detached.release()
	default:
		resp.Body = &releasingBody{ReadCloser: resp.Body, release: detached.release}
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
