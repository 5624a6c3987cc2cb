package retrypool_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
	"github.com/seed-205ff063/retry/retrytest"
)

// Eight workers send mails. The server is busy at first, so the mail is parked for a second and
// then sent.
func Example() {
	var clk retrytest.Clock // waits return at once
	busy := true
	send := func(ctx context.Context, to string) (receipt string, err error) {
		if busy {
			busy = false
			return "", errors.New("421 try again later")
		}
		return "250 queued for " + to, nil
	}
	pool, err := retrypool.New(send, retrypool.Config[string]{
		Workers:  8,
		Capacity: 1000,
		Policy:   retry.MustNew(retry.WithBackoff(retry.Constant(time.Second))),
		Clock:    &clk,
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	task, err := pool.Submit(ctx, "gopher@example.org") // waits while the pool is full
	if err != nil {
		panic(err)
	}
	fmt.Println(task.Wait(ctx))
	fmt.Println(pool.Close(ctx), clk.Waits())
	// Output:
	// 250 queued for gopher@example.org <nil>
	// <nil> [1s]
}

func square(_ context.Context, n int) (int, error) { return n * n, nil }

func ExampleNew() {
	_, err := retrypool.New(square, retrypool.Config[int]{Workers: 4, MaxRetrying: -1})
	fmt.Println(err)
	fmt.Println(errors.Is(err, retry.ErrOption))
	// Output:
	// retrypool: Config.Capacity: 0 is below 1
	// retrypool: Config.MaxRetrying: -1 is negative
	// true
}

func ExamplePool() {
	ctx := context.Background()
	pool, err := retrypool.New(square, retrypool.Config[int]{Workers: 4, Capacity: 16})
	if err != nil {
		panic(err)
	}
	for v, err := range pool.Map(ctx, slices.Values([]int{1, 2, 3, 4, 5})) {
		fmt.Println(v, err)
	}
	fmt.Println(pool.Close(ctx))
	// Output:
	// 1 <nil>
	// 4 <nil>
	// 9 <nil>
	// 16 <nil>
	// 25 <nil>
	// <nil>
}

func ExamplePool_Join() {
	ctx := context.Background()
	var mu sync.Mutex
	sum := 0
	pool, err := retrypool.New(func(_ context.Context, n int) (struct{}, error) {
		mu.Lock()
		defer mu.Unlock()
		sum += n
		return struct{}{}, nil
	}, retrypool.Config[int]{Workers: 4, Capacity: 8})
	if err != nil {
		panic(err)
	}
	for n := range 100 {
		_, _ = pool.Submit(ctx, n)
	}
	fmt.Println(pool.Join(ctx), sum) // more may be submitted afterwards
	fmt.Println(pool.Close(ctx))
	// Output:
	// <nil> 4950
	// <nil>
}

func ExamplePool_Stats() {
	pool, err := retrypool.New(square, retrypool.Config[int]{Workers: 4, Capacity: 8})
	if err != nil {
		panic(err)
	}
	for n := range 8 {
		_, _ = pool.TrySubmit(n)
	}
	_ = pool.Close(context.Background())
	s := pool.Stats()
	fmt.Println(s.Submitted, "submitted,", s.Succeeded, "succeeded,", s.Retries, "retries")
	// Output: 8 submitted, 8 succeeded, 0 retries
}

func ExampleStats() {
	s := retrypool.Stats{Submitted: 10, Succeeded: 3, DeadLettered: 1, Queued: 2, Running: 1, Parked: 3}
	fmt.Println(s.Submitted == s.Succeeded+s.DeadLettered+s.Failed+s.Canceled+s.Queued+s.Running+s.Parked)
	// Output: true
}

// The program has to end. DeadLetter gets the items that are not done by then.
func ExamplePool_Close() {
	pool, err := retrypool.New(func(ctx context.Context, _ string) (int, error) {
		return 0, errors.New("down")
	}, retrypool.Config[string]{
		Workers: 1, Capacity: 10,
		Policy: retry.MustNew(retry.WithBackoff(retry.Constant(time.Hour))),
		DeadLetter: func(_ context.Context, in string, err *retry.Error) error {
			fmt.Println(in, "goes back to the queue:", errors.Is(err, retrypool.ErrClosed), err.Err)
			return nil
		},
	})
	if err != nil {
		panic(err)
	}
	_, _ = pool.TrySubmit("mail")
	for pool.Stats().Parked == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Println(pool.Close(ctx))
	// Output:
	// mail goes back to the queue: true down
	// retrypool: Close: 1 item was left: context deadline exceeded
}

func ExamplePool_Capacity() {
	ctx := context.Background()
	pool, err := retrypool.New(square, retrypool.Config[int]{Workers: 4, Capacity: 16})
	if err != nil {
		panic(err)
	}
	s := pool.Stats()
	fmt.Println(s.Queued+s.Running+s.Parked, "of", pool.Capacity())
	_ = pool.Close(ctx)
	// Output: 0 of 16
}

func ExamplePool_Format() {
	ctx := context.Background()
	pool, err := retrypool.New(square, retrypool.Config[int]{Workers: 4, Capacity: 16})
	if err != nil {
		panic(err)
	}
	_, _ = pool.Submit(ctx, 3)
	_ = pool.Close(ctx)
	fmt.Println(pool)
	// Output: retrypool.Pool{Submitted:1 Succeeded:1 DeadLettered:0 Failed:0 Canceled:0 Queued:0 Running:0 Parked:0 Retries:0}
}
