package retrypool_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-205ff063/retry/retrypool"
)

// A caller that must not wait uses TrySubmit.
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

// The item outlives the request that submits it. The request bounds only the wait for room. The
// item keeps the request's values, such as a trace.
func ExamplePool_Submit_outlives() {
	pool, err := retrypool.New(square, retrypool.Config[int]{Workers: 2, Capacity: 10})
	if err != nil {
		panic(err)
	}
	handle := func(request context.Context, n int) (*retrypool.Task[int], error) {
		ctx, cancel := context.WithCancel(context.WithoutCancel(request))
		stop := context.AfterFunc(request, cancel)
		defer stop() // the end of the request no longer matters
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

// The results come in the order of the items. Leaving the loop cancels the remaining items.
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
