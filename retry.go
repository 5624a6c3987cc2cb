// Package retry calls a function until it succeeds, never waits past your deadline, and returns one
// error that says why it stopped and what failed last.
//
// Most callers need one call:
//
//	user, err := retry.DoValue(ctx, func(ctx context.Context) (User, error) {
//		return client.Get(ctx, id)
//	})
//
// It makes up to five attempts, with random waits of up to 100ms, 200ms, 400ms and 800ms between
// them. The defaults are:
//
//	max_attempts=5 backoff=exponential(100ms,2) max_delay=30s max_retry_after=1m0s jitter=full history_size=10
//
// [Do] is for functions without a value, [Attempts] is for loops, and [Func] makes a function that
// retries itself. A [Policy] holds options for many calls; [Parse] reads one from text:
//
//	var policy = retry.MustNew(retry.WithMaxAttempts(3), retry.WithRetryIf(retry.Transient))
//	err := policy.Do(ctx, ping)
//
// With a [Run] you do the waiting yourself. An engine that makes the attempts itself asks
// [Policy.Next]. Package retrytest has a clock for tests.
//
// # Classifying errors
//
//	if errors.Is(err, fs.ErrNotExist) {
//		return retry.Permanent(err)
//	}
//
// Every error is retried unless you say otherwise. The function can mark an error: with [Permanent]
// to stop, with [After] to set the wait. [WithRetryIf] and [WithStopIf] take classifiers such as
// [Is], [As], [Transient] and [TimedOut]. [WithValidator] rejects values; [Rejected] returns them
// after a failure.
//
// # Delays
//
//	// Waits of up to 1s, 2s, 3s, 4s.
//	err := retry.Do(ctx, ping, retry.WithBackoff(retry.Linear(time.Second, time.Second)))
//
// The [Backoff] gives a nominal delay, [WithMaxDelay] caps it, and the [Jitter] spreads it. A
// server's hint replaces the delay, see [After]. [Policy.Plan] lists the waits.
//
// # Context and limits
//
//	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
//	defer cancel()
//	err := retry.Do(ctx, ping, retry.WithMaxAttempts(retry.Unlimited))
//
// A context that is done allows no attempt, and its end cuts a wait short. If a wait would reach
// the deadline, the call gives up at once. A failure is not retried if the context ended during the
// attempt; a success counts even then.
//
// [WithMaxElapsed] and [WithAttemptTimeout] limit the time, [WithGate] limits what runs at once,
// and a [Budget] limits the share of retries. [Cooldown] keeps all calls from a server that asked
// for a pause. [WithStop] adds limits of your own. [WithResetAfter] is for calls that live long.
//
// # Errors
//
//	var e *retry.Error
//	if errors.As(err, &e) && e.Reason == retry.ErrExhausted {
//		log.Print(e) // retry: fetch: attempts exhausted after 5 attempts in 1.1s: connection refused
//	}
//
// A call that fails returns an *[Error]. Bad options and a nil function are another error, which
// matches [ErrOption]; nothing runs. A nil context panics.
//
// # Observing
//
//	err := retry.Do(ctx, ping, retry.WithName("ping"), retry.WithLogger(slog.Default()))
//
// [WithHooks] runs functions at each step, for metrics and traces. [WithHistory] keeps the newest
// attempts of many calls.
//
// # Concurrency and cost
//
// All types but [Run] are safe for concurrent use. The package imports only the standard library
// and starts no goroutine. With a prebuilt Policy or no options, Do, DoValue and Func allocate
// nothing until an attempt fails, unless attempts have a timeout. Exported names and documented
// rules are stable from v1 on; error texts are not.
package retry

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Do calls fn until it succeeds or no further attempt is allowed. It returns nil after a success
// and an *[Error] otherwise. fn gets ctx as [Hooks] and [WithAttemptTimeout] change it, and should
// return when that context ends.
func Do(ctx context.Context, fn func(ctx context.Context) error, opts ...Option) error {
	if p, ok := prebuilt(opts); ok {
		return p.Do(ctx, fn)
	}
	return doWith(ctx, fn, opts)
}

// DoValue is like [Do] for a function that returns a value. If the call fails, it returns the
// value of the last run of fn, or the zero value if fn did not run.
func DoValue[T any](ctx context.Context, fn func(ctx context.Context) (T, error), opts ...Option) (T, error) {
	if p, ok := prebuilt(opts); ok {
		return value(ctx, p.inForce(), fn)
	}
	return valueWith(ctx, fn, opts)
}

// Func returns a function of the same form that calls fn as [DoValue] does. The options are
// checked once. If one is wrong, every call returns the error.
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

// prebuilt returns the policy of a call that has no other options.
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

// nilFunction is the error of a call without a function. It names the exported function and the
// call.
func nilFunction(way, name string) fault {
	if name == "" {
		return fault{way, "nil function"}
	}
	return fault{way, fmt.Sprintf("nil function in the call %q", name)}
}

// doWith is Do with options to merge. It is apart because the settings take room on the stack that
// a prebuilt policy does not need.
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

// validated is value with validators. Because of them v escapes, so it is not the v of value.
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
