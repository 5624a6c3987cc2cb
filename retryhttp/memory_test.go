package retryhttp_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// TestOnePacket checks that a small request is sent in one write, as without retries, for each
// type of body that net/http knows.
func TestOnePacket(t *testing.T) {
	t.Parallel()
	bodies := map[string]func() io.Reader{
		"strings.Reader": func() io.Reader { return strings.NewReader("body") },
		"MaxBodyBuffer":  func() io.Reader { return onlyReader{strings.NewReader("body")} },
	}
	for name, body := range bodies {
		for _, way := range []string{"Transport", "Do"} {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				var writes atomic.Int64
				s := serve(t, status(503), status(200))
				base := newTransport(t)
				base.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
					conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
					return countingConn{conn, &writes}, err
				}
				tr := &retryhttp.Transport{Base: base, Policy: quickPolicy(), MaxBodyBuffer: 100}
				req := newRequest(t, "PUT", s.URL, body())
				if name == "MaxBodyBuffer" {
					req.ContentLength = 4
				}
				if way == "Do" {
					_, err := retryhttp.Do(&http.Client{Transport: tr}, req, decodeText)
					require.NoError(t, err)
				} else {
					resp, err := tr.RoundTrip(req)
					require.NoError(t, err)
					_ = readBody(t, resp)
				}
				assert.Len(t, s.requests(), 2)
				for _, a := range s.requests() {
					assert.Equal(t, "body", a.body)
				}
				assert.EqualValues(t, 2, writes.Load(), "one for each request")
			})
		}
	}
}

type onlyReader struct{ io.Reader }

type countingConn struct {
	net.Conn
	n *atomic.Int64
}

func (c countingConn) Write(p []byte) (int, error) {
	c.n.Add(1)
	return c.Conn.Write(p)
}

// TestAllocations checks the allocations of a request that does not fail, apart from
// net/http's.
func TestAllocations(t *testing.T) { //nolint:paralleltest // it counts the process's allocations
	done := &http.Response{StatusCode: 200, Body: http.NoBody}
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return done, nil
	})
	tr := &retryhttp.Transport{Base: base, Policy: quickPolicy()}
	get := newRequest(t, "GET", "http://host.example", nil)
	put := newRequest(t, "PUT", "http://host.example", strings.NewReader("body"))
	post := newRequest(t, "POST", "http://host.example", strings.NewReader("body"))
	for _, test := range []struct {
		name string
		req  *http.Request
		most float64
	}{{"GET", get, 2}, {"PUT", put, 4}, {"POST", post, 14}} {
		n := testing.AllocsPerRun(100, func() { _, _ = tr.RoundTrip(test.req) }) //nolint:bodyclose // it has none
		assert.LessOrEqual(t, n, test.most, test.name)
	}
}

// TestFirstAttemptCopiesNothing checks that net/http's transport gets the caller's own request,
// and counts the allocations of the call.
func TestFirstAttemptCopiesNothing(t *testing.T) { //nolint:paralleltest // it counts the process's allocations
	done := &http.Response{StatusCode: 200, Body: http.NoBody}
	var sent *http.Request
	base := newTransport(t)
	base.RegisterProtocol("test", roundTripper(func(req *http.Request) (*http.Response, error) {
		sent = req
		return done, nil
	}))
	req := newRequest(t, "GET", "test://host.example", nil)
	for name, test := range map[string]struct {
		policy *retry.Policy
		most   float64
	}{"zero": {nil, 2}, "attempt timeout": {quickPolicy(retry.WithAttemptTimeout(time.Minute)), 13}} {
		tr := &retryhttp.Transport{Base: base, Policy: test.policy}
		alone := testing.AllocsPerRun(100, func() { _, _ = base.RoundTrip(req) }) //nolint:bodyclose // it has none
		n := testing.AllocsPerRun(100, func() { _, _ = tr.RoundTrip(req) })       //nolint:bodyclose // it has none
		assert.LessOrEqual(t, n-alone, test.most, name)
		assert.Equal(t, name == "zero", sent == req, name)
	}
}
