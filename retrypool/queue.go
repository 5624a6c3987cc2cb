package retrypool

// This file moves items between the queues, the heap and the workers. All of it runs under the
// lock.

// enqueue takes in an item for which there is room. done is the Done channel of its parent
// context. If enqueue returns a watch, call startWatch with it, without the lock.
func (p *Pool[In, Out]) enqueue(it *item[In, Out], key string, done <-chan struct{}) (w *contextWatch[In, Out]) {
	if done != nil {
		w = p.watchContext(it, done)
	}
	it.epoch = p.epoch
	p.stats.Submitted++
	p.stats.Queued++
	if p.config.Key != nil && !p.joinKeyQueue(it, key) {
		it.state = waitingForKey
		return w
	}
	p.enqueueFirst(it)
	return w
}

// enqueueFirst queues an item, already counted as queued, for its first attempt.
func (p *Pool[In, Out]) enqueueFirst(it *item[In, Out]) {
	it.state = queued
	p.firstQueue.push(it)
	p.wakeWorker()
}

// enqueueRetry queues an item, already counted as queued, for a retry.
func (p *Pool[In, Out]) enqueueRetry(it *item[In, Out]) {
	it.state = retryQueued
	p.retryQueue.push(it)
	p.wakeWorker()
}

// wakeWorker wakes an idle worker, if there is one.
func (p *Pool[In, Out]) wakeWorker() {
	if p.idle > 0 {
		p.workReady.Signal()
	}
}

// canTakeRetry reports whether there is a retry and MaxRetrying allows it to run.
func (p *Pool[In, Out]) canTakeRetry() bool {
	return p.retryQueue.live > 0 && (p.config.MaxRetrying == 0 || p.runningRetries < p.config.MaxRetrying || p.aborted)
}

// takeAnyEnded takes a waiting item whose parent context has ended, nil if there is none.
func (p *Pool[In, Out]) takeAnyEnded() *item[In, Out] {
	for w := range p.endedWatches {
		if it := p.takeEnded(w); it != nil {
			p.wakeWorker()
			return it
		}
	}
	return nil
}

// takeNext takes the next item for a worker, nil if there is none, and reports whether it is a
// retry. First attempts and retries alternate.
func (p *Pool[In, Out]) takeNext() (it *item[In, Out], retry bool) {
	if p.retryQueue.live == 0 && p.parked.len() > 0 && p.timer.clock == nil {
		p.moveDueItems(p.timer.now(), 8) // under load the timer may be late
	}
	retry = p.canTakeRetry() && (p.retryNext || p.firstQueue.live == 0)
	switch {
	case retry:
		it = p.retryQueue.pop()
		p.runningRetries++
	case p.firstQueue.live > 0:
		it = p.firstQueue.pop()
	default:
		return nil, false
	}
	p.retryNext = !retry
	p.stats.Queued--
	p.markRunning(it)
	if p.firstQueue.live > 0 || p.canTakeRetry() {
		p.wakeWorker() // the signal that woke this worker may have been for two items
	}
	return it, retry
}

// takeWaiting takes an item out of wherever it waits.
func (p *Pool[In, Out]) takeWaiting(it *item[In, Out]) {
	switch it.state {
	case queued:
		p.firstQueue.remove(it)
	case waitingForKey:
		it.keyQueue.waiting.remove(it)
	case retryQueued:
		p.retryQueue.remove(it)
	case parked:
		p.parked.remove(it)
		p.stats.Parked--
		p.stats.Queued++
	case running, settled:
		panic("retrypool: the item does not wait") // a bug in this package
	}
	p.stats.Queued--
	p.markRunning(it)
}

func (p *Pool[In, Out]) markRunning(it *item[In, Out]) {
	it.state = running
	p.stats.Running++
}

// park parks a running item until due. If that is not after now, it queues the item.
func (p *Pool[In, Out]) park(it *item[In, Out], due instant, now instant) {
	p.stats.Running--
	if due <= now || p.aborted {
		p.stats.Queued++
		p.enqueueRetry(it)
		return
	}
	it.state = parked
	p.stats.Parked++
	p.parked.push(it, due, p.parkOrder)
	p.parkOrder++
	p.setTimer()
}

// moveDueItems moves parked items whose wait is over to the retry queue, at most limit of them.
// It reports whether there are more.
func (p *Pool[In, Out]) moveDueItems(now instant, limit int) (more bool) {
	for {
		if first, ok := p.parked.first(); !ok || first > now {
			return false
		}
		if limit--; limit < 0 {
			return true
		}
		p.stats.Parked--
		p.stats.Queued++
		p.enqueueRetry(p.parked.pop())
	}
}

// settle settles a running item. If it returns a function, call it without the lock.
func (p *Pool[In, Out]) settle(it *item[In, Out], end outcome, err error) (stop func() bool) {
	if err != nil {
		kept := err // a variable of its own, so that success allocates nothing
		it.err = &kept
	}
	it.state = settled
	if it.done != nil {
		close(it.done)
	}
	p.stats.Running--
	p.stats.count(end)
	p.leaveKeyQueue(it)
	stop = p.unwatch(it)
	p.notifyJoins(it)
	it.dropReferences()
	p.freeSlot()
	return stop
}
