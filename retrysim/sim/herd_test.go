package sim_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysim/sim"
)

// TestHerdTable checks the published figures: 60,000 clients, 5 retries, base 1s, cap 30s. A
// share of 20 % of the clients varies by 0.16 %, and the highest of several shares varies
// more.
func TestHerdTable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text  string
		peak        float64
		median, p99 float64 // in seconds
	}{
		{"none", "backoff=exponential(1s,2) jitter=none", 1, 31, 31},
		{"+25 %", "backoff=exponential(1s,2) jitter=add(0.25)", 0.205, 0, 0},
		{"±20 %", "backoff=exponential(1s,2) jitter=spread(0.2)", 0.128, 0, 0},
		{"equal", "backoff=exponential(1s,2) jitter=equal", 0.102, 0, 0},
		{"full", "backoff=exponential(1s,2)", 0.078, 15.5, 26.6},
		{"decorrelated", "backoff=decorrelated(1s,3)", 0.032, 25.5, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := sim.Herd{Clients: 60_000, Seed: 1}
			results, err := h.Run(t.Context(), parse(t, tt.name, tt.text+" max_attempts=6 max_delay=30s"))
			require.NoError(t, err)
			r := results[0]
			assert.Equal(t, tt.name, r.Policy)
			assert.Equal(t, 60_000, r.Clients)
			assert.InDelta(t, tt.peak, r.PeakShare, 0.004)
			assert.LessOrEqual(t, r.PeakShareAfterFirst, r.PeakShare)
			assert.False(t, r.Left)
			if tt.median > 0 {
				assert.InDelta(t, tt.median, r.MedianTotal.Seconds(), 0.4)
			}
			if tt.p99 > 0 {
				assert.InDelta(t, tt.p99, r.P99Total.Seconds(), 0.4)
			}
			arrivals := 0
			for _, n := range r.Arrivals {
				arrivals += n
			}
			assert.Equal(t, 5*60_000, arrivals)
		})
	}
}

// TestHerdDecorrelatedClamped checks the published times of a decorrelated wait that is clamped
// after it was drawn.
func TestHerdDecorrelatedClamped(t *testing.T) {
	t.Parallel()
	p := parse(t, "", "max_attempts=6 max_delay=30s")
	p.Extend = clamped(30*time.Second, decorrelated(time.Second))
	results, err := sim.Herd{Clients: 60_000, Seed: 1}.Run(t.Context(), p)
	require.NoError(t, err)
	assert.InDelta(t, 25.5, results[0].MedianTotal.Seconds(), 0.4)
	assert.InDelta(t, 85, results[0].P99Total.Seconds(), 2)
}

// TestCapTrap checks how many waits before retry 10 are exactly the cap: none if the range is
// capped, many if the drawn wait is clamped.
func TestCapTrap(t *testing.T) {
	t.Parallel()
	const common = "max_attempts=11 max_delay=30s "
	const limit = 30 * time.Second
	for _, tt := range []struct {
		name, text string
		extend     func(*rand.Rand) []retry.Option
		share      float64
	}{
		{"full", "backoff=exponential(1s,2)", nil, 0},
		{"equal", "backoff=exponential(1s,2) jitter=equal", nil, 0},
		{"±50 %", "backoff=exponential(1s,2) jitter=spread(0.5)", nil, 0},
		{"additive", "backoff=exponential(1s,2) jitter=add(0.25)", nil, 0},
		{"decorrelated", "backoff=decorrelated(1s,3)", nil, 0},
		{"none", "backoff=exponential(1s,2) jitter=none", nil, 1},
		{"decorrelated, clamped", "", clamped(limit, decorrelated(time.Second)), 0.34},
		{"±50 %, clamped", "", clamped(limit, exponential(0.5, 1.5)), 1},
		{"additive, clamped", "", clamped(limit, exponential(1, 1.25)), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := parse(t, tt.name, common+tt.text)
			p.Extend = tt.extend
			results, err := sim.Herd{Clients: 20_000, Seed: 1}.Run(t.Context(), p)
			require.NoError(t, err)
			assert.InDelta(t, tt.share, results[0].AtCapShare, 0.01)
		})
	}
}

func TestHerdEdges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		check      func(t *testing.T, r sim.HerdResult)
	}{
		{"no retries", "max_attempts=1", func(t *testing.T, r sim.HerdResult) {
			assert.Zero(t, r.PeakShare)
			assert.Empty(t, r.Arrivals)
			assert.Zero(t, r.P99Total)
		}},
		{"unlimited attempts do not finish", "max_attempts=unlimited backoff=constant(1s)", func(t *testing.T, r sim.HerdResult) {
			assert.True(t, r.Left)
			assert.Equal(t, 7*time.Second, r.MedianTotal)
		}},
		{"max_elapsed ends it", "max_attempts=unlimited backoff=constant(1s) max_elapsed=3500ms", func(t *testing.T, r sim.HerdResult) {
			assert.False(t, r.Left)
			assert.Equal(t, 3*time.Second, r.MedianTotal)
		}},
		{"no cap, no client at it", "backoff=constant(1s)", func(t *testing.T, r sim.HerdResult) { assert.Zero(t, r.AtCapShare) }},
		{"a cap of its own", "backoff=constant(1s) max_delay=1s", func(t *testing.T, r sim.HerdResult) { assert.EqualValues(t, 1, r.AtCapShare) }},
		{"a name with a cap in it", `name="a max_delay=1s" backoff=constant(1s)`, func(t *testing.T, r sim.HerdResult) { assert.Zero(t, r.AtCapShare) }},
		{"after the first hour", "max_attempts=2 backoff=constant(2h)", func(t *testing.T, r sim.HerdResult) {
			assert.EqualValues(t, 1, r.PeakShare)
			assert.Zero(t, r.PeakShareAfterFirst)
			assert.Empty(t, r.Arrivals)
		}},
		{"an attempt timeout takes no time", "attempt_timeout=1ms backoff=constant(1s)", func(t *testing.T, r sim.HerdResult) {
			assert.Equal(t, 4*time.Second, r.MedianTotal)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			results, err := sim.Herd{Clients: 50, Retries: 7}.Run(t.Context(), parse(t, tt.name, tt.text))
			require.NoError(t, err)
			tt.check(t, results[0])
		})
	}
}

// TestHerdIsReproducible checks that results depend on the seed, and not on the number of
// processors.
func TestHerdIsReproducible(t *testing.T) {
	p := parse(t, "full", "")
	run := func(seed uint64) sim.HerdResult {
		results, err := sim.Herd{Clients: 20_000, Seed: seed}.Run(t.Context(), p)
		require.NoError(t, err)
		return results[0]
	}
	all := run(7)
	before := runtime.GOMAXPROCS(1)
	one := run(7)
	runtime.GOMAXPROCS(before)
	assert.Equal(t, all, one)
	assert.NotEqual(t, all, run(8))
}

func TestHerdErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		herd sim.Herd
		want string
	}{
		{sim.Herd{}, "Clients: 0 is not from 1 to 10000000"},
		{sim.Herd{Clients: -1, Retries: -1}, "Clients: -1 is not from 1 to 10000000\nRetries: -1 is not from 1 to 10000"},
		{sim.Herd{Clients: 10_000_000, Retries: 10_000}, "Retries: up to 10000 of each of 10000000 clients are more than 1000000000 in all; lower one of them"},
	} {
		_, err := tt.herd.Run(t.Context(), parse(t, "", ""))
		require.EqualError(t, err, tt.want)
		require.ErrorIs(t, err, sim.ErrModel)
		var field *sim.FieldError
		require.ErrorAs(t, err, &field)
	}
}

// TestInvalidPolicies checks that every model returns an error for a policy that cannot run,
// instead of a result without retries.
func TestInvalidPolicies(t *testing.T) {
	t.Parallel()
	validated := sim.Policy{Name: "validated", Policy: retry.MustNew(retry.WithValidator(func(int, retry.Attempt) error { return nil }))}
	extended := parse(t, "extended", "")
	extended.Extend = func(*rand.Rand) []retry.Option { return []retry.Option{retry.WithMaxDelay(-2)} }
	for _, p := range []sim.Policy{validated, extended} {
		_, err := sim.Herd{Clients: 1}.Run(t.Context(), p)
		require.ErrorIs(t, err, retry.ErrOption)
		_, err = sim.OCC{Clients: []int{1}}.Run(t.Context(), p)
		require.ErrorIs(t, err, retry.ErrOption)
		_, err = sim.Outage{Rate: 10, Capacity: 10, Before: time.Second}.Run(t.Context(), p)
		require.ErrorIs(t, err, retry.ErrOption)
	}
}

// TestModelsEndWithTheirContext checks that each model stops early.
func TestModelsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	cause := errors.New("enough")
	for name, run := range map[string]func(ctx context.Context, stop func(done, total int), p sim.Policy) error{
		"herd": func(ctx context.Context, stop func(done, total int), p sim.Policy) error {
			_, err := sim.Herd{Clients: 1_000_000, Progress: stop}.Run(ctx, p)
			return err
		},
		"occ": func(ctx context.Context, stop func(done, total int), p sim.Policy) error {
			_, err := sim.OCC{Clients: []int{10}, Trials: 10_000, Progress: stop}.Run(ctx, p)
			return err
		},
		"outage": func(ctx context.Context, stop func(done, total int), p sim.Policy) error {
			_, err := sim.Outage{Rate: 1000, Capacity: 1200, Before: time.Minute, Progress: stop}.Run(ctx, p)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			var last int
			err := run(ctx, func(done, total int) {
				last = done
				assert.Positive(t, total)
				if done*20 >= total {
					cancel(cause)
				}
			}, parse(t, "", ""))
			require.ErrorIs(t, err, cause)
			assert.Positive(t, last)
		})
	}
}
