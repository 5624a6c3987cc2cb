package retrytest

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// WithTimeout returns a copy of ctx that ends with context.DeadlineExceeded once the Clock has advanced
// by d, through After or Advance. If d is 0 or below it has ended already. It also ends with ctx and
// when cancel is called. Calling cancel releases its resources.
//
// Use it for a caller's context with a virtual deadline. A call with the Clock takes its attempt timeouts
// from here.
//
// Its Deadline is virtual too, or the deadline of ctx if that is earlier. net.Dialer and many drivers
// take it for real time; net/http does not. For them the deadline of a zero Clock passed long ago. Test
// such code with NewClock(time.Now()).
func (c *Clock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	end := &timeout{Context: ctx, done: make(chan struct{})}
	inner, cancel := context.WithCancel(end)
	timed := &timedContext{inner, end}
	if d > 0 {
		c.schedule(end, d)
	} else {
		end.at = c.Now()
		end.end()
	}
	stop := context.AfterFunc(ctx, end.end)
	return timed, func() {
		timed.followParent()
		stop()
		c.unschedule(end)
		cancel()
	}
}

// schedule makes the Clock end t after d.
func (c *Clock) schedule(t *timeout, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.at = c.time().Add(d)
	c.timeouts = append(c.timeouts, t)
}

// unschedule makes the Clock no longer end t.
func (c *Clock) unschedule(t *timeout) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timeouts = slices.DeleteFunc(c.timeouts, func(other *timeout) bool { return other == t })
}

// timedContext is what WithTimeout returns. It wraps a context of the standard library, so that derived
// contexts need no goroutine and have the same error.
type timedContext struct {
	context.Context
	end *timeout
}

func (t *timedContext) Done() <-chan struct{} {
	t.followParent()
	return t.Context.Done()
}

func (t *timedContext) Err() error {
	t.followParent()
	return t.Context.Err()
}

// Value lets context.Cause find the inner context.
func (t *timedContext) Value(key any) any {
	t.followParent()
	return t.Context.Value(key)
}

// followParent ends t if its parent has ended. context.AfterFunc does this too, but perhaps later: a
// function that cancels its caller's context and returns ctx.Err() must not return nil.
func (t *timedContext) followParent() {
	if t.end.Context.Err() != nil {
		t.end.end()
	}
}

// timeout is the parent of the inner context. Only a parent can end a context with an error other than
// context.Canceled. A timeout ends when the Clock or its own parent ends it.
type timeout struct {
	context.Context
	at   time.Time // when the Clock ends it
	once sync.Once
	done chan struct{}
	err  error // valid when done is closed

	endChild func() // ends the inner context
}

func (t *timeout) Done() <-chan struct{} { return t.done }

func (t *timeout) Err() error {
	select {
	case <-t.done:
		return t.err
	default:
		return nil
	}
}

// Deadline returns the earlier of the Clock's and the parent's deadline.
func (t *timeout) Deadline() (time.Time, bool) {
	if parents, ok := t.Context.Deadline(); ok && parents.Before(t.at) {
		return parents, true
	}
	return t.at, true
}

// AfterFunc is called by package context, once, in place of starting a goroutine. It sets what ends
// the child.
func (t *timeout) AfterFunc(f func()) (stop func() bool) {
	t.endChild = f
	return func() bool { return false } // ending the child again does nothing
}

// end ends t and the inner context. Both have ended when it returns.
func (t *timeout) end() {
	t.once.Do(func() {
		t.err = cmp.Or(t.Context.Err(), context.DeadlineExceeded)
		close(t.done)
		t.endChild()
	})
}
