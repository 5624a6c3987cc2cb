package retrypool

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// itemContext is the context of an item. It has its parent's values and ends with the parent,
// or earlier: by Task.Cancel, by Close, or when the item is settled.
//
// It is an object of its own. So a kept task does not keep it, and a kept context has its values
// after the end. The cancelable context is made when something first asks for it. Most parked
// items never need one.
type itemContext struct {
	parent    context.Context               // see itemParent
	cancelCtx atomic.Pointer[cancelContext] // nil: not needed so far
}

// cancelContext is a cancelable context derived from the parent.
type cancelContext struct {
	context.Context
	cancel context.CancelCauseFunc
}

// settledContext marks the context of a settled item that never needed a cancelContext. If
// something asks for it later, it is made then, and canceled.
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

// Value also lets package context find the context that derived contexts register with.
func (c *itemContext) Value(key any) any {
	if key == (functionContextKey{}) {
		return c
	}
	return c.current().Value(key)
}

func (c *itemContext) itemParent() context.Context { return c.parent }

// Format prevents a data race. Package fmt, and mocks that print their arguments, would read
// the context by reflection while the pool writes it.
func (c *itemContext) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "retrypool.Context") }

// cancelable returns the cancelable context. The first call makes it.
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

// cancel ends the context. It runs code of the user's contexts: call it without the lock.
func (c *itemContext) cancel(cause error) { c.cancelable().cancel(cause) }

// settle ends the context of a settled item and releases what it holds of the parent.
func (c *itemContext) settle() {
	if !c.cancelCtx.CompareAndSwap(nil, settledContext) {
		c.cancelable().cancel(nil)
	}
}

// waitParentEnd waits until the context has noticed that its parent ended. The pool's
// contextWatch may notice first.
func (c *itemContext) waitParentEnd() {
	if ctx := c.cancelCtx.Load(); ctx != nil {
		<-ctx.Done()
	}
}
