package retrypool

import "context"

// waiter is a Submit that waits for room.
type waiter[In, Out any] struct {
	item   *item[In, Out]
	key    string
	parent context.Context // that the item lives with
	done   <-chan struct{} // of life

	ready      chan struct{} // closed when it has got room, or err says why it will not
	admitted   bool
	enqueued   bool                   // the item was taken in with that
	watch      *contextWatch[In, Out] // which is to be started then
	err        error
	prev, next *waiter[In, Out]
}

// waiters are in the order they came.
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

// reserved takes room under the lock if there is some, and nobody waits for it.
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

// awaitRoom waits for room. It is called with the lock, and returns without it.
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

// withdraw ends the wait of w, whose context has ended, unless its item was taken in just now.
// What room it just got goes on.
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

// giveBack gives the room back of an item that is not submitted after all.
func (p *Pool[In, Out]) returnSlot(waited bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if waited {
		p.announcing = false
	}
	p.freeSlot()
}

// vacate makes the room of one item free, under the lock.
func (p *Pool[In, Out]) freeSlot() {
	p.used--
	p.admitWaiters()
	if p.closed && p.used == 0 {
		p.stopWorkers()
	}
}

// grant gives what room there is to those who wait for it, in the order they came, under the
// lock. Their items are taken in right here, lest they overtake each other. Where the user's
// code has to run for that, an event or a clock, they do it themselves, one after the other.
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

// passOn gives the next one its turn, under the lock.
func (p *Pool[In, Out]) admitNext() {
	p.announcing = false
	p.admitWaiters()
}

// turnAway ends the wait of those who wait for room, under the lock.
func (p *Pool[In, Out]) rejectWaiters() {
	for w := p.waiters.first; w != nil; w = p.waiters.first {
		p.waiters.remove(w)
		w.err = ErrClosed
		close(w.ready)
	}
}
