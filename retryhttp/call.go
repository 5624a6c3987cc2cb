package retryhttp

import (
	"context"
	"net/http"
	"time"

	"github.com/seed-205ff063/retry"
)

// call is one request on its way: what its attempts share.
type call struct {
	transport  *Transport
	req        *http.Request
	ctx        context.Context // the request's, and its Request.Cancel
	stop       func()          // of ctx; nil: nothing to stop
	body       *body           // nil: none
	key        string          // the idempotency key that was added
	idempotent bool
	sent       int        // attempts
	redirected bool       // the attempt was: what was redirected has been processed
	byClient   bool       // an http.Client sends, which adds to the header
	limited    bool       // that client has a time limit
	trace      *connTrace // of the attempt; nil: nobody needs it
	idleSince  time.Time  // connections idle since then are left, see connTrace
	resp       response   // of the last attempt

	first *attemptRequest // for the next attempt, in the call's own allocation; nil: none
}

// newCall prepares a call, byClient if an http.Client sends it. What asks the caller's own
// functions comes later, see do: finish must run if they panic.
func (t *Transport) newCall(req *http.Request, byClient bool) *call {
	var c *call
	body := newBody(req, t.MaxBodyBuffer)
	if body != nil || byClient || writesRequest(t.base()) { // all attempts need a copy, see request
		both := new(struct {
			call
			first attemptRequest
		})
		c = &both.call
		c.first = &both.first
	} else {
		c = new(call)
	}
	c.transport, c.req, c.body, c.byClient = t, req, body, byClient
	c.ctx, c.stop = withCancel(req)
	return c
}

// do runs the attempts.
func (c *call) do(policy *retry.Policy, attempt func(context.Context) error) error {
	if c.transport.AddIdempotencyKey && lacksKey(c.req) {
		c.key = newKey()
	}
	c.idempotent = c.key != "" || c.transport.isIdempotent(c.req)
	if budget := c.transport.hostBudgetOf(c.req); budget != nil {
		return retry.Do(c.ctx, attempt, policy, retry.WithBudget(budget))
	}
	return policy.Do(c.ctx, attempt)
}

// finish ends what the call still holds, also when a function of the caller's panicked.
func (c *call) finish(returned bool) {
	if returned {
		c.body.finish()
	} else {
		c.body.abandon()
	}
	if c.resp.open() {
		c.resp.discard()
	}
	if c.stop != nil {
		c.stop()
	}
}

// attempt sends the request once. Its error says whether another attempt is safe and may
// end better; the response stays with the call.
func (c *call) attempt(ctx context.Context, send func(*http.Request) (*http.Response, error)) error {
	c.sent++
	resp, err := c.send(ctx, send)
	if err != nil {
		return err
	}
	c.resp = response{Response: resp, body: c.body}
	if !same(ctx, c.ctx) { // it may end with the attempt, and the body with it
		c.resp.release = retry.KeepContext(ctx)
	}
	return c.classifyResponse(resp)
}

// handOver gives the last response to the caller. What its body needs goes on until that ends:
// the attempt's context, and what watches Request.Cancel for it.
func (c *call) handOver() *http.Response {
	release, stop := c.resp.release, c.stop
	if release != nil && stop != nil && c.resp.StatusCode != http.StatusSwitchingProtocols {
		c.resp.release = func() { release(); stop() }
		c.stop = nil
	}
	return c.resp.handOver(c.req)
}

// maxRefused is how many connections that seem dead an attempt leaves, so that it ends.
const maxRefused = 100

// send sends the request. It begins anew only where nothing was written because the connection
// seemed dead, see connTrace.
func (c *call) send(ctx context.Context, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	for refused := 0; ; refused++ {
		c.redirected = false
		req, err := c.request(ctx)
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
		case refused < maxRefused && ctx.Err() == nil && c.leftDead(err):
			continue
		}
		c.noteSilence(err, start)
		err = c.classifyError(err)
		if resp != nil { // http.Client's way to say that CheckRedirect failed
			err = retry.Permanent(err)
		}
		return nil, err
	}
}

// leftDead reports whether err came of leaving a connection that seems dead, and the request
// can be sent by another.
func (c *call) leftDead(err error) bool {
	return c.trace != nil && c.trace.refused.Load() && !unconnected(err) && !c.redirected && c.body.replayable()
}
