package retrypool

import (
	"context"
	"fmt"
	"io"
)

// Task is the caller's view of a submitted item. You need not keep it. Only a Pool makes tasks.
// Most callers should use [Task.Wait].
//
// A Task must not be copied, as in fmt.Println(*task). The copy would be read while the pool
// writes the task, and go vet reports it. A Task is safe for concurrent use.
type Task[Out any] struct {
	_     noCopy
	owner taskItem
	out   Out
	err   *error        // nil: no error; a pointer, because that is smaller
	done  chan struct{} // nil until something asks for it
}

// noCopy makes go vet report copies of the struct that contains it. It takes no memory.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// taskItem is the task's item, without its type parameter In.
type taskItem interface {
	settledChan() <-chan struct{}
	currentState() state
	cancel() bool
}

// closedChan is the Done channel of tasks that are settled before anything asks for it.
var closedChan = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Done returns a channel that is closed when the item is settled.
func (t *Task[Out]) Done() <-chan struct{} { return t.owner.settledChan() }

// Wait waits until the item is settled. It returns the value that the function returned last,
// or the zero value if the function never ran, and the item's error. The error is nil if the
// item succeeded. Otherwise errors.As finds the *[retry.Error] in it and, after a panic, the
// *[PanicError].
//
// When ctx ends first, Wait returns an error that matches ctx's error, and the item goes on.
// The result of a settled item is returned even if ctx has ended.
//
// Do not call Wait from the pool's own function for an item of the same pool. The worker is not
// free while it waits. If every worker waits like that, no item finishes until their contexts
// end.
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

// Cancel cancels the item. It reports whether it did so before the item was settled.
//
// A queued or parked item is settled when Cancel returns: its events and the policy's Done
// hooks run in the caller's goroutine. For a running item, Cancel cancels the context that the
// function got. The function may still succeed.
func (t *Task[Out]) Cancel() bool { return t.owner.cancel() }

// Format writes where the item is, as in "retrypool.Task(parked)", for every verb. It prevents
// package fmt from reading the task while the pool writes it and from printing the result.
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

// cancelItem marks the item, whose context is about to end, so that it is not parked again. If
// the item waits, cancelItem takes it out and returns a worker; call its run without the lock
// to settle the item.
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
