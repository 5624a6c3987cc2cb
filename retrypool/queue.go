package retrypool

// What moves items from one place to another. All of it runs under the lock.

// enqueue takes in an item that there is room for, and whose context ends with done. A watch
// that is returned is to be started without the lock.
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

// ready puts the item, which counts as queued, where workers take it from.
func (p *Pool[In, Out]) enqueueFirst(it *item[In, Out]) {
	it.state = queued
	p.firstQueue.push(it)
	p.wakeWorker()
}

// wake gets a waiting worker to work, if there is one.
func (p *Pool[In, Out]) wakeWorker() {
	if p.idle > 0 {
		p.workReady.Signal()
	}
}

// retriable reports whether a retry may be taken.
func (p *Pool[In, Out]) canTakeRetry() bool {
	return p.retryQueue.live > 0 && (p.config.MaxRetrying == 0 || p.runningRetries < p.config.MaxRetrying || p.aborted)
}

// pickEnded takes an item for a worker whose submitting context has ended, nil if there is none.
func (p *Pool[In, Out]) takeAnyEnded() *item[In, Out] {
	for w := range p.endedWatches {
		if it := p.takeEnded(w); it != nil {
			p.wakeWorker()
			return it
		}
	}
	return nil
}

// pick takes the next item for a worker, nil if there is none, and says whether it is a
// retry. First attempts and retries take turns.
func (p *Pool[In, Out]) takeNext() (it *item[In, Out], retry bool) {
	if p.retryQueue.live == 0 && p.parked.len() > 0 && p.timer.clock == nil {
		p.moveDueItems(p.timer.now(), 8) // the timer may be late, in a crowd
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
		p.wakeWorker() // what woke this worker may have been meant for two
	}
	return it, retry
}

// takeOut takes the item out of where it waits.
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
		panic("retrypool: the item does not wait") // a mistake of this package
	}
	p.stats.Queued--
	p.markRunning(it)
}

func (p *Pool[In, Out]) markRunning(it *item[In, Out]) {
	it.state = running
	p.stats.Running++
}

// park puts away an item that runs until its wait is over, at the reading at.
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

// fallDue puts the item, which counts as queued, where workers take retries from.
func (p *Pool[In, Out]) enqueueRetry(it *item[In, Out]) {
	it.state = retryQueued
	p.retryQueue.push(it)
	p.wakeWorker()
}

// ripen moves items whose wait is over, at most so many, and reports whether there are more.
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

// settle ends an item that runs. What it returns is to be called without the lock.
func (p *Pool[In, Out]) settle(it *item[In, Out], end outcome, err error) (stop func() bool) {
	if err != nil {
		kept := err // so that success need not have memory for it
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
