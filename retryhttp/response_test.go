package retryhttp_test

import (
	"compress/gzip"
	"context"
	"io"
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

// TestDiscardedBeforeWait checks that no response is held during the wait.
func TestDiscardedBeforeWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, base := serveInMemory(t, status(503), status(200))
		counted := &countingBase{base: base}
		policy := retry.MustNew(retry.WithBackoff(retry.Constant(10*time.Second)), retry.WithAttemptTimeout(time.Hour))
		time.AfterFunc(5*time.Second, func() { assert.Zero(t, counted.open.Load(), "in the wait") })
		resp, err := (&retryhttp.Transport{Base: counted, Policy: policy}).RoundTrip(newRequest(t, "GET", "http://host.example", nil))
		require.NoError(t, err)
		assert.EqualValues(t, 1, counted.open.Load(), "the caller closes the last one")
		assert.Equal(t, "OK", readBody(t, resp))
		assert.Zero(t, counted.open.Load())
	})
}

// TestLastResponseUnread checks that the last response is returned unread, whatever ended the
// call, with and without an attempt timeout.
func TestLastResponseUnread(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		status int
		header []string
		opts   []retry.Option
		want   string
	}{
		{name: "success", status: 200, want: "answer 1"},
		{name: "exhausted", status: 503, want: "answer 3"},
		{name: "one attempt", status: 503, opts: []retry.Option{retry.WithMaxAttempts(1)}, want: "answer 1"},
		{name: "not retryable", status: 404, want: "answer 1"},
		{name: "budget", status: 503, opts: []retry.Option{retry.WithBudget(retry.NewBudget(0, 0))}, want: "answer 1"},
		{name: "elapsed", status: 503, opts: []retry.Option{retry.WithMaxElapsed(1), retry.WithBackoff(retry.Constant(time.Hour))}, want: "answer 1"},
		{name: "hint too long", status: 503, header: []string{"Retry-After", "3600"}, want: "answer 1"},
	} {
		for _, timeout := range []time.Duration{0, time.Minute} {
			t.Run(test.name+", timeout "+timeout.String(), func(t *testing.T) {
				t.Parallel()
				n, open := 0, 0
				base := roundTripper(func(req *http.Request) (*http.Response, error) {
					n++
					open++
					resp := reply(req, test.status, "", test.header...)
					resp.Body = &contextBody{Reader: strings.NewReader("answer " + string(rune('0'+n))), ctx: req.Context(), open: &open}
					return resp, nil
				})
				tr := &retryhttp.Transport{Base: base, Policy: quickPolicy(append([]retry.Option{retry.WithAttemptTimeout(timeout)}, test.opts...)...)}
				resp, err := tr.RoundTrip(newRequest(t, "GET", "http://host.example", nil))
				require.NoError(t, err)
				assert.Equal(t, test.status, resp.StatusCode)
				assert.Equal(t, 1, open, "the last and no other")
				assert.Equal(t, test.want, readBody(t, resp))
				assert.Zero(t, open)
			})
		}
	}
}

// contextBody can be read while its request's context lives, like the body of a connection.
type contextBody struct {
	io.Reader
	ctx    context.Context
	open   *int
	closed bool
}

func (b *contextBody) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.Reader.Read(p)
}

func (b *contextBody) Close() error {
	if !b.closed {
		b.closed = true
		*b.open--
	}
	return nil
}

// minute is a policy of one attempt of at most a minute.
var minute = quickPolicy(retry.WithAttemptTimeout(time.Minute), retry.WithMaxAttempts(1))

// responseAndContext makes a call, and returns its response and the attempt's context.
func responseAndContext(t *testing.T, status int, body io.ReadCloser) (*http.Response, context.Context) {
	t.Helper()
	var ctx context.Context
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		ctx = req.Context()
		resp := reply(req, status, "")
		resp.Body = body
		return resp, nil
	})
	req, _ := http.NewRequest("GET", "http://host.example", nil) //nolint:noctx // one without an end
	resp, err := (&retryhttp.Transport{Base: base, Policy: minute}).RoundTrip(req)
	require.NoError(t, err)
	return resp, ctx
}

// TestAttemptTimeoutEnds checks that an attempt's timeout runs until its response's body ends.
func TestAttemptTimeoutEnds(t *testing.T) {
	t.Parallel()
	t.Run("when the body is closed", func(t *testing.T) {
		t.Parallel()
		for _, status := range []int{200, 404, 503} {
			resp, ctx := responseAndContext(t, status, io.NopCloser(strings.NewReader("text")))
			require.NoError(t, ctx.Err(), "after RoundTrip")
			_, err := resp.Body.Read(make([]byte, 1))
			require.NoError(t, err)
			require.NoError(t, ctx.Err(), "after Read")
			require.NoError(t, resp.Body.Close())
			require.Error(t, ctx.Err(), "after Close")
			require.NoError(t, resp.Body.Close(), "twice")
		}
	})
	t.Run("without a body", func(t *testing.T) {
		t.Parallel()
		resp, ctx := responseAndContext(t, 204, http.NoBody)
		require.Error(t, ctx.Err())
		assert.Equal(t, http.NoBody, resp.Body)
		_, ctx = responseAndContext(t, 204, nil)
		require.Error(t, ctx.Err())
	})
	t.Run("at the end of the body", func(t *testing.T) {
		t.Parallel()
		resp, ctx := responseAndContext(t, 200, io.NopCloser(strings.NewReader("text")))
		_, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Error(t, ctx.Err(), "nothing is left to read")
	})
	t.Run("when the response is discarded", func(t *testing.T) {
		t.Parallel()
		var ended []func() error
		base := roundTripper(func(req *http.Request) (*http.Response, error) {
			for _, err := range ended {
				assert.Error(t, err(), "before the next attempt")
			}
			ended = append(ended, req.Context().Err)
			return reply(req, 503, ""), nil
		})
		resp, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy(retry.WithAttemptTimeout(time.Minute))}).RoundTrip(
			newRequest(t, "GET", "http://host.example", nil))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Len(t, ended, 3)
	})
}

// TestAttemptTimeoutInBody checks that an attempt's timeout ends a read of the body that hangs.
func TestAttemptTimeoutInBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, base := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "begin")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		start := time.Now()
		resp, err := (&retryhttp.Transport{Base: base, Policy: minute}).RoundTrip(newRequest(t, "GET", "http://host.example", nil))
		require.NoError(t, err)
		got, err := io.ReadAll(resp.Body)
		assert.Equal(t, "begin", string(got))
		var timeout interface{ Timeout() bool }
		require.ErrorAs(t, err, &timeout)
		assert.True(t, timeout.Timeout())
		assert.Equal(t, time.Minute, time.Since(start))
		require.NoError(t, resp.Body.Close())
	})
}

// TestAttemptTimeout checks that each attempt has its own timeout.
func TestAttemptTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, base := serveInMemory(t, hangs, hangs, status(200))
		start := time.Now()
		resp, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy(retry.WithAttemptTimeout(time.Minute))}).RoundTrip(
			newRequest(t, "GET", "http://host.example", nil))
		require.NoError(t, err)
		assert.Equal(t, "OK", readBody(t, resp))
		assert.Len(t, s.requests(), 3)
		assert.Equal(t, 2*time.Minute, time.Since(start))
	})
}

// TestNoBody checks responses without a body, with an attempt timeout.
func TestNoBody(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		method string
		final  int
	}{{"HEAD", 200}, {"HEAD", 503}, {"GET", 204}, {"GET", 304}, {"PUT", 204}} {
		s := serve(t, status(503), status(503), status(test.final))
		tr := &retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy(retry.WithAttemptTimeout(time.Minute))}
		resp, err := tr.RoundTrip(newRequest(t, test.method, s.URL, nil))
		require.NoError(t, err)
		assert.Equal(t, test.final, resp.StatusCode)
		assert.Empty(t, readBody(t, resp))
		assert.Len(t, s.requests(), 3)
		assert.EqualValues(t, 1, s.opened.Load(), "%s %d", test.method, test.final)
	}
}

// TestCompressed checks that compressed responses are decompressed, both between attempts and
// as the last one.
func TestCompressed(t *testing.T) {
	t.Parallel()
	zipped := func(code int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(code)
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, text)
			_ = z.Close()
		}
	}
	s := serve(t, zipped(503, strings.Repeat("busy", 1000)), zipped(200, "fine"))
	resp, err := (&retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy()}).RoundTrip(newRequest(t, "GET", s.URL, nil))
	require.NoError(t, err)
	assert.True(t, resp.Uncompressed)
	assert.Equal(t, "fine", readBody(t, resp))
	assert.EqualValues(t, 1, s.opened.Load())
}

// TestTrailers checks that the response's trailers arrive.
func TestTrailers(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.WriteString(w, "body")
		w.Header().Set("X-Sum", "42")
	})
	resp, err := (&retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy(retry.WithAttemptTimeout(time.Minute))}).RoundTrip(newRequest(t, "GET", s.URL, nil))
	require.NoError(t, err)
	assert.Equal(t, "body", readBody(t, resp))
	assert.Equal(t, "42", resp.Trailer.Get("X-Sum"))
}
