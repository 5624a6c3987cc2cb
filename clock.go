package retry

import (
	"time"

	"github.com/seed-205ff063/retry/internal/errtree"
)

// Clock tells the time and waits. The mock clocks of github.com/benbjohnson/clock,
// github.com/jonboulle/clockwork and k8s.io/utils/clock fit. A wait on one blocks until another
// goroutine moves the clock; retrytest.Auto moves it by itself.
//
// A clock's method WithTimeout(context.Context, time.Duration) (context.Context,
// context.CancelFunc), if it has one, makes the timeouts of attempts. Otherwise they run in real
// time.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

type clockOption struct {
	clock Clock
	_     boxed
}

// WithClock sets the clock for all times and waits, for tests. You do not need it under
// testing/synctest.
// The default is the real clock.
func WithClock(c Clock) Option { return clockOption{clock: c} }

func (o clockOption) apply(s *settings) {
	s.clock = o.clock
	s.check("WithClock", problemIf(errtree.IsNil(o.clock), "nil Clock"))
}

// epoch is reading 0 of the real clock. time.Since of a fixed time reads the monotonic clock
// alone, at half the price of time.Now.
var epoch = time.Now()

// now reads the clock. Only differences of readings mean anything.
func (c *call) now(s *settings) time.Duration {
	if s.clock != nil {
		return c.clockNow(s)
	}
	return time.Since(epoch)
}

// clockNow is now by the policy's clock.
//
//go:noinline
func (c *call) clockNow(s *settings) time.Duration { return s.clock.Now().Sub(c.zero) }

// until returns how long it is to the deadline, by the clock.
func (s *settings) until(deadline time.Time) time.Duration {
	if s.clock != nil {
		return deadline.Sub(s.clock.Now())
	}
	return time.Until(deadline)
}

// elapsed is the time from the start of the call to the reading now.
func (c *call) elapsed(now time.Duration) time.Duration {
	return add(c.before, max(now-c.start, 0)) // a clock that was set back counts as stopped
}
