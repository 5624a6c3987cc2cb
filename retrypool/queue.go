package retrypool

// What moves items from one place to another. All of it runs under the lock.

// enqueue takes in an item that there is room for, and whose context ends with done. A watch
// that is returned is to be started without the lock.
func (p *Pool[In, Out]) enqueue(it *item[In, Out], key string, done <-chan struct{}) (w *watch[In, Out]) {
	if done != nil {
		w = p.observe(it, done)
	}
	it.epoch = p.epoch
	p.stats.Submitted++
	p.stats.Queued++
	if p.config.Key != nil && !p.enterLane(it, key) {
		it.state = held
		return w
	}
	p.ready(it)
	return w
}

// ready puts the item, which counts as queued, where workers take it from.
func (p *Pool[In, Out]) ready(it *item[In, Out]) {
	it.state = queued
	p.fresh.push(it)
	p.wake()
}

// wake gets a waiting worker to work, if there is one.
func (p *Pool[In, Out]) wake() {
	if p.idle > 0 {
		p.work.Signal()
	}
}

// retriable reports whether a retry may be taken.
func (p *Pool[In, Out]) retriable() bool {
	return p.due.live > 0 && (p.config.MaxRetrying == 0 || p.retries < p.config.MaxRetrying || p.dropped)
}

// pickEnded takes an item for a worker whose submitting context has ended, nil if there is none.
func (p *Pool[In, Out]) pickEnded() *item[In, Out] {
	for w := range p.ending {
		if it := p.takeEnded(w); it != nil {
			p.wake()
			return it
		}
	}
	return nil
}

// pick takes the next item for a worker, nil if there is none, and says whether it is a
// retry. First attempts and retries take turns.
func (p *Pool[In, Out]) pick() (it *item[In, Out], retry bool) {
	if p.due.live == 0 && p.parked.len() > 0 && p.time.clock == nil {
		p.ripen(p.time.now(), 8) // the timer may be late, in a crowd
	}
	retry = p.retriable() && (p.turn || p.fresh.live == 0)
	switch {
	case retry:
		it = p.due.pop()
		p.retries++
	case p.fresh.live > 0:
		it = p.fresh.pop()
	default:
		return nil, false
	}
	p.turn = !retry
	p.stats.Queued--
	p.runs(it)
	if p.fresh.live > 0 || p.retriable() {
		p.wake() // what woke this worker may have been meant for two
	}
	return it, retry
}

// takeOut takes the item out of where it waits.
func (p *Pool[In, Out]) takeOut(it *item[In, Out]) {
	switch it.state {
	case queued:
		p.fresh.remove(it)
	case held:
		it.lane.waiting.remove(it)
	case due:
		p.due.remove(it)
	case parked:
		p.parked.remove(it)
		p.stats.Parked--
		p.stats.Queued++
	case running, settled:
		panic("retrypool: the item does not wait") // a mistake of this package
	}
	p.stats.Queued--
	p.runs(it)
}

func (p *Pool[In, Out]) runs(it *item[In, Out]) {
	it.state = running
	p.stats.Running++
}

// park puts away an item that runs until its wait is over, at the reading at.
func (p *Pool[In, Out]) park(it *item[In, Out], at reading, now reading) {
	p.stats.Running--
	if at <= now || p.dropped {
		p.stats.Queued++
		p.fallDue(it)
		return
	}
	it.state = parked
	p.stats.Parked++
	p.parked.push(it, at, p.order)
	p.order++
	p.arm()
}

// fallDue puts the item, which counts as queued, where workers take retries from.
func (p *Pool[In, Out]) fallDue(it *item[In, Out]) {
	it.state = due
	p.due.push(it)
	p.wake()
}

// ripen moves items whose wait is over, at most so many, and reports whether there are more.
func (p *Pool[In, Out]) ripen(now reading, most int) (more bool) {
	for {
		if first, ok := p.parked.first(); !ok || first > now {
			return false
		}
		if most--; most < 0 {
			return true
		}
		p.stats.Parked--
		p.stats.Queued++
		p.fallDue(p.parked.pop())
	}
}

// settle ends an item that runs. What it returns is to be called without the lock.
func (p *Pool[In, Out]) settle(it *item[In, Out], end outcome, err error) (after func() bool) {
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
	p.leaveLane(it)
	after = p.unwatch(it)
	p.tellJoiners(it)
	it.forget()
	p.vacate()
	return after
}
