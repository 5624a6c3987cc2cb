package retry_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestJitterConstructors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		got, want retry.Jitter
		text      string
	}{
		{"none", retry.NoJitter, retry.Jitter{Lo: 1, Hi: 1}, "none"},
		{"full", retry.FullJitter, retry.Jitter{Lo: 0, Hi: 1}, "full"},
		{"equal", retry.EqualJitter, retry.Jitter{Lo: 0.5, Hi: 1}, "equal"},
		{"add", retry.AddJitter(0.25), retry.Jitter{Lo: 1, Hi: 1.25}, "add(0.25)"},
		{"add that needs rounding", retry.AddJitter(0.1), retry.Jitter{Lo: 1, Hi: 1.1}, "add(0.1)"},
		{"add with many digits", retry.AddJitter(0.123456789), retry.Jitter{Lo: 1, Hi: 1.123456789}, "add(0.123456789)"},
		{"add a lot", retry.AddJitter(3), retry.Jitter{Lo: 1, Hi: 4}, "add(3)"},
		{"add 0", retry.AddJitter(0), retry.NoJitter, "none"},
		{"spread", retry.SpreadJitter(0.25), retry.Jitter{Lo: 0.75, Hi: 1.25}, "spread(0.25)"},
		{"spread that needs rounding", retry.SpreadJitter(0.2), retry.Jitter{Lo: 0.8, Hi: 1.2}, "spread(0.2)"},
		{"spread 1", retry.SpreadJitter(1), retry.Jitter{Lo: 0, Hi: 2}, "spread(1)"},
		{"spread 0", retry.SpreadJitter(0), retry.NoJitter, "none"},
		{"range", retry.Jitter{Lo: 0.25, Hi: 0.75}, retry.Jitter{Lo: 0.25, Hi: 0.75}, "range(0.25,0.75)"},
		{"range above 1", retry.Jitter{Lo: 2, Hi: 2}, retry.Jitter{Lo: 2, Hi: 2}, "range(2,2)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, test.got)
			assert.Equal(t, test.text, test.got.String())
			p, err := retry.Parse("jitter=" + test.text)
			require.NoError(t, err)
			assert.Equal(t, retry.MustNew(retry.WithJitter(test.got)).Plan(4), p.Plan(4), "the text parses to the same jitter")
		})
	}
}

// The wait is uniform in [Lo·d, Hi·d]. A cap lowers d, and so both ends.
func TestJitterRange(t *testing.T) {
	t.Parallel()
	const s = time.Second
	tests := []struct {
		name             string
		jitter           retry.Jitter
		delay, limit     time.Duration // limit 0 means none
		least, mid, most time.Duration
	}{
		{"none", retry.NoJitter, 8 * s, 0, 8 * s, 8 * s, 8 * s},
		{"full", retry.FullJitter, 8 * s, 0, 0, 4 * s, 8 * s},
		{"equal", retry.EqualJitter, 8 * s, 0, 4 * s, 6 * s, 8 * s},
		{"add", retry.AddJitter(0.5), 8 * s, 0, 8 * s, 10 * s, 12 * s},
		{"spread", retry.SpreadJitter(0.25), 8 * s, 0, 6 * s, 8 * s, 10 * s},
		{"range", retry.Jitter{Lo: 2, Hi: 4}, 8 * s, 0, 16 * s, 24 * s, 32 * s},

		{"none, capped", retry.NoJitter, 8 * s, 2 * s, 2 * s, 2 * s, 2 * s},
		{"full, capped", retry.FullJitter, 8 * s, 2 * s, 0, s, 2 * s},
		{"equal, capped", retry.EqualJitter, 8 * s, 2 * s, s, 1500 * ms, 2 * s},
		{"add, capped", retry.AddJitter(1), 8 * s, 2 * s, s, 1500 * ms, 2 * s},
		{"spread, capped", retry.SpreadJitter(0.5), 8 * s, 3 * s, s, 2 * s, 3 * s},
		{"range, capped", retry.Jitter{Lo: 2, Hi: 4}, 8 * s, 2 * s, s, 1500 * ms, 2 * s},
		{"only the jitter passes the cap", retry.AddJitter(1), 8 * s, 12 * s, 6 * s, 9 * s, 12 * s},
		{"just at the cap", retry.AddJitter(1), 8 * s, 16 * s, 8 * s, 12 * s, 16 * s},
		{"no waits", retry.AddJitter(1), 8 * s, -1, 0, 0, 0},

		{"longest", retry.FullJitter, longest, 0, 0, longest / 2, longest},
		{"longest and beyond", retry.AddJitter(1e300), longest, 0, longest, longest, longest},
		{"zero delay", retry.AddJitter(1e300), 0, 0, 0, 0, 0},
		{"smallest numbers", retry.Jitter{Lo: 0, Hi: math.SmallestNonzeroFloat64}, longest, 0, 0, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			opts := []retry.Option{retry.WithBackoff(retry.Constant(test.delay)), retry.WithJitter(test.jitter)}
			if test.limit != 0 {
				opts = append(opts, retry.WithMaxDelay(max(test.limit, 0)))
			}
			for u, want := range map[float64]time.Duration{0: test.least, 0.5: test.mid, almostOne: test.most} {
				assertWaits(t, []time.Duration{want}, tryWaits(t, 1, append(opts, fixedRand(u))...))
			}
		})
	}
}

func TestRandomNumbersAreClamped(t *testing.T) {
	t.Parallel()
	tests := []struct {
		u, as float64
	}{
		{math.Copysign(0, -1), 0},
		{-0.5, 0},
		{-1e308, 0},
		{math.Inf(-1), 0},
		{math.NaN(), 0},
		{1, almostOne},
		{1.5, almostOne},
		{1e308, almostOne},
		{math.Inf(1), almostOne},
	}
	hint := func(context.Context) error { return retry.After(10*time.Second, errRefused) }
	for _, test := range tests {
		t.Run(fmt.Sprint(test.u), func(t *testing.T) {
			t.Parallel()
			for _, opts := range [][]retry.Option{
				{},
				{retry.WithJitter(retry.SpreadJitter(0.3))},
				{retry.WithBackoff(retry.Decorrelated(ms, 3))},
				{retry.WithBackoff(retry.Constant(longest)), retry.WithJitter(retry.FullJitter)},
			} {
				want := tryWaits(t, 4, append(opts, fixedRand(test.as))...)
				got := tryWaits(t, 4, append(opts, fixedRand(test.u))...)
				assert.Equal(t, want, got)
				for _, wait := range got {
					assert.GreaterOrEqual(t, wait, time.Duration(0))
				}
				want1, _ := retry.MustNew(append(opts, fixedRand(test.as))...).Start(context.Background()).Try(hint)
				got1, _ := retry.MustNew(append(opts, fixedRand(test.u))...).Start(context.Background()).Try(hint)
				assert.Equal(t, want1, got1, "after a hint")
			}
		})
	}
}

// waitsAfter returns waits that follow the attempt last.
func waitsAfter(t testing.TB, n int, last retry.Attempt, opts ...retry.Option) []time.Duration {
	t.Helper()
	p := retry.MustNew(append([]retry.Option{retry.WithMaxAttempts(retry.Unlimited)}, opts...)...)
	waits := make([]time.Duration, n)
	for i := range waits {
		wait, again := p.Resume(context.Background(), last).Try(func(context.Context) error { return errRefused })
		require.True(t, again)
		waits[i] = wait
	}
	return waits
}

// The waits are uniform in their range, also if the cap lowered it, so they do not pile up at
// the cap. The random numbers are seeded. The bounds are wide enough for any seed.
func TestWaitsAreUniform(t *testing.T) {
	t.Parallel()
	const s, limit = time.Second, 10 * time.Second
	exponential := retry.WithBackoff(retry.Exponential(s, 2))
	early, late := retry.Attempt{Number: 2, Delay: 2 * s}, retry.Attempt{Number: 40, Delay: limit}
	tests := []struct {
		name   string
		last   retry.Attempt // the attempt before the waits
		opts   []retry.Option
		lo, hi time.Duration
	}{
		{"full, early", early, []retry.Option{exponential, retry.WithJitter(retry.FullJitter)}, 0, 4 * s},
		{"equal, early", early, []retry.Option{exponential, retry.WithJitter(retry.EqualJitter)}, 2 * s, 4 * s},
		{"add, early", early, []retry.Option{exponential, retry.WithJitter(retry.AddJitter(0.5))}, 4 * s, 6 * s},
		{"spread, early", early, []retry.Option{exponential, retry.WithJitter(retry.SpreadJitter(0.5))}, 2 * s, 6 * s},
		{"decorrelated, early", early, []retry.Option{retry.WithBackoff(retry.Decorrelated(s, 3))}, s, 6 * s},
		{"decorrelated with a jitter, early", early, []retry.Option{retry.WithBackoff(retry.Decorrelated(s, 3)), retry.WithJitter(retry.EqualJitter)}, 3 * s, 6 * s},

		{"full, late", late, []retry.Option{exponential, retry.WithJitter(retry.FullJitter)}, 0, limit},
		{"equal, late", late, []retry.Option{exponential, retry.WithJitter(retry.EqualJitter)}, 5 * s, limit},
		{"add, late", late, []retry.Option{exponential, retry.WithJitter(retry.AddJitter(1))}, 5 * s, limit},
		{"spread, late", late, []retry.Option{exponential, retry.WithJitter(retry.SpreadJitter(0.25))}, 6 * s, limit},
		{"range, late", late, []retry.Option{exponential, retry.WithJitter(retry.Jitter{Lo: 1, Hi: 5})}, 2 * s, limit},
		{"decorrelated, late", late, []retry.Option{retry.WithBackoff(retry.Decorrelated(s, 3))}, s, limit},
		{"decorrelated with a jitter, late", late, []retry.Option{retry.WithBackoff(retry.Decorrelated(s, 3)), retry.WithJitter(retry.SpreadJitter(0.25))}, 6 * s, limit},
		{"linear, late", late, []retry.Option{retry.WithBackoff(retry.Linear(s, s))}, 0, limit},
		{"fibonacci, late", late, []retry.Option{retry.WithBackoff(retry.Fibonacci(s))}, 0, limit},
		{"constant above the cap", late, []retry.Option{retry.WithBackoff(retry.Constant(time.Hour)), retry.WithJitter(retry.FullJitter)}, 0, limit},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			const n, parts = 10_000, 10
			waits := waitsAfter(t, n, test.last, append(test.opts, retry.WithMaxDelay(limit), seededRand(7))...)
			var count [parts]int
			for _, wait := range waits {
				require.GreaterOrEqual(t, wait, test.lo)
				require.LessOrEqual(t, wait, test.hi)
				count[min(int((wait-test.lo)*parts/(test.hi-test.lo)), parts-1)]++
			}
			for _, c := range count {
				assert.InDelta(t, n/parts, c, 150, "five standard deviations: %v", count) // √(10000·0.1·0.9) = 30
			}
			assert.LessOrEqual(t, shareOf(waits, limit), 1.0/n, "a wait at the cap is as rare as any other wait")
		})
	}
}

// shareOf returns the fraction of the waits that are exactly d.
func shareOf(waits []time.Duration, d time.Duration) float64 {
	n := 0
	for _, wait := range waits {
		if wait == d {
			n++
		}
	}
	return float64(n) / float64(len(waits))
}

// Over whole calls, no policy with jitter piles up waits at the cap.
func TestWaitsDoNotPileUpAtCap(t *testing.T) {
	t.Parallel()
	const limit = time.Second
	for name, opts := range map[string][]retry.Option{
		"full":         {retry.WithJitter(retry.FullJitter)},
		"equal":        {retry.WithJitter(retry.EqualJitter)},
		"add":          {retry.WithJitter(retry.AddJitter(0.25))},
		"spread":       {retry.WithJitter(retry.SpreadJitter(0.5))},
		"decorrelated": {retry.WithBackoff(retry.Decorrelated(100*ms, 3))},
		"chain":        {retry.WithBackoff(retry.Chain(2, retry.Constant(ms), retry.Decorrelated(100*ms, 3)))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			waits := tryWaits(t, 5000, append(opts, retry.WithMaxDelay(limit), seededRand(3))...)[10:]
			assert.Zero(t, shareOf(waits, limit))
			assert.LessOrEqual(t, slices.Max(waits), limit)
			assert.Greater(t, slices.Max(waits), limit*99/100, "the range reaches the cap")
		})
	}
}

// Without WithRand the numbers are random: two calls wait differently.
func TestDefaultRandomNumbers(t *testing.T) {
	t.Parallel()
	assert.NotEqual(t, tryWaits(t, 5), tryWaits(t, 5))
}
