package retry_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestMaxAttemptsCountsCalls(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 5, 17} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			fn, calls := failTimes(math.MaxInt, errDown)
			e := retryError(t, retry.Do(context.Background(), fn, atOnce, retry.WithMaxAttempts(n)))
			assert.Equal(t, n, *calls)
			assert.Equal(t, n, e.Attempts)
			assert.Equal(t, retry.ErrExhausted, e.Reason)
			assert.Zero(t, e.Delay)
		})
	}
	t.Run("unlimited", func(t *testing.T) {
		t.Parallel()
		fn, calls := failTimes(1000, errDown)
		require.NoError(t, retry.Do(context.Background(), fn, atOnce, retry.WithMaxAttempts(retry.Unlimited)))
		assert.Equal(t, 1001, *calls)
	})
}

// limitRow is a call under limits, with the result it must have.
type limitRow struct {
	name     string
	opts     []retry.Option
	deadline time.Duration // of the context; 0 means none
	runs     time.Duration // how long each attempt takes
	err      error         // of each attempt; errDown if nil
	attempts int
	elapsed  time.Duration
	reason   error
	delay    time.Duration
}

func limitRows() []limitRow {
	const s = time.Second
	elapsed := retry.WithMaxElapsed
	exact := retry.WithJitter(retry.NoJitter)
	opts := func(o ...retry.Option) []retry.Option { return o }
	return []limitRow{
		{"deadline before the wait's end", opts(every(time.Hour)), time.Minute, 0, nil, 1, 0, retry.ErrContext, time.Hour},
		{"deadline at the wait's end", opts(every(s)), 3 * s, 0, nil, 3, 2 * s, retry.ErrContext, s},
		{"deadline just after the wait's end", opts(every(s)), 3*s + 1, 0, nil, 4, 3 * s, retry.ErrContext, s},
		{"deadline counts running time", opts(every(s)), 6 * s, 2 * s, nil, 2, 5 * s, retry.ErrContext, s},
		{"max elapsed before the wait's end", opts(every(time.Hour), elapsed(time.Minute)), 0, 0, nil, 1, 0, retry.ErrMaxElapsed, time.Hour},
		{"max elapsed at the wait's end", opts(every(s), elapsed(3*s)), 0, 0, nil, 3, 2 * s, retry.ErrMaxElapsed, s},
		{"max elapsed just after the wait's end", opts(every(s), elapsed(3*s+1)), 0, 0, nil, 4, 3 * s, retry.ErrMaxElapsed, s},
		{"max elapsed counts running time", opts(every(s), elapsed(6*s)), 0, 2 * s, nil, 2, 5 * s, retry.ErrMaxElapsed, s},
		{"max elapsed does not interrupt an attempt", opts(atOnce, elapsed(s)), 0, time.Hour, nil, 1, time.Hour, retry.ErrMaxElapsed, 0},
		{"zero delay at the limit", opts(atOnce, elapsed(s)), 0, s, nil, 1, s, retry.ErrMaxElapsed, 0},
		{"zero delay before the limit", opts(atOnce, elapsed(s+1)), 0, s, nil, 2, 2 * s, retry.ErrMaxElapsed, 0},
		{"both limits forbid", opts(every(time.Hour), elapsed(time.Minute)), s, 0, nil, 1, 0, retry.ErrMaxElapsed, time.Hour},
		{"the deadline alone forbids", opts(every(30*s), elapsed(time.Minute)), s, 0, nil, 1, 0, retry.ErrContext, 30 * s},
		{"the limit alone forbids", opts(every(30*s), elapsed(s)), time.Hour, 0, nil, 1, 0, retry.ErrMaxElapsed, 30 * s},
		{"no limit is 0", opts(every(time.Hour), elapsed(0), retry.WithMaxAttempts(3)), 0, 0, nil, 3, 2 * time.Hour, retry.ErrExhausted, 0},
		{"last attempt before the limits", opts(every(time.Hour), elapsed(s), retry.WithMaxAttempts(1)), 0, 0, nil, 1, 0, retry.ErrExhausted, 0},
		{"hint past the deadline", opts(atOnce), s, 0, retry.After(2*s, errDown), 1, 0, retry.ErrContext, 2 * s},
		{"hint at the deadline", opts(atOnce), 2 * s, 0, retry.After(2*s, errDown), 1, 0, retry.ErrContext, 2 * s},
		{"hint past max elapsed", opts(atOnce, elapsed(s)), 0, 0, retry.After(2*s, errDown), 1, 0, retry.ErrMaxElapsed, 2 * s},
		{"hint past both", opts(atOnce, elapsed(s)), s, 0, retry.After(2*s, errDown), 1, 0, retry.ErrMaxElapsed, 2 * s},
		{"hint too long", opts(atOnce), 0, 0, retry.After(time.Minute+1, errDown), 1, 0, retry.ErrRetryAfter, time.Minute + 1},
		{"hint too long and past the deadline", opts(atOnce), s, 0, retry.After(time.Hour, errDown), 1, 0, retry.ErrRetryAfter, time.Hour},
		{"longest hint allowed", opts(atOnce, exact, retry.WithMaxAttempts(2)), 0, 0, retry.After(time.Minute, errDown), 2, time.Minute, retry.ErrExhausted, 0},
		{"hints forbidden", opts(atOnce, retry.WithMaxRetryAfter(0)), 0, 0, retry.After(1, errDown), 1, 0, retry.ErrRetryAfter, 1},
		{"hint of the last attempt", opts(retry.WithMaxAttempts(1)), 0, 0, retry.After(time.Hour, errDown), 1, 0, retry.ErrExhausted, 0},
		{"max delay does not cut a hint", opts(retry.WithMaxDelay(s), exact, retry.WithMaxAttempts(2)), 0, 0, retry.After(9*s, errDown), 2, 9 * s, retry.ErrExhausted, 0},
		{"a hint shorter than the nominal delay", opts(every(30*s), exact, retry.WithMaxAttempts(2)), 0, 0, retry.After(9*s, errDown), 2, 9 * s, retry.ErrExhausted, 0},
		{"a hint of 0 is none", opts(every(s), retry.WithMaxAttempts(2)), 0, 0, retry.After(0, errDown), 2, s, retry.ErrExhausted, 0},
		{"a negative hint is none", opts(every(s), retry.WithMaxAttempts(2)), 0, 0, retry.After(-s, errDown), 2, s, retry.ErrExhausted, 0},
	}
}

func TestLimitsEndCallBeforeWait(t *testing.T) {
	t.Parallel()
	for _, tt := range limitRows() {
		for _, way := range entryPoints {
			t.Run(tt.name+"/"+way.name, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					ctx := context.Background()
					if tt.deadline > 0 {
						var cancel context.CancelFunc
						ctx, cancel = context.WithTimeout(ctx, tt.deadline)
						defer cancel()
					}
					failure := tt.err
					if failure == nil {
						failure = errDown
					}
					start := time.Now()
					err := way.call(ctx, func(context.Context) error {
						time.Sleep(tt.runs)
						return failure
					}, append([]retry.Option{retry.WithMaxAttempts(100)}, tt.opts...)...)
					assert.Equal(t, tt.elapsed, time.Since(start), "gives up without waiting")
					e := retryError(t, err)
					assert.Equal(t, tt.attempts, e.Attempts)
					assert.Equal(t, tt.elapsed, e.Elapsed)
					assert.Equal(t, tt.reason, e.Reason)
					assert.Equal(t, tt.delay, e.Delay)
					assert.ErrorIs(t, err, errDown)
					assert.Equal(t, tt.reason == retry.ErrContext, errors.Is(err, context.DeadlineExceeded))
				})
			})
		}
	}
}

func TestLimitsAreCheckedAgainAfterWait(t *testing.T) {
	t.Parallel()
	c := &jumpClock{}
	c.onWait = func(d time.Duration) { c.now = c.now.Add(time.Hour) } // the machine was suspended
	fn, calls := failTimes(9, errDown)
	var done outcomes
	e := retryError(t, retry.Do(context.Background(), fn, retry.WithClock(c), every(time.Second),
		retry.WithMaxElapsed(time.Minute), done.hook()))
	assert.Equal(t, 1, *calls)
	assert.Equal(t, retry.ErrMaxElapsed, e.Reason)
	assert.Equal(t, errDown, e.Err)
	assert.Zero(t, e.Delay, "the wait took place")
	assert.Equal(t, time.Hour+time.Second, e.Elapsed)
	assert.Equal(t, time.Second, done.one(t).Waited)
}

// A limit that has passed already does not forbid the first attempt. A slow Start hook or a
// clock ahead of the context may cause that. Only a context that is done forbids it.
func TestLimitsNeverForbidFirstAttempt(t *testing.T) {
	t.Parallel()
	for _, way := range entryPoints {
		t.Run("max elapsed/"+way.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				fn, calls := failTimes(9, errDown)
				e := retryError(t, way.call(context.Background(), fn, every(0), retry.WithMaxElapsed(time.Second), retry.WithHooks(retry.Hooks{
					Start: func(context.Context) context.Context { time.Sleep(time.Minute); return nil },
				})))
				assert.Equal(t, 1, *calls)
				assert.Equal(t, retry.ErrMaxElapsed, e.Reason)
				assert.Equal(t, errDown, e.Err)
			})
		})
		t.Run("deadline/"+way.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			defer cancel()
			fn, calls := failTimes(9, errDown)
			e := retryError(t, way.call(ctx, fn, every(0), retry.WithClock(&jumpClock{now: time.Now().Add(2 * time.Hour)})))
			assert.Equal(t, 1, *calls)
			assert.Equal(t, retry.ErrContext, e.Reason)
			assert.Equal(t, errDown, e.Err)
		})
	}
}
