package retryhttp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// TestNestedContexts checks a call within an attempt that has a timeout: discarding the inner
// call's response does not end the outer attempt's context.
func TestNestedContexts(t *testing.T) {
	t.Parallel()
	type key struct{}
	derive := retry.WithHooks(retry.Hooks{
		Start: func(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, "start") },
		BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context {
			return context.WithValue(ctx, key{}, "attempt")
		},
	})
	for _, inner := range []time.Duration{0, time.Minute} {
		for _, way := range []string{"Transport", "Do"} {
			t.Run(way+", "+inner.String(), func(t *testing.T) {
				t.Parallel()
				s := serve(t, status(503), status(502), status(200))
				tr := &retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy(derive, retry.WithAttemptTimeout(inner))}
				attempts := 0
				err := retry.Do(t.Context(), func(ctx context.Context) error {
					attempts++
					req := newRequest(t, "GET", s.URL, nil).WithContext(ctx)
					if way == "Do" {
						got, err := retryhttp.Do(&http.Client{Transport: tr}, req, decodeText)
						assert.Equal(t, "OK", got)
						assert.NoError(t, ctx.Err(), "the outer attempt's")
						return err
					}
					resp, err := tr.RoundTrip(req)
					if err != nil {
						return err
					}
					assert.NoError(t, ctx.Err(), "the outer attempt's")
					assert.Equal(t, "OK", readBody(t, resp))
					assert.NoError(t, ctx.Err(), "the outer attempt's, after the body")
					return nil
				}, retry.WithAttemptTimeout(time.Minute), retry.WithMaxAttempts(2))
				require.NoError(t, err)
				assert.Equal(t, 1, attempts)
				assert.Len(t, s.requests(), 3)
			})
		}
	}
}

// wrappers pass on a response, like layers between two that retry.
var wrappers = map[string]func(base http.RoundTripper) http.RoundTripper{
	"none":   func(base http.RoundTripper) http.RoundTripper { return base },
	"logger": func(base http.RoundTripper) http.RoundTripper { return roundTripper(base.RoundTrip) },
	"body": func(base http.RoundTripper) http.RoundTripper { // as otelhttp
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(req.WithContext(req.Context()))
			if err == nil {
				resp.Body = struct{ io.ReadCloser }{resp.Body}
			}
			return resp, err
		})
	},
	"request": func(base http.RoundTripper) http.RoundTripper { // as oauth2
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			sent := req.Clone(req.Context())
			sent.Header.Set("Authorization", "Bearer token")
			resp, err := base.RoundTrip(sent)
			if err == nil {
				resp.Request = req
				resp.Header = resp.Header.Clone()
			}
			return resp, err
		})
	},
}

// decodeChecked is a decode function that only checks the status.
func decodeChecked(resp *http.Response) (int, error) { return 0, retryhttp.Check(resp) }

// outerLayers make a call through an inner layer.
var outerLayers = map[string]func(t *testing.T, inner http.RoundTripper, url string, opts ...retry.Option) error{
	"Transport": func(t *testing.T, inner http.RoundTripper, url string, opts ...retry.Option) error {
		t.Helper()
		resp, err := (&retryhttp.Transport{Base: inner, Policy: quickPolicy(opts...)}).RoundTrip(newRequest(t, "GET", url, nil))
		if err == nil {
			_ = readBody(t, resp)
		}
		return err
	},
	"Do": func(t *testing.T, inner http.RoundTripper, url string, opts ...retry.Option) error {
		t.Helper()
		client := &http.Client{Transport: struct{ http.RoundTripper }{inner}}
		_, err := retryhttp.Do(client, newRequest(t, "GET", url, nil), decodeChecked, quickPolicy(opts...))
		return err
	},
	"Do, client's timeout": func(t *testing.T, inner http.RoundTripper, url string, opts ...retry.Option) error {
		t.Helper()
		client := &http.Client{Transport: struct{ http.RoundTripper }{inner}, Timeout: time.Minute}
		_, err := retryhttp.Do(client, newRequest(t, "GET", url, nil), decodeChecked, quickPolicy(opts...))
		return err
	},
	"Check": func(t *testing.T, inner http.RoundTripper, url string, opts ...retry.Option) error {
		t.Helper()
		client := &http.Client{Transport: inner}
		return quickPolicy(append(opts, retry.WithRetryIf(retryhttp.Transient))...).Do(t.Context(), func(ctx context.Context) error {
			req := newRequest(t, "GET", url, nil).WithContext(ctx)
			resp, err := client.Do(req)
			if err != nil {
				return err
			}
			defer func() { _ = resp.Body.Close() }()
			return retryhttp.Check(resp)
		})
	},
}

// TestLayers checks that two layers multiply their attempts, unless the outer one uses
// AlreadyRetried.
func TestLayers(t *testing.T) {
	t.Parallel()
	once := retry.WithStopIf(retry.AlreadyRetried)
	for failure, step := range map[string]http.HandlerFunc{"503": status(503), "closed without an answer": hangUp} {
		for wrapper, wrap := range wrappers {
			for layer, call := range outerLayers {
				t.Run(failure+", "+wrapper+", "+layer, func(t *testing.T) {
					t.Parallel()
					s := serve(t, step)
					inner := wrap(&retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy()})
					err := call(t, inner, s.URL, once)
					assert.Len(t, s.requests(), 3, "the attempts of one layer")
					if layer != "Transport" || failure != "503" {
						require.ErrorIs(t, err, retry.ErrPermanent)
						require.ErrorIs(t, err, retry.ErrExhausted, "the inner one's reason")
					}
					_ = call(t, inner, s.URL)
					assert.Len(t, s.requests(), 3+9, "the product")
				})
			}
		}
	}
}

// TestLayersOfSuccess checks that only a response on which a Transport gave up counts as given
// up, whatever headers the server sends.
func TestLayersOfSuccess(t *testing.T) {
	t.Parallel()
	var seen []error
	policy := quickPolicy(retry.WithStopIf(func(a retry.Attempt) bool {
		seen = append(seen, a.Err)
		return retry.AlreadyRetried(a)
	}))
	s := serve(t, status(503, "X-Gave-Up", "true", "X-Retry-Attempts", "3"))
	resp, err := (&retryhttp.Transport{Base: roundTripper(newTransport(t).RoundTrip), Policy: policy}).RoundTrip(newRequest(t, "GET", s.URL, nil))
	require.NoError(t, err)
	require.Error(t, retryhttp.Check(resp))
	var inner *retry.Error
	assert.ErrorAs(t, retryhttp.Check(resp), &inner, "of the returned response")
	assert.Len(t, seen, 3)
	for _, err := range seen {
		assert.False(t, errors.As(err, &inner), "of the attempts")
	}
	fine, err := (&retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy()}).RoundTrip(newRequest(t, "GET", serve(t, status(404)).URL, nil))
	require.NoError(t, err)
	assert.False(t, errors.As(retryhttp.Check(fine), &inner), "a 404 is not retried, so nobody gave up")
}

// TestLayersMemory checks that the record of a response is deleted with it.
func TestLayersMemory(t *testing.T) { //nolint:paralleltest // it measures the process's memory
	tr := &retryhttp.Transport{Policy: quickPolicy(), Base: roundTripper(func(req *http.Request) (*http.Response, error) {
		return reply(req, 503, "", "X-Large", strings.Repeat("x", 10<<10)), nil
	})}
	give := func() {
		for range 1000 {
			_, _ = tr.RoundTrip(newRequest(t, "GET", "http://host.example", nil))
		}
	}
	give()
	for range 3 { // cleanups run after a collection
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	before := heapInUse()
	give()
	assert.Eventually(t, func() bool { return heapInUse()-before < 200<<10 }, time.Minute, 10*time.Millisecond)
}
