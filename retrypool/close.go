package retrypool

import (
	"context"
	"fmt"
	"math"
)

// Close stops the intake and waits until the pool is done. It returns nil once every item is
// settled and the pool's goroutines have ended. Submitters that wait for room get [ErrClosed].
// Parked items are still retried.
//
// When ctx ends first, the pool makes no more attempts:
//   - The contexts of running items are canceled with [ErrClosed] as the cause.
//   - Items that do not succeed go to DeadLetter, or count as canceled if there is none.
//   - Close waits for the functions and for DeadLetter, so that the end of the program does not
//     cut them off. A function that ignores its context delays Close.
//   - Close returns an error that says how many items were left when ctx ended, and that
//     matches ctx's error.
//
// Close may be called more than once, and each call waits. The first ctx to end has its effect
// for all calls.
//
// The pool's own function and callbacks must not call Close or [Pool.Join]. They would wait for
// their caller; Close would do so even after ctx has ended.
func (p *Pool[In, Out]) Close(ctx context.Context) error {
	p.mustBeMade()
	p.closeIntake()
	select {
	case <-p.stopped:
		return nil
	default:
	}
	select {
	case <-p.stopped:
		return nil
	case <-ctx.Done():
	}
	left := p.abort()
	<-p.stopped
	return closeError(ctx, left)
}

// closeIntake closes the intake at the first call.
func (p *Pool[In, Out]) closeIntake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	p.rejectWaiters()
	if p.used == 0 {
		p.stopWorkers()
	}
}

// closeError says how many items were left when ctx ended, nil if none was.
func closeError(ctx context.Context, left int) error {
	switch left {
	case 0:
		return nil
	case 1:
		return contextError(ctx, "Close: 1 item was left")
	}
	return contextError(ctx, fmt.Sprintf("Close: %d items were left", left))
}

// stopWorkers ends the goroutines of a closed and empty pool, under the lock.
func (p *Pool[In, Out]) stopWorkers() {
	p.timer.stop()
	p.workReady.Broadcast()
}

// abort cancels every unsettled item and returns how many there are.
func (p *Pool[In, Out]) abort() (left int) {
	p.mu.Lock()
	left = p.used
	var running []*itemContext
	if left > 0 && !p.aborted {
		p.aborted = true
		p.moveDueItems(math.MaxInt64, math.MaxInt)
		for w := range p.workers {
			if w.item != nil {
				w.item.ending = true
				running = append(running, w.item.ctx)
			}
		}
		// One more worker: functions that ignore their context must not keep the other items
		// from DeadLetter. Only later items of their own keys still wait.
		p.startWorker(p.config.Workers + 1)
		p.workReady.Broadcast()
	}
	p.mu.Unlock()
	for _, ctx := range running {
		ctx.cancel(ErrClosed)
	}
	return left
}
