package retryhttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

var noWait = retry.WithBackoff(retry.Constant(0))

// decodeText is a decode function that reads the body and leaves it open.
func decodeText(resp *http.Response) (string, error) {
	all, err := io.ReadAll(resp.Body)
	return string(all), err
}

// brokenOff announces one byte more than it sends.
func brokenOff(text string) http.HandlerFunc {
	return raw("HTTP/1.1 200 OK\r\nContent-Length: " + strconv.Itoa(len(text)+1) + "\r\n\r\n" + text)
}

var errUndecodable = errors.New("undecodable")

type doTest struct {
	name     string
	method   string
	steps    []http.HandlerFunc
	decode   func(*http.Response) (string, error)
	want     string
	attempts int
	reason   error
	matches  error
}

// doTests are the outcomes of Do.
var doTests = []doTest{
	{name: "first", method: "GET", steps: []http.HandlerFunc{status(200)}, want: "OK", attempts: 1},
	{name: "status, then success", method: "GET", steps: []http.HandlerFunc{status(503), status(200)}, want: "OK", attempts: 2},
	{name: "body breaks off", method: "GET", steps: []http.HandlerFunc{brokenOff("half"), status(200)}, want: "OK", attempts: 2},
	{
		name: "body always breaks off", method: "GET", steps: []http.HandlerFunc{brokenOff("half")}, want: "half", attempts: 3,
		reason: retry.ErrExhausted, matches: io.ErrUnexpectedEOF,
	},
	{
		name: "body breaks off, not idempotent", method: "POST", steps: []http.HandlerFunc{brokenOff("half")}, want: "half", attempts: 1,
		reason: retry.ErrPermanent, matches: io.ErrUnexpectedEOF,
	},
	{name: "connection breaks off", method: "GET", steps: []http.HandlerFunc{hangUp, status(200)}, want: "OK", attempts: 2},
	{name: "other statuses are decoded", method: "GET", steps: []http.HandlerFunc{status(404)}, want: "Not Found", attempts: 1},
	{name: "refused", method: "POST", steps: []http.HandlerFunc{status(429), status(200)}, want: "OK", attempts: 2},
	{
		name: "decode fails", method: "GET", steps: []http.HandlerFunc{status(200)}, attempts: 3, reason: retry.ErrExhausted, matches: errUndecodable,
		decode: func(*http.Response) (string, error) { return "", errUndecodable },
	},
	{
		name: "decode returns a permanent error", method: "GET", steps: []http.HandlerFunc{status(404)}, attempts: 1, reason: retry.ErrPermanent, matches: errUndecodable,
		decode: func(*http.Response) (string, error) { return "", retry.Permanent(errUndecodable) },
	},
	{
		name: "decode fails, not idempotent", method: "POST", steps: []http.HandlerFunc{status(200)}, attempts: 1, reason: retry.ErrPermanent, matches: errUndecodable,
		decode: func(*http.Response) (string, error) { return "", errUndecodable },
	},
}

func TestDo(t *testing.T) {
	t.Parallel()
	for _, test := range doTests {
		for _, timeout := range []time.Duration{0, time.Minute} {
			t.Run(test.name+", timeout "+timeout.String(), func(t *testing.T) {
				t.Parallel()
				s := serve(t, test.steps...)
				base := &countingBase{base: newTransport(t)}
				decode := test.decode
				if decode == nil {
					decode = decodeText
				}
				got, err := retryhttp.Do(&http.Client{Transport: base}, newRequest(t, test.method, s.URL, nil), decode,
					noWait, retry.WithMaxAttempts(3), retry.WithAttemptTimeout(timeout))
				assert.Equal(t, test.want, got)
				assert.Len(t, s.requests(), test.attempts)
				assert.EqualValues(t, test.attempts, base.attempts.Load())
				assert.Zero(t, base.open.Load(), "decode need not close")
				if test.reason == nil {
					require.NoError(t, err)
					return
				}
				var e *retry.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, test.reason, e.Reason)
				require.ErrorIs(t, err, test.matches)
			})
		}
	}
}

func TestDoStatus(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		method   string
		status   int
		header   []string
		attempts int
		reason   error
	}{
		{method: "GET", status: 503, attempts: 3, reason: retry.ErrExhausted},
		{method: "POST", status: 503, attempts: 1, reason: retry.ErrPermanent},
		{method: "POST", status: 429, attempts: 3, reason: retry.ErrExhausted},
		{method: "GET", status: 503, header: []string{"Retry-After", "3600"}, attempts: 1, reason: retry.ErrRetryAfter},
	} {
		s := serve(t, status(test.status, test.header...))
		base := &countingBase{base: newTransport(t)}
		_, err := retryhttp.Do(&http.Client{Transport: base}, newRequest(t, test.method, s.URL, nil), func(*http.Response) (int, error) {
			t.Error("decoded")
			return 0, nil
		}, noWait, retry.WithMaxAttempts(3))
		var e *retry.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, test.reason, e.Reason)
		var st *retryhttp.StatusError
		require.ErrorAs(t, err, &st)
		assert.Equal(t, test.status, st.StatusCode)
		assert.Len(t, s.requests(), test.attempts)
		assert.Zero(t, base.open.Load())
	}
}

// TestDoDefaults checks that without options the defaults apply, and that a nil client is
// http.DefaultClient.
func TestDoDefaults(t *testing.T) {
	t.Parallel()
	s := serve(t, status(200))
	got, err := retryhttp.Do(nil, newRequest(t, "GET", s.URL, nil), decodeText)
	require.NoError(t, err)
	assert.Equal(t, "OK", got)
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

// TestDoOwnTransport checks that Do and the client's Transport do not multiply their attempts.
// The Transport's settings apply, and the options override its policy.
func TestDoOwnTransport(t *testing.T) {
	t.Parallel()
	s := serve(t, status(404))
	base := &countingBase{base: newTransport(t)}
	client := &http.Client{Transport: &retryhttp.Transport{
		Base: base, Policy: quickPolicy(), AttemptHeader: "X-Attempt", AddIdempotencyKey: true,
		Retryable: func(resp *http.Response, _ error) bool { return resp != nil && resp.StatusCode == 404 },
	}}
	_, err := retryhttp.Do(client, newRequest(t, "POST", s.URL, nil), decodeText)
	require.ErrorIs(t, err, retry.ErrExhausted)
	require.Len(t, s.requests(), 3, "the policy's")
	assert.Equal(t, "3", s.requests()[2].header.Get("X-Attempt"))
	assert.NotEmpty(t, s.requests()[2].header.Get("Idempotency-Key"))

	_, err = retryhttp.Do(client, newRequest(t, "POST", s.URL, nil), decodeText, retry.WithMaxAttempts(2))
	require.ErrorIs(t, err, retry.ErrExhausted)
	assert.Len(t, s.requests(), 5, "the option's")
	assert.Zero(t, base.open.Load())
	_, ok := client.Transport.(*retryhttp.Transport)
	assert.True(t, ok, "the client is the caller's")
}

func TestDoInvalidOption(t *testing.T) {
	t.Parallel()
	body := &countingBody{Reader: strings.NewReader("body")}
	_, err := retryhttp.Do(&http.Client{Transport: replies(200)}, newRequest(t, "PUT", "http://host.example", body), decodeText, retry.WithMaxAttempts(0))
	require.ErrorIs(t, err, retry.ErrOption)
	assert.EqualValues(t, 1, body.closed.Load())
}

func TestDoBody(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503), func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	got, err := retryhttp.Do(&http.Client{Transport: newTransport(t)}, newRequest(t, "PUT", s.URL, strings.NewReader(`{"a":1}`)),
		func(resp *http.Response) (v map[string]int, err error) {
			return v, json.NewDecoder(resp.Body).Decode(&v)
		}, noWait)
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"a": 1}, got)

	body := &countingBody{Reader: strings.NewReader("stream")}
	s = serve(t, brokenOff("half"))
	_, err = retryhttp.Do(&http.Client{Transport: newTransport(t)}, newRequest(t, "PUT", s.URL, body), decodeText, noWait)
	require.ErrorIs(t, err, retry.ErrPermanent, "a stream that was read")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "the original result")
	assert.Len(t, s.requests(), 1)
	requireClosedOnce(t, body)
}

// TestDoWithoutAttempt checks that the body is closed if no attempt is made.
func TestDoWithoutAttempt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	body := &countingBody{Reader: strings.NewReader("body")}
	_, err := retryhttp.Do(&http.Client{Transport: replies(200)}, newRequest(t, "PUT", "http://host.example", body).WithContext(ctx), decodeText)
	require.ErrorIs(t, err, context.Canceled)
	assert.EqualValues(t, 1, body.closed.Load())
}

// TestDoValue checks that a failed call returns the last attempt's value, which may be the zero
// value.
func TestDoValue(t *testing.T) {
	t.Parallel()
	s := serve(t, brokenOff("half"), hangUp)
	got, err := retryhttp.Do(&http.Client{Transport: newTransport(t)}, newRequest(t, "GET", s.URL, nil), decodeText, noWait, retry.WithMaxAttempts(2))
	require.ErrorIs(t, err, io.EOF)
	assert.Empty(t, got)
}

// TestDoCancelled cancels the call while decode reads.
func TestDoCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, base := serveInMemory(t, trickle(200))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		_, err := retryhttp.Do(&http.Client{Transport: base}, newRequest(t, "GET", "http://host.example", nil).WithContext(ctx), decodeText, noWait)
		require.ErrorIs(t, err, retry.ErrContext)
		require.ErrorIs(t, err, context.Canceled)
		assert.Len(t, s.requests(), 1)
		assert.LessOrEqual(t, time.Since(start), 1100*time.Millisecond)
	})
}

// TestDoAttemptTimeout checks that each attempt has its own timeout, which includes the body.
func TestDoAttemptTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, base := serveInMemory(t, trickle(200), status(200))
		got, err := retryhttp.Do(&http.Client{Transport: base}, newRequest(t, "GET", "http://host.example", nil), decodeText,
			noWait, retry.WithAttemptTimeout(time.Second))
		require.NoError(t, err)
		assert.Equal(t, "OK", got)
		assert.Len(t, s.requests(), 2)
		var at []time.Duration
		for _, r := range s.requests() {
			at = append(at, r.at.Sub(s.requests()[0].at).Truncate(100*time.Millisecond))
		}
		assert.Equal(t, []time.Duration{0, time.Second}, at)
	})
}

// TestDoCookies checks that each attempt sends a cookie of the client's jar once, and that the
// caller's request does not collect them.
func TestDoCookies(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "body"} {
		s := serve(t, status(200, "Set-Cookie", "id=1"), status(503), status(503), status(200))
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		client := &http.Client{Transport: newTransport(t), Jar: jar}
		var req *http.Request
		for range 2 {
			req = newRequest(t, "PUT", s.URL, nil)
			if body != "" {
				req = newRequest(t, "PUT", s.URL, strings.NewReader(body))
			}
			_, err = retryhttp.Do(client, req, decodeText, noWait, retry.WithAttemptTimeout(time.Minute))
			require.NoError(t, err)
		}
		var got []string
		for _, r := range s.requests() {
			got = append(got, r.header.Get("Cookie"))
		}
		assert.Equal(t, []string{"", "id=1", "id=1", "id=1"}, got)
		assert.Empty(t, req.Header, "the request is not changed")
	}
}

// TestDoClientTimeout checks that the client's Timeout applies to each attempt.
func TestDoClientTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, base := serveInMemory(t, hangs, status(200))
		got, err := retryhttp.Do(&http.Client{Transport: base, Timeout: time.Second}, newRequest(t, "GET", "http://host.example", nil), decodeText, noWait)
		require.NoError(t, err)
		assert.Equal(t, "OK", got)
		assert.Len(t, s.requests(), 2)
	})
}
