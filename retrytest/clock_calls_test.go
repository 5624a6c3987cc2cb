package retrytest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

func TestSchedule(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for name, row := range map[string]struct {
		opts []retry.Option
		want []time.Duration
	}{
		"defaults":       {nil, []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms}},
		"three attempts": {[]retry.Option{retry.WithMaxAttempts(3)}, []time.Duration{100 * ms, 200 * ms}},
		"one attempt":    {[]retry.Option{retry.WithMaxAttempts(1)}, nil},
		"fibonacci":      {[]retry.Option{retry.WithBackoff(retry.Fibonacci(ms))}, []time.Duration{ms, ms, 2 * ms, 3 * ms}},
		"no delay":       {[]retry.Option{retry.WithBackoff(retry.Constant(0))}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var clk retrytest.Clock
			opts := append(row.opts, retry.WithClock(&clk), retry.WithJitter(retry.NoJitter))
			err := retry.Do(t.Context(), retrytest.Fail(9, errDown), opts...)

			var failure *retry.Error
			require.ErrorAs(t, err, &failure)
			assert.Equal(t, retry.ErrExhausted, failure.Reason)
			assert.Equal(t, row.want, clk.Waits())
			var total time.Duration
			for _, d := range row.want {
				total += d
			}
			assert.Equal(t, total, failure.Elapsed)
			assert.Equal(t, start.Add(total), clk.Now())
		})
	}
}

// TestWaysIn checks that every function that retries waits on the Clock.
func TestWaysIn(t *testing.T) {
	t.Parallel()
	fail := func(context.Context) (int, error) { return 0, errDown }
	for name, call := range map[string]func(opts ...retry.Option) error{
		"DoValue": func(opts ...retry.Option) error {
			_, err := retry.DoValue(context.Background(), fail, opts...)
			return err
		},
		"Func": func(opts ...retry.Option) error {
			f := retry.Func(func(ctx context.Context, _ string) (int, error) { return fail(ctx) }, opts...)
			_, err := f(context.Background(), "in")
			return err
		},
		"Attempts": func(opts ...retry.Option) (err error) {
			for range retry.Attempts(context.Background(), &err, opts...) {
				err = errDown
			}
			return err
		},
		"Policy": func(opts ...retry.Option) error {
			return retry.MustNew(opts...).Do(context.Background(), retrytest.Fail(9, errDown))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var clk retrytest.Clock
			err := call(retry.WithClock(&clk), retry.WithBackoff(retry.Constant(time.Hour)))
			assert.ErrorIs(t, err, errDown)
			assert.Equal(t, []time.Duration{time.Hour, time.Hour, time.Hour, time.Hour}, clk.Waits())
		})
	}
}

// step is an attempt on the Clock.
type step func(ctx context.Context, clk *retrytest.Clock) error

// slowSteps take longer than 5 seconds.
var slowSteps = map[string]step{
	"returns the context's error": func(ctx context.Context, clk *retrytest.Clock) error {
		clk.Advance(5 * time.Second)
		return ctx.Err()
	},
	"waits for the context": func(ctx context.Context, clk *retrytest.Clock) error {
		clk.Advance(time.Minute)
		<-ctx.Done()
		return context.Cause(ctx)
	},
	"waits on the clock": func(ctx context.Context, clk *retrytest.Clock) error {
		<-clk.After(5 * time.Second)
		return ctx.Err()
	},
	"waits in a derived context": func(ctx context.Context, clk *retrytest.Clock) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		clk.Advance(5 * time.Second)
		<-ctx.Done()
		return ctx.Err()
	},
}

// TestAttemptTimeout checks that an attempt times out in virtual time and is retried.
func TestAttemptTimeout(t *testing.T) {
	t.Parallel()
	inTime := func(_ context.Context, clk *retrytest.Clock) error {
		clk.Advance(5*time.Second - 1)
		return nil
	}
	for name, slow := range slowSteps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var clk retrytest.Clock
			n := 0
			history := retry.NewHistory(5)
			err := retry.Do(t.Context(), func(ctx context.Context) error {
				deadline, ok := ctx.Deadline()
				require.True(t, ok)
				require.Equal(t, clk.Now().Add(5*time.Second), deadline)
				if n++; n <= 2 {
					return slow(ctx, &clk)
				}
				return inTime(ctx, &clk)
			}, retry.WithClock(&clk), retry.WithAttemptTimeout(5*time.Second), retry.WithHistory(history))
			require.NoError(t, err)
			require.Equal(t, 3, n)
			for _, a := range history.Slice()[:2] {
				assert.ErrorIs(t, a.Err, context.DeadlineExceeded)
				assert.GreaterOrEqual(t, a.Duration, 5*time.Second)
			}
		})
	}
}

// TestCallerEndsDuringAttempt checks that an attempt is not retried if the caller's context ended
// in it. What the attempt returns right then tells this from a timeout.
func TestCallerEndsDuringAttempt(t *testing.T) {
	t.Parallel()
	var clk retrytest.Clock
	ctx, cancel := context.WithCancelCause(t.Context())
	n := 0
	err := retry.Do(ctx, func(ctx context.Context) error {
		n++
		clk.Advance(time.Second)
		cancel(errStop)
		return ctx.Err()
	}, retry.WithClock(&clk), retry.WithAttemptTimeout(5*time.Second))

	assert.Equal(t, 1, n)
	var failure *retry.Error
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, retry.ErrContext, failure.Reason)
	assert.Equal(t, context.Canceled, failure.Err)
	assert.ErrorIs(t, err, errStop)
	assert.Empty(t, clk.Waits())
}

// TestLimits checks that limits count virtual time, of waits and attempts, and not real time.
func TestLimits(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		limit  time.Duration // waits are 1s, attempts take 10s
		calls  int
		reason error
	}{
		"before the first wait ends":  {10*time.Second + 1, 1, nil},
		"when the first wait ends":    {11 * time.Second, 1, nil},
		"just after the first wait":   {11*time.Second + 1, 2, nil},
		"when the third wait ends":    {33 * time.Second, 3, nil},
		"just after the third wait":   {33*time.Second + 1, 4, nil},
		"longer than all attempts":    {54*time.Second + 1, 5, retry.ErrExhausted},
		"ends during the first":       {9 * time.Second, 1, nil},
		"ends as the first one fails": {10 * time.Second, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for kind, call := range map[string]func(*retrytest.Clock, func(context.Context) error, ...retry.Option) (err, reason error){
				"max elapsed": func(_ *retrytest.Clock, fn func(context.Context) error, opts ...retry.Option) (err, reason error) {
					return retry.Do(t.Context(), fn, append(opts, retry.WithMaxElapsed(row.limit))...), retry.ErrMaxElapsed
				},
				"deadline": func(clk *retrytest.Clock, fn func(context.Context) error, opts ...retry.Option) (err, reason error) {
					ctx, cancel := clk.WithTimeout(t.Context(), row.limit)
					defer cancel()
					return retry.Do(ctx, fn, opts...), retry.ErrContext
				},
			} {
				var clk retrytest.Clock
				calls := 0
				err, reason := call(&clk, func(context.Context) error {
					calls++
					clk.Advance(10 * time.Second)
					return errDown
				}, retry.WithClock(&clk), retry.WithBackoff(retry.Constant(time.Second)))
				if row.reason != nil {
					reason = row.reason
				}
				var failure *retry.Error
				require.ErrorAs(t, err, &failure, kind)
				assert.Equal(t, reason, failure.Reason, kind)
				assert.Equal(t, row.calls, calls, kind)
				assert.Len(t, clk.Waits(), row.calls-1, kind)
				assert.ErrorIs(t, err, errDown, kind)
				assert.Equal(t, reason == retry.ErrContext, errors.Is(err, context.DeadlineExceeded), kind)
				assert.Equal(t, time.Duration(11*row.calls-1)*time.Second, failure.Elapsed, kind)
			}
		})
	}
}

// TestRealDeadline checks that a real deadline, decades ahead of the zero Clock, forbids no wait.
func TestRealDeadline(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	var clk retrytest.Clock
	err := retry.Do(ctx, retrytest.Fail(4, errDown), retry.WithClock(&clk), retry.WithBackoff(retry.Constant(24*time.Hour)))
	assert.NoError(t, err)
	assert.Len(t, clk.Waits(), 4)
}
