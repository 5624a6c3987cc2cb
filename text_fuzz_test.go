package retry_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// A policy without callbacks survives a round trip through its text, with the same plan.
func TestTextRoundTrip(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(12, 13))
	for range 1000 {
		attempts := 1 + r.IntN(60)
		if r.IntN(5) == 0 {
			attempts = retry.Unlimited
		}
		requireRoundTrip(t, retry.MustNew(append(randomPolicy(r, attempts),
			retry.WithAttemptTimeout(randomDuration(r)), retry.WithMaxRetryAfter(randomDuration(r)), retry.WithHistorySize(r.IntN(100)))...))
	}
}

// Settings with any values, and names with any bytes, survive a round trip through text.
func FuzzPolicyText(f *testing.F) {
	for kind := range uint8(8) {
		f.Add("fetch", 3, uint8(0), int64(1), int64(2), int64(3), kind, int64(100*ms), int64(ms), 1.5, 0.1, 1.1, 5)
		f.Add("a \"b\" (c)\n\xff\u00a0\u2028\\", retry.Unlimited, uint8(255), int64(0), int64(longest), int64(1), kind, int64(longest), int64(1), 1e300, 1.0, 1.3, 0)
	}
	f.Fuzz(func(t *testing.T, name string, attempts int, given uint8, elapsed, timeout, limit int64,
		kind uint8, initial, step int64, factor, lo, hi float64, size int,
	) {
		options := []retry.Option{
			retry.WithName(name), retry.WithMaxAttempts(attempts), retry.WithMaxElapsed(time.Duration(elapsed)),
			retry.WithAttemptTimeout(time.Duration(timeout)), retry.WithMaxDelay(time.Duration(limit)),
			retry.WithJitter(retry.Jitter{Lo: lo, Hi: hi}), retry.WithMaxRetryAfter(time.Duration(limit)), retry.WithHistorySize(size),
		}
		opts := []retry.Option{retry.WithBackoff(backoffOfKind(kind, time.Duration(initial), time.Duration(step), factor))}
		for i, o := range options {
			if given&(1<<i) != 0 {
				opts = append(opts, o)
			}
		}
		p, err := retry.New(opts...)
		if err != nil {
			return
		}
		text := p.String()
		require.NotContains(t, text, "\n")
		q, err := retry.Parse(text)
		require.NoError(t, err, "%s", text)
		require.Equal(t, text, q.String())
		require.Equal(t, p.Plan(20), q.Plan(20), "%s", text)
		still := retry.WithClock(clock.NewMock())
		for _, u := range []float64{0, 0.3, almostOne} {
			wait1, again1 := retry.MustNew(p, still, fixedRand(u)).Start(context.Background()).Try(fail)
			wait2, again2 := retry.MustNew(q, still, fixedRand(u)).Start(context.Background()).Try(fail)
			require.Equal(t, again1, again2)
			require.Equal(t, wait1, wait2)
		}
		if given&1 != 0 {
			require.Equal(t, name, effectiveName(q))
		}
	})
}

// effectiveName returns the name of calls under p.
func effectiveName(p *retry.Policy) string {
	var failed *retry.Error
	_ = errors.As(retry.Do(context.Background(), func(context.Context) error { return retry.Permanent(errRefused) }, p), &failed)
	return failed.Name
}

// The jitter's text parses to the same numbers.
func FuzzJitterText(f *testing.F) {
	f.Add(0.0, 1.0)
	f.Add(0.9, 1.1)
	f.Add(1.0, 1.1)
	f.Add(0.1+0.2, 1e300)
	f.Add(math.SmallestNonzeroFloat64, math.MaxFloat64)
	f.Fuzz(func(t *testing.T, lo, hi float64) {
		j := retry.Jitter{Lo: lo, Hi: hi}
		p, err := retry.New(retry.WithJitter(j))
		if err != nil {
			_ = j.String() // must not panic
			return
		}
		q, err := retry.Parse(p.String())
		require.NoError(t, err)
		require.Equal(t, p.String(), q.String())
		require.Equal(t, p.Plan(4), q.Plan(4))
		require.Contains(t, p.String(), "jitter="+j.String()+" ")
	})
}
