package retrypool

import (
	"runtime/debug"
	"time"

	"github.com/seed-205ff063/retry"
)

// worker works on one item after the other, in a goroutine.
//
// Besides the pool's numbered workers there are those that settle canceled items: for
// Task.Cancel, and for a contextWatch whose context has ended. They settle an item like the
// others, by a step of its call under a context that has ended.
type worker[In, Out any] struct {
	pool   *Pool[In, Out]
	number int                    // from 1; 0 for a worker that settles canceled items
	watch  *contextWatch[In, Out] // the items that it settles, if number is 0; nil for one item

	item        *item[In, Out] // the current item; nil: take the next one
	isRetry     bool           // the item counts in Pool.runningRetries
	parentEnded bool           // the item's parent context has ended
	fnCalled    bool           // this step called the function
	panicked    bool           // the call ended by a panic or Goexit outside the function
	cancelCause error          // cancel the item's context with it before the next step; nil: do not
	stage       stage          // what is next
	lastErr     error          // the error that the function returned last
	failure     *retry.Error   // the error of the call, nil if it succeeded
	taskErr     error          // the error that the task returns
	outcome     outcome
}

// stage is the next thing to do for an item. If user code ends the goroutine by
// runtime.Goexit, another goroutine continues from the stage.
type stage uint8

const (
	stageNew stage = iota // nothing has been done so far
	stageAttempt
	stageDeadLetter
	stageReport
	stageSettle
)

// startWorker starts a worker, under the lock.
func (p *Pool[In, Out]) startWorker(number int) {
	w := &worker[In, Out]{pool: p, number: number}
	p.goroutines++
	p.workers[w] = struct{}{}
	go w.run()
}

// run works until there is nothing left to do.
func (w *worker[In, Out]) run() {
	defer w.exit()
	for w.item != nil || w.nextItem() {
		w.runStage()
	}
}

// exit ends the worker. If its goroutine ended in the middle of an item, by runtime.Goexit, the
// worker continues in a new goroutine.
func (w *worker[In, Out]) exit() {
	if w.item == nil {
		w.pool.mu.Lock()
		delete(w.pool.workers, w)
		w.pool.mu.Unlock()
		w.pool.goroutineDone()
		return
	}
	goexit := &PanicError{errGoexit, debug.Stack()}
	switch w.stage {
	case stageAttempt:
		w.decideOutcome(w.panicFailure(goexit))
	case stageDeadLetter:
		w.deadLetterFailed(goexit)
	case stageReport, stageSettle:
		w.stage = stageSettle
	case stageNew:
	}
	go w.run()
}

// goroutineDone counts a goroutine of the pool that ends. The last one lets Close return.
func (p *Pool[In, Out]) goroutineDone() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.goroutines--; p.goroutines == 0 && p.closed && p.used == 0 {
		close(p.stopped)
	}
}

// nextItem takes an item to work on. A numbered worker waits for one until the pool is done.
func (w *worker[In, Out]) nextItem() bool {
	p := w.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.watch != nil {
		w.item = p.takeEnded(w.watch)
		w.parentEnded = w.item != nil
		return w.parentEnded
	}
	for w.number > 0 {
		if w.takeItem() {
			return true
		}
		if p.closed && p.used == 0 {
			break
		}
		p.idle++
		p.workReady.Wait()
		p.idle--
	}
	return false
}

// takeItem takes an item if there is one, under the lock. Only numbered workers do.
func (w *worker[In, Out]) takeItem() bool {
	if w.number == 0 {
		return false
	}
	if w.item = w.pool.takeAnyEnded(); w.item != nil {
		w.parentEnded = true
		return true
	}
	w.item, w.isRetry = w.pool.takeNext()
	if w.item != nil && w.pool.aborted {
		w.cancelCause = ErrClosed
	}
	return w.item != nil
}

// runStage runs the item's next stage.
func (w *worker[In, Out]) runStage() {
	switch w.stage {
	case stageNew, stageAttempt:
		w.stage = stageAttempt
		w.attempt()
	case stageDeadLetter:
		w.sendDeadLetter()
	case stageReport:
		w.report()
	case stageSettle:
		w.settle()
	}
}

// releaseItem lets go of the item and resets the worker, under the lock.
func (w *worker[In, Out]) releaseItem() {
	if w.isRetry {
		w.pool.runningRetries--
	}
	*w = worker[In, Out]{pool: w.pool, number: w.number, watch: w.watch}
}

// event returns an event of the item.
func (w *worker[In, Out]) event() Event[In] {
	it := w.item
	e := Event[In]{
		Item: it.in, Context: it.ctx, Worker: w.number, Attempt: int(it.attempts),
		Elapsed: w.elapsed(), Queued: w.pool.Stats().Queued,
	}
	if e.Worker > w.pool.config.Workers {
		e.Worker = 0 // the worker that abort started
	}
	return e
}

// elapsed returns the time since the item was taken in. It is not negative if the clock was set
// back.
func (w *worker[In, Out]) elapsed() time.Duration { return max(w.pool.timer.now()-w.item.start, 0) }
