package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// storageError is the status code of a failed request.
type storageError int

func (e storageError) Error() string { return fmt.Sprint("status ", int(e)) }

// A classifier sees the whole attempt, not just its error. This one retries only failures that
// came quickly.
func ExampleClassifier() {
	quick := func(a retry.Attempt) bool { return a.Duration < time.Second }

	var clock retrytest.Clock
	calls := 0
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		if calls++; calls == 2 {
			clock.Advance(20 * time.Second) // the second attempt hangs
		}
		return errors.New("bad gateway")
	}, retry.WithRetryIf(quick), retry.WithClock(&clock))

	fmt.Println(calls, errors.Is(err, retry.ErrPermanent))
	// Output: 2 true
}

// Is classifies by errors.Is. Here two errors are retried and any other is permanent.
func ExampleIs() {
	policy := retry.MustNew(
		retry.WithRetryIf(retry.Is(io.ErrUnexpectedEOF, os.ErrDeadlineExceeded)),
		retry.WithBackoff(retry.Constant(0)))

	calls := 0
	err := policy.Do(context.Background(), func(ctx context.Context) error {
		if calls++; calls == 1 {
			return fmt.Errorf("read header: %w", io.ErrUnexpectedEOF) // retried
		}
		return fs.ErrNotExist // not retried
	})

	fmt.Println(calls, errors.Is(err, fs.ErrNotExist))
	// Output: 2 true
}

// As classifies by the type of an error. Here any *fs.PathError ends the call.
func ExampleAs() {
	policy := retry.MustNew(
		retry.WithStopIf(retry.As[*fs.PathError]()), // opening the file again would not help
		retry.WithBackoff(retry.Constant(0)))

	calls := 0
	err := policy.Do(context.Background(), func(ctx context.Context) error {
		calls++
		return &fs.PathError{Op: "open", Path: "config.json", Err: fs.ErrPermission}
	})

	fmt.Println(calls, errors.Is(err, retry.ErrPermanent), errors.Is(err, fs.ErrPermission))
	// Output: 1 true true
}

// Match makes a classifier from any function of the error.
func ExampleMatch() {
	serverError := retry.Match(func(err error) bool {
		var status storageError
		return errors.As(err, &status) && status >= 500
	})

	replies := []error{storageError(503), storageError(502), storageError(404)}
	calls := 0
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		calls++
		return replies[calls-1]
	}, retry.WithRetryIf(serverError), retry.WithBackoff(retry.Constant(0)))

	var e *retry.Error
	fmt.Println(calls, errors.As(err, &e), e.Err)
	// Output: 3 true status 404
}

// Transient retries network failures that are likely temporary. It does not retry a host name
// that does not exist.
func ExampleTransient() {
	for _, err := range []error{
		fmt.Errorf("read response: %w", io.ErrUnexpectedEOF),
		&net.DNSError{Err: "server misbehaving", Name: "example.test", IsTemporary: true},
		&net.DNSError{Err: "no such host", Name: "exmaple.test", IsNotFound: true},
	} {
		calls := 0
		_ = retry.Do(context.Background(), func(ctx context.Context) error {
			calls++
			return err
		}, retry.WithRetryIf(retry.Transient), retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(0)))
		fmt.Printf("%d: %v\n", calls, err)
	}
	// Output:
	// 3: read response: unexpected EOF
	// 3: lookup example.test: server misbehaving
	// 1: lookup exmaple.test: no such host
}

// Two layers with three attempts each make nine calls. With AlreadyRetried the outer layer does
// not repeat what the inner layer gave up on.
func ExampleAlreadyRetried() {
	calls := 0
	inner := func(ctx context.Context) error {
		return retry.Do(ctx, func(ctx context.Context) error {
			calls++
			return errors.New("connection refused")
		}, retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(0)))
	}

	_ = retry.Do(context.Background(), inner, retry.WithMaxAttempts(3), retry.WithBackoff(retry.Constant(0)))
	fmt.Println(calls)

	calls = 0
	_ = retry.Do(context.Background(), inner, retry.WithMaxAttempts(3), retry.WithStopIf(retry.AlreadyRetried))
	fmt.Println(calls)
	// Output:
	// 9
	// 3
}

// Permanent ends the call. It adds no text, and errors.Is finds the original error.
func ExamplePermanent() {
	errNoUser := errors.New("no such user")
	calls := 0

	err := retry.Do(context.Background(), func(ctx context.Context) error {
		calls++
		return retry.Permanent(fmt.Errorf("load user 7: %w", errNoUser))
	})

	var e *retry.Error
	fmt.Println(calls, errors.As(err, &e), e.Err)
	fmt.Println(errors.Is(err, retry.ErrPermanent), errors.Is(err, errNoUser))
	// Output:
	// 1 true load user 7: no such user
	// true true
}

// After tells the call how long the server asked it to wait.
func ExampleAfter() {
	var clock retrytest.Clock
	calls := 0

	err := retry.Do(context.Background(), func(ctx context.Context) error {
		if calls++; calls == 1 {
			return retry.After(20*time.Second, errors.New("429 too many requests"))
		}
		return nil
	}, retry.WithJitter(retry.NoJitter), retry.WithClock(&clock))

	fmt.Println(clock.Waits(), err)
	// Output: [20s] <nil>
}

// throttledError gives a hint by its RetryAfter method.
type throttledError struct{ wait time.Duration }

func (e throttledError) Error() string                     { return "throttled" }
func (e throttledError) RetryAfter() (time.Duration, bool) { return e.wait, e.wait > 0 }

// An error can give the hint by a RetryAfter method, without importing this package.
func ExampleAfter_method() {
	var clock retrytest.Clock
	calls := 0

	err := retry.Do(context.Background(), func(ctx context.Context) error {
		if calls++; calls == 1 {
			return fmt.Errorf("put object: %w", throttledError{wait: 3 * time.Second})
		}
		return nil
	}, retry.WithJitter(retry.NoJitter), retry.WithClock(&clock))

	fmt.Println(clock.Waits(), err)
	// Output: [3s] <nil>
}

// All matches if all its classifiers match. Here a second attempt that times out is the last.
func ExampleAll() {
	late := func(a retry.Attempt) bool { return a.Number >= 2 }
	policy := retry.MustNew(
		retry.WithStopIf(retry.All(retry.Is(os.ErrDeadlineExceeded), late)),
		retry.WithBackoff(retry.Constant(0)))

	calls := 0
	err := policy.Do(context.Background(), func(ctx context.Context) error {
		calls++
		return os.ErrDeadlineExceeded
	})

	fmt.Println(calls, errors.Is(err, retry.ErrPermanent))
	// Output: 2 true
}

// Not inverts a classifier. Here everything is retried except a missing file.
func ExampleNot() {
	policy := retry.MustNew(
		retry.WithRetryIf(retry.Not(retry.Is(fs.ErrNotExist))),
		retry.WithBackoff(retry.Constant(0)))

	calls := 0
	err := policy.Do(context.Background(), func(ctx context.Context) error {
		if calls++; calls == 1 {
			return fs.ErrPermission // retried
		}
		return fs.ErrNotExist // not retried
	})

	fmt.Println(calls, errors.Is(err, retry.ErrPermanent))
	// Output: 2 true
}

// TimedOut matches an attempt whose own timeout ended it. Here the first such attempt is the
// last.
func ExampleTimedOut() {
	var clock retrytest.Clock
	calls := 0
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		if calls++; calls == 2 {
			clock.Advance(time.Minute) // the server does not answer
		}
		return errors.New("no answer")
	},
		retry.WithAttemptTimeout(10*time.Second),
		retry.WithStopIf(retry.TimedOut),
		retry.WithClock(&clock))

	fmt.Println(calls, errors.Is(err, retry.ErrPermanent))
	// Output: 2 true
}

// With WithRetryIf only errors that a classifier matches are retried.
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

// With WithStopIf every error is retried unless a classifier matches it.
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
