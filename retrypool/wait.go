package retrypool

// waiter is a Submit that waits for room.
type waiter struct {
	ready          chan struct{} // closed when it has got room, or err says why it will not
	got            bool
	err            error
	earlier, later *waiter
}

// waiters are in the order they came.
type waiters struct{ first, last *waiter }

func (l *waiters) push(w *waiter) {
	w.earlier = l.last
	if l.last == nil {
		l.first = w
	} else {
		l.last.later = w
	}
	l.last = w
}

func (l *waiters) remove(w *waiter) {
	if w.earlier == nil {
		l.first = w.later
	} else {
		w.earlier.later = w.later
	}
	if w.later == nil {
		l.last = w.earlier
	} else {
		w.later.earlier = w.earlier
	}
}
