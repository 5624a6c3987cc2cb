package retryhttp_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// streamBody gives a request a body that can be read once.
func streamBody(r *http.Request) {
	r.GetBody = nil
	r.Body = io.NopCloser(onlyReader{strings.NewReader("body")})
}

type unsafeTest struct {
	name, method string
	step         http.HandlerFunc
	edit         func(*http.Request)
	tune         func(*retryhttp.Transport)
	want         string // "": no reason
}

// unsafeTests are requests that are not sent again, and one that is.
var unsafeTests = []unsafeTest{
	{name: "POST", method: "POST", step: hangUp, want: "EOF (not sent again: POST without an Idempotency-Key)"},
	{name: "PATCH, 503", method: "PATCH", step: status(503), want: "503 Service Unavailable (not sent again: PATCH without an Idempotency-Key)"},
	{
		name: "not idempotent", method: "GET", step: hangUp, want: "EOF (not sent again: GET is not idempotent)",
		tune: func(tr *retryhttp.Transport) { tr.IsIdempotent = func(*http.Request) bool { return false } },
	},
	{name: "body was read", method: "PUT", step: hangUp, edit: streamBody, want: "EOF (not sent again: the body was read and has no GetBody)"},
	{name: "body was read, 503", method: "PUT", step: status(503), edit: streamBody, want: "(not sent again: the body was read and has no GetBody)"},
	{name: "pointless", method: "POST", step: raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), want: "(not sent again: POST without an Idempotency-Key)"},
	{name: "idempotent", method: "PUT", step: hangUp},
}

// TestUnsafeSaysWhy checks that the error says why a request was not sent again.
func TestUnsafeSaysWhy(t *testing.T) {
	t.Parallel()
	for _, test := range unsafeTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, test.step)
			tr := &retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy()}
			if test.tune != nil {
				test.tune(tr)
			}
			req := newRequest(t, test.method, s.URL, strings.NewReader("body"))
			if test.edit != nil {
				test.edit(req)
			}
			_, err := retryhttp.Do(&http.Client{Transport: tr}, req, decodeText)
			require.Error(t, err)
			if test.want == "" {
				assert.NotContains(t, err.Error(), "not sent again")
				return
			}
			require.ErrorIs(t, err, retry.ErrPermanent)
			assert.True(t, strings.HasSuffix(err.Error(), test.want), "%v", err)
		})
	}
	t.Run("redirected", func(t *testing.T) {
		t.Parallel()
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+closedAddr(t), http.StatusTemporaryRedirect)
		})
		_, err := retryhttp.Do(&http.Client{Transport: newTransport(t)}, newRequest(t, "POST", s.URL, strings.NewReader("body")), decodeText, quickPolicy())
		require.ErrorIs(t, err, retry.ErrPermanent)
		assert.Contains(t, err.Error(), "(not sent again: POST was redirected and may have been processed)")
	})
	t.Run("decode says so itself", func(t *testing.T) {
		t.Parallel()
		mine := errors.New("no such order")
		_, err := retryhttp.Do(&http.Client{Transport: newTransport(t)}, newRequest(t, "POST", serve(t, status(404)).URL, nil),
			func(*http.Response) (int, error) { return 0, mine }, quickPolicy())
		require.ErrorIs(t, err, mine)
		require.ErrorIs(t, err, retry.ErrPermanent)
	})
}

// TestClassifiersNarrow checks that a policy's own classifiers narrow the tables, never widen
// them, and see a bad status as a *StatusError.
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
			base := &countingBase{base: replies(test.status)}
			resp, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy(test.opt)}).RoundTrip(newRequest(t, test.method, "http://host.example", nil))
			require.NoError(t, err)
			assert.Equal(t, test.status, resp.StatusCode)
			assert.Equal(t, test.want, base.attempts.Load())
		})
	}
}

// TestRetryable checks that Retryable replaces the table of outcomes, but not the rules of
// safety.
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
		{"status it accepts", "GET", replies(418), 3},
		{"status of the table", "GET", replies(503), 1},
		{"refused status of the table", "POST", replies(429), 1},
		{"not safe", "POST", replies(418), 1},
		{"error it accepts", "GET", odd, 3},
		{"error of the table", "GET", even, 1},
		{"error not safe", "POST", odd, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			base := &countingBase{base: test.base}
			tr := &retryhttp.Transport{Base: base, Policy: quickPolicy(), Retryable: teapot}
			resp, err := tr.RoundTrip(newRequest(t, test.method, "http://host.example", nil))
			assert.True(t, (resp == nil) == (err != nil))
			assert.Equal(t, test.want, base.attempts.Load())
		})
	}
}
