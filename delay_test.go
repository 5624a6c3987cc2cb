package retry_test

import (
	"context"
	"errors"
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

var errRefused = errors.New("connection refused")

// almost1 is the largest number below 1.
const almost1 = 1 - 1.0/(1<<53)

// sampling makes every random number u.
func sampling(u float64) retry.Option { return retry.WithRand(func() float64 { return u }) }

// seeded makes random numbers that are the same in every run.
func seeded(seed uint64) retry.Option { return retry.WithRand(rand.New(rand.NewPCG(seed, 1)).Float64) }

// decided returns the waits that the policy of opts decides on in a call that fails n times
// without taking any time. Nothing waits.
func decided(t testing.TB, n int, opts ...retry.Option) []time.Duration {
	t.Helper()
	p, err := retry.New(append([]retry.Option{retry.WithMaxAttempts(n + 1), retry.WithClock(clock.NewMock())}, opts...)...)
	require.NoError(t, err)
	run := p.Start(context.Background())
	waits := make([]time.Duration, 0, n)
	for range n {
		wait, again := run.Try(func(context.Context) error { return errRefused })
		require.True(t, again, "%v", run.Err())
		waits = append(waits, wait)
	}
	return waits
}

// assertWaits compares waits but for the last digits, which a sample's rounding costs.
func assertWaits(t testing.TB, want, got []time.Duration) {
	t.Helper()
	if !assert.Len(t, got, len(want)) {
		return
	}
	for i := range want {
		assert.InDelta(t, want[i], got[i], float64(want[i])*1e-6, "wait %d: want %v, got %v", i+1, want[i], got[i])
	}
}

// Decorrelated draws from [initial, min(cap, factor·previous)], previous starting at initial.
func TestDecorrelatedRange(t *testing.T) {
	t.Parallel()
	const s = time.Second
	decorrelated := retry.WithBackoff(retry.Decorrelated(s, 3))
	tests := []struct {
		name string
		u    float64
		opts []retry.Option
		want []time.Duration
	}{
		{"shortest", 0, nil, []time.Duration{s, s, s}},
		{"longest", almost1, nil, []time.Duration{3 * s, 9 * s, 27 * s, 30 * s, 30 * s}},
		{"middle", 0.5, nil, []time.Duration{2 * s, 3500 * ms, 5750 * ms}},
		{"longest, own cap", almost1, []retry.Option{retry.WithMaxDelay(5 * s)}, []time.Duration{3 * s, 5 * s, 5 * s}},
		{"middle, own cap", 0.5, []retry.Option{retry.WithMaxDelay(5 * s)}, []time.Duration{2 * s, 3 * s, 3 * s}},
		{"cap below initial", 0.5, []retry.Option{retry.WithMaxDelay(s / 2)}, []time.Duration{s / 2, s / 2}},
		{"jitter replaces the range: none", 0.5, []retry.Option{retry.WithJitter(retry.NoJitter)}, []time.Duration{3 * s, 9 * s, 27 * s, 30 * s}},
		{"jitter replaces the range: full", 0, []retry.Option{retry.WithJitter(retry.FullJitter)}, []time.Duration{0, 0, 0}},
		{"jitter replaces the range: equal", 0, []retry.Option{retry.WithJitter(retry.EqualJitter)}, []time.Duration{1500 * ms, 2250 * ms, 3375 * ms}},
		{"jitter replaces the range, and the cap binds it", almost1, []retry.Option{retry.WithJitter(retry.AddJitter(1)), retry.WithMaxDelay(10 * s)}, []time.Duration{6 * s, 10 * s, 10 * s}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := decided(t, len(test.want), append(test.opts, decorrelated, sampling(test.u))...)
			assertWaits(t, test.want, got)
		})
	}
}

// A server's hint counts as a wait: the next attempt's Waited has it, and Decorrelated grows
// from it.
func TestWaitedIncludesHint(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(retry.WithBackoff(retry.Decorrelated(time.Second, 2)), sampling(0), retry.WithClock(clock.NewMock()))
	run := p.Start(context.Background())
	wait, again := run.Try(func(context.Context) error { return retry.After(9*time.Second, errRefused) })
	require.True(t, again)
	assert.Equal(t, 9*time.Second, wait)
	_, again = run.Try(func(context.Context) error { return retry.Permanent(errRefused) })
	require.False(t, again)
	var failed *retry.Error
	require.ErrorAs(t, run.Err(), &failed)
	history := failed.History()
	require.Len(t, history, 2)
	assert.Equal(t, 9*time.Second, history[0].Delay)
	assert.Equal(t, 9*time.Second, history[1].Waited)

	p = retry.MustNew(p, sampling(almost1))
	run = p.Start(context.Background())
	hinted, _ := run.Try(func(context.Context) error { return retry.After(9*time.Second, errRefused) })
	next, _ := run.Try(func(context.Context) error { return errRefused })
	assertWaits(t, []time.Duration{11 * time.Second, 22 * time.Second}, []time.Duration{hinted, next})
}

// hinting is an error of another package with a hint.
type hinting struct {
	d  time.Duration
	ok bool
}

func (h hinting) Error() string                     { return "busy" }
func (h hinting) RetryAfter() (time.Duration, bool) { return h.d, h.ok }

func TestServersHint(t *testing.T) {
	t.Parallel()
	const s = time.Second
	constant := func(d time.Duration) retry.Option { return retry.WithBackoff(retry.Constant(d)) }
	middle, end := sampling(0.5), sampling(almost1)
	hint := func(d time.Duration) error { return retry.After(d, errRefused) }
	tests := []struct {
		name string
		err  error
		opts []retry.Option
		want time.Duration
	}{
		{"spread by the nominal delay", hint(10 * s), []retry.Option{constant(4 * s), middle}, 12 * s},
		{"spread by a tenth of the hint", hint(10 * s), []retry.Option{constant(ms), middle}, 10500 * ms},
		{"shortest", hint(10 * s), []retry.Option{constant(4 * s), sampling(0)}, 10 * s},
		{"longest", hint(10 * s), []retry.Option{constant(4 * s), end}, 14 * s},
		{"nominal longer than the hint", hint(s), []retry.Option{constant(8 * s), middle}, 5 * s},
		{"nominal is before jitter", hint(10 * s), []retry.Option{constant(4 * s), retry.WithJitter(retry.SpreadJitter(1)), middle}, 12 * s},
		{"nominal is capped", hint(10 * s), []retry.Option{constant(9 * s), retry.WithMaxDelay(4 * s), middle}, 12 * s},
		{"nominal is capped with its jitter", hint(10 * s), []retry.Option{constant(9 * s), retry.WithMaxDelay(8 * s), retry.WithJitter(retry.AddJitter(1)), middle}, 12 * s},
		{"nominal of decorrelated", hint(10 * s), []retry.Option{retry.WithBackoff(retry.Decorrelated(2*s, 2)), middle}, 12 * s},
		{"negative delay is nominal zero", hint(10 * s), []retry.Option{constant(0), retry.WithBackoff(plainBackoff(-time.Hour)), middle}, 10500 * ms},
		{"defaults", hint(10 * s), []retry.Option{middle}, 10500 * ms},

		{"exact with NoJitter given", hint(10 * s), []retry.Option{retry.WithJitter(retry.NoJitter), end}, 10 * s},
		{"exact with NoJitter, nominal longer", hint(s), []retry.Option{constant(8 * s), retry.WithJitter(retry.NoJitter), end}, s},
		{"not exact for a literal strategy alone", hint(10 * s), []retry.Option{constant(ms), end}, 11 * s},

		{"the cap does not cut it", hint(10 * s), []retry.Option{retry.WithMaxDelay(s), retry.WithJitter(retry.NoJitter)}, 10 * s},
		{"nor a cap of zero", hint(10 * s), []retry.Option{retry.WithMaxDelay(0), middle}, 10500 * ms},
		{"just at the longest", hint(time.Minute), []retry.Option{constant(0), sampling(0)}, time.Minute},
		{"spread may pass the longest", hint(time.Minute), []retry.Option{constant(0), middle}, 63 * s},
		{"at a longest that was given", hint(time.Hour), []retry.Option{retry.WithMaxRetryAfter(time.Hour), retry.WithJitter(retry.NoJitter)}, time.Hour},
		{"longest of all", hint(longest), []retry.Option{retry.WithMaxRetryAfter(longest), constant(longest), end}, longest},

		{"spread is cut to what MaxElapsed leaves", hint(10 * s), []retry.Option{constant(8 * s), retry.WithMaxElapsed(12 * s), middle}, 11 * s},
		{"spread is cut to just below MaxElapsed", hint(10 * s), []retry.Option{constant(8 * s), retry.WithMaxElapsed(12 * s), end}, 12 * s},
		{"room for the hint and no more", hint(10 * s), []retry.Option{constant(8 * s), retry.WithMaxElapsed(10*s + 1), end}, 10 * s},

		{"zero is none", hint(0), []retry.Option{constant(4 * s), end}, 4 * s},
		{"negative is none", hint(-time.Hour), []retry.Option{constant(4 * s), end}, 4 * s},
		{"longest of several", errors.Join(hint(3*s), hint(9*s), hint(-s)), []retry.Option{retry.WithJitter(retry.NoJitter)}, 9 * s},
		{"longest of nested", retry.After(3*s, retry.After(9*s, retry.After(s, errRefused))), []retry.Option{retry.WithJitter(retry.NoJitter)}, 9 * s},
		{"outer longest", retry.After(9*s, retry.After(3*s, errRefused)), []retry.Option{retry.WithJitter(retry.NoJitter)}, 9 * s},
		{"another package's", hinting{7 * s, true}, []retry.Option{retry.WithJitter(retry.NoJitter)}, 7 * s},
		{"another package's, wrapped", errors.Join(errRefused, hinting{7 * s, true}), []retry.Option{retry.WithJitter(retry.NoJitter)}, 7 * s},
		{"another package's that is none", hinting{7 * s, false}, []retry.Option{constant(4 * s), end}, 4 * s},
		{"another package's that is negative", hinting{-1, true}, []retry.Option{constant(4 * s), end}, 4 * s},
		{"another package's is shorter", errors.Join(hinting{2 * s, true}, hint(5*s)), []retry.Option{retry.WithJitter(retry.NoJitter)}, 5 * s},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := retry.MustNew(append([]retry.Option{retry.WithClock(clock.NewMock())}, test.opts...)...)
			run := p.Start(context.Background())
			wait, again := run.Try(func(context.Context) error { return test.err })
			require.True(t, again, "%v", run.Err())
			assertWaits(t, []time.Duration{test.want}, []time.Duration{wait})
		})
	}
}

// A hint that no limit lets the call obey makes it give up at once, and Error.Delay is the hint.
func TestHintBeyondLimits(t *testing.T) {
	t.Parallel()
	const s = time.Second
	tests := []struct {
		name     string
		hint     time.Duration
		deadline time.Duration // of the context, 0: none
		opts     []retry.Option
		reason   error
	}{
		{"above the default longest", time.Minute + 1, 0, nil, retry.ErrRetryAfter},
		{"above the longest given", 10 * s, 0, []retry.Option{retry.WithMaxRetryAfter(10*s - 1)}, retry.ErrRetryAfter},
		{"none is obeyed", 1, 0, []retry.Option{retry.WithMaxRetryAfter(0)}, retry.ErrRetryAfter},
		{"at MaxElapsed", 10 * s, 0, []retry.Option{retry.WithMaxElapsed(10 * s)}, retry.ErrMaxElapsed},
		{"past MaxElapsed", 10 * s, 0, []retry.Option{retry.WithMaxElapsed(s)}, retry.ErrMaxElapsed},
		{"at the deadline", 10 * s, 10 * s, nil, retry.ErrContext},
		{"past the deadline", 10 * s, s, nil, retry.ErrContext},
		{"past both, deadline sooner", 10 * s, s, []retry.Option{retry.WithMaxElapsed(2 * s)}, retry.ErrMaxElapsed},
		{"past both, deadline later", 10 * s, 5 * s, []retry.Option{retry.WithMaxElapsed(2 * s)}, retry.ErrMaxElapsed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				begin := time.Now()
				err := retry.Do(ctx, func(context.Context) error { return retry.After(test.hint, errRefused) }, test.opts...)
				assert.Zero(t, time.Since(begin), "gives up now")
				var failed *retry.Error
				require.ErrorAs(t, err, &failed)
				assert.Equal(t, test.reason, failed.Reason)
				assert.Equal(t, test.hint, failed.Delay)
				assert.Equal(t, 1, failed.Attempts)
				assert.ErrorIs(t, err, errRefused)
				assert.Equal(t, test.reason == retry.ErrContext, errors.Is(err, context.DeadlineExceeded))
				after, ok := failed.RetryAfter()
				assert.True(t, ok, "an outer retry hears of the hint")
				assert.Equal(t, test.hint, after)
			})
		})
	}
}

// A hint that would not be obeyed is no reason to stop where there is no attempt left anyway,
// and it overrides no classifier.
func TestHintComesLast(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		err    error
		opts   []retry.Option
		reason error
	}{
		{"last attempt", retry.After(time.Second, errRefused), []retry.Option{retry.WithMaxAttempts(1)}, retry.ErrExhausted},
		{"last attempt, hint too long", retry.After(time.Hour, errRefused), []retry.Option{retry.WithMaxAttempts(1)}, retry.ErrExhausted},
		{"permanent", retry.After(time.Second, retry.Permanent(errRefused)), nil, retry.ErrPermanent},
		{"permanent outside", retry.Permanent(retry.After(time.Hour, errRefused)), nil, retry.ErrPermanent},
		{"stop if", retry.After(time.Second, errRefused), []retry.Option{retry.WithStopIf(retry.Is(errRefused))}, retry.ErrPermanent},
		{"not retry if", retry.After(time.Second, errRefused), []retry.Option{retry.WithRetryIf(retry.Is(context.Canceled))}, retry.ErrPermanent},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := retry.Do(context.Background(), func(context.Context) error { return test.err }, test.opts...)
			var failed *retry.Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, test.reason, failed.Reason)
			assert.Zero(t, failed.Delay)
		})
	}
}

// The spread behind a hint is uniform, and cut to what fits before the deadline; it never
// makes the call give up.
func TestHintSpreadIsUniform(t *testing.T) {
	t.Parallel()
	const s = time.Second
	tests := []struct {
		name     string
		deadline time.Duration
		opts     []retry.Option
		hi       time.Duration
	}{
		{"no limit", 0, nil, 14 * s},
		{"deadline", 12 * s, nil, 12 * s},
		{"max elapsed", 0, []retry.Option{retry.WithMaxElapsed(11 * s)}, 11 * s},
		{"both, deadline sooner", 12 * s, []retry.Option{retry.WithMaxElapsed(13 * s)}, 12 * s},
		{"both, max elapsed sooner", 13 * s, []retry.Option{retry.WithMaxElapsed(12 * s)}, 12 * s},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				p := retry.MustNew(append(test.opts, retry.WithBackoff(retry.Constant(4*s)), seeded(11))...)
				const n, parts, lo = 4000, 8, 10 * s
				var count [parts]int
				for range n {
					wait, again := p.Start(ctx).Try(func(context.Context) error { return retry.After(lo, errRefused) })
					require.True(t, again)
					require.GreaterOrEqual(t, wait, lo)
					require.Less(t, wait, test.hi)
					count[(wait-lo)*parts/(test.hi-lo)]++
				}
				for _, c := range count {
					assert.InDelta(t, n/parts, c, 105, "five standard deviations: %v", count) // √(4000·⅛·⅞) = 21
				}
			})
		})
	}
}

// What the step decides is what Do waits, what the hooks see and what the outcome sums up.
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
			want := decided(t, 4, append(opts, seeded(5))...)
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
				}, append(opts, seeded(5), retry.WithHooks(hooks))...)
				require.ErrorIs(t, err, retry.ErrExhausted)
				assert.Equal(t, want, hooked)
				assert.Equal(t, want, waited)
				assert.Equal(t, want, slept)
				assert.Equal(t, want[0]+want[1]+want[2]+want[3], outcome.Waited)
			})
		})
	}
}

// afterCounter counts the timers that a clock is asked for; its time flies.
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

func TestDelayOfZeroAsksNoTimer(t *testing.T) {
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

// No timer outlives its call: a policy may go from one bubble of synctest to another.
func TestPolicyCrossesBubbles(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(retry.WithBackoff(retry.Constant(time.Minute)))
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			require.ErrorIs(t, p.Do(t.Context(), func(context.Context) error { return errRefused }), retry.ErrExhausted)
			assert.Equal(t, 4*time.Minute, time.Since(begin))
		})
	}
}

// Whatever the settings: 0 ≤ wait ≤ MaxDelay, over whole calls with seeded random numbers.
func TestWaitIsNeverBeyondMaxDelay(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 3))
	for range 500 {
		b := anyBackoff(uint8(r.Uint32()), anyDuration(r), anyDuration(r), 1+r.ExpFloat64()*10)
		jitter := retry.Jitter{Lo: r.Float64() * 2}
		jitter.Hi = jitter.Lo + r.ExpFloat64()
		limit := anyDuration(r)
		opts := []retry.Option{retry.WithBackoff(b), retry.WithMaxDelay(limit), seeded(r.Uint64())}
		if r.IntN(3) > 0 {
			opts = append(opts, retry.WithJitter(jitter))
		}
		for _, wait := range decided(t, 70, opts...) {
			require.GreaterOrEqual(t, wait, time.Duration(0), "%v", b)
			require.LessOrEqual(t, wait, limit, "%v", b)
		}
	}
}

// anyDuration is of any magnitude.
func anyDuration(r *rand.Rand) time.Duration { return time.Duration(r.Int64() >> r.IntN(63)) }

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
		b := anyBackoff(kind, time.Duration(initial), time.Duration(step), factor)
		jitter := retry.Jitter{Lo: lo, Hi: hi}
		opts := []retry.Option{
			retry.WithBackoff(b), sampling(u), retry.WithClock(clock.NewMock()),
			retry.WithMaxAttempts(retry.Unlimited), retry.WithMaxRetryAfter(longest),
		}
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
			nominal := float64(b.Delay(attempt))
			spread := max(nominal, float64(hint)/10)
			exact := jittered && jitter == retry.NoJitter
			require.GreaterOrEqual(t, wait, time.Duration(hint))
			require.LessOrEqual(t, float64(wait), float64(hint)+spread)
			require.True(t, !exact || wait == time.Duration(hint), "exact")
			return
		}
		if capped {
			require.LessOrEqual(t, wait, time.Duration(limit))
		}
		if !jittered || kind%8 > 5 {
			return
		}
		// The ends of the range by the rule: d capped so that Hi·d ≤ MaxDelay.
		d, most := float64(b.Delay(attempt)), float64(longest)
		if capped {
			most = float64(limit)
		} else if kind%8 >= 1 && kind%8 <= 4 {
			return // the default cap has its own test
		}
		if hi*d > most {
			d = most / hi
		}
		require.GreaterOrEqual(t, float64(wait)+1, lo*d*(1-1e-9))
		require.LessOrEqual(t, float64(wait)-1, hi*d*(1+1e-9))
	})
}
