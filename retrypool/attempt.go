package retrypool

import (
	"context"
	"math"
	"time"

	"github.com/seed-205ff063/retry"
)

// attempt makes the next attempt of the item's call and parks it, if another is to follow.
func (h *hand[In, Out]) attempt() {
	it := h.it
	switch {
	case h.over, h.doom == errCanceled && it.ctx.parent.Err() != nil:
		it.ctx.awaitEnd()
	case h.doom != nil:
		it.ctx.end(h.doom)
	}
	it.attempts++
	h.called = false
	wait, again, broken := h.try()
	switch {
	case broken != nil:
		h.conclude(broken)
	case again:
		h.park(wait)
	default:
		h.conclude(it.run.Err())
	}
}

// try is the step of the item's call. What panics outside the function, a hook or a gate,
// breaks the call off.
func (h *hand[In, Out]) try() (wait time.Duration, again bool, broken error) {
	defer func() {
		if v := recover(); v != nil {
			again, broken = false, h.broken(newPanicError(v))
		}
	}()
	it := h.it
	if !it.begun {
		it.begun = true
		it.run = *h.pool.policy.Start(it.ctx)
	}
	_, wait, again = retry.TryValue(&it.run, h.call)
	return wait, again, nil
}

// call calls the function, and makes its panic an error.
func (h *hand[In, Out]) call(ctx context.Context) (out Out, err error) {
	it := h.it
	h.called = true
	if it.attempts > 1 {
		h.pool.retried.Add(1)
	}
	if tell := h.pool.config.Events.Started; tell != nil {
		tell(h.event())
	}
	returned := false
	defer func() {
		if !returned {
			if v := recover(); v != nil {
				err = retry.Permanent(newPanicError(v))
			}
		}
		it.out, h.said = out, err
	}()
	out, err = h.pool.fn(it.ctx.forFunction(ctx), it.in)
	returned = true
	return out, err
}

// broken is the error of a call that did not end as calls do.
func (h *hand[In, Out]) broken(why *PanicError) error {
	h.broke = true
	e := &retry.Error{Attempts: int(h.it.attempts), Elapsed: h.elapsed(), Reason: retry.ErrPermanent, Err: why}
	if !h.called {
		e.Attempts--
	}
	return e
}

// park puts the item away for the wait, unless its context ended meanwhile.
func (h *hand[In, Out]) park(wait time.Duration) {
	p, it := h.pool, h.it
	now := p.time.now()
	if tell := p.config.Events.Parked; tell != nil {
		e := h.event()
		e.Wait, e.Err = wait, h.said
		tell(e)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if it.doomed {
		if h.doom = errCanceled; p.dropped {
			h.doom = ErrClosed
		}
		return // to the next step, which ends the item
	}
	h.let()
	p.park(it, now+min(wait, math.MaxInt64-max(now, 0)), now)
	h.pick()
}
