package retrypool_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrypool"
)

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

// The caller stops waiting when its context ends. The item goes on until it is canceled.
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
		fmt.Println("not done yet")
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

// Printing a task is safe: it does not show the result.
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
