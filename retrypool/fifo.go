package retrypool

// fifo is a first-in, first-out queue of items. Any item can be removed from it and leaves a
// hole. The queue is a ring that grows; its length is a power of two.
type fifo[In, Out any] struct {
	ring       []*item[In, Out]
	head, tail uint32 // positions; their low bits are an index into ring
	live       int    // how many items there are, without the holes
}

func (f *fifo[In, Out]) slot(position uint32) **item[In, Out] {
	return &f.ring[position&uint32(len(f.ring)-1)]
}

// push adds the item at the end and stores its position in it.
func (f *fifo[In, Out]) push(it *item[In, Out]) {
	if int(f.tail-f.head) == len(f.ring) {
		f.grow()
	}
	it.position = f.tail
	*f.slot(it.position) = it
	f.tail++
	f.live++
}

// pop removes and returns the first item, nil if there is none.
func (f *fifo[In, Out]) pop() *item[In, Out] {
	for f.head != f.tail {
		s := f.slot(f.head)
		it := *s
		*s = nil
		f.head++
		if it != nil {
			f.removed()
			return it
		}
	}
	return nil
}

// remove removes the item from the position where push put it.
func (f *fifo[In, Out]) remove(it *item[In, Out]) {
	*f.slot(it.position) = nil
	f.removed()
}

// removed counts a removal. It frees a large ring that is empty.
func (f *fifo[In, Out]) removed() {
	if f.live--; f.live == 0 {
		f.head = f.tail
		if len(f.ring) > shrinkAbove {
			f.ring = nil
		}
	}
}

// grow makes room: it closes the holes if there are many, else it doubles the ring.
func (f *fifo[In, Out]) grow() {
	size := len(f.ring)
	if size == 0 {
		size = 8
	} else if f.live > size/2 {
		size *= 2
	}
	old := *f
	*f = fifo[In, Out]{ring: make([]*item[In, Out], size)}
	for ; old.head != old.tail; old.head++ {
		if it := *old.slot(old.head); it != nil {
			f.push(it)
		}
	}
}
