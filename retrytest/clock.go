package retrytest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seed-205ff063/retry"
)

var _ retry.Clock = (*Clock)(nil)

// epoch is where the zero Clock starts, the same instant as a testing/synctest bubble.
var epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// Clock is a virtual [retry.Clock] that never makes anybody wait: After moves the time on by
// the wait, at once, and records it. Apart from that time passes by Advance alone.
//
// The zero Clock is ready to use and starts at 2000-01-01 00:00 UTC. Give it to a call as
// retry.WithClock(&clk).
//
// A call judges all its limits by the Clock: retry.WithMaxElapsed, and the deadline of the
// caller's context. A context with a virtual deadline comes from [Clock.WithTimeout]; a
// deadline of real time lies decades ahead of the zero Clock and forbids no wait, though its
// context still ends in real time.
//
// A Clock must not be copied after first use. It is safe for concurrent use; the waits of
// calls that share it add up, so most tests give each call its own.
type Clock struct {
	mu       sync.Mutex
	now      time.Time // zero: epoch
	waits    []time.Duration
	timeouts []*timeout
}

// NewClock returns a Clock that starts at start. The zero Time stands for 2000-01-01 00:00 UTC.
func NewClock(start time.Time) *Clock { return &Clock{now: start} }

// Now returns the virtual time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time()
}

// After records the wait d, moves the time on by d at once, and returns a channel that is
// ready. Contexts whose time is up have ended when it returns. A d of 0 or below takes no time.
func (c *Clock) After(d time.Duration) <-chan time.Time {
	due := make(chan time.Time, 1)
	due <- c.move(max(d, 0), d)
	return due
}

// Waits returns all waits recorded so far, in order: what After was called with.
func (c *Clock) Waits() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.waits)
}

// Advance moves the time on by d without recording a wait: a function that is retried calls it
// to say that it took so long. Contexts whose time is up have ended when it returns. Time does
// not go back: a negative d panics.
func (c *Clock) Advance(d time.Duration) {
	if d < 0 {
		panic(fmt.Sprintf("retrytest: Advance: %v is negative", d))
	}
	c.move(d)
}

// move moves the time on by d, records the waits and ends the contexts that are due.
func (c *Clock) move(d time.Duration, waits ...time.Duration) time.Time {
	c.mu.Lock()
	c.now = c.time().Add(d)
	now := c.now
	c.waits = append(c.waits, waits...)
	var due []*timeout
	c.timeouts = slices.DeleteFunc(c.timeouts, func(t *timeout) bool {
		isDue := !now.Before(t.at)
		if isDue {
			due = append(due, t)
		}
		return isDue
	})
	c.mu.Unlock()
	for _, t := range due {
		t.end()
	}
	return now
}

// time is Now under the lock.
func (c *Clock) time() time.Time {
	if c.now.IsZero() {
		c.now = epoch
	}
	return c.now
}
