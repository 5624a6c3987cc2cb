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
func (w *worker[In, Out]) decideOutcome(err error) {
	w.taskErr, w.stage = err, stageReport
	if err == nil {
		w.outcome = succeeded
		return
	}
	w.failure, _ = err.(*retry.Error) // nothing else: New has looked at the options
	ctx := w.item.ctx
	isCanceled := (w.failure.Reason == retry.ErrContext || w.panicked) && ctx.Err() == context.Canceled
	switch {
	case w.pool.config.DeadLetter != nil && (!isCanceled || w.canceledByClose()):
		w.stage = stageDeadLetter
	case isCanceled:
		w.outcome = canceled
	default:
		w.outcome = failed
	}
}

// isGivenUp reports whether it was Close that canceled the item: of this pool, and not of one whose
// function submitted it with its own context.
func (w *worker[In, Out]) canceledByClose() bool {
	return context.Cause(w.item.ctx) == ErrClosed && context.Cause(w.item.ctx.parent) != ErrClosed
}

// deliver gives the item to DeadLetter.
func (w *worker[In, Out]) sendDeadLetter() {
	if err := w.callDeadLetter(); err != nil {
		w.deadLetterFailed(err)
		return
	}
	w.outcome, w.stage = deadLettered, stageReport
}

func (w *worker[In, Out]) callDeadLetter() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	return w.pool.config.DeadLetter(context.WithoutCancel(w.item.ctx), w.item.in, w.failure)
}

// undelivered ends an item that DeadLetter did not take.
func (w *worker[In, Out]) deadLetterFailed(err error) {
	w.taskErr = deadLetterError(w.failure, err)
	w.outcome, w.stage = failed, stageReport
}

// tell tells the events how the item ended.
func (w *worker[In, Out]) report() {
	if callback := w.pool.config.Events.forOutcome(w.outcome); callback != nil {
		e := w.event()
		e.Err = w.taskErr
		if w.failure != nil {
			e.Attempt = w.failure.Attempts // the last step made none if the context had ended
		}
		callback(e)
	}
	w.stage = stageSettle
}

// settle ends the item and the work on it.
func (w *worker[In, Out]) settle() {
	p, it, end, err := w.pool, w.item, w.outcome, w.taskErr
	ctx := it.ctx
	p.mu.Lock()
	w.releaseItem()
	stop := p.settle(it, end, err)
	w.takeItem()
	p.mu.Unlock()
	if stop != nil {
		stop()
	}
	ctx.settle()
}
