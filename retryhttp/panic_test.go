package retryhttp_test

import (
	"context"
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

// panickingFuncs set one of the caller's functions to one that calls boom.
var panickingFuncs = map[string]func(tr *retryhttp.Transport, boom func()) retry.Option{
	"WithRetryIf": func(_ *retryhttp.Transport, boom func()) retry.Option {
		return retry.WithRetryIf(func(retry.Attempt) bool { boom(); return true })
	},
	"WithStopIf": func(_ *retryhttp.Transport, boom func()) retry.Option {
		return retry.WithStopIf(func(retry.Attempt) bool { boom(); return true })
	},
	"AfterAttempt": hookOption(func(h *retry.Hooks, boom func()) { h.AfterAttempt = func(context.Context, retry.Attempt) { boom() } }),
	"BeforeWait":   hookOption(func(h *retry.Hooks, boom func()) { h.BeforeWait = func(context.Context, retry.Attempt) { boom() } }),
	"Done":         hookOption(func(h *retry.Hooks, boom func()) { h.Done = func(context.Context, retry.Outcome) { boom() } }),
	"BeforeAttempt": hookOption(func(h *retry.Hooks, boom func()) {
		h.BeforeAttempt = func(ctx context.Context, _ retry.Attempt) context.Context { boom(); return ctx }
	}),
	"Start": hookOption(func(h *retry.Hooks, boom func()) {
		h.Start = func(ctx context.Context) context.Context { boom(); return ctx }
	}),
	"backoff": func(_ *retryhttp.Transport, boom func()) retry.Option {
		return retry.WithBackoff(retry.BackoffFunc(func(retry.Attempt) time.Duration { boom(); return 0 }))
	},
	"Retryable": func(tr *retryhttp.Transport, boom func()) retry.Option {
		tr.Retryable = func(*http.Response, error) bool { boom(); return true }
		return nil
	},
	"Hint": func(tr *retryhttp.Transport, boom func()) retry.Option {
		tr.Hint = func(*http.Response) (time.Duration, bool) { boom(); return 0, false }
		return nil
	},
	"IsIdempotent": func(tr *retryhttp.Transport, boom func()) retry.Option {
		tr.IsIdempotent = func(*http.Request) bool { boom(); return true }
		return nil
	},
	"HostBudget": func(tr *retryhttp.Transport, boom func()) retry.Option {
		tr.HostBudget = func(string) *retry.Budget { boom(); return nil }
		return nil
	},
}

// TestPanicsLeakNothing checks that a panic or runtime.Goexit in one of the caller's functions
// leaves no response and no request body open.
func TestPanicsLeakNothing(t *testing.T) {
	t.Parallel()
	for name, set := range panickingFuncs {
		for _, end := range []string{"panic", "Goexit"} {
			for _, way := range []string{"Transport", "Do"} {
				for _, timeout := range []time.Duration{0, time.Minute} {
					t.Run(name+", "+end+", "+way+", "+timeout.String(), func(t *testing.T) {
						t.Parallel()
						boom := func() { panic("boom") }
						if end == "Goexit" {
							boom = runtime.Goexit
						}
						s := serve(t, sized(503, 1<<20, true))
						base := &countingBase{base: newTransport(t)}
						tr := &retryhttp.Transport{Base: base}
						opts := []retry.Option{retry.WithAttemptTimeout(timeout)}
						if o := set(tr, boom); o != nil {
							opts = append(opts, o)
						}
						tr.Policy = retry.MustNew(opts...)
						body := &countingBody{Reader: strings.NewReader("body")}
						req := newRequest(t, "PUT", s.URL, body)
						req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("body")), nil }
						done := make(chan any)
						go func() {
							defer close(done)
							defer func() { _ = recover() }()
							if way == "Do" {
								_, _ = retryhttp.Do(&http.Client{Transport: tr}, req, decodeText)
							} else {
								_, _ = tr.RoundTrip(req) //nolint:bodyclose // it must not be there
							}
						}()
						<-done
						assert.Zero(t, base.open.Load(), "responses open")
						requireClosedOnce(t, body)
						assert.Eventually(t, func() bool { return s.live.Load() == 0 }, time.Minute, time.Millisecond, "a body of 1 MiB is not read to its end")
					})
				}
			}
		}
	}
}

// TestPanicOfBase checks that a base which panics leaves no body open, and that Do with a nil
// decode is an error.
func TestPanicOfBase(t *testing.T) {
	t.Parallel()
	body := &countingBody{Reader: strings.NewReader("body")}
	tr := &retryhttp.Transport{Base: roundTripper(func(*http.Request) (*http.Response, error) { panic("boom") })}
	assert.PanicsWithValue(t, "boom", func() { _, _ = tr.RoundTrip(newRequest(t, "PUT", "http://host.example", body)) }) //nolint:bodyclose // there is none
	requireClosedOnce(t, body)
	body = &countingBody{Reader: strings.NewReader("body")}
	_, err := retryhttp.Do[int](nil, newRequest(t, "PUT", "http://host.example", body), nil)
	require.EqualError(t, err, "retryhttp: Do: decode is nil")
	requireClosedOnce(t, body)
}

// hookOption returns a function that makes an option of the hook.
func hookOption(set func(h *retry.Hooks, boom func())) func(*retryhttp.Transport, func()) retry.Option {
	return func(_ *retryhttp.Transport, boom func()) retry.Option {
		var h retry.Hooks
		set(&h, boom)
		return retry.WithHooks(h)
	}
}
