package retry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

func TestContextAlreadyDone(t *testing.T) {
	t.Parallel()
	cause := errors.New("shutting down")
	cancelled, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	late, stop := context.WithDeadlineCause(context.Background(), time.Unix(0, 0), cause)
	defer stop()
	for _, tt := range []struct {
		name string
		ctx  context.Context
		want error
	}{
		{"cancelled", cancelled, context.Canceled},
		{"past its deadline", late, context.DeadlineExceeded},
	} {
		for _, way := range entryPoints {
			t.Run(tt.name+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				var done outcomes
				gates := 0
				err := way.call(tt.ctx, func(context.Context) error { t.Error("called"); return nil }, done.hook(),
					retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) { gates++; return nil, nil }))
				e := retryError(t, err)
				for _, target := range []error{retry.ErrContext, tt.want, cause} {
					assert.ErrorIs(t, err, target)
				}
				assert.Equal(t, retry.ErrContext, e.Reason)
				assert.NoError(t, e.Err)
				assert.Zero(t, e.Attempts)
				assert.Empty(t, e.History())
				assert.Equal(t, tt.want == context.DeadlineExceeded, e.Timeout())
				out := done.one(t)
				assert.Zero(t, out.Attempts)
				assert.Same(t, e, out.Err)
				assert.Zero(t, gates, "no attempt, so no gate")
			})
		}
	}
}

func TestContextEndsDuringWait(t *testing.T) {
	t.Parallel()
	for _, way := range entryPoints {
		t.Run(way.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				cause := errors.New("shutting down")
				ctx, cancel := context.WithCancelCause(context.Background())
				time.AfterFunc(61*time.Minute, func() { cancel(cause) })
				start := time.Now()
				fn, calls := failTimes(9, errDown)
				var done outcomes
				err := way.call(ctx, fn, every(time.Hour), done.hook())
				assert.Equal(t, 61*time.Minute, time.Since(start), "the wait ends at once")
				assert.Equal(t, 2, *calls)
				e := retryError(t, err)
				for _, target := range []error{errDown, context.Canceled, cause, retry.ErrContext} {
					assert.ErrorIs(t, err, target)
				}
				assert.Equal(t, retry.ErrContext, e.Reason)
				assert.Equal(t, errDown, e.Err)
				assert.Equal(t, 61*time.Minute, e.Elapsed)
				assert.Zero(t, e.Delay, "the wait started")
				assert.Equal(t, 61*time.Minute, done.one(t).Waited, "Waited is the time spent, not the time planned")
			})
		})
	}
}

func TestContextEndsDuringAttempt(t *testing.T) {
	t.Parallel()
	cause := errors.New("shutting down")
	for _, tt := range []struct {
		name string
		err  func(ctx context.Context) error
	}{
		{"plain error", alwaysReturn(errDown)},
		{"context's error", func(ctx context.Context) error { return ctx.Err() }},
		{"context's cause", context.Cause},
		{"a deadline error from elsewhere", alwaysReturn(context.DeadlineExceeded)},
		{"permanent", alwaysReturn(retry.Permanent(errDown))},
		{"hint", alwaysReturn(retry.After(time.Hour, errDown))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(context.Background())
			never := func(retry.Attempt) bool { t.Error("a classifier was asked"); return true }
			calls := 0
			var last error
			err := retry.Do(ctx, func(ctx context.Context) error {
				if calls++; calls == 2 {
					cancel(cause)
					last = tt.err(ctx)
					return last
				}
				return errDown
			}, atOnce, retry.WithRetryIf(func(a retry.Attempt) bool { return a.Number == 1 || never(a) }),
				retry.WithStopIf(func(a retry.Attempt) bool { return a.Number != 1 && never(a) }),
				retry.WithBudget(retry.NewBudget(0, 1)))
			e := retryError(t, err)
			assert.Equal(t, 2, calls)
			assert.Equal(t, retry.ErrContext, e.Reason)
			assert.Equal(t, withoutMark(last), e.Err)
			assert.Zero(t, e.Delay)
			for _, target := range []error{withoutMark(last), context.Canceled, cause} {
				assert.ErrorIs(t, err, target)
			}
		})
	}
}

func TestCancellationWinsEveryTie(t *testing.T) {
	t.Parallel()
	const times = 300 // select would choose wrongly in half of them
	for _, tt := range []struct {
		name string
		opts func(cancel func()) []retry.Option
	}{
		{"the wait and the context end together", func(cancel func()) []retry.Option {
			return []retry.Option{every(time.Second), retry.WithClock(&jumpClock{onWait: func(time.Duration) { cancel() }})}
		}},
		{"zero delay, ended before the wait", func(cancel func()) []retry.Option {
			return []retry.Option{atOnce, retry.WithHooks(retry.Hooks{
				BeforeWait: func(context.Context, retry.Attempt) { cancel() },
			})}
		}},
		{"zero delay, cancelled by the backoff", func(cancel func()) []retry.Option {
			return []retry.Option{retry.WithBackoff(retry.BackoffFunc(func(retry.Attempt) time.Duration { cancel(); return 0 }))}
		}},
		{"tiny delay, ended before the wait", func(cancel func()) []retry.Option {
			return []retry.Option{every(1), retry.WithHooks(retry.Hooks{
				BeforeWait: func(context.Context, retry.Attempt) { cancel() },
			})}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for range times {
				ctx, cancel := context.WithCancel(context.Background())
				fn, calls := failTimes(9, errDown)
				err := retry.Do(ctx, fn, append(tt.opts(cancel), retry.WithMaxAttempts(retry.Unlimited))...)
				require.Equal(t, 1, *calls)
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, errDown)
			}
		})
	}
}

func TestCallersTimeoutOrAttemptTimeout(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		timeout  time.Duration
		callers  time.Duration
		err      error
		attempts int
		reason   error
	}{
		{"attempt timed out, plain error", time.Second, time.Hour, errDown, 3, retry.ErrExhausted},
		{"attempt timed out, deadline error", time.Second, time.Hour, context.DeadlineExceeded, 3, retry.ErrExhausted},
		{"caller's deadline, plain error", time.Hour, time.Second, errDown, 1, retry.ErrContext},
		{"caller's deadline, deadline error", time.Hour, time.Second, context.DeadlineExceeded, 1, retry.ErrContext},
		{"both at once", time.Second, time.Second, errDown, 1, retry.ErrContext},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(context.Background(), tt.callers)
				defer cancel()
				e := retryError(t, retry.Do(ctx, func(ctx context.Context) error {
					<-ctx.Done()
					synctest.Wait()
					return tt.err
				}, retry.WithAttemptTimeout(tt.timeout), atOnce, retry.WithMaxAttempts(3)))
				assert.Equal(t, tt.attempts, e.Attempts)
				assert.Equal(t, tt.reason, e.Reason)
			})
		})
	}
	t.Run("a deadline error from elsewhere", func(t *testing.T) {
		t.Parallel()
		fn, calls := failTimes(2, fmt.Errorf("dial: %w", context.DeadlineExceeded))
		require.NoError(t, retry.Do(context.Background(), fn, atOnce))
		assert.Equal(t, 3, *calls)
		fn, calls = failTimes(2, context.Canceled)
		require.NoError(t, retry.Do(context.Background(), fn, atOnce))
		assert.Equal(t, 3, *calls, "a cancellation from elsewhere does not end the call")
	})
}
