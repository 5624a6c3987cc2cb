package retrypool

import (
	"context"
	"iter"
)

// Map submits the items as there is room for them and yields what came of each, as
// [Task.Wait] returns it, in the order of the items. An item that failed does not end it.
// It is at most Capacity items ahead of the loop's body, those included that are done and
// not yet yielded.
//
// The sequence runs in a goroutine of its own while the loop runs, and has ended when the
// loop has. Leaving the loop cancels the items that are not done. When ctx ends, or the pool
// is closed, an error that says so is the last to be yielded; what was submitted before Close
// is yielded first. Each range over the result is a Map of its own.
func (p *Pool[In, Out]) Map(ctx context.Context, items iter.Seq[In]) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		inner, cancel := context.WithCancel(ctx)
		m := &mapping[In, Out]{
			pool:  p,
			ahead: make(chan *Task[Out], p.config.Capacity),
			room:  make(chan struct{}, p.config.Capacity),
		}
		go m.feed(inner, items)
		defer m.end(cancel)
		m.drain(ctx, yield)
	}
}

// mapping is a Map that runs.
type mapping[In, Out any] struct {
	pool  *Pool[In, Out]
	ahead chan *Task[Out] // submitted and not yet yielded
	room  chan struct{}   // one for each item taken from the sequence and not yet done with
	err   error           // of submitting, once ahead is closed
	panic any             // of the sequence, likewise
}

// feed submits the items.
func (m *mapping[In, Out]) feed(ctx context.Context, items iter.Seq[In]) {
	defer close(m.ahead)
	defer func() { m.panic = recover() }()
	if !m.wait(ctx) {
		return
	}
	for in := range items {
		task, err := m.pool.Submit(ctx, in)
		if err != nil {
			m.err = err
			return
		}
		m.ahead <- task
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

// drain yields the results.
func (m *mapping[In, Out]) drain(ctx context.Context, yield func(Out, error) bool) {
	var zero Out
	for task := range m.ahead {
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

// end cancels what is left and waits for the sequence to end.
func (m *mapping[In, Out]) end(cancel func()) {
	cancel()
	for task := range m.ahead {
		task.Cancel()
	}
	if m.panic != nil {
		panic(m.panic)
	}
}
