package itest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	_ "github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// network is a server behind a proxy that misbehaves on request.
type network struct {
	*toxiproxy.Proxy
	url      string
	requests atomic.Int64
}

// newNetwork starts a server and a proxy in front of it. The handler gets the number of the request,
// which counts from 1.
func newNetwork(t *testing.T, handler func(n int64, w http.ResponseWriter, r *http.Request)) *network {
	t.Helper()
	n := &network{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler(n.requests.Add(1), w, r)
	}))
	t.Cleanup(server.Close)
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	n.Proxy = toxiproxy.NewProxy(api, t.Name(), "127.0.0.1:0", strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, n.Start())
	t.Cleanup(n.Stop)
	n.url = "http://" + n.Listen
	return n
}

// add adds a toxic to the stream from the server ("downstream") or to it ("upstream").
func (n *network) add(t *testing.T, kind, stream string, attributes map[string]any) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"name": kind, "type": kind, "stream": stream, "attributes": attributes})
	require.NoError(t, err)
	_, err = n.Toxics.AddToxicJson(bytes.NewReader(text))
	require.NoError(t, err)
}

func (n *network) remove(name string) { _ = n.Toxics.RemoveToxic(context.Background(), name) }

// transport returns a Transport that counts its attempts. It removes the toxic after its second
// attempt.
func (n *network) transport(t *testing.T, toxic string, opts ...retry.Option) (*retryhttp.Transport, *atomic.Int64) {
	t.Helper()
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	attempts := new(atomic.Int64)
	heal := retry.WithHooks(retry.Hooks{
		BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context { attempts.Add(1); return ctx },
		BeforeWait: func(_ context.Context, a retry.Attempt) {
			if a.Number == 2 && toxic != "" {
				n.remove(toxic)
			}
		},
	})
	policy := retry.MustNew(append([]retry.Option{retry.WithBackoff(retry.Constant(time.Millisecond)), retry.WithMaxAttempts(3), heal}, opts...)...)
	return &retryhttp.Transport{Base: base, Policy: policy}, attempts
}

func hello(_ int64, w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

func get(t *testing.T, method, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	return req
}

// TestToxics disturbs the first two attempts of a GET. The third one succeeds. A POST makes one
// attempt only.
func TestToxics(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind, stream string
		attributes   map[string]any
		timeout      time.Duration // of an attempt
	}{
		{kind: "latency", stream: "downstream", attributes: map[string]any{"latency": 2000}, timeout: 100 * time.Millisecond},
		{kind: "latency", stream: "upstream", attributes: map[string]any{"latency": 2000}, timeout: 100 * time.Millisecond},
		{kind: "timeout", stream: "downstream", attributes: map[string]any{"timeout": 50}},
		{kind: "timeout", stream: "upstream", attributes: map[string]any{"timeout": 50}},
		{kind: "timeout", stream: "downstream", attributes: map[string]any{"timeout": 0}, timeout: 100 * time.Millisecond},
		{kind: "reset_peer", stream: "downstream", attributes: map[string]any{"timeout": 0}},
		{kind: "reset_peer", stream: "upstream", attributes: map[string]any{"timeout": 20}},
		{kind: "limit_data", stream: "downstream", attributes: map[string]any{"bytes": 20}},
	} {
		for method, want := range map[string]int64{"GET": 3, "POST": 1} {
			t.Run(fmt.Sprintf("%s %s %v, %s", test.kind, test.stream, test.attributes, method), func(t *testing.T) {
				t.Parallel()
				n := newNetwork(t, hello)
				n.add(t, test.kind, test.stream, test.attributes)
				tr, attempts := n.transport(t, test.kind, retry.WithAttemptTimeout(test.timeout))
				resp, err := tr.RoundTrip(get(t, method, n.url))
				assert.Equal(t, want, attempts.Load())
				if method == "POST" {
					require.ErrorIs(t, err, retry.ErrPermanent)
					return
				}
				require.NoError(t, err)
				text, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				assert.Equal(t, "hello", string(text))
			})
		}
	}
}

// TestProxyDown checks that every method is retried if nobody listens, because nothing was sent.
func TestProxyDown(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, hello)
	tr, attempts := n.transport(t, "")
	n.Stop()
	_, err := tr.RoundTrip(get(t, "POST", n.url))
	require.ErrorIs(t, err, retry.ErrExhausted)
	assert.EqualValues(t, 3, attempts.Load())
	assert.Zero(t, n.requests.Load())
}

// TestBandwidth checks that a slow body of a response that is retried costs at most 100 ms. The body of
// the last response is read however slow it is.
func TestBandwidth(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, func(n int64, w http.ResponseWriter, _ *http.Request) {
		if n < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write(make([]byte, 60<<10)) // 6 s at 10 KB/s
			return
		}
		_, _ = w.Write(make([]byte, 3<<10))
	})
	n.add(t, "bandwidth", "downstream", map[string]any{"rate": 10})
	tr, attempts := n.transport(t, "")
	start := time.Now()
	resp, err := tr.RoundTrip(get(t, "GET", n.url))
	require.NoError(t, err)
	assert.Less(t, time.Since(start), 2*time.Second)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Len(t, text, 3<<10)
	assert.EqualValues(t, 3, attempts.Load())
}

// TestBodyTimesOut checks that the attempt's timeout ends a body that is too slow, and that Do then
// makes another attempt.
func TestBodyTimesOut(t *testing.T) {
	t.Parallel()
	body := func(_ int64, w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 60<<10)) }
	timeout := retry.WithAttemptTimeout(300 * time.Millisecond)
	t.Run("transport", func(t *testing.T) {
		t.Parallel()
		n := newNetwork(t, body)
		n.add(t, "bandwidth", "downstream", map[string]any{"rate": 10})
		tr, _ := n.transport(t, "", timeout)
		start := time.Now()
		resp, err := tr.RoundTrip(get(t, "GET", n.url))
		require.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, resp.Body.Close())
		assert.Less(t, time.Since(start), 2*time.Second)
	})
	t.Run("Do", func(t *testing.T) {
		t.Parallel()
		n := newNetwork(t, body)
		n.add(t, "bandwidth", "downstream", map[string]any{"rate": 10})
		tr, attempts := n.transport(t, "bandwidth", timeout)
		got, err := retryhttp.Do(&http.Client{Transport: tr}, get(t, "GET", n.url), func(resp *http.Response) (int, error) {
			text, err := io.ReadAll(resp.Body)
			return len(text), err
		})
		require.NoError(t, err)
		assert.Equal(t, 60<<10, got)
		assert.EqualValues(t, 3, attempts.Load())
	})
}

// TestSlowClose has responses that end when the connection is closed, and closes that arrive late. A
// response that is retried is abandoned after 100 ms.
func TestSlowClose(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, func(n int64, w http.ResponseWriter, _ *http.Request) {
		if n == 3 {
			_, _ = io.WriteString(w, "hello")
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\nbusy")
		_ = conn.Close()
	})
	n.add(t, "slow_close", "downstream", map[string]any{"delay": 1000})
	tr, attempts := n.transport(t, "")
	start := time.Now()
	resp, err := tr.RoundTrip(get(t, "GET", n.url))
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, "hello", string(text))
	assert.EqualValues(t, 3, attempts.Load())
	assert.Less(t, time.Since(start), 900*time.Millisecond)
}

// TestUploadThroughSlicer checks that requests and responses arrive whole though they are cut in pieces.
func TestUploadThroughSlicer(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		if n < 3 {
			w.WriteHeader(http.StatusBadGateway)
		}
		_, _ = w.Write(text)
	})
	for _, stream := range []string{"upstream", "downstream"} {
		n.add(t, "slicer", stream, map[string]any{"average_size": 64, "size_variation": 32, "delay": 10})
		n.Toxics.GetToxic("slicer").Name = "slicer " + stream
	}
	tr, attempts := n.transport(t, "")
	want := strings.Repeat("0123456789", 300)
	req, err := http.NewRequestWithContext(t.Context(), "PUT", n.url, strings.NewReader(want))
	require.NoError(t, err)
	resp, err := tr.RoundTrip(req)
	require.NoError(t, err)
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, want, string(got))
	assert.EqualValues(t, 3, attempts.Load())
}
