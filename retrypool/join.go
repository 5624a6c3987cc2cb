package retrypool

import (
	"context"
	"slices"
)

// joiner is a Join that waits.
type joiner struct {
	epoch uint32 // of the last items it waits for
	left  int
	done  chan struct{}
}

// Join waits until all that was submitted before it was called is settled; what comes later
// does not hold it up. (Items that submit others: the example "crawler" of [Pool.Submit] shows how
// to wait for all of them.) When ctx ends first it returns an error that matches ctx's. Items that were
// submitted with ctx are canceled then, and settled; so Join may return nil: ask ctx as well.
func (p *Pool[In, Out]) Join(ctx context.Context) error {
	p.mu.Lock()
	left := p.stats.unsettled()
	if left == 0 {
		p.mu.Unlock()
		return nil
	}
	j := &joiner{epoch: p.epoch, left: left, done: make(chan struct{})}
	p.epoch++
	p.joiners = append(p.joiners, j)
	p.mu.Unlock()
	select {
	case <-j.done:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	p.joiners = slices.DeleteFunc(p.joiners, func(other *joiner) bool { return other == j })
	left = j.left
	p.mu.Unlock()
	if left == 0 {
		return nil
	}
	return ended(ctx, "Join")
}

// tellJoiners tells those who wait for it that the item is settled, under the lock.
func (p *Pool[In, Out]) tellJoiners(it *item[In, Out]) {
	if len(p.joiners) == 0 {
		return
	}
	p.joiners = slices.DeleteFunc(p.joiners, func(j *joiner) bool {
		if int32(it.epoch-j.epoch) > 0 {
			return false
		}
		if j.left--; j.left > 0 {
			return false
		}
		close(j.done)
		return true
	})
}
