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

// decideOutcome decides how the item ends. err is the result of its call.
func (w *worker[In, Out]) decideOutcome(err error) {
	w.taskErr, w.stage = err, stageReport
	if err == nil {
		w.outcome = succeeded
		return
	}
	w.failure, _ = err.(*retry.Error) // always one, since New has checked the options
	isCanceled := w.isCanceled()
	switch {
	case w.pool.config.DeadLetter != nil && (!isCanceled || w.canceledByClose()):
		w.stage = stageDeadLetter
	case isCanceled:
		w.outcome = canceled
	default:
		w.outcome = failed
	}
}

// isCanceled reports whether the call failed because the item's context was canceled.
func (w *worker[In, Out]) isCanceled() bool {
	return (w.failure.Reason == retry.ErrContext || w.panicked) && w.item.ctx.Err() == context.Canceled
}

// canceledByClose reports whether Close canceled the item. A Close of another pool does not
// count, if that pool's function submitted the item.
func (w *worker[In, Out]) canceledByClose() bool {
	return context.Cause(w.item.ctx) == ErrClosed && context.Cause(w.item.ctx.parent) != ErrClosed
}

// sendDeadLetter passes the item to DeadLetter.
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

// deadLetterFailed decides the outcome of an item that DeadLetter did not accept.
func (w *worker[In, Out]) deadLetterFailed(err error) {
	w.taskErr = deadLetterError(w.failure, err)
	w.outcome, w.stage = failed, stageReport
}

// report calls the event for the item's outcome.
func (w *worker[In, Out]) report() {
	if callback := w.pool.config.Events.forOutcome(w.outcome); callback != nil {
		e := w.event()
		e.Err = w.taskErr
		if w.failure != nil {
			e.Attempt = w.failure.Attempts // if the context had ended, the last step made no attempt
		}
		callback(e)
	}
	w.stage = stageSettle
}

// settle settles the item and takes the next one.
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
