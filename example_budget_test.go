package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
)

// A hundred calls go to a server that is down. Without a budget they would make 400 requests.
func ExampleBudget() {
	policy := retry.MustNew(
		retry.WithMaxAttempts(4),
		retry.WithBackoff(retry.Constant(0)),
		retry.WithBudget(retry.NewBudget(0.1, 10))) // one retry for ten calls, and ten more

	requests := 0
	for range 100 {
		_ = policy.Do(context.Background(), func(ctx context.Context) error {
			requests++
			return errors.New("connection refused")
		})
	}

	fmt.Println(requests)
	// Output: 119
}

// If the budget is spent, the error says so. Its Delay is the wait before the retry that was
// not made.
func ExampleNewBudget() {
	budget := retry.NewBudget(0.1, 1)
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("connection refused")
	}, retry.WithBudget(budget), retry.WithBackoff(retry.Sequence(0, time.Second)))

	var e *retry.Error
	if errors.As(err, &e) && e.Reason == retry.ErrBudget {
		fmt.Printf("%v after %d attempts, next wait %v\n", e.Reason, e.Attempts, e.Delay)
	}
	// Output: retry: client's own retry budget is spent after 2 attempts, next wait 1s
}

// Tokens returns the balance of the budget, for example for a gauge.
func ExampleBudget_Tokens() {
	budget := retry.NewBudget(0.5, 3)
	policy := retry.MustNew(retry.WithBudget(budget), retry.WithBackoff(retry.Constant(0)))
	fmt.Println(budget.Tokens(), "at the start")

	_ = policy.Do(context.Background(), func(context.Context) error { return errors.New("down") })
	fmt.Println(budget.Tokens(), "after a call that failed to the end")

	_ = policy.Do(context.Background(), func(context.Context) error { return nil })
	fmt.Println(budget.Tokens(), "after one that succeeded at once")
	// Output:
	// 3 at the start
	// 0 after a call that failed to the end
	// 0.5 after one that succeeded at once
}

// All calls to one server share one budget. When it is spent, each call still makes its first
// attempt, but no retries.
func ExampleWithBudget() {
	policy := retry.MustNew(
		retry.WithBudget(retry.NewBudget(0.1, 3)),
		retry.WithBackoff(retry.Constant(0)))

	for range 3 {
		attempts := 0
		err := policy.Do(context.Background(), func(ctx context.Context) error {
			attempts++
			return errors.New("connection refused")
		})
		fmt.Println(attempts, errors.Is(err, retry.ErrBudget))
	}
	// Output:
	// 4 true
	// 1 true
	// 1 true
}
