package retry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
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

// instantClock is a time that passes as soon as someone waits for it.
type instantClock struct{ now time.Time }

func (c *instantClock) Now() time.Time { return c.now }

func (c *instantClock) After(d time.Duration) <-chan time.Time {
	c.now = c.now.Add(d)
	due := make(chan time.Time, 1)
	due <- c.now
	return due
}

// Two methods make a clock; this one lets a test of an hour take no time.
func ExampleClock() {
	clock := &instantClock{now: time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)}

	_ = retry.Do(context.Background(), func(ctx context.Context) error {
		fmt.Println(clock.Now().Format(time.TimeOnly))
		return errors.New("status 503")
	}, retry.WithClock(clock), retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(time.Hour)))
	// Output:
	// 12:00:00
	// 13:00:00
	// 14:00:00
}

// An attempt that hangs is given up, and the next one gets its own time.
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

func ExampleWithBackoff() {
	var clock retrytest.Clock
	_ = retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("status 503")
	},
		retry.WithBackoff(retry.Fibonacci(100*time.Millisecond)),
		retry.WithJitter(retry.NoJitter),
		retry.WithClock(&clock))

	fmt.Println(clock.Waits())
	// Output: [100ms 100ms 200ms 300ms]
}

// One budget for all calls to one server: when it is spent they still make their first
// attempt, and no more.
func ExampleWithBudget() {
	policy := retry.MustNew(
		retry.WithBudget(retry.NewBudget(0.1, 3)),
		retry.WithBackoff(retry.Constant(0)))

	for range 3 {
		attempts := 0
		err := policy.Do(context.Background(), func(ctx context.Context) error {
			attempts++
			return errors.New("connection refused")
		})
		fmt.Println(attempts, errors.Is(err, retry.ErrBudget))
	}
	// Output:
	// 4 true
	// 1 true
	// 1 true
}

// In a test a virtual clock makes the waits take no time, and shows which they were.
func ExampleWithClock() {
	var clock retrytest.Clock
	begin := clock.Now()
	_ = retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("status 503")
	}, retry.WithBackoff(retry.Sequence(time.Minute, time.Hour)), retry.WithMaxAttempts(3), retry.WithClock(&clock))

	fmt.Println(clock.Waits(), clock.Now().Sub(begin))
	// Output: [1m0s 1h0m0s] 1h1m0s
}

// A gate may refuse: here no call goes on while the service drains.
func ExampleWithGate() {
	draining := false
	open := func(ctx context.Context, a retry.Attempt) (release func(error), err error) {
		if draining {
			return nil, retry.Permanent(errors.New("service is draining"))
		}
		return nil, nil
	}

	err := retry.Do(context.Background(), func(ctx context.Context) error {
		draining = true // as a signal handler would, at any time
		return errors.New("status 503")
	}, retry.WithGate(open), retry.WithBackoff(retry.Constant(0)))

	var e *retry.Error
	fmt.Println(errors.As(err, &e), e.Err)
	// Output: true service is draining
}

// The history also has the attempts of calls that succeeded, which no error tells of.
func ExampleWithHistory() {
	history := retry.NewHistory(50)
	calls := 0
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		if calls++; calls < 3 {
			return fmt.Errorf("status %d", 500+calls)
		}
		return nil
	}, retry.WithHistory(history), retry.WithBackoff(retry.Constant(0)))

	fmt.Println(err)
	for a := range history.All() {
		fmt.Println(a.Number, a.Err)
	}
	// Output:
	// <nil>
	// 1 status 501
	// 2 status 502
	// 3 <nil>
}

// The error of a call with many attempts keeps the newest of them.
func ExampleWithHistorySize() {
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("status 503")
	}, retry.WithHistorySize(2), retry.WithMaxAttempts(1000), retry.WithBackoff(retry.Constant(0)))

	var e *retry.Error
	if errors.As(err, &e) {
		for _, a := range e.History() {
			fmt.Println(a.Number, a.Err)
		}
	}
	// Output:
	// 999 status 503
	// 1000 status 503
}

func ExampleWithHooks() {
	retries := 0
	count := retry.Hooks{BeforeWait: func(ctx context.Context, a retry.Attempt) { retries++ }}

	_ = retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("status 503")
	}, retry.WithHooks(count), retry.WithBackoff(retry.Constant(0)))

	fmt.Println(retries, "retries") // the last attempt is followed by none
	// Output: 4 retries
}

// A strategy that is taken literally, as a sequence is, gets its jitter by the option.
func ExampleWithJitter() {
	policy := retry.MustNew(
		retry.WithBackoff(retry.Sequence(time.Second, time.Minute)),
		retry.WithJitter(retry.EqualJitter))

	for _, step := range policy.Plan(2) {
		fmt.Println(step.Min, step.Max)
	}
	// Output:
	// 500ms 1s
	// 30s 1m0s
}

func ExampleWithLogger() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{} // the example's output must not change
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

// A consumer that never gives up by itself: only its context ends it.
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

// The cap ends the growth and not the call.
func ExampleWithMaxDelay() {
	var clock retrytest.Clock
	_ = retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("status 503")
	},
		retry.WithBackoff(retry.Exponential(time.Second, 3)),
		retry.WithMaxDelay(5*time.Second),
		retry.WithJitter(retry.NoJitter),
		retry.WithClock(&clock))

	fmt.Println(clock.Waits())
	// Output: [1s 3s 5s 5s]
}

// The fourth wait would have ended 15s after the call began: it is not begun.
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

// A server that asks for an hour is not waited for; the caller learns of the hour.
func ExampleWithMaxRetryAfter() {
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		return retry.After(time.Hour, errors.New("status 429"))
	}, retry.WithMaxRetryAfter(10*time.Second))

	var e *retry.Error
	if errors.As(err, &e) && e.Reason == retry.ErrRetryAfter {
		fmt.Println("try again in", e.Delay)
	}
	// Output: try again in 1h0m0s
}

func ExampleWithName() {
	var clock retrytest.Clock
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("connection refused")
	}, retry.WithName("user service"), retry.WithMaxAttempts(1), retry.WithClock(&clock))

	fmt.Println(err)
	// Output: retry: user service: attempts exhausted after 1 attempt in 0s: connection refused
}

// A test or a simulation with a seed sees the same waits each time.
func ExampleWithRand() {
	waits := func(seed uint64) []time.Duration {
		var clock retrytest.Clock
		_ = retry.Do(context.Background(), func(ctx context.Context) error {
			return errors.New("status 503")
		}, retry.WithRand(rand.New(rand.NewPCG(seed, 0)).Float64), retry.WithClock(&clock))
		return clock.Waits()
	}

	fmt.Println(slices.Equal(waits(1), waits(1)), slices.Equal(waits(1), waits(2)))
	// Output: true false
}

// Only what the classifiers match is retried.
func ExampleWithRetryIf() {
	errConflict := errors.New("serialization failure")
	errUnique := errors.New("duplicate key")

	calls := 0
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		if calls++; calls < 3 {
			return errConflict
		}
		return errUnique
	}, retry.WithRetryIf(retry.Is(errConflict), retry.Transient), retry.WithBackoff(retry.Constant(0)))

	fmt.Println(calls, errors.Is(err, errUnique))
	// Output: 3 true
}

// Everything is retried but what the classifiers match.
func ExampleWithStopIf() {
	calls := 0
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		if calls++; calls == 1 {
			return errors.New("connection reset")
		}
		return fmt.Errorf("open state: %w", os.ErrPermission)
	}, retry.WithStopIf(retry.Is(os.ErrPermission, os.ErrNotExist)), retry.WithBackoff(retry.Constant(0)))

	fmt.Println(calls, errors.Is(err, retry.ErrPermanent))
	// Output: 2 true
}

// A server that says OK and sends half an answer has failed too.
func ExampleWithValidator() {
	pages := []string{"<html>", "<html></html>"}
	page, err := retry.DoValue(context.Background(), func(ctx context.Context) (string, error) {
		page := pages[0]
		pages = pages[1:]
		return page, nil
	},
		retry.WithBackoff(retry.Constant(0)),
		retry.WithValidator(func(page string, a retry.Attempt) error {
			if len(page) < 10 {
				return errors.New("page is cut off")
			}
			return nil
		}))

	fmt.Println(page, err)
	// Output: <html></html> <nil>
}

// A connection that lived for an hour begins a new series when it breaks: the next attempt
// follows after the first wait, and none of the five attempts is used up.
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

// A limit of your own: a service that is shutting down starts no retry.
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
