package retryhttp_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

type scheduleTest struct {
	name     string
	steps    []http.HandlerFunc
	opts     []retry.Option
	deadline time.Duration
	want     []time.Duration
	status   int
}

// scheduleTests have an exponential backoff from one second, without jitter. Virtual time starts at
// 2000-01-01.
var scheduleTests = []scheduleTest{
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
		name: "hint as date", steps: []http.HandlerFunc{status(503, "Retry-After", "Sat, 01 Jan 2000 00:00:07 GMT"), status(200)},
		want: []time.Duration{0, 7 * time.Second}, status: 200,
	},
	{
		name: "hint of 0 is ignored", steps: []http.HandlerFunc{status(503, "Retry-After", "0"), status(200)},
		want: []time.Duration{0, time.Second}, status: 200,
	},
	{
		name: "garbage is ignored", steps: []http.HandlerFunc{status(503, "Retry-After", "soon"), status(200)},
		want: []time.Duration{0, time.Second}, status: 200,
	},
	{
		name: "hint at the limit", steps: []http.HandlerFunc{status(503, "Retry-After", "60"), status(200)},
		want: []time.Duration{0, time.Minute}, status: 200,
	},
	{
		name: "hint above the limit", steps: []http.HandlerFunc{status(503, "Retry-After", "61"), status(200)},
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

// TestSchedule checks the times of the attempts, in virtual time.
func TestSchedule(t *testing.T) {
	t.Parallel()
	for _, test := range scheduleTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, base := serveInMemory(t, test.steps...)
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
				assert.Equal(t, http.StatusText(test.status), readBody(t, resp), "readable")
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

var errUserLeft = errors.New("user left")

// hangsInBody answers with a header alone until the client leaves.
func hangsInBody(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(200)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

type cancellationTest struct {
	name     string
	steps    []http.HandlerFunc
	dial     func(context.Context, string, string) (net.Conn, error)
	scheme   string
	after    time.Duration // 0: before the call
	attempts int
}

// cancellationTests are the phases of a call.
var cancellationTests = []cancellationTest{
	{name: "before", steps: []http.HandlerFunc{status(200)}, attempts: 0},
	{name: "dialing", dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}, after: time.Second, attempts: 1},
	{name: "TLS handshake", steps: []http.HandlerFunc{hangs}, scheme: "https", dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			_, _ = io.Copy(io.Discard, server) // takes what is said and never answers
			_ = server.Close()
		}()
		return client, nil
	}, after: time.Second, attempts: 1},
	{name: "waiting for headers", steps: []http.HandlerFunc{hangs}, after: time.Second, attempts: 1},
	{name: "in the wait", steps: []http.HandlerFunc{status(503)}, after: 5 * time.Second, attempts: 1},
	{name: "waiting for headers of the second", steps: []http.HandlerFunc{status(503), hangs}, after: 15 * time.Second, attempts: 2},
	{name: "reading the final body", steps: []http.HandlerFunc{hangsInBody}, after: time.Second, attempts: 1},
}

// TestCancellation ends the caller's context in every phase of a call. The call ends at once
// with the context's error, and no attempt follows.
func TestCancellation(t *testing.T) {
	t.Parallel()
	for _, test := range cancellationTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, timeout := range []time.Duration{0, time.Hour} {
				synctest.Test(t, func(t *testing.T) { test.run(t, timeout) })
			}
		})
	}
}

func (test cancellationTest) run(t *testing.T, timeout time.Duration) {
	t.Helper()
	_, base := serveInMemory(t, test.steps...)
	if test.dial != nil {
		base.DialContext = test.dial
	}
	counted := &countingBase{base: base}
	tr := &retryhttp.Transport{Base: counted, Policy: retry.MustNew(
		retry.WithBackoff(retry.Constant(10*time.Second)), retry.WithAttemptTimeout(timeout))}
	ctx, cancel := context.WithCancelCause(t.Context())
	if test.after == 0 {
		cancel(errUserLeft)
	}
	start := time.Now()
	timer := time.AfterFunc(test.after, func() { cancel(errUserLeft) })
	defer timer.Stop()
	body := &countingBody{Reader: strings.NewReader("body")}
	req := newRequest(t, "PUT", cmp.Or(test.scheme, "http")+"://host.example/path?query=secret", body).WithContext(ctx)
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("body")), nil }

	resp, err := tr.RoundTrip(req)
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, resp.Body.Close())
		require.ErrorIs(t, err, errUserLeft)
	} else {
		var e *retry.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, retry.ErrContext, e.Reason)
		assert.Equal(t, test.attempts, e.Attempts)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errUserLeft)
		assert.NotContains(t, err.Error(), "secret")
	}
	assert.Equal(t, test.after, time.Since(start), "at once")
	assert.EqualValues(t, test.attempts, counted.attempts.Load())
	synctest.Wait()
	assert.EqualValues(t, 1, body.closed.Load(), "the caller's body is closed once")
	assert.Zero(t, counted.open.Load(), "no response is left open")
}

// TestCancelledWhileDiscarding cancels the call while it reads the slow body of a 503 to its
// end.
func TestCancelledWhileDiscarding(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, base := serveInMemory(t, trickle(503))
		counted := &countingBase{base: base}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		start := time.Now()
		_, err := (&retryhttp.Transport{Base: counted, Policy: quickPolicy()}).RoundTrip(newRequest(t, "GET", "http://host.example", nil).WithContext(ctx))
		require.ErrorIs(t, err, retry.ErrContext)
		require.ErrorIs(t, err, context.Canceled)
		assert.LessOrEqual(t, time.Since(start), 100*time.Millisecond)
		assert.Len(t, s.requests(), 1, "no attempt follows")
		assert.Zero(t, counted.open.Load())
	})
}
