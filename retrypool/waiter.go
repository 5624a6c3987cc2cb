package retrypool

import "context"

// waiter is a Submit that waits for room.
type waiter[In, Out any] struct {
	it   *item[In, Out]
	key  string
	life context.Context // that the item lives with
	done <-chan struct{} // of life

	ready          chan struct{} // closed when it has got room, or err says why it will not
	got            bool
	taken          bool            // the item was taken in with that
	watch          *watch[In, Out] // which is to be started then
	err            error
	earlier, later *waiter[In, Out]
}

// waiters are in the order they came.
type waiters[In, Out any] struct{ first, last *waiter[In, Out] }

func (l *waiters[In, Out]) push(w *waiter[In, Out]) {
	w.earlier = l.last
	if l.last == nil {
		l.first = w
	} else {
		l.last.later = w
	}
	l.last = w
}

func (l *waiters[In, Out]) remove(w *waiter[In, Out]) {
	if w.earlier == nil {
		l.first = w.later
	} else {
		w.earlier.later = w.later
	}
	if w.later == nil {
		l.last = w.earlier
	} else {
		w.later.earlier = w.earlier
	}
}

// reserved takes room under the lock if there is some, and nobody waits for it.
func (p *Pool[In, Out]) reserved() (got bool, err error) {
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
func (p *Pool[In, Out]) awaitRoom(ctx context.Context, w *waiter[In, Out]) error {
	w.ready = make(chan struct{})
	p.waiters.push(w)
	p.mu.Unlock()
	select {
	case <-w.ready:
		return w.err
	case <-ctx.Done():
	}
	if p.withdraw(w) {
		return ended(ctx, "Submit")
	}
	return nil
}

// withdraw ends the wait of w, whose context has ended, unless its item was taken in just now.
// What room it just got goes on.
func (p *Pool[In, Out]) withdraw(w *waiter[In, Out]) bool {
	p.mu.Lock()
	got := w.got
	if !got && w.err == nil {
		p.waiters.remove(w)
	}
	p.mu.Unlock()
	if got && !w.taken {
		p.giveBack(true)
	}
	return !w.taken
}

// giveBack gives the room back of an item that is not submitted after all.
func (p *Pool[In, Out]) giveBack(waited bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if waited {
		p.handing = false
	}
	p.vacate()
}

// vacate makes the room of one item free, under the lock.
func (p *Pool[In, Out]) vacate() {
	p.used--
	p.grant()
	if p.closed && p.used == 0 {
		p.dismiss()
	}
}

// grant gives what room there is to those who wait for it, in the order they came, under the
// lock. Their items are taken in right here, lest they overtake each other. Where the user's
// code has to run for that, an event or a clock, they do it themselves, one after the other.
func (p *Pool[In, Out]) grant() {
	for w := p.waiters.first; w != nil && p.used < p.config.Capacity && !p.handing; w = p.waiters.first {
		p.waiters.remove(w)
		p.used++
		w.got = true
		if p.config.Events.Queued == nil && p.time.clock == nil {
			w.taken = true
			w.it.start = p.time.now()
			w.watch = p.enqueue(w.it, w.key, w.done)
		} else {
			p.handing = true
		}
		close(w.ready)
	}
}

// passOn gives the next one its turn, under the lock.
func (p *Pool[In, Out]) passOn() {
	p.handing = false
	p.grant()
}

// turnAway ends the wait of those who wait for room, under the lock.
func (p *Pool[In, Out]) turnAway() {
	for w := p.waiters.first; w != nil; w = p.waiters.first {
		p.waiters.remove(w)
		w.err = ErrClosed
		close(w.ready)
	}
}
