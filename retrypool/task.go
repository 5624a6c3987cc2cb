package retrypool

import (
	"context"
	"fmt"
	"io"
)

// Task is an item that was submitted, seen from outside. It need not be kept. Only a Pool
// makes one. It must not be copied, as in fmt.Println(*task): the copy would be read while the pool
// writes the task, and go vet reports it. It is safe for concurrent use.
type Task[Out any] struct {
	_     noCopy
	owner taskItem
	out   Out
	err   *error        // nil: none; a pointer because that is smaller
	done  chan struct{} // nil until somebody asks for it
}

// noCopy has go vet report whoever copies what it is in. It takes no memory.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// owner is the task's item.
type taskItem interface {
	settledChan() <-chan struct{}
	currentState() state
	cancel() bool
}

// closedChan is the channel of tasks that are settled before anybody asks.
var closedChan = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Done returns a channel that is closed when the item is settled.
func (t *Task[Out]) Done() <-chan struct{} { return t.owner.settledChan() }

// Wait waits until the item is settled and returns what the function returned last, or the
// zero value if it never ran, and the item's error: nil if it succeeded, otherwise one in
// which errors.As finds the *[retry.Error] and, if it panicked, the *[PanicError].
//
// The pool's own function should not call it for an item of the same pool. The worker is not free
// while it waits, and once every worker waits like that no item is finished: all stand still
// until their contexts end.
//
// When ctx ends first Wait returns an error that matches ctx's, and the item goes on. What is
// settled is returned also when ctx has ended.
func (t *Task[Out]) Wait(ctx context.Context) (Out, error) {
	done := t.Done()
	select {
	case <-done:
		return t.result()
	default:
	}
	select {
	case <-done:
		return t.result()
	case <-ctx.Done():
		var zero Out
		return zero, contextError(ctx, "Wait")
	}
}

func (t *Task[Out]) result() (Out, error) {
	if t.err == nil {
		return t.out, nil
	}
	return t.out, *t.err
}

// Cancel cancels the item and reports whether that was in time, before it was settled. An
// item that is queued or parked is settled when Cancel returns: its events and the policy's
// Done hooks run in this goroutine. One that runs is told by the context that its function
// got, which may still succeed.
func (t *Task[Out]) Cancel() bool { return t.owner.cancel() }

// Format writes where the item is, as in "retrypool.Task(parked)", whatever the verb is. Package
// fmt would read the task while the pool writes it, and print what came out.
func (t *Task[Out]) Format(f fmt.State, _ rune) {
	where := "none"
	if t != nil && t.owner != nil {
		where = t.owner.currentState().String()
	}
	_, _ = io.WriteString(f, "retrypool.Task("+where+")")
}

func (it *item[In, Out]) currentState() state {
	it.pool.mu.Lock()
	defer it.pool.mu.Unlock()
	return it.state
}

func (it *item[In, Out]) settledChan() <-chan struct{} {
	it.pool.mu.Lock()
	defer it.pool.mu.Unlock()
	switch {
	case it.state == settled:
		return closedChan
	case it.done == nil:
		it.done = make(chan struct{})
	}
	return it.done
}

func (it *item[In, Out]) cancel() bool {
	p := it.pool
	p.mu.Lock()
	state, ctx := it.state, it.ctx
	w := p.cancelItem(it)
	p.mu.Unlock()
	if state == settled {
		return false
	}
	ctx.cancel(errCanceled)
	if w != nil {
		w.run()
	}
	return true
}

// doom sees to it that the item, whose context ends, is not parked any more. One that waits
// is taken out: the hand returned is to settle it, outside the lock.
func (p *Pool[In, Out]) cancelItem(it *item[In, Out]) *worker[In, Out] {
	if it.state == settled {
		return nil
	}
	it.ending = true
	if it.state == running {
		return nil
	}
	p.takeWaiting(it)
	p.goroutines++
	return &worker[In, Out]{pool: p, item: it}
}
