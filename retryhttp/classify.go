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

// classifyError returns an attempt's error, marked permanent if another attempt would be unsafe
// or pointless.
func (c *call) classifyError(err error) error {
	connectRefused := c.transport.Retryable == nil && c.refusedConnect(err)
	err = redact(asSchemeMismatch(err))
	bodyErr := c.body.readError()
	if bodyErr != nil && !strings.Contains(retry.ErrorText(err), retry.ErrorText(bodyErr)) {
		// The body's error made the transport close the connection, and the transport reports
		// only that the connection was closed.
		err = fmt.Errorf("%w (%w)", err, bodyErr)
	}
	if bodyErr != nil || connectRefused || !c.retryable(nil, err) {
		return retry.Permanent(err)
	}
	return c.markUnsafe(err, c.trace.unprocessed(err) || hasUnprocessedStatus(err))
}

// hasUnprocessedStatus reports whether err has a status that means that nothing was processed.
func hasUnprocessedStatus(err error) bool {
	status, ok := errtree.As[*StatusError](err)
	return ok && status != nil && unprocessedStatus(status.StatusCode)
}

// classifyResponse returns nil for a response that ends the call. Otherwise it returns the
// response's error, marked permanent if another attempt would be unsafe.
func (c *call) classifyResponse(resp *http.Response) error {
	if !c.retryable(resp, nil) {
		return nil
	}
	e := newStatusError(resp, c.req)
	e.hint, e.hinted = c.transport.hint(resp)
	c.resp.linkTo(e)
	return c.markUnsafe(e, unprocessedResponse(resp))
}

// hint returns how long the server asks to wait.
func (t *Transport) hint(resp *http.Response) (time.Duration, bool) {
	if t.Hint != nil {
		return t.Hint(resp)
	}
	return Hint(resp, time.Now())
}

// markUnsafe returns err. If sending the request again would be unsafe or impossible, the error
// is permanent and its text says why. unprocessed means that there is proof that the server did
// not process the request.
func (c *call) markUnsafe(err error, unprocessed bool) error {
	var why string
	switch {
	case !c.idempotent && c.redirected:
		why = methodOf(c.req) + " was redirected and may have been processed"
	case !c.idempotent && !unprocessed && c.transport.IsIdempotent != nil:
		why = methodOf(c.req) + " is not idempotent"
	case !c.idempotent && !unprocessed:
		why = methodOf(c.req) + " without an Idempotency-Key"
	case !c.body.canResend():
		why = "the body was read and has no GetBody"
	default:
		return err
	}
	return retry.Permanent(&notSentAgainError{err, why})
}

// retryable reports whether another attempt may end better than this outcome.
func (c *call) retryable(resp *http.Response, err error) bool {
	switch {
	case c.transport.Retryable != nil:
		return c.transport.Retryable(resp, err)
	case err != nil:
		return Transient(retry.Attempt{Err: err})
	}
	return retryableResponse(resp)
}

// asSchemeMismatch returns http.ErrSchemeMismatch for the error of plain HTTP over TLS, as
// http.Client does. The client does it for a bare error only, and err will be wrapped.
func asSchemeMismatch(err error) error {
	if e, ok := err.(tls.RecordHeaderError); ok && string(e.RecordHeader[:]) == "HTTP/" {
		return http.ErrSchemeMismatch
	}
	return err
}
