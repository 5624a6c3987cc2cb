package sim

import "time"

// event is a function to run at a time.
type event struct {
	at  time.Duration
	seq uint64 // order of insertion, so that ties are broken the same way every time
	run func()
}

func (e *event) before(other *event) bool {
	return e.at < other.at || e.at == other.at && e.seq < other.seq
}

// eventQueue is a binary heap of events. It holds them by value, so push does not allocate an
// event.
type eventQueue struct {
	heap []event
	seq  uint64
}

func (q *eventQueue) push(at time.Duration, run func()) {
	q.seq++
	q.heap = append(q.heap, event{at, q.seq, run})
	i := len(q.heap) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !q.heap[i].before(&q.heap[parent]) {
			return
		}
		q.heap[i], q.heap[parent] = q.heap[parent], q.heap[i]
		i = parent
	}
}

// pop removes and returns the earliest event. The queue must not be empty.
func (q *eventQueue) pop() event {
	first, last := q.heap[0], len(q.heap)-1
	q.heap[0], q.heap[last] = q.heap[last], event{}
	q.heap = q.heap[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return first
		}
		if right := child + 1; right < last && q.heap[right].before(&q.heap[child]) {
			child = right
		}
		if !q.heap[child].before(&q.heap[i]) {
			return first
		}
		q.heap[i], q.heap[child] = q.heap[child], q.heap[i]
		i = child
	}
}
