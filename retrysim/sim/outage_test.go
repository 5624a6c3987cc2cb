package sim_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysim/sim"
)

// defaultOutage is the default outage of the command.
var defaultOutage = sim.Outage{
	Rate: 1000, Capacity: 1200, Seed: 1,
	Before: 10 * time.Second, Down: 30 * time.Second, After: time.Minute,
}

func outage(t *testing.T, o sim.Outage, p sim.Policy) sim.OutageResult {
	t.Helper()
	results, err := o.Run(t.Context(), p)
	require.NoError(t, err)
	return results[0]
}

// TestMetastable checks that retries keep a server down after its outage has ended, and that a
// budget lets it recover.
func TestMetastable(t *testing.T) {
	t.Parallel()
	budget := defaultOutage
	budget.Budget = &sim.BudgetSize{Ratio: 0.1, Burst: 100}
	for _, text := range []string{"", "max_attempts=4", "max_attempts=2 backoff=constant(100ms)", "max_attempts=4 backoff=exponential(1s,2)"} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			p := parse(t, text, text)
			without := outage(t, defaultOutage, p)
			assert.False(t, without.HasRecovered)
			assert.InDelta(t, 0.1, without.GoodputShare, 0.01, "nothing succeeds after the first 10 of 100 seconds")
			assert.Greater(t, without.PeakLoad, 1.9*defaultOutage.Rate)

			with := outage(t, budget, p)
			assert.True(t, with.HasRecovered)
			assert.Less(t, with.Recovered, 20*time.Second)
			assert.Greater(t, with.GoodputShare, 0.5)
			assert.Less(t, with.Amplification, 1.1)
		})
	}
	t.Run("no retries", func(t *testing.T) {
		t.Parallel()
		r := outage(t, defaultOutage, parse(t, "", "max_attempts=1"))
		assert.True(t, r.HasRecovered)
		assert.InDelta(t, 5, r.Recovered.Seconds(), 2, "the queue shrinks from 2400 to 1200 by 200 a second")
		assert.EqualValues(t, 1, r.Amplification)
	})
}

// alwaysDown is a server that refuses every request.
var alwaysDown = sim.Outage{Rate: 100, Capacity: 100, Down: 10 * time.Minute, Refuse: true, Seed: 1}

// TestBudgetTable checks the load of 4 attempts when every request fails.
func TestBudgetTable(t *testing.T) {
	t.Parallel()
	p := parse(t, "", "max_attempts=4")
	assert.InDelta(t, 4, outage(t, alwaysDown, p).Amplification, 0.02)

	share := alwaysDown
	share.Budget = &sim.BudgetSize{Ratio: 0.1, Burst: 100}
	assert.InDelta(t, 1.1, outage(t, share, p).Amplification, 0.003, "1.1, and the burst: 100 of 60,000 calls")

	reserve := alwaysDown
	reserve.Rate = 5
	p.Extend = fixedReserve(10, 0.1)
	assert.InDelta(t, 3.16, outage(t, reserve, p).Amplification, 0.15)
}

// fixedReserve is a budget as in other libraries: a fixed number of retries a second, whatever
// the traffic, plus a share of the calls.
func fixedReserve(perSecond, ratio float64) func(*rand.Rand) []retry.Option {
	return func(*rand.Rand) []retry.Option {
		tokens, last := perSecond, time.Time{}
		refill := retry.Hooks{BeforeAttempt: func(ctx context.Context, a retry.Attempt) context.Context {
			if !last.IsZero() {
				tokens = math.Min(tokens+perSecond*a.Start.Sub(last).Seconds(), perSecond)
			}
			if last = a.Start; a.Number == 1 {
				tokens += ratio
			}
			return ctx
		}}
		spend := func(retry.Attempt) error {
			if tokens < 1 {
				return retry.ErrBudget
			}
			tokens--
			return nil
		}
		return []retry.Option{retry.WithHooks(refill), retry.WithStop(spend)}
	}
}

// TestLayersMultiply checks that n attempts in each of L layers make n to the power of L
// requests, unless the policy stops at errors that an inner layer has retried.
func TestLayersMultiply(t *testing.T) {
	t.Parallel()
	p := parse(t, "", "max_attempts=4 backoff=constant(10ms)")
	for layers, want := range map[int]float64{1: 4, 2: 16, 3: 64, 4: 256} {
		o := alwaysDown
		o.Rate, o.Layers, o.Down = 10, layers, time.Minute
		assert.InEpsilon(t, want, outage(t, o, p).Amplification, 0.04)
		o.NoNesting = true
		assert.InEpsilon(t, 4, outage(t, o, p).Amplification, 0.01)
	}
}

// TestUtilization checks that without an outage every call succeeds at its first attempt.
func TestUtilization(t *testing.T) {
	t.Parallel()
	o := sim.Outage{Rate: 500, Capacity: 1000, Before: time.Minute, Seed: 1}
	r := outage(t, o, parse(t, "", ""))
	assert.InEpsilon(t, 30_000, float64(r.Calls), 0.02)
	assert.EqualValues(t, 1, r.Amplification)
	assert.EqualValues(t, 1, r.GoodputShare)
	assert.Equal(t, r.Calls, r.Succeeded)
	assert.Len(t, r.Load, 600)
	assert.False(t, r.HasRecovered, "the run ends with the outage")
}

// TestAttemptTimeout checks that a shorter attempt_timeout of the policy takes precedence.
func TestAttemptTimeout(t *testing.T) {
	t.Parallel()
	o := sim.Outage{Rate: 10, Capacity: 100, Down: time.Minute, Timeout: 10 * time.Second, Queue: 10_000, Seed: 1}
	var durations []time.Duration
	p := parse(t, "", "max_attempts=2 attempt_timeout=300ms backoff=constant(10ms)")
	p.Extend = func(*rand.Rand) []retry.Option {
		return []retry.Option{
			retry.WithRetryIf(retry.TimedOut),
			retry.WithHooks(retry.Hooks{AfterAttempt: func(_ context.Context, a retry.Attempt) { durations = append(durations, a.Duration) }}),
		}
	}
	r := outage(t, o, p)
	assert.InDelta(t, 2, r.Amplification, 0.02)
	require.NotEmpty(t, durations)
	for _, d := range durations[:len(durations)/2] {
		assert.Equal(t, 300*time.Millisecond, d)
	}
}

func TestRefuseRecoversAtOnce(t *testing.T) {
	t.Parallel()
	o := defaultOutage
	o.Refuse = true
	r := outage(t, o, parse(t, "", "max_attempts=4"))
	assert.True(t, r.HasRecovered)
	assert.Zero(t, r.Recovered)
	assert.InDelta(t, 0.7, r.GoodputShare, 0.02)
	assert.Greater(t, r.PeakLoad, 4000.0)
}

func TestOutageIsReproducible(t *testing.T) {
	t.Parallel()
	o := sim.Outage{Rate: 200, Capacity: 240, Before: time.Second, Down: 5 * time.Second, After: 5 * time.Second, Layers: 2}
	o.Seed = 3
	p := parse(t, "", "attempt_timeout=500ms")
	one, two := outage(t, o, p), outage(t, o, p)
	assert.Equal(t, one, two)
	o.Seed = 4
	assert.NotEqual(t, one, outage(t, o, p))
}
