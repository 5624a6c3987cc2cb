package sim

import (
	"context"
	"time"
)

// epoch is the time at which every simulation begins.
var epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// clientClock is the clock of one client that affects no other.
type clientClock struct{ now time.Time }

func (c *clientClock) Now() time.Time { return c.now }

// After advances the clock and returns a channel that is ready. A gate or a hook of the policy
// may wait on it.
func (c *clientClock) After(d time.Duration) <-chan time.Time {
	c.now = c.now.Add(max(d, 0))
	ready := make(chan time.Time, 1)
	ready <- c.now
	return ready
}

// WithTimeout returns a context that shows the deadline but does not end at it: attempts of
// this model take no time.
func (c *clientClock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithCancel(ctx)
	return &deadlineContext{Context: inner, deadline: earlierDeadline(ctx, c.now.Add(d))}, cancel
}

// worldClock is the clock of a world.
type worldClock struct{ *world }

func (c worldClock) Now() time.Time { return epoch.Add(c.now) }

// After makes the running process sleep and returns a channel that is ready.
func (c worldClock) After(d time.Duration) <-chan time.Time {
	if c.current != nil {
		c.current.sleep(d)
	}
	ready := make(chan time.Time, 1)
	ready <- c.Now()
	return ready
}

// WithTimeout returns a context that ends when d of simulated time has passed.
func (c worldClock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithCancelCause(ctx)
	timed := &deadlineContext{Context: inner, deadline: earlierDeadline(ctx, c.Now().Add(d))}
	c.schedule(c.now+d, func() {
		if inner.Err() == nil {
			timed.expired = true
			cancel(context.DeadlineExceeded)
		}
	})
	return timed, func() { cancel(context.Canceled) }
}

// earlierDeadline returns the deadline, or that of ctx if it is earlier.
func earlierDeadline(ctx context.Context, deadline time.Time) time.Time {
	if other, ok := ctx.Deadline(); ok && other.Before(deadline) {
		return other
	}
	return deadline
}

// deadlineContext is a context with a deadline in simulated time.
type deadlineContext struct {
	context.Context
	deadline time.Time
	expired  bool // the deadline has passed
}

func (c *deadlineContext) Deadline() (time.Time, bool) { return c.deadline, true }

func (c *deadlineContext) Err() error {
	if c.expired {
		return context.DeadlineExceeded
	}
	return c.Context.Err()
}
