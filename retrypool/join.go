package retrypool

import (
	"context"
	"slices"
)

// joinCall is a Join that waits.
type joinCall struct {
	epoch     uint32 // it waits for the items of this epoch and of earlier ones
	remaining int
	done      chan struct{}
}

// Join waits until every item that was submitted before the call is settled. Items submitted
// later do not delay it. To wait for items that submit other items, see the example "crawler"
// of [Pool.Submit].
//
// When ctx ends first, Join returns an error that matches ctx's error. Items that were submitted
// with the same ctx are canceled and settled then, so Join may return nil after ctx has ended.
// Check ctx.Err if that matters.
//
// The pool's own function and callbacks must not call it: Join would wait for its caller.
func (p *Pool[In, Out]) Join(ctx context.Context) error {
	p.mu.Lock()
	remaining := p.stats.unsettled()
	if remaining == 0 {
		p.mu.Unlock()
		return nil
	}
	j := &joinCall{epoch: p.epoch, remaining: remaining, done: make(chan struct{})}
	p.epoch++
	p.joins = append(p.joins, j)
	p.mu.Unlock()
	select {
	case <-j.done:
		return nil
	case <-ctx.Done():
	}
	if p.removeJoin(j) == 0 {
		return nil
	}
	return contextError(ctx, "Join")
}

// removeJoin removes a Join that gives up. It returns how many items the Join still waits for.
func (p *Pool[In, Out]) removeJoin(j *joinCall) (remaining int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.joins = slices.DeleteFunc(p.joins, func(other *joinCall) bool { return other == j })
	return j.remaining
}

// notifyJoins tells the waiting Joins that the item is settled, under the lock.
func (p *Pool[In, Out]) notifyJoins(it *item[In, Out]) {
	if len(p.joins) == 0 {
		return
	}
	p.joins = slices.DeleteFunc(p.joins, func(j *joinCall) bool {
		if int32(it.epoch-j.epoch) > 0 {
			return false
		}
		if j.remaining--; j.remaining > 0 {
			return false
		}
		close(j.done)
		return true
	})
}
