package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// squares waits 1, 4, 9, 16, … units.
type squares struct{ unit time.Duration }

func (q squares) Delay(a retry.Attempt) time.Duration {
	n := min(a.Number, 1000) // limits the square, because attempts may be unlimited
	return time.Duration(n*n) * q.unit
}

// Backoff is an interface, so a strategy can be a type of your own. It gets a jitter and a cap
// only if you set them.
func ExampleBackoff() {
	policy := retry.MustNew(
		retry.WithBackoff(squares{100 * time.Millisecond}),
		retry.WithMaxDelay(time.Second))

	for _, step := range policy.Plan(4) {
		fmt.Println(step.Max)
	}
	// Output:
	// 100ms
	// 400ms
	// 900ms
	// 1s
}

// The delay may depend on the error. Here a locked row is tried again sooner than a lost
// connection.
func ExampleBackoffFunc() {
	errLocked := errors.New("row is locked")
	backoff := retry.BackoffFunc(func(a retry.Attempt) time.Duration {
		if errors.Is(a.Err, errLocked) {
			return 5 * time.Millisecond // the other transaction will be done soon
		}
		return time.Second
	})

	var clock retrytest.Clock
	failures := []error{errLocked, errLocked, errors.New("connection lost"), nil}
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		err := failures[0]
		failures = failures[1:]
		return err
	}, retry.WithBackoff(backoff), retry.WithClock(&clock))

	fmt.Println(clock.Waits(), err)
	// Output: [5ms 5ms 1s] <nil>
}

// A strategy is a pure function of the attempt, so you can build one on another.
func ExampleBackoffFunc_Delay() {
	inner := retry.Exponential(time.Second, 2)
	polite := retry.BackoffFunc(func(a retry.Attempt) time.Duration {
		return inner.Delay(a) + 500*time.Millisecond
	})

	fmt.Println(polite.Delay(retry.Attempt{Number: 1}), polite.Delay(retry.Attempt{Number: 4}))
	// Output: 1.5s 8.5s
}

// Chain starts with three quick retries for short failures and then backs off to let the server
// recover.
func ExampleChain() {
	policy := retry.MustNew(
		retry.WithBackoff(retry.Chain(3, retry.Constant(50*time.Millisecond), retry.Exponential(time.Second, 2))),
		retry.WithJitter(retry.NoJitter),
		retry.WithMaxAttempts(7))

	for _, step := range policy.Plan(6) {
		fmt.Print(step.Max, " ")
	}
	// Output: 50ms 50ms 50ms 1s 2s 4s
}

// Constant waits the same time before each retry, for example to poll. It has no jitter by
// default.
func ExampleConstant() {
	policy := retry.MustNew(
		retry.WithBackoff(retry.Constant(5*time.Second)), // neither growth nor jitter
		retry.WithMaxAttempts(retry.Unlimited))

	for _, step := range policy.Plan(3) {
		fmt.Print(step.Min, " ")
	}
	// Output: 5s 5s 5s
}

// Decorrelated draws each wait from a range. The range starts at the initial delay and ends at
// three times the previous wait, or at the cap.
func ExampleDecorrelated() {
	policy := retry.MustNew(
		retry.WithBackoff(retry.Decorrelated(100*time.Millisecond, 3)),
		retry.WithMaxDelay(2*time.Second))

	for _, step := range policy.Plan(4) {
		fmt.Printf("%v to %v, median %v\n", step.Min, step.Max, step.Median)
	}
	// Output:
	// 100ms to 300ms, median 200ms
	// 100ms to 900ms, median 350ms
	// 100ms to 2s, median 575ms
	// 100ms to 2s, median 912.5ms
}

// With the default jitter each wait is between 0 and a bound that doubles.
func ExampleExponential() {
	policy := retry.MustNew(retry.WithBackoff(retry.Exponential(200*time.Millisecond, 2)))

	for _, step := range policy.Plan(4) {
		fmt.Printf("%v to %v\n", step.Min, step.Max)
	}
	// Output:
	// 0s to 200ms
	// 0s to 400ms
	// 0s to 800ms
	// 0s to 1.6s
}

// Fibonacci grows more slowly than Exponential with a factor of 2. The example turns off the
// jitter to show exact delays.
func ExampleFibonacci() {
	policy := retry.MustNew(
		retry.WithBackoff(retry.Fibonacci(time.Second)),
		retry.WithJitter(retry.NoJitter),
		retry.WithMaxAttempts(8))

	for _, step := range policy.Plan(7) {
		fmt.Print(step.Max, " ")
	}
	// Output: 1s 1s 2s 3s 5s 8s 13s
}

// Linear adds the same step each time. The example turns off the jitter to show exact delays.
func ExampleLinear() {
	policy := retry.MustNew(
		retry.WithBackoff(retry.Linear(time.Second, 2*time.Second)),
		retry.WithJitter(retry.NoJitter))

	for _, step := range policy.Plan(4) {
		fmt.Print(step.Max, " ")
	}
	// Output: 1s 3s 5s 7s
}

// Sequence waits the given delays in order and then repeats the last one.
func ExampleSequence() {
	policy := retry.MustNew(
		retry.WithBackoff(retry.Sequence(time.Second, 10*time.Second, time.Minute)),
		retry.WithMaxAttempts(6))

	for _, step := range policy.Plan(5) {
		fmt.Print(step.Max, " ")
	}
	// Output: 1s 10s 1m0s 1m0s 1m0s
}

// WithBackoff sets the strategy. Here the waits grow as the Fibonacci numbers.
func ExampleWithBackoff() {
	var clock retrytest.Clock
	_ = retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("status 503")
	},
		retry.WithBackoff(retry.Fibonacci(100*time.Millisecond)),
		retry.WithJitter(retry.NoJitter),
		retry.WithClock(&clock))

	fmt.Println(clock.Waits())
	// Output: [100ms 100ms 200ms 300ms]
}

// The cap limits each wait, not the number of retries.
func ExampleWithMaxDelay() {
	var clock retrytest.Clock
	_ = retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("status 503")
	},
		retry.WithBackoff(retry.Exponential(time.Second, 3)),
		retry.WithMaxDelay(5*time.Second),
		retry.WithJitter(retry.NoJitter),
		retry.WithClock(&clock))

	fmt.Println(clock.Waits())
	// Output: [1s 3s 5s 5s]
}

// A hint above the limit makes the call give up at once. The error's Delay is the hint.
func ExampleWithMaxRetryAfter() {
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		return retry.After(time.Hour, errors.New("status 429"))
	}, retry.WithMaxRetryAfter(10*time.Second))

	var e *retry.Error
	if errors.As(err, &e) && e.Reason == retry.ErrRetryAfter {
		fmt.Println("try again in", e.Delay)
	}
	// Output: try again in 1h0m0s
}
