package retrypool_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
	"github.com/seed-205ff063/retry/retrytest"
)

// The orders of a customer are booked one at a time, in the order they came. An order that cannot
// be booked is a dead letter.
func ExampleConfig() {
	type order struct {
		customer string
		n        int
	}
	var clk retrytest.Clock
	var dead []order
	pool, err := retrypool.New(func(_ context.Context, o order) (int, error) {
		if o.n == 2 {
			return 0, errors.New("out of stock")
		}
		fmt.Println("booked", o)
		return 0, nil
	}, retrypool.Config[order]{
		Workers:     4,
		Capacity:    100,
		MaxRetrying: 2, // two workers stay free for new orders
		Policy:      retry.MustNew(retry.WithMaxAttempts(3)),
		Key:         func(o order) string { return o.customer },
		DeadLetter: func(_ context.Context, o order, err *retry.Error) error {
			fmt.Println("lost  ", o, "after", err.Attempts, "attempts:", err.Err)
			dead = append(dead, o)
			return nil
		},
		Clock: &clk,
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	for n := range 3 {
		if _, err := pool.Submit(ctx, order{"ann", n + 1}); err != nil {
			panic(err)
		}
	}
	if err := pool.Close(ctx); err != nil {
		panic(err)
	}
	fmt.Println(len(dead), "dead letter")
	// Output:
	// booked {ann 1}
	// lost   {ann 2} after 3 attempts: out of stock
	// booked {ann 3}
	// 1 dead letter
}

func ExampleEvents() {
	var clk retrytest.Clock
	line := func(what string) func(retrypool.Event[string]) {
		return func(e retrypool.Event[string]) {
			fmt.Println(what, e.Item, "worker", e.Worker, "attempt", e.Attempt, e.Wait, e.Elapsed, e.Err)
		}
	}
	pool, err := retrypool.New(
		func(ctx context.Context, _ string) (int, error) {
			return 1, errors.New("down")
		},
		retrypool.Config[string]{
			Workers: 1, Capacity: 1, Clock: &clk,
			Policy: retry.MustNew(retry.WithMaxAttempts(2), retry.WithBackoff(retry.Constant(time.Second))),
			Events: retrypool.Events[string]{
				Queued: line("queued "), Started: line("started"), Parked: line("parked "), Failed: line("failed "),
			},
		})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	_, _ = pool.Submit(ctx, "x")
	_ = pool.Close(ctx)
	// Output:
	// queued  x worker 0 attempt 0 0s 0s <nil>
	// started x worker 1 attempt 1 0s 0s <nil>
	// parked  x worker 1 attempt 1 1s 0s down
	// started x worker 1 attempt 2 0s 1s <nil>
	// failed  x worker 1 attempt 2 0s 1s retry: attempts exhausted after 2 attempts in 1s: down
}

func ExampleEvent() {
	pool, err := retrypool.New(square, retrypool.Config[int]{
		Workers: 1, Capacity: 1,
		Events: retrypool.Events[int]{Queued: func(e retrypool.Event[int]) { fmt.Println("PROD", e.Item, "SZ", e.Queued) }},
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	_, _ = pool.Submit(ctx, 7)
	_ = pool.Close(ctx)
	// Output: PROD 7 SZ 1
}
