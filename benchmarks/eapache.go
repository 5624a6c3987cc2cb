package benchmarks

import (
	"context"
	"time"

	"github.com/eapache/go-resiliency/retrier"
)

// eapache/go-resiliency: a Retrier is built once and shared. Its delays are a list. It has no form
// for functions that return a value, so they set a variable.
var eapache = Library{
	ID: "eapache", Name: "eapache/go-resiliency", Path: "github.com/eapache/go-resiliency", Clock: "no",

	Do:        eapacheDo,
	DoContext: eapacheDo,
	Int: func(fn Fn) Op {
		r := eapacheStandard()
		return func(ctx context.Context) error {
			var v int
			err := r.RunCtx(ctx, func(ctx context.Context) (err error) {
				v, err = 42, fn(ctx)
				return err
			})
			return checkInt(v, err)
		}
	},
	Struct: func(fn Fn) Op {
		r := eapacheStandard()
		return func(ctx context.Context) error {
			var v Words
			err := r.RunCtx(ctx, func(ctx context.Context) (err error) {
				v, err = Words{D: 42}, fn(ctx)
				return err
			})
			return checkWords(v, err)
		}
	},
	Literal: func(fn Fn) Op {
		r := eapacheStandard()
		return func(ctx context.Context) error {
			made := 0
			err := r.RunCtx(ctx, func(ctx context.Context) error {
				made++
				return fn(ctx)
			})
			return checkMade(made, err)
		}
	},
	Options: func(fn Fn) Op {
		call := func(ctx context.Context) error { return fn(ctx) }
		return func(ctx context.Context) error { return eapacheStandard().RunCtx(ctx, call) }
	},
	Wait:        eapacheWait,
	WaitContext: eapacheWait,
	Permanent: func(fn Fn) Op {
		r := retrier.New(retrier.ConstantBackoff(attempts-1, 1), retrier.BlacklistClassifier{ErrFailed})
		call := func(ctx context.Context) error { return fn(ctx) }
		return func(ctx context.Context) error { return r.RunCtx(ctx, call) }
	},
	Twice: func() Op {
		r := retrier.New(retrier.ConstantBackoff(attempts-1, 0), nil)
		return func(ctx context.Context) error {
			made := 0
			return r.RunCtx(ctx, func(context.Context) error {
				if made++; made <= 2 {
					return ErrFailed
				}
				return nil
			})
		}
	},
}

func eapacheDo(fn Fn) Op {
	r := eapacheStandard()
	call := func(ctx context.Context) error { return fn(ctx) }
	return func(ctx context.Context) error { return r.RunCtx(ctx, call) }
}

func eapacheWait(fn Fn, d time.Duration) Op {
	r := retrier.New(retrier.ConstantBackoff(attempts-1, d), nil)
	call := func(ctx context.Context) error { return fn(ctx) }
	return func(ctx context.Context) error { return r.RunCtx(ctx, call) }
}

func eapacheStandard() *retrier.Retrier {
	r := retrier.New(retrier.LimitedExponentialBackoff(attempts-1, initial, longest), nil)
	r.SetJitter(0.5)
	return r
}
