package retrypool

import (
	"runtime/debug"
	"time"

	"github.com/seed-205ff063/retry"
)

// hand is a goroutine that works on one item after the other: a worker, or who cancels
// items, which are settled as others are, by a step of their call under a context that ended.
type worker[In, Out any] struct {
	pool   *Pool[In, Out]
	number int                    // of the worker, 0 for others
	watch  *contextWatch[In, Out] // whose items it settles, if it is not a worker

	item        *item[In, Out] // that it works on; nil: the next one is to be taken
	isRetry     bool           // whether that is one of Pool.retries
	parentEnded bool           // whether its submitting context has ended
	fnCalled    bool           // whether the function was called in this step
	panicked    bool           // whether its call did not end as calls do
	cancelCause error          // with what its context must have been canceled before the next step; nil: it need not
	stage       stage          // what comes next
	lastErr     error          // what the function returned last
	failure     *retry.Error   // what its call ended with, nil if it succeeded
	taskErr     error          // what its task is to return
	outcome     outcome        // how it ended
}

// stage is what comes next for an item. It tells where to go on when the goroutine is ended
// by runtime.Goexit in code of the user's.
type stage uint8

const (
	stageNew stage = iota // nothing has been done so far
	stageAttempt
	stageDeadLetter
	stageReport
	stageSettle
)

// hire starts a worker, under the lock.
func (p *Pool[In, Out]) startWorker(number int) {
	w := &worker[In, Out]{pool: p, number: number}
	p.goroutines++
	p.workers[w] = struct{}{}
	go w.run()
}

// work is what a hand does until there is nothing left for it.
func (w *worker[In, Out]) run() {
	defer w.exit()
	for w.item != nil || w.nextItem() {
		w.runStage()
	}
}

// rest ends the hand; one whose goroutine ends in the middle of an item goes on in another.
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

// leave ends a goroutine of the pool's. The last one tells Close.
func (p *Pool[In, Out]) goroutineDone() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.goroutines--; p.goroutines == 0 && p.closed && p.used == 0 {
		close(p.stopped)
	}
}

// next takes an item to work on, which a worker waits for.
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

// pick takes an item if there is one, under the lock. Only workers do.
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

// step brings the item one stage on.
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

// let lets the item go, under the lock.
func (w *worker[In, Out]) releaseItem() {
	if w.isRetry {
		w.pool.runningRetries--
	}
	*w = worker[In, Out]{pool: w.pool, number: w.number, watch: w.watch}
}

func (w *worker[In, Out]) event() Event[In] {
	it := w.item
	e := Event[In]{
		Item: it.in, Context: it.ctx, Worker: w.number, Attempt: int(it.attempts),
		Elapsed: w.elapsed(), Queued: w.pool.Stats().Queued,
	}
	if e.Worker > w.pool.config.Workers {
		e.Worker = 0 // whom Close hired
	}
	return e
}

// elapsed is the time since the item was taken in. A clock that was set back has not gone on.
func (w *worker[In, Out]) elapsed() time.Duration { return max(w.pool.timer.now()-w.item.start, 0) }
