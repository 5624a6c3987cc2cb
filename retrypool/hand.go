package retrypool

import (
	"context"
	"math"
	"runtime/debug"
	"time"

	"github.com/seed-205ff063/retry"
)

// hand is a goroutine that works on one item after the other: a worker, or who cancels
// items, which are settled as others are, by a step of their call under a context that ended.
type hand[In, Out any] struct {
	pool   *Pool[In, Out]
	number int             // of the worker, 0 for others
	ended  *watch[In, Out] // whose items it settles, if it is not a worker

	it      *item[In, Out] // that it works on; nil: the next one is to be taken
	retry   bool           // whether that is one of Pool.retries
	over    bool           // whether its submitting context has ended
	called  bool           // whether the function was called in this step
	broke   bool           // whether its call did not end as calls do
	doom    error          // with what its context must have been canceled before the next step; nil: it need not
	stage   stage          // what comes next
	said    error          // what the function returned last
	failure *retry.Error   // what its call ended with, nil if it succeeded
	err     error          // what its task is to return
	end     outcome        // how it ended
}

// stage is what comes next for an item. It tells where to go on when the goroutine is ended
// by runtime.Goexit in code of the user's.
type stage uint8

const (
	taken stage = iota // nothing has been done so far
	attempting
	deadLettering
	telling
	settling
)

// hire starts a worker, under the lock.
func (p *Pool[In, Out]) hire(number int) {
	h := &hand[In, Out]{pool: p, number: number}
	p.hands++
	p.running[h] = struct{}{}
	go h.work()
}

// work is what a hand does until there is nothing left for it.
func (h *hand[In, Out]) work() {
	defer h.rest()
	for h.it != nil || h.next() {
		h.step()
	}
}

// rest ends the hand; one whose goroutine ends in the middle of an item goes on in another.
func (h *hand[In, Out]) rest() {
	if h.it == nil {
		h.pool.mu.Lock()
		delete(h.pool.running, h)
		h.pool.mu.Unlock()
		h.pool.leave()
		return
	}
	gone := &PanicError{errGoexit, debug.Stack()}
	switch h.stage {
	case attempting:
		h.conclude(h.broken(gone))
	case deadLettering:
		h.undelivered(gone)
	case telling, settling:
		h.stage = settling
	case taken:
	}
	go h.work()
}

// leave ends a goroutine of the pool's. The last one tells Close.
func (p *Pool[In, Out]) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hands--; p.hands == 0 && p.closed && p.used == 0 {
		close(p.gone)
	}
}

// next takes an item to work on, which a worker waits for.
func (h *hand[In, Out]) next() bool {
	p := h.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if h.ended != nil {
		h.it = p.takeEnded(h.ended)
		h.over = h.it != nil
		return h.over
	}
	for h.number > 0 {
		if h.pick() {
			return true
		}
		if p.closed && p.used == 0 {
			break
		}
		p.idle++
		p.work.Wait()
		p.idle--
	}
	return false
}

// pick takes an item if there is one, under the lock. Only workers do.
func (h *hand[In, Out]) pick() bool {
	if h.number == 0 {
		return false
	}
	if h.it = h.pool.pickEnded(); h.it != nil {
		h.over = true
		return true
	}
	h.it, h.retry = h.pool.pick()
	if h.it != nil && h.pool.dropped {
		h.doom = ErrClosed
	}
	return h.it != nil
}

// step brings the item one stage on.
func (h *hand[In, Out]) step() {
	switch h.stage {
	case taken, attempting:
		h.stage = attempting
		h.attempt()
	case deadLettering:
		h.deliver()
	case telling:
		h.tell()
	case settling:
		h.settle()
	}
}

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

// conclude decides how the item ends, of whose call err is the result.
func (h *hand[In, Out]) conclude(err error) {
	h.err, h.stage = err, telling
	if err == nil {
		h.end = succeeded
		return
	}
	h.failure, _ = err.(*retry.Error) // nothing else: New has looked at the options
	ctx := h.it.ctx
	isCanceled := (h.failure.Reason == retry.ErrContext || h.broke) && ctx.Err() == context.Canceled
	switch {
	case h.pool.config.DeadLetter != nil && (!isCanceled || h.isGivenUp()):
		h.stage = deadLettering
	case isCanceled:
		h.end = canceled
	default:
		h.end = failed
	}
}

// isGivenUp reports whether it was Close that canceled the item: of this pool, and not of one whose
// function submitted it with its own context.
func (h *hand[In, Out]) isGivenUp() bool {
	return context.Cause(h.it.ctx) == ErrClosed && context.Cause(h.it.ctx.parent) != ErrClosed
}

// deliver gives the item to DeadLetter.
func (h *hand[In, Out]) deliver() {
	if err := h.deadLetter(); err != nil {
		h.undelivered(err)
		return
	}
	h.end, h.stage = deadLettered, telling
}

func (h *hand[In, Out]) deadLetter() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	return h.pool.config.DeadLetter(context.WithoutCancel(h.it.ctx), h.it.in, h.failure)
}

// undelivered ends an item that DeadLetter did not take.
func (h *hand[In, Out]) undelivered(why error) {
	h.err = notTaken(h.failure, why)
	h.end, h.stage = failed, telling
}

// tell tells the events how the item ended.
func (h *hand[In, Out]) tell() {
	if tell := h.pool.config.Events.of(h.end); tell != nil {
		e := h.event()
		e.Err = h.err
		if h.failure != nil {
			e.Attempt = h.failure.Attempts // the last step made none if the context had ended
		}
		tell(e)
	}
	h.stage = settling
}

func (h *hand[In, Out]) event() Event[In] {
	it := h.it
	e := Event[In]{
		Item: it.in, Context: it.ctx, Worker: h.number, Attempt: int(it.attempts),
		Elapsed: h.elapsed(), Queued: h.pool.Stats().Queued,
	}
	if e.Worker > h.pool.config.Workers {
		e.Worker = 0 // whom Close hired
	}
	return e
}

// elapsed is the time since the item was taken in. A clock that was set back has not gone on.
func (h *hand[In, Out]) elapsed() time.Duration { return max(h.pool.time.now()-h.it.start, 0) }

// settle ends the item and the work on it.
func (h *hand[In, Out]) settle() {
	p, it, end, err := h.pool, h.it, h.end, h.err
	ctx := it.ctx
	p.mu.Lock()
	h.let()
	stop := p.settle(it, end, err)
	h.pick()
	p.mu.Unlock()
	if stop != nil {
		stop()
	}
	ctx.release()
}

// let lets the item go, under the lock.
func (h *hand[In, Out]) let() {
	if h.retry {
		h.pool.retries--
	}
	*h = hand[In, Out]{pool: h.pool, number: h.number, ended: h.ended}
}
