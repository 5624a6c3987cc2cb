package retrypool

// lane is what the items of one key go through, one at a time: the first is on its way, be
// it parked, and the others wait for it to be settled.
type keyQueue[In, Out any] struct {
	key     string
	active  *item[In, Out]
	waiting fifo[In, Out]
}

// enterLane puts the item into the lane of its key and reports whether it is the first there.
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

// leaveLane lets the next item of the key go, once this one, if it was the first, is settled.
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
