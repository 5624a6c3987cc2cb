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
// The zero Transport uses http.DefaultTransport and the default policy. Most callers should set
// Base and Policy alone. Do not change a Transport's fields or copy it after first use. It is
// safe for concurrent use.
type Transport struct {
	// Base sends the requests. One that writes into requests, although it must not, gets copies.
	// The default is http.DefaultTransport.
	Base http.RoundTripper

	// Policy says how often and how long to retry. Its classifiers (WithRetryIf, WithStopIf)
	// narrow further what is retried, and see a bad status as a *StatusError. An attempt's
	// timeout runs until the response's body is closed.
	// The default is a policy of the default options.
	Policy *retry.Policy

	// IsIdempotent reports whether a request may be processed twice. Other requests are retried
	// only on proof that they were not processed.
	// The default is true for GET, HEAD, OPTIONS, TRACE, PUT and DELETE, and for any request
	// with an Idempotency-Key or X-Idempotency-Key header.
	IsIdempotent func(*http.Request) bool

	// Retryable reports whether another attempt may end better than this outcome, a response or
	// an error. It must not read the response's body. It does not decide what is safe.
	// The default is the tables in the package comment.
	Retryable func(*http.Response, error) bool

	// Hint returns how long the server asks to wait before the next request, and whether it
	// asks at all. It is called for each response that is worth another attempt. It must not
	// read the body.
	// The default is the function Hint.
	Hint func(*http.Response) (time.Duration, bool)

	// HostBudget returns the budget for retries of requests to a host, such as
	// "example.com:8080". That budget replaces the policy's. The host is in lower case and has
	// no default port. If HostBudget returns nil, the policy's budget applies. See HostBudgets.
	// The default is the policy's budget, if it has one.
	HostBudget func(host string) *retry.Budget

	// AddIdempotencyKey adds an Idempotency-Key header to POST and PATCH requests that have no
	// key, so that they count as idempotent. The key is random, and the same for all attempts
	// of a call. Set it only for servers that honour the key.
	// The default is false.
	AddIdempotencyKey bool

	// AttemptHeader is the name of a header that carries the attempt's number, from 1.
	// The default is no such header.
	AttemptHeader string

	// MaxBodyBuffer is the length in bytes up to which a body without GetBody is kept in memory,
	// so that it can be sent again. A longer body is sent once.
	// The default is 0: no such body is kept.
	MaxBodyBuffer int64

	prepareOnce    sync.Once
	preparedPolicy *retry.Policy
	policyErr      error
	timedOut       timedOutConns
}

// RoundTrip sends the request, and sends it again while that is safe and can help.
//
// It returns the response of the last attempt unread and with a nil error, whatever its status.
// If the last attempt has no response, the error is a *retry.Error. The request is not changed,
// and its body is closed exactly once.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	policy, err := t.prepare()
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
	if !c.resp.isOpen() {
		return nil, err
	}
	resp := c.lastResponse()
	if e, ok := err.(*retry.Error); ok && e != nil {
		noteGiveUp(resp, e)
	}
	return resp, nil
}

// CloseIdleConnections closes the idle connections of Base, if Base has such a method.
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

// prepare returns Policy with the options that the transport adds to it.
func (t *Transport) prepare() (*retry.Policy, error) {
	t.prepareOnce.Do(func() {
		t.preparedPolicy, t.policyErr = retry.New(t.Policy, discardBeforeWait)
	})
	return t.preparedPolicy, t.policyErr
}

// NewClient returns a client whose Transport has a policy of these options. An invalid option is
// an error.
func NewClient(opts ...retry.Option) (*http.Client, error) {
	policy, err := retry.New(opts...)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: &Transport{Policy: policy}}, nil
}
