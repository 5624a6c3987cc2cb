package retryhttp_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

var limited = retry.WithAttemptTimeout(attemptLimit)

// timeoutWays make a call, each with its own kind of timeout.
var timeoutWays = map[string]func(t *testing.T, tr *http.Transport, req *http.Request, hooks retry.Option) error{
	"attempt timeout": func(t *testing.T, tr *http.Transport, req *http.Request, hooks retry.Option) error {
		t.Helper()
		resp, err := (&retryhttp.Transport{Base: tr, Policy: quickPolicy(limited, hooks)}).RoundTrip(req)
		if err == nil {
			_ = readBody(t, resp)
		}
		return err
	},
	"wrapped base": func(t *testing.T, tr *http.Transport, req *http.Request, hooks retry.Option) error {
		t.Helper()
		resp, err := (&retryhttp.Transport{Base: roundTripper(tr.RoundTrip), Policy: quickPolicy(limited, hooks)}).RoundTrip(req)
		if err == nil {
			_ = readBody(t, resp)
		}
		return err
	},
	"response header timeout": func(t *testing.T, tr *http.Transport, req *http.Request, hooks retry.Option) error {
		t.Helper()
		resp, err := (&retryhttp.Transport{Base: tr, Policy: quickPolicy(hooks, retry.WithBackoff(retry.Constant(20*time.Millisecond)))}).RoundTrip(req)
		if err == nil {
			_ = readBody(t, resp)
		}
		return err
	},
	"Do": func(t *testing.T, tr *http.Transport, req *http.Request, hooks retry.Option) error {
		t.Helper()
		_, err := retryhttp.Do(&http.Client{Transport: tr}, req, decodeText, quickPolicy(limited, hooks))
		return err
	},
	"Do, client's timeout": func(t *testing.T, tr *http.Transport, req *http.Request, hooks retry.Option) error {
		t.Helper()
		_, err := retryhttp.Do(&http.Client{Transport: tr, Timeout: attemptLimit}, req, decodeText, quickPolicy(hooks))
		return err
	},
}

// TestDeadConnection checks that an attempt uses another connection if the one before it timed
// out without an answer, for each kind of timeout.
func TestDeadConnection(t *testing.T) {
	t.Parallel()
	for protocol := range protocols {
		for _, method := range []string{"GET", "PUT"} {
			t.Run(protocol+", "+method, func(t *testing.T) {
				t.Parallel()
				runAtOnce(t, slices.Sorted(maps.Keys(timeoutWays)), func(t *testing.T, way string) {
					t.Helper()
					proxy, tr, url := serveBehindProxy(t, protocol, status(200))
					get(t, tr, url)
					if way == "response header timeout" {
						tr.ResponseHeaderTimeout = attemptLimit
					}
					proxy.silence()
					attempts, count := countAttempts()
					var body io.Reader
					if method == "PUT" {
						body = strings.NewReader("body")
					}
					require.NoError(t, timeoutWays[way](t, tr, newRequest(t, method, url, body), count))
					assert.EqualValues(t, 2, attempts.Load(), "attempts")
					assert.GreaterOrEqual(t, proxy.opened.Load(), int64(2), "connections")
					assert.LessOrEqual(t, proxy.opened.Load(), int64(3), "net/http may dial once more than it needs")
				})
			})
		}
	}
}

// TestDeadIdleConnections checks that idle HTTP/1 connections are skipped all at once. Each of
// them would cost an attempt.
func TestDeadIdleConnections(t *testing.T) {
	t.Parallel()
	const idle = 6
	var arrived sync.WaitGroup
	arrived.Add(idle)
	proxy, tr, url := serveBehindProxy(t, "HTTP/1", func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/together" {
			arrived.Done()
			arrived.Wait()
		}
	})
	tr.MaxIdleConnsPerHost = idle
	var wg sync.WaitGroup
	for range idle {
		wg.Go(func() { get(t, tr, url+"/together") })
	}
	wg.Wait()
	require.EqualValues(t, idle, proxy.opened.Load())
	proxy.silence()
	attempts, count := countAttempts()
	policy := quickPolicy(retry.WithAttemptTimeout(attemptLimit), count)
	resp, err := (&retryhttp.Transport{Base: tr, Policy: policy}).RoundTrip(newRequest(t, "GET", url, nil))
	require.NoError(t, err)
	_ = readBody(t, resp)
	assert.EqualValues(t, 2, attempts.Load())
	assert.EqualValues(t, idle+1, proxy.opened.Load())
}

// TestLiveConnectionsStay checks that a connection is used for the next attempt if it answered
// during the attempt that timed out.
func TestLiveConnectionsStay(t *testing.T) {
	t.Parallel()
	var slow atomic.Bool
	slow.Store(true)
	proxy, tr, url := serveBehindProxy(t, "HTTP/1", func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" && slow.CompareAndSwap(true, false) {
			<-r.Context().Done()
		}
	})
	get(t, tr, url)
	policy := quickPolicy(retry.WithAttemptTimeout(3*attemptLimit), retry.WithHooks(retry.Hooks{BeforeWait: func(context.Context, retry.Attempt) {}}))
	done := make(chan error, 1)
	go func() {
		resp, err := (&retryhttp.Transport{Base: tr, Policy: policy}).RoundTrip(newRequest(t, "GET", url+"/slow", nil))
		if err == nil {
			_ = resp.Body.Close()
		}
		done <- err
	}()
	time.Sleep(attemptLimit)
	get(t, tr, url) // by a second connection
	require.NoError(t, <-done)
	assert.EqualValues(t, 2, proxy.opened.Load())
}

// TestDeadBusyConnection checks that an HTTP/2 connection with other streams is closed only
// after a second attempt in a row timed out.
func TestDeadBusyConnection(t *testing.T) {
	t.Parallel()
	runAtOnce(t, []string{"HTTP/2", "HTTP/2 without TLS"}, func(t *testing.T, protocol string) {
		t.Helper()
		proxy, tr, url := serveBehindProxy(t, protocol, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/stream" {
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}
		})
		stream, err := tr.RoundTrip(newRequest(t, "GET", url+"/stream", nil))
		require.NoError(t, err)
		defer func() { _ = stream.Body.Close() }()
		proxy.silence()
		attempts, count := countAttempts()
		policy := quickPolicy(retry.WithAttemptTimeout(attemptLimit), retry.WithMaxAttempts(4), count)
		resp, err := (&retryhttp.Transport{Base: tr, Policy: policy}).RoundTrip(newRequest(t, "GET", url, nil))
		require.NoError(t, err)
		_ = readBody(t, resp)
		assert.EqualValues(t, 3, attempts.Load(), "the third by a new connection")
		assert.GreaterOrEqual(t, proxy.opened.Load(), int64(2))
		_, err = stream.Body.Read(make([]byte, 1))
		require.Error(t, err, "the old one is closed")
	})
}

// TestSlowAnswerKeepsConnection checks that one timeout on a connection with another stream
// does not end that stream, and that an answer resets the count.
func TestSlowAnswerKeepsConnection(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	proxy, tr, url := serveBehindProxy(t, "HTTP/2", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/stream":
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		case n.Add(1)%2 == 1:
			<-r.Context().Done() // every other request hangs
		}
	})
	stream, err := tr.RoundTrip(newRequest(t, "GET", url+"/stream", nil))
	require.NoError(t, err)
	defer func() { _ = stream.Body.Close() }()
	ours := &retryhttp.Transport{Base: tr, Policy: quickPolicy(retry.WithAttemptTimeout(attemptLimit))}
	for range 4 {
		resp, err := ours.RoundTrip(newRequest(t, "GET", url, nil))
		require.NoError(t, err)
		_ = readBody(t, resp)
	}
	assert.EqualValues(t, 8, n.Load())
	assert.EqualValues(t, 1, proxy.opened.Load())
}

// TestDeadConnectionOfAnotherCall checks that the next call does not use the dead connection
// either.
func TestDeadConnectionOfAnotherCall(t *testing.T) {
	t.Parallel()
	runAtOnce(t, slices.Sorted(maps.Keys(protocols)), func(t *testing.T, protocol string) {
		t.Helper()
		proxy, tr, url := serveBehindProxy(t, protocol, status(200))
		get(t, tr, url)
		proxy.silence()
		ours := &retryhttp.Transport{Base: tr, Policy: quickPolicy(retry.WithAttemptTimeout(attemptLimit), retry.WithMaxAttempts(1))}
		_, err := ours.RoundTrip(newRequest(t, "GET", url, nil))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		resp, err := ours.RoundTrip(newRequest(t, "GET", url, nil))
		require.NoError(t, err)
		_ = readBody(t, resp)
		assert.EqualValues(t, 2, proxy.opened.Load())
	})
}

// TestDeadConnectionUnsafe checks that skipping a connection neither sends an unsafe request
// twice nor loses one that can be sent.
func TestDeadConnectionUnsafe(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	proxy, tr, url := serveBehindProxy(t, "HTTP/2", func(http.ResponseWriter, *http.Request) { n.Add(1) })
	get(t, tr, url)
	proxy.silence()
	ours := &retryhttp.Transport{Base: tr, Policy: quickPolicy(retry.WithAttemptTimeout(attemptLimit))}
	_, err := ours.RoundTrip(newRequest(t, "POST", url, strings.NewReader("body")))
	require.ErrorIs(t, err, retry.ErrPermanent)
	for range 3 {
		resp, err := ours.RoundTrip(newRequest(t, "POST", url, strings.NewReader("body")))
		require.NoError(t, err)
		_ = readBody(t, resp)
	}
	assert.EqualValues(t, 4, n.Load())
	assert.EqualValues(t, 2, proxy.opened.Load())
}
