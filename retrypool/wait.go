package retrypool

import "context"

// waiter is a Submit that waits for room.
type waiter[In, Out any] struct {
	it   *item[In, Out]
	key  string
	life context.Context // that the item lives with
	done <-chan struct{} // of life

	ready          chan struct{} // closed when it has got room, or err says why it will not
	got            bool
	taken          bool            // the item was taken in with that
	watch          *watch[In, Out] // which is to be started then
	err            error
	earlier, later *waiter[In, Out]
}

// waiters are in the order they came.
type waiters[In, Out any] struct{ first, last *waiter[In, Out] }

func (l *waiters[In, Out]) push(w *waiter[In, Out]) {
	w.earlier = l.last
	if l.last == nil {
		l.first = w
	} else {
		l.last.later = w
	}
	l.last = w
}

func (l *waiters[In, Out]) remove(w *waiter[In, Out]) {
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
