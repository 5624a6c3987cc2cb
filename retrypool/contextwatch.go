package retrypool

import "context"

// watch learns of the end of a context for all the items that were submitted with it, and is
// found by its Done channel. Contexts that cannot end have none.
type watch[In, Out any] struct {
	done  <-chan struct{}
	items []*item[In, Out]
	stop  func() bool // of context.AfterFunc, nil until that returned
	over  bool        // it is no longer in Pool.watches
}

// observe adds the item to the watch over done, and returns that if it is new: it is to be
// started, without the lock.
func (p *Pool[In, Out]) observe(it *item[In, Out], done <-chan struct{}) (isNew *watch[In, Out]) {
	w := p.watches[done]
	if w == nil {
		w = &watch[In, Out]{done: done}
		p.watches[done] = w
		isNew = w
	}
	it.watch, it.watched = w, uint32(len(w.items))
	w.items = append(w.items, it)
	return isNew
}

// start has the watch, if there is a new one, told of the end of ctx.
func (p *Pool[In, Out]) start(w *watch[In, Out], ctx context.Context) {
	if w == nil {
		return
	}
	stop := context.AfterFunc(ctx, func() {
		if h := p.see(w); h != nil {
			h.work()
		}
	})
	p.mu.Lock()
	w.stop = stop
	over := w.over
	p.mu.Unlock()
	if over {
		stop()
	}
}

// see returns the hand that is to settle the items of a context that ended, nil if there are none.
func (p *Pool[In, Out]) see(w *watch[In, Out]) *hand[In, Out] {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endWatch(w)
	switch len(w.items) {
	case 0:
		return nil
	case 1: // not worth another worker
	default:
		p.ending[w] = struct{}{}
		p.wake()
	}
	p.hands++
	return &hand[In, Out]{pool: p, ended: w}
}

// endWatch lets a context that comes later have a watch of its own.
func (p *Pool[In, Out]) endWatch(w *watch[In, Out]) {
	if !w.over {
		w.over = true
		delete(p.watches, w.done)
	}
}

// unwatch takes the item from its watch. What it returns, if anything, is to be called
// without the lock.
func (p *Pool[In, Out]) unwatch(it *item[In, Out]) (stop func() bool) {
	w := it.watch
	if w == nil {
		return nil
	}
	it.watch = nil
	last := len(w.items) - 1
	moved := w.items[last]
	w.items[it.watched] = moved
	moved.watched = it.watched
	w.items[last] = nil
	w.items = w.items[:last]
	if last > 0 || w.over {
		return nil
	}
	p.endWatch(w)
	return w.stop
}

// takeEnded takes an item out whose context has ended, nil if none is left that waits. Those that
// run are only told not to be parked. The last to come is the first, so that none gets to the
// front of its lane on its way out.
func (p *Pool[In, Out]) takeEnded(w *watch[In, Out]) *item[In, Out] {
	for len(w.items) > 0 {
		it := w.items[len(w.items)-1]
		p.unwatch(it)
		it.doomed = true
		if it.state != running {
			p.takeOut(it)
			return it
		}
	}
	delete(p.ending, w)
	return nil
}
