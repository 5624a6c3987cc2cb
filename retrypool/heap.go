package retrypool

import "slices"

// heap holds the parked items. The first to fall due is on top.
//
// Each node has four children, which lie side by side in one cache line. The sorted entries are
// small and hold no pointers, so a million of them move fast and no item is touched. An item
// that is removed from below the top leaves a hole.
type heap[In, Out any] struct {
	entries   []parkedEntry    // the heap; heapPadding unused entries precede it in memory
	items     []*item[In, Out] // by slot; nil: removed or free
	freeSlots []uint32         // slots that no entry refers to
	holes     int              // entries whose item was removed
}

// parkedEntry says when an item falls due and in which slot it is. Of the items that fall due
// together, the first to be parked comes first.
type parkedEntry struct {
	due   instant
	order uint32
	slot  uint32
}

func (a *parkedEntry) before(b *parkedEntry) bool {
	return a.due < b.due || a.due == b.due && int32(a.order-b.order) < 0
}

const (
	heapPadding = 3    // makes siblings start at a multiple of four
	shrinkAbove = 1024 // a larger heap or fifo frees its memory when it is empty
)

// len returns how many items are parked.
func (h *heap[In, Out]) len() int { return len(h.entries) - h.holes }

// push adds the item and stores its slot in it.
func (h *heap[In, Out]) push(it *item[In, Out], due instant, order uint32) {
	if n := len(h.freeSlots); n > 0 {
		it.position, h.freeSlots = h.freeSlots[n-1], h.freeSlots[:n-1]
		h.items[it.position] = it
	} else {
		it.position = uint32(len(h.items))
		h.items = append(h.items, it)
	}
	if len(h.entries) == cap(h.entries) {
		h.grow()
	}
	h.entries = append(h.entries, parkedEntry{due, order, it.position})
	h.siftUp(len(h.entries) - 1)
}

// grow makes room for more entries.
func (h *heap[In, Out]) grow() {
	n := len(h.entries)
	room := make([]parkedEntry, heapPadding+n, heapPadding+max(61, n+n/4))
	copy(room[heapPadding:], h.entries)
	h.entries = room[heapPadding:]
}

// first returns when the first item falls due.
func (h *heap[In, Out]) first() (due instant, ok bool) {
	h.removeTopHoles()
	if len(h.entries) == 0 {
		return 0, false
	}
	return h.entries[0].due, true
}

// removeTopHoles removes holes until an item is on top.
func (h *heap[In, Out]) removeTopHoles() {
	for len(h.entries) > 0 && h.items[h.entries[0].slot] == nil {
		h.holes--
		h.removeTop()
	}
}

// pop removes and returns the first item. Call first before it, to know that there is one.
func (h *heap[In, Out]) pop() *item[In, Out] {
	slot := h.entries[0].slot
	it := h.items[slot]
	h.items[slot] = nil
	h.removeTop()
	return it
}

// removeTop removes the top entry and frees its slot.
func (h *heap[In, Out]) removeTop() {
	h.freeSlots = append(h.freeSlots, h.entries[0].slot)
	last := len(h.entries) - 1
	h.entries[0] = h.entries[last]
	h.entries = h.entries[:last]
	if last > 0 {
		h.siftDown(0)
	} else if cap(h.entries) > shrinkAbove {
		*h = heap[In, Out]{}
	}
}

// remove removes an item from anywhere. If most entries are holes, it removes the holes.
func (h *heap[In, Out]) remove(it *item[In, Out]) {
	h.items[it.position] = nil
	h.holes++
	if h.holes <= len(h.entries)/2 || len(h.entries) < 64 && h.len() > 0 {
		return
	}
	h.holes = 0
	h.entries = slices.DeleteFunc(h.entries, func(e parkedEntry) bool {
		hole := h.items[e.slot] == nil
		if hole {
			h.freeSlots = append(h.freeSlots, e.slot)
		}
		return hole
	})
	if len(h.entries) == 0 && cap(h.entries) > shrinkAbove {
		*h = heap[In, Out]{}
	}
	for i := len(h.entries)/4 + 1; i >= 0; i-- {
		if i < len(h.entries) {
			h.siftDown(i)
		}
	}
}

// siftUp moves the entry at i up to where it belongs.
func (h *heap[In, Out]) siftUp(i int) {
	e := h.entries[i]
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(&h.entries[parent]) {
			break
		}
		h.entries[i] = h.entries[parent]
		i = parent
	}
	h.entries[i] = e
}

// siftDown moves the entry at i down to where it belongs.
func (h *heap[In, Out]) siftDown(i int) {
	entries := h.entries
	e := entries[i]
	for {
		least := 4*i + 1
		if least >= len(entries) {
			break
		}
		for child := least + 1; child < min(4*i+5, len(entries)); child++ {
			if entries[child].before(&entries[least]) {
				least = child
			}
		}
		if !entries[least].before(&e) {
			break
		}
		entries[i] = entries[least]
		i = least
	}
	entries[i] = e
}
