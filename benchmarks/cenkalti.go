package benchmarks

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v7"
)

// cenkalti/backoff: Retry takes options at every call. They are built before the call where that is
// possible: a ConstantBackOff has no state, but "each concurrent Retry call" needs its own
// ExponentialBackOff. The limit of 15 minutes is lifted, because the others have none. Retry reads
// the clock anyway.
var cenkalti = Library{
	ID: "cenkalti", Name: "cenkalti/backoff", Path: "github.com/cenkalti/backoff/v7", Clock: "once, time.Now",

	Do: func(fn Fn) Op {
		call := func() (struct{}, error) { return struct{}{}, fn(background) }
		tries, elapsed := backoff.WithMaxTries(attempts), backoff.WithMaxElapsedTime(0)
		return func(ctx context.Context) error {
			_, err := backoff.Retry(ctx, call, backoff.WithBackOff(cenkaltiBackOff()), tries, elapsed)
			return err
		}
	},
	DoContext: func(fn Fn) Op {
		tries, elapsed := backoff.WithMaxTries(attempts), backoff.WithMaxElapsedTime(0)
		return func(ctx context.Context) error {
			_, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, fn(ctx) },
				backoff.WithBackOff(cenkaltiBackOff()), tries, elapsed)
			return err
		}
	},
	Int: func(fn Fn) Op {
		call := func() (int, error) { return 42, fn(background) }
		tries, elapsed := backoff.WithMaxTries(attempts), backoff.WithMaxElapsedTime(0)
		return func(ctx context.Context) error {
			v, err := backoff.Retry(ctx, call, backoff.WithBackOff(cenkaltiBackOff()), tries, elapsed)
			return checkInt(v, err)
		}
	},
	Struct: func(fn Fn) Op {
		call := func() (Words, error) { return Words{D: 42}, fn(background) }
		tries, elapsed := backoff.WithMaxTries(attempts), backoff.WithMaxElapsedTime(0)
		return func(ctx context.Context) error {
			v, err := backoff.Retry(ctx, call, backoff.WithBackOff(cenkaltiBackOff()), tries, elapsed)
			return checkWords(v, err)
		}
	},
	Literal: func(fn Fn) Op {
		tries, elapsed := backoff.WithMaxTries(attempts), backoff.WithMaxElapsedTime(0)
		return func(ctx context.Context) error {
			made := 0
			_, err := backoff.Retry(ctx, func() (struct{}, error) {
				made++
				return struct{}{}, fn(ctx)
			}, backoff.WithBackOff(cenkaltiBackOff()), tries, elapsed)
			return checkMade(made, err)
		}
	},
	Options: func(fn Fn) Op {
		call := func() (struct{}, error) { return struct{}{}, fn(background) }
		return func(ctx context.Context) error {
			_, err := backoff.Retry(ctx, call, backoff.WithBackOff(cenkaltiBackOff()),
				backoff.WithMaxTries(attempts), backoff.WithMaxElapsedTime(0))
			return err
		}
	},
	Wait: func(fn Fn, d time.Duration) Op {
		call := func() (struct{}, error) { return struct{}{}, fn(background) }
		opts := cenkaltiWait(d)
		return func(ctx context.Context) error {
			_, err := backoff.Retry(ctx, call, opts...)
			return err
		}
	},
	WaitContext: func(fn Fn, d time.Duration) Op {
		opts := cenkaltiWait(d)
		return func(ctx context.Context) error {
			_, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, fn(ctx) }, opts...)
			return err
		}
	},
	Permanent: func(fn Fn) Op {
		call := func() (struct{}, error) { return struct{}{}, backoff.Permanent(fn(background)) }
		opts := cenkaltiWait(1)
		return func(ctx context.Context) error {
			_, err := backoff.Retry(ctx, call, opts...)
			return err
		}
	},
	Twice: func() Op {
		opts := cenkaltiWait(0)
		return func(ctx context.Context) error {
			made := 0
			_, err := backoff.Retry(ctx, func() (struct{}, error) {
				if made++; made <= 2 {
					return struct{}{}, ErrFailed
				}
				return struct{}{}, nil
			}, opts...)
			return err
		}
	},
}

func cenkaltiBackOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.Multiplier, b.MaxInterval = initial, factor, longest
	return b
}

func cenkaltiWait(d time.Duration) []backoff.RetryOption {
	return []backoff.RetryOption{
		backoff.WithBackOff(backoff.NewConstantBackOff(d)),
		backoff.WithMaxTries(attempts),
		backoff.WithMaxElapsedTime(0),
	}
}
