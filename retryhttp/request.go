package retryhttp

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
)

// newRequest returns the request that an attempt sends. It is the caller's own request if
// nothing has to differ from it.
func (c *call) newRequest(ctx context.Context) (*http.Request, error) {
	c.trace = nil
	addsHeaders := c.byClient || c.key != "" || c.transport.AttemptHeader != ""
	written := !c.byClient && mayWriteRequest(c.transport.base())
	traced := !c.idempotent || !sameContext(ctx, c.ctx) || !c.idleSince.IsZero() || c.timeLimit
	if !traced && c.body == nil && !addsHeaders && !written {
		return c.req, nil
	}
	req := c.copyRequest(ctx, traced, written)
	if addsHeaders {
		c.addHeaders(req, written)
	}
	if c.body == nil {
		return req, nil
	}
	body, err := c.body.forAttempt(ctx)
	if err != nil {
		return nil, err
	}
	req.Body, req.GetBody = body, c.body.getBody
	return req, nil
}

// attemptRequest is an attempt's copy of the request and what belongs to it, in one allocation.
// Each attempt has its own, because a transport may still read what an earlier attempt sent.
type attemptRequest struct {
	req   http.Request
	url   url.URL
	trace connTrace
}

// copyRequest returns a copy of the request for an attempt under ctx. If traced, its connTrace
// tells whether an unsafe request was sent, and which connection a timeout happened on. If
// written, it has its own header and URL, because the base may write into them.
func (c *call) copyRequest(ctx context.Context, traced, written bool) *http.Request {
	own := c.firstCopy
	if own == nil {
		own = new(attemptRequest)
	}
	c.firstCopy = nil
	if traced {
		c.trace = &own.trace
		c.trace.timedOut, c.trace.idleSince = &c.transport.timedOut, c.idleSince
		own.req = *c.req.WithContext(httptrace.WithClientTrace(ctx, c.trace.client(!c.idempotent)))
	} else {
		own.req = *c.req // ctx is the request's own context, except for a Request.Cancel
	}
	if written {
		own.req.Header, own.req.Trailer = own.req.Header.Clone(), own.req.Trailer.Clone()
		if own.req.URL != nil {
			own.url = *own.req.URL
			own.req.URL = &own.url
		}
	}
	return &own.req
}

// sameContext reports whether a and b are the same context. Comparing two contexts of a type
// that is not comparable panics; they count as different.
func sameContext(a, b context.Context) (same bool) {
	defer func() { _ = recover() }()
	return a == b
}

// addHeaders adds the call's headers to req. Unless copied, it copies the header first.
func (c *call) addHeaders(req *http.Request, copied bool) {
	if !copied {
		req.Header = req.Header.Clone()
	}
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if c.key != "" {
		req.Header.Set("Idempotency-Key", c.key)
	}
	if name := c.transport.AttemptHeader; name != "" {
		req.Header.Set(name, strconv.Itoa(c.attempts))
	}
}
