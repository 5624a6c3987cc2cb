package benchmarks

import (
	"context"
	"time"

	avastretry "github.com/avast/retry-go/v5"
)

// avast/retry-go: a Retrier is built once and used many times, as its documentation advises for
// frequent calls. The context is an option of the Retrier, so a call with its own context builds
// its own Retrier.
var avast = Library{
	ID: "avast", Name: "avast/retry-go", Path: "github.com/avast/retry-go/v5", Clock: "no",

	Do: func(fn Fn) Op {
		retrier := avastretry.New(avastStandard()...)
		call := func() error { return fn(background) }
		return func(context.Context) error { return retrier.Do(call) }
	},
	DoContext: func(fn Fn) Op {
		return func(ctx context.Context) error {
			return avastretry.New(append(avastStandard(), avastretry.Context(ctx))...).
				Do(func() error { return fn(ctx) })
		}
	},
	Int: func(fn Fn) Op {
		retrier := avastretry.NewWithData[int](avastStandard()...)
		call := func() (int, error) { return 42, fn(background) }
		return func(context.Context) error {
			v, err := retrier.Do(call)
			return checkInt(v, err)
		}
	},
	Struct: func(fn Fn) Op {
		retrier := avastretry.NewWithData[Words](avastStandard()...)
		call := func() (Words, error) { return Words{D: 42}, fn(background) }
		return func(context.Context) error {
			v, err := retrier.Do(call)
			return checkWords(v, err)
		}
	},
	Literal: func(fn Fn) Op {
		retrier := avastretry.New(avastStandard()...)
		return func(ctx context.Context) error {
			made := 0
			err := retrier.Do(func() error {
				made++
				return fn(ctx)
			})
			return checkMade(made, err)
		}
	},
	Options: func(fn Fn) Op {
		call := func() error { return fn(background) }
		return func(context.Context) error {
			return avastretry.New(
				avastretry.Attempts(attempts),
				avastretry.Delay(initial),
				avastretry.MaxDelay(longest),
				avastretry.DelayType(avastretry.FullJitterBackoffDelay),
			).Do(call)
		}
	},
	Wait: func(fn Fn, d time.Duration) Op {
		retrier := avastretry.New(avastWait(d)...)
		call := func() error { return fn(background) }
		return func(context.Context) error { return retrier.Do(call) }
	},
	WaitContext: func(fn Fn, d time.Duration) Op {
		return func(ctx context.Context) error {
			return avastretry.New(append(avastWait(d), avastretry.Context(ctx))...).
				Do(func() error { return fn(ctx) })
		}
	},
	Permanent: func(fn Fn) Op {
		retrier := avastretry.New(avastStandard()...)
		call := func() error { return avastretry.Unrecoverable(fn(background)) }
		return func(context.Context) error { return retrier.Do(call) }
	},
	Twice: func() Op {
		retrier := avastretry.New(avastWait(0)...)
		return func(context.Context) error {
			made := 0
			return retrier.Do(func() error {
				if made++; made <= 2 {
					return ErrFailed
				}
				return nil
			})
		}
	},
}

func avastStandard() []avastretry.Option {
	return []avastretry.Option{
		avastretry.Attempts(attempts),
		avastretry.Delay(initial),
		avastretry.MaxDelay(longest),
		avastretry.DelayType(avastretry.FullJitterBackoffDelay),
	}
}

func avastWait(d time.Duration) []avastretry.Option {
	return []avastretry.Option{
		avastretry.Attempts(attempts),
		avastretry.Delay(d),
		avastretry.DelayType(avastretry.FixedDelay),
	}
}
