package retryhttp

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/seed-205ff063/retry"
)

// Transport is an http.RoundTripper that retries requests through another one.
//
// The zero Transport is ready to use: http.DefaultTransport under the default policy. Its
// fields must not be changed, nor the Transport copied, after first use. It is safe for
// concurrent use.
type Transport struct {
	// Base makes the requests. One that writes into a request, although it must not, writes
	// into a copy.
	// The default is http.DefaultTransport.
	Base http.RoundTripper

	// Policy says how often and how long to retry. Its WithRetryIf and WithStopIf narrow
	// what is retried further, and see a bad status as a *StatusError. An attempt's timeout
	// goes on until the response's body is closed.
	// The default is the core's defaults.
	Policy *retry.Policy

	// IsIdempotent says whether a request may be processed twice. A request for which it says
	// no is retried only on proof that it was not processed.
	// The default is true for GET, HEAD, OPTIONS, TRACE, PUT and DELETE, and for any request
	// with an Idempotency-Key or X-Idempotency-Key header.
	IsIdempotent func(*http.Request) bool

	// Retryable says whether another attempt may end better than this outcome: a response
	// whose body it must not read, or an error. It is not asked to judge safety.
	// The default is the table in the package comment.
	Retryable func(*http.Response, error) bool

	// Hint returns how long the server asks to wait before the next request, and whether it
	// does. It is asked about each response that is worth another attempt, and must not read
	// the body.
	// The default is the function Hint.
	Hint func(*http.Response) (time.Duration, bool)

	// HostBudget returns the budget for the retries of requests to a host, such as
	// "example.com:8080", in place of the policy's. The host is in lower case and without a
	// default port. If it returns nil the policy's budget stays in force. See HostBudgets.
	// The default is the policy's budget, if it has one.
	HostBudget func(host string) *retry.Budget

	// AddIdempotencyKey gives POST and PATCH requests that have none an Idempotency-Key
	// header, random and the same for every attempt of a call, so that they count as
	// idempotent. Set it only for servers that honour the key.
	AddIdempotencyKey bool

	// AttemptHeader is the name of a header that carries the attempt's number, from 1.
	// The default is none.
	AttemptHeader string

	// MaxBodyBuffer is how many bytes of a body without GetBody are kept in memory, at most, so
	// that it can be sent again. A longer body is sent once.
	// The default is 0: none.
	MaxBodyBuffer int64

	once   sync.Once
	policy *retry.Policy
	fault  error
	silent silentConns
}

// RoundTrip makes the request, and makes it again as long as that is safe and worth it.
//
// The response of the last attempt is returned as it came, unread and with a nil error,
// whatever its status; only where there is none the error is a *retry.Error. The request is
// not changed and its body closed exactly once.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	policy, err := t.prepared()
	if err != nil {
		closeBody(req)
		return nil, err
	}
	c := t.newCall(req, false)
	returned := false
	defer func() { c.finish(returned) }()
	send := func(req *http.Request) (*http.Response, error) { return roundTrip(t.base(), req) }
	err = c.do(policy, func(ctx context.Context) error { return c.attempt(ctx, send) })
	returned = true
	if !c.resp.open() {
		return nil, err
	}
	resp := c.handOver()
	if e, ok := err.(*retry.Error); ok && e != nil {
		giveUp(resp, e)
	}
	return resp, nil
}

// CloseIdleConnections closes Base's idle connections, if it can.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.base().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (t *Transport) base() http.RoundTripper {
	if t.Base == nil {
		return http.DefaultTransport
	}
	return t.Base
}

// prepared returns Policy with what the transport adds to it.
func (t *Transport) prepared() (*retry.Policy, error) {
	t.once.Do(func() {
		t.policy, t.fault = retry.New(t.Policy, discarding)
	})
	return t.policy, t.fault
}

// NewClient returns a client with a Transport under a policy of the options.
func NewClient(opts ...retry.Option) (*http.Client, error) {
	policy, err := retry.New(opts...)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: &Transport{Policy: policy}}, nil
}
