// Package retryhttp retries HTTP requests where that is safe and worth it: an
// http.RoundTripper around another one, on the standard library alone.
//
//	client, err := retryhttp.NewClient(retry.WithMaxAttempts(4), retry.WithAttemptTimeout(10*time.Second))
//	resp, err := client.Get(url) // as ever; what was retried is over
//
// Safety comes first and always binds. A request may be processed twice if it is idempotent:
// its method is GET, HEAD, OPTIONS, TRACE, PUT or DELETE (RFC 9110, section 9.2.2), or it has
// an Idempotency-Key or X-Idempotency-Key header. Any other is sent again only on proof that
// it was not processed. And its body must be there once more: there is none, the request has
// GetBody, or nothing was read of the stream.
//
// Then the outcome must be one that another attempt may change:
//
//	status                        idempotent   others
//	408 500 502 503 504           retried      returned
//	421 425 429                   retried      retried: refused before processing
//	all other statuses            returned     returned
//
//	error                                        idempotent   others
//	no connection: DNS, dial, TLS handshake      retried      retried
//	HTTP/2 REFUSED_STREAM                        retried      retried
//	reset, broken off, closed without an answer  retried      fails
//	timeout of the attempt or the transport      retried      fails, unless without a connection
//	name not found                               fails        fails
//	certificate, TLS alert, plain HTTP over TLS  fails        fails
//	bad URL, scheme, header or content length    fails        fails
//	redirects exhausted or refused               fails        fails
//	the caller's own body reader failed          fails        fails
//	the caller's context ended                   fails        fails
//
// The policy says how often and how long; its own classifiers narrow the tables further. A
// Retry-After header is obeyed up to retry.WithMaxRetryAfter and the caller's deadline; where
// it asks for more the response is returned at once. Between attempts a response is read to
// its end, as far as 64 KiB and 100 ms, so that the connection can be used again, and closed.
// The last response is returned unread, whatever its status, with a nil error.
//
// A failure that is not retried because that would not be safe or of no use is a
// retry.ErrPermanent. Texts of this package have a request's method and host, and no path,
// query, header or password; those that http.Client adds around them have the URL.
package retryhttp

import (
	"context"
	"net/http"
	"sync"

	"github.com/seed-205ff063/retry"
)

// Transport is an http.RoundTripper that retries requests through another one.
//
// The zero Transport is ready to use: http.DefaultTransport under the default policy. Its
// fields must not be changed, nor the Transport copied, after first use. It is safe for
// concurrent use.
type Transport struct {
	// Base makes the requests.
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

	// HostBudget returns the budget for the retries of requests to a host, such as
	// "example.com:8080", in place of the policy's; nil leaves that in force. See
	// HostBudgets.
	// The default is the policy's budget, if it has one.
	HostBudget func(host string) *retry.Budget

	// AddIdempotencyKey gives POST and PATCH requests that have none an Idempotency-Key
	// header, random and the same for every attempt of a call, so that they count as
	// idempotent. Set it only for servers that honour the key.
	AddIdempotencyKey bool

	// AttemptHeader is the name of a header that carries the attempt's number, from 1.
	// The default is none.
	AttemptHeader string

	// MaxBodyBuffer is up to how many bytes of a body without GetBody are kept in memory, so
	// that it can be sent again. Longer ones are sent once.
	// The default is 0: none.
	MaxBodyBuffer int64

	once   sync.Once
	policy *retry.Policy
	fault  error
}

// RoundTrip makes the request, again while that is safe and worth it.
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
	c := t.newCall(req, policy)
	err = c.do(func(ctx context.Context) error { return c.attempt(ctx, t.base().RoundTrip) })
	c.body.finish()
	if c.resp.open() {
		return c.resp.handOver(req), nil
	}
	return nil, err
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
