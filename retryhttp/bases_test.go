package retryhttp_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// quickPolicy returns a policy of three attempts without waits. The options override this.
func quickPolicy(opts ...retry.Option) *retry.Policy {
	return retry.MustNew(append([]retry.Option{retry.WithBackoff(retry.Constant(0)), retry.WithMaxAttempts(3)}, opts...)...)
}

// roundTripper is a function used as a base.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// countingBase is a base that counts the attempts and the response bodies that are open.
type countingBase struct {
	base     http.RoundTripper
	attempts atomic.Int64
	open     atomic.Int64
}

func (c *countingBase) RoundTrip(req *http.Request) (*http.Response, error) {
	c.attempts.Add(1)
	resp, err := c.base.RoundTrip(req)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		c.open.Add(1)
		resp.Body = &trackedBody{ReadCloser: resp.Body, open: &c.open}
	}
	return resp, err
}

type trackedBody struct {
	io.ReadCloser
	once sync.Once
	open *atomic.Int64
}

func (b *trackedBody) Close() error {
	b.once.Do(func() { b.open.Add(-1) })
	return b.ReadCloser.Close()
}

// reply returns a response with a header, given as names and values in turn.
func reply(req *http.Request, status int, text string, header ...string) *http.Response {
	resp := &http.Response{
		Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewBufferString(text)), ContentLength: int64(len(text)), Request: req,
	}
	for i := 0; i+1 < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}

// replies is a base that answers with the statuses in turn and repeats the last one. It reads
// and closes the request's body, as every http.RoundTripper must.
func replies(statuses ...int) roundTripper {
	var n atomic.Int64
	return func(req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			_, _ = io.Copy(io.Discard, req.Body)
			_ = req.Body.Close()
		}
		i := min(int(n.Add(1)), len(statuses))
		return reply(req, statuses[i-1], fmt.Sprintf("answer %d", i)), nil
	}
}

// newTransport returns a transport whose idle connections are closed at the end of the test.
func newTransport(t *testing.T) *http.Transport {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// newRequest returns a request with the test's context.
func newRequest(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	return req
}

// readBody reads and closes the response's body.
func readBody(t *testing.T, resp *http.Response) string {
	t.Helper()
	all, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return string(all)
}
