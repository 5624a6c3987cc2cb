package retrytest

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// WithTimeout returns a copy of ctx that ends with context.DeadlineExceeded once the Clock has
// moved on by d, through After or Advance; a d of 0 or below has passed already. It ends with
// ctx too, or by cancel, which releases what it holds. Attempt timeouts of a call with the
// Clock come from here, and a test uses it for a caller's context with a virtual deadline.
//
// Its Deadline is virtual time as well, or ctx's if that is earlier. Code that takes it for
// real time, such as net.Dialer or a driver (net/http does not), finds that of the zero Clock
// long past: a test of such code starts its Clock by NewClock(time.Now()).
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
		timed.follow()
		stop()
		c.forget(end)
		cancel()
	}
}

// schedule makes the Clock end t in d.
func (c *Clock) schedule(t *timeout, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.at = c.time().Add(d)
	c.timeouts = append(c.timeouts, t)
}

func (c *Clock) forget(t *timeout) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timeouts = slices.DeleteFunc(c.timeouts, func(other *timeout) bool { return other == t })
}

// timedContext is what WithTimeout returns: a context of the standard library, so that those
// derived from it need no goroutine and agree on how it ended.
type timedContext struct {
	context.Context
	end *timeout
}

func (t *timedContext) Done() <-chan struct{} {
	t.follow()
	return t.Context.Done()
}

func (t *timedContext) Err() error {
	t.follow()
	return t.Context.Err()
}

// Value is how context.Cause gets to the inner context.
func (t *timedContext) Value(key any) any {
	t.follow()
	return t.Context.Value(key)
}

// follow sees to it that a parent which has ended is known to have, though context.AfterFunc
// may not yet have said so: a function that cancels its caller's context and then returns
// ctx.Err() must not return nil.
func (t *timedContext) follow() {
	if t.end.Context.Err() != nil {
		t.end.end()
	}
}

// timeout is the parent of the inner context, because only its parent can end that with
// another error than context.Canceled. It ends when the Clock or its own parent says so.
type timeout struct {
	context.Context
	at   time.Time // when the Clock ends it
	once sync.Once
	done chan struct{}
	err  error  // valid when done is closed
	then func() // ends the inner context
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

func (t *timeout) Deadline() (time.Time, bool) {
	if parents, ok := t.Context.Deadline(); ok && parents.Before(t.at) {
		return parents, true
	}
	return t.at, true
}

// AfterFunc is what package context calls, once, to learn when its child must end, instead of
// starting a goroutine.
func (t *timeout) AfterFunc(f func()) (stop func() bool) {
	t.then = f
	return func() bool { return false } // ending the child again does nothing
}

// end ends t and the inner context. When it returns both have ended.
func (t *timeout) end() {
	t.once.Do(func() {
		t.err = cmp.Or(t.Context.Err(), context.DeadlineExceeded)
		close(t.done)
		t.then()
	})
}
