package retrypool

// fifo is a queue of items from which any can be taken out: a ring that grows, and in which
// one that was taken out leaves a hole. Its length is a power of two.
type fifo[In, Out any] struct {
	ring       []*item[In, Out]
	head, tail uint32 // places, of which the low bits are an index
	live       int    // without the holes
}

func (f *fifo[In, Out]) slot(position uint32) **item[In, Out] {
	return &f.ring[position&uint32(len(f.ring)-1)]
}

// push adds it at the end, and notes its place there.
func (f *fifo[In, Out]) push(it *item[In, Out]) {
	if int(f.tail-f.head) == len(f.ring) {
		f.grow()
	}
	it.position = f.tail
	*f.slot(it.position) = it
	f.tail++
	f.live++
}

// pop takes out the first item, nil if there is none.
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

// remove takes it out of the place where push put it.
func (f *fifo[In, Out]) remove(it *item[In, Out]) {
	*f.slot(it.position) = nil
	f.removed()
}

// removed gives a large ring back when it is empty.
func (f *fifo[In, Out]) removed() {
	if f.live--; f.live > 0 {
		return
	}
	f.head = f.tail
	if len(f.ring) > shrinkAbove {
		f.ring = nil
	}
}

// grow makes room: by closing the holes if there are many, else by doubling.
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
