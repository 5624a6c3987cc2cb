package retrypool

import "context"

// Submit adds an item to the pool and returns its task, which you need not keep. While the pool
// is full, Submit waits for room. Waiting callers are admitted in the order they came.
//
// # Lifetime of the item
//
// ctx bounds the item too, not only the wait for room; see the package comment. Do not pass the
// context of an HTTP request whose response does not wait for the item. That context ends when
// the handler returns and cancels the item, which then does not go to DeadLetter. The example
// "outlives" shows what to do instead.
//
// # Submitting from the pool's function
//
// From the function of another item, pass the context that the function got. The context that the
// other item was submitted with then bounds the new item too. The new item does not end when the
// other item is settled. The other item may be of another pool. The example "crawler" submits the
// links that it finds.
//
// If the function adds values with context.WithValue, the new item has them too. If it adds an
// end with context.WithTimeout or context.WithCancel, that context bounds the new item. It then
// ends with the other item at the latest.
//
// If every worker waits in Submit for room in its own pool, no item finishes and all of them
// wait until their contexts end. Call [Pool.TrySubmit] there and handle [ErrFull], or set a
// Capacity that the pool never reaches.
//
// # Errors
//
// If ctx has ended, or ends while Submit waits, nothing is submitted, and the error matches
// ctx's error. Otherwise, after [Pool.Close], the error is [ErrClosed]. A nil ctx panics.
func (p *Pool[In, Out]) Submit(ctx context.Context, in In) (*Task[Out], error) {
	if ctx.Err() != nil {
		return nil, contextError(ctx, "Submit")
	}
	return p.submit(ctx, itemParent(ctx), in, true)
}

// TrySubmit is like [Pool.Submit], but returns [ErrFull] if there is no room. The item's
// context does not end until the item is settled or canceled.
func (p *Pool[In, Out]) TrySubmit(in In) (*Task[Out], error) {
	return p.submit(context.Background(), context.Background(), in, false)
}

// submit adds an item whose context has the parent. It waits for room until ctx ends. The user
// code that it calls runs before or after it holds the lock.
func (p *Pool[In, Out]) submit(ctx, parent context.Context, in In, wait bool) (*Task[Out], error) {
	p.mustBeMade()
	it, key := p.newItem(parent, in)
	done := parent.Done()
	it.start = p.timer.now()
	p.mu.Lock()
	got, err := p.reserve()
	switch {
	case err != nil:
		p.mu.Unlock()
		return nil, err
	case !got && !wait:
		p.mu.Unlock()
		return nil, ErrFull
	case !got:
		return p.submitWhenFree(ctx, &waiter[In, Out]{item: it, key: key, parent: parent, done: done})
	case p.config.Events.Queued != nil:
		p.mu.Unlock()
		p.announce(it, false)
		p.mu.Lock()
	}
	watch := p.enqueue(it, key, done)
	p.mu.Unlock()
	p.startWatch(watch, parent)
	return &it.Task, nil
}

// submitWhenFree adds the waiter's item once there is room. The caller holds the lock;
// submitWhenFree releases it.
func (p *Pool[In, Out]) submitWhenFree(ctx context.Context, w *waiter[In, Out]) (*Task[Out], error) {
	if err := p.waitForRoom(ctx, w); err != nil {
		return nil, err
	}
	if !w.enqueued {
		w.item.start = p.timer.now()
		p.announce(w.item, true)
		p.mu.Lock()
		w.watch = p.enqueue(w.item, w.key, w.done)
		p.admitNext()
		p.mu.Unlock()
	}
	p.startWatch(w.watch, w.parent)
	return &w.item.Task, nil
}

// mustBeMade panics if New did not make the pool.
func (p *Pool[In, Out]) mustBeMade() {
	if p.fn == nil {
		panic("retrypool: a Pool is made by New")
	}
}

// announce calls Events.Queued for an item that has room. If the callback panics, announce
// gives the room back. waited says whether the submitter had to wait.
func (p *Pool[In, Out]) announce(it *item[In, Out], waited bool) {
	queuedEvent := p.config.Events.Queued
	if queuedEvent == nil {
		return
	}
	returned := false
	defer func() {
		if !returned {
			p.returnSlot(waited)
		}
	}()
	queuedEvent(Event[In]{Item: it.in, Context: it.ctx, Queued: p.Stats().Queued + 1})
	returned = true
}
