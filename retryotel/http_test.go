package retryotel_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// TestHTTPWithinAttempt makes a call of retryhttp, with hooks that derive contexts, inside an attempt
// with a timeout. The call must not end the attempt's context, whether it has a timeout itself or
// not.
func TestHTTPWithinAttempt(t *testing.T) {
	t.Parallel()
	for _, timeout := range []time.Duration{0, time.Minute} {
		for _, way := range []string{"Transport", "Do"} {
			t.Run(way+", "+timeout.String(), func(t *testing.T) {
				t.Parallel()
				var requests atomic.Int64
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if requests.Add(1) < 3 {
						w.WriteHeader(http.StatusServiceUnavailable)
					}
					_, _ = io.WriteString(w, "hello")
				}))
				defer server.Close()
				k := newKit(t)
				policy := retry.MustNew(k.options(retry.WithBackoff(retry.Constant(0)), retry.WithAttemptTimeout(timeout))...)
				tr := &retryhttp.Transport{Policy: policy}
				attempts := 0
				err := retry.Do(t.Context(), func(ctx context.Context) error {
					attempts++
					got, err := fetchText(ctx, tr, way, server.URL)
					assert.Equal(t, "hello", got)
					assert.NoError(t, ctx.Err(), "the outer attempt's context")
					return err
				}, retry.WithAttemptTimeout(time.Minute), retry.WithMaxAttempts(2))
				require.NoError(t, err)
				assert.Equal(t, 1, attempts)
				assert.EqualValues(t, 3, requests.Load())
				k.assertSpansEnded(t)
			})
		}
	}
}

// fetchText gets the text at the URL, by the Transport or by Do.
func fetchText(ctx context.Context, tr *retryhttp.Transport, way, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	read := func(resp *http.Response) (string, error) {
		text, err := io.ReadAll(resp.Body)
		return string(text), err
	}
	if way == "Do" {
		return retryhttp.Do(&http.Client{Transport: tr}, req, read)
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	return read(resp)
}
