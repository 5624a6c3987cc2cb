package retrypool

import "context"

// Submit takes an item in and returns its task, which need not be kept. While the pool is full
// it waits for room. Callers that wait get room in the order they came.
//
// A full pool and the pool's own function: if every worker waits in Submit, no item is finished
// and no room is made, so all of them wait until their contexts end. Call [Pool.TrySubmit] there
// and do something else about [ErrFull], or give the pool a Capacity that it does not reach.
//
// The item lives with ctx, see the package's comment. So ctx should not be the context of an
// HTTP request whose answer does not wait for the item. It ends when the handler returns, and
// cancels the item, which no DeadLetter sees. The example "outlives" shows what to do.
//
// From the function of another item, pass the context that the function got. The new item then
// lives with the context that the other item was submitted with: it does not end when the other
// item is settled. This also holds between two pools. A context that the function derived with
// context.WithValue gives the new item these values. One with an end of its own, from
// context.WithTimeout or context.WithCancel, bounds the new item and ends with the other item at
// the latest. The example "crawler" submits what it finds.
//
// When ctx has ended, or ends while Submit waits, the error matches ctx's and nothing was
// submitted. Otherwise, after [Pool.Close], it is [ErrClosed]. A nil ctx panics.
func (p *Pool[In, Out]) Submit(ctx context.Context, in In) (*Task[Out], error) {
	if ctx.Err() != nil {
		return nil, contextError(ctx, "Submit")
	}
	return p.submit(ctx, itemParent(ctx), in, true)
}

// TrySubmit is like [Pool.Submit] but returns [ErrFull] when there is no room. The item's
// context does not end until the item is settled or canceled.
func (p *Pool[In, Out]) TrySubmit(in In) (*Task[Out], error) {
	return p.submit(context.Background(), context.Background(), in, false)
}

// submit takes an item in that lives with life, and waits for room until ctx ends. All of the
// user's code that it needs runs before or after it holds the lock.
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

// submitLater takes an item in when there is room. It is called with the lock, and returns
// without it.
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

// mustBeMade panics where New did not make the pool.
func (p *Pool[In, Out]) mustBeMade() {
	if p.fn == nil {
		panic("retrypool: a Pool is made by New")
	}
}

// announce tells of an item that there is room for, whether it has waited or not. When the
// callback panics the room is given back.
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
