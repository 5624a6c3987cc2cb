package retrytest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// A limit on the whole call counts the waits and the attempts' time, all virtual.
func ExampleClock() {
	var clk retrytest.Clock
	err := retry.Do(context.Background(), func(context.Context) error {
		clk.Advance(10 * time.Second) // the attempt takes 10 seconds
		return errors.New("overloaded")
	}, retry.WithClock(&clk), retry.WithBackoff(retry.Constant(20*time.Second)), retry.WithMaxElapsed(time.Minute))
	fmt.Println(err)
	fmt.Println(clk.Waits())
	// Output:
	// retry: time limit reached (next wait 20s) after 2 attempts in 40s: overloaded
	// [20s]
}

func ExampleNewClock() {
	clk := retrytest.NewClock(time.Date(2026, time.December, 31, 23, 59, 59, 0, time.UTC))
	err := retry.Do(context.Background(), retrytest.Fail(1, errors.New("busy")),
		retry.WithClock(clk), retry.WithBackoff(retry.Constant(2*time.Second)))
	fmt.Println(err, clk.Now())
	// Output:
	// <nil> 2027-01-01 00:00:01 +0000 UTC
}

func ExampleClock_Now() {
	var clk retrytest.Clock
	fmt.Println(clk.Now())
	// Output:
	// 2000-01-01 00:00:00 +0000 UTC
}

func ExampleClock_After() {
	var clk retrytest.Clock
	now := <-clk.After(time.Hour) // at once
	fmt.Println(now.Format(time.TimeOnly))
	// Output:
	// 01:00:00
}

func ExampleClock_Advance() {
	var clk retrytest.Clock
	clk.Advance(90 * time.Minute)
	fmt.Println(clk.Now().Format(time.TimeOnly), clk.Waits())
	// Output:
	// 01:30:00 []
}

func ExampleClock_Waits() {
	var clk retrytest.Clock
	_ = retry.Do(context.Background(), retrytest.Fail(9, errors.New("busy")),
		retry.WithClock(&clk), retry.WithJitter(retry.NoJitter))
	fmt.Println(clk.Waits())
	// Output:
	// [100ms 200ms 400ms 800ms]
}

// The caller's context has a virtual deadline. The call gives up because the next wait would pass
// it.
func ExampleClock_WithTimeout() {
	var clk retrytest.Clock
	ctx, cancel := clk.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := retry.Do(ctx, retrytest.Fail(9, errors.New("busy")),
		retry.WithClock(&clk), retry.WithJitter(retry.NoJitter))
	fmt.Println(err)
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output:
	// retry: next wait of 800ms would pass the deadline after 4 attempts in 700ms: busy
	// true
}

// An attempt takes longer than its timeout. Its context ends by the Clock, and the attempt is
// retried.
func ExampleClock_WithTimeout_attempt() {
	var clk retrytest.Clock
	n := 0
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		if n++; n == 1 {
			clk.Advance(time.Minute) // a server that does not answer
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}, retry.WithClock(&clk), retry.WithAttemptTimeout(5*time.Second))
	fmt.Println(err, n)
	// Output:
	// <nil> 2
}
