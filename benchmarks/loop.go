package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// bare calls the function without retries: the cost that no library can avoid.
var bare = Library{
	ID: "bare", Name: "bare call", Clock: "no",

	Do:        bareDo,
	DoContext: bareDo,
	Int: func(fn Fn) Op {
		call := func(ctx context.Context) (int, error) { return 42, fn(ctx) }
		return func(ctx context.Context) error {
			v, err := call(ctx)
			return checkInt(v, err)
		}
	},
	Struct: func(fn Fn) Op {
		call := func(ctx context.Context) (Words, error) { return Words{D: 42}, fn(ctx) }
		return func(ctx context.Context) error {
			v, err := call(ctx)
			return checkWords(v, err)
		}
	},
	Literal: func(fn Fn) Op {
		return func(ctx context.Context) error {
			made := 0
			call := func(ctx context.Context) error {
				made++
				return fn(ctx)
			}
			err := call(ctx)
			return checkMade(made, err)
		}
	},
}

func bareDo(fn Fn) Op {
	call := func(ctx context.Context) error { return fn(ctx) }
	return func(ctx context.Context) error { return call(ctx) }
}

var errPermanent = errors.New("permanent")

// repeat is the loop that a careful engineer writes by hand. It checks the context before each
// attempt, draws and caps the wait, and waits with one timer that the context cuts short. It stops
// at a permanent error and wraps the last error. It keeps no history, does not measure how long it
// took, and starts a wait even if the deadline comes first.
func repeat(ctx context.Context, limit int, delay, cap time.Duration, fn func(context.Context) error) error {
	var timer *time.Timer
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := fn(ctx)
		if err == nil {
			return nil
		}
		if n == limit || errors.Is(err, errPermanent) {
			return fmt.Errorf("gave up after %d attempts: %w", n, err)
		}
		var wait time.Duration
		if delay > 0 {
			wait = delay/2 + 1 + rand.N(delay-delay/2)
		}
		if timer == nil {
			timer = time.NewTimer(wait)
			defer timer.Stop()
		} else {
			timer.Reset(wait)
		}
		select {
		case <-timer.C:
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
		delay = min(2*delay, cap)
	}
}

// loop calls repeat. It has no policy to build: its settings are arguments.
var loop = Library{
	ID: "loop", Name: "hand-written loop", Clock: "no",

	Do:        loopDo,
	DoContext: loopDo,
	Options:   loopDo,
	Int: func(fn Fn) Op {
		return func(ctx context.Context) error {
			var v int
			err := repeat(ctx, attempts, initial, longest, func(ctx context.Context) (err error) {
				v, err = 42, fn(ctx)
				return err
			})
			return checkInt(v, err)
		}
	},
	Struct: func(fn Fn) Op {
		return func(ctx context.Context) error {
			var v Words
			err := repeat(ctx, attempts, initial, longest, func(ctx context.Context) (err error) {
				v, err = Words{D: 42}, fn(ctx)
				return err
			})
			return checkWords(v, err)
		}
	},
	Literal: func(fn Fn) Op {
		return func(ctx context.Context) error {
			made := 0
			err := repeat(ctx, attempts, initial, longest, func(ctx context.Context) error {
				made++
				return fn(ctx)
			})
			return checkMade(made, err)
		}
	},
	Wait:        loopWait,
	WaitContext: loopWait,
	Permanent: func(fn Fn) Op {
		call := func(ctx context.Context) error {
			if err := fn(ctx); err != nil {
				return fmt.Errorf("%w: %w", errPermanent, err)
			}
			return nil
		}
		return func(ctx context.Context) error { return repeat(ctx, attempts, initial, longest, call) }
	},
	Twice: func() Op {
		return func(ctx context.Context) error {
			made := 0
			return repeat(ctx, attempts, 0, 0, func(context.Context) error {
				if made++; made <= 2 {
					return ErrFailed
				}
				return nil
			})
		}
	},
}

func loopDo(fn Fn) Op {
	call := func(ctx context.Context) error { return fn(ctx) }
	return func(ctx context.Context) error { return repeat(ctx, attempts, initial, longest, call) }
}

// loopWait caps the wait at its first value, so that the wait does not grow.
func loopWait(fn Fn, d time.Duration) Op {
	call := func(ctx context.Context) error { return fn(ctx) }
	return func(ctx context.Context) error { return repeat(ctx, attempts, d, d, call) }
}
