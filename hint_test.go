package retry_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestHintSpread(t *testing.T) {
	t.Parallel()
	const s = time.Second
	almostOne := math.Nextafter(1, 0)
	for _, tt := range []struct {
		name     string
		u        float64
		hint     time.Duration
		opts     []retry.Option
		deadline time.Duration
		want     time.Duration
	}{
		{"the smallest random number", 0, 10 * s, []retry.Option{atOnce}, 0, 10 * s},
		{"a tenth of the hint", 0.5, 10 * s, []retry.Option{atOnce}, 0, 10*s + s/2},
		{"the nominal delay if that is longer", 0.5, 10 * s, []retry.Option{every(4 * s)}, 0, 12 * s},
		{"the tenth if that is longer", 0.5, 10 * s, []retry.Option{every(s / 2)}, 0, 10*s + s/2},
		{"exact without jitter", 0.5, 10 * s, []retry.Option{every(4 * s), retry.WithJitter(retry.NoJitter)}, 0, 10 * s},
		{"a strategy without jitter is not NoJitter", 0.25, 10 * s, []retry.Option{every(4 * s)}, 0, 11 * s},
		{"cut to what fits the deadline", 0.5, 10 * s, []retry.Option{every(4 * s)}, 12 * s, 11 * s},
		{"cut to what fits max elapsed", 0.5, 10 * s, []retry.Option{every(4 * s), retry.WithMaxElapsed(12 * s)}, 0, 11 * s},
		{"cut to the nearer limit, the deadline", 0.5, 10 * s, []retry.Option{every(4 * s), retry.WithMaxElapsed(12 * s)}, 11 * s, 10*s + s/2},
		{"cut to the nearer limit, max elapsed", 0.5, 10 * s, []retry.Option{every(4 * s), retry.WithMaxElapsed(11 * s)}, 12 * s, 10*s + s/2},
		{"never exactly at the limit", almostOne, 10 * s, []retry.Option{every(4 * s)}, 10*s + 2, 10*s + 1},
		{"no room to spread", almostOne, 10 * s, []retry.Option{every(4 * s)}, 10*s + 1, 10 * s},
		{"below the end of the range", almostOne, 10 * s, []retry.Option{atOnce}, 0, 11*s - 1},
		{"the default backoff", 0.5, 10 * s, nil, 0, 10*s + s/2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				ctx := context.Background()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				fn, calls := failTimes(1, retry.After(tt.hint, errDown))
				start := time.Now()
				require.NoError(t, retry.Do(ctx, fn, append(tt.opts, retry.WithRand(func() float64 { return tt.u }))...))
				assert.Equal(t, 2, *calls)
				assert.Equal(t, tt.want, time.Since(start))
			})
		})
	}
}

func TestWaitedIncludesHintInCall(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := retry.NewHistory(2)
		fn, _ := failTimes(1, retry.After(9*time.Second, errDown))
		require.NoError(t, retry.Do(context.Background(), fn, retry.WithHistory(h), retry.WithJitter(retry.NoJitter)))
		all := h.Slice()
		require.Len(t, all, 2)
		assert.Equal(t, 9*time.Second, all[0].Delay)
		assert.Equal(t, 9*time.Second, all[1].Waited)
	})
}

// A server's hint counts as a wait: the next attempt's Waited includes it, and Decorrelated
// grows from it.
func TestWaitedIncludesHint(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(retry.WithBackoff(retry.Decorrelated(time.Second, 2)), fixedRand(0), retry.WithClock(clock.NewMock()))
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

	p = retry.MustNew(p, fixedRand(almostOne))
	run = p.Start(context.Background())
	hinted, _ := run.Try(func(context.Context) error { return retry.After(9*time.Second, errRefused) })
	next, _ := run.Try(func(context.Context) error { return errRefused })
	assertWaits(t, []time.Duration{11 * time.Second, 22 * time.Second}, []time.Duration{hinted, next})
}

// foreignHint is an error of another package that gives a hint.
type foreignHint struct {
	d  time.Duration
	ok bool
}

func (h foreignHint) Error() string                     { return "busy" }
func (h foreignHint) RetryAfter() (time.Duration, bool) { return h.d, h.ok }

func TestHint(t *testing.T) {
	t.Parallel()
	const s = time.Second
	constant := func(d time.Duration) retry.Option { return retry.WithBackoff(retry.Constant(d)) }
	middle, end := fixedRand(0.5), fixedRand(almostOne)
	hint := func(d time.Duration) error { return retry.After(d, errRefused) }
	tests := []struct {
		name string
		err  error
		opts []retry.Option
		want time.Duration
	}{
		{"spread by the nominal delay", hint(10 * s), []retry.Option{constant(4 * s), middle}, 12 * s},
		{"spread by a tenth of the hint", hint(10 * s), []retry.Option{constant(ms), middle}, 10500 * ms},
		{"shortest", hint(10 * s), []retry.Option{constant(4 * s), fixedRand(0)}, 10 * s},
		{"longest", hint(10 * s), []retry.Option{constant(4 * s), end}, 14 * s},
		{"nominal longer than the hint", hint(s), []retry.Option{constant(8 * s), middle}, 5 * s},
		{"nominal delay is taken before jitter", hint(10 * s), []retry.Option{constant(4 * s), retry.WithJitter(retry.SpreadJitter(1)), middle}, 12 * s},
		{"nominal delay is capped", hint(10 * s), []retry.Option{constant(9 * s), retry.WithMaxDelay(4 * s), middle}, 12 * s},
		{"nominal delay is capped for the jitter", hint(10 * s), []retry.Option{constant(9 * s), retry.WithMaxDelay(8 * s), retry.WithJitter(retry.AddJitter(1)), middle}, 12 * s},
		{"nominal delay of decorrelated", hint(10 * s), []retry.Option{retry.WithBackoff(retry.Decorrelated(2*s, 2)), middle}, 12 * s},
		{"negative delay is a nominal delay of zero", hint(10 * s), []retry.Option{constant(0), retry.WithBackoff(plainBackoff(-time.Hour)), middle}, 10500 * ms},
		{"defaults", hint(10 * s), []retry.Option{middle}, 10500 * ms},

		{"exact with NoJitter given", hint(10 * s), []retry.Option{retry.WithJitter(retry.NoJitter), end}, 10 * s},
		{"exact with NoJitter, nominal longer", hint(s), []retry.Option{constant(8 * s), retry.WithJitter(retry.NoJitter), end}, s},
		{"a strategy without jitter is not exact", hint(10 * s), []retry.Option{constant(ms), end}, 11 * s},

		{"a cap does not cut the hint", hint(10 * s), []retry.Option{retry.WithMaxDelay(s), retry.WithJitter(retry.NoJitter)}, 10 * s},
		{"a cap of zero does not cut it", hint(10 * s), []retry.Option{retry.WithMaxDelay(0), middle}, 10500 * ms},
		{"exactly the longest allowed", hint(time.Minute), []retry.Option{constant(0), fixedRand(0)}, time.Minute},
		{"spread may exceed the longest allowed", hint(time.Minute), []retry.Option{constant(0), middle}, 63 * s},
		{"exactly a longest that was set", hint(time.Hour), []retry.Option{retry.WithMaxRetryAfter(time.Hour), retry.WithJitter(retry.NoJitter)}, time.Hour},
		{"the longest duration", hint(longest), []retry.Option{retry.WithMaxRetryAfter(longest), constant(longest), end}, longest},

		{"spread is cut to what MaxElapsed leaves", hint(10 * s), []retry.Option{constant(8 * s), retry.WithMaxElapsed(12 * s), middle}, 11 * s},
		{"spread is cut to just below MaxElapsed", hint(10 * s), []retry.Option{constant(8 * s), retry.WithMaxElapsed(12 * s), end}, 12 * s},
		{"room for the hint only", hint(10 * s), []retry.Option{constant(8 * s), retry.WithMaxElapsed(10*s + 1), end}, 10 * s},

		{"zero is no hint", hint(0), []retry.Option{constant(4 * s), end}, 4 * s},
		{"negative is no hint", hint(-time.Hour), []retry.Option{constant(4 * s), end}, 4 * s},
		{"longest of several", errors.Join(hint(3*s), hint(9*s), hint(-s)), []retry.Option{retry.WithJitter(retry.NoJitter)}, 9 * s},
		{"longest of nested", retry.After(3*s, retry.After(9*s, retry.After(s, errRefused))), []retry.Option{retry.WithJitter(retry.NoJitter)}, 9 * s},
		{"outer longest", retry.After(9*s, retry.After(3*s, errRefused)), []retry.Option{retry.WithJitter(retry.NoJitter)}, 9 * s},
		{"another package's hint", foreignHint{7 * s, true}, []retry.Option{retry.WithJitter(retry.NoJitter)}, 7 * s},
		{"another package's hint, wrapped", errors.Join(errRefused, foreignHint{7 * s, true}), []retry.Option{retry.WithJitter(retry.NoJitter)}, 7 * s},
		{"another package's error without a hint", foreignHint{7 * s, false}, []retry.Option{constant(4 * s), end}, 4 * s},
		{"another package's negative hint", foreignHint{-1, true}, []retry.Option{constant(4 * s), end}, 4 * s},
		{"another package's shorter hint", errors.Join(foreignHint{2 * s, true}, hint(5*s)), []retry.Option{retry.WithJitter(retry.NoJitter)}, 5 * s},
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

// If a limit forbids waiting for the hint, the call gives up at once and Error.Delay is the
// hint.
func TestHintPastLimits(t *testing.T) {
	t.Parallel()
	const s = time.Second
	tests := []struct {
		name     string
		hint     time.Duration
		deadline time.Duration // of the context; 0 means none
		opts     []retry.Option
		reason   error
	}{
		{"above the default longest", time.Minute + 1, 0, nil, retry.ErrRetryAfter},
		{"above the longest given", 10 * s, 0, []retry.Option{retry.WithMaxRetryAfter(10*s - 1)}, retry.ErrRetryAfter},
		{"no hint is allowed", 1, 0, []retry.Option{retry.WithMaxRetryAfter(0)}, retry.ErrRetryAfter},
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
				assert.True(t, ok, "an outer retry gets the hint")
				assert.Equal(t, test.hint, after)
			})
		})
	}
}

// A hint that is too long is not the reason if no attempt is left anyway. A hint does not
// overrule a classifier.
func TestHintIsCheckedLast(t *testing.T) {
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

// The spread after a hint is uniform. It is cut to fit before the deadline and never makes the
// call give up.
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
		{"both limits, deadline sooner", 12 * s, []retry.Option{retry.WithMaxElapsed(13 * s)}, 12 * s},
		{"both limits, max elapsed sooner", 13 * s, []retry.Option{retry.WithMaxElapsed(12 * s)}, 12 * s},
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
				p := retry.MustNew(append(test.opts, retry.WithBackoff(retry.Constant(4*s)), seededRand(11))...)
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
