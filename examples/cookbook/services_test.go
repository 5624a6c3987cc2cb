package cookbook

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// attemptsLeft is the header that tells a service how many attempts its caller will still make.
const attemptsLeft = "X-Attempts-Left"

// callService makes a request to answer the request in, nil at the edge. While a caller above will
// make another attempt this service makes one only: retries happen in one place at a time. Each
// attempt says how many may follow it. It counts those of its own callers too.
func callService(ctx context.Context, policy *retry.Policy, in *http.Request, url string) error {
	above := 0
	if in != nil {
		above, _ = strconv.Atoi(in.Header.Get(attemptsLeft))
	}
	if above > 0 {
		policy = retry.MustNew(policy, retry.WithMaxAttempts(1))
	}
	n := 0
	return policy.Do(ctx, func(ctx context.Context) error {
		n++
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return retry.Permanent(err)
		}
		req.Header.Set(attemptsLeft, strconv.Itoa(above+policy.MaxAttempts()-n))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		return retryhttp.Check(resp)
	})
}

// Three services call one another and the last one is down. Without the header it gets 27 requests.
func TestServices(t *testing.T) {
	t.Parallel()
	policy := retry.MustNew(retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(time.Millisecond)),
		retry.WithRetryIf(retryhttp.Transient))
	for name, row := range map[string]struct {
		header string // the header that a service passes on
		asked  int64
	}{
		"with the header":    {attemptsLeft, 7},
		"without the header": {"X-Other", 27},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			url := ""
			for hop := range 3 {
				next := url
				s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if hop == 0 {
						asked.Add(1)
						w.WriteHeader(http.StatusServiceUnavailable)
						return
					}
					in := r.Clone(r.Context())
					in.Header = http.Header{attemptsLeft: r.Header[row.header]}
					if err := callService(r.Context(), policy, in, next); err != nil {
						w.WriteHeader(http.StatusServiceUnavailable)
					}
				}))
				t.Cleanup(s.Close)
				url = s.URL
			}
			require.Error(t, callService(t.Context(), policy, nil, url))
			assert.Equal(t, row.asked, asked.Load())
		})
	}
}
