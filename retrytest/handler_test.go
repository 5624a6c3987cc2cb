package retrytest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrytest"
)

// get sends one request to h.
func get(h http.Handler) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	return w.Result()
}

func TestHandler(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		statuses []int
		want     []int
	}{
		"none":     {nil, []int{200, 200}},
		"one":      {[]int{404}, []int{404, 404, 404}},
		"several":  {[]int{503, 429, 200}, []int{503, 429, 200, 200, 200}},
		"no body":  {[]int{204, 304}, []int{204, 304, 304}},
		"unknown":  {[]int{599, 999}, []int{599, 999}},
		"redirect": {[]int{302, 200}, []int{302, 200}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := append([]int(nil), row.statuses...)
			h := retrytest.Handler(given...)
			clear(given) // the handler has a copy
			for i, status := range row.want {
				response := get(h)
				body, err := io.ReadAll(response.Body)
				require.NoError(t, err)
				assert.Equal(t, status, response.StatusCode, "request %d", i+1)
				if status == 204 || status == 304 {
					assert.Empty(t, body)
				} else {
					assert.Equal(t, http.StatusText(status), string(body))
				}
				assert.NotContains(t, response.Header, "Retry-After")
			}
		})
	}
}

func TestHandlerRetryAfter(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		d    time.Duration
		want string
	}{
		"whole seconds": {2 * time.Second, "2"},
		"rounded up":    {2*time.Second + 1, "3"},
		"a bit":         {1, "1"},
		"zero":          {0, "0"},
		"longest":       {1<<63 - 1, "9223372037"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := retrytest.HandlerRetryAfter(row.d, 429, 503, 500, 200)
			for _, want := range []struct {
				status int
				header string
			}{{429, row.want}, {503, row.want}, {500, ""}, {200, ""}, {200, ""}} {
				response := get(h)
				assert.Equal(t, want.status, response.StatusCode)
				assert.Equal(t, want.header, response.Header.Get("Retry-After"), "status %d", want.status)
			}
		})
	}
}

func TestHandlerPanics(t *testing.T) {
	t.Parallel()
	for _, status := range []int{-1, 0, 100, 199, 1000} {
		assert.Panics(t, func() { retrytest.Handler(200, status) }, "status %d", status)
		assert.Panics(t, func() { retrytest.HandlerRetryAfter(0, status) }, "status %d", status)
	}
	assert.PanicsWithValue(t, "retrytest: Handler: status 42 is not from 200 to 999", func() { retrytest.Handler(42) })
	assert.PanicsWithValue(t, "retrytest: HandlerRetryAfter: -1s is negative",
		func() { retrytest.HandlerRetryAfter(-time.Second, 503) })
}

// TestHandlerIsConcurrent checks requests of many clients over real connections. Each status is
// used once, and the last one for all further requests.
func TestHandlerIsConcurrent(t *testing.T) {
	t.Parallel()
	const clients, each = 4, 10
	server := httptest.NewServer(retrytest.Handler(503, 429, 500, 204, 200))
	defer server.Close()
	var statuses [1000]atomic.Int64
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for range each {
				response, err := server.Client().Get(server.URL)
				if !assert.NoError(t, err) {
					return
				}
				statuses[response.StatusCode].Add(1)
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		})
	}
	wg.Wait()
	for _, status := range []int{503, 429, 500, 204} {
		assert.EqualValues(t, 1, statuses[status].Load(), "status %d", status)
	}
	assert.EqualValues(t, clients*each-4, statuses[200].Load())
}
