package retryhttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/seed-205ff063/retry"
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
	release context.CancelFunc // ends the attempt's context; nil: nothing to end
	body    *body              // the request's
	done    bool
}

func (r *response) open() bool { return r != nil && !r.done }

// discarding makes a call discard the response that a retry will follow, before the wait, so
// that nothing is held meanwhile.
var discarding = retry.WithHooks(retry.Hooks{BeforeWait: discard})

func discard(_ context.Context, a retry.Attempt) {
	var status *StatusError
	if errors.As(a.Err, &status) && status.resp.open() {
		status.resp.discard()
	}
}

func (r *response) discard() {
	r.done = true
	r.body.withdraw() // the next attempt's, if one can have it
	if body := r.Body; body != nil {
		// Closing a body ends a read of it that hangs.
		if r.ContentLength <= drainBytes { // or -1, unknown
			timer := time.AfterFunc(drainTime, func() { _ = body.Close() })
			_, _ = io.CopyN(io.Discard, body, drainBytes+1) // and the end behind it
			timer.Stop()
		}
		_ = body.Close()
	}
	if r.release != nil {
		r.release()
	}
	r.Response = nil // an error in a history need not keep it
}

// handOver gives the response to req to its caller. The attempt's context ends with the body.
func (r *response) handOver(req *http.Request) *http.Response {
	resp := r.Response
	resp.Request = req
	r.done, r.Response = true, nil
	switch {
	case r.release == nil, resp.StatusCode == http.StatusSwitchingProtocols:
		// A connection that changed its protocol is out of the context's reach, and its body
		// must stay the io.Writer that it is.
	case resp.Body == nil || resp.Body == http.NoBody:
		r.release()
	default:
		resp.Body = &releasingBody{ReadCloser: resp.Body, release: r.release}
	}
	return resp
}

// releasingBody ends its attempt's context when it is read to the end or closed.
type releasingBody struct {
	io.ReadCloser
	release context.CancelFunc
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
