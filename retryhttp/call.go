package retryhttp

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"

	"github.com/seed-205ff063/retry"
)

// call is one request on its way: what its attempts share.
type call struct {
	transport  *Transport
	policy     *retry.Policy
	req        *http.Request
	body       *body  // nil: none
	key        string // the idempotency key that was added
	idempotent bool
	sent       int        // attempts
	redirected bool       // the attempt was: what was redirected has been processed
	ownHeader  bool       // the sender may add to the header, as http.Client does
	trace      *connTrace // of an attempt that is not idempotent
	resp       *response  // of the last attempt, still open
}

func (t *Transport) newCall(req *http.Request, policy *retry.Policy) *call {
	c := &call{transport: t, policy: policy, req: req, body: newBody(req, t.MaxBodyBuffer)}
	if t.AddIdempotencyKey && lacksKey(req) {
		c.key = newKey()
	}
	c.idempotent = c.key != "" || t.isIdempotent(req)
	return c
}

// do runs the attempts.
func (c *call) do(attempt func(context.Context) error) error {
	if c.transport.HostBudget != nil && c.req.URL != nil {
		if budget := c.transport.HostBudget(c.req.URL.Host); budget != nil {
			return retry.Do(c.req.Context(), attempt, c.policy, retry.WithBudget(budget))
		}
	}
	return c.policy.Do(c.req.Context(), attempt)
}

// attempt sends the request once. Its error says whether another attempt is safe and may
// end better; the response stays with the call.
func (c *call) attempt(ctx context.Context, send func(*http.Request) (*http.Response, error)) error {
	c.sent++
	c.redirected = false
	req, err := c.request(ctx)
	if err != nil {
		return retry.Permanent(err)
	}
	resp, err := send(req)
	if resp == nil && err == nil {
		err = errNoResponse
	}
	if err != nil {
		err = c.judgeError(err)
		if resp != nil { // http.Client's way to say that CheckRedirect failed
			err = retry.Permanent(err)
		}
		return err
	}
	c.resp = &response{Response: resp, body: c.body}
	if !same(ctx, c.req.Context()) { // it may end with the attempt, and the body with it
		c.resp.release = retry.KeepContext(ctx)
	}
	return c.judgeResponse(resp)
}

// request is what an attempt sends: the caller's own request where that will do.
func (c *call) request(ctx context.Context) (*http.Request, error) {
	parent := ctx
	if !c.idempotent {
		c.trace = new(connTrace)
		ctx = httptrace.WithClientTrace(ctx, c.trace.client())
	}
	ownHeader := c.ownHeader || c.key != "" || c.transport.AttemptHeader != ""
	if same(ctx, c.req.Context()) && c.body == nil && !ownHeader {
		return c.req, nil
	}
	req := c.req.WithContext(ctx)
	if ownHeader {
		c.addHeaders(req)
	}
	if c.body == nil {
		return req, nil
	}
	sent, err := c.body.next(parent)
	if err != nil {
		return nil, err
	}
	req.Body, req.GetBody = sent, c.body.get
	return req, nil
}

// same reports whether a and b are one context. A context need not be a comparable value: to
// compare two that are not panics, and they count as different.
func same(a, b context.Context) (is bool) {
	defer func() { _ = recover() }()
	return a == b
}

// addHeaders gives req a header of its own with the additions.
func (c *call) addHeaders(req *http.Request) {
	req.Header = req.Header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if c.key != "" {
		req.Header.Set("Idempotency-Key", c.key)
	}
	if name := c.transport.AttemptHeader; name != "" {
		req.Header.Set(name, strconv.Itoa(c.sent))
	}
}

// judgeError marks err if another attempt is not safe or not worth it.
func (c *call) judgeError(err error) error {
	err = redacted(schemeMismatch(err))
	broken := c.body.failure()
	if broken != nil && !strings.Contains(err.Error(), broken.Error()) {
		// The transport closed the connection because of it, and heard of that first.
		err = fmt.Errorf("%w (%w)", err, broken)
	}
	switch {
	case broken != nil,
		!c.worth(nil, err),
		!c.idempotent && (c.redirected || !c.trace.unprocessed(err)),
		!c.body.replayable():
		return retry.Permanent(err)
	}
	return err
}

// judgeResponse returns the error for a status that is worth another attempt, marked where
// that is not safe.
func (c *call) judgeResponse(resp *http.Response) error {
	if !c.worth(resp, nil) {
		return nil
	}
	err := newStatusError(c.req, resp, c.resp)
	if !c.idempotent && (c.redirected || !refused(resp.StatusCode)) || !c.body.replayable() {
		return retry.Permanent(err)
	}
	return err
}

func (c *call) worth(resp *http.Response, err error) bool {
	if c.transport.Retryable != nil {
		return c.transport.Retryable(resp, err)
	}
	if err != nil {
		return passes(err)
	}
	return retryableStatus(resp.StatusCode)
}

// schemeMismatch does what http.Client does with the bare error, which it will not see.
func schemeMismatch(err error) error {
	if e, ok := err.(tls.RecordHeaderError); ok && string(e.RecordHeader[:]) == "HTTP/" {
		return http.ErrSchemeMismatch
	}
	return err
}
