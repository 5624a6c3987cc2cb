package retrypool

import (
	"context"
	"slices"
)

// joiner is a Join that waits.
type joinCall struct {
	epoch     uint32 // of the last items it waits for
	remaining int
	done      chan struct{}
}

// Join waits until all that was submitted before it was called is settled; what comes later
// does not hold it up. (Items that submit others: the example "crawler" of [Pool.Submit] shows how
// to wait for all of them.) When ctx ends first it returns an error that matches ctx's. Items that were
// submitted with ctx are canceled then, and settled; so Join may return nil: ask ctx as well.
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
	p.mu.Lock()
	p.joins = slices.DeleteFunc(p.joins, func(other *joinCall) bool { return other == j })
	remaining = j.remaining
	p.mu.Unlock()
	if remaining == 0 {
		return nil
	}
	return contextError(ctx, "Join")
}

// tellJoiners tells those who wait for it that the item is settled, under the lock.
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
