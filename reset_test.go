package retry_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// failAfter returns a function that always fails. Each attempt runs for the next of the times.
func failAfter(times ...time.Duration) func(context.Context) error {
	return func(context.Context) error {
		time.Sleep(times[0])
		times = times[1:]
		return errDown
	}
}

// An attempt that ran for at least d before it failed becomes attempt 1 of a new series.
func TestResetAfterStartsSeries(t *testing.T) {
	const s, m = time.Second, time.Minute
	for _, tt := range []struct {
		name     string
		opts     []retry.Option
		times    []time.Duration
		waits    []time.Duration
		reason   error
		attempts int
		elapsed  time.Duration // of the last series
	}{
		{"never by default", []retry.Option{retry.WithMaxAttempts(3)}, []time.Duration{0, time.Hour, 0}, []time.Duration{s, 2 * s}, retry.ErrExhausted, 3, time.Hour + 3*s},
		{"never with 0", []retry.Option{retry.WithMaxAttempts(3), retry.WithResetAfter(0)}, []time.Duration{0, time.Hour, 0}, []time.Duration{s, 2 * s}, retry.ErrExhausted, 3, time.Hour + 3*s},
		{"lifted by a later option", []retry.Option{retry.WithMaxAttempts(3), retry.WithResetAfter(m), retry.WithResetAfter(0)}, []time.Duration{0, time.Hour, 0}, []time.Duration{s, 2 * s}, retry.ErrExhausted, 3, time.Hour + 3*s},
		{"slightly too short", []retry.Option{retry.WithMaxAttempts(3), retry.WithResetAfter(m)}, []time.Duration{0, m - 1, 0}, []time.Duration{s, 2 * s}, retry.ErrExhausted, 3, m - 1 + 3*s},
		{"exactly long enough", []retry.Option{retry.WithMaxAttempts(3), retry.WithResetAfter(m)}, []time.Duration{0, m, 0, 0}, []time.Duration{s, s, 2 * s}, retry.ErrExhausted, 3, m + 3*s},
		{"the first attempt", []retry.Option{retry.WithMaxAttempts(2), retry.WithResetAfter(m)}, []time.Duration{m, 0}, []time.Duration{s}, retry.ErrExhausted, 2, m + s},
		{"again and again", []retry.Option{retry.WithMaxAttempts(2), retry.WithResetAfter(m)}, []time.Duration{m, m, m, m, 0}, []time.Duration{s, s, s, s}, retry.ErrExhausted, 2, m + s},
		{"one attempt is the limit", []retry.Option{retry.WithMaxAttempts(1), retry.WithResetAfter(m)}, []time.Duration{time.Hour}, nil, retry.ErrExhausted, 1, time.Hour},
		{"the time limit restarts", []retry.Option{retry.WithMaxElapsed(m + 4*s), retry.WithResetAfter(m)}, []time.Duration{0, 50 * s, m, s, 0}, []time.Duration{s, 2 * s, s}, retry.ErrMaxElapsed, 2, m + 2*s},
		{"the long attempt counts for the time limit", []retry.Option{retry.WithMaxElapsed(m), retry.WithResetAfter(m)}, []time.Duration{0, m}, []time.Duration{s}, retry.ErrMaxElapsed, 1, m},
		{"strategies that grow from the previous wait", []retry.Option{retry.WithBackoff(retry.Decorrelated(s, 3)), retry.WithMaxAttempts(4), retry.WithResetAfter(m)}, []time.Duration{0, 0, 0, m, 0, 0, 0}, []time.Duration{3 * s, 9 * s, 27 * s, 3 * s, 9 * s, 27 * s}, retry.ErrExhausted, 4, m + 39*s},
	} {
		for _, way := range entryPoints {
			t.Run(tt.name+"/"+way.name, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					var waits []time.Duration
					var done outcomes
					e := retryError(t, way.call(context.Background(), failAfter(tt.times...), doublingWaits, retry.MustNew(tt.opts...), done.hook(),
						retry.WithHooks(retry.Hooks{BeforeWait: func(_ context.Context, a retry.Attempt) { waits = append(waits, a.Delay) }})))
					assert.Equal(t, tt.waits, waits)
					assert.Equal(t, tt.reason, e.Reason)
					assert.Equal(t, tt.attempts, e.Attempts)
					assert.Equal(t, tt.elapsed, e.Elapsed)
					o := done.one(t)
					assert.Equal(t, tt.attempts, o.Attempts)
					assert.Equal(t, tt.elapsed, o.Elapsed)
					var waited time.Duration
					for _, w := range waits[len(waits)-(tt.attempts-1):] {
						waited += w
					}
					assert.Equal(t, waited, o.Waited, "in this series")
				})
			})
		}
	}
}

// The error's history, the shared history and the hooks show the numbers of the series.
func TestResetAfterRecords(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var before, after []retry.Attempt
		history := retry.NewHistory(10)
		start := time.Now()
		e := retryError(t, retry.Do(context.Background(), failAfter(0, 0, time.Minute, 0),
			doublingWaits, retry.WithMaxAttempts(3), retry.WithResetAfter(time.Minute), retry.WithHistory(history),
			retry.WithHooks(retry.Hooks{
				BeforeAttempt: func(_ context.Context, a retry.Attempt) context.Context { before = append(before, a); return nil },
				AfterAttempt:  func(_ context.Context, a retry.Attempt) { after = append(after, a) },
			}), retry.WithStopIf(func(retry.Attempt) bool { return len(after) == 4 })))
		assert.Equal(t, []int{1, 2, 3, 2}, numbersOf(before))
		assert.Equal(t, []int{1, 2, 1, 2}, numbersOf(after))
		long := retry.Attempt{Number: 1, Start: start.Add(3 * time.Second), Duration: time.Minute, Elapsed: time.Minute, Err: errDown}
		assert.Equal(t, long, after[2], "no wait before it: it starts the series")
		next := retry.Attempt{Number: 2, Start: start.Add(64 * time.Second), Waited: time.Second, Elapsed: 61 * time.Second, Err: errDown}
		assert.Equal(t, next, after[3])
		long.Delay = time.Second
		assert.Equal(t, []retry.Attempt{long, next}, e.History(), "in this series")
		assert.Equal(t, []int{1, 2, 1, 2}, numbersOf(history.Slice()), "the shared history has all attempts")
		assert.Equal(t, 2, e.Attempts)
	})
}

// A successful attempt starts no series. A rejected value can start one.
func TestResetAfterWithValues(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var done outcomes
		times := []time.Duration{0, time.Minute}
		require.NoError(t, retry.Do(context.Background(), func(context.Context) error {
			time.Sleep(times[0])
			if times = times[1:]; len(times) == 0 {
				return nil
			}
			return errDown
		}, doublingWaits, retry.WithResetAfter(time.Minute), done.hook()))
		assert.Equal(t, 2, done.one(t).Attempts)
		assert.Equal(t, 61*time.Second, done.one(t).Elapsed)

		times = []time.Duration{0, time.Minute, 0}
		_, err := retry.DoValue(context.Background(), func(context.Context) (int, error) {
			time.Sleep(times[0])
			times = times[1:]
			return len(times), nil
		}, doublingWaits, retry.WithMaxAttempts(2), retry.WithResetAfter(time.Minute), rejectAll(errOdd))
		e := retryError(t, err)
		assert.Empty(t, times)
		assert.Equal(t, 2, e.Attempts)
		assert.Equal(t, 61*time.Second, e.Elapsed)
		assert.Equal(t, []int{2, 1, 0}, retry.Rejected[int](err).Values)
	})
}

// Permanent errors, limits and the end of the context apply in a new series too.
func TestResetAfterKeepsLimits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := retryError(t, retry.Do(context.Background(), func(context.Context) error {
			time.Sleep(time.Minute)
			return retry.Permanent(errDown)
		}, retry.WithResetAfter(time.Minute)))
		assert.Equal(t, retry.ErrPermanent, e.Reason)
		e = retryError(t, retry.Do(withDeadline(t, 10*time.Minute), func(context.Context) error {
			time.Sleep(time.Minute)
			return errDown
		}, every(5*time.Second), retry.WithMaxAttempts(2), retry.WithResetAfter(time.Minute)))
		assert.Equal(t, retry.ErrContext, e.Reason)
		assert.Equal(t, 1, e.Attempts)
		assert.Equal(t, time.Minute, e.Elapsed)
	})
}

// A new series makes a deposit into the budget, as a call does.
func TestResetAfterMakesDeposit(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		for _, tt := range []struct {
			times []time.Duration
			want  float64
		}{
			{[]time.Duration{0, 0, 0}, 10 - 2}, // the budget is full at the call's deposit
			{[]time.Duration{0, 0, time.Minute, 0, 0}, 10 - 2 + 0.5 - 2},
			{[]time.Duration{time.Minute, 0, 0}, 10 - 2}, // the first attempt has made its deposit
			{[]time.Duration{0, time.Minute, time.Minute, 0, 0}, 10 - 1 + 0.5 - 1 + 0.5 - 2},
		} {
			b := retry.NewBudget(0.5, 10)
			_ = retry.Do(context.Background(), failAfter(tt.times...), atOnce, retry.WithBudget(b), retry.WithMaxAttempts(3), retry.WithResetAfter(time.Minute))
			assert.InDelta(t, tt.want, b.Tokens(), 1e-9, "%v", tt.times)
		}
	})
}

// A Run keeps the series between its steps, also after Resume.
func TestResetAfterWithRuns(t *testing.T) {
	t.Parallel()
	clk := new(retrytest.Clock)
	p := retry.MustNew(doublingWaits, retry.WithClock(clk), retry.WithMaxAttempts(9), retry.WithMaxElapsed(time.Hour), retry.WithResetAfter(time.Minute))
	run := p.Resume(context.Background(), retry.Attempt{Number: 7, Elapsed: 50 * time.Minute, Delay: time.Second, Err: errDown})
	step := func(d time.Duration) time.Duration {
		wait, again := run.Try(func(context.Context) error { clk.Advance(d); return errDown })
		require.True(t, again, "%v", run.Err())
		clk.Advance(wait)
		return wait
	}
	assert.Equal(t, time.Second, step(30*time.Minute), "the new series ignores the resumed call's time")
	assert.Equal(t, 1, run.Last().Number)
	assert.Equal(t, 30*time.Minute+time.Second, run.Last().Elapsed)
	assert.Equal(t, 2*time.Second, step(0))
	assert.Equal(t, 4*time.Second, step(0))
	assert.Equal(t, time.Second, step(time.Minute))
	assert.Equal(t, 61*time.Second, run.Last().Elapsed)
}

// Attempts yields the number within the series.
func TestResetAfterInAttempts(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var numbers []int
		var err error
		for _, n := range retry.Attempts(context.Background(), &err, atOnce, retry.WithMaxAttempts(3), retry.WithResetAfter(time.Minute)) {
			numbers = append(numbers, n)
			if len(numbers) == 2 {
				time.Sleep(time.Minute)
			}
			err = errDown
		}
		assert.Equal(t, []int{1, 2, 2, 3}, numbers)
		assert.ErrorIs(t, err, retry.ErrExhausted)
	})
}

func TestResetAfterNegative(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{-1: "-1ns", -time.Hour: "-1h0m0s"} {
		for way, err := range callEveryWay(t, retry.WithResetAfter(d)) {
			require.EqualError(t, err, "retry: WithResetAfter: "+want+" is negative", way)
			require.ErrorIs(t, err, retry.ErrOption)
		}
	}
}

func TestResetAfterText(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{0, 1, time.Minute, 36 * time.Hour} {
		p := retry.MustNew(retry.WithResetAfter(d))
		assert.Contains(t, p.String(), fmt.Sprintf(" max_retry_after=1m0s reset_after=%v jitter=full", d))
		requireRoundTrip(t, p)
	}
	assert.NotContains(t, retry.MustNew().String(), "reset_after")

	p, err := retry.Parse("reset_after=1m")
	require.NoError(t, err)
	assert.Equal(t, retry.MustNew(retry.WithResetAfter(time.Minute)).String(), p.String())
	synctest.Test(t, func(t *testing.T) {
		e := retryError(t, p.Do(withDeadline(t, time.Hour), failAfter(0, 0, 0, 0, time.Minute, 0, 0, 0, 0)))
		assert.Equal(t, 5, e.Attempts, "the fifth attempt starts a new series")
	})
	for text, want := range map[string]string{
		"reset_after=-1s":               "-1s is negative",
		"reset_after=x":                 `"x" is not a duration such as 1.5s`,
		"reset_after=1m reset_after=2m": "reset_after is given twice",
	} {
		_, err := retry.Parse(text)
		require.ErrorIs(t, err, retry.ErrOption)
		assert.Contains(t, err.Error(), want)
	}
}

// The time at a gate does not count: an attempt that was refused after a long wait starts no
// series.
func TestResetAfterIgnoresTimeAtGate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := func(context.Context, retry.Attempt) (func(error), error) {
			time.Sleep(time.Hour)
			return nil, errDown
		}
		err := retry.Do(context.Background(), alwaysReturn(nil), atOnce,
			retry.WithGate(slow), retry.WithMaxAttempts(3), retry.WithResetAfter(time.Minute))
		assert.Equal(t, 3, retryError(t, err).Attempts)
	})
}
