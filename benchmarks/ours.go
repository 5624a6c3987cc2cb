package benchmarks

import (
	"context"
	"time"

	"github.com/seed-205ff063/retry"
)

const ourPath = "github.com/seed-205ff063/retry"

// The standard policy is what retry does without options. Wait uses the exact wait, without jitter,
// as the other libraries do. Of the others only avast/retry-go keeps anything like the history of
// failed attempts, a list of errors, so retry is measured with and without its history.
var ours = Library{
	ID: "retry", Name: "retry", Path: ourPath, Ours: true, Clock: "once, monotonic",

	Do: func(fn Fn) Op {
		policy := retry.MustNew()
		call := func(ctx context.Context) error { return fn(ctx) }
		return func(ctx context.Context) error { return policy.Do(ctx, call) }
	},
	DoContext: func(fn Fn) Op {
		policy := retry.MustNew()
		call := func(ctx context.Context) error { return fn(ctx) }
		return func(ctx context.Context) error { return policy.Do(ctx, call) }
	},
	Int: func(fn Fn) Op {
		policy := retry.MustNew()
		call := func(ctx context.Context) (int, error) { return 42, fn(ctx) }
		return func(ctx context.Context) error {
			v, err := retry.DoValue(ctx, call, policy)
			return checkInt(v, err)
		}
	},
	Struct: func(fn Fn) Op {
		policy := retry.MustNew()
		call := func(ctx context.Context) (Words, error) { return Words{D: 42}, fn(ctx) }
		return func(ctx context.Context) error {
			v, err := retry.DoValue(ctx, call, policy)
			return checkWords(v, err)
		}
	},
	Literal: func(fn Fn) Op {
		policy := retry.MustNew()
		return func(ctx context.Context) error {
			made := 0
			err := policy.Do(ctx, func(ctx context.Context) error {
				made++
				return fn(ctx)
			})
			return checkMade(made, err)
		}
	},
	Options: func(fn Fn) Op {
		call := func(ctx context.Context) error { return fn(ctx) }
		return func(ctx context.Context) error {
			return retry.Do(ctx, call,
				retry.WithMaxAttempts(attempts),
				retry.WithBackoff(retry.Exponential(initial, factor)),
				retry.WithMaxDelay(longest),
				retry.WithJitter(retry.FullJitter))
		}
	},
	Wait:        func(fn Fn, d time.Duration) Op { return ourWait(fn, d) },
	WaitContext: func(fn Fn, d time.Duration) Op { return ourWait(fn, d) },
	Permanent: func(fn Fn) Op {
		policy := retry.MustNew()
		call := func(ctx context.Context) error { return retry.Permanent(fn(ctx)) }
		return func(ctx context.Context) error { return policy.Do(ctx, call) }
	},
	Twice: func() Op {
		policy := retry.MustNew(retry.WithBackoff(retry.Constant(0)))
		return func(ctx context.Context) error { return ourTwice(ctx, policy) }
	},
}

var oursNoHistory = Library{
	ID: "retry-no-history", Name: "retry, no history", Path: ourPath, Ours: true,

	Wait:        func(fn Fn, d time.Duration) Op { return ourWait(fn, d, retry.WithHistorySize(0)) },
	WaitContext: func(fn Fn, d time.Duration) Op { return ourWait(fn, d, retry.WithHistorySize(0)) },
	Twice: func() Op {
		policy := retry.MustNew(retry.WithBackoff(retry.Constant(0)), retry.WithHistorySize(0))
		return func(ctx context.Context) error { return ourTwice(ctx, policy) }
	},
}

// oursOptionsWait waits with its options given at the call.
var oursOptionsWait = Library{
	ID: "retry-options", Name: "retry, options at the call", Path: ourPath, Ours: true,

	Wait:        optionsWait,
	WaitContext: optionsWait,
}

func optionsWait(fn Fn, d time.Duration) Op {
	call := func(ctx context.Context) error { return fn(ctx) }
	return func(ctx context.Context) error {
		return retry.Do(ctx, call, retry.WithMaxAttempts(attempts), retry.WithBackoff(retry.Constant(d)))
	}
}

// These calls have more options than numbers and a backoff: a policy to derive from, or options that
// carry a list.
var (
	oursDerived = Library{
		ID: "retry-derived", Name: "retry, policy and an option", Path: ourPath, Ours: true,
		Options: func(fn Fn) Op {
			policy := retry.MustNew()
			call := func(ctx context.Context) error { return fn(ctx) }
			return func(ctx context.Context) error {
				return retry.Do(ctx, call, policy, retry.WithMaxAttempts(3))
			}
		},
	}
	oursList = Library{
		ID: "retry-list", Name: "retry, one list more", Path: ourPath, Ours: true,
		Options: func(fn Fn) Op {
			call := func(ctx context.Context) error { return fn(ctx) }
			return func(ctx context.Context) error {
				return retry.Do(ctx, call,
					retry.WithMaxAttempts(attempts),
					retry.WithBackoff(retry.Exponential(initial, factor)),
					retry.WithMaxDelay(longest),
					retry.WithJitter(retry.FullJitter),
					retry.WithRetryIf(retry.Transient))
			}
		},
	}
	oursLists = Library{
		ID: "retry-lists", Name: "retry, two lists more", Path: ourPath, Ours: true,
		Options: func(fn Fn) Op {
			call := func(ctx context.Context) error { return fn(ctx) }
			return func(ctx context.Context) error {
				return retry.Do(ctx, call,
					retry.WithMaxAttempts(attempts),
					retry.WithBackoff(retry.Exponential(initial, factor)),
					retry.WithMaxDelay(longest),
					retry.WithJitter(retry.FullJitter),
					retry.WithRetryIf(retry.Transient),
					retry.WithStopIf(retry.AlreadyRetried))
			}
		},
	}
	oursStopIf = Library{
		ID: "retry-stop-if", Name: "retry, WithStopIf", Path: ourPath, Ours: true,
		Permanent: func(fn Fn) Op {
			policy := retry.MustNew(retry.WithStopIf(retry.Is(ErrFailed)))
			call := func(ctx context.Context) error { return fn(ctx) }
			return func(ctx context.Context) error { return policy.Do(ctx, call) }
		},
	}
)

func ourWait(fn Fn, d time.Duration, opts ...retry.Option) Op {
	policy := retry.MustNew(append(opts, retry.WithBackoff(retry.Constant(d)))...)
	call := func(ctx context.Context) error { return fn(ctx) }
	return func(ctx context.Context) error { return policy.Do(ctx, call) }
}

func ourTwice(ctx context.Context, policy *retry.Policy) error {
	made := 0
	return policy.Do(ctx, func(context.Context) error {
		if made++; made <= 2 {
			return ErrFailed
		}
		return nil
	})
}

// checkInt, checkWords and checkMade use the result of a call, so that the compiler cannot drop it.
func checkInt(v int, err error) error {
	if err == nil && v != 42 {
		return errValue
	}
	return err
}

func checkWords(v Words, err error) error {
	if err == nil && v.D != 42 {
		return errValue
	}
	return err
}

func checkMade(made int, err error) error {
	if err == nil && made != 1 {
		return errValue
	}
	return err
}
