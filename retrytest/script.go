package retrytest

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/seed-205ff063/retry"
)

// Fail returns a function that fails with err the first n times and then succeeds. It counts the calls
// of all goroutines. A nil err panics.
func Fail(n int, err error) func(context.Context) error {
	if err == nil {
		panic("retrytest: Fail: nil error")
	}
	var calls atomic.Int64
	return func(context.Context) error {
		if calls.Add(1) <= int64(n) {
			return err
		}
		return nil
	}
}

// FailValue is like [Fail] for functions with a value, as for [retry.DoValue]. It returns the zero value
// and err the first n times, then v. A nil err panics.
func FailValue[T any](n int, err error, v T) func(context.Context) (T, error) {
	if err == nil {
		panic("retrytest: FailValue: nil error")
	}
	fail := Fail(n, err)
	return func(ctx context.Context) (T, error) {
		if err := fail(ctx); err != nil {
			var zero T
			return zero, err
		}
		return v, nil
	}
}

// Script returns a function that returns the results in turn. A nil result is a success.
//
// A call after the last result fails with an error that says so. The error is marked with
// [retry.Permanent], so that a call with unlimited attempts ends too.
func Script(results ...error) func(context.Context) error {
	results = slices.Clone(results)
	var calls atomic.Int64
	return func(context.Context) error {
		n := calls.Add(1)
		if n > int64(len(results)) {
			return endOfScript(n, len(results))
		}
		return results[n-1]
	}
}

// ScriptValue is like [Script] for functions with a value, as for [retry.DoValue]. [Returns] makes a
// result. A function that does something first, such as [Clock.Advance], is a result too. A call after
// the last result returns the zero value and Script's error.
func ScriptValue[T any](results ...func() (T, error)) func(context.Context) (T, error) {
	results = slices.Clone(results)
	var calls atomic.Int64
	return func(context.Context) (T, error) {
		n := calls.Add(1)
		if n > int64(len(results)) {
			var zero T
			return zero, endOfScript(n, len(results))
		}
		return results[n-1]()
	}
}

// Returns makes a result for [ScriptValue]. The result returns v and err.
func Returns[T any](v T, err error) func() (T, error) {
	return func() (T, error) { return v, err }
}

// Count returns a function that adds one to calls and then calls fn.
func Count(calls *atomic.Int64, fn func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		calls.Add(1)
		return fn(ctx)
	}
}

// endOfScript returns the error of call n of a script that has fewer results.
func endOfScript(n int64, results int) error {
	return retry.Permanent(fmt.Errorf("retrytest: call %d of a script with %d results", n, results))
}
