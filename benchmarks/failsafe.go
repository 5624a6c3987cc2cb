package benchmarks

import (
	"context"
	"time"

	fs "github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
)

// failsafe-go: the policy and the executor are built once and shared. A call with its own context
// copies the executor with WithContext, as the documentation shows. The jitter is a factor of the
// delay: 0.5 is the closest to the standard policy that is not clamped.
var failsafe = Library{
	ID: "failsafe", Name: "failsafe-go", Path: "github.com/failsafe-go/failsafe-go", Clock: "once, time.Now",

	Do: func(fn Fn) Op {
		executor := failsafeStandard[any]()
		call := func() error { return fn(background) }
		return func(context.Context) error { return executor.Run(call) }
	},
	DoContext: func(fn Fn) Op {
		executor := failsafeStandard[any]()
		return func(ctx context.Context) error {
			return executor.WithContext(ctx).Run(func() error { return fn(ctx) })
		}
	},
	Int: func(fn Fn) Op {
		executor := failsafeStandard[int]()
		call := func() (int, error) { return 42, fn(background) }
		return func(context.Context) error {
			v, err := executor.Get(call)
			return checkInt(v, err)
		}
	},
	Struct: func(fn Fn) Op {
		executor := failsafeStandard[Words]()
		call := func() (Words, error) { return Words{D: 42}, fn(background) }
		return func(context.Context) error {
			v, err := executor.Get(call)
			return checkWords(v, err)
		}
	},
	Literal: func(fn Fn) Op {
		executor := failsafeStandard[any]()
		return func(ctx context.Context) error {
			made := 0
			err := executor.Run(func() error {
				made++
				return fn(ctx)
			})
			return checkMade(made, err)
		}
	},
	Options: func(fn Fn) Op {
		call := func() error { return fn(background) }
		return func(context.Context) error { return failsafeStandard[any]().Run(call) }
	},
	Wait: func(fn Fn, d time.Duration) Op {
		executor := failsafeWait(d)
		call := func() error { return fn(background) }
		return func(context.Context) error { return executor.Run(call) }
	},
	WaitContext: func(fn Fn, d time.Duration) Op {
		executor := failsafeWait(d)
		return func(ctx context.Context) error {
			return executor.WithContext(ctx).Run(func() error { return fn(ctx) })
		}
	},
	Permanent: func(fn Fn) Op {
		executor := fs.With[any](retrypolicy.NewBuilder[any]().WithMaxAttempts(attempts).AbortOnErrors(ErrFailed).Build())
		call := func() error { return fn(background) }
		return func(context.Context) error { return executor.Run(call) }
	},
	Twice: func() Op {
		executor := failsafeWait(0)
		return func(context.Context) error {
			made := 0
			return executor.Run(func() error {
				if made++; made <= 2 {
					return ErrFailed
				}
				return nil
			})
		}
	},
}

func failsafeStandard[R any]() fs.Executor[R] {
	return fs.With[R](retrypolicy.NewBuilder[R]().
		WithMaxAttempts(attempts).
		WithBackoff(initial, longest).
		WithJitterFactor(0.5).
		Build())
}

func failsafeWait(d time.Duration) fs.Executor[any] {
	return fs.With[any](retrypolicy.NewBuilder[any]().WithMaxAttempts(attempts).WithDelay(d).Build())
}
