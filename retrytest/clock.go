package retrytest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seed-205ff063/retry"
)

var _ retry.Clock = (*Clock)(nil)

// epoch is the time at which the zero Clock starts. A testing/synctest bubble starts then too.
var epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// Clock is a virtual [retry.Clock]. After advances its time by the wait at once and records the wait.
// Otherwise its time advances by Advance alone. Give it to a call as retry.WithClock(&clk).
//
// The zero Clock is ready to use. It starts at 2000-01-01 00:00 UTC.
//
// A call checks all its limits by the Clock: retry.WithMaxElapsed and the deadline of the caller's
// context. [Clock.WithTimeout] makes a context with a virtual deadline. A real deadline is decades
// ahead of the zero Clock, so it forbids no wait. Its context still ends in real time.
//
// The waits of calls that share a Clock add up, so most tests give each call its own. A Clock must not
// be copied after first use. It is safe for concurrent use.
type Clock struct {
	mu       sync.Mutex
	now      time.Time // zero means epoch
	waits    []time.Duration
	timeouts []*timeout
}

// NewClock returns a Clock that starts at the given time. The zero Time means 2000-01-01 00:00 UTC.
func NewClock(start time.Time) *Clock { return &Clock{now: start} }

// Now returns the virtual time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time()
}

// After records the wait d and advances the time by d at once. It returns a channel that is ready.
// Contexts whose deadline has passed have ended when it returns. A d of 0 or below takes no time.
func (c *Clock) After(d time.Duration) <-chan time.Time {
	due := make(chan time.Time, 1)
	due <- c.advance(max(d, 0), d)
	return due
}

// Waits returns the waits recorded so far, in order. They are the arguments of After.
func (c *Clock) Waits() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.waits)
}

// Advance advances the time by d and records no wait. A function that is retried calls it to take
// virtual time. Contexts whose deadline has passed have ended when it returns. A negative d panics.
func (c *Clock) Advance(d time.Duration) {
	if d < 0 {
		panic(fmt.Sprintf("retrytest: Advance: %v is negative", d))
	}
	c.advance(d)
}

// advance advances the time by d, records the waits and ends the contexts that are due.
func (c *Clock) advance(d time.Duration, waits ...time.Duration) time.Time {
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

// time returns the time. The caller holds the lock.
func (c *Clock) time() time.Time {
	if c.now.IsZero() {
		c.now = epoch
	}
	return c.now
}
