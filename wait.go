package retry

import "time"

// waitFor waits for d or until the context ends; the next try checks which it was. Many
// goroutines may wait at once, so the frames on their stacks are kept small.
func (c *call) waitFor(s *settings, d time.Duration) {
	switch {
	case d <= 0:
	case s.clock == nil && c.ctx.Done() == nil:
		time.Sleep(d) // nothing can cut it short
	default:
		c.waitOrDone(s, d)
	}
}

// waitOrDone is waitFor for a wait that can be cut short.
//
//go:noinline
func (c *call) waitOrDone(s *settings, d time.Duration) {
	if s.clock != nil && c.ctx.Err() != nil {
		return // a virtual clock would move on for a wait that does not take place
	}
	over := c.after(s, d)
	select {
	case <-over:
	case <-c.ctx.Done():
		if c.timer != nil {
			c.timer.Stop()
		}
	}
}

// after returns a channel that receives once d has passed: the clock's, or that of the call's
// one timer.
func (c *call) after(s *settings, d time.Duration) <-chan time.Time {
	switch {
	case s.clock != nil:
		return s.clock.After(d)
	case c.timer == nil:
		c.timer = time.NewTimer(d)
	default:
		c.timer.Reset(d)
	}
	return c.timer.C
}
