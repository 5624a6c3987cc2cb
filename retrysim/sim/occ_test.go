package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry/retrysim/sim"
)

// TestOCCTable checks the published figures for 100 clients. The published decorrelated wait is
// clamped after it was drawn. Ours caps the range: no client waits for exactly the cap, and
// all finish sooner.
func TestOCCTable(t *testing.T) {
	t.Parallel()
	clampedPolicy := parse(t, "decorrelated, clamped", "")
	clampedPolicy.Extend = clamped(2*time.Second, decorrelated(5*time.Millisecond))
	for _, tt := range []struct {
		policy    sim.Policy
		calls, ms float64
		within    float64 // relative error of ms
	}{
		{parse(t, "none", "backoff=exponential(10ms,2) max_delay=2s jitter=none"), 1853, 63473, 0.02},
		{parse(t, "full", "backoff=exponential(10ms,2) max_delay=2s"), 796, 4873, 0.05},
		{parse(t, "equal", "backoff=exponential(10ms,2) max_delay=2s jitter=equal"), 812, 6626, 0.05},
		{parse(t, "decorrelated", "backoff=decorrelated(5ms,3) max_delay=2s"), 1004, 4712, 0.12},
		{clampedPolicy, 1004, 4712, 0.05},
	} {
		t.Run(tt.policy.Name, func(t *testing.T) {
			t.Parallel()
			results, err := sim.OCC{Clients: []int{100}, Seed: 1}.Run(t.Context(), tt.policy)
			require.NoError(t, err)
			r := results[0]
			assert.InEpsilon(t, tt.calls, r.Calls, 0.02)
			assert.InEpsilon(t, tt.ms, float64(r.Time.Milliseconds()), tt.within)
			assert.Zero(t, r.GaveUp)
		})
	}
}

func TestOCCEdges(t *testing.T) {
	t.Parallel()
	results, err := sim.OCC{Clients: []int{1, 30}, Trials: 20}.Run(t.Context(),
		parse(t, "default", ""), parse(t, "limited", "max_attempts=2"), parse(t, "impatient", "attempt_timeout=1ms max_elapsed=5s"))
	require.NoError(t, err)
	require.Len(t, results, 6)
	alone, many, limited, impatient := results[0], results[1], results[3], results[4]
	assert.Equal(t, "default", alone.Policy)
	assert.EqualValues(t, 1, alone.Calls)
	assert.InDelta(t, 40, float64(alone.Time.Milliseconds()), 3, "four messages of 10 ms each")
	assert.Greater(t, many.Calls, 30.0)
	assert.Zero(t, many.GaveUp, "the default max_attempts does not apply")
	assert.Positive(t, limited.GaveUp, "a max_attempts of the policy does")
	assert.LessOrEqual(t, limited.Calls, 60.0)
	assert.Zero(t, impatient.Calls, "a message takes longer than 1 ms, so there is no write")
	assert.EqualValues(t, 1, impatient.GaveUp)
}

func TestOCCIsReproducible(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) []sim.OCCResult {
		results, err := sim.OCC{Clients: []int{20}, Trials: 10, Seed: seed}.Run(t.Context(), parse(t, "", ""))
		require.NoError(t, err)
		return results
	}
	assert.Equal(t, run(1), run(1))
	assert.NotEqual(t, run(1), run(2))
}

func TestOCCErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		occ    sim.OCC
		policy string
		want   string
	}{
		{sim.OCC{}, "", "Clients: there are none; give at least one number"},
		{sim.OCC{Clients: []int{5, 0, 1001}}, "", "Clients: 0 is not from 1 to 1000\nClients: 1001 is not from 1 to 1000"},
		{sim.OCC{Clients: []int{5}, Trials: -1}, "", "Trials: -1 is not from 1 to 10000"},
	} {
		_, err := tt.occ.Run(t.Context(), parse(t, "", tt.policy))
		require.EqualError(t, err, tt.want)
		require.ErrorIs(t, err, sim.ErrModel)
	}
}
