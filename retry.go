// Package retry calls a function until it succeeds, never waits past your deadline, and
// returns one error that says why it stopped and what failed last.
//
// Most callers need one call:
//
//	user, err := retry.DoValue(ctx, func(ctx context.Context) (User, error) {
//		return client.Get(ctx, id)
//	})
//
// It makes up to five attempts. The waits between them are random: up to 100ms, then up to
// 200ms, 400ms and 800ms. Without options these are in force:
//
//	max_attempts=5 backoff=exponential(100ms,2) max_delay=30s max_retry_after=1m0s jitter=full history_size=10
//
// [Do] is for functions without a value, [Attempts] for a loop's body, [Func] makes a function
// that retries itself, and a [Policy] holds options for many calls:
//
//	var policy = retry.MustNew(retry.WithMaxAttempts(3), retry.WithRetryIf(retry.Transient))
//	err := policy.Do(ctx, ping)
//
// A policy can be read from text ([Parse]) and foresee its waits ([Policy.Plan]). A [Run] is
// a call whose waits are up to its owner. Engines that make the attempts themselves ask
// [Policy.Next] what follows one, or [Policy.Wait] for a delay alone. Package retrytest has a
// clock for tests.
//
// # What is retried
//
// Every error is retried unless told otherwise. The function marks an error with [Permanent],
// or with [After] when the server said how long to wait. [WithRetryIf] and [WithStopIf] take
// classifiers such as [Is], [As], [Transient] and [TimedOut], combined by [All] and [Not].
// [WithValidator] rejects values; [Rejected] returns them after a failure.
//
// # Limits
//
// The context bounds every call. A context that is done allows no attempt, its end cuts a wait
// short, and a wait that would pass its deadline is not begun. A success counts, also when the
// context ended meanwhile.
//
// [WithGate] limits what runs at once, [Cooldown] keeps all calls from a server that asked for a
// pause, and a [Budget] limits how many retries there are in all. [WithStop] adds limits of your
// own. A call that lives long, such as a loop that reconnects, starts counting anew after an
// attempt that ran long: [WithResetAfter].
//
// # Errors
//
// A call that fails returns an *[Error]. It matches, for errors.Is and errors.As, the reason,
// the last attempt's error, and the context's error and cause if that is what ended it:
//
//	retry: fetch: attempts exhausted after 5 attempts in 1.1s: connection refused
//
// Bad options are reported by the call, as an error that matches [ErrOption], and the
// function does not run. A nil context panics.
//
// # Concurrency, cost and stability
//
// All types but [Run] are safe for concurrent use. The package imports the standard library
// alone and starts no goroutine. Do, DoValue and Func with a prebuilt Policy, or none, allocate
// nothing until an attempt fails, unless attempts have a timeout. Exported names and
// documented rules are stable from v1 on; texts of errors are not.
package retry

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// Do calls fn until it returns nil, and returns nil; or until the options say stop, and
// returns an *[Error] that says why and what failed last.
//
// fn gets ctx, as the hooks and the attempt's timeout made of it, and should return when it
// ends. Do never waits past ctx's deadline, and when ctx is already done fn is not called.
// An error matching [ErrOption] means that an option was at fault and fn not called.
func Do(ctx context.Context, fn func(ctx context.Context) error, opts ...Option) error {
	if p, ok := prebuilt(opts); ok {
		return p.Do(ctx, fn)
	}
	return doWith(ctx, fn, opts)
}

// DoValue is like [Do] for a function that returns a value, which validators may look at.
// On failure it returns what the last run of fn returned, the zero value if fn never ran.
func DoValue[T any](ctx context.Context, fn func(ctx context.Context) (T, error), opts ...Option) (T, error) {
	if p, ok := prebuilt(opts); ok {
		return value(ctx, p.inForce(), fn)
	}
	return valueWith(ctx, fn, opts)
}

// Attempts returns an iterator over the attempts of a call whose function is the body of a
// range statement: the body gets each attempt's context and number and assigns its result
// to *err. The loop ends when that is nil, or when there is no further attempt; *err is then
// nil or an *[Error].
//
//	for ctx, n := range retry.Attempts(ctx, &err) {
//		err = call(ctx)
//	}
//
// Leaving the loop by break or return ends the call and leaves *err as the body set it, nil
// if it did not: it is then no *Error. Hooks and the log see a success if *err is nil at that
// moment and ErrPermanent otherwise, whatever the function around the loop returns; to end
// the call with an *Error, assign [Permanent] of it and go on.
//
// From the second attempt on the body may read *err: until it is assigned it has the text and
// the tree of the previous attempt's error, to tell a model what was wrong with its answer, for
// example. In the first attempt *err is a placeholder that is not nil; read it only if n > 1. A
// body that leaves the loop without assigning *err leaves it nil in any attempt.
//
// A body that does not assign *err, mostly because := made a new err, ends the loop with an
// error that says so. Each range over the iterator is a call of its own. A nil err panics;
// validators are a fault, for there is no value.
func Attempts(ctx context.Context, err *error, opts ...Option) iter.Seq2[context.Context, int] {
	if err == nil {
		panic("retry: Attempts: nil error pointer")
	}
	var faults error
	p, ok := prebuilt(opts)
	if !ok {
		p, faults = New(opts...)
	}
	return func(yield func(context.Context, int) bool) {
		if *err = faults; faults != nil {
			return
		}
		s := p.inForce()
		if *err = join(validatorsWithoutValue(s)); *err != nil {
			return
		}
		c := call{ctx: ctx}
		failed := c.loop(s, func(ctx context.Context) error {
			unassigned := unassignedError(c.last)
			*err = unassigned
			c.left = !yield(ctx, c.number)
			switch {
			case *err != unassigned: // the very one
			case c.left:
				*err = nil
			default:
				*err = errUnassigned
			}
			return *err
		}, nil)
		if !c.left {
			*err = failed
		}
	}
}

// errUnassigned is the error of a body of a loop over Attempts that assigned none.
var errUnassigned = Permanent(errors.New(
	"retry: Attempts: the loop body did not assign the error it was given; was it shadowed by := ?"))

// unassigned stands in *err until the body assigns it, and reads as the previous attempt's
// error.
type unassigned struct{ error }

func (u *unassigned) Unwrap() error { return u.error }

// unassignedError returns what stands in *err after the attempt that failed with previous, if
// there was one.
func unassignedError(previous error) error {
	if previous == nil {
		return errUnassigned
	}
	return &unassigned{previous}
}

// Func returns fn with retries: a function of the same form that calls fn as [DoValue]
// does. The options are checked once, and a fault is returned by each call.
func Func[In, Out any](fn func(context.Context, In) (Out, error), opts ...Option) func(context.Context, In) (Out, error) {
	p, faults := New(opts...)
	if fn == nil {
		s := defaults
		s.apply(opts)
		faults = errors.Join(faults, nilFunction("Func", s.name))
	}
	return func(ctx context.Context, in In) (Out, error) {
		if faults != nil {
			var zero Out
			return zero, faults
		}
		return DoValue(ctx, func(ctx context.Context) (Out, error) { return fn(ctx, in) }, p)
	}
}

// prebuilt returns the policy of a call that is given nothing else.
func prebuilt(opts []Option) (*Policy, bool) {
	switch len(opts) {
	case 0:
		return nil, true
	case 1:
		p, ok := opts[0].(*Policy)
		return p, ok
	}
	return nil, false
}

// nilFunction is the error of a call without a function: which of the ways in it took, and the
// call's name.
func nilFunction(way, name string) fault {
	if name == "" {
		return fault{way, "nil function"}
	}
	return fault{way, fmt.Sprintf("nil function in the call %q", name)}
}

// doWith is Do with options to merge. It is a function of its own because the settings
// take room on the stack that a prebuilt policy does not need.
//
//go:noinline
func doWith(ctx context.Context, fn func(ctx context.Context) error, opts []Option) error {
	s := defaults
	s.apply(opts)
	if len(s.faults) > 0 || fn == nil || s.validators.n > 0 {
		return s.misuse("Do", fn == nil)
	}
	if s.finish != nil {
		body := fn
		fn = func(ctx context.Context) error { return s.finish(ctx, body(ctx)) }
	}
	c := call{ctx: ctx}
	return c.loop(&s, fn, nil)
}

// valueWith is DoValue with options to merge.
//
//go:noinline
func valueWith[T any](ctx context.Context, fn func(ctx context.Context) (T, error), opts []Option) (T, error) {
	s := defaults
	s.apply(opts)
	return value(ctx, &s, fn)
}

// misuse returns what is wrong with a call that returns no value.
//
//go:noinline
func (s *settings) misuse(way string, noFunction bool) error {
	faults := slices.Concat(s.faults, validatorsWithoutValue(s))
	if noFunction {
		faults = append(faults, nilFunction(way, s.name))
	}
	return join(faults)
}

// value is DoValue with its options merged.
func value[T any](ctx context.Context, s *settings, fn func(ctx context.Context) (T, error)) (v T, err error) {
	faults := slices.Clip(s.faults) // they may be a policy's
	if s.validators.n > 0 {
		faults = append(faults, validatorsOfWrongType[T](s)...)
	}
	if fn == nil {
		faults = append(faults, nilFunction("DoValue", s.name))
	}
	if len(faults) > 0 {
		return v, join(faults)
	}
	if s.validators.n > 0 {
		return validated(ctx, s, fn)
	}
	c := call{ctx: ctx}
	err = c.loop(s, func(ctx context.Context) (err error) {
		v, err = fn(ctx)
		if s.finish != nil {
			err = s.finish(ctx, err)
		}
		return err
	}, nil)
	return v, err
}

// validated is value with validators. They make v escape, so v is not value's.
func validated[T any](ctx context.Context, s *settings, fn func(ctx context.Context) (T, error)) (v T, err error) {
	j := validation[T]{size: s.historySize}
	c := call{ctx: ctx}
	err = c.loop(s, func(ctx context.Context) (err error) {
		v, err = fn(ctx)
		switch {
		case s.finish == nil:
			return err
		case err != nil:
			return s.finish(ctx, err)
		}
		return finishValue(ctx, s, &c, &j, v)
	}, func(a Attempt) error { return j.check(s, v, a) })
	return v, err
}
