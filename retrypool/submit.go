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
		return nil, ended(ctx, "Submit")
	}
	return p.submit(ctx, lifetime(ctx), in, true)
}

// TrySubmit is like [Pool.Submit] but returns [ErrFull] when there is no room. The item's
// context does not end until the item is settled or canceled.
func (p *Pool[In, Out]) TrySubmit(in In) (*Task[Out], error) {
	return p.submit(context.Background(), context.Background(), in, false)
}

// submit takes an item in that lives with life, and waits for room until ctx ends. All of the
// user's code that it needs runs before or after it holds the lock.
func (p *Pool[In, Out]) submit(ctx, life context.Context, in In, wait bool) (*Task[Out], error) {
	p.mustBeMade()
	it, key := p.newItem(life, in)
	done := life.Done()
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
		return p.submitLater(ctx, &waiter[In, Out]{it: it, key: key, life: life, done: done})
	case p.config.Events.Queued != nil:
		p.mu.Unlock()
		p.announce(it, false)
		p.mu.Lock()
	}
	watch := p.enqueue(it, key, done)
	p.mu.Unlock()
	p.start(watch, life)
	return &it.Task, nil
}

// submitLater takes an item in when there is room. It is called with the lock, and returns
// without it.
func (p *Pool[In, Out]) submitLater(ctx context.Context, w *waiter[In, Out]) (*Task[Out], error) {
	if err := p.awaitRoom(ctx, w); err != nil {
		return nil, err
	}
	if !w.taken {
		w.it.start = p.time.now()
		p.announce(w.it, true)
		p.mu.Lock()
		w.watch = p.enqueue(w.it, w.key, w.done)
		p.passOn()
		p.mu.Unlock()
	}
	p.start(w.watch, w.life)
	return &w.it.Task, nil
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
	tell := p.config.Events.Queued
	if tell == nil {
		return
	}
	told := false
	defer func() {
		if !told {
			p.giveBack(waited)
		}
	}()
	tell(Event[In]{Item: it.in, Context: it.ctx, Queued: p.Stats().Queued + 1})
	told = true
}
