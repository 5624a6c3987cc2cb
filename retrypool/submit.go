package retrypool

import "context"

// Submit takes an item in and returns its task, which need not be kept. While the pool is
// full it waits for room; those who wait get it in the order they came. The item lives with
// ctx, see the package's comment.
//
// When ctx has ended, or ends while Submit waits, the error matches ctx's and nothing was
// submitted. After [Pool.Close] it is [ErrClosed]. A nil ctx panics.
func (p *Pool[In, Out]) Submit(ctx context.Context, in In) (*Task[Out], error) {
	if ctx.Err() != nil {
		return nil, ended(ctx, "Submit")
	}
	return p.submit(ctx, in, true)
}

// TrySubmit is like [Pool.Submit] but returns [ErrFull] when there is no room. The item's
// context does not end until the item is settled or canceled.
func (p *Pool[In, Out]) TrySubmit(in In) (*Task[Out], error) {
	return p.submit(context.Background(), in, false)
}

// submit takes an item in. All of the user's code that it needs runs before or after it holds
// the lock.
func (p *Pool[In, Out]) submit(ctx context.Context, in In, wait bool) (*Task[Out], error) {
	it, key := p.newItem(ctx, in)
	done := ctx.Done()
	it.start = p.time.now()
	p.mu.Lock()
	got, err := p.reserved()
	switch {
	case err != nil:
		p.mu.Unlock()
		return nil, err
	case !got && !wait:
		p.mu.Unlock()
		return nil, ErrFull
	case !got:
		if err = p.awaitRoom(ctx); err != nil {
			return nil, err
		}
		it.start = p.time.now()
		p.announce(it)
		p.mu.Lock()
	case p.config.Events.Queued != nil:
		p.mu.Unlock()
		p.announce(it)
		p.mu.Lock()
	}
	w := p.enqueue(it, key, done)
	p.mu.Unlock()
	if w != nil {
		p.start(w, ctx)
	}
	return &it.Task, nil
}

// announce tells of an item that there is room for. When the callback panics the room is
// given back.
func (p *Pool[In, Out]) announce(it *item[In, Out]) {
	tell := p.config.Events.Queued
	if tell == nil {
		return
	}
	told := false
	defer func() {
		if !told {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.vacate()
		}
	}()
	tell(Event[In]{Item: it.in, Queued: p.Stats().Queued + 1})
	told = true
}

// reserved takes room under the lock if there is some.
func (p *Pool[In, Out]) reserved() (got bool, err error) {
	switch {
	case p.closed:
		return false, ErrClosed
	case p.used == p.config.Capacity:
		return false, nil
	}
	p.used++
	return true, nil
}

// awaitRoom waits for room. It is called with the lock, and returns without it.
func (p *Pool[In, Out]) awaitRoom(ctx context.Context) error {
	w := &waiter{ready: make(chan struct{})}
	p.waiters.push(w)
	p.mu.Unlock()
	select {
	case <-w.ready:
		return w.err
	case <-ctx.Done():
		p.withdraw(w)
		return ended(ctx, "Submit")
	}
}

// withdraw ends the wait of w, whose context has ended. What room it just got goes on.
func (p *Pool[In, Out]) withdraw(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case w.got:
		p.vacate()
	case w.err == nil:
		p.waiters.remove(w)
	}
}

// vacate gives the room of one item to who waits for it longest, under the lock.
func (p *Pool[In, Out]) vacate() {
	if w := p.waiters.first; w != nil {
		p.waiters.remove(w)
		w.got = true
		close(w.ready)
		return
	}
	p.used--
	if p.closed && p.used == 0 {
		p.dismiss()
	}
}
