// Forms makes the same call in the four forms of package retry, then wraps a method whose arguments
// decide whether it is retried.
//
//	go run ./examples/forms
//
// It takes less than a second. Every call fails twice and succeeds at its third attempt:
//
//  1. Do, for a function that returns only an error;
//  2. DoValue, for a function that also returns a value;
//  3. Attempts, for the body of a loop;
//  4. Func, which makes a function that retries itself;
//  5. a method: setting a key is retried, appending to it is not, because a second append would
//     change the result.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/examples/internal/help"
)

// policy is shared by all calls here. Options for a single call can be passed to the call itself,
// next to a policy or instead of one.
var policy = retry.MustNew(
	retry.WithMaxAttempts(4),
	retry.WithBackoff(retry.Exponential(10*time.Millisecond, 2)),
)

//go:embed main.go
var source string

func main() {
	help.Parse(source)
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	return errors.Join(
		useDo(ctx, w),
		useDoValue(ctx, w),
		useAttempts(ctx, w),
		useFunc(ctx, w),
		useMethod(ctx, w),
	)
}

// useDo shows Do, for a function that returns only an error.
func useDo(ctx context.Context, w io.Writer) error {
	var s sensor
	err := retry.Do(ctx, s.ping, policy)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Do:        reached the sensor, %d attempts\n", s.calls)
	return nil
}

// useDoValue shows DoValue, for a function that also returns a value. A closure passes the arguments.
func useDoValue(ctx context.Context, w io.Writer) error {
	var s sensor
	celsius, err := retry.DoValue(ctx, func(ctx context.Context) (float64, error) {
		return s.read(ctx, "kitchen")
	}, policy)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "DoValue:   %.1f °C, %d attempts\n", celsius, s.calls)
	return nil
}

// useAttempts shows Attempts, which retries the body of a loop. The body can use the variables of
// the function around it, and return from it. It must assign to the err that Attempts was given, so
// it uses = and not :=.
func useAttempts(ctx context.Context, w io.Writer) error {
	var s sensor
	var celsius float64
	var err error
	for ctx, n := range retry.Attempts(ctx, &err, policy) {
		celsius, err = s.read(ctx, "kitchen")
		fmt.Fprintf(w, "Attempts:  attempt %d: error %v\n", n, err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Attempts:  %.1f °C, %d attempts\n", celsius, s.calls)
	return nil
}

// useFunc shows Func, which makes a function that retries itself. Its arguments and results are the
// same as before, so its callers do not change.
func useFunc(ctx context.Context, w io.Writer) error {
	var s sensor
	read := retry.Func(s.read, policy)

	celsius, err := read(ctx, "kitchen")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Func:      %.1f °C, %d attempts\n", celsius, s.calls)
	return nil
}

var errTimeout = errors.New("no answer in time")

// sensor answers at the third call.
type sensor struct{ calls int }

func (s *sensor) ping(context.Context) error {
	if s.calls++; s.calls < 3 {
		return errTimeout
	}
	return nil
}

func (s *sensor) read(ctx context.Context, room string) (float64, error) {
	if room == "" {
		return 0, retry.Permanent(errors.New("no room given"))
	}
	if err := s.ping(ctx); err != nil {
		return 0, fmt.Errorf("read %s: %w", room, err)
	}
	return 21.5, nil
}
