package retrypool

import (
	"context"
	"time"
)

// itemContext is the context of an item: the one it was submitted with, which Task.Cancel,
// Close and the item's end can end too. It is the item itself, by another name because a task
// has a Done of its own; what can be canceled is made once somebody asks for it, for most of
// the parked items nobody does.
type itemContext[In, Out any] item[In, Out]

// ownContext is a context derived from the submitting one.
type ownContext struct {
	context.Context
	cancel context.CancelCauseFunc
}

// settledContext stands for one that has ended with its item, of an item that needed none
// until then. It is made when somebody asks for it after all.
var settledContext = new(ownContext)

func (c *itemContext[In, Out]) current() context.Context {
	switch own := c.own.Load(); own {
	case nil:
		return c.parent
	case settledContext:
		return c.ownContext()
	default:
		return own.Context
	}
}

func (c *itemContext[In, Out]) Deadline() (time.Time, bool) { return c.parent.Deadline() }
func (c *itemContext[In, Out]) Err() error                  { return c.current().Err() }

// Value is also how package context finds what to register derived contexts with.
func (c *itemContext[In, Out]) Value(key any) any { return c.current().Value(key) }

func (c *itemContext[In, Out]) Done() <-chan struct{} { return c.ownContext().Done() }

// String keeps what prints contexts, as mocks do, from reading the item while others write it.
func (c *itemContext[In, Out]) String() string { return "retrypool.Context" }

// ownContext makes the context that can be canceled, at the first call.
func (c *itemContext[In, Out]) ownContext() *ownContext {
	for {
		old := c.own.Load()
		if old != nil && old != settledContext {
			return old
		}
		ctx, cancel := context.WithCancelCause(c.parent)
		own := &ownContext{ctx, cancel}
		if old == settledContext {
			cancel(nil)
		}
		if c.own.CompareAndSwap(old, own) {
			return own
		}
		cancel(nil) // another goroutine was first
	}
}

// end ends the item's context. It runs code of others and must be called without the lock.
func (it *item[In, Out]) end(cause error) {
	(*itemContext[In, Out])(it).ownContext().cancel(cause)
}

// release ends the context of a settled item, which gives back what it holds of the
// submitting one.
func (it *item[In, Out]) release() {
	if !it.own.CompareAndSwap(nil, settledContext) {
		(*itemContext[In, Out])(it).ownContext().cancel(nil)
	}
}

// awaitEnd waits until the item's context has heard of the end of the submitting one, which
// the watch may have heard of first.
func (it *item[In, Out]) awaitEnd() {
	if own := it.own.Load(); own != nil {
		<-own.Done()
	}
}
