package retryhttp_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
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

func TestZeroTransport(t *testing.T) {
	t.Parallel()
	s := serve(t, status(200))
	resp, err := (&retryhttp.Transport{}).RoundTrip(newRequest(t, "GET", s.URL, nil))
	require.NoError(t, err)
	assert.Equal(t, "OK", readBody(t, resp))
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestDefaultPolicy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base := &countingBase{base: replies(503)}
		start := time.Now()
		resp, err := (&retryhttp.Transport{Base: base}).RoundTrip(newRequest(t, "GET", "http://host.example", nil))
		require.NoError(t, err)
		assert.Equal(t, 503, resp.StatusCode)
		assert.EqualValues(t, 5, base.attempts.Load(), "the core's default")
		assert.LessOrEqual(t, time.Since(start), 1500*time.Millisecond)
		assert.Positive(t, time.Since(start))
	})
}

// A validator would make an unsafe request repeatable.
func TestValidator(t *testing.T) {
	t.Parallel()
	reject := retry.WithValidator(func(string, retry.Attempt) error { return nil })
	base := &countingBase{base: replies(200)}
	_, err := retryhttp.Do(&http.Client{Transport: base}, newRequest(t, "GET", "http://host.example", nil), decodeText, reject)
	require.ErrorIs(t, err, retry.ErrOption)
	require.ErrorContains(t, err, "retryhttp: validators are not for requests; let the decode function of Do return an error")
	assert.Zero(t, base.attempts.Load())
}

func TestInvalidOptions(t *testing.T) {
	t.Parallel()
	reject := retry.WithValidator(func(string, retry.Attempt) error { return nil })
	for name, tr := range map[string]*retryhttp.Transport{
		"validator":          {Policy: retry.MustNew(reject)},
		"budget of the host": {HostBudget: retryhttp.HostBudgets(-1, 10)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := &countingBase{base: replies(200)}
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

type idleCloser struct {
	http.RoundTripper
	closed int
}

func (c *idleCloser) CloseIdleConnections() { c.closed++ }

func TestCloseIdleConnections(t *testing.T) {
	t.Parallel()
	base := &idleCloser{RoundTripper: replies(503)}
	tr := &retryhttp.Transport{Base: base, Policy: quickPolicy()}
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
		Base: newTransport(t), Policy: quickPolicy(retry.WithMaxAttempts(20), retry.WithAttemptTimeout(time.Minute)),
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
		assert.Equal(t, "OK", readBody(t, resp))
		client.CloseIdleConnections()
	})
}

// TestRedirects checks that each hop of a client is a call of its own.
func TestRedirects(t *testing.T) {
	t.Parallel()
	redirect := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/next", code) }
	}
	s := serve(t, status(503), redirect(307), status(503), status(200))
	client := &http.Client{Transport: &retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy()}}
	resp, err := client.Do(newRequest(t, "PUT", s.URL+"/first", strings.NewReader("body")))
	require.NoError(t, err)
	assert.Equal(t, "OK", readBody(t, resp))
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
	client := &http.Client{Transport: &retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy()}}
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
	client := &http.Client{Transport: &retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy()}, Jar: jar}
	for range 2 {
		resp, err := client.Do(newRequest(t, "GET", s.URL, nil))
		require.NoError(t, err)
		assert.Equal(t, "OK", readBody(t, resp))
	}
	var got []string
	for _, r := range s.requests() {
		got = append(got, r.header.Get("Cookie"))
	}
	assert.Equal(t, []string{"", "id=1", "id=1"}, got)
}
