package retry_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestRunByHand(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var done outcomes
		run := retry.MustNew(every(time.Hour), retry.WithMaxAttempts(3), done.hook()).Start(context.Background())
		fn, calls := failTimes(9, errDown)
		start := time.Now()
		for i := 1; i <= 2; i++ {
			wait, again := run.Try(fn)
			assert.True(t, again)
			assert.Equal(t, time.Hour, wait)
			assert.Equal(t, i, *calls)
			assert.Empty(t, done.all)
			assert.Zero(t, time.Since(start), "Try never sleeps")
		}
		wait, again := run.Try(fn)
		assert.False(t, again)
		assert.Zero(t, wait)
		e := retryError(t, run.Err())
		assert.Equal(t, retry.ErrExhausted, e.Reason)
		assert.Equal(t, 3, e.Attempts)
		assert.Equal(t, 3, done.one(t).Attempts)

		wait, again = run.Try(fn)
		assert.False(t, again)
		assert.Zero(t, wait)
		assert.Equal(t, 3, *calls, "a Try after the end does nothing")
		_, again = run.Try(nil)
		assert.False(t, again)
		assert.Same(t, e, run.Err(), "not even with a nil function")
		assert.Len(t, done.all, 1)
	})
}

func TestRunSucceeds(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]retry.Option{
		"plain":   {atOnce},
		"watched": {atOnce, retry.WithHistory(retry.NewHistory(1))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := retry.MustNew(opts...).Start(context.Background())
			fn, calls := failTimes(1, errDown)
			_, again := run.Try(fn)
			require.True(t, again)
			_, again = run.Try(fn)
			require.False(t, again)
			require.NoError(t, run.Err())
			_, again = run.Try(fn)
			assert.False(t, again)
			assert.Equal(t, 2, *calls)
			assert.NoError(t, run.Err())
		})
	}
}

func TestRunTimeCountsFromStart(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		run := retry.MustNew(every(time.Second), retry.WithMaxElapsed(time.Minute)).Start(context.Background())
		time.Sleep(time.Minute - time.Second)
		_, again := run.Try(alwaysReturn(errDown))
		require.False(t, again)
		e := retryError(t, run.Err())
		assert.Equal(t, retry.ErrMaxElapsed, e.Reason)
		assert.Equal(t, time.Minute-time.Second, e.Elapsed)
	})
}

func TestRunChecksContextFirst(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		var done outcomes
		run := retry.MustNew(every(time.Hour), done.hook()).Start(ctx)
		fn, calls := failTimes(9, errDown)
		_, again := run.Try(fn)
		require.True(t, again)
		time.Sleep(time.Minute)
		cancel()
		_, again = run.Try(fn)
		require.False(t, again)
		assert.Equal(t, 1, *calls)
		e := retryError(t, run.Err())
		assert.Equal(t, retry.ErrContext, e.Reason)
		assert.ErrorIs(t, e, errDown)
		assert.ErrorIs(t, e, context.Canceled)
		assert.Equal(t, time.Minute, done.one(t).Waited)
	})
}

func TestRunStartHookRunsAtFirstTry(t *testing.T) {
	t.Parallel()
	starts := 0
	run := retry.MustNew(atOnce, retry.WithHooks(retry.Hooks{Start: func(ctx context.Context) context.Context {
		starts++
		return ctx
	}})).Start(context.Background())
	assert.Zero(t, starts)
	for range 3 {
		run.Try(alwaysReturn(errDown))
		assert.Equal(t, 1, starts)
	}
}

func TestAbandonedRunRunsNoDone(t *testing.T) {
	t.Parallel()
	var done outcomes
	run := retry.MustNew(done.hook()).Start(context.Background())
	_, again := run.Try(alwaysReturn(errDown))
	require.True(t, again)
	assert.Empty(t, done.all)
	assert.NoError(t, run.Err(), "Err is set only after again is false")
}

func TestRunNilFunction(t *testing.T) {
	t.Parallel()
	var done outcomes
	run := retry.MustNew(atOnce, done.hook()).Start(context.Background())
	_, again := run.Try(nil)
	assert.False(t, again)
	require.ErrorIs(t, run.Err(), retry.ErrOption)
	fn, calls := failTimes(0, nil)
	_, again = run.Try(fn)
	assert.False(t, again)
	assert.Zero(t, *calls)
	_, again = run.Try(nil)
	assert.False(t, again)
	require.EqualError(t, run.Err(), "retry: Run.Try: nil function")
	assert.Empty(t, done.all)
}

func TestRunWithValidatorsIsAnError(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(retry.WithValidator(func(string, retry.Attempt) error { return nil }))
	for name, run := range map[string]*retry.Run{
		"Start":  p.Start(context.Background()),
		"Resume": p.Resume(context.Background(), retry.Attempt{Number: 1}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn, calls := failTimes(0, nil)
			_, again := run.Try(fn)
			assert.False(t, again)
			assert.Zero(t, *calls)
			require.ErrorIs(t, run.Err(), retry.ErrOption)
			assert.EqualError(t, run.Err(),
				"retry: WithValidator: a validator for string in a call that returns no value; use DoValue or Func")
		})
	}
}

// The context that a Start hook returns lasts for all steps, whatever else the Run keeps.
func TestRunKeepsStartHookContext(t *testing.T) {
	t.Parallel()
	start := retry.WithHooks(retry.Hooks{Start: func(ctx context.Context) context.Context { return extend(ctx, "s") }})
	for name, opts := range map[string][]retry.Option{
		"with a history":    nil,
		"without a history": {retry.WithHistorySize(0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := retry.MustNew(append(opts, start, atOnce, retry.WithMaxAttempts(4))...).Start(context.Background())
			for n := range 4 {
				var got string
				_, again := run.Try(func(ctx context.Context) error {
					got = trail(ctx)
					return errDown
				})
				assert.Equal(t, "s", got, "attempt %d", n+1)
				assert.Equal(t, n < 3, again)
			}
		})
	}
}
