package sim_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrysim/sim"
)

// parse parses the text of a policy.
func parse(t testing.TB, name, text string) sim.Policy {
	t.Helper()
	p, err := retry.Parse(text)
	require.NoError(t, err)
	return sim.Policy{Name: name, Policy: p}
}

// clamped returns options for a backoff that works as in other libraries: it draws the wait
// from the range that span returns, then cuts it at the limit.
func clamped(limit time.Duration, span func(a retry.Attempt) (low, high time.Duration)) func(*rand.Rand) []retry.Option {
	return func(r *rand.Rand) []retry.Option {
		return []retry.Option{retry.WithBackoff(retry.BackoffFunc(func(a retry.Attempt) time.Duration {
			low, high := span(a)
			return min(low+time.Duration(r.Float64()*float64(high-low)), limit)
		}))}
	}
}

func decorrelated(initial time.Duration) func(a retry.Attempt) (low, high time.Duration) {
	return func(a retry.Attempt) (low, high time.Duration) {
		return initial, 3 * max(a.Waited, initial)
	}
}

func exponential(low, high float64) func(a retry.Attempt) (time.Duration, time.Duration) {
	return func(a retry.Attempt) (time.Duration, time.Duration) {
		d := float64(retry.Exponential(time.Second, 2).Delay(a))
		return time.Duration(low * d), time.Duration(high * d)
	}
}
