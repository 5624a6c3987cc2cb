package retryhttp

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/errtree"
)

// classifyError marks err if another attempt is not safe or not worth it.
func (c *call) classifyError(err error) error {
	refused := c.transport.Retryable == nil && c.refusedConnect(err)
	err = redacted(schemeMismatch(err))
	broken := c.body.failure()
	if broken != nil && !strings.Contains(retry.ErrorText(err), retry.ErrorText(broken)) {
		// The transport closed the connection because of it, and heard of that first.
		err = fmt.Errorf("%w (%w)", err, broken)
	}
	if broken != nil || refused || !c.retryable(nil, err) {
		return retry.Permanent(err)
	}
	return c.ifSafe(err, c.trace.unprocessed(err) || refusedByStatus(err))
}

// refusedByStatus reports whether err has a status that says that nothing was processed.
func refusedByStatus(err error) bool {
	status, ok := errtree.As[*StatusError](err)
	return ok && status != nil && refusedStatus(status.StatusCode)
}

// classifyResponse returns the error for a status that is worth another attempt, marked where
// that is not safe.
func (c *call) classifyResponse(resp *http.Response) error {
	if !c.retryable(resp, nil) {
		return nil
	}
	e := newStatusError(resp, c.req)
	e.hint, e.hinted = c.transport.hint(resp)
	c.resp.keepFor(e)
	return c.ifSafe(e, refusedResponse(resp))
}

// hint asks how long the server wants us to wait.
func (t *Transport) hint(resp *http.Response) (time.Duration, bool) {
	if t.Hint != nil {
		return t.Hint(resp)
	}
	return Hint(resp, time.Now())
}

// ifSafe returns err, marked and with the reason if the request must not be sent again.
// Unprocessed says that there is proof that the server did nothing.
func (c *call) ifSafe(err error, unprocessed bool) error {
	var why string
	switch {
	case !c.idempotent && c.redirected:
		why = methodOf(c.req) + " was redirected and may have been processed"
	case !c.idempotent && !unprocessed && c.transport.IsIdempotent != nil:
		why = methodOf(c.req) + " is not idempotent"
	case !c.idempotent && !unprocessed:
		why = methodOf(c.req) + " without an Idempotency-Key"
	case !c.body.replayable():
		why = "the body was read and has no GetBody"
	default:
		return err
	}
	return retry.Permanent(&notSentAgainError{err, why})
}

// retryable reports whether another attempt may end better than the outcome.
func (c *call) retryable(resp *http.Response, err error) bool {
	switch {
	case c.transport.Retryable != nil:
		return c.transport.Retryable(resp, err)
	case err != nil:
		return Transient(retry.Attempt{Err: err})
	}
	return retryableResponse(resp)
}

// schemeMismatch does what http.Client does with the bare error, which it will not see.
func schemeMismatch(err error) error {
	if e, ok := err.(tls.RecordHeaderError); ok && string(e.RecordHeader[:]) == "HTTP/" {
		return http.ErrSchemeMismatch
	}
	return err
}
