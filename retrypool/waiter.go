package retrypool

import "context"

// waiter is a Submit that waits for room.
type waiter[In, Out any] struct {
	item   *item[In, Out]
	key    string
	parent context.Context // of the item's context
	done   <-chan struct{} // parent's

	ready      chan struct{}          // closed once the waiter is admitted or err is set
	admitted   bool                   // it has got room
	enqueued   bool                   // admitWaiters has added the item too
	watch      *contextWatch[In, Out] // to be started then
	err        error                  // why it will not be admitted
	prev, next *waiter[In, Out]
}

// waiters is a list of waiters in the order they came.
type waiters[In, Out any] struct{ first, last *waiter[In, Out] }

func (l *waiters[In, Out]) push(w *waiter[In, Out]) {
	w.prev = l.last
	if l.last == nil {
		l.first = w
	} else {
		l.last.next = w
	}
	l.last = w
}

func (l *waiters[In, Out]) remove(w *waiter[In, Out]) {
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.last = w.prev
	} else {
		w.next.prev = w.prev
	}
}

// reserve reserves room for one item, under the lock. It fails if the pool is full or others
// wait for room.
func (p *Pool[In, Out]) reserve() (got bool, err error) {
	switch {
	case p.closed:
		return false, ErrClosed
	case p.used == p.config.Capacity || p.waiters.first != nil:
		return false, nil
	}
	p.used++
	return true, nil
}

// waitForRoom waits until the waiter has room or ctx ends. The caller holds the lock;
// waitForRoom releases it.
func (p *Pool[In, Out]) waitForRoom(ctx context.Context, w *waiter[In, Out]) error {
	w.ready = make(chan struct{})
	p.waiters.push(w)
	p.mu.Unlock()
	select {
	case <-w.ready:
		return w.err
	case <-ctx.Done():
	}
	if p.withdraw(w) {
		return contextError(ctx, "Submit")
	}
	return nil
}

// withdraw ends the wait of w, whose context has ended. It reports false if the item has just
// been added. Room that w has just got goes to the next waiter.
func (p *Pool[In, Out]) withdraw(w *waiter[In, Out]) bool {
	p.mu.Lock()
	admitted := w.admitted
	if !admitted && w.err == nil {
		p.waiters.remove(w)
	}
	p.mu.Unlock()
	if admitted && !w.enqueued {
		p.returnSlot(true)
	}
	return !w.enqueued
}

// returnSlot gives back the room of an item that is not submitted after all.
func (p *Pool[In, Out]) returnSlot(waited bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if waited {
		p.announcing = false
	}
	p.freeSlot()
}

// freeSlot frees the room of one item, under the lock.
func (p *Pool[In, Out]) freeSlot() {
	p.used--
	p.admitWaiters()
	if p.closed && p.used == 0 {
		p.stopWorkers()
	}
}

// admitWaiters gives free room to the waiters in the order they came, under the lock. It adds
// their items itself, so that none overtakes another. If that needs user code, an event or a
// clock, the waiters add their items themselves, one after the other.
func (p *Pool[In, Out]) admitWaiters() {
	for w := p.waiters.first; w != nil && p.used < p.config.Capacity && !p.announcing; w = p.waiters.first {
		p.waiters.remove(w)
		p.used++
		w.admitted = true
		if p.config.Events.Queued == nil && p.timer.clock == nil {
			w.enqueued = true
			w.item.start = p.timer.now()
			w.watch = p.enqueue(w.item, w.key, w.done)
		} else {
			p.announcing = true
		}
		close(w.ready)
	}
}

// admitNext admits the next waiter after one that added its item itself, under the lock.
func (p *Pool[In, Out]) admitNext() {
	p.announcing = false
	p.admitWaiters()
}

// rejectWaiters ends the wait of all waiters with ErrClosed, under the lock.
func (p *Pool[In, Out]) rejectWaiters() {
	for w := p.waiters.first; w != nil; w = p.waiters.first {
		p.waiters.remove(w)
		w.err = ErrClosed
		close(w.ready)
	}
}
