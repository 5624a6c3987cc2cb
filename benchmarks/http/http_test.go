package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var quick = settings{rounds: 1, requests: 60, workers: 4, limit: 20 * time.Second, batches: 2, batch: 2}

func TestOursLeaksNothing(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{0, maxConns} {
		for _, bytes := range errorBodies {
			t.Run(size(bytes), func(t *testing.T) {
				t.Parallel()
				run, err := runFlaky(quick, ours, bytes, limit)
				require.NoError(t, err)
				assert.InDelta(t, quick.requests, run.answered, 0)
				assert.Zero(t, run.leaked)
				assert.Zero(t, run.seen)
				if limit > 0 {
					assert.LessOrEqual(t, run.idle, float64(limit))
				}
				if bytes <= 64<<10 {
					// The transport may dial for a request that another connection then serves.
					assert.LessOrEqual(t, run.opened, float64(2*quick.workers), "short bodies keep their connection")
				}
			})
		}
	}
}

// The counts show the leaks of a client that neither reads nor closes a response before it retries.
func TestLeaksAreCounted(t *testing.T) {
	t.Parallel()
	leaky := contender{name: "leaky", client: func(base http.RoundTripper) *http.Client {
		return &http.Client{Transport: dropping{base}}
	}}
	run, err := runFlaky(quick, leaky, 1<<10, 0)
	require.NoError(t, err)
	assert.InDelta(t, quick.requests, run.answered, 0)
	assert.InDelta(t, quick.requests, run.leaked, 0)
	assert.InDelta(t, quick.requests, run.seen, 0)

	impatient := quick
	impatient.limit = 100 * time.Millisecond
	run, err = runFlaky(impatient, leaky, 1<<10, maxConns)
	require.NoError(t, err)
	assert.Zero(t, run.answered, "it waits for a connection")
	assert.InDelta(t, maxConns, run.leaked, 0)
}

type dropping struct{ base http.RoundTripper }

func (d dropping) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := d.base.RoundTrip(req)
	if err == nil && resp.StatusCode == http.StatusServiceUnavailable {
		return d.base.RoundTrip(req)
	}
	return resp, err
}

// All clients do the same work: two attempts for each request.
func TestEveryClientAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range append([]contender{byHand, ours, oursTimed}, peers()...) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			run, err := runFlaky(quick, c, 0, 0)
			require.NoError(t, err)
			assert.InDelta(t, quick.requests, run.answered, 0)
		})
	}
}

// TestOurAllocations checks what BENCHMARKS.md says about allocations when nothing fails. It is not
// parallel, because the allocations of other tests would be counted too.
func TestOurAllocations(t *testing.T) {
	alone := allocs(plain.client(stub{}), http.MethodGet)
	assert.LessOrEqual(t, allocs(ours.client(stub{}), http.MethodGet)-alone, 2.0)
}

// TestMeasureCalm is not parallel for the same reason.
func TestMeasureCalm(t *testing.T) {
	rows, err := measureCalm(quick)
	require.NoError(t, err)
	require.Equal(t, plain.name, rows[0].contender.name)
	assert.InDelta(t, 1.0, rows[0].ratio, 0)
	for _, r := range rows {
		assert.Positive(t, r.perRequest, r.contender.name)
		assert.Positive(t, r.bare, r.contender.name)
		assert.GreaterOrEqual(t, r.get, rows[0].get, r.contender.name)
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	good := flakyRun{answered: 60, rate: 12345.6, allocs: 123, opened: 8, idle: 8}
	bad := flakyRun{answered: 3, rate: 1, allocs: 1, opened: 2, leaked: 2, seen: 2}
	text := render(measurement{
		settings: quick,
		free:     []flakyRow{{ours, 1 << 20, good}, {failsafe, 0, bad}},
		limited:  []flakyRow{{ours, 16 << 10, good}, {hashicorp, 1 << 10, bad}},
		calm: []calmRow{
			{contender: plain, perRequest: 40 * time.Microsecond, ratio: 1, bare: 500, get: 8, post: 11},
			{contender: ours, perRequest: 41 * time.Microsecond, ratio: 1.025, bare: 900, get: 10, post: 21},
		},
	})
	for _, line := range []string{
		"| 1 MiB | **retryhttp** | 12346 | 123 | 8 | 8 | 0 | 0 |\n",
		"| 0 | failsafehttp | 1 | 1 | 2 | 0 | **2** | 2 |\n",
		"| 16 KiB | **retryhttp** | 60 of 60 | 12346 | 8 | 0 |\n",
		"| 1 KiB | go-retryablehttp | **3 of 60** | hangs | 2 | **2** |\n",
		"| net/http alone | 40.0 | 100.0 % | 500 | 8 | 11 |\n",
		"| **retryhttp** | 41.0 | 102.5 % | 900 | +2 | +10 |\n",
	} {
		assert.Contains(t, text, line)
	}
	assert.NotContains(t, text, "%!")
	assert.NotContains(t, text, "NaN")
}

func TestMedian(t *testing.T) {
	t.Parallel()
	assert.InDelta(t, 2.0, median([]float64{3, 1, 2}), 0)
	assert.InDelta(t, 2.5, median([]float64{4, 1, 3, 2}), 0)
}
