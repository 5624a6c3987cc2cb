package retryhttp_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for code := 0; code < 1000; code++ {
		err := retryhttp.Check(&http.Response{StatusCode: code})
		if code >= 100 && code < 400 {
			require.NoError(t, err, code)
			continue
		}
		var status *retryhttp.StatusError
		require.ErrorAs(t, err, &status, code)
		require.Equal(t, code, status.StatusCode)
	}
}

func TestCheckText(t *testing.T) {
	t.Parallel()
	address := &url.URL{Scheme: "http", Host: "host.example:8080", Path: "/secret", RawQuery: "secret"}
	for _, test := range []struct {
		name string
		resp *http.Response
		want string
	}{
		{"full", &http.Response{StatusCode: 503, Status: "503 Busy", Request: &http.Request{Method: "PUT", URL: address}}, "PUT host.example:8080: 503 Busy"},
		{"no method is GET", &http.Response{StatusCode: 503, Request: &http.Request{URL: address}}, "GET host.example:8080: 503 Service Unavailable"},
		{"no request", &http.Response{StatusCode: 404, Status: "404 Not Found"}, "404 Not Found"},
		{"no status line", &http.Response{StatusCode: 529}, "529"},
		{"no address", &http.Response{StatusCode: 404, Request: &http.Request{}}, "GET: 404 Not Found"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			assert.EqualError(t, retryhttp.Check(test.resp), test.want)
		})
	}
}

// TestCheckTransient checks that Transient goes by the whole response that Check was given, not
// by its status alone.
func TestCheckTransient(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		resp *http.Response
		want bool
	}{
		{"503", newResponse(503), true},
		{"529", newResponse(529), true},
		{"404", newResponse(404), false},
		{"503 with X-Should-Retry: false", newResponse(503, "X-Should-Retry", "false"), false},
		{"409 with X-Should-Retry: true", newResponse(409, "X-Should-Retry", "true"), true},
		{"403", newResponse(403), false},
		{"403, limit used up", newResponse(403, "X-RateLimit-Remaining", "0"), true},
	} {
		assert.Equal(t, test.want, retryhttp.Transient(retry.Attempt{Err: retryhttp.Check(test.resp)}), test.name)
	}
	var status *retryhttp.StatusError
	require.ErrorAs(t, retryhttp.Check(newResponse(429, "Retry-After-Ms", "1500")), &status)
	d, ok := status.RetryAfter()
	assert.True(t, ok)
	assert.Equal(t, 1500*time.Millisecond, d)
}

// TestCheckAfterRedirect checks that an error names the request that was answered, not the
// first one.
func TestCheckAfterRedirect(t *testing.T) {
	t.Parallel()
	last := serve(t, status(503))
	first := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, last.URL, http.StatusSeeOther) })
	_, err := retryhttp.Do(nil, newRequest(t, "PUT", first.URL, nil), decodeText, quickPolicy())
	var status *retryhttp.StatusError
	require.ErrorAs(t, err, &status)
	assert.Equal(t, "GET "+last.Listener.Addr().String()+": 503 Service Unavailable", status.Error())
}

// TestDoCheck checks that in Do an error of Check ends the call, unless another attempt may
// change the status.
func TestDoCheck(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]int{200: 1, 301: 1, 404: 1, 409: 1, 422: 1, 501: 1, 503: 3} {
		s := serve(t, status(code))
		client := &http.Client{Transport: newTransport(t), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		_, err := retryhttp.Do(client, newRequest(t, "GET", s.URL, nil), func(resp *http.Response) (int, error) {
			return 0, retryhttp.Check(resp)
		}, quickPolicy())
		assert.Equal(t, code >= 400, err != nil, code)
		assert.Len(t, s.requests(), want, code)
	}
	t.Run("recorded", func(t *testing.T) {
		t.Parallel()
		r := httptest.NewRecorder()
		r.WriteHeader(http.StatusTeapot)
		assert.EqualError(t, retryhttp.Check(r.Result()), "418 I'm a teapot")
	})
}
