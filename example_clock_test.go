package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// instantClock moves its time forward at once when something waits for it.
type instantClock struct{ now time.Time }

func (c *instantClock) Now() time.Time { return c.now }

func (c *instantClock) After(d time.Duration) <-chan time.Time {
	c.now = c.now.Add(d)
	due := make(chan time.Time, 1)
	due <- c.now
	return due
}

// A clock needs two methods. With this one a test of several hours takes no time.
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

// With a virtual clock the waits of a test take no time, and the test can check them.
func ExampleWithClock() {
	var clock retrytest.Clock
	begin := clock.Now()
	_ = retry.Do(context.Background(), func(ctx context.Context) error {
		return errors.New("status 503")
	}, retry.WithBackoff(retry.Sequence(time.Minute, time.Hour)), retry.WithMaxAttempts(3), retry.WithClock(&clock))

	fmt.Println(clock.Waits(), clock.Now().Sub(begin))
	// Output: [1m0s 1h0m0s] 1h1m0s
}
