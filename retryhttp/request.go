package retryhttp

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
)

// request is what an attempt sends: the caller's own request where that will do.
func (c *call) request(ctx context.Context) (*http.Request, error) {
	c.trace = nil
	adds := c.byClient || c.key != "" || c.transport.AttemptHeader != ""
	shared := !c.byClient && writesRequest(c.transport.base())
	limited := !same(ctx, c.ctx)
	traced := !c.idempotent || limited || !c.idleSince.IsZero() || c.limited
	if !traced && c.body == nil && !adds && !shared {
		return c.req, nil
	}
	req := c.copyRequest(ctx, traced, shared)
	if adds {
		c.addHeaders(req, shared)
	}
	if c.body == nil {
		return req, nil
	}
	sent, err := c.body.next(ctx)
	if err != nil {
		return nil, err
	}
	req.Body, req.GetBody = sent, c.body.get
	return req, nil
}

// attemptRequest is an attempt's copy of the request and what goes with it, in one allocation.
// Each attempt has its own: what an earlier one sent may still be read.
type attemptRequest struct {
	req   http.Request
	url   url.URL
	trace connTrace
}

// copyRequest returns a copy of the request for an attempt under ctx. A traced one tells whether
// an unsafe request was sent, and which connection a time-out happened on. A shared one has a
// header and a URL of its own, because the base may write into them.
func (c *call) copyRequest(ctx context.Context, traced, shared bool) *http.Request {
	own := c.first
	if own == nil {
		own = new(attemptRequest)
	}
	c.first = nil
	if traced {
		c.trace = &own.trace
		c.trace.silent, c.trace.idleSince = &c.transport.silent, c.idleSince
		own.req = *c.req.WithContext(httptrace.WithClientTrace(ctx, c.trace.client(!c.idempotent)))
	} else {
		own.req = *c.req // under its own context, which is ctx but for a Request.Cancel
	}
	if shared {
		own.req.Header, own.req.Trailer = own.req.Header.Clone(), own.req.Trailer.Clone()
		if own.req.URL != nil {
			own.url = *own.req.URL
			own.req.URL = &own.url
		}
	}
	return &own.req
}

// same reports whether a and b are one context. A context need not be a comparable value: to
// compare two that are not panics, and they count as different.
func same(a, b context.Context) (is bool) {
	defer func() { _ = recover() }()
	return a == b
}

// addHeaders adds to req's header, which is a copy already or becomes one.
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
		req.Header.Set(name, strconv.Itoa(c.sent))
	}
}
