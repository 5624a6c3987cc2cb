package retryhttp_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// withCancel gives req a Request.Cancel that is closed after d.
func withCancel(req *http.Request, d time.Duration) *http.Request {
	cancel := make(chan struct{})
	req.Cancel = cancel //nolint:staticcheck // it is what is tested
	time.AfterFunc(d, func() { close(cancel) })
	return req
}

// TestRequestCancel checks that Request.Cancel ends a wait and an attempt, with the error of a
// cancelled context.
func TestRequestCancel(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]http.HandlerFunc{"in a wait": status(503), "in an attempt": hangs} {
		for _, timeout := range []time.Duration{0, time.Hour} {
			for _, way := range []string{"Transport", "Do"} {
				t.Run(name+", "+timeout.String()+", "+way, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						s, base := serveInMemory(t, step)
						policy := quickPolicy(retry.WithBackoff(retry.Constant(time.Minute)), retry.WithAttemptTimeout(timeout))
						req := withCancel(newRequest(t, "GET", "http://host.example", nil), 3*time.Second)
						start := time.Now()
						var err error
						if way == "Do" {
							_, err = retryhttp.Do(&http.Client{Transport: base}, req, decodeText, policy)
						} else {
							_, err = (&retryhttp.Transport{Base: base, Policy: policy}).RoundTrip(req) //nolint:bodyclose // there is none
						}
						require.ErrorIs(t, err, context.Canceled)
						require.ErrorIs(t, err, retry.ErrContext)
						assert.Equal(t, 3*time.Second, time.Since(start))
						assert.Len(t, s.requests(), 1)
					})
				})
			}
		}
	}
}

// TestRequestCancelBefore checks that a request is not sent if it is already cancelled.
func TestRequestCancelBefore(t *testing.T) {
	t.Parallel()
	cancel := make(chan struct{})
	close(cancel)
	req := newRequest(t, "GET", "http://host.example", nil)
	req.Cancel = cancel //nolint:staticcheck // it is what is tested
	base := &countingBase{base: replies(200)}
	_, err := (&retryhttp.Transport{Base: base}).RoundTrip(req) //nolint:bodyclose // there is none
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, base.attempts.Load())
}

// TestRequestCancelBody checks that the response's body can be read after the call, that
// Request.Cancel and the context still end it, and that no goroutine is left.
func TestRequestCancelBody(t *testing.T) {
	t.Parallel()
	slow := func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(5 * time.Second):
			_, _ = io.WriteString(w, "late")
		case <-r.Context().Done():
		}
	}
	for _, test := range []struct {
		name           string
		cancel, caller time.Duration
		want           string
	}{
		{"read to the end", time.Hour, time.Hour, "late"},
		{"Request.Cancel", time.Second, time.Hour, ""},
		{"context", time.Hour, time.Second, ""},
	} {
		for _, timeout := range []time.Duration{0, time.Minute} {
			t.Run(test.name+", "+timeout.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { // it ends only after all goroutines
					_, base := serveInMemory(t, slow)
					ctx, stop := context.WithTimeout(t.Context(), test.caller)
					defer stop()
					req := newRequest(t, "GET", "http://host.example", nil).WithContext(ctx)
					cancel := make(chan struct{})
					req.Cancel = cancel //nolint:staticcheck // it is what is tested
					timer := time.AfterFunc(test.cancel, func() { close(cancel) })
					defer timer.Stop()
					start := time.Now()
					resp, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy(retry.WithAttemptTimeout(timeout))}).RoundTrip(req)
					require.NoError(t, err)
					got, err := io.ReadAll(resp.Body)
					_ = resp.Body.Close()
					assert.Equal(t, test.want, string(got))
					if test.want != "" {
						require.NoError(t, err)
						return
					}
					require.Error(t, err)
					assert.Equal(t, time.Second, time.Since(start))
				})
			})
		}
	}
}

// TestClientTimeoutEndsWait checks that http.Client's Timeout ends a wait. The client sets
// Request.Cancel for a transport that it does not know.
func TestClientTimeoutEndsWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, base := serveInMemory(t, status(503))
		policy := quickPolicy(retry.WithBackoff(retry.Constant(time.Hour)))
		client := &http.Client{Transport: &retryhttp.Transport{Base: base, Policy: policy}, Timeout: 5 * time.Second}
		start := time.Now()
		resp, err := client.Do(newRequest(t, "GET", "http://host.example", nil))
		require.NoError(t, err, "the deadline is known, so the wait does not start")
		_ = resp.Body.Close()
		assert.Zero(t, time.Since(start))
		assert.Len(t, s.requests(), 1)
	})
}

// TestRequestCancelStops checks that the goroutine which waits for Request.Cancel ends with the
// call, even if neither that channel nor the context ever ends.
func TestRequestCancelStops(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]func(){"response": func() {}, "panic": func() { panic("boom") }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				req := newRequest(t, "GET", "http://host.example", nil).WithContext(context.Background())
				req.Cancel = make(chan struct{}) //nolint:staticcheck // it is what is tested
				asked := 0
				base := roundTripper(func(req *http.Request) (*http.Response, error) {
					if asked++; asked == 1 {
						return reply(req, 503, ""), nil
					}
					last()
					return reply(req, 200, ""), nil
				})
				tr := &retryhttp.Transport{Base: base, Policy: quickPolicy(retry.WithBackoff(retry.Constant(time.Second)))}
				func() {
					defer func() { _ = recover() }()
					resp, err := tr.RoundTrip(req)
					require.NoError(t, err)
					_ = resp.Body.Close()
				}()
				assert.Equal(t, 2, asked) // synctest fails if a goroutine is left
			})
		})
	}
}
