package retrypool

// lane is what the items of one key go through, one at a time: the first is on its way, be
// it parked, and the others wait for it to be settled.
type lane[In, Out any] struct {
	key     string
	first   *item[In, Out]
	waiting fifo[In, Out]
}

// enterLane puts the item into the lane of its key and reports whether it is the first there.
func (p *Pool[In, Out]) enterLane(it *item[In, Out], key string) bool {
	l := p.lanes[key]
	if l == nil {
		l = &lane[In, Out]{key: key, first: it}
		p.lanes[key] = l
	} else {
		l.waiting.push(it)
	}
	it.lane = l
	return l.first == it
}

// leaveLane lets the next item of the key go, once this one, if it was the first, is settled.
func (p *Pool[In, Out]) leaveLane(it *item[In, Out]) {
	l := it.lane
	if l == nil || l.first != it {
		return
	}
	if l.first = l.waiting.pop(); l.first == nil {
		delete(p.lanes, l.key)
		return
	}
	p.ready(l.first)
}
