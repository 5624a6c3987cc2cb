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

func (c *itemContext[In, Out]) current() context.Context {
	if own := c.own.Load(); own != nil {
		return own.Context
	}
	return c.parent
}

func (c *itemContext[In, Out]) Deadline() (time.Time, bool) { return c.parent.Deadline() }
func (c *itemContext[In, Out]) Err() error                  { return c.current().Err() }

// Value is also how package context finds what to register derived contexts with.
func (c *itemContext[In, Out]) Value(key any) any { return c.current().Value(key) }

func (c *itemContext[In, Out]) Done() <-chan struct{} { return c.ownContext().Done() }

// ownContext makes the context that can be canceled, at the first call.
func (c *itemContext[In, Out]) ownContext() *ownContext {
	if own := c.own.Load(); own != nil {
		return own
	}
	ctx, cancel := context.WithCancelCause(c.parent)
	own := &ownContext{ctx, cancel}
	if !c.own.CompareAndSwap(nil, own) {
		cancel(nil) // another goroutine was first
	}
	return c.own.Load()
}

// end ends the item's context. It runs code of others and must be called without the lock.
func (it *item[In, Out]) end(cause error) {
	(*itemContext[In, Out])(it).ownContext().cancel(cause)
}

// release gives back what the item's context holds of the submitting one.
func (it *item[In, Out]) release() {
	if own := it.own.Load(); own != nil {
		own.cancel(nil)
	}
}
