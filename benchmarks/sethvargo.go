package benchmarks

import (
	"context"
	"time"

	sethretry "github.com/sethvargo/go-retry"
)

// sethvargo/go-retry: a backoff that counts or grows can be used for one run only, so each call
// builds its own. Only the constant wait inside it can be shared. An error is retried if it is
// wrapped, so the wrapping is part of the cost of a failed attempt.
var sethvargo = Library{
	ID: "sethvargo", Name: "sethvargo/go-retry", Path: "github.com/sethvargo/go-retry", Clock: "no",

	Do:        sethvargoDo,
	DoContext: sethvargoDo,
	Options:   sethvargoDo,
	Int: func(fn Fn) Op {
		call := func(ctx context.Context) (int, error) { return 42, sethretry.RetryableError(fn(ctx)) }
		return func(ctx context.Context) error {
			v, err := sethretry.DoValue(ctx, sethvargoBackoff(), call)
			return checkInt(v, err)
		}
	},
	Struct: func(fn Fn) Op {
		call := func(ctx context.Context) (Words, error) {
			return Words{D: 42}, sethretry.RetryableError(fn(ctx))
		}
		return func(ctx context.Context) error {
			v, err := sethretry.DoValue(ctx, sethvargoBackoff(), call)
			return checkWords(v, err)
		}
	},
	Literal: func(fn Fn) Op {
		return func(ctx context.Context) error {
			made := 0
			err := sethretry.Do(ctx, sethvargoBackoff(), func(ctx context.Context) error {
				made++
				return sethretry.RetryableError(fn(ctx))
			})
			return checkMade(made, err)
		}
	},
	Wait:        sethvargoWait,
	WaitContext: sethvargoWait,
	Permanent: func(fn Fn) Op { // an error that is not wrapped
		call := func(ctx context.Context) error { return fn(ctx) }
		return func(ctx context.Context) error { return sethretry.Do(ctx, sethvargoBackoff(), call) }
	},
	Twice: func() Op {
		constant := sethvargoConstant(0)
		return func(ctx context.Context) error {
			made := 0
			return sethretry.Do(ctx, sethretry.WithMaxRetries(attempts-1, constant), func(context.Context) error {
				if made++; made <= 2 {
					return sethretry.RetryableError(ErrFailed)
				}
				return nil
			})
		}
	},
}

func sethvargoDo(fn Fn) Op {
	call := func(ctx context.Context) error { return sethretry.RetryableError(fn(ctx)) }
	return func(ctx context.Context) error { return sethretry.Do(ctx, sethvargoBackoff(), call) }
}

func sethvargoWait(fn Fn, d time.Duration) Op {
	call := func(ctx context.Context) error { return sethretry.RetryableError(fn(ctx)) }
	constant := sethvargoConstant(d)
	return func(ctx context.Context) error {
		return sethretry.Do(ctx, sethretry.WithMaxRetries(attempts-1, constant), call)
	}
}

func sethvargoBackoff() sethretry.Backoff {
	return sethretry.WithMaxRetries(attempts-1,
		sethretry.WithCappedDuration(longest,
			sethretry.WithFullJitter(sethretry.NewExponential(initial))))
}

func sethvargoConstant(d time.Duration) sethretry.Backoff {
	if d == 0 { // NewConstant panics at 0
		return sethretry.BackoffFunc(func() (time.Duration, bool) { return 0, false })
	}
	return sethretry.NewConstant(d)
}
