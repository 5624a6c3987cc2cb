package retryhttp_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// TestRequestUnchanged checks that the caller's request does not change, whatever the transport
// adds to what it sends.
func TestRequestUnchanged(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "POST", "PUT"} {
		for _, withHeader := range []bool{true, false} {
			for _, timeout := range []time.Duration{0, time.Hour} {
				var body io.Reader
				if method != "GET" {
					body = strings.NewReader("body")
				}
				req := newRequest(t, method, "http://user:password@host.example/path?query", body)
				if withHeader {
					req.Header = http.Header{"Accept": {"text/plain"}, "X-Attempt": {"mine"}}
				} else {
					req.Header = nil
				}
				before, header, address := *req, req.Header.Clone(), *req.URL
				seen := map[*http.Request]bool{}
				base := roundTripper(func(r *http.Request) (*http.Response, error) {
					seen[r] = true
					assert.NotNil(t, r.Header)
					return replies(503)(r)
				})
				tr := &retryhttp.Transport{
					Base: base, Policy: quickPolicy(retry.WithAttemptTimeout(timeout)),
					AddIdempotencyKey: true, AttemptHeader: "X-Attempt", MaxBodyBuffer: 1 << 10,
				}
				resp, err := tr.RoundTrip(req)
				require.NoError(t, err)
				assert.Same(t, req, resp.Request, "the response is to the caller's request")
				assert.Len(t, seen, 3, "a clone for each attempt")
				assert.False(t, seen[req])

				assert.Equal(t, header, req.Header)
				assert.Equal(t, address, *req.URL)
				before.GetBody, req.GetBody = nil, nil // functions are not comparable
				assert.Equal(t, before, *req)
			}
		}
	}
}

func TestAttemptHeader(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503), status(503), status(200))
	req := newRequest(t, "GET", s.URL, nil)
	req.Header.Set("X-Retry-Attempt", "forged")
	resp, err := (&retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy(), AttemptHeader: "X-Retry-Attempt"}).RoundTrip(req)
	require.NoError(t, err)
	_ = readBody(t, resp)
	for i, r := range s.requests() {
		assert.Equal(t, []string{string(rune('1' + i))}, r.header.Values("X-Retry-Attempt"))
	}

	s = serve(t, status(200))
	resp, err = (&retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy()}).RoundTrip(newRequest(t, "GET", s.URL, nil))
	require.NoError(t, err)
	_ = readBody(t, resp)
	assert.Equal(t, []string{"Accept-Encoding", "User-Agent"}, addedHeaders(s.requests()[0].header), "none by default")
}

func addedHeaders(h http.Header) []string {
	var names []string
	for _, name := range []string{"Accept-Encoding", "User-Agent", "X-Retry-Attempt", "Idempotency-Key"} {
		if h.Get(name) != "" {
			names = append(names, name)
		}
	}
	return names
}

// TestNoURL checks that a request that cannot be sent is an error and does not panic.
func TestNoURL(t *testing.T) {
	t.Parallel()
	for name, req := range map[string]*http.Request{
		"no URL":    {Method: "GET", Header: http.Header{}},
		"no header": {Method: "GET", URL: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}},
	} {
		base := &countingBase{base: newTransport(t)}
		tr := &retryhttp.Transport{Base: base, Policy: quickPolicy(), HostBudget: retryhttp.HostBudgets(1, 1)}
		_, err := tr.RoundTrip(req)
		require.Error(t, err, name)
		assert.EqualValues(t, 1, base.attempts.Load(), name)
	}
}

// mapContext is a context of a type that is not comparable.
type mapContext struct {
	context.Context
	values map[string]string
}

func TestContextThatIsNotComparable(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503), status(200))
	req := newRequest(t, "GET", s.URL, nil).WithContext(mapContext{t.Context(), map[string]string{"a": "b"}})
	resp, err := (&retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy()}).RoundTrip(req)
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode)
	require.NoError(t, resp.Body.Close())
}
