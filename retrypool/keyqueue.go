package retrypool

// keyQueue lets the items of one key through, one at a time. The active item is queued, running
// or parked. The others wait until it is settled.
type keyQueue[In, Out any] struct {
	key     string
	active  *item[In, Out]
	waiting fifo[In, Out]
}

// joinKeyQueue adds the item to the queue of its key and reports whether it is the active one.
func (p *Pool[In, Out]) joinKeyQueue(it *item[In, Out], key string) bool {
	q := p.keyQueues[key]
	if q == nil {
		q = &keyQueue[In, Out]{key: key, active: it}
		p.keyQueues[key] = q
	} else {
		q.waiting.push(it)
	}
	it.keyQueue = q
	return q.active == it
}

// leaveKeyQueue starts the next item of the key if this one, which is settled, was the active
// one.
func (p *Pool[In, Out]) leaveKeyQueue(it *item[In, Out]) {
	q := it.keyQueue
	if q == nil || q.active != it {
		return
	}
	if q.active = q.waiting.pop(); q.active == nil {
		delete(p.keyQueues, q.key)
		return
	}
	p.enqueueFirst(q.active)
}
