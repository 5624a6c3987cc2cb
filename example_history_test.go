package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// Hooks, classifiers and strategies all get an Attempt. Here a hook prints each one.
func ExampleAttempt() {
	var clock retrytest.Clock
	calls := 0
	show := func(ctx context.Context, a retry.Attempt) {
		fmt.Printf("%s %d: waited %v, ran %v, %v in all: %v\n", a.Name, a.Number, a.Waited, a.Duration, a.Elapsed, a.Err)
	}

	_ = retry.Do(context.Background(), func(ctx context.Context) error {
		clock.Advance(20 * time.Millisecond)
		if calls++; calls < 3 {
			return errors.New("status 503")
		}
		return nil
	},
		retry.WithName("fetch"),
		retry.WithHooks(retry.Hooks{AfterAttempt: show}),
		retry.WithJitter(retry.NoJitter),
		retry.WithClock(&clock))
	// Output:
	// fetch 1: waited 0s, ran 20ms, 20ms in all: status 503
	// fetch 2: waited 100ms, ran 20ms, 140ms in all: status 503
	// fetch 3: waited 200ms, ran 20ms, 360ms in all: <nil>
}

// All calls of a service share one History, for example for its status page.
func ExampleHistory() {
	history := retry.NewHistory(100)
	policy := retry.MustNew(
		retry.WithHistory(history),
		retry.WithMaxAttempts(2),
		retry.WithBackoff(retry.Constant(0)))

	ctx := context.Background()
	_ = retry.Do(ctx, func(ctx context.Context) error { return errors.New("timeout") }, policy, retry.WithName("prices"))
	_ = retry.Do(ctx, func(ctx context.Context) error { return nil }, policy, retry.WithName("stock"))

	for a := range history.All() {
		fmt.Println(a.Name, a.Number, a.Err)
	}
	// Output:
	// prices 1 timeout
	// prices 2 timeout
	// stock 1 <nil>
}

// NewHistory(3) keeps the three newest attempts. The call made five.
func ExampleNewHistory() {
	history := retry.NewHistory(3)
	_ = retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("status 503")
	}, retry.WithHistory(history), retry.WithBackoff(retry.Constant(0)))

	for a := range history.All() {
		fmt.Print(a.Number, " ") // the three newest of five
	}
	// Output: 3 4 5
}

// Add records attempts that a program makes without this package.
func ExampleHistory_Add() {
	history := retry.NewHistory(100)
	history.Add(retry.Attempt{Name: "health check", Number: 1, Err: errors.New("connection refused")})

	fmt.Println(history.Slice()[0].Err)
	// Output: connection refused
}

// All iterates over a copy, so calls can go on meanwhile. The loop may stop early.
func ExampleHistory_All() {
	history := retry.NewHistory(100)
	for n := range 6 {
		history.Add(retry.Attempt{Number: n + 1, Duration: time.Duration(n) * time.Second})
	}

	for a := range history.All() {
		if a.Duration >= 2*time.Second {
			fmt.Println("the first slow one is", a.Number)
			break
		}
	}
	// Output: the first slow one is 3
}

// Cap returns how many attempts the history can hold.
func ExampleHistory_Cap() {
	history := retry.NewHistory(100)
	fmt.Println(history.Len(), "of", history.Cap())
	// Output: 0 of 100
}

// Len returns how many attempts the history holds, which is never more than its size.
func ExampleHistory_Len() {
	history := retry.NewHistory(2)
	for n := range 5 {
		history.Add(retry.Attempt{Number: n + 1})
	}
	fmt.Println(history.Len()) // five were added
	// Output: 2
}

// Slice returns a copy that does not change while calls go on.
func ExampleHistory_Slice() {
	history := retry.NewHistory(2)
	history.Add(retry.Attempt{Number: 1})
	before := history.Slice()
	history.Add(retry.Attempt{Number: 2})
	history.Add(retry.Attempt{Number: 3})

	after := history.Slice()
	fmt.Println(len(before), before[0].Number)
	fmt.Println(len(after), after[0].Number)
	// Output:
	// 1 1
	// 2 2
}

// The history also records calls that succeed, which return no error to look into.
func ExampleWithHistory() {
	history := retry.NewHistory(50)
	calls := 0
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		if calls++; calls < 3 {
			return fmt.Errorf("status %d", 500+calls)
		}
		return nil
	}, retry.WithHistory(history), retry.WithBackoff(retry.Constant(0)))

	fmt.Println(err)
	for a := range history.All() {
		fmt.Println(a.Number, a.Err)
	}
	// Output:
	// <nil>
	// 1 status 501
	// 2 status 502
	// 3 <nil>
}

// After many attempts the error keeps the newest ones.
func ExampleWithHistorySize() {
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("status 503")
	}, retry.WithHistorySize(2), retry.WithMaxAttempts(1000), retry.WithBackoff(retry.Constant(0)))

	var e *retry.Error
	if errors.As(err, &e) {
		for _, a := range e.History() {
			fmt.Println(a.Number, a.Err)
		}
	}
	// Output:
	// 999 status 503
	// 1000 status 503
}
