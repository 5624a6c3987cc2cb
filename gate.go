package retry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// Gate decides whether an attempt may start. Every attempt passes all gates in the order
// given before the function runs, and releases them in reverse right after it, before the
// wait: nothing is held while waiting.
//
// A gate gets the caller's context and may block until it ends. The release function, which
// may be nil, runs exactly once when the gate let the attempt in: it hears the function's
// error, a later gate's if that one refused, and some error when the function panics. A
// gate's own error counts as the attempt's error and is classified as any other; a gate that
// refuses for good returns [Permanent]. The shape fits a rate limiter (no release), a
// semaphore, and a two-step circuit breaker (release reports the outcome).
type Gate func(ctx context.Context, a Attempt) (release func(err error), err error)

// RateLimit returns a gate that waits for l before every attempt. *rate.Limiter of
// golang.org/x/time fits.
//
// If l refuses to wait while the context lives and has a deadline, there is no attempt and the
// call gives up with [ErrContext]. Without a deadline a refusal is the attempt's error.
func RateLimit(l interface{ Wait(context.Context) error }) Gate {
	if errtree.IsNil(l) {
		return nil // reported by the call
	}
	return func(ctx context.Context, _ Attempt) (func(error), error) {
		err := l.Wait(ctx)
		if _, bounded := ctx.Deadline(); err != nil && bounded {
			err = &noTimeError{refusal: err}
		}
		return nil, err
	}
}

// noTimeError is a limiter's refusal under a deadline: its wait would not have ended in time.
type noTimeError struct {
	refusal error
	hint    time.Duration // the rest of a server's hint, 0 if it was none
}

func (e *noTimeError) Error() string { return e.refusal.Error() }
func (e *noTimeError) Unwrap() error { return e.refusal }

// Bulkhead returns a gate that holds n of s during every attempt. *semaphore.Weighted of
// golang.org/x/sync fits. With a negative n every attempt fails for good.
func Bulkhead(s interface {
	Acquire(context.Context, int64) error
	Release(int64)
}, n int64,
) Gate {
	if errtree.IsNil(s) {
		return nil // reported by the call
	}
	return func(ctx context.Context, _ Attempt) (func(error), error) {
		if n < 0 {
			return nil, Permanent(fault{"Bulkhead", fmt.Sprintf("weight %d is negative", n)})
		}
		if err := s.Acquire(ctx, n); err != nil {
			return nil, err
		}
		return func(error) { s.Release(n) }, nil
	}
}

// OnlyFirst returns a gate that takes first attempts through g and lets retries pass, so that
// retries do not count against a limit on calls.
func OnlyFirst(g Gate) Gate { return onlyIf(g, func(a Attempt) bool { return a.Number == 1 }) }

// OnlyRetries returns a gate that takes retries through g and lets first attempts pass:
// OnlyRetries(Bulkhead(semaphore.NewWeighted(10), 1)) allows ten retries at once.
func OnlyRetries(g Gate) Gate { return onlyIf(g, func(a Attempt) bool { return a.Number > 1 }) }

func onlyIf(g Gate, applies func(Attempt) bool) Gate {
	if g == nil {
		return nil // reported by the call
	}
	return func(ctx context.Context, a Attempt) (func(error), error) {
		if !applies(a) {
			return nil, nil
		}
		return g(ctx, a)
	}
}

// errAbandoned is what a release hears of an attempt that panicked or called Goexit.
var errAbandoned = errors.New("retry: the attempt panicked or ended its goroutine")

// permits are the releases of the gates that an attempt has passed.
type permits []func(error)

// release gives the permits back in reverse order; one that panics does not keep the others.
func (p permits) release(err error) {
	if len(p) == 0 {
		return
	}
	last := len(p) - 1
	defer p[:last].release(err)
	p[last](err)
}

// pass takes the attempt a through every gate. Where one refuses, those before it have
// been released. The permits are appended to held.
func pass(ctx context.Context, options []Option, a *Attempt, held permits) (permits, error) {
	heard := errAbandoned
	defer func() { held.release(heard) }() // also when a gate panics or calls Goexit
	gates := list[gateOption, Gate]{options: options}
	for gate, ok := gates.next(); ok; gate, ok = gates.next() {
		release, err := gate(ctx, *a)
		if err != nil {
			heard = err
			return nil, err
		}
		if release != nil {
			held = append(held, release)
		}
	}
	passed := held
	held = nil
	return passed, nil
}
