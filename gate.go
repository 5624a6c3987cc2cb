package retry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// Gate decides whether an attempt may start. Every attempt passes all gates, in the order given,
// before the function runs. It releases them in reverse right after the function: nothing is
// held during a wait. A two-step circuit breaker fits: release reports the outcome.
//
// A gate gets the caller's context and may block until it ends. Release may be nil. It runs
// exactly once, with the function's error, the error of a later gate, or some error if the
// function panics. A gate that returns an error refuses the attempt. Its error is classified
// like any other; to refuse for good, return a [Permanent] error.
type Gate func(ctx context.Context, a Attempt) (release func(err error), err error)

type gateOption list[Gate]

// WithGate makes every attempt pass the gates.
// The default is none.
func WithGate(gates ...Gate) Option { return gateOption(newList(gates)) }

func (o gateOption) apply(s *settings) {
	gates := list[Gate](o)
	for i := range gates.n {
		s.checkList("WithGate", gates.at(i) == nil, "nil Gate")
	}
	s.gates.add(&gates)
}

// RateLimit waits for l before every attempt, such as a *rate.Limiter of golang.org/x/time. If l
// refuses before the context's deadline, there is no attempt and the call gives up with
// [ErrContext]. Without a deadline a refusal is the attempt's error.
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

// Bulkhead holds n of s during every attempt, such as a *semaphore.Weighted of
// golang.org/x/sync. With a negative n every attempt fails and is not retried.
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

// OnlyFirst takes only first attempts through g, so that retries do not count against a limit on
// calls.
func OnlyFirst(g Gate) Gate { return onlyIf(g, func(a Attempt) bool { return a.Number == 1 }) }

// OnlyRetries takes only retries through g: OnlyRetries(Bulkhead(semaphore.NewWeighted(10), 1))
// allows ten retries at once.
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

// errAbandoned is what a release gets for an attempt that panicked or called Goexit.
var errAbandoned = errors.New("retry: the attempt panicked or ended its goroutine")

// permits are the release functions of the gates that an attempt has passed.
type permits []func(error)

// release calls them in reverse order; after one that panics the others still run.
func (p permits) release(err error) {
	if len(p) == 0 {
		return
	}
	last := len(p) - 1
	defer p[:last].release(err)
	p[last](err)
}

// passGates takes the attempt a through every gate and appends the permits to held. If a gate
// refuses, the permits of those before it are released.
func (s *settings) passGates(ctx context.Context, a *Attempt, held permits) (permits, error) {
	outcome := errAbandoned
	defer func() { held.release(outcome) }() // also when a gate panics or calls Goexit
	for i := range s.gates.n {
		release, err := s.gates.at(i)(ctx, *a)
		if err != nil {
			outcome = err
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
