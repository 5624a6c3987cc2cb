package retryhttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

func TestStatusError(t *testing.T) {
	t.Parallel()
	get := func(t *testing.T, method, url string, resp *http.Response) *retryhttp.StatusError {
		t.Helper()
		var got *retryhttp.StatusError
		policy := quickPolicy(retry.WithMaxAttempts(1), retry.WithHooks(retry.Hooks{AfterAttempt: func(_ context.Context, a retry.Attempt) {
			require.ErrorAs(t, a.Err, &got)
		}}))
		base := roundTripper(func(*http.Request) (*http.Response, error) { return resp, nil })
		req := newRequest(t, method, url, nil)
		req.Method = method
		_, err := (&retryhttp.Transport{Base: base, Policy: policy}).RoundTrip(req)
		require.NoError(t, err)
		require.NotNil(t, got)
		return got
	}
	t.Run("fields", func(t *testing.T) {
		t.Parallel()
		e := get(t, "PUT", "http://host.example:8080/path?query", reply(nil, 503, "", "Retry-After", "30"))
		assert.Equal(t, 503, e.StatusCode)
		assert.Equal(t, "503 Service Unavailable", e.Status)
		assert.Equal(t, "PUT host.example:8080: 503 Service Unavailable", e.Error())
		d, ok := e.RetryAfter()
		assert.True(t, ok)
		assert.Equal(t, 30*time.Second, d)
	})
	t.Run("what a response leaves out", func(t *testing.T) {
		t.Parallel()
		e := get(t, "", "http://host.example", &http.Response{StatusCode: 429})
		assert.Equal(t, "GET host.example: 429 Too Many Requests", e.Error())
		_, ok := e.RetryAfter()
		assert.False(t, ok)
	})
	for code, timeout := range map[int]bool{408: true, 504: true, 500: false, 502: false, 503: false, 429: false} {
		assert.Equal(t, timeout, get(t, "GET", "http://host.example", reply(nil, code, "")).Timeout(), code)
	}
	t.Run("made by hand", func(t *testing.T) {
		t.Parallel()
		e := &retryhttp.StatusError{StatusCode: 503, Status: "503 Busy"}
		assert.Contains(t, e.Error(), "503 Busy")
		_, ok := e.RetryAfter()
		assert.False(t, ok)
	})
}

// TestRateLimitTable checks the table's row for 403.
func TestRateLimitTable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		header  []string
		retried bool
	}{
		{"plain", nil, false},
		{"nothing remains", []string{"X-RateLimit-Remaining", "0"}, true},
		{"nothing remains, without X", []string{"RateLimit-Remaining", "0"}, true},
		{"nothing remains, list", []string{"RateLimit", `"x";r=0`}, true},
		{"something remains", []string{"X-RateLimit-Remaining", "4999"}, false},
		{"garbage remains", []string{"X-RateLimit-Remaining", "x"}, false},
		{"reset alone", []string{"X-RateLimit-Reset", "1"}, false},
		{"Retry-After", []string{"Retry-After", "0"}, true},
		{"Retry-After-Ms", []string{"Retry-After-Ms", "1"}, true},
		{"bad Retry-After", []string{"Retry-After", "soon"}, false},
	} {
		for _, method := range []string{"GET", "POST"} {
			t.Run(test.name+", "+method, func(t *testing.T) {
				t.Parallel()
				s := serve(t, status(403, test.header...))
				tr := &retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy()}
				resp, err := tr.RoundTrip(newRequest(t, method, s.URL, nil))
				require.NoError(t, err)
				_ = readBody(t, resp)
				assert.Equal(t, 403, resp.StatusCode)
				want := 1
				if test.retried {
					want = 3
				}
				assert.Len(t, s.requests(), want)
			})
		}
	}
}

// TestShouldRetryTable checks the table's rows for X-Should-Retry.
func TestShouldRetryTable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name               string
		code               int
		header             []string
		idempotent, others int
	}{
		{"true makes 409 retryable", 409, []string{"X-Should-Retry", "true"}, 3, 1},
		{"true, Stripe", 409, []string{"Stripe-Should-Retry", "true"}, 3, 1},
		{"true, upper case and blanks", 409, []string{"X-Should-Retry", " TRUE "}, 3, 1},
		{"true changes nothing for 503", 503, []string{"X-Should-Retry", "true"}, 3, 1},
		{"true changes nothing for 429", 429, []string{"X-Should-Retry", "true"}, 3, 3},
		{"true does not matter for a success", 200, []string{"X-Should-Retry", "true"}, 1, 1},
		{"true does not matter for a redirect", 302, []string{"X-Should-Retry", "true"}, 1, 1},
		{"false", 503, []string{"X-Should-Retry", "false"}, 1, 1},
		{"false, Stripe", 503, []string{"Stripe-Should-Retry", "false"}, 1, 1},
		{"false of a 429", 429, []string{"X-Should-Retry", "false"}, 1, 1},
		{"false of a 403", 403, []string{"X-Should-Retry", "false", "Retry-After", "0"}, 1, 1},
		{"false wins", 503, []string{"X-Should-Retry", "true", "Stripe-Should-Retry", "false"}, 1, 1},
		{"another value is ignored", 503, []string{"X-Should-Retry", "maybe"}, 3, 1},
		{"another value is ignored, 409", 409, []string{"X-Should-Retry", "1"}, 1, 1},
	} {
		for method, want := range map[string]int{"GET": test.idempotent, "POST": test.others} {
			t.Run(test.name+", "+method, func(t *testing.T) {
				t.Parallel()
				s := serve(t, status(test.code, test.header...))
				resp, err := (&retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy()}).RoundTrip(newRequest(t, method, s.URL, nil))
				require.NoError(t, err)
				_ = readBody(t, resp)
				assert.Equal(t, test.code, resp.StatusCode)
				assert.Len(t, s.requests(), want)
			})
		}
	}
}

// TestStatusErrorText checks that the text of a StatusError made by hand is safe too.
func TestStatusErrorText(t *testing.T) {
	t.Parallel()
	assert.EqualError(t, &retryhttp.StatusError{StatusCode: 503}, "503 Service Unavailable")
	assert.EqualError(t, &retryhttp.StatusError{StatusCode: 503, Status: "503 \x1b[1mBusy\n"}, `503 \x1b[1mBusy`)
	assert.Less(t, len((&retryhttp.StatusError{Status: strings.Repeat("x", 1<<20)}).Error()), 300)
}

// TestLongNames checks that a text does not repeat the whole of a long host or method.
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

// TestNilStatusError checks that a nil *StatusError does not panic, even within other errors.
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

// TestStatusTable checks the table of statuses for every status from 200 to 599.
func TestStatusTable(t *testing.T) {
	t.Parallel()
	processed := []int{408, 500, 502, 503, 504, 529}
	refused := []int{421, 425, 429}
	for code := 200; code <= 599; code++ {
		for method, retried := range map[string]bool{
			"GET":  slices.Contains(processed, code) || slices.Contains(refused, code),
			"POST": slices.Contains(refused, code),
		} {
			base := &countingBase{base: replies(code)}
			resp, err := (&retryhttp.Transport{Base: base, Policy: quickPolicy()}).RoundTrip(newRequest(t, method, "http://host.example", nil))
			require.NoError(t, err)
			require.Equal(t, code, resp.StatusCode)
			want := int64(1)
			if retried {
				want = 3
			}
			require.Equal(t, want, base.attempts.Load(), "%s %d", method, code)
		}
	}
}
