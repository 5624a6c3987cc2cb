package retry_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// Both ends of a range can be drawn: the smallest random number gives Lo·d and the largest
// gives Hi·d.
func TestJitterDrawsBothEnds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		opts   []retry.Option
		lo, hi time.Duration
	}{
		{"1ns", []retry.Option{every(1), retry.WithJitter(retry.FullJitter)}, 0, 1},
		{"3ns", []retry.Option{every(3), retry.WithJitter(retry.FullJitter)}, 0, 3},
		{"full", []retry.Option{every(time.Second), retry.WithJitter(retry.FullJitter)}, 0, time.Second},
		{"equal", []retry.Option{every(time.Second), retry.WithJitter(retry.EqualJitter)}, 500 * time.Millisecond, time.Second},
		{"add", []retry.Option{every(time.Second), retry.WithJitter(retry.AddJitter(0.5))}, time.Second, 1500 * time.Millisecond},
		{"spread", []retry.Option{every(time.Second), retry.WithJitter(retry.SpreadJitter(0.1))}, 900 * time.Millisecond, 1100 * time.Millisecond},
		{"none", []retry.Option{every(time.Second)}, time.Second, time.Second},
		{"an hour", []retry.Option{every(time.Hour), retry.WithJitter(retry.FullJitter)}, 0, time.Hour},
		{"capped", []retry.Option{every(time.Hour), retry.WithJitter(retry.FullJitter), retry.WithMaxDelay(7)}, 0, 7},
		{"decorrelated", []retry.Option{retry.WithBackoff(retry.Decorrelated(time.Second, 3))}, time.Second, 3 * time.Second},
		{"default", nil, 0, 100 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for u, want := range map[float64]time.Duration{0: tt.lo, -1: tt.lo, math.NaN(): tt.lo, almostOne: tt.hi, 1: tt.hi, 7: tt.hi, math.Inf(1): tt.hi} {
				p := retry.MustNew(append(tt.opts, fixedRand(u))...)
				assert.Equal(t, want, p.Wait(failedAttempt(1)), "%v", u)
				assert.Equal(t, want, tryWaits(t, 1, append(tt.opts, fixedRand(u))...)[0], "%v", u)
			}
			step := retry.MustNew(tt.opts...).Plan(1)[0]
			assert.Equal(t, tt.lo, step.Min)
			assert.Equal(t, tt.hi, step.Max)
		})
	}
}

// Waits are rounded to the nearest nanosecond, and so is Plan's median: the middle of 0 and 3ns
// is 2ns.
func TestJitterRounds(t *testing.T) {
	t.Parallel()
	full := func(d time.Duration) []retry.Option {
		return []retry.Option{every(d), retry.WithJitter(retry.FullJitter)}
	}
	for d, want := range map[time.Duration]time.Duration{1: 1, 2: 1, 3: 2, 5: 3, 10: 5, time.Second + 1: time.Second/2 + 1} {
		assert.Equal(t, want, retry.MustNew(append(full(d), fixedRand(0.5))...).Wait(failedAttempt(1)), "%v", d)
		assert.Equal(t, want, retry.MustNew(full(d)...).Plan(1)[0].Median, "%v", d)
	}
	for u, want := range map[float64]time.Duration{0.04: 0, 0.06: 1, 0.94: 9, 0.96: 10} {
		assert.Equal(t, want, retry.MustNew(append(full(10), fixedRand(u))...).Wait(failedAttempt(1)), "%v", u)
	}
}

// Random numbers reach both ends too, and every wait of a small range.
func TestJitterDrawsAllOfSmallRange(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(every(4), retry.WithJitter(retry.FullJitter), seededRand(3))
	seen := map[time.Duration]int{}
	for range 8000 {
		seen[p.Wait(failedAttempt(1))]++
	}
	require.Len(t, seen, 5)
	for d, share := range map[time.Duration]int{0: 1000, 1: 2000, 2: 2000, 3: 2000, 4: 1000} {
		assert.InDelta(t, share, seen[d], 200, "%v", d)
	}
}

// For any policy, the median is the wait that the middle random number gives.
func TestMedianIsMiddleOfRange(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(30, 1))
	for range 2000 {
		p := retry.MustNew(append(randomPolicy(r, 2), retry.WithMaxElapsed(0))...)
		assert.Equal(t, retry.MustNew(p, fixedRand(0.5)).Wait(failedAttempt(1)), p.Plan(1)[0].Median, "%v", p)
	}
}
