package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// The first attempt counts: three attempts are two retries.
func ExampleWithMaxAttempts() {
	calls := 0
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		calls++
		return errors.New("connection refused")
	}, retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(0)))

	fmt.Println(calls, errors.Is(err, retry.ErrExhausted))
	// Output: 3 true
}

// With Unlimited only the context ends the call, for example in a consumer.
func ExampleWithMaxAttempts_unlimited() {
	ctx, stop := context.WithCancel(context.Background())
	calls := 0
	err := retry.Do(ctx, func(ctx context.Context) error {
		if calls++; calls == 100 {
			stop()
		}
		return errors.New("broker is unreachable")
	}, retry.WithMaxAttempts(retry.Unlimited), retry.WithBackoff(retry.Constant(0)))

	fmt.Println(calls, errors.Is(err, retry.ErrContext))
	// Output: 100 true
}

// The fourth wait would end 15s after the start of the call. The limit is 10s, so the wait does
// not start.
func ExampleWithMaxElapsed() {
	var clock retrytest.Clock
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("status 503")
	},
		retry.WithMaxElapsed(10*time.Second),
		retry.WithBackoff(retry.Exponential(time.Second, 2)),
		retry.WithJitter(retry.NoJitter),
		retry.WithClock(&clock))

	fmt.Println(clock.Waits())
	fmt.Println(err)
	// Output:
	// [1s 2s 4s]
	// retry: time limit reached (next wait 8s) after 4 attempts in 7s: status 503
}

// The first attempt hangs and times out. The next attempt gets a timeout of its own.
func ExampleWithAttemptTimeout() {
	var clock retrytest.Clock
	calls := 0
	reply, err := retry.DoValue(context.Background(), func(ctx context.Context) (string, error) {
		if calls++; calls == 1 {
			clock.Advance(time.Minute) // the server does not answer
			return "", ctx.Err()
		}
		return "pong", nil
	},
		retry.WithAttemptTimeout(10*time.Second),
		retry.WithBackoff(retry.Constant(0)),
		retry.WithClock(&clock))

	fmt.Println(reply, err, calls)
	// Output: pong <nil> 2
}

// A connection that lasted an hour starts a new series when it breaks: the waits start again, and
// the attempts count from 1.
func ExampleWithResetAfter() {
	var clock retrytest.Clock
	lives := []time.Duration{0, 0, time.Hour, 0}
	_ = retry.Do(context.Background(), func(ctx context.Context) error {
		if len(lives) == 0 {
			return retry.Permanent(errors.New("shut down"))
		}
		clock.Advance(lives[0])
		lives = lives[1:]
		return errors.New("connection lost")
	},
		retry.WithResetAfter(time.Minute),
		retry.WithBackoff(retry.Exponential(time.Second, 2)),
		retry.WithJitter(retry.NoJitter),
		retry.WithClock(&clock))

	fmt.Println(clock.Waits())
	// Output: [1s 2s 1s 2s]
}

// WithStop adds a limit of your own. A service that is shutting down starts no retry.
func ExampleWithStop() {
	errShutdown := errors.New("shutting down")
	shutdown := false
	calls := 0
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		calls++
		shutdown = calls == 2
		return errors.New("status 503")
	},
		retry.WithBackoff(retry.Constant(0)),
		retry.WithStop(func(a retry.Attempt) error {
			if shutdown {
				return errShutdown
			}
			return nil
		}))

	var e *retry.Error
	fmt.Println(errors.As(err, &e), e.Attempts, e.Reason)
	// Output: true 2 shutting down
}
