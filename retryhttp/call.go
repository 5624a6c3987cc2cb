package retryhttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/internal/errtree"
)

// call is one request and what its attempts share.
type call struct {
	transport  *Transport
	req        *http.Request
	ctx        context.Context // ends with the request's context or its Request.Cancel
	stopCtx    func()          // nil: ctx needs no stop
	body       *requestBody    // nil: none
	key        string          // the idempotency key that was added
	idempotent bool
	attempts   int
	byClient   bool // an http.Client sends, and adds to the header
	timeLimit  bool // that client has a Timeout

	redirected bool       // in this attempt: the server has processed the redirected request
	trace      *connTrace // of this attempt; nil: not needed
	idleSince  time.Time  // skip connections that are idle since then, see connTrace
	resp       response   // of the last attempt

	firstCopy *attemptRequest // for the next attempt, in the call's own allocation; nil: none
}

// sendFunc sends the request of one attempt.
type sendFunc func(*http.Request) (*http.Response, error)

// newCall prepares a call. byClient means that an http.Client sends it. newCall calls none of
// the caller's functions: do calls them later, because finish must run if they panic.
func (t *Transport) newCall(req *http.Request, byClient bool) *call {
	var c *call
	body := newRequestBody(req, t.MaxBodyBuffer)
	if body != nil || byClient || mayWriteRequest(t.base()) { // every attempt needs a copy, see newRequest
		both := new(struct {
			call
			firstCopy attemptRequest
		})
		c = &both.call
		c.firstCopy = &both.firstCopy
	} else {
		c = new(call)
	}
	c.transport, c.req, c.body, c.byClient = t, req, body, byClient
	c.ctx, c.stopCtx = withCancel(req)
	return c
}

// do runs the attempts.
func (c *call) do(policy *retry.Policy, attempt func(context.Context) error) error {
	if c.transport.AddIdempotencyKey && lacksKey(c.req) {
		c.key = newKey()
	}
	c.idempotent = c.key != "" || c.transport.isIdempotent(c.req)
	var err error
	if budget := c.transport.hostBudgetOf(c.req); budget != nil {
		err = retry.Do(c.ctx, attempt, policy, retry.WithBudget(budget))
	} else {
		err = policy.Do(c.ctx, attempt)
	}
	if c.attempts == 0 && errtree.Is(err, retry.ErrOption) && strings.Contains(policy.String(), " validator=") {
		return fmt.Errorf("%w: %w", errValidator, err)
	}
	return err
}

// errValidator says what to use instead of a validator. The core retries a rejected value whatever
// the classifiers say, which is not safe for every request.
var errValidator = errors.New("retryhttp: validators are not for requests; let the decode function of Do return an error")

// finish releases what the call still holds. returned is false if one of the caller's
// functions panicked.
func (c *call) finish(returned bool) {
	if returned {
		c.body.finish()
	} else {
		c.body.finishAfterPanic()
	}
	if c.resp.isOpen() {
		c.resp.discard()
	}
	if c.stopCtx != nil {
		c.stopCtx()
	}
}

// attempt sends the request once. Its error is marked permanent if another attempt would be
// unsafe or pointless. The response stays with the call.
func (c *call) attempt(ctx context.Context, send sendFunc) error {
	c.attempts++
	resp, err := c.send(ctx, send)
	if err != nil {
		return err
	}
	c.resp = response{Response: resp, body: c.body}
	if !sameContext(ctx, c.ctx) { // ctx may end with the attempt, and the response's body with ctx
		c.resp.release = retry.KeepContext(ctx)
	}
	return c.classifyResponse(resp)
}

// lastResponse returns the last attempt's response for the caller. The attempt's context and
// Request.Cancel stay in effect until the response's body ends.
func (c *call) lastResponse() *http.Response {
	release, stop := c.resp.release, c.stopCtx
	if release != nil && stop != nil && c.resp.StatusCode != http.StatusSwitchingProtocols {
		c.resp.release = func() { release(); stop() }
		c.stopCtx = nil
	}
	return c.resp.forCaller(c.req)
}

// maxSkipped is how many connections that seem dead an attempt skips, so that it ends.
const maxSkipped = 100

// send sends the request. It sends it again only if the attempt skipped a connection that
// seemed dead: nothing was written to that one, see connTrace.
func (c *call) send(ctx context.Context, send sendFunc) (*http.Response, error) {
	for skipped := 0; ; skipped++ {
		c.redirected = false
		req, err := c.newRequest(ctx)
		if err != nil {
			return nil, retry.Permanent(err)
		}
		var start time.Time
		if c.trace != nil {
			start = time.Now()
		}
		resp, err := send(req)
		switch {
		case err == nil && resp != nil:
			return resp, nil
		case err == nil:
			err = errNoResponse
		case skipped < maxSkipped && ctx.Err() == nil && c.skippedConn(err):
			continue
		}
		c.noteTimeout(err, start)
		err = c.classifyError(err)
		if resp != nil { // from http.Client: CheckRedirect returned an error
			err = retry.Permanent(err)
		}
		return nil, err
	}
}

// skippedConn reports whether err is the result of skipping a connection that seemed dead, and
// the request can be sent on another.
func (c *call) skippedConn(err error) bool {
	return c.trace != nil && c.trace.skipped.Load() && !unconnected(err) && !c.redirected && c.body.canResend()
}
