package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// scenario is one or several requests to a server of their own.
type scenario struct {
	request string // in the table
	send    send

	// What the request meets, in this order.
	names      *nameserver // nil: the URL has an address
	refuse     int         // number of attempts that find no server
	connFaults []connFault // one for each of the first connections
	answers    []answer    // one for each request; the last one is repeated
	tls        *tls.Config // of the server; nil: plain HTTP

	// Settings of the client, beside those that all clients have.
	options   []retry.Option
	transport func(*retryhttp.Transport)
	base      func(*http.Transport)
}

// result is a line of the table.
type result struct {
	request     string
	met         []string // in order
	attempts    int
	connections int
	took        time.Duration
	outcome     string
}

// run sends the requests of the scenario.
func (s *scenario) run(ctx context.Context) (result, error) {
	srv, err := newServer(s)
	if err != nil {
		return result{}, err
	}
	r := result{request: s.request}
	client := s.client(srv, &r)
	start := time.Now()
	status, err := s.send(ctx, client, srv.url())
	r.took = time.Since(start)
	client.CloseIdleConnections()
	srv.close()

	if ctx.Err() != nil {
		return r, ctx.Err() // the run was interrupted
	}
	if r.outcome = status; err != nil {
		r.outcome = describe(err)
	}
	r.met, r.connections = srv.met, srv.connections
	return r, srv.err
}

// client returns the scenario's client. It counts its attempts in r.
func (s *scenario) client(srv *server, r *result) *http.Client {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.Proxy = nil
	base.TLSClientConfig = &tls.Config{RootCAs: srv.rootCAs(), MinVersion: tls.VersionTLS12}
	if s.names != nil {
		base.DialContext = s.names.dialer().DialContext
	}
	if s.base != nil {
		s.base(base)
	}

	hooks := retry.Hooks{
		AfterAttempt: func(_ context.Context, a retry.Attempt) { srv.afterAttempt(a) },
		Done:         func(_ context.Context, o retry.Outcome) { r.attempts += o.Attempts },
	}
	transport := &retryhttp.Transport{Base: base, Policy: retry.MustNew(append(
		// Short waits keep the example quick. A service should wait longer.
		[]retry.Option{retry.WithBackoff(retry.Constant(5 * time.Millisecond)), retry.WithHooks(hooks)},
		s.options...)...)}
	if s.transport != nil {
		s.transport(transport)
	}
	return &http.Client{Transport: transport}
}

// describe returns why a call stopped and the last error, without URL and ports, on one line.
func describe(err error) string {
	var e *retry.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	last := e.Err
	if u := (*url.Error)(nil); errors.As(last, &u) {
		last = u.Err
	}
	if op := (*net.OpError)(nil); errors.As(last, &op) && op.Addr != nil {
		last = op.Err
	}
	return fmt.Sprintf("%s: %v", strings.TrimPrefix(e.Reason.Error(), "retry: "), last)
}
