package retrypool

import "context"

// contextWatch waits for the end of one parent context, for all the items that share it. The
// pool finds it by the context's Done channel. Contexts that cannot end have none.
type contextWatch[In, Out any] struct {
	done          <-chan struct{}
	items         []*item[In, Out]
	stopAfterFunc func() bool // from context.AfterFunc, nil until that has returned
	closed        bool        // no longer in Pool.watches
}

// watchContext adds the item to the watch of done. If it makes a new watch, it returns it: call
// startWatch with it, without the lock.
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

// startWatch registers a new watch with its context. A nil watch does nothing.
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

// onContextEnd returns a worker that settles the items of a context that ended, nil if there
// are none. If there are several, the pool's idle workers help.
func (p *Pool[In, Out]) onContextEnd(w *contextWatch[In, Out]) *worker[In, Out] {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closeWatch(w)
	switch len(w.items) {
	case 0:
		return nil
	case 1: // not worth waking a worker
	default:
		p.endedWatches[w] = struct{}{}
		p.wakeWorker()
	}
	p.goroutines++
	return &worker[In, Out]{pool: p, watch: w}
}

// closeWatch removes the watch from the pool. Items that are submitted later with the same
// context get a new one.
func (p *Pool[In, Out]) closeWatch(w *contextWatch[In, Out]) {
	if !w.closed {
		w.closed = true
		delete(p.watches, w.done)
	}
}

// unwatch removes the item from its watch. If it returns a function, call it without the lock.
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

// takeEnded takes out a waiting item whose parent context has ended, nil if none is left.
// Running items are only marked, so that they are not parked. The last item comes first, so
// that no item becomes the active one of its key only to be canceled.
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
