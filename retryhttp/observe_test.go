package retryhttp_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// TestHistoryMemory checks that the errors of failed attempts keep no request, body or context
// in memory.
func TestHistoryMemory(t *testing.T) { //nolint:paralleltest // it measures the process's memory
	const each, n = 1 << 20, 50
	type key struct{}
	for _, way := range []string{"Transport", "Do"} { //nolint:paralleltest // see above
		t.Run(way, func(t *testing.T) { //nolint:paralleltest // see above
			h := retry.NewHistory(10 * n)
			policy := quickPolicy(retry.WithHistory(h), retry.WithMaxAttempts(2), retry.WithAttemptTimeout(time.Minute))
			tr := &retryhttp.Transport{Base: replies(503), Policy: policy}
			var kept []error
			call := func() {
				ctx := context.WithValue(t.Context(), key{}, make([]byte, each))
				address := "http://host.example/" + strings.Repeat("x", each)
				req, err := http.NewRequestWithContext(ctx, "PUT", address, bytes.NewReader(make([]byte, each)))
				require.NoError(t, err)
				req.Header.Set("X-Large", strings.Repeat("x", each))
				if way == "Do" {
					_, err = retryhttp.Do(&http.Client{Transport: tr}, req, decodeText)
				} else {
					var resp *http.Response
					resp, err = tr.RoundTrip(req)
					require.NoError(t, err)
					err = retryhttp.Check(resp)
					_ = readBody(t, resp)
				}
				require.Error(t, err)
				kept = append(kept, err)
			}
			call()
			before := heapInUse()
			for range n {
				call()
			}
			assert.Less(t, heapInUse()-before, int64(each), "%d calls of 4 MiB each", n)
			assert.Equal(t, 2*(n+1), h.Len())
			runtime.KeepAlive(kept)
		})
	}
}

// TestHooksAndHistory checks how hooks, a history and the error see statuses.
func TestHooksAndHistory(t *testing.T) {
	t.Parallel()
	var waits, after []error
	var done []retry.Outcome
	shared := retry.NewHistory(10)
	policy := quickPolicy(retry.WithHistory(shared), retry.WithHooks(retry.Hooks{
		BeforeWait:   func(_ context.Context, a retry.Attempt) { waits = append(waits, a.Err) },
		AfterAttempt: func(_ context.Context, a retry.Attempt) { after = append(after, a.Err) },
		Done:         func(_ context.Context, o retry.Outcome) { done = append(done, o) },
	}))
	tr := &retryhttp.Transport{Base: replies(503, 502, 500), Policy: policy}
	resp, err := tr.RoundTrip(newRequest(t, "GET", "http://host.example/path", nil))
	require.NoError(t, err)
	assert.Equal(t, "answer 3", readBody(t, resp))

	codes := func(errs []error) (codes []int) {
		for _, err := range errs {
			var e *retryhttp.StatusError
			require.ErrorAs(t, err, &e)
			codes = append(codes, e.StatusCode)
		}
		return codes
	}
	assert.Equal(t, []int{503, 502}, codes(waits))
	assert.Equal(t, []int{503, 502, 500}, codes(after))
	require.Len(t, done, 1)
	assert.Equal(t, retry.ErrExhausted, done[0].Err.Reason)
	assert.Equal(t, []int{500}, codes([]error{done[0].Err}))
	var kept []error
	for a := range shared.All() {
		kept = append(kept, a.Err)
	}
	assert.Equal(t, []int{503, 502, 500}, codes(kept))
}

// TestErrorHasStatuses checks that the error of a call has the statuses of earlier attempts if
// the last attempt has no response.
func TestErrorHasStatuses(t *testing.T) {
	t.Parallel()
	s := serve(t, status(503), hangUp)
	_, err := (&retryhttp.Transport{Base: newTransport(t), Policy: quickPolicy(retry.WithMaxAttempts(2))}).RoundTrip(newRequest(t, "GET", s.URL, nil))
	var e *retry.Error
	require.ErrorAs(t, err, &e)
	require.ErrorIs(t, err, io.EOF)
	require.Len(t, e.History(), 2)
	var first *retryhttp.StatusError
	require.ErrorAs(t, e.History()[0].Err, &first)
	assert.Equal(t, 503, first.StatusCode)
}
