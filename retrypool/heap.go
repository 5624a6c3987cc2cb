package retrypool

import "slices"

// heap holds the parked items, the first to fall due on top. What is sorted are small values
// without a pointer, so that a million of them move fast and no item is touched; an item that
// is taken out from below leaves a hole. There are four children a node, which lie side by side
// in one cache line.
type heap[In, Out any] struct {
	all   []parking        // the heap, in memory behind pad values that are not used
	slots []*item[In, Out] // the items, nil: taken out or free
	free  []uint32         // slots that no parking refers to
	holes int              // parkings whose item was taken out
}

// parking says when an item falls due, and where it is. Of those that do so together the
// first to be parked is the first.
type parking struct {
	due   reading
	order uint32
	slot  uint32
}

func (a *parking) before(b *parking) bool {
	return a.due < b.due || a.due == b.due && int32(a.order-b.order) < 0
}

const (
	pad   = 3    // makes siblings start at a multiple of four
	large = 1024 // room that is given back when it is empty
)

// len is how many items are parked.
func (h *heap[In, Out]) len() int { return len(h.all) - h.holes }

// push adds an item and notes its slot.
func (h *heap[In, Out]) push(it *item[In, Out], due reading, order uint32) {
	if n := len(h.free); n > 0 {
		it.place, h.free = h.free[n-1], h.free[:n-1]
		h.slots[it.place] = it
	} else {
		it.place = uint32(len(h.slots))
		h.slots = append(h.slots, it)
	}
	if n := len(h.all); n == cap(h.all) {
		room := make([]parking, pad+n, pad+max(61, n+n/4))
		copy(room[pad:], h.all)
		h.all = room[pad:]
	}
	h.all = append(h.all, parking{due, order, it.place})
	h.up(len(h.all) - 1)
}

// first returns when the first item falls due.
func (h *heap[In, Out]) first() (due reading, ok bool) {
	for len(h.all) > 0 && h.slots[h.all[0].slot] == nil {
		h.holes--
		h.cut()
	}
	if len(h.all) == 0 {
		return 0, false
	}
	return h.all[0].due, true
}

// pop takes out the first item. There must be one, as first knows.
func (h *heap[In, Out]) pop() *item[In, Out] {
	slot := h.all[0].slot
	it := h.slots[slot]
	h.slots[slot] = nil
	h.cut()
	return it
}

// cut takes the top off.
func (h *heap[In, Out]) cut() {
	h.free = append(h.free, h.all[0].slot)
	last := len(h.all) - 1
	h.all[0] = h.all[last]
	h.all = h.all[:last]
	if last > 0 {
		h.down(0)
	} else if cap(h.all) > large {
		*h = heap[In, Out]{} // a burst is over
	}
}

// remove takes an item out from anywhere. When most are holes they are closed.
func (h *heap[In, Out]) remove(it *item[In, Out]) {
	h.slots[it.place] = nil
	h.holes++
	if h.holes <= len(h.all)/2 || len(h.all) < 64 && h.len() > 0 {
		return
	}
	h.holes = 0
	h.all = slices.DeleteFunc(h.all, func(p parking) bool {
		hole := h.slots[p.slot] == nil
		if hole {
			h.free = append(h.free, p.slot)
		}
		return hole
	})
	if len(h.all) == 0 && cap(h.all) > large {
		*h = heap[In, Out]{}
	}
	for i := len(h.all)/4 + 1; i >= 0; i-- {
		if i < len(h.all) {
			h.down(i)
		}
	}
}

// up moves the parking at i to where it belongs, towards the top.
func (h *heap[In, Out]) up(i int) {
	p := h.all[i]
	for i > 0 {
		parent := (i - 1) / 4
		if !p.before(&h.all[parent]) {
			break
		}
		h.all[i] = h.all[parent]
		i = parent
	}
	h.all[i] = p
}

// down moves the parking at i to where it belongs, away from the top.
func (h *heap[In, Out]) down(i int) {
	all := h.all
	p := all[i]
	for {
		least := 4*i + 1
		if least >= len(all) {
			break
		}
		for child := least + 1; child < min(4*i+5, len(all)); child++ {
			if all[child].before(&all[least]) {
				least = child
			}
		}
		if !all[least].before(&p) {
			break
		}
		all[i] = all[least]
		i = least
	}
	all[i] = p
}
