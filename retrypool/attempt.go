package retrypool

import (
	"context"
	"math"
	"time"

	"github.com/seed-205ff063/retry"
)

// attempt makes the next attempt of the item's call. It parks the item if another attempt
// follows, else it decides the outcome.
func (w *worker[In, Out]) attempt() {
	it := w.item
	switch {
	case w.parentEnded, w.cancelCause == errCanceled && it.ctx.parent.Err() != nil:
		it.ctx.waitParentEnd()
	case w.cancelCause != nil:
		it.ctx.cancel(w.cancelCause)
	}
	it.attempts++
	w.fnCalled = false
	wait, again, failure := w.try()
	switch {
	case failure != nil:
		w.decideOutcome(failure)
	case again:
		w.park(wait)
	default:
		w.decideOutcome(it.run.Err())
	}
}

// try makes one step of the item's call. A panic of a hook, a gate or another part outside the
// function ends the call with a failure.
func (w *worker[In, Out]) try() (wait time.Duration, again bool, failure error) {
	defer func() {
		if v := recover(); v != nil {
			again, failure = false, w.panicFailure(newPanicError(v))
		}
	}()
	it := w.item
	if !it.started {
		it.started = true
		it.run = *w.pool.policy.Start(it.ctx)
	}
	_, wait, again = retry.TryValue(&it.run, w.callFunction)
	return wait, again, nil
}

// callFunction calls the function. It turns a panic into a permanent error.
func (w *worker[In, Out]) callFunction(ctx context.Context) (out Out, err error) {
	it := w.item
	w.fnCalled = true
	if it.attempts > 1 {
		w.pool.retryCount.Add(1)
	}
	if startedEvent := w.pool.config.Events.Started; startedEvent != nil {
		startedEvent(w.event())
	}
	returned := false
	defer func() {
		if !returned {
			if v := recover(); v != nil {
				err = retry.Permanent(newPanicError(v))
			}
		}
		it.out, w.lastErr = out, err
	}()
	out, err = w.pool.fn(it.ctx.forFunction(ctx), it.in)
	returned = true
	return out, err
}

// panicFailure returns the error of a call that ended by a panic or Goexit.
func (w *worker[In, Out]) panicFailure(err *PanicError) error {
	w.panicked = true
	e := &retry.Error{Attempts: int(w.item.attempts), Elapsed: w.elapsed(), Reason: retry.ErrPermanent, Err: err}
	if !w.fnCalled {
		e.Attempts--
	}
	return e
}

// park parks the item for the wait and takes the next one. If the item's context has ended
// meanwhile, the worker keeps the item, and the next step ends it.
func (w *worker[In, Out]) park(wait time.Duration) {
	p, it := w.pool, w.item
	now := p.timer.now()
	if parkedEvent := p.config.Events.Parked; parkedEvent != nil {
		e := w.event()
		e.Wait, e.Err = wait, w.lastErr
		parkedEvent(e)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if it.ending {
		w.cancelCause = p.cancelCause()
		return
	}
	w.releaseItem()
	p.park(it, now+min(wait, math.MaxInt64-max(now, 0)), now)
	w.takeItem()
}

// cancelCause returns the cause with which to cancel an item whose context ends, under the lock.
func (p *Pool[In, Out]) cancelCause() error {
	if p.aborted {
		return ErrClosed
	}
	return errCanceled
}
