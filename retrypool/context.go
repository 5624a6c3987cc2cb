package retrypool

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// itemContext is the context of an item: it has the values of the one that the item lives with
// and ends with it, or before it by Task.Cancel, by Close or by the item's end. It is an object
// of its own, so that a task that is kept does not keep it, and that one who keeps it finds its
// values after the end as well. What can be canceled is made once somebody asks for it; most
// parked items do not need it.
type itemContext struct {
	parent    context.Context               // that the item lives with, see lifetime
	cancelCtx atomic.Pointer[cancelContext] // nil: not needed so far
}

// ownContext is a context derived from the parent.
type cancelContext struct {
	context.Context
	cancel context.CancelCauseFunc
}

// settledContext stands for one that has ended with its item, of an item that needed none
// until then. It is made when somebody asks for it after all.
var settledContext = new(cancelContext)

func (c *itemContext) current() context.Context {
	switch ctx := c.cancelCtx.Load(); ctx {
	case nil:
		return c.parent
	case settledContext:
		return c.cancelable()
	default:
		return ctx.Context
	}
}

func (c *itemContext) Deadline() (time.Time, bool) { return c.parent.Deadline() }
func (c *itemContext) Err() error                  { return c.current().Err() }
func (c *itemContext) Done() <-chan struct{}       { return c.cancelable().Done() }

// Value is also how package context finds what to register derived contexts with.
func (c *itemContext) Value(key any) any {
	if key == (functionContextKey{}) {
		return c
	}
	return c.current().Value(key)
}

func (c *itemContext) itemParent() context.Context { return c.parent }

// Format keeps what prints contexts, as mocks do, from reading this one while others write it.
func (c *itemContext) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "retrypool.Context") }

// ownContext makes the context that can be canceled, at the first call.
func (c *itemContext) cancelable() *cancelContext {
	for {
		old := c.cancelCtx.Load()
		if old != nil && old != settledContext {
			return old
		}
		ctx, cancel := context.WithCancelCause(c.parent)
		made := &cancelContext{ctx, cancel}
		if old == settledContext {
			cancel(nil)
		}
		if c.cancelCtx.CompareAndSwap(old, made) {
			return made
		}
		cancel(nil) // another goroutine was first
	}
}

// end ends the context. It runs code of others and must be called without the lock.
func (c *itemContext) cancel(cause error) { c.cancelable().cancel(cause) }

// release ends the context of a settled item, which gives back what it holds of the parent.
func (c *itemContext) settle() {
	if !c.cancelCtx.CompareAndSwap(nil, settledContext) {
		c.cancelable().cancel(nil)
	}
}

// awaitEnd waits until the context has heard of the end of its parent, which the watch may have
// heard of first.
func (c *itemContext) waitParentEnd() {
	if ctx := c.cancelCtx.Load(); ctx != nil {
		<-ctx.Done()
	}
}
