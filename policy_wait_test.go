package retry_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestPolicyWait(t *testing.T) {
	t.Parallel()
	hinted := func(d time.Duration) retry.Attempt {
		return retry.Attempt{Number: 1, Err: fmt.Errorf("busy: %w", retry.After(d, errDown))}
	}
	full := retry.WithJitter(retry.FullJitter)
	for _, tt := range []struct {
		name string
		opts []retry.Option
		a    retry.Attempt
		want time.Duration
	}{
		{"no error", nil, retry.Attempt{Number: 1}, time.Second},
		{"an error", nil, failedAttempt(3), 4 * time.Second},
		{"number 0 counts as 1", nil, retry.Attempt{}, time.Second},
		{"negative numbers count as 1", nil, retry.Attempt{Number: math.MinInt}, time.Second},
		{"largest number", []retry.Option{retry.WithMaxDelay(time.Hour)}, retry.Attempt{Number: math.MaxInt}, time.Hour},
		{"reads Waited", []retry.Option{retry.WithBackoff(retry.Decorrelated(time.Second, 3))}, retry.Attempt{Number: 2, Waited: 5 * time.Second}, 15 * time.Second},
		{"a negative Waited counts as none", []retry.Option{retry.WithBackoff(retry.Decorrelated(time.Second, 3))}, retry.Attempt{Number: 2, Waited: -time.Hour}, 3 * time.Second},
		{"cap", []retry.Option{retry.WithMaxDelay(3 * time.Second)}, failedAttempt(3), 3 * time.Second},
		{"no waits", []retry.Option{retry.WithMaxDelay(0)}, failedAttempt(3), 0},
		{"start of the range", []retry.Option{full, fixedRand(0)}, failedAttempt(1), 0},
		{"middle of the range", []retry.Option{full, fixedRand(0.5)}, failedAttempt(1), 500 * time.Millisecond},
		{"end of the range", []retry.Option{full, fixedRand(almostOne)}, failedAttempt(1), time.Second},
		{"hint", nil, hinted(7 * time.Second), 7 * time.Second},
		{"hint shorter than the strategy's delay", []retry.Option{every(time.Hour)}, hinted(7 * time.Second), 7 * time.Second},
		{"hint of 0 is none", nil, hinted(0), time.Second},
		{"hint, spread by the strategy's delay", []retry.Option{full, fixedRand(0.5)}, hinted(7 * time.Second), 7500 * time.Millisecond},
		{"hint, spread by a tenth", []retry.Option{full, fixedRand(0.5)}, hinted(time.Minute), 63 * time.Second},
		{"a cap does not cut a hint", []retry.Option{retry.WithMaxDelay(time.Second)}, hinted(7 * time.Second), 7 * time.Second},
		{"longest hint", []retry.Option{full, fixedRand(almostOne)}, hinted(math.MaxInt64), math.MaxInt64},
		{"almost the longest hint", []retry.Option{full, fixedRand(almostOne)}, hinted(math.MaxInt64 - 10), math.MaxInt64 - 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, retry.MustNew(doublingWaits, retry.MustNew(tt.opts...)).Wait(tt.a))
		})
	}
}

// Wait ignores limits, classifies nothing and takes nothing from the budget.
func TestPolicyWaitDecidesNothing(t *testing.T) {
	t.Parallel()
	never := func(retry.Attempt) bool { panic("asked") }
	b := retry.NewBudget(1, 2)
	_, err := retry.MustNew(retry.WithBudget(b)).Next(context.Background(), failedAttempt(2))
	require.NoError(t, err)
	p := retry.MustNew(doublingWaits, retry.WithMaxAttempts(1), retry.WithMaxElapsed(1), retry.WithMaxRetryAfter(0),
		retry.WithStopIf(never), retry.WithRetryIf(never), retry.WithBudget(b), retry.WithHooks(neverHooks(t)),
		retry.WithStop(func(retry.Attempt) error { panic("asked") }))
	for name, err := range map[string]error{"error": errDown, "permanent": retry.Permanent(errDown), "none": nil} {
		assert.Equal(t, time.Second, p.Wait(retry.Attempt{Number: 1, Elapsed: time.Hour, Err: err}), name)
	}
	assert.Equal(t, time.Hour, p.Wait(retry.Attempt{Number: 1, Err: retry.After(time.Hour, errDown)}))
	assert.InDelta(t, 1, b.Tokens(), 0, "no deposit made, no token taken")
}

func TestPolicyWaitDefaults(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*retry.Policy{"nil": nil, "zero": {}} {
		for range 100 {
			wait := p.Wait(retry.Attempt{Number: 2})
			require.LessOrEqual(t, wait, 200*time.Millisecond, name)
			require.GreaterOrEqual(t, wait, time.Duration(0), name)
		}
	}
}

// Wait returns the same delay as Next if nothing forbids the retry.
func TestPolicyWaitAgreesWithNext(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 1))
	for range 5000 {
		seed := r.Uint64()
		opts := append(randomPolicy(r, retry.Unlimited), retry.WithMaxElapsed(0), retry.WithMaxRetryAfter(retry.Unlimited))
		next := retry.MustNew(append(opts, seededRand(seed))...)
		wait := retry.MustNew(append(opts, seededRand(seed))...)
		for range 5 {
			a := retry.Attempt{Number: r.IntN(50), Waited: randomDuration(r), Elapsed: randomDuration(r), Err: errDown}
			if r.IntN(3) == 0 {
				a.Err = retry.After(randomDuration(r), errDown)
			}
			want, err := next.Next(context.Background(), a)
			require.NoError(t, err)
			require.Equal(t, want, wait.Wait(a), "%v", next)
			require.GreaterOrEqual(t, want, time.Duration(0))
		}
	}
}
