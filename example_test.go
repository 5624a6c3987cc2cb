package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
)

// This is the call that most programs need: DoValue with the default policy, which makes up to
// five attempts.
func Example() {
	calls := 0
	greeting, err := retry.DoValue(context.Background(), func(ctx context.Context) (string, error) {
		if calls++; calls < 3 {
			return "", errors.New("connection refused")
		}
		return "hello", nil
	})
	fmt.Println(greeting, err, "after", calls, "calls")
	// Output: hello <nil> after 3 calls
}

// A wait that would pass the context's deadline does not start: the call gives up at once. The
// error matches the deadline and also the last failure.
func Example_deadline() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	errBusy := errors.New("busy")

	err := retry.Do(ctx, func(ctx context.Context) error {
		return errBusy
	}, retry.WithBackoff(retry.Constant(time.Hour)))

	fmt.Println(errors.Is(err, context.DeadlineExceeded), errors.Is(err, errBusy))
	// Output: true true
}

// The end of the context ends a wait at once, whatever the policy still allows.
func Example_shutdown() {
	ctx, stop := context.WithCancelCause(context.Background())
	errShutdown := errors.New("server is shutting down")

	err := retry.Do(ctx, func(ctx context.Context) error {
		stop(errShutdown) // in a program a signal handler does this
		return errors.New("connection reset")
	}, retry.WithMaxAttempts(retry.Unlimited))

	var e *retry.Error
	fmt.Println(errors.As(err, &e), e.Attempts, e.Err)
	fmt.Println(errors.Is(err, context.Canceled), errors.Is(err, errShutdown))
	// Output:
	// true 1 connection reset
	// true true
}

// Do runs a function until it succeeds. This one succeeds on its third attempt.
func ExampleDo() {
	pings := 0
	ping := func(ctx context.Context) error {
		if pings++; pings < 3 {
			return errors.New("the database is starting up")
		}
		return nil
	}

	err := retry.Do(context.Background(), ping, retry.WithBackoff(retry.Constant(0)))

	fmt.Println(err, pings)
	// Output: <nil> 3
}

// DoValue also returns the value of the attempt that succeeded.
func ExampleDoValue() {
	replicas := []string{"a", "b", "c"}
	leader, err := retry.DoValue(context.Background(), func(ctx context.Context) (string, error) {
		asked := replicas[0]
		replicas = replicas[1:]
		if asked != "c" {
			return "", fmt.Errorf("%s is not the leader", asked)
		}
		return asked, nil
	}, retry.WithBackoff(retry.Constant(0)))

	fmt.Println(leader, err)
	// Output: c <nil>
}

// After a failure DoValue returns the value of the last attempt together with the error.
func ExampleDoValue_failure() {
	copied, err := retry.DoValue(context.Background(), func(ctx context.Context) (int, error) {
		return 512, errors.New("disk full")
	}, retry.WithMaxAttempts(2), retry.WithBackoff(retry.Constant(0)))

	fmt.Println(copied, errors.Is(err, retry.ErrExhausted))
	// Output: 512 true
}

// Attempts makes retries a loop. The body needs no closure: it can return, break and use the
// variables around it.
func ExampleAttempts() {
	var token string
	var err error
	for ctx, n := range retry.Attempts(context.Background(), &err, retry.WithBackoff(retry.Constant(0))) {
		if ctx.Err() != nil || n < 3 {
			err = errors.New("the token service is not ready")
			continue
		}
		token, err = fmt.Sprintf("token of attempt %d", n), nil
	}

	fmt.Println(token, err)
	// Output: token of attempt 3 <nil>
}

// Leaving the loop ends the call, and err keeps the value that the body assigned.
func ExampleAttempts_leave() {
	errForbidden := errors.New("403 forbidden")
	login := func() (err error) {
		for range retry.Attempts(context.Background(), &err, retry.WithBackoff(retry.Constant(0))) {
			err = errForbidden
			if errors.Is(err, errForbidden) {
				return err
			}
		}
		return err
	}

	fmt.Println(login() == errForbidden)
	// Output: true
}

// Func adds retries to a function once. Callers call the result like the function itself.
func ExampleFunc() {
	calls := 0
	load := func(ctx context.Context, id int) (string, error) {
		if calls++; calls%2 == 1 {
			return "", errors.New("connection reset")
		}
		return fmt.Sprint("user ", id), nil
	}
	reload := retry.Func(load, retry.WithName("load"), retry.WithBackoff(retry.Constant(0)))

	fmt.Println(reload(context.Background(), 7))
	fmt.Println(reload(context.Background(), 8))
	fmt.Println(calls, "calls")
	// Output:
	// user 7 <nil>
	// user 8 <nil>
	// 4 calls
}
