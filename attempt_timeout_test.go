package retry_test

import (
	"context"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

func TestAttemptTimeoutIsRetried(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  func(ctx context.Context) error
	}{
		{"context's error", func(ctx context.Context) error { return ctx.Err() }},
		{"context's cause", context.Cause},
		{"plain error", alwaysReturn(errDown)},
	} {
		for _, way := range entryPoints {
			t.Run(tt.name+"/"+way.name, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					start := time.Now()
					var contexts []context.Context
					err := way.call(context.Background(), func(ctx context.Context) error {
						contexts = append(contexts, ctx)
						<-ctx.Done()
						return tt.err(ctx)
					}, retry.WithAttemptTimeout(2*time.Second), every(time.Second), retry.WithMaxAttempts(3))
					assert.Equal(t, 8*time.Second, time.Since(start))
					e := retryError(t, err)
					assert.Equal(t, retry.ErrExhausted, e.Reason)
					require.Len(t, contexts, 3)
					for _, ctx := range contexts {
						cause := context.Cause(ctx)
						assert.ErrorIs(t, cause, context.DeadlineExceeded)
						var timeout interface{ Timeout() bool }
						require.ErrorAs(t, cause, &timeout)
						assert.True(t, timeout.Timeout())
					}
				})
			})
		}
	}
}

func TestAttemptContextEndsWithAttempt(t *testing.T) {
	t.Parallel()
	for _, fails := range []int{0, 2} {
		fn, _ := failTimes(fails, errDown)
		var contexts []context.Context
		require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
			for _, earlier := range contexts {
				assert.Error(t, earlier.Err())
			}
			assert.NoError(t, ctx.Err())
			contexts = append(contexts, ctx)
			return fn(ctx)
		}, atOnce, retry.WithAttemptTimeout(time.Hour)))
		require.Len(t, contexts, fails+1)
		assert.Error(t, contexts[fails].Err())
	}
}

func TestAttemptTimeoutExcludesGatesAndHooks(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
			deadline, _ := ctx.Deadline()
			assert.Equal(t, time.Second, time.Until(deadline))
			return ctx.Err()
		}, retry.WithAttemptTimeout(time.Second), retry.WithMaxAttempts(1),
			retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) {
				time.Sleep(time.Minute)
				return nil, nil
			}),
			retry.WithHooks(retry.Hooks{BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context {
				time.Sleep(time.Minute)
				return ctx
			}})))
	})
}

func TestAttemptTimeoutZeroLifts(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(retry.WithAttemptTimeout(time.Second))
	require.NoError(t, retry.Do(context.Background(), func(ctx context.Context) error {
		_, bounded := ctx.Deadline()
		assert.False(t, bounded)
		return nil
	}, p, retry.WithAttemptTimeout(0)))
}

// An attempt is TimedOut if its own timeout has ended its context and the caller's context is
// still alive.
func TestTimedOut(t *testing.T) {
	const s = time.Second
	waitOut := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for _, tt := range []struct {
		name string
		ctx  func(t testing.TB) context.Context
		opts []retry.Option
		fn   func(context.Context) error
		want bool
	}{
		{"its own timeout", nil, []retry.Option{retry.WithAttemptTimeout(s)}, waitOut, true},
		{"with any error", nil, []retry.Option{retry.WithAttemptTimeout(s)}, func(ctx context.Context) error { <-ctx.Done(); return errOdd }, true},
		{"a timeout's error without a timeout", nil, []retry.Option{retry.WithAttemptTimeout(s)}, alwaysReturn(context.DeadlineExceeded), false},
		{"no timeout", nil, nil, alwaysReturn(context.DeadlineExceeded), false},
		{"failed before the timeout", nil, []retry.Option{retry.WithAttemptTimeout(s)}, func(context.Context) error { time.Sleep(s - 1); return errDown }, false},
		{"the caller's deadline", func(t testing.TB) context.Context { return withDeadline(t, s) }, []retry.Option{retry.WithAttemptTimeout(time.Hour)}, waitOut, false},
		{"the caller's deadline comes later", func(t testing.TB) context.Context { return withDeadline(t, time.Hour) }, []retry.Option{retry.WithAttemptTimeout(s)}, waitOut, true},
		{"a rejected value after the timeout", nil, []retry.Option{retry.WithAttemptTimeout(s), rejectAll(errOdd)}, func(ctx context.Context) error { <-ctx.Done(); return nil }, true},
		{"a gate refused", nil, []retry.Option{retry.WithAttemptTimeout(s), retry.WithGate(refusingGate(context.DeadlineExceeded))}, succeed, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				ctx := context.Background()
				if tt.ctx != nil {
					ctx = tt.ctx(t)
				}
				var shown []bool
				_, err := retry.DoValue(ctx, func(ctx context.Context) (int, error) { return 0, tt.fn(ctx) },
					retry.MustNew(tt.opts...), retry.WithMaxAttempts(1),
					retry.WithHooks(retry.Hooks{AfterAttempt: func(_ context.Context, a retry.Attempt) {
						shown = append(shown, a.TimedOut)
						assert.Equal(t, a.TimedOut, retry.TimedOut(a))
					}}))
				e := retryError(t, err)
				assert.Equal(t, []bool{tt.want}, shown)
				for _, a := range e.History() {
					assert.Equal(t, tt.want, a.TimedOut)
				}
			})
		})
	}
}

// An attempt that ends because the caller cancelled has not timed out.
func TestTimedOutNotByCancellation(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	e := retryError(t, retry.Do(ctx, func(ctx context.Context) error { cancel(); <-ctx.Done(); return ctx.Err() }, retry.WithAttemptTimeout(time.Hour)))
	assert.False(t, e.History()[0].TimedOut)
	assert.Equal(t, retry.ErrContext, e.Reason)
}

// A slow attempt that succeeds has timed out too, and is a success.
func TestTimedOutAttemptThatSucceeds(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := retry.NewHistory(1)
		err := retry.Do(context.Background(), func(ctx context.Context) error { <-ctx.Done(); return nil },
			retry.WithAttemptTimeout(time.Second), retry.WithHistory(h), retry.WithStopIf(retry.TimedOut))
		assert.NoError(t, err)
		assert.True(t, h.Slice()[0].TimedOut)
	})
}

// As a classifier, TimedOut looks at each attempt on its own.
func TestTimedOutAsClassifier(t *testing.T) {
	for name, opts := range map[string]func(*int) ([]retry.Option, int){
		"stop if":  func(*int) ([]retry.Option, int) { return []retry.Option{retry.WithStopIf(retry.TimedOut)}, 3 },
		"retry if": func(*int) ([]retry.Option, int) { return []retry.Option{retry.WithRetryIf(retry.TimedOut)}, 1 },
		"not": func(*int) ([]retry.Option, int) {
			return []retry.Option{retry.WithRetryIf(retry.Not(retry.TimedOut))}, 3
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				calls := 0
				o, want := opts(&calls)
				e := retryError(t, retry.Do(context.Background(), func(ctx context.Context) error {
					if calls++; calls == 3 {
						<-ctx.Done()
					}
					return errDown
				}, atOnce, retry.MustNew(o...), retry.WithAttemptTimeout(time.Second)))
				assert.Equal(t, want, calls)
				assert.Equal(t, retry.ErrPermanent, e.Reason)
			})
		})
	}
}

// TimedOut also works with clocks that have a WithTimeout method.
func TestTimedOutWithClocks(t *testing.T) {
	t.Parallel()
	var virtual retrytest.Clock
	mock := clock.NewMock()
	for name, tt := range map[string]struct {
		clock retry.Clock
		pass  func(time.Duration)
	}{"retrytest": {&virtual, virtual.Advance}, "mock": {mock, mock.Add}} {
		for _, d := range []time.Duration{time.Second - 1, time.Second} {
			e := retryError(t, retry.Do(context.Background(), func(context.Context) error { tt.pass(d); return errDown },
				retry.WithClock(tt.clock), retry.WithMaxAttempts(1), retry.WithAttemptTimeout(time.Second)))
			assert.Equal(t, d == time.Second, e.History()[0].TimedOut, "%s %v", name, d)
		}
	}
}
