package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// A policy is made once. One call differs from it in one option.
func ExamplePolicy() {
	policy := retry.MustNew(
		retry.WithMaxAttempts(3),
		retry.WithBackoff(retry.Constant(0)))

	calls := 0
	charge := func(ctx context.Context) (string, error) {
		calls++
		return "", errors.New("status 503")
	}

	ctx := context.Background()
	_, _ = retry.DoValue(ctx, charge, policy)
	fmt.Println(calls)

	calls = 0
	_, _ = retry.DoValue(ctx, charge, policy, retry.WithMaxAttempts(1)) // must not be repeated
	fmt.Println(calls)
	// Output:
	// 3
	// 1
}

// A policy can be derived from another one, for example one for each part of a service.
func ExamplePolicy_derive() {
	base := retry.MustNew(retry.WithMaxAttempts(3), retry.WithMaxDelay(2*time.Second))
	search := retry.MustNew(base, retry.WithName("search"), retry.WithMaxElapsed(5*time.Second))

	fmt.Println(search)
	// Output: name=search max_attempts=3 max_elapsed=5s backoff=exponential(100ms,2) max_delay=2s max_retry_after=1m0s jitter=full history_size=10
}

// Policy.Do is the shortest way to use a policy.
func ExamplePolicy_Do() {
	policy := retry.MustNew(retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(0)))
	pings := 0

	err := policy.Do(context.Background(), func(ctx context.Context) error {
		if pings++; pings == 1 {
			return errors.New("connection refused")
		}
		return nil
	})

	fmt.Println(err, pings)
	// Output: <nil> 2
}

// New reports bad settings, for example from a configuration. All errors are reported at once.
func ExampleNew() {
	attempts, wait := 0, -time.Second // read from a configuration
	_, err := retry.New(retry.WithMaxAttempts(attempts), retry.WithMaxDelay(wait))

	fmt.Println(errors.Is(err, retry.ErrOption))
	fmt.Println(err)
	// Output:
	// true
	// retry: WithMaxAttempts: 0 is below 1; use Unlimited for no limit
	// retry: WithMaxDelay: -1s is negative
}

// MustNew is for package-level variables: it panics at the start of the program if an option is
// bad.
func ExampleMustNew() {
	policy := retry.MustNew(
		retry.WithName("payments"),
		retry.WithMaxElapsed(time.Minute),
		retry.WithRetryIf(retry.Transient))

	fmt.Println(policy)
	// Output: name=payments max_attempts=5 max_elapsed=1m0s backoff=exponential(100ms,2) max_delay=30s max_retry_after=1m0s jitter=full history_size=10 retry_if=(func)
}

// Plan returns the possible waits of a policy without making a call.
func ExamplePolicy_Plan() {
	for _, step := range retry.MustNew().Plan(10) {
		fmt.Printf("retry %d: %v to %v, %v in all\n", step.Retry, step.Min, step.Max, step.TotalMax)
	}
	// Output:
	// retry 1: 0s to 100ms, 100ms in all
	// retry 2: 0s to 200ms, 300ms in all
	// retry 3: 0s to 400ms, 700ms in all
	// retry 4: 0s to 800ms, 1.5s in all
}

// A server's restart takes up to a minute. The plan shows which retry comes after it.
func ExampleStep() {
	policy := retry.MustNew(
		retry.WithMaxAttempts(retry.Unlimited),
		retry.WithBackoff(retry.Linear(5*time.Second, 5*time.Second)),
		retry.WithJitter(retry.NoJitter))

	for _, step := range policy.Plan(100) {
		if step.TotalMax > time.Minute {
			fmt.Printf("retry %d, %v after the first failure\n", step.Retry, step.TotalMax)
			break
		}
	}
	// Output: retry 5, 1m15s after the first failure
}

// MaxTotal returns the longest sum of all waits. A timeout around the call must leave room for
// it and for the attempts.
func ExamplePolicy_MaxTotal() {
	bounded := retry.MustNew(retry.WithMaxAttempts(6), retry.WithMaxDelay(time.Second))
	fmt.Println(bounded.MaxTotal())

	forever := retry.MustNew(retry.WithMaxAttempts(retry.Unlimited))
	_, ok := forever.MaxTotal()
	fmt.Println(ok)
	// Output:
	// 2.5s true
	// false
}

// Clock returns the clock that the policy uses, or nil for the real one.
func ExamplePolicy_Clock() {
	clk := new(retrytest.Clock)
	fmt.Println(retry.MustNew(retry.WithClock(clk)).Clock() == clk)
	fmt.Println(retry.MustNew().Clock())
	// Output:
	// true
	// <nil>
}

// MaxAttempts returns the limit, or Unlimited.
func ExamplePolicy_MaxAttempts() {
	fmt.Println(retry.MustNew(retry.WithMaxAttempts(3)).MaxAttempts())
	fmt.Println(retry.MustNew(retry.WithMaxAttempts(retry.Unlimited)).MaxAttempts() == retry.Unlimited)
	// Output:
	// 3
	// true
}

// A driver makes the attempts itself. Next tells it whether another attempt may follow, and
// when.
func ExamplePolicy_Next() {
	policy := retry.MustNew(
		retry.WithMaxAttempts(3),
		retry.WithBackoff(retry.Exponential(time.Second, 2)),
		retry.WithJitter(retry.NoJitter))

	for number := 1; ; number++ {
		failed := retry.Attempt{Number: number, Err: errors.New("status 503")}
		wait, err := policy.Next(context.Background(), failed)
		if err != nil {
			fmt.Println(errors.Is(err, retry.ErrExhausted))
			return
		}
		fmt.Println("retry after", wait)
	}
	// Output:
	// retry after 1s
	// retry after 2s
	// true
}

// A worker was killed and left no error. Wait tells the queue when to try again.
func ExamplePolicy_Wait() {
	policy := retry.MustNew(
		retry.WithBackoff(retry.Exponential(time.Second, 2)),
		retry.WithJitter(retry.NoJitter))

	fmt.Println(policy.Wait(retry.Attempt{Number: 1}), policy.Wait(retry.Attempt{Number: 4}))
	// Output: 1s 8s
}
