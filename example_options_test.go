package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// A function can take options from its callers. It puts its own options first, so those of the
// caller replace them.
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

// The call reports a bad option and does not run the function.
func ExampleOption_invalid() {
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

// The name is part of the error's text.
func ExampleWithName() {
	var clock retrytest.Clock
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("connection refused")
	}, retry.WithName("user service"), retry.WithMaxAttempts(1), retry.WithClock(&clock))

	fmt.Println(err)
	// Output: retry: user service: attempts exhausted after 1 attempt in 0s: connection refused
}
