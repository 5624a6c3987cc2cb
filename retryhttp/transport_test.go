package retryhttp_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

var quiet = log.New(io.Discard, "", 0)

func TestZeroTransport(t *testing.T) {
	t.Parallel()
	s := serve(t, status(200))
	resp, err := (&retryhttp.Transport{}).RoundTrip(newRequest(t, "GET", s.URL, nil))
	require.NoError(t, err)
	assert.Equal(t, "OK", text(t, resp))
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestDefaultPolicy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base := &counter{base: replies(503)}
		start := time.Now()
		resp, err := (&retryhttp.Transport{Base: base}).RoundTrip(newRequest(t, "GET", "http://host.example", nil))
		require.NoError(t, err)
		assert.Equal(t, 503, resp.StatusCode)
		assert.EqualValues(t, 5, base.attempts.Load(), "the core's default")
		assert.LessOrEqual(t, time.Since(start), 1500*time.Millisecond)
		assert.Positive(t, time.Since(start))
	})
}

// TestSchedule holds the times at which a server in virtual time is asked.
func TestSchedule(t *testing.T) {
	t.Parallel()
	date := time.Date(2000, 1, 1, 0, 0, 7, 0, time.UTC).Format(http.TimeFormat) // the bubble's time plus 7 s
	tests := []struct {
		name     string
		steps    []http.HandlerFunc
		opts     []retry.Option
		deadline time.Duration
		want     []time.Duration
		status   int
	}{
		{name: "first", steps: []http.HandlerFunc{status(200)}, want: []time.Duration{0}, status: 200},
		{
			name: "backoff", steps: []http.HandlerFunc{status(503), status(502), status(200)},
			want: []time.Duration{0, time.Second, 3 * time.Second}, status: 200,
		},
		{
			name: "exhausted", steps: []http.HandlerFunc{status(503)}, opts: []retry.Option{retry.WithMaxAttempts(4)},
			want: []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second}, status: 503,
		},
		{
			name: "hint", steps: []http.HandlerFunc{status(503, "Retry-After", "9"), status(200)},
			want: []time.Duration{0, 9 * time.Second}, status: 200,
		},
		{
			name: "hint of 429", steps: []http.HandlerFunc{status(429, "Retry-After", "9"), status(200)},
			want: []time.Duration{0, 9 * time.Second}, status: 200,
		},
		{
			name: "hint of 500", steps: []http.HandlerFunc{status(500, "Retry-After", "9"), status(200)},
			want: []time.Duration{0, 9 * time.Second}, status: 200,
		},
		{
			name: "hint as date", steps: []http.HandlerFunc{status(503, "Retry-After", date), status(200)},
			want: []time.Duration{0, 7 * time.Second}, status: 200,
		},
		{
			name: "hint of 0 is none", steps: []http.HandlerFunc{status(503, "Retry-After", "0"), status(200)},
			want: []time.Duration{0, time.Second}, status: 200,
		},
		{
			name: "garbage is none", steps: []http.HandlerFunc{status(503, "Retry-After", "soon"), status(200)},
			want: []time.Duration{0, time.Second}, status: 200,
		},
		{
			name: "hint at the bound", steps: []http.HandlerFunc{status(503, "Retry-After", "60"), status(200)},
			want: []time.Duration{0, time.Minute}, status: 200,
		},
		{
			name: "hint above the bound", steps: []http.HandlerFunc{status(503, "Retry-After", "61"), status(200)},
			want: []time.Duration{0}, status: 503,
		},
		{
			name: "hint past the deadline", steps: []http.HandlerFunc{status(503, "Retry-After", "9"), status(200)},
			deadline: 9 * time.Second, want: []time.Duration{0}, status: 503,
		},
		{
			name: "hint before the deadline", steps: []http.HandlerFunc{status(503, "Retry-After", "9"), status(200)},
			deadline: 9*time.Second + 1, want: []time.Duration{0, 9 * time.Second}, status: 200,
		},
		{
			name: "hint past MaxElapsed", steps: []http.HandlerFunc{status(503, "Retry-After", "9"), status(200)},
			opts: []retry.Option{retry.WithMaxElapsed(5 * time.Second)}, want: []time.Duration{0}, status: 503,
		},
		{
			name: "wait past the deadline", steps: []http.HandlerFunc{status(503), status(503), status(200)},
			deadline: 2 * time.Second, want: []time.Duration{0, time.Second}, status: 503,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, base := inMemory(t, test.steps...)
				tr := &retryhttp.Transport{Base: base, Policy: retry.MustNew(append([]retry.Option{
					retry.WithBackoff(retry.Exponential(time.Second, 2)), retry.WithJitter(retry.NoJitter),
				}, test.opts...)...)}
				ctx, cancel := t.Context(), context.CancelFunc(func() {})
				if test.deadline > 0 {
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
				}
				defer cancel()
				start := time.Now()

				resp, err := tr.RoundTrip(newRequest(t, "GET", "http://host.example", nil).WithContext(ctx))

				require.NoError(t, err)
				assert.Equal(t, test.status, resp.StatusCode)
				assert.Equal(t, http.StatusText(test.status), text(t, resp), "readable")
				var got []time.Duration
				for _, r := range s.requests() {
					got = append(got, r.at.Sub(start))
				}
				assert.Equal(t, test.want, got)
				assert.Equal(t, test.want[len(test.want)-1], time.Since(start), "no wait after the last attempt")
			})
		})
	}
}

// TestCancellation ends the caller's context at every phase of a call: the call ends at once,
// says so, and no attempt follows.
func TestCancellation(t *testing.T) {
	t.Parallel()
	cause := errors.New("user left")
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	stuckBody := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	tests := []struct {
		name     string
		steps    []http.HandlerFunc
		dial     func(context.Context, string, string) (net.Conn, error)
		scheme   string
		after    time.Duration // 0: before the call
		attempts int
	}{
		{name: "before", steps: []http.HandlerFunc{status(200)}, attempts: 0},
		{name: "dialing", dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, after: time.Second, attempts: 1},
		{name: "TLS handshake", steps: []http.HandlerFunc{hang}, scheme: "https", dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go func() {
				_, _ = io.Copy(io.Discard, server) // takes what is said and never answers
				_ = server.Close()
			}()
			return client, nil
		}, after: time.Second, attempts: 1},
		{name: "waiting for headers", steps: []http.HandlerFunc{hang}, after: time.Second, attempts: 1},
		{name: "in the wait", steps: []http.HandlerFunc{status(503)}, after: 5 * time.Second, attempts: 1},
		{name: "waiting for headers of the second", steps: []http.HandlerFunc{status(503), hang}, after: 15 * time.Second, attempts: 2},
		{name: "reading the final body", steps: []http.HandlerFunc{stuckBody}, after: time.Second, attempts: 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, timeout := range []time.Duration{0, time.Hour} {
				synctest.Test(t, func(t *testing.T) {
					_, base := inMemory(t, test.steps...)
					if test.dial != nil {
						base.DialContext = test.dial
					}
					counted := &counter{base: base}
					tr := &retryhttp.Transport{Base: counted, Policy: retry.MustNew(
						retry.WithBackoff(retry.Constant(10*time.Second)), retry.WithAttemptTimeout(timeout))}
					ctx, cancel := context.WithCancelCause(t.Context())
					if test.after == 0 {
						cancel(cause)
					}
					start := time.Now()
					timer := time.AfterFunc(test.after, func() { cancel(cause) })
					defer timer.Stop()
					scheme := "http"
					if test.scheme != "" {
						scheme = test.scheme
					}
					body := &countingBody{Reader: strings.NewReader("body")}
					req := newRequest(t, "PUT", scheme+"://host.example/path?query=secret", body).WithContext(ctx)
					req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("body")), nil }

					resp, err := tr.RoundTrip(req)
					if err == nil {
						_, err = io.ReadAll(resp.Body)
						require.NoError(t, resp.Body.Close())
						require.ErrorIs(t, err, cause)
					} else {
						var e *retry.Error
						require.ErrorAs(t, err, &e)
						assert.Equal(t, retry.ErrContext, e.Reason)
						assert.Equal(t, test.attempts, e.Attempts)
						require.ErrorIs(t, err, context.Canceled)
						require.ErrorIs(t, err, cause)
						assert.NotContains(t, err.Error(), "secret")
					}
					assert.Equal(t, test.after, time.Since(start), "at once")
					assert.EqualValues(t, test.attempts, counted.attempts.Load())
					synctest.Wait()
					assert.EqualValues(t, 1, body.closed.Load(), "the caller's body is closed once")
					assert.Zero(t, counted.open.Load(), "no response is left open")
				})
			}
		})
	}
}

// TestCancelledWhileDiscarding cancels while a 503 that trickles is read to its end.
func TestCancelledWhileDiscarding(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, base := inMemory(t, trickle(503))
		counted := &counter{base: base}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		start := time.Now()
		_, err := (&retryhttp.Transport{Base: counted, Policy: quick()}).RoundTrip(newRequest(t, "GET", "http://host.example", nil).WithContext(ctx))
		require.ErrorIs(t, err, retry.ErrContext)
		require.ErrorIs(t, err, context.Canceled)
		assert.LessOrEqual(t, time.Since(start), 100*time.Millisecond)
		assert.Len(t, s.requests(), 1, "no attempt follows")
		assert.Zero(t, counted.open.Load())
	})
}

func TestOptionFault(t *testing.T) {
	t.Parallel()
	reject := retry.WithValidator(func(string, retry.Attempt) error { return nil })
	for name, tr := range map[string]*retryhttp.Transport{
		"validator":          {Policy: retry.MustNew(reject)},
		"budget of the host": {HostBudget: retryhttp.HostBudgets(-1, 10)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := &counter{base: replies(200)}
			tr.Base = base
			body := &countingBody{Reader: strings.NewReader("body")}
			for range 2 {
				_, err := tr.RoundTrip(newRequest(t, "PUT", "http://host.example", body))
				require.ErrorIs(t, err, retry.ErrOption)
			}
			assert.Zero(t, base.attempts.Load())
			assert.EqualValues(t, 2, body.closed.Load(), "once a call")
		})
	}
}

// TestClassifiersNarrow holds that a policy's own classifiers take away from the tables and
// never add to them, and see a bad status as a *StatusError.
func TestClassifiersNarrow(t *testing.T) {
	t.Parallel()
	is := func(code int) retry.Classifier {
		return retry.Match(func(err error) bool {
			var e *retryhttp.StatusError
			return errors.As(err, &e) && e.StatusCode == code
		})
	}
	always := func(retry.Attempt) bool { return true }
	for _, test := range []struct {
		name   string
		method string
		status int
		opt    retry.Option
		want   int64
	}{
		{"stop if matches", "GET", 503, retry.WithStopIf(is(503)), 1},
		{"stop if does not match", "GET", 503, retry.WithStopIf(is(502)), 3},
		{"retry if matches", "GET", 503, retry.WithRetryIf(is(503)), 3},
		{"retry if does not match", "GET", 503, retry.WithRetryIf(is(502)), 1},
		{"retry if does not widen statuses", "GET", 404, retry.WithRetryIf(always), 1},
		{"retry if does not widen methods", "POST", 503, retry.WithRetryIf(always), 1},
		{"the package's own classifier", "GET", 503, retry.WithRetryIf(retryhttp.Transient), 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			base := &counter{base: replies(test.status)}
			resp, err := (&retryhttp.Transport{Base: base, Policy: quick(test.opt)}).RoundTrip(newRequest(t, test.method, "http://host.example", nil))
			require.NoError(t, err)
			assert.Equal(t, test.status, resp.StatusCode)
			assert.Equal(t, test.want, base.attempts.Load())
		})
	}
}

// TestRetryable holds that Retryable replaces the table of outcomes, but not safety.
func TestRetryable(t *testing.T) {
	t.Parallel()
	teapot := func(resp *http.Response, err error) bool {
		return err != nil && err.Error() == "odd" || resp != nil && resp.StatusCode == 418
	}
	odd := roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("odd") })
	even := roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
	for _, test := range []struct {
		name   string
		method string
		base   http.RoundTripper
		want   int64
	}{
		{"status it wants", "GET", replies(418), 3},
		{"status of the table", "GET", replies(503), 1},
		{"refused status of the table", "POST", replies(429), 1},
		{"not safe", "POST", replies(418), 1},
		{"error it wants", "GET", odd, 3},
		{"error of the table", "GET", even, 1},
		{"error not safe", "POST", odd, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			base := &counter{base: test.base}
			tr := &retryhttp.Transport{Base: base, Policy: quick(), Retryable: teapot}
			resp, err := tr.RoundTrip(newRequest(t, test.method, "http://host.example", nil))
			assert.True(t, (resp == nil) == (err != nil))
			assert.Equal(t, test.want, base.attempts.Load())
		})
	}
}

// TestWatchers holds what hooks, history and the error see of statuses.
func TestWatchers(t *testing.T) {
	t.Parallel()
	var waits, after []error
	var done []retry.Outcome
	shared := retry.NewHistory(10)
	policy := quick(retry.WithHistory(shared), retry.WithHooks(retry.Hooks{
		BeforeWait:   func(_ context.Context, a retry.Attempt) { waits = append(waits, a.Err) },
		AfterAttempt: func(_ context.Context, a retry.Attempt) { after = append(after, a.Err) },
		Done:         func(_ context.Context, o retry.Outcome) { done = append(done, o) },
	}))
	tr := &retryhttp.Transport{Base: replies(503, 502, 500), Policy: policy}
	resp, err := tr.RoundTrip(newRequest(t, "GET", "http://host.example/path", nil))
	require.NoError(t, err)
	assert.Equal(t, "answer 3", text(t, resp))

	codes := func(errs []error) (codes []int) {
		for _, err := range errs {
			var e *retryhttp.StatusError
			require.ErrorAs(t, err, &e)
			codes = append(codes, e.StatusCode)
		}
		return codes
	}
	assert.Equal(t, []int{503, 502}, codes(waits))
	assert.Equal(t, []int{503, 502, 500}, codes(after))
	require.Len(t, done, 1)
	assert.Equal(t, retry.ErrExhausted, done[0].Err.Reason)
	assert.Equal(t, []int{500}, codes([]error{done[0].Err}))
	var kept []error
	for a := range shared.All() {
		kept = append(kept, a.Err)
	}
	assert.Equal(t, []int{503, 502, 500}, codes(kept))
}

// TestErrorHasStatuses holds that the error of a last attempt without a response tells the
// statuses of the attempts before.
func TestErrorHasStatuses(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503), hangUp)
	_, err := (&retryhttp.Transport{Base: direct(t), Policy: quick(retry.WithMaxAttempts(2))}).RoundTrip(newRequest(t, "GET", s.URL, nil))
	var e *retry.Error
	require.ErrorAs(t, err, &e)
	require.ErrorIs(t, err, io.EOF)
	require.Len(t, e.History(), 2)
	var first *retryhttp.StatusError
	require.ErrorAs(t, e.History()[0].Err, &first)
	assert.Equal(t, 503, first.StatusCode)
}

type closer struct {
	http.RoundTripper
	closed int
}

func (c *closer) CloseIdleConnections() { c.closed++ }

func TestCloseIdleConnections(t *testing.T) {
	t.Parallel()
	base := &closer{RoundTripper: replies(503)}
	tr := &retryhttp.Transport{Base: base, Policy: quick()}
	client := &http.Client{Transport: tr}
	resp, err := client.Do(newRequest(t, "GET", "http://host.example", nil))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Zero(t, base.closed, "the caller's idle connections are the caller's")
	client.CloseIdleConnections()
	assert.Equal(t, 1, base.closed)

	assert.NotPanics(t, (&retryhttp.Transport{Base: replies(200)}).CloseIdleConnections, "a base without")
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1)%3 == 0 {
			status(503)(w, r)
			return
		}
		_, _ = io.Copy(w, r.Body)
	})
	tr := &retryhttp.Transport{
		Base: direct(t), Policy: quick(retry.WithMaxAttempts(20), retry.WithAttemptTimeout(time.Minute)),
		AddIdempotencyKey: true, AttemptHeader: "X-Attempt", MaxBodyBuffer: 100, HostBudget: retryhttp.HostBudgets(1, 1000),
	}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			for j := range 4 {
				want := strconv.Itoa(i*10 + j)
				resp, err := tr.RoundTrip(newRequest(t, "POST", s.URL, io.MultiReader(strings.NewReader(want))))
				if !assert.NoError(t, err) {
					return
				}
				got, err := io.ReadAll(resp.Body)
				assert.NoError(t, err)
				assert.NoError(t, resp.Body.Close())
				assert.Equal(t, want, string(got))
			}
		})
	}
	wg.Wait()
}

func TestNewClient(t *testing.T) {
	t.Parallel()
	t.Run("fault", func(t *testing.T) {
		t.Parallel()
		client, err := retryhttp.NewClient(retry.WithMaxAttempts(0))
		require.ErrorIs(t, err, retry.ErrOption)
		assert.Nil(t, client)
	})
	t.Run("retries", func(t *testing.T) {
		t.Parallel()
		client, err := retryhttp.NewClient(retry.WithBackoff(retry.Constant(0)))
		require.NoError(t, err)
		s := serve(t, status(503), status(200))
		resp, err := client.Do(newRequest(t, "GET", s.URL, nil))
		require.NoError(t, err)
		assert.Equal(t, "OK", text(t, resp))
		client.CloseIdleConnections()
	})
}

// TestURLErrorTimeout holds that an error which leaves through http.Client still answers
// Timeout, which url.Error asks of what it wraps directly.
func TestURLErrorTimeout(t *testing.T) {
	t.Parallel()
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, test := range []struct {
		name    string
		step    http.HandlerFunc
		opts    []retry.Option
		client  time.Duration
		timeout bool
	}{
		{"attempt's", hang, []retry.Option{retry.WithAttemptTimeout(time.Second)}, 0, true},
		{"client's", hang, nil, time.Second, true},
		{"no", hangUp, nil, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, base := inMemory(t, test.step)
				client := &http.Client{Transport: &retryhttp.Transport{Base: base, Policy: quick(test.opts...)}, Timeout: test.client}
				_, err := client.Do(newRequest(t, "GET", "http://host.example", nil))
				var e *url.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, test.timeout, e.Timeout())
			})
		})
	}
}

// TestRedirects holds that each hop of a client is a call of its own.
func TestRedirects(t *testing.T) {
	t.Parallel()
	redirect := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/next", code) }
	}
	s := serve(t, status(503), redirect(307), status(503), status(200))
	client := &http.Client{Transport: &retryhttp.Transport{Base: direct(t), Policy: quick()}}
	resp, err := client.Do(newRequest(t, "PUT", s.URL+"/first", strings.NewReader("body")))
	require.NoError(t, err)
	assert.Equal(t, "OK", text(t, resp))
	assert.Equal(t, "/next", resp.Request.URL.Path)
	var got []string
	for _, r := range s.requests() {
		got = append(got, r.method+" "+r.path+" "+r.body)
	}
	assert.Equal(t, []string{"PUT /first body", "PUT /first body", "PUT /next body", "PUT /next body"}, got)
}

func TestRedirectsExhausted(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", 302) })
	client := &http.Client{Transport: &retryhttp.Transport{Base: direct(t), Policy: quick()}}
	resp, err := client.Do(newRequest(t, "GET", s.URL, nil))
	require.ErrorContains(t, err, "stopped after 10 redirects")
	_ = resp.Body.Close()
	assert.Len(t, s.requests(), 10)
}

func TestCookies(t *testing.T) {
	t.Parallel()
	s := serve(t, status(200, "Set-Cookie", "id=1"), status(503), status(200))
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := &http.Client{Transport: &retryhttp.Transport{Base: direct(t), Policy: quick()}, Jar: jar}
	for range 2 {
		resp, err := client.Do(newRequest(t, "GET", s.URL, nil))
		require.NoError(t, err)
		assert.Equal(t, "OK", text(t, resp))
	}
	var got []string
	for _, r := range s.requests() {
		got = append(got, r.header.Get("Cookie"))
	}
	assert.Equal(t, []string{"", "id=1", "id=1"}, got)
}

func TestBaseWithoutAResponse(t *testing.T) {
	t.Parallel()
	calls := 0
	base := roundTripper(func(*http.Request) (*http.Response, error) { calls++; return nil, nil })
	resp, err := (&retryhttp.Transport{Base: base, Policy: quick()}).RoundTrip(newRequest(t, "GET", "http://host.example", nil))
	require.ErrorContains(t, err, "Base returned neither a response nor an error")
	assert.Nil(t, resp)
	assert.Equal(t, 1, calls)
}

// mapContext is a context that cannot be compared.
type mapContext struct {
	context.Context
	values map[string]string
}

func TestContextThatIsNotComparable(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503), status(200))
	req := newRequest(t, "GET", s.URL, nil).WithContext(mapContext{t.Context(), map[string]string{"a": "b"}})
	resp, err := (&retryhttp.Transport{Base: direct(t), Policy: quick()}).RoundTrip(req)
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode)
	require.NoError(t, resp.Body.Close())
}
