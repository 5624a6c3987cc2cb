package retry_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-205ff063/retry"
)

// gauge is a semaphore for many goroutines. It counts how many hold it.
type gauge struct{ in atomic.Int64 }

func (g *gauge) Acquire(context.Context, int64) error { g.in.Add(1); return nil }
func (g *gauge) Release(int64)                        { g.in.Add(-1) }

// eventually returns a function that fails up to fails times, then returns -2 if it is at its
// second attempt, and then v.
func eventually(v, fails int) func(context.Context) (int, error) {
	n := 0
	return func(context.Context) (int, error) {
		switch n++; {
		case n <= fails:
			return n, errDown
		case n == 2:
			return -n, nil
		}
		return v, nil
	}
}

func TestOnePolicyOnManyGoroutines(t *testing.T) {
	t.Parallel()
	const workers, calls = 100, 20
	var g gauge
	var started, attempts, waits, done atomic.Int64
	h := retry.NewHistory(50)
	b := retry.NewBudget(1, 1000)
	p := retry.MustNew(
		retry.WithName("shared"), retry.WithMaxAttempts(4), retry.WithMaxElapsed(time.Hour), retry.WithAttemptTimeout(time.Hour),
		retry.WithBackoff(retry.Chain(1, retry.Decorrelated(1, 3), retry.Exponential(1, 2))), retry.WithMaxDelay(time.Microsecond),
		retry.WithRetryIf(retry.Is(errDown), retry.Transient), retry.WithStopIf(retry.AlreadyRetried),
		retry.WithValidator(func(v int, _ retry.Attempt) error {
			if v < 0 {
				return errDown
			}
			return nil
		}),
		retry.WithHistory(h), retry.WithGate(retry.Bulkhead(&g, 1), retry.OnlyRetries(retry.Bulkhead(&g, 1))), retry.WithBudget(b),
		retry.WithLogger(slog.New(slog.NewTextHandler(new(bytes.Buffer), nil))),
		retry.WithHooks(retry.Hooks{
			Start:         func(ctx context.Context) context.Context { started.Add(1); return ctx },
			BeforeAttempt: func(ctx context.Context, _ retry.Attempt) context.Context { attempts.Add(1); return ctx },
			BeforeWait:    func(context.Context, retry.Attempt) { waits.Add(1) },
			Done:          func(context.Context, retry.Outcome) { done.Add(1) },
		}))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range calls {
				v, err := retry.DoValue(context.Background(), eventually(w, i%3), p)
				if !errors.Is(err, retry.ErrBudget) && (err != nil || v != w) {
					t.Errorf("%v, %v", v, err)
				}
				_ = p.String()
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int64(workers*calls), started.Load())
	assert.Equal(t, int64(workers*calls), done.Load())
	assert.Equal(t, attempts.Load(), started.Load()+waits.Load(), "one wait for each retry")
	assert.Zero(t, g.in.Load(), "all permits are released")
	assert.Equal(t, 50, h.Len())
}

// Not parallel: it counts the goroutines of the whole process.
// A policy whose options replaced a bad one may be shared as any other, also by calls that fail
// for an error of their own.
func TestPolicyOfReplacedOptionOnManyGoroutines(t *testing.T) {
	t.Parallel()
	p := retry.MustNew(retry.WithMaxElapsed(-1), retry.WithMaxElapsed(1), retry.WithValidator(func(string, retry.Attempt) error { return nil }))
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			_, err := retry.DoValue(t.Context(), func(context.Context) (int, error) { return 0, nil }, p)
			assert.EqualError(t, err, "retry: WithValidator: a validator for string does not fit a call that returns int")
		})
		group.Go(func() {
			_, err := retry.DoValue[string](t.Context(), nil, p)
			assert.EqualError(t, err, "retry: DoValue: nil function")
		})
	}
	group.Wait()
}

func TestCallStartsNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	stacks := make([]byte, 1<<20)
	count := func() {
		// There may be fewer than before: goroutines of earlier tests are still ending.
		assert.LessOrEqual(t, runtime.NumGoroutine(), before)
		assert.NotContains(t, string(stacks[:runtime.Stack(stacks, true)]), "created by github.com/seed-205ff063/retry.")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	opts := []retry.Option{
		retry.WithBackoff(retry.BackoffFunc(func(retry.Attempt) time.Duration { count(); return 1 })),
		retry.WithAttemptTimeout(time.Hour), retry.WithMaxAttempts(4), retry.WithBudget(retry.NewBudget(0.1, 100)),
		retry.WithHistory(retry.NewHistory(3)), retry.WithLogger(slog.New(slog.NewTextHandler(new(bytes.Buffer), nil))),
		retry.WithGate(func(context.Context, retry.Attempt) (func(error), error) {
			count()
			return func(error) { count() }, nil
		}),
		retry.WithHooks(retry.Hooks{
			Start:        func(ctx context.Context) context.Context { count(); return ctx },
			AfterAttempt: func(context.Context, retry.Attempt) { count() },
			BeforeWait:   func(context.Context, retry.Attempt) { count() },
			Done:         func(context.Context, retry.Outcome) { count() },
		}),
	}
	for _, way := range entryPoints {
		for _, fails := range []int{0, 2, 9} {
			fn, calls := failTimes(fails, errDown)
			err := way.call(ctx, func(ctx context.Context) error { count(); return fn(ctx) }, opts...)
			require.Equal(t, fails == 9, err != nil, way.name)
			require.Equal(t, min(fails+1, 4), *calls)
			count()
		}
	}
}
