package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// A function that makes calls takes options of its callers, and puts its own before them:
// what the caller says comes later and so replaces it.
func ExampleOption() {
	ping := func(opts ...retry.Option) error {
		own := retry.MustNew(retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(0)))
		return retry.Do(context.Background(), func(ctx context.Context) error {
			return errors.New("connection refused")
		}, append([]retry.Option{own}, opts...)...)
	}

	for _, err := range []error{ping(), ping(retry.WithMaxAttempts(7))} {
		var e *retry.Error
		fmt.Println(errors.As(err, &e), e.Attempts)
	}
	// Output:
	// true 3
	// true 7
}

// A bad option is reported by the call; the function does not run.
func ExampleOption_fault() {
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		fmt.Println("not reached")
		return nil
	}, retry.WithBackoff(retry.Exponential(time.Second, 0.5)))

	fmt.Println(errors.Is(err, retry.ErrOption))
	fmt.Println(err)
	// Output:
	// true
	// retry: WithBackoff: factor 0.5 is not a finite number of at least 1
}

func ExampleWithName() {
	var clock retrytest.Clock
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("connection refused")
	}, retry.WithName("user service"), retry.WithMaxAttempts(1), retry.WithClock(&clock))

	fmt.Println(err)
	// Output: retry: user service: attempts exhausted after 1 attempt in 0s: connection refused
}
