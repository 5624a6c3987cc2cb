package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
)

// fakeLimiter counts the calls of Wait. In a program this would be a *rate.Limiter of
// golang.org/x/time.
type fakeLimiter struct{ passed int }

func (l *fakeLimiter) Wait(ctx context.Context) error {
	l.passed++
	return ctx.Err()
}

// fakeSemaphore counts its permits. In a program this would be a *semaphore.Weighted of
// golang.org/x/sync.
type fakeSemaphore struct{ inUse, acquired int64 }

func (s *fakeSemaphore) Acquire(ctx context.Context, n int64) error {
	s.inUse += n
	s.acquired += n
	return ctx.Err()
}

func (s *fakeSemaphore) Release(n int64) { s.inUse -= n }

// This gate is a circuit breaker. Its release function gets the result of each attempt. While
// the circuit is open the gate refuses with a permanent error.
func ExampleGate() {
	errOpen := errors.New("circuit is open")
	failures := 0
	breaker := func(ctx context.Context, a retry.Attempt) (release func(error), err error) {
		if failures >= 3 {
			return nil, retry.Permanent(errOpen)
		}
		return func(err error) {
			if failures++; err == nil {
				failures = 0
			}
		}, nil
	}

	calls := 0
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		calls++
		return errors.New("status 503")
	}, retry.WithGate(breaker), retry.WithMaxAttempts(10), retry.WithBackoff(retry.Constant(0)))

	fmt.Println(calls, errors.Is(err, errOpen))
	// Output: 3 true
}

// RateLimit limits attempts, not calls: every retry counts too.
func ExampleRateLimit() {
	limiter := new(fakeLimiter) // for example rate.NewLimiter(10, 1): ten a second
	calls := 0

	err := retry.Do(context.Background(), func(ctx context.Context) error {
		if calls++; calls < 3 {
			return errors.New("status 503")
		}
		return nil
	}, retry.WithGate(retry.RateLimit(limiter)), retry.WithBackoff(retry.Constant(0)))

	fmt.Println(limiter.passed, err)
	// Output: 3 <nil>
}

// Bulkhead holds a permit while the function runs, not while the call waits.
func ExampleBulkhead() {
	slots := new(fakeSemaphore) // for example semaphore.NewWeighted(20): twenty at a time
	policy := retry.MustNew(
		retry.WithGate(retry.Bulkhead(slots, 1)),
		retry.WithBackoff(retry.Constant(0)),
		retry.WithMaxAttempts(2),
		retry.WithHooks(retry.Hooks{BeforeWait: func(ctx context.Context, a retry.Attempt) {
			fmt.Println("in use while waiting:", slots.inUse)
		}}))

	_ = policy.Do(context.Background(), func(ctx context.Context) error {
		fmt.Println("in use while running:", slots.inUse)
		return errors.New("status 503")
	})
	// Output:
	// in use while running: 1
	// in use while waiting: 0
	// in use while running: 1
}

// With OnlyFirst the gate limits calls: the retries of a call do not count.
func ExampleOnlyFirst() {
	limiter := new(fakeLimiter)
	policy := retry.MustNew(
		retry.WithGate(retry.OnlyFirst(retry.RateLimit(limiter))),
		retry.WithBackoff(retry.Constant(0)))

	calls := 0
	_ = policy.Do(context.Background(), func(ctx context.Context) error {
		calls++
		return errors.New("status 503")
	})

	fmt.Println(calls, "attempts,", limiter.passed, "through the limiter")
	// Output: 5 attempts, 1 through the limiter
}

// With OnlyRetries the gate limits retries only. First attempts always run.
func ExampleOnlyRetries() {
	retries := new(fakeSemaphore) // for example semaphore.NewWeighted(10)
	policy := retry.MustNew(
		retry.WithGate(retry.OnlyRetries(retry.Bulkhead(retries, 1))),
		retry.WithBackoff(retry.Constant(0)))

	calls := 0
	_ = policy.Do(context.Background(), func(ctx context.Context) error {
		calls++
		return errors.New("status 503")
	})

	fmt.Println(calls, "attempts,", retries.acquired, "through the semaphore")
	// Output: 5 attempts, 4 through the semaphore
}

// One call is told to stay away for 30s. A second call makes no attempt, because its deadline
// is sooner.
func ExampleCooldown() {
	policy := retry.MustNew(
		retry.WithGate(retry.Cooldown(time.Minute)),
		retry.WithMaxAttempts(1))

	_ = policy.Do(context.Background(), func(ctx context.Context) error {
		return retry.After(30*time.Second, errors.New("status 429"))
	})

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := policy.Do(ctx, func(ctx context.Context) error {
		fmt.Println("not reached")
		return nil
	})

	var e *retry.Error
	fmt.Println(errors.As(err, &e), e.Attempts, e.Reason == retry.ErrContext)
	// Output: true 0 true
}

// A gate may refuse. Here the service is draining and makes no more attempts.
func ExampleWithGate() {
	draining := false
	open := func(ctx context.Context, a retry.Attempt) (release func(error), err error) {
		if draining {
			return nil, retry.Permanent(errors.New("service is draining"))
		}
		return nil, nil
	}

	err := retry.Do(context.Background(), func(ctx context.Context) error {
		draining = true // in a program a signal handler does this
		return errors.New("status 503")
	}, retry.WithGate(open), retry.WithBackoff(retry.Constant(0)))

	var e *retry.Error
	fmt.Println(errors.As(err, &e), e.Err)
	// Output: true service is draining
}
