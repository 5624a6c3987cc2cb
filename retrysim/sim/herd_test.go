package sim_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysim/sim"
)

func parse(t testing.TB, name, text string) sim.Policy {
	t.Helper()
	p, err := retry.Parse(text)
	require.NoError(t, err)
	return sim.Policy{Name: name, Policy: p}
}

// TestHerdTable holds the published figures: 60,000 clients, 5 retries, base 1s, cap 30s.
func TestHerdTable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text                string
		peak                      float64
		median, p99, totalsWithin time.Duration
	}{
		{"none", "backoff=exponential(1s,2) jitter=none", 1, 31 * time.Second, 31 * time.Second, 0},
		{"add 25 %", "backoff=exponential(1s,2) jitter=add(0.25)", 0.205, 0, 0, 0},
		{"spread 20 %", "backoff=exponential(1s,2) jitter=spread(0.2)", 0.128, 0, 0, 0},
		{"equal", "backoff=exponential(1s,2) jitter=equal", 0.102, 0, 0, 0},
		{"full", "backoff=exponential(1s,2)", 0.078, 15500 * time.Millisecond, 26600 * time.Millisecond, 200 * time.Millisecond},
		{"decorrelated", "backoff=decorrelated(1s,3)", 0.032, 0, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := sim.Herd{Clients: 60_000, Seed: 1}
			results, err := h.Run(t.Context(), parse(t, tt.name, tt.text+" max_attempts=6 max_delay=30s"))
			require.NoError(t, err)
			t.Logf("%+v", results[0].PeakShare)
			assert.InDelta(t, tt.peak, results[0].PeakShare, 0.003)
			t.Log(results[0].MedianTotal, results[0].P99Total, results[0].AtCapShare, results[0].PeakShareAfterFirst)
			_ = rand.N[int]
		})
	}
}
