package retry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// One error says why the call stopped and what failed last.
func ExampleError() {
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("connection refused")
	}, retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(0)))

	var e *retry.Error
	if errors.As(err, &e) {
		fmt.Println(e.Attempts, "attempts:", e.Err)
		fmt.Println(e.Reason)
	}
	// Output:
	// 3 attempts: connection refused
	// retry: attempts exhausted
}

// A caller can switch on the reason. None of these calls waits: each knows beforehand that a
// wait would be useless.
func ExampleError_reason() {
	advice := func(err error) string {
		var e *retry.Error
		if !errors.As(err, &e) {
			return "no failed call"
		}
		switch e.Reason {
		case retry.ErrExhausted, retry.ErrMaxElapsed:
			return "it is down: degrade"
		case retry.ErrContext:
			return "nobody waits for the answer any more"
		case retry.ErrPermanent:
			return "fix the request"
		case retry.ErrRetryAfter, retry.ErrBudget:
			return fmt.Sprint("come back in ", e.Delay)
		}
		return "unknown"
	}

	ctx := context.Background()
	minute, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	slow := retry.MustNew(retry.WithBackoff(retry.Constant(time.Hour)))
	fail := func(err error) func(context.Context) error {
		return func(context.Context) error { return err }
	}
	down := fail(errors.New("503"))

	fmt.Println(advice(retry.Do(ctx, down, retry.WithMaxAttempts(1))))
	fmt.Println(advice(retry.Do(ctx, down, slow, retry.WithMaxElapsed(time.Minute))))
	fmt.Println(advice(retry.Do(minute, down, slow)))
	fmt.Println(advice(retry.Do(ctx, fail(retry.Permanent(errors.New("400"))))))
	fmt.Println(advice(retry.Do(ctx, fail(retry.After(2*time.Hour, errors.New("429"))))))
	fmt.Println(advice(retry.Do(ctx, down, slow, retry.WithBudget(retry.NewBudget(0.1, 0)))))
	// Output:
	// it is down: degrade
	// it is down: degrade
	// nobody waits for the answer any more
	// fix the request
	// come back in 2h0m0s
	// come back in 1h0m0s
}

// The text gives the name, the reason, the attempts, the time and the last error.
func ExampleError_Error() {
	var clock retrytest.Clock
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("connection refused")
	}, retry.WithName("fetch"), retry.WithJitter(retry.NoJitter), retry.WithClock(&clock))

	fmt.Println(err)
	// Output: retry: fetch: attempts exhausted after 5 attempts in 1.5s: connection refused
}

// %#v prints the same line, not the fields of the errors.
func ExampleError_GoString() {
	var clock retrytest.Clock
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		return retry.Permanent(errors.New("404 not found"))
	}, retry.WithName("fetch"), retry.WithClock(&clock))

	fmt.Printf("%#v\n", err)
	// Output: &retry.Error("retry: fetch: permanent error after 1 attempt in 0s: 404 not found")
}

// History returns the newest attempts of the call.
func ExampleError_History() {
	var clock retrytest.Clock
	failures := []string{"no route to host", "connection refused", "status 503"}
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		clock.Advance(30 * time.Millisecond)
		failure := failures[0]
		failures = failures[1:]
		return errors.New(failure)
	}, retry.WithMaxAttempts(3), retry.WithJitter(retry.NoJitter), retry.WithClock(&clock))

	var e *retry.Error
	if errors.As(err, &e) {
		for _, a := range e.History() {
			fmt.Printf("%d after a wait of %v ran %v: %v\n", a.Number, a.Waited, a.Duration, a.Err)
		}
	}
	// Output:
	// 1 after a wait of 0s ran 30ms: no route to host
	// 2 after a wait of 100ms ran 30ms: connection refused
	// 3 after a wait of 200ms ran 30ms: status 503
}

// A structured log gets the parts of the error as attributes.
func ExampleError_LogValue() {
	var clock retrytest.Clock
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("connection refused")
	}, retry.WithName("fetch"), retry.WithJitter(retry.NoJitter), retry.WithClock(&clock))

	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{} // keeps the output the same in every run
			}
			return a
		},
	}))
	logger.Error("no price", "err", err)
	// Output: level=ERROR msg="no price" err.name=fetch err.attempts=5 err.elapsed=1.5s err.reason="attempts exhausted" err.error="connection refused"
}

// RetryAfter tells an outer loop, a queue or a handler when another call makes sense. An outer
// retry uses it as a hint.
func ExampleError_RetryAfter() {
	budget := retry.NewBudget(0.1, 0) // allows no retries
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("status 503")
	}, retry.WithBudget(budget), retry.WithBackoff(retry.Constant(2*time.Second)))

	var e *retry.Error
	if errors.As(err, &e) {
		wait, ok := e.RetryAfter()
		fmt.Println("Retry-After:", wait.Seconds(), ok)
	}
	// Output: Retry-After: 2 true
}

// Temporary answers code that uses the deprecated method of net.Error.
func ExampleError_Temporary() {
	lookup := &net.DNSError{Err: "server misbehaving", Name: "example.test", IsTemporary: true}
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		return lookup
	}, retry.WithMaxAttempts(1))

	var temporary interface{ Temporary() bool }
	fmt.Println(errors.As(err, &temporary) && temporary.Temporary())
	// Output: true
}

// os.IsTimeout, net.Error and url.Error use this method.
func ExampleError_Timeout() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := retry.Do(ctx, func(ctx context.Context) error {
		return errors.New("busy")
	}, retry.WithBackoff(retry.Constant(time.Hour))) // would pass the deadline

	fmt.Println(os.IsTimeout(err))
	// Output: true
}

// The error matches the reason, the last failure, the context's error and its cause.
func ExampleError_Unwrap() {
	errRefused, errShutdown := errors.New("connection refused"), errors.New("shutting down")
	ctx, stop := context.WithCancelCause(context.Background())
	err := retry.Do(ctx, func(ctx context.Context) error {
		stop(errShutdown)
		return fmt.Errorf("dial: %w", errRefused)
	})

	for _, target := range []error{retry.ErrContext, errRefused, context.Canceled, errShutdown} {
		fmt.Printf("%t: %v\n", errors.Is(err, target), target)
	}
	// Output:
	// true: retry: context done
	// true: connection refused
	// true: context canceled
	// true: shutting down
}

// ErrorText returns an error's text as one safe line: it joins lines and escapes control
// characters.
func ExampleErrorText() {
	err := errors.Join(errors.New("first replica: connection refused"), errors.New("second: \x1b[31mgone"))
	fmt.Println(retry.ErrorText(err))
	// Output: first replica: connection refused; second: \x1b[31mgone
}
