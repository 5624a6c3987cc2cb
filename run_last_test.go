package retry_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

func TestLast(t *testing.T) {
	for name, clk := range map[string]*retrytest.Clock{"real": nil, "virtual": new(retrytest.Clock)} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				opts, pass := []retry.Option{doublingWaits, retry.WithMaxAttempts(3)}, time.Sleep
				if clk != nil {
					opts, pass = append(opts, retry.WithClock(clk)), clk.Advance
				}
				run := retry.MustNew(opts...).Start(context.Background())
				pass(time.Minute)
				assert.Equal(t, retry.Attempt{Elapsed: time.Minute}, run.Last(), "no attempt yet")

				mark := retry.After(time.Second, errOdd)
				for i, err := range []error{errDown, mark} {
					wait, again := run.Try(func(context.Context) error { pass(time.Second); return err })
					require.True(t, again)
					want := retry.Attempt{Number: i + 1, Elapsed: time.Minute + time.Duration(2*i+1)*time.Second, Delay: wait, Err: err}
					assert.Equal(t, want, run.Last())
					assert.Equal(t, want, run.Last(), "the same each time")
					assert.Equal(t, time.Second, wait)
					pass(wait)
					want.Elapsed += wait
					assert.Equal(t, want, run.Last(), "Elapsed includes the time until now")
				}
				_, again := run.Try(func(context.Context) error { pass(time.Second); return errDown })
				require.False(t, again)
				want := retry.Attempt{Number: 3, Elapsed: time.Minute + 5*time.Second, Err: errDown}
				assert.Equal(t, want, run.Last(), "no wait follows the last attempt")
				pass(time.Hour)
				want.Elapsed += time.Hour
				assert.Equal(t, want, run.Last())
			})
		})
	}
}

// Last works after any end of a Run.
func TestLastAfterEnd(t *testing.T) {
	t.Parallel()
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, tt := range []struct {
		name string
		ctx  context.Context
		opts []retry.Option
		fn   func(context.Context) error
		want retry.Attempt
	}{
		{"success", context.Background(), nil, succeed, retry.Attempt{Number: 1}},
		{"context done", canceled, nil, succeed, retry.Attempt{}},
		{"hint that is too long", context.Background(), nil, alwaysReturn(hintError{time.Hour, true}), retry.Attempt{Number: 1, Err: hintError{time.Hour, true}}},
		{"WithStop", context.Background(), []retry.Option{retry.WithStop(stopAt(1, errQuota))}, alwaysReturn(errDown), retry.Attempt{Number: 1, Err: errDown}},
		{"gate", context.Background(), []retry.Option{retry.WithGate(refusingGate(errOdd)), retry.WithMaxAttempts(1)}, succeed, retry.Attempt{Number: 1, Err: errOdd}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			run := retry.MustNew(append(tt.opts, retry.WithClock(new(retrytest.Clock)))...).Start(tt.ctx)
			_, again := run.Try(tt.fn)
			require.False(t, again)
			assert.Equal(t, tt.want, run.Last())
		})
	}
}

// Attempt.Err is the error as the function returned it, also at the end.
func TestLastKeepsMark(t *testing.T) {
	t.Parallel()
	mark := retry.Permanent(errDown)
	run := retry.MustNew().Start(context.Background())
	_, again := run.Try(alwaysReturn(mark))
	require.False(t, again)
	assert.Same(t, mark, run.Last().Err) //nolint:testifylint // the very one
	assert.Equal(t, errDown, retryError(t, run.Err()).Err)
}

// A Run that is used with the wrong function keeps its last attempt.
func TestLastAfterWrongFunction(t *testing.T) {
	t.Parallel()
	run := retry.MustNew(atOnce).Start(context.Background())
	_, again := run.Try(alwaysReturn(errDown))
	require.True(t, again)
	_, again = run.Try(nil)
	require.False(t, again)
	require.ErrorIs(t, run.Err(), retry.ErrOption)
	last := run.Last()
	assert.Equal(t, 1, last.Number)
	assert.Equal(t, errDown, last.Err)
}

// Resuming from Last continues the call as if it were the same Run. Storing it again without a
// Try gives the same record.
func TestLastThenResume(t *testing.T) {
	t.Parallel()
	clk := new(retrytest.Clock)
	p := retry.MustNew(doublingWaits, retry.WithClock(clk), retry.WithMaxAttempts(4))
	run := p.Start(context.Background())
	for _, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		wait, again := run.Try(func(context.Context) error { clk.Advance(time.Minute); return errDown })
		require.True(t, again)
		require.Equal(t, want, wait)
		last := run.Last()
		clk.Advance(wait)
		run = p.Resume(context.Background(), last)
	}
	_, again := run.Try(alwaysReturn(errDown))
	require.False(t, again)
	e := retryError(t, run.Err())
	assert.Equal(t, 4, e.Attempts)
	assert.Equal(t, 3*time.Minute+7*time.Second, e.Elapsed)
}

// A resumed Run that is stored again before its first Try counts no wait twice.
func TestLastOfResumedRun(t *testing.T) {
	t.Parallel()
	clk := new(retrytest.Clock)
	stored := retry.Attempt{Number: 3, Elapsed: time.Minute, Delay: 10 * time.Second, Err: errDown}
	run := retry.MustNew(retry.WithClock(clk)).Resume(context.Background(), stored)
	assert.Equal(t, stored, run.Last())
	clk.Advance(5 * time.Second)
	stored.Elapsed += 5 * time.Second
	assert.Equal(t, stored, run.Last(), "the lateness counts")
}
