package retry_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// A call that gives up because the next wait would pass the deadline says just that, in the
// error and the log. It does not say that the context is done.
func TestGiveUpBeforeWaitPastDeadline(t *testing.T) {
	for _, way := range entryPoints {
		t.Run(way.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				ctx := withDeadline(t, 30*time.Second)
				var e *retry.Error
				log := logOf(slog.LevelInfo, func(l retry.Option) {
					e = retryError(t, way.call(ctx, alwaysReturn(errDown), l, every(30*time.Second), retry.WithName("job")))
				})
				assert.NoError(t, ctx.Err())
				assert.Equal(t, "retry: job: next wait of 30s would pass the deadline after 1 attempt in 0s: server down", e.Error())
				assert.Equal(t, retry.ErrContext, e.Reason)
				require.ErrorIs(t, e, retry.ErrContext)
				require.ErrorIs(t, e, context.DeadlineExceeded)
				assert.Equal(t, 30*time.Second, e.Delay)
				assert.True(t, e.Timeout())
				_, hinted := e.RetryAfter()
				assert.False(t, hinted, "the wait is the policy's, not a server's hint")
				assert.Equal(t, "level=ERROR msg=\"gave up\" name=job attempts=1 elapsed=0s reason=\"next wait would pass the deadline\" error=\"server down\" delay=30s\n", log)
			})
		})
	}
}

// A server's hint that would pass a limit becomes the hint of the call's error, for an outer
// retry.
func TestHintPastLimitIsReported(t *testing.T) {
	t.Parallel()
	hint := retry.After(20*time.Second, errDown)
	for _, tt := range []struct {
		name string
		err  error
		opts []retry.Option
		want time.Duration
		ok   bool
	}{
		{"deadline", hint, nil, 20 * time.Second, true},
		{"time limit", hint, []retry.Option{retry.WithMaxElapsed(time.Second)}, 20 * time.Second, true},
		{"longer than allowed", hint, []retry.Option{retry.WithMaxRetryAfter(time.Second)}, 20 * time.Second, true},
		{"budget", retry.After(time.Second, errDown), []retry.Option{retry.WithBudget(retry.NewBudget(0, 0))}, time.Second, true},
		{"WithStop", retry.After(time.Second, errDown), []retry.Option{retry.WithStop(stopAt(1, errQuota))}, time.Second, true},
		{"permanent", retry.Permanent(hint), nil, 0, false},
		{"exhausted", retry.After(time.Second, errDown), []retry.Option{retry.WithMaxAttempts(1)}, 0, false},
		{"no hint, deadline", errDown, []retry.Option{every(time.Hour)}, 0, false},
		{"no hint, time limit", errDown, []retry.Option{every(time.Second), retry.WithMaxElapsed(1)}, 0, false},
		{"no hint, own limit", errDown, []retry.Option{every(time.Second), retry.WithStop(stopAt(1, errQuota))}, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			clk := new(retrytest.Clock)
			ctx, cancel := clk.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			e := retryError(t, retry.Do(ctx, alwaysReturn(tt.err), append(tt.opts, retry.WithJitter(retry.NoJitter), retry.WithClock(clk))...))
			got, ok := e.RetryAfter()
			assert.Equal(t, tt.ok, ok)
			assert.Equal(t, tt.want, got)
			if tt.ok {
				outer := retry.MustNew(retry.WithJitter(retry.NoJitter)).Wait(retry.Attempt{Err: e})
				assert.Equal(t, tt.want, outer, "an outer retry waits at least for the hint")
			}
		})
	}
}

// The context ends inside a classifier, before a wait that would pass the deadline. The error
// gives one reason and matches it.
func TestContextEndsInClassifier(t *testing.T) {
	t.Parallel()
	for name, classify := range map[string]func(retry.Classifier) retry.Option{
		"retry if": func(c retry.Classifier) retry.Option { return retry.WithRetryIf(c) },
		"stop if":  func(c retry.Classifier) retry.Option { return retry.WithStopIf(retry.Not(c)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parent, cancel := context.WithCancelCause(context.Background())
			ctx, stop := context.WithTimeout(parent, time.Hour)
			defer stop()
			var e *retry.Error
			log := logOf(slog.LevelInfo, func(l retry.Option) {
				e = retryError(t, retry.Do(ctx, alwaysReturn(retry.After(2*time.Hour, errDown)), l, retry.WithMaxRetryAfter(retry.Unlimited),
					classify(func(retry.Attempt) bool { cancel(errOdd); return true })))
			})
			assert.Equal(t, retry.ErrContext, e.Reason)
			require.ErrorIs(t, e, context.Canceled)
			require.ErrorIs(t, e, errOdd)
			require.NotErrorIs(t, e, context.DeadlineExceeded)
			assert.Contains(t, e.Error(), "retry: context done (odd) after 1 attempt")
			assert.NotContains(t, e.Error(), "deadline")
			assert.Zero(t, e.Delay)
			assert.False(t, e.Timeout())
			_, hinted := e.RetryAfter()
			assert.False(t, hinted)
			assert.Contains(t, log, "level=INFO msg=canceled")
		})
	}
}

// A call that its caller cancelled is logged at Info. Every other failure is logged at Error.
func TestCancellationIsLoggedAtInfo(t *testing.T) {
	for _, tt := range []struct {
		name     string
		ctx      func() (context.Context, context.CancelFunc)
		fn       func(cancel func()) error
		opts     []retry.Option
		canceled bool
	}{
		{"within the attempt", cancelable, func(cancel func()) error { cancel(); return errDown }, nil, true},
		{"in the wait", cancelable, func(cancel func()) error { time.AfterFunc(time.Minute, cancel); return errDown }, []retry.Option{every(time.Hour)}, true},
		{"a gate's error alone", cancelable, nil, []retry.Option{retry.WithGate(refusingGate(context.Canceled)), retry.WithMaxAttempts(1)}, false},
		{"the attempt's error alone", cancelable, func(func()) error { return context.Canceled }, []retry.Option{retry.WithMaxAttempts(1)}, false},
		{"deadline", func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), time.Minute)
		}, func(func()) error { time.Sleep(time.Hour); return errDown }, nil, false},
		{"a wait past the deadline", func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), time.Minute)
		}, func(func()) error { return context.Canceled }, []retry.Option{every(time.Hour)}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				ctx, cancel := tt.ctx()
				defer cancel()
				var err error
				log := logOf(slog.LevelInfo, func(l retry.Option) {
					err = retry.Do(ctx, func(context.Context) error {
						return tt.fn(cancel)
					}, append(tt.opts, l, retry.WithName("job"))...)
				})
				require.Error(t, err)
				if tt.canceled {
					assert.Contains(t, log, "level=INFO msg=canceled name=job attempts=1")
					assert.Contains(t, log, `reason="context done" cause="context canceled" error="server down"`)
					assert.NotContains(t, log, "level=ERROR")
				} else {
					assert.Contains(t, log, `level=ERROR msg="gave up" name=job`)
					assert.NotContains(t, log, "msg=canceled")
				}
			})
		})
	}
}

func cancelable() (context.Context, context.CancelFunc) {
	return context.WithCancel(context.Background())
}

// A custom cause makes no difference: the context was cancelled, so the level is Info.
func TestCancellationWithCauseIsLoggedAtInfo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("user went away"))
	log := logOf(slog.LevelInfo, func(l retry.Option) { _ = retry.Do(ctx, succeed, l) })
	assert.Contains(t, log, "level=INFO msg=canceled attempts=0 ")
	assert.Contains(t, log, `reason="context done" cause="user went away"`)
}
