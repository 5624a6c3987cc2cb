package retrytest

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/seed-205ff063/retry"
)

// Fail returns a function that fails with err the first n times, counted over all its callers,
// and succeeds from then on. A nil err panics.
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

// FailValue is like [Fail] for functions with a value, such as [retry.DoValue] takes: it
// returns the zero value and err the first n times, and v from then on. A nil err panics.
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

// Script returns a function that returns the results in turn, nil being a success.
//
// A call past the end fails with an error that says so, marked by [retry.Permanent]: a call
// that retries too often stops there, even with unlimited attempts, and does not pass for a
// success.
func Script(results ...error) func(context.Context) error {
	results = slices.Clone(results)
	var calls atomic.Int64
	return func(context.Context) error {
		n := calls.Add(1)
		if n > int64(len(results)) {
			return past(n, len(results))
		}
		return results[n-1]
	}
}

// ScriptValue is like [Script] for functions with a value, such as [retry.DoValue] takes. A
// result is what [Returns] makes, or a function that does something first, say
// [Clock.Advance]. A call past the end returns the zero value and Script's error.
func ScriptValue[T any](results ...func() (T, error)) func(context.Context) (T, error) {
	results = slices.Clone(results)
	var calls atomic.Int64
	return func(context.Context) (T, error) {
		n := calls.Add(1)
		if n > int64(len(results)) {
			var zero T
			return zero, past(n, len(results))
		}
		return results[n-1]()
	}
}

// Returns is a result for [ScriptValue]: it returns v and err.
func Returns[T any](v T, err error) func() (T, error) {
	return func() (T, error) { return v, err }
}

// Count returns fn with every call counted in calls, before fn runs.
func Count(calls *atomic.Int64, fn func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		calls.Add(1)
		return fn(ctx)
	}
}

// past is the error of call n of a script that ended before.
func past(n int64, results int) error {
	return retry.Permanent(fmt.Errorf("retrytest: call %d of a script with %d results", n, results))
}
