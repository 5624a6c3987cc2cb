package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
)

// A hundred calls to a server that is down: without a budget they would be 400 requests.
func ExampleBudget() {
	policy := retry.MustNew(
		retry.WithMaxAttempts(4),
		retry.WithBackoff(retry.Constant(0)),
		retry.WithBudget(retry.NewBudget(0.1, 10))) // one retry in ten calls, and ten more

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

// The error says that it was the client's own limit, and how long the call would have
// waited, so that a caller in a loop has something to wait for.
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

// What a gauge of the service would show.
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

// One budget for all calls to one server: when it is spent they still make their first
// attempt, and no more.
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
