package retry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// Five hooks follow a call from start to end.
func ExampleHooks() {
	var clock retrytest.Clock
	hooks := retry.Hooks{
		Start: func(ctx context.Context) context.Context {
			fmt.Println("start")
			return ctx
		},
		BeforeAttempt: func(ctx context.Context, a retry.Attempt) context.Context {
			fmt.Println("attempt", a.Number)
			return ctx
		},
		AfterAttempt: func(ctx context.Context, a retry.Attempt) { fmt.Println("  ended with", a.Err) },
		BeforeWait:   func(ctx context.Context, a retry.Attempt) { fmt.Println("  waits", a.Delay) },
		Done:         func(ctx context.Context, o retry.Outcome) { fmt.Println("done after", o.Attempts) },
	}

	calls := 0
	_ = retry.Do(context.Background(), func(ctx context.Context) error {
		if calls++; calls == 1 {
			return errors.New("status 503")
		}
		return nil
	}, retry.WithHooks(hooks), retry.WithJitter(retry.NoJitter), retry.WithClock(&clock))
	// Output:
	// start
	// attempt 1
	//   ended with status 503
	//   waits 100ms
	// attempt 2
	//   ended with <nil>
	// done after 2
}

// attemptHeader is the context key of the attempt's number.
type attemptHeader struct{}

// The function gets the context that BeforeAttempt returns. It may carry a span or, as here,
// the attempt's number for an HTTP header.
func ExampleHooks_context() {
	number := retry.Hooks{BeforeAttempt: func(ctx context.Context, a retry.Attempt) context.Context {
		return context.WithValue(ctx, attemptHeader{}, a.Number)
	}}

	_ = retry.Do(context.Background(), func(ctx context.Context) error {
		fmt.Println("X-Attempt:", ctx.Value(attemptHeader{}))
		return errors.New("status 503")
	}, retry.WithHooks(number), retry.WithMaxAttempts(2), retry.WithBackoff(retry.Constant(0)))
	// Output:
	// X-Attempt: 1
	// X-Attempt: 2
}

// Done gets an Outcome with the numbers that a service may want to count.
func ExampleOutcome() {
	var clock retrytest.Clock
	measure := retry.Hooks{Done: func(ctx context.Context, o retry.Outcome) {
		fmt.Printf("calls{name=%q, ok=%t} 1\n", o.Name, o.Err == nil)
		fmt.Printf("retries{name=%q} %d\n", o.Name, o.Attempts-1)
		fmt.Printf("waited{name=%q} %v of %v\n", o.Name, o.Waited, o.Elapsed)
	}}

	_ = retry.Do(context.Background(), func(ctx context.Context) error {
		clock.Advance(100 * time.Millisecond)
		return errors.New("status 503")
	},
		retry.WithName("prices"),
		retry.WithHooks(measure),
		retry.WithMaxAttempts(3),
		retry.WithJitter(retry.NoJitter),
		retry.WithClock(&clock))
	// Output:
	// calls{name="prices", ok=false} 1
	// retries{name="prices"} 2
	// waited{name="prices"} 300ms of 600ms
}

// BeforeWait runs before each retry. It does not run after the last attempt.
func ExampleWithHooks() {
	retries := 0
	count := retry.Hooks{BeforeWait: func(ctx context.Context, a retry.Attempt) { retries++ }}

	_ = retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("status 503")
	}, retry.WithHooks(count), retry.WithBackoff(retry.Constant(0)))

	fmt.Println(retries, "retries") // five attempts, four retries
	// Output: 4 retries
}

// The logger gets a record for the attempt that is retried and one for the success.
func ExampleWithLogger() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{} // keeps the output the same in every run
			}
			return a
		},
	}))

	var clock retrytest.Clock
	calls := 0
	_ = retry.Do(context.Background(), func(ctx context.Context) error {
		clock.Advance(20 * time.Millisecond)
		if calls++; calls == 1 {
			return errors.New("connection refused")
		}
		return nil
	},
		retry.WithName("fetch"),
		retry.WithLogger(logger),
		retry.WithJitter(retry.NoJitter),
		retry.WithClock(&clock))
	// Output:
	// level=WARN msg="attempt failed, will retry" name=fetch attempt=1 error="connection refused" wait=100ms duration=20ms elapsed=20ms
	// level=DEBUG msg="succeeded after retries" name=fetch attempts=2 elapsed=140ms
}
