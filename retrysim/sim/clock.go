package sim

import (
	"context"
	"time"
)

// start is when every simulation begins.
var start = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// soloClock is the clock of one client that affects nobody else.
type soloClock struct{ now time.Time }

func (c *soloClock) Now() time.Time { return c.now }

// After moves the time on: for a gate or hook of the policy that waits.
func (c *soloClock) After(d time.Duration) <-chan time.Time {
	c.now = c.now.Add(max(d, 0))
	due := make(chan time.Time, 1)
	due <- c.now
	return due
}

// WithTimeout makes the contexts of attempts that have a timeout. They never run into it:
// attempts take no time here.
func (c *soloClock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithCancel(ctx)
	return &timedContext{Context: inner, deadline: earlier(ctx, c.now.Add(d))}, cancel
}

// worldClock is the clock of a world.
type worldClock struct{ *world }

func (c worldClock) Now() time.Time { return start.Add(c.now) }

// After lets the process that asks wait, and returns a channel that is ready.
func (c worldClock) After(d time.Duration) <-chan time.Time {
	if c.current != nil {
		c.current.sleep(d)
	}
	due := make(chan time.Time, 1)
	due <- c.Now()
	return due
}

// WithTimeout returns a context that ends when the world's time is d from now.
func (c worldClock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithCancelCause(ctx)
	timed := &timedContext{Context: inner, deadline: earlier(ctx, c.Now().Add(d))}
	c.at(c.now+d, func() {
		if inner.Err() == nil {
			timed.over = true
			cancel(context.DeadlineExceeded)
		}
	})
	return timed, func() { cancel(context.Canceled) }
}

func earlier(ctx context.Context, deadline time.Time) time.Time {
	if other, ok := ctx.Deadline(); ok && other.Before(deadline) {
		return other
	}
	return deadline
}

// timedContext is a context with a deadline of simulated time.
type timedContext struct {
	context.Context
	deadline time.Time
	over     bool // it ended by its deadline
}

func (t *timedContext) Deadline() (time.Time, bool) { return t.deadline, true }

func (t *timedContext) Err() error {
	if t.over {
		return context.DeadlineExceeded
	}
	return t.Context.Err()
}
