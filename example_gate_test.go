package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
)

// turnstile counts who passes. A *rate.Limiter of golang.org/x/time has this method, and
// waits in it.
type turnstile struct{ passed int }

func (t *turnstile) Wait(ctx context.Context) error {
	t.passed++
	return ctx.Err()
}

// berths counts those in use. A *semaphore.Weighted of golang.org/x/sync has these methods,
// and waits in Acquire until there is room.
type berths struct{ inUse, acquired int64 }

func (b *berths) Acquire(ctx context.Context, n int64) error {
	b.inUse += n
	b.acquired += n
	return ctx.Err()
}

func (b *berths) Release(n int64) { b.inUse -= n }

// A circuit breaker: the release function hears how the attempt went, and while the circuit
// is open the gate refuses for good.
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

// Attempts and not calls are limited: every retry takes its place in the rate too.
func ExampleRateLimit() {
	limiter := new(turnstile) // rate.NewLimiter(10, 1): ten a second
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

// A slot is held while the function runs, and free while the call waits.
func ExampleBulkhead() {
	slots := new(berths) // semaphore.NewWeighted(20): twenty at a time
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

// A limit on calls: the retries of a call that was let in do not count.
func ExampleOnlyFirst() {
	limiter := new(turnstile)
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

// At most so many retries at once, while first attempts always go ahead.
func ExampleOnlyRetries() {
	retries := new(berths) // semaphore.NewWeighted(10)
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

// One call learns that the server wants no calls for 30s. Another one does not even try, because
// its deadline comes sooner.
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

// A gate may refuse: here no call goes on while the service drains.
func ExampleWithGate() {
	draining := false
	open := func(ctx context.Context, a retry.Attempt) (release func(error), err error) {
		if draining {
			return nil, retry.Permanent(errors.New("service is draining"))
		}
		return nil, nil
	}

	err := retry.Do(context.Background(), func(ctx context.Context) error {
		draining = true // as a signal handler would, at any time
		return errors.New("status 503")
	}, retry.WithGate(open), retry.WithBackoff(retry.Constant(0)))

	var e *retry.Error
	fmt.Println(errors.As(err, &e), e.Err)
	// Output: true service is draining
}
