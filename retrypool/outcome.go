package retrypool

import (
	"context"

	"github.com/seed-205ff063/retry"
)

// outcome is how an item ended.
type outcome uint8

const (
	succeeded outcome = iota
	deadLettered
	failed
	canceled
)

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
