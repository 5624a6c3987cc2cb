package retrypool

import (
	"context"
	"fmt"
	"math"
)

// Close ends the pool: it takes no more items, also from those who wait for room, and returns
// nil once all it has are settled and its goroutines are gone; parked items are waited for and
// retried as ever.
//
// When ctx ends first, nothing is attempted any more: the contexts of the items that run are
// canceled, with [ErrClosed] as the cause, and all that do not succeed go to DeadLetter, or
// count as canceled if there is none. Close waits for that, since the functions and DeadLetter
// should not be cut off by the end of the program: one that ignores its context holds Close up.
// The error then says how many items were left when ctx ended, and matches ctx's.
//
// Every Close waits likewise, the second one too, and the first whose ctx ends has that effect
// for all. The pool's own function and callbacks must not call it, nor Join: it would wait for
// its caller, past the end of ctx too.
func (p *Pool[In, Out]) Close(ctx context.Context) error {
	p.mustBeMade()
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		p.rejectWaiters()
		if p.used == 0 {
			p.stopWorkers()
		}
	}
	p.mu.Unlock()
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
	if left == 0 {
		return nil
	}
	items := "items were"
	if left == 1 {
		items = "item was"
	}
	return contextError(ctx, fmt.Sprintf("Close: %d %s left", left, items))
}

// dismiss lets the goroutines of a pool go that is closed and empty, under the lock.
func (p *Pool[In, Out]) stopWorkers() {
	p.timer.stop()
	p.workReady.Broadcast()
}

// drop gives up what is not settled, and returns how many items that are.
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
		// A function that ignores its context does not keep the others from DeadLetter, but for
		// those behind it in its lane.
		p.startWorker(p.config.Workers + 1)
		p.workReady.Broadcast()
	}
	p.mu.Unlock()
	for _, ctx := range running {
		ctx.cancel(ErrClosed)
	}
	return left
}
