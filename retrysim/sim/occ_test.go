package sim_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrysim/sim"
)

// TestOCCTable holds the published figures at 100 clients.
func TestOCCTable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		calls, ms  float64
	}{
		{"none", "backoff=exponential(10ms,2) jitter=none", 1853, 63473},
		{"full", "backoff=exponential(10ms,2)", 796, 4873},
		{"equal", "backoff=exponential(10ms,2) jitter=equal", 812, 6626},
		{"decorrelated", "backoff=decorrelated(5ms,3)", 1004, 4712},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			results, err := sim.OCC{Clients: []int{100}, Seed: 1}.Run(t.Context(), parse(t, tt.name, tt.text+" max_delay=2s"))
			require.NoError(t, err)
			t.Log(results)
			assert.InEpsilon(t, tt.calls, results[0].Calls, 0.05)
			assert.InEpsilon(t, tt.ms, float64(results[0].Time.Milliseconds()), 0.08)
		})
	}
}
