package retryhttp_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retryhttp"
)

// TestNoLeak makes 1,000 requests. Three of ten attempts fail, in the ways that
// servers fail. The test counts what is left. It is not parallel, because it counts the process's
// goroutines.
func TestNoLeak(t *testing.T) { //nolint:paralleltest // see above
	const requests, workers = 1000, 8
	for _, test := range []struct { //nolint:paralleltest // see above
		name     string
		failures []http.HandlerFunc
		conns    int64 // opened at most; net/http may dial more than it needs
	}{
		{"statuses", []http.HandlerFunc{status(503), sized(500, 10<<10, true), sized(502, 60<<10, false)}, 5 * workers},
		{"all", []http.HandlerFunc{
			status(503), sized(500, 10<<10, false), hangUp, reset, brokenOff("half"),
			sized(503, 1<<20, true), raw("HTTP/1.1 2"), status(429),
		}, requests},
	} {
		for _, timeout := range []time.Duration{0, time.Minute} {
			t.Run(fmt.Sprintf("%s, timeout %v", test.name, timeout), func(t *testing.T) { //nolint:paralleltest // see above
				before := runtime.NumGoroutine()
				var n, failed atomic.Int64
				s := serve(t, func(w http.ResponseWriter, r *http.Request) {
					if i := n.Add(1); i%10 < 3 {
						failed.Add(1)
						test.failures[int(i/10*3+i%10)%len(test.failures)](w, r)
						return
					}
					_, _ = io.Copy(w, r.Body)
				})
				base := newTransport(t)
				base.MaxIdleConnsPerHost = workers
				counted := &countingBase{base: base}
				tr := &retryhttp.Transport{Base: counted, Policy: quickPolicy(retry.WithMaxAttempts(20), retry.WithAttemptTimeout(timeout))}
				sendAll(t, tr, s.URL, requests, workers)
				assert.Greater(t, failed.Load(), int64(requests*3/10))
				assert.Zero(t, counted.open.Load(), "bodies")
				assert.LessOrEqual(t, s.opened.Load(), test.conns+workers, "connections opened")
				assert.Eventually(t, func() bool { return s.live.Load() <= workers }, time.Minute, time.Millisecond, "no more than are idle")
				base.CloseIdleConnections()
				assert.Eventually(t, func() bool { return s.live.Load() == 0 }, time.Minute, time.Millisecond, "connections leaked")
				s.Close()
				// Eventually runs a goroutine of its own.
				require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, time.Minute, time.Millisecond, "goroutines leaked")
			})
		}
	}
}

// sendAll sends so many requests, by so many workers.
func sendAll(t *testing.T, tr *retryhttp.Transport, url string, requests, workers int) {
	t.Helper()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range requests / workers {
				resp, err := tr.RoundTrip(newRequest(t, "PUT", url, strings.NewReader("body")))
				if !assert.NoError(t, err) {
					return
				}
				_, _ = io.ReadAll(resp.Body)
				assert.NoError(t, resp.Body.Close())
			}
		})
	}
	wg.Wait()
}
