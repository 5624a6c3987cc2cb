package retry_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestNegativeBackoffCreatesNoTimer(t *testing.T) {
	t.Parallel()
	c := &jumpClock{onWait: func(d time.Duration) { t.Errorf("After(%v)", d) }}
	fn, calls := failTimes(2, errDown)
	h := retry.NewHistory(3)
	require.NoError(t, retry.Do(context.Background(), fn, retry.WithClock(c), retry.WithHistory(h), retry.WithBackoff(
		retry.BackoffFunc(func(retry.Attempt) time.Duration { return math.MinInt64 }))))
	assert.Equal(t, 3, *calls)
	assert.Zero(t, h.Slice()[0].Delay)
}

// Do waits as long as Try returns, the hooks are given and the outcome sums up.
func TestDoWaitsWhatItDecides(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]retry.Option{
		"defaults":     {},
		"decorrelated": {retry.WithBackoff(retry.Decorrelated(ms, 3))},
		"literal":      {retry.WithBackoff(retry.Sequence(0, time.Hour, 0, ms))},
		"capped":       {retry.WithBackoff(retry.Exponential(time.Hour, 9)), retry.WithMaxDelay(time.Minute), retry.WithJitter(retry.SpreadJitter(0.1))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := tryWaits(t, 4, append(opts, seededRand(5))...)
			synctest.Test(t, func(t *testing.T) {
				var hooked, waited, slept []time.Duration
				var outcome retry.Outcome
				var ended time.Time
				hooks := retry.Hooks{
					BeforeAttempt: func(ctx context.Context, a retry.Attempt) context.Context {
						if a.Number > 1 {
							slept = append(slept, time.Since(ended))
							waited = append(waited, a.Waited)
						}
						return ctx
					},
					BeforeWait: func(_ context.Context, a retry.Attempt) { hooked = append(hooked, a.Delay) },
					Done:       func(_ context.Context, o retry.Outcome) { outcome = o },
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				err := retry.Do(ctx, func(context.Context) error {
					time.Sleep(time.Second)
					ended = time.Now()
					return errRefused
				}, append(opts, seededRand(5), retry.WithHooks(hooks))...)
				require.ErrorIs(t, err, retry.ErrExhausted)
				assert.Equal(t, want, hooked)
				assert.Equal(t, want, waited)
				assert.Equal(t, want, slept)
				assert.Equal(t, want[0]+want[1]+want[2]+want[3], outcome.Waited)
			})
		})
	}
}

// afterCounter counts the timers it is asked for. Each fires at once.
type afterCounter struct {
	*clock.Mock
	asked []time.Duration
}

func (c *afterCounter) After(d time.Duration) <-chan time.Time {
	c.asked = append(c.asked, d)
	due := c.Mock.After(d)
	c.Add(d)
	return due
}

func TestZeroDelayAsksForNoTimer(t *testing.T) {
	t.Parallel()
	counter := &afterCounter{Mock: clock.NewMock()}
	err := retry.Do(context.Background(), func(context.Context) error { return errRefused },
		retry.WithBackoff(retry.Sequence(0, time.Second, 0, 2*time.Second, 0)), retry.WithMaxAttempts(6), retry.WithClock(counter))
	require.ErrorIs(t, err, retry.ErrExhausted)
	assert.Equal(t, []time.Duration{time.Second, 2 * time.Second}, counter.asked)
}

// One timer serves all the waits of a call.
func TestOneTimerServesAllWaits(t *testing.T) { // not parallel: it counts allocations
	allocs := func(attempts int) float64 {
		var n float64
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			p := retry.MustNew(retry.WithBackoff(retry.Constant(time.Second)), retry.WithMaxAttempts(attempts), retry.WithHistorySize(0))
			n = testing.AllocsPerRun(50, func() {
				_ = p.Do(ctx, func(context.Context) error { return errRefused })
			})
		})
		return n
	}
	none, one, many := allocs(1), allocs(2), allocs(20)
	assert.Less(t, none, one, "a wait takes a timer")
	assert.Equal(t, one, many)
}

// With any settings 0 ≤ wait ≤ MaxDelay, over whole calls with seeded random numbers.
func TestWaitNeverExceedsMaxDelay(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 3))
	for range 500 {
		b := backoffOfKind(uint8(r.Uint32()), randomDuration(r), randomDuration(r), 1+r.ExpFloat64()*10)
		jitter := retry.Jitter{Lo: r.Float64() * 2}
		jitter.Hi = jitter.Lo + r.ExpFloat64()
		limit := randomDuration(r)
		opts := []retry.Option{retry.WithBackoff(b), retry.WithMaxDelay(limit), seededRand(r.Uint64())}
		if r.IntN(3) > 0 {
			opts = append(opts, retry.WithJitter(jitter))
		}
		for _, wait := range tryWaits(t, 70, opts...) {
			require.GreaterOrEqual(t, wait, time.Duration(0), "%v", b)
			require.LessOrEqual(t, wait, limit, "%v", b)
		}
	}
}

func FuzzDelay(f *testing.F) {
	for kind := range uint8(8) {
		f.Add(kind, int64(100*ms), int64(ms), 2.0, true, 0.0, 1.0, true, int64(time.Second), 0.5, 5, int64(0), int64(0))
		f.Add(kind, int64(time.Second), int64(time.Second), 3.0, false, 0.0, 0.0, false, int64(0), 0.999, 60, int64(time.Minute), int64(0))
		f.Add(kind, int64(longest), int64(longest), 1.5, true, 1.0, 1e300, true, int64(longest), math.Inf(1), math.MaxInt-1, int64(longest), int64(longest))
		f.Add(kind, int64(1), int64(1), 1.0, true, 1.0, 1.0, true, int64(0), -1.0, 0, int64(0), int64(time.Hour))
	}
	f.Fuzz(func(t *testing.T, kind uint8, initial, step int64, factor float64, jittered bool, lo, hi float64,
		capped bool, limit int64, u float64, number int, waited, hint int64,
	) {
		b := backoffOfKind(kind, time.Duration(initial), time.Duration(step), factor)
		jitter := retry.Jitter{Lo: lo, Hi: hi}
		opts := []retry.Option{retry.WithBackoff(b), fixedRand(u), retry.WithClock(clock.NewMock()), retry.WithMaxAttempts(retry.Unlimited), retry.WithMaxRetryAfter(longest)}
		if jittered {
			opts = append(opts, retry.WithJitter(jitter))
		}
		if capped {
			opts = append(opts, retry.WithMaxDelay(time.Duration(limit)))
		}
		p, err := retry.New(opts...)
		if err != nil {
			require.ErrorIs(t, err, retry.ErrOption)
			return
		}
		last := retry.Attempt{Number: max(number, 0), Delay: time.Duration(waited)}
		wait, again := p.Resume(context.Background(), last).Try(func(context.Context) error {
			return retry.After(time.Duration(hint), errRefused)
		})
		require.True(t, again)
		require.GreaterOrEqual(t, wait, time.Duration(0))
		attempt := retry.Attempt{Number: min(last.Number, math.MaxInt-1) + 1, Waited: max(last.Delay, 0)}
		if hint > 0 {
			requireHintWait(t, wait, time.Duration(hint), b.Delay(attempt), jittered && jitter == retry.NoJitter)
			return
		}
		if capped {
			require.LessOrEqual(t, wait, time.Duration(limit))
		}
		if !jittered || kind%8 > 5 {
			return
		}
		most := float64(longest)
		if capped {
			most = float64(limit)
		} else if kind%8 >= 1 && kind%8 <= 4 {
			return // the default cap has its own test
		}
		requireInRange(t, wait, jitter, float64(b.Delay(attempt)), most)
	})
}

// requireHintWait checks that a wait after a hint is the hint and its spread.
func requireHintWait(t *testing.T, wait, hint, nominal time.Duration, exact bool) {
	t.Helper()
	spread := max(float64(nominal), float64(hint)/10)
	require.GreaterOrEqual(t, wait, hint)
	require.LessOrEqual(t, float64(wait), float64(hint)+spread)
	require.True(t, !exact || wait == hint, "exact")
}

// requireInRange checks that a wait is between the ends of its range. The delay d is capped so
// that Hi·d ≤ most.
func requireInRange(t *testing.T, wait time.Duration, jitter retry.Jitter, d, most float64) {
	t.Helper()
	if jitter.Hi*d > most {
		d = most / jitter.Hi
	}
	require.GreaterOrEqual(t, float64(wait)+1, jitter.Lo*d*(1-1e-9))
	require.LessOrEqual(t, float64(wait)-1, jitter.Hi*d*(1+1e-9))
}
