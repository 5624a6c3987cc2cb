package retrypool

import (
	"context"
	"iter"
	"runtime"
)

// Map submits the items as there is room for them and yields what came of each, as
// [Task.Wait] returns it, in the order of the items. An item that failed does not end it.
// It is at most Capacity items ahead of the loop's body, those included that are done and
// not yet yielded.
//
// The sequence runs in a goroutine of its own while the loop runs, and has ended when the
// loop has; the last item it gave may not have been submitted. Leaving the loop cancels the
// items that are not done, and does not wait for the functions that run: [Pool.Join] does.
//
// The pool's own function should not call it. The worker is not free while it waits for results,
// and once every worker does so all stand still until their contexts end.
//
// When ctx ends, or the pool is closed, an error that says so is the last to be yielded. What
// was submitted before Close is yielded first; after ctx's end nothing else is, though up to
// Capacity items may be done. Each range over the result is a Map of its own.
func (p *Pool[In, Out]) Map(ctx context.Context, items iter.Seq[In]) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		inner, cancel := context.WithCancel(ctx)
		first := make(chan link[Out], 1)
		m := &mapping[In, Out]{pool: p, head: first, tail: first, room: make(chan struct{}, p.config.Capacity)}
		go m.feed(inner, items)
		defer m.end(cancel)
		m.drain(ctx, yield)
	}
}

// mapping is a Map that runs.
type mapping[In, Out any] struct {
	pool   *Pool[In, Out]
	head   chan link[Out] // the list of what was submitted and not yet yielded
	tail   chan link[Out] // where its next one goes
	room   chan struct{}  // one for each item taken from the sequence and not yet done with
	err    error          // of submitting, once the list is closed
	goexit bool           // of the sequence, likewise
	panic  any            // likewise
}

// link is a task in a list that grows as it is needed, and where the next one will be.
type link[Out any] struct {
	task *Task[Out]
	next chan link[Out]
}

// feed submits the items and puts their tasks into the list.
func (m *mapping[In, Out]) feed(ctx context.Context, items iter.Seq[In]) {
	returned := false
	defer func() {
		if !returned {
			m.panic = recover()
			m.goexit = m.panic == nil
		}
		close(m.tail)
	}()
	m.submit(ctx, items)
	returned = true
}

func (m *mapping[In, Out]) submit(ctx context.Context, items iter.Seq[In]) {
	if !m.wait(ctx) {
		return
	}
	for in := range items {
		task, err := m.pool.Submit(ctx, in)
		if err != nil {
			m.err = err
			return
		}
		next := make(chan link[Out], 1)
		m.tail <- link[Out]{task, next}
		m.tail = next
		if !m.wait(ctx) {
			return
		}
	}
}

// wait waits until another item may be taken from the sequence.
func (m *mapping[In, Out]) wait(ctx context.Context) bool {
	select {
	case m.room <- struct{}{}:
		return true
	case <-ctx.Done():
		m.err = ended(ctx, "Map")
		return false
	}
}

// next takes a task from the list, nil at its end.
func (m *mapping[In, Out]) next() *Task[Out] {
	l, ok := <-m.head
	if !ok {
		return nil
	}
	m.head = l.next
	return l.task
}

// drain yields the results.
func (m *mapping[In, Out]) drain(ctx context.Context, yield func(Out, error) bool) {
	var zero Out
	for task := m.next(); task != nil; task = m.next() {
		out, err := task.Wait(ctx)
		if err != nil && ctx.Err() != nil {
			yield(zero, ended(ctx, "Map"))
			return
		}
		if !yield(out, err) {
			return
		}
		<-m.room
	}
	if m.err != nil {
		yield(zero, m.err)
	}
}

// end cancels what is left and waits for the sequence to end. How that ended is how this does.
func (m *mapping[In, Out]) end(cancel func()) {
	cancel()
	for task := m.next(); task != nil; task = m.next() {
		task.Cancel()
	}
	if m.panic != nil {
		panic(m.panic)
	}
	if m.goexit {
		runtime.Goexit()
	}
}
