package retryhttp_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// What hostile servers, careless callers and callbacks that panic must not bring about.

// TestLargestBuffer holds that no limit of MaxBodyBuffer loses the body.
func TestLargestBuffer(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{math.MinInt64, -1, 0, 3, 4, 5, math.MaxInt64 - 1, math.MaxInt64} {
		for _, length := range []int64{-1, 4} {
			t.Run(fmt.Sprint(limit, length), func(t *testing.T) {
				t.Parallel()
				s := serve(t, status(503), status(200))
				req := newRequest(t, "PUT", s.URL, onlyReader{strings.NewReader("body")})
				req.ContentLength = length
				resp, err := (&retryhttp.Transport{Base: direct(t), Policy: quick(), MaxBodyBuffer: limit}).RoundTrip(req)
				require.NoError(t, err)
				_ = text(t, resp)
				want := 1
				if limit >= 4 {
					want = 2
				}
				assert.Len(t, s.requests(), want)
				for _, a := range s.requests() {
					assert.Equal(t, "body", a.body)
				}
			})
		}
	}
}

// TestHistoryMemory holds that what is kept of failed attempts keeps neither requests nor
// bodies nor contexts alive.
func TestHistoryMemory(t *testing.T) { //nolint:paralleltest // it measures the process's memory
	const each, n = 1 << 20, 50
	type key struct{}
	for _, way := range []string{"Transport", "Do"} { //nolint:paralleltest // see above
		t.Run(way, func(t *testing.T) { //nolint:paralleltest // see above
			h := retry.NewHistory(10 * n)
			policy := quick(retry.WithHistory(h), retry.WithMaxAttempts(2), retry.WithAttemptTimeout(time.Minute))
			tr := &retryhttp.Transport{Base: replies(503), Policy: policy}
			var kept []error
			call := func() {
				ctx := context.WithValue(t.Context(), key{}, make([]byte, each))
				address := "http://host.example/" + strings.Repeat("x", each)
				req, err := http.NewRequestWithContext(ctx, "PUT", address, bytes.NewReader(make([]byte, each)))
				require.NoError(t, err)
				req.Header.Set("X-Large", strings.Repeat("x", each))
				if way == "Do" {
					_, err = retryhttp.Do(&http.Client{Transport: tr}, req, decodeText)
				} else {
					var resp *http.Response
					resp, err = tr.RoundTrip(req)
					require.NoError(t, err)
					err = retryhttp.Check(resp)
					_ = text(t, resp)
				}
				require.Error(t, err)
				kept = append(kept, err)
			}
			call()
			before := heap()
			for range n {
				call()
			}
			assert.Less(t, heap()-before, int64(each), "%d calls of 4 MiB each", n)
			assert.Equal(t, 2*(n+1), h.Len())
			runtime.KeepAlive(kept)
		})
	}
}

// TestServerTexts holds that what a server writes gets into texts, logs and histories as one
// line of some hundred bytes, without characters that control a terminal or reorder a text.
func TestServerTexts(t *testing.T) {
	t.Parallel()
	const escape = "\x1b[31mred\u202e\u0007"
	long := strings.Repeat("x", 500<<10)
	for name, step := range map[string]http.HandlerFunc{
		"status line, long":       raw("HTTP/1.1 503 " + long + "\r\nContent-Length: 0\r\n\r\n"),
		"status line, escapes":    raw("HTTP/1.1 503 " + escape + "\r\nContent-Length: 0\r\n\r\n"),
		"no HTTP, long":           raw(long + "\r\n\r\n"),
		"no HTTP, escapes":        raw(escape + "\r\n\r\n"),
		"status, long":            raw("HTTP/1.1 " + long + "\r\n\r\n"),
		"header, escapes":         raw("HTTP/1.1 200 OK\r\n" + escape + "\r\n\r\n"),
		"length, long":            raw("HTTP/1.1 200 OK\r\nContent-Length: " + long + "\r\n\r\n"),
		"transfer encoding, long": raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + long + "\r\n\r\n"),
		"Location, long":          status(302, "Location", "gopher"+long+"://host"),
		"Location, escapes":       status(302, "Location", "http://host\u202e/%zz\x1b"),
	} {
		for _, way := range []string{"Transport", "Do"} {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				s := serve(t, step)
				var logged bytes.Buffer
				var texts []string
				keep := func(err error) {
					var status *retryhttp.StatusError
					if errors.As(err, &status) {
						texts = append(texts, status.Status, fmt.Sprintf("%+v", status))
					}
					texts = append(texts, err.Error(), fmt.Sprintf("%+v", err))
				}
				h := retry.NewHistory(10)
				policy := quick(retry.WithHistory(h), retry.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))),
					retry.WithHooks(retry.Hooks{AfterAttempt: func(_ context.Context, a retry.Attempt) {
						if a.Err != nil {
							keep(a.Err)
						}
					}}))
				tr := &retryhttp.Transport{Base: direct(t), Policy: policy}
				if way == "Do" {
					_, err := retryhttp.Do(&http.Client{Transport: tr}, newRequest(t, "GET", s.URL, nil), decodeText)
					require.Error(t, err)
					keep(err)
				} else {
					resp, err := tr.RoundTrip(newRequest(t, "GET", s.URL, nil))
					if err == nil {
						if err = retryhttp.Check(resp); err == nil {
							err = io.EOF
						}
						_ = resp.Body.Close()
					}
					keep(err)
				}
				for a := range h.All() {
					if a.Err != nil {
						keep(a.Err)
					}
				}
				for _, record := range strings.SplitAfter(logged.String(), "\n") {
					texts = append(texts, strings.TrimSuffix(record, "\n"))
				}
				for _, text := range texts {
					assert.Less(t, len(text), 2500, "%.60q", text)
					for _, c := range text {
						require.False(t, unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c), "%.60q", text)
					}
				}
			})
		}
	}
}

// TestStatusErrorText holds that a StatusError that somebody made by hand is as safe.
func TestStatusErrorText(t *testing.T) {
	t.Parallel()
	assert.EqualError(t, &retryhttp.StatusError{StatusCode: 503}, "503 Service Unavailable")
	assert.EqualError(t, &retryhttp.StatusError{StatusCode: 503, Status: "503 \x1b[1mBusy\n"}, `503 \x1b[1mBusy`)
	assert.Less(t, len((&retryhttp.StatusError{Status: strings.Repeat("x", 1<<20)}).Error()), 300)
}

// TestLongNames holds that a host and a method that are too long are cut in texts.
func TestLongNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100<<10)
	for name, edit := range map[string]func(*http.Request){
		"host":   func(r *http.Request) { r.URL.Host = long },
		"Host":   func(r *http.Request) { r.URL.Host, r.Host = "", long },
		"method": func(r *http.Request) { r.Method = long },
	} {
		req := newRequest(t, "GET", "http://host.example", nil)
		edit(req)
		assert.Less(t, len(retryhttp.Check(reply(req, 404, "")).Error()), 350, name)
	}
}

// TestNilStatusError holds that a typed nil is survived, also beneath other errors.
func TestNilStatusError(t *testing.T) {
	t.Parallel()
	var status *retryhttp.StatusError
	assert.Equal(t, "<nil>", status.Error())
	_, hinted := status.RetryAfter()
	assert.False(t, hinted)
	assert.False(t, status.Timeout())
	require.NoError(t, status.Unwrap())
	for _, err := range []error{status, fmt.Errorf("wrapped: %w", status), errors.Join(io.EOF, status), retry.Permanent(status)} {
		assert.False(t, retryhttp.Transient(retry.Attempt{Err: err}))
	}
}

// broken is an error whose methods panic.
type broken struct{}

func (broken) Error() string   { panic("no text") }
func (broken) Timeout() bool   { panic("no answer") }
func (broken) Is(error) bool   { panic("no answer") }
func (broken) As(any) bool     { panic("no answer") }
func (broken) Unwrap() []error { panic("no tree") }

// circle is an error that unwraps to itself.
type circle struct{}

func (c circle) Error() string { return "circle" }
func (c circle) Unwrap() error { return c }

// nilErrors are errors that panic when they are asked something.
func nilErrors() map[string]error {
	return map[string]error{
		"panics":                      broken{},
		"panics, wrapped":             &url.Error{Op: "Get", URL: "http://host.example/path", Err: broken{}},
		"panics, joined":              errors.Join(io.EOF, broken{}),
		"circle":                      circle{},
		"nil url.Error":               (*url.Error)(nil),
		"url.Error of nil":            &url.Error{Op: "Get", URL: "http://host.example"},
		"nil net.OpError":             (*net.OpError)(nil),
		"nil net.DNSError":            (*net.DNSError)(nil),
		"dial error of nil":           &net.OpError{Op: "dial"},
		"SOCKS error of nil":          &net.OpError{Op: "socks connect"},
		"nil certificate error":       (*tls.CertificateVerificationError)(nil),
		"nil StatusError":             (*retryhttp.StatusError)(nil),
		"nil StatusError, marked":     retry.Permanent((*retryhttp.StatusError)(nil)),
		"nil retry.Error":             (*retry.Error)(nil),
		"nil retry.Error, wrapped":    fmt.Errorf("wrapped: %w", (*retry.Error)(nil)),
		"nil net.DNSError, marked":    retry.After(1, (*net.DNSError)(nil)),
		"nil url.Error within others": &url.Error{Op: "Get", Err: errors.Join((*url.Error)(nil), (*net.OpError)(nil))},
	}
}

// TestErrorsThatPanic holds that errors which panic do not bring a call down, and that a call
// ends with an error whose text can be had.
func TestErrorsThatPanic(t *testing.T) {
	t.Parallel()
	for name, fault := range nilErrors() {
		for _, method := range []string{"GET", "POST"} {
			for _, way := range []string{"Transport", "Do", "decode"} {
				t.Run(name+", "+method+", "+way, func(t *testing.T) {
					t.Parallel()
					base := roundTripper(func(*http.Request) (*http.Response, error) { return nil, fault })
					decode := decodeText
					if way == "decode" {
						base = replies(200)
						decode = func(*http.Response) (string, error) { return "", fault }
					}
					policy := quick(retry.WithLogger(slog.New(slog.DiscardHandler)), retry.WithRetryIf(retryhttp.Transient, retry.Transient))
					tr := &retryhttp.Transport{Base: base, Policy: policy}
					req := newRequest(t, method, "https://host.example", strings.NewReader("body"))
					var err error
					if way == "Transport" {
						_, err = tr.RoundTrip(req) //nolint:bodyclose // there is none
					} else if name != "panics" && !strings.HasPrefix(name, "nil") || way == "decode" { // http.Client itself asks such an error
						_, err = retryhttp.Do(&http.Client{Transport: tr}, req, decode)
					} else {
						return
					}
					require.Error(t, err)
					assert.NotEmpty(t, err.Error())
				})
			}
		}
		t.Run(name+", Transient", func(t *testing.T) {
			t.Parallel()
			assert.NotPanics(t, func() { retryhttp.Transient(retry.Attempt{Err: fault}) })
		})
	}
}

// TestPanicsLeakNothing holds that a panic, or the end of the goroutine, in a function of the
// caller's leaves neither a response nor a request's body open.
func TestPanicsLeakNothing(t *testing.T) {
	t.Parallel()
	type fields = retryhttp.Transport
	panics := map[string]func(tr *fields, boom func()) retry.Option{
		"WithRetryIf": func(_ *fields, boom func()) retry.Option {
			return retry.WithRetryIf(func(retry.Attempt) bool { boom(); return true })
		},
		"WithStopIf": func(_ *fields, boom func()) retry.Option {
			return retry.WithStopIf(func(retry.Attempt) bool { boom(); return true })
		},
		"AfterAttempt": hook(func(h *retry.Hooks, boom func()) { h.AfterAttempt = func(context.Context, retry.Attempt) { boom() } }),
		"BeforeWait":   hook(func(h *retry.Hooks, boom func()) { h.BeforeWait = func(context.Context, retry.Attempt) { boom() } }),
		"Done":         hook(func(h *retry.Hooks, boom func()) { h.Done = func(context.Context, retry.Outcome) { boom() } }),
		"BeforeAttempt": hook(func(h *retry.Hooks, boom func()) {
			h.BeforeAttempt = func(ctx context.Context, _ retry.Attempt) context.Context { boom(); return ctx }
		}),
		"Start": hook(func(h *retry.Hooks, boom func()) {
			h.Start = func(ctx context.Context) context.Context { boom(); return ctx }
		}),
		"backoff": func(_ *fields, boom func()) retry.Option {
			return retry.WithBackoff(retry.BackoffFunc(func(retry.Attempt) time.Duration { boom(); return 0 }))
		},
		"Retryable": func(tr *fields, boom func()) retry.Option {
			tr.Retryable = func(*http.Response, error) bool { boom(); return true }
			return nil
		},
		"Hint": func(tr *fields, boom func()) retry.Option {
			tr.Hint = func(*http.Response) (time.Duration, bool) { boom(); return 0, false }
			return nil
		},
		"IsIdempotent": func(tr *fields, boom func()) retry.Option {
			tr.IsIdempotent = func(*http.Request) bool { boom(); return true }
			return nil
		},
		"HostBudget": func(tr *fields, boom func()) retry.Option {
			tr.HostBudget = func(string) *retry.Budget { boom(); return nil }
			return nil
		},
	}
	for name, set := range panics {
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
						base := &counter{base: direct(t)}
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

// TestPanicOfBase holds that a base which panics leaves no body open, and Do without a decode
// is no panic.
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

// hook returns what sets a hook.
func hook(set func(h *retry.Hooks, boom func())) func(*retryhttp.Transport, func()) retry.Option {
	return func(_ *retryhttp.Transport, boom func()) retry.Option {
		var h retry.Hooks
		set(&h, boom)
		return retry.WithHooks(h)
	}
}

// TestNestedContexts holds that a call within an attempt with a timeout keeps only contexts of
// its own: that a response of the inner call is discarded does not end the outer attempt.
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
				tr := &retryhttp.Transport{Base: direct(t), Policy: quick(derive, retry.WithAttemptTimeout(inner))}
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
					assert.Equal(t, "OK", text(t, resp))
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

// retrieveError is what golang.org/x/oauth2's RetrieveError is, by its fields.
type retrieveError struct {
	Response         *http.Response
	Body             []byte
	ErrorCode        string
	ErrorDescription string
	ErrorURI         string
}

func (e *retrieveError) Error() string { return fmt.Sprintf("oauth2: %q", e.ErrorCode) }

// TestRefusedTokenTable is the row for OAuth2. The real package is in internal/itest.
func TestRefusedTokenTable(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]int64{400: 1, 401: 1, 403: 1, 429: 1, 499: 1, 500: 3, 503: 3, 302: 3} {
		for _, way := range []string{"Transport", "Do"} {
			refusal := &retrieveError{Response: answer(code), ErrorCode: "invalid_grant"}
			base := &counter{base: roundTripper(func(*http.Request) (*http.Response, error) { return nil, fmt.Errorf("wrapped: %w", refusal) })}
			req := newRequest(t, "GET", "http://host.example", nil)
			var err error
			if way == "Do" {
				_, err = retryhttp.Do(&http.Client{Transport: base}, req, decodeText, quick())
			} else {
				_, err = (&retryhttp.Transport{Base: base, Policy: quick()}).RoundTrip(req) //nolint:bodyclose // there is none
			}
			require.ErrorIs(t, err, refusal)
			assert.Equal(t, want, base.attempts.Load(), "%d, %s", code, way)
		}
	}
	for name, other := range map[string]error{
		"no response":   &retrieveError{},
		"nil":           (*retrieveError)(nil),
		"unexported":    &hiddenResponse{response: answer(400)},
		"another field": &otherResponse{Response: 400},
	} {
		assert.True(t, retryhttp.Transient(retry.Attempt{Err: other}), name)
	}
}

type hiddenResponse struct{ response *http.Response }

func (e *hiddenResponse) Error() string { return fmt.Sprint("hidden ", e.response.StatusCode) }

type otherResponse struct{ Response int }

func (e *otherResponse) Error() string { return fmt.Sprint("other ", e.Response) }
