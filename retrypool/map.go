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
		first := make(chan taskNode[Out], 1)
		m := &mapper[In, Out]{pool: p, head: first, tail: first, slots: make(chan struct{}, p.config.Capacity)}
		go m.submitAll(inner, items)
		defer m.finish(cancel)
		m.yieldResults(ctx, yield)
	}
}

// mapping is a Map that runs.
type mapper[In, Out any] struct {
	pool       *Pool[In, Out]
	head       chan taskNode[Out] // the list of what was submitted and not yet yielded
	tail       chan taskNode[Out] // where its next one goes
	slots      chan struct{}      // one for each item taken from the sequence and not yet done with
	err        error              // of submitting, once the list is closed
	goexit     bool               // of the sequence, likewise
	panicValue any                // likewise
}

// link is a task in a list that grows as it is needed, and where the next one will be.
type taskNode[Out any] struct {
	task *Task[Out]
	next chan taskNode[Out]
}

// feed submits the items and puts their tasks into the list.
func (m *mapper[In, Out]) submitAll(ctx context.Context, items iter.Seq[In]) {
	returned := false
	defer func() {
		if !returned {
			m.panicValue = recover()
			m.goexit = m.panicValue == nil
		}
		close(m.tail)
	}()
	m.submit(ctx, items)
	returned = true
}

func (m *mapper[In, Out]) submit(ctx context.Context, items iter.Seq[In]) {
	if !m.waitForSlot(ctx) {
		return
	}
	for in := range items {
		task, err := m.pool.Submit(ctx, in)
		if err != nil {
			m.err = err
			return
		}
		next := make(chan taskNode[Out], 1)
		m.tail <- taskNode[Out]{task, next}
		m.tail = next
		if !m.waitForSlot(ctx) {
			return
		}
	}
}

// wait waits until another item may be taken from the sequence.
func (m *mapper[In, Out]) waitForSlot(ctx context.Context) bool {
	select {
	case m.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		m.err = contextError(ctx, "Map")
		return false
	}
}

// next takes a task from the list, nil at its end.
func (m *mapper[In, Out]) nextTask() *Task[Out] {
	node, ok := <-m.head
	if !ok {
		return nil
	}
	m.head = node.next
	return node.task
}

// drain yields the results.
func (m *mapper[In, Out]) yieldResults(ctx context.Context, yield func(Out, error) bool) {
	var zero Out
	for task := m.nextTask(); task != nil; task = m.nextTask() {
		out, err := task.Wait(ctx)
		if err != nil && ctx.Err() != nil {
			yield(zero, contextError(ctx, "Map"))
			return
		}
		if !yield(out, err) {
			return
		}
		<-m.slots
	}
	if m.err != nil {
		yield(zero, m.err)
	}
}

// end cancels what is left and waits for the sequence to end. How that ended is how this does.
func (m *mapper[In, Out]) finish(cancel func()) {
	cancel()
	for task := m.nextTask(); task != nil; task = m.nextTask() {
		task.Cancel()
	}
	if m.panicValue != nil {
		panic(m.panicValue)
	}
	if m.goexit {
		runtime.Goexit()
	}
}
