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
	it, key := p.newItem(ctx, in)
	if err := p.reserve(ctx); err != nil {
		return nil, err
	}
	return p.enter(it, key), nil
}

// TrySubmit is like [Pool.Submit] but returns [ErrFull] when there is no room. The item's
// context does not end until the item is settled or canceled.
func (p *Pool[In, Out]) TrySubmit(in In) (*Task[Out], error) {
	it, key := p.newItem(context.Background(), in)
	p.mu.Lock()
	got, err := p.reserved()
	p.mu.Unlock()
	switch {
	case err != nil:
		return nil, err
	case !got:
		return nil, ErrFull
	}
	return p.enter(it, key), nil
}

// reserve takes room for an item, and waits for it if it must.
func (p *Pool[In, Out]) reserve(ctx context.Context) error {
	p.mu.Lock()
	got, err := p.reserved()
	if got || err != nil {
		p.mu.Unlock()
		return err
	}
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

// enter takes in an item that there is room for.
func (p *Pool[In, Out]) enter(it *item[In, Out], key string) *Task[Out] {
	in := false
	defer func() {
		if !in { // a callback panicked
			p.mu.Lock()
			defer p.mu.Unlock()
			p.vacate()
		}
	}()
	it.start = p.time.now()
	done := it.parent.Done()
	if tell := p.config.Events.Queued; tell != nil {
		tell(Event[In]{Item: it.in, Queued: p.Stats().Queued + 1})
	}
	p.mu.Lock()
	in = true
	var w *watch[In, Out]
	isNew := false
	if done != nil {
		w, isNew = p.observe(it, done)
	}
	p.enqueue(it, key)
	p.mu.Unlock()
	if isNew {
		p.start(w, it.parent)
	}
	return &it.Task
}
