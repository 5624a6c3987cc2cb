package retrypool

import "context"

// watch learns of the end of a context for all the items that were submitted with it, and is
// found by its Done channel. Contexts that cannot end have none.
type contextWatch[In, Out any] struct {
	done          <-chan struct{}
	items         []*item[In, Out]
	stopAfterFunc func() bool // of context.AfterFunc, nil until that returned
	closed        bool        // it is no longer in Pool.watches
}

// observe adds the item to the watch over done, and returns that if it is new: it is to be
// started, without the lock.
func (p *Pool[In, Out]) watchContext(it *item[In, Out], done <-chan struct{}) (isNew *contextWatch[In, Out]) {
	w := p.watches[done]
	if w == nil {
		w = &contextWatch[In, Out]{done: done}
		p.watches[done] = w
		isNew = w
	}
	it.watch, it.watchIndex = w, uint32(len(w.items))
	w.items = append(w.items, it)
	return isNew
}

// start has the watch, if there is a new one, told of the end of ctx.
func (p *Pool[In, Out]) startWatch(w *contextWatch[In, Out], ctx context.Context) {
	if w == nil {
		return
	}
	stop := context.AfterFunc(ctx, func() {
		if wk := p.onContextEnd(w); wk != nil {
			wk.run()
		}
	})
	p.mu.Lock()
	w.stopAfterFunc = stop
	closed := w.closed
	p.mu.Unlock()
	if closed {
		stop()
	}
}

// see returns the hand that is to settle the items of a context that ended, nil if there are none.
func (p *Pool[In, Out]) onContextEnd(w *contextWatch[In, Out]) *worker[In, Out] {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closeWatch(w)
	switch len(w.items) {
	case 0:
		return nil
	case 1: // not worth another worker
	default:
		p.endedWatches[w] = struct{}{}
		p.wakeWorker()
	}
	p.goroutines++
	return &worker[In, Out]{pool: p, watch: w}
}

// endWatch lets a context that comes later have a watch of its own.
func (p *Pool[In, Out]) closeWatch(w *contextWatch[In, Out]) {
	if !w.closed {
		w.closed = true
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
	w.items[it.watchIndex] = moved
	moved.watchIndex = it.watchIndex
	w.items[last] = nil
	w.items = w.items[:last]
	if last > 0 || w.closed {
		return nil
	}
	p.closeWatch(w)
	return w.stopAfterFunc
}

// takeEnded takes an item out whose context has ended, nil if none is left that waits. Those that
// run are only told not to be parked. The last to come is the first, so that none gets to the
// front of its lane on its way out.
func (p *Pool[In, Out]) takeEnded(w *contextWatch[In, Out]) *item[In, Out] {
	for len(w.items) > 0 {
		it := w.items[len(w.items)-1]
		p.unwatch(it)
		it.ending = true
		if it.state != running {
			p.takeWaiting(it)
			return it
		}
	}
	delete(p.endedWatches, w)
	return nil
}
