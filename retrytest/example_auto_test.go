package retrytest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

// The code under test has a mock clock. Its retries use the same one.
func ExampleAuto() {
	m := clock.NewMock()
	clk := retrytest.Auto(m)
	expired := m.After(250 * time.Millisecond) // another timer of the code
	err := retry.Do(context.Background(), retrytest.Fail(2, errors.New("busy")),
		retry.WithClock(clk), retry.WithJitter(retry.NoJitter))
	fmt.Println(err, clk.Waits())
	fmt.Println((<-expired).UTC().Format(time.StampMilli))
	// Output:
	// <nil> [100ms 200ms]
	// Jan  1 00:00:00.250
}

// stepClock is a mock clock that advances by Step, as in k8s.io/utils/clock. In clockwork the method is
// Advance.
type stepClock struct{ mock *clock.Mock }

func (c stepClock) Now() time.Time { return c.mock.Now() }

func (c stepClock) After(d time.Duration) <-chan time.Time { return c.mock.After(d) }

func (c stepClock) Step(d time.Duration) { c.mock.Add(d) }

// stepped adds the method that Auto needs.
type stepped struct{ stepClock }

func (c stepped) Add(d time.Duration) { c.Step(d) }

// A mock clock that advances by Step is wrapped, so that it has Add.
func ExampleMock() {
	clk := retrytest.Auto(stepped{stepClock{clock.NewMock()}})
	err := retry.Do(context.Background(), retrytest.Fail(2, errors.New("busy")),
		retry.WithClock(clk), retry.WithJitter(retry.NoJitter))
	fmt.Println(err, clk.Waits())
	// Output:
	// <nil> [100ms 200ms]
}

// A limit on the whole call counts the waits and the attempts' time, by the mock.
func ExampleAutoClock() {
	clk := retrytest.Auto(clock.NewMock())
	err := retry.Do(context.Background(), func(context.Context) error {
		clk.Add(10 * time.Second) // the attempt takes 10 seconds
		return errors.New("overloaded")
	}, retry.WithClock(clk), retry.WithBackoff(retry.Constant(20*time.Second)), retry.WithMaxElapsed(time.Minute))
	fmt.Println(err)
	fmt.Println(clk.Waits())
	// Output:
	// retry: time limit reached (next wait 20s) after 2 attempts in 40s: overloaded
	// [20s]
}

func ExampleAutoClock_Now() {
	m := clock.NewMock()
	clk := retrytest.Auto(m)
	m.Add(time.Hour)
	fmt.Println(clk.Now().UTC())
	// Output:
	// 1970-01-01 01:00:00 +0000 UTC
}

func ExampleAutoClock_After() {
	clk := retrytest.Auto(clock.NewMock())
	now := <-clk.After(time.Hour) // at once
	fmt.Println(now.UTC().Format(time.TimeOnly))
	// Output:
	// 01:00:00
}

func ExampleAutoClock_Add() {
	clk := retrytest.Auto(clock.NewMock())
	clk.Add(90 * time.Minute)
	fmt.Println(clk.Now().UTC().Format(time.TimeOnly), clk.Waits())
	// Output:
	// 01:30:00 []
}

func ExampleAutoClock_Waits() {
	clk := retrytest.Auto(clock.NewMock())
	_ = retry.Do(context.Background(), retrytest.Fail(9, errors.New("busy")),
		retry.WithClock(clk), retry.WithJitter(retry.NoJitter))
	fmt.Println(clk.Waits())
	// Output:
	// [100ms 200ms 400ms 800ms]
}

// An attempt takes longer than its timeout. Its context ends by the mock, and the attempt is
// retried.
func ExampleAutoClock_WithTimeout() {
	clk := retrytest.Auto(clock.NewMock())
	n := 0
	err := retry.Do(context.Background(), func(ctx context.Context) error {
		if n++; n == 1 {
			clk.Add(time.Minute) // a server that does not answer
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}, retry.WithClock(clk), retry.WithAttemptTimeout(5*time.Second))
	fmt.Println(err, n)
	// Output:
	// <nil> 2
}
