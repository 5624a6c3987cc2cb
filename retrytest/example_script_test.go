package retrytest_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/seed-205ff063/retry"
	"github.com/seed-205ff063/retry/retrytest"
)

func ExampleFailValue() {
	fn := retrytest.FailValue(2, errors.New("busy"), "ready")
	for range 4 {
		fmt.Println(fn(context.Background()))
	}
	// Output:
	//  busy
	//  busy
	// ready <nil>
	// ready <nil>
}

func ExampleFail() {
	fn := retrytest.Fail(2, errors.New("busy"))
	for range 4 {
		fmt.Println(fn(context.Background()))
	}
	// Output:
	// busy
	// busy
	// <nil>
	// <nil>
}

func ExampleScript() {
	fn := retrytest.Script(errors.New("busy"), nil)
	for range 3 {
		fmt.Println(fn(context.Background()))
	}
	// Output:
	// busy
	// <nil>
	// retrytest: call 3 of a script with 2 results
}

func ExampleScriptValue() {
	var clk retrytest.Clock
	state := retrytest.ScriptValue(
		retrytest.Returns("", errors.New("busy")),
		func() (string, error) { clk.Advance(time.Second); return "pending", nil },
		retrytest.Returns("ready", nil),
	)
	v, err := retry.DoValue(context.Background(), state, retry.WithClock(&clk),
		retry.WithValidator(func(v string, _ retry.Attempt) error {
			if v != "ready" {
				return errors.New("not ready")
			}
			return nil
		}))
	fmt.Println(v, err, len(clk.Waits()))
	// Output:
	// ready <nil> 2
}

func ExampleReturns() {
	result := retrytest.Returns(42, errors.New("partial"))
	fmt.Println(result())
	// Output:
	// 42 partial
}

func ExampleCount() {
	var clk retrytest.Clock
	var calls atomic.Int64
	fn := retrytest.Count(&calls, retrytest.Fail(2, errors.New("busy")))
	_ = retry.Do(context.Background(), fn, retry.WithClock(&clk))
	fmt.Println(calls.Load())
	// Output:
	// 3
}
