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

// Mails are sent by eight workers. The server is busy at first: the mail is parked, and comes
// again after a second.
func Example() {
	var clk retrytest.Clock // so that the example need not wait
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

// Orders of one customer are booked in the order they came. What cannot be booked is kept.
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
		MaxRetrying: 2, // the other two are for new orders
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
	fmt.Println(len(dead), "to be looked at")
	// Output:
	// booked {ann 1}
	// lost   {ann 2} after 3 attempts: out of stock
	// booked {ann 3}
	// 1 to be looked at
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

// A caller that must not wait looks whether there is room.
func ExamplePool_TrySubmit() {
	release := make(chan struct{})
	pool, err := retrypool.New(func(context.Context, int) (int, error) {
		<-release
		return 0, nil
	}, retrypool.Config[int]{Workers: 1, Capacity: 2})
	if err != nil {
		panic(err)
	}
	for n := range 3 {
		_, err := pool.TrySubmit(n)
		fmt.Println(n, err, errors.Is(err, retrypool.ErrFull))
	}
	close(release)
	fmt.Println(pool.Close(context.Background()))
	// Output:
	// 0 <nil> false
	// 1 <nil> false
	// 2 retrypool: the pool is full true
	// <nil>
}

func ExamplePool_Submit() {
	ctx := context.Background()
	pool, err := retrypool.New(square, retrypool.Config[int]{Workers: 2, Capacity: 10})
	if err != nil {
		panic(err)
	}
	task, err := pool.Submit(ctx, 12)
	if err != nil {
		panic(err)
	}
	fmt.Println(task.Wait(ctx))

	_ = pool.Close(ctx)
	_, err = pool.Submit(ctx, 13)
	fmt.Println(errors.Is(err, retrypool.ErrClosed))
	// Output:
	// 144 <nil>
	// true
}

// An item that is to outlive the request it came with: the request bounds the wait for room alone, and
// its values, such as a trace, stay with the item.
func ExamplePool_Submit_outlives() {
	pool, err := retrypool.New(square, retrypool.Config[int]{Workers: 2, Capacity: 10})
	if err != nil {
		panic(err)
	}
	handle := func(request context.Context, n int) (*retrypool.Task[int], error) {
		ctx, cancel := context.WithCancel(context.WithoutCancel(request))
		stop := context.AfterFunc(request, cancel)
		defer stop() // from now on the request's end is no matter
		return pool.Submit(ctx, n)
	}
	request, end := context.WithCancel(context.Background())
	task, err := handle(request, 12)
	if err != nil {
		panic(err)
	}
	end()
	fmt.Println(task.Wait(context.Background()))
	fmt.Println(pool.Close(context.Background()))
	// Output:
	// 144 <nil>
	// <nil>
}

// The results come in the order of the items, whichever is done first. Leaving the loop
// cancels the rest.
func ExamplePool_Map() {
	ctx := context.Background()
	pool, err := retrypool.New(square, retrypool.Config[int]{Workers: 3, Capacity: 6})
	if err != nil {
		panic(err)
	}
	numbers := func(yield func(int) bool) {
		for n := 1; yield(n); n++ {
		}
	}
	for v, err := range pool.Map(ctx, numbers) {
		if err != nil || v > 30 {
			break
		}
		fmt.Println(v)
	}
	fmt.Println(pool.Close(ctx))
	// Output:
	// 1
	// 4
	// 9
	// 16
	// 25
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

// The program has to end: what is not done by then is handed to DeadLetter.
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

func ExampleTask() {
	ctx := context.Background()
	pool, err := retrypool.New(square, retrypool.Config[int]{Workers: 2, Capacity: 10})
	if err != nil {
		panic(err)
	}
	var tasks []*retrypool.Task[int]
	for n := range 3 {
		task, err := pool.Submit(ctx, n)
		if err != nil {
			panic(err)
		}
		tasks = append(tasks, task)
	}
	for _, task := range tasks {
		fmt.Println(task.Wait(ctx))
	}
	_ = pool.Close(ctx)
	// Output:
	// 0 <nil>
	// 1 <nil>
	// 4 <nil>
}

// The caller waits no longer than it likes to; the item goes on, or is canceled.
func ExampleTask_Wait() {
	pool, err := retrypool.New(func(ctx context.Context, _ int) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	}, retrypool.Config[int]{Workers: 1, Capacity: 1})
	if err != nil {
		panic(err)
	}
	task, _ := pool.TrySubmit(1)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err = task.Wait(ctx)
	fmt.Println(err)
	task.Cancel()
	_, err = task.Wait(context.Background())
	fmt.Println(errors.Is(err, context.Canceled))
	_ = pool.Close(context.Background())
	// Output:
	// retrypool: Wait: context deadline exceeded
	// true
}

func ExampleTask_Cancel() {
	pool, err := retrypool.New(func(context.Context, int) (int, error) {
		return 0, errors.New("down")
	}, retrypool.Config[int]{
		Workers: 1, Capacity: 1,
		Policy: retry.MustNew(retry.WithBackoff(retry.Constant(time.Hour)), retry.WithName("fetch")),
	})
	if err != nil {
		panic(err)
	}
	task, _ := pool.TrySubmit(1)
	for pool.Stats().Parked == 0 {
		time.Sleep(time.Millisecond)
	}
	fmt.Println(task.Cancel(), task.Cancel())
	_, err = task.Wait(context.Background())
	fmt.Println(errors.Is(err, context.Canceled), pool.Stats().Canceled)
	_ = pool.Close(context.Background())
	// Output:
	// true false
	// true 1
}

func ExampleTask_Done() {
	pool, err := retrypool.New(square, retrypool.Config[int]{Workers: 1, Capacity: 1})
	if err != nil {
		panic(err)
	}
	task, _ := pool.TrySubmit(3)
	select {
	case <-task.Done():
		fmt.Println("done")
	case <-time.After(time.Minute):
		fmt.Println("still at it")
	}
	_ = pool.Close(context.Background())
	// Output: done
}

func ExamplePanicError() {
	pool, err := retrypool.New(func(_ context.Context, n int) (int, error) {
		return 100 / n, nil
	}, retrypool.Config[int]{Workers: 1, Capacity: 1})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	task, _ := pool.TrySubmit(0)
	_, err = task.Wait(ctx)
	var panicked *retrypool.PanicError
	fmt.Println(errors.As(err, &panicked), panicked.Value, len(panicked.Stack) > 0)
	_ = pool.Close(ctx)
	// Output: true runtime error: integer divide by zero true
}

func ExamplePanicError_Error() {
	fmt.Println(&retrypool.PanicError{Value: "no such table"})
	// Output: retrypool: panic: no such table
}

func ExamplePanicError_Unwrap() {
	err := &retrypool.PanicError{Value: context.Canceled} // panic(err)
	fmt.Println(errors.Is(err, context.Canceled))
	// Output: true
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

// A log may have the task: what came out of it is not in there.
func ExampleTask_Format() {
	ctx := context.Background()
	pool, err := retrypool.New(square, retrypool.Config[int]{Workers: 4, Capacity: 16})
	if err != nil {
		panic(err)
	}
	task, err := pool.Submit(ctx, 3)
	if err != nil {
		panic(err)
	}
	_, _ = task.Wait(ctx)
	fmt.Println(task)
	_ = pool.Close(ctx)
	// Output: retrypool.Task(settled)
}
