package retrypool

import (
	"context"
	"iter"
	"runtime"
)

// Map submits the items and yields the result of each, in the order of the items. A result is
// what [Task.Wait] returns. An item that fails does not end the sequence.
//
// Map submits items as there is room, and is at most Capacity items ahead of the loop's body.
// Items that are done but not yet yielded count.
//
// The items sequence runs in a goroutine of its own, which has ended when the loop ends. The
// last item that it yielded may not have been submitted. Leaving the loop early cancels the
// items that are not done. It does not wait for functions that are still running; [Pool.Join]
// does.
//
// When the pool is closed, Map yields the results of all submitted items, then an error. When
// ctx ends, it yields an error at once and no more results, though up to Capacity items may be
// done. In both cases the error says why and is the last pair.
//
// Each range over the returned sequence submits the items again.
//
// Do not call Map from the pool's own function. The worker is not free while it waits for
// results. If every worker waits, none makes progress until their contexts end.
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

// mapper is one range over the sequence that Map returns. Its tasks are in a linked list, which
// grows as items are submitted.
type mapper[In, Out any] struct {
	pool       *Pool[In, Out]
	head       chan taskNode[Out] // receives the first task that is not yet yielded
	tail       chan taskNode[Out] // takes the next task that is submitted; closed after the last
	slots      chan struct{}      // has an element for each item that is taken and not yet yielded
	err        error              // why submitting ended; set before tail is closed
	goexit     bool               // the sequence ended its goroutine; set like err
	panicValue any                // the sequence panicked with it; set like err
}

// taskNode is a task in the list, and the channel for the next one.
type taskNode[Out any] struct {
	task *Task[Out]
	next chan taskNode[Out]
}

// submitAll submits the items and appends their tasks to the list.
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

// waitForSlot waits until another item may be taken from the sequence.
func (m *mapper[In, Out]) waitForSlot(ctx context.Context) bool {
	select {
	case m.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		m.err = contextError(ctx, "Map")
		return false
	}
}

// nextTask removes and returns the first task of the list. It waits for one and returns nil
// after the last.
func (m *mapper[In, Out]) nextTask() *Task[Out] {
	node, ok := <-m.head
	if !ok {
		return nil
	}
	m.head = node.next
	return node.task
}

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

// finish cancels the remaining items and waits for the sequence to end. If the sequence
// panicked or ended its goroutine, finish does the same.
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
