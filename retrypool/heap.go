package retrypool

import "time"

// heap holds the parked items, the first to fall due on top. It has four children a node:
// half as deep as a binary heap and as cheap a level, for the children lie side by side.
type heap[In, Out any] []parking[In, Out]

// parking is an item and when it falls due. Of those that do so together the first to be
// parked, by item.order, is the first.
type parking[In, Out any] struct {
	due time.Duration
	it  *item[In, Out]
}

func (a *parking[In, Out]) before(b *parking[In, Out]) bool {
	return a.due < b.due || a.due == b.due && int32(a.it.order-b.it.order) < 0
}

// push adds an item and notes its place.
func (h *heap[In, Out]) push(it *item[In, Out], due time.Duration) {
	*h = append(*h, parking[In, Out]{due, it})
	h.up(len(*h) - 1)
}

// remove takes out the item at the place.
func (h *heap[In, Out]) remove(place int) *item[In, Out] {
	all := *h
	it, last := all[place].it, len(all)-1
	moved := all[last]
	all[last] = parking[In, Out]{} // so that nothing refers to the item
	*h = all[:last]
	switch {
	case last == 0 && cap(all) > 1024:
		*h = nil // a burst is over
	case place < last:
		all[place] = moved
		if !h.up(place) {
			h.down(place)
		}
	}
	return it
}

// up moves the parking at place to where it belongs, towards the top, and reports whether
// that was another place.
func (h *heap[In, Out]) up(place int) (moved bool) {
	all := *h
	p := all[place]
	for place > 0 {
		parent := (place - 1) / 4
		if !p.before(&all[parent]) {
			break
		}
		all[place] = all[parent]
		all[place].it.place = uint32(place)
		place, moved = parent, true
	}
	all[place] = p
	p.it.place = uint32(place)
	return moved
}

// down moves the parking at place to where it belongs, away from the top.
func (h *heap[In, Out]) down(place int) {
	all := *h
	p := all[place]
	for {
		first := 4*place + 1
		if first >= len(all) {
			break
		}
		least := first
		for child := first + 1; child < min(first+4, len(all)); child++ {
			if all[child].before(&all[least]) {
				least = child
			}
		}
		if !all[least].before(&p) {
			break
		}
		all[place] = all[least]
		all[place].it.place = uint32(place)
		place = least
	}
	all[place] = p
	p.it.place = uint32(place)
}
